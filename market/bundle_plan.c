/*
 * Plans of the bundle: the restricted master, whose convex weights mix the answers so far, and when
 * it pays to solve it.
 */
#include "market/bundle_internal.h"

#include <limits.h>
#include <math.h>

enum { ROUNDS_PER_PLAN = 5 };

void bundle_remember_weights(struct bundle *b, const struct market_trial *trial, bool mixed)
{
    size_t at = 0;

    for (size_t g = 0; g < b->problem->n_group; g++)
        for (size_t j = 0; j < b->cuts.groups[g].n; j++, at++) {
            struct market_cut *cut = &b->cuts.groups[g].cuts[j];

            if (mixed) {
                cut->mixed = trial->weight[at] > 1e-9 ? trial->weight[at] : 0.0;
            } else {
                cut->weight = trial->weight[at];
                cut->idle = cut->weight > 1e-6 ? 0 : cut->idle + 1;
            }
        }
}

/*
 * A plan costs several masters. The gap shrinks by some ten times in ten rounds at best: while it
 * is far from what is asked, some rounds may pass before the next plan.
 */
static unsigned rounds_to_go(const struct bundle *b)
{
    double off = (b->objective - b->bound) / (b->settings.gap * bundle_scale_of(b, b->objective));

    return off > 1.0 ? (unsigned)fmin(1.0 + 0.5 * log2(off), ROUNDS_PER_PLAN) : 1;
}

enum walras_status bundle_solve_restricted(struct bundle *b, struct walras_err *err)
{
    struct market_master_settings settings =
        bundle_master_settings(b, fmax(1e-12, fmin(1e-7, 1e-3 * b->settings.gap)));
    struct market_master_problem ask = {.cuts = &b->cuts, .tau = INFINITY};
    enum walras_status status = market_trial_solve(&b->restricted, &b->solver, &b->rows, &ask,
                                                   &settings, 1e-8, UINT_MAX, err);

    if (status != WALRAS_OK)
        return status;
    bundle_remember_weights(b, &b->restricted, true);
    b->unmet_kw = market_mixture_unmet(&b->rows, &b->restricted);
    b->objective = b->restricted.info.primal;
    b->planned = b->round;
    b->next_plan = b->round + rounds_to_go(b);
    return WALRAS_OK;
}

/* The model's value bounds the plan's cost from below: while it is far off, no plan can be near. */
static bool may_be_done(const struct bundle *b)
{
    return b->next_value - b->bound <= b->settings.gap * bundle_scale_of(b, b->next_value);
}

/*
 * A warm start has answers to mix from its first round on: it makes a plan in every round and asks
 * that plan's own prices as well. They are where the answers that it lacks are, and where steps
 * from the best prices would come to later.
 */
enum walras_status bundle_make_plan(struct bundle *b, struct walras_err *err)
{
    bool due = b->round >= b->next_plan && (may_be_done(b) || b->round % ROUNDS_PER_PLAN == 0);
    enum walras_status status =
        bundle_is_warm(b) || due ? bundle_solve_restricted(b, err) : WALRAS_OK;

    /* curvature goes with the last point */
    if (status == WALRAS_OK && bundle_is_warm(b) && !b->curvature)
        status = bundle_query_trial(b, &b->restricted, err);
    return status;
}

enum walras_status bundle_plan(struct market_method *method, const bool *fixed,
                               const double *extra_draw_kw, struct market_plan *plan,
                               struct walras_err *err)
{
    struct bundle *b = bundle_of(method);
    struct market_trial *trial = &b->restricted;
    enum walras_status status = WALRAS_OK;

    if (fixed || isnan(b->objective) || b->planned != b->round) {
        struct market_master_settings settings = bundle_master_settings(b, 1e-10);
        struct market_master_problem ask = {
            .cuts = &b->cuts, .tau = INFINITY, .skip_group = fixed, .extra_draw_kw = extra_draw_kw};

        status =
            market_trial_solve(trial, &b->solver, &b->rows, &ask, &settings, 1e-8, UINT_MAX, err);
    }
    if (status == WALRAS_OK)
        status = market_mixture_fill(&b->mixture, &b->cuts, &b->rows, trial, fixed, err);
    *plan = market_mixture_plan(&b->mixture, trial, &b->centre,
                                market_mixture_unmet(&b->rows, trial) <= b->unmet_tolerance_kw);
    return status;
}
