#include "agents/solve.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>

enum { MAX_STEP = 8 };

struct asked {
    double draw_kw[MAX_STEP];
    struct market_answer answer;
    enum walras_status status;
};

static struct asked ask(const struct agent_device *device, size_t n_step, double step_h,
                        const double *price_per_mwh)
{
    struct asked asked = {0};
    const struct agent_horizon horizon = {n_step, step_h};
    struct agent_workspace *workspace = NULL;

    asked.status = agent_workspace_new(&horizon, &workspace, NULL);
    if (asked.status == WALRAS_OK)
        asked.status = agent_solve(device, &horizon, price_per_mwh, workspace, asked.draw_kw,
                                   &asked.answer, NULL);
    agent_workspace_free(workspace);
    return asked;
}

#define GIVES(asked, ...)                                                                          \
    do {                                                                                           \
        const double expected_[] = {__VA_ARGS__};                                                  \
        CU_ASSERT_EQUAL((asked).status, WALRAS_OK);                                                \
        for (size_t t_ = 0; t_ < sizeof(expected_) / sizeof(expected_[0]); t_++)                   \
            TESTKIT_CLOSE((asked).draw_kw[t_], -expected_[t_], 1e-12);                             \
    } while (0)

static const struct agent_segment segments[] = {{10.0, 20.0}, {10.0, 40.0}, {10.0, 60.0}};

/* 30 kW in three segments at 20, 40 and 60; no ramp limit. */
static struct agent_device stepped(void)
{
    return (struct agent_device){.type = AGENT_GENERATOR,
                                 .power_factor = 1.0,
                                 .generator = {.max_kw = 30.0,
                                               .segments = segments,
                                               .n_segment = 3,
                                               .ramp_kw_per_h = (double)INFINITY}};
}

static struct agent_device quadratic(double per_mw2h, double per_mwh)
{
    struct agent_device device = stepped();

    device.generator.segments = NULL;
    device.generator.n_segment = 0;
    device.generator.per_mw2h = per_mw2h;
    device.generator.per_mwh = per_mwh;
    return device;
}

/* At 40 the segment at 40 gains nothing: it is not run. 15 kW must run even at -100. */
static void test_runs_the_segments_below_the_price(void)
{
    struct agent_device device = stepped();
    struct asked asked = ask(&device, 4, 0.5, (const double[]){-100.0, 40.0, 41.0, 1e9});

    GIVES(asked, 0.0, 10.0, 20.0, 30.0);
    /* half an hour of 10·20, 10·20 + 10·40 and all three, in kW and per MWh */
    TESTKIT_CLOSE(asked.answer.cost, 0.5e-3 * (200.0 + 600.0 + 1200.0), 1e-15);
    device.generator.min_kw = 15.0;
    asked = ask(&device, 1, 1.0, (const double[]){-100.0});
    GIVES(asked, 15.0);
    TESTKIT_CLOSE(asked.answer.cost, 1e-3 * (200.0 + 5.0 * 40.0), 1e-15);
    TESTKIT_CLOSE(asked.answer.bound, 0.4 + 1.5, 1e-15);
}

/* 1000/MW²h: marginal cost is 2 per MWh and kW above 10. At 50 that is 20 kW. */
static void test_quadratic_cost_meets_the_price_at_the_margin(void)
{
    struct agent_device device = quadratic(1000.0, 10.0);
    struct asked asked;

    device.generator.per_h = 3.0;
    asked = ask(&device, 3, 1.0, (const double[]){50.0, 0.0, 500.0});
    GIVES(asked, 20.0, 0.0, 30.0);
    /* 1000·0.02² + 10·0.02, 0, 1000·0.03² + 10·0.03, and 3 an hour */
    TESTKIT_CLOSE(asked.answer.cost, 0.4 + 0.2 + 0.9 + 0.3 + 9.0, 1e-14);
    device = quadratic(0.0, 10.0); /* flat: all or nothing, nothing when indifferent */
    GIVES(ask(&device, 3, 1.0, (const double[]){9.0, 10.0, 11.0}), 0.0, 0.0, 30.0);
}

/* A range that reaches below 0: at a price of 0 it draws until 2·g + 10 = 0. */
static void test_quadratic_cost_may_reach_below_zero(void)
{
    struct agent_device device = quadratic(1000.0, 10.0);

    device.generator.min_kw = -20.0;
    GIVES(ask(&device, 2, 1.0, (const double[]){0.0, -100.0}), -5.0, -20.0);
}

/*
 * Cost 50, ramp 10 kW a step. A peak of 100 between 40s: each kW of the peak beyond 10 needs one
 * before and one after, 50 − 10 − 10 > 0: all 30, between 20s. Between 0s it loses 50 twice: only
 * the 10 kW that need no run-up.
 */
static void test_ramp_runs_up_for_a_peak_when_it_pays(void)
{
    struct agent_device device = quadratic(0.0, 50.0);
    struct asked asked;

    device.generator.ramp_kw_per_h = 20.0; /* half-hour steps */
    asked = ask(&device, 3, 0.5, (const double[]){40.0, 100.0, 40.0});
    GIVES(asked, 20.0, 30.0, 20.0);
    TESTKIT_CLOSE(asked.answer.bound, -0.5e-3 * (1500.0 - 200.0 - 200.0), 1e-15);
    GIVES(ask(&device, 3, 0.5, (const double[]){0.0, 100.0, 0.0}), 0.0, 10.0, 0.0);
    /* step 0 has no step before it: a peak there needs only the way down */
    GIVES(ask(&device, 3, 0.5, (const double[]){200.0, 0.0, 0.0}), 30.0, 20.0, 10.0);
}

/*
 * Marginal cost 2 g, prices 20 and 60: alone 10 and 30 kW. Tied within 5 kW the sum of
 * 2 g − price over both is 0: 2 x − 20 + 2 (x + 5) − 60 = 0, x = 17.5.
 */
static void test_ramp_balances_quadratic_costs(void)
{
    struct agent_device device = quadratic(1000.0, 0.0);

    device.generator.ramp_kw_per_h = 5.0;
    GIVES(ask(&device, 2, 1.0, (const double[]){20.0, 60.0}), 17.5, 22.5);
    device.generator.ramp_kw_per_h = 0.0; /* 4 x = 80 */
    GIVES(ask(&device, 2, 1.0, (const double[]){20.0, 60.0}), 20.0, 20.0);
}

/*
 * Constant output (ramp 0) in three segments at prices 10 and 70: 80 for two hours pays the
 * segments at 2·20 but not quite at 2·40; at 71 it pays that too.
 */
static void test_ramp_sees_the_jumps_between_segments(void)
{
    struct agent_device device = stepped();

    device.generator.ramp_kw_per_h = 0.0;
    GIVES(ask(&device, 2, 1.0, (const double[]){10.0, 70.0}), 10.0, 10.0);
    GIVES(ask(&device, 2, 1.0, (const double[]){10.0, 71.0}), 20.0, 20.0);
    device.generator.ramp_kw_per_h =
        4.0; /* 10 stays at 10 when the price is 30, the peak may rise */
    GIVES(ask(&device, 2, 1.0, (const double[]){30.0, 45.0}), 10.0, 14.0);
    device.generator.min_kw = device.generator.max_kw = 12.0;
    GIVES(ask(&device, 2, 1.0, (const double[]){30.0, 45.0}), 12.0, 12.0);
}

static void test_simple_devices_compare_prices(void)
{
    const double draw_kw[] = {4.0, -1.0, 4.0}, available_kw = 3.0;
    const struct agent_segment demand[] = {{5.0, 90.0}, {5.0, 50.0}}, offer[] = {{2.0, 70.0}};
    const uint32_t two[] = {0, 2}, one[] = {0, 1};
    struct agent_device device = {.type = AGENT_LOAD,
                                  .load = {.draw_kw = {draw_kw, 1}, .shed_price_per_mwh = 100.0}};
    struct asked asked = ask(&device, 3, 1.0, (const double[]){101.0, 101.0, 100.0});

    GIVES(asked, 0.0, 1.0, -4.0); /* what injects cannot be shed; at 100 it is indifferent */
    TESTKIT_CLOSE(asked.answer.cost, 0.4, 1e-15);
    device.load.shed_price_per_mwh = (double)NAN;
    GIVES(ask(&device, 1, 1.0, (const double[]){1e9}), -4.0);

    device = (struct agent_device){.type = AGENT_PV,
                                   .pv = {.available_kw = {&available_kw, 0}, .curtailable = true}};
    GIVES(ask(&device, 3, 1.0, (const double[]){-1.0, 0.0, 1.0}), 0.0, 0.0, 3.0);
    device.pv.curtailable = false;
    GIVES(ask(&device, 1, 1.0, (const double[]){-1.0}), 3.0);

    device = (struct agent_device){.type = AGENT_BID, .bid = {demand, offer, two, one, true}};
    asked = ask(&device, 4, 1.0, (const double[]){40.0, 50.0, 80.0, 90.0});
    GIVES(asked, -10.0, -5.0, 2.0 - 5.0, 2.0);
    /* − (450 + 250) − 450 − (450 − 140) + 140 */
    TESTKIT_CLOSE(asked.answer.cost, -1e-3 * (700.0 + 450.0 + 310.0 - 140.0), 1e-15);
}

/* A cycle of 1 and 3 kW: the second step is the dear one. Equal starts: the earlier. */
static void test_shiftable_starts_where_its_profile_is_cheapest(void)
{
    const double profile_kw[] = {1.0, 3.0};
    struct agent_device device = {
        .type = AGENT_SHIFTABLE,
        .shiftable = {.profile_kw = profile_kw, .n_profile = 2, .earliest = 0, .latest = 3}};

    GIVES(ask(&device, 5, 1.0, (const double[]){30.0, 20.0, 60.0, 10.0, 5.0}), 0.0, 0.0, 0.0, -1.0,
          -3.0);
    device.shiftable.latest = 2;
    GIVES(ask(&device, 5, 1.0, (const double[]){30.0, 20.0, 60.0, 10.0, 5.0}), -1.0, -3.0, 0.0, 0.0,
          0.0);
    GIVES(ask(&device, 5, 1.0, (const double[]){7.0, 7.0, 7.0, 7.0, 7.0}), -1.0, -3.0, 0.0, 0.0,
          0.0);
}

static const struct testkit_test tests[] = {
    {"a generator runs the segments below the price", test_runs_the_segments_below_the_price},
    {"quadratic cost meets the price at the margin",
     test_quadratic_cost_meets_the_price_at_the_margin},
    {"quadratic cost may reach below zero", test_quadratic_cost_may_reach_below_zero},
    {"a ramp runs up for a peak when it pays", test_ramp_runs_up_for_a_peak_when_it_pays},
    {"a ramp balances quadratic costs", test_ramp_balances_quadratic_costs},
    {"a ramp sees the jumps between segments", test_ramp_sees_the_jumps_between_segments},
    {"simple devices compare prices", test_simple_devices_compare_prices},
    {"a shiftable device starts where its profile is cheapest",
     test_shiftable_starts_where_its_profile_is_cheapest},
};
TESTKIT_MAIN("generator", tests)
