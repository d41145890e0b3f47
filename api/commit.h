/*
 * Group commit: answers of agents, many in one transaction.
 *
 * One thread takes all that has come while it was at work, writes it in one transaction, and tells
 * those who wait once it is durable. So the more there is, the more share the cost of a commit, and
 * a single answer waits for nothing but its own.
 *
 * Threads  any may submit.
 */
#ifndef WALRAS_API_COMMIT_H
#define WALRAS_API_COMMIT_H

#include "api/lead.h"
#include "api/live.h"
#include "db/pool.h"
#include "db/responses.h"

struct api_commit;

struct api_answer {
    char agent[DB_ID];
    struct walras_text draw_kw, cost; /* arrays */
    enum db_response_fate fate;       /* out */
};

struct api_answers { /* of one request; kept by its owner until it is told */
    struct api_answers *next;
    struct db_round round;
    struct api_answer *list; /* [n] */
    size_t n;
    enum walras_status status; /* out: OK, or nothing of it is kept */
    struct walras_err err;
    void (*told)(struct api_answers *answers);
};

/* A server that does not lead tells the one that does. */
WALRAS_NODISCARD enum walras_status api_commit_new(struct db_pool *pool, struct api_live *live,
                                                   const struct api_lead *lead,
                                                   struct api_commit **made,
                                                   struct walras_err *err);
/* Writes what has come and ends; what comes then is not taken. NULL is fine, here and below. */
void api_commit_stop(struct api_commit *commit);
void api_commit_free(struct api_commit *commit);

/* `suspend` is called before anybody can tell. False: it is ending. */
bool api_commit_submit(struct api_commit *commit, struct api_answers *answers,
                       void (*suspend)(struct api_answers *answers));
/* How many answers were kept, in how many transactions. */
void api_commit_count(struct api_commit *commit, uint64_t *n_answer, uint64_t *n_commit);

#endif
