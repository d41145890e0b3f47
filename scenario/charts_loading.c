#include "scenario/charts_internal.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_LINES = 8 };

static const char *const colours[MAX_LINES] = {CHART_VERMILION, CHART_BLUE, CHART_GREEN, CHART_PINK,
                                               CHART_ORANGE,    CHART_SKY,  "#606060",   "#B0B0B0"};

struct loaded {
    size_t line;
    double most_percent;
};

static double limit_of(const struct scenario_result *result, size_t line)
{
    return result->scenario->network.lines[line].limit_kw * result->scenario->rating_scale;
}

static double percent(const struct scenario_result *result, size_t line, size_t step)
{
    double limit_kw = limit_of(result, line);
    double flow_kw = fabs(result->flow_kw[line * result->scenario->horizon.n_step + step]);

    return limit_kw > 0.0 ? 100.0 * flow_kw / limit_kw : flow_kw > 0.0 ? 200.0 : 0.0;
}

static int by_loading(const void *a, const void *b)
{
    const struct loaded *left = a, *right = b;

    if (left->most_percent != right->most_percent)
        return left->most_percent < right->most_percent ? 1 : -1;
    return (left->line > right->line) - (left->line < right->line);
}

/* Limited lines, the most loaded first; *n_full counts line-steps at the limit. */
static size_t rank_lines(const struct scenario_result *result, struct loaded *loaded,
                         size_t *n_full)
{
    const struct grid_network *network = &result->scenario->network;
    size_t n = 0;

    *n_full = 0;
    for (size_t l = 0; l < network->n_line; l++) {
        if (!network->lines[l].in_service || !isfinite(network->lines[l].limit_kw))
            continue;
        loaded[n] = (struct loaded){.line = l};
        for (size_t t = 0; t < result->scenario->horizon.n_step; t++) {
            double now = percent(result, l, t);

            loaded[n].most_percent = fmax(loaded[n].most_percent, now);
            *n_full += now > 100.0 - 1e-3;
        }
        n++;
    }
    qsort(loaded, n, sizeof(*loaded), by_loading);
    return n;
}

static size_t count_full(const struct loaded *loaded, size_t n)
{
    size_t full = 0;

    while (full < n && loaded[full].most_percent > 100.0 - 1e-3)
        full++;
    return full;
}

struct loading_column {
    const struct scenario_result *result;
    size_t line;
};

static double loading_value(const void *context, size_t step, size_t column)
{
    const struct loading_column *of = context;

    (void)column;
    return percent(of->result, of->line, step);
}

static void write_lines(FILE *file, const struct scenario_result *result,
                        const struct loaded *loaded, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        struct loading_column column = {.result = result, .line = loaded[k].line};

        fprintf(file, "$line%zu << END\n", k);
        chart_step_rows(file, result->scenario, 1, loading_value, &column);
        fputs("END\n", file);
    }
    fputs("plot ", file);
    for (size_t k = n; k-- > 0;)
        fprintf(file,
                "$line%zu using 1:2 with lines linewidth %s linecolor rgb '%s' notitle, \\\n"
                "  ",
                k, k < 3 ? "2" : "1.2", colours[k]);
    for (size_t k = 0; k < n; k++) {
        fprintf(file, "NaN with lines linewidth 3 linecolor rgb '%s' title ", colours[k]);
        chart_text(file, result->scenario->network.lines[loaded[k].line].id);
        fputs(", \\\n  ", file);
    }
    fputs("100 with lines linewidth 1.4 dashtype 2 linecolor rgb '#8A3A00' notitle\n", file);
}

enum walras_status chart_loading(FILE *file, const struct scenario_result *result,
                                 struct walras_err *err)
{
    const struct scenario *scenario = result->scenario;
    struct loaded *loaded = malloc((scenario->network.n_line + 1) * sizeof(*loaded));
    size_t n_full = 0;

    if (!loaded)
        return walras_fail(err, WALRAS_NOMEM, "cannot sort %zu lines", scenario->network.n_line);
    size_t n = rank_lines(result, loaded, &n_full), shown = n < MAX_LINES ? n : MAX_LINES;
    double top = fmin(200.0, fmax(112.0, 1.08 * loaded[0].most_percent));

    chart_begin(file, result, "loading", "Loading of the most loaded lines",
                "%zu of %zu limited lines  ·  %zu reach their limit, in %zu line-steps", shown, n,
                count_full(loaded, n), n_full);
    chart_time_axis(file, scenario, true);
    fprintf(file,
            "set yrange [0:%.4g]\nset format y '%%g %%%%'\n"
            "set object 1 rectangle from graph 0,first 100 to graph 1,graph 1 fillcolor rgb "
            "'#FBE9DF' fillstyle solid noborder behind\n"
            "set label 4 'limit' at graph 0.006,first 100 left offset character 0,0.55 front "
            "textcolor rgb '#8A3A00'\n",
            top);
    chart_unit(file, "share of the limit", 0.04);
    write_lines(file, result, loaded, shown);
    free(loaded);
    return WALRAS_OK;
}
