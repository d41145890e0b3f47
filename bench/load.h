/*
 * An HTTP client that loads a server: many kept connections, each with one request on its way.
 *
 * Threads  one at a time.
 */
#ifndef WALRAS_BENCH_LOAD_H
#define WALRAS_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>

struct load_address {
    char host[64], port[16];
};
/* "http://HOST:PORT"; false: it is none */
bool load_address_of(const char *url, struct load_address *out);

struct load_plan {
    struct load_address address;
    size_t n_connection, n_request;
    double per_s;   /* requests begin at this rate, ready or not; 0: as fast as they are answered */
    double limit_s; /* then it ends, whatever is still to do */
    /* Writes request i, whole with its headers, to text [room]; returns its length. */
    size_t (*word)(void *context, size_t i, char *text, size_t room);
    void *context;
    size_t room;
    long good, also_good; /* the statuses that are expected */
};

struct load_report {
    size_t n_good, n_bad;
    double seconds;
    double p50_ms, p99_ms; /* from when a request was due to its answer */
    long bad_status;       /* of one that was not good; 0: a connection broke */
};

/* False, with a message on standard error: it could not connect. */
bool load_run(const struct load_plan *plan, struct load_report *out);

/* One request of its own; the answer's body into text [room]. The status, 0: none. */
long load_call(const struct load_address *address, const char *request, size_t size, char *text,
               size_t room);

#endif
