#include "cli/cli.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/outdir.h"
#include "core/signals.h"
#include "scenario/charts.h"
#include "scenario/simulate_result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STOPPED = 3, INFEASIBLE = 4, MAX_THREADS = 1024, BAR = 24 };

struct simulate_options {
    const char *path, *out, *devices;
    bool plots, json, quiet, resume;
    struct scenario_simulate_settings settings;
};

struct bar { /* on a terminal: one line that is written over again and again */
    bool shown;
    const struct scenario_run *run; /* NULL before the run is there */
    double begun_s;
    size_t first_window; /* that this program cleared itself */
};

static void print_left(double left_s)
{
    unsigned s = (unsigned)left_s;

    fprintf(stderr, "  %u:%02u:%02u left", s / 3600, s / 60 % 60, s % 60);
}

static bool show_progress(void *context, const struct market_round *round)
{
    const struct bar *bar = context;

    if (bar->shown && bar->run) {
        const struct scenario_run *run = bar->run;
        size_t n = run->steps.n_window, done = run->n_window, cleared = done - bar->first_window;
        size_t full = done * BAR / n;
        double elapsed_s = walras_monotonic_s() - bar->begun_s;
        char start[SCENARIO_TIME_TEXT];

        scenario_step_text(run->scenario, run->n_done, start);
        fputs("\r[", stderr);
        for (size_t i = 0; i < BAR; i++)
            fputc(i < full ? '#' : '.', stderr);
        fprintf(stderr, "] %zu of %zu  %.10s %.5s  round %u", done, n, start, start + 11,
                round->round);
        if (cleared > 0)
            print_left(elapsed_s / (double)cleared * (double)(n - done));
        fputs("\033[K", stderr);
        fflush(stderr);
    }
    return !walras_signals_stop();
}

static int parse(int argc, char **argv, struct simulate_options *o)
{
    struct market_settings *market = &o->settings.clear.market;
    unsigned n_group = 0;
    const struct cli_option options[] = {
        {"days", CLI_WHOLE, &o->settings.read.run_days, 1, 36500},
        {"replan", CLI_WHOLE, &o->settings.read.replan_steps, 1, SCENARIO_MAX_STEPS},
        {"out", CLI_TEXT, &o->out, 0, 0},
        {"plots", CLI_FLAG, &o->plots, 0, 0},
        {"resume", CLI_FLAG, &o->resume, 0, 0},
        {"json", CLI_FLAG, &o->json, 0, 0},
        {"quiet", CLI_FLAG, &o->quiet, 0, 0},
        {"cold", CLI_FLAG, &o->settings.cold, 0, 0},
        {"warm-points", CLI_WHOLE, &o->settings.n_warm_point, 1, 100},
        {"gap", CLI_NUMBER, &market->gap, 1e-12, 1.0},
        {"method", CLI_TEXT, &market->method, 0, 0},
        {"master", CLI_TEXT, &market->master, 0, 0},
        {"max-rounds", CLI_WHOLE, &market->max_rounds, 1, 1e6},
        {"threads", CLI_WHOLE, &market->n_thread, 1, MAX_THREADS},
        {"points", CLI_WHOLE, &market->n_point, 1, MARKET_MAX_POINTS},
        {"groups", CLI_WHOLE, &n_group, 1, 1e6},
        {"devices", CLI_TEXT, &o->devices, 0, 0},
    };
    struct walras_err err = {0};
    int ends = cli_parse(&cli_simulate, argc, argv, options, sizeof(options) / sizeof(options[0]),
                         &o->path, 1);

    if (ends >= 0)
        return ends;
    if (strcmp(o->devices, "fast") != 0 && strcmp(o->devices, "glpk") != 0)
        return cli_usage(&cli_simulate, "--devices must be fast or glpk, got \"%s\"", o->devices);
    if (market_settings_check(market, &err) != WALRAS_OK)
        return cli_usage(&cli_simulate, "%s", err.msg);
    if ((o->plots || o->resume) && !o->out)
        return cli_usage(&cli_simulate, "--%s needs --out DIR", o->plots ? "plots" : "resume");
    o->settings.clear.glpk = strcmp(o->devices, "glpk") == 0;
    o->settings.clear.n_group = n_group;
    return -1;
}

/* A file's name in a directory, for a function that takes a path. */
static enum walras_status in_directory(const char *directory, const char *name,
                                       struct scenario_simulation *simulation,
                                       enum walras_status (*act)(struct scenario_simulation *,
                                                                 const char *, struct walras_err *),
                                       struct walras_err *err)
{
    char *path = walras_path_join(directory, name);
    enum walras_status status =
        path ? act(simulation, path, err) : walras_fail(err, WALRAS_NOMEM, "no memory for a path");

    free(path);
    return status;
}

static enum walras_status save(struct scenario_simulation *simulation, const char *path,
                               struct walras_err *err)
{
    return scenario_simulation_save(simulation, path, err);
}

/* After every window, so that nothing that was cleared is lost. */
static enum walras_status keep_state(const struct simulate_options *o,
                                     struct scenario_simulation *simulation, struct walras_err *err)
{
    struct walras_outdir *out = NULL;
    enum walras_status status = walras_outdir_begin(o->out, &out, err);

    if (status == WALRAS_OK)
        status = in_directory(walras_outdir_path(out), "state.json", simulation, save, err);
    if (status == WALRAS_OK)
        status = walras_outdir_commit(out, err);
    walras_outdir_free(out);
    return status;
}

static enum walras_status write_files(const struct simulate_options *o,
                                      const struct scenario_run *run, struct walras_err *err)
{
    static const char *const charts[] = {"run.png", "run.gp"};
    bool complete = run->n_done == run->steps.length;
    struct walras_outdir *out = NULL;
    enum walras_status status = walras_outdir_begin(o->out, &out, err);

    if (status == WALRAS_OK)
        status = scenario_run_write(walras_outdir_path(out), run, err);
    if (status == WALRAS_OK && o->plots && run->n_done > 0)
        status = scenario_run_chart(walras_outdir_path(out), run, err);
    for (size_t i = 0; i < 2 && status == WALRAS_OK; i++)
        status = walras_outdir_forget(out, charts[i], err); /* of an earlier run */
    if (status == WALRAS_OK && (complete || run->n_done == 0))
        status = walras_outdir_forget(out, "state.json", err); /* there is nothing to go on with */
    if (status == WALRAS_OK)
        status = walras_outdir_commit(out, err);
    walras_outdir_free(out);
    return status;
}

static enum walras_status report(const struct simulate_options *o, const struct scenario_run *run,
                                 struct walras_err *err)
{
    enum walras_status status = o->out ? write_files(o, run, err) : WALRAS_OK;

    if (status != WALRAS_OK)
        return status;
    if (o->json)
        scenario_run_print_json(stdout, run);
    else if (!o->quiet)
        scenario_run_print(stdout, run);
    if (!o->json && !o->quiet && o->out)
        printf("  files      %s: simulation.json, days.csv, windows.csv, prices.csv%s\n", o->out,
               o->plots && run->n_done > 0 ? ", run.png" : "");
    if (run->stopped && !o->quiet)
        fprintf(stderr, "walras: stopped as asked%s\n",
                o->out && run->n_done > 0 ? "; --resume goes on from here" : "");
    if (run->failed && o->quiet)
        fprintf(stderr, "walras: %s\n", run->why);
    return WALRAS_OK;
}

static int exit_status_of(const struct scenario_run *run)
{
    if (run->failed)
        return run->outcome == MARKET_INFEASIBLE ? INFEASIBLE : STOPPED;
    if (run->n_done < run->steps.length)
        return STOPPED;
    for (size_t i = 0; i < run->n_window; i++)
        if (run->windows[i].outcome != MARKET_CONVERGED)
            return STOPPED;
    return EXIT_SUCCESS;
}

static enum walras_status go(const struct simulate_options *o, struct bar *bar,
                             struct scenario_simulation *simulation, struct walras_err *err)
{
    const struct scenario_run *run = scenario_simulation_run(simulation);
    enum walras_status status = WALRAS_OK;

    if (o->resume)
        status = in_directory(o->out, "state.json", simulation, scenario_simulation_load, err);
    bar->run = run;
    bar->first_window = run->n_window;
    bar->begun_s = walras_monotonic_s();
    while (status == WALRAS_OK && !run->stopped && !scenario_simulation_over(simulation)) {
        size_t before = run->n_window;

        status = scenario_simulation_advance(simulation, err);
        if (status == WALRAS_OK && o->out && run->n_window > before)
            status = keep_state(o, simulation, err);
    }
    if (bar->shown)
        fprintf(stderr, "\r\033[K");
    return status == WALRAS_OK ? report(o, run, err) : status;
}

static int run(int argc, char **argv)
{
    struct simulate_options o = {.devices = "fast",
                                 .settings = scenario_simulate_settings_defaults()};
    struct bar bar = {0};
    struct scenario scenario;
    struct scenario_simulation *simulation = NULL;
    struct walras_err err = {0};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int ends;

    o.settings.read.run_days = 1;
    o.settings.clear.market.n_thread = cores < 1             ? 1
                                       : cores > MAX_THREADS ? MAX_THREADS
                                                             : (unsigned)cores;
    ends = parse(argc, argv, &o);
    if (ends >= 0)
        return ends;
    if (o.plots && scenario_charts_available(&err) != WALRAS_OK)
        return cli_fail(&err);
    if (scenario_read_with(o.path, &o.settings.read, &scenario, &err) != WALRAS_OK)
        return cli_fail(&err);
    walras_signals_install();
    bar.shown = isatty(STDERR_FILENO) && !o.quiet;
    o.settings.clear.market.progress = show_progress;
    o.settings.clear.market.context = &bar;
    if (scenario_simulation_new(&scenario, &o.settings, &simulation, &err) == WALRAS_OK &&
        go(&o, &bar, simulation, &err) == WALRAS_OK)
        ends = exit_status_of(scenario_simulation_run(simulation));
    else
        ends = cli_fail(&err);
    scenario_simulation_free(simulation);
    scenario_release(&scenario);
    return ends;
}

const struct cli_command cli_simulate = {
    .name = "simulate",
    .summary = "clears a market again and again over days, as time goes on",
    .help =
        "usage: walras simulate FILE [OPTION...]\n\n"
        "Clears the scenario FILE over its horizon, does the first steps of the plan, and clears\n"
        "again from what has come of them, with what its series say of the hours that came into\n"
        "sight: a rolling horizon. Each clearing begins with the prices of the one before.\n\n"
        "  --days D         how long the run is (1)\n"
        "  --replan K       steps that are done of each plan (an hour's)\n"
        "  --out DIR        write simulation.json, days.csv, windows.csv, prices.csv into DIR\n"
        "  --plots          and a chart of the whole run (run.png, drawn by gnuplot)\n"
        "  --resume         go on where the run in DIR stopped\n"
        "  --json           print simulation.json instead of the summary\n"
        "  --quiet          print no summary and no progress, only errors\n"
        "  --cold           begin every clearing from nothing, to compare\n"
        "  --warm-points N  price points that a warm clearing asks first (12); fewer ask the\n"
        "                   devices less and need more rounds\n"
        "  --gap, --method, --master, --max-rounds, --threads, --points, --groups, --devices\n"
        "                   as of walras clear, for every clearing; the method is bundle, which\n"
        "                   begins where the clearing before has ended, unless another is named\n\n"
        "Arrays, curves, fleets, stays of cars and appliances repeat with the horizon, CSV files\n"
        "are read on and must be long enough. Ctrl-C ends the run after writing what is done.\n\n"
        "Exit status: 0 done, 3 stopped or some clearing did not reach the gap, 4 a window cannot\n"
        "be cleared (the reason is named), 2 wrong input or usage, 1 a file could not be read or\n"
        "written.\n",
    .run = run,
};
