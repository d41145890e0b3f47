#include "core/rng.h"
#include "marketbench.h"
#include "testkit.h"

#include <math.h>
#include <stdlib.h>

/* Injects `kw` at `bus` and takes it out at bus 0, in one step. */
static void send(const struct marketbench *bench, size_t bus, size_t step, double kw,
                 double *injection_kw)
{
    injection_kw[bus * bench->problem.n_step + step] += kw;
    injection_kw[step] -= kw;
}

/* 12 kW from bus 1 to bus 0 are 2 too many on a line of 10, against its direction. */
static void test_a_breach_becomes_a_row_once(void)
{
    struct marketbench bench;
    double injection_kw[4] = {0.0}, value[3] = {0.0};
    size_t added = 0;

    marketbench_init(&bench, 2, 2, (double[]){10.0});
    marketbench_close(&bench);
    send(&bench, 1, 1, 12.0, injection_kw);
    CU_ASSERT_EQUAL(market_rows_separate(&bench.rows, injection_kw, 1e-6, &added, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(added, 1);
    CU_ASSERT_EQUAL_FATAL(bench.rows.n, 1);
    CU_ASSERT_EQUAL(bench.rows.rows[0].step, 1);
    CU_ASSERT_EQUAL(bench.rows.rows[0].direction, -1);
    TESTKIT_CLOSE(bench.rows.rows[0].room_kw, 10.0, 1e-12);
    CU_ASSERT_EQUAL(bench.rows.step_first[0], 0);
    CU_ASSERT_EQUAL(bench.rows.step_first[1], 0);
    CU_ASSERT_EQUAL(bench.rows.step_first[2], 1);
    CU_ASSERT_EQUAL(market_rows_separate(&bench.rows, injection_kw, 1e-6, &added, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(added, 0);
    /* balance of both steps, then minus what the row carries in its direction */
    market_rows_project(&bench.rows, injection_kw, value);
    CU_ASSERT_DOUBLE_EQUAL(value[0], 0.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(value[1], 0.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(value[2], -12.0, 1e-9);
    marketbench_release(&bench);
}

/*
 * Energy at 40; the line from 0 to 1 is full towards 1 with a shadow price of 25: 40 at bus 0,
 * the slack, 65 beyond the line. In the step without the row it is 30 everywhere.
 */
static void test_prices_differ_across_a_full_line(void)
{
    struct marketbench bench;
    double injection_kw[6] = {0.0}, price[6];
    size_t added = 0;

    marketbench_init(&bench, 3, 2, (double[]){10.0, HUGE_VAL});
    marketbench_close(&bench);
    send(&bench, 2, 0, -12.0, injection_kw);
    CU_ASSERT_EQUAL(market_rows_separate(&bench.rows, injection_kw, 1e-6, &added, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(added, 1);
    market_rows_price(&bench.rows, (double[]){40.0, 30.0, 25.0}, price);
    CU_ASSERT_DOUBLE_EQUAL(price[0], 40.0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(price[2], 65.0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(price[4], 65.0, 1e-9);
    for (size_t b = 0; b < 3; b++)
        CU_ASSERT_DOUBLE_EQUAL(price[2 * b + 1], 30.0, 1e-12);
    marketbench_release(&bench);
}

/* A breach within the tolerance, relative to the limit, is let be. */
static void test_what_is_within_the_tolerance_is_let_be(void)
{
    struct marketbench bench;
    double injection_kw[2] = {0.0};
    size_t added = 9;

    marketbench_init(&bench, 2, 1, (double[]){10.0});
    marketbench_close(&bench);
    send(&bench, 1, 0, 10.0009, injection_kw);
    CU_ASSERT_EQUAL(market_rows_separate(&bench.rows, injection_kw, 1e-4, &added, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(added, 0);
    send(&bench, 1, 0, 0.0002, injection_kw);
    CU_ASSERT_EQUAL(market_rows_separate(&bench.rows, injection_kw, 1e-4, &added, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(added, 1);
    marketbench_release(&bench);
}

/*
 * Seven lines are breached in each of 64 steps, the further down the row the less room. A pass of
 * 320 rows is five a step: five come first, then two.
 */
static void test_the_worst_few_come_first(void)
{
    enum { STEPS = 64 };
    struct marketbench bench;
    static double injection_kw[8 * STEPS];
    size_t added = 0;

    marketbench_init(&bench, 8, STEPS, (double[]){7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0});
    marketbench_close(&bench);
    for (size_t t = 0; t < STEPS; t++)
        send(&bench, 7, t, 10.0, injection_kw);
    CU_ASSERT_EQUAL(market_rows_separate(&bench.rows, injection_kw, 1e-6, &added, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(added, 5 * STEPS);
    for (size_t a = 0; a < 5 * STEPS; a++)
        CU_ASSERT_EQUAL(bench.rows.rows[a].limit, a % 5 + 2);
    CU_ASSERT_EQUAL(market_rows_separate(&bench.rows, injection_kw, 1e-6, &added, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(added, 2 * STEPS);
    for (size_t a = 0; a < 7 * STEPS; a++) /* sorted again */
        CU_ASSERT_EQUAL(bench.rows.rows[a].limit, a % 7);
    marketbench_release(&bench);
}

/* The same in one step alone: all seven come at once. */
static void test_where_few_steps_are_breached_more_rows_come(void)
{
    struct marketbench bench;
    double injection_kw[8 * 32] = {0.0};
    size_t added = 0;

    marketbench_init(&bench, 8, 32, (double[]){7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0});
    marketbench_close(&bench);
    send(&bench, 7, 3, 10.0, injection_kw);
    CU_ASSERT_EQUAL(market_rows_separate(&bench.rows, injection_kw, 1e-6, &added, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(added, 7);
    marketbench_release(&bench);
}

static void test_idle_rows_are_dropped_and_come_back(void)
{
    struct marketbench bench;
    double injection_kw[4] = {0.0};
    size_t added = 0;

    marketbench_init(&bench, 2, 2, (double[]){10.0});
    marketbench_close(&bench);
    send(&bench, 1, 0, 12.0, injection_kw);
    send(&bench, 1, 1, 12.0, injection_kw);
    CU_ASSERT_EQUAL(market_rows_separate(&bench.rows, injection_kw, 1e-6, &added, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(added, 2);
    bench.rows.rows[0].idle = 4;
    bench.rows.rows[1].idle = 3;
    market_rows_drop_idle(&bench.rows, 3);
    CU_ASSERT_EQUAL_FATAL(bench.rows.n, 1);
    CU_ASSERT_EQUAL(bench.rows.rows[0].step, 1);
    CU_ASSERT_EQUAL(bench.rows.step_first[1], 0);
    CU_ASSERT_EQUAL(bench.rows.step_first[2], 1);
    CU_ASSERT_EQUAL(market_rows_separate(&bench.rows, injection_kw, 1e-6, &added, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(added, 1);
    marketbench_release(&bench);
}

/* Σ price(u) · injection = u · project(injection), whatever u and the injections are. */
static void test_prices_and_projections_are_adjoint(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());

    for (size_t i = 0; i < testkit_cases(200); i++) {
        struct marketbench bench;
        size_t n_bus = 2 + walras_rng_below(&rng, 5), n_step = 1 + walras_rng_below(&rng, 8);
        double limit_kw[BENCH_BUSES], injection_kw[BENCH_CELLS], price[BENCH_CELLS];
        double u[512], projected[512], left = 0.0, right = 0.0;
        size_t added = 1;

        for (size_t l = 0; l < BENCH_BUSES; l++)
            limit_kw[l] = walras_rng_range(&rng, 0.0, 5.0);
        marketbench_init(&bench, n_bus, n_step, limit_kw);
        bench.network.slack = walras_rng_below(&rng, n_bus);
        marketbench_close(&bench);
        for (size_t c = 0; c < n_bus * n_step; c++)
            injection_kw[c] = walras_rng_range(&rng, -10.0, 10.0);
        while (added > 0)
            CU_ASSERT_EQUAL_FATAL(
                market_rows_separate(&bench.rows, injection_kw, 1e-6, &added, NULL), WALRAS_OK);
        CU_ASSERT_TRUE_FATAL(market_rows_size(&bench.rows) <= 512);
        for (size_t k = 0; k < market_rows_size(&bench.rows); k++)
            u[k] = walras_rng_range(&rng, -100.0, 100.0);
        market_rows_price(&bench.rows, u, price);
        market_rows_project(&bench.rows, injection_kw, projected);
        for (size_t c = 0; c < n_bus * n_step; c++)
            left += price[c] * injection_kw[c];
        for (size_t k = 0; k < market_rows_size(&bench.rows); k++)
            right += u[k] * projected[k];
        TESTKIT_CLOSE(left, right, 1e-10);
        marketbench_release(&bench);
    }
}

static const struct testkit_test tests[] = {
    {"a breach becomes a row, once", test_a_breach_becomes_a_row_once},
    {"prices differ across a full line", test_prices_differ_across_a_full_line},
    {"what is within the tolerance is let be", test_what_is_within_the_tolerance_is_let_be},
    {"the worst few come first", test_the_worst_few_come_first},
    {"where few steps are breached, more rows come",
     test_where_few_steps_are_breached_more_rows_come},
    {"idle rows are dropped, and come back", test_idle_rows_are_dropped_and_come_back},
    {"prices and projections are adjoint", test_prices_and_projections_are_adjoint},
};
TESTKIT_MAIN("rows", tests)
