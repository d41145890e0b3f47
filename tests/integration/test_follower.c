/* Whatever may be asked of a leader may be asked of a follower. */
#include "core/clock.h"
#include "dbkit.h"
#include "playkit.h"
#include "streamkit.h"
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* A pair of which the clients call the follower, and the outcome of a market cleared before. */
static bool begin(struct play *play, char **calm)
{
    if (!play_begin(play, PLAY_FEW))
        return false;
    *calm = play_calm(play, true);
    play_pair(play);
    CU_ASSERT_TRUE_FATAL(play_leads(&play->server));
    CU_ASSERT_FALSE_FATAL(play_leads(&play->spare));
    play_swap(play);
    return true;
}

static void check_outcome(struct play *play, const char *market, const char *calm)
{
    char *outcome = NULL;

    CU_ASSERT_STRING_EQUAL(play_state(play, market), "cleared");
    outcome = play_outcome(play, market);
    CU_ASSERT_STRING_EQUAL(outcome, calm);
    free(outcome);
}

static int64_t number_of(const struct play *play, const char *query)
{
    struct db_session *session = dbkit_session(play->database);
    int64_t n = strtoll(dbkit_value(session, query), NULL, 10);

    db_session_free(session);
    return n;
}

/* The leader is never called, and yet looks up at once when all have answered. */
static void test_a_market_is_cleared_through_the_follower(void)
{
    struct play play;
    char *calm = NULL;
    double from_s = 0.0;

    if (!begin(&play, &calm))
        return;
    from_s = walras_monotonic_s();
    for (int i = 0; i < 4; i++) {
        char id[32];

        snprintf(id, sizeof(id), "m%d", i);
        play_start(&play, id, "");
        play_rounds(&play, id, i % 2 == 0);
        check_outcome(&play, id, calm);
    }
    /* a leader that was not told would look after a second of each round */
    CU_ASSERT_TRUE(walras_monotonic_s() - from_s <
                   0.5 * (double)number_of(&play, "SELECT count(*) FROM round"));
    CU_ASSERT_FALSE(play_leads(&play.server));
    free(calm);
    play_end(&play);
}

static void test_agents_answer_at_both(void)
{
    struct play play;
    char *calm = NULL;

    if (!begin(&play, &calm))
        return;

    const struct play_share shares[] = {
        {0, 3, &play.server, true}, {1, 3, &play.spare, false}, {2, 3, &play.spare, true}};
    pid_t children[3];

    play_start(&play, "m", "");
    for (int i = 0; i < 3; i++)
        children[i] = play_aside(&play, "m", &shares[i]);
    for (int i = 0; i < 3; i++) {
        int state = 0;

        waitpid(children[i], &state, 0);
        CU_ASSERT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    }
    check_outcome(&play, "m", calm);
    CU_ASSERT_EQUAL(number_of(&play, "SELECT count(*) FROM response WHERE origin <> 'agent'"), 0);
    free(calm);
    play_end(&play);
}

/* Without what is not the same: how much time is left. */
static char *events_of(const struct streamkit *stream)
{
    struct walras_text kept;
    const char *at = stream->text.data, *end = NULL;

    walras_text_init(&kept, 1 << 24);
    while ((end = strstr(at, "\"remaining_s\": "))) {
        walras_text_add(&kept, at, (size_t)(end - at));
        at = end + strcspn(end, ",}");
    }
    walras_text_add(&kept, at, strlen(at));
    return kept.data;
}

static void test_both_tell_the_same_events(void)
{
    struct play play;
    struct streamkit here, there;
    struct servekit_client other;
    char *calm = NULL, *first = NULL, *second = NULL;

    if (!begin(&play, &calm))
        return;
    servekit_client_init(&other, &play.spare, play.speaker.token);
    play_start(&play, "m", "");
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m/round?wait=1", NULL), 200);
    streamkit_open(&here, &play.speaker, "/v1/markets/m/events", "1.0.0");
    streamkit_open(&there, &other, "/v1/markets/m/events", "1.0.0");
    play_rounds(&play, "m", false);
    CU_ASSERT_TRUE(streamkit_await(&here, NULL));
    CU_ASSERT_TRUE(streamkit_await(&there, NULL));
    first = events_of(&here);
    second = events_of(&there);
    CU_ASSERT_TRUE(streamkit_count(&here, "event: round") > 3);
    CU_ASSERT_STRING_EQUAL(first, second);
    free(first);
    free(second);
    free(calm);
    streamkit_close(&here);
    streamkit_close(&there);
    servekit_client_release(&other);
    play_end(&play);
}

static void test_cancelled_at_the_follower(void)
{
    struct play play;
    char *calm = NULL;
    bool dropped = false;

    if (!begin(&play, &calm))
        return;
    play_start(&play, "m", "\"round_timeout_s\": 600");
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m/round?wait=1", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "\"round\": 1"));
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/markets/m/cancel", NULL), 200);
    for (int i = 0; !dropped && i < 200; i++) {
        const struct timespec pause = {.tv_nsec = 20000000};

        dropped = servekit_log_has(&play.spare, "clearing_dropped market=m");
        nanosleep(&pause, NULL);
    }
    CU_ASSERT_TRUE(dropped);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m/round?wait=1", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "\"state\": \"cancelled\""));
    free(calm);
    play_end(&play);
}

static const struct testkit_test tests[] = {
    {"a market is cleared through the follower", test_a_market_is_cleared_through_the_follower},
    {"agents answer at both", test_agents_answer_at_both},
    {"both tell the same events", test_both_tell_the_same_events},
    {"cancelled at the follower", test_cancelled_at_the_follower},
};

TESTKIT_MAIN("follower", tests)
