#include "scenario/simulate_internal.h"

#include <stdlib.h>
#include <string.h>

void simulation_warm_release(struct simulation_warm *warm)
{
    free(warm->energy_price_per_mwh);
    free(warm->shadows);
    free(warm->point_price_per_mwh);
    *warm = (struct simulation_warm){0};
}

struct market_warm simulation_warm_start(const struct simulation_warm *warm)
{
    return (struct market_warm){.energy_price_per_mwh = warm->energy_price_per_mwh,
                                .shadows = warm->shadows,
                                .n_shadow = warm->n_shadow,
                                .point_price_per_mwh = warm->point_price_per_mwh,
                                .n_point = warm->n_point};
}

/*
 * Which step of the last window tells of step t of the next one, n steps later: the same one, or
 * behind its end the same hour of the last day that it holds, or else its last step.
 */
static size_t source_of(const struct scenario_run *run, size_t n, size_t t)
{
    size_t n_step = run->scenario->horizon.n_step, at = t + n;

    while (at >= n_step && at >= run->steps.day)
        at -= run->steps.day;
    return at < n_step ? at : n_step - 1;
}

/* Prices [n_step] moved by n steps. */
static void move(const struct scenario_run *run, size_t n, const double *from, double *to)
{
    for (size_t t = 0; t < run->scenario->horizon.n_step; t++)
        to[t] = from[source_of(run, n, t)];
}

static void move_shadows(struct simulation_warm *warm, const struct scenario_run *run,
                         const struct market_result *market, size_t n)
{
    for (size_t t = 0; t < run->scenario->horizon.n_step; t++) {
        size_t source = source_of(run, n, t);

        for (size_t i = 0; i < market->n_binding; i++)
            if (market->binding[i].step == source)
                warm->shadows[warm->n_shadow++] = (struct market_shadow){
                    market->binding[i].row, (uint32_t)t, market->binding[i].direction,
                    market->binding[i].shadow_price_per_mwh};
    }
}

enum walras_status simulation_warm_take(struct simulation_warm *warm,
                                        const struct scenario_run *run,
                                        const struct market_result *market, size_t n,
                                        struct walras_err *err)
{
    /* nodes behind the buses (scenario/nodes.h) are this window's own */
    bool of_buses = market->n_bus == run->scenario->network.n_bus;
    struct simulation_warm made = {.n_point = of_buses ? market->n_recall : 0};
    size_t n_step = market->n_step, n_row = made.n_point * market->n_bus;

    made.energy_price_per_mwh = malloc(n_step * sizeof(double));
    made.shadows = malloc((market->n_binding * n_step + 1) * sizeof(*made.shadows));
    made.point_price_per_mwh = malloc((n_row * n_step + 1) * sizeof(double));
    if (!made.energy_price_per_mwh || !made.shadows || !made.point_price_per_mwh) {
        simulation_warm_release(&made);
        return walras_fail(err, WALRAS_NOMEM, "cannot keep %zu prices for the next window",
                           n_row * n_step);
    }
    move(run, n, market->energy_price_per_mwh, made.energy_price_per_mwh);
    move_shadows(&made, run, market, n);
    for (size_t r = 0; r < n_row; r++)
        move(run, n, market->recall_price_per_mwh + r * n_step,
             made.point_price_per_mwh + r * n_step);
    simulation_warm_release(warm);
    *warm = made;
    return WALRAS_OK;
}
