#include "scenario/powerflow.h"

#include "core/units.h"
#include "scenario/put.h"

static double as_it_is(double value)
{
    return value;
}

static void put_values(struct walras_json_out *out, const char *key, const double *values, size_t n,
                       double (*convert)(double))
{
    walras_json_out_key(out, key);
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < n; i++)
        walras_json_out_number(out, convert(values[i]));
    walras_json_out_close(out, ']');
}

static void put_ids(struct walras_json_out *out, const struct grid_network *network, bool buses)
{
    size_t n = buses ? network->n_bus : network->n_line;

    walras_json_out_key(out, buses ? "bus" : "line");
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < n; i++)
        walras_json_out_text(out, buses ? network->buses[i].id : network->lines[i].id);
    walras_json_out_close(out, ']');
}

void scenario_powerflow_print_json(const struct scenario_powerflow *run, FILE *file)
{
    const struct grid_network *network = scenario_powerflow_network(run);
    const struct grid_powerflow_solution *s = &run->solution;
    struct walras_json_out out = walras_json_out_start(file, 1);

    walras_json_out_open(&out, '{');
    put_text(&out, "name", scenario_powerflow_name(run));
    if (run->of != SCENARIO_POWERFLOW_CASE)
        put_integer(&out, "step", (int64_t)run->step);
    put_ids(&out, network, true);
    put_values(&out, "vm_pu", s->vm_pu, network->n_bus, as_it_is);
    put_values(&out, "va_deg", s->va_rad, network->n_bus, walras_deg_from_rad);
    put_values(&out, "injection_mw", s->injection_kw, network->n_bus, walras_mw_from_kw);
    put_values(&out, "injection_mvar", s->injection_kvar, network->n_bus, walras_mw_from_kw);
    put_number(&out, "loss_mw", walras_mw_from_kw(s->loss_kw));
    put_number(&out, "loss_mvar", walras_mw_from_kw(s->loss_kvar));
    put_values(&out, "loss_mw_per_mw", run->loss_factor_kw, network->n_bus, as_it_is);
    put_values(&out, "loss_mw_per_mvar", run->loss_factor_kvar, network->n_bus, as_it_is);
    put_number(&out, "charging_mvar", walras_mw_from_kw(s->charging_kvar));
    put_number(&out, "shunt_mw", walras_mw_from_kw(s->shunt_kw));
    put_number(&out, "shunt_mvar", walras_mw_from_kw(s->shunt_kvar));
    put_ids(&out, network, false);
    put_values(&out, "from_mw", s->from_kw, network->n_line, walras_mw_from_kw);
    put_values(&out, "from_mvar", s->from_kvar, network->n_line, walras_mw_from_kw);
    put_values(&out, "to_mw", s->to_kw, network->n_line, walras_mw_from_kw);
    put_values(&out, "to_mvar", s->to_kvar, network->n_line, walras_mw_from_kw);
    put_integer(&out, "iterations", s->iterations);
    put_number(&out, "mismatch_mva", walras_mw_from_kw(s->mismatch_kva));
    walras_json_out_close(&out, '}');
    walras_json_out_end(&out);
}
