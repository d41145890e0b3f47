#include "core/rng.h"
#include "lp/lp.h"
#include "testkit.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct lp *lp;
static struct walras_err err;
static struct lp_info info;

static void start(void)
{
    memset(&err, 0, sizeof(err));
    memset(&info, 0, sizeof(info));
    CU_ASSERT_EQUAL_FATAL(lp_new(&lp, &err), WALRAS_OK);
}

static size_t column(double low, double high, double cost)
{
    size_t first = SIZE_MAX;

    CU_ASSERT_EQUAL(lp_add_columns(lp, 1, &low, &high, &cost, &first, &err), WALRAS_OK);
    return first;
}

/* low <= a·x_i + b·x_j <= high */
static size_t row(size_t i, double a, size_t j, double b, double low, double high)
{
    size_t columns[2] = {i, j}, made = SIZE_MAX;
    double coefs[2] = {a, b};

    CU_ASSERT_EQUAL(lp_add_row(lp, 2, columns, coefs, low, high, &made, &err), WALRAS_OK);
    return made;
}

static void solve(double *x, double *dual)
{
    enum walras_status status = lp_solve(lp, NULL, x, dual, &info, &err);

    CU_ASSERT_EQUAL(status, WALRAS_OK);
    if (status != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
}

/*
 * max 3x + 5y, x <= 4, 2y <= 12, 3x + 2y <= 18 (Hillier and Lieberman's Wyndor Glass): x = 2, y =
 * 6, worth 36; shadow prices 0, 3/2, 1.
 */
static void test_solves_the_textbook_problem(void)
{
    double x[2], dual[2];

    start();
    size_t a = column(0, 4, -3), b = column(0, HUGE_VAL, -5);
    row(a, 0, b, 2, -HUGE_VAL, 12);
    row(a, 3, b, 2, -HUGE_VAL, 18);
    solve(x, dual);
    CU_ASSERT_EQUAL(info.outcome, LP_OPTIMAL);
    TESTKIT_CLOSE(info.objective, -36, 1e-12);
    CU_ASSERT_EQUAL(info.bound, info.objective);
    TESTKIT_CLOSE(x[0], 2, 1e-12);
    TESTKIT_CLOSE(x[1], 6, 1e-12);
    TESTKIT_CLOSE(dual[0], -1.5, 1e-12);
    TESTKIT_CLOSE(dual[1], -1, 1e-12);
    lp_free(lp);
}

/* New costs: y is worthless, so x = 4. New bounds: x <= 1. A new row: x >= 0.5 makes y = 0. */
static void test_changes_are_seen_by_the_next_solve(void)
{
    double x[3];

    start();
    size_t a = column(0, 4, -3), b = column(0, HUGE_VAL, -5);
    size_t sum = row(a, 3, b, 2, -HUGE_VAL, 18);
    solve(x, NULL);
    TESTKIT_CLOSE(info.objective, -45, 1e-12);
    CU_ASSERT_EQUAL(lp_set_cost(lp, b, 0.5, &err), WALRAS_OK);
    solve(x, NULL);
    TESTKIT_CLOSE(info.objective, -12, 1e-12);
    CU_ASSERT_EQUAL(lp_set_column_bounds(lp, a, 0, 1, &err), WALRAS_OK);
    solve(x, NULL);
    TESTKIT_CLOSE(info.objective, -3, 1e-12);
    CU_ASSERT_EQUAL(lp_set_row_bounds(lp, sum, 9, HUGE_VAL, &err), WALRAS_OK);
    solve(x, NULL); /* 3 + 2y >= 9: y = 3 */
    TESTKIT_CLOSE(info.objective, -3 + 1.5, 1e-12);
    size_t c = column(0, 10, -1);
    row(a, 0, c, 1, -HUGE_VAL, 7);
    solve(x, NULL);
    TESTKIT_CLOSE(info.objective, -3 + 1.5 - 7, 1e-12);
    TESTKIT_CLOSE(x[2], 7, 1e-12);
    lp_free(lp);
}

static void test_infeasible_and_unbounded_are_outcomes(void)
{
    start();
    size_t a = column(0, 1, 1), b = column(0, 1, 1);
    size_t sum = row(a, 1, b, 1, 3, HUGE_VAL);
    solve(NULL, NULL);
    CU_ASSERT_EQUAL(info.outcome, LP_INFEASIBLE);
    CU_ASSERT_TRUE(isnan(info.objective));
    CU_ASSERT_EQUAL(lp_set_row_bounds(lp, sum, 1, HUGE_VAL, &err), WALRAS_OK);
    solve(NULL, NULL);
    CU_ASSERT_EQUAL(info.outcome, LP_OPTIMAL);
    CU_ASSERT_EQUAL(lp_set_column_bounds(lp, a, 0, HUGE_VAL, &err), WALRAS_OK);
    CU_ASSERT_EQUAL(lp_set_cost(lp, a, -1, &err), WALRAS_OK);
    solve(NULL, NULL);
    CU_ASSERT_EQUAL(info.outcome, LP_UNBOUNDED);
    CU_ASSERT_EQUAL(info.bound, -HUGE_VAL);
    lp_free(lp);
}

/* max 5x + 4y, 6x + 4y <= 24, x + 2y <= 6 has its LP optimum at (3, 1.5); whole numbers: (4,
 * 0), 20. */
static void test_integers_are_proven_and_exact(void)
{
    double x[2];

    start();
    size_t a = column(0, HUGE_VAL, -5), b = column(0, HUGE_VAL, -4);
    row(a, 6, b, 4, -HUGE_VAL, 24);
    row(a, 1, b, 2, -HUGE_VAL, 6);
    CU_ASSERT_FALSE(lp_has_integers(lp));
    CU_ASSERT_EQUAL(lp_set_integer(lp, a, &err), WALRAS_OK);
    CU_ASSERT_EQUAL(lp_set_integer(lp, b, &err), WALRAS_OK);
    CU_ASSERT_TRUE(lp_has_integers(lp));
    solve(x, NULL);
    CU_ASSERT_EQUAL(x[0], 4.0);
    CU_ASSERT_EQUAL(x[1], 0.0);
    CU_ASSERT_EQUAL(info.objective, -20.0);
    CU_ASSERT_TRUE(info.bound <= info.objective && info.bound > -20.0 - 1e-6);
    CU_ASSERT_EQUAL(lp_set_column_bounds(lp, a, 0.5, 2.5, &err), WALRAS_OK); /* 1 or 2 */
    solve(x, NULL);
    CU_ASSERT_EQUAL(info.objective, -18.0);
    CU_ASSERT_EQUAL(lp_set_column_bounds(lp, a, 1.2, 1.8, &err), WALRAS_OK); /* none */
    solve(x, NULL);
    CU_ASSERT_EQUAL(info.outcome, LP_INFEASIBLE);
    lp_free(lp);
}

/* Feasible for fractions only: 2x + 2y = 3. */
static void test_integers_that_cannot_be_met_are_infeasible(void)
{
    start();
    size_t a = column(0, 1, 1), b = column(0, 1, 1);
    row(a, 2, b, 2, 3, 3);
    CU_ASSERT_EQUAL(lp_set_integer(lp, a, &err), WALRAS_OK);
    CU_ASSERT_EQUAL(lp_set_integer(lp, b, &err), WALRAS_OK);
    solve(NULL, NULL);
    CU_ASSERT_EQUAL(info.outcome, LP_INFEASIBLE);
    CU_ASSERT_TRUE(isnan(info.objective));
    lp_free(lp);
}

static void test_empty_programs_have_answers(void)
{
    double x[1];

    start();
    solve(x, x);
    CU_ASSERT_EQUAL(info.outcome, LP_OPTIMAL);
    CU_ASSERT_EQUAL(info.objective, 0.0);
    size_t none = lp_rows(lp);
    CU_ASSERT_EQUAL(lp_add_row(lp, 0, NULL, NULL, -1, 1, &none, &err), WALRAS_OK);
    solve(x, x);
    CU_ASSERT_EQUAL(info.outcome, LP_OPTIMAL);
    CU_ASSERT_EQUAL(lp_add_row(lp, 0, NULL, NULL, 1, 2, NULL, &err), WALRAS_OK); /* 0 >= 1 */
    solve(x, NULL);
    CU_ASSERT_EQUAL(info.outcome, LP_INFEASIBLE);
    lp_free(lp);

    start(); /* columns, no rows, also integer */
    size_t a = column(-2.5, 3, 2);
    solve(x, NULL);
    CU_ASSERT_EQUAL(info.objective, -5.0);
    CU_ASSERT_EQUAL(lp_set_integer(lp, a, &err), WALRAS_OK);
    solve(x, NULL);
    CU_ASSERT_EQUAL(info.objective, -4.0);
    CU_ASSERT_EQUAL(lp_add_columns(lp, 0, NULL, NULL, NULL, &a, &err), WALRAS_OK);
    lp_free(lp);
}

static void test_misuse_is_refused_and_changes_nothing(void)
{
    double nan_value = NAN, one = 1, two = 2, inf = HUGE_VAL;
    size_t twice[2] = {0, 0}, beyond[1] = {7}, made;
    double coefs[2] = {1, NAN};

    start();
    column(0, 1, 1);
    CU_ASSERT_EQUAL(lp_add_columns(lp, 1, &nan_value, &one, &one, &made, &err), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_add_columns(lp, 1, &two, &one, &one, &made, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_add_columns(lp, 1, &inf, &inf, &one, &made, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_add_columns(lp, 1, &one, &two, &inf, &made, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_add_columns(lp, SIZE_MAX / 2, &one, &two, &one, &made, NULL),
                    WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_add_row(lp, 2, twice, (double[]){1, 1}, 0, 1, NULL, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_add_row(lp, 1, beyond, coefs, 0, 1, NULL, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_add_row(lp, 1, twice, coefs + 1, 0, 1, NULL, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_add_row(lp, 1, twice, coefs, 1, NAN, NULL, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_add_row(lp, 1, twice, coefs, 1, 0, NULL, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_set_cost(lp, 1, 0, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_set_cost(lp, 0, NAN, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_set_integer(lp, 1, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_set_row_bounds(lp, 0, 0, 1, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_set_column_bounds(lp, 0, NAN, 1, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(
        lp_solve(lp, &(struct lp_settings){.time_limit_s = NAN}, NULL, NULL, &info, NULL),
        WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_columns(lp), 1);
    CU_ASSERT_EQUAL(lp_rows(lp), 0);
    CU_ASSERT_EQUAL(lp_add_row(lp, 1, twice, coefs, 0.5, HUGE_VAL, NULL, NULL), WALRAS_OK);
    solve(NULL, NULL);
    CU_ASSERT_EQUAL(info.objective, 0.5);
    lp_free(lp);
    lp_free(NULL);
}

/* Prices far apart: 1e6 in one step must not blind the solver to 1e-3 between the others. */
static void test_small_cost_differences_are_seen_beside_huge_ones(void)
{
    double x[3];

    start();
    size_t a = column(0, 1, 1e6), b = column(0, 1, 50.001), c = column(0, 1, 50);
    size_t columns[3] = {a, b, c};
    CU_ASSERT_EQUAL(lp_add_row(lp, 3, columns, (double[]){1, 1, 1}, 1, HUGE_VAL, NULL, &err),
                    WALRAS_OK);
    solve(x, NULL);
    CU_ASSERT_EQUAL(info.objective, 50.0);
    lp_free(lp);
}

/* A random transport-like program. */
static void random_program(struct walras_rng *rng, size_t n, size_t m, bool integer)
{
    size_t columns[64];
    double coefs[64];

    for (size_t j = 0; j < n; j++) {
        size_t made = column(-walras_rng_range(rng, 0, 5), walras_rng_range(rng, 0, 50),
                             walras_rng_range(rng, -10, 10));

        if (integer && j % 2 == 0)
            CU_ASSERT_EQUAL(lp_set_integer(lp, made, &err), WALRAS_OK);
    }
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            columns[j] = j;
            coefs[j] = walras_rng_unit(rng) < 0.3 ? walras_rng_range(rng, -3, 3) : 0.0;
        }
        CU_ASSERT_EQUAL(
            lp_add_row(lp, n, columns, coefs, -HUGE_VAL, walras_rng_range(rng, 0, 30), NULL, &err),
            WALRAS_OK);
    }
}

/* The basis is kept: an unchanged question costs no iteration, new costs only a few. */
static void test_a_second_solve_starts_where_the_first_ended(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());

    start();
    random_program(&rng, 20, 12, false);
    solve(NULL, NULL);
    CU_ASSERT_TRUE(info.iterations > 0);
    solve(NULL, NULL);
    CU_ASSERT_EQUAL(info.iterations, 0);
    lp_free(lp);
}

/* Warm or cold, the optimum is one number. */
static void test_warm_solves_agree_with_cold_ones(void)
{
    for (size_t k = 0; k < testkit_cases(200); k++) {
        struct walras_rng rng = walras_rng_from_seed(testkit_seed() + k);
        double costs[20], warm;
        struct lp *kept;

        start();
        random_program(&rng, 20, 12, k % 4 == 3);
        solve(NULL, NULL);
        for (size_t j = 0; j < 20; j++) {
            costs[j] = walras_rng_range(&rng, -10, 10);
            CU_ASSERT_EQUAL(lp_set_cost(lp, j, costs[j], &err), WALRAS_OK);
        }
        solve(NULL, NULL);
        warm = info.objective;
        kept = lp;

        rng = walras_rng_from_seed(testkit_seed() + k);
        start();
        random_program(&rng, 20, 12, k % 4 == 3);
        for (size_t j = 0; j < 20; j++)
            CU_ASSERT_EQUAL(lp_set_cost(lp, j, costs[j], &err), WALRAS_OK);
        solve(NULL, NULL);
        TESTKIT_CLOSE(info.objective, warm, 1e-9);
        lp_free(kept);
        lp_free(lp);
    }
}

static void *solve_elsewhere(void *argument)
{
    struct lp_info *seen = argument;

    if (lp_solve(lp, NULL, NULL, NULL, seen, NULL) != WALRAS_OK)
        seen->objective = NAN;
    return NULL;
}

static void test_a_program_may_move_between_threads(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    struct lp_info elsewhere = {0};
    pthread_t thread;

    start();
    random_program(&rng, 20, 12, false);
    solve(NULL, NULL);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, solve_elsewhere, &elsewhere), 0);
    pthread_join(thread, NULL);
    TESTKIT_CLOSE(elsewhere.objective, info.objective, 1e-12);
    solve(NULL, NULL);
    TESTKIT_CLOSE(elsewhere.objective, info.objective, 1e-12);
    lp_free(lp);
}

/* A knapsack with 60 nearly equal items takes GLPK far longer than 50 ms. */
static void test_a_time_limit_leaves_a_proven_bound(void)
{
    struct walras_rng rng = walras_rng_from_seed(7);
    size_t columns[60];
    double weights[60];

    start();
    for (size_t j = 0; j < 60; j++) {
        columns[j] = column(0, 1, -1000.0 - (double)walras_rng_below(&rng, 20));
        weights[j] = 1000.0 + (double)walras_rng_below(&rng, 20) + 0.5;
        CU_ASSERT_EQUAL(lp_set_integer(lp, columns[j], &err), WALRAS_OK);
    }
    CU_ASSERT_EQUAL(lp_add_row(lp, 60, columns, weights, -HUGE_VAL, 30170.25, NULL, &err),
                    WALRAS_OK);
    CU_ASSERT_EQUAL(
        lp_solve(lp, &(struct lp_settings){.time_limit_s = 0.05}, NULL, NULL, &info, &err),
        WALRAS_OK);
    CU_ASSERT_TRUE(info.outcome == LP_LIMIT || info.outcome == LP_OPTIMAL);
    CU_ASSERT_TRUE(info.bound > -31500.0);
    CU_ASSERT_TRUE(isnan(info.objective) || info.bound <= info.objective);
    lp_free(lp);
}

/* ---- files ---- */

static char file[64];

static const char *write_file(const char *ending, const char *text, size_t length)
{
    FILE *out;

    snprintf(file, sizeof(file), "test_lp_%ld%s", (long)getpid(), ending);
    out = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(fwrite(text, 1, length, out), length);
    fclose(out);
    return file;
}

static enum walras_status read_text(const char *ending, const char *text)
{
    enum walras_status status;

    memset(&err, 0, sizeof(err));
    status = lp_read(write_file(ending, text, strlen(text)), &lp, &err);
    remove(file);
    CU_ASSERT_TRUE((status == WALRAS_OK) == (lp != NULL));
    CU_ASSERT_TRUE(status == WALRAS_OK || strstr(err.msg, file));
    return status;
}

static void test_reads_cplex_lp_and_turns_maximisation_round(void)
{
    double x[3];

    CU_ASSERT_EQUAL_FATAL(read_text(".lp", "Maximize\n profit: 3 x + 5 draw_0\nSubject To\n"
                                           " c1: 2 draw_0 <= 12\n c2: 3 x + 2 draw_0 <= 18\n"
                                           "Bounds\n x <= 4\n -inf <= z <= 7\nGeneral\n x\nEnd\n"),
                          WALRAS_OK);
    size_t draw = lp_find_column(lp, "draw_0");
    CU_ASSERT_EQUAL(lp_columns(lp), 3);
    CU_ASSERT_TRUE(draw < 3);
    CU_ASSERT_EQUAL(lp_cost(lp, draw), -5.0);
    CU_ASSERT_EQUAL(lp_find_column(lp, "draw_1"), SIZE_MAX);
    CU_ASSERT_TRUE(lp_has_integers(lp));
    solve(x, NULL);
    CU_ASSERT_EQUAL(info.outcome, LP_OPTIMAL);
    TESTKIT_CLOSE(info.objective, -36, 1e-9);
    TESTKIT_CLOSE(x[draw], 6, 1e-9);
    lp_free(lp);
}

static const char *mps_free =
    "NAME t\nROWS\n N cost\n L c1\n G c2\nCOLUMNS\n x cost 1 c1 1\n"
    " x c2 1\n draw_0 cost 2 c1 1\nRHS\n rhs c1 4 c2 1\n rhs cost -7\nBOUNDS\n"
    " UP bnd x 4\n UP bnd draw_0 3\nENDATA\n";
static const char *mps_fixed = "NAME          t\nROWS\n N  cost\n L  c1\n G  c2\nCOLUMNS\n"
                               "    x y       cost              1.     c1              1.\n"
                               "    x y       c2                1.\n"
                               "RHS\n    rhs       c1                4.     c2              1.\n"
                               "ENDATA\n";

static void test_reads_both_kinds_of_mps(void)
{
    CU_ASSERT_EQUAL_FATAL(read_text(".mps", mps_free), WALRAS_OK);
    solve(NULL, NULL); /* GLPK adds the objective's right-hand side */
    TESTKIT_CLOSE(info.objective, 1 - 7, 1e-12);
    lp_free(lp);
    CU_ASSERT_EQUAL_FATAL(read_text(".mps", mps_fixed), WALRAS_OK);
    CU_ASSERT_EQUAL(lp_find_column(lp, "xy"), 0);
    solve(NULL, NULL);
    TESTKIT_CLOSE(info.objective, 1, 1e-12);
    lp_free(lp);
}

static void test_unreadable_files_are_named(void)
{
    memset(&err, 0, sizeof(err));
    CU_ASSERT_EQUAL(lp_read("no/such/file.lp", &lp, &err), WALRAS_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no/such/file.lp"));
    CU_ASSERT_EQUAL(lp_read("model.txt", &lp, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_read(".lp", &lp, NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(lp_read("", &lp, NULL), WALRAS_INVALID);
    CU_ASSERT_PTR_NULL(lp);
}

static void test_errors_in_files_name_the_line(void)
{
    static const struct {
        const char *ending, *text, *says;
    } cases[] = {
        {".lp", "", ":0: 'minimize'"},
        {".lp", "Minimize\n x +\nSubject To\n", ":"},
        {".lp", "Minimize\n obj: x\nSubject To\n c1: x >= \nEnd\n", ":5: missing right-hand side"},
        {".lp", "Minimize\n obj: 1e999 x\nSubject To\n c1: x >= 1\nEnd\n", ":2: numeric constant"},
        {".lp", "Minimize\n obj: x + x\nSubject To\n c1: x >= 1\nEnd\n", ":2: multiple use"},
        {".lp", "Minimize\n obj: x\nSubject To\n c1: x >= nan\nEnd\n", ":4: "},
        {".lp", "Minimize\n obj: [ x^2 ]\nSubject To\n c1: x >= 1\nEnd\n", ":2: "},
        {".lp", "Minimize\n obj: x\nSubject To\n c1: x>=1\nBounds\n 3<=x<=2\nEnd\n", "[3, 2]"},
        {".mps", "", ":"},
        {".mps", "NAME t\nROWS\n N cost\n Q c1\nCOLUMNS\nENDATA\n", ":4: "},
        {".mps", "NAME t\nROWS\n N cost\n L c1\nCOLUMNS\n x c1 1e999\nENDATA\n", ":6: "},
        {".mps", "NAME t\nROWS\n N cost\n L c1\nCOLUMNS\n x c2 1\nENDATA\n", ":6: "},
        {".mps", "NAME t\nROWS\n N cost\n L c1\nCOLUMNS\n x c1 1 c1 2\nRHS\nENDATA\n", ":6: "},
        {".mps", "NAME t\nROWS\n N cost\n L c1\nCOLUMNS\n x c1 1\n", ":"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool refused = read_text(cases[i].ending, cases[i].text) == WALRAS_INVALID;

        CU_ASSERT_TRUE(refused && strstr(err.msg, cases[i].says));
        if (!refused || !strstr(err.msg, cases[i].says))
            fprintf(stderr, "case %zu: %s\n", i, err.msg);
    }
}

static void test_long_names_and_lines_are_survived(void)
{
    static char text[60000], name[20000];
    const int lengths[] = {200, 255, 256, 300, 5000, 15000};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t n = (size_t)lengths[i];
        enum walras_status status;

        memset(name, 'n', n);
        name[n] = '\0';
        snprintf(text, sizeof(text), "Minimize\n %s\nSubject To\n %s >= 1\nEnd\n", name, name);
        status = read_text(".lp", text);
        CU_ASSERT_EQUAL(status, n <= 255 ? WALRAS_OK : WALRAS_INVALID);
        if (status == WALRAS_OK)
            CU_ASSERT_EQUAL(lp_find_column(lp, name), 0);
        lp_free(lp);
        snprintf(text, sizeof(text), "NAME %s\nROWS\n N c\n L r\nCOLUMNS\n %s r 1\nENDATA\n", name,
                 name);
        status = read_text(".mps", text);
        CU_ASSERT_EQUAL(status, n <= 255 ? WALRAS_OK : WALRAS_INVALID);
        lp_free(lp);
    }
    memset(name, 'd', 2000);
    memcpy(name + 2000, ".lp", 4);
    CU_ASSERT_EQUAL(lp_read(name, &lp, NULL), WALRAS_INVALID);
}

/* Whatever stands in a file, reading it (and solving what was read) returns. */
static void survive(const char *ending, const char *text, size_t length)
{
    memset(&err, 0, sizeof(err));
    if (lp_read(write_file(ending, text, length), &lp, &err) == WALRAS_OK)
        (void)!lp_solve(lp, &(struct lp_settings){.time_limit_s = 0.2}, NULL, NULL, &info, &err);
    remove(file);
    lp_free(lp);
}

static void test_garbage_is_survived(void)
{
    static const char *seeds[] = {
        "Maximize\n p: 3 x + 5 y\nSubject To\n c1: 2 y <= 12\n -4 <= 3 x + 2 y <= 18\nBounds\n x "
        "<= "
        "4\n y free\nGeneral\n x\nBinary\n z\nEnd\n",
        "NAME t\nROWS\n N cost\n L c1\n G c2\n E c3\nCOLUMNS\n M 'MARKER' 'INTORG'\n x cost 1 c1 "
        "1\n"
        " M 'MARKER' 'INTEND'\n x2 c2 1\nRHS\n rhs c1 4 c2 1\nRANGES\n r c1 2\nBOUNDS\n UP b x 4\n"
        " MI b x2\nENDATA\n"};
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    char text[1024];

    for (size_t k = 0; k < testkit_cases(3000); k++) {
        const char *seed = seeds[k % 2];
        size_t length = strlen(seed), n_change = 1 + (size_t)walras_rng_below(&rng, 6);

        memcpy(text, seed, length);
        for (size_t i = 0; i < n_change; i++) {
            size_t at = (size_t)walras_rng_below(&rng, length);
            size_t from = (size_t)walras_rng_below(&rng, length);
            size_t span = (size_t)walras_rng_below(&rng, 12);

            if (walras_rng_unit(&rng) < 0.4)
                text[at] = (char)walras_rng_below(&rng, 256);
            else if (at + span < length && from + span < length)
                memmove(text + at, text + from, span);
        }
        if (walras_rng_unit(&rng) < 0.2)
            length = (size_t)walras_rng_below(&rng, length);
        survive(k % 2 == 0 ? ".lp" : ".mps", text, length);
    }
}

static const struct testkit_test tests[] = {
    {"solves the textbook problem", test_solves_the_textbook_problem},
    {"changes are seen by the next solve", test_changes_are_seen_by_the_next_solve},
    {"infeasible and unbounded are outcomes", test_infeasible_and_unbounded_are_outcomes},
    {"integers are proven and exact", test_integers_are_proven_and_exact},
    {"integers that cannot be met are infeasible", test_integers_that_cannot_be_met_are_infeasible},
    {"empty programs have answers", test_empty_programs_have_answers},
    {"misuse is refused and changes nothing", test_misuse_is_refused_and_changes_nothing},
    {"small cost differences are seen beside huge ones",
     test_small_cost_differences_are_seen_beside_huge_ones},
    {"a second solve starts where the first ended",
     test_a_second_solve_starts_where_the_first_ended},
    {"warm solves agree with cold ones", test_warm_solves_agree_with_cold_ones},
    {"a program may move between threads", test_a_program_may_move_between_threads},
    {"a time limit leaves a proven bound", test_a_time_limit_leaves_a_proven_bound},
    {"reads CPLEX LP and turns maximisation round",
     test_reads_cplex_lp_and_turns_maximisation_round},
    {"reads both kinds of MPS", test_reads_both_kinds_of_mps},
    {"unreadable files are named", test_unreadable_files_are_named},
    {"errors in files name the line", test_errors_in_files_name_the_line},
    {"long names and lines are survived", test_long_names_and_lines_are_survived},
    {"garbage is survived", test_garbage_is_survived},
};
TESTKIT_MAIN("lp", tests)
