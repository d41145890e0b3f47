/* What is known of losses: shared by making it (losses.c) and learning (losses_learn.c). */
#ifndef WALRAS_SCENARIO_LOSSES_INTERNAL_H
#define WALRAS_SCENARIO_LOSSES_INTERNAL_H

#include "scenario/losses.h"

enum { LOSSES_MOST_TANGENTS = 60 }; /* of a tree and step */

/* The AC power flow of a step, as losses see it. */
struct loss_sample {
    double *kw, *kvar;               /* [n_bus] what decisions inject */
    double *factor_kw, *factor_kvar; /* [n_bus] marginal loss factors there */
    double *lost_kw;                 /* [n_tree] */
    double *constant_kw; /* [n_tree] of the tangent: lost_kw less factors x injections */
};

/* How what a tree draws in a step is told. */
struct loss_way {
    enum { LOSS_BY_TANGENTS, LOSS_BY_EQUATION, LOSS_FIXED } kind;
    unsigned n_try;    /* clearings by equation that were off */
    unsigned n_return; /* to tangents */
    bool renumbered;   /* since the plan that was noted last: its shadow prices are of others */
};

struct scenario_losses {
    const struct scenario *scenario;
    struct grid_losses given;
    struct grid_tangent tangents[LOSSES_MOST_TANGENTS]; /* arrays NULL: none yet */
    struct grid_tangent equation;
    size_t *n_tangent; /* [n_tree x n_step] so many of the tangents have that step */
    size_t *slack, *tree;
    bool *exact;
    struct loss_way *ways;       /* [n_tree x n_step] */
    double *size_kw, *most_kw;   /* [n_tree] */
    double *lost_kw;             /* [n_tree x n_step] by the plan that was noted last */
    double *share;               /* [n_tree x n_step] of what is lost, that it may be off by */
    double *fixed_kvar;          /* [n_bus x n_step] drawn whatever is decided */
    double *hold_v_pu;           /* [n_bus] */
    double *injection_kvar;      /* [n_bus] scratch */
    struct grid_powerflow *flow; /* for what is learned amid a clearing */
    struct loss_sample *samples; /* [n_step] of the plan that was noted last */
    struct loss_sample scratch;
};

WALRAS_NODISCARD enum walras_status losses_make_tangent(const struct scenario_losses *losses,
                                                        struct grid_tangent *out,
                                                        struct walras_err *err);
/* grid_losses.learn */
WALRAS_NODISCARD enum walras_status losses_learn_amid(void *self, const struct grid_point *point,
                                                      struct walras_err *err);

#endif
