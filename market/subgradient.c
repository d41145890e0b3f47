/*
 * Subgradient steps: shrinking ones, and Polyak's.
 *
 * Model    docs/mathematics.md, "Gradient methods".
 * Sources  Shor, Minimization methods for non-differentiable functions (1985); Polyak, Minimization
 *          of unsmooth functionals (1969); Held, Wolfe and Crowder (1974) for the target.
 */
#include "market/gradient.h"
#include "market/method_internal.h"

#include <math.h>

#define FIRST_STEP 0.08 /* of the first prices */

enum { PATIENCE = 20 };

static double whole_kw(const struct market_gradient *s)
{
    double sum = 0.0;

    for (size_t t = 0; t < s->op.problem->n_step; t++)
        sum += s->metric_kw[t];
    return sum;
}

static void shrinking(struct market_gradient *s, size_t n, double value)
{
    double step = FIRST_STEP * s->level_per_mwh / sqrt((double)s->round);

    (void)value;
    step /= sqrt(s->slope_size / whole_kw(s));
    for (size_t i = 0; i < n; i++)
        s->u[i] += step * s->slope[i];
}

static enum walras_status subgradient_new(const struct market_problem *problem,
                                          const struct market_method_settings *settings,
                                          struct market_method **made, struct walras_err *err)
{
    return market_gradient_new(&market_subgradient_ops, shrinking, problem, settings, made, err);
}

/* What a first step of the shrinking kind would gain if the slope stayed as it is. */
static double guess_gain(const struct market_gradient *s)
{
    return FIRST_STEP * s->level_per_mwh * sqrt(s->slope_size * whole_kw(s));
}

/*
 * The optimum is guessed: a share of the way from the best bound to the best plan, or to a guess
 * while there is no plan. The share is doubled when half of the way was gone. False when twenty
 * rounds did not go it: then it is halved.
 */
static bool guess_target(struct market_gradient *s, double *target)
{
    const struct market_recovery *r = &s->recovery;
    bool planned = r->unmet_kw <= r->unmet_tolerance_kw && r->objective > r->bound, in_time = true;
    double away = planned ? r->objective - r->bound : guess_gain(s);

    if (s->round == 1) {
        s->hope = 1.0;
        s->reached = r->bound;
    }
    s->waited++;
    if (r->bound - s->reached >= 0.5 * s->hope * away) {
        s->hope = fmin(1.0, 2.0 * s->hope);
        s->reached = r->bound;
        s->waited = 0;
    } else if (s->waited >= PATIENCE) {
        s->hope *= 0.5;
        s->reached = r->bound;
        s->waited = 0;
        in_time = false;
    }
    *target = r->bound + s->hope * away;
    return in_time;
}

static double best_shadow(const struct market_priced *best, const struct market_row *row)
{
    for (size_t i = 0; i < best->n_shadow; i++)
        if (best->shadows[i].limit == row->limit && best->shadows[i].step == row->step &&
            best->shadows[i].direction == row->direction)
            return best->shadows[i].price_per_mwh;
    return 0.0;
}

/* Back to the prices with the best bound, to go on from there with a shorter step. */
static void go_back(struct market_gradient *s, size_t n)
{
    size_t n_step = s->op.problem->n_step;

    for (size_t i = 0; i < n; i++)
        s->u[i] = i < n_step ? s->recovery.best.energy[i]
                             : best_shadow(&s->recovery.best, &s->op.rows.rows[i - n_step]);
}

static void polyak(struct market_gradient *s, size_t n, double value)
{
    double target = 0.0;

    if (!guess_target(s, &target)) {
        go_back(s, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        s->u[i] += (target - value) / s->slope_size * s->slope[i];
}

static enum walras_status polyak_new(const struct market_problem *problem,
                                     const struct market_method_settings *settings,
                                     struct market_method **made, struct walras_err *err)
{
    return market_gradient_new(&market_polyak_ops, polyak, problem, settings, made, err);
}

const struct market_method_ops market_subgradient_ops =
    MARKET_GRADIENT_OPS("subgradient", "shrinking subgradient steps", subgradient_new);

const struct market_method_ops market_polyak_ops =
    MARKET_GRADIENT_OPS("polyak", "subgradient steps of Polyak's length", polyak_new);
