#include "agents/solve.h"
#include "agents/interior.h"
#include "agents/solve_internal.h"
#include "agents/storage_list.h"
#include "core/units.h"

#include <math.h>
#include <stdlib.h>

enum walras_status agent_workspace_new(const struct agent_horizon *horizon,
                                       struct agent_workspace **made, struct walras_err *err)
{
    size_t n = horizon->n_step;
    struct agent_workspace *workspace = NULL;

    if (n == 0 || !(horizon->step_h > 0.0) || !isfinite(horizon->step_h))
        return walras_fail(err, WALRAS_INVALID,
                           "horizon must have steps of positive length, got %zu of %g h", n,
                           horizon->step_h);
    workspace = calloc(1, sizeof(*workspace));
    if (!workspace)
        goto no_memory;
    workspace->n_step = n;
    workspace->piece = calloc(storage_list_room(n), sizeof(*workspace->piece));
    workspace->policy = calloc(n, sizeof(*workspace->policy));
    workspace->reach_low = calloc(n, sizeof(double));
    workspace->reach_high = calloc(n, sizeof(double));
    workspace->level_kw = calloc(n, sizeof(double));
    for (size_t i = 0; i < 2; i++) {
        workspace->knot[i] = calloc(generator_knot_room(n), generator_knot_size());
        if (!workspace->knot[i])
            goto no_memory;
    }
    if (!smooth_room_take(&workspace->room, n) || !workspace->piece || !workspace->policy ||
        !workspace->reach_low || !workspace->reach_high || !workspace->level_kw)
        goto no_memory;
    *made = workspace;
    return WALRAS_OK;
no_memory:
    agent_workspace_free(workspace);
    return walras_fail(err, WALRAS_NOMEM, "cannot make a workspace for %zu steps", n);
}

void agent_workspace_free(struct agent_workspace *workspace)
{
    if (!workspace)
        return;
    smooth_room_release(&workspace->room);
    free(workspace->knot[0]);
    free(workspace->knot[1]);
    free(workspace->level_kw);
    free(workspace->reach_high);
    free(workspace->reach_low);
    free(workspace->policy);
    free(workspace->piece);
    free(workspace);
}

const struct smooth *smooth_asked(const struct agent_workspace *workspace)
{
    return &workspace->smooth;
}

const struct smooth_room *smooth_answered(const struct agent_workspace *workspace)
{
    return &workspace->room;
}

bool agent_describes(enum agent_device_type type)
{
    return type == AGENT_BATTERY || type == AGENT_EV || type == AGENT_THERMAL;
}

const struct smooth *agent_describe(const struct agent_device *device,
                                    const struct agent_horizon *horizon,
                                    struct agent_workspace *workspace)
{
    switch (device->type) {
    case AGENT_BATTERY:
        workspace->smooth = agent_describe_battery(&device->battery, horizon, workspace);
        return &workspace->smooth;
    case AGENT_EV:
        workspace->smooth = agent_describe_ev(&device->ev, horizon, workspace);
        return &workspace->smooth;
    case AGENT_THERMAL:
        workspace->smooth = agent_describe_thermal(&device->thermal, horizon, workspace);
        return &workspace->smooth;
    default:
        return NULL;
    }
}

bool agent_has_fast_solver(const struct agent_device *device)
{
    switch (device->type) {
    case AGENT_LOAD:
    case AGENT_PV:
    case AGENT_EV:
    case AGENT_THERMAL:
    case AGENT_SHIFTABLE:
    case AGENT_BID:
        return true;
    case AGENT_BATTERY:
        return !device->battery.exclusive;
    case AGENT_GENERATOR:
        return !device->generator.committed &&
               (isinf(device->generator.ramp_kw_per_h) || !device->generator.segments ||
                device->generator.n_segment <= GENERATOR_SEGMENTS);
    case AGENT_LP:
        return false;
    }
    return false;
}

/* *both is written for batteries only. */
static enum walras_status solve_by_type(const struct agent_device *device,
                                        const struct agent_question *question,
                                        struct agent_workspace *workspace, double *draw_kw,
                                        double *cost, bool *both, struct walras_err *err)
{
    const struct agent_horizon *horizon = question->horizon;
    const double *price_per_mwh = question->price_per_mwh;

    switch (device->type) {
    case AGENT_BATTERY:
        return agent_solve_battery(&device->battery, question, workspace, draw_kw, cost, both, err);
    case AGENT_EV:
        return agent_solve_ev(&device->ev, question, workspace, draw_kw, cost, err);
    case AGENT_THERMAL:
        return agent_solve_thermal(&device->thermal, question, workspace, draw_kw, cost, err);
    case AGENT_LOAD:
        agent_solve_load(&device->load, horizon, price_per_mwh, draw_kw, cost);
        return WALRAS_OK;
    case AGENT_PV:
        agent_solve_pv(&device->pv, horizon, price_per_mwh, draw_kw, cost);
        return WALRAS_OK;
    case AGENT_BID:
        agent_solve_bid(&device->bid, horizon, price_per_mwh, draw_kw, cost);
        return WALRAS_OK;
    case AGENT_SHIFTABLE:
        agent_solve_shiftable(&device->shiftable, horizon, price_per_mwh, draw_kw, cost);
        return WALRAS_OK;
    case AGENT_GENERATOR:
        agent_solve_generator(&device->generator, question, workspace, draw_kw, cost);
        return WALRAS_OK;
    case AGENT_LP:
        break;
    }
    return walras_fail(err, WALRAS_UNSUPPORTED, "%s has no fast solver",
                       agent_device_type_name(device->type));
}

static enum walras_status answer_with(const struct agent_device *device,
                                      const struct agent_question *question,
                                      struct agent_workspace *workspace, double *draw_kw,
                                      struct market_answer *answer, bool *both,
                                      struct walras_err *err)
{
    const struct agent_horizon *horizon = question->horizon;
    double cost, paid = 0.0;

    if (horizon->n_step != workspace->n_step)
        return walras_fail(err, WALRAS_INTERNAL, "workspace is for %zu steps, not %zu",
                           workspace->n_step, horizon->n_step);

    enum walras_status status =
        solve_by_type(device, question, workspace, draw_kw, &cost, both, err);

    if (status != WALRAS_OK)
        return status;
    for (size_t t = 0; t < horizon->n_step; t++)
        paid += question->price_per_mwh[t] * draw_kw[t];
    *answer =
        (struct market_answer){.cost = cost, .bound = cost + walras_mwh(paid, horizon->step_h)};
    return WALRAS_OK;
}

static enum walras_status check_has_solver(const struct agent_device *device,
                                           struct walras_err *err)
{
    if (agent_has_fast_solver(device))
        return WALRAS_OK;
    return walras_fail(err, WALRAS_UNSUPPORTED, "%s with these parameters has no fast solver",
                       agent_device_type_name(device->type));
}

enum walras_status agent_solve(const struct agent_device *device,
                               const struct agent_horizon *horizon, const double *price_per_mwh,
                               struct agent_workspace *workspace, double *draw_kw,
                               struct market_answer *answer, struct walras_err *err)
{
    const struct agent_question question = {.horizon = horizon, .price_per_mwh = price_per_mwh};
    bool both;
    enum walras_status status = check_has_solver(device, err);

    return status == WALRAS_OK
               ? answer_with(device, &question, workspace, draw_kw, answer, &both, err)
               : status;
}

bool agent_can_be_near(const struct agent_device *device)
{
    switch (device->type) {
    case AGENT_BATTERY:
        return !device->battery.exclusive;
    case AGENT_EV:
    case AGENT_THERMAL:
        return true;
    case AGENT_GENERATOR:
        return agent_has_fast_solver(device) && isfinite(device->generator.ramp_kw_per_h);
    default:
        return false;
    }
}

enum walras_status agent_solve_near(const struct agent_device *device,
                                    const struct agent_horizon *horizon,
                                    const double *price_per_mwh, double rho_per_mwh_per_kw,
                                    const double *centre_kw, struct agent_workspace *workspace,
                                    double *draw_kw, struct market_answer *answer,
                                    struct walras_err *err)
{
    bool near = agent_can_be_near(device) && rho_per_mwh_per_kw > AGENT_NO_SQUARE, both;
    const struct agent_question question = {.horizon = horizon,
                                            .price_per_mwh = price_per_mwh,
                                            .rho_per_mwh_per_kw = near ? rho_per_mwh_per_kw : 0.0,
                                            .centre_kw = centre_kw};
    double pulled = 0.0;
    enum walras_status status = check_has_solver(device, err);

    if (status == WALRAS_OK)
        status = answer_with(device, &question, workspace, draw_kw, answer, &both, err);
    if (status != WALRAS_OK || !(question.rho_per_mwh_per_kw > 0.0))
        return status;
    for (size_t t = 0; t < horizon->n_step; t++)
        pulled += (draw_kw[t] - centre_kw[t]) * draw_kw[t];
    answer->bound += rho_per_mwh_per_kw * walras_mwh(pulled, horizon->step_h);
    return WALRAS_OK;
}

enum walras_status
agent_solve_curved(const struct agent_device *device, const struct agent_horizon *horizon,
                   const double *price_per_mwh, struct agent_workspace *workspace, double *draw_kw,
                   struct market_answer *answer, double *curvature, struct walras_err *err)
{
    enum walras_status status =
        agent_solve(device, horizon, price_per_mwh, workspace, draw_kw, answer, err);

    if (status != WALRAS_OK || !agent_device_is_smooth(device))
        return status;
    if (device->type == AGENT_GENERATOR)
        generator_curvature(&device->generator, horizon, draw_kw, curvature);
    else
        smooth_curvature(&workspace->smooth, &workspace->room, curvature);
    return WALRAS_OK;
}

enum walras_status
agent_solve_relaxed(const struct agent_device *device, const struct agent_horizon *horizon,
                    const double *price_per_mwh, struct agent_workspace *workspace, double *draw_kw,
                    struct market_answer *answer, bool *exact, struct walras_err *err)
{
    const struct agent_question question = {.horizon = horizon, .price_per_mwh = price_per_mwh};
    bool both = false;

    if (device->type != AGENT_BATTERY)
        return walras_fail(err, WALRAS_UNSUPPORTED, "%s has no relaxation",
                           agent_device_type_name(device->type));

    enum walras_status status =
        answer_with(device, &question, workspace, draw_kw, answer, &both, err);

    if (status == WALRAS_OK)
        *exact = !both;
    return status;
}
