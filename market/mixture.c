#include "market/mixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum walras_status market_mixture_init(struct market_mixture *mixture,
                                       const struct market_problem *problem, struct walras_err *err)
{
    size_t n = problem->n_group;

    *mixture = (struct market_mixture){.problem = problem};
    mixture->group_draw = calloc(n * (problem->n_step + 1) + 1, sizeof(*mixture->group_draw));
    if (!mixture->group_draw)
        return walras_fail(err, WALRAS_NOMEM, "the plan of %zu groups does not fit in memory", n);
    mixture->group_cost = mixture->group_draw + n * problem->n_step;
    return WALRAS_OK;
}

void market_mixture_release(struct market_mixture *mixture)
{
    free(mixture->point_price);
    free(mixture->weight);
    free(mixture->group_draw);
    free(mixture->breach);
    *mixture = (struct market_mixture){0};
}

enum walras_status market_mixture_add_point(struct market_mixture *mixture, const double *price,
                                            struct walras_err *err)
{
    size_t n_cell = mixture->problem->n_bus * mixture->problem->n_step;

    if (mixture->n_point == mixture->point_capacity) {
        size_t capacity = mixture->point_capacity ? 2 * mixture->point_capacity : 32;
        double *grown = realloc(mixture->point_price, capacity * n_cell * sizeof(*grown));

        if (!grown)
            return walras_fail(err, WALRAS_NOMEM, "cannot keep %zu price points", capacity);
        mixture->point_price = grown;
        mixture->point_capacity = capacity;
    }
    memcpy(mixture->point_price + mixture->n_point * n_cell, price, n_cell * sizeof(*price));
    mixture->n_point++;
    return WALRAS_OK;
}

/* Group g's answers mixed by weights that start at `weight` for this group. */
static void mix_group(struct market_mixture *mixture, const struct market_group_cuts *cuts,
                      size_t g, const double *weight)
{
    size_t n_step = mixture->problem->n_step;
    double *draw = mixture->group_draw + g * n_step, sum = 0.0;

    for (size_t j = 0; j < cuts->n; j++)
        sum += weight[j];
    for (size_t j = 0; j < cuts->n; j++) {
        double share = weight[j] / sum;

        mixture->weight[g * mixture->n_point + cuts->cuts[j].point] += share;
        mixture->group_cost[g] += share * cuts->cuts[j].cost * mixture->problem->step_h / 1000.0;
        for (size_t t = 0; t < n_step; t++)
            draw[t] += share * cuts->draw_kw[j * n_step + t];
    }
}

/* By how much injections break a limit; the master's own breach may be larger where it is free. */
static double over_limit(const struct market_row *row, const double *injection_kw, size_t n_step)
{
    double over_kw = -row->room_kw;

    for (size_t i = 0; i < row->coef.n; i++)
        over_kw += row->direction * row->coef.coef[i] *
                   injection_kw[row->coef.bus[i] * n_step + row->step];
    return over_kw;
}

static enum walras_status list_breaches(struct market_mixture *mixture,
                                        const struct market_rows *rows,
                                        const struct market_trial *trial, struct walras_err *err)
{
    struct market_shadow *grown = realloc(mixture->breach, (rows->n + 1) * sizeof(*grown));

    if (!grown)
        return walras_fail(err, WALRAS_NOMEM, "cannot list %zu breaches", rows->n);
    mixture->breach = grown;
    mixture->n_breach = 0;
    for (size_t a = 0; a < rows->n; a++) {
        const struct market_row *row = &rows->rows[a];

        double over_kw = over_limit(row, trial->injection_kw, rows->problem->n_step);

        if (over_kw > 1e-7 * fmax(1.0, fabs(row->room_kw)))
            mixture->breach[mixture->n_breach++] =
                (struct market_shadow){row->limit, row->step, row->direction, over_kw};
    }
    return WALRAS_OK;
}

enum walras_status market_mixture_fill(struct market_mixture *mixture,
                                       const struct market_cuts *cuts,
                                       const struct market_rows *rows,
                                       const struct market_trial *trial, const bool *fixed,
                                       struct walras_err *err)
{
    size_t at = 0, n_group = cuts->n_group, size = n_group * mixture->n_point;
    double *grown = realloc(mixture->weight, (size + 1) * sizeof(*grown));

    if (!grown)
        return walras_fail(err, WALRAS_NOMEM, "cannot hand out weights of %zu groups", n_group);
    mixture->weight = grown;
    memset(mixture->weight, 0, size * sizeof(*mixture->weight));
    memset(mixture->group_draw, 0,
           n_group * (mixture->problem->n_step + 1) * sizeof(*mixture->group_draw));
    for (size_t g = 0; g < n_group; g++) {
        if (fixed && fixed[g])
            continue;
        mix_group(mixture, &cuts->groups[g], g, trial->weight + at);
        at += cuts->groups[g].n;
    }
    return list_breaches(mixture, rows, trial, err);
}

struct market_plan market_mixture_plan(const struct market_mixture *mixture,
                                       const struct market_trial *trial,
                                       const struct market_priced *announced, bool feasible)
{
    return (struct market_plan){.energy_price_per_mwh = announced->energy,
                                .price_per_mwh = announced->price,
                                .shadows = announced->shadows,
                                .n_shadow = announced->n_shadow,
                                .value = trial->info.primal * mixture->problem->step_h / 1000.0 +
                                         mixture->problem->firm_cost,
                                .marginal_price_per_mwh = trial->price,
                                .feasible = feasible,
                                .order_kw = trial->order_kw,
                                .weight = mixture->weight,
                                .group_draw_kw = mixture->group_draw,
                                .group_cost = mixture->group_cost,
                                .point_price_per_mwh = mixture->point_price,
                                .n_point = mixture->n_point,
                                .shortage_kw = trial->shortage_kw,
                                .surplus_kw = trial->surplus_kw,
                                .breaches = mixture->breach,
                                .n_breach = mixture->n_breach};
}

double market_mixture_unmet(const struct market_rows *rows, const struct market_trial *trial)
{
    double worst = 0.0;

    for (size_t t = 0; t < rows->problem->n_step; t++)
        worst = fmax(worst, fmax(trial->shortage_kw[t], trial->surplus_kw[t]));
    for (size_t a = 0; a < rows->n; a++)
        if (isinf(rows->rows[a].breach_price_per_mwh))
            worst = fmax(worst, trial->breach_kw[a]);
    return worst;
}
