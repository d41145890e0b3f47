#include "db/session_internal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PREPARED = 256 };

#define ASLEEP       "3s"    /* a process amid a transaction: its locks are in others' way */
#define DEAD_PEER_MS "10000" /* for libpq: until a machine that does not answer counts as gone */

struct db_session {
    PGconn *conn; /* NULL: none */
    char *conninfo;
    struct db_settings settings;
    const char *prepared[MAX_PREPARED]; /* names, in this connection */
    size_t n_prepared;
};

struct db_settings db_settings_defaults(const char *conninfo)
{
    return (struct db_settings){.conninfo = conninfo, .connect_s = 5, .statement_s = 30};
}

/* libpq's messages end in line breaks. */
static void put_message(char *out, size_t size, const char *text)
{
    size_t n = strlen(text);

    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), text);
    for (char *c = out; *c; c++)
        *c = (unsigned char)*c < ' ' ? ' ' : *c;
}

static enum walras_status fail_connection(PGconn *conn, struct walras_err *err)
{
    char text[300];

    put_message(text, sizeof(text), conn ? PQerrorMessage(conn) : "no memory");
    return walras_fail(err, WALRAS_UNAVAILABLE, "the database cannot be reached: %s", text);
}

static void disconnect(struct db_session *session)
{
    PQfinish(session->conn);
    session->conn = NULL;
    session->n_prepared = 0;
}

static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

static enum walras_status connect_now(struct db_session *session, struct walras_err *err)
{
    char timeout[16], options[240];
    /* what stands before the database's name can be set otherwise by it */
    const char *const keys[] = {
        "tcp_user_timeout",          "dbname", "connect_timeout", "options", "client_encoding",
        "fallback_application_name", NULL};
    const char *const values[] = {DEAD_PEER_MS, session->conninfo, timeout, options,
                                  "UTF8",       "walras",          NULL};
    enum walras_status status = WALRAS_OK;

    snprintf(timeout, sizeof(timeout), "%u", session->settings.connect_s);
    snprintf(options, sizeof(options),
             "-c statement_timeout=%us -c idle_session_timeout=%us -c timezone=UTC "
             "-c idle_in_transaction_session_timeout=" ASLEEP " -c extra_float_digits=1",
             session->settings.statement_s, session->settings.idle_s);
    disconnect(session);
    session->conn = PQconnectdbParams(keys, values, 1);
    if (!session->conn || PQstatus(session->conn) != CONNECTION_OK) {
        status = fail_connection(session->conn, err);
        disconnect(session);
        return status;
    }
    PQsetNoticeProcessor(session->conn, ignore_notice, NULL);
    return WALRAS_OK;
}

PGconn *db_session_connection(const struct db_session *session)
{
    return session->conn;
}

enum walras_status db_session_new(const struct db_settings *settings, struct db_session **made,
                                  struct walras_err *err)
{
    struct db_session *session = calloc(1, sizeof(*session));
    enum walras_status status = WALRAS_OK;

    if (session)
        session->conninfo = strdup(settings->conninfo);
    if (!session || !session->conninfo) {
        db_session_free(session);
        return walras_fail(err, WALRAS_NOMEM, "no memory for a database session");
    }
    session->settings = *settings;
    session->settings.conninfo = session->conninfo;
    status = connect_now(session, err);
    if (status == WALRAS_OK)
        *made = session;
    else
        db_session_free(session);
    return status;
}

void db_session_free(struct db_session *session)
{
    if (!session)
        return;
    disconnect(session);
    free(session->conninfo);
    free(session);
}

/* Input although nothing was asked: a farewell of the server, or the connection's end. */
static bool has_news(PGconn *conn)
{
    struct pollfd input = {.fd = PQsocket(conn), .events = POLLIN};

    return poll(&input, 1, 0) != 0;
}

enum walras_status db_ready(struct db_session *session, struct walras_err *err)
{
    if (session->conn && PQstatus(session->conn) == CONNECTION_OK && !has_news(session->conn)) {
        if (PQtransactionStatus(session->conn) == PQTRANS_IDLE)
            return WALRAS_OK;
        PQclear(PQexec(session->conn, "ROLLBACK")); /* left by a unit of work that failed */
        if (PQtransactionStatus(session->conn) == PQTRANS_IDLE)
            return WALRAS_OK;
    }
    return connect_now(session, err);
}

void db_rows_release(struct db_rows *rows)
{
    PQclear(rows->result);
    *rows = (struct db_rows){0};
}

static enum walras_status status_of(const char *state)
{
    static const struct {
        const char *prefix;
        enum walras_status status;
    } classes[] = {
        {"08", WALRAS_UNAVAILABLE},    {"57P", WALRAS_UNAVAILABLE},   {"57014", WALRAS_UNAVAILABLE},
        {"53", WALRAS_UNAVAILABLE},    {"40", WALRAS_UNAVAILABLE},    {"55P03", WALRAS_UNAVAILABLE},
        {"25P03", WALRAS_UNAVAILABLE}, {"25006", WALRAS_UNAVAILABLE}, {"58", WALRAS_UNAVAILABLE},
        {"23505", WALRAS_CONFLICT},    {"23503", WALRAS_CONFLICT},    {"23514", WALRAS_INVALID},
        {"22", WALRAS_INVALID},        {"42501", WALRAS_FORBIDDEN}};

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strncmp(state, classes[i].prefix, strlen(classes[i].prefix)) == 0)
            return classes[i].status;
    return WALRAS_INTERNAL;
}

static enum walras_status fail_query(struct db_session *session, const PGresult *result,
                                     const char *name, struct walras_err *err)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *said = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    char text[300];

    if (!state || PQstatus(session->conn) != CONNECTION_OK)
        return fail_connection(session->conn, err);
    put_message(text, sizeof(text), said ? said : "no message");
    return walras_fail(err, status_of(state), "database: %s (%s, %s)", text, name, state);
}

static bool succeeded(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static enum walras_status prepare(struct db_session *session, const struct db_sql *sql,
                                  struct walras_err *err)
{
    PGresult *result = NULL;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < session->n_prepared; i++)
        if (strcmp(session->prepared[i], sql->name) == 0)
            return WALRAS_OK;
    if (session->n_prepared == MAX_PREPARED)
        return walras_fail(err, WALRAS_INTERNAL, "more than %d statements", MAX_PREPARED);
    result = PQprepare(session->conn, sql->name, sql->text, 0, NULL);
    if (succeeded(result))
        session->prepared[session->n_prepared++] = sql->name;
    else
        status = fail_query(session, result, sql->name, err);
    PQclear(result);
    return status;
}

static enum walras_status take(struct db_session *session, PGresult *result, const char *name,
                               struct db_rows *rows, struct walras_err *err)
{
    if (!succeeded(result)) {
        enum walras_status status = fail_query(session, result, name, err);

        PQclear(result);
        return status;
    }
    if (rows)
        *rows = (struct db_rows){.result = result, .n = (size_t)PQntuples(result)};
    else
        PQclear(result);
    return WALRAS_OK;
}

enum walras_status db_query(struct db_session *session, const struct db_sql *sql,
                            const struct db_args *args, struct db_rows *rows,
                            struct walras_err *err)
{
    const char *values[DB_MAX_ARGS] = {NULL};
    int format[DB_MAX_ARGS] = {0}, n = args ? args->n : 0;
    enum walras_status status = WALRAS_OK;

    if (!session->conn)
        return walras_fail(err, WALRAS_UNAVAILABLE, "the database cannot be reached");
    status = prepare(session, sql, err);
    if (status != WALRAS_OK)
        return status;
    for (int i = 0; i < n; i++) {
        values[i] = args->number[i][0] ? args->number[i] : args->text[i];
        format[i] = args->bytes[i] > 0;
    }
    return take(
        session,
        PQexecPrepared(session->conn, sql->name, n, values, args ? args->bytes : NULL, format, 0),
        sql->name, rows, err);
}

enum walras_status db_script(struct db_session *session, const char *script, struct walras_err *err)
{
    if (!session->conn)
        return walras_fail(err, WALRAS_UNAVAILABLE, "the database cannot be reached");
    return take(session, PQexec(session->conn, script), "script", NULL, err);
}

enum walras_status db_begin(struct db_session *session, struct walras_err *err)
{
    enum walras_status status = db_ready(session, err);

    return status == WALRAS_OK ? db_script(session, "BEGIN", err) : status;
}

/* A transaction that failed ends in a rollback, however it is told to end. */
static enum walras_status commit(struct db_session *session, struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    if (!session->conn)
        return walras_fail(err, WALRAS_UNAVAILABLE, "the database cannot be reached");
    status = take(session, PQexec(session->conn, "COMMIT"), "commit", &rows, err);
    if (status == WALRAS_OK && strcmp(PQcmdStatus(rows.result), "COMMIT") != 0)
        status = walras_fail(err, WALRAS_INTERNAL, "a transaction was committed that had failed");
    db_rows_release(&rows);
    return status;
}

enum walras_status db_end(struct db_session *session, enum walras_status status,
                          struct walras_err *err)
{
    if (status == WALRAS_OK)
        return commit(session, err);
    if (session->conn && PQstatus(session->conn) == CONNECTION_OK)
        PQclear(PQexec(session->conn, "ROLLBACK")); /* db_ready tries again, or connects anew */
    return status;
}

enum walras_status db_audit(struct db_session *session, const char *actor, const char *action,
                            const char *subject, const char *detail, struct walras_err *err)
{
    static const struct db_sql insert = {
        "audit_insert",
        "INSERT INTO audit (actor, action, subject, detail) VALUES ($1, $2, $3, $4)"};
    struct db_args args = {0};

    db_add_text(&args, actor);
    db_add_text(&args, action);
    db_add_text(&args, subject);
    db_add_text(&args, detail);
    return db_query(session, &insert, &args, NULL, err);
}
