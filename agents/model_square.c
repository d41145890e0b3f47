/*
 * Quadratic costs of a column: coef · (x − at)², as a column of its own that lies above the tangents
 * added so far. Each solution is touched where it is, until the tangents leave nothing out.
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
    if (square->n_tangent == MODEL_TANGENTS)
        return false;
    square->tangent[square->n_tangent++] = part;
    model_row(build, 2, (size_t[]){square->cost, square->column}, (double[]){1.0, -slope},
              -units * part * part - slope * square->at, HUGE_VAL);
    return true;
}

void model_square(struct model_builder *build, size_t column, double at, double unit, double coef)
{
    struct agent_model *model = build->model;
    struct model_square *square = &model->squares[model->n_square];

    if (!(coef > 0.0) || build->status != WALRAS_OK)
        return;
    *square = (struct model_square){
        .column = column, .at = at, .unit = fmax(unit, 1e-9), .coef = coef};
    square->cost = model_column(build, 0.0, HUGE_VAL, coef * square->unit * square->unit / units);
    model->n_square++;
    for (int k = -2; k <= 2; k++)
        add_tangent(build, square, at + 0.5 * k * square->unit);
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
