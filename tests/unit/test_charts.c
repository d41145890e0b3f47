#include "core/clock.h"
#include "core/file.h"
#include "resultkit.h"
#include "scenario/charts.h"
#include "scenario/gnuplot.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool have_gnuplot(void)
{
    struct walras_err err = {0};

    if (scenario_charts_available(&err) == WALRAS_OK)
        return true;
    testkit_skip(err.msg);
    return false;
}

/* True when the file is a PNG of 1600 x 900: signature, then the header's width and height. */
static bool is_chart(const char *directory, const char *name)
{
    static const unsigned char expected[24] = {0x89, 'P', 'N',  'G',  '\r', '\n', 0x1a, '\n',
                                               0,    0,   0,    13,   'I',  'H',  'D',  'R',
                                               0,    0,   0x06, 0x40, 0,    0,    0x03, 0x84};
    unsigned char head[24] = {0};
    char path[2048];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");

    if (!file)
        return false;
    bool whole = fread(head, 1, sizeof(head), file) == sizeof(head) &&
                 memcmp(head, expected, sizeof(head)) == 0 && fseek(file, 0, SEEK_END) == 0 &&
                 ftell(file) > 5000;

    fclose(file);
    return whole;
}

static bool exists(const char *directory, const char *name)
{
    char path[2048];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

/* Says whether the chart's script has the words. */
static bool draws(const char *directory, const char *name, const char *words)
{
    char *path = walras_path_join(directory, name), *text = NULL;
    size_t size = 0;
    bool found = path && walras_file_read(path, 1000000, &text, &size, NULL) == WALRAS_OK &&
                 strstr(text, words);

    free(text);
    free(path);
    return found;
}

/* Draws and says what went wrong, if anything did. */
static enum walras_status draw(const char *directory, const struct resultkit *kit)
{
    struct walras_err err = {0};
    enum walras_status status = scenario_charts_write(directory, &kit->result, &err);

    if (status != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    return status;
}

static void test_charts_are_drawn(void)
{
    static const char *const names[] = {"prices", "convergence", "loading", "stack"};
    struct resultkit kit;
    const char *directory = have_gnuplot() ? resultkit_directory() : NULL;

    if (!directory)
        return;
    resultkit_init(&kit);
    CU_ASSERT_EQUAL(draw(directory, &kit), WALRAS_OK);
    for (size_t k = 0; k < 4; k++) {
        char name[32];

        snprintf(name, sizeof(name), "%s.png", names[k]);
        CU_ASSERT_TRUE(is_chart(directory, name));
        snprintf(name, sizeof(name), "%s.gp", names[k]);
        CU_ASSERT_TRUE(exists(directory, name));
    }
    resultkit_release(&kit);
    resultkit_remove(directory);
}

static void test_what_has_nothing_to_show_is_left_out(void)
{
    static const double unlimited = INFINITY;
    struct resultkit kit;
    const char *directory = have_gnuplot() ? resultkit_directory() : NULL;

    if (!directory)
        return;
    resultkit_init(&kit);
    for (size_t l = 0; l < RESULTKIT_LINE; l++)
        kit.lines[l].limit_kw = INFINITY;
    kit.supply.import_limit_kw.values = &unlimited;
    kit.market.n_rounds = 0;
    kit.result.awards = NULL;
    CU_ASSERT_EQUAL(draw(directory, &kit), WALRAS_OK);
    CU_ASSERT_TRUE(is_chart(directory, "prices.png"));
    CU_ASSERT_FALSE(exists(directory, "convergence.png"));
    CU_ASSERT_FALSE(exists(directory, "loading.png"));
    CU_ASSERT_FALSE(exists(directory, "stack.png"));
    resultkit_release(&kit);
    resultkit_remove(directory);
}

/* 9.9995 with decisions mixed, 10 as awarded: (10 − 9.999) / 10 = 1e-4 is the gap that is told. */
static void test_an_awarded_plan_dearer_than_the_rounds_is_drawn(void)
{
    struct resultkit kit;
    const char *directory = have_gnuplot() ? resultkit_directory() : NULL;

    if (!directory)
        return;
    resultkit_init(&kit);
    kit.market.convex_objective = 10.0;
    CU_ASSERT_EQUAL(draw(directory, &kit), WALRAS_OK);
    CU_ASSERT_TRUE(draws(directory, "convergence.gp", "'cost of the plan'"));
    CU_ASSERT_FALSE(draws(directory, "convergence.gp", "'awarded plan'"));
    CU_ASSERT_TRUE(draws(directory, "convergence.gp", "set xrange [0.5:3.5]"));
    kit.market.convex_objective = 9.9995;
    CU_ASSERT_EQUAL(draw(directory, &kit), WALRAS_OK);
    CU_ASSERT_TRUE(draws(directory, "convergence.gp", "'decisions mixed'"));
    CU_ASSERT_TRUE(draws(directory, "convergence.gp", "\n  10 with lines"));
    CU_ASSERT_TRUE(draws(directory, "convergence.gp", "\n  0.0001"));
    CU_ASSERT_TRUE(is_chart(directory, "convergence.png"));
    kit.market.n_rounds = 1;
    CU_ASSERT_EQUAL(draw(directory, &kit), WALRAS_OK);
    CU_ASSERT_TRUE(draws(directory, "convergence.gp", "set xrange [0.5:1.5]"));
    resultkit_release(&kit);
    resultkit_remove(directory);
}

static void test_prices_of_an_infeasible_market_are_not_drawn(void)
{
    struct resultkit kit;
    const char *directory = have_gnuplot() ? resultkit_directory() : NULL;

    if (!directory)
        return;
    resultkit_init(&kit);
    kit.market.outcome = MARKET_INFEASIBLE;
    kit.result.awards = NULL;
    kit.result.flow_kw = kit.result.import_kw = kit.result.export_kw = NULL;
    CU_ASSERT_EQUAL(draw(directory, &kit), WALRAS_OK);
    CU_ASSERT_FALSE(exists(directory, "prices.png"));
    CU_ASSERT_TRUE(is_chart(directory, "convergence.png"));
    resultkit_release(&kit);
    resultkit_remove(directory);
}

/* Flat, empty, single, huge and negative: what breaks axes. */
static void test_odd_results_are_drawn_too(void)
{
    struct resultkit kit;
    const char *directory = have_gnuplot() ? resultkit_directory() : NULL;

    if (!directory)
        return;
    resultkit_init(&kit);
    for (size_t i = 0; i < RESULTKIT_BUS * RESULTKIT_STEP; i++)
        kit.price_per_mwh[i] = 0.0;
    for (size_t i = 0; i < RESULTKIT_DEVICE * RESULTKIT_STEP; i++)
        kit.award_kw[i] = 0.0;
    for (size_t t = 0; t < RESULTKIT_STEP; t++)
        kit.import_kw[t] = kit.flow_kw[t] = kit.flow_kw[RESULTKIT_STEP + t] = 0.0;
    kit.market.n_rounds = 1;
    kit.market.objective = NAN;
    CU_ASSERT_EQUAL(draw(directory, &kit), WALRAS_OK);
    kit.scenario.horizon.n_step = kit.awards.n_step = 1; /* bars instead of curves */
    for (size_t i = 0; i < RESULTKIT_BUS; i++)
        kit.price_per_mwh[i] = -1e7 * (double)i;
    CU_ASSERT_EQUAL(draw(directory, &kit), WALRAS_OK);
    CU_ASSERT_TRUE(is_chart(directory, "prices.png"));
    resultkit_release(&kit);
    resultkit_remove(directory);
}

/* Names end up in gnuplot's language, which can run commands: none of these may. */
static void test_names_cannot_run_anything(void)
{
    static char evil[] = "'.system(\"touch charted\").'`touch charted`\nset output\\";
    struct resultkit kit;
    const char *directory = have_gnuplot() ? resultkit_directory() : NULL;
    char here[1024];

    if (!directory || !getcwd(here, sizeof(here)))
        return;
    CU_ASSERT_EQUAL(chdir(directory), 0);
    resultkit_init(&kit);
    kit.scenario.name = evil;
    kit.scenario.currency = "'`id`'";
    kit.buses[2].id = evil;
    kit.lines[1].id = evil;
    CU_ASSERT_EQUAL(draw(directory, &kit), WALRAS_OK);
    CU_ASSERT_FALSE(exists(directory, "charted"));
    CU_ASSERT_TRUE(is_chart(directory, "loading.png"));
    CU_ASSERT_EQUAL(chdir(here), 0);
    resultkit_release(&kit);
    resultkit_remove(directory);
}

static void write_script(const char *path, const char *words)
{
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(words, file);
    fclose(file);
}

static void test_a_script_that_fails_or_hangs_is_told(void)
{
    const char *directory = have_gnuplot() ? resultkit_directory() : NULL;
    struct walras_err wrong = {0}, late = {0};
    char path[2048];

    if (!directory)
        return;
    snprintf(path, sizeof(path), "%s/broken.gp", directory);
    write_script(path, "plot nonsense(\n");
    CU_ASSERT_EQUAL(scenario_gnuplot_run(path, directory, 20.0, &wrong), WALRAS_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(wrong.msg, "broken.gp: gnuplot failed"));
    write_script(path, "pause 30\n");
    double begun_s = walras_monotonic_s();

    CU_ASSERT_EQUAL(scenario_gnuplot_run(path, directory, 0.3, &late), WALRAS_IO);
    CU_ASSERT_TRUE(walras_monotonic_s() - begun_s < 20.0); /* it did not wait for the pause */
    CU_ASSERT_PTR_NOT_NULL(strstr(late.msg, "still drawing"));
    resultkit_remove(directory);
}

static void test_without_gnuplot_the_package_is_named(void)
{
    const char *path = getenv("PATH");
    char *kept = path ? strdup(path) : NULL;
    struct walras_err err = {0};

    setenv("PATH", "/nowhere", 1);
    CU_ASSERT_EQUAL(scenario_charts_available(&err), WALRAS_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "gnuplot-nox"));
    if (kept)
        setenv("PATH", kept, 1);
    free(kept);
}

static const struct testkit_test tests[] = {
    {"charts are drawn", test_charts_are_drawn},
    {"what has nothing to show is left out", test_what_has_nothing_to_show_is_left_out},
    {"an awarded plan dearer than the rounds is drawn",
     test_an_awarded_plan_dearer_than_the_rounds_is_drawn},
    {"prices of an infeasible market are not drawn",
     test_prices_of_an_infeasible_market_are_not_drawn},
    {"odd results are drawn too", test_odd_results_are_drawn_too},
    {"names cannot run anything", test_names_cannot_run_anything},
    {"a script that fails or hangs is told", test_a_script_that_fails_or_hangs_is_told},
    {"without gnuplot the package is named", test_without_gnuplot_the_package_is_named},
};
TESTKIT_MAIN("charts", tests)
