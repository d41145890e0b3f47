/*
 * Asking groups: the answers of all of them, part by part on several threads, to the prices of a
 * query.
 *
 * Ownership  the problem is borrowed. Replies live until the next question.
 * Threads    one question at a time.
 */
#ifndef WALRAS_MARKET_ASKING_H
#define WALRAS_MARKET_ASKING_H

#include "core/ranks.h"
#include "market/method.h"

struct market_asking;

/* Room for n_point price points in one query. */
WALRAS_NODISCARD enum walras_status market_asking_new(const struct market_problem *problem,
                                                      unsigned n_thread, size_t n_point,
                                                      struct market_asking **made,
                                                      struct walras_err *err);
void market_asking_free(struct market_asking *asking);

/* Fails as the first part that fails. */
WALRAS_NODISCARD enum walras_status market_asking_ask(struct market_asking *asking,
                                                      const struct market_query *query,
                                                      struct market_reply *reply,
                                                      struct walras_err *err);
/* The threads that ask. Lives as the asking. */
const struct market_runner *market_asking_runner(struct market_asking *asking);

/*
 * The values of the last reply, to be added to those of other ranks: answers and draws, led by a
 * number that is not one of them and begins as 0; curvature, if it was asked for.
 */
double *market_asking_values(struct market_asking *asking, size_t *n);
double *market_asking_curvature(struct market_asking *asking, size_t *n);

#endif
