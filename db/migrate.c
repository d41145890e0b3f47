#include "db/migrate.h"

#include "db/migrations.h"
#include "db/secret.h"

#include <string.h>

enum { OLDEST_SERVER = 140000 };

static const char lock_and_table[] = "SELECT pg_advisory_xact_lock(7741001);"
                                     "CREATE TABLE IF NOT EXISTS migration ("
                                     "    number integer PRIMARY KEY CHECK (number >= 1),"
                                     "    name text NOT NULL UNIQUE,"
                                     "    sha256 text NOT NULL,"
                                     "    applied_at timestamptz NOT NULL DEFAULT now())";

static enum walras_status check_version(struct db_session *session, int *version,
                                        struct walras_err *err)
{
    static const struct db_sql ask = {"server_version",
                                      "SELECT current_setting('server_version_num')"};
    struct db_rows rows = {0};
    enum walras_status status = db_query(session, &ask, NULL, &rows, err);

    if (status != WALRAS_OK)
        return status;
    *version = (int)db_integer(&rows, 0, 0);
    db_rows_release(&rows);
    if (*version < OLDEST_SERVER)
        return walras_fail(err, WALRAS_UNSUPPORTED,
                           "PostgreSQL %d is too old: version 14 or later is needed",
                           *version / 10000);
    return WALRAS_OK;
}

/* Compares what was applied, in order, with what this program knows. */
static enum walras_status count_applied(struct db_session *session, size_t *n,
                                        struct walras_err *err)
{
    static const struct db_sql list = {"migration_list",
                                       "SELECT name, sha256 FROM migration ORDER BY number"};
    struct db_rows rows = {0};
    enum walras_status status = db_query(session, &list, NULL, &rows, err);

    if (status != WALRAS_OK)
        return status;
    if (rows.n > db_migration_n_file)
        status = walras_fail(err, WALRAS_CONFLICT,
                             "the database has migration %s, which this program does not know: it "
                             "is newer; use the walras that made it, or a later one",
                             db_text(&rows, db_migration_n_file, 0));
    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++) {
        const struct db_migration *known = &db_migration_files[i];
        char digest[DB_DIGEST_TEXT];

        db_digest_text(known->text, strlen(known->text), digest);
        if (strcmp(db_text(&rows, i, 0), known->name) != 0 ||
            strcmp(db_text(&rows, i, 1), digest) != 0)
            status = walras_fail(err, WALRAS_CONFLICT,
                                 "migration %s was applied in another form than this program has "
                                 "it (%s): use the walras that made the database",
                                 db_text(&rows, i, 0), known->name);
    }
    *n = rows.n;
    db_rows_release(&rows);
    return status;
}

static enum walras_status apply(struct db_session *session, size_t at, struct walras_err *err)
{
    static const struct db_sql record = {
        "migration_record", "INSERT INTO migration (number, name, sha256) VALUES ($1, $2, $3)"};
    const struct db_migration *migration = &db_migration_files[at];
    char digest[DB_DIGEST_TEXT];
    struct db_args args = {0};
    enum walras_status status = db_script(session, migration->text, err);

    if (status != WALRAS_OK) {
        walras_err_prefix(err, "migration %s", migration->name);
        return status;
    }
    db_digest_text(migration->text, strlen(migration->text), digest);
    db_add_integer(&args, (int64_t)at + 1);
    db_add_text(&args, migration->name);
    db_add_text(&args, digest);
    return db_query(session, &record, &args, NULL, err);
}

/* Applies the first that is missing, alone in its transaction. */
static enum walras_status apply_next(struct db_session *session, bool *more, struct walras_err *err)
{
    size_t n = 0;
    enum walras_status status = db_begin(session, err);

    *more = false;
    if (status != WALRAS_OK)
        return status;
    status = db_script(session, lock_and_table, err);
    if (status == WALRAS_OK)
        status = count_applied(session, &n, err);
    if (status == WALRAS_OK && n < db_migration_n_file) {
        *more = true;
        status = apply(session, n, err);
    }
    return db_end(session, status, err);
}

enum walras_status db_migrate(struct db_session *session, size_t *n_applied, struct walras_err *err)
{
    int version = 0;
    bool more = true;
    enum walras_status status = check_version(session, &version, err);

    *n_applied = 0;
    while (status == WALRAS_OK && more) {
        status = apply_next(session, &more, err);
        *n_applied += status == WALRAS_OK && more;
    }
    return status;
}

static enum walras_status is_there(struct db_session *session, bool *there, struct walras_err *err)
{
    static const struct db_sql ask = {"migration_there",
                                      "SELECT to_regclass('migration') IS NOT NULL"};
    struct db_rows rows = {0};
    enum walras_status status = db_query(session, &ask, NULL, &rows, err);

    if (status == WALRAS_OK)
        *there = db_bool(&rows, 0, 0);
    db_rows_release(&rows);
    return status;
}

/* Every row's hash anew, and that it names the hash of the row before; NULL: all hold. */
static enum walras_status check_audit(struct db_session *session, struct db_migration_state *state,
                                      struct walras_err *err)
{
    static const struct db_sql check = {
        "audit_check",
        "SELECT count(*), min(id) FILTER (WHERE NOT whole) FROM ("
        " SELECT id, id = row_number() OVER w AND before IS NOT DISTINCT FROM lag(hash) OVER w"
        " AND hash = audit_hash(id, at, actor, action, subject, detail, before) AS whole"
        " FROM audit WINDOW w AS (ORDER BY id)) AS checked"};
    struct db_rows rows = {0};
    enum walras_status status = db_query(session, &check, NULL, &rows, err);

    if (status != WALRAS_OK)
        return status;
    state->n_audit = db_integer(&rows, 0, 0);
    state->audit_whole = db_text(&rows, 0, 1) == NULL;
    state->audit_broken = db_integer(&rows, 0, 1);
    db_rows_release(&rows);
    return WALRAS_OK;
}

enum walras_status db_migration_state(struct db_session *session, struct db_migration_state *state,
                                      struct walras_err *err)
{
    struct db_migration_state found = {.n_known = db_migration_n_file, .audit_whole = true};
    bool there = false;
    enum walras_status status = check_version(session, &found.server_version, err);

    if (status == WALRAS_OK)
        status = is_there(session, &there, err);
    if (status == WALRAS_OK && there)
        status = count_applied(session, &found.n_applied, err);
    if (status == WALRAS_OK && found.n_applied > 0)
        status = check_audit(session, &found, err);
    if (status == WALRAS_OK)
        *state = found;
    return status;
}

enum walras_status db_migration_need(struct db_session *session, struct walras_err *err)
{
    size_t n = 0;
    bool there = false;
    enum walras_status status = is_there(session, &there, err);

    if (status == WALRAS_OK && there)
        status = count_applied(session, &n, err);
    if (status == WALRAS_OK && n < db_migration_n_file)
        status = walras_fail(err, WALRAS_UNAVAILABLE,
                             "the database has %zu of %zu migrations: run walras db migrate", n,
                             db_migration_n_file);
    return status;
}
