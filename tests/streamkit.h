/*
 * A client that reads an event stream for tests, over HTTP/1.1 as programs do.
 *
 * Threads  one stream a thread.
 */
#ifndef WALRAS_TESTS_STREAMKIT_H
#define WALRAS_TESTS_STREAMKIT_H

#include "servekit.h"

struct streamkit {
    void *curl, *multi, *headers;
    struct walras_text text; /* that has come so far */
    long status;             /* 0: none yet */
    bool ended;
};

/* Returns when the status is known. last_id NULL: none is sent. `client`: where and as whom. */
void streamkit_open(struct streamkit *stream, const struct servekit_client *client,
                    const char *path, const char *last_id);
void streamkit_close(struct streamkit *stream);
/* Reads until `text` has come (NULL: until the end), at most half a minute. */
bool streamkit_await(struct streamkit *stream, const char *text);
/* The id of the last event so far; lives until the next call. */
const char *streamkit_last_id(const struct streamkit *stream);
/* How often that stands in what has come. */
size_t streamkit_count(const struct streamkit *stream, const char *text);

#endif
