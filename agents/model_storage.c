/*
 * Batteries and electric vehicles: e' = keep·e + Δ(η_c c − d/η_d). A step's block of columns is
 * charge, discharge, energy at its end.
 */
#include "agents/model_internal.h"

#include <math.h>

enum { CHARGE, DISCHARGE };

struct storage {
    size_t first, end; /* steps */
    double keep, charge_kw, discharge_kw, charge_efficiency, discharge_efficiency;
    double start_kwh, wear_per_mwh, wear_per_mw2h;
};

/* Adds a step's charge and discharge, and the balance that leads from the energy before. */
static size_t build_step(struct model_builder *build, const struct storage *storage, size_t t,
                         size_t before, double low_kwh, double high_kwh)
{
    double step_h = build->model->horizon.step_h, in = step_h * storage->charge_efficiency;
    double out = step_h / storage->discharge_efficiency;
    double wear = walras_mwh(1.0, step_h) * storage->wear_per_mwh;
    double square = walras_mw_from_kw(walras_mwh(1.0, step_h)) * storage->wear_per_mw2h;
    size_t charge, discharge, energy;
    bool is_first = t == storage->first;
    double from_start = is_first ? storage->keep * storage->start_kwh : 0.0;

    model_label(build, "charge", t);
    charge = model_column(build, 0.0, storage->charge_kw, wear);
    model_label(build, "discharge", t);
    discharge = model_column(build, 0.0, storage->discharge_kw, wear);
    model_label(build, "stored", t);
    energy = model_state(build, t, low_kwh, high_kwh, "kWh");
    build->model->first_column[t] = charge;
    model_draw(build, charge, t, 1.0);
    model_draw(build, discharge, t, -1.0);
    model_row(build, is_first ? 3 : 4, (size_t[]){energy, charge, discharge, before},
              (double[]){1.0, -in, out, -storage->keep}, from_start, from_start);
    /* no more than the other way makes room for */
    model_square(build, charge, 0.0, square,
                 fmin(storage->charge_kw, (high_kwh + out * storage->discharge_kw) / in));
    model_square(build, discharge, 0.0, square,
                 fmin(storage->discharge_kw, (high_kwh + in * storage->charge_kw) / out));
    return energy;
}

/*
 * c <= limit·y and d <= limit·(1 − y) for a step that was found to do both. The limits are what the
 * energy has room for, if that is less: what the solver takes for a whole y lets less pass.
 */
static void forbid_both(struct model_builder *build, size_t step)
{
    const struct agent_battery *battery = &build->model->device.battery;
    double step_h = build->model->horizon.step_h, room_kwh = battery->capacity_kwh;
    size_t charge = build->model->first_column[step] + CHARGE;
    size_t discharge = build->model->first_column[step] + DISCHARGE;
    double charge_kw = fmin(battery->charge_kw, room_kwh / (step_h * battery->charge_efficiency));
    double discharge_kw =
        fmin(battery->discharge_kw, room_kwh * battery->discharge_efficiency / step_h);
    size_t charging;

    model_label(build, "charging", step);
    charging = model_binary(build, 0.0);
    model_row(build, 2, (size_t[]){charge, charging}, (double[]){1.0, -charge_kw}, -HUGE_VAL, 0.0);
    model_row(build, 2, (size_t[]){discharge, charging}, (double[]){1.0, discharge_kw}, -HUGE_VAL,
              discharge_kw);
}

void model_build_battery(struct model_builder *build, const struct agent_battery *battery)
{
    const struct agent_horizon *horizon = &build->model->horizon;
    struct storage storage = {
        .end = horizon->n_step,
        .keep = model_kept(pow(1.0 - battery->loss_per_hour, horizon->step_h)),
        .charge_kw = battery->charge_kw,
        .discharge_kw = battery->discharge_kw,
        .charge_efficiency = battery->charge_efficiency,
        .discharge_efficiency = battery->discharge_efficiency,
        .start_kwh = battery->start_kwh,
        .wear_per_mwh = battery->wear_per_mwh,
        .wear_per_mw2h = battery->wear_per_mw2h,
    };
    size_t energy = SIZE_MAX;

    for (size_t t = 0; t < storage.end; t++) {
        bool is_last = t + 1 == storage.end;
        double low_kwh = is_last ? fmax(battery->min_kwh, battery->end_min_kwh) : battery->min_kwh;

        energy = build_step(build, &storage, t, energy, low_kwh, battery->capacity_kwh);
        if (battery->exclusive && build->model->whole)
            forbid_both(build, t);
    }
}

void model_build_ev(struct model_builder *build, const struct agent_ev *ev)
{
    bool soft = !isnan(ev->unserved_price_per_mwh);
    double wanted_kwh = ev->start_kwh + ev->energy_kwh;
    struct storage storage = {
        .first = ev->arrive,
        .end = ev->depart,
        .keep = 1.0,
        .charge_kw = ev->charge_kw,
        .discharge_kw = ev->discharge_kw,
        .charge_efficiency = ev->efficiency,
        .discharge_efficiency = ev->efficiency,
        .start_kwh = ev->start_kwh,
        .wear_per_mwh = ev->wear_per_mwh,
        .wear_per_mw2h = ev->wear_per_mw2h,
    };
    size_t energy = SIZE_MAX;

    for (size_t t = storage.first; t < storage.end; t++) {
        double low_kwh = t + 1 == storage.end && !soft ? wanted_kwh : 0.0;

        energy = build_step(build, &storage, t, energy, low_kwh, ev->capacity_kwh);
    }
    if (soft) {
        double per_kwh = walras_mwh(1.0, 1.0) * ev->unserved_price_per_mwh;
        size_t unserved;

        model_label(build, "unserved", AGENT_PROGRAM_NO_STEP);
        unserved = model_column(build, 0.0, HUGE_VAL, per_kwh);
        model_row(build, 2, (size_t[]){energy, unserved}, (double[]){1.0, 1.0}, wanted_kwh,
                  HUGE_VAL);
    }
}

bool model_does_both(const struct agent_model *model, size_t step)
{
    const struct agent_battery *battery = &model->device.battery;
    size_t first = model->first_column[step];

    return fmin(model->x[first + CHARGE], model->x[first + DISCHARGE]) >
           1e-9 * fmin(battery->charge_kw, battery->discharge_kw);
}

size_t model_refine_battery(struct model_builder *build)
{
    struct agent_model *model = build->model;
    size_t added = 0;

    for (size_t t = 0; model->device.battery.exclusive && t < model->horizon.n_step; t++) {
        if (model->exclusive[t] || !model_does_both(model, t))
            continue;
        forbid_both(build, t);
        model->exclusive[t] = true;
        added++;
    }
    return added;
}
