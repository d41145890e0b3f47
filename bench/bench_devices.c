/*
 * Microseconds per best response: the exact solver of each device type beside warm GLPK.
 *
 * Random devices of each type are asked round after round, as a market asks them: a price profile
 * of a day that moves a little from round to round. One thread. GLPK's models are built before the
 * clock starts and keep their basis from round to round; its first solve is not counted.
 */
#include "agents/model.h"
#include "agents/solve.h"
#include "core/clock.h"
#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_DEVICE = 256, N_MODEL = 24, N_ROUND = 40, N_MODEL_ROUND = 12, MAX_STEP = 96 };

struct sample {
    struct agent_device device;
    double series[5][MAX_STEP];
    double profile_kw[8];
    struct agent_segment demand[3], offer[3];
};

static const uint32_t one_list[] = {0, 3};

static struct walras_series series_of(struct sample *sample, size_t k)
{
    return (struct walras_series){sample->series[k], 1};
}

static void fill(double *values, size_t n, struct walras_rng *rng, double low, double high)
{
    for (size_t t = 0; t < n; t++)
        values[t] = walras_rng_range(rng, low, high);
}

static void make_battery(struct sample *s, struct walras_rng *rng)
{
    double capacity_kwh = walras_rng_range(rng, 5.0, 20.0);

    s->device.battery = (struct agent_battery){
        .capacity_kwh = capacity_kwh,
        .charge_kw = capacity_kwh / walras_rng_range(rng, 1.5, 4.0),
        .discharge_kw = capacity_kwh / walras_rng_range(rng, 1.5, 4.0),
        .charge_efficiency = walras_rng_range(rng, 0.9, 0.98),
        .discharge_efficiency = walras_rng_range(rng, 0.9, 0.98),
        .start_kwh = 0.5 * capacity_kwh,
        .end_min_kwh = 0.5 * capacity_kwh,
        .wear_per_mwh = walras_rng_range(rng, 0.0, 30.0),
    };
}

static void make_ev(struct sample *s, const struct agent_horizon *horizon, struct walras_rng *rng)
{
    uint32_t n = (uint32_t)horizon->n_step;
    uint32_t stay = n / 2;
    double hours = (double)stay * horizon->step_h;
    double charge_kw = walras_rng_range(rng, 3.7, 11.0);

    s->device.ev = (struct agent_ev){
        .arrive = n / 4,
        .depart = n / 4 + stay,
        .energy_kwh = walras_rng_range(rng, 0.2, 0.7) * hours * charge_kw * 0.9,
        .charge_kw = charge_kw,
        .discharge_kw = walras_rng_below(rng, 2) ? charge_kw : 0.0,
        .efficiency = 0.93,
        .capacity_kwh = hours * charge_kw,
        .start_kwh = 5.0,
        .wear_per_mwh = 20.0,
        .unserved_price_per_mwh = 1000.0,
    };
}

static void make_thermal(struct sample *s, const struct agent_horizon *horizon,
                         struct walras_rng *rng, bool soft)
{
    size_t n = horizon->n_step;

    fill(s->series[0], n, rng, 3.0, 3.6);
    fill(s->series[1], n, rng, 19.0, 19.5);
    fill(s->series[2], n, rng, 22.0, 23.0);
    fill(s->series[3], n, rng, 0.0, 8.0);
    fill(s->series[4], n, rng, 0.0, 0.5);
    s->device.thermal = (struct agent_thermal){
        .max_kw = 4.0,
        .capacity_kwh_per_k = walras_rng_range(rng, 3.0, 12.0),
        .conductance_kw_per_k = walras_rng_range(rng, 0.1, 0.3),
        .start_c = 20.5,
        .cop = series_of(s, 0),
        .min_c = series_of(s, 1),
        .max_c = series_of(s, 2),
        .outdoor_c = series_of(s, 3),
        .gain_kw = series_of(s, 4),
        .comfort_price_per_kh = soft ? walras_rng_range(rng, 0.1, 1.0) : (double)NAN,
    };
}

static void make_generator(struct sample *s, struct walras_rng *rng, bool ramp, bool quadratic)
{
    struct agent_generator *generator = &s->device.generator;

    for (size_t i = 0; i < 3; i++)
        s->offer[i] = (struct agent_segment){walras_rng_range(rng, 20.0, 60.0),
                                             30.0 * (double)(i + 1) + walras_rng_unit(rng)};
    *generator = (struct agent_generator){
        .min_kw = 10.0,
        .max_kw = s->offer[0].width_kw + s->offer[1].width_kw + s->offer[2].width_kw,
        .ramp_kw_per_h = ramp ? walras_rng_range(rng, 5.0, 40.0) : (double)INFINITY,
    };
    if (quadratic) {
        generator->per_mw2h = walras_rng_range(rng, 100.0, 400.0);
        generator->per_mwh = 20.0;
    } else {
        generator->segments = s->offer;
        generator->n_segment = 3;
    }
}

static void make_simple(struct sample *s, const struct agent_horizon *horizon,
                        struct walras_rng *rng)
{
    uint32_t n = (uint32_t)horizon->n_step;

    fill(s->series[0], n, rng, 0.0, 5.0);
    fill(s->profile_kw, 8, rng, 0.2, 2.0);
    for (size_t i = 0; i < 3; i++) {
        s->demand[i] = (struct agent_segment){10.0, 90.0 - 20.0 * (double)i};
        s->offer[i] = (struct agent_segment){10.0, 95.0 + 20.0 * (double)i};
    }
    switch (s->device.type) {
    case AGENT_LOAD:
        s->device.load =
            (struct agent_load){.draw_kw = series_of(s, 0), .shed_price_per_mwh = 60.0};
        break;
    case AGENT_PV:
        s->device.pv = (struct agent_pv){.available_kw = series_of(s, 0), .curtailable = true};
        break;
    case AGENT_SHIFTABLE:
        s->device.shiftable = (struct agent_shiftable){s->profile_kw, 8, n / 4, n / 4 + n / 3};
        break;
    default:
        s->device.bid = (struct agent_bid){s->demand, s->offer, one_list, one_list, true};
    }
}

struct kind {
    const char *name;
    enum agent_device_type type;
    bool variant, quadratic; /* soft band; ramp limit */
    enum { PRICE, NEAR, CURVED } question;
};

/* Quadratic costs that spread what linear ones would do in the cheapest steps. */
static void add_square(struct agent_device *device)
{
    switch (device->type) {
    case AGENT_BATTERY:
        device->battery.wear_per_mw2h = 20e3 / device->battery.charge_kw;
        break;
    case AGENT_EV:
        device->ev.wear_per_mw2h = 20e3 / device->ev.charge_kw;
        break;
    case AGENT_THERMAL:
        device->thermal.discomfort_per_k2h = 0.05;
        break;
    default:
        break;
    }
}

static void make(struct sample *s, const struct kind *kind, const struct agent_horizon *horizon,
                 struct walras_rng *rng)
{
    s->device = (struct agent_device){.type = kind->type, .id = kind->name, .power_factor = 1.0};
    switch (kind->type) {
    case AGENT_BATTERY:
        make_battery(s, rng);
        break;
    case AGENT_EV:
        make_ev(s, horizon, rng);
        break;
    case AGENT_THERMAL:
        make_thermal(s, horizon, rng, kind->variant);
        break;
    case AGENT_GENERATOR:
        make_generator(s, rng, kind->variant, kind->quadratic);
        break;
    default:
        make_simple(s, horizon, rng);
    }
    if (kind->quadratic)
        add_square(&s->device);
}

/* A day with a morning and an evening peak, and what differs from round to round. */
static void prices(double *price_per_mwh, size_t n, uint64_t round)
{
    struct walras_rng rng = walras_rng_from_seed(1000 + round);

    for (size_t t = 0; t < n; t++) {
        double hour = 24.0 * (double)t / (double)n;

        price_per_mwh[t] = 60.0 + 25.0 * sin((hour - 4.0) * 0.5236) - 15.0 * sin(hour * 0.2618) +
                           walras_rng_range(&rng, -6.0, 6.0);
    }
}

static void must(enum walras_status status, const struct walras_err *err)
{
    if (status == WALRAS_OK)
        return;
    fprintf(stderr, "bench_devices: %s\n", err->msg);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return values[n / 2];
}

/* The median round, so that what else the machine does counts little. */
static double fast_us(struct sample *sample, const struct kind *kind,
                      const struct agent_horizon *horizon)
{
    static double curvature[MAX_STEP * MAX_STEP];
    static const double centre_kw[MAX_STEP];
    struct agent_workspace *workspace;
    struct walras_err err = {0};
    struct market_answer answer;
    double price_per_mwh[MAX_STEP], draw_kw[MAX_STEP], spent_us[N_ROUND];

    must(agent_workspace_new(horizon, &workspace, &err), &err);
    for (uint64_t round = 0; round < N_ROUND; round++) {
        prices(price_per_mwh, horizon->n_step, round);

        double start_s = walras_monotonic_s();

        for (size_t i = 0; i < N_DEVICE; i++)
            switch (kind->question) {
            case PRICE:
                must(agent_solve(&sample[i].device, horizon, price_per_mwh, workspace, draw_kw,
                                 &answer, &err),
                     &err);
                break;
            case NEAR:
                must(agent_solve_near(&sample[i].device, horizon, price_per_mwh, 5.0, centre_kw,
                                      workspace, draw_kw, &answer, &err),
                     &err);
                break;
            case CURVED:
                must(agent_solve_curved(&sample[i].device, horizon, price_per_mwh, workspace,
                                        draw_kw, &answer, curvature, &err),
                     &err);
            }
        spent_us[round] = (walras_monotonic_s() - start_s) * 1e6 / N_DEVICE;
    }
    agent_workspace_free(workspace);
    return median(spent_us, N_ROUND);
}

static double model_us(struct sample *sample, const struct agent_horizon *horizon)
{
    struct walras_err err = {0};
    struct agent_model *model[N_MODEL];
    struct market_answer answer;
    double price_per_mwh[MAX_STEP], draw_kw[MAX_STEP], spent_us[N_MODEL_ROUND + 1];

    for (size_t i = 0; i < N_MODEL; i++)
        must(agent_model_new(&sample[i].device, horizon, &model[i], &err), &err);
    for (uint64_t round = 0; round <= N_MODEL_ROUND; round++) {
        prices(price_per_mwh, horizon->n_step, round);

        double start_s = walras_monotonic_s();

        for (size_t i = 0; i < N_MODEL; i++)
            must(agent_model_solve(model[i], price_per_mwh, draw_kw, &answer, &err), &err);
        spent_us[round] = (walras_monotonic_s() - start_s) * 1e6 / N_MODEL;
    }
    for (size_t i = 0; i < N_MODEL; i++)
        agent_model_free(model[i]);
    return median(spent_us + 1, N_MODEL_ROUND); /* + 1: the first solve has no basis */
}

int main(void)
{
    static const struct kind kinds[] = {
        {"battery", AGENT_BATTERY, false, false, PRICE},
        {"battery, quadratic", AGENT_BATTERY, false, true, PRICE},
        {"battery, near", AGENT_BATTERY, false, false, NEAR},
        {"battery, curved", AGENT_BATTERY, false, true, CURVED},
        {"ev", AGENT_EV, false, false, PRICE},
        {"ev, quadratic", AGENT_EV, false, true, PRICE},
        {"ev, near", AGENT_EV, false, false, NEAR},
        {"ev, curved", AGENT_EV, false, true, CURVED},
        {"thermal, hard band", AGENT_THERMAL, false, false, PRICE},
        {"thermal, hard, quadratic", AGENT_THERMAL, false, true, PRICE},
        {"thermal, hard, near", AGENT_THERMAL, false, false, NEAR},
        {"thermal, hard, curved", AGENT_THERMAL, false, true, CURVED},
        {"thermal, soft band", AGENT_THERMAL, true, false, PRICE},
        {"thermal, soft, quadratic", AGENT_THERMAL, true, true, PRICE},
        {"generator, ramp, segments", AGENT_GENERATOR, true, false, PRICE},
        {"generator, ramp, quadratic", AGENT_GENERATOR, true, true, PRICE},
        {"generator, segments", AGENT_GENERATOR, false, false, PRICE},
        {"generator, quadratic", AGENT_GENERATOR, false, true, PRICE},
        {"shiftable", AGENT_SHIFTABLE, false, false, PRICE},
        {"bid", AGENT_BID, false, false, PRICE},
        {"load, sheddable", AGENT_LOAD, false, false, PRICE},
        {"pv", AGENT_PV, false, false, PRICE},
    };
    static const size_t steps[] = {24, 96};
    static struct sample sample[N_DEVICE];

    printf("%-28s %5s %12s %12s %9s\n", "device", "steps", "exact [us]", "GLPK [us]", "ratio");
    for (size_t h = 0; h < sizeof(steps) / sizeof(steps[0]); h++) {
        struct agent_horizon horizon = {steps[h], 24.0 / (double)steps[h]};

        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            struct walras_rng rng = walras_rng_from_seed(k);

            for (size_t i = 0; i < N_DEVICE; i++)
                make(&sample[i], &kinds[k], &horizon, &rng);

            double fast = fast_us(sample, &kinds[k], &horizon), model;

            /* GLPK is not asked that, or needs a tenth of a second of tangents */
            if (kinds[k].question != PRICE ||
                (kinds[k].quadratic && kinds[k].type != AGENT_GENERATOR)) {
                printf("%-28s %5zu %12.3f\n", kinds[k].name, steps[h], fast);
                continue;
            }
            model = model_us(sample, &horizon);
            printf("%-28s %5zu %12.3f %12.1f %9.0f\n", kinds[k].name, steps[h], fast, model,
                   model / fast);
        }
    }
    return 0;
}
