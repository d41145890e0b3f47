#include "agents/device.h"

#include <math.h>

const char *agent_device_type_name(enum agent_device_type type)
{
    static const char *const names[] = {
#define X(name, text) text,
        AGENT_DEVICE_LIST(X)
#undef X
    };

    return (size_t)type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

bool agent_device_is_integer(const struct agent_device *device)
{
    switch (device->type) {
    case AGENT_BATTERY:
        return device->battery.exclusive;
    case AGENT_SHIFTABLE:
        return device->shiftable.latest > device->shiftable.earliest;
    case AGENT_GENERATOR:
        return device->generator.committed;
    case AGENT_LP:
        return true;
    default:
        return false;
    }
}

bool agent_device_is_separable(const struct agent_device *device)
{
    switch (device->type) {
    case AGENT_LOAD:
    case AGENT_PV:
    case AGENT_BID:
        return true;
    case AGENT_GENERATOR:
        return !device->generator.committed && isinf(device->generator.ramp_kw_per_h);
    default:
        return false;
    }
}

bool agent_device_is_smooth(const struct agent_device *device)
{
    switch (device->type) {
    case AGENT_BATTERY:
        return device->battery.wear_per_mw2h > AGENT_NO_SQUARE;
    case AGENT_EV:
        return device->ev.wear_per_mw2h > AGENT_NO_SQUARE;
    case AGENT_THERMAL:
        return device->thermal.discomfort_per_k2h > AGENT_NO_SQUARE;
    case AGENT_GENERATOR:
        return !device->generator.segments && device->generator.per_mw2h > AGENT_NO_SQUARE;
    default:
        return false;
    }
}

double agent_device_apparent_kva(const struct agent_device *device)
{
    switch (device->type) {
    case AGENT_PV:
        return device->pv.apparent_kva;
    case AGENT_BATTERY:
        return device->battery.apparent_kva;
    case AGENT_EV:
        return device->ev.apparent_kva;
    default:
        return 0.0;
    }
}

double agent_device_reach_kvar(const struct agent_device *device, size_t step)
{
    if (device->type == AGENT_EV && (step < device->ev.arrive || step >= device->ev.depart))
        return 0.0;
    return agent_device_apparent_kva(device);
}
