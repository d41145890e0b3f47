#include "cli/cli.h"
#include "core/outdir.h"
#include "core/signals.h"
#include "scenario/charts.h"
#include "scenario/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct compare_options {
    const char *path, *out, *list;
    bool plots, json;
    const char *methods[SCENARIO_MAX_METHODS];
    struct scenario_compare_settings settings;
};

static void show_now(const struct scenario_compare_now *now)
{
    fprintf(stderr, "\r%s (%zu of %zu)", now->method, now->run + 1, now->n_run);
    if (now->round) {
        fprintf(stderr, "  round %u", now->round->round);
        if (!isnan(now->round->gap))
            fprintf(stderr, "  gap %.1e", now->round->gap);
        fprintf(stderr, "  %.1f s", now->round->elapsed_s);
    }
    fputs("\033[K", stderr);
    fflush(stderr);
}

static bool show_progress(void *context, const struct scenario_compare_now *now)
{
    const bool *shown = context; /* on a terminal */

    if (*shown)
        show_now(now);
    return !walras_signals_stop();
}

static int parse(int argc, char **argv, struct compare_options *o)
{
    struct market_settings *market = &o->settings.clear.market;
    const struct cli_option options[] = {
        {"methods", CLI_TEXT, &o->list, 0, 0},
        {"out", CLI_TEXT, &o->out, 0, 0},
        {"plots", CLI_FLAG, &o->plots, 0, 0},
        {"json", CLI_FLAG, &o->json, 0, 0},
        {"gap", CLI_NUMBER, &market->gap, 1e-12, 1.0},
        {"max-rounds", CLI_WHOLE, &market->max_rounds, 1, 1e6},
        {"time-limit", CLI_NUMBER, &market->time_limit_s, 0, 1e9},
        {"threads", CLI_WHOLE, &market->n_thread, 1, CLI_MAX_THREADS},
    };
    struct walras_err err = {0};
    int ends = cli_parse(&cli_compare, argc, argv, options, sizeof(options) / sizeof(options[0]),
                         &o->path, 1);

    if (ends >= 0)
        return ends;
    if (scenario_compare_methods(o->list, o->methods, &o->settings.n_method, &err) != WALRAS_OK)
        return cli_usage(&cli_compare, "--methods: %s", err.msg);
    if (o->plots && !o->out)
        return cli_usage(&cli_compare, "--plots needs --out DIR to put the charts in");
    o->settings.methods = o->methods;
    return -1;
}

static enum walras_status write_files(const struct compare_options *o,
                                      const struct scenario_comparison *comparison,
                                      struct walras_err *err)
{
    /* charts of an earlier comparison do not belong to this one */
    static const char *const charts[] = {"compare.png", "compare.gp", "compare-bound.png",
                                         "compare-bound.gp"};
    struct walras_outdir *out = NULL;
    enum walras_status status = walras_outdir_begin(o->out, &out, err);

    if (status == WALRAS_OK)
        status = scenario_comparison_write(walras_outdir_path(out), comparison, err);
    if (status == WALRAS_OK && o->plots)
        status = scenario_comparison_draw(walras_outdir_path(out), comparison, err);
    for (size_t i = 0; i < sizeof(charts) / sizeof(charts[0]) && status == WALRAS_OK; i++)
        status = walras_outdir_forget(out, charts[i], err);
    if (status == WALRAS_OK)
        status = walras_outdir_commit(out, err);
    walras_outdir_free(out);
    return status;
}

static enum walras_status report(const struct compare_options *o,
                                 const struct scenario_comparison *comparison,
                                 struct walras_err *err)
{
    enum walras_status status = o->out ? write_files(o, comparison, err) : WALRAS_OK;

    if (status != WALRAS_OK)
        return status;
    if (o->json) {
        scenario_comparison_print_json(stdout, comparison);
        return WALRAS_OK;
    }
    scenario_comparison_print(stdout, comparison);
    if (o->out)
        printf("\nfiles in %s: compare.json, compare.csv%s\n", o->out,
               o->plots ? " and charts (*.png)" : "");
    return WALRAS_OK;
}

static int exit_status_of(const struct scenario_comparison *comparison)
{
    bool reached = false, whole = true;

    for (size_t i = 0; i < comparison->n_run; i++) {
        const struct scenario_run *run = &comparison->runs[i];

        if (run->end == SCENARIO_RUN_INFEASIBLE)
            return CLI_INFEASIBLE;
        /* what a method does not support is no failure of the comparison */
        if (run->end == SCENARIO_RUN_FAILED && run->failure != WALRAS_UNSUPPORTED)
            return walras_status_exit(run->failure);
        reached = reached || run->end == SCENARIO_RUN_CONVERGED;
        whole = whole && run->end != SCENARIO_RUN_STOPPED && run->end != SCENARIO_RUN_NOT_RUN;
    }
    return reached && whole ? EXIT_SUCCESS : CLI_LIMIT;
}

static int compare_methods(const struct compare_options *o, const struct scenario *scenario)
{
    struct scenario_comparison comparison = {0};
    struct walras_err err = {0};
    int exit_status = EXIT_FAILURE;
    enum walras_status status = scenario_compare(scenario, &o->settings, &comparison, &err);

    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (status == WALRAS_OK) {
        exit_status = exit_status_of(&comparison);
        status = report(o, &comparison, &err);
        if (walras_signals_stop())
            fputs("walras: stopped as asked; what was found by then is shown\n", stderr);
    }
    scenario_comparison_release(&comparison);
    return status == WALRAS_OK ? exit_status : cli_fail(&err);
}

static int run(int argc, char **argv)
{
    struct compare_options o = {.settings.clear = scenario_clear_settings_defaults()};
    bool shown = isatty(STDERR_FILENO);
    struct scenario scenario;
    struct walras_err err = {0};
    int ends;

    o.settings.clear.market.n_thread = cli_count_cores();
    o.settings.progress = show_progress;
    o.settings.context = &shown;
    ends = parse(argc, argv, &o);
    if (ends >= 0)
        return ends;
    if (o.plots && scenario_charts_available(&err) != WALRAS_OK)
        return cli_fail(&err);
    if (scenario_read(o.path, &scenario, &err) != WALRAS_OK)
        return cli_fail(&err);
    walras_signals_install();
    ends = compare_methods(&o, &scenario);
    scenario_release(&scenario);
    return ends;
}

const struct cli_command cli_compare = {
    .name = "compare",
    .summary = "clears a market by several price methods and shows what each needs",
    .help =
        "usage: walras compare FILE [OPTION...]\n\n"
        "Clears the market in FILE by one price method after another, with the same settings, and\n"
        "shows how many rounds, messages (answers of participants) and seconds each took until\n"
        "a gap of 1e-1, 1e-2 ... was certified; how soon its bound alone was that close to the\n"
        "best plan that any of them found; and where each ended.\n\n"
        "  --methods A,B    the price methods, in this order (all there are)\n"
        "  --out DIR        write compare.json, compare.csv (every round) into DIR\n"
        "  --plots          and charts (PNG, drawn by gnuplot)\n"
        "  --json           print compare.json instead of the tables\n"
        "  --gap G          relative gap to reach (1e-4)\n"
        "  --max-rounds N   stop each method after so many rounds (500)\n"
        "  --time-limit S   stop each method after so many seconds\n"
        "  --threads N      threads that answer for the devices (all cores)\n\n"
        "Ctrl-C ends the present method after its round and leaves out the rest; what there is is\n"
        "shown and written.\n\n"
        "Exit status: 0 all methods ran and at least one reached the gap, 3 none did or some were\n"
        "stopped, 4 the market cannot be cleared, 2 wrong input or usage, 1 a file could not be\n"
        "read or written, or a method failed.\n",
    .run = run,
};
