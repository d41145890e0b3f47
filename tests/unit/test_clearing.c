#include "market/clearing.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The PJM five-bus system (Li and Bo, Small test systems for power system economic studies, 2010):
 * reactances and limits in MW, loads 300/300/400 MW at buses 2, 3, 4.
 */
static struct grid_bus pjm_buses[] = {{.id = (char[]){"1"}, .v_max_pu = 2.0},
                                      {.id = (char[]){"2"}, .v_max_pu = 2.0},
                                      {.id = (char[]){"3"}, .v_max_pu = 2.0},
                                      {.id = (char[]){"4"}, .v_max_pu = 2.0},
                                      {.id = (char[]){"5"}, .v_max_pu = 2.0}};
static struct grid_line pjm_lines[] = {{.id = (char[]){"l1"},
                                        .from = 0,
                                        .to = 1,
                                        .x_pu = 0.0281,
                                        .limit_kw = 400e3,
                                        .tap = 1,
                                        .in_service = 1},
                                       {.id = (char[]){"l2"},
                                        .from = 0,
                                        .to = 3,
                                        .x_pu = 0.0304,
                                        .limit_kw = HUGE_VAL,
                                        .tap = 1,
                                        .in_service = 1},
                                       {.id = (char[]){"l3"},
                                        .from = 0,
                                        .to = 4,
                                        .x_pu = 0.0064,
                                        .limit_kw = HUGE_VAL,
                                        .tap = 1,
                                        .in_service = 1},
                                       {.id = (char[]){"l4"},
                                        .from = 1,
                                        .to = 2,
                                        .x_pu = 0.0108,
                                        .limit_kw = HUGE_VAL,
                                        .tap = 1,
                                        .in_service = 1},
                                       {.id = (char[]){"l5"},
                                        .from = 2,
                                        .to = 3,
                                        .x_pu = 0.0297,
                                        .limit_kw = HUGE_VAL,
                                        .tap = 1,
                                        .in_service = 1},
                                       {.id = (char[]){"l6"},
                                        .from = 3,
                                        .to = 4,
                                        .x_pu = 0.0297,
                                        .limit_kw = 240e3,
                                        .tap = 1,
                                        .in_service = 1}};
static const struct grid_network pjm = {.base_mva = 100,
                                        .slack = 3,
                                        .slack_v_pu = 1,
                                        .buses = pjm_buses,
                                        .n_bus = 5,
                                        .lines = pjm_lines,
                                        .n_line = 6};
static const char *const pjm_ids[] = {"1", "2", "3", "4", "5"};

static struct market_order offer(uint32_t bus, double max_mw, double price)
{
    return (struct market_order){.bus = bus, .high_kw = 1e3 * max_mw, .price_per_mwh = price};
}

static enum walras_status clear_pjm(const struct market_order *orders, size_t n,
                                    const double *firm_kw, double gap, struct market_result *result,
                                    struct walras_err *err)
{
    struct grid_limits *limits = NULL;
    struct market_settings settings = market_settings_defaults();
    struct market_problem problem = {.n_bus = 5,
                                     .n_step = 1,
                                     .step_h = 1.0,
                                     .firm_draw_kw = firm_kw,
                                     .orders = orders,
                                     .n_order = n,
                                     .breach_price_per_mwh = HUGE_VAL,
                                     .bus_ids = pjm_ids};
    enum walras_status status = grid_limits_dc(&pjm, 1.0, &limits, err);

    problem.limits = limits;
    settings.gap = gap;
    if (status == WALRAS_OK)
        status = market_clear(&problem, &settings, result, err);
    grid_limits_free(limits);
    return status;
}

/* Published: 16.98, 26.38, 30.00, 39.94, 10.00 $/MWh; the line from 4 to 5 alone binds. */
static void test_clear_pjm_five_bus_gives_the_published_prices(void)
{
    static const double lmp[] = {16.9774, 26.3845, 30.0, 39.9427, 10.0};
    static const double firm_kw[] = {0.0, 300e3, 300e3, 400e3, 0.0};
    const struct market_order orders[] = {offer(0, 40, 14), offer(0, 170, 15), offer(2, 520, 30),
                                          offer(3, 200, 40), offer(4, 600, 10)};
    struct market_result result = {0};
    struct walras_err err = {0};

    CU_ASSERT_EQUAL_FATAL(clear_pjm(orders, 5, firm_kw, 1e-8, &result, &err), WALRAS_OK);
    CU_ASSERT_EQUAL(result.outcome, MARKET_CONVERGED);
    for (size_t b = 0; b < 5; b++)
        CU_ASSERT_DOUBLE_EQUAL(result.price_per_mwh[b], lmp[b], 1e-3);
    TESTKIT_CLOSE(result.objective, 17479.897, 1e-7);
    TESTKIT_CLOSE(result.bound, result.objective, 1e-8);
    TESTKIT_CLOSE(result.order_kw[2], 323494.8, 1e-6);
    CU_ASSERT_EQUAL_FATAL(result.n_binding, 1);
    CU_ASSERT_EQUAL(result.binding[0].direction, -1);
    TESTKIT_CLOSE(result.binding[0].shadow_price_per_mwh, 62.3220, 1e-5);
    market_result_release(&result);
}

/* 1000 MW of firm draw against 500 MW of offers: 500 MW are short, whatever the price. */
static void test_clear_names_the_shortage(void)
{
    static const double firm_kw[] = {0.0, 300e3, 300e3, 400e3, 0.0};
    const struct market_order orders[] = {offer(1, 500, 20)};
    struct market_result result = {0};

    CU_ASSERT_EQUAL_FATAL(clear_pjm(orders, 1, firm_kw, 1e-6, &result, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(result.outcome, MARKET_INFEASIBLE);
    CU_ASSERT_EQUAL_FATAL(result.n_breach, 1);
    CU_ASSERT_EQUAL(result.breach[0].kind, MARKET_BREACH_SHORTAGE);
    TESTKIT_CLOSE(result.breach[0].breach_kw, 500e3, 1e-6);
    market_result_release(&result);
}

static const struct testkit_test tests[] = {
    {"the PJM five-bus system clears at the published prices",
     test_clear_pjm_five_bus_gives_the_published_prices},
    {"a shortage is named", test_clear_names_the_shortage},
};
TESTKIT_MAIN("clearing", tests)
