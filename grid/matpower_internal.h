/*
 * The parts of the MATPOWER reader: words, then tables and the few statements that are understood,
 * then the case. Only grid/matpower*.c include this.
 */
#ifndef WALRAS_GRID_MATPOWER_INTERNAL_H
#define WALRAS_GRID_MATPOWER_INTERNAL_H

#include "grid/matpower.h"

enum grid_mp_kind {
    GRID_MP_END,
    GRID_MP_NEWLINE,
    GRID_MP_NUMBER,
    GRID_MP_WORD,
    GRID_MP_STRING, /* at, length: without the quotes */
    GRID_MP_SYMBOL
};

struct grid_mp_token {
    enum grid_mp_kind kind;
    const char *at; /* into the text */
    size_t length, line;
    double number; /* of a NUMBER, finite */
    bool spaced;   /* something blank stands before it */
};

/* Where reading stands. A copy is a look ahead. */
struct grid_mp_place {
    const char *name; /* of the file, in messages */
    const char *begin, *at, *end;
    size_t line;
    bool after_value; /* an apostrophe that touches it transposes */
};

struct grid_mp_place grid_mp_begin(const char *name, const char *text, size_t size);
WALRAS_NODISCARD enum walras_status
grid_mp_next(struct grid_mp_place *place, struct grid_mp_token *token, struct walras_err *err);
bool grid_mp_is_symbol(const struct grid_mp_token *token, char symbol);
bool grid_mp_is_word(const struct grid_mp_token *token, const char *word);
/* ; , a new line or the end: what ends a statement outside of brackets. */
bool grid_mp_is_stop(const struct grid_mp_token *token);
/* Goes past the end of the statement that begins here, over brackets of any kind. */
WALRAS_NODISCARD enum walras_status grid_mp_skip_statement(struct grid_mp_place *place,
                                                           struct walras_err *err);

/* walras_fail with "<file>:<line>: " before the message; line 0: "<file>: ". */
__attribute__((format(printf, 5, 6))) enum walras_status grid_mp_fail(const char *name, size_t line,
                                                                      enum walras_status status,
                                                                      struct walras_err *err,
                                                                      const char *format, ...);

enum grid_mp_table_name {
    GRID_MP_BUS,
    GRID_MP_GEN,
    GRID_MP_BRANCH,
    GRID_MP_GENCOST,
    GRID_MP_TABLES
};

struct grid_mp_table {
    double *value; /* [n_row x n_column], row-major */
    size_t *line;  /* [n_row] */
    size_t n_row, n_column;
    size_t opened; /* the line where it begins; 0: it is not there */
};

struct grid_mp_file {
    const char *name;
    double base_mva; /* 0: not there */
    size_t base_line;
    struct grid_mp_table table[GRID_MP_TABLES];
    struct grid_mp_token function_name, struct_name; /* END when not given */
    bool has_version, names_bus_columns, names_branch_columns;
    double v_base_v, s_base_va, power_factor; /* 0: not set */
};

/* From 0, as in the manual's tables B-1 to B-4. */
enum {
    GRID_MP_BUS_ID = 0,
    GRID_MP_BUS_TYPE = 1,
    GRID_MP_PD = 2,
    GRID_MP_QD = 3,
    GRID_MP_GS = 4,
    GRID_MP_BS = 5,
    GRID_MP_VM = 7,
    GRID_MP_BASE_KV = 9,
    GRID_MP_VMAX = 11,
    GRID_MP_VMIN = 12,
    GRID_MP_GEN_BUS = 0,
    GRID_MP_PG = 1,
    GRID_MP_QG = 2,
    GRID_MP_QMAX = 3,
    GRID_MP_QMIN = 4,
    GRID_MP_VG = 5,
    GRID_MP_GEN_STATUS = 7,
    GRID_MP_PMAX = 8,
    GRID_MP_PMIN = 9,
    GRID_MP_F_BUS = 0,
    GRID_MP_T_BUS = 1,
    GRID_MP_R = 2,
    GRID_MP_X = 3,
    GRID_MP_B = 4,
    GRID_MP_RATE_A = 5,
    GRID_MP_TAP = 8,
    GRID_MP_SHIFT = 9,
    GRID_MP_BR_STATUS = 10,
    GRID_MP_COST_MODEL = 0,
    GRID_MP_N_COST = 3,
    GRID_MP_COST = 4
};

const char *grid_mp_table_text(enum grid_mp_table_name table);

/* Reads "[ … ]" from `place`, which stands behind the "=", into file->table[which]. */
WALRAS_NODISCARD enum walras_status grid_mp_read_table(struct grid_mp_file *file,
                                                       struct grid_mp_place *place,
                                                       enum grid_mp_table_name which,
                                                       struct walras_err *err);
/* Carries out the statement that begins at `place`, or fails because it is not a known one. */
WALRAS_NODISCARD enum walras_status grid_mp_run_statement(struct grid_mp_file *file,
                                                          struct grid_mp_place *place,
                                                          struct walras_err *err);
/* Limits and costs of the generators in service; a fault of theirs goes to c->market_fault. */
WALRAS_NODISCARD enum walras_status grid_mp_read_costs(const struct grid_mp_file *file,
                                                       struct grid_case *c, struct walras_err *err);
/* The whole case from the tables; *c is zeroed, and released by the caller on failure. */
WALRAS_NODISCARD enum walras_status grid_mp_build(const struct grid_mp_file *file,
                                                  struct grid_case *c, struct walras_err *err);

#endif
