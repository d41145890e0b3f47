/*
 * Writes a district of radial low-voltage feeders with a home of devices at every bus, where
 * voltages bind: to clear what a distribution utility has, not a test network.
 *
 *     make_district FEEDERS STATIONS DEVICES STEPS OUT.json
 *
 * From the substation's busbar go FEEDERS cables of 20 kV past STATIONS stations each, half a
 * kilometre apart. A station has a transformer of 630 kVA and five cables of 0.4 kV with ten homes
 * each, 40 m apart. Cables have what manufacturers tell of 150 mm2 aluminium (0.206 ohm/km, about
 * 0.08 ohm/km at 0.4 kV and 0.12 ohm/km at 20 kV), transformers a short-circuit voltage of 4 % of
 * which 1.1 % is resistive. Voltages at homes are kept within 6 %.
 */
#include "core/file.h"
#include "put.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CABLES = 5, /* of a station */
    HOMES = 10, /* of a cable */
    PER_STATION = 2 + CABLES * HOMES,
    STRIDE = 7919 /* a prime */
};

static const double base_mva = 1.0;

struct district {
    int n_feeder, n_station;
    unsigned n_device, n_step;
};

struct impedance {
    double r_pu, x_pu;
};

static struct impedance cable(double r_ohm_per_km, double x_ohm_per_km, double km, double kv)
{
    double ohm_per_pu = kv * kv / base_mva;

    return (struct impedance){r_ohm_per_km * km / ohm_per_pu, x_ohm_per_km * km / ohm_per_pu};
}

static int bus_count(const struct district *d)
{
    return 1 + d->n_feeder * d->n_station * PER_STATION;
}

/* Bus 0 is the substation; each station has its 20 kV bus, its 0.4 kV bus and its homes. */
static int place_of(int bus)
{
    return (bus - 1) % PER_STATION;
}

static int parent_of(const struct district *d, int bus)
{
    int station = (bus - 1) / PER_STATION, first = station * PER_STATION + 1;

    if (place_of(bus) == 0)
        return station % d->n_station == 0 ? 0 : first - PER_STATION;
    if (place_of(bus) == 1)
        return first;
    return (place_of(bus) - 2) % HOMES == 0 ? first + 1 : bus - 1;
}

static struct impedance impedance_of(int bus)
{
    static const double rated_mva = 0.63, short_circuit_r = 0.011, short_circuit_x = 0.0385;

    if (place_of(bus) == 0)
        return cable(0.206, 0.12, 0.5, 20.0);
    if (place_of(bus) == 1)
        return (struct impedance){short_circuit_r * base_mva / rated_mva,
                                  short_circuit_x * base_mva / rated_mva};
    return cable(0.206, 0.08, 0.04, 0.4);
}

static void put_buses(struct walras_json_out *out, const struct district *d)
{
    open_under(out, "buses", '[');
    for (int bus = 0; bus < bus_count(d); bus++) {
        walras_json_out_open(out, '{');
        put_bus(out, "id", bus);
        put_number(out, "base_kv", bus == 0 || place_of(bus) == 0 ? 20.0 : 0.4);
        if (bus > 0 && place_of(bus) > 1) {
            put_number(out, "v_min_pu", 0.94);
            put_number(out, "v_max_pu", 1.06);
        }
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
}

static void put_lines(struct walras_json_out *out, const struct district *d)
{
    open_under(out, "lines", '[');
    for (int bus = 1; bus < bus_count(d); bus++) {
        struct impedance z = impedance_of(bus);
        char id[2 * PUT_BUS_TEXT];

        walras_json_out_open(out, '{');
        snprintf(id, sizeof(id), "l%d", bus);
        put_text(out, "id", id);
        put_bus(out, "from", parent_of(d, bus));
        put_bus(out, "to", bus);
        put_number(out, "r_pu", z.r_pu);
        put_number(out, "x_pu", z.x_pu);
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
}

static void put_grid(struct walras_json_out *out, const struct district *d)
{
    open_under(out, "grid", '{');
    put_number(out, "base_mva", base_mva);
    put_bus(out, "slack", 0);
    put_text(out, "model", "lindistflow");
    put_buses(out, d);
    put_lines(out, d);
    walras_json_out_close(out, '}');
}

static void put_supply(struct walras_json_out *out, const struct district *d)
{
    open_under(out, "supply", '[');
    walras_json_out_open(out, '{');
    put_text(out, "id", "wholesale");
    put_bus(out, "bus", 0);
    put_prices(out, "price_per_mwh", d->n_step, 1.0);
    put_prices(out, "export_price_per_mwh", d->n_step, 0.9);
    walras_json_out_close(out, '}');
    walras_json_out_close(out, ']');
}

static void put_district(FILE *file, const struct district *d)
{
    struct walras_json_out out = walras_json_out_start(file, 3);
    char name[96];

    snprintf(name, sizeof(name), "District of %d buses, %u devices, %u steps", bus_count(d),
             d->n_device, d->n_step);
    walras_json_out_open(&out, '{');
    put_number(&out, "walras", 1.0);
    put_text(&out, "name", name);
    put_text(&out, "currency", "EUR");
    open_under(&out, "horizon", '{');
    put_text(&out, "start", "2026-03-17T00:00:00+01:00");
    put_number(&out, "step_minutes", 1440.0 / d->n_step);
    put_number(&out, "steps", d->n_step);
    walras_json_out_close(&out, '}');
    put_grid(&out, d);
    put_supply(&out, d);
    put_fleet(&out, d->n_device, 1, bus_count(d) - 1, STRIDE);
    walras_json_out_close(&out, '}');
    walras_json_out_end(&out);
}

static bool is_valid(const struct district *d)
{
    return d->n_feeder >= 1 && d->n_feeder <= 100 && d->n_station >= 1 && d->n_station <= 100 &&
           d->n_device >= 1 && d->n_step >= 1 && d->n_step <= 1440 && 1440 % d->n_step == 0;
}

int main(int argc, char **argv)
{
    struct district d = {0};
    struct walras_err err = {0};
    FILE *file;

    if (argc == 6)
        d = (struct district){(int)strtol(argv[1], NULL, 10), (int)strtol(argv[2], NULL, 10),
                              (unsigned)strtoul(argv[3], NULL, 10),
                              (unsigned)strtoul(argv[4], NULL, 10)};
    if (!is_valid(&d)) {
        fputs("usage: make_district FEEDERS STATIONS DEVICES STEPS OUT.json\n"
              "(FEEDERS and STATIONS up to 100; STEPS of a day, whole minutes each)\n",
              stderr);
        return 2;
    }
    if (walras_file_create(argv[5], &file, &err) != WALRAS_OK) {
        fprintf(stderr, "make_district: %s\n", err.msg);
        return EXIT_FAILURE;
    }
    put_district(file, &d);
    if (walras_file_finish(file, argv[5], &err) != WALRAS_OK) {
        fprintf(stderr, "make_district: %s\n", err.msg);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
