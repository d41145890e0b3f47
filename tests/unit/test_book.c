#include "agents/book.h"
#include "core/rng.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct agent_horizon two_hours = {.n_step = 2, .step_h = 1.0};

static struct walras_series constant(const double *value)
{
    return (struct walras_series){value, 0};
}

/* A load that may be shed at a price. */
static struct agent_device load(const double *draw_kw, double shed_price_per_mwh)
{
    static const double none = 0.0;

    return (struct agent_device){.type = AGENT_LOAD,
                                 .id = "load",
                                 .power_factor = 1.0,
                                 .load = {.draw_kw = constant(draw_kw),
                                          .draw_kvar = constant(&none),
                                          .shed_price_per_mwh = shed_price_per_mwh}};
}

static struct agent_device generator(double max_kw, double per_mwh, double per_mw2h, double per_h)
{
    return (struct agent_device){.type = AGENT_GENERATOR,
                                 .id = "gen",
                                 .power_factor = 1.0,
                                 .generator = {.max_kw = max_kw,
                                               .per_mwh = per_mwh,
                                               .per_mw2h = per_mw2h,
                                               .per_h = per_h,
                                               .ramp_kw_per_h = HUGE_VAL}};
}

static struct agent_book *fill(const struct agent_device *devices, const uint32_t *bus, size_t n)
{
    struct agent_book *book = NULL;

    CU_ASSERT_EQUAL_FATAL(agent_book_new(2, &two_hours, &book, NULL), WALRAS_OK);
    for (size_t i = 0; i < n; i++)
        CU_ASSERT_EQUAL_FATAL(agent_book_enter(book, i, &devices[i], bus[i], NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(agent_book_close(book, NULL), WALRAS_OK);
    return book;
}

/* 4 and 6 kW to shed at 100 are one order of 10; half of it given means half of each: 2 and 3. */
static void test_orders_of_one_price_are_one_and_shared_pro_rata(void)
{
    static const double small = 4.0, large = 6.0;
    const struct agent_device devices[] = {load(&small, 100.0), load(&large, 100.0)};
    struct agent_book *book = fill(devices, (const uint32_t[]){1, 1}, 2);
    size_t n = 0;
    const struct market_order *orders = agent_book_orders(book, &n);
    double draw_kw[2];

    CU_ASSERT_EQUAL_FATAL(n, 2); /* one a step */
    CU_ASSERT_EQUAL(orders[0].bus, 1);
    CU_ASSERT_EQUAL(orders[0].step, 0);
    CU_ASSERT_EQUAL(orders[1].step, 1);
    CU_ASSERT_EQUAL(orders[0].low_kw, 0.0);
    CU_ASSERT_EQUAL(orders[0].high_kw, 10.0);
    CU_ASSERT_EQUAL(agent_book_firm_kw(book)[2], 10.0);
    CU_ASSERT_EQUAL(agent_book_firm_kw(book)[0], 0.0);
    CU_ASSERT_EQUAL(agent_book_award(book, 0, &devices[0], 1, (double[]){5.0, 0.0}, draw_kw, NULL),
                    WALRAS_OK);
    CU_ASSERT_DOUBLE_EQUAL(draw_kw[0], 2.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(draw_kw[1], 4.0, 1e-12);
    CU_ASSERT_EQUAL(agent_book_award(book, 1, &devices[1], 1, (double[]){5.0, 0.0}, draw_kw, NULL),
                    WALRAS_OK);
    CU_ASSERT_DOUBLE_EQUAL(draw_kw[0], 3.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(draw_kw[1], 6.0, 1e-12);
    agent_book_free(book);
}

static void test_orders_differ_by_bus_and_price_and_come_in_price_order(void)
{
    static const double kw = 4.0;
    const struct agent_device devices[] = {load(&kw, 300.0), load(&kw, 100.0), load(&kw, 200.0),
                                           load(&kw, 100.0)};
    struct agent_book *book = fill(devices, (const uint32_t[]){0, 0, 0, 1}, 4);
    size_t n = 0;
    const struct market_order *orders = agent_book_orders(book, &n);

    CU_ASSERT_EQUAL_FATAL(n, 8);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(orders[i].price_per_mwh, 100.0 * (double)(i + 1));
        CU_ASSERT_EQUAL(orders[i].step, 0);
        CU_ASSERT_EQUAL(orders[3 + i].step, 1);
    }
    CU_ASSERT_EQUAL(orders[6].bus, 1);
    agent_book_free(book);
}

/*
 * Quadratic costs are sloped orders, kept apart even when they are alike: each owner gets its own.
 * The first gives 10 kW in step 0, the second 30; a flat offer of the same price stands beside.
 */
static void test_sloped_orders_keep_their_owner(void)
{
    const struct agent_device devices[] = {generator(50.0, 20.0, 100.0, 0.0),
                                           generator(50.0, 20.0, 100.0, 0.0),
                                           generator(50.0, 20.0, 0.0, 0.0)};
    struct agent_book *book = fill(devices, (const uint32_t[]){0, 0, 0}, 3);
    size_t n = 0;
    const struct market_order *orders = agent_book_orders(book, &n);
    double order_kw[6] = {0.0}, draw_kw[3][2];

    CU_ASSERT_EQUAL_FATAL(n, 6);
    CU_ASSERT_EQUAL(orders[0].slope_per_mwh_per_kw, 0.0);
    /* 100 per MW² h: the price rises by 2 · 100 per MWh and MW, 0.2 per kW */
    CU_ASSERT_DOUBLE_EQUAL(orders[1].slope_per_mwh_per_kw, 0.2, 1e-15);
    order_kw[0] = 5.0;
    order_kw[1] = 10.0;
    order_kw[2] = 30.0;
    for (size_t i = 3; i-- > 0;) /* in whatever order they are asked for */
        CU_ASSERT_EQUAL(agent_book_award(book, i, &devices[i], 0, order_kw, draw_kw[i], NULL),
                        WALRAS_OK);
    CU_ASSERT_DOUBLE_EQUAL(draw_kw[0][0], -10.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(draw_kw[1][0], -30.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(draw_kw[2][0], -5.0, 1e-12);
    agent_book_free(book);
}

/* 3 EUR an hour whatever it gives, two hours; a firm load leaves no order. */
static void test_what_leaves_no_choice_is_firm(void)
{
    static const double kw = 4.0;
    const struct agent_device devices[] = {generator(50.0, 20.0, 0.0, 3.0), load(&kw, (double)NAN)};
    struct agent_book *book = fill(devices, (const uint32_t[]){0, 0}, 2);
    size_t n = 0;

    (void)agent_book_orders(book, &n);
    CU_ASSERT_EQUAL(n, 2);
    CU_ASSERT_DOUBLE_EQUAL(agent_book_firm_cost(book), 6.0, 1e-12);
    CU_ASSERT_EQUAL(agent_book_firm_kw(book)[1], 4.0);
    agent_book_free(book);
}

/* Whatever the orders are given, the awards add up to it, and each is within its own range. */
static void test_awards_add_up_to_the_orders(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());

    for (size_t k = 0; k < testkit_cases(200); k++) {
        enum { N = 12 };
        struct agent_device devices[N];
        double kw[N], order_kw[2 * N], sum_kw[4] = {0.0}, draw_kw[2];
        uint32_t bus[N];
        size_t n = 0;

        for (size_t i = 0; i < N; i++) {
            double price = 100.0 * (double)walras_rng_below(&rng, 3);

            kw[i] = walras_rng_range(&rng, 0.0, 10.0);
            bus[i] = (uint32_t)walras_rng_below(&rng, 2);
            if (walras_rng_unit(&rng) < 0.5)
                devices[i] = load(&kw[i], price);
            else
                devices[i] = generator(kw[i], price, walras_rng_unit(&rng) < 0.5 ? 0.0 : 50.0, 0.0);
        }
        struct agent_book *book = fill(devices, bus, N);
        const struct market_order *orders = agent_book_orders(book, &n);

        for (size_t i = 0; i < 4; i++)
            sum_kw[i] = agent_book_firm_kw(book)[i];
        for (size_t i = 0; i < n; i++) {
            order_kw[i] = walras_rng_range(&rng, orders[i].low_kw, orders[i].high_kw);
            sum_kw[orders[i].bus * 2 + orders[i].step] -= order_kw[i];
        }
        for (size_t i = 0; i < N; i++) {
            bool is_load = devices[i].type == AGENT_LOAD;

            CU_ASSERT_EQUAL(agent_book_award(book, i, &devices[i], bus[i], order_kw, draw_kw, NULL),
                            WALRAS_OK);
            for (size_t t = 0; t < 2; t++) {
                double given_kw = is_load ? kw[i] - draw_kw[t] : -draw_kw[t];

                CU_ASSERT_TRUE(given_kw >= -1e-12 && given_kw <= kw[i] + 1e-12);
                sum_kw[bus[i] * 2 + t] -= draw_kw[t];
            }
        }
        for (size_t i = 0; i < 4; i++)
            CU_ASSERT_DOUBLE_EQUAL(sum_kw[i], 0.0, 1e-9);
        agent_book_free(book);
    }
}

static const struct testkit_test tests[] = {
    {"orders of one price are one, shared pro rata",
     test_orders_of_one_price_are_one_and_shared_pro_rata},
    {"orders differ by bus and price, and come in price order",
     test_orders_differ_by_bus_and_price_and_come_in_price_order},
    {"sloped orders keep their owner", test_sloped_orders_keep_their_owner},
    {"what leaves no choice is firm", test_what_leaves_no_choice_is_firm},
    {"awards add up to the orders", test_awards_add_up_to_the_orders},
};
TESTKIT_MAIN("book", tests)
