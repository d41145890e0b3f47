/*
 * A clearing's insides, shared by setting it up, its rounds, and what comes of it.
 */
#ifndef WALRAS_API_CLEARING_INTERNAL_H
#define WALRAS_API_CLEARING_INTERNAL_H

#include "api/clearing.h"
#include "api/wording.h"
#include "db/markets.h"
#include "db/rounds.h"
#include "market/inferred.h"
#include "scenario/clear.h"

struct clearing;

struct clearing_guest { /* remote participants behind one bus that answer together */
    const struct clearing *clearing;
    uint32_t bus;
    size_t *members; /* [n] of remotes */
    size_t n;
    double *told;    /* [n_told] what they told of their costs, by point */
    double *revised; /* [n_told] with what they hid, as it is taken to be now */
    size_t n_told, room;
};

struct clearing_hidden_answer { /* to a point, of an agent that hides its cost */
    size_t node;                /* which answer of its inferred ones; SIZE_MAX: none */
    double told;                /* cost; NAN: hidden */
};

struct clearing_hidden { /* what an agent may hide: clearing_hidden.h */
    bool own, hides;     /* own: it has answered this round itself; hides: it has hidden a cost */
    struct market_inferred inferred;
    struct clearing_hidden_answer *answers; /* [room] by point, once it hides */
    size_t room;
};

struct clearing_point { /* that was announced */
    uint64_t hash;      /* of its prices */
    int64_t round, position;
    double remote_bound; /* of what the remote ones answered, all together, but hidden costs */
    bool own;            /* all of it is the agents' own answers */
};

struct clearing {
    struct db_pool *pool;
    struct api_live *live;
    const struct api_lead *lead;
    int64_t epoch; /* in which it was taken up */
    bool deposed;  /* what is stored is not what it goes on from */
    const char *id;
    struct db_market market;
    struct db_rows market_rows, grid_rows, people; /* people: db_round_participants */
    char *delegated;                               /* JSON list of agents */
    struct scenario scenario;                      /* the delegated ones */
    const char **bus_ids;                          /* [n_bus] */
    struct walras_names *bus_names, *remote_names;
    struct api_live_agent *remotes; /* [n_remote] by id */
    size_t *remote_row;             /* [n_remote] of people */
    double *remote_swing_kw;        /* [n_remote] */
    size_t n_remote, n_bus, n_step;
    size_t n_node; /* of the market: its buses, then nodes of devices that draw kvar */
    struct clearing_guest *guests; /* [n_guest] */
    struct market_group *groups;   /* [n_guest] */
    size_t *member_room;           /* what guests' members point into */
    size_t n_guest;
    struct api_live_market *live_market;
    /* the round that is asked about now */
    int64_t number;
    const double *asked_per_mwh;    /* [n_point x n_node x n_step] as the market asks */
    const double *price_per_mwh;    /* [n_point x n_bus x n_step] as remote agents are told */
    double *told_per_mwh;           /* holds these; NULL: they are what the market asks */
    size_t n_point, n_answer;       /* n_answer: of the agents themselves */
    struct api_round_report report; /* of the last round; number 0: none */
    double *draw_kw;                /* [most points x n_remote x n_step] */
    double *cost;                   /* [most points x n_remote] NAN: hidden, until it is taken in */
    struct clearing_hidden *hidden; /* [n_remote] */
    size_t n_hiding;                /* agents that have hidden a cost so far */
    struct clearing_point *points;  /* [n_announced] all so far */
    size_t n_announced, announced_room;
};

enum { CLEARING_MOST_POINTS = MARKET_MAX_POINTS + 1 };

/* clearing_setup.c */
WALRAS_NODISCARD enum walras_status clearing_set_up(struct clearing *clearing,
                                                    struct walras_err *err);
void clearing_release(struct clearing *clearing);

/* clearing_store.c */
typedef enum walras_status (*clearing_work)(struct clearing *clearing, struct db_session *session,
                                            void *context, struct walras_err *err);
/* The server is, or another one leads now: nothing more can come of it here. */
bool clearing_stopping(const struct clearing *clearing);
/* For a write that finds another epoch, or other rounds than were told: it is to be taken up anew.
 */
WALRAS_NODISCARD enum walras_status clearing_give_up(struct clearing *clearing,
                                                     struct walras_err *err);
/* Runs `work` until it does not fail for want of the database. WALRAS_UNAVAILABLE: stopping. */
WALRAS_NODISCARD enum walras_status clearing_read(struct clearing *clearing, clearing_work work,
                                                  void *context, struct walras_err *err);
/*
 * The same in a transaction that holds the epoch in which this clearing was taken up. `work` may be
 * run again when it was done: nobody knows what came of a COMMIT that was not answered.
 */
WALRAS_NODISCARD enum walras_status clearing_write(struct clearing *clearing, clearing_work work,
                                                   void *context, struct walras_err *err);

/* clearing_rounds.c: as market_settings.announce and the guests' oracle */
WALRAS_NODISCARD enum walras_status
clearing_announce(void *context, const struct market_query *query, struct walras_err *err);
extern const struct market_oracle_ops clearing_guest_ops;

/* outcome.c: what came of it, stored with the last move of the market */
WALRAS_NODISCARD enum walras_status clearing_finish(struct clearing *clearing,
                                                    const struct scenario_result *result,
                                                    struct walras_err *err);
WALRAS_NODISCARD enum walras_status clearing_fail(struct clearing *clearing, const char *why,
                                                  struct walras_err *err);

struct clearing_award { /* of a remote participant */
    double *draw_kw;    /* [n_step] */
    double cost;        /* as told, or as inferred */
};

/* What was announced that the result's point j is; SIZE_MAX: none. */
struct outcome {
    const struct scenario_result *result;
    size_t *point_of;              /* [n_point of the result] */
    struct clearing_award *awards; /* [n_remote] */
    double *award_room;
    /* by outcome_judge */
    struct scenario
        derived; /* the whole plan as a market of its own: remote awards as firm loads */
    struct scenario_awards plan;
    double *plan_kw;
    struct scenario_certificate certificate;
    struct market_result market;
    struct scenario_result judged;
    bool proven; /* the bound: no answer that it rests on is a stand-in, and no cost is hidden */
    double inferred; /* of the costs, what is no agent's own word */
    double doubt;    /* how much too small objective - bound may be for that; INFINITY: any */
};

/* outcome_mix.c: point_of and the awards, of which the outcome has room for. */
WALRAS_NODISCARD enum walras_status outcome_mix(struct clearing *clearing, struct outcome *outcome,
                                                struct walras_err *err);
/* [n_point of the result] */
const double *outcome_weights(const struct clearing *clearing, const struct outcome *outcome,
                              size_t guest);
/* outcome_judge.c: judges the plan by the certificate of scenarios, with what the remote ones told
 * of themselves. */
WALRAS_NODISCARD enum walras_status outcome_judge(struct clearing *clearing,
                                                  struct outcome *outcome, struct walras_err *err);

#endif
