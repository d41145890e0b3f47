#include "scenario/binding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double scenario_largest_price(const struct market_result *market)
{
    double largest = 0.0;

    for (size_t i = 0; market->price_per_mwh && i < market->n_bus * market->n_step; i++)
        largest = fmax(largest, fabs(market->price_per_mwh[i]));
    return largest;
}

static int by_place(const void *left, const void *right)
{
    const struct market_binding *a = left, *b = right;

    if (a->row != b->row)
        return (a->row > b->row) - (a->row < b->row);
    if (a->step != b->step)
        return (a->step > b->step) - (a->step < b->step);
    return (b->direction > a->direction) - (b->direction < a->direction);
}

static double towards_high(const struct market_binding *binding)
{
    return binding->direction * binding->shadow_price_per_mwh;
}

enum walras_status scenario_net_binding(const struct market_result *market,
                                        const struct grid_limits *limits,
                                        struct market_binding **binding, size_t *n,
                                        struct walras_err *err)
{
    struct market_binding *all = calloc(market->n_binding + 1, sizeof(*all));
    double least = 1e-6 * scenario_largest_price(market);
    size_t n_kept = 0;

    if (!all)
        return walras_fail(err, WALRAS_NOMEM, "%zu binding limits do not fit in memory",
                           market->n_binding);
    if (market->n_binding > 0)
        memcpy(all, market->binding, market->n_binding * sizeof(*all));
    qsort(all, market->n_binding, sizeof(*all), by_place);
    for (size_t i = 0, next; i < market->n_binding; i = next) {
        double net = 0.0;

        for (next = i; next < market->n_binding && all[next].row == all[i].row &&
                       all[next].step == all[i].step;
             next++)
            net += towards_high(&all[next]);
        if (net == 0.0 || fabs(net) < least ||
            grid_limit_is_loss(grid_limits_at(limits, all[i].row)))
            continue;
        all[n_kept] = all[i];
        all[n_kept].direction = net > 0.0 ? 1 : -1;
        all[n_kept++].shadow_price_per_mwh = fabs(net);
    }
    *binding = all;
    *n = n_kept;
    return WALRAS_OK;
}
