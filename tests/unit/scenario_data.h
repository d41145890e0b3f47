/*
 * The scenarios of tests/data/scenario.
 */
#ifndef WALRAS_TESTS_SCENARIO_DATA_H
#define WALRAS_TESTS_SCENARIO_DATA_H

#include "scenario/scenario.h"

/* Parses as file "t.json" with paths relative to tests/data/scenario. */
enum walras_status parse_text(const char *text, struct scenario *out, struct walras_err *err);

/* Reads tests/data/scenario/<name>. */
enum walras_status read_data(const char *name, struct scenario *out, struct walras_err *err);

#endif
