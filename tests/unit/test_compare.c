#include "core/file.h"
#include "core/json.h"
#include "market/method.h"
#include "marketkit.h"
#include "resultkit.h"
#include "scenario/charts.h"
#include "scenario/compare.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_ALPHA = 4, N_BETA = 3 };

/*
 * Two made-up methods, one plan each. Cost and bound, gap = (cost − bound) / cost:
 *
 *   alpha   1   –  50     –            beta   1   –   80    –
 *           2  110 90     0.182               2   –   99    –
 *           3  108 99     0.0833              3  125  99.9  0.2008
 *           4  100 99.5   0.005
 *
 * Best plan 100, best bound 99.9. Alpha's bound is within 0.5, 0.1, 0.01 and 0.005 of that plan,
 * beta's within 0.2, 0.01 and 0.001. A round takes alpha 7 answers and 2 s, beta 9 and 0.025 s.
 */
struct made_up {
    struct resultkit kit;
    struct market_round alpha[N_ALPHA], beta[N_BETA];
    struct scenario_run runs[2];
    struct scenario_comparison comparison;
};

static void fill(struct market_round *rounds, unsigned n, const double *cost, const double *bound,
                 unsigned answers, double seconds)
{
    for (unsigned r = 0; r < n; r++)
        rounds[r] = (struct market_round){.round = r + 1,
                                          .objective = cost[r],
                                          .bound = bound[r],
                                          .gap = (cost[r] - bound[r]) / cost[r],
                                          .n_responses = (uint64_t)answers * (r + 1),
                                          .elapsed_s = seconds * (r + 1)};
}

static void make_up(struct made_up *m)
{
    resultkit_init(&m->kit);
    fill(m->alpha, N_ALPHA, (const double[]){NAN, 110.0, 108.0, 100.0},
         (const double[]){50.0, 90.0, 99.0, 99.5}, 7, 2.0);
    fill(m->beta, N_BETA, (const double[]){NAN, NAN, 125.0}, (const double[]){80.0, 99.0, 99.9}, 9,
         0.025);
    m->runs[0] = (struct scenario_run){.method = "alpha",
                                       .end = SCENARIO_RUN_CONVERGED,
                                       .awarded = 100.0,
                                       .history = m->alpha,
                                       .n_round = N_ALPHA};
    m->runs[1] = (struct scenario_run){.method = "beta",
                                       .end = SCENARIO_RUN_ROUND_LIMIT,
                                       .awarded = 125.0,
                                       .history = m->beta,
                                       .n_round = N_BETA};
    m->comparison = (struct scenario_comparison){
        .scenario = &m->kit.scenario, .gap_asked = 5e-3, .runs = m->runs, .n_run = 2};
    scenario_comparison_sum_up(&m->comparison);
}

static void check_round(const struct market_round *round, unsigned expected)
{
    unsigned found = round ? round->round : 0;

    if (found != expected)
        fprintf(stderr, "round %u, expected %u\n", found, expected);
    CU_ASSERT_EQUAL(found, expected);
}

static void check_levels(double asked, size_t n, const double *levels)
{
    struct scenario_comparison c = {.gap_asked = asked};

    scenario_comparison_sum_up(&c);
    CU_ASSERT_EQUAL_FATAL(c.n_level, n);
    for (size_t k = 0; k < n; k++)
        TESTKIT_CLOSE(c.levels[k], levels[k], 1e-15);
    CU_ASSERT_TRUE(isnan(c.best_objective) && isnan(c.best_bound));
}

static void test_levels_go_down_to_the_gap_asked_for(void)
{
    check_levels(1e-4, 4, (const double[]){0.1, 0.01, 1e-3, 1e-4});
    check_levels(5e-3, 3, (const double[]){0.1, 0.01, 5e-3});
    check_levels(0.1, 1, (const double[]){0.1});
    check_levels(1.0, 1, (const double[]){1.0});
    check_levels(
        1e-12, 12,
        (const double[]){0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12});
}

static void check_level_text(double level, const char *expected)
{
    char text[SCENARIO_LEVEL_TEXT];

    scenario_level_text(level, text);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void test_levels_are_written_as_people_do(void)
{
    check_level_text(0.1, "1e-1");
    check_level_text(1e-4, "1e-4");
    check_level_text(1e-12, "1e-12");
    check_level_text(2.5e-3, "2.5e-3");
    check_level_text(1.0, "1e0");
}

static void test_a_level_is_reached_by_plan_and_bound_together(void)
{
    struct made_up m;

    make_up(&m);
    check_round(scenario_run_reaches(&m.runs[0], 0.1), 3);
    check_round(scenario_run_reaches(&m.runs[0], 0.01), 4);
    check_round(scenario_run_reaches(&m.runs[0], 5e-3), 4);
    check_round(scenario_run_reaches(&m.runs[0], 1e-3), 0);
    check_round(scenario_run_reaches(&m.runs[1], 0.1), 0);
    check_round(scenario_run_reaches(&m.runs[1], 0.21), 3);
    resultkit_release(&m.kit);
}

static void test_a_bound_is_judged_by_the_best_plan_of_all(void)
{
    struct made_up m;

    make_up(&m);
    TESTKIT_CLOSE(m.comparison.best_objective, 100.0, 1e-15);
    TESTKIT_CLOSE(m.comparison.best_bound, 99.9, 1e-15);
    check_round(scenario_bound_reaches(&m.comparison, &m.runs[0], 0.1), 2);
    check_round(scenario_bound_reaches(&m.comparison, &m.runs[0], 0.01), 3);
    check_round(scenario_bound_reaches(&m.comparison, &m.runs[0], 5e-3), 4);
    check_round(scenario_bound_reaches(&m.comparison, &m.runs[1], 0.1), 2);
    check_round(scenario_bound_reaches(&m.comparison, &m.runs[1], 5e-3), 3);
    m.beta[2].bound = 101.0; /* of a plan's cost that was rounded: not below 0 */
    CU_ASSERT_EQUAL(scenario_bound_gap(&m.comparison, &m.beta[2]), 0.0);
    m.beta[2].bound = -INFINITY;
    CU_ASSERT_TRUE(isnan(scenario_bound_gap(&m.comparison, &m.beta[2])));
    resultkit_release(&m.kit);
}

/* Without alpha, 125 is the best plan: beta's bounds are 0.36, 0.208 and 0.2008 away. */
static void test_what_fails_the_check_proves_nothing(void)
{
    struct made_up m;

    make_up(&m);
    m.runs[0].doubtful = true;
    scenario_comparison_sum_up(&m.comparison);
    TESTKIT_CLOSE(m.comparison.best_objective, 125.0, 1e-15);
    check_round(scenario_run_reaches(&m.runs[0], 0.1), 0);
    check_round(scenario_bound_reaches(&m.comparison, &m.runs[0], 1.0), 0);
    check_round(scenario_bound_reaches(&m.comparison, &m.runs[1], 0.205), 3);
    m.runs[0].doubtful = false;
    m.runs[0].end = SCENARIO_RUN_INFEASIBLE;
    scenario_comparison_sum_up(&m.comparison);
    TESTKIT_CLOSE(m.comparison.best_objective, 125.0, 1e-15);
    check_round(scenario_run_reaches(&m.runs[0], 0.1), 0);
    resultkit_release(&m.kit);
}

static const char *text_of(const struct scenario_comparison *comparison)
{
    static char text[8192];
    FILE *file = fmemopen(text, sizeof(text), "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    scenario_comparison_print(file, comparison);
    fclose(file);
    return text;
}

static void check_says(const char *text, const char *words, bool says)
{
    bool said = strstr(text, words) != NULL;

    if (said != says)
        fprintf(stderr, "\"%s\" is %sin: %s\n", words, says ? "not " : "", text);
    CU_ASSERT_EQUAL(said, says);
}

static void test_the_tables_say_when_and_where(void)
{
    struct made_up m;

    make_up(&m);
    const char *text = text_of(&m.comparison);

    check_says(text,
               "it's a `test`: 2 price methods, gap asked for 5e-3\n"
               "\n"
               "rounds to a gap of         1e-1       1e-2       5e-3     in all\n"
               "  alpha                       3          4          4          4\n"
               "  beta                        -          -          -          3\n"
               "\n"
               "messages to a gap of       1e-1       1e-2       5e-3     in all\n"
               "  alpha                      21         28         28         28\n"
               "  beta                        -          -          -         27\n"
               "\n"
               "seconds to a gap of        1e-1       1e-2       5e-3     in all\n"
               "  alpha                    6.00       8.00       8.00       8.00\n"
               "  beta                        -          -          -     0.0750\n"
               "\n"
               "rounds, bound alone        1e-1       1e-2       5e-3     in all\n"
               "  alpha                       2          3          4          4\n"
               "  beta                        2          2          3          3\n"
               "\n"
               "at the end                  gap        cost, EUR            bound\n"
               "  alpha                 5.0e-03         100.0000          99.5000  gap reached\n"
               "  beta                  2.0e-01         125.0000          99.9000  round limit\n"
               "  best of all           1.0e-03         100.0000          99.9000\n",
               true);
    resultkit_release(&m.kit);
}

static void test_the_tables_tell_what_went_wrong(void)
{
    struct made_up m;

    make_up(&m);
    m.runs[0].doubtful = true;
    m.runs[1] = (struct scenario_run){.method = "beta",
                                      .end = SCENARIO_RUN_FAILED,
                                      .failure = WALRAS_UNSUPPORTED,
                                      .awarded = NAN,
                                      .why = "a curve is missing"};
    scenario_comparison_sum_up(&m.comparison);
    const char *text = text_of(&m.comparison);

    check_says(text, "99.5000  NOT CERTIFIED\n", true);
    check_says(text, "                -                -  failed\n", true);
    check_says(text, "\nbeta: a curve is missing\n", true);
    check_says(text, "cost, decided", false);
    m.runs[0].doubtful = false;
    m.runs[0].awarded = 101.0; /* whole-number decisions cost 1 more than mixing them */
    check_says(text_of(&m.comparison), "99.5000         101.0000  gap reached\n", true);
    check_says(text_of(&m.comparison), "            bound    cost, decided\n", true);
    resultkit_release(&m.kit);
}

static void check_refused(const char *list, const char *words)
{
    const char *methods[SCENARIO_MAX_METHODS];
    struct walras_err err = {0};
    size_t n = 0;

    CU_ASSERT_EQUAL(scenario_compare_methods(list, methods, &n, &err), WALRAS_INVALID);
    check_says(err.msg, words, true);
}

static void test_methods_are_named_from_the_table(void)
{
    const char *methods[SCENARIO_MAX_METHODS];
    const struct market_method_ops *const *all = market_methods();
    size_t n = 0, n_all = 0;

    while (all[n_all])
        n_all++;
    CU_ASSERT_EQUAL_FATAL(scenario_compare_methods(NULL, methods, &n, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(n, n_all);
    for (size_t i = 0; i < n; i++)
        CU_ASSERT_PTR_EQUAL(methods[i], all[i]->name);
    CU_ASSERT_EQUAL(scenario_compare_methods("subgradient,bundle", methods, &n, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(n, 2);
    CU_ASSERT_STRING_EQUAL(methods[0], "subgradient");
    CU_ASSERT_STRING_EQUAL(methods[1], "bundle");
    check_refused("bundle,bundel", "\"bundel\"; did you mean \"bundle\"?; there are bundle, ");
    check_refused("guesswork", "there is no price method \"guesswork\"; there are ");
    check_refused("bundle,subgradient,bundle", "\"bundle\" is named twice");
    check_refused("bundle,", "is empty");
    check_refused(",bundle", "is empty");
    check_refused("a-name-that-is-longer-than-any-method-and-than-any-buffer-can-hold-so-it-is-cut",
                  "there is no price method \"a-name");
}

#define MARKET(load, car)                                                                          \
    "{\"walras\": 1, \"name\": \"shed\", \"currency\": \"EUR\", \"horizon\": {\"start\": "         \
    "\"2026-07-01T00:00:00Z\", \"step_minutes\": 60, \"steps\": 4}, \"grid\": {\"copperplate\": "  \
    "true}, \"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": [20, 70, 35, 60], "    \
    "\"import_limit_kw\": 12}], \"agents\": [{\"id\": \"home\", \"bus\": \"1\", \"devices\": "     \
    "[{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": [3, " load ", 5, 9]}, {\"id\": "         \
    "\"bat\", \"type\": \"battery\", \"capacity_kwh\": 9, \"charge_kw\": 4, "                      \
    "\"discharge_kw\": 4, \"start_kwh\": 2, \"charge_efficiency\": 0.9}, {\"id\": \"car\", "       \
    "\"type\": \"ev\", \"arrive\": 0, \"depart\": 3, \"energy_kwh\": " car                         \
    ", \"charge_kw\": 6}]}]}"

struct seen {                          /* what the progress told */
    unsigned n_call, n_begin, stop_at; /* stop_at: the call that asks to stop; 0: none */
    const char *last;
};

static bool note(void *context, const struct scenario_compare_now *now)
{
    struct seen *seen = context;

    seen->n_call++;
    seen->n_begin += !now->round;
    seen->last = now->method;
    CU_ASSERT_TRUE(now->run < now->n_run);
    return seen->n_call != seen->stop_at;
}

struct compared {
    struct scenario scenario;
    struct scenario_comparison comparison;
    struct seen seen;
    enum walras_status status;
    struct walras_err err;
};

static void compare(struct compared *c, const char *text, const char *list, unsigned stop_at)
{
    const char *methods[SCENARIO_MAX_METHODS];
    struct scenario_settings reading = scenario_settings_defaults();
    struct scenario_compare_settings settings = {
        .clear = marketkit_settings(1e-6), .methods = methods, .progress = note};

    *c = (struct compared){.seen = {.stop_at = stop_at}};
    settings.context = &c->seen;
    settings.clear.market.max_rounds = 40;
    CU_ASSERT_EQUAL_FATAL(scenario_compare_methods(list, methods, &settings.n_method, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(
        scenario_parse("market", text, strlen(text), &reading, &c->scenario, &c->err), WALRAS_OK);
    c->status = scenario_compare(&c->scenario, &settings, &c->comparison, &c->err);
}

static void compared_release(struct compared *c)
{
    scenario_comparison_release(&c->comparison);
    scenario_release(&c->scenario);
}

/* Two devices are asked, so that each round of one point adds two answers. */
static void test_every_method_of_the_table_can_be_compared(void)
{
    struct compared c;

    compare(&c, MARKET("8", "9"), NULL, 0);
    CU_ASSERT_EQUAL_FATAL(c.status, WALRAS_OK);
    CU_ASSERT_EQUAL(c.seen.n_begin, c.comparison.n_run);
    for (size_t i = 0; i < c.comparison.n_run; i++) {
        const struct scenario_run *run = &c.comparison.runs[i];
        const struct market_round *last = scenario_run_last(run);

        CU_ASSERT_PTR_NOT_NULL_FATAL(last);
        CU_ASSERT_TRUE(run->end == SCENARIO_RUN_CONVERGED || run->end == SCENARIO_RUN_ROUND_LIMIT);
        CU_ASSERT_FALSE(run->doubtful);
        CU_ASSERT_TRUE(last->bound <= c.comparison.best_objective * (1.0 + 1e-9));
        CU_ASSERT_TRUE(!(run->awarded < c.comparison.best_bound * (1.0 - 1e-9)));
    }
    CU_ASSERT_EQUAL(c.comparison.runs[0].end, SCENARIO_RUN_CONVERGED);
    for (unsigned r = 0; r < c.comparison.runs[0].n_round; r++)
        CU_ASSERT_EQUAL(c.comparison.runs[0].history[r].n_responses, 2 * (uint64_t)(r + 1));
    compared_release(&c);
}

static void check_as_alone(const struct scenario_run *run)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);
    struct marketkit kit;

    settings.market.method = run->method;
    settings.market.max_rounds = 40;
    marketkit_clear(MARKET("8", "9"), NULL, &settings, &kit);
    CU_ASSERT_EQUAL_FATAL(kit.status, WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(run->n_round, kit.market->n_rounds);
    CU_ASSERT_EQUAL(run->end == SCENARIO_RUN_CONVERGED, kit.market->outcome == MARKET_CONVERGED);
    CU_ASSERT_EQUAL(run->awarded, kit.market->objective);
    for (unsigned r = 0; r < run->n_round; r++)
        CU_ASSERT_EQUAL(run->history[r].bound, kit.market->history[r].bound);
    marketkit_release(&kit);
}

/* The same rounds as alone, whatever ran before; and the last of them reached the gap. */
static void test_a_method_does_as_it_does_alone(void)
{
    struct compared c;

    compare(&c, MARKET("8", "9"), "subgradient,bundle", 0);
    CU_ASSERT_EQUAL_FATAL(c.status, WALRAS_OK);
    check_as_alone(&c.comparison.runs[0]);
    check_as_alone(&c.comparison.runs[1]);
    check_round(scenario_run_reaches(&c.comparison.runs[1], 1e-6), c.comparison.runs[1].n_round);
    CU_ASSERT_NOT_EQUAL(c.comparison.runs[0].n_round, c.comparison.runs[1].n_round);
    compared_release(&c);
}

/* Calls: subgradient begins, its rounds 1 and 2; then it stops. */
static void test_stopping_ends_this_method_and_the_rest(void)
{
    struct compared c;

    compare(&c, MARKET("8", "9"), "subgradient,bundle", 3);
    CU_ASSERT_EQUAL_FATAL(c.status, WALRAS_OK);
    CU_ASSERT_EQUAL(c.seen.n_call, 3);
    CU_ASSERT_EQUAL(c.comparison.runs[0].end, SCENARIO_RUN_STOPPED);
    CU_ASSERT_EQUAL(c.comparison.runs[0].n_round, 2);
    CU_ASSERT_EQUAL(c.comparison.runs[1].end, SCENARIO_RUN_NOT_RUN);
    check_says(text_of(&c.comparison), "  not run\n", true);
    compared_release(&c);
    compare(&c, MARKET("8", "9"), "subgradient,bundle", 1);
    CU_ASSERT_EQUAL_FATAL(c.status, WALRAS_OK);
    CU_ASSERT_EQUAL(c.comparison.runs[0].end, SCENARIO_RUN_NOT_RUN);
    compared_release(&c);
}

static void test_a_market_that_cannot_clear_is_not_tried_again(void)
{
    struct compared c;

    compare(&c, MARKET("30", "9"), "bundle,subgradient", 0); /* 30 kW, 12 imported, 4 stored */
    CU_ASSERT_EQUAL_FATAL(c.status, WALRAS_OK);
    CU_ASSERT_EQUAL(c.comparison.runs[0].end, SCENARIO_RUN_INFEASIBLE);
    CU_ASSERT_EQUAL(c.comparison.runs[1].end, SCENARIO_RUN_NOT_RUN);
    CU_ASSERT_STRING_EQUAL(c.seen.last, "bundle");
    check_says(c.comparison.runs[0].why, "step 1", true);
    CU_ASSERT_TRUE(isnan(c.comparison.best_objective));
    compared_release(&c);
    compare(&c, MARKET("8", "90"), NULL, 0); /* 18 kWh is all that the car can charge */
    CU_ASSERT_EQUAL_FATAL(c.status, WALRAS_OK);
    CU_ASSERT_EQUAL(c.comparison.runs[0].end, SCENARIO_RUN_INFEASIBLE);
    check_says(c.comparison.runs[0].why, "device car", true);
    check_says(text_of(&c.comparison), "-  cannot be cleared\n", true);
    compared_release(&c);
}

static void test_what_no_method_can_do_is_a_failure(void)
{
    static const char *const methods[] = {"bundle", "subgradient"};
    struct scenario_compare_settings settings = {
        .clear = marketkit_settings(1e-6), .methods = methods, .n_method = 2};
    struct scenario_comparison comparison = {0};
    struct compared c;

    compare(&c, MARKET("8", "9"), "bundle", 0);
    c.scenario.model = SCENARIO_LINDISTFLOW;
    c.scenario.network.buses[0].v_min_pu = 1.5; /* the slack is held at 1 */
    CU_ASSERT_EQUAL(scenario_compare(&c.scenario, &settings, &comparison, &c.err), WALRAS_INVALID);
    check_says(c.err.msg, "with no draw at all its voltage is 1 per unit", true);
    CU_ASSERT_PTR_NULL(comparison.runs);
    compared_release(&c);
}

static char *read_file(const char *directory, const char *name, size_t *size)
{
    char *path = walras_path_join(directory, name), *text = NULL;

    if (path && walras_file_read(path, 1000000, &text, size, NULL) != WALRAS_OK)
        text = NULL;
    free(path);
    return text;
}

static void check_member(const struct walras_json *root, const char *key, double expected)
{
    struct walras_range any = {.low = -INFINITY, .high = INFINITY};
    struct walras_json node;
    double value = NAN;

    CU_ASSERT_EQUAL_FATAL(walras_json_need(root, key, &node, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_json_number(&node, any, &value, NULL), WALRAS_OK);
    TESTKIT_CLOSE(value, expected, 1e-12);
}

static void test_files_hold_every_round(void)
{
    const char *directory = resultkit_directory();
    struct walras_json_doc *doc = NULL;
    struct made_up m;
    size_t size = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    make_up(&m);
    CU_ASSERT_EQUAL_FATAL(scenario_comparison_write(directory, &m.comparison, NULL), WALRAS_OK);

    char *csv = read_file(directory, "compare.csv", &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(csv);
    CU_ASSERT_STRING_EQUAL(csv, "method,round,responses,seconds,bound,objective,gap,bound_gap\n"
                                "alpha,1,7,2.000000,50,,,0.5\n"
                                "alpha,2,14,4.000000,90,110,0.18181818181818182,0.1\n"
                                "alpha,3,21,6.000000,99,108,0.08333333333333333,0.01\n"
                                "alpha,4,28,8.000000,99.5,100,0.005,0.005\n"
                                "beta,1,9,0.025000,80,,,0.2\n"
                                "beta,2,18,0.050000,99,,,0.01\n"
                                "beta,3,27,0.075000,99.9,125,0.20079999999999995,"
                                "0.0009999999999999432\n");
    free(csv);

    char *json = read_file(directory, "compare.json", &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    CU_ASSERT_EQUAL_FATAL(walras_json_parse("compare.json", json, size, &doc, NULL), WALRAS_OK);
    struct walras_json root = walras_json_root(doc);

    check_member(&root, "best_objective", 100.0);
    check_member(&root, "best_dual_bound", 99.9);
    check_says(json, "\"reached\": [{\"round\": 3, \"responses\": 21, \"seconds\": 6}, ", true);
    check_says(json, "\"reached\": [null, null, null]", true);
    check_says(json, "\"bound_reached\": [{\"round\": 2, \"responses\": 18, \"seconds\": 0.05}, ",
               true);
    walras_json_free(doc);
    free(json);
    resultkit_release(&m.kit);
    resultkit_remove(directory);
}

static void check_exists(const char *directory, const char *name, bool there)
{
    char *path = walras_path_join(directory, name);

    CU_ASSERT_EQUAL(path && access(path, F_OK) == 0, there);
    free(path);
}

static void test_charts_are_drawn(void)
{
    const char *directory = NULL;
    struct walras_err err = {0};
    struct made_up m;
    size_t size = 0;

    if (scenario_charts_available(&err) != WALRAS_OK) {
        testkit_skip(err.msg);
        return;
    }
    directory = resultkit_directory();
    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    make_up(&m);
    m.runs[1].end = SCENARIO_RUN_INFEASIBLE; /* not drawn */
    scenario_comparison_sum_up(&m.comparison);
    CU_ASSERT_EQUAL(scenario_comparison_draw(directory, &m.comparison, &err), WALRAS_OK);
    check_exists(directory, "compare.png", true);
    check_exists(directory, "compare-bound.png", true);

    char *script = read_file(directory, "compare.gp", &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    check_says(script, "$run0", true);
    check_says(script, "\n3 21 6 0.0833333333\n", true);
    check_says(script, "'alpha  5.0e-03'", true);
    check_says(script, "'asked for  5e-3'", true);
    check_says(script, "'messages'", true);
    check_says(script, "$run1", false);
    free(script);
    resultkit_release(&m.kit);
    resultkit_remove(directory);
}

static void test_nothing_to_show_draws_nothing(void)
{
    const char *directory = resultkit_directory();
    struct made_up m;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    make_up(&m);
    m.runs[0].n_round = m.runs[1].n_round = 0;
    scenario_comparison_sum_up(&m.comparison);
    CU_ASSERT_EQUAL(scenario_comparison_draw(directory, &m.comparison, NULL), WALRAS_OK);
    check_exists(directory, "compare.gp", false);
    resultkit_release(&m.kit);
    resultkit_remove(directory);
}

/* A market where nobody is asked has no messages to draw, and a gap of 0 lies at the bottom. */
static void test_no_answers_and_no_gap_can_be_drawn(void)
{
    const char *directory = NULL;
    struct walras_err err = {0};
    struct made_up m;
    size_t size = 0;

    if (scenario_charts_available(&err) != WALRAS_OK) {
        testkit_skip(err.msg);
        return;
    }
    directory = resultkit_directory();
    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    make_up(&m);
    for (size_t r = 0; r < N_ALPHA; r++)
        m.alpha[r].n_responses = 0;
    for (size_t r = 0; r < N_BETA; r++)
        m.beta[r].n_responses = 0;
    m.alpha[3].gap = 0.0;
    CU_ASSERT_EQUAL(scenario_comparison_draw(directory, &m.comparison, &err), WALRAS_OK);

    char *script = read_file(directory, "compare.gp", &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    check_says(script, "'messages'", false);
    check_says(script, "\n4 NaN 8 1e-12\n", true);
    free(script);
    resultkit_release(&m.kit);
    resultkit_remove(directory);
}

static const struct testkit_test tests[] = {
    {"levels go down to the gap asked for", test_levels_go_down_to_the_gap_asked_for},
    {"levels are written as people do", test_levels_are_written_as_people_do},
    {"a level is reached by plan and bound together",
     test_a_level_is_reached_by_plan_and_bound_together},
    {"a bound is judged by the best plan of all", test_a_bound_is_judged_by_the_best_plan_of_all},
    {"what fails the check proves nothing", test_what_fails_the_check_proves_nothing},
    {"the tables say when and where", test_the_tables_say_when_and_where},
    {"the tables tell what went wrong", test_the_tables_tell_what_went_wrong},
    {"methods are named from the table", test_methods_are_named_from_the_table},
    {"every method of the table can be compared", test_every_method_of_the_table_can_be_compared},
    {"a method does as it does alone", test_a_method_does_as_it_does_alone},
    {"stopping ends this method and the rest", test_stopping_ends_this_method_and_the_rest},
    {"a market that cannot clear is not tried again",
     test_a_market_that_cannot_clear_is_not_tried_again},
    {"what no method can do is a failure", test_what_no_method_can_do_is_a_failure},
    {"files hold every round", test_files_hold_every_round},
    {"charts are drawn", test_charts_are_drawn},
    {"nothing to show draws nothing", test_nothing_to_show_draws_nothing},
    {"no answers and no gap can be drawn", test_no_answers_and_no_gap_can_be_drawn},
};

TESTKIT_MAIN("compare", tests)
