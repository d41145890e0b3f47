#include "grid/dc_internal.h"

#include "core/units.h"

#include <klu.h>
#include <limits.h>
#include <stdlib.h>

/* Of the largest, where reactances of both signs may cancel: flows are then good to about 1e-6. */
static const double smallest_pivot = 1e-10;

struct grid_dc {
    const struct grid_network *network;
    double *angle; /* [n_bus - 1]: right side in, angles out; the slack has no place */
    klu_common common;
    klu_symbolic *symbolic; /* of the matrix without the slack's row and column */
    klu_numeric *numeric;
};

struct matrix { /* compressed columns, entries of one place not yet added up */
    int *start, *row;
    double *value;
};

void grid_dc_free(struct grid_dc *dc)
{
    if (!dc)
        return;
    klu_free_numeric(&dc->numeric, &dc->common);
    klu_free_symbolic(&dc->symbolic, &dc->common);
    free(dc->angle);
    free(dc);
}

double grid_dc_kw_per_rad(const struct grid_network *network, const struct grid_line *line)
{
    return walras_kw_from_mw(network->base_mva) / (line->x_pu * line->tap);
}

static size_t unknowns(const struct grid_dc *dc)
{
    return dc->network->n_bus - 1;
}

/* Place of a bus among the unknown angles: the slack's is left out. */
static size_t place_of(const struct grid_dc *dc, size_t bus)
{
    return bus - (bus > dc->network->slack);
}

/* The slack takes what comes to it without a word. */
void grid_dc_add(struct grid_dc *dc, size_t bus, double injection_kw)
{
    if (bus != dc->network->slack)
        dc->angle[place_of(dc, bus)] += injection_kw;
}

double grid_dc_angle(const struct grid_dc *dc, size_t bus)
{
    return bus == dc->network->slack ? 0.0 : dc->angle[place_of(dc, bus)];
}

void grid_dc_clear(struct grid_dc *dc)
{
    for (size_t i = 0; i < unknowns(dc); i++)
        dc->angle[i] = 0.0;
}

/* Right side in, angles out. The matrix is symmetric: rows of the inverse come the same way. */
enum walras_status grid_dc_solve(struct grid_dc *dc, struct walras_err *err)
{
    int n = (int)unknowns(dc);

    if (n > 0 && !klu_solve(dc->symbolic, dc->numeric, n, 1, dc->angle, &dc->common))
        return walras_fail(err, WALRAS_INTERNAL, "the network equations cannot be solved (klu %d)",
                           dc->common.status);
    return WALRAS_OK;
}

/* Calls for every entry of the susceptance matrix: two per line end that is not the slack. */
static void each_entry(const struct grid_dc *dc,
                       void (*visit)(struct matrix *m, size_t row, size_t column, double value),
                       struct matrix *m)
{
    size_t slack = dc->network->slack;

    for (size_t l = 0; l < dc->network->n_line; l++) {
        const struct grid_line *line = &dc->network->lines[l];
        size_t from = line->from, to = line->to, i = place_of(dc, from), j = place_of(dc, to);

        if (!line->in_service)
            continue;
        double y = grid_dc_kw_per_rad(dc->network, line);

        if (from != slack)
            visit(m, i, i, y);
        if (to != slack)
            visit(m, j, j, y);
        if (from != slack && to != slack) {
            visit(m, i, j, -y);
            visit(m, j, i, -y);
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

static enum walras_status assemble(const struct grid_dc *dc, struct matrix *m,
                                   struct walras_err *err)
{
    size_t n = unknowns(dc), most = 4 * dc->network->n_line;
    int *place = calloc(n + 1, sizeof(*place));
    enum walras_status status = WALRAS_OK;

    m->start = calloc(n + 2, sizeof(*m->start));
    m->row = calloc(most + 1, sizeof(*m->row));
    m->value = calloc(most + 1, sizeof(*m->value));
    if (!place || !m->start || !m->row || !m->value) {
        status = walras_fail(err, WALRAS_NOMEM, "no memory for the matrix of %zu buses", n + 1);
        goto out;
    }
    each_entry(dc, count_entry, m);
    for (size_t column = 0; column < n; column++)
        m->start[column + 1] += m->start[column];
    each_entry(dc, put_entry, m);
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
static enum walras_status factor_failed(const struct grid_dc *dc, struct walras_err *err)
{
    size_t n = unknowns(dc), column = n;

    if (dc->common.status == KLU_OUT_OF_MEMORY || dc->common.status == KLU_TOO_LARGE)
        return walras_fail(err, WALRAS_NOMEM, "no memory to factor the matrix of %zu buses", n + 1);
    if (dc->common.singular_col >= 0)
        column = (size_t)dc->common.singular_col;
    if (column >= n)
        return walras_fail(err, WALRAS_INVALID,
                           "reactances cancel or differ too much: flows are not determined");
    size_t bus = column + (column >= dc->network->slack);

    return walras_fail(err, WALRAS_INVALID,
                       "bus %s: the reactances of lines around it cancel or differ too much: flows "
                       "are not determined",
                       dc->network->buses[bus].id);
}

/* Whether elimination may cancel: with reactances of one sign it only adds (an M-matrix). */
static bool has_both_signs(const struct grid_network *network)
{
    bool negative = false, positive = false;

    for (size_t l = 0; l < network->n_line; l++) {
        negative = negative || (network->lines[l].in_service && network->lines[l].x_pu < 0.0);
        positive = positive || (network->lines[l].in_service && network->lines[l].x_pu > 0.0);
    }
    return negative && positive;
}

static enum walras_status factor(struct grid_dc *dc, struct walras_err *err)
{
    struct matrix m = {0};
    size_t n = unknowns(dc);
    enum walras_status status = WALRAS_OK;

    if (n == 0)
        return WALRAS_OK;
    if (n >= INT_MAX / 8 || dc->network->n_line >= INT_MAX / 8)
        return walras_fail(err, WALRAS_UNSUPPORTED, "networks of %zu buses are too large", n + 1);
    status = assemble(dc, &m, err);
    if (status != WALRAS_OK)
        goto out;
    dc->symbolic = klu_analyze((int)n, m.start, m.row, &dc->common);
    if (dc->symbolic)
        dc->numeric = klu_factor(m.start, m.row, m.value, dc->symbolic, &dc->common);
    if (!dc->numeric) {
        status = factor_failed(dc, err);
        goto out;
    }
    klu_rcond(dc->symbolic, dc->numeric, &dc->common);
    if (!(dc->common.rcond > (has_both_signs(dc->network) ? smallest_pivot : 0.0)))
        status = factor_failed(dc, err);
out:
    free(m.start);
    free(m.row);
    free(m.value);
    return status;
}

enum walras_status grid_dc_new(const struct grid_network *network, struct grid_dc **made,
                               struct walras_err *err)
{
    struct grid_dc *dc = calloc(1, sizeof(*dc));
    enum walras_status status = WALRAS_OK;

    if (!dc)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the equations of the network");
    dc->network = network;
    klu_defaults(&dc->common);
    dc->angle = calloc(network->n_bus, sizeof(*dc->angle));
    status = dc->angle ? factor(dc, err)
                       : walras_fail(err, WALRAS_NOMEM, "no memory for the angles of %zu buses",
                                     network->n_bus);
    if (status == WALRAS_OK)
        *made = dc;
    else
        grid_dc_free(dc);
    return status;
}
