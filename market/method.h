/*
 * Price methods, in reverse communication: `ask` gives the next prices, `tell` takes the answers.
 *
 * A method does no I/O, reads no clock, starts no thread and asks nobody: the same one runs in
 * process, over the network or over ranks, and after a crash the stored rounds are told to it
 * again. Adding one: a file with a `struct market_method_ops`, a line in the list of method.c.
 *
 * Units    prices per MWh [n_bus x n_step]; draws kW; costs, values and bounds in currency.
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_METHOD_H
#define WALRAS_MARKET_METHOD_H

#include "market/problem.h"

#include <stdbool.h>

struct market_shadow {
    size_t limit; /* row of problem->limits */
    uint32_t step;
    int direction;
    double price_per_mwh;
};

/*
 * Where to begin: the prices of an earlier clearing of nearly the same market. Nothing of it is
 * taken for granted: the prices are asked again. Borrowed for the clearing.
 */
struct market_warm {
    const double *energy_price_per_mwh;  /* [n_step]; NULL: begin cold, the rest is not read */
    const struct market_shadow *shadows; /* with the energy prices: the best prices */
    size_t n_shadow;
    const double *point_price_per_mwh; /* [n_point x n_bus x n_step] others worth asking again */
    size_t n_point;
};

/*
 * Threads for methods that take participants inside: runs job(context, i, worker) for every i < n,
 * distinct i maybe at the same time by distinct workers.
 */
struct market_runner {
    void (*run)(void *self, size_t n, void (*job)(void *context, size_t i, unsigned worker),
                void *context);
    void *self;
    /* Asked in the midst of long work: false: end it where it is. NULL: never. */
    bool (*go_on)(void *watch);
    void *watch;
};

struct market_method_settings {
    double gap;
    unsigned n_point;   /* price points a round; a warm start asks 1 + warm.n_point first and may
                           ask one more than n_point later */
    const char *master; /* "qp" or "lp" */
    struct market_warm warm;
    const struct market_runner *runner; /* borrowed; NULL: participants are elsewhere */
};

struct market_query {
    size_t n_point;                 /* 0: the method needs no answer, tell it so with no points */
    const double *price_per_mwh;    /* [n_point x n_bus x n_step], until the next call */
    const struct market_near *near; /* [n_bus] how point 0 ties participants; NULL: it does not */
    bool curved; /* the answers to the last point are wanted with their curvature */
};

struct market_reply { /* one per query, borrowed for the call */
    size_t n_point;
    const struct market_answer *answers; /* [n_point x n_group] */
    const double *draw_kw;               /* [n_point x n_group x n_step] */
    const double *curvature; /* [n_group x n_step x n_step] at the last point; NULL: not asked */
};

struct market_state {         /* after the last tell */
    double dual_value, bound; /* of the last round's best point; best so far */
    double objective;         /* of the plan, integer groups as if they could be mixed; NAN: none */
    double imbalance_kw, price_move_per_mwh;
    size_t n_binding;
    bool done;       /* gap reached: nothing more to ask */
    double unmet_kw; /* shortage, surplus and hard breaches left in the plan: > 0 and done:
                        the market is infeasible */
};

struct market_plan {                    /* borrowed from the method until the next call */
    const double *energy_price_per_mwh; /* [n_step] of the prices with the best bound */
    const double *price_per_mwh;        /* [n_bus x n_step] */
    const struct market_shadow *shadows;
    size_t n_shadow;
    double value; /* cost of the plan, penalties for unmet needs included, fixed groups not */
    const double *marginal_price_per_mwh; /* [n_bus x n_step] of the plan itself */
    bool feasible;                        /* a plan was found; what follows is only set then */
    const double *order_kw;               /* [n_order] */
    const double *weight;                 /* [n_group x n_point] */
    const double
        *group_draw_kw;       /* [n_group x n_step] answers mixed by weight; 0 for fixed groups */
    const double *group_cost; /* [n_group] */
    const double *point_price_per_mwh; /* [n_point x n_bus x n_step] */
    size_t n_point;
    const double *shortage_kw, *surplus_kw; /* [n_step] */
    const struct market_shadow *breaches;   /* price_per_mwh holds the breach in kW */
    size_t n_breach;
};

struct market_method {
    const struct market_method_ops *ops;
};

struct market_method_ops {
    const char *name, *summary;
    bool (*takes)(const struct market_problem *problem); /* NULL: takes every market */
    enum walras_status (*new_method)(const struct market_problem *problem,
                                     const struct market_method_settings *settings,
                                     struct market_method **made, struct walras_err *err);
    void (*free_method)(struct market_method *method);
    enum walras_status (*ask)(struct market_method *method, struct market_query *query,
                              struct walras_err *err);
    enum walras_status (*tell)(struct market_method *method, const struct market_reply *reply,
                               struct market_state *state, struct walras_err *err);
    /*
     * Takes in the answers of all groups to prices [n_bus x n_step] that the method did not ask
     * for: more to mix plans from, nothing else.
     */
    enum walras_status (*learn)(struct market_method *method, const double *price_per_mwh,
                                const struct market_reply *reply, struct walras_err *err);
    /*
     * The best plan so far. `fixed` [n_group] and extra_draw_kw [n_bus x n_step] (both NULL: none)
     * take groups out whose draw is given: what is left is dispatched again around them.
     */
    enum walras_status (*plan)(struct market_method *method, const bool *fixed,
                               const double *extra_draw_kw, struct market_plan *plan,
                               struct walras_err *err);
};

/* Stands for the method that market_method_choose finds. */
#define MARKET_METHOD_AUTO "auto"

/*
 * The faster of interior and bundle for a cold clearing (docs/decisions.md, "Which method"):
 * interior where all groups can take part in it and limits are many for the devices; else bundle.
 */
const struct market_method_ops *market_method_choose(const struct market_problem *problem,
                                                     const struct market_method_settings *settings);
/* NULL when there is no method of that name. */
const struct market_method_ops *market_method_find(const char *name);
/* All methods, NULL-terminated. */
const struct market_method_ops *const *market_methods(void);

#endif
