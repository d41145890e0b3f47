/*
 * The limits that bind, as they are told: each limit once a step, and no rounding.
 *
 * A limit of 0 kW holds in both directions at once, and only the difference of the two shadow
 * prices is worth anything. Shadow prices below 1e-6 of the largest price are rounding.
 */
#ifndef WALRAS_SCENARIO_BINDING_H
#define WALRAS_SCENARIO_BINDING_H

#include "market/clearing.h"

double scenario_largest_price(const struct market_result *market); /* largest |price|; 0: none */

/*
 * *binding [*n], by row and step, is the caller's to free; tangents of losses, which always bind,
 * are not told. Cost O(n log n) time.
 */
WALRAS_NODISCARD enum walras_status scenario_net_binding(const struct market_result *market,
                                                         const struct grid_limits *limits,
                                                         struct market_binding **binding, size_t *n,
                                                         struct walras_err *err);

#endif
