/* Event streams over real HTTP, on a real PostgreSQL. */
#include "core/clock.h"
#include "dbkit.h"
#include "playkit.h"
#include "streamkit.h"
#include "testkit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARKET                                                                                     \
    "{\"id\": \"m1\", \"grid\": \"g\", \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "        \
    "\"step_minutes\": 60, \"steps\": 2}}"
#define EVENTS "/v1/markets/m1/events"

static void move(struct play *play, const char *what)
{
    char path[64];

    snprintf(path, sizeof(path), "/v1/markets/m1/%s", what);
    CU_ASSERT_EQUAL(servekit_call(&play->operator, "POST", path, NULL), 200);
}

static void test_states_are_told_as_they_change(void)
{
    struct play play;
    struct streamkit stream, late;

    if (!play_begin(&play, 1))
        return;
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/markets", MARKET), 201);
    streamkit_open(&stream, &play.speaker, EVENTS, NULL);
    CU_ASSERT_TRUE(streamkit_await(&stream, "event: state\ndata: {\"state\":\"draft\"}\n\n"));
    CU_ASSERT_EQUAL(stream.status, 200);
    move(&play, "open");
    CU_ASSERT_TRUE(streamkit_await(&stream, "{\"state\":\"open\"}\n\n"));
    move(&play, "cancel");
    CU_ASSERT_TRUE(streamkit_await(&stream, "{\"state\":\"cancelled\"}\n\n"));
    CU_ASSERT_TRUE(streamkit_await(&stream, NULL));
    CU_ASSERT_EQUAL(streamkit_count(&stream, "event: "), 3);
    /* who comes again is told that nothing will follow; who has just come, how it ended */
    streamkit_open(&late, &play.speaker, EVENTS, streamkit_last_id(&stream));
    CU_ASSERT_TRUE(streamkit_await(&late, NULL));
    CU_ASSERT_EQUAL(late.status, 204);
    streamkit_close(&late);
    streamkit_open(&late, &play.speaker, EVENTS, NULL);
    CU_ASSERT_TRUE(streamkit_await(&late, NULL));
    CU_ASSERT_EQUAL(streamkit_count(&late, "event: "), 1);
    CU_ASSERT_EQUAL(streamkit_count(&late, "{\"state\":\"cancelled\"}"), 1);
    streamkit_close(&late);
    streamkit_close(&stream);
    play_end(&play);
}

/* Each of rounds 1 … n once, in order, with or without points. */
static void check_rounds(const struct streamkit *stream, size_t n, bool points)
{
    const char *at = stream->text.data;
    char text[96];

    for (size_t round = 1; round <= n; round++) {
        snprintf(text, sizeof(text),
                 "\nevent: round\ndata: {\"state\": \"clearing\", \"round\": %zu,", round);
        CU_ASSERT_EQUAL(streamkit_count(stream, text), 1);
        at = strstr(at, text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        snprintf(text, sizeof(text), "event: closed\ndata: {\"round\"");
        at = strstr(at, text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        CU_ASSERT_EQUAL(strtoul(at + strlen(text) + 1, NULL, 10), round);
    }
    CU_ASSERT_EQUAL(streamkit_count(stream, "event: round"), n);
    CU_ASSERT_EQUAL(streamkit_count(stream, "event: closed"), n);
    CU_ASSERT_EQUAL(streamkit_count(stream, "prices_per_mwh_by_bus"), points ? 5 * (n - 1) + 1 : 0);
}

static size_t count_rounds(struct play *play)
{
    size_t n = 0;

    CU_ASSERT_EQUAL(servekit_call(&play->operator, "GET", "/v1/markets/m1/rounds", NULL), 200);
    for (const char *at = play->operator.body.data; (at = strstr(at, "\"round\"")); at++)
        n++;
    return n;
}

/* What came behind an event, without the rounds, which cannot be answered any more. */
static void expect_tail(struct play *play, const struct streamkit *whole, const char *id)
{
    struct streamkit tail;
    const char *at = NULL;
    char text[64];

    snprintf(text, sizeof(text), "id: %s\n", id);
    at = strstr(whole->text.data, text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    streamkit_open(&tail, &play->speaker, EVENTS, id);
    CU_ASSERT_TRUE(streamkit_await(&tail, NULL));
    CU_ASSERT_EQUAL(tail.status, 200);
    CU_ASSERT_EQUAL(streamkit_count(&tail, "event: round"), 0);
    CU_ASSERT_EQUAL(streamkit_count(&tail, "event: state"), 1);
    for (const char *event = tail.text.data; (event = strstr(event, "id: ")); event++) {
        snprintf(text, sizeof(text), "%.*s\n", (int)strcspn(event, "\n"), event);
        at = strstr(at + 1, text); /* each is there, later than the one before */
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    }
    CU_ASSERT_STRING_EQUAL(streamkit_last_id(&tail), streamkit_last_id(whole));
    streamkit_close(&tail);
}

static void test_a_clearing_is_told_from_start_to_prices(void)
{
    struct play play;
    struct servekit_client other;
    struct streamkit all, mine, none, one;
    char token[DB_SECRET_TEXT];
    size_t n = 0;

    if (!play_begin(&play, PLAY_FEW))
        return;
    servekit_token(play.database, "other", DB_ROLE_agent, token);
    servekit_client_init(&other, &play.server, token);
    play_start(&play, "m1", "\"round_timeout_s\": 600");
    streamkit_open(&all, &play.operator, EVENTS, NULL);
    streamkit_open(&mine, &play.speaker, EVENTS, NULL);
    streamkit_open(&none, &other, EVENTS "?buses=all", NULL);
    streamkit_open(&one, &play.speaker, EVENTS "?agent=car-03", NULL);
    CU_ASSERT_TRUE(streamkit_await(&all, "\"round\": 1,"));
    CU_ASSERT_TRUE(streamkit_await(&mine, "\"round\": 1,"));
    CU_ASSERT_TRUE(streamkit_await(&none, "\"round\": 1,"));
    CU_ASSERT_TRUE(streamkit_await(&one, "\"prices_per_mwh\": ["));
    play_rounds(&play, "m1", true);
    CU_ASSERT_TRUE(streamkit_await(&all, NULL));
    CU_ASSERT_TRUE(streamkit_await(&mine, NULL));
    CU_ASSERT_TRUE(streamkit_await(&none, NULL));
    n = count_rounds(&play);
    CU_ASSERT_TRUE(n > 2);
    check_rounds(&mine, n, true);
    check_rounds(&all, n, false); /* an operator owns no agent here */
    check_rounds(&none, n, false);
    CU_ASSERT_EQUAL(streamkit_count(&mine, "{\"a\":"), 0); /* prices of no other bus */
    CU_ASSERT_EQUAL(streamkit_count(&mine, "event: prices"), 1);
    CU_ASSERT_EQUAL(streamkit_count(&all, "event: prices"), 2);
    CU_ASSERT_EQUAL(streamkit_count(&none, "event: prices"), 2); /* cleared prices are public */
    CU_ASSERT_EQUAL(streamkit_count(&mine, "\"state\":\"cleared\""), 1);
    CU_ASSERT_EQUAL(streamkit_count(&mine, "\"answers\": 12, \"stand_ins\": 0"), n - 1);
    expect_tail(&play, &mine, "2.2.2");
    expect_tail(&play, &mine, "2.2.1");
    /* ids outlive the server */
    CU_ASSERT_EQUAL(servekit_stop(&play.server), 0);
    play_restart(&play);
    expect_tail(&play, &mine, "2.1.2");
    streamkit_close(&all);
    streamkit_close(&mine);
    streamkit_close(&none);
    streamkit_close(&one);
    servekit_client_release(&other);
    play_end(&play);
}

/* The server goes away in the middle of a round; whoever comes back misses nothing. */
static void test_a_stream_goes_on_after_a_crash(void)
{
    struct play play;
    struct streamkit before, after;
    char id[64];

    if (!play_begin(&play, PLAY_FEW))
        return;
    play_start(&play, "m1", "\"round_timeout_s\": 600");
    streamkit_open(&before, &play.speaker, EVENTS, NULL);
    CU_ASSERT_TRUE(streamkit_await(&before, "\"round\": 1,"));
    snprintf(id, sizeof(id), "%s", streamkit_last_id(&before));
    servekit_kill(&play.server);
    CU_ASSERT_TRUE(streamkit_await(&before, NULL));
    play_restart(&play);
    streamkit_open(&after, &play.speaker, EVENTS, id);
    play_rounds(&play, "m1", true);
    CU_ASSERT_TRUE(streamkit_await(&after, NULL));
    CU_ASSERT_EQUAL(streamkit_count(&after, "\"round\": 1, \"remaining_s\""), 0); /* told before */
    CU_ASSERT_EQUAL(streamkit_count(&after, "event: closed"), count_rounds(&play));
    CU_ASSERT_EQUAL(streamkit_count(&after, "\"round\": 2, \"remaining_s\""), 1);
    CU_ASSERT_EQUAL(streamkit_count(&after, "\"state\":\"cleared\""), 1);
    streamkit_close(&before);
    streamkit_close(&after);
    play_end(&play);
}

static void test_who_may_follow_what(void)
{
    struct play play;
    struct servekit_client other, nobody;
    char token[DB_SECRET_TEXT];
    static const struct {
        const char *path, *last_id;
        long mine, other;
    } cases[] = {
        {"/v1/markets/none/events", NULL, 404, 404},
        {EVENTS "?agent=car-00", "x", 422, 422},
        {EVENTS "?agent=nobody", NULL, 404, 404},
        {EVENTS "?agent=home", NULL, 404, 404}, /* the operator's */
        {EVENTS "?buses=some", NULL, 422, 422},
        {EVENTS, "2", 422, 422},
        {EVENTS, "2.1.3", 422, 422},
        {EVENTS, "4.0.0", 422, 422},
        {EVENTS, "2.-1.0", 422, 422},
        {EVENTS, "2.9999999999.1", 422, 422},
        {EVENTS "?agent=car-00", NULL, 200, 404}, /* there, but another client's */
    };

    if (!play_begin(&play, 1))
        return;
    servekit_token(play.database, "other", DB_ROLE_aggregator, token);
    servekit_client_init(&other, &play.server, token);
    servekit_client_init(&nobody, &play.server, "");
    play_start(&play, "m1", "\"round_timeout_s\": 600");
    CU_ASSERT_EQUAL(servekit_call(&nobody, "GET", EVENTS, NULL), 401);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct servekit_client *clients[] = {&play.speaker, &other};
        const long expected[] = {cases[i].mine, cases[i].other};

        for (int c = 0; c < 2; c++) {
            struct streamkit stream;

            streamkit_open(&stream, clients[c], cases[i].path, cases[i].last_id);
            (void)streamkit_await(&stream, expected[c] == 200 ? "\n\n" : NULL);
            if (stream.status != expected[c])
                printf("%s %s: %ld\n", cases[i].path, cases[i].last_id, stream.status);
            CU_ASSERT_EQUAL(stream.status, expected[c]);
            CU_ASSERT_TRUE(c == 0 || !strstr(stream.text.data, "prices_per_mwh"));
            streamkit_close(&stream);
        }
    }
    servekit_client_release(&other);
    servekit_client_release(&nobody);
    play_end(&play);
}

/* A server with options, a market that is a draft, and an observer. */
static bool begin(struct servekit_server *server, const char *const *options,
                  struct servekit_client *operator, struct servekit_client * observer,
                  char database[256])
{
    const char *conninfo = dbkit_migrated();
    char token[DB_SECRET_TEXT];

    if (!conninfo)
        return false;
    snprintf(database, 256, "%s", conninfo);
    servekit_start(server, database, options);
    servekit_token(database, "op", DB_ROLE_operator, token);
    servekit_client_init(operator, server, token);
    servekit_token(database, "eye", DB_ROLE_observer, token);
    servekit_client_init(observer, server, token);
    CU_ASSERT_EQUAL(servekit_call(operator, "PUT", "/v1/grids/g", "{\"copperplate\": true}"), 201);
    CU_ASSERT_EQUAL(servekit_call(operator, "POST", "/v1/markets", MARKET), 201);
    return true;
}

static void end(struct servekit_server *server, struct servekit_client *operator,
                struct servekit_client * observer)
{
    servekit_client_release(operator);
    servekit_client_release(observer);
    CU_ASSERT_EQUAL(servekit_stop(server), 0);
}

/* Comments come while nothing happens, until the token does not count any more. */
static void test_streams_beat_while_they_are_welcome(void)
{
    static const char *const options[] = {"--event-heartbeat", "1", NULL};
    struct servekit_server server;
    struct servekit_client operator, observer;
    struct streamkit stream, again;
    char database[256];

    if (!begin(&server, options, &operator, & observer, database))
        return;
    streamkit_open(&stream, &observer, EVENTS, NULL);
    CU_ASSERT_TRUE(streamkit_await(&stream, "{\"state\":\"draft\"}\n\n:\n\n:\n\n"));

    struct db_session *session = dbkit_session(database);

    CU_ASSERT_EQUAL(db_client_revoke(session, "test", "eye", NULL), WALRAS_OK);
    CU_ASSERT_TRUE(streamkit_await(&stream, NULL));
    CU_ASSERT_EQUAL(streamkit_count(&stream, "event: "), 1);
    streamkit_open(&again, &observer, EVENTS, streamkit_last_id(&stream));
    CU_ASSERT_TRUE(streamkit_await(&again, NULL));
    CU_ASSERT_EQUAL(again.status, 401);
    db_session_free(session);
    streamkit_close(&again);
    streamkit_close(&stream);
    end(&server, &operator, & observer);
}

static void test_streams_have_limits(void)
{
    static const char *const options[] = {
        "--event-heartbeat", "1", "--event-streams", "3", "--event-streams-per-client", "2", NULL};
    struct servekit_server server;
    struct servekit_client operator, observer;
    struct streamkit streams[3], more;
    char database[256];
    long status = 0;

    if (!begin(&server, options, &operator, & observer, database))
        return;
    for (int i = 0; i < 3; i++) {
        streamkit_open(&streams[i], i < 2 ? &observer : &operator, EVENTS, NULL);
        CU_ASSERT_TRUE(streamkit_await(&streams[i], "event: state"));
        if (i == 1) {
            CU_ASSERT_EQUAL(servekit_call(&observer, "GET", EVENTS, NULL), 429);
            CU_ASSERT_TRUE(servekit_has(&observer, "this client has 2 event streams"));
            CU_ASSERT_PTR_NOT_NULL(strstr(observer.headers.data, "Retry-After: "));
        }
    }
    CU_ASSERT_EQUAL(servekit_call(&operator, "GET", EVENTS, NULL), 503);
    CU_ASSERT_TRUE(servekit_has(&operator, "3 event streams are open"));
    CU_ASSERT_EQUAL(servekit_call(&operator, "GET", "/metrics", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&operator, "walras_event_streams 3\n"));
    streamkit_close(&streams[0]); /* its place is free when the next comment cannot be sent */
    for (int i = 0; i < 200 && status != 200; i++) {
        const struct timespec pause = {.tv_nsec = 50000000};

        nanosleep(&pause, NULL);
        streamkit_open(&more, &observer, EVENTS, NULL);
        CU_ASSERT_TRUE(streamkit_await(&more, "tat")); /* "state", or "status": 503 */
        status = more.status;
        streamkit_close(&more);
    }
    CU_ASSERT_EQUAL(status, 200);
    streamkit_close(&streams[1]);
    streamkit_close(&streams[2]);
    end(&server, &operator, & observer);
}

/* A market that is cleared, with far more prices than a socket holds. */
static bool store_prices(const char *database)
{
    struct db_session *session = dbkit_session(database);
    bool stored = dbkit_sql(
        session, "UPDATE market SET state = 'cleared' WHERE id = 'm1'; INSERT INTO price SELECT "
                 "'m1', n, 'bus ' || n, array_fill(50.000000000000014::float8, ARRAY[96]) FROM "
                 "generate_series(0, 1999) AS n");

    db_session_free(session);
    return stored;
}

/* Asks for the stream on a socket that holds little, and reads none of it. */
static int ask_and_sleep(const struct servekit_client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM, 0), size = 4096;
    char request[400];

    CU_ASSERT_TRUE_FATAL(s >= 0);
    address.sin_port = htons((uint16_t)strtoul(strrchr(client->base, ':') + 1, NULL, 10));
    setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    CU_ASSERT_EQUAL_FATAL(connect(s, (const struct sockaddr *)&address, sizeof(address)), 0);
    snprintf(request, sizeof(request),
             "GET " EVENTS " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n",
             client->token);
    CU_ASSERT_TRUE(send(s, request, strlen(request), MSG_NOSIGNAL) > 0);
    return s;
}

static void await_metric(struct servekit_client *client, const char *text)
{
    const struct timespec pause = {.tv_nsec = 100000000};

    for (int i = 0; i < 300; i++) {
        CU_ASSERT_EQUAL(servekit_call(client, "GET", "/metrics", NULL), 200);
        if (strstr(client->body.data, text))
            return;
        nanosleep(&pause, NULL);
    }
    CU_ASSERT_TRUE(servekit_has(client, text));
}

/* One thread answers everybody: whoever does not read is cut, and holds nobody up meanwhile. */
static void test_clients_that_do_not_read_are_dropped(void)
{
    enum { SLOW = 20 };
    static const char *const options[] = {"--event-stall", "2", "--threads", "1", NULL};
    struct servekit_server server;
    struct servekit_client operator, observer;
    struct streamkit stream;
    char database[256], byte;
    int slow[SLOW];

    if (!begin(&server, options, &operator, & observer, database) || !store_prices(database))
        return;
    for (int i = 0; i < SLOW; i++)
        slow[i] = ask_and_sleep(&observer);
    streamkit_open(&stream, &operator, EVENTS, NULL);
    CU_ASSERT_TRUE(streamkit_await(&stream, NULL));
    CU_ASSERT_EQUAL(streamkit_count(&stream, "event: prices"), 2000);
    CU_ASSERT_EQUAL(streamkit_count(&stream, "\"bus 1999\""), 1);
    await_metric(&operator, "walras_connections_cut_total 20\n");
    await_metric(&operator, "walras_event_streams 0\n");
    for (int i = 0; i < SLOW; i++) { /* what was in the socket is all there is */
        size_t n = 0;

        while (recv(slow[i], &byte, 1, MSG_DONTWAIT) > 0 && n < (1u << 22))
            n++;
        CU_ASSERT_TRUE(n < stream.text.size / 4);
        close(slow[i]);
    }
    streamkit_close(&stream);
    end(&server, &operator, & observer);
}

/* Streams wait without threads: one thread serves hundreds, and the server stops with them open. */
static void test_many_streams_one_thread(void)
{
    enum { N = 300 };
    static const char *const options[] = {"--threads", "1", "--event-streams-per-client", "1000",
                                          NULL};
    struct servekit_server server;
    struct servekit_client operator, observer;
    struct streamkit *streams = calloc(N, sizeof(*streams));
    char database[256];

    CU_ASSERT_PTR_NOT_NULL_FATAL(streams);
    if (!begin(&server, options, &operator, & observer, database)) {
        free(streams);
        return;
    }
    for (int i = 0; i < N; i++) {
        streamkit_open(&streams[i], &observer, EVENTS, NULL);
        CU_ASSERT_TRUE(streamkit_await(&streams[i], "\"draft\""));
    }
    CU_ASSERT_EQUAL(servekit_call(&operator, "POST", "/v1/markets/m1/open", NULL), 200);
    for (int i = 0; i < N; i++)
        CU_ASSERT_TRUE(streamkit_await(&streams[i], "\"open\""));
    end(&server, &operator, & observer);
    for (int i = 0; i < N; i++) {
        CU_ASSERT_TRUE(streamkit_await(&streams[i], NULL));
        streamkit_close(&streams[i]);
    }
    free(streams);
}

static const struct testkit_test tests[] = {
    {"states are told as they change", test_states_are_told_as_they_change},
    {"a clearing is told from start to prices", test_a_clearing_is_told_from_start_to_prices},
    {"a stream goes on after a crash", test_a_stream_goes_on_after_a_crash},
    {"who may follow what", test_who_may_follow_what},
    {"streams beat while they are welcome", test_streams_beat_while_they_are_welcome},
    {"streams have limits", test_streams_have_limits},
    {"clients that do not read are dropped", test_clients_that_do_not_read_are_dropped},
    {"many streams, one thread", test_many_streams_one_thread},
};

TESTKIT_MAIN("events", tests)
