/* What must hold of prices in the model lindistflow, whatever the market is. */
#ifndef WALRAS_TESTS_FEEDER_JUDGE_H
#define WALRAS_TESTS_FEEDER_JUDGE_H

#include "marketkit.h"

/* Energy, congestion, voltage and loss are what a price is. */
bool feeder_parts_sum_to_prices(const struct marketkit *kit);
/*
 * What all pay less what all are paid is what shadow prices times limits come to: a plan that is
 * `gap` from the best leaves at most that between the two.
 */
bool feeder_limits_account_for_surplus(const struct marketkit *kit);

#endif
