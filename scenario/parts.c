#include "scenario/parts.h"

#include <stdlib.h>

void scenario_parts_free(struct scenario_parts *parts)
{
    if (!parts)
        return;
    free(parts->energy);
    free(parts);
}

static double *part_of(const struct scenario_parts *parts, enum grid_limit_kind kind)
{
    switch (kind) {
    case GRID_LIMIT_VOLTAGE:
        return parts->voltage;
    case GRID_LIMIT_LOSS:
        return parts->loss;
    case GRID_LIMIT_ISLAND: /* the slack's own price is energy */
        return parts->energy;
    default:
        return parts->congestion;
    }
}

/* kw, kvar [n_bus]: what injections do to the limit. */
static void add(struct scenario_parts *parts, const struct market_binding *binding, double *part,
                const struct scenario *scenario, const double *kw, const double *kvar)
{
    size_t n_step = scenario->horizon.n_step;
    double mu = binding->direction * binding->shadow_price_per_mwh;

    for (size_t b = 0; b < scenario->network.n_bus; b++) {
        part[b * n_step + binding->step] -= mu * kw[b];
        parts->reactive_per_mvarh[b * n_step + binding->step] -= mu * kvar[b];
    }
}

/* Whether a limit's effects are those that were found for another binding. */
static bool is_same(const struct grid_limits *limits, const struct market_binding *a,
                    const struct market_binding *b)
{
    return a && a->row == b->row &&
           (a->step == b->step || !grid_limit_is_loss(grid_limits_at(limits, a->row)));
}

static int by_row(const void *left, const void *right)
{
    const struct market_binding *a = *(const struct market_binding *const *)left;
    const struct market_binding *b = *(const struct market_binding *const *)right;

    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    return (a > b) - (a < b);
}

/* Each limit's effects are found once; inverters' are on their own terminals, not on buses. */
static enum walras_status add_all(struct scenario_parts *parts, const struct market_result *market,
                                  struct grid_limits *limits, const struct scenario *scenario,
                                  struct walras_err *err)
{
    size_t n_bus = grid_limits_buses(limits);
    const struct market_binding **order = calloc(market->n_binding + 1, sizeof(*order));
    const struct market_binding *previous = NULL;
    double *kw = calloc(2 * n_bus, sizeof(*kw));
    enum walras_status status = WALRAS_OK;

    if (!order || !kw)
        status = walras_fail(err, WALRAS_NOMEM, "%zu shadow prices do not fit in memory",
                             market->n_binding);
    for (size_t k = 0; k < market->n_binding && status == WALRAS_OK; k++)
        order[k] = &market->binding[k];
    if (status == WALRAS_OK)
        qsort(order, market->n_binding, sizeof(*order), by_row);
    for (size_t k = 0; k < market->n_binding && status == WALRAS_OK; k++) {
        enum grid_limit_kind kind = grid_limits_at(limits, order[k]->row)->kind;

        if (!is_same(limits, previous, order[k]))
            status = grid_limits_effect(limits, order[k]->row, order[k]->step, kw, kw + n_bus, err);
        previous = order[k];
        if (status == WALRAS_OK && kind != GRID_LIMIT_INVERTER)
            add(parts, order[k], part_of(parts, kind), scenario, kw, kw + n_bus);
    }
    free(order);
    free(kw);
    return status;
}

enum walras_status scenario_parts_new(const struct market_result *market,
                                      struct grid_limits *limits, const struct scenario *scenario,
                                      struct scenario_parts **made, struct walras_err *err)
{
    size_t n_step = scenario->horizon.n_step, n_cell = scenario->network.n_bus * n_step;
    struct scenario_parts *parts = calloc(1, sizeof(*parts));
    enum walras_status status = WALRAS_OK;

    if (parts)
        parts->energy = calloc(5 * n_cell, sizeof(*parts->energy));
    if (!parts || !parts->energy) {
        scenario_parts_free(parts);
        return walras_fail(err, WALRAS_NOMEM, "the prices of %zu buses do not fit in memory",
                           scenario->network.n_bus);
    }
    parts->congestion = parts->energy + n_cell;
    parts->voltage = parts->energy + 2 * n_cell;
    parts->loss = parts->energy + 3 * n_cell;
    parts->reactive_per_mvarh = parts->energy + 4 * n_cell;
    for (size_t i = 0; i < n_cell; i++)
        parts->energy[i] = market->energy_price_per_mwh[i % n_step];
    if (limits)
        status = add_all(parts, market, limits, scenario, err);
    if (status == WALRAS_OK)
        *made = parts;
    else
        scenario_parts_free(parts);
    return status;
}
