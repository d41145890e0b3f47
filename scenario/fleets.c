#include "scenario/fleets.h"

#include "scenario/fleet_catalogue.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSERVED_PRICE_PER_MWH 3000.0
#define SHED_PRICE_PER_MWH     5000.0
#define COMFORT_PRICE_PER_KH   0.5

static const char *const kind_names[] = {
#define X(name, text) text,
    SCENARIO_FLEET_LIST(X)
#undef X
};

struct draw { /* what one device is made with */
    struct scenario_reader *reader;
    const struct fleet_catalogue *catalogue;
    struct walras_rng rng;
    struct agent_device *device;
};

/* A whole number from low to high, ends included. */
static int whole(struct draw *draw, int low, int high)
{
    return low + (int)walras_rng_below(&draw->rng, (uint64_t)(high - low) + 1);
}

static double tenths(struct draw *draw, int low, int high)
{
    return whole(draw, low, high) / 10.0;
}

static double percent(struct draw *draw, int low, int high)
{
    return whole(draw, low, high) / 100.0;
}

static double to_thousandths(double value)
{
    return floor(value * 1000.0 + 0.5) / 1000.0;
}

static enum walras_status make_load(struct draw *draw, struct walras_err *err)
{
    (void)err;
    draw->device->type = AGENT_LOAD;
    draw->device->load =
        (struct agent_load){.draw_kw = draw->catalogue->home_kw[whole(draw, 0, FLEET_HOMES - 1)],
                            .draw_kvar = draw->catalogue->zero,
                            .shed_price_per_mwh = SHED_PRICE_PER_MWH};
    return WALRAS_OK;
}

static enum walras_status make_pv(struct draw *draw, struct walras_err *err)
{
    (void)err;
    draw->device->type = AGENT_PV;
    draw->device->pv = (struct agent_pv){
        .available_kw = draw->catalogue->pv_kw[whole(draw, 0, FLEET_PV_SIZES * FLEET_PV_FACES - 1)],
        .curtailable = true};
    return WALRAS_OK;
}

static enum walras_status make_battery(struct draw *draw, struct walras_err *err)
{
    double capacity_kwh = tenths(draw, 50, 150);
    double power_kw = to_thousandths(capacity_kwh * percent(draw, 30, 60));
    double start_kwh = to_thousandths(capacity_kwh * percent(draw, 20, 80));
    struct agent_battery battery = {.capacity_kwh = capacity_kwh,
                                    .charge_kw = power_kw,
                                    .discharge_kw = power_kw,
                                    .start_kwh = start_kwh,
                                    .end_min_kwh = start_kwh,
                                    .min_kwh = to_thousandths(capacity_kwh * 0.05)};

    (void)err;
    /* one draw a statement: initialisers have no order of their own */
    battery.charge_efficiency = percent(draw, 92, 98);
    battery.discharge_efficiency = percent(draw, 92, 98);
    battery.wear_per_mwh = tenths(draw, 50, 250);
    draw->device->type = AGENT_BATTERY;
    draw->device->battery = battery;
    return WALRAS_OK;
}

/* The step that holds the local `hour` of the day that is `day` after the first, unclipped. */
static int64_t step_of(const struct draw *draw, int64_t day, int quarter_hours)
{
    const struct scenario *made = &draw->reader->made;
    int64_t local_s = made->start_utc_s + 60 * (int64_t)made->start_offset_min;
    int64_t of_day_s = (local_s % 86400 + 86400) % 86400;
    int64_t since_s = day * 86400 + (int64_t)quarter_hours * 900 - of_day_s;
    int64_t step_s = 60 * (int64_t)made->step_min;

    return since_s >= 0 ? since_s / step_s : -((-since_s + step_s - 1) / step_s);
}

/* Plugged in at home over night (3 in 4) or at work, on a day of the horizon, cut to it. */
static void choose_stay(struct draw *draw, uint32_t *arrive, uint32_t *depart)
{
    const struct scenario *made = &draw->reader->made;
    int64_t n = (int64_t)made->horizon.n_step;
    int days = (int)(n * made->step_min / 1440) + 1;

    *arrive = 0;
    *depart = (uint32_t)n;
    for (int attempt = 0; attempt < 8; attempt++) {
        bool home = whole(draw, 1, 4) <= 3;
        int64_t day = whole(draw, home ? -1 : 0, days - 1);
        int from = home ? whole(draw, 64, 88) : whole(draw, 28, 40); /* quarter hours of the day */
        int stay = home ? whole(draw, 36, 56) : whole(draw, 24, 40);
        int64_t first = step_of(draw, day, from), end = step_of(draw, day, from + stay);

        first = first > 0 ? first : 0;
        end = end < n ? end : n;
        if (end > first) {
            *arrive = (uint32_t)first;
            *depart = (uint32_t)end;
            return;
        }
    }
}

static void make_car(struct draw *draw, bool gives_back)
{
    static const double chargers_kw[] = {3.7, 7.4, 11.0, 22.0};
    struct agent_ev ev = {.efficiency = percent(draw, 88, 95),
                          .unserved_price_per_mwh = UNSERVED_PRICE_PER_MWH};
    double wanted_kwh = tenths(draw, 40, 300), stay_h = 0.0;

    choose_stay(draw, &ev.arrive, &ev.depart);
    stay_h = (ev.depart - ev.arrive) * draw->reader->made.horizon.step_h;
    ev.charge_kw = chargers_kw[whole(draw, 0, gives_back ? 2 : 3)];
    ev.energy_kwh = to_thousandths(fmin(wanted_kwh, 0.8 * ev.charge_kw * ev.efficiency * stay_h));
    ev.capacity_kwh = ev.energy_kwh;
    if (gives_back) {
        double size_kwh = whole(draw, 40, 80);

        ev.discharge_kw = ev.charge_kw;
        ev.start_kwh = to_thousandths(size_kwh * percent(draw, 20, 50));
        ev.energy_kwh = fmin(ev.energy_kwh, to_thousandths(0.4 * size_kwh));
        ev.capacity_kwh = size_kwh;
        ev.wear_per_mwh = tenths(draw, 200, 600);
    }
    draw->device->type = AGENT_EV;
    draw->device->ev = ev;
}

static enum walras_status make_ev(struct draw *draw, struct walras_err *err)
{
    (void)err;
    make_car(draw, false);
    return WALRAS_OK;
}

static enum walras_status make_v2g(struct draw *draw, struct walras_err *err)
{
    (void)err;
    make_car(draw, true);
    return WALRAS_OK;
}

/*
 * How far the room drifts with the device off to the side that the device cannot help: nobody
 * wishes for what it cannot do.
 */
static double drift_c(const struct draw *draw, const struct agent_thermal *thermal, double gain_kw)
{
    const struct agent_horizon *horizon = &draw->reader->made.horizon;
    /* implicit Euler, a tenth or two off: the same on every machine, which exp() need not be */
    double a =
        1.0 / (1.0 + thermal->conductance_kw_per_k * horizon->step_h / thermal->capacity_kwh_per_k);
    double room_c = thermal->start_c, extreme_c = room_c;

    for (size_t t = 0; t < horizon->n_step; t++) {
        double outside_c = walras_series_at(thermal->outdoor_c, t);

        room_c = a * room_c + (1.0 - a) * (outside_c + gain_kw / thermal->conductance_kw_per_k);
        extreme_c = thermal->cool ? fmin(extreme_c, room_c) : fmax(extreme_c, room_c);
    }
    return extreme_c;
}

static enum walras_status make_thermal(struct draw *draw, struct walras_err *err)
{
    const struct fleet_catalogue *catalogue = draw->catalogue;
    double target_c = catalogue->cool ? tenths(draw, 230, 250) : tenths(draw, 200, 220);
    double band_k = tenths(draw, 5, 15), conductance = percent(draw, 10, 30);
    double gain_kw = tenths(draw, 2, 8), capacity_kwh_per_k = tenths(draw, 40, 150);
    double design_k = fabs(target_c - catalogue->extreme_c) + 8.0;
    struct agent_thermal thermal = {.cool = catalogue->cool,
                                    .conductance_kw_per_k = conductance,
                                    .capacity_kwh_per_k = capacity_kwh_per_k,
                                    .start_c = target_c,
                                    .cop = catalogue->cop[whole(draw, 0, FLEET_PUMPS - 1)],
                                    .outdoor_c = catalogue->outdoor_c,
                                    .comfort_price_per_kh = COMFORT_PRICE_PER_KH};
    struct scenario_reader *reader = draw->reader;
    double drifted_c = drift_c(draw, &thermal, gain_kw);
    double low_c = floor(10.0 * (target_c - band_k) + 0.5) / 10.0;
    double high_c = floor(10.0 * (target_c + band_k) + 0.5) / 10.0;

    if (thermal.cool)
        low_c = fmin(low_c, floor(10.0 * drifted_c - 3.0) / 10.0);
    else
        high_c = fmax(high_c, ceil(10.0 * drifted_c + 3.0) / 10.0);
    enum walras_status status = scenario_keep_constant(reader, low_c, &thermal.min_c, err);

    thermal.max_kw = to_thousandths((conductance * design_k + gain_kw) / 2.5);
    if (status == WALRAS_OK)
        status = scenario_keep_constant(reader, high_c, &thermal.max_c, err);
    if (status == WALRAS_OK)
        status = scenario_keep_constant(reader, gain_kw, &thermal.gain_kw, err);
    draw->device->type = AGENT_THERMAL;
    draw->device->thermal = thermal;
    return status;
}

/* Hundredths of a kW by quarter hour: dish washer, washing machine, tumble dryer, pool pump. */
enum { N_APPLIANCE = 4, APPLIANCE_QUARTERS = 12 };
static const struct appliance {
    int n_quarter, kw_percent[APPLIANCE_QUARTERS];
} appliances[N_APPLIANCE] = {
    {8, {20, 190, 190, 30, 20, 180, 120, 10}},
    {7, {50, 200, 160, 25, 20, 30, 45}},
    {6, {230, 230, 220, 200, 180, 80}},
    {12, {90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90}},
};

/* The mean power in step i of an appliance that starts with step 0. */
static double appliance_kw(const struct appliance *appliance, size_t i, uint32_t step_min)
{
    int64_t from_min = (int64_t)i * step_min, to_min = from_min + step_min;
    double kw_min = 0.0;

    for (int q = 0; q < appliance->n_quarter; q++) {
        int64_t low = 15 * q > from_min ? 15 * q : from_min;
        int64_t high = 15 * (q + 1) < to_min ? 15 * (q + 1) : to_min;

        if (high > low)
            kw_min += appliance->kw_percent[q] / 100.0 * (double)(high - low);
    }
    return kw_min / step_min;
}

static enum walras_status make_shiftable(struct draw *draw, struct walras_err *err)
{
    const struct scenario *made = &draw->reader->made;
    const struct appliance *appliance = &appliances[whole(draw, 0, N_APPLIANCE - 1)];
    uint32_t steps = (uint32_t)made->horizon.n_step;
    uint32_t length = ((uint32_t)appliance->n_quarter * 15 + made->step_min - 1) / made->step_min;
    uint32_t n = length < steps ? length : steps;
    double *profile_kw = walras_arena_take(made->arena, n, sizeof(*profile_kw));
    uint32_t last = steps - n; /* the last step it may start in at all */

    if (!profile_kw)
        return scenario_no_memory(draw->reader, err);
    for (size_t i = 0; i < n; i++)
        profile_kw[i] = to_thousandths(appliance_kw(appliance, i, made->step_min));

    uint32_t earliest = (uint32_t)walras_rng_below(&draw->rng, (uint64_t)last + 1);
    uint32_t patience = (uint32_t)whole(draw, 2, 10) * 60 / made->step_min;
    uint32_t latest = last - earliest > patience ? earliest + patience : last;

    draw->device->type = AGENT_SHIFTABLE;
    draw->device->shiftable = (struct agent_shiftable){
        .profile_kw = profile_kw, .n_profile = n, .earliest = earliest, .latest = latest};
    return WALRAS_OK;
}

static enum walras_status (*const makers[])(struct draw *, struct walras_err *) = {
    [SCENARIO_FLEET_LOAD] = make_load,
    [SCENARIO_FLEET_PV] = make_pv,
    [SCENARIO_FLEET_BATTERY] = make_battery,
    [SCENARIO_FLEET_EV] = make_ev,
    [SCENARIO_FLEET_V2G] = make_v2g,
    [SCENARIO_FLEET_THERMAL] = make_thermal,
    [SCENARIO_FLEET_SHIFTABLE] = make_shiftable,
};

/* The kind that is furthest behind its share once k + 1 devices are made; ties go to the first. */
static size_t next_kind(const struct scenario_fleet *fleet, const size_t *made, size_t k)
{
    size_t kind = 0;
    double most = -INFINITY;

    for (size_t i = 0; i < SCENARIO_FLEET_KINDS; i++) {
        double behind = fleet->share[i] * (double)(k + 1) - (double)made[i];

        if (fleet->share[i] > 0.0 && behind > most) {
            kind = i;
            most = behind;
        }
    }
    return kind;
}

static enum walras_status add_member(struct scenario_reader *reader,
                                     const struct scenario_fleet *fleet,
                                     const struct fleet_catalogue *catalogue, size_t k, size_t kind,
                                     uint32_t bus, uint64_t seed, struct walras_err *err)
{
    struct agent_device device = {.id = kind_names[kind], .power_factor = 1.0};
    struct draw draw = {.reader = reader,
                        .catalogue = catalogue,
                        .rng = walras_rng_from_seed(seed),
                        .device = &device};
    char text[SCENARIO_MAX_ID + 32];
    int size = snprintf(text, sizeof(text), "%s-%zu", fleet->id, k + 1);
    const char *id = walras_arena_text(reader->made.arena, text, (size_t)size);
    enum walras_status status =
        id ? scenario_add_agent(reader, id, bus, err) : scenario_no_memory(reader, err);

    if (status == WALRAS_OK)
        status = makers[kind](&draw, err);
    return status == WALRAS_OK ? scenario_add_device(reader, &device, err) : status;
}

enum walras_status scenario_add_fleet(struct scenario_reader *reader,
                                      const struct scenario_fleet *fleet, struct walras_err *err)
{
    struct walras_rng rng = walras_rng_from_seed(fleet->seed);
    struct fleet_catalogue catalogue = {0};
    size_t made[SCENARIO_FLEET_KINDS] = {0}, offset[SCENARIO_FLEET_KINDS];
    enum walras_status status = fleet_catalogue_make(reader, &rng, &catalogue, err);

    for (size_t i = 0; i < SCENARIO_FLEET_KINDS; i++)
        offset[i] = (size_t)walras_rng_below(&rng, fleet->n_bus);
    for (size_t k = 0; status == WALRAS_OK && k < fleet->count; k++) {
        size_t kind = next_kind(fleet, made, k);
        uint32_t bus = fleet->buses[(offset[kind] + made[kind]) % fleet->n_bus];

        uint64_t seed = walras_rng_next(&rng);

        made[kind]++;
        if (!scenario_is_mine(reader))
            continue;
        status = add_member(reader, fleet, &catalogue, k, kind, bus, seed, err);
        reader->made.n_fleet_agent += status == WALRAS_OK;
    }
    return status;
}
