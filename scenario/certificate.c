#include "scenario/certificate.h"

#include "scenario/certificate_internal.h"

/* Sizes that the checks are compared with: 1 when everything is small. */
struct sizes {
    double kw, price_per_mwh, cost;
};

static struct sizes find_sizes(const struct scenario_result *result,
                               const struct scenario_certificate *certificate)
{
    const struct scenario *scenario = result->scenario;
    size_t n_step = scenario->horizon.n_step;
    struct sizes sizes = {.kw = 1.0, .price_per_mwh = 1.0, .cost = 1.0};

    for (size_t t = 0; t < n_step; t++) {
        double gross_kw = 0.0;

        for (size_t d = 0; d < scenario->n_device; d++)
            gross_kw += fabs(result->award_kw[d * n_step + t]);
        for (size_t i = 0; i < scenario->n_supply; i++) /* may pass through, past all devices */
            gross_kw +=
                fabs(result->import_kw[i * n_step + t]) + fabs(result->export_kw[i * n_step + t]);
        sizes.kw = fmax(sizes.kw, gross_kw);
    }
    for (size_t i = 0; i < scenario->network.n_bus * n_step; i++)
        sizes.price_per_mwh = fmax(sizes.price_per_mwh, fabs(result->market->price_per_mwh[i]));
    sizes.cost = fmax(sizes.cost, fabs(certificate->objective));
    return sizes;
}

static bool is_clean(const struct scenario_result *result, const struct scenario_certificate *c)
{
    struct sizes sizes = find_sizes(result, c);
    bool soft = !isnan(result->scenario->line_overload_price_per_mwh);

    return c->max_imbalance_kw <= CERTIFICATE_TOLERANCE * sizes.kw &&
           (soft || c->max_line_breach_kw <= CERTIFICATE_TOLERANCE * sizes.kw) &&
           c->max_flow_error_kw <= CERTIFICATE_TOLERANCE * sizes.kw && c->n_device_breach == 0 &&
           c->max_supply_breach_kw <= CERTIFICATE_TOLERANCE * sizes.kw &&
           c->max_price_error_per_mwh <= CERTIFICATE_TOLERANCE * sizes.price_per_mwh &&
           c->objective <= result->market->objective + CERTIFICATE_TOLERANCE * sizes.cost &&
           c->dual_bound >= result->market->bound - CERTIFICATE_TOLERANCE * sizes.cost &&
           c->dual_bound <= c->objective + CERTIFICATE_TOLERANCE * sizes.cost;
}

enum walras_status scenario_certify(const struct scenario_result *result,
                                    struct scenario_certificate *certificate,
                                    struct walras_err *err)
{
    struct scenario_certificate found = {0};
    struct scenario_angles *angles = NULL;
    enum walras_status status = WALRAS_OK;

    if (result->scenario->model == SCENARIO_DC)
        status = scenario_angles_new(&result->scenario->network, &angles, err);
    if (status == WALRAS_OK)
        status = certificate_judge_plan(result, angles, &found, err);
    if (status == WALRAS_OK)
        status = certificate_judge_prices(result, angles, &found, err);
    scenario_angles_free(angles);
    if (status != WALRAS_OK)
        return status;
    found.gap = (found.objective - found.dual_bound) / fmax(1.0, fabs(found.objective));
    found.clean = is_clean(result, &found);
    *certificate = found;
    return WALRAS_OK;
}
