#include "scenario/charts_internal.h"

#include "core/file.h"
#include "scenario/compare.h"
#include "scenario/gnuplot.h"

#include <math.h>
#include <stdlib.h>

/*
 * A method's curve: gap against what it took. Curves end in a mark, so that methods are told apart
 * by colour, by mark and, beyond eight, by dashes.
 */
static const struct {
    const char *colour;
    int mark;
} styles[] = {{CHART_BLUE, 7}, {CHART_VERMILION, 5}, {CHART_GREEN, 9}, {CHART_PINK, 11},
              {CHART_SKY, 13}, {CHART_ORANGE, 6},    {CHART_INK, 4},   {CHART_YELLOW, 8}};

enum { N_STYLE = sizeof(styles) / sizeof(styles[0]), N_PANEL = 3 };

#define LEFT  0.075 /* of the panels, in widths of the picture */
#define RIGHT 0.775
#define SPACE 0.028

#define LEAST_GAP 1e-12 /* less is drawn there: 0 has no place on a logarithmic axis */

struct span {
    double low, high;
};

struct comparison_chart {
    const struct scenario_comparison *c;
    const char *name, *title, *unit;
    bool bound_alone;
};

static double gap_of(const struct comparison_chart *chart, const struct market_round *round)
{
    return chart->bound_alone ? scenario_bound_gap(chart->c, round) : round->gap;
}

static bool is_drawn(const struct comparison_chart *chart, const struct scenario_run *run)
{
    for (unsigned r = 0; r < run->n_round && scenario_run_is_sound(run); r++)
        if (isfinite(gap_of(chart, &run->history[r])))
            return true;
    return false;
}

static double cost_of(size_t panel, const struct market_round *round)
{
    if (panel == 0)
        return round->round;
    return panel == 1 ? (double)round->n_responses : round->elapsed_s;
}

static void widen(struct span *span, double value)
{
    span->low = fmin(span->low, value);
    span->high = fmax(span->high, value);
}

/* Of the gaps, and of the table's levels; the first gaps of some methods are beyond all measure. */
static struct span gap_span(const struct comparison_chart *chart)
{
    struct span span = {.low = chart->c->gap_asked, .high = chart->c->levels[0]};

    for (size_t i = 0; i < chart->c->n_run; i++) {
        const struct scenario_run *run = &chart->c->runs[i];

        for (unsigned r = 0; r < run->n_round && is_drawn(chart, run); r++) {
            double gap = gap_of(chart, &run->history[r]);

            if (isfinite(gap))
                widen(&span, fmin(fmax(gap, LEAST_GAP), 10.0));
        }
    }
    return (struct span){.low = span.low / 1.5, .high = span.high * 1.5};
}

/* Of what a panel counts, rounds without a gap included; high is 0 when it counts nothing. */
static struct span cost_span(const struct comparison_chart *chart, size_t panel)
{
    struct span span = {.low = INFINITY, .high = 0.0};

    for (size_t i = 0; i < chart->c->n_run; i++) {
        const struct scenario_run *run = &chart->c->runs[i];

        for (unsigned r = 0; r < run->n_round && is_drawn(chart, run); r++) {
            double cost = cost_of(panel, &run->history[r]);

            if (cost > 0.0)
                widen(&span, cost);
        }
    }
    return (struct span){.low = span.low / 1.3, .high = span.high * 1.3};
}

/* Labels at 1, 2 and 5 of each decade while there are few, at each, or at every other. */
static void write_tics(FILE *file, struct span span)
{
    int first = (int)floor(log10(span.low)), last = (int)floor(log10(span.high));
    double decades = log10(span.high / span.low);
    int apart = decades > 4.0 ? 2 : 1;
    const char *comma = "";

    fputs("set xtics (", file);
    for (int d = first; d <= last; d++)
        for (int k = 0; k < 3; k++) {
            static const double heads[] = {1.0, 2.0, 5.0};

            if (k > 0 ? decades > 1.2 : (d % apart) != 0)
                continue;
            fprintf(file, "%s%.6g", comma, heads[k] * pow(10.0, d));
            comma = ", ";
        }
    fputs(")\n", file);
}

static void write_number(FILE *file, double value, bool shown, const char *end)
{
    if (shown && isfinite(value))
        fprintf(file, "%.9g%s", value, end);
    else
        fprintf(file, "NaN%s", end);
}

static void write_row(FILE *file, const struct comparison_chart *chart,
                      const struct market_round *round)
{
    double gap = gap_of(chart, round);

    for (size_t panel = 0; panel < N_PANEL; panel++)
        write_number(file, cost_of(panel, round), cost_of(panel, round) > 0.0, " ");
    write_number(file, fmax(gap, LEAST_GAP), isfinite(gap), "\n");
}

/* $run0, $run1 … all rounds; $end0, $end1 … the last. */
static void write_runs(FILE *file, const struct comparison_chart *chart)
{
    for (size_t i = 0; i < chart->c->n_run; i++) {
        const struct scenario_run *run = &chart->c->runs[i];

        if (!is_drawn(chart, run))
            continue;
        fprintf(file, "$run%zu << END\n", i);
        for (unsigned r = 0; r < run->n_round; r++)
            write_row(file, chart, &run->history[r]);
        fprintf(file, "END\n$end%zu << END\n", i);
        write_row(file, chart, scenario_run_last(run));
        fputs("END\n", file);
    }
}

static void write_key(FILE *file, const struct comparison_chart *chart,
                      const struct scenario_run *run, size_t style)
{
    char words[96], gap[16] = "-";
    double last = gap_of(chart, scenario_run_last(run));

    if (isfinite(last))
        snprintf(gap, sizeof(gap), "%.1e", last);
    snprintf(words, sizeof(words), "%.40s  %s", run->method, gap);
    fprintf(file,
            ", \\\n  keyentry with linespoints linewidth 2 dashtype %zu pointtype %d pointsize 1.5 "
            "linecolor rgb '%s' title ",
            1 + style / N_STYLE, styles[style % N_STYLE].mark, styles[style % N_STYLE].colour);
    chart_text(file, words);
}

/* Curves of panel `panel`, with the key beside the last of them. */
static void write_curves(FILE *file, const struct comparison_chart *chart, size_t panel, bool key)
{
    const struct scenario_comparison *c = chart->c;
    char asked[SCENARIO_LEVEL_TEXT];

    scenario_level_text(c->gap_asked, asked);
    fputs(key ? "set key\n" : "unset key\n", file);
    fprintf(file, "plot %.9g with lines dashtype 2 linecolor rgb '" CHART_INK "' notitle",
            c->gap_asked);
    for (size_t i = 0; i < c->n_run; i++) {
        if (!is_drawn(chart, &c->runs[i]))
            continue;
        fprintf(file,
                ", \\\n  $run%zu using %zu:4 with lines linewidth 2 dashtype %zu linecolor rgb "
                "'%s' notitle, \\\n"
                "  $end%zu using %zu:4 with points pointtype %d pointsize 1.5 linecolor rgb '%s' "
                "notitle",
                i, panel + 1, 1 + i / N_STYLE, styles[i % N_STYLE].colour, i, panel + 1,
                styles[i % N_STYLE].mark, styles[i % N_STYLE].colour);
        if (key)
            write_key(file, chart, &c->runs[i], i);
    }
    fprintf(file,
            ", \\\n  keyentry with lines dashtype 2 linecolor rgb '" CHART_INK
            "' title 'asked for  %s'\n",
            asked);
}

static void write_panel(FILE *file, const struct comparison_chart *chart, size_t panel, size_t at,
                        size_t n_panel)
{
    static const char *const axes[N_PANEL][2] = {
        {"rounds", "%g"}, {"messages", "%.0s%c"}, {"seconds", "%g"}};
    double width = (RIGHT - LEFT - SPACE * (double)(n_panel - 1)) / (double)n_panel;
    double left = LEFT + (double)at * (width + SPACE);
    struct span span = cost_span(chart, panel);

    if (at > 0)
        fputs("unset label\nset format y ''\n", file);
    else
        chart_unit(file, chart->unit, 0.03);
    fprintf(file,
            "set lmargin at screen %.4f\nset rmargin at screen %.4f\n"
            "set xrange [%.6g:%.6g]\nset format x '%s'\n"
            "set label 4 '%s' at graph 0.5,-0.1 center textcolor rgb '" CHART_INK "'\n",
            left, left + width, span.low, span.high, axes[panel][1], axes[panel][0]);
    write_tics(file, span);
    write_curves(file, chart, panel, at + 1 == n_panel);
}

static void write_chart(FILE *file, const struct comparison_chart *chart)
{
    const struct scenario_comparison *c = chart->c;
    const struct scenario_result about = {.scenario = c->scenario}; /* all that a title needs */
    struct span gaps = gap_span(chart);
    size_t panels[N_PANEL], n_panel = 0;

    for (size_t p = 0; p < N_PANEL; p++)
        if (cost_span(chart, p).high > 0.0)
            panels[n_panel++] = p;
    chart_begin(file, &about, chart->name, chart->title, "best plan %.2f %.8s, bound %.2f",
                c->best_objective, c->scenario->currency, c->best_bound);
    write_runs(file, chart);
    fprintf(file,
            "set bmargin at screen 0.125\nset logscale xy\nset yrange [%.6g:%.6g]\n"
            "set format y '1e%%T'\nset grid xtics ytics\n"
            "set key at screen %.3f,0.83 title 'gap at the end' left\nset multiplot\n",
            gaps.low, gaps.high, RIGHT + 0.01);
    for (size_t i = 0; i < n_panel; i++)
        write_panel(file, chart, panels[i], i, n_panel);
    fputs("unset multiplot\n", file);
}

static enum walras_status draw(const char *directory, const struct comparison_chart *chart,
                               struct walras_err *err)
{
    char name[32];
    FILE *file = NULL;
    enum walras_status status = WALRAS_OK;

    snprintf(name, sizeof(name), "%s.gp", chart->name);
    char *path = walras_path_join(directory, name);

    if (!path)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold the name of a chart");
    status = walras_file_create(path, &file, err);
    if (status == WALRAS_OK) {
        write_chart(file, chart);
        status = walras_file_finish(file, path, err);
    }
    if (status == WALRAS_OK)
        status = scenario_gnuplot_run(path, directory, CHART_TIME_LIMIT_S, err);
    free(path);
    return status;
}

enum walras_status scenario_comparison_draw(const char *directory,
                                            const struct scenario_comparison *comparison,
                                            struct walras_err *err)
{
    const struct comparison_chart charts[] = {
        {comparison, "compare", "Gap by price method", "certified gap, relative to the cost",
         false},
        {comparison, "compare-bound", "Bound by price method",
         "distance of the bound from the best plan of all, relative", true}};
    enum walras_status status = WALRAS_OK;

    for (size_t k = 0; k < sizeof(charts) / sizeof(charts[0]) && status == WALRAS_OK; k++) {
        bool any = false;

        for (size_t i = 0; i < comparison->n_run && !any; i++)
            any = is_drawn(&charts[k], &comparison->runs[i]);
        if (any)
            status = draw(directory, &charts[k], err);
    }
    return status;
}
