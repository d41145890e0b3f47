#include "market/trial.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LESSONS = 3 }; /* a trial: see struct market_rows */

enum walras_status market_trial_init(struct market_trial *trial,
                                     const struct market_problem *problem, struct walras_err *err)
{
    size_t n_step = problem->n_step, n_cell = problem->n_bus * n_step;

    *trial = (struct market_trial){0};
    trial->energy_guess = calloc(3 * n_step, sizeof(double));
    trial->price = calloc(2 * n_cell, sizeof(double));
    trial->order_kw = calloc(problem->n_order + 1, sizeof(double));
    if (!trial->energy_guess || !trial->price || !trial->order_kw)
        return walras_fail(err, WALRAS_NOMEM, "%zu buses x %zu steps do not fit in memory",
                           problem->n_bus, n_step);
    trial->shortage_kw = trial->energy_guess + n_step;
    trial->surplus_kw = trial->shortage_kw + n_step;
    trial->injection_kw = trial->price + n_cell;
    return WALRAS_OK;
}

void market_trial_release(struct market_trial *trial)
{
    free(trial->u);
    free(trial->energy_guess);
    free(trial->price);
    free(trial->order_kw);
    free(trial->weight);
    free(trial->group_draw_kw);
    *trial = (struct market_trial){0};
}

static enum walras_status reserve(struct market_trial *trial, const struct market_rows *rows,
                                  size_t n_cut, struct walras_err *err)
{
    size_t n_step = rows->problem->n_step;

    if (rows->n > trial->row_capacity || !trial->u) {
        trial->row_capacity = 2 * rows->n + 16;
        free(trial->u);
        trial->u = calloc(n_step + 2 * trial->row_capacity, sizeof(double));
    }
    if (n_cut > trial->cut_capacity || !trial->weight) {
        trial->cut_capacity = 2 * n_cut + 16;
        free(trial->weight);
        trial->weight = calloc(trial->cut_capacity, sizeof(double));
    }
    if (!trial->u || !trial->weight)
        return walras_fail(err, WALRAS_NOMEM, "%zu cuts and %zu rows do not fit in memory", n_cut,
                           rows->n);
    trial->breach_kw = trial->u + n_step + trial->row_capacity;
    return WALRAS_OK;
}

/* For what groups inside draw. */
static enum walras_status reserve_inside(struct market_trial *trial,
                                         const struct market_problem *problem,
                                         struct walras_err *err)
{
    size_t n = problem->n_group;

    if (trial->group_draw_kw)
        return WALRAS_OK;
    trial->group_draw_kw = calloc(n * (problem->n_step + 1) + 1, sizeof(double));
    if (!trial->group_draw_kw)
        return walras_fail(err, WALRAS_NOMEM, "the draws of %zu groups do not fit in memory", n);
    trial->group_cost = trial->group_draw_kw + n * problem->n_step;
    return WALRAS_OK;
}

static void learn(struct market_trial *trial, struct market_rows *rows)
{
    size_t n_step = rows->problem->n_step;
    double largest = 0.0;

    memcpy(trial->energy_guess, trial->u, n_step * sizeof(double));
    for (size_t i = 0; i < n_step + rows->n; i++)
        largest = fmax(largest, fabs(trial->u[i]));
    for (size_t a = 0; a < rows->n; a++) {
        rows->rows[a].shadow_price_per_mwh = trial->u[n_step + a];
        rows->rows[a].idle = trial->u[n_step + a] > 1e-7 * largest ? 0 : rows->rows[a].idle + 1;
    }
}

/* A budget of passes is not spent on a few rows more: they wait for the next trial. */
static bool worth_a_pass(const struct market_rows *rows, size_t added, unsigned done, unsigned most)
{
    if (done == 0 || most == UINT_MAX)
        return added > 0;
    return done < most && added > rows->n / 20;
}

/* Rows that wait for the next trial have no shadow price in this one. */
static enum walras_status make_room_for_waiting(struct market_trial *trial,
                                                const struct market_rows *rows, size_t n_cut,
                                                struct walras_err *err)
{
    size_t n_step = rows->problem->n_step;
    enum walras_status status = reserve(trial, rows, n_cut, err);

    if (status != WALRAS_OK)
        return status;
    memcpy(trial->u, trial->energy_guess, n_step * sizeof(double));
    for (size_t a = 0; a < rows->n; a++)
        trial->u[n_step + a] = rows->rows[a].shadow_price_per_mwh;
    memset(trial->breach_kw, 0, rows->n * sizeof(double));
    return WALRAS_OK;
}

enum walras_status market_trial_solve(struct market_trial *trial,
                                      const struct market_master_solver *solver,
                                      struct market_rows *rows,
                                      const struct market_master_problem *ask,
                                      const struct market_master_settings *settings,
                                      double tolerance, unsigned passes, struct walras_err *err)
{
    struct market_master_problem now = *ask;
    enum walras_status status = WALRAS_OK;
    size_t n_step = rows->problem->n_step, added = 1;

    now.rows = rows;
    rows->lessons = LESSONS;
    if (ask->parts)
        status = reserve_inside(trial, rows->problem, err);
    if (status != WALRAS_OK)
        return status;

    /* ends: each pass adds a row */
    for (trial->masters = 0; worth_a_pass(rows, added, trial->masters, passes); trial->masters++) {
        status = reserve(trial, rows, ask->cuts->n_total, err);
        if (status != WALRAS_OK)
            return status;
        struct market_master_solution solution = {
            trial->u,          trial->order_kw,  trial->weight,       trial->shortage_kw,
            trial->surplus_kw, trial->breach_kw, trial->injection_kw, trial->group_draw_kw,
            trial->group_cost};

        memcpy(trial->u, trial->energy_guess, n_step * sizeof(double));
        for (size_t a = 0; a < rows->n; a++)
            trial->u[n_step + a] = rows->rows[a].shadow_price_per_mwh;
        status = solver->solve(solver->master, &now, settings, &solution, &trial->info, err);
        if (status != WALRAS_OK)
            return status;
        learn(trial, rows);
        if (trial->info.stopped)
            break;
        if (!ask->parts)
            rows->nearly = trial->info.nested ? 0.05 : 0.0;
        market_rows_price(rows, trial->u, trial->price);
        status = market_rows_separate(rows, trial->injection_kw, tolerance, &added, err);
        if (status != WALRAS_OK)
            return status;
    }
    return added > 0 ? make_room_for_waiting(trial, rows, ask->cuts->n_total, err) : WALRAS_OK;
}

enum walras_status market_trial_open(struct market_trial *trial,
                                     const struct market_master_solver *solver,
                                     struct market_rows *rows, const struct market_cuts *cuts,
                                     unsigned passes, struct walras_err *err)
{
    size_t n_group = rows->problem->n_group;
    bool *skip = malloc(n_group + 1);
    struct market_master_settings settings = {
        .penalty_per_mwh = 2.0 * market_level_of(rows->problem).price_per_mwh,
        .tolerance = 1e-3,
        .max_iterations = 100};
    struct market_master_problem ask = {.cuts = cuts, .tau = INFINITY, .skip_group = skip};
    enum walras_status status = WALRAS_OK;

    if (!skip)
        return walras_fail(err, WALRAS_NOMEM, "cannot skip %zu groups", n_group);
    memset(skip, 1, n_group);
    status = market_trial_solve(trial, solver, rows, &ask, &settings, 1e-3, passes, err);
    free(skip);
    return status;
}
