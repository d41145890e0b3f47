/*
 * Separable devices as orders: what load, pv, bid and generator without ramp or commitment tell the
 * market openly, so that it can clear them exactly instead of asking.
 *
 * draw_t = firm_t − Σ injections of the device's orders in step t.
 */
#ifndef WALRAS_AGENTS_ORDERS_H
#define WALRAS_AGENTS_ORDERS_H

#include "agents/device.h"
#include "market/oracle.h"

/*
 * Adds the device's firm draw to firm_draw_kw [n_step] and its constant cost (no-load cost …) to
 * *cost, and calls emit for each order (bus 0: the caller fills it in), in step order. A range
 * without choice (low = high) is firm draw and constant cost, not an order. Returns the first
 * failure of emit, or WALRAS_UNSUPPORTED when the device is not separable
 * (agent_device_is_separable).
 */
WALRAS_NODISCARD enum walras_status
agent_device_orders(const struct agent_device *device, const struct agent_horizon *horizon,
                    double *firm_draw_kw, double *cost,
                    enum walras_status (*emit)(void *context, const struct market_order *order),
                    void *context);

#endif
