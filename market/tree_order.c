/*
 * From a draft to the order of elimination: of the subtrees behind a node the largest goes first
 * and takes its place among the matrices in hand, so that there are no more of these than the
 * binary logarithm of the nodes, however long the ways are.
 */
#include "market/tree_draft.h"

#include <stdlib.h>
#include <string.h>

/* Of nodes: the draft's vertices, bare ones for each that has ways, and the root. */
struct order {
    const struct tree_draft *draft;
    const struct market_rows *rows;
    size_t n_node, root;
    size_t *bare; /* [n_vertex x 2] bare nodes of low and high sides; SIZE_MAX: none */
    size_t *parent, *size, *heavy; /* [n_node] by number; subtrees' sizes, the largest child */
    size_t *place, *cursor;        /* [n_node] in the order of elimination; where children go */
    bool *has;                     /* [n_node x n_step] by place: ports of nu */
};

enum walras_status tree_draft_init(struct tree_draft *draft, const struct market_rows *rows,
                                   size_t n_vertex, struct walras_err *err)
{
    draft->n_vertex = n_vertex;
    draft->vertex = calloc(n_vertex + 1, sizeof(*draft->vertex));
    draft->vertex_of_zone = calloc(rows->problem->n_bus + 1, sizeof(*draft->vertex_of_zone));
    draft->row = calloc(rows->n + 1, sizeof(*draft->row));
    if (draft->vertex && draft->vertex_of_zone && draft->row)
        return WALRAS_OK;
    return walras_fail(err, WALRAS_NOMEM, "master: %zu active limits do not fit in memory",
                       rows->n);
}

void tree_draft_release(struct tree_draft *draft)
{
    free(draft->vertex);
    free(draft->vertex_of_zone);
    free(draft->row);
    *draft = (struct tree_draft){0};
}

static void release(struct order *o)
{
    free(o->bare);
    free(o->parent);
    free(o->has);
}

static bool is_way(const struct draft_row *row)
{
    return row->vertex != SIZE_MAX && row->by_way;
}

/* Where the bare node of a row of voltages stands; of each it has one row a step at most. */
static size_t *bare_of(const struct order *o, size_t row)
{
    return &o->bare[2 * o->draft->row[row].vertex + (o->rows->rows[row].direction > 0)];
}

static bool take_memory(struct order *o)
{
    size_t n = o->draft->n_vertex;

    o->bare = malloc((2 * n + 1) * sizeof(*o->bare));
    if (!o->bare)
        return false;
    memset(o->bare, 0xff, 2 * n * sizeof(*o->bare)); /* SIZE_MAX */
    o->n_node = n;
    for (size_t a = 0; a < o->rows->n; a++)
        if (is_way(&o->draft->row[a]) && *bare_of(o, a) == SIZE_MAX)
            *bare_of(o, a) = o->n_node++;
    o->root = o->n_node++;
    o->parent = calloc(5 * o->n_node, sizeof(*o->parent));
    o->has = calloc(o->n_node * o->rows->problem->n_step, sizeof(*o->has));
    o->size = o->parent + o->n_node;
    o->heavy = o->size + o->n_node;
    o->place = o->heavy + o->n_node;
    o->cursor = o->place + o->n_node;
    return o->parent && o->has;
}

static void weigh(struct order *o, size_t node)
{
    size_t parent = o->parent[node], *heavy = &o->heavy[parent];

    o->size[parent] += o->size[node];
    if (*heavy == SIZE_MAX || o->size[*heavy] < o->size[node])
        *heavy = node;
}

static void weigh_all(struct order *o)
{
    for (size_t k = 0; k < o->n_node; k++) {
        o->size[k] = 1;
        o->heavy[k] = SIZE_MAX;
    }
    for (size_t v = o->draft->n_vertex; v-- > 0;) { /* children come after parents */
        size_t parent = o->draft->vertex[v].parent;

        o->parent[v] = parent == SIZE_MAX ? o->root : parent;
        for (size_t i = 2 * v; i < 2 * v + 2; i++)
            if (o->bare[i] != SIZE_MAX) {
                o->parent[o->bare[i]] = v;
                weigh(o, o->bare[i]);
            }
        weigh(o, v);
    }
}

/* A subtree stands together and ends with its node; that of the largest child comes first. */
static void place(struct master_tree *tree, struct order *o, size_t node, struct tree_node is)
{
    size_t parent = o->parent[node], first = 0;
    bool root = node == o->root, heavy = !root && o->heavy[parent] == node;

    if (heavy) {
        first = o->place[parent] + 1 - o->size[parent];
    } else if (!root) {
        first = o->cursor[parent];
        o->cursor[parent] += o->size[node];
    }
    o->place[node] = first + o->size[node] - 1;
    o->cursor[node] = first + (o->heavy[node] == SIZE_MAX ? 0 : o->size[o->heavy[node]]);
    is.parent = root ? SIZE_MAX : o->place[parent];
    is.first = heavy;
    is.slot = root ? 0 : tree->nodes[o->place[parent]].slot + !heavy;
    tree->nodes[o->place[node]] = is;
    if (is.slot + 1 > tree->n_slot)
        tree->n_slot = is.slot + 1;
}

static void place_all(struct master_tree *tree, struct order *o)
{
    place(tree, o, o->root, (struct tree_node){0});
    for (size_t v = 0; v < o->draft->n_vertex; v++) {
        const struct draft_vertex *vertex = &o->draft->vertex[v];

        place(tree, o, v,
              (struct tree_node){.slack = vertex->slack,
                                 .drop_kw = vertex->drop_kw,
                                 .drop_kvar = vertex->drop_kvar});
        for (size_t i = 2 * v; i < 2 * v + 2; i++)
            if (o->bare[i] != SIZE_MAX)
                place(tree, o, o->bare[i], (struct tree_node){.bare = true});
    }
}

/* The node that a row is eliminated at; loose rows: SIZE_MAX. */
static size_t place_of_row(const struct order *o, size_t row)
{
    const struct draft_row *at = &o->draft->row[row];

    if (at->vertex == SIZE_MAX)
        return SIZE_MAX;
    return o->place[at->by_way ? *bare_of(o, row) : at->vertex];
}

/* Which steps have a port at each node, and how many ports parents share among children. */
static size_t list_steps(struct master_tree *tree, struct order *o)
{
    size_t n_step = tree->n_step, total = 0;

    for (size_t a = 0; a < o->rows->n; a++)
        if (is_way(&o->draft->row[a]))
            o->has[place_of_row(o, a) * n_step + o->rows->rows[a].step] = true;
    for (size_t k = 0; k < tree->n_node; k++) {
        struct tree_node *node = &tree->nodes[k];
        bool *own = o->has + k * n_step;
        bool *up = node->parent == SIZE_MAX || node->slack ? NULL : o->has + node->parent * n_step;

        node->nu.first = total;
        for (size_t t = 0; t < n_step; t++) {
            node->nu.n += own[t];
            node->n_shared += own[t] && up && up[t];
            if (own[t] && up)
                up[t] = true;
        }
        total += node->nu.n;
    }
    return total;
}

/* Children come in the order in which they share the parent's ports out among themselves. */
static void link_steps(struct master_tree *tree, struct order *o)
{
    size_t n_step = tree->n_step;

    for (size_t k = 0; k < tree->n_node; k++) {
        struct tree_nu *nu = tree->nu + tree->nodes[k].nu.first;

        for (uint32_t t = 0; t < n_step; t++)
            if (o->has[k * n_step + t])
                *nu++ = (struct tree_nu){t, SIZE_MAX, SIZE_MAX};
    }
    memset(o->has, 0, tree->n_node * n_step * sizeof(*o->has)); /* from now on: taken by a child */
    for (size_t k = 0; k + 1 < tree->n_node; k++) {
        const struct tree_node *node = &tree->nodes[k];
        const struct tree_nu *up = tree->nu + tree->nodes[node->parent].nu.first;
        size_t at = 0, n_shared = 0;

        for (size_t i = 0; i < node->nu.n && !node->slack; i++) {
            struct tree_nu *nu = tree->nu + node->nu.first + i;
            bool *taken = &o->has[node->parent * n_step + nu->step];

            while (up[at].step != nu->step)
                at++;
            nu->of_parent = at;
            if (*taken)
                nu->shared = n_shared++;
            *taken = true;
        }
    }
}

static size_t nu_of(const struct master_tree *tree, const struct tree_node *node, uint32_t step)
{
    size_t i = 0;

    while (tree->nu[node->nu.first + i].step != step)
        i++;
    return i;
}

/* Rows by node: counted, then put where they belong. */
static void list_rows(struct master_tree *tree, const struct order *o)
{
    size_t n_flow = 0, n_way = 0;

    for (size_t a = 0; a < o->rows->n; a++) {
        size_t k = place_of_row(o, a);

        if (k != SIZE_MAX && o->draft->row[a].by_way)
            tree->nodes[k].way.n++;
        else if (k != SIZE_MAX)
            tree->nodes[k].flow.n++;
    }
    for (size_t k = 0; k < tree->n_node; k++) {
        struct tree_node *node = &tree->nodes[k];

        node->flow.first = n_flow;
        node->way.first = n_way;
        n_flow += node->flow.n;
        n_way += node->way.n;
        node->flow.n = node->way.n = 0; /* counted again as they are placed */
    }
    for (size_t a = 0; a < o->rows->n; a++) {
        const struct draft_row *row = &o->draft->row[a];
        size_t k = place_of_row(o, a);
        uint32_t t = o->rows->rows[a].step;
        double sign = o->rows->rows[a].direction;

        if (k == SIZE_MAX)
            continue;
        struct tree_node *node = &tree->nodes[k];

        if (row->by_way)
            tree->way[node->way.first + node->way.n++] =
                (struct tree_way){a, nu_of(tree, node, t), sign * row->kw};
        else
            tree->flow[node->flow.first + node->flow.n++] =
                (struct tree_flow){a, t, tree->port_kvar[t], -sign * row->kw, -sign * row->kvar};
    }
}

/* Where in memory each node's share is; the totals. */
static void lay_out(struct master_tree *tree, size_t *n_port, size_t *n_across, size_t *n_factor)
{
    *n_port = *n_across = *n_factor = 0;
    for (size_t k = 0; k < tree->n_node; k++) {
        struct tree_node *node = &tree->nodes[k];
        size_t own = tree->n_port + node->nu.n, n_flow = node->flow.n;
        size_t n_nu = node->slack ? node->nu.n : node->n_shared;
        size_t up = node->parent == SIZE_MAX || node->slack
                        ? tree->n_port
                        : tree->n_port + tree->nodes[node->parent].nu.n;

        node->port_first = *n_port;
        *n_port += own;
        node->flow_across = *n_across;
        node->nu_across = *n_across + n_flow * own;
        *n_across = node->nu_across + n_nu * up;
        node->flow_factor = *n_factor;
        node->nu_factor = *n_factor + n_flow * n_flow;
        *n_factor = node->nu_factor + n_nu * n_nu;
        if (own > tree->most_ports)
            tree->most_ports = own;
        if (n_nu > tree->most_eliminated)
            tree->most_eliminated = n_nu;
        if (n_flow > tree->most_eliminated)
            tree->most_eliminated = n_flow;
    }
}

static void *zeroed(size_t n, size_t size, bool *failed)
{
    void *block = calloc(n + 1, size);

    *failed = *failed || !block;
    return block;
}

static bool take_system(struct master_tree *tree)
{
    size_t n_port = 0, n_across = 0, n_factor = 0, n_nu = 0, n_flow = 0;
    bool failed = false;

    lay_out(tree, &n_port, &n_across, &n_factor);
    for (size_t k = 0; k < tree->n_node; k++) {
        n_nu += tree->nodes[k].nu.n;
        n_flow += tree->nodes[k].flow.n;
    }
    tree->across = zeroed(n_across, sizeof(double), &failed);
    tree->factor = zeroed(n_factor, sizeof(double), &failed);
    tree->column = zeroed(tree->most_ports, sizeof(double), &failed);
    tree->answer = zeroed(tree->n_step * tree->n_step, sizeof(double), &failed);
    tree->root = zeroed(tree->n_port * tree->n_port, sizeof(double), &failed);
    tree->gradient = zeroed(n_port, sizeof(double), &failed);
    tree->price = zeroed(n_port, sizeof(double), &failed);
    tree->y_flow = zeroed(n_flow, sizeof(double), &failed);
    tree->y_nu = zeroed(n_nu, sizeof(double), &failed);
    tree->z = zeroed(tree->most_eliminated, sizeof(double), &failed);
    tree->slot = zeroed(tree->n_slot, sizeof(*tree->slot), &failed);
    tree->spare = zeroed(tree->most_ports * tree->most_ports, sizeof(double), &failed);
    for (size_t i = 0; i < tree->n_slot && !failed; i++)
        tree->slot[i] = zeroed(tree->most_ports * tree->most_ports, sizeof(double), &failed);
    return !failed;
}

static bool take_lists(struct master_tree *tree, const struct order *o, size_t n_nu)
{
    bool failed = false;

    tree->zone = zeroed(o->rows->problem->n_bus, sizeof(*tree->zone), &failed);
    tree->nu = zeroed(n_nu, sizeof(*tree->nu), &failed);
    tree->flow = zeroed(o->rows->n, sizeof(*tree->flow), &failed);
    tree->way = zeroed(o->rows->n, sizeof(*tree->way), &failed);
    return !failed;
}

/* Zones by node. */
static void list_zones(struct master_tree *tree, const struct order *o)
{
    size_t n_zone = o->rows->problem->n_bus, n = 0;
    const size_t *vertex = o->draft->vertex_of_zone;

    for (size_t z = 0; z < n_zone; z++)
        tree->nodes[o->place[vertex[z] == SIZE_MAX ? o->root : vertex[z]]].zone.n++;
    for (size_t k = 0; k < tree->n_node; k++) {
        tree->nodes[k].zone.first = n;
        n += tree->nodes[k].zone.n;
        tree->nodes[k].zone.n = 0;
    }
    for (size_t z = 0; z < n_zone; z++) {
        size_t k = o->place[vertex[z] == SIZE_MAX ? o->root : vertex[z]];

        tree->zone[tree->nodes[k].zone.first + tree->nodes[k].zone.n++].bus = z;
    }
}

enum walras_status tree_order(struct master_tree *tree, const struct market_rows *rows,
                              const struct tree_draft *draft, struct walras_err *err)
{
    struct order o = {.draft = draft, .rows = rows};
    bool made = take_memory(&o);

    tree->nodes = made ? calloc(o.n_node, sizeof(*tree->nodes)) : NULL;
    tree->n_node = o.n_node;
    made = made && tree->nodes;
    if (made) {
        weigh_all(&o);
        place_all(tree, &o);
        made = take_lists(tree, &o, list_steps(tree, &o));
    }
    if (made)
        made = tree_ports(tree, rows, draft);
    if (made) {
        link_steps(tree, &o);
        list_rows(tree, &o);
        list_zones(tree, &o);
        made = tree_entries(tree, rows) && take_system(tree);
    }
    release(&o);
    return made ? WALRAS_OK
                : walras_fail(err, WALRAS_NOMEM, "master: %zu active limits do not fit in memory",
                              rows->n);
}
