#include "core/file.h"
#include "core/rng.h"
#include "same_scenario.h"
#include "scenario_data.h"
#include "testkit.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD                                                                                       \
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-01-15T06:00:00Z\", \"step_minutes\": 60, "    \
    "\"steps\": 4}, "

static bool reads(const char *text, struct scenario *out)
{
    struct walras_err err = {0};
    bool good = parse_text(text, out, &err) == WALRAS_OK;

    if (!good)
        fprintf(stderr, "%s\n", err.msg);
    return good;
}

static void check_expansion(const struct scenario *scenario)
{
    char *text = expanded(scenario);
    struct scenario again;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    if (reads(text, &again)) {
        CU_ASSERT_TRUE(same_scenario(scenario, &again));
        scenario_release(&again);
    } else {
        CU_FAIL("the expansion cannot be read");
    }
    free(text);
}

static void test_every_key_lands_in_its_field(void)
{
    struct scenario s;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL_FATAL(read_data("every_key.json", &s, &err), WALRAS_OK);
    CU_ASSERT_STRING_EQUAL(s.name, "every key");
    CU_ASSERT_STRING_EQUAL(s.currency, "CHF");
    CU_ASSERT_EQUAL(s.start_utc_s, 20635 * (int64_t)86400 - 7200); /* as in test_clock.c */
    CU_ASSERT_EQUAL(s.start_offset_min, 120);
    CU_ASSERT_EQUAL(s.horizon.step_h, 0.5);
    CU_ASSERT_EQUAL(s.model, SCENARIO_DC);
    CU_ASSERT_EQUAL(s.rating_scale, 0.9);
    CU_ASSERT_EQUAL(s.line_overload_price_per_mwh, 900.0);
    CU_ASSERT_EQUAL(s.voltage_violation_price_per_pu_h, 400.0);
    CU_ASSERT_EQUAL(s.network.lines[0].limit_kva, 120.0);
    CU_ASSERT_EQUAL(s.network.slack_v_pu, 1.02);
    CU_ASSERT_EQUAL(s.network.lines[0].limit_kw, 100.0);
    TESTKIT_CLOSE(s.network.lines[0].shift_rad, 1.5 * 3.14159265358979 / 180.0, 1e-14);
    CU_ASSERT_TRUE(isinf(s.network.lines[1].limit_kw));
    CU_ASSERT_FALSE(s.network.lines[1].in_service);
    /* rows 1 and 2 of the column, times 2 */
    CU_ASSERT_EQUAL(walras_series_at(s.supplies[0].price_per_mwh, 0), 41.0);
    CU_ASSERT_EQUAL(walras_series_at(s.supplies[0].price_per_mwh, 1), 60.0);
    CU_ASSERT_EQUAL(walras_series_at(s.supplies[0].export_price_per_mwh, 1), 6.0);
    CU_ASSERT_EQUAL(walras_series_at(s.supplies[0].import_limit_kw, 1), 80.0);
    CU_ASSERT_EQUAL(s.supplies[0].export_limit_kw.stride, 0);
    CU_ASSERT_EQUAL(s.n_agent, 6);
    CU_ASSERT_EQUAL(s.agents[1].first_device, 7);
    CU_ASSERT_EQUAL(s.devices[0].power_factor, 0.9);
    CU_ASSERT_EQUAL(walras_series_at(s.devices[0].load.draw_kvar, 1), 0.3);
    CU_ASSERT_FALSE(s.devices[1].pv.curtailable);
    CU_ASSERT_EQUAL(s.devices[2].battery.loss_per_hour, 0.01);
    CU_ASSERT_EQUAL(s.devices[2].battery.wear_per_mw2h, 700.0);
    CU_ASSERT_TRUE(s.devices[2].battery.exclusive);
    CU_ASSERT_EQUAL(s.devices[3].ev.wear_per_mw2h, 800.0);
    CU_ASSERT_EQUAL(s.devices[4].thermal.discomfort_per_k2h, 0.02);
    CU_ASSERT_EQUAL(agent_thermal_target_c(&s.devices[4].thermal, 1), 21.0);
    CU_ASSERT_EQUAL(s.devices[3].ev.capacity_kwh, 40.0);
    CU_ASSERT_EQUAL(walras_series_at(s.devices[4].thermal.max_c, 1), 22.5);
    CU_ASSERT_EQUAL(s.devices[5].shiftable.latest, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.devices[6].lp.path, "/tests/data/scenario/device.lp"));
    CU_ASSERT_TRUE(s.devices[7].generator.committed);
    CU_ASSERT_EQUAL(s.devices[7].generator.segments[1].price_per_mwh, 95.0);
    CU_ASSERT_EQUAL(s.devices[8].generator.per_mw2h, 2.0);
    CU_ASSERT_EQUAL(s.devices[9].bid.demand_first[2], 4); /* one list, repeated for both steps */
    CU_ASSERT_EQUAL(s.devices[9].bid.offer[2].price_per_mwh, 30.0);
    CU_ASSERT_EQUAL(scenario_device_bus(&s, 8), 0);
    check_expansion(&s);
    scenario_release(&s);
}

static void test_absent_keys_mean_what_the_format_says(void)
{
    struct scenario s;

    CU_ASSERT_TRUE_FATAL(reads(
        HEAD "\"grid\": {\"copperplate\": true}, "
             "\"supply\": [{\"id\": \"w\", \"bus\": \"1\", \"price_per_mwh\": 50}], "
             "\"agents\": [{\"id\": \"a\", \"bus\": \"1\", \"devices\": ["
             "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 2},"
             "{\"id\": \"p\", \"type\": \"pv\", \"available_kw\": [3, 3, 3, 3]},"
             "{\"id\": \"b\", \"type\": \"battery\", \"capacity_kwh\": 10, \"charge_kw\": 5, "
             "\"discharge_kw\": 5, \"start_kwh\": 5},"
             "{\"id\": \"e\", \"type\": \"ev\", \"arrive\": 0, \"depart\": 4, \"energy_kwh\": 6, "
             "\"charge_kw\": 7, \"start_kwh\": 1},"
             "{\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 5, \"cost\": {}},"
             "{\"id\": \"o\", \"type\": \"bid\", \"offer\": []}]}]}",
        &s));
    CU_ASSERT_STRING_EQUAL(s.name, "market");
    CU_ASSERT_STRING_EQUAL(s.currency, "EUR");
    CU_ASSERT_EQUAL(s.model, SCENARIO_COPPERPLATE);
    CU_ASSERT_EQUAL(s.rating_scale, 1.0);
    CU_ASSERT_TRUE(isnan(s.line_overload_price_per_mwh));
    CU_ASSERT_TRUE(isinf(walras_series_at(s.supplies[0].import_limit_kw, 3)));
    CU_ASSERT_EQUAL(walras_series_at(s.supplies[0].export_limit_kw, 3), 0.0);
    CU_ASSERT_EQUAL(walras_series_at(s.supplies[0].export_price_per_mwh, 3), 50.0);
    CU_ASSERT_TRUE(isnan(s.devices[0].load.shed_price_per_mwh));
    CU_ASSERT_EQUAL(walras_series_at(s.devices[0].load.draw_kvar, 2), 0.0);
    CU_ASSERT_EQUAL(s.devices[1].pv.available_kw.stride, 0); /* equal values: kept once */
    CU_ASSERT_TRUE(s.devices[1].pv.curtailable);
    CU_ASSERT_EQUAL(s.devices[2].battery.charge_efficiency, 1.0);
    CU_ASSERT_EQUAL(s.devices[2].battery.end_min_kwh, 0.0);
    CU_ASSERT_EQUAL(s.devices[3].ev.capacity_kwh, 7.0); /* 6 to add to the 1 it has */
    CU_ASSERT_TRUE(isnan(s.devices[3].ev.unserved_price_per_mwh));
    CU_ASSERT_TRUE(isinf(s.devices[4].generator.ramp_kw_per_h));
    CU_ASSERT_FALSE(s.devices[4].generator.committed);
    CU_ASSERT_TRUE(s.devices[5].bid.one_list);
    CU_ASSERT_EQUAL(s.devices[5].power_factor, 1.0);
    check_expansion(&s);
    scenario_release(&s);
}

static void test_equal_series_are_kept_once(void)
{
    struct scenario s;

    CU_ASSERT_TRUE_FATAL(reads(
        HEAD "\"grid\": {\"copperplate\": true}, \"agents\": [{\"id\": \"a\", \"bus\": \"1\", "
             "\"devices\": [{\"id\": \"x\", \"type\": \"load\", \"draw_kw\": [1, 2, 3, 4]}, "
             "{\"id\": \"y\", \"type\": \"pv\", \"available_kw\": [1, 2, 3, 4]}, "
             "{\"id\": \"z\", \"type\": \"pv\", \"available_kw\": [1, 2, 3, 5]}]}]}",
        &s));
    CU_ASSERT_PTR_EQUAL(s.devices[0].load.draw_kw.values, s.devices[1].pv.available_kw.values);
    CU_ASSERT_PTR_NOT_EQUAL(s.devices[0].load.draw_kw.values, s.devices[2].pv.available_kw.values);
    scenario_release(&s);
}

static void test_a_case_gives_its_grid_and_on_request_its_loads(void)
{
    struct scenario s;

    CU_ASSERT_TRUE_FATAL(reads(HEAD "\"grid\": {\"matpower\": \"case3.m\"}}", &s));
    CU_ASSERT_EQUAL(s.network.n_bus, 3);
    CU_ASSERT_EQUAL(s.network.n_line, 4);
    CU_ASSERT_EQUAL(s.n_agent, 1); /* the shunt is part of the grid */
    CU_ASSERT_STRING_EQUAL(s.agents[0].id, "bus 20");
    CU_ASSERT_STRING_EQUAL(s.devices[0].id, "shunt");
    CU_ASSERT_EQUAL(walras_series_at(s.devices[0].load.draw_kw, 3), 2000.0);
    CU_ASSERT_EQUAL(walras_series_at(s.devices[0].load.draw_kvar, 3), -5000.0);
    CU_ASSERT_EQUAL(s.network.buses[1].shunt_draw_kw, 0.0);
    scenario_release(&s);

    CU_ASSERT_TRUE_FATAL(reads(HEAD "\"grid\": {\"matpower\": \"case3.m\", \"loads\": true}}", &s));
    CU_ASSERT_EQUAL(s.n_agent, 2);
    CU_ASSERT_EQUAL(s.n_device, 3);
    CU_ASSERT_EQUAL(walras_series_at(s.devices[0].load.draw_kw, 0), 50000.0);
    CU_ASSERT_EQUAL(walras_series_at(s.devices[2].load.draw_kw, 0), -20000.0);
    check_expansion(&s);
    scenario_release(&s);
}

/* The cost per hour of g kW, by the devices of one agent: the least over how they can share it. */
static double agent_cost_per_h(const struct scenario *s, size_t agent, double g_kw)
{
    const struct scenario_agent *a = &s->agents[agent];
    double cost = 0.0;

    for (uint32_t i = 0; i < a->n_device; i++) {
        const struct agent_device *d = &s->devices[a->first_device + i];
        double left_kw = g_kw, mw = g_kw / 1000.0;

        if (d->type == AGENT_LOAD)
            g_kw += walras_series_at(d->load.draw_kw, 0); /* the bid gives what it draws, too */
        if (d->type == AGENT_GENERATOR && d->generator.max_kw == 0.0) {
            cost += d->generator.per_h;
        } else if (d->type == AGENT_GENERATOR && !d->generator.segments) {
            cost +=
                d->generator.per_h + d->generator.per_mwh * mw + d->generator.per_mw2h * mw * mw;
        } else if (d->type == AGENT_GENERATOR) {
            for (uint32_t k = 0; k < d->generator.n_segment; k++) {
                double part = fmin(left_kw, d->generator.segments[k].width_kw);

                cost += d->generator.segments[k].price_per_mwh * part / 1000.0;
                left_kw -= part;
            }
            CU_ASSERT_TRUE(left_kw < 1e-6);
        } else if (d->type == AGENT_BID) {
            const struct agent_segment *blocks = g_kw < 0.0 ? d->bid.demand : d->bid.offer;
            uint32_t n = g_kw < 0.0 ? d->bid.demand_first[1] : d->bid.offer_first[1];

            left_kw = fabs(g_kw);
            for (uint32_t k = 0; k < n; k++) {
                double part = fmin(left_kw, blocks[k].width_kw);

                cost += (g_kw < 0.0 ? -1.0 : 1.0) * blocks[k].price_per_mwh * part / 1000.0;
                left_kw -= part;
            }
            CU_ASSERT_TRUE(left_kw < 1e-6);
        }
    }
    return cost;
}

static void test_a_case_is_a_market_of_one_hour(void)
{
    /*
     * gencost of case3.m, from its points by hand: gen 1 is 0.05 g² + 12 g + 100 (g in MW), so
     * 0.05·400 + 12·20 + 100 = 360 at 20; gen 2 rises by 20 up to 50 and by 30 above, 500 at 20:
     * 300 at 10, 2000 at 80; gen 3 by 20 up to −10 and by 35 above, 0 at 0: −750 at −30, 175 at 5;
     * gen 5 by 50, 0 at 0: −2000 at −40, −500 at −10.
     */
    static const struct {
        const char *id;
        double g_kw, cost_per_h;
    } expected[] = {{"gen1", 20000.0, 360.0},    {"gen2", 10000.0, 300.0},
                    {"gen2", 80000.0, 2000.0},   {"gen3", -30000.0, -750.0},
                    {"gen3", 5000.0, 175.0},     {"gen3", 0.0, 0.0},
                    {"gen5", -40000.0, -2000.0}, {"gen5", -10000.0, -500.0}};
    struct scenario s;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL_FATAL(read_data("case3.m", &s, &err), WALRAS_OK);
    CU_ASSERT_STRING_EQUAL(s.name, "case3");
    CU_ASSERT_EQUAL(s.horizon.n_step, 1);
    CU_ASSERT_EQUAL(s.horizon.step_h, 1.0);
    CU_ASSERT_EQUAL(s.n_supply, 0);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        size_t agent = 0;

        while (agent < s.n_agent && strcmp(s.agents[agent].id, expected[i].id) != 0)
            agent++;
        CU_ASSERT_TRUE_FATAL(agent < s.n_agent);
        TESTKIT_CLOSE(agent_cost_per_h(&s, agent, expected[i].g_kw), expected[i].cost_per_h, 1e-12);
    }
    for (size_t i = 0; i < s.n_agent; i++)
        CU_ASSERT_STRING_NOT_EQUAL(s.agents[i].id, "gen4"); /* off-line */
    check_expansion(&s);
    scenario_release(&s);
}

static void test_phase_shifts_come_back_to_the_last_bit(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());

    for (size_t i = 0; i < testkit_cases(500); i++) {
        char text[1000];
        struct scenario s;

        snprintf(text, sizeof(text),
                 HEAD "\"grid\": {\"slack\": \"a\", \"buses\": [{\"id\": \"a\"}, {\"id\": "
                      "\"b\"}], \"lines\": [{\"id\": \"l\", \"from\": \"a\", \"to\": \"b\", "
                      "\"x_pu\": 1, \"shift_deg\": %.17g}]}}",
                 walras_rng_range(&rng, -180.0, 180.0));
        CU_ASSERT_TRUE_FATAL(reads(text, &s));
        check_expansion(&s);
        scenario_release(&s);
    }
}

static void test_a_generator_has_one_kind_of_cost(void)
{
    static const char form[] =
        HEAD "\"grid\": {\"copperplate\": true}, \"agents\": [{\"id\": \"a\", \"bus\": \"1\", "
             "\"devices\": [{\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 5%s}]}]}";
    char text[1000];
    struct scenario s;
    struct walras_err err = {0};

    snprintf(text, sizeof(text), form, ", \"segments\": [[5, 1]], \"cost\": {\"per_mwh\": 1}");
    CU_ASSERT_EQUAL(parse_text(text, &s, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "t.json: /agents/0/devices/0: expected one of the keys "
                                    "\"segments\" and \"cost\", got both");
    err = (struct walras_err){0};
    snprintf(text, sizeof(text), form, "");
    CU_ASSERT_EQUAL(parse_text(text, &s, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "t.json: /agents/0/devices/0: expected one of the keys "
                                    "\"segments\" and \"cost\"");
}

static void test_ids_may_not_be_used_twice(void)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        {HEAD "\"grid\": {\"slack\": \"b\", \"buses\": [{\"id\": \"b\"}, {\"id\": \"b\"}], "
              "\"lines\": []}}",
         "t.json: /grid/buses/1: bus id: \"b\" is already taken"},
        {HEAD "\"grid\": {\"slack\": \"b\", \"buses\": [{\"id\": \"b\"}, {\"id\": \"c\"}], "
              "\"lines\": [{\"id\": \"l\", \"from\": \"b\", \"to\": \"c\", \"x_pu\": 1}, "
              "{\"id\": \"l\", \"from\": \"b\", \"to\": \"c\", \"x_pu\": 1}]}}",
         "t.json: /grid/lines/1: line id: \"l\" is already taken"},
        {HEAD "\"grid\": {\"copperplate\": true}, \"supply\": ["
              "{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": 1}, "
              "{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": 1}]}",
         "t.json: /supply/1: supply id: \"s\" is already taken"},
        {HEAD "\"grid\": {\"copperplate\": true}, \"agents\": [{\"id\": \"a\", \"bus\": \"1\", "
              "\"devices\": [{\"id\": \"x\", \"type\": \"load\", \"draw_kw\": 1}]}, "
              "{\"id\": \"a\", \"bus\": \"1\", \"devices\": [{\"id\": \"x\", \"type\": \"load\", "
              "\"draw_kw\": 1}]}]}",
         "t.json: /agents/1: agent id: \"a\" is already taken"},
        {HEAD "\"grid\": {\"copperplate\": true}, \"agents\": [{\"id\": \"a\", \"bus\": \"1\", "
              "\"devices\": [{\"id\": \"x\", \"type\": \"load\", \"draw_kw\": 1}, "
              "{\"id\": \"x\", \"type\": \"load\", \"draw_kw\": 1}]}]}",
         "t.json: /agents/0/devices/1: device id: \"x\" is already taken"},
        {HEAD "\"grid\": {\"copperplate\": true}, \"agents\": [{\"id\": \"f-2\", \"bus\": \"1\", "
              "\"devices\": [{\"id\": \"x\", \"type\": \"load\", \"draw_kw\": 1}]}], \"fleets\": "
              "[{\"id\": \"f\", \"count\": 3, \"seed\": 1, \"buses\": [\"1\"], \"mix\": {\"pv\": "
              "1}}]}",
         "t.json: /fleets/0: agent id: \"f-2\" is already taken"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scenario s;
        struct walras_err err = {0};

        CU_ASSERT_EQUAL(parse_text(cases[i].text, &s, &err), WALRAS_INVALID);
        CU_ASSERT_STRING_EQUAL(err.msg, cases[i].told);
    }
}

static void test_reference_scenarios_read_and_expand(void)
{
    static const char *const files[] = {
        "oracle/n100_t24.scenario.json",   "oracle/n100_t96.scenario.json",
        "oracle/n1000_t24.scenario.json",  "oracle/volt_n60_t24.scenario.json",
        "oracle/ieeelv_t96.scenario.json", "dcopf/case118.stressB.m",
        "dcopf/case_ACTIVSg200.shipped.m"};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *path = testkit_reference(files[i]);
        struct scenario s;
        struct walras_err err = {0};

        if (!path)
            continue;

        enum walras_status status = scenario_read(path, &s, &err);

        CU_ASSERT_EQUAL(status, WALRAS_OK);
        if (status != WALRAS_OK)
            continue;
        check_expansion(&s);
        scenario_release(&s);
    }
}

/* The same checks as the fuzz target's. */
static void replay(const char *path)
{
    static const struct scenario_settings settings = {.max_device = 500, .max_step = 200};
    char *text = NULL, *whole = NULL;
    size_t size = 0;
    struct scenario s, again;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL_FATAL(walras_file_read(path, 1000000, &text, &size, &err), WALRAS_OK);
    if (scenario_parse("fuzz", text, size, &settings, &s, &err) == WALRAS_OK) {
        whole = expanded(&s);
        CU_ASSERT_PTR_NOT_NULL_FATAL(whole);
        CU_ASSERT_EQUAL_FATAL(scenario_parse("fuzz", whole, strlen(whole), &settings, &again, &err),
                              WALRAS_OK);
        CU_ASSERT_TRUE(same_scenario(&s, &again));
        scenario_release(&again);
        scenario_release(&s);
    } else {
        CU_ASSERT_EQUAL(strncmp(err.msg, "fuzz:", 5), 0);
    }
    free(whole);
    free(text);
}

static void test_what_the_fuzzer_found_is_read_or_refused(void)
{
    static const char folder[] = WALRAS_SOURCE_DIR "/tests/fuzz/corpus/scenario";
    DIR *directory = opendir(folder);
    size_t n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    for (const struct dirent *entry; (entry = readdir(directory));) {
        char path[1000];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        replay(path);
        n++;
    }
    closedir(directory);
    CU_ASSERT_TRUE(n >= 10);
}

static const struct testkit_test tests[] = {
    {"every key lands in its field", test_every_key_lands_in_its_field},
    {"absent keys mean what the format says", test_absent_keys_mean_what_the_format_says},
    {"equal series are kept once", test_equal_series_are_kept_once},
    {"a case gives its grid and on request its loads",
     test_a_case_gives_its_grid_and_on_request_its_loads},
    {"a case is a market of one hour", test_a_case_is_a_market_of_one_hour},
    {"phase shifts come back to the last bit", test_phase_shifts_come_back_to_the_last_bit},
    {"a generator has one kind of cost", test_a_generator_has_one_kind_of_cost},
    {"ids may not be used twice", test_ids_may_not_be_used_twice},
    {"reference scenarios read and expand", test_reference_scenarios_read_and_expand},
    {"what the fuzzer found is read or refused", test_what_the_fuzzer_found_is_read_or_refused},
};
TESTKIT_MAIN("scenario", tests)
