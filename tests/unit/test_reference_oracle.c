#include "marketkit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * Fleets behind a radial feeder whose central linear program was solved by HiGHS (reference data,
 * not shipped): the bound must not be above that optimum, the plan not below it.
 */

static void compare(const char *name)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-4);
    double optimum = marketkit_oracle_optimum(name);
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
