#include "core/units.h"
#include "scenario/read_internal.h"

#include <math.h>
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
static const struct walras_range kva_range = {.low = 0.0, .high = SCENARIO_MAX_KW, .above = true};
static const struct walras_range tap_range = {.low = 0.0, .high = 1e6, .above = true};
static const struct walras_range shift_range = {.low = -1e6, .high = 1e6}; /* degrees */
static const struct walras_range load_range = {.low = -SCENARIO_MAX_KW, .high = SCENARIO_MAX_KW};

static enum walras_status read_network_id(struct scenario_reader *reader,
                                          const struct walras_json *object, char **id,
                                          struct walras_err *err)
{
    const char *text = NULL;
    enum walras_status status = scenario_read_id_text(object, &text, err);

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

static enum walras_status read_limit(const struct walras_json *node, const char *key,
                                     struct walras_range range, double *limit,
                                     struct walras_err *err)
{
    struct walras_json member;

    if (!walras_json_find(node, key, &member) || walras_json_is(&member, WALRAS_JSON_NULL))
        return WALRAS_OK;
    return walras_json_number(&member, range, limit, err);
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
        status = read_limit(node, "limit_kw", limit_range, &line->limit_kw, err);
    if (status == WALRAS_OK)
        status = read_limit(node, "limit_kva", kva_range, &line->limit_kva, err);
    line->shift_rad = walras_rad_from_deg(shift_deg);
    return status;
}

static enum walras_status read_line(struct scenario_reader *reader, const struct walras_json *node,
                                    struct grid_line *line, struct walras_err *err)
{
    static const char *const keys[] = {"id",   "from",      "to",        "r_pu",
                                       "x_pu", "b_pu",      "limit_kw",  "limit_kva",
                                       "tap",  "shift_deg", "in_service"};
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

/* A bus, or a list of them with one voltage for all or one for each. */
static enum walras_status read_slacks(struct scenario_reader *reader,
                                      const struct walras_json *grid, struct walras_err *err)
{
    struct grid_network *network = &reader->made.network;
    struct walras_json list, volts = {0}, node;
    uint32_t bus = 0;
    double v_pu = 1.0;
    bool given = walras_json_find(grid, "slack_v_pu", &volts);
    bool each = given && walras_json_is(&volts, WALRAS_JSON_ARRAY);
    enum walras_status status = walras_json_need(grid, "slack", &list, err);
    bool several = status == WALRAS_OK && walras_json_is(&list, WALRAS_JSON_ARRAY);
    size_t n = 1;

    if (several)
        status = walras_json_array(&list, 1, network->n_bus, err);
    if (several && status == WALRAS_OK)
        n = walras_json_count(&list);
    if (each && status == WALRAS_OK)
        status = walras_json_array(&volts, n, n, err);
    for (size_t i = 0; i < n && status == WALRAS_OK; i++) {
        node = several ? walras_json_at(&list, i) : list;
        status = scenario_find_bus(reader, &node, &bus, err);
        if (status != WALRAS_OK)
            break;
        if (i > 0 && grid_network_is_slack(network, bus))
            return walras_json_fail(&node, WALRAS_INVALID, err, "bus %s is listed twice",
                                    network->buses[bus].id);
        node = each ? walras_json_at(&volts, i) : volts;
        if (given)
            status = walras_json_number(&node, slack_range, &v_pu, err);
        if (i == 0) {
            network->slack = bus;
            network->slack_v_pu = v_pu;
        } else {
            network->buses[bus].slack_v_pu = v_pu;
        }
    }
    return status;
}

enum walras_status scenario_read_network(struct scenario_reader *reader,
                                         const struct walras_json *grid, struct walras_err *err)
{
    static const char *const keys[] = {"model",
                                       "rating_scale",
                                       "line_overload_price_per_mwh",
                                       "voltage_violation_price_per_pu_h",
                                       "losses",
                                       "base_mva",
                                       "slack",
                                       "slack_v_pu",
                                       "buses",
                                       "lines"};
    struct grid_network *network = &reader->made.network;
    struct walras_json buses, lines;
    enum walras_status status = walras_json_keys(grid, keys, COUNT(keys), err);

    network->base_mva = network->slack_v_pu = 1.0;
    if (status == WALRAS_OK)
        status = walras_json_need(grid, "buses", &buses, err);
    if (status == WALRAS_OK)
        status = read_buses(reader, &buses, err);
    if (status == WALRAS_OK)
        status = read_slacks(reader, grid, err);
    if (status == WALRAS_OK)
        status = walras_json_need(grid, "lines", &lines, err);
    if (status == WALRAS_OK)
        status = read_lines(reader, &lines, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(grid, "base_mva", base_range, &network->base_mva, err);
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
        {"phase shift", walras_deg_from_rad(line->shift_rad), shift_range},
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
