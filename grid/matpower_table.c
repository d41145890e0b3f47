#include "grid/matpower_internal.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { most_columns = 4096 };

struct growing { /* a table while it is read */
    struct grid_mp_table table;
    size_t n_value, room_value, room_row;
    size_t in_row; /* elements of the row that is being read */
    size_t row_line;
    bool after_comma;
};

const char *grid_mp_table_text(enum grid_mp_table_name table)
{
    static const char *const names[] = {"bus", "gen", "branch", "gencost"};

    return names[table];
}

/* Makes room for one more piece of `size` bytes behind the n that are there. */
static bool grow(void **array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return true;
    size_t more = *room > 0 ? 2 * *room : 64;
    void *moved = more <= SIZE_MAX / 2 / size ? realloc(*array, more * size) : NULL;

    if (!moved)
        return false;
    *array = moved;
    *room = more;
    return true;
}

static enum walras_status no_memory(const struct grid_mp_place *place, struct walras_err *err)
{
    return grid_mp_fail(place->name, place->line, WALRAS_NOMEM, err, "no memory for the table");
}

static enum walras_status put_element(struct growing *g, const struct grid_mp_place *place,
                                      const char *table, size_t line, double value,
                                      struct walras_err *err)
{
    void *array = g->table.value;

    if (g->in_row == most_columns)
        return grid_mp_fail(place->name, line, WALRAS_INVALID, err,
                            "%s row %zu has more than %d columns", table, g->table.n_row + 1,
                            most_columns);
    if (!grow(&array, g->n_value, &g->room_value, sizeof(*g->table.value)))
        return no_memory(place, err);
    g->table.value = array;
    g->table.value[g->n_value++] = value;
    g->row_line = g->in_row == 0 ? line : g->row_line;
    g->in_row++;
    g->after_comma = false;
    return WALRAS_OK;
}

static enum walras_status end_row(struct growing *g, const struct grid_mp_place *place,
                                  const char *table, struct walras_err *err)
{
    void *array = g->table.line;

    g->after_comma = false;
    if (g->in_row == 0)
        return WALRAS_OK;
    if (g->table.n_row > 0 && g->in_row != g->table.n_column)
        return grid_mp_fail(place->name, g->row_line, WALRAS_INVALID, err,
                            "%s row %zu has %zu columns where the rows before it have %zu", table,
                            g->table.n_row + 1, g->in_row, g->table.n_column);
    if (!grow(&array, g->table.n_row, &g->room_row, sizeof(*g->table.line)))
        return no_memory(place, err);
    g->table.line = array;
    g->table.line[g->table.n_row++] = g->row_line;
    g->table.n_column = g->in_row;
    g->in_row = 0;
    return WALRAS_OK;
}

/* A number, Inf or NaN, whose sign touches it and which touches nothing before it. */
static enum walras_status read_element(struct growing *g, struct grid_mp_place *place,
                                       const char *table, struct grid_mp_token token,
                                       struct walras_err *err)
{
    bool alone = g->in_row == 0 || g->after_comma || token.spaced;
    struct grid_mp_token first = token;
    double value = NAN, sign = grid_mp_is_symbol(&token, '-') ? -1.0 : 1.0;
    enum walras_status status = WALRAS_OK;

    if (grid_mp_is_symbol(&token, '-') || grid_mp_is_symbol(&token, '+')) {
        status = grid_mp_next(place, &token, err);
        alone = alone && !token.spaced;
    }
    if (status != WALRAS_OK)
        return status;
    if (token.kind == GRID_MP_NUMBER)
        value = token.number;
    else if (grid_mp_is_word(&token, "Inf") || grid_mp_is_word(&token, "inf"))
        value = INFINITY;
    else
        alone = alone && (grid_mp_is_word(&token, "NaN") || grid_mp_is_word(&token, "nan"));
    if (!alone)
        return grid_mp_fail(place->name, first.line, WALRAS_INVALID, err,
                            "%s row %zu, column %zu: expected a plain number, found '%.*s'", table,
                            g->table.n_row + 1, g->in_row + 1,
                            (int)(first.length < 40 ? first.length : 40), first.at);
    return put_element(g, place, table, first.line, sign * value, err);
}

/* Everything between the brackets, and the closing one. */
static enum walras_status read_rows(struct growing *g, struct grid_mp_place *place,
                                    const char *table, struct walras_err *err)
{
    struct grid_mp_token token;
    enum walras_status status = WALRAS_OK;

    while (status == WALRAS_OK) {
        status = grid_mp_next(place, &token, err);
        if (status != WALRAS_OK)
            break;
        if (token.kind == GRID_MP_END)
            return grid_mp_fail(place->name, g->table.opened, WALRAS_INVALID, err,
                                "the %s table that begins here is not closed by ]", table);
        if (grid_mp_is_symbol(&token, ']'))
            return end_row(g, place, table, err);
        if (token.kind == GRID_MP_NEWLINE || grid_mp_is_symbol(&token, ';'))
            status = end_row(g, place, table, err);
        else if (grid_mp_is_symbol(&token, ',') && g->in_row > 0 && !g->after_comma)
            g->after_comma = true;
        else
            status = read_element(g, place, table, token, err);
    }
    return status;
}

enum walras_status grid_mp_read_table(struct grid_mp_file *file, struct grid_mp_place *place,
                                      enum grid_mp_table_name which, struct walras_err *err)
{
    const char *table = grid_mp_table_text(which);
    struct growing g = {0};
    struct grid_mp_token token;
    enum walras_status status = grid_mp_next(place, &token, err);

    if (status != WALRAS_OK)
        return status;
    if (file->table[which].opened > 0)
        return grid_mp_fail(place->name, token.line, WALRAS_INVALID, err,
                            "a second %s table; the first is in line %zu", table,
                            file->table[which].opened);
    if (!grid_mp_is_symbol(&token, '['))
        return grid_mp_fail(place->name, token.line, WALRAS_UNSUPPORTED, err,
                            "the %s table must be written out between [ and ]", table);
    g.table.opened = token.line;
    status = read_rows(&g, place, table, err);
    if (status == WALRAS_OK)
        status = grid_mp_next(place, &token, err);
    if (status == WALRAS_OK && !grid_mp_is_stop(&token))
        status = grid_mp_fail(place->name, token.line, WALRAS_UNSUPPORTED, err,
                              "expected the end of the statement behind the %s table, found '%c'",
                              table, *token.at);
    file->table[which] = g.table; /* the file frees it, sound or not */
    return status;
}
