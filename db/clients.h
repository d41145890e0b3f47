/*
 * Clients of the server: who they are, their secrets, the tokens they are given.
 */
#ifndef WALRAS_DB_CLIENTS_H
#define WALRAS_DB_CLIENTS_H

#include "db/secret.h"
#include "db/session.h"

#define DB_ROLE_LIST(X) X(operator) X(agent) X(aggregator) X(observer)

enum db_role {
#define X(name) DB_ROLE_##name,
    DB_ROLE_LIST(X)
#undef X
        DB_N_ROLE
};
const char *db_role_name(enum db_role role);
/* DB_N_ROLE: there is none of that name. */
enum db_role db_role_find(const char *name);

enum { DB_ID = 65 }; /* bytes of an id with its NUL */
/* 1 … 64 letters, digits, "-", "_", ".", the first a letter or digit. */
bool db_id_is_good(const char *id);

struct db_client {
    char id[DB_ID];
    enum db_role role;
};

/* Makes a client; *secret is told here once. WALRAS_CONFLICT: the id is taken. */
WALRAS_NODISCARD enum walras_status db_client_create(struct db_session *session, const char *actor,
                                                     const struct db_client *client,
                                                     char secret[DB_SECRET_TEXT],
                                                     struct walras_err *err);
/* No token of it counts from then on. WALRAS_NOT_FOUND: none of that id, or revoked before. */
WALRAS_NODISCARD enum walras_status db_client_revoke(struct db_session *session, const char *actor,
                                                     const char *id, struct walras_err *err);
/* Rows: id, role, created_at, revoked_at (RFC 3339), by id. */
WALRAS_NODISCARD enum walras_status db_client_list(struct db_session *session, struct db_rows *rows,
                                                   struct walras_err *err);

/*
 * A token for the client that has this secret, good for `life_s` seconds. *known false: there is no
 * such client, or the secret is wrong.
 */
WALRAS_NODISCARD enum walras_status db_token_issue(struct db_session *session, const char *id,
                                                   const char *secret, unsigned life_s, bool *known,
                                                   struct db_client *client,
                                                   char token[DB_SECRET_TEXT],
                                                   struct walras_err *err);
/*
 * Whose token that is, and for how many seconds more (left_s may be NULL); *known false: nobody's,
 * or not any more.
 */
WALRAS_NODISCARD enum walras_status db_token_find(struct db_session *session, const char *token,
                                                  bool *known, struct db_client *client,
                                                  double *left_s, struct walras_err *err);
/* Forgets tokens that have expired. */
WALRAS_NODISCARD enum walras_status db_token_sweep(struct db_session *session,
                                                   struct walras_err *err);

#endif
