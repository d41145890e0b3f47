/*
 * The tables beside result.json. Private to the scenario folder.
 */
#ifndef WALRAS_SCENARIO_RESULT_INTERNAL_H
#define WALRAS_SCENARIO_RESULT_INTERNAL_H

#include "scenario/result.h"

/* file: NULL on ranks other than 0, whose lines go to rank 0. */
WALRAS_NODISCARD enum walras_status
result_write_awards(FILE *file, const struct scenario_result *result, struct walras_err *err);
WALRAS_NODISCARD enum walras_status
result_write_prices(FILE *file, const struct scenario_result *result, struct walras_err *err);
WALRAS_NODISCARD enum walras_status
result_write_rounds(FILE *file, const struct scenario_result *result, struct walras_err *err);

#endif
