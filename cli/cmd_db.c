#include "cli/database.h"
#include "db/backup.h"
#include "db/migrate.h"
#include "db/secret.h"

#include <stdlib.h>
#include <string.h>

static enum walras_status migrate(struct cli_database *database, const char *path,
                                  struct walras_err *err)
{
    struct db_session *session = NULL;
    size_t n = 0;
    enum walras_status status = cli_database_session(database, &session, err);

    (void)path;
    if (status == WALRAS_OK)
        status = db_migrate(session, &n, err);
    if (status == WALRAS_OK)
        printf("%zu migration%s applied\n", n, n == 1 ? "" : "s");
    db_session_free(session);
    return status;
}

static enum walras_status show_status(struct cli_database *database, const char *path,
                                      struct walras_err *err)
{
    struct db_session *session = NULL;
    struct db_migration_state state = {0};
    enum walras_status status = cli_database_session(database, &session, err);

    (void)path;
    if (status == WALRAS_OK)
        status = db_migration_state(session, &state, err);
    db_session_free(session);
    if (status != WALRAS_OK)
        return status;
    printf("PostgreSQL  %d.%d\nmigrations  %zu of %zu applied%s\n", state.server_version / 10000,
           state.server_version % 10000, state.n_applied, state.n_known,
           state.n_applied < state.n_known ? "; run walras db migrate" : "");
    if (!state.audit_whole)
        return walras_fail(err, WALRAS_CONFLICT,
                           "the audit log was changed: entry %lld does not follow from what is "
                           "before it",
                           (long long)state.audit_broken);
    printf("audit log   %lld entries, chain whole\n", (long long)state.n_audit);
    return WALRAS_OK;
}

static enum walras_status backup(struct cli_database *database, const char *path,
                                 struct walras_err *err)
{
    return db_backup(cli_database_conninfo(database), path, err);
}

static enum walras_status restore(struct cli_database *database, const char *path,
                                  struct walras_err *err)
{
    return db_restore(cli_database_conninfo(database), path, err);
}

static const struct verb {
    const char *name;
    size_t n_operand;
    enum walras_status (*run)(struct cli_database *database, const char *path,
                              struct walras_err *err);
} verbs[] = {{"migrate", 0, migrate},
             {"status", 0, show_status},
             {"backup", 1, backup},
             {"restore", 1, restore}};

static int run(int argc, char **argv)
{
    struct cli_database database = {0};
    const struct cli_option options[] = {CLI_DATABASE_OPTIONS(database)};
    const char *path = NULL;
    struct walras_err err = {0};
    const struct verb *verb = NULL;
    enum walras_status status = WALRAS_OK;
    int ends = -1;

    for (size_t i = 0; argc > 0 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(argv[0], verbs[i].name) == 0)
            verb = &verbs[i];
    if (!verb && argc > 0 && argv[0][0] == '-')
        ends = cli_parse(&cli_db, argc, argv, options, 2, NULL, 0);
    if (ends >= 0)
        return ends;
    if (!verb)
        return cli_usage(&cli_db, "what to do? migrate, status, backup FILE or restore FILE");
    ends = cli_parse(&cli_db, argc - 1, argv + 1, options, 2, &path, verb->n_operand);
    if (ends >= 0)
        return ends;
    if (verb->n_operand > 0 && !path)
        return cli_usage(&cli_db, "%s needs a FILE", verb->name);
    status = db_secret_init(&err);
    if (status == WALRAS_OK)
        status = cli_database_open(&database, true, &err);
    if (status == WALRAS_OK)
        status = verb->run(&database, path, &err);
    status = cli_database_close(&database, status, &err);
    return status == WALRAS_OK ? EXIT_SUCCESS : cli_fail(&err);
}

const struct cli_command cli_db = {
    .name = "db",
    .summary = "the server's database: migrate, status, backup, restore",
    .help =
        "usage: walras db migrate|status [OPTION...]\n"
        "       walras db backup|restore FILE [OPTION...]\n\n"
        "  migrate         bring the tables to what this program works with; done already: "
        "nothing\n"
        "  status          versions, and whether the audit log is whole\n"
        "  backup FILE     everything into one file (by pg_dump), while the server works\n"
        "  restore FILE    the same into an empty database (by pg_restore)\n\n" CLI_DATABASE_HELP
        "\nExit status: 0 done, 1 the database or a file failed, 2 bad usage, a database of "
        "another\nversion, or an audit log that was changed.\n",
    .run = run,
    .may_lack = true,
};
