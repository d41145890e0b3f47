/*
 * A session: one connection to PostgreSQL for one thread, that comes back by itself.
 *
 * Statements are text written in this folder with parameters for all that varies; each is prepared
 * once a session. A connection that was lost is noticed before the next unit of work (db_ready,
 * db_begin) and made anew; one that is lost amid a statement is WALRAS_UNAVAILABLE, because nobody
 * knows then whether it was done: the caller asks again.
 *
 * Errors     WALRAS_UNAVAILABLE (no connection, server stopping, time-out), WALRAS_CONFLICT (unique
 *            or foreign key), WALRAS_INVALID (a check), WALRAS_INTERNAL (anything else).
 * Ownership  rows are the caller's: db_rows_release.
 * Threads    a session is for one thread at a time.
 */
#ifndef WALRAS_DB_SESSION_H
#define WALRAS_DB_SESSION_H

#include "core/text.h"

#include <stdint.h>

struct db_session;

struct db_settings {
    const char *conninfo; /* as libpq reads it: "host=... dbname=..." or a postgresql:// address */
    unsigned connect_s;   /* time for one attempt */
    unsigned statement_s; /* time for one statement; 0: no limit */
    unsigned idle_s;      /* PostgreSQL ends a session that is silent for so long; 0: no limit */
};
struct db_settings db_settings_defaults(const char *conninfo);

/* Connects. The settings' text is copied. */
WALRAS_NODISCARD enum walras_status db_session_new(const struct db_settings *settings,
                                                   struct db_session **made,
                                                   struct walras_err *err);
void db_session_free(struct db_session *session);

/* Looks whether the connection still stands, and makes it anew when it does not. */
WALRAS_NODISCARD enum walras_status db_ready(struct db_session *session, struct walras_err *err);

struct db_sql {
    const char *name; /* unique in the program */
    const char *text; /* with $1, $2 … */
};

enum { DB_MAX_ARGS = 24 };
/* Start from `= {0}`; texts are borrowed until the query is done. May be copied. */
struct db_args {
    int n;
    const char *text[DB_MAX_ARGS];                /* NULL: SQL's, or the number beside it */
    char number[DB_MAX_ARGS][WALRAS_NUMBER_TEXT]; /* "": none */
    int bytes[DB_MAX_ARGS];                       /* of what is in PostgreSQL's own form; 0: text */
};
void db_add_text(struct db_args *args, const char *text); /* NULL is SQL's */
void db_add_integer(struct db_args *args, int64_t value);
void db_add_number(struct db_args *args, double value); /* NAN: NULL */
void db_add_bool(struct db_args *args, bool value);
void db_add_bytes(struct db_args *args, const char *data, size_t size); /* PostgreSQL's own form */

struct db_rows {
    void *result;
    size_t n;
};
void db_rows_release(struct db_rows *rows);
/* Texts live as long as the rows; NULL for SQL's. The others are 0, NAN or false for SQL's NULL. */
const char *db_text(const struct db_rows *rows, size_t row, int column);
int64_t db_integer(const struct db_rows *rows, size_t row, int column);
double db_number(const struct db_rows *rows, size_t row, int column);
bool db_bool(const struct db_rows *rows, size_t row, int column);

/* args and rows may be NULL. *rows is touched on success only. */
WALRAS_NODISCARD enum walras_status db_query(struct db_session *session, const struct db_sql *sql,
                                             const struct db_args *args, struct db_rows *rows,
                                             struct walras_err *err);
/* Statements without parameters, several of them, as one: what a migration is. */
WALRAS_NODISCARD enum walras_status db_script(struct db_session *session, const char *script,
                                              struct walras_err *err);

/* Checks the connection, then begins. db_end commits when `status` is OK and else rolls back. */
WALRAS_NODISCARD enum walras_status db_begin(struct db_session *session, struct walras_err *err);
WALRAS_NODISCARD enum walras_status db_end(struct db_session *session, enum walras_status status,
                                           struct walras_err *err);

/* Adds a row to the audit log, in the caller's transaction. `detail` says what was changed. */
WALRAS_NODISCARD enum walras_status db_audit(struct db_session *session, const char *actor,
                                             const char *action, const char *subject,
                                             const char *detail, struct walras_err *err);

#endif
