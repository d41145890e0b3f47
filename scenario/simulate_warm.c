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
                                .n_point = warm->n_point,
                                .reach_per_mwh = warm->reach_per_mwh};
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

/* Prices [n_row x n_step] moved by n steps. */
static void move(const struct scenario_run *run, size_t n, const double *from, size_t n_row,
                 double *to)
{
    size_t n_step = run->scenario->horizon.n_step;

    for (size_t t = 0; t < n_step; t++) {
        size_t source = source_of(run, n, t);

        for (size_t r = 0; r < n_row; r++)
            to[r * n_step + t] = from[r * n_step + source];
    }
}

static void move_shadows(struct simulation_warm *warm, const struct scenario_run *run,
                         const struct market_result *market, size_t n)
{
    for (size_t t = 0; t < run->scenario->horizon.n_step; t++) {
        size_t source = source_of(run, n, t);

        for (size_t i = 0; i < market->n_binding; i++)
            if (market->binding[i].step == source)
                warm->shadows[warm->n_shadow++] =
                    (struct market_shadow){market->binding[i].row, (uint32_t)t,
                                           market->binding[i].direction,
                                           market->binding[i].shadow_price_per_mwh};
    }
}

/* How much of all awards is made of the answers to a point. */
static double importance(const struct market_result *market, size_t point)
{
    double sum = 0.0;

    for (size_t g = 0; g < market->n_group; g++)
        sum += market->weight[g * market->n_point + point];
    return sum;
}

/* The points that most of the plan is made of, at most so many; in the order they were asked. */
static size_t choose_points(const struct market_result *market, size_t most, size_t *chosen)
{
    size_t n = 0;

    for (size_t j = 0; j < market->n_point; j++) {
        size_t better = 0;

        for (size_t i = 0; i < market->n_point; i++)
            better += importance(market, i) > importance(market, j) ||
                      (importance(market, i) >= importance(market, j) && i < j);
        if (better < most)
            chosen[n++] = j;
    }
    return n;
}

enum walras_status simulation_warm_take(struct simulation_warm *warm,
                                        const struct scenario_run *run,
                                        const struct market_result *market, size_t n,
                                        size_t most_points, struct walras_err *err)
{
    struct simulation_warm made = {.reach_per_mwh = market->reach_per_mwh};
    size_t n_step = market->n_step, n_cell = market->n_bus * n_step;
    size_t *chosen = calloc(market->n_point + 1, sizeof(*chosen));
    enum walras_status status = WALRAS_OK;

    made.energy_price_per_mwh = malloc(n_step * sizeof(double));
    made.shadows = malloc((market->n_binding * n_step + 1) * sizeof(*made.shadows));
    if (chosen && most_points > 1)
        made.n_point = choose_points(market, most_points - 1, chosen);
    made.point_price_per_mwh = malloc((made.n_point * n_cell + 1) * sizeof(double));
    if (!chosen || !made.energy_price_per_mwh || !made.shadows || !made.point_price_per_mwh) {
        simulation_warm_release(&made);
        status = walras_fail(err, WALRAS_NOMEM, "cannot keep %zu prices for the next window",
                             made.n_point * n_cell);
    } else {
        move(run, n, market->energy_price_per_mwh, 1, made.energy_price_per_mwh);
        move_shadows(&made, run, market, n);
        for (size_t k = 0; k < made.n_point; k++)
            move(run, n, market->point_price_per_mwh + chosen[k] * n_cell, market->n_bus,
                 made.point_price_per_mwh + k * n_cell);
        simulation_warm_release(warm);
        *warm = made;
    }
    free(chosen);
    return status;
}
