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
    free(run->tightened.network.buses);
    free(run->tightened.network.lines);
    free(run->breach);
    *run = (struct scenario_ac_run){0};
}

static void *copy(const void *from, size_t n, size_t size)
{
    void *made = malloc(n * size + 1);

    if (made && n > 0)
        memcpy(made, from, n * size);
    return made;
}

static enum walras_status begin(const struct scenario *scenario,
                                const struct scenario_clear_settings *settings,
                                struct scenario_ac_run *run, struct walras_err *err)
{
    const struct grid_network *network = &scenario->network;

    *run = (struct scenario_ac_run){.tightened = *scenario};
    run->tightened.network.buses = copy(network->buses, network->n_bus, sizeof(*network->buses));
    run->tightened.network.lines = copy(network->lines, network->n_line, sizeof(*network->lines));
    run->breach = calloc(2 * network->n_bus + network->n_line + 1, sizeof(*run->breach));
    if (!run->tightened.network.buses || !run->tightened.network.lines || !run->breach)
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
    with.ac = (struct scenario_ac_wish){&run->told, &scenario->network, run->breach};
    if (status == WALRAS_OK)
        status = scenario_clear(&run->tightened, &with, made, err);
    free(warm.shadows);
    if (status == WALRAS_OK)
        run->told.n_clearing++;
    return status;
}

/* The largest of the last plan's breaches: p.u., or share of a limit. */
static double worst_breach(const struct scenario *scenario, const struct scenario_ac_run *run)
{
    const struct grid_network *network = &scenario->network;
    double worst = 0.0;

    for (size_t i = 0; i < 2 * network->n_bus; i++)
        worst = fmax(worst, run->breach[i]);
    for (size_t l = 0; l < network->n_line; l++)
        worst = fmax(worst, run->breach[2 * network->n_bus + l]);
    return worst;
}

static bool limit(struct scenario_ac *told, const char *what, const char *id)
{
    snprintf(
        told->why, sizeof(told->why),
        "%.40s %.80s: no plan keeps its limits in the AC power flow; the market's limits would "
        "have to cross",
        what, id);
    return false;
}

/* Takes the breaches off the limits of the model; false: some would cross, or it has no such. */
static bool tighten(const struct scenario *scenario, struct scenario_ac_run *run)
{
    struct grid_network *network = &run->tightened.network;
    size_t n_bus = network->n_bus;

    for (size_t b = 0; b < n_bus; b++) {
        struct grid_bus *bus = &network->buses[b];

        if (fmax(run->breach[b], run->breach[n_bus + b]) > 0.0 &&
            scenario->model != SCENARIO_LINDISTFLOW) {
            snprintf(run->told.why, sizeof(run->told.why),
                     "bus %.80s: its voltage is beyond its limits, of which the model dc knows "
                     "nothing; the model lindistflow does",
                     bus->id);
            return false;
        }
        bus->v_min_pu += TIGHTEN_BY * fmax(run->breach[b], 0.0);
        bus->v_max_pu -= TIGHTEN_BY * fmax(run->breach[n_bus + b], 0.0);
        if (bus->v_min_pu >= bus->v_max_pu)
            return limit(&run->told, "bus", bus->id);
    }
    for (size_t l = 0; l < network->n_line; l++) {
        struct grid_line *line = &network->lines[l];
        double keep = 1.0 - TIGHTEN_BY * fmax(run->breach[2 * n_bus + l], 0.0);

        line->limit_kw *= keep;
        line->limit_kva *= keep;
        if (!(keep > 0.0))
            return limit(&run->told, "line", line->id);
    }
    return true;
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
    snprintf(
        run->told.why, sizeof(run->told.why),
        "no plan is found that keeps all limits in the AC power flow: with limits tightened, in "
        "all steps alike, %.260s",
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
        if (judge(scenario, run) || !tighten(scenario, run))
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
