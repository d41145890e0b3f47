/*
 * Clearing with losses: the market learns from the AC power flow of each plan what it loses, and
 * clears again from the last prices, until what it draws for losses is what is lost.
 */
#include "core/clock.h"
#include "scenario/certificate.h"
#include "scenario/clear_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_CLEARINGS = 40, RECALLED = 8 };

static enum walras_status check(const struct scenario *scenario,
                                const struct scenario_clear_settings *settings,
                                struct walras_err *err)
{
    if (settings->market.ranks)
        return scenario_losses_refuse(scenario, "clearing over several ranks", err);
    if (settings->n_guest > 0)
        return scenario_losses_refuse(scenario, "clearing with participants from outside", err);
    return scenario_losses_check(scenario, err);
}

struct run {
    const struct scenario *scenario;
    struct scenario_clear_settings settings; /* of the next clearing */
    struct scenario_losses *losses;
    struct scenario_losses_told told;
    struct scenario_clearing *last;
    struct market_shadow *shadows; /* that the next clearing begins with */
    double deadline_s;
};

static void keep(struct run *run, struct scenario_clearing *made)
{
    scenario_clearing_free(run->last);
    run->last = made;
}

/* The next clearing begins where this one ended. */
static enum walras_status begin_warm(struct run *run, struct walras_err *err)
{
    const struct market_result *market = &run->last->market;
    const struct grid_limits *limits = run->last->limits;
    struct market_warm *warm = &run->settings.market.warm;

    free(run->shadows);
    run->shadows = NULL;
    *warm = (struct market_warm){.energy_price_per_mwh = market->energy_price_per_mwh,
                                 .point_price_per_mwh = market->recall_price_per_mwh,
                                 .n_point = market->n_recall};
    enum walras_status status = scenario_losses_warm(
        run->losses, market, grid_limits_count(limits) - grid_limits_losses(limits), &run->shadows,
        &warm->n_shadow, err);

    warm->shadows = run->shadows;
    return status;
}

/* The losses of the last plan are known, and were not those that it was made with. */
static enum walras_status learn(struct run *run, bool *again, struct walras_err *err)
{
    const struct scenario_physics *physics = &run->last->certificate.physics;
    enum walras_status status = WALRAS_OK;

    *again = false;
    if (physics->unsolved != SIZE_MAX) {
        snprintf(run->told.why, sizeof(run->told.why),
                 "what is lost is not known: step %zu of the plan has no AC power flow",
                 physics->unsolved);
        return WALRAS_OK;
    }
    status = scenario_losses_learn(run->losses, &run->last->market, run->last->loss_kw,
                                   run->settings.market.gap, &run->told, err);
    *again = !run->told.settled && run->told.n_clearing < MOST_CLEARINGS &&
             run->last->market.outcome == MARKET_CONVERGED;
    if (status == WALRAS_OK && !*again && !run->told.settled)
        snprintf(run->told.why, sizeof(run->told.why),
                 "after %u clearings what is drawn for losses is still off by %.4g kW (slack bus "
                 "%.60s, step %zu)",
                 run->told.n_clearing, run->told.max_error_kw,
                 run->scenario->network.buses[run->told.bus].id, run->told.step);
    return status;
}

static enum walras_status clear_until_settled(struct run *run, struct walras_err *err)
{
    bool again = true;
    enum walras_status status = WALRAS_OK;

    while (again && status == WALRAS_OK) {
        struct scenario_clearing *made = NULL;

        run->settings.market.time_limit_s = fmax(0.0, run->deadline_s - walras_monotonic_s());
        status = clear_once(run->scenario, &run->settings, &made, err);
        if (status != WALRAS_OK)
            break;
        keep(run, made);
        run->told.n_clearing++;
        if (!made->result.certificate)
            break;
        status = learn(run, &again, err);
        if (again && status == WALRAS_OK)
            status = begin_warm(run, err);
    }
    return status;
}

/* What is told with the last clearing, which owns what it is told by. */
static struct scenario_clearing *finish(struct run *run, bool owns_losses)
{
    struct scenario_clearing *c = run->last;

    c->losses_told = run->told;
    c->result.losses = &c->losses_told;
    if (owns_losses)
        c->own_losses = run->losses;
    if (run->told.why[0] != '\0' && c->market.outcome == MARKET_CONVERGED)
        c->market.outcome = MARKET_ROUND_LIMIT;
    return c;
}

enum walras_status clear_with_losses(const struct scenario *scenario,
                                     const struct scenario_clear_settings *settings,
                                     struct scenario_clearing **made, struct walras_err *err)
{
    struct run run = {.scenario = scenario,
                      .settings = *settings,
                      .losses = settings->losses,
                      .deadline_s = walras_monotonic_s() + settings->market.time_limit_s};
    enum walras_status status = check(scenario, settings, err);

    if (status == WALRAS_OK && !run.losses)
        status = scenario_losses_new(scenario, &run.losses, err);
    run.settings.losses = run.losses;
    if (run.settings.market.n_recall < RECALLED)
        run.settings.market.n_recall = RECALLED;
    if (status == WALRAS_OK)
        status = clear_until_settled(&run, err);
    free(run.shadows);
    if (status == WALRAS_OK) {
        *made = finish(&run, !settings->losses);
        return WALRAS_OK;
    }
    scenario_clearing_free(run.last);
    if (!settings->losses)
        scenario_losses_free(run.losses);
    return status;
}
