/*
 * Growth: one market at all sizes, from a hundred devices to a million. Batteries, cars, cars that
 * give back, heat pumps and roofs behind 32 limited feeders in two levels, and an import limit;
 * cleared to a certified gap of 1e-4.
 *
 *     bench_scale                    the tables of docs/mathematics.md
 *     bench_scale N T [THREADS]      one line: N devices over T steps of a day
 *     bench_scale market N T         the market itself, as `walras clear` reads it
 */
#include "core/clock.h"
#include "scenario/clear.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DISTRICTS = 4, STREETS = 7, TEXT = 65536 };

struct writer {
    char text[TEXT];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    w->n += (size_t)vsnprintf(w->text + w->n, TEXT - w->n, format, args);
    va_end(args);
}

/* A day-ahead price with a morning and an evening peak, EUR/MWh. */
static double price_at(double day)
{
    double evening = (day - 0.79) / 0.06, morning = (day - 0.33) / 0.05;

    return 70.0 - 30.0 * cos(4.0 * 3.14159265358979 * (day - 0.05)) * (day > 0.35 && day < 0.7) +
           70.0 * exp(-evening * evening) + 25.0 * exp(-morning * morning);
}

/* Every district hangs on the intake, every street on its district. */
static void put_grid(struct writer *w, double per_device_kw, unsigned n)
{
    double street_kw = per_device_kw * n / (DISTRICTS * STREETS);

    put(w, "\"grid\": {\"base_mva\": 100, \"slack\": \"intake\", \"model\": \"dc\",\n\"buses\": [");
    put(w, "{\"id\": \"intake\", \"base_kv\": 110}");
    for (int d = 0; d < DISTRICTS; d++) {
        put(w, ",\n{\"id\": \"d%d\", \"base_kv\": 20}", d + 1);
        for (int s = 0; s < STREETS; s++)
            put(w, ", {\"id\": \"d%ds%d\", \"base_kv\": 20}", d + 1, s + 1);
    }
    put(w, "],\n\"lines\": [");
    for (int d = 0; d < DISTRICTS; d++) {
        put(w,
            "%s\n{\"id\": \"to-d%d\", \"from\": \"intake\", \"to\": \"d%d\", \"r_pu\": 0.01, "
            "\"x_pu\": 0.02, \"limit_kw\": %.3f}",
            d ? "," : "", d + 1, d + 1, STREETS * street_kw * (0.88 + 0.04 * d));
        for (int s = 0; s < STREETS; s++)
            put(w,
                ",\n{\"id\": \"to-d%ds%d\", \"from\": \"d%d\", \"to\": \"d%ds%d\", \"r_pu\": 0.01, "
                "\"x_pu\": 0.02, \"limit_kw\": %.3f}",
                d + 1, s + 1, d + 1, d + 1, s + 1, street_kw * (0.9 + 0.05 * s));
    }
    put(w, "]},\n");
}

static void put_supply(struct writer *w, double limit_kw, unsigned n_step)
{
    put(w, "\"supply\": [{\"id\": \"outside\", \"bus\": \"intake\", \"import_limit_kw\": %.3f, ",
        limit_kw);
    put(w, "\"export_limit_kw\": %.3f,\n\"price_per_mwh\": [", limit_kw);
    for (unsigned t = 0; t < n_step; t++)
        put(w, "%s%.2f", t ? ", " : "", price_at((t + 0.5) / n_step));
    put(w, "],\n\"export_price_per_mwh\": [");
    for (unsigned t = 0; t < n_step; t++)
        put(w, "%s%.2f", t ? ", " : "", 0.6 * price_at((t + 0.5) / n_step));
    put(w, "]}],\n");
}

static void write_market(struct writer *w, unsigned n, unsigned n_step)
{
    const double per_device_kw = 0.65;

    put(w, "{\"walras\": 1, \"name\": \"Metropolis, %u devices\", \"currency\": \"EUR\",\n", n);
    put(w,
        "\"horizon\": {\"start\": \"2026-10-01T00:00:00+02:00\", \"step_minutes\": %u, "
        "\"steps\": %u},\n",
        1440 / n_step, n_step);
    put_grid(w, per_device_kw, n);
    put_supply(w, 0.9 * per_device_kw * n, n_step);
    put(w, "\"fleets\": [{\"id\": \"home\", \"count\": %u, \"seed\": 7, \"buses\": [", n);
    for (int d = 0; d < DISTRICTS; d++)
        for (int s = 0; s < STREETS; s++)
            put(w, "%s\"d%ds%d\"", d + s > 0 ? ", " : "", d + 1, s + 1);
    put(w, "],\n\"mix\": {\"ev\": 0.3, \"v2g\": 0.1, \"battery\": 0.2, \"thermal\": 0.25, "
           "\"pv\": 0.15}}]}\n");
}

int main(int argc, char **argv)
{
    static struct writer writer;
    write_market(&writer, (unsigned)atol(argv[2]), (unsigned)atol(argv[3]));
    fwrite(writer.text, 1, writer.n, stdout);
    return 0;
}
