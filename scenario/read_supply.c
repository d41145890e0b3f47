#include "scenario/read_internal.h"

#include <math.h>
#include <stdlib.h>

static enum walras_status check_prices(const struct scenario_reader *reader,
                                       const struct scenario_supply *supply,
                                       const struct walras_json *node, struct walras_err *err)
{
    for (size_t t = 0; t < reader->made.n_known; t++) {
        double import = walras_series_at(supply->price_per_mwh, t);
        double export = walras_series_at(supply->export_price_per_mwh, t);

        if (export > import)
            return walras_json_fail(node, WALRAS_INVALID, err,
                                    "export_price_per_mwh must not exceed price_per_mwh (%g), got "
                                    "%g in step %zu",
                                    import, export, t);
    }
    return WALRAS_OK;
}

/* A series of kW that `fallback` stands for when the key is absent. */
static enum walras_status read_limit(struct scenario_reader *reader, const struct walras_json *node,
                                     const char *key, double fallback, struct walras_series *out,
                                     struct walras_err *err)
{
    struct walras_json limit;

    if (!walras_json_find(node, key, &limit))
        return scenario_keep_constant(reader, fallback, out, err);
    return scenario_read_series(reader, &limit, scenario_range(0.0, SCENARIO_MAX_KW), out, err);
}

static enum walras_status read_supply(struct scenario_reader *reader,
                                      const struct walras_json *node,
                                      struct scenario_supply *supply, struct walras_err *err)
{
    static const char *const keys[] = {
        "id", "bus", "price_per_mwh", "export_price_per_mwh", "import_limit_kw", "export_limit_kw"};
    struct walras_range prices = scenario_range(-SCENARIO_MAX_PRICE, SCENARIO_MAX_PRICE);
    struct walras_json price, export;
    enum walras_status status = walras_json_keys(node, keys, sizeof(keys) / sizeof(keys[0]), err);

    if (status == WALRAS_OK)
        status = scenario_read_id(reader, node, &supply->id, err);
    if (status == WALRAS_OK)
        status = scenario_read_bus(reader, node, "bus", &supply->bus, err);
    if (status == WALRAS_OK)
        status = walras_json_need(node, "price_per_mwh", &price, err);
    if (status == WALRAS_OK)
        status = scenario_read_series(reader, &price, prices, &supply->price_per_mwh, err);
    supply->export_price_per_mwh = supply->price_per_mwh;
    if (status == WALRAS_OK && walras_json_find(node, "export_price_per_mwh", &export))
        status = scenario_read_series(reader, &export, prices, &supply->export_price_per_mwh, err);
    if (status == WALRAS_OK)
        status =
            read_limit(reader, node, "import_limit_kw", INFINITY, &supply->import_limit_kw, err);
    if (status == WALRAS_OK)
        status = read_limit(reader, node, "export_limit_kw", 0.0, &supply->export_limit_kw, err);
    return status == WALRAS_OK ? check_prices(reader, supply, node, err) : status;
}

enum walras_status scenario_read_supplies(struct scenario_reader *reader,
                                          const struct walras_json *list, struct walras_err *err)
{
    struct scenario *made = &reader->made;
    struct walras_names *names = NULL;
    enum walras_status status = walras_json_array(list, 0, 100000, err);
    size_t n = status == WALRAS_OK ? walras_json_count(list) : 0;

    if (status == WALRAS_OK)
        status = walras_names_new(&names, err);
    if (status == WALRAS_OK && n > 0 && !(made->supplies = calloc(n, sizeof(*made->supplies))))
        status = scenario_no_memory(reader, err);
    for (size_t i = 0; status == WALRAS_OK && i < n; i++) {
        struct walras_json node = walras_json_at(list, i);
        struct walras_err cause = {0};

        status = read_supply(reader, &node, &made->supplies[i], err);
        if (status == WALRAS_OK &&
            walras_names_add(names, made->supplies[i].id, &cause) != WALRAS_OK) {
            walras_err_prefix(&cause, "supply id");
            status = scenario_fail_here(&node, &cause, err);
        }
        made->n_supply = i + 1;
    }
    walras_names_free(names);
    return status;
}
