#include "scenario/fields.h"

#include "scenario/read_internal.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

static const struct walras_range any_kw = {.low = -SCENARIO_MAX_KW, .high = SCENARIO_MAX_KW};
static const struct walras_range kw = {.low = 0.0, .high = SCENARIO_MAX_KW};
static const struct walras_range large = {.low = 0.0, .high = 1e12};
static const struct walras_range large_positive = {.low = 0.0, .high = 1e12, .above = true};
static const struct walras_range any_price = {.low = -SCENARIO_MAX_PRICE,
                                              .high = SCENARIO_MAX_PRICE};
static const struct walras_range price = {.low = 0.0, .high = SCENARIO_MAX_PRICE};
static const struct walras_range efficiency = {.low = 0.0, .high = 1.0, .above = true};
static const struct walras_range loss = {.low = 0.0, .high = 1.0, .below = true};
static const struct walras_range cop_range = {.low = 0.0, .high = 1000.0, .above = true};
static const struct walras_range celsius = {.low = -273.15, .high = 10000.0};

/* kind, member of struct agent_device, required, default, range */
#define FIELD(what, type, member, is_required, absent, allowed)                                    \
    {                                                                                              \
        .key = #member, .kind = SCENARIO_##what,                                                   \
        .offset = offsetof(struct agent_device, type.member), /* NOLINT: no parentheses */         \
            .required = (is_required), .fallback = (absent), .range = (allowed)                    \
    }
#define OWN(name, is_required)                                                                     \
    {                                                                                              \
        .key = (name), .kind = SCENARIO_OWN, .required = (is_required)                             \
    }

static const struct scenario_field load_fields[] = {
    FIELD(SERIES, load, draw_kw, true, 0.0, &any_kw),
    FIELD(SERIES, load, draw_kvar, false, 0.0, &any_kw),
    FIELD(NUMBER, load, shed_price_per_mwh, false, NAN, &price),
};
static const struct scenario_field pv_fields[] = {
    FIELD(SERIES, pv, available_kw, true, 0.0, &kw),
    FIELD(BOOL, pv, curtailable, false, 1.0, NULL),
    FIELD(NUMBER, pv, cost_per_mwh, false, 0.0, &any_price),
    FIELD(NUMBER, pv, apparent_kva, false, 0.0, &kw),
};
static const struct scenario_field battery_fields[] = {
    FIELD(NUMBER, battery, capacity_kwh, true, 0.0, &large_positive),
    FIELD(NUMBER, battery, charge_kw, true, 0.0, &kw),
    FIELD(NUMBER, battery, discharge_kw, true, 0.0, &kw),
    FIELD(NUMBER, battery, charge_efficiency, false, 1.0, &efficiency),
    FIELD(NUMBER, battery, discharge_efficiency, false, 1.0, &efficiency),
    FIELD(NUMBER, battery, start_kwh, true, 0.0, &large),
    FIELD(NUMBER, battery, end_min_kwh, false, 0.0, &large),
    FIELD(NUMBER, battery, min_kwh, false, 0.0, &large),
    FIELD(NUMBER, battery, loss_per_hour, false, 0.0, &loss),
    FIELD(NUMBER, battery, wear_per_mwh, false, 0.0, &price),
    FIELD(NUMBER, battery, wear_per_mw2h, false, 0.0, &large),
    FIELD(NUMBER, battery, apparent_kva, false, 0.0, &kw),
    FIELD(BOOL, battery, exclusive, false, 0.0, NULL),
};
static const struct scenario_field ev_fields[] = {
    FIELD(STEP, ev, arrive, true, 0.0, NULL),
    FIELD(STEP, ev, depart, true, 0.0, NULL),
    FIELD(NUMBER, ev, energy_kwh, true, 0.0, &large),
    FIELD(NUMBER, ev, charge_kw, true, 0.0, &kw),
    FIELD(NUMBER, ev, discharge_kw, false, 0.0, &kw),
    FIELD(NUMBER, ev, efficiency, false, 1.0, &efficiency),
    FIELD(NUMBER, ev, capacity_kwh, false, NAN, &large),
    FIELD(NUMBER, ev, start_kwh, false, 0.0, &large),
    FIELD(NUMBER, ev, wear_per_mwh, false, 0.0, &price),
    FIELD(NUMBER, ev, wear_per_mw2h, false, 0.0, &large),
    FIELD(NUMBER, ev, apparent_kva, false, 0.0, &kw),
    FIELD(NUMBER, ev, unserved_price_per_mwh, false, NAN, &price),
};
static const struct scenario_field thermal_fields[] = {
    OWN("mode", true),
    FIELD(NUMBER, thermal, max_kw, true, 0.0, &kw),
    FIELD(SERIES, thermal, cop, true, 0.0, &cop_range),
    FIELD(NUMBER, thermal, capacity_kwh_per_k, true, 0.0, &large_positive),
    FIELD(NUMBER, thermal, conductance_kw_per_k, true, 0.0, &large),
    FIELD(NUMBER, thermal, start_c, true, 0.0, &celsius),
    FIELD(SERIES, thermal, min_c, true, 0.0, &celsius),
    FIELD(SERIES, thermal, max_c, true, 0.0, &celsius),
    FIELD(SERIES, thermal, outdoor_c, true, 0.0, &celsius),
    FIELD(SERIES, thermal, gain_kw, false, 0.0, &any_kw),
    FIELD(NUMBER, thermal, comfort_price_per_kh, false, NAN, &price),
    FIELD(NUMBER, thermal, discomfort_per_k2h, false, 0.0, &price),
    FIELD(SERIES, thermal, target_c, false, NAN, &celsius),
};
static const struct scenario_field shiftable_fields[] = {
    OWN("profile_kw", true),
    FIELD(STEP, shiftable, earliest, true, 0.0, NULL),
    FIELD(STEP, shiftable, latest, true, 0.0, NULL),
};
static const struct scenario_field generator_fields[] = {
    FIELD(NUMBER, generator, min_kw, false, 0.0, &any_kw),
    FIELD(NUMBER, generator, max_kw, true, 0.0, &any_kw),
    OWN("segments", false),
    OWN("cost", false),
    FIELD(NUMBER, generator, ramp_kw_per_h, false, INFINITY, &large),
    FIELD(NUMBER, generator, start_cost, false, 0.0, &large),
    FIELD(STEP, generator, min_up_steps, false, 0.0, NULL),
    FIELD(STEP, generator, min_down_steps, false, 0.0, NULL),
    FIELD(BOOL, generator, on_at_start, false, 0.0, NULL),
};
static const struct scenario_field bid_fields[] = {OWN("demand", false), OWN("offer", false)};
static const struct scenario_field lp_fields[] = {OWN("file", true)};

#define TABLE(fields)                                                                              \
    {                                                                                              \
        fields, sizeof(fields) / sizeof((fields)[0])                                               \
    }

struct scenario_fields scenario_fields_of(enum agent_device_type type)
{
    static const struct scenario_fields tables[] = {
        [AGENT_LOAD] = TABLE(load_fields),
        [AGENT_PV] = TABLE(pv_fields),
        [AGENT_BATTERY] = TABLE(battery_fields),
        [AGENT_EV] = TABLE(ev_fields),
        [AGENT_THERMAL] = TABLE(thermal_fields),
        [AGENT_SHIFTABLE] = TABLE(shiftable_fields),
        [AGENT_GENERATOR] = TABLE(generator_fields),
        [AGENT_BID] = TABLE(bid_fields),
        [AGENT_LP] = TABLE(lp_fields),
    };
    static_assert(sizeof(tables) / sizeof(tables[0]) == AGENT_N_TYPE, "fields for every type");

    return tables[type];
}

static bool holds(const struct scenario_field *field, const void *place, size_t n_step)
{
    const struct walras_series *series = place;
    double value = field->kind == SCENARIO_NUMBER ? *(const double *)place : 0.0;

    if (field->kind == SCENARIO_NUMBER) /* what absence means is always right */
        return walras_range_holds(*field->range, value) ||
               (!field->required && (value == field->fallback || isnan(value)));
    if (field->kind == SCENARIO_SERIES && !series->values)
        return !field->required;
    for (size_t t = 0; field->kind == SCENARIO_SERIES && t < n_step; t++)
        if (!walras_range_holds(*field->range, walras_series_at(*series, t)))
            return false;
    return true;
}

enum walras_status scenario_fields_check(const struct agent_device *device, size_t n_step,
                                         struct walras_err *err)
{
    struct scenario_fields fields = scenario_fields_of(device->type);

    for (size_t i = 0; i < fields.n; i++)
        if (!holds(&fields.list[i], scenario_field_in(device, &fields.list[i]), n_step))
            return walras_fail(err, WALRAS_INVALID, "%s is out of range", fields.list[i].key);
    return WALRAS_OK;
}
