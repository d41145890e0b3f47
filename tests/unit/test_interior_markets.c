/*
 * Whole markets by the method interior, against one central linear program (judge.h), against the
 * bundle, and against themselves in other units and with other threads.
 */
#include "judge.h"
#include "market/method.h"
#include "random_market.h"
#include "scenario/simulate.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANDOM_MARKETS = 800 };

static struct scenario_clear_settings settings_of(const char *method, double gap)
{
    struct scenario_clear_settings settings = marketkit_settings(gap);

    settings.market.method = method;
    return settings;
}

static char *make_market(uint64_t seed)
{
    struct walras_rng rng = walras_rng_from_seed(seed);
    char *text = random_storage_market(&rng);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    return text;
}

static void try_markets(size_t n, uint64_t seed, const struct scenario_clear_settings *settings)
{
    size_t n_infeasible = 0, n_wrong = 0;

    for (size_t i = 0; i < n; i++) {
        char *text = make_market(seed + i);
        bool infeasible = false;

        n_wrong += !judge_market(text, seed + i, settings, &infeasible);
        n_infeasible += infeasible;
        free(text);
    }
    printf("%zu markets, %zu of them infeasible ", n, n_infeasible);
    CU_ASSERT_EQUAL(n_wrong, 0);
    CU_ASSERT_TRUE(n_infeasible > 0 && n_infeasible < 3 * n / 4);
}

static void test_random_markets_clear_at_the_central_optimum(void)
{
    struct scenario_clear_settings settings = settings_of("interior", 1e-6);

    try_markets(testkit_cases(RANDOM_MARKETS), testkit_seed() + 100000, &settings);
}

static const struct testkit_test tests[] = {
    {"random markets clear at the optimum of one central program",
     test_random_markets_clear_at_the_central_optimum},
};
TESTKIT_MAIN("interior markets", tests)
