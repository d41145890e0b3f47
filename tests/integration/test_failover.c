/* Two servers on one database: the leader dies, sleeps or leaves amid clearings. */
#include "dbkit.h"
#include "streamkit.h"
#include "strikekit.h"
#include "testkit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_TAKEOVER_S 5.0

/* Turns the clients to the server that leads. */
static void call_the_leader(struct play *play)
{
    bool leads = false;

    for (int i = 0; !leads && i < 200; i++) {
        const struct timespec pause = {.tv_nsec = 50000000};

        leads = play_leads(&play->server);
        if (!leads)
            play_swap(play);
        if (!leads)
            nanosleep(&pause, NULL);
    }
    CU_ASSERT_TRUE_FATAL(leads);
}

struct blows {
    int signal;
    bool wake;
    unsigned wanted, most; /* that hit amid a clearing; markets */
};

static void strike_leaders(const struct blows *blows)
{
    struct play play;
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    unsigned n_amid = 0, n_market = 0;
    int64_t n_round = 0;
    double longest_s = 0.0;
    char *calm = NULL;

    if (!play_begin(&play, PLAY_FEW))
        return;
    play_pair(&play);
    calm = play_calm(&play, false);
    n_round = play_count_rounds(&play, "calm");
    while (n_amid < blows->wanted && n_market < blows->most) {
        char id[32], *stormy = NULL;

        snprintf(id, sizeof(id), "storm-%u", n_market++);
        call_the_leader(&play);

        const struct servekit_server struck = play.server, heir = play.spare;
        struct strike strike = strike_at(&rng, id, n_round, blows->signal);

        strike.of = &struck;
        strike.heir = &heir;
        strike.wake = blows->wake;
        if (n_market % 3 == 0)
            play_swap(&play); /* the clients call the follower, who becomes the leader */
        play_start(&play, id, "");

        const struct strike_process process = strike_begin(&play, &strike);

        play_rounds(&play, id, n_market % 2 == 0);

        struct strike_outcome outcome = strike_end(&process);

        n_amid += outcome.amid;
        longest_s = outcome.takeover_s > longest_s ? outcome.takeover_s : longest_s;
        CU_ASSERT_TRUE(outcome.takeover_s < MOST_TAKEOVER_S);
        call_the_leader(&play); /* the blow may have come after the end */
        CU_ASSERT_STRING_EQUAL(play_state(&play, id), "cleared");
        stormy = play_outcome(&play, id);
        CU_ASSERT_STRING_EQUAL(stormy, calm);
        free(stormy);
        if (!blows->wake)
            play_replace(&play, struck.pid);
    }
    printf("%u blows amid %u clearings, the longest takeover %.2f s\n", n_amid, n_market,
           longest_s);
    CU_ASSERT_TRUE(n_amid >= blows->wanted);
    free(calm);
    play_end(&play);
}

static void test_killed(void)
{
    strike_leaders(
        &(struct blows){.signal = SIGKILL, .wanted = (unsigned)testkit_cases(20), .most = 60});
}

static void test_asleep(void)
{
    strike_leaders(&(struct blows){
        .signal = SIGSTOP, .wake = true, .wanted = (unsigned)testkit_cases(6), .most = 30});
}

static void test_stopped_in_order(void)
{
    strike_leaders(
        &(struct blows){.signal = SIGTERM, .wanted = (unsigned)testkit_cases(10), .most = 40});
}

/* Each round once and closed once, in order, then all prices. */
static void check_events(const struct streamkit *stream, int64_t n_round)
{
    const char *at = stream->text.data;
    char text[64];

    for (int64_t round = 1; round <= n_round; round++)
        for (int part = 1; part <= 2; part++) {
            snprintf(text, sizeof(text), "id: %d.%lld.%d\n", 2, (long long)round, part);
            CU_ASSERT_EQUAL(streamkit_count(stream, text), 1);
            at = strstr(at, text);
            CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        }
    CU_ASSERT_EQUAL(streamkit_count(stream, "event: round\n"), (size_t)n_round);
    CU_ASSERT_EQUAL(streamkit_count(stream, "event: closed\n"), (size_t)n_round);
    CU_ASSERT_EQUAL(streamkit_count(stream, "event: state\n"), 2);
    CU_ASSERT_EQUAL(streamkit_count(stream, "event: prices\n"), 1); /* of its own bus */
}

/* Who follows a market at the heir is told of it as if nothing had happened. */
static void test_streams_go_on_when_the_lead_passes(void)
{
    struct play play;
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    int64_t n_round = 0;
    char *calm = NULL;

    if (!play_begin(&play, PLAY_FEW))
        return;
    play_pair(&play);
    calm = play_calm(&play, false);
    n_round = play_count_rounds(&play, "calm");
    for (unsigned i = 0; i < (unsigned)testkit_cases(6); i++) {
        struct streamkit stream;
        char id[32], path[64];

        snprintf(id, sizeof(id), "storm-%u", i);
        snprintf(path, sizeof(path), "/v1/markets/%s/events", id);
        call_the_leader(&play);

        const struct servekit_server struck = play.server, heir = play.spare;
        struct strike strike = strike_at(&rng, id, n_round, SIGKILL);

        strike.of = &struck;
        strike.heir = &heir;
        play_swap(&play);
        play_start(&play, id, "");
        streamkit_open(&stream, &play.speaker, path, "1.0.0");

        const struct strike_process process = strike_begin(&play, &strike);

        play_rounds(&play, id, true);
        CU_ASSERT_TRUE(strike_end(&process).takeover_s < MOST_TAKEOVER_S);
        CU_ASSERT_TRUE(streamkit_await(&stream, NULL));
        check_events(&stream, n_round);
        streamkit_close(&stream);
        play_replace(&play, struck.pid);
    }
    free(calm);
    play_end(&play);
}

static int64_t stand_ins(struct play *play)
{
    struct db_session *session = dbkit_session(play->database);
    int64_t n = strtoll(
        dbkit_value(session, "SELECT count(*) FROM response WHERE origin <> 'agent'"), NULL, 10);

    db_session_free(session);
    return n;
}

/*
 * A leader that wakes after its round's time is over would put fallbacks in for all who have not
 * answered, though the one that took over gave them time anew.
 */
static void test_a_leader_that_wakes_closes_no_round(void)
{
    struct play play;
    struct strike strike = {
        .market = "m1", .round = 1, .us = 100000, .signal = SIGSTOP, .wake = true};
    struct servekit_server struck, heir;

    if (!play_begin(&play, PLAY_FEW))
        return;
    play_pair(&play);
    call_the_leader(&play);
    struck = play.server;
    heir = play.spare;
    strike.of = &struck;
    strike.heir = &heir;
    /* over for the sleeper as the other takes over, three seconds after it was last heard of */
    play_start(&play, "m1", "\"round_timeout_s\": 2.8");

    const struct strike_process process = strike_begin(&play, &strike);
    const struct timespec pause = {.tv_nsec = 700000000};

    CU_ASSERT_TRUE(strike_end(&process).amid);
    nanosleep(&pause, NULL); /* for the sleeper to do what it wants */
    CU_ASSERT_EQUAL(stand_ins(&play), 0);
    call_the_leader(&play);
    play_rounds(&play, "m1", true);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m1"), "cleared");
    CU_ASSERT_EQUAL(stand_ins(&play), 0);
    CU_ASSERT_TRUE(servekit_log_has(&struck, "clearing_parked market=m1"));
    play_end(&play);
}

static const struct testkit_test tests[] = {
    {"the leader is killed amid clearings", test_killed},
    {"the leader sleeps amid clearings, and wakes", test_asleep},
    {"the leader is stopped in order amid clearings", test_stopped_in_order},
    {"streams go on when the lead passes", test_streams_go_on_when_the_lead_passes},
    {"a leader that wakes closes no round", test_a_leader_that_wakes_closes_no_round},
};

TESTKIT_MAIN("failover", tests)
