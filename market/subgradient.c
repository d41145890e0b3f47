/*
 * The subgradient method: the textbook's answer, kept to compare against.
 *
 * Model    docs/mathematics.md, "Subgradient". Prices move along the imbalance of the answers, in
 *          the metric of what each step can swing, by a/sqrt(k) times the price level; shadow
 *          prices of grid rows likewise, kept >= 0. The plan mixes the average of all answers,
 *          weights growing with the round (ergodic), with the most recent ones, and dispatches the
 *          orders around it.
 * Sources  Shor, Minimization methods for non-differentiable functions (1985); Sherali and Choi,
 *          Recovery of primal solutions when using subgradient optimization methods (1996).
 */
#include "market/dual.h"
#include "market/method_internal.h"
#include "market/mixture.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_STEP 0.3 /* of the price level */

enum { ROUNDS_PER_PLAN = 10, RECENT = 16 };

struct subgradient {
    struct market_method method;
    const struct market_problem *problem;
    struct market_method_settings settings;
    double kwp_in_currency, reach_kw, unmet_tolerance_kw;
    struct market_level level;
    struct market_rows rows;      /* those that prices move on */
    struct market_rows plan_rows; /* those that the plan needs */
    struct market_cuts average;   /* one cut a group: the weighed average of all its answers */
    struct market_master *master;
    struct market_master_solver solver;
    struct market_trial plan;
    struct market_mixture mixture;
    struct market_priced asked, best;
    unsigned round, n_learnt;
    double *energy;       /* [n_step] asked next */
    double *swing_kw;     /* [n_step] */
    double *injection_kw; /* [n_bus x n_step] of the last answers */
    double *u, *slope;    /* [n_step + n rows] */
    double bound, objective, unmet_kw, imbalance_kw;
};

static struct subgradient *subgradient_of(struct market_method *method)
{
    return (struct subgradient *)method;
}

static void subgradient_free(struct market_method *method)
{
    struct subgradient *s = subgradient_of(method);

    if (!s)
        return;
    market_rows_release(&s->rows);
    market_rows_release(&s->plan_rows);
    market_cuts_release(&s->average);
    market_master_free(s->master);
    market_trial_release(&s->plan);
    market_mixture_release(&s->mixture);
    market_priced_release(&s->asked);
    market_priced_release(&s->best);
    free(s->energy);
    free(s->injection_kw);
    free(s->u);
    free(s);
}

/* What each step's balance can swing by: the scale of its subgradient. */
static void measure_swing(struct subgradient *s)
{
    const struct market_problem *p = s->problem;

    for (size_t i = 0; i < p->n_order; i++) {
        double width = p->orders[i].high_kw - p->orders[i].low_kw;

        if (isfinite(width))
            s->swing_kw[p->orders[i].step] += width;
    }
    for (size_t t = 0; t < p->n_step; t++) {
        for (size_t g = 0; g < p->n_group; g++)
            s->swing_kw[t] += p->groups[g].swing_kw;
        s->swing_kw[t] = fmax(s->swing_kw[t], 1e-3);
    }
}

static enum walras_status take_memory(struct subgradient *s, struct walras_err *err)
{
    const struct market_problem *p = s->problem;
    enum walras_status status = WALRAS_OK;

    s->energy = calloc(2 * p->n_step, sizeof(*s->energy));
    s->injection_kw = calloc(p->n_bus * p->n_step, sizeof(*s->injection_kw));
    if (!s->energy || !s->injection_kw)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the subgradient method");
    s->swing_kw = s->energy + p->n_step;
    status = market_rows_init(&s->rows, p, err);
    if (status == WALRAS_OK)
        status = market_rows_init(&s->plan_rows, p, err);
    if (status == WALRAS_OK)
        status = market_cuts_init(&s->average, p->n_group, p->n_step, err);
    if (status == WALRAS_OK)
        status = market_master_new(p, &s->master, err);
    if (status == WALRAS_OK)
        status = market_trial_init(&s->plan, p, err);
    if (status == WALRAS_OK)
        status = market_mixture_init(&s->mixture, p, err);
    if (status == WALRAS_OK)
        status = market_priced_init(&s->asked, p, err);
    if (status == WALRAS_OK)
        status = market_priced_init(&s->best, p, err);
    return status;
}

static enum walras_status subgradient_new(const struct market_problem *problem,
                                          const struct market_method_settings *settings,
                                          struct market_method **made, struct walras_err *err)
{
    struct subgradient *s = calloc(1, sizeof(*s));
    enum walras_status status = WALRAS_OK;

    if (!s)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the subgradient method");
    s->method.ops = &market_subgradient_ops;
    s->problem = problem;
    s->settings = *settings;
    s->kwp_in_currency = problem->step_h / 1000.0;
    s->reach_kw = market_reach_kw(problem);
    s->unmet_tolerance_kw = market_unmet_tolerance_kw(problem);
    s->level = market_level_of(problem);
    s->bound = -INFINITY;
    s->objective = NAN;
    status = take_memory(s, err);
    if (status != WALRAS_OK) {
        subgradient_free(&s->method);
        return status;
    }
    measure_swing(s);
    s->solver = market_master_solver_of(s->master);
    for (size_t t = 0; t < problem->n_step; t++)
        s->energy[t] = s->level.price_per_mwh;
    *made = &s->method;
    return WALRAS_OK;
}

/* u of the current energy prices and the rows' shadow prices. */
static enum walras_status gather_u(struct subgradient *s, struct walras_err *err)
{
    size_t n_step = s->problem->n_step, n = n_step + s->rows.n;
    double *grown = realloc(s->u, 2 * n * sizeof(*grown));

    if (!grown)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold %zu prices", n);
    s->u = grown;
    s->slope = s->u + n;
    memcpy(s->u, s->energy, n_step * sizeof(*s->u));
    for (size_t a = 0; a < s->rows.n; a++)
        s->u[n_step + a] = s->rows.rows[a].shadow_price_per_mwh;
    return WALRAS_OK;
}

static enum walras_status subgradient_ask(struct market_method *method, struct market_query *query,
                                          struct walras_err *err)
{
    struct subgradient *s = subgradient_of(method);
    enum walras_status status = gather_u(s, err);

    if (status != WALRAS_OK)
        return status;
    market_rows_price(&s->rows, s->u, s->plan.price);
    status = market_priced_set(&s->asked, &s->rows, s->u, s->plan.price, s->reach_kw, err);
    *query = (struct market_query){.n_point = 1, .price_per_mwh = s->asked.price};
    return status;
}

/* What an order injects when it is paid `price`. */
static double order_answer(const struct subgradient *s, const struct market_order *order,
                           double price)
{
    double low = fmax(order->low_kw, -s->reach_kw), high = fmin(order->high_kw, s->reach_kw);
    double gain = price - order->price_per_mwh, slope = order->slope_per_mwh_per_kw;

    if (slope > 0.0)
        return fmin(high, fmax(low, gain / slope));
    return gain > 0.0 ? high : low;
}

static void sum_injections(struct subgradient *s, const struct market_reply *reply)
{
    const struct market_problem *p = s->problem;
    size_t n_step = p->n_step;

    for (size_t i = 0; i < p->n_bus * n_step; i++)
        s->injection_kw[i] = -p->firm_draw_kw[i];
    for (size_t i = 0; i < p->n_order; i++) {
        size_t cell = p->orders[i].bus * n_step + p->orders[i].step;

        s->injection_kw[cell] += order_answer(s, &p->orders[i], s->asked.price[cell]);
    }
    for (size_t g = 0; g < p->n_group; g++)
        for (size_t t = 0; t < n_step; t++)
            s->injection_kw[p->groups[g].bus * n_step + t] -= reply->draw_kw[g * n_step + t];
}

/* Cuts behind the average (cut 0, point 0) hold the last answers, the oldest replaced. */
static enum walras_status keep_recent(struct subgradient *s, size_t g, const double *draw_kw,
                                      double cost, struct walras_err *err)
{
    struct market_group_cuts *cuts = &s->average.groups[g];
    size_t n_step = s->problem->n_step, at = 1 + (s->round + s->n_learnt) % RECENT;

    if (cuts->n <= RECENT)
        return market_cuts_add(&s->average, g, s->mixture.n_point - 1, draw_kw, cost, err);
    cuts->cuts[at] = (struct market_cut){.point = s->mixture.n_point - 1, .cost = cost};
    memcpy(cuts->draw_kw + at * n_step, draw_kw, n_step * sizeof(*draw_kw));
    return WALRAS_OK;
}

/* Ergodic average with weight k for round k: average_k = average + 2/(k+1) (answer - average). */
static enum walras_status average_answers(struct subgradient *s, const struct market_reply *reply,
                                          struct walras_err *err)
{
    size_t n_step = s->problem->n_step;
    double share = 2.0 / (double)(s->round + 1);

    for (size_t g = 0; g < s->problem->n_group; g++) {
        struct market_group_cuts *cut = &s->average.groups[g];
        double cost = reply->answers[g].cost / s->kwp_in_currency;

        if (s->round == 1) {
            enum walras_status status =
                market_cuts_add(&s->average, g, 0, reply->draw_kw + g * n_step, cost, err);

            if (status != WALRAS_OK)
                return status;
            continue;
        }
        cut->cuts[0].cost += share * (cost - cut->cuts[0].cost);
        for (size_t t = 0; t < n_step; t++)
            cut->draw_kw[t] += share * (reply->draw_kw[g * n_step + t] - cut->draw_kw[t]);
        enum walras_status status = keep_recent(s, g, reply->draw_kw + g * n_step, cost, err);

        if (status != WALRAS_OK)
            return status;
    }
    return WALRAS_OK;
}

static double answer_value(struct subgradient *s, const struct market_reply *reply)
{
    double value = s->asked.open;

    for (size_t g = 0; g < s->problem->n_group; g++)
        value += reply->answers[g].bound / s->kwp_in_currency;
    return value;
}

/* Moves the prices along the subgradient; rows that the answers breach come in at price 0. */
static enum walras_status move_prices(struct subgradient *s, struct walras_err *err)
{
    size_t n_step = s->problem->n_step, added = 0;
    double norm = 0.0, step = FIRST_STEP * s->level.price_per_mwh / sqrt((double)s->round);
    enum walras_status status = market_rows_separate(&s->rows, s->injection_kw, 1e-6, &added, err);

    if (status == WALRAS_OK)
        status = gather_u(s, err);
    if (status != WALRAS_OK)
        return status;
    market_rows_project(&s->rows, s->injection_kw, s->slope);
    s->imbalance_kw = 0.0;
    for (size_t i = 0; i < n_step + s->rows.n; i++) {
        size_t t = i < n_step ? i : s->rows.rows[i - n_step].step;
        double room = i < n_step ? 0.0 : s->rows.rows[i - n_step].room_kw;
        double miss = -(s->slope[i] + room);

        if (i < n_step)
            s->imbalance_kw = fmax(s->imbalance_kw, fabs(miss));
        else if (s->u[i] <= 0.0)
            miss = fmax(miss, 0.0); /* held at 0 */
        s->slope[i] = miss / s->swing_kw[t];
        norm += s->slope[i] * s->slope[i] / (double)n_step;
    }
    for (size_t i = 0; i < n_step + s->rows.n && norm > 0.0; i++)
        s->u[i] += step * s->slope[i] / sqrt(norm);
    memcpy(s->energy, s->u, n_step * sizeof(*s->energy));
    for (size_t a = 0; a < s->rows.n; a++)
        s->rows.rows[a].shadow_price_per_mwh =
            fmin(fmax(0.0, s->u[n_step + a]), s->problem->breach_price_per_mwh);
    return WALRAS_OK;
}

static enum walras_status solve_plan(struct subgradient *s, const bool *fixed, const double *extra,
                                     struct walras_err *err)
{
    struct market_master_settings settings = {
        .penalty_per_mwh = s->level.penalty_per_mwh, .tolerance = 1e-10, .max_iterations = 100};
    struct market_master_problem ask = {
        .cuts = &s->average, .tau = INFINITY, .skip_group = fixed, .extra_draw_kw = extra};
    enum walras_status status = market_trial_solve(&s->plan, &s->solver, &s->plan_rows, &ask,
                                                   &settings, 1e-8, UINT_MAX, err);

    if (status != WALRAS_OK)
        return status;
    s->unmet_kw = market_mixture_unmet(&s->plan_rows, &s->plan);
    s->objective = s->plan.info.primal;
    return WALRAS_OK;
}

static void report(const struct subgradient *s, double value, struct market_state *state)
{
    double money = s->kwp_in_currency, fixed = s->problem->firm_cost;
    bool feasible = s->unmet_kw <= s->unmet_tolerance_kw;
    double size = fmax(1.0 / money, fabs(s->objective));

    *state =
        (struct market_state){.dual_value = value * money + fixed,
                              .bound = s->bound * money + fixed,
                              .objective = feasible ? s->objective * money + fixed : (double)NAN,
                              .imbalance_kw = s->imbalance_kw};
    state->done = s->objective - s->bound <= s->settings.gap * size;
    state->unmet_kw = feasible ? 0.0 : s->unmet_kw;
    state->n_binding = market_priced_binding(&s->best, 1e-6 * s->level.price_per_mwh);
    for (size_t t = 0; t < s->problem->n_step; t++)
        state->price_move_per_mwh =
            fmax(state->price_move_per_mwh, fabs(s->energy[t] - s->best.energy[t]));
}

static enum walras_status subgradient_tell(struct market_method *method,
                                           const struct market_reply *reply,
                                           struct market_state *state, struct walras_err *err)
{
    struct subgradient *s = subgradient_of(method);
    double value = answer_value(s, reply);
    enum walras_status status = market_mixture_add_point(&s->mixture, s->asked.price, err);

    s->round++;
    if (status == WALRAS_OK)
        status = average_answers(s, reply, err);
    if (status != WALRAS_OK)
        return status;
    sum_injections(s, reply);
    if (value > s->bound) {
        s->bound = value;
        market_priced_swap(&s->best, &s->asked);
    }
    status = move_prices(s, err);
    if (status == WALRAS_OK && s->round % ROUNDS_PER_PLAN == 0)
        status = solve_plan(s, NULL, NULL, err);
    if (status == WALRAS_OK)
        report(s, value, state);
    return status;
}

static enum walras_status subgradient_learn(struct market_method *method,
                                            const double *price_per_mwh,
                                            const struct market_reply *reply,
                                            struct walras_err *err)
{
    struct subgradient *s = subgradient_of(method);
    size_t n_step = s->problem->n_step;
    enum walras_status status = market_mixture_add_point(&s->mixture, price_per_mwh, err);

    s->n_learnt++;
    for (size_t g = 0; g < s->problem->n_group && status == WALRAS_OK; g++)
        status = keep_recent(s, g, reply->draw_kw + g * n_step,
                             reply->answers[g].cost / s->kwp_in_currency, err);
    return status;
}

/* What point 0 stands for, the average, is spread over all rounds: round k counts k. */
static void spread_average(struct subgradient *s, const bool *fixed)
{
    size_t n = s->round; /* what was learnt besides is not in the average */

    for (size_t g = 0; g < s->problem->n_group; g++) {
        double *weight = s->mixture.weight + g * s->mixture.n_point, share = weight[0];

        if (fixed && fixed[g])
            continue;
        weight[0] = 0.0;
        for (size_t j = 0; j < n; j++)
            weight[j] += share * 2.0 * (double)(j + 1) / ((double)n * (double)(n + 1));
    }
}

static enum walras_status subgradient_plan(struct market_method *method, const bool *fixed,
                                           const double *extra_draw_kw, struct market_plan *plan,
                                           struct walras_err *err)
{
    struct subgradient *s = subgradient_of(method);
    enum walras_status status = solve_plan(s, fixed, extra_draw_kw, err);

    if (status == WALRAS_OK)
        status = market_mixture_fill(&s->mixture, &s->average, &s->plan_rows, &s->plan, fixed, err);
    if (status != WALRAS_OK)
        return status;
    spread_average(s, fixed);
    *plan =
        market_mixture_plan(&s->mixture, &s->plan, &s->best, s->unmet_kw <= s->unmet_tolerance_kw);
    return WALRAS_OK;
}

const struct market_method_ops market_subgradient_ops = {
    .name = "subgradient",
    .summary = "diminishing subgradient steps, ergodic plan",
    .new_method = subgradient_new,
    .free_method = subgradient_free,
    .ask = subgradient_ask,
    .tell = subgradient_tell,
    .learn = subgradient_learn,
    .plan = subgradient_plan,
};
