/*
 * The operator: what is open, orders and grid, as one participant that is solved exactly.
 *
 * Model    docs/mathematics.md, "The operator's step": with the groups' draw X and a centre,
 *              maximise  open part(u) + Σ_b <E_b u, X_b> - 1/(2 tau) Σ_b S_b |E_b u - centre_b|²
 *          which is the master without groups. New rows of the grid come in on the way.
 * Units    prices per MWh; kW.
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_OPERATOR_H
#define WALRAS_MARKET_OPERATOR_H

#include "market/trial.h"

struct market_operator { /* arrays are its own */
    const struct market_problem *problem;
    const struct market_master_solver *solver; /* borrowed */
    struct market_rows rows;
    struct market_cuts none;   /* the groups' cuts: not used */
    struct market_trial trial; /* the last step: u, prices at buses, injections */
    bool *skip;                /* [n_group] all */
    double *swing_kw;          /* [n_bus] of the groups there: the metric S */
};

WALRAS_NODISCARD enum walras_status market_operator_init(struct market_operator *op,
                                                         const struct market_problem *problem,
                                                         const struct market_master_solver *solver,
                                                         struct walras_err *err);
void market_operator_release(struct market_operator *op);

/* Prices at which what is open meets the firm draw, nobody having answered yet. */
WALRAS_NODISCARD enum walras_status market_operator_start(struct market_operator *op,
                                                          const struct market_level *level,
                                                          struct walras_err *err);

/* One step from the centre [n_bus x n_step], groups drawing draw_kw [n_bus x n_step]. */
WALRAS_NODISCARD enum walras_status
market_operator_step(struct market_operator *op, const double *centre, double tau,
                     const double *draw_kw, const struct market_master_settings *settings,
                     struct walras_err *err);

/* Σ_b S_b |a_b - b_b|² over [n_bus x n_step]. */
double market_operator_distance(const struct market_operator *op, const double *a, const double *b);

#endif
