#include "grid/limits.h"
#include "grid/matpower.h"
#include "scenario/losses.h"
#include "scenario/read_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a grid of each form may say; the first four count for all, losses where there are lines. */
static const char *const matpower_keys[] = {"model",
                                            "rating_scale",
                                            "line_overload_price_per_mwh",
                                            "voltage_violation_price_per_pu_h",
                                            "losses",
                                            "matpower",
                                            "loads"};
static const char *const copperplate_keys[] = {"model", "rating_scale",
                                               "line_overload_price_per_mwh",
                                               "voltage_violation_price_per_pu_h", "copperplate"};

static enum walras_status read_model(struct scenario_reader *reader, const struct walras_json *grid,
                                     bool copperplate, struct walras_err *err)
{
    struct walras_json node;
    const char *text = NULL;

    reader->made.model = copperplate ? SCENARIO_COPPERPLATE : SCENARIO_DC;
    if (!walras_json_find(grid, "model", &node))
        return WALRAS_OK;

    enum walras_status status = walras_json_text(&node, 100, &text, err);

    if (status != WALRAS_OK)
        return status;
    for (int model = SCENARIO_COPPERPLATE; model <= SCENARIO_LINDISTFLOW; model++)
        if (strcmp(text, scenario_model_name((enum scenario_model)model)) == 0) {
            reader->made.model = (enum scenario_model)model;
            return WALRAS_OK;
        }
    return walras_json_fail(&node, WALRAS_INVALID, err,
                            "expected \"copperplate\", \"dc\" or \"lindistflow\", got \"%.40s\"",
                            text);
}

static enum walras_status read_common(struct scenario_reader *reader,
                                      const struct walras_json *grid, struct walras_err *err)
{
    struct scenario *made = &reader->made;
    struct walras_range positive = {.low = 0.0, .high = 1e6, .above = true};
    enum walras_status status =
        scenario_read_number(grid, "rating_scale", positive, &made->rating_scale, err);

    if (status == WALRAS_OK)
        status = scenario_read_number(grid, "line_overload_price_per_mwh",
                                      scenario_range(0.0, SCENARIO_MAX_PRICE),
                                      &made->line_overload_price_per_mwh, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(grid, "voltage_violation_price_per_pu_h",
                                      scenario_range(0.0, SCENARIO_MAX_COST),
                                      &made->voltage_violation_price_per_pu_h, err);
    if (status == WALRAS_OK)
        status = scenario_read_bool(grid, "losses", &made->losses, err);
    return status;
}

enum walras_status scenario_index_buses(struct scenario_reader *reader, struct walras_err *err)
{
    const struct grid_network *network = &reader->made.network;
    enum walras_status status = WALRAS_OK;

    for (size_t b = 0; status == WALRAS_OK && b < network->n_bus; b++) {
        status = walras_names_add(reader->bus_names, network->buses[b].id, err);
        if (status == WALRAS_INVALID)
            walras_err_prefix(err, "bus id");
    }
    return status;
}

/* Rate A of a case is in MVA. */
static void rate_by_apparent_power(struct grid_network *network)
{
    for (size_t l = 0; l < network->n_line; l++) {
        struct grid_line *line = &network->lines[l];

        line->limit_kva = isfinite(line->limit_kw) ? line->limit_kw : 0.0;
        line->limit_kw = INFINITY;
    }
}

static enum walras_status read_matpower(struct scenario_reader *reader,
                                        const struct walras_json *grid, struct walras_err *err)
{
    struct walras_json file;
    struct grid_case from = {0};
    struct walras_err cause = {0};
    char *path = NULL;
    enum walras_status status = walras_json_keys(grid, matpower_keys, COUNT(matpower_keys), err);

    if (status == WALRAS_OK)
        status = walras_json_need(grid, "matpower", &file, err);
    if (status == WALRAS_OK)
        status = scenario_read_path(reader, &file, &path, err);
    if (status != WALRAS_OK)
        return status;
    status = grid_case_read(path, &from, &cause);
    if (status == WALRAS_OK) {
        reader->made.network = from.network;
        from.network = (struct grid_network){0}; /* moved */
        grid_case_release(&from);
        status = scenario_check_case_network(&reader->made.network, &cause);
        if (reader->made.model == SCENARIO_LINDISTFLOW)
            rate_by_apparent_power(&reader->made.network);
    }
    if (status == WALRAS_OK)
        status = scenario_index_buses(reader, &cause);
    if (status != WALRAS_OK)
        status = scenario_fail_here(&file, &cause, err);
    free(path);
    return status;
}

static enum walras_status read_copperplate(struct scenario_reader *reader,
                                           const struct walras_json *grid, struct walras_err *err)
{
    struct walras_json node;
    bool yes = false;
    enum walras_status status =
        walras_json_keys(grid, copperplate_keys, COUNT(copperplate_keys), err);

    if (status == WALRAS_OK)
        status = walras_json_need(grid, "copperplate", &node, err);
    if (status == WALRAS_OK)
        status = walras_json_bool(&node, &yes, err);
    if (status == WALRAS_OK && !yes)
        status = walras_json_fail(&node, WALRAS_INVALID, err,
                                  "expected true; name another grid "
                                  "instead of saying false");
    if (status == WALRAS_OK)
        status = grid_network_copperplate(&reader->made.network, err);
    return status == WALRAS_OK ? scenario_index_buses(reader, err) : status;
}

static enum walras_status add_bus_device(struct scenario_reader *reader, const char *id,
                                         double draw_kw, double draw_kvar, struct walras_err *err)
{
    struct agent_device device = {.type = AGENT_LOAD, .id = id, .power_factor = 1.0};
    enum walras_status status = WALRAS_OK;

    if (draw_kw == 0.0 && draw_kvar == 0.0)
        return WALRAS_OK;
    device.load.shed_price_per_mwh = NAN;
    status = scenario_keep_constant(reader, draw_kw, &device.load.draw_kw, err);
    if (status == WALRAS_OK)
        status = scenario_keep_constant(reader, draw_kvar, &device.load.draw_kvar, err);
    return status == WALRAS_OK ? scenario_add_device(reader, &device, err) : status;
}

enum walras_status scenario_add_bus_loads(struct scenario_reader *reader, bool loads,
                                          struct walras_err *err)
{
    struct grid_network *network = &reader->made.network;
    enum walras_status status = WALRAS_OK;

    for (size_t b = 0; status == WALRAS_OK && b < network->n_bus; b++) {
        struct grid_bus *bus = &network->buses[b];
        double load_kw = loads ? bus->load_kw : 0.0, load_kvar = loads ? bus->load_kvar : 0.0;
        double shunt_kw = bus->shunt_draw_kw, shunt_kvar = -bus->shunt_inject_kvar + 0.0;
        char id[SCENARIO_MAX_ID + 8];

        bus->load_kw = bus->load_kvar = bus->shunt_draw_kw = bus->shunt_inject_kvar = 0.0;
        if (load_kw == 0.0 && load_kvar == 0.0 && shunt_kw == 0.0 && shunt_kvar == 0.0)
            continue;

        int size = snprintf(id, sizeof(id), "bus %.*s", SCENARIO_MAX_ID, bus->id);
        const char *kept = walras_arena_text(reader->made.arena, id, (size_t)size);

        status = kept ? scenario_add_agent(reader, kept, (uint32_t)b, err)
                      : scenario_no_memory(reader, err);
        if (status == WALRAS_OK)
            status = add_bus_device(reader, "load", load_kw, load_kvar, err);
        if (status == WALRAS_OK)
            status = add_bus_device(reader, "shunt", shunt_kw, shunt_kvar, err);
    }
    return status;
}

/* What a model asks of the network, found out by making its limits. */
static enum walras_status check_model(const struct scenario *made, struct walras_err *err)
{
    const struct grid_network *network = &made->network;
    struct grid_lindist input = {.n_step = 1,
                                 .rating_scale = made->rating_scale,
                                 .soft_voltages = !isnan(made->voltage_violation_price_per_pu_h)};
    struct grid_limits *limits = NULL;
    enum walras_status status = WALRAS_OK;

    for (size_t b = 0; b < network->n_bus && made->model != SCENARIO_LINDISTFLOW; b++)
        if (b != network->slack && grid_network_is_slack(network, b))
            return walras_fail(err, WALRAS_INVALID,
                               "several slack buses need the model \"lindistflow\"");
    if (made->model == SCENARIO_LINDISTFLOW)
        status = grid_limits_lindist(network, &input, &limits, err);
    grid_limits_free(limits);
    return status == WALRAS_OK && made->losses ? scenario_losses_check(made, err) : status;
}

static enum walras_status read_form(struct scenario_reader *reader, const struct walras_json *grid,
                                    struct walras_err *err)
{
    struct walras_json node;
    struct walras_err cause = {0};
    bool loads = false, copperplate = walras_json_find(grid, "copperplate", &node);
    bool matpower = walras_json_find(grid, "matpower", &node);
    enum walras_status status = read_model(reader, grid, copperplate, err);

    if (status != WALRAS_OK)
        return status;
    reader->made.network.may_lack_reactance = reader->made.model == SCENARIO_LINDISTFLOW;
    if (copperplate)
        status = read_copperplate(reader, grid, err);
    else if (matpower)
        status = read_matpower(reader, grid, err);
    else if (walras_json_find(grid, "buses", &node) || walras_json_find(grid, "lines", &node))
        status = scenario_read_network(reader, grid, err);
    else
        status = walras_json_fail(grid, WALRAS_INVALID, err,
                                  "expected one of the keys \"matpower\", \"copperplate\" or "
                                  "\"buses\" with \"lines\"");
    if (status == WALRAS_OK)
        status = read_common(reader, grid, err);
    if (status == WALRAS_OK)
        status = scenario_read_bool(grid, "loads", &loads, err);
    if (status != WALRAS_OK)
        return status;
    status = grid_network_check(&reader->made.network, &cause);
    if (status == WALRAS_OK)
        status = check_model(&reader->made, &cause);
    if (status == WALRAS_OK)
        status = scenario_add_bus_loads(reader, loads, &cause);
    return status == WALRAS_OK ? status : scenario_fail_here(grid, &cause, err);
}

enum walras_status scenario_read_grid(struct scenario_reader *reader,
                                      const struct walras_json *grid, struct walras_err *err)
{
    const struct scenario *made = &reader->made;

    if (!walras_json_is(grid, WALRAS_JSON_OBJECT))
        return walras_json_mistyped(grid, "an object", err);

    enum walras_status status = read_form(reader, grid, err);

    if (status == WALRAS_OK && made->network.n_bus > SCENARIO_MAX_BUS_STEPS / made->horizon.n_step)
        status = walras_json_fail(
            grid, WALRAS_INVALID, err, "%zu buses x %zu steps are too many (at most %d)",
            made->network.n_bus, made->horizon.n_step, (int)SCENARIO_MAX_BUS_STEPS);
    return status;
}
