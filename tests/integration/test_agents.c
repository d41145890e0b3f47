/*
 * Agents as vendors run them, processes of their own: the one in Python, written from the protocol
 * alone; `walras agent`; the C example on libwalras-agent, compiled as a vendor would.
 */
#include "core/file.h"
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

enum { CARS = 4, TEXTS = 8 };

/* A file in the test's own folder; lives for some more calls. */
static const char *file_of(const char *name)
{
    static char path[TEXTS][256];
    static unsigned n;

    snprintf(path[n % TEXTS], sizeof(path[0]), "%s/%s", dbkit_folder(), name);
    return path[n++ % TEXTS];
}

static void write_file(const char *name, const char *text)
{
    FILE *out = fopen(file_of(name), "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fputs(text, out);
    CU_ASSERT_EQUAL(fclose(out), 0);
}

static pid_t spawn(const char *const *argv, const char *output)
{
    return servekit_spawn(argv, file_of(output));
}

/* A client whose key lies in the file "key"; its secret for those that want it as an argument. */
static void make_vendor(struct play *play, char secret[DB_SECRET_TEXT])
{
    struct db_session *session = dbkit_session(play->database);
    struct db_client client = {.id = "vendor", .role = DB_ROLE_aggregator};
    char text[400];

    CU_ASSERT_EQUAL(db_client_create(session, "test", &client, secret, NULL), WALRAS_OK);
    snprintf(text, sizeof(text), "client_id      vendor\nclient_secret  %s\n", secret);
    write_file("key", text);
    db_session_free(session);
}

static void make_over(struct play *play, const char *agent)
{
    char path[64];

    snprintf(path, sizeof(path), "/v1/agents/%s", agent);
    CU_ASSERT_EQUAL(servekit_call(&play->operator, "PATCH", path, "{\"owner\": \"vendor\"}"), 200);
}

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = text; at && (at = strstr(at, what)); at++)
        n++;
    return n;
}

/* Until so many agents have joined, for at most a minute. */
static void wait_for_agents(struct play *play, size_t n)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    size_t found = 0;

    for (int i = 0; i < 3000 && found < n; i++) {
        nanosleep(&pause, NULL);
        (void)servekit_call(&play->operator, "GET", "/v1/markets/m1/participants", NULL);
        found = count_of(play->operator.body.data, "\"car-");
    }
    CU_ASSERT_EQUAL_FATAL(found, n);
}

static double number_behind(const char *text, const char *before)
{
    const char *at = text ? strstr(text, before) : NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    return strtod(at + strlen(before), NULL);
}

/* Converged on agents' own answers, and as good as the same market in process. */
/* Cars cost nothing beside the energy: what is inferred of one that hides that is taken off again.
 */
static void check_market(struct play *play)
{
    double inferred = 0.0;

    CU_ASSERT_STRING_EQUAL(play_state(play, "m1"), "cleared");
    CU_ASSERT_EQUAL(servekit_call(&play->operator, "GET", "/v1/markets/m1/certificate", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&play->operator, "\"status\": \"converged\", \"clean\": true"));
    CU_ASSERT_TRUE(
        servekit_has(&play->operator, "\"answers_repeated\": 0, \"answers_fallback\": 0"));
    if (strstr(play->operator.body.data, "\"cost_inferred\": "))
        inferred = number_behind(play->operator.body.data, "\"cost_inferred\": ");
    TESTKIT_CLOSE(number_behind(play->operator.body.data, "\"objective\": ") - inferred,
                  play_objective(play), 2e-4);
}

/* The sum of the numbers that an agent printed behind `before`. */
static double sum_behind(const char *output, const char *before)
{
    char *said = NULL, *at = NULL;
    size_t size = 0;
    double sum = 0.0;

    CU_ASSERT_EQUAL_FATAL(walras_file_read(file_of(output), 1 << 16, &said, &size, NULL),
                          WALRAS_OK);
    at = strstr(said, before);
    if (!at)
        printf("%s: %s\n", output, said);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    at += strlen(before);
    for (int t = 0; t < PLAY_STEPS; t++, at += strspn(at, ", "))
        sum += strtod(at, &at);
    free(said);
    return sum;
}

static const char script[] = WALRAS_SOURCE_DIR "/examples/agent-python/agent.py";

static pid_t start_python(const struct play *play, size_t i)
{
    const struct play_agent *car = &play->agents[i];
    char steps[16], kwh[32], kw[32];
    const char *argv[] = {"/usr/bin/python3",
                          script,
                          play->server.url,
                          file_of("key"),
                          "m1",
                          car->id,
                          "0",
                          steps,
                          kwh,
                          kw,
                          NULL};

    snprintf(steps, sizeof(steps), "%d", PLAY_STEPS);
    snprintf(kwh, sizeof(kwh), "%.17g", car->kwh);
    snprintf(kw, sizeof(kw), "%.17g", car->kw);
    return spawn(argv, car->id);
}

static pid_t start_walras(const struct play *play, size_t i)
{
    const struct play_agent *car = &play->agents[i];
    char device[300], name[48];

    snprintf(name, sizeof(name), "%s.json", car->id);
    snprintf(device, sizeof(device),
             "{\"id\": \"car\", \"type\": \"ev\", \"arrive\": 0, \"depart\": %d, \"energy_kwh\": "
             "%.17g, \"charge_kw\": %.17g}",
             PLAY_STEPS, car->kwh, car->kw);
    write_file(name, device);

    static const char *const more[CARS] = {NULL, "--glpk", "--hide-cost", "--glpk"};
    const char *argv[] = {WALRAS_BINARY,  "agent",       "--url",  play->server.url, "--key",
                          file_of("key"), "--market",    "m1",     "--agent",        car->id,
                          "--device",     file_of(name), "--json", more[i],          NULL};
    return spawn(argv, car->id);
}

/* All cars are agents of one kind. One is killed before the clearing and comes back amid it. */
static void play_with(pid_t (*start)(const struct play *play, size_t i), const char *before)
{
    struct play play;
    char secret[DB_SECRET_TEXT];
    pid_t child[CARS];

    if (!play_begin(&play, CARS))
        return;
    make_vendor(&play, secret);
    for (size_t i = 0; i < CARS; i++)
        make_over(&play, play.agents[i].id);
    play_open(&play, "m1", "");
    for (size_t i = 0; i < CARS; i++)
        child[i] = start(&play, i);
    wait_for_agents(&play, CARS);
    kill(child[0], SIGKILL);
    waitpid(child[0], NULL, 0);
    play_go(&play, "m1");
    child[0] = start(&play, 0);
    for (size_t i = 0; i < CARS; i++)
        CU_ASSERT_EQUAL(servekit_end_of(child[i]), 0);
    check_market(&play);
    for (size_t i = 0; i < CARS; i++)
        TESTKIT_CLOSE(sum_behind(play.agents[i].id, before), play.agents[i].kwh, 1e-9);
    play_end(&play);
}

static void test_agents_in_python(void)
{
    if (access("/usr/bin/python3", X_OK) == 0)
        play_with(start_python, " cleared [");
    else
        testkit_skip("/usr/bin/python3 is not here");
}

static void test_walras_agents(void)
{
    play_with(start_walras, "\"draw_kw\": [");
}

static pid_t start_searching(const struct play *play, const char *output)
{
    const char *argv[] = {WALRAS_BINARY,  "agent",    "--url",           play->server.url, "--key",
                          file_of("key"), "--device", file_of("a.json"), "--json",         NULL};

    return spawn(argv, output);
}

/* The only agent of its client finds itself and its market: none yet, an open one, one amid it. */
static void test_agents_find_their_market(void)
{
    struct play play;
    char secret[DB_SECRET_TEXT], device[200];
    pid_t child = 0;

    if (!play_begin(&play, CARS))
        return;
    make_vendor(&play, secret);
    snprintf(device, sizeof(device),
             "{\"id\": \"car\", \"type\": \"ev\", \"arrive\": 0, \"depart\": %d, \"energy_kwh\": "
             "%.17g, \"charge_kw\": %.17g}",
             PLAY_STEPS, play.agents[0].kwh, play.agents[0].kw);
    write_file("a.json", device);
    CU_ASSERT_EQUAL(servekit_end_of(start_searching(&play, "none")), 2); /* it owns no agent */
    make_over(&play, play.agents[0].id);
    child = start_searching(&play, play.agents[0].id);
    play_open(&play, "m1", "");
    wait_for_agents(&play, 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    play_go(&play, "m1");
    child = start_searching(&play, play.agents[0].id);
    CU_ASSERT_EQUAL(servekit_end_of(child), 0);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m1"), "cleared");
    TESTKIT_CLOSE(sum_behind(play.agents[0].id, "\"draw_kw\": ["), play.agents[0].kwh, 1e-9);
    play_end(&play);
}

/* A program whose search for a plan has no end in sight: a market split problem, 5 rows of 50. */
static void write_endless(const char *name)
{
    FILE *out = fopen(file_of(name), "w");
    unsigned random = 12345;

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fprintf(out, "Minimize\n cost: draw_0\nSubject To\n");
    for (int row = 0; row < 5; row++) {
        unsigned sum = 0;

        fprintf(out, " r%d: 0 draw_0", row);
        for (int i = 0; i < 50; i++) {
            random = 1103515245u * random + 12345u;
            sum += random >> 16 & 127u;
            fprintf(out, " + %u x_%d", random >> 16 & 127u, i);
        }
        fprintf(out, " = %u\n", sum / 2);
    }
    for (int t = 0; t < PLAY_STEPS; t++)
        fprintf(out, " d%d: draw_%d - x_%d = 0\n", t, t, t);
    fprintf(out, "Binary\n");
    for (int i = 0; i < 50; i++)
        fprintf(out, " x_%d\n", i);
    fprintf(out, "End\n");
    CU_ASSERT_EQUAL(fclose(out), 0);
}

static pid_t start_lp(const struct play *play, size_t i)
{
    const char *id = play->agents[i].id;
    char device[200], name[48];

    snprintf(name, sizeof(name), "%s.json", id);
    snprintf(device, sizeof(device), "{\"id\": \"box\", \"type\": \"lp\", \"file\": \"%s.lp\"}",
             id);
    write_file(name, device);

    const char *argv[] = {WALRAS_BINARY,   "agent",
                          "--url",         play->server.url,
                          "--key",         file_of("key"),
                          "--market",      "m1",
                          "--agent",       id,
                          "--device",      file_of(name),
                          "--fallback-kw", "1",
                          "--time-limit",  "1",
                          "--json",        NULL};

    return spawn(argv, id);
}

/* Programs that cannot be read or solved give no answer; their agents live on. */
static void test_programs_that_fail(void)
{
    struct play play;
    char secret[DB_SECRET_TEXT];
    pid_t child[3];

    if (!play_begin(&play, 3))
        return;
    make_vendor(&play, secret);
    write_file("car-00.lp", "this is no program\n");
    write_endless("car-01.lp");
    for (size_t i = 0; i < 3; i++)
        make_over(&play, play.agents[i].id);
    play_open(&play, "m1", "\"round_timeout_s\": 3, \"straggler\": {\"max_misses\": 1}");
    for (size_t i = 0; i < 3; i++)
        child[i] = i < 2 ? start_lp(&play, i) : start_walras(&play, i);
    wait_for_agents(&play, 3);
    play_go(&play, "m1");
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(servekit_end_of(child[i]), 0);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m1"), "cleared");
    for (size_t i = 0; i < 2; i++) /* they were stood in for */
        TESTKIT_CLOSE(sum_behind(play.agents[i].id, "\"draw_kw\": ["), PLAY_STEPS, 1e-9);
    play_end(&play);
}

/* Installs the library, compiles the example with what pkg-config says. False: it fails. */
static bool compile_example(void)
{
    char command[2000];

    snprintf(command, sizeof(command),
             "cmake --install '%s' --component sdk --prefix '%s' >/dev/null && "
             "PKG_CONFIG_PATH=$(find '%s' -name pkgconfig) && export PKG_CONFIG_PATH && "
             "%s -std=c17 -Wall -Wextra -Werror '%s/examples/agent-c/heater.c' -o '%s' %s "
             "$(pkg-config --cflags --libs walras-agent)",
             WALRAS_BUILD_DIR, file_of("sdk"), file_of("sdk"), WALRAS_COMPILER, WALRAS_SOURCE_DIR,
             file_of("heater"), WALRAS_SANITIZE_FLAG);
    const char *argv[] = {"/bin/sh", "-c", command, NULL};

    return servekit_end_of(spawn(argv, "compile.out")) == 0;
}

static void test_the_example_in_c(void)
{
    struct play play;
    char secret[DB_SECRET_TEXT];

    if (!play_begin(&play, CARS)) /* the line lets through what one heater and the home may draw */
        return;
    CU_ASSERT_TRUE_FATAL(compile_example());
    make_vendor(&play, secret);
    make_over(&play, "car-00");
    play_open(&play, "m1", "");

    const char *argv[] = {
        file_of("heater"), play.server.url, "vendor", secret, "m1", "car-00", "2", "57.5", NULL};
    pid_t child = spawn(argv, "heater.out");

    wait_for_agents(&play, 1);
    play_go(&play, "m1");
    CU_ASSERT_EQUAL(servekit_end_of(child), 0);
    CU_ASSERT_STRING_EQUAL(play_state(&play, "m1"), "cleared");
    char *said = NULL, *at = NULL;
    size_t size = 0;

    CU_ASSERT_EQUAL_FATAL(walras_file_read(file_of("heater.out"), 4096, &said, &size, NULL),
                          WALRAS_OK);
    at = said;
    for (size_t t = 0; t < PLAY_STEPS; t++, at += strspn(at, " kW\n")) {
        double kw = strtod(at, &at);

        if (t < 2 || t == 4) /* at 40, 55 and 45; in the others the battery may serve it */
            TESTKIT_CLOSE(kw, 2.0, 1e-3);
        CU_ASSERT_TRUE(kw >= -1e-9 && kw <= 2.0 + 1e-9);
    }
    free(said);
    play_end(&play);
}

/* Without a right key, market or agent it says so at once. */
static void test_refusals(void)
{
    struct play play;
    char secret[DB_SECRET_TEXT];

    if (!play_begin(&play, 1))
        return;
    make_vendor(&play, secret);
    play_open(&play, "m1", "");
    write_file("car.json", "{\"id\": \"c\", \"type\": \"ev\", \"arrive\": 0, \"depart\": 6, "
                           "\"energy_kwh\": 1, \"charge_kw\": 1}");
    write_file("bad.json", "{\"id\": \"c\", \"type\": \"ev\", \"arive\": 0}");
    write_file("wrong-key", "client_id vendor\nclient_secret abc\n");
    write_file("no-key", "vendor abc\n");

    static const struct refusal {
        const char *key, *market, *agent, *device;
    } refusals[] = {{"wrong-key", "m1", "car-00", "car.json"},
                    {"no-key", "m1", "car-00", "car.json"},
                    {"key", "m2", "car-00", "car.json"},
                    {"key", "m1", "car-00", "car.json"}, /* another client's */
                    {"key", "m1", "car-00", "bad.json"}};

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *r = &refusals[i];
        const char *argv[] = {WALRAS_BINARY, "agent",         "--url",    play.server.url,
                              "--key",       file_of(r->key), "--market", r->market,
                              "--agent",     r->agent,        "--device", file_of(r->device),
                              NULL};

        CU_ASSERT_EQUAL(servekit_end_of(spawn(argv, "refusal.out")), 2);
    }
    play_end(&play);
}

static const struct testkit_test tests[] = {
    {"agents in Python", test_agents_in_python},
    {"walras agents", test_walras_agents},
    {"agents find their market", test_agents_find_their_market},
    {"programs that fail", test_programs_that_fail},
    {"the example in C", test_the_example_in_c},
    {"refusals", test_refusals},
};

TESTKIT_MAIN("agents", tests)
