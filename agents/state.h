/*
 * What a device carries from one horizon into the next.
 *
 * A device's parameters describe a horizon that starts in some state. An audit (agents/audit.h)
 * finds the state that a draw leaves; this makes the device of the horizon that follows start in it
 * (docs/simulation.md).
 */
#ifndef WALRAS_AGENTS_STATE_H
#define WALRAS_AGENTS_STATE_H

#include "agents/device.h"

struct agent_state {     /* only what its type has is meaningful */
    double stored;       /* battery, ev: kWh; thermal: °C */
    double output_kw;    /* generator: of the last step */
    uint32_t hold_steps; /* generator: steps that it still has to stay on or off */
    bool on, follows;    /* generator; it has not run before when it does not follow */
    uint32_t start;      /* shiftable: the step that it starts in */
};

/* The state that the device's own parameters say it starts in. */
struct agent_state agent_state_first(const struct agent_device *device);

/*
 * Makes the device start in `state`. Energy that rounding has taken out of [min, capacity] is put
 * back.
 */
void agent_state_apply(struct agent_device *device, const struct agent_state *state);

#endif
