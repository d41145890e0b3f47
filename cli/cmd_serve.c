#include "cli/serve_config.h"
#include "core/log.h"
#include "core/signals.h"
#include "db/migrate.h"

#include <stdlib.h>
#include <time.h>

/* A private cluster is ours to keep up to date; another's database is migrated when it is told to.
 */
static enum walras_status prepare(struct serve_config *config, struct walras_err *err)
{
    struct db_session *session = NULL;
    size_t n = 0;
    enum walras_status status = cli_database_session(&config->database, &session, err);

    if (status == WALRAS_OK)
        status = config->database.cluster ? db_migrate(session, &n, err)
                                          : db_migration_need(session, err);
    db_session_free(session);
    return status;
}

static void wait_for_signal(void)
{
    const struct timespec pause = {.tv_nsec = 100000000};

    while (!walras_signals_stop())
        nanosleep(&pause, NULL);
}

static enum walras_status serve(struct serve_config *config, struct walras_err *err)
{
    struct api_server *server = NULL;
    enum walras_status status = prepare(config, err);

    config->api.conninfo = cli_database_conninfo(&config->database);
    if (status == WALRAS_OK && !walras_signals_stop())
        status = api_server_start(&config->api, &server, err);
    if (status != WALRAS_OK || !server)
        return status;
    walras_log("listening", "url=%s database=%s", api_server_url(server),
               config->database.cluster ? "private" : "given");
    wait_for_signal();
    walras_log("stopping", NULL);
    api_server_stop(server);
    return WALRAS_OK;
}

static int run(int argc, char **argv)
{
    struct serve_config config;
    struct walras_err err = {0};
    enum walras_status status = WALRAS_OK;
    int ends = serve_config_read(&cli_serve, argc, argv, &config);

    if (ends < 0 && config.print) {
        status = serve_config_print(stdout, &config, &err);
    } else if (ends < 0) {
        walras_signals_install();
        walras_signals_ignore_pipe();
        status = cli_database_open(&config.database, false, &err);
        if (status == WALRAS_OK)
            status = serve(&config, &err);
        status = cli_database_close(&config.database, status, &err);
        if (status == WALRAS_OK)
            walras_log("stopped", NULL);
    }
    serve_config_release(&config);
    if (ends >= 0)
        return ends;
    return status == WALRAS_OK ? EXIT_SUCCESS : cli_fail(&err);
}

const struct cli_command cli_serve = {
    .name = "serve",
    .summary = "serves markets over HTTP: operators, agents, rounds",
    .help =
        "usage: walras serve [OPTION...]\n\n"
        "Serves the protocol of docs/protocol.md until it is told to stop (SIGTERM, Ctrl-C). Of\n"
        "several servers on one database (--db) one leads, and another takes over from it.\n\n"
        "  --listen H:P    where to listen (127.0.0.1:8080); port 0: any that is free\n" //
    CLI_DATABASE_HELP "  --tls-cert F --tls-key F\n"
        "                  certificate and key (PEM); without them it speaks plain HTTP\n"
        "  --threads N     that answer requests (4)\n"
        "  --clearing-threads N   markets that are cleared at the same time (2)\n"
        "  --max-connections N, --connections-per-client N\n"
        "                  open at the same time, and of one address (8192, 1024)\n"
        "  --requests-per-second R, --request-burst N\n"
        "                  of one client (200, 1000); more are told when to come again\n"
        "  --header-timeout S, --body-timeout S, --idle-timeout S\n"
        "                  seconds until a slow connection is closed (10, 30, 120)\n"
        "  --event-streams N, --event-streams-per-client N\n"
        "                  event streams open at the same time, and of one client (4096, 64)\n"
        "  --event-heartbeat S   seconds without an event until a comment is sent (15)\n"
        "  --event-stall S       seconds until a stream that is not read is closed (30)\n"
        "  --token-life S  seconds that a token counts (3600)\n"
        "  --log-requests  log every request\n"
        "  --config F      a JSON file with any of these: {\"idle_timeout\": 60}\n"
        "  --print-config  show what is in force, as such a file, and end\n\n"
        "Each option is also read from the environment (WALRAS_IDLE_TIMEOUT=60). The command line\n"
        "counts most, then the environment, then the file.\n\n"
        "Exit status: 0 stopped as asked, 1 the database or the address failed, 2 bad usage.\n",
    .run = run,
};
