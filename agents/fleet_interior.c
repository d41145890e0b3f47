/*
 * Groups that take part in the market's interior point method: the state of every member, and its
 * turns (agents/interior.h).
 */
#include "agents/fleet_internal.h"
#include "agents/interior.h"

#include <stdlib.h>
#include <string.h>

struct fleet_interior {
    size_t *first; /* [n_member + 1] of memory */
    double *memory;
    struct interior_room **rooms; /* [n_worker] */
};

void fleet_interior_free(struct agent_fleet *fleet)
{
    struct fleet_interior *interior = fleet->interior;

    if (!interior)
        return;
    for (unsigned i = 0; interior->rooms && i < fleet->settings.n_worker; i++)
        interior_room_free(interior->rooms[i]);
    free(interior->rooms);
    free(interior->first);
    free(interior->memory);
    free(interior);
    fleet->interior = NULL;
}

bool fleet_can_interior(const struct agent_fleet *fleet, const struct fleet_group *group)
{
    for (size_t i = group->first; i < group->first + group->n; i++) {
        size_t device = fleet->member[i];

        if (fleet_model(fleet, device) || !agent_describes(fleet->devices[device].type))
            return false;
    }
    return true;
}

static const struct smooth *describe(struct agent_fleet *fleet, size_t member, unsigned worker)
{
    return agent_describe(&fleet->devices[fleet->member[member]], &fleet->horizon,
                          fleet->workspaces[worker]);
}

static enum walras_status take_memory(struct agent_fleet *fleet, struct walras_err *err)
{
    struct fleet_interior *interior = calloc(1, sizeof(*interior));
    unsigned n_worker = fleet->settings.n_worker;
    enum walras_status status = WALRAS_OK;

    fleet->interior = interior;
    if (!interior)
        return walras_fail(err, WALRAS_NOMEM, "cannot take part in the interior point method");
    interior->first = calloc(fleet->n_member + 1, sizeof(*interior->first));
    interior->rooms = calloc(n_worker, sizeof(struct interior_room *));
    if (!interior->first || !interior->rooms)
        return walras_fail(err, WALRAS_NOMEM, "%zu devices do not fit in memory", fleet->n_member);
    for (size_t i = 0; i < fleet->n_member; i++) {
        const struct smooth *device = describe(fleet, i, 0);

        interior->first[i + 1] = interior->first[i] + (device ? interior_size(device) : 0);
    }
    interior->memory = calloc(interior->first[fleet->n_member] + 1, sizeof(*interior->memory));
    if (!fleet->settled_kw)
        fleet->settled_kw =
            calloc(fleet->n_member * fleet->horizon.n_step + 1, sizeof(*fleet->settled_kw));
    if (!interior->memory || !fleet->settled_kw)
        return walras_fail(err, WALRAS_NOMEM, "%zu devices do not fit in memory", fleet->n_member);
    for (unsigned i = 0; i < n_worker && status == WALRAS_OK; i++)
        status = interior_room_new(fleet->horizon.n_step, &interior->rooms[i], err);
    return status;
}

static enum walras_status begin_turns(struct agent_fleet *fleet, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    if (fleet->interior)
        return WALRAS_OK;
    status = take_memory(fleet, err);
    if (status != WALRAS_OK)
        fleet_interior_free(fleet);
    return status;
}

/* The turn of a member whose draw becomes its award. */
static void keep(struct agent_fleet *fleet, size_t member, const struct smooth *device,
                 struct market_interior *turn, unsigned worker)
{
    const struct fleet_interior *interior = fleet->interior;
    size_t n_step = fleet->horizon.n_step;
    double *kept_kw = fleet->settled_kw + member * n_step, *sum_kw = turn->draw_kw;

    memset(kept_kw, 0, n_step * sizeof(*kept_kw));
    turn->draw_kw = kept_kw;
    interior_turn(device, turn, interior->memory + interior->first[member],
                  interior->rooms[worker]);
    turn->draw_kw = sum_kw;
    for (size_t t = 0; t < n_step; t++)
        sum_kw[t] += kept_kw[t];
    fleet->is_settled[member] = true;
}

enum walras_status fleet_interior_turn(void *self, size_t part, unsigned worker,
                                       struct market_interior *turn, struct walras_err *err)
{
    const struct fleet_group *group = self;
    struct agent_fleet *fleet = group->fleet;
    const struct fleet_interior *interior = fleet->interior;
    size_t begin, end;

    if (turn->phase == MARKET_INTERIOR_BEGIN)
        return begin_turns(fleet, err);
    fleet_part(group, part, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const struct smooth *device = describe(fleet, i, worker);

        if (turn->phase == MARKET_INTERIOR_KEEP)
            keep(fleet, i, device, turn, worker);
        else
            interior_turn(device, turn, interior->memory + interior->first[i],
                          interior->rooms[worker]);
    }
    return WALRAS_OK;
}
