#include "db/cluster.h"

#include "core/file.h"
#include "db/program.h"
#include "db/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* sun_path is 108 bytes; behind the folder come "/.s.PGSQL.5432" and ".lock" */
enum { MAX_DIRECTORY = 4096, MAX_SOCKET_FOLDER = 88, SAID = 400 };

struct db_cluster {
    char directory[MAX_DIRECTORY], pg[MAX_DIRECTORY + 8], run[MAX_DIRECTORY + 8];
    char conninfo[MAX_DIRECTORY + 64];
    char initdb[DB_PROGRAM_PATH], pg_ctl[DB_PROGRAM_PATH];
    struct db_user user;
    int lock; /* -1: another process has it */
    bool started, is_new;
};

const char *db_cluster_conninfo(const struct db_cluster *cluster)
{
    return cluster->conninfo;
}

const char *db_cluster_user(const struct db_cluster *cluster)
{
    return cluster->user.change ? cluster->user.name : NULL;
}

bool db_cluster_is_new(const struct db_cluster *cluster)
{
    return cluster->is_new;
}

static enum walras_status run(const struct db_cluster *cluster, const char *const *argv,
                              int *exit_status, char said[SAID], struct walras_err *err)
{
    struct db_program program = {.argv = argv, .user = &cluster->user};

    return db_program_run(&program, exit_status, said, SAID, err);
}

/* Runs what must succeed. */
static enum walras_status run_well(const struct db_cluster *cluster, const char *what,
                                   const char *const *argv, struct walras_err *err)
{
    char said[SAID];
    int exit_status = 0;
    enum walras_status status = run(cluster, argv, &exit_status, said, err);

    if (status == WALRAS_OK && exit_status != 0)
        status = walras_fail(err, WALRAS_IO, "%s: %s failed%s%s (its log is %s/postgres.log): %s",
                             cluster->directory, what, cluster->user.change ? " as user " : "",
                             cluster->user.change ? cluster->user.name : "", cluster->run, said);
    return status;
}

static enum walras_status fail_path(const char *path, struct walras_err *err)
{
    return walras_fail(err, WALRAS_IO, "%s: %s", path, strerror(errno));
}

static enum walras_status make_folder(const struct db_cluster *cluster, const char *path,
                                      mode_t mode, bool give, struct walras_err *err)
{
    if (mkdir(path, mode) != 0)
        return errno == EEXIST ? WALRAS_OK : fail_path(path, err);
    if (chmod(path, mode) != 0) /* whatever the umask is */
        return fail_path(path, err);
    if (give && cluster->user.change && chown(path, cluster->user.uid, cluster->user.gid) != 0)
        return fail_path(path, err);
    return WALRAS_OK;
}

static enum walras_status set_paths(struct db_cluster *cluster, const char *directory,
                                    struct walras_err *err)
{
    char *absolute = walras_path_absolute(directory);
    enum walras_status status = WALRAS_OK;

    if (!absolute)
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory for its path", directory);
    if (strlen(absolute) + sizeof("/run") > MAX_SOCKET_FOLDER)
        status = walras_fail(err, WALRAS_INVALID,
                             "%s: too long a path for the socket in it: choose one of at most %d "
                             "bytes",
                             absolute, MAX_SOCKET_FOLDER - (int)sizeof("/run"));
    else if (strpbrk(absolute, "'\\"))
        status =
            walras_fail(err, WALRAS_INVALID,
                        "%s: quotes and backslashes do not do in this folder's name", absolute);
    snprintf(cluster->directory, sizeof(cluster->directory), "%s", absolute);
    snprintf(cluster->pg, sizeof(cluster->pg), "%s/pg", cluster->directory);
    snprintf(cluster->run, sizeof(cluster->run), "%s/run", cluster->directory);
    snprintf(cluster->conninfo, sizeof(cluster->conninfo),
             "host='%s' port=5432 user=walras dbname=postgres", cluster->run);
    free(absolute);
    return status;
}

static enum walras_status lock(struct db_cluster *cluster, bool share, struct walras_err *err)
{
    char path[MAX_DIRECTORY + 16];
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    snprintf(path, sizeof(path), "%s/walras.lock", cluster->directory);
    cluster->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (cluster->lock < 0)
        return fail_path(path, err);
    if (fcntl(cluster->lock, F_SETLK, &all) == 0)
        return WALRAS_OK;
    close(cluster->lock);
    cluster->lock = -1;
    return share ? WALRAS_OK
                 : walras_fail(err, WALRAS_CONFLICT,
                               "%s: another walras uses this data folder; stop it first, or choose "
                               "another folder with --data",
                               cluster->directory);
}

static bool exists(const char *directory, const char *name)
{
    char path[MAX_DIRECTORY + 32];
    struct stat found;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return stat(path, &found) == 0;
}

/* Trust means: whoever can enter the socket's folder. */
static enum walras_status make_cluster(struct db_cluster *cluster, struct walras_err *err)
{
    const char *const argv[] = {cluster->initdb,
                                "--pgdata",
                                cluster->pg,
                                "--username",
                                "walras",
                                "--auth",
                                "trust",
                                "--encoding",
                                "UTF8",
                                "--locale",
                                "C",
                                "--no-instructions",
                                "--data-checksums",
                                NULL};

    if (exists(cluster->pg, "PG_VERSION"))
        return WALRAS_OK;
    cluster->is_new = true;
    return run_well(cluster, "initdb", argv, err);
}

static enum walras_status start(struct db_cluster *cluster, struct walras_err *err)
{
    char options[MAX_DIRECTORY + 128], log[MAX_DIRECTORY + 32], said[SAID];
    const char *const ask[] = {cluster->pg_ctl, "-D", cluster->pg, "status", NULL};
    const char *const argv[] = {
        cluster->pg_ctl, "-D",    cluster->pg, "-l", log, "-w", "-t", "60", "-o",
        options,         "start", NULL};
    int exit_status = 0;
    enum walras_status status = run(cluster, ask, &exit_status, said, err);

    cluster->started = true; /* or taken over */
    if (status != WALRAS_OK || exit_status == 0)
        return status;
    snprintf(log, sizeof(log), "%s/postgres.log", cluster->run);
    snprintf(options, sizeof(options),
             "-k '%s' -c listen_addresses= -c port=5432 -c unix_socket_permissions=0700",
             cluster->run);
    status = run_well(cluster, "starting PostgreSQL", argv, err);
    cluster->started = status == WALRAS_OK;
    return status;
}

/* The tables' own database, beside the one that comes with every cluster. */
static enum walras_status make_database(struct db_cluster *cluster, struct walras_err *err)
{
    static const struct db_sql ask = {"database_there",
                                      "SELECT 1 FROM pg_database WHERE datname = 'walras'"};
    struct db_settings settings = db_settings_defaults(cluster->conninfo);
    struct db_session *session = NULL;
    struct db_rows rows = {0};
    enum walras_status status = db_session_new(&settings, &session, err);

    if (status == WALRAS_OK)
        status = db_query(session, &ask, NULL, &rows, err);
    if (status == WALRAS_OK && rows.n == 0)
        status = db_script(session, "CREATE DATABASE walras", err);
    db_rows_release(&rows);
    db_session_free(session);
    snprintf(cluster->conninfo, sizeof(cluster->conninfo),
             "host='%s' port=5432 user=walras dbname=walras", cluster->run);
    return status;
}

static enum walras_status open_owned(struct db_cluster *cluster, struct walras_err *err)
{
    enum walras_status status = make_folder(cluster, cluster->pg, 0700, true, err);

    if (status == WALRAS_OK)
        status = make_folder(cluster, cluster->run, 0700, true, err);
    if (status == WALRAS_OK)
        status = make_cluster(cluster, err);
    if (status == WALRAS_OK)
        status = start(cluster, err);
    return status == WALRAS_OK ? make_database(cluster, err) : status;
}

enum walras_status db_cluster_open(const struct db_cluster_settings *settings,
                                   struct db_cluster **made, struct walras_err *err)
{
    struct db_cluster *cluster = calloc(1, sizeof(*cluster));
    enum walras_status status = WALRAS_OK;

    if (!cluster)
        return walras_fail(err, WALRAS_NOMEM, "no memory for a database cluster");
    cluster->lock = -1;
    status = db_user_find(&cluster->user, err);
    if (status == WALRAS_OK)
        status = db_program_find("initdb", cluster->initdb, err);
    if (status == WALRAS_OK)
        status = db_program_find("pg_ctl", cluster->pg_ctl, err);
    if (status == WALRAS_OK && mkdir(settings->directory, 0711) != 0 && errno != EEXIST)
        status = fail_path(settings->directory, err);
    if (status == WALRAS_OK)
        status = set_paths(cluster, settings->directory, err);
    if (status == WALRAS_OK)
        status = lock(cluster, settings->share, err);
    if (status == WALRAS_OK && cluster->lock >= 0)
        status = open_owned(cluster, err);
    else if (status == WALRAS_OK)
        status = make_database(cluster, err);
    if (status == WALRAS_OK)
        *made = cluster;
    else if (db_cluster_close(cluster, NULL) != WALRAS_OK)
        walras_err_prefix(err, "the cluster could not be stopped again after");
    return status;
}

enum walras_status db_cluster_close(struct db_cluster *cluster, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    if (!cluster)
        return WALRAS_OK;
    if (cluster->started) {
        const char *const argv[] = {cluster->pg_ctl, "-D",   cluster->pg, "-w", "-t", "60", "-m",
                                    "fast",          "stop", NULL};

        status = run_well(cluster, "stopping PostgreSQL", argv, err);
    }
    if (cluster->lock >= 0)
        close(cluster->lock);
    free(cluster);
    return status;
}
