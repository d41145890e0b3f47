/*
 * A fleet's insides, shared by forming groups (fleet_groups.c), answering (fleet.c), remembering
 * answers (fleet_memory.c), settling (fleet_settle.c), awarding (fleet_award.c), smooth methods
 * (fleet_smooth.c) and the interior point method (fleet_interior.c).
 */
#ifndef WALRAS_AGENTS_FLEET_INTERNAL_H
#define WALRAS_AGENTS_FLEET_INTERNAL_H

#include "agents/fleet.h"
#include "agents/model.h"
#include "agents/solve_internal.h"

#include <stdatomic.h>

enum { FLEET_PART = 256 }; /* devices in a part: small enough to share out, large enough to pay */

/* The place of a device that is told to the market as orders, not asked. */
#define FLEET_TOLD UINT32_MAX

struct fleet_group {
    struct agent_fleet *fleet;
    size_t first, n; /* of fleet->member */
};

struct fleet_answer {
    uint64_t price; /* hash of the prices it answers */
    struct market_answer answer;
};

struct fleet_memory {             /* the answers of one member, if it has a model */
    struct fleet_answer *answers; /* [n] */
    double *draw_kw;              /* [n x n_step] */
    size_t n, capacity;
};

struct agent_fleet {
    const struct agent_device *devices;
    const uint32_t *bus;
    size_t n_device, n_bus;
    struct agent_horizon horizon;
    struct agent_fleet_settings settings;
    struct agent_book *book;
    uint32_t *member; /* [n_member] devices that are asked, by group */
    uint32_t *place;  /* [n_device] the other way: where in member; FLEET_TOLD: nowhere */
    size_t n_member;
    struct agent_group *groups; /* [n_group] */
    struct fleet_group *inner;  /* [n_group] */
    size_t n_group;
    struct agent_model **models; /* [n_device], NULL where a fast solver answers; or NULL: all */
    struct agent_workspace **workspaces; /* [n_worker] */
    double *scratch;                     /* [n_worker x n_step] */
    double *settled_kw;                  /* [n_member x n_step], NULL before anything is settled */
    bool *is_settled;                    /* [n_member] */
    struct fleet_memory *memory;         /* [n_member]; NULL: no device has a model */
    double *_Atomic past_kw; /* [n_member x n_step], NULL before anyone is asked to stay near */
    struct fleet_interior *interior; /* NULL before the first interior point turn */
};

/* NULL: a fast solver answers. */
static inline struct agent_model *fleet_model(const struct agent_fleet *fleet, size_t device)
{
    return fleet->models ? fleet->models[device] : NULL;
}

/* Members of a part, counted as fleet->member is. */
static inline void fleet_part(const struct fleet_group *group, size_t part, size_t *begin,
                              size_t *end)
{
    *begin = group->first + part * FLEET_PART;
    *end = group->first + group->n;
    if (*end > *begin + FLEET_PART)
        *end = *begin + FLEET_PART;
}

/* Adds one device's answer to a sum. */
static inline void fleet_add(const double *one_kw, const struct market_answer *one, size_t n_step,
                             double *draw_kw, struct market_answer *sum)
{
    sum->cost += one->cost;
    sum->bound += one->bound;
    for (size_t t = 0; t < n_step; t++)
        draw_kw[t] += one_kw[t];
}

/* Sorts the devices that must be asked into groups: member, place, groups, inner. */
WALRAS_NODISCARD enum walras_status fleet_form_groups(struct agent_fleet *fleet,
                                                      struct walras_err *err);

/* Puts the device's name before the error that `status` stands for; returns status. */
enum walras_status fleet_blame(struct agent_fleet *fleet, size_t device, enum walras_status status,
                               struct walras_err *err);

/* One device's answer by whatever solver it has; the error names the device. */
WALRAS_NODISCARD enum walras_status fleet_solve(struct agent_fleet *fleet, size_t device,
                                                unsigned worker, const double *price_per_mwh,
                                                double *draw_kw, struct market_answer *answer,
                                                struct walras_err *err);

/*
 * A member's answer, the same one whenever the prices are the same. Distinct members may be asked
 * at the same time by distinct workers.
 */
WALRAS_NODISCARD enum walras_status fleet_ask(struct agent_fleet *fleet, size_t member,
                                              unsigned worker, const double *price_per_mwh,
                                              double *draw_kw, struct market_answer *answer,
                                              struct walras_err *err);
/* Frees what members have answered. */
void fleet_forget(struct agent_fleet *fleet);

/* market_oracle_ops.settle of integer groups. */
enum walras_status fleet_settle(void *self, size_t n_point, const double *price_per_mwh,
                                const double *weight, double *draw_kw, struct market_answer *answer,
                                struct walras_err *err);

/* market_oracle_ops.interior, of groups that can. */
bool fleet_can_interior(const struct agent_fleet *fleet, const struct fleet_group *group);
enum walras_status fleet_interior_turn(void *self, size_t part, unsigned worker,
                                       struct market_interior *turn, struct walras_err *err);
void fleet_interior_free(struct agent_fleet *fleet);

/* market_oracle_ops.respond_near and respond_curved of convex groups. */
enum walras_status fleet_respond_near(void *self, size_t part, unsigned worker,
                                      const double *price_per_mwh, const struct market_near *near,
                                      double *draw_kw, struct market_answer *answer,
                                      struct walras_err *err);
enum walras_status fleet_respond_curved(void *self, unsigned worker, const double *price_per_mwh,
                                        double *draw_kw, struct market_answer *answer,
                                        double *curvature, struct walras_err *err);

#endif
