/*
 * A run's insides, shared by setting the market up and answering it.
 */
#ifndef WALRAS_SWARM_SWARM_INTERNAL_H
#define WALRAS_SWARM_SWARM_INTERNAL_H

#include "core/text.h"
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

/* setup.c: grid, agents, market, participants; started. */
WALRAS_NODISCARD enum walras_status swarm_set_up(struct swarm_state *state, struct walras_err *err);

/* enrol.c: makes agents of all, or changes those that are there */
WALRAS_NODISCARD enum walras_status swarm_put_agents(struct swarm_state *state,
                                                     struct walras_err *err);
/* The same for the guest; nothing to do where there is none, here and below. */
WALRAS_NODISCARD enum walras_status swarm_put_guest(struct swarm_state *state,
                                                    struct walras_err *err);
/* All but the guest join the market. */
WALRAS_NODISCARD enum walras_status swarm_join(struct swarm_state *state, struct walras_err *err);
/* Until the guest has joined, for as long as the server would be waited for. */
WALRAS_NODISCARD enum walras_status swarm_wait_for_guest(struct swarm_state *state,
                                                         struct walras_err *err);

/* ask.c */
/* One request, whose answer must have one of two statuses (0: any): else WALRAS_INVALID with what
 * the server says. The answer's text, when `text` is not NULL, is malloc'd. */
WALRAS_NODISCARD enum walras_status swarm_ask(struct swarm_state *state, const char *method,
                                              const char *path, const char *body, long good,
                                              long also_good, char **text, struct walras_err *err);
/* Fails with what the server says. */
enum walras_status swarm_refused(const char *what, const struct swarm_reply *reply,
                                 struct walras_err *err);
enum walras_status swarm_no_memory(struct walras_err *err);
enum { SWARM_MOST_BODY = 1 << 28 };
/* Any text, also one with quotation marks, as JSON. */
void swarm_add_quoted(struct walras_text *out, const char *text);
/* ,"key":"value" */
void swarm_add_member(struct walras_text *out, const char *key, const char *value);
void swarm_forget_bodies(struct swarm_state *state);

/* swarm.c */
__attribute__((format(printf, 2, 3))) void swarm_say(struct swarm_state *state, const char *format,
                                                     ...);

#endif
