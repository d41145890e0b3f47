/*
 * Slow connections: whoever takes too long over a request's header or body, or keeps a connection
 * open without asking, is cut off, whatever trickle of bytes comes.
 *
 * Threads  a thread of its own looks every half second; the other functions may be called by any.
 */
#ifndef WALRAS_API_WATCH_H
#define WALRAS_API_WATCH_H

#include "core/status.h"

#include <stdint.h>

struct api_watch;
struct api_watched; /* a connection */

struct api_watch_settings {
    double header_s, body_s, idle_s, stall_s;
    _Atomic uint64_t *cut; /* counts those that were cut off */
};

WALRAS_NODISCARD enum walras_status api_watch_new(const struct api_watch_settings *settings,
                                                  struct api_watch **made, struct walras_err *err);
void api_watch_free(struct api_watch *watch);

/* A connection was accepted on that socket. NULL when there is no memory: refuse it. */
struct api_watched *api_watch_add(struct api_watch *watch, int socket);
/* Before its socket is closed; NULL is fine. */
void api_watch_remove(struct api_watch *watch, struct api_watched *watched);

void api_watch_body(struct api_watch *watch, struct api_watched *watched);   /* header is here */
void api_watch_answer(struct api_watch *watch, struct api_watched *watched); /* ours to work */
void api_watch_stall(struct api_watch *watch, struct api_watched *watched);  /* theirs to read */
void api_watch_idle(struct api_watch *watch, struct api_watched *watched);   /* answered */

#endif
