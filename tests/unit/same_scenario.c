#include "same_scenario.h"

#include "scenario/expand.h"
#include "scenario/fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool differ(const char *what, size_t index)
{
    fprintf(stderr, "scenarios differ: %s %zu\n", what, index);
    return false;
}

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same_series(struct walras_series a, struct walras_series b, size_t n)
{
    if (!a.values || !b.values)
        return !a.values && !b.values;
    for (size_t t = 0; t < n; t++)
        if (!same(walras_series_at(a, t), walras_series_at(b, t)))
            return false;
    return a.stride == b.stride;
}

static bool same_network(const struct grid_network *a, const struct grid_network *b)
{
    if (a->n_bus != b->n_bus || a->n_line != b->n_line || a->slack != b->slack ||
        a->base_mva != b->base_mva || a->slack_v_pu != b->slack_v_pu)
        return differ("network", 0);
    for (size_t i = 0; i < a->n_bus; i++) {
        const struct grid_bus *x = &a->buses[i], *y = &b->buses[i];

        if (strcmp(x->id, y->id) != 0 || x->base_kv != y->base_kv || x->v_min_pu != y->v_min_pu ||
            x->v_max_pu != y->v_max_pu || x->load_kw != y->load_kw ||
            x->load_kvar != y->load_kvar || x->shunt_draw_kw != y->shunt_draw_kw ||
            x->shunt_inject_kvar != y->shunt_inject_kvar || x->slack_v_pu != y->slack_v_pu)
            return differ("bus", i);
    }
    for (size_t i = 0; i < a->n_line; i++) {
        const struct grid_line *x = &a->lines[i], *y = &b->lines[i];

        if (strcmp(x->id, y->id) != 0 || x->from != y->from || x->to != y->to ||
            x->r_pu != y->r_pu || x->x_pu != y->x_pu || x->b_pu != y->b_pu ||
            x->limit_kw != y->limit_kw || x->limit_kva != y->limit_kva || x->tap != y->tap ||
            x->shift_rad != y->shift_rad || x->in_service != y->in_service)
            return differ("line", i);
    }
    return true;
}

static bool same_field(const struct agent_device *a, const struct agent_device *b,
                       const struct scenario_field *field, size_t n)
{
    const void *x = scenario_field_in(a, field), *y = scenario_field_in(b, field);

    switch (field->kind) {
    case SCENARIO_NUMBER:
        return same(*(const double *)x, *(const double *)y);
    case SCENARIO_SERIES:
        return same_series(*(const struct walras_series *)x, *(const struct walras_series *)y, n);
    case SCENARIO_STEP:
        return *(const uint32_t *)x == *(const uint32_t *)y;
    case SCENARIO_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case SCENARIO_OWN:
        break;
    }
    return true;
}

static bool same_blocks(const struct agent_segment *a, const struct agent_segment *b, size_t n)
{
    if (!a || !b)
        return n == 0;
    for (size_t i = 0; i < n; i++)
        if (a[i].width_kw != b[i].width_kw || a[i].price_per_mwh != b[i].price_per_mwh)
            return false;
    return true;
}

static bool same_curve(const struct agent_segment *a, const uint32_t *first_a,
                       const struct agent_segment *b, const uint32_t *first_b, size_t n_list)
{
    if (!first_a || !first_b)
        return !first_a && !first_b;
    for (size_t k = 0; k <= n_list; k++)
        if (first_a[k] != first_b[k])
            return false;
    return same_blocks(a, b, first_a[n_list]);
}

static bool same_own(const struct agent_device *a, const struct agent_device *b, size_t n)
{
    const struct agent_generator *g = &a->generator, *h = &b->generator;

    switch (a->type) {
    case AGENT_THERMAL:
        return a->thermal.cool == b->thermal.cool;
    case AGENT_SHIFTABLE:
        return a->shiftable.n_profile == b->shiftable.n_profile &&
               memcmp(a->shiftable.profile_kw, b->shiftable.profile_kw,
                      a->shiftable.n_profile * sizeof(double)) == 0;
    case AGENT_GENERATOR:
        return g->n_segment == h->n_segment && !g->segments == !h->segments &&
               same_blocks(g->segments, h->segments, g->n_segment) &&
               g->committed == h->committed && g->per_mw2h == h->per_mw2h &&
               g->per_mwh == h->per_mwh && g->per_h == h->per_h;
    case AGENT_BID:
        n = a->bid.one_list ? 1 : n;
        return a->bid.one_list == b->bid.one_list &&
               same_curve(a->bid.demand, a->bid.demand_first, b->bid.demand, b->bid.demand_first,
                          n) &&
               same_curve(a->bid.offer, a->bid.offer_first, b->bid.offer, b->bid.offer_first, n);
    case AGENT_LP:
        return strcmp(a->lp.path, b->lp.path) == 0;
    default:
        return true;
    }
}

static bool same_device(const struct agent_device *a, const struct agent_device *b, size_t n)
{
    if (a->type != b->type || strcmp(a->id, b->id) != 0 || a->power_factor != b->power_factor)
        return false;

    struct scenario_fields fields = scenario_fields_of(a->type);

    for (size_t i = 0; i < fields.n; i++)
        if (!same_field(a, b, &fields.list[i], n)) {
            fprintf(stderr, "key %s: ", fields.list[i].key);
            return false;
        }
    return same_own(a, b, n);
}

static bool same_supply(const struct scenario_supply *a, const struct scenario_supply *b, size_t n)
{
    return strcmp(a->id, b->id) == 0 && a->bus == b->bus &&
           same_series(a->price_per_mwh, b->price_per_mwh, n) &&
           same_series(a->export_price_per_mwh, b->export_price_per_mwh, n) &&
           same_series(a->import_limit_kw, b->import_limit_kw, n) &&
           same_series(a->export_limit_kw, b->export_limit_kw, n);
}

bool same_scenario(const struct scenario *a, const struct scenario *b)
{
    size_t n = a->horizon.n_step;

    if (strcmp(a->name, b->name) != 0 || strcmp(a->currency, b->currency) != 0 ||
        a->start_utc_s != b->start_utc_s || a->start_offset_min != b->start_offset_min ||
        a->step_min != b->step_min || n != b->horizon.n_step ||
        a->horizon.step_h != b->horizon.step_h)
        return differ("horizon or title", 0);
    if (a->model != b->model || a->rating_scale != b->rating_scale ||
        !same(a->line_overload_price_per_mwh, b->line_overload_price_per_mwh) ||
        !same(a->voltage_violation_price_per_pu_h, b->voltage_violation_price_per_pu_h))
        return differ("grid", 0);
    if (!same_network(&a->network, &b->network))
        return false;
    if (a->n_supply != b->n_supply || a->n_agent != b->n_agent || a->n_device != b->n_device)
        return differ("counts", 0);
    for (size_t i = 0; i < a->n_supply; i++)
        if (!same_supply(&a->supplies[i], &b->supplies[i], n))
            return differ("supply", i);
    for (size_t i = 0; i < a->n_agent; i++)
        if (strcmp(a->agents[i].id, b->agents[i].id) != 0 || a->agents[i].bus != b->agents[i].bus ||
            a->agents[i].first_device != b->agents[i].first_device ||
            a->agents[i].n_device != b->agents[i].n_device)
            return differ("agent", i);
    for (size_t i = 0; i < a->n_device; i++)
        if (a->device_agent[i] != b->device_agent[i] ||
            !same_device(&a->devices[i], &b->devices[i], n))
            return differ("device", i);
    return true;
}

char *expanded(const struct scenario *scenario)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    if (!file)
        return NULL;
    scenario_expand(scenario, file);
    fclose(file);
    return text;
}
