/*
 * Markets: their settings, their life, who takes part.
 *
 * A market's life is a table (db_market_moves): illegal moves are rows that are not there. One
 * function makes every move, under a lock on the market, and writes it to the audit log.
 */
#ifndef WALRAS_DB_MARKETS_H
#define WALRAS_DB_MARKETS_H

#include "db/page.h"

#define DB_MARKET_STATE_LIST(X) X(draft) X(open) X(clearing) X(cleared) X(failed) X(cancelled)

enum db_market_state {
#define X(name) DB_MARKET_##name,
    DB_MARKET_STATE_LIST(X)
#undef X
        DB_N_MARKET_STATE
};
const char *db_market_state_name(enum db_market_state state);
/* DB_N_MARKET_STATE: there is none of that name. */
enum db_market_state db_market_state_find(const char *name);

enum db_market_event {
    DB_MARKET_OPEN,
    DB_MARKET_START,
    DB_MARKET_CANCEL,
    DB_MARKET_FINISH,
    DB_MARKET_FAIL
};

struct db_market_move {
    enum db_market_state from;
    enum db_market_event event;
    enum db_market_state to;
    const char *action; /* in the audit log */
    const char *comment;
};
extern const struct db_market_move db_market_moves[]; /* [db_market_n_move] */
extern const size_t db_market_n_move;

struct db_market {
    const char *id, *grid, *currency, *start_at, *supply; /* supply: JSON */
    int64_t grid_version, step_minutes, steps, points, max_rounds, max_misses;
    double gap, round_timeout_s;
};

/* All in the caller's transaction. WALRAS_CONFLICT: the id is taken. */
WALRAS_NODISCARD enum walras_status db_market_create(struct db_session *session, const char *actor,
                                                     const struct db_market *market,
                                                     struct walras_err *err);
/*
 * `why` of a failure, else NULL. A market that is no longer clearing has no open round.
 * WALRAS_NOT_FOUND; WALRAS_CONFLICT: not from the state it is in.
 */
WALRAS_NODISCARD enum walras_status db_market_move(struct db_session *session, const char *actor,
                                                   const char *id, enum db_market_event event,
                                                   const char *why, struct walras_err *err);
/* As JSON; without what is offered outside (supply) when not `full`. */
WALRAS_NODISCARD enum walras_status db_market_get(struct db_session *session, const char *id,
                                                  bool full, struct db_rows *rows,
                                                  struct walras_err *err);
/* state NULL: all */
WALRAS_NODISCARD enum walras_status db_market_list(struct db_session *session, const char *state,
                                                   bool full, const struct db_page *page,
                                                   struct db_rows *rows, struct walras_err *err);
/*
 * The settings, for clearing it and for judging who joins: one row with the columns of struct
 * db_market in its order (ids, currency, start_at, supply; whole numbers; numbers), then its state.
 */
WALRAS_NODISCARD enum walras_status db_market_load(struct db_session *session, const char *id,
                                                   struct db_rows *rows, struct db_market *market,
                                                   enum db_market_state *state,
                                                   struct walras_err *err);
/* The same, and no move of it until the transaction ends. */
WALRAS_NODISCARD enum walras_status db_market_hold(struct db_session *session, const char *id,
                                                   struct db_rows *rows, struct db_market *market,
                                                   enum db_market_state *state,
                                                   struct walras_err *err);
/* Ids of those that are clearing, the longest first. */
WALRAS_NODISCARD enum walras_status
db_market_clearing(struct db_session *session, struct db_rows *rows, struct walras_err *err);

/* fallback_kw [steps] NULL: none. *made false: it had joined; what it brings is replaced. */
WALRAS_NODISCARD enum walras_status db_participant_put(struct db_session *session,
                                                       const char *actor, const char *market,
                                                       const char *agent, const double *fallback_kw,
                                                       size_t n_step, bool *made,
                                                       struct walras_err *err);
/* As JSON; `owner`: only agents of that client; NULL: all. */
WALRAS_NODISCARD enum walras_status
db_participant_list(struct db_session *session, const char *market, const char *owner,
                    const struct db_page *page, struct db_rows *rows, struct walras_err *err);

#endif
