#include "market/recovery.h"

#include "market/dual.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { RECENT = 16, ROUNDS_PER_PLAN = 10, MAX_RAISES = 2 };

enum walras_status market_recovery_init(struct market_recovery *r,
                                        const struct market_problem *problem,
                                        const struct market_method_settings *settings,
                                        struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    *r = (struct market_recovery){.problem = problem,
                                  .settings = *settings,
                                  .kwp_in_currency = problem->step_h / 1000.0,
                                  .reach_kw = market_reach_kw(problem),
                                  .unmet_tolerance_kw = market_unmet_tolerance_kw(problem),
                                  .level = market_level_of(problem),
                                  .bound = -INFINITY,
                                  .objective = NAN};
    status = market_rows_init(&r->rows, problem, err);
    if (status == WALRAS_OK)
        status = market_cuts_init(&r->cuts, problem->n_group, problem->n_step, err);
    if (status == WALRAS_OK)
        status = market_master_new(problem, &r->master, err);
    if (status == WALRAS_OK)
        status = market_trial_init(&r->plan, problem, err);
    if (status == WALRAS_OK)
        status = market_mixture_init(&r->mixture, problem, err);
    if (status == WALRAS_OK)
        status = market_priced_init(&r->best, problem, err);
    r->solver = market_master_solver_of(r->master);
    return status;
}

void market_recovery_release(struct market_recovery *r)
{
    market_rows_release(&r->rows);
    market_cuts_release(&r->cuts);
    market_master_free(r->master);
    market_trial_release(&r->plan);
    market_mixture_release(&r->mixture);
    market_priced_release(&r->best);
}

enum walras_status market_recovery_begin(struct market_recovery *recovery,
                                         struct market_operator *op, struct market_priced *asked,
                                         const struct market_problem *problem,
                                         const struct market_method_settings *settings,
                                         struct walras_err *err)
{
    enum walras_status status = market_recovery_init(recovery, problem, settings, err);

    if (status == WALRAS_OK)
        status = market_operator_init(op, problem, &recovery->solver, err);
    return status == WALRAS_OK ? market_priced_init(asked, problem, err) : status;
}

void market_recovery_end(struct market_recovery *recovery, struct market_operator *op,
                         struct market_priced *asked)
{
    market_operator_release(op);
    market_recovery_release(recovery);
    market_priced_release(asked);
}

/* Where a new answer goes when all places are taken: the oldest that the last plan did not use. */
static size_t least_wanted(const struct market_group_cuts *cuts)
{
    size_t oldest = 1, unused = 0;

    for (size_t j = 1; j < cuts->n; j++) {
        if (cuts->cuts[j].point < cuts->cuts[oldest].point)
            oldest = j;
        if (cuts->cuts[j].mixed <= 0.0 &&
            (unused == 0 || cuts->cuts[j].point < cuts->cuts[unused].point))
            unused = j;
    }
    return unused > 0 ? unused : oldest;
}

/* Keeps the answer of a group to the last point behind its average. */
static enum walras_status keep_recent(struct market_recovery *r, size_t g, const double *draw_kw,
                                      double cost, struct walras_err *err)
{
    struct market_group_cuts *cuts = &r->cuts.groups[g];
    size_t n_step = r->problem->n_step, at = 0;

    if (cuts->n <= RECENT)
        return market_cuts_add(&r->cuts, g, r->mixture.n_point - 1, draw_kw, cost, err);
    at = least_wanted(cuts);
    cuts->cuts[at] = (struct market_cut){.point = r->mixture.n_point - 1, .cost = cost};
    memcpy(cuts->draw_kw + at * n_step, draw_kw, n_step * sizeof(*draw_kw));
    return WALRAS_OK;
}

/* Weight k for point k: average_k = average + 2/(k+1) (answer - average). */
static enum walras_status average_answer(struct market_recovery *r, size_t g, const double *draw_kw,
                                         double cost, struct walras_err *err)
{
    struct market_group_cuts *cuts = &r->cuts.groups[g];
    double share = 2.0 / (double)(r->n_taken + 1);

    if (r->n_taken == 1)
        return market_cuts_add(&r->cuts, g, 0, draw_kw, cost, err);
    cuts->cuts[0].cost += share * (cost - cuts->cuts[0].cost);
    for (size_t t = 0; t < r->problem->n_step; t++)
        cuts->draw_kw[t] += share * (draw_kw[t] - cuts->draw_kw[t]);
    return keep_recent(r, g, draw_kw, cost, err);
}

enum walras_status market_recovery_take(struct market_recovery *r, struct market_priced *asked,
                                        const struct market_answer *answers, const double *draw_kw,
                                        double *value, struct walras_err *err)
{
    enum walras_status status = market_mixture_add_point(&r->mixture, asked->price, err);

    r->n_taken++;
    *value = asked->open;
    for (size_t g = 0; g < r->problem->n_group && status == WALRAS_OK; g++) {
        *value += answers[g].bound / r->kwp_in_currency;
        status = average_answer(r, g, draw_kw + g * r->problem->n_step,
                                answers[g].cost / r->kwp_in_currency, err);
    }
    if (status == WALRAS_OK && *value > r->bound) {
        r->bound = *value;
        market_priced_swap(&r->best, asked);
    }
    return status;
}

enum walras_status market_recovery_learn(struct market_recovery *r, const double *price_per_mwh,
                                         const struct market_reply *reply, struct walras_err *err)
{
    size_t n_step = r->problem->n_step;
    enum walras_status status = market_mixture_add_point(&r->mixture, price_per_mwh, err);

    for (size_t g = 0; g < r->problem->n_group && status == WALRAS_OK; g++)
        status = keep_recent(r, g, reply->draw_kw + g * n_step,
                             reply->answers[g].cost / r->kwp_in_currency, err);
    return status;
}

static enum walras_status solve(struct market_recovery *r, const bool *fixed, const double *extra,
                                struct walras_err *err)
{
    struct market_master_settings settings = {
        .penalty_per_mwh = r->level.penalty_per_mwh, .tolerance = 1e-10, .max_iterations = 100};
    struct market_master_problem ask = {
        .cuts = &r->cuts, .tau = INFINITY, .skip_group = fixed, .extra_draw_kw = extra};
    enum walras_status status =
        market_trial_solve(&r->plan, &r->solver, &r->rows, &ask, &settings, 1e-8, UINT_MAX, err);

    if (status != WALRAS_OK)
        return status;
    r->unmet_kw = market_mixture_unmet(&r->rows, &r->plan);
    r->objective = r->plan.info.primal;
    return WALRAS_OK;
}

static void remember_weights(struct market_recovery *r)
{
    size_t at = 0;

    for (size_t g = 0; g < r->problem->n_group; g++)
        for (size_t j = 0; j < r->cuts.groups[g].n; j++, at++)
            r->cuts.groups[g].cuts[j].mixed = r->plan.weight[at] > 1e-6 ? r->plan.weight[at] : 0.0;
}

enum walras_status market_recovery_try(struct market_recovery *r, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    if (r->n_taken < r->planned + 1 + r->planned / ROUNDS_PER_PLAN)
        return WALRAS_OK;
    status = solve(r, NULL, NULL, err);
    if (status == WALRAS_OK)
        remember_weights(r);
    r->planned = r->n_taken;
    return status;
}

/*
 * How near plan and bound must come. That a need cannot be met is known when next to all of its
 * penalty is in the bound, whatever the gap.
 */
static double near_enough(const struct market_recovery *r, bool feasible)
{
    double money = r->kwp_in_currency;
    double cost = fabs(r->objective * money + r->problem->firm_cost);

    return feasible ? r->settings.gap * fmax(1.0, cost) / money
                    : 1e-3 * r->level.penalty_per_mwh * r->unmet_kw;
}

void market_recovery_report(struct market_recovery *r, double value, double imbalance_kw,
                            const double *price_per_mwh, struct market_state *state)
{
    double money = r->kwp_in_currency, fixed = r->problem->firm_cost;
    bool feasible = r->unmet_kw <= r->unmet_tolerance_kw;

    *state =
        (struct market_state){.dual_value = value * money + fixed,
                              .bound = r->bound * money + fixed,
                              .objective = feasible ? r->objective * money + fixed : (double)NAN,
                              .imbalance_kw = imbalance_kw};
    state->done = r->objective - r->bound <= near_enough(r, feasible);
    state->unmet_kw = feasible ? 0.0 : r->unmet_kw;
    state->n_binding = market_priced_binding(&r->best, 1e-6 * r->level.price_per_mwh);
    for (size_t i = 0; i < r->problem->n_bus * r->problem->n_step; i++)
        state->price_move_per_mwh =
            fmax(state->price_move_per_mwh, fabs(price_per_mwh[i] - r->best.price[i]));
    if (state->done && !feasible && r->n_raised < MAX_RAISES) {
        r->level.penalty_per_mwh *= 100.0; /* unmet at any price, or was the price too low? */
        r->n_raised++;
        r->objective = NAN; /* that plan was priced with the old one */
        state->done = false;
    }
}

/* What cut 0, the average, stands for is spread over the points taken: point k counts k. */
static void spread_average(struct market_recovery *r, const bool *fixed)
{
    size_t n = r->n_taken; /* what was learnt besides came later and is not in the average */

    for (size_t g = 0; g < r->problem->n_group; g++) {
        double *weight = r->mixture.weight + g * r->mixture.n_point, share = weight[0];

        if (fixed && fixed[g])
            continue;
        weight[0] = 0.0;
        for (size_t j = 0; j < n; j++)
            weight[j] += share * 2.0 * (double)(j + 1) / ((double)n * (double)(n + 1));
    }
}

enum walras_status market_recovery_plan(struct market_recovery *r, const bool *fixed,
                                        const double *extra_draw_kw, struct market_plan *plan,
                                        struct walras_err *err)
{
    enum walras_status status = solve(r, fixed, extra_draw_kw, err);

    if (status == WALRAS_OK)
        status = market_mixture_fill(&r->mixture, &r->cuts, &r->rows, &r->plan, fixed, err);
    if (status != WALRAS_OK)
        return status;
    spread_average(r, fixed);
    *plan =
        market_mixture_plan(&r->mixture, &r->plan, &r->best, r->unmet_kw <= r->unmet_tolerance_kw);
    return WALRAS_OK;
}
