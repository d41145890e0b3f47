#include "agents/model.h"
#include "core/units.h"
#include "scenario/check_internal.h"

#include <math.h>
#include <stdlib.h>

/* Devices whose own limits may leave them no draw at all. */
static bool is_hard(const struct agent_device *device)
{
    switch (device->type) {
    case AGENT_BATTERY:
    case AGENT_LP:
        return true;
    case AGENT_EV:
        return isnan(device->ev.unserved_price_per_mwh);
    case AGENT_THERMAL:
        return isnan(device->thermal.comfort_price_per_kh);
    default:
        return false;
    }
}

struct asking {
    double *price_per_mwh, *draw_kw; /* [n_step] */
    struct agent_workspace *workspace;
};

/* A fault of the device is a warning; only memory fails. */
static enum walras_status ask(struct scenario_summary *summary, size_t index,
                              const struct asking *asking, struct walras_err *err)
{
    const struct scenario *scenario = summary->scenario;
    struct agent_device device = scenario->devices[index];
    struct market_answer answer = {0};
    struct walras_err fault = {0};

    if (device.type == AGENT_BATTERY) /* the rule forbids no state of charge */
        device.battery.exclusive = false;
    enum walras_status status = agent_ask_once(&device, &scenario->horizon, asking->price_per_mwh,
                                               asking->workspace, asking->draw_kw, &answer, &fault);

    if (status == WALRAS_NOMEM)
        return walras_fail(err, status, "%s", fault.msg);
    if (status == WALRAS_OK || summary->n_refused++ >= SCENARIO_REFUSED)
        return WALRAS_OK;
    check_warn(summary, "agent %.60s, device %.60s: %.180s",
               scenario->agents[scenario->device_agent[index]].id, device.id, fault.msg);
    return WALRAS_OK;
}

enum walras_status check_devices(struct scenario_summary *summary, struct walras_err *err)
{
    const struct scenario *scenario = summary->scenario;
    size_t n_step = scenario->horizon.n_step;
    double *zeros = NULL;
    struct asking asking = {0};
    enum walras_status status = WALRAS_OK;

    if (scenario->n_device == 0 || scenario->n_device > SCENARIO_ASK_DEVICES)
        return WALRAS_OK;
    zeros = calloc(2 * n_step, sizeof(*zeros));
    if (!zeros)
        return walras_fail(err, WALRAS_NOMEM, "no memory to ask over %zu steps", n_step);
    asking.price_per_mwh = zeros;
    asking.draw_kw = zeros + n_step;
    status = agent_workspace_new(&scenario->horizon, &asking.workspace, err);
    for (size_t d = 0; d < scenario->n_device && status == WALRAS_OK; d++)
        if (is_hard(&scenario->devices[d]))
            status = ask(summary, d, &asking, err);
    agent_workspace_free(asking.workspace);
    free(zeros);
    return status;
}

static double largest_of(struct walras_series series, size_t n)
{
    double most = 0.0;

    for (size_t t = 0; t < n; t++)
        most = fmax(most, fabs(walras_series_at(series, t)));
    return most;
}

static double largest_in(const struct agent_segment *segments, size_t n)
{
    double most = 0.0;

    for (size_t i = 0; segments && i < n; i++)
        most = fmax(most, fabs(segments[i].price_per_mwh));
    return most;
}

static double generator_price(const struct agent_generator *generator)
{
    if (generator->segments)
        return largest_in(generator->segments, generator->n_segment);
    return fabs(generator->per_mwh) +
           2.0 * generator->per_mw2h * walras_mw_from_kw(fabs(generator->max_kw));
}

static double bid_price(const struct agent_bid *bid, size_t n_step)
{
    size_t n_list = bid->one_list ? 1 : n_step;

    return fmax(bid->demand_first ? largest_in(bid->demand, bid->demand_first[n_list]) : 0.0,
                bid->offer_first ? largest_in(bid->offer, bid->offer_first[n_list]) : 0.0);
}

/* The largest price a device asks or offers; what it pays to be left alone is no market price. */
static double device_price(const struct agent_device *device, size_t n_step)
{
    if (device->type == AGENT_GENERATOR)
        return generator_price(&device->generator);
    return device->type == AGENT_BID ? bid_price(&device->bid, n_step) : 0.0;
}

void check_prices(struct scenario_summary *summary)
{
    const double few_per_mwh = 2.0;
    const struct scenario *scenario = summary->scenario;
    size_t n_step = scenario->horizon.n_step;
    double most = 0.0;

    for (size_t i = 0; i < scenario->n_supply; i++) {
        most = fmax(most, largest_of(scenario->supplies[i].price_per_mwh, n_step));
        most = fmax(most, largest_of(scenario->supplies[i].export_price_per_mwh, n_step));
    }
    for (size_t d = 0; d < scenario->n_device; d++)
        most = fmax(most, device_price(&scenario->devices[d], n_step));
    if (most > 0.0 && most < few_per_mwh)
        check_warn(summary, "no price is above %g %.16s/MWh; are they meant per kWh?", most,
                   scenario->currency);
}
