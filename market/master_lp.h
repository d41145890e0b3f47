/*
 * The master as one linear program for GLPK: simpler, slower, and written on its own, so that it
 * checks the structured master (market/master.h) and can stand in for it.
 *
 * Model    as market/master.h, but instead of the proximal term a box: prices at buses with groups
 *          stay within `tau` of the centre (trust region in the maximum norm; Marsten, Hogan and
 *          Blankenship, The boxstep method for large-scale optimization, 1975). Costs of sloped
 *          orders are the maximum of tangents, refined until exact to `tolerance`.
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_MASTER_LP_H
#define WALRAS_MARKET_MASTER_LP_H

#include "market/master.h"

struct market_master_lp; /* workspace */

WALRAS_NODISCARD enum walras_status market_master_lp_new(const struct market_problem *problem,
                                                         struct market_master_lp **made,
                                                         struct walras_err *err);
void market_master_lp_free(struct market_master_lp *master);

/* As market_master_solve; info->prox is 0. */
WALRAS_NODISCARD enum walras_status
market_master_lp_solve(struct market_master_lp *master, const struct market_master_problem *problem,
                       const struct market_master_settings *settings,
                       struct market_master_solution *solution, struct market_master_info *info,
                       struct walras_err *err);

struct market_master_solver market_master_lp_solver_of(struct market_master_lp *master);

#endif
