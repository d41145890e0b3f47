/*
 * Writes the market of `./dev bench peers`: a congested radial feeder with fleets at every bus.
 *
 *     make_feeder DEVICES STEPS OUT.json
 *
 * 500 buses: a substation, five feeders of twenty trunk buses, on each sixteen laterals of five
 * buses (one less on the last). Limited are the head of every feeder, the first line of every
 * lateral and the substation's exchange, each by what the devices behind it need: so networks of
 * a hundred and of a hundred thousand devices are congested alike. The same numbers give the same
 * file on every machine.
 */
#include "core/file.h"
#include "put.h"
#include "scenario/scenario.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BUSES = 500, /* bus 0 is the substation */
    PER_FEEDER = 100,
    TRUNK = 20,
    PER_LATERAL = 5,
    STRIDE = 137 /* of homes over 499 buses */
};

/* A line carries its largest device and this much more, so that few devices are a market too. */
static const double least_kw = 1.0;

struct limits {
    double line_kw[BUSES]; /* [0]: the substation's; INFINITY: none */
};

/* The bus that a bus hangs on; its own line is the one between. */
static int parent_of(int bus)
{
    int feeder = (bus - 1) / PER_FEEDER, place = (bus - 1) % PER_FEEDER;
    int first = feeder * PER_FEEDER + 1, lateral = (place - TRUNK) / PER_LATERAL;

    if (place == 0)
        return 0;
    if (place < TRUNK)
        return bus - 1;
    return (place - TRUNK) % PER_LATERAL ? bus - 1 : first + 2 + lateral;
}

static bool is_head(int bus)
{
    return (bus - 1) % PER_FEEDER == 0;
}

static bool is_lateral(int bus)
{
    int place = (bus - 1) % PER_FEEDER;

    return place >= TRUNK && (place - TRUNK) % PER_LATERAL == 0;
}

static double most(struct walras_series series, size_t n_step)
{
    double largest = 0.0;

    for (size_t t = 0; t < n_step; t++)
        largest = fmax(largest, walras_series_at(series, t));
    return largest;
}

/* What a device needs of its line even when it spreads that as evenly as it can. */
static double need_kw(const struct agent_device *device, const struct agent_horizon *horizon)
{
    const struct agent_ev *ev = &device->ev;

    switch (device->type) {
    case AGENT_LOAD:
        return most(device->load.draw_kw, horizon->n_step);
    case AGENT_EV:
        return ev->energy_kwh / (ev->efficiency * (ev->depart - ev->arrive) * horizon->step_h);
    case AGENT_THERMAL:
        return 0.6 * device->thermal.max_kw;
    default:
        return 0.0;
    }
}

/* The share of the need behind it that the line to a bus carries; real laterals differ. */
static double share_of(int bus)
{
    int feeder = bus / PER_FEEDER, kind = bus / PER_LATERAL % 7;

    if (bus == 0)
        return 0.58;
    return is_head(bus) ? 0.60 + 0.02 * feeder : 0.56 + 0.06 * kind;
}

static void set_limits(const struct scenario *scenario, struct limits *limits)
{
    double sum_kw[BUSES] = {0}, largest_kw[BUSES] = {0};

    for (size_t i = 0; i < scenario->n_device; i++) {
        double kw = need_kw(&scenario->devices[i], &scenario->horizon);
        uint32_t bus = scenario_device_bus(scenario, i);

        sum_kw[bus] += kw;
        largest_kw[bus] = fmax(largest_kw[bus], kw);
    }
    for (int bus = BUSES - 1; bus >= 0; bus--) { /* a bus comes after the one it hangs on */
        if (bus > 0) {
            sum_kw[parent_of(bus)] += sum_kw[bus];
            largest_kw[parent_of(bus)] = fmax(largest_kw[parent_of(bus)], largest_kw[bus]);
        }
        double limit_kw = fmax(share_of(bus) * sum_kw[bus], 1.1 * largest_kw[bus] + least_kw);

        limits->line_kw[bus] = bus == 0 || is_head(bus) || is_lateral(bus)
                                   ? round(1000.0 * limit_kw) / 1000.0
                                   : (double)INFINITY;
    }
}

static void put_line(struct walras_json_out *out, int bus, double limit_kw)
{
    char id[2 * PUT_BUS_TEXT];

    walras_json_out_open(out, '{');
    snprintf(id, sizeof(id), "%s%d",
             is_head(bus)      ? "head-"
             : is_lateral(bus) ? "lateral-"
                               : "l",
             bus);
    put_text(out, "id", id);
    put_bus(out, "from", parent_of(bus));
    put_bus(out, "to", bus);
    put_number(out, "r_pu", 0.01);
    put_number(out, "x_pu", 0.01);
    if (isfinite(limit_kw))
        put_number(out, "limit_kw", limit_kw);
    walras_json_out_close(out, '}');
}

static void put_grid(struct walras_json_out *out, const struct limits *limits)
{
    open_under(out, "grid", '{');
    put_number(out, "base_mva", 1.0);
    put_bus(out, "slack", 0);
    put_text(out, "model", "dc");
    open_under(out, "buses", '[');
    for (int bus = 0; bus < BUSES; bus++) {
        walras_json_out_open(out, '{');
        put_bus(out, "id", bus);
        put_number(out, "base_kv", 20.0);
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
    open_under(out, "lines", '[');
    for (int bus = 1; bus < BUSES; bus++)
        put_line(out, bus, limits->line_kw[bus]);
    walras_json_out_close(out, ']');
    walras_json_out_close(out, '}');
}

static void put_supply(struct walras_json_out *out, unsigned n_step, double limit_kw)
{
    open_under(out, "supply", '[');
    walras_json_out_open(out, '{');
    put_text(out, "id", "wholesale");
    put_bus(out, "bus", 0);
    put_prices(out, "price_per_mwh", n_step, 1.0);
    put_prices(out, "export_price_per_mwh", n_step, 0.9);
    if (isfinite(limit_kw)) {
        put_number(out, "import_limit_kw", limit_kw);
        put_number(out, "export_limit_kw", limit_kw);
    }
    walras_json_out_close(out, '}');
    walras_json_out_close(out, ']');
}

static void put_market(FILE *file, unsigned n_device, unsigned n_step, const struct limits *limits)
{
    struct walras_json_out out = walras_json_out_start(file, 3);
    char name[64];

    snprintf(name, sizeof(name), "500-bus feeder, %u devices, %u steps", n_device, n_step);
    walras_json_out_open(&out, '{');
    put_number(&out, "walras", 1.0);
    put_text(&out, "name", name);
    put_text(&out, "currency", "EUR");
    open_under(&out, "horizon", '{');
    put_text(&out, "start", "2026-03-17T00:00:00+01:00");
    put_number(&out, "step_minutes", 1440.0 / n_step);
    put_number(&out, "steps", n_step);
    walras_json_out_close(&out, '}');
    put_grid(&out, limits);
    put_supply(&out, n_step, limits->line_kw[0]);
    put_fleet(&out, n_device, 1, BUSES - 1, STRIDE);
    walras_json_out_close(&out, '}');
    walras_json_out_end(&out);
}

/* Reads the market back without limits: only then is known who is where. */
static enum walras_status find_limits(unsigned n_device, unsigned n_step, struct limits *limits,
                                      struct walras_err *err)
{
    struct scenario_settings settings = scenario_settings_defaults();
    struct scenario scenario;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    enum walras_status status;

    if (!file)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold the market");
    for (int bus = 0; bus < BUSES; bus++)
        limits->line_kw[bus] = (double)INFINITY;
    put_market(file, n_device, n_step, limits);
    if (fclose(file) != 0) {
        free(text);
        return walras_fail(err, WALRAS_NOMEM, "cannot hold the market");
    }
    status = scenario_parse("feeder", text, size, &settings, &scenario, err);
    free(text);
    if (status != WALRAS_OK)
        return status;
    set_limits(&scenario, limits);
    scenario_release(&scenario);
    return WALRAS_OK;
}

int main(int argc, char **argv)
{
    unsigned n_device = argc == 4 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    unsigned n_step = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    struct walras_err err = {0};
    struct limits limits;
    FILE *file;

    if (n_device < 1 || n_step < 1 || n_step > 1440 || 1440 % n_step) {
        fputs("usage: make_feeder DEVICES STEPS OUT.json    (STEPS of a day, whole minutes each)\n",
              stderr);
        return 2;
    }
    if (find_limits(n_device, n_step, &limits, &err) != WALRAS_OK ||
        walras_file_create(argv[3], &file, &err) != WALRAS_OK) {
        fprintf(stderr, "make_feeder: %s\n", err.msg);
        return EXIT_FAILURE;
    }
    put_market(file, n_device, n_step, &limits);
    if (walras_file_finish(file, argv[3], &err) != WALRAS_OK) {
        fprintf(stderr, "make_feeder: %s\n", err.msg);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
