/*
 * The devices of a real agent: read from a file for the horizon of a market, asked at prices.
 *
 * Programs that devices bring along (type lp) are solved in a child process, because GLPK ends the
 * process it is in when it is misused: then there is no answer, and the agent lives on.
 * Units    kW, positive from the grid; prices per MWh; costs in currency.
 * Threads  one at a time.
 */
#ifndef WALRAS_CLI_OWN_DEVICES_H
#define WALRAS_CLI_OWN_DEVICES_H

#include "core/status.h"

struct own_horizon {
    const char *start; /* RFC 3339 */
    unsigned step_min;
    size_t n_step;
};

struct own_settings {
    bool glpk;             /* ask all devices through GLPK */
    unsigned time_limit_s; /* of a child process, for one question */
};

struct own_devices;

/*
 * The file holds one device of a scenario, {"id": …, "type": …}, or {"devices": [...]}. WALRAS_IO,
 * WALRAS_INVALID "FILE: /json/path: …" or WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status own_devices_read(const char *path,
                                                     const struct own_horizon *horizon,
                                                     const struct own_settings *settings,
                                                     struct own_devices **made,
                                                     struct walras_err *err);
void own_devices_free(struct own_devices *own);

/* The first device whose choices are not convex, so that no mixture can be kept; NULL: none. */
const char *own_devices_integer(const struct own_devices *own);

/*
 * The best response of all of them: draw_kw [n_step] and *cost. WALRAS_INVALID: a device cannot
 * satisfy its own constraints; WALRAS_UNAVAILABLE: a child process gave no answer.
 */
WALRAS_NODISCARD enum walras_status own_devices_ask(struct own_devices *own,
                                                    const double *price_per_mwh, double *draw_kw,
                                                    double *cost, struct walras_err *err);

#endif
