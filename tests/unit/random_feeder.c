#include "random_feeder.h"

#include "gridkit.h"
#include "testkit.h"

#include <math.h>

static bool happens(struct walras_rng *rng, unsigned in)
{
    return walras_rng_below(rng, in) == 0;
}

static void put_network(struct walras_text *text, struct walras_rng *rng,
                        const struct grid_network *network, size_t n_slack)
{
    walras_text_addf(text, "\"buses\": [");
    for (size_t b = 0; b < network->n_bus; b++) {
        const struct grid_bus *bus = &network->buses[b];

        walras_text_addf(text, "%s{\"id\": \"%s\"", b > 0 ? ", " : "", bus->id);
        if (bus->v_min_pu > 0.0) /* tight, so that some bind */
            walras_text_addf(text, ", \"v_min_pu\": %.4f, \"v_max_pu\": %.4f", bus->v_min_pu + 0.07,
                             bus->v_max_pu - 0.07);
        walras_text_addf(text, "}");
    }
    walras_text_addf(text, "], \"slack\": [");
    for (size_t b = 0; b < n_slack; b++)
        walras_text_addf(text, "%s\"%s\"", b > 0 ? ", " : "", network->buses[b].id);
    walras_text_addf(text, "], \"slack_v_pu\": %.3f, \"lines\": [",
                     walras_rng_range(rng, 1.0, 1.01));
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];

        walras_text_addf(text,
                         "%s{\"id\": \"%s\", \"from\": \"%s\", \"to\": \"%s\", \"r_pu\": %.4f, "
                         "\"x_pu\": %.4f, \"b_pu\": %.4f, \"tap\": %.4f, \"in_service\": %s",
                         l > 0 ? ", " : "", line->id, network->buses[line->from].id,
                         network->buses[line->to].id, 2.0 * line->r_pu, line->x_pu, line->b_pu,
                         1.0 + 0.2 * (line->tap - 1.0), line->in_service ? "true" : "false");
        if (isfinite(line->limit_kw))
            walras_text_addf(text, ", \"limit_kw\": %.3f", line->limit_kw);
        if (line->limit_kva > 0.0)
            walras_text_addf(text, ", \"limit_kva\": %.3f", line->limit_kva);
        walras_text_addf(text, "}");
    }
    walras_text_addf(text, "]}");
}

static void put_numbers(struct walras_text *text, struct walras_rng *rng, const char *key,
                        double low, double high)
{
    walras_text_addf(text, ", \"%s\": [", key);
    for (size_t t = 0; t < RANDOM_FEEDER_STEPS; t++)
        walras_text_addf(text, "%s%.3f", t > 0 ? ", " : "", walras_rng_range(rng, low, high));
    walras_text_addf(text, "]");
}

static void put_factor(struct walras_text *text, struct walras_rng *rng)
{
    static const double factors[] = {0.8, 0.95, -0.9};

    if (happens(rng, 2))
        walras_text_addf(text, ", \"power_factor\": %g", factors[walras_rng_below(rng, 3)]);
    walras_text_addf(text, "}");
}

/* Loads that can always be shed, so that most markets can be cleared. */
static void put_devices(struct walras_text *text, struct walras_rng *rng)
{
    walras_text_addf(text, "{\"id\": \"l\", \"type\": \"load\", \"shed_price_per_mwh\": 900");
    put_numbers(text, rng, "draw_kw", 0.0, 25.0);
    put_numbers(text, rng, "draw_kvar", -2.0, 8.0);
    walras_text_addf(text, "}");
    if (happens(rng, 3)) {
        walras_text_addf(text, ", {\"id\": \"f\", \"type\": \"load\"");
        put_numbers(text, rng, "draw_kw", -1.0, 2.0);
        put_factor(text, rng);
    }
    if (happens(rng, 2)) {
        walras_text_addf(text, ", {\"id\": \"p\", \"type\": \"pv\", \"cost_per_mwh\": 1");
        put_numbers(text, rng, "available_kw", 0.0, 60.0);
        if (happens(rng, 2))
            walras_text_addf(text, ", \"apparent_kva\": %.1f}", walras_rng_range(rng, 60.0, 62.0));
        else
            put_factor(text, rng);
    }
    if (happens(rng, 2)) {
        walras_text_addf(text, ", {\"id\": \"b\", \"type\": \"battery\", \"capacity_kwh\": 20, "
                               "\"charge_kw\": 9, \"discharge_kw\": 9, \"start_kwh\": 10, "
                               "\"charge_efficiency\": 0.9, \"wear_per_mwh\": 3");
        if (happens(rng, 3))
            walras_text_addf(text, ", \"apparent_kva\": 9.5}");
        else
            put_factor(text, rng);
    }
    if (happens(rng, 3)) {
        walras_text_addf(text,
                         ", {\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 30, \"segments\": "
                         "[[15, %.1f], [15, 150]]",
                         walras_rng_range(rng, 20.0, 120.0));
        put_factor(text, rng);
    }
}

void random_feeder(struct walras_rng *rng, struct walras_text *text)
{
    size_t n_bus = 4 + (size_t)walras_rng_below(rng, 8), n_slack = 1 + (size_t)happens(rng, 3);
    struct grid_network network = gridkit_forest(rng, n_bus, n_slack);

    walras_text_init(text, 1 << 20);
    walras_text_addf(text, "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "
                           "\"step_minutes\": 30, \"steps\": 3}, \"grid\": {\"model\": "
                           "\"lindistflow\", \"base_mva\": 0.5, ");
    if (happens(rng, 3))
        walras_text_addf(text, "\"voltage_violation_price_per_pu_h\": 400, ");
    if (happens(rng, 3))
        walras_text_addf(text, "\"line_overload_price_per_mwh\": 60, ");
    put_network(text, rng, &network, n_slack);
    walras_text_addf(text, ", \"supply\": [");
    for (size_t b = 0; b < n_slack; b++) {
        walras_text_addf(text, "%s{\"id\": \"w%zu\", \"bus\": \"%s\", \"export_limit_kw\": 100",
                         b > 0 ? ", " : "", b, network.buses[b].id);
        put_numbers(text, rng, "price_per_mwh", 40.0, 90.0);
        put_numbers(text, rng, "export_price_per_mwh", -10.0, 40.0);
        walras_text_addf(text, "}");
    }
    walras_text_addf(text, "], \"agents\": [");
    for (size_t b = n_slack; b < n_bus; b++) {
        walras_text_addf(text, "%s{\"id\": \"a%zu\", \"bus\": \"%s\", \"devices\": [",
                         b > n_slack ? ", " : "", b, network.buses[b].id);
        put_devices(text, rng);
        walras_text_addf(text, "]}");
    }
    walras_text_addf(text, "]}");
    CU_ASSERT_EQUAL_FATAL(text->failure, WALRAS_OK);
    grid_network_release(&network);
}
