/*
 * What a run leaves behind: tables, one JSON file, a chart, a summary (docs/simulation.md).
 *
 * Units    as in simulate.h; money in the scenario's currency.
 * Threads  read only.
 */
#ifndef WALRAS_SCENARIO_SIMULATE_RESULT_H
#define WALRAS_SCENARIO_SIMULATE_RESULT_H

#include "scenario/simulate.h"

#include <stdio.h>

/* "complete", "stopped" or "infeasible" (or without a plan; `why` says). */
const char *scenario_run_status(const struct scenario_run *run);

/*
 * Writes simulation.json, days.csv, windows.csv and prices.csv into `directory`, which exists:
 * WALRAS_IO "PATH: reason", WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status
scenario_run_write(const char *directory, const struct scenario_run *run, struct walras_err *err);
/* Only simulation.json, to a stream. */
void scenario_run_print_json(FILE *file, const struct scenario_run *run);
/* For people: a line a day, the total, rounds. */
void scenario_run_print(FILE *file, const struct scenario_run *run);

/* Draws run.png (and run.gp, which draws it again); WALRAS_NOT_FOUND without gnuplot. */
WALRAS_NODISCARD enum walras_status
scenario_run_chart(const char *directory, const struct scenario_run *run, struct walras_err *err);

/* Rounds and answers of the clearings that began cold, or warm; n: how many there are. */
struct scenario_run_effort {
    size_t n;
    double rounds, responses, seconds; /* mean of one */
    unsigned most_rounds;
};
struct scenario_run_effort scenario_run_effort(const struct scenario_run *run, bool warm);

#endif
