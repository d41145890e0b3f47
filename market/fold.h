/*
 * Folding: a market seen by zones instead of buses.
 *
 * Model    buses that no active grid row tells apart have the same price at whatever shadow prices;
 *          they are one zone. Orders of one price in a zone and step become one order, groups of a
 *          zone become blocs, whose answers to a point are the sums of their members' answers. The
 *          folded market has the same reduced prices u, the same optimum in its orders, and as many
 *          weights as it has blocs and points (docs/mathematics.md, "Zones and blocs"). On a radial
 *          network a zone is what lies between active lines; on a meshed one zones are mostly
 * buses. Units    as in market/problem.h. Threads  one at a time.
 */
#ifndef WALRAS_MARKET_FOLD_H
#define WALRAS_MARKET_FOLD_H

#include "market/cuts.h"
#include "market/rows.h"

#include <stdbool.h>

struct market_fold {
    const struct market_problem *fine;
    size_t n_bloc_wanted;
    struct market_problem coarse; /* buses are zones, groups are blocs */

    size_t n_limit;
    bool *active, *active_before; /* [n_limit] some row of that limit is in the set */
    uint64_t *key;                /* [n_bus] the same for buses of one zone */
    uint32_t *zone;               /* [n_bus] */
    uint32_t *first_of_zone;      /* [n_bus] of zones */
    bool *reactive;               /* [n_bus] of zones */
    double *swing_kw;             /* [n_bus] of the groups there */

    double *firm_kw;  /* [n_bus x n_step], of which [n_zone x n_step] are used */
    size_t *by_price; /* [n_order] those that may be merged, by step and price, then the others */
    size_t n_mergeable;
    struct market_order *orders; /* [n_order] of which coarse.n_order are used */
    size_t *order_of;            /* [n_order] the coarse order that a fine one is in */

    bool *skipped, *skipped_before; /* [n_group] */
    struct market_group *blocs;     /* [n_group] of which coarse.n_group are used */
    bool *skip_bloc;                /* [n_bloc] */
    size_t *member;                 /* [n_group] groups by bloc */
    size_t *member_first;           /* [n_bloc + 1] */
    struct market_cuts cuts;        /* of blocs */
    size_t *synced;                 /* [n_bloc] points below this have been taken in */
    unsigned n_revision;            /* of the cuts that were taken in */
    double *sum_kw;                 /* [n_step] scratch */
    size_t *fine_of, point_room;    /* [point] index of its cut in every group; SIZE_MAX: none */

    struct market_rows rows; /* the active rows, with one coefficient a zone */
    uint32_t *row_bus;       /* what the rows' coefficients point to */
    double *row_coef;
    size_t coef_room;
    size_t *stamp;       /* [n_bus] scratch by zone */
    size_t *stamp_group; /* [n_group] scratch by group */
};

WALRAS_NODISCARD enum walras_status market_fold_init(struct market_fold *fold,
                                                     const struct market_problem *fine,
                                                     size_t n_bloc_wanted, struct walras_err *err);
void market_fold_release(struct market_fold *fold);

/*
 * Brings zones, orders and blocs in line with the active rows and the groups to skip (NULL: none).
 * *changed: the coarse problem is another one than before.
 */
WALRAS_NODISCARD enum walras_status market_fold_update(struct market_fold *fold,
                                                       const struct market_rows *rows,
                                                       const bool *skip_group, bool *changed,
                                                       struct walras_err *err);

/*
 * Brings the blocs' cuts in line with those of the groups, which all answer the same points in the
 * same order. A cut that all members have retired is left out; of two that say the same (to 1e-12)
 * the later stays.
 */
WALRAS_NODISCARD enum walras_status
market_fold_cuts(struct market_fold *fold, const struct market_cuts *cuts, struct walras_err *err);

/* Sums per zone of a fine array [n_bus x n_step]. */
void market_fold_sum(const struct market_fold *fold, const double *fine, double *coarse);

#endif
