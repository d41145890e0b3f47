/*
 * Quadratic costs of a column: coef · (x − at)², as a column of its own that lies above the
 * tangents added so far. Each solution is touched where it is, until the tangents leave nothing
 * out.
 */
#include "agents/model_internal.h"

#include <math.h>

/* Of the cost's column at unit: the solver's tolerances are absolute. */
static const double units = 1e3;

static bool add_tangent(struct model_builder *build, struct model_square *square, double at)
{
    double part = (at - square->at) / square->unit, slope = 2.0 * units * part / square->unit;

    for (size_t i = 0; i < square->n_tangent; i++)
        if (fabs(square->tangent[i] - part) <= 1e-8 * fmax(fabs(part), 1e-4))
            return false;
    if (square->n_tangent == SQUARE_TANGENTS)
        return false;
    square->tangent[square->n_tangent++] = part;
    model_row(build, 2, (size_t[]){square->cost, square->column}, (double[]){1.0, -slope},
              -units * part * part - slope * square->at, HUGE_VAL);
    return true;
}

void model_square(struct model_builder *build, size_t column, double at, double coef, double most)
{
    struct agent_model *model = build->model;
    struct model_square *square;
    double unit = isinf(most) ? 1.0 : fmax(most, 1e-9); /* a model that is elastic has no costs */

    if (build->status != WALRAS_OK || model->elastic || !agent_device_is_smooth(&model->device))
        return;
    if (model->whole) { /* coef · (x² − 2 at·x + at²) as it stands */
        model_whole_square(build, column, coef);
        model->own_cost[column] -= 2.0 * coef * at;
        model->firm_cost += coef * at * at;
        return;
    }
    square = &model->squares[model->n_square];
    *square = (struct model_square){.column = column, .at = at, .unit = unit, .coef = coef};
    square->cost =
        model_column(build, 0.0, isinf(most) ? HUGE_VAL : units, coef * unit * unit / units);
    model->n_square++;
    for (int k = 0; k < 10; k++, unit *= 0.5) { /* powers are >= 0, only temperatures are not */
        add_tangent(build, square, at + unit);
        if (model->device.type == AGENT_THERMAL)
            add_tangent(build, square, at - unit);
    }
}

/* What the true cost exceeds the tangents by. */
static double over_cost(const struct agent_model *model, const struct model_square *square)
{
    double part = (model->x[square->column] - square->at) / square->unit;

    return model->own_cost[square->cost] * (units * part * part - model->x[square->cost]);
}

size_t model_refine_squares(struct model_builder *build, double size, double *excess)
{
    struct agent_model *model = build->model;
    double exact = 1e-10 * size; /* over all squares */
    size_t n = model->n_square, added = 0;

    *excess = 0.0;
    for (size_t i = 0; i < n; i++)
        *excess += over_cost(model, &model->squares[i]);
    for (size_t i = 0; *excess > exact && i < n; i++)
        if (over_cost(model, &model->squares[i]) > exact / (double)n &&
            add_tangent(build, &model->squares[i], model->x[model->squares[i].column]))
            added++;
    return added;
}
