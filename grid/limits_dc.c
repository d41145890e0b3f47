#include "grid/dc_internal.h"
#include "grid/limits_internal.h"

#include <stdlib.h>

struct dc_limits {
    struct grid_limits *limits; /* whose rows these are */
    double *kw_per_rad;         /* [n_row] of the line */
    double *base;               /* [n_row] */
    struct grid_dc *dc;
};

static void free_dc(void *self)
{
    struct dc_limits *own = self;

    grid_dc_free(own->dc);
    free(own->kw_per_rad);
    free(own->base);
    free(own);
}

static const struct grid_line *line_of(const struct dc_limits *own, size_t row)
{
    return &own->limits->network->lines[own->limits->limit[row].index];
}

/* Flow of a line at the angles that stand, but for its shift. */
static double flow_of(const struct dc_limits *own, size_t row)
{
    const struct grid_line *line = line_of(own, row);

    return own->kw_per_rad[row] *
           (grid_dc_angle(own->dc, line->from) - grid_dc_angle(own->dc, line->to));
}

static double base_of(void *self, size_t row, size_t step)
{
    const struct dc_limits *own = self;

    (void)step;
    return own->base[row];
}

static enum walras_status values(void *self, size_t step, const double *injection_kw, double *value,
                                 struct walras_err *err)
{
    struct dc_limits *own = self;

    (void)step;
    grid_dc_clear(own->dc);
    for (size_t b = 0; b < own->limits->network->n_bus; b++)
        grid_dc_add(own->dc, b, injection_kw[b]);
    enum walras_status status = grid_dc_solve(own->dc, err);

    for (size_t r = 0; r < own->limits->n_row && status == WALRAS_OK; r++)
        value[r] = own->base[r] + flow_of(own, r);
    return status;
}

static enum walras_status row(void *self, size_t index, size_t step, double *dense,
                              struct walras_err *err)
{
    struct dc_limits *own = self;
    const struct grid_line *line = line_of(own, index);

    (void)step;
    grid_dc_clear(own->dc);
    grid_dc_add(own->dc, line->from, own->kw_per_rad[index]);
    grid_dc_add(own->dc, line->to, -own->kw_per_rad[index]);
    enum walras_status status = grid_dc_solve(own->dc, err);

    for (size_t b = 0; b < own->limits->network->n_bus && status == WALRAS_OK; b++)
        dense[b] = grid_dc_angle(own->dc, b);
    return status;
}

static const struct limits_model dc_model = {free_dc, base_of, values, row, NULL};

/* What the phase shifters drive when nobody injects: their flows, and the angles that answer. */
static enum walras_status find_base(struct dc_limits *own, struct walras_err *err)
{
    size_t n_row = own->limits->n_row;

    grid_dc_clear(own->dc);
    for (size_t r = 0; r < n_row; r++) {
        const struct grid_line *line = line_of(own, r);
        double driven_kw = own->kw_per_rad[r] * line->shift_rad;

        grid_dc_add(own->dc, line->from, driven_kw);
        grid_dc_add(own->dc, line->to, -driven_kw);
    }
    enum walras_status status = grid_dc_solve(own->dc, err);

    for (size_t r = 0; r < n_row && status == WALRAS_OK; r++)
        own->base[r] = flow_of(own, r) - own->kw_per_rad[r] * line_of(own, r)->shift_rad;
    return status;
}

static enum walras_status make_own(struct grid_limits *limits, struct walras_err *err)
{
    struct dc_limits *own = calloc(1, sizeof(*own));
    enum walras_status status = WALRAS_OK;

    if (!own)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the limits of the network");
    own->limits = limits;
    limits->self = own;
    limits->model = &dc_model;
    own->kw_per_rad = calloc(limits->n_row + 1, sizeof(*own->kw_per_rad));
    own->base = calloc(limits->n_row + 1, sizeof(*own->base));
    if (!own->kw_per_rad || !own->base)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the limits of %zu lines",
                           limits->n_row);
    for (size_t r = 0; r < limits->n_row; r++)
        own->kw_per_rad[r] = grid_dc_kw_per_rad(limits->network, line_of(own, r));
    status = grid_dc_new(limits->network, &own->dc, err);
    return status == WALRAS_OK ? find_base(own, err) : status;
}

static enum walras_status check_one_slack(const struct grid_network *network,
                                          struct walras_err *err)
{
    for (size_t b = 0; b < network->n_bus; b++)
        if (b != network->slack && grid_network_is_slack(network, b))
            return walras_fail(err, WALRAS_INVALID,
                               "bus %s: a second slack bus needs the model lindistflow",
                               network->buses[b].id);
    return WALRAS_OK;
}

enum walras_status grid_limits_dc(const struct grid_network *network, double rating_scale,
                                  struct grid_limits **made, struct walras_err *err)
{
    struct grid_limits *limits = NULL;
    enum walras_status status = limits_check_scale(rating_scale, err);

    if (status == WALRAS_OK)
        status = check_one_slack(network, err);
    if (status == WALRAS_OK)
        status = limits_new(network, network->n_line, network->n_bus, 1, &limits, err);
    if (status != WALRAS_OK)
        return status;
    limits_add_lines(limits, rating_scale);
    status = make_own(limits, err);
    if (status == WALRAS_OK)
        *made = limits;
    else
        grid_limits_free(limits);
    return status;
}
