/*
 * The parts of the power flow of a scenario. Only scenario/powerflow*.c include this.
 */
#ifndef WALRAS_SCENARIO_POWERFLOW_INTERNAL_H
#define WALRAS_SCENARIO_POWERFLOW_INTERNAL_H

#include "scenario/powerflow.h"

/* A plan as `walras clear --out` wrote it, checked to be of this scenario. */
struct powerflow_plan {
    double *draw_kw;       /* [n_device x n_step] */
    double *supply_kw;     /* [n_supply x n_step] import less export */
    double *inverter_kvar; /* [n_bus x n_step] what inverters draw of their own */
};

WALRAS_NODISCARD enum walras_status powerflow_plan_read(const struct scenario *scenario,
                                                        const char *directory,
                                                        struct powerflow_plan *out,
                                                        struct walras_err *err);
void powerflow_plan_release(struct powerflow_plan *plan);

/* Sets run->step where it is open, and the injections. `plan` NULL: the fixed draws. */
void powerflow_take_draws(struct scenario_powerflow *run, const struct powerflow_plan *plan);

#endif
