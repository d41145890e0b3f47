/*
 * A fleet: all devices of a market behind their buses. Separable devices go into an order book, the
 * others form the groups that the market asks.
 *
 * Groups   one bus, one kind of behaviour, alike devices together (few different answers mix
 *          faster than many); as many groups as settings.n_group allow, the largest split first.
 *          Integer devices have groups of their own: they are settled, not mixed.
 * Ranks    every rank has the same groups, with its own share of their members, maybe none; together
 *          they are the groups that one process forms.
 * Units    kW, currency; draw positive from the grid.
 * Threads  parts of groups may be asked, and awards told, in parallel by distinct workers <
 *          n_worker; all else one at a time.
 */
#ifndef WALRAS_AGENTS_FLEET_H
#define WALRAS_AGENTS_FLEET_H

#include "agents/book.h"
#include "agents/device.h"
#include "core/ranks.h"
#include "market/oracle.h"

struct agent_fleet;

struct agent_fleet_settings {
    unsigned n_worker;
    bool glpk;      /* ask every device through GLPK, the exact fast solvers stay unused */
    size_t n_group; /* about how many groups of convex devices to form */
    /* Names a device in messages: "agent home-1, device bat". NULL: the device's id. */
    void (*describe)(const void *context, size_t device, char *text, size_t size);
    const void *context;
    struct walras_ranks *ranks; /* whose shares form groups together; NULL: alone */
};

struct agent_group {
    uint32_t bus;
    struct market_oracle oracle;
    bool integer;
    double swing_kw;
    unsigned kind; /* of device */
    size_t n_device; /* of all ranks, as swing_kw is */
    char name[96]; /* "ev at bus 7, 2 of 3" */
};

/*
 * devices [n_device] and bus [n_device] are borrowed and outlive the fleet. WALRAS_INVALID names a
 * device that has no solver or a model that cannot be built.
 */
WALRAS_NODISCARD enum walras_status
agent_fleet_new(const struct agent_device *devices, const uint32_t *bus, size_t n_device,
                size_t n_bus, const struct agent_horizon *horizon,
                const struct agent_fleet_settings *settings, struct agent_fleet **made,
                struct walras_err *err);
void agent_fleet_free(struct agent_fleet *fleet);

const struct agent_book *agent_fleet_book(const struct agent_fleet *fleet);
const struct agent_group *agent_fleet_groups(const struct agent_fleet *fleet, size_t *n);

struct agent_awards {                  /* what the market decided; borrowed */
    const double *order_kw;            /* [orders of the book] */
    const double *weight;              /* [n_group x n_point] */
    const double *point_price_per_mwh; /* [n_point x n_bus x n_step] */
    size_t n_point;
};

/*
 * Draws [n x n_step] of devices [first, first + n): their share of their orders, their own answers
 * mixed by the weights of their group, or what they settled on. The same bits whoever asks for
 * whatever range. Distinct workers may be told distinct ranges at the same time.
 */
WALRAS_NODISCARD enum walras_status agent_fleet_award(struct agent_fleet *fleet,
                                                      const struct agent_awards *awards,
                                                      unsigned worker, size_t first, size_t n,
                                                      double *draw_kw, struct walras_err *err);

#endif
