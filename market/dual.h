/*
 * The dual function: a lower bound of the market's cost from prices and the answers to them.
 *
 * Model    q(u) = Σ_g v_g(lambda) + Σ_o min_q [(price_o - lambda) q + slope_o/2 q²]
 *                 + lambda · firm - Σ_a mu_a room_a      (docs/mathematics.md, "Dual function")
 *          Orders without a stated limit count as limited to `reach_kw`, more than all participants
 *          together can move.
 * Units    kW · currency/MWh.
 */
#ifndef WALRAS_MARKET_DUAL_H
#define WALRAS_MARKET_DUAL_H

#include "market/rows.h"

/* An injection that no order can exceed in any plan: what all participants can draw at most. */
double market_reach_kw(const struct market_problem *problem);

/* What a plan may leave unmet and still count as feasible: what the master's accuracy leaves. */
double market_unmet_tolerance_kw(const struct market_problem *problem);

/* The part of q(u) without groups; price [n_bus x n_step] is market_rows_price of u. */
double market_dual_open_part(const struct market_rows *rows, const double *u, const double *price,
                             double reach_kw);

#endif
