#include "api/event_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void api_event_id_write(const struct api_event_place *place, char text[API_EVENT_ID_TEXT])
{
    snprintf(text, API_EVENT_ID_TEXT, "%" PRId64 ".%" PRId64 ".%" PRId64, place->stage,
             place->round, place->part);
}

/* A whole number of at most nine digits, without a leading zero; NULL: there is none. */
static const char *read_number(const char *at, int64_t *value)
{
    size_t n = strspn(at, "0123456789");

    if (n == 0 || n > 9 || (n > 1 && at[0] == '0'))
        return NULL;
    *value = 0;
    for (size_t i = 0; i < n; i++)
        *value = 10 * *value + (at[i] - '0');
    return at + n;
}

bool api_event_id_read(const char *text, struct api_event_place *place)
{
    struct api_event_place read = {0};
    int64_t *const numbers[] = {&read.stage, &read.round, &read.part};
    const char *at = text;

    for (size_t i = 0; i < 3; i++) {
        if (i > 0 && *at++ != '.')
            return false;
        at = read_number(at, numbers[i]);
        if (!at)
            return false;
    }
    if (*at != '\0' || read.stage > API_EVENT_OVER || read.part > 2)
        return false;
    if ((read.stage < API_EVENT_CLEARING && (read.round || read.part)) ||
        (read.stage == API_EVENT_OVER && read.part))
        return false;
    *place = read;
    return true;
}
