/*
 * Whether two scenarios are the same market, field by field.
 */
#ifndef WALRAS_TESTS_SAME_SCENARIO_H
#define WALRAS_TESTS_SAME_SCENARIO_H

#include "scenario/scenario.h"

/* False, with what differs on standard error, when they are not. */
bool same_scenario(const struct scenario *a, const struct scenario *b);

/* scenario_expand into memory; the caller frees. */
char *expanded(const struct scenario *scenario);

#endif
