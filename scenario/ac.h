/*
 * Clearing until the plan keeps its limits on the grid as it is.
 *
 * Model    The market's linear model leaves out what losses do to flows and voltages, so a plan at
 *          its limits may be beyond them in truth (struct scenario_physics). Then the limits of the
 *          model are tightened, in each step by what each bus and line is beyond its own there, and
 *          the market is cleared again from the last prices, until the AC power flow of the plan
 *          keeps all limits, or the tightened market has no plan. Limits are never loosened
 *          (docs/grid.md, "AC-feasible clearing").
 * Ownership  scenario_ac_release frees all of it; the scenario is borrowed.
 * Threads    as scenario_clear.
 */
#ifndef WALRAS_SCENARIO_AC_H
#define WALRAS_SCENARIO_AC_H

#include "scenario/clear.h"

struct scenario_ac_run {
    struct scenario_ac told;            /* what results say of it: result->ac */
    double *breach;                     /* of the last plan: struct scenario_ac_wish */
    double *tighten_kw;                 /* for grid_limits_tighten */
    struct scenario_losses *losses;     /* learned by all clearings; NULL: the market has none */
    struct scenario_clearing *clearing; /* the last that has a plan, or the first */
};

/* Keeping a limit to this counts as keeping it: p.u. of voltage, share of a line's limit. */
#define SCENARIO_AC_TOLERANCE 1e-5

/*
 * WALRAS_UNSUPPORTED: several ranks, or soft limits; else as scenario_clear. That no plan keeps the
 * limits is in told.why.
 */
WALRAS_NODISCARD enum walras_status
scenario_clear_ac(const struct scenario *scenario, const struct scenario_clear_settings *settings,
                  struct scenario_ac_run *run, struct walras_err *err);
void scenario_ac_release(struct scenario_ac_run *run);

#endif
