/*
 * Generators. A step's block of columns is the output, then the quadratic cost if there is one,
 * then on, start and stop if it is committed, then the output of each segment.
 *
 * Commitment: on_t − on_{t−1} = start_t − stop_t; a start in the last min_up steps keeps it on, a
 * stop in the last min_down steps keeps it off (Rajan and Takriti, Minimum up/down polytopes of the
 * unit commitment problem with start-up costs, 2005): start and stop need not be integer.
 * Quadratic cost: cost >= its tangents; when committed,
 * tangents are lifted by `on`, so that they pass through 0 when it is off.
 */
#include "agents/model_internal.h"

#include <math.h>

enum { ON, START, STOP };

static bool is_quadratic(const struct agent_generator *generator)
{
    return !generator->segments && generator->per_mw2h > 0.0;
}

/* The cost's column is above tangents; in a program that is written out the square itself stands.
 */
static bool touches(const struct agent_model *model)
{
    return is_quadratic(&model->device.generator) && !model->whole;
}

/* The largest output either way. */
static double full_kw(const struct agent_generator *generator)
{
    return fmax(fmax(fabs(generator->min_kw), fabs(generator->max_kw)), 1e-9);
}

/*
 * Currency an hour of one unit of the quadratic cost's column: a thousandth of the cost at unit_kw,
 * which is near the outputs to expect. The solver's tolerances are absolute.
 */
static const double units = 1e3;

static double unit_cost_per_h(const struct agent_model *model)
{
    double unit_mw = walras_mw_from_kw(model->unit_kw);

    return model->device.generator.per_mw2h * unit_mw * unit_mw / units;
}

static size_t commitment(const struct agent_model *model, size_t step, size_t which)
{
    return model->first_column[step] + 1 + (touches(model) ? 1 : 0) + which;
}

/* True when no tangent is there yet. */
static bool add_tangent(struct model_builder *build, size_t step, double at_kw)
{
    struct agent_model *model = build->model;
    const struct agent_generator *generator = &model->device.generator;
    double *touched = model->tangent_kw + step * MODEL_TANGENTS;
    double unit = model->unit_kw, at = at_kw / unit;
    size_t output = model->first_column[step];

    for (size_t i = 0; i < model->n_tangent[step]; i++)
        if (fabs(touched[i] - at_kw) <= 1e-8 * fmax(fabs(at_kw), 1e-4 * unit))
            return false;
    if (model->n_tangent[step] == MODEL_TANGENTS)
        return false;
    touched[model->n_tangent[step]++] = at_kw;
    if (generator->committed)
        model_row(build, 3, (size_t[]){output + 1, output, commitment(model, step, ON)},
                  (double[]){1.0, -2.0 * units * at / unit, units * at * at}, 0.0, HUGE_VAL);
    else
        model_row(build, 2, (size_t[]){output + 1, output},
                  (double[]){1.0, -2.0 * units * at / unit}, -units * at * at, HUGE_VAL);
    return true;
}

/* The sum of the segments is the output; one that is off uses none of any. */
static void build_segments(struct model_builder *build, const struct agent_generator *generator,
                           size_t step)
{
    struct agent_model *model = build->model;
    double mwh_per_kw = walras_mwh(1.0, model->horizon.step_h);
    size_t n = generator->n_segment;
    size_t *columns = model->row_column;
    double *coefs = model->row_coef;

    model_label(build, "segment", step);
    for (size_t i = 0; i < n; i++) {
        double width_kw = generator->segments[i].width_kw;

        columns[i] =
            model_column(build, 0.0, width_kw, mwh_per_kw * generator->segments[i].price_per_mwh);
        coefs[i] = 1.0;
        if (generator->committed)
            model_row(build, 2, (size_t[]){columns[i], commitment(model, step, ON)},
                      (double[]){1.0, -width_kw}, -HUGE_VAL, 0.0);
    }
    columns[n] = model->first_column[step];
    coefs[n] = -1.0;
    model_label(build, "output", step);
    model_row(build, n + 1, columns, coefs, 0.0, 0.0);
}

static void build_output(struct model_builder *build, const struct agent_generator *generator,
                         size_t step)
{
    struct agent_model *model = build->model;
    double step_h = model->horizon.step_h, low_kw = generator->committed ? 0.0 : generator->min_kw;
    double cost_per_kw = generator->segments ? 0.0 : walras_mwh(1.0, step_h) * generator->per_mwh;
    double per_h = generator->segments ? 0.0 : generator->per_h;
    double most = full_kw(generator) / model->unit_kw; /* no tangent is above the cost */

    model_label(build, "output", step);
    model->first_column[step] = model_column(build, low_kw, generator->max_kw, cost_per_kw);
    model_draw(build, model->first_column[step], step, -1.0);
    if (touches(model))
        model_column(build, 0.0, units * most * most, step_h * unit_cost_per_h(model));
    else if (is_quadratic(generator))
        model_whole_square(build, model->first_column[step],
                           step_h * generator->per_mw2h * walras_mw_from_kw(1.0) *
                               walras_mw_from_kw(1.0));
    if (generator->committed) {
        model_label(build, "on", step);
        model_binary(build, step_h * per_h);
        model_label(build, "start", step);
        model_column(build, 0.0, 1.0, generator->start_cost);
        model_label(build, "stop", step);
        model_column(build, 0.0, 1.0, 0.0);
    } else {
        model->firm_cost += step_h * per_h;
    }
    if (generator->segments)
        build_segments(build, generator, step);
    if (touches(model)) {
        add_tangent(build, step, generator->min_kw);
        add_tangent(build, step, 0.5 * (generator->min_kw + generator->max_kw));
        add_tangent(build, step, generator->max_kw);
    }
}

/* on_t >= the starts (or 1 − on_t >= the stops) of the last `steps` steps, this one included. */
static void build_hold(struct model_builder *build, size_t step, size_t steps, size_t which)
{
    struct agent_model *model = build->model;
    size_t n = 0, first = steps > step ? 0 : step + 1 - steps;

    for (size_t s = first; s <= step; s++) {
        model->row_column[n] = commitment(model, s, which);
        model->row_coef[n++] = 1.0;
    }
    model_label(build, which == START ? "up" : "down", step);
    model->row_column[n] = commitment(model, step, ON);
    model->row_coef[n++] = which == START ? -1.0 : 1.0;
    model_row(build, n, model->row_column, model->row_coef, -HUGE_VAL, which == START ? 0.0 : 1.0);
}

static void build_commitment(struct model_builder *build, const struct agent_generator *generator,
                             size_t step)
{
    const struct agent_model *model = build->model;
    size_t on = commitment(model, step, ON), output = model->first_column[step];
    double was_on = step == 0 && generator->on_at_start ? 1.0 : 0.0;
    size_t before = step == 0 ? SIZE_MAX : commitment(model, step - 1, ON);

    model_label(build, "range", step);
    model_row(build, 2, (size_t[]){output, on}, (double[]){1.0, -generator->max_kw}, -HUGE_VAL,
              0.0);
    model_row(build, 2, (size_t[]){output, on}, (double[]){1.0, -generator->min_kw}, 0.0, HUGE_VAL);
    model_label(build, "on", step);
    model_row(build, step == 0 ? 3 : 4,
              (size_t[]){on, commitment(model, step, START), commitment(model, step, STOP), before},
              (double[]){1.0, -1.0, 1.0, -1.0}, was_on, was_on);
    build_hold(build, step, generator->min_up_steps > 1 ? generator->min_up_steps : 1, START);
    build_hold(build, step, generator->min_down_steps > 1 ? generator->min_down_steps : 1, STOP);
}

/*
 * |g_t − g_{t−1}| <= ramp while it is on; a start or stop may reach min_kw even if that is more
 * than the ramp, or it could never run.
 */
static void build_ramp(struct model_builder *build, const struct agent_generator *generator,
                       size_t step)
{
    const struct agent_model *model = build->model;
    double ramp_kw = generator->ramp_kw_per_h * model->horizon.step_h;
    double jump_kw = fmax(generator->min_kw, ramp_kw);
    size_t now = model->first_column[step], before = model->first_column[step - 1];

    model_label(build, "ramp", step);
    if (!generator->committed) {
        model_row(build, 2, (size_t[]){now, before}, (double[]){1.0, -1.0}, -ramp_kw, ramp_kw);
        return;
    }
    model_row(
        build, 4,
        (size_t[]){now, before, commitment(model, step - 1, ON), commitment(model, step, START)},
        (double[]){1.0, -1.0, -ramp_kw, -jump_kw}, -HUGE_VAL, 0.0);
    model_row(build, 4,
              (size_t[]){before, now, commitment(model, step, ON), commitment(model, step, STOP)},
              (double[]){1.0, -1.0, -ramp_kw, -jump_kw}, -HUGE_VAL, 0.0);
}

void model_build_generator(struct model_builder *build, const struct agent_generator *generator)
{
    size_t n_step = build->model->horizon.n_step;

    if (!(build->model->unit_kw > 0.0))
        build->model->unit_kw = full_kw(generator);
    for (size_t t = 0; t < n_step; t++) {
        build_output(build, generator, t);
        if (generator->committed)
            build_commitment(build, generator, t);
        if (t > 0 && isfinite(generator->ramp_kw_per_h))
            build_ramp(build, generator, t);
    }
}

/* The output that these prices call for when there is no ramp limit. */
static double wanted_kw(const struct agent_generator *generator, double price_per_mwh)
{
    double wanted =
        walras_kw_from_mw((price_per_mwh - generator->per_mwh) / (2.0 * generator->per_mw2h));

    return fmin(fmax(wanted, generator->min_kw), generator->max_kw);
}

void model_expect_generator(struct model_builder *build, const double *price_per_mwh)
{
    static const double far = 10.0;
    struct agent_model *model = build->model;
    const struct agent_generator *generator = &model->device.generator;
    double largest_kw = 0.0;

    if (!is_quadratic(generator))
        return;
    for (size_t t = 0; t < model->horizon.n_step; t++)
        largest_kw = fmax(largest_kw, fabs(wanted_kw(generator, price_per_mwh[t])));
    if (largest_kw > 0.0 &&
        (largest_kw > far * model->unit_kw || far * largest_kw < model->unit_kw)) {
        model->unit_kw = largest_kw;
        build->status = model_build(model, build->err);
    }
    for (size_t t = 0; t < model->horizon.n_step; t++)
        add_tangent(build, t, wanted_kw(generator, price_per_mwh[t]));
}

/* What the true cost of a step exceeds the tangents by. */
static double over_cost(const struct agent_model *model, size_t step)
{
    size_t output = model->first_column[step];
    double part = model->x[output] / model->unit_kw;

    return model->horizon.step_h * unit_cost_per_h(model) *
           (units * part * part - model->x[output + 1]);
}

size_t model_refine_generator(struct model_builder *build, double size, double *excess)
{
    const struct agent_model *model = build->model;
    double exact = 1e-10 * size; /* over all steps */
    size_t n_step = model->horizon.n_step, added = 0;

    *excess = 0.0;
    if (!is_quadratic(&model->device.generator))
        return 0;
    for (size_t t = 0; t < n_step; t++)
        *excess += over_cost(model, t);
    for (size_t t = 0; *excess > exact && t < n_step; t++)
        if (over_cost(model, t) > exact / (double)n_step &&
            add_tangent(build, t, model->x[model->first_column[t]]))
            added++;
    return added;
}
