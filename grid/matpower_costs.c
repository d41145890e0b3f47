#include "grid/matpower_internal.h"

#include "core/units.h"

#include <math.h>
#include <stdlib.h>

/* Slopes may fall by this much of their size: tables print rounded numbers. */
static const double slope_rounding = 1e-9;

struct cost_row {
    const struct grid_mp_file *file;
    const double *cell; /* the row of gencost */
    size_t line, row;   /* of gencost, rows from 1 */
    size_t n;           /* points or coefficients */
};

static enum walras_status cost_fail(const struct cost_row *cost, enum walras_status status,
                                    struct walras_err *err, const char *what)
{
    return grid_mp_fail(cost->file->name, cost->line, status, err, "gencost row %zu: %s", cost->row,
                        what);
}

static enum walras_status read_range(const struct grid_mp_file *file, struct grid_generator *g,
                                     struct walras_err *err)
{
    const struct grid_mp_table *table = &file->table[GRID_MP_GEN];
    const double *cell = &table->value[(g->row - 1) * table->n_column];

    g->min_kw = walras_kw_from_mw(cell[GRID_MP_PMIN]);
    g->max_kw = walras_kw_from_mw(cell[GRID_MP_PMAX]);
    if (!isfinite(g->min_kw) || !isfinite(g->max_kw) || g->min_kw > g->max_kw)
        return grid_mp_fail(file->name, table->line[g->row - 1], WALRAS_INVALID, err,
                            "gen row %zu: Pmin is %g and Pmax is %g; expected finite numbers, "
                            "Pmin <= Pmax",
                            g->row, cell[GRID_MP_PMIN], cell[GRID_MP_PMAX]);
    return WALRAS_OK;
}

/* Highest power first. */
static enum walras_status read_polynomial(const struct cost_row *cost, struct grid_generator *g,
                                          struct walras_err *err)
{
    const double *last = &cost->cell[GRID_MP_COST + cost->n - 1];

    for (size_t i = 0; i < cost->n; i++) {
        if (!isfinite(last[-(ptrdiff_t)i]))
            return cost_fail(cost, WALRAS_INVALID, err, "the coefficients must be finite");
        if (i > 2 && last[-(ptrdiff_t)i] != 0.0)
            return cost_fail(cost, WALRAS_UNSUPPORTED, err,
                             "a polynomial above degree 2; give it as convex pieces (model 1)");
    }
    g->model = GRID_COST_POLYNOMIAL;
    g->per_h = last[0];
    g->per_mwh = cost->n > 1 ? last[-1] : 0.0;
    g->per_mw2h = cost->n > 2 ? last[-2] : 0.0;
    if (g->per_mw2h < 0.0)
        return cost_fail(cost, WALRAS_INVALID, err,
                         "the cost is not convex (the quadratic coefficient is negative)");
    return WALRAS_OK;
}

static enum walras_status check_points(const struct cost_row *cost, const struct grid_generator *g,
                                       struct walras_err *err)
{
    double before = -INFINITY;

    for (size_t i = 0; i < g->n_point; i++)
        if (!isfinite(g->point_kw[i]) || !isfinite(g->point_per_h[i]))
            return cost_fail(cost, WALRAS_INVALID, err, "the points must be finite");
    for (size_t i = 1; i < g->n_point; i++) {
        double run = g->point_kw[i] - g->point_kw[i - 1];
        double slope = (g->point_per_h[i] - g->point_per_h[i - 1]) / run;

        if (!(run > 0.0) || !isfinite(slope))
            return cost_fail(cost, WALRAS_INVALID, err,
                             "the points must have rising power, in steps that are not absurd");
        if (i > 1 && slope < before - slope_rounding * fmax(1.0, fabs(before)))
            return cost_fail(cost, WALRAS_INVALID, err,
                             "the cost is not convex (a later piece is less steep)");
        before = slope;
    }
    return WALRAS_OK;
}

static enum walras_status read_points(const struct cost_row *cost, struct grid_generator *g,
                                      struct walras_err *err)
{
    if (cost->n < 2)
        return cost_fail(cost, WALRAS_INVALID, err, "expected two points at least");
    g->model = GRID_COST_PIECEWISE;
    g->point_kw = calloc(cost->n, sizeof(*g->point_kw));
    g->point_per_h = calloc(cost->n, sizeof(*g->point_per_h));
    if (!g->point_kw || !g->point_per_h)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu cost points", cost->n);
    g->n_point = cost->n;
    for (size_t i = 0; i < cost->n; i++) {
        g->point_kw[i] = walras_kw_from_mw(cost->cell[GRID_MP_COST + 2 * i]);
        g->point_per_h[i] = cost->cell[GRID_MP_COST + 2 * i + 1];
    }
    return check_points(cost, g, err);
}

static enum walras_status read_cost(const struct grid_mp_file *file, struct grid_generator *g,
                                    struct walras_err *err)
{
    const struct grid_mp_table *table = &file->table[GRID_MP_GENCOST];
    struct cost_row cost = {.file = file,
                            .cell = &table->value[(g->row - 1) * table->n_column],
                            .line = table->line[g->row - 1],
                            .row = g->row};
    double model = cost.cell[GRID_MP_COST_MODEL], n = cost.cell[GRID_MP_N_COST];
    double room = (double)(table->n_column - GRID_MP_COST);

    if (model != 1.0 && model != 2.0)
        return cost_fail(&cost, WALRAS_INVALID, err, "the model must be 1 or 2");
    if (!(n >= 1.0) || floor(n) != n || (model == 1.0 ? 2.0 * n : n) > room)
        return cost_fail(&cost, WALRAS_INVALID, err,
                         "the number of points or coefficients must be a whole number above 0 "
                         "that the columns hold");
    cost.n = (size_t)n;
    return model == 1.0 ? read_points(&cost, g, err) : read_polynomial(&cost, g, err);
}

/* A second half of gencost, if there is one, prices reactive power and is not read. */
static enum walras_status read_all(const struct grid_mp_file *file, struct grid_case *c,
                                   struct walras_err *err)
{
    const struct grid_mp_table *cost = &file->table[GRID_MP_GENCOST];
    size_t n_gen = file->table[GRID_MP_GEN].n_row;
    enum walras_status status = WALRAS_OK;

    if (cost->n_row == 0 && n_gen > 0)
        return grid_mp_fail(file->name, 0, WALRAS_INVALID, err,
                            "the gencost table is missing: generators of a market need costs");
    if (cost->n_row != n_gen && cost->n_row != 2 * n_gen)
        return grid_mp_fail(file->name, cost->opened, WALRAS_INVALID, err,
                            "the gencost table has %zu rows; expected %zu or %zu, as the gen table",
                            cost->n_row, n_gen, 2 * n_gen);
    for (size_t g = 0; g < c->n_generator && status == WALRAS_OK; g++) {
        status = read_range(file, &c->generators[g], err);
        if (status == WALRAS_OK)
            status = read_cost(file, &c->generators[g], err);
    }
    return status;
}

enum walras_status grid_mp_read_costs(const struct grid_mp_file *file, struct grid_case *c,
                                      struct walras_err *err)
{
    enum walras_status status = read_all(file, c, &c->market_fault);

    if (status == WALRAS_OK)
        return WALRAS_OK;
    if (status == WALRAS_NOMEM)
        return walras_fail(err, status, "%s", c->market_fault.msg);
    for (size_t i = 0; i < c->n_generator; i++) {
        struct grid_generator *g = &c->generators[i];

        free(g->point_kw);
        free(g->point_per_h);
        *g = (struct grid_generator){.bus = g->bus,
                                     .row = g->row,
                                     .p_kw = g->p_kw,
                                     .q_kvar = g->q_kvar,
                                     .v_pu = g->v_pu,
                                     .q_min_kvar = g->q_min_kvar,
                                     .q_max_kvar = g->q_max_kvar};
    }
    return WALRAS_OK;
}
