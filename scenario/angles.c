#include "scenario/angles.h"

#include "core/units.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

struct edge {
    uint32_t to;
    double weight; /* susceptance while there is a mesh, share of Σ once the bus is out */
};

struct node {
    struct edge *edges;
    size_t n, capacity;
    double total; /* Σ of susceptances when it was taken out */
    bool out;
};

struct scenario_angles {
    const struct grid_network *network;
    struct node *nodes; /* [n_bus] */
    uint32_t *order;    /* [n_out] buses as they were taken out */
    size_t n_out;
};

double scenario_line_susceptance_kw(const struct grid_network *network, size_t line)
{
    const struct grid_line *l = &network->lines[line];

    return l->in_service ? walras_kw_from_mw(network->base_mva) / (l->x_pu * l->tap) : 0.0;
}

double scenario_line_flow_kw(const struct grid_network *network, size_t line,
                             const double *angle_rad)
{
    const struct grid_line *l = &network->lines[line];

    return scenario_line_susceptance_kw(network, line) *
           (angle_rad[l->from] - angle_rad[l->to] - l->shift_rad);
}

/* Adds `weight` to the edge from → to, which is made when it is not there. */
static bool add_edge(struct node *from, uint32_t to, double weight)
{
    for (size_t e = 0; e < from->n; e++)
        if (from->edges[e].to == to) {
            from->edges[e].weight += weight;
            return true;
        }
    if (from->n == from->capacity) {
        size_t capacity = from->capacity ? 2 * from->capacity : 4;
        struct edge *grown = realloc(from->edges, capacity * sizeof(*grown));

        if (!grown)
            return false;
        from->edges = grown;
        from->capacity = capacity;
    }
    from->edges[from->n++] = (struct edge){.to = to, .weight = weight};
    return true;
}

static void drop_edge(struct node *from, uint32_t to)
{
    for (size_t e = 0; e < from->n; e++)
        if (from->edges[e].to == to) {
            from->edges[e] = from->edges[--from->n];
            return;
        }
}

static bool add_lines(struct scenario_angles *angles)
{
    const struct grid_network *network = angles->network;

    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];
        double weight = scenario_line_susceptance_kw(network, l);

        if (line->in_service &&
            (!add_edge(&angles->nodes[line->from], (uint32_t)line->to, weight) ||
             !add_edge(&angles->nodes[line->to], (uint32_t)line->from, weight)))
            return false;
    }
    return true;
}

/* The star around `bus` becomes a mesh of its neighbours; what is left are its shares. */
static enum walras_status take_out(struct scenario_angles *angles, uint32_t bus,
                                   struct walras_err *err)
{
    struct node *node = &angles->nodes[bus];
    double largest = 0.0;

    for (size_t e = 0; e < node->n; e++) {
        node->total += node->edges[e].weight;
        largest = fmax(largest, fabs(node->edges[e].weight));
    }
    if (!(fabs(node->total) > 1e-12 * largest))
        return walras_fail(err, WALRAS_UNSUPPORTED,
                           "bus %s: the reactances around it cancel, its angle is not determined",
                           angles->network->buses[bus].id);
    for (size_t i = 0; i < node->n; i++)
        drop_edge(&angles->nodes[node->edges[i].to], bus);
    for (size_t i = 0; i < node->n; i++)
        for (size_t j = i + 1; j < node->n; j++) {
            struct edge a = node->edges[i], b = node->edges[j];
            double weight = a.weight * b.weight / node->total;

            if (!add_edge(&angles->nodes[a.to], b.to, weight) ||
                !add_edge(&angles->nodes[b.to], a.to, weight))
                return walras_fail(err, WALRAS_NOMEM, "cannot hold the fill-in of %zu buses",
                                   angles->network->n_bus);
        }
    for (size_t e = 0; e < node->n; e++)
        node->edges[e].weight /= node->total;
    node->out = true;
    angles->order[angles->n_out++] = bus;
    return WALRAS_OK;
}

/* Takes out every bus but the slack, in passes over those with at most `few` neighbours. */
static enum walras_status eliminate(struct scenario_angles *angles, struct walras_err *err)
{
    size_t n_bus = angles->network->n_bus, few = 1;

    while (angles->n_out + 1 < n_bus) {
        size_t before = angles->n_out;

        for (size_t b = 0; b < n_bus; b++) {
            const struct node *node = &angles->nodes[b];

            if (node->out || b == angles->network->slack || node->n > few)
                continue;
            enum walras_status status = take_out(angles, (uint32_t)b, err);

            if (status != WALRAS_OK)
                return status;
        }
        few = angles->n_out == before ? few + 1 : few > 2 ? few - 1 : few;
    }
    return WALRAS_OK;
}

enum walras_status scenario_angles_new(const struct grid_network *network,
                                       struct scenario_angles **made, struct walras_err *err)
{
    struct scenario_angles *angles = calloc(1, sizeof(*angles));
    enum walras_status status = WALRAS_NOMEM;

    if (angles) {
        angles->network = network;
        angles->nodes = calloc(network->n_bus, sizeof(*angles->nodes));
        angles->order = calloc(network->n_bus, sizeof(*angles->order));
        if (angles->nodes && angles->order && add_lines(angles))
            status = eliminate(angles, err);
    }
    if (status != WALRAS_OK) {
        scenario_angles_free(angles);
        return walras_fail(err, status, "cannot hold the angles of %zu buses", network->n_bus);
    }
    *made = angles;
    return WALRAS_OK;
}

void scenario_angles_free(struct scenario_angles *angles)
{
    if (!angles)
        return;
    for (size_t b = 0; angles->nodes && b < angles->network->n_bus; b++)
        free(angles->nodes[b].edges);
    free(angles->nodes);
    free(angles->order);
    free(angles);
}

void scenario_angles_solve(const struct scenario_angles *angles, double *injection_kw,
                           double *angle_rad)
{
    for (size_t k = 0; k < angles->n_out; k++) {
        const struct node *node = &angles->nodes[angles->order[k]];

        for (size_t e = 0; e < node->n; e++)
            injection_kw[node->edges[e].to] +=
                node->edges[e].weight * injection_kw[angles->order[k]];
    }
    angle_rad[angles->network->slack] = 0.0;
    for (size_t k = angles->n_out; k-- > 0;) {
        const struct node *node = &angles->nodes[angles->order[k]];
        double angle = injection_kw[angles->order[k]] / node->total;

        for (size_t e = 0; e < node->n; e++)
            angle += node->edges[e].weight * angle_rad[node->edges[e].to];
        angle_rad[angles->order[k]] = angle;
    }
}

void scenario_angles_add_shifts(const struct scenario_angles *angles, double *injection_kw)
{
    const struct grid_network *network = angles->network;

    for (size_t l = 0; l < network->n_line; l++) {
        double driven_kw = scenario_line_susceptance_kw(network, l) * network->lines[l].shift_rad;

        injection_kw[network->lines[l].from] += driven_kw;
        injection_kw[network->lines[l].to] -= driven_kw;
    }
}
