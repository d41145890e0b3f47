#include "cli/cli.h"
#include "core/outdir.h"
#include "core/signals.h"
#include "ranks/ranks.h"
#include "scenario/ac.h"
#include "scenario/charts.h"
#include "scenario/clear.h"
#include "scenario/digest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct clear_options {
    const char *path, *out, *devices;
    bool plots, json, quiet, ac, losses;
    struct scenario_clear_settings settings;
};

struct live_line {
    bool shown; /* on a terminal */
    const char *currency;
};

/* One line that is written over again and again. */
static bool show_progress(void *context, const struct market_round *round)
{
    const struct live_line *line = context;

    if (line->shown) {
        fprintf(stderr, "\rround %u  bound %.6g %s", round->round, round->bound, line->currency);
        if (isnan(round->objective))
            fprintf(stderr, "  cost -");
        else
            fprintf(stderr, "  cost %.6g %s  gap %.1e", round->objective, line->currency,
                    round->gap);
        fprintf(stderr, "  binding %zu  %.1f s\033[K", round->n_binding, round->elapsed_s);
        fflush(stderr);
    }
    return !walras_signals_stop();
}

static int parse(int argc, char **argv, struct clear_options *o)
{
    struct market_settings *market = &o->settings.market;
    unsigned n_group = 0;
    const struct cli_option options[] = {
        {"out", CLI_TEXT, &o->out, 0, 0},
        {"gap", CLI_NUMBER, &market->gap, 1e-12, 1.0},
        {"method", CLI_TEXT, &market->method, 0, 0},
        {"master", CLI_TEXT, &market->master, 0, 0},
        {"max-rounds", CLI_WHOLE, &market->max_rounds, 1, 1e6},
        {"time-limit", CLI_NUMBER, &market->time_limit_s, 0, 1e9},
        {"threads", CLI_WHOLE, &market->n_thread, 1, CLI_MAX_THREADS},
        {"points", CLI_WHOLE, &market->n_point, 1, MARKET_MAX_POINTS},
        {"groups", CLI_WHOLE, &n_group, 1, 1e6},
        {"devices", CLI_TEXT, &o->devices, 0, 0},
        {"ac", CLI_FLAG, &o->ac, 0, 0},
        {"losses", CLI_FLAG, &o->losses, 0, 0},
        {"plots", CLI_FLAG, &o->plots, 0, 0},
        {"json", CLI_FLAG, &o->json, 0, 0},
        {"quiet", CLI_FLAG, &o->quiet, 0, 0},
    };
    struct walras_err err = {0};
    int ends = cli_parse(&cli_clear, argc, argv, options, sizeof(options) / sizeof(options[0]),
                         &o->path, 1);

    if (ends >= 0)
        return ends;
    if (strcmp(o->devices, "fast") != 0 && strcmp(o->devices, "glpk") != 0)
        return cli_usage(&cli_clear, "--devices must be fast or glpk, got \"%s\"", o->devices);
    if (market_settings_check(market, &err) != WALRAS_OK)
        return cli_usage(&cli_clear, "%s", err.msg);
    if (o->plots && !o->out)
        return cli_usage(&cli_clear, "--plots needs --out DIR to put the charts in");
    o->settings.glpk = strcmp(o->devices, "glpk") == 0;
    o->settings.n_group = n_group;
    return -1;
}

static enum walras_status write_files(const struct clear_options *o,
                                      const struct scenario_result *result, struct walras_err *err)
{
    static const char *const charts[] = {"prices", "convergence", "loading", "stack"};
    struct walras_outdir *out = NULL;
    enum walras_status status = walras_outdir_begin(o->out, &out, err);

    if (status == WALRAS_OK)
        status = scenario_result_write(walras_outdir_path(out), result, err);
    if (status == WALRAS_OK && o->plots)
        status = scenario_charts_write(walras_outdir_path(out), result, err);
    for (size_t i = 0; i < 2 * (sizeof(charts) / sizeof(charts[0])) && status == WALRAS_OK; i++) {
        char name[32]; /* charts of an earlier result do not belong to this one */

        snprintf(name, sizeof(name), "%s.%s", charts[i / 2], i % 2 == 0 ? "png" : "gp");
        status = walras_outdir_forget(out, name, err);
    }
    if (status == WALRAS_OK)
        status = walras_outdir_commit(out, err);
    walras_outdir_free(out);
    return status;
}

static enum walras_status report(const struct clear_options *o,
                                 const struct scenario_result *result, struct walras_err *err)
{
    enum walras_status status = o->out ? write_files(o, result, err) : WALRAS_OK;

    if (status == WALRAS_OK && o->json)
        return scenario_result_print(stdout, result, err);
    if (status == WALRAS_OK && !o->quiet)
        status = scenario_digest_print(stdout, result, err);
    if (status == WALRAS_OK && !o->quiet && result->ranks)
        printf("  ranks      %u; %.0f bytes a round between rank 0 and each of the others\n",
               result->ranks->n, result->market->bytes_per_round);
    if (status == WALRAS_OK && !o->quiet && o->out)
        printf("  files      %s: result.json, grid.json, awards.csv, prices.csv, rounds.csv%s\n",
               o->out, o->plots ? " and charts (*.png)" : "");
    return status;
}

static int exit_status_of(const struct scenario_result *result)
{
    switch (result->market->outcome) {
    case MARKET_CONVERGED:
        return result->ac && !result->ac->feasible ? CLI_INFEASIBLE : EXIT_SUCCESS;
    case MARKET_INFEASIBLE:
        return CLI_INFEASIBLE;
    case MARKET_ROUND_LIMIT:
    case MARKET_TIME_LIMIT:
        break;
    }
    return CLI_LIMIT;
}

/* Only rank 0 speaks and tells the exit status. A failure that is its alone ends the others. */
static int clear_scenario(const struct clear_options *o, const struct scenario *scenario,
                          bool *agreed, struct walras_err *err)
{
    struct walras_ranks *ranks = o->settings.market.ranks;
    struct scenario_clearing *clearing = NULL;
    struct scenario_ac_run ac = {0};
    const struct scenario_result *result = NULL;
    int exit_status = EXIT_SUCCESS;
    enum walras_status status = o->ac ? scenario_clear_ac(scenario, &o->settings, &ac, err)
                                      : scenario_clear(scenario, &o->settings, &clearing, err);

    if (isatty(STDERR_FILENO) && !o->quiet && walras_ranks_lead(ranks))
        fprintf(stderr, "\r\033[K");
    if (status != WALRAS_OK)
        return walras_ranks_lead(ranks) ? cli_fail(err) : EXIT_SUCCESS;
    result = scenario_clearing_result(o->ac ? ac.clearing : clearing);
    if (!walras_ranks_lead(ranks)) {
        status = o->out ? scenario_result_help(result, err) : WALRAS_OK;
    } else {
        status = report(o, result, err);
        exit_status = exit_status_of(result);
        if (walras_signals_stop() && !o->quiet)
            fputs("walras: stopped as asked; what was found by then is judged\n", stderr);
        if (status == WALRAS_OK && o->quiet && result->why)
            fprintf(stderr, "walras: %s\n", result->why);
        if (status == WALRAS_OK && o->quiet && result->losses && result->losses->why[0] != '\0')
            fprintf(stderr, "walras: %s\n", result->losses->why);
        if (status == WALRAS_OK && o->quiet && result->ac && !result->ac->feasible)
            fprintf(stderr, "walras: %s\n", result->ac->why);
    }
    scenario_clearing_free(clearing);
    scenario_ac_release(&ac);
    *agreed = status == WALRAS_OK;
    return status == WALRAS_OK ? exit_status : cli_fail(err);
}

/* Every rank reads its own share. */
static enum walras_status read_share(const char *path, struct walras_ranks *ranks,
                                     struct scenario *scenario, struct walras_err *err)
{
    struct scenario_settings settings = scenario_settings_defaults();

    if (ranks) {
        settings.rank = ranks->rank;
        settings.n_rank = ranks->n;
    }
    return walras_ranks_agree(ranks, scenario_read_with(path, &settings, scenario, err), err);
}

static int clear_share(struct clear_options *o, bool *agreed)
{
    struct walras_ranks *ranks = o->settings.market.ranks;
    struct live_line line = {0};
    struct scenario scenario = {0};
    struct walras_err err = {0};
    int ends = EXIT_SUCCESS;

    if (read_share(o->path, ranks, &scenario, &err) != WALRAS_OK) {
        scenario_release(&scenario);
        return walras_ranks_lead(ranks) ? cli_fail(&err) : EXIT_SUCCESS;
    }
    scenario.losses = scenario.losses || o->losses;
    walras_signals_install();
    line.shown = isatty(STDERR_FILENO) && !o->quiet;
    line.currency = scenario.currency;
    o->settings.market.progress = show_progress;
    o->settings.market.context = &line;
    ends = clear_scenario(o, &scenario, agreed, &err);
    o->settings.market.context = NULL; /* line ends here */
    scenario_release(&scenario);
    return ends;
}

static int run(int argc, char **argv)
{
    struct clear_options o = {.devices = "fast", .settings = scenario_clear_settings_defaults()};
    struct walras_err err = {0};
    bool agreed = true;
    int ends;

    o.settings.market.n_thread = cli_count_cores();
    ends = parse(argc, argv, &o);

    if (ends >= 0)
        return ends;
    if (o.plots && scenario_charts_available(&err) != WALRAS_OK)
        return cli_fail(&err);
    if (ranks_begin(&o.settings.market.ranks, &err) != WALRAS_OK)
        return cli_fail(&err);
    if (o.plots && walras_ranks_count(o.settings.market.ranks) > 1)
        ends = walras_ranks_lead(o.settings.market.ranks)
                   ? cli_usage(&cli_clear, "--plots is for one rank: leave it out under mpirun")
                   : EXIT_SUCCESS;
    else
        ends = clear_share(&o, &agreed);
    fflush(stdout);
    ranks_end(o.settings.market.ranks, agreed, ends);
    return ends;
}

const struct cli_command cli_clear = {
    .name = "clear",
    .summary = "finds the prices at which a market clears, and proves them",
    .help =
        "usage: walras clear FILE [OPTION...]\n\n"
        "Announces prices, collects the devices' answers and moves the prices until the plan is\n"
        "feasible and certified to be within the asked gap of the best one. FILE is a scenario\n"
        "(JSON) or a MATPOWER case.\n\n"
        "  --out DIR        write result.json, grid.json, awards.csv, prices.csv, rounds.csv\n"
        "  --plots          and charts (PNG, drawn by gnuplot)\n"
        "  --ac             tighten limits and clear again until the AC power flow keeps them all\n"
        "  --losses         supply covers what lines lose, and prices say so (as \"losses\" in the "
        "grid)\n"
        "  --json           print result.json instead of the summary\n"
        "  --quiet          print no summary and no progress, only errors\n"
        "  --gap G          relative gap to reach (1e-4)\n"
        "  --max-rounds N   stop after so many rounds (500)\n"
        "  --time-limit S   stop after so many seconds\n"
        "  --threads N      threads that answer for the devices (all cores); same result for any\n"
        "  --method M       price method: auto (default: interior or bundle), bundle, interior,\n"
        "                   newton, admm, accelerated, adam, polyak or subgradient\n"
        "  --master M       of the bundle: qp (default) or lp\n"
        "  --points J       price points announced in a round (1), by bundle and newton\n"
        "  --groups N       about how many groups of devices answer together (chosen by size)\n"
        "  --devices D      fast: exact solvers where there are (default); glpk: GLPK for all\n\n"
        "Under `mpirun -n R walras clear FILE` every rank reads and answers for its share of the\n"
        "agents; rank 0 finds the prices and writes the results (docs/scaling.md). --threads are\n"
        "those of each rank; charts need one rank.\n\n"
        "Ctrl-C stops as --time-limit does: the best plan so far is judged and written (the "
        "method\n"
        "interior has none before its end). Whole\n"
        "on/off decisions can cost more than the asked gap; the summary then says how much.\n\n"
        "Exit status: 0 cleared, 3 round or time limit reached or stopped, 4 cannot be cleared\n"
        "(the reason is named), 2 wrong input or usage, 1 a file could not be read or written.\n",
    .run = run,
    .ranks = true,
};
