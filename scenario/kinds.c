#include "scenario/kinds.h"

#include <assert.h>

enum scenario_kind scenario_kind_of(enum agent_device_type type, bool drawn)
{
    static const enum scenario_kind uses[] = {
        [AGENT_LOAD] = SCENARIO_LOADS,      [AGENT_PV] = SCENARIO_LOADS,
        [AGENT_BATTERY] = SCENARIO_CHARGE,  [AGENT_EV] = SCENARIO_CARS,
        [AGENT_THERMAL] = SCENARIO_HEAT,    [AGENT_SHIFTABLE] = SCENARIO_FLEXIBLE,
        [AGENT_GENERATOR] = SCENARIO_LOADS, [AGENT_BID] = SCENARIO_FLEXIBLE,
        [AGENT_LP] = SCENARIO_FLEXIBLE,
    };
    static const enum scenario_kind sources[] = {
        [AGENT_LOAD] = SCENARIO_GENERATION,      [AGENT_PV] = SCENARIO_SUN,
        [AGENT_BATTERY] = SCENARIO_DISCHARGE,    [AGENT_EV] = SCENARIO_DISCHARGE,
        [AGENT_THERMAL] = SCENARIO_GENERATION,   [AGENT_SHIFTABLE] = SCENARIO_GENERATION,
        [AGENT_GENERATOR] = SCENARIO_GENERATION, [AGENT_BID] = SCENARIO_GENERATION,
        [AGENT_LP] = SCENARIO_GENERATION,
    };
    static_assert(sizeof(uses) / sizeof(uses[0]) == AGENT_N_TYPE, "a use for every type");
    static_assert(sizeof(sources) / sizeof(sources[0]) == AGENT_N_TYPE, "a source for every type");

    return drawn ? uses[type] : sources[type];
}
