#include "agents/audit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct agent_verdict judge(const struct agent_device *device, size_t n_step, double step_h,
                                  const double *draw_kw)
{
    const struct agent_horizon horizon = {n_step, step_h};
    struct agent_verdict verdict = {0};
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(agent_audit(device, &horizon, draw_kw, &verdict, &err), WALRAS_OK);
    if (err.code != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    return verdict;
}

#define CLEAN(verdict, expected_cost)                                                              \
    do {                                                                                           \
        struct agent_verdict verdict_ = (verdict);                                                 \
        TESTKIT_CLOSE(verdict_.breach, 0.0, 1e-12);                                                \
        TESTKIT_CLOSE(verdict_.cost, (expected_cost), 1e-12);                                      \
    } while (0)

#define BREAKS(verdict, expected_breach, expected_step, expected_what)                             \
    do {                                                                                           \
        struct agent_verdict verdict_ = (verdict);                                                 \
        TESTKIT_CLOSE(verdict_.breach, (expected_breach), 1e-12);                                  \
        CU_ASSERT_EQUAL(verdict_.step, (expected_step));                                           \
        CU_ASSERT_STRING_EQUAL(verdict_.what ? verdict_.what : "", (expected_what));               \
    } while (0)

/* 2 kW either way, 4 kWh, 2 kWh in it, efficiencies 0.5, wear 100 per MWh. */
static struct agent_device battery(void)
{
    return (struct agent_device){.type = AGENT_BATTERY,
                                 .power_factor = 1.0,
                                 .battery = {.capacity_kwh = 4.0,
                                             .charge_kw = 2.0,
                                             .discharge_kw = 2.0,
                                             .charge_efficiency = 0.5,
                                             .discharge_efficiency = 0.5,
                                             .start_kwh = 2.0,
                                             .wear_per_mwh = 100.0}};
}

static void test_battery_limits_are_named_with_step_and_size(void)
{
    struct agent_device device = battery();

    CLEAN(judge(&device, 2, 1.0, (const double[]){2.0, -1.0}), 0.3);
    BREAKS(judge(&device, 2, 1.0, (const double[]){0.0, 2.5}), 0.5, 1, "charge limit");
    BREAKS(judge(&device, 2, 1.0, (const double[]){0.0, -2.25}), 2.5, 1,
           "state of charge at the end"); /* 2 − 4.5; the limit is passed by 0.25 only */
    BREAKS(judge(&device, 2, 1.0, (const double[]){-1.5, 0.0}), 1.0, 0, "state of charge");
    device.battery.end_min_kwh = 2.5;
    BREAKS(judge(&device, 2, 1.0, (const double[]){0.5, 0.0}), 0.25, 1,
           "state of charge at the end");
    device.battery.min_kwh = 2.5; /* the start may lie below: step 0 must mend it */
    CLEAN(judge(&device, 2, 1.0, (const double[]){1.0, 0.0}), 0.1);
}

/*
 * Drawing 1 kW four times stores 0.5 each: full after four, 2 + 2 = 4. A fifth and sixth overflow
 * by 0.5 each. Charging 1 + b and discharging b wastes 1.5 b: b = 1/3 in each of two steps, wear on
 * 6 + 2·(2/3) kWh.
 */
static void test_battery_wastes_no_more_than_overflows(void)
{
    struct agent_device device = battery();
    const double draw_kw[] = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0};

    CLEAN(judge(&device, 6, 1.0, draw_kw), 0.1 * (6.0 + 4.0 / 3.0));
    device.battery.exclusive = true; /* 4.5 kWh after step 4, 5 after step 5 */
    BREAKS(judge(&device, 6, 1.0, draw_kw), 1.0, 5, "capacity");
    device.battery.exclusive = false;
    device.battery.charge_efficiency = device.battery.discharge_efficiency = 1.0;
    BREAKS(judge(&device, 6, 1.0, draw_kw), 4.0, 5, "capacity"); /* nothing to waste it in */
}

/*
 * Full, drawing 2 kW: the charge limit leaves no room to waste the 1 kWh stored. The step before,
 * which draws nothing, has room for b = 2/3.
 */
static void test_battery_wastes_in_time(void)
{
    struct agent_device device = battery();

    device.battery.start_kwh = 4.0;
    CLEAN(judge(&device, 2, 1.0, (const double[]){0.0, 2.0}), 0.1 * (2.0 + 4.0 / 3.0));
    BREAKS(judge(&device, 1, 1.0, (const double[]){2.0}), 1.0, 0, "capacity");
    /* at its minimum it cannot waste ahead: 2, 2, 3, 4, 5 kWh */
    device.battery.start_kwh = device.battery.min_kwh = 2.0;
    BREAKS(judge(&device, 4, 1.0, (const double[]){0.0, 2.0, 2.0, 2.0}), 1.0, 3, "capacity");
}

static void test_ev_draws_only_while_it_is_there(void)
{
    struct agent_device device = {.type = AGENT_EV,
                                  .power_factor = 1.0,
                                  .ev = {.arrive = 1,
                                         .depart = 3,
                                         .energy_kwh = 2.0,
                                         .charge_kw = 2.0,
                                         .efficiency = 1.0,
                                         .capacity_kwh = 2.0,
                                         .unserved_price_per_mwh = (double)NAN}};

    CLEAN(judge(&device, 4, 1.0, (const double[]){0.0, 1.5, 0.5, 0.0}), 0.0);
    BREAKS(judge(&device, 4, 1.0, (const double[]){0.0, 1.5, 0.5, 0.1}), 0.1, 3,
           "no draw while away");
    BREAKS(judge(&device, 4, 1.0, (const double[]){0.0, 1.0, 0.5, 0.0}), 0.5, 2,
           "energy by departure");
    BREAKS(judge(&device, 4, 1.0, (const double[]){0.0, 1.0, -0.5, 0.0}), 1.5, 2,
           "energy by departure");
    device.ev.unserved_price_per_mwh = 300.0;
    CLEAN(judge(&device, 4, 1.0, (const double[]){0.0, 1.0, 0.5, 0.0}), 0.15);
}

/* 1 kWh/K, no losses, cop 2: 1 kW lifts 2 K an hour. */
static void test_thermal_walks_its_temperature(void)
{
    const double cop = 2.0, min_c = 20.0, max_c = 22.0, zero = 0.0;
    struct agent_device device = {.type = AGENT_THERMAL,
                                  .power_factor = 1.0,
                                  .thermal = {.max_kw = 2.0,
                                              .capacity_kwh_per_k = 1.0,
                                              .start_c = 20.0,
                                              .cop = {&cop, 0},
                                              .min_c = {&min_c, 0},
                                              .max_c = {&max_c, 0},
                                              .outdoor_c = {&zero, 0},
                                              .gain_kw = {&zero, 0},
                                              .comfort_price_per_kh = (double)NAN}};

    CLEAN(judge(&device, 2, 1.0, (const double[]){1.0, 0.0}), 0.0);
    BREAKS(judge(&device, 2, 1.0, (const double[]){1.0, 0.5}), 1.0, 1, "highest temperature");
    BREAKS(judge(&device, 2, 1.0, (const double[]){0.0, -0.25}), 0.5, 1, "lowest temperature");
    device.thermal.comfort_price_per_kh = 0.1; /* half hours: 23 °C, then 24 °C */
    CLEAN(judge(&device, 2, 0.5, (const double[]){2.0, 1.0}), 0.1 * 0.5 * (0.0 + 1.0));
    BREAKS(judge(&device, 1, 1.0, (const double[]){-0.25}), 0.25, 0, "no injection");
    device.thermal.cool = true;
    CLEAN(judge(&device, 1, 1.0, (const double[]){1.0}), 0.2);
}

/* 10 to 30 kW at 40 per MWh and 5 an hour, 7 a start, two steps up, two down, 15 kW a step. */
static struct agent_device plant(void)
{
    return (struct agent_device){.type = AGENT_GENERATOR,
                                 .power_factor = 1.0,
                                 .generator = {.min_kw = 10.0,
                                               .max_kw = 30.0,
                                               .per_mwh = 40.0,
                                               .per_h = 5.0,
                                               .ramp_kw_per_h = 15.0,
                                               .start_cost = 7.0,
                                               .min_up_steps = 2,
                                               .min_down_steps = 2,
                                               .committed = true}};
}

static void test_commitment_is_read_from_the_output(void)
{
    struct agent_device device = plant();

    /* off, a start, two steps on: 7 + 2·5 + 0.04·(10 + 25) */
    CLEAN(judge(&device, 4, 1.0, (const double[]){0.0, -10.0, -25.0, -25.0}),
          7.0 + 15.0 + 0.04 * 60.0);
    BREAKS(judge(&device, 3, 1.0, (const double[]){0.0, -10.0, 0.0}), 1.0, 2, "steps on");
    CLEAN(judge(&device, 2, 1.0, (const double[]){0.0, -10.0}), 12.4); /* the end cuts it short */
    BREAKS(judge(&device, 2, 1.0, (const double[]){-10.0, -26.0}), 1.0, 1, "ramp limit");
    BREAKS(judge(&device, 2, 1.0, (const double[]){-15.0, -9.5}), 0.5, 1, "smallest output");
    device.generator.on_at_start = true; /* it has been on for long: no start, free to stop */
    CLEAN(judge(&device, 1, 1.0, (const double[]){-10.0}), 5.4);
    CLEAN(judge(&device, 3, 1.0, (const double[]){0.0, 0.0, -10.0}), 12.4);
    BREAKS(judge(&device, 2, 1.0, (const double[]){0.0, -10.0}), 1.0, 1, "steps off");
    /* a start may reach min_kw or the ramp, whatever is more */
    BREAKS(judge(&device, 3, 1.0, (const double[]){0.0, 0.0, -17.0}), 2.0, 2, "ramp limit");
}

/*
 * min_kw 0: no output may be standing by (5 an hour) or off (then a start of 7). One idle hour:
 * stand by. Three: 15 against 7: off.
 */
static void test_ambiguous_idleness_is_resolved_at_least_cost(void)
{
    struct agent_device device = plant();

    device.generator.min_kw = 0.0;
    device.generator.on_at_start = true;
    device.generator.min_up_steps = device.generator.min_down_steps = 0;
    CLEAN(judge(&device, 3, 1.0, (const double[]){-10.0, 0.0, -10.0}), 15.0 + 0.8);
    CLEAN(judge(&device, 5, 1.0, (const double[]){-10.0, 0.0, 0.0, 0.0, -10.0}), 10.0 + 7.0 + 0.8);
    device.generator.min_down_steps = 4; /* off for three is too short */
    CLEAN(judge(&device, 5, 1.0, (const double[]){-10.0, 0.0, 0.0, 0.0, -10.0}), 25.0 + 0.8);
}

static void test_generator_without_commitment_keeps_range_and_ramp(void)
{
    struct agent_device device = plant();

    device.generator.committed = false;
    CLEAN(judge(&device, 2, 1.0, (const double[]){-10.0, -25.0}), 10.0 + 1.4);
    BREAKS(judge(&device, 2, 1.0, (const double[]){-10.0, -26.0}), 1.0, 1, "ramp limit");
    BREAKS(judge(&device, 2, 1.0, (const double[]){-10.0, -9.0}), 1.0, 1, "smallest output");
    BREAKS(judge(&device, 2, 1.0, (const double[]){-25.0, -33.0}), 3.0, 1, "largest output");
}

static void test_simple_devices_are_judged_step_by_step(void)
{
    const double draw_kw[] = {4.0, -1.0}, available_kw = 3.0, profile_kw[] = {1.0, 3.0};
    struct agent_device device = {.type = AGENT_LOAD,
                                  .load = {.draw_kw = {draw_kw, 1}, .shed_price_per_mwh = 90.0}};

    CLEAN(judge(&device, 2, 1.0, (const double[]){1.0, -1.0}), 0.27);
    BREAKS(judge(&device, 2, 1.0, (const double[]){-0.5, -1.0}), 0.5, 0, "sheddable load");
    BREAKS(judge(&device, 2, 1.0, (const double[]){4.0, -0.5}), 0.5, 1, "wanted load");
    device.load.shed_price_per_mwh = (double)NAN;
    BREAKS(judge(&device, 2, 1.0, (const double[]){3.0, -1.0}), 1.0, 0, "firm load");

    device = (struct agent_device){
        .type = AGENT_PV,
        .pv = {.available_kw = {&available_kw, 0}, .cost_per_mwh = 10.0, .curtailable = true}};
    CLEAN(judge(&device, 2, 1.0, (const double[]){-3.0, 0.0}), 0.03);
    BREAKS(judge(&device, 2, 1.0, (const double[]){-3.5, 0.0}), 0.5, 0, "available power");
    BREAKS(judge(&device, 2, 1.0, (const double[]){0.0, 0.5}), 0.5, 1, "no draw");
    device.pv.curtailable = false;
    BREAKS(judge(&device, 2, 1.0, (const double[]){-3.0, -1.0}), 2.0, 1, "uncurtailable power");

    device = (struct agent_device){
        .type = AGENT_SHIFTABLE,
        .shiftable = {.profile_kw = profile_kw, .n_profile = 2, .earliest = 0, .latest = 2}};
    CLEAN(judge(&device, 4, 1.0, (const double[]){0.0, 1.0, 3.0, 0.0}), 0.0);
    BREAKS(judge(&device, 4, 1.0, (const double[]){0.0, 1.0, 2.5, 0.0}), 0.5, 2, "profile");
    BREAKS(judge(&device, 4, 1.0, (const double[]){0.0, 0.0, 0.0, 0.0}), 3.0, 1, "profile");
}

/*
 * Demand 5 at 90 and 5 at 50, offer 4 at 30. A draw of 8 is 10 served, 2 given: it cuts nothing, as
 * giving at 30 is cheaper than not serving at 50. A draw of 3: 4 given, 3 at 50 not served.
 */
static void test_bids_serve_the_dear_and_give_the_cheap(void)
{
    const struct agent_segment demand[] = {{5.0, 90.0}, {5.0, 50.0}}, offer[] = {{4.0, 30.0}};
    const uint32_t two[] = {0, 2}, one[] = {0, 1};
    struct agent_device device = {.type = AGENT_BID, .bid = {demand, offer, two, one, true}};

    CLEAN(judge(&device, 1, 1.0, (const double[]){8.0}), -1e-3 * (450.0 + 250.0 - 60.0));
    CLEAN(judge(&device, 1, 1.0, (const double[]){3.0}), -1e-3 * (450.0 + 100.0 - 120.0));
    CLEAN(judge(&device, 1, 1.0, (const double[]){-4.0}), 0.12);
    BREAKS(judge(&device, 1, 1.0, (const double[]){10.5}), 0.5, 0, "demand blocks");
    BREAKS(judge(&device, 1, 1.0, (const double[]){-5.0}), 1.0, 0, "offer blocks");
}

/* draw_0 = 2 u with u integer in 0 … 3 at 5 each; draw_1 free in 0 … 1, at 1 beyond v <= 0.5. */
static void test_programs_are_judged_with_their_draw_fixed(void)
{
    char folder[] = "/tmp/walras-test-XXXXXX", path[64];
    const char text[] = "minimize\n cost: 5 u + w\n"
                        "subject to\n a: draw_0 - 2 u = 0\n b: draw_1 - v - w = 0\n"
                        "bounds\n 0 <= u <= 3\n 0 <= v <= 0.5\n 0 <= w <= 0.5\n"
                        "general\n u\nend\n";
    struct agent_device device = {.type = AGENT_LP, .lp = {path}};

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/device.lp", folder);

    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(fputs(text, file) >= 0);
    CU_ASSERT_EQUAL(fclose(file), 0);

    struct agent_verdict verdict = judge(&device, 2, 1.0, (const double[]){4.0, 0.75});

    CU_ASSERT_EQUAL(verdict.breach, 0.0);
    TESTKIT_CLOSE(verdict.cost, 10.25, 1e-6);
    verdict = judge(&device, 2, 1.0, (const double[]){4.5, 0.75}); /* 4 is the nearest */
    TESTKIT_CLOSE(verdict.breach, 0.5, 1e-6);
    CU_ASSERT_EQUAL(verdict.step, 0);
    CU_ASSERT_STRING_EQUAL(verdict.what ? verdict.what : "", "program");
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static void test_draws_must_be_numbers(void)
{
    struct agent_device device = battery();
    const struct agent_horizon horizon = {2, 1.0};
    struct agent_verdict verdict;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(
        agent_audit(&device, &horizon, (const double[]){0.0, (double)NAN}, &verdict, &err),
        WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "step 1: draw must be a finite number, got nan");
}

static const struct testkit_test tests[] = {
    {"battery limits are named with step and size",
     test_battery_limits_are_named_with_step_and_size},
    {"a battery wastes no more than overflows", test_battery_wastes_no_more_than_overflows},
    {"a battery wastes in time", test_battery_wastes_in_time},
    {"an ev draws only while it is there", test_ev_draws_only_while_it_is_there},
    {"a thermal device walks its temperature", test_thermal_walks_its_temperature},
    {"commitment is read from the output", test_commitment_is_read_from_the_output},
    {"ambiguous idleness is resolved at least cost",
     test_ambiguous_idleness_is_resolved_at_least_cost},
    {"a generator without commitment keeps range and ramp",
     test_generator_without_commitment_keeps_range_and_ramp},
    {"simple devices are judged step by step", test_simple_devices_are_judged_step_by_step},
    {"bids serve the dear and give the cheap", test_bids_serve_the_dear_and_give_the_cheap},
    {"programs are judged with their draw fixed", test_programs_are_judged_with_their_draw_fixed},
    {"draws must be numbers", test_draws_must_be_numbers},
};
TESTKIT_MAIN("audit", tests)
