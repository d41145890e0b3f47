#include "market/mixture.h"
#include "marketbench.h"
#include "testkit.h"

#include <stdio.h>

/*
 * Four points, two groups; answers to points 0 and 2 are gone. What is left keeps its prices, and
 * every cut still says to which prices it is the answer.
 */
static void test_points_that_nobody_answers_are_forgotten(void)
{
    struct marketbench bench;
    struct market_mixture mixture;
    double price[2] = {0.0, 0.0};

    marketbench_init(&bench, 2, 1, NULL);
    marketbench_group(&bench, 0, 1.0);
    marketbench_group(&bench, 1, 1.0);
    marketbench_close(&bench);
    CU_ASSERT_EQUAL_FATAL(market_mixture_init(&mixture, &bench.problem, NULL), WALRAS_OK);
    for (size_t i = 0; i < 4; i++) {
        double draw_kw = (double)i;

        price[0] = 10.0 + (double)i;
        price[1] = 20.0 + (double)i;
        CU_ASSERT_EQUAL_FATAL(market_mixture_add_point(&mixture, price, NULL), WALRAS_OK);
        if (i == 1 || i == 3)
            CU_ASSERT_EQUAL_FATAL(market_cuts_add(&bench.cuts, i / 2, i, &draw_kw, 0.0, NULL),
                                  WALRAS_OK);
    }
    CU_ASSERT_EQUAL_FATAL(market_mixture_prune(&mixture, &bench.cuts, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(mixture.n_point, 2);
    CU_ASSERT_EQUAL(bench.cuts.groups[0].cuts[0].point, 0);
    CU_ASSERT_EQUAL(bench.cuts.groups[1].cuts[0].point, 1);
    CU_ASSERT_EQUAL(mixture.point_price[0], 11.0);
    CU_ASSERT_EQUAL(mixture.point_price[1], 21.0);
    CU_ASSERT_EQUAL(mixture.point_price[2], 13.0);
    CU_ASSERT_EQUAL(mixture.point_price[3], 23.0);
    CU_ASSERT_EQUAL_FATAL(market_mixture_prune(&mixture, &bench.cuts, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(mixture.n_point, 2); /* nothing left to forget */
    CU_ASSERT_EQUAL(mixture.point_price[2], 13.0);
    market_mixture_release(&mixture);
    marketbench_release(&bench);
}

static const struct testkit_test tests[] = {
    {"points that nobody answers are forgotten", test_points_that_nobody_answers_are_forgotten},
};
TESTKIT_MAIN("mixture", tests)
