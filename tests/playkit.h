/*
 * A market with remote agents for tests, and the agents: each must draw its energy in the steps it
 * is there, at its power at most, and does so in the cheapest ones.
 */
#ifndef WALRAS_TESTS_PLAYKIT_H
#define WALRAS_TESTS_PLAYKIT_H

#include "servekit.h"

enum { PLAY_STEPS = 6, PLAY_FEW = 12, PLAY_MOST = 300 };

struct play_agent {
    char id[32];
    double kw, kwh;
    double taste_per_mwh[PLAY_STEPS]; /* what drawing costs it beside the energy; 0 unless set */
    bool contrary;                    /* draws when it is dearest */
    int hides; /* in rounds that it divides it does not tell that; < 0: in all others; 0: never */
};

struct play {
    char database[256];
    struct servekit_server server, spare;     /* spare: of a pair, where nobody calls now */
    struct servekit_client operator, speaker; /* speaker: an aggregator that owns all agents */
    struct play_agent agents[PLAY_MOST];
    size_t n;               /* of them */
    bool silent[PLAY_MOST]; /* those that do not answer */
    bool paired;
    unsigned n_restart;
    void (*restarted)(struct play *play); /* NULL, or told of it */
    void *context;                        /* the teller's own */
};

/* A server with a grid of two buses, a narrow line between them, and n agents at the far one. */
bool play_begin(struct play *play, size_t n);
/* What that line lets through. */
double play_limit_kw(const struct play *play);
void play_end(struct play *play);
/* As play_begin does: with the same database and tokens. */
void play_restart(struct play *play);

/*
 * A second server on the same database. From then on calls have little time, and one that does not
 * come through turns the clients to the other server instead of starting this one again.
 */
void play_pair(struct play *play);
/* Turns the clients to the other server. */
void play_swap(struct play *play);
bool play_leads(const struct servekit_server *server);
/* Starts the pair's server that was that process, and is gone or will be, again. */
void play_replace(struct play *play, pid_t gone);

/* What an agent's taste makes a draw cost. */
double play_cost(const struct play_agent *agent, const double draw_kw[PLAY_STEPS]);
/* The cheapest way, into draw_kw; ties go to the earlier step. */
void play_respond(const struct play_agent *agent, const double *price_per_mwh,
                  double draw_kw[PLAY_STEPS]);
/* A market of that id, open to whoever joins, with `rest` among its settings. */
void play_open(struct play *play, const char *id, const char *rest);
/* The home joins as well, and the market is started. */
void play_go(struct play *play, const char *id);
/* The objective of the same market cleared in process, the agents' cars being devices in it. */
double play_objective(const struct play *play);
/* A market of that id that all have joined, with `rest` among its settings; started. */
void play_start(struct play *play, const char *id, const char *rest);
/*
 * Answers rounds, as a batch or one by one, until the market's state is none of those in which
 * there are rounds. A call that does not come through starts the server again.
 */
void play_rounds(struct play *play, const char *id, bool batch);
/* Answers the round that a GET of that path shows, as a batch; its number, 0: none or refused. */
int64_t play_answer_next(struct play *play, const char *id, const char *path);

struct play_share {     /* of a process of its own */
    size_t part, parts; /* agents i with i % parts == part, of those that are not silent */
    const struct servekit_server *at;
    bool batch;
};
/* Answers for them until the market is over; it ends with status 0 when all went well. */
pid_t play_aside(struct play *play, const char *id, const struct play_share *share);

/* The market's state now; "" when it is not told. */
const char *play_state(struct play *play, const char *id);
int64_t play_count_rounds(const struct play *play, const char *id);
/* Everything that was decided, as text that is the same when it is; free() it. */
char *play_outcome(struct play *play, const char *id);
/* That of a market "calm" that nothing happens to; play_rounds, as a batch or one by one. */
char *play_calm(struct play *play, bool batch);

#endif
