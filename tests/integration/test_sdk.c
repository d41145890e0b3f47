/* libwalras-agent against a real server: TLS, tokens that end, and being stopped. */
#include "agents/sdk/walras_agent.h"
#include "core/clock.h"
#include "dbkit.h"
#include "servekit.h"
#include "testkit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct walras_agent *made(const struct servekit_server *server, const char *secret,
                                 const char *ca_file)
{
    struct walras_agent_settings settings = {
        .url = server->url, .client_id = "vendor", .client_secret = secret, .ca_file = ca_file};
    struct walras_agent *agent = NULL;
    char error[200] = "";

    CU_ASSERT_EQUAL_FATAL(walras_agent_new(&settings, &agent, error, sizeof(error)),
                          WALRAS_AGENT_OK);
    return agent;
}

static bool begin(struct servekit_server *server, const char *const *options,
                  char secret[DB_SECRET_TEXT])
{
    const char *conninfo = dbkit_migrated();
    struct db_client client = {.id = "vendor", .role = DB_ROLE_aggregator};
    struct db_session *session = NULL;

    if (!conninfo)
        return false;
    session = dbkit_session(conninfo);
    CU_ASSERT_EQUAL(db_client_create(session, "test", &client, secret, NULL), WALRAS_OK);
    db_session_free(session);
    servekit_start(server, conninfo, options);
    return true;
}

/* What the server says of a market that is not there: it was reached, and knows who asks. */
static void ask(struct walras_agent *agent)
{
    struct walras_agent_market market;

    CU_ASSERT_EQUAL(walras_agent_market(agent, "nowhere", &market), WALRAS_AGENT_REFUSED);
    CU_ASSERT_STRING_EQUAL(walras_agent_error(agent), "there is no such market");
}

/* Tokens end after a second: one that is older is replaced without being noticed. */
static void test_tls_and_tokens_that_end(void)
{
    static const struct timespec pause = {.tv_sec = 1, .tv_nsec = 300000000};
    char secret[DB_SECRET_TEXT], cert[160], key[160];
    const char *const options[] = {"--tls-cert", cert, "--tls-key", key, "--token-life", "1", NULL};
    struct servekit_server server;
    struct walras_agent_market market;
    struct walras_agent *agent = NULL, *stranger = NULL;

    if (!dbkit_folder() || !servekit_make_certificate(cert, key) ||
        !begin(&server, options, secret))
        return;
    agent = made(&server, secret, cert);
    stranger = made(&server, secret, NULL);
    ask(agent);
    for (int i = 0; i < 2; i++) {
        nanosleep(&pause, NULL);
        ask(agent);
    }
    CU_ASSERT_EQUAL(walras_agent_market(stranger, "nowhere", &market), WALRAS_AGENT_INVALID);
    walras_agent_free(agent);
    walras_agent_free(stranger);
    CU_ASSERT_EQUAL(servekit_stop(&server), 0);
}

static void *stop_soon(void *agent)
{
    static const struct timespec pause = {.tv_nsec = 300000000};

    nanosleep(&pause, NULL);
    walras_agent_stop(agent);
    return NULL;
}

/* One waits for a market to open, one for a server that is not there. */
static void test_waits_end_when_stopped(void)
{
    char secret[DB_SECRET_TEXT], market[WALRAS_AGENT_ID], id[WALRAS_AGENT_ID];
    struct servekit_server server;

    if (!begin(&server, NULL, secret))
        return;
    for (int away = 0; away < 2; away++) {
        struct walras_agent *agent = made(&server, secret, NULL);
        double start_s = walras_monotonic_s();
        pthread_t thread;

        market[0] = '\0';
        snprintf(id, sizeof(id), "home");
        if (away)
            CU_ASSERT_EQUAL(servekit_stop(&server), 0);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, stop_soon, agent), 0);
        CU_ASSERT_EQUAL(walras_agent_find(agent, market, id), WALRAS_AGENT_STOPPED);
        CU_ASSERT_TRUE(walras_monotonic_s() - start_s < 20.0);
        CU_ASSERT_STRING_EQUAL(walras_agent_error(agent), "stopped as asked");
        pthread_join(thread, NULL);
        walras_agent_free(agent);
    }
}

static const struct testkit_test tests[] = {
    {"TLS, and tokens that end", test_tls_and_tokens_that_end},
    {"waits end when stopped", test_waits_end_when_stopped},
};
TESTKIT_MAIN("libwalras-agent", tests)
