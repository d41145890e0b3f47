/*
 * The linear system of one interior point iteration on a radial network: eliminated from the leaves
 * instead of as one dense matrix.
 *
 * Model    docs/mathematics.md, "Nested limits" and "Trees with voltages". What is behind a node is
 * seen from outside through a few `ports`: the prices there, lambda of kW in every step and of kvar
 * where voltages need it; the shadow prices of rows that fit no tree; and for each step with active
 * voltages at or behind the node, nu, the sum of their shadow prices, each times its scale. On the
 *          way into a node prices fall by drop · nu, and by the shadow prices G mu of limits of
 *          what flows in. What is behind answers H p + g to its ports p, H positive semidefinite:
 *              into a node   lambda_in = lambda_out - E nu + G mu; mu is eliminated
 *              where ways part  nu = Σ nu of each: all but one are eliminated
 *              at a slack    the voltage is fixed: nu is eliminated
 *          Every elimination is a Cholesky factorization of M = what H has there and the diagonal,
 *          with V = L^-1 (rest of H)ᵀ: H loses VᵀV, g gains Vᵀy, and later z = L^-T (y - V p).
 *          Without voltages this is the elimination of nested limits.
 * Cost     a node takes about n_port² operations, and what is eliminated there times as many.
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_MASTER_TREE_H
#define WALRAS_MARKET_MASTER_TREE_H

#include "market/rows.h"

#include <stdbool.h>

struct tree_range { /* of a list */
    size_t first, n;
};

struct tree_node {
    size_t parent;             /* the root is the last node: energy prices */
    bool slack;                /* nu ends here */
    bool bare;                 /* nothing but the rows of voltages of a bus, which is the parent */
    double drop_kw, drop_kvar; /* of prices, on the way in, per nu */
    struct tree_range zone;    /* buses of the problem that are here */
    struct tree_range flow;    /* rows of limits of what flows in */
    struct tree_range way;     /* rows of voltages; of a bare node */
    struct tree_range nu;      /* ports for these steps, rising */
    size_t slot;               /* of the matrices on the way to the root */
    bool first;                /* of the children of its parent */
    size_t port_first;         /* of gradient and price */
    size_t flow_across, flow_factor, nu_across, nu_factor; /* where V and L are */
    size_t n_shared; /* ports of nu that the parent has from other children already */
};

struct tree_zone {
    size_t bus;
    bool plain; /* its prices are lambda of kW, and there are no entries */
    struct tree_range entry;
};
struct tree_entry { /* the price of a zone in a step is the sum of these ports, weighted */
    size_t port;
    uint32_t step;
    double weight;
};
struct tree_flow {
    size_t row, port_kw, port_kvar; /* ports of its step; of kvar SIZE_MAX: none */
    double kw, kvar;                /* the column of G */
};
struct tree_way {
    size_t row, nu; /* which of the node's */
    double scale;   /* nu per mu */
};
struct tree_nu {
    uint32_t step;
    size_t of_parent; /* which of the parent's */
    size_t shared;    /* where among what is eliminated there; SIZE_MAX: passed on as it is */
};

struct master_tree {
    bool nested; /* the rows are of that kind, but for a few: the rest is valid */
    size_t n_step, n_port, n_node, n_slot;
    /* Of n_port ports that every node has: [n_step] kW, then kvar, then loose rows. */
    size_t *port_kvar; /* [n_step] SIZE_MAX: prices of kvar are 0 */
    size_t *loose;     /* [n_loose] rows, whose ports are the last */
    size_t n_loose;
    struct tree_node *nodes; /* [n_node] children before parents, subtrees together */
    struct tree_zone *zone;
    struct tree_entry *entry;
    struct tree_flow *flow;
    struct tree_way *way;
    struct tree_nu *nu;
    size_t most_ports, most_eliminated;
    /* What is factored: */
    double *across, *factor;   /* V and L of all eliminations */
    double **slot, *spare;     /* [n_slot] H [most_ports²], lower triangle, column major */
    double *column;            /* [most_ports] scratch */
    double *answer;            /* [n_step x n_step] scratch */
    double *root;              /* [n_port x n_port] */
    double *gradient, *price;  /* by node and port */
    double *y_flow, *y_nu, *z; /* by flow, by nu, scratch */
    size_t slot_room;
};

void master_tree_release(struct master_tree *tree);

/* Looks whether the rows are of that kind, and in which order to eliminate them. */
WALRAS_NODISCARD enum walras_status
master_tree_index(struct master_tree *tree, const struct market_rows *rows, struct walras_err *err);

/* What a bus adds to its answer [n_step x n_step], lower triangle, column major. */
typedef void (*master_tree_add)(void *context, size_t bus, double *answer);

/*
 * Factors. row_diagonal [n_row] is D; step_diagonal [n_step] is added at the root. Diagonals are
 * lifted by the factor 1 + lift. False when rounding has made the system indefinite.
 */
bool master_tree_factor(struct master_tree *tree, master_tree_add add, void *context,
                        const double *row_diagonal, const double *step_diagonal, double lift);

/* Solves in place: u [n_step + n_row]. */
void master_tree_solve(struct master_tree *tree, double *u);

/* What market_rows_price and market_rows_project are, in time that grows with the buses alone. */
void master_tree_price(struct master_tree *tree, const double *u, double *price);
void master_tree_project(struct master_tree *tree, const double *injection_kw, double *out);

#endif
