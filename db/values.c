#include "db/values.h"

#include <assert.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int next(struct db_args *args)
{
    assert(args->n < DB_MAX_ARGS);
    return args->n++;
}

void db_add_text(struct db_args *args, const char *text)
{
    args->text[next(args)] = text;
}

void db_add_integer(struct db_args *args, int64_t value)
{
    snprintf(args->number[next(args)], WALRAS_NUMBER_TEXT, "%lld", (long long)value);
}

static const char *infinite(double value)
{
    return value > 0.0 ? "Infinity" : "-Infinity";
}

void db_add_number(struct db_args *args, double value)
{
    int at = next(args);

    if (isfinite(value))
        walras_number_text(value, args->number[at]);
    else
        args->text[at] = isnan(value) ? NULL : infinite(value);
}

void db_add_bytes(struct db_args *args, const char *data, size_t size)
{
    int at = next(args);

    args->text[at] = data;
    args->bytes[at] = (int)size;
}

void db_add_bool(struct db_args *args, bool value)
{
    args->text[next(args)] = value ? "t" : "f";
}

const char *db_text(const struct db_rows *rows, size_t row, int column)
{
    return PQgetisnull(rows->result, (int)row, column) ? NULL
                                                       : PQgetvalue(rows->result, (int)row, column);
}

int64_t db_integer(const struct db_rows *rows, size_t row, int column)
{
    const char *text = db_text(rows, row, column);

    return text ? strtoll(text, NULL, 10) : 0;
}

double db_number(const struct db_rows *rows, size_t row, int column)
{
    const char *text = db_text(rows, row, column);

    return text ? strtod(text, NULL) : (double)NAN;
}

bool db_bool(const struct db_rows *rows, size_t row, int column)
{
    const char *text = db_text(rows, row, column);

    return text && text[0] == 't';
}

void db_array_open(struct walras_text *text)
{
    walras_text_init(text, DB_MAX_ARRAY);
    walras_text_add(text, "{", 1);
}

static void separate(struct walras_text *text)
{
    if (text->size > 1)
        walras_text_add(text, ",", 1);
}

void db_array_number(struct walras_text *text, double value)
{
    char number[WALRAS_NUMBER_TEXT];

    separate(text);
    if (isnan(value))
        walras_text_add(text, "NULL", 4);
    else if (isinf(value))
        walras_text_add(text, infinite(value), strlen(infinite(value)));
    else
        walras_text_add(text, number, walras_number_text(value, number));
}

void db_array_text(struct walras_text *text, const char *value)
{
    separate(text);
    walras_text_add(text, "\"", 1);
    while (*value) {
        size_t plain = strcspn(value, "\"\\");

        walras_text_add(text, value, plain);
        value += plain;
        if (*value) {
            walras_text_add(text, "\\", 1);
            walras_text_add(text, value++, 1);
        }
    }
    walras_text_add(text, "\"", 1);
}

void db_array_bool(struct walras_text *text, bool value)
{
    separate(text);
    walras_text_add(text, value ? "t" : "f", 1);
}

void db_array_close(struct walras_text *text)
{
    walras_text_add(text, "}", 1);
}

enum walras_status db_numbers_text(const double *values, size_t n, struct walras_text *text,
                                   struct walras_err *err)
{
    db_array_open(text);
    for (size_t i = 0; i < n; i++)
        db_array_number(text, values[i]);
    db_array_close(text);
    if (text->failure != WALRAS_OK)
        return walras_fail(err, text->failure, "%zu numbers do not fit in one array", n);
    return WALRAS_OK;
}

/* PostgreSQL's array_recv: dimensions, 0 (no NULLs), type; then length and lower bound. */
enum { ARRAY_HEADER = 20, FLOAT8_OID = 701 };

static void put_32(char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (char)(unsigned char)(value >> (24 - 8 * i));
}

void db_doubles_open(struct db_doubles *array)
{
    static const char header[ARRAY_HEADER];

    *array = (struct db_doubles){0};
    walras_text_init(&array->bytes, DB_MAX_ARRAY);
    walras_text_add(&array->bytes, header, ARRAY_HEADER);
}

static void put_double(struct db_doubles *array, double value)
{
    char element[12];
    uint64_t bits = 0;

    memcpy(&bits, &value, sizeof(bits));
    put_32(element, 8);
    put_32(element + 4, (uint32_t)(bits >> 32));
    put_32(element + 8, (uint32_t)bits);
    walras_text_add(&array->bytes, element, sizeof(element));
}

bool db_doubles_add(struct db_doubles *array, const char *text)
{
    if (*text++ != '{')
        return false;
    while (*text && *text != '}') {
        const char *start = text;

        if (strncmp(text, "NULL", 4) == 0) {
            put_double(array, (double)NAN);
            text += 4;
        } else {
            char *end = NULL;

            put_double(array, walras_number_read(text, &end));
            text = end;
        }
        if (text == start || (*text != ',' && *text != '}'))
            return false;
        text += *text == ',';
        array->n++;
    }
    return *text == '}';
}

void db_doubles_close(struct db_doubles *array)
{
    if (array->bytes.failure != WALRAS_OK)
        return;
    put_32(array->bytes.data, 1);
    put_32(array->bytes.data + 8, FLOAT8_OID);
    put_32(array->bytes.data + 12, (uint32_t)array->n);
    put_32(array->bytes.data + 16, 1);
}

size_t db_numbers_count(const struct db_rows *rows, size_t row, int column)
{
    const char *text = db_text(rows, row, column);
    size_t n = 1;

    if (!text || text[0] != '{' || text[1] == '}')
        return 0;
    for (; *text; text++)
        n += *text == ',';
    return n;
}

enum walras_status db_numbers(const struct db_rows *rows, size_t row, int column, double *values,
                              size_t n, struct walras_err *err)
{
    const char *text = db_text(rows, row, column);
    size_t found = db_numbers_count(rows, row, column);

    if (!text || found != n)
        return walras_fail(err, WALRAS_INTERNAL, "database: %zu numbers where %zu belong", found,
                           n);
    text++;
    for (size_t i = 0; i < n; i++) {
        char *end = NULL;

        if (strncmp(text, "NULL", 4) == 0) {
            values[i] = (double)NAN;
            end = (char *)text + 4;
        } else {
            values[i] = walras_number_read(text, &end);
        }
        if (end == text || (*end != ',' && *end != '}'))
            return walras_fail(err, WALRAS_INTERNAL, "database: element %zu is no number", i);
        text = end + 1;
    }
    return WALRAS_OK;
}
