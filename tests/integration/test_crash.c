/* Servers killed and databases cut off amid a clearing: it goes on, and comes out the same. */
#include "core/rng.h"
#include "dbkit.h"
#include "playkit.h"
#include "testkit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A process of its own that kills the server after so many milliseconds. */
static pid_t kill_later(pid_t server, long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    pid_t child = fork();

    if (child == 0) {
        nanosleep(&pause, NULL);
        kill(server, SIGKILL);
        _exit(0);
    }
    return child;
}

static void test_killed_at_any_point_it_comes_out_the_same(void)
{
    struct play play;
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    unsigned wanted = (unsigned)testkit_cases(50), n_market = 0;
    char *calm = NULL;

    if (!play_begin(&play, PLAY_FEW))
        return;
    for (size_t i = 0; i < play.n; i++)
        play.agents[i].hides = i % 2 == 1; /* what is inferred of them is inferred again */
    play_start(&play, "calm", "");
    play_rounds(&play, "calm", false);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "calm"), "cleared");
    calm = play_outcome(&play, "calm");
    while (play.n_restart < wanted && n_market < 400) {
        unsigned before = play.n_restart;
        char id[32], *stormy = NULL;
        pid_t killer = 0;

        snprintf(id, sizeof(id), "storm-%u", n_market++);
        play_start(&play, id, "");
        killer = kill_later(play.server.pid, (long)(walras_rng_next(&rng) % 500));
        play_rounds(&play, id, n_market % 2 == 0);
        waitpid(killer, NULL, 0);
        if (play.n_restart == before) { /* it came after the end */
            waitpid(play.server.pid, NULL, 0);
            play_restart(&play);
        }
        CU_ASSERT_STRING_EQUAL(play_state(&play, id), "cleared");
        stormy = play_outcome(&play, id);
        CU_ASSERT_STRING_EQUAL(stormy, calm);
        free(stormy);
    }
    CU_ASSERT_TRUE(play.n_restart >= wanted);
    printf("%u kills in %u clearings\n", play.n_restart, n_market);
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
    play_start(&play, "calm", "");
    play_rounds(&play, "calm", true);
    calm = play_outcome(&play, "calm");

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
