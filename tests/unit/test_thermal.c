#include "agents/solve.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>

enum { MAX_STEP = 12 };

/* A building with constant series; the tests change what they are about. */
struct building {
    struct agent_device device;
    double cop, min_c, max_c, outdoor_c, gain_kw;
    double draw_kw[MAX_STEP];
    struct market_answer answer;
    struct walras_err err;
};

/* 1 kWh/K without any loss, a heat pump of 2 kW at cop 2, 20 °C in a band of 20 to 22 °C. */
static void tight_house(struct building *b)
{
    *b = (struct building){.cop = 2.0, .min_c = 20.0, .max_c = 22.0};
    b->device = (struct agent_device){.type = AGENT_THERMAL,
                                      .power_factor = 1.0,
                                      .thermal = {.max_kw = 2.0,
                                                  .capacity_kwh_per_k = 1.0,
                                                  .start_c = 20.0,
                                                  .cop = {&b->cop, 0},
                                                  .min_c = {&b->min_c, 0},
                                                  .max_c = {&b->max_c, 0},
                                                  .outdoor_c = {&b->outdoor_c, 0},
                                                  .gain_kw = {&b->gain_kw, 0},
                                                  .comfort_price_per_kh = (double)NAN}};
}

static enum walras_status ask(struct building *b, size_t n_step, const double *price_per_mwh)
{
    const struct agent_horizon horizon = {n_step, 1.0};
    struct agent_workspace *workspace = NULL;
    enum walras_status status = agent_workspace_new(&horizon, &workspace, NULL);

    b->err = (struct walras_err){0};
    if (status == WALRAS_OK)
        status = agent_solve(&b->device, &horizon, price_per_mwh, workspace, b->draw_kw, &b->answer,
                             &b->err);
    agent_workspace_free(workspace);
    return status;
}

/* It loses 2 K an hour (a gain of -2 kW): 1 kW keeps 20 °C. Cheap first: 2 kW lift it to 22. */
static void test_heats_ahead_of_a_dear_hour(void)
{
    struct building b;

    tight_house(&b);
    b.gain_kw = -2.0;
    CU_ASSERT_EQUAL(ask(&b, 2, (const double[]){10.0, 100.0}), WALRAS_OK);
    TESTKIT_CLOSE(b.draw_kw[0], 2.0, 1e-12);
    TESTKIT_CLOSE(b.draw_kw[1], 0.0, 1e-12);
    TESTKIT_CLOSE(b.answer.bound, 0.02, 1e-12);
    CU_ASSERT_EQUAL(ask(&b, 2, (const double[]){100.0, 10.0}), WALRAS_OK);
    TESTKIT_CLOSE(b.draw_kw[0], 1.0, 1e-12);
    TESTKIT_CLOSE(b.draw_kw[1], 1.0, 1e-12);
}

/* The mirror image: it gains 2 K an hour and may be cooled to 18 °C while that is cheap. */
static void test_cools_ahead_of_a_dear_hour(void)
{
    struct building b;

    tight_house(&b);
    b.device.thermal.cool = true;
    b.gain_kw = 2.0;
    b.min_c = 18.0;
    b.max_c = 20.0;
    CU_ASSERT_EQUAL(ask(&b, 2, (const double[]){10.0, 100.0}), WALRAS_OK);
    TESTKIT_CLOSE(b.draw_kw[0], 2.0, 1e-12);
    TESTKIT_CLOSE(b.draw_kw[1], 0.0, 1e-12);
}

/*
 * With U = 0 or 1e-12 kW/K the building is the same: gain and heat divided by C. (1 - a)/U alone
 * would be 0/0 or lose its digits.
 */
static void test_no_conductance_is_a_limit_not_a_case(void)
{
    struct building b;

    tight_house(&b);
    b.gain_kw = -2.0;
    b.device.thermal.conductance_kw_per_k = 1e-12;
    CU_ASSERT_EQUAL(ask(&b, 2, (const double[]){100.0, 10.0}), WALRAS_OK);
    TESTKIT_CLOSE(b.draw_kw[0], 1.0, 1e-9);
    TESTKIT_CLOSE(b.draw_kw[1], 1.0, 1e-9);
}

/*
 * At 0.05 per K and hour falling to 18 and 16 °C costs 0.05·(2 + 4) = 0.3. One kWh at 1000 lifts
 * 2 K: at once it saves 0.05·4 < 1. At 150 in the first hour it costs 0.15 and saves 0.2.
 */
static void test_soft_band_weighs_comfort_against_energy(void)
{
    struct building b;

    tight_house(&b);
    b.gain_kw = -2.0;
    b.device.thermal.comfort_price_per_kh = 0.05;
    CU_ASSERT_EQUAL(ask(&b, 2, (const double[]){1000.0, 1000.0}), WALRAS_OK);
    TESTKIT_CLOSE(b.draw_kw[0], 0.0, 1e-12);
    TESTKIT_CLOSE(b.draw_kw[1], 0.0, 1e-12);
    TESTKIT_CLOSE(b.answer.cost, 0.3, 1e-12);
    CU_ASSERT_EQUAL(ask(&b, 2, (const double[]){150.0, 150.0}), WALRAS_OK);
    TESTKIT_CLOSE(b.draw_kw[0], 1.0, 1e-12); /* a second kWh would save only 0.1 */
    TESTKIT_CLOSE(b.draw_kw[1], 0.0, 1e-12);
    TESTKIT_CLOSE(b.answer.cost, 0.1, 1e-12);
    TESTKIT_CLOSE(b.answer.bound, 0.25, 1e-12);
}

/* Paid 60 to draw and 0.05 per K and hour beyond 22 °C: 1 kWh at the end costs 0.1 of comfort. */
static void test_soft_band_holds_above_too(void)
{
    struct building b;

    tight_house(&b);
    b.device.thermal.comfort_price_per_kh = 0.05;
    CU_ASSERT_EQUAL(ask(&b, 1, (const double[]){-60.0}), WALRAS_OK);
    TESTKIT_CLOSE(b.draw_kw[0], 1.0, 1e-12);
    CU_ASSERT_EQUAL(ask(&b, 1, (const double[]){-110.0}), WALRAS_OK);
    TESTKIT_CLOSE(b.draw_kw[0], 2.0, 1e-12);
    TESTKIT_CLOSE(b.answer.cost, 0.1, 1e-12);
}

static void test_bands_out_of_reach_are_named(void)
{
    struct building b;

    tight_house(&b);
    b.gain_kw = -5.0; /* full power gives 4 */
    CU_ASSERT_EQUAL(ask(&b, 2, (const double[]){1.0, 1.0}), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(b.err.msg, "step 0: needs at least 20 °C, can reach 19 °C");
    b.gain_kw = 1.5; /* idle it rises to 21.5 and 23 °C: a heater cannot help */
    CU_ASSERT_EQUAL(ask(&b, 2, (const double[]){1.0, 1.0}), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(b.err.msg, "step 1: needs at most 22 °C, can get down to 23 °C");
}

/*
 * C = 0.775, U = 5, in two-hour steps: exp(-12.9) of the state is left, so each step stands alone.
 * Paid to draw, the cooler goes down to min_c each time: from 30 °C outside to 20 °C takes
 * U·10 K / cop = 25 kW. Errors of one step, blown up by 1/a in each step before it, must not count.
 */
static void test_strong_losses_do_not_spoil_the_numbers(void)
{
    struct building b;
    double price_per_mwh[MAX_STEP];

    tight_house(&b);
    b.device.thermal.cool = true;
    b.device.thermal.max_kw = 100.0;
    b.device.thermal.capacity_kwh_per_k = 0.775 / 2.0;
    b.device.thermal.conductance_kw_per_k = 5.0;
    b.outdoor_c = 30.0;
    for (size_t t = 0; t < MAX_STEP; t++)
        price_per_mwh[t] = -10.0 * (double)(1 + (7 * t) % MAX_STEP);
    CU_ASSERT_EQUAL(ask(&b, MAX_STEP, price_per_mwh), WALRAS_OK);
    for (size_t t = 0; t < MAX_STEP; t++)
        TESTKIT_CLOSE(b.draw_kw[t], 25.0, 1e-4);
}

/*
 * The same building, heated: from outdoor temperature o to 20 °C takes U (20 − o) / cop, just what
 * the heater can. What rounding leaves over at the end of a step is nothing, but 1/a of it at the
 * beginning is 1e-9 K: it must not make the band out of reach.
 */
static void test_bands_that_can_just_be_kept_are_kept(void)
{
    const double price_per_mwh[] = {10.0, 10.0, 10.0};
    struct building b;

    for (int k = 0; k < 50; k++) {
        tight_house(&b);
        b.device.thermal.capacity_kwh_per_k = 0.775 / 2.0;
        b.device.thermal.conductance_kw_per_k = 5.0;
        b.outdoor_c = -15.0 + 0.3 * k;
        b.device.thermal.max_kw = 5.0 * (20.0 - b.outdoor_c) / 2.0;
        CU_ASSERT_EQUAL(ask(&b, 3, price_per_mwh), WALRAS_OK);
        TESTKIT_CLOSE(b.draw_kw[2], b.device.thermal.max_kw, 1e-9);
    }
}

static const struct testkit_test tests[] = {
    {"a heat pump heats ahead of a dear hour", test_heats_ahead_of_a_dear_hour},
    {"an air conditioner cools ahead of a dear hour", test_cools_ahead_of_a_dear_hour},
    {"no conductance is a limit, not a case", test_no_conductance_is_a_limit_not_a_case},
    {"a soft band weighs comfort against energy", test_soft_band_weighs_comfort_against_energy},
    {"a soft band holds above too", test_soft_band_holds_above_too},
    {"bands out of reach are named", test_bands_out_of_reach_are_named},
    {"strong losses do not spoil the numbers", test_strong_losses_do_not_spoil_the_numbers},
    {"bands that can just be kept are kept", test_bands_that_can_just_be_kept_are_kept},
};
TESTKIT_MAIN("thermal", tests)
