/*
 * Clearing a market: announce prices, collect answers, update, until a certificate proves the gap.
 *
 * Sources  the price methods are in market/method.h; stopping in docs/mathematics.md, chapter
 *          "Stopping and status".
 * Threads  market_clear uses `settings.n_thread` threads for the groups' parts and returns when all
 *          are idle; results do not depend on their number.
 */
#ifndef WALRAS_MARKET_CLEARING_H
#define WALRAS_MARKET_CLEARING_H

#include "core/ranks.h"
#include "market/method.h"

#include <stdbool.h>

enum market_outcome { MARKET_CONVERGED, MARKET_ROUND_LIMIT, MARKET_TIME_LIMIT, MARKET_INFEASIBLE };
const char *market_outcome_name(enum market_outcome outcome);

struct market_round {          /* one row of the convergence history */
    unsigned round;            /* from 1 */
    double dual_value;         /* of this round's best point */
    double bound;              /* best so far */
    double objective;          /* best plan so far, of convex parts mixed; NAN: none yet */
    double gap;                /* (objective - bound) / max(1, |objective|); NAN: no plan yet */
    double imbalance_kw;       /* of the method's own trial plan, largest over buses and steps */
    double price_move_per_mwh; /* largest change of any price against the centre */
    size_t n_binding;          /* grid limits with a shadow price */
    double oracle_s, method_s; /* this round: asking, updating */
    double elapsed_s;
    uint64_t n_responses; /* so far: group devices x points */
};

enum { MARKET_MAX_POINTS = 16 };

struct market_settings {
    const char *method;      /* "auto" (default), or one that market_methods() lists */
    const char *master;      /* bundle: "qp" (default), "lp" */
    double gap;              /* 1e-4 */
    unsigned max_rounds;     /* 500 */
    double time_limit_s;     /* INFINITY */
    unsigned n_thread;       /* 1 */
    unsigned n_point;        /* price points a round, 1 */
    struct market_warm warm; /* energy_price_per_mwh NULL: cold */
    unsigned n_recall;       /* prices to hand on to a next clearing, 0 */
    /*
     * Ranks that hold shares of the groups (same groups, same order); NULL: alone. Rank 0 has the
     * orders and limits and runs the method; the others answer for their shares and get what
     * awards need of the result: weights and points.
     */
    struct walras_ranks *ranks;
    /*
     * Called with what the groups are about to be asked, all points at once, from the calling
     * thread: answers that come from afar can be fetched here. Groups are then asked with these
     * same prices, in memory where they are now. A failure ends the clearing. NULL: nobody needs
     * it.
     */
    enum walras_status (*announce)(void *context, const struct market_query *query,
                                   struct walras_err *err);
    /* Called after each round, from the calling thread; return false to stop (counts as time
     * limit). */
    bool (*progress)(void *context, const struct market_round *round);
    void *context; /* of both */
};
struct market_settings market_settings_defaults(void);
WALRAS_NODISCARD enum walras_status market_settings_check(const struct market_settings *settings,
                                                          struct walras_err *err);

struct market_binding { /* a grid limit with a shadow price */
    size_t row;         /* of problem.limits */
    uint32_t step;
    int direction;               /* +1: at its high side, -1: at its low side */
    double shadow_price_per_mwh; /* > 0: saving per MWh of more room */
};

struct market_breach { /* a soft limit that is broken, or in an infeasible market what cannot be met
                        */
    enum { MARKET_BREACH_LIMIT, MARKET_BREACH_SHORTAGE, MARKET_BREACH_SURPLUS } kind;
    size_t row; /* of problem.limits when kind is LIMIT */
    uint32_t step;
    int direction; /* of a limit: 1 above its high side, -1 below its low */
    double breach_kw;
    double cost; /* currency; 0 when infeasible */
};

struct market_result { /* arrays are the result's own: market_result_release */
    enum market_outcome outcome;
    const char *method; /* that was used */
    bool settled;       /* integer groups have chosen */
    bool has_plan;      /* false: stopped before a plan was found; no draws then */
    double objective;   /* of the plan: mixed groups, settled integer groups, orders, breaches */
    double bound;       /* proven by the final prices' answers */
    double
        convex_objective; /* as if integer groups could be mixed; = objective when there are none */
    unsigned n_rounds;
    uint64_t n_responses; /* group devices x points */
    double seconds, oracle_s, method_s;
    double bytes_per_round; /* between each of the other ranks and rank 0; 0: alone */
    size_t n_bus, n_step, n_order, n_group, n_point;
    double *price_per_mwh; /* [n_bus x n_step] */
    double
        *energy_price_per_mwh; /* [n_step]: at the slack; the rest of a bus's price is congestion */
    double *order_kw;          /* [n_order] injection */
    double *group_draw_kw;     /* [n_group x n_step] */
    double *group_cost;        /* [n_group] */
    /*
     * How participants rebuild their own awards: the answers of group g to point j count
     * weight[g·n_point + j] (each row sums to 1; integer groups have settled and their rows are
     * zero).
     */
    double *weight;               /* [n_group x n_point] */
    double *point_price_per_mwh;  /* [n_point x n_bus x n_step] the points with any weight */
    double *recall_price_per_mwh; /* [n_recall x n_bus x n_step] see market/recall.h */
    size_t n_recall;
    struct market_binding *binding;
    size_t n_binding;
    struct market_breach *breach; /* soft breaches; the unmet needs when infeasible */
    size_t n_breach;
    struct market_round *history; /* [n_rounds] */
};
void market_result_release(struct market_result *result);

/* Failures of participants and of memory are errors; limits and infeasibility are outcomes. */
WALRAS_NODISCARD enum walras_status market_clear(const struct market_problem *problem,
                                                 const struct market_settings *settings,
                                                 struct market_result *result,
                                                 struct walras_err *err);

#endif
