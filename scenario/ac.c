#include "scenario/ac.h"

#include "scenario/losses.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLEARINGS = 20, RECALLED = 8 };

/* What is found beyond a limit is taken off it and a little more, so that few clearings do. */
#define TIGHTEN_BY 1.05

void scenario_ac_release(struct scenario_ac_run *run)
{
    scenario_clearing_free(run->clearing);
    scenario_losses_free(run->losses);
    free(run->breach);
    free(run->tighten_kw);
    *run = (struct scenario_ac_run){0};
}

static enum walras_status begin(const struct scenario *scenario,
                                const struct scenario_clear_settings *settings,
                                struct scenario_ac_run *run, struct walras_err *err)
{
    const struct grid_network *network = &scenario->network;

    *run = (struct scenario_ac_run){0};
    run->breach = calloc((2 * network->n_bus + network->n_line) * scenario->horizon.n_step,
                         sizeof(*run->breach));
    if (!run->breach)
        return walras_fail(err, WALRAS_NOMEM, "%zu buses do not fit in memory", network->n_bus);
    if (settings->market.ranks)
        return walras_fail(err, WALRAS_UNSUPPORTED, "AC-feasible clearing is for one process");
    if (!isnan(scenario->line_overload_price_per_mwh) ||
        !isnan(scenario->voltage_violation_price_per_pu_h))
        return walras_fail(err, WALRAS_UNSUPPORTED,
                           "AC-feasible clearing needs hard limits: leave out "
                           "line_overload_price_per_mwh and voltage_violation_price_per_pu_h");
    return scenario->losses ? scenario_losses_new(scenario, &run->losses, err) : WALRAS_OK;
}

/* The prices of the last clearing, where the next one begins. */
struct warm {
    struct market_warm start;
    struct market_shadow *shadows;
};

static enum walras_status take_warm(const struct scenario_clearing *clearing, struct warm *warm,
                                    struct walras_err *err)
{
    const struct market_result *market = NULL;

    *warm = (struct warm){0};
    if (!clearing)
        return WALRAS_OK;
    market = scenario_clearing_result(clearing)->market;
    warm->shadows = calloc(market->n_binding + 1, sizeof(*warm->shadows));
    if (!warm->shadows)
        return walras_fail(err, WALRAS_NOMEM, "cannot keep %zu shadow prices", market->n_binding);
    for (size_t i = 0; i < market->n_binding; i++)
        warm->shadows[i] = (struct market_shadow){market->binding[i].row, market->binding[i].step,
                                                  market->binding[i].direction,
                                                  market->binding[i].shadow_price_per_mwh};
    warm->start = (struct market_warm){.energy_price_per_mwh = market->energy_price_per_mwh,
                                       .shadows = warm->shadows,
                                       .n_shadow = market->n_binding,
                                       .point_price_per_mwh = market->recall_price_per_mwh,
                                       .n_point = market->n_recall};
    return WALRAS_OK;
}

/* Clears the tightened market; *made without a plan is an outcome. */
static enum walras_status clear_again(const struct scenario *scenario,
                                      const struct scenario_clear_settings *settings,
                                      struct scenario_ac_run *run, struct scenario_clearing **made,
                                      struct walras_err *err)
{
    struct scenario_clear_settings with = *settings;
    struct warm warm;
    enum walras_status status = take_warm(run->clearing, &warm, err);

    with.market.warm = warm.start;
    with.market.n_recall = RECALLED;
    with.losses = run->losses;
    with.ac = (struct scenario_ac_wish){&run->told, run->tighten_kw, run->breach};
    if (status == WALRAS_OK)
        status = scenario_clear(scenario, &with, made, err);
    free(warm.shadows);
    if (status == WALRAS_OK)
        run->told.n_clearing++;
    return status;
}

/* The largest of the last plan's breaches: p.u., or share of a limit. */
static double worst_breach(const struct scenario *scenario, const struct scenario_ac_run *run)
{
    const struct grid_network *network = &scenario->network;
    size_t n = (2 * network->n_bus + network->n_line) * scenario->horizon.n_step;
    double worst = 0.0;

    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, run->breach[i]);
    return worst;
}

/* One limit in one step. */
struct place {
    const struct scenario *scenario;
    const struct grid_limits *limits;
    const double *breach; /* as in struct scenario_ac_wish */
    size_t row, step;
};

static double breach_at(const struct place *place, size_t at)
{
    return TIGHTEN_BY * place->breach[at * place->scenario->horizon.n_step + place->step];
}

/* What a breach of a voltage is in the row's kW: a difference of squares. */
static double voltage_kw(const struct place *place, double v_pu, double beyond_pu, int direction)
{
    double unit = grid_limits_unit_per_kw(place->limits, place->row, direction);

    return beyond_pu * (2.0 * v_pu - direction * beyond_pu) / (2.0 * v_pu * unit);
}

/* How much tighter a limit must be, at its low and its high side. */
static void find(const struct place *place, double *low_kw, double *high_kw)
{
    const struct grid_limit *limit = grid_limits_at(place->limits, place->row);
    const struct grid_network *network = &place->scenario->network;
    double over = 0.0;

    *low_kw = *high_kw = 0.0;
    switch (limit->kind) {
    case GRID_LIMIT_VOLTAGE:
        if (isfinite(limit->low))
            *low_kw = voltage_kw(place, network->buses[limit->index].v_min_pu,
                                 breach_at(place, limit->index), -1);
        if (isfinite(limit->high))
            *high_kw = voltage_kw(place, network->buses[limit->index].v_max_pu,
                                  breach_at(place, network->n_bus + limit->index), 1);
        break;
    case GRID_LIMIT_LINE:
    case GRID_LIMIT_APPARENT:
        over = breach_at(place, 2 * network->n_bus + limit->index);
        if (isfinite(limit->high) && over > 0.0)
            *high_kw = over * grid_limits_bound(place->limits, place->row, place->step, 1);
        if (isfinite(limit->low) && over > 0.0)
            *low_kw = -over * grid_limits_bound(place->limits, place->row, place->step, -1);
        break;
    default:
        break;
    }
}

static bool crossed(const struct place *place, const double *tighten_kw, struct scenario_ac *told)
{
    const struct grid_limit *limit = grid_limits_at(place->limits, place->row);

    if (limit->low + tighten_kw[0] < limit->high - tighten_kw[1])
        return false;
    snprintf(told->why, sizeof(told->why),
             "%s %.80s, step %zu: no plan keeps its limits in the AC power flow; the market's "
             "limits would have to cross",
             limit->kind == GRID_LIMIT_VOLTAGE ? "bus" : "line",
             grid_limits_id(place->limits, place->row), place->step);
    return true;
}

/* The model dc cannot do anything about voltages. */
static bool has_voltages_to_tell(const struct scenario *scenario, struct scenario_ac_run *run)
{
    size_t n_bus = scenario->network.n_bus, n_step = scenario->horizon.n_step;

    if (scenario->model == SCENARIO_LINDISTFLOW)
        return true;
    for (size_t i = 0; i < 2 * n_bus * n_step; i++)
        if (run->breach[i] > SCENARIO_AC_TOLERANCE) {
            snprintf(run->told.why, sizeof(run->told.why),
                     "bus %.80s: its voltage is beyond its limits, of which the model dc knows "
                     "nothing; the model lindistflow does",
                     scenario->network.buses[i / n_step % n_bus].id);
            return false;
        }
    return true;
}

/* Takes the breaches off the limits of the model; false: some would cross, or it has no such. */
static enum walras_status tighten(const struct scenario *scenario, struct scenario_ac_run *run,
                                  struct walras_err *err)
{
    const struct grid_limits *limits = scenario_clearing_result(run->clearing)->limits;
    size_t n_row = grid_limits_count(limits) - grid_limits_losses(limits);
    size_t n_step = scenario->horizon.n_step;

    if (!has_voltages_to_tell(scenario, run))
        return WALRAS_OK;
    if (!run->tighten_kw)
        run->tighten_kw = calloc(2 * n_row * n_step + 1, sizeof(*run->tighten_kw));
    if (!run->tighten_kw)
        return walras_fail(err, WALRAS_NOMEM, "%zu limits do not fit in memory", n_row);
    for (size_t r = 0; r < n_row; r++)
        for (size_t t = 0; t < n_step && run->told.why[0] == '\0'; t++) {
            struct place place = {scenario, limits, run->breach, r, t};
            double low_kw = 0.0, high_kw = 0.0, *kept = &run->tighten_kw[2 * (r * n_step + t)];

            find(&place, &low_kw, &high_kw);
            kept[0] += low_kw;
            kept[1] += high_kw;
            if (low_kw > 0.0 || high_kw > 0.0)
                (void)crossed(&place, kept, &run->told);
        }
    return WALRAS_OK;
}

static void keep(struct scenario_ac_run *run, struct scenario_clearing *made)
{
    scenario_clearing_free(run->clearing);
    run->clearing = made;
}

/* The first market's own answer, or that tightened limits leave no plan. */
static void end_without_plan(struct scenario_ac_run *run, struct scenario_clearing *made)
{
    const struct scenario_result *result = scenario_clearing_result(made);

    if (!run->clearing) {
        keep(run, made);
        return;
    }
    snprintf(run->told.why, sizeof(run->told.why),
             "no plan is found that keeps all limits in the AC power flow: with limits tightened "
             "where and when they were broken, %.250s",
             result->why ? result->why : "the market finds none");
    scenario_clearing_free(made);
}

/* Whether the last plan is the end, for better or for worse. */
static bool judge(const struct scenario *scenario, struct scenario_ac_run *run)
{
    const struct scenario_result *result = scenario_clearing_result(run->clearing);
    const struct scenario_physics *physics = &result->certificate->physics;

    if (run->told.n_clearing == 1)
        run->told.first_objective = result->certificate->objective;
    run->told.objective = result->certificate->objective;
    run->told.feasible = physics->known && physics->unsolved == SIZE_MAX &&
                         worst_breach(scenario, run) <= SCENARIO_AC_TOLERANCE;
    if (!physics->known)
        snprintf(run->told.why, sizeof(run->told.why),
                 "the grid has no AC power flow: it is one bus, or lines have no impedances");
    else if (physics->unsolved != SIZE_MAX)
        snprintf(run->told.why, sizeof(run->told.why),
                 "step %zu: the AC power flow of the plan has no solution", physics->unsolved);
    return run->told.feasible || run->told.why[0] != '\0';
}

enum walras_status scenario_clear_ac(const struct scenario *scenario,
                                     const struct scenario_clear_settings *settings,
                                     struct scenario_ac_run *run, struct walras_err *err)
{
    enum walras_status status = begin(scenario, settings, run, err);

    while (status == WALRAS_OK && run->told.n_clearing < MOST_CLEARINGS) {
        struct scenario_clearing *made = NULL;

        status = clear_again(scenario, settings, run, &made, err);
        if (status != WALRAS_OK)
            break;
        if (!scenario_clearing_result(made)->certificate) {
            end_without_plan(run, made);
            break;
        }
        keep(run, made);
        if (judge(scenario, run))
            break;
        status = tighten(scenario, run, err);
        if (run->told.why[0] != '\0')
            break;
    }
    if (status == WALRAS_OK && run->told.n_clearing == MOST_CLEARINGS && !run->told.feasible &&
        run->told.why[0] == '\0')
        snprintf(run->told.why, sizeof(run->told.why),
                 "after %d clearings the AC power flow still breaks limits", MOST_CLEARINGS);
    if (status != WALRAS_OK)
        scenario_ac_release(run);
    return status;
}
