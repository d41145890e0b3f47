#include "core/units.h"
#include "grid/matpower.h"
#include "scenario/read_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the numbers of a network may be, whoever wrote them. */
static const struct walras_range base_range = {.low = 0.0, .high = 1e9, .above = true};
static const struct walras_range kv_range = {.low = 0.0, .high = 1e6};
static const struct walras_range volt_range = {.low = 0.0, .high = 1e6};
static const struct walras_range slack_range = {.low = 0.0, .high = 1e6, .above = true};
static const struct walras_range impedance_range = {.low = -1e9, .high = 1e9};
static const struct walras_range limit_range = {.low = 0.0, .high = SCENARIO_MAX_KW};
static const struct walras_range tap_range = {.low = 0.0, .high = 1e6, .above = true};
static const struct walras_range shift_range = {.low = -1e6, .high = 1e6}; /* degrees */
static const struct walras_range load_range = {.low = -SCENARIO_MAX_KW, .high = SCENARIO_MAX_KW};

/* What a grid of each form may say; the first three count for all of them. */
static const char *const matpower_keys[] = {"model", "rating_scale", "line_overload_price_per_mwh",
                                            "matpower", "loads"};
static const char *const copperplate_keys[] = {"model", "rating_scale",
                                               "line_overload_price_per_mwh", "copperplate"};
static const char *const inline_keys[] = {"model",    "rating_scale", "line_overload_price_per_mwh",
                                          "base_mva", "slack",        "slack_v_pu",
                                          "buses",    "lines"};

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
                                      const struct walras_json *grid, bool copperplate,
                                      struct walras_err *err)
{
    struct scenario *made = &reader->made;
    struct walras_range positive = {.low = 0.0, .high = 1e6, .above = true};
    enum walras_status status = read_model(reader, grid, copperplate, err);

    if (status == WALRAS_OK)
        status = scenario_read_number(grid, "rating_scale", positive, &made->rating_scale, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(grid, "line_overload_price_per_mwh",
                                      scenario_range(0.0, SCENARIO_MAX_PRICE),
                                      &made->line_overload_price_per_mwh, err);
    return status;
}

static enum walras_status read_network_id(struct scenario_reader *reader,
                                          const struct walras_json *object, char **id,
                                          struct walras_err *err)
{
    struct walras_json node;
    const char *text = NULL;
    enum walras_status status = walras_json_need(object, "id", &node, err);

    if (status == WALRAS_OK)
        status = walras_json_text(&node, SCENARIO_MAX_ID, &text, err);
    if (status != WALRAS_OK)
        return status;
    *id = strdup(text); /* the network frees it */
    return *id ? WALRAS_OK : scenario_no_memory(reader, err);
}

static enum walras_status read_bus_entry(struct scenario_reader *reader,
                                         const struct walras_json *node, struct grid_bus *bus,
                                         struct walras_err *err)
{
    static const char *const keys[] = {"id", "base_kv", "v_min_pu", "v_max_pu"};
    enum walras_status status = walras_json_keys(node, keys, COUNT(keys), err);

    *bus = (struct grid_bus){.v_max_pu = INFINITY};
    if (status == WALRAS_OK)
        status = read_network_id(reader, node, &bus->id, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(node, "base_kv", kv_range, &bus->base_kv, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(node, "v_min_pu", volt_range, &bus->v_min_pu, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(node, "v_max_pu", volt_range, &bus->v_max_pu, err);
    if (status == WALRAS_OK && bus->v_min_pu > bus->v_max_pu)
        status =
            walras_json_fail(node, WALRAS_INVALID, err, "v_min_pu must be <= v_max_pu (%g), got %g",
                             bus->v_max_pu, bus->v_min_pu);
    return status;
}

static enum walras_status read_buses(struct scenario_reader *reader, const struct walras_json *list,
                                     struct walras_err *err)
{
    struct grid_network *network = &reader->made.network;
    enum walras_status status = walras_json_array(list, 1, 1000000, err);

    if (status != WALRAS_OK)
        return status;

    size_t n = walras_json_count(list);

    network->buses = calloc(n, sizeof(*network->buses));
    if (!network->buses)
        return scenario_no_memory(reader, err);
    for (size_t b = 0; status == WALRAS_OK && b < n; b++) {
        struct walras_json node = walras_json_at(list, b);
        struct walras_err cause = {0};

        network->n_bus = b + 1;
        status = read_bus_entry(reader, &node, &network->buses[b], err);
        if (status == WALRAS_OK &&
            walras_names_add(reader->bus_names, network->buses[b].id, &cause) != WALRAS_OK) {
            walras_err_prefix(&cause, "bus id");
            status = scenario_fail_here(&node, &cause, err);
        }
    }
    return status;
}

static enum walras_status read_limit(const struct walras_json *node, double *limit_kw,
                                     struct walras_err *err)
{
    struct walras_json limit;

    if (!walras_json_find(node, "limit_kw", &limit) || walras_json_is(&limit, WALRAS_JSON_NULL))
        return WALRAS_OK;
    return walras_json_number(&limit, limit_range, limit_kw, err);
}

static enum walras_status read_line_numbers(const struct walras_json *node, struct grid_line *line,
                                            struct walras_err *err)
{
    struct walras_json reactance;
    double shift_deg = 0.0;
    enum walras_status status = walras_json_need(node, "x_pu", &reactance, err);

    if (status == WALRAS_OK)
        status = walras_json_number(&reactance, impedance_range, &line->x_pu, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(node, "r_pu", impedance_range, &line->r_pu, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(node, "b_pu", impedance_range, &line->b_pu, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(node, "tap", tap_range, &line->tap, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(node, "shift_deg", shift_range, &shift_deg, err);
    if (status == WALRAS_OK)
        status = read_limit(node, &line->limit_kw, err);
    line->shift_rad = walras_rad_from_deg(shift_deg);
    return status;
}

static enum walras_status read_line(struct scenario_reader *reader, const struct walras_json *node,
                                    struct grid_line *line, struct walras_err *err)
{
    static const char *const keys[] = {"id",   "from",     "to",  "r_pu",      "x_pu",
                                       "b_pu", "limit_kw", "tap", "shift_deg", "in_service"};
    uint32_t from = 0, to = 0;
    enum walras_status status = walras_json_keys(node, keys, COUNT(keys), err);

    *line = (struct grid_line){.limit_kw = INFINITY, .tap = 1.0, .in_service = true};
    if (status == WALRAS_OK)
        status = read_network_id(reader, node, &line->id, err);
    if (status == WALRAS_OK)
        status = scenario_read_bus(reader, node, "from", &from, err);
    if (status == WALRAS_OK)
        status = scenario_read_bus(reader, node, "to", &to, err);
    if (status == WALRAS_OK && from == to)
        status = walras_json_fail(node, WALRAS_INVALID, err, "both ends are bus \"%s\"",
                                  reader->made.network.buses[from].id);
    if (status == WALRAS_OK)
        status = read_line_numbers(node, line, err);
    if (status == WALRAS_OK)
        status = scenario_read_bool(node, "in_service", &line->in_service, err);
    line->from = from;
    line->to = to;
    return status;
}

static enum walras_status read_lines(struct scenario_reader *reader, const struct walras_json *list,
                                     struct walras_err *err)
{
    struct grid_network *network = &reader->made.network;
    struct walras_names *names = NULL;
    enum walras_status status = walras_json_array(list, 0, 2000000, err);
    size_t n = status == WALRAS_OK ? walras_json_count(list) : 0;

    if (status == WALRAS_OK)
        status = walras_names_new(&names, err);
    if (status == WALRAS_OK && n > 0 && !(network->lines = calloc(n, sizeof(*network->lines))))
        status = scenario_no_memory(reader, err);
    for (size_t l = 0; status == WALRAS_OK && l < n; l++) {
        struct walras_json node = walras_json_at(list, l);
        struct walras_err cause = {0};

        network->n_line = l + 1;
        status = read_line(reader, &node, &network->lines[l], err);
        if (status == WALRAS_OK &&
            walras_names_add(names, network->lines[l].id, &cause) != WALRAS_OK) {
            walras_err_prefix(&cause, "line id");
            status = scenario_fail_here(&node, &cause, err);
        }
    }
    walras_names_free(names);
    return status;
}

static enum walras_status read_inline(struct scenario_reader *reader,
                                      const struct walras_json *grid, struct walras_err *err)
{
    struct grid_network *network = &reader->made.network;
    struct walras_json buses, lines;
    uint32_t slack = 0;
    enum walras_status status = walras_json_keys(grid, inline_keys, COUNT(inline_keys), err);

    network->base_mva = network->slack_v_pu = 1.0;
    if (status == WALRAS_OK)
        status = walras_json_need(grid, "buses", &buses, err);
    if (status == WALRAS_OK)
        status = read_buses(reader, &buses, err);
    if (status == WALRAS_OK)
        status = scenario_read_bus(reader, grid, "slack", &slack, err);
    network->slack = slack;
    if (status == WALRAS_OK)
        status = walras_json_need(grid, "lines", &lines, err);
    if (status == WALRAS_OK)
        status = read_lines(reader, &lines, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(grid, "base_mva", base_range, &network->base_mva, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(grid, "slack_v_pu", slack_range, &network->slack_v_pu, err);
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

static enum walras_status check_range(const char *kind, const char *id, const char *what,
                                      double value, struct walras_range range,
                                      struct walras_err *err)
{
    if (walras_range_holds(range, value))
        return WALRAS_OK;
    return walras_fail(err, WALRAS_INVALID, "%s %s: %s is out of range: %g", kind, id, what, value);
}

static enum walras_status check_bus_ranges(const struct grid_bus *bus, struct walras_err *err)
{
    const struct {
        const char *what;
        double value;
        struct walras_range range;
    } checks[] = {
        {"base kV", bus->base_kv, kv_range},
        {"lowest voltage", bus->v_min_pu, volt_range},
        {"highest voltage", isinf(bus->v_max_pu) ? 0.0 : bus->v_max_pu, volt_range},
        {"load", bus->load_kw, load_range},
        {"reactive load", bus->load_kvar, load_range},
        {"shunt conductance", bus->shunt_draw_kw, load_range},
        {"shunt susceptance", bus->shunt_inject_kvar, load_range},
    };
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; status == WALRAS_OK && i < COUNT(checks); i++)
        status = check_range("bus", bus->id, checks[i].what, checks[i].value, checks[i].range, err);
    return status;
}

static enum walras_status check_line_ranges(const struct grid_line *line, struct walras_err *err)
{
    const struct {
        const char *what;
        double value;
        struct walras_range range;
    } checks[] = {
        {"resistance", line->r_pu, impedance_range},
        {"reactance", line->x_pu, impedance_range},
        {"charging", line->b_pu, impedance_range},
        {"limit", isinf(line->limit_kw) ? 0.0 : line->limit_kw, limit_range},
        {"tap ratio", line->tap, tap_range},
        {"phase shift", line->shift_rad / walras_rad_from_deg(1.0), shift_range},
    };
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; status == WALRAS_OK && i < COUNT(checks); i++)
        status =
            check_range("line", line->id, checks[i].what, checks[i].value, checks[i].range, err);
    return status;
}

enum walras_status scenario_check_case_network(const struct grid_network *network,
                                               struct walras_err *err)
{
    enum walras_status status =
        check_range("network", "base", "base MVA", network->base_mva, base_range, err);

    for (size_t b = 0; status == WALRAS_OK && b < network->n_bus; b++)
        status = check_bus_ranges(&network->buses[b], err);
    for (size_t l = 0; status == WALRAS_OK && l < network->n_line; l++)
        status = check_line_ranges(&network->lines[l], err);
    return status;
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

static enum walras_status read_form(struct scenario_reader *reader, const struct walras_json *grid,
                                    struct walras_err *err)
{
    struct walras_json node;
    struct walras_err cause = {0};
    bool loads = false, copperplate = walras_json_find(grid, "copperplate", &node);
    bool matpower = walras_json_find(grid, "matpower", &node);
    enum walras_status status = WALRAS_OK;

    if (copperplate)
        status = read_copperplate(reader, grid, err);
    else if (matpower)
        status = read_matpower(reader, grid, err);
    else if (walras_json_find(grid, "buses", &node) || walras_json_find(grid, "lines", &node))
        status = read_inline(reader, grid, err);
    else
        status = walras_json_fail(grid, WALRAS_INVALID, err,
                                  "expected one of the keys \"matpower\", \"copperplate\" or "
                                  "\"buses\" with \"lines\"");
    if (status == WALRAS_OK)
        status = read_common(reader, grid, copperplate, err);
    if (status == WALRAS_OK)
        status = scenario_read_bool(grid, "loads", &loads, err);
    if (status != WALRAS_OK)
        return status;
    status = grid_network_check(&reader->made.network, &cause);
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
