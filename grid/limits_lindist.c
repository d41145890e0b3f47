#include "grid/limits_internal.h"
#include "grid/lindist_internal.h"

#include <math.h>
#include <stdlib.h>

static const double size_of_voltage = 0.1; /* of w: what deviations are measured by */

struct lindist_limits {
    struct grid_limits *limits; /* whose rows these are */
    struct lindist model;
    size_t *row_of_bus;              /* [n_bus] of its voltage; SIZE_MAX: none */
    double *w_per_kw;                /* [n_row] of voltages: w that 1 kW of the row's value is */
    double *base;                    /* [n_row] in base_step */
    size_t base_step;                /* SIZE_MAX: none yet */
    double *effect_kw, *effect_kvar; /* [n_bus] of the row at hand */
};

static void free_lindist(void *self)
{
    struct lindist_limits *own = self;

    lindist_release(&own->model);
    free(own->w_per_kw);
    free(own->row_of_bus);
    free(own->base);
    free(own->effect_kw);
    free(own);
}

/* w of a bus at the slack's voltage through its transformers: where the value of its row is 0. */
static double plain_w(const struct lindist *model, size_t bus)
{
    double v = grid_network_slack_v(model->network, model->tree.slack[bus]);

    return v * v * model->total_gain[bus];
}

static double value_of(const struct lindist_limits *own, size_t row)
{
    const struct lindist *m = &own->model;
    const struct grid_limit *limit = &own->limits->limit[row];
    struct grid_side side;

    switch (limit->kind) {
    case GRID_LIMIT_LINE:
        return lindist_flow(m, limit->index, m->p_kw);
    case GRID_LIMIT_APPARENT:
    case GRID_LIMIT_INVERTER:
        side = grid_polygon_side(limit->side);
        return side.kw * lindist_flow(m, limit->index, m->p_kw) +
               side.kvar * lindist_flow(m, limit->index, m->q_kvar);
    case GRID_LIMIT_VOLTAGE:
        return (m->w[limit->index] - plain_w(m, limit->index)) / own->w_per_kw[row];
    case GRID_LIMIT_ISLAND:
        return -m->p_kw[limit->index];
    case GRID_LIMIT_LOSS: /* limits_losses.c */
        break;
    }
    return 0.0;
}

/* How far a voltage is out of its limits, in w; below 0 within them. */
static double out_by(const struct lindist_limits *own, size_t bus)
{
    const struct grid_bus *at = &own->limits->network->buses[bus];
    double w = own->model.w[bus];

    return fmax(at->v_min_pu * at->v_min_pu - w, w - at->v_max_pu * at->v_max_pu);
}

/* Of two neighbours the one whose voltage is less far out may wait for the other. */
static void find_worse(struct lindist_limits *own)
{
    const struct grid_radial *tree = &own->model.tree;
    size_t *worse = own->limits->worse;

    for (size_t r = 0; r < own->limits->n_row; r++)
        worse[r] = SIZE_MAX;
    for (size_t b = 0; b < own->limits->network->n_bus; b++) {
        size_t parent = tree->parent[b], row = own->row_of_bus[b], other = SIZE_MAX;

        if (parent != SIZE_MAX)
            other = own->row_of_bus[parent];
        if (row == SIZE_MAX || other == SIZE_MAX)
            continue;
        bool above = out_by(own, parent) > out_by(own, b);
        size_t waits = above ? row : other, for_row = above ? other : row;

        if (worse[waits] == SIZE_MAX || out_by(own, own->limits->limit[worse[waits]].index) <
                                            out_by(own, own->limits->limit[for_row].index))
            worse[waits] = for_row;
    }
}

static enum walras_status values(void *self, size_t step, const double *injection_kw, double *value,
                                 struct walras_err *err)
{
    struct lindist_limits *own = self;

    (void)err;
    lindist_sweep(&own->model, step, injection_kw);
    for (size_t r = 0; r < own->limits->n_row; r++)
        value[r] = value_of(own, r);
    find_worse(own);
    return WALRAS_OK;
}

static double base_of(void *self, size_t row, size_t step)
{
    struct lindist_limits *own = self;

    if (own->base_step != step) {
        lindist_sweep(&own->model, step, NULL);
        for (size_t r = 0; r < own->limits->n_row; r++)
            own->base[r] = value_of(own, r);
        own->base_step = step;
    }
    return own->base[row];
}

/* behind [n_bus]: 1 at the bus and at all that hang on it, 0 elsewhere. */
static void mark_behind(const struct lindist *model, size_t bus, double *behind)
{
    const struct grid_radial *tree = &model->tree;

    for (size_t i = 0; i < model->network->n_bus; i++) {
        size_t b = tree->order[i], parent = tree->parent[b];
        bool is_behind = b == bus || (parent != SIZE_MAX && behind[parent] > 0.0);

        behind[b] = is_behind ? 1.0 : 0.0;
    }
}

/* The effect on the flow of a line is the same behind it, none before it. */
static void effect_behind(struct lindist_limits *own, struct grid_place place, double *kw,
                          double *kvar)
{
    mark_behind(&own->model, place.bus, kw);
    for (size_t b = 0; b < own->limits->network->n_bus; b++) {
        kvar[b] = place.kvar * kw[b];
        kw[b] *= place.kw;
    }
}

static void effect(void *self, size_t row, double *kw, double *kvar)
{
    struct lindist_limits *own = self;
    struct grid_place place = grid_limits_place(own->limits, row);

    if (!place.by_way) {
        effect_behind(own, place, kw, kvar);
        return;
    }
    lindist_rise(&own->model, place.bus, kw, kvar);
    for (size_t b = 0; b < own->limits->network->n_bus; b++) {
        kw[b] /= own->w_per_kw[row];
        kvar[b] /= own->w_per_kw[row];
    }
}

static enum walras_status row(void *self, size_t index, size_t step, double *dense,
                              struct walras_err *err)
{
    struct lindist_limits *own = self;

    (void)err;
    effect(own, index, own->effect_kw, own->effect_kvar);
    for (size_t i = 0; i < own->limits->n_node; i++) {
        size_t bus = lindist_bus(&own->model, i);
        struct grid_unit unit = lindist_unit_of(&own->model, i, step);

        dense[i] = unit.kw * own->effect_kw[bus] + unit.kvar * own->effect_kvar[bus];
    }
    return WALRAS_OK;
}

static const struct limits_model lindist_model = {free_lindist, base_of, values, row, effect};

static const struct lindist_limits *own_of(const struct grid_limits *limits)
{
    return limits->model == &lindist_model ? limits->self : NULL;
}

bool grid_limits_tree(const struct grid_limits *limits, struct grid_tree *out)
{
    const struct lindist_limits *own = own_of(limits);

    if (!own || limits->losses.n_row > 0)
        return false;
    *out = (struct grid_tree){limits->network->n_bus, own->model.tree.order, own->model.tree.parent,
                              own->model.sum_r, own->model.sum_x};
    return true;
}

size_t grid_limits_bus(const struct grid_limits *limits, size_t node)
{
    const struct lindist_limits *own = own_of(limits);

    return own ? lindist_bus(&own->model, node) : node;
}

struct grid_unit grid_limits_unit(const struct grid_limits *limits, size_t node, size_t step)
{
    const struct lindist_limits *own = own_of(limits);

    return own ? lindist_unit_of(&own->model, node, step) : (struct grid_unit){1.0, 0.0};
}

/* The place of what a line carries: all that is behind it. */
static struct grid_place place_of_line(const struct lindist_limits *own, size_t line,
                                       struct grid_side side)
{
    size_t bus = own->model.lower[line];
    double up = own->limits->network->lines[line].to == bus ? -1.0 : 1.0;

    return (struct grid_place){.bus = bus, .kw = up * side.kw, .kvar = up * side.kvar};
}

struct grid_place grid_limits_place(const struct grid_limits *limits, size_t row)
{
    const struct lindist_limits *own = own_of(limits);
    const struct grid_limit *limit = &limits->limit[row];
    double scale = 0.0;

    switch (limit->kind) {
    case GRID_LIMIT_LINE:
        return place_of_line(own, limit->index, (struct grid_side){.kw = 1.0});
    case GRID_LIMIT_APPARENT:
    case GRID_LIMIT_INVERTER:
        return place_of_line(own, limit->index, grid_polygon_side(limit->side));
    case GRID_LIMIT_VOLTAGE:
        scale = own->model.total_gain[limit->index] / own->w_per_kw[row];
        return (struct grid_place){limit->index, true, scale, scale};
    case GRID_LIMIT_ISLAND:
    case GRID_LIMIT_LOSS: /* there is no tree then */
        break;
    }
    return (struct grid_place){.bus = limit->index, .kw = 1.0};
}

static bool has_voltage_limit(const struct grid_bus *bus)
{
    return bus->v_min_pu > 0.0 || isfinite(bus->v_max_pu);
}

/* w that 1 kW, or where that moves nothing 1 kvar, drawn at the bus takes away; 0: it is fixed. */
static double w_per_kw(const struct lindist *model, size_t bus)
{
    return model->total_gain[bus] *
           (model->sum_r[bus] > 0.0 ? model->sum_r[bus] : fabs(model->sum_x[bus]));
}

static void add_sides_of(struct grid_limits *limits, size_t line, double limit_kva,
                         enum grid_limit_kind kind)
{
    for (unsigned k = 0; k < GRID_POLYGON_SIDES; k++)
        limits->limit[limits->n_row++] =
            (struct grid_limit){.kind = kind,
                                .index = line,
                                .side = k,
                                .low = -INFINITY,
                                .high = limit_kva * grid_polygon_side(k).share,
                                .size = fmax(limit_kva, 1e-3)};
}

static void add_sides(struct grid_limits *limits, double rating_scale)
{
    const struct grid_network *network = limits->network;

    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];
        double limit_kva = line->limit_kva * rating_scale;

        if (line->in_service && !line->terminal && limit_kva > 0.0 && isfinite(limit_kva))
            add_sides_of(limits, l, limit_kva, GRID_LIMIT_APPARENT);
    }
}

static void add_inverters(struct grid_limits *limits)
{
    for (size_t l = 0; l < limits->network->n_line; l++)
        if (limits->network->lines[l].terminal)
            add_sides_of(limits, l, limits->network->lines[l].limit_kva, GRID_LIMIT_INVERTER);
}

static void add_voltages(struct lindist_limits *own)
{
    struct grid_limits *limits = own->limits;

    for (size_t b = 0; b < limits->network->n_bus; b++) {
        const struct grid_bus *bus = &limits->network->buses[b];
        double unit = w_per_kw(&own->model, b), plain = plain_w(&own->model, b);

        own->row_of_bus[b] = SIZE_MAX;

        if (!has_voltage_limit(bus) || !(unit > 0.0))
            continue;
        own->w_per_kw[limits->n_row] = unit;
        own->row_of_bus[b] = limits->n_row;
        limits->limit[limits->n_row++] = (struct grid_limit){
            .kind = GRID_LIMIT_VOLTAGE,
            .index = b,
            .low = bus->v_min_pu > 0.0 ? (bus->v_min_pu * bus->v_min_pu - plain) / unit
                                       : (double)-INFINITY,
            .high = (bus->v_max_pu * bus->v_max_pu - plain) / unit,
            .size = size_of_voltage / unit};
    }
}

static void add_islands(struct grid_limits *limits)
{
    for (size_t b = 0; b < limits->network->n_bus; b++)
        if (b != limits->network->slack && grid_network_is_slack(limits->network, b))
            limits->limit[limits->n_row++] =
                (struct grid_limit){.kind = GRID_LIMIT_ISLAND, .index = b, .size = 1.0};
}

/* Voltages that are out of their limits with nobody there: a wrong ratio, slack voltage or limit.
 */
static enum walras_status check_idle(struct lindist_limits *own, struct walras_err *err)
{
    const struct grid_network *network = own->limits->network;
    const double rounding = 1e-9;

    lindist_idle(&own->model);
    for (size_t b = 0; b < network->n_bus; b++) {
        const struct grid_bus *bus = &network->buses[b];
        double v = sqrt(fmax(own->model.w[b], 0.0));
        bool low = v<bus->v_min_pu - rounding, high = v> bus->v_max_pu + rounding;

        if (low || high)
            return walras_fail(err, WALRAS_INVALID,
                               "bus %s: with no draw at all its voltage is %.6g per unit, %s "
                               "v_%s_pu, %g; change slack_v_pu, taps or limits, or make voltages "
                               "soft with voltage_violation_price_per_pu_h",
                               bus->id, v, low ? "below" : "above", low ? "min" : "max",
                               low ? bus->v_min_pu : bus->v_max_pu);
    }
    return WALRAS_OK;
}

static enum walras_status mark_varying(struct grid_limits *limits, struct walras_err *err)
{
    if (limits->n_step == 1)
        return WALRAS_OK;
    limits->varies = calloc(limits->n_row + 1, sizeof(*limits->varies));
    if (!limits->varies)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu limits", limits->n_row);
    for (size_t r = 0; r < limits->n_row; r++)
        limits->varies[r] = limits->limit[r].kind == GRID_LIMIT_VOLTAGE ||
                            limits->limit[r].kind == GRID_LIMIT_APPARENT;
    return WALRAS_OK;
}

static size_t most_rows(const struct grid_network *network)
{
    return (GRID_POLYGON_SIDES + 1) * network->n_line + 2 * network->n_bus;
}

static enum walras_status make_own(struct grid_limits *limits, const struct grid_lindist *input,
                                   struct walras_err *err)
{
    struct lindist_limits *own = calloc(1, sizeof(*own));
    size_t most = most_rows(limits->network) + 1, n_bus = limits->network->n_bus;
    enum walras_status status = WALRAS_OK;

    if (!own)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the limits of the network");
    own->limits = limits;
    own->base_step = SIZE_MAX;
    limits->self = own;
    limits->model = &lindist_model;
    own->w_per_kw = calloc(most, sizeof(*own->w_per_kw));
    own->base = calloc(most, sizeof(*own->base));
    own->row_of_bus = calloc(n_bus, sizeof(*own->row_of_bus));
    limits->worse = calloc(most, sizeof(*limits->worse));
    own->effect_kw = calloc(2 * n_bus, sizeof(*own->effect_kw));
    if (!own->w_per_kw || !own->base || !own->row_of_bus || !limits->worse || !own->effect_kw)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the limits of %zu buses", n_bus);
    own->effect_kvar = own->effect_kw + n_bus;
    status = lindist_init(&own->model, limits->network, input, err);
    if (status == WALRAS_OK && !input->soft_voltages)
        status = check_idle(own, err);
    if (status != WALRAS_OK)
        return status;
    limits_add_lines(limits, input->rating_scale);
    add_sides(limits, input->rating_scale);
    add_voltages(own);
    add_islands(limits);
    add_inverters(limits);
    return mark_varying(limits, err);
}

enum walras_status grid_limits_lindist(const struct grid_network *network,
                                       const struct grid_lindist *input, struct grid_limits **made,
                                       struct walras_err *err)
{
    struct grid_limits *limits = NULL;
    enum walras_status status = limits_check_scale(input->rating_scale, err);
    size_t n_step = 1;

    for (size_t i = 0; i < input->n_node; i++)
        if (input->nodes[i].kvar_per_kw_of)
            n_step = input->n_step;
    if (status == WALRAS_OK)
        status = limits_new(network, most_rows(network), network->n_bus + input->n_node, n_step,
                            &limits, err);
    if (status != WALRAS_OK)
        return status;
    status = make_own(limits, input, err);
    if (status == WALRAS_OK)
        *made = limits;
    else
        grid_limits_free(limits);
    return status;
}

double grid_limits_unit_per_kw(const struct grid_limits *limits, size_t row, int direction)
{
    const struct grid_limit *limit = grid_limits_at(limits, row);
    const struct grid_bus *bus = NULL;

    if (limit->kind != GRID_LIMIT_VOLTAGE)
        return 1.0;
    bus = &limits->network->buses[limit->index];
    return ((const struct lindist_limits *)limits->self)->w_per_kw[row] /
           (2.0 * (direction > 0 ? bus->v_max_pu : bus->v_min_pu));
}

void grid_limits_state(const struct grid_limits *limits, size_t step, const double *injection_kw,
                       const struct grid_state *out)
{
    struct lindist *m = &((struct lindist_limits *)limits->self)->model;

    lindist_sweep(m, step, injection_kw);
    for (size_t l = 0; l < limits->network->n_line && out->flow_kw; l++)
        out->flow_kw[l] = lindist_flow(m, l, m->p_kw);
    for (size_t l = 0; l < limits->network->n_line && out->flow_kvar; l++)
        out->flow_kvar[l] = lindist_flow(m, l, m->q_kvar);
    for (size_t b = 0; b < limits->network->n_bus && out->v_pu; b++)
        out->v_pu[b] = sqrt(fmax(m->w[b], 0.0));
}
