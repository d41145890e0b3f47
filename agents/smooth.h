/*
 * Storage with quadratic costs: the exact solver that battery, ev and thermal share. Private to
 * agents.
 *
 * Model    x' = keep·x + drift + in·c − out·d, 0 <= c <= charge_kw, 0 <= d <= discharge_kw, bounds
 *          on every x', at the cost of (docs/devices.md, eq. 29-31)
 *              Δ Σ (λ + wear) c − (λ − wear) d + curve/2 (c² + d²) + rho/2 (c − d − centre)²
 *            + Σ stiff/2 (x' − target)² + bends at two places of x' a step.
 *          Dynamic programming on x as a function of the marginal value of x, which is
 *          nondecreasing and piecewise linear (eq. 32-35).
 * Units    values in thousandths of the currency, so that a price per MWh is a slope per kWh.
 * Threads  one workspace a thread. Never allocates.
 */
#ifndef WALRAS_AGENTS_SMOOTH_H
#define WALRAS_AGENTS_SMOOTH_H

#include "agents/device.h"

struct smooth_step {
    double in_per_kw, drift;     /* change of state */
    double low, high;            /* of the state at the end of the step */
    double bend_low, bend_below; /* below bend_low the cost falls by bend_below per unit */
    double bend_high, bend_above;
    double target; /* of the stiff cost */
};

struct smooth {
    size_t first, end; /* steps */
    double step_h, keep, out_per_kw;
    double charge_kw, discharge_kw;
    double wear_per_mwh, curve, rho; /* the last two: per MWh and kW */
    const double *price_per_mwh;
    const double *centre_kw; /* read when rho > 0 */
    double start, slack;     /* slack: what a state may miss by rounding */
    bool is_reach; /* low and high only say what can be reached: nothing but rounding misses them */
    double stiff;
    const struct smooth_step *step; /* [end], filled from `first` on */
};

struct smooth_relation; /* smooth_curvature.c */

/* Memory for horizons of n_step. */
struct smooth_room {
    size_t n_step;
    struct smooth_step *step;                 /* [n_step] for the caller to describe a device in */
    double *charge_kw, *discharge_kw, *state; /* [n_step] out; state: at the end of a step */

    double *rest, *change; /* [n_policy] policies */
    size_t n_policy;
    size_t *first, *n; /* [n_step] where a step's policy lies */
    double *mu[2], *scratch;
    struct smooth_relation *relation; /* [n_step] */
};

/* smooth_room_take: false when there is no memory; release in any case. */
bool smooth_room_take(struct smooth_room *room, size_t n_step);
void smooth_room_release(struct smooth_room *room);
size_t smooth_relation_size(void);

/*
 * Writes charge_kw, discharge_kw and state from step `first` on. False: some state cannot be kept
 * within its bounds. O(T) knots a step at worst, O(T²) time.
 */
WALRAS_NODISCARD bool smooth_solve(const struct smooth *smooth, struct smooth_room *room);

/*
 * Adds minus the derivative of the draw by the prices (eq. 37-40) to curvature [n_step x n_step]:
 * of the answer that smooth_solve has just left in the room, with rho = 0.
 */
void smooth_curvature(const struct smooth *smooth, struct smooth_room *room, double *curvature);

/* The last question with quadratic terms and its answer, for those who judge it. */
struct agent_workspace;
const struct smooth *smooth_asked(const struct agent_workspace *workspace);
const struct smooth_room *smooth_answered(const struct agent_workspace *workspace);

/* The best charge and discharge of a step as the marginal value mu of the state rises (eq. 33). */
enum { SMOOTH_MOVES = 12 };

struct smooth_move {
    size_t n;
    double mu[SMOOTH_MOVES];     /* nondecreasing */
    double change[SMOOTH_MOVES]; /* of the state, nonincreasing; constant beyond the ends */
    double charge_kw[SMOOTH_MOVES], discharge_kw[SMOOTH_MOVES]; /* linear between */
};

void smooth_move_of(const struct smooth *smooth, size_t t, struct smooth_move *move);

#endif
