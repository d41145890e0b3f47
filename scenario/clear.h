/*
 * Clearing a scenario in one process: its devices become a fleet, its supply orders, its network
 * limits; the market clears; every device gets its award; the answer is certified.
 *
 * Ownership  the scenario is borrowed and outlives the clearing; the clearing owns all else.
 * Threads    one at a time; settings.market.n_thread workers answer for the devices.
 */
#ifndef WALRAS_SCENARIO_CLEAR_H
#define WALRAS_SCENARIO_CLEAR_H

#include "scenario/certificate.h"
#include "scenario/result.h"

/* For scenario/ac.h: how much tighter limits are, and what the plan's AC power flow is beyond them.
 */
struct scenario_ac_wish {
    const struct scenario_ac *told; /* NULL: no wish */
    const double *tighten_kw;       /* see grid_limits_tighten; NULL: nothing */
    double *breach; /* [(2 n_bus + n_line) x n_step] out: p.u. below, above; share of a line over */
};

struct scenario_clear_settings {
    struct market_settings market;
    bool glpk;      /* ask all devices through GLPK instead of the exact fast solvers */
    size_t n_group; /* about how many groups of convex devices answer together; 0: chosen by size */
    struct scenario_ac_wish ac;
    /*
     * What is known of the losses and learned by clearing, where the scenario has them: the
     * caller's, who keeps it as long as the clearing. NULL: the clearing begins with nothing.
     */
    struct scenario_losses *losses;
    size_t kept_bytes; /* awards that take more are computed when they are asked for; 64 MiB */
    /*
     * Participants that are none of the scenario's: groups [n_guest] behind those of its devices,
     * borrowed. Their draws are in the market's result and in the draws of buses, not among the
     * awards, so that no certificate is made: it is for whoever knows the guests.
     */
    const struct market_group *guests;
    size_t n_guest;
};
struct scenario_clear_settings scenario_clear_settings_defaults(void);

struct scenario_clearing;

/*
 * With losses (scenario->losses) it clears several times, until what is drawn for them is what the
 * plan loses; the last clearing is what is made.
 *
 * A participant that cannot satisfy its own constraints makes the market infeasible: an outcome,
 * with the device and step in the result's `why`. Errors: WALRAS_INVALID (settings, a scenario that
 * cannot be modelled), WALRAS_UNSUPPORTED (losses over several ranks or with guests), WALRAS_NOMEM,
 * WALRAS_INTERNAL.
 */
WALRAS_NODISCARD enum walras_status scenario_clear(const struct scenario *scenario,
                                                   const struct scenario_clear_settings *settings,
                                                   struct scenario_clearing **made,
                                                   struct walras_err *err);
void scenario_clearing_free(struct scenario_clearing *clearing);

/* Lives as long as the clearing. */
const struct scenario_result *scenario_clearing_result(const struct scenario_clearing *clearing);

#endif
