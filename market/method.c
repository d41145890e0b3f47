#include "market/method_internal.h"
#include "market/rows.h"

#include <string.h>

/* Measured: from so many devices for each limit² and step on, the bundle is faster. */
#define DEVICES_PER_LIMIT 0.017

/* Devices x steps whose state may be kept: some 250 bytes each. */
#define MOST_INSIDE 2e6

static const struct market_method_ops *const methods[] = {
    &market_bundle_ops, &market_interior_ops,    &market_newton_ops,
    &market_admm_ops,   &market_accelerated_ops, &market_adam_ops,
    &market_polyak_ops, &market_subgradient_ops, NULL};

const struct market_method_ops *const *market_methods(void)
{
    return methods;
}

static double count_devices(const struct market_problem *problem)
{
    size_t n = 0;

    for (size_t g = 0; g < problem->n_group; g++)
        n += problem->groups[g].n_device;
    return (double)n;
}

const struct market_method_ops *market_method_choose(const struct market_problem *problem,
                                                     const struct market_method_settings *settings)
{
    double n_step = (double)problem->n_step, n_device = count_devices(problem);
    double n_limit = (double)market_rows_alike_limits(problem);
    bool plain = settings->runner && settings->n_point == 1 &&
                 strcmp(settings->master, "qp") == 0 && !settings->warm.energy_price_per_mwh;

    return plain && n_device > 0.0 && market_interior_ops.takes(problem) &&
                   n_device < DEVICES_PER_LIMIT * n_limit * n_limit * n_step &&
                   n_device * n_step <= MOST_INSIDE
               ? &market_interior_ops
               : &market_bundle_ops;
}

const struct market_method_ops *market_method_find(const char *name)
{
    for (size_t i = 0; methods[i]; i++)
        if (strcmp(methods[i]->name, name) == 0)
            return methods[i];
    return NULL;
}
