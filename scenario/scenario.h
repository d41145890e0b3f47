/*
 * A scenario: one market to clear, read from a file (docs/scenario.md) or a MATPOWER case.
 *
 * Units      power in kW at the terminals, `draw` positive from the grid; prices in currency per
 *            MWh; costs in currency; step t covers [start + t·Δ, start + (t+1)·Δ).
 * Ownership  the scenario owns everything it points to: scenario_release frees it. Ids, series and
 *            lists live in one arena; the network owns its arrays.
 * Threads    read only once it is read.
 */
#ifndef WALRAS_SCENARIO_SCENARIO_H
#define WALRAS_SCENARIO_SCENARIO_H

#include "agents/device.h"
#include "core/arena.h"
#include "core/status.h"
#include "grid/network.h"

#include <stdint.h>

enum {
    SCENARIO_MAX_STEPS = 120000,
    SCENARIO_MAX_STEP_MINUTES = 1440,
    SCENARIO_MAX_DEVICES = 5000000,
    SCENARIO_MAX_BUS_STEPS = 100000000, /* buses x steps */
};

enum scenario_model { SCENARIO_COPPERPLATE, SCENARIO_DC, SCENARIO_LINDISTFLOW };
const char *scenario_model_name(enum scenario_model model);

struct scenario_supply { /* price-taking exchange with the outside */
    const char *id;
    uint32_t bus;
    /* export_price <= price in every step */
    struct walras_series price_per_mwh, export_price_per_mwh;
    struct walras_series import_limit_kw; /* >= 0; INFINITY: unlimited */
    struct walras_series export_limit_kw; /* >= 0; 0: no export */
};

struct scenario_agent {
    const char *id;
    uint32_t bus;
    uint32_t first_device, n_device; /* into scenario.devices */
};

struct scenario {
    const char *name, *currency;
    int64_t start_utc_s;  /* seconds since 1970-01-01 UTC */
    int start_offset_min; /* the offset from UTC that start was written with */
    uint32_t step_min;
    struct agent_horizon horizon; /* the same, as devices see it */
    /*
     * Steps that the series hold: those of the horizon, or of the run that was asked for. What is
     * written for the horizon only (arrays, curves, fleets) repeats with it.
     */
    size_t n_known;
    bool repeats;       /* something that changes from step to step repeats with the horizon */
    uint64_t text_hash; /* of the file's text */
    enum scenario_model model;
    /*
     * Loads and shunts of a case file have become agents ("bus 7", devices "load" and "shunt"):
     * load_* and shunt_* of every bus are 0.
     */
    struct grid_network network;
    double rating_scale;                     /* multiplies every line limit; > 0 */
    double line_overload_price_per_mwh;      /* >= 0; NAN: limits are hard */
    double voltage_violation_price_per_pu_h; /* >= 0; NAN: limits are hard */
    bool
        losses; /* supply covers what lines lose, and prices say what is lost (scenario/losses.h) */
    struct scenario_supply *supplies; /* [n_supply] */
    size_t n_supply;
    struct scenario_agent *agents; /* [n_agent]; those of fleets come after the others */
    size_t n_agent, n_fleet_agent;
    struct agent_device *devices; /* [n_device], by agent; ids are unique within an agent */
    uint32_t *device_agent;       /* [n_device] index into agents */
    size_t n_device;
    struct walras_arena *arena;
};

struct scenario_settings {
    const char *directory; /* paths inside are relative to it; NULL: naming a file is an error */
    size_t max_device;     /* default SCENARIO_MAX_DEVICES */
    size_t max_step;       /* default SCENARIO_MAX_STEPS */
    /*
     * A run of so many days, planned anew every so many steps: series are read on, so that every
     * horizon that begins in it is known to its end. 0 days (default): one horizon.
     */
    unsigned run_days, replan_steps; /* replan_steps 0: every hour, or every step if that is more */
    /*
     * Keep share `rank` of n_rank equal ones only: agents and members of fleets are shared out in
     * order; what a case file brings belongs to share 0. What others keep is not read at all:
     * ids are unique within a share. n_rank 0 (default): all.
     */
    unsigned rank, n_rank;
};
struct scenario_settings scenario_settings_defaults(void);

/*
 * Reads a scenario or, told by its content, a MATPOWER case as a market of its own: one 60-minute
 * step, loads fixed, a generator in row k of the gen table is agent "gen<k>".
 *
 * Returns WALRAS_INVALID with "FILE: /json/path: what was expected" (FILE:LINE:COLUMN for syntax),
 * WALRAS_UNSUPPORTED for what the format has and this version has not, WALRAS_IO when a file cannot
 * be read, WALRAS_NOMEM. On failure *out is untouched.
 */
WALRAS_NODISCARD enum walras_status scenario_read(const char *path, struct scenario *out,
                                                  struct walras_err *err);
/* The same with other settings; their directory is set to the file's. */
WALRAS_NODISCARD enum walras_status scenario_read_with(const char *path,
                                                       const struct scenario_settings *settings,
                                                       struct scenario *out,
                                                       struct walras_err *err);
/* The same from memory; `name` stands for the file in messages. text [size] need not end in NUL. */
WALRAS_NODISCARD enum walras_status scenario_parse(const char *name, const char *text, size_t size,
                                                   const struct scenario_settings *settings,
                                                   struct scenario *out, struct walras_err *err);
void scenario_release(struct scenario *scenario);

/* A run in steps: `length` of them, planned anew every `replan`. */
struct scenario_run_steps {
    size_t length, replan, day, n_window;
};
/*
 * WALRAS_INVALID when a day is not a whole number of steps, the horizon is shorter than
 * replan_steps, or the run longer than SCENARIO_MAX_STEPS.
 */
WALRAS_NODISCARD enum walras_status scenario_run_steps(const struct scenario *scenario,
                                                       const struct scenario_settings *settings,
                                                       struct scenario_run_steps *out,
                                                       struct walras_err *err);

static inline uint32_t scenario_device_bus(const struct scenario *scenario, size_t device)
{
    return scenario->agents[scenario->device_agent[device]].bus;
}

/* RFC 3339 text of the start of a step, at the scenario's own offset; step <= n_step. */
enum { SCENARIO_TIME_TEXT = 32 };
void scenario_step_text(const struct scenario *scenario, size_t step,
                        char text[SCENARIO_TIME_TEXT]);

#endif
