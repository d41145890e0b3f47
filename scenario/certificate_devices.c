/*
 * What the certificate asks of every device: is its award something it can do, what does it cost,
 * and what is the least it could cost at the prices. One pass, in parallel; sums of parts are
 * added in device order, so that they do not depend on the number of threads.
 */
#include "agents/audit.h"
#include "agents/model.h"
#include "core/units.h"
#include "scenario/awards.h"
#include "scenario/certificate_internal.h"
#include "scenario/nodes.h"

#include <stdio.h>
#include <stdlib.h>

struct judge {
    const struct scenario_result *result;
    const struct scenario *scenario;
    const double *price_per_mwh;          /* [n_bus x n_step] */
    const double *price_per_mvarh;        /* the same, or NULL */
    const double *circle;                 /* [2 x n_inverter x n_step] */
    struct agent_workspace **workspaces;  /* [n_worker] */
    double *answer_kw;                    /* [n_worker x 2 n_step] an answer, prices behind it */
    struct certificate_device_sums *part; /* [SCENARIO_AWARDS_SLOTS] */
    struct certificate_devices *out;
};

static enum walras_status blame(const struct scenario *scenario, size_t device,
                                enum walras_status status, struct walras_err *err)
{
    if (status != WALRAS_OK)
        walras_err_prefix(err, "agent %s, device %s",
                          scenario->agents[scenario->device_agent[device]].id,
                          scenario->devices[device].id);
    return status;
}

static void add_draw(const double *draw_kw, size_t n_step, double *largest_kw,
                     struct certificate_device_sums *sums)
{
    for (size_t t = 0; t < n_step; t++) {
        *largest_kw = fmax(*largest_kw, fabs(draw_kw[t]));
        *(draw_kw[t] > 0.0 ? &sums->drawn_kw : &sums->given_kw) += fabs(draw_kw[t]);
    }
}

/* Which of the inverters is a device's; SIZE_MAX: none. */
static size_t inverter_of(const struct scenario_result *result, size_t device)
{
    size_t low = 0, high = result->n_inverter;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (result->inverters[middle].device < device)
            low = middle + 1;
        else
            high = middle;
    }
    return low < result->n_inverter && result->inverters[low].device == device ? low : SIZE_MAX;
}

/* What a device's inverter draws in kvar [n_step]; NULL: it has none. */
static const double *own_kvar_of(const struct scenario_result *result, size_t device)
{
    size_t inverter = inverter_of(result, device);

    return inverter == SIZE_MAX
               ? NULL
               : result->inverter_kvar + inverter * result->scenario->horizon.n_step;
}

/* kW and kvar together within the inverter's circle. */
static void audit_inverter(const struct judge *judge, size_t device, const double *draw_kw,
                           struct agent_verdict *verdict)
{
    const double *own_kvar = own_kvar_of(judge->result, device);
    double kva = agent_device_apparent_kva(&judge->scenario->devices[device]);

    for (size_t t = 0; own_kvar && t < judge->scenario->horizon.n_step; t++) {
        double over_kva = hypot(draw_kw[t], own_kvar[t]) - kva;

        if (over_kva > verdict->breach) {
            verdict->breach = over_kva;
            verdict->step = t;
            verdict->what = "apparent power of the inverter";
        }
    }
}

static enum walras_status audit(const struct judge *judge, size_t device, const double *draw_kw,
                                struct certificate_device_sums *sums, struct walras_err *err)
{
    const struct scenario *scenario = judge->scenario;
    struct agent_verdict verdict = {0};
    double largest_kw = 1.0, before = sums->max_breach;
    enum walras_status status =
        agent_audit(&scenario->devices[device], &scenario->horizon, draw_kw, &verdict, err);

    if (status != WALRAS_OK)
        return status;
    audit_inverter(judge, device, draw_kw, &verdict);
    certificate_keep_worst(verdict.breach, device, verdict.step, &sums->max_breach, &sums->breach);
    if (sums->max_breach > before)
        sums->what = verdict.what;
    add_draw(draw_kw, scenario->horizon.n_step, &largest_kw, sums);
    sums->n_breach += !(verdict.breach <= CERTIFICATE_TOLERANCE * largest_kw);
    sums->cost += verdict.cost;
    return WALRAS_OK;
}

/* What a device pays where it stands: for the kvar that come with its kW as well. */
static const double *find_price(const struct judge *judge, size_t device, double *scratch)
{
    const struct scenario *scenario = judge->scenario;
    size_t n_step = scenario->horizon.n_step, inverter = inverter_of(judge->result, device);
    size_t first = scenario_device_bus(scenario, device) * n_step;

    if (!judge->price_per_mvarh)
        return judge->price_per_mwh + first;
    for (size_t t = 0; t < n_step; t++) {
        scratch[t] = judge->price_per_mwh[first + t] +
                     scenario_reactive_of(&scenario->devices[device], t).kvar_per_kw *
                         judge->price_per_mvarh[first + t];
        if (inverter != SIZE_MAX)
            scratch[t] += judge->circle[inverter * n_step + t];
    }
    return scratch;
}

/*
 * What the inverter could earn at most with kvar, <= 0, when its limit is a price of both kW and
 * kvar: what that price leaves of each is earned by itself.
 */
static double inverter_bound(const struct judge *judge, size_t device)
{
    const struct scenario *scenario = judge->scenario;
    size_t n_step = scenario->horizon.n_step, inverter = inverter_of(judge->result, device);
    const double *price = judge->price_per_mvarh + scenario_device_bus(scenario, device) * n_step;
    double bound = 0.0;

    for (size_t t = 0; t < n_step && inverter != SIZE_MAX; t++) {
        double here = price[t] + judge->circle[(judge->result->n_inverter + inverter) * n_step + t];

        bound -= fabs(here) * walras_mwh(agent_device_reach_kvar(&scenario->devices[device], t),
                                         scenario->horizon.step_h);
    }
    return bound;
}

/* min over the device's own set of its cost and what it pays: eq. of certificate.h. */
static enum walras_status add_bound(const struct judge *judge, size_t device, unsigned worker,
                                    struct certificate_device_sums *sums, struct walras_err *err)
{
    const struct scenario *scenario = judge->scenario;
    size_t n_step = scenario->horizon.n_step;
    struct market_answer answer = {0};
    double *answer_kw = judge->answer_kw + 2 * worker * n_step;
    enum walras_status status = agent_ask_once(&scenario->devices[device], &scenario->horizon,
                                               find_price(judge, device, answer_kw + n_step),
                                               judge->workspaces[worker], answer_kw, &answer, err);

    sums->bound += answer.bound;
    if (judge->price_per_mvarh)
        sums->bound += inverter_bound(judge, device);
    return status;
}

static enum walras_status judge_part(void *context, const struct scenario_awards_part *part,
                                     struct walras_err *err)
{
    struct judge *judge = context;
    struct certificate_device_sums sums = {0};
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < part->n && status == WALRAS_OK; i++) {
        const double *draw_kw = part->draw_kw + i * judge->scenario->horizon.n_step;

        status = audit(judge, part->first + i, draw_kw, &sums, err);
        if (status == WALRAS_OK)
            status = add_bound(judge, part->first + i, part->worker, &sums, err);
        status = blame(judge->scenario, part->first + i, status, err);
    }
    judge->part[part->slot] = sums;
    return status;
}

static void merge(struct certificate_device_sums *sums, const struct certificate_device_sums *more)
{
    sums->cost += more->cost;
    sums->bound += more->bound;
    sums->drawn_kw += more->drawn_kw;
    sums->given_kw += more->given_kw;
    sums->n_breach += more->n_breach;
    if (more->max_breach > sums->max_breach) {
        sums->max_breach = more->max_breach;
        sums->breach = more->breach;
        sums->what = more->what;
    }
}

static void add_kvar(struct judge *judge, size_t device, const double *draw_kw)
{
    const double *own_kvar = own_kvar_of(judge->result, device);
    size_t n_step = judge->scenario->horizon.n_step;
    double *at_bus =
        judge->out->injection_kvar + scenario_device_bus(judge->scenario, device) * n_step;

    for (size_t t = 0; t < n_step; t++) {
        struct scenario_reactive reactive =
            scenario_reactive_of(&judge->scenario->devices[device], t);

        at_bus[t] -= reactive.fixed_kvar + reactive.kvar_per_kw * draw_kw[t];
        at_bus[t] -= own_kvar ? own_kvar[t] : 0.0;
    }
}

static enum walras_status take_part(void *context, const struct scenario_awards_part *part,
                                    struct walras_err *err)
{
    struct judge *judge = context;
    size_t n_step = judge->scenario->horizon.n_step;

    (void)err;
    merge(&judge->out->sums, &judge->part[part->slot]);
    for (size_t i = 0; i < part->n; i++) {
        const double *draw_kw = part->draw_kw + i * n_step;
        double *at_bus = judge->out->injection_kw +
                         scenario_device_bus(judge->scenario, part->first + i) * n_step;

        for (size_t t = 0; t < n_step; t++) {
            at_bus[t] -= draw_kw[t];
            judge->out->gross_kw[t] += fabs(draw_kw[t]);
        }
        if (judge->out->injection_kvar)
            add_kvar(judge, part->first + i, draw_kw);
    }
    return WALRAS_OK;
}

static enum walras_status begin(struct judge *judge, unsigned n_worker, struct walras_err *err)
{
    const struct agent_horizon *horizon = &judge->scenario->horizon;
    enum walras_status status = WALRAS_OK;

    judge->workspaces = calloc(n_worker, sizeof(struct agent_workspace *));
    judge->answer_kw = calloc(2 * n_worker * horizon->n_step, sizeof(*judge->answer_kw));
    judge->part = calloc(SCENARIO_AWARDS_SLOTS, sizeof(*judge->part));
    if (!judge->workspaces || !judge->answer_kw || !judge->part)
        return walras_fail(err, WALRAS_NOMEM, "cannot judge devices on %u threads", n_worker);
    for (unsigned i = 0; i < n_worker && status == WALRAS_OK; i++)
        status = agent_workspace_new(horizon, &judge->workspaces[i], err);
    return status;
}

enum walras_status certificate_judge_devices(const struct scenario_result *result,
                                             const double *price_per_mwh,
                                             const double *price_per_mvarh, const double *circle,
                                             struct certificate_devices *out,
                                             struct walras_err *err)
{
    unsigned n_worker = result->awards->n_worker;
    struct judge judge = {.result = result,
                          .scenario = result->scenario,
                          .price_per_mwh = price_per_mwh,
                          .price_per_mvarh = price_per_mvarh,
                          .circle = circle,
                          .out = out};
    const struct scenario_awards_pass pass = {&judge, judge_part, take_part};
    enum walras_status status = begin(&judge, n_worker, err);

    if (status == WALRAS_OK)
        status = scenario_awards_run(result->awards, &pass, err);
    for (unsigned i = 0; judge.workspaces && i < n_worker; i++)
        agent_workspace_free(judge.workspaces[i]);
    free(judge.workspaces);
    free(judge.answer_kw);
    free(judge.part);
    return status;
}

struct of_rank {                         /* what one rank found */
    struct certificate_device_sums sums; /* `what` means nothing to another process */
    char agent[160], device[160], what[80];
};

static void name_worst(const struct scenario *scenario, struct of_rank *mine)
{
    size_t device = mine->sums.breach.index;

    if (!mine->sums.what)
        return;
    snprintf(mine->agent, sizeof(mine->agent), "%s",
             scenario->agents[scenario->device_agent[device]].id);
    snprintf(mine->device, sizeof(mine->device), "%s", scenario->devices[device].id);
    snprintf(mine->what, sizeof(mine->what), "%s", mine->sums.what);
}

/* In rank order, which is device order. */
static void add_rank(const struct of_rank *rank, struct certificate_device_sums *sums,
                     struct scenario_certificate *out)
{
    struct certificate_device_sums more = rank->sums;
    bool worst = more.max_breach > sums->max_breach;

    more.what = NULL;
    merge(sums, &more);
    if (!worst)
        return;
    snprintf(out->elsewhere.agent, sizeof(out->elsewhere.agent), "%s", rank->agent);
    snprintf(out->elsewhere.device, sizeof(out->elsewhere.device), "%s", rank->device);
    snprintf(out->elsewhere.what, sizeof(out->elsewhere.what), "%s", rank->what);
}

enum walras_status certificate_add_ranks(const struct scenario_result *result,
                                         struct certificate_devices *devices,
                                         struct scenario_certificate *out, struct walras_err *err)
{
    const struct scenario *scenario = result->scenario;
    size_t n_step = scenario->horizon.n_step;
    struct of_rank mine = {.sums = devices->sums};
    struct of_rank *all = calloc(walras_ranks_count(result->ranks), sizeof(*all));
    enum walras_status status =
        all ? WALRAS_OK : walras_fail(err, WALRAS_NOMEM, "cannot judge the devices of all ranks");

    status = walras_ranks_agree(result->ranks, status, err);
    if (status == WALRAS_OK && all && result->ranks) {
        name_worst(scenario, &mine);
        walras_ranks_collect(result->ranks, &mine, all, sizeof(mine));
        walras_ranks_sum(result->ranks, devices->injection_kw, scenario->network.n_bus * n_step);
        walras_ranks_sum(result->ranks, devices->gross_kw, n_step);
        for (unsigned r = 1; r < result->ranks->n; r++)
            add_rank(&all[r], &devices->sums, out);
    }
    free(all);
    return status;
}
