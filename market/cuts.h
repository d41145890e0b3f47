/*
 * What groups have answered, kept as cuts: v_g(price) <= cost + price · draw for every price.
 *
 * A cut is an answer's draw and cost; it stays valid for the whole clearing, unless what it costs
 * was inferred and is known better later (market_cuts_revise). Cuts of one group lie
 * one behind another, so that the master reads them as a dense matrix.
 *
 * Units  draw kW [n_step]; cost in the master's unit, kW · currency/MWh (currency · 1000/step_h).
 */
#ifndef WALRAS_MARKET_CUTS_H
#define WALRAS_MARKET_CUTS_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

struct market_cut {
    size_t point; /* the price point it answers */
    double cost;
    double weight; /* of the last master */
    double mixed;  /* of the last plan that was recovered */
    unsigned idle; /* masters in a row without weight */
    bool retired;  /* for too many of them, and in no plan */
};

struct market_group_cuts {
    struct market_cut *cuts; /* [n] */
    double *draw_kw;         /* [n x n_step], row-major */
    size_t n, capacity;
};

struct market_cuts {
    struct market_group_cuts *groups; /* [n_group] */
    size_t n_group, n_step, n_total;
    unsigned n_revision; /* how often costs of cuts that were there have changed */
};

WALRAS_NODISCARD enum walras_status market_cuts_init(struct market_cuts *cuts, size_t n_group,
                                                     size_t n_step, struct walras_err *err);
void market_cuts_release(struct market_cuts *cuts);

/* Adds an answer of `group`. */
WALRAS_NODISCARD enum walras_status market_cuts_add(struct market_cuts *cuts, size_t group,
                                                    size_t point, const double *draw_kw,
                                                    double cost, struct walras_err *err);

/* Gives a group's cuts other costs: cost [point] in currency, unit_currency what a unit is in it.
 */
void market_cuts_revise(struct market_cuts *cuts, size_t group, const double *cost,
                        double unit_currency);

/*
 * Retires cuts that had no weight for more than `idle` masters and are in no recovered plan, and
 * drops the points whose cuts all groups have retired. For cuts of the same points in all groups.
 */
void market_cuts_drop_idle(struct market_cuts *cuts, unsigned idle);

#endif
