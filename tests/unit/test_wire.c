/* What agents and server say to each other as text, good and bad. */
#include "agents/sdk/wire.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_answers_read_back(void)
{
    const double draw[] = {0.1, -2.5, 1e-300, 3}, cost[] = {0.25, 1.0 / 3.0};
    char *text = walras_wire_answers(draw, cost, 2, 2);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, "{\"answers\":[{\"draw_kw\":[0.10000000000000001,-2.5],\"cost\":"
                                 "0.25},{\"draw_kw\":[1e-300,3.0],\"cost\":0.33333333333333331}]}");
    free(text);
    text = walras_wire_fallback(draw, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, "{\"fallback_kw\":[0.10000000000000001,-2.5]}");
    free(text);
}

static void test_a_cost_may_be_hidden(void)
{
    static const char award[] = "{\"draw_kw\": [1, 2.5]}",
                      none[] = "{\"draw_kw\": [1, 2.5], \"cost\": \"3\"}";
    const double draw[] = {1.0, 2.0}, cost[] = {(double)NAN, 0.5};
    double draw_kw[2], found = 0.0;
    char *text = walras_wire_answers(draw, cost, 2, 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text,
                           "{\"answers\":[{\"draw_kw\":[1.0]},{\"draw_kw\":[2.0],\"cost\":0.5}]}");
    free(text);
    CU_ASSERT_TRUE(walras_wire_award(award, strlen(award), 2, draw_kw, &found));
    CU_ASSERT_TRUE(isnan(found));
    CU_ASSERT_FALSE(walras_wire_award(none, strlen(none), 2, draw_kw, &found));
}

static void test_what_is_not_finite_is_not_written(void)
{
    const double good[] = {1.0, 2.0}, bad[] = {1.0, (double)NAN}, huge[] = {(double)INFINITY, 0.0};
    const double cost = 0.0, no_cost = (double)INFINITY;

    CU_ASSERT_PTR_NULL(walras_wire_answers(bad, &cost, 1, 2));
    CU_ASSERT_PTR_NULL(walras_wire_answers(huge, &cost, 1, 2));
    CU_ASSERT_PTR_NULL(walras_wire_answers(good, &no_cost, 1, 2));
    CU_ASSERT_PTR_NULL(walras_wire_fallback(bad, 2));
}

static bool round_of(const char *text, struct walras_wire_round *out)
{
    return walras_wire_round(text, strlen(text), 2, out);
}

static void test_rounds(void)
{
    struct walras_wire_round round;

    CU_ASSERT_TRUE_FATAL(round_of("{\"state\": \"clearing\", \"round\": 3, \"remaining_s\": 29.9, "
                                  "\"points\": [{\"prices_per_mwh\": [50.5, 48]}, "
                                  "{\"prices_per_mwh\": [-1, 0]}]}",
                                  &round));
    CU_ASSERT_EQUAL(round.number, 3);
    CU_ASSERT_EQUAL_FATAL(round.n_point, 2);
    CU_ASSERT_EQUAL(round.price_per_mwh[0], 50.5);
    CU_ASSERT_EQUAL(round.price_per_mwh[2], -1.0);
    CU_ASSERT_TRUE(walras_wire_state_goes_on(round.state));
    walras_wire_round_release(&round);
    CU_ASSERT_TRUE(round_of("{\"state\": \"cleared\", \"round\": null, \"new\": 1}", &round));
    CU_ASSERT_EQUAL(round.number, 0);
    CU_ASSERT_FALSE(walras_wire_state_goes_on(round.state));
    CU_ASSERT_FALSE(walras_wire_state_goes_on("failed"));
    CU_ASSERT_TRUE(walras_wire_state_goes_on("draft") && walras_wire_state_goes_on("open"));
}

static void test_what_is_no_round(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "null",
        "{\"state\": \"clearing\"}",
        "{\"round\": null}",
        "{\"state\": 3, \"round\": null}",
        "{\"state\": \"a state that is far too long\", \"round\": null}",
        "{\"state\": \"clearing\", \"round\": 0, \"points\": [{\"prices_per_mwh\": [1, 2]}]}",
        "{\"state\": \"clearing\", \"round\": \"1\", \"points\": [{\"prices_per_mwh\": [1, 2]}]}",
        "{\"state\": \"clearing\", \"round\": 1}",
        "{\"state\": \"clearing\", \"round\": 1, \"points\": []}",
        "{\"state\": \"clearing\", \"round\": 1, \"points\": [{\"prices_per_mwh\": [1]}]}",
        "{\"state\": \"clearing\", \"round\": 1, \"points\": [{\"prices_per_mwh\": [1, 2, 3]}]}",
        "{\"state\": \"clearing\", \"round\": 1, \"points\": [{\"prices_per_mwh\": [1, null]}]}",
        "{\"state\": \"clearing\", \"round\": 1, \"points\": [{\"prices_per_mwh\": [1, 1e999]}]}",
        "{\"state\": \"clearing\", \"round\": 1, \"points\": [{}, {}]}",
    };
    struct walras_wire_round round;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CU_ASSERT_FALSE(round_of(texts[i], &round));
        CU_ASSERT_PTR_NULL(round.price_per_mwh);
    }
}

static bool token_of(const char *text, char token[8], double *expires_s)
{
    return walras_wire_token(text, strlen(text), token, 8, expires_s);
}

static bool market_of(const char *steps, const char *minutes, struct walras_agent_market *out)
{
    char text[300];

    snprintf(text, sizeof(text),
             "{\"id\": \"m\", \"currency\": \"sixteen-letters!\", \"horizon\": {\"start\": "
             "\"2026-07-01T00:00:00Z\", \"step_minutes\": %s, \"steps\": %s}}",
             minutes, steps);
    return walras_wire_market(text, strlen(text), out);
}

static void test_tokens_and_markets(void)
{
    struct walras_agent_market market;
    char token[8];
    double expires_s = 0.0;

    CU_ASSERT_TRUE(
        token_of("{\"access_token\": \"abcdefg\", \"expires_in\": 60}", token, &expires_s));
    CU_ASSERT_EQUAL(expires_s, 60.0);
    CU_ASSERT_FALSE(
        token_of("{\"access_token\": \"abcdefgh\", \"expires_in\": 60}", token, &expires_s));
    CU_ASSERT_FALSE(token_of("{\"access_token\": \"abc\"}", token, &expires_s));
    CU_ASSERT_TRUE(market_of("96", "15", &market));
    CU_ASSERT_EQUAL(market.n_step, 96);
    CU_ASSERT_EQUAL(market.step_h, 0.25);
    CU_ASSERT_STRING_EQUAL(market.currency,
                           "sixteen-letters!"); /* the longest that a market may have */
    CU_ASSERT_FALSE(market_of("0", "15", &market));
    CU_ASSERT_FALSE(market_of("1e9", "15", &market));
    CU_ASSERT_FALSE(market_of("96", "0", &market));
}

static void test_awards_and_problems(void)
{
    static const char good[] = "{\"draw_kw\": [1, 2.5], \"cost\": 3}",
                      bad[] = "{\"draw_kw\": [1], \"cost\": 3}",
                      problem[] = "{\"detail\": \"no such\\nmarket\"}", page[] = "<html>\n";
    char small[8];
    double draw_kw[2], cost = 0.0;

    CU_ASSERT_TRUE(walras_wire_award(good, strlen(good), 2, draw_kw, &cost));
    CU_ASSERT_EQUAL(draw_kw[1] + cost, 5.5);
    CU_ASSERT_FALSE(walras_wire_award(bad, strlen(bad), 2, draw_kw, &cost));
    walras_wire_problem(problem, strlen(problem), small, sizeof(small));
    CU_ASSERT_STRING_EQUAL(small, "no such");
    walras_wire_problem(page, strlen(page), small, sizeof(small));
    CU_ASSERT_STRING_EQUAL(small, "<html> ");
}

static void test_ids_of_a_page(void)
{
    static const char page[] = "{\"items\": [{\"id\": \"a\"}, {\"id\": \"b-2\"}, {\"id\": \"c\"}]}";
    static const char *const none[] = {
        "{\"items\": [{\"id\": 3}]}", "{\"items\": [{\"id\": \"\"}]}", "{\"items\": {}}", "{}", "[",
        "{\"items\": [\"a\"]}"};
    char ids[3][WALRAS_AGENT_ID], long_id[200];
    size_t n = 0;

    CU_ASSERT_TRUE(walras_wire_ids(page, strlen(page), "id", 3, ids, &n));
    CU_ASSERT_EQUAL(n, 3);
    CU_ASSERT_STRING_EQUAL(ids[1], "b-2");
    CU_ASSERT_TRUE(walras_wire_ids(page, strlen(page), "id", 2, ids, &n));
    CU_ASSERT_EQUAL(n, 2);
    CU_ASSERT_FALSE(walras_wire_ids(page, strlen(page), "agent", 3, ids, &n));
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        CU_ASSERT_FALSE(walras_wire_ids(none[i], strlen(none[i]), "id", 3, ids, &n));
    snprintf(long_id, sizeof(long_id), "{\"items\": [{\"id\": \"%065d\"}]}", 0);
    CU_ASSERT_FALSE(walras_wire_ids(long_id, strlen(long_id), "id", 3, ids, &n));
}

static const struct testkit_test tests[] = {
    {"ids of a page", test_ids_of_a_page},
    {"answers read back", test_answers_read_back},
    {"a cost may be hidden", test_a_cost_may_be_hidden},
    {"what is not finite is not written", test_what_is_not_finite_is_not_written},
    {"rounds", test_rounds},
    {"what is no round", test_what_is_no_round},
    {"tokens and markets", test_tokens_and_markets},
    {"awards and problems", test_awards_and_problems},
};

TESTKIT_MAIN("wire", tests)
