#include "central_lp.h"
#include "judge.h"
#include "market/method.h"
#include "marketkit.h"
#include "random_market.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Random markets against one central linear program of the whole market (central_lp.h), which knows
 * nothing of prices, groups or sensitivities.
 */

enum { RANDOM_MARKETS = 800 };

/* Clears `n` markets from `seed` on; every answer is judged. */
static void try_markets(size_t n, uint64_t seed, const struct scenario_clear_settings *settings)
{
    size_t n_infeasible = 0, n_wrong = 0;

    for (size_t i = 0; i < n; i++) {
        struct walras_rng rng = walras_rng_from_seed(seed + i);
        char *text = random_market(&rng);
        bool infeasible = false;

        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        n_wrong += !judge_market(text, seed + i, settings, &infeasible);
        free(text);
        n_infeasible += infeasible;
    }
    printf("%zu markets, %zu of them infeasible ", n, n_infeasible);
    CU_ASSERT_EQUAL(n_wrong, 0);
    CU_ASSERT_TRUE(n_infeasible < n / 2);
}

static void test_random_markets_clear_at_the_central_optimum(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-7);

    try_markets(testkit_cases(RANDOM_MARKETS), testkit_seed(), &settings);
}

static void test_random_markets_clear_with_every_device_in_glpk(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);

    settings.glpk = true;
    try_markets(testkit_cases(RANDOM_MARKETS / 4), testkit_seed() + 10000, &settings);
}

static void test_random_markets_clear_with_five_points_a_round(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);

    settings.market.n_point = 5;
    try_markets(testkit_cases(RANDOM_MARKETS / 4), testkit_seed() + 20000, &settings);
}

static void test_random_markets_clear_with_the_lp_master(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);

    settings.market.master = "lp";
    try_markets(testkit_cases(RANDOM_MARKETS / 4), testkit_seed() + 30000, &settings);
}

static void test_random_markets_clear_with_a_single_group_a_bus(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);

    settings.n_group = 1;
    try_markets(testkit_cases(RANDOM_MARKETS / 4), testkit_seed() + 40000, &settings);
}

/*
 * A plan that is handed out early need not be good, but must be one; and its bound must be true.
 * With an exchange that has no limit, early prices may prove nothing: the certificate then has no
 * bound of its own, which alone makes it not clean.
 */
static bool holds_when_stopped(const struct marketkit *kit, const struct lp_info *optimum)
{
    double size = fmax(1.0, fabs(optimum->objective));

    if (kit->status != WALRAS_OK)
        return false;
    if (optimum->outcome == LP_INFEASIBLE)
        return !kit->certificate || !kit->certificate->clean;
    if (kit->market->outcome == MARKET_INFEASIBLE ||
        kit->market->bound > optimum->objective + 1e-8 * size)
        return false;
    return !kit->result->awards ||
           (kit->certificate && (kit->certificate->clean || isinf(kit->certificate->dual_bound)) &&
            kit->certificate->max_imbalance_kw <= 1e-3 && kit->certificate->n_device_breach == 0 &&
            kit->market->objective >= optimum->objective - 1e-6 * size);
}

/* Clears with a limit of rounds; what comes out must hold. True when there is a plan. */
static bool try_stopped(const char *text, uint64_t seed,
                        const struct scenario_clear_settings *settings,
                        const struct lp_info *optimum)
{
    struct marketkit kit;
    bool good = false, plan = false;

    marketkit_clear(text, NULL, settings, &kit);
    good = holds_when_stopped(&kit, optimum);
    plan = kit.result && kit.result->awards;
    if (!good) {
        fprintf(stderr, "%s, %u rounds: %s, bound %.10g, objective %.10g, optimum %.10g\n",
                settings->market.method, settings->market.max_rounds,
                kit.market ? market_outcome_name(kit.market->outcome) : "?",
                kit.market ? kit.market->bound : (double)NAN,
                kit.market ? kit.market->objective : (double)NAN, optimum->objective);
        judge_keep(seed, text);
    }
    CU_ASSERT_TRUE(good);
    marketkit_release(&kit);
    return plan;
}

/* Each market with each limit of rounds; returns how many plans there were. */
static size_t try_limits(size_t n, uint64_t first_seed, const char *method, const unsigned *rounds,
                         size_t n_rounds)
{
    size_t n_plan = 0;

    for (size_t i = 0; i < n; i++) {
        struct scenario_clear_settings settings = marketkit_settings(1e-9);
        struct walras_rng rng = walras_rng_from_seed(first_seed + i);
        char *text = random_market(&rng);
        struct scenario_settings reading = scenario_settings_defaults();
        struct scenario scenario;
        struct lp_info optimum = {0};

        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        CU_ASSERT_EQUAL_FATAL(scenario_parse("test", text, strlen(text), &reading, &scenario, NULL),
                              WALRAS_OK);
        CU_ASSERT_EQUAL(central_lp_solve(&scenario, &optimum, NULL), WALRAS_OK);
        scenario_release(&scenario);
        settings.market.method = method;
        for (size_t k = 0; k < n_rounds; k++) {
            settings.market.max_rounds = rounds[k];
            n_plan += try_stopped(text, first_seed + i, &settings, &optimum);
        }
        free(text);
    }
    printf("%zu plans ", n_plan);
    return n_plan;
}

static void test_stopping_early_leaves_a_plan_that_holds_or_none(void)
{
    static const unsigned rounds[] = {1, 2, 3, 4, 5, 6, 7, 8};
    size_t n = testkit_cases(RANDOM_MARKETS / 8);

    CU_ASSERT_TRUE(try_limits(n, testkit_seed() + 50000, "bundle", rounds, 8) > n);
}

static void test_every_method_tells_the_truth(void)
{
    static const unsigned rounds[] = {1, 10, 60};
    size_t n = testkit_cases(RANDOM_MARKETS / 16);

    for (size_t i = 0; market_methods()[i]; i++) {
        if (market_methods()[i]->takes) /* has tests of its own */
            continue;
        printf("%s ", market_methods()[i]->name);
        CU_ASSERT_TRUE(try_limits(n, testkit_seed() + 60000 + i * n, market_methods()[i]->name,
                                  rounds, 3) > n);
    }
}

static void test_newton_clears_random_markets_at_the_central_optimum(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);

    settings.market.method = "newton";
    try_markets(testkit_cases(RANDOM_MARKETS / 8), testkit_seed() + 70000, &settings);
}

static const struct testkit_test tests[] = {
    {"random markets clear at the optimum of one central program",
     test_random_markets_clear_at_the_central_optimum},
    {"random markets clear with every device in GLPK",
     test_random_markets_clear_with_every_device_in_glpk},
    {"random markets clear with five price points a round",
     test_random_markets_clear_with_five_points_a_round},
    {"random markets clear with the LP master", test_random_markets_clear_with_the_lp_master},
    {"random markets clear with a single group of each kind at a bus",
     test_random_markets_clear_with_a_single_group_a_bus},
    {"stopping early leaves a plan that holds, or none",
     test_stopping_early_leaves_a_plan_that_holds_or_none},
    {"every method tells the truth", test_every_method_tells_the_truth},
    {"Newton clears random markets at the central optimum",
     test_newton_clears_random_markets_at_the_central_optimum},
};
TESTKIT_MAIN("random markets", tests)
