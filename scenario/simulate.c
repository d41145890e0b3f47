#include "scenario/simulate_internal.h"

#include "scenario/certificate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct scenario_simulate_settings scenario_simulate_settings_defaults(void)
{
    struct scenario_simulate_settings settings = {.clear = scenario_clear_settings_defaults(),
                                                  .read = scenario_settings_defaults(),
                                                  .n_warm_point = 12};

    settings.clear.market.method = "bundle"; /* begins where the window before has ended */
    return settings;
}

void scenario_simulation_free(struct scenario_simulation *sim)
{
    if (!sim)
        return;
    free(sim->run.windows);
    free(sim->run.days);
    free(sim->run.price_per_mwh);
    free(sim->run.import_kw);
    free(sim->run.kind_kw);
    free(sim->traces);
    free(sim->committed_kw);
    simulation_warm_release(&sim->warm);
    free(sim);
}

const struct scenario_run *scenario_simulation_run(const struct scenario_simulation *sim)
{
    return &sim->run;
}

bool scenario_simulation_over(const struct scenario_simulation *sim)
{
    return sim->run.failed || sim->run.n_done == sim->run.steps.length;
}

const double *scenario_simulation_committed(const struct scenario_simulation *sim, size_t *n)
{
    *n = sim->n_committed;
    return sim->n_committed > 0 ? sim->committed_kw : NULL;
}

/* What of the scenario is written for one horizon and has to be there again in the next. */
static const char *what_repeats(const struct scenario *scenario)
{
    for (size_t d = 0; d < scenario->n_device; d++) {
        if (scenario->devices[d].type == AGENT_EV)
            return "cars come again every horizon";
        if (scenario->devices[d].type == AGENT_SHIFTABLE)
            return "appliances run once every horizon";
    }
    return scenario->repeats ? "arrays and fleets repeat with the horizon" : NULL;
}

static enum walras_status check_scenario(const struct scenario *s,
                                         const struct scenario_run_steps *steps,
                                         struct walras_err *err)
{
    const char *repeats = what_repeats(s);

    if (s->n_known < (steps->n_window - 1) * steps->replan + s->horizon.n_step)
        return walras_fail(err, WALRAS_INVALID, "the scenario was not read for a run");
    if (repeats && s->horizon.n_step % steps->day != 0)
        return walras_fail(err, WALRAS_INVALID,
                           "%s, so a run needs a horizon of whole days: %zu steps of %u minutes "
                           "are %g days",
                           repeats, s->horizon.n_step, s->step_min,
                           (double)s->horizon.n_step / (double)steps->day);
    if ((double)s->network.n_bus * (double)steps->length > SCENARIO_MAX_BUS_STEPS)
        return walras_fail(err, WALRAS_INVALID, "%zu buses x %zu steps are more than %d",
                           s->network.n_bus, steps->length, (int)SCENARIO_MAX_BUS_STEPS);
    for (size_t d = 0; d < s->n_device; d++)
        if (s->devices[d].type == AGENT_LP)
            return walras_fail(err, WALRAS_UNSUPPORTED,
                               "agent %s, device %s: a run cannot go on from an lp device, whose "
                               "state only its program knows",
                               s->agents[s->device_agent[d]].id, s->devices[d].id);
    return WALRAS_OK;
}

static enum walras_status take_memory(struct scenario_simulation *sim, struct walras_err *err)
{
    const struct scenario *s = sim->scenario;
    struct scenario_run *run = &sim->run;
    size_t length = run->steps.length;

    run->n_day = (length + run->steps.day - 1) / run->steps.day;
    run->windows = calloc(run->steps.n_window, sizeof(*run->windows));
    run->days = calloc(run->n_day, sizeof(*run->days));
    run->price_per_mwh = calloc(s->network.n_bus * length, sizeof(double));
    run->import_kw = calloc(2 * s->n_supply * length + 1, sizeof(double));
    run->kind_kw = calloc(SCENARIO_N_KIND * length, sizeof(double));
    sim->traces = calloc(s->n_device + 1, sizeof(*sim->traces));
    sim->committed_kw = calloc(s->n_device * run->steps.replan + 1, sizeof(double));
    if (!run->windows || !run->days || !run->price_per_mwh || !run->import_kw || !run->kind_kw ||
        !sim->traces || !sim->committed_kw)
        return walras_fail(err, WALRAS_NOMEM, "a run of %zu steps does not fit in memory", length);
    run->export_kw = run->import_kw + s->n_supply * length;
    for (size_t d = 0; d < s->n_device; d++)
        sim->traces[d] =
            (struct scenario_trace){.state = agent_state_first(&s->devices[d]), .started = -1};
    return WALRAS_OK;
}

/* Between the clearing and the caller: remembers that it was asked to stop. */
static bool watch(void *context, const struct market_round *round)
{
    struct scenario_simulation *sim = context;

    if (sim->progress && !sim->progress(sim->context, round))
        sim->run.stopped = true;
    return !sim->run.stopped;
}

enum walras_status scenario_simulation_new(const struct scenario *scenario,
                                           const struct scenario_simulate_settings *settings,
                                           struct scenario_simulation **made,
                                           struct walras_err *err)
{
    struct scenario_simulation *sim = calloc(1, sizeof(*sim));
    enum walras_status status = WALRAS_OK;

    if (!sim)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the run");
    sim->scenario = scenario;
    sim->settings = *settings;
    sim->run.scenario = scenario;
    sim->progress = settings->clear.market.progress;
    sim->context = settings->clear.market.context;
    sim->settings.clear.market.progress = watch;
    sim->settings.clear.market.context = sim;
    status = market_settings_check(&settings->clear.market, err);
    if (status == WALRAS_OK)
        status = scenario_run_steps(scenario, &settings->read, &sim->run.steps, err);
    if (status == WALRAS_OK)
        status = check_scenario(scenario, &sim->run.steps, err);
    if (status == WALRAS_OK)
        status = take_memory(sim, err);
    if (status != WALRAS_OK) {
        scenario_simulation_free(sim);
        return status;
    }
    *made = sim;
    return WALRAS_OK;
}

void simulation_exchange(struct scenario_simulation *a, struct scenario_simulation *b)
{
    struct scenario_run run = a->run;
    struct scenario_trace *traces = a->traces;
    struct simulation_warm warm = a->warm;

    a->run = b->run;
    b->run = run;
    a->traces = b->traces;
    b->traces = traces;
    a->warm = b->warm;
    b->warm = warm;
    a->n_committed = b->n_committed = 0;
}

static void record(struct scenario_simulation *sim, const struct scenario_result *result, bool warm,
                   size_t n, double cost)
{
    struct scenario_run *run = &sim->run;
    const struct market_result *market = result->market;
    const struct scenario_certificate *certificate = result->certificate;

    run->windows[run->n_window++] = (struct scenario_run_window){
        .first_step = run->n_done,
        .n_committed = n,
        .warm = warm,
        .clean = certificate->clean,
        .outcome = market->outcome,
        .n_rounds = market->n_rounds,
        .n_responses = market->n_responses,
        .objective = market->objective,
        .bound = market->bound,
        .gap = (market->objective - market->bound) / fmax(1.0, fabs(market->objective)),
        .max_imbalance_kw = certificate->max_imbalance_kw,
        .max_line_breach_kw = certificate->max_line_breach_kw,
        .max_device_breach = certificate->max_device_breach,
        .committed_cost = cost,
        .seconds = market->seconds};
    run->n_done += n;
}

static void fail(struct scenario_run *run, const struct scenario_result *result)
{
    char start[SCENARIO_TIME_TEXT];

    scenario_step_text(run->scenario, run->n_done, start);
    snprintf(run->why, sizeof(run->why), "the window from step %zu (%s) on: %s", run->n_done, start,
             result->why ? result->why : "no feasible plan was found; allow more rounds or time");
    run->failed = true;
}

static enum walras_status take_over(struct scenario_simulation *sim,
                                    const struct scenario_window *window,
                                    const struct scenario_result *result, bool warm,
                                    struct walras_err *err)
{
    struct scenario_run *run = &sim->run;
    size_t left = run->steps.length - run->n_done;
    size_t n = left < run->steps.replan ? left : run->steps.replan;
    double cost = 0.0;
    enum walras_status status = WALRAS_OK;

    run->outcome = result->market->outcome;
    if (run->stopped)
        return WALRAS_OK;
    if (!result->certificate) {
        fail(run, result);
        return WALRAS_OK;
    }
    status = simulation_commit(sim, window, result, n, &cost, err);
    if (status == WALRAS_OK && !sim->settings.cold)
        status = simulation_warm_take(&sim->warm, run, result->market, n, err);
    if (status == WALRAS_OK)
        record(sim, result, warm, n, cost);
    return status;
}

enum walras_status scenario_simulation_advance(struct scenario_simulation *sim,
                                               struct walras_err *err)
{
    struct scenario_clear_settings settings = sim->settings.clear;
    struct scenario_window window = {0};
    struct scenario_clearing *clearing = NULL;
    bool warm = sim->warm.energy_price_per_mwh != NULL;
    enum walras_status status =
        scenario_window_make(sim->scenario, sim->traces, sim->run.n_done, &window, err);

    sim->n_committed = 0;
    settings.market.warm = simulation_warm_start(&sim->warm);
    settings.market.n_recall = sim->settings.cold ? 0 : sim->settings.n_warm_point - 1;
    if (status == WALRAS_OK)
        status = scenario_clear(&window.scenario, &settings, &clearing, err);
    if (status == WALRAS_OK)
        status = take_over(sim, &window, scenario_clearing_result(clearing), warm, err);
    scenario_clearing_free(clearing);
    scenario_window_release(&window);
    return status;
}
