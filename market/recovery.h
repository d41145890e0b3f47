/*
 * What every method does with answers that does not make prices: bounds, plans, reports.
 *
 * Model    docs/mathematics.md, "Plans of gradient methods". Ordinary answers prove bounds; each
 *          group's average of all of them, weights growing with the round (ergodic), and its most
 *          recent ones are the cuts of a restricted master, which is the plan.
 * Sources  Sherali and Choi, Recovery of primal solutions when using subgradient optimization
 *          methods (1996); Dantzig and Wolfe, Decomposition principle (1960).
 * Units    kW; values in kW · currency/MWh.
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_RECOVERY_H
#define WALRAS_MARKET_RECOVERY_H

#include "market/mixture.h"
#include "market/operator.h"

struct market_recovery { /* arrays are its own */
    const struct market_problem *problem;
    struct market_method_settings settings;
    double kwp_in_currency, reach_kw, unmet_tolerance_kw;
    struct market_level level;
    struct market_rows rows; /* those that plans need */
    struct market_cuts cuts; /* of each group: cut 0 is its average, behind it the recent ones */
    struct market_master *master;
    struct market_master_solver solver; /* free between calls: methods use it for their steps */
    struct market_trial plan;
    struct market_mixture mixture;
    struct market_priced best;  /* the point with the best bound */
    double bound;               /* there; -INFINITY before the first answer */
    double objective, unmet_kw; /* of the last plan; NAN: none yet */
    unsigned n_taken, n_raised,
        planned; /* points; raises of the penalty; points at the last plan */
};

WALRAS_NODISCARD enum walras_status
market_recovery_init(struct market_recovery *recovery, const struct market_problem *problem,
                     const struct market_method_settings *settings, struct walras_err *err);
void market_recovery_release(struct market_recovery *recovery);

/* A method that keeps no model of its own: recovery, a step on what is open, the point asked. */
WALRAS_NODISCARD enum walras_status
market_recovery_begin(struct market_recovery *recovery, struct market_operator *op,
                      struct market_priced *asked, const struct market_problem *problem,
                      const struct market_method_settings *settings, struct walras_err *err);
void market_recovery_end(struct market_recovery *recovery, struct market_operator *op,
                         struct market_priced *asked);

/*
 * Takes the answers of all groups to the point `asked` in. *value is the dual function there. When
 * it is the best so far the point becomes `best`, and `asked` what was best before.
 */
WALRAS_NODISCARD enum walras_status market_recovery_take(struct market_recovery *recovery,
                                                         struct market_priced *asked,
                                                         const struct market_answer *answers,
                                                         const double *draw_kw, double *value,
                                                         struct walras_err *err);

/* As market_method_ops.learn. */
WALRAS_NODISCARD enum walras_status market_recovery_learn(struct market_recovery *recovery,
                                                          const double *price_per_mwh,
                                                          const struct market_reply *reply,
                                                          struct walras_err *err);

/* Solves for a plan when one is due: often at first, then every so many rounds. */
WALRAS_NODISCARD enum walras_status market_recovery_try(struct market_recovery *recovery,
                                                        struct walras_err *err);

/*
 * Fills *state for a method whose last point had `value` and that asks at `price` next. Needs that
 * stay unmet raise the penalty, twice, before they count as done.
 */
void market_recovery_report(struct market_recovery *recovery, double value, double imbalance_kw,
                            const double *price_per_mwh, struct market_state *state);

/* As market_method_ops.plan. */
WALRAS_NODISCARD enum walras_status
market_recovery_plan(struct market_recovery *recovery, const bool *fixed,
                     const double *extra_draw_kw, struct market_plan *plan, struct walras_err *err);

#endif
