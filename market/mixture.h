/*
 * A mixture: each group's answers weighed into one plan, and the points they answered.
 *
 * Participants need the weights and the points to rebuild their own award; the market needs the
 * sums.
 *
 * Units    kW; currency.
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_MIXTURE_H
#define WALRAS_MARKET_MIXTURE_H

#include "market/cuts.h"
#include "market/priced.h"
#include "market/trial.h"

struct market_mixture { /* arrays are the mixture's own */
    const struct market_problem *problem;
    double *point_price; /* [n_point x n_bus x n_step]: every point that was told */
    size_t n_point, point_capacity;
    double *weight;                  /* [n_group x n_point] */
    double *group_draw, *group_cost; /* [n_group x n_step], [n_group] */
    struct market_shadow *breach;
    size_t n_breach;
};

WALRAS_NODISCARD enum walras_status market_mixture_init(struct market_mixture *mixture,
                                                        const struct market_problem *problem,
                                                        struct walras_err *err);
void market_mixture_release(struct market_mixture *mixture);

/* Remembers a point [n_bus x n_step]; its index is n_point - 1 afterwards. */
WALRAS_NODISCARD enum walras_status market_mixture_add_point(struct market_mixture *mixture,
                                                             const double *price,
                                                             struct walras_err *err);

/*
 * Weighs the cuts (their `point` says which) by a trial's weights, `fixed` groups left out, and
 * lists the trial's breaches. Weights of a group are made to sum to 1.
 */
WALRAS_NODISCARD enum walras_status market_mixture_fill(struct market_mixture *mixture,
                                                        const struct market_cuts *cuts,
                                                        const struct market_rows *rows,
                                                        const struct market_trial *trial,
                                                        const bool *fixed, struct walras_err *err);

/* The plan that a method hands out: the mixture, a trial's orders and the announced prices. */
struct market_plan market_mixture_plan(const struct market_mixture *mixture,
                                       const struct market_trial *trial,
                                       const struct market_priced *announced, bool feasible);

/* The largest need a trial leaves unmet: shortage, surplus, and breaches of hard limits. */
double market_mixture_unmet(const struct market_rows *rows, const struct market_trial *trial);

#endif
