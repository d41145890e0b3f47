/*
 * The market's server: HTTP/JSON for operators and agents over a PostgreSQL database.
 *
 * The protocol is docs/protocol.md, what an operator must know docs/operations.md.
 *
 * Threads  a server has its own; start and stop it from one. Start before other threads, stop last.
 */
#ifndef WALRAS_API_SERVER_H
#define WALRAS_API_SERVER_H

#include "core/status.h"

struct api_settings {               /* texts are borrowed until the server is stopped */
    const char *listen;             /* "127.0.0.1:8080", "[::1]:8080"; port 0: any that is free */
    const char *conninfo;           /* of the database, all migrations applied */
    const char *tls_cert, *tls_key; /* PEM files; NULL: plain HTTP */
    unsigned n_thread;              /* that answer requests */
    unsigned n_clearing;            /* markets cleared at the same time, at most 64 */
    unsigned max_connections, connections_per_client; /* a client here is an address */
    double requests_per_s, request_burst;             /* a client with a token, else an address */
    unsigned header_timeout_s, body_timeout_s, idle_timeout_s;
    unsigned token_life_s;
    unsigned event_streams, event_streams_per_client; /* open at the same time; of one client */
    unsigned event_heartbeat_s,
        event_stall_s; /* a comment after so long; cut when it is not read */
    bool log_requests;
};
struct api_settings api_settings_defaults(void);

struct api_server;

/*
 * Listens and serves. Several servers may work on one database: one of them leads, the others take
 * over from it. WALRAS_UNAVAILABLE: no database; WALRAS_IO: the address cannot be listened on.
 */
WALRAS_NODISCARD enum walras_status api_server_start(const struct api_settings *settings,
                                                     struct api_server **made,
                                                     struct walras_err *err);
/* "http://127.0.0.1:8080", with the port that was found. */
const char *api_server_url(const struct api_server *server);
/* Refuses new work, ends what is under way, stops all threads. NULL is fine. */
void api_server_stop(struct api_server *server);

#endif
