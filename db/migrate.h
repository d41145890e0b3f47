/*
 * Migrations: bringing a database to the tables that this program works with.
 *
 * Each is applied in a transaction of its own together with the record of it (name and SHA-256), so
 * that a database is at one version or the next, never between. An advisory lock keeps two programs
 * from migrating at once. A migration that was applied must not change afterwards; a database that
 * has one this program does not know is newer, and is left alone.
 */
#ifndef WALRAS_DB_MIGRATE_H
#define WALRAS_DB_MIGRATE_H

#include "db/session.h"

struct db_migration_state {
    size_t n_known, n_applied;
    int64_t n_audit;
    bool audit_whole;     /* every row's hash is what its content and the row before give */
    int64_t audit_broken; /* the first row for which that does not hold */
    int server_version;   /* 150004 */
};

/* Applies what is missing; *n_applied how many. WALRAS_CONFLICT: changed or unknown ones. */
WALRAS_NODISCARD enum walras_status db_migrate(struct db_session *session, size_t *n_applied,
                                               struct walras_err *err);
/* Changes nothing. Fails like db_migrate on changed or unknown migrations. */
WALRAS_NODISCARD enum walras_status db_migration_state(struct db_session *session,
                                                       struct db_migration_state *state,
                                                       struct walras_err *err);
/* WALRAS_UNAVAILABLE with the remedy unless all migrations are applied. */
WALRAS_NODISCARD enum walras_status db_migration_need(struct db_session *session,
                                                      struct walras_err *err);

#endif
