#include "scenario/result.h"

#include "core/file.h"
#include "core/units.h"
#include "scenario/binding.h"
#include "scenario/certificate.h"
#include "scenario/expand.h"
#include "scenario/nodes.h"
#include "scenario/parts.h"
#include "scenario/put.h"
#include "scenario/result_internal.h"

#include <math.h>
#include <stdlib.h>

const char *scenario_result_status(const struct scenario_result *result)
{
    return market_outcome_name(result->market->outcome);
}

/* Rows of a matrix; null when there is none. */
static void put_matrix(struct walras_json_out *out, const char *key, const double *values,
                       size_t n_row, size_t n_column)
{
    walras_json_out_key(out, key);
    if (!values) {
        walras_json_out_null(out);
        return;
    }
    walras_json_out_open(out, '[');
    for (size_t r = 0; r < n_row; r++)
        walras_json_out_numbers(out, values + r * n_column, n_column);
    walras_json_out_close(out, ']');
}

static void put_summary(struct walras_json_out *out, const struct scenario_result *result)
{
    const struct market_result *market = result->market;
    double objective = result->certificate ? result->certificate->objective : market->objective;
    double gap = (objective - market->bound) / fmax(1.0, fabs(objective));

    if (!result->awards) /* no plan */
        objective = gap = NAN;
    walras_json_out_key(out, "walras");
    walras_json_out_integer(out, 1);
    put_text(out, "name", result->scenario->name);
    put_text(out, "status", scenario_result_status(result));
    if (result->why)
        put_text(out, "why", result->why);
    put_number(out, "objective", objective);
    put_number(out, "dual_bound", market->bound);
    put_number(out, "gap", gap);
    put_integer(out, "rounds", market->n_rounds);
    put_number(out, "seconds", market->seconds);
    put_text(out, "method", result->method);
    put_integer(out, "responses", (int64_t)market->n_responses);
    if (result->ranks) {
        put_integer(out, "ranks", result->ranks->n);
        put_number(out, "rank_bytes_per_round", market->bytes_per_round);
    }
}

static void put_prices(struct walras_json_out *out, const struct scenario_result *result)
{
    const struct grid_network *network = &result->scenario->network;
    char unit[64];

    snprintf(unit, sizeof(unit), "%.40s/MWh", result->scenario->currency);
    walras_json_out_key(out, "prices");
    walras_json_out_open(out, '{');
    put_text(out, "unit", unit);
    walras_json_out_key(out, "bus");
    walras_json_out_open(out, '[');
    for (size_t b = 0; b < network->n_bus; b++)
        walras_json_out_text(out, network->buses[b].id);
    walras_json_out_close(out, ']');
    put_matrix(out, "values", result->market->price_per_mwh, network->n_bus,
               result->scenario->horizon.n_step);
    walras_json_out_close(out, '}');
}

static void put_price_parts(struct walras_json_out *out, const struct scenario_result *result)
{
    size_t n_bus = result->scenario->network.n_bus, n_step = result->scenario->horizon.n_step;
    const struct scenario_parts *parts = result->parts;

    walras_json_out_key(out, "price_parts");
    walras_json_out_open(out, '{');
    put_matrix(out, "energy", parts ? parts->energy : NULL, n_bus, n_step);
    put_matrix(out, "congestion", parts ? parts->congestion : NULL, n_bus, n_step);
    put_matrix(out, "voltage", parts ? parts->voltage : NULL, n_bus, n_step);
    put_matrix(out, "loss", parts ? parts->loss : NULL, n_bus, n_step);
    walras_json_out_close(out, '}');
    if (result->scenario->model == SCENARIO_LINDISTFLOW)
        put_matrix(out, "reactive_prices_per_mvarh", parts ? parts->reactive_per_mvarh : NULL,
                   n_bus, n_step);
}

/* What inverters draw of reactive power; negative: they give it. */
static void put_inverters(struct walras_json_out *out, const struct scenario_result *result)
{
    const struct scenario *scenario = result->scenario;
    size_t n_step = scenario->horizon.n_step;

    walras_json_out_key(out, "inverters");
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < result->n_inverter; i++) {
        size_t device = result->inverters[i].device;

        walras_json_out_open(out, '{');
        put_text(out, "agent", scenario->agents[scenario->device_agent[device]].id);
        put_text(out, "device", scenario->devices[device].id);
        walras_json_out_key(out, "draw_kvar");
        walras_json_out_numbers(out, result->inverter_kvar + i * n_step, n_step);
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
}

static void put_exchange(struct walras_json_out *out, const char *key, const double *values,
                         size_t supply, size_t n_step)
{
    walras_json_out_key(out, key);
    if (values)
        walras_json_out_numbers(out, values + supply * n_step, n_step);
    else
        walras_json_out_null(out);
}

static void put_supply(struct walras_json_out *out, const struct scenario_result *result)
{
    const struct scenario *scenario = result->scenario;

    walras_json_out_key(out, "supply");
    walras_json_out_open(out, '[');
    for (size_t s = 0; s < scenario->n_supply; s++) {
        walras_json_out_open(out, '{');
        put_text(out, "id", scenario->supplies[s].id);
        put_exchange(out, "import_kw", result->import_kw, s, scenario->horizon.n_step);
        put_exchange(out, "export_kw", result->export_kw, s, scenario->horizon.n_step);
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
}

static void put_line_ends(struct walras_json_out *out, const char *key,
                          const struct grid_network *network, bool from)
{
    walras_json_out_key(out, key);
    walras_json_out_open(out, '[');
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];

        walras_json_out_text(out, network->buses[from ? line->from : line->to].id);
    }
    walras_json_out_close(out, ']');
}

static void put_kva_limits(struct walras_json_out *out, const struct scenario *scenario)
{
    walras_json_out_key(out, "limit_kva");
    walras_json_out_open(out, '[');
    for (size_t l = 0; l < scenario->network.n_line; l++) {
        double limit_kva = scenario->network.lines[l].limit_kva * scenario->rating_scale;

        walras_json_out_number(out, limit_kva > 0.0 ? limit_kva : (double)NAN);
    }
    walras_json_out_close(out, ']');
}

static void put_lines(struct walras_json_out *out, const struct scenario_result *result)
{
    const struct grid_network *network = &result->scenario->network;

    walras_json_out_key(out, "lines");
    walras_json_out_open(out, '{');
    walras_json_out_key(out, "id");
    walras_json_out_open(out, '[');
    for (size_t l = 0; l < network->n_line; l++)
        walras_json_out_text(out, network->lines[l].id);
    walras_json_out_close(out, ']');
    put_line_ends(out, "from", network, true);
    put_line_ends(out, "to", network, false);
    walras_json_out_key(out, "limit_kw");
    walras_json_out_open(out, '[');
    for (size_t l = 0; l < network->n_line; l++) /* unlimited: null */
        walras_json_out_number(out, network->lines[l].limit_kw * result->scenario->rating_scale);
    walras_json_out_close(out, ']');
    if (result->scenario->model == SCENARIO_LINDISTFLOW)
        put_kva_limits(out, result->scenario);
    put_matrix(out, "flow_kw", result->flow_kw, network->n_line, result->scenario->horizon.n_step);
    if (result->scenario->model == SCENARIO_LINDISTFLOW)
        put_matrix(out, "flow_kvar", result->flow_kvar, network->n_line,
                   result->scenario->horizon.n_step);
    walras_json_out_close(out, '}');
    if (result->scenario->model == SCENARIO_LINDISTFLOW)
        put_matrix(out, "voltage_pu", result->v_pu, network->n_bus,
                   result->scenario->horizon.n_step);
}

static void put_limit(struct walras_json_out *out, const struct scenario_result *result, size_t row)
{
    put_text(out, "kind", grid_limit_kind_name(grid_limits_at(result->limits, row)->kind));
    put_text(out, "id", grid_limits_id(result->limits, row));
    if (grid_limit_is_side(grid_limits_at(result->limits, row)))
        put_integer(out, "side", grid_limits_at(result->limits, row)->side);
}

/* The unit of a kind of limit, as keys name it. */
static const char *unit_key(const struct scenario_result *result, size_t row, const char *power,
                            const char *apparent, const char *voltage)
{
    switch (grid_limits_at(result->limits, row)->kind) {
    case GRID_LIMIT_APPARENT:
    case GRID_LIMIT_INVERTER:
        return apparent;
    case GRID_LIMIT_VOLTAGE:
        return voltage;
    default:
        return power;
    }
}

/* Per MWh, MVAh, or unit of voltage and hour. */
static void put_shadow_price(struct walras_json_out *out, const struct scenario_result *result,
                             const struct market_binding *binding)
{
    double price = binding->shadow_price_per_mwh;

    if (grid_limits_at(result->limits, binding->row)->kind == GRID_LIMIT_VOLTAGE)
        price = walras_mw_from_kw(
            price / grid_limits_unit_per_kw(result->limits, binding->row, binding->direction));
    put_number(out,
               unit_key(result, binding->row, "shadow_price_per_mwh", "shadow_price_per_mvah",
                        "shadow_price_per_pu_h"),
               price);
}

static void put_binding(struct walras_json_out *out, const struct scenario_result *result,
                        const struct market_binding *binding, size_t n_binding)
{
    walras_json_out_key(out, "binding");
    walras_json_out_open(out, '[');
    for (size_t k = 0; k < n_binding; k++) {
        walras_json_out_open(out, '{');
        put_limit(out, result, binding[k].row);
        put_integer(out, "step", binding[k].step);
        put_integer(out, "direction", binding[k].direction);
        put_shadow_price(out, result, &binding[k]);
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
}

static void put_breach(struct walras_json_out *out, const struct scenario_result *result,
                       const struct market_breach *breach)
{
    if (breach->kind != MARKET_BREACH_LIMIT)
        put_number(out, "breach_kw", breach->breach_kw);
    else
        put_number(out, unit_key(result, breach->row, "breach_kw", "breach_kva", "breach_pu"),
                   breach->breach_kw *
                       grid_limits_unit_per_kw(result->limits, breach->row, breach->direction));
}

static void put_relaxed(struct walras_json_out *out, const struct scenario_result *result)
{
    walras_json_out_key(out, "relaxed");
    walras_json_out_open(out, '[');
    for (size_t k = 0; k < result->market->n_breach; k++) {
        const struct market_breach *breach = &result->market->breach[k];

        walras_json_out_open(out, '{');
        if (breach->kind == MARKET_BREACH_LIMIT)
            put_limit(out, result, breach->row);
        else
            put_text(out, "kind", breach->kind == MARKET_BREACH_SHORTAGE ? "shortage" : "surplus");
        put_integer(out, "step", breach->step);
        put_breach(out, result, breach);
        put_number(out, "cost", breach->cost);
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
}

/* Where the worst device breach is; nothing when there is none. */
static void put_device_breach(struct walras_json_out *out, const struct scenario_result *result)
{
    const struct scenario *scenario = result->scenario;
    const struct scenario_certificate *certificate = result->certificate;
    size_t device = certificate->device_breach.index;

    if (!certificate->device_what)
        return;
    walras_json_out_key(out, "device_breach");
    walras_json_out_open(out, '{');
    if (certificate->elsewhere.agent[0] != '\0') {
        put_text(out, "agent", certificate->elsewhere.agent);
        put_text(out, "device", certificate->elsewhere.device);
    } else {
        put_text(out, "agent", scenario->agents[scenario->device_agent[device]].id);
        put_text(out, "device", scenario->devices[device].id);
    }
    put_integer(out, "step", (int64_t)certificate->device_breach.step);
    put_text(out, "what", certificate->device_what);
    walras_json_out_close(out, '}');
}

/* A value and where it was found. */
static void put_found(struct walras_json_out *out, const char *key, double value, const char *what,
                      const char *id, size_t step)
{
    walras_json_out_key(out, key);
    walras_json_out_open(out, '{');
    put_number(out, "value", value);
    put_text(out, what, id);
    put_integer(out, "step", (int64_t)step);
    walras_json_out_close(out, '}');
}

/* null: there is no such thing as an AC power flow of this grid. */
static void put_physics(struct walras_json_out *out, const struct scenario_result *result)
{
    const struct scenario_physics *physics = &result->certificate->physics;
    const struct grid_network *network = &result->scenario->network;
    const struct grid_bus *bus = network->buses;
    const struct grid_line *line = network->lines;

    walras_json_out_key(out, "ac");
    if (!physics->known) {
        walras_json_out_null(out);
        return;
    }
    walras_json_out_open(out, '{');
    put_integer(out, "steps_solved", (int64_t)physics->n_solved);
    if (physics->unsolved != SIZE_MAX) {
        put_integer(out, "unsolved_step", (int64_t)physics->unsolved);
        put_number(out, "unsolved_reached_share", physics->reached_share);
    }
    if (physics->n_solved > 0) {
        put_found(out, "lowest_voltage_pu", physics->lowest_v_pu, "bus",
                  bus[physics->lowest.index].id, physics->lowest.step);
        put_found(out, "highest_voltage_pu", physics->highest_v_pu, "bus",
                  bus[physics->highest.index].id, physics->highest.step);
        put_number(out, "max_voltage_breach_pu", physics->max_voltage_breach_pu);
        put_found(out, "largest_loading", physics->max_loading, "line",
                  line[physics->loading.index].id, physics->loading.step);
        put_number(out, "loss_mwh", physics->loss_mwh);
        if (result->losses)
            put_found(out, "max_loss_error_kw", physics->max_loss_error_kw, "bus",
                      bus[physics->loss_error.index].id, physics->loss_error.step);
        put_found(out, "max_flow_error_kw", physics->max_flow_error_kw, "line",
                  line[physics->flow_error.index].id, physics->flow_error.step);
        if (result->v_pu)
            put_found(out, "max_voltage_error_pu", physics->max_voltage_error_pu, "bus",
                      bus[physics->voltage_error.index].id, physics->voltage_error.step);
    }
    walras_json_out_close(out, '}');
}

static void put_certificate(struct walras_json_out *out, const struct scenario_result *result)
{
    const struct scenario_certificate *certificate = result->certificate;

    walras_json_out_key(out, "certificate");
    if (!certificate) {
        walras_json_out_null(out);
        return;
    }
    walras_json_out_open(out, '{');
    walras_json_out_key(out, "clean");
    walras_json_out_bool(out, certificate->clean);
    put_number(out, "max_imbalance_kw", certificate->max_imbalance_kw);
    put_number(out, "max_line_breach_kw", certificate->max_line_breach_kw);
    put_number(out, "max_flow_error_kw", certificate->max_flow_error_kw);
    if (result->scenario->model == SCENARIO_LINDISTFLOW) {
        put_number(out, "max_voltage_breach_pu", certificate->max_voltage_breach_pu);
        put_number(out, "max_voltage_error_pu", certificate->max_voltage_error_pu);
    }
    put_number(out, "max_device_breach", certificate->max_device_breach);
    put_device_breach(out, result);
    put_number(out, "max_supply_breach_kw", certificate->max_supply_breach_kw);
    put_number(out, "max_price_error_per_mwh", certificate->max_price_error_per_mwh);
    put_number(out, "device_cost", certificate->device_cost);
    put_number(out, "supply_cost", certificate->supply_cost);
    put_number(out, "breach_cost", certificate->breach_cost);
    put_number(out, "objective", certificate->objective);
    put_number(out, "dual_bound", certificate->dual_bound);
    put_number(out, "gap", certificate->gap);
    put_physics(out, result);
    walras_json_out_close(out, '}');
}

static void put_ac(struct walras_json_out *out, const struct scenario_ac *ac)
{
    walras_json_out_key(out, "ac_clearing");
    walras_json_out_open(out, '{');
    walras_json_out_key(out, "feasible");
    walras_json_out_bool(out, ac->feasible);
    put_integer(out, "clearings", ac->n_clearing);
    put_number(out, "first_objective", ac->first_objective);
    put_number(out, "cost", ac->objective - ac->first_objective);
    if (ac->why[0] != '\0')
        put_text(out, "why", ac->why);
    walras_json_out_close(out, '}');
}

/* What is drawn at each slack for what its tree loses. */
static void put_losses(struct walras_json_out *out, const struct scenario_result *result)
{
    const struct grid_network *network = &result->scenario->network;
    size_t n_step = result->scenario->horizon.n_step, tree = 0;

    walras_json_out_key(out, "losses");
    walras_json_out_open(out, '{');
    walras_json_out_key(out, "settled");
    walras_json_out_bool(out, result->losses->settled);
    put_integer(out, "clearings", result->losses->n_clearing);
    if (result->losses->why[0] != '\0')
        put_text(out, "why", result->losses->why);
    walras_json_out_key(out, "slack");
    walras_json_out_open(out, '[');
    for (size_t b = 0; b < network->n_bus; b++)
        if (grid_network_is_slack(network, b)) {
            walras_json_out_text(out, network->buses[b].id);
            tree++;
        }
    walras_json_out_close(out, ']');
    put_matrix(out, "draw_kw", result->loss_kw, tree, n_step);
    walras_json_out_close(out, '}');
}

static void put_result(struct walras_json_out *out, const struct scenario_result *result,
                       const struct market_binding *binding, size_t n_binding)
{
    walras_json_out_open(out, '{');
    put_summary(out, result);
    put_prices(out, result);
    put_price_parts(out, result);
    put_supply(out, result);
    put_matrix(out, "bus_draw_kw", result->bus_draw_kw, result->scenario->network.n_bus,
               result->scenario->horizon.n_step);
    put_lines(out, result);
    if (result->scenario->model == SCENARIO_LINDISTFLOW)
        put_inverters(out, result);
    put_binding(out, result, binding, n_binding);
    put_relaxed(out, result);
    put_certificate(out, result);
    if (result->losses)
        put_losses(out, result);
    if (result->ac)
        put_ac(out, result->ac);
    walras_json_out_close(out, '}');
}

enum walras_status scenario_result_print(FILE *file, const struct scenario_result *result,
                                         struct walras_err *err)
{
    size_t n_binding = 0;
    struct walras_json_out out = walras_json_out_start(file, 2);
    struct market_binding *binding = NULL;
    enum walras_status status =
        scenario_net_binding(result->market, result->limits, &binding, &n_binding, err);

    if (status == WALRAS_OK) {
        put_result(&out, result, binding, n_binding);
        walras_json_out_end(&out);
    }
    free(binding);
    return status;
}

static enum walras_status
write_file(const char *path, const struct scenario_result *result,
           enum walras_status (*write)(FILE *, const struct scenario_result *, struct walras_err *),
           struct walras_err *err)
{
    FILE *file = NULL;
    enum walras_status status = walras_file_create(path, &file, err);

    if (status != WALRAS_OK)
        return status;
    status = write(file, result, err);
    enum walras_status finished = walras_file_finish(file, path, err);

    return status != WALRAS_OK ? status : finished;
}

static enum walras_status write_grid(FILE *file, const struct scenario_result *result,
                                     struct walras_err *err)
{
    (void)err; /* whoever closes the file learns of failures */
    scenario_expand_grid(result->scenario, file);
    return WALRAS_OK;
}

enum walras_status scenario_result_write(const char *directory,
                                         const struct scenario_result *result,
                                         struct walras_err *err)
{
    static const struct {
        const char *name;
        enum walras_status (*write)(FILE *file, const struct scenario_result *result,
                                    struct walras_err *err);
    } files[] = {{"result.json", scenario_result_print},
                 {"grid.json", write_grid},
                 {"awards.csv", result_write_awards},
                 {"prices.csv", result_write_prices},
                 {"rounds.csv", result_write_rounds}};
    enum walras_status status = WALRAS_OK;

    for (size_t f = 0; f < sizeof(files) / sizeof(files[0]) && status == WALRAS_OK; f++) {
        char *path = walras_path_join(directory, files[f].name);

        if (!path)
            return walras_fail(err, WALRAS_NOMEM, "cannot hold the name of %s", files[f].name);
        status = write_file(path, result, files[f].write, err);
        free(path);
    }
    return status;
}

enum walras_status scenario_result_help(const struct scenario_result *result,
                                        struct walras_err *err)
{
    return result_write_awards(NULL, result, err);
}
