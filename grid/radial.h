/*
 * A radial network as trees: from each slack outwards, whatever way its lines are written.
 *
 * Model      lines in service only. Every bus but the slacks has one line towards its slack.
 * Ownership  the arrays are the tree's own; the network is borrowed and outlives it.
 * Threads    read only after it is made.
 */
#ifndef WALRAS_GRID_RADIAL_H
#define WALRAS_GRID_RADIAL_H

#include "grid/network.h"

struct grid_radial {
    const struct grid_network *network;
    size_t *order;  /* [n_bus] buses, each behind its parent */
    size_t *parent; /* [n_bus] SIZE_MAX at a slack */
    size_t *line;   /* [n_bus] to the parent; SIZE_MAX at a slack */
    size_t *slack;  /* [n_bus] the slack that the bus hangs on */
};

/*
 * `network` has passed grid_network_check. Returns WALRAS_INVALID when lines close a loop, which
 * the message names, or lead from one slack to another; WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status grid_radial_make(const struct grid_network *network,
                                                     struct grid_radial *out,
                                                     struct walras_err *err);
void grid_radial_release(struct grid_radial *radial);

/* Whether the line to the parent of `bus` is written from the parent to the bus. */
static inline bool grid_radial_leads_down(const struct grid_radial *radial, size_t bus)
{
    return radial->network->lines[radial->line[bus]].to == bus;
}

#endif
