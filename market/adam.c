/*
 * Adam on the prices, the server's step of FedOpt: each price moves by its own mean slope over its
 * own mean size.
 *
 * Model    docs/mathematics.md, "Gradient methods".
 * Sources  Kingma and Ba, Adam: a method for stochastic optimization (2015); Reddi et al., Adaptive
 *          federated optimization (2021).
 */
#include "market/gradient.h"
#include "market/method_internal.h"

#include <math.h>

#define MEAN_DECAY   0.9
#define SQUARE_DECAY 0.99
#define FIRST_STEP   0.04 /* of the first prices */

enum { HALF_LIFE = 20 };

/* One price: its memory starts as if it had seen this slope in all rounds before. */
static double direction(double slope, double *mean, double *square, unsigned round)
{
    double mean_share = 1.0 - pow(MEAN_DECAY, round), square_share = 1.0 - pow(SQUARE_DECAY, round);

    if (*square <= 0.0) {
        *mean = mean_share * slope;
        *square = square_share * slope * slope;
    } else {
        *mean = MEAN_DECAY * *mean + (1.0 - MEAN_DECAY) * slope;
        *square = SQUARE_DECAY * *square + (1.0 - SQUARE_DECAY) * slope * slope;
    }
    return *square > 0.0 ? *mean / mean_share / sqrt(*square / square_share) : 0.0;
}

static void adam(struct market_gradient *s, size_t n, double value)
{
    size_t n_step = s->op.problem->n_step;
    double step = FIRST_STEP * s->level_per_mwh / sqrt(1.0 + (double)s->round / (double)HALF_LIFE);

    (void)value;
    for (size_t i = 0; i < n; i++) {
        double *memory = i < n_step ? &s->memory[2 * i] : s->op.rows.rows[i - n_step].slope_memory;

        s->u[i] += step * direction(s->slope[i], &memory[0], &memory[1], s->round);
    }
}

static enum walras_status adam_new(const struct market_problem *problem,
                                   const struct market_method_settings *settings,
                                   struct market_method **made, struct walras_err *err)
{
    return market_gradient_new(&market_adam_ops, adam, problem, settings, made, err);
}

const struct market_method_ops market_adam_ops =
    MARKET_GRADIENT_OPS("adam", "Adam, as servers of federated learning use it", adam_new);
