/*
 * Proof that an answer of a battery, ev or thermal with quadratic costs is the best one.
 *
 * Weak duality: for any price of the state at the end of each step, the least value of the
 * Lagrangian is a lower bound of every plan's. The prices are guessed from the answer (its
 * stationarity in each step); a wrong guess gives a poor bound, never a false proof. Written from
 * the devices' equations; shares nothing with the solver.
 */
#ifndef WALRAS_TESTS_DUAL_BOUND_H
#define WALRAS_TESTS_DUAL_BOUND_H

#include "agents/device.h"

struct dual_question {
    const struct agent_device *device;
    const struct agent_horizon *horizon;
    const double *price_per_mwh;
    double rho_per_mwh_per_kw;
    const double *centre_kw; /* NULL when rho is 0 */
};

struct dual_plan { /* [n_step] each; state at the end of a step, minus the temperature if it cools
                    */
    const double *charge_kw, *discharge_kw, *state;
};

/*
 * The plan's value (cost, energy and the pull to the centre, currency), a lower bound of every
 * plan's, the size of the terms summed, and what the rounding of states is worth. *breach: the most
 * that the plan breaks its own equations or bounds by, kW and kWh or K.
 */
void dual_bound(const struct dual_question *question, const struct dual_plan *plan, double *value,
                double *bound, double *size, double *hidden, double *breach);

#endif
