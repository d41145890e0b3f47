#include "grid/limits_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void limits_losses_release(struct limits_losses *losses)
{
    for (size_t i = 0; losses->coef && i < losses->n_row * losses->given->n_step; i++)
        free(losses->coef[i]);
    free(losses->coef);
    free(losses->limit);
    free(losses->node);
    free(losses->own_bus);
    free(losses->kw);
    *losses = (struct limits_losses){0};
}

static size_t tree_of_row(const struct limits_losses *losses, size_t row)
{
    return row % losses->given->n_tree;
}

/* The tangent that a row is of in a step; NULL: it says nothing there. */
static const struct grid_tangent *tangent_of(const struct limits_losses *losses, size_t row,
                                             size_t step)
{
    const struct grid_losses *given = losses->given;
    size_t at = tree_of_row(losses, row) * given->n_step + step, k = row / given->n_tree;
    const struct grid_tangent *tangent = k == 0 ? given->equation : &given->tangents[k - 1];

    if (given->exact[at] != (k == 0) || !tangent->loss_kw || isnan(tangent->loss_kw[at]))
        return NULL;
    return tangent;
}

double limits_loss_base(const struct limits_losses *losses, size_t row, size_t step)
{
    const struct grid_tangent *tangent = tangent_of(losses, row, step);

    return tangent ? -tangent->loss_kw[tree_of_row(losses, row) * losses->given->n_step + step]
                   : 0.0;
}

void limits_loss_effect(const struct limits_losses *losses, size_t row, size_t step, double *kw,
                        double *kvar)
{
    const struct grid_losses *given = losses->given;
    const struct grid_tangent *tangent = tangent_of(losses, row, step);

    for (size_t b = 0; b < given->n_bus; b++) {
        bool within = tangent && given->tree[b] == tree_of_row(losses, row);

        kw[b] = within ? -tangent->kw[b * given->n_step + step] : 0.0;
        kvar[b] = within ? -tangent->kvar[b * given->n_step + step] : 0.0;
    }
}

/* The coefficients of a row at the nodes, found once. NULL: there is no memory. */
static const double *coefs_of(struct grid_limits *limits, size_t row, size_t step)
{
    struct limits_losses *losses = &limits->losses;
    size_t first_drawer = limits->n_node - losses->given->n_tree;
    double **kept = &losses->coef[row * losses->given->n_step + step];

    if (*kept)
        return *kept;
    *kept = calloc(limits->n_node, sizeof(**kept));
    if (!*kept)
        return NULL;
    limits_loss_effect(losses, row, step, losses->kw, losses->kvar);
    for (size_t i = 0; i < first_drawer; i++) {
        struct grid_unit unit = grid_limits_unit(limits, i, step);
        size_t bus = losses->own_bus[grid_limits_bus(limits, i)];

        (*kept)[i] = unit.kw * losses->kw[bus] + unit.kvar * losses->kvar[bus];
    }
    (*kept)[first_drawer + tree_of_row(losses, row)] = -1.0;
    return *kept;
}

enum walras_status limits_loss_row(struct grid_limits *limits, size_t row, size_t step,
                                   struct grid_row *out, struct walras_err *err)
{
    *out = (struct grid_row){.bus = limits->losses.node};
    if (!tangent_of(&limits->losses, row, step))
        return WALRAS_OK;
    out->n = limits->n_node;
    out->coef = coefs_of(limits, row, step);
    return out->coef ? WALRAS_OK
                     : walras_fail(err, WALRAS_NOMEM, "no memory for %zu loss factors", out->n);
}

enum walras_status limits_loss_values(struct grid_limits *limits, size_t step,
                                      const double *injection_kw, double *value,
                                      struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t r = 0; r < limits->losses.n_row && status == WALRAS_OK; r++) {
        struct grid_row row;

        status = limits_loss_row(limits, r, step, &row, err);
        value[r] = limits_loss_base(&limits->losses, r, step);
        for (size_t i = 0; i < row.n && status == WALRAS_OK; i++)
            value[r] += row.coef[i] * injection_kw[i];
    }
    return status;
}

enum walras_status grid_limits_learn(struct grid_limits *limits, size_t step,
                                     const double *injection_kw, struct walras_err *err)
{
    struct limits_losses *losses = &limits->losses;
    const struct grid_losses *given = losses->given;
    struct grid_point point = {step, losses->kw, losses->kvar, losses->drawn_kw};
    size_t first_drawer = 0;

    if (!given)
        return WALRAS_OK;
    first_drawer = limits->n_node - given->n_tree;
    memset(losses->kw, 0, given->n_bus * sizeof(*losses->kw));
    memset(losses->kvar, 0, given->n_bus * sizeof(*losses->kvar));
    for (size_t i = 0; i < first_drawer; i++) {
        struct grid_unit unit = grid_limits_unit(limits, i, step);
        size_t bus = losses->own_bus[grid_limits_bus(limits, i)];

        losses->kw[bus] += unit.kw * injection_kw[i];
        losses->kvar[bus] += unit.kvar * injection_kw[i];
    }
    for (size_t j = 0; j < given->n_tree; j++)
        losses->drawn_kw[j] = -injection_kw[first_drawer + j];
    return given->learn(given->self, &point, err);
}

/* Terminals of inverters have the factors of the buses that they are behind. */
static void find_own_buses(struct grid_limits *limits)
{
    const struct grid_network *network = limits->network;
    size_t *own = limits->losses.own_bus;

    for (size_t b = 0; b < network->n_bus; b++)
        own[b] = b;
    for (size_t l = 0; l < network->n_line; l++)
        if (network->lines[l].terminal)
            own[network->lines[l].to] = network->lines[l].from;
}

static void put_limits(struct grid_limits *limits)
{
    struct limits_losses *losses = &limits->losses;

    for (size_t r = 0; r < losses->n_row; r++) {
        size_t tree = tree_of_row(losses, r), k = r / losses->given->n_tree;

        losses->limit[r] = (struct grid_limit){.kind = GRID_LIMIT_LOSS,
                                               .index = losses->given->slack[tree],
                                               .side = (unsigned)k,
                                               .high = k > 0 ? (double)INFINITY : 0.0,
                                               .size = losses->given->size_kw[tree]};
    }
    for (size_t i = 0; i < limits->n_node; i++)
        losses->node[i] = (uint32_t)i;
}

enum walras_status grid_limits_add_losses(struct grid_limits *limits,
                                          const struct grid_losses *given, struct walras_err *err)
{
    struct limits_losses *losses = &limits->losses;
    size_t n_bus = limits->network->n_bus;
    double *dense = NULL;

    losses->given = given;
    losses->n_row = (given->n_tangent + 1) * given->n_tree;
    if (limits->n_node == n_bus) /* a model without further nodes */
        limits->n_node += given->n_tree;
    dense = realloc(limits->dense, limits->n_node * sizeof(*dense));
    limits->dense = dense ? dense : limits->dense;
    losses->limit = calloc(losses->n_row, sizeof(*losses->limit));
    losses->node = calloc(limits->n_node, sizeof(*losses->node));
    losses->coef = calloc(losses->n_row * given->n_step, sizeof(*losses->coef));
    losses->own_bus = calloc(n_bus, sizeof(*losses->own_bus));
    losses->kw = calloc(2 * n_bus + given->n_tree, sizeof(*losses->kw));
    if (!dense || !losses->limit || !losses->node || !losses->coef || !losses->own_bus ||
        !losses->kw)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the losses of %zu nodes",
                           limits->n_node);
    losses->kvar = losses->kw + n_bus;
    losses->drawn_kw = losses->kw + 2 * n_bus;
    put_limits(limits);
    find_own_buses(limits);
    return WALRAS_OK;
}
