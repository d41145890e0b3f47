/*
 * Newton's method on the power balance, in polar coordinates.
 *
 * Model    docs/grid.md, equations A4 to A8. Unknowns are angles and relative magnitudes of all
 *          buses, those that are fixed (both at the slack, the magnitude at a bus that holds its
 *          voltage) with a row that says so: the pattern, ordered once, fits any choice of them.
 *          Near a solution the factors of an older Jacobian do nearly as well, for a fraction of
 *          the time.
 * Units    per unit, rad.
 *
 * Only grid/newton.c and grid/powerflow.c include this.
 */
#ifndef WALRAS_GRID_NEWTON_INTERNAL_H
#define WALRAS_GRID_NEWTON_INTERNAL_H

#include "grid/admittance_internal.h"

struct grid_newton_target {
    const double *p, *q; /* [n_bus] injections */
    double share;        /* of them that is wanted */
    const bool *slack;   /* [n_bus] whether the bus holds its angle; p is not read there */
    const bool *held;    /* [n_bus] whether the bus holds its magnitude; q is not read there */
    double tolerance;
    unsigned max_iterations;
    /* Begin with the factors of the run before, and keep to them while they make good progress. */
    bool near_last;
};

struct grid_newton_end {
    bool converged;
    unsigned iterations;
};

struct grid_newton;

/* `y` is borrowed. WALRAS_UNSUPPORTED or WALRAS_NOMEM. */
WALRAS_NODISCARD enum walras_status
grid_newton_new(const struct grid_admittance *y, struct grid_newton **made, struct walras_err *err);
void grid_newton_free(struct grid_newton *newton);

/* Where it stands, [n_bus] each: set before a run, moved by it. */
double *grid_newton_magnitude(struct grid_newton *newton);
double *grid_newton_angle(struct grid_newton *newton);
/* Injections at the voltages that were last looked at. */
const double *grid_newton_p(const struct grid_newton *newton);
const double *grid_newton_q(const struct grid_newton *newton);

/* Steps until the balance holds. That it does not is no failure: that is WALRAS_NOMEM. */
WALRAS_NODISCARD enum walras_status grid_newton_run(struct grid_newton *newton,
                                                    const struct grid_newton_target *target,
                                                    struct grid_newton_end *end,
                                                    struct walras_err *err);
/*
 * Goes to the voltages at which no bus but the slacks injects anything: a linear problem. The
 * slacks stand at their voltages. False: these are not determined.
 */
bool grid_newton_go_idle(struct grid_newton *newton, const bool *slack);
/*
 * At the solution where it stands: what 1 injected as P or Q at each bus changes of what the slacks
 * inject, [n_bus] each; a slack's own P is 1, what is held is 0. One solve with the transposed
 * Jacobian (docs/grid.md, A10). False: it is singular there, or memory lacks.
 */
bool grid_newton_slack_effect(struct grid_newton *newton, const struct grid_newton_target *target,
                              double *by_p, double *by_q);
/* Only looks: the mismatch where it stands. */
double grid_newton_look(struct grid_newton *newton, const struct grid_newton_target *target);

#endif
