/* The AC power flow of a plan, step by step: what the market's linear model leaves out. */
#include "core/units.h"
#include "grid/powerflow.h"
#include "scenario/certificate_internal.h"
#include "scenario/losses.h"

#include <stdlib.h>
#include <string.h>

struct physics { /* one call */
    const struct scenario_result *result;
    struct grid_powerflow *flow;
    double *injection_kw, *injection_kvar, *hold_v_pu; /* [n_bus] of a step */
};

static void keep_breach(const struct physics *p, size_t at, size_t step, double breach)
{
    if (p->result->ac_breach)
        p->result->ac_breach[at * p->result->scenario->horizon.n_step + step] = fmax(0.0, breach);
}

static void look_at_buses(const struct physics *p, const struct grid_powerflow_solution *solved,
                          size_t step, struct scenario_physics *out)
{
    const struct grid_network *network = &p->result->scenario->network;
    size_t n_step = p->result->scenario->horizon.n_step;

    for (size_t b = 0; b < network->n_bus; b++) {
        double v = solved->vm_pu[b];
        double below = network->buses[b].v_min_pu - v, above = v - network->buses[b].v_max_pu;

        if (v < out->lowest_v_pu || out->n_solved == 0) {
            out->lowest_v_pu = v;
            out->lowest = (struct scenario_place){b, step};
        }
        certificate_keep_worst(v, b, step, &out->highest_v_pu, &out->highest);
        certificate_keep_worst(fmax(below, above), b, step, &out->max_voltage_breach_pu,
                               &out->voltage_breach);
        keep_breach(p, b, step, below);
        keep_breach(p, network->n_bus + b, step, above);
        if (p->result->v_pu)
            certificate_keep_worst(fabs(v - p->result->v_pu[b * n_step + step]), b, step,
                                   &out->max_voltage_error_pu, &out->voltage_error);
        out->n_solved += b == 0;
    }
}

/* The fuller end's share of the limits: active power of limit_kw, apparent of limit_kva. */
static double loading_of(const struct grid_powerflow_solution *solved, size_t l,
                         const struct grid_line *line, double scale)
{
    double kw = fmax(fabs(solved->from_kw[l]), fabs(solved->to_kw[l]));
    double kva = fmax(hypot(solved->from_kw[l], solved->from_kvar[l]),
                      hypot(solved->to_kw[l], solved->to_kvar[l]));
    double share = kw > 0.0 ? kw / (line->limit_kw * scale) : 0.0; /* a limit may be 0 */

    return line->limit_kva > 0.0 ? fmax(share, kva / (line->limit_kva * scale)) : share;
}

static void look_at_lines(const struct physics *p, const struct grid_powerflow_solution *solved,
                          size_t step, struct scenario_physics *out)
{
    const struct scenario *s = p->result->scenario;

    for (size_t l = 0; l < s->network.n_line; l++) {
        const struct grid_line *line = &s->network.lines[l];
        double loading = line->in_service ? loading_of(solved, l, line, s->rating_scale) : 0.0;
        double told_kw = p->result->flow_kw[l * s->horizon.n_step + step];

        if (!line->in_service)
            continue;
        certificate_keep_worst(loading, l, step, &out->max_loading, &out->loading);
        keep_breach(p, 2 * s->network.n_bus + l, step, loading - 1.0);
        certificate_keep_worst(fabs(solved->from_kw[l] - told_kw), l, step, &out->max_flow_error_kw,
                               &out->flow_error);
    }
    out->loss_mwh += walras_mwh(solved->loss_kw, s->horizon.step_h);
}

/* What trees lose, beside what they drew for it. */
static enum walras_status look_at_losses(const struct physics *p,
                                         const struct grid_powerflow_solution *solved, size_t step,
                                         struct scenario_physics *out, struct walras_err *err)
{
    struct scenario_losses *losses = p->result->loss_model;
    const struct grid_losses *given = scenario_losses_given(losses);
    enum walras_status status = scenario_losses_note(losses, step, p->flow, solved, err);

    for (size_t j = 0; j < given->n_tree && status == WALRAS_OK; j++) {
        size_t at = j * given->n_step + step;
        double off_kw = fabs(p->result->loss_kw[at] - scenario_losses_lost_kw(losses)[at]);

        certificate_keep_worst(off_kw, given->slack[j], step, &out->max_loss_error_kw,
                               &out->loss_error);
    }
    return status;
}

static enum walras_status judge_step(struct physics *p, const double *injection_kw,
                                     const double *injection_kvar, size_t step,
                                     struct scenario_physics *out, struct walras_err *err)
{
    const struct scenario *s = p->result->scenario;
    struct grid_powerflow_input input = {.injection_kw = p->injection_kw,
                                         .injection_kvar = p->injection_kvar,
                                         .hold_v_pu = p->hold_v_pu,
                                         .from_last = true};
    struct grid_powerflow_solution solved;

    for (size_t b = 0; b < s->network.n_bus; b++) {
        p->injection_kw[b] = injection_kw[b * s->horizon.n_step + step];
        p->injection_kvar[b] = injection_kvar[b * s->horizon.n_step + step];
    }
    enum walras_status status = grid_powerflow_solve(p->flow, &input, &solved, err);

    if (status != WALRAS_OK)
        return status;
    if (solved.outcome == GRID_POWERFLOW_SOLVED) {
        look_at_buses(p, &solved, step, out);
        look_at_lines(p, &solved, step, out);
        if (p->result->loss_model)
            status = look_at_losses(p, &solved, step, out, err);
    } else {
        out->unsolved = step;
        out->reached_share = solved.reached_share;
    }
    return status;
}

static enum walras_status begin(struct physics *p, struct walras_err *err)
{
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    size_t n_bus = p->result->scenario->network.n_bus;

    p->injection_kw = calloc(3 * n_bus, sizeof(double));
    if (!p->injection_kw)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold the powers of %zu buses", n_bus);
    p->injection_kvar = p->injection_kw + n_bus;
    p->hold_v_pu = p->injection_kvar + n_bus;
    scenario_hold_generators(p->result->scenario, p->hold_v_pu);
    return grid_powerflow_new(&p->result->scenario->network, &settings, &p->flow, err);
}

enum walras_status certificate_judge_physics(const struct scenario_result *result,
                                             const double *injection_kw,
                                             const double *injection_kvar,
                                             struct scenario_physics *out, struct walras_err *err)
{
    struct physics p = {.result = result};
    struct walras_err unable = {0};
    enum walras_status status = begin(&p, &unable);

    *out = (struct scenario_physics){.known = status == WALRAS_OK, .unsolved = SIZE_MAX};
    if (result->ac_breach) /* lines out of service have none */
        memset(result->ac_breach, 0,
               (2 * result->scenario->network.n_bus + result->scenario->network.n_line) *
                   result->scenario->horizon.n_step * sizeof(*result->ac_breach));
    if (status == WALRAS_INVALID) /* lines without impedance */
        status = WALRAS_OK;
    else if (status != WALRAS_OK)
        status = walras_fail(err, status, "%s", unable.msg);
    for (size_t t = 0; t < result->scenario->horizon.n_step && out->known &&
                       out->unsolved == SIZE_MAX && status == WALRAS_OK;
         t++)
        status = judge_step(&p, injection_kw, injection_kvar, t, out, err);
    grid_powerflow_free(p.flow);
    free(p.injection_kw);
    return status;
}
