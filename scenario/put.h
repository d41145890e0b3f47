/*
 * What the writers of JSON and CSV share: members of an object, numbers of a row. Private to the
 * scenario folder.
 */
#ifndef WALRAS_SCENARIO_PUT_H
#define WALRAS_SCENARIO_PUT_H

#include "core/json_write.h"
#include "core/text.h"

#include <math.h>

static inline void put_text(struct walras_json_out *out, const char *key, const char *text)
{
    walras_json_out_key(out, key);
    walras_json_out_text(out, text);
}

static inline void put_number(struct walras_json_out *out, const char *key, double value)
{
    walras_json_out_key(out, key);
    walras_json_out_number(out, value);
}

static inline void put_integer(struct walras_json_out *out, const char *key, int64_t value)
{
    walras_json_out_key(out, key);
    walras_json_out_integer(out, value);
}

/* A field of a CSV row; an empty one when there is no number. */
static inline void write_number(FILE *file, double value, const char *end)
{
    char text[WALRAS_NUMBER_TEXT];

    if (isfinite(value)) {
        size_t size = walras_number_text(value, text);

        fwrite(text, 1, size, file);
    }
    fputs(end, file);
}

#endif
