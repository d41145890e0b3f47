/*
 * Sessions for many threads: each takes one for a unit of work and gives it back.
 *
 * Threads  any.
 */
#ifndef WALRAS_DB_POOL_H
#define WALRAS_DB_POOL_H

#include "db/session.h"

struct db_pool;

/* At most `most` sessions, made when they are first needed. */
WALRAS_NODISCARD enum walras_status db_pool_new(const struct db_settings *settings, unsigned most,
                                                struct db_pool **made, struct walras_err *err);
/* When every session is back. */
void db_pool_free(struct db_pool *pool);

/*
 * A session whose connection stands, waiting while others have them all. WALRAS_UNAVAILABLE when
 * the database cannot be reached; then one at a time tries again, and all others are told so at
 * once.
 */
WALRAS_NODISCARD enum walras_status db_pool_take(struct db_pool *pool, struct db_session **session,
                                                 struct walras_err *err);
void db_pool_give(struct db_pool *pool, struct db_session *session); /* NULL is fine */

#endif
