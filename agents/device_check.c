#include "agents/device.h"

#include <math.h>

/* What a number must be; the text stands in the message. */
#define RULE_LIST(X)                                                                               \
    X(FINITE, "a finite number", true)                                                             \
    X(AT_LEAST_ZERO, ">= 0", value >= 0.0)                                                         \
    X(ABOVE_ZERO, "> 0", value > 0.0)                                                              \
    X(EFFICIENCY, "> 0 and <= 1", value > 0.0 && value <= 1.0)                                     \
    X(LOSS, ">= 0 and < 1", value >= 0.0 && value < 1.0)

enum rule {
#define X(name, text, holds) RULE_##name,
    RULE_LIST(X)
#undef X
};

struct number {
    const char *key;
    double value;
    enum rule rule;
};

static bool holds(enum rule rule, double value)
{
    if (!isfinite(value))
        return false;
    switch (rule) {
#define X(name, text, condition)                                                                   \
    case RULE_##name:                                                                              \
        return condition;
        RULE_LIST(X)
#undef X
    }
    return false;
}

static const char *rule_text(enum rule rule)
{
    static const char *const texts[] = {
#define X(name, text, condition) text,
        RULE_LIST(X)
#undef X
    };

    return texts[rule];
}

static enum walras_status check_numbers(const struct number *numbers, size_t n,
                                        struct walras_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!holds(numbers[i].rule, numbers[i].value))
            return walras_fail(err, WALRAS_INVALID, "%s must be %s, got %g", numbers[i].key,
                               rule_text(numbers[i].rule), numbers[i].value);
    }
    return WALRAS_OK;
}

#define CHECK_NUMBERS(numbers, err)                                                                \
    check_numbers((numbers), sizeof(numbers) / sizeof((numbers)[0]), (err))

static enum walras_status check_series(const char *key, struct walras_series series, enum rule rule,
                                       const struct agent_horizon *horizon, struct walras_err *err)
{
    if (!series.values)
        return walras_fail(err, WALRAS_INVALID, "%s is missing", key);

    size_t n = series.stride == 0 ? 1 : horizon->n_step;

    for (size_t t = 0; t < n; t++) {
        double value = walras_series_at(series, t);

        if (!holds(rule, value))
            return walras_fail(err, WALRAS_INVALID, "%s must be %s, got %g in step %zu", key,
                               rule_text(rule), value, t);
    }
    return WALRAS_OK;
}

/* A price whose absence (NAN) has a meaning. */
static enum walras_status check_optional_price(const char *key, double price,
                                               struct walras_err *err)
{
    const struct number numbers[] = {{key, isnan(price) ? 0.0 : price, RULE_AT_LEAST_ZERO}};

    return CHECK_NUMBERS(numbers, err);
}

static enum walras_status check_load(const struct agent_load *load,
                                     const struct agent_horizon *horizon, struct walras_err *err)
{
    enum walras_status status = check_series("draw_kw", load->draw_kw, RULE_FINITE, horizon, err);

    if (status == WALRAS_OK && load->draw_kvar.values)
        status = check_series("draw_kvar", load->draw_kvar, RULE_FINITE, horizon, err);
    if (status == WALRAS_OK)
        status = check_optional_price("shed_price_per_mwh", load->shed_price_per_mwh, err);
    return status;
}

static enum walras_status check_pv(const struct agent_pv *pv, const struct agent_horizon *horizon,
                                   struct walras_err *err)
{
    const struct number numbers[] = {{"cost_per_mwh", pv->cost_per_mwh, RULE_FINITE},
                                     {"apparent_kva", pv->apparent_kva, RULE_AT_LEAST_ZERO}};
    enum walras_status status = CHECK_NUMBERS(numbers, err);

    if (status == WALRAS_OK)
        status = check_series("available_kw", pv->available_kw, RULE_AT_LEAST_ZERO, horizon, err);
    return status;
}

static enum walras_status check_battery(const struct agent_battery *battery, struct walras_err *err)
{
    const struct number numbers[] = {
        {"capacity_kwh", battery->capacity_kwh, RULE_ABOVE_ZERO},
        {"charge_kw", battery->charge_kw, RULE_AT_LEAST_ZERO},
        {"discharge_kw", battery->discharge_kw, RULE_AT_LEAST_ZERO},
        {"charge_efficiency", battery->charge_efficiency, RULE_EFFICIENCY},
        {"discharge_efficiency", battery->discharge_efficiency, RULE_EFFICIENCY},
        {"start_kwh", battery->start_kwh, RULE_AT_LEAST_ZERO},
        {"end_min_kwh", battery->end_min_kwh, RULE_AT_LEAST_ZERO},
        {"min_kwh", battery->min_kwh, RULE_AT_LEAST_ZERO},
        {"loss_per_hour", battery->loss_per_hour, RULE_LOSS},
        {"wear_per_mwh", battery->wear_per_mwh, RULE_AT_LEAST_ZERO},
        {"wear_per_mw2h", battery->wear_per_mw2h, RULE_AT_LEAST_ZERO},
        {"apparent_kva", battery->apparent_kva, RULE_AT_LEAST_ZERO},
    };
    const struct number stored[] = {
        {"start_kwh", battery->start_kwh, RULE_FINITE},
        {"end_min_kwh", battery->end_min_kwh, RULE_FINITE},
        {"min_kwh", battery->min_kwh, RULE_FINITE},
    };
    enum walras_status status = CHECK_NUMBERS(numbers, err);

    for (size_t i = 0; status == WALRAS_OK && i < sizeof(stored) / sizeof(stored[0]); i++) {
        if (stored[i].value > battery->capacity_kwh)
            status = walras_fail(err, WALRAS_INVALID, "%s must be <= capacity_kwh (%g), got %g",
                                 stored[i].key, battery->capacity_kwh, stored[i].value);
    }
    return status;
}

static enum walras_status check_ev(const struct agent_ev *ev, const struct agent_horizon *horizon,
                                   struct walras_err *err)
{
    const struct number numbers[] = {
        {"energy_kwh", ev->energy_kwh, RULE_FINITE},
        {"start_kwh + energy_kwh", ev->start_kwh + ev->energy_kwh, RULE_AT_LEAST_ZERO},
        {"charge_kw", ev->charge_kw, RULE_AT_LEAST_ZERO},
        {"discharge_kw", ev->discharge_kw, RULE_AT_LEAST_ZERO},
        {"efficiency", ev->efficiency, RULE_EFFICIENCY},
        {"capacity_kwh", ev->capacity_kwh, RULE_AT_LEAST_ZERO},
        {"start_kwh", ev->start_kwh, RULE_AT_LEAST_ZERO},
        {"wear_per_mwh", ev->wear_per_mwh, RULE_AT_LEAST_ZERO},
        {"wear_per_mw2h", ev->wear_per_mw2h, RULE_AT_LEAST_ZERO},
        {"apparent_kva", ev->apparent_kva, RULE_AT_LEAST_ZERO},
    };
    enum walras_status status = CHECK_NUMBERS(numbers, err);

    if (status == WALRAS_OK)
        status = check_optional_price("unserved_price_per_mwh", ev->unserved_price_per_mwh, err);
    if (status != WALRAS_OK)
        return status;
    if (ev->depart > horizon->n_step)
        return walras_fail(err, WALRAS_INVALID,
                           "depart must be <= %zu, the number of steps, got %u", horizon->n_step,
                           ev->depart);
    if (ev->arrive >= ev->depart)
        return walras_fail(err, WALRAS_INVALID, "arrive must be < depart (%u), got %u", ev->depart,
                           ev->arrive);
    if (ev->start_kwh > ev->capacity_kwh)
        return walras_fail(err, WALRAS_INVALID, "start_kwh must be <= capacity_kwh (%g), got %g",
                           ev->capacity_kwh, ev->start_kwh);
    return WALRAS_OK;
}

static enum walras_status check_thermal(const struct agent_thermal *thermal,
                                        const struct agent_horizon *horizon, struct walras_err *err)
{
    const struct number numbers[] = {
        {"max_kw", thermal->max_kw, RULE_AT_LEAST_ZERO},
        {"capacity_kwh_per_k", thermal->capacity_kwh_per_k, RULE_ABOVE_ZERO},
        {"conductance_kw_per_k", thermal->conductance_kw_per_k, RULE_AT_LEAST_ZERO},
        {"start_c", thermal->start_c, RULE_FINITE},
        {"discomfort_per_k2h", thermal->discomfort_per_k2h, RULE_AT_LEAST_ZERO},
    };
    const struct {
        const char *key;
        struct walras_series series;
        enum rule rule;
    } series[] = {
        {"cop", thermal->cop, RULE_ABOVE_ZERO},     {"min_c", thermal->min_c, RULE_FINITE},
        {"max_c", thermal->max_c, RULE_FINITE},     {"outdoor_c", thermal->outdoor_c, RULE_FINITE},
        {"gain_kw", thermal->gain_kw, RULE_FINITE},
    };
    enum walras_status status = CHECK_NUMBERS(numbers, err);

    for (size_t i = 0; status == WALRAS_OK && i < sizeof(series) / sizeof(series[0]); i++)
        status = check_series(series[i].key, series[i].series, series[i].rule, horizon, err);
    if (status == WALRAS_OK && thermal->target_c.values)
        status = check_series("target_c", thermal->target_c, RULE_FINITE, horizon, err);
    if (status == WALRAS_OK)
        status = check_optional_price("comfort_price_per_kh", thermal->comfort_price_per_kh, err);
    for (size_t t = 0; status == WALRAS_OK && t < horizon->n_step; t++) {
        double low = walras_series_at(thermal->min_c, t),
               high = walras_series_at(thermal->max_c, t);

        if (low > high)
            status = walras_fail(err, WALRAS_INVALID,
                                 "min_c must be <= max_c (%g), got %g in step %zu", high, low, t);
    }
    return status;
}

static enum walras_status check_shiftable(const struct agent_shiftable *shiftable,
                                          const struct agent_horizon *horizon,
                                          struct walras_err *err)
{
    if (shiftable->n_profile == 0)
        return walras_fail(err, WALRAS_INVALID, "profile_kw must have at least one value");
    for (uint32_t i = 0; i < shiftable->n_profile; i++) {
        if (!isfinite(shiftable->profile_kw[i]))
            return walras_fail(err, WALRAS_INVALID,
                               "profile_kw[%u] must be a finite number, got %g", i,
                               shiftable->profile_kw[i]);
    }
    if (shiftable->earliest > shiftable->latest)
        return walras_fail(err, WALRAS_INVALID, "earliest must be <= latest (%u), got %u",
                           shiftable->latest, shiftable->earliest);
    if ((uint64_t)shiftable->latest + shiftable->n_profile > horizon->n_step)
        return walras_fail(err, WALRAS_INVALID,
                           "latest (%u) plus the %u steps of profile_kw must be <= %zu, the number "
                           "of steps",
                           shiftable->latest, shiftable->n_profile, horizon->n_step);
    return WALRAS_OK;
}

/* Blocks of a curve: widths >= 0, prices never turning against `direction` (+1 rising). */
static enum walras_status check_blocks(const char *key, const struct agent_segment *blocks,
                                       size_t n, double direction, struct walras_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!holds(RULE_AT_LEAST_ZERO, blocks[i].width_kw))
            return walras_fail(err, WALRAS_INVALID, "%s: width of block %zu must be >= 0, got %g",
                               key, i, blocks[i].width_kw);
        if (!isfinite(blocks[i].price_per_mwh))
            return walras_fail(err, WALRAS_INVALID,
                               "%s: price of block %zu must be a finite number, got %g", key, i,
                               blocks[i].price_per_mwh);
        if (i > 0 && direction * (blocks[i].price_per_mwh - blocks[i - 1].price_per_mwh) < 0.0)
            return walras_fail(err, WALRAS_INVALID,
                               "%s: prices must not %s, got %g after %g in block %zu", key,
                               direction > 0.0 ? "fall" : "rise", blocks[i].price_per_mwh,
                               blocks[i - 1].price_per_mwh, i);
    }
    return WALRAS_OK;
}

static enum walras_status check_generator_cost(const struct agent_generator *generator,
                                               struct walras_err *err)
{
    const struct number numbers[] = {
        {"cost per_mw2h", generator->per_mw2h, RULE_AT_LEAST_ZERO},
        {"cost per_mwh", generator->per_mwh, RULE_FINITE},
        {"cost per_h", generator->per_h, RULE_FINITE},
    };

    if (!generator->segments)
        return CHECK_NUMBERS(numbers, err);

    enum walras_status status =
        check_blocks("segments", generator->segments, generator->n_segment, 1.0, err);
    double covered_kw = 0.0;

    if (status != WALRAS_OK)
        return status;
    for (uint32_t i = 0; i < generator->n_segment; i++)
        covered_kw += generator->segments[i].width_kw;
    if (covered_kw < generator->max_kw * (1.0 - 1e-9))
        return walras_fail(err, WALRAS_INVALID, "segments must cover max_kw (%g), they end at %g",
                           generator->max_kw, covered_kw);
    if (generator->min_kw < 0.0)
        return walras_fail(err, WALRAS_INVALID, "min_kw must be >= 0 with segments, got %g",
                           generator->min_kw);
    if (generator->per_mw2h != 0.0 || generator->per_mwh != 0.0 || generator->per_h != 0.0)
        return walras_fail(err, WALRAS_INVALID, "segments and cost exclude each other");
    return WALRAS_OK;
}

static enum walras_status check_generator(const struct agent_generator *generator,
                                          struct walras_err *err)
{
    const struct number numbers[] = {
        {"min_kw", generator->min_kw, RULE_FINITE},
        {"max_kw", generator->max_kw, RULE_FINITE},
        {"start_cost", generator->start_cost, RULE_AT_LEAST_ZERO},
    };
    enum walras_status status = CHECK_NUMBERS(numbers, err);

    if (status != WALRAS_OK)
        return status;
    if (generator->min_kw > generator->max_kw)
        return walras_fail(err, WALRAS_INVALID, "min_kw must be <= max_kw (%g), got %g",
                           generator->max_kw, generator->min_kw);
    if (generator->committed && generator->min_kw < 0.0)
        return walras_fail(err, WALRAS_INVALID, "min_kw must be >= 0 with commitment, got %g",
                           generator->min_kw);
    if (!(generator->ramp_kw_per_h >= 0.0))
        return walras_fail(err, WALRAS_INVALID, "ramp_kw_per_h must be >= 0, got %g",
                           generator->ramp_kw_per_h);
    return check_generator_cost(generator, err);
}

static enum walras_status check_bid_list(const char *key, const struct agent_segment *blocks,
                                         const uint32_t *first, size_t n_list, double direction,
                                         struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t k = 0; status == WALRAS_OK && first && k < n_list; k++) {
        status = check_blocks(key, blocks + first[k], first[k + 1] - first[k], direction, err);
        if (status != WALRAS_OK && n_list > 1)
            walras_err_prefix(err, "step %zu", k);
    }
    return status;
}

static enum walras_status check_bid(const struct agent_bid *bid,
                                    const struct agent_horizon *horizon, struct walras_err *err)
{
    size_t n_list = bid->one_list ? 1 : horizon->n_step;
    enum walras_status status =
        check_bid_list("demand", bid->demand, bid->demand_first, n_list, -1.0, err);

    if (status == WALRAS_OK)
        status = check_bid_list("offer", bid->offer, bid->offer_first, n_list, 1.0, err);
    return status;
}

static enum walras_status check_by_type(const struct agent_device *device,
                                        const struct agent_horizon *horizon, struct walras_err *err)
{
    switch (device->type) {
    case AGENT_LOAD:
        return check_load(&device->load, horizon, err);
    case AGENT_PV:
        return check_pv(&device->pv, horizon, err);
    case AGENT_BATTERY:
        return check_battery(&device->battery, err);
    case AGENT_EV:
        return check_ev(&device->ev, horizon, err);
    case AGENT_THERMAL:
        return check_thermal(&device->thermal, horizon, err);
    case AGENT_SHIFTABLE:
        return check_shiftable(&device->shiftable, horizon, err);
    case AGENT_GENERATOR:
        return check_generator(&device->generator, err);
    case AGENT_BID:
        return check_bid(&device->bid, horizon, err);
    case AGENT_LP:
        if (!device->lp.path || device->lp.path[0] == '\0')
            return walras_fail(err, WALRAS_INVALID, "file must be named");
        return WALRAS_OK;
    }
    return walras_fail(err, WALRAS_INVALID, "device type %d is unknown", (int)device->type);
}

/* An inverter carries all kW of its device, and its kvar are its own. */
static enum walras_status check_inverter(const struct agent_device *device,
                                         const struct agent_horizon *horizon,
                                         struct walras_err *err)
{
    double kva = agent_device_apparent_kva(device), most_kw = 0.0;

    if (!(kva > 0.0))
        return WALRAS_OK;
    if (fabs(device->power_factor) < 1.0)
        return walras_fail(err, WALRAS_INVALID, "expected apparent_kva or power_factor, not both");
    if (device->type == AGENT_BATTERY)
        most_kw = fmax(device->battery.charge_kw, device->battery.discharge_kw);
    else if (device->type == AGENT_EV)
        most_kw = fmax(device->ev.charge_kw, device->ev.discharge_kw);
    for (size_t t = 0; t < horizon->n_step && device->type == AGENT_PV; t++)
        most_kw = fmax(most_kw, walras_series_at(device->pv.available_kw, t));
    if (most_kw <= kva)
        return WALRAS_OK;
    return walras_fail(err, WALRAS_INVALID,
                       "apparent_kva must be at least %g, the most kW of the device, got %g",
                       most_kw, kva);
}

enum walras_status agent_device_check(const struct agent_device *device,
                                      const struct agent_horizon *horizon, struct walras_err *err)
{
    struct walras_err found = {0};
    enum walras_status status = check_by_type(device, horizon, &found);
    double pf = fabs(device->power_factor);

    if (status == WALRAS_OK && !(pf > 0.0 && pf <= 1.0))
        status =
            walras_fail(&found, WALRAS_INVALID, "power_factor must be in [-1, 1] and not 0, got %g",
                        device->power_factor);
    if (status == WALRAS_OK)
        status = check_inverter(device, horizon, &found);
    if (status == WALRAS_OK)
        return status;
    walras_err_prefix(&found, "%s", agent_device_type_name(device->type));
    return walras_fail(err, status, "%s", found.msg);
}
