/* Devices whose best response is a comparison a step, or one of a few starts. */
#include "agents/solve_internal.h"
#include "core/units.h"

#include <math.h>
#include <string.h>

void agent_solve_load(const struct agent_load *load, const struct agent_horizon *horizon,
                      const double *price_per_mwh, double *draw_kw, double *cost)
{
    double shed_kw = 0.0;

    for (size_t t = 0; t < horizon->n_step; t++) {
        draw_kw[t] = walras_series_at(load->draw_kw, t);
        if (price_per_mwh[t] > load->shed_price_per_mwh && draw_kw[t] > 0.0) { /* false when firm */
            shed_kw += draw_kw[t];
            draw_kw[t] = 0.0;
        }
    }
    *cost = shed_kw > 0.0 ? walras_mwh(shed_kw, horizon->step_h) * load->shed_price_per_mwh : 0.0;
}

void agent_solve_pv(const struct agent_pv *pv, const struct agent_horizon *horizon,
                    const double *price_per_mwh, double *draw_kw, double *cost)
{
    double given_kw = 0.0;

    for (size_t t = 0; t < horizon->n_step; t++) {
        bool on = !pv->curtailable || price_per_mwh[t] > pv->cost_per_mwh;
        double injection_kw = on ? walras_series_at(pv->available_kw, t) : 0.0;

        draw_kw[t] = 0.0 - injection_kw;
        given_kw += injection_kw;
    }
    *cost = walras_mwh(given_kw, horizon->step_h) * pv->cost_per_mwh;
}

void agent_solve_bid(const struct agent_bid *bid, const struct agent_horizon *horizon,
                     const double *price_per_mwh, double *draw_kw, double *cost)
{
    double worth = 0.0; /* Σ price · kW of offers given less value · kW of demand served */

    for (size_t t = 0; t < horizon->n_step; t++) {
        struct bid_blocks demand = bid_blocks_at(bid->demand, bid->demand_first, bid->one_list, t);
        struct bid_blocks offer = bid_blocks_at(bid->offer, bid->offer_first, bid->one_list, t);

        draw_kw[t] = 0.0;
        for (size_t i = 0; i < demand.n && demand.block[i].price_per_mwh > price_per_mwh[t]; i++) {
            draw_kw[t] += demand.block[i].width_kw;
            worth -= demand.block[i].width_kw * demand.block[i].price_per_mwh;
        }
        for (size_t i = 0; i < offer.n && offer.block[i].price_per_mwh < price_per_mwh[t]; i++) {
            draw_kw[t] -= offer.block[i].width_kw;
            worth += offer.block[i].width_kw * offer.block[i].price_per_mwh;
        }
    }
    *cost = walras_mwh(worth, horizon->step_h);
}

void agent_solve_shiftable(const struct agent_shiftable *shiftable,
                           const struct agent_horizon *horizon, const double *price_per_mwh,
                           double *draw_kw, double *cost)
{
    uint32_t best = shiftable->earliest;
    double best_paid = INFINITY;

    for (uint32_t start = shiftable->earliest; start <= shiftable->latest; start++) {
        double paid = 0.0;

        for (uint32_t k = 0; k < shiftable->n_profile; k++)
            paid += shiftable->profile_kw[k] * price_per_mwh[start + k];
        if (paid < best_paid) { /* the earlier of equal starts */
            best_paid = paid;
            best = start;
        }
    }
    memset(draw_kw, 0, horizon->n_step * sizeof(*draw_kw));
    memcpy(draw_kw + best, shiftable->profile_kw, shiftable->n_profile * sizeof(*draw_kw));
    *cost = 0.0;
}
