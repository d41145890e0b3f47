#include "strikekit.h"

#include "core/clock.h"
#include "dbkit.h"
#include "testkit.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GIVE_UP_S 10.0

static void pause_us(long us)
{
    const struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

    nanosleep(&pause, NULL);
}

struct strike strike_at(struct walras_rng *rng, const char *market, int64_t n_round, int signal)
{
    return (struct strike){.market = market,
                           .round = 1 + (int64_t)(walras_rng_next(rng) % (uint64_t)n_round),
                           .us = (long)(walras_rng_next(rng) % 12000),
                           .signal = signal};
}

static void await_round(struct db_session *session, const struct strike *strike)
{
    static const struct db_sql find = {"strike_round",
                                       "SELECT state = 'clearing', EXISTS (SELECT 1 FROM round "
                                       "WHERE market = id AND number = $2) FROM market WHERE id = "
                                       "$1"};
    struct db_args args = {0};
    bool waits = true;

    db_add_text(&args, strike->market);
    db_add_integer(&args, strike->round);
    while (waits) {
        struct db_rows rows = {0};

        waits = db_query(session, &find, &args, &rows, NULL) == WALRAS_OK && rows.n == 1 &&
                db_bool(&rows, 0, 0) && !db_bool(&rows, 0, 1);
        db_rows_release(&rows);
        pause_us(500);
    }
    pause_us(strike->us);
}

static bool is_clearing(struct db_session *session, const char *market)
{
    char query[200];

    snprintf(query, sizeof(query), "SELECT state FROM market WHERE id = '%s'", market);
    return strcmp(dbkit_value(session, query), "clearing") == 0;
}

static double watch(const struct servekit_server *heir, double from_s)
{
    while (!play_leads(heir)) {
        if (walras_monotonic_s() - from_s > GIVE_UP_S)
            return 1000.0;
        pause_us(10000);
    }
    return walras_monotonic_s() - from_s;
}

static struct strike_outcome strike_now(const struct play *play, const struct strike *strike)
{
    struct db_session *session = dbkit_session(play->database);
    struct strike_outcome outcome = {0};
    double from_s = 0.0;

    await_round(session, strike);
    from_s = walras_monotonic_s();
    kill(strike->of->pid, strike->signal);
    outcome.amid = is_clearing(session, strike->market);
    if (strike->heir)
        outcome.takeover_s = watch(strike->heir, from_s);
    if (strike->wake)
        kill(strike->of->pid, SIGCONT);
    db_session_free(session);
    return outcome;
}

struct strike_process strike_begin(const struct play *play, const struct strike *strike)
{
    struct strike_process process = {0};
    int ends[2];

    fflush(stdout);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    process.pid = fork();
    if (process.pid == 0) {
        struct strike_outcome outcome = strike_now(play, strike);

        (void)!write(ends[1], &outcome, sizeof(outcome));
        fflush(stdout);
        _exit(0);
    }
    close(ends[1]);
    process.end = ends[0];
    return process;
}

struct strike_outcome strike_end(const struct strike_process *process)
{
    struct strike_outcome outcome = {.takeover_s = 1000.0};
    ssize_t size = read(process->end, &outcome, sizeof(outcome));

    close(process->end);
    waitpid(process->pid, NULL, 0);
    CU_ASSERT_EQUAL(size, (ssize_t)sizeof(outcome));
    return outcome;
}
