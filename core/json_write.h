/*
 * Writing JSON as a stream: correct escaping, numbers that read back as they were.
 *
 * Layout     objects and arrays open a line for each member down to `breaks` levels and stay on one
 *            line below; arrays of numbers are always on one line.
 * Failures   are the stream's: check ferror (or walras_file_finish) once, at the end.
 * Threads    one at a time.
 */
#ifndef WALRAS_CORE_JSON_WRITE_H
#define WALRAS_CORE_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct walras_json_out {
    FILE *file;
    unsigned breaks;
    unsigned depth;
    bool first;     /* nothing stands in the innermost object or array yet */
    bool after_key; /* a key was written, its value is next */
};

/* Borrows `file`. */
struct walras_json_out walras_json_out_start(FILE *file, unsigned breaks);
/* Ends the line: call it when the outermost value is closed. */
void walras_json_out_end(struct walras_json_out *out);

void walras_json_out_open(struct walras_json_out *out, char bracket);  /* '{' or '[' */
void walras_json_out_close(struct walras_json_out *out, char bracket); /* '}' or ']' */
void walras_json_out_key(struct walras_json_out *out, const char *key);

void walras_json_out_text(struct walras_json_out *out, const char *text); /* UTF-8; NULL: null */
void walras_json_out_number(struct walras_json_out *out, double value);   /* not finite: null */
void walras_json_out_integer(struct walras_json_out *out, int64_t value);
void walras_json_out_bool(struct walras_json_out *out, bool value);
void walras_json_out_null(struct walras_json_out *out);
void walras_json_out_numbers(struct walras_json_out *out, const double *values, size_t n);

#endif
