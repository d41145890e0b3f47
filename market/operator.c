#include "market/operator.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum walras_status market_operator_init(struct market_operator *op,
                                        const struct market_problem *problem,
                                        const struct market_master_solver *solver,
                                        struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    *op = (struct market_operator){.problem = problem, .solver = solver};
    op->skip = malloc(problem->n_group + 1);
    op->swing_kw = calloc(problem->n_bus, sizeof(*op->swing_kw));
    if (!op->skip || !op->swing_kw)
        return walras_fail(err, WALRAS_NOMEM, "cannot list %zu groups", problem->n_group);
    memset(op->skip, 1, problem->n_group + 1);
    for (size_t g = 0; g < problem->n_group; g++)
        op->swing_kw[problem->groups[g].bus] += problem->groups[g].swing_kw;
    status = market_rows_init(&op->rows, problem, err);
    if (status == WALRAS_OK)
        status = market_cuts_init(&op->none, problem->n_group, problem->n_step, err);
    if (status == WALRAS_OK)
        status = market_trial_init(&op->trial, problem, err);
    return status;
}

void market_operator_release(struct market_operator *op)
{
    market_rows_release(&op->rows);
    market_cuts_release(&op->none);
    market_trial_release(&op->trial);
    free(op->skip);
    free(op->swing_kw);
}

static enum walras_status solve(struct market_operator *op, const double *centre, double tau,
                                const double *draw_kw,
                                const struct market_master_settings *settings, double tolerance,
                                struct walras_err *err)
{
    struct market_master_problem ask = {.cuts = &op->none,
                                        .centre = centre,
                                        .tau = tau,
                                        .skip_group = op->skip,
                                        .extra_draw_kw = draw_kw};

    return market_trial_solve(&op->trial, op->solver, &op->rows, &ask, settings, tolerance,
                              UINT_MAX, err);
}

enum walras_status market_operator_start(struct market_operator *op,
                                         const struct market_level *level, struct walras_err *err)
{
    struct market_master_settings settings = {
        .penalty_per_mwh = 2.0 * level->price_per_mwh, .tolerance = 1e-3, .max_iterations = 100};

    return solve(op, NULL, INFINITY, NULL, &settings, 1e-3, err);
}

enum walras_status market_operator_step(struct market_operator *op, const double *centre,
                                        double tau, const double *draw_kw,
                                        const struct market_master_settings *settings,
                                        struct walras_err *err)
{
    return solve(op, centre, tau, draw_kw, settings, 1e-5, err);
}

double market_operator_distance(const struct market_operator *op, const double *a, const double *b)
{
    size_t n_step = op->problem->n_step;
    double sum = 0.0;

    for (size_t i = 0; i < op->problem->n_bus * n_step; i++)
        sum += op->swing_kw[i / n_step] * (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}
