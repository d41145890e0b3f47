#include "agents/fleet_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void agent_fleet_free(struct agent_fleet *fleet)
{
    if (!fleet)
        return;
    for (size_t i = 0; fleet->models && i < fleet->n_device; i++)
        agent_model_free(fleet->models[i]);
    for (unsigned i = 0; fleet->workspaces && i < fleet->settings.n_worker; i++)
        agent_workspace_free(fleet->workspaces[i]);
    agent_book_free(fleet->book);
    fleet_forget(fleet);
    fleet_interior_free(fleet);
    free(fleet->member);
    free(fleet->place);
    free(fleet->groups);
    free(fleet->inner);
    free(fleet->models);
    free(fleet->workspaces);
    free(fleet->scratch);
    free(fleet->settled_kw);
    free(fleet->is_settled);
    free(atomic_load(&fleet->past_kw));
    free(fleet);
}

enum walras_status fleet_blame(struct agent_fleet *fleet, size_t device, enum walras_status status,
                               struct walras_err *err)
{
    char name[128];

    if (status == WALRAS_OK)
        return status;
    if (fleet->settings.describe)
        fleet->settings.describe(fleet->settings.context, device, name, sizeof(name));
    else
        snprintf(name, sizeof(name), "device %s", fleet->devices[device].id);
    walras_err_prefix(err, "%s", name);
    return status;
}

enum walras_status fleet_solve(struct agent_fleet *fleet, size_t device, unsigned worker,
                               const double *price_per_mwh, double *draw_kw,
                               struct market_answer *answer, struct walras_err *err)
{
    const struct agent_device *asked = &fleet->devices[device];
    struct agent_workspace *workspace = fleet->workspaces[worker];
    enum walras_status status = WALRAS_OK;
    bool exact = false;

    if (!fleet_model(fleet, device))
        return fleet_blame(
            fleet, device,
            agent_solve(asked, &fleet->horizon, price_per_mwh, workspace, draw_kw, answer, err),
            err);
    if (asked->type == AGENT_BATTERY && asked->battery.exclusive && !fleet->settings.glpk)
        status = agent_solve_relaxed(asked, &fleet->horizon, price_per_mwh, workspace, draw_kw,
                                     answer, &exact, err);
    if (status == WALRAS_OK && !exact)
        status = agent_model_solve(fleet->models[device], price_per_mwh, draw_kw, answer, err);
    return fleet_blame(fleet, device, status, err);
}

/*
 * Members of a group lie far apart among the devices, further than the processor looks ahead:
 * without a hint, short solves wait for memory (docs/decisions.md).
 */
static inline void fetch(const struct agent_device *device)
{
    enum { CACHE_LINE = 64 };

    for (size_t at = 0; at < sizeof(*device); at += CACHE_LINE)
        __builtin_prefetch((const char *)device + at);
}

static enum walras_status respond(void *self, size_t part, unsigned worker,
                                  const double *price_per_mwh, double *draw_kw,
                                  struct market_answer *answer, struct walras_err *err)
{
    struct fleet_group *group = self;
    struct agent_fleet *fleet = group->fleet;
    size_t n_step = fleet->horizon.n_step, begin, end;
    double *one = fleet->scratch + worker * n_step;

    memset(draw_kw, 0, n_step * sizeof(*draw_kw));
    *answer = (struct market_answer){0};
    fleet_part(group, part, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        struct market_answer device = {0};

        if (i + 1 < end)
            fetch(&fleet->devices[fleet->member[i + 1]]);
        enum walras_status status = fleet_ask(fleet, i, worker, price_per_mwh, one, &device, err);

        if (status != WALRAS_OK)
            return status;
        fleet_add(one, &device, n_step, draw_kw, answer);
    }
    return WALRAS_OK;
}

static const struct market_oracle_ops model_ops = {.respond = respond}; /* by GLPK, all of them */
static const struct market_oracle_ops integer_ops = {.respond = respond, .settle = fleet_settle};
/* convex groups: with devices that only jump or not, all storage-like or not */
static const struct market_oracle_ops convex_ops[2][2] = {
    {{.respond = respond, .respond_near = fleet_respond_near},
     {.respond = respond, .respond_near = fleet_respond_near, .interior = fleet_interior_turn}},
    {{.respond = respond,
      .respond_near = fleet_respond_near,
      .respond_curved = fleet_respond_curved},
     {.respond = respond,
      .respond_near = fleet_respond_near,
      .respond_curved = fleet_respond_curved,
      .interior = fleet_interior_turn}}};

static enum walras_status fill_book(struct agent_fleet *fleet, struct walras_err *err)
{
    enum walras_status status = agent_book_new(fleet->n_bus, &fleet->horizon, &fleet->book, err);

    for (size_t i = 0; i < fleet->n_device && status == WALRAS_OK; i++)
        if (agent_device_is_separable(&fleet->devices[i]))
            status = fleet_blame(
                fleet, i, agent_book_enter(fleet->book, i, &fleet->devices[i], fleet->bus[i], err),
                err);
    return status == WALRAS_OK ? agent_book_close(fleet->book, err) : status;
}

static bool needs_model(const struct agent_fleet *fleet, size_t device)
{
    const struct agent_device *asked = &fleet->devices[device];

    return !agent_device_is_separable(asked) &&
           (fleet->settings.glpk || !agent_has_fast_solver(asked));
}

static enum walras_status make_models(struct agent_fleet *fleet, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < fleet->n_device && status == WALRAS_OK; i++) {
        if (!needs_model(fleet, i))
            continue;
        if (!fleet->models)
            fleet->models = calloc(fleet->n_device, sizeof(struct agent_model *));
        if (!fleet->models)
            return walras_fail(err, WALRAS_NOMEM, "%zu devices do not fit in memory",
                               fleet->n_device);
        status = fleet_blame(
            fleet, i, agent_model_new(&fleet->devices[i], &fleet->horizon, &fleet->models[i], err),
            err);
    }
    return status;
}

static enum walras_status make_solvers(struct agent_fleet *fleet, struct walras_err *err)
{
    unsigned n_worker = fleet->settings.n_worker;
    enum walras_status status = WALRAS_OK;

    fleet->workspaces = calloc(n_worker, sizeof(struct agent_workspace *));
    fleet->scratch = calloc(n_worker * fleet->horizon.n_step, sizeof(*fleet->scratch));
    if (!fleet->workspaces || !fleet->scratch)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up %u workers", n_worker);
    for (unsigned i = 0; i < n_worker && status == WALRAS_OK; i++)
        status = agent_workspace_new(&fleet->horizon, &fleet->workspaces[i], err);
    return status == WALRAS_OK ? make_models(fleet, err) : status;
}

/*
 * What a device that brings its own program can draw: asked at prices that make it draw as much and
 * as little as it can. One that has no answer counts for nothing here and is named when it is
 * asked.
 */
static double ask_swing(struct agent_fleet *fleet, size_t device, double *price)
{
    size_t n_step = fleet->horizon.n_step;
    double most_kw = 0.0;

    for (int sign = -1; sign <= 1; sign += 2) {
        struct market_answer answer = {0};

        for (size_t t = 0; t < n_step; t++)
            price[t] = sign * 1e5;
        if (agent_model_solve(fleet->models[device], price, fleet->scratch, &answer, NULL) !=
            WALRAS_OK)
            return most_kw;
        for (size_t t = 0; t < n_step; t++)
            most_kw = fmax(most_kw, fabs(fleet->scratch[t]));
    }
    return most_kw;
}

/* Adds programs, then the other ranks' shares, to how far groups swing. */
static enum walras_status measure_groups(struct agent_fleet *fleet, struct walras_err *err)
{
    size_t n_step = fleet->horizon.n_step;
    double *price = calloc(n_step + fleet->n_group, sizeof(*price)), *swing_kw = price + n_step;
    enum walras_status status =
        price ? WALRAS_OK : walras_fail(err, WALRAS_NOMEM, "cannot measure devices");

    status = walras_ranks_agree(fleet->settings.ranks, status, err);
    if (!price || status != WALRAS_OK) {
        free(price);
        return status;
    }
    for (size_t g = 0; g < fleet->n_group; g++)
        for (size_t i = 0; i < fleet->inner[g].n; i++) {
            size_t device = fleet->member[fleet->inner[g].first + i];

            if (fleet->devices[device].type == AGENT_LP)
                fleet->groups[g].swing_kw += ask_swing(fleet, device, price);
        }
    for (size_t g = 0; g < fleet->n_group; g++)
        swing_kw[g] = fleet->groups[g].swing_kw;
    walras_ranks_sum_all(fleet->settings.ranks, swing_kw, fleet->n_group);
    for (size_t g = 0; g < fleet->n_group; g++)
        fleet->groups[g].swing_kw = swing_kw[g];
    free(price);
    return WALRAS_OK;
}

static const struct market_oracle_ops *ops_of(const struct agent_fleet *fleet, size_t g)
{
    const struct fleet_group *group = &fleet->inner[g];
    bool smooth = false;

    if (fleet->groups[g].integer)
        return &integer_ops;
    if (fleet->settings.glpk)
        return &model_ops;
    for (size_t i = group->first; i < group->first + group->n; i++)
        smooth = smooth || agent_device_is_smooth(&fleet->devices[fleet->member[i]]);
    return &convex_ops[smooth][fleet_can_interior(fleet, group)];
}

static void make_oracles(struct agent_fleet *fleet)
{
    for (size_t g = 0; g < fleet->n_group; g++) {
        struct agent_group *group = &fleet->groups[g];
        size_t n_part = (fleet->inner[g].n + FLEET_PART - 1) / FLEET_PART;

        fleet->inner[g].fleet = fleet;
        group->oracle =
            (struct market_oracle){.ops = ops_of(fleet, g),
                                   .self = &fleet->inner[g],
                                   .n_part = n_part > 0 ? n_part : 1}; /* other ranks have them */
    }
}

enum walras_status agent_fleet_new(const struct agent_device *devices, const uint32_t *bus,
                                   size_t n_device, size_t n_bus,
                                   const struct agent_horizon *horizon,
                                   const struct agent_fleet_settings *settings,
                                   struct agent_fleet **made, struct walras_err *err)
{
    struct agent_fleet *fleet = calloc(1, sizeof(*fleet));
    enum walras_status status = WALRAS_OK;

    if (!fleet)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up a fleet");
    fleet->devices = devices;
    fleet->bus = bus;
    fleet->n_device = n_device;
    fleet->n_bus = n_bus;
    fleet->horizon = *horizon;
    fleet->settings = *settings;
    status = fill_book(fleet, err);
    if (status == WALRAS_OK)
        status = make_solvers(fleet, err);
    status = walras_ranks_agree(settings->ranks, status, err);
    if (status == WALRAS_OK)
        status = fleet_form_groups(fleet, err);
    if (status == WALRAS_OK)
        status = measure_groups(fleet, err);
    if (status != WALRAS_OK) {
        agent_fleet_free(fleet);
        return status;
    }
    make_oracles(fleet);
    *made = fleet;
    return WALRAS_OK;
}

const struct agent_book *agent_fleet_book(const struct agent_fleet *fleet)
{
    return fleet->book;
}

const struct agent_group *agent_fleet_groups(const struct agent_fleet *fleet, size_t *n)
{
    *n = fleet->n_group;
    return fleet->groups;
}
