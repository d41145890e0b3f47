/*
 * The AC power flow of a MATPOWER case or of one step of a scenario: for `walras powerflow`.
 *
 * Model    grid/powerflow.h. Of a case: its loads, and its generators at the power and voltage of
 *          the table. Of a scenario: the draws that it fixes (loads, those that could be shed too,
 *          and pv that cannot be curtailed; all else draws nothing), or those of a plan, with what
 *          the plan imports and exports at other buses than the slack, which takes the rest.
 *          Reactive draws are those of loads, and p · tan(acos(power_factor)).
 * Ownership  scenario_powerflow_release frees all of it.
 * Threads  one at a time.
 */
#ifndef WALRAS_SCENARIO_POWERFLOW_H
#define WALRAS_SCENARIO_POWERFLOW_H

#include "grid/matpower.h"
#include "grid/powerflow.h"
#include "scenario/scenario.h"

#include <stdint.h>
#include <stdio.h>

#define SCENARIO_ANY_STEP SIZE_MAX

struct scenario_powerflow_settings {
    size_t step;        /* of a scenario; SCENARIO_ANY_STEP (default): the one of largest draw */
    const char *result; /* directory that `walras clear --out` wrote; NULL (default): fixed draws */
};
struct scenario_powerflow_settings scenario_powerflow_settings_defaults(void);

enum scenario_powerflow_of {
    SCENARIO_POWERFLOW_CASE,
    SCENARIO_POWERFLOW_FIXED,
    SCENARIO_POWERFLOW_PLAN
};

struct scenario_powerflow {
    enum scenario_powerflow_of of;
    struct grid_case from;    /* of a case; else empty */
    struct scenario scenario; /* of a scenario; else empty */
    size_t step;              /* of a scenario */
    struct grid_powerflow *flow;
    double *injection_kw, *injection_kvar, *hold_v_pu; /* [n_bus] what was asked */
    struct grid_powerflow_solution solution;
    double *loss_factor_kw, *loss_factor_kvar; /* [n_bus] of a solution: grid/powerflow.h */
};

/*
 * Reads and solves. That there is no solution is in out->solution.outcome. Failures are those of
 * scenario_read and grid_case_read, "FILE: …"; WALRAS_INVALID too for a step that is not there, a
 * result of another scenario or without a plan, and settings that a case has no use for. On failure
 * *out is empty.
 */
WALRAS_NODISCARD enum walras_status
scenario_powerflow_run(const char *path, const struct scenario_powerflow_settings *settings,
                       struct scenario_powerflow *out, struct walras_err *err);
void scenario_powerflow_release(struct scenario_powerflow *run);

static inline const struct grid_network *
scenario_powerflow_network(const struct scenario_powerflow *run)
{
    return run->of == SCENARIO_POWERFLOW_CASE ? &run->from.network : &run->scenario.network;
}
static inline const char *scenario_powerflow_name(const struct scenario_powerflow *run)
{
    return run->of == SCENARIO_POWERFLOW_CASE ? run->from.name : run->scenario.name;
}

/* Why there is no solution, for people. */
enum { SCENARIO_POWERFLOW_WHY = 400 };
void scenario_powerflow_why(const struct scenario_powerflow *run,
                            char text[SCENARIO_POWERFLOW_WHY]);
/* Of a solved one. The JSON is described in docs/grid.md. */
void scenario_powerflow_print_json(const struct scenario_powerflow *run, FILE *file);
/* For people: at most n_row buses, the worst first, and as many lines. WALRAS_NOMEM. */
WALRAS_NODISCARD enum walras_status scenario_powerflow_print(const struct scenario_powerflow *run,
                                                             size_t n_row, FILE *file,
                                                             struct walras_err *err);

#endif
