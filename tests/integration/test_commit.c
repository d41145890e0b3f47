/* Commits that fail, and commits of which nobody hears: no answer is lost, none counts twice. */
#include "dbkit.h"
#include "playkit.h"
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER "{\"answers\": [{\"draw_kw\": [3, 1.5, 0, 0, 0, 0], \"cost\": 0}]}"
#define OTHER  "{\"answers\": [{\"draw_kw\": [3, 0, 1.5, 0, 0, 0], \"cost\": 0}]}"
#define PLACE  "/v1/markets/m/rounds/1/responses/car-00"

/* A market whose first round is open for long; a session that waits for no standby. */
static bool begin(struct play *play, struct db_session **session)
{
    if (!play_begin(play, PLAY_FEW))
        return false;
    play_start(play, "m", "\"round_timeout_s\": 600");
    CU_ASSERT_EQUAL(servekit_call(&play->speaker, "GET", "/v1/markets/m/round?wait=10", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&play->speaker, "\"round\": 1"));
    *session = dbkit_session(play->database);
    CU_ASSERT_TRUE(dbkit_sql(*session, "SET synchronous_commit = local"));
    return true;
}

static void end(struct play *play, struct db_session *session)
{
    db_session_free(session);
    play_end(play);
}

static long put(struct play *play, const char *answer)
{
    return servekit_call(&play->speaker, "PUT", PLACE, answer);
}

static void expect_kept(struct db_session *session, const char *n)
{
    CU_ASSERT_STRING_EQUAL(
        dbkit_value(session, "SELECT count(*) FROM response WHERE agent = 'car-00'"), n);
}

/* At COMMIT: an error of that state, or the end of the connection ("kill"). */
static void test_a_commit_that_fails_acknowledges_nothing(void)
{
    static const char make[] =
        "CREATE TABLE fault (state text);"
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$"
        "DECLARE s text; BEGIN SELECT state INTO s FROM fault;"
        "IF s = 'kill' THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(9);"
        "ELSIF s IS NOT NULL THEN RAISE EXCEPTION 'fault' USING ERRCODE = s; END IF;"
        "RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER fault AFTER INSERT ON response DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION fault()";
    /* shutting down, disk full, out of memory, input or output failed, a deadlock */
    static const char *const states[] = {"57P01", "53100", "53200", "58030", "40P01", "kill"};
    struct play play;
    struct db_session *session = NULL;
    char script[120];

    if (!begin(&play, &session))
        return;
    CU_ASSERT_TRUE_FATAL(dbkit_sql(session, make));
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        snprintf(script, sizeof(script), "INSERT INTO fault VALUES ('%s')", states[i]);
        CU_ASSERT_TRUE(dbkit_sql(session, script));
        CU_ASSERT_EQUAL(put(&play, ANSWER), 503);
        CU_ASSERT_PTR_NOT_NULL(strstr(play.speaker.headers.data, "Retry-After: "));
        expect_kept(session, "0");
        CU_ASSERT_TRUE(dbkit_sql(session, "DELETE FROM fault"));
        CU_ASSERT_EQUAL(put(&play, ANSWER), 201);
        CU_ASSERT_EQUAL(put(&play, ANSWER), 200);
        expect_kept(session, "1");
        CU_ASSERT_TRUE(dbkit_sql(session, "DELETE FROM response"));
    }
    end(&play, session);
}

/*
 * Commits wait for a standby that is not there: they are done, but not answered, until somebody
 * ends their connections. So the server hears of none.
 */
static int64_t number_of(struct db_session *session, const struct db_sql *sql)
{
    struct db_rows rows = {0};
    int64_t n = -1;

    if (db_query(session, sql, NULL, &rows, NULL) == WALRAS_OK)
        n = db_integer(&rows, 0, 0);
    db_rows_release(&rows);
    return n;
}

/* Commits are held once the checkpointer has read the setting too, which nothing shows. */
static void hold_commits(struct db_session *session, bool hold)
{
    static const struct timespec checkpointer = {.tv_nsec = 300000000};

    static const struct db_sql is_held = {
        "held", "SELECT (current_setting('synchronous_standby_names') <> '')::integer"};

    CU_ASSERT_TRUE(dbkit_sql(session, hold ? "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
                                           : "ALTER SYSTEM RESET synchronous_standby_names"));
    CU_ASSERT_TRUE(dbkit_sql(session, "SELECT pg_reload_conf()"));
    while (number_of(session, &is_held) == !hold)
        continue;
    nanosleep(&checkpointer, NULL);
}

/* Ends the connections of commits that are held, or (some) lets them be answered; how many end. */
static int64_t cut(struct db_session *session, bool some)
{
    static const struct db_sql all = {"cut_all", "SELECT count(pg_terminate_backend(pid)) FROM "
                                                 "pg_stat_activity WHERE wait_event = 'SyncRep'"};
    static const struct db_sql half = {
        "cut_half",
        "SELECT count(*) FILTER (WHERE ended) FROM (SELECT random() < 0.5 AS ended, pid FROM "
        "pg_stat_activity WHERE wait_event = 'SyncRep' OFFSET 0) AS held WHERE CASE WHEN ended "
        "THEN pg_terminate_backend(pid) ELSE pg_cancel_backend(pid) END"};
    const struct timespec pause = {.tv_nsec = 1000000};

    nanosleep(&pause, NULL);
    return number_of(session, some ? &half : &all);
}

static void test_an_answer_of_which_nobody_heard(void)
{
    struct play play;
    struct db_session *session = NULL;
    char token[DB_SECRET_TEXT];
    int64_t n = 0;
    int state = 0;
    pid_t child = 0;

    if (!begin(&play, &session))
        return;
    hold_commits(session, true);
    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(put(&play, ANSWER) == 503 ? 0 : 1);
    while (n == 0 && waitpid(child, &state, WNOHANG) == 0)
        n = cut(session, false);
    CU_ASSERT_EQUAL(n, 1);
    waitpid(child, &state, 0);
    CU_ASSERT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    hold_commits(session, false);
    expect_kept(session, "1");
    snprintf(token, sizeof(token), "%s", play.speaker.token);
    servekit_client_release(&play.speaker); /* the child has used its connection */
    servekit_client_init(&play.speaker, &play.server, token);
    CU_ASSERT_EQUAL(put(&play, OTHER), 409);
    CU_ASSERT_EQUAL(put(&play, ANSWER), 200);
    expect_kept(session, "1");
    end(&play, session);
}

/* How many commits of a clearing were done without the server hearing of it. */
static int64_t clear_unheard(struct play *play, struct db_session *session, const char *id)
{
    const struct play_share share = {.parts = 1, .at = &play->server, .batch = true};
    int64_t n = 0;
    int state = 0;
    pid_t child = 0;

    play_start(play, id, "");
    hold_commits(session, true);
    child = play_aside(play, id, &share);
    while (waitpid(child, &state, WNOHANG) == 0)
        n += cut(session, true);
    hold_commits(session, false);
    CU_ASSERT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    CU_ASSERT_STRING_EQUAL(play_state(play, id), "cleared");
    return n;
}

/* Of every other commit, by server or agents, nobody hears. */
static void test_clearings_of_which_half_was_heard(void)
{
    struct play play;
    struct db_session *session = NULL;
    int64_t wanted = (int64_t)testkit_cases(60), n = 0;
    char *calm = NULL;
    int n_market = 0;

    if (!play_begin(&play, PLAY_FEW))
        return;
    calm = play_calm(&play, true);
    session = dbkit_session(play.database);
    CU_ASSERT_TRUE(dbkit_sql(session, "SET synchronous_commit = local"));
    while (n < wanted && n_market < 40) {
        char id[32], *stormy = NULL;

        snprintf(id, sizeof(id), "storm-%d", n_market++);
        n += clear_unheard(&play, session, id);
        stormy = play_outcome(&play, id);
        CU_ASSERT_STRING_EQUAL(stormy, calm);
        free(stormy);
    }
    CU_ASSERT_STRING_EQUAL(
        dbkit_value(session, "SELECT count(*) FROM response WHERE origin <> 'agent'"), "0");
    printf("%lld commits amid %d clearings, of which nobody heard\n", (long long)n, n_market);
    CU_ASSERT_TRUE(n >= wanted);
    free(calm);
    end(&play, session);
}

static void answer_round(struct play *play, const char *id, int64_t round)
{
    char path[96];

    snprintf(path, sizeof(path), "/v1/markets/%s/round?after=%lld&wait=20", id,
             (long long)round - 1);
    CU_ASSERT_TRUE(play_answer_next(play, id, path) == round);
}

/* As when a standby takes over that had not come so far: the clearing goes back to what is there.
 */
static void test_a_database_that_lost_rounds(void)
{
    static const char lose[] = "DELETE FROM response WHERE market = 'm' AND round >= 2;"
                               "DELETE FROM point WHERE market = 'm' AND round >= 2;"
                               "DELETE FROM round WHERE market = 'm' AND number >= 2";
    struct play play;
    struct db_session *session = NULL;
    char *calm = NULL, *stormy = NULL;

    if (!play_begin(&play, PLAY_FEW))
        return;
    calm = play_calm(&play, true);
    session = dbkit_session(play.database);
    play_start(&play, "m", "");
    for (int64_t round = 1; round <= 3; round++)
        answer_round(&play, "m", round);
    CU_ASSERT_EQUAL(
        servekit_call(&play.speaker, "GET", "/v1/markets/m/round?after=3&wait=20", NULL), 200);
    CU_ASSERT_TRUE(dbkit_sql(session, lose));
    while (!servekit_log_has(&play.server, "clearing_parked market=m round=4"))
        continue;
    play_rounds(&play, "m", true);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m"), "cleared");
    stormy = play_outcome(&play, "m");
    CU_ASSERT_STRING_EQUAL(stormy, calm);
    free(stormy);
    free(calm);
    end(&play, session);
}

static const struct testkit_test tests[] = {
    {"a commit that fails acknowledges nothing", test_a_commit_that_fails_acknowledges_nothing},
    {"an answer of which nobody heard", test_an_answer_of_which_nobody_heard},
    {"clearings of which half was heard", test_clearings_of_which_half_was_heard},
    {"a database that lost rounds", test_a_database_that_lost_rounds},
};

TESTKIT_MAIN("commit", tests)
