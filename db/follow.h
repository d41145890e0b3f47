/*
 * What somebody who follows a market is told: its state, rounds that were closed, prices.
 */
#ifndef WALRAS_DB_FOLLOW_H
#define WALRAS_DB_FOLLOW_H

#include "db/session.h"

/*
 * One row: state; {"state", "why"}; the last closed round, 0: none. WALRAS_NOT_FOUND. full: tells
 * why, which may name anybody's device.
 */
WALRAS_NODISCARD enum walras_status db_follow_state(struct db_session *session, const char *market,
                                                    bool full, struct db_rows *rows,
                                                    struct walras_err *err);
/* Rows: number; {"round", "answers", "stand_ins", "bound", "objective", "gap"}; those after it. */
WALRAS_NODISCARD enum walras_status db_follow_rounds(struct db_session *session, const char *market,
                                                     int64_t after, int64_t limit,
                                                     struct db_rows *rows, struct walras_err *err);

struct db_follow_prices {
    const char *market;
    const char *owner, *agent; /* only buses of agents of that client that take part; NULL: all */
    int64_t after, limit;      /* positions above `after`; -1: from the first */
};
/* Rows: position; {"bus", "prices_per_mwh"}. */
WALRAS_NODISCARD enum walras_status db_follow_prices(struct db_session *session,
                                                     const struct db_follow_prices *wanted,
                                                     struct db_rows *rows, struct walras_err *err);

#endif
