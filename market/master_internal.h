/*
 * Workspace of the interior point method, shared by its files: memory (master_setup.c), the
 * iteration (master.c), where it begins (master_start.c), what its point amounts to
 * (master_point.c) and the linear system of one iteration (master_kkt.c).
 */
#ifndef WALRAS_MARKET_MASTER_INTERNAL_H
#define WALRAS_MARKET_MASTER_INTERNAL_H

#include "market/master.h"
#include "market/master_tree.h"

struct pair {        /* arrays of one kind of nonnegative variable and its multiplier */
    double *x, *z;   /* both > 0 */
    double *dx, *dz; /* step */
    double *rc;      /* target of x·dz + z·dx */
};

struct bus_entry { /* where an injection at a bus and step enters the reduced system */
    size_t index;  /* of u */
    uint32_t step;
    double coef;
};

struct market_master {
    const struct market_problem *problem;
    size_t n_bus, n_step;
    double price_scale, power_scale, reach_kw;
    double trade_kw;   /* what may change hands in a step: where the iteration starts looking */
    double fixed_cost; /* of the orders without room */

    size_t n_live;                                  /* orders with some room; the others are firm */
    size_t *order, *cell;                           /* [n_live] order index; bus · n_step + step */
    double *low, *high, *q, *dq, *gradient, *theta; /* [n_live] */
    double *off_price; /* [n_live] -(price + slope·q - lambda - z_low + z_high): 0 at an optimum */
    struct pair lower, upper; /* [n_live]: x = q - low, high - q */
    double *fixed_kw;         /* [n_bus x n_step] firm draw less the orders without room */

    size_t n_slot; /* buses with groups */
    uint32_t *bus_of_slot;
    size_t *slot_of_bus;             /* [n_bus], SIZE_MAX: none */
    size_t *slot_first, *slot_group; /* groups of a slot */
    double *swing_kw;                /* [n_slot] proximal metric */
    double *metric;       /* [n_slot x n_step x n_step] besides it: the groups' curvature, added */
    double *move, *slack; /* [n_step] of one slot: prices less the centre, what that brings */

    /* sized for the current cuts and rows */
    const struct market_master_problem *now;
    bool one_stride; /* see needs_one_stride in master.c */
    double part_mu;  /* what groups inside aim at: 0 for the predictor */
    size_t n_cut, cut_capacity;
    struct pair alpha;                        /* [n_cut] */
    double *theta_cut;                        /* [n_cut] x / z */
    size_t *cut_first;                        /* [n_group + 1] */
    double *level, *dlevel;                   /* [n_group] multipliers of the simplex rows */
    double *group_theta, *group_rc, *simplex; /* [n_group] */
    size_t n_row, row_capacity, n_u, u_capacity;
    struct pair room, breach;        /* [n_row]; room.z is mu, breach.z = penalty - mu */
    struct pair shortage, surplus;   /* [n_step]; z = penalty -+ energy price */
    double *u, *du, *rhs, *residual; /* [n_u] */
    double *elastic;         /* [n_u] the diagonal that shortage, surplus, room and breach add */
    struct master_tree tree; /* the linear system where limits are nested; else: */
    double *matrix;          /* [n_u x n_u], column major, lower triangle */
    size_t matrix_side;
    double *price, *dprice, *bus, *diagonal; /* [n_bus x n_step] */
    double *scratch;                         /* [n_bus] */
    size_t *column;                          /* [n_bus] */
    double *step_rows, *step_block; /* one step's rows by moving buses, and their product */
    size_t side_capacity;
    struct bus_entry *entry;             /* rows' entries by slot */
    size_t *entry_first, entry_capacity; /* [n_slot + 1] */
    double *packed, *covariance;         /* [pack_capacity x n_step], [n_step x n_step] */
    size_t pack_capacity;
};

/* Makes room for the cuts and rows of m->now; what was there is not kept. */
WALRAS_NODISCARD enum walras_status master_reserve(struct market_master *m, struct walras_err *err);

/* What only the dense system needs. */
WALRAS_NODISCARD enum walras_status master_reserve_dense(struct market_master *m,
                                                         struct walras_err *err);

/* Fills theta of every variable, builds and factors the matrix. Fails when it is not definite. */
WALRAS_NODISCARD enum walras_status master_kkt_factor(struct market_master *m,
                                                      struct walras_err *err);

/* Solves for the step that the targets rc and the residuals ask for; fills every d… array. */
void master_kkt_step(struct market_master *m);

/* Gathers, for each bus with groups, the active rows that its injections enter. */
WALRAS_NODISCARD enum walras_status master_kkt_index(struct market_master *m,
                                                     struct walras_err *err);

/* market_rows_price and market_rows_project of the active rows, along their tree if they have one.
 */
void master_price(struct market_master *m, const double *u, double *price);
void master_project(struct market_master *m, const double *injection_kw, double *out);

/* A point inside all bounds near the guessed prices; a larger `lift` starts further inside. */
void master_start(struct market_master *m, const struct market_master_settings *settings,
                  const double *guess, double lift);

/*
 * Goes on with more rows: all else stays as it is. A row begins with the room that it has; one that
 * has none, with a little.
 */
void master_resume(struct market_master *m, const struct market_master_settings *settings,
                   const double *guess);

/* m->move and m->slack of a slot: r = (S/tau + metric) (price - centre). */
void master_proximal_slack(struct market_master *m, size_t slot);

/* Injection at each bus: orders, groups, firm draw and the proximal slack. */
void master_injections(struct market_master *m, double *bus);

/* What the rows, simplexes and order prices miss by; returns the largest of the rows, kW. */
double master_residuals(struct market_master *m);

/* What the orders' multipliers miss by, at most. */
double master_order_miss(const struct market_master *m);

/* What the mixed plan costs, with penalties and without the proximal term. */
double master_plan_cost(const struct market_master *m,
                        const struct market_master_settings *settings);

static inline double master_prox(const struct market_master *m, size_t slot)
{
    return m->swing_kw[slot] / m->now->tau; /* 0 when tau is infinite */
}

#endif
