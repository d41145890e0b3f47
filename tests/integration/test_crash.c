/* Servers killed and databases cut off amid a clearing: it goes on, and comes out the same. */
#include "core/rng.h"
#include "dbkit.h"
#include "strikekit.h"
#include "testkit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BLOWS = 8 };

struct storm { /* against the server of one clearing */
    struct walras_rng *rng;
    const char *market;
    int64_t n_round;
    struct servekit_server struck[MOST_BLOWS];
    struct strike_process processes[MOST_BLOWS];
    unsigned n;
};

static void strike(struct play *play)
{
    struct storm *storm = play->context;
    struct strike at = strike_at(storm->rng, storm->market, storm->n_round, SIGKILL);

    storm->struck[storm->n] = play->server;
    at.of = &storm->struck[storm->n];
    storm->processes[storm->n++] = strike_begin(play, &at);
}

/* One in three is struck again: while it takes the market up, or later. */
static void strike_again(struct play *play)
{
    struct storm *storm = play->context;

    if (storm->n < MOST_BLOWS && walras_rng_next(storm->rng) % 3 == 0)
        strike(play);
}

/* How many of the blows hit while the market was clearing. */
static unsigned weather(struct play *play, struct storm *storm, bool batch)
{
    unsigned n_amid = 0, before = play->n_restart;

    play->context = storm;
    play_start(play, storm->market, "");
    strike(play);
    play->restarted = strike_again;
    play_rounds(play, storm->market, batch);
    play->restarted = NULL;
    for (unsigned i = 0; i < storm->n; i++)
        n_amid += strike_end(&storm->processes[i]).amid;
    if (play->n_restart - before < storm->n) { /* the last came after the end */
        waitpid(play->server.pid, NULL, 0);
        play_restart(play);
    }
    return n_amid;
}

static void test_killed_at_any_point_it_comes_out_the_same(void)
{
    struct play play;
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    unsigned wanted = (unsigned)testkit_cases(50), n_market = 0, n_amid = 0;
    int64_t n_round = 0;
    char *calm = NULL;

    if (!play_begin(&play, PLAY_FEW))
        return;
    for (size_t i = 0; i < play.n; i++)
        play.agents[i].hides = i % 2 == 1 ? 1 : 0; /* what is inferred of them is inferred again */
    calm = play_calm(&play, false);
    n_round = play_count_rounds(&play, "calm");
    while (n_amid < wanted && n_market < 4 * wanted) {
        char id[32], *stormy = NULL;
        struct storm storm = {.rng = &rng, .market = id, .n_round = n_round};

        snprintf(id, sizeof(id), "storm-%u", n_market++);
        n_amid += weather(&play, &storm, n_market % 2 == 0);
        CU_ASSERT_STRING_EQUAL(play_state(&play, id), "cleared");
        stormy = play_outcome(&play, id);
        CU_ASSERT_STRING_EQUAL(stormy, calm);
        free(stormy);
    }
    CU_ASSERT_TRUE(n_amid >= wanted);
    printf("%u kills amid %u clearings, %u in all\n", n_amid, n_market, play.n_restart);
    free(calm);
    play_end(&play);
}

static void test_database_cut_off_amid_a_clearing(void)
{
    struct play play;
    char *calm = NULL, script[300], name[64], id[32];
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());

    if (!play_begin(&play, PLAY_FEW))
        return;
    snprintf(name, sizeof(name), "%s", strstr(play.database, "dbname=") + strlen("dbname="));
    calm = play_calm(&play, true);

    struct db_session *session = dbkit_session(dbkit_empty());

    snprintf(script, sizeof(script),
             "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
             "WHERE datname = '%s'",
             name);
    for (unsigned i = 0; i < (unsigned)testkit_cases(20); i++) {
        char *stormy = NULL;
        pid_t child = 0;
        long ms = (long)(walras_rng_next(&rng) % 400);
        unsigned before = CU_get_number_of_failures();

        snprintf(id, sizeof(id), "storm-%u", i);
        play_start(&play, id, "");
        fflush(stdout);
        child = fork();
        if (child == 0) { /* answers from a process of its own, while this one cuts off */
            play_rounds(&play, id, i % 2 == 0);
            fflush(stdout);
            _exit(CU_get_number_of_failures() == before ? 0 : 1);
        }
        for (int cut = 0; cut < 2; cut++) {
            const struct timespec pause = {.tv_nsec = ms * 1000000};

            nanosleep(&pause, NULL);
            CU_ASSERT_TRUE(dbkit_sql(session, script));
        }

        int state = 0;

        waitpid(child, &state, 0);
        CU_ASSERT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
        CU_ASSERT_STRING_EQUAL(play_state(&play, id), "cleared");
        stormy = play_outcome(&play, id);
        CU_ASSERT_STRING_EQUAL(stormy, calm);
        free(stormy);
    }
    db_session_free(session);
    free(calm);
    play_end(&play);
}

static const struct testkit_test tests[] = {
    {"killed at any point it comes out the same", test_killed_at_any_point_it_comes_out_the_same},
    {"database cut off amid a clearing", test_database_cut_off_amid_a_clearing},
};

TESTKIT_MAIN("crash", tests)
