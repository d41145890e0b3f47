#include "cli/database.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void from_environment(const char **value, const char *name)
{
    const char *text = getenv(name);

    if (!*value && text && text[0] != '\0')
        *value = text;
}

/* mkdir -p for the folders above */
static enum walras_status make_above(const char *path, struct walras_err *err)
{
    char part[4096];

    for (const char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return walras_fail(err, WALRAS_IO, "%s: %s", part, strerror(errno));
    }
    return WALRAS_OK;
}

static enum walras_status default_folder(struct cli_database *database, struct walras_err *err)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (geteuid() == 0)
        snprintf(database->directory, sizeof(database->directory), "/var/lib/walras");
    else if (data && data[0] == '/')
        snprintf(database->directory, sizeof(database->directory), "%s/walras", data);
    else if (home && home[0] == '/')
        snprintf(database->directory, sizeof(database->directory), "%s/.local/share/walras", home);
    else
        return walras_fail(err, WALRAS_INVALID, "there is no HOME to keep data in: use --data DIR");
    database->data = database->directory;
    return make_above(database->directory, err);
}

enum walras_status cli_database_open(struct cli_database *database, bool share,
                                     struct walras_err *err)
{
    struct db_cluster_settings settings = {.share = share};
    enum walras_status status = WALRAS_OK;

    if (!database->db && !database->data) {
        from_environment(&database->db, "WALRAS_DB");
        from_environment(&database->data, "WALRAS_DATA");
    }
    if (database->db && database->data)
        return walras_fail(err, WALRAS_INVALID,
                           "a database (--db, WALRAS_DB) and a folder for one (--data, "
                           "WALRAS_DATA) exclude each other");
    if (database->db)
        return WALRAS_OK;
    if (!database->data)
        status = default_folder(database, err);
    settings.directory = database->data;
    if (status == WALRAS_OK)
        status = db_cluster_open(&settings, &database->cluster, err);
    if (status == WALRAS_OK && db_cluster_is_new(database->cluster))
        fprintf(stderr, "walras: made a private PostgreSQL cluster in %s%s%s\n", database->data,
                db_cluster_user(database->cluster) ? "; as PostgreSQL refuses root, it runs as "
                                                   : "",
                db_cluster_user(database->cluster) ? db_cluster_user(database->cluster) : "");
    return status;
}

const char *cli_database_conninfo(const struct cli_database *database)
{
    return database->cluster ? db_cluster_conninfo(database->cluster) : database->db;
}

enum walras_status cli_database_session(const struct cli_database *database,
                                        struct db_session **session, struct walras_err *err)
{
    struct db_settings settings = db_settings_defaults(cli_database_conninfo(database));

    return db_session_new(&settings, session, err);
}

enum walras_status cli_database_close(struct cli_database *database, enum walras_status status,
                                      struct walras_err *err)
{
    enum walras_status closed = db_cluster_close(database->cluster, err);

    database->cluster = NULL;
    return status == WALRAS_OK ? closed : status;
}

void cli_database_actor(char actor[64])
{
    const struct passwd *user = getpwuid(getuid());

    snprintf(actor, 64, "cli:%s", user ? user->pw_name : "unknown");
}
