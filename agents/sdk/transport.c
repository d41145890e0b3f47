#include "agents/sdk/transport.h"
#include "agents/sdk/wire.h"

#include <curl/curl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_REPLY = 256 * 1024 * 1024 };

static const double first_pause_s = 0.1, longest_pause_s = 10.0;
static const long request_timeout_s = 90; /* a long poll waits for 60 at most */
static const double renew_before_s = 10.0;

struct walras_sdk_transport {
    CURL *curl;
    const atomic_bool *stop;
    char *url, *client_id, *client_secret;
    void (*log)(void *context, const char *line);
    void *context;
    char token[256];
    double token_until_s;
    char *body;
    size_t size, capacity;
    double retry_after_s;
    unsigned long long random;
    char error[400];
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* From 0 to 1, so that many agents do not come back all at once (xorshift64). */
static double jitter(struct walras_sdk_transport *t)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 7;
    t->random ^= t->random << 17;
    return (double)(t->random >> 11) / 9007199254740992.0;
}

static size_t take_body(char *data, size_t size, size_t n, void *context)
{
    struct walras_sdk_transport *t = context;
    size_t bytes = size * n, wanted = t->size + bytes + 1;

    if (wanted > MOST_REPLY)
        return 0;
    if (wanted > t->capacity) {
        char *larger = realloc(t->body, 2 * wanted);

        if (!larger)
            return 0;
        t->body = larger;
        t->capacity = 2 * wanted;
    }
    memcpy(t->body + t->size, data, bytes);
    t->size += bytes;
    t->body[t->size] = '\0';
    return bytes;
}

static int look_up(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct walras_sdk_transport *t = context;

    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(t->stop) ? 1 : 0;
}

static char *copy_text(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = malloc(n);

    return copy ? memcpy(copy, text, n) : NULL;
}

static void set_up(struct walras_sdk_transport *t, const char *ca_file)
{
    CURL *c = t->curl;

    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_up);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, request_timeout_s);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "libwalras-agent/1.0");
    if (ca_file)
        curl_easy_setopt(c, CURLOPT_CAINFO, ca_file);
}

int walras_sdk_transport_new(const struct walras_agent_settings *settings, const atomic_bool *stop,
                             struct walras_sdk_transport **made)
{
    struct walras_sdk_transport *t = calloc(1, sizeof(*t));
    size_t n = strlen(settings->url);

    if (!t)
        return WALRAS_AGENT_NO_MEMORY;
    t->stop = stop;
    t->log = settings->log;
    t->context = settings->context;
    t->random =
        (unsigned long long)(now_s() * 1e9) ^ (unsigned long long)(size_t)t ^ 88172645463325252ULL;
    t->url = copy_text(settings->url);
    t->client_id = copy_text(settings->client_id);
    t->client_secret = copy_text(settings->client_secret);
    t->curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    if (!t->url || !t->client_id || !t->client_secret || !t->curl) {
        walras_sdk_transport_free(t);
        return WALRAS_AGENT_NO_MEMORY;
    }
    while (n > 0 && t->url[n - 1] == '/')
        t->url[--n] = '\0';
    set_up(t, settings->ca_file);
    *made = t;
    return WALRAS_AGENT_OK;
}

void walras_sdk_transport_free(struct walras_sdk_transport *t)
{
    if (!t)
        return;
    curl_easy_cleanup(t->curl);
    free(t->url);
    free(t->client_id);
    free(t->client_secret);
    free(t->body);
    free(t);
}

const char *walras_sdk_transport_error(const struct walras_sdk_transport *t)
{
    return t->error;
}

void walras_sdk_log(struct walras_sdk_transport *t, const char *format, ...)
{
    char line[500];
    va_list args;

    if (!t->log)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    t->log(t->context, line);
}

bool walras_sdk_is_final(int curl_code)
{
    switch ((CURLcode)curl_code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_NOTFOUND:
        return true;
    default:
        return false;
    }
}

static void read_retry_after(struct walras_sdk_transport *t)
{
    curl_off_t seconds = 0;

    t->retry_after_s = 0.0;
    if (curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
        t->retry_after_s = seconds < 3600 ? (double)seconds : 3600.0;
}

/* One try. *status 0: nothing came back, and it may be tried again. */
static int perform(struct walras_sdk_transport *t, const char *method, const char *path,
                   const char *body, struct curl_slist *headers, long *status)
{
    char detail[CURL_ERROR_SIZE] = "";
    size_t size = strlen(t->url) + strlen(path) + 1;
    char *url = malloc(size);
    CURLcode code = CURLE_OUT_OF_MEMORY;

    *status = 0;
    t->size = 0;
    if (!url)
        return WALRAS_AGENT_NO_MEMORY;
    snprintf(url, size, "%s%s", t->url, path);
    curl_easy_setopt(t->curl, CURLOPT_URL, url);
    curl_easy_setopt(t->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, detail);
    if (body) {
        curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, body);
    } else {
        curl_easy_setopt(t->curl, CURLOPT_HTTPGET, 1L);
    }
    code = curl_easy_perform(t->curl);
    curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, NULL);
    free(url);
    if (atomic_load(t->stop))
        return WALRAS_AGENT_STOPPED;
    if (code == CURLE_OK) {
        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, status);
        read_retry_after(t);
        return WALRAS_AGENT_OK;
    }
    t->retry_after_s = 0.0;
    snprintf(t->error, sizeof(t->error), "%s: %s", t->url,
             detail[0] ? detail : curl_easy_strerror(code));
    if (walras_sdk_is_final((int)code))
        return WALRAS_AGENT_INVALID;
    walras_sdk_log(t, "%s", t->error);
    return WALRAS_AGENT_OK;
}

static bool is_later(long status)
{
    return status == 0 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* In short turns, so that stopping is noticed. */
int walras_sdk_pause(struct walras_sdk_transport *t, double seconds)
{
    double until_s = now_s() + seconds;
    const struct timespec turn = {.tv_nsec = 50000000};

    while (now_s() < until_s && !atomic_load(t->stop))
        nanosleep(&turn, NULL);
    return atomic_load(t->stop) ? WALRAS_AGENT_STOPPED : WALRAS_AGENT_OK;
}

static int wait_a_while(struct walras_sdk_transport *t, double *pause_s)
{
    double wait_s = fmax(t->retry_after_s, *pause_s * (0.5 + 0.5 * jitter(t)));

    *pause_s = fmin(2.0 * *pause_s, longest_pause_s);
    return walras_sdk_pause(t, wait_s);
}

static int try_until(struct walras_sdk_transport *t, const char *method, const char *path,
                     const char *body, struct curl_slist *headers, long *status)
{
    double pause_s = first_pause_s;
    int result = perform(t, method, path, body, headers, status);

    while (result == WALRAS_AGENT_OK && is_later(*status)) {
        if (*status != 0)
            walras_sdk_log(t, "%s %s: status %ld, trying again", method, path, *status);
        result = wait_a_while(t, &pause_s);
        if (result == WALRAS_AGENT_OK)
            result = perform(t, method, path, body, headers, status);
    }
    return result;
}

static int fetch_token(struct walras_sdk_transport *t)
{
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/x-www-form-urlencoded");
    double expires_s = 0.0;
    long status = 0;
    int result = headers ? WALRAS_AGENT_OK : WALRAS_AGENT_NO_MEMORY;

    curl_easy_setopt(t->curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(t->curl, CURLOPT_USERNAME, t->client_id);
    curl_easy_setopt(t->curl, CURLOPT_PASSWORD, t->client_secret);
    if (result == WALRAS_AGENT_OK)
        result =
            try_until(t, "POST", "/v1/token", "grant_type=client_credentials", headers, &status);
    curl_easy_setopt(t->curl, CURLOPT_USERNAME, NULL);
    curl_easy_setopt(t->curl, CURLOPT_PASSWORD, NULL);
    curl_slist_free_all(headers);
    if (result != WALRAS_AGENT_OK)
        return result;
    if (status == 200 &&
        walras_wire_token(t->body, t->size, t->token, sizeof(t->token), &expires_s)) {
        t->token_until_s = now_s() + fmax(expires_s - renew_before_s, 0.5 * expires_s);
        return WALRAS_AGENT_OK;
    }
    walras_wire_problem(t->body, t->size, t->error, sizeof(t->error));
    return WALRAS_AGENT_REFUSED;
}

static struct curl_slist *make_headers(const struct walras_sdk_transport *t, const char *body)
{
    char bearer[sizeof(t->token) + 32];
    struct curl_slist *headers = NULL, *longer = NULL;

    snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", t->token);
    headers = curl_slist_append(NULL, bearer);
    longer =
        headers && body ? curl_slist_append(headers, "Content-Type: application/json") : headers;
    if (!longer)
        curl_slist_free_all(headers);
    return longer;
}

/* With the token that there is. */
static int request_once(struct walras_sdk_transport *t, const char *method, const char *path,
                        const char *body, long *status)
{
    int result = WALRAS_AGENT_OK;

    if (now_s() >= t->token_until_s)
        result = fetch_token(t);
    if (result != WALRAS_AGENT_OK)
        return result;

    struct curl_slist *headers = make_headers(t, body);

    if (!headers)
        return WALRAS_AGENT_NO_MEMORY;
    result = try_until(t, method, path, body, headers, status);
    curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return result;
}

int walras_sdk_request(struct walras_sdk_transport *t, const char *method, const char *path,
                       const char *body, struct walras_sdk_reply *out)
{
    long status = 0;
    int result = request_once(t, method, path, body, &status);

    if (result == WALRAS_AGENT_OK && status == 401) { /* it has ended early, or was revoked */
        t->token_until_s = 0.0;
        result = request_once(t, method, path, body, &status);
    }
    *out = (struct walras_sdk_reply){status, t->body ? t->body : "", t->size};
    return result;
}
