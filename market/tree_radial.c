#include "market/tree_draft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct finder {
    const struct market_rows *rows;
    const struct grid_limits *limits;
    struct grid_tree grid;
    size_t *bus_of_zone;   /* [zones] */
    size_t *by_limit;      /* [rows] rows of one limit together */
    double *coef;          /* [zones] of the row at hand */
    double *common;        /* [buses x 2] sums at the last bus in common; or whether it is behind */
    bool *told_apart;      /* [buses] a price may differ from that of the parent */
    size_t *vertex_of_bus; /* [buses] */
    size_t *bus_of_vertex; /* [buses] */
};

static size_t node_of(const struct market_problem *problem, size_t zone)
{
    return problem->node_of_bus ? problem->node_of_bus[zone] : zone;
}

static void release(struct finder *f)
{
    free(f->bus_of_zone);
    free(f->by_limit);
    free(f->coef);
    free(f->common);
    free(f->told_apart);
    free(f->vertex_of_bus);
    free(f->bus_of_vertex);
}

static bool take_memory(struct finder *f)
{
    size_t n_zone = f->rows->problem->n_bus, n_bus = f->grid.n_bus;

    f->bus_of_zone = calloc(n_zone + 1, sizeof(*f->bus_of_zone));
    f->by_limit = calloc(f->rows->n + 1, sizeof(*f->by_limit));
    f->coef = calloc(n_zone + 1, sizeof(*f->coef));
    f->common = calloc(2 * n_bus, sizeof(*f->common));
    f->told_apart = calloc(n_bus, sizeof(*f->told_apart));
    f->vertex_of_bus = calloc(n_bus, sizeof(*f->vertex_of_bus));
    f->bus_of_vertex = calloc(n_bus, sizeof(*f->bus_of_vertex));
    return f->bus_of_zone && f->by_limit && f->coef && f->common && f->told_apart &&
           f->vertex_of_bus && f->bus_of_vertex;
}

/* Rows of one limit one after another: a counting sort by limit, steps in order. */
static enum walras_status sort_by_limit(struct finder *f, struct walras_err *err)
{
    size_t n_limit = grid_limits_count(f->limits), *first = calloc(n_limit + 1, sizeof(*first));

    if (!first)
        return walras_fail(err, WALRAS_NOMEM, "master: %zu limits do not fit in memory", n_limit);
    for (size_t a = 0; a < f->rows->n; a++)
        first[f->rows->rows[a].limit + 1]++;
    for (size_t l = 0; l < n_limit; l++)
        first[l + 1] += first[l];
    for (size_t a = 0; a < f->rows->n; a++)
        f->by_limit[first[f->rows->rows[a].limit]++] = a;
    free(first);
    return WALRAS_OK;
}

/* What one kW and one kvar injected at each bus do to a row of that place. */
static void fill_common(struct finder *f, struct grid_place place)
{
    const struct grid_tree *grid = &f->grid;

    for (size_t i = 0; i < 2 * grid->n_bus; i++)
        f->common[i] = NAN;
    for (size_t b = place.bus; b != SIZE_MAX && place.by_way; b = grid->parent[b]) {
        f->common[2 * b] = place.kw * grid->sum_kw[b];
        f->common[2 * b + 1] = place.kvar * grid->sum_kvar[b];
    }
    if (!place.by_way) {
        f->common[2 * place.bus] = place.kw;
        f->common[2 * place.bus + 1] = place.kvar;
    }
    for (size_t i = 0; i < grid->n_bus; i++) {
        size_t b = grid->order[i], parent = grid->parent[b];

        for (size_t k = 0; k < 2; k++)
            if (isnan(f->common[2 * b + k]))
                f->common[2 * b + k] = parent == SIZE_MAX ? 0.0 : f->common[2 * parent + k];
    }
}

/* Whether the row's coefficients are those of its place, to the rounding of zones. */
static bool is_as_told(const struct finder *f, const struct market_row *row)
{
    const double rounding = 1e-8;
    double largest = 0.0, off = 0.0;
    size_t n_zone = f->rows->problem->n_bus;

    memset(f->coef, 0, n_zone * sizeof(*f->coef));
    for (size_t i = 0; i < row->coef.n; i++) {
        f->coef[row->coef.bus[i]] = row->coef.coef[i];
        largest = fmax(largest, fabs(row->coef.coef[i]));
    }
    for (size_t z = 0; z < n_zone; z++) {
        const double *common = &f->common[2 * f->bus_of_zone[z]];
        struct grid_unit unit =
            grid_limits_unit(f->limits, node_of(f->rows->problem, z), row->step);

        off = fmax(off, fabs(unit.kw * common[0] + unit.kvar * common[1] - f->coef[z]));
    }
    return off <= rounding * largest;
}

/*
 * Places rows at buses: the `vertex` is a bus until vertices are numbered, since which buses need
 * one is known only when all rows have a place. The bus of a row does, and where coefficients
 * differ along the way to it, each bus of that way.
 */
static void place_rows(struct finder *f, struct draft_row *out)
{
    const struct market_row *before = NULL;
    bool fits = false;

    for (size_t i = 0; i < f->rows->n; i++) {
        const struct market_row *row = &f->rows->rows[f->by_limit[i]];
        struct draft_row *at = &out[f->by_limit[i]];
        struct grid_place place = grid_limits_place(f->limits, row->limit);

        if (!before || row->limit != before->limit)
            fill_common(f, place);
        if (!before || row->limit != before->limit || row->varies || before->varies)
            fits = is_as_told(f, row);
        before = row;
        *at = (struct draft_row){.vertex = SIZE_MAX};
        if (!fits)
            continue;
        *at = (struct draft_row){place.bus, place.by_way, place.kw, place.kvar};
        f->told_apart[place.bus] = true;
        for (size_t b = place.bus; b != SIZE_MAX && place.by_way; b = f->grid.parent[b])
            f->told_apart[b] = true;
    }
}

/* One vertex for each slack and each bus that is told apart; the others are with their parents. */
static size_t number_vertices(struct finder *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->grid.n_bus; i++) {
        size_t b = f->grid.order[i], parent = f->grid.parent[b];

        if (parent != SIZE_MAX && !f->told_apart[b]) {
            f->vertex_of_bus[b] = f->vertex_of_bus[parent];
        } else {
            f->bus_of_vertex[n] = b;
            f->vertex_of_bus[b] = n++;
        }
    }
    return n;
}

static struct draft_vertex vertex_at(const struct finder *f, size_t bus)
{
    size_t parent = f->grid.parent[bus], up = 0;

    if (parent == SIZE_MAX)
        return (struct draft_vertex){.parent = SIZE_MAX, .slack = true};
    up = f->bus_of_vertex[f->vertex_of_bus[parent]];
    return (struct draft_vertex){.parent = f->vertex_of_bus[parent],
                                 .drop_kw = f->grid.sum_kw[bus] - f->grid.sum_kw[up],
                                 .drop_kvar = f->grid.sum_kvar[bus] - f->grid.sum_kvar[up]};
}

static enum walras_status find(struct finder *f, struct tree_draft *draft, struct walras_err *err)
{
    size_t n_zone = f->rows->problem->n_bus, n_vertex = 0;
    enum walras_status status = sort_by_limit(f, err);

    if (status == WALRAS_OK)
        status = tree_draft_init(draft, f->rows, f->grid.n_bus, err);
    if (status != WALRAS_OK)
        return status;
    for (size_t z = 0; z < n_zone; z++)
        f->bus_of_zone[z] = grid_limits_bus(f->limits, node_of(f->rows->problem, z));
    place_rows(f, draft->row);
    n_vertex = number_vertices(f);
    for (size_t v = 0; v < n_vertex; v++)
        draft->vertex[v] = vertex_at(f, f->bus_of_vertex[v]);
    draft->n_vertex = n_vertex;
    for (size_t z = 0; z < n_zone; z++)
        draft->vertex_of_zone[z] = f->vertex_of_bus[f->bus_of_zone[z]];
    for (size_t a = 0; a < f->rows->n; a++)
        if (draft->row[a].vertex != SIZE_MAX)
            draft->row[a].vertex = f->vertex_of_bus[draft->row[a].vertex];
    return WALRAS_OK;
}

enum walras_status tree_find_radial(const struct market_rows *rows, struct tree_draft *draft,
                                    bool *found, struct walras_err *err)
{
    struct finder f = {.rows = rows, .limits = rows->problem->limits};
    enum walras_status status = WALRAS_OK;

    *found = f.limits && grid_limits_tree(f.limits, &f.grid);
    if (!*found)
        return WALRAS_OK;
    if (take_memory(&f))
        status = find(&f, draft, err);
    else
        status =
            walras_fail(err, WALRAS_NOMEM, "master: %zu buses do not fit in memory", f.grid.n_bus);
    release(&f);
    return status;
}
