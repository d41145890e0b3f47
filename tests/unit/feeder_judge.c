#include "feeder_judge.h"

#include "core/units.h"
#include "scenario/nodes.h"
#include "scenario/parts.h"
#include "testkit.h"

#include <math.h>
#include <stdlib.h>

static double largest_price(const struct marketkit *kit)
{
    size_t n_step = kit->scenario.horizon.n_step;
    double largest = 1.0;

    for (size_t i = 0; i < kit->scenario.network.n_bus * n_step; i++)
        largest = fmax(largest, fabs(kit->market->price_per_mwh[i]));
    return largest;
}

bool feeder_parts_sum_to_prices(const struct marketkit *kit)
{
    const struct scenario_parts *parts = kit->result->parts;
    size_t n_step = kit->scenario.horizon.n_step;
    double worst = 0.0;

    for (size_t i = 0; i < kit->scenario.network.n_bus * n_step; i++)
        worst = fmax(worst, fabs(parts->energy[i] + parts->congestion[i] + parts->voltage[i] +
                                 parts->loss[i] - kit->market->price_per_mwh[i]));
    return worst <= 1e-9 * largest_price(kit);
}

/* What all pay for kW and kvar less what all are paid, currency. */
static double surplus(const struct marketkit *kit)
{
    const struct scenario *s = &kit->scenario;
    const struct scenario_result *r = kit->result;
    size_t n_step = s->horizon.n_step;
    double paid = 0.0;

    for (size_t i = 0; i < s->network.n_bus * n_step; i++)
        paid += r->market->price_per_mwh[i] * r->bus_draw_kw[i];
    for (size_t i = 0; i < s->n_supply; i++)
        for (size_t t = 0; t < n_step; t++)
            paid -= r->market->price_per_mwh[s->supplies[i].bus * n_step + t] *
                    (r->import_kw[i * n_step + t] - r->export_kw[i * n_step + t]);
    for (size_t i = 0; i < s->n_device; i++)
        for (size_t t = 0; t < n_step; t++) {
            struct scenario_reactive of = scenario_reactive_of(&s->devices[i], t);
            double kvar = of.fixed_kvar + of.kvar_per_kw * r->awards->draw_kw[i * n_step + t];

            paid += r->parts->reactive_per_mvarh[scenario_device_bus(s, i) * n_step + t] * kvar;
        }
    for (size_t i = 0; i < r->n_inverter; i++)
        for (size_t t = 0; t < n_step; t++) {
            size_t bus = scenario_device_bus(s, r->inverters[i].device);

            paid +=
                r->parts->reactive_per_mvarh[bus * n_step + t] * r->inverter_kvar[i * n_step + t];
        }
    return walras_mwh(paid, s->horizon.step_h);
}

/*
 * What a tangent of losses says when nobody draws: the row leaves out what is drawn whatever is
 * decided, which pays for its kvar like everybody.
 */
static double idle_loss_kw(const struct marketkit *kit, const struct market_binding *at)
{
    const struct scenario *s = &kit->scenario;
    struct grid_limits *limits = (struct grid_limits *)kit->result->limits; /* its workspace */
    size_t n_bus = s->network.n_bus;
    double *kw = calloc(2 * grid_limits_buses(limits), sizeof(*kw));
    double loss = -grid_limits_base(limits, at->row, at->step);

    CU_ASSERT_FATAL(kw != NULL);
    CU_ASSERT_EQUAL(grid_limits_effect(limits, at->row, at->step, kw, kw + n_bus, NULL), WALRAS_OK);
    for (size_t i = 0; i < s->n_device; i++)
        loss -= kw[n_bus + scenario_device_bus(s, i)] *
                scenario_reactive_of(&s->devices[i], at->step).fixed_kvar;
    free(kw);
    return loss;
}

/* Σ μ · (limit − what it is at when nobody draws), less what breaches of soft limits cost. */
static double limits_worth(const struct marketkit *kit)
{
    const struct scenario *s = &kit->scenario;
    const struct market_result *market = kit->market;
    struct grid_lindist idle = {.n_step = 1, .rating_scale = 1.0, .soft_voltages = true};
    struct grid_limits *limits = NULL;
    double worth = 0.0;

    CU_ASSERT_EQUAL_FATAL(grid_limits_lindist(&s->network, &idle, &limits, NULL), WALRAS_OK);
    for (size_t k = 0; k < market->n_binding; k++) {
        const struct market_binding *at = &market->binding[k];

        if (grid_limit_is_loss(grid_limits_at(kit->result->limits, at->row)))
            worth += at->shadow_price_per_mwh * at->direction * idle_loss_kw(kit, at);
        if (at->row >= grid_limits_count(limits)) /* an inverter's, losses: no limit of the grid */
            continue;
        const struct grid_limit *limit = grid_limits_at(limits, at->row);
        double bound = at->direction > 0 ? limit->high : limit->low;

        worth += at->shadow_price_per_mwh * at->direction *
                 (bound - grid_limits_base(limits, at->row, 0));
    }
    grid_limits_free(limits);
    return walras_mwh(worth, s->horizon.step_h) + kit->certificate->breach_cost;
}

/* A plan that is `gap` from the best leaves at most that between the two. */
bool feeder_limits_account_for_surplus(const struct marketkit *kit)
{
    double size = fmax(1.0, fabs(kit->market->objective));
    double gap = kit->certificate->objective - kit->certificate->dual_bound;

    return fabs(surplus(kit) - limits_worth(kit)) <= gap + 1e-6 * size;
}
