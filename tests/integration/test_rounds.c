/* Clearings over the network: real HTTP, real PostgreSQL, agents that answer or do not. */
#include "core/clock.h"
#include "core/json.h"
#include "dbkit.h"
#include "playkit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct walras_range any = {.low = -1e12, .high = 1e12};

/* A number in the last answer of a client, by keys; NAN when it is not there. */
static double number_at(const struct servekit_client *client, const char *key, size_t index)
{
    struct walras_json_doc *doc = NULL;
    struct walras_json root, node, at;
    double value = (double)NAN;

    if (walras_json_parse("answer", client->body.data, client->body.size, &doc, NULL) != WALRAS_OK)
        return value;
    root = walras_json_root(doc);
    if (walras_json_find(&root, key, &node)) {
        bool list = walras_json_is(&node, WALRAS_JSON_ARRAY);

        at = list ? walras_json_at(&node, index) : node;
        if (walras_json_number(&at, any, &value, NULL) != WALRAS_OK)
            value = (double)NAN;
    }
    walras_json_free(doc);
    return value;
}

static const char *body_of(struct play *play, const char *id, const char *what)
{
    char path[128];

    snprintf(path, sizeof(path), "/v1/markets/%s/%s", id, what);
    CU_ASSERT_EQUAL(servekit_call(&play->operator, "GET", path, NULL), 200);
    return play->operator.body.data;
}

/* What an agent is awarded is its energy, within its power, and its own answers by weight. */
static void check_award(struct play *play, const char *id, const struct play_agent *agent)
{
    char what[64];
    double sum = 0.0;

    snprintf(what, sizeof(what), "awards/%s", agent->id);
    CU_ASSERT_PTR_NOT_NULL(strstr(body_of(play, id, what), "\"weights\":[{"));
    for (size_t t = 0; t < PLAY_STEPS; t++) {
        double kw = number_at(&play->operator, "draw_kw", t);

        CU_ASSERT_TRUE(kw >= -1e-9 && kw <= agent->kw + 1e-9);
        sum += kw;
    }
    TESTKIT_CLOSE(sum, agent->kwh, 1e-9);
}

static void check_outcome(struct play *play, const char *id)
{
    double expected = play_objective(play), objective = 0.0;

    CU_ASSERT_STRING_EQUAL(play_state(play, id), "cleared");
    (void)body_of(play, id, "certificate");
    CU_ASSERT_TRUE(servekit_has(&play->operator, "\"status\": \"converged\", \"clean\": true"));
    CU_ASSERT_TRUE(servekit_has(&play->operator, "\"bound_proven\": true"));
    objective = number_at(&play->operator, "objective", 0);
    CU_ASSERT_TRUE(number_at(&play->operator, "gap", 0) <= 1.0001e-4);
    /* both bounds hold the one optimum between them */
    CU_ASSERT_TRUE(objective >= expected - 1e-5 * expected);
    CU_ASSERT_TRUE(number_at(&play->operator, "dual_bound", 0) <= expected * (1.0 + 1e-9));
    TESTKIT_CLOSE(objective, expected, 2e-4);
    CU_ASSERT_PTR_NOT_NULL(strstr(body_of(play, id, "binding"), "\"line\""));
    for (size_t i = 0; i < play->n; i++)
        check_award(play, id, &play->agents[i]);
}

static void test_clearing_over_the_network_is_as_in_process(void)
{
    struct play play;

    if (!play_begin(&play, PLAY_FEW))
        return;
    play_start(&play, "m1", "");
    play_rounds(&play, "m1", true);
    check_outcome(&play, "m1");
    (void)body_of(&play, "m1", "certificate");
    CU_ASSERT_TRUE(
        servekit_has(&play.operator, "\"answers_repeated\": 0, \"answers_fallback\": 0"));
    play_start(&play, "m2", "\"points\": 1");
    play_rounds(&play, "m2", false);
    check_outcome(&play, "m2");
    play_end(&play);
}

/* More agents than have a group of their own: several behind a bus answer together. */
static void test_many_agents_share_groups(void)
{
    struct play play;

    if (!play_begin(&play, PLAY_MOST))
        return;
    play_start(&play, "m1", "");
    play_rounds(&play, "m1", true);
    check_outcome(&play, "m1");
    play_end(&play);
}

static long put_answer(struct play *play, const char *path, const char *draws, int n)
{
    struct walras_text body;
    long status = 0;

    walras_text_init(&body, 1 << 20);
    walras_text_addf(&body, "{\"answers\": [");
    for (int i = 0; i < n; i++)
        walras_text_addf(&body, "%s{\"draw_kw\": %s, \"cost\": 0}", i == 0 ? "" : ", ", draws);
    walras_text_addf(&body, "]}");
    status = servekit_call(&play->speaker, "PUT", path, body.data);
    walras_text_release(&body);
    return status;
}

static void test_answers_are_judged_and_kept_once(void)
{
    struct play play;
    struct servekit_client other;
    char token[DB_SECRET_TEXT];

    if (!play_begin(&play, PLAY_FEW))
        return;
    servekit_token(play.database, "other", DB_ROLE_agent, token);
    servekit_client_init(&other, &play.server, token);
    play.silent[0] = true; /* beyond what is answered here */
    play_start(&play, "m1", "\"round_timeout_s\": 1, \"straggler\": {\"max_misses\": 1000}");
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m1/round?wait=10", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "\"round\": 1"));
#define RESPONSE "/v1/markets/m1/rounds/1/responses/"
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-00", "[3, 1.5, 0, 0, 0, 0]", 1), 201);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-00", "[3, 1.5, 0, 0, 0, 0]", 1), 200);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-00", "[3, 0, 1.5, 0, 0, 0]", 1), 409);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-01", "[3, 1.5, 0, 0, 0]", 1), 422);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "\"pointer\": \"/answers/0/draw_kw\""));
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-01", "[3, 1.5, 0, 0, 0, 0]", 2), 422);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "\"pointer\": \"/answers\""));
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-01", "[3, 1.5, 0, 0, 0, NaN]", 1), 400);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-01", "[3, 1.5, 0, 0, 0, 1e400]", 1), 400);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-01", "[3, 1.5, 0, 0, 0, 1e10]", 1), 422);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-01", "[3, 1.5, 0, 0, 0, null]", 1), 422);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "nobody", "[3, 1.5, 0, 0, 0, 0]", 1), 404);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "home", "[3, 1.5, 0, 0, 0, 0]", 1), 404);
    CU_ASSERT_EQUAL(
        put_answer(&play, "/v1/markets/m1/rounds/2/responses/car-01", "[3, 1.5, 0, 0, 0, 0]", 1),
        404);
    CU_ASSERT_EQUAL(
        put_answer(&play, "/v1/markets/m1/rounds/x/responses/car-01", "[3, 1.5, 0, 0, 0, 0]", 1),
        404);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "POST", "/v1/markets/m1/rounds/1/responses",
                                  "{\"responses\": [{\"agent\": \"nobody\", \"answers\": []}]}"),
                    404);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "\"pointer\": \"/responses/0/agent\""));
    /* another client neither answers for it nor is told its prices or awards */
    CU_ASSERT_EQUAL(
        servekit_call(&other, "PUT", RESPONSE "car-01",
                      "{\"answers\": [{\"draw_kw\": [0, 0, 0, 0, 0, 0], \"cost\": 0}]}"),
        404);
    CU_ASSERT_EQUAL(servekit_call(&other, "GET", "/v1/markets/m1/round", NULL), 404);
    play_rounds(&play, "m1", false);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m1"), "cleared");
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-00", "[3, 1.5, 0, 0, 0, 0]", 1), 200);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-00", "[0, 1.5, 3, 0, 0, 0]", 1), 409);
    CU_ASSERT_EQUAL(
        put_answer(&play, "/v1/markets/m1/rounds/2/responses/car-00", "[3, 1.5, 0, 0, 0, 0]", 5),
        409);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "the round is closed"));
    CU_ASSERT_EQUAL(servekit_call(&other, "GET", "/v1/markets/m1/awards/car-00", NULL), 404);
    CU_ASSERT_EQUAL(servekit_call(&other, "GET", "/v1/markets/m1/prices", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(&other, "GET", "/v1/markets/m1/result", NULL), 403);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m1/awards/car-00", NULL), 200);
    servekit_client_release(&other);
    play_end(&play);
}

static void test_polls_wait_for_rounds(void)
{
    struct play play;
    double start_s = 0.0;

    if (!play_begin(&play, PLAY_FEW))
        return;
    play_start(&play, "m1", "\"round_timeout_s\": 600");
    CU_ASSERT_EQUAL(
        servekit_call(&play.speaker, "GET", "/v1/markets/m1/round?wait=10&agent=car-03", NULL),
        200);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "\"prices_per_mwh\": ["));
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m1/round?agent=home", NULL),
                    404);
    start_s = walras_monotonic_s();
    CU_ASSERT_EQUAL(
        servekit_call(&play.speaker, "GET", "/v1/markets/m1/round?after=1&wait=2", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "{\"state\": \"clearing\", \"round\": null}"));
    CU_ASSERT_TRUE(walras_monotonic_s() - start_s > 1.8 && walras_monotonic_s() - start_s < 6.0);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m1/round?wait=61", NULL), 422);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/none/round", NULL), 404);
    /* cancelled: who clears it stops, who asks is told */
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/markets/m1/cancel", NULL), 200);
    play_rounds(&play, "m1", true);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m1"), "cancelled");
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "GET", "/v1/markets/m1/result", NULL), 404);
    play_end(&play);
}

static void test_silent_agents_do_not_block_a_market(void)
{
    struct play play;

    if (!play_begin(&play, PLAY_FEW))
        return;
    play.silent[2] = true;
    play_start(&play, "m1", "\"round_timeout_s\": 0.5, \"straggler\": {\"max_misses\": 2}");
    play_rounds(&play, "m1", true);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m1"), "cleared");
    (void)body_of(&play, "m1", "certificate");
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"suspended\": [\"car-02\"]"));
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"bound_proven\": false"));
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"clean\": true"));
    (void)body_of(&play, "m1", "awards/car-02");
    for (size_t t = 0; t < PLAY_STEPS; t++)
        TESTKIT_CLOSE(number_at(&play.operator, "draw_kw", t), play.agents[2].kwh / PLAY_STEPS,
                      1e-9);
    for (size_t i = 0; i < play.n; i++)
        if (!play.silent[i])
            check_award(&play, "m1", &play.agents[i]);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-02", "[0, 0, 0, 0, 0, 0]", 1), 409);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "suspended"));

    struct db_session *session = dbkit_session(play.database);

    CU_ASSERT_STRING_EQUAL(
        dbkit_value(session, "SELECT misses FROM participant WHERE agent = 'car-02'"), "2");
    db_session_free(session);
    play_end(&play);
}

static void test_a_market_that_cannot_clear_says_why(void)
{
    struct play play;

    if (!play_begin(&play, PLAY_FEW))
        return;
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/agents",
                                  "{\"id\": \"mill\", \"bus\": \"b\", \"kind\": \"delegated\", "
                                  "\"devices\": [{\"id\": \"d\", \"type\": \"load\", \"draw_kw\": "
                                  "31}]}"),
                    201);
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/markets",
                                  "{\"id\": \"m1\", \"grid\": \"g\", \"horizon\": {\"start\": "
                                  "\"2026-07-01T00:00:00Z\", \"step_minutes\": 60, \"steps\": 2}, "
                                  "\"supply\": [{\"id\": \"s\", \"bus\": \"a\", \"price_per_mwh\": "
                                  "40}]}"),
                    201);
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/markets/m1/open", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "PUT", "/v1/markets/m1/participants/mill", "{}"),
                    201);
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/markets/m1/start", NULL), 200);
    play_rounds(&play, "m1", true);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m1"), "failed");
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"why\":\""));
    play_end(&play);
}

static void test_a_server_that_is_stopped_parks_its_round(void)
{
    struct play play;

    if (!play_begin(&play, PLAY_FEW))
        return;
    play_start(&play, "m1", "\"round_timeout_s\": 600");
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m1/round?wait=10", NULL), 200);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-00", "[3, 1.5, 0, 0, 0, 0]", 1), 201);
    CU_ASSERT_EQUAL(servekit_stop(&play.server), 0);
    CU_ASSERT_TRUE(servekit_log_has(&play.server, "clearing_parked market=m1 round=1"));
    play_restart(&play);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m1/round?wait=10", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "\"round\": 1"));
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-00", "[3, 1.5, 0, 0, 0, 0]", 1), 200);
    CU_ASSERT_EQUAL(put_answer(&play, RESPONSE "car-00", "[3, 0, 1.5, 0, 0, 0]", 1), 409);
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/markets/m1/cancel", NULL), 200);
    play_end(&play);
}

static const struct testkit_test tests[] = {
    {"clearing over the network is as in process", test_clearing_over_the_network_is_as_in_process},
    {"many agents share groups", test_many_agents_share_groups},
    {"answers are judged and kept once", test_answers_are_judged_and_kept_once},
    {"polls wait for rounds", test_polls_wait_for_rounds},
    {"silent agents do not block a market", test_silent_agents_do_not_block_a_market},
    {"a market that cannot clear says why", test_a_market_that_cannot_clear_says_why},
    {"a server that is stopped parks its round", test_a_server_that_is_stopped_parks_its_round},
};

TESTKIT_MAIN("rounds", tests)
