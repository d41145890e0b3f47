/*
 * What the certificate finds out in the model lindistflow: prices from shadow prices, and flows,
 * voltages and breaches from draws, both by scenario/feeder.h.
 */
#include "core/units.h"
#include "scenario/certificate_internal.h"
#include "scenario/nodes.h"

#include <stdlib.h>

enum { SIDES = 12 };
static const double voltage_rounding_pu = 1e-9;

struct worths {                  /* what one more of each is worth in a step, currency per MWh */
    double *line_kw, *line_kvar; /* [n_line] */
    double *of_w, *per_kw, *per_kvar;    /* [n_bus] */
    double *draw_kw, *draw_kvar, *w;     /* [n_bus] */
    double *flow_kw, *flow_kvar;         /* [n_line] */
    double *fixed_kvar;                  /* [n_bus x n_step] */
    const struct market_binding **order; /* by step */
    double *circle;                      /* as certificate_find_feeder_prices has it */
    double *memory;
};

static void release(struct worths *worths)
{
    free(worths->memory);
    free(worths->order);
}

static enum walras_status take_memory(const struct scenario_result *result, struct worths *worths,
                                      struct walras_err *err)
{
    size_t n_bus = result->scenario->network.n_bus, n_line = result->scenario->network.n_line;
    double **of_bus[] = {&worths->of_w,    &worths->per_kw,    &worths->per_kvar,
                         &worths->draw_kw, &worths->draw_kvar, &worths->w};
    double **of_line[] = {&worths->line_kw, &worths->line_kvar, &worths->flow_kw,
                          &worths->flow_kvar};
    double *at = calloc((6 + result->scenario->horizon.n_step) * n_bus + 4 * n_line, sizeof(*at));

    *worths = (struct worths){.memory = at};
    worths->order = calloc(result->market->n_binding + 1, sizeof(*worths->order));
    if (!at || !worths->order)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold the voltages of %zu buses", n_bus);
    for (size_t i = 0; i < 6; i++, at += n_bus)
        *of_bus[i] = at;
    for (size_t i = 0; i < 4; i++, at += n_line)
        *of_line[i] = at;
    worths->fixed_kvar = at;
    return WALRAS_OK;
}

static int by_step(const void *left, const void *right)
{
    const struct market_binding *a = *(const struct market_binding *const *)left;
    const struct market_binding *b = *(const struct market_binding *const *)right;

    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    return (a > b) - (a < b);
}

static void add_fixed_kvar(const struct scenario *scenario, double *fixed_kvar)
{
    size_t n_step = scenario->horizon.n_step;

    for (size_t i = 0; i < scenario->n_device; i++)
        for (size_t t = 0; t < n_step; t++)
            fixed_kvar[scenario_device_bus(scenario, i) * n_step + t] +=
                scenario_reactive_of(&scenario->devices[i], t).fixed_kvar;
}

/* Flows and voltages of a step at what is drawn whatever is decided. */
static void solve_base(const struct scenario_result *result, const struct scenario_feeder *feeder,
                       struct worths *worths, size_t step)
{
    const struct scenario *scenario = result->scenario;

    for (size_t b = 0; b < scenario->network.n_bus; b++) {
        worths->draw_kw[b] = 0.0;
        worths->draw_kvar[b] = worths->fixed_kvar[b * scenario->horizon.n_step + step];
    }
    scenario_feeder_solve(feeder, worths->draw_kw, worths->draw_kvar, worths->flow_kw,
                          worths->flow_kvar, worths->w);
}

/* A shadow price counts no more than a breach costs, where that is for sale. */
static double shadow_price(const struct market_binding *binding, double most_per_mwh)
{
    double price = fmax(0.0, binding->shadow_price_per_mwh);

    return isnan(most_per_mwh) ? price : fmin(price, most_per_mwh);
}

/* Returns μ times the room that the limit leaves, currency per MWh times kW. */
static double worth_line(const struct scenario_result *result, struct worths *worths,
                         const struct market_binding *binding, const struct grid_limit *limit)
{
    const struct scenario *s = result->scenario;
    double price = shadow_price(binding, s->line_overload_price_per_mwh);
    double angle = acos(-1.0) * (1.0 + 2.0 * limit->side) / SIDES;
    double kva = s->network.lines[limit->index].limit_kva * s->rating_scale;

    if (limit->kind == GRID_LIMIT_LINE) {
        worths->line_kw[limit->index] += binding->direction * price;
        return price * certificate_limit_kw(s, limit->index);
    }
    worths->line_kw[limit->index] += price * cos(angle);
    worths->line_kvar[limit->index] += price * sin(angle);
    return price * (kva * cos(acos(-1.0) / SIDES) - sin(angle) * worths->flow_kvar[limit->index]);
}

static double worth_voltage(const struct scenario_result *result, struct worths *worths,
                            const struct market_binding *binding, const struct grid_limit *limit)
{
    const struct grid_bus *bus = &result->scenario->network.buses[limit->index];
    double v_pu = binding->direction > 0 ? bus->v_max_pu : bus->v_min_pu;
    double unit = grid_limits_unit_per_kw(result->limits, binding->row, binding->direction);
    double most = walras_kw_from_mw(result->scenario->voltage_violation_price_per_pu_h) * unit;
    double per_w = shadow_price(binding, most) / (2.0 * v_pu * unit);

    worths->of_w[limit->index] += binding->direction * per_w;
    return per_w * binding->direction * (v_pu * v_pu - worths->w[limit->index]);
}

/* One side of an inverter's limit: what kW and kvar cost more at its terminal than at its bus. */
static double worth_inverter(const struct scenario_result *result, struct worths *worths,
                             const struct market_binding *binding, const struct grid_limit *limit)
{
    const struct scenario *s = result->scenario;
    size_t inverter = limit->index - s->network.n_line, n_step = s->horizon.n_step;
    double price = fmax(0.0, binding->shadow_price_per_mwh);
    double angle = acos(-1.0) * (1.0 + 2.0 * limit->side) / SIDES;
    double kva = agent_device_apparent_kva(&s->devices[result->inverters[inverter].device]);
    double *kw = worths->circle + inverter * n_step + binding->step;

    kw[0] += price * cos(angle);
    kw[result->n_inverter * n_step] += price * sin(angle);
    return price * kva * cos(acos(-1.0) / SIDES);
}

static double worth_island(const struct scenario_result *result, struct worths *worths,
                           const struct market_binding *binding, const struct grid_limit *limit)
{
    (void)result;
    worths->per_kw[limit->index] -= binding->direction * binding->shadow_price_per_mwh;
    return 0.0;
}

static double worth(const struct scenario_result *result, struct worths *worths,
                    const struct market_binding *binding)
{
    const struct grid_limit *limit = grid_limits_at(result->limits, binding->row);

    switch (limit->kind) {
    case GRID_LIMIT_VOLTAGE:
        return worth_voltage(result, worths, binding, limit);
    case GRID_LIMIT_ISLAND:
        return worth_island(result, worths, binding, limit);
    case GRID_LIMIT_INVERTER:
        return worth_inverter(result, worths, binding, limit);
    case GRID_LIMIT_LOSS: /* of no line: certificate_losses.c */
        return 0.0;
    default:
        return worth_line(result, worths, binding, limit);
    }
}

static void begin_step(const struct scenario_result *result, struct worths *worths, size_t step)
{
    const struct grid_network *network = &result->scenario->network;

    for (size_t l = 0; l < network->n_line; l++)
        worths->line_kw[l] = worths->line_kvar[l] = 0.0;
    for (size_t b = 0; b < network->n_bus; b++) {
        worths->of_w[b] = worths->per_kvar[b] = 0.0;
        worths->per_kw[b] = result->market->energy_price_per_mwh[step];
    }
}

enum walras_status certificate_find_feeder_prices(const struct scenario_result *result,
                                                  const struct scenario_feeder *feeder,
                                                  double *price_per_mwh, double *price_per_mvarh,
                                                  double *circle, double *limit_value,
                                                  struct walras_err *err)
{
    const struct scenario *s = result->scenario;
    const struct market_result *market = result->market;
    size_t n_step = s->horizon.n_step, k = 0;
    struct worths worths;
    enum walras_status status = take_memory(result, &worths, err);
    double value = 0.0;

    worths.circle = circle;
    for (size_t i = 0; i < market->n_binding && status == WALRAS_OK; i++)
        worths.order[i] = &market->binding[i];
    if (status == WALRAS_OK) {
        qsort(worths.order, market->n_binding, sizeof(*worths.order), by_step);
        add_fixed_kvar(s, worths.fixed_kvar);
    }
    for (size_t t = 0; t < n_step && status == WALRAS_OK; t++) {
        solve_base(result, feeder, &worths, t);
        begin_step(result, &worths, t);
        for (; k < market->n_binding && worths.order[k]->step == t; k++)
            value += worth(result, &worths, worths.order[k]);
        scenario_feeder_price(feeder, worths.line_kw, worths.line_kvar, worths.of_w, worths.per_kw,
                              worths.per_kvar);
        for (size_t b = 0; b < s->network.n_bus; b++) {
            price_per_mwh[b * n_step + t] = worths.per_kw[b];
            price_per_mvarh[b * n_step + t] = worths.per_kvar[b];
        }
    }
    *limit_value = walras_mwh(value, s->horizon.step_h);
    for (size_t i = 0; i < market->n_binding && status == WALRAS_OK; i++)
        if (grid_limit_is_loss(grid_limits_at(result->limits, market->binding[i].row)))
            *limit_value +=
                certificate_worth_loss(result, &market->binding[i], price_per_mwh, price_per_mvarh);
    release(&worths);
    return status;
}

static void judge_line(const struct scenario_result *result, const struct worths *worths, size_t l,
                       size_t step, struct scenario_certificate *out)
{
    const struct scenario *s = result->scenario;
    size_t at = l * s->horizon.n_step + step;
    double kw = worths->flow_kw[l], kvar = worths->flow_kvar[l];
    double error_kw = fmax(fabs(result->flow_kw[at] - kw), fabs(result->flow_kvar[at] - kvar));
    double over_kw = fmax(0.0, fabs(kw) - certificate_limit_kw(s, l));
    double kva = s->network.lines[l].limit_kva * s->rating_scale, all_kw = over_kw;

    certificate_keep_worst(error_kw, l, step, &out->max_flow_error_kw, &out->flow_error);
    if (!s->network.lines[l].in_service)
        return;
    certificate_keep_worst(over_kw, l, step, &out->max_line_breach_kw, &out->line_breach);
    for (unsigned side = 0; side < SIDES && kva > 0.0 && isfinite(kva); side++) {
        double angle = acos(-1.0) * (1.0 + 2.0 * side) / SIDES;
        double over_kva = cos(angle) * kw + sin(angle) * kvar - kva * cos(acos(-1.0) / SIDES);

        certificate_keep_worst(over_kva, l, step, &out->max_line_breach_kw, &out->line_breach);
        all_kw += fmax(0.0, over_kva);
    }
    if (!isnan(s->line_overload_price_per_mwh))
        out->breach_cost += s->line_overload_price_per_mwh * walras_mwh(all_kw, s->horizon.step_h);
}

static void judge_voltage(const struct scenario_result *result, const struct worths *worths,
                          size_t b, size_t step, struct scenario_certificate *out)
{
    const struct scenario *s = result->scenario;
    const struct grid_bus *bus = &s->network.buses[b];
    double w = worths->w[b], v = sqrt(fmax(w, 0.0)), low_pu = 0.0, high_pu = 0.0;
    double error_pu = fabs(result->v_pu[b * s->horizon.n_step + step] - v);

    if (bus->v_min_pu > 0.0)
        low_pu = (bus->v_min_pu * bus->v_min_pu - w) / (2.0 * bus->v_min_pu);
    if (isfinite(bus->v_max_pu) && bus->v_max_pu > 0.0)
        high_pu = (w - bus->v_max_pu * bus->v_max_pu) / (2.0 * bus->v_max_pu);
    double breach_pu = fmax(0.0, fmax(low_pu, high_pu));

    certificate_keep_worst(error_pu, b, step, &out->max_voltage_error_pu, &out->voltage_error);
    certificate_keep_worst(breach_pu, b, step, &out->max_voltage_breach_pu, &out->voltage_breach);
    if (!isnan(s->voltage_violation_price_per_pu_h) && breach_pu > voltage_rounding_pu)
        out->breach_cost += s->voltage_violation_price_per_pu_h * breach_pu * s->horizon.step_h;
}

/* A tree without a line to the others has no one else to draw from. */
static void judge_trees(const struct grid_network *network, const struct worths *worths,
                        size_t step, struct scenario_certificate *out)
{
    struct scenario_place place = {.step = out->imbalance_step};

    for (size_t b = 0; b < network->n_bus; b++)
        if (grid_network_is_slack(network, b))
            certificate_keep_worst(fabs(worths->draw_kw[b]), b, step, &out->max_imbalance_kw,
                                   &place);
    out->imbalance_step = place.step;
}

enum walras_status
certificate_judge_feeder(const struct scenario_result *result, const struct scenario_feeder *feeder,
                         const double *injection_kw, const double *injection_kvar,
                         struct scenario_certificate *out, struct walras_err *err)
{
    const struct grid_network *network = &result->scenario->network;
    size_t n_step = result->scenario->horizon.n_step;
    struct worths worths;
    enum walras_status status = take_memory(result, &worths, err);

    for (size_t t = 0; t < n_step && status == WALRAS_OK; t++) {
        for (size_t b = 0; b < network->n_bus; b++) {
            worths.draw_kw[b] = -injection_kw[b * n_step + t];
            worths.draw_kvar[b] = -injection_kvar[b * n_step + t];
        }
        scenario_feeder_solve(feeder, worths.draw_kw, worths.draw_kvar, worths.flow_kw,
                              worths.flow_kvar, worths.w);
        judge_trees(network, &worths, t, out);
        for (size_t l = 0; l < network->n_line; l++)
            judge_line(result, &worths, l, t, out);
        for (size_t b = 0; b < network->n_bus; b++)
            judge_voltage(result, &worths, b, t, out);
    }
    release(&worths);
    return status;
}
