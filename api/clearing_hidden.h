/*
 * Agents that hide their cost: what their answers are taken to have cost, in a clearing.
 *
 * An agent's costs are inferred from all its own answers once it has hidden one; a cost that it
 * told stands, and helps. Whose answer was stood in for with a hidden cost is taken to draw what it
 * drew before.
 *
 * Units    currency. Points are counted as announced, from 0.
 * Threads  one at a time.
 */
#ifndef WALRAS_API_CLEARING_HIDDEN_H
#define WALRAS_API_CLEARING_HIDDEN_H

#include "api/clearing_internal.h"

/*
 * Takes in the answers of the round that is asked about now and puts a cost where none was told.
 * WALRAS_NOMEM; WALRAS_INTERNAL: what stands in was never answered; as clearing_read.
 */
WALRAS_NODISCARD enum walras_status clearing_hidden_take(struct clearing *clearing,
                                                         struct walras_err *err);
void clearing_hidden_release(struct clearing *clearing);

/* How many answers of those that hide were no best response if the others were. */
size_t clearing_hidden_odd(const struct clearing *clearing);
bool clearing_hides(const struct clearing *clearing, size_t remote);
/* What all that was hidden at a point is taken to have cost now. */
double clearing_hidden_cost(const struct clearing *clearing, size_t point);
/* The same of one agent; what it told, if it did. For agents that hide. */
double clearing_hidden_cost_of(const struct clearing *clearing, size_t remote, size_t point);

/*
 * How much further than they were taken to be, at most, an agent's answers mixed by weight
 * [n] can be from its best response at point `at`: what its costs can be is known no better.
 * INFINITY: not at all. point: SIZE_MAX for none that was announced. For agents that hide.
 */
WALRAS_NODISCARD enum walras_status clearing_hidden_doubt(const struct clearing *clearing,
                                                          size_t remote, size_t at,
                                                          const size_t *point, const double *weight,
                                                          size_t n, double *doubt,
                                                          struct walras_err *err);

/* As market_oracle_ops has them, of a guest. */
const double *clearing_hidden_revised(void *self);
WALRAS_NODISCARD enum walras_status
clearing_hidden_guest_doubt(void *self, size_t at, const size_t *point, const double *weight,
                            size_t n, double *doubt, struct walras_err *err);

#endif
