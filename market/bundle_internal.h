/*
 * The state of the bundle, shared by its files: the method and what it learns (bundle.c), the
 * prices it asks (bundle_query.c) and the plans of its answers (bundle_plan.c).
 */
#ifndef WALRAS_MARKET_BUNDLE_INTERNAL_H
#define WALRAS_MARKET_BUNDLE_INTERNAL_H

#include "market/folded.h"
#include "market/master_lp.h"
#include "market/method.h"
#include "market/mixture.h"

#include <math.h>

struct bundle {
    struct market_method method;
    const struct market_problem *problem;
    struct market_method_settings settings;
    double kwp_in_currency; /* step_h / 1000: what a kW · currency/MWh is in currency */
    double reach_kw, unmet_tolerance_kw, tau;
    struct market_level level;

    struct market_rows rows;
    struct market_cuts cuts;
    struct market_folded *master; /* one of these two */
    struct market_master_lp *master_lp;
    struct market_master_solver solver;
    struct market_trial step, restricted; /* next prices; plan */

    unsigned round, n_raised;
    struct market_priced *asked; /* [asked_room] the open query: */
    size_t n_asked, asked_room;  /* n_point, or what a warm start asks first */
    double *asked_price;         /* [asked_room x n_bus x n_step] */
    double next_value, foretold; /* the model at the lead point asked; less what bends it */
    struct market_priced centre; /* the point with the best bound */
    double bound;                /* there, kW · currency/MWh; -INFINITY before the first answer */
    size_t centre_point;         /* which of the mixture's points it is, */
    double *centre_cost;         /* [n_group] and what answers there cost, currency */
    bool inferred;               /* some costs are */
    double doubt;                /* how much further apart plan and bound may be for that */
    double *curvature; /* newton: [n_group x n_step x n_step] of the answers there; else NULL */
    double objective, unmet_kw; /* of the restricted master; NAN: not solved yet */
    unsigned next_plan;         /* round to make the next plan in, at the earliest */
    unsigned planned;           /* round it was solved in: weights are of the cuts of that round */
    struct market_mixture mixture;
};

static inline struct bundle *bundle_of(struct market_method *method)
{
    return (struct bundle *)method;
}

static inline size_t bundle_n_cell(const struct bundle *b)
{
    return b->problem->n_bus * b->problem->n_step;
}

static inline bool bundle_is_warm(const struct bundle *b)
{
    return b->settings.warm.energy_price_per_mwh != NULL;
}

static inline struct market_master_settings bundle_master_settings(const struct bundle *b,
                                                                   double accuracy)
{
    return (struct market_master_settings){
        .penalty_per_mwh = b->level.penalty_per_mwh, .tolerance = accuracy, .max_iterations = 100};
}

/* What the gap is relative to: the whole cost, firm costs too, or one unit of currency. */
static inline double bundle_scale_of(const struct bundle *b, double value)
{
    return fmax(1.0, fabs(value * b->kwp_in_currency + b->problem->firm_cost)) / b->kwp_in_currency;
}

/* Entry of the method table: the open query; the first one of a clearing is made here. */
WALRAS_NODISCARD enum walras_status bundle_ask(struct market_method *method,
                                               struct market_query *query, struct walras_err *err);

/* Puts a trial's prices into the open query. */
WALRAS_NODISCARD enum walras_status
bundle_query_trial(struct bundle *b, const struct market_trial *trial, struct walras_err *err);

/* Puts the prices to ask next into the open query, and what the model foretells of them. */
WALRAS_NODISCARD enum walras_status bundle_next_queries(struct bundle *b, struct walras_err *err);

/* The point asked with the plain tau, which drives it: with curvature the last, which tells it. */
size_t bundle_lead_point(const struct bundle *b);

/*
 * A model that foretold the gain well may be trusted further, one that did not less. Where there is
 * next to nothing left to gain, the prices are found and the plan is not: steps grow towards those
 * of the plan's own prices, whose answers are what would make it cheaper.
 */
void bundle_adapt_tau(struct bundle *b, double gain, double foretold_gain, double little);

/* Keeps a trial's weights with the cuts: those of a plan (mixed), or of a step. */
void bundle_remember_weights(struct bundle *b, const struct market_trial *trial, bool mixed);

/* The plan of the answers so far: the model's maximum without the proximal term. */
WALRAS_NODISCARD enum walras_status bundle_solve_restricted(struct bundle *b,
                                                            struct walras_err *err);

/* Makes a plan where one is due; of a warm start, puts its prices into the open query too. */
WALRAS_NODISCARD enum walras_status bundle_make_plan(struct bundle *b, struct walras_err *err);

/* Entry of the method table: the plan of the answers so far, around what is fixed. */
WALRAS_NODISCARD enum walras_status bundle_plan(struct market_method *method, const bool *fixed,
                                                const double *extra_draw_kw,
                                                struct market_plan *plan, struct walras_err *err);

#endif
