/*
 * From a price method's plan to the result of a clearing: integer groups settled, balance exact.
 */
#ifndef WALRAS_MARKET_AWARD_H
#define WALRAS_MARKET_AWARD_H

#include "market/clearing.h"
#include "market/method.h"
#include "market/settle.h"

/*
 * Fills everything in `result` but outcome, rounds and times, from the method's best plan. Integer
 * groups with weight on several answers are settled (each participant plays one of its own answers)
 * and the rest is dispatched again around them. n_recall prices of the plan before that are handed
 * on.
 */
WALRAS_NODISCARD enum walras_status
market_award(const struct market_problem *problem, struct market_method *method,
             const struct market_asker *asker, const struct market_state *state, size_t n_recall,
             struct market_result *result, struct walras_err *err);

#endif
