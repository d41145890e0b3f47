#include "central_lp.h"
#include "core/file.h"
#include "marketkit.h"
#include "random_market.h"
#include "scenario/export.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Markets written out, read back by GLPK and solved: against the central program of the tests,
 * which shares no formulation with the devices' own, and against what the engine proves.
 */

enum { RANDOM_MARKETS = 150 };

static const enum scenario_export_format formats[] = {SCENARIO_EXPORT_LP, SCENARIO_EXPORT_MPS};
static const char *const endings[] = {"lp", "mps"};

/* Writes, reads and solves; what was counted must be what is read. */
static void solve_written(const struct scenario *scenario, size_t format, bool short_names,
                          struct lp_info *optimum)
{
    struct scenario_export_settings settings = {.format = formats[format],
                                                .short_names = short_names};
    struct scenario_export_info info = {0};
    struct walras_err err = {0};
    struct lp *lp = NULL;
    char path[64];
    FILE *file = NULL;

    snprintf(path, sizeof(path), "test_export_%ld.%s", (long)getpid(), endings[format]);
    *optimum = (struct lp_info){.objective = NAN, .bound = NAN};
    CU_ASSERT_EQUAL_FATAL(walras_file_create(path, &file, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_export(scenario, &settings, file, &info, &err), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_file_finish(file, path, NULL), WALRAS_OK);
    if (lp_read(path, &lp, &err) == WALRAS_OK) {
        CU_ASSERT_EQUAL(lp_columns(lp), info.n_column);
        if (formats[format] == SCENARIO_EXPORT_MPS) { /* in LP a range is two rows */
            CU_ASSERT_EQUAL(lp_rows(lp), info.n_row);
            CU_ASSERT_EQUAL(lp_entries(lp), info.n_entry);
        }
        CU_ASSERT_EQUAL(lp_solve(lp, NULL, NULL, NULL, optimum, &err), WALRAS_OK);
    }
    if (err.code != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    CU_ASSERT_EQUAL(err.code, WALRAS_OK);
    lp_free(lp);
    unlink(path);
}

static bool try_market(uint64_t seed, size_t format, bool *infeasible)
{
    struct walras_rng rng = walras_rng_from_seed(seed);
    struct scenario_settings reading = scenario_settings_defaults();
    struct lp_info expected = {0}, found;
    struct scenario scenario;
    char *text = random_market(&rng);
    bool good;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL_FATAL(scenario_parse("random", text, strlen(text), &reading, &scenario, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL(central_lp_solve(&scenario, &expected, NULL), WALRAS_OK);
    solve_written(&scenario, format, seed % 3 == 0, &found);
    *infeasible = expected.outcome == LP_INFEASIBLE;
    good = found.outcome == expected.outcome &&
           (*infeasible || testkit_close(found.objective, expected.objective, 1e-8));
    if (!good)
        fprintf(stderr, "seed %llu, %s: outcome %d, %.12g; expected %d, %.12g\n",
                (unsigned long long)seed, endings[format], (int)found.outcome, found.objective,
                (int)expected.outcome, expected.objective);
    scenario_release(&scenario);
    free(text);
    return good;
}

static void test_random_markets_cost_the_same(void)
{
    size_t n = testkit_cases(RANDOM_MARKETS), n_wrong = 0, n_infeasible = 0;

    for (size_t i = 0; i < n; i++) {
        bool infeasible = false;

        n_wrong += !try_market(testkit_seed() + i, i % 2, &infeasible);
        n_infeasible += infeasible;
    }
    printf("%zu markets, %zu of them infeasible ", n, n_infeasible);
    CU_ASSERT_EQUAL(n_wrong, 0);
    CU_ASSERT_TRUE(n_infeasible < n / 2);
}

#define HEAD                                                                                       \
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": 60, "    \
    "\"steps\": 4}, "
#define PLATE "\"grid\": {\"copperplate\": true}, "
#define SUPPLY                                                                                     \
    "\"supply\": [{\"id\": \"w\", \"bus\": \"1\", \"price_per_mwh\": [20, 90, -30, 60], "          \
    "\"export_price_per_mwh\": [10, 80, -40, 50], \"import_limit_kw\": 40, "                       \
    "\"export_limit_kw\": 30}], "

/* Appliances, a battery that may not do both, a committed generator. */
static const char whole_numbers[] = HEAD PLATE SUPPLY
    "\"agents\": [{\"id\": \"a\", \"bus\": \"1\", \"devices\": ["
    "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": [30, 45, 5, 50]},"
    "{\"id\": \"s\", \"type\": \"shiftable\", \"profile_kw\": [6, 3], \"earliest\": 0, "
    "\"latest\": 2},"
    "{\"id\": \"b\", \"type\": \"battery\", \"capacity_kwh\": 10, \"charge_kw\": 6, "
    "\"discharge_kw\": 6, \"start_kwh\": 4, \"charge_efficiency\": 0.8, \"exclusive\": true},"
    "{\"id\": \"g\", \"type\": \"generator\", \"min_kw\": 5, \"max_kw\": 30, \"segments\": "
    "[[20, 40], [10, 70]], \"start_cost\": 0.3, \"min_up_steps\": 2, \"min_down_steps\": 2, "
    "\"ramp_kw_per_h\": 12}]}]}";

static void compare_with_engine(const char *text, const char *directory)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);
    struct marketkit kit = {0};

    marketkit_clear(text, directory, &settings, &kit);
    CU_ASSERT_EQUAL_FATAL(kit.status, WALRAS_OK);
    CU_ASSERT_TRUE_FATAL(kit.market->has_plan);
    for (size_t f = 0; f < 2; f++) {
        struct lp_info optimum;

        solve_written(&kit.scenario, f, false, &optimum);
        CU_ASSERT_EQUAL(optimum.outcome, LP_OPTIMAL);
        printf("%.6f <= %.6f <= %.6f ", kit.market->bound, optimum.objective,
               kit.market->objective);
        CU_ASSERT_TRUE(kit.market->bound <= optimum.objective + 1e-6);
        CU_ASSERT_TRUE(optimum.objective <= kit.market->objective + 1e-6);
        CU_ASSERT_TRUE(kit.market->objective - optimum.objective <= 1e-3);
    }
    marketkit_release(&kit);
}

static void test_whole_numbers_lie_between_bound_and_plan(void)
{
    compare_with_engine(whole_numbers, NULL);
}

static void test_programs_of_files_are_merged(void)
{
    static const char market[] =
        HEAD PLATE SUPPLY "\"agents\": [{\"id\": \"a\", \"bus\": \"1\", \"devices\": ["
                          "{\"id\": \"own\", \"type\": \"lp\", \"file\": \"own.lp\"}]}]}";
    static const char program[] = "Minimize\n cost: 0.05 warm - 0.02 draw_1\nSubject To\n"
                                  " c1: draw_0 + draw_1 + draw_2 + draw_3 + warm >= 9\n"
                                  " c2: draw_0 - 2 on = 0\nBounds\n draw_1 <= 3\n draw_2 <= 1\n"
                                  " draw_3 <= 3\n 1 <= on <= 3\nGeneral\n on\nEnd\n";
    FILE *file = NULL;

    CU_ASSERT_EQUAL_FATAL(walras_file_create("own.lp", &file, NULL), WALRAS_OK);
    fputs(program, file);
    CU_ASSERT_EQUAL_FATAL(walras_file_finish(file, "own.lp", NULL), WALRAS_OK);
    compare_with_engine(market, ".");
    unlink("own.lp");
}

static char *written(const char *text, enum scenario_export_format format, bool short_names)
{
    struct scenario_settings reading = scenario_settings_defaults();
    struct scenario_export_settings settings = {.format = format, .short_names = short_names};
    struct scenario scenario;
    char *out = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&out, &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL_FATAL(scenario_parse("text", text, strlen(text), &reading, &scenario, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_export(&scenario, &settings, file, NULL, NULL), WALRAS_OK);
    fclose(file);
    scenario_release(&scenario);
    return out;
}

static void expect_text(const char *text, enum scenario_export_format format, const char *part)
{
    char *out = written(text, format, false);

    if (!strstr(out, part))
        fprintf(stderr, "not there: %s\n%s\n", part, out);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, part));
    free(out);
}

static void test_quadratic_costs_stay_quadratic(void)
{
    static const char market[] =
        HEAD PLATE "\"agents\": [{\"id\": \"a\", \"bus\": \"1\", \"devices\": ["
                   "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 100},"
                   "{\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 400, \"cost\": "
                   "{\"per_mw2h\": 125, \"per_mwh\": 10, \"per_h\": 2}}]}]}";

    /* 125 per MW²h is 1.25e-4 per kW²h, twice that in x'Qx/2 */
    expect_text(market, SCENARIO_EXPORT_LP, "  + 0.00025 output(a,g,3) ^ 2 ] / 2\n");
    expect_text(market, SCENARIO_EXPORT_LP, " cost: 8 constant\n");
    expect_text(market, SCENARIO_EXPORT_MPS, "QUADOBJ\n output(a,g,0) output(a,g,0) 0.00025\n");
}

static void test_names_are_escaped_and_distinct(void)
{
    static const char load[] = "{\"id\": \"%s\", \"bus\": \"1\", \"devices\": [{\"id\": \"x,y\", "
                               "\"type\": \"pv\", \"available_kw\": 4}]}";
    static const char *const ids[] = {"home-1", "home~1", "home%2D1", "Z\xc3\xbcrich 8", "a(b)"};
    static const char *const names[] = {
        "produce(home~1,x%2Cy,0)", "produce(home%7E1,x%2Cy,0)", "produce(home%252D1,x%2Cy,0)",
        "produce(Z%C3%BCrich%208,x%2Cy,0)", "produce(a%28b%29,x%2Cy,0)"};
    char market[4096], lengthy[120], agent[256];
    size_t n = (size_t)snprintf(market, sizeof(market), "%s", HEAD PLATE SUPPLY "\"agents\": [");

    for (size_t i = 0; i < 5; i++) {
        snprintf(agent, sizeof(agent), load, ids[i]);
        n += (size_t)snprintf(market + n, sizeof(market) - n, "%s, ", agent);
    }
    memset(lengthy, 'n', sizeof(lengthy));
    lengthy[sizeof(lengthy) - 1] = '\0';
    snprintf(agent, sizeof(agent), load, lengthy);
    snprintf(market + n, sizeof(market) - n, "%s]}", agent);
    for (size_t i = 0; i < 5; i++)
        expect_text(market, SCENARIO_EXPORT_LP, names[i]);
    expect_text(market, SCENARIO_EXPORT_LP, "produce(#20)"); /* numbered: its name is too long */
    compare_with_engine(market, NULL);
}

static void test_same_market_same_bytes(void)
{
    for (size_t f = 0; f < 2; f++) {
        char *first = written(whole_numbers, formats[f], f == 0);
        char *second = written(whole_numbers, formats[f], f == 0);

        CU_ASSERT_STRING_EQUAL(first, second);
        free(first);
        free(second);
    }
}

static void compare_reference(const char *name)
{
    double optimum = marketkit_oracle_optimum(name);
    struct scenario scenario;
    struct lp_info found;
    char path[64];

    snprintf(path, sizeof(path), "oracle/%s.scenario.json", name);
    if (isnan(optimum))
        return;
    CU_ASSERT_EQUAL_FATAL(scenario_read(testkit_reference(path), &scenario, NULL), WALRAS_OK);
    solve_written(&scenario, 1, true, &found);
    TESTKIT_CLOSE(found.objective, optimum, 1e-6);
    scenario_release(&scenario);
}

static void test_reference_fleets_cost_what_highs_found(void)
{
    compare_reference("n100_t24");
    compare_reference("n100_t96");
}

static void test_a_radial_network_has_no_rows_but_balances(void)
{
    static const char market[] =
        HEAD "\"grid\": {\"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": \"b\"}], "
             "\"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"b\", \"x_pu\": 0.1, "
             "\"limit_kw\": 7}]}, \"supply\": [{\"id\": \"w\", \"bus\": \"s\", "
             "\"price_per_mwh\": 50}], \"agents\": [{\"id\": \"a\", \"bus\": \"b\", \"devices\": "
             "[{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 5}]}]}";

    expect_text(market, SCENARIO_EXPORT_LP,
                "Subject To\n balance(s,0): - buy(w,0) + sell(w,0) + flow(l,0) = 0\n");
    expect_text(market, SCENARIO_EXPORT_LP, " balance(b,0): - flow(l,0) = -5\n");
    expect_text(market, SCENARIO_EXPORT_LP, " -7 <= flow(l,0) <= 7\n");
}

static const struct testkit_test tests[] = {
    {"random markets cost the same", test_random_markets_cost_the_same},
    {"whole numbers lie between bound and plan", test_whole_numbers_lie_between_bound_and_plan},
    {"programs of files are merged", test_programs_of_files_are_merged},
    {"quadratic costs stay quadratic", test_quadratic_costs_stay_quadratic},
    {"names are escaped and distinct", test_names_are_escaped_and_distinct},
    {"same market, same bytes", test_same_market_same_bytes},
    {"a radial network has no rows but balances", test_a_radial_network_has_no_rows_but_balances},
    {"reference fleets cost what HiGHS found", test_reference_fleets_cost_what_highs_found},
};

TESTKIT_MAIN("export", tests)
