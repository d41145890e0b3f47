#include "cli/database.h"
#include "db/clients.h"
#include "db/migrate.h"

#include <stdlib.h>
#include <string.h>

struct key_options {
    struct cli_database database;
    const char *role, *id;
};

static enum walras_status create(const struct key_options *o, struct db_session *session,
                                 struct walras_err *err)
{
    struct db_client client = {.role = db_role_find(o->role ? o->role : "")};
    char secret[DB_SECRET_TEXT], actor[64];
    enum walras_status status = WALRAS_OK;

    if (client.role == DB_N_ROLE)
        return walras_fail(err, WALRAS_INVALID,
                           "--role must be operator, agent, aggregator or observer%s%s%s",
                           o->role ? ", got \"" : "", o->role ? o->role : "", o->role ? "\"" : "");
    if (strlen(o->id) >= sizeof(client.id))
        return walras_fail(err, WALRAS_INVALID, "a client's name has at most %d bytes", DB_ID - 1);
    snprintf(client.id, sizeof(client.id), "%s", o->id);
    cli_database_actor(actor);
    status = db_client_create(session, actor, &client, secret, err);
    if (status == WALRAS_OK)
        printf("client_id      %s\nclient_secret  %s\n", client.id, secret);
    if (status == WALRAS_OK)
        fprintf(stderr, "walras: the secret is not kept and cannot be shown again\n");
    db_secret_forget(secret, sizeof(secret));
    return status;
}

static enum walras_status list(const struct key_options *o, struct db_session *session,
                               struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status = db_client_list(session, &rows, err);

    (void)o;
    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++)
        printf("%-24s %-10s %s%s%s\n", db_text(&rows, i, 0), db_text(&rows, i, 1),
               db_text(&rows, i, 2), db_text(&rows, i, 3) ? "  revoked " : "",
               db_text(&rows, i, 3) ? db_text(&rows, i, 3) : "");
    db_rows_release(&rows);
    return status;
}

static enum walras_status revoke(const struct key_options *o, struct db_session *session,
                                 struct walras_err *err)
{
    char actor[64];

    cli_database_actor(actor);
    return db_client_revoke(session, actor, o->id, err);
}

static const struct verb {
    const char *name;
    size_t n_operand;
    enum walras_status (*run)(const struct key_options *o, struct db_session *session,
                              struct walras_err *err);
} verbs[] = {{"create", 1, create}, {"list", 0, list}, {"revoke", 1, revoke}};

static enum walras_status work(struct key_options *o, const struct verb *verb,
                               struct walras_err *err)
{
    struct db_session *session = NULL;
    size_t n = 0;
    enum walras_status status = db_secret_init(err);

    if (status == WALRAS_OK)
        status = cli_database_open(&o->database, true, err);
    if (status == WALRAS_OK)
        status = cli_database_session(&o->database, &session, err);
    if (status == WALRAS_OK) /* a private cluster is ours to keep up to date */
        status =
            o->database.cluster ? db_migrate(session, &n, err) : db_migration_need(session, err);
    if (status == WALRAS_OK)
        status = verb->run(o, session, err);
    db_session_free(session);
    return cli_database_close(&o->database, status, err);
}

static int run(int argc, char **argv)
{
    struct key_options o = {0};
    const struct cli_option options[] = {CLI_DATABASE_OPTIONS(o.database),
                                         {.name = "role", .kind = CLI_TEXT, .value = &o.role}};
    struct walras_err err = {0};
    const struct verb *verb = NULL;
    int ends = -1;

    for (size_t i = 0; argc > 0 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(argv[0], verbs[i].name) == 0)
            verb = &verbs[i];
    if (!verb && argc > 0 && argv[0][0] == '-')
        ends = cli_parse(&cli_key, argc, argv, options, 3, NULL, 0);
    if (ends >= 0)
        return ends;
    if (!verb)
        return cli_usage(&cli_key, "what to do? create NAME --role ROLE, list or revoke NAME");
    ends = cli_parse(&cli_key, argc - 1, argv + 1, options, 3, &o.id, verb->n_operand);
    if (ends >= 0)
        return ends;
    if (verb->n_operand > 0 && !o.id)
        return cli_usage(&cli_key, "%s needs a NAME", verb->name);
    return work(&o, verb, &err) == WALRAS_OK ? EXIT_SUCCESS : cli_fail(&err);
}

const struct cli_command cli_key = {
    .name = "key",
    .summary = "who may talk to the server: create, list, revoke",
    .help = "usage: walras key create NAME --role ROLE [OPTION...]\n"
            "       walras key list [OPTION...]\n"
            "       walras key revoke NAME [OPTION...]\n\n"
            "  create NAME     a client of that name; its secret is shown once and kept as a hash\n"
            "  list            all clients, without secrets\n"
            "  revoke NAME     from now on neither its secret nor its tokens count\n\n"
            "  --role ROLE     operator: grids, agents, markets; agent: answers for itself;\n"
            "                  aggregator: answers for many; observer: reads\n" CLI_DATABASE_HELP,
    .run = run,
    .may_lack = true,
};
