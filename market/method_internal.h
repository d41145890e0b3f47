/*
 * The price methods that there are. A new one: declare its table here, list it in method.c.
 */
#ifndef WALRAS_MARKET_METHOD_INTERNAL_H
#define WALRAS_MARKET_METHOD_INTERNAL_H

#include "market/method.h"

extern const struct market_method_ops market_bundle_ops, market_newton_ops, market_admm_ops,
    market_accelerated_ops, market_adam_ops, market_polyak_ops, market_subgradient_ops,
    market_interior_ops;

#endif
