/*
 * Charts of a result, drawn by gnuplot: prices.png, convergence.png, loading.png, stack.png. Beside
 * each stands the script that drew it (prices.gp …), data included: `gnuplot prices.gp` draws it
 * again.
 *
 * Colours  Okabe and Ito's, which people with any kind of colour vision tell apart.
 * Threads  gnuplot runs as a child process, without a shell; none is left behind.
 */
#ifndef WALRAS_SCENARIO_CHARTS_H
#define WALRAS_SCENARIO_CHARTS_H

#include "scenario/result.h"

/* WALRAS_NOT_FOUND, naming the package to install, when gnuplot cannot be run. */
WALRAS_NODISCARD enum walras_status scenario_charts_available(struct walras_err *err);

/*
 * Draws into `directory`, which exists. A chart that has nothing to show is left out: nothing
 * limited, no plan, no round. Returns WALRAS_IO when a file cannot be written or gnuplot fails
 * (with what it said) or takes longer than a minute.
 */
WALRAS_NODISCARD enum walras_status scenario_charts_write(const char *directory,
                                                          const struct scenario_result *result,
                                                          struct walras_err *err);

#endif
