#include "scenario/charts_internal.h"

#include "core/clock.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

enum { MAX_WORDS = 160 }; /* bytes of a text in a chart */

/* How many bytes of `words` are kept: at most `most`, no character cut in two. */
static size_t kept_bytes(const char *words, size_t most)
{
    size_t n = strlen(words), kept = n < most ? n : most;

    while (kept < n && kept > 0 && ((unsigned char)words[kept] & 0xC0) == 0x80)
        kept--;
    return kept;
}

void chart_text(FILE *file, const char *words)
{
    size_t kept = kept_bytes(words, MAX_WORDS);

    fputc('\'', file);
    for (size_t i = 0; i < kept; i++) {
        if (words[i] == '\'' || words[i] == '`')
            fputs("’", file);
        else if (words[i] == '\\')
            fputc('/', file);
        else
            fputc(iscntrl((unsigned char)words[i]) ? '?' : words[i], file);
    }
    fputs(words[kept] ? "…'" : "'", file);
}

void chart_begin(FILE *file, const struct scenario_result *result, const char *png,
                 const char *title, const char *format, ...)
{
    char more[MAX_WORDS], words[2 * MAX_WORDS], date[WALRAS_TIME_TEXT] = "";
    const char *name = result->scenario->name ? result->scenario->name : "";
    va_list args;

    va_start(args, format);
    vsnprintf(more, sizeof(more), format, args);
    va_end(args);
    if (result->scenario->start_utc_s != 0) /* a case file has no date */
        walras_time_format((int64_t)chart_time_s(result->scenario, 0), 0, date); /* local */
    snprintf(words, sizeof(words), "%.*s%s%.10s%s%s", (int)kept_bytes(name, 60), name,
             *name ? "  ·  " : "", date, *date ? "  ·  " : "", more);
    fprintf(file,
            "# Draw again with: gnuplot %s.gp\n"
            "set encoding utf8\n"
            "set terminal pngcairo size 1600,900 font 'DejaVu Sans,17' linewidth 1.5 noenhanced\n"
            "set output (ARGC > 0 ? ARG1.'/' : '').'%s.png'\n"
            "set border 3 linecolor rgb '#9A9A9A'\n"
            "set tics nomirror out scale 0.6 textcolor rgb '" CHART_INK "'\n"
            "set grid ytics linetype 1 linecolor rgb '#E6E6E6' linewidth 0.8\n"
            "set lmargin at screen 0.075\n"
            "set rmargin at screen 0.80\n"
            "set tmargin at screen 0.83\n"
            "set bmargin at screen 0.085\n"
            "set key at screen 0.815,0.83 left top vertical Left reverse noenhanced samplen 1.6 "
            "spacing 1.2 textcolor rgb '" CHART_INK "'\n"
            "set label 1 '%s' at screen 0.02,0.952 left font 'DejaVu Sans:Bold,25'\n"
            "set label 2 ",
            png, png, title);
    chart_text(file, words);
    fputs(" at screen 0.02,0.905 left textcolor rgb '#666666'\n", file);
}

void chart_unit(FILE *file, const char *unit, double above)
{
    fputs("set label 3 ", file);
    chart_text(file, unit);
    fprintf(file, " at graph 0,%.3g left textcolor rgb '" CHART_INK "'\n", 1.0 + above);
}

void chart_price_unit(FILE *file, const struct scenario *scenario, double above)
{
    char unit[64];

    snprintf(unit, sizeof(unit), "%.*s/MWh", (int)kept_bytes(scenario->currency, 16),
             scenario->currency);
    chart_unit(file, unit, above);
}

double chart_time_s(const struct scenario *scenario, size_t step)
{
    return (double)(scenario->start_utc_s + 60 * (int64_t)scenario->start_offset_min +
                    60 * (int64_t)scenario->step_min * (int64_t)step);
}

static double horizon_s(const struct scenario *scenario)
{
    return 60.0 * (double)scenario->step_min * (double)scenario->horizon.n_step;
}

void chart_time_words(const struct scenario *scenario, size_t step, char *words, size_t size)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[WALRAS_TIME_TEXT];
    int month = 0;

    walras_time_format((int64_t)chart_time_s(scenario, step), 0, text); /* local: no offset */
    month = 10 * (text[5] - '0') + (text[6] - '0');
    if (horizon_s(scenario) <= 86400.0)
        snprintf(words, size, "%.5s", text + 11);
    else
        snprintf(words, size, "%.2s %s %.5s", text + 8, months[month - 1], text + 11);
}

void chart_time_axis(FILE *file, const struct scenario *scenario, bool numbered)
{
    static const double between_s[] = {300,    600,    900,     1800,    3600,
                                       7200,   10800,  21600,   43200,   86400,
                                       172800, 604800, 1209600, 2592000, 7776000};
    size_t n = sizeof(between_s) / sizeof(between_s[0]), pick = 0;
    double whole_s = horizon_s(scenario);

    while (pick + 1 < n && whole_s / between_s[pick] > 9.0)
        pick++;
    fprintf(file, "set xdata time\nset timefmt '%%s'\nset xtics %.0f\nset xrange ['%.0f':'%.0f']\n",
            between_s[pick], chart_time_s(scenario, 0),
            chart_time_s(scenario, scenario->horizon.n_step));
    if (!numbered)
        fputs("set format x ''\n", file);
    else if (between_s[pick] >= 86400.0)
        fputs("set format x '%d %b'\n", file);
    else
        fputs(whole_s > 86400.0 ? "set format x \"%H:%M\\n%d %b\"\n" : "set format x '%H:%M'\n",
              file);
}

void chart_step_rows(FILE *file, const struct scenario *scenario, size_t n_column,
                     double (*value)(const void *context, size_t step, size_t column),
                     const void *context)
{
    for (size_t row = 0; row < 2 * scenario->horizon.n_step; row++) {
        size_t step = row / 2;

        fprintf(file, "%.0f", chart_time_s(scenario, step + row % 2));
        for (size_t c = 0; c < n_column; c++)
            fprintf(file, " %.6g", value(context, step, c));
        fputc('\n', file);
    }
}

static double array_value(const void *context, size_t step, size_t column)
{
    const double *values = context;

    (void)column;
    return values[step];
}

void chart_step_array(FILE *file, const struct scenario *scenario, const double *values)
{
    chart_step_rows(file, scenario, 1, array_value, values);
}
