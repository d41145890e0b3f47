#include "core/file.h"
#include "marketkit.h"
#include "resultkit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HORIZON(steps)                                                                             \
    "{\"walras\": 1, \"name\": \"test\", \"currency\": \"EUR\", \"horizon\": {\"start\": "         \
    "\"2026-07-01T00:00:00Z\", \"step_minutes\": 60, \"steps\": " #steps "}, "
#define COPPERPLATE "\"grid\": {\"copperplate\": true}, "
/* a and b, joined by line l of 10 kW from a to b */
#define TWO_BUSES(soft)                                                                            \
    "\"grid\": {\"base_mva\": 1, \"slack\": \"a\", \"buses\": [{\"id\": \"a\"}, {\"id\": "         \
    "\"b\"}], \"lines\": [{\"id\": \"l\", \"from\": \"a\", \"to\": \"b\", \"x_pu\": 0.1, "         \
    "\"limit_kw\": 10}]" soft "}, "
#define AGENT(id, bus, devices)                                                                    \
    "{\"id\": \"" id "\", \"bus\": \"" bus "\", \"devices\": [" devices "]}"

static struct marketkit clear_at(const char *text, double gap)
{
    struct scenario_clear_settings settings = marketkit_settings(gap);
    struct marketkit kit;

    marketkit_clear(text, NULL, &settings, &kit);
    return kit;
}

/* Not cleared, and the reason says all of these words. */
static void check_infeasible(const char *market, const char *const *words)
{
    struct marketkit kit = clear_at(market, 1e-6);

    CU_ASSERT_EQUAL_FATAL(kit.status, WALRAS_OK);
    CU_ASSERT_EQUAL(kit.market->outcome, MARKET_INFEASIBLE);
    CU_ASSERT_PTR_NULL(kit.result->awards);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kit.result->why);
    for (size_t i = 0; words[i]; i++) {
        bool said = strstr(kit.result->why, words[i]) != NULL;

        if (!said)
            fprintf(stderr, "\"%s\" is not in: %s\n", words[i], kit.result->why);
        CU_ASSERT_TRUE(said);
    }
    marketkit_release(&kit);
}

/*
 * 12 kW at b: 10 over the line at 50, 2 from the generator at 100. One more MWh costs 50 at a and
 * 100 at b; 10 · 0.05 + 2 · 0.1 = 0.7 EUR; a wider line would save 50 EUR/MWh.
 */
static void test_a_full_line_splits_the_prices(void)
{
    struct marketkit kit = clear_at(
        HORIZON(1) TWO_BUSES("") "\"supply\": [{\"id\": \"s\", \"bus\": \"a\", \"price_per_mwh\": "
                                 "50}], \"agents\": [" AGENT(
                                     "home", "b",
                                     "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": 12}, "
                                     "{\"id\": \"gen\", \"type\": \"generator\", \"max_kw\": 20, "
                                     "\"segments\": [[20, 100]]}") "]}",
        1e-8);

    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&kit));
    TESTKIT_CLOSE(marketkit_price(&kit, "a", 0), 50.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 100.0, 1e-6);
    TESTKIT_CLOSE(kit.market->objective, 0.7, 1e-7);
    TESTKIT_CLOSE(marketkit_award(&kit, "home", "gen", 0), -2.0, 1e-6);
    TESTKIT_CLOSE(kit.result->import_kw[0], 10.0, 1e-6);
    TESTKIT_CLOSE(kit.result->flow_kw[0], 10.0, 1e-6);
    CU_ASSERT_EQUAL_FATAL(kit.market->n_binding, 1);
    CU_ASSERT_EQUAL(kit.market->binding[0].direction, 1);
    TESTKIT_CLOSE(kit.market->binding[0].shadow_price_per_mwh, 50.0, 1e-6);
    marketkit_release(&kit);
}

/* The same line, soft at 200, nothing else at b: 2 kW too much cost 0.4; 12 · 0.05 + 0.4 = 1. */
static void test_a_soft_limit_is_relaxed_and_paid(void)
{
    struct marketkit kit = clear_at(
        HORIZON(1) TWO_BUSES(
            ", \"line_overload_price_per_mwh\": 200") "\"supply\": [{\"id\": "
                                                      "\"s\", \"bus\": \"a\", \"price_per_mwh\": "
                                                      "50}], \"agents\": [" AGENT(
                                                          "home", "b",
                                                          "{\"id\": \"load\", \"type\": \"load\", "
                                                          "\"draw_kw\": 12}") "]}",
        1e-8);

    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&kit));
    TESTKIT_CLOSE(kit.market->objective, 1.0, 1e-7);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 250.0, 1e-6);
    CU_ASSERT_EQUAL_FATAL(kit.market->n_breach, 1);
    CU_ASSERT_EQUAL(kit.market->breach[0].kind, MARKET_BREACH_LIMIT);
    TESTKIT_CLOSE(kit.market->breach[0].breach_kw, 2.0, 1e-6);
    TESTKIT_CLOSE(kit.market->breach[0].cost, 0.4, 1e-6);
    marketkit_release(&kit);
}

/* Breaking a limit may cost nothing: then it is no limit, but the breach is told. */
static void test_a_soft_limit_may_be_free(void)
{
    struct marketkit kit = clear_at(
        HORIZON(1) TWO_BUSES(
            ", \"line_overload_price_per_mwh\": 0") "\"supply\": [{\"id\": "
                                                    "\"s\", \"bus\": \"a\", \"price_per_mwh\": "
                                                    "50}], \"agents\": [" AGENT(
                                                        "home", "b",
                                                        "{\"id\": \"load\", \"type\": \"load\", "
                                                        "\"draw_kw\": 12}") "]}",
        1e-8);

    CU_ASSERT_TRUE(marketkit_is_good(&kit));
    if (kit.market && kit.market->has_plan) {
        TESTKIT_CLOSE(kit.market->objective, 0.6, 1e-7);
        TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 50.0, 1e-6);
        CU_ASSERT_EQUAL(kit.market->n_breach, 1);
    }
    marketkit_release(&kit);
}

/* 5 kW drawn twice at 20 and 80: the battery fills at 20, empties at 80: 10 kWh · 0.02 = 0.2. */
static void test_a_battery_moves_energy_to_the_dear_hour(void)
{
    struct marketkit kit = clear_at(
        HORIZON(2) COPPERPLATE
        "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": "
        "[20, 80]}], \"agents\": [" AGENT(
            "home", "1",
            "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": 5}, {\"id\": \"bat\", \"type\": "
            "\"battery\", \"capacity_kwh\": 10, \"charge_kw\": 5, \"discharge_kw\": 5, "
            "\"start_kwh\": 0}") "]}",
        1e-8);

    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&kit));
    TESTKIT_CLOSE(kit.market->objective, 0.2, 1e-7);
    TESTKIT_CLOSE(marketkit_award(&kit, "home", "bat", 0), 5.0, 1e-6);
    TESTKIT_CLOSE(marketkit_award(&kit, "home", "bat", 1), -5.0, 1e-6);
    marketkit_release(&kit);
}

/*
 * 10 kW for one hour of two, in one piece; each hour has 5 kW at 10 and 20 kW at 50. Half in each
 * hour would cost 0.1 and no price can prove more; in one piece it is 5 at 10 and 5 at 50: 0.3.
 */
static void test_an_appliance_leaves_a_gap_that_is_told(void)
{
    struct marketkit kit = clear_at(
        HORIZON(2) COPPERPLATE "\"supply\": [], \"agents\": [" AGENT(
            "home", "1",
            "{\"id\": \"washer\", \"type\": \"shiftable\", \"profile_kw\": [10], \"earliest\": 0, "
            "\"latest\": 1}, {\"id\": \"offers\", \"type\": \"bid\", \"offer\": [[5, 10], [20, "
            "50]]}") "]}",
        1e-6);

    CU_ASSERT_EQUAL_FATAL(kit.status, WALRAS_OK);
    CU_ASSERT_EQUAL(kit.market->outcome, MARKET_CONVERGED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kit.certificate);
    CU_ASSERT_TRUE(kit.certificate->clean);
    TESTKIT_CLOSE(kit.market->objective, 0.3, 1e-6);
    TESTKIT_CLOSE(kit.market->bound, 0.1, 2e-6);
    TESTKIT_CLOSE(kit.market->convex_objective, 0.1, 2e-6);
    TESTKIT_CLOSE(kit.certificate->gap, 0.2, 2e-6);
    TESTKIT_CLOSE(marketkit_award(&kit, "home", "washer", 0) +
                      marketkit_award(&kit, "home", "washer", 1),
                  10.0, 1e-9);
    marketkit_release(&kit);
}

/*
 * An appliance of two hours and two of one, 20 kW each, behind an import of 25 kW: one at a time,
 * so all four hours are taken and the cost is 20 kW · (10 + 20 + 30 + 40) EUR/MWh = 2 EUR, whoever
 * comes when. Each alone would rather start early: only reconsidering packs them.
 */
static void test_appliances_make_room_for_each_other(void)
{
    struct marketkit kit = clear_at(
        HORIZON(4) COPPERPLATE
        "\"supply\": [{\"id\": \"w\", \"bus\": \"1\", \"price_per_mwh\": [10, 20, 30, 40], "
        "\"import_limit_kw\": 25}], \"agents\": [" AGENT(
            "home", "1",
            "{\"id\": \"long\", \"type\": \"shiftable\", \"profile_kw\": [20, 20], "
            "\"earliest\": 0, \"latest\": 2}, {\"id\": \"one\", \"type\": \"shiftable\", "
            "\"profile_kw\": [20], \"earliest\": 0, \"latest\": 3}, {\"id\": \"two\", "
            "\"type\": \"shiftable\", \"profile_kw\": [20], \"earliest\": 0, \"latest\": 3}") "]}",
        1e-6);

    CU_ASSERT_EQUAL_FATAL(kit.status, WALRAS_OK);
    CU_ASSERT_EQUAL(kit.market->outcome, MARKET_CONVERGED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kit.certificate);
    CU_ASSERT_TRUE(kit.certificate->clean);
    TESTKIT_CLOSE(kit.market->objective, 2.0, 1e-6);
    CU_ASSERT_TRUE(kit.market->bound <= 2.0);
    for (size_t t = 0; t < 4; t++)
        TESTKIT_CLOSE(marketkit_award(&kit, "home", "long", t) +
                          marketkit_award(&kit, "home", "one", t) +
                          marketkit_award(&kit, "home", "two", t),
                      20.0, 1e-9);
    marketkit_release(&kit);
}

/* 10 kW in one piece; each hour offers 6 kW: mixed it fits, in one piece it cannot. */
static void test_an_appliance_that_fits_no_hour_is_no_success(void)
{
    struct marketkit kit = clear_at(
        HORIZON(2) COPPERPLATE "\"supply\": [], \"agents\": [" AGENT(
            "home", "1",
            "{\"id\": \"washer\", \"type\": \"shiftable\", \"profile_kw\": [10], \"earliest\": 0, "
            "\"latest\": 1}, {\"id\": \"offers\", \"type\": \"bid\", \"offer\": [[6, 10]]}") "]}",
        1e-6);

    CU_ASSERT_EQUAL_FATAL(kit.status, WALRAS_OK);
    printf("%s ", market_outcome_name(kit.market->outcome));
    CU_ASSERT_NOT_EQUAL(kit.market->outcome, MARKET_CONVERGED);
    CU_ASSERT_FALSE(kit.market->has_plan);
    CU_ASSERT_PTR_NULL(kit.result->awards);
    marketkit_release(&kit);
}

static void test_a_shortage_names_the_step(void)
{
    check_infeasible(
        HORIZON(2) COPPERPLATE "\"supply\": [], \"agents\": [" AGENT(
            "home", "1",
            "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": 5}, {\"id\": \"roof\", \"type\": "
            "\"pv\", \"available_kw\": [5, 3]}") "]}",
        (const char *const[]){"2 kW of draw", "step 1", "2026-07-01T01:00", NULL});
}

static void test_a_surplus_names_the_step(void)
{
    check_infeasible(
        HORIZON(2) COPPERPLATE "\"supply\": [], \"agents\": [" AGENT(
            "home", "1",
            "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": 3}, {\"id\": \"roof\", \"type\": "
            "\"pv\", \"available_kw\": [7, 3], \"curtailable\": false}") "]}",
        (const char *const[]){"4 kW of injection", "step 0", "2026-07-01T00:00", NULL});
}

static void test_a_full_line_that_cannot_be_relieved_is_named(void)
{
    check_infeasible(
        HORIZON(2) TWO_BUSES("") "\"supply\": [{\"id\": \"s\", \"bus\": \"a\", \"price_per_mwh\": "
                                 "50}], \"agents\": [" AGENT(
                                     "home", "b",
                                     "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": [8, "
                                     "13]}") "]}",
        (const char *const[]){"line l", "bus a", "bus b", "3 kW", "step 1", NULL});
}

/* b's 60 kW are 50 too many for the line in step 0; of its 10 kW in step 1 the supply has 9. */
static void test_a_shortage_is_named_before_a_line(void)
{
    check_infeasible(
        HORIZON(2) TWO_BUSES("") "\"supply\": [{\"id\": \"s\", \"bus\": \"a\", \"price_per_mwh\": "
                                 "50, \"import_limit_kw\": [90, 9]}], \"agents\": [" AGENT(
                                     "home", "b",
                                     "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": [60, "
                                     "10]}") "]}",
        (const char *const[]){"1 kW of draw cannot be supplied in step 1", "; 1 more need cannot",
                              NULL});
}

static void test_a_device_that_cannot_be_satisfied_is_named(void)
{
    check_infeasible(
        HORIZON(2) COPPERPLATE
        "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": "
        "50}], \"agents\": [" AGENT(
            "home", "1",
            "{\"id\": \"car\", \"type\": \"ev\", \"arrive\": 0, \"depart\": 2, \"energy_kwh\": "
            "100, \"charge_kw\": 3}") "]}",
        (const char *const[]){"agent home, device car", "step 1", NULL});
}

/*
 * What a device pays to be left alone may be far above every other price: 10 kWh are wanted, 4 can
 * be had at 1; the other 6 at 90,000 are left unserved: 0.004 + 0.006 · 90,000 = 540.004.
 */
static const char dear_market[] = HORIZON(2) COPPERPLATE
    "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": 1, \"import_limit_kw\": 2}], "
    "\"agents\": [" AGENT(
        "home", "1",
        "{\"id\": \"car\", \"type\": \"ev\", \"arrive\": 0, \"depart\": 2, \"energy_kwh\": "
        "10, \"charge_kw\": 10, \"unserved_price_per_mwh\": 90000}") "]}";

static void test_a_market_may_be_dearer_than_its_offers(void)
{
    struct marketkit kit = clear_at(dear_market, 1e-8);

    CU_ASSERT_TRUE(marketkit_is_good(&kit));
    if (kit.market && kit.market->has_plan)
        TESTKIT_CLOSE(kit.market->objective, 540.004, 1e-7);
    marketkit_release(&kit);
}

/* A gap of 1 is reached by any bound that is not negative: it says nothing about what can be met.
 */
static void test_a_wide_gap_calls_no_market_infeasible(void)
{
    struct marketkit kit = clear_at(dear_market, 1.0);

    CU_ASSERT_TRUE(marketkit_is_good(&kit));
    marketkit_release(&kit);
}

static const char matpower_text[] = "function mpc = two\n"
                                    "mpc.version = '2';\n"
                                    "mpc.baseMVA = 100;\n"
                                    "mpc.bus = [\n"
                                    " 1 3 0 0 0 0 1 1 0 230 1 1.1 0.9;\n"
                                    " 2 1 150 0 0 0 1 1 0 230 1 1.1 0.9;\n"
                                    "];\n"
                                    "mpc.gen = [\n"
                                    " 1 0 0 0 0 1 100 1 300 0;\n"
                                    " 2 0 0 0 0 1 100 1 300 0;\n"
                                    "];\n"
                                    "mpc.branch = [\n"
                                    " 1 2 0 0.1 0 100 0 0 0 0 1 -360 360;\n"
                                    "];\n"
                                    "mpc.gencost = [\n"
                                    " 2 0 0 3 0.01 10 5;\n"
                                    " 2 0 0 2 40 0 0;\n"
                                    "];\n";

/*
 * 150 MW at bus 2, 100 over the line: the first unit costs 0.01 · 100² + 10 · 100 + 5 = 1,105, its
 * marginal price is 10 + 0.02 · 100 = 12; the second gives 50 at 40: 2,000.
 */
static void test_a_matpower_case_is_a_market(void)
{
    struct marketkit kit = clear_at(matpower_text, 1e-8);

    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&kit));
    TESTKIT_CLOSE(kit.market->objective, 3105.0, 1e-7);
    TESTKIT_CLOSE(marketkit_price(&kit, "1", 0), 12.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "2", 0), 40.0, 1e-6);
    marketkit_release(&kit);
}

/* Markets with hardly anything in them: what they cost and the price of step 0 at the first bus. */
static void test_markets_with_next_to_nothing_in_them(void)
{
    static const struct {
        const char *text;
        double cost, price; /* NAN: any */
    } cases[] = {
        /* no devices at all */
        {HORIZON(3) COPPERPLATE
         "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": 50}], \"agents\": []}",
         0.0, (double)NAN},
        /* neither supply nor devices */
        {HORIZON(1) COPPERPLATE "\"supply\": [], \"agents\": []}", 0.0, (double)NAN},
        /* no demand, an idle battery */
        {HORIZON(2) COPPERPLATE
         "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": 50}], \"agents\": "
         "[" AGENT(
             "home", "1",
             "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": 0}, {\"id\": \"bat\", \"type\": "
             "\"battery\", \"capacity_kwh\": 5, \"charge_kw\": 5, \"discharge_kw\": 5, "
             "\"start_kwh\": 0, \"wear_per_mwh\": 1}") "]}",
         0.0, (double)NAN},
        /* import without a limit: 1 GW at 50 */
        {HORIZON(1) COPPERPLATE
         "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": 50}], \"agents\": "
         "[" AGENT("city", "1", "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": 1e6}") "]}",
         50000.0, 50.0},
        /* nothing but exports: 10 kW at 30, and 2 kW that nobody takes */
        {HORIZON(1) COPPERPLATE
         "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": 40, "
         "\"import_limit_kw\": 0, \"export_limit_kw\": 10, \"export_price_per_mwh\": 30}], "
         "\"agents\": [" AGENT("roof", "1",
                               "{\"id\": \"pv\", \"type\": \"pv\", \"available_kw\": 12}") "]}",
         -0.3, 0.0},
        /* negative price, one step: being given 4 kWh at -25 earns 0.1 */
        {HORIZON(1) COPPERPLATE
         "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": -25}], \"agents\": "
         "[" AGENT("home", "1", "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": 4}") "]}",
         -0.1, -25.0},
        /* no supply: the bid at 60 meets the offer at 20, 3 kW, served in full */
        {HORIZON(1) COPPERPLATE "\"supply\": [], \"agents\": [" AGENT(
             "buyer", "1",
             "{\"id\": \"bid\", \"type\": \"bid\", \"demand\": "
             "[[3, 60]]}") ", " AGENT("seller", "1",
                                      "{\"id\": \"bid\", "
                                      "\"type\": \"bid\", "
                                      "\"offer\": [[5, 20]]}") "]"
                                                               "}",
         -0.12, 20.0},
        /* all prices zero */
        {HORIZON(1) COPPERPLATE
         "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": 0}], \"agents\": [" AGENT(
             "home", "1", "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": 4}") "]}",
         0.0, 0.0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct marketkit kit = clear_at(cases[i].text, 1e-7);
        bool good = marketkit_is_good(&kit) &&
                    testkit_close(kit.market->objective, cases[i].cost, 1e-6) &&
                    (isnan(cases[i].price) ||
                     testkit_close(kit.market->price_per_mwh[0], cases[i].price, 1e-5));

        if (!good)
            fprintf(stderr, "case %zu: %s, cost %g, price %g; expected %g, %g\n", i,
                    kit.market ? market_outcome_name(kit.market->outcome) : "?",
                    kit.market ? kit.market->objective : (double)NAN,
                    kit.market && kit.market->price_per_mwh ? kit.market->price_per_mwh[0]
                                                            : (double)NAN,
                    cases[i].cost, cases[i].price);
        CU_ASSERT_TRUE(good);
        marketkit_release(&kit);
    }
}

/* At -25 the battery burns 5 kW by charging and discharging at once, as the linear model has it. */
static void test_negative_prices_pay_for_wasting(void)
{
    struct marketkit kit = clear_at(
        HORIZON(1) COPPERPLATE
        "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": -25}], \"agents\": "
        "[" AGENT(
            "home", "1",
            "{\"id\": \"bat\", \"type\": \"battery\", \"capacity_kwh\": 10, \"charge_kw\": 10, "
            "\"discharge_kw\": 10, \"charge_efficiency\": 0.5, \"discharge_efficiency\": 1, "
            "\"start_kwh\": 10}") "]}",
        1e-8);

    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&kit)); /* c = 10, d = 5: draw 5, the state stands */
    TESTKIT_CLOSE(kit.market->objective, -0.125, 1e-7);
    TESTKIT_CLOSE(marketkit_award(&kit, "home", "bat", 0), 5.0, 1e-6);
    marketkit_release(&kit);
}

/*
 * Sixty homes behind the line, in units of `kw` and `price`: batteries, cars and loads with
 * different numbers; evenings are dear.
 */
static char *write_homes(double kw, double price)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fprintf(out,
            HORIZON(6) "\"grid\": {\"base_mva\": %g, \"slack\": \"a\", \"buses\": [{\"id\": "
                       "\"a\"}, {\"id\": \"b\"}], \"lines\": [{\"id\": \"l\", \"from\": \"a\", "
                       "\"to\": \"b\", \"x_pu\": 0.1, \"limit_kw\": %.17g}]}, \"supply\": [{"
                       "\"id\": \"s\", \"bus\": \"a\", \"price_per_mwh\": [%.17g, %.17g, %.17g, "
                       "%.17g, %.17g, %.17g]}], \"agents\": [",
            kw, 190.0 * kw, 31.0 * price, 20.0 * price, 47.0 * price, 88.0 * price, 95.0 * price,
            52.0 * price);
    for (unsigned i = 0; i < 60; i++) {
        unsigned a = (i * 37 + 11) % 60, b = (i * 23 + 5) % 60;

        fprintf(out,
                "%s{\"id\": \"h%u\", \"bus\": \"b\", \"devices\": [{\"id\": \"load\", \"type\": "
                "\"load\", \"draw_kw\": [%.17g, %.17g, 0, %.17g, %.17g, 0]}, {\"id\": \"bat\", "
                "\"type\": \"battery\", \"capacity_kwh\": %.17g, \"charge_kw\": %.17g, "
                "\"discharge_kw\": %.17g, \"start_kwh\": %.17g, \"charge_efficiency\": 0.9}, "
                "{\"id\": \"car\", \"type\": \"ev\", \"arrive\": %u, \"depart\": %u, "
                "\"energy_kwh\": %.17g, \"charge_kw\": %.17g, \"efficiency\": 0.9}]}",
                i == 0 ? "" : ", ", i, kw * (1.0 + 0.01 * a), kw * (0.5 + 0.02 * b),
                kw * (2.0 + 0.03 * a), kw * (2.0 + 0.01 * b), kw * (4.0 + 0.1 * a),
                kw * (1.0 + 0.05 * b), kw * (1.0 + 0.04 * a), kw * 0.05 * b, i % 3, 4 + i % 3,
                kw * (2.0 + 0.07 * a), kw * (2.0 + 0.03 * b));
    }
    fputs("]}", out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static struct marketkit clear_homes(double kw, double price,
                                    const struct scenario_clear_settings *settings)
{
    char *text = write_homes(kw, price);
    struct marketkit kit;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    marketkit_clear(text, NULL, settings, &kit);
    free(text);
    return kit;
}

static bool same_bits(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof(*a)) == 0;
}

static bool same_certificate(const struct scenario_certificate *a,
                             const struct scenario_certificate *b)
{
    return a->clean == b->clean && same_bits(&a->objective, &b->objective, 1) &&
           same_bits(&a->dual_bound, &b->dual_bound, 1) &&
           same_bits(&a->drawn_mwh, &b->drawn_mwh, 1) &&
           same_bits(&a->given_mwh, &b->given_mwh, 1) &&
           same_bits(&a->max_imbalance_kw, &b->max_imbalance_kw, 1) &&
           same_bits(&a->max_flow_error_kw, &b->max_flow_error_kw, 1) &&
           same_bits(&a->max_device_breach, &b->max_device_breach, 1) &&
           a->device_breach.index == b->device_breach.index &&
           a->device_breach.step == b->device_breach.step && a->device_what == b->device_what;
}

/* awards.csv, as text; free it. */
static char *spell_awards(const struct marketkit *kit)
{
    const char *directory = resultkit_directory();
    char *path = NULL, *text = NULL;
    size_t size = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    CU_ASSERT_EQUAL(scenario_result_write(directory, kit->result, NULL), WALRAS_OK);
    path = walras_path_join(directory, "awards.csv");
    CU_ASSERT_PTR_NOT_NULL_FATAL(path);
    CU_ASSERT_EQUAL(walras_file_read(path, 1 << 24, &text, &size, NULL), WALRAS_OK);
    free(path);
    resultkit_remove(directory);
    return text;
}

static bool same_awards(const struct marketkit *a, const struct marketkit *b)
{
    char *left = spell_awards(a), *right = spell_awards(b);
    size_t n = a->scenario.n_device * a->scenario.horizon.n_step;
    double *kw = calloc(2 * n, sizeof(*kw));
    bool same = false;

    CU_ASSERT_PTR_NOT_NULL_FATAL(kw);
    CU_ASSERT_EQUAL(scenario_awards_read(a->result->awards, 0, a->scenario.n_device, kw, NULL),
                    WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_awards_read(b->result->awards, 0, a->scenario.n_device, kw + n, NULL),
                    WALRAS_OK);
    same = same_bits(kw, kw + n, n) && left && right && strcmp(left, right) == 0;
    free(kw);
    free(left);
    free(right);
    return same;
}

static bool same_result(const struct marketkit *a, const struct marketkit *b)
{
    const struct market_result *left = a->market, *right = b->market;
    size_t n_step = a->scenario.horizon.n_step;

    return left->n_rounds == right->n_rounds && same_bits(&left->objective, &right->objective, 1) &&
           same_bits(&left->bound, &right->bound, 1) &&
           same_bits(left->price_per_mwh, right->price_per_mwh, left->n_bus * n_step) &&
           same_certificate(a->certificate, b->certificate) && same_awards(a, b);
}

static void test_results_are_the_same_to_the_bit(void)
{
    static const struct {
        unsigned n_thread;
        size_t kept_bytes; /* 0: awards are computed when they are asked for */
    } runs[] = {{1, SIZE_MAX}, {1, 0}, {2, SIZE_MAX}, {2, 0}, {5, 0}};
    struct scenario_clear_settings settings = marketkit_settings(1e-5);
    struct marketkit first;
    /* twelve parts of up to 256 devices in one group, so that threads have something to share */
    static const char text[] =
        HORIZON(6) COPPERPLATE "\"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": "
                               "[30, 20, 45, 80, 95, 50], \"import_limit_kw\": 6500}], \"agents\": "
                               "[], \"fleets\": [{\"id\": \"f\", \"count\": 3000, \"seed\": 7, "
                               "\"buses\": [\"1\"], \"mix\": {\"ev\": 0.4, \"battery\": 0.4, "
                               "\"thermal\": 0.2}}]}";

    settings.n_group = 1;
    marketkit_clear(text, NULL, &settings, &first);
    CU_ASSERT_EQUAL_FATAL(first.status, WALRAS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first.result->awards);
    CU_ASSERT_TRUE(marketkit_is_good(&first));
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        struct marketkit kit;

        settings.market.n_thread = runs[i].n_thread;
        settings.kept_bytes = runs[i].kept_bytes;
        marketkit_clear(text, NULL, &settings, &kit);
        CU_ASSERT_TRUE_FATAL(kit.status == WALRAS_OK && kit.result->awards);
        CU_ASSERT_EQUAL(kit.result->awards->draw_kw != NULL, runs[i].kept_bytes > 0);
        CU_ASSERT_TRUE(same_result(&first, &kit));
        marketkit_release(&kit);
    }
    marketkit_release(&first);
}

static void test_units_change_no_round(void)
{
    static const double kw[] = {1.0, 1000.0, 1.0, 10.0}, price[] = {1.0, 1.0, 100.0, 1.0};
    struct scenario_clear_settings settings = marketkit_settings(1e-6);
    unsigned rounds = 0;
    double cost = 0.0;

    for (size_t i = 0; i < sizeof(kw) / sizeof(kw[0]); i++) {
        struct marketkit kit = clear_homes(kw[i], price[i], &settings);

        CU_ASSERT_TRUE_FATAL(marketkit_is_good(&kit));
        if (i == 0) {
            rounds = kit.market->n_rounds;
            cost = kit.market->objective;
        }
        printf("%u ", kit.market->n_rounds);
        CU_ASSERT_EQUAL(kit.market->n_rounds, rounds);
        TESTKIT_CLOSE(kit.market->objective / (kw[i] * price[i]), cost, 3e-6);
        marketkit_release(&kit);
    }
}

static void test_glpk_and_the_fast_solvers_clear_alike(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);
    struct marketkit fast = clear_homes(1.0, 1.0, &settings), glpk;

    settings.glpk = true;
    glpk = clear_homes(1.0, 1.0, &settings);
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&fast));
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&glpk));
    CU_ASSERT_TRUE(glpk.market->bound <= fast.market->objective * (1.0 + 1e-9));
    CU_ASSERT_TRUE(fast.market->bound <= glpk.market->objective * (1.0 + 1e-9));
    marketkit_release(&fast);
    marketkit_release(&glpk);
}

static void test_methods_and_masters_agree(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-5);
    struct marketkit qp = clear_homes(1.0, 1.0, &settings), lp;

    settings.market.master = "lp";
    lp = clear_homes(1.0, 1.0, &settings);
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&qp));
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&lp));
    CU_ASSERT_TRUE(lp.market->bound <= qp.market->objective * (1.0 + 1e-9));
    CU_ASSERT_TRUE(qp.market->bound <= lp.market->objective * (1.0 + 1e-9));
    marketkit_release(&qp);
    marketkit_release(&lp);
}

static bool stop_at_three(void *context, const struct market_round *round)
{
    *(unsigned *)context = round->round;
    return round->round < 3;
}

static void test_stopping_is_a_time_limit_with_a_true_bound(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-9);
    unsigned seen = 0;

    settings.market.progress = stop_at_three;
    settings.market.context = &seen;
    struct marketkit stopped = clear_homes(1.0, 1.0, &settings);

    settings.market.progress = NULL;
    settings.market.gap = 1e-6;
    struct marketkit best = clear_homes(1.0, 1.0, &settings);

    CU_ASSERT_EQUAL_FATAL(stopped.status, WALRAS_OK);
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&best));
    CU_ASSERT_EQUAL(seen, 3);
    CU_ASSERT_EQUAL(stopped.market->outcome, MARKET_TIME_LIMIT);
    CU_ASSERT_EQUAL(stopped.market->n_rounds, 3);
    CU_ASSERT_TRUE(stopped.market->bound <= best.market->objective);
    if (stopped.market->has_plan) {
        CU_ASSERT_TRUE(stopped.certificate && stopped.certificate->clean);
        CU_ASSERT_TRUE(stopped.market->objective >= best.market->bound);
    }
    marketkit_release(&stopped);
    marketkit_release(&best);
}

static void test_a_zero_time_limit_still_answers(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-9);

    settings.market.time_limit_s = 0.0;
    struct marketkit kit = clear_homes(1.0, 1.0, &settings);

    CU_ASSERT_EQUAL_FATAL(kit.status, WALRAS_OK);
    CU_ASSERT_EQUAL(kit.market->outcome, MARKET_TIME_LIMIT);
    CU_ASSERT_EQUAL(kit.market->n_rounds, 1);
    marketkit_release(&kit);
}

static void test_settings_are_judged(void)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-4);
    static const char text[] = HORIZON(1) COPPERPLATE "\"supply\": [], \"agents\": []}";

    for (size_t i = 0; i < 6; i++) {
        struct scenario_clear_settings wrong = settings;
        struct marketkit kit;

        switch (i) {
        case 0:
            wrong.market.gap = 0.0;
            break;
        case 1:
            wrong.market.gap = NAN;
            break;
        case 2:
            wrong.market.method = "guess";
            break;
        case 3:
            wrong.market.master = "guess";
            break;
        case 4:
            wrong.market.n_point = 0;
            break;
        default:
            wrong.market.n_point = MARKET_MAX_POINTS + 1;
            break;
        }
        marketkit_clear(text, NULL, &wrong, &kit);
        CU_ASSERT_EQUAL(kit.status, WALRAS_INVALID);
        marketkit_release(&kit);
    }
}

static const struct testkit_test tests[] = {
    {"a full line splits the prices", test_a_full_line_splits_the_prices},
    {"a soft limit is relaxed, and paid for", test_a_soft_limit_is_relaxed_and_paid},
    {"a soft limit may be free", test_a_soft_limit_may_be_free},
    {"a battery moves energy to the dear hour", test_a_battery_moves_energy_to_the_dear_hour},
    {"an appliance leaves a gap, and it is told", test_an_appliance_leaves_a_gap_that_is_told},
    {"appliances make room for each other", test_appliances_make_room_for_each_other},
    {"an appliance that fits no hour is no success",
     test_an_appliance_that_fits_no_hour_is_no_success},
    {"a shortage names the step", test_a_shortage_names_the_step},
    {"a surplus names the step", test_a_surplus_names_the_step},
    {"a shortage is named before a line", test_a_shortage_is_named_before_a_line},
    {"a full line that cannot be relieved is named",
     test_a_full_line_that_cannot_be_relieved_is_named},
    {"a device that cannot be satisfied is named", test_a_device_that_cannot_be_satisfied_is_named},
    {"a market may be dearer than its offers", test_a_market_may_be_dearer_than_its_offers},
    {"a wide gap calls no market infeasible", test_a_wide_gap_calls_no_market_infeasible},
    {"a MATPOWER case is a market", test_a_matpower_case_is_a_market},
    {"markets with next to nothing in them clear", test_markets_with_next_to_nothing_in_them},
    {"negative prices pay for wasting", test_negative_prices_pay_for_wasting},
    {"two runs and any number of threads give the same bits", test_results_are_the_same_to_the_bit},
    {"units change no round", test_units_change_no_round},
    {"GLPK and the fast solvers clear alike", test_glpk_and_the_fast_solvers_clear_alike},
    {"the LP master and the quadratic one agree", test_methods_and_masters_agree},
    {"stopping is a time limit, its bound is true",
     test_stopping_is_a_time_limit_with_a_true_bound},
    {"a time limit of zero still answers", test_a_zero_time_limit_still_answers},
    {"settings are judged", test_settings_are_judged},
};
TESTKIT_MAIN("clear", tests)
