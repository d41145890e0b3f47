#include "agents/model_internal.h"

#include <math.h>
#include <stdlib.h>

static void *grow(void *array, size_t n, size_t *room, size_t size)
{
    size_t larger = n + 1 > *room ? 2 * n + 16 : *room;
    void *moved = larger > *room ? realloc(array, larger * size) : array;

    if (moved)
        *room = larger;
    return moved;
}

static void fail_no_memory(struct model_builder *build)
{
    build->status = walras_fail(build->err, WALRAS_NOMEM, "cannot make a model of %zu columns",
                                build->model->n_column);
}

void model_label(struct model_builder *build, const char *what, size_t step)
{
    build->column_label = build->row_label =
        (struct agent_program_label){.what = what, .step = step};
}

/* What only a program that is written out knows of a column. */
static bool describe_column(struct model_builder *build, size_t room)
{
    struct agent_model *model = build->model;
    double *square = realloc(model->square, room * sizeof(*square));
    struct agent_program_label *label;

    model->square = square ? square : model->square;
    label = realloc(model->column_label, room * sizeof(*label));
    model->column_label = label ? label : model->column_label;
    if (!square || !label)
        return false;
    square[model->n_column] = 0.0;
    label[model->n_column] = build->column_label;
    build->column_label.part++;
    return true;
}

/* cost and x follow when the model is made. */
static void remember_own_cost(struct model_builder *build, double own_cost)
{
    struct agent_model *model = build->model;
    double *grown = grow(model->own_cost, model->n_column, &model->column_room, sizeof(*grown));

    model->own_cost = grown ? grown : model->own_cost;
    if (!grown || (model->whole && !describe_column(build, model->column_room))) {
        fail_no_memory(build);
        return;
    }
    model->own_cost[model->n_column++] = own_cost;
}

void model_whole_square(struct model_builder *build, size_t column, double cost)
{
    if (build->status == WALRAS_OK)
        build->model->square[column] += cost;
}

size_t model_column(struct model_builder *build, double low, double high, double own_cost)
{
    size_t column = SIZE_MAX;

    if (build->status == WALRAS_OK)
        build->status =
            lp_add_columns(build->model->lp, 1, &low, &high, &(double){0.0}, &column, build->err);
    if (build->status == WALRAS_OK)
        remember_own_cost(build, own_cost);
    return column;
}

void model_adopt_columns(struct model_builder *build)
{
    const struct lp *lp = build->model->lp;

    for (size_t j = 0; j < lp_columns(lp) && build->status == WALRAS_OK; j++)
        remember_own_cost(build, lp_cost(lp, j));
}

size_t model_binary(struct model_builder *build, double own_cost)
{
    struct agent_model *model = build->model;
    size_t column = model_column(build, 0.0, 1.0, own_cost);
    size_t *grown = grow(model->binary, model->n_binary, &model->binary_room, sizeof(*grown));

    if (!grown) {
        fail_no_memory(build);
        return column;
    }
    model->binary = grown;
    if (build->status == WALRAS_OK)
        build->status = lp_set_integer(model->lp, column, build->err);
    if (build->status == WALRAS_OK)
        model->binary[model->n_binary++] = column;
    return column;
}

void model_hold(struct model_builder *build, bool hold)
{
    struct agent_model *model = build->model;

    if (model->n_binary == 0 || hold == model->held)
        return;
    for (size_t i = 0; i < model->n_binary && build->status == WALRAS_OK; i++) {
        size_t j = model->binary[i];

        build->status = lp_set_column_bounds(model->lp, j, hold ? model->x[j] : 0.0,
                                             hold ? model->x[j] : 1.0, build->err);
    }
    model->held = hold;
}

void model_draw(struct model_builder *build, size_t column, size_t step, double coef)
{
    struct agent_model *model = build->model;
    struct agent_program_draw *grown;

    if (build->status != WALRAS_OK)
        return;
    grown = grow(model->terms, model->n_term, &model->term_room, sizeof(*grown));
    if (!grown) {
        fail_no_memory(build);
        return;
    }
    model->terms = grown;
    model->terms[model->n_term++] =
        (struct agent_program_draw){.column = column, .step = step, .coef = coef};
}

static void remember_row(struct model_builder *build)
{
    struct agent_model *model = build->model;
    struct agent_program_label *grown =
        grow(model->row_label, model->n_row, &model->row_label_room, sizeof(*grown));

    if (!grown) {
        fail_no_memory(build);
        return;
    }
    model->row_label = grown;
    model->row_label[model->n_row++] = build->row_label;
    build->row_label.part++;
}

void model_row(struct model_builder *build, size_t n, const size_t *column, const double *coef,
               double low, double high)
{
    if (build->status == WALRAS_OK)
        build->status = lp_add_row(build->model->lp, n, column, coef, low, high, NULL, build->err);
    if (build->status == WALRAS_OK && build->model->whole)
        remember_row(build);
}

static void remember_need(struct model_builder *build, struct model_need need)
{
    struct agent_model *model = build->model;
    struct model_need *grown = grow(model->needs, model->n_need, &model->need_room, sizeof(*grown));

    if (!grown) {
        fail_no_memory(build);
        return;
    }
    model->needs = grown;
    model->needs[model->n_need++] = need;
}

size_t model_state(struct model_builder *build, size_t step, double low, double high,
                   const char *unit)
{
    size_t state, below, above;

    if (!build->model->elastic && low <= high)
        return model_column(build, low, high, 0.0);
    state = model_column(build, -HUGE_VAL, HUGE_VAL, 0.0);
    below = model_column(build, 0.0, HUGE_VAL, 1.0);
    above = model_column(build, 0.0, HUGE_VAL, 1.0);
    if (!build->model->elastic) { /* bounds that hold no number: infeasible, not misuse */
        model_row(build, 1, &state, &(double){1.0}, low, HUGE_VAL);
        model_row(build, 1, &state, &(double){1.0}, -HUGE_VAL, high);
        return state;
    }
    model_row(build, 2, (size_t[]){state, below}, (double[]){1.0, 1.0}, low, HUGE_VAL);
    model_row(build, 2, (size_t[]){state, above}, (double[]){1.0, -1.0}, -HUGE_VAL, high);
    if (build->status == WALRAS_OK)
        remember_need(build, (struct model_need){step, state, low, high, unit});
    return state;
}
