/*
 * A whole market as one linear (mixed-integer, quadratic) program, written as CPLEX LP or free MPS.
 *
 * Model    docs/mathematics.md, eq. 1 and 2, with every device's own columns and rows
 *          (agents/program.h), a flow for every line and step, the balance of every bus, and
 *          Kirchhoff's voltage law around every independent loop; in the model lindistflow, flows
 *          and balances of kvar and squares of voltages besides (docs/grid.md). Objective in
 *          currency, minimised; what is constant in it is the cost of the column `constant`, 1.
 * Streamed  device by device, once for every section of the file: memory is that of one device and
 *          of one bus's balances.
 * Names    `what(agent,device,step)`; escaped so that no two are alike, docs/scenario.md.
 * Threads  no shared state.
 */
#ifndef WALRAS_SCENARIO_EXPORT_H
#define WALRAS_SCENARIO_EXPORT_H

#include "scenario/scenario.h"

#include <stdio.h>

enum scenario_export_format { SCENARIO_EXPORT_LP, SCENARIO_EXPORT_MPS };

struct scenario_export_settings {
    enum scenario_export_format format;
    bool short_names; /* x0, r0 … : smaller files, less for a reader to keep */
};

struct scenario_export_info {
    size_t n_column, n_row, n_entry; /* entries without the objective's */
    size_t n_integer, n_square;      /* columns that are whole, that have a quadratic cost */
    double constant;                 /* of the objective */
};

/*
 * Write failures are the stream's: check it at the end (walras_file_finish). info may be NULL.
 * Returns WALRAS_INVALID or WALRAS_IO for what an lp device's file is refused for, WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status scenario_export(const struct scenario *scenario,
                                                    const struct scenario_export_settings *settings,
                                                    FILE *file, struct scenario_export_info *info,
                                                    struct walras_err *err);

#endif
