/*
 * Free MPS, column by column. Every bound that is not [0, ∞) is written out: readers differ in what
 * they take for granted. Quadratic costs are a QUADOBJ section (CPLEX): x'Qx/2.
 */
#include "core/text.h"
#include "scenario/export_internal.h"

#include <math.h>
#include <stdlib.h>

struct columns {          /* a block's entries and draws by column */
    size_t *first, *list; /* [n_column + 2], [n_entry + n_draw]: a draw is n_entry + its index */
    size_t first_room, list_room;
    bool whole; /* between the markers of integer columns */
    size_t n_marker;
};

static void put_number(struct export *x, double value)
{
    char text[WALRAS_NUMBER_TEXT];

    fwrite(text, 1, walras_number_text(value, text), x->file);
}

static void put_triple(struct export *x, const char *first, const char *second, double value)
{
    fprintf(x->file, " %s %s ", first, second);
    put_number(x, value);
    fputc('\n', x->file);
}

/* L, G or E; a range is G with an entry in RANGES; N rows are not constraints. */
static char kind_of(double low, double high)
{
    if (low == high)
        return 'E';
    return isfinite(low) ? 'G' : isfinite(high) ? 'L' : 'N';
}

static enum walras_status row_block(struct export *x, const struct export_block *block,
                                    void *context)
{
    char name[EXPORT_NAME + 1];

    (void)context;
    for (size_t i = 0; i < block->n_row; i++) {
        (void)export_row_text(x, block, i, name);
        fprintf(x->file, " %c %s\n", kind_of(block->rows[i].low, block->rows[i].high), name);
    }
    return WALRAS_OK;
}

static enum walras_status row_bus(struct export *x, size_t bus, void *context)
{
    char name[EXPORT_NAME + 1];

    (void)context;
    for (size_t t = 0; t < x->n_step; t++) {
        (void)export_balance_text(x, bus, t, name);
        fprintf(x->file, " E %s\n", name);
        if (!export_has_kvar(x, bus))
            continue;
        (void)export_balance_text(x, x->n_bus + bus, t, name);
        fprintf(x->file, " E %s\n", name);
    }
    return WALRAS_OK;
}

static enum walras_status column_room(struct columns *columns, const struct export_block *block,
                                      struct walras_err *err)
{
    size_t n = block->n_column + 2, m = block->n_entry + block->n_draw + 1;
    size_t *first =
        n > columns->first_room ? realloc(columns->first, n * sizeof(*first)) : columns->first;
    size_t *list =
        m > columns->list_room ? realloc(columns->list, m * sizeof(*list)) : columns->list;

    columns->first = first ? first : columns->first;
    columns->list = list ? list : columns->list;
    if (!first || !list)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu coefficients", m);
    columns->first_room = n > columns->first_room ? n : columns->first_room;
    columns->list_room = m > columns->list_room ? m : columns->list_room;
    return WALRAS_OK;
}

static void sort_by_column(struct columns *columns, const struct export_block *block)
{
    /* counted two places further on, so that filling moves each start to where it belongs */
    for (size_t j = 0; j < block->n_column + 2; j++)
        columns->first[j] = 0;
    for (size_t k = 0; k < block->n_entry; k++)
        columns->first[block->entries[k].column + 2]++;
    for (size_t k = 0; k < block->n_draw; k++)
        columns->first[block->draws[k].column + 2]++;
    for (size_t j = 2; j < block->n_column + 2; j++)
        columns->first[j] += columns->first[j - 1];
    for (size_t k = 0; k < block->n_entry; k++)
        columns->list[columns->first[block->entries[k].column + 1]++] = k;
    for (size_t k = 0; k < block->n_draw; k++)
        columns->list[columns->first[block->draws[k].column + 1]++] = block->n_entry + k;
}

static void put_marker(struct export *x, struct columns *columns, bool whole)
{
    if (columns->whole == whole)
        return;
    columns->whole = whole;
    fprintf(x->file, " marker%zu 'MARKER' '%s'\n", columns->n_marker++,
            whole ? "INTORG" : "INTEND");
}

static enum walras_status column_block(struct export *x, const struct export_block *block,
                                       void *context)
{
    struct columns *columns = context;
    enum walras_status status = column_room(columns, block, x->err);
    char name[EXPORT_NAME + 1], row[EXPORT_NAME + 1];

    if (status != WALRAS_OK)
        return status;
    sort_by_column(columns, block);
    for (size_t j = 0; j < block->n_column; j++) {
        (void)export_column_text(x, block, j, name);
        put_marker(x, columns, block->columns[j].integer);
        if (block->columns[j].cost != 0.0 || columns->first[j] == columns->first[j + 1])
            put_triple(x, name, "cost", block->columns[j].cost);
        for (size_t i = columns->first[j]; i < columns->first[j + 1]; i++) {
            size_t k = columns->list[i];

            if (k < block->n_entry) {
                (void)export_row_text(x, block, block->entries[k].row, row);
                put_triple(x, name, row, block->entries[k].coef);
            } else {
                const struct export_draw *draw = &block->draws[k - block->n_entry];

                (void)export_balance_text(x, draw->bus, draw->step, row);
                put_triple(x, name, row, draw->coef);
            }
        }
    }
    return WALRAS_OK;
}

static enum walras_status side_block(struct export *x, const struct export_block *block,
                                     void *context)
{
    double *firm_kw = context;
    char name[EXPORT_NAME + 1];

    for (size_t i = 0; i < block->n_row; i++) {
        double low = block->rows[i].low, high = block->rows[i].high;
        double side = isfinite(low) ? low : high;

        if (side == 0.0 || !isfinite(side))
            continue;
        (void)export_row_text(x, block, i, name);
        put_triple(x, "RHS", name, side);
    }
    for (size_t t = 0; t < x->n_step && block->firm_kw; t++)
        firm_kw[t] += block->firm_kw[t];
    for (size_t t = 0; t < x->n_step && block->firm_kvar; t++)
        firm_kw[x->n_step + t] += block->firm_kvar[t];
    return WALRAS_OK;
}

static enum walras_status side_bus(struct export *x, size_t bus, void *context)
{
    double *firm_kw = context;
    char name[EXPORT_NAME + 1];

    double charging_kvar = 0.0;

    if (export_has_kvar(x, bus))
        export_charging(x, bus, &charging_kvar);
    for (size_t t = 0; t < x->n_step; t++) {
        double kvar = charging_kvar - firm_kw[x->n_step + t];

        if (firm_kw[t] != 0.0) {
            (void)export_balance_text(x, bus, t, name);
            put_triple(x, "RHS", name, -firm_kw[t]);
        }
        if (kvar != 0.0 && export_has_kvar(x, bus)) {
            (void)export_balance_text(x, x->n_bus + bus, t, name);
            put_triple(x, "RHS", name, kvar);
        }
        firm_kw[t] = firm_kw[x->n_step + t] = 0.0;
    }
    return WALRAS_OK;
}

static enum walras_status range_block(struct export *x, const struct export_block *block,
                                      void *context)
{
    char name[EXPORT_NAME + 1];

    (void)context;
    for (size_t i = 0; i < block->n_row; i++) {
        double low = block->rows[i].low, high = block->rows[i].high;

        if (!isfinite(low) || !isfinite(high) || low == high)
            continue;
        (void)export_row_text(x, block, i, name);
        put_triple(x, "RANGE", name, high - low);
    }
    return WALRAS_OK;
}

static void put_bound(struct export *x, const char *kind, const char *name, const double *value)
{
    fprintf(x->file, " %s BOUND %s", kind, name);
    if (value) {
        fputc(' ', x->file);
        put_number(x, *value);
    }
    fputc('\n', x->file);
}

static enum walras_status bound_block(struct export *x, const struct export_block *block,
                                      void *context)
{
    char name[EXPORT_NAME + 1];

    (void)context;
    for (size_t j = 0; j < block->n_column; j++) {
        const struct export_column *column = &block->columns[j];
        bool has_low = isfinite(column->low), has_high = isfinite(column->high);

        (void)export_column_text(x, block, j, name);
        if (has_low && column->low == column->high) {
            put_bound(x, "FX", name, &column->low);
        } else if (!has_low && !has_high) {
            put_bound(x, "FR", name, NULL);
        } else {
            if (!has_low)
                put_bound(x, "MI", name, NULL);
            else if (column->low != 0.0)
                put_bound(x, "LO", name, &column->low);
            if (has_high)
                put_bound(x, "UP", name, &column->high);
            else if (column->integer) /* some take 1 for an integer column's upper bound */
                put_bound(x, "PL", name, NULL);
        }
    }
    return WALRAS_OK;
}

static enum walras_status square_block(struct export *x, const struct export_block *block,
                                       void *context)
{
    char name[EXPORT_NAME + 1];

    (void)context;
    for (size_t j = 0; j < block->n_column; j++)
        if (block->columns[j].square != 0.0) {
            (void)export_column_text(x, block, j, name);
            put_triple(x, name, name, 2.0 * block->columns[j].square);
        }
    return WALRAS_OK;
}

static enum walras_status write_columns(struct export *x)
{
    static const struct export_visitor visitor = {.block = column_block};
    struct columns columns = {0};
    enum walras_status status;

    fputs("COLUMNS\n", x->file);
    put_triple(x, EXPORT_CONSTANT, "cost", x->info.constant);
    status = export_walk(x, &visitor, &columns);
    put_marker(x, &columns, false);
    free(columns.first);
    free(columns.list);
    return status;
}

static enum walras_status write_sides(struct export *x)
{
    static const struct export_visitor visitor = {.block = side_block, .bus = side_bus};
    double *firm_kw = calloc(2 * x->n_step, sizeof(*firm_kw)); /* of kW, then of kvar */
    enum walras_status status;

    if (!firm_kw)
        return walras_fail(x->err, WALRAS_NOMEM, "no memory for %zu balances", x->n_step);
    fputs("RHS\n", x->file);
    status = export_walk(x, &visitor, firm_kw);
    free(firm_kw);
    return status;
}

enum walras_status export_write_mps(struct export *x)
{
    static const struct export_visitor rows = {.block = row_block, .bus = row_bus},
                                       ranges = {.block = range_block},
                                       bounds = {.block = bound_block},
                                       squares = {.block = square_block};
    enum walras_status status;

    fputs("* Powers in kW, energies in kWh, cost in currency; written by walras export.\n"
          "NAME market\nROWS\n N cost\n",
          x->file);
    status = export_walk(x, &rows, NULL);
    if (status == WALRAS_OK)
        status = write_columns(x);
    if (status == WALRAS_OK)
        status = write_sides(x);
    if (status == WALRAS_OK) {
        fputs("RANGES\n", x->file);
        status = export_walk(x, &ranges, NULL);
    }
    if (status == WALRAS_OK) {
        fputs("BOUNDS\n FX BOUND " EXPORT_CONSTANT " 1\n", x->file);
        status = export_walk(x, &bounds, NULL);
    }
    if (status == WALRAS_OK && x->info.n_square > 0) {
        fputs("QUADOBJ\n", x->file);
        status = export_walk(x, &squares, NULL);
    }
    fputs("ENDATA\n", x->file);
    return status;
}
