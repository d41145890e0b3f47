/*
 * What the market may ask of a participant: "at these prices, what would you draw, what would it
 * cost you?" One oracle may stand for one device, for a fleet of thousands behind one bus, for an
 * agent on the network. Sums of oracles are oracles.
 *
 * Model    v(price) = min over the participant's own set of  cost(x) + price · x. An answer is a
 *          minimiser x (the draw), its own cost, and a proven lower bound of v(price). For a convex
 *          participant that is solved exactly the bound is cost + price · x; for an integer one it
 *          is what its solver has proven (docs/mathematics.md eq. 3-5).
 * Smooth   a participant with quadratic costs may also tell how its answer gives way to prices
 *          (curvature), and one that can solve a quadratic problem may be asked to stay near what
 * it did before (struct market_near): methods for smooth markets and exchange ADMM need that. Units
 * price in currency per MWh [n_step]; draw_kw [n_step] average power, positive from the grid; cost
 * and bound in currency over the whole horizon. Threads  distinct parts may be asked at the same
 * time by distinct workers.
 */
#ifndef WALRAS_MARKET_ORACLE_H
#define WALRAS_MARKET_ORACLE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct market_answer {
    double cost;  /* of the draw, without what is paid for energy */
    double bound; /* proven: <= cost(x) + price · x for every x the participant can do */
};

/*
 * A question that ties each participant to what it did before (docs/mathematics.md, "Exchange
 * ADMM"). Participant i keeps z_i [n_step] kW, 0 at first, and
 *     answers   x_i = argmin over its own set of  cost(x) + price · x + rho/2 · |x - (z_i -
 * shift)|² keeps     z_i = relaxation · x_i + (1 - relaxation) · (z_i - shift) where "·" and |.|²
 * count step_h/1000 a step, as for energy. The answer's `bound` is that of x_i at the participant's
 * own price + rho · (x_i - (z_i - shift)), at which x_i is its best response. Participants with
 * integer choices answer the price alone, as if rho were 0.
 */
struct market_near {
    double rho_per_mwh_per_kw; /* > 0 */
    double relaxation;         /* 1: none; up to 2 */
    const double *shift_kw;    /* [n_step] at the group's bus */
    bool forget;               /* start from z_i = 0 */
};

enum market_interior_phase {
    MARKET_INTERIOR_BEGIN,   /* takes memory: asked of part 0 of each group, by one thread */
    MARKET_INTERIOR_START,   /* somewhere inside all bounds, near the prices */
    MARKET_INTERIOR_FOLD,    /* after a step along the moves that CORRECT has found */
    MARKET_INTERIOR_PREDICT, /* the moves that the prices' first move leads to */
    MARKET_INTERIOR_CORRECT, /* those of their final move */
    MARKET_INTERIOR_TELL,    /* the draw and cost as they stand */
    MARKET_INTERIOR_KEEP     /* the same, and they are the awards */
};

struct market_stride { /* shares of a move: of what is done and its slacks; of multipliers */
    double primal, dual;
};

/*
 * A turn of the market's interior point method, in which participants take part with variables of
 * their own (docs/mathematics.md, "Interior"). A part adds to what is gathered; arrays are [n_step]
 * at the group's bus.
 */
struct market_interior {
    enum market_interior_phase phase;
    const double *price_per_mwh;  /* as they stand */
    const double *first_per_mwh;  /* PREDICT, CORRECT: their move towards mu = 0 */
    const double *second_per_mwh; /* CORRECT: their final move */
    double mu;                    /* START, CORRECT: what slack · multiplier is to be */
    struct market_stride stride;  /* FOLD: how much of the final moves is made */

    size_t n_pair;     /* START: slacks */
    bool curved;       /* START: some cost is quadratic, so that both strides must be the same */
    double *draw_kw;   /* FOLD, TELL, KEEP */
    double cost;       /* the same; in kW · currency/MWh (times step_h/1000 is currency) */
    double product;    /* FOLD: Σ slack · multiplier */
    double off;        /* FOLD: the largest miss of a row, as kW */
    double unpriced;   /* FOLD: Σ what multipliers miss by · range of the variable */
    double *curvature; /* FOLD: [n_step x n_step] lower triangle, column major: minus the derivative
                          of the draw by the prices */
    double *still_kw;  /* FOLD: how the draw would move towards mu = 0 at these prices */
    double *per_mu_kw; /* PREDICT: what each unit of mu adds to that */
    double *bent_kw;   /* PREDICT: what the moves' products add to it */
    double crossed;    /* PREDICT: Σ of the moves' products */
    double leaning;    /* PREDICT: Σ multiplier · move of its slack */
    struct market_stride longest; /* PREDICT, CORRECT: least of all longest and what was there */
};

/* What is offered or asked at one bus in one step at an open price: known to the market exactly. */
struct market_order {
    uint32_t bus, step;
    double low_kw, high_kw; /* injection_kw range, low <= high; demand is negative */
    double price_per_mwh;   /* cost is step_h/1000 · (price · q + slope/2 · q²) for q in kW */
    double slope_per_mwh_per_kw; /* >= 0 */
};

/*
 * A group: participants behind one bus that answer together. Split into parts, so that threads can
 * share it; part sums are added in part order, whoever computed them.
 */
struct market_oracle_ops {
    /*
     * Adds nothing: overwrites draw_kw [n_step] and *answer with the sum over this part.
     * `worker` < the number of workers that the group was made for; scratch space is per worker.
     * A participant that cannot satisfy its own constraints is an error (WALRAS_INVALID) whose
     * message names it and the step.
     */
    enum walras_status (*respond)(void *self, size_t part, unsigned worker,
                                  const double *price_per_mwh, double *draw_kw,
                                  struct market_answer *answer, struct walras_err *err);
    /*
     * For groups with integer participants, NULL for others: each participant plays one of its own
     * answers to the `n_point` prices [n_point x n_step], chosen so that the group's sum comes
     * close to the mixture of its answers by weight [n_point]. Overwrites draw_kw and *answer with
     * what was chosen. The choice is kept: it is the group's award. Deterministic.
     */
    enum walras_status (*settle)(void *self, size_t n_point, const double *price_per_mwh,
                                 const double *weight, double *draw_kw,
                                 struct market_answer *answer, struct walras_err *err);
    /* As respond, to a question that ties; NULL: the group cannot be tied. */
    enum walras_status (*respond_near)(void *self, size_t part, unsigned worker,
                                       const double *price_per_mwh, const struct market_near *near,
                                       double *draw_kw, struct market_answer *answer,
                                       struct walras_err *err);
    /*
     * The whole group's best response, and in curvature [n_step x n_step], overwritten, minus its
     * derivative by prices, kW per currency/MWh: symmetric, no negative eigenvalue, 0 where answers
     * jump or stand still. NULL: the group only jumps.
     */
    enum walras_status (*respond_curved)(void *self, unsigned worker, const double *price_per_mwh,
                                         double *draw_kw, struct market_answer *answer,
                                         double *curvature, struct walras_err *err);
    /*
     * For groups that do not know what their answers cost and learn of it from each more: what the
     * answer to each point that was asked so far, counted from the clearing's first, is taken to
     * cost now. Bounds that were given differ by as much. Lives until the next question. NULL, or
     * NULL returned: as answered.
     */
    const double *(*revised)(void *self);
    /*
     * With revised: how much further than taken to be, at most, the answers to the points [n] mixed
     * by weight [n] are from the best response at the point `at`: what they cost is known no
     * better. INFINITY: it is not known at all.
     */
    enum walras_status (*doubt)(void *self, size_t at, const size_t *point, const double *weight,
                                size_t n, double *doubt, struct walras_err *err);
    /* One turn of the market's interior point method; NULL: the group cannot take part in it. */
    enum walras_status (*interior)(void *self, size_t part, unsigned worker,
                                   struct market_interior *turn, struct walras_err *err);
};

struct market_oracle {
    const struct market_oracle_ops *ops;
    void *self; /* borrowed: outlives the market problem */
    size_t n_part;
};

#endif
