#include "agents/sdk/walras_agent.h"
#include "cli/cli.h"
#include "cli/key_file.h"
#include "cli/own_devices.h"
#include "core/json_write.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agent_options {
    const char *url, *key, *device, *market, *agent, *ca_file;
    double fallback_kw; /* NAN: what it would draw if energy cost nothing */
    unsigned time_limit_s;
    bool glpk, hide_cost, json, quiet;
};

struct bidding { /* an agent at work */
    const struct agent_options *options;
    struct walras_agent *agent;
    char market_id[WALRAS_AGENT_ID], id[WALRAS_AGENT_ID]; /* "": to be found */
    struct walras_agent_market market;
    struct own_devices *own;
    double *draw_kw;
    double cost;
};

static struct walras_agent *stopped_by_signal;

static void stop(int signal_number)
{
    (void)signal_number;
    walras_agent_stop(stopped_by_signal); /* sets a flag. NOLINT(bugprone-signal-handler) */
}

static void say(void *context, const char *line)
{
    const struct bidding *b = context;

    if (!b->options->quiet)
        fprintf(stderr, "walras agent: %s\n", line);
}

static enum walras_status told(const struct bidding *b, int status, struct walras_err *err)
{
    switch (status) {
    case WALRAS_AGENT_OK:
        return WALRAS_OK;
    case WALRAS_AGENT_NO_MEMORY:
        return walras_fail(err, WALRAS_NOMEM, "%s", walras_agent_error(b->agent));
    case WALRAS_AGENT_STOPPED:
        return walras_fail(err, WALRAS_UNAVAILABLE, "%s", walras_agent_error(b->agent));
    default:
        return walras_fail(err, WALRAS_INVALID, "%s", walras_agent_error(b->agent));
    }
}

static enum walras_status connect_to_server(struct bidding *b, struct walras_err *err)
{
    struct cli_key_file key = {0};
    char error[200] = "";
    enum walras_status status = cli_key_file_read(b->options->key, &key, err);
    struct walras_agent_settings settings = {.url = b->options->url,
                                             .client_id = key.client_id,
                                             .client_secret = key.client_secret,
                                             .ca_file = b->options->ca_file,
                                             .log = say,
                                             .context = b};

    if (status != WALRAS_OK)
        return status;
    if (walras_agent_new(&settings, &b->agent, error, sizeof(error)) != WALRAS_AGENT_OK)
        return walras_fail(err, WALRAS_INVALID, "%s", error);
    stopped_by_signal = b->agent;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    status = told(b, walras_agent_find(b->agent, b->market_id, b->id), err);
    return status == WALRAS_OK
               ? told(b, walras_agent_market(b->agent, b->market_id, &b->market), err)
               : status;
}

static enum walras_status read_devices(struct bidding *b, struct walras_err *err)
{
    struct own_horizon horizon = {.start = b->market.start,
                                  .step_min = (unsigned)lround(60.0 * b->market.step_h),
                                  .n_step = b->market.n_step};
    struct own_settings settings = {.glpk = b->options->glpk,
                                    .time_limit_s = b->options->time_limit_s};
    enum walras_status status =
        own_devices_read(b->options->device, &horizon, &settings, &b->own, err);
    const char *integer = status == WALRAS_OK ? own_devices_integer(b->own) : NULL;

    if (integer)
        fprintf(
            stderr,
            "walras agent: warning: device %s decides on or off, and an award mixes answers: it "
            "may not be able to keep it; let the server decide for it (kind delegated)\n",
            integer);
    return status;
}

/* What it draws when it falls silent, into draw_kw. */
static enum walras_status find_fallback(struct bidding *b, struct walras_err *err)
{
    double *free_of_charge = calloc(b->market.n_step, sizeof(*free_of_charge));
    enum walras_status status = WALRAS_OK;

    b->draw_kw = calloc(b->market.n_step, sizeof(*b->draw_kw));
    if (!free_of_charge || !b->draw_kw)
        status = walras_fail(err, WALRAS_NOMEM, "%zu steps do not fit in memory", b->market.n_step);
    else if (isnan(b->options->fallback_kw))
        status = own_devices_ask(b->own, free_of_charge, b->draw_kw, &b->cost, err);
    else
        for (size_t t = 0; t < b->market.n_step; t++)
            b->draw_kw[t] = b->options->fallback_kw;
    free(free_of_charge);
    return status;
}

static int respond(void *context, const struct walras_agent_market *market,
                   const double *price_per_mwh, double *draw_kw, double *cost)
{
    struct bidding *b = context;
    struct walras_err err = {0};

    (void)market;
    if (own_devices_ask(b->own, price_per_mwh, draw_kw, cost, &err) == WALRAS_OK) {
        if (b->options->hide_cost)
            *cost = (double)NAN;
        return 0;
    }
    say(b, err.msg);
    return 1;
}

static void print_json(const struct bidding *b)
{
    struct walras_json_out out = walras_json_out_start(stdout, 0);

    walras_json_out_open(&out, '{');
    walras_json_out_key(&out, "market");
    walras_json_out_text(&out, b->market.id);
    walras_json_out_key(&out, "agent");
    walras_json_out_text(&out, b->id);
    walras_json_out_key(&out, "draw_kw");
    walras_json_out_numbers(&out, b->draw_kw, b->market.n_step);
    walras_json_out_key(&out, "cost");
    walras_json_out_number(&out, b->cost);
    walras_json_out_close(&out, '}');
    putchar('\n');
}

static void print_award(const struct bidding *b)
{
    double kwh = 0.0, least = (double)INFINITY, most = -(double)INFINITY;

    for (size_t t = 0; b->draw_kw && t < b->market.n_step; t++) {
        kwh += b->draw_kw[t] * b->market.step_h;
        least = fmin(least, b->draw_kw[t]);
        most = fmax(most, b->draw_kw[t]);
    }
    printf("market %s is cleared: %s draws %.6g kWh, %.6g to %.6g kW", b->market.id, b->id, kwh,
           least, most);
    if (!isnan(b->cost))
        printf(", at a cost of %.6g %s beside the energy", b->cost, b->market.currency);
    putchar('\n');
}

static enum walras_status take_part(struct bidding *b, struct walras_err *err)
{
    const char *id = b->id;
    enum walras_status status = connect_to_server(b, err);

    if (status == WALRAS_OK)
        status = read_devices(b, err);
    if (status == WALRAS_OK)
        status = find_fallback(b, err);
    if (status == WALRAS_OK)
        status = told(b, walras_agent_join(b->agent, &b->market, id, b->draw_kw), err);
    if (status == WALRAS_OK)
        status = told(b, walras_agent_run(b->agent, &b->market, id, respond, b), err);
    if (status == WALRAS_OK)
        status = told(b, walras_agent_award(b->agent, &b->market, id, b->draw_kw, &b->cost), err);
    return status;
}

static const char *missing(const struct agent_options *o)
{
    return !o->url ? "--url" : !o->key ? "--key" : !o->device ? "--device" : NULL;
}

/* Ids of the command line; what is too long for one is none. */
static bool take_ids(struct bidding *b)
{
    const struct agent_options *o = b->options;
    int market = snprintf(b->market_id, sizeof(b->market_id), "%s", o->market ? o->market : "");
    int id = snprintf(b->id, sizeof(b->id), "%s", o->agent ? o->agent : "");

    return market < WALRAS_AGENT_ID && id < WALRAS_AGENT_ID;
}

static int run(int argc, char **argv)
{
    struct agent_options o = {.fallback_kw = (double)NAN, .time_limit_s = 5};
    const struct cli_option options[] = {
        {.name = "url", .kind = CLI_TEXT, .value = &o.url},
        {.name = "key", .kind = CLI_TEXT, .value = &o.key},
        {.name = "device", .kind = CLI_TEXT, .value = &o.device},
        {.name = "market", .kind = CLI_TEXT, .value = &o.market},
        {.name = "agent", .kind = CLI_TEXT, .value = &o.agent},
        {.name = "ca-file", .kind = CLI_TEXT, .value = &o.ca_file},
        {.name = "fallback-kw", .kind = CLI_NUMBER, .value = &o.fallback_kw, -1e9, 1e9},
        {.name = "time-limit", .kind = CLI_WHOLE, .value = &o.time_limit_s, 1, 3600},
        {.name = "glpk", .kind = CLI_FLAG, .value = &o.glpk},
        {.name = "hide-cost", .kind = CLI_FLAG, .value = &o.hide_cost},
        {.name = "json", .kind = CLI_FLAG, .value = &o.json},
        {.name = "quiet", .kind = CLI_FLAG, .value = &o.quiet}};
    struct bidding b = {.options = &o};
    struct walras_err err = {0};
    int ends =
        cli_parse(&cli_agent, argc, argv, options, sizeof(options) / sizeof(options[0]), NULL, 0);

    if (ends >= 0)
        return ends;
    if (missing(&o))
        return cli_usage(&cli_agent, "%s is needed", missing(&o));
    if (!take_ids(&b))
        return cli_usage(&cli_agent, "ids take at most %d letters", WALRAS_AGENT_ID - 1);
    if (take_part(&b, &err) == WALRAS_OK && o.json)
        print_json(&b);
    else if (err.code == WALRAS_OK)
        print_award(&b);
    signal(SIGINT, SIG_DFL); /* there will be nothing left to stop */
    signal(SIGTERM, SIG_DFL);
    own_devices_free(b.own);
    walras_agent_free(b.agent);
    free(b.draw_kw);
    return err.code == WALRAS_OK ? EXIT_SUCCESS : cli_fail(&err);
}

const struct cli_command cli_agent = {
    .name = "agent",
    .summary = "bids for devices in a market of a server",
    .help =
        "usage: walras agent --url URL --key FILE --device FILE [OPTION...]\n\n"
        "Joins a market of a `walras serve` at URL, answers its rounds with the best responses of "
        "the\n"
        "devices in FILE, and prints the award. Servers that are away or\n"
        "restarting are waited for; started again amid a clearing it goes on.\n\n"
        "  --url URL          of the server, http://HOST:PORT or https://...\n"
        "  --key FILE         the client's key, as `walras key create` prints it\n"
        "  --device FILE      one device as in scenarios, {\"id\": ..., \"type\": ...}, or "
        "several,\n"
        "                     {\"devices\": [...]}; programs of type lp run in a process of their "
        "own\n"
        "  --market M         the market, waited for until it opens (the one that clears with "
        "the agent\n"
        "                     in it, else the only open one, waited for)\n"
        "  --agent ID         the agent, made by an operator (the only one that the client owns)\n"
        "  --ca-file FILE     certificates to trust (PEM) instead of the system's\n"
        "  --fallback-kw KW   what is drawn when it falls silent (what it would draw if energy\n"
        "                     cost nothing)\n"
        "  --glpk             ask all devices through GLPK instead of the exact fast solvers\n"
        "  --hide-cost        keep to itself what draws cost: the market infers it, and proves "
        "less\n"
        "  --time-limit S     for an lp device and question; then the round has no answer (5)\n"
        "  --json             print the award as JSON\n"
        "  --quiet            do not tell of what is tried again\n\n"
        "Exit status: 0 the market is cleared, 1 stopped by a signal or a file could not be read, "
        "2 "
        "bad\ninput or usage, the server refused, or the market failed or was cancelled.\n",
    .run = run,
};
