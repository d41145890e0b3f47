/*
 * Answers of agents to a round, as they come in.
 *
 * A round that is open is held (FOR SHARE) while answers are written, so that none comes into one
 * that was closed. For a transaction of the caller's.
 */
#ifndef WALRAS_DB_RESPONSES_H
#define WALRAS_DB_RESPONSES_H

#include "db/rounds.h"

enum db_response_fate {
    DB_RESPONSE_KEPT,
    DB_RESPONSE_AGAIN,
    DB_RESPONSE_DIFFERS,
    DB_RESPONSE_LATE
};

struct db_response {
    const char *agent;
    const char *draw_kw, *cost; /* arrays as texts, db/values.h */
    enum db_response_fate fate; /* out: kept, or what is there instead */
};

/* All of them to one round, in one statement where all are new. */
WALRAS_NODISCARD enum walras_status db_responses_put(struct db_session *session,
                                                     const struct db_round *round,
                                                     struct db_response *list, size_t n,
                                                     struct walras_err *err);

#endif
