#include "core/json_write.h"

#include "core/text.h"

#include <inttypes.h>

struct walras_json_out walras_json_out_start(FILE *file, unsigned breaks)
{
    return (struct walras_json_out){.file = file, .breaks = breaks, .first = true};
}

void walras_json_out_end(struct walras_json_out *out)
{
    fputc('\n', out->file);
}

static void new_line(const struct walras_json_out *out)
{
    fputc('\n', out->file);
    for (unsigned i = 0; i < out->depth; i++)
        fputs("  ", out->file);
}

/* What stands before a value or a key: its comma and its line. */
static void separate(struct walras_json_out *out)
{
    bool inside = out->depth > 0;

    if (out->after_key) {
        out->after_key = false;
        return;
    }
    if (!out->first)
        fputc(',', out->file);
    if (inside && out->depth <= out->breaks)
        new_line(out);
    else if (!out->first)
        fputc(' ', out->file);
    out->first = false;
}

void walras_json_out_open(struct walras_json_out *out, char bracket)
{
    separate(out);
    fputc(bracket, out->file);
    out->depth++;
    out->first = true;
}

void walras_json_out_close(struct walras_json_out *out, char bracket)
{
    bool empty = out->first, breaks = out->depth <= out->breaks;

    out->depth--;
    if (!empty && breaks)
        new_line(out);
    fputc(bracket, out->file);
    out->first = false;
}

/* The length of the UTF-8 sequence at `text`, or 0 when it is not one. */
static size_t sequence_length(const unsigned char *text)
{
    size_t n = text[0] < 0x80   ? 1
               : text[0] < 0xc2 ? 0
               : text[0] < 0xe0 ? 2
               : text[0] < 0xf0 ? 3
               : text[0] < 0xf5 ? 4
                                : 0;

    for (size_t i = 1; i < n; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if (n == 3 && ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f)))
        return 0; /* overlong, or half of a surrogate pair */
    if (n == 4 && ((text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f)))
        return 0; /* overlong, or beyond Unicode */
    return n;
}

static void put_text(FILE *file, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    fputc('"', file);
    while (*at) {
        size_t n = sequence_length(at);

        if (n == 0) {
            fputs("\\ufffd", file); /* a byte that is no UTF-8: the replacement character */
            at++;
        } else if (*at == '"' || *at == '\\') {
            fputc('\\', file);
            fputc(*at++, file);
        } else if (*at == '\n') {
            fputs("\\n", file);
            at++;
        } else if (*at < 0x20 || *at == 0x7f) {
            fprintf(file, "\\u%04x", *at++);
        } else {
            fwrite(at, 1, n, file);
            at += n;
        }
    }
    fputc('"', file);
}

void walras_json_out_key(struct walras_json_out *out, const char *key)
{
    separate(out);
    put_text(out->file, key);
    fputs(": ", out->file);
    out->after_key = true;
}

void walras_json_out_text(struct walras_json_out *out, const char *text)
{
    if (!text) {
        walras_json_out_null(out);
        return;
    }
    separate(out);
    put_text(out->file, text);
}

void walras_json_out_number(struct walras_json_out *out, double value)
{
    char text[WALRAS_NUMBER_TEXT];
    size_t size = walras_number_text(value, text);

    separate(out);
    fwrite(text, 1, size, out->file);
}

void walras_json_out_integer(struct walras_json_out *out, int64_t value)
{
    separate(out);
    fprintf(out->file, "%" PRId64, value);
}

void walras_json_out_bool(struct walras_json_out *out, bool value)
{
    separate(out);
    fputs(value ? "true" : "false", out->file);
}

void walras_json_out_null(struct walras_json_out *out)
{
    separate(out);
    fputs("null", out->file);
}

void walras_json_out_numbers(struct walras_json_out *out, const double *values, size_t n)
{
    char text[WALRAS_NUMBER_TEXT];

    separate(out);
    fputc('[', out->file);
    for (size_t i = 0; i < n; i++) {
        size_t size = walras_number_text(values[i], text);

        if (i > 0)
            fputs(", ", out->file);
        fwrite(text, 1, size, out->file);
    }
    fputc(']', out->file);
}
