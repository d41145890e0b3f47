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

enum walras_status scenario_run_steps(const struct scenario *scenario,
                                      const struct scenario_settings *settings,
                                      struct scenario_run_steps *out, struct walras_err *err)
{
    size_t n_step = scenario->horizon.n_step, day = 1440 / scenario->step_min;
    size_t hour = scenario->step_min < 60 ? 60 / scenario->step_min : 1;
    size_t replan = settings->replan_steps ? settings->replan_steps : hour < n_step ? hour : n_step;

    if (1440 % scenario->step_min != 0)
        return walras_fail(err, WALRAS_INVALID,
                           "a run is in days: step_minutes must divide 1440, got %u",
                           scenario->step_min);
    if (replan > n_step)
        return walras_fail(err, WALRAS_INVALID,
                           "planning anew every %zu steps needs a horizon of at least as many, it "
                           "has %zu",
                           replan, n_step);
    size_t length = settings->run_days * day, n_window = (length + replan - 1) / replan;

    if (length == 0 || (n_window - 1) * replan + n_step > SCENARIO_MAX_STEPS)
        return walras_fail(err, WALRAS_INVALID,
                           "a run of %u days and a horizon have more than %d steps together",
                           settings->run_days, SCENARIO_MAX_STEPS);
    *out = (struct scenario_run_steps){length, replan, day, n_window};
    return WALRAS_OK;
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
