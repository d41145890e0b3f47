/*
 * What a server is sent by those who mean no good, or know no better: it is refused with its place,
 * and what is in the database is what was there before.
 */
#include "dbkit.h"
#include "playkit.h"
#include "testkit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESPONSE(round, agent) "/v1/markets/m1/rounds/" round "/responses/" agent
#define BATCH                  "/v1/markets/m1/rounds/1/responses"
#define GOOD                   "{\"draw_kw\": [3, 1.5, 0, 0, 0, 0], \"cost\": 0}"
#define ANSWERS(list)          "{\"answers\": [" list "]}"
#define DRAWS(list)            ANSWERS("{\"draw_kw\": [" list "], \"cost\": 0}")

static struct play play;
static struct db_session *session;
static struct walras_text query; /* fingerprint's */

/* A query that gives a line a table with a hash over all its rows. */
static void word_query(void)
{
    char *names = strdup(dbkit_value(
        session, "SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM "
                 "information_schema.tables WHERE table_schema = 'public' AND table_type = "
                 "'BASE TABLE'"));

    walras_text_init(&query, 1 << 16);
    walras_text_addf(&query, "SELECT concat_ws(E'\n'");
    for (char *at = names, *end = NULL; *at; at = end) {
        at += strspn(at, " ");
        end = at + strcspn(at, " ");
        walras_text_addf(&query,
                         ", '%.*s ' || (SELECT md5(coalesce(string_agg(x::text, '|' ORDER BY "
                         "x::text), '')) FROM %.*s x)",
                         (int)(end - at), at, (int)(end - at), at);
    }
    walras_text_addf(&query, ")");
    free(names);
}

/* A market whose first round waits for answers; car-00 has given its own, "spare" is in none. */
static bool begin(void)
{
    if (!play_begin(&play, PLAY_FEW))
        return false;
    play.silent[0] = true;
    play_start(&play, "m1", "\"round_timeout_s\": 600");
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/agents",
                                  "{\"id\": \"spare\", \"bus\": \"b\", \"kind\": \"remote\"}"),
                    201);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "GET", "/v1/markets/m1/round?wait=10", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", RESPONSE("1", "car-00"), ANSWERS(GOOD)),
                    201);
    session = dbkit_session(play.database);
    word_query();
    return true;
}

static void leave(void)
{
    db_session_free(session);
    walras_text_release(&query);
    play_end(&play);
}

static void end(void)
{
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/markets/m1/cancel", NULL), 200);
    leave();
}

/* What is stored, as text that is the same when it is. To be freed. */
static char *fingerprint(void)
{
    const struct db_sql sql = {"fingerprint", query.data};
    char *found = NULL;
    struct db_rows rows = {0};

    CU_ASSERT_EQUAL_FATAL(db_query(session, &sql, NULL, &rows, NULL), WALRAS_OK);
    found = strdup(db_text(&rows, 0, 0));
    db_rows_release(&rows);
    return found;
}

static void check_unchanged(char *before, const char *what)
{
    char *after = fingerprint();

    if (strcmp(before, after) != 0)
        printf("%s changed the database\n%s\n%s\n", what, before, after);
    CU_ASSERT_STRING_EQUAL(before, after);
    free(after);
    free(before);
}

struct fault {
    const char *method, *path, *body;
    long status;
    const char *says; /* in the answer; NULL: anything */
};

static void send_fault(const struct fault *fault)
{
    char *before = fingerprint();
    long status = servekit_call(&play.speaker, fault->method, fault->path, fault->body);

    if (status != fault->status)
        printf("%s %s %.200s: %ld %.300s\n", fault->method, fault->path, fault->body, status,
               play.speaker.body.data);
    CU_ASSERT_EQUAL(status, fault->status);
    CU_ASSERT_PTR_NOT_NULL(strstr(play.speaker.headers.data, "application/problem+json"));
    if (fault->says)
        CU_ASSERT_TRUE(servekit_has(&play.speaker, fault->says));
    check_unchanged(before, fault->body);
}

static void test_answers_that_are_none(void)
{
    static const char path[] = RESPONSE("1", "car-01");
    static const struct fault faults[] = {
        /* no JSON */
        {"PUT", path, "", 400, NULL},
        {"PUT", path, "{\"answers\": [", 400, NULL},
        {"PUT", path, ANSWERS(GOOD) " " ANSWERS(GOOD), 400, NULL},
        {"PUT", path, "\xef\xbb\xbf" ANSWERS(GOOD), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, NaN"), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, Infinity"), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, -Infinity"), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, 1e999"), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, -1e999"), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, 99999999999999999999999999"), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, 0x10"), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, 010"), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, +1"), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, 1."), 400, NULL},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0,"), 400, NULL},
        {"PUT", path, "{\"answers\": [" GOOD "], \"answers\": [" GOOD "]}", 400, NULL},
        {"PUT", path,
         ANSWERS("{\"draw_kw\": [3, 1.5, 0, 0, 0, 0], \"draw_kw\": [0, 0, 0, 0, 0, 0], \"cost\": "
                 "0}"),
         400, NULL},
        {"PUT", path, "{\"answers\": \"\xff\xfe\"}", 400, NULL},
        {"PUT", path, "{\"answers\": \"\\ud800\"}", 400, NULL},
        {"PUT", path, "{\"answers\": \"\\u0000\"}", 400, NULL},
        /* JSON that is no answer */
        {"PUT", path, "[]", 422, "\"pointer\": \"\""},
        {"PUT", path, "{}", 422, "\"pointer\": \"/answers\""},
        {"PUT", path, "{\"answers\": {}}", 422, "\"pointer\": \"/answers\""},
        {"PUT", path, ANSWERS(""), 422, "\"pointer\": \"/answers\""},
        {"PUT", path, ANSWERS(GOOD ", " GOOD), 422, "\"pointer\": \"/answers\""},
        {"PUT", path, ANSWERS("[3, 1.5, 0, 0, 0, 0]"), 422, "\"pointer\": \"/answers/0\""},
        {"PUT", path, DRAWS(""), 422, "\"pointer\": \"/answers/0/draw_kw\""},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0"), 422, "\"pointer\": \"/answers/0/draw_kw\""},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, 0, 0"), 422, "\"pointer\": \"/answers/0/draw_kw\""},
        {"PUT", path, DRAWS("3, 1.5, 0, 0, 0, null"), 422, "\"pointer\": \"/answers/0/draw_kw/5\""},
        {"PUT", path, DRAWS("3, \"1.5\", 0, 0, 0, 0"), 422,
         "\"pointer\": \"/answers/0/draw_kw/1\""},
        {"PUT", path, DRAWS("3, 1.5, [0], 0, 0, 0"), 422, "\"pointer\": \"/answers/0/draw_kw/2\""},
        {"PUT", path, DRAWS("true, 1.5, 0, 0, 0, 0"), 422, "\"pointer\": \"/answers/0/draw_kw/0\""},
        {"PUT", path, DRAWS("1e10, 1.5, 0, 0, 0, 0"), 422, "\"pointer\": \"/answers/0/draw_kw/0\""},
        {"PUT", path, DRAWS("-1e308, 0, 0, 0, 0, 0"), 422, "\"pointer\": \"/answers/0/draw_kw/0\""},
        {"PUT", path, ANSWERS("{\"draw_kw\": [3, 1.5, 0, 0, 0, 0], \"cost\": 1e13}"), 422,
         "\"pointer\": \"/answers/0/cost\""},
        {"PUT", path, ANSWERS("{\"draw_kw\": [3, 1.5, 0, 0, 0, 0], \"cost\": null}"), 422,
         "\"pointer\": \"/answers/0/cost\""},
        {"PUT", path, ANSWERS("{\"draw_kw\": [3, 1.5, 0, 0, 0, 0], \"costs\": 0}"), 422,
         "\"pointer\": \"/answers/0/costs\""},
        {"PUT", path, "{\"answers\": [" GOOD "], \"origin\": \"agent\"}", 422,
         "\"pointer\": \"/origin\""},
    };

    if (!begin())
        return;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        send_fault(&faults[i]);
    end();
}

/* Of another round, agent or market; some of them in a batch whose rest is good. */
static void test_answers_to_what_is_not_asked(void)
{
#define ONE(agent) "{\"agent\": \"" agent "\", \"answers\": [" GOOD "]}"
    static const struct fault faults[] = {
        {"PUT", RESPONSE("2", "car-01"), ANSWERS(GOOD), 404, NULL}, /* too early */
        {"PUT", RESPONSE("0", "car-01"), ANSWERS(GOOD), 404, NULL},
        {"PUT", RESPONSE("-1", "car-01"), ANSWERS(GOOD), 404, NULL},
        {"PUT", RESPONSE("2147483648", "car-01"), ANSWERS(GOOD), 404, NULL},
        {"PUT", RESPONSE("99999999999999999999", "car-01"), ANSWERS(GOOD), 404, NULL},
        {"PUT", RESPONSE("1.0", "car-01"), ANSWERS(GOOD), 404, NULL},
        {"PUT", RESPONSE("1%20", "car-01"), ANSWERS(GOOD), 404, NULL},
        {"PUT", RESPONSE("1%00", "car-01"), ANSWERS(GOOD), 404, NULL},
        {"PUT", RESPONSE("1", "spare"), ANSWERS(GOOD), 404, NULL}, /* another client's */
        {"PUT", RESPONSE("1", "home"), ANSWERS(GOOD), 404, NULL},
        {"PUT", RESPONSE("1", "nobody"), ANSWERS(GOOD), 404, NULL},
        {"PUT", RESPONSE("1", "car-01%27"), ANSWERS(GOOD), 404, NULL},
        {"PUT", RESPONSE("1", "%2e%2e"), ANSWERS(GOOD), 404, NULL},
        {"PUT", "/v1/markets/m2/rounds/1/responses/car-01", ANSWERS(GOOD), 404, NULL},
        {"POST", BATCH, "{\"responses\": []}", 422, "\"pointer\": \"/responses\""},
        {"POST", BATCH, "{\"responses\": [" ONE("car-01") ", {}]}", 422,
         "\"pointer\": \"/responses/1/agent\""},
        {"POST", BATCH, "{\"responses\": [" ONE("car-01") ", " ONE("spare") "]}", 404,
         "\"pointer\": \"/responses/1/agent\""},
        {"POST", BATCH, "{\"responses\": [" ONE("car-01") ", " ONE("home") "]}", 404,
         "\"pointer\": \"/responses/1/agent\""},
        {"POST", BATCH,
         "{\"responses\": [" ONE("car-01") ", {\"agent\": \"car-02\", \"answers\": [{\"draw_kw\": "
                                           "[1, 2], \"cost\": 0}]}]}",
         422, "\"pointer\": \"/responses/1/answers/0/draw_kw\""},
        {"POST", BATCH, "{\"responses\": [" ONE("car-01") ", {\"agent\": 7, \"answers\": []}]}",
         422, "\"pointer\": \"/responses/1/agent\""},
        /* sent again: differs from what is there */
        {"PUT", RESPONSE("1", "car-00"), DRAWS("3, 0, 1.5, 0, 0, 0"), 409, "another answer"},
        {"PUT", RESPONSE("1", "car-00"), ANSWERS("{\"draw_kw\": [3, 1.5, 0, 0, 0, 0]}"), 409,
         "another answer"},
    };
    char *before = NULL;

    if (!begin())
        return;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        send_fault(&faults[i]);
    /* the same in other words, or twice in one batch, is the same */
    before = fingerprint();
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", RESPONSE("1", "car-00"),
                                  "{\"answers\":[{\"cost\":-0.0,\"draw_kw\":[30e-1,15.0E-1,0,0.0,"
                                  "-0,0]}]}\n\n"),
                    200);
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "POST", BATCH,
                                  "{\"responses\": [" ONE("car-00") ", " ONE("car-00") "]}"),
                    200);
    CU_ASSERT_TRUE(servekit_has(&play.speaker,
                                "{\"agent\": \"car-00\", \"status\": 200}, {\"agent\": \"car-00\", "
                                "\"status\": 200}"));
    check_unchanged(before, "the same again");
    end();
}

static long send_list(char open, size_t n, char close)
{
    struct walras_text body;
    long status = 0;

    walras_text_init(&body, 1 << 26);
    walras_text_addf(&body, "{\"answers\": ");
    for (size_t i = 0; i < n; i++)
        walras_text_addf(&body, "%c%s", open, close == ',' ? "1" : "");
    walras_text_addf(&body, "}");
    status = servekit_call(&play.speaker, "PUT", RESPONSE("1", "car-01"), body.data);
    walras_text_release(&body);
    return status;
}

static void test_large_and_deep_bodies(void)
{
    char *before = NULL, *large = NULL;
    size_t size = (4u << 20) + 1;
    struct walras_text body;

    if (!begin())
        return;
    before = fingerprint();
    CU_ASSERT_EQUAL(send_list('[', 100000, ' '), 400);
    CU_ASSERT_TRUE(servekit_has(&play.speaker, "nested deeper"));
    CU_ASSERT_EQUAL(send_list(',', 100, ','), 400);
    walras_text_init(&body, 1 << 26);
    walras_text_addf(&body, "{\"answers\": [{\"cost\": 0, \"draw_kw\": [0");
    for (int i = 0; i < 1000000; i++)
        walras_text_add(&body, ",0", 2);
    walras_text_addf(&body, "]}]}");
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", RESPONSE("1", "car-01"), body.data), 400);
    walras_text_release(&body);
    large = malloc(size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, ' ', size);
    large[size] = '\0';
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", RESPONSE("1", "car-01"), large), 413);
    free(large);
    CU_ASSERT_EQUAL(servekit_call_as(&play.speaker, "PUT", RESPONSE("1", "car-01"), ANSWERS(GOOD),
                                     "text/plain"),
                    415);
    CU_ASSERT_EQUAL(servekit_call_as(&play.speaker, "PUT", RESPONSE("1", "car-01"), ANSWERS(GOOD),
                                     "application/jsonx"),
                    415);
    CU_ASSERT_EQUAL(servekit_call_as(&play.speaker, "PUT", RESPONSE("1", "car-01"), ANSWERS(GOOD),
                                     "application/x-www-form-urlencoded"),
                    415);
    check_unchanged(before, "a large body");
    end();
}

/* Rounds that are over, in any order. */
static void test_answers_that_come_late(void)
{
    char *before = NULL, path[128];

    if (!begin())
        return;
    play.silent[0] = false;
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "POST", "/v1/markets/m1/cancel", NULL), 200);
    play_start(&play, "m2", "");
    play_rounds(&play, "m2", true);
    before = fingerprint();
    for (int round = 4; round >= 1; round--) {
        snprintf(path, sizeof(path), "/v1/markets/m2/rounds/%d/responses/car-03", round);
        CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", path,
                                      round == 1
                                          ? ANSWERS(GOOD)
                                          : ANSWERS(GOOD ", " GOOD ", " GOOD ", " GOOD ", " GOOD)),
                        409);
    }
    CU_ASSERT_EQUAL(servekit_call(&play.speaker, "PUT", RESPONSE("1", "car-04"), ANSWERS(GOOD)),
                    409);
    check_unchanged(before, "a late answer");
    leave();
}

static int connect_to(const struct servekit_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_port = htons((uint16_t)strtoul(strrchr(server->url, ':') + 1, NULL, 10));
    CU_ASSERT_EQUAL_FATAL(connect(s, (const struct sockaddr *)&address, sizeof(address)), 0);
    return s;
}

/* Sends bytes as they are; what comes back until the server closes: false, it does not. */
static bool talk(const struct walras_text *text, struct walras_text *said)
{
    int s = connect_to(&play.server);
    struct pollfd input = {.fd = s, .events = POLLIN};
    char buffer[4096];
    bool closed = false;

    walras_text_init(said, 1 << 20);
    walras_text_add(said, "", 0);
    (void)!send(s, text->data, text->size, MSG_NOSIGNAL);
    while (!closed && poll(&input, 1, 5000) > 0) {
        ssize_t n = recv(s, buffer, sizeof(buffer), 0);

        closed = n <= 0;
        walras_text_add(said, buffer, n > 0 ? (size_t)n : 0);
    }
    close(s);
    return closed;
}

/* The operator's token in place of "$". */
static void word(const char *text, struct walras_text *out)
{
    walras_text_init(out, 1 << 16);
    for (; *text; text++)
        if (*text == '$')
            walras_text_addf(out, "%s", play.operator.token);
        else
            walras_text_add(out, text, 1);
}

static int count(const char *text, const char *what)
{
    int n = 0;

    for (; text && (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

/*
 * Where one request ends is told in two ways, so that servers in a row may differ over it, and what
 * one takes for a body the next one takes for a request.
 */
static void test_requests_in_requests(void)
{
#define HEAD                                                                                       \
    "PUT " RESPONSE("1", "car-01") " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
#define AUTH     "Authorization: Bearer $\r\n"
#define SMUGGLED "DELETE /v1/agents/spare HTTP/1.1\r\nHost: a\r\n" AUTH "\r\n"
    static const char *const texts[] = {
        HEAD AUTH "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}   " SMUGGLED,
        HEAD AUTH "Content-Length: 2, 60\r\n\r\n{}" SMUGGLED,
        HEAD AUTH "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
        HEAD AUTH "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" SMUGGLED,
        HEAD AUTH "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SMUGGLED,
        HEAD AUTH "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" SMUGGLED,
        HEAD AUTH "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}" SMUGGLED,
        HEAD AUTH "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" SMUGGLED,
        HEAD AUTH "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}" SMUGGLED,
        HEAD AUTH "Content-Length : 2\r\n\r\n{}" SMUGGLED,
        HEAD AUTH "Content-Length: -1\r\n\r\n{}" SMUGGLED,
        HEAD AUTH "Content-Length: +2\r\n\r\n{}" SMUGGLED,
        HEAD AUTH "Content-Length: 0x2\r\n\r\n{}" SMUGGLED,
        HEAD AUTH "Content-Length: 2 2\r\n\r\n{}" SMUGGLED,
        HEAD AUTH "Content-Length:\r\n\r\n" SMUGGLED,
        HEAD AUTH "Content-Length: 99999999999999999999999\r\n\r\n{}" SMUGGLED,
        HEAD AUTH "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" SMUGGLED,
        HEAD AUTH "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n" SMUGGLED,
        HEAD AUTH
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n" SMUGGLED,
        HEAD AUTH "Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n" SMUGGLED,
        "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n" SMUGGLED,
        "GET /healthz HTTP/1.1 \r\nHost: a\r\nHost: b\r\nContent-Length: 3\r\n\r\n" SMUGGLED,
    };

    if (!begin())
        return;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *before = fingerprint();
        struct walras_text text, said;

        word(texts[i], &text);
        CU_ASSERT_TRUE(talk(&text, &said));
        CU_ASSERT_TRUE(count(said.data, "HTTP/1.1 2") == 0);
        check_unchanged(before, texts[i]);
        walras_text_release(&text);
        walras_text_release(&said);
    }
    CU_ASSERT_EQUAL(servekit_call(&play.operator, "GET", "/v1/agents/spare", NULL), 200);
    end();
}

static const struct testkit_test tests[] = {
    {"answers that are none", test_answers_that_are_none},
    {"answers to what is not asked", test_answers_to_what_is_not_asked},
    {"large and deep bodies", test_large_and_deep_bodies},
    {"answers that come late", test_answers_that_come_late},
    {"requests in requests", test_requests_in_requests},
};

TESTKIT_MAIN("hostile", tests)
