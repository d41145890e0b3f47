#include "marketkit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>

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

/* Twelve buses at 0.4 kV; the voltage at the end of the feeder must not fall below 0.9759. */
static void test_sixty_agents_with_voltages(void)
{
    compare("volt_n60_t24");
}

/* The IEEE European low-voltage feeder with the homes' own reactive draw. */
static void test_low_voltage_feeder_of_quarter_hours(void)
{
    compare("ieeelv_t96");
}

static const struct testkit_test tests[] = {
    {"100 agents, 24 steps: bound <= optimum <= plan", test_hundred_agents_a_day_of_hours},
    {"1,000 agents, 24 steps: bound <= optimum <= plan", test_thousand_agents_a_day_of_hours},
    {"100 agents, 96 steps: bound <= optimum <= plan", test_hundred_agents_a_day_of_quarter_hours},
    {"60 agents, voltages, 24 steps: bound <= optimum <= plan", test_sixty_agents_with_voltages},
    {"162 agents, voltages, 96 steps: bound <= optimum <= plan",
     test_low_voltage_feeder_of_quarter_hours},
};
TESTKIT_MAIN("reference fleets", tests)
