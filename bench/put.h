/*
 * What the programs share that write markets to files: scenario parts through core/json_write.h.
 */
#ifndef WALRAS_BENCH_PUT_H
#define WALRAS_BENCH_PUT_H

#include "core/json_write.h"

#include <math.h>
#include <stdio.h>

enum { PUT_BUS_TEXT = 16 };

/* A day-ahead price with a midday dip and two peaks, EUR/MWh; hour 0 … 24. */
static inline double put_price_at(double hour)
{
    static const double by_hour[25] = {62, 55, 50, 48, 50, 58,  78,  96,  104, 92, 74, 58, 48,
                                       44, 47, 56, 72, 98, 128, 142, 130, 108, 88, 72, 62};
    int before = (int)hour;
    double part = hour - before;

    return round(100.0 * ((1.0 - part) * by_hour[before] + part * by_hour[before + 1])) / 100.0;
}

static inline void put_bus(struct walras_json_out *out, const char *key, int bus)
{
    char text[PUT_BUS_TEXT];

    snprintf(text, sizeof(text), "%d", bus);
    if (key)
        walras_json_out_key(out, key);
    walras_json_out_text(out, text);
}

static inline void put_number(struct walras_json_out *out, const char *key, double value)
{
    walras_json_out_key(out, key);
    walras_json_out_number(out, value);
}

static inline void put_text(struct walras_json_out *out, const char *key, const char *text)
{
    walras_json_out_key(out, key);
    walras_json_out_text(out, text);
}

static inline void open_under(struct walras_json_out *out, const char *key, char bracket)
{
    walras_json_out_key(out, key);
    walras_json_out_open(out, bracket);
}

static inline void put_prices(struct walras_json_out *out, const char *key, unsigned n_step,
                              double share)
{
    open_under(out, key, '[');
    for (unsigned t = 0; t < n_step; t++)
        walras_json_out_number(
            out, round(1000.0 * share * put_price_at(24.0 * (t + 0.5) / n_step)) / 1000.0);
    walras_json_out_close(out, ']');
}

/*
 * Homes at buses first … first + n - 1. Each kind goes round the buses in the order of the list: in
 * strides that share no factor with n, so that few devices are spread over the whole network.
 */
static inline void put_fleet(struct walras_json_out *out, unsigned n_device, int first, int n,
                             int stride)
{
    static const struct {
        const char *kind;
        double share;
    } mix[] = {{"load", 0.20}, {"pv", 0.15},  {"battery", 0.20},
               {"ev", 0.15},   {"v2g", 0.10}, {"thermal", 0.20}};

    open_under(out, "fleets", '[');
    walras_json_out_open(out, '{');
    put_text(out, "id", "home");
    put_number(out, "count", n_device);
    put_number(out, "seed", 7.0);
    open_under(out, "buses", '[');
    for (int i = 1; i <= n; i++)
        put_bus(out, NULL, first + (int)((long)i * stride % n));
    walras_json_out_close(out, ']');
    open_under(out, "mix", '{');
    for (size_t i = 0; i < sizeof(mix) / sizeof(mix[0]); i++)
        put_number(out, mix[i].kind, mix[i].share);
    walras_json_out_close(out, '}');
    walras_json_out_close(out, '}');
    walras_json_out_close(out, ']');
}

#endif
