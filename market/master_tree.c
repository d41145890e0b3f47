#include "market/master_tree.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);

void master_tree_release(struct master_tree *tree)
{
    void *blocks[] = {tree->nodes, tree->row,  tree->coef,  tree->across, tree->factor, tree->y,
                      tree->stack, tree->flow, tree->price, tree->root,   tree->scratch};

    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        free(blocks[i]);
    *tree = (struct master_tree){0};
}

struct set { /* an active limit while the tree is found */
    size_t limit, size;
    size_t example; /* a row of it */
    size_t n_row;
    size_t parent, bus, met, subtree, at;
};

struct finder {
    const struct market_rows *rows;
    struct set *sets; /* [n_set] by rising size */
    size_t n_set;
    size_t *set_of_limit; /* [n_limit] */
    size_t *top;          /* [n_bus] the largest set seen so far that holds the bus */
};

static int compare_sets(const void *left, const void *right)
{
    const struct set *a = left, *b = right;

    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return a->limit < b->limit ? -1 : a->limit > b->limit;
}

static bool is_uniform(const struct market_problem *problem, const struct market_row *row)
{
    if (row->varies)
        return false;
    for (size_t i = 0; i < row->coef.n && problem->reactive; i++)
        if (problem->reactive[row->coef.bus[i]]) /* it is in no balance further up */
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
        size_t *at = &f->set_of_limit[row->limit];

        if (*at == SIZE_MAX) {
            if (!is_uniform(f->rows->problem, row))
                return false;
            *at = f->n_set;
            f->sets[f->n_set++] = (struct set){.limit = row->limit,
                                               .size = row->coef.n,
                                               .example = a,
                                               .parent = SIZE_MAX,
                                               .bus = SIZE_MAX};
        }
        f->sets[*at].n_row++;
    }
    qsort(f->sets, f->n_set, sizeof(*f->sets), compare_sets);
    for (size_t i = 0; i < f->n_set; i++)
        f->set_of_limit[f->sets[i].limit] = i;
    return true;
}

/* Puts set i above the sets in it. False when one is only partly in it, or two buses are its own.
 */
static bool nest(struct finder *f, size_t i)
{
    const struct grid_row *coef = &f->rows->rows[f->sets[i].example].coef;

    for (size_t k = 0; k < coef->n; k++) {
        size_t top = f->top[coef->bus[k]];

        if (top != SIZE_MAX) {
            f->sets[top].parent = i;
            f->sets[top].met++;
        } else if (f->sets[i].bus != SIZE_MAX) {
            return false;
        } else {
            f->sets[i].bus = coef->bus[k];
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

static bool find(struct finder *f, size_t *root_bus)
{
    if (!list_sets(f))
        return false;
    for (size_t i = 0; i < f->n_set; i++)
        if (!nest(f, i))
            return false;
    *root_bus = SIZE_MAX;
    for (size_t b = 0; b < f->rows->problem->n_bus; b++) {
        if (f->top[b] != SIZE_MAX || market_is_reactive(f->rows->problem, b))
            continue;
        if (*root_bus != SIZE_MAX)
            return false;
        *root_bus = b;
    }
    return true;
}

/* Nodes in an order in which subtrees stay together and end with their top. */
static void order_nodes(struct master_tree *tree, struct finder *f, size_t root_bus)
{
    size_t n = f->n_set, root_next = 0;
    struct tree_node *root = &tree->nodes[n];

    for (size_t i = 0; i < n; i++) { /* children come before parents */
        f->sets[i].subtree++;
        if (f->sets[i].parent != SIZE_MAX)
            f->sets[f->sets[i].parent].subtree += f->sets[i].subtree;
    }
    *root = (struct tree_node){.parent = SIZE_MAX, .bus = root_bus};
    tree->n_node = n + 1;
    tree->n_depth = 1;
    for (size_t i = n; i-- > 0;) { /* `at` is where the next subtree below a set begins */
        struct set *set = &f->sets[i];
        bool top = set->parent == SIZE_MAX;
        size_t *next = top ? &root_next : &f->sets[set->parent].at;
        size_t first = *next, place = first + set->subtree - 1;
        const struct tree_node *parent = top ? root : &tree->nodes[f->sets[set->parent].met];

        *next += set->subtree;
        set->at = first;
        set->met = place; /* from now on: where its node is */
        tree->nodes[place] = (struct tree_node){.parent = top ? n : f->sets[set->parent].met,
                                                .depth = parent->depth + 1,
                                                .bus = set->bus,
                                                .n_row = set->n_row};
        if (tree->nodes[place].depth + 1 > tree->n_depth)
            tree->n_depth = tree->nodes[place].depth + 1;
    }
}

static void place_rows(struct master_tree *tree, const struct finder *f)
{
    size_t n_row = 0, n_factor = 0;

    for (size_t k = 0; k < tree->n_node; k++) {
        struct tree_node *node = &tree->nodes[k];

        node->row_first = n_row;
        node->factor_first = n_factor;
        n_row += node->n_row;
        n_factor += node->n_row * node->n_row;
        node->n_row = 0; /* counted again as they are placed */
    }
    for (size_t a = 0; a < f->rows->n; a++) {
        const struct market_row *row = &f->rows->rows[a];
        struct tree_node *node = &tree->nodes[f->sets[f->set_of_limit[row->limit]].met];
        size_t at = node->row_first + node->n_row++;

        tree->row[at] = a;
        tree->coef[at] = row->coef.n > 0 ? -row->direction * row->coef.coef[0] : 0.0;
    }
}

static void *grown(void *block, size_t n, size_t size)
{
    free(block);
    return calloc(n, size);
}

static bool reserve_rows(struct master_tree *tree, const struct finder *f, size_t n_step)
{
    size_t n = f->rows->n, n_factor = 0;

    for (size_t i = 0; i < f->n_set; i++)
        n_factor += f->sets[i].n_row * f->sets[i].n_row;
    if (n > tree->row_room) {
        tree->row_room = 2 * n;
        tree->row = grown(tree->row, tree->row_room, sizeof(*tree->row));
        tree->coef = grown(tree->coef, tree->row_room, sizeof(*tree->coef));
        tree->y = grown(tree->y, tree->row_room, sizeof(*tree->y));
        tree->across = grown(tree->across, tree->row_room * n_step, sizeof(*tree->across));
    }
    if (n_factor > tree->factor_room) {
        tree->factor_room = 2 * n_factor;
        tree->factor = grown(tree->factor, tree->factor_room, sizeof(*tree->factor));
    }
    return (tree->row_room == 0 || (tree->row && tree->coef && tree->y && tree->across)) &&
           (tree->factor_room == 0 || tree->factor);
}

static bool reserve_nodes(struct master_tree *tree, size_t n_node, size_t n_step)
{
    if (n_node > tree->node_room) {
        tree->node_room = 2 * n_node;
        tree->nodes = grown(tree->nodes, tree->node_room, sizeof(*tree->nodes));
        tree->flow = grown(tree->flow, tree->node_room * n_step, sizeof(*tree->flow));
        tree->price = grown(tree->price, tree->node_room * n_step, sizeof(*tree->price));
    }
    if (!tree->root)
        tree->root = calloc(n_step * n_step, sizeof(*tree->root));
    return tree->nodes && tree->flow && tree->price && tree->root;
}

static bool reserve_stack(struct master_tree *tree, size_t n_step)
{
    if (tree->n_depth > tree->depth_room) {
        tree->depth_room = tree->n_depth + 8;
        tree->stack = grown(tree->stack, tree->depth_room * n_step * n_step, sizeof(double));
    }
    return tree->stack;
}

static size_t largest_limit(const struct market_rows *rows)
{
    size_t largest = 0;

    for (size_t a = 0; a < rows->n; a++)
        largest = rows->rows[a].limit > largest ? rows->rows[a].limit : largest;
    return largest;
}

enum walras_status master_tree_index(struct master_tree *tree, const struct market_rows *rows,
                                     struct walras_err *err)
{
    size_t n_bus = rows->problem->n_bus, n_step = rows->problem->n_step, root_bus = SIZE_MAX;
    size_t n_limit = largest_limit(rows) + 1, n_scratch = n_limit + n_bus;
    struct finder f = {.rows = rows};
    enum walras_status status = WALRAS_OK;

    if (n_scratch > tree->scratch_room) {
        tree->scratch_room = 2 * n_scratch;
        tree->scratch = grown(tree->scratch, tree->scratch_room, sizeof(*tree->scratch));
    }
    f.sets = calloc(n_limit, sizeof(*f.sets));
    if (!f.sets || !tree->scratch)
        goto no_memory;
    f.set_of_limit = tree->scratch;
    f.top = tree->scratch + n_limit;
    for (size_t i = 0; i < n_scratch; i++)
        tree->scratch[i] = SIZE_MAX;
    tree->nested = find(&f, &root_bus);
    if (!tree->nested)
        goto out;
    if (!reserve_nodes(tree, f.n_set + 1, n_step) || !reserve_rows(tree, &f, n_step))
        goto no_memory;
    order_nodes(tree, &f, root_bus);
    place_rows(tree, &f);
    if (reserve_stack(tree, n_step))
        goto out;
no_memory:
    status =
        walras_fail(err, WALRAS_NOMEM, "master: %zu active limits do not fit in memory", rows->n);
    free(f.sets);
    master_tree_release(tree);
    return status;
out:
    free(f.sets);
    return status;
}

/* V of a node's rows and, in `s`, what is left of S outside its limit. */
static bool eliminate(struct master_tree *tree, const struct market_rows *rows,
                      const struct tree_node *node, double *s, const double *row_diagonal,
                      double lift)
{
    size_t n_step = rows->problem->n_step, n = node->n_row;
    double *v = tree->across + node->row_first * n_step, *m = tree->factor + node->factor_first;
    int order = (int)n, info = 0;

    for (size_t i = 0; i < n; i++) {
        size_t a = tree->row[node->row_first + i], t = rows->rows[a].step;
        double coef = tree->coef[node->row_first + i];

        for (size_t k = 0; k < t; k++) /* S is kept in its lower triangle */
            v[i * n_step + k] = coef * s[k * n_step + t];
        for (size_t k = t; k < n_step; k++)
            v[i * n_step + k] = coef * s[t * n_step + k];
        for (size_t j = 0; j <= i; j++)
            m[j * n + i] = tree->coef[node->row_first + j] *
                           v[i * n_step + rows->rows[tree->row[node->row_first + j]].step];
        m[i * n + i] = (m[i * n + i] + row_diagonal[a]) * (1.0 + lift);
    }
    dpotrf_("L", &order, m, &order, &info);
    if (info != 0)
        return false;
    cblas_dtrsm(CblasColMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)n_step,
                (int)n, 1.0, m, (int)n, v, (int)n_step);
    cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, (int)n_step, (int)n, -1.0, v, (int)n_step,
                1.0, s, (int)n_step);
    return true;
}

bool master_tree_factor(struct master_tree *tree, const struct market_rows *rows,
                        master_tree_add add, void *context, const double *row_diagonal,
                        const double *step_diagonal, double lift)
{
    size_t n_step = rows->problem->n_step, square = n_step * n_step;
    size_t left = 0; /* depths above this one hold nothing yet */
    int order = (int)n_step, info = 0;

    for (size_t k = 0; k < tree->n_node; k++) {
        const struct tree_node *node = &tree->nodes[k];
        double *s = tree->stack + node->depth * square;

        for (; left <= node->depth; left++)
            memset(tree->stack + left * square, 0, square * sizeof(*s));
        if (node->bus != SIZE_MAX)
            add(context, node->bus, s);
        if (node->parent == SIZE_MAX)
            break;
        if (node->n_row > 0 && !eliminate(tree, rows, node, s, row_diagonal, lift))
            return false;
        cblas_daxpy((int)square, 1.0, s, 1, s - square, 1);
        left = node->depth;
    }
    memcpy(tree->root, tree->stack, square * sizeof(*tree->root));
    for (size_t t = 0; t < n_step; t++) {
        double *at = &tree->root[t * (n_step + 1)];

        *at = (*at + step_diagonal[t]) * (1.0 + lift);
    }
    dpotrf_("L", &order, tree->root, &order, &info);
    return info == 0;
}

static void towards_root(struct master_tree *tree, const struct market_rows *rows, const double *u)
{
    size_t n_step = rows->problem->n_step;

    memset(tree->flow, 0, tree->n_node * n_step * sizeof(*tree->flow));
    for (size_t k = 0; k + 1 < tree->n_node; k++) {
        const struct tree_node *node = &tree->nodes[k];
        double *q = tree->flow + k * n_step, *y = tree->y + node->row_first;

        for (size_t i = 0; i < node->n_row; i++) {
            size_t a = tree->row[node->row_first + i];

            y[i] = u[n_step + a] - tree->coef[node->row_first + i] * q[rows->rows[a].step];
        }
        if (node->n_row > 0) {
            cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, (int)node->n_row,
                        tree->factor + node->factor_first, (int)node->n_row, y, 1);
            cblas_dgemv(CblasColMajor, CblasNoTrans, (int)n_step, (int)node->n_row, 1.0,
                        tree->across + node->row_first * n_step, (int)n_step, y, 1, 1.0, q, 1);
        }
        cblas_daxpy((int)n_step, 1.0, q, 1, tree->flow + node->parent * n_step, 1);
    }
}

static void towards_leaves(struct master_tree *tree, const struct market_rows *rows, double *u)
{
    size_t n_step = rows->problem->n_step;

    for (size_t k = tree->n_node - 1; k-- > 0;) {
        const struct tree_node *node = &tree->nodes[k];
        double *price = tree->price + k * n_step, *y = tree->y + node->row_first;

        memcpy(price, tree->price + node->parent * n_step, n_step * sizeof(*price));
        if (node->n_row == 0)
            continue;
        cblas_dgemv(CblasColMajor, CblasTrans, (int)n_step, (int)node->n_row, -1.0,
                    tree->across + node->row_first * n_step, (int)n_step, price, 1, 1.0, y, 1);
        cblas_dtrsv(CblasColMajor, CblasLower, CblasTrans, CblasNonUnit, (int)node->n_row,
                    tree->factor + node->factor_first, (int)node->n_row, y, 1);
        for (size_t i = 0; i < node->n_row; i++) {
            size_t a = tree->row[node->row_first + i];

            u[n_step + a] = y[i];
            price[rows->rows[a].step] += tree->coef[node->row_first + i] * y[i];
        }
    }
}

void master_tree_solve(struct master_tree *tree, const struct market_rows *rows, double *u)
{
    size_t n_step = rows->problem->n_step, root = tree->n_node - 1;
    double *energy = tree->price + root * n_step;

    towards_root(tree, rows, u);
    for (size_t t = 0; t < n_step; t++)
        energy[t] = u[t] - tree->flow[root * n_step + t];
    cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, (int)n_step, tree->root,
                (int)n_step, energy, 1);
    cblas_dtrsv(CblasColMajor, CblasLower, CblasTrans, CblasNonUnit, (int)n_step, tree->root,
                (int)n_step, energy, 1);
    memcpy(u, energy, n_step * sizeof(*u));
    towards_leaves(tree, rows, u);
}
