#include "scenario/charts_internal.h"

#include <math.h>

/* What the cost panel spans: the last rounds decide, wild first rounds may leave it. */
struct span {
    double low, high;
};

static double last_finite(const struct market_result *market)
{
    if (isfinite(market->objective))
        return market->objective;
    for (unsigned r = market->n_rounds; r-- > 0;)
        if (isfinite(market->history[r].bound))
            return market->history[r].bound;
    return 0.0;
}

static struct span cost_span(const struct market_result *market)
{
    double last = last_finite(market), reach = 2.0 * fmax(1.0, fabs(last));
    struct span span = {.low = last, .high = last};

    for (unsigned r = market->n_rounds > 4 ? market->n_rounds / 6 : 0; r < market->n_rounds; r++) {
        const struct market_round *round = &market->history[r];

        if (round->bound > last - reach)
            span.low = fmin(span.low, round->bound);
        if (round->objective < last + reach)
            span.high = fmax(span.high, round->objective);
    }
    double pad = fmax(0.08 * (span.high - span.low), 1e-3 * fmax(1.0, fabs(span.high)));

    return (struct span){.low = span.low - pad, .high = span.high + pad};
}

/* What is not finite is left out of the curve: gnuplot knows one word for it. */
static void write_number(FILE *file, double value, const char *end)
{
    if (isfinite(value))
        fprintf(file, "%.12g%s", value, end);
    else
        fprintf(file, "NaN%s", end);
}

static void write_rounds(FILE *file, const struct market_result *market)
{
    double last = last_finite(market);

    fputs("$rounds << END\n", file);
    for (unsigned r = 0; r < market->n_rounds; r++) {
        const struct market_round *round = &market->history[r];
        double below = (last - round->bound) / fmax(1.0, fabs(last));

        fprintf(file, "%u ", round->round);
        write_number(file, round->bound, " ");
        write_number(file, round->objective, " ");
        write_number(file, round->gap < 1e-12 ? 1e-12 : round->gap, " ");
        write_number(file, below > 0.0 ? below : (double)NAN, "\n");
    }
    fputs("END\n$both << END\n", file);
    for (unsigned r = 0; r < market->n_rounds; r++)
        if (isfinite(market->history[r].objective) && isfinite(market->history[r].bound))
            fprintf(file, "%u %.12g %.12g\n", market->history[r].round, market->history[r].bound,
                    market->history[r].objective);
    fputs("END\n", file);
}

static bool has_gap(const struct market_result *market)
{
    for (unsigned r = 0; r < market->n_rounds; r++)
        if (isfinite(market->history[r].gap))
            return true;
    return false;
}

/*
 * The rounds' plans mix the answers of devices with on/off decisions too; the awarded plan does
 * not, and is drawn beside them when that costs something.
 */
static bool decisions_cost(const struct market_result *market)
{
    return market->convex_objective < market->objective - 1e-9 * fmax(1.0, fabs(market->objective));
}

static double final_gap(const struct market_result *market)
{
    return (market->objective - market->bound) / fmax(1.0, fabs(market->objective));
}

static void write_awarded(FILE *file, double value)
{
    if (isfinite(value))
        fprintf(file,
                ", \\\n  %.12g with lines linewidth 2 dashtype 4 linecolor rgb '" CHART_ORANGE
                "' title 'awarded plan'",
                value);
}

static const char *point_size(const struct market_result *market)
{
    return market->n_rounds <= 60 ? "0.8" : "0.4";
}

static void write_cost_panel(FILE *file, const struct scenario_result *result, bool alone)
{
    const struct market_result *market = result->market;
    struct span span = cost_span(market);
    const char *size = point_size(market);

    chart_unit(file, result->scenario->currency, 0.06);
    fprintf(file,
            "set bmargin at screen %s\nset format x '%s'\nset yrange [%.9g:%.9g]\n"
            "plot ",
            alone ? "0.12" : "0.44", alone ? "%g" : "", span.low, span.high);
    if (!alone)
        fputs("$both using 1:2:3 with filledcurves fillstyle transparent solid 0.16 noborder "
              "linecolor rgb '" CHART_SKY "' notitle, \\\n  ",
              file);
    fprintf(
        file,
        "$rounds using 1:3 with linespoints pointtype 7 pointsize %s linewidth 2 linecolor rgb "
        "'" CHART_VERMILION "' title '%s', \\\n"
        "  $rounds using 1:2 with linespoints pointtype 7 pointsize %s linewidth 2 linecolor rgb "
        "'" CHART_BLUE "' title 'proven bound'",
        size, decisions_cost(market) ? "decisions mixed" : "cost of the plan", size);
    if (decisions_cost(market))
        write_awarded(file, market->objective);
    fputc('\n', file);
}

static void write_gap_panel(FILE *file, const struct scenario_result *result)
{
    const struct market_result *market = result->market;
    const char *size = point_size(market);

    fputs("unset label\n", file);
    chart_unit(file, "gap, relative to the cost", 0.09);
    fprintf(
        file,
        "set tmargin at screen 0.37\nset bmargin at screen 0.12\n"
        "set key at screen 0.815,0.37\nset logscale y\nset yrange [*:*]\n"
        "set format y '1e%%T'\nset format x '%%g'\n"
        "set label 4 'round' at graph 0.5,-0.3 center textcolor rgb '" CHART_INK "'\n"
        "plot $rounds using 1:5 with linespoints pointtype 7 pointsize %s linewidth 1.4 linecolor "
        "rgb "
        "'" CHART_BLUE "' title 'bound to final cost', \\\n"
        "  $rounds using 1:4 with linespoints pointtype 7 pointsize %s linewidth 2 linecolor rgb "
        "'" CHART_GREEN "' title 'gap'",
        size, size);
    if (decisions_cost(market) && final_gap(market) > 0.0)
        write_awarded(file, final_gap(market));
    if (result->gap_asked > 0.0)
        fprintf(file,
                ", \\\n  %.9g with lines dashtype 2 linecolor rgb '" CHART_INK
                "' title 'asked: %g'",
                result->gap_asked, result->gap_asked);
    fputc('\n', file);
}

enum walras_status chart_convergence(FILE *file, const struct scenario_result *result,
                                     struct walras_err *err)
{
    const struct market_result *market = result->market;
    bool gap = has_gap(market);

    (void)err;
    chart_begin(file, result, "convergence", "Convergence",
                "%s after %u round%s, %.2g s  ·  cost %.2f %.8s, gap %.1e",
                market_outcome_name(market->outcome), market->n_rounds,
                market->n_rounds > 1 ? "s" : "", market->seconds, market->objective,
                result->scenario->currency, final_gap(market));
    write_rounds(file, market);
    fprintf(file, "set xrange [0.5:%u.5]\n", market->n_rounds);
    fputs(market->n_rounds <= 12 ? "set xtics 1\n" : "", file);
    fputs("set multiplot\n", file);
    write_cost_panel(file, result, !gap);
    if (gap)
        write_gap_panel(file, result);
    fputs("unset multiplot\n", file);
    return WALRAS_OK;
}
