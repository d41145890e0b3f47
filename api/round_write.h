/*
 * An open round as a client is told of it: number, time left, prices at the buses of its agents.
 *
 * Threads  under the lock that api_live_look takes.
 */
#ifndef WALRAS_API_ROUND_WRITE_H
#define WALRAS_API_ROUND_WRITE_H

#include "api/live.h"
#include "core/json_write.h"

struct api_round_buses { /* of a client's agents in the market */
    bool *wanted;        /* [n_bus] */
    size_t n_agent;
    uint32_t only; /* where n_agent is 1 */
};

/* agent NULL: all that the client owns. Release in any case. */
WALRAS_NODISCARD enum walras_status api_round_buses(const struct api_live_settings *settings,
                                                    const char *client, const char *agent,
                                                    struct api_round_buses *found,
                                                    struct walras_err *err);
void api_round_buses_release(struct api_round_buses *buses);
/* An object; without points where there is no agent. */
void api_round_write(struct walras_json_out *out, const struct api_live_settings *settings,
                     const struct api_round *round, const struct api_round_buses *buses);

#endif
