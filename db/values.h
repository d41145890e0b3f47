/*
 * Arrays as PostgreSQL writes them: {1,2.5} and {"a","b"}. Numbers keep every bit.
 *
 * Threads  no shared state.
 */
#ifndef WALRAS_DB_VALUES_H
#define WALRAS_DB_VALUES_H

#include "db/session.h"

enum { DB_MAX_ARRAY = 256 << 20 }; /* bytes of one array's text */

/* Builders: db_array_open, any number of elements, db_array_close; then add text.data. */
void db_array_open(struct walras_text *text);
void db_array_number(struct walras_text *text, double value); /* NAN: NULL */
void db_array_text(struct walras_text *text, const char *value);
void db_array_bool(struct walras_text *text, bool value);
void db_array_close(struct walras_text *text);
/* All of it at once; the text is the caller's to release. */
WALRAS_NODISCARD enum walras_status
db_numbers_text(const double *values, size_t n, struct walras_text *text, struct walras_err *err);

/*
 * An array of double precision in PostgreSQL's own form: open, any number of texts of arrays whose
 * elements are added to it, close; then db_add_bytes. Several times as fast as a text.
 */
struct db_doubles {
    struct walras_text bytes;
    size_t n;
};
void db_doubles_open(struct db_doubles *array);
/*
 * "{1,NULL,2.5}" as db_array_number makes it; false: that is no such text. A NULL goes as NaN:
 * PostgreSQL finds a slice of an array with NULLs only by a walk through all that stands before it.
 */
WALRAS_NODISCARD bool db_doubles_add(struct db_doubles *array, const char *text);
void db_doubles_close(struct db_doubles *array);

/* Reads exactly n numbers, NULL as NAN; WALRAS_INTERNAL: more, fewer, or all of it is NULL. */
WALRAS_NODISCARD enum walras_status db_numbers(const struct db_rows *rows, size_t row, int column,
                                               double *values, size_t n, struct walras_err *err);
/* How many elements a one-dimensional array of numbers has. */
size_t db_numbers_count(const struct db_rows *rows, size_t row, int column);

#endif
