/*
 * A swarm plays the 33-bus feeder against a real server: the plan is as good as the one that is
 * found in process, in batches and agent by agent, also when the server is killed amid the
 * clearing.
 */
#include "core/file.h"
#include "dbkit.h"
#include "scenario/clear.h"
#include "servekit.h"
#include "testkit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char scenario_path[] = WALRAS_SOURCE_DIR "/examples/feeder33/feeder33.json";
static const char *const no_limit[] = {"--requests-per-second", "1e6", "--request-burst", "1e6",
                                       NULL};

struct stage {
    char database[256], key[256], out[256];
    struct servekit_server server;
    struct servekit_client client;
};

static bool set_stage(struct stage *stage)
{
    const char *conninfo = dbkit_migrated();
    struct db_client client = {.id = "op", .role = DB_ROLE_operator};
    char secret[DB_SECRET_TEXT], token[DB_SECRET_TEXT];
    struct db_session *session = NULL;
    bool known = false;
    FILE *file = NULL;

    if (!conninfo)
        return false;
    snprintf(stage->database, sizeof(stage->database), "%s", conninfo);
    snprintf(stage->key, sizeof(stage->key), "%s/key", dbkit_folder());
    snprintf(stage->out, sizeof(stage->out), "%s/out", dbkit_folder());
    session = dbkit_session(conninfo);
    CU_ASSERT_EQUAL(db_client_create(session, "test", &client, secret, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_token_issue(session, "op", secret, 3600, &known, &client, token, NULL),
                    WALRAS_OK);
    db_session_free(session);
    file = fopen(stage->key, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fprintf(file, "client_id op\nclient_secret %s\n", secret);
    CU_ASSERT_EQUAL(fclose(file), 0);
    servekit_start(&stage->server, stage->database, no_limit);
    servekit_client_init(&stage->client, &stage->server, token);
    return true;
}

static void clear_stage(struct stage *stage)
{
    servekit_client_release(&stage->client);
    CU_ASSERT_EQUAL(servekit_stop(&stage->server), 0);
}

static pid_t start_swarm(struct stage *stage, const char *scenario, const char *market,
                         const char *more)
{
    const char *argv[] = {
        WALRAS_BINARY, "swarm",    "--url", stage->server.url, "--key",   stage->key, "--scenario",
        scenario,      "--market", market,  "--json",          "--quiet", more,       NULL};

    return servekit_spawn(argv, stage->out);
}

static double told(const struct stage *stage, const char *key)
{
    char *text = NULL, *at = NULL;
    size_t size = 0;
    double value = 0.0;

    CU_ASSERT_EQUAL_FATAL(walras_file_read(stage->out, 1 << 20, &text, &size, NULL), WALRAS_OK);
    at = strstr(text, key);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    value = strtod(at + strlen(key), NULL);
    free(text);
    return value;
}

static double objective_in_process(const char *path)
{
    struct scenario_clear_settings settings = scenario_clear_settings_defaults();
    struct scenario scenario = {0};
    struct scenario_clearing *clearing = NULL;
    double objective = 0.0;

    CU_ASSERT_EQUAL_FATAL(scenario_read(path, &scenario, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(scenario_clear(&scenario, &settings, &clearing, NULL), WALRAS_OK);
    objective = scenario_clearing_result(clearing)->certificate->objective;
    scenario_clearing_free(clearing);
    scenario_release(&scenario);
    return objective;
}

static void check_end(const struct stage *stage)
{
    double expected = objective_in_process(scenario_path);

    TESTKIT_CLOSE(told(stage, "\"objective\": "), expected, 2e-4);
    CU_ASSERT_TRUE(told(stage, "\"dual_bound\": ") <= expected * (1.0 + 1e-9));
    CU_ASSERT_TRUE(told(stage, "\"gap\": ") <= 1.0001e-4);
    CU_ASSERT_TRUE(told(stage, "\"rounds\": ") <= 15.0);
    CU_ASSERT_EQUAL(told(stage, "\"remote_agents\": "), 268.0);
}

static void test_it_clears_as_in_process(void)
{
    struct stage stage;

    if (!set_stage(&stage))
        return;
    CU_ASSERT_EQUAL(servekit_end_of(start_swarm(&stage, scenario_path, "m1", NULL)), 0);
    check_end(&stage);
    /* the same agents once more, which are there now, each for itself */
    CU_ASSERT_EQUAL(servekit_end_of(start_swarm(&stage, scenario_path, "m2", "--per-agent")), 0);
    check_end(&stage);
    clear_stage(&stage);
}

/* Until round 3 is open, for at most a minute. */
static void wait_for_round_3(struct stage *stage)
{
    for (int i = 0; i < 60; i++) {
        const struct timespec pause = {.tv_nsec = 100000000};

        if (servekit_call(&stage->client, "GET", "/v1/markets/m1/round?after=2&wait=1", NULL) ==
                200 &&
            strstr(stage->client.body.data, "\"round\": 3"))
            return;
        nanosleep(&pause, NULL);
    }
    CU_FAIL_FATAL("there is no round 3");
}

static void test_the_server_is_killed(void)
{
    struct stage stage;
    char listen[sizeof(stage.server.url)];
    const char *options[] = {"--listen",  listen,      no_limit[0], no_limit[1],
                             no_limit[2], no_limit[3], NULL};
    pid_t child = 0;

    if (!set_stage(&stage))
        return;
    snprintf(listen, sizeof(listen), "%.100s", stage.server.url + strlen("http://"));
    child = start_swarm(&stage, scenario_path, "m1", NULL);
    wait_for_round_3(&stage);
    servekit_kill(&stage.server);
    servekit_start(&stage.server, stage.database, options);
    CU_ASSERT_EQUAL(servekit_end_of(child), 0);
    check_end(&stage);
    clear_stage(&stage);
}

/* A relay that loses the first answer to each of these, as a server does that dies behind them. */
static const char *const lost[] = {"POST /v1/markets HTTP", "POST /v1/markets/m1/open HTTP",
                                   "POST /v1/markets/m1/start HTTP"};
enum { N_LOST = sizeof(lost) / sizeof(lost[0]) };

struct relay {
    pid_t pid;
    int listening;
    char url[64];
    bool *done; /* [N_LOST] shared with its processes: that answer was lost */
};

static int connect_to(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int made = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(made, (const struct sockaddr *)&at, sizeof(at)) != 0)
        _exit(1);
    return made;
}

/* Passes on what comes, until an end hangs up or an answer is to be lost. */
static void relay_connection(const struct relay *relay, int client, int server)
{
    static char data[1 << 16];
    struct pollfd ends[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    bool losing = false;

    while (poll(ends, 2, -1) > 0)
        for (int i = 0; i < 2; i++) {
            ssize_t n = ends[i].revents ? read(ends[i].fd, data, sizeof(data)) : -1;

            if (!ends[i].revents)
                continue;
            if (n <= 0 || (i == 1 && losing))
                return;
            for (int k = 0; i == 0 && k < N_LOST; k++)
                if (!relay->done[k] && strncmp(data, lost[k], strlen(lost[k])) == 0)
                    losing = relay->done[k] = true;
            for (ssize_t sent = 0, more = 0; sent < n; sent += more)
                if ((more = write(ends[1 - i].fd, data + sent, (size_t)(n - sent))) <= 0)
                    return;
        }
}

static void start_relay(struct relay *relay, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof(at);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int zeros = open("/dev/zero", O_RDWR); /* shared by who is forked */

    relay->done = mmap(NULL, N_LOST, PROT_READ | PROT_WRITE, MAP_SHARED, zeros, 0);
    close(zeros);
    relay->listening = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_NOT_EQUAL_FATAL(relay->done, MAP_FAILED);
    CU_ASSERT_EQUAL_FATAL(bind(relay->listening, (const struct sockaddr *)&at, sizeof(at)), 0);
    CU_ASSERT_EQUAL_FATAL(listen(relay->listening, 64), 0);
    CU_ASSERT_EQUAL(getsockname(relay->listening, (struct sockaddr *)&at, &size), 0);
    snprintf(relay->url, sizeof(relay->url), "http://127.0.0.1:%d", ntohs(at.sin_port));
    fflush(stdout);
    relay->pid = fork();
    if (relay->pid != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int client = accept(relay->listening, NULL, NULL);

        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            relay_connection(relay, client, connect_to(port));
            _exit(0);
        }
        close(client);
    }
}

static void stop_relay(struct relay *relay)
{
    kill(relay->pid, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(relay->pid, NULL, 0), relay->pid);
    close(relay->listening);
    munmap(relay->done, N_LOST);
}

/* Two batteries that must be charged, behind buses whose names need quoting in JSON. */
static const char quoted_scenario[] =
    "{\"walras\": 1, \"name\": \"quoted\", \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "
    "\"step_minutes\": 60, \"steps\": 2}, \"grid\": {\"slack\": \"s\", \"buses\": [{\"id\": "
    "\"s\"}, "
    "{\"id\": \"a\\\"b\"}, {\"id\": \"c\\\\d\"}], \"lines\": [{\"id\": \"l1\", \"from\": \"s\", "
    "\"to\": \"a\\\"b\", \"x_pu\": 0.1}, {\"id\": \"l2\", \"from\": \"s\", \"to\": \"c\\\\d\", "
    "\"x_pu\": 0.1}]}, \"supply\": [{\"id\": \"w\", \"bus\": \"s\", \"price_per_mwh\": [50, 80]}], "
    "\"agents\": [{\"id\": \"x\", \"bus\": \"a\\\"b\", \"devices\": [{\"id\": \"bat\", \"type\": "
    "\"battery\", \"capacity_kwh\": 10, \"charge_kw\": 10, \"discharge_kw\": 10, \"start_kwh\": 0, "
    "\"end_min_kwh\": 10}]}, {\"id\": \"y\", \"bus\": \"c\\\\d\", \"devices\": [{\"id\": \"bat\", "
    "\"type\": \"battery\", \"capacity_kwh\": 10, \"charge_kw\": 10, \"discharge_kw\": 10, "
    "\"start_kwh\": 0, \"end_min_kwh\": 10}]}]}";

static void write_scenario(const char *name, const char *text, char path[300])
{
    FILE *file = NULL;

    snprintf(path, 300, "%s/%s.json", dbkit_folder(), name);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* A feeder with an inverter that is left to the server, and a battery that is asked. */
static const char kvar_scenario[] =
    "{\"walras\": 1, \"name\": \"kvar\", \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "
    "\"step_minutes\": 60, \"steps\": 2}, \"grid\": {\"model\": \"lindistflow\", \"base_mva\": 1, "
    "\"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": \"b\", \"v_min_pu\": 0.95}], "
    "\"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"b\", \"r_pu\": 0.05, \"x_pu\": "
    "0.05}]}, "
    "\"supply\": [{\"id\": \"w\", \"bus\": \"s\", \"price_per_mwh\": [50, 60]}], \"agents\": ["
    "{\"id\": \"b\", \"bus\": \"b\", \"devices\": [{\"id\": \"l\", \"type\": \"load\", "
    "\"draw_kw\": "
    "1000}, {\"id\": \"i\", \"type\": \"pv\", \"available_kw\": 10, \"apparent_kva\": 10}, "
    "{\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 500, \"segments\": [[500, 80]]}]}, "
    "{\"id\": \"s\", \"bus\": \"s\", \"devices\": [{\"id\": \"bat\", \"type\": \"battery\", "
    "\"capacity_kwh\": 10, \"charge_kw\": 10, \"discharge_kw\": 0, \"start_kwh\": 0, "
    "\"end_min_kwh\": 10}]}]}";

/*
 * Voltage needs 25 kW or kvar of the feeder (tests/unit/test_feeders.c). At 50 a kvar is worth 30,
 * the inverter gives 8.66 kW and 5 kvar, the generator 11.34; at 60 it is worth 20, and 10 kW are
 * better: 0.98 · 50 + 0.01134 · 80 + 0.975 · 60 + 0.015 · 80, and the battery's 0.01 · 50
 */
static void test_an_inverter_is_left_to_the_server(void)
{
    struct stage stage;
    char path[300];

    if (!set_stage(&stage))
        return;
    write_scenario("kvar", kvar_scenario, path);
    CU_ASSERT_EQUAL(servekit_end_of(start_swarm(&stage, path, "m1", NULL)), 0);
    TESTKIT_CLOSE(told(&stage, "\"objective\": "), 110.10718, 0.012);
    clear_stage(&stage);
}

/* The same with batteries behind the inverter's bus, where kW get dearer in steps. */
static const char congested_scenario[] =
    "{\"walras\": 1, \"name\": \"congested\", \"horizon\": {\"start\": "
    "\"2026-07-01T00:00:00Z\", \"step_minutes\": 60, \"steps\": 4}, \"grid\": {\"model\": "
    "\"lindistflow\", \"base_mva\": 1, \"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": "
    "\"b\", \"v_min_pu\": 0.95}], \"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"b\", "
    "\"r_pu\": 0.05, \"x_pu\": 0.05}]}, \"supply\": [{\"id\": \"w\", \"bus\": \"s\", "
    "\"price_per_mwh\": [50, 60, 40, 70]}], \"agents\": [{\"id\": \"b\", \"bus\": \"b\", "
    "\"devices\": [{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": [1000, 985, 1000, 980]}, "
    "{\"id\": \"i\", \"type\": \"pv\", \"available_kw\": 10, \"apparent_kva\": 10}, {\"id\": "
    "\"g\", \"type\": \"generator\", \"max_kw\": 500, \"segments\": [[12, 80], [14, 100], [474, "
    "300]]}]}, {\"id\": \"c\", \"bus\": \"b\", \"devices\": [{\"id\": \"bat\", \"type\": "
    "\"battery\", \"capacity_kwh\": 12, \"charge_kw\": 5, \"discharge_kw\": 0, \"start_kwh\": 0, "
    "\"end_min_kwh\": 12}]}, {\"id\": \"d\", \"bus\": \"b\", \"devices\": [{\"id\": \"bat\", "
    "\"type\": \"battery\", \"capacity_kwh\": 17, \"charge_kw\": 9, \"discharge_kw\": 0, "
    "\"start_kwh\": 0, \"end_min_kwh\": 17}]}]}";

/* The market has more nodes than buses: an agent's prices of each point are those of its bus. */
static void test_rounds_of_several_points_beside_an_inverter(void)
{
    struct stage stage;
    struct db_session *session = NULL;
    char path[300];

    if (!set_stage(&stage))
        return;
    write_scenario("congested", congested_scenario, path);
    CU_ASSERT_EQUAL(servekit_end_of(start_swarm(&stage, path, "m1", NULL)), 0);
    TESTKIT_CLOSE(told(&stage, "\"objective\": "), objective_in_process(path), 2e-4);
    session = dbkit_session(stage.database);
    CU_ASSERT_STRING_EQUAL(dbkit_value(session, "SELECT max(position) FROM point"), "4");
    db_session_free(session);
    clear_stage(&stage);
}

/* Each charges 10 kWh in the cheap hour: 2 · 0.01 MWh · 50 = 1. */
static void test_answers_get_lost(void)
{
    struct relay relay = {0};
    struct stage stage;
    char path[300];

    if (!set_stage(&stage))
        return;
    write_scenario("quoted", quoted_scenario, path);
    start_relay(&relay, (int)strtol(strrchr(stage.server.url, ':') + 1, NULL, 10));
    snprintf(stage.server.url, sizeof(stage.server.url), "%s", relay.url);
    CU_ASSERT_EQUAL(servekit_end_of(start_swarm(&stage, path, "m1", NULL)), 0);
    TESTKIT_CLOSE(told(&stage, "\"objective\": "), 1.0, 1e-4);
    for (int k = 0; k < N_LOST; k++)
        CU_ASSERT_TRUE(relay.done[k]);
    /* that market is over: nobody plays it again */
    CU_ASSERT_EQUAL(servekit_end_of(start_swarm(&stage, path, "m1", NULL)), 2);
    stop_relay(&relay);
    clear_stage(&stage);
}

static void test_refusals(void)
{
    struct stage stage;
    FILE *file = NULL;

    if (!set_stage(&stage))
        return;
    CU_ASSERT_EQUAL(servekit_end_of(start_swarm(&stage, "nowhere.json", "m1", NULL)), 1);
    CU_ASSERT_EQUAL(servekit_end_of(start_swarm(&stage, scenario_path, "no id", NULL)), 2);
    file = fopen(stage.key, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fprintf(file, "client_id op\nclient_secret wrong\n");
    CU_ASSERT_EQUAL(fclose(file), 0);
    CU_ASSERT_EQUAL(servekit_end_of(start_swarm(&stage, scenario_path, "m1", NULL)), 2);
    clear_stage(&stage);
}

static const struct testkit_test tests[] = {
    {"it clears as in process", test_it_clears_as_in_process},
    {"the server is killed", test_the_server_is_killed},
    {"answers get lost", test_answers_get_lost},
    {"an inverter is left to the server", test_an_inverter_is_left_to_the_server},
    {"rounds of several points beside an inverter",
     test_rounds_of_several_points_beside_an_inverter},
    {"refusals", test_refusals},
};

TESTKIT_MAIN("swarm", tests)
