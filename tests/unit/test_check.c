#include "resultkit.h"
#include "scenario/check.h"
#include "testkit.h"

#include <stdio.h>
#include <string.h>

#define MARKET(supply_price, agents, fleets)                                                       \
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": 60, "    \
    "\"steps\": 2}, \"grid\": {\"copperplate\": true}, \"supply\": [{\"id\": \"s\", \"bus\": "     \
    "\"1\", "                                                                                      \
    "\"price_per_mwh\": " supply_price "}], \"agents\": [" agents "], \"fleets\": [" fleets "]}"
#define HOME(devices) "{\"id\": \"home\", \"bus\": \"1\", \"devices\": [" devices "]}"

static bool warns(const struct scenario_summary *summary, const char *words)
{
    for (size_t i = 0; i < summary->n_warning; i++)
        if (strstr(summary->warning[i].text, words))
            return true;
    return false;
}

/* Reads and looks at a market that is well formed; what is borrowed of it is gone on return. */
static struct scenario_summary look_at(const char *text)
{
    struct scenario_settings settings = scenario_settings_defaults();

    settings.directory = ".";
    struct scenario_summary summary = {0};
    struct scenario scenario;
    struct walras_err err = {0};
    enum walras_status status =
        scenario_parse("t.json", text, strlen(text), &settings, &scenario, &err);

    if (status != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    CU_ASSERT_EQUAL_FATAL(status, WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_summarise(&scenario, &summary, &err), WALRAS_OK);
    scenario_release(&scenario);
    summary.scenario = NULL;
    return summary;
}

/* 3 kW for two hours are 6 kWh, not 100; 2 kWh go into the battery, not 9. */
static void test_devices_that_clear_refuses_are_named(void)
{
    struct scenario_summary summary = look_at(MARKET(
        "50",
        HOME(
            "{\"id\": \"car\", \"type\": \"ev\", \"arrive\": 0, \"depart\": 2, \"energy_kwh\": "
            "100, "
            "\"charge_kw\": 3}, {\"id\": \"cell\", \"type\": \"battery\", \"capacity_kwh\": 10, "
            "\"charge_kw\": 1, \"discharge_kw\": 1, \"start_kwh\": 0, \"end_min_kwh\": 9}, "
            "{\"id\": \"mild\", \"type\": \"ev\", \"arrive\": 0, \"depart\": 2, \"energy_kwh\": "
            "100, "
            "\"charge_kw\": 3, \"unserved_price_per_mwh\": 500}, "
            "{\"id\": \"fine\", \"type\": \"ev\", \"arrive\": 0, \"depart\": 2, \"energy_kwh\": 4, "
            "\"charge_kw\": 3}"),
        ""));

    CU_ASSERT_EQUAL(summary.n_refused, 2);
    CU_ASSERT_TRUE(warns(&summary, "agent home, device car: "));
    CU_ASSERT_TRUE(warns(&summary, "agent home, device cell: "));
    CU_ASSERT_FALSE(warns(&summary, "device mild"));
    CU_ASSERT_FALSE(warns(&summary, "device fine"));
    CU_ASSERT_FALSE(warns(&summary, "per kWh"));
}

/* At least 5 kW and at most 1 in step 0: a program without an answer. */
static void test_a_program_without_an_answer_is_named(void)
{
    static const char program[] = "Minimize\n cost: draw_0 + draw_1\nSubject To\n need: draw_0 >= "
                                  "5\nBounds\n draw_0 <= %d\nEnd\n";
    const char *directory = resultkit_directory();
    char path[1100], text[2400];

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    snprintf(path, sizeof(path), "%s/own.lp", directory);
    snprintf(text, sizeof(text),
             MARKET("50", HOME("{\"id\": \"own\", \"type\": \"lp\", \"file\": \"%s\"}"), ""), path);
    for (int most_kw = 1; most_kw < 10; most_kw += 8) {
        FILE *file = fopen(path, "w");

        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        fprintf(file, program, most_kw);
        fclose(file);
        struct scenario_summary summary = look_at(text);

        CU_ASSERT_EQUAL(warns(&summary, "agent home, device own: "), most_kw < 5);
    }
    resultkit_remove(directory);
}

static void test_only_the_first_refused_are_named(void)
{
    char agents[8000] = "", text[9000];

    for (int i = 0; i < SCENARIO_REFUSED + 5; i++) {
        size_t n = strlen(agents);

        snprintf(agents + n, sizeof(agents) - n,
                 "%s{\"id\": \"home%d\", \"bus\": \"1\", \"devices\": [{\"id\": \"car\", \"type\": "
                 "\"ev\", \"arrive\": 0, \"depart\": 2, \"energy_kwh\": 100, \"charge_kw\": 3}]}",
                 i > 0 ? ", " : "", i);
    }
    snprintf(text, sizeof(text), MARKET("50", "%s", ""), agents);
    struct scenario_summary summary = look_at(text);

    CU_ASSERT_EQUAL(summary.n_refused, SCENARIO_REFUSED + 5);
    CU_ASSERT_EQUAL(summary.n_warning, SCENARIO_REFUSED);
    CU_ASSERT_TRUE(warns(&summary, "agent home19,"));
    CU_ASSERT_FALSE(warns(&summary, "agent home20,"));
}

/* In two hours the generated appliances have one start: nobody chose that, nobody is told. */
static void test_generated_devices_are_not_complained_of(void)
{
    struct scenario_summary listed =
        look_at(MARKET("50",
                       HOME("{\"id\": \"wash\", \"type\": \"shiftable\", \"profile_kw\": [1, 1], "
                            "\"earliest\": 0, \"latest\": 0}"),
                       ""));
    struct scenario_summary fleet =
        look_at(MARKET("50", "",
                       "{\"id\": \"f\", \"count\": 200, \"seed\": 7, \"buses\": [\"1\"], \"mix\": "
                       "{\"shiftable\": 0.5, \"thermal\": 0.2, \"ev\": 0.3}}"));

    CU_ASSERT_TRUE(warns(&listed, "device wash: has only one start to choose"));
    CU_ASSERT_EQUAL(fleet.n_warning, 0);
    CU_ASSERT_EQUAL(fleet.n_type[AGENT_SHIFTABLE], 100);
}

static void test_prices_per_kwh_are_suspected(void)
{
    static const char load[] = HOME("{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 1}");
    char text[2000];

    static const struct {
        const char *price;
        bool suspect;
    } cases[] = {{"[0.31, 0.28]", true}, {"-1.9", true}, {"0", false}, {"[0.3, 2]", false}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), MARKET("%s", "%s", ""), cases[i].price, load);
        struct scenario_summary summary = look_at(text);

        CU_ASSERT_EQUAL(warns(&summary, "are they meant per kWh?"), cases[i].suspect);
    }
}

static const struct testkit_test tests[] = {
    {"devices that clear refuses are named", test_devices_that_clear_refuses_are_named},
    {"a program without an answer is named", test_a_program_without_an_answer_is_named},
    {"only the first refused are named", test_only_the_first_refused_are_named},
    {"generated devices are not complained of", test_generated_devices_are_not_complained_of},
    {"prices per kWh are suspected", test_prices_per_kwh_are_suspected},
};
TESTKIT_MAIN("check", tests)
