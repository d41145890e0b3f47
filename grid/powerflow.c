#include "grid/powerflow.h"

#include "core/units.h"
#include "grid/newton_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double smallest_impedance_pu = 1e-11;
/* A flat start that ends at less than this share of where it began may be on the lower branch. */
static const double suspicious_share = 0.5;
static const double first_rise = 0.25, smallest_rise = 1e-4; /* of the share of the injections */
static const double largest_fall = 0.3; /* of a magnitude in one rise: more is another branch */
enum { RISE_ITERATIONS = 12 };

struct grid_powerflow {
    const struct grid_network *network;
    struct grid_powerflow_settings settings;
    struct grid_admittance admittance;
    struct grid_newton *newton;
    double *no_load_rad;       /* [n_bus] */
    double *p_pu, *q_pu;       /* [n_bus] wanted */
    double *hold_pu;           /* [n_bus]; NAN: not held; the slack's always set */
    double *idle_vm;           /* [n_bus] without injections; first of a block */
    double *good_vm, *good_va; /* [n_bus] at the share reached while rising */
    double *injection_kw, *injection_kvar;
    double *from_kw, *from_kvar, *to_kw, *to_kvar; /* [n_line] */
    bool *slack, *held;                            /* [n_bus] */
    bool has_last;                                 /* newton stands at a solution */
};

struct attempt { /* what has been tried so far */
    struct grid_newton_target target;
    struct grid_newton_end end;
    unsigned iterations;
    double reached_share;
};

struct grid_powerflow_settings grid_powerflow_settings_defaults(void)
{
    return (struct grid_powerflow_settings){.tolerance_pu = 1e-10, .max_iterations = 30};
}

void grid_powerflow_free(struct grid_powerflow *flow)
{
    if (!flow)
        return;
    grid_newton_free(flow->newton);
    grid_admittance_release(&flow->admittance);
    free(flow->idle_vm);
    free(flow->slack);
    free(flow->held);
    free(flow);
}

static enum walras_status take_memory(struct grid_powerflow *flow, struct walras_err *err)
{
    size_t n = flow->network->n_bus, n_line = flow->network->n_line;
    double **by_bus[] = {&flow->idle_vm, &flow->no_load_rad,  &flow->p_pu,
                         &flow->q_pu,    &flow->hold_pu,      &flow->good_vm,
                         &flow->good_va, &flow->injection_kw, &flow->injection_kvar};
    double **by_line[] = {&flow->from_kw, &flow->from_kvar, &flow->to_kw, &flow->to_kvar};
    size_t n_by_bus = sizeof(by_bus) / sizeof(by_bus[0]);
    size_t n_by_line = sizeof(by_line) / sizeof(by_line[0]);
    double *block = calloc(n_by_bus * n + n_by_line * n_line, sizeof(*block));

    flow->idle_vm = block;
    flow->slack = calloc(n, sizeof(*flow->slack));
    flow->held = calloc(n, sizeof(*flow->held));
    if (!block || !flow->slack || !flow->held)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the power flow of %zu buses", n);
    for (size_t i = 0; i < n_by_bus; i++)
        *by_bus[i] = block + i * n;
    for (size_t i = 0; i < n_by_line; i++)
        *by_line[i] = block + n_by_bus * n + i * n_line;
    return WALRAS_OK;
}

/* A network may do without reactances, or have been checked for a model that needs no others. */
static enum walras_status check_impedances(const struct grid_network *network,
                                           struct walras_err *err)
{
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];

        if (line->in_service && hypot(line->r_pu, line->x_pu) < smallest_impedance_pu)
            return walras_fail(err, WALRAS_INVALID,
                               "line %s: an impedance of zero has no AC power flow; give it at "
                               "least 1e-11 per unit, or make its ends one bus",
                               line->id);
    }
    return WALRAS_OK;
}

enum walras_status grid_powerflow_new(const struct grid_network *network,
                                      const struct grid_powerflow_settings *settings,
                                      struct grid_powerflow **made, struct walras_err *err)
{
    struct grid_powerflow *flow = calloc(1, sizeof(*flow));
    enum walras_status status = WALRAS_OK;

    if (!flow)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the power flow");
    flow->network = network;
    flow->settings = *settings;
    status = check_impedances(network, err);
    if (status == WALRAS_OK)
        status = take_memory(flow, err);
    for (size_t b = 0; b < network->n_bus && status == WALRAS_OK; b++)
        flow->slack[b] = grid_network_is_slack(network, b);
    if (status == WALRAS_OK)
        status = grid_admittance_build(network, &flow->admittance, flow->no_load_rad, err);
    if (status == WALRAS_OK)
        status = grid_newton_new(&flow->admittance, &flow->newton, err);
    if (status == WALRAS_OK)
        *made = flow;
    else
        grid_powerflow_free(flow);
    return status;
}

/* Voltages to hold, and wanted injections per unit; what is not read is 0. */
static enum walras_status take_input(struct grid_powerflow *flow,
                                     const struct grid_powerflow_input *input,
                                     struct walras_err *err)
{
    const struct grid_network *network = flow->network;
    double base_kw = walras_kw_from_mw(network->base_mva);

    for (size_t b = 0; b < network->n_bus; b++) {
        double hold = input->hold_v_pu ? input->hold_v_pu[b] : (double)NAN;

        if (flow->slack[b] && isnan(hold))
            hold = grid_network_slack_v(network, b);
        flow->held[b] = !isnan(hold);
        flow->hold_pu[b] = hold;
        flow->p_pu[b] = flow->slack[b] ? 0.0 : input->injection_kw[b] / base_kw;
        flow->q_pu[b] = flow->held[b] ? 0.0 : input->injection_kvar[b] / base_kw;
        if (!isfinite(flow->p_pu[b]) || !isfinite(flow->q_pu[b]))
            return walras_fail(err, WALRAS_INVALID, "bus %s: the injection is not finite",
                               network->buses[b].id);
        if (flow->held[b] && (!(hold > 0.0) || isinf(hold)))
            return walras_fail(err, WALRAS_INVALID,
                               "bus %s: the voltage to hold must be finite and above 0, got %g",
                               network->buses[b].id, hold);
    }
    return WALRAS_OK;
}

/* All at the slack's voltage or the one they hold, at the angles of no load. */
static void start_flat(struct grid_powerflow *flow)
{
    double *vm = grid_newton_magnitude(flow->newton), *va = grid_newton_angle(flow->newton);

    for (size_t b = 0; b < flow->network->n_bus; b++) {
        vm[b] = flow->held[b] ? flow->hold_pu[b] : flow->hold_pu[flow->network->slack];
        va[b] = flow->no_load_rad[b];
    }
}

static void start_from_last(struct grid_powerflow *flow)
{
    double *vm = grid_newton_magnitude(flow->newton);

    for (size_t b = 0; b < flow->network->n_bus; b++)
        vm[b] = flow->held[b] ? flow->hold_pu[b] : vm[b];
}

static enum walras_status run(struct grid_powerflow *flow, struct attempt *attempt,
                              struct walras_err *err)
{
    enum walras_status status = grid_newton_run(flow->newton, &attempt->target, &attempt->end, err);

    attempt->iterations += attempt->end.iterations;
    return status;
}

static size_t weakest_bus(const struct grid_powerflow *flow)
{
    const double *vm = grid_newton_magnitude(flow->newton);
    size_t weakest = 0;

    for (size_t b = 1; b < flow->network->n_bus; b++)
        weakest = vm[b] < vm[weakest] ? b : weakest;
    return weakest;
}

static bool is_suspicious(const struct grid_powerflow *flow)
{
    const double *vm = grid_newton_magnitude(flow->newton);

    return vm[weakest_bus(flow)] < suspicious_share * flow->hold_pu[flow->network->slack];
}

static void keep_good(struct grid_powerflow *flow)
{
    size_t size = flow->network->n_bus * sizeof(double);

    memcpy(flow->good_vm, grid_newton_magnitude(flow->newton), size);
    memcpy(flow->good_va, grid_newton_angle(flow->newton), size);
}

static void back_to_good(struct grid_powerflow *flow)
{
    size_t size = flow->network->n_bus * sizeof(double);

    memcpy(grid_newton_magnitude(flow->newton), flow->good_vm, size);
    memcpy(grid_newton_angle(flow->newton), flow->good_va, size);
}

static bool fell(const struct grid_powerflow *flow)
{
    const double *vm = grid_newton_magnitude(flow->newton);

    for (size_t b = 0; b < flow->network->n_bus; b++)
        if (vm[b] < (1.0 - largest_fall) * flow->good_vm[b])
            return true;
    return false;
}

/* Voltages to hold move from those of no injections to those asked for. */
static void hold_share(struct grid_powerflow *flow, double share)
{
    double *vm = grid_newton_magnitude(flow->newton);

    for (size_t b = 0; b < flow->network->n_bus; b++)
        if (flow->held[b])
            vm[b] = flow->idle_vm[b] + share * (flow->hold_pu[b] - flow->idle_vm[b]);
}

/*
 * From no injections, where the voltages are those of a linear network, up to all of them, each
 * time from the solution before, in steps that shorten where Newton's method does not arrive. Ends
 * at the last solution, of reached_share.
 */
static enum walras_status rise(struct grid_powerflow *flow, struct attempt *attempt,
                               struct walras_err *err)
{
    double rise = first_rise;
    enum walras_status status = WALRAS_OK;

    attempt->end.converged = false;
    attempt->reached_share = 0.0;
    attempt->target.max_iterations = RISE_ITERATIONS;
    start_flat(flow);
    if (!grid_newton_go_idle(flow->newton, flow->slack))
        return WALRAS_OK;
    keep_good(flow);
    memcpy(flow->idle_vm, flow->good_vm, flow->network->n_bus * sizeof(double));
    while (status == WALRAS_OK && attempt->reached_share < 1.0 && rise >= smallest_rise) {
        attempt->target.share = fmin(1.0, attempt->reached_share + rise);
        hold_share(flow, attempt->target.share);
        status = run(flow, attempt, err);
        if (attempt->end.converged && !fell(flow)) {
            attempt->reached_share = attempt->target.share;
            keep_good(flow);
            rise *= 1.5;
        } else {
            back_to_good(flow);
            attempt->end.converged = false;
            rise *= 0.5;
        }
    }
    return status;
}

static enum walras_status run_flat(struct grid_powerflow *flow, struct attempt *attempt,
                                   struct walras_err *err)
{
    start_flat(flow);
    attempt->target.share = attempt->reached_share = 1.0;
    attempt->target.max_iterations = flow->settings.max_iterations;
    return run(flow, attempt, err);
}

/* From the last solution, else flat, else rising. */
static enum walras_status find_voltages(struct grid_powerflow *flow, bool from_last,
                                        struct attempt *attempt, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    bool doubted = false;

    if (from_last && flow->has_last) {
        start_from_last(flow);
        attempt->target.near_last = true;
        status = run(flow, attempt, err);
        attempt->target.near_last = false;
    }
    flow->has_last = false;
    if (status != WALRAS_OK || (attempt->end.converged && !is_suspicious(flow)))
        return status;
    status = run_flat(flow, attempt, err);
    doubted = attempt->end.converged && is_suspicious(flow);
    if (status != WALRAS_OK || (attempt->end.converged && !doubted))
        return status;
    status = rise(flow, attempt, err);
    if (status == WALRAS_OK && !attempt->end.converged && doubted)
        status = run_flat(flow, attempt, err); /* low, and yet a solution */
    return status;
}

/* What line l takes in at its ends, and its part of the sums. */
static void put_line(struct grid_powerflow *flow, size_t l, struct grid_powerflow_solution *out)
{
    const struct grid_line *line = &flow->network->lines[l];
    const double *vm = grid_newton_magnitude(flow->newton), *va = grid_newton_angle(flow->newton);
    double base_kw = walras_kw_from_mw(flow->network->base_mva);
    double from = vm[line->from], to = vm[line->to];
    double complex v_from = grid_complex(from * cos(va[line->from]), from * sin(va[line->from]));
    double complex v_to = grid_complex(to * cos(va[line->to]), to * sin(va[line->to]));
    double complex z = grid_complex(line->r_pu, line->x_pu);
    struct grid_branch branch = grid_branch_of(line);
    double complex s_from = v_from * conj(branch.ff * v_from + branch.ft * v_to);
    double complex s_to = v_to * conj(branch.tf * v_from + branch.tt * v_to);
    double complex fall = v_from * grid_branch_ratio(line) - v_to;
    double complex loss = fall * conj(fall / z);

    flow->from_kw[l] = base_kw * creal(s_from);
    flow->from_kvar[l] = base_kw * cimag(s_from);
    flow->to_kw[l] = base_kw * creal(s_to);
    flow->to_kvar[l] = base_kw * cimag(s_to);
    out->loss_kw += base_kw * creal(loss);
    out->loss_kvar += base_kw * cimag(loss);
    out->charging_kvar +=
        base_kw * 0.5 * line->b_pu * (from * from / (line->tap * line->tap) + to * to);
}

static void put_solution(struct grid_powerflow *flow, struct grid_powerflow_solution *out)
{
    const struct grid_network *network = flow->network;
    const double *vm = grid_newton_magnitude(flow->newton);
    double *va = grid_newton_angle(flow->newton);
    double base_kw = walras_kw_from_mw(network->base_mva);

    for (size_t b = 0; b < network->n_bus; b++) {
        va[b] = remainder(va[b], 2.0 * WALRAS_PI);
        flow->injection_kw[b] = base_kw * grid_newton_p(flow->newton)[b];
        flow->injection_kvar[b] = base_kw * grid_newton_q(flow->newton)[b];
        out->shunt_kw += network->buses[b].shunt_draw_kw * vm[b] * vm[b];
        out->shunt_kvar -= network->buses[b].shunt_inject_kvar * vm[b] * vm[b];
    }
    for (size_t l = 0; l < network->n_line; l++) {
        if (network->lines[l].in_service)
            put_line(flow, l, out);
        else
            flow->from_kw[l] = flow->from_kvar[l] = flow->to_kw[l] = flow->to_kvar[l] = 0.0;
    }
    out->vm_pu = vm;
    out->va_rad = va;
    out->injection_kw = flow->injection_kw;
    out->injection_kvar = flow->injection_kvar;
    out->from_kw = flow->from_kw;
    out->from_kvar = flow->from_kvar;
    out->to_kw = flow->to_kw;
    out->to_kvar = flow->to_kvar;
}

enum walras_status grid_powerflow_solve(struct grid_powerflow *flow,
                                        const struct grid_powerflow_input *input,
                                        struct grid_powerflow_solution *out, struct walras_err *err)
{
    struct grid_powerflow_solution found = {0};
    struct attempt attempt = {.target = {.p = flow->p_pu,
                                         .q = flow->q_pu,
                                         .share = 1.0,
                                         .slack = flow->slack,
                                         .held = flow->held,
                                         .tolerance = flow->settings.tolerance_pu,
                                         .max_iterations = flow->settings.max_iterations},
                              .reached_share = 1.0};
    enum walras_status status = take_input(flow, input, err);

    if (status == WALRAS_OK)
        status = find_voltages(flow, input->from_last, &attempt, err);
    if (status != WALRAS_OK)
        return status;
    flow->has_last = attempt.end.converged;
    attempt.target.share = 1.0;
    found.outcome = attempt.end.converged ? GRID_POWERFLOW_SOLVED : GRID_POWERFLOW_NONE;
    found.iterations = attempt.iterations;
    found.reached_share = attempt.reached_share;
    found.mismatch_kva = walras_kw_from_mw(flow->network->base_mva) *
                         grid_newton_look(flow->newton, &attempt.target);
    found.weakest = weakest_bus(flow);
    if (attempt.end.converged)
        put_solution(flow, &found);
    *out = found;
    return WALRAS_OK;
}

enum walras_status grid_powerflow_loss_factors(struct grid_powerflow *flow, double *kw,
                                               double *kvar, struct walras_err *err)
{
    struct grid_newton_target target = {.slack = flow->slack, .held = flow->held};

    if (!flow->has_last || !grid_newton_slack_effect(flow->newton, &target, kw, kvar))
        return walras_fail(err, WALRAS_INVALID,
                           "loss factors are those of a solution, where powers determine voltages");
    for (size_t b = 0; b < flow->network->n_bus; b++)
        kw[b] = flow->slack[b] ? 0.0 : kw[b] + 1.0;
    return WALRAS_OK;
}
