/*
 * One storage-like device's share of an interior point iteration of the whole market. Private to
 * agents.
 *
 * Model    that of agents/smooth.h: charge c, discharge d and state e at the end of each step, each
 *          between two bounds, a row a step that leads from one state to the next, costs of the
 *          state that bend at two places. A slack and a multiplier for every bound; the value y of
 *          the state for every row. For given prices a Newton step needs one tridiagonal system;
 *          minus the derivative of the draw by the prices is
 *              S = Θ_c + Θ_d - B K⁻¹ B,   B = diag(in Θ_c + out Θ_d)
 *          with K tridiagonal and K⁻¹ written out row by row (docs/devices.md, eq. 43-50).
 * Units    kW, the state's own unit, currency/MWh: multipliers of bounds on power are prices.
 * State    kept by the caller from call to call: interior_size numbers.
 * Threads  one room a thread. Never allocates but for rooms.
 */
#ifndef WALRAS_AGENTS_INTERIOR_H
#define WALRAS_AGENTS_INTERIOR_H

#include "agents/smooth.h"
#include "agents/solve.h"
#include "market/oracle.h"

/*
 * A storage-like device (battery, ev, thermal) as smooth_solve sees it, without a question: what
 * turns are about. Valid until the workspace is used for another. NULL: another type.
 */
const struct smooth *agent_describe(const struct agent_device *device,
                                    const struct agent_horizon *horizon,
                                    struct agent_workspace *workspace);
bool agent_describes(enum agent_device_type type);

struct interior_room; /* scratch for one horizon */

WALRAS_NODISCARD enum walras_status interior_room_new(size_t n_step, struct interior_room **made,
                                                      struct walras_err *err);
void interior_room_free(struct interior_room *room);

/* Numbers of state for a device. */
size_t interior_size(const struct smooth *device);

/*
 * One turn (market/oracle.h) of one device: `device` describes it, price_per_mwh and the like are
 * the market's. Adds to what the turn gathers.
 */
void interior_turn(const struct smooth *device, struct market_interior *turn, double *state,
                   struct interior_room *room);

#endif
