/*
 * Requests that come through: tokens are fetched and renewed, a server that is away, busy or
 * restarting is waited for, and what may have been lost is sent again (every request of the
 * protocol may be).
 *
 * Threads  one at a time; `stop` may be set by any.
 */
#ifndef WALRAS_AGENTS_SDK_TRANSPORT_H
#define WALRAS_AGENTS_SDK_TRANSPORT_H

#include "agents/sdk/walras_agent.h"

#include <stdatomic.h>
#include <stdbool.h>

struct walras_sdk_transport;

WALRAS_AGENT_NODISCARD int walras_sdk_transport_new(const struct walras_agent_settings *settings,
                                                    const atomic_bool *stop,
                                                    struct walras_sdk_transport **made);
void walras_sdk_transport_free(struct walras_sdk_transport *transport);

struct walras_sdk_reply { /* borrowed until the next request */
    long status;
    const char *body;
    size_t size;
};

/*
 * body: JSON text or NULL. Goes on until there is an answer other than "later" (429, 500, 502, 503,
 * 504). WALRAS_AGENT_REFUSED: the key is not known; WALRAS_AGENT_STOPPED, WALRAS_AGENT_NO_MEMORY;
 * WALRAS_AGENT_INVALID: the address or the certificates cannot be used.
 */
WALRAS_AGENT_NODISCARD int walras_sdk_request(struct walras_sdk_transport *transport,
                                              const char *method, const char *path,
                                              const char *body, struct walras_sdk_reply *out);
/* WALRAS_AGENT_STOPPED when that came in between. */
WALRAS_AGENT_NODISCARD int walras_sdk_pause(struct walras_sdk_transport *transport, double seconds);
/* Whether a CURLcode is a fault that no waiting mends: an address, a certificate. */
bool walras_sdk_is_final(int curl_code);
const char *walras_sdk_transport_error(const struct walras_sdk_transport *transport);
void walras_sdk_log(struct walras_sdk_transport *transport, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
