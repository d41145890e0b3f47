#include "api/answers.h"
#include "api/rate.h"
#include "api/shape.h"
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum walras_status shape(const char *text)
{
    return api_check_shape(text, strlen(text), NULL);
}

static void test_nesting_has_a_limit(void)
{
    char text[2 * API_MAX_NESTING + 16] = "";

    for (int i = 0; i < API_MAX_NESTING; i++)
        text[i] = i % 2 ? '{' : '[';
    CU_ASSERT_EQUAL(shape(text), WALRAS_OK);
    text[API_MAX_NESTING] = '[';
    CU_ASSERT_EQUAL(shape(text), WALRAS_INVALID);
    /* what was closed does not count, nor what stands in strings */
    CU_ASSERT_EQUAL(
        shape("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
              "[],[],[],[],[],[],[],[],[],[],[],[]]"),
        WALRAS_OK);
    CU_ASSERT_EQUAL(shape("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\""), WALRAS_OK);
    CU_ASSERT_EQUAL(shape("]]]}}}"), WALRAS_OK); /* the parser's to refuse */
    CU_ASSERT_EQUAL(shape("\"\\"), WALRAS_OK);
    CU_ASSERT_EQUAL(shape(""), WALRAS_OK);
}

static void test_lists_have_a_limit(void)
{
    size_t size = 2u * API_MAX_LIST + 2;
    char *text = malloc(size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (size_t i = 0; i < size; i++)
        text[i] = i % 2 ? '1' : ',';
    text[0] = '[';
    text[size - 1] = ']';
    CU_ASSERT_EQUAL(api_check_shape(text, size, NULL), WALRAS_INVALID);
    text[2] = '1'; /* one element less */
    CU_ASSERT_EQUAL(api_check_shape(text, size, NULL), WALRAS_OK);
    free(text);
}

static void test_rate_fills_up_again(void)
{
    struct api_rate *rate = NULL;
    double wait_s = 0.0;

    CU_ASSERT_EQUAL_FATAL(api_rate_new(2.0, 3.0, &rate, NULL), WALRAS_OK);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_TRUE(api_rate_take(rate, "a", 10.0, &wait_s));
    CU_ASSERT_FALSE(api_rate_take(rate, "a", 10.0, &wait_s));
    TESTKIT_CLOSE(wait_s, 0.5, 1e-12);
    CU_ASSERT_FALSE(api_rate_look(rate, "a", 10.0, &wait_s));
    for (int i = 0; i < 9; i++)
        CU_ASSERT_TRUE(api_rate_look(rate, "b", 10.0, &wait_s)); /* looking takes nothing */
    CU_ASSERT_TRUE(api_rate_take(rate, "b", 10.0, &wait_s));     /* others have their own */
    CU_ASSERT_FALSE(api_rate_take(rate, "a", 10.4, &wait_s));
    CU_ASSERT_TRUE(api_rate_take(rate, "a", 10.6, &wait_s));
    for (int i = 0; i < 3; i++) /* never more than the burst */
        CU_ASSERT_TRUE(api_rate_take(rate, "a", 1000.0, &wait_s));
    CU_ASSERT_FALSE(api_rate_take(rate, "a", 1000.0, &wait_s));
    api_rate_free(rate);
}

/* However many others come, who has used up its share does not get it back before its time. */
static void test_rate_forgets_the_fullest(void)
{
    struct api_rate *rate = NULL;
    char name[32];
    double wait_s = 0.0;

    CU_ASSERT_EQUAL_FATAL(api_rate_new(0.001, 3.0, &rate, NULL), WALRAS_OK);
    while (api_rate_take(rate, "greedy", 1.0, &wait_s))
        continue;
    for (int i = 0; i < 200000; i++) {
        snprintf(name, sizeof(name), "other-%d", i);
        (void)api_rate_take(rate, name, 1.0, &wait_s);
    }
    CU_ASSERT_FALSE(api_rate_take(rate, "greedy", 1.0, &wait_s));
    api_rate_free(rate);
}

static enum walras_status answers(const char *text, struct api_answer *answer,
                                  struct walras_err *err)
{
    struct walras_json_doc *doc = NULL;
    struct walras_json root;
    enum walras_status status = walras_json_parse("body", text, strlen(text), &doc, err);

    *answer = (struct api_answer){0};
    if (status != WALRAS_OK)
        return status;
    root = walras_json_root(doc);
    status = api_answer_read(&root, 2, 3, answer, err);
    walras_json_free(doc);
    return status;
}

static void test_answers_have_a_draw_for_each_point_and_step(void)
{
    static const struct {
        const char *text, *place; /* NULL: it is good */
    } cases[] = {
        {"[{\"draw_kw\": [1, -0.1, 1e-7], \"cost\": 0.1}, {\"draw_kw\": [0, 0, 0], \"cost\": "
         "-2}]",
         NULL},
        {"[{\"draw_kw\": [1, 2, 3], \"cost\": 0}]", "body: /:"},
        {"[{\"draw_kw\": [1, 2, 3], \"cost\": 0}, {\"draw_kw\": [1, 2], \"cost\": 0}]",
         "body: /1/draw_kw:"},
        {"[{\"draw_kw\": [1, 2, 3], \"cost\": 0}, {\"draw_kw\": [1, 2, true], \"cost\": 0}]",
         "body: /1/draw_kw/2:"},
        {"[{\"draw_kw\": [1, 2, 3], \"cost\": null}, {\"draw_kw\": [1, 2, 3], \"cost\": 0}]",
         "body: /0/cost:"},
        {"[{\"draw_kw\": [1, 2, 2e9], \"cost\": 0}, {\"draw_kw\": [1, 2, 3], \"cost\": 0}]",
         "body: /0/draw_kw/2:"},
        {"[{\"draw_kw\": [1, 2, 3], \"cost\": 0, \"x\": 1}, {\"draw_kw\": [1, 2, 3], \"cost\": "
         "0}]",
         "body: /0"},
        {"{}", "body: /:"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api_answer answer;
        struct walras_err err = {0};
        enum walras_status status = answers(cases[i].text, &answer, &err);

        CU_ASSERT_EQUAL(status, cases[i].place ? WALRAS_INVALID : WALRAS_OK);
        if (cases[i].place && strncmp(err.msg, cases[i].place, strlen(cases[i].place)) != 0)
            printf("%s: %s\n", cases[i].text, err.msg);
        CU_ASSERT_TRUE(!cases[i].place ||
                       strncmp(err.msg, cases[i].place, strlen(cases[i].place)) == 0);
        if (!cases[i].place) {
            CU_ASSERT_PTR_NOT_NULL_FATAL(answer.draw_kw.data);
            CU_ASSERT_PTR_NOT_NULL_FATAL(answer.cost.data);
            CU_ASSERT_STRING_EQUAL(answer.draw_kw.data, "{1,-0.1,1e-07,0,0,0}");
            CU_ASSERT_STRING_EQUAL(answer.cost.data, "{0.1,-2}");
        }
        api_answer_release(&answer);
    }
}

static void test_a_cost_may_be_left_out(void)
{
    struct api_answer answer;

    CU_ASSERT_EQUAL(
        answers("[{\"draw_kw\": [1, 2, 3]}, {\"draw_kw\": [1, 2, 3], \"cost\": 4}]", &answer, NULL),
        WALRAS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer.cost.data);
    CU_ASSERT_STRING_EQUAL(answer.cost.data, "{NULL,4}");
    api_answer_release(&answer);
}

static const struct testkit_test tests[] = {
    {"nesting has a limit", test_nesting_has_a_limit},
    {"lists have a limit", test_lists_have_a_limit},
    {"rate fills up again", test_rate_fills_up_again},
    {"rate forgets the fullest", test_rate_forgets_the_fullest},
    {"answers have a draw for each point and step",
     test_answers_have_a_draw_for_each_point_and_step},
    {"a cost may be left out", test_a_cost_may_be_left_out},
};

TESTKIT_MAIN("request", tests)
