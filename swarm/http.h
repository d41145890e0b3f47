/*
 * Many requests to one server at once: a queue worked off over a bounded number of connections that
 * are kept alive.
 *
 * Retries  what finds the server away, busy or restarting (no answer, 429, 500, 503) is sent again
 *          after a pause, or Retry-After; a token that has ended is renewed. When nothing at all
 *          comes through for the patience, that is WALRAS_UNAVAILABLE.
 * Threads  one at a time.
 */
#ifndef WALRAS_SWARM_HTTP_H
#define WALRAS_SWARM_HTTP_H

#include "core/status.h"

#include <stdatomic.h>

struct swarm_http;

struct swarm_http_settings { /* texts are borrowed */
    const char *url, *client_id, *client_secret;
    const char *ca_file; /* NULL: the system's */
    unsigned n_connection;
    double patience_s;
    const atomic_bool *stop; /* set: whatever goes on ends with WALRAS_UNAVAILABLE */
};

WALRAS_NODISCARD enum walras_status swarm_http_new(const struct swarm_http_settings *settings,
                                                   struct swarm_http **made,
                                                   struct walras_err *err);
void swarm_http_free(struct swarm_http *http);

enum { SWARM_PATH = 320 };

struct swarm_request {
    const char *method;
    char path[SWARM_PATH];
    const char *body; /* borrowed until the request is done; NULL: none */
};

struct swarm_reply { /* borrowed during the call */
    long status;
    const char *body;
    size_t size;
};

struct swarm_work {
    /* Makes request i. Called again for another try. */
    void (*make)(void *context, size_t i, struct swarm_request *request);
    /* Told once of each; a failure ends the run. */
    enum walras_status (*done)(void *context, size_t i, const struct swarm_reply *reply,
                               struct walras_err *err);
    void *context;
};

/* Requests 0 … n-1, begun in that order. */
WALRAS_NODISCARD enum walras_status swarm_http_run(struct swarm_http *http, size_t n,
                                                   const struct swarm_work *work,
                                                   struct walras_err *err);
/* How many answers there were so far, of whatever status. */
size_t swarm_http_count(const struct swarm_http *http);

#endif
