#include "scenario/check.h"

#include "core/units.h"
#include "scenario/check_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void check_warn(struct scenario_summary *summary, const char *format, ...)
{
    va_list args;

    if (summary->n_warning == SCENARIO_WARNINGS) {
        summary->n_warning_left_out++;
        return;
    }
    va_start(args, format);
    vsnprintf(summary->warning[summary->n_warning].text, sizeof(summary->warning[0].text), format,
              args);
    va_end(args);
    summary->n_warning++;
}

static void add_series(double *sum, struct walras_series series, size_t n)
{
    for (size_t t = 0; t < n; t++)
        sum[t] += walras_series_at(series, t);
}

static double largest(const double *values, size_t n, size_t *at)
{
    double most = n > 0 ? values[0] : 0.0;

    *at = 0;
    for (size_t t = 1; t < n; t++)
        if (values[t] > most) {
            most = values[t];
            *at = t;
        }
    return most;
}

static double blocks_kw(const struct agent_segment *blocks, const uint32_t *first, size_t n_list)
{
    double most = 0.0;

    for (size_t k = 0; first && k < n_list; k++) {
        double sum = 0.0;

        for (uint32_t i = first[k]; i < first[k + 1]; i++)
            sum += blocks[i].width_kw;
        most = fmax(most, sum);
    }
    return most;
}

/* What generated fleets have is meant: only listed devices are looked at. */
static void warn_about_device(struct scenario_summary *summary, size_t index)
{
    const struct scenario *scenario = summary->scenario;
    const struct agent_device *device = &scenario->devices[index];
    const char *agent = scenario->agents[scenario->device_agent[index]].id;

    if (scenario->device_agent[index] >= scenario->n_agent - scenario->n_fleet_agent)
        return;
    if (device->type == AGENT_BATTERY && device->battery.start_kwh < device->battery.min_kwh)
        check_warn(summary, "agent %.60s, device %.60s: starts below its min_kwh", agent,
                   device->id);
    if (device->type == AGENT_SHIFTABLE && device->shiftable.earliest == device->shiftable.latest)
        check_warn(summary, "agent %.60s, device %.60s: has only one start to choose", agent,
                   device->id);
}

static void add_device(struct scenario_summary *summary, const struct agent_device *device,
                       double *firm_kw, double *pv_kw)
{
    size_t n = summary->scenario->horizon.n_step, n_list = 0;
    double most_kw = 0.0;

    summary->n_type[device->type]++;
    summary->n_integer += agent_device_is_integer(device) ? 1 : 0;
    switch (device->type) {
    case AGENT_LOAD:
        add_series(firm_kw, device->load.draw_kw, n);
        break;
    case AGENT_PV:
        add_series(pv_kw, device->pv.available_kw, n);
        break;
    case AGENT_BATTERY:
        summary->storage_kwh += device->battery.capacity_kwh;
        summary->discharge_kw += device->battery.discharge_kw;
        summary->shiftable_kw += device->battery.charge_kw;
        break;
    case AGENT_EV:
        if (device->ev.discharge_kw > 0.0)
            summary->storage_kwh += device->ev.capacity_kwh;
        summary->discharge_kw += device->ev.discharge_kw;
        summary->shiftable_kw += device->ev.charge_kw;
        break;
    case AGENT_THERMAL:
        summary->shiftable_kw += device->thermal.max_kw;
        break;
    case AGENT_SHIFTABLE:
        for (uint32_t i = 0; i < device->shiftable.n_profile; i++)
            most_kw = fmax(most_kw, device->shiftable.profile_kw[i]);
        summary->shiftable_kw += most_kw;
        break;
    case AGENT_GENERATOR:
        summary->generator_kw += fmax(device->generator.max_kw, 0.0);
        break;
    case AGENT_BID:
        n_list = device->bid.one_list ? 1 : n;
        summary->generator_kw += blocks_kw(device->bid.offer, device->bid.offer_first, n_list);
        summary->shiftable_kw += blocks_kw(device->bid.demand, device->bid.demand_first, n_list);
        break;
    case AGENT_LP:
        break;
    }
}

static void look_at_lines(struct scenario_summary *summary)
{
    const struct scenario *scenario = summary->scenario;
    size_t n_kva = 0;

    for (size_t b = 0; b < scenario->network.n_bus; b++)
        summary->n_bus_limited += scenario->network.buses[b].v_min_pu > 0.0 ||
                                  isfinite(scenario->network.buses[b].v_max_pu);
    for (size_t l = 0; l < scenario->network.n_line; l++) {
        const struct grid_line *line = &scenario->network.lines[l];

        if (!line->in_service)
            continue;
        summary->n_line_in_service++;
        n_kva += line->limit_kva > 0.0;
        summary->n_line_limited += isfinite(line->limit_kw) || line->limit_kva > 0.0;
        if (line->limit_kw == 0.0)
            check_warn(summary, "line %.60s: has a limit of 0 kW; leave limit_kw out for no limit",
                       line->id);
    }
    if (scenario->model == SCENARIO_DC && n_kva > 0)
        check_warn(summary, "the model \"dc\" ignores limit_kva, which %zu line%s", n_kva,
                   n_kva == 1 ? " has" : "s have");
    if (scenario->model == SCENARIO_COPPERPLATE && summary->n_line_limited > 0)
        check_warn(summary, "the model \"copperplate\" ignores the limits of %zu lines",
                   summary->n_line_limited);
}

/* What must be served at the least against what there is: a plain sign of a missing supply. */
static void look_at_balance(struct scenario_summary *summary)
{
    double sources_kw = summary->import_peak_kw + summary->generator_kw + summary->pv_peak_kw +
                        summary->discharge_kw;

    if (summary->firm_peak_kw > sources_kw && summary->n_type[AGENT_LP] == 0)
        check_warn(summary, "loads draw up to %g kW, all sources together give %g kW",
                   summary->firm_peak_kw, sources_kw);
    if (summary->scenario->n_device == 0)
        check_warn(summary, "there is no device");
}

enum walras_status scenario_summarise(const struct scenario *scenario, struct scenario_summary *out,
                                      struct walras_err *err)
{
    size_t n = scenario->horizon.n_step, step;
    double *sums = calloc(4 * n, sizeof(*sums));
    double *firm_kw = sums, *pv_kw = sums + n, *import_kw = sums + 2 * n, *export_kw = sums + 3 * n;

    *out = (struct scenario_summary){.scenario = scenario};
    if (!sums)
        return walras_fail(err, WALRAS_NOMEM, "no memory to look at %zu steps", n);
    for (size_t i = 0; i < scenario->n_supply; i++) {
        add_series(import_kw, scenario->supplies[i].import_limit_kw, n);
        add_series(export_kw, scenario->supplies[i].export_limit_kw, n);
    }
    for (size_t d = 0; d < scenario->n_device; d++) {
        add_device(out, &scenario->devices[d], firm_kw, pv_kw);
        warn_about_device(out, d);
    }
    out->firm_peak_kw = largest(firm_kw, n, &out->firm_peak_step);
    out->pv_peak_kw = largest(pv_kw, n, &step);
    out->import_peak_kw = largest(import_kw, n, &step);
    out->export_peak_kw = largest(export_kw, n, &step);
    look_at_lines(out);
    look_at_balance(out);
    check_prices(out);
    free(sums);
    return check_devices(out, err);
}

static void print_kw(FILE *file, const char *what, double kw)
{
    if (isinf(kw))
        fprintf(file, "  %-22s unlimited\n", what);
    else if (kw >= 1e6)
        fprintf(file, "  %-22s %.6g MW\n", what, walras_mw_from_kw(kw));
    else if (kw != 0.0)
        fprintf(file, "  %-22s %.6g kW\n", what, kw);
}

static void print_devices(const struct scenario_summary *summary, FILE *file)
{
    fprintf(file, "agents    %zu with %zu devices\n", summary->scenario->n_agent,
            summary->scenario->n_device);
    for (size_t type = 0; type < AGENT_N_TYPE; type++)
        if (summary->n_type[type] > 0)
            fprintf(file, "  %-22s %zu\n", agent_device_type_name((enum agent_device_type)type),
                    summary->n_type[type]);
    if (summary->n_integer > 0)
        fprintf(file, "  %-22s %zu devices\n", "integer decisions", summary->n_integer);
}

void scenario_summary_print(const struct scenario_summary *summary, FILE *file)
{
    const struct scenario *scenario = summary->scenario;
    char start[SCENARIO_TIME_TEXT], end[SCENARIO_TIME_TEXT], peak[SCENARIO_TIME_TEXT];

    scenario_step_text(scenario, 0, start);
    scenario_step_text(scenario, scenario->horizon.n_step, end);
    scenario_step_text(scenario, summary->firm_peak_step, peak);
    fprintf(file, "market    %s\n", scenario->name);
    fprintf(file, "horizon   %zu steps of %u minutes, %s to %s\n", scenario->horizon.n_step,
            scenario->step_min, start, end);
    fprintf(file, "grid      %s, %zu buses, %zu lines in service, %zu of them limited%s%s\n",
            scenario_model_name(scenario->model), scenario->network.n_bus,
            summary->n_line_in_service, summary->n_line_limited,
            isnan(scenario->line_overload_price_per_mwh) ? "" : " (softly)",
            scenario->losses ? "; supply covers losses" : "");
    if (scenario->model == SCENARIO_LINDISTFLOW)
        fprintf(file, "voltages  %zu buses limited%s\n", summary->n_bus_limited,
                isnan(scenario->voltage_violation_price_per_pu_h) ? "" : " (softly)");
    fprintf(file, "supply    %zu\n", scenario->n_supply);
    print_kw(file, "import", summary->import_peak_kw);
    print_kw(file, "export", summary->export_peak_kw);
    print_devices(summary, file);
    fprintf(file, "power\n");
    print_kw(file, "peak of the loads", summary->firm_peak_kw);
    if (scenario->horizon.n_step > 1 && summary->n_type[AGENT_LOAD] > 0)
        fprintf(file, "  %-22s %s\n", "  reached at", peak);
    print_kw(file, "peak of solar power", summary->pv_peak_kw);
    print_kw(file, "generators and offers", summary->generator_kw);
    print_kw(file, "flexible demand", summary->shiftable_kw);
    print_kw(file, "storage gives back", summary->discharge_kw);
    if (summary->storage_kwh > 0.0)
        fprintf(file, "  %-22s %.6g kWh\n", "storage holds", summary->storage_kwh);
    for (size_t i = 0; i < summary->n_warning; i++)
        fprintf(file, "warning   %s\n", summary->warning[i].text);
    if (summary->n_refused > SCENARIO_REFUSED)
        fprintf(file, "warning   %zu more devices cannot meet their own limits\n",
                summary->n_refused - SCENARIO_REFUSED);
    if (summary->n_warning_left_out > 0)
        fprintf(file, "warning   %zu more like these\n", summary->n_warning_left_out);
}
