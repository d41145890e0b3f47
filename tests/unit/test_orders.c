#include "agents/orders.h"
#include "agents/solve.h"
#include "core/units.h"
#include "random_devices.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>

enum { MAX_ORDER = RANDOM_STEPS * 2 * RANDOM_BLOCKS };

struct told {
    struct market_order order[MAX_ORDER];
    size_t n, room;
    double firm_kw[RANDOM_STEPS], cost;
    enum walras_status status;
};

static enum walras_status keep(void *context, const struct market_order *order)
{
    struct told *told = context;

    if (told->n == told->room)
        return WALRAS_NOMEM;
    told->order[told->n++] = *order;
    return WALRAS_OK;
}

static void tell(const struct agent_device *device, const struct agent_horizon *horizon,
                 struct told *told)
{
    *told = (struct told){.room = MAX_ORDER};
    told->status = agent_device_orders(device, horizon, told->firm_kw, &told->cost, keep, told);
}

static bool is_order(const struct market_order *order, uint32_t step, double low_kw, double high_kw,
                     double price_per_mwh, double slope)
{
    return order->step == step && testkit_close(order->low_kw, low_kw, 1e-15) &&
           testkit_close(order->high_kw, high_kw, 1e-15) &&
           testkit_close(order->price_per_mwh, price_per_mwh, 1e-15) &&
           testkit_close(order->slope_per_mwh_per_kw, slope, 1e-15);
}

/* 15 kW must run: the first segment is firm, the second may rise from 5 to its 10. */
static void test_what_must_run_is_firm(void)
{
    static struct told told;
    const struct agent_segment segments[] = {{10.0, 20.0}, {10.0, 30.0}, {10.0, 40.0}};
    const struct agent_horizon horizon = {2, 0.5};
    const struct agent_device device = {.type = AGENT_GENERATOR,
                                        .generator = {.min_kw = 15.0,
                                                      .max_kw = 20.0,
                                                      .segments = segments,
                                                      .n_segment = 3,
                                                      .ramp_kw_per_h = (double)INFINITY}};

    tell(&device, &horizon, &told);
    CU_ASSERT_EQUAL(told.status, WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(told.n, 2);
    CU_ASSERT_TRUE(is_order(&told.order[0], 0, 5.0, 10.0, 30.0, 0.0));
    CU_ASSERT_TRUE(is_order(&told.order[1], 1, 5.0, 10.0, 30.0, 0.0));
    CU_ASSERT_EQUAL(told.firm_kw[0], -10.0);
    TESTKIT_CLOSE(told.cost, 2 * 0.5 * 0.2, 1e-15); /* 10 kW at 20 for two half hours */
}

/* Cost 200 P² + 30 P + 4: the price rises by 0.4 per kW; 4 an hour is nobody's choice. */
static void test_quadratic_cost_is_a_sloped_order(void)
{
    static struct told told;
    const struct agent_horizon horizon = {1, 0.25};
    const struct agent_device device = {.type = AGENT_GENERATOR,
                                        .generator = {.max_kw = 50.0,
                                                      .per_mw2h = 200.0,
                                                      .per_mwh = 30.0,
                                                      .per_h = 4.0,
                                                      .ramp_kw_per_h = (double)INFINITY}};

    tell(&device, &horizon, &told);
    CU_ASSERT_EQUAL_FATAL(told.n, 1);
    CU_ASSERT_TRUE(is_order(&told.order[0], 0, 0.0, 50.0, 30.0, 0.4));
    CU_ASSERT_EQUAL(told.cost, 1.0);
}

static void test_loads_and_pv_say_what_they_may_give(void)
{
    static struct told told;
    const double draw_kw[] = {4.0, -1.0}, available_kw = 3.0;
    const struct agent_horizon horizon = {2, 1.0};
    struct agent_device device = {.type = AGENT_LOAD,
                                  .load = {.draw_kw = {draw_kw, 1}, .shed_price_per_mwh = 90.0}};

    tell(&device, &horizon, &told);
    CU_ASSERT_EQUAL_FATAL(told.n, 1); /* the second step has nothing to shed */
    CU_ASSERT_TRUE(is_order(&told.order[0], 0, 0.0, 4.0, 90.0, 0.0));
    CU_ASSERT_EQUAL(told.firm_kw[0], 4.0);
    CU_ASSERT_EQUAL(told.firm_kw[1], -1.0);

    device = (struct agent_device){
        .type = AGENT_PV,
        .pv = {.available_kw = {&available_kw, 0}, .cost_per_mwh = 5.0, .curtailable = true}};
    tell(&device, &horizon, &told);
    CU_ASSERT_EQUAL_FATAL(told.n, 2);
    CU_ASSERT_TRUE(is_order(&told.order[1], 1, 0.0, 3.0, 5.0, 0.0));
    device.pv.curtailable = false;
    tell(&device, &horizon, &told);
    CU_ASSERT_EQUAL(told.n, 0);
    CU_ASSERT_EQUAL(told.firm_kw[1], -3.0);
    TESTKIT_CLOSE(told.cost, 0.03, 1e-15);
}

static void test_failures_of_the_taker_stop_the_telling(void)
{
    static struct told told;
    const double draw_kw = 4.0;
    const struct agent_horizon horizon = {5, 1.0};
    struct agent_device device = {.type = AGENT_LOAD,
                                  .load = {.draw_kw = {&draw_kw, 0}, .shed_price_per_mwh = 90.0}};

    told = (struct told){.room = 2};
    CU_ASSERT_EQUAL(agent_device_orders(&device, &horizon, told.firm_kw, &told.cost, keep, &told),
                    WALRAS_NOMEM);
    CU_ASSERT_EQUAL(told.n, 2);
    device.type = AGENT_BATTERY;
    tell(&device, &horizon, &told);
    CU_ASSERT_EQUAL(told.status, WALRAS_UNSUPPORTED);
}

/*
 * The best the market can do with the orders at a price is what the device would answer. *size:
 * what was summed, to compare by.
 */
static double best_of_orders(const struct told *told, const struct agent_horizon *horizon,
                             const double *price_per_mwh, double *size)
{
    double value = told->cost;

    *size = fabs(told->cost);
    for (size_t t = 0; t < horizon->n_step; t++) {
        double paid = walras_mwh(told->firm_kw[t], horizon->step_h) * price_per_mwh[t];

        value += paid;
        *size += fabs(paid);
    }
    for (size_t i = 0; i < told->n; i++) {
        const struct market_order *order = &told->order[i];
        double margin = price_per_mwh[order->step] - order->price_per_mwh;
        double want_kw = order->slope_per_mwh_per_kw > 0.0 ? margin / order->slope_per_mwh_per_kw
                         : margin > 0.0                    ? order->high_kw
                                                           : order->low_kw;
        double q_kw = fmin(fmax(want_kw, order->low_kw), order->high_kw);
        double part =
            walras_mwh(q_kw, horizon->step_h) * (0.5 * order->slope_per_mwh_per_kw * q_kw - margin);

        value += part;
        *size += fabs(part);
    }
    return value;
}

static void test_orders_are_worth_the_device(void)
{
    static const enum agent_device_type types[] = {AGENT_LOAD, AGENT_PV, AGENT_BID,
                                                   AGENT_GENERATOR};
    static struct told told;
    static struct random_device random;
    struct agent_workspace *workspace = NULL;
    double price_per_mwh[RANDOM_STEPS], draw_kw[RANDOM_STEPS], size;
    struct market_answer answer;
    size_t cases = testkit_cases(2000), judged = 0;

    for (size_t k = 0; k < cases; k++) {
        struct walras_rng rng = walras_rng_from_seed(testkit_seed() + k);

        random_device(&rng, types[k % 4], 20, &random);
        if (!agent_device_is_separable(&random.device))
            continue;
        judged++;
        random_prices(&rng, random.horizon.n_step, price_per_mwh);
        CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&random.horizon, &workspace, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL(agent_solve(&random.device, &random.horizon, price_per_mwh, workspace,
                                    draw_kw, &answer, NULL),
                        WALRAS_OK);
        agent_workspace_free(workspace);
        tell(&random.device, &random.horizon, &told);
        CU_ASSERT_EQUAL(told.status, WALRAS_OK);

        double value = best_of_orders(&told, &random.horizon, price_per_mwh, &size);

        CU_ASSERT_TRUE(fabs(value - answer.bound) <= 1e-12 * size);
    }
    CU_ASSERT_TRUE(2 * judged > cases);
}

static const struct testkit_test tests[] = {
    {"what must run is firm", test_what_must_run_is_firm},
    {"quadratic cost is a sloped order", test_quadratic_cost_is_a_sloped_order},
    {"loads and pv say what they may give", test_loads_and_pv_say_what_they_may_give},
    {"failures of the taker stop the telling", test_failures_of_the_taker_stop_the_telling},
    {"orders are worth the device", test_orders_are_worth_the_device},
};
TESTKIT_MAIN("orders", tests)
