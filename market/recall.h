/*
 * Prices worth asking again: what a clearing hands on to the next one of nearly the same market.
 *
 * Model    docs/simulation.md, "Warm starts". The plan is a mixture of answers to many price
 * points; at one bus only few of them carry weight. The k-th price to ask again holds at each bus
 *          the k-th most important price of that bus, so that a few serve all.
 * Threads  no shared state.
 */
#ifndef WALRAS_MARKET_RECALL_H
#define WALRAS_MARKET_RECALL_H

#include "market/method.h"

/*
 * Writes up to `most` points [… x n_bus x n_step] into *price_per_mwh (malloc'd, the caller's) and
 * their number into *n. The plan is the method's, with all groups mixed.
 */
WALRAS_NODISCARD enum walras_status market_recall(const struct market_problem *problem,
                                                  const struct market_plan *plan, size_t most,
                                                  double **price_per_mwh, size_t *n,
                                                  struct walras_err *err);

#endif
