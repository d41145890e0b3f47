/* What shadow prices of losses are worth: docs/mathematics.md, L4. */
#include "core/units.h"
#include "scenario/certificate_internal.h"
#include "scenario/losses.h"

static size_t tree_of(const struct grid_losses *given, const struct grid_limit *limit)
{
    size_t j = 0;

    while (given->slack[j] != limit->index)
        j++;
    return j;
}

static double signed_price(const struct market_binding *binding)
{
    return binding->direction * fmax(0.0, binding->shadow_price_per_mwh);
}

double certificate_worth_loss(const struct scenario_result *result,
                              const struct market_binding *binding, double *price_per_mwh,
                              double *price_per_mvarh)
{
    const struct grid_losses *given = scenario_losses_given(result->loss_model);
    const struct grid_limit *limit = grid_limits_at(result->limits, binding->row);
    size_t tree = tree_of(given, limit), at = tree * given->n_step + binding->step;
    const struct grid_tangent *tangent =
        limit->side > 0 ? &given->tangents[limit->side - 1] : given->equation;
    double price = signed_price(binding);

    for (size_t b = 0; b < given->n_bus; b++) {
        size_t cell = b * given->n_step + binding->step;

        if (given->tree[b] != tree)
            continue;
        price_per_mwh[cell] += price * tangent->kw[cell];
        if (price_per_mvarh)
            price_per_mvarh[cell] += price * tangent->kvar[cell];
    }
    return price * walras_mwh(tangent->loss_kw[at], result->scenario->horizon.step_h);
}

double certificate_loss_bound(const struct scenario_result *result, const double *price_per_mwh)
{
    const struct grid_losses *given = NULL;
    double step_h = result->scenario->horizon.step_h, bound = 0.0;

    if (!result->loss_model)
        return 0.0;
    given = scenario_losses_given(result->loss_model);
    for (size_t j = 0; j < given->n_tree; j++)
        for (size_t t = 0; t < given->n_step; t++) {
            double price = price_per_mwh[given->slack[j] * given->n_step + t];

            for (size_t k = 0; k < result->market->n_binding; k++) {
                const struct market_binding *binding = &result->market->binding[k];
                const struct grid_limit *limit = grid_limits_at(result->limits, binding->row);

                if (binding->step == t && grid_limit_is_loss(limit) &&
                    limit->index == given->slack[j])
                    price += signed_price(binding);
            }
            bound += fmin(0.0, price) *
                     walras_mwh(scenario_losses_most_kw(result->loss_model, j), step_h);
        }
    return bound;
}
