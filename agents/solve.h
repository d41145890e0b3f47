/*
 * The best response of one device to prices, by the exact solver for its type.
 *
 * Model    min over the device's set of cost(x) + Σ_t price_t · draw_t · Δ/1000.
 *          battery, ev, thermal: dynamic programming on the slopes of the convex value function
 *          (docs/devices.md), with quadratic costs on its ramps; load, pv, bid, generator without
 * ramp: closed form; generator with ramp: the same slopes with a flat piece; shiftable:
 * enumeration. Others: GLPK (agents/model.h). Ties     are broken in a fixed way: the same question
 * always gets the same answer. A device indifferent between acting and idling idles; a shiftable
 * one takes the earlier start. Threads  one workspace a thread; devices are read only.
 */
#ifndef WALRAS_AGENTS_SOLVE_H
#define WALRAS_AGENTS_SOLVE_H

#include "agents/device.h"
#include "market/oracle.h"

struct agent_workspace; /* scratch for one horizon length, all memory taken in _new */

WALRAS_NODISCARD enum walras_status agent_workspace_new(const struct agent_horizon *horizon,
                                                        struct agent_workspace **made,
                                                        struct walras_err *err);
void agent_workspace_free(struct agent_workspace *workspace);

/*
 * True when agent_solve knows the device: not an exclusive battery, a generator with commitment (or
 * with a ramp limit and more than 32 segments), or an lp device.
 */
bool agent_has_fast_solver(const struct agent_device *device);

/*
 * price_per_mwh [n_step]; draw_kw [n_step] and *answer out. Returns WALRAS_INVALID when the device
 * cannot satisfy its own constraints: the message names the step and what cannot be met (not the
 * device: the caller puts its name before it). Never allocates.
 */
WALRAS_NODISCARD enum walras_status
agent_solve(const struct agent_device *device, const struct agent_horizon *horizon,
            const double *price_per_mwh, struct agent_workspace *workspace, double *draw_kw,
            struct market_answer *answer, struct walras_err *err);

/*
 * As agent_solve, to a question that also pulls the draw towards centre_kw [n_step]: the minimiser
 * of cost(x) + price · x + rho/2 |x − centre|², "·" and |.|² counting Δ/1000 a step. rho >= 0.
 * answer->cost is the device's own; answer->bound is that of the draw at price + rho (x − centre),
 * to which it is the best response. Devices that cannot be near answer the price alone.
 */
WALRAS_NODISCARD enum walras_status
agent_solve_near(const struct agent_device *device, const struct agent_horizon *horizon,
                 const double *price_per_mwh, double rho_per_mwh_per_kw, const double *centre_kw,
                 struct agent_workspace *workspace, double *draw_kw, struct market_answer *answer,
                 struct walras_err *err);

/* A battery that is not exclusive, an ev, a thermal, a generator with ramp limit and no commitment.
 */
bool agent_can_be_near(const struct agent_device *device);

/*
 * As agent_solve; adds to curvature [n_step x n_step] minus the derivative of the draw by the
 * prices, kW per currency/MWh: symmetric, no negative eigenvalue. Nothing for devices without
 * quadratic costs, whose answers jump or stand still. O(T) per pair of steps that share a run
 * between two bounds of the state.
 */
WALRAS_NODISCARD enum walras_status
agent_solve_curved(const struct agent_device *device, const struct agent_horizon *horizon,
                   const double *price_per_mwh, struct agent_workspace *workspace, double *draw_kw,
                   struct market_answer *answer, double *curvature, struct walras_err *err);

/*
 * An exclusive battery's question without the rule against charging and discharging in one step:
 * fast, and a lower bound for the battery itself. *exact: the answer keeps the rule anyway, so it
 * is the battery's best response too. (It can break it only at negative prices.) Other types are
 * WALRAS_UNSUPPORTED. As agent_solve otherwise.
 */
WALRAS_NODISCARD enum walras_status
agent_solve_relaxed(const struct agent_device *device, const struct agent_horizon *horizon,
                    const double *price_per_mwh, struct agent_workspace *workspace, double *draw_kw,
                    struct market_answer *answer, bool *exact, struct walras_err *err);

#endif
