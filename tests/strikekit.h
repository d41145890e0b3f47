/*
 * Blows against a server amid a clearing: a process of its own waits for a round of the market,
 * strikes, and watches who leads then.
 */
#ifndef WALRAS_TESTS_STRIKEKIT_H
#define WALRAS_TESTS_STRIKEKIT_H

#include "core/rng.h"
#include "playkit.h"

struct strike {
    const char *market;
    int64_t round; /* that must be open, or over */
    long us;       /* and so long after */
    int signal;
    bool wake;                          /* one that was stopped goes on once another leads */
    const struct servekit_server *of;   /* who is struck */
    const struct servekit_server *heir; /* who takes over; NULL: nobody does */
};
/* A random moment within a clearing of about so many rounds. */
struct strike strike_at(struct walras_rng *rng, const char *market, int64_t n_round, int signal);

struct strike_outcome {
    bool amid;         /* the market was clearing still */
    double takeover_s; /* from the blow until the heir led; 1000: it did not within ten seconds */
};
/* Starts the process; its number, for strike_end. */
struct strike_process {
    pid_t pid;
    int end;
};
struct strike_process strike_begin(const struct play *play, const struct strike *strike);
struct strike_outcome strike_end(const struct strike_process *process);

#endif
