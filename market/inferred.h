/*
 * What a participant's costs can be when it tells only what it draws, or tells them now and then.
 *
 * Model    docs/mathematics.md, "Hidden costs" (H1 to H3). A best response x_k to prices p_k is a
 *          slope of the participant's value v there, so v(p_k) <= v(p_j) + x_j · (p_k - p_j) for
 *          every two answers. Shortest paths over these give the most and the least that v(p_k)
 *          can be, against v of the first answer; taken is the middle. All middles together are
 *          values that some convex participant has, and every answer narrows those before it. A
 * cost that is told makes v known there. Source   Afriat, The construction of utility functions
 * from expenditure data (1967); Rockafellar, Convex Analysis (1970), section 24, for cyclic
 * monotonicity. Units    prices per MWh; draws kW; costs kW · currency/MWh (times step_h/1000 is
 * currency). Threads  one at a time.
 */
#ifndef WALRAS_MARKET_INFERRED_H
#define WALRAS_MARKET_INFERRED_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

struct market_inferred { /* all zero but n_step: nothing is known; arrays are its own */
    size_t n_step, n, capacity;
    size_t base; /* all others are told against this answer: the first that was told, or 0 */
    double *price, *draw;  /* [n x n_step] */
    double *above, *below; /* [n] v is at most above[k], at least -below[k], plus v of answer 0 */
    double *paid, *value;  /* [n] p_k · x_k; and v(p_k), NAN unless it was told */
    bool *odd;             /* [n] no best response if those before it are: counts for no other */
    size_t n_odd;
};

void market_inferred_release(struct market_inferred *m);

/*
 * Adds an answer and its cost, NAN when it is hidden; those before it may cost something else
 * afterwards, unless it was told. WALRAS_NOMEM: nothing is changed. Cost O(n · n_step) where
 * nothing moves, O(n² · n_step) and more where all does.
 */
WALRAS_NODISCARD enum walras_status market_inferred_add(struct market_inferred *m,
                                                        const double *price_per_mwh,
                                                        const double *draw_kw, double cost,
                                                        struct walras_err *err);

/* What answer k costs, or is taken to. Where none was told, answer 0 counts 0. */
double market_inferred_cost(const struct market_inferred *m, size_t k);

/* The last answer with just that draw; SIZE_MAX: none. */
size_t market_inferred_find(const struct market_inferred *m, const double *draw_kw);

/*
 * most [n], overwritten: how far v(p_k) can be above v(p_from), whatever the costs are. Of odd
 * answers it promises nothing. WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status market_inferred_most(const struct market_inferred *m,
                                                         size_t from, double *most,
                                                         struct walras_err *err);
/* How far v(p_k) is taken to be above v(p_from). */
double market_inferred_rise(const struct market_inferred *m, size_t from, size_t k);

#endif
