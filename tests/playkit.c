#include "playkit.h"

#include "core/json.h"
#include "dbkit.h"
#include "scenario/clear.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAIR_MS = 1500 };

double play_limit_kw(const struct play *play)
{
    return 2.5 * (double)play->n;
}

static void call(struct servekit_client *client, const char *method, const char *path,
                 const char *body, long expected)
{
    long status = servekit_call(client, method, path, body);

    if (status != expected)
        printf("%s %s: %ld %.300s\n", method, path, status,
               client->body.data ? client->body.data : "");
    CU_ASSERT_EQUAL_FATAL(status, expected);
}

static void make_agents(struct play *play)
{
    char body[256];

    for (size_t i = 0; i < play->n; i++) {
        struct play_agent *agent = &play->agents[i];

        snprintf(agent->id, sizeof(agent->id), "car-%02zu", i);
        agent->kw = 3.0 + (double)(i % 4);
        agent->kwh = agent->kw * (1.5 + 0.25 * (double)(i % 5));
        snprintf(body, sizeof(body),
                 "{\"id\": \"%s\", \"bus\": \"b\", \"kind\": \"remote\", \"owner\": \"speaker\"}",
                 agent->id);
        call(&play->operator, "POST", "/v1/agents", body, 201);
    }
    call(&play->operator, "POST", "/v1/agents",
         "{\"id\": \"home\", \"bus\": \"b\", \"kind\": \"delegated\", \"devices\": [{\"id\": "
         "\"base\", \"type\": \"load\", \"draw_kw\": [2, 2, 3, 3, 2, 1]}, {\"id\": \"bat\", "
         "\"type\": \"battery\", \"capacity_kwh\": 10, \"charge_kw\": 5, \"discharge_kw\": 5, "
         "\"charge_efficiency\": 0.9, \"start_kwh\": 5, \"end_min_kwh\": 5}]}",
         201);
}

bool play_begin(struct play *play, size_t n)
{
    const char *conninfo = dbkit_migrated();
    char grid[300], operator[DB_SECRET_TEXT], speaker[DB_SECRET_TEXT];

    *play = (struct play){.n = n};
    if (!conninfo)
        return false;
    snprintf(play->database, sizeof(play->database), "%s", conninfo);
    servekit_token(conninfo, "op", DB_ROLE_operator, operator);
    servekit_token(conninfo, "speaker", DB_ROLE_aggregator, speaker);
    servekit_start(&play->server, play->database, NULL);
    servekit_client_init(&play->operator, & play->server, operator);
    servekit_client_init(&play->speaker, &play->server, speaker);
    snprintf(grid, sizeof(grid),
             "{\"slack\": \"a\", \"buses\": [{\"id\": \"a\"}, {\"id\": \"b\"}], \"lines\": "
             "[{\"id\": \"l\", \"from\": \"a\", \"to\": \"b\", \"x_pu\": 0.1, \"limit_kw\": %g}]}",
             play_limit_kw(play));
    call(&play->operator, "PUT", "/v1/grids/g", grid, 201);
    make_agents(play);
    return true;
}

static void call_server(struct play *play)
{
    snprintf(play->operator.base, sizeof(play->operator.base), "%s", play->server.url);
    snprintf(play->speaker.base, sizeof(play->speaker.base), "%s", play->server.url);
}

void play_restart(struct play *play)
{
    servekit_start(&play->server, play->database, NULL);
    call_server(play);
    play->n_restart++;
    if (play->restarted)
        play->restarted(play);
}

void play_pair(struct play *play)
{
    servekit_start(&play->spare, play->database, NULL);
    play->paired = true;
    play->operator.timeout_ms = play->speaker.timeout_ms = PAIR_MS;
}

void play_swap(struct play *play)
{
    struct servekit_server before = play->server;

    play->server = play->spare;
    play->spare = before;
    call_server(play);
}

bool play_leads(const struct servekit_server *server)
{
    struct servekit_client client;
    bool leads = false;

    servekit_client_init(&client, server, "");
    client.timeout_ms = PAIR_MS;
    leads = servekit_call(&client, "GET", "/readyz", NULL) == 200 &&
            strstr(client.body.data, "\"leader\"") != NULL;
    servekit_client_release(&client);
    return leads;
}

void play_replace(struct play *play, pid_t gone)
{
    bool first = play->server.pid == gone;
    int state = 0;

    CU_ASSERT_EQUAL(waitpid(gone, &state, 0), gone);
    servekit_start(first ? &play->server : &play->spare, play->database, NULL);
    call_server(play);
    play->n_restart++;
}

void play_end(struct play *play)
{
    servekit_client_release(&play->operator);
    servekit_client_release(&play->speaker);
    if (play->paired)
        CU_ASSERT_EQUAL(servekit_stop(&play->spare), 0);
    CU_ASSERT_EQUAL(servekit_stop(&play->server), 0);
}

double play_cost(const struct play_agent *agent, const double draw_kw[PLAY_STEPS])
{
    double cost = 0.0;

    for (int t = 0; t < PLAY_STEPS; t++)
        cost += agent->taste_per_mwh[t] * draw_kw[t] / 1000.0;
    return cost;
}

void play_respond(const struct play_agent *agent, const double *price_per_mwh,
                  double draw_kw[PLAY_STEPS])
{
    double left = agent->kwh;

    memset(draw_kw, 0, PLAY_STEPS * sizeof(*draw_kw));
    for (int round = 0; round < PLAY_STEPS && left > 0.0; round++) {
        int best = -1;

        for (int t = 0; t < PLAY_STEPS; t++) {
            double dearer = best < 0 ? 0.0
                                     : price_per_mwh[t] + agent->taste_per_mwh[t] -
                                           price_per_mwh[best] - agent->taste_per_mwh[best];

            if (draw_kw[t] <= 0.0 && (best < 0 || (agent->contrary ? dearer > 0.0 : dearer < 0.0)))
                best = t;
        }
        draw_kw[best] = fmin(agent->kw, left);
        left -= draw_kw[best];
    }
}

void play_open(struct play *play, const char *id, const char *rest)
{
    char body[1024], path[128];

    snprintf(body, sizeof(body),
             "{\"id\": \"%s\", \"grid\": \"g\", \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "
             "\"step_minutes\": 60, \"steps\": %d}, \"supply\": [{\"id\": \"s\", \"bus\": \"a\", "
             "\"price_per_mwh\": [40, 55, 70, 60, 45, 80]}]%s%s}",
             id, PLAY_STEPS, rest[0] ? ", " : "", rest);
    call(&play->operator, "POST", "/v1/markets", body, 201);
    snprintf(path, sizeof(path), "/v1/markets/%s/open", id);
    call(&play->operator, "POST", path, NULL, 200);
}

void play_go(struct play *play, const char *id)
{
    char path[128];

    snprintf(path, sizeof(path), "/v1/markets/%s/participants/home", id);
    call(&play->operator, "PUT", path, "{}", 201);
    snprintf(path, sizeof(path), "/v1/markets/%s/start", id);
    call(&play->operator, "POST", path, NULL, 200);
}

void play_start(struct play *play, const char *id, const char *rest)
{
    char body[128], path[128];

    play_open(play, id, rest);
    for (size_t i = 0; i < play->n; i++) {
        snprintf(path, sizeof(path), "/v1/markets/%s/participants/%s", id, play->agents[i].id);
        snprintf(body, sizeof(body), "{\"fallback_kw\": %.17g}", play->agents[i].kwh / PLAY_STEPS);
        call(&play->speaker, "PUT", path, body, 201);
    }
    play_go(play, id);
}

double play_objective(const struct play *play)
{
    struct scenario_settings reading = scenario_settings_defaults();
    struct scenario_clear_settings settings = scenario_clear_settings_defaults();
    struct scenario scenario = {0};
    struct scenario_clearing *clearing = NULL;
    struct walras_text text;
    double objective = (double)NAN;

    walras_text_init(&text, 1 << 20);
    walras_text_addf(
        &text,
        "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "
        "\"step_minutes\": 60, \"steps\": 6}, \"grid\": {\"slack\": \"a\", \"buses\": "
        "[{\"id\": \"a\"}, {\"id\": \"b\"}], \"lines\": [{\"id\": \"l\", \"from\": "
        "\"a\", \"to\": \"b\", \"x_pu\": 0.1, \"limit_kw\": %g}]}, \"supply\": "
        "[{\"id\": \"s\", \"bus\": \"a\", \"price_per_mwh\": [40, 55, 70, 60, 45, "
        "80]}], \"agents\": [{\"id\": \"home\", \"bus\": \"b\", \"devices\": [{\"id\": "
        "\"base\", \"type\": \"load\", \"draw_kw\": [2, 2, 3, 3, 2, 1]}, {\"id\": "
        "\"bat\", \"type\": \"battery\", \"capacity_kwh\": 10, \"charge_kw\": 5, "
        "\"discharge_kw\": 5, \"charge_efficiency\": 0.9, \"start_kwh\": 5, "
        "\"end_min_kwh\": 5}]}",
        play_limit_kw(play));
    for (size_t i = 0; i < play->n; i++)
        walras_text_addf(&text,
                         ", {\"id\": \"%s\", \"bus\": \"b\", \"devices\": [{\"id\": \"car\", "
                         "\"type\": \"ev\", \"arrive\": 0, \"depart\": 6, \"energy_kwh\": %.17g, "
                         "\"charge_kw\": %.17g}]}",
                         play->agents[i].id, play->agents[i].kwh, play->agents[i].kw);
    walras_text_addf(&text, "]}");
    CU_ASSERT_EQUAL_FATAL(scenario_parse("t", text.data, text.size, &reading, &scenario, NULL),
                          WALRAS_OK);
    settings.market.gap = 1e-6;
    CU_ASSERT_EQUAL_FATAL(scenario_clear(&scenario, &settings, &clearing, NULL), WALRAS_OK);
    objective = scenario_clearing_result(clearing)->certificate->objective;
    scenario_clearing_free(clearing);
    scenario_release(&scenario);
    walras_text_release(&text);
    return objective;
}

struct announced {
    char state[32];
    int64_t round; /* 0: none */
    size_t n_point;
    double prices[16][PLAY_STEPS];
};

static void read_points(const struct walras_json *root, struct announced *found)
{
    struct walras_json points, by_bus, list;

    CU_ASSERT_TRUE_FATAL(walras_json_find(root, "points", &points));
    found->n_point = walras_json_count(&points);
    CU_ASSERT_TRUE_FATAL(found->n_point <= 16);
    for (size_t i = 0; i < found->n_point; i++) {
        struct walras_json point = walras_json_at(&points, i);

        CU_ASSERT_TRUE_FATAL(walras_json_find(&point, "prices_per_mwh_by_bus", &by_bus) &&
                             walras_json_find(&by_bus, "b", &list));
        for (size_t t = 0; t < PLAY_STEPS; t++) {
            struct walras_json at = walras_json_at(&list, t);

            CU_ASSERT_EQUAL(walras_json_number(&at, (struct walras_range){-1e9, 1e9, 0, 0},
                                               &found->prices[i][t], NULL),
                            WALRAS_OK);
        }
    }
}

static void read_announced(const struct walras_text *body, struct announced *found)
{
    struct walras_json_doc *doc = NULL;
    struct walras_json root, node;
    const char *state = NULL;

    *found = (struct announced){0};
    CU_ASSERT_EQUAL_FATAL(walras_json_parse("answer", body->data, body->size, &doc, NULL),
                          WALRAS_OK);
    root = walras_json_root(doc);
    if (walras_json_find(&root, "state", &node) &&
        walras_json_text(&node, 31, &state, NULL) == WALRAS_OK)
        snprintf(found->state, sizeof(found->state), "%s", state);
    if (walras_json_find(&root, "round", &node) && walras_json_is(&node, WALRAS_JSON_INTEGER) &&
        walras_json_integer(&node, 1, 1000000, &found->round, NULL) == WALRAS_OK)
        read_points(&root, found);
    walras_json_free(doc);
}

static bool hides(const struct play_agent *agent, int64_t round)
{
    return agent->hides != 0 && (round % agent->hides == 0) == (agent->hides > 0);
}

static void word_answers(const struct play_agent *agent, const struct announced *round,
                         struct walras_text *out)
{
    for (size_t i = 0; i < round->n_point; i++) {
        double draw[PLAY_STEPS];

        play_respond(agent, round->prices[i], draw);
        walras_text_addf(out, "%s{\"draw_kw\": [", i == 0 ? "" : ", ");
        for (int t = 0; t < PLAY_STEPS; t++)
            walras_text_addf(out, "%s%.17g", t == 0 ? "" : ", ", draw[t]);
        if (hides(agent, round->round))
            walras_text_addf(out, "]}");
        else
            walras_text_addf(out, "], \"cost\": %.17g}", play_cost(agent, draw));
    }
}

static bool answer_batch(struct play *play, const char *id, const struct announced *round)
{
    struct walras_text body;
    char path[128];
    bool first = true;
    long status = 0;

    walras_text_init(&body, 1 << 20);
    walras_text_addf(&body, "{\"responses\": [");
    for (size_t i = 0; i < play->n; i++) {
        if (play->silent[i])
            continue;
        walras_text_addf(&body, "%s{\"agent\": \"%s\", \"answers\": [", first ? "" : ", ",
                         play->agents[i].id);
        word_answers(&play->agents[i], round, &body);
        walras_text_addf(&body, "]}");
        first = false;
    }
    walras_text_addf(&body, "]}");
    snprintf(path, sizeof(path), "/v1/markets/%s/rounds/%lld/responses", id,
             (long long)round->round);
    status = servekit_call(&play->speaker, "POST", path, body.data);
    walras_text_release(&body);
    if (status != 200 && status != 0 && status != 503)
        printf("POST %s: %ld %.400s\n", path, status, play->speaker.body.data);
    CU_ASSERT_TRUE(status == 200 || status == 0 || status == 503);
    return status == 200;
}

static bool answer_singly(struct play *play, const char *id, const struct announced *round)
{
    bool all = true;

    for (size_t i = 0; i < play->n; i++) {
        struct walras_text body;
        char path[160];
        long status = 0;

        if (play->silent[i])
            continue;
        walras_text_init(&body, 1 << 20);
        walras_text_addf(&body, "{\"answers\": [");
        word_answers(&play->agents[i], round, &body);
        walras_text_addf(&body, "]}");
        snprintf(path, sizeof(path), "/v1/markets/%s/rounds/%lld/responses/%s", id,
                 (long long)round->round, play->agents[i].id);
        status = servekit_call(&play->speaker, "PUT", path, body.data);
        walras_text_release(&body);
        if (status != 201 && status != 200 && status != 0 && status != 503)
            printf("PUT %s: %ld %s\n", path, status, play->speaker.body.data);
        CU_ASSERT_TRUE(status == 201 || status == 200 || status == 0 || status == 503);
        all = all && (status == 201 || status == 200);
    }
    return all;
}

/* A server that is gone is started again, as whoever keeps servers running would; of a pair the
 * other is asked, as a load balancer would. */
static void see_to_server(struct play *play)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    int state = 0;

    if (play->paired)
        play_swap(play);
    if (!play->paired && waitpid(play->server.pid, &state, WNOHANG) == play->server.pid)
        play_restart(play);
    else
        nanosleep(&pause, NULL); /* it has no database now: a little later */
}

void play_rounds(struct play *play, const char *id, bool batch)
{
    struct announced round = {0};
    int64_t answered = 0;
    char path[128];

    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof(path), "/v1/markets/%s/round?after=%lld&wait=%d", id,
                 (long long)answered, play->paired ? 1 : 20);
        if (servekit_call(&play->speaker, "GET", path, NULL) != 200) {
            see_to_server(play);
            continue;
        }
        read_announced(&play->speaker.body, &round);
        if (round.round == 0 && strcmp(round.state, "clearing") != 0 &&
            strcmp(round.state, "open") != 0)
            return;
        if (round.round == 0)
            continue;
        if (batch ? answer_batch(play, id, &round) : answer_singly(play, id, &round))
            answered = round.round;
        else
            see_to_server(play);
    }
    CU_FAIL("the market does not end");
}

int64_t play_answer_next(struct play *play, const char *id, const char *path)
{
    struct announced round = {0};

    if (servekit_call(&play->speaker, "GET", path, NULL) == 200)
        read_announced(&play->speaker.body, &round);
    return round.round > 0 && answer_batch(play, id, &round) ? round.round : 0;
}

pid_t play_aside(struct play *play, const char *id, const struct play_share *share)
{
    unsigned before = CU_get_number_of_failures();
    char token[DB_SECRET_TEXT];
    pid_t child = 0;

    fflush(stdout);
    child = fork();
    if (child != 0)
        return child;
    snprintf(token, sizeof(token), "%s", play->speaker.token);
    servekit_client_init(&play->speaker, share->at, token);
    play->paired = false; /* it stays where it is */
    for (size_t i = 0; i < play->n; i++)
        play->silent[i] = play->silent[i] || i % share->parts != share->part;
    play_rounds(play, id, share->batch);
    fflush(stdout);
    _exit(CU_get_number_of_failures() == before ? 0 : 1);
}

const char *play_state(struct play *play, const char *id)
{
    static char state[32];
    char path[128];
    const char *at = NULL;

    snprintf(path, sizeof(path), "/v1/markets/%s", id);
    state[0] = '\0';
    for (int i = 0; i < 10 && servekit_call(&play->operator, "GET", path, NULL) == 503; i++)
        continue; /* the database is coming back */
    if (play->operator.status == 200)
        at = strstr(play->operator.body.data, "\"state\":\"");
    if (at)
        snprintf(state, sizeof(state), "%.*s", (int)strcspn(at + 9, "\""), at + 9);
    return state;
}

int64_t play_count_rounds(const struct play *play, const char *id)
{
    struct db_session *session = dbkit_session(play->database);
    char query[200];
    int64_t n = 0;

    snprintf(query, sizeof(query), "SELECT count(*) FROM round WHERE market = '%s'", id);
    n = strtoll(dbkit_value(session, query), NULL, 10);
    db_session_free(session);
    return n;
}

char *play_outcome(struct play *play, const char *id)
{
    struct walras_text all;
    char path[128];

    walras_text_init(&all, 1 << 24);
    snprintf(path, sizeof(path), "/v1/markets/%s/prices", id);
    CU_ASSERT_EQUAL(servekit_call(&play->operator, "GET", path, NULL), 200);
    walras_text_add(&all, play->operator.body.data, play->operator.body.size);
    for (size_t i = 0; i < play->n; i++) {
        const char *from = NULL;

        snprintf(path, sizeof(path), "/v1/markets/%s/awards/%s", id, play->agents[i].id);
        CU_ASSERT_EQUAL(servekit_call(&play->operator, "GET", path, NULL), 200);
        from = strstr(play->operator.body.data, "\"draw_kw\"");
        CU_ASSERT_PTR_NOT_NULL_FATAL(from);
        walras_text_addf(&all, "\n%s", from);
    }
    return all.data;
}

char *play_calm(struct play *play, bool batch)
{
    play_start(play, "calm", "");
    play_rounds(play, "calm", batch);
    CU_ASSERT_STRING_EQUAL(play_state(play, "calm"), "cleared");
    return play_outcome(play, "calm");
}
