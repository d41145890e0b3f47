#include "grid/matpower.h"

#include "core/file.h"
#include "grid/matpower_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t largest_file = (size_t)256 << 20; /* bytes; 80,000 buses take about 30 MB */

/* "function mpc = case5", "function [baseMVA, bus, …] = case9", "function case5". */
static enum walras_status read_function(struct grid_mp_file *file, struct grid_mp_place *place,
                                        struct walras_err *err)
{
    struct grid_mp_token token, first = {0};
    bool assigned = false, several = false;
    size_t depth = 0;
    enum walras_status status = grid_mp_next(place, &token, err); /* the word function */

    if (status == WALRAS_OK && file->function_name.kind == GRID_MP_WORD)
        return grid_mp_fail(place->name, token.line, WALRAS_UNSUPPORTED, err,
                            "a second function; expected one case in a file");
    do {
        status = status == WALRAS_OK ? grid_mp_next(place, &token, err) : status;
        if (status != WALRAS_OK)
            return status;
        if (grid_mp_is_symbol(&token, '['))
            several = true;
        if (grid_mp_is_symbol(&token, '='))
            assigned = true;
        if (token.kind == GRID_MP_WORD && first.kind != GRID_MP_WORD)
            first = token;
        if (token.kind == GRID_MP_WORD && assigned && file->function_name.kind != GRID_MP_WORD)
            file->function_name = token;
        depth += grid_mp_is_symbol(&token, '[') || grid_mp_is_symbol(&token, '(');
        depth -= depth > 0 && (grid_mp_is_symbol(&token, ']') || grid_mp_is_symbol(&token, ')'));
    } while (token.kind != GRID_MP_END && (depth > 0 || !grid_mp_is_stop(&token)));
    if (!assigned)
        file->function_name = first;
    else if (!several)
        file->struct_name = first;
    if (file->function_name.kind != GRID_MP_WORD)
        return grid_mp_fail(place->name, token.line, WALRAS_INVALID, err,
                            "a function without a name");
    return WALRAS_OK;
}

struct target {                            /* what stands before the "=" */
    struct grid_mp_token structure, field; /* structure: END when there is none */
    bool plain;                            /* nothing between the field and the "=" */
};

/* Takes "name =" or "name.field … =" apart; false when the statement begins in another way. */
static bool read_target(struct grid_mp_place *place, struct target *target)
{
    struct grid_mp_token token;

    *target = (struct target){.plain = true};
    if (grid_mp_next(place, &target->field, NULL) != WALRAS_OK ||
        target->field.kind != GRID_MP_WORD || grid_mp_next(place, &token, NULL) != WALRAS_OK)
        return false;
    if (grid_mp_is_symbol(&token, '.')) {
        target->structure = target->field;
        if (grid_mp_next(place, &target->field, NULL) != WALRAS_OK ||
            target->field.kind != GRID_MP_WORD || grid_mp_next(place, &token, NULL) != WALRAS_OK)
            return false;
    }
    target->plain = grid_mp_is_symbol(&token, '=');
    return target->plain || target->structure.kind == GRID_MP_WORD;
}

/* The struct that the fields belong to: the function's result, else the first that is used. */
static bool is_own_struct(struct grid_mp_file *file, const struct grid_mp_token *name)
{
    if (name->kind != GRID_MP_WORD)
        return true;
    if (file->struct_name.kind != GRID_MP_WORD)
        file->struct_name = *name;
    return file->struct_name.length == name->length &&
           memcmp(file->struct_name.at, name->at, name->length) == 0;
}

static enum walras_status read_version(struct grid_mp_file *file, struct grid_mp_place *place,
                                       struct walras_err *err)
{
    struct grid_mp_token token, stop;
    enum walras_status status = grid_mp_next(place, &token, err);

    if (status == WALRAS_OK)
        status = grid_mp_next(place, &stop, err);
    if (status != WALRAS_OK)
        return status;
    bool is_2 = token.kind == GRID_MP_STRING ? token.length == 1 && *token.at == '2'
                                             : token.kind == GRID_MP_NUMBER && token.number == 2.0;

    if (!is_2 || !grid_mp_is_stop(&stop))
        return grid_mp_fail(place->name, token.line, WALRAS_UNSUPPORTED, err,
                            "the version of the case format must be '2'");
    if (file->has_version)
        return grid_mp_fail(place->name, token.line, WALRAS_INVALID, err, "a second version");
    file->has_version = true;
    return WALRAS_OK;
}

static enum walras_status read_base(struct grid_mp_file *file, struct grid_mp_place *place,
                                    struct walras_err *err)
{
    struct grid_mp_token token, stop;
    enum walras_status status = grid_mp_next(place, &token, err);

    if (status == WALRAS_OK)
        status = grid_mp_next(place, &stop, err);
    if (status != WALRAS_OK)
        return status;
    if (file->base_line > 0)
        return grid_mp_fail(place->name, token.line, WALRAS_INVALID, err,
                            "a second baseMVA; the first is in line %zu", file->base_line);
    if (token.kind != GRID_MP_NUMBER || !(token.number > 0.0) || !grid_mp_is_stop(&stop))
        return grid_mp_fail(place->name, token.line, WALRAS_INVALID, err,
                            "baseMVA: expected a plain number above 0");
    file->base_mva = token.number;
    file->base_line = token.line;
    return WALRAS_OK;
}

/* Constraints and costs that users add to MATPOWER's optimal power flow: they would be lost. */
static bool extends_the_problem(const struct grid_mp_token *field)
{
    static const char *const names[] = {"A", "l", "u", "N", "fparm", "H", "Cw", "z0", "zl", "zu"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (grid_mp_is_word(field, names[i]))
            return true;
    return false;
}

enum field { FIELD_VERSION = GRID_MP_TABLES, FIELD_BASE, FIELD_OTHER }; /* or a table */

static int field_of(const struct grid_mp_token *name)
{
    for (int which = 0; which < GRID_MP_TABLES; which++)
        if (grid_mp_is_word(name, grid_mp_table_text((enum grid_mp_table_name)which)))
            return which;
    if (grid_mp_is_word(name, "version"))
        return FIELD_VERSION;
    return grid_mp_is_word(name, "baseMVA") ? FIELD_BASE : FIELD_OTHER;
}

/* Other fields are passed over; code that changes what is read is left to run_statement. */
static enum walras_status read_statement(struct grid_mp_file *file, struct grid_mp_place *place,
                                         const struct grid_mp_token *first, struct walras_err *err)
{
    struct grid_mp_place look = *place;
    struct target target;

    if (grid_mp_is_word(first, "function"))
        return read_function(file, place, err);
    if (!read_target(&look, &target) || !is_own_struct(file, &target.structure))
        return grid_mp_run_statement(file, place, err);
    int field = field_of(&target.field);

    if (target.plain && field != FIELD_OTHER) {
        *place = look;
        if (field == FIELD_VERSION)
            return read_version(file, place, err);
        return field == FIELD_BASE
                   ? read_base(file, place, err)
                   : grid_mp_read_table(file, place, (enum grid_mp_table_name)field, err);
    }
    bool version_1 = target.plain && grid_mp_is_word(&target.field, "areas");

    if (field != FIELD_OTHER || (target.structure.kind != GRID_MP_WORD && !version_1))
        return grid_mp_run_statement(file, place, err);
    if (extends_the_problem(&target.field))
        return grid_mp_fail(place->name, first->line, WALRAS_UNSUPPORTED, err,
                            "the field %.*s adds constraints or costs of the user's own",
                            (int)target.field.length, target.field.at);
    return grid_mp_skip_statement(place, err);
}

static enum walras_status read_file(struct grid_mp_file *file, struct grid_mp_place place,
                                    struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (;;) {
        struct grid_mp_place look = place;
        struct grid_mp_token first;

        status = grid_mp_next(&look, &first, err);
        if (status != WALRAS_OK || first.kind == GRID_MP_END)
            return status;
        if (grid_mp_is_stop(&first)) {
            place = look;
            continue;
        }
        status = read_statement(file, &place, &first, err);
        if (status != WALRAS_OK)
            return status;
    }
}

static enum walras_status check_complete(const struct grid_mp_file *file, struct walras_err *err)
{
    static const size_t least_columns[] = {[GRID_MP_BUS] = GRID_MP_VMIN + 1,
                                           [GRID_MP_GEN] = GRID_MP_PMIN + 1,
                                           [GRID_MP_BRANCH] = GRID_MP_BR_STATUS + 1,
                                           [GRID_MP_GENCOST] = GRID_MP_COST};

    for (int which = 0; which < GRID_MP_TABLES; which++) {
        const struct grid_mp_table *table = &file->table[which];
        const char *text = grid_mp_table_text((enum grid_mp_table_name)which);

        if (table->opened == 0 && which != GRID_MP_GENCOST)
            return grid_mp_fail(file->name, 0, WALRAS_INVALID, err,
                                "the %s table is missing; expected a MATPOWER case", text);
        if (table->n_row > 0 && table->n_column < least_columns[which])
            return grid_mp_fail(file->name, table->line[0], WALRAS_INVALID, err,
                                "the %s table has %zu columns; expected at least %zu", text,
                                table->n_column, least_columns[which]);
    }
    if (file->base_line == 0)
        return grid_mp_fail(file->name, 0, WALRAS_INVALID, err, "baseMVA is missing");
    return WALRAS_OK;
}

enum walras_status grid_case_parse(const char *name, const char *text, size_t size,
                                   struct grid_case *out, struct walras_err *err)
{
    struct grid_mp_file file = {.name = name};
    struct grid_case made = {0};
    enum walras_status status = read_file(&file, grid_mp_begin(name, text, size), err);

    if (status == WALRAS_OK)
        status = check_complete(&file, err);
    if (status == WALRAS_OK)
        status = grid_mp_build(&file, &made, err);
    for (int which = 0; which < GRID_MP_TABLES; which++) {
        free(file.table[which].value);
        free(file.table[which].line);
    }
    if (status != WALRAS_OK)
        grid_case_release(&made);
    else
        *out = made;
    return status;
}

enum walras_status grid_case_read(const char *path, struct grid_case *out, struct walras_err *err)
{
    char *text = NULL;
    size_t size = 0;
    enum walras_status status = walras_file_read(path, largest_file, &text, &size, err);

    if (status == WALRAS_OK)
        status = grid_case_parse(path, text, size, out, err);
    free(text);
    return status;
}

void grid_case_release(struct grid_case *c)
{
    if (!c)
        return;
    grid_network_release(&c->network);
    for (size_t g = 0; g < c->n_generator; g++) {
        free(c->generators[g].point_kw);
        free(c->generators[g].point_per_h);
    }
    free(c->generators);
    free(c->holds_voltage);
    free(c->name);
    *c = (struct grid_case){0};
}

enum walras_status grid_case_check_market(const struct grid_case *c, struct walras_err *err)
{
    if (c->market_fault.code == WALRAS_OK)
        return WALRAS_OK;
    return walras_fail(err, c->market_fault.code, "%s", c->market_fault.msg);
}
