#include "random_market.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct draft { /* a market being written */
    struct walras_rng *rng;
    FILE *out;
    size_t n_bus, n_step;
    double step_h, scale; /* scale: size of a home, kW */
    bool storage, tight;  /* no generators; limits below what homes draw */
};

static bool chance(struct draft *d, double probability)
{
    return walras_rng_unit(d->rng) < probability;
}

static size_t whole(struct draft *d, size_t low, size_t high)
{
    return low + (size_t)walras_rng_below(d->rng, high - low + 1);
}

/* Three digits: what is written is what is meant. */
static double number(struct draft *d, double low, double high)
{
    return round(1e3 * walras_rng_range(d->rng, low, high)) / 1e3;
}

static void put_series(struct draft *d, const char *key, double low, double high, double scale)
{
    double tick = chance(d, 0.3) ? (high - low) / 4.0 : 0.0; /* few values: many ties */

    fprintf(d->out, ", \"%s\": ", key);
    if (chance(d, 0.2)) {
        fprintf(d->out, "%.9g", scale * number(d, low, high));
        return;
    }
    for (size_t t = 0; t < d->n_step; t++) {
        double value = number(d, low, high);

        if (tick > 0.0)
            value = low + tick * floor((value - low) / tick);
        fprintf(d->out, "%s%.9g", t == 0 ? "[" : ", ", scale * value);
    }
    fputc(']', d->out);
}

static void put_load(struct draft *d)
{
    fputs("\"type\": \"load\"", d->out);
    put_series(d, "draw_kw", chance(d, 0.1) ? -2.0 : 0.0, 6.0, d->scale);
    if (chance(d, 0.4))
        fprintf(d->out, ", \"shed_price_per_mwh\": %g", number(d, 60.0, 900.0));
}

static void put_pv(struct draft *d)
{
    fputs("\"type\": \"pv\"", d->out);
    put_series(d, "available_kw", 0.0, 8.0, d->scale);
    if (chance(d, 0.25))
        fputs(", \"curtailable\": false", d->out);
    if (chance(d, 0.3))
        fprintf(d->out, ", \"cost_per_mwh\": %g", number(d, -20.0, 30.0));
}

static void put_battery(struct draft *d)
{
    double capacity = number(d, 2.0, 15.0), minimum = chance(d, 0.3) ? 0.1 * capacity : 0.0;
    double start = minimum + walras_rng_unit(d->rng) * (capacity - minimum);

    fprintf(d->out,
            "\"type\": \"battery\", \"capacity_kwh\": %.9g, \"charge_kw\": %.9g, "
            "\"discharge_kw\": %.9g, \"start_kwh\": %.9g, \"min_kwh\": %.9g",
            d->scale * capacity, d->scale * number(d, 1.0, 6.0), d->scale * number(d, 1.0, 6.0),
            d->scale * start, d->scale * minimum);
    if (chance(d, 0.7))
        fprintf(d->out, ", \"charge_efficiency\": %g, \"discharge_efficiency\": %g",
                number(d, 0.8, 1.0), number(d, 0.8, 1.0));
    if (chance(d, 0.5))
        fprintf(d->out, ", \"end_min_kwh\": %.9g", 0.9 * d->scale * start);
    if (chance(d, 0.4))
        fprintf(d->out, ", \"wear_per_mwh\": %g", number(d, 0.0, 40.0));
    if (chance(d, 0.2) && minimum <= 0.0)
        fprintf(d->out, ", \"loss_per_hour\": %g", number(d, 0.0, 0.02));
}

static void put_ev(struct draft *d)
{
    size_t arrive = whole(d, 0, d->n_step - 1), depart = whole(d, arrive + 1, d->n_step);
    double charge = number(d, 3.0, 11.0), hours = d->step_h * (double)(depart - arrive);
    bool soft = chance(d, 0.3);
    double energy = charge * hours * (soft ? number(d, 0.2, 1.5) : number(d, 0.1, 0.85));

    fprintf(d->out,
            "\"type\": \"ev\", \"arrive\": %zu, \"depart\": %zu, \"energy_kwh\": %.9g, "
            "\"charge_kw\": %.9g, \"efficiency\": 0.9, \"start_kwh\": %.9g",
            arrive, depart, d->scale * energy, d->scale * charge, d->scale * number(d, 0.0, 10.0));
    if (chance(d, 0.3))
        fprintf(d->out, ", \"discharge_kw\": %.9g, \"wear_per_mwh\": 10",
                d->scale * number(d, 1.0, 6.0));
    if (soft)
        fprintf(d->out, ", \"unserved_price_per_mwh\": %g", number(d, 50.0, 3000.0));
}

static void put_thermal(struct draft *d)
{
    bool cool = chance(d, 0.3);
    double conductance = number(d, 0.05, 0.3), capacity = number(d, 2.0, 12.0);

    fprintf(d->out,
            "\"type\": \"thermal\", \"mode\": \"%s\", \"max_kw\": %.9g, "
            "\"capacity_kwh_per_k\": %.9g, \"conductance_kw_per_k\": %.9g, \"start_c\": %g, "
            "\"min_c\": 18, \"max_c\": 24",
            cool ? "cool" : "heat", d->scale * number(d, 3.0, 5.0), d->scale * capacity,
            d->scale * conductance, number(d, 19.0, 23.0));
    put_series(d, "cop", 2.0, 4.0, 1.0);
    put_series(d, "outdoor_c", cool ? 24.0 : 2.0, cool ? 34.0 : 15.0, 1.0);
    if (chance(d, 0.4))
        put_series(d, "gain_kw", 0.0, 0.3, d->scale);
    if (chance(d, 0.5))
        fprintf(d->out, ", \"comfort_price_per_kh\": %.9g", d->scale * number(d, 0.01, 3.0));
}

static void put_blocks(struct draft *d, const char *key, double first_price, double step)
{
    size_t n = whole(d, 1, 4);

    fprintf(d->out, ", \"%s\": [", key);
    for (size_t i = 0; i < n; i++)
        fprintf(d->out, "%s[%.9g, %.9g]", i == 0 ? "" : ", ", d->scale * number(d, 0.5, 6.0),
                first_price + step * (double)i);
    fputc(']', d->out);
}

static void put_generator(struct draft *d)
{
    double most = number(d, 5.0, 30.0);

    fprintf(d->out, "\"type\": \"generator\", \"min_kw\": %.9g, ",
            chance(d, 0.2) ? 0.1 * d->scale * most : 0.0);
    if (chance(d, 0.5))
        fprintf(d->out, "\"max_kw\": %.9g, \"segments\": [[%.9g, %g], [%.9g, %g], [%.9g, %g]]",
                d->scale * most, 0.4 * d->scale * most, number(d, 5.0, 30.0), 0.3 * d->scale * most,
                number(d, 30.0, 50.0), 0.3 * d->scale * most, number(d, 50.0, 90.0));
    else
        fprintf(d->out, "\"max_kw\": %.9g, \"cost\": {\"per_mwh\": %g, \"per_h\": %g}",
                d->scale * most, number(d, 5.0, 80.0), number(d, 0.0, 3.0));
    if (chance(d, 0.5))
        fprintf(d->out, ", \"ramp_kw_per_h\": %.9g", d->scale * number(d, 1.0, 20.0));
}

static void put_bid(struct draft *d)
{
    double offer = number(d, 5.0, 60.0), demand = number(d, 20.0, 120.0);
    bool buys = chance(d, 0.7);

    fputs("\"type\": \"bid\"", d->out);
    if (buys)
        put_blocks(d, "demand", demand, -number(d, 1.0, 20.0));
    if (!buys || chance(d, 0.3))
        put_blocks(d, "offer", fmax(offer, demand), number(d, 1.0, 20.0));
}

static void put_agent(struct draft *d, size_t agent)
{
    static void (*const kinds[])(struct draft *) = {put_load,    put_load,      put_pv, put_battery,
                                                    put_battery, put_ev,        put_ev, put_thermal,
                                                    put_thermal, put_generator, put_bid};
    size_t n = whole(d, 1, 4), n_kind = sizeof(kinds) / sizeof(kinds[0]) - (d->storage ? 2 : 0);

    fprintf(d->out, "%s\n  {\"id\": \"a%zu\", \"bus\": \"b%zu\", \"devices\": [",
            agent == 0 ? "" : ",", agent, whole(d, 1, d->n_bus));
    for (size_t i = 0; i < n; i++) {
        fprintf(d->out, "%s\n    {\"id\": \"d%zu\", ", i == 0 ? "" : ",", i);
        kinds[whole(d, 0, n_kind - 1)](d);
        fputc('}', d->out);
    }
    fputs("]}", d->out);
}

static void put_supply(struct draft *d, size_t which)
{
    bool negative = chance(d, 0.25), flat = chance(d, 0.15);

    fprintf(d->out, "%s\n  {\"id\": \"s%zu\", \"bus\": \"b%zu\"", which == 0 ? "" : ",", which,
            whole(d, 1, d->n_bus));
    if (flat)
        fprintf(d->out, ", \"price_per_mwh\": %g", number(d, 20.0, 80.0));
    else
        put_series(d, "price_per_mwh", negative ? -40.0 : 15.0, 90.0, 1.0);
    if (chance(d, 0.6))
        fprintf(d->out, ", \"import_limit_kw\": %.9g", d->scale * number(d, 10.0, 80.0));
    if (chance(d, 0.6)) {
        fprintf(d->out, ", \"export_limit_kw\": %.9g", d->scale * number(d, 5.0, 60.0));
        if (chance(d, 0.7))
            fprintf(d->out, ", \"export_price_per_mwh\": %g", negative ? -45.0 : 10.0);
    }
    fputc('}', d->out);
}

static void put_line(struct draft *d, size_t which, size_t from, size_t to)
{
    fprintf(d->out, "%s\n    {\"id\": \"l%zu\", \"from\": \"b%zu\", \"to\": \"b%zu\", \"x_pu\": %g",
            which == 0 ? "" : ",", which, from, to, number(d, 0.01, 0.3));
    if (d->tight || chance(d, 0.6))
        fprintf(d->out, ", \"limit_kw\": %.9g",
                d->scale * (d->tight ? number(d, 1.0, 10.0) : number(d, 2.0, 30.0)));
    if (chance(d, 0.1))
        fprintf(d->out, ", \"tap\": %g", number(d, 0.95, 1.05));
    if (chance(d, 0.1))
        fprintf(d->out, ", \"shift_deg\": %g", number(d, -0.02, 0.02));
    fputc('}', d->out);
}

/* A random tree, and now and then lines that close loops. */
static void put_grid(struct draft *d)
{
    size_t n_line = 0, n_loop = d->n_bus > 2 && chance(d, 0.6) ? whole(d, 1, 3) : 0;

    fprintf(d->out, "{\"base_mva\": %g, \"slack\": \"b%zu\", \"buses\": [", d->scale,
            whole(d, 1, d->n_bus));
    for (size_t b = 1; b <= d->n_bus; b++)
        fprintf(d->out, "%s{\"id\": \"b%zu\"}", b == 1 ? "" : ", ", b);
    fputs("], \"lines\": [", d->out);
    for (size_t b = 2; b <= d->n_bus; b++)
        put_line(d, n_line++, whole(d, 1, b - 1), b);
    for (size_t i = 0; i < n_loop; i++) {
        size_t from = whole(d, 1, d->n_bus), to = whole(d, 1, d->n_bus - 1);

        put_line(d, n_line++, from, to < from ? to : to + 1);
    }
    fputc(']', d->out);
    if (chance(d, 0.25))
        fprintf(d->out, ", \"line_overload_price_per_mwh\": %g", number(d, 20.0, 800.0));
    fputc('}', d->out);
}

static char *write_market(struct walras_rng *rng, bool storage)
{
    static const double sizes[] = {1.0, 1.0, 100.0, 10000.0};
    static const size_t minutes[] = {15, 30, 60};
    char *text = NULL;
    size_t size = 0;
    struct draft d = {.rng = rng, .out = open_memstream(&text, &size)};

    if (!d.out)
        return NULL;
    d.storage = storage;
    d.tight = storage && chance(&d, 0.5);
    d.n_bus = whole(&d, 1, storage ? 10 : 6);
    d.n_step = whole(&d, 1, 12);
    d.scale = sizes[whole(&d, 0, 3)];
    size_t step_minutes = minutes[whole(&d, 0, 2)];

    d.step_h = (double)step_minutes / 60.0;
    fprintf(d.out,
            "{\"walras\": 1, \"name\": \"random\", \"currency\": \"EUR\",\n"
            "\"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": %zu, "
            "\"steps\": %zu},\n\"grid\": ",
            step_minutes, d.n_step);
    put_grid(&d);
    fputs(",\n\"supply\": [", d.out);
    for (size_t i = 0, n = chance(&d, 0.05) ? 0 : whole(&d, 1, 2); i < n; i++)
        put_supply(&d, i);
    fputs("],\n\"agents\": [", d.out);
    for (size_t i = 0, n = whole(&d, 1, storage ? 12 : 6); i < n; i++)
        put_agent(&d, i);
    fputs("]}\n", d.out);
    if (fclose(d.out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

char *random_market(struct walras_rng *rng)
{
    return write_market(rng, false);
}

char *random_storage_market(struct walras_rng *rng)
{
    return write_market(rng, true);
}
