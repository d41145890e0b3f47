/*
 * Fleets: a seeded generator of ordinary devices (docs/scenario.md, "Fleets", has the numbers).
 *
 * The k-th device of a fleet is the same on every machine: choices are whole numbers drawn from
 * core/rng.h, turned into quantities by +, −, ×, ÷ only. Devices of one kind go round the fleet's
 * buses. Series come from a small catalogue per fleet, so that a million devices share a few
 * hundred of them.
 */
#ifndef WALRAS_SCENARIO_FLEETS_H
#define WALRAS_SCENARIO_FLEETS_H

#include "scenario/read_internal.h"

#define SCENARIO_FLEET_LIST(X)                                                                     \
    X(LOAD, "load")                                                                                \
    X(PV, "pv")                                                                                    \
    X(BATTERY, "battery")                                                                          \
    X(EV, "ev")                                                                                    \
    X(V2G, "v2g")                                                                                  \
    X(THERMAL, "thermal")                                                                          \
    X(SHIFTABLE, "shiftable")

enum scenario_fleet_kind {
#define X(name, text) SCENARIO_FLEET_##name,
    SCENARIO_FLEET_LIST(X)
#undef X
        SCENARIO_FLEET_KINDS
};

struct scenario_fleet {
    const char *id;
    size_t count;
    uint64_t seed;
    const uint32_t *buses; /* [n_bus] */
    size_t n_bus;
    double share[SCENARIO_FLEET_KINDS]; /* >= 0, sum 1 */
};

/* Adds agents "<id>-1" … "<id>-<count>", each with one device named after its kind. */
WALRAS_NODISCARD enum walras_status scenario_add_fleet(struct scenario_reader *reader,
                                                       const struct scenario_fleet *fleet,
                                                       struct walras_err *err);

#endif
