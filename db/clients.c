#include "db/clients.h"

#include <stdio.h>
#include <string.h>

const char *db_role_name(enum db_role role)
{
    static const char *const names[] = {
#define X(name) #name,
        DB_ROLE_LIST(X)
#undef X
    };

    return names[role];
}

enum db_role db_role_find(const char *name)
{
    enum db_role role = (enum db_role)0;

    while (role < DB_N_ROLE && strcmp(db_role_name(role), name) != 0)
        role = (enum db_role)(role + 1);
    return role;
}

bool db_id_is_good(const char *id)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t n = strlen(id);

    if (n == 0 || n >= DB_ID || !strchr(letters, id[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!strchr(letters, id[i]) && !strchr("._-", id[i]))
            return false;
    return true;
}

static enum walras_status insert_client(struct db_session *session, const struct db_client *client,
                                        const char *hash, struct walras_err *err)
{
    static const struct db_sql insert = {
        "client_insert", "INSERT INTO client (id, role, secret_hash) VALUES ($1, $2::client_role, "
                         "$3) ON CONFLICT DO NOTHING RETURNING id"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, client->id);
    db_add_text(&args, db_role_name(client->role));
    db_add_text(&args, hash);
    status = db_query(session, &insert, &args, &rows, err);
    if (status == WALRAS_OK && rows.n == 0)
        status = walras_fail(err, WALRAS_CONFLICT, "there is a client \"%s\" already", client->id);
    db_rows_release(&rows);
    return status;
}

enum walras_status db_client_create(struct db_session *session, const char *actor,
                                    const struct db_client *client, char secret[DB_SECRET_TEXT],
                                    struct walras_err *err)
{
    char hash[DB_SECRET_HASH], made[DB_SECRET_TEXT];
    enum walras_status status = WALRAS_OK;

    if (!db_id_is_good(client->id))
        return walras_fail(err, WALRAS_INVALID,
                           "a client's name has 1 to 64 letters, digits, \"-\", \"_\" or \".\", "
                           "the first a letter or digit; got \"%.80s\"",
                           client->id);
    db_secret_make(made);
    status = db_secret_hash(made, hash, err);
    if (status == WALRAS_OK)
        status = db_begin(session, err);
    if (status != WALRAS_OK)
        return status;
    status = insert_client(session, client, hash, err);
    if (status == WALRAS_OK)
        status =
            db_audit(session, actor, "key.create", client->id, db_role_name(client->role), err);
    status = db_end(session, status, err);
    if (status == WALRAS_OK)
        memcpy(secret, made, sizeof(made));
    db_secret_forget(made, sizeof(made));
    return status;
}

enum walras_status db_client_revoke(struct db_session *session, const char *actor, const char *id,
                                    struct walras_err *err)
{
    static const struct db_sql revoke = {
        "client_revoke",
        "UPDATE client SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id"};
    static const struct db_sql forget = {"client_forget", "DELETE FROM token WHERE client = $1"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = db_begin(session, err);

    if (status != WALRAS_OK)
        return status;
    db_add_text(&args, id);
    status = db_query(session, &revoke, &args, &rows, err);
    if (status == WALRAS_OK && rows.n == 0)
        status = walras_fail(err, WALRAS_NOT_FOUND, "there is no client \"%.80s\" to revoke", id);
    if (status == WALRAS_OK)
        status = db_query(session, &forget, &args, NULL, err);
    if (status == WALRAS_OK)
        status = db_audit(session, actor, "key.revoke", id, "", err);
    db_rows_release(&rows);
    return db_end(session, status, err);
}

enum walras_status db_client_list(struct db_session *session, struct db_rows *rows,
                                  struct walras_err *err)
{
    static const struct db_sql list = {
        "client_list", "SELECT id, role, to_char(created_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
                       "to_char(revoked_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM client "
                       "ORDER BY id"};

    return db_query(session, &list, NULL, rows, err);
}

/* A role that this program does not know is no role. */
static bool take_client(const struct db_rows *rows, struct db_client *client)
{
    enum db_role role = rows->n == 1 ? db_role_find(db_text(rows, 0, 1)) : DB_N_ROLE;

    if (role == DB_N_ROLE)
        return false;
    *client = (struct db_client){.role = role};
    snprintf(client->id, sizeof(client->id), "%s", db_text(rows, 0, 0));
    return true;
}

static enum walras_status check_secret(struct db_session *session, const char *id,
                                       const char *secret, bool *known, struct db_client *client,
                                       struct walras_err *err)
{
    static const struct db_sql find = {
        "client_find",
        "SELECT id, role, secret_hash FROM client WHERE id = $1 AND revoked_at IS NULL"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    *known = false;
    db_add_text(&args, db_id_is_good(id) ? id : "");
    status = db_query(session, &find, &args, &rows, err);
    if (status != WALRAS_OK)
        return status;
    if (take_client(&rows, client))
        *known = db_secret_matches(secret, db_text(&rows, 0, 2));
    else
        db_secret_pretend(secret);
    db_rows_release(&rows);
    return WALRAS_OK;
}

enum walras_status db_token_issue(struct db_session *session, const char *id, const char *secret,
                                  unsigned life_s, bool *known, struct db_client *client,
                                  char token[DB_SECRET_TEXT], struct walras_err *err)
{
    static const struct db_sql insert = {
        "token_insert", "INSERT INTO token (hash, client, expires_at) "
                        "VALUES (decode($1, 'hex'), $2, now() + make_interval(secs => $3))"};
    char digest[DB_DIGEST_TEXT];
    struct db_args args = {0};
    enum walras_status status = db_ready(session, err);

    *known = false;
    if (status == WALRAS_OK)
        status = check_secret(session, id, secret, known, client, err);
    if (status != WALRAS_OK || !*known)
        return status;
    db_secret_make(token);
    db_digest_text(token, strlen(token), digest);
    db_add_text(&args, digest);
    db_add_text(&args, client->id);
    db_add_integer(&args, life_s);
    return db_query(session, &insert, &args, NULL, err);
}

enum walras_status db_token_find(struct db_session *session, const char *token, bool *known,
                                 struct db_client *client, double *left_s, struct walras_err *err)
{
    static const struct db_sql find = {
        "token_find",
        "SELECT c.id, c.role, extract(epoch FROM t.expires_at - now())::float8 FROM token t JOIN "
        "client c ON c.id = t.client "
        "WHERE t.hash = decode($1, 'hex') AND t.expires_at > now() AND c.revoked_at IS NULL"};
    char digest[DB_DIGEST_TEXT];
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    *known = false;
    db_digest_text(token, strlen(token), digest);
    db_add_text(&args, digest);
    status = db_query(session, &find, &args, &rows, err);
    if (status == WALRAS_OK)
        *known = take_client(&rows, client);
    if (*known && left_s)
        *left_s = db_number(&rows, 0, 2);
    db_rows_release(&rows);
    return status;
}

enum walras_status db_token_sweep(struct db_session *session, struct walras_err *err)
{
    static const struct db_sql sweep = {"token_sweep",
                                        "DELETE FROM token WHERE expires_at <= now()"};

    return db_query(session, &sweep, NULL, NULL, err);
}
