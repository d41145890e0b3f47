/*
 * Inside of the export: blocks of columns and rows, and the walk over them that every section of a
 * file makes anew. Private to scenario.
 */
#ifndef WALRAS_SCENARIO_EXPORT_INTERNAL_H
#define WALRAS_SCENARIO_EXPORT_INTERNAL_H

#include "lp/lp.h"
#include "scenario/export.h"

/* As long as CLP's reader of LP files takes them. */
enum { EXPORT_NAME = 100 };
#define EXPORT_NO_STEP SIZE_MAX

/* `what(id,id,id,step,part)`; ids that are NULL, no step and part 0 are left out. */
struct export_name {
    const char *what, *id[3];
    size_t step, part;
};

struct export_column {
    double low, high, cost, square; /* currency per unit of x and of x² */
    bool integer;
};
struct export_row {
    double low, high;
    size_t first_entry; /* its entries: from here to the next row's */
};
/* The column draws coef kW at a bus in a step; at n_bus + bus: kvar at the bus. */
struct export_draw {
    size_t column, bus, step;
    double coef;
};

/* A part of the program with columns and rows of its own: a device, a supply, the lines in a step.
 */
struct export_block {
    struct export_column *columns;
    struct export_row *rows; /* [n_row + 1] */
    struct lp_entry *entries;
    struct export_draw *draws;
    size_t n_column, n_row, n_entry, n_draw;
    size_t column_room, row_room, entry_room, draw_room;
    size_t first_column, first_row; /* numbers in the whole program */
    double constant;
    const double *firm_kw;   /* [n_step] at its bus, or NULL */
    const double *firm_kvar; /* the same */
    const void *of;          /* what the name functions need */
    size_t index;
    struct export_name (*column_name)(const struct export_block *block, size_t column);
    struct export_name (*row_name)(const struct export_block *block, size_t row);
};

struct export_line_end {
    size_t line;
    double coef; /* +1: flow leaves here */
};
struct export_loop_part {
    size_t line;
    double coef;
};

/* Lines in service, who meets whom, and the independent loops (breadth-first from the slack). */
struct export_grid {
    size_t *lines; /* [n_line] index into the network's */
    size_t n_line, n_breach;
    size_t *breach_line; /* [n_breach] the lines whose limits are soft */
    size_t n_sided;
    size_t *sided;     /* [n_sided] the lines with limits of apparent power (lindistflow) */
    size_t *first_end; /* [n_bus + 1] */
    struct export_line_end *ends;
    size_t n_loop;
    size_t *loop_line;  /* [n_loop] the line that closes it */
    size_t *first_part; /* [n_loop + 1] */
    struct export_loop_part *parts;
    double *loop_side; /* [n_loop] what the sum must be: phase shifts */
};

struct export
{
    const struct scenario *scenario;
    struct scenario_export_settings settings;
    FILE *file;
    size_t n_bus, n_step;
    struct export_grid grid;
    size_t *first_device, *devices;  /* devices by bus: [n_bus + 1], [n_device] */
    size_t *first_supply, *supplies; /* the same */
    bool reactive;                   /* lindistflow: with kvar and voltages */
    double *firm_kvar;               /* [n_step] of the device at hand */
    struct export_block block;
    struct scenario_export_info info;
    struct walras_err *err;
};

/* What a section writes; either may be NULL. `bus` comes behind a bus's blocks. */
struct export_visitor {
    enum walras_status (*block)(struct export *x, const struct export_block *block, void *context);
    enum walras_status (*bus)(struct export *x, size_t bus, void *context);
};

/* Lines step by step, then bus by bus devices and supplies: always the same blocks and numbers. */
WALRAS_NODISCARD enum walras_status
export_walk(struct export *x, const struct export_visitor *visitor, void *context);

size_t export_bus_of(const struct export *x, size_t bus);

WALRAS_NODISCARD enum walras_status export_grid_make(struct export *x);
void export_grid_release(struct export_grid *grid);
/* The lines in one step. */
WALRAS_NODISCARD enum walras_status export_grid_block(struct export *x, size_t step,
                                                      struct export_block *block);
/* The name of a flow, and its number in the whole program. */
struct export_name export_flow_name(const struct export *x, size_t line, size_t step);
size_t export_flow_number(const struct export *x, size_t line, size_t step);

/* export_volts.c: the model lindistflow. How many columns the grid's block of a step has. */
size_t export_grid_columns(const struct export *x);
/* Whether kvar are balanced at a bus: at slacks they are not. */
bool export_has_kvar(const struct export *x, size_t bus);
struct export_name export_kvar_name(const struct export *x, size_t line, size_t step);
size_t export_kvar_number(const struct export *x, size_t line, size_t step);
/* Columns and rows of the grid's block behind those of export_grid.c, rows counted from there. */
struct export_name export_volts_column_name(const struct export *x, size_t column, size_t step);
struct export_name export_volts_row_name(const struct export *x, size_t row, size_t step);
WALRAS_NODISCARD enum walras_status export_volts_columns(const struct export *x, size_t step,
                                                         struct export_block *block);
WALRAS_NODISCARD enum walras_status export_volts_rows(const struct export *x,
                                                      struct export_block *block);
/* Adds what lines' charging injects at a bus. */
void export_charging(const struct export *x, size_t bus, double *kvar);

/* Additions to a block: WALRAS_NOMEM. Entries belong to the last row. */
void export_block_clear(struct export_block *block);
WALRAS_NODISCARD enum walras_status export_block_column(struct export_block *block,
                                                        struct export_column column,
                                                        struct walras_err *err);
WALRAS_NODISCARD enum walras_status export_block_row(struct export_block *block, double low,
                                                     double high, struct walras_err *err);
WALRAS_NODISCARD enum walras_status export_block_entry(struct export_block *block, size_t column,
                                                       double coef, struct walras_err *err);
WALRAS_NODISCARD enum walras_status
export_block_draw(struct export_block *block, struct export_draw draw, struct walras_err *err);

/* Names as text, NUL-terminated; returns the length. */
size_t export_column_text(const struct export *x, const struct export_block *block, size_t column,
                          char text[EXPORT_NAME + 1]);
size_t export_row_text(const struct export *x, const struct export_block *block, size_t row,
                       char text[EXPORT_NAME + 1]);
size_t export_balance_text(const struct export *x, size_t bus, size_t step,
                           char text[EXPORT_NAME + 1]);
size_t export_name_text(const struct export *x, const struct export_name *name, char letter,
                        size_t number, char text[EXPORT_NAME + 1]);

/* The column that is 1: it carries the constant cost, and stands in rows that are empty. */
#define EXPORT_CONSTANT "constant"

WALRAS_NODISCARD enum walras_status export_write_lp(struct export *x);
WALRAS_NODISCARD enum walras_status export_write_mps(struct export *x);

#endif
