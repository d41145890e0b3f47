/*
 * What rows do to prices and what injections do to rows, along the tree: with overlapping voltages
 * the rows' coefficients are as many as rows times buses, the tree is walked once for all of them.
 */
#include "market/master_tree.h"

#include <cblas.h>
#include <string.h>

/* nu of every node: the sum of its own and what is behind it. */
static void sum_ways(struct master_tree *tree, const double *u)
{
    const struct tree_node *root = &tree->nodes[tree->n_node - 1];

    memset(tree->price, 0, (root->port_first + tree->n_port) * sizeof(*tree->price));
    for (size_t k = 0; k + 1 < tree->n_node; k++) {
        const struct tree_node *node = &tree->nodes[k];
        const struct tree_nu *nu = tree->nu + node->nu.first;
        double *own = tree->price + node->port_first + tree->n_port;
        double *up = tree->price + tree->nodes[node->parent].port_first + tree->n_port;

        for (size_t i = 0; i < node->way.n; i++) {
            const struct tree_way *way = &tree->way[node->way.first + i];

            own[way->nu] += way->scale * u[tree->n_step + way->row];
        }
        for (size_t i = 0; i < node->nu.n && !node->slack; i++)
            up[nu[i].of_parent] += own[i];
    }
}

static void price_root(struct master_tree *tree, const double *u)
{
    double *price = tree->price + tree->nodes[tree->n_node - 1].port_first;

    memcpy(price, u, tree->n_step * sizeof(*price));
    for (size_t i = 0; i < tree->n_loose; i++)
        price[tree->n_port - tree->n_loose + i] = u[tree->n_step + tree->loose[i]];
}

/* lambda_in = lambda_out - E nu + G mu. */
static void price_inside(struct master_tree *tree, const struct tree_node *node, const double *u)
{
    const double *up = tree->price + tree->nodes[node->parent].port_first;
    const struct tree_nu *nu = tree->nu + node->nu.first;
    double *price = tree->price + node->port_first;

    memcpy(price, up, tree->n_port * sizeof(*price));
    for (size_t i = 0; i < node->nu.n; i++) {
        size_t port_kvar = tree->port_kvar[nu[i].step];

        price[nu[i].step] -= node->drop_kw * price[tree->n_port + i];
        if (port_kvar != SIZE_MAX)
            price[port_kvar] -= node->drop_kvar * price[tree->n_port + i];
    }
    for (size_t i = 0; i < node->flow.n; i++) {
        const struct tree_flow *flow = &tree->flow[node->flow.first + i];

        price[flow->port_kw] += flow->kw * u[tree->n_step + flow->row];
        if (flow->port_kvar != SIZE_MAX)
            price[flow->port_kvar] += flow->kvar * u[tree->n_step + flow->row];
    }
}

static void price_zones(const struct master_tree *tree, const struct tree_node *node, double *out)
{
    const double *port = tree->price + node->port_first;

    for (size_t i = 0; i < node->zone.n; i++) {
        const struct tree_zone *zone = &tree->zone[node->zone.first + i];
        double *price = out + zone->bus * tree->n_step;

        if (zone->plain) {
            memcpy(price, port, tree->n_step * sizeof(*price));
            continue;
        }
        memset(price, 0, tree->n_step * sizeof(*price));
        for (size_t k = zone->entry.first; k < zone->entry.first + zone->entry.n; k++)
            price[tree->entry[k].step] += tree->entry[k].weight * port[tree->entry[k].port];
    }
}

void master_tree_price(struct master_tree *tree, const double *u, double *price)
{
    sum_ways(tree, u);
    price_root(tree, u);
    price_zones(tree, &tree->nodes[tree->n_node - 1], price);
    for (size_t k = tree->n_node - 1; k-- > 0;) {
        const struct tree_node *node = &tree->nodes[k];

        if (node->bare)
            continue;
        price_inside(tree, node, u);
        price_zones(tree, node, price);
    }
}

static void inject_zones(struct master_tree *tree, const struct tree_node *node,
                         const double *injection_kw)
{
    double *port = tree->gradient + node->port_first;

    for (size_t i = 0; i < node->zone.n; i++) {
        const struct tree_zone *zone = &tree->zone[node->zone.first + i];
        const double *injection = injection_kw + zone->bus * tree->n_step;

        if (zone->plain)
            cblas_daxpy((int)tree->n_step, 1.0, injection, 1, port, 1);
        for (size_t k = zone->entry.first; k < zone->entry.first + zone->entry.n; k++)
            port[tree->entry[k].port] += tree->entry[k].weight * injection[tree->entry[k].step];
    }
}

/* By port what is injected at a node and behind it; rows of flows. */
static void sum_injections(struct master_tree *tree, const double *injection_kw, double *out)
{
    const struct tree_node *root = &tree->nodes[tree->n_node - 1];

    memset(tree->gradient, 0, (root->port_first + tree->n_port) * sizeof(*tree->gradient));
    for (size_t k = 0; k + 1 < tree->n_node; k++) {
        const struct tree_node *node = &tree->nodes[k];
        double *port = tree->gradient + node->port_first;

        if (node->bare)
            continue;
        inject_zones(tree, node, injection_kw);
        for (size_t i = 0; i < node->flow.n; i++) {
            const struct tree_flow *flow = &tree->flow[node->flow.first + i];

            out[tree->n_step + flow->row] = flow->kw * port[flow->port_kw];
            if (flow->port_kvar != SIZE_MAX)
                out[tree->n_step + flow->row] += flow->kvar * port[flow->port_kvar];
        }
        cblas_daxpy((int)tree->n_port, 1.0, port, 1,
                    tree->gradient + tree->nodes[node->parent].port_first, 1);
    }
    inject_zones(tree, root, injection_kw);
}

/* What one nu does on the way to a node: its drop and those before it. */
static void drop_inside(struct master_tree *tree, const struct tree_node *node)
{
    const struct tree_nu *nu = tree->nu + node->nu.first;
    const double *up = tree->gradient + tree->nodes[node->parent].port_first + tree->n_port;
    double *port = tree->gradient + node->port_first;

    for (size_t i = 0; i < node->nu.n && !node->slack; i++) {
        size_t port_kvar = tree->port_kvar[nu[i].step];
        double *own = &port[tree->n_port + i];

        *own = up[nu[i].of_parent] - node->drop_kw * port[nu[i].step];
        if (port_kvar != SIZE_MAX)
            *own -= node->drop_kvar * port[port_kvar];
    }
}

void master_tree_project(struct master_tree *tree, const double *injection_kw, double *out)
{
    const double *root = tree->gradient + tree->nodes[tree->n_node - 1].port_first;

    sum_injections(tree, injection_kw, out);
    memcpy(out, root, tree->n_step * sizeof(*out));
    for (size_t i = 0; i < tree->n_loose; i++)
        out[tree->n_step + tree->loose[i]] = root[tree->n_port - tree->n_loose + i];
    for (size_t k = tree->n_node - 1; k-- > 0;) {
        const struct tree_node *node = &tree->nodes[k];
        const double *by_nu = tree->gradient + node->port_first + tree->n_port;

        drop_inside(tree, node);
        for (size_t i = 0; i < node->way.n; i++) {
            const struct tree_way *way = &tree->way[node->way.first + i];

            out[tree->n_step + way->row] = way->scale * by_nu[way->nu];
        }
    }
}
