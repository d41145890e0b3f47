/*
 * Settling: integer participants choose, the rest is dispatched again around them.
 *
 * Model    docs/mathematics.md, "Integer groups". Each group first chooses the answers of its own
 * that come closest to its mixture. Groups of one participant then reconsider, one after another:
 * V(x), the cost of the best plan around fixed draws x, is convex, so V(x') >= V(x) + marginal
 * price · (x' - x) tells which other answers cannot pay; the others are tried. Units    kW;
 * currency.
 */
#ifndef WALRAS_MARKET_SETTLE_H
#define WALRAS_MARKET_SETTLE_H

#include "market/method.h"

struct market_settlement { /* arrays are its own */
    bool *fixed;           /* [n_group] has settled */
    double *extra_draw;    /* [n_bus x n_step] of settled groups */
    double *draw_kw;       /* [n_group x n_step] */
    double *cost;          /* [n_group] */
    size_t n_settled;
};

struct market_asker { /* asks all groups at prices [n_bus x n_step]; the reply lives until the next
                       */
    enum walras_status (*ask)(void *context, const double *price_per_mwh,
                              struct market_reply *reply, struct walras_err *err);
    void *context;
};

/*
 * `plan` is the method's plan with all groups mixed; on return, the plan around the settled groups
 * (unchanged when there are none).
 */
WALRAS_NODISCARD enum walras_status
market_settle(const struct market_problem *problem, struct market_method *method,
              const struct market_asker *asker, struct market_plan *plan,
              struct market_settlement *settlement, struct walras_err *err);
void market_settlement_release(struct market_settlement *settlement);

#endif
