/* The database layer on a real PostgreSQL. */
#include "core/clock.h"
#include "db/backup.h"
#include "db/clients.h"
#include "db/migrate.h"
#include "db/migrations.h"
#include "db/pool.h"
#include "db/values.h"
#include "dbkit.h"
#include "testkit.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void test_migrations_are_applied_once(void)
{
    const char *conninfo = dbkit_empty();
    struct db_migration_state state = {0};
    size_t n = 0;

    if (!conninfo)
        return;

    struct db_session *session = dbkit_session(conninfo);

    CU_ASSERT_EQUAL(db_migration_need(session, NULL), WALRAS_UNAVAILABLE);
    CU_ASSERT_EQUAL(db_migrate(session, &n, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(n, db_migration_n_file);
    CU_ASSERT_TRUE(n >= 6);
    CU_ASSERT_EQUAL(db_migrate(session, &n, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT_EQUAL(db_migration_need(session, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_migration_state(session, &state, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(state.n_applied, state.n_known);
    CU_ASSERT_TRUE(state.server_version >= 140000);
    db_session_free(session);
}

static void test_changed_and_unknown_migrations_are_refused(void)
{
    const char *conninfo = dbkit_migrated();
    struct walras_err err = {0};
    size_t n = 0;

    if (!conninfo)
        return;

    struct db_session *session = dbkit_session(conninfo);

    CU_ASSERT_TRUE(dbkit_sql(session, "UPDATE migration SET sha256 = 'x' WHERE number = 2"));
    CU_ASSERT_EQUAL(db_migrate(session, &n, &err), WALRAS_CONFLICT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, db_migration_files[1].name));
    CU_ASSERT_TRUE(dbkit_sql(session, "DELETE FROM migration WHERE number >= 2"));
    /* record gone, tables there: the second fails and leaves nothing of itself */
    CU_ASSERT_NOT_EQUAL(db_migrate(session, &n, NULL), WALRAS_OK);
    CU_ASSERT_STRING_EQUAL(dbkit_value(session, "SELECT count(*) FROM migration"), "1");
    db_session_free(session);

    conninfo = dbkit_migrated();
    session = dbkit_session(conninfo);
    CU_ASSERT_TRUE(dbkit_sql(session, "INSERT INTO migration (number, name, sha256) "
                                      "VALUES (9999, '9999_later.sql', 'y')"));
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(db_migrate(session, &n, &err), WALRAS_CONFLICT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "9999_later.sql"));
    db_session_free(session);
}

struct job {
    const char *conninfo;
    size_t n;
    enum walras_status status;
};

static void *migrate_too(void *context)
{
    struct job *job = context;
    struct db_settings settings = db_settings_defaults(job->conninfo);
    struct db_session *session = NULL;

    job->status = db_session_new(&settings, &session, NULL);
    if (job->status == WALRAS_OK)
        job->status = db_migrate(session, &job->n, NULL);
    db_session_free(session);
    return NULL;
}

static void test_two_programs_migrate_at_once(void)
{
    enum { N = 4 };
    const char *conninfo = dbkit_empty();
    struct job jobs[N];
    pthread_t threads[N];
    size_t sum = 0;

    if (!conninfo)
        return;
    for (size_t i = 0; i < N; i++) {
        jobs[i] = (struct job){.conninfo = conninfo};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, migrate_too, &jobs[i]), 0);
    }
    for (size_t i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(jobs[i].status, WALRAS_OK);
        sum += jobs[i].n;
    }
    CU_ASSERT_EQUAL(sum, db_migration_n_file);
}

static void *audit_too(void *context)
{
    struct job *job = context;
    struct db_settings settings = db_settings_defaults(job->conninfo);
    struct db_session *session = NULL;

    job->status = db_session_new(&settings, &session, NULL);
    for (size_t i = 0; job->status == WALRAS_OK && i < job->n; i++)
        job->status = db_audit(session, "test", "add", "thing", "it's \"so\"", NULL);
    db_session_free(session);
    return NULL;
}

static void test_audit_chain_has_no_forks(void)
{
    enum { N = 4, EACH = 25 };
    const char *conninfo = dbkit_migrated();
    struct job jobs[N];
    pthread_t threads[N];
    struct db_migration_state state = {0};

    if (!conninfo)
        return;
    for (size_t i = 0; i < N; i++) {
        jobs[i] = (struct job){.conninfo = conninfo, .n = EACH};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, audit_too, &jobs[i]), 0);
    }
    for (size_t i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(jobs[i].status, WALRAS_OK);
    }

    struct db_session *session = dbkit_session(conninfo);

    CU_ASSERT_EQUAL(db_migration_state(session, &state, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(state.n_audit, N * EACH);
    CU_ASSERT_TRUE(state.audit_whole);
    db_session_free(session);
}

static void test_audit_log_only_grows_and_tells_of_changes(void)
{
    const char *conninfo = dbkit_migrated();
    struct db_migration_state state = {0};

    if (!conninfo)
        return;

    struct db_session *session = dbkit_session(conninfo);

    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(db_audit(session, "a", "b", "c", "d", NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_script(session, "UPDATE audit SET actor = 'x'", NULL), WALRAS_FORBIDDEN);
    CU_ASSERT_EQUAL(db_script(session, "DELETE FROM audit WHERE id = 5", NULL), WALRAS_FORBIDDEN);
    CU_ASSERT_EQUAL(db_script(session, "TRUNCATE audit", NULL), WALRAS_FORBIDDEN);
    CU_ASSERT_EQUAL(db_migration_state(session, &state, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(state.audit_whole);
    /* who owns the tables can switch triggers off: the chain tells */
    CU_ASSERT_TRUE(dbkit_sql(session, "ALTER TABLE audit DISABLE TRIGGER ALL;"
                                      "UPDATE audit SET detail = 'other' WHERE id = 3"));
    CU_ASSERT_EQUAL(db_migration_state(session, &state, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(state.audit_whole);
    CU_ASSERT_EQUAL(state.audit_broken, 3);
    CU_ASSERT_TRUE(dbkit_sql(session, "UPDATE audit SET detail = 'd' WHERE id = 3;"
                                      "DELETE FROM audit WHERE id = 2"));
    CU_ASSERT_EQUAL(db_migration_state(session, &state, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(state.audit_whole);
    db_session_free(session);
}

static void test_values_come_back_as_they_were(void)
{
    static const struct db_sql echo = {
        "test_echo", "SELECT $1::text, $2::float8, $3::float8[], $4::bool, $5::bigint, $6::text[]"};
    static const double values[] = {0.1, -0.0, 1e-308, 5e-324, 1.7976931348623157e308, 1.0 / 3.0};
    static const char odd[] = "it's; DROP TABLE audit; -- \\ \" {1,2} $1 \xc3\xa9";
    enum { N = sizeof(values) / sizeof(values[0]) };
    const char *conninfo = dbkit_empty();
    struct walras_text numbers, texts;
    struct db_args args = {0}, copied;
    struct db_rows rows = {0};
    double back[N];

    if (!conninfo)
        return;

    struct db_session *session = dbkit_session(conninfo);

    CU_ASSERT_EQUAL(db_numbers_text(values, N, &numbers, NULL), WALRAS_OK);
    db_array_open(&texts);
    db_array_text(&texts, odd);
    db_array_close(&texts);
    db_add_text(&args, odd);
    db_add_number(&args, 1.0 / 3.0);
    db_add_text(&args, numbers.data);
    db_add_bool(&args, true);
    db_add_integer(&args, -42);
    db_add_text(&args, texts.data);
    copied = args;
    memset(&args, 'x', sizeof(args));
    CU_ASSERT_EQUAL_FATAL(db_query(session, &echo, &copied, &rows, NULL), WALRAS_OK);
    CU_ASSERT_STRING_EQUAL(db_text(&rows, 0, 0), odd);
    CU_ASSERT_EQUAL(db_number(&rows, 0, 1), 1.0 / 3.0);
    CU_ASSERT_EQUAL(db_numbers(&rows, 0, 2, back, N, NULL), WALRAS_OK);
    for (size_t i = 0; i < N; i++)
        CU_ASSERT_TRUE(back[i] == values[i] && signbit(back[i]) == signbit(values[i]));
    CU_ASSERT_EQUAL(db_numbers(&rows, 0, 2, back, N - 1, NULL), WALRAS_INTERNAL);
    CU_ASSERT_TRUE(db_bool(&rows, 0, 3));
    CU_ASSERT_EQUAL(db_integer(&rows, 0, 4), -42);
    db_rows_release(&rows);
    walras_text_release(&numbers);
    walras_text_release(&texts);
    db_session_free(session);
}

static void test_failures_are_told_apart(void)
{
    const char *conninfo = dbkit_migrated();

    if (!conninfo)
        return;

    struct db_session *session = dbkit_session(conninfo);

    CU_ASSERT_EQUAL(db_script(session,
                              "INSERT INTO token VALUES (sha256(''), 'nobody', now(), "
                              "now() + interval '1 h')",
                              NULL),
                    WALRAS_CONFLICT);
    CU_ASSERT_EQUAL(
        db_script(session, "INSERT INTO client VALUES ('a/b', 'agent', 'h', now())", NULL),
        WALRAS_INVALID);
    CU_ASSERT_EQUAL(db_script(session, "SELECT nothing_of_the_kind", NULL), WALRAS_INTERNAL);
    CU_ASSERT_EQUAL(db_script(session, "SET statement_timeout = '20ms'; SELECT pg_sleep(5)", NULL),
                    WALRAS_UNAVAILABLE);
    db_session_free(session);
}

static void test_session_comes_back(void)
{
    static const struct db_sql one = {"test_one", "SELECT 1"};
    const char *conninfo = dbkit_empty();
    char pid[32], script[96];

    if (!conninfo)
        return;

    struct db_session *session = dbkit_session(conninfo), *other = dbkit_session(conninfo);

    CU_ASSERT_EQUAL(db_query(session, &one, NULL, NULL, NULL), WALRAS_OK);
    snprintf(pid, sizeof(pid), "%s", dbkit_value(session, "SELECT pg_backend_pid()"));
    CU_ASSERT_EQUAL(db_begin(session, NULL), WALRAS_OK);
    snprintf(script, sizeof(script), "SELECT pg_terminate_backend(%s, 5000)", pid);
    CU_ASSERT_TRUE(dbkit_sql(other, script));
    /* amid a transaction nobody knows: the caller is told */
    CU_ASSERT_EQUAL(db_query(session, &one, NULL, NULL, NULL), WALRAS_UNAVAILABLE);
    CU_ASSERT_EQUAL(db_end(session, WALRAS_UNAVAILABLE, NULL), WALRAS_UNAVAILABLE);
    CU_ASSERT_EQUAL(db_ready(session, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_query(session, &one, NULL, NULL, NULL), WALRAS_OK); /* prepared anew */
    /* while idle: noticed before the next unit of work */
    snprintf(script, sizeof(script), "SELECT pg_terminate_backend(%s, 5000)",
             dbkit_value(session, "SELECT pg_backend_pid()"));
    CU_ASSERT_TRUE(dbkit_sql(other, script));
    CU_ASSERT_EQUAL(db_begin(session, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_query(session, &one, NULL, NULL, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_end(session, WALRAS_OK, NULL), WALRAS_OK);
    db_session_free(session);
    db_session_free(other);
}

static void test_pool_bounds_sessions(void)
{
    const char *conninfo = dbkit_empty();
    struct db_settings settings = db_settings_defaults(conninfo);
    struct db_pool *pool = NULL;
    struct db_session *a = NULL, *b = NULL, *again = NULL;

    if (!conninfo)
        return;
    CU_ASSERT_EQUAL_FATAL(db_pool_new(&settings, 2, &pool, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_pool_take(pool, &a, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_pool_take(pool, &b, NULL), WALRAS_OK);
    db_pool_give(pool, a);
    CU_ASSERT_EQUAL(db_pool_take(pool, &again, NULL), WALRAS_OK);
    CU_ASSERT_PTR_EQUAL(again, a);
    db_pool_give(pool, again);
    db_pool_give(pool, b);
    db_pool_free(pool);

    settings.conninfo = "host=/nowhere dbname=x";
    CU_ASSERT_EQUAL_FATAL(db_pool_new(&settings, 1, &pool, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_pool_take(pool, &a, NULL), WALRAS_UNAVAILABLE);
    CU_ASSERT_EQUAL(db_pool_take(pool, &a, NULL), WALRAS_UNAVAILABLE); /* the place is free again */
    db_pool_free(pool);
}

static void test_secrets_and_tokens(void)
{
    struct db_client client = {.id = "plant-1", .role = DB_ROLE_agent}, found = {0};
    const char *conninfo = dbkit_migrated();
    char secret[DB_SECRET_TEXT] = "", token[DB_SECRET_TEXT] = "", query[160];
    bool known = false;

    if (!conninfo)
        return;

    struct db_session *session = dbkit_session(conninfo);

    CU_ASSERT_EQUAL(db_client_create(session, "t", &client, secret, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(strlen(secret) >= 43); /* 256 bits */
    CU_ASSERT_EQUAL(db_client_create(session, "t", &client, secret, NULL), WALRAS_CONFLICT);
    snprintf(query, sizeof(query), "SELECT count(*) FROM client WHERE secret_hash LIKE '%%%.20s%%'",
             secret);
    CU_ASSERT_STRING_EQUAL(dbkit_value(session, query), "0"); /* nothing of it is kept */
    CU_ASSERT_EQUAL(db_token_issue(session, "plant-1", "wrong", 60, &known, &found, token, NULL),
                    WALRAS_OK);
    CU_ASSERT_FALSE(known);
    CU_ASSERT_EQUAL(db_token_issue(session, "plant-2", secret, 60, &known, &found, token, NULL),
                    WALRAS_OK);
    CU_ASSERT_FALSE(known);
    CU_ASSERT_EQUAL(db_token_issue(session, "plant-1", secret, 60, &known, &found, token, NULL),
                    WALRAS_OK);
    CU_ASSERT_TRUE(known);
    CU_ASSERT_EQUAL(db_token_find(session, token, &known, &found, NULL, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(known && found.role == DB_ROLE_agent && strcmp(found.id, "plant-1") == 0);
    CU_ASSERT_EQUAL(db_token_find(session, "other", &known, &found, NULL, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(known);
    CU_ASSERT_TRUE(dbkit_sql(session, "UPDATE token SET created_at = now() - interval '2 h', "
                                      "expires_at = now() - interval '1 s'"));
    CU_ASSERT_EQUAL(db_token_find(session, token, &known, &found, NULL, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(known);
    CU_ASSERT_EQUAL(db_token_sweep(session, NULL), WALRAS_OK);
    CU_ASSERT_STRING_EQUAL(dbkit_value(session, "SELECT count(*) FROM token"), "0");

    CU_ASSERT_EQUAL(db_token_issue(session, "plant-1", secret, 60, &known, &found, token, NULL),
                    WALRAS_OK);
    CU_ASSERT_EQUAL(db_client_revoke(session, "t", "plant-1", NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_client_revoke(session, "t", "plant-1", NULL), WALRAS_NOT_FOUND);
    CU_ASSERT_EQUAL(db_token_find(session, token, &known, &found, NULL, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(known);
    CU_ASSERT_EQUAL(db_token_issue(session, "plant-1", secret, 60, &known, &found, token, NULL),
                    WALRAS_OK);
    CU_ASSERT_FALSE(known);
    CU_ASSERT_STRING_EQUAL(
        dbkit_value(session, "SELECT string_agg(action, ' ' ORDER BY id) FROM audit"),
        "key.create key.revoke");
    db_session_free(session);
}

static void test_names_of_clients(void)
{
    static const char *const good[] = {"a", "A-1_x.y", "0"};
    static const char *const bad[] = {"", ".a", "-a", "a b", "a/b", "\xc3\xa9", "a\n"};
    char longest[DB_ID + 1];

    memset(longest, 'a', sizeof(longest));
    longest[DB_ID] = '\0';
    CU_ASSERT_FALSE(db_id_is_good(longest));
    longest[DB_ID - 1] = '\0';
    CU_ASSERT_TRUE(db_id_is_good(longest));
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CU_ASSERT_TRUE(db_id_is_good(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(db_id_is_good(bad[i]));
}

/* The list in code and the type in SQL are the same, in the same order. */
static void test_roles_are_those_of_the_database(void)
{
    const char *conninfo = dbkit_migrated();
    char names[256] = "";

    if (!conninfo)
        return;
    for (int role = 0; role < DB_N_ROLE; role++)
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", role == 0 ? "" : ",",
                 db_role_name((enum db_role)role));

    struct db_session *session = dbkit_session(conninfo);

    CU_ASSERT_STRING_EQUAL(dbkit_value(session, "SELECT string_agg(r::text, ',' ORDER BY r) FROM "
                                                "unnest(enum_range(NULL::client_role)) AS r"),
                           names);
    db_session_free(session);
}

static void test_backup_comes_back_whole(void)
{
    struct db_client client = {.id = "op", .role = DB_ROLE_operator};
    const char *from = dbkit_migrated();
    char path[128], first[256], secret[DB_SECRET_TEXT], token[DB_SECRET_TEXT];
    struct db_migration_state state = {0};
    struct walras_err err = {0};
    bool known = false;

    if (!from)
        return;
    snprintf(first, sizeof(first), "%s", from);
    snprintf(path, sizeof(path), "%s/backup.dump", dbkit_folder());

    struct db_session *session = dbkit_session(first);

    CU_ASSERT_EQUAL(db_client_create(session, "t", &client, secret, NULL), WALRAS_OK);
    db_session_free(session);
    if (db_backup(first, path, &err) != WALRAS_OK)
        printf("%s\n", err.msg);
    CU_ASSERT_EQUAL_FATAL(err.code, WALRAS_OK);
    CU_ASSERT_EQUAL(db_restore(first, path, NULL), WALRAS_CONFLICT);

    const char *to = dbkit_empty();

    CU_ASSERT_EQUAL(db_restore(to, path, &err), WALRAS_OK);
    session = dbkit_session(to);
    CU_ASSERT_EQUAL(db_migration_state(session, &state, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(state.audit_whole && state.n_audit == 1);
    CU_ASSERT_EQUAL(db_token_issue(session, "op", secret, 60, &known, &client, token, NULL),
                    WALRAS_OK);
    CU_ASSERT_TRUE(known);
    CU_ASSERT_EQUAL(db_script(session, "DELETE FROM audit", NULL), WALRAS_FORBIDDEN);
    db_session_free(session);
    CU_ASSERT_EQUAL(db_restore(to, "/nowhere/at/all", NULL), WALRAS_IO);
    CU_ASSERT_EQUAL(db_backup(first, "/nowhere/at/all", NULL), WALRAS_IO);
}

/* A server that takes connections and says nothing, as one behind a dead link does. */
static int silent_port(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int silent = socket(AF_INET, SOCK_STREAM, 0);

    CU_ASSERT_EQUAL_FATAL(bind(silent, (struct sockaddr *)&address, size), 0);
    CU_ASSERT_EQUAL_FATAL(listen(silent, 16), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(silent, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return silent;
}

struct
try {
    struct db_pool *pool;
    double seconds;
    enum walras_status status;
};

static void *take_in_vain(void *context)
{
    struct try *try = context;
    struct db_session *session = NULL;
    double from_s = walras_monotonic_s();

    try->status = db_pool_take(try->pool, &session, NULL);
    try->seconds = walras_monotonic_s() - from_s;
    return NULL;
}

static void test_a_database_that_is_away_is_not_waited_for_by_all(void)
{
    struct db_settings settings = db_settings_defaults(NULL);
    struct db_pool *pool = NULL;
    struct try tries[4];
    pthread_t threads[4];
    char conninfo[96];
    int port = 0, silent = silent_port(&port), n_slow = 0;
    const struct timespec pause = {.tv_nsec = 300000000};

    snprintf(conninfo, sizeof(conninfo), "host=127.0.0.1 port=%d dbname=x", port);
    settings.conninfo = conninfo;
    settings.connect_s = 2;
    CU_ASSERT_EQUAL_FATAL(db_pool_new(&settings, 8, &pool, NULL), WALRAS_OK);
    tries[0].pool = pool;
    take_in_vain(&tries[0]);
    CU_ASSERT_EQUAL(tries[0].status, WALRAS_UNAVAILABLE);
    CU_ASSERT_TRUE(tries[0].seconds > 1.0);
    nanosleep(&pause, NULL); /* it may be tried again */
    for (int i = 0; i < 4; i++) {
        tries[i].pool = pool;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, take_in_vain, &tries[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(tries[i].status, WALRAS_UNAVAILABLE);
        n_slow += tries[i].seconds > 1.0;
    }
    CU_ASSERT_EQUAL(n_slow, 1);
    db_pool_free(pool);
    close(silent);
}

/* Who does not look at a failure amid a transaction is told of it at the end. */
static void test_a_failed_transaction_is_not_committed(void)
{
    const char *conninfo = dbkit_migrated();
    struct db_session *session = NULL;

    if (!conninfo)
        return;
    session = dbkit_session(conninfo);
    CU_ASSERT_EQUAL(db_begin(session, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_script(session, "SELECT 1 / 0", NULL), WALRAS_INVALID);
    CU_ASSERT_EQUAL(db_end(session, WALRAS_OK, NULL), WALRAS_INTERNAL);
    CU_ASSERT_EQUAL(db_begin(session, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_end(session, WALRAS_OK, NULL), WALRAS_OK);
    db_session_free(session);
}

static const struct testkit_test tests[] = {
    {"migrations are applied once", test_migrations_are_applied_once},
    {"changed and unknown migrations are refused", test_changed_and_unknown_migrations_are_refused},
    {"two programs migrate at once", test_two_programs_migrate_at_once},
    {"audit chain has no forks", test_audit_chain_has_no_forks},
    {"audit log only grows and tells of changes", test_audit_log_only_grows_and_tells_of_changes},
    {"values come back as they were", test_values_come_back_as_they_were},
    {"failures are told apart", test_failures_are_told_apart},
    {"session comes back", test_session_comes_back},
    {"pool bounds sessions", test_pool_bounds_sessions},
    {"secrets and tokens", test_secrets_and_tokens},
    {"names of clients", test_names_of_clients},
    {"roles are those of the database", test_roles_are_those_of_the_database},
    {"backup comes back whole", test_backup_comes_back_whole},
    {"a database that is away is not waited for by all",
     test_a_database_that_is_away_is_not_waited_for_by_all},
    {"a failed transaction is not committed", test_a_failed_transaction_is_not_committed},
};

TESTKIT_MAIN("db", tests)
