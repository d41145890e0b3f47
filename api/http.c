/* From MHD's callbacks to handlers and back. */
#include "api/http.h"

#include "api/answers.h"
#include "api/api_internal.h"
#include "api/framing.h"
#include "core/clock.h"
#include "core/log.h"

#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REQUEST_OF(member, pointer)                                                                \
    ((struct api_request *)(void *)((char *)(pointer)-offsetof(struct api_request, member)))

struct api_watched *api_http_watched(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

void api_http_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                         enum MHD_ConnectionNotificationCode code)
{
    struct api_server *server = context;
    const union MHD_ConnectionInfo *info = NULL;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = info ? api_watch_add(server->watch, info->connect_fd) : NULL;
        server->metrics.connections++;
        server->metrics.opened++;
    } else {
        api_watch_remove(server->watch, *socket_context);
        *socket_context = NULL;
        server->metrics.connections--;
    }
}

void api_request_release(struct api_request *request)
{
    if (request->stream)
        fclose(request->stream);
    api_events_free(request);
    for (size_t i = 0; i < request->answers.n; i++)
        api_answer_release(&request->answers.list[i]);
    free(request->answers.list);
    walras_json_free(request->doc);
    free(request->answer);
    free(request->body);
}

/* For the log, where blanks and quotes part things. */
static void printable(char *text)
{
    for (char *c = text; *c; c++)
        *c = *c <= ' ' || *c > '~' || *c == '"' ? '?' : *c;
}

static struct api_request *request_new(struct api_server *server, struct MHD_Connection *connection,
                                       const char *method, const char *path)
{
    struct api_request *request = calloc(1, sizeof(*request));

    if (!request)
        return NULL;
    server->n_request++;
    request->server = server;
    request->connection = connection;
    snprintf(request->method, sizeof(request->method), "%s", method);
    request->started_s = walras_monotonic_s();
    request->route_index = API_MAX_ROUTES;
    snprintf(request->path, sizeof(request->path), "%s", path);
    printable(request->method);
    printable(request->path);
    return request;
}

static void address_of(const struct api_request *request, char *text, size_t size)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    socklen_t length = address && address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                 : sizeof(struct sockaddr_in);

    if (!address || getnameinfo(address, length, text, (socklen_t)size, NULL, 0, NI_NUMERICHOST))
        snprintf(text, size, "unknown");
}

static bool refuse_rate(struct api_request *request, double wait_s)
{
    request->server->metrics.limited++;
    request->retry_after_s = (unsigned)ceil(wait_s);
    (void)api_refuse(request, MHD_HTTP_TOO_MANY_REQUESTS, "too many requests: at most %g a second",
                     request->server->settings.requests_per_s);
    return false;
}

/*
 * Who asks, and whether too often: counted by client where there is a token that counts, by address
 * where there is none. Tokens that do not count are looked up as often as the address may ask.
 */
static bool authorise(struct api_request *request)
{
    struct api_rate *rate = request->server->rate;
    char address[80], client[96];
    double now_s = walras_monotonic_s(), wait_s = 0.0;

    address_of(request, address, sizeof(address));
    if (!request->route->roles)
        return api_rate_take(rate, address, now_s, &wait_s) || refuse_rate(request, wait_s);
    if (!api_rate_look(rate, address, now_s, &wait_s))
        return refuse_rate(request, wait_s);
    if (!api_authorise(request)) {
        (void)api_rate_take(rate, address, now_s, &wait_s);
        return false;
    }
    snprintf(client, sizeof(client), "client %s", request->client.id);
    return api_rate_take(rate, client, now_s, &wait_s) || refuse_rate(request, wait_s);
}

static const char *header(const struct api_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static bool type_is(const char *type, const char *wanted)
{
    size_t n = strlen(wanted);

    return type && strncasecmp(type, wanted, n) == 0 &&
           (type[n] == '\0' || strchr("; \t", type[n]));
}

/* So much too large a body is read and dropped, so that its sender hears why it is refused. */
static size_t most_dropped(const struct api_route *route)
{
    return 4 * route->max_body + 65536;
}

static bool body_fits(struct api_request *request)
{
    const struct api_route *route = request->route;
    const char *length = header(request, "Content-Length"), *type = header(request, "Content-Type");

    request->too_large = length && strtoull(length, NULL, 10) > route->max_body;
    if (request->too_large &&
        (route->body == API_NO_BODY || strtoull(length, NULL, 10) > most_dropped(route))) {
        (void)api_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than %zu bytes",
                         route->max_body);
        return false;
    }
    if ((route->body == API_JSON && !type_is(type, "application/json")) ||
        (route->body == API_FORM && type && !type_is(type, "application/x-www-form-urlencoded")) ||
        (route->body == API_GRID && !type_is(type, "application/json") &&
         !type_is(type, "text/x-matpower"))) {
        (void)api_refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "the body must be %s",
                         route->body == API_JSON   ? "application/json"
                         : route->body == API_FORM ? "application/x-www-form-urlencoded"
                                                   : "application/json or text/x-matpower");
        return false;
    }
    return true;
}

/* What can be refused before the body is read. */
static bool admit(struct api_request *request, const char *method, const char *path)
{
    const char *fault = api_framing_fault(request->connection);

    if (fault) {
        request->last = true;
        (void)api_refuse(request, MHD_HTTP_BAD_REQUEST, "%s", fault);
        return false;
    }
    request->route = api_route_find(method, path, request->part, request->allow);
    if (!request->route) {
        (void)api_refuse(
            request, request->allow[0] ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND,
            request->allow[0] ? "this path knows %s" : "there is no such path%s", request->allow);
        return false;
    }
    request->route_index = (size_t)(request->route - api_routes);
    request->allow[0] = '\0';
    if (request->server->stopping && !request->route->no_database) {
        request->retry_after_s = API_RETRY_S;
        (void)api_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is stopping");
        return false;
    }
    return body_fits(request) && authorise(request);
}

static bool append(struct api_request *request, const char *data, size_t size)
{
    size_t needed = request->size + size + 1;

    if (request->too_large || needed > request->route->max_body + 1) {
        request->too_large = true;
        request->size += size;
        return request->size <= most_dropped(request->route);
    }
    if (needed > request->capacity) {
        size_t capacity = needed < 4096 ? 4096 : needed + needed / 2;
        char *grown = realloc(request->body, capacity);

        if (!grown)
            return false;
        request->body = grown;
        request->capacity = capacity;
    }
    memcpy(request->body + request->size, data, size);
    request->size += size;
    request->body[request->size] = '\0';
    return true;
}

enum walras_status api_need_database(struct api_request *request, struct walras_err *err)
{
    return request->db ? WALRAS_OK : db_pool_take(request->server->pool, &request->db, err);
}

static void suspend(struct api_request *request)
{
    request->suspended = true;
    MHD_suspend_connection(request->connection);
}

static void suspend_waiter(struct api_waiter *waiter)
{
    suspend(REQUEST_OF(waiter, waiter));
}

static void wake_waiter(struct api_waiter *waiter)
{
    MHD_resume_connection(REQUEST_OF(waiter, waiter)->connection);
}

bool api_wait_for_news(struct api_request *request, uint64_t events, double most_s)
{
    request->waiter.until_s = walras_monotonic_s() + most_s;
    request->waiter.wake = wake_waiter;
    snprintf(request->waiter.market, sizeof(request->waiter.market), "%s", request->part[0]);
    return api_live_await(request->server->live, &request->waiter, events, suspend_waiter);
}

static void suspend_answers(struct api_answers *answers)
{
    suspend(REQUEST_OF(answers, answers));
}

static void wake_answers(struct api_answers *answers)
{
    MHD_resume_connection(REQUEST_OF(answers, answers)->connection);
}

bool api_submit_answers(struct api_request *request)
{
    request->answers.told = wake_answers;
    return api_commit_submit(request->server->commit, &request->answers, suspend_answers);
}

static void handle(struct api_request *request)
{
    struct walras_err err = {0};
    enum walras_status status = WALRAS_OK;

    if (request->too_large) {
        (void)api_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than %zu bytes",
                         request->route->max_body);
        return;
    }
    if (!request->route->no_database)
        status = db_pool_take(request->server->pool, &request->db, &err);
    if (status == WALRAS_OK)
        (void)!request->route->handle(request, &err); /* a failure is in err, or answered */
    db_pool_give(request->server->pool, request->db);
    request->db = NULL;
    if (request->suspended)
        return;
    if (err.code != WALRAS_OK)
        api_problem_of(request, &err);
    if (err.code != WALRAS_OK && walras_status_http(err.code) >= MHD_HTTP_INTERNAL_SERVER_ERROR)
        walras_log("request_failed", "method=%s path=%s status=%s error=\"%s\"", request->method,
                   request->path, walras_status_name(err.code), err.msg);
    if (!request->answered)
        (void)api_refuse(request, MHD_HTTP_INTERNAL_SERVER_ERROR,
                         "the server failed; its log says why");
}

static void add_headers(const struct api_request *request, struct MHD_Response *response)
{
    char text[32];

    MHD_add_response_header(response, "Content-Type", request->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Content-Security-Policy",
                            request->policy ? request->policy
                                            : "default-src 'none'; frame-ancestors 'none'");
    if (request->location[0])
        MHD_add_response_header(response, "Location", request->location);
    if (request->allow[0])
        MHD_add_response_header(response, "Allow", request->allow);
    if (request->http == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate",
                                request->route && request->route->body == API_FORM
                                    ? "Basic realm=\"walras\""
                                    : "Bearer realm=\"walras\"");
    if (request->last)
        MHD_add_response_header(response, "Connection", "close");
    if (request->retry_after_s > 0) {
        snprintf(text, sizeof(text), "%u", request->retry_after_s);
        MHD_add_response_header(response, "Retry-After", text);
    }
}

static struct MHD_Response *whole_response(struct api_request *request)
{
    struct MHD_Response *response = NULL;

    api_finish_answer(request);
    response = MHD_create_response_from_buffer(request->answer_size, request->answer,
                                               MHD_RESPMEM_MUST_FREE);
    if (response)
        request->answer = NULL; /* the response's */
    return response;
}

static enum MHD_Result send_answer(struct api_request *request)
{
    struct MHD_Response *response =
        request->more ? api_stream_response(request) : whole_response(request);
    enum MHD_Result result = MHD_NO;

    if (!response)
        return MHD_NO;
    add_headers(request, response);
    result = MHD_queue_response(request->connection, request->http, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result api_http_request(void *context, struct MHD_Connection *connection, const char *path,
                                 const char *method, const char *version, const char *data,
                                 size_t *size, void **kept)
{
    struct api_server *server = context;
    struct api_request *request = *kept;

    (void)version;
    if (!request) {
        *kept = request = request_new(server, connection, method, path);
        if (!request)
            return MHD_NO;
        api_watch_body(server->watch, api_http_watched(connection));
        return admit(request, method, path) ? MHD_YES : send_answer(request);
    }
    if (*size > 0) {
        bool fits = append(request, data, *size);

        *size = 0;
        return fits ? MHD_YES : MHD_NO;
    }
    api_watch_answer(server->watch, api_http_watched(connection));
    request->resumed = request->suspended;
    request->suspended = false;
    handle(request);
    return request->suspended ? MHD_YES : send_answer(request);
}

void api_http_completed(void *context, struct MHD_Connection *connection, void **kept,
                        enum MHD_RequestTerminationCode code)
{
    struct api_server *server = context;
    struct api_request *request = *kept;
    double seconds = 0.0;

    (void)code;
    *kept = NULL;
    if (!request)
        return;
    seconds = walras_monotonic_s() - request->started_s;
    api_watch_idle(server->watch, api_http_watched(connection));
    api_metrics_count(&server->metrics, request->route_index, request->http, seconds);
    if (server->settings.log_requests)
        walras_log("request", "method=%s path=%s status=%u client=%s ms=%.1f", request->method,
                   request->path, request->http, request->client.id[0] ? request->client.id : "-",
                   1000.0 * seconds);
    api_request_release(request);
    free(request);
    server->n_request--;
}
