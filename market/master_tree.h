/*
 * The linear system of one interior point iteration where active limits are nested, as those of a
 * radial network are: eliminated limit by limit from the leaves, instead of as one dense matrix.
 *
 * Model    A limit's row has one coefficient c for all buses behind it and 0 for the others; of two
 *          limits one lies behind the other or they share no bus. Behind a limit with rows A,
 * prices are  lambda_in = lambda_out + G mu_A, G one column -s c e_t a row. What is behind answers
 *          S lambda_in + q, S [n_step x n_step] (docs/mathematics.md, "Nested limits"):
 *              M = Gᵀ S G + D,   V = L^-1 (S G)ᵀ with M = L Lᵀ
 *              S_out = S - Vᵀ V,   q_out = q + Vᵀ y,   y = L^-1 (rhs_A - Gᵀ q)
 *              mu_A = L^-T (y - V lambda_out)
 *          The cost is that of one n_step x n_step matrix a limit, whatever the number of rows.
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_MASTER_TREE_H
#define WALRAS_MARKET_MASTER_TREE_H

#include "market/rows.h"

#include <stdbool.h>

struct tree_node {
    size_t parent, depth;    /* the root is the last node: energy prices, no rows */
    size_t bus;              /* the one right behind this limit; SIZE_MAX: none */
    size_t row_first, n_row; /* of tree->row */
    size_t factor_first;     /* of tree->factor: L [n_row x n_row] */
};

struct master_tree {
    bool nested;             /* the rows are of that kind: the rest is valid */
    struct tree_node *nodes; /* [n_node] children before parents, subtrees together */
    size_t n_node, n_depth, node_room;
    size_t *row;    /* [n_row] by node */
    double *coef;   /* [n_row] the entry of G */
    double *across; /* [n_row x n_step] V, one row after another */
    double *factor;
    double *y; /* [n_row] */
    size_t row_room, factor_room;
    double *stack;        /* [n_depth x n_step x n_step] S of the nodes on the way to the root */
    double *flow, *price; /* [n_node x n_step] q; lambda_in */
    size_t depth_room, flow_room;
    double *root; /* [n_step x n_step] */
    size_t *scratch, scratch_room;
};

void master_tree_release(struct master_tree *tree);

/* Looks whether the rows are nested, and in which order to eliminate them. */
WALRAS_NODISCARD enum walras_status
master_tree_index(struct master_tree *tree, const struct market_rows *rows, struct walras_err *err);

/* What a bus adds to S [n_step x n_step], lower triangle, column major. */
typedef void (*master_tree_add)(void *context, size_t bus, double *s);

/*
 * Factors. row_diagonal [n_row] is D; step_diagonal [n_step] is added at the root. Diagonals are
 * lifted by the factor 1 + lift. False when rounding has made the system indefinite.
 */
bool master_tree_factor(struct master_tree *tree, const struct market_rows *rows,
                        master_tree_add add, void *context, const double *row_diagonal,
                        const double *step_diagonal, double lift);

/* Solves in place: u [n_step + n_row]. */
void master_tree_solve(struct master_tree *tree, const struct market_rows *rows, double *u);

#endif
