/*
 * Writes the feeder33 example: feeder33.json and the CSV files that it reads, into the current
 * directory. Everything that is not the published feeder (impedances and bus loads) is made up
 * here, from the formulas below and a fixed seed; README.md says what stands for what.
 *
 *     cc -std=c17 -O2 -I../.. make.c ../../core/rng.c -lm -o /tmp/make && /tmp/make
 */
#include "core/rng.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_STEP = 96, N_BUS = 33, N_LINE = 32, N_HOME = 300, N_PROFILE = 8 };

static const double pi = 3.14159265358979323846;

/* Baran and Wu 1989: resistance and reactance in ohm. */
static const struct {
    int from, to;
    double r_ohm, x_ohm;
} lines[N_LINE] = {
    {1, 2, 0.0922, 0.0470},   {2, 3, 0.4930, 0.2511},   {3, 4, 0.3660, 0.1864},
    {4, 5, 0.3811, 0.1941},   {5, 6, 0.8190, 0.7070},   {6, 7, 0.1872, 0.6188},
    {7, 8, 0.7114, 0.2351},   {8, 9, 1.0300, 0.7400},   {9, 10, 1.0440, 0.7400},
    {10, 11, 0.1966, 0.0650}, {11, 12, 0.3744, 0.1238}, {12, 13, 1.4680, 1.1550},
    {13, 14, 0.5416, 0.7129}, {14, 15, 0.5910, 0.5260}, {15, 16, 0.7463, 0.5450},
    {16, 17, 1.2890, 1.7210}, {17, 18, 0.7320, 0.5740}, {2, 19, 0.1640, 0.1565},
    {19, 20, 1.5042, 1.3554}, {20, 21, 0.4095, 0.4784}, {21, 22, 0.7089, 0.9373},
    {3, 23, 0.4512, 0.3083},  {23, 24, 0.8980, 0.7091}, {24, 25, 0.8960, 0.7011},
    {6, 26, 0.2030, 0.1034},  {26, 27, 0.2842, 0.1447}, {27, 28, 1.0590, 0.9337},
    {28, 29, 0.8042, 0.7006}, {29, 30, 0.5075, 0.2585}, {30, 31, 0.9744, 0.9630},
    {31, 32, 0.3105, 0.3619}, {32, 33, 0.3410, 0.5302},
};

/* Baran and Wu 1989: load of each bus in kW, bus 1 first (their sum is 3,715 kW). */
static const double published_kw[N_BUS] = {0,  100, 90,  120, 60, 60, 200, 200, 60,  60,  45,
                                           60, 60,  120, 60,  60, 60, 90,  90,  90,  90,  90,
                                           90, 420, 420, 60,  60, 60, 120, 200, 150, 210, 60};

/* Limits that make the evening tight; every other line is left at 5,000 kW. */
static double limit_kw(int from, int to)
{
    if (from == 3 && to == 23)
        return 680.0;
    if (from == 6 && to == 26)
        return 820.0;
    return 5000.0;
}
static const double import_limit_kw = 2900.0;

static double hour_of(int step)
{
    return (step + 0.5) / 4.0;
}

static double bump(double hour, double at, double width)
{
    double far = (hour - at) / width;

    return exp(-0.5 * far * far);
}

static FILE *create(const char *name)
{
    FILE *file = fopen(name, "w");

    if (!file) {
        perror(name);
        exit(EXIT_FAILURE);
    }
    return file;
}

static void finish(FILE *file, const char *name)
{
    if (fclose(file) != 0) {
        perror(name);
        exit(EXIT_FAILURE);
    }
}

/* A working day with much sun in the system: morning shoulder, midday valley, evening peak. */
static double price_per_mwh(int step)
{
    double hour = hour_of(step), quarter = step % 4 - 1.5;
    double curve = 88.0 + 24.0 * bump(hour, 7.6, 1.2) - 78.0 * bump(hour, 13.4, 2.7) +
                   84.0 * bump(hour, 20.3, 1.5) - 6.0 * bump(hour, 3.6, 2.0);
    double ramp = cos(2.0 * pi * (hour - 3.0) / 12.0); /* quarters lean against the hourly ramp */

    return curve + 2.6 * quarter * ramp;
}

static void write_prices(void)
{
    FILE *file = create("prices.csv");

    fprintf(file, "step,import,export\n");
    for (int t = 0; t < N_STEP; t++)
        fprintf(file, "%d,%.2f,%.2f\n", t, price_per_mwh(t), price_per_mwh(t) - 9.0);
    finish(file, "prices.csv");
}

/*
 * Output of 1 kWp on a clear day: direct beam 1.1 · 0.7^(AM^0.678) on a plane of that tilt and
 * azimuth (from south, west positive) plus a tenth of diffuse light, 48° N, 1 July, solar noon at
 * 13:25; 14 % losses.
 */
static double pv_per_kwp(double hour, double tilt_deg, double azimuth_deg)
{
    double latitude = 48.0 * pi / 180.0, declination = 23.1 * pi / 180.0;
    double tilt = tilt_deg * pi / 180.0, azimuth = azimuth_deg * pi / 180.0;
    double angle = (hour - 13.42) * 15.0 * pi / 180.0;
    double up = sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(angle);
    double south = sin(latitude) * cos(declination) * cos(angle) - cos(latitude) * sin(declination);
    double west = cos(declination) * sin(angle);

    if (up <= 0.01)
        return 0.0;
    double beam = 1.1 * pow(0.7, pow(1.0 / up, 0.678));
    double onto = up * cos(tilt) + sin(tilt) * (south * cos(azimuth) + west * sin(azimuth));

    return 0.86 * (beam * fmax(0.0, onto) + 0.1 * beam);
}

static void write_pv(void)
{
    FILE *file = create("pv.csv");

    fprintf(file, "step,east,south,west\n");
    for (int t = 0; t < N_STEP; t++)
        fprintf(file, "%d,%.4f,%.4f,%.4f\n", t, pv_per_kwp(hour_of(t), 25.0, -80.0),
                pv_per_kwp(hour_of(t), 30.0, 0.0), pv_per_kwp(hour_of(t), 25.0, 80.0));
    finish(file, "pv.csv");
}

/*
 * weather.csv: air temperature, what the sun adds to a house with 10 m² of shaded glass, and the
 * hot water a household of three draws off, all in a hot and cloudless day.
 */
static void write_weather(void)
{
    FILE *file = create("weather.csv");

    fprintf(file, "step,outdoor_c,house_gain_kw,hot_water_kw\n");
    for (int t = 0; t < N_STEP; t++) {
        double hour = hour_of(t);
        double outdoor_c = 26.0 + 8.0 * cos(2.0 * pi * (hour - 16.5) / 24.0);
        double gain_kw = 0.35 + 0.9 * pv_per_kwp(hour, 90.0, 45.0) + 0.35 * bump(hour, 20.0, 2.0);
        double hot_kw = 0.05 + 0.9 * bump(hour, 7.0, 0.8) + 0.3 * bump(hour, 13.0, 1.0) +
                        0.8 * bump(hour, 20.5, 1.3);

        fprintf(file, "%d,%.2f,%.3f,%.3f\n", t, outdoor_c, gain_kw, hot_kw);
    }
    finish(file, "weather.csv");
}

/* Eight household shapes and three for the rest of a bus, each with a mean of about 1. */
static void write_homes(struct walras_rng *rng)
{
    FILE *file = create("homes.csv");
    double noise[N_PROFILE] = {0}, morning_h[N_PROFILE], evening_h[N_PROFILE];

    fprintf(file, "step");
    for (int p = 0; p < N_PROFILE; p++) {
        morning_h[p] = walras_rng_range(rng, 6.3, 8.2);
        evening_h[p] = walras_rng_range(rng, 18.6, 21.2);
        fprintf(file, ",h%d", p + 1);
    }
    fprintf(file, ",homes,shops,works\n");
    for (int t = 0; t < N_STEP; t++) {
        double hour = hour_of(t);

        fprintf(file, "%d", t);
        for (int p = 0; p < N_PROFILE; p++) {
            double shape = 0.45 + 0.85 * bump(hour, morning_h[p], 0.9) +
                           0.5 * bump(hour, 12.6, 1.2) + 1.75 * bump(hour, evening_h[p], 1.7);

            noise[p] = 0.6 * noise[p] + walras_rng_range(rng, -0.22, 0.22);
            fprintf(file, ",%.3f", fmax(0.15, shape * (1.0 + noise[p])));
        }
        fprintf(file, ",%.3f,%.3f,%.3f\n",
                0.52 + 0.55 * bump(hour, 7.3, 1.3) + 0.45 * bump(hour, 12.7, 1.6) +
                    1.35 * bump(hour, 19.9, 2.1),
                0.5 + 1.1 * bump(hour, 13.5, 3.6) + 0.75 * bump(hour, 18.6, 1.6),
                0.62 + 0.85 * bump(hour, 11.0, 3.2) + 0.35 * bump(hour, 17.5, 2.4));
    }
    finish(file, "homes.csv");
}

/* ------------------------------------------------------------------ the scenario */

static void write_grid(FILE *file)
{
    double base_ohm = 12.66 * 12.66; /* 12.66 kV on 1 MVA */

    fprintf(file,
            " \"grid\": {\"model\": \"dc\", \"base_mva\": 1, \"slack\": \"1\",\n  \"buses\": [");
    for (int b = 1; b <= N_BUS; b++)
        fprintf(file, "%s\n   {\"id\": \"%d\", \"base_kv\": 12.66}", b > 1 ? "," : "", b);
    fprintf(file, "],\n  \"lines\": [");
    for (int l = 0; l < N_LINE; l++)
        fprintf(file,
                "%s\n   {\"id\": \"%d-%d\", \"from\": \"%d\", \"to\": \"%d\", "
                "\"r_pu\": %.6g, \"x_pu\": %.6g, \"limit_kw\": %g}",
                l > 0 ? "," : "", lines[l].from, lines[l].to, lines[l].from, lines[l].to,
                lines[l].r_ohm / base_ohm, lines[l].x_ohm / base_ohm,
                limit_kw(lines[l].from, lines[l].to));
    fprintf(file, "]},\n");
}

struct writer {
    FILE *file;
    struct walras_rng *rng;
    const char *between; /* before the next device of the agent */
};

static double uniform(struct writer *w, double low, double high)
{
    return walras_rng_range(w->rng, low, high);
}

static bool chance(struct writer *w, double probability)
{
    return walras_rng_unit(w->rng) < probability;
}

static int between(struct writer *w, int low, int high) /* both inclusive */
{
    return low + (int)walras_rng_below(w->rng, (uint64_t)(high - low) + 1);
}

static void next_device(struct writer *w)
{
    fprintf(w->file, "%s\n   ", w->between);
    w->between = ",";
}

static void add_roof(struct writer *w)
{
    static const char *const faces[] = {"south", "south", "east", "west"};

    next_device(w);
    fprintf(w->file,
            "{\"id\": \"roof\", \"type\": \"pv\", \"available_kw\": {\"csv\": \"pv.csv\", "
            "\"column\": \"%s\", \"scale\": %.1f}}",
            faces[between(w, 0, 3)], uniform(w, 4.0, 10.0));
}

static void add_battery(struct writer *w)
{
    double capacity_kwh = uniform(w, 6.0, 14.0), power_kw = uniform(w, 0.35, 0.5) * capacity_kwh;

    next_device(w);
    fprintf(w->file,
            "{\"id\": \"battery\", \"type\": \"battery\", \"capacity_kwh\": %.1f, "
            "\"charge_kw\": %.1f, \"discharge_kw\": %.1f, \"charge_efficiency\": %.3f, "
            "\"discharge_efficiency\": %.3f, \"start_kwh\": %.1f, \"end_min_kwh\": %.1f, "
            "\"wear_per_mwh\": %.0f}",
            capacity_kwh, power_kw, power_kw, uniform(w, 0.94, 0.97), uniform(w, 0.94, 0.97),
            0.3 * capacity_kwh, 0.3 * capacity_kwh, uniform(w, 8.0, 24.0));
}

/* Three kinds of days: plugged in since the night, at work, home in the evening. */
static void add_car(struct writer *w)
{
    double charge_kw = chance(w, 0.5) ? 11.0 : 7.4, kind = uniform(w, 0.0, 1.0);
    int arrive = 0, depart = N_STEP;
    double energy_kwh = 0.0;

    if (kind < 0.2) {
        depart = between(w, 24, 32);
        energy_kwh = uniform(w, 6.0, 16.0);
    } else if (kind < 0.4) {
        arrive = between(w, 30, 36);
        depart = between(w, 62, 70);
        energy_kwh = uniform(w, 8.0, 24.0);
    } else {
        arrive = between(w, 66, 80);
        energy_kwh = uniform(w, 5.0, 14.0);
    }
    next_device(w);
    fprintf(w->file,
            "{\"id\": \"car\", \"type\": \"ev\", \"arrive\": %d, \"depart\": %d, "
            "\"energy_kwh\": %.1f, \"charge_kw\": %.1f, \"efficiency\": 0.93",
            arrive, depart, energy_kwh, charge_kw);
    if (chance(w, 0.15)) /* vehicle to grid */
        fprintf(w->file,
                ", \"discharge_kw\": %.1f, \"start_kwh\": %.1f, \"capacity_kwh\": %.1f, "
                "\"wear_per_mwh\": 35",
                charge_kw, 25.0, 60.0);
    if (chance(w, 0.4))
        fprintf(w->file, ", \"unserved_price_per_mwh\": 900");
    fprintf(w->file, "}");
}

/* Electric power is sized to hold the band at 34 °C with a third to spare. */
static void add_cooling(struct writer *w)
{
    double loss_kw_per_k = uniform(w, 0.12, 0.25), gain = uniform(w, 0.8, 1.6);
    double capacity_kwh_per_k = uniform(w, 3.0, 8.0), cop = uniform(w, 2.8, 3.6);
    double max_c = uniform(w, 24.5, 26.0);
    double need_kw = (loss_kw_per_k * (34.0 - max_c) + 1.1 * gain) / cop;

    next_device(w);
    fprintf(w->file,
            "{\"id\": \"cooling\", \"type\": \"thermal\", \"mode\": \"cool\", \"max_kw\": %.2f, "
            "\"cop\": %.2f, \"capacity_kwh_per_k\": %.2f, \"conductance_kw_per_k\": %.3f, "
            "\"start_c\": %.1f, \"min_c\": 21, \"max_c\": %.1f, "
            "\"outdoor_c\": {\"csv\": \"weather.csv\", \"column\": \"outdoor_c\"}, "
            "\"gain_kw\": {\"csv\": \"weather.csv\", \"column\": \"house_gain_kw\", "
            "\"scale\": %.2f}",
            1.35 * need_kw, cop, capacity_kwh_per_k, loss_kw_per_k, max_c - 0.8, max_c, gain);
    if (chance(w, 0.5))
        fprintf(w->file, ", \"comfort_price_per_kh\": %.2f", uniform(w, 0.3, 0.8));
    fprintf(w->file, "}");
}

/* A hot-water heat pump: 300 litres hold 0.35 kWh/K, the cellar has 19 °C. */
static void add_hot_water(struct writer *w)
{
    next_device(w);
    fprintf(w->file,
            "{\"id\": \"hot-water\", \"type\": \"thermal\", \"mode\": \"heat\", "
            "\"max_kw\": %.2f, \"cop\": %.2f, \"capacity_kwh_per_k\": 0.35, "
            "\"conductance_kw_per_k\": 0.002, \"start_c\": 52, \"min_c\": 45, \"max_c\": 60, "
            "\"outdoor_c\": 19, \"gain_kw\": {\"csv\": \"weather.csv\", "
            "\"column\": \"hot_water_kw\", \"scale\": -%.2f}}",
            uniform(w, 0.7, 1.0), uniform(w, 2.6, 3.3), uniform(w, 0.7, 1.2));
}

static void add_appliance(struct writer *w)
{
    static const struct {
        const char *id, *profile_kw;
        int steps;
    } kinds[] = {
        {"dishwasher", "[1.9, 0.3, 0.1, 0.1, 1.8, 0.2]", 6},
        {"washing", "[2.0, 1.2, 0.2, 0.2, 0.2, 0.5]", 6},
        {"dryer", "[2.2, 2.1, 1.8, 1.1]", 4},
    };
    int kind = between(w, 0, 2), latest = N_STEP - kinds[kind].steps;
    int earliest = kind == 0 ? between(w, 74, 80) : between(w, 28, 60);

    if (kind > 0)
        latest = earliest + between(w, 12, 24);
    next_device(w);
    fprintf(w->file,
            "{\"id\": \"%s\", \"type\": \"shiftable\", \"profile_kw\": %s, \"earliest\": %d, "
            "\"latest\": %d}",
            kinds[kind].id, kinds[kind].profile_kw, earliest, latest);
}

static void write_home(struct writer *w, int home, int bus)
{
    fprintf(w->file, "%s\n  {\"id\": \"home-%03d\", \"bus\": \"%d\", \"devices\": [",
            home > 1 ? "," : "", home, bus);
    w->between = "";
    next_device(w);
    fprintf(w->file,
            "{\"id\": \"base\", \"type\": \"load\", \"draw_kw\": {\"csv\": \"homes.csv\", "
            "\"column\": \"h%d\", \"scale\": %.3f}}",
            between(w, 1, N_PROFILE), uniform(w, 0.3, 0.75));
    if (chance(w, 0.60))
        add_roof(w);
    if (chance(w, 0.40))
        add_battery(w);
    if (chance(w, 0.50))
        add_car(w);
    if (chance(w, 0.45))
        add_cooling(w);
    if (chance(w, 0.25))
        add_hot_water(w);
    if (chance(w, 0.45))
        add_appliance(w);
    fprintf(w->file, "]}");
}

static const char *rest_profile(int bus)
{
    if (bus == 7 || bus == 8)
        return "works";
    return bus == 4 || bus == 14 || bus == 31 ? "shops" : "homes";
}

/* What else hangs on a bus: 0.52 of the published load; works, shops, or homes without gadgets. */
static void write_rest(FILE *file, int bus)
{
    double load_kw = published_kw[bus - 1];

    fprintf(file,
            ",\n  {\"id\": \"bus-%d\", \"bus\": \"%d\", \"devices\": [\n"
            "   {\"id\": \"others\", \"type\": \"load\", \"draw_kw\": {\"csv\": \"homes.csv\", "
            "\"column\": \"%s\", \"scale\": %.2f}}]}",
            bus, bus, rest_profile(bus), 0.52 * load_kw);
}

static void write_businesses(FILE *file)
{
    fputs(",\n"
          "  {\"id\": \"dairy\", \"bus\": \"25\", \"devices\": [\n"
          "   {\"id\": \"gas-engine\", \"type\": \"generator\", \"max_kw\": 160, "
          "\"segments\": [[80, 150], [80, 185]], \"ramp_kw_per_h\": 240}]},\n"
          "  {\"id\": \"cold-store\", \"bus\": \"30\", \"devices\": [\n"
          "   {\"id\": \"compressors\", \"type\": \"load\", \"draw_kw\": 70, "
          "\"shed_price_per_mwh\": 290}]},\n"
          "  {\"id\": \"waterworks\", \"bus\": \"13\", \"devices\": [\n"
          "   {\"id\": \"pumps\", \"type\": \"bid\", \"demand\": [[60, 70], [60, 30]]}]}",
          file);
}

/* Homes of a bus: its share of the published load, by largest remainder. */
static void share_homes(int homes[N_BUS])
{
    double total_kw = 0.0, remainder[N_BUS];
    int given = 0;

    for (int b = 0; b < N_BUS; b++)
        total_kw += published_kw[b];
    for (int b = 0; b < N_BUS; b++) {
        double share = N_HOME * published_kw[b] / total_kw;

        homes[b] = (int)floor(share);
        remainder[b] = share - floor(share);
        given += homes[b];
    }
    for (; given < N_HOME; given++) {
        int best = 0;

        for (int b = 1; b < N_BUS; b++)
            if (remainder[b] > remainder[best])
                best = b;
        homes[best]++;
        remainder[best] = -1.0;
    }
}

static void write_scenario(struct walras_rng *rng)
{
    FILE *file = create("feeder33.json");
    struct writer w = {.file = file, .rng = rng};
    int homes[N_BUS], home = 0;

    share_homes(homes);
    fputs("{\"walras\": 1, \"name\": \"33-bus feeder, a summer day\", \"currency\": \"EUR\",\n"
          " \"horizon\": {\"start\": \"2026-07-01T00:00:00+02:00\", \"step_minutes\": 15, "
          "\"steps\": 96},\n",
          file);
    write_grid(file);
    fprintf(file,
            " \"supply\": [{\"id\": \"day-ahead\", \"bus\": \"1\",\n"
            "  \"price_per_mwh\": {\"csv\": \"prices.csv\", \"column\": \"import\"}, "
            "\"import_limit_kw\": %g,\n"
            "  \"export_price_per_mwh\": {\"csv\": \"prices.csv\", \"column\": \"export\"}, "
            "\"export_limit_kw\": 1500}],\n \"agents\": [",
            import_limit_kw);
    for (int b = 1; b <= N_BUS; b++)
        for (int k = 0; k < homes[b - 1]; k++)
            write_home(&w, ++home, b);
    for (int b = 2; b <= N_BUS; b++)
        write_rest(file, b);
    write_businesses(file);
    fputs("]}\n", file);
    finish(file, "feeder33.json");
}

int main(void)
{
    struct walras_rng rng = walras_rng_from_seed(33);

    write_prices();
    write_pv();
    write_weather();
    write_homes(&rng);
    write_scenario(&rng);
    return EXIT_SUCCESS;
}
