/*
 * Who plays which part: a scenario's agents as agents of a server.
 *
 * A scenario's agent becomes one remote agent, which answers for its convex devices here, and, for
 * what cannot be asked over the network (choices on or off, kvar) or need not be (nothing that
 * spans steps), one delegated agent, solved in the server. Where it would be both, the delegated
 * one is called ID.own.
 *
 * Ownership  the scenario is borrowed and outlives the cast.
 * Threads    read only once made.
 */
#ifndef WALRAS_SWARM_CAST_H
#define WALRAS_SWARM_CAST_H

#include "scenario/scenario.h"

enum { SWARM_ID = 65 };

struct swarm_part {
    char id[SWARM_ID];
    uint32_t bus;
    uint32_t *devices; /* [n_device] of the scenario; of a remote one, to be asked */
    size_t n_device;
    char *delegated; /* JSON list of devices; NULL: it is remote */
};

struct swarm_cast {
    const struct scenario *scenario;
    struct swarm_part *parts; /* [n] remote ones first */
    size_t n, n_remote;
    char *grid, *supply, *horizon; /* JSON */
};

/* WALRAS_UNSUPPORTED names the device that can be neither; WALRAS_INVALID an id that is no id on a
 * server. */
WALRAS_NODISCARD enum walras_status swarm_cast_make(const struct scenario *scenario,
                                                    struct swarm_cast *out, struct walras_err *err);
void swarm_cast_release(struct swarm_cast *cast);

#endif
