#include "scenario/awards.h"
#include "scenario/simulate_internal.h"

#include "agents/audit.h"
#include "core/units.h"
#include "scenario/certificate_internal.h"

#include <math.h>
#include <string.h>

struct commit { /* one window's first n steps */
    struct scenario_simulation *sim;
    const struct scenario_window *window;
    const struct scenario_result *result;
    size_t first, n;
    double cost;
};

/* An appliance whose start is among the committed steps has started. */
static enum walras_status note_start(struct commit *c, size_t device, const double *award_kw,
                                     struct walras_err *err)
{
    const struct scenario *s = &c->window->scenario;
    const struct agent_device *appliance = &s->devices[device];
    struct scenario_trace *trace = &c->sim->traces[c->window->origin[device]];
    struct agent_verdict verdict = {0};
    size_t begin = c->first - c->first % s->horizon.n_step;
    bool runs = trace->started >= (int64_t)begin && appliance->shiftable.earliest == 0 &&
                appliance->shiftable.latest == 0; /* what it has begun */
    enum walras_status status =
        runs ? WALRAS_OK : agent_audit(appliance, &s->horizon, award_kw, &verdict, err);

    if (status == WALRAS_OK && !runs && verdict.end.start < c->n)
        trace->started = (int64_t)(c->first + verdict.end.start);
    return status;
}

/* Takes over what one device of the window was awarded, award_kw [n_step of the window]. */
static enum walras_status take_award(struct commit *c, size_t device, const double *award_kw,
                                     struct walras_err *err)
{
    struct scenario_run *run = &c->sim->run;
    enum agent_device_type type = c->window->scenario.devices[device].type;
    double *committed_kw = c->sim->committed_kw + c->window->origin[device] * c->n;

    for (size_t t = 0; t < c->n; t++) {
        enum scenario_kind kind = scenario_kind_of(type, award_kw[t] > 0.0);

        committed_kw[t] += award_kw[t];
        run->kind_kw[kind * run->steps.length + c->first + t] += fabs(award_kw[t]);
    }
    return type == AGENT_SHIFTABLE ? note_start(c, device, award_kw, err) : WALRAS_OK;
}

/* The only place that reads the result's awards. */
static enum walras_status take_part(void *context, const struct scenario_awards_part *part,
                                    struct walras_err *err)
{
    struct commit *c = context;
    size_t n_step = c->window->scenario.horizon.n_step;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < part->n && status == WALRAS_OK; i++)
        status = take_award(c, part->first + i, part->draw_kw + i * n_step, err);
    return status;
}

static enum walras_status take_awards(struct commit *c, struct walras_err *err)
{
    const struct scenario_awards_pass pass = {.context = c, .take = take_part};

    memset(c->sim->committed_kw, 0, c->sim->scenario->n_device * c->n * sizeof(double));
    return scenario_awards_run(c->result->awards, &pass, err);
}

/* Walks every device through [first, first + n) of the run, which is inside one day. */
static enum walras_status walk_devices(struct commit *c, size_t first, size_t n,
                                       struct walras_err *err)
{
    const struct scenario *s = c->sim->scenario;
    struct agent_horizon horizon = {.n_step = n, .step_h = s->horizon.step_h};
    struct scenario_run_day *day = &c->sim->run.days[first / c->sim->run.steps.day];

    for (size_t d = 0; d < s->n_device; d++) {
        const double *draw_kw = c->sim->committed_kw + d * c->n + (first - c->first);
        struct agent_verdict verdict = {0};
        struct agent_device piece;
        enum walras_status status = WALRAS_OK;

        if (!scenario_piece_of(s, d, &c->sim->traces[d], first, n, &piece))
            continue;
        status = agent_audit(&piece, &horizon, draw_kw, &verdict, err);
        if (status != WALRAS_OK) {
            walras_err_prefix(err, "agent %s, device %s", s->agents[s->device_agent[d]].id,
                              s->devices[d].id);
            return status;
        }
        c->sim->traces[d].state = verdict.end;
        day->device_cost += verdict.cost;
        c->cost += verdict.cost;
    }
    return WALRAS_OK;
}

static void take_supply(struct commit *c, size_t t)
{
    struct scenario_run *run = &c->sim->run;
    const struct scenario *s = c->sim->scenario;
    size_t length = run->steps.length, n_step = s->horizon.n_step, step = c->first + t;
    struct scenario_run_day *day = &run->days[step / run->steps.day];

    for (size_t i = 0; i < s->n_supply; i++) {
        double import_kw = c->result->import_kw[i * n_step + t];
        double export_kw = c->result->export_kw[i * n_step + t];
        double import_mwh = walras_mwh(import_kw, s->horizon.step_h);
        double export_mwh = walras_mwh(export_kw, s->horizon.step_h);
        double paid = import_mwh * walras_series_at(s->supplies[i].price_per_mwh, step);
        double earned = export_mwh * walras_series_at(s->supplies[i].export_price_per_mwh, step);

        run->import_kw[i * length + step] = import_kw;
        run->export_kw[i * length + step] = export_kw;
        run->kind_kw[SCENARIO_IMPORT * length + step] += fmax(import_kw, 0.0);
        run->kind_kw[SCENARIO_EXPORT * length + step] += fmax(export_kw, 0.0);
        day->import_kwh += walras_kw_from_mw(import_mwh);
        day->export_kwh += walras_kw_from_mw(export_mwh);
        day->import_cost += paid;
        day->export_income += earned;
        day->supply_cost += paid - earned;
        c->cost += paid - earned;
    }
}

/* What soft limits of lines cost in a step of a result, by its flows. */
static double overloads(const struct scenario_result *result, size_t t)
{
    const struct scenario *s = result->scenario;
    double price = s->line_overload_price_per_mwh, breach_kw = 0.0;

    for (size_t l = 0; l < s->network.n_line && !isnan(price); l++)
        if (s->network.lines[l].in_service)
            breach_kw += fmax(0.0, fabs(result->flow_kw[l * s->horizon.n_step + t]) -
                                       certificate_limit_kw(s, l));
    return isnan(price) ? 0.0 : price * walras_mwh(breach_kw, s->horizon.step_h);
}

/* The same of all limits, by what the market tells. */
static double told_breaches(const struct scenario_result *result, size_t t)
{
    double cost = 0.0;

    for (size_t k = 0; k < result->market->n_breach; k++)
        if (result->market->breach[k].step == t)
            cost += result->market->breach[k].cost;
    return cost;
}

static void take_grid(struct commit *c, size_t t)
{
    struct scenario_run *run = &c->sim->run;
    const struct scenario *s = c->sim->scenario;
    size_t n_step = s->horizon.n_step, step = c->first + t;
    double cost = 0.0;

    for (size_t b = 0; b < s->network.n_bus; b++)
        run->price_per_mwh[b * run->steps.length + step] =
            c->result->market->price_per_mwh[b * n_step + t];
    cost = s->model == SCENARIO_LINDISTFLOW ? told_breaches(c->result, t) : overloads(c->result, t);
    run->days[step / run->steps.day].breach_cost += cost;
    c->cost += cost;
}

enum walras_status simulation_commit(struct scenario_simulation *sim,
                                     const struct scenario_window *window,
                                     const struct scenario_result *result, size_t n, double *cost,
                                     struct walras_err *err)
{
    struct commit c = {
        .sim = sim, .window = window, .result = result, .first = window->first_step, .n = n};
    enum walras_status status = take_awards(&c, err);

    for (size_t t = 0, next; t < n && status == WALRAS_OK; t = next) { /* day by day */
        size_t day = sim->run.steps.day, step = c.first + t;

        next = t + day - step % day < n ? t + day - step % day : n;
        status = walk_devices(&c, step, next - t, err);
    }
    for (size_t t = 0; t < n && status == WALRAS_OK; t++) {
        take_supply(&c, t);
        take_grid(&c, t);
    }
    sim->n_committed = n;
    *cost = c.cost;
    return status;
}
