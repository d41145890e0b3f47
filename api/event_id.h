/*
 * How far somebody has followed a market: what event ids are made of.
 *
 * "STAGE.ROUND.PART", three whole numbers; whoever follows takes them as they are. Places are in
 * the order in which things are told.
 */
#ifndef WALRAS_API_EVENT_ID_H
#define WALRAS_API_EVENT_ID_H

#include "core/status.h"

#include <stdint.h>

enum api_event_stage {
    API_EVENT_NOTHING = -1, /* has just come: what is past is not told */
    API_EVENT_DRAFT,
    API_EVENT_OPEN,
    API_EVENT_CLEARING, /* rounds follow */
    API_EVENT_OVER      /* prices follow */
};

struct api_event_place {
    int64_t stage;
    int64_t round; /* of API_EVENT_CLEARING; of API_EVENT_OVER: how many buses were passed */
    int64_t part;  /* 1: that round is open, 2: it is closed */
};

enum { API_EVENT_ID_TEXT = 48 };
void api_event_id_write(const struct api_event_place *place, char text[API_EVENT_ID_TEXT]);
/* False: it is no such id. */
bool api_event_id_read(const char *text, struct api_event_place *place);

#endif
