/*
 * Answers of agents to a round, as fast as a server takes them or at a steady rate.
 *
 *     bench_load URL call KEY-FILE METHOD PATH [BODY]       one request, its answer printed
 *     bench_load URL token KEY-FILE                         a token, printed
 *     bench_load URL again KEY-FILE MARKET ROUND FIRST COUNT AGENTS STEPS CONNECTIONS
 *     bench_load URL answers KEY-FILE MARKET ROUND FIRST COUNT POINTS STEPS BATCH
 *                    CONNECTIONS PER-SECOND
 *
 * Answers are of agents from number FIRST on, BATCH to a request (1: each by itself); PER-SECOND
 * requests, 0: as many as are answered. "again": COUNT of one point each, of AGENTS in turn, so
 * that most are there already. The token comes from URL; KEY-FILE "-": none is needed. Prints
 * answers a second, p50 and p99 in ms.
 */
#include "core/text.h"
#include "load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY = 1 << 20, BODY = 1 << 26 };

enum { VARIANTS = 64 };

struct answers {
    const char *market, *token;
    size_t round, first, n_agent, n_point, n_step, batch; /* n_agent 0: no end of them */
    struct walras_text variants[VARIANTS];                /* lists of answers; agents take turns */
    struct walras_text body;
};

/* Numbers of the length that solvers give. */
static void make_variants(struct answers *a)
{
    for (size_t v = 0; v < VARIANTS; v++) {
        struct walras_text *text = &a->variants[v];

        walras_text_init(text, REPLY);
        for (size_t p = 0; p < a->n_point; p++) {
            walras_text_addf(text, "%s{\"draw_kw\":", p ? "," : "[");
            for (size_t t = 0; t < a->n_step; t++)
                walras_text_addf(text, "%s%.15g", t ? "," : "[",
                                 3.7 * fabs(sin((double)(v * 97 + p * 31 + t))));
            walras_text_addf(text, "],\"cost\":0.125}");
        }
        walras_text_addf(text, "]");
    }
    walras_text_init(&a->body, BODY);
}

static void release_variants(struct answers *a)
{
    for (size_t v = 0; v < VARIANTS; v++)
        walras_text_release(&a->variants[v]);
    walras_text_release(&a->body);
}

static void put_variant(struct answers *a, size_t agent)
{
    const struct walras_text *variant = &a->variants[agent % VARIANTS];

    walras_text_add(&a->body, variant->data, variant->size);
}

static size_t word(void *context, size_t i, char *text, size_t room)
{
    struct answers *a = context;
    size_t agent = a->first + (a->n_agent > 0 ? i % a->n_agent : i * a->batch);
    char id[32] = "";

    a->body.size = 0;
    if (a->batch == 1) {
        snprintf(id, sizeof(id), "/a%06zu", agent);
        walras_text_addf(&a->body, "{\"answers\":");
        put_variant(a, agent);
        walras_text_addf(&a->body, "}");
    } else {
        for (size_t k = 0; k < a->batch; k++) {
            walras_text_addf(&a->body,
                             "%s{\"agent\":\"a%06zu\",\"answers\":", k ? "," : "{\"responses\":[",
                             agent + k);
            put_variant(a, agent + k);
            walras_text_addf(&a->body, "}");
        }
        walras_text_addf(&a->body, "]}");
    }
    return (size_t)snprintf(text, room,
                            "%s /v1/markets/%s/rounds/%zu/responses%s HTTP/1.1\r\nHost: "
                            "bench\r\nAuthorization: Bearer %s\r\nContent-Type: "
                            "application/json\r\nContent-Length: %zu\r\n\r\n%s",
                            a->batch == 1 ? "PUT" : "POST", a->market, a->round, id, a->token,
                            a->body.size, a->body.data);
}

/* The text between quotes behind `before`, into out. */
static bool text_behind(const char *text, const char *before, char *out, size_t room)
{
    const char *at = strstr(text, before);

    if (!at)
        return false;
    snprintf(out, room, "%.*s", (int)strcspn(at + strlen(before), "\" \n"), at + strlen(before));
    return true;
}

static bool fetch_token(const struct load_address *address, const char *path, char token[256])
{
    char key[4096] = "", id[128], secret[128], body[512], request[1024];
    char *reply = malloc(REPLY);
    FILE *file = fopen(path, "r");
    int size = 0;
    bool good = file && reply;

    if (good)
        key[fread(key, 1, sizeof(key) - 1, file)] = '\0';
    if (file)
        fclose(file);
    good = good && text_behind(key, "client_id      ", id, sizeof(id)) &&
           text_behind(key, "client_secret  ", secret, sizeof(secret));
    if (good) {
        snprintf(body, sizeof(body), "grant_type=client_credentials&client_id=%s&client_secret=%s",
                 id, secret);
        size = snprintf(request, sizeof(request),
                        "POST /v1/token HTTP/1.1\r\nHost: bench\r\nContent-Type: "
                        "application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
                        strlen(body), body);
        good = load_call(address, request, (size_t)size, reply, REPLY) == 200 &&
               text_behind(reply, "\"access_token\": \"", token, 256);
    }
    if (!good)
        fprintf(stderr, "no token: %s\n", reply ? reply : "");
    free(reply);
    return good;
}

static int call(const struct load_address *address, const char *token, int argc, char **argv)
{
    const char *body = argc > 2 ? argv[2] : "";
    static char request[REPLY], reply[REPLY];
    int size = 0;
    long status = 0;

    if (argc < 2)
        return 2;
    size = snprintf(request, sizeof(request),
                    "%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: "
                    "application/json\r\nContent-Length: %zu\r\n\r\n%s",
                    argv[0], argv[1], token, strlen(body), body);
    status = load_call(address, request, (size_t)size, reply, sizeof(reply));
    printf("%ld %s\n", status, reply);
    return status >= 200 && status < 300 ? 0 : 1;
}

static int run_plan(const struct load_plan *plan, struct answers *answers)
{
    struct load_report report;
    bool good = false;

    make_variants(answers);
    good = load_run(plan, &report);
    release_variants(answers);
    if (!good)
        return 1;
    if (report.n_bad > 0)
        fprintf(stderr, "%zu requests were not answered with %ld but with %ld\n", report.n_bad,
                plan->good, report.bad_status);
    printf("%.0f %.2f %.2f\n", (double)(report.n_good * answers->batch) / report.seconds,
           report.p50_ms, report.p99_ms);
    return report.n_bad > 0;
}

static int send_again(const struct load_address *address, const char *token, int argc, char **argv)
{
    if (argc != 7)
        return 2;
    struct answers answers = {.market = argv[0],
                              .token = token,
                              .round = strtoull(argv[1], NULL, 10),
                              .first = strtoull(argv[2], NULL, 10),
                              .n_agent = strtoull(argv[4], NULL, 10),
                              .n_point = 1,
                              .n_step = strtoull(argv[5], NULL, 10),
                              .batch = 1};
    struct load_plan plan = {.address = *address,
                             .n_connection = strtoull(argv[6], NULL, 10),
                             .n_request = strtoull(argv[3], NULL, 10),
                             .limit_s = 120.0,
                             .word = word,
                             .context = &answers,
                             .room = 4096 + 128 + 24 * answers.n_step,
                             .good = 200,
                             .also_good = 201};

    return run_plan(&plan, &answers);
}

static int send_answers(const struct load_address *address, const char *token, int argc,
                        char **argv)
{
    if (argc != 9)
        return 2;
    struct answers answers = {.market = argv[0],
                              .token = token,
                              .round = strtoull(argv[1], NULL, 10),
                              .first = strtoull(argv[2], NULL, 10),
                              .n_point = strtoull(argv[4], NULL, 10),
                              .n_step = strtoull(argv[5], NULL, 10),
                              .batch = strtoull(argv[6], NULL, 10)};
    struct load_plan plan = {
        .address = *address,
        .n_connection = strtoull(argv[7], NULL, 10),
        .n_request = strtoull(argv[3], NULL, 10) / answers.batch,
        .per_s = strtod(argv[8], NULL),
        .limit_s = 120.0,
        .word = word,
        .context = &answers,
        .room = 4096 + answers.batch * (128 + answers.n_point * (64 + 24 * answers.n_step)),
        .good = answers.batch == 1 ? 201 : 200};

    return run_plan(&plan, &answers);
}

int main(int argc, char **argv)
{
    struct load_address address;
    char token[256] = "none";

    if (argc < 4 || !load_address_of(argv[1], &address)) {
        fprintf(stderr, "usage: bench_load URL call|token|again|answers KEY-FILE ...\n");
        return 2;
    }
    if (strcmp(argv[3], "-") != 0 && !fetch_token(&address, argv[3], token))
        return 1;
    if (strcmp(argv[2], "token") == 0)
        return printf("%s\n", token) > 0 ? 0 : 1;
    if (strcmp(argv[2], "again") == 0)
        return send_again(&address, token, argc - 4, argv + 4);
    return strcmp(argv[2], "call") == 0 ? call(&address, token, argc - 4, argv + 4)
                                        : send_answers(&address, token, argc - 4, argv + 4);
}
