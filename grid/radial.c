#include "grid/radial.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct ends { /* lines in service by bus: those of bus b are list[first[b]] to list[first[b + 1]-1]
               */
    size_t *first, *list;
};

void grid_radial_release(struct grid_radial *radial)
{
    if (!radial)
        return;
    free(radial->order);
    free(radial->parent);
    free(radial->line);
    free(radial->slack);
    *radial = (struct grid_radial){0};
}

static size_t other_end(const struct grid_line *line, size_t bus)
{
    return line->from == bus ? line->to : line->from;
}

static bool list_ends(const struct grid_network *network, struct ends *ends)
{
    ends->first = calloc(network->n_bus + 2, sizeof(*ends->first));
    ends->list = calloc(2 * network->n_line + 1, sizeof(*ends->list));
    if (!ends->first || !ends->list)
        return false;
    /* counted two places further on, so that filling moves each start to where it belongs */
    for (size_t l = 0; l < network->n_line; l++)
        if (network->lines[l].in_service) {
            ends->first[network->lines[l].from + 2]++;
            ends->first[network->lines[l].to + 2]++;
        }
    for (size_t b = 2; b < network->n_bus + 2; b++)
        ends->first[b] += ends->first[b - 1];
    for (size_t l = 0; l < network->n_line; l++)
        if (network->lines[l].in_service) {
            ends->list[ends->first[network->lines[l].from + 1]++] = l;
            ends->list[ends->first[network->lines[l].to + 1]++] = l;
        }
    return true;
}

static size_t depth_of(const struct grid_radial *radial, size_t bus)
{
    size_t depth = 0;

    for (; radial->parent[bus] != SIZE_MAX; bus = radial->parent[bus])
        depth++;
    return depth;
}

/* The lines of the loop that `line` closes, as "l1, l2, l3 and 4 more". */
static void name_loop(const struct grid_radial *radial, size_t line, char *text, size_t size)
{
    enum { SHOWN = 5 };
    const struct grid_network *network = radial->network;
    size_t a = network->lines[line].from, b = network->lines[line].to, n = 1;
    size_t deep_a = depth_of(radial, a), deep_b = depth_of(radial, b);
    int used = snprintf(text, size, "%.24s", network->lines[line].id);

    while (a != b && (deep_a > 0 || deep_b > 0)) {
        size_t *at = deep_a >= deep_b ? &a : &b;

        if (n++ < SHOWN && used > 0 && (size_t)used < size)
            used += snprintf(text + used, size - (size_t)used, ", %.24s",
                             network->lines[radial->line[*at]].id);
        *(deep_a >= deep_b ? &deep_a : &deep_b) -= 1;
        *at = radial->parent[*at];
    }
    if (n > SHOWN && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, " and %zu more", n - SHOWN);
}

static enum walras_status fail_loop(const struct grid_radial *radial, size_t line,
                                    struct walras_err *err)
{
    const struct grid_network *network = radial->network;
    size_t from = radial->slack[network->lines[line].from];
    size_t to = radial->slack[network->lines[line].to];
    char loop[180];

    name_loop(radial, line, loop, sizeof(loop));
    if (from != to)
        return walras_fail(err, WALRAS_INVALID, "lines %s join the slack buses %.24s and %.24s",
                           loop, network->buses[from].id, network->buses[to].id);
    return walras_fail(err, WALRAS_INVALID, "lines %s close a loop", loop);
}

/* From all slacks at once, breadth first. */
static enum walras_status grow(struct grid_radial *radial, const struct ends *ends,
                               struct walras_err *err)
{
    const struct grid_network *network = radial->network;
    size_t n = 0;

    for (size_t b = 0; b < network->n_bus; b++) {
        radial->parent[b] = radial->line[b] = radial->slack[b] = SIZE_MAX;
        if (grid_network_is_slack(network, b)) {
            radial->slack[b] = b;
            radial->order[n++] = b;
        }
    }
    for (size_t i = 0; i < n; i++) {
        size_t bus = radial->order[i];

        for (size_t e = ends->first[bus]; e < ends->first[bus + 1]; e++) {
            size_t line = ends->list[e], next = other_end(&network->lines[line], bus);

            if (line == radial->line[bus])
                continue;
            if (radial->slack[next] != SIZE_MAX)
                return fail_loop(radial, line, err);
            radial->parent[next] = bus;
            radial->line[next] = line;
            radial->slack[next] = radial->slack[bus];
            radial->order[n++] = next;
        }
    }
    return WALRAS_OK;
}

enum walras_status grid_radial_make(const struct grid_network *network, struct grid_radial *out,
                                    struct walras_err *err)
{
    struct grid_radial made = {.network = network};
    struct ends ends = {0};
    enum walras_status status = WALRAS_NOMEM;

    made.order = calloc(network->n_bus, sizeof(*made.order));
    made.parent = calloc(network->n_bus, sizeof(*made.parent));
    made.line = calloc(network->n_bus, sizeof(*made.line));
    made.slack = calloc(network->n_bus, sizeof(*made.slack));
    if (list_ends(network, &ends) && made.order && made.parent && made.line && made.slack)
        status = grow(&made, &ends, err);
    else
        walras_fail(err, WALRAS_NOMEM, "no memory for a tree of %zu buses", network->n_bus);
    free(ends.first);
    free(ends.list);
    if (status == WALRAS_OK)
        *out = made;
    else
        grid_radial_release(&made);
    return status;
}
