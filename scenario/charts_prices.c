#include "scenario/charts_internal.h"
#include "scenario/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_ZONES = 400, /* distinct price curves that are drawn */
    MAX_NAMED = 9,   /* of them in colour and with a name, the slack's too, if there are no more */
    FEW_NAMED = 6,   /* if there are more */
    MAX_BARS = 48,   /* buses named under the bars of a market of one step */
};

static const char *const colours[MAX_NAMED] = {CHART_BLUE, CHART_VERMILION, CHART_GREEN,
                                               CHART_PINK, CHART_ORANGE,    CHART_SKY,
                                               "#606060",  "#8C510A",       "#A8A8A8"};

/* Buses whose prices are the same in every step, but for what the eye cannot see. */
struct zones {
    size_t n;
    size_t bus[MAX_ZONES];   /* one bus of each; bus[0] is the slack */
    size_t count[MAX_ZONES]; /* its buses */
    size_t n_left_out;       /* buses of further zones, not drawn */
    double apart[MAX_ZONES]; /* largest difference from the slack's price */
};

static const double *prices_of(const struct scenario_result *result, size_t bus)
{
    return result->market->price_per_mwh + bus * result->scenario->horizon.n_step;
}

static bool same_prices(const double *a, const double *b, size_t n, double tolerance)
{
    for (size_t t = 0; t < n; t++)
        if (fabs(a[t] - b[t]) > tolerance)
            return false;
    return true;
}

static void add_to_zone(struct zones *zones, const struct scenario_result *result, size_t bus,
                        double tolerance)
{
    size_t n_step = result->scenario->horizon.n_step;

    for (size_t z = 0; z < zones->n; z++)
        if (same_prices(prices_of(result, zones->bus[z]), prices_of(result, bus), n_step,
                        tolerance)) {
            zones->count[z]++;
            return;
        }
    if (zones->n == MAX_ZONES) {
        zones->n_left_out++;
        return;
    }
    zones->bus[zones->n] = bus;
    zones->count[zones->n] = 1;
    zones->n++;
}

static void find_zones(const struct scenario_result *result, double tolerance, struct zones *zones)
{
    const struct grid_network *network = &result->scenario->network;

    zones->n = zones->n_left_out = 0;
    add_to_zone(zones, result, network->slack, tolerance);
    for (size_t b = 0; b < network->n_bus; b++)
        if (b != network->slack)
            add_to_zone(zones, result, b, tolerance);
    for (size_t z = 0; z < zones->n; z++) {
        zones->apart[z] = 0.0;
        for (size_t t = 0; t < result->scenario->horizon.n_step; t++)
            zones->apart[z] = fmax(zones->apart[z], fabs(prices_of(result, zones->bus[z])[t] -
                                                         prices_of(result, zones->bus[0])[t]));
    }
}

static size_t count_named(const struct zones *zones)
{
    return zones->n <= MAX_NAMED ? zones->n : FEW_NAMED;
}

/* Brings the zones that are farthest from the slack's forward: the first ones get a name. */
static void rank_zones(struct zones *zones)
{
    for (size_t z = 1; z < count_named(zones); z++) {
        size_t best = z;

        for (size_t other = z + 1; other < zones->n; other++)
            if (zones->apart[other] > zones->apart[best])
                best = other;
        size_t bus = zones->bus[z], count = zones->count[z];
        double apart = zones->apart[z];

        zones->bus[z] = zones->bus[best];
        zones->count[z] = zones->count[best];
        zones->apart[z] = zones->apart[best];
        zones->bus[best] = bus;
        zones->count[best] = count;
        zones->apart[best] = apart;
    }
}

static void write_extreme(FILE *file, const struct scenario_result *result,
                          const struct scenario_extreme *extreme, int number, const char *colour)
{
    const struct scenario *scenario = result->scenario;
    char buses[SCENARIO_WORDS], when[32], words[2 * SCENARIO_WORDS];
    double at_s = chart_time_s(scenario, extreme->step) + 30.0 * scenario->step_min;
    bool late = 2 * extreme->step > scenario->horizon.n_step;
    bool top = number == 4;

    scenario_bus_words(&scenario->network, extreme->bus, extreme->n_alike, buses);
    chart_time_words(scenario, extreme->step, when, sizeof(when));
    snprintf(words, sizeof(words), "%.2f at %s, %s", extreme->price_per_mwh, buses, when);
    fprintf(file, "set label %d ", number);
    chart_text(file, words);
    fprintf(file,
            " at '%.0f',%.6g %s offset character %s,%s front point pointtype 7 pointsize 1.5 "
            "linecolor rgb '%s' textcolor rgb '%s'\n",
            at_s, extreme->price_per_mwh, late ? "right" : "left", late ? "-1" : "1",
            top ? "0.9" : "-1.2", colour, colour);
}

/* From zero, unless that would flatten the curves; with room for the labels. */
static void write_range(FILE *file, double low, double high, bool from_zero)
{
    double least = from_zero || low < 0.5 * high ? fmin(low, 0.0) : low;
    double span = fmax(fmax(high, from_zero ? 0.0 : high) - least, 1e-3 * fmax(1.0, fabs(high)));

    fprintf(file, "set yrange [%.6g:%.6g]\n", from_zero && low >= 0.0 ? 0.0 : least - 0.09 * span,
            least + 1.1 * span);
}

static void write_curves(FILE *file, const struct scenario_result *result,
                         const struct zones *zones)
{
    const struct scenario *scenario = result->scenario;

    for (size_t z = 0; z < count_named(zones); z++) {
        fprintf(file, "$zone%zu << END\n", z);
        chart_step_array(file, scenario, prices_of(result, zones->bus[z]));
        fputs("END\n", file);
    }
    fputs("$others << END\n", file);
    for (size_t z = count_named(zones); z < zones->n; z++) {
        chart_step_array(file, scenario, prices_of(result, zones->bus[z]));
        fputc('\n', file);
    }
    fputs("END\n", file);
}

/* The slack's curve comes last, over the others: they show where they leave it. */
static void write_plot(FILE *file, const struct scenario_result *result, const struct zones *zones)
{
    char words[SCENARIO_WORDS];
    size_t n_named = count_named(zones);

    fputs("plot ", file);
    if (zones->n > n_named)
        fprintf(file,
                "$others using 1:2 with lines linewidth 0.8 linecolor rgb '#60808080' title "
                "'%zu other prices', \\\n  ",
                zones->n - n_named);
    for (size_t k = n_named; k-- > 0;) {
        scenario_bus_words(&result->scenario->network, zones->bus[k], zones->count[k], words);
        fprintf(file, "$zone%zu using 1:2 with lines linewidth %s linecolor rgb '%s' title ", k,
                k == 0 ? "1.6" : "2.2", colours[k]);
        chart_text(file, words);
        fputs(k > 0 ? ", \\\n  " : "\n", file);
    }
}

static int by_price(const void *a, const void *b)
{
    const double *left = *(const double *const *)a, *right = *(const double *const *)b;

    return *left != *right ? (*left > *right) - (*left < *right) : (left > right) - (left < right);
}

static const char *bus_of(const struct scenario_result *result, const double *price)
{
    return result->scenario->network.buses[price - result->market->price_per_mwh].id;
}

static void write_bar_axis(FILE *file, const struct scenario_result *result,
                           const double *const *order)
{
    size_t n_bus = result->scenario->network.n_bus;
    bool named = n_bus <= MAX_BARS;
    char words[2 * SCENARIO_WORDS];

    fprintf(file,
            "set rmargin at screen 0.97\nset bmargin at screen 0.12\nset xrange [-0.6:%zu.6]\n"
            "set style fill solid 0.85 noborder\nset boxwidth %s\nset xtics () scale 0%s\n"
            "set label 5 ",
            n_bus - 1, named ? "0.8" : "1", n_bus > 16 ? " rotate by 60 right" : "");
    snprintf(words, sizeof(words), "buses, the cheapest first: %.30s at %.2f … %.30s at %.2f",
             bus_of(result, order[0]), *order[0], bus_of(result, order[n_bus - 1]),
             *order[n_bus - 1]);
    chart_text(file, words);
    fputs(" at graph 0.5,-0.12 center textcolor rgb '" CHART_INK "'\n", file);
    for (size_t k = 0; k < n_bus && named; k++) {
        fputs("set xtics add (", file);
        chart_text(file, bus_of(result, order[k]));
        fprintf(file, " %zu)\n", k);
    }
    if (!named)
        fputs("unset xtics\n", file);
}

/* A market of one step has no time axis: a bar for each bus, the cheapest first. */
static enum walras_status write_bars(FILE *file, const struct scenario_result *result,
                                     struct walras_err *err)
{
    size_t n_bus = result->scenario->network.n_bus;
    const double **order = malloc(n_bus * sizeof(*order));

    if (!order)
        return walras_fail(err, WALRAS_NOMEM, "cannot sort %zu prices", n_bus);
    for (size_t b = 0; b < n_bus; b++)
        order[b] = prices_of(result, b);
    qsort(order, n_bus, sizeof(*order), by_price);
    write_bar_axis(file, result, order);
    write_range(file, *order[0], *order[n_bus - 1], true);
    fputs("set xzeroaxis linetype 1 linecolor rgb '" CHART_INK "'\n$bars << END\n", file);
    for (size_t k = 0; k < n_bus; k++)
        fprintf(file, "%zu %.6g %.2f\n", k, *order[k], *order[k]);
    fputs("END\nplot $bars using 1:2 with boxes linecolor rgb '" CHART_BLUE "' notitle", file);
    if (n_bus <= 24)
        fputs(", '' using 1:2:3 with labels offset character 0,0.7 textcolor rgb '" CHART_INK
              "' notitle",
              file);
    fputc('\n', file);
    free(order);
    return WALRAS_OK;
}

enum walras_status chart_prices(FILE *file, const struct scenario_result *result,
                                struct walras_err *err)
{
    const struct scenario *scenario = result->scenario;
    struct scenario_extreme low, high;
    struct zones *zones = NULL;

    scenario_price_extremes(result, &low, &high);
    chart_begin(file, result, "prices", "Price at every bus", "%zu bus%s, %zu step%s of %u min",
                scenario->network.n_bus, scenario->network.n_bus > 1 ? "es" : "",
                scenario->horizon.n_step, scenario->horizon.n_step > 1 ? "s" : "",
                (unsigned)scenario->step_min);
    chart_price_unit(file, scenario, 0.04);
    if (scenario->horizon.n_step == 1)
        return write_bars(file, result, err);
    zones = malloc(sizeof(*zones));
    if (!zones)
        return walras_fail(err, WALRAS_NOMEM, "cannot compare the prices of the buses");
    find_zones(result, scenario_price_blur(&low, &high), zones);
    rank_zones(zones);
    chart_time_axis(file, scenario, true);
    write_range(file, low.price_per_mwh, high.price_per_mwh, false);
    fputs("set xzeroaxis linetype 1 linecolor rgb '#9A9A9A'\n", file);
    write_extreme(file, result, &high, 4, "#A84700");
    if (high.price_per_mwh - low.price_per_mwh > 1e-9 * fmax(1.0, fabs(high.price_per_mwh)))
        write_extreme(file, result, &low, 5, "#00517F");
    write_curves(file, result, zones);
    write_plot(file, result, zones);
    free(zones);
    return WALRAS_OK;
}
