/*
 * A whole market as one linear program, written from the definitions of the scenario format: the
 * judge of what the engine finds.
 *
 * Shares with the engine the reader of scenarios and the simplex method (lp/lp.h), nothing else:
 * the network is written with angles, every device with its states, nothing is priced or
 * eliminated. Devices with integer choices, quadratic costs and files are not covered.
 */
#ifndef WALRAS_TESTS_CENTRAL_LP_H
#define WALRAS_TESTS_CENTRAL_LP_H

#include "lp/lp.h"
#include "scenario/scenario.h"

/* info->outcome says whether the market is feasible; info->objective is what it costs at best. */
WALRAS_NODISCARD enum walras_status central_lp_solve(const struct scenario *scenario,
                                                     struct lp_info *info, struct walras_err *err);

#endif
