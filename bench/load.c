#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_ROOM = 256 * 1024, EVENTS = 256 };

struct connection {
    int fd;
    char *request, *reply;
    size_t size, sent, got;
    double due_s; /* when its request was to begin */
    bool busy;
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool load_address_of(const char *url, struct load_address *out)
{
    return sscanf(url, "http://%63[^:]:%15[0-9]", out->host, out->port) == 2;
}

static int connect_to(const struct load_address *address)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1, one = 1;

    if (getaddrinfo(address->host, address->port, &hints, &found) == 0) {
        fd = socket(found->ai_family, found->ai_socktype, 0);
        if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
        freeaddrinfo(found);
    }
    if (fd < 0)
        fprintf(stderr, "cannot connect to %s:%s: %s\n", address->host, address->port,
                strerror(errno));
    else
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* The length of the whole answer, 0: it is not all there. *body: where that begins. */
static size_t reply_size(const char *reply, size_t got, size_t *body)
{
    const char *end = memmem(reply, got, "\r\n\r\n", 4), *at = NULL;

    if (!end)
        return 0;
    *body = (size_t)(end - reply) + 4;
    at = memmem(reply, *body, "Content-Length: ", 16);
    size_t size = *body + (at ? strtoull(at + 16, NULL, 10) : 0);

    return got >= size ? size : 0;
}

static long status_of(const char *reply)
{
    return strncmp(reply, "HTTP/1.1 ", 9) == 0 ? strtol(reply + 9, NULL, 10) : 0;
}

long load_call(const struct load_address *address, const char *request, size_t size, char *text,
               size_t room)
{
    int fd = connect_to(address);
    size_t got = 0, body = 0;
    ssize_t n = 0;

    if (fd < 0)
        return 0;
    for (size_t sent = 0; sent < size && n >= 0; sent += n > 0 ? (size_t)n : 0)
        n = write(fd, request + sent, size - sent);
    while (got + 1 < room && reply_size(text, got, &body) == 0 &&
           (n = read(fd, text + got, room - 1 - got)) > 0)
        got += (size_t)n;
    close(fd);
    text[got] = '\0';
    long status = status_of(text);

    memmove(text, text + body, got - body + 1);
    return status;
}

struct run {
    const struct load_plan *plan;
    struct load_report *report;
    struct connection *connections;
    double *latency_s; /* [n_request] */
    size_t next, n_done;
    double start_s;
    int poll;
};

static bool push(struct connection *c)
{
    while (c->sent < c->size) {
        ssize_t n = write(c->fd, c->request + c->sent, c->size - c->sent);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        c->sent += (size_t)n;
    }
    return true;
}

static bool begin(struct run *run, struct connection *c, double due_s)
{
    c->size = run->plan->word(run->plan->context, run->next++, c->request, run->plan->room);
    c->sent = c->got = 0;
    c->due_s = due_s;
    c->busy = true;
    return push(c);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void finish(struct run *run, struct connection *c, long status)
{
    run->latency_s[run->n_done++] = now_s() - c->due_s;
    if (status == run->plan->good || (status != 0 && status == run->plan->also_good)) {
        run->report->n_good++;
    } else {
        run->report->n_bad++;
        run->report->bad_status = status;
    }
    c->busy = false;
}

/* Reads what has come. False: the connection is gone. */
static bool pull(struct run *run, struct connection *c)
{
    size_t body = 0;
    ssize_t n = read(c->fd, c->reply + c->got, REPLY_ROOM - c->got);

    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    c->got += (size_t)n;
    if (c->busy && reply_size(c->reply, c->got, &body) > 0)
        finish(run, c, status_of(c->reply));
    return true;
}

static bool open_all(struct run *run)
{
    size_t n = run->plan->n_connection;

    run->poll = epoll_create1(0);
    run->connections = calloc(n, sizeof(*run->connections));
    run->latency_s = calloc(run->plan->n_request + 1, sizeof(*run->latency_s));
    if (run->poll < 0 || !run->connections || !run->latency_s)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct connection *c = &run->connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

        c->fd = connect_to(&run->plan->address);
        c->request = malloc(run->plan->room);
        c->reply = malloc(REPLY_ROOM);
        if (c->fd < 0 || !c->request || !c->reply)
            return false;
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        if (epoll_ctl(run->poll, EPOLL_CTL_ADD, c->fd, &event) != 0)
            return false;
    }
    return true;
}

static void close_all(struct run *run)
{
    for (size_t i = 0; run->connections && i < run->plan->n_connection; i++) {
        if (run->connections[i].fd > 0)
            close(run->connections[i].fd);
        free(run->connections[i].request);
        free(run->connections[i].reply);
    }
    close(run->poll);
    free(run->connections);
    free(run->latency_s);
}

/* Free connections take requests that are due. */
static bool feed(struct run *run)
{
    const struct load_plan *plan = run->plan;
    double now = now_s();

    for (size_t i = 0; i < plan->n_connection && run->next < plan->n_request; i++) {
        struct connection *c = &run->connections[i];
        double due_s = plan->per_s > 0.0 ? run->start_s + (double)run->next / plan->per_s : now;

        if (c->busy)
            continue;
        if (due_s > now)
            break;
        if (!begin(run, c, due_s))
            return false;
    }
    return true;
}

static bool turn(struct run *run)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(run->poll, events, EVENTS, run->plan->per_s > 0.0 ? 1 : 100);

    for (int i = 0; i < n; i++)
        if (!pull(run, events[i].data.ptr))
            return false;
    for (size_t i = 0; i < run->plan->n_connection; i++)
        if (run->connections[i].busy && !push(&run->connections[i]))
            return false;
    return feed(run);
}

bool load_run(const struct load_plan *plan, struct load_report *out)
{
    struct run run = {.plan = plan, .report = out};
    bool good = false;

    *out = (struct load_report){0};
    good = open_all(&run);
    run.start_s = now_s();
    good = good && feed(&run);
    while (good && run.n_done < plan->n_request && now_s() < run.start_s + plan->limit_s)
        good = turn(&run);
    out->seconds = now_s() - run.start_s;
    if (good && run.n_done > 0) {
        qsort(run.latency_s, run.n_done, sizeof(*run.latency_s), by_size);
        out->p50_ms = 1e3 * run.latency_s[run.n_done / 2];
        out->p99_ms = 1e3 * run.latency_s[run.n_done * 99 / 100];
    }
    close_all(&run);
    if (!good)
        fprintf(stderr, "a connection broke after %zu answers\n", out->n_good);
    return good;
}
