/*
 * A market to clear: what is known openly (grid, firm draws, orders) and who is asked (groups).
 *
 * Model      minimise  Σ cost of groups + Σ cost of orders (+ priced breaches of soft limits)
 *            subject to balance in every step and the grid's limits (docs/mathematics.md eq. 1-2).
 * Ownership  everything is borrowed and outlives the clearing.
 * Threads    read only, but for the grid limits' workspace.
 */
#ifndef WALRAS_MARKET_PROBLEM_H
#define WALRAS_MARKET_PROBLEM_H

#include "grid/limits.h"
#include "market/oracle.h"

#include <stdbool.h>

struct market_group {
    uint32_t bus;
    struct market_oracle oracle;
    bool integer;     /* answers are not convex combinations: settled, not mixed */
    double swing_kw;  /* about how far its draw can move: scales price steps, need not be exact */
    unsigned kind;    /* groups of one kind answer alike: they share weights first */
    size_t n_device;  /* shares out blocs; for reports */
    const char *name; /* for reports, borrowed */
};

struct market_problem {
    size_t n_bus, n_step;
    double step_h;
    const double *firm_draw_kw;        /* [n_bus x n_step], row-major */
    double firm_cost;                  /* constant, currency */
    const struct market_order *orders; /* [n_order] */
    size_t n_order;
    const struct market_group *groups; /* [n_group] */
    size_t n_group;
    struct grid_limits *limits; /* NULL: one bus, or no limits at all */
    /* [n_bus] the node of the limits that stands for a bus, where there are fewer; NULL: itself */
    const uint32_t *node_of_bus;
    double breach_price_per_mwh; /* soft grid limits; INFINITY: hard */
    /* [limits x 2] of each limit at its low and high side; NULL: breach_price_per_mwh for all */
    const double *breach_prices_per_mwh;
    const char *const *bus_ids; /* [n_bus] */
    /*
     * [n_bus] buses where kvar are offered: no balance counts them, only limits do, so that the
     * price there is what limits say. Orders alone stand at them. NULL: there are none.
     */
    const bool *reactive;
    double
        reach_kw; /* what counts as the limit of an order without one; 0: found (market/dual.h) */
};

/* Shapes, ranges, finiteness; the message names the order, group or bus. */
WALRAS_NODISCARD enum walras_status market_problem_check(const struct market_problem *problem,
                                                         struct walras_err *err);

static inline bool market_is_reactive(const struct market_problem *problem, size_t bus)
{
    return problem->reactive && problem->reactive[bus];
}

/* What a breach of a limit costs in that direction (1: above its high side, -1: below its low). */
static inline double market_breach_price(const struct market_problem *problem, size_t limit,
                                         int direction)
{
    return problem->breach_prices_per_mwh
               ? problem->breach_prices_per_mwh[2 * limit + (direction > 0)]
               : problem->breach_price_per_mwh;
}

/* What an order costs at an injection of q kW, in kW · currency/MWh. */
static inline double market_order_cost(const struct market_order *order, double q)
{
    return q * (order->price_per_mwh + 0.5 * order->slope_per_mwh_per_kw * q);
}

struct market_level { /* what prices are about */
    double
        price_per_mwh; /* typical of the orders with room; 1 when there are none, or all are free */
    double penalty_per_mwh; /* far above any order: what an unmet need costs inside the methods */
};
struct market_level market_level_of(const struct market_problem *problem);

#endif
