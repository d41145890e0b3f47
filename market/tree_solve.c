#include "market/master_tree.h"

#include <cblas.h>
#include <string.h>

static size_t ports_of(const struct master_tree *tree, const struct tree_node *node)
{
    return tree->n_port + node->nu.n;
}

/* y = L^-1 y; g += Vᵀy. */
static void forward(const double *factor, const double *across, size_t n, size_t n_port, double *y,
                    double *gradient)
{
    if (n == 0)
        return;
    cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, (int)n, factor, (int)n, y,
                1);
    cblas_dgemv(CblasColMajor, CblasNoTrans, (int)n_port, (int)n, 1.0, across, (int)n_port, y, 1,
                1.0, gradient, 1);
}

/* z = L^-T (y - V p). */
static void backward(const double *factor, const double *across, size_t n, size_t n_port,
                     const double *y, const double *ports, double *z)
{
    if (n == 0)
        return;
    memcpy(z, y, n * sizeof(*z));
    cblas_dgemv(CblasColMajor, CblasTrans, (int)n_port, (int)n, -1.0, across, (int)n_port, ports, 1,
                1.0, z, 1);
    cblas_dtrsv(CblasColMajor, CblasLower, CblasTrans, CblasNonUnit, (int)n, factor, (int)n, z, 1);
}

/* lambda - E nu. */
static void take_drops(const struct master_tree *tree, const struct tree_node *node,
                       const double *by_nu, double *by_port)
{
    const struct tree_nu *nu = tree->nu + node->nu.first;

    for (size_t i = 0; i < node->nu.n; i++) {
        size_t port_kvar = tree->port_kvar[nu[i].step];

        by_port[nu[i].step] -= node->drop_kw * by_nu[i];
        if (port_kvar != SIZE_MAX)
            by_port[port_kvar] -= node->drop_kvar * by_nu[i];
    }
}

static void flows_forward(struct master_tree *tree, const struct tree_node *node, const double *u,
                          double *gradient)
{
    double *y = tree->y_flow + node->flow.first;

    for (size_t i = 0; i < node->flow.n; i++) {
        const struct tree_flow *flow = &tree->flow[node->flow.first + i];

        y[i] = u[tree->n_step + flow->row] - flow->kw * gradient[flow->port_kw];
        if (flow->port_kvar != SIZE_MAX)
            y[i] -= flow->kvar * gradient[flow->port_kvar];
    }
    forward(tree->factor + node->flow_factor, tree->across + node->flow_across, node->flow.n,
            ports_of(tree, node), y, gradient);
}

/* g of prices before the way into the node. */
static void drops_forward(const struct master_tree *tree, const struct tree_node *node,
                          double *gradient)
{
    const struct tree_nu *nu = tree->nu + node->nu.first;

    for (size_t i = 0; i < node->nu.n; i++) {
        size_t port_kvar = tree->port_kvar[nu[i].step];
        double *own = &gradient[tree->n_port + i];

        *own -= node->drop_kw * gradient[nu[i].step];
        if (port_kvar != SIZE_MAX)
            *own -= node->drop_kvar * gradient[port_kvar];
    }
}

static void join_forward(struct master_tree *tree, const struct tree_node *node,
                         const double *gradient)
{
    const struct tree_node *parent = &tree->nodes[node->parent];
    const struct tree_nu *nu = tree->nu + node->nu.first;
    double *up = tree->gradient + parent->port_first, *y = tree->y_nu + node->nu.first;
    size_t base = tree->n_port;

    for (size_t i = 0; i < node->nu.n; i++) {
        double own = gradient[base + i];

        if (nu[i].shared != SIZE_MAX)
            y[nu[i].shared] = up[base + nu[i].of_parent] - own;
    }
    for (size_t i = 0; i < node->nu.n; i++)
        if (nu[i].shared == SIZE_MAX)
            up[base + nu[i].of_parent] += gradient[base + i];
    cblas_daxpy((int)base, 1.0, gradient, 1, up, 1);
    forward(tree->factor + node->nu_factor, tree->across + node->nu_across, node->n_shared,
            ports_of(tree, parent), y, up);
}

static void slack_forward(struct master_tree *tree, const struct tree_node *node,
                          const double *gradient)
{
    double *up = tree->gradient + tree->nodes[node->parent].port_first;
    double *y = tree->y_nu + node->nu.first;

    for (size_t i = 0; i < node->nu.n; i++)
        y[i] = -gradient[tree->n_port + i];
    cblas_daxpy((int)tree->n_port, 1.0, gradient, 1, up, 1);
    forward(tree->factor + node->nu_factor, tree->across + node->nu_across, node->nu.n,
            tree->n_port, y, up);
}

static void towards_root(struct master_tree *tree, const double *u)
{
    const struct tree_node *root = &tree->nodes[tree->n_node - 1];

    memset(tree->gradient, 0, (root->port_first + tree->n_port) * sizeof(*tree->gradient));
    for (size_t k = 0; k + 1 < tree->n_node; k++) {
        const struct tree_node *node = &tree->nodes[k];
        double *gradient = tree->gradient + node->port_first;

        for (size_t i = 0; i < node->way.n; i++) {
            const struct tree_way *way = &tree->way[node->way.first + i];

            gradient[tree->n_port + way->nu] = -u[tree->n_step + way->row] / way->scale;
        }
        flows_forward(tree, node, u, gradient);
        if (node->slack) {
            slack_forward(tree, node, gradient);
        } else {
            drops_forward(tree, node, gradient);
            join_forward(tree, node, gradient);
        }
    }
}

static void solve_root(struct master_tree *tree, double *u)
{
    const struct tree_node *root = &tree->nodes[tree->n_node - 1];
    size_t n = tree->n_port, n_step = tree->n_step, n_fixed = n - tree->n_loose;
    const double *gradient = tree->gradient + root->port_first;
    double *price = tree->price + root->port_first;

    for (size_t i = 0; i < n; i++)
        price[i] = i < n_step    ? u[i] - gradient[i]
                   : i < n_fixed ? 0.0
                                 : u[n_step + tree->loose[i - n_fixed]] - gradient[i];
    cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, (int)n, tree->root, (int)n,
                price, 1);
    cblas_dtrsv(CblasColMajor, CblasLower, CblasTrans, CblasNonUnit, (int)n, tree->root, (int)n,
                price, 1);
    memcpy(u, price, n_step * sizeof(*u));
    for (size_t i = n_fixed; i < n; i++)
        u[n_step + tree->loose[i - n_fixed]] = price[i];
}

/* nu of a node from what its parent has left to share out: what it takes is taken off. */
static void take_share(struct master_tree *tree, const struct tree_node *node, double *by_nu)
{
    const struct tree_node *parent = &tree->nodes[node->parent];
    const struct tree_nu *nu = tree->nu + node->nu.first;
    double *up = tree->price + parent->port_first;

    backward(tree->factor + node->nu_factor, tree->across + node->nu_across, node->n_shared,
             ports_of(tree, parent), tree->y_nu + node->nu.first, up, tree->z);
    for (size_t i = 0; i < node->nu.n; i++) {
        double *left = &up[tree->n_port + nu[i].of_parent];

        by_nu[i] = nu[i].shared == SIZE_MAX ? *left : tree->z[nu[i].shared];
        *left -= by_nu[i];
    }
}

static void flows_backward(struct master_tree *tree, const struct tree_node *node, double *u,
                           double *price)
{
    backward(tree->factor + node->flow_factor, tree->across + node->flow_across, node->flow.n,
             ports_of(tree, node), tree->y_flow + node->flow.first, price, tree->z);
    for (size_t i = 0; i < node->flow.n; i++) {
        const struct tree_flow *flow = &tree->flow[node->flow.first + i];

        u[tree->n_step + flow->row] = tree->z[i];
        price[flow->port_kw] += flow->kw * tree->z[i];
        if (flow->port_kvar != SIZE_MAX)
            price[flow->port_kvar] += flow->kvar * tree->z[i];
    }
}

static void towards_leaves(struct master_tree *tree, double *u)
{
    for (size_t k = tree->n_node - 1; k-- > 0;) {
        const struct tree_node *node = &tree->nodes[k];
        const double *up = tree->price + tree->nodes[node->parent].port_first;
        double *price = tree->price + node->port_first, *by_nu = price + tree->n_port;

        memcpy(price, up, tree->n_port * sizeof(*price));
        if (node->slack) {
            backward(tree->factor + node->nu_factor, tree->across + node->nu_across, node->nu.n,
                     tree->n_port, tree->y_nu + node->nu.first, up, by_nu);
        } else {
            take_share(tree, node, by_nu);
            take_drops(tree, node, by_nu, price);
        }
        flows_backward(tree, node, u, price);
        for (size_t i = 0; i < node->way.n; i++) {
            const struct tree_way *way = &tree->way[node->way.first + i];

            u[tree->n_step + way->row] = by_nu[way->nu] / way->scale;
        }
    }
}

void master_tree_solve(struct master_tree *tree, double *u)
{
    towards_root(tree, u);
    solve_root(tree, u);
    towards_leaves(tree, u);
}
