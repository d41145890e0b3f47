#include "scenario/charts_internal.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_SHOWN = 8 };

static const char *const colours[MAX_SHOWN] = {CHART_VERMILION, CHART_BLUE, CHART_GREEN, CHART_PINK,
                                               CHART_ORANGE,    CHART_SKY,  "#606060",   "#B0B0B0"};

struct loaded {
    size_t limit; /* a line, or n_line + a supply */
    double most_percent;
};

static double share(double used_kw, double limit_kw)
{
    return limit_kw > 0.0 ? 100.0 * used_kw / limit_kw : used_kw > 0.0 ? 200.0 : 0.0;
}

/* Use of a line, by active or, where that has a limit, by apparent power. */
static double line_percent(const struct scenario_result *result, size_t line, size_t at)
{
    const struct scenario *scenario = result->scenario;
    const struct grid_line *limits = &scenario->network.lines[line];
    double percent = share(fabs(result->flow_kw[at]), limits->limit_kw * scenario->rating_scale);

    if (!result->flow_kvar || !(limits->limit_kva > 0.0))
        return percent;
    return fmax(percent, share(hypot(result->flow_kw[at], result->flow_kvar[at]),
                               limits->limit_kva * scenario->rating_scale));
}

/* Use of a limit in a step, %: of a line, or of a supply's import. */
static double percent(const struct scenario_result *result, size_t limit, size_t step)
{
    const struct scenario *scenario = result->scenario;
    size_t n_line = scenario->network.n_line, n_step = scenario->horizon.n_step;

    if (limit < n_line)
        return line_percent(result, limit, limit * n_step + step);
    return share(fmax(0.0, result->import_kw[(limit - n_line) * n_step + step]),
                 walras_series_at(scenario->supplies[limit - n_line].import_limit_kw, step));
}

static bool is_limited(const struct scenario *scenario, size_t limit)
{
    size_t n_line = scenario->network.n_line;

    if (limit < n_line)
        return scenario->network.lines[limit].in_service &&
               (isfinite(scenario->network.lines[limit].limit_kw) ||
                (scenario->model == SCENARIO_LINDISTFLOW &&
                 scenario->network.lines[limit].limit_kva > 0.0));
    return isfinite(walras_series_at(scenario->supplies[limit - n_line].import_limit_kw, 0));
}

bool chart_loading_has(const struct scenario_result *result)
{
    for (size_t k = 0; k < result->scenario->network.n_line + result->scenario->n_supply; k++)
        if (is_limited(result->scenario, k))
            return result->flow_kw != NULL && result->import_kw != NULL;
    return false;
}

static int by_loading(const void *a, const void *b)
{
    const struct loaded *left = a, *right = b;

    if (left->most_percent != right->most_percent)
        return left->most_percent < right->most_percent ? 1 : -1;
    return (left->limit > right->limit) - (left->limit < right->limit);
}

struct counts {
    size_t limits, full, full_steps; /* full: reached in some step */
};

/* The limits, the most used first. */
static struct counts rank_limits(const struct scenario_result *result, struct loaded *loaded)
{
    const struct scenario *scenario = result->scenario;
    struct counts counts = {0};

    for (size_t k = 0; k < scenario->network.n_line + scenario->n_supply; k++) {
        size_t full_steps = 0;

        if (!is_limited(scenario, k))
            continue;
        loaded[counts.limits] = (struct loaded){.limit = k};
        for (size_t t = 0; t < scenario->horizon.n_step; t++) {
            double now = percent(result, k, t);

            loaded[counts.limits].most_percent = fmax(loaded[counts.limits].most_percent, now);
            full_steps += now > 100.0 - 1e-3;
        }
        counts.limits++;
        counts.full += full_steps > 0;
        counts.full_steps += full_steps;
    }
    qsort(loaded, counts.limits, sizeof(*loaded), by_loading);
    return counts;
}

struct loading_column {
    const struct scenario_result *result;
    size_t limit;
};

static double loading_value(const void *context, size_t step, size_t column)
{
    const struct loading_column *of = context;

    (void)column;
    return percent(of->result, of->limit, step);
}

static void write_name(FILE *file, const struct scenario *scenario, size_t limit)
{
    size_t n_line = scenario->network.n_line;
    char words[64];

    if (limit < n_line)
        snprintf(words, sizeof(words), "line %.30s", scenario->network.lines[limit].id);
    else
        snprintf(words, sizeof(words), "import %.30s", scenario->supplies[limit - n_line].id);
    chart_text(file, words);
}

static void write_lines(FILE *file, const struct scenario_result *result,
                        const struct loaded *loaded, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        struct loading_column column = {.result = result, .limit = loaded[k].limit};

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
        write_name(file, result->scenario, loaded[k].limit);
        fputs(", \\\n  ", file);
    }
    fputs("100 with lines linewidth 1.4 dashtype 2 linecolor rgb '#8A3A00' notitle\n", file);
}

enum walras_status chart_loading(FILE *file, const struct scenario_result *result,
                                 struct walras_err *err)
{
    const struct scenario *scenario = result->scenario;
    size_t n = scenario->network.n_line + scenario->n_supply;
    struct loaded *loaded = malloc((n + 1) * sizeof(*loaded));

    if (!loaded)
        return walras_fail(err, WALRAS_NOMEM, "cannot sort %zu limits", n);
    struct counts counts = rank_limits(result, loaded);
    size_t shown = counts.limits < MAX_SHOWN ? counts.limits : MAX_SHOWN;
    double top = fmin(200.0, fmax(112.0, 1.08 * loaded[0].most_percent));

    chart_begin(file, result, "loading", "Loading of lines and imports",
                "the %zu most loaded of %zu  ·  %zu reach%s limit, for %.4g h together", shown,
                counts.limits, counts.full, counts.full == 1 ? "es its" : " their",
                (double)counts.full_steps * scenario->horizon.step_h);
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
