#include "lp/lp_internal.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 100000000 }; /* GLPK's own ceiling on rows and columns, and ours on entries */

enum walras_status lp_new(struct lp **made, struct walras_err *err)
{
    *made = calloc(1, sizeof(**made));
    return *made ? WALRAS_OK : walras_fail(err, WALRAS_NOMEM, "cannot make a program");
}

void lp_free(struct lp *lp)
{
    if (!lp)
        return;
    free(lp->low);
    free(lp->high);
    free(lp->cost);
    free(lp->column_scale);
    free(lp->column_status);
    free(lp->integer);
    free(lp->row_low);
    free(lp->row_high);
    free(lp->row_scale);
    free(lp->row_status);
    free(lp->entry_row);
    free(lp->entry_column);
    free(lp->entry);
    free(lp->row_of_column);
    for (size_t i = 0; i < lp->n_name; i++)
        free(lp->names[i].text);
    free(lp->names);
    free(lp->name_place);
    free(lp);
}

/* The array with room for so many, or the old one and *grown false. */
static void *grow(void *array, size_t size, size_t room, bool *grown)
{
    void *larger = realloc(array, room * size);

    *grown = *grown && larger;
    return larger ? larger : array;
}

#define GROW(array) ((array) = grow((array), sizeof(*(array)), larger, &grown))

/* Room for `more` behind the first n; *room counts what all arrays of the kind have. */
static size_t larger_room(size_t n, size_t more, size_t room)
{
    return n + more > 2 * room ? n + more : 2 * room;
}

static enum walras_status set_room(bool grown, size_t larger, size_t *room, const char *what,
                                   struct walras_err *err)
{
    if (!grown)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold %zu %s", larger, what);
    *room = larger;
    return WALRAS_OK;
}

static enum walras_status column_room(struct lp *lp, size_t more, struct walras_err *err)
{
    size_t larger = larger_room(lp->n_column, more, lp->column_room);
    bool grown = true;

    if (more > COUNT_MAX || lp->n_column + more > COUNT_MAX)
        return walras_fail(err, WALRAS_INVALID, "a program holds at most %d columns", COUNT_MAX);
    if (lp->n_column + more <= lp->column_room)
        return WALRAS_OK;
    GROW(lp->low);
    GROW(lp->high);
    GROW(lp->cost);
    GROW(lp->column_scale);
    GROW(lp->column_status);
    GROW(lp->integer);
    GROW(lp->row_of_column);
    return set_room(grown, larger, &lp->column_room, "columns", err);
}

static enum walras_status row_room(struct lp *lp, struct walras_err *err)
{
    size_t larger = larger_room(lp->n_row, 1, lp->row_room);
    bool grown = true;

    if (lp->n_row >= COUNT_MAX)
        return walras_fail(err, WALRAS_INVALID, "a program holds at most %d rows", COUNT_MAX);
    if (lp->n_row + 1 <= lp->row_room)
        return WALRAS_OK;
    GROW(lp->row_low);
    GROW(lp->row_high);
    GROW(lp->row_scale);
    GROW(lp->row_status);
    return set_room(grown, larger, &lp->row_room, "rows", err);
}

static enum walras_status entry_room(struct lp *lp, size_t more, struct walras_err *err)
{
    size_t larger = larger_room(lp->n_entry + 1, more, lp->entry_room);
    bool grown = true;

    if (lp->n_entry + more > COUNT_MAX)
        return walras_fail(err, WALRAS_INVALID, "a program holds at most %d coefficients",
                           COUNT_MAX);
    if (lp->n_entry + 1 + more <= lp->entry_room)
        return WALRAS_OK;
    GROW(lp->entry_row);
    GROW(lp->entry_column);
    GROW(lp->entry);
    return set_room(grown, larger, &lp->entry_room, "coefficients", err);
}

static enum walras_status check_bounds(const char *what, size_t index, double low, double high,
                                       struct walras_err *err)
{
    if (!(low <= high) || low == HUGE_VAL || high == -HUGE_VAL)
        return walras_fail(err, WALRAS_INVALID, "%s %zu: bounds [%g, %g] hold no number", what,
                           index, low, high);
    return WALRAS_OK;
}

static enum walras_status check_finite(const char *what, size_t index, double value,
                                       struct walras_err *err)
{
    return isfinite(value)
               ? WALRAS_OK
               : walras_fail(err, WALRAS_INVALID, "%s %zu: %g is not finite", what, index, value);
}

static enum walras_status check_index(const char *what, size_t index, size_t n,
                                      struct walras_err *err)
{
    return index < n ? WALRAS_OK
                     : walras_fail(err, WALRAS_INVALID, "there is no %s %zu: the program has %zu",
                                   what, index, n);
}

enum walras_status lp_add_columns(struct lp *lp, size_t n, const double *low, const double *high,
                                  const double *cost, size_t *first, struct walras_err *err)
{
    enum walras_status status = column_room(lp, n, err);

    for (size_t i = 0; i < n && status == WALRAS_OK; i++) {
        status = check_bounds("column", lp->n_column + i, low[i], high[i], err);
        if (status == WALRAS_OK)
            status = check_finite("cost of column", lp->n_column + i, cost[i], err);
    }
    if (status != WALRAS_OK)
        return status;
    *first = lp->n_column;
    for (size_t i = 0; i < n; i++) {
        size_t column = lp->n_column++;

        lp->low[column] = low[i];
        lp->high[column] = high[i];
        lp->cost[column] = cost[i];
        lp->integer[column] = false;
        lp->column_scale[column] = 1.0;
        lp->column_status[column] = 0;
        lp->row_of_column[column] = 0;
    }
    lp->scaled = lp->scaled && n == 0;
    return WALRAS_OK;
}

/* Names the first thing that is wrong with a row; marks its columns as named by it. */
static enum walras_status check_row(struct lp *lp, size_t n, const size_t *column,
                                    const double *coef, struct walras_err *err)
{
    size_t mark = lp->n_row + 1;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < n && status == WALRAS_OK; i++) {
        status = check_index("column", column[i], lp->n_column, err);
        if (status != WALRAS_OK)
            break;
        if (lp->row_of_column[column[i]] == mark)
            status = walras_fail(err, WALRAS_INVALID, "row %zu: column %zu is named twice",
                                 lp->n_row, column[i]);
        else
            status = check_finite("coefficient of column", column[i], coef[i], err);
        lp->row_of_column[column[i]] = mark;
    }
    for (size_t i = 0; i < n && status != WALRAS_OK; i++) /* this row has not come into being */
        if (column[i] < lp->n_column && lp->row_of_column[column[i]] == mark)
            lp->row_of_column[column[i]] = 0;
    return status;
}

enum walras_status lp_add_row(struct lp *lp, size_t n, const size_t *column, const double *coef,
                              double low, double high, size_t *row, struct walras_err *err)
{
    enum walras_status status = check_bounds("row", lp->n_row, low, high, err);

    if (status == WALRAS_OK)
        status = row_room(lp, err);
    if (status == WALRAS_OK)
        status = entry_room(lp, n, err);
    if (status == WALRAS_OK)
        status = check_row(lp, n, column, coef, err);
    if (status != WALRAS_OK)
        return status;

    size_t added = lp->n_row++;

    lp->row_low[added] = low;
    lp->row_high[added] = high;
    lp->row_scale[added] = 1.0;
    lp->row_status[added] = 0;
    for (size_t i = 0; i < n; i++) {
        if (coef[i] == 0.0)
            continue;
        lp->n_entry++;
        lp->entry_row[lp->n_entry] = (int)(added + 1);
        lp->entry_column[lp->n_entry] = (int)(column[i] + 1);
        lp->entry[lp->n_entry] = coef[i];
    }
    lp->moved_bounds = true;
    lp->scaled = false;
    if (row)
        *row = added;
    return WALRAS_OK;
}

enum walras_status lp_set_integer(struct lp *lp, size_t column, struct walras_err *err)
{
    enum walras_status status = check_index("column", column, lp->n_column, err);

    if (status == WALRAS_OK && !lp->integer[column]) {
        lp->integer[column] = true;
        lp->n_integer++;
    }
    return status;
}

enum walras_status lp_set_cost(struct lp *lp, size_t column, double cost, struct walras_err *err)
{
    enum walras_status status = check_index("column", column, lp->n_column, err);

    if (status == WALRAS_OK)
        status = check_finite("cost of column", column, cost, err);
    if (status == WALRAS_OK)
        lp->cost[column] = cost;
    return status;
}

enum walras_status lp_set_column_bounds(struct lp *lp, size_t column, double low, double high,
                                        struct walras_err *err)
{
    enum walras_status status = check_index("column", column, lp->n_column, err);

    if (status == WALRAS_OK)
        status = check_bounds("column", column, low, high, err);
    if (status == WALRAS_OK) {
        lp->low[column] = low;
        lp->high[column] = high;
        lp->moved_bounds = true;
    }
    return status;
}

enum walras_status lp_set_row_bounds(struct lp *lp, size_t row, double low, double high,
                                     struct walras_err *err)
{
    enum walras_status status = check_index("row", row, lp->n_row, err);

    if (status == WALRAS_OK)
        status = check_bounds("row", row, low, high, err);
    if (status == WALRAS_OK) {
        lp->row_low[row] = low;
        lp->row_high[row] = high;
        lp->moved_bounds = true;
    }
    return status;
}

size_t lp_columns(const struct lp *lp)
{
    return lp->n_column;
}

size_t lp_rows(const struct lp *lp)
{
    return lp->n_row;
}

double lp_cost(const struct lp *lp, size_t column)
{
    return lp->cost[column];
}

double lp_constant(const struct lp *lp)
{
    return lp->constant;
}

bool lp_has_integers(const struct lp *lp)
{
    return lp->n_integer > 0;
}

bool lp_is_integer(const struct lp *lp, size_t column)
{
    return lp->integer[column];
}

void lp_column_bounds(const struct lp *lp, size_t column, double *low, double *high)
{
    *low = lp->low[column];
    *high = lp->high[column];
}

void lp_row_bounds(const struct lp *lp, size_t row, double *low, double *high)
{
    *low = lp->row_low[row];
    *high = lp->row_high[row];
}

size_t lp_entries(const struct lp *lp)
{
    return lp->n_entry;
}

struct lp_entry lp_entry(const struct lp *lp, size_t k)
{
    return (struct lp_entry){.row = (size_t)lp->entry_row[k + 1] - 1,
                             .column = (size_t)lp->entry_column[k + 1] - 1,
                             .coef = lp->entry[k + 1]};
}

const char *lp_column_name(const struct lp *lp, size_t column)
{
    return column < lp->n_name ? lp->names[lp->name_place[column]].text : "";
}

static int by_text(const void *key, const void *name)
{
    return strcmp(key, ((const struct lp_name *)name)->text);
}

size_t lp_find_column(const struct lp *lp, const char *name)
{
    const struct lp_name *found =
        lp->n_name > 0 ? bsearch(name, lp->names, lp->n_name, sizeof(*lp->names), by_text) : NULL;

    return found ? found->column : SIZE_MAX;
}
