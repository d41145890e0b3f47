/*
 * Whether two scenarios are the same market, field by field, and helpers to read them in tests.
 */
#ifndef WALRAS_TESTS_SAME_SCENARIO_H
#define WALRAS_TESTS_SAME_SCENARIO_H

#include "scenario/scenario.h"

/* False, with what differs on standard error, when they are not. */
bool same_scenario(const struct scenario *a, const struct scenario *b);

/* scenario_expand into memory; the caller frees. */
char *expanded(const struct scenario *scenario);

/* Parses with paths relative to tests/data/scenario. */
enum walras_status parse_text(const char *text, struct scenario *out, struct walras_err *err);

/* Reads tests/data/scenario/<name>. */
enum walras_status read_data(const char *name, struct scenario *out, struct walras_err *err);

#endif
