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
                warm->shadows[warm->n_shadow++] =
                    (struct market_shadow){market->binding[i].row, (uint32_t)t,
                                           market->binding[i].direction,
                                           market->binding[i].shadow_price_per_mwh};
    }
}

/* What matters at a bus comes first; what matters elsewhere decides among the rest. */
#define ELSEWHERE 1e-3

/* score [n_bus x n_point]: how much of the awards at a bus is made of the answers to a point. */
static void score_points(const struct market_result *market, double *score)
{
    size_t n_point = market->n_point;

    for (size_t g = 0; g < market->n_group; g++)
        for (size_t j = 0; j < n_point; j++) {
            double weight = market->weight[g * n_point + j];

            for (size_t b = 0; b < market->n_bus && weight > 0.0; b++)
                score[b * n_point + j] +=
                    (b == market->group_bus[g] ? 1.0 : ELSEWHERE / (double)market->n_group) *
                    weight;
        }
}

/* The point with the highest score, which is then spent. */
static size_t best_point(double *score, size_t n_point)
{
    size_t best = 0;

    for (size_t j = 1; j < n_point; j++)
        if (score[j] > score[best])
            best = j;
    score[best] = -1.0;
    return best;
}

/*
 * Each bus is asked again at the prices that its own awards are mostly made of: the k-th point to
 * ask holds the k-th of every bus, moved by n steps. So a few points serve all buses, where the
 * whole plan is made of many.
 */
static void compose_points(struct simulation_warm *warm, const struct scenario_run *run,
                           const struct market_result *market, size_t n, double *score)
{
    size_t n_step = market->n_step, n_cell = market->n_bus * n_step;

    score_points(market, score);
    for (size_t k = 0; k < warm->n_point; k++)
        for (size_t b = 0; b < market->n_bus; b++) {
            size_t j = best_point(score + b * market->n_point, market->n_point);

            move(run, n, market->point_price_per_mwh + j * n_cell + b * n_step,
                 warm->point_price_per_mwh + k * n_cell + b * n_step);
        }
}

enum walras_status simulation_warm_take(struct simulation_warm *warm,
                                        const struct scenario_run *run,
                                        const struct market_result *market, size_t n,
                                        size_t most_points, struct walras_err *err)
{
    struct simulation_warm made = {.reach_per_mwh = market->reach_per_mwh};
    size_t n_step = market->n_step, n_cell = market->n_bus * n_step;
    double *score = calloc(market->n_bus * market->n_point + 1, sizeof(*score));
    enum walras_status status = WALRAS_OK;

    made.energy_price_per_mwh = malloc(n_step * sizeof(double));
    made.shadows = malloc((market->n_binding * n_step + 1) * sizeof(*made.shadows));
    made.n_point = most_points - 1 < market->n_point ? most_points - 1 : market->n_point;
    made.point_price_per_mwh = malloc((made.n_point * n_cell + 1) * sizeof(double));
    if (!score || !made.energy_price_per_mwh || !made.shadows || !made.point_price_per_mwh) {
        simulation_warm_release(&made);
        status = walras_fail(err, WALRAS_NOMEM, "cannot keep %zu prices for the next window",
                             made.n_point * n_cell);
    } else {
        move(run, n, market->energy_price_per_mwh, made.energy_price_per_mwh);
        move_shadows(&made, run, market, n);
        compose_points(&made, run, market, n, score);
        simulation_warm_release(warm);
        *warm = made;
    }
    free(score);
    return status;
}
