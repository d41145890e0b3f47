#include "scenario/certificate_internal.h"

#include "core/units.h"

#include <stdlib.h>

static void add_supply(const struct scenario_result *result, double *injection_kw)
{
    const struct scenario *scenario = result->scenario;
    size_t n_step = scenario->horizon.n_step;

    for (size_t s = 0; s < scenario->n_supply; s++) {
        double *at_bus = injection_kw + scenario->supplies[s].bus * n_step;

        for (size_t t = 0; t < n_step; t++)
            at_bus[t] += result->import_kw[s * n_step + t] - result->export_kw[s * n_step + t];
    }
}

/* Slacks in their order, each with what its tree draws to cover its losses. */
static void add_losses(const struct scenario_result *result, double *injection_kw)
{
    const struct grid_network *network = &result->scenario->network;
    size_t n_step = result->scenario->horizon.n_step, tree = 0;

    for (size_t b = 0; b < network->n_bus && result->loss_kw; b++) {
        if (!grid_network_is_slack(network, b))
            continue;
        for (size_t t = 0; t < n_step; t++)
            injection_kw[b * n_step + t] -= result->loss_kw[tree * n_step + t];
        tree++;
    }
}

static void judge_balance(const struct scenario *scenario, const double *injection_kw,
                          struct scenario_certificate *out)
{
    struct scenario_place place = {0};

    for (size_t t = 0; t < scenario->horizon.n_step; t++) {
        double sum_kw = 0.0;

        for (size_t b = 0; b < scenario->network.n_bus; b++)
            sum_kw += injection_kw[b * scenario->horizon.n_step + t];
        certificate_keep_worst(fabs(sum_kw), 0, t, &out->max_imbalance_kw, &place);
    }
    out->imbalance_step = place.step;
}

static void judge_flows_of_step(const struct scenario_result *result, const double *angle_rad,
                                size_t step, struct scenario_certificate *out)
{
    const struct scenario *scenario = result->scenario;
    size_t n_step = scenario->horizon.n_step;
    double overload_price = scenario->line_overload_price_per_mwh;

    for (size_t l = 0; l < scenario->network.n_line; l++) {
        double flow_kw = scenario_line_flow_kw(&scenario->network, l, angle_rad);
        double error_kw = fabs(result->flow_kw[l * n_step + step] - flow_kw);
        double breach_kw = fabs(flow_kw) - certificate_limit_kw(scenario, l);

        certificate_keep_worst(error_kw, l, step, &out->max_flow_error_kw, &out->flow_error);
        if (!scenario->network.lines[l].in_service || !(breach_kw > 0.0))
            continue;
        certificate_keep_worst(breach_kw, l, step, &out->max_line_breach_kw, &out->line_breach);
        if (!isnan(overload_price))
            out->breach_cost += overload_price * walras_mwh(breach_kw, scenario->horizon.step_h);
    }
}

static enum walras_status judge_flows(const struct scenario_result *result,
                                      const struct scenario_angles *angles,
                                      const double *injection_kw, struct scenario_certificate *out,
                                      struct walras_err *err)
{
    const struct scenario *scenario = result->scenario;
    size_t n_bus = scenario->network.n_bus, n_step = scenario->horizon.n_step;
    double *now_kw = malloc(2 * n_bus * sizeof(*now_kw));

    if (!now_kw)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold the angles of %zu buses", n_bus);
    for (size_t t = 0; t < n_step; t++) {
        for (size_t b = 0; b < n_bus; b++)
            now_kw[b] = injection_kw[b * n_step + t];
        scenario_angles_add_shifts(angles, now_kw);
        scenario_angles_solve(angles, now_kw, now_kw + n_bus);
        judge_flows_of_step(result, now_kw + n_bus, t, out);
    }
    free(now_kw);
    return WALRAS_OK;
}

static void judge_supply(const struct scenario_result *result, struct scenario_certificate *out)
{
    const struct scenario *scenario = result->scenario;
    size_t n_step = scenario->horizon.n_step;

    for (size_t s = 0; s < scenario->n_supply; s++)
        for (size_t t = 0; t < n_step; t++) {
            const struct scenario_supply *supply = &scenario->supplies[s];
            double import_kw = result->import_kw[s * n_step + t];
            double export_kw = result->export_kw[s * n_step + t];
            double over_kw = fmax(import_kw - walras_series_at(supply->import_limit_kw, t),
                                  export_kw - walras_series_at(supply->export_limit_kw, t));
            double under_kw = fmax(-import_kw, -export_kw);

            certificate_keep_worst(fmax(over_kw, under_kw), s, t, &out->max_supply_breach_kw,
                                   &out->supply_breach);
            out->supply_cost += walras_series_at(supply->price_per_mwh, t) *
                                    walras_mwh(import_kw, scenario->horizon.step_h) -
                                walras_series_at(supply->export_price_per_mwh, t) *
                                    walras_mwh(export_kw, scenario->horizon.step_h);
        }
}

enum walras_status certificate_judge_plan(const struct scenario_result *result,
                                          const struct scenario_angles *angles,
                                          double *injection_kw, struct scenario_certificate *out,
                                          struct walras_err *err)
{
    add_supply(result, injection_kw);
    add_losses(result, injection_kw);
    judge_balance(result->scenario, injection_kw, out);
    judge_supply(result, out);
    return angles ? judge_flows(result, angles, injection_kw, out, err) : WALRAS_OK;
}
