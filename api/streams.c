#include "api/streams.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct api_streams {
    pthread_mutex_t lock;
    unsigned most, most_per_client, n;
    struct api_stream_place list; /* a ring */
};

enum walras_status api_streams_new(unsigned most, unsigned most_per_client,
                                   struct api_streams **made, struct walras_err *err)
{
    struct api_streams *streams = calloc(1, sizeof(*streams));

    if (!streams)
        return walras_fail(err, WALRAS_NOMEM, "no memory to count streams");
    pthread_mutex_init(&streams->lock, NULL);
    streams->most = most;
    streams->most_per_client = most_per_client;
    streams->list.before = streams->list.after = &streams->list;
    *made = streams;
    return WALRAS_OK;
}

void api_streams_free(struct api_streams *streams)
{
    if (!streams)
        return;
    pthread_mutex_destroy(&streams->lock);
    free(streams);
}

static unsigned count_of(const struct api_streams *streams, const char *client)
{
    unsigned n = 0;

    for (const struct api_stream_place *at = streams->list.after; at != &streams->list;
         at = at->after)
        n += strcmp(at->client, client) == 0;
    return n;
}

enum api_stream_entry api_streams_enter(struct api_streams *streams, struct api_stream_place *place,
                                        const char *client)
{
    enum api_stream_entry entry = API_STREAM_IN;

    pthread_mutex_lock(&streams->lock);
    if (streams->n >= streams->most)
        entry = API_STREAM_FULL;
    else if (count_of(streams, client) >= streams->most_per_client)
        entry = API_STREAM_CLIENT_FULL;
    if (entry == API_STREAM_IN) {
        place->client = client;
        place->before = streams->list.before;
        place->after = &streams->list;
        place->before->after = place->after->before = place;
        streams->n++;
    }
    pthread_mutex_unlock(&streams->lock);
    return entry;
}

void api_streams_leave(struct api_streams *streams, struct api_stream_place *place)
{
    pthread_mutex_lock(&streams->lock);
    place->before->after = place->after;
    place->after->before = place->before;
    streams->n--;
    pthread_mutex_unlock(&streams->lock);
}

unsigned api_streams_count(struct api_streams *streams)
{
    unsigned n = 0;

    pthread_mutex_lock(&streams->lock);
    n = streams->n;
    pthread_mutex_unlock(&streams->lock);
    return n;
}
