/*
 * Where devices stand in the model lindistflow: at nodes, a bus and a ratio of kvar to kW each.
 *
 * A device that draws no kvar, or none that depends on what it decides, stands at its bus; one
 * whose kvar go with its kW stands at a node of that bus with others of the same ratio. In the
 * market a node is a bus like any other, with a price of its own. In the other models there are
 * buses only.
 *
 * Inverters  A device that gives or takes kvar of its own stands at a bus of its own, its terminal,
 * behind a line without impedance that carries as many kVA as the inverter: that the kW and kvar
 * behind a line share its limit is all that an inverter's circle is. Its kW are drawn at the
 * terminal, its kvar at a node of kvar alone there. Terminals are of the market's network only.
 *
 * Losses     Where they are modelled, each slack has one more node, the last ones, that draws what
 * its tree loses.
 *
 * Ownership  the arrays are the nodes' own; the network borrows what the scenario's is made of.
 * Threads    read only once made.
 */
#ifndef WALRAS_SCENARIO_NODES_H
#define WALRAS_SCENARIO_NODES_H

#include "grid/limits.h"
#include "scenario/scenario.h"

struct scenario_inverter { /* a device that gives or takes kvar of its own, and where */
    size_t device, node;   /* of its kvar */
};

struct scenario_nodes {
    /* The scenario's, then terminals of inverters and lines to them, one each, in their order. */
    struct grid_network network;
    size_t n;                /* buses of that network, then extra nodes */
    uint32_t *of_device;     /* [n_device] */
    struct grid_node *extra; /* [n - buses] */
    double *fixed_kvar;      /* [n_bus x n_step] drawn whatever is decided; NULL: not lindistflow */
    double *ratios;          /* what extra nodes point to */
    bool *reactive;          /* [n] nodes of kvar alone; NULL: there are none */
    size_t n_inverter;
    struct scenario_inverter *inverters; /* [n_inverter] by device */
    size_t n_loss;                       /* the last nodes, by slack; 0: no losses */
};

WALRAS_NODISCARD enum walras_status scenario_nodes_make(const struct scenario *scenario,
                                                        struct scenario_nodes *out,
                                                        struct walras_err *err);
void scenario_nodes_release(struct scenario_nodes *nodes);

/* The scenario's bus that a node is at. */
static inline size_t scenario_node_bus(const struct scenario *scenario,
                                       const struct scenario_nodes *nodes, size_t node)
{
    size_t n_bus = scenario->network.n_bus, n_all = n_bus + nodes->n_inverter;
    size_t bus = node < n_all ? node : nodes->extra[node - n_all].bus;

    return bus < n_bus ? bus : scenario_device_bus(scenario, nodes->inverters[bus - n_bus].device);
}

/* kvar drawn with each kW by a device of this power factor. */
double scenario_kvar_per_kw(double power_factor);

/*
 * How a device's kvar hang on its kW in a step: kvar = fixed + ratio · kw. A load that can be shed
 * sheds its kvar in proportion.
 */
struct scenario_reactive {
    double fixed_kvar, kvar_per_kw;
};
struct scenario_reactive scenario_reactive_of(const struct agent_device *device, size_t step);

#endif
