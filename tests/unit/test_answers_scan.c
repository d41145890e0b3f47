/* Answers read in one pass: what a tree of them is read as, or left to the tree. */
#include "api/answers.h"
#include "api/answers_scan.h"
#include "api/tokens.h"
#include "core/rng.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct api_scan_shape shape = {2, 3};

static bool scan(const char *text, struct api_answer *answer)
{
    return api_scan_single(text, strlen(text), &shape, answer);
}

static void test_numbers_are_kept_as_written(void)
{
    struct api_answer answer = {0};

    CU_ASSERT_TRUE_FATAL(scan(" {\"answers\" : [ {\"draw_kw\":[1, -0.5,2.5e-3],\"cost\":0},\n"
                              "{ \"cost\": 1.25E+2 , \"draw_kw\" : [0,0.0,123456789.125] } ] } ",
                              &answer));
    CU_ASSERT_STRING_EQUAL(answer.draw_kw.data, "{1,-0.5,2.5e-3,0,0.0,123456789.125}");
    CU_ASSERT_STRING_EQUAL(answer.cost.data, "{0,1.25E+2}");
    api_answer_release(&answer);
}

#define TWICE(point) "{\"answers\": [" point ", " point "]}"

/* Wrong, or unusual: nothing is kept. */
static void test_the_rest_is_left_to_the_tree(void)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"answers\": []}",
        TWICE("{\"draw_kw\": [1, 2], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1, 2, 3, 4], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1, 2, 3]}"),
        TWICE("{\"draw_kw\": [1, 2, 3], \"cost\": 0, \"x\": 1}"),
        TWICE("{\"draw_kw\": [1, 2, 3], \"draw_kw\": 0}"),
        TWICE("{\"draw_kw\": [01, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1., 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [.5, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [+1, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [-, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1e, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1e999, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1e-400, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [NaN, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [null, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [\"1\", 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1000000000, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1e10, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [12345678901234567890, 2, 3], \"cost\": 0}"),
        /* digits that are 0 modulo 2^64 */
        TWICE("{\"draw_kw\": [184467440737095.51616, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1844674407.3709551616e25, 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1, 2, 3], \"cost\": 368934881474191.03232}"),
        TWICE("{\"draw_kw\": [1, 2, 3], \"cost\": 2e12}"),
        TWICE("{\"draw_kw\": [1, 2, 3,], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1 2, 3], \"cost\": 0}"),
        TWICE("{\"draw_kw\": [1, 2, 3], \"cost\": 0}") "x",
        "{\"answers\": [{\"draw_kw\": [1, 2, 3], \"cost\": 0}]}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct api_answer answer = {0};

        if (scan(texts[i], &answer))
            printf("taken: %s\n", texts[i]);
        CU_ASSERT_PTR_NULL(answer.draw_kw.data);
        CU_ASSERT_PTR_NULL(answer.cost.data);
    }
    CU_ASSERT_FALSE(api_scan_single("{\"answers\"", 4, &shape, &(struct api_answer){0}));
}

static double number_of(struct walras_rng *rng)
{
    double size = pow(10.0, walras_rng_range(rng, -6.0, 6.0));

    return walras_rng_range(rng, -1.0, 1.0) * size;
}

static void write_number(struct walras_rng *rng, char text[64])
{
    double value = number_of(rng);
    int digits = (int)walras_rng_below(rng, 18);

    switch (walras_rng_below(rng, 3)) {
    case 0:
        snprintf(text, 64, "%.*f", digits % 10, value);
        break;
    case 1:
        snprintf(text, 64, "%.*e", digits, value);
        break;
    default:
        snprintf(text, 64, "%.*g", digits, value);
    }
}

/* The numbers that a tree gives, bit for bit. */
static void compare(const char *text)
{
    struct api_answer scanned = {0}, read = {0};
    struct walras_json_doc *doc = NULL;
    struct walras_json root, node;
    const char *a = NULL, *b = NULL;

    CU_ASSERT_TRUE_FATAL(scan(text, &scanned));
    CU_ASSERT_EQUAL_FATAL(walras_json_parse("body", text, strlen(text), &doc, NULL), WALRAS_OK);
    root = walras_json_root(doc);
    CU_ASSERT_TRUE_FATAL(walras_json_find(&root, "answers", &node));
    CU_ASSERT_EQUAL_FATAL(api_answer_read(&node, shape.n_point, shape.n_step, &read, NULL),
                          WALRAS_OK);
    a = scanned.draw_kw.data;
    b = read.draw_kw.data;
    for (size_t i = 0; i < shape.n_point * shape.n_step; i++) {
        char *end_a = NULL, *end_b = NULL;

        CU_ASSERT_EQUAL(strtod(a + 1, &end_a), strtod(b + 1, &end_b));
        a = end_a;
        b = end_b;
    }
    CU_ASSERT_STRING_EQUAL(a, "}");
    api_answer_release(&scanned);
    api_answer_release(&read);
    walras_json_free(doc);
}

static void test_as_a_tree_would_be_read(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());

    for (size_t i = 0; i < testkit_cases(20000); i++) {
        char text[600], number[6][64];

        for (int k = 0; k < 6; k++)
            write_number(&rng, number[k]);
        snprintf(text, sizeof(text),
                 "{\"answers\":[{\"draw_kw\":[%s,%s,%s],\"cost\":1},{\"draw_kw\":[%s,%s,%s],"
                 "\"cost\":2}]}",
                 number[0], number[1], number[2], number[3], number[4], number[5]);
        compare(text);
    }
}

static void test_batches(void)
{
    static const char answers[] = "[{\"draw_kw\": [1, 2, 3], \"cost\": 0}, {\"draw_kw\": [4, 5, "
                                  "6], \"cost\": 1}]";
    struct api_answer *list = NULL;
    char text[600];
    size_t n = 0;

    snprintf(text, sizeof(text),
             "{\"responses\": [{\"agent\": \"a\", \"answers\": %s}, {\"agent\": \"b-1\", "
             "\"answers\": %s}]}",
             answers, answers);
    CU_ASSERT_TRUE_FATAL(api_scan_batch(text, strlen(text), &shape, 2, &list, &n));
    CU_ASSERT_EQUAL_FATAL(n, 2);
    CU_ASSERT_STRING_EQUAL(list[1].agent, "b-1");
    CU_ASSERT_STRING_EQUAL(list[1].draw_kw.data, "{1,2,3,4,5,6}");
    for (size_t i = 0; i < n; i++)
        api_answer_release(&list[i]);
    free(list);
    CU_ASSERT_FALSE(api_scan_batch(text, strlen(text), &shape, 1, &list, &n));
    CU_ASSERT_PTR_NULL(list);
    snprintf(text, sizeof(text), "{\"responses\": [{\"agent\": \"a\\u0062\", \"answers\": %s}]}",
             answers);
    CU_ASSERT_FALSE(api_scan_batch(text, strlen(text), &shape, 2, &list, &n));
    CU_ASSERT_FALSE(api_scan_batch("{\"responses\": []}", 17, &shape, 2, &list, &n));
}

static void test_tokens_are_believed_for_a_while(void)
{
    const char one[DB_DIGEST_TEXT] = "01", other[DB_DIGEST_TEXT] = "02";
    const struct db_client client = {.id = "vendor", .role = DB_ROLE_agent};
    struct db_client found = {0};
    struct api_tokens *tokens = NULL;

    CU_ASSERT_EQUAL_FATAL(api_tokens_new(&tokens, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(api_tokens_find(tokens, one, 0.0, &found));
    api_tokens_keep(tokens, one, &client, 10.0);
    CU_ASSERT_TRUE(api_tokens_find(tokens, one, 9.9, &found));
    CU_ASSERT_STRING_EQUAL(found.id, "vendor");
    CU_ASSERT_EQUAL(found.role, DB_ROLE_agent);
    CU_ASSERT_FALSE(api_tokens_find(tokens, one, 10.0, &found));
    CU_ASSERT_FALSE(api_tokens_find(tokens, other, 0.0, &found));
    api_tokens_free(tokens);
}

static const struct testkit_test tests[] = {
    {"numbers are kept as written", test_numbers_are_kept_as_written},
    {"the rest is left to the tree", test_the_rest_is_left_to_the_tree},
    {"as a tree would be read", test_as_a_tree_would_be_read},
    {"batches", test_batches},
    {"tokens are believed for a while", test_tokens_are_believed_for_a_while},
};

TESTKIT_MAIN("answers_scan", tests)
