/*
 * A run's insides, shared by setting the market up (setup.c) and answering it (swarm.c).
 */
#ifndef WALRAS_SWARM_SWARM_INTERNAL_H
#define WALRAS_SWARM_SWARM_INTERNAL_H

#include "swarm/answers.h"
#include "swarm/swarm.h"

struct swarm_state {
    const struct swarm_settings *settings;
    const struct scenario *scenario;
    struct swarm_cast cast;
    struct swarm_answers *answers;
    struct swarm_http *http;
    struct swarm_report *report;
    char **bodies; /* [cast.n + 1] of requests at hand */
    double *price_per_mwh;
};

/* Grid, agents, market, participants; started. */
WALRAS_NODISCARD enum walras_status swarm_set_up(struct swarm_state *state, struct walras_err *err);

/* One request, whose answer must have one of two statuses (0: any): else WALRAS_INVALID with what
 * the server says. The answer's text, when `text` is not NULL, is malloc'd. */
WALRAS_NODISCARD enum walras_status swarm_ask(struct swarm_state *state, const char *method,
                                              const char *path, const char *body, long good,
                                              long also_good, char **text, struct walras_err *err);
/* Fails with what the server says. */
enum walras_status swarm_refused(const char *what, const struct swarm_reply *reply,
                                 struct walras_err *err);
__attribute__((format(printf, 2, 3))) void swarm_say(struct swarm_state *state, const char *format,
                                                     ...);
void swarm_forget_bodies(struct swarm_state *state);

#endif
