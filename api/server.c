#include "api/server.h"

#include "api/api_internal.h"
#include "api/http.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "db/migrate.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { MAX_PEM = 1 << 20, SPARE_SESSIONS = 3, SPARE_FILES = 256 };

struct api_settings api_settings_defaults(void)
{
    return (struct api_settings){.listen = "127.0.0.1:8080",
                                 .n_thread = 4,
                                 .n_clearing = 2,
                                 .max_connections = 8192,
                                 .connections_per_client = 1024,
                                 .requests_per_s = 200.0,
                                 .request_burst = 1000.0,
                                 .header_timeout_s = 10,
                                 .body_timeout_s = 30,
                                 .idle_timeout_s = 120,
                                 .token_life_s = 3600,
                                 .event_streams = 4096,
                                 .event_streams_per_client = 64,
                                 .event_heartbeat_s = 15,
                                 .event_stall_s = 30};
}

const char *api_server_url(const struct api_server *server)
{
    return server->url;
}

/* "host:port", "[v6]:port" */
static enum walras_status split(const char *listen, char host[256], char port[16],
                                struct walras_err *err)
{
    const char *colon = strrchr(listen, ':');
    bool bracket = listen[0] == '[';
    const char *end = bracket ? strchr(listen, ']') : colon;

    if (!colon || !end || (bracket && end + 1 != colon) || end - listen >= 255 ||
        strlen(colon + 1) >= 16 || colon[1] == '\0')
        return walras_fail(
            err, WALRAS_INVALID,
            "the address to listen on must be HOST:PORT or [HOST]:PORT, got \"%.80s\"", listen);
    snprintf(host, 256, "%.*s", (int)(end - listen - bracket), listen + bracket);
    snprintf(port, 16, "%s", colon + 1);
    return WALRAS_OK;
}

static enum walras_status resolve(const char *listen, struct addrinfo **found,
                                  struct walras_err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char host[256], port[16];
    enum walras_status status = split(listen, host, port, err);
    int failure = 0;

    if (status == WALRAS_OK)
        failure = getaddrinfo(host, port, &hints, found);
    if (failure != 0)
        return walras_fail(err, WALRAS_INVALID, "%s: %s", listen, gai_strerror(failure));
    return status;
}

static enum walras_status read_tls(struct api_server *server, struct walras_err *err)
{
    const struct api_settings *s = &server->settings;
    size_t size = 0;
    enum walras_status status = WALRAS_OK;

    if (!s->tls_cert && !s->tls_key)
        return WALRAS_OK;
    if (!s->tls_cert || !s->tls_key)
        return walras_fail(err, WALRAS_INVALID, "TLS needs both a certificate and its key");
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) == MHD_NO)
        return walras_fail(err, WALRAS_UNSUPPORTED, "this libmicrohttpd has no TLS");
    status = walras_file_read(s->tls_cert, MAX_PEM, &server->tls_cert, &size, err);
    return status == WALRAS_OK ? walras_file_read(s->tls_key, MAX_PEM, &server->tls_key, &size, err)
                               : status;
}

__attribute__((format(printf, 2, 0))) static void log_mhd(void *context, const char *format,
                                                          va_list args)
{
    char text[400];

    (void)context;
    vsnprintf(text, sizeof(text), format, args);
    walras_log("http", "said=\"%.*s\"", (int)strcspn(text, "\n"), text);
}

static void write_url(struct api_server *server, const struct sockaddr *address)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    char host[200] = "";
    bool six = address->sa_family == AF_INET6;

    getnameinfo(address, six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), host,
                sizeof(host), NULL, 0, NI_NUMERICHOST);
    snprintf(server->url, sizeof(server->url), "http%s://%s%s%s:%u", server->tls_cert ? "s" : "",
             six ? "[" : "", host, six ? "]" : "", info ? info->port : 0u);
}

static enum walras_status listen_on(struct api_server *server, const struct addrinfo *address,
                                    struct walras_err *err)
{
    const struct api_settings *s = &server->settings;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (server->tls_cert ? MHD_USE_TLS : 0u) |
                     (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, server->tls_cert},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, server->tls_key},
                                   {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, api_http_request, server, MHD_OPTION_EXTERNAL_LOGGER, log_mhd, NULL,
        MHD_OPTION_SOCK_ADDR, address->ai_addr, MHD_OPTION_THREAD_POOL_SIZE, s->n_thread,
        MHD_OPTION_CONNECTION_LIMIT, s->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        s->connections_per_client, MHD_OPTION_CONNECTION_TIMEOUT, s->idle_timeout_s,
        MHD_OPTION_NOTIFY_CONNECTION, api_http_connection, server, MHD_OPTION_NOTIFY_COMPLETED,
        api_http_completed, server, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_ARRAY,
        server->tls_cert ? tls : none, MHD_OPTION_END);
    if (!server->daemon)
        return walras_fail(err, WALRAS_IO, "%s: cannot listen on it (is another server there?)",
                           s->listen);
    write_url(server, address->ai_addr);
    return WALRAS_OK;
}

/* Each connection is a file, and others are needed beside them. */
static void raise_files(const struct api_settings *settings)
{
    rlim_t wanted = (rlim_t)settings->max_connections + SPARE_FILES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        walras_log("few_files", "limit=%llu wanted=%llu", (unsigned long long)limit.rlim_cur,
                   (unsigned long long)wanted);
}

static enum walras_status check_database(struct api_server *server, struct walras_err *err)
{
    struct db_session *session = NULL;
    enum walras_status status = db_pool_take(server->pool, &session, err);

    if (status == WALRAS_OK)
        status = db_migration_need(session, err);
    if (status == WALRAS_OK)
        status = db_token_sweep(session, err);
    db_pool_give(server->pool, session);
    return status;
}

static void lead_changed(void *context, int64_t epoch)
{
    const struct api_server *server = context;

    (void)api_live_poke(server->live, NULL); /* clearings of an epoch that is over look up */
    api_mirror_enable(server->mirror, epoch == 0);
}

static enum walras_status start_clearing(struct api_server *server,
                                         const struct db_settings *database, struct walras_err *err)
{
    const struct api_lead_settings lead = {
        .database = database, .changed = lead_changed, .context = server};
    struct api_worker_settings worker = {.n_thread = server->settings.n_clearing};
    struct api_news_settings news = {database, server->live, server->mirror, NULL, NULL};
    enum walras_status status = api_lead_new(&lead, &server->lead, err);

    worker.clear = (struct api_clear_settings){server->pool, server->live, server->lead};
    if (status == WALRAS_OK)
        status = api_worker_new(&worker, &server->worker, err);
    news.lead = server->lead;
    news.worker = server->worker;
    return status == WALRAS_OK ? api_news_new(&news, &server->news, err) : status;
}

static enum walras_status start(struct api_server *server, struct walras_err *err)
{
    const struct api_settings *s = &server->settings;
    struct db_settings database = db_settings_defaults(s->conninfo);
    struct api_watch_settings watch = {.header_s = s->header_timeout_s,
                                       .body_s = s->body_timeout_s,
                                       .idle_s = s->idle_timeout_s,
                                       .stall_s = s->event_stall_s,
                                       .cut = &server->metrics.cut};
    struct addrinfo *address = NULL;
    enum walras_status status = db_secret_init(err);

    raise_files(s);
    if (status == WALRAS_OK)
        status = read_tls(server, err);
    if (status == WALRAS_OK)
        status = db_pool_new(&database, s->n_thread + s->n_clearing + SPARE_SESSIONS, &server->pool,
                             err);
    if (status == WALRAS_OK)
        status = check_database(server, err);
    if (status == WALRAS_OK)
        status = api_rate_new(s->requests_per_s, s->request_burst, &server->rate, err);
    if (status == WALRAS_OK)
        status = api_tokens_new(&server->tokens, err);
    if (status == WALRAS_OK)
        status =
            api_streams_new(s->event_streams, s->event_streams_per_client, &server->streams, err);
    if (status == WALRAS_OK)
        status = api_watch_new(&watch, &server->watch, err);
    if (status == WALRAS_OK)
        status = api_live_new(&server->live, err);
    if (status == WALRAS_OK)
        status = api_mirror_new(server->pool, server->live, &server->mirror, err);
    if (status == WALRAS_OK)
        status = start_clearing(server, &database, err);
    if (status == WALRAS_OK)
        status = api_commit_new(server->pool, server->live, server->lead, &server->commit, err);
    if (status == WALRAS_OK)
        status = resolve(s->listen, &address, err);
    if (status == WALRAS_OK)
        status = listen_on(server, address, err);
    if (address)
        freeaddrinfo(address);
    return status;
}

enum walras_status api_server_start(const struct api_settings *settings, struct api_server **made,
                                    struct walras_err *err)
{
    struct api_server *server = calloc(1, sizeof(*server));
    enum walras_status status = WALRAS_OK;

    if (!server)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the server");
    server->settings = *settings;
    server->started_s = walras_monotonic_s();
    status = start(server, err);
    if (status == WALRAS_OK)
        *made = server;
    else
        api_server_stop(server);
    return status;
}

/* Those that waited have been woken; what is still coming in is not waited for for long. */
static void wait_for_requests(struct api_server *server)
{
    const struct timespec pause = {.tv_nsec = 20000000};

    for (int i = 0; server->n_request > 0 && i < 150; i++)
        nanosleep(&pause, NULL);
}

void api_server_stop(struct api_server *server)
{
    if (!server)
        return;
    server->stopping = true;
    api_live_stop(server->live);
    api_news_free(server->news);
    api_worker_stop(server->worker);
    api_commit_stop(server->commit);
    api_lead_stop(server->lead); /* another goes on at once */
    wait_for_requests(server);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    api_worker_free(server->worker); /* requests that came late may have used them */
    api_commit_free(server->commit);
    api_lead_free(server->lead);
    api_mirror_free(server->mirror);
    api_live_free(server->live);
    api_watch_free(server->watch);
    api_rate_free(server->rate);
    api_tokens_free(server->tokens);
    api_streams_free(server->streams);
    db_pool_free(server->pool);
    free(server->tls_cert);
    if (server->tls_key)
        db_secret_forget(server->tls_key, strlen(server->tls_key));
    free(server->tls_key);
    free(server);
}
