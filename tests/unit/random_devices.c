#include "random_devices.h"

#include <math.h>
#include <string.h>

/* One of the values, or now and then a number between the first and the last. */
static double pick_of(struct walras_rng *rng, const double *values, size_t n)
{
    if (walras_rng_unit(rng) < 0.4)
        return walras_rng_range(rng, values[0], values[n - 1]);
    return values[walras_rng_below(rng, n)];
}

#define PICK(rng, ...)                                                                             \
    pick_of(rng, (const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double))

static bool chance(struct walras_rng *rng, double probability)
{
    return walras_rng_unit(rng) < probability;
}

void random_prices(struct walras_rng *rng, size_t n_step, double *price_per_mwh)
{
    double level = PICK(rng, -60.0, 0.0, 50.0, 120.0), width = PICK(rng, 0.0, 1.0, 40.0, 200.0);
    double scale = chance(rng, 0.1) ? 1e4 : chance(rng, 0.05) ? 1e-5 : 1.0;
    double tick = chance(rng, 0.3) ? 10.0 : 0.0; /* few distinct prices: many ties */

    for (size_t t = 0; t < n_step; t++) {
        double price = level + width * walras_rng_range(rng, -1.0, 1.0);

        if (tick > 0.0)
            price = tick * round(price / tick);
        if (chance(rng, 0.02))
            price = PICK(rng, -3000.0, 0.0, 1e6);
        price_per_mwh[t] = scale * price;
    }
}

static struct walras_series random_series(struct walras_rng *rng, struct random_device *made,
                                          size_t which, double low, double high)
{
    bool constant = chance(rng, 0.2);

    for (size_t t = 0; t < made->horizon.n_step; t++)
        made->series[which][t] = walras_rng_range(rng, low, high);
    return (struct walras_series){made->series[which], constant ? 0 : 1};
}

static void random_load(struct walras_rng *rng, struct random_device *made)
{
    made->device.load = (struct agent_load){
        .draw_kw = random_series(rng, made, 0, chance(rng, 0.5) ? -5.0 : 0.0, 20.0),
        .shed_price_per_mwh = chance(rng, 0.3) ? (double)NAN : PICK(rng, 0.0, 50.0, 3000.0),
    };
}

static void random_pv(struct walras_rng *rng, struct random_device *made)
{
    made->device.pv = (struct agent_pv){
        .available_kw = random_series(rng, made, 0, 0.0, chance(rng, 0.1) ? 1e-9 : 8.0),
        .cost_per_mwh = PICK(rng, -20.0, 0.0, 0.0, 40.0),
        .curtailable = chance(rng, 0.8),
    };
}

/* Efficiencies from nearly nothing to nothing lost. */
static double random_efficiency(struct walras_rng *rng)
{
    return PICK(rng, 0.8, 1e-3, 0.5, 0.999999, 0.95, 1.0, 1.0);
}

static void random_battery(struct walras_rng *rng, struct random_device *made)
{
    double capacity = PICK(rng, 5.0, 0.01, 1e4, 10.0, 15.0);
    double share = PICK(rng, 0.0, 0.0, 0.5, 1.0), hours = capacity / made->horizon.step_h;
    double least = chance(rng, 0.7) ? 0.0 : PICK(rng, 0.0, 0.2, share, 0.5);

    made->device.battery = (struct agent_battery){
        .capacity_kwh = capacity,
        .charge_kw = hours * PICK(rng, 0.05, 0.0, 1.0 / 3.0, 10.0, 1e-4, 0.5),
        .discharge_kw = hours * PICK(rng, 0.05, 0.0, 1.0 / 3.0, 10.0, 1e-4, 0.5),
        .charge_efficiency = random_efficiency(rng),
        .discharge_efficiency = random_efficiency(rng),
        .start_kwh = share * capacity,
        .end_min_kwh = capacity * (chance(rng, 0.5) ? 0.0 : PICK(rng, 0.0, share, 0.5, 1.0)),
        .min_kwh = least * capacity,
        .loss_per_hour = chance(rng, 0.6) ? 0.0 : PICK(rng, 0.0, 1e-4, 0.5, 0.99, 0.05),
        .wear_per_mwh = PICK(rng, 0.0, 0.0, 1000.0, 20.0, 50.0),
    };
    if (chance(rng, 0.05)) /* what can just be reached */
        made->device.battery.end_min_kwh =
            fmin(capacity, share * capacity + (double)made->horizon.n_step * made->horizon.step_h *
                                                  made->device.battery.charge_kw *
                                                  made->device.battery.charge_efficiency);
}

static void random_ev(struct walras_rng *rng, struct random_device *made)
{
    uint32_t n = (uint32_t)made->horizon.n_step;
    uint32_t arrive = (uint32_t)walras_rng_below(rng, n);
    uint32_t stay = chance(rng, 0.2) ? 1 : 1 + (uint32_t)walras_rng_below(rng, n - arrive);
    double start = PICK(rng, 0.0, 0.0, 10.0, 30.0), energy = PICK(rng, 0.0, 0.0, 5.0, 20.0);
    double charge = PICK(rng, 1.0, 0.0, 3.7, 150.0, 11.0), efficiency = random_efficiency(rng);

    if (chance(rng, 0.4)) /* mostly within reach, sometimes just */
        energy = stay * made->horizon.step_h * charge * efficiency * PICK(rng, 0.0, 0.5, 1.0);
    made->device.ev = (struct agent_ev){
        .arrive = arrive,
        .depart = arrive + stay,
        .energy_kwh = energy,
        .charge_kw = charge,
        .discharge_kw = chance(rng, 0.5) ? 0.0 : charge * PICK(rng, 0.0, 1.0, 3.0),
        .efficiency = efficiency,
        .capacity_kwh =
            chance(rng, 0.5) ? start + energy : start + energy * PICK(rng, 0.9, 1.0, 2.0),
        .start_kwh = start,
        .wear_per_mwh = PICK(rng, 0.0, 0.0, 100.0, 20.0),
        .unserved_price_per_mwh = chance(rng, 0.5) ? (double)NAN : PICK(rng, 0.0, 40.0, 5000.0),
    };
}

/* A band around where some random use of the machine would lead: it can be kept. */
static void band_around_a_run(struct walras_rng *rng, struct random_device *made)
{
    struct agent_thermal *thermal = &made->device.thermal;
    double *low = made->series[1], *high = made->series[2];
    double u = thermal->conductance_kw_per_k, c = thermal->capacity_kwh_per_k;
    double keep = exp(-u * made->horizon.step_h / c), at = thermal->start_c;
    double gap = PICK(rng, 0.1, 1e-6, 1.0, 5.0);

    for (size_t t = 0; t < made->horizon.n_step; t++) {
        double heat = walras_series_at(thermal->gain_kw, t) +
                      (thermal->cool ? -1.0 : 1.0) * walras_series_at(thermal->cop, t) *
                          thermal->max_kw * walras_rng_unit(rng);
        double out = walras_series_at(thermal->outdoor_c, t);

        at = u > 0.0 ? keep * at + (1.0 - keep) * (out + heat / u)
                     : at + made->horizon.step_h * heat / c;
        low[t] = at - gap * walras_rng_unit(rng);
        high[t] = at + gap * walras_rng_unit(rng);
    }
    thermal->min_c.stride = thermal->max_c.stride = 1;
}

static void random_thermal(struct walras_rng *rng, struct random_device *made)
{
    made->device.thermal = (struct agent_thermal){
        .cool = chance(rng, 0.4),
        .max_kw = PICK(rng, 1.0, 0.0, 3.0, 100.0, 10.0),
        .capacity_kwh_per_k = PICK(rng, 1.0, 0.05, 3.0, 100.0, 20.0),
        .conductance_kw_per_k = PICK(rng, 0.05, 0.0, 1e-9, 5.0, 0.5),
        .start_c = PICK(rng, 15.0, 20.0, 60.0, 25.0),
        .cop = random_series(rng, made, 0, 0.5, 5.0),
        .min_c = random_series(rng, made, 1, 15.0, 20.0),
        .max_c = random_series(rng, made, 2, 20.0, 26.0),
        .outdoor_c = random_series(rng, made, 3, -15.0, 35.0),
        .gain_kw = random_series(rng, made, 4, 0.0, 1.0),
        .comfort_price_per_kh = chance(rng, 0.5) ? (double)NAN : PICK(rng, 0.0, 0.001, 10.0, 0.5),
    };
    if (chance(rng, 0.7))
        band_around_a_run(rng, made);
}

static void random_shiftable(struct walras_rng *rng, struct random_device *made)
{
    uint32_t n = (uint32_t)made->horizon.n_step;
    uint32_t length = 1 + (uint32_t)walras_rng_below(rng, n < 8 ? n : 8);
    uint32_t earliest = (uint32_t)walras_rng_below(rng, n - length + 1);

    random_series(rng, made, 0, chance(rng, 0.2) ? -1.0 : 0.0, 3.0);
    made->device.shiftable = (struct agent_shiftable){
        .profile_kw = made->series[0],
        .n_profile = length,
        .earliest = earliest,
        .latest = earliest + (uint32_t)walras_rng_below(rng, n - length - earliest + 1),
    };
}

/* n blocks with prices that rise (direction +1) or fall (-1), some equal, some without width. */
static void random_blocks(struct walras_rng *rng, struct agent_segment *blocks, size_t n,
                          double direction)
{
    double price = walras_rng_range(rng, -40.0, 120.0);

    for (size_t i = 0; i < n; i++) {
        blocks[i].width_kw = chance(rng, 0.1) ? 0.0 : walras_rng_range(rng, 0.01, 20.0);
        blocks[i].price_per_mwh = price;
        price += direction * (chance(rng, 0.2) ? 0.0 : walras_rng_range(rng, 0.0, 40.0));
    }
}

static void random_list(struct walras_rng *rng, struct agent_segment *blocks, uint32_t *first,
                        size_t n_list, double direction)
{
    first[0] = 0;
    for (size_t k = 0; k < n_list; k++) {
        size_t n = walras_rng_below(rng, RANDOM_BLOCKS + 1);

        random_blocks(rng, blocks + first[k], n, direction);
        first[k + 1] = first[k] + (uint32_t)n;
    }
}

static void random_bid(struct walras_rng *rng, struct random_device *made)
{
    bool one_list = chance(rng, 0.3);
    size_t n_list = one_list ? 1 : made->horizon.n_step;

    random_list(rng, made->demand, made->demand_first, n_list, -1.0);
    random_list(rng, made->offer, made->offer_first, n_list, 1.0);
    made->device.bid = (struct agent_bid){
        .demand = made->demand,
        .offer = made->offer,
        .demand_first = made->demand_first,
        .offer_first = made->offer_first,
        .one_list = one_list,
    };
}

static void random_generator(struct walras_rng *rng, struct random_device *made)
{
    struct agent_generator *generator = &made->device.generator;
    double full_kw = PICK(rng, 100.0, 1.0, 1e5, 5000.0);

    *generator = (struct agent_generator){
        .min_kw = full_kw * PICK(rng, 0.0, 0.0, 0.2, 1.0),
        .max_kw = full_kw,
        .ramp_kw_per_h = (double)INFINITY,
        .on_at_start = true,
    };
    if (chance(rng, 0.6))
        generator->ramp_kw_per_h =
            full_kw / made->horizon.step_h * PICK(rng, 0.01, 0.0, 0.1, 2.0, 0.5);
    if (chance(rng, 0.4)) {
        generator->n_segment = RANDOM_BLOCKS;
        random_blocks(rng, made->offer, RANDOM_BLOCKS, 1.0);
        made->offer[RANDOM_BLOCKS - 1].width_kw = full_kw; /* together they cover max_kw */
        generator->segments = made->offer;
        return;
    }
    generator->per_mw2h = chance(rng, 0.4) ? 0.0 : PICK(rng, 1.0, 1e-4, 20.0, 1000.0);
    generator->per_mwh = PICK(rng, -10.0, 0.0, 30.0, 90.0);
    generator->per_h = PICK(rng, 0.0, 0.0, 200.0, 100.0);
    if (chance(rng, 0.1))
        generator->min_kw = -0.5 * full_kw;
}

void random_commitment(struct walras_rng *rng, struct random_device *made)
{
    struct agent_generator *generator = &made->device.generator;

    generator->committed = true;
    generator->min_kw = fmax(generator->min_kw, 0.0);
    generator->on_at_start = chance(rng, 0.5);
    generator->start_cost = PICK(rng, 0.0, 0.0, 1.0, 500.0, 50.0);
    generator->min_up_steps = (uint32_t)walras_rng_below(rng, 5);
    generator->min_down_steps = (uint32_t)walras_rng_below(rng, 5);
}

void random_squares(struct walras_rng *rng, struct random_device *made)
{
    double size = pow(10.0, walras_rng_range(rng, -3.0, 3.0)); /* beside prices of tens */
    struct agent_thermal *thermal = &made->device.thermal;

    if (made->device.type == AGENT_BATTERY) {
        made->device.battery.wear_per_mw2h =
            1e3 * size / fmax(made->device.battery.charge_kw, made->horizon.step_h);
    } else if (made->device.type == AGENT_EV) {
        made->device.ev.wear_per_mw2h = 1e3 * size / fmax(made->device.ev.charge_kw, 1.0);
    } else if (made->device.type == AGENT_THERMAL) {
        thermal->discomfort_per_k2h = 1e-2 * size;
        if (chance(rng, 0.5))
            thermal->target_c = random_series(rng, made, 5, 15.0, 26.0);
    }
}

void random_device(struct walras_rng *rng, enum agent_device_type type, size_t max_step,
                   struct random_device *made)
{
    static const double lengths_h[] = {0.25, 1.0, 0.5, 1.0 / 12.0, 24.0};
    static void (*const make[])(struct walras_rng *, struct random_device *) = {
        [AGENT_LOAD] = random_load,           [AGENT_PV] = random_pv,
        [AGENT_BATTERY] = random_battery,     [AGENT_EV] = random_ev,
        [AGENT_THERMAL] = random_thermal,     [AGENT_SHIFTABLE] = random_shiftable,
        [AGENT_GENERATOR] = random_generator, [AGENT_BID] = random_bid,
    };

    memset(made, 0, sizeof(*made));
    made->horizon.n_step = chance(rng, 0.1) ? 1 : 1 + walras_rng_below(rng, max_step);
    made->horizon.step_h = lengths_h[walras_rng_below(rng, 5)];
    made->device.type = type;
    made->device.id = "random";
    made->device.power_factor = 1.0;
    make[type](rng, made);
}
