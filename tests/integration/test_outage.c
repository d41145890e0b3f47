/* PostgreSQL stopped and started while agents answer: 503, then the market goes on as it would. */
#include "dbkit.h"
#include "playkit.h"
#include "testkit.h"

#include "core/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* Answers from a process of its own; its exit status says whether all went well. */
static pid_t answer_aside(struct play *play, const char *id, bool batch)
{
    unsigned before = CU_get_number_of_failures();
    pid_t child = 0;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        play_rounds(play, id, batch);
        fflush(stdout);
        _exit(CU_get_number_of_failures() == before ? 0 : 1);
    }
    return child;
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

static void stop_amid_clearings(const char *mode)
{
    struct play play;
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    char *calm = NULL;
    unsigned wanted = (unsigned)testkit_cases(6), n_amid = 0;

    if (!play_begin(&play, PLAY_FEW))
        return;
    play_start(&play, "calm", "");
    play_rounds(&play, "calm", true);
    calm = play_outcome(&play, "calm");
    for (unsigned i = 0; n_amid < wanted && i < 60; i++) {
        char id[32], *stormy = NULL;
        pid_t child = 0;
        int state = 0;

        snprintf(id, sizeof(id), "storm-%u", i);
        play_start(&play, id, "");
        child = answer_aside(&play, id, i % 2 == 0);
        pause_ms((long)(walras_rng_next(&rng) % 60)); /* a clearing takes about 100 */
        CU_ASSERT_TRUE(dbkit_stop(mode));
        n_amid += waitpid(child, &state, WNOHANG) == 0;
        check_refusal(&play);
        pause_ms((long)(walras_rng_next(&rng) % 500));
        CU_ASSERT_TRUE(dbkit_start());
        (void)waitpid(child, &state, 0); /* unless it has ended before */
        CU_ASSERT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
        CU_ASSERT_STRING_EQUAL(play_state(&play, id), "cleared");
        stormy = play_outcome(&play, id);
        CU_ASSERT_STRING_EQUAL(stormy, calm);
        check_answers(&play, id);
        free(stormy);
    }
    printf("%u stops amid clearings\n", n_amid);
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
