#include "market/gradient.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FACTOR 10.0

static struct market_gradient *gradient_of(struct market_method *method)
{
    return (struct market_gradient *)method;
}

void market_gradient_free(struct market_method *method)
{
    struct market_gradient *s = gradient_of(method);

    if (!s)
        return;
    market_recovery_end(&s->recovery, &s->op, &s->asked);
    free(s->price);
    free(s->energy);
    free(s->u);
    free(s);
}

static void measure_orders(struct market_gradient *s, const struct market_problem *p)
{
    for (size_t i = 0; i < p->n_order; i++) {
        double width = p->orders[i].high_kw - p->orders[i].low_kw;

        if (isfinite(width))
            s->open_kw[p->orders[i].bus * p->n_step + p->orders[i].step] += width;
    }
}

static enum walras_status begin(struct market_gradient *s, const struct market_problem *p,
                                const struct market_method_settings *settings,
                                struct walras_err *err)
{
    size_t n_cell = p->n_bus * p->n_step;
    enum walras_status status =
        market_recovery_begin(&s->recovery, &s->op, &s->asked, p, settings, err);

    if (status != WALRAS_OK)
        return status;
    s->price = calloc(7 * n_cell + 2 * p->n_bus, sizeof(*s->price));
    s->energy = calloc(3 * p->n_step, sizeof(*s->energy));
    if (!s->price || !s->energy)
        return walras_fail(err, WALRAS_NOMEM, "%zu buses x %zu steps do not fit in memory",
                           p->n_bus, p->n_step);
    s->open_kw = s->price + n_cell;
    s->swing_kw = s->open_kw + n_cell;
    s->draw_kw = s->swing_kw + n_cell;
    s->last_draw_kw = s->draw_kw + n_cell;
    s->last_price = s->last_draw_kw + n_cell;
    s->injection_kw = s->last_price + n_cell;
    s->moved_kw = s->injection_kw + n_cell;
    s->moved_price = s->moved_kw + p->n_bus;
    s->memory = s->energy + p->n_step;
    measure_orders(s, p);
    return WALRAS_OK;
}

enum walras_status market_gradient_new(const struct market_method_ops *ops,
                                       market_gradient_rule *rule,
                                       const struct market_problem *problem,
                                       const struct market_method_settings *settings,
                                       struct market_method **made, struct walras_err *err)
{
    struct market_gradient *s = calloc(1, sizeof(*s));
    enum walras_status status = WALRAS_OK;

    if (!s)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the %s method", ops->name);
    s->method.ops = ops;
    s->rule = rule;
    status = begin(s, problem, settings, err);
    if (status != WALRAS_OK) {
        market_gradient_free(&s->method);
        return status;
    }
    *made = &s->method;
    return WALRAS_OK;
}

/* u of the current energy prices and the rows' shadow prices, with room for its slope and metric.
 */
static enum walras_status gather_u(struct market_gradient *s, struct walras_err *err)
{
    size_t n_step = s->op.problem->n_step, n = n_step + s->op.rows.n;
    double *grown = realloc(s->u, 3 * n * sizeof(*grown));

    if (!grown)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold %zu prices", n);
    s->u = grown;
    s->slope = s->u + n;
    s->metric_kw = s->slope + n;
    memcpy(s->u, s->energy, n_step * sizeof(*s->u));
    for (size_t a = 0; a < s->op.rows.n; a++)
        s->u[n_step + a] = s->op.rows.rows[a].shadow_price_per_mwh;
    return WALRAS_OK;
}

/* What steps are relative to: the size of the first prices, where there is one. */
static void measure_level(struct market_gradient *s)
{
    double sum = 0.0;

    for (size_t t = 0; t < s->op.problem->n_step; t++)
        sum += s->energy[t] * s->energy[t] / (double)s->op.problem->n_step;
    s->level_per_mwh = fmax(sqrt(sum), 0.1 * s->recovery.level.price_per_mwh);
}

enum walras_status market_gradient_ask(struct market_method *method, struct market_query *query,
                                       struct walras_err *err)
{
    struct market_gradient *s = gradient_of(method);
    enum walras_status status = WALRAS_OK;

    if (s->round == 0) {
        status = market_operator_start(&s->op, &s->recovery.level, err);
        memcpy(s->energy, s->op.trial.u, s->op.problem->n_step * sizeof(*s->energy));
        measure_level(s);
    }
    if (status == WALRAS_OK)
        status = gather_u(s, err);
    if (status != WALRAS_OK)
        return status;
    market_rows_price(&s->op.rows, s->u, s->price);
    status = market_priced_set(&s->asked, &s->op.rows, s->u, s->price, s->recovery.reach_kw, err);
    *query = (struct market_query){.n_point = 1, .price_per_mwh = s->price};
    return status;
}

/* What an order injects when it is paid `price`. */
static double order_answer(const struct market_order *order, double price, double reach_kw)
{
    double low = fmax(order->low_kw, -reach_kw), high = fmin(order->high_kw, reach_kw);
    double gain = price - order->price_per_mwh, slope = order->slope_per_mwh_per_kw;

    if (slope > 0.0)
        return fmin(high, fmax(low, gain / slope));
    return gain > 0.0 ? high : low;
}

static void sum_injections(struct market_gradient *s, const struct market_reply *reply)
{
    const struct market_problem *p = s->op.problem;
    size_t n_step = p->n_step;

    for (size_t i = 0; i < p->n_bus * n_step; i++)
        s->injection_kw[i] = -p->firm_draw_kw[i];
    for (size_t i = 0; i < p->n_order; i++) {
        size_t cell = p->orders[i].bus * n_step + p->orders[i].step;

        s->injection_kw[cell] += order_answer(&p->orders[i], s->price[cell], s->recovery.reach_kw);
    }
    memset(s->draw_kw, 0, p->n_bus * n_step * sizeof(*s->draw_kw));
    for (size_t g = 0; g < p->n_group; g++)
        for (size_t t = 0; t < n_step; t++)
            s->draw_kw[p->groups[g].bus * n_step + t] += reply->draw_kw[g * n_step + t];
    for (size_t i = 0; i < p->n_bus * n_step; i++)
        s->injection_kw[i] -= s->draw_kw[i];
}

/*
 * What groups can move: the swing of their bus, times how much more or less they have moved with
 * prices, per kW of swing, than those of all buses together.
 */
static void measure_swing(struct market_gradient *s)
{
    const struct market_problem *p = s->op.problem;
    size_t n_step = p->n_step;
    double moved = 0.0, expected = 0.0;

    for (size_t i = 0; i < p->n_bus * n_step && s->round > 1; i++) {
        s->moved_kw[i / n_step] += fabs(s->draw_kw[i] - s->last_draw_kw[i]);
        s->moved_price[i / n_step] += fabs(s->price[i] - s->last_price[i]);
    }
    for (size_t b = 0; b < p->n_bus; b++) {
        moved += s->moved_kw[b];
        expected += s->op.swing_kw[b] * s->moved_price[b];
    }
    for (size_t b = 0; b < p->n_bus; b++) {
        double here = s->op.swing_kw[b] * s->moved_price[b], factor = 1.0;

        if (moved > 0.0 && here > 0.0)
            factor = fmin(MOST_FACTOR,
                          fmax(1.0 / MOST_FACTOR, s->moved_kw[b] / here * expected / moved));
        for (size_t i = b * n_step; i < (b + 1) * n_step; i++)
            s->swing_kw[i] = s->open_kw[i] + factor * s->op.swing_kw[b];
    }
    memcpy(s->last_draw_kw, s->draw_kw, p->n_bus * n_step * sizeof(*s->draw_kw));
    memcpy(s->last_price, s->price, p->n_bus * n_step * sizeof(*s->price));
}

/* D: what can move in a step for its balance, and weighed by the squared sensitivity for a row. */
static void measure_metric(struct market_gradient *s)
{
    size_t n_step = s->op.problem->n_step;

    memset(s->metric_kw, 0, (n_step + s->op.rows.n) * sizeof(*s->metric_kw));
    for (size_t b = 0; b < s->op.problem->n_bus; b++)
        for (size_t t = 0; t < n_step && !market_is_reactive(s->op.problem, b); t++)
            s->metric_kw[t] += s->swing_kw[b * n_step + t];
    for (size_t t = 0; t < n_step; t++)
        s->metric_kw[t] = fmax(s->metric_kw[t], 1e-3);
    for (size_t a = 0; a < s->op.rows.n; a++) {
        const struct market_row *row = &s->op.rows.rows[a];
        double *metric = &s->metric_kw[n_step + a];

        for (size_t i = 0; i < row->coef.n; i++)
            *metric += row->coef.coef[i] * row->coef.coef[i] *
                       s->swing_kw[row->coef.bus[i] * n_step + row->step];
        *metric = fmax(*metric, 1e-3 * s->metric_kw[row->step]);
    }
}

/* D⁻¹G at u, and how large it is; components that would push a price of 0 below 0 count as 0. */
static void measure_slope(struct market_gradient *s)
{
    size_t n_step = s->op.problem->n_step;

    market_rows_project(&s->op.rows, s->injection_kw, s->slope);
    s->imbalance_kw = s->slope_size = 0.0;
    for (size_t i = 0; i < n_step + s->op.rows.n; i++) {
        double room = i < n_step ? 0.0 : s->op.rows.rows[i - n_step].room_kw;
        double miss = -(s->slope[i] + room);

        if (i < n_step)
            s->imbalance_kw = fmax(s->imbalance_kw, fabs(miss));
        else if (s->u[i] <= 0.0)
            miss = fmax(miss, 0.0);
        s->slope[i] = miss / s->metric_kw[i];
        s->slope_size += miss * s->slope[i];
    }
}

static enum walras_status move_prices(struct market_gradient *s, double value,
                                      struct walras_err *err)
{
    size_t n_step = s->op.problem->n_step, added = 0;

    s->op.rows.lessons = 1;
    enum walras_status status =
        market_rows_separate(&s->op.rows, s->injection_kw, 1e-6, &added, err);

    if (status == WALRAS_OK)
        status = gather_u(s, err);
    if (status != WALRAS_OK)
        return status;
    measure_metric(s);
    measure_slope(s);
    if (s->slope_size > 0.0)
        s->rule(s, n_step + s->op.rows.n, value);
    memcpy(s->energy, s->u, n_step * sizeof(*s->energy));
    for (size_t a = 0; a < s->op.rows.n; a++)
        s->op.rows.rows[a].shadow_price_per_mwh =
            fmin(fmax(0.0, s->u[n_step + a]), s->op.rows.rows[a].breach_price_per_mwh);
    return WALRAS_OK;
}

enum walras_status market_gradient_tell(struct market_method *method,
                                        const struct market_reply *reply,
                                        struct market_state *state, struct walras_err *err)
{
    struct market_gradient *s = gradient_of(method);
    double value = 0.0;
    enum walras_status status =
        market_recovery_take(&s->recovery, &s->asked, reply->answers, reply->draw_kw, &value, err);

    if (status != WALRAS_OK)
        return status;
    s->round++;
    sum_injections(s, reply);
    measure_swing(s);
    status = market_recovery_try(&s->recovery, err);
    if (status == WALRAS_OK)
        status = move_prices(s, value, err);
    if (status != WALRAS_OK)
        return status;
    market_rows_price(&s->op.rows, s->u, s->price);
    market_recovery_report(&s->recovery, value, s->imbalance_kw, s->price, state);
    return WALRAS_OK;
}

enum walras_status market_gradient_learn(struct market_method *method, const double *price_per_mwh,
                                         const struct market_reply *reply, struct walras_err *err)
{
    return market_recovery_learn(&gradient_of(method)->recovery, price_per_mwh, reply, err);
}

enum walras_status market_gradient_plan(struct market_method *method, const bool *fixed,
                                        const double *extra_draw_kw, struct market_plan *plan,
                                        struct walras_err *err)
{
    return market_recovery_plan(&gradient_of(method)->recovery, fixed, extra_draw_kw, plan, err);
}
