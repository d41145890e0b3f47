#include "agents/device.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct agent_horizon day = {.n_step = 4, .step_h = 1.0};

static const char *complaint(const struct agent_device *device)
{
    static struct walras_err err;

    err = (struct walras_err){0};
    return agent_device_check(device, &day, &err) == WALRAS_OK ? "" : err.msg;
}

static struct agent_device battery(void)
{
    return (struct agent_device){
        .type = AGENT_BATTERY,
        .id = "bat",
        .power_factor = 1.0,
        .battery = {.capacity_kwh = 10.0,
                    .charge_kw = 5.0,
                    .discharge_kw = 5.0,
                    .charge_efficiency = 0.95,
                    .discharge_efficiency = 0.95,
                    .start_kwh = 5.0},
    };
}

static void test_names_are_those_of_the_scenario(void)
{
    CU_ASSERT_STRING_EQUAL(agent_device_type_name(AGENT_LOAD), "load");
    CU_ASSERT_STRING_EQUAL(agent_device_type_name(AGENT_LP), "lp");
    CU_ASSERT_STRING_EQUAL(agent_device_type_name((enum agent_device_type)99), "unknown");
}

static void test_battery_parameters_are_judged_by_key_and_value(void)
{
    struct agent_device device = battery();

    CU_ASSERT_STRING_EQUAL(complaint(&device), "");
    device.battery.capacity_kwh = -1.0;
    CU_ASSERT_STRING_EQUAL(complaint(&device), "battery: capacity_kwh must be > 0, got -1");
    device = battery();
    device.battery.charge_efficiency = 1.01;
    CU_ASSERT_STRING_EQUAL(complaint(&device),
                           "battery: charge_efficiency must be > 0 and <= 1, got 1.01");
    device = battery();
    device.battery.start_kwh = 11.0;
    CU_ASSERT_STRING_EQUAL(complaint(&device),
                           "battery: start_kwh must be <= capacity_kwh (10), got 11");
    device = battery();
    device.battery.wear_per_mwh = NAN;
    CU_ASSERT_STRING_EQUAL(complaint(&device), "battery: wear_per_mwh must be >= 0, got nan");
    device = battery();
    device.power_factor = 0.0;
    CU_ASSERT_STRING_EQUAL(complaint(&device),
                           "battery: power_factor must be in [-1, 1] and not 0, got 0");
}

static void test_ev_window_lies_in_the_horizon(void)
{
    struct agent_device device = {
        .type = AGENT_EV,
        .power_factor = 1.0,
        .ev = {.arrive = 1,
               .depart = 5,
               .energy_kwh = 3.0,
               .charge_kw = 2.0,
               .efficiency = 1.0,
               .capacity_kwh = 3.0,
               .unserved_price_per_mwh = NAN},
    };

    CU_ASSERT_STRING_EQUAL(complaint(&device),
                           "ev: depart must be <= 4, the number of steps, got 5");
    device.ev.depart = 1;
    CU_ASSERT_STRING_EQUAL(complaint(&device), "ev: arrive must be < depart (1), got 1");
    device.ev.depart = 2;
    CU_ASSERT_STRING_EQUAL(complaint(&device), "");
}

static void test_series_values_are_named_with_their_step(void)
{
    const double cop[] = {3.0, 0.0, 3.0, 3.0}, low = 20.0, high = 22.0, zero = 0.0;
    struct agent_device device = {
        .type = AGENT_THERMAL,
        .power_factor = 1.0,
        .thermal = {.max_kw = 3.0,
                    .capacity_kwh_per_k = 2.0,
                    .start_c = 20.0,
                    .cop = {cop, 1},
                    .min_c = {&low, 0},
                    .max_c = {&high, 0},
                    .outdoor_c = {&zero, 0},
                    .gain_kw = {&zero, 0},
                    .comfort_price_per_kh = NAN},
    };

    CU_ASSERT_STRING_EQUAL(complaint(&device), "thermal: cop must be > 0, got 0 in step 1");
    device.thermal.cop = (struct walras_series){cop, 0};
    CU_ASSERT_STRING_EQUAL(complaint(&device), "");
    device.thermal.max_c = device.thermal.gain_kw;
    CU_ASSERT_STRING_EQUAL(complaint(&device),
                           "thermal: min_c must be <= max_c (0), got 20 in step 0");
}

static void test_curves_must_not_turn(void)
{
    const struct agent_segment blocks[] = {{10.0, 30.0}, {10.0, 20.0}};
    const uint32_t first[] = {0, 2};
    struct agent_device device = {
        .type = AGENT_GENERATOR,
        .power_factor = 1.0,
        .generator = {.max_kw = 20.0,
                      .segments = blocks,
                      .n_segment = 2,
                      .ramp_kw_per_h = INFINITY},
    };

    CU_ASSERT_STRING_EQUAL(complaint(&device),
                           "generator: segments: prices must not fall, got 20 after 30 in block 1");
    device.generator.n_segment = 1;
    CU_ASSERT_STRING_EQUAL(complaint(&device),
                           "generator: segments must cover max_kw (20), they end at 10");
    device = (struct agent_device){
        .type = AGENT_BID,
        .power_factor = 1.0,
        .bid = {.demand = blocks, .demand_first = first, .one_list = true},
    };
    CU_ASSERT_STRING_EQUAL(complaint(&device), "");
    device.bid.offer = blocks;
    device.bid.offer_first = first;
    CU_ASSERT_STRING_EQUAL(complaint(&device),
                           "bid: offer: prices must not fall, got 20 after 30 in block 1");
}

static void test_flags_follow_from_the_parameters(void)
{
    struct agent_device device = battery();
    const double profile[] = {1.0, 2.0};

    CU_ASSERT_FALSE(agent_device_is_integer(&device));
    device.battery.exclusive = true;
    CU_ASSERT_TRUE(agent_device_is_integer(&device));
    CU_ASSERT_FALSE(agent_device_is_separable(&device));

    device = (struct agent_device){
        .type = AGENT_SHIFTABLE,
        .power_factor = 1.0,
        .shiftable = {.profile_kw = profile, .n_profile = 2, .earliest = 1, .latest = 1}};
    CU_ASSERT_FALSE(agent_device_is_integer(&device)); /* one start: nothing to decide */
    device.shiftable.latest = 2;
    CU_ASSERT_TRUE(agent_device_is_integer(&device));
    CU_ASSERT_STRING_EQUAL(complaint(&device), "");
    device.shiftable.latest = 3;
    CU_ASSERT_PTR_NOT_NULL(strstr(complaint(&device), "latest (3) plus the 2 steps"));

    device = (struct agent_device){.type = AGENT_GENERATOR,
                                   .generator = {.max_kw = 1.0, .ramp_kw_per_h = INFINITY}};
    CU_ASSERT_TRUE(agent_device_is_separable(&device));
    device.generator.ramp_kw_per_h = 1.0;
    CU_ASSERT_FALSE(agent_device_is_separable(&device));
}

static const struct testkit_test tests[] = {
    {"type names are those of the scenario", test_names_are_those_of_the_scenario},
    {"battery parameters are judged by key and value",
     test_battery_parameters_are_judged_by_key_and_value},
    {"an ev's window lies in the horizon", test_ev_window_lies_in_the_horizon},
    {"series values are named with their step", test_series_values_are_named_with_their_step},
    {"curves must not turn", test_curves_must_not_turn},
    {"flags follow from the parameters", test_flags_follow_from_the_parameters},
};
TESTKIT_MAIN("device", tests)
