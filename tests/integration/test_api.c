/* The server's routes over real HTTP, on a real PostgreSQL. */
#include "core/json.h"
#include "db/markets.h"
#include "dbkit.h"
#include "servekit.h"
#include "testkit.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRID                                                                                       \
    "{\"slack\": \"a\", \"buses\": [{\"id\": \"a\"}, {\"id\": \"b\"}], \"lines\": [{\"id\": "      \
    "\"l\", \"from\": \"a\", \"to\": \"b\", \"x_pu\": 0.1, \"limit_kw\": 50}]}"
#define HORIZON                                                                                    \
    "\"horizon\": {\"start\": \"2026-07-01T00:00:00+02:00\", \"step_minutes\": 60, \"steps\": 2}"
#define MARKET(id)                                                                                 \
    "{\"id\": \"" id "\", \"grid\": \"f\", " HORIZON ", \"supply\": [{\"id\": \"s\", \"bus\": "    \
    "\"a\", \"price_per_mwh\": 50}]}"

/* One server and database for all tests; tests use names of their own. */
static struct servekit_server server;
static char database[256];
static struct servekit_client as[DB_N_ROLE], nobody;
static bool started;

static void stop(void)
{
    for (int role = 0; role < DB_N_ROLE; role++)
        servekit_client_release(&as[role]);
    servekit_client_release(&nobody);
    if (server.pid > 0)
        (void)servekit_stop(&server);
}

static bool begin(void)
{
    static const char *const options[] = {
        "--log-requests", "--requests-per-second", "100000", "--request-burst", "100000", NULL};
    const char *conninfo = started ? database : dbkit_migrated();

    if (!conninfo || started)
        return conninfo != NULL;
    snprintf(database, sizeof(database), "%s", conninfo);
    servekit_start(&server, database, options);
    servekit_client_init(&nobody, &server, "");
    for (int role = 0; role < DB_N_ROLE; role++) {
        char token[DB_SECRET_TEXT], id[32];

        snprintf(id, sizeof(id), "the-%s", db_role_name((enum db_role)role));
        servekit_token(database, id, (enum db_role)role, token);
        servekit_client_init(&as[role], &server, token);
    }
    started = true;
    atexit(stop);
    CU_ASSERT_EQUAL(servekit_call(&as[DB_ROLE_operator], "PUT", "/v1/grids/f", GRID), 201);
    return true;
}

static struct servekit_client *operator(void)
{
    return &as[DB_ROLE_operator];
}

static void test_health_needs_no_token(void)
{
    if (!begin())
        return;
    CU_ASSERT_EQUAL(servekit_call(&nobody, "GET", "/healthz", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(&nobody, "GET", "/readyz", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(&nobody, "GET", "/metrics", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&nobody, "walras_http_requests_total{method=\"GET\",route="
                                         "\"/healthz\",class=\"2xx\"}"));
    CU_ASSERT_TRUE(servekit_log_has(&server, "request method=GET path=/readyz status=200"));
}

/* The page loads from this server only, and browsers are told to hold it to that. */
static void test_the_document_and_its_page(void)
{
    static const char *const paths[] = {"/docs", "/docs/page.css", "/docs/page.js"};

    if (!begin())
        return;
    CU_ASSERT_EQUAL(servekit_call(&nobody, "GET", "/openapi.json", NULL), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(nobody.headers.data, "Content-Type: application/json"));
    CU_ASSERT_TRUE(servekit_has(&nobody, "\"openapi\": \"3.1.0\""));
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        CU_ASSERT_EQUAL(servekit_call(&nobody, "GET", paths[i], NULL), 200);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(nobody.headers.data, "default-src 'none'; script-src 'self'"));
        CU_ASSERT_PTR_NULL(strstr(nobody.body.data, "//cdn"));
        CU_ASSERT_PTR_NULL(strstr(nobody.body.data, "http:"));
        CU_ASSERT_PTR_NULL(strstr(nobody.body.data, "https:"));
        CU_ASSERT_PTR_NULL(strstr(nobody.body.data, "innerHTML"));
        CU_ASSERT_PTR_NULL(strstr(nobody.body.data, "style="));
    }
    CU_ASSERT_EQUAL(servekit_call(&nobody, "GET", "/healthz", NULL), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(nobody.headers.data, "default-src 'none'; frame-ancestors"));
}

static const char form[] = "application/x-www-form-urlencoded";

static long ask_token(const char *id, const char *secret, const char *grant)
{
    char body[512];

    snprintf(body, sizeof(body), "grant_type=%s&client_id=%s&client_secret=%s", grant, id, secret);
    return servekit_call_as(&nobody, "POST", "/v1/token", body, form);
}

static void test_token_is_given_for_a_secret_only(void)
{
    struct db_client client = {.id = "t1", .role = DB_ROLE_observer};
    char secret[DB_SECRET_TEXT];

    if (!begin())
        return;

    struct db_session *session = dbkit_session(database);

    CU_ASSERT_EQUAL(db_client_create(session, "test", &client, secret, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(ask_token("t1", secret, "client_credentials"), 200);
    CU_ASSERT_TRUE(servekit_has(&nobody, "\"token_type\": \"Bearer\""));
    CU_ASSERT_TRUE(servekit_has(&nobody, "\"scope\": \"observer\""));
    CU_ASSERT_EQUAL(ask_token("t1", "wrong", "client_credentials"), 401);
    CU_ASSERT_TRUE(servekit_has(&nobody, "\"error\": \"invalid_client\""));
    CU_ASSERT_EQUAL(ask_token("t2", secret, "client_credentials"), 401);
    CU_ASSERT_EQUAL(ask_token("%27%20OR%201=1--", secret, "client_credentials"), 401);
    CU_ASSERT_EQUAL(ask_token("t1", secret, "password"), 400);
    CU_ASSERT_TRUE(servekit_has(&nobody, "unsupported_grant_type"));
    CU_ASSERT_EQUAL(ask_token("t1%00", secret, "client_credentials"), 400);
    CU_ASSERT_EQUAL(servekit_call_as(&nobody, "POST", "/v1/token", "grant_type=%zz", form), 400);
    CU_ASSERT_EQUAL(
        servekit_call_as(&nobody, "POST", "/v1/token", "grant_type=client_credentials", form), 401);
    CU_ASSERT_EQUAL(db_client_revoke(session, "test", "t1", NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(ask_token("t1", secret, "client_credentials"), 401);
    db_session_free(session);
}

static void test_tokens_that_do_not_count(void)
{
    char token[DB_SECRET_TEXT];
    struct servekit_client client;

    if (!begin())
        return;
    servekit_token(database, "late", DB_ROLE_operator, token);
    servekit_client_init(&client, &server, token);
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/v1/grids", NULL), 200);

    struct db_session *session = dbkit_session(database);

    CU_ASSERT_TRUE(dbkit_sql(session, "UPDATE token SET created_at = now() - interval '2 h', "
                                      "expires_at = now() - interval '1 s' WHERE client = 'late'"));
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/v1/grids", NULL), 401);
    CU_ASSERT_PTR_NOT_NULL(strstr(client.headers.data, "WWW-Authenticate: Bearer"));
    db_session_free(session);
    client.token[0] = 'x';
    client.token[1] = '\0';
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/v1/grids", NULL), 401);
    servekit_client_release(&client);
}

static void test_requests_that_make_no_sense(void)
{
    char deep[200], *large = NULL;
    size_t size = 5u << 20;

    if (!begin())
        return;
    CU_ASSERT_EQUAL(servekit_call(&nobody, "GET", "/nothing", NULL), 404);
    CU_ASSERT_TRUE(servekit_has(&nobody, "\"title\": \"Not Found\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(nobody.headers.data, "application/problem+json"));
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids/a%2Fb", NULL), 404);
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids/", NULL), 404);
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids/a%27b", NULL), 404);
    CU_ASSERT_EQUAL(servekit_call(operator(), "DELETE", "/v1/grids/f", NULL), 405);
    CU_ASSERT_PTR_NOT_NULL(strstr(operator()->headers.data, "Allow: PUT, GET"));
    CU_ASSERT_EQUAL(servekit_call_as(operator(), "POST", "/v1/agents", "{}", "text/plain"), 415);
    CU_ASSERT_EQUAL(servekit_call(operator(), "POST", "/v1/agents", "{\"id\": "), 400);
    CU_ASSERT_EQUAL(servekit_call(operator(), "POST", "/v1/agents", "[]"), 422);
    CU_ASSERT_EQUAL(servekit_call(operator(), "POST", "/v1/agents", "{\"id\": NaN}"), 400);
    CU_ASSERT_EQUAL(servekit_call(operator(), "POST", "/v1/agents", "{\"id\": 1e999}"), 400);
    CU_ASSERT_EQUAL(
        servekit_call(operator(), "POST", "/v1/agents", "{\"id\": \"a\", \"id\": \"b\"}"), 400);
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/agents?limit=0", NULL), 422);
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/agents?limit=x", NULL), 422);
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/agents?after=%27", NULL), 422);
    memset(deep, '[', sizeof(deep));
    deep[sizeof(deep) - 1] = '\0';
    CU_ASSERT_EQUAL(servekit_call(operator(), "POST", "/v1/agents", deep), 400);
    CU_ASSERT_TRUE(servekit_has(operator(), "nested deeper"));
    large = malloc(size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, ' ', size);
    large[size] = '\0';
    CU_ASSERT_EQUAL(servekit_call(operator(), "POST", "/v1/agents", large), 413);
    free(large);
}

static void test_grid_versions_stay(void)
{
    static const char other[] =
        "{\"slack\": \"a\", \"buses\": [{\"id\": \"a\"}, {\"id\": \"b\", \"v_max_pu\": 1.05}], "
        "\"lines\": [{\"id\": \"l\", \"from\": \"a\", \"to\": \"b\", \"x_pu\": "
        "0.30000000000000004, \"limit_kw\": 0.1}]}";

    if (!begin())
        return;
    CU_ASSERT_EQUAL(servekit_call(operator(), "PUT", "/v1/grids/g1", GRID), 201);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"version\": 1"));
    CU_ASSERT_EQUAL(servekit_call(operator(), "PUT", "/v1/grids/g1", GRID), 200);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"version\": 1"));
    CU_ASSERT_EQUAL(servekit_call(operator(), "PUT", "/v1/grids/g1", other), 201);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"version\": 2"));
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids/g1", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(operator(), "0.30000000000000004"));
    CU_ASSERT_TRUE(servekit_has(operator(), "\"v_max_pu\":1.05"));
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids/g1?version=1", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"limit_kw\":50"));
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids/g1?version=3", NULL), 404);
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids/g2", NULL), 404);
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids?limit=1", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"next\": \"f\""));
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids?after=f&limit=1", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"g1\""));
}

static void test_grids_in_other_words(void)
{
    static const char matpower[] = "function mpc = two\n"
                                   "mpc.version = '2';\nmpc.baseMVA = 10;\n"
                                   "mpc.bus = [1 3 0 0 0 0 1 1 0 10 1 1.1 0.9;\n"
                                   "           2 1 1 0 0 0 1 1 0 10 1 1.1 0.9];\n"
                                   "mpc.gen = [1 0 0 0 0 1 10 1 10 0];\n"
                                   "mpc.branch = [1 2 0.01 0.1 0 5 0 0 0 0 1 -360 360];\n";

    if (!begin())
        return;
    CU_ASSERT_EQUAL(
        servekit_call_as(operator(), "PUT", "/v1/grids/mp", matpower, "text/x-matpower"), 201);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"buses\": 2, \"lines\": 1"));
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids/mp", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"limit_kw\":5000"));
    CU_ASSERT_EQUAL(servekit_call_as(operator(), "PUT", "/v1/grids/mq", GRID, "text/x-matpower"),
                    422);
    CU_ASSERT_EQUAL(servekit_call(operator(), "PUT", "/v1/grids/cp", "{\"copperplate\": true}"),
                    201);
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids/cp", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"model\":\"copperplate\""));
    CU_ASSERT_EQUAL(
        servekit_call(operator(), "PUT", "/v1/grids/x", "{\"matpower\": \"/etc/passwd\"}"), 422);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"pointer\": \"/matpower\""));
    CU_ASSERT_EQUAL(
        servekit_call(operator(), "PUT", "/v1/grids/x",
                      "{\"slack\": \"a\", \"buses\": [{\"id\": \"a\"}], \"lines\": "
                      "[{\"id\": \"l\", \"from\": \"a\", \"to\": \"b\", \"x_pu\": 1}]}"),
        422);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"pointer\": \"/lines/0/to\""));
    CU_ASSERT_EQUAL(
        servekit_call(operator(), "PUT", "/v1/grids/x",
                      "{\"losses\": true, \"slack\": \"a\", \"buses\": [{\"id\": \"a\"}, "
                      "{\"id\": \"b\"}], \"lines\": [{\"id\": \"l\", \"from\": \"a\", "
                      "\"to\": \"b\", \"r_pu\": 0.1, \"x_pu\": 1}]}"),
        422);
    CU_ASSERT_TRUE(servekit_has(operator(), "not with losses"));
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/grids/x", NULL), 404);
    CU_ASSERT_EQUAL(servekit_call(operator(), "PUT", "/v1/grids/x", "{\"slak\": \"a\"}"), 422);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"pointer\": \"\""));
}

static long post_agent(const char *id, const char *rest)
{
    char body[1024];

    snprintf(body, sizeof(body), "{\"id\": \"%s\", %s}", id, rest);
    return servekit_call(operator(), "POST", "/v1/agents", body);
}

static void test_agents_come_change_and_go(void)
{
    if (!begin())
        return;
    CU_ASSERT_EQUAL(post_agent("a1", "\"bus\": \"b\", \"kind\": \"remote\""), 201);
    CU_ASSERT_PTR_NOT_NULL(strstr(operator()->headers.data, "Location: /v1/agents/a1"));
    CU_ASSERT_EQUAL(post_agent("a1", "\"bus\": \"b\", \"kind\": \"remote\""), 409);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"pointer\": \"/id\""));
    CU_ASSERT_EQUAL(post_agent("a2", "\"bus\": \"b\", \"kind\": \"remote\", \"owner\": \"who\""),
                    422);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"pointer\": \"/owner\""));
    CU_ASSERT_EQUAL(post_agent("a 2", "\"bus\": \"b\", \"kind\": \"remote\""), 422);
    CU_ASSERT_EQUAL(post_agent("a2", "\"bus\": \"b\", \"kind\": \"distant\""), 422);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"pointer\": \"/kind\""));
    CU_ASSERT_EQUAL(post_agent("a2", "\"kind\": \"remote\""), 422);
    CU_ASSERT_EQUAL(post_agent("a2", "\"bus\": \"b\", \"kind\": \"delegated\""), 422);
    CU_ASSERT_EQUAL(post_agent("a2", "\"bus\": \"b\", \"kind\": \"remote\", \"devices\": "
                                     "[{\"id\": \"d\", \"type\": \"load\"}]"),
                    422);
    CU_ASSERT_EQUAL(post_agent("a2", "\"bus\": \"b\", \"kind\": \"delegated\", \"devices\": "
                                     "[{\"id\": \"d\", \"type\": \"looad\"}]"),
                    422);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"pointer\": \"/devices/0/type\""));
    CU_ASSERT_EQUAL(post_agent("a2", "\"bus\": \"b\", \"kind\": \"delegated\", \"devices\": "
                                     "[{\"id\": \"d\", \"type\": \"lp\", \"file\": \"/x\"}]"),
                    422);
    CU_ASSERT_EQUAL(post_agent("a2", "\"bus\": \"b\", \"kind\": \"delegated\", \"devices\": "
                                     "[{\"id\": \"d\", \"type\": \"load\", \"draw_kw\": 0.1}]"),
                    201);
    CU_ASSERT_EQUAL(servekit_call(operator(), "PATCH", "/v1/agents/a1", "{\"bus\": \"a\"}"), 200);
    CU_ASSERT_TRUE(servekit_has(operator(), "\"bus\" : \"a\""));
    CU_ASSERT_EQUAL(servekit_call(operator(), "PATCH", "/v1/agents/a1",
                                  "{\"devices\": [{\"id\": \"d\", \"type\": \"load\"}]}"),
                    422);
    CU_ASSERT_EQUAL(servekit_call(operator(), "PATCH", "/v1/agents/a1", "{\"kind\": \"remote\"}"),
                    422);
    CU_ASSERT_EQUAL(servekit_call(operator(), "PATCH", "/v1/agents/none", "{\"bus\": \"a\"}"), 404);
    CU_ASSERT_EQUAL(servekit_call(operator(), "DELETE", "/v1/agents/a2", NULL), 204);
    CU_ASSERT_EQUAL(servekit_call(operator(), "DELETE", "/v1/agents/a2", NULL), 404);
    CU_ASSERT_EQUAL(servekit_call(operator(), "GET", "/v1/agents/a2", NULL), 404);
}

/* An agent sees what is its own, and of others not even that they are there. */
static void test_other_tenants_agents_are_not_there(void)
{
    struct servekit_client *mine = &as[DB_ROLE_agent], *others = &as[DB_ROLE_aggregator];

    if (!begin())
        return;
    CU_ASSERT_EQUAL(post_agent("mine", "\"bus\": \"b\", \"kind\": \"remote\", \"owner\": "
                                       "\"the-agent\""),
                    201);
    CU_ASSERT_EQUAL(servekit_call(mine, "GET", "/v1/agents/mine", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(others, "GET", "/v1/agents/mine", NULL), 404);
    CU_ASSERT_EQUAL(servekit_call(others, "GET", "/v1/agents", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(others, "\"items\": []"));
    CU_ASSERT_EQUAL(servekit_call(mine, "GET", "/v1/agents", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(mine, "\"mine\""));
    CU_ASSERT_PTR_NULL(strstr(mine->body.data, "a1"));
    CU_ASSERT_EQUAL(servekit_call(&as[DB_ROLE_observer], "GET", "/v1/agents/mine", NULL), 200);
}

static void test_markets_are_judged_when_they_are_made(void)
{
    struct servekit_client *op = operator();

    if (!begin())
        return;
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets", MARKET("m1")), 201);
    CU_ASSERT_TRUE(servekit_has(op, "\"state\":\"draft\""));
    CU_ASSERT_TRUE(servekit_has(op, "\"grid_version\":1"));
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets", MARKET("m1")), 409);
    CU_ASSERT_EQUAL(
        servekit_call(op, "POST", "/v1/markets", "{\"id\": \"m2\", \"grid\": \"zz\", " HORIZON "}"),
        422);
    CU_ASSERT_TRUE(servekit_has(op, "\"pointer\": \"/grid\""));
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets",
                                  "{\"id\": \"m2\", \"grid\": \"f\", \"gap\": 0, " HORIZON "}"),
                    422);
    CU_ASSERT_TRUE(servekit_has(op, "\"pointer\": \"/gap\""));
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets",
                                  "{\"id\": \"m2\", \"grid\": \"f\", \"horizon\": {\"start\": "
                                  "\"tomorrow\", \"step_minutes\": 60, \"steps\": 2}}"),
                    422);
    CU_ASSERT_TRUE(servekit_has(op, "\"pointer\": \"/horizon/start\""));
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets",
                                  "{\"id\": \"m2\", \"grid\": \"f\", " HORIZON ", \"supply\": "
                                  "[{\"id\": \"s\", \"bus\": \"a\", \"price_per_mwh\": [1]}]}"),
                    422);
    CU_ASSERT_TRUE(servekit_has(op, "\"pointer\": \"/supply/0/price_per_mwh\""));
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets",
                                  "{\"id\": \"m2\", \"grid\": \"f\", " HORIZON
                                  ", \"straggler\": {\"max_misses\": 0}}"),
                    422);
    CU_ASSERT_TRUE(servekit_has(op, "\"pointer\": \"/straggler/max_misses\""));
    /* what is offered outside is not for agents */
    CU_ASSERT_EQUAL(servekit_call(&as[DB_ROLE_agent], "GET", "/v1/markets/m1", NULL), 200);
    CU_ASSERT_PTR_NULL(strstr(as[DB_ROLE_agent].body.data, "supply"));
    CU_ASSERT_EQUAL(servekit_call(&as[DB_ROLE_observer], "GET", "/v1/markets/m1", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&as[DB_ROLE_observer], "supply"));
}

static void test_markets_open_and_are_cancelled(void)
{
    struct servekit_client *op = operator();

    if (!begin())
        return;
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets", MARKET("c1")), 201);
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets/c1/open", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(op, "\"state\":\"open\""));
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets/c1/open", NULL), 409);
    CU_ASSERT_EQUAL(servekit_call(op, "GET", "/v1/markets?state=open", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(op, "\"id\":\"c1\""));
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets/c1/cancel", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets/c1/cancel", NULL), 409);
    CU_ASSERT_EQUAL(servekit_call(op, "GET", "/v1/markets?state=open", NULL), 200);
    CU_ASSERT_PTR_NULL(strstr(op->body.data, "\"id\":\"c1\""));
    CU_ASSERT_EQUAL(servekit_call(op, "GET", "/v1/markets?state=shut", NULL), 422);
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets/none/open", NULL), 404);

    struct db_session *session = dbkit_session(database);

    CU_ASSERT_STRING_EQUAL(dbkit_value(session, "SELECT string_agg(action || ' ' || actor, ', ' "
                                                "ORDER BY id) FROM audit WHERE subject = 'c1'"),
                           "market.create the-operator, market.open the-operator, "
                           "market.cancel the-operator");
    db_session_free(session);
}

static void test_agents_join_open_markets(void)
{
    struct servekit_client *op = operator(), *mine = &as[DB_ROLE_agent];

    if (!begin())
        return;
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets", MARKET("j1")), 201);
    CU_ASSERT_EQUAL(
        post_agent("j-remote", "\"bus\": \"b\", \"kind\": \"remote\", \"owner\": \"the-agent\""),
        201);
    CU_ASSERT_EQUAL(post_agent("j-other", "\"bus\": \"b\", \"kind\": \"remote\""), 201);
    CU_ASSERT_EQUAL(post_agent("j-lost", "\"bus\": \"z\", \"kind\": \"remote\""), 201);
    CU_ASSERT_EQUAL(post_agent("j-home",
                               "\"bus\": \"b\", \"kind\": \"delegated\", \"devices\": "
                               "[{\"id\": \"d\", \"type\": \"load\", \"draw_kw\": [1, 2]}]"),
                    201);
    CU_ASSERT_EQUAL(post_agent("j-long", "\"bus\": \"b\", \"kind\": \"delegated\", \"devices\": "
                                         "[{\"id\": \"d\", \"type\": \"load\", \"draw_kw\": [1]}]"),
                    201);
#define JOIN(agent) "/v1/markets/j1/participants/" agent
    CU_ASSERT_EQUAL(servekit_call(mine, "PUT", JOIN("j-remote"), "{\"fallback_kw\": 1}"), 409);
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets/j1/open", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(mine, "PUT", JOIN("j-remote"), "{\"fallback_kw\": 1}"), 201);
    CU_ASSERT_EQUAL(servekit_call(mine, "PUT", JOIN("j-remote"), "{\"fallback_kw\": [1, 2]}"), 200);
    CU_ASSERT_EQUAL(servekit_call(mine, "PUT", JOIN("j-other"), "{\"fallback_kw\": 1}"), 404);
    CU_ASSERT_EQUAL(servekit_call(mine, "PUT", JOIN("j-remote"), "{}"), 422);
    CU_ASSERT_EQUAL(servekit_call(mine, "PUT", JOIN("j-remote"), "{\"fallback_kw\": [1]}"), 422);
    CU_ASSERT_TRUE(servekit_has(mine, "\"pointer\": \"/fallback_kw\""));
    CU_ASSERT_EQUAL(servekit_call(mine, "PUT", JOIN("j-remote"), "{\"fallback_kw\": [1, \"x\"]}"),
                    422);
    CU_ASSERT_TRUE(servekit_has(mine, "\"pointer\": \"/fallback_kw/1\""));
    CU_ASSERT_EQUAL(servekit_call(op, "PUT", JOIN("j-lost"), "{\"fallback_kw\": 1}"), 422);
    CU_ASSERT_EQUAL(servekit_call(op, "PUT", JOIN("j-home"), "{}"), 201);
    CU_ASSERT_EQUAL(servekit_call(op, "PUT", JOIN("j-long"), "{}"), 422);
    CU_ASSERT_TRUE(servekit_has(op, "/devices/0/draw_kw"));
    CU_ASSERT_EQUAL(servekit_call(mine, "GET", "/v1/markets/j1/participants", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(mine, "j-remote"));
    CU_ASSERT_PTR_NULL(strstr(mine->body.data, "j-home"));
    CU_ASSERT_EQUAL(servekit_call(op, "GET", "/v1/markets/j1/participants", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(op, "j-home"));
    /* who takes part does not change, and stays in the record */
    CU_ASSERT_EQUAL(servekit_call(op, "PATCH", "/v1/agents/j-home", "{\"bus\": \"a\"}"), 409);
    CU_ASSERT_EQUAL(servekit_call(op, "POST", "/v1/markets/j1/cancel", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(op, "PATCH", "/v1/agents/j-home", "{\"bus\": \"a\"}"), 200);
    CU_ASSERT_EQUAL(servekit_call(op, "DELETE", "/v1/agents/j-home", NULL), 409);
}

/* Every state with every event: what the table has goes, all else is a conflict. */
static void test_states_move_as_the_table_says(void)
{
    char script[200], names[200] = "";

    if (!begin())
        return;

    struct db_session *session = dbkit_session(database);

    CU_ASSERT_EQUAL(servekit_call(operator(), "POST", "/v1/markets", MARKET("s1")), 201);
    for (int from = 0; from < DB_N_MARKET_STATE; from++) {
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", from == 0 ? "" : ",",
                 db_market_state_name((enum db_market_state)from));
        for (int event = DB_MARKET_OPEN; event <= DB_MARKET_FAIL; event++) {
            const char *expected = NULL;
            enum walras_status status = WALRAS_OK;

            for (size_t i = 0; i < db_market_n_move; i++)
                if ((int)db_market_moves[i].from == from && (int)db_market_moves[i].event == event)
                    expected = db_market_state_name(db_market_moves[i].to);
            snprintf(script, sizeof(script), "UPDATE market SET state = '%s' WHERE id = 's1'",
                     db_market_state_name((enum db_market_state)from));
            /* undone, so that the server sees nothing of it */
            CU_ASSERT_EQUAL(db_begin(session, NULL), WALRAS_OK);
            CU_ASSERT_TRUE(dbkit_sql(session, script));
            status = db_market_move(session, "test", "s1", (enum db_market_event)event, NULL, NULL);
            CU_ASSERT_EQUAL(status, expected ? WALRAS_OK : WALRAS_CONFLICT);
            CU_ASSERT_STRING_EQUAL(dbkit_value(session, "SELECT state FROM market WHERE id = 's1'"),
                                   expected ? expected
                                            : db_market_state_name((enum db_market_state)from));
            CU_ASSERT_EQUAL(db_end(session, WALRAS_CONFLICT, NULL), WALRAS_CONFLICT);
        }
    }
    CU_ASSERT_STRING_EQUAL(dbkit_value(session, "SELECT string_agg(s::text, ',' ORDER BY s) FROM "
                                                "unnest(enum_range(NULL::market_state)) AS s"),
                           names);
    db_session_free(session);
}

static void test_database_goes_and_comes_back(void)
{
    struct servekit_server own;
    struct servekit_client client;
    char token[DB_SECRET_TEXT], conninfo[256];
    const char *empty = begin() ? dbkit_migrated() : NULL;

    if (!empty)
        return;
    snprintf(conninfo, sizeof(conninfo), "%s", empty);
    servekit_token(conninfo, "op", DB_ROLE_operator, token);
    servekit_start(&own, conninfo, NULL);
    servekit_client_init(&client, &own, token);
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/v1/grids", NULL), 200);

    struct db_session *session = dbkit_session(database);
    char name[64], script[300];

    snprintf(name, sizeof(name), "%s", strstr(conninfo, "dbname=") + strlen("dbname="));
    snprintf(script, sizeof(script), "ALTER DATABASE %s ALLOW_CONNECTIONS false", name);
    CU_ASSERT_TRUE(dbkit_sql(session, script));
    snprintf(script, sizeof(script),
             "SELECT pg_terminate_backend(pid, 5000) FROM "
             "pg_stat_activity WHERE datname = '%s'",
             name);
    CU_ASSERT_TRUE(dbkit_sql(session, script));
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/v1/grids", NULL), 503);
    CU_ASSERT_PTR_NOT_NULL(strstr(client.headers.data, "Retry-After: "));
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/readyz", NULL), 503);
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/healthz", NULL), 200);
    snprintf(script, sizeof(script), "ALTER DATABASE %s ALLOW_CONNECTIONS true", name);
    CU_ASSERT_TRUE(dbkit_sql(session, script));
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/v1/grids", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/readyz", NULL), 200);
    db_session_free(session);
    servekit_client_release(&client);
    CU_ASSERT_EQUAL(servekit_stop(&own), 0);
    CU_ASSERT_TRUE(servekit_log_has(&own, "stopped"));
}

static const struct testkit_test tests[] = {
    {"health needs no token", test_health_needs_no_token},
    {"the document and its page", test_the_document_and_its_page},
    {"token is given for a secret only", test_token_is_given_for_a_secret_only},
    {"tokens that do not count", test_tokens_that_do_not_count},
    {"requests that make no sense", test_requests_that_make_no_sense},
    {"grid versions stay", test_grid_versions_stay},
    {"grids in other words", test_grids_in_other_words},
    {"agents come, change and go", test_agents_come_change_and_go},
    {"other tenants' agents are not there", test_other_tenants_agents_are_not_there},
    {"markets are judged when they are made", test_markets_are_judged_when_they_are_made},
    {"markets open and are cancelled", test_markets_open_and_are_cancelled},
    {"agents join open markets", test_agents_join_open_markets},
    {"states move as the table says", test_states_move_as_the_table_says},
    {"database goes and comes back", test_database_goes_and_comes_back},
};

TESTKIT_MAIN("api", tests)
