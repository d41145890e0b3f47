/*
 * What the charts share: style, text, axes, step data. Private to the scenario folder.
 *
 * A chart is one function that writes a whole gnuplot script. Names come from users: they reach
 * gnuplot only through chart_text(), in single quotes, where nothing is expanded.
 */
#ifndef WALRAS_SCENARIO_CHARTS_INTERNAL_H
#define WALRAS_SCENARIO_CHARTS_INTERNAL_H

#include "scenario/result.h"

#include <stdio.h>

#define CHART_BLUE      "#0072B2"
#define CHART_VERMILION "#D55E00"
#define CHART_GREEN     "#009E73"
#define CHART_PINK      "#CC79A7"
#define CHART_ORANGE    "#E69F00"
#define CHART_SKY       "#56B4E9"
#define CHART_YELLOW    "#F0D000"
#define CHART_INK       "#404040"

enum { CHART_TIME_LIMIT_S = 60 }; /* for gnuplot */

/* Each writes its script; WALRAS_NOMEM is all that can fail, the caller judges the stream. */
enum walras_status chart_prices(FILE *file, const struct scenario_result *result,
                                struct walras_err *err);
enum walras_status chart_convergence(FILE *file, const struct scenario_result *result,
                                     struct walras_err *err);
enum walras_status chart_loading(FILE *file, const struct scenario_result *result,
                                 struct walras_err *err);
bool chart_loading_has(const struct scenario_result *result); /* something limited, and a plan */
enum walras_status chart_stack(FILE *file, const struct scenario_result *result,
                               struct walras_err *err);

/* Terminal, output file, margins, style, the title; the subtitle is the scenario's name and more.
 */
__attribute__((format(printf, 5, 6))) void chart_begin(FILE *file,
                                                       const struct scenario_result *result,
                                                       const char *png, const char *title,
                                                       const char *format, ...);
/*
 * The words as a gnuplot string in single quotes. Long ones are cut; quotes, backslashes and
 * control characters, which could end the string, are replaced.
 */
void chart_text(FILE *file, const char *words);

/* A quantity's unit above the top left corner of its axis: label 3. */
void chart_unit(FILE *file, const char *unit, double above);
/* The unit of prices in this result: "EUR/MWh" above the axis. */
void chart_price_unit(FILE *file, const struct scenario *scenario, double above);

/* The time axis of the horizon; without numbers when another panel below has them. */
void chart_time_axis(FILE *file, const struct scenario *scenario, bool numbered);
double chart_time_s(const struct scenario *scenario, size_t step); /* local, as gnuplot counts */
/* "19:15", or "2 Jul 19:15" when the horizon is longer than a day. */
void chart_time_words(const struct scenario *scenario, size_t step, char *words, size_t size);

/* Two rows a step, its beginning and its end: time and value(context, step, column). */
void chart_step_rows(FILE *file, const struct scenario *scenario, size_t n_column,
                     double (*value)(const void *context, size_t step, size_t column),
                     const void *context);
/* The same for one array [n_step]. */
void chart_step_array(FILE *file, const struct scenario *scenario, const double *values);

#endif
