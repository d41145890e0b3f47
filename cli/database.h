/*
 * The database of the subcommands that need one: --db CONNINFO, or the private cluster under
 * --data.
 */
#ifndef WALRAS_CLI_DATABASE_H
#define WALRAS_CLI_DATABASE_H

#include "cli/cli.h"
#include "db/cluster.h"
#include "db/session.h"

struct cli_database {
    const char *db;   /* NULL: the private cluster */
    const char *data; /* NULL: the default folder */
    char directory[4096];
    struct db_cluster *cluster; /* NULL: none */
};

/* What every subcommand with a database says of it. */
#define CLI_DATABASE_OPTIONS(database)                                                             \
    {.name = "db", .kind = CLI_TEXT, .value = &(database).db},                                     \
    {                                                                                              \
        .name = "data", .kind = CLI_TEXT, .value = &(database).data                                \
    }
#define CLI_DATABASE_HELP                                                                          \
    "  --db CONNINFO   a PostgreSQL database (14 or later): \"host=... dbname=...\" or\n"          \
    "                  postgresql://...; also from the environment: WALRAS_DB\n"                   \
    "  --data DIR      a private PostgreSQL cluster in DIR, made when it is not there (default:\n" \
    "                  the user's data folder, /var/lib/walras for root); also: WALRAS_DATA\n"

/* Starts the cluster when there is no --db. `share`: one that is running already will do. */
WALRAS_NODISCARD enum walras_status cli_database_open(struct cli_database *database, bool share,
                                                      struct walras_err *err);
const char *cli_database_conninfo(const struct cli_database *database);
WALRAS_NODISCARD enum walras_status cli_database_session(const struct cli_database *database,
                                                         struct db_session **session,
                                                         struct walras_err *err);
/* Returns `status`, or the failure to stop the cluster when that is OK. */
WALRAS_NODISCARD enum walras_status cli_database_close(struct cli_database *database,
                                                       enum walras_status status,
                                                       struct walras_err *err);

/* Who does it, for the audit log: "cli:<user>". */
void cli_database_actor(char actor[64]);

#endif
