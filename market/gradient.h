/*
 * Gradient methods: prices move along the imbalance of the answers, orders answering too.
 *
 * Model    docs/mathematics.md, "Gradient methods". With G the supergradient of the dual function
 *          in the reduced prices u of market/rows.h and D the kW that can move at each of them, a
 *          rule turns D⁻¹G into the next u; rows that the answers breach come in at price 0, and
 *          shadow prices stay within [0, breach price]. Bounds and plans are market/recovery.h's.
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_GRADIENT_H
#define WALRAS_MARKET_GRADIENT_H

#include "market/operator.h"
#include "market/recovery.h"

struct market_gradient;

/*
 * How prices move: changes gradient->u [n] by gradient->slope [n], which holds D⁻¹G; `value` is the
 * dual function where they were asked.
 */
typedef void market_gradient_rule(struct market_gradient *gradient, size_t n, double value);

struct market_gradient {
    struct market_method method;
    market_gradient_rule *rule;
    struct market_recovery recovery;
    struct market_operator op; /* its rows are those that prices move on */
    struct market_priced asked;
    double level_per_mwh;
    unsigned round;
    double *price;    /* [n_bus x n_step] asked next */
    double *energy;   /* [n_step] */
    double *open_kw;  /* [n_bus x n_step] what orders of finite range can move */
    double *swing_kw; /* [n_bus x n_step] and groups, as their answers have shown */
    double *draw_kw, *last_draw_kw, *last_price; /* [n_bus x n_step] answers, and those before */
    double *injection_kw;                        /* [n_bus x n_step] of the last answers */
    double *moved_kw, *moved_price;  /* [n_bus] by how much draws and prices have moved so far */
    double *u, *slope;               /* [n_step + n rows] */
    double *metric_kw;               /* [n_step + n rows] D */
    double imbalance_kw, slope_size; /* slope_size: Gᵀ D⁻¹ G, kW */

    double hope, reached; /* Polyak: share of the gap hoped for; best bound then */
    unsigned waited;      /* rounds since */
    double *memory;       /* Adam: [2 x n_step] means of G and G² */
};

WALRAS_NODISCARD enum walras_status
market_gradient_new(const struct market_method_ops *ops, market_gradient_rule *rule,
                    const struct market_problem *problem,
                    const struct market_method_settings *settings, struct market_method **made,
                    struct walras_err *err);
void market_gradient_free(struct market_method *method);
enum walras_status market_gradient_ask(struct market_method *method, struct market_query *query,
                                       struct walras_err *err);
enum walras_status market_gradient_tell(struct market_method *method,
                                        const struct market_reply *reply,
                                        struct market_state *state, struct walras_err *err);
enum walras_status market_gradient_learn(struct market_method *method, const double *price_per_mwh,
                                         const struct market_reply *reply, struct walras_err *err);
enum walras_status market_gradient_plan(struct market_method *method, const bool *fixed,
                                        const double *extra_draw_kw, struct market_plan *plan,
                                        struct walras_err *err);

/* The table of a method whose rule is behind `make`. */
#define MARKET_GRADIENT_OPS(method_name, method_summary, make)                                     \
    {                                                                                              \
        .name = (method_name), .summary = (method_summary), .new_method = (make),                  \
        .free_method = market_gradient_free, .ask = market_gradient_ask,                           \
        .tell = market_gradient_tell, .learn = market_gradient_learn,                              \
        .plan = market_gradient_plan,                                                              \
    }

#endif
