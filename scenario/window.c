#include "scenario/window.h"

#include "scenario/fields.h"

#include <math.h>
#include <stdlib.h>

/* A device may stand twice in a window: the end of one stay, the beginning of the next. */
enum { MOST_PARTS = 2 };

struct window_builder {
    const struct scenario *run;
    struct scenario_window *window;
    size_t first, n_step; /* the window is [first, first + n_step) of the run; its period too */
};

struct agent_device scenario_device_from(const struct agent_device *device, size_t step)
{
    struct scenario_fields fields = scenario_fields_of(device->type);
    struct agent_device from = *device;

    for (size_t i = 0; i < fields.n; i++)
        if (fields.list[i].kind == SCENARIO_SERIES) {
            struct walras_series *series = scenario_field_of(&from, &fields.list[i]);

            if (series->values) /* one that a device may do without has none */
                series->values += step * series->stride;
        }
    if (from.type == AGENT_BID && !from.bid.one_list) {
        from.bid.demand_first += from.bid.demand_first ? step : 0;
        from.bid.offer_first += from.bid.offer_first ? step : 0;
    }
    return from;
}

static void add(struct window_builder *build, size_t origin, const struct agent_device *device)
{
    struct scenario *made = &build->window->scenario;

    build->window->origin[made->n_device] = origin;
    made->device_agent[made->n_device] = build->run->device_agent[origin];
    made->devices[made->n_device++] = *device;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One stay of a car, cut to steps of the run. */
struct stay {
    size_t arrive, depart; /* of the run, uncut */
    size_t from, to;       /* cut; from >= to: not there */
};

static struct stay stay_of(const struct agent_ev *ev, size_t n_step, size_t period, size_t first,
                           size_t end)
{
    struct stay stay = {.arrive = ev->arrive + period * n_step,
                        .depart = ev->depart + period * n_step};

    stay.from = larger(stay.arrive, first);
    stay.to = smaller(stay.depart, end);
    return stay;
}

/* The car during a stay that is cut at its beginning: it has what it has by then. */
static void begin_stay(struct agent_ev *ev, const struct stay *stay, size_t first,
                       const struct scenario_trace *trace)
{
    struct agent_device car = {.type = AGENT_EV, .ev = *ev};

    if (stay->arrive < first)
        agent_state_apply(&car, &trace->state);
    *ev = car.ev;
    ev->arrive = (uint32_t)(stay->from - first);
    ev->depart = (uint32_t)(stay->to - first);
}

/*
 * A stay that goes on behind the window: by its end the share of the energy that the time allows
 * for, and never less than leaves the rest within reach (docs/simulation.md, eq. 3).
 */
static void owe_by_end(struct agent_ev *ev, const struct stay *stay, double step_h)
{
    double now_kwh = ev->start_kwh, wanted_kwh = now_kwh + ev->energy_kwh;
    double share = (double)(stay->to - stay->from) / (double)(stay->depart - stay->from);
    double later_kwh = step_h * ev->efficiency * ev->charge_kw * (double)(stay->depart - stay->to);

    if (wanted_kwh <= now_kwh)
        return;
    ev->energy_kwh = fmax(share * (wanted_kwh - now_kwh), wanted_kwh - later_kwh - now_kwh);
}

static void add_car(struct window_builder *build, size_t origin, const struct agent_device *device,
                    const struct scenario_trace *trace)
{
    size_t period = build->first / build->n_step;

    for (size_t i = 0; i < MOST_PARTS; i++) {
        struct stay stay = stay_of(&device->ev, build->n_step, period + i, build->first,
                                   build->first + build->n_step);
        struct agent_device part = *device;

        if (stay.from >= stay.to)
            continue;
        begin_stay(&part.ev, &stay, build->first, trace);
        if (stay.to < stay.depart)
            owe_by_end(&part.ev, &stay, build->run->horizon.step_h);
        add(build, origin, &part);
    }
}

/* What is left of a run that has begun; nothing when it is over. */
static void add_rest(struct window_builder *build, size_t origin, struct agent_device device,
                     size_t started)
{
    size_t done = build->first - started;

    if (done >= device.shiftable.n_profile)
        return;
    device.shiftable.profile_kw += done;
    device.shiftable.n_profile -= (uint32_t)done;
    device.shiftable.earliest = device.shiftable.latest = 0;
    add(build, origin, &device);
}

/* It may start where it ends within the window; where no start does, a later window sees it. */
static void add_appliance(struct window_builder *build, size_t origin,
                          const struct agent_device *device, const struct scenario_trace *trace)
{
    size_t n_step = build->n_step, period = build->first / n_step;

    for (size_t i = 0; i < MOST_PARTS; i++) {
        struct agent_device part = *device;
        size_t begin = (period + i) * n_step;
        size_t earliest = larger(begin + part.shiftable.earliest, build->first);
        size_t latest = smaller(begin + part.shiftable.latest,
                                build->first + n_step - part.shiftable.n_profile);

        if (trace->started >= 0 && (size_t)trace->started >= begin) {
            add_rest(build, origin, part, (size_t)trace->started);
        } else if (earliest <= latest) {
            part.shiftable.earliest = (uint32_t)(earliest - build->first);
            part.shiftable.latest = (uint32_t)(latest - build->first);
            add(build, origin, &part);
        }
    }
}

static void add_device(struct window_builder *build, size_t origin,
                       const struct scenario_trace *trace)
{
    struct agent_device device = scenario_device_from(&build->run->devices[origin], build->first);

    switch (device.type) {
    case AGENT_EV:
        add_car(build, origin, &device, trace);
        return;
    case AGENT_SHIFTABLE:
        add_appliance(build, origin, &device, trace);
        return;
    default:
        agent_state_apply(&device, &trace->state);
        add(build, origin, &device);
    }
}

static void shift_supply(struct scenario_supply *supply, size_t step)
{
    struct walras_series *const series[] = {&supply->price_per_mwh, &supply->export_price_per_mwh,
                                            &supply->import_limit_kw, &supply->export_limit_kw};

    for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++)
        series[i]->values += step * series[i]->stride;
}

static enum walras_status take_memory(const struct scenario *run, struct scenario_window *window,
                                      struct walras_err *err)
{
    struct scenario *made = &window->scenario;
    size_t room = MOST_PARTS * run->n_device + 1;

    made->devices = malloc(room * sizeof(*made->devices));
    made->device_agent = malloc(room * sizeof(*made->device_agent));
    made->agents = malloc((run->n_agent + 1) * sizeof(*made->agents));
    made->supplies = malloc((run->n_supply + 1) * sizeof(*made->supplies));
    window->origin = malloc(room * sizeof(*window->origin));
    if (!made->devices || !made->device_agent || !made->agents || !made->supplies ||
        !window->origin)
        return walras_fail(err, WALRAS_NOMEM, "a window of %zu devices does not fit in memory",
                           run->n_device);
    return WALRAS_OK;
}

enum walras_status scenario_window_make(const struct scenario *run,
                                        const struct scenario_trace *traces, size_t first_step,
                                        struct scenario_window *out, struct walras_err *err)
{
    struct scenario_window window = {.scenario = *run, .first_step = first_step};
    struct scenario *made = &window.scenario;
    struct window_builder build = {run, &window, first_step, run->horizon.n_step};
    enum walras_status status = WALRAS_OK;

    made->devices = NULL; /* what is the window's own */
    made->device_agent = NULL;
    made->agents = NULL;
    made->supplies = NULL;
    made->n_device = 0;
    status = take_memory(run, &window, err);
    if (status != WALRAS_OK) {
        scenario_window_release(&window);
        return status;
    }
    made->start_utc_s += (int64_t)first_step * 60 * run->step_min;
    made->n_known = run->horizon.n_step;
    for (size_t i = 0; i < run->n_supply; i++) {
        made->supplies[i] = run->supplies[i];
        shift_supply(&made->supplies[i], first_step);
    }
    for (size_t a = 0; a < run->n_agent; a++) {
        const struct scenario_agent *agent = &run->agents[a];

        made->agents[a] = *agent;
        made->agents[a].first_device = (uint32_t)made->n_device;
        for (size_t d = agent->first_device; d < agent->first_device + agent->n_device; d++)
            add_device(&build, d, &traces[d]);
        made->agents[a].n_device = (uint32_t)made->n_device - made->agents[a].first_device;
    }
    *out = window;
    return WALRAS_OK;
}

void scenario_window_release(struct scenario_window *window)
{
    free(window->scenario.devices);
    free(window->scenario.device_agent);
    free(window->scenario.agents);
    free(window->scenario.supplies);
    free(window->origin);
    *window = (struct scenario_window){0};
}

/* Only the end of a stay demands energy. */
static bool piece_of_stay(const struct scenario *run, const struct scenario_trace *trace,
                          size_t first, size_t n, struct agent_ev *ev)
{
    size_t n_step = run->horizon.n_step;
    struct stay stay = stay_of(ev, n_step, first / n_step, first, first + n);

    if (stay.from >= stay.to)
        return false;
    begin_stay(ev, &stay, first, trace);
    if (stay.to < stay.depart)
        ev->unserved_price_per_mwh = 0.0;
    return true;
}

bool scenario_piece_of(const struct scenario *run, size_t d, const struct scenario_trace *trace,
                       size_t first, size_t n, struct agent_device *out)
{
    *out = scenario_device_from(&run->devices[d], first);
    switch (out->type) {
    case AGENT_EV:
        return piece_of_stay(run, trace, first, n, &out->ev);
    case AGENT_SHIFTABLE:
        return false;
    case AGENT_BATTERY:
        agent_state_apply(out, &trace->state);
        out->battery.end_min_kwh = 0.0;
        return true;
    default:
        agent_state_apply(out, &trace->state);
        return true;
    }
}
