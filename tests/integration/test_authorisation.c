/*
 * Who may do what: every route of the server's own table, asked by every kind of client, over real
 * HTTP. What is another tenant's cannot be told from what is not there, and no answer names it.
 */
#include "api/routes.h"
#include "core/clock.h"
#include "core/json.h"
#include "dbkit.h"
#include "servekit.h"
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* All that has to do with it has "zebra" in its name; "quagga" is not there. */
#define OWN    "zebra"
#define ABSENT "quagga"
#define GRID                                                                                       \
    "{\"slack\": \"a\", \"buses\": [{\"id\": \"a\"}, {\"id\": \"b\"}], \"lines\": [{\"id\": "      \
    "\"l\", \"from\": \"a\", \"to\": \"b\", \"x_pu\": 0.1, \"limit_kw\": 50}]}"
#define ANSWERS "\"answers\": [{\"draw_kw\": [1, 1], \"cost\": 0}]"

/* Those before OPERATOR have no right to be heard. */
enum kind {
    NOBODY,
    GARBAGE,
    EXPIRED,
    REVOKED,
    OPERATOR,
    OBSERVER,
    OWNER,
    OTHER,
    AGGREGATOR,
    OTHER_AGGREGATOR,
    N_KIND
};

static const struct {
    const char *id;
    enum db_role role;
} kinds[N_KIND] = {
    [EXPIRED] = {"the-late", DB_ROLE_operator},
    [REVOKED] = {"the-gone", DB_ROLE_operator},
    [OPERATOR] = {"the-operator", DB_ROLE_operator},
    [OBSERVER] = {"the-observer", DB_ROLE_observer},
    [OWNER] = {"the-" OWN, DB_ROLE_agent},
    [OTHER] = {"the-other", DB_ROLE_agent},
    [AGGREGATOR] = {"the-aggregator", DB_ROLE_aggregator},
    [OTHER_AGGREGATOR] = {"the-other-aggregator", DB_ROLE_aggregator},
};

enum { N_HEARD = N_KIND - OPERATOR };

/* What is expected of a call; several may be of one route. */
struct expectation {
    const char *method, *route, *path, *body;
    int of[N_HEARD]; /* operator, observer, owner, other, aggregator, other aggregator */
    int of_unheard;  /* 0: 401 */
};

#define NO_OWN 404, 404, 404
#define ALL                                                                                        \
    {                                                                                              \
        200, 200, 200, 200, 200, 200                                                               \
    }
#define ANYBODY   ALL, 200
#define MARKET(m) "/v1/markets/" m

static const struct expectation expectations[] = {
    {"GET", "/healthz", "/healthz", NULL, ANYBODY},
    {"GET", "/readyz", "/readyz", NULL, ANYBODY},
    {"GET", "/metrics", "/metrics", NULL, ANYBODY},
    {"GET", "/openapi.json", "/openapi.json", NULL, ANYBODY},
    {"GET", "/docs", "/docs", NULL, ANYBODY},
    {"GET", "/docs/page.css", "/docs/page.css", NULL, ANYBODY},
    {"GET", "/docs/page.js", "/docs/page.js", NULL, ANYBODY},
    {"POST",
     "/v1/token",
     "/v1/token",
     "grant_type=client_credentials&client_id=a&client_secret=b",
     {401, 401, 401, 401, 401, 401},
     401},
    {"GET", "/v1/grids", "/v1/grids", NULL, ALL, 0},
    {"PUT", "/v1/grids/{}", "/v1/grids/g", GRID, {200, 403, 403, 403, 403, 403}, 0},
    {"GET", "/v1/grids/{}", "/v1/grids/g", NULL, {200, 200, 403, 403, 403, 403}, 0},
    {"POST",
     "/v1/agents",
     "/v1/agents",
     "{\"id\": \"" OWN "\", \"bus\": \"a\", \"kind\": \"remote\"}",
     {409, 403, 403, 403, 403, 403},
     0},
    {"GET", "/v1/agents", "/v1/agents", NULL, ALL, 0},
    {"GET", "/v1/agents/{}", "/v1/agents/" OWN, NULL, {200, 200, 200, NO_OWN}, 0},
    {"PATCH",
     "/v1/agents/{}",
     "/v1/agents/" OWN,
     "{\"bus\": \"a\"}",
     {409, 403, 403, 403, 403, 403},
     0},
    {"DELETE", "/v1/agents/{}", "/v1/agents/" OWN, NULL, {409, 403, 403, 403, 403, 403}, 0},
    {"POST",
     "/v1/markets",
     "/v1/markets",
     "{\"id\": \"done\", \"grid\": \"g\", \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "
     "\"step_minutes\": 60, \"steps\": 2}}",
     {409, 403, 403, 403, 403, 403},
     0},
    {"GET", "/v1/markets", "/v1/markets", NULL, ALL, 0},
    {"GET", "/v1/markets", "/v1/markets?state=failed", NULL, ALL, 0},
    {"GET", "/v1/markets/{}", MARKET("done"), NULL, ALL, 0},
    {"GET", "/v1/markets/{}", MARKET("failed"), NULL, ALL, 0},
    {"GET", "/v1/markets/{}", MARKET("broken"), NULL, ALL, 0},
    {"POST", "/v1/markets/{}/open", MARKET("done/open"), NULL, {409, 403, 403, 403, 403, 403}, 0},
    {"POST", "/v1/markets/{}/start", MARKET("done/start"), NULL, {409, 403, 403, 403, 403, 403}, 0},
    {"POST",
     "/v1/markets/{}/cancel",
     MARKET("done/cancel"),
     NULL,
     {409, 403, 403, 403, 403, 403},
     0},
    {"GET", "/v1/markets/{}/participants", MARKET("live/participants"), NULL, ALL, 0},
    {"PUT",
     "/v1/markets/{}/participants/{}",
     MARKET("open/participants/" OWN),
     "{\"fallback_kw\": 1}",
     {200, 403, 200, NO_OWN},
     0},
    {"PUT",
     "/v1/markets/{}/participants/{}",
     MARKET("live/participants/" OWN),
     "{\"fallback_kw\": 1}",
     {409, 403, 409, NO_OWN},
     0},
    {"GET",
     "/v1/markets/{}/round",
     MARKET("live/round?agent=" OWN),
     NULL,
     {404, 403, 200, NO_OWN},
     0},
    {"GET", "/v1/markets/{}/round", MARKET("live/round"), NULL, {404, 403, 200, 404, 200, 404}, 0},
    {"GET",
     "/v1/markets/{}/events",
     MARKET("done/events?agent=" OWN),
     NULL,
     {404, 404, 200, NO_OWN},
     0},
    {"GET", "/v1/markets/{}/events", MARKET("done/events?buses=all"), NULL, ALL, 0},
    {"GET", "/v1/markets/{}/events", MARKET("failed/events"), NULL, ALL, 0},
    {"GET", "/v1/markets/{}/events", MARKET("broken/events"), NULL, ALL, 0},
    {"PUT",
     "/v1/markets/{}/rounds/{}/responses/{}",
     MARKET("live/rounds/1/responses/" OWN),
     "{" ANSWERS "}",
     {404, 403, 200, NO_OWN},
     0},
    {"POST",
     "/v1/markets/{}/rounds/{}/responses",
     MARKET("live/rounds/1/responses"),
     "{\"responses\": [{\"agent\": \"" OWN "\", " ANSWERS "}]}",
     {404, 403, 200, NO_OWN},
     0},
    {"POST",
     "/v1/markets/{}/rounds/{}/responses",
     MARKET("live/rounds/1/responses"),
     "{\"responses\": [{\"agent\": \"fleet\", " ANSWERS "}]}",
     {404, 403, 404, 404, 200, 404},
     0},
    {"GET", "/v1/markets/{}/rounds", MARKET("done/rounds"), NULL, ALL, 0},
    {"GET", "/v1/markets/{}/prices", MARKET("done/prices"), NULL, ALL, 0},
    {"GET", "/v1/markets/{}/binding", MARKET("done/binding"), NULL, ALL, 0},
    {"GET", "/v1/markets/{}/certificate", MARKET("done/certificate"), NULL, ALL, 0},
    {"GET",
     "/v1/markets/{}/result",
     MARKET("done/result"),
     NULL,
     {200, 200, 403, 403, 403, 403},
     0},
    {"GET",
     "/v1/markets/{}/awards/{}",
     MARKET("done/awards/" OWN),
     NULL,
     {200, 200, 200, NO_OWN},
     0},
};

enum { N_EXPECTATION = sizeof(expectations) / sizeof(expectations[0]) };

/* One server and database for all tests. */
static struct servekit_server server;
static struct servekit_client as[N_KIND];
static char database[256];

static void stop(void)
{
    for (int kind = 0; kind < N_KIND; kind++)
        servekit_client_release(&as[kind]);
    if (server.pid > 0)
        (void)servekit_stop(&server);
}

static void call(enum kind kind, const char *method, const char *path, const char *body,
                 long expected)
{
    long status = servekit_call(&as[kind], method, path, body);

    if (status != expected)
        printf("%s %s: %ld %.300s\n", method, path, status, as[kind].body.data);
    CU_ASSERT_EQUAL_FATAL(status, expected);
}

static void make_clients(void)
{
    struct db_session *session = dbkit_session(database);

    for (int kind = 0; kind < N_KIND; kind++) {
        char token[DB_SECRET_TEXT] = "";

        if (kinds[kind].id)
            servekit_token(database, kinds[kind].id, kinds[kind].role, token);
        else if (kind == GARBAGE)
            snprintf(token, sizeof(token), "walras-%s", "0123456789abcdef0123456789abcdef");
        servekit_client_init(&as[kind], &server, token);
    }
    CU_ASSERT_TRUE(dbkit_sql(session, "UPDATE token SET created_at = now() - interval '2 h', "
                                      "expires_at = now() - interval '1 s' WHERE client = "
                                      "'the-late'"));
    CU_ASSERT_EQUAL(db_client_revoke(session, "test", "the-gone", NULL), WALRAS_OK);
    db_session_free(session);
}

static void make_market(const char *id, const char *rest)
{
    char body[512], path[64];

    snprintf(body, sizeof(body),
             "{\"id\": \"%s\", \"grid\": \"g\", \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "
             "\"step_minutes\": 60, \"steps\": 2}, %s}",
             id, rest);
    call(OPERATOR, "POST", "/v1/markets", body, 201);
    snprintf(path, sizeof(path), "/v1/markets/%s/open", id);
    call(OPERATOR, "POST", path, NULL, 200);
}

static void join(enum kind kind, const char *market, const char *agent, const char *body)
{
    char path[128];

    snprintf(path, sizeof(path), "/v1/markets/%s/participants/%s", market, agent);
    call(kind, "PUT", path, body, 201);
}

/* Of the aggregator's agent, in every round until the market is no longer clearing. */
static void answer_rounds(const char *market)
{
    struct servekit_client *client = &as[AGGREGATOR];
    char path[128];
    int round = 0;

    for (int i = 0; i < 1000; i++) {
        const char *at = NULL;

        snprintf(path, sizeof(path), "/v1/markets/%s/round?after=%d&wait=20", market, round);
        call(AGGREGATOR, "GET", path, NULL, 200);
        if (!strstr(client->body.data, "\"state\": \"clearing\""))
            return;
        at = strstr(client->body.data, "\"round\": ");
        if (!at || strtol(at + 9, NULL, 10) == 0)
            continue;
        round = (int)strtol(at + 9, NULL, 10);
        snprintf(path, sizeof(path), "/v1/markets/%s/rounds/%d/responses/fleet", market, round);
        call(AGGREGATOR, "PUT", path, "{" ANSWERS "}", 201);
    }
    CU_FAIL("the market does not end");
}

static void make_markets(void)
{
    static const char supply[] =
        "\"supply\": [{\"id\": \"s\", \"bus\": \"a\", \"price_per_mwh\": 50}], \"points\": 1";
    static const char firm[] = "{\"fallback_kw\": 1}";
    char rest[256];

    snprintf(rest, sizeof(rest), "%s, \"round_timeout_s\": 0.3, \"straggler\": {\"max_misses\": 1}",
             supply);
    make_market("done", rest);
    make_market("open", supply);
    snprintf(rest, sizeof(rest), "%s, \"round_timeout_s\": 600", supply);
    make_market("live", rest);
    make_market("failed", supply);
    make_market("broken", supply);
    join(OPERATOR, "broken", OWN "-cell", "{}");
    call(OPERATOR, "POST", "/v1/markets/broken/start", NULL, 200);
    answer_rounds("broken");
    call(OBSERVER, "GET", "/v1/markets/broken", NULL, 200);
    CU_ASSERT_TRUE(servekit_has(&as[OBSERVER], "\"why\":\"agent " OWN "-cell"));
    join(OWNER, "done", OWN, firm);
    join(AGGREGATOR, "done", "fleet", firm);
    join(OWNER, "open", OWN, firm);
    join(OWNER, "live", OWN, firm);
    join(AGGREGATOR, "live", "fleet", firm);
    join(OPERATOR, "failed", OWN "-mill", "{}");
    call(OPERATOR, "POST", "/v1/markets/failed/start", NULL, 200);
    call(OPERATOR, "POST", "/v1/markets/done/start", NULL, 200);
    answer_rounds("failed");
    answer_rounds("done");
    call(OPERATOR, "POST", "/v1/markets/live/start", NULL, 200);
    call(OWNER, "GET", "/v1/markets/live/round?wait=20", NULL, 200);
    call(OWNER, "PUT", "/v1/markets/live/rounds/1/responses/" OWN, "{" ANSWERS "}", 201);
}

static bool begin(void)
{
    static const char *const options[] = {"--requests-per-second", "100000", "--request-burst",
                                          "100000", NULL};
    const char *conninfo = server.pid > 0 ? database : dbkit_migrated();

    if (!conninfo || server.pid > 0)
        return conninfo != NULL;
    snprintf(database, sizeof(database), "%s", conninfo);
    servekit_start(&server, database, options);
    make_clients();
    atexit(stop);
    call(OPERATOR, "PUT", "/v1/grids/g", GRID, 201);
    call(OPERATOR, "POST", "/v1/agents",
         "{\"id\": \"" OWN "\", \"bus\": \"a\", \"kind\": \"remote\", \"owner\": \"the-" OWN "\"}",
         201);
    call(OPERATOR, "POST", "/v1/agents",
         "{\"id\": \"fleet\", \"bus\": \"a\", \"kind\": \"remote\", \"owner\": "
         "\"the-aggregator\"}",
         201);
    call(OPERATOR, "POST", "/v1/agents",
         "{\"id\": \"" OWN "-mill\", \"bus\": \"b\", \"kind\": \"delegated\", \"devices\": "
         "[{\"id\": \"" OWN "-saw\", \"type\": \"load\", \"draw_kw\": 100}]}",
         201);
    call(OPERATOR, "POST", "/v1/agents",
         "{\"id\": \"" OWN "-cell\", \"bus\": \"b\", \"kind\": \"delegated\", \"devices\": "
         "[{\"id\": \"" OWN "-battery\", \"type\": \"battery\", \"capacity_kwh\": 10, "
         "\"charge_kw\": 1, \"discharge_kw\": 5, \"start_kwh\": 1, \"end_min_kwh\": 9}]}",
         201);
    make_markets();
    return true;
}

static long ask(enum kind kind, const struct expectation *e, const char *path, const char *body)
{
    bool form = body && strcmp(e->path, "/v1/token") == 0;

    return servekit_call_as(&as[kind], e->method, path, body,
                            form ? "application/x-www-form-urlencoded" : "application/json");
}

static int expected_of(const struct expectation *e, enum kind kind)
{
    if (kind >= OPERATOR)
        return e->of[kind - OPERATOR];
    return e->of_unheard ? e->of_unheard : 401;
}

/* A route that is added to the table has to be added here. */
static void test_every_route_is_expected(void)
{
    for (size_t r = 0; r < api_n_route; r++) {
        size_t n = 0;

        for (size_t i = 0; i < N_EXPECTATION; i++)
            n += strcmp(expectations[i].method, api_routes[r].method) == 0 &&
                 strcmp(expectations[i].route, api_routes[r].path) == 0;
        if (n == 0)
            printf("%s %s: nobody says who may\n", api_routes[r].method, api_routes[r].path);
        CU_ASSERT_TRUE(n > 0);
    }
}

static void test_who_may_route_by_route(void)
{
    if (!begin())
        return;
    for (size_t i = 0; i < N_EXPECTATION; i++)
        for (int kind = 0; kind < N_KIND; kind++) {
            const struct expectation *e = &expectations[i];
            long status = ask((enum kind)kind, e, e->path, e->body);

            if (status != expected_of(e, (enum kind)kind))
                printf("%s %s as %s: %ld %.200s\n", e->method, e->path,
                       kinds[kind].id ? kinds[kind].id : "nobody", status, as[kind].body.data);
            CU_ASSERT_EQUAL(status, expected_of(e, (enum kind)kind));
            CU_ASSERT_EQUAL(status == 401 && strcmp(e->path, "/v1/token") != 0,
                            strstr(as[kind].headers.data, "WWW-Authenticate: Bearer") != NULL);
        }
}

/* text with ABSENT in place of OWN; NULL stays NULL. */
static const char *absent(const char *text, char out[512])
{
    const char *at = text ? strstr(text, OWN) : NULL;

    if (!at)
        return text;
    snprintf(out, 512, "%.*s" ABSENT "%s", (int)(at - text), text, at + strlen(OWN));
    return out;
}

static void test_what_is_others_is_as_if_it_were_not(void)
{
    static const enum kind strangers[] = {OTHER, AGGREGATOR, OTHER_AGGREGATOR};

    if (!begin())
        return;
    for (size_t i = 0; i < N_EXPECTATION; i++)
        for (size_t k = 0; k < sizeof(strangers) / sizeof(strangers[0]); k++) {
            const struct expectation *e = &expectations[i];
            struct servekit_client *client = &as[strangers[k]];
            char path[512], body[512], *before = NULL;
            long status = ask(strangers[k], e, e->path, e->body);

            if (strstr(client->body.data, OWN))
                printf("%s %s tells %s: %s\n", e->method, e->path, kinds[strangers[k]].id,
                       client->body.data);
            CU_ASSERT_PTR_NULL(strstr(client->body.data, OWN));
            if (!strstr(e->path, OWN) && !(e->body && strstr(e->body, OWN)))
                continue;
            before = strdup(client->body.data);
            CU_ASSERT_EQUAL(ask(strangers[k], e, absent(e->path, path), absent(e->body, body)),
                            status);
            if (strcmp(before, client->body.data) != 0)
                printf("%s %s: %s\nabsent: %s\n", e->method, e->path, before, client->body.data);
            CU_ASSERT_STRING_EQUAL(before, client->body.data);
            free(before);
        }
}

/* Of those that were suspended a client is told its own, in a certificate that is else the same. */
static void test_certificates_name_ones_own(void)
{
    static const char others[] = "\"suspended\": []}}";
    static const char own[] = "\"suspended\": [\"" OWN "\"]}}";
    const char *whole = NULL;
    size_t size = 0;

    if (!begin())
        return;
    call(OBSERVER, "GET", "/v1/markets/done/certificate", NULL, 200);
    CU_ASSERT_TRUE_FATAL(servekit_has(&as[OBSERVER], own));
    whole = as[OBSERVER].body.data;
    size = as[OBSERVER].body.size - strlen(own);
    call(OWNER, "GET", "/v1/markets/done/certificate", NULL, 200);
    CU_ASSERT_STRING_EQUAL(as[OWNER].body.data, whole);
    call(OTHER, "GET", "/v1/markets/done/certificate", NULL, 200);
    CU_ASSERT_EQUAL(strncmp(as[OTHER].body.data, whole, size), 0);
    CU_ASSERT_STRING_EQUAL(as[OTHER].body.data + size, others);
}

/* A token of two seconds counts, and then no more; neither for what is asked nor for streams. */
static void test_tokens_end(void)
{
    static const char *const options[] = {"--token-life", "2", NULL};
    struct servekit_server own;
    struct servekit_client client;
    struct db_client who = {.id = "short", .role = DB_ROLE_operator};
    char secret[DB_SECRET_TEXT], form[256];
    const char *at = NULL;
    double start_s = 0.0;

    if (!begin())
        return;

    struct db_session *session = dbkit_session(database);

    CU_ASSERT_EQUAL(db_client_create(session, "test", &who, secret, NULL), WALRAS_OK);
    db_session_free(session);
    servekit_start(&own, database, options);
    servekit_client_init(&client, &own, "");
    snprintf(form, sizeof(form), "grant_type=client_credentials&client_id=short&client_secret=%s",
             secret);
    start_s = walras_monotonic_s();
    CU_ASSERT_EQUAL(
        servekit_call_as(&client, "POST", "/v1/token", form, "application/x-www-form-urlencoded"),
        200);
    CU_ASSERT_TRUE(servekit_has(&client, "\"expires_in\": 2"));
    at = strstr(client.body.data, "\"access_token\": \"");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    snprintf(client.token, sizeof(client.token), "%.*s", (int)strcspn(at + 17, "\""), at + 17);
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/v1/grids", NULL), 200);
    while (servekit_call(&client, "GET", "/v1/grids", NULL) == 200 &&
           walras_monotonic_s() - start_s < 10.0)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    CU_ASSERT_EQUAL(client.status, 401);
    CU_ASSERT_TRUE(walras_monotonic_s() - start_s > 1.9 && walras_monotonic_s() - start_s < 6.0);
    servekit_client_release(&client);
    CU_ASSERT_EQUAL(servekit_stop(&own), 0);
}

static const struct testkit_test tests[] = {
    {"every route is expected", test_every_route_is_expected},
    {"who may, route by route", test_who_may_route_by_route},
    {"what is others' is as if it were not", test_what_is_others_is_as_if_it_were_not},
    {"certificates name one's own", test_certificates_name_ones_own},
    {"tokens end", test_tokens_end},
};

TESTKIT_MAIN("authorisation", tests)
