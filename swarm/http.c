#include "swarm/http.h"

#include "agents/sdk/transport.h"
#include "agents/sdk/wire.h"
#include "core/clock.h"
#include "core/text.h"

#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const long request_timeout_s = 90; /* a long poll waits for 60 at most */
static const double first_pause_s = 0.05, longest_pause_s = 5.0;
enum { MOST_REPLY = 1 << 30 };

struct slot { /* a request on its way */
    CURL *easy;
    struct curl_slist *headers;
    struct walras_text reply;
    char url[SWARM_PATH + 256];
    size_t index;
    bool busy;
};

struct swarm_http {
    struct swarm_http_settings settings;
    CURLM *multi;
    struct slot *slots; /* [n_connection] */
    char token[256], error[300];
    double pause_s, not_before_s; /* how long is waited after a failure; until when */
    double last_answer_s;
    bool token_ended;
    size_t n_answer;
    /* of the run at hand */
    const struct swarm_work *work;
    size_t *again, n_again, n, next, n_done; /* again [n_connection]: indices to be tried again */
};

static size_t take(char *data, size_t size, size_t n, void *context)
{
    struct walras_text *reply = context;

    walras_text_add(reply, data, size * n);
    return reply->failure == WALRAS_OK ? size * n : 0;
}

static void set_up(struct swarm_http *http, struct slot *slot)
{
    CURL *c = slot->easy;

    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &slot->reply);
    curl_easy_setopt(c, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, request_timeout_s);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "walras-swarm");
    if (http->settings.ca_file)
        curl_easy_setopt(c, CURLOPT_CAINFO, http->settings.ca_file);
}

enum walras_status swarm_http_new(const struct swarm_http_settings *settings,
                                  struct swarm_http **made, struct walras_err *err)
{
    struct swarm_http *http = calloc(1, sizeof(*http));
    unsigned n = settings->n_connection;
    bool good = http != NULL;

    if (!http)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %u connections", n);
    http->settings = *settings;
    http->token_ended = true;
    http->pause_s = first_pause_s;
    good = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    http->multi = curl_multi_init();
    http->slots = calloc(n, sizeof(*http->slots));
    http->again = calloc(n, sizeof(*http->again));
    good = good && http->multi && http->slots && http->again;
    for (unsigned i = 0; good && i < n; i++) {
        walras_text_init(&http->slots[i].reply, MOST_REPLY);
        http->slots[i].easy = curl_easy_init();
        good = http->slots[i].easy != NULL;
        if (good)
            set_up(http, &http->slots[i]);
    }
    if (!good) {
        swarm_http_free(http);
        return walras_fail(err, WALRAS_NOMEM, "no memory for %u connections", n);
    }
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)n);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)n);
    *made = http;
    return WALRAS_OK;
}

static void withdraw(struct swarm_http *http, struct slot *slot)
{
    if (!slot->busy)
        return;
    curl_multi_remove_handle(http->multi, slot->easy);
    curl_slist_free_all(slot->headers);
    slot->headers = NULL;
    slot->busy = false;
}

void swarm_http_free(struct swarm_http *http)
{
    if (!http)
        return;
    for (unsigned i = 0; http->slots && i < http->settings.n_connection; i++) {
        withdraw(http, &http->slots[i]);
        curl_easy_cleanup(http->slots[i].easy);
        walras_text_release(&http->slots[i].reply);
    }
    curl_multi_cleanup(http->multi);
    free(http->slots);
    free(http->again);
    free(http);
}

size_t swarm_http_count(const struct swarm_http *http)
{
    return http->n_answer;
}

static void empty(struct walras_text *text)
{
    text->size = 0;
    text->failure = WALRAS_OK;
}

static enum walras_status give_up(const struct swarm_http *http, struct walras_err *err)
{
    if (atomic_load(http->settings.stop))
        return walras_fail(err, WALRAS_UNAVAILABLE, "stopped as asked");
    return walras_fail(err, WALRAS_UNAVAILABLE, "%s: nothing comes through for %g s: %s",
                       http->settings.url, http->settings.patience_s,
                       http->error[0] ? http->error : "no answer");
}

static bool is_hopeless(const struct swarm_http *http)
{
    return atomic_load(http->settings.stop) ||
           walras_monotonic_s() > http->last_answer_s + http->settings.patience_s;
}

/* The next try is after a pause, longer each time nothing comes through. */
static void back_off(struct swarm_http *http, CURL *easy)
{
    curl_off_t seconds = 0;
    double now_s = walras_monotonic_s();

    if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds < 0)
        seconds = 0;
    if (http->not_before_s > now_s) /* many fail at once: one pause for all */
        return;
    http->not_before_s = now_s + fmax(http->pause_s, fmin((double)seconds, 60.0));
    http->pause_s = fmin(2.0 * http->pause_s, longest_pause_s);
}

static bool is_later(long status)
{
    return status == 0 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

static enum walras_status read_token(struct swarm_http *http, const struct slot *slot, long status,
                                     struct walras_err *err)
{
    char why[200];
    double expires_s = 0.0;

    if (status == 200 && walras_wire_token(slot->reply.data, slot->reply.size, http->token,
                                           sizeof(http->token), &expires_s)) {
        http->token_ended = false;
        return WALRAS_OK;
    }
    walras_wire_problem(slot->reply.data, slot->reply.size, why, sizeof(why));
    return walras_fail(err, WALRAS_INVALID, "%s: %s", http->settings.url, why);
}

/* Nothing else is on its way then. */
static enum walras_status fetch_token(struct swarm_http *http, struct walras_err *err)
{
    struct slot *slot = &http->slots[0];
    long status = 0;

    snprintf(slot->url, sizeof(slot->url), "%s/v1/token", http->settings.url);
    curl_easy_setopt(slot->easy, CURLOPT_URL, slot->url);
    curl_easy_setopt(slot->easy, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE, -1L);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, "grant_type=client_credentials");
    curl_easy_setopt(slot->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(slot->easy, CURLOPT_USERNAME, http->settings.client_id);
    curl_easy_setopt(slot->easy, CURLOPT_PASSWORD, http->settings.client_secret);
    while (is_later(status)) {
        const struct timespec pause = {.tv_nsec = 50000000};
        CURLcode code = CURLE_OK;

        empty(&slot->reply);
        code = curl_easy_perform(slot->easy);
        curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
        if (code != CURLE_OK)
            snprintf(http->error, sizeof(http->error), "%s", curl_easy_strerror(code));
        if (walras_sdk_is_final((int)code))
            return walras_fail(err, WALRAS_INVALID, "%s: %s", http->settings.url, http->error);
        if (is_later(status) && is_hopeless(http))
            return give_up(http, err);
        if (is_later(status))
            nanosleep(&pause, NULL);
    }
    http->last_answer_s = walras_monotonic_s();
    curl_easy_setopt(slot->easy, CURLOPT_USERNAME, NULL);
    curl_easy_setopt(slot->easy, CURLOPT_PASSWORD, NULL);
    return read_token(http, slot, status, err);
}

static enum walras_status begin(struct swarm_http *http, struct slot *slot, size_t index,
                                struct walras_err *err)
{
    struct swarm_request request = {.method = "GET"};
    char bearer[sizeof(http->token) + 32];

    http->work->make(http->work->context, index, &request);
    slot->index = index;
    empty(&slot->reply);
    snprintf(slot->url, sizeof(slot->url), "%s%s", http->settings.url, request.path);
    snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", http->token);
    slot->headers = curl_slist_append(NULL, bearer);
    if (request.body && slot->headers)
        curl_slist_append(slot->headers, "Content-Type: application/json");
    if (request.body && slot->headers) /* no waiting for "100 Continue" */
        curl_slist_append(slot->headers, "Expect:");
    curl_easy_setopt(slot->easy, CURLOPT_URL, slot->url);
    curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, slot->headers);
    curl_easy_setopt(slot->easy, CURLOPT_HTTPGET, 1L);
    if (request.body) {
        curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request.body));
        curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, request.body);
    }
    curl_easy_setopt(slot->easy, CURLOPT_CUSTOMREQUEST, request.method);
    if (!slot->headers || curl_multi_add_handle(http->multi, slot->easy) != CURLM_OK) {
        curl_slist_free_all(slot->headers);
        slot->headers = NULL;
        return walras_fail(err, WALRAS_NOMEM, "no memory for a request");
    }
    slot->busy = true;
    return WALRAS_OK;
}

/* Free connections take what is to be tried again, then what is new. */
static enum walras_status fill(struct swarm_http *http, size_t *n_busy, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    bool wait = walras_monotonic_s() < http->not_before_s || http->token_ended;

    *n_busy = 0;
    for (unsigned i = 0; i < http->settings.n_connection; i++)
        *n_busy += http->slots[i].busy;
    if (*n_busy == 0 && http->token_ended) {
        status = fetch_token(http, err);
        wait = false;
    }
    for (unsigned i = 0; i < http->settings.n_connection && status == WALRAS_OK && !wait; i++) {
        struct slot *slot = &http->slots[i];

        if (slot->busy || (http->n_again == 0 && http->next == http->n))
            continue;
        status =
            begin(http, slot, http->n_again > 0 ? http->again[--http->n_again] : http->next++, err);
        *n_busy += status == WALRAS_OK;
    }
    return status;
}

static enum walras_status finish(struct swarm_http *http, struct slot *slot, CURLcode code,
                                 struct walras_err *err)
{
    long status = 0;

    if (code == CURLE_OK)
        curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
    else
        snprintf(http->error, sizeof(http->error), "%s", curl_easy_strerror(code));
    withdraw(http, slot);
    if (walras_sdk_is_final((int)code))
        return walras_fail(err, WALRAS_INVALID, "%s: %s", slot->url, http->error);
    http->n_answer += status != 0;
    if (is_later(status) || status == 401) {
        http->again[http->n_again++] = slot->index;
        if (status == 401)
            http->token_ended = true;
        else
            back_off(http, slot->easy);
        if (status != 0 && status != 401)
            snprintf(http->error, sizeof(http->error), "status %ld", status);
        return is_hopeless(http) ? give_up(http, err) : WALRAS_OK;
    }
    http->last_answer_s = walras_monotonic_s();
    http->pause_s = first_pause_s;
    http->n_done++;

    struct swarm_reply reply = {status, slot->reply.data ? slot->reply.data : "", slot->reply.size};

    return http->work->done(http->work->context, slot->index, &reply, err);
}

static enum walras_status collect(struct swarm_http *http, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    int left = 0;
    CURLMsg *message = NULL;

    while (status == WALRAS_OK && (message = curl_multi_info_read(http->multi, &left))) {
        struct slot *slot = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
        status = finish(http, slot, message->data.result, err);
    }
    return status;
}

enum walras_status swarm_http_run(struct swarm_http *http, size_t n, const struct swarm_work *work,
                                  struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    http->work = work;
    http->n = n;
    http->next = http->n_again = http->n_done = 0;
    http->last_answer_s = walras_monotonic_s();
    while (status == WALRAS_OK && http->n_done < n) {
        size_t n_busy = 0;
        int running = 0;

        status = fill(http, &n_busy, err);
        if (status == WALRAS_OK && curl_multi_perform(http->multi, &running) != CURLM_OK)
            status =
                walras_fail(err, WALRAS_INTERNAL, "%s: the connections fail", http->settings.url);
        if (status == WALRAS_OK)
            status = collect(http, err);
        if (status == WALRAS_OK && http->n_done < n)
            curl_multi_poll(http->multi, NULL, 0, n_busy > 0 ? 100 : 20, NULL);
        if (status == WALRAS_OK && atomic_load(http->settings.stop))
            status = give_up(http, err);
    }
    for (unsigned i = 0; i < http->settings.n_connection; i++)
        withdraw(http, &http->slots[i]);
    return status;
}
