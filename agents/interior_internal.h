/*
 * What the files of the interior point turns share: the room, and the costs that bend
 * (interior_bends.c).
 */
#ifndef WALRAS_AGENTS_INTERIOR_INTERNAL_H
#define WALRAS_AGENTS_INTERIOR_INTERNAL_H

#include "agents/interior.h"

/* What stays of the way to a bound at the least, relative to the bounds: more than their rounding.
 */
#define INTERIOR_LEAST 1e-15

/* A variable a step between two bounds; where they are one there is nothing to move. */
struct interior_box {
    double *x, *z_low, *z_high;    /* [n] of the state kept */
    double *dx, *dz_low, *dz_high; /* the final moves, kept too */
    double *low, *high, *free;     /* free: 1, or 0 where the bounds are one */
    double *curve;                 /* of the cost */
    double *in_low, *in_high;      /* 1 / slack, 0 where not free */
    double *theta;                 /* 1 / (curve + what the slacks add), 0 where not free */
    double *pull, *per_mu, *bent;  /* right-hand sides: towards mu = 0, per mu, second order */
    double *first;                 /* the first moves */
};

enum { INTERIOR_BOX_STATE = 6, INTERIOR_BOX_SCRATCH = 11 };

/* A place of the state beyond which it costs more, from step bend_first on. */
struct interior_bend {
    double sign;                  /* 1: below its place, -1: above */
    double *v, *s, *dv, *ds;      /* [n] of the state kept: multiplier, violation, final moves */
    double *place, *price, *none; /* none: 1 where nothing bends, else 0 */
    double *x, *by_v, *by_rest, *by_w; /* s + what is left to the place; 1/v, 1/(price - v), 1/w */
    double *first_v, *first_x, *first_s; /* the first moves */
};

enum { INTERIOR_BEND_STATE = 4, INTERIOR_BEND_SCRATCH = 10 };

/* The largest shares of slacks and of multipliers that moves take, and sums over them. */
struct interior_look {
    double slack, multiplier;
    double crossed, leaning; /* Σ dx dz; Σ z dx */
};

struct interior_room {
    size_t n_step, n; /* of the horizon, of the device in the room */
    const struct smooth *device;
    const struct smooth_step *step; /* [n] */
    double per_step_h;              /* the device's values per step are these times step_h */
    double keep, out, wear;
    struct interior_box charge, discharge, state;
    size_t bend_first; /* the first step with a bend */
    struct interior_bend below, above;
    double *y, *y_first, *y_move, *inverse; /* [n] kept: values, their moves, 1/D of K = L D Lᵀ */
    double *in, *miss, *lead, *b, *rhs, *solved, *row; /* [n] lead: -L below the diagonal */
    double *memory;
};

/* Rooms: interior_room.c. */

/* Points the room at a device and what is kept of it. */
void interior_bind(struct interior_room *r, const struct smooth *device, double *kept);
/*
 * Bounds and costs of the device in the room. Bounds that only say what can be reached are put
 * beyond it: they are no constraints.
 */
void interior_describe(struct interior_room *r);

/* The system: interior_system.c. */

void interior_factor(struct interior_room *r);
void interior_find_leads(struct interior_room *r);
/* Adds what pulls on the variables move the draw by, prices standing still. */
void interior_add_draw(struct interior_room *r, const double *charge, const double *discharge,
                       const double *state, bool with_miss, double *draw_kw);
/* Adds S to its lower triangle. */
void interior_add_curvature(struct interior_room *r, size_t n_step, double *curvature);
/* Solves for the values' move that a move of prices and pulls on the variables lead to. */
void interior_move_values(struct interior_room *r, const double *price_move, const double *charge,
                          const double *discharge, const double *state, double *y);
/* The moves of the variables, in place of their pulls, that those of prices and values lead to. */
void interior_move(const struct interior_room *r, const double *price, const double *y,
                   double *charge, double *discharge, double *state);

/* Moves: interior_moves.c. */

/* The first moves, from y_first; per_mu and bent of all boxes. */
struct interior_look interior_find_first(struct interior_room *r, const double *price_move);
/* The final moves, from dx = all pulls towards mu and y_move, once the first are there. */
void interior_aim(struct interior_room *r, double mu);
struct interior_look interior_find_second(struct interior_room *r, const double *price_move,
                                          double mu);
/* Goes along the moves that CORRECT has found. */
void interior_go(struct interior_room *r, struct market_stride stride);

/* Bends: interior_bends.c. */

void interior_bends_start(struct interior_room *r, double mu, size_t *n_pair);
/* Adds to the state's curve and pull; Σ slack · multiplier. */
double interior_bends_weigh(struct interior_room *r);
/* The first moves; adds to the state's per_mu and bent. */
void interior_bends_first(struct interior_room *r, struct interior_look *look);
/* The final moves. */
void interior_bends_second(struct interior_room *r, double mu, struct interior_look *look);
void interior_bends_go(struct interior_room *r, struct market_stride stride);

static inline double interior_larger(double a, double b)
{
    return a > b ? a : b;
}

#endif
