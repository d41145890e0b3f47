/*
 * A scenario written out in full: fleets as plain agents, series as arrays, the grid inline.
 *
 * What is written reads back as the same scenario, field by field, and names no file but those of
 * `lp` devices.
 */
#ifndef WALRAS_SCENARIO_EXPAND_H
#define WALRAS_SCENARIO_EXPAND_H

#include "scenario/scenario.h"

#include <stdio.h>

/* Write failures are the stream's: judge it with walras_file_finish. */
void scenario_expand(const struct scenario *scenario, FILE *file);
/* The same without agents: horizon, grid and exchange. */
void scenario_expand_grid(const struct scenario *scenario, FILE *file);

#endif
