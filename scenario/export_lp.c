/* CPLEX LP, row by row. No ranges, no constant: what every reader of the format takes. */
#include "core/text.h"
#include "scenario/export_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS_A_LINE = 4 };

struct terms { /* of a row, as text */
    struct walras_text text;
    size_t n;
};

struct rows {
    struct terms own;
    struct terms *balance; /* [2 n_step] of the bus that is walked: of kW, then of kvar */
    double *firm_kw;       /* [2 n_step] the same */
};

static void put_number(struct export *x, double value)
{
    char text[WALRAS_NUMBER_TEXT];

    fwrite(text, 1, walras_number_text(value, text), x->file);
}

/* " + 2.5 name", some to a line. */
static void add_term(struct terms *terms, double coef, const char *name, size_t size)
{
    char number[WALRAS_NUMBER_TEXT];
    struct walras_text *text = &terms->text;

    if (terms->n > 0 && terms->n % TERMS_A_LINE == 0)
        walras_text_add(text, "\n ", 2);
    terms->n++;
    walras_text_add(text, coef < 0.0 ? " - " : " + ", 3);
    if (fabs(coef) != 1.0) {
        walras_text_add(text, number, walras_number_text(fabs(coef), number));
        walras_text_add(text, " ", 1);
    }
    walras_text_add(text, name, size);
}

static void clear_terms(struct terms *terms)
{
    terms->text.size = 0;
    terms->n = 0;
}

static void put_terms(struct export *x, const char *name, const char *suffix,
                      const struct terms *terms, const char *relation, double side)
{
    fprintf(x->file, " %s%s:", name, suffix);
    fwrite(terms->text.data, 1, terms->text.size, x->file);
    fputs(relation, x->file);
    put_number(x, side);
    fputc('\n', x->file);
}

static enum walras_status put_row(struct export *x, const char *name, struct terms *terms,
                                  double low, double high)
{
    bool both = isfinite(low) && isfinite(high) && low < high;

    if (terms->n == 0)
        add_term(terms, 0.0, EXPORT_CONSTANT, strlen(EXPORT_CONSTANT));
    if (terms->text.failure != WALRAS_OK)
        return walras_fail(x->err, WALRAS_NOMEM, "no memory for row %s", name);
    if (low == high) {
        put_terms(x, name, "", terms, " = ", low);
        return WALRAS_OK;
    }
    if (isfinite(low))
        put_terms(x, name, both ? ".low" : "", terms, " >= ", low);
    if (isfinite(high))
        put_terms(x, name, both ? ".high" : "", terms, " <= ", high);
    return WALRAS_OK;
}

static enum walras_status cost_block(struct export *x, const struct export_block *block,
                                     void *context)
{
    struct terms *terms = context;
    char name[EXPORT_NAME + 1];

    clear_terms(terms);
    for (size_t j = 0; j < block->n_column; j++)
        if (block->columns[j].cost != 0.0)
            add_term(terms, block->columns[j].cost, name, export_column_text(x, block, j, name));
    if (terms->text.failure != WALRAS_OK)
        return walras_fail(x->err, WALRAS_NOMEM, "no memory for the costs of a device");
    if (terms->n > 0) {
        fputs("\n ", x->file);
        fwrite(terms->text.data, 1, terms->text.size, x->file);
    }
    return WALRAS_OK;
}

static enum walras_status square_block(struct export *x, const struct export_block *block,
                                       void *context)
{
    char name[EXPORT_NAME + 1];

    (void)context;
    for (size_t j = 0; j < block->n_column; j++) {
        if (block->columns[j].square == 0.0)
            continue;
        (void)export_column_text(x, block, j, name);
        fputs("\n  + ", x->file); /* costs of squares are positive */
        put_number(x, 2.0 * block->columns[j].square);
        fprintf(x->file, " %s ^ 2", name);
    }
    return WALRAS_OK;
}

static enum walras_status row_block(struct export *x, const struct export_block *block,
                                    void *context)
{
    struct rows *rows = context;
    enum walras_status status = WALRAS_OK;
    char name[EXPORT_NAME + 1];
    bool is_grid = block->of == x; /* its balances come from each bus's own line ends */

    for (size_t i = 0; i < block->n_row && status == WALRAS_OK; i++) {
        clear_terms(&rows->own);
        for (size_t k = block->rows[i].first_entry; k < block->rows[i + 1].first_entry; k++) {
            size_t size = export_column_text(x, block, block->entries[k].column, name);

            add_term(&rows->own, block->entries[k].coef, name, size);
        }
        (void)export_row_text(x, block, i, name);
        status = put_row(x, name, &rows->own, block->rows[i].low, block->rows[i].high);
    }
    for (size_t i = 0; i < block->n_draw && !is_grid; i++) {
        size_t size = export_column_text(x, block, block->draws[i].column, name);

        add_term(
            &rows->balance[block->draws[i].step + (block->draws[i].bus < x->n_bus ? 0 : x->n_step)],
            block->draws[i].coef, name, size);
    }
    for (size_t t = 0; t < x->n_step && block->firm_kw; t++)
        rows->firm_kw[t] += block->firm_kw[t];
    for (size_t t = 0; t < x->n_step && block->firm_kvar; t++)
        rows->firm_kw[x->n_step + t] += block->firm_kvar[t];
    return status;
}

/* Beside the kW of a bus its kvar, with those of its lines' charging. */
static enum walras_status balance_kvar(struct export *x, size_t bus, size_t t, struct rows *rows)
{
    struct terms *balance = &rows->balance[x->n_step + t];
    double *firm_kvar = &rows->firm_kw[x->n_step + t], charging_kvar = 0.0;
    enum walras_status status = WALRAS_OK;
    char text[EXPORT_NAME + 1];

    for (size_t e = x->grid.first_end[bus]; e < x->grid.first_end[bus + 1]; e++) {
        size_t line = x->grid.ends[e].line;
        struct export_name name = export_kvar_name(x, line, t);
        size_t size = export_name_text(x, &name, 'x', export_kvar_number(x, line, t), text);

        add_term(balance, x->grid.ends[e].coef, text, size);
    }
    export_charging(x, bus, &charging_kvar);
    (void)export_balance_text(x, x->n_bus + bus, t, text);
    status = put_row(x, text, balance, charging_kvar - *firm_kvar, charging_kvar - *firm_kvar);
    clear_terms(balance);
    *firm_kvar = 0.0;
    return status;
}

static enum walras_status balance_bus(struct export *x, size_t bus, void *context)
{
    struct rows *rows = context;
    enum walras_status status = WALRAS_OK;
    char text[EXPORT_NAME + 1];

    for (size_t t = 0; t < x->n_step && status == WALRAS_OK; t++) {
        for (size_t e = x->grid.first_end[bus]; e < x->grid.first_end[bus + 1]; e++) {
            size_t line = x->grid.ends[e].line;
            struct export_name name = export_flow_name(x, line, t);
            size_t size = export_name_text(x, &name, 'x', export_flow_number(x, line, t), text);

            add_term(&rows->balance[t], x->grid.ends[e].coef, text, size);
        }
        (void)export_balance_text(x, bus, t, text);
        status =
            put_row(x, text, &rows->balance[t], 0.0 - rows->firm_kw[t], 0.0 - rows->firm_kw[t]);
        clear_terms(&rows->balance[t]);
        rows->firm_kw[t] = 0.0;
        if (status == WALRAS_OK && export_has_kvar(x, bus))
            status = balance_kvar(x, bus, t, rows);
    }
    return status;
}

static enum walras_status bound_block(struct export *x, const struct export_block *block,
                                      void *context)
{
    char name[EXPORT_NAME + 1];

    (void)context;
    for (size_t j = 0; j < block->n_column; j++) {
        double low = block->columns[j].low, high = block->columns[j].high;

        if (low == 0.0 && high == (double)INFINITY)
            continue;
        (void)export_column_text(x, block, j, name);
        fputc(' ', x->file);
        if (low == high) {
            fprintf(x->file, "%s = ", name);
            put_number(x, low);
        } else if (!isfinite(low) && !isfinite(high)) {
            fprintf(x->file, "%s free", name);
        } else {
            if (isfinite(low))
                put_number(x, low);
            else
                fputs("-inf", x->file);
            fprintf(x->file, " <= %s", name);
            if (isfinite(high)) {
                fputs(" <= ", x->file);
                put_number(x, high);
            }
        }
        fputc('\n', x->file);
    }
    return WALRAS_OK;
}

static enum walras_status integer_block(struct export *x, const struct export_block *block,
                                        void *context)
{
    char name[EXPORT_NAME + 1];

    (void)context;
    for (size_t j = 0; j < block->n_column; j++)
        if (block->columns[j].integer) {
            (void)export_column_text(x, block, j, name);
            fprintf(x->file, " %s\n", name);
        }
    return WALRAS_OK;
}

static enum walras_status write_objective(struct export *x, struct rows *rows)
{
    static const struct export_visitor costs = {.block = cost_block},
                                       squares = {.block = square_block};
    enum walras_status status;

    fputs("Minimize\n cost: ", x->file);
    put_number(x, x->info.constant);
    fputs(" " EXPORT_CONSTANT, x->file);
    status = export_walk(x, &costs, &rows->own);
    if (status == WALRAS_OK && x->info.n_square > 0) {
        fputs("\n  + [", x->file);
        status = export_walk(x, &squares, NULL);
        fputs(" ] / 2", x->file);
    }
    return status;
}

static enum walras_status write_all(struct export *x, struct rows *rows)
{
    static const struct export_visitor of_rows = {.block = row_block, .bus = balance_bus},
                                       bounds = {.block = bound_block},
                                       integers = {.block = integer_block};
    enum walras_status status;

    fputs("\\ Powers in kW, energies in kWh, cost in currency; written by walras export.\n",
          x->file);
    status = write_objective(x, rows);
    if (status == WALRAS_OK) {
        fputs("\nSubject To\n", x->file);
        status = export_walk(x, &of_rows, rows);
    }
    if (status == WALRAS_OK) {
        fputs("Bounds\n " EXPORT_CONSTANT " = 1\n", x->file);
        status = export_walk(x, &bounds, NULL);
    }
    if (status == WALRAS_OK && x->info.n_integer > 0) {
        fputs("General\n", x->file);
        status = export_walk(x, &integers, NULL);
    }
    fputs("End\n", x->file);
    return status;
}

enum walras_status export_write_lp(struct export *x)
{
    struct rows rows = {.balance = calloc(2 * x->n_step, sizeof(*rows.balance)),
                        .firm_kw = calloc(2 * x->n_step, sizeof(*rows.firm_kw))};
    enum walras_status status;

    if (!rows.balance || !rows.firm_kw) {
        status = walras_fail(x->err, WALRAS_NOMEM, "no memory for %zu balances", x->n_step);
        goto out;
    }
    walras_text_init(&rows.own.text, SIZE_MAX / 4);
    for (size_t t = 0; t < 2 * x->n_step; t++)
        walras_text_init(&rows.balance[t].text, SIZE_MAX / 4);
    status = write_all(x, &rows);
    walras_text_release(&rows.own.text);
    for (size_t t = 0; t < 2 * x->n_step; t++)
        walras_text_release(&rows.balance[t].text);
out:
    free(rows.balance);
    free(rows.firm_kw);
    return status;
}
