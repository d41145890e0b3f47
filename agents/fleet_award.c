/*
 * What the market decided, told to the devices: each one's draw, from its orders, from its own
 * answers mixed by the weights of its group, or as it settled. Nothing is kept, so any range of
 * devices can be told at any time.
 */
#include "agents/fleet_internal.h"

#include <string.h>

/* The group of a member: groups lie one behind the other. */
static size_t group_of(const struct agent_fleet *fleet, size_t member)
{
    size_t low = 0, high = fleet->n_group - 1;

    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;

        if (fleet->inner[middle].first <= member)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* A convex member's award: its answers to the points, mixed by the weights of its group. */
static enum walras_status award_mixed(struct agent_fleet *fleet, size_t member, unsigned worker,
                                      const struct agent_awards *awards, double *draw_kw,
                                      struct walras_err *err)
{
    size_t n_step = fleet->horizon.n_step, bus = fleet->bus[fleet->member[member]];
    const double *weight = awards->weight + group_of(fleet, member) * awards->n_point;
    double *one_kw = fleet->scratch + worker * n_step;

    memset(draw_kw, 0, n_step * sizeof(*draw_kw));
    for (size_t j = 0; j < awards->n_point; j++) {
        const double *price = awards->point_price_per_mwh + (j * fleet->n_bus + bus) * n_step;
        struct market_answer answer = {0};

        if (weight[j] <= 0.0)
            continue;
        enum walras_status status = fleet_ask(fleet, member, worker, price, one_kw, &answer, err);

        if (status != WALRAS_OK)
            return status;
        for (size_t t = 0; t < n_step; t++)
            draw_kw[t] += weight[j] * one_kw[t];
    }
    return WALRAS_OK;
}

enum walras_status agent_fleet_award(struct agent_fleet *fleet, const struct agent_awards *awards,
                                     unsigned worker, size_t first, size_t n, double *draw_kw,
                                     struct walras_err *err)
{
    size_t n_step = fleet->horizon.n_step;
    enum walras_status status = WALRAS_OK;

    for (size_t i = first; i < first + n && status == WALRAS_OK; i++, draw_kw += n_step) {
        size_t member = fleet->place[i];

        if (member == FLEET_TOLD)
            status = agent_book_award(fleet->book, i, &fleet->devices[i], fleet->bus[i],
                                      awards->order_kw, draw_kw, err);
        else if (fleet->is_settled[member])
            memcpy(draw_kw, fleet->settled_kw + member * n_step, n_step * sizeof(*draw_kw));
        else
            status = award_mixed(fleet, member, worker, awards, draw_kw, err);
    }
    return status;
}
