/*
 * The statements behind the tables that are understood: how MATPOWER's distribution cases, which
 * keep the literature's kW and ohm, convert them to MW and per unit. Everything else is refused,
 * because it may change the tables.
 */
#include "grid/matpower_internal.h"

#include <math.h>
#include <string.h>

static bool name_bus_columns(struct grid_mp_file *file)
{
    file->names_bus_columns = true;
    return true;
}

static bool name_branch_columns(struct grid_mp_file *file)
{
    file->names_branch_columns = true;
    return true;
}

static bool name_all_columns(struct grid_mp_file *file)
{
    return name_bus_columns(file) && name_branch_columns(file);
}

static bool name_gen_columns(struct grid_mp_file *file)
{
    (void)file; /* nothing that is understood changes the gen table */
    return true;
}

static bool wide_enough(const struct grid_mp_file *file, enum grid_mp_table_name table,
                        size_t column)
{
    return file->table[table].n_row > 0 && file->table[table].n_column > column;
}

static bool set_v_base(struct grid_mp_file *file)
{
    if (!file->names_bus_columns || !wide_enough(file, GRID_MP_BUS, GRID_MP_BASE_KV))
        return false;
    file->v_base_v = file->table[GRID_MP_BUS].value[GRID_MP_BASE_KV] * 1e3;
    return true;
}

static bool set_s_base(struct grid_mp_file *file)
{
    file->s_base_va = file->base_mva * 1e6;
    return file->base_mva > 0.0;
}

static bool set_power_factor(struct grid_mp_file *file)
{
    file->power_factor = 0.85;
    return true;
}

static bool convert_impedances(struct grid_mp_file *file)
{
    const struct grid_mp_table *branch = &file->table[GRID_MP_BRANCH];
    double base_ohm = file->v_base_v * file->v_base_v / file->s_base_va;

    if (!file->names_branch_columns || !wide_enough(file, GRID_MP_BRANCH, GRID_MP_X) ||
        !(base_ohm > 0.0) || isinf(base_ohm))
        return false;
    for (size_t row = 0; row < branch->n_row; row++) {
        branch->value[row * branch->n_column + GRID_MP_R] /= base_ohm;
        branch->value[row * branch->n_column + GRID_MP_X] /= base_ohm;
    }
    return true;
}

static bool convert_loads(struct grid_mp_file *file)
{
    const struct grid_mp_table *bus = &file->table[GRID_MP_BUS];

    if (!file->names_bus_columns || !wide_enough(file, GRID_MP_BUS, GRID_MP_QD))
        return false;
    for (size_t row = 0; row < bus->n_row; row++) {
        bus->value[row * bus->n_column + GRID_MP_PD] /= 1e3;
        bus->value[row * bus->n_column + GRID_MP_QD] /= 1e3;
    }
    return true;
}

static bool set_reactive_loads(struct grid_mp_file *file)
{
    const struct grid_mp_table *bus = &file->table[GRID_MP_BUS];

    if (!file->names_bus_columns || !(file->power_factor > 0.0) ||
        !wide_enough(file, GRID_MP_BUS, GRID_MP_QD))
        return false;
    for (size_t row = 0; row < bus->n_row; row++)
        bus->value[row * bus->n_column + GRID_MP_QD] =
            bus->value[row * bus->n_column + GRID_MP_PD] * sin(acos(file->power_factor));
    return true;
}

static bool set_active_loads(struct grid_mp_file *file)
{
    const struct grid_mp_table *bus = &file->table[GRID_MP_BUS];

    if (!file->names_bus_columns || !(file->power_factor > 0.0) ||
        !wide_enough(file, GRID_MP_BUS, GRID_MP_PD))
        return false;
    for (size_t row = 0; row < bus->n_row; row++)
        bus->value[row * bus->n_column + GRID_MP_PD] *= file->power_factor;
    return true;
}

static bool do_nothing(struct grid_mp_file *file)
{
    (void)file;
    return true;
}

/* Compared word by word, without blanks and commas; mpc stands for the file's own struct. */
static const struct {
    const char *text;
    bool (*run)(struct grid_mp_file *file); /* false: something it needs is not there */
} statements[] = {
    {"[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, VA, BASE_KV, ZONE, VMAX, "
     "VMIN, LAM_P, LAM_Q, MU_VMAX, MU_VMIN] = idx_bus",
     name_bus_columns},
    {"[F_BUS, T_BUS, BR_R, BR_X, BR_B, RATE_A, RATE_B, RATE_C, TAP, SHIFT, BR_STATUS, PF, QF, PT, "
     "QT, MU_SF, MU_ST, ANGMIN, ANGMAX, MU_ANGMIN, MU_ANGMAX] = idx_brch",
     name_branch_columns},
    {"[GEN_BUS, PG, QG, QMAX, QMIN, VG, MBASE, GEN_STATUS, PMAX, PMIN, MU_PMAX, MU_PMIN, MU_QMAX, "
     "MU_QMIN, PC1, PC2, QC1MIN, QC1MAX, QC2MIN, QC2MAX, RAMP_AGC, RAMP_10, RAMP_30, RAMP_Q, APF] "
     "= idx_gen",
     name_gen_columns},
    {"define_constants", name_all_columns},
    {"Vbase = mpc.bus(1, BASE_KV) * 1e3", set_v_base},
    {"Sbase = mpc.baseMVA * 1e6", set_s_base},
    {"mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase)",
     convert_impedances},
    {"mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3", convert_loads},
    {"pf = 0.85", set_power_factor},
    {"mpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf))", set_reactive_loads},
    {"mpc.bus(:, PD) = mpc.bus(:, PD) * pf", set_active_loads},
    {"end", do_nothing},
    {"endfunction", do_nothing},
    {"return", do_nothing},
};

static bool same_word(const struct grid_mp_file *file, const struct grid_mp_token *known,
                      const struct grid_mp_token *found)
{
    if (known->kind != found->kind)
        return false;
    if (known->kind == GRID_MP_NUMBER)
        return known->number == found->number;
    if (grid_mp_is_word(known, "mpc") && file->struct_name.kind == GRID_MP_WORD)
        known = &file->struct_name;
    return known->length == found->length && memcmp(known->at, found->at, known->length) == 0;
}

/* The next word that is no comma (and no line end, which only stands within brackets here). */
static enum walras_status next_word(struct grid_mp_place *place, bool in_brackets,
                                    struct grid_mp_token *token, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    do
        status = grid_mp_next(place, token, err);
    while (status == WALRAS_OK && in_brackets &&
           (grid_mp_is_symbol(token, ',') || token->kind == GRID_MP_NEWLINE));
    return status;
}

/* Whether the statement at `place` reads like `text`. A word that cannot be read is none. */
static bool reads_like(const struct grid_mp_file *file, struct grid_mp_place place,
                       const char *text)
{
    struct grid_mp_place pattern = grid_mp_begin("", text, strlen(text));
    struct grid_mp_token known, found;
    size_t depth = 0;

    for (;;) {
        if (next_word(&pattern, depth > 0, &known, NULL) != WALRAS_OK ||
            next_word(&place, depth > 0, &found, NULL) != WALRAS_OK)
            return false;
        if (known.kind == GRID_MP_END)
            return grid_mp_is_stop(&found);
        if (!same_word(file, &known, &found))
            return false;
        if (known.kind == GRID_MP_SYMBOL && strchr("([", *known.at))
            depth++;
        else if (known.kind == GRID_MP_SYMBOL && strchr(")]", *known.at))
            depth--;
    }
}

/* The first words of a statement, for a message. */
static size_t quote_length(const struct grid_mp_place *place, const char *at)
{
    size_t n = 0;

    while (n < 60 && at + n < place->end && at[n] >= ' ' && at[n] <= '~')
        n++;
    return n;
}

enum walras_status grid_mp_run_statement(struct grid_mp_file *file, struct grid_mp_place *place,
                                         struct walras_err *err)
{
    struct grid_mp_place look = *place;
    struct grid_mp_token first;
    enum walras_status status = grid_mp_next(&look, &first, err);

    if (status != WALRAS_OK)
        return status;
    int quoted = (int)quote_length(place, first.at);

    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        if (!reads_like(file, *place, statements[i].text))
            continue;
        if (!statements[i].run(file))
            return grid_mp_fail(place->name, first.line, WALRAS_INVALID, err,
                                "'%.*s' needs tables or names that are not there before it", quoted,
                                first.at);
        return grid_mp_skip_statement(place, err);
    }
    return grid_mp_fail(place->name, first.line, WALRAS_UNSUPPORTED, err,
                        "the statement '%.*s' may change the case and is not understood; run it in "
                        "MATPOWER and save the result with savecase",
                        quoted, first.at);
}
