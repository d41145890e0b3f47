/*
 * The connection of a session, for what is no query.
 */
#ifndef WALRAS_DB_SESSION_INTERNAL_H
#define WALRAS_DB_SESSION_INTERNAL_H

#include "db/session.h"

#include <libpq-fe.h>

/* NULL: there is none now. */
PGconn *db_session_connection(const struct db_session *session);

#endif
