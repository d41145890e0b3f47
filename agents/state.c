#include "agents/state.h"

#include <math.h>

struct agent_state agent_state_first(const struct agent_device *device)
{
    const struct agent_generator *generator = &device->generator;

    switch (device->type) {
    case AGENT_BATTERY:
        return (struct agent_state){.stored = device->battery.start_kwh};
    case AGENT_EV:
        return (struct agent_state){.stored = device->ev.start_kwh};
    case AGENT_THERMAL:
        return (struct agent_state){.stored = device->thermal.start_c};
    case AGENT_GENERATOR:
        return (struct agent_state){.follows = generator->follows,
                                    .output_kw = generator->before_kw,
                                    .hold_steps = generator->hold_steps,
                                    .on = generator->on_at_start};
    default:
        return (struct agent_state){0};
    }
}

/* What is outside by no more than rounding is put on the bound. */
static double inside(double value, double low, double high)
{
    double rounding = 1e-6 * (1.0 + high);

    return value > high && value - high <= rounding ? high
           : value < low && low - value <= rounding ? low
                                                    : value;
}

/* What is wanted by departure stays. */
static void plug_in(struct agent_ev *ev, double stored_kwh)
{
    double wanted_kwh = ev->start_kwh + ev->energy_kwh;

    ev->start_kwh = inside(stored_kwh, 0.0, ev->capacity_kwh);
    ev->energy_kwh = wanted_kwh - ev->start_kwh;
}

void agent_state_apply(struct agent_device *device, const struct agent_state *state)
{
    switch (device->type) {
    case AGENT_BATTERY:
        device->battery.start_kwh =
            inside(state->stored, device->battery.min_kwh, device->battery.capacity_kwh);
        break;
    case AGENT_EV:
        plug_in(&device->ev, state->stored);
        break;
    case AGENT_THERMAL:
        device->thermal.start_c = state->stored;
        break;
    case AGENT_GENERATOR:
        device->generator.follows = state->follows;
        device->generator.before_kw = state->output_kw;
        device->generator.on_at_start = state->on;
        device->generator.hold_steps = state->hold_steps;
        break;
    default:
        break;
    }
}
