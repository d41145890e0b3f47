#include "core/json.h"
#include "marketkit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * Fleets behind a radial feeder whose central linear program was solved by HiGHS (reference data,
 * not shipped): the bound must not be above that optimum, the plan not below it.
 */

static double read_optimum(const char *name)
{
    char path[256];
    const char *found = NULL;
    struct walras_json_doc *doc = NULL;
    struct walras_json root, node;
    double objective = NAN;

    snprintf(path, sizeof(path), "oracle/%s.optimum.json", name);
    found = testkit_reference(path);
    if (!found)
        return objective;
    CU_ASSERT_EQUAL_FATAL(walras_json_read(found, &doc, NULL), WALRAS_OK);
    root = walras_json_root(doc);
    CU_ASSERT_EQUAL(walras_json_need(&root, "objective", &node, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_json_number(&node, (struct walras_range){-HUGE_VAL, HUGE_VAL, 0, 0},
                                       &objective, NULL),
                    WALRAS_OK);
    walras_json_free(doc);
    return objective;
}

static void compare(const char *name)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-4);
    double optimum = read_optimum(name);
    struct marketkit kit = {0};
    char path[256];
    const char *found = NULL;

    snprintf(path, sizeof(path), "oracle/%s.scenario.json", name);
    found = testkit_reference(path);
    if (!found || isnan(optimum))
        return;
    marketkit_clear_file(found, &settings, &kit);
    CU_ASSERT_TRUE(marketkit_is_good(&kit));
    if (kit.market && kit.market->has_plan) {
        double size = fmax(1.0, fabs(optimum));

        printf("%u rounds, %.2f s ", kit.market->n_rounds, kit.market->seconds);
        CU_ASSERT_TRUE(kit.market->bound <= optimum + 1e-6 * size);
        CU_ASSERT_TRUE(optimum <= kit.market->objective + 1e-6 * size);
        CU_ASSERT_TRUE(kit.market->objective - kit.market->bound <=
                       1e-4 * fmax(1.0, fabs(kit.market->objective)));
    }
    marketkit_release(&kit);
}

static void test_hundred_agents_a_day_of_hours(void)
{
    compare("n100_t24");
}

static void test_thousand_agents_a_day_of_hours(void)
{
    compare("n1000_t24");
}

static void test_hundred_agents_a_day_of_quarter_hours(void)
{
    compare("n100_t96");
}

static void test_voltages_are_refused_clearly(void)
{
    static const char *const names[] = {"oracle/volt_n60_t24.scenario.json",
                                        "oracle/ieeelv_t96.scenario.json"};
    struct scenario_clear_settings settings = marketkit_settings(1e-4);

    for (size_t i = 0; i < 2; i++) {
        const char *found = testkit_reference(names[i]);
        struct marketkit kit = {0};

        if (!found)
            continue;
        marketkit_clear_file(found, &settings, &kit);
        CU_ASSERT_EQUAL(kit.status, WALRAS_UNSUPPORTED);
        CU_ASSERT_PTR_NOT_NULL(strstr(kit.err.msg, "lindistflow"));
        marketkit_release(&kit);
    }
}

static const struct testkit_test tests[] = {
    {"100 agents, 24 steps: bound <= optimum <= plan", test_hundred_agents_a_day_of_hours},
    {"1,000 agents, 24 steps: bound <= optimum <= plan", test_thousand_agents_a_day_of_hours},
    {"100 agents, 96 steps: bound <= optimum <= plan", test_hundred_agents_a_day_of_quarter_hours},
    {"a model with voltages is refused by name", test_voltages_are_refused_clearly},
};
TESTKIT_MAIN("reference fleets", tests)
