#include "cli/cli.h"
#include "cli/key_file.h"
#include "core/json_write.h"
#include "swarm/swarm.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct swarm_options {
    const char *url, *key, *scenario, *market, *ca_file, *guest, *guest_bus, *guest_owner;
    double gap;
    unsigned points, max_rounds, round_timeout_s, batch, connections, threads;
    bool per_agent, json, quiet;
};

static atomic_bool stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    atomic_store(&stopped, true);
}

static void say(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The rounds' seconds in order, in place. */
static double median_of(double *seconds, size_t n)
{
    qsort(seconds, n, sizeof(*seconds), compare);
    return n > 0 ? seconds[n / 2] : 0.0;
}

static void print_json(const struct swarm_options *o, const struct swarm_report *r)
{
    struct walras_json_out out = walras_json_out_start(stdout, 1);
    const struct {
        const char *key;
        double value;
    } numbers[] = {
        {"objective", r->objective}, {"dual_bound", r->bound},      {"gap", r->gap},
        {"setup_s", r->setup_s},     {"clearing_s", r->clearing_s}, {"find_s", r->find_s},
        {"send_s", r->send_s}};

    walras_json_out_open(&out, '{');
    walras_json_out_key(&out, "market");
    walras_json_out_text(&out, o->market);
    walras_json_out_key(&out, "state");
    walras_json_out_text(&out, r->state);
    walras_json_out_key(&out, "status");
    walras_json_out_text(&out, r->status[0] ? r->status : NULL);
    walras_json_out_key(&out, "remote_agents");
    walras_json_out_integer(&out, (int64_t)r->n_remote);
    walras_json_out_key(&out, "delegated_agents");
    walras_json_out_integer(&out, (int64_t)r->n_delegated);
    walras_json_out_key(&out, "rounds");
    walras_json_out_integer(&out, (int64_t)r->n_round);
    walras_json_out_key(&out, "requests");
    walras_json_out_integer(&out, (int64_t)r->n_answer);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        walras_json_out_key(&out, numbers[i].key);
        walras_json_out_number(&out, numbers[i].value);
    }
    walras_json_out_key(&out, "round_s");
    walras_json_out_numbers(&out, r->round_s, r->n_round);
    walras_json_out_close(&out, '}');
    walras_json_out_end(&out);
}

static void print_table(const struct swarm_options *o, struct swarm_report *r)
{
    double longest = 0.0;

    for (size_t i = 0; i < r->n_round; i++)
        longest = fmax(longest, r->round_s[i]);
    printf("market      %s, %s%s%s\n", o->market, r->state, r->status[0] ? ", " : "", r->status);
    printf("agents      %zu remote, %zu delegated\n", r->n_remote, r->n_delegated);
    printf("rounds      %zu, %.3g s each (median; longest %.3g s), %.3g s in all\n", r->n_round,
           median_of(r->round_s, r->n_round), longest, r->clearing_s);
    printf("            of these %.3g s for best responses, %.3g s until they were accepted\n",
           r->find_s, r->send_s);
    printf("requests    %zu, set up in %.3g s\n", r->n_answer, r->setup_s);
    if (!isnan(r->objective))
        printf("objective   %.8g, no plan is below %.8g, gap %.2g\n", r->objective, r->bound,
               r->gap);
}

static const char *missing(const struct swarm_options *o)
{
    return !o->url ? "--url" : !o->key ? "--key" : !o->scenario ? "--scenario" : NULL;
}

static enum walras_status run_swarm(const struct swarm_options *o, struct swarm_report *report,
                                    struct walras_err *err)
{
    struct cli_key_file key = {0};
    struct scenario scenario = {0};
    struct swarm_settings settings = swarm_settings_defaults();
    enum walras_status status = cli_key_file_read(o->key, &key, err);

    settings.http.url = o->url;
    settings.http.client_id = key.client_id;
    settings.http.client_secret = key.client_secret;
    settings.http.ca_file = o->ca_file;
    settings.http.n_connection = o->connections;
    settings.http.stop = &stopped;
    settings.market = o->market;
    settings.gap = o->gap;
    settings.points = o->points;
    settings.max_rounds = o->max_rounds;
    settings.round_timeout_s = o->round_timeout_s;
    settings.batch = o->per_agent ? 0 : o->batch;
    settings.n_thread = o->threads;
    settings.guest = (struct swarm_guest){o->guest, o->guest_bus, o->guest_owner};
    settings.say = o->quiet ? NULL : say;
    if (status == WALRAS_OK)
        status = scenario_read(o->scenario, &scenario, err);
    if (status != WALRAS_OK)
        return status;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    status = swarm_run(&scenario, &settings, report, err);
    scenario_release(&scenario);
    return status;
}

static int run(int argc, char **argv)
{
    struct swarm_settings d = swarm_settings_defaults();
    struct swarm_options o = {.gap = d.gap,
                              .points = d.points,
                              .max_rounds = d.max_rounds,
                              .round_timeout_s = d.round_timeout_s,
                              .batch = d.batch,
                              .connections = d.http.n_connection,
                              .threads = cli_count_cores()};
    const struct cli_option options[] = {
        {.name = "url", .kind = CLI_TEXT, .value = &o.url},
        {.name = "key", .kind = CLI_TEXT, .value = &o.key},
        {.name = "scenario", .kind = CLI_TEXT, .value = &o.scenario},
        {.name = "market", .kind = CLI_TEXT, .value = &o.market},
        {.name = "ca-file", .kind = CLI_TEXT, .value = &o.ca_file},
        {.name = "guest", .kind = CLI_TEXT, .value = &o.guest},
        {.name = "guest-bus", .kind = CLI_TEXT, .value = &o.guest_bus},
        {.name = "guest-owner", .kind = CLI_TEXT, .value = &o.guest_owner},
        {.name = "gap", .kind = CLI_NUMBER, .value = &o.gap, 1e-9, 1},
        {.name = "points", .kind = CLI_WHOLE, .value = &o.points, 1, 16},
        {.name = "max-rounds", .kind = CLI_WHOLE, .value = &o.max_rounds, 1, SWARM_MOST_ROUNDS},
        {.name = "round-timeout", .kind = CLI_WHOLE, .value = &o.round_timeout_s, 1, 3600},
        {.name = "batch", .kind = CLI_WHOLE, .value = &o.batch, 1, 10000},
        {.name = "per-agent", .kind = CLI_FLAG, .value = &o.per_agent},
        {.name = "connections", .kind = CLI_WHOLE, .value = &o.connections, 1, 4096},
        {.name = "threads", .kind = CLI_WHOLE, .value = &o.threads, 1, CLI_MAX_THREADS},
        {.name = "json", .kind = CLI_FLAG, .value = &o.json},
        {.name = "quiet", .kind = CLI_FLAG, .value = &o.quiet}};
    static struct swarm_report report;
    struct walras_err err = {0};
    char market[32];
    int ends =
        cli_parse(&cli_swarm, argc, argv, options, sizeof(options) / sizeof(options[0]), NULL, 0);

    if (ends >= 0)
        return ends;
    if (missing(&o))
        return cli_usage(&cli_swarm, "%s is needed", missing(&o));
    if (o.guest && (!o.guest_bus || !o.guest_owner))
        return cli_usage(&cli_swarm, "--guest needs --guest-bus and --guest-owner");
    snprintf(market, sizeof(market), "swarm-%ld", (long)getpid());
    if (!o.market)
        o.market = market;
    if (run_swarm(&o, &report, &err) != WALRAS_OK)
        return cli_fail(&err);
    if (o.json)
        print_json(&o, &report);
    else
        print_table(&o, &report);
    if (strcmp(report.state, "cleared") != 0)
        return CLI_INFEASIBLE;
    return strcmp(report.status, "converged") == 0 ? EXIT_SUCCESS : CLI_LIMIT;
}

const struct cli_command cli_swarm = {
    .name = "swarm",
    .summary = "plays a scenario's agents against a server, all in one process",
    .help =
        "usage: walras swarm --url URL --key FILE --scenario FILE [OPTION...]\n\n"
        "Puts the scenario's grid, agents and market on the `walras serve` at URL, joins for all,\n"
        "answers the rounds with their best responses, and tells what came of it: a whole market\n"
        "on one machine, or load for a server. Devices that decide on or off, or draw kvar that\n"
        "count, and agents whose devices do not span steps are delegated to the server.\n\n"
        "  --url URL          of the server, http://HOST:PORT or https://...\n"
        "  --key FILE         an operator's key, as `walras key create` prints it\n"
        "  --scenario FILE    the market to play\n"
        "  --market M         its id on the server, and its grid's (swarm-PID)\n"
        "  --batch N          answers in a request (500)\n"
        "  --per-agent        each agent sends its own answers instead\n"
        "  --connections N    at once (32)\n"
        "  --points N         prices in a round, 1 to 16 (5)\n"
        "  --gap G            relative gap to reach (1e-4)\n"
        "  --max-rounds N, --round-timeout S   of the market (100, 60)\n"
        "  --guest ID, --guest-bus B, --guest-owner C\n"
        "                     an agent more at bus B, which the client C runs: the market starts\n"
        "                     when it has joined\n"
        "  --threads N        that find best responses (all cores)\n"
        "  --ca-file FILE     certificates to trust (PEM) instead of the system's\n"
        "  --json             print the figures as JSON\n"
        "  --quiet            no progress\n\n"
        "A server lets one client make 200 requests a second unless it is told otherwise\n"
        "(--requests-per-second); a swarm that is slowed down waits as it is told.\n\n"
        "Exit status: 0 cleared to the gap, 3 cleared without reaching it, 4 not cleared, 2 bad\n"
        "input or the server refused, 1 the server is not there.\n",
    .run = run,
};
