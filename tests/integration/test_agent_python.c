/* The agent in Python, written from the protocol alone: takes part, is killed, goes on. */
#include "core/file.h"
#include "dbkit.h"
#include "playkit.h"
#include "testkit.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CARS = 4 };

static const char script[] = WALRAS_SOURCE_DIR "/examples/agent-python/agent.py";

/* Where a file of the test is: key of the vendor, what a car said. */
static const char *file_of(const char *name)
{
    static char path[4][256];
    static unsigned n;

    snprintf(path[n % 4], sizeof(path[0]), "%s/%s", dbkit_folder(), name);
    return path[n++ % 4];
}

/* The cars are made over to a client whose key lies in a file, as `walras key create` prints it. */
static void make_vendor(struct play *play)
{
    struct db_session *session = dbkit_session(play->database);
    struct db_client client = {.id = "vendor", .role = DB_ROLE_aggregator};
    char secret[DB_SECRET_TEXT], path[64];
    FILE *out = fopen(file_of("key"), "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(db_client_create(session, "test", &client, secret, NULL), WALRAS_OK);
    fprintf(out, "client_id      vendor\nclient_secret  %s\n", secret);
    fclose(out);
    for (size_t i = 0; i < play->n; i++) {
        snprintf(path, sizeof(path), "/v1/agents/%s", play->agents[i].id);
        CU_ASSERT_EQUAL(servekit_call(&play->operator, "PATCH", path, "{\"owner\": \"vendor\"}"),
                        200);
    }
    db_session_free(session);
}

static pid_t start_car(const struct play *play, size_t i)
{
    const struct play_agent *car = &play->agents[i];
    char steps[16], kwh[32], kw[32];
    const char *key = file_of("key"), *said = file_of(car->id);
    pid_t child = 0;

    snprintf(steps, sizeof(steps), "%d", PLAY_STEPS);
    snprintf(kwh, sizeof(kwh), "%.17g", car->kwh);
    snprintf(kw, sizeof(kw), "%.17g", car->kw);
    fflush(stdout);
    child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int out = open(said, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    dup2(out, STDOUT_FILENO);
    execl("/usr/bin/python3", "python3", script, play->server.url, key, "m1", car->id, "0", steps,
          kwh, kw, (char *)NULL);
    _exit(126);
}

/* Until so many agents have joined, looked up again and again for at most a minute. */
static void wait_for_agents(struct play *play, size_t n)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    size_t found = 0;

    for (int i = 0; i < 3000 && found < n; i++) {
        const char *at = NULL;

        nanosleep(&pause, NULL);
        found = 0;
        (void)servekit_call(&play->operator, "GET", "/v1/markets/m1/participants", NULL);
        for (at = play->operator.body.data; at && (at = strstr(at, "car-")); at++)
            found++;
    }
    CU_ASSERT_EQUAL_FATAL(found, n);
}

/* What it says of its award is what the server says. */
static void check_car(struct play *play, const struct play_agent *car)
{
    char path[64], *said = NULL, *at = NULL;
    size_t size = 0;
    double sum = 0.0;

    CU_ASSERT_EQUAL_FATAL(walras_file_read(file_of(car->id), 1 << 16, &said, &size, NULL),
                          WALRAS_OK);
    snprintf(path, sizeof(path), "%s cleared [", car->id);
    CU_ASSERT_EQUAL(strncmp(said, path, strlen(path)), 0);
    at = said + strlen(path);
    for (int t = 0; t < PLAY_STEPS; t++, at += strspn(at, ", "))
        sum += strtod(at, &at);
    TESTKIT_CLOSE(sum, car->kwh, 1e-9);
    snprintf(path, sizeof(path), "/v1/markets/m1/awards/%s", car->id);
    CU_ASSERT_EQUAL(servekit_call(&play->operator, "GET", path, NULL), 200);
    free(said);
}

static void test_it_takes_part(void)
{
    struct play play;
    pid_t child[CARS];

    if (access("/usr/bin/python3", X_OK) != 0) {
        testkit_skip("/usr/bin/python3 is not here");
        return;
    }
    if (!play_begin(&play, CARS))
        return;
    make_vendor(&play);
    play_open(&play, "m1", "");
    for (size_t i = 0; i < CARS; i++)
        child[i] = start_car(&play, i);
    wait_for_agents(&play, CARS);
    kill(child[0], SIGKILL); /* one is killed: it is started again amid the clearing and answers */
    waitpid(child[0], NULL, 0);
    play_go(&play, "m1");
    child[0] = start_car(&play, 0);
    for (size_t i = 0; i < CARS; i++) {
        int state = 0;

        CU_ASSERT_EQUAL(waitpid(child[i], &state, 0), child[i]);
        CU_ASSERT_EQUAL(state, 0);
    }
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m1"), "cleared");
    for (size_t i = 0; i < CARS; i++)
        check_car(&play, &play.agents[i]);
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "GET", "/v1/markets/m1/certificate", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&play.operator, "\"status\": \"converged\", \"clean\": true"));
    CU_ASSERT_TRUE(
        servekit_has(&play.operator, "\"answers_repeated\": 0, \"answers_fallback\": 0"));
    const char *at = strstr(play.operator.body.data, "\"objective\": ");

    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    TESTKIT_CLOSE(strtod(at + 13, NULL), play_objective(&play), 2e-4);
    play_end(&play);
}

static const struct testkit_test tests[] = {
    {"it takes part, is killed and goes on", test_it_takes_part},
};

TESTKIT_MAIN("agent_python", tests)
