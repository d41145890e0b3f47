/*
 * A trial: the master solved with its grid rows found lazily, and what came of it.
 *
 * After each master the injections are checked against every limit of the grid; what is breached
 * becomes a row and the master is solved again, until nothing is (docs/mathematics.md,
 * "Lazy rows").
 */
#ifndef WALRAS_MARKET_TRIAL_H
#define WALRAS_MARKET_TRIAL_H

#include "market/master.h"

struct market_trial {                 /* arrays are the trial's own */
    double *u;                        /* [n_step + n rows] */
    double *energy_guess;             /* [n_step] where the next solve starts */
    double *price;                    /* [n_bus x n_step] of u */
    double *order_kw;                 /* [n_order] */
    double *weight;                   /* [cuts in group order] */
    double *shortage_kw, *surplus_kw; /* [n_step] */
    double *breach_kw;                /* [n rows] */
    double *injection_kw;             /* [n_bus x n_step] */
    double *group_draw_kw;            /* [n_group x n_step] of groups inside; NULL: none ever */
    double *group_cost;               /* [n_group] */
    size_t row_capacity, cut_capacity;
    struct market_master_info info;
    unsigned masters; /* solved for this trial */
};

WALRAS_NODISCARD enum walras_status market_trial_init(struct market_trial *trial,
                                                      const struct market_problem *problem,
                                                      struct walras_err *err);
void market_trial_release(struct market_trial *trial);

/*
 * `ask.rows` is not read: the rows are `rows`, which grow. Breaches below `tolerance` (relative to
 * a limit) are let be. At most `passes` masters are solved (UINT_MAX: until nothing is breached);
 * what is breached after them waits as rows for the next trial. Rows learn their shadow prices and
 * idle counts, cuts keep their weights as they were.
 */
WALRAS_NODISCARD enum walras_status
market_trial_solve(struct market_trial *trial, const struct market_master_solver *solver,
                   struct market_rows *rows, const struct market_master_problem *ask,
                   const struct market_master_settings *settings, double tolerance, unsigned passes,
                   struct walras_err *err);

/*
 * Prices before any answer, those at which what is open meets the firm draw: the master without
 * its groups, coarse. `cuts` are none.
 */
WALRAS_NODISCARD enum walras_status market_trial_open(struct market_trial *trial,
                                                      const struct market_master_solver *solver,
                                                      struct market_rows *rows,
                                                      const struct market_cuts *cuts,
                                                      unsigned passes, struct walras_err *err);

#endif
