#include "scenario/certificate_internal.h"

#include "core/units.h"

#include <stdlib.h>

/* Reduced costs on an unlimited exchange below this share of the price count as none. */
static const double unlimited_margin = 1e-7;

struct judge {
    const struct scenario_result *result;
    const struct scenario *scenario;
    const struct scenario_angles *angles; /* NULL: no lines */
    double *price_per_mwh;                /* [n_bus x n_step] p_bt, from λ and μ */
    double *scratch;                      /* [2 x n_bus] */
    double *base_kw;                      /* [n_line] flow that phase shifters drive */
    double limit_value;                   /* Δ/1000 · Σ μ · (L − d · base), currency */
};

/* Flows of phase shifters alone: what a limit leaves less or more room for. */
static void find_base_flows(struct judge *judge)
{
    const struct grid_network *network = &judge->scenario->network;

    for (size_t b = 0; b < network->n_bus; b++)
        judge->scratch[b] = 0.0;
    scenario_angles_add_shifts(judge->angles, judge->scratch);
    scenario_angles_solve(judge->angles, judge->scratch, judge->scratch + network->n_bus);
    for (size_t l = 0; l < network->n_line; l++)
        judge->base_kw[l] = scenario_line_flow_kw(network, l, judge->scratch + network->n_bus);
}

/* scratch [n_bus ..]: sensitivities of the line's flow to injections, by reciprocity. */
static const double *find_sensitivities(struct judge *judge, size_t line)
{
    const struct grid_network *network = &judge->scenario->network;
    double *sensitivity = judge->scratch + network->n_bus;
    double susceptance_kw = scenario_line_susceptance_kw(network, line);

    for (size_t b = 0; b < network->n_bus; b++)
        judge->scratch[b] = 0.0;
    judge->scratch[network->lines[line].from] += susceptance_kw;
    judge->scratch[network->lines[line].to] -= susceptance_kw;
    scenario_angles_solve(judge->angles, judge->scratch, sensitivity);
    return sensitivity;
}

static double shadow_price(const struct judge *judge, const struct market_binding *binding)
{
    double price = fmax(0.0, binding->shadow_price_per_mwh);
    double most = judge->scenario->line_overload_price_per_mwh;

    return isnan(most) ? price : fmin(price, most);
}

static void add_binding(struct judge *judge, const struct market_binding *binding, size_t line,
                        const double *sensitivity)
{
    size_t n_step = judge->scenario->horizon.n_step;
    double price = shadow_price(judge, binding);
    double room_kw = certificate_limit_kw(judge->scenario, line) -
                     (double)binding->direction * judge->base_kw[line];

    if (!(price > 0.0))
        return;
    judge->limit_value += price * walras_mwh(room_kw, judge->scenario->horizon.step_h);
    for (size_t b = 0; b < judge->scenario->network.n_bus; b++)
        judge->price_per_mwh[b * n_step + binding->step] -=
            sensitivity[b] * (double)binding->direction * price;
}

static int by_row(const void *a, const void *b)
{
    const struct market_binding *left = *(const struct market_binding *const *)a;
    const struct market_binding *right = *(const struct market_binding *const *)b;

    if (left->row != right->row)
        return left->row < right->row ? -1 : 1;
    return (left > right) - (left < right);
}

/* p_bt = λ_t − Σ s_lb · d · μ_lt; each line's sensitivities are found once. */
static enum walras_status build_prices(struct judge *judge, struct walras_err *err)
{
    const struct market_result *market = judge->result->market;
    size_t n_step = judge->scenario->horizon.n_step, previous = SIZE_MAX;
    const struct market_binding **order = malloc((market->n_binding + 1) * sizeof(*order));
    const double *sensitivity = NULL;

    if (!order)
        return walras_fail(err, WALRAS_NOMEM, "cannot sort %zu shadow prices", market->n_binding);
    for (size_t i = 0; i < judge->scenario->network.n_bus * n_step; i++)
        judge->price_per_mwh[i] = market->energy_price_per_mwh[i % n_step];
    for (size_t k = 0; k < market->n_binding; k++)
        order[k] = &market->binding[k];
    qsort(order, market->n_binding, sizeof(*order), by_row);
    for (size_t k = 0; k < market->n_binding && judge->angles; k++) {
        const struct grid_limit *limit = grid_limits_at(judge->result->limits, order[k]->row);
        size_t line = limit->index;

        if (grid_limit_is_loss(limit)) {
            judge->limit_value +=
                certificate_worth_loss(judge->result, order[k], judge->price_per_mwh, NULL);
            continue;
        }
        if (!sensitivity || order[k]->row != previous)
            sensitivity = find_sensitivities(judge, line);
        previous = order[k]->row;
        add_binding(judge, order[k], line, sensitivity);
    }
    free(order);
    return WALRAS_OK;
}

/* min over 0 <= q <= limit of margin · q, currency. */
static double exchange_bound(double margin_per_mwh, double limit_kw, double price_per_mwh,
                             double step_h)
{
    if (margin_per_mwh >= 0.0 || limit_kw == 0.0)
        return 0.0;
    if (isinf(limit_kw) && -margin_per_mwh <= unlimited_margin * fmax(1.0, fabs(price_per_mwh)))
        return 0.0;
    return margin_per_mwh * walras_mwh(limit_kw, step_h);
}

double certificate_supply_bound(const struct scenario *scenario, const double *price_per_mwh)
{
    size_t n_step = scenario->horizon.n_step;
    double bound = 0.0;

    for (size_t s = 0; s < scenario->n_supply; s++)
        for (size_t t = 0; t < n_step; t++) {
            const struct scenario_supply *supply = &scenario->supplies[s];
            double here = price_per_mwh[supply->bus * n_step + t];

            bound += exchange_bound(walras_series_at(supply->price_per_mwh, t) - here,
                                    walras_series_at(supply->import_limit_kw, t), here,
                                    scenario->horizon.step_h);
            bound += exchange_bound(here - walras_series_at(supply->export_price_per_mwh, t),
                                    walras_series_at(supply->export_limit_kw, t), here,
                                    scenario->horizon.step_h);
        }
    return bound;
}

enum walras_status certificate_find_prices(const struct scenario_result *result,
                                           const struct scenario_angles *angles,
                                           double *price_per_mwh, double *limit_value,
                                           struct walras_err *err)
{
    const struct grid_network *network = &result->scenario->network;
    struct judge judge = {.result = result,
                          .scenario = result->scenario,
                          .angles = angles,
                          .price_per_mwh = price_per_mwh};
    enum walras_status status = WALRAS_OK;

    judge.scratch = malloc(2 * network->n_bus * sizeof(*judge.scratch));
    judge.base_kw = calloc(network->n_line + 1, sizeof(*judge.base_kw));
    if (!judge.scratch || !judge.base_kw)
        status =
            walras_fail(err, WALRAS_NOMEM, "cannot hold the prices of %zu buses", network->n_bus);
    if (status == WALRAS_OK && angles)
        find_base_flows(&judge);
    if (status == WALRAS_OK)
        status = build_prices(&judge, err);
    *limit_value = judge.limit_value;
    free(judge.scratch);
    free(judge.base_kw);
    return status;
}
