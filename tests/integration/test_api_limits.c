/* What a server does with those who ask too often, too slowly, too much; TLS. */
#include "core/clock.h"
#include "dbkit.h"
#include "servekit.h"
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

static bool begin(struct servekit_server *server, const char *const *options, char token[])
{
    const char *conninfo = dbkit_migrated();

    if (!conninfo)
        return false;
    servekit_token(conninfo, "op", DB_ROLE_operator, token);
    servekit_start(server, conninfo, options);
    return true;
}

static void test_too_many_requests(void)
{
    static const char *const options[] = {"--requests-per-second", "0.5", "--request-burst", "4",
                                          NULL};
    struct servekit_server server;
    struct servekit_client client, other;
    char token[DB_SECRET_TEXT];

    if (!begin(&server, options, token))
        return;
    servekit_client_init(&client, &server, token);
    servekit_client_init(&other, &server, "");
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/v1/grids", NULL), 200);
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/v1/grids", NULL), 429);
    CU_ASSERT_PTR_NOT_NULL(strstr(client.headers.data, "Retry-After: 2"));
    CU_ASSERT_EQUAL(servekit_call(&other, "GET", "/metrics", NULL), 200); /* an address, not op */
    CU_ASSERT_TRUE(servekit_has(&other, "walras_requests_limited_total 1"));
    other.token[0] = 'x'; /* guessing tokens is limited as well */
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(servekit_call(&other, "GET", "/v1/grids", NULL), 401);
    CU_ASSERT_EQUAL(servekit_call(&other, "GET", "/v1/grids", NULL), 429);
    servekit_client_release(&client);
    servekit_client_release(&other);
    CU_ASSERT_EQUAL(servekit_stop(&server), 0);
}

static int connect_to(const struct servekit_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_port = htons((uint16_t)strtoul(strrchr(server->url, ':') + 1, NULL, 10));
    if (s >= 0 && connect(s, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return s;
    close(s);
    return -1;
}

/* Sends `text` one byte a tenth of a second until the other side closes; how long that took. */
static double trickle(const struct servekit_server *server, const char *text, double most_s)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    double start_s = walras_monotonic_s();
    int s = connect_to(server);
    struct pollfd input = {.fd = s, .events = POLLIN};
    char byte;

    CU_ASSERT_TRUE_FATAL(s >= 0);
    while (walras_monotonic_s() - start_s < most_s) {
        if (poll(&input, 1, 0) > 0 && recv(s, &byte, 1, MSG_DONTWAIT) <= 0)
            break;
        if (*text && send(s, text, 1, MSG_NOSIGNAL) < 0)
            break;
        text += *text != '\0';
        nanosleep(&pause, NULL);
    }
    close(s);
    return walras_monotonic_s() - start_s;
}

static void test_slow_clients_are_cut_off(void)
{
    static const char *const options[] = {
        "--header-timeout", "2", "--body-timeout", "3", "--idle-timeout", "60", NULL};
    static const char slow_header[] =
        "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct servekit_server server;
    struct servekit_client client;
    char token[DB_SECRET_TEXT], slow_body[400];
    int s = -1;
    double took_s = 0.0;

    if (!begin(&server, options, token))
        return;
    took_s = trickle(&server, slow_header, 12.0);
    CU_ASSERT_TRUE(took_s > 1.5 && took_s < 6.0);

    /* the header comes at once, the body in a trickle */
    s = connect_to(&server);
    CU_ASSERT_TRUE_FATAL(s >= 0);
    snprintf(slow_body, sizeof(slow_body),
             "POST /v1/agents HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: "
             "application/json\r\nContent-Length: 1000\r\n\r\n",
             token);
    CU_ASSERT_TRUE(send(s, slow_body, strlen(slow_body), MSG_NOSIGNAL) > 0);

    struct pollfd input = {.fd = s, .events = POLLIN};
    double start_s = walras_monotonic_s();

    while (walras_monotonic_s() - start_s < 12.0 && poll(&input, 1, 200) == 0 &&
           send(s, " ", 1, MSG_NOSIGNAL) > 0)
        continue;
    took_s = walras_monotonic_s() - start_s;
    CU_ASSERT_TRUE(took_s > 2.5 && took_s < 8.0);
    close(s);

    servekit_client_init(&client, &server, "");
    CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/metrics", NULL), 200);
    CU_ASSERT_TRUE(servekit_has(&client, "walras_connections_cut_total 2"));
    servekit_client_release(&client);
    CU_ASSERT_EQUAL(servekit_stop(&server), 0);
}

static void test_slow_clients_do_not_block_others(void)
{
    enum { N = 300 };
    struct servekit_server server;
    struct servekit_client client;
    char token[DB_SECRET_TEXT];
    int sockets[N];
    double start_s = 0.0;

    if (!begin(&server, NULL, token))
        return;
    for (int i = 0; i < N; i++) {
        sockets[i] = connect_to(&server);
        CU_ASSERT_TRUE(sockets[i] >= 0 && send(sockets[i], "GET /he", 7, MSG_NOSIGNAL) == 7);
    }
    servekit_client_init(&client, &server, token);
    start_s = walras_monotonic_s();
    for (int i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(servekit_call(&client, "GET", "/v1/grids", NULL), 200);
    CU_ASSERT_TRUE(walras_monotonic_s() - start_s < 3.0);
    servekit_client_release(&client);
    CU_ASSERT_EQUAL(servekit_stop(&server), 0); /* with all of them open */
    for (int i = 0; i < N; i++)
        close(sockets[i]);
}

static void test_connections_of_one_address_have_a_limit(void)
{
    static const char *const options[] = {"--connections-per-client", "3", NULL};
    struct servekit_server server;
    char token[DB_SECRET_TEXT], byte;
    int sockets[4], open_ones = 0;

    if (!begin(&server, options, token))
        return;
    for (int i = 0; i < 4; i++) {
        struct pollfd input = {.events = POLLIN};

        sockets[i] = connect_to(&server);
        input.fd = sockets[i];
        open_ones += poll(&input, 1, 500) == 0 || recv(sockets[i], &byte, 1, MSG_DONTWAIT) > 0;
    }
    CU_ASSERT_EQUAL(open_ones, 3);
    for (int i = 0; i < 4; i++)
        close(sockets[i]);
    CU_ASSERT_EQUAL(servekit_stop(&server), 0);
}

static void test_tls(void)
{
    struct servekit_server server;
    char token[DB_SECRET_TEXT], command[600], cert[160], key[160];
    const char *const options[] = {"--tls-cert", cert, "--tls-key", key, NULL};
    FILE *said = NULL;
    char answer[200] = "";

    if (!dbkit_folder())
        return;
    if (access("/usr/bin/curl", X_OK) != 0) {
        testkit_skip("curl is not here");
        return;
    }
    if (!servekit_make_certificate(cert, key))
        return;
    if (!begin(&server, options, token))
        return;
    CU_ASSERT_EQUAL(strncmp(server.url, "https://127.0.0.1:", 18), 0);
    snprintf(command, sizeof(command), "curl -s --cacert %s %s/healthz", cert, server.url);
    said = popen(command, "r");
    CU_ASSERT_TRUE(said && fgets(answer, sizeof(answer), said) && strstr(answer, "ok"));
    pclose(said);
    CU_ASSERT_EQUAL(servekit_stop(&server), 0);
}

static const struct testkit_test tests[] = {
    {"too many requests", test_too_many_requests},
    {"slow clients are cut off", test_slow_clients_are_cut_off},
    {"slow clients do not block others", test_slow_clients_do_not_block_others},
    {"connections of one address have a limit", test_connections_of_one_address_have_a_limit},
    {"TLS", test_tls},
};

TESTKIT_MAIN("api limits", tests)
