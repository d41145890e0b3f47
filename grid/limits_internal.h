/*
 * What the models behind grid/limits.h have in common: the list of limits and the rows that are
 * kept. Only grid/limits*.c include this.
 */
#ifndef WALRAS_GRID_LIMITS_INTERNAL_H
#define WALRAS_GRID_LIMITS_INTERNAL_H

#include "grid/limits.h"

struct kept_row { /* bus NULL: not computed yet */
    size_t n;
    uint32_t *bus;
    double *coef;
};

struct limits_model { /* what differs; `self` is the model's own */
    void (*free)(void *self);
    double (*base)(void *self, size_t row, size_t step);
    enum walras_status (*values)(void *self, size_t step, const double *injection_kw, double *value,
                                 struct walras_err *err);
    /* All coefficients of a row, dense[n_node], zeroed before. */
    enum walras_status (*row)(void *self, size_t row, size_t step, double *dense,
                              struct walras_err *err);
    /* As grid_limits_effect; NULL: kvar change nothing. */
    void (*effect)(void *self, size_t row, double *kw, double *kvar);
};

struct grid_limits {
    const struct grid_network *network;
    struct grid_limit *limit;     /* [n_row] */
    size_t n_row, n_node, n_step; /* n_step: of rows that vary, else 1 */
    bool *varies;                 /* [n_row]; NULL: none does */
    size_t *worse;                /* [n_row] see grid_limits_worse; NULL: no voltages */
    struct kept_row *kept;        /* [n_row x n_step] */
    double *dense;                /* [n_node] scratch */
    const struct limits_model *model;
    void *self;
};

WALRAS_NODISCARD enum walras_status limits_check_scale(double rating_scale, struct walras_err *err);

/* An empty list with room for so many rows. */
WALRAS_NODISCARD enum walras_status limits_new(const struct grid_network *network, size_t most_rows,
                                               size_t n_node, size_t n_step,
                                               struct grid_limits **made, struct walras_err *err);
/* The lines in service, by active power. */
void limits_add_lines(struct grid_limits *limits, double rating_scale);

#endif
