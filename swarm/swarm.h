/*
 * A whole market on one machine: a scenario's agents as agents of a server, in one process. Puts
 * grid, agents and market on the server, joins, starts, answers the rounds, tells what came of it.
 *
 * Threads  one at a time.
 */
#ifndef WALRAS_SWARM_SWARM_H
#define WALRAS_SWARM_SWARM_H

#include "scenario/scenario.h"
#include "swarm/http.h"

struct swarm_guest {              /* an agent that somebody else runs */
    const char *id, *bus, *owner; /* id NULL: none */
};

struct swarm_settings {
    struct swarm_http_settings http; /* of a client that is an operator */
    const char *market;              /* its id, and the grid's */
    double gap;
    unsigned points, max_rounds, round_timeout_s;
    unsigned batch; /* answers in a request; 0: each agent sends its own */
    unsigned n_thread;
    struct swarm_guest guest; /* put on the server as well; the market starts when it has joined */
    /* Told what happens, a line without a newline each; NULL: nobody is. */
    void (*say)(void *context, const char *line);
    void *context;
};
struct swarm_settings swarm_settings_defaults(void);

enum { SWARM_MOST_ROUNDS = 10000 };

struct swarm_report {
    size_t n_remote, n_delegated, n_round;
    double setup_s, clearing_s;
    double find_s, send_s;        /* of the clearing: best responses; until they were accepted */
    size_t n_answer;              /* requests that were answered, in all */
    char state[16];               /* the market's, at the end */
    char status[16];              /* the certificate's, "" without one */
    double objective, bound, gap; /* NAN without a certificate */
    double round_s[SWARM_MOST_ROUNDS]; /* [n_round] from one announcement to the next */
};

/* A market that fails is no failure: out->state tells. */
WALRAS_NODISCARD enum walras_status swarm_run(const struct scenario *scenario,
                                              const struct swarm_settings *settings,
                                              struct swarm_report *out, struct walras_err *err);

#endif
