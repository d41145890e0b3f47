/*
 * CSV files: a header row that names the columns, then one row a step.
 *
 * Read as people write them: quoted fields ("" is a quote), commas or semicolons (whichever the
 * header has more of), CR LF, a byte-order mark, blank lines. Every row has as many fields as the
 * header.
 *
 * Ownership  a cache keeps each file it was asked for until it is freed.
 * Threads    a cache is for one thread at a time.
 */
#ifndef WALRAS_CORE_CSV_H
#define WALRAS_CORE_CSV_H

#include "core/status.h"

enum {
    WALRAS_CSV_MAX_FILE = 512000000, /* bytes */
    WALRAS_CSV_MAX_LINE = 1000000,   /* bytes, quoted line breaks included */
    WALRAS_CSV_MAX_COLUMNS = 20000
};

struct walras_csv; /* one file, read and split */

/* `name` stands for the file in messages. WALRAS_INVALID "FILE:LINE: what", WALRAS_NOMEM. */
WALRAS_NODISCARD enum walras_status walras_csv_parse(const char *name, const char *text,
                                                     size_t size, struct walras_csv **made,
                                                     struct walras_err *err);
void walras_csv_free(struct walras_csv *csv);

size_t walras_csv_rows(const struct walras_csv *csv); /* without the header */
/*
 * Numbers of a column in rows first … first + n - 1. The message of a failure names file, line and
 * column: an unknown column (with "did you mean"), too few rows, what is not a finite number.
 */
WALRAS_NODISCARD enum walras_status walras_csv_numbers(const struct walras_csv *csv,
                                                       const char *column, size_t first, size_t n,
                                                       double *values, struct walras_err *err);

struct walras_csv_cache;
WALRAS_NODISCARD enum walras_status walras_csv_cache_new(struct walras_csv_cache **made,
                                                         struct walras_err *err);
void walras_csv_cache_free(struct walras_csv_cache *cache);
/* The file of that path, read the first time. *csv lives as long as the cache. */
WALRAS_NODISCARD enum walras_status walras_csv_cache_get(struct walras_csv_cache *cache,
                                                         const char *path,
                                                         const struct walras_csv **csv,
                                                         struct walras_err *err);

#endif
