#include "market/award.h"

#include "market/recall.h"
#include "market/settle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct award { /* one call of market_award */
    const struct market_problem *problem;
    struct market_plan plan;
    struct market_settlement settled;
    double *missing_kw; /* [n_step] */
    size_t *roomiest;   /* [n_step] */
};

static void end(struct award *a)
{
    market_settlement_release(&a->settled);
    free(a->missing_kw);
    free(a->roomiest);
}

static enum walras_status begin(struct award *a, struct walras_err *err)
{
    a->missing_kw = calloc(a->problem->n_step, sizeof(*a->missing_kw));
    a->roomiest = calloc(a->problem->n_step, sizeof(*a->roomiest));
    if (!a->missing_kw || !a->roomiest)
        return walras_fail(err, WALRAS_NOMEM, "cannot award %zu steps", a->problem->n_step);
    return WALRAS_OK;
}

static double *copy(const double *from, size_t n)
{
    double *made = calloc(n + 1, sizeof(*made)); /* + 1: n may be 0 */

    if (made && n > 0)
        memcpy(made, from, n * sizeof(*made));
    return made;
}

static enum walras_status copy_plan(struct award *a, struct market_result *r,
                                    struct walras_err *err)
{
    const struct market_problem *p = a->problem;
    size_t n_step = p->n_step, n_cell = p->n_bus * n_step;

    r->n_bus = p->n_bus;
    r->n_step = n_step;
    r->n_order = p->n_order;
    r->n_group = p->n_group;
    r->price_per_mwh = copy(a->plan.price_per_mwh, n_cell);
    r->energy_price_per_mwh = copy(a->plan.energy_price_per_mwh, n_step);
    r->order_kw = copy(a->plan.order_kw, p->n_order);
    r->group_draw_kw = copy(a->plan.group_draw_kw, p->n_group * n_step);
    r->group_cost = copy(a->plan.group_cost, p->n_group);
    if (!r->price_per_mwh || !r->energy_price_per_mwh || !r->order_kw || !r->group_draw_kw ||
        !r->group_cost)
        return walras_fail(err, WALRAS_NOMEM, "the result does not fit in memory");
    for (size_t g = 0; g < p->n_group; g++) {
        if (!a->settled.fixed[g])
            continue;
        r->group_cost[g] = a->settled.cost[g];
        memcpy(r->group_draw_kw + g * n_step, a->settled.draw_kw + g * n_step,
               n_step * sizeof(double));
    }
    return WALRAS_OK;
}

/* Keeps the points that some group's award is made of. */
static enum walras_status copy_points(struct award *a, struct market_result *r,
                                      struct walras_err *err)
{
    size_t n_group = a->problem->n_group, n_cell = r->n_bus * r->n_step, n = 0;
    size_t *kept = calloc(a->plan.n_point + 1, sizeof(*kept));

    if (!kept)
        return walras_fail(err, WALRAS_NOMEM, "the result does not fit in memory");
    for (size_t j = 0; j < a->plan.n_point; j++) {
        bool used = false;

        for (size_t g = 0; g < n_group && !used; g++)
            used = !a->settled.fixed[g] && a->plan.weight[g * a->plan.n_point + j] > 0.0;
        if (used)
            kept[n++] = j;
    }
    r->n_point = n;
    r->weight = calloc(n_group * n + 1, sizeof(double));
    r->point_price_per_mwh = calloc(n * n_cell + 1, sizeof(double));
    for (size_t k = 0; k < n && r->weight && r->point_price_per_mwh; k++) {
        memcpy(r->point_price_per_mwh + k * n_cell, a->plan.point_price_per_mwh + kept[k] * n_cell,
               n_cell * sizeof(double));
        for (size_t g = 0; g < n_group; g++)
            if (!a->settled.fixed[g])
                r->weight[g * n + k] = a->plan.weight[g * a->plan.n_point + kept[k]];
    }
    free(kept);
    if (!r->weight || !r->point_price_per_mwh)
        return walras_fail(err, WALRAS_NOMEM, "the result does not fit in memory");
    return WALRAS_OK;
}

/* How far an order can move either way. */
static double order_room(const struct market_problem *p, const struct market_result *r, size_t i)
{
    return fmin(p->orders[i].high_kw - r->order_kw[i], r->order_kw[i] - p->orders[i].low_kw);
}

/*
 * Rounding of the master (1e-9 of the market) is taken out of the balance: the order with the most
 * room either way carries it.
 */
static void balance_exactly(const struct market_problem *p, struct market_result *r,
                            const struct market_plan *plan, double *missing_kw, size_t *roomiest)
{
    size_t n_step = p->n_step;

    for (size_t t = 0; t < n_step; t++) {
        roomiest[t] = SIZE_MAX;
        missing_kw[t] = plan->surplus_kw[t] - plan->shortage_kw[t];
        for (size_t b = 0; b < p->n_bus; b++) /* none where kvar are */
            missing_kw[t] += p->firm_draw_kw[b * n_step + t];
        for (size_t g = 0; g < p->n_group; g++)
            missing_kw[t] += r->group_draw_kw[g * n_step + t];
    }
    for (size_t i = 0; i < p->n_order; i++)
        if (!market_is_reactive(p, p->orders[i].bus))
            missing_kw[p->orders[i].step] -= r->order_kw[i];
    for (size_t i = 0; i < p->n_order; i++) {
        size_t *best = &roomiest[p->orders[i].step];

        if (market_is_reactive(p, p->orders[i].bus))
            continue;
        if (*best == SIZE_MAX || order_room(p, r, i) > order_room(p, r, *best))
            *best = i;
    }
    for (size_t t = 0; t < n_step; t++)
        if (roomiest[t] != SIZE_MAX && fabs(missing_kw[t]) <= order_room(p, r, roomiest[t]))
            r->order_kw[roomiest[t]] += missing_kw[t];
}

static enum walras_status copy_limits(struct award *a, struct market_result *r,
                                      struct walras_err *err)
{
    const struct market_plan *plan = &a->plan;
    double mwh_per_kw = a->problem->step_h / 1000.0;
    double least = 1e-6; /* less is what the master's accuracy leaves */

    r->binding = calloc(plan->n_shadow + 1, sizeof(*r->binding));
    r->breach = calloc(plan->n_breach + 2 * r->n_step + 1, sizeof(*r->breach));
    if (!r->binding || !r->breach)
        return walras_fail(err, WALRAS_NOMEM, "the result does not fit in memory");
    for (size_t i = 0; i < plan->n_shadow; i++) {
        const struct market_shadow *s = &plan->shadows[i];

        if (s->price_per_mwh > 0.0)
            r->binding[r->n_binding++] =
                (struct market_binding){s->limit, s->step, s->direction, s->price_per_mwh};
    }
    for (size_t i = 0; i < plan->n_breach; i++) {
        const struct market_shadow *s = &plan->breaches[i];
        double soft = market_breach_price(a->problem, s->limit, s->direction);
        double cost = isfinite(soft) ? soft * s->price_per_mwh * mwh_per_kw : 0.0;

        r->breach[r->n_breach++] = (struct market_breach){
            MARKET_BREACH_LIMIT, s->limit, s->step, s->direction, s->price_per_mwh, cost};
    }
    for (uint32_t t = 0; t < r->n_step; t++)
        least = fmax(least, 1e-6 * fmax(plan->shortage_kw[t], plan->surplus_kw[t]));
    for (uint32_t t = 0; t < r->n_step && !plan->feasible; t++) {
        if (plan->shortage_kw[t] > least)
            r->breach[r->n_breach++] =
                (struct market_breach){MARKET_BREACH_SHORTAGE, 0, t, 0, plan->shortage_kw[t], 0.0};
        if (plan->surplus_kw[t] > least)
            r->breach[r->n_breach++] =
                (struct market_breach){MARKET_BREACH_SURPLUS, 0, t, 0, plan->surplus_kw[t], 0.0};
    }
    return WALRAS_OK;
}

/* Cost of orders, groups, priced breaches and what is fixed. */
static double plan_cost(const struct market_problem *p, const struct market_plan *plan,
                        const double *order_kw, const double *group_cost)
{
    double money = p->step_h / 1000.0, cost = p->firm_cost;

    for (size_t i = 0; i < p->n_order; i++) {
        const struct market_order *order = &p->orders[i];

        cost += money * market_order_cost(order, order_kw[i]);
    }
    for (size_t g = 0; g < p->n_group; g++)
        cost += group_cost[g];
    for (size_t i = 0; i < plan->n_breach; i++) {
        const struct market_shadow *breach = &plan->breaches[i];
        double soft = market_breach_price(p, breach->limit, breach->direction);

        if (isfinite(soft))
            cost += money * soft * breach->price_per_mwh;
    }
    return cost;
}

enum walras_status market_award(const struct market_problem *problem, struct market_method *method,
                                const struct market_asker *asker, const struct market_state *state,
                                size_t n_recall, struct market_result *result,
                                struct walras_err *err)
{
    struct award a = {.problem = problem};
    enum walras_status status = method->ops->plan(method, NULL, NULL, &a.plan, err);

    if (status == WALRAS_OK) {
        result->convex_objective = plan_cost(problem, &a.plan, a.plan.order_kw, a.plan.group_cost);
        status = begin(&a, err);
    }
    if (status == WALRAS_OK && n_recall > 0 && a.plan.feasible)
        status = market_recall(problem, &a.plan, n_recall, &result->recall_price_per_mwh,
                               &result->n_recall, err);
    if (status == WALRAS_OK)
        status = market_settle(problem, method, asker, &a.plan, &a.settled, err);
    if (status == WALRAS_OK)
        status = copy_plan(&a, result, err);
    if (status == WALRAS_OK)
        status = copy_points(&a, result, err);
    if (status == WALRAS_OK)
        status = copy_limits(&a, result, err);
    if (status == WALRAS_OK) {
        balance_exactly(problem, result, &a.plan, a.missing_kw, a.roomiest);
        result->objective = plan_cost(problem, &a.plan, result->order_kw, result->group_cost);
        result->has_plan = a.plan.feasible;
        result->settled = a.settled.n_settled > 0;
        result->bound = state->bound;
    }
    end(&a);
    return status;
}
