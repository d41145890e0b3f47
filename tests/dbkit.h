/*
 * Databases for tests: a private PostgreSQL cluster in a temporary folder, one a test program,
 * stopped and removed when the program ends, however it ends.
 *
 * Threads  call the first function before any thread is started.
 */
#ifndef WALRAS_TESTS_DBKIT_H
#define WALRAS_TESTS_DBKIT_H

#include "db/session.h"

/*
 * A new, empty database. NULL, with the test skipped for a reason, where PostgreSQL is absent;
 * fails the test when it is there but does not work. Lives until the next call.
 */
const char *dbkit_empty(void);
/* The same with all tables. */
const char *dbkit_migrated(void);
/* A session with it, or NULL with the test failed. */
struct db_session *dbkit_session(const char *conninfo);
/* A folder of the program's own, removed with the cluster. NULL: skipped, as above. */
const char *dbkit_folder(void);
/* Stops the cluster ("fast", "immediate") under all who use it, and starts it again. */
bool dbkit_stop(const char *mode);
bool dbkit_start(void);
/* Runs SQL of a test's own; false, with the message printed, when it fails. */
bool dbkit_sql(struct db_session *session, const char *script);
/* The first value of a query, or "" when there is none; lives until the next call. */
const char *dbkit_value(struct db_session *session, const char *query);

#endif
