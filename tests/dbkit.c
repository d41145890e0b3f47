#include "dbkit.h"

#include "db/cluster.h"
#include "db/migrate.h"
#include "db/program.h"
#include "testkit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64] = "/tmp/walras-test-XXXXXX";
static struct db_cluster *cluster;

/* Waits in a process of its own until this one is gone, then stops the cluster and cleans up. */
static bool leave_watcher(void)
{
    int ends[2], null = open("/dev/null", O_RDWR);
    char byte;

    if (null < 0 || pipe(ends) != 0)
        return false;
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fflush(stdout);

    pid_t child = fork();

    if (child != 0) {
        close(ends[0]);
        close(null);
        return child > 0;
    }
    setsid();
    close(ends[1]);
    for (int stream = 0; stream < 3; stream++)
        dup2(null, stream);
    while (read(ends[0], &byte, 1) > 0)
        continue;
    if (db_cluster_close(cluster, NULL) != WALRAS_OK)
        _exit(1);
    execl("/bin/rm", "rm", "-rf", folder, (char *)NULL);
    _exit(1);
}

static bool begin(void)
{
    static enum { UNTRIED, RUNS, ABSENT } state;
    char path[DB_PROGRAM_PATH], directory[96];
    struct walras_err err = {0};

    if (state == UNTRIED && db_program_find("initdb", path, &err) != WALRAS_OK) {
        state = ABSENT;
        testkit_skip(err.msg);
    }
    if (state != UNTRIED)
        return state == RUNS;
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    CU_ASSERT_EQUAL_FATAL(chmod(folder, 0755), 0);
    snprintf(directory, sizeof(directory), "%s/data", folder);

    struct db_cluster_settings settings = {.directory = directory};

    if (db_cluster_open(&settings, &cluster, &err) != WALRAS_OK)
        printf("%s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cluster);
    CU_ASSERT_TRUE_FATAL(leave_watcher());
    state = RUNS;
    return true;
}

const char *dbkit_folder(void)
{
    return begin() ? folder : NULL;
}

/* pg_ctl with these words, as the cluster's user. */
static bool control(const char *const *words)
{
    const char *argv[16] = {NULL};
    char path[DB_PROGRAM_PATH], said[400];
    struct db_user user = {0};
    struct db_program program = {.argv = argv, .user = &user};
    struct walras_err err = {0};
    int n = 1, state = -1;
    enum walras_status status = db_program_find("pg_ctl", path, &err);

    argv[0] = path;
    for (; *words; words++)
        argv[n++] = *words;
    if (status == WALRAS_OK)
        status = db_user_find(&user, &err);
    if (status == WALRAS_OK)
        status = db_program_run(&program, &state, said, sizeof(said), &err);
    if (status == WALRAS_OK && state == 0)
        return true;
    printf("pg_ctl: %s\n", status == WALRAS_OK ? said : err.msg);
    return false;
}

bool dbkit_stop(const char *mode)
{
    char pg[96];
    const char *const words[] = {"-D", pg, "-w", "-m", mode, "stop", NULL};

    snprintf(pg, sizeof(pg), "%s/data/pg", folder);
    return control(words);
}

bool dbkit_start(void)
{
    char pg[96], log[112], options[256];
    const char *const words[] = {"-D", pg, "-l", log, "-w", "-o", options, "start", NULL};

    snprintf(pg, sizeof(pg), "%s/data/pg", folder);
    snprintf(log, sizeof(log), "%s/data/run/postgres.log", folder);
    snprintf(options, sizeof(options),
             "-k '%s/data/run' -c listen_addresses= -c port=5432 -c unix_socket_permissions=0700",
             folder);
    return control(words);
}

struct db_session *dbkit_session(const char *conninfo)
{
    struct db_settings settings = db_settings_defaults(conninfo);
    struct db_session *session = NULL;
    struct walras_err err = {0};

    if (db_session_new(&settings, &session, &err) != WALRAS_OK)
        printf("%s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(session);
    return session;
}

bool dbkit_sql(struct db_session *session, const char *script)
{
    struct walras_err err = {0};

    if (db_script(session, script, &err) == WALRAS_OK)
        return true;
    printf("%s\n", err.msg);
    return false;
}

const char *dbkit_value(struct db_session *session, const char *query)
{
    static char value[512];
    static char names[64][16];
    static size_t n;
    struct db_sql sql = {names[n % 64], query};
    struct db_rows rows = {0};
    struct walras_err err = {0};

    snprintf(names[n % 64], sizeof(names[0]), "test_%zu", n);
    n++;
    if (db_query(session, &sql, NULL, &rows, &err) != WALRAS_OK)
        printf("%s\n", err.msg);
    snprintf(value, sizeof(value), "%s",
             rows.n > 0 && db_text(&rows, 0, 0) ? db_text(&rows, 0, 0) : "");
    db_rows_release(&rows);
    return value;
}

const char *dbkit_empty(void)
{
    static char conninfo[256];
    static unsigned n;
    char script[64];
    struct db_session *session = NULL;
    bool made = false;

    if (!begin())
        return NULL;
    session = dbkit_session(db_cluster_conninfo(cluster));
    snprintf(script, sizeof(script), "CREATE DATABASE test_%u", ++n);
    made = dbkit_sql(session, script);
    db_session_free(session);
    CU_ASSERT_TRUE_FATAL(made);
    snprintf(conninfo, sizeof(conninfo), "host='%s/data/run' port=5432 user=walras dbname=test_%u",
             folder, n);
    return conninfo;
}

const char *dbkit_migrated(void)
{
    const char *conninfo = dbkit_empty();
    struct db_session *session = NULL;
    struct walras_err err = {0};
    size_t n = 0;

    if (!conninfo)
        return NULL;
    session = dbkit_session(conninfo);
    if (db_migrate(session, &n, &err) != WALRAS_OK)
        printf("%s\n", err.msg);
    db_session_free(session);
    CU_ASSERT_EQUAL_FATAL(err.code, WALRAS_OK);
    return conninfo;
}
