/* Agents that do not tell what their draws cost them: the market clears as if they had. */
#include "core/json.h"
#include "dbkit.h"
#include "playkit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double supply_per_mwh[PLAY_STEPS] = {40, 55, 70, 60, 45, 80};

/* The numbers of a list, or one number, under that key of the last answer. */
static void numbers_at(const struct servekit_client *client, const char *key, double *out, size_t n)
{
    struct walras_json_doc *doc = NULL;
    struct walras_json root, node;
    const struct walras_range any = {.low = -1e12, .high = 1e12};

    CU_ASSERT_EQUAL_FATAL(
        walras_json_parse("answer", client->body.data, client->body.size, &doc, NULL), WALRAS_OK);
    root = walras_json_root(doc);
    CU_ASSERT_TRUE_FATAL(walras_json_find(&root, key, &node));
    for (size_t t = 0; t < n; t++) {
        struct walras_json at =
            walras_json_is(&node, WALRAS_JSON_ARRAY) ? walras_json_at(&node, t) : node;

        CU_ASSERT_EQUAL(walras_json_number(&at, any, &out[t], NULL), WALRAS_OK);
    }
    walras_json_free(doc);
}

static void get(struct play *play, const char *id, const char *what)
{
    char path[128];

    snprintf(path, sizeof(path), "/v1/markets/%s/%s", id, what);
    CU_ASSERT_EQUAL(servekit_call(&play->operator, "GET", path, NULL), 200);
}

/* What the plan truly costs: all energy comes at the supply's price, and tastes are known here. */
static double true_cost(struct play *play, const char *id)
{
    double draw[PLAY_STEPS], cost = 0.0;
    char what[64];

    for (size_t i = 0; i <= play->n; i++) {
        snprintf(what, sizeof(what), "awards/%s", i < play->n ? play->agents[i].id : "home");
        get(play, id, what);
        numbers_at(&play->operator, "draw_kw", draw, PLAY_STEPS);
        for (size_t t = 0; t < PLAY_STEPS; t++)
            cost += supply_per_mwh[t] * draw[t] / 1000.0;
        cost += i < play->n ? play_cost(&play->agents[i], draw) : 0.0;
    }
    return cost;
}

static void prices_of(struct play *play, const char *id, double *price)
{
    struct walras_json_doc *doc = NULL;
    struct walras_json root, items, item, list;
    const struct walras_range any = {.low = -1e12, .high = 1e12};

    get(play, id, "prices");
    CU_ASSERT_EQUAL_FATAL(
        walras_json_parse("answer", play->operator.body.data, play->operator.body.size, &doc, NULL),
        WALRAS_OK);
    root = walras_json_root(doc);
    CU_ASSERT_TRUE_FATAL(walras_json_find(&root, "items", &items));
    for (size_t b = 0; b < 2; b++) {
        item = walras_json_at(&items, b);
        CU_ASSERT_TRUE_FATAL(walras_json_find(&item, "prices_per_mwh", &list));
        for (size_t t = 0; t < PLAY_STEPS; t++) {
            struct walras_json at = walras_json_at(&list, t);

            CU_ASSERT_EQUAL(walras_json_number(&at, any, &price[b * PLAY_STEPS + t], NULL),
                            WALRAS_OK);
        }
    }
    walras_json_free(doc);
}

static double certified(struct play *play, const char *id, const char *key)
{
    double value = 0.0;

    get(play, id, "certificate");
    numbers_at(&play->operator, key, &value, 1);
    return value;
}

static size_t rounds_of(struct play *play, const char *id)
{
    size_t n = 0;

    get(play, id, "rounds");
    for (const char *at = play->operator.body.data; (at = strstr(at, "\"opened_at\"")) != NULL;
         at++)
        n++;
    return n;
}

static void set_tastes(struct play *play)
{
    for (size_t i = 0; i < play->n; i++)
        for (size_t t = 0; t < PLAY_STEPS; t++)
            play->agents[i].taste_per_mwh[t] = (double)((7 * i + 11 * t) % 23);
}

static void hide(struct play *play, size_t n)
{
    for (size_t i = 0; i < play->n; i++)
        play->agents[i].hides = i % 2 == 0 && i / 2 < n ? 1 : 0;
}

static void run(struct play *play, const char *id, const char *rest, bool batch)
{
    play_start(play, id, rest);
    play_rounds(play, id, batch);
    CU_ASSERT_STRING_EQUAL(play_state(play, id), "cleared");
}

static double apart(struct play *play, const char *one, const char *other)
{
    double a[2 * PLAY_STEPS], b[2 * PLAY_STEPS], most = 0.0;

    prices_of(play, one, a);
    prices_of(play, other, b);
    for (size_t i = 0; i < 2 * PLAY_STEPS; i++)
        most = fmax(most, fabs(a[i] - b[i]));
    return most;
}

/* The plan of a market in which some hid is next to as cheap as the one in which all told. */
static void compare(struct play *play, const char *told, const char *hidden)
{
    double with = true_cost(play, told), without = true_cost(play, hidden);

    printf("  %s: %zu rounds (%zu with all costs), plan %.2e dearer, prices within %.2g\n", hidden,
           rounds_of(play, hidden), rounds_of(play, told), without / with - 1.0,
           apart(play, told, hidden));
    CU_ASSERT_TRUE(without <= with * (1.0 + 2e-4));
    CU_ASSERT_TRUE(rounds_of(play, hidden) <= 2 * rounds_of(play, told) + 5);
}

static void test_a_market_clears_around_hidden_costs(void)
{
    struct play play;
    double doubt = 0.0;

    if (!play_begin(&play, PLAY_FEW))
        return;
    set_tastes(&play);
    run(&play, "told", "", true);
    CU_ASSERT_EQUAL(certified(&play, "told", "costs_hidden"), 0.0);
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"bound_proven\": true"));
    CU_ASSERT_PTR_NULL(strstr(play.operator.body.data, "cost_inferred"));
    hide(&play, 6);
    run(&play, "half", "", true);
    CU_ASSERT_EQUAL(certified(&play, "half", "costs_hidden"), 6.0);
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"status\": \"converged\", \"clean\": true"));
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"bound_proven\": false"));
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"answers_inconsistent\": 0"));
    CU_ASSERT_TRUE(isfinite(certified(&play, "half", "cost_inferred")));
    doubt = certified(&play, "half", "cost_uncertain");
    CU_ASSERT_TRUE(doubt >= -1e-9);
    /* what is certified of the plan holds for its true costs */
    CU_ASSERT_TRUE(true_cost(&play, "half") - true_cost(&play, "told") <=
                   doubt + certified(&play, "half", "objective") -
                       certified(&play, "half", "dual_bound") + 1e-6);
    compare(&play, "told", "half");
    get(&play, "half", "awards/car-00");
    CU_ASSERT_PTR_NULL(strstr(play.operator.body.data, "\"cost\""));
    get(&play, "half", "awards/car-01");
    CU_ASSERT_PTR_NOT_NULL(strstr(play.operator.body.data, "\"cost\""));
    for (size_t i = 0; i < play.n; i++)
        play.agents[i].hides = 1;
    run(&play, "none", "\"points\": 1", false);
    CU_ASSERT_EQUAL(certified(&play, "none", "costs_hidden"), 12.0);
    compare(&play, "told", "none");
    play_end(&play);
}

static void test_many_that_hide_share_groups(void)
{
    struct play play;

    if (!play_begin(&play, PLAY_MOST))
        return;
    set_tastes(&play);
    run(&play, "told", "", true);
    hide(&play, 150);
    run(&play, "half", "", true);
    CU_ASSERT_EQUAL(certified(&play, "half", "costs_hidden"), 150.0);
    compare(&play, "told", "half");
    play_end(&play);
}

/* Two that tell and hide by turns: what is told makes what is inferred the agent's own costs. */
static void test_who_hides_now_and_then(void)
{
    struct play play;

    if (!play_begin(&play, PLAY_FEW))
        return;
    set_tastes(&play);
    run(&play, "told", "", true);
    for (size_t i = 0; i < play.n; i++)
        play.agents[i].hides = i % 3 == 0 ? 2 : i % 3 == 1 ? -2 : 0;
    run(&play, "turns", "", true);
    CU_ASSERT_EQUAL(certified(&play, "turns", "costs_hidden"), 8.0);
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"status\": \"converged\", \"clean\": true"));
    compare(&play, "told", "turns");
    play_end(&play);
}

/* One draws most when it is dearest, which no cost explains: it is told of, and blocks nobody. */
static void test_answers_that_contradict_each_other(void)
{
    struct play play;

    if (!play_begin(&play, PLAY_FEW))
        return;
    set_tastes(&play);
    hide(&play, 6);
    play.agents[4].contrary = true;
    run(&play, "m1", "\"max_rounds\": 20", true);
    CU_ASSERT_TRUE(certified(&play, "m1", "answers_inconsistent") > 0.0);
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"status\": \"round_limit\", \"clean\": true"));
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"bound_proven\": false"));
    play_end(&play);
}

/* One that fell silent is stood in for with what it drew, at what that was taken to cost. */
static void test_who_hides_and_falls_silent_is_stood_in_for(void)
{
    struct play play;
    struct db_session *session = NULL;

    if (!play_begin(&play, PLAY_FEW))
        return;
    set_tastes(&play);
    hide(&play, 6);
    play_start(&play, "m1", "\"round_timeout_s\": 0.5, \"straggler\": {\"max_misses\": 2}");
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m1/round?wait=10", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", "/v1/markets/m1/rounds/1/responses/car-02",
                                  "{\"answers\": [{\"draw_kw\": [5, 5, 0, 0, 0, 0]}]}"),
                    201);
    play.silent[2] = true;
    play_rounds(&play, "m1", true);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m1"), "cleared");
    CU_ASSERT_EQUAL(certified(&play, "m1", "costs_hidden"), 6.0);
    session = dbkit_session(play.database);
    CU_ASSERT_STRING_EQUAL(dbkit_value(session, "SELECT count(*) FROM response WHERE agent = "
                                                "'car-02' AND origin = 'fallback'"),
                           "0");
    CU_ASSERT_STRING_EQUAL(dbkit_value(session, "SELECT count(*) > 0 AND bool_and(cost[1] IS NULL) "
                                                "FROM response WHERE agent = 'car-02' AND origin = "
                                                "'repeated'"),
                           "t");
    db_session_free(session);
    play_end(&play);
}

/* Hiding is as good as telling to say the same again; null is neither. */
static void test_hidden_answers_are_kept_once(void)
{
    static const char path[] = "/v1/markets/m1/rounds/1/responses/car-00";
    static const char hidden[] = "{\"answers\": [{\"draw_kw\": [3, 1.5, 0, 0, 0, 0]}]}";
    static const char told[] = "{\"answers\": [{\"draw_kw\": [3, 1.5, 0, 0, 0, 0], \"cost\": 0}]}";
    static const char null[] =
        "{\"answers\": [{\"draw_kw\": [3, 1.5, 0, 0, 0, 0], \"cost\": null}]}";
    struct play play;

    if (!play_begin(&play, PLAY_FEW))
        return;
    play_start(&play, "m1", "\"round_timeout_s\": 600");
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m1/round?wait=10", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", path, null), 422);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", path, hidden), 201);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", path, hidden), 200);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", path, told), 409);
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/markets/m1/cancel", NULL), 200);
    play_end(&play);
}

static const struct testkit_test tests[] = {
    {"a market clears around hidden costs", test_a_market_clears_around_hidden_costs},
    {"many that hide share groups", test_many_that_hide_share_groups},
    {"who hides now and then", test_who_hides_now_and_then},
    {"answers that contradict each other", test_answers_that_contradict_each_other},
    {"who hides and falls silent is stood in for", test_who_hides_and_falls_silent_is_stood_in_for},
    {"hidden answers are kept once", test_hidden_answers_are_kept_once},
};

TESTKIT_MAIN("hidden", tests)
