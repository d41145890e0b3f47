/*
 * Judges a draw: is it something the device can do, and what does it cost at least?
 *
 * Shares no code with the solvers: it walks the device's own equations forwards. For storage with
 * losses a draw p fixes charge − discharge only; the audit keeps the interval of states that some
 * split c − d = p can reach, and charges the least wear. (docs/devices.md, "Audit")
 * Threads  no shared state.
 */
#ifndef WALRAS_AGENTS_AUDIT_H
#define WALRAS_AGENTS_AUDIT_H

#include "agents/state.h"

struct agent_verdict {
    double breach;    /* largest violation, in the unit of `what` (kW, kWh, K); 0 when feasible */
    size_t step;      /* where */
    const char *what; /* "charge limit", "state of charge", …; NULL when breach is 0 */
    double cost;      /* least cost of that draw, currency over the horizon */
    struct agent_state end; /* what the draw leaves: where a next horizon starts */
};

WALRAS_NODISCARD enum walras_status
agent_audit(const struct agent_device *device, const struct agent_horizon *horizon,
            const double *draw_kw, struct agent_verdict *verdict, struct walras_err *err);

#endif
