/*
 * Runs gnuplot on a script: a child process, no shell, a time limit.
 *
 * Threads  no shared state; the child gets the caller's environment.
 */
#ifndef WALRAS_SCENARIO_GNUPLOT_H
#define WALRAS_SCENARIO_GNUPLOT_H

#include "core/status.h"

/*
 * Runs `gnuplot -c script directory`: the script finds the directory in ARG1. Returns
 * WALRAS_NOT_FOUND when there is no gnuplot, WALRAS_IO with what gnuplot said when it fails or is
 * still running after `limit_s` (it is then killed).
 */
WALRAS_NODISCARD enum walras_status scenario_gnuplot_run(const char *script, const char *directory,
                                                         double limit_s, struct walras_err *err);
/* Only whether gnuplot can be run. */
WALRAS_NODISCARD enum walras_status scenario_gnuplot_find(struct walras_err *err);

#endif
