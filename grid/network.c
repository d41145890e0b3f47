#include "grid/network.h"

#include "core/names.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double smallest_reactance_pu = 1e-11; /* less than this in size counts as none */
static const double largest_base_mva = 1e9;

enum walras_status grid_network_copperplate(struct grid_network *network, struct walras_err *err)
{
    struct grid_bus *bus = calloc(1, sizeof(*bus));
    char *id = calloc(2, 1);

    if (!bus || !id) {
        free(bus);
        free(id);
        return walras_fail(err, WALRAS_NOMEM, "no memory for a network of one bus");
    }
    id[0] = '1';
    *bus = (struct grid_bus){.id = id, .v_max_pu = INFINITY};
    *network = (struct grid_network){.base_mva = 1.0, .slack_v_pu = 1.0, .buses = bus, .n_bus = 1};
    return WALRAS_OK;
}

void grid_network_release(struct grid_network *network)
{
    if (!network)
        return;
    for (size_t b = 0; b < network->n_bus; b++)
        free(network->buses[b].id);
    for (size_t l = 0; l < network->n_line; l++)
        free(network->lines[l].id);
    free(network->buses);
    free(network->lines);
    *network = (struct grid_network){0};
}

size_t grid_network_find_bus(const struct grid_network *network, const char *id)
{
    for (size_t b = 0; b < network->n_bus; b++)
        if (strcmp(network->buses[b].id, id) == 0)
            return b;
    return SIZE_MAX;
}

enum walras_status grid_network_check_bus(const struct grid_network *network, size_t index,
                                          struct walras_err *err)
{
    const struct grid_bus *bus = &network->buses[index];
    const char *fault = NULL;

    if (!bus->id || bus->id[0] == '\0')
        return walras_fail(err, WALRAS_INVALID, "bus %zu of the network has no id", index + 1);
    if (!(bus->base_kv >= 0.0) || isinf(bus->base_kv))
        fault = "base_kv must be finite and not negative";
    else if (!(bus->v_min_pu >= 0.0) || isinf(bus->v_min_pu))
        fault = "the lowest voltage must be finite and not negative";
    else if (!(bus->v_max_pu >= bus->v_min_pu))
        fault = "the highest voltage must not be below the lowest";
    else if (!isfinite(bus->load_kw) || !isfinite(bus->load_kvar))
        fault = "the load must be finite";
    else if (!isfinite(bus->shunt_draw_kw) || !isfinite(bus->shunt_inject_kvar))
        fault = "the shunt must be finite";
    else if (!(bus->slack_v_pu >= 0.0) || isinf(bus->slack_v_pu))
        fault = "the voltage that it is held at must be finite and not negative";
    return fault ? walras_fail(err, WALRAS_INVALID, "bus %s: %s", bus->id, fault) : WALRAS_OK;
}

enum walras_status grid_network_check_line(const struct grid_network *network, size_t index,
                                           struct walras_err *err)
{
    const struct grid_line *line = &network->lines[index];
    const char *fault = NULL;

    if (!line->id || line->id[0] == '\0')
        return walras_fail(err, WALRAS_INVALID, "line %zu of the network has no id", index + 1);
    if (line->from >= network->n_bus || line->to >= network->n_bus)
        fault = "an end is not a bus of the network";
    else if (line->from == line->to)
        fault = "both ends are the same bus";
    else if (!isfinite(line->r_pu) || !isfinite(line->x_pu) || !isfinite(line->b_pu))
        fault = "resistance, reactance and charging must be finite";
    else if (!(line->limit_kw >= 0.0) || !(line->limit_kva >= 0.0))
        fault = "the limit must not be negative";
    else if (!(line->tap > 0.0) || isinf(line->tap))
        fault = "the tap ratio must be finite and above 0";
    else if (!isfinite(line->shift_rad))
        fault = "the phase shift must be finite";
    else if (line->in_service && !network->may_lack_reactance &&
             fabs(line->x_pu * line->tap) < smallest_reactance_pu)
        fault = "the reactance of a line in service must not be zero (at least 1e-11 per unit)";
    return fault ? walras_fail(err, WALRAS_INVALID, "line %s: %s", line->id, fault) : WALRAS_OK;
}

static enum walras_status check_new(struct walras_names *names, const char *kind, const char *id,
                                    struct walras_err *err)
{
    size_t earlier = walras_names_find(names, id);

    if (earlier != SIZE_MAX)
        return walras_fail(err, WALRAS_INVALID,
                           "%s %s: the id is used twice (positions %zu and %zu)", kind, id,
                           earlier + 1, walras_names_count(names) + 1);
    return walras_names_add(names, id, err);
}

static enum walras_status check_ids(const struct grid_network *network, struct walras_err *err)
{
    struct walras_names *names = NULL;
    enum walras_status status = walras_names_new(&names, err);

    for (size_t b = 0; b < network->n_bus && status == WALRAS_OK; b++)
        status = check_new(names, "bus", network->buses[b].id, err);
    if (names)
        walras_names_clear(names);
    for (size_t l = 0; l < network->n_line && status == WALRAS_OK; l++)
        status = check_new(names, "line", network->lines[l].id, err);
    walras_names_free(names);
    return status;
}

/* The bus that stands for all buses joined with `bus` so far; shortens the way for later calls. */
static size_t root_of(size_t *parent, size_t bus)
{
    while (parent[bus] != bus) {
        parent[bus] = parent[parent[bus]];
        bus = parent[bus];
    }
    return bus;
}

static void join_ends(const struct grid_network *network, size_t *parent)
{
    for (size_t b = 0; b < network->n_bus; b++)
        parent[b] = b;
    for (size_t l = 0; l < network->n_line; l++)
        if (network->lines[l].in_service) {
            size_t from = root_of(parent, network->lines[l].from);
            size_t to = root_of(parent, network->lines[l].to);

            parent[from > to ? from : to] = from > to ? to : from;
        }
}

/* The islands, by what root_of says, that have a slack. */
static void mark_held(const struct grid_network *network, size_t *parent, bool *held)
{
    for (size_t b = 0; b < network->n_bus; b++)
        if (grid_network_is_slack(network, b))
            held[root_of(parent, b)] = true;
}

static enum walras_status check_connected(const struct grid_network *network,
                                          struct walras_err *err)
{
    size_t *parent = calloc(network->n_bus, sizeof(*parent));
    bool *held = calloc(network->n_bus, sizeof(*held));
    size_t lost = SIZE_MAX, island = SIZE_MAX, size = 0;

    if (!parent || !held) {
        free(parent);
        free(held);
        return walras_fail(err, WALRAS_NOMEM, "cannot join the ends of %zu lines", network->n_line);
    }
    join_ends(network, parent);
    mark_held(network, parent, held);
    for (size_t b = 0; b < network->n_bus; b++) {
        size_t root = root_of(parent, b);

        if (!held[root] && lost == SIZE_MAX) {
            lost = b;
            island = root;
        }
        size += root == island;
    }
    free(parent);
    free(held);
    if (lost == SIZE_MAX)
        return WALRAS_OK;
    if (size == 1)
        return walras_fail(err, WALRAS_INVALID,
                           "bus %s: no line in service connects it to the slack bus %s",
                           network->buses[lost].id, network->buses[network->slack].id);
    return walras_fail(err, WALRAS_INVALID,
                       "bus %s: no line in service connects the island of %zu buses that it is in "
                       "to the slack bus %s",
                       network->buses[lost].id, size, network->buses[network->slack].id);
}

enum walras_status grid_network_check(const struct grid_network *network, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    if (network->n_bus == 0)
        return walras_fail(err, WALRAS_INVALID, "the network has no bus");
    if (!(network->base_mva > 0.0) || network->base_mva > largest_base_mva)
        return walras_fail(err, WALRAS_INVALID,
                           "base_mva is %g; expected a number above 0 and at most %g",
                           network->base_mva, largest_base_mva);
    if (network->slack >= network->n_bus)
        return walras_fail(err, WALRAS_INVALID, "the slack is not a bus of the network");
    if (!(network->slack_v_pu > 0.0) || isinf(network->slack_v_pu))
        return walras_fail(err, WALRAS_INVALID,
                           "the voltage of the slack bus is %g; expected a finite number above 0",
                           network->slack_v_pu);
    for (size_t b = 0; b < network->n_bus && status == WALRAS_OK; b++)
        status = grid_network_check_bus(network, b, err);
    for (size_t l = 0; l < network->n_line && status == WALRAS_OK; l++)
        status = grid_network_check_line(network, l, err);
    if (status == WALRAS_OK)
        status = check_ids(network, err);
    if (status == WALRAS_OK)
        status = check_connected(network, err);
    return status;
}
