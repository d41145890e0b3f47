/*
 * Heat pumps and coolers: θ' = aθ + (1 − a)(θ_out + (±cop·p + gain)/U), a = exp(−UΔ/C).
 */
#include "agents/model_internal.h"

#include <math.h>

/* (1 − a)/U, kelvin per kW of heat over a step; its limit Δ/C when nothing leaks. */
static double kelvin_per_kw(const struct agent_thermal *thermal, double step_h)
{
    double u = thermal->conductance_kw_per_k, c = thermal->capacity_kwh_per_k;

    return u > 0.0 ? -expm1(-u * step_h / c) / u : step_h / c;
}

static size_t build_temperature(struct model_builder *build, const struct agent_thermal *thermal,
                                size_t t)
{
    double low_c = walras_series_at(thermal->min_c, t),
           high_c = walras_series_at(thermal->max_c, t);
    double cost_per_k = build->model->horizon.step_h * thermal->comfort_price_per_kh;
    size_t temperature, below, above;

    if (isnan(thermal->comfort_price_per_kh))
        return model_state(build, t, low_c, high_c, "°C");
    temperature = model_column(build, -HUGE_VAL, HUGE_VAL, 0.0);
    model_label(build, "below", t);
    below = model_column(build, 0.0, HUGE_VAL, cost_per_k);
    model_row(build, 2, (size_t[]){temperature, below}, (double[]){1.0, 1.0}, low_c, HUGE_VAL);
    model_label(build, "above", t);
    above = model_column(build, 0.0, HUGE_VAL, cost_per_k);
    model_row(build, 2, (size_t[]){temperature, above}, (double[]){1.0, -1.0}, -HUGE_VAL, high_c);
    return temperature;
}

static void add_discomfort(struct model_builder *build, const struct agent_thermal *thermal,
                           size_t t, size_t temperature)
{
    double target_c = agent_thermal_target_c(thermal, t);
    double off_k = fmax(fabs(walras_series_at(thermal->min_c, t) - target_c),
                        fabs(walras_series_at(thermal->max_c, t) - target_c));
    bool soft = !isnan(thermal->comfort_price_per_kh);

    model_square(build, temperature, target_c,
                 build->model->horizon.step_h * thermal->discomfort_per_k2h,
                 soft ? HUGE_VAL : off_k);
}

void model_build_thermal(struct model_builder *build, const struct agent_thermal *thermal)
{
    const struct agent_horizon *horizon = &build->model->horizon;
    double kelvin = kelvin_per_kw(thermal, horizon->step_h);
    double outward = kelvin * thermal->conductance_kw_per_k,
           keep = model_kept(exp(-thermal->conductance_kw_per_k * horizon->step_h /
                                 thermal->capacity_kwh_per_k)); /* 1 − a, a */
    double sign = thermal->cool ? -1.0 : 1.0;
    size_t before = SIZE_MAX;

    for (size_t t = 0; t < horizon->n_step; t++) {
        size_t draw, after;
        double drift = outward * walras_series_at(thermal->outdoor_c, t) +
                       kelvin * walras_series_at(thermal->gain_kw, t) +
                       (t == 0 ? keep * thermal->start_c : 0.0);

        model_label(build, "power", t);
        draw = model_column(build, 0.0, thermal->max_kw, 0.0);
        model_draw(build, draw, t, 1.0);
        model_label(build, "room", t);
        after = build_temperature(build, thermal, t);
        add_discomfort(build, thermal, t, after);
        model_label(build, "heat", t);
        model_row(build, t == 0 ? 2 : 3, (size_t[]){after, draw, before},
                  (double[]){1.0, -sign * kelvin * walras_series_at(thermal->cop, t), -keep}, drift,
                  drift);
        before = after;
    }
}
