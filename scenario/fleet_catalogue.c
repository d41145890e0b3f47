#include "scenario/fleet_catalogue.h"

#include <math.h>

/* By month: mean outdoor temperature, half its daily swing, daylight, clearness of the sky. */
static const struct season {
    double mean_c, swing_c, daylight_h, clearness;
} seasons[12] = {
    {1.0, 2.5, 8.5, 0.30},   {2.0, 3.5, 10.0, 0.40},  {6.0, 4.5, 12.0, 0.50},
    {10.0, 5.5, 13.5, 0.60}, {14.0, 6.0, 15.5, 0.65}, {18.0, 6.0, 16.5, 0.70},
    {20.0, 6.0, 16.0, 0.70}, {20.0, 6.0, 14.5, 0.65}, {16.0, 5.0, 12.5, 0.60},
    {10.0, 4.0, 10.5, 0.45}, {5.0, 3.0, 9.0, 0.30},   {2.0, 2.5, 8.0, 0.25},
};

/* Hundredths of the daily swing, hour by hour: coldest at 5, warmest at 15. */
static const int swing_percent[24] = {-60, -72, -83, -92, -98, -100, -93, -75, -48, -17, 15,  45,
                                      69,  86,  97,  100, 95,  83,   64,  41,  16,  -8,  -28, -45};

/* kW of a home of average size, in hundredths, hour by hour: at home all day; out at work. */
static const int home_percent[2][24] = {
    {28, 24, 22, 21, 21, 24, 36, 52, 56, 54, 52, 56,
     66, 60, 52, 50, 56, 74, 92, 98, 88, 72, 52, 36},
    {24, 21, 20, 20, 21, 28, 52,  66,  44, 26, 22, 22,
     24, 24, 24, 26, 38, 72, 104, 110, 96, 78, 54, 34},
};

static int64_t local_s(const struct scenario *scenario, size_t step)
{
    int64_t since_s = (int64_t)step * 60 * scenario->step_min;

    return scenario->start_utc_s + 60 * (int64_t)scenario->start_offset_min + since_s;
}

double fleet_hour(const struct scenario *scenario, size_t step)
{
    int64_t middle_s = local_s(scenario, step) + 30 * (int64_t)scenario->step_min;
    int64_t of_day_s = (middle_s % 86400 + 86400) % 86400;

    return (double)of_day_s / 3600.0;
}

/* The month of the local start, 0 … 11, by the mean length of a month: near enough for weather. */
static size_t month_of(const struct scenario *scenario)
{
    int64_t days = local_s(scenario, 0) / 86400;
    double year_days = (double)days - 365.2425 * floor((double)days / 365.2425);
    size_t month = (size_t)(year_days / 30.436875);

    return month < 12 ? month : 11;
}

/* The value at an hour of a table of 24, each entry holding in the middle of its hour. */
static double at_hour(const int table[24], double hour)
{
    double shifted = hour < 0.5 ? hour + 23.5 : hour - 0.5;
    int before = (int)shifted % 24, after = (before + 1) % 24;
    double part = shifted - floor(shifted);

    return table[before] + part * (table[after] - table[before]);
}

static double rounded(double value, double per_unit)
{
    return floor(value * per_unit + 0.5) / per_unit;
}

/* kW of 1 kWp: a bell over the daylight, (1 − x²)² with its top at an hour that the face decides.
 */
static double sun(const struct season *season, size_t face, double hour)
{
    static const double top_h[FLEET_PV_FACES] = {10.5, 13.0, 15.5};
    static const double height[FLEET_PV_FACES] = {0.80, 1.0, 0.80};
    double x = (hour - top_h[face]) / (0.5 * season->daylight_h);
    double bell = 1.0 - x * x;
    double sunrise_h = 13.0 - 0.5 * season->daylight_h;
    bool up = hour > sunrise_h && hour < 26.0 - sunrise_h;

    return up && bell > 0.0 ? season->clearness * height[face] * bell * bell : 0.0;
}

static enum walras_status make_pv(struct scenario_reader *reader, const struct season *season,
                                  struct fleet_catalogue *out, struct walras_err *err)
{
    const struct scenario *made = &reader->made;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; status == WALRAS_OK && i < FLEET_PV_SIZES * FLEET_PV_FACES; i++) {
        size_t size = i / FLEET_PV_FACES;
        double size_kw = 3.0 + 0.5 * (double)size;

        for (size_t t = 0; t < made->horizon.n_step; t++)
            reader->scratch[t] =
                rounded(size_kw * sun(season, i % FLEET_PV_FACES, fleet_hour(made, t)), 1000.0);
        status = scenario_keep_series(reader, reader->scratch, &out->pv_kw[i], err);
    }
    return status;
}

static enum walras_status make_homes(struct scenario_reader *reader, struct walras_rng *rng,
                                     struct fleet_catalogue *out, struct walras_err *err)
{
    const struct scenario *made = &reader->made;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; status == WALRAS_OK && i < FLEET_HOMES; i++) {
        double size = (double)(50 + walras_rng_below(rng, 151)) / 100.0;
        const int *habit = home_percent[walras_rng_below(rng, 2)];

        for (size_t t = 0; t < made->horizon.n_step; t++) {
            double mood = (double)(70 + walras_rng_below(rng, 61)) / 100.0;

            reader->scratch[t] =
                rounded(size * mood * at_hour(habit, fleet_hour(made, t)) / 100.0, 1000.0);
        }
        status = scenario_keep_series(reader, reader->scratch, &out->home_kw[i], err);
    }
    return status;
}

static enum walras_status make_weather(struct scenario_reader *reader, const struct season *season,
                                       struct fleet_catalogue *out, struct walras_err *err)
{
    const struct scenario *made = &reader->made;
    size_t n = made->horizon.n_step;
    enum walras_status status = WALRAS_OK;

    out->cool = season->mean_c > 15.0;
    out->extreme_c = season->mean_c + (out->cool ? season->swing_c : -season->swing_c);
    for (size_t t = 0; t < n; t++)
        reader->scratch[t] = rounded(
            season->mean_c + season->swing_c * at_hour(swing_percent, fleet_hour(made, t)) / 100.0,
            100.0);
    status = scenario_keep_series(reader, reader->scratch, &out->outdoor_c, err);
    for (size_t i = 0; status == WALRAS_OK && i < FLEET_PUMPS; i++) {
        double base = 2.6 + 0.4 * (double)i;

        for (size_t t = 0; t < n; t++) {
            double warmer_k = walras_series_at(out->outdoor_c, t) - (out->cool ? 35.0 : 7.0);
            double cop = base + (out->cool ? -0.06 : 0.06) * warmer_k;

            reader->scratch[t] = rounded(fmin(fmax(cop, 1.5), 6.0), 100.0);
        }
        status = scenario_keep_series(reader, reader->scratch, &out->cop[i], err);
    }
    return status;
}

enum walras_status fleet_catalogue_make(struct scenario_reader *reader, struct walras_rng *rng,
                                        struct fleet_catalogue *out, struct walras_err *err)
{
    const struct season *season = &seasons[month_of(&reader->made)];
    enum walras_status status = make_pv(reader, season, out, err);

    if (status == WALRAS_OK)
        status = make_homes(reader, rng, out, err);
    if (status == WALRAS_OK)
        status = make_weather(reader, season, out, err);
    if (status == WALRAS_OK)
        status = scenario_keep_constant(reader, 0.0, &out->zero, err);
    return status;
}
