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

/* A feeder of two lines, its devices of `kw` each, money in `coin`s. */
struct feeder {
    double kw, coin;
    const char *more; /* devices of a last agent: ", {...}" */
    int tail;         /* further lines with limits, to buses without devices */
};

static char *write_feeder(const struct feeder *feeder)
{
    double kw = feeder->kw, coin = feeder->coin;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fprintf(out,
            "{\"walras\": 1, \"name\": \"feeder\", \"currency\": \"EUR\",\n"
            "\"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": 60, "
            "\"steps\": 12},\n"
            "\"grid\": {\"base_mva\": %g, \"slack\": \"b1\",\n"
            " \"buses\": [{\"id\": \"b1\"}, {\"id\": \"b2\"}, {\"id\": \"b3\"}",
            kw);
    for (int i = 0; i < feeder->tail; i++)
        fprintf(out, ", {\"id\": \"t%d\"}", i);
    fprintf(out,
            "],\n \"lines\": [{\"id\": \"l1\", \"from\": \"b1\", \"to\": \"b2\", \"x_pu\": 0.1, "
            "\"limit_kw\": %g},\n"
            "  {\"id\": \"l2\", \"from\": \"b2\", \"to\": \"b3\", \"x_pu\": 0.1, "
            "\"limit_kw\": %g}",
            9.0 * kw, 5.0 * kw);
    for (int i = 0; i < feeder->tail; i++)
        fprintf(out,
                ",\n  {\"id\": \"t%d\", \"from\": \"b3\", \"to\": \"t%d\", \"x_pu\": 0.1, "
                "\"limit_kw\": %g}",
                i, i, kw);
    fprintf(out, "]},\n");
    fprintf(out, "\"supply\": [{\"id\": \"s\", \"bus\": \"b1\", \"price_per_mwh\": [");
    for (int t = 0; t < 12; t++)
        fprintf(out, "%s%g", t > 0 ? ", " : "", coin * (60.0 + 40.0 * sin(t)));
    fprintf(out,
            "]}],\n\"agents\": [\n"
            " {\"id\": \"a\", \"bus\": \"b2\", \"devices\": [{\"id\": \"bat\", \"type\": "
            "\"battery\", \"capacity_kwh\": %g, \"charge_kw\": %g, \"discharge_kw\": %g, "
            "\"charge_efficiency\": 0.95, \"discharge_efficiency\": 0.95, \"start_kwh\": %g, "
            "\"wear_per_mwh\": %g}, {\"id\": \"use\", \"type\": \"load\", \"draw_kw\": %g}]},\n",
            10.0 * kw, 5.0 * kw, 5.0 * kw, 4.0 * kw, 5.0 * coin, 3.0 * kw);
    fprintf(out,
            " {\"id\": \"b\", \"bus\": \"b3\", \"devices\": [{\"id\": \"ev\", \"type\": \"ev\", "
            "\"arrive\": 1, \"depart\": 9, \"energy_kwh\": %g, \"charge_kw\": %g, "
            "\"efficiency\": 0.9}, {\"id\": \"use\", \"type\": \"load\", \"draw_kw\": %g}%s]}]}\n",
            12.0 * kw, 4.0 * kw, 2.0 * kw, feeder->more ? feeder->more : "");
    CU_ASSERT_EQUAL_FATAL(fclose(out), 0);
    return text;
}

static void clear_feeder(const struct feeder *feeder,
                         const struct scenario_clear_settings *settings, struct marketkit *kit)
{
    char *text = write_feeder(feeder);

    marketkit_clear(text, NULL, settings, kit);
    free(text);
}

static void test_interior_and_bundle_agree(void)
{
    struct scenario_clear_settings inside = settings_of("interior", 1e-7);
    struct scenario_clear_settings bundle = settings_of("bundle", 1e-7);
    size_t n_compared = 0;

    for (size_t i = 0; i < testkit_cases(RANDOM_MARKETS / 8); i++) {
        char *text = make_market(testkit_seed() + 110000 + i);
        struct marketkit a, b;

        marketkit_clear(text, NULL, &inside, &a);
        marketkit_clear(text, NULL, &bundle, &b);
        CU_ASSERT_EQUAL_FATAL(a.status, WALRAS_OK);
        CU_ASSERT_EQUAL_FATAL(b.status, WALRAS_OK);
        CU_ASSERT_STRING_EQUAL(a.market->method, "interior");
        CU_ASSERT_EQUAL(a.market->outcome, b.market->outcome);
        if (a.market->outcome == MARKET_CONVERGED) {
            TESTKIT_CLOSE(a.market->objective, b.market->objective, 2.1e-7);
            n_compared++;
        }
        marketkit_release(&a);
        marketkit_release(&b);
        free(text);
    }
    CU_ASSERT_TRUE(n_compared > 5);
}

/* Quadratic wear and discomfort, which the central program does not know: the bundle judges. */
static void test_quadratic_costs_cost_what_the_bundle_finds(void)
{
    const struct feeder feeder = {
        .kw = 1.0,
        .coin = 1.0,
        .more =
            ", {\"id\": \"worn\", \"type\": \"battery\", \"capacity_kwh\": 8, \"charge_kw\": 4, "
            "\"discharge_kw\": 4, \"start_kwh\": 4, \"wear_per_mw2h\": 4000}, {\"id\": \"heat\", "
            "\"type\": \"thermal\", \"mode\": \"heat\", \"max_kw\": 2, \"capacity_kwh_per_k\": 3, "
            "\"conductance_kw_per_k\": 0.15, \"start_c\": 20.5, \"cop\": 3, \"outdoor_c\": 4, "
            "\"min_c\": 20, \"max_c\": 22, \"comfort_price_per_kh\": 0.02, "
            "\"discomfort_per_k2h\": 0.01}"};
    struct scenario_clear_settings inside = settings_of("interior", 1e-8);
    struct scenario_clear_settings bundle = settings_of("bundle", 1e-6);
    struct marketkit a, b;

    clear_feeder(&feeder, &inside, &a);
    clear_feeder(&feeder, &bundle, &b);
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&a) && marketkit_is_good(&b));
    CU_ASSERT_TRUE(a.market->n_rounds <= 3);
    TESTKIT_CLOSE(a.market->objective, b.market->objective, 2e-6);
    marketkit_release(&a);
    marketkit_release(&b);
}

static bool same_bits(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof(*a)) == 0;
}

/* Chunks of devices are added up in order, whoever has gone through them. */
static void test_any_number_of_threads_gives_the_same_bits(void)
{
    for (size_t i = 0; i < testkit_cases(RANDOM_MARKETS / 16); i++) {
        char *text = make_market(testkit_seed() + 120000 + i);
        struct scenario_clear_settings settings = settings_of("interior", 1e-6);
        struct marketkit one, four;

        marketkit_clear(text, NULL, &settings, &one);
        settings.market.n_thread = 4;
        marketkit_clear(text, NULL, &settings, &four);
        CU_ASSERT_EQUAL_FATAL(one.status, WALRAS_OK);
        CU_ASSERT_EQUAL_FATAL(four.status, WALRAS_OK);
        CU_ASSERT_EQUAL(one.market->n_rounds, four.market->n_rounds);
        if (one.market->n_rounds > 0) /* else a device cannot keep its own limits */
            CU_ASSERT_TRUE(same_bits(one.market->price_per_mwh, four.market->price_per_mwh,
                                     one.market->n_bus * one.market->n_step));
        if (one.result->awards && four.result->awards)
            CU_ASSERT_TRUE(same_bits(one.result->awards->draw_kw, four.result->awards->draw_kw,
                                     one.scenario.n_device * one.market->n_step));
        marketkit_release(&one);
        marketkit_release(&four);
        free(text);
    }
}

/* Groups of several parts, zones of several chunks. */
static char *many_batteries(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    for (int i = 0; i < 900; i++)
        fprintf(out,
                ", {\"id\": \"x%d\", \"type\": \"battery\", \"capacity_kwh\": 0.02, \"charge_kw\": "
                "0.005, \"discharge_kw\": 0.004, \"start_kwh\": %g, \"wear_per_mwh\": 30, "
                "\"charge_efficiency\": 0.9, \"end_min_kwh\": 0.01}",
                i, 0.02 * (i % 7) / 7.0);
    CU_ASSERT_EQUAL_FATAL(fclose(out), 0);
    return text;
}

static void test_large_groups_add_up(void)
{
    struct scenario_clear_settings settings = settings_of("interior", 1e-6);
    char *more = many_batteries();
    const struct feeder feeder = {.kw = 1.0, .coin = 1.0, .more = more};
    struct marketkit one, four;

    settings.n_group = 1;
    clear_feeder(&feeder, &settings, &one);
    settings.market.n_thread = 4;
    clear_feeder(&feeder, &settings, &four);
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&one) && marketkit_is_good(&four));
    CU_ASSERT_TRUE(same_bits(one.market->price_per_mwh, four.market->price_per_mwh,
                             one.market->n_bus * one.market->n_step));
    CU_ASSERT_TRUE(same_bits(one.market->group_cost, four.market->group_cost, one.market->n_group));
    TESTKIT_CLOSE(one.certificate->objective, one.market->objective, 1e-6);
    marketkit_release(&one);
    marketkit_release(&four);
    free(more);
}

static void test_units_change_no_rounds(void)
{
    static const struct feeder feeders[] = {
        {.kw = 1.0, .coin = 1.0}, {.kw = 1000.0, .coin = 1.0}, {.kw = 1.0, .coin = 100.0}};
    struct scenario_clear_settings settings = settings_of("interior", 1e-6);
    double objective = 0.0;
    unsigned rounds = 0;

    for (size_t i = 0; i < 3; i++) {
        struct marketkit kit;

        clear_feeder(&feeders[i], &settings, &kit);
        CU_ASSERT_TRUE_FATAL(marketkit_is_good(&kit));
        if (i == 0) {
            rounds = kit.market->n_rounds;
            objective = kit.market->objective;
        }
        CU_ASSERT_EQUAL(kit.market->n_rounds, rounds);
        TESTKIT_CLOSE(kit.market->objective / feeders[i].kw / feeders[i].coin, objective, 1e-6);
        marketkit_release(&kit);
    }
}

static void test_who_cannot_take_part_is_named(void)
{
    struct scenario_clear_settings settings = settings_of("interior", 1e-6);
    struct feeder feeder = {
        .kw = 1.0,
        .coin = 1.0,
        .more = ", {\"id\": \"gen\", \"type\": \"generator\", \"min_kw\": 0, "
                "\"max_kw\": 4, \"cost\": {\"per_mwh\": 50}, \"ramp_kw_per_h\": 2}"};
    struct marketkit kit;

    clear_feeder(&feeder, &settings, &kit);
    CU_ASSERT_EQUAL(kit.status, WALRAS_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit.err.msg, "group generator at bus 2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(kit.err.msg, "the method bundle takes all"));
    marketkit_release(&kit);
    settings.market.method = MARKET_METHOD_AUTO;
    clear_feeder(&feeder, &settings, &kit);
    CU_ASSERT_TRUE(marketkit_is_good(&kit));
    CU_ASSERT_STRING_EQUAL(kit.result->method, "bundle");
    marketkit_release(&kit);
}

/* 2 devices behind 10 limits in 12 steps: 2 < 0.017 · 100 · 12. */
static void test_auto_takes_the_faster(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);
    const struct feeder feeder = {.kw = 1.0, .coin = 1.0, .tail = 8};
    struct marketkit kit;
    char more[8192] = "";

    CU_ASSERT_STRING_EQUAL(settings.market.method, MARKET_METHOD_AUTO);
    clear_feeder(&feeder, &settings, &kit);
    CU_ASSERT_TRUE(marketkit_is_good(&kit));
    CU_ASSERT_STRING_EQUAL(kit.result->method, "interior");
    marketkit_release(&kit);
    settings.market.n_point = 2; /* which only the bundle asks */
    clear_feeder(&feeder, &settings, &kit);
    CU_ASSERT_STRING_EQUAL(kit.result->method, "bundle");
    marketkit_release(&kit);
    for (int extra = 18; extra <= 19; extra++) { /* 20 and 21 devices: 20.4 is the border */
        struct feeder larger = {.kw = 1.0, .coin = 1.0, .more = more, .tail = 8};

        more[0] = '\0';
        for (int i = 0; i < extra; i++)
            snprintf(more + strlen(more), sizeof(more) - strlen(more),
                     ", {\"id\": \"x%d\", \"type\": \"battery\", \"capacity_kwh\": 2, "
                     "\"charge_kw\": 1, \"discharge_kw\": 1, \"start_kwh\": 1}",
                     i);
        settings = marketkit_settings(1e-6);
        clear_feeder(&larger, &settings, &kit);
        CU_ASSERT_TRUE(marketkit_is_good(&kit));
        CU_ASSERT_STRING_EQUAL(kit.result->method, extra == 18 ? "interior" : "bundle");
        marketkit_release(&kit);
    }
}

/*
 * Who must run at full power all the time has no inside. That alone is borne; when the line is too
 * narrow for it besides, the path goes nowhere, and the bundle says what is missing.
 */
static void test_auto_leaves_to_the_bundle_where_the_path_ends(void)
{
    const struct feeder narrow = {
        .kw = 1.0,
        .coin = 1.0,
        .more = ", {\"id\": \"full\", \"type\": \"battery\", \"capacity_kwh\": 25.2, "
                "\"charge_kw\": 3, \"discharge_kw\": 3, \"charge_efficiency\": 0.7, "
                "\"start_kwh\": 0, \"end_min_kwh\": 25.2}",
        .tail = 8};
    const struct feeder wide = {.kw = 1.0,
                                .coin = 1.0,
                                .more =
                                    ", {\"id\": \"full\", \"type\": \"ev\", \"arrive\": 1, "
                                    "\"depart\": 12, \"energy_kwh\": 4.015, \"charge_kw\": 0.5, "
                                    "\"efficiency\": 0.73}"};
    struct scenario_clear_settings settings = settings_of("interior", 1e-6);
    struct marketkit kit;

    clear_feeder(&wide, &settings, &kit);
    CU_ASSERT_TRUE(marketkit_is_good(&kit));
    marketkit_release(&kit);
    clear_feeder(&narrow, &settings, &kit);
    CU_ASSERT_EQUAL(kit.status, WALRAS_OK);
    CU_ASSERT_EQUAL(kit.market->outcome, MARKET_ROUND_LIMIT);
    CU_ASSERT_TRUE(kit.market->n_rounds < settings.market.max_rounds);
    marketkit_release(&kit);
    settings.market.method = MARKET_METHOD_AUTO;
    clear_feeder(&narrow, &settings, &kit);
    CU_ASSERT_EQUAL(kit.status, WALRAS_OK);
    CU_ASSERT_STRING_EQUAL(kit.result->method, "bundle");
    CU_ASSERT_EQUAL(kit.market->outcome, MARKET_INFEASIBLE);
    CU_ASSERT_PTR_NOT_NULL(kit.result->why);
    marketkit_release(&kit);
}

/* Whether they are kept or made when they are asked for. */
static void test_awards_are_what_devices_hold(void)
{
    struct scenario_clear_settings settings = settings_of("interior", 1e-6);
    const struct feeder feeder = {.kw = 1.0, .coin = 1.0};
    struct marketkit kept, made;

    clear_feeder(&feeder, &settings, &kept);
    settings.kept_bytes = 0;
    clear_feeder(&feeder, &settings, &made);
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&kept) && marketkit_is_good(&made));
    CU_ASSERT_EQUAL(kept.certificate->objective, made.certificate->objective);
    for (size_t t = 0; t < 12; t++) {
        double flow = marketkit_award(&kept, "b", "ev", t) + marketkit_award(&kept, "b", "use", t);

        CU_ASSERT_TRUE(flow <= 5.0 + 1e-6); /* line l2 */
    }
    marketkit_release(&kept);
    marketkit_release(&made);
}

/* A path that must stop on its way has no plan that balances, but the bound of the first prices. */
static void test_no_time_ends_the_path(void)
{
    struct scenario_clear_settings settings = settings_of("interior", 1e-6);
    const struct feeder feeder = {.kw = 1.0, .coin = 1.0};
    struct marketkit stopped, whole;

    clear_feeder(&feeder, &settings, &whole);
    settings.market.time_limit_s = 0.0;
    clear_feeder(&feeder, &settings, &stopped);
    CU_ASSERT_EQUAL_FATAL(stopped.status, WALRAS_OK);
    CU_ASSERT_EQUAL(stopped.market->outcome, MARKET_TIME_LIMIT);
    CU_ASSERT_EQUAL(stopped.market->n_rounds, 1);
    CU_ASSERT_FALSE(stopped.market->has_plan);
    CU_ASSERT_PTR_NULL(stopped.result->awards);
    CU_ASSERT_TRUE(isfinite(stopped.market->bound) &&
                   stopped.market->bound <= whole.market->objective);
    marketkit_release(&stopped);
    marketkit_release(&whole);
}

static void test_simulations_use_the_bundle(void)
{
    CU_ASSERT_STRING_EQUAL(scenario_simulate_settings_defaults().clear.market.method, "bundle");
}

static const struct testkit_test tests[] = {
    {"random markets clear at the optimum of one central program",
     test_random_markets_clear_at_the_central_optimum},
    {"interior and bundle agree", test_interior_and_bundle_agree},
    {"quadratic costs cost what the bundle finds", test_quadratic_costs_cost_what_the_bundle_finds},
    {"any number of threads gives the same bits", test_any_number_of_threads_gives_the_same_bits},
    {"large groups add up, the same with any number of threads", test_large_groups_add_up},
    {"units change no rounds", test_units_change_no_rounds},
    {"who cannot take part is named", test_who_cannot_take_part_is_named},
    {"auto takes the faster", test_auto_takes_the_faster},
    {"auto leaves to the bundle where the path ends",
     test_auto_leaves_to_the_bundle_where_the_path_ends},
    {"awards are what devices hold", test_awards_are_what_devices_hold},
    {"no time ends the path", test_no_time_ends_the_path},
    {"simulations use the bundle", test_simulations_use_the_bundle},
};
TESTKIT_MAIN("interior markets", tests)
