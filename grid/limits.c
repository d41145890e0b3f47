#include "grid/limits.h"

#include "grid/limits_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double negligible = 1e-12; /* of the largest coefficient of a row */
static const double least_size_kw = 1e-3;

void grid_limits_free(struct grid_limits *limits)
{
    if (!limits)
        return;
    if (limits->self)
        limits->model->free(limits->self);
    for (size_t r = 0; limits->kept && r < limits->n_row * limits->n_step; r++) {
        free(limits->kept[r].bus);
        free(limits->kept[r].coef);
    }
    free(limits->kept);
    free(limits->limit);
    free(limits->varies);
    free(limits->worse);
    free(limits->dense);
    limits_losses_release(&limits->losses);
    free(limits);
}

enum walras_status limits_check_scale(double rating_scale, struct walras_err *err)
{
    if (rating_scale > 0.0 && !isinf(rating_scale))
        return WALRAS_OK;
    return walras_fail(err, WALRAS_INVALID, "rating_scale is %g; expected a finite number above 0",
                       rating_scale);
}

enum walras_status limits_new(const struct grid_network *network, size_t most_rows, size_t n_node,
                              size_t n_step, struct grid_limits **made, struct walras_err *err)
{
    struct grid_limits *limits = calloc(1, sizeof(*limits));
    size_t most = most_rows + 1; /* + 1: there may be none */

    if (limits) {
        limits->network = network;
        limits->n_node = n_node;
        limits->n_step = n_step;
        limits->limit = calloc(most, sizeof(*limits->limit));
        limits->kept = calloc(most * n_step, sizeof(*limits->kept));
        limits->dense = calloc(n_node, sizeof(*limits->dense));
    }
    if (!limits || !limits->limit || !limits->kept || !limits->dense) {
        grid_limits_free(limits);
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu limits of the network", most_rows);
    }
    *made = limits;
    return WALRAS_OK;
}

void limits_add_lines(struct grid_limits *limits, double rating_scale)
{
    for (size_t l = 0; l < limits->network->n_line; l++) {
        const struct grid_line *line = &limits->network->lines[l];
        double limit_kw = line->limit_kw * rating_scale;
        double size = isfinite(limit_kw) ? fmax(limit_kw, least_size_kw) : 1.0;

        if (line->in_service && !line->terminal)
            limits->limit[limits->n_row++] = (struct grid_limit){.kind = GRID_LIMIT_LINE,
                                                                 .index = l,
                                                                 .low = -limit_kw,
                                                                 .high = limit_kw,
                                                                 .size = size};
    }
}

size_t grid_limits_count(const struct grid_limits *limits)
{
    return limits->n_row + limits->losses.n_row;
}

size_t grid_limits_losses(const struct grid_limits *limits)
{
    return limits->losses.n_row;
}

size_t grid_limits_buses(const struct grid_limits *limits)
{
    return limits->network->n_bus;
}

const struct grid_limit *grid_limits_at(const struct grid_limits *limits, size_t row)
{
    return row < limits->n_row ? &limits->limit[row] : &limits->losses.limit[row - limits->n_row];
}

const char *grid_limit_kind_name(enum grid_limit_kind kind)
{
    static const char *const names[] = {
        [GRID_LIMIT_LINE] = "line",         [GRID_LIMIT_APPARENT] = "line_kva",
        [GRID_LIMIT_VOLTAGE] = "voltage",   [GRID_LIMIT_ISLAND] = "island",
        [GRID_LIMIT_INVERTER] = "inverter", [GRID_LIMIT_LOSS] = "loss"};

    return names[kind];
}

const char *grid_limits_id(const struct grid_limits *limits, size_t row)
{
    const struct grid_limit *limit = grid_limits_at(limits, row);
    bool of_line = limit->kind == GRID_LIMIT_LINE || grid_limit_is_side(limit);

    return of_line ? limits->network->lines[limit->index].id
                   : limits->network->buses[limit->index].id;
}

size_t grid_limits_worse(const struct grid_limits *limits, size_t row)
{
    return limits->worse && row < limits->n_row ? limits->worse[row] : SIZE_MAX;
}

void grid_limits_tighten(struct grid_limits *limits, const double *tighten_kw, size_t n_step)
{
    limits->tighten_kw = tighten_kw;
    limits->n_tighten_step = n_step;
}

double grid_limits_tightened(const struct grid_limits *limits, size_t row, size_t step,
                             int direction)
{
    return limits->tighten_kw && row < limits->n_row
               ? limits->tighten_kw[2 * (row * limits->n_tighten_step + step) + (direction > 0)]
               : 0.0;
}

double grid_limits_bound(const struct grid_limits *limits, size_t row, size_t step, int direction)
{
    const struct grid_limit *limit = grid_limits_at(limits, row);
    double by = grid_limits_tightened(limits, row, step, direction);

    return direction > 0 ? limit->high - by : limit->low + by;
}

double grid_limits_base(const struct grid_limits *limits, size_t row, size_t step)
{
    return row < limits->n_row ? limits->model->base(limits->self, row, step)
                               : limits_loss_base(&limits->losses, row - limits->n_row, step);
}

bool grid_limits_varies(const struct grid_limits *limits, size_t row)
{
    return row >= limits->n_row || (limits->varies && limits->varies[row]);
}

enum walras_status grid_limits_values(struct grid_limits *limits, size_t step,
                                      const double *injection_kw, double *value,
                                      struct walras_err *err)
{
    for (size_t b = 0; b < limits->network->n_bus; b++)
        if (!isfinite(injection_kw[b]))
            return walras_fail(err, WALRAS_INVALID, "bus %s: the injection is not finite",
                               limits->network->buses[b].id);

    enum walras_status status = limits->model->values(limits->self, step, injection_kw, value, err);

    return status == WALRAS_OK && limits->losses.n_row > 0
               ? limits_loss_values(limits, step, injection_kw, value + limits->n_row, err)
               : status;
}

/* Keeps what matters of the row that stands in `dense`. */
static enum walras_status keep_row(struct grid_limits *limits, struct kept_row *kept,
                                   struct walras_err *err)
{
    double largest = 0.0;
    size_t n = 0;

    for (size_t b = 0; b < limits->n_node; b++)
        largest = fmax(largest, fabs(limits->dense[b]));
    for (size_t b = 0; b < limits->n_node; b++)
        n += fabs(limits->dense[b]) > negligible * largest;
    uint32_t *bus = calloc(n + 1, sizeof(*bus));
    double *coef = calloc(n + 1, sizeof(*coef));

    if (!bus || !coef) {
        free(bus);
        free(coef);
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu sensitivities", n);
    }
    n = 0;
    for (size_t b = 0; b < limits->n_node; b++)
        if (fabs(limits->dense[b]) > negligible * largest) {
            bus[n] = (uint32_t)b;
            coef[n++] = limits->dense[b];
        }
    *kept = (struct kept_row){.n = n, .bus = bus, .coef = coef};
    return WALRAS_OK;
}

enum walras_status grid_limits_row(struct grid_limits *limits, size_t row, size_t step,
                                   struct grid_row *out, struct walras_err *err)
{
    size_t at = grid_limits_varies(limits, row) ? step : 0;
    struct kept_row *kept = NULL;
    enum walras_status status = WALRAS_OK;

    if (row >= limits->n_row)
        return limits_loss_row(limits, row - limits->n_row, step, out, err);
    kept = &limits->kept[row * limits->n_step + at];
    if (!kept->bus) {
        memset(limits->dense, 0, limits->n_node * sizeof(*limits->dense));
        status = limits->model->row(limits->self, row, at, limits->dense, err);
        if (status == WALRAS_OK)
            status = keep_row(limits, kept, err);
    }
    if (status == WALRAS_OK)
        *out = (struct grid_row){.n = kept->n, .bus = kept->bus, .coef = kept->coef};
    return status;
}

enum walras_status grid_limits_effect(struct grid_limits *limits, size_t row, size_t step,
                                      double *kw, double *kvar, struct walras_err *err)
{
    size_t n_bus = limits->network->n_bus;
    enum walras_status status = WALRAS_OK;

    if (row >= limits->n_row) {
        limits_loss_effect(&limits->losses, row - limits->n_row, step, kw, kvar);
        return WALRAS_OK;
    }
    memset(kvar, 0, n_bus * sizeof(*kvar));
    if (limits->model->effect) {
        limits->model->effect(limits->self, row, kw, kvar);
        return WALRAS_OK;
    }
    memset(limits->dense, 0, limits->n_node * sizeof(*limits->dense));
    status = limits->model->row(limits->self, row, 0, limits->dense, err);
    memcpy(kw, limits->dense, n_bus * sizeof(*kw));
    return status;
}

struct grid_side grid_polygon_side(unsigned side)
{
    /* cos 15°, 45°, 75°, … 345°; sines are those of nine sides on */
    static const double c15 = 0.96592582628906828675, c45 = 0.70710678118654752440,
                        c75 = 0.25881904510252076235;
    const double cosines[GRID_POLYGON_SIDES] = {c15,  c45,  c75,  -c75, -c45, -c15,
                                                -c15, -c45, -c75, c75,  c45,  c15};

    return (struct grid_side){
        .kw = cosines[side], .kvar = cosines[(side + 9) % GRID_POLYGON_SIDES], .share = c15};
}
