#include "grid/limits.h"
#include "core/units.h"

#include <klu.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

static const double negligible = 1e-12;     /* of the largest coefficient of a row */
static const double smallest_pivot = 1e-14; /* of the largest: below, reactances cancel */

struct kept_row { /* bus NULL: not computed yet */
    size_t n;
    uint32_t *bus;
    double *coef;
};

struct grid_limits {
    const struct grid_network *network;
    struct grid_limit *limit; /* [n_row] */
    double *kw_per_rad;       /* [n_row] base_mva / (x · tap) in kW */
    double *base;             /* [n_row] */
    struct kept_row *kept;    /* [n_row] */
    size_t n_row;
    double *angle; /* workspace [n_bus]: right side in, angles out, without the slack's place */
    klu_common common;
    klu_symbolic *symbolic; /* of the susceptance matrix without the slack's row and column */
    klu_numeric *numeric;
};

struct matrix { /* compressed columns, entries of one place not yet added up */
    int *start, *row;
    double *value;
};

void grid_limits_free(struct grid_limits *limits)
{
    if (!limits)
        return;
    klu_free_numeric(&limits->numeric, &limits->common);
    klu_free_symbolic(&limits->symbolic, &limits->common);
    for (size_t r = 0; limits->kept && r < limits->n_row; r++) {
        free(limits->kept[r].bus);
        free(limits->kept[r].coef);
    }
    free(limits->kept);
    free(limits->limit);
    free(limits->kw_per_rad);
    free(limits->base);
    free(limits->angle);
    free(limits);
}

static size_t unknowns(const struct grid_limits *limits)
{
    return limits->network->n_bus - 1;
}

/* Place of a bus among the unknown angles: the slack's is left out. */
static size_t place_of(const struct grid_limits *limits, size_t bus)
{
    return bus - (bus > limits->network->slack);
}

static const struct grid_line *line_of(const struct grid_limits *limits, size_t row)
{
    return &limits->network->lines[limits->limit[row].index];
}

/* Adds `amount` to the right side at `bus`; the slack takes what comes to it without a word. */
static void add_at(struct grid_limits *limits, size_t bus, double amount)
{
    if (bus != limits->network->slack)
        limits->angle[place_of(limits, bus)] += amount;
}

static double angle_at(const struct grid_limits *limits, size_t bus)
{
    return bus == limits->network->slack ? 0.0 : limits->angle[place_of(limits, bus)];
}

static void clear_angles(struct grid_limits *limits)
{
    for (size_t i = 0; i < unknowns(limits); i++)
        limits->angle[i] = 0.0;
}

/* Right side in, angles out. The matrix is symmetric: rows of the inverse come the same way. */
static enum walras_status solve(struct grid_limits *limits, struct walras_err *err)
{
    int n = (int)unknowns(limits);

    if (n > 0 &&
        !klu_solve(limits->symbolic, limits->numeric, n, 1, limits->angle, &limits->common))
        return walras_fail(err, WALRAS_INTERNAL, "the network equations cannot be solved (klu %d)",
                           limits->common.status);
    return WALRAS_OK;
}

static enum walras_status take_lines(struct grid_limits *limits, double rating_scale,
                                     struct walras_err *err)
{
    const struct grid_network *network = limits->network;
    double base_kw = walras_kw_from_mw(network->base_mva);
    size_t most = network->n_line + 1; /* + 1: n_line may be 0 */

    limits->limit = calloc(most, sizeof(*limits->limit));
    limits->kw_per_rad = calloc(most, sizeof(*limits->kw_per_rad));
    limits->base = calloc(most, sizeof(*limits->base));
    limits->kept = calloc(most, sizeof(*limits->kept));
    limits->angle = calloc(network->n_bus, sizeof(*limits->angle));
    if (!limits->limit || !limits->kw_per_rad || !limits->base || !limits->kept || !limits->angle)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the limits of %zu lines",
                           network->n_line);
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];
        double limit_kw = line->limit_kw * rating_scale;

        if (!line->in_service)
            continue;
        limits->limit[limits->n_row] =
            (struct grid_limit){.index = l, .low = -limit_kw, .high = limit_kw};
        limits->kw_per_rad[limits->n_row] = base_kw / (line->x_pu * line->tap);
        limits->n_row++;
    }
    return WALRAS_OK;
}

/* Calls for every entry of the susceptance matrix: two per line end that is not the slack. */
static void each_entry(const struct grid_limits *limits,
                       void (*visit)(struct matrix *m, size_t row, size_t column, double value),
                       struct matrix *m)
{
    size_t slack = limits->network->slack;

    for (size_t r = 0; r < limits->n_row; r++) {
        size_t from = line_of(limits, r)->from, to = line_of(limits, r)->to;
        size_t i = place_of(limits, from), j = place_of(limits, to);
        double b = limits->kw_per_rad[r];

        if (from != slack)
            visit(m, i, i, b);
        if (to != slack)
            visit(m, j, j, b);
        if (from != slack && to != slack) {
            visit(m, i, j, -b);
            visit(m, j, i, -b);
        }
    }
}

static void count_entry(struct matrix *m, size_t row, size_t column, double value)
{
    (void)row;
    (void)value;
    m->start[column + 1]++;
}

/* start[column] is where the next entry of the column goes. */
static void put_entry(struct matrix *m, size_t row, size_t column, double value)
{
    int at = m->start[column]++;

    m->row[at] = (int)row;
    m->value[at] = value;
}

/* Adds up entries of one place, in the order in which they stand. place [n]: scratch, all -1. */
static void add_up(struct matrix *m, size_t n, int *place)
{
    int kept = 0;

    for (size_t column = 0; column < n; column++) {
        int first = m->start[column], end = m->start[column + 1], own = kept;

        m->start[column] = own;
        for (int at = first; at < end; at++) {
            int *seen = &place[m->row[at]];

            if (*seen >= own) {
                m->value[*seen] += m->value[at];
                continue;
            }
            *seen = kept;
            m->row[kept] = m->row[at];
            m->value[kept++] = m->value[at];
        }
    }
    m->start[n] = kept;
}

static enum walras_status assemble(const struct grid_limits *limits, struct matrix *m,
                                   struct walras_err *err)
{
    size_t n = unknowns(limits), most = 4 * limits->n_row;
    int *place = calloc(n + 1, sizeof(*place));
    enum walras_status status = WALRAS_OK;

    m->start = calloc(n + 2, sizeof(*m->start));
    m->row = calloc(most + 1, sizeof(*m->row));
    m->value = calloc(most + 1, sizeof(*m->value));
    if (!place || !m->start || !m->row || !m->value) {
        status = walras_fail(err, WALRAS_NOMEM, "no memory for the matrix of %zu buses", n + 1);
        goto out;
    }
    each_entry(limits, count_entry, m);
    for (size_t column = 0; column < n; column++)
        m->start[column + 1] += m->start[column];
    each_entry(limits, put_entry, m);
    for (size_t column = n; column > 0; column--) /* back to where columns begin */
        m->start[column] = m->start[column - 1];
    m->start[0] = 0;
    for (size_t i = 0; i < n; i++)
        place[i] = -1;
    add_up(m, n, place);
out:
    free(place);
    return status;
}

/* KLU's answer in words. `column` is the unknown at which elimination stopped, or n. */
static enum walras_status factor_failed(const struct grid_limits *limits, struct walras_err *err)
{
    size_t n = unknowns(limits), column = n;

    if (limits->common.status == KLU_OUT_OF_MEMORY || limits->common.status == KLU_TOO_LARGE)
        return walras_fail(err, WALRAS_NOMEM, "no memory to factor the matrix of %zu buses", n + 1);
    if (limits->common.singular_col >= 0)
        column = (size_t)limits->common.singular_col;
    if (column >= n)
        return walras_fail(err, WALRAS_INVALID,
                           "the reactances of the network cancel: flows are not determined");
    size_t bus = column + (column >= limits->network->slack);

    return walras_fail(err, WALRAS_INVALID,
                       "bus %s: the reactances of lines around it cancel: flows are not determined",
                       limits->network->buses[bus].id);
}

static enum walras_status factor(struct grid_limits *limits, struct walras_err *err)
{
    struct matrix m = {0};
    size_t n = unknowns(limits);
    enum walras_status status = WALRAS_OK;

    if (n == 0)
        return WALRAS_OK;
    if (n >= INT_MAX / 8 || limits->n_row >= INT_MAX / 8)
        return walras_fail(err, WALRAS_UNSUPPORTED, "networks of %zu buses are too large", n + 1);
    status = assemble(limits, &m, err);
    if (status != WALRAS_OK)
        goto out;
    limits->symbolic = klu_analyze((int)n, m.start, m.row, &limits->common);
    if (limits->symbolic)
        limits->numeric = klu_factor(m.start, m.row, m.value, limits->symbolic, &limits->common);
    if (!limits->numeric) {
        status = factor_failed(limits, err);
        goto out;
    }
    klu_rcond(limits->symbolic, limits->numeric, &limits->common);
    if (!(limits->common.rcond > smallest_pivot))
        status = factor_failed(limits, err);
out:
    free(m.start);
    free(m.row);
    free(m.value);
    return status;
}

/* What the phase shifters drive when nobody injects: their flows, and the angles that answer. */
static enum walras_status find_base(struct grid_limits *limits, struct walras_err *err)
{
    clear_angles(limits);
    for (size_t r = 0; r < limits->n_row; r++) {
        const struct grid_line *line = line_of(limits, r);
        double driven_kw = limits->kw_per_rad[r] * line->shift_rad;

        add_at(limits, line->from, driven_kw);
        add_at(limits, line->to, -driven_kw);
    }
    enum walras_status status = solve(limits, err);

    for (size_t r = 0; r < limits->n_row && status == WALRAS_OK; r++) {
        const struct grid_line *line = line_of(limits, r);

        limits->base[r] = limits->kw_per_rad[r] * (angle_at(limits, line->from) -
                                                   angle_at(limits, line->to) - line->shift_rad);
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
    klu_defaults(&limits->common);
    status = take_lines(limits, rating_scale, err);
    if (status == WALRAS_OK)
        status = factor(limits, err);
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
    clear_angles(limits);
    for (size_t b = 0; b < limits->network->n_bus; b++) {
        if (!isfinite(injection_kw[b]))
            return walras_fail(err, WALRAS_INVALID, "bus %s: the injection is not finite",
                               limits->network->buses[b].id);
        add_at(limits, b, injection_kw[b]);
    }
    enum walras_status status = solve(limits, err);

    for (size_t r = 0; r < limits->n_row && status == WALRAS_OK; r++) {
        const struct grid_line *line = line_of(limits, r);

        value[r] = limits->base[r] + limits->kw_per_rad[r] * (angle_at(limits, line->from) -
                                                              angle_at(limits, line->to));
    }
    return status;
}

/* Keeps what matters of the row that stands in the workspace. */
static enum walras_status keep_row(struct grid_limits *limits, struct kept_row *kept,
                                   struct walras_err *err)
{
    size_t n_bus = limits->network->n_bus, n = 0;
    double largest = 0.0;

    for (size_t i = 0; i < unknowns(limits); i++)
        largest = fmax(largest, fabs(limits->angle[i]));
    for (size_t i = 0; i < unknowns(limits); i++)
        n += fabs(limits->angle[i]) > negligible * largest;
    uint32_t *bus = calloc(n + 1, sizeof(*bus));
    double *coef = calloc(n + 1, sizeof(*coef));

    if (!bus || !coef) {
        free(bus);
        free(coef);
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu sensitivities", n);
    }
    n = 0;
    for (size_t b = 0; b < n_bus; b++)
        if (fabs(angle_at(limits, b)) > negligible * largest) {
            bus[n] = (uint32_t)b;
            coef[n++] = angle_at(limits, b);
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
        clear_angles(limits);
        add_at(limits, line->from, limits->kw_per_rad[row]);
        add_at(limits, line->to, -limits->kw_per_rad[row]);
        status = solve(limits, err);
        if (status == WALRAS_OK)
            status = keep_row(limits, kept, err);
    }
    if (status == WALRAS_OK)
        *out = (struct grid_row){.n = kept->n, .bus = kept->bus, .coef = kept->coef};
    return status;
}
