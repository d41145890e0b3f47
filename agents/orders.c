#include "agents/orders.h"
#include "agents/solve_internal.h"
#include "core/units.h"

#include <math.h>

/* One device's orders on their way to the market. */
struct order_sink {
    const struct agent_horizon *horizon;
    double *firm_draw_kw, *cost;
    enum walras_status (*emit)(void *context, const struct market_order *order);
    void *context;
};

/* What leaves no choice is firm: it need not burden the market as an order. */
static enum walras_status give(const struct order_sink *sink, struct market_order order)
{
    double firm_kw = order.low_kw;

    if (order.low_kw < order.high_kw)
        return sink->emit(sink->context, &order);
    sink->firm_draw_kw[order.step] -= firm_kw;
    *sink->cost += walras_mwh(firm_kw, sink->horizon->step_h) *
                   (order.price_per_mwh + 0.5 * order.slope_per_mwh_per_kw * firm_kw);
    return WALRAS_OK;
}

static enum walras_status load_order(const struct agent_load *load, size_t t,
                                     const struct order_sink *sink)
{
    double draw_kw = walras_series_at(load->draw_kw, t);

    sink->firm_draw_kw[t] += draw_kw;
    if (isnan(load->shed_price_per_mwh) || draw_kw <= 0.0)
        return WALRAS_OK;
    return give(sink, (struct market_order){.step = (uint32_t)t,
                                            .high_kw = draw_kw,
                                            .price_per_mwh = load->shed_price_per_mwh});
}

static enum walras_status pv_order(const struct agent_pv *pv, size_t t,
                                   const struct order_sink *sink)
{
    double available_kw = walras_series_at(pv->available_kw, t);

    return give(sink, (struct market_order){.step = (uint32_t)t,
                                            .low_kw = pv->curtailable ? 0.0 : available_kw,
                                            .high_kw = available_kw,
                                            .price_per_mwh = pv->cost_per_mwh});
}

static enum walras_status bid_orders(const struct agent_bid *bid, size_t t,
                                     const struct order_sink *sink)
{
    struct bid_blocks demand = bid_blocks_at(bid->demand, bid->demand_first, bid->one_list, t);
    struct bid_blocks offer = bid_blocks_at(bid->offer, bid->offer_first, bid->one_list, t);
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; status == WALRAS_OK && i < demand.n; i++)
        status = give(sink, (struct market_order){.step = (uint32_t)t,
                                                  .low_kw = -demand.block[i].width_kw,
                                                  .price_per_mwh = demand.block[i].price_per_mwh});
    for (size_t i = 0; status == WALRAS_OK && i < offer.n; i++)
        status = give(sink, (struct market_order){.step = (uint32_t)t,
                                                  .high_kw = offer.block[i].width_kw,
                                                  .price_per_mwh = offer.block[i].price_per_mwh});
    return status;
}

static enum walras_status generator_orders(const struct agent_generator *generator, size_t t,
                                           const struct order_sink *sink)
{
    double begin_kw = 0.0; /* of the segment */
    enum walras_status status = WALRAS_OK;

    if (!generator->segments) {
        *sink->cost += generator->per_h * sink->horizon->step_h;
        return give(sink, (struct market_order){.step = (uint32_t)t,
                                                .low_kw = generator->min_kw,
                                                .high_kw = generator->max_kw,
                                                .price_per_mwh = generator->per_mwh,
                                                .slope_per_mwh_per_kw =
                                                    2.0 * walras_mw_from_kw(generator->per_mw2h)});
    }
    for (uint32_t i = 0; status == WALRAS_OK && i < generator->n_segment; i++) {
        const struct agent_segment *segment = &generator->segments[i];

        status = give(
            sink, (struct market_order){
                      .step = (uint32_t)t,
                      .low_kw = fmin(fmax(generator->min_kw - begin_kw, 0.0), segment->width_kw),
                      .high_kw = fmin(fmax(generator->max_kw - begin_kw, 0.0), segment->width_kw),
                      .price_per_mwh = segment->price_per_mwh});
        begin_kw += segment->width_kw;
    }
    return status;
}

enum walras_status
agent_device_orders(const struct agent_device *device, const struct agent_horizon *horizon,
                    double *firm_draw_kw, double *cost,
                    enum walras_status (*emit)(void *context, const struct market_order *order),
                    void *context)
{
    const struct order_sink sink = {horizon, firm_draw_kw, cost, emit, context};
    enum walras_status status = agent_device_is_separable(device) ? WALRAS_OK : WALRAS_UNSUPPORTED;

    for (size_t t = 0; status == WALRAS_OK && t < horizon->n_step; t++) {
        if (device->type == AGENT_LOAD)
            status = load_order(&device->load, t, &sink);
        else if (device->type == AGENT_PV)
            status = pv_order(&device->pv, t, &sink);
        else if (device->type == AGENT_BID)
            status = bid_orders(&device->bid, t, &sink);
        else
            status = generator_orders(&device->generator, t, &sink);
    }
    return status;
}
