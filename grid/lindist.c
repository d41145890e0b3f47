#include "core/units.h"
#include "grid/lindist_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void lindist_release(struct lindist *own)
{
    grid_radial_release(&own->tree);
    free(own->lower);
    free(own->gain);
    *own = (struct lindist){0};
}

static enum walras_status take_memory(struct lindist *own, struct walras_err *err)
{
    size_t n_bus = own->network->n_bus;
    double **arrays[] = {
        &own->gain,          &own->r,    &own->x,      &own->total_gain, &own->sum_r, &own->sum_x,
        &own->charging_kvar, &own->p_kw, &own->q_kvar, &own->w};
    size_t n = sizeof(arrays) / sizeof(arrays[0]);
    double *memory = calloc(n * n_bus, sizeof(*memory));

    own->gain = memory; /* what is released */
    own->lower = calloc(own->network->n_line + 1, sizeof(*own->lower));
    if (!memory || !own->lower)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the voltages of %zu buses", n_bus);
    for (size_t i = 0; i < n; i++)
        *arrays[i] = memory + i * n_bus;
    return WALRAS_OK;
}

static enum walras_status check_lines(const struct grid_network *network, struct walras_err *err)
{
    for (size_t l = 0; l < network->n_line; l++)
        if (network->lines[l].in_service && network->lines[l].r_pu < 0.0)
            return walras_fail(err, WALRAS_INVALID,
                               "line %s: the resistance must not be negative in the model "
                               "lindistflow",
                               network->lines[l].id);
    return WALRAS_OK;
}

/*
 * The transformer of ratio tap : 1 is at the from side, the impedance behind it: seen from above,
 * w_from / tap² = w_to + 2 (r P + x Q) whichever way the line is written.
 */
static void take_line(struct lindist *own, size_t bus)
{
    const struct grid_line *line = &own->network->lines[own->tree.line[bus]];
    double square = line->tap * line->tap, base_kw = walras_kw_from_mw(own->network->base_mva);
    bool down = grid_radial_leads_down(&own->tree, bus);
    double scale = 2.0 / base_kw * (down ? 1.0 : square);

    own->gain[bus] = down ? 1.0 / square : square;
    own->r[bus] = scale * line->r_pu;
    own->x[bus] = scale * line->x_pu;
    own->lower[own->tree.line[bus]] = bus;
    own->charging_kvar[line->from] += 0.5 * line->b_pu / square * base_kw;
    own->charging_kvar[line->to] += 0.5 * line->b_pu * base_kw;
}

static void take_tree(struct lindist *own)
{
    const struct grid_network *network = own->network;

    for (size_t l = 0; l < network->n_line; l++)
        own->lower[l] = SIZE_MAX;
    for (size_t i = 0; i < network->n_bus; i++) {
        size_t bus = own->tree.order[i], parent = own->tree.parent[bus];

        own->total_gain[bus] = 1.0;
        if (parent == SIZE_MAX)
            continue;
        take_line(own, bus);
        own->total_gain[bus] = own->total_gain[parent] * own->gain[bus];
        own->sum_r[bus] = own->sum_r[parent] + own->r[bus] / own->total_gain[bus];
        own->sum_x[bus] = own->sum_x[parent] + own->x[bus] / own->total_gain[bus];
    }
}

/* Ratios and impedances that are each allowed may still be too much together. */
static bool is_usable(const struct lindist *own, size_t bus)
{
    double gain = own->total_gain[bus];

    return gain > 0.0 && isfinite(gain) && isfinite(own->sum_r[bus] * gain) &&
           isfinite(own->sum_x[bus] * gain);
}

static enum walras_status check_numbers(const struct lindist *own, struct walras_err *err)
{
    for (size_t b = 0; b < own->network->n_bus; b++)
        if (!is_usable(own, b))
            return walras_fail(
                err, WALRAS_INVALID,
                "bus %s: ratios and impedances on the way to it are too large or too "
                "small together",
                own->network->buses[b].id);
    for (size_t b = 0; b < own->network->n_bus; b++)
        if (!isfinite(own->charging_kvar[b]))
            return walras_fail(err, WALRAS_INVALID,
                               "bus %s: the charging of its lines is too large",
                               own->network->buses[b].id);
    return WALRAS_OK;
}

enum walras_status lindist_init(struct lindist *own, const struct grid_network *network,
                                const struct grid_lindist *input, struct walras_err *err)
{
    enum walras_status status = check_lines(network, err);

    *own = (struct lindist){.network = network, .input = *input};
    if (status == WALRAS_OK)
        status = take_memory(own, err);
    if (status == WALRAS_OK) {
        status = grid_radial_make(network, &own->tree, err);
        if (status == WALRAS_INVALID)
            walras_err_prefix(err, "the model lindistflow needs a radial grid");
    }
    if (status != WALRAS_OK)
        return status;
    take_tree(own);
    return check_numbers(own, err);
}

size_t lindist_bus(const struct lindist *own, size_t node)
{
    size_t n_bus = own->network->n_bus;

    return node < n_bus ? node : own->input.nodes[node - n_bus].bus;
}

struct grid_unit lindist_unit_of(const struct lindist *own, size_t node, size_t step)
{
    size_t n_bus = own->network->n_bus;
    const struct grid_node *at = node < n_bus ? NULL : &own->input.nodes[node - n_bus];

    if (!at)
        return (struct grid_unit){1.0, 0.0};
    if (at->reactive)
        return (struct grid_unit){0.0, 1.0};
    return (struct grid_unit){1.0, at->kvar_per_kw_of ? at->kvar_per_kw_of[step] : at->kvar_per_kw};
}

/* Draws of buses become flows into them, then voltages from the slacks down. */
static void run(struct lindist *own)
{
    const struct grid_radial *tree = &own->tree;

    for (size_t i = own->network->n_bus; i-- > 0;) {
        size_t bus = tree->order[i], parent = tree->parent[bus];

        if (parent == SIZE_MAX)
            continue;
        own->p_kw[parent] += own->p_kw[bus];
        own->q_kvar[parent] += own->q_kvar[bus];
    }
    for (size_t i = 0; i < own->network->n_bus; i++) {
        size_t bus = tree->order[i], parent = tree->parent[bus];

        if (parent == SIZE_MAX) {
            double v = grid_network_slack_v(own->network, bus);

            own->w[bus] = v * v;
        } else {
            own->w[bus] = own->gain[bus] * own->w[parent] - own->r[bus] * own->p_kw[bus] -
                          own->x[bus] * own->q_kvar[bus];
        }
    }
}

void lindist_idle(struct lindist *own)
{
    for (size_t b = 0; b < own->network->n_bus; b++) {
        own->p_kw[b] = 0.0;
        own->q_kvar[b] = -own->charging_kvar[b];
    }
    run(own);
}

void lindist_sweep(struct lindist *own, size_t step, const double *injection_kw)
{
    size_t n_bus = own->network->n_bus, n_node = n_bus + own->input.n_node;
    const double *fixed = own->input.fixed_kvar;

    for (size_t b = 0; b < n_bus; b++) {
        own->p_kw[b] = 0.0;
        own->q_kvar[b] =
            (fixed ? fixed[b * own->input.n_step + step] : 0.0) - own->charging_kvar[b];
    }
    for (size_t i = 0; injection_kw && i < n_node; i++) {
        struct grid_unit unit = lindist_unit_of(own, i, step);

        own->p_kw[lindist_bus(own, i)] -= injection_kw[i] * unit.kw;
        own->q_kvar[lindist_bus(own, i)] -= injection_kw[i] * unit.kvar;
    }
    run(own);
}

void lindist_rise(const struct lindist *own, size_t bus, double *rise_kw, double *rise_kvar)
{
    const struct grid_radial *tree = &own->tree;

    for (size_t b = 0; b < own->network->n_bus; b++)
        rise_kw[b] = rise_kvar[b] = NAN;
    for (size_t b = bus; b != SIZE_MAX; b = tree->parent[b]) { /* on the way: what is common */
        rise_kw[b] = own->total_gain[bus] * own->sum_r[b];
        rise_kvar[b] = own->total_gain[bus] * own->sum_x[b];
    }
    for (size_t i = 0; i < own->network->n_bus; i++) { /* beside it: as where it branches off */
        size_t b = tree->order[i], parent = tree->parent[b];

        if (!isnan(rise_kw[b]))
            continue;
        rise_kw[b] = parent == SIZE_MAX ? 0.0 : rise_kw[parent];
        rise_kvar[b] = parent == SIZE_MAX ? 0.0 : rise_kvar[parent];
    }
}

double lindist_flow(const struct lindist *own, size_t line, const double *into)
{
    size_t bus = own->lower[line];

    if (bus == SIZE_MAX)
        return 0.0;
    return own->network->lines[line].to == bus ? into[bus] : -into[bus];
}
