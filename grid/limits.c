#include "grid/limits.h"

#include "grid/dc_internal.h"

#include <math.h>
#include <stdlib.h>

static const double negligible = 1e-12; /* of the largest coefficient of a row */

struct kept_row { /* bus NULL: not computed yet */
    size_t n;
    uint32_t *bus;
    double *coef;
};

struct grid_limits {
    const struct grid_network *network;
    struct grid_limit *limit; /* [n_row] */
    double *kw_per_rad;       /* [n_row] of the line */
    double *base;             /* [n_row] */
    struct kept_row *kept;    /* [n_row] */
    size_t n_row;
    struct grid_dc *dc;
};

void grid_limits_free(struct grid_limits *limits)
{
    if (!limits)
        return;
    grid_dc_free(limits->dc);
    for (size_t r = 0; limits->kept && r < limits->n_row; r++) {
        free(limits->kept[r].bus);
        free(limits->kept[r].coef);
    }
    free(limits->kept);
    free(limits->limit);
    free(limits->kw_per_rad);
    free(limits->base);
    free(limits);
}

static const struct grid_line *line_of(const struct grid_limits *limits, size_t row)
{
    return &limits->network->lines[limits->limit[row].index];
}

static enum walras_status take_lines(struct grid_limits *limits, double rating_scale,
                                     struct walras_err *err)
{
    const struct grid_network *network = limits->network;
    size_t most = network->n_line + 1; /* + 1: n_line may be 0 */

    limits->limit = calloc(most, sizeof(*limits->limit));
    limits->kw_per_rad = calloc(most, sizeof(*limits->kw_per_rad));
    limits->base = calloc(most, sizeof(*limits->base));
    limits->kept = calloc(most, sizeof(*limits->kept));
    if (!limits->limit || !limits->kw_per_rad || !limits->base || !limits->kept)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the limits of %zu lines",
                           network->n_line);
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];
        double limit_kw = line->limit_kw * rating_scale;

        if (!line->in_service)
            continue;
        limits->limit[limits->n_row] =
            (struct grid_limit){.index = l, .low = -limit_kw, .high = limit_kw};
        limits->kw_per_rad[limits->n_row] = grid_dc_kw_per_rad(network, line);
        limits->n_row++;
    }
    return WALRAS_OK;
}

/* What the phase shifters drive when nobody injects: their flows, and the angles that answer. */
static enum walras_status find_base(struct grid_limits *limits, struct walras_err *err)
{
    grid_dc_clear(limits->dc);
    for (size_t r = 0; r < limits->n_row; r++) {
        const struct grid_line *line = line_of(limits, r);
        double driven_kw = limits->kw_per_rad[r] * line->shift_rad;

        grid_dc_add(limits->dc, line->from, driven_kw);
        grid_dc_add(limits->dc, line->to, -driven_kw);
    }
    enum walras_status status = grid_dc_solve(limits->dc, err);

    for (size_t r = 0; r < limits->n_row && status == WALRAS_OK; r++) {
        const struct grid_line *line = line_of(limits, r);

        limits->base[r] =
            limits->kw_per_rad[r] * (grid_dc_angle(limits->dc, line->from) -
                                     grid_dc_angle(limits->dc, line->to) - line->shift_rad);
    }
    return status;
}

enum walras_status grid_limits_dc(const struct grid_network *network, double rating_scale,
                                  struct grid_limits **made, struct walras_err *err)
{
    struct grid_limits *limits = NULL;
    enum walras_status status = WALRAS_OK;

    if (!(rating_scale > 0.0) || isinf(rating_scale))
        return walras_fail(err, WALRAS_INVALID,
                           "rating_scale is %g; expected a finite number above 0", rating_scale);
    limits = calloc(1, sizeof(*limits));
    if (!limits)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the limits of the network");
    limits->network = network;
    status = take_lines(limits, rating_scale, err);
    if (status == WALRAS_OK)
        status = grid_dc_new(network, &limits->dc, err);
    if (status == WALRAS_OK)
        status = find_base(limits, err);
    if (status != WALRAS_OK) {
        grid_limits_free(limits);
        return status;
    }
    *made = limits;
    return WALRAS_OK;
}

size_t grid_limits_count(const struct grid_limits *limits)
{
    return limits->n_row;
}

const struct grid_limit *grid_limits_at(const struct grid_limits *limits, size_t row)
{
    return &limits->limit[row];
}

const char *grid_limit_kind_name(enum grid_limit_kind kind)
{
    static const char *const names[] = {[GRID_LIMIT_LINE] = "line"};

    return names[kind];
}

const char *grid_limits_id(const struct grid_limits *limits, size_t row)
{
    return line_of(limits, row)->id;
}

double grid_limits_base(const struct grid_limits *limits, size_t row)
{
    return limits->base[row];
}

enum walras_status grid_limits_values(struct grid_limits *limits, const double *injection_kw,
                                      double *value, struct walras_err *err)
{
    grid_dc_clear(limits->dc);
    for (size_t b = 0; b < limits->network->n_bus; b++) {
        if (!isfinite(injection_kw[b]))
            return walras_fail(err, WALRAS_INVALID, "bus %s: the injection is not finite",
                               limits->network->buses[b].id);
        grid_dc_add(limits->dc, b, injection_kw[b]);
    }
    enum walras_status status = grid_dc_solve(limits->dc, err);

    for (size_t r = 0; r < limits->n_row && status == WALRAS_OK; r++) {
        const struct grid_line *line = line_of(limits, r);

        value[r] =
            limits->base[r] + limits->kw_per_rad[r] * (grid_dc_angle(limits->dc, line->from) -
                                                       grid_dc_angle(limits->dc, line->to));
    }
    return status;
}

/* Keeps what matters of the row that stands in the angles. */
static enum walras_status keep_row(struct grid_limits *limits, struct kept_row *kept,
                                   struct walras_err *err)
{
    size_t n_bus = limits->network->n_bus, n = 0;
    double largest = 0.0;

    for (size_t b = 0; b < n_bus; b++)
        largest = fmax(largest, fabs(grid_dc_angle(limits->dc, b)));
    for (size_t b = 0; b < n_bus; b++)
        n += fabs(grid_dc_angle(limits->dc, b)) > negligible * largest;
    uint32_t *bus = calloc(n + 1, sizeof(*bus));
    double *coef = calloc(n + 1, sizeof(*coef));

    if (!bus || !coef) {
        free(bus);
        free(coef);
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu sensitivities", n);
    }
    n = 0;
    for (size_t b = 0; b < n_bus; b++)
        if (fabs(grid_dc_angle(limits->dc, b)) > negligible * largest) {
            bus[n] = (uint32_t)b;
            coef[n++] = grid_dc_angle(limits->dc, b);
        }
    *kept = (struct kept_row){.n = n, .bus = bus, .coef = coef};
    return WALRAS_OK;
}

enum walras_status grid_limits_row(struct grid_limits *limits, size_t row, struct grid_row *out,
                                   struct walras_err *err)
{
    struct kept_row *kept = &limits->kept[row];
    const struct grid_line *line = line_of(limits, row);
    enum walras_status status = WALRAS_OK;

    if (!kept->bus) {
        grid_dc_clear(limits->dc);
        grid_dc_add(limits->dc, line->from, limits->kw_per_rad[row]);
        grid_dc_add(limits->dc, line->to, -limits->kw_per_rad[row]);
        status = grid_dc_solve(limits->dc, err);
        if (status == WALRAS_OK)
            status = keep_row(limits, kept, err);
    }
    if (status == WALRAS_OK)
        *out = (struct grid_row){.n = kept->n, .bus = kept->bus, .coef = kept->coef};
    return status;
}
