#include "agents/model_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Forgets the program; what is the device's stays. */
static void clear(struct agent_model *model)
{
    size_t n_step = model->horizon.n_step;

    lp_free(model->lp);
    model->lp = NULL;
    model->n_column = model->n_row = model->n_term = model->n_need = 0;
    model->n_square = model->n_binary = 0;
    model->firm_cost = 0.0;
    model->held = false;
    memset(model->firm_kw, 0, n_step * sizeof(*model->firm_kw));
    memset(model->exclusive, 0, n_step * sizeof(*model->exclusive));
    memset(model->n_tangent, 0, n_step * sizeof(*model->n_tangent));
}

static void build_by_type(struct model_builder *build, const struct agent_device *device)
{
    switch (device->type) {
    case AGENT_LOAD:
        model_build_load(build, &device->load);
        break;
    case AGENT_PV:
        model_build_pv(build, &device->pv);
        break;
    case AGENT_BATTERY:
        model_build_battery(build, &device->battery);
        break;
    case AGENT_EV:
        model_build_ev(build, &device->ev);
        break;
    case AGENT_THERMAL:
        model_build_thermal(build, &device->thermal);
        break;
    case AGENT_SHIFTABLE:
        model_build_shiftable(build, &device->shiftable);
        break;
    case AGENT_GENERATOR:
        model_build_generator(build, &device->generator);
        break;
    case AGENT_BID:
        model_build_bid(build, &device->bid);
        break;
    case AGENT_LP:
        model_build_lp(build, &device->lp);
        break;
    }
}

enum walras_status model_build(struct agent_model *model, struct walras_err *err)
{
    struct model_builder build = {.model = model, .err = err};

    model_label(&build, "column", AGENT_PROGRAM_NO_STEP);
    clear(model);
    build.status = lp_new(&model->lp, err);
    if (build.status == WALRAS_OK)
        build_by_type(&build, &model->device);
    return build.status;
}

static enum walras_status take_memory(struct agent_model *model, struct walras_err *err)
{
    const struct agent_device *device = &model->device;
    size_t n_step = model->horizon.n_step > 0 ? model->horizon.n_step : 1;
    bool touches = device->type == AGENT_GENERATOR && !device->generator.segments &&
                   device->generator.per_mw2h > 0.0;
    bool squares = device->type != AGENT_GENERATOR && agent_device_is_smooth(device);
    size_t n_segment = device->type == AGENT_GENERATOR && device->generator.segments
                           ? device->generator.n_segment
                           : 0;

    model->row_room = (n_step > n_segment ? n_step : n_segment) + 2;
    model->row_column = calloc(model->row_room, sizeof(*model->row_column));
    model->row_coef = calloc(model->row_room, sizeof(*model->row_coef));
    model->firm_kw = calloc(n_step, sizeof(*model->firm_kw));
    model->first_column = calloc(n_step, sizeof(*model->first_column));
    model->exclusive = calloc(n_step, sizeof(*model->exclusive));
    model->n_tangent = calloc(n_step, sizeof(*model->n_tangent));
    model->tangent_kw = calloc(touches ? n_step : 1, MODEL_TANGENTS * sizeof(*model->tangent_kw));
    model->squares = calloc(squares ? 2 * n_step : 1, sizeof(*model->squares));
    if (!model->row_column || !model->row_coef || !model->firm_kw || !model->first_column ||
        !model->exclusive || !model->n_tangent || !model->tangent_kw || !model->squares)
        return walras_fail(err, WALRAS_NOMEM, "cannot make a model of %zu steps", n_step);
    return WALRAS_OK;
}

static enum walras_status make(const struct agent_device *device,
                               const struct agent_horizon *horizon, bool elastic, bool whole,
                               struct agent_model **made, struct walras_err *err)
{
    struct agent_model *model = calloc(1, sizeof(*model));
    enum walras_status status;

    *made = NULL;
    if (!model)
        return walras_fail(err, WALRAS_NOMEM, "cannot make a model");
    model->device = *device;
    model->horizon = *horizon;
    model->elastic = elastic;
    model->whole = whole;
    status = take_memory(model, err);
    if (status == WALRAS_OK)
        status = model_build(model, err);
    if (status == WALRAS_OK)
        *made = model;
    else
        agent_model_free(model);
    return status;
}

enum walras_status model_make(const struct agent_device *device,
                              const struct agent_horizon *horizon, bool elastic,
                              struct agent_model **made, struct walras_err *err)
{
    return make(device, horizon, elastic, false, made, err);
}

enum walras_status model_make_whole(const struct agent_device *device,
                                    const struct agent_horizon *horizon, struct agent_model **made,
                                    struct walras_err *err)
{
    return make(device, horizon, false, true, made, err);
}

bool agent_model_is_integer(const struct agent_model *model)
{
    return lp_has_integers(model->lp);
}

enum walras_status agent_model_new(const struct agent_device *device,
                                   const struct agent_horizon *horizon, struct agent_model **made,
                                   struct walras_err *err)
{
    struct agent_device relaxed = *device;
    enum walras_status status;

    *made = NULL;
    if (horizon->n_step == 0 || !(horizon->step_h > 0.0) || !isfinite(horizon->step_h))
        return walras_fail(err, WALRAS_INVALID,
                           "horizon must have steps of positive length, got %zu of %g h",
                           horizon->n_step, horizon->step_h);
    status = agent_device_check(device, horizon, err);
    if (status == WALRAS_OK)
        status = model_make(device, horizon, false, made, err);
    if (status != WALRAS_OK || device->type != AGENT_BATTERY || !device->battery.exclusive)
        return status;
    relaxed.battery.exclusive = false;
    status = model_make(&relaxed, horizon, false, &(*made)->relaxed, err);
    if (status != WALRAS_OK) {
        agent_model_free(*made);
        *made = NULL;
    }
    return status;
}

void agent_model_free(struct agent_model *model)
{
    if (!model)
        return;
    agent_model_free(model->relaxed); /* that one has none */
    lp_free(model->lp);
    free(model->own_cost);
    free(model->square);
    free(model->column_label);
    free(model->row_label);
    free(model->cost);
    free(model->x);
    free(model->terms);
    free(model->needs);
    free(model->firm_kw);
    free(model->row_column);
    free(model->row_coef);
    free(model->first_column);
    free(model->exclusive);
    free(model->tangent_kw);
    free(model->n_tangent);
    free(model->squares);
    free(model->binary);
    free(model);
}

enum walras_status agent_ask_once(const struct agent_device *device,
                                  const struct agent_horizon *horizon, const double *price_per_mwh,
                                  struct agent_workspace *workspace, double *draw_kw,
                                  struct market_answer *answer, struct walras_err *err)
{
    struct agent_model *model = NULL;
    enum walras_status status = WALRAS_OK;

    if (agent_has_fast_solver(device))
        return agent_solve(device, horizon, price_per_mwh, workspace, draw_kw, answer, err);
    status = agent_model_new(device, horizon, &model, err);
    if (status == WALRAS_OK)
        status = agent_model_solve(model, price_per_mwh, draw_kw, answer, err);
    agent_model_free(model);
    return status;
}
