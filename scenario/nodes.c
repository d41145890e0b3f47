#include "scenario/nodes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    const struct scenario *scenario;
    struct scenario_nodes made;
    size_t *next;  /* [n_device] of extra nodes at the same bus; SIZE_MAX: the last */
    size_t *first; /* [n_bus] */
    size_t n_extra;
    size_t n_series; /* rows of made.ratios */
    double *ratio;   /* [n_step] of the device at hand */
    bool owns_network, lacks_memory;
};

double scenario_kvar_per_kw(double power_factor)
{
    return fabs(power_factor) < 1.0 ? tan(acos(power_factor)) : 0.0;
}

struct scenario_reactive scenario_reactive_of(const struct agent_device *device, size_t step)
{
    double ratio = scenario_kvar_per_kw(device->power_factor);
    const struct agent_load *load = &device->load;
    double kw = 0.0, kvar = 0.0;

    if (device->type != AGENT_LOAD)
        return (struct scenario_reactive){.kvar_per_kw = ratio};
    kw = walras_series_at(load->draw_kw, step);
    kvar = ratio * kw + (load->draw_kvar.values ? walras_series_at(load->draw_kvar, step) : 0.0);
    if (isnan(load->shed_price_per_mwh) || !(kw > 0.0))
        return (struct scenario_reactive){.fixed_kvar = kvar};
    return (struct scenario_reactive){.kvar_per_kw = kvar / kw};
}

void scenario_nodes_release(struct scenario_nodes *nodes)
{
    free(nodes->of_device);
    free(nodes->extra);
    free(nodes->fixed_kvar);
    free(nodes->ratios);
    free(nodes->reactive);
    free(nodes->inverters);
    for (size_t k = 1; k <= nodes->n_inverter; k++) /* the bus has the same */
        free(nodes->network.lines[nodes->network.n_line - k].id);
    if (nodes->n_inverter > 0) {
        free(nodes->network.buses);
        free(nodes->network.lines);
    }
    *nodes = (struct scenario_nodes){0};
}

static bool is_constant(const double *ratio, size_t n)
{
    for (size_t t = 1; t < n; t++)
        if (fabs(ratio[t] - ratio[0]) > 1e-14 * fabs(ratio[0]))
            return false;
    return true;
}

static bool is_same(const struct grid_node *node, const double *ratio, bool constant, size_t n)
{
    if (node->reactive || constant != !node->kvar_per_kw_of)
        return false;
    return constant ? !(node->kvar_per_kw < ratio[0] || node->kvar_per_kw > ratio[0])
                    : memcmp(node->kvar_per_kw_of, ratio, n * sizeof(*ratio)) == 0;
}

/* The node of a bus and the ratio at hand, made when it is not there. */
static uint32_t find_node(struct builder *b, uint32_t bus)
{
    size_t n_step = b->scenario->horizon.n_step, n_bus = b->made.network.n_bus;
    bool constant = is_constant(b->ratio, n_step);
    struct grid_node *node = NULL;

    if (constant && b->ratio[0] == 0.0)
        return bus;
    for (size_t i = b->first[bus]; i != SIZE_MAX; i = b->next[i])
        if (is_same(&b->made.extra[i], b->ratio, constant, n_step))
            return (uint32_t)(n_bus + i);
    node = &b->made.extra[b->n_extra];
    *node = (struct grid_node){.bus = bus, .kvar_per_kw = b->ratio[0]};
    if (!constant) {
        double *kept = b->made.ratios + b->n_series++ * n_step;

        memcpy(kept, b->ratio, n_step * sizeof(*kept));
        node->kvar_per_kw_of = kept;
    }
    b->next[b->n_extra] = b->first[bus];
    b->first[bus] = b->n_extra;
    return (uint32_t)(n_bus + b->n_extra++);
}

/* "agent/device" */
static char *terminal_id(const struct scenario *s, size_t device)
{
    const char *agent = s->agents[s->device_agent[device]].id, *own = s->devices[device].id;
    size_t size = strlen(agent) + strlen(own) + 2;
    char *id = malloc(size);

    if (id)
        snprintf(id, size, "%s/%s", agent, own);
    return id;
}

/* The next inverter's terminal, the line to it, and the node of kvar there. */
static uint32_t add_terminal(struct builder *b, size_t device)
{
    const struct scenario *s = b->scenario;
    size_t k = b->made.n_inverter++;
    uint32_t bus = (uint32_t)(s->network.n_bus + k);
    size_t node = b->made.network.n_bus + b->n_extra;
    char *id = terminal_id(s, device);

    b->lacks_memory = b->lacks_memory || !id;
    b->made.network.buses[bus] = (struct grid_bus){.id = id, .v_max_pu = INFINITY};
    b->made.network.lines[s->network.n_line + k] =
        (struct grid_line){.id = id,
                           .from = scenario_device_bus(s, device),
                           .to = bus,
                           .limit_kw = INFINITY,
                           .limit_kva = agent_device_apparent_kva(&s->devices[device]),
                           .tap = 1.0,
                           .in_service = true,
                           .terminal = true};
    b->made.extra[b->n_extra++] = (struct grid_node){.bus = bus, .reactive = true};
    b->made.reactive[node] = true;
    b->made.inverters[k] = (struct scenario_inverter){device, node};
    return bus;
}

static void place_device(struct builder *b, size_t i)
{
    const struct scenario *s = b->scenario;
    uint32_t bus = scenario_device_bus(s, i);
    double *fixed = b->made.fixed_kvar + bus * s->horizon.n_step;

    for (size_t t = 0; t < s->horizon.n_step; t++) {
        struct scenario_reactive reactive = scenario_reactive_of(&s->devices[i], t);

        fixed[t] += reactive.fixed_kvar;
        b->ratio[t] = reactive.kvar_per_kw;
    }
    b->made.of_device[i] =
        agent_device_apparent_kva(&s->devices[i]) > 0.0 ? add_terminal(b, i) : find_node(b, bus);
}

/* Loads whose ratio may differ from step to step. */
static size_t count_series(const struct scenario *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_device; i++)
        n += s->devices[i].type == AGENT_LOAD && !isnan(s->devices[i].load.shed_price_per_mwh);
    return n;
}

static size_t count_inverters(const struct scenario *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_device; i++)
        n += agent_device_apparent_kva(&s->devices[i]) > 0.0;
    return n;
}

static size_t count_ratios(const struct scenario *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_device; i++)
        n += s->devices[i].type == AGENT_LOAD || fabs(s->devices[i].power_factor) < 1.0;
    return n;
}

/* The scenario's network with room for as many terminals. */
static bool extend_network(struct builder *b, size_t n_inverter)
{
    struct grid_network *network = &b->made.network;
    const struct grid_bus *buses = network->buses;
    const struct grid_line *lines = network->lines;

    if (n_inverter == 0)
        return true;
    network->buses = calloc(network->n_bus + n_inverter, sizeof(*network->buses));
    network->lines = calloc(network->n_line + n_inverter, sizeof(*network->lines));
    b->owns_network = true;
    if (!network->buses || !network->lines)
        return false;
    memcpy(network->buses, buses, network->n_bus * sizeof(*buses));
    if (network->n_line > 0)
        memcpy(network->lines, lines, network->n_line * sizeof(*lines));
    network->n_bus += n_inverter;
    network->n_line += n_inverter;
    return true;
}

/* Slacks whose trees' losses are drawn. */
static size_t count_losses(const struct scenario *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->network.n_bus && s->losses; i++)
        n += grid_network_is_slack(&s->network, i);
    return n;
}

static void add_losses(struct builder *b)
{
    const struct grid_network *network = &b->scenario->network;

    for (size_t i = 0; i < network->n_bus && b->scenario->losses; i++)
        if (grid_network_is_slack(network, i)) {
            b->made.extra[b->n_extra++] = (struct grid_node){.bus = (uint32_t)i};
            b->made.n_loss++;
        }
}

static bool take_memory(struct builder *b, bool reactive)
{
    const struct scenario *s = b->scenario;
    size_t n_step = s->horizon.n_step, n_inverter = reactive ? count_inverters(s) : 0;
    size_t n_bus = s->network.n_bus + n_inverter;
    size_t most = (reactive ? count_ratios(s) : 0) + n_inverter + count_losses(s) + 1;

    b->made.of_device = calloc(s->n_device + 1, sizeof(*b->made.of_device));
    b->made.extra = calloc(most, sizeof(*b->made.extra));
    if (!reactive)
        return b->made.of_device && b->made.extra;
    b->made.fixed_kvar = calloc(n_bus * n_step, sizeof(*b->made.fixed_kvar));
    b->made.ratios = calloc(count_series(s) * n_step + 1, sizeof(*b->made.ratios));
    b->next = calloc(most, sizeof(*b->next));
    b->made.inverters = calloc(n_inverter + 1, sizeof(*b->made.inverters));
    b->made.reactive = calloc(n_bus + most, sizeof(*b->made.reactive));
    b->first = calloc(n_bus, sizeof(*b->first));
    b->ratio = calloc(n_step, sizeof(*b->ratio));
    return extend_network(b, n_inverter) && b->made.of_device && b->made.extra &&
           b->made.fixed_kvar && b->made.ratios && b->made.inverters && b->made.reactive &&
           b->next && b->first && b->ratio;
}

/* The network is the nodes' own once there is an inverter, and may be half made before. */
static void give_up(struct builder *b)
{
    if (b->owns_network && b->made.n_inverter == 0) {
        free(b->made.network.buses);
        free(b->made.network.lines);
    }
    scenario_nodes_release(&b->made);
}

enum walras_status scenario_nodes_make(const struct scenario *scenario, struct scenario_nodes *out,
                                       struct walras_err *err)
{
    struct builder b = {.scenario = scenario, .made = {.network = scenario->network}};
    bool reactive = scenario->model == SCENARIO_LINDISTFLOW;
    enum walras_status status = WALRAS_OK;

    if (!take_memory(&b, reactive))
        status =
            walras_fail(err, WALRAS_NOMEM, "%zu devices do not fit in memory", scenario->n_device);
    for (size_t i = 0; i < b.made.network.n_bus && reactive && status == WALRAS_OK; i++)
        b.first[i] = SIZE_MAX;
    for (size_t i = 0; i < scenario->n_device && status == WALRAS_OK; i++)
        if (reactive)
            place_device(&b, i);
        else
            b.made.of_device[i] = scenario_device_bus(scenario, i);
    if (status == WALRAS_OK)
        add_losses(&b);
    if (b.lacks_memory)
        status = walras_fail(err, WALRAS_NOMEM, "the terminals of inverters do not fit in memory");
    free(b.next);
    free(b.first);
    free(b.ratio);
    b.made.n = b.made.network.n_bus + b.n_extra;
    if (b.made.n_inverter == 0) {
        free(b.made.reactive);
        b.made.reactive = NULL;
    }
    if (status == WALRAS_OK)
        *out = b.made;
    else
        give_up(&b);
    return status;
}
