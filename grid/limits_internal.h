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

struct limits_losses {               /* rows of losses, in their order */
    const struct grid_losses *given; /* NULL: there are none */
    struct grid_limit *limit;        /* [n_row] */
    size_t n_row;
    uint32_t *node;    /* [n_node] 0, 1, 2, … */
    double **coef;     /* [n_row x n_step][n_node] NULL: not computed yet */
    size_t *own_bus;   /* [n_bus] the bus whose factors count */
    double *kw, *kvar; /* [n_bus] scratch */
    double *drawn_kw;  /* [n_tree] scratch */
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
    const double *tighten_kw; /* as given; NULL: no limit is tighter than it is */
    size_t n_tighten_step;
    struct limits_losses losses; /* behind the n_row of the model */
};

/* `row` counts from the first of the losses. */
double limits_loss_base(const struct limits_losses *losses, size_t row, size_t step);
WALRAS_NODISCARD enum walras_status limits_loss_values(struct grid_limits *limits, size_t step,
                                                       const double *injection_kw, double *value,
                                                       struct walras_err *err);
WALRAS_NODISCARD enum walras_status limits_loss_row(struct grid_limits *limits, size_t row,
                                                    size_t step, struct grid_row *out,
                                                    struct walras_err *err);
void limits_loss_effect(const struct limits_losses *losses, size_t row, size_t step, double *kw,
                        double *kvar);
void limits_losses_release(struct limits_losses *losses);

WALRAS_NODISCARD enum walras_status limits_check_scale(double rating_scale, struct walras_err *err);

/* An empty list with room for so many rows. */
WALRAS_NODISCARD enum walras_status limits_new(const struct grid_network *network, size_t most_rows,
                                               size_t n_node, size_t n_step,
                                               struct grid_limits **made, struct walras_err *err);
/* The lines in service, by active power. */
void limits_add_lines(struct grid_limits *limits, double rating_scale);

#endif
