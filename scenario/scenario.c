#include "scenario/scenario.h"

#include "core/clock.h"

#include <stdlib.h>

const char *scenario_model_name(enum scenario_model model)
{
    static const char *const names[] = {"copperplate", "dc", "lindistflow"};

    return names[model];
}

struct scenario_settings scenario_settings_defaults(void)
{
    return (struct scenario_settings){.max_device = SCENARIO_MAX_DEVICES,
                                      .max_step = SCENARIO_MAX_STEPS};
}

void scenario_release(struct scenario *scenario)
{
    if (!scenario)
        return;
    grid_network_release(&scenario->network);
    free(scenario->supplies);
    free(scenario->agents);
    free(scenario->devices);
    free(scenario->device_agent);
    walras_arena_free(scenario->arena);
    *scenario = (struct scenario){0};
}

void scenario_step_text(const struct scenario *scenario, size_t step, char text[SCENARIO_TIME_TEXT])
{
    int64_t since_s = (int64_t)step * 60 * scenario->step_min;

    walras_time_format(scenario->start_utc_s + since_s, scenario->start_offset_min, text);
}
