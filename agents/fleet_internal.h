/*
 * A fleet's insides, shared by forming groups (fleet_groups.c), answering (fleet.c) and settling
 * (fleet_settle.c).
 */
#ifndef WALRAS_AGENTS_FLEET_INTERNAL_H
#define WALRAS_AGENTS_FLEET_INTERNAL_H

#include "agents/fleet.h"
#include "agents/model.h"
#include "agents/solve.h"

enum { FLEET_PART = 256 }; /* devices in a part: small enough to share out, large enough to pay */

struct fleet_group {
    struct agent_fleet *fleet;
    size_t first, n; /* of fleet->member */
};

struct agent_fleet {
    const struct agent_device *devices;
    const uint32_t *bus;
    size_t n_device, n_bus;
    struct agent_horizon horizon;
    struct agent_fleet_settings settings;
    struct agent_book *book;
    size_t *member; /* [n_member] devices that are asked, by group */
    size_t n_member;
    struct agent_group *groups; /* [n_group] */
    struct fleet_group *inner;  /* [n_group] */
    size_t n_group;
    struct agent_model **models;         /* [n_device], NULL where a fast solver answers */
    struct agent_workspace **workspaces; /* [n_worker] */
    double *scratch;                     /* [n_worker x n_step] */
    double *settled_kw;                  /* [n_member x n_step], NULL before anything is settled */
    bool *is_settled;                    /* [n_member] */
};

/* Sorts the devices that must be asked into groups: member, groups, inner. */
WALRAS_NODISCARD enum walras_status fleet_form_groups(struct agent_fleet *fleet,
                                                      struct walras_err *err);

/* One device's answer by whatever solver it has; the error names the device. */
WALRAS_NODISCARD enum walras_status fleet_solve(struct agent_fleet *fleet, size_t device,
                                                unsigned worker, const double *price_per_mwh,
                                                double *draw_kw, struct market_answer *answer,
                                                struct walras_err *err);

/* market_oracle_ops.settle of integer groups. */
enum walras_status fleet_settle(void *self, size_t n_point, const double *price_per_mwh,
                                const double *weight, double *draw_kw, struct market_answer *answer,
                                struct walras_err *err);

#endif
