/*
 * What the finders of trees have found (market/tree_nested.c, market/tree_radial.c), before it is
 * put in the order of elimination (market/tree_order.c). Only the files of the tree include this.
 */
#ifndef WALRAS_MARKET_TREE_DRAFT_H
#define WALRAS_MARKET_TREE_DRAFT_H

#include "market/master_tree.h"

struct draft_vertex {
    size_t parent; /* SIZE_MAX: the root */
    bool slack;
    double drop_kw, drop_kvar;
};

struct draft_row {
    size_t vertex; /* SIZE_MAX: it fits no tree */
    bool by_way;
    double kw, kvar; /* coefficients for an injection: of flows, or in kw the scale of a way */
};

struct tree_draft {
    struct draft_vertex *vertex; /* [n_vertex] parents before their children */
    size_t n_vertex;
    size_t *vertex_of_zone; /* [n_bus] SIZE_MAX: the root */
    struct draft_row *row;  /* [n_row] */
};

/* Room for so many vertices; WALRAS_NOMEM leaves it to be released as well. */
WALRAS_NODISCARD enum walras_status tree_draft_init(struct tree_draft *draft,
                                                    const struct market_rows *rows, size_t n_vertex,
                                                    struct walras_err *err);
void tree_draft_release(struct tree_draft *draft);

/*
 * Active limits that each treat all buses behind them alike, and of which of two one is behind the
 * other or they share no bus: known by their coefficients alone. *found: the rows are of that kind.
 */
WALRAS_NODISCARD enum walras_status tree_find_nested(const struct market_rows *rows,
                                                     struct tree_draft *draft, bool *found,
                                                     struct walras_err *err);

/* By what the grid tells of its tree, each row held against it: grid/limits.h, grid_limits_tree. */
WALRAS_NODISCARD enum walras_status tree_find_radial(const struct market_rows *rows,
                                                     struct tree_draft *draft, bool *found,
                                                     struct walras_err *err);

/* Steps of tree_order; false: no memory. Which ports every node has; what zones' prices are. */
bool tree_ports(struct master_tree *tree, const struct market_rows *rows,
                const struct tree_draft *draft);
bool tree_entries(struct master_tree *tree, const struct market_rows *rows);

/* Makes the tree, in which nothing stands yet but n_step, from the draft. */
WALRAS_NODISCARD enum walras_status tree_order(struct master_tree *tree,
                                               const struct market_rows *rows,
                                               const struct tree_draft *draft,
                                               struct walras_err *err);

#endif
