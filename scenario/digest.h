/*
 * A clearing in a few lines that a utility engineer understands at once: what it cost, what prices
 * came of it and where they peak, which lines were full and when, what the certificate says.
 */
#ifndef WALRAS_SCENARIO_DIGEST_H
#define WALRAS_SCENARIO_DIGEST_H

#include "scenario/result.h"

WALRAS_NODISCARD enum walras_status
scenario_digest_print(FILE *file, const struct scenario_result *result, struct walras_err *err);

#endif
