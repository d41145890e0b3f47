/*
 * Kinds of power: what a plan's draws and exchange are added up by for people to look at.
 *
 * Sources come in, uses are drawn. Which kind a device's draw is of follows from its type and sign.
 */
#ifndef WALRAS_SCENARIO_KINDS_H
#define WALRAS_SCENARIO_KINDS_H

#include "agents/device.h"

enum scenario_kind {
    SCENARIO_IMPORT,
    SCENARIO_GENERATION,
    SCENARIO_SUN,
    SCENARIO_DISCHARGE,
    SCENARIO_N_SOURCE,
    SCENARIO_LOADS = SCENARIO_N_SOURCE,
    SCENARIO_FLEXIBLE,
    SCENARIO_HEAT,
    SCENARIO_CARS,
    SCENARIO_CHARGE,
    SCENARIO_EXPORT,
    SCENARIO_N_KIND
};

enum scenario_kind scenario_kind_of(enum agent_device_type type, bool drawn);

#endif
