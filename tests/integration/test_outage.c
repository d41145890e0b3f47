/*
 * PostgreSQL stopped and started while agents answer at two servers: 503, then the market goes on
 * as it would have.
 */
#include "dbkit.h"
#include "playkit.h"
#include "testkit.h"

#include "core/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* A problem document that says when to come again, from a process that lives on. */
static void check_refusal(struct play *play)
{
    CU_ASSERT_EQUAL(servekit_call(&play->operator, "GET", "/v1/markets", NULL), 503);
    CU_ASSERT_PTR_NOT_NULL(strstr(play->operator.headers.data, "Retry-After: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(play->operator.headers.data, "application/problem+json"));
    CU_ASSERT_TRUE(servekit_has(&play->operator, "\"status\": 503"));
    CU_ASSERT_EQUAL(servekit_call(&play->operator, "GET", "/readyz", NULL), 503);
    CU_ASSERT_EQUAL(servekit_call(&play->operator, "GET", "/healthz", NULL), 200);
}

/* Each agent's own answer to each closed round: none was lost, none stood in for. */
static void check_answers(const struct play *play, const char *id)
{
    struct db_session *session = dbkit_session(play->database);
    char query[400];

    snprintf(query, sizeof(query),
             "SELECT count(*) FROM round r WHERE market = '%s' AND %zu <> (SELECT count(*) FROM "
             "response a WHERE a.market = r.market AND a.round = r.number AND a.origin = 'agent')",
             id, play->n);
    CU_ASSERT_STRING_EQUAL(dbkit_value(session, query), "0");
    db_session_free(session);
}

enum { N_CLIENT = 4 };

/* Some at one server and some at the other, in batches and one by one. */
static void begin_load(struct play *play, const char *id, pid_t clients[N_CLIENT])
{
    for (size_t i = 0; i < N_CLIENT; i++) {
        const struct play_share share = {.part = i,
                                         .parts = N_CLIENT,
                                         .at = i % 2 == 0 ? &play->server : &play->spare,
                                         .batch = i < 2};

        clients[i] = play_aside(play, id, &share);
    }
}

static bool is_clearing(struct play *play, const char *id)
{
    return strcmp(play_state(play, id), "clearing") == 0;
}

static void end_load(const pid_t clients[N_CLIENT])
{
    for (int i = 0; i < N_CLIENT; i++) {
        int state = 0;

        (void)waitpid(clients[i], &state, 0);
        CU_ASSERT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    }
}

static void await_state(struct play *play, const char *id, const char *state)
{
    for (int i = 0; i < 500 && strcmp(play_state(play, id), state) != 0; i++)
        pause_ms(20);
    CU_ASSERT_STRING_EQUAL(play_state(play, id), state);
}

/* Whether it was amid the clearing that PostgreSQL stopped. */
static bool weather(struct play *play, struct walras_rng *rng, const char *id, const char *mode)
{
    pid_t clients[N_CLIENT];
    bool amid = false;

    play_start(play, id, "");
    begin_load(play, id, clients);
    pause_ms((long)(walras_rng_next(rng) % 120)); /* a clearing takes about 200 */
    amid = is_clearing(play, id);
    CU_ASSERT_TRUE(dbkit_stop(mode));
    check_refusal(play);
    pause_ms((long)(walras_rng_next(rng) % 500));
    CU_ASSERT_TRUE(dbkit_start());
    end_load(clients);
    await_state(play, id, "cleared");
    return amid;
}

static void stop_amid_clearings(const char *mode)
{
    struct play play;
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    char *calm = NULL;
    unsigned wanted = (unsigned)testkit_cases(6), n_amid = 0, n_market = 0;

    if (!play_begin(&play, PLAY_FEW))
        return;
    play_start(&play, "calm", "");
    play_rounds(&play, "calm", true);
    calm = play_outcome(&play, "calm");
    play_pair(&play);
    while (n_amid < wanted && n_market < 60) {
        char id[32], *stormy = NULL;

        snprintf(id, sizeof(id), "storm-%u", n_market++);
        n_amid += weather(&play, &rng, id, mode);
        stormy = play_outcome(&play, id);
        CU_ASSERT_STRING_EQUAL(stormy, calm);
        check_answers(&play, id);
        free(stormy);
    }
    printf("%u stops amid %u clearings\n", n_amid, n_market);
    CU_ASSERT_TRUE(n_amid >= wanted);
    free(calm);
    play_end(&play);
}

static void test_stopped_in_order(void)
{
    stop_amid_clearings("fast");
}

static void test_stopped_at_once(void)
{
    stop_amid_clearings("immediate");
}

static const struct testkit_test tests[] = {
    {"PostgreSQL stopped in order amid clearings", test_stopped_in_order},
    {"PostgreSQL stopped at once amid clearings", test_stopped_at_once},
};

TESTKIT_MAIN("outage", tests)
