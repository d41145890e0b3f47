/*
 * Why a price is what it is, in words and numbers, from the files of a result.
 *
 * Reads grid.json (the grid and the exchange, as a scenario) and result.json of a directory that
 * `walras clear --out` wrote. What each binding limit adds is found anew from the grid: its shadow
 * price times what a kW drawn at the bus does to it.
 *
 * Threads  no shared state.
 */
#ifndef WALRAS_SCENARIO_EXPLAIN_H
#define WALRAS_SCENARIO_EXPLAIN_H

#include "core/status.h"

#include <stdio.h>

/*
 * Returns WALRAS_INVALID for a bus or step that is not there, a result without prices, or files
 * that do not fit together; WALRAS_IO when one cannot be read. On failure nothing is printed.
 */
WALRAS_NODISCARD enum walras_status scenario_explain(const char *directory, const char *bus,
                                                     size_t step, FILE *file,
                                                     struct walras_err *err);

#endif
