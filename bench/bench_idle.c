/*
 * Connections that are held open and do nothing, or next to nothing, until standard input ends.
 *
 *     bench_idle URL TOKEN MARKET POLLS STREAMS SLOW
 *
 * POLLS long polls for a round that does not come, STREAMS event streams, SLOW clients that send a
 * header a byte every second, and come again when they are cut off. Polls that are answered ask
 * again. Prints "ready" when all are there; at the end how many answers polls got, bytes streams
 * got, how often the slow were cut off, and how many connections of polls and streams broke.
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind { POLL, STREAM, SLOW };
enum { EVENTS = 256 };

struct client {
    int fd;
    enum kind kind;
    size_t sent; /* of the slow: bytes */
};

struct crowd {
    struct load_address address;
    const char *token, *market;
    struct client *clients;
    size_t n, n_answer, n_byte, n_cut, n_broken;
    int poll;
};

static int connect_to(const struct load_address *address)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1;

    if (getaddrinfo(address->host, address->port, &hints, &found) != 0)
        return -1;
    fd = socket(found->ai_family, found->ai_socktype, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static void ask(struct crowd *crowd, struct client *client)
{
    char request[1024];
    int size =
        snprintf(request, sizeof(request),
                 "GET /v1/markets/%s/%s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer "
                 "%s\r\n\r\n",
                 crowd->market, client->kind == POLL ? "round?after=1000000&wait=60" : "events",
                 crowd->token);

    if (client->kind != SLOW && write(client->fd, request, (size_t)size) != size)
        crowd->n_broken++;
}

static bool join(struct crowd *crowd, struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    client->fd = connect_to(&crowd->address);
    client->sent = 0;
    if (client->fd < 0)
        return false;
    ask(crowd, client);
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    return epoll_ctl(crowd->poll, EPOLL_CTL_ADD, client->fd, &event) == 0;
}

/* What came; a poll's answer is short and comes in one piece. */
static void look(struct crowd *crowd, struct client *client)
{
    char text[16384];
    ssize_t n = read(client->fd, text, sizeof(text));

    if (n > 0) {
        crowd->n_byte += client->kind == STREAM ? (size_t)n : 0;
        if (client->kind == POLL) {
            crowd->n_answer++;
            ask(crowd, client);
        }
        return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    close(client->fd);
    if (client->kind == SLOW)
        crowd->n_cut++;
    else
        crowd->n_broken++;
    if (!join(crowd, client))
        client->fd = -1;
}

/* A byte of a header that never ends. */
static void drip(struct crowd *crowd)
{
    static const char header[] = "GET /v1/markets HTTP/1.1\r\nX-Slow: ";

    for (size_t i = 0; i < crowd->n; i++) {
        struct client *client = &crowd->clients[i];
        char c = client->sent < sizeof(header) - 1 ? header[client->sent] : 'a';

        if (client->kind == SLOW && client->fd >= 0 && write(client->fd, &c, 1) == 1)
            client->sent++;
    }
}

static void hold(struct crowd *crowd)
{
    struct epoll_event events[EVENTS], input = {.events = EPOLLIN, .data.ptr = NULL};
    bool over = epoll_ctl(crowd->poll, EPOLL_CTL_ADD, STDIN_FILENO, &input) != 0;

    while (!over) {
        int n = epoll_wait(crowd->poll, events, EVENTS, 1000);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                look(crowd, events[i].data.ptr);
            else
                over = true;
        }
        if (n < EVENTS)
            drip(crowd);
    }
}

int main(int argc, char **argv)
{
    struct crowd crowd = {0};
    size_t n[3] = {0};
    const struct rlimit files = {20000, 20000};

    if (argc != 7 || !load_address_of(argv[1], &crowd.address))
        return 2;
    setrlimit(RLIMIT_NOFILE, &files);
    crowd.token = argv[2];
    crowd.market = argv[3];
    for (int i = 0; i < 3; i++) {
        n[i] = strtoull(argv[4 + i], NULL, 10);
        crowd.n += n[i];
    }
    crowd.clients = calloc(crowd.n + 1, sizeof(*crowd.clients));
    crowd.poll = epoll_create1(0);
    if (!crowd.clients || crowd.poll < 0) {
        free(crowd.clients);
        return 1;
    }
    for (size_t i = 0; i < crowd.n; i++) {
        crowd.clients[i].kind = i < n[0] ? POLL : i < n[0] + n[1] ? STREAM : SLOW;
        if (!join(&crowd, &crowd.clients[i])) {
            fprintf(stderr, "connection %zu: %s\n", i, strerror(errno));
            free(crowd.clients);
            return 1;
        }
    }
    printf("ready\n");
    fflush(stdout);
    hold(&crowd);
    printf("%zu answers to polls, %zu bytes of streams, %zu slow clients cut off, %zu broken\n",
           crowd.n_answer, crowd.n_byte, crowd.n_cut, crowd.n_broken);
    free(crowd.clients);
    return crowd.n_broken > 0;
}
