#include "core/csv.h"

#include "core/file.h"
#include "core/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct walras_csv {
    char *name;
    char *text;          /* fields, each ended by a NUL */
    const char **fields; /* [(n_row + 1) x n_column], the header first */
    size_t n_column, n_field, room;
    size_t *lines; /* [n_row + 1] where each row starts, from 1 */
    size_t n_line, line_room;
};

struct scanner {
    char *at, *end; /* what is still to be read; *end is NUL */
    char *write;    /* where the next unquoted byte goes: never ahead of `at` */
    size_t line;
    char separator;
};

static enum walras_status fail_at(const struct walras_csv *csv, size_t line, const char *what,
                                  struct walras_err *err)
{
    return walras_fail(err, WALRAS_INVALID, "%s:%zu: %s", csv->name, line, what);
}

static bool push_field(struct walras_csv *csv, const char *field)
{
    if (csv->n_field == csv->room) {
        size_t room = csv->room ? 2 * csv->room : 256;
        const char **more = realloc(csv->fields, room * sizeof(*more));

        if (!more)
            return false;
        csv->fields = more;
        csv->room = room;
    }
    csv->fields[csv->n_field++] = field;
    return true;
}

static bool push_line(struct walras_csv *csv, size_t line)
{
    if (csv->n_line == csv->line_room) {
        size_t room = csv->line_room ? 2 * csv->line_room : 256;
        size_t *more = realloc(csv->lines, room * sizeof(*more));

        if (!more)
            return false;
        csv->lines = more;
        csv->line_room = room;
    }
    csv->lines[csv->n_line++] = line;
    return true;
}

static bool at_row_end(const struct scanner *scan)
{
    return scan->at >= scan->end || *scan->at == '\n' ||
           (*scan->at == '\r' && (scan->at + 1 >= scan->end || scan->at[1] == '\n'));
}

/* Copies a quoted field to scan->write without its quotes; false when its closing quote lacks. */
static bool read_quoted(struct scanner *scan)
{
    for (scan->at++; scan->at < scan->end; scan->at++) {
        if (*scan->at == '"') {
            if (scan->at + 1 >= scan->end || scan->at[1] != '"') {
                scan->at++;
                return true;
            }
            scan->at++; /* "" stands for one quote */
        }
        scan->line += *scan->at == '\n';
        *scan->write++ = *scan->at;
    }
    return false;
}

/* Reads one field up to its separator or the end of the row; blanks around it are dropped. */
static enum walras_status read_field(struct walras_csv *csv, struct scanner *scan,
                                     struct walras_err *err)
{
    char *field = scan->write;
    size_t line = scan->line;

    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t') &&
           *scan->at != scan->separator)
        scan->at++;
    if (scan->at < scan->end && *scan->at == '"') {
        if (!read_quoted(scan))
            return fail_at(csv, line, "a quoted field has no closing quote", err);
        while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t') &&
               *scan->at != scan->separator)
            scan->at++;
        if (!at_row_end(scan) && *scan->at != scan->separator)
            return fail_at(csv, scan->line, "text after a closing quote", err);
    } else {
        while (!at_row_end(scan) && *scan->at != scan->separator)
            *scan->write++ = *scan->at++;
        while (scan->write > field && (scan->write[-1] == ' ' || scan->write[-1] == '\t'))
            scan->write--;
    }
    if (!push_field(csv, field))
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory to read the file", csv->name);
    return WALRAS_OK;
}

/* Ends the field that was just read: steps over its separator or line break, then NULs it. */
static bool end_field(struct scanner *scan)
{
    bool row_ends = at_row_end(scan);

    if (row_ends && scan->at < scan->end && *scan->at == '\r')
        scan->at++;
    if (scan->at < scan->end)
        scan->at++;
    *scan->write++ = '\0';
    return row_ends;
}

static enum walras_status read_row(struct walras_csv *csv, struct scanner *scan,
                                   struct walras_err *err)
{
    const char *start = scan->at;
    size_t line = scan->line, before = csv->n_field;
    enum walras_status status = WALRAS_OK;
    bool row_ends = false;

    if (!push_line(csv, line))
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory to read the file", csv->name);
    while (status == WALRAS_OK && !row_ends) {
        status = read_field(csv, scan, err);
        if (status == WALRAS_OK)
            row_ends = end_field(scan);
    }
    if (status != WALRAS_OK)
        return status;
    scan->line++;
    if (scan->at - start > WALRAS_CSV_MAX_LINE)
        return fail_at(csv, line, "line is too long", err);

    size_t n = csv->n_field - before;

    if (csv->n_column == 0)
        csv->n_column = n;
    if (n > WALRAS_CSV_MAX_COLUMNS)
        return fail_at(csv, line, "too many columns", err);
    if (n != csv->n_column)
        return walras_fail(err, WALRAS_INVALID,
                           "%s:%zu: expected %zu fields as in the header, got %zu%s", csv->name,
                           line, csv->n_column, n,
                           n > csv->n_column && scan->separator == ','
                               ? "; use a decimal point if these are decimal commas"
                               : "");
    return WALRAS_OK;
}

/* Steps over lines that hold nothing but blanks. */
static void skip_blank_lines(struct scanner *scan)
{
    for (;;) {
        char *at = scan->at;

        while (at < scan->end && (*at == ' ' || *at == '\t' || *at == '\r'))
            at++;
        if (at < scan->end && *at != '\n')
            return;
        scan->at = at < scan->end ? at + 1 : at;
        scan->line++;
        if (at >= scan->end)
            return;
    }
}

static char find_separator(const struct scanner *scan)
{
    size_t commas = 0, semicolons = 0;

    for (const char *c = scan->at; c < scan->end && *c != '\n'; c++) {
        commas += *c == ',';
        semicolons += *c == ';';
    }
    return semicolons > commas ? ';' : ',';
}

static enum walras_status check_header(const struct walras_csv *csv, struct walras_err *err)
{
    if (csv->n_line == 0)
        return walras_fail(err, WALRAS_INVALID,
                           "%s: the file is empty; expected a header row that names the columns",
                           csv->name);
    for (size_t i = 0; i < csv->n_column; i++)
        for (size_t j = 0; j < i; j++)
            if (csv->fields[i][0] && strcmp(csv->fields[i], csv->fields[j]) == 0)
                return walras_fail(err, WALRAS_INVALID, "%s:%zu: two columns are named \"%.60s\"",
                                   csv->name, csv->lines[0], csv->fields[i]);
    return WALRAS_OK;
}

static enum walras_status split(struct walras_csv *csv, size_t size, struct walras_err *err)
{
    struct scanner scan = {.at = csv->text, .end = csv->text + size, .line = 1};
    enum walras_status status = WALRAS_OK;

    if (size >= 3 && memcmp(csv->text, "\xef\xbb\xbf", 3) == 0)
        scan.at += 3;
    scan.write = scan.at;
    skip_blank_lines(&scan);
    scan.separator = find_separator(&scan);
    while (status == WALRAS_OK && scan.at < scan.end) {
        status = read_row(csv, &scan, err);
        if (status == WALRAS_OK)
            skip_blank_lines(&scan);
    }
    return status == WALRAS_OK ? check_header(csv, err) : status;
}

enum walras_status walras_csv_parse(const char *name, const char *text, size_t size,
                                    struct walras_csv **made, struct walras_err *err)
{
    struct walras_csv *csv = calloc(1, sizeof(*csv));
    enum walras_status status = WALRAS_NOMEM;

    if (csv && (csv->name = strdup(name)) && (csv->text = malloc(size + 1))) {
        if (size > 0)
            memcpy(csv->text, text, size);
        csv->text[size] = '\0';
        if (memchr(csv->text, '\0', size))
            status = walras_fail(err, WALRAS_INVALID, "%s: not a text file", name);
        else
            status = split(csv, size, err);
    } else {
        (void)walras_fail(err, status, "%s: no memory to read the file", name);
    }
    if (status != WALRAS_OK) {
        walras_csv_free(csv);
        return status;
    }
    *made = csv;
    return WALRAS_OK;
}

void walras_csv_free(struct walras_csv *csv)
{
    if (!csv)
        return;
    free(csv->name);
    free(csv->text);
    free(csv->fields);
    free(csv->lines);
    free(csv);
}

size_t walras_csv_rows(const struct walras_csv *csv)
{
    return csv->n_line - 1;
}

static enum walras_status find_column(const struct walras_csv *csv, const char *column,
                                      size_t *found, struct walras_err *err)
{
    for (size_t i = 0; i < csv->n_column; i++)
        if (strcmp(csv->fields[i], column) == 0) {
            *found = i;
            return WALRAS_OK;
        }

    const char *close = walras_text_closest(column, csv->fields, csv->n_column);

    if (close)
        return walras_fail(err, WALRAS_INVALID,
                           "%s:%zu: no column \"%.60s\"; did you mean \"%.60s\"?", csv->name,
                           csv->lines[0], column, close);
    return walras_fail(err, WALRAS_INVALID, "%s:%zu: no column \"%.60s\" among %zu", csv->name,
                       csv->lines[0], column, csv->n_column);
}

/* Decimal numbers only: no hexadecimal, no "inf", no "nan". */
static bool read_number(const char *field, double *value)
{
    char *end = NULL;

    if (field[0] == '\0' || field[strspn(field, "0123456789+-.eE")] != '\0')
        return false;
    *value = strtod(field, &end);
    return *end == '\0' && isfinite(*value);
}

enum walras_status walras_csv_numbers(const struct walras_csv *csv, const char *column,
                                      size_t first, size_t n, double *values,
                                      struct walras_err *err)
{
    size_t at = 0, rows = walras_csv_rows(csv);
    enum walras_status status = find_column(csv, column, &at, err);

    if (status != WALRAS_OK)
        return status;
    if (first > rows || rows - first < n)
        return walras_fail(err, WALRAS_INVALID,
                           "%s: column \"%.60s\": %zu rows from row %zu are needed, the file has "
                           "%zu rows",
                           csv->name, column, n, first, rows);
    for (size_t i = 0; i < n; i++) {
        const char *field = csv->fields[(first + i + 1) * csv->n_column + at];

        if (!read_number(field, &values[i]))
            return walras_fail(err, WALRAS_INVALID,
                               "%s:%zu: column \"%.60s\": expected a number, got \"%.40s\"%s",
                               csv->name, csv->lines[first + i + 1], column, field,
                               strchr(field, ',') ? "; use a decimal point" : "");
    }
    return WALRAS_OK;
}

struct cached {
    char *path;
    struct walras_csv *csv;
};

struct walras_csv_cache {
    struct cached *files; /* [n_file] */
    size_t n_file;
};

enum walras_status walras_csv_cache_new(struct walras_csv_cache **made, struct walras_err *err)
{
    struct walras_csv_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        return walras_fail(err, WALRAS_NOMEM, "cannot make a cache of CSV files");
    *made = cache;
    return WALRAS_OK;
}

void walras_csv_cache_free(struct walras_csv_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->n_file; i++) {
        free(cache->files[i].path);
        walras_csv_free(cache->files[i].csv);
    }
    free(cache->files);
    free(cache);
}

static enum walras_status load(struct walras_csv_cache *cache, const char *path,
                               struct walras_err *err)
{
    struct cached *files = realloc(cache->files, (cache->n_file + 1) * sizeof(*files));
    char *text = NULL;
    size_t size = 0;

    if (!files)
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory to read the file", path);
    cache->files = files;
    files[cache->n_file] = (struct cached){.path = strdup(path)};

    enum walras_status status =
        files[cache->n_file].path
            ? walras_file_read(path, WALRAS_CSV_MAX_FILE, &text, &size, err)
            : walras_fail(err, WALRAS_NOMEM, "%s: no memory to read the file", path);

    if (status == WALRAS_OK)
        status = walras_csv_parse(path, text, size, &files[cache->n_file].csv, err);
    free(text);
    if (status == WALRAS_OK)
        cache->n_file++;
    else
        free(files[cache->n_file].path);
    return status;
}

enum walras_status walras_csv_cache_get(struct walras_csv_cache *cache, const char *path,
                                        const struct walras_csv **csv, struct walras_err *err)
{
    size_t i = 0;

    while (i < cache->n_file && strcmp(cache->files[i].path, path) != 0)
        i++;
    if (i == cache->n_file) {
        enum walras_status status = load(cache, path, err);

        if (status != WALRAS_OK)
            return status;
    }
    *csv = cache->files[i].csv;
    return WALRAS_OK;
}
