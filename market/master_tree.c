#include "market/tree_draft.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);

enum { LOOSE_PER_STEP = 2 }; /* with more rows that fit no tree one dense matrix is as good */

void master_tree_release(struct master_tree *tree)
{
    void *blocks[] = {tree->port_kvar, tree->loose,  tree->nodes,  tree->zone,   tree->entry,
                      tree->flow,      tree->way,    tree->nu,     tree->across, tree->factor,
                      tree->spare,     tree->column, tree->answer, tree->root,   tree->gradient,
                      tree->price,     tree->y_flow, tree->y_nu,   tree->z};

    for (size_t i = 0; i < tree->n_slot && tree->slot; i++)
        free(tree->slot[i]);
    free(tree->slot);
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        free(blocks[i]);
    *tree = (struct master_tree){0};
}

enum walras_status master_tree_index(struct master_tree *tree, const struct market_rows *rows,
                                     struct walras_err *err)
{
    struct tree_draft draft = {0};
    struct grid_tree grid;
    bool found = false,
         radial = rows->problem->limits && grid_limits_tree(rows->problem->limits, &grid);
    enum walras_status status = WALRAS_OK;
    size_t n_loose = 0;

    master_tree_release(tree);
    tree->n_step = rows->problem->n_step;
    status = radial ? tree_find_radial(rows, &draft, &found, err)
                    : tree_find_nested(rows, &draft, &found, err);
    for (size_t a = 0; a < rows->n && found && status == WALRAS_OK; a++)
        n_loose += draft.row[a].vertex == SIZE_MAX;
    tree->nested = found && n_loose <= LOOSE_PER_STEP * tree->n_step;
    if (status == WALRAS_OK && tree->nested)
        status = tree_order(tree, rows, &draft, err);
    tree_draft_release(&draft);
    return status;
}

static size_t ports_of(const struct master_tree *tree, const struct tree_node *node)
{
    return tree->n_port + node->nu.n;
}

/* An element of a symmetric matrix of which the lower triangle is kept. */
static double at(const double *h, size_t n, size_t row, size_t column)
{
    return row >= column ? h[column * n + row] : h[row * n + column];
}

/*
 * Eliminates n variables: their matrix m [n x n] becomes L, what couples them to the n_port ports,
 * v [n_port x n], becomes Vᵀ, and h loses VᵀV.
 */
static bool eliminate(double *m, size_t n, double *v, double *h, size_t n_port, double lift)
{
    int order = (int)n, info = 0;

    for (size_t i = 0; i < n; i++)
        m[i * (n + 1)] *= 1.0 + lift;
    dpotrf_("L", &order, m, &order, &info);
    if (info != 0)
        return false;
    cblas_dtrsm(CblasColMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)n_port,
                (int)n, 1.0, m, (int)n, v, (int)n_port);
    cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, (int)n_port, (int)n, -1.0, v, (int)n_port,
                1.0, h, (int)n_port);
    return true;
}

/* Adds an answer to prices that are sums of ports. */
static void add_spread(const struct master_tree *tree, const struct tree_zone *zone, double *h,
                       size_t n_port)
{
    const struct tree_entry *entry = tree->entry + zone->entry.first;

    for (size_t i = 0; i < zone->entry.n; i++)
        for (size_t j = 0; j < zone->entry.n; j++)
            if (entry[i].port >= entry[j].port)
                h[entry[j].port * n_port + entry[i].port] +=
                    entry[i].weight * entry[j].weight *
                    at(tree->answer, tree->n_step, entry[i].step, entry[j].step);
}

static void add_zones(struct master_tree *tree, const struct tree_node *node, master_tree_add add,
                      void *context, double *h)
{
    size_t n_step = tree->n_step, n_port = ports_of(tree, node);
    bool any = false;

    memset(tree->answer, 0, n_step * n_step * sizeof(*tree->answer));
    for (size_t i = 0; i < node->zone.n; i++)
        if (tree->zone[node->zone.first + i].plain) {
            add(context, tree->zone[node->zone.first + i].bus, tree->answer);
            any = true;
        }
    for (size_t t = 0; t < n_step && any; t++)
        cblas_daxpy((int)(n_step - t), 1.0, tree->answer + t * (n_step + 1), 1,
                    h + t * (n_port + 1), 1);
    for (size_t i = 0; i < node->zone.n; i++) {
        const struct tree_zone *zone = &tree->zone[node->zone.first + i];

        if (zone->plain)
            continue;
        memset(tree->answer, 0, n_step * n_step * sizeof(*tree->answer));
        add(context, zone->bus, tree->answer);
        add_spread(tree, zone, h, n_port);
    }
}

/* The column of G times what is given by port. */
static double by_flow(const struct tree_flow *flow, const double *by_port)
{
    return flow->kw * by_port[flow->port_kw] +
           (flow->port_kvar == SIZE_MAX ? 0.0 : flow->kvar * by_port[flow->port_kvar]);
}

/* The column of E times what is given by port. */
static double by_drop(const struct master_tree *tree, const struct tree_node *node,
                      const struct tree_nu *nu, const double *by_port)
{
    size_t port_kvar = tree->port_kvar[nu->step];

    return node->drop_kw * by_port[nu->step] +
           (port_kvar == SIZE_MAX ? 0.0 : node->drop_kvar * by_port[port_kvar]);
}

/* A column of a symmetric matrix, whole. */
static void copy_column(const double *h, size_t n, size_t column, double *out)
{
    for (size_t r = 0; r < column; r++)
        out[r] = h[r * n + column];
    memcpy(out + column, h + column * (n + 1), (n - column) * sizeof(*out));
}

/* Shadow prices of what flows into the node. */
static bool eliminate_flows(struct master_tree *tree, const struct tree_node *node, double *h,
                            const double *row_diagonal, double lift)
{
    size_t n_port = ports_of(tree, node), n = node->flow.n;
    const struct tree_flow *flow = tree->flow + node->flow.first;
    double *v = tree->across + node->flow_across, *m = tree->factor + node->flow_factor;

    for (size_t i = 0; i < n; i++) {
        double *column = v + i * n_port;

        for (size_t r = 0; r < n_port; r++)
            column[r] = flow[i].kw * at(h, n_port, r, flow[i].port_kw);
        for (size_t r = 0; r < n_port && flow[i].port_kvar != SIZE_MAX; r++)
            column[r] += flow[i].kvar * at(h, n_port, r, flow[i].port_kvar);
        for (size_t j = 0; j <= i; j++)
            m[j * n + i] = by_flow(&flow[j], column);
        m[i * (n + 1)] += row_diagonal[flow[i].row];
    }
    return n == 0 || eliminate(m, n, v, h, n_port, lift);
}

/* Prices before the way into the node instead of those behind it: lambda = outer lambda - E nu. */
static void go_out(struct master_tree *tree, const struct tree_node *node, double *h)
{
    size_t base = tree->n_port, n = node->nu.n, n_port = base + n;
    const struct tree_nu *nu = tree->nu + node->nu.first;
    double *turned = tree->spare; /* [base x n] what couples prices and nu from now on */

    for (size_t i = 0; i < n; i++) {
        double *column = turned + i * base;
        size_t port_kvar = tree->port_kvar[nu[i].step];

        for (size_t r = 0; r < base; r++) {
            column[r] = h[r * n_port + base + i] - node->drop_kw * at(h, n_port, r, nu[i].step);
            if (port_kvar != SIZE_MAX)
                column[r] -= node->drop_kvar * at(h, n_port, r, port_kvar);
        }
    }
    for (size_t i = 0; i < n; i++) {
        copy_column(h, n_port, base + i, tree->column); /* as it was */
        for (size_t j = i; j < n; j++)
            h[(base + i) * n_port + base + j] -= by_drop(tree, node, &nu[j], tree->column) +
                                                 by_drop(tree, node, &nu[i], turned + j * base);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < base; r++)
            h[r * n_port + base + i] = turned[i * base + r];
}

/* At a slack voltages stand still whatever nu is, and kvar have no price. */
static bool end_ways(struct master_tree *tree, const struct tree_node *node, const double *h,
                     double *up, double lift)
{
    size_t base = tree->n_port, n = node->nu.n, n_port = base + n;
    double *v = tree->across + node->nu_across, *m = tree->factor + node->nu_factor;

    for (size_t r = 0; r < base; r++)
        cblas_daxpy((int)(base - r), 1.0, h + r * (n_port + 1), 1, up + r * (base + 1), 1);
    for (size_t i = 0; i < n; i++) {
        for (size_t r = 0; r < base; r++)
            v[i * base + r] = h[r * n_port + base + i];
        for (size_t j = i; j < n; j++)
            m[i * n + j] = h[(base + i) * n_port + base + j];
    }
    return n == 0 || eliminate(m, n, v, up, base, lift);
}

/* Adds a node's matrix to that of its parent, where nu of both is one thing; shared nu are left
 * out. */
static void add_to_parent(const struct master_tree *tree, const struct tree_node *node,
                          const double *h, double *up, size_t n_up)
{
    size_t base = tree->n_port, n_port = ports_of(tree, node);
    const struct tree_nu *nu = tree->nu + node->nu.first;

    for (size_t r = 0; r < base && !node->bare; r++)
        cblas_daxpy((int)(base - r), 1.0, h + r * (n_port + 1), 1, up + r * (n_up + 1), 1);
    for (size_t i = 0; i < node->nu.n; i++) {
        if (nu[i].shared != SIZE_MAX)
            continue;
        for (size_t r = 0; r < base && !node->bare; r++)
            up[r * n_up + base + nu[i].of_parent] += h[r * n_port + base + i];
        for (size_t j = i; j < node->nu.n; j++)
            if (nu[j].shared == SIZE_MAX)
                up[(base + nu[i].of_parent) * n_up + base + nu[j].of_parent] +=
                    h[(base + i) * n_port + base + j];
    }
}

/*
 * Where ways part: of nu that others have as well, nu = theirs + z, this node's share z is
 * eliminated. Then the node's matrix is part of its parent's.
 */
static bool join(struct master_tree *tree, const struct tree_node *node, const double *h,
                 double *up, double lift)
{
    size_t base = tree->n_port, n_port = ports_of(tree, node), n = node->n_shared;
    size_t n_up = ports_of(tree, &tree->nodes[node->parent]);
    const struct tree_nu *nu = tree->nu + node->nu.first;
    double *v = tree->across + node->nu_across, *m = tree->factor + node->nu_factor;

    for (size_t i = 0; i < node->nu.n; i++) {
        double *column = v + nu[i].shared * n_up;

        if (nu[i].shared == SIZE_MAX)
            continue;
        copy_column(up, n_up, base + nu[i].of_parent, column);
        cblas_dscal((int)n_up, -1.0, column, 1);
        for (size_t r = 0; r < base && !node->bare; r++)
            column[r] += h[r * n_port + base + i];
        for (size_t j = 0; j < node->nu.n; j++) {
            double own = at(h, n_port, base + i, base + j);

            if (nu[j].shared == SIZE_MAX)
                column[base + nu[j].of_parent] += own;
            else if (nu[j].shared >= nu[i].shared)
                m[nu[i].shared * n + nu[j].shared] =
                    own + at(up, n_up, base + nu[i].of_parent, base + nu[j].of_parent);
        }
    }
    add_to_parent(tree, node, h, up, n_up);
    return n == 0 || eliminate(m, n, v, up, n_up, lift);
}

static void zero(double *h, size_t n)
{
    memset(h, 0, n * n * sizeof(*h));
}

/* A bare node's nu is that of its rows, each alone. */
static void fill_bare(const struct master_tree *tree, const struct tree_node *node, double *h,
                      const double *row_diagonal)
{
    size_t base = tree->n_port, n_port = ports_of(tree, node);

    zero(h, n_port);
    for (size_t i = 0; i < node->way.n; i++) {
        const struct tree_way *way = &tree->way[node->way.first + i];

        h[(base + way->nu) * (n_port + 1)] = row_diagonal[way->row] / (way->scale * way->scale);
    }
}

/* Passes a node that is complete on to its parent. */
static bool pass_on(struct master_tree *tree, const struct tree_node *node, double lift)
{
    const struct tree_node *parent = &tree->nodes[node->parent];
    double *h = tree->slot[node->slot], *up = tree->slot[parent->slot];
    bool done = false;

    if (node->first) { /* its slot is to be the parent's */
        up = tree->spare;
        zero(up, ports_of(tree, parent));
    }
    done = node->slack ? end_ways(tree, node, h, up, lift) : join(tree, node, h, up, lift);
    if (node->first) {
        tree->slot[parent->slot] = up;
        tree->spare = h;
    }
    return done;
}

static bool factor_root(struct master_tree *tree, const double *h, const double *row_diagonal,
                        const double *step_diagonal, double lift)
{
    size_t n = tree->n_port, n_step = tree->n_step, n_fixed = n - tree->n_loose;
    int order = (int)n, info = 0;

    memcpy(tree->root, h, n * n * sizeof(*tree->root));
    for (size_t i = n_step; i < n_fixed; i++) { /* kvar have no price here */
        for (size_t k = 0; k < n; k++)
            *(k > i ? &tree->root[i * n + k] : &tree->root[k * n + i]) = 0.0;
        tree->root[i * (n + 1)] = 1.0;
    }
    for (size_t i = 0; i < n; i++) {
        if (i < n_step)
            tree->root[i * (n + 1)] += step_diagonal[i];
        else if (i >= n_fixed)
            tree->root[i * (n + 1)] += row_diagonal[tree->loose[i - n_fixed]];
        tree->root[i * (n + 1)] *= 1.0 + lift;
    }
    dpotrf_("L", &order, tree->root, &order, &info);
    return info == 0;
}

bool master_tree_factor(struct master_tree *tree, master_tree_add add, void *context,
                        const double *row_diagonal, const double *step_diagonal, double lift)
{
    bool leaf = true;

    for (size_t k = 0; k < tree->n_node; k++) {
        const struct tree_node *node = &tree->nodes[k];
        double *h = tree->slot[node->slot];

        /* the node before is a child of this one, or this one has none */
        leaf = k == 0 || tree->nodes[k - 1].parent != k;
        if (node->bare)
            fill_bare(tree, node, h, row_diagonal);
        else if (leaf)
            zero(h, ports_of(tree, node));
        if (!node->bare)
            add_zones(tree, node, add, context, h);
        if (node->parent == SIZE_MAX)
            break;
        if (!eliminate_flows(tree, node, h, row_diagonal, lift))
            return false;
        if (node->nu.n > 0 && !node->bare && !node->slack)
            go_out(tree, node, h);
        if (!pass_on(tree, node, lift))
            return false;
    }
    return factor_root(tree, tree->slot[tree->nodes[tree->n_node - 1].slot], row_diagonal,
                       step_diagonal, lift);
}
