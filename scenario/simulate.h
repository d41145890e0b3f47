/*
 * A run: a scenario cleared again and again, each time a window's length ahead, of which the first
 * steps are done before the next clearing looks on from what has come of them.
 *
 * Model    docs/simulation.md. Steps are those of the run; money is what the committed draws cost,
 *          as audited step by step, not what the windows' plans promised.
 * Ownership  the scenario is borrowed and outlives the simulation; it was read with run_days > 0.
 * Threads  one at a time; settings.clear.market.n_thread workers answer for the devices.
 */
#ifndef WALRAS_SCENARIO_SIMULATE_H
#define WALRAS_SCENARIO_SIMULATE_H

#include "scenario/clear.h"
#include "scenario/kinds.h"

struct scenario_simulate_settings {
    struct scenario_clear_settings clear;
    struct scenario_settings read; /* the scenario was read with these */
    bool cold;                     /* begin every clearing without the prices of the one before */
    unsigned n_warm_point;         /* prices asked again in a warm first round; 1: only the best */
};
struct scenario_simulate_settings scenario_simulate_settings_defaults(void);

struct scenario_run_window { /* one clearing, and what was committed of it */
    size_t first_step, n_committed;
    bool warm, clean;
    enum market_outcome outcome;
    unsigned n_rounds;
    uint64_t n_responses;
    double objective, bound, gap; /* of the plan for the whole window */
    double max_imbalance_kw, max_line_breach_kw, max_device_breach; /* certificate */
    double committed_cost, seconds;
};

struct scenario_run_day { /* 24 hours from the start of the run */
    double device_cost, supply_cost, breach_cost;
    double import_kwh, export_kwh, import_cost, export_income;
};

struct scenario_run { /* what has been done so far */
    const struct scenario *scenario;
    struct scenario_run_steps steps;
    size_t n_done;                       /* steps committed */
    struct scenario_run_window *windows; /* [n_window] */
    size_t n_window;
    struct scenario_run_day *days; /* [n_day] */
    size_t n_day;                  /* of the whole run; the last ones may still be empty */
    /* Row-major, [… x steps.length]; what is not done yet is 0. */
    double *price_per_mwh;         /* [n_bus x …] */
    double *import_kw, *export_kw; /* [n_supply x …] */
    double *kind_kw;               /* [SCENARIO_N_KIND x …] >= 0 */
    enum market_outcome outcome;   /* of the last clearing: not converged ends nothing but … */
    bool failed;                   /* … no plan does: the window cannot be cleared */
    bool stopped;                  /* progress said so */
    char why[600];                 /* failed: what cannot be met, and when */
};

struct scenario_simulation;

/*
 * Errors, before anything is cleared: WALRAS_INVALID (settings; something that repeats with a
 * horizon of no whole number of days), WALRAS_UNSUPPORTED (a device whose state nobody can know),
 * WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status
scenario_simulation_new(const struct scenario *scenario,
                        const struct scenario_simulate_settings *settings,
                        struct scenario_simulation **made, struct walras_err *err);
void scenario_simulation_free(struct scenario_simulation *simulation);

/* Lives as long as the simulation; changes with every advance. */
const struct scenario_run *scenario_simulation_run(const struct scenario_simulation *simulation);
bool scenario_simulation_over(const struct scenario_simulation *simulation);

/*
 * Clears the next window and commits its first steps. A window that was stopped, or has no plan,
 * commits nothing: the run says so. A simulation that is over must not be advanced.
 */
WALRAS_NODISCARD enum walras_status
scenario_simulation_advance(struct scenario_simulation *simulation, struct walras_err *err);

/*
 * The draws that the last advance committed, [n_device x n] of the run's devices, kW, for the n
 * steps before run->n_done. NULL when nothing was.
 */
const double *scenario_simulation_committed(const struct scenario_simulation *simulation,
                                            size_t *n);

/*
 * Everything that going on needs, as a JSON file; and taking it up in a new simulation of the same
 * scenario and settings. A simulation that was loaded goes on exactly as the one that was saved.
 * Loading trusts nothing: WALRAS_INVALID "FILE: /path: what" when the state is of another market,
 * other settings, another version, or damaged; the simulation is then as it was.
 */
WALRAS_NODISCARD enum walras_status
scenario_simulation_save(const struct scenario_simulation *simulation, const char *path,
                         struct walras_err *err);
WALRAS_NODISCARD enum walras_status scenario_simulation_load(struct scenario_simulation *simulation,
                                                             const char *path,
                                                             struct walras_err *err);
/* The same from memory; `name` stands for the file in messages. */
WALRAS_NODISCARD enum walras_status
scenario_simulation_parse(struct scenario_simulation *simulation, const char *name,
                          const char *text, size_t size, struct walras_err *err);

#endif
