/*
 * Live markets: the round of a clearing that is open now, as the network sees it, in memory.
 *
 * The clearing's thread opens rounds and waits for answers; requests look at them, wait for the
 * next and tell of answers that are committed. The database is what counts: this is rebuilt from
 * it.
 *
 * Threads  any; one lock for all markets.
 */
#ifndef WALRAS_API_LIVE_H
#define WALRAS_API_LIVE_H

#include "core/names.h"
#include "core/status.h"
#include "db/clients.h"

#include <stdint.h>

struct api_live; /* all of them */
struct api_live_market;

struct api_live_agent { /* a remote participant; texts are borrowed from whoever began the market */
    const char *id, *owner;
    uint32_t bus;
    bool suspended, answered;
};

struct api_live_settings { /* of a market; borrowed until it ends */
    const char *market;
    struct api_live_agent *agents; /* [n_agent] kept up to date here */
    size_t n_agent;
    const struct walras_names *names; /* of the agents */
    const char *const *bus_ids;       /* [n_bus] */
    size_t n_bus, n_step;
};

struct api_round { /* open now */
    int64_t number;
    size_t n_point;
    const double *price_per_mwh; /* [n_point x n_bus x n_step], borrowed until it is closed */
    double until_s;              /* by the monotonic clock */
};

struct api_round_report { /* of a round that was closed */
    int64_t number;
    size_t n_answer, n_stand_in;
    double bound, objective, gap; /* of the market after it; NAN: not known */
};

/* Whoever waits for something to happen in a market; kept by its owner while it waits. */
struct api_waiter {
    struct api_waiter *before, *after;
    char market[DB_ID];
    double until_s;
    bool late;                               /* its time was over, nothing had happened */
    void (*wake)(struct api_waiter *waiter); /* called once, under the lock, when it is taken out */
};

WALRAS_NODISCARD enum walras_status api_live_new(struct api_live **made, struct walras_err *err);
void api_live_free(struct api_live *live);
/* Wakes all who wait, now and from then on: waiting fails. */
void api_live_stop(struct api_live *live);

/* WALRAS_CONFLICT: it is there already. */
WALRAS_NODISCARD enum walras_status api_live_begin(struct api_live *live,
                                                   const struct api_live_settings *settings,
                                                   struct api_live_market **made,
                                                   struct walras_err *err);
void api_live_end(struct api_live *live, struct api_live_market *market); /* NULL is fine */
/* `answered` of the agents is what the caller has set. */
void api_live_open(struct api_live *live, struct api_live_market *market,
                   const struct api_round *round);
void api_live_close(struct api_live *live, struct api_live_market *market);

enum api_live_news {
    API_LIVE_COMPLETE, /* all who are not suspended have answered */
    API_LIVE_LATE,     /* the deadline is past */
    API_LIVE_DROPPED,
    API_LIVE_STOPPING,
    API_LIVE_LOOK /* something happened elsewhere, or a second is over: look, and wait again */
};
enum api_live_news api_live_wait(struct api_live *live, struct api_live_market *market);
/*
 * Something happened in the database that whoever clears the market may want to see; NULL: all.
 * False: there is no such market.
 */
bool api_live_poke(struct api_live *live, const char *name);
/* The market was cancelled: whoever clears it looks up from its waiting. */
void api_live_drop(struct api_live *live, const char *name);
bool api_live_stopping(struct api_live *live);
/* What came of a round; rounds come in order. Who waits in the market is woken. */
WALRAS_NODISCARD enum walras_status api_live_report(struct api_live *live,
                                                    struct api_live_market *market,
                                                    const struct api_round_report *report,
                                                    struct walras_err *err);
/* An answer was committed. */
void api_live_answered(struct api_live *live, const char *name, int64_t round, const char *agent);
/* That agent is not waited for any more. */
void api_live_suspend(struct api_live *live, const char *name, const char *agent);

enum api_live_claim {
    API_LIVE_UNKNOWN, /* the market is not live: the database knows */
    API_LIVE_OTHER,   /* no remote participant of that client */
    API_LIVE_SUSPENDED,
    API_LIVE_OWN
};
/* Whether that agent takes part and is the owner's to speak for. */
enum api_live_claim api_live_claims(struct api_live *live, const char *name, const char *agent,
                                    const char *owner);
/* Something changed in that market (NULL: in any): those who wait for it look again. */
void api_live_notify(struct api_live *live, const char *market);

/*
 * Looks at a market's open round under the lock: `look` is called with it, when there is one with a
 * number above `after`. False: there is none. *events changes whenever something happens there.
 */
bool api_live_look(struct api_live *live, const char *name, int64_t after, uint64_t *events,
                   void (*look)(void *context, const struct api_live_settings *settings,
                                const struct api_round *round),
                   void *context);
struct api_live_follower {          /* who is told of everything, one thing after another */
    int64_t reported, told;         /* has been told of reports and of rounds up to these */
    struct api_round_report report; /* out, with API_LIVE_REPORT */
    int64_t last;                   /* out: the last round that has a report, 0: none */
    uint64_t events;                /* out: as api_live_look's */
};
enum api_live_sight { API_LIVE_NOT_THERE, API_LIVE_NOTHING_NEW, API_LIVE_REPORT, API_LIVE_ROUND };
/*
 * The next thing that a follower has not been told: a report, else the open round, for which `look`
 * is called under the lock. The caller notes what it tells.
 */
enum api_live_sight
api_live_follow(struct api_live *live, const char *name, struct api_live_follower *follower,
                void (*look)(void *context, const struct api_live_settings *settings,
                             const struct api_round *round),
                void *context);
/*
 * Waits, when nothing has happened since *events was told: then `suspend` is called under the lock
 * before anybody can wake it. False: look again.
 */
bool api_live_await(struct api_live *live, struct api_waiter *waiter, uint64_t events,
                    void (*suspend)(struct api_waiter *waiter));

#endif
