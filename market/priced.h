/*
 * A priced point: prices that are, or were, asked at, with the shadow prices they are made of.
 *
 * Ownership  the arrays are the point's own.
 */
#ifndef WALRAS_MARKET_PRICED_H
#define WALRAS_MARKET_PRICED_H

#include "market/method.h"
#include "market/rows.h"

struct market_priced {
    double *price;  /* [n_bus x n_step] */
    double *energy; /* [n_step] */
    struct market_shadow *shadows;
    size_t n_shadow;
    double open; /* the dual function without its groups, kW · currency/MWh */
};

WALRAS_NODISCARD enum walras_status market_priced_init(struct market_priced *point,
                                                       const struct market_problem *problem,
                                                       struct walras_err *err);
void market_priced_release(struct market_priced *point);

/* Takes the point u of `rows`, whose bus prices are `price`. */
WALRAS_NODISCARD enum walras_status market_priced_set(struct market_priced *point,
                                                      const struct market_rows *rows,
                                                      const double *u, const double *price,
                                                      double reach_kw, struct walras_err *err);
void market_priced_swap(struct market_priced *a, struct market_priced *b);

/* Shadow prices above `least`. */
size_t market_priced_binding(const struct market_priced *point, double least_per_mwh);

#endif
