#include "agents/model_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double patience_s = 60.0; /* for one search for integers */
enum { ROUNDS_MAX = 500 };             /* of refinement; the bound holds whenever it stops */

/* Room for the columns there are now: refinement adds some. */
static enum walras_status solve_room(struct agent_model *model, struct walras_err *err)
{
    size_t room = model->column_room;
    double *cost, *x;

    if (model->n_column <= model->solve_room)
        return WALRAS_OK;
    cost = realloc(model->cost, room * sizeof(*cost));
    model->cost = cost ? cost : model->cost;
    x = realloc(model->x, room * sizeof(*x));
    model->x = x ? x : model->x;
    if (!cost || !x)
        return walras_fail(err, WALRAS_NOMEM, "cannot solve for %zu columns", model->n_column);
    model->solve_room = room;
    return WALRAS_OK;
}

static enum walras_status set_costs(struct agent_model *model, const double *price_per_mwh,
                                    struct walras_err *err)
{
    double mwh_per_kw = walras_mwh(1.0, model->horizon.step_h);
    enum walras_status status = solve_room(model, err);

    if (status != WALRAS_OK)
        return status;
    for (size_t j = 0; j < model->n_column; j++)
        model->cost[j] = model->own_cost[j];
    for (size_t i = 0; i < model->n_term; i++)
        model->cost[model->terms[i].column] +=
            mwh_per_kw * price_per_mwh[model->terms[i].step] * model->terms[i].coef;
    for (size_t j = 0; j < model->n_column && status == WALRAS_OK; j++)
        status = lp_set_cost(model->lp, j, model->cost[j], err);
    return status;
}

/* Of a model whose states may leave their bounds: the first that must. */
static enum walras_status name_need(struct agent_model *elastic, struct walras_err *err)
{
    struct lp_info info;
    enum walras_status status = solve_room(elastic, err);

    for (size_t j = 0; j < elastic->n_column && status == WALRAS_OK; j++)
        status = lp_set_cost(elastic->lp, j, 0.0, err);
    for (size_t i = 0; i < elastic->n_need && status == WALRAS_OK; i++) {
        status = lp_set_cost(elastic->lp, elastic->needs[i].state + 1, 1.0, err);
        if (status == WALRAS_OK)
            status = lp_set_cost(elastic->lp, elastic->needs[i].state + 2, 1.0, err);
    }
    if (status == WALRAS_OK)
        status = lp_solve(elastic->lp, NULL, elastic->x, NULL, &info, err);
    if (status != WALRAS_OK)
        return status;
    for (size_t i = 0; info.outcome == LP_OPTIMAL && i < elastic->n_need; i++) {
        const struct model_need *need = &elastic->needs[i];
        double state = elastic->x[need->state], noise = 1e-9 * (1.0 + fabs(state));

        if (state < need->low - noise || state > need->high + noise)
            return walras_fail(err, WALRAS_INVALID, "step %zu: needs at %s %.6g %s, can reach %.6g",
                               need->step, state < need->low ? "least" : "most",
                               state < need->low ? need->low : need->high, need->unit, state);
    }
    return walras_fail(err, WALRAS_INVALID, "misses its limits by rounding");
}

/* "Infeasible" has been said; now what of it cannot be met. */
static enum walras_status explain_infeasible(const struct agent_model *model,
                                             struct walras_err *err)
{
    struct agent_model *elastic;
    enum walras_status status;

    if (model->device.type == AGENT_LP)
        return walras_fail(err, WALRAS_INVALID, "%s: no values satisfy all its rows and bounds",
                           model->device.lp.path);
    status = model_make(&model->device, &model->horizon, true, &elastic, err);
    if (status != WALRAS_OK)
        return status;
    status = name_need(elastic, err);
    agent_model_free(elastic);
    return status;
}

static enum walras_status judge(const struct agent_model *model, const struct lp_info *info,
                                struct walras_err *err)
{
    switch (info->outcome) {
    case LP_OPTIMAL:
        return WALRAS_OK;
    case LP_INFEASIBLE:
        return explain_infeasible(model, err);
    case LP_UNBOUNDED:
        return walras_fail(err, WALRAS_INVALID,
                           "%s%sits cost has no lower bound at these prices: bound its columns",
                           model->device.type == AGENT_LP ? model->device.lp.path : "",
                           model->device.type == AGENT_LP ? ": " : "");
    case LP_LIMIT:
        if (!isnan(info->objective))
            return WALRAS_OK; /* with the bound that is proven */
        break;
    }
    return walras_fail(err, WALRAS_INVALID, "no plan was found within %g s", patience_s);
}

/* Draw and cost of model->x; *size: of the terms of the cost with what is paid. */
static void value(const struct agent_model *model, const double *price_per_mwh, double *draw_kw,
                  double *cost, double *paid, double *size)
{
    const double *x = model->x;
    double step_h = model->horizon.step_h;

    memcpy(draw_kw, model->firm_kw, model->horizon.n_step * sizeof(*draw_kw));
    for (size_t i = 0; i < model->n_term; i++)
        draw_kw[model->terms[i].step] += model->terms[i].coef * x[model->terms[i].column];
    *cost = model->firm_cost + lp_constant(model->lp);
    *size = fabs(*cost);
    for (size_t j = 0; j < model->n_column; j++) {
        *cost += model->own_cost[j] * x[j];
        *size += fabs(model->own_cost[j] * x[j]);
    }
    *paid = 0.0;
    for (size_t t = 0; t < model->horizon.n_step; t++) {
        *paid += walras_mwh(draw_kw[t], step_h) * price_per_mwh[t];
        *size += fabs(walras_mwh(draw_kw[t], step_h) * price_per_mwh[t]);
    }
}

/*
 * An exclusive battery's rule comes first. Tangents are added for what is integer as it is; when
 * those suffice, all is asked again.
 */
static size_t refine(struct model_builder *build, int round, double size, double *excess)
{
    struct agent_model *model = build->model;
    bool was_held = model->held;
    size_t added = model->device.type == AGENT_BATTERY ? model_refine_battery(build) : 0;

    if (added > 0) {
        model_hold(build, false);
        return added;
    }
    added = model->device.type == AGENT_GENERATOR ? model_refine_generator(build, size, excess)
                                                  : model_refine_squares(build, size, excess);
    model_hold(build, added > 0 && round < ROUNDS_MAX);
    return was_held && !model->held ? 1 : added;
}

static enum walras_status solve_rounds(struct agent_model *model, const double *price_per_mwh,
                                       double *draw_kw, struct market_answer *answer,
                                       struct walras_err *err)
{
    struct model_builder build = {.model = model, .err = err};
    struct lp_settings settings = {.time_limit_s = patience_s};
    double cost = 0.0, paid = 0.0, size, excess = 0.0;
    struct lp_info info = {.bound = -HUGE_VAL};
    size_t added = 1;

    model_hold(&build, false);
    if (model->device.type == AGENT_GENERATOR)
        model_expect_generator(&build, price_per_mwh);
    for (int round = 0; added > 0 && (round < ROUNDS_MAX || model->held); round++) {
        if (build.status == WALRAS_OK)
            build.status = set_costs(model, price_per_mwh, err);
        if (build.status == WALRAS_OK)
            build.status = lp_solve(model->lp, &settings, model->x, NULL, &info, err);
        if (build.status == WALRAS_OK)
            build.status = judge(model, &info, err);
        if (build.status != WALRAS_OK)
            return build.status;
        value(model, price_per_mwh, draw_kw, &cost, &paid, &size);
        added = refine(&build, round, size, &excess);
        if (build.status != WALRAS_OK)
            return build.status;
    }
    /* the program knows neither what is fixed nor what tangents leave out: only its gap counts */
    answer->cost = cost + fmax(excess, 0.0);
    answer->bound = cost + paid - fmax(info.objective - info.bound, 0.0);
    return WALRAS_OK;
}

static enum walras_status check_prices(const struct agent_model *model, const double *price_per_mwh,
                                       struct walras_err *err)
{
    for (size_t t = 0; t < model->horizon.n_step; t++)
        if (!isfinite(price_per_mwh[t]))
            return walras_fail(err, WALRAS_INVALID, "price of step %zu is not finite", t);
    return WALRAS_OK;
}

static bool does_both_somewhere(const struct agent_model *model)
{
    for (size_t t = 0; t < model->horizon.n_step; t++)
        if (model_does_both(model, t))
            return true;
    return false;
}

static bool is_worn(const struct agent_model *model)
{
    for (size_t t = 0; t < model->horizon.n_step; t++)
        if (model->n_tangent[t] > MODEL_TANGENTS / 2)
            return true;
    for (size_t i = 0; i < model->n_square; i++)
        if (model->squares[i].n_tangent > SQUARE_TANGENTS / 2)
            return true;
    return false;
}

enum walras_status agent_model_solve(struct agent_model *model, const double *price_per_mwh,
                                     double *draw_kw, struct market_answer *answer,
                                     struct walras_err *err)
{
    enum walras_status status = check_prices(model, price_per_mwh, err);

    if (status == WALRAS_OK && model->relaxed) {
        status = solve_rounds(model->relaxed, price_per_mwh, draw_kw, answer, err);
        if (status == WALRAS_OK && !does_both_somewhere(model->relaxed))
            return status;
    }
    if (status == WALRAS_OK && is_worn(model))
        status = model_build(model, err);
    return status == WALRAS_OK ? solve_rounds(model, price_per_mwh, draw_kw, answer, err) : status;
}
