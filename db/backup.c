#include "db/backup.h"

#include "core/file.h"
#include "core/text.h"
#include "db/conninfo.h"
#include "db/program.h"
#include "db/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAID = 400 };

/* Runs `name` with the database as its last argument but one. */
static enum walras_status run(const char *name, const char *conninfo, const char *const *arguments,
                              struct walras_err *err)
{
    char path[DB_PROGRAM_PATH], said[SAID], *password = NULL;
    const char *argv[16] = {path};
    struct walras_text rest = {0};
    struct db_program program = {.argv = argv, .variable = NULL};
    int n = 1, exit_status = 0;
    enum walras_status status = db_program_find(name, path, err);

    if (status == WALRAS_OK)
        status = db_conninfo_part(conninfo, &rest, &password, err);
    if (status == WALRAS_OK) {
        argv[n++] = "--dbname";
        argv[n++] = rest.data ? rest.data : "";
        for (size_t i = 0; arguments[i]; i++)
            argv[n++] = arguments[i];
        program.variable = password ? "PGPASSWORD" : NULL;
        program.text = password;
        status = db_program_run(&program, &exit_status, said, sizeof(said), err);
    }
    if (status == WALRAS_OK && exit_status != 0)
        status = walras_fail(err, WALRAS_IO, "%s: %s", name, said);
    free(password);
    walras_text_release(&rest);
    return status;
}

enum walras_status db_backup(const char *conninfo, const char *path, struct walras_err *err)
{
    char *staged = walras_path_staged(path);
    const char *const arguments[] = {"--format", "custom", "--no-owner", "--file", staged, NULL};
    enum walras_status status = WALRAS_OK;

    if (!staged)
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory for its name", path);
    status = run("pg_dump", conninfo, arguments, err);
    if (status == WALRAS_OK && rename(staged, path) != 0)
        status = walras_fail(err, WALRAS_IO, "%s: %s", path, strerror(errno));
    if (status != WALRAS_OK)
        unlink(staged);
    free(staged);
    return status;
}

static enum walras_status need_empty(const char *conninfo, struct walras_err *err)
{
    static const struct db_sql ask = {
        "tables", "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                  "WHERE c.relkind = 'r' AND n.nspname = 'public'"};
    struct db_settings settings = db_settings_defaults(conninfo);
    struct db_session *session = NULL;
    struct db_rows rows = {0};
    enum walras_status status = db_session_new(&settings, &session, err);

    if (status == WALRAS_OK)
        status = db_query(session, &ask, NULL, &rows, err);
    if (status == WALRAS_OK && db_integer(&rows, 0, 0) > 0)
        status = walras_fail(err, WALRAS_CONFLICT,
                             "the database is not empty (%lld tables): restore into a new one",
                             (long long)db_integer(&rows, 0, 0));
    db_rows_release(&rows);
    db_session_free(session);
    return status;
}

enum walras_status db_restore(const char *conninfo, const char *path, struct walras_err *err)
{
    const char *const arguments[] = {"--single-transaction", "--exit-on-error", "--no-owner", path,
                                     NULL};
    enum walras_status status = WALRAS_OK;

    if (access(path, R_OK) != 0)
        return walras_fail(err, WALRAS_IO, "%s: %s", path, strerror(errno));
    status = need_empty(conninfo, err);
    return status == WALRAS_OK ? run("pg_restore", conninfo, arguments, err) : status;
}
