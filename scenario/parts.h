/*
 * What prices are made of: energy, what lines, voltages and losses add; and prices of reactive
 * power.
 *
 * Model      docs/mathematics.md, "Parts of a price". With μ the shadow prices of limits r that a
 *            step has, d = ±1 their side and s the effect of kW, and s' that of kvar, at bus b,
 *                energy      the price at the slack that the bus hangs on
 *                congestion  −Σ d μ_r s_rb  over limits of lines, of active and apparent power
 *                voltage     −Σ d μ_r s_rb  over limits of voltages
 *                loss        −Σ d μ_r s_rb  over tangents of losses: −λ · the loss factor
 *                reactive    −Σ d μ_r s'_rb over all
 * Units      currency per MWh and per Mvarh.
 * Ownership  the arrays are the parts' own.
 */
#ifndef WALRAS_SCENARIO_PARTS_H
#define WALRAS_SCENARIO_PARTS_H

#include "grid/limits.h"
#include "market/clearing.h"
#include "scenario/scenario.h"

struct scenario_parts { /* all [n_bus x n_step] */
    double *energy, *congestion, *voltage, *loss;
    double *reactive_per_mvarh;
};

/* `limits` may be NULL: energy is all there is. Writes to its workspace. */
WALRAS_NODISCARD enum walras_status scenario_parts_new(const struct market_result *market,
                                                       struct grid_limits *limits,
                                                       const struct scenario *scenario,
                                                       struct scenario_parts **made,
                                                       struct walras_err *err);
void scenario_parts_free(struct scenario_parts *parts);

#endif
