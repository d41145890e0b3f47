/*
 * Answers that do not end: how many are open, and of whom.
 *
 * Threads  any.
 */
#ifndef WALRAS_API_STREAMS_H
#define WALRAS_API_STREAMS_H

#include "core/status.h"

struct api_streams;

struct api_stream_place { /* kept by its owner while it is in */
    struct api_stream_place *before, *after;
    const char *client; /* borrowed while it is in */
};

WALRAS_NODISCARD enum walras_status api_streams_new(unsigned most, unsigned most_per_client,
                                                    struct api_streams **made,
                                                    struct walras_err *err);
void api_streams_free(struct api_streams *streams);

enum api_stream_entry { API_STREAM_IN, API_STREAM_FULL, API_STREAM_CLIENT_FULL };
enum api_stream_entry api_streams_enter(struct api_streams *streams, struct api_stream_place *place,
                                        const char *client);
void api_streams_leave(struct api_streams *streams, struct api_stream_place *place);
unsigned api_streams_count(struct api_streams *streams);

#endif
