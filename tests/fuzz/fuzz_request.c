/*
 * libFuzzer target: any bytes as a request of any route, handled as the server does but for the
 * sockets and the database. A first byte says what that answers; then come the request's line,
 * headers and body as HTTP has them. Whatever comes, there is an answer, it is JSON, and the server
 * does not call it its own fault.
 *
 * The linker puts what is here (__wrap_…) in the place of libmicrohttpd's and the database's.
 */
#include "api/answers.h"
#include "api/api_internal.h"
#include "api/event_id.h"
#include "api/shape.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The names are the linker's (--wrap). NOLINTBEGIN(bugprone-reserved-identifier) */

enum { N_COLUMN = 16, MOST_HEADERS = 8 };

static struct {
    enum { ROWS, NO_ROWS, NO_DATABASE } database;
    bool remote; /* agents are */
    const char *names[2 * MOST_HEADERS], *values[2 * MOST_HEADERS];
    size_t n_header, n_value; /* headers first */
} now;

/* ---- what the request is asked for ---- */

const char *__wrap_MHD_lookup_connection_value(struct MHD_Connection *connection,
                                               enum MHD_ValueKind kind, const char *key);
char *__wrap_MHD_basic_auth_get_username_password(struct MHD_Connection *connection,
                                                  char **password);

const char *__wrap_MHD_lookup_connection_value(struct MHD_Connection *connection,
                                               enum MHD_ValueKind kind, const char *key)
{
    bool header = kind == MHD_HEADER_KIND;

    (void)connection;
    for (size_t i = header ? 0 : now.n_header; i < (header ? now.n_header : now.n_value); i++)
        if (strcasecmp(now.names[i], key) == 0)
            return now.values[i];
    return NULL;
}

char *__wrap_MHD_basic_auth_get_username_password(struct MHD_Connection *connection,
                                                  char **password)
{
    const char *given =
        __wrap_MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    const char *colon = given ? strchr(given, ':') : NULL;

    *password = colon ? strdup(colon + 1) : NULL;
    return colon ? strndup(given, (size_t)(colon - given)) : NULL;
}

/* ---- what the database says ---- */

enum walras_status __wrap_db_query(struct db_session *session, const struct db_sql *sql,
                                   const struct db_args *args, struct db_rows *rows,
                                   struct walras_err *err);
enum walras_status __wrap_db_begin(struct db_session *session, struct walras_err *err);
enum walras_status __wrap_db_end(struct db_session *session, enum walras_status status,
                                 struct walras_err *err);
enum walras_status __wrap_db_audit(struct db_session *session, const char *actor,
                                   const char *action, const char *subject, const char *detail,
                                   struct walras_err *err);
enum walras_status __wrap_db_pool_take(struct db_pool *pool, struct db_session **session,
                                       struct walras_err *err);
void __wrap_db_pool_give(struct db_pool *pool, struct db_session *session);
enum walras_status __wrap_db_token_issue(struct db_session *session, const char *id,
                                         const char *secret, unsigned life_s, bool *known,
                                         struct db_client *client, char token[DB_SECRET_TEXT],
                                         struct walras_err *err);
bool __wrap_api_commit_submit(struct api_commit *commit, struct api_answers *answers,
                              void (*suspend)(struct api_answers *answers));
void __wrap_api_worker_wake(struct api_worker *worker);

#define GRID                                                                                       \
    "{\"slack\": \"a\", \"buses\": [{\"id\": \"a\"}, {\"id\": \"b\"}], \"lines\": [{\"id\": "      \
    "\"l\", \"from\": \"a\", \"to\": \"b\", \"x_pu\": 0.1}]}"

/* The rows of queries that are read column by column; of others JSON, or a number, and ones do. */
static const struct {
    const char *name;
    const char *columns[N_COLUMN];
} known_rows[] = {
    {"market_load",
     {"m", "g", "EUR", "2026-07-01T00:00:00Z", "[]", "1", "60", "2", "1", "100", "3", "1e-4", "30",
      "clearing"}},
    {"market_hold",
     {"m", "g", "EUR", "2026-07-01T00:00:00Z", "[]", "1", "60", "2", "1", "100", "3", "1e-4", "30",
      "open"}},
    {"market_lock", {"clearing"}},
    {"grid_get", {GRID, "1", GRID}},
    {"agent_get",
     {"{}", "delegated", "b", "[{\"id\": \"d\", \"type\": \"load\", \"draw_kw\": 1}]"}},
    {"agent_takes_part", {"f"}},
};

static bool counts(const struct db_sql *sql)
{
    return strncmp(sql->text, "SELECT count", 12) == 0;
}

enum walras_status __wrap_db_query(struct db_session *session, const struct db_sql *sql,
                                   const struct db_args *args, struct db_rows *rows,
                                   struct walras_err *err)
{
    PGresAttDesc columns[N_COLUMN] = {{0}};
    PGresult *result = NULL;
    const char *const *given = NULL;

    (void)session;
    (void)args;
    if (now.database == NO_DATABASE)
        return walras_fail(err, WALRAS_UNAVAILABLE, "database: away");
    if (!rows)
        return WALRAS_OK;
    result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    for (int i = 0; i < N_COLUMN; i++)
        columns[i].name = (char *)"c";
    PQsetResultAttrs(result, N_COLUMN, columns);
    for (size_t i = 0; i < sizeof(known_rows) / sizeof(known_rows[0]); i++)
        if (strcmp(known_rows[i].name, sql->name) == 0)
            given = known_rows[i].columns;
    for (int i = 0; i < N_COLUMN && (now.database == ROWS || counts(sql)); i++) {
        const char *value = given && given[i] ? given[i] : i == 0 && !counts(sql) ? "{}" : "1";

        if (now.remote && strcmp(value, "delegated") == 0)
            value = "remote";

        PQsetvalue(result, 0, i, (char *)value, (int)strlen(value));
    }
    *rows = (struct db_rows){result, (size_t)PQntuples(result)};
    return WALRAS_OK;
}

enum walras_status __wrap_db_begin(struct db_session *session, struct walras_err *err)
{
    return __wrap_db_query(session, NULL, NULL, NULL, err);
}

enum walras_status __wrap_db_audit(struct db_session *session, const char *actor,
                                   const char *action, const char *subject, const char *detail,
                                   struct walras_err *err)
{
    (void)session, (void)actor, (void)action, (void)subject, (void)detail, (void)err;
    return WALRAS_OK;
}

enum walras_status __wrap_db_end(struct db_session *session, enum walras_status status,
                                 struct walras_err *err)
{
    (void)session;
    (void)err;
    return status;
}

enum walras_status __wrap_db_pool_take(struct db_pool *pool, struct db_session **session,
                                       struct walras_err *err)
{
    (void)err;
    *session = (struct db_session *)pool; /* looked at by nobody */
    return WALRAS_OK;
}

void __wrap_db_pool_give(struct db_pool *pool, struct db_session *session)
{
    (void)pool;
    (void)session;
}

enum walras_status __wrap_db_token_issue(struct db_session *session, const char *id,
                                         const char *secret, unsigned life_s, bool *known,
                                         struct db_client *client, char token[DB_SECRET_TEXT],
                                         struct walras_err *err)
{
    (void)session, (void)life_s, (void)err;
    snprintf(client->id, sizeof(client->id), "%s", id);
    snprintf(token, DB_SECRET_TEXT, "token");
    *known = strlen(secret) > 3;
    return WALRAS_OK;
}

bool __wrap_api_commit_submit(struct api_commit *commit, struct api_answers *answers,
                              void (*suspend)(struct api_answers *answers))
{
    (void)commit, (void)answers, (void)suspend;
    return false;
}

void __wrap_api_worker_wake(struct api_worker *worker)
{
    (void)worker;
}

/* ---- the request ---- */

/* Cuts `text` at the first of `at`; what follows, or "" when there is none. */
static char *cut(char *text, const char *at)
{
    char *end = text + strcspn(text, at);

    if (*end == '\0')
        return end;
    *end = '\0';
    return end + 1;
}

static void take_value(char *name, char *value)
{
    if (now.n_value == sizeof(now.names) / sizeof(now.names[0]))
        return;
    now.names[now.n_value] = name;
    now.values[now.n_value++] = value;
}

/* "METHOD PATH?QUERY\nName: value\n…\n\nBODY"; the body. */
static char *take_head(char *text, char **method, char **path)
{
    char *rest = cut(text, "\n"), *query = NULL;

    *method = text;
    *path = cut(text, " ");
    query = cut(*path, "?");
    while (*rest && *rest != '\n') {
        char *line = rest, *value = NULL;

        rest = cut(line, "\n");
        value = cut(line, ":");
        if (now.n_value < MOST_HEADERS)
            take_value(line, value + strspn(value, " "));
    }
    now.n_header = now.n_value;
    while (*query) {
        char *pair = query;

        query = cut(pair, "&");
        take_value(pair, cut(pair, "="));
    }
    return *rest ? rest + 1 : rest;
}

static void check_answer(struct api_request *request)
{
    struct walras_json_doc *doc = NULL;

    if (!request->answered || request->http < 200 || request->http > 599)
        abort(); /* no answer */
    if (request->http == 500)
        abort(); /* not the client's fault */
    api_finish_answer(request);
    if (strstr(request->type, "json") && request->http != 204 &&
        walras_json_parse("answer", request->answer, request->answer_size, &doc, NULL) != WALRAS_OK)
        abort(); /* no JSON */
    walras_json_free(doc);
}

static void handle(struct api_request *request)
{
    struct walras_err err = {0};

    (void)!request->route->handle(request, &err);
    if (err.code == WALRAS_INTERNAL)
        fprintf(stderr, "%s\n", err.msg);
    if (err.code != WALRAS_OK)
        api_problem_of(request, &err);
    check_answer(request);
}

static struct api_server *the_server(void)
{
    static struct api_server server;

    if (server.live)
        return &server;
    server.settings.token_life_s = 60;
    server.pool = (struct db_pool *)&server; /* looked at by nobody */
    if (api_live_new(&server.live, NULL) != WALRAS_OK)
        abort();
    return &server;
}

/* Pages and streams need more than a body. */
static bool is_plain(const struct api_route *route)
{
    return route->body != API_NO_BODY ||
           (strncmp(route->path, "/v1/", 4) == 0 && !strstr(route->path, "/events"));
}

static void ask(char *text, const char *end)
{
    struct api_request request = {.server = the_server(), .client = {.id = "c"}};
    char *method = NULL, *path = NULL, *body = take_head(text, &method, &path);
    struct api_event_place place;
    const char *id = __wrap_MHD_lookup_connection_value(NULL, MHD_HEADER_KIND, "Last-Event-ID");

    if (id)
        (void)api_event_id_read(id, &place);
    request.route = api_route_find(method, path, request.part, request.allow);
    request.client.role = (enum db_role)(strlen(path) % DB_N_ROLE);
    if (!request.route || !is_plain(request.route))
        return;
    request.size = (size_t)(end - body);
    request.body = calloc(request.size + 1, 1);
    memcpy(request.body, body, request.size);
    handle(&request);
    api_request_release(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = size > 1 ? calloc(size, 1) : NULL; /* one more, for the end */

    if (!text)
        return 0;
    memset(&now, 0, sizeof(now));
    now.database = data[0] % 3;
    now.remote = data[0] / 3 % 2 == 1;
    memcpy(text, data + 1, size - 1);
    ask(text, text + size - 1);
    free(text);
    return 0;
}
/* NOLINTEND(bugprone-reserved-identifier) */
