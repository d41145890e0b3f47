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

enum { PATIENCE = 10 };

static void shrinking(struct market_gradient *s, size_t n, double value)
{
    size_t n_step = s->op.problem->n_step;
    double step = FIRST_STEP * s->level_per_mwh / sqrt((double)s->round);
    double whole_kw = 0.0;

    (void)value;
    for (size_t t = 0; t < n_step; t++)
        whole_kw += s->metric_kw[t];
    for (size_t i = 0; i < n; i++)
        s->u[i] += step * s->slope[i] / sqrt(s->slope_size / whole_kw);
}

static enum walras_status subgradient_new(const struct market_problem *problem,
                                          const struct market_method_settings *settings,
                                          struct market_method **made, struct walras_err *err)
{
    return market_gradient_new(&market_subgradient_ops, shrinking, problem, settings, made, err);
}

/*
 * The optimum is guessed: a share of the way from the best bound to the best plan. The share is
 * halved when ten rounds did not close a tenth of it, and doubled when half of it was.
 */
static double guess_target(struct market_gradient *s)
{
    const struct market_recovery *r = &s->recovery;
    double away = r->objective > r->bound ? r->objective - r->bound : 0.0;

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
    }
    return r->bound + s->hope * away;
}

static void polyak(struct market_gradient *s, size_t n, double value)
{
    double step = (guess_target(s) - value) / s->slope_size;

    for (size_t i = 0; i < n; i++)
        s->u[i] += step * s->slope[i];
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
