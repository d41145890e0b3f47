#include "agents/solve.h"
#include "same_scenario.h"
#include "scenario_data.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A fleet of every kind on three buses. */
static struct scenario fleet(unsigned seed, const char *start, unsigned step_min, unsigned steps,
                             unsigned count)
{
    char text[2000];
    struct scenario made = {0};
    struct walras_err err = {0};

    snprintf(text, sizeof(text),
             "{\"walras\": 1, \"horizon\": {\"start\": \"%s\", \"step_minutes\": %u, \"steps\": "
             "%u}, \"grid\": {\"slack\": \"a\", \"buses\": [{\"id\": \"a\"}, {\"id\": \"b\"}, "
             "{\"id\": \"c\"}], \"lines\": [{\"id\": \"ab\", \"from\": \"a\", \"to\": \"b\", "
             "\"x_pu\": 1}, {\"id\": \"bc\", \"from\": \"b\", \"to\": \"c\", \"x_pu\": 1}]}, "
             "\"fleets\": [{\"id\": \"f\", \"count\": %u, \"seed\": %u, \"buses\": [\"a\", \"b\", "
             "\"c\"], \"mix\": {\"load\": 0.2, \"pv\": 0.2, \"battery\": 0.2, \"ev\": 0.1, "
             "\"v2g\": 0.1, \"thermal\": 0.1, \"shiftable\": 0.1}}]}",
             start, step_min, steps, count, seed);
    if (parse_text(text, &made, &err) != WALRAS_OK) {
        fprintf(stderr, "%s\n", err.msg);
        CU_FAIL_FATAL("a fleet cannot be made");
    }
    return made;
}

static uint64_t hash_of(const char *text) /* FNV-1a */
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static void test_same_seed_is_the_same_fleet_on_every_machine(void)
{
    struct scenario a = fleet(7, "2026-07-01T00:00:00+02:00", 15, 96, 200);
    struct scenario b = fleet(7, "2026-07-01T00:00:00+02:00", 15, 96, 200);
    char *text = expanded(&a);

    CU_ASSERT_TRUE(same_scenario(&a, &b));
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    /* As written out when fleets were introduced: a change here changes everybody's markets. */
    CU_ASSERT_EQUAL(hash_of(text), 0xb8c2dfd4ae04f48du);
    free(text);
    scenario_release(&a);
    scenario_release(&b);
}

static void test_another_seed_is_another_fleet(void)
{
    struct scenario a = fleet(7, "2026-07-01T00:00:00Z", 60, 24, 20);
    struct scenario b = fleet(8, "2026-07-01T00:00:00Z", 60, 24, 20);
    char *x = expanded(&a), *y = expanded(&b);

    CU_ASSERT_NOT_EQUAL(hash_of(x), hash_of(y));
    free(x);
    free(y);
    scenario_release(&a);
    scenario_release(&b);
}

static void test_a_longer_fleet_begins_like_a_shorter_one(void)
{
    struct scenario a = fleet(7, "2026-01-15T00:00:00Z", 60, 24, 50);
    struct scenario b = fleet(7, "2026-01-15T00:00:00Z", 60, 24, 80);

    for (size_t i = 0; i < a.n_agent; i++) {
        CU_ASSERT_STRING_EQUAL(a.agents[i].id, b.agents[i].id);
        CU_ASSERT_EQUAL(a.agents[i].bus, b.agents[i].bus);
        CU_ASSERT_EQUAL(a.devices[i].type, b.devices[i].type);
    }
    scenario_release(&a);
    scenario_release(&b);
}

static void test_shares_hold_and_each_kind_goes_round_the_buses(void)
{
    struct scenario s = fleet(7, "2026-07-01T00:00:00Z", 60, 24, 600);
    size_t n[AGENT_N_TYPE][3] = {{0}};

    for (size_t d = 0; d < s.n_device; d++)
        n[s.devices[d].type][scenario_device_bus(&s, d)]++;
    for (size_t bus = 0; bus < 3; bus++) {
        CU_ASSERT_EQUAL(n[AGENT_LOAD][bus], 40); /* 600 · 0.2 / 3 */
        CU_ASSERT_EQUAL(n[AGENT_PV][bus], 40);
        CU_ASSERT_EQUAL(n[AGENT_BATTERY][bus], 40);
        CU_ASSERT_EQUAL(n[AGENT_EV][bus], 40); /* cars and cars that give back */
        CU_ASSERT_EQUAL(n[AGENT_THERMAL][bus], 20);
        CU_ASSERT_EQUAL(n[AGENT_SHIFTABLE][bus], 20);
    }
    scenario_release(&s);
}

static const struct {
    const char *start;
    unsigned step_min, steps;
} horizons[] = {
    {"2026-07-01T00:00:00+02:00", 15, 96}, {"2026-01-15T12:00:00Z", 60, 48},
    {"2026-03-29T23:45:00-11:30", 5, 7},   {"2026-10-01T17:00:00Z", 60, 1},
    {"1969-12-31T22:00:00Z", 1440, 3},     {"2026-12-31T06:07:08Z", 7, 300},
};

static void check_devices(const struct scenario *s)
{
    double *price = calloc(s->horizon.n_step, sizeof(*price));
    double *draw_kw = calloc(s->horizon.n_step, sizeof(*draw_kw));
    struct agent_workspace *workspace = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(price);
    CU_ASSERT_PTR_NOT_NULL_FATAL(draw_kw);
    CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&s->horizon, &workspace, NULL), WALRAS_OK);
    for (size_t t = 0; t < s->horizon.n_step; t++)
        price[t] = 40.0 + 30.0 * (double)(t % 3);
    for (size_t d = 0; d < s->n_device; d++) {
        struct market_answer answer;
        struct walras_err err = {0};

        CU_ASSERT_EQUAL(agent_device_check(&s->devices[d], &s->horizon, &err), WALRAS_OK);
        CU_ASSERT_EQUAL(
            agent_solve(&s->devices[d], &s->horizon, price, workspace, draw_kw, &answer, &err),
            WALRAS_OK);
        if (err.msg[0])
            fprintf(stderr, "%s: %s\n", s->agents[d].id, err.msg);
    }
    agent_workspace_free(workspace);
    free(price);
    free(draw_kw);
}

static void test_every_device_can_be_satisfied_on_any_horizon(void)
{
    for (size_t i = 0; i < sizeof(horizons) / sizeof(horizons[0]); i++) {
        struct scenario s =
            fleet((unsigned)(testkit_seed() + i) % 1000000, horizons[i].start, horizons[i].step_min,
                  horizons[i].steps, (unsigned)testkit_cases(500));

        check_devices(&s);
        scenario_release(&s);
    }
}

static void test_expansion_reads_back_as_the_same_market(void)
{
    for (size_t i = 0; i < sizeof(horizons) / sizeof(horizons[0]); i++) {
        struct scenario s = fleet((unsigned)i, horizons[i].start, horizons[i].step_min,
                                  horizons[i].steps, 100),
                        again;
        char *text = expanded(&s);

        CU_ASSERT_EQUAL_FATAL(parse_text(text, &again, NULL), WALRAS_OK);
        CU_ASSERT_TRUE(same_scenario(&s, &again));
        free(text);
        scenario_release(&s);
        scenario_release(&again);
    }
}

static void test_the_sun_shines_by_day_and_summer_is_brighter(void)
{
    struct scenario july = fleet(3, "2026-07-01T00:00:00+02:00", 60, 24, 300);
    struct scenario january = fleet(3, "2026-01-15T00:00:00+02:00", 60, 24, 300);
    double summer = 0.0, winter = 0.0;

    for (size_t d = 0; d < 300; d++) {
        if (july.devices[d].type != AGENT_PV)
            continue;
        CU_ASSERT_EQUAL(walras_series_at(july.devices[d].pv.available_kw, 1), 0.0);
        CU_ASSERT_EQUAL(walras_series_at(july.devices[d].pv.available_kw, 23), 0.0);
        CU_ASSERT_TRUE(walras_series_at(july.devices[d].pv.available_kw, 12) > 0.5);
        summer += walras_series_at(july.devices[d].pv.available_kw, 12);
        winter += walras_series_at(january.devices[d].pv.available_kw, 12);
    }
    CU_ASSERT_TRUE(summer > 1.5 * winter);
    for (size_t d = 0; d < 300; d++)
        if (july.devices[d].type == AGENT_THERMAL) {
            CU_ASSERT_TRUE(july.devices[d].thermal.cool);
            CU_ASSERT_FALSE(january.devices[d].thermal.cool);
        }
    scenario_release(&july);
    scenario_release(&january);
}

static const struct testkit_test tests[] = {
    {"the same seed is the same fleet on every machine",
     test_same_seed_is_the_same_fleet_on_every_machine},
    {"another seed is another fleet", test_another_seed_is_another_fleet},
    {"a longer fleet begins like a shorter one", test_a_longer_fleet_begins_like_a_shorter_one},
    {"shares hold and each kind goes round the buses",
     test_shares_hold_and_each_kind_goes_round_the_buses},
    {"every device can be satisfied on any horizon",
     test_every_device_can_be_satisfied_on_any_horizon},
    {"the expansion reads back as the same market", test_expansion_reads_back_as_the_same_market},
    {"the sun shines by day, and summer is brighter",
     test_the_sun_shines_by_day_and_summer_is_brighter},
};
TESTKIT_MAIN("fleets", tests)
