/*
 * Devices: the private optimisation problems behind the market's questions.
 *
 * Model    the table "devices" of docs/scenario.md, one struct per type, same names and units.
 *          draw_kw is positive from the grid. Series hold one value per step.
 * Ownership  a device borrows its id and series.
 * Threads  read only.
 */
#ifndef WALRAS_AGENTS_DEVICE_H
#define WALRAS_AGENTS_DEVICE_H

#include "core/series.h"
#include "core/status.h"

#include <stdint.h>

struct agent_horizon {
    size_t n_step;
    double step_h; /* Δ */
};

#define AGENT_DEVICE_LIST(X)                                                                       \
    X(LOAD, "load")                                                                                \
    X(PV, "pv")                                                                                    \
    X(BATTERY, "battery")                                                                          \
    X(EV, "ev")                                                                                    \
    X(THERMAL, "thermal")                                                                          \
    X(SHIFTABLE, "shiftable")                                                                      \
    X(GENERATOR, "generator")                                                                      \
    X(BID, "bid")                                                                                  \
    X(LP, "lp")

enum agent_device_type {
#define X(name, text) AGENT_##name,
    AGENT_DEVICE_LIST(X)
#undef X
};

/* How many types there are: tables by type are of that length. Not a type, so not among them. */
enum {
#define X(name, text) AGENT_INDEX_##name,
    AGENT_DEVICE_LIST(X)
#undef X
        AGENT_N_TYPE
};

struct agent_load {
    struct walras_series draw_kw, draw_kvar;
    double shed_price_per_mwh; /* NAN: firm */
};

struct agent_pv {
    struct walras_series available_kw;
    double cost_per_mwh;
    double apparent_kva; /* of the inverter, which may give or take kvar; 0: it does not */
    bool curtailable;
};

struct agent_battery {
    double capacity_kwh, charge_kw, discharge_kw;
    double charge_efficiency, discharge_efficiency;
    double start_kwh, end_min_kwh, min_kwh;
    double loss_per_hour, wear_per_mwh;
    double wear_per_mw2h; /* currency per hour for (charge² + discharge²) in MW² */
    double apparent_kva;  /* as of a pv */
    bool exclusive;       /* no charging and discharging in one step: integer */
};

struct agent_ev {
    uint32_t arrive, depart; /* plugged in during [arrive, depart) */
    double
        energy_kwh; /* by departure start_kwh + energy_kwh are wanted; < 0: it may give some away */
    double charge_kw, discharge_kw, efficiency;
    double capacity_kwh, start_kwh, wear_per_mwh;
    double wear_per_mw2h;          /* as of a battery */
    double apparent_kva;           /* as of a pv, while it is there */
    double unserved_price_per_mwh; /* NAN: must be served */
};

struct agent_thermal {
    bool cool;
    double max_kw, capacity_kwh_per_k, conductance_kw_per_k, start_c;
    struct walras_series cop, min_c, max_c, outdoor_c, gain_kw;
    double comfort_price_per_kh;   /* NAN: hard band */
    double discomfort_per_k2h;     /* currency per hour for (temperature − target)² in K² */
    struct walras_series target_c; /* values NULL: the middle of the band */
};

static inline double agent_thermal_target_c(const struct agent_thermal *thermal, size_t step)
{
    if (thermal->target_c.values)
        return walras_series_at(thermal->target_c, step);
    return 0.5 * (walras_series_at(thermal->min_c, step) + walras_series_at(thermal->max_c, step));
}

struct agent_shiftable {
    const double *profile_kw; /* [n_profile] */
    uint32_t n_profile, earliest, latest;
};

struct agent_segment {
    double width_kw, price_per_mwh;
};

struct agent_generator {
    double min_kw, max_kw;
    const struct agent_segment
        *segments; /* [n_segment], rising prices, from 0 kW; NULL: `cost` below */
    uint32_t n_segment;
    double per_mw2h, per_mwh, per_h; /* currency per hour for g in MW */
    double ramp_kw_per_h;            /* INFINITY: none; binds between steps */
    bool follows;        /* it has run before: the ramp limit binds in step 0 too, from before_kw */
    double before_kw;    /* output just before step 0; only read when it follows */
    uint32_t hold_steps; /* committed: so many steps it stays on or off as it was at the start */
    double start_cost;
    uint32_t min_up_steps, min_down_steps; /* 0 or 1: none */
    bool on_at_start;
    bool committed; /* any of the commitment keys was given: on/off is a decision, integer */
};

struct agent_bid {
    const struct agent_segment *demand, *offer; /* all lists, one after the other */
    const uint32_t *demand_first, *offer_first; /* step t's blocks: [first[t], first[t + 1]); NULL:
                                                   no blocks */
    bool one_list; /* the same list in every step: first has 2 entries */
};

struct agent_lp {
    const char *path; /* resolved */
};

struct agent_device {
    enum agent_device_type type;
    const char *id;
    double power_factor; /* 1: none; signed, positive lagging */
    union {
        struct agent_load load;
        struct agent_pv pv;
        struct agent_battery battery;
        struct agent_ev ev;
        struct agent_thermal thermal;
        struct agent_shiftable shiftable;
        struct agent_generator generator;
        struct agent_bid bid;
        struct agent_lp lp;
    };
};

const char *agent_device_type_name(enum agent_device_type type);

/*
 * True when the device has integer decisions, so that its answers are not convex combinations. An
 * `lp` device counts as integer: its file is not read here.
 */
bool agent_device_is_integer(const struct agent_device *device);

/*
 * True when the device's choice in one step never bears on another step and is convex: it can be
 * told to the market as orders (agent_device_orders) instead of being asked.
 */
bool agent_device_is_separable(const struct agent_device *device);

/* Quadratic costs (per MW²h, K²h) up to this are none: their inverse stays a number. */
#define AGENT_NO_SQUARE 1e-90

/* True when the device has a quadratic cost, so that its answer moves steadily with prices. */
bool agent_device_is_smooth(const struct agent_device *device);

/* Apparent power of the device's inverter; 0: none that gives kvar of its own. */
double agent_device_apparent_kva(const struct agent_device *device);
/*
 * The kvar that the inverter can give or take in a step in which it has no kW; with kW it has less:
 * the two stay in its circle together.
 */
double agent_device_reach_kvar(const struct agent_device *device, size_t step);

/*
 * Judges the parameters (ranges, not reachability). Names are for `what` (the caller's place, put
 * before the key): "battery: capacity_kwh must be > 0, got -1".
 */
WALRAS_NODISCARD enum walras_status agent_device_check(const struct agent_device *device,
                                                       const struct agent_horizon *horizon,
                                                       struct walras_err *err);

#endif
