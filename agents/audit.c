/* Devices that can be judged step by step, and the door to the others. */
#include "agents/audit.h"
#include "agents/audit_internal.h"
#include "core/units.h"

#include <math.h>

static void audit_load(const struct audit_case *audit, const struct agent_load *load)
{
    bool firm = isnan(load->shed_price_per_mwh);

    for (size_t t = 0; t < audit->horizon->n_step; t++) {
        double wanted_kw = walras_series_at(load->draw_kw, t);
        double shed_kw = wanted_kw - audit->draw_kw[t];

        if (firm) {
            audit_breach(audit, fabs(shed_kw), t, "firm load");
            continue;
        }
        audit_breach(audit, -shed_kw, t, "wanted load");
        audit_breach(audit, shed_kw - fmax(wanted_kw, 0.0), t, "sheddable load");
        audit->verdict->cost +=
            walras_mwh(fmax(shed_kw, 0.0), audit->horizon->step_h) * load->shed_price_per_mwh;
    }
}

static void audit_pv(const struct audit_case *audit, const struct agent_pv *pv)
{
    for (size_t t = 0; t < audit->horizon->n_step; t++) {
        double available_kw = walras_series_at(pv->available_kw, t);
        double injection_kw = -audit->draw_kw[t];

        audit_breach(audit, injection_kw - available_kw, t, "available power");
        audit_breach(audit, pv->curtailable ? -injection_kw : available_kw - injection_kw, t,
                     pv->curtailable ? "no draw" : "uncurtailable power");
        audit->verdict->cost += walras_mwh(injection_kw, audit->horizon->step_h) * pv->cost_per_mwh;
    }
}

/* The blocks of one step: demand falling, offers rising. */
struct audit_blocks {
    const struct agent_segment *demand, *offer;
    size_t n_demand, n_offer;
};

static struct audit_blocks blocks_of_step(const struct agent_bid *bid, size_t step)
{
    size_t list = bid->one_list ? 0 : step;
    struct audit_blocks blocks = {0};

    if (bid->demand_first) {
        blocks.demand = bid->demand + bid->demand_first[list];
        blocks.n_demand = bid->demand_first[list + 1] - bid->demand_first[list];
    }
    if (bid->offer_first) {
        blocks.offer = bid->offer + bid->offer_first[list];
        blocks.n_offer = bid->offer_first[list + 1] - bid->offer_first[list];
    }
    return blocks;
}

/*
 * With all demand served and nothing offered the draw is at its most; getting down to the asked
 * draw costs least when the cheapest is given up first: demand of low value or offers of low price.
 */
static void audit_bid(const struct audit_case *audit, const struct agent_bid *bid)
{
    for (size_t t = 0; t < audit->horizon->n_step; t++) {
        struct audit_blocks blocks = blocks_of_step(bid, t);
        size_t d = blocks.n_demand, o = 0;
        double give_kw = -audit->draw_kw[t], cost = 0.0; /* cost: currency per MWh times kW */

        for (size_t i = 0; i < blocks.n_demand; i++) {
            give_kw += blocks.demand[i].width_kw;
            cost -= blocks.demand[i].width_kw * blocks.demand[i].price_per_mwh;
        }
        audit_breach(audit, -give_kw, t, "demand blocks");
        while (give_kw > 0.0 && (d > 0 || o < blocks.n_offer)) {
            bool cut = o == blocks.n_offer || (d > 0 && blocks.demand[d - 1].price_per_mwh <
                                                            blocks.offer[o].price_per_mwh);
            const struct agent_segment *block = cut ? &blocks.demand[--d] : &blocks.offer[o++];
            double part_kw = fmin(give_kw, block->width_kw);

            cost += part_kw * block->price_per_mwh;
            give_kw -= part_kw;
        }
        audit_breach(audit, give_kw, t, "offer blocks");
        audit->verdict->cost += walras_mwh(cost, audit->horizon->step_h);
    }
}

/* The largest distance from the profile started at `start`, and where. */
static double distance_kw(const struct audit_case *audit, const struct agent_shiftable *shiftable,
                          uint32_t start, size_t *step)
{
    double largest_kw = 0.0;

    *step = start;
    for (size_t t = 0; t < audit->horizon->n_step; t++) {
        bool runs = t >= start && t - start < shiftable->n_profile;
        double off_kw = fabs(audit->draw_kw[t] - (runs ? shiftable->profile_kw[t - start] : 0.0));

        if (off_kw > largest_kw) {
            largest_kw = off_kw;
            *step = t;
        }
    }
    return largest_kw;
}

static void audit_shiftable(const struct audit_case *audit, const struct agent_shiftable *shiftable)
{
    double nearest_kw = INFINITY;
    size_t where = 0;

    for (uint32_t start = shiftable->earliest; start <= shiftable->latest; start++) {
        size_t step;
        double off_kw = distance_kw(audit, shiftable, start, &step);

        if (off_kw < nearest_kw) {
            nearest_kw = off_kw;
            where = step;
            audit->verdict->end.start = start;
        }
    }
    audit_breach(audit, nearest_kw, where, "profile");
}

static enum walras_status audit_by_type(const struct audit_case *audit,
                                        const struct agent_device *device, struct walras_err *err)
{
    switch (device->type) {
    case AGENT_LOAD:
        audit_load(audit, &device->load);
        return WALRAS_OK;
    case AGENT_PV:
        audit_pv(audit, &device->pv);
        return WALRAS_OK;
    case AGENT_BID:
        audit_bid(audit, &device->bid);
        return WALRAS_OK;
    case AGENT_SHIFTABLE:
        audit_shiftable(audit, &device->shiftable);
        return WALRAS_OK;
    case AGENT_THERMAL:
        audit_thermal(audit, &device->thermal);
        return WALRAS_OK;
    case AGENT_BATTERY:
        return audit_battery(audit, &device->battery, err);
    case AGENT_EV:
        return audit_ev(audit, &device->ev, err);
    case AGENT_GENERATOR:
        return audit_generator(audit, &device->generator, err);
    case AGENT_LP:
        return audit_lp(audit, &device->lp, err);
    }
    return walras_fail(err, WALRAS_INVALID, "device type %d is unknown", (int)device->type);
}

enum walras_status agent_audit(const struct agent_device *device,
                               const struct agent_horizon *horizon, const double *draw_kw,
                               struct agent_verdict *verdict, struct walras_err *err)
{
    struct agent_verdict found = {0};
    const struct audit_case audit = {horizon, draw_kw, &found};

    for (size_t t = 0; t < horizon->n_step; t++) {
        if (!isfinite(draw_kw[t]))
            return walras_fail(err, WALRAS_INVALID,
                               "step %zu: draw must be a finite number, got %g", t, draw_kw[t]);
    }

    enum walras_status status = audit_by_type(&audit, device, err);

    if (status == WALRAS_OK)
        *verdict = found;
    return status;
}
