#include "agents/solve.h"
#include "core/rng.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_STEP = 16 };

/* One question and its answer; the workspace is made anew, so that nothing is carried over. */
struct asked {
    double draw_kw[MAX_STEP];
    struct market_answer answer;
    enum walras_status status;
    struct walras_err err;
};

static struct asked ask(const struct agent_device *device, size_t n_step, double step_h,
                        const double *price_per_mwh)
{
    struct asked asked = {0};
    const struct agent_horizon horizon = {n_step, step_h};
    struct agent_workspace *workspace = NULL;

    asked.status = agent_workspace_new(&horizon, &workspace, &asked.err);
    if (asked.status == WALRAS_OK)
        asked.status = agent_solve(device, &horizon, price_per_mwh, workspace, asked.draw_kw,
                                   &asked.answer, &asked.err);
    agent_workspace_free(workspace);
    return asked;
}

#define DRAWS(asked, ...)                                                                          \
    do {                                                                                           \
        const double expected_[] = {__VA_ARGS__};                                                  \
        CU_ASSERT_EQUAL((asked).status, WALRAS_OK);                                                \
        for (size_t t_ = 0; t_ < sizeof(expected_) / sizeof(expected_[0]); t_++)                   \
            TESTKIT_CLOSE((asked).draw_kw[t_], expected_[t_], 1e-12);                              \
    } while (0)

/* 1 kW either way, 1 kWh, lossless, empty, no wear. */
static struct agent_device unit_battery(void)
{
    return (struct agent_device){.type = AGENT_BATTERY,
                                 .power_factor = 1.0,
                                 .battery = {.capacity_kwh = 1.0,
                                             .charge_kw = 1.0,
                                             .discharge_kw = 1.0,
                                             .charge_efficiency = 1.0,
                                             .discharge_efficiency = 1.0}};
}

static void test_buys_low_and_sells_high(void)
{
    struct agent_device device = unit_battery();
    struct asked asked = ask(&device, 2, 1.0, (const double[]){10.0, 100.0});

    DRAWS(asked, 1.0, -1.0);
    TESTKIT_CLOSE(asked.answer.bound, -0.09, 1e-15); /* 1 kWh bought at 0.01, sold at 0.10 */
    CU_ASSERT_EQUAL(asked.answer.cost, 0.0);
}

/*
 * 1 kWh drawn stores 0.9 and gives back 0.81: buying at 82 and selling at 100 loses 1, buying at 80
 * gains 1 per MWh drawn.
 */
static void test_trades_only_when_the_round_trip_pays(void)
{
    struct agent_device device = unit_battery();

    device.battery.charge_efficiency = device.battery.discharge_efficiency = 0.9;
    DRAWS(ask(&device, 2, 1.0, (const double[]){82.0, 100.0}), 0.0, 0.0);

    struct asked asked = ask(&device, 2, 1.0, (const double[]){80.0, 100.0});

    DRAWS(asked, 1.0, -0.81);
    TESTKIT_CLOSE(asked.answer.bound, -0.001, 1e-15);
}

/* 10 per MWh each way: a spread of 19 does not pay, one of 21 does, 0.02 currency of it is wear. */
static void test_wear_is_paid_both_ways(void)
{
    struct agent_device device = unit_battery();

    device.battery.wear_per_mwh = 10.0;
    DRAWS(ask(&device, 2, 1.0, (const double[]){30.0, 49.0}), 0.0, 0.0);

    struct asked asked = ask(&device, 2, 1.0, (const double[]){30.0, 51.0});

    DRAWS(asked, 1.0, -1.0);
    TESTKIT_CLOSE(asked.answer.cost, 0.02, 1e-15);
    TESTKIT_CLOSE(asked.answer.bound, 0.02 - 0.021, 1e-15);
}

/*
 * 3 kWh are needed after four steps of at most 1 kWh: the bound is felt three steps ahead, so the
 * state must be >= 1 after step 1, though nothing forbids 0 there. Clamping to the state's own
 * bounds would wait for the price of 1.
 */
static void test_a_later_need_is_met_in_time(void)
{
    struct agent_device device = unit_battery();

    device.battery.capacity_kwh = 10.0;
    device.battery.end_min_kwh = 3.0;
    device.battery.discharge_kw = 0.0;
    DRAWS(ask(&device, 4, 1.0, (const double[]){900.0, 500.0, 800.0, 1.0}), 0.0, 1.0, 1.0, 1.0);
    device.battery.end_min_kwh = 4.0; /* full power all the way */
    DRAWS(ask(&device, 4, 1.0, (const double[]){900.0, 500.0, 800.0, 1.0}), 1.0, 1.0, 1.0, 1.0);
}

/*
 * Full, efficiencies 0.5, price -100, wear 0: charging c and discharging d keep the state when
 * 0.5 c <= 2 d; drawing c - d = 1 - 0.25 is paid 0.075. With wear 40: 0.75·100 - 1.25·40 > 0 still
 * pays, with 70 it does not.
 */
static void test_negative_prices_may_burn_energy(void)
{
    struct agent_device device = unit_battery();
    struct asked asked;

    device.battery.charge_efficiency = device.battery.discharge_efficiency = 0.5;
    device.battery.start_kwh = 1.0;
    asked = ask(&device, 1, 1.0, (const double[]){-100.0});
    DRAWS(asked, 0.75);
    TESTKIT_CLOSE(asked.answer.bound, -0.075, 1e-15);
    device.battery.wear_per_mwh = 40.0;
    asked = ask(&device, 1, 1.0, (const double[]){-100.0});
    DRAWS(asked, 0.75);
    TESTKIT_CLOSE(asked.answer.cost, 0.05, 1e-15);
    device.battery.wear_per_mwh = 70.0;
    DRAWS(ask(&device, 1, 1.0, (const double[]){-100.0}), 0.0);
}

/* The same battery, exclusive: its relaxation says when it has broken the rule. */
static void test_relaxation_of_an_exclusive_battery_says_when_it_is_exact(void)
{
    struct agent_device device = unit_battery();
    const struct agent_horizon horizon = {1, 1.0};
    struct agent_workspace *workspace = NULL;
    struct market_answer answer;
    struct walras_err err = {0};
    double draw_kw[1];
    bool exact = true;

    device.battery.charge_efficiency = device.battery.discharge_efficiency = 0.5;
    device.battery.start_kwh = 1.0;
    device.battery.exclusive = true;
    CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&horizon, &workspace, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(agent_has_fast_solver(&device));
    CU_ASSERT_EQUAL(
        agent_solve(&device, &horizon, (const double[]){-100.0}, workspace, draw_kw, &answer, &err),
        WALRAS_UNSUPPORTED);
    CU_ASSERT_EQUAL(agent_solve_relaxed(&device, &horizon, (const double[]){-100.0}, workspace,
                                        draw_kw, &answer, &exact, NULL),
                    WALRAS_OK);
    CU_ASSERT_FALSE(exact);
    TESTKIT_CLOSE(answer.bound, -0.075, 1e-15);
    device.battery.start_kwh = 0.5; /* room for what is charged: nothing to burn */
    CU_ASSERT_EQUAL(agent_solve_relaxed(&device, &horizon, (const double[]){-100.0}, workspace,
                                        draw_kw, &answer, &exact, NULL),
                    WALRAS_OK);
    CU_ASSERT_TRUE(exact);
    TESTKIT_CLOSE(answer.bound, -0.1, 1e-15);
    agent_workspace_free(workspace);
}

/* Wear 0, lossless, equal prices: every plan costs the same; the battery idles. */
static void test_indifferent_batteries_idle(void)
{
    struct agent_device device = unit_battery();

    device.battery.start_kwh = 0.5;
    device.battery.end_min_kwh = 0.5;
    DRAWS(ask(&device, 3, 1.0, (const double[]){70.0, 70.0, 70.0}), 0.0, 0.0, 0.0);
    DRAWS(ask(&device, 3, 1.0, (const double[]){0.0, 0.0, 0.0}), 0.0, 0.0, 0.0);
}

/* 1e9 per MWh: the answer keeps the limits exactly, not to 1e-9 of the price. */
static void test_huge_prices_keep_the_limits(void)
{
    struct agent_device device = unit_battery();
    struct asked asked = ask(&device, 3, 0.25, (const double[]){-1e9, 1e9, -1e9});

    DRAWS(asked, 1.0, -1.0, 1.0);
    CU_ASSERT_TRUE(asked.draw_kw[0] <= 1.0 && asked.draw_kw[1] >= -1.0);
}

/*
 * 10 % an hour: 1 kWh left alone is 0.81 kWh after two hours, so 0.81 can be promised and 0.82
 * cannot. With charging, keeping 0.9 costs 0.09 kWh in the cheaper second hour.
 */
static void test_losses_are_counted_and_named(void)
{
    struct agent_device device = unit_battery();
    struct asked asked;

    device.battery.loss_per_hour = 0.1;
    device.battery.start_kwh = 1.0;
    device.battery.charge_kw = device.battery.discharge_kw = 0.0;
    device.battery.end_min_kwh = 0.81;
    DRAWS(ask(&device, 2, 1.0, (const double[]){1.0, 1.0}), 0.0, 0.0);
    device.battery.end_min_kwh = 0.82;
    asked = ask(&device, 2, 1.0, (const double[]){1.0, 1.0});
    CU_ASSERT_EQUAL(asked.status, WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(asked.err.msg, "step 1: needs 0.82 kWh at the end, can reach 0.81 kWh");
    device.battery.charge_kw = 1.0;
    device.battery.end_min_kwh = 0.9;
    DRAWS(ask(&device, 2, 1.0, (const double[]){5.0, 5.0}), 0.0, 0.09);
}

/* 99.9 % lost a step, 1e-48 over the horizon: each step stands alone. */
static void test_extreme_losses_do_not_spoil_the_numbers(void)
{
    struct agent_device device = unit_battery();
    double price_per_mwh[MAX_STEP];
    struct asked asked;

    device.battery.loss_per_hour = 0.999;
    device.battery.capacity_kwh = 2.0;
    device.battery.start_kwh = 1.0;
    for (size_t t = 0; t < MAX_STEP; t++)
        price_per_mwh[t] = t % 2 == 0 ? -50.0 : 50.0;
    asked = ask(&device, MAX_STEP, 1.0, price_per_mwh);
    for (size_t t = 0; t < MAX_STEP; t += 2) {
        TESTKIT_CLOSE(asked.draw_kw[t], 1.0, 1e-12); /* paid to draw, and there is always room */
        CU_ASSERT_TRUE(asked.draw_kw[t + 1] < -0.001 && asked.draw_kw[t + 1] > -0.00101);
    }
}

/*
 * Discharging in full would take 1e8 kWh a step from 1e4 kWh. At its minimum, with a round trip of
 * 0.1 %, the battery has nothing to do: rounding at 1e8 (1e-8 kWh) would buy for nothing at 1e6.
 */
static void test_powers_that_dwarf_the_capacity_cost_no_digits(void)
{
    struct agent_device device = unit_battery();
    double price_per_mwh[MAX_STEP];
    struct asked asked;

    device.battery = (struct agent_battery){.capacity_kwh = 1e4,
                                            .charge_kw = 500.0,
                                            .discharge_kw = 1e5,
                                            .charge_efficiency = 0.93,
                                            .discharge_efficiency = 0.001,
                                            .start_kwh = 5272.08,
                                            .min_kwh = 5272.08};
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct walras_rng rng = walras_rng_from_seed(seed);

        for (size_t t = 0; t < MAX_STEP; t++)
            price_per_mwh[t] = walras_rng_range(&rng, 1e5, 1e6);
        asked = ask(&device, MAX_STEP, 1.0, price_per_mwh);
        CU_ASSERT_EQUAL(asked.status, WALRAS_OK);
        for (size_t t = 0; t < MAX_STEP; t++)
            CU_ASSERT_TRUE(fabs(asked.draw_kw[t]) < 1e-11);
    }
}

static struct agent_device unit_ev(void)
{
    return (struct agent_device){.type = AGENT_EV,
                                 .power_factor = 1.0,
                                 .ev = {.arrive = 1,
                                        .depart = 4,
                                        .energy_kwh = 2.0,
                                        .charge_kw = 1.0,
                                        .efficiency = 1.0,
                                        .capacity_kwh = 2.0,
                                        .unserved_price_per_mwh = (double)NAN}};
}

static void test_ev_charges_in_the_cheapest_steps_of_its_stay(void)
{
    struct agent_device device = unit_ev();

    /* the steps at 1 lie outside the stay */
    DRAWS(ask(&device, 5, 1.0, (const double[]){1.0, 30.0, 50.0, 20.0, 1.0}), 0.0, 1.0, 0.0, 1.0,
          0.0);
    device.ev.energy_kwh = device.ev.capacity_kwh = 1.5; /* the dearer step takes the rest */
    DRAWS(ask(&device, 5, 1.0, (const double[]){1.0, 30.0, 50.0, 20.0, 1.0}), 0.0, 0.5, 0.0, 1.0,
          0.0);
}

static void test_ev_with_one_step_charges_in_it(void)
{
    struct agent_device device = unit_ev();

    device.ev.depart = 2;
    device.ev.energy_kwh = device.ev.capacity_kwh = 1.0;
    DRAWS(ask(&device, 2, 1.0, (const double[]){1.0, 3000.0}), 0.0, 1.0);
}

static void test_ev_that_cannot_be_served_is_named(void)
{
    struct agent_device device = unit_ev();
    struct asked asked;

    device.ev.energy_kwh = device.ev.capacity_kwh = 3.5;
    asked = ask(&device, 5, 1.0, (const double[]){1.0, 1.0, 1.0, 1.0, 1.0});
    CU_ASSERT_EQUAL(asked.status, WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(asked.err.msg, "step 3: needs 3.5 kWh by departure, can reach 3 kWh");
}

/* 3.5 kWh wanted, 3 possible; at 40 per MWh unserved the step at 50 is not worth it: 1.5 missing.
 */
static void test_ev_leaves_dear_energy_unserved_at_its_price(void)
{
    struct agent_device device = unit_ev();
    struct asked asked;

    device.ev.energy_kwh = device.ev.capacity_kwh = 3.5;
    device.ev.unserved_price_per_mwh = 40.0;
    asked = ask(&device, 5, 1.0, (const double[]){1.0, 30.0, 50.0, 20.0, 1.0});
    DRAWS(asked, 0.0, 1.0, 0.0, 1.0, 0.0);
    TESTKIT_CLOSE(asked.answer.cost, 1.5 * 0.04, 1e-15);
    TESTKIT_CLOSE(asked.answer.bound, 0.06 + 0.05, 1e-15);
}

/* Arrives with 2 of 3 kWh, leaves with 2: fill up at 10, give back at 200. */
static void test_ev_sells_what_it_can_buy_back(void)
{
    struct agent_device device = unit_ev();
    struct asked asked;

    device.ev.energy_kwh = 0.0;
    device.ev.capacity_kwh = 3.0;
    device.ev.start_kwh = 2.0;
    device.ev.discharge_kw = 1.0;
    asked = ask(&device, 4, 1.0, (const double[]){0.0, 10.0, 200.0, 90.0});
    DRAWS(asked, 0.0, 1.0, -1.0, 0.0);
    TESTKIT_CLOSE(asked.answer.bound, -0.19, 1e-15);
    device.ev.capacity_kwh = 2.0; /* no room to fill up: sell first, buy back */
    DRAWS(ask(&device, 4, 1.0, (const double[]){0.0, 10.0, 200.0, 90.0}), 0.0, 0.0, -1.0, 1.0);
}

static const struct testkit_test tests[] = {
    {"a battery buys low and sells high", test_buys_low_and_sells_high},
    {"a battery trades only when the round trip pays", test_trades_only_when_the_round_trip_pays},
    {"wear is paid both ways", test_wear_is_paid_both_ways},
    {"a later need is met in time", test_a_later_need_is_met_in_time},
    {"negative prices may burn energy", test_negative_prices_may_burn_energy},
    {"the relaxation of an exclusive battery says when it is exact",
     test_relaxation_of_an_exclusive_battery_says_when_it_is_exact},
    {"indifferent batteries idle", test_indifferent_batteries_idle},
    {"huge prices keep the limits", test_huge_prices_keep_the_limits},
    {"losses are counted and named", test_losses_are_counted_and_named},
    {"extreme losses do not spoil the numbers", test_extreme_losses_do_not_spoil_the_numbers},
    {"powers that dwarf the capacity cost no digits",
     test_powers_that_dwarf_the_capacity_cost_no_digits},
    {"an ev charges in the cheapest steps of its stay",
     test_ev_charges_in_the_cheapest_steps_of_its_stay},
    {"an ev with one step charges in it", test_ev_with_one_step_charges_in_it},
    {"an ev that cannot be served is named", test_ev_that_cannot_be_served_is_named},
    {"an ev leaves dear energy unserved at its price",
     test_ev_leaves_dear_energy_unserved_at_its_price},
    {"an ev sells what it can buy back", test_ev_sells_what_it_can_buy_back},
};
TESTKIT_MAIN("storage", tests)
