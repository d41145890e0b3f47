#include "scenario/certificate.h"

#include "core/units.h"
#include "scenario/certificate_internal.h"

#include <stdlib.h>

/* Sizes that the checks are compared with: 1 when everything is small. */
struct sizes {
    double kw, price_per_mwh, cost;
};

static struct sizes find_sizes(const struct scenario_result *result, const double *gross_kw,
                               const struct scenario_certificate *certificate)
{
    const struct scenario *scenario = result->scenario;
    size_t n_step = scenario->horizon.n_step;
    struct sizes sizes = {.kw = 1.0, .price_per_mwh = 1.0, .cost = 1.0};

    for (size_t t = 0; t < n_step; t++) {
        double passing_kw = gross_kw[t];

        for (size_t i = 0; i < scenario->n_supply; i++) /* may pass through, past all devices */
            passing_kw +=
                fabs(result->import_kw[i * n_step + t]) + fabs(result->export_kw[i * n_step + t]);
        sizes.kw = fmax(sizes.kw, passing_kw);
    }
    for (size_t i = 0; i < scenario->network.n_bus * n_step; i++)
        sizes.price_per_mwh = fmax(sizes.price_per_mwh, fabs(result->market->price_per_mwh[i]));
    sizes.cost = fmax(sizes.cost, fabs(certificate->objective));
    return sizes;
}

static bool is_clean(const struct scenario_result *result, const double *gross_kw,
                     const struct scenario_certificate *c)
{
    struct sizes sizes = find_sizes(result, gross_kw, c);
    bool soft = !isnan(result->scenario->line_overload_price_per_mwh);
    bool soft_volts = !isnan(result->scenario->voltage_violation_price_per_pu_h);

    return c->max_imbalance_kw <= CERTIFICATE_TOLERANCE * sizes.kw &&
           (soft || c->max_line_breach_kw <= CERTIFICATE_TOLERANCE * sizes.kw) &&
           (soft_volts || c->max_voltage_breach_pu <= CERTIFICATE_TOLERANCE) &&
           c->max_voltage_error_pu <= CERTIFICATE_TOLERANCE &&
           c->max_flow_error_kw <= CERTIFICATE_TOLERANCE * sizes.kw && c->n_device_breach == 0 &&
           c->max_supply_breach_kw <= CERTIFICATE_TOLERANCE * sizes.kw &&
           c->max_price_error_per_mwh <= CERTIFICATE_TOLERANCE * sizes.price_per_mwh &&
           c->objective <= result->market->objective + CERTIFICATE_TOLERANCE * sizes.cost &&
           c->dual_bound >= result->market->bound - CERTIFICATE_TOLERANCE * sizes.cost &&
           c->dual_bound <= c->objective + CERTIFICATE_TOLERANCE * sizes.cost;
}

static void compare_prices(const struct scenario_result *result, const double *price_per_mwh,
                           struct scenario_certificate *out)
{
    size_t n_step = result->scenario->horizon.n_step;

    for (size_t b = 0; b < result->scenario->network.n_bus; b++)
        for (size_t t = 0; t < n_step; t++) {
            double announced = result->market->price_per_mwh[b * n_step + t];

            certificate_keep_worst(fabs(announced - price_per_mwh[b * n_step + t]), b, t,
                                   &out->max_price_error_per_mwh, &out->price_error);
        }
}

static void take_devices(const struct certificate_device_sums *sums, double step_h,
                         struct scenario_certificate *out)
{
    out->device_cost = sums->cost;
    out->max_device_breach = sums->max_breach;
    out->device_breach = sums->breach;
    out->device_what = sums->what;
    out->n_device_breach = sums->n_breach;
    out->drawn_mwh = walras_mwh(sums->drawn_kw, step_h);
    out->given_mwh = walras_mwh(sums->given_kw, step_h);
}

struct networks { /* what flows and prices are found by; both NULL: there is one bus */
    struct scenario_angles *angles;
    struct scenario_feeder *feeder;
};

/* What tighter limits take off the room that shadow prices are paid for. */
static double tightened_value(const struct scenario_result *result)
{
    double value = 0.0;

    for (size_t k = 0; k < result->market->n_binding; k++) {
        const struct market_binding *at = &result->market->binding[k];

        value += fmax(0.0, at->shadow_price_per_mwh) *
                 walras_mwh(grid_limits_tightened(result->limits, at->row, at->step, at->direction),
                            result->scenario->horizon.step_h);
    }
    return value;
}

static enum walras_status judge(const struct scenario_result *result,
                                const struct networks *networks, double *price_per_mwh,
                                double *price_per_mvarh, double *circle,
                                struct certificate_devices *devices,
                                struct scenario_certificate *out, struct walras_err *err)
{
    struct walras_ranks *ranks = result->ranks;
    size_t n_cell = result->scenario->network.n_bus * result->scenario->horizon.n_step;
    double limit_value = 0.0;
    enum walras_status status = WALRAS_OK;

    if (networks->feeder)
        status = certificate_find_feeder_prices(result, networks->feeder, price_per_mwh,
                                                price_per_mvarh, circle, &limit_value, err);
    else if (walras_ranks_lead(ranks))
        status =
            certificate_find_prices(result, networks->angles, price_per_mwh, &limit_value, err);
    status = walras_ranks_agree(ranks, status, err);
    walras_ranks_broadcast(ranks, price_per_mwh, n_cell * sizeof(*price_per_mwh));
    if (status == WALRAS_OK)
        status =
            certificate_judge_devices(result, price_per_mwh, price_per_mvarh, circle, devices, err);
    status = walras_ranks_agree(ranks, status, err);
    if (status == WALRAS_OK)
        status = certificate_add_ranks(result, devices, out, err);
    if (status != WALRAS_OK || !walras_ranks_lead(ranks))
        return status;
    status = certificate_judge_plan(result, networks->angles, devices->injection_kw, out, err);
    if (status == WALRAS_OK && networks->feeder)
        status = certificate_judge_feeder(result, networks->feeder, devices->injection_kw,
                                          devices->injection_kvar, out, err);
    if (status == WALRAS_OK && devices->injection_kvar)
        status = certificate_judge_physics(result, devices->injection_kw, devices->injection_kvar,
                                           &out->physics, err);
    if (status != WALRAS_OK)
        return status;
    take_devices(&devices->sums, result->scenario->horizon.step_h, out);
    compare_prices(result, price_per_mwh, out);
    out->objective = out->device_cost + out->supply_cost + out->breach_cost;
    out->dual_bound =
        devices->sums.bound + certificate_supply_bound(result->scenario, price_per_mwh) +
        certificate_loss_bound(result, price_per_mwh) - limit_value + tightened_value(result);
    out->gap = (out->objective - out->dual_bound) / fmax(1.0, fabs(out->objective));
    out->clean = is_clean(result, devices->gross_kw, out);
    return WALRAS_OK;
}

enum walras_status scenario_certify(const struct scenario_result *result,
                                    struct scenario_certificate *certificate,
                                    struct walras_err *err)
{
    size_t n_step = result->scenario->horizon.n_step;
    size_t n_cell = result->scenario->network.n_bus * n_step;
    struct scenario_certificate found = {0};
    struct certificate_devices devices = {0};
    struct networks networks = {0};
    bool reactive = result->scenario->model == SCENARIO_LINDISTFLOW;
    double *price_per_mvarh = NULL;
    bool has_grid =
        result->scenario->model != SCENARIO_COPPERPLATE && result->scenario->network.n_line > 0;
    double *memory = calloc(4 * n_cell + n_step, sizeof(*memory));
    double *circle = calloc(2 * result->n_inverter * n_step + 1, sizeof(*circle));
    enum walras_status status = WALRAS_OK;

    if (!memory || !circle)
        status = walras_fail(err, WALRAS_NOMEM, "cannot hold the prices of %zu buses",
                             result->scenario->network.n_bus);
    else if (result->scenario->model == SCENARIO_DC && walras_ranks_lead(result->ranks))
        status = scenario_angles_new(&result->scenario->network, &networks.angles, err);
    else if (reactive)
        status = scenario_feeder_new(&result->scenario->network, &networks.feeder, err);
    status = walras_ranks_agree(result->ranks, status, err);
    if (status == WALRAS_OK && memory) {
        devices.injection_kw = memory + n_cell;
        devices.gross_kw = memory + 2 * n_cell;
        devices.injection_kvar = has_grid ? memory + 2 * n_cell + n_step : NULL;
        price_per_mvarh = reactive ? memory + 3 * n_cell + n_step : NULL;
        status = judge(result, &networks, memory, price_per_mvarh, circle, &devices, &found, err);
    }
    scenario_angles_free(networks.angles);
    scenario_feeder_free(networks.feeder);
    free(circle);
    free(memory);
    if (status != WALRAS_OK)
        return status;
    *certificate = found;
    if (found.elsewhere.agent[0] != '\0')
        certificate->device_what = certificate->elsewhere.what;
    return WALRAS_OK;
}
