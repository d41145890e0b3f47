#include "market/tree_draft.h"

#include <math.h>
#include <stdlib.h>

struct set { /* an active limit while the tree is found */
    size_t limit, size;
    size_t example; /* a row of it */
    size_t parent, met;
};

struct finder {
    const struct market_rows *rows;
    struct set *sets; /* [n_set] by rising size */
    size_t n_set;
    size_t *set_of_limit; /* [n_limit] */
    size_t *top;          /* [n_bus] the largest set seen so far that holds the bus */
    size_t *lowest;       /* [n_bus] the smallest that does */
};

static int compare_sets(const void *left, const void *right)
{
    const struct set *a = left, *b = right;

    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return a->limit < b->limit ? -1 : a->limit > b->limit;
}

static bool is_uniform(const struct market_row *row)
{
    if (row->varies)
        return false;
    for (size_t i = 1; i < row->coef.n; i++)
        if (fabs(row->coef.coef[i] - row->coef.coef[0]) > 1e-9 * fabs(row->coef.coef[0]))
            return false;
    return true;
}

/* The active limits; false when one does not treat all buses behind it alike. */
static bool list_sets(struct finder *f)
{
    for (size_t a = 0; a < f->rows->n; a++) {
        const struct market_row *row = &f->rows->rows[a];

        if (f->set_of_limit[row->limit] != SIZE_MAX)
            continue;
        if (!is_uniform(row))
            return false;
        f->set_of_limit[row->limit] = f->n_set;
        f->sets[f->n_set++] = (struct set){
            .limit = row->limit, .size = row->coef.n, .example = a, .parent = SIZE_MAX};
    }
    qsort(f->sets, f->n_set, sizeof(*f->sets), compare_sets);
    for (size_t i = 0; i < f->n_set; i++)
        f->set_of_limit[f->sets[i].limit] = i;
    return true;
}

/* Puts set i above the sets in it. False when one is only partly in it. */
static bool nest(struct finder *f, size_t i)
{
    const struct grid_row *coef = &f->rows->rows[f->sets[i].example].coef;

    for (size_t k = 0; k < coef->n; k++) {
        size_t top = f->top[coef->bus[k]];

        if (top != SIZE_MAX) {
            f->sets[top].parent = i;
            f->sets[top].met++;
        } else {
            f->lowest[coef->bus[k]] = i;
        }
    }
    for (size_t k = 0; k < coef->n; k++) {
        size_t *top = &f->top[coef->bus[k]];

        if (*top != SIZE_MAX && f->sets[*top].met != f->sets[*top].size)
            return false;
        *top = i;
    }
    return true;
}

static bool find(struct finder *f)
{
    if (f->rows->problem->reactive || !list_sets(f))
        return false;
    for (size_t i = 0; i < f->n_set; i++)
        if (!nest(f, i))
            return false;
    return true;
}

/* Larger sets are above smaller ones, so they are the first vertices. */
static size_t vertex_of(const struct finder *f, size_t set)
{
    return set == SIZE_MAX ? SIZE_MAX : f->n_set - 1 - set;
}

static void fill_draft(const struct finder *f, struct tree_draft *draft)
{
    for (size_t i = 0; i < f->n_set; i++)
        draft->vertex[vertex_of(f, i)] =
            (struct draft_vertex){.parent = vertex_of(f, f->sets[i].parent)};
    for (size_t b = 0; b < f->rows->problem->n_bus; b++)
        draft->vertex_of_zone[b] = vertex_of(f, f->lowest[b]);
    for (size_t a = 0; a < f->rows->n; a++) {
        const struct market_row *row = &f->rows->rows[a];

        draft->row[a] = (struct draft_row){.vertex = vertex_of(f, f->set_of_limit[row->limit]),
                                           .kw = row->coef.n > 0 ? row->coef.coef[0] : 0.0};
    }
}

static size_t largest_limit(const struct market_rows *rows)
{
    size_t largest = 0;

    for (size_t a = 0; a < rows->n; a++)
        largest = rows->rows[a].limit > largest ? rows->rows[a].limit : largest;
    return largest;
}

enum walras_status tree_find_nested(const struct market_rows *rows, struct tree_draft *draft,
                                    bool *found, struct walras_err *err)
{
    size_t n_bus = rows->problem->n_bus, n_limit = largest_limit(rows) + 1;
    size_t n_scratch = n_limit + 2 * n_bus;
    struct finder f = {.rows = rows};
    enum walras_status status = WALRAS_OK;

    *found = false;
    f.sets = calloc(n_limit, sizeof(*f.sets));
    f.set_of_limit = malloc(n_scratch * sizeof(*f.set_of_limit));
    if (!f.sets || !f.set_of_limit) {
        status = walras_fail(err, WALRAS_NOMEM, "master: %zu limits do not fit in memory", n_limit);
    } else {
        for (size_t i = 0; i < n_scratch; i++)
            f.set_of_limit[i] = SIZE_MAX;
        f.top = f.set_of_limit + n_limit;
        f.lowest = f.top + n_bus;
        *found = find(&f);
    }
    if (*found)
        status = tree_draft_init(draft, rows, f.n_set, err);
    if (*found && status == WALRAS_OK)
        fill_draft(&f, draft);
    free(f.sets);
    free(f.set_of_limit);
    return status;
}
