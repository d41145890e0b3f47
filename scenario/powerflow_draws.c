#include "scenario/nodes.h"
#include "scenario/powerflow_internal.h"

#include <math.h>

/* What the device draws whatever the price. */
static double fixed_draw_kw(const struct agent_device *device, size_t step)
{
    if (device->type == AGENT_LOAD)
        return walras_series_at(device->load.draw_kw, step);
    if (device->type == AGENT_PV && !device->pv.curtailable)
        return -walras_series_at(device->pv.available_kw, step);
    return 0.0;
}

static double draw_of(const struct scenario_powerflow *run, const struct powerflow_plan *plan,
                      size_t device, size_t step)
{
    const struct scenario *s = &run->scenario;

    return plan ? plan->draw_kw[device * s->horizon.n_step + step]
                : fixed_draw_kw(&s->devices[device], step);
}

static size_t step_of_largest_draw(const struct scenario_powerflow *run,
                                   const struct powerflow_plan *plan)
{
    double largest_kw = -INFINITY;
    size_t found = 0;

    for (size_t t = 0; t < run->scenario.horizon.n_step; t++) {
        double sum_kw = 0.0;

        for (size_t d = 0; d < run->scenario.n_device; d++)
            sum_kw += draw_of(run, plan, d, t);
        if (sum_kw > largest_kw) {
            largest_kw = sum_kw;
            found = t;
        }
    }
    return found;
}

void powerflow_take_draws(struct scenario_powerflow *run, const struct powerflow_plan *plan)
{
    const struct scenario *s = &run->scenario;
    size_t n_step = s->horizon.n_step;

    if (run->step == SCENARIO_ANY_STEP)
        run->step = step_of_largest_draw(run, plan);
    for (size_t b = 0; b < s->network.n_bus; b++) {
        run->injection_kw[b] = run->injection_kvar[b] = 0.0;
        run->hold_v_pu[b] = NAN;
    }
    for (size_t d = 0; d < s->n_device; d++) {
        double kw = draw_of(run, plan, d, run->step);
        struct scenario_reactive reactive = scenario_reactive_of(&s->devices[d], run->step);

        run->injection_kw[scenario_device_bus(s, d)] -= kw;
        run->injection_kvar[scenario_device_bus(s, d)] -=
            reactive.fixed_kvar + reactive.kvar_per_kw * kw;
    }
    for (size_t b = 0; b < s->network.n_bus && plan; b++)
        run->injection_kvar[b] -= plan->inverter_kvar[b * n_step + run->step];
    for (size_t i = 0; i < s->n_supply && plan; i++)
        run->injection_kw[s->supplies[i].bus] += plan->supply_kw[i * n_step + run->step];
}
