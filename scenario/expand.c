#include "scenario/expand.h"

#include "core/clock.h"
#include "core/units.h"
#include "scenario/fields.h"
#include "scenario/put.h"

#include <math.h>

static void put_series(struct walras_json_out *out, const struct scenario *scenario,
                       const char *key, struct walras_series series)
{
    walras_json_out_key(out, key);
    if (series.stride == 0)
        walras_json_out_number(out, series.values[0]);
    else
        walras_json_out_numbers(out, series.values, scenario->horizon.n_step);
}

/* Numbers that are what their absence means are left out. */
static void put_unless(struct walras_json_out *out, const char *key, double value, double fallback)
{
    if (value != fallback && !(isnan(value) && isnan(fallback)))
        put_number(out, key, value);
}

static bool is_fallback(struct walras_series series, double fallback)
{
    if (!series.values)
        return isnan(fallback);
    return series.stride == 0 && series.values[0] == fallback;
}

static void put_horizon(struct walras_json_out *out, const struct scenario *scenario)
{
    char start[WALRAS_TIME_TEXT];

    walras_time_format(scenario->start_utc_s, scenario->start_offset_min, start);
    walras_json_out_key(out, "horizon");
    walras_json_out_open(out, '{');
    put_text(out, "start", start);
    walras_json_out_key(out, "step_minutes");
    walras_json_out_integer(out, scenario->step_min);
    walras_json_out_key(out, "steps");
    walras_json_out_integer(out, (int64_t)scenario->horizon.n_step);
    walras_json_out_close(out, '}');
}

static void put_bus(struct walras_json_out *out, const struct grid_bus *bus)
{
    walras_json_out_open(out, '{');
    put_text(out, "id", bus->id);
    put_unless(out, "base_kv", bus->base_kv, 0.0);
    put_unless(out, "v_min_pu", bus->v_min_pu, 0.0);
    put_unless(out, "v_max_pu", bus->v_max_pu, INFINITY);
    walras_json_out_close(out, '}');
}

static void put_line(struct walras_json_out *out, const struct grid_network *network,
                     const struct grid_line *line)
{
    walras_json_out_open(out, '{');
    put_text(out, "id", line->id);
    put_text(out, "from", network->buses[line->from].id);
    put_text(out, "to", network->buses[line->to].id);
    put_unless(out, "r_pu", line->r_pu, 0.0);
    put_number(out, "x_pu", line->x_pu);
    put_unless(out, "b_pu", line->b_pu, 0.0);
    put_unless(out, "limit_kw", line->limit_kw, INFINITY);
    put_unless(out, "limit_kva", line->limit_kva, 0.0);
    put_unless(out, "tap", line->tap, 1.0);
    put_unless(out, "shift_deg", walras_deg_from_rad(line->shift_rad), 0.0);
    if (!line->in_service) {
        walras_json_out_key(out, "in_service");
        walras_json_out_bool(out, false);
    }
    walras_json_out_close(out, '}');
}

static void put_slacks(struct walras_json_out *out, const struct grid_network *network)
{
    size_t n = 0;

    for (size_t b = 0; b < network->n_bus; b++)
        n += grid_network_is_slack(network, b);
    if (n == 1) {
        put_text(out, "slack", network->buses[network->slack].id);
        put_unless(out, "slack_v_pu", network->slack_v_pu, 1.0);
        return;
    }
    walras_json_out_key(out, "slack");
    walras_json_out_open(out, '[');
    walras_json_out_text(out, network->buses[network->slack].id);
    for (size_t b = 0; b < network->n_bus; b++)
        if (b != network->slack && grid_network_is_slack(network, b))
            walras_json_out_text(out, network->buses[b].id);
    walras_json_out_close(out, ']');
    walras_json_out_key(out, "slack_v_pu");
    walras_json_out_open(out, '[');
    walras_json_out_number(out, network->slack_v_pu);
    for (size_t b = 0; b < network->n_bus; b++)
        if (b != network->slack && grid_network_is_slack(network, b))
            walras_json_out_number(out, network->buses[b].slack_v_pu);
    walras_json_out_close(out, ']');
}

static void put_grid(struct walras_json_out *out, const struct scenario *scenario)
{
    const struct grid_network *network = &scenario->network;

    walras_json_out_key(out, "grid");
    walras_json_out_open(out, '{');
    put_text(out, "model", scenario_model_name(scenario->model));
    put_unless(out, "rating_scale", scenario->rating_scale, 1.0);
    put_unless(out, "line_overload_price_per_mwh", scenario->line_overload_price_per_mwh, NAN);
    put_unless(out, "voltage_violation_price_per_pu_h", scenario->voltage_violation_price_per_pu_h,
               NAN);
    if (scenario->losses) {
        walras_json_out_key(out, "losses");
        walras_json_out_bool(out, true);
    }
    put_number(out, "base_mva", network->base_mva);
    put_slacks(out, network);
    walras_json_out_key(out, "buses");
    walras_json_out_open(out, '[');
    for (size_t b = 0; b < network->n_bus; b++)
        put_bus(out, &network->buses[b]);
    walras_json_out_close(out, ']');
    walras_json_out_key(out, "lines");
    walras_json_out_open(out, '[');
    for (size_t l = 0; l < network->n_line; l++)
        put_line(out, network, &network->lines[l]);
    walras_json_out_close(out, ']');
    walras_json_out_close(out, '}');
}

static void put_supply(struct walras_json_out *out, const struct scenario *scenario,
                       const struct scenario_supply *supply)
{
    walras_json_out_open(out, '{');
    put_text(out, "id", supply->id);
    put_text(out, "bus", scenario->network.buses[supply->bus].id);
    put_series(out, scenario, "price_per_mwh", supply->price_per_mwh);
    if (supply->export_price_per_mwh.values != supply->price_per_mwh.values)
        put_series(out, scenario, "export_price_per_mwh", supply->export_price_per_mwh);
    if (!is_fallback(supply->import_limit_kw, INFINITY))
        put_series(out, scenario, "import_limit_kw", supply->import_limit_kw);
    if (!is_fallback(supply->export_limit_kw, 0.0))
        put_series(out, scenario, "export_limit_kw", supply->export_limit_kw);
    walras_json_out_close(out, '}');
}

static void put_field(struct walras_json_out *out, const struct scenario *scenario,
                      const struct agent_device *device, const struct scenario_field *field)
{
    const void *place = scenario_field_in(device, field);
    const struct walras_series *series = place;
    bool yes = field->kind == SCENARIO_BOOL && *(const bool *)place;

    switch (field->kind) {
    case SCENARIO_NUMBER:
        if (field->required)
            put_number(out, field->key, *(const double *)place);
        else
            put_unless(out, field->key, *(const double *)place, field->fallback);
        break;
    case SCENARIO_SERIES:
        if (field->required || !is_fallback(*series, field->fallback))
            put_series(out, scenario, field->key, *series);
        break;
    case SCENARIO_STEP:
        if (field->required || *(const uint32_t *)place != (uint32_t)field->fallback) {
            walras_json_out_key(out, field->key);
            walras_json_out_integer(out, *(const uint32_t *)place);
        }
        break;
    case SCENARIO_BOOL:
        if (yes != (field->fallback != 0.0)) {
            walras_json_out_key(out, field->key);
            walras_json_out_bool(out, yes);
        }
        break;
    case SCENARIO_OWN:
        break;
    }
}

static void put_blocks(struct walras_json_out *out, const struct agent_segment *blocks, size_t n)
{
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        const double pair[] = {blocks[i].width_kw, blocks[i].price_per_mwh};

        walras_json_out_numbers(out, pair, 2);
    }
    walras_json_out_close(out, ']');
}

static void put_generator(struct walras_json_out *out, const struct agent_generator *generator)
{
    if (generator->segments) {
        walras_json_out_key(out, "segments");
        put_blocks(out, generator->segments, generator->n_segment);
    } else {
        walras_json_out_key(out, "cost");
        walras_json_out_open(out, '{');
        put_unless(out, "per_mw2h", generator->per_mw2h, 0.0);
        put_unless(out, "per_mwh", generator->per_mwh, 0.0);
        put_unless(out, "per_h", generator->per_h, 0.0);
        walras_json_out_close(out, '}');
    }
    if (generator->committed && !generator->on_at_start) { /* true is written by its field */
        walras_json_out_key(out, "on_at_start");
        walras_json_out_bool(out, false);
    }
}

static void put_curve(struct walras_json_out *out, const char *key,
                      const struct agent_segment *blocks, const uint32_t *first, size_t n_list)
{
    if (!first)
        return;
    walras_json_out_key(out, key);
    if (n_list == 1) {
        put_blocks(out, blocks, first[1]);
        return;
    }
    walras_json_out_open(out, '[');
    for (size_t k = 0; k < n_list; k++)
        put_blocks(out, blocks + first[k], first[k + 1] - first[k]);
    walras_json_out_close(out, ']');
}

static void put_own(struct walras_json_out *out, const struct scenario *scenario,
                    const struct agent_device *device)
{
    const struct agent_bid *bid = &device->bid;
    size_t n_list = 0;

    switch (device->type) {
    case AGENT_THERMAL:
        put_text(out, "mode", device->thermal.cool ? "cool" : "heat");
        break;
    case AGENT_SHIFTABLE:
        walras_json_out_key(out, "profile_kw");
        walras_json_out_numbers(out, device->shiftable.profile_kw, device->shiftable.n_profile);
        break;
    case AGENT_GENERATOR:
        put_generator(out, &device->generator);
        break;
    case AGENT_BID:
        n_list = bid->one_list ? 1 : scenario->horizon.n_step;
        put_curve(out, "demand", bid->demand, bid->demand_first, n_list);
        put_curve(out, "offer", bid->offer, bid->offer_first, n_list);
        break;
    case AGENT_LP:
        put_text(out, "file", device->lp.path);
        break;
    default:
        break;
    }
}

static void put_device(struct walras_json_out *out, const struct scenario *scenario,
                       const struct agent_device *device)
{
    struct scenario_fields fields = scenario_fields_of(device->type);

    walras_json_out_open(out, '{');
    put_text(out, "id", device->id);
    put_text(out, "type", agent_device_type_name(device->type));
    put_own(out, scenario, device);
    for (size_t i = 0; i < fields.n; i++)
        put_field(out, scenario, device, &fields.list[i]);
    put_unless(out, "power_factor", device->power_factor, 1.0);
    walras_json_out_close(out, '}');
}

static void put_agent(struct walras_json_out *out, const struct scenario *scenario,
                      const struct scenario_agent *agent)
{
    walras_json_out_open(out, '{');
    put_text(out, "id", agent->id);
    put_text(out, "bus", scenario->network.buses[agent->bus].id);
    walras_json_out_key(out, "devices");
    walras_json_out_open(out, '[');
    for (uint32_t i = 0; i < agent->n_device; i++)
        put_device(out, scenario, &scenario->devices[agent->first_device + i]);
    walras_json_out_close(out, ']');
    walras_json_out_close(out, '}');
}

static void expand(const struct scenario *scenario, size_t n_agent, FILE *file)
{
    struct walras_json_out out = walras_json_out_start(file, 2);

    walras_json_out_open(&out, '{');
    walras_json_out_key(&out, "walras");
    walras_json_out_integer(&out, 1);
    put_text(&out, "name", scenario->name);
    put_text(&out, "currency", scenario->currency);
    put_horizon(&out, scenario);
    out.breaks = 3; /* a line for each bus and line */
    put_grid(&out, scenario);
    out.breaks = 2;
    walras_json_out_key(&out, "supply");
    walras_json_out_open(&out, '[');
    for (size_t i = 0; i < scenario->n_supply; i++)
        put_supply(&out, scenario, &scenario->supplies[i]);
    walras_json_out_close(&out, ']');
    walras_json_out_key(&out, "agents");
    walras_json_out_open(&out, '[');
    for (size_t i = 0; i < n_agent; i++)
        put_agent(&out, scenario, &scenario->agents[i]);
    walras_json_out_close(&out, ']');
    walras_json_out_close(&out, '}');
    walras_json_out_end(&out);
}

void scenario_expand(const struct scenario *scenario, FILE *file)
{
    expand(scenario, scenario->n_agent, file);
}

void scenario_expand_grid(const struct scenario *scenario, FILE *file)
{
    expand(scenario, 0, file);
}
