#include "scenario/charts_internal.h"
#include "scenario/kinds.h"

#include <math.h>
#include <stdlib.h>

/* What is stacked, outwards from zero. Sources point up, uses point down. */
static const struct {
    const char *name, *colour;
} kinds[SCENARIO_N_KIND] = {
    [SCENARIO_IMPORT] = {"import", "#A6A6A6"},
    [SCENARIO_GENERATION] = {"generators, offers", "#8C510A"},
    [SCENARIO_SUN] = {"photovoltaics", CHART_YELLOW},
    [SCENARIO_DISCHARGE] = {"storage discharge", "#7FCDBB"},
    [SCENARIO_LOADS] = {"loads", "#5B6C7D"},
    [SCENARIO_FLEXIBLE] = {"appliances, bids", CHART_PINK},
    [SCENARIO_HEAT] = {"heating, cooling", CHART_VERMILION},
    [SCENARIO_CARS] = {"car charging", CHART_BLUE},
    [SCENARIO_CHARGE] = {"battery charging", CHART_GREEN},
    [SCENARIO_EXPORT] = {"export", "#C9C9C9"},
};

struct stack {
    size_t n_step;
    double *kw; /* [SCENARIO_N_KIND x n_step] >= 0 */
    double peak_kw;
    double unit_kw; /* 1, 1000: what the axis counts in */
};

struct adding {
    const struct scenario *scenario;
    struct stack *stack;
};

static enum walras_status add_devices(void *context, const struct scenario_awards_part *part,
                                      struct walras_err *err)
{
    const struct adding *adding = context;
    size_t n_step = adding->stack->n_step;

    (void)err;
    for (size_t i = 0; i < part->n; i++)
        for (size_t t = 0; t < n_step; t++) {
            enum agent_device_type type = adding->scenario->devices[part->first + i].type;
            double draw_kw = part->draw_kw[i * n_step + t];

            adding->stack->kw[scenario_kind_of(type, draw_kw > 0.0) * n_step + t] += fabs(draw_kw);
        }
    return WALRAS_OK;
}

static enum walras_status add_up(const struct scenario_result *result, struct stack *stack,
                                 struct walras_err *err)
{
    const struct scenario *scenario = result->scenario;
    struct adding adding = {scenario, stack};
    const struct scenario_awards_pass pass = {.context = &adding, .take = add_devices};
    size_t n_step = stack->n_step;

    for (size_t s = 0; s < scenario->n_supply; s++)
        for (size_t t = 0; t < n_step; t++) {
            stack->kw[SCENARIO_IMPORT * n_step + t] += fmax(0.0, result->import_kw[s * n_step + t]);
            stack->kw[SCENARIO_EXPORT * n_step + t] += fmax(0.0, result->export_kw[s * n_step + t]);
        }
    return scenario_awards_run(result->awards, &pass, err);
}

static void find_peak(struct stack *stack)
{
    for (size_t t = 0; t < stack->n_step; t++) {
        double up_kw = 0.0, down_kw = 0.0;

        for (size_t k = 0; k < SCENARIO_N_KIND; k++)
            *(k < SCENARIO_N_SOURCE ? &up_kw : &down_kw) += stack->kw[k * stack->n_step + t];
        stack->peak_kw = fmax(stack->peak_kw, fmax(up_kw, down_kw));
    }
    stack->unit_kw = stack->peak_kw >= 2000.0 ? 1000.0 : 1.0;
}

/* Column k: the outer edge of kind k. */
static double edge(const void *context, size_t step, size_t column)
{
    const struct stack *stack = context;
    double sum_kw = 0.0;

    for (size_t k = column < SCENARIO_N_SOURCE ? 0 : SCENARIO_N_SOURCE; k <= column; k++)
        sum_kw += stack->kw[k * stack->n_step + step];
    return (column < SCENARIO_N_SOURCE ? sum_kw : -sum_kw) / stack->unit_kw;
}

static bool is_used(const struct stack *stack, size_t kind)
{
    for (size_t t = 0; t < stack->n_step; t++)
        if (stack->kw[kind * stack->n_step + t] > 1e-4 * stack->peak_kw)
            return true;
    return false;
}

/* Outer areas first, so that inner ones cover them; the key reads as the picture, from the top. */
static void write_areas(FILE *file, const struct stack *stack)
{
    fputs("plot ", file);
    for (size_t k = SCENARIO_N_SOURCE; k-- > 0;)
        if (is_used(stack, k))
            fprintf(file,
                    "$stack using 1:%zu with filledcurves y1=0 linecolor rgb '%s' title "
                    "'%s', \\\n  ",
                    k + 2, kinds[k].colour, kinds[k].name);
    for (size_t k = SCENARIO_N_KIND; k-- > SCENARIO_N_SOURCE;)
        if (is_used(stack, k))
            fprintf(file,
                    "$stack using 1:%zu with filledcurves y1=0 linecolor rgb '%s' notitle, "
                    "\\\n  ",
                    k + 2, kinds[k].colour);
    for (size_t k = SCENARIO_N_SOURCE; k < SCENARIO_N_KIND; k++)
        if (is_used(stack, k))
            fprintf(file, "NaN with filledcurves y1=0 linecolor rgb '%s' title '%s', \\\n  ",
                    kinds[k].colour, kinds[k].name);
    fputs("0 with lines linewidth 1 linecolor rgb '" CHART_INK "' notitle\n", file);
}

struct price_band {
    const struct scenario_result *result;
};

/* Columns: at the slack, lowest of all buses, highest. */
static double band_value(const void *context, size_t step, size_t column)
{
    const struct price_band *band = context;
    const struct scenario *scenario = band->result->scenario;
    size_t n_step = scenario->horizon.n_step;
    const double *prices = band->result->market->price_per_mwh;
    double found = prices[scenario->network.slack * n_step + step];

    for (size_t b = 0; b < scenario->network.n_bus && column > 0; b++)
        found = column == 1 ? fmin(found, prices[b * n_step + step])
                            : fmax(found, prices[b * n_step + step]);
    return found;
}

/* A round distance of ticks that puts about four on the panel. */
static double tick_distance(double low, double high)
{
    double rough = fmax(high - low, 1e-6) / 4.0, decade = pow(10.0, floor(log10(rough)));
    double digit = rough / decade;

    return (digit <= 1.0 ? 1.0 : digit <= 2.0 ? 2.0 : digit <= 5.0 ? 5.0 : 10.0) * decade;
}

static double tick_of_prices(const struct price_band *band)
{
    size_t n_step = band->result->scenario->horizon.n_step;
    double low = INFINITY, high = -INFINITY;

    for (size_t t = 0; t < n_step; t++) {
        low = fmin(low, band_value(band, t, 1));
        high = fmax(high, band_value(band, t, 2));
    }
    return tick_distance(low, high);
}

static void write_price_panel(FILE *file, const struct scenario_result *result)
{
    struct price_band band = {.result = result};

    fputs("unset label\n$prices << END\n", file);
    chart_step_rows(file, result->scenario, 3, band_value, &band);
    fputs("END\nset tmargin at screen 0.265\nset bmargin at screen 0.085\n"
          "set yrange [*:*]\nset format y '%g'\nset key at screen 0.815,0.265\n",
          file);
    chart_time_axis(file, result->scenario, true);
    chart_price_unit(file, result->scenario, 0.12);
    fprintf(file, "set ytics %.6g\n", tick_of_prices(&band));
    fputs("plot $prices using 1:3:4 with filledcurves fillstyle transparent solid 0.25 noborder "
          "linecolor rgb '" CHART_VERMILION "' title 'all buses', \\\n"
          "  $prices using 1:4 with lines linewidth 1 linecolor rgb '" CHART_VERMILION
          "' title 'highest bus', \\\n"
          "  $prices using 1:2 with lines linewidth 1.8 linecolor rgb '" CHART_BLUE
          "' title 'slack bus'\n",
          file);
}

static void write_stack(FILE *file, const struct scenario_result *result, struct stack *stack)
{
    const struct scenario *scenario = result->scenario;

    find_peak(stack);
    fputs("$stack << END\n", file);
    chart_step_rows(file, scenario, SCENARIO_N_KIND, edge, stack);
    fputs("END\nset multiplot\nset bmargin at screen 0.33\nset style fill solid 1 noborder\n",
          file);
    chart_time_axis(file, scenario, false);
    double reach = 1.06 * fmax(stack->peak_kw / stack->unit_kw, 1e-3);

    fprintf(file, "set yrange [%.6g:%.6g]\n", -reach, reach);
    chart_unit(file, stack->unit_kw > 1.0 ? "MW" : "kW", 0.05);
    write_areas(file, stack);
    write_price_panel(file, result);
    fputs("unset multiplot\n", file);
}

enum walras_status chart_stack(FILE *file, const struct scenario_result *result,
                               struct walras_err *err)
{
    struct stack stack = {.n_step = result->scenario->horizon.n_step};

    stack.kw = calloc(SCENARIO_N_KIND * stack.n_step, sizeof(*stack.kw));
    if (!stack.kw)
        return walras_fail(err, WALRAS_NOMEM, "cannot add up %zu steps", stack.n_step);
    enum walras_status status = add_up(result, &stack, err);

    if (status != WALRAS_OK) {
        free(stack.kw);
        return status;
    }
    chart_begin(file, result, "stack", "Supply and demand",
                "what comes in (up) and what is drawn (down), average of each step");
    write_stack(file, result, &stack);
    free(stack.kw);
    return WALRAS_OK;
}

void chart_run_stack(FILE *file, const struct scenario_result *result, double *kind_kw,
                     const char *words)
{
    struct stack stack = {.n_step = result->scenario->horizon.n_step, .kw = kind_kw};

    chart_begin(file, result, "run", "What was done", "%s", words);
    write_stack(file, result, &stack);
}
