#include "core/units.h"
#include "grid/powerflow.h"
#include "marketkit.h"
#include "resultkit.h"
#include "scenario/ac.h"
#include "scenario/compare.h"
#include "scenario/digest.h"
#include "scenario/explain.h"
#include "scenario/export.h"
#include "scenario/losses.h"
#include "scenario/parts.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Markets whose supply covers losses. One line of r from the slack at 1 p.u. to a load of p without
 * reactance or kvar, per unit: the current i solves r i² - i + p = 0, and the slack gives i, so
 * that
 *
 *     i(p) = (1 - √(1 - 4 r p)) / (2 r),   di/dp = 1 / √(1 - 4 r p)
 *
 * With r = 0.05, p = 0.5 (base 1 MVA): √0.9 = 0.94868330, i = 0.51316702, so 13.16702 kW are lost,
 * and one more kW costs 1.05409255 at the slack.
 */
#define MARKET(model, line, price, devices)                                                        \
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": 60, "    \
    "\"steps\": 1}, \"grid\": {\"losses\": true, \"model\": \"" model                              \
    "\", \"base_mva\": 1, \"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": \"b\"}], "       \
    "\"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"b\"" line                              \
    "}]}, \"supply\": [{\"id\": \"w\", \"bus\": \"s\", \"price_per_mwh\": " price                  \
    "}], \"agents\": [{\"id\": \"a\", \"bus\": \"b\", \"devices\": [" devices "]}]}"
#define LOAD "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": 500}"

#define RESISTANCE ", \"r_pu\": 0.05, \"x_pu\": 0"

static const double lost_kw = 13.16701949, factor = 1.05409255;

static void clear(const char *text, struct marketkit *kit)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-9);

    marketkit_clear(text, NULL, &settings, kit);
    if (kit->status != WALRAS_OK)
        fprintf(stderr, "%s\n", kit->err.msg);
    CU_ASSERT_EQUAL_FATAL(kit->status, WALRAS_OK);
}

static void check_settled(const struct marketkit *kit)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(kit->result->losses);
    CU_ASSERT_TRUE(kit->result->losses->settled);
    CU_ASSERT_STRING_EQUAL(kit->result->losses->why, "");
    CU_ASSERT_TRUE(marketkit_is_good(kit));
}

static void test_supply_covers_what_a_line_loses(void)
{
    struct marketkit kit;

    clear(MARKET("lindistflow", RESISTANCE, "100", LOAD), &kit);
    check_settled(&kit);
    CU_ASSERT_EQUAL(kit.result->losses->n_clearing, 2);
    TESTKIT_CLOSE(kit.result->loss_kw[0], lost_kw, 1e-6);
    TESTKIT_CLOSE(kit.result->import_kw[0], 500.0 + lost_kw, 1e-6);
    TESTKIT_CLOSE(kit.certificate->objective, 0.1 * (500.0 + lost_kw), 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "s", 0), 100.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 100.0 * factor, 1e-5);
    TESTKIT_CLOSE(kit.result->parts->loss[0], 0.0, 1e-9);
    TESTKIT_CLOSE(kit.result->parts->loss[1], 100.0 * (factor - 1.0), 1e-5);
    TESTKIT_CLOSE(kit.result->parts->energy[1], 100.0, 1e-6);
    CU_ASSERT_TRUE(kit.certificate->physics.max_loss_error_kw < 1e-6);
    marketkit_release(&kit);
}

static void expect(const char *text, const char *word)
{
    if (!strstr(text, word))
        fprintf(stderr, "\"%s\" is not in: %s\n", word, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, word));
}

/* In the summary, in result.json, and in words. */
static void test_losses_are_told(void)
{
    const char *directory = resultkit_directory();
    struct marketkit kit;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    CU_ASSERT_FATAL(file && directory);
    clear(MARKET("lindistflow", RESISTANCE, "100", LOAD), &kit);
    CU_ASSERT_EQUAL(scenario_digest_print(file, kit.result, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_result_print(file, kit.result, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_result_write(directory, kit.result, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_explain(directory, "b", 0, file, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(fclose(file), 0);
    expect(text, "13.17 kWh are bought for them");
    expect(text, "\"settled\": true");
    expect(text, "\"binding\": []");
    expect(text, "\"max_loss_error_kw\"");
    expect(text, "5.4093   a kW drawn here makes the grid lose +0.05409 kW");
    resultkit_remove(directory);
    free(text);
    marketkit_release(&kit);
}

/* In the model dc as well, whose flows need a reactance: it changes little here. */
static void test_the_model_dc_covers_losses_too(void)
{
    struct marketkit kit;

    clear(MARKET("dc", ", \"r_pu\": 0.05, \"x_pu\": 1e-5", "100", LOAD), &kit);
    check_settled(&kit);
    TESTKIT_CLOSE(kit.result->loss_kw[0], lost_kw, 1e-4);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 100.0 * factor, 1e-4);
    TESTKIT_CLOSE(kit.result->flow_kw[0], 500.0, 1e-9);
    marketkit_release(&kit);
}

/* At a price below 0 the slack would lose more than is lost, were it not told how much that is. */
static void test_prices_below_zero_lose_no_more(void)
{
    struct marketkit kit;

    clear(MARKET("lindistflow", RESISTANCE, "-20", LOAD), &kit);
    check_settled(&kit);
    TESTKIT_CLOSE(kit.result->loss_kw[0], lost_kw, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), -20.0 * factor, 1e-5);
    TESTKIT_CLOSE(kit.result->parts->loss[1], -20.0 * (factor - 1.0), 1e-5);
    marketkit_release(&kit);
}

/* cost(g), currency per h, of a market that is solved by its AC power flow alone. */
static double cost_with(const struct marketkit *kit, struct grid_powerflow *flow, double kw)
{
    double p[] = {0.0, kw - 500.0}, q[] = {0.0, 0.0};
    struct grid_powerflow_input input = {.injection_kw = p, .injection_kvar = q};
    struct grid_powerflow_solution solved = {0};

    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &solved, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(kit->scenario.network.n_bus, 2);
    return walras_mwh(solved.injection_kw[0] * 100.0 + kw * (90.0 + 0.05 * kw), 1.0);
}

/*
 * A generator at the load, 90 + 0.1 g a MWh at g kW: it pays to give until its price is that of the
 * slack with what is lost, found here by halving intervals over the AC power flow.
 */
static void test_the_plan_is_the_best_one_in_truth(void)
{
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    struct grid_powerflow *flow = NULL;
    struct marketkit kit;
    double low = 0.0, high = 500.0;

    clear(MARKET("lindistflow", RESISTANCE, "100",
                 LOAD ", {\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 500, \"cost\": "
                      "{\"per_mwh\": 90, \"per_mw2h\": 50}}"),
          &kit);
    check_settled(&kit);
    CU_ASSERT_EQUAL_FATAL(grid_powerflow_new(&kit.scenario.network, &settings, &flow, NULL),
                          WALRAS_OK);
    while (high - low > 1e-4) {
        double third = (high - low) / 3.0;

        if (cost_with(&kit, flow, low + third) < cost_with(&kit, flow, high - third))
            high -= third;
        else
            low += third;
    }
    printf("(%.2f kW, %.2f at best, %u clearings) ", -marketkit_award(&kit, "a", "g", 0), low,
           kit.result->losses->n_clearing);
    CU_ASSERT_DOUBLE_EQUAL(-marketkit_award(&kit, "a", "g", 0), low, 2.0);
    TESTKIT_CLOSE(kit.certificate->objective, cost_with(&kit, flow, low), 1e-4);
    grid_powerflow_free(flow);
    marketkit_release(&kit);
}

/* Two slacks: each covers its own tree, which has no line to the other, and the other a part. */
static void test_each_tree_covers_its_own(void)
{
    struct marketkit kit;

    clear(
        "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": 60, "
        "\"steps\": 1}, \"grid\": {\"losses\": true, \"model\": \"lindistflow\", \"base_mva\": 1, "
        "\"slack\": [\"s\", \"t\"], \"buses\": [{\"id\": \"s\"}, {\"id\": \"b\"}, {\"id\": "
        "\"t\"}, {\"id\": \"c\"}], \"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"b\", "
        "\"r_pu\": 0.05, \"x_pu\": 0}, {\"id\": \"m\", \"from\": \"c\", \"to\": \"t\", \"r_pu\": "
        "0.05, \"x_pu\": 0}]}, "
        "\"supply\": [{\"id\": \"w\", \"bus\": \"s\", \"price_per_mwh\": 100}, {\"id\": \"v\", "
        "\"bus\": \"t\", \"price_per_mwh\": 30}], \"agents\": [{\"id\": \"a\", \"bus\": \"b\", "
        "\"devices\": [" LOAD "]}, {\"id\": \"d\", \"bus\": \"c\", \"devices\": [" LOAD "]}]}",
        &kit);
    check_settled(&kit);
    TESTKIT_CLOSE(kit.result->loss_kw[0], lost_kw, 1e-6);
    TESTKIT_CLOSE(kit.result->loss_kw[1], lost_kw, 1e-6);
    TESTKIT_CLOSE(kit.result->import_kw[0], 500.0 + lost_kw, 1e-6);
    TESTKIT_CLOSE(kit.result->import_kw[1], 500.0 + lost_kw, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 100.0 * factor, 1e-5);
    TESTKIT_CLOSE(marketkit_price(&kit, "c", 0), 30.0 * factor, 1e-5);
    TESTKIT_CLOSE(kit.result->parts->loss[3], 30.0 * (factor - 1.0), 1e-5);
    marketkit_release(&kit);
}

/* What an import limit leaves once losses are covered is what the load can have. */
static void test_losses_take_their_share_of_a_limit(void)
{
    struct marketkit kit;

    clear(MARKET("lindistflow", RESISTANCE, "100, \"import_limit_kw\": 505", LOAD), &kit);
    CU_ASSERT_EQUAL(kit.market->outcome, MARKET_INFEASIBLE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kit.result->why);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit.result->why, "cannot be supplied in step 0"));
    marketkit_release(&kit);
}

static void test_limits_are_kept_in_truth_with_losses(void)
{
    static const char text[] =
        MARKET("lindistflow", RESISTANCE ", \"limit_kw\": 400", "100",
               LOAD ", {\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 500, \"segments\": "
                    "[[500, 200]]}");
    struct scenario_clear_settings settings = marketkit_settings(1e-9);
    struct scenario_settings read = scenario_settings_defaults();
    struct scenario scenario = {0};
    struct scenario_ac_run run;

    CU_ASSERT_EQUAL_FATAL(scenario_parse("test", text, strlen(text), &read, &scenario, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(scenario_clear_ac(&scenario, &settings, &run, NULL), WALRAS_OK);
    const struct scenario_result *result = scenario_clearing_result(run.clearing);

    CU_ASSERT_TRUE(run.told.feasible);
    CU_ASSERT_TRUE(result->losses->settled);
    CU_ASSERT_TRUE(result->certificate->clean);
    CU_ASSERT_DOUBLE_EQUAL(result->certificate->physics.max_loading, 1.0, 2e-3);
    CU_ASSERT_DOUBLE_EQUAL(result->import_kw[0], 400.0, 1.0); /* what the line takes in */
    scenario_ac_release(&run);
    scenario_release(&scenario);
}

static void check_refused(const char *text, const char *word)
{
    struct scenario_settings read = scenario_settings_defaults();
    struct scenario scenario = {0};
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(scenario_parse("test", text, strlen(text), &read, &scenario, &err),
                    WALRAS_INVALID);
    if (!strstr(err.msg, word))
        fprintf(stderr, "%s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, word));
}

static void test_what_has_no_losses_is_refused(void)
{
    check_refused(MARKET("copperplate", ", \"x_pu\": 0.1", "100", LOAD), "copperplate");
    check_refused(
        "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": "
        "60, \"steps\": 1}, \"grid\": {\"losses\": true, \"slack\": \"s\", \"buses\": "
        "[{\"id\": \"s\"}], \"lines\": []}}",
        "no lines");
    check_refused(MARKET("lindistflow", ", \"r_pu\": 0, \"x_pu\": 0", "100", LOAD), "impedance");
}

static void test_whoever_cannot_learn_them_refuses(void)
{
    static const char text[] = MARKET("lindistflow", RESISTANCE, "100", LOAD);
    static const char *const methods[] = {"bundle"};
    struct scenario_export_settings export = {.format = SCENARIO_EXPORT_LP};
    struct scenario_compare_settings compare = {
        .clear = marketkit_settings(1e-4), .methods = methods, .n_method = 1};
    struct scenario_settings read = scenario_settings_defaults();
    struct scenario_comparison comparison = {0};
    struct scenario scenario = {0};
    struct walras_err err = {0};

    CU_ASSERT_EQUAL_FATAL(scenario_parse("test", text, strlen(text), &read, &scenario, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_export(&scenario, &export, stdout, NULL, &err), WALRAS_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "losses"));
    CU_ASSERT_EQUAL(scenario_compare(&scenario, &compare, &comparison, NULL), WALRAS_UNSUPPORTED);
    scenario_release(&scenario);
}

static const struct testkit_test tests[] = {
    {"supply covers what a line loses", test_supply_covers_what_a_line_loses},
    {"losses are told", test_losses_are_told},
    {"the model dc covers losses too", test_the_model_dc_covers_losses_too},
    {"prices below zero lose no more", test_prices_below_zero_lose_no_more},
    {"the plan is the best one in truth", test_the_plan_is_the_best_one_in_truth},
    {"each tree covers its own", test_each_tree_covers_its_own},
    {"losses take their share of a limit", test_losses_take_their_share_of_a_limit},
    {"limits are kept in truth with losses", test_limits_are_kept_in_truth_with_losses},
    {"what has no losses is refused", test_what_has_no_losses_is_refused},
    {"whoever cannot learn them refuses", test_whoever_cannot_learn_them_refuses},
};
TESTKIT_MAIN("losses", tests)
