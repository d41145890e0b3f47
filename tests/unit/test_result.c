#include "core/file.h"
#include "core/json.h"
#include "resultkit.h"
#include "scenario/result.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The text of a file that was written, the caller's; "" when it is not there. */
static char *read_back(const char *directory, const char *name)
{
    char *path = walras_path_join(directory, name), *text = NULL;
    struct walras_err err = {0};
    size_t size = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(path);
    if (walras_file_read(path, 1000000, &text, &size, &err) != WALRAS_OK)
        text = calloc(1, 1);
    free(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    return text;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static size_t count_lines(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* result.json of `kit`, read strictly by the reader of scenarios. */
static struct walras_json_doc *write_and_read(const struct resultkit *kit, const char *directory)
{
    struct walras_json_doc *doc = NULL;
    struct walras_err err = {0};
    char *path = walras_path_join(directory, "result.json");

    CU_ASSERT_EQUAL(scenario_result_write(directory, &kit->result, &err), WALRAS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(path);
    CU_ASSERT_EQUAL(walras_json_read(path, &doc, &err), WALRAS_OK);
    if (err.code != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    free(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    return doc;
}

/* The node at a path of keys and indices: "prices/values/2/3". */
static struct walras_json find(const struct walras_json *root, const char *path,
                               struct walras_json *held)
{
    char words[128], *rest = words;

    snprintf(words, sizeof(words), "%s", path);
    held[0] = *root;
    for (size_t depth = 1; rest && depth < 8; depth++) {
        char *word = rest, *slash = strchr(rest, '/');

        rest = slash ? slash + 1 : NULL;
        if (slash)
            *slash = '\0';
        if (walras_json_is(&held[depth - 1], WALRAS_JSON_ARRAY))
            held[depth] = walras_json_at(&held[depth - 1], (size_t)strtoul(word, NULL, 10));
        else
            CU_ASSERT_TRUE_FATAL(walras_json_find(&held[depth - 1], word, &held[depth]));
        held[0] = rest ? held[0] : held[depth];
    }
    return held[0];
}

static double number_at(const struct walras_json *root, const char *path)
{
    struct walras_json held[8], node = find(root, path, held);
    double value = NAN;

    CU_ASSERT_EQUAL(
        walras_json_number(&node, (struct walras_range){-1e300, 1e300, false, false}, &value, NULL),
        WALRAS_OK);
    return value;
}

static const char *text_at(const struct walras_json *root, const char *path)
{
    struct walras_json held[8], node = find(root, path, held);
    const char *text = "";

    CU_ASSERT_EQUAL(walras_json_text(&node, 100, &text, NULL), WALRAS_OK);
    return text;
}

static void test_result_json_holds_every_key(void)
{
    static const char *const keys[] = {
        "walras", "name",        "status", "objective", "dual_bound", "gap",
        "rounds", "seconds",     "method", "responses", "prices",     "price_parts",
        "supply", "bus_draw_kw", "lines",  "binding",   "relaxed",    "certificate"};
    struct resultkit kit;
    const char *directory = resultkit_directory();

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    resultkit_init(&kit);
    struct walras_json_doc *doc = write_and_read(&kit, directory);
    struct walras_json root = walras_json_root(doc);

    CU_ASSERT_EQUAL(walras_json_keys(&root, keys, sizeof(keys) / sizeof(keys[0]), NULL), WALRAS_OK);
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        struct walras_json found;

        CU_ASSERT_TRUE(walras_json_find(&root, keys[k], &found));
    }
    CU_ASSERT_STRING_EQUAL(text_at(&root, "name"), "it's a `test`");
    CU_ASSERT_STRING_EQUAL(text_at(&root, "status"), "converged");
    CU_ASSERT_STRING_EQUAL(text_at(&root, "prices/unit"), "EUR/MWh");
    walras_json_free(doc);
    resultkit_release(&kit);
    resultkit_remove(directory);
}

static void test_numbers_come_back_as_they_were(void)
{
    struct resultkit kit;
    const char *directory = resultkit_directory();

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    resultkit_init(&kit);
    kit.price_per_mwh[11] = 0.1 + 0.2;
    struct walras_json_doc *doc = write_and_read(&kit, directory);
    struct walras_json root = walras_json_root(doc);

    CU_ASSERT_EQUAL(number_at(&root, "prices/values/2/3"), 0.1 + 0.2);
    CU_ASSERT_EQUAL(number_at(&root, "objective"), 10.0);
    CU_ASSERT_EQUAL(number_at(&root, "dual_bound"), 9.999);
    TESTKIT_CLOSE(number_at(&root, "gap"), 1e-4, 1e-9);
    CU_ASSERT_EQUAL(number_at(&root, "price_parts/energy/2/2"), 60.0);
    CU_ASSERT_EQUAL(number_at(&root, "price_parts/congestion/2/2"), 12.5);
    CU_ASSERT_EQUAL(number_at(&root, "price_parts/voltage/2/2"), 0.0);
    CU_ASSERT_EQUAL(number_at(&root, "price_parts/loss/0/0"), 0.0);
    CU_ASSERT_EQUAL(number_at(&root, "bus_draw_kw/1/2"), 50.0);  /* 80 − 10 − 20 */
    CU_ASSERT_EQUAL(number_at(&root, "bus_draw_kw/2/2"), -34.0); /* 0 + 6 − 40 */
    CU_ASSERT_EQUAL(number_at(&root, "supply/0/import_kw/2"), 16.0);
    CU_ASSERT_EQUAL(number_at(&root, "lines/flow_kw/1/2"), -34.0);
    struct walras_json held[8], imports = find(&root, "supply/0/import_kw", held);

    CU_ASSERT_EQUAL(walras_json_count(&imports), RESULTKIT_STEP);
    CU_ASSERT_STRING_EQUAL(text_at(&root, "lines/id/1"), "B-C");
    CU_ASSERT_STRING_EQUAL(text_at(&root, "lines/from/1"), "B");
    CU_ASSERT_STRING_EQUAL(text_at(&root, "lines/to/1"), "C");
    CU_ASSERT_EQUAL(number_at(&root, "lines/limit_kw/1"), 100.0);
    CU_ASSERT_STRING_EQUAL(text_at(&root, "binding/0/id"), "B-C");
    CU_ASSERT_STRING_EQUAL(text_at(&root, "binding/0/kind"), "line");
    CU_ASSERT_EQUAL(number_at(&root, "binding/0/shadow_price_per_mwh"), 12.5);
    CU_ASSERT_EQUAL(number_at(&root, "relaxed/0/breach_kw"), 3.125);
    CU_ASSERT_EQUAL(number_at(&root, "certificate/dual_bound"), 9.999);
    walras_json_free(doc);
    resultkit_release(&kit);
    resultkit_remove(directory);
}

/* 4 against 16.5 EUR/MWh are 12.5 backwards; what is 1e-6 of the largest price is rounding. */
static void test_a_limit_binds_once_a_step(void)
{
    struct market_binding binding[] = {{1, 2, 1, 4.0},   {0, 3, 1, 5e-5}, {0, 1, 1, 3.0},
                                       {1, 2, -1, 16.5}, {0, 2, 1, 2.0},  {0, 2, -1, 2.0}};
    struct resultkit kit;
    const char *directory = resultkit_directory();

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    resultkit_init(&kit);
    kit.market.binding = binding;
    kit.market.n_binding = sizeof(binding) / sizeof(binding[0]);
    kit.lines[0].limit_kw = INFINITY;
    struct walras_json_doc *doc = write_and_read(&kit, directory);
    struct walras_json root = walras_json_root(doc), held[8], list = find(&root, "binding", held);

    CU_ASSERT_EQUAL(walras_json_count(&list), 2);
    CU_ASSERT_STRING_EQUAL(text_at(&root, "binding/0/id"), "A-B");
    CU_ASSERT_EQUAL(number_at(&root, "binding/0/step"), 1.0);
    CU_ASSERT_STRING_EQUAL(text_at(&root, "binding/1/id"), "B-C");
    CU_ASSERT_EQUAL(number_at(&root, "binding/1/direction"), -1.0);
    CU_ASSERT_EQUAL(number_at(&root, "binding/1/shadow_price_per_mwh"), 12.5);
    list = find(&root, "lines/limit_kw/0", held);
    CU_ASSERT_TRUE(walras_json_is(&list, WALRAS_JSON_NULL));
    walras_json_free(doc);
    resultkit_release(&kit);
    resultkit_remove(directory);
}

static void test_tables_have_a_row_each(void)
{
    struct resultkit kit;
    const char *directory = resultkit_directory();

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    resultkit_init(&kit);
    kit.award_kw[1] = 1.0 / 3.0;
    CU_ASSERT_EQUAL(scenario_result_write(directory, &kit.result, NULL), WALRAS_OK);
    char *awards = read_back(directory, "awards.csv"), *prices = read_back(directory, "prices.csv");
    char *rounds = read_back(directory, "rounds.csv");

    CU_ASSERT_TRUE(starts_with(awards, "agent,device,step,draw_kw\n"
                                       "\"home, \"\"old\"\"\",base,0,60\n"
                                       "\"home, \"\"old\"\"\",base,1,0.333333333\n"));
    CU_ASSERT_EQUAL(count_lines(awards), 1 + RESULTKIT_DEVICE * RESULTKIT_STEP);
    CU_ASSERT_TRUE(starts_with(prices, "bus,step,start,price_per_mwh\n"
                                       "A,0,2026-07-01T00:00:00+02:00,40\n"
                                       "A,1,2026-07-01T00:15:00+02:00,50\n"));
    CU_ASSERT_EQUAL(count_lines(prices), 1 + RESULTKIT_BUS * RESULTKIT_STEP);
    CU_ASSERT_EQUAL(count_lines(rounds), 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(rounds, "\n1,9,,,,0,0,0,0.000000,")); /* not finite: empty */
    free(awards);
    free(prices);
    free(rounds);
    resultkit_release(&kit);
    resultkit_remove(directory);
}

static void test_an_infeasible_market_says_why(void)
{
    struct resultkit kit;
    const char *directory = resultkit_directory();

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    resultkit_init(&kit);
    kit.market = (struct market_result){.outcome = MARKET_INFEASIBLE, .bound = -INFINITY};
    kit.result.why = "bus C, step 2: 40 kW are missing";
    kit.result.awards = NULL;
    kit.result.parts = NULL;
    kit.result.bus_draw_kw = NULL;
    kit.result.flow_kw = kit.result.import_kw = kit.result.export_kw = NULL;
    kit.result.certificate = NULL;
    struct walras_json_doc *doc = write_and_read(&kit, directory);
    struct walras_json root = walras_json_root(doc), held[8];
    static const char *const nulls[] = {"objective",          "dual_bound",         "gap",
                                        "prices/values",      "bus_draw_kw",        "lines/flow_kw",
                                        "price_parts/energy", "supply/0/import_kw", "certificate"};

    CU_ASSERT_STRING_EQUAL(text_at(&root, "status"), "infeasible");
    CU_ASSERT_STRING_EQUAL(text_at(&root, "why"), "bus C, step 2: 40 kW are missing");
    for (size_t k = 0; k < sizeof(nulls) / sizeof(nulls[0]); k++) {
        struct walras_json node = find(&root, nulls[k], held);

        CU_ASSERT_TRUE(walras_json_is(&node, WALRAS_JSON_NULL));
    }
    walras_json_free(doc);
    resultkit_release(&kit);
    resultkit_remove(directory);
}

static void test_a_place_that_cannot_be_written_is_named(void)
{
    struct resultkit kit;
    struct walras_err err = {0};

    resultkit_init(&kit);
    CU_ASSERT_EQUAL(scenario_result_write("/nowhere/at/all", &kit.result, &err), WALRAS_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/nowhere/at/all/result.json"));
    resultkit_release(&kit);
}

/* Every write to /dev/full fails: what is buffered has to be noticed at the end. */
static void test_a_full_disk_is_told(void)
{
    static const char *const names[] = {"result.json", "grid.json", "awards.csv", "prices.csv",
                                        "rounds.csv"};
    struct resultkit kit;

    resultkit_init(&kit);
    for (size_t f = 0; f < 5; f++) {
        const char *directory = resultkit_directory();
        char *path = directory ? walras_path_join(directory, names[f]) : NULL;
        struct walras_err err = {0};

        CU_ASSERT_PTR_NOT_NULL_FATAL(path);
        CU_ASSERT_EQUAL(symlink("/dev/full", path), 0);
        CU_ASSERT_EQUAL(scenario_result_write(directory, &kit.result, &err), WALRAS_IO);
        CU_ASSERT_TRUE(starts_with(err.msg, path));
        free(path);
        resultkit_remove(directory);
    }
    resultkit_release(&kit);
}

static const struct testkit_test tests[] = {
    {"result.json holds every key", test_result_json_holds_every_key},
    {"numbers come back as they were", test_numbers_come_back_as_they_were},
    {"a limit binds once a step", test_a_limit_binds_once_a_step},
    {"tables have a row each", test_tables_have_a_row_each},
    {"an infeasible market says why", test_an_infeasible_market_says_why},
    {"a place that cannot be written is named", test_a_place_that_cannot_be_written_is_named},
    {"a full disk is told", test_a_full_disk_is_told},
};
TESTKIT_MAIN("result", tests)
