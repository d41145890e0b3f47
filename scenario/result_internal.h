/*
 * The tables beside result.json. Private to the scenario folder.
 */
#ifndef WALRAS_SCENARIO_RESULT_INTERNAL_H
#define WALRAS_SCENARIO_RESULT_INTERNAL_H

#include "scenario/result.h"

/* The shortest text that reads back the same, and what ends the field; nothing when not finite. */

void result_write_awards(FILE *file, const struct scenario_result *result);
void result_write_prices(FILE *file, const struct scenario_result *result);
void result_write_rounds(FILE *file, const struct scenario_result *result);

#endif
