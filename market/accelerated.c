/*
 * Accelerated proximal gradient ascent with restarts.
 *
 * Model    docs/mathematics.md, "Accelerated gradient". The groups' part of the dual function is
 *          linearised at an extrapolated point z, what is open stays exact (market/operator.h). The
 *          step length follows the curvature that answers show; momentum starts anew when it points
 *          downhill.
 * Sources  Beck and Teboulle, A fast iterative shrinkage-thresholding algorithm (2009); O'Donoghue
 *          and Candès, Adaptive restart for accelerated gradient schemes (2015); Nesterov,
 * Universal gradient methods for convex optimization problems (2015), for kinks.
 */
#include "market/method_internal.h"
#include "market/operator.h"
#include "market/recovery.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROWTH  1.2 /* of the step length, a round */
#define ALLOWED 0.5 /* of the gap: a shortfall that kinks may cause */

struct accelerated {
    struct market_method method;
    struct market_recovery recovery;
    struct market_operator op;
    struct market_priced asked;
    double *z, *last_z;              /* [n_bus x n_step] prices asked at, now and before */
    double *draw_kw, *last_draw_kw;  /* [n_bus x n_step] answers to them */
    double *last_price;              /* [n_bus x n_step] of the last step */
    double groups_value, last_value; /* of the groups at z and last_z */
    double *last_energy, *u;         /* [n_step] of the last step; [n_step + n rows] of z */
    double tau, theta;               /* step length; momentum, 1: none */
    unsigned round;
};

static struct accelerated *accelerated_of(struct market_method *method)
{
    return (struct accelerated *)method;
}

static size_t n_cell(const struct accelerated *a)
{
    return a->op.problem->n_bus * a->op.problem->n_step;
}

static void accelerated_free(struct market_method *method)
{
    struct accelerated *a = accelerated_of(method);

    if (!a)
        return;
    market_recovery_end(&a->recovery, &a->op, &a->asked);
    free(a->z);
    free(a->last_energy);
    free(a->u);
    free(a);
}

static enum walras_status begin(struct accelerated *a, const struct market_problem *p,
                                const struct market_method_settings *settings,
                                struct walras_err *err)
{
    size_t n = p->n_bus * p->n_step;
    enum walras_status status =
        market_recovery_begin(&a->recovery, &a->op, &a->asked, p, settings, err);

    if (status != WALRAS_OK)
        return status;
    a->z = calloc(5 * n, sizeof(*a->z));
    a->last_energy = calloc(p->n_step, sizeof(*a->last_energy));
    if (!a->z || !a->last_energy)
        return walras_fail(err, WALRAS_NOMEM, "prices of %zu buses do not fit in memory", p->n_bus);
    a->last_z = a->z + n;
    a->draw_kw = a->last_z + n;
    a->last_draw_kw = a->draw_kw + n;
    a->last_price = a->last_draw_kw + n;
    a->tau = a->recovery.level.price_per_mwh;
    a->theta = 1.0;
    return WALRAS_OK;
}

static enum walras_status accelerated_new(const struct market_problem *problem,
                                          const struct market_method_settings *settings,
                                          struct market_method **made, struct walras_err *err)
{
    struct accelerated *a = calloc(1, sizeof(*a));
    enum walras_status status = WALRAS_OK;

    if (!a)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the accelerated method");
    a->method.ops = &market_accelerated_ops;
    status = begin(a, problem, settings, err);
    if (status != WALRAS_OK) {
        accelerated_free(&a->method);
        return status;
    }
    *made = &a->method;
    return WALRAS_OK;
}

/* z = last step + momentum · (last step - the one before), shadow prices kept in range. */
static enum walras_status extrapolate(struct accelerated *a, double momentum,
                                      struct walras_err *err)
{
    size_t n_step = a->op.problem->n_step, n = n_step + a->op.rows.n;
    const double *now = a->op.trial.u;
    double *grown = realloc(a->u, n * sizeof(*grown));

    if (!grown)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold %zu prices", n);
    a->u = grown;
    for (size_t i = 0; i < n; i++) {
        double *last =
            i < n_step ? &a->last_energy[i] : &a->op.rows.rows[i - n_step].slope_memory[0];

        a->u[i] = now[i] + momentum * (now[i] - *last);
        if (i >= n_step)
            a->u[i] = fmin(fmax(0.0, a->u[i]), a->op.rows.rows[i - n_step].breach_price_per_mwh);
        *last = now[i];
    }
    memcpy(a->last_price, a->op.trial.price, n_cell(a) * sizeof(*a->last_price));
    market_rows_price(&a->op.rows, a->u, a->z);
    return market_priced_set(&a->asked, &a->op.rows, a->u, a->z, a->recovery.reach_kw, err);
}

static enum walras_status accelerated_ask(struct market_method *method, struct market_query *query,
                                          struct walras_err *err)
{
    struct accelerated *a = accelerated_of(method);
    enum walras_status status = WALRAS_OK;

    if (a->round == 0) {
        status = market_operator_start(&a->op, &a->recovery.level, err);
        if (status == WALRAS_OK)
            status = extrapolate(a, 0.0, err);
    }
    *query = (struct market_query){.n_point = 1, .price_per_mwh = a->z};
    return status;
}

static void gather(struct accelerated *a, const struct market_reply *reply)
{
    const struct market_problem *p = a->op.problem;

    memset(a->draw_kw, 0, n_cell(a) * sizeof(*a->draw_kw));
    a->groups_value = 0.0;
    for (size_t g = 0; g < p->n_group; g++) {
        a->groups_value += reply->answers[g].bound / a->recovery.kwp_in_currency;
        for (size_t t = 0; t < p->n_step; t++)
            a->draw_kw[p->groups[g].bus * p->n_step + t] += reply->draw_kw[g * p->n_step + t];
    }
}

/*
 * How far the groups' value at one of the last two points lies below what the answers at the other
 * promised: 1/(2 tau) of the squared distance is what the step length allows, and a share of the
 * gap on top, or steps across kinks would shorten it for good.
 */
static void adapt_tau(struct accelerated *a)
{
    double forth = a->last_value - a->groups_value, back = -forth;
    double distance = market_operator_distance(&a->op, a->z, a->last_z), shortfall = 0.0;
    double gap = a->recovery.objective - a->recovery.bound; /* NAN before the first plan */

    for (size_t i = 0; i < n_cell(a); i++) {
        forth += a->last_draw_kw[i] * (a->z[i] - a->last_z[i]);
        back += a->draw_kw[i] * (a->last_z[i] - a->z[i]);
    }
    shortfall = fmax(forth, back) - (gap > 0.0 ? ALLOWED * gap : 0.0);
    if (2.0 * a->tau * shortfall > distance) {
        a->tau = 0.5 * distance / shortfall;
        a->theta = 1.0;
    } else {
        a->tau *= GROWTH;
    }
}

/* Whether the step and what led to it point in opposite directions. */
static bool points_back(const struct accelerated *a)
{
    double product = 0.0;

    for (size_t i = 0; i < n_cell(a); i++) {
        double now = a->op.trial.price[i];

        product +=
            a->op.swing_kw[i / a->op.problem->n_step] * (now - a->z[i]) * (now - a->last_price[i]);
    }
    return product < 0.0;
}

static void remember(struct accelerated *a)
{
    memcpy(a->last_z, a->z, n_cell(a) * sizeof(*a->z));
    memcpy(a->last_draw_kw, a->draw_kw, n_cell(a) * sizeof(*a->draw_kw));
    a->last_value = a->groups_value;
}

static enum walras_status take_step(struct accelerated *a, struct walras_err *err)
{
    struct market_master_settings settings = {.penalty_per_mwh = a->recovery.level.penalty_per_mwh,
                                              .tolerance =
                                                  fmin(1e-6, 0.01 * a->recovery.settings.gap),
                                              .max_iterations = 100};
    double theta = a->theta;
    enum walras_status status =
        market_operator_step(&a->op, a->z, a->tau, a->draw_kw, &settings, err);

    if (status != WALRAS_OK)
        return status;
    a->theta = 0.5 * (1.0 + sqrt(1.0 + 4.0 * theta * theta));
    if (points_back(a))
        theta = a->theta = 1.0;
    remember(a);
    return extrapolate(a, (theta - 1.0) / a->theta, err);
}

static enum walras_status accelerated_tell(struct market_method *method,
                                           const struct market_reply *reply,
                                           struct market_state *state, struct walras_err *err)
{
    struct accelerated *a = accelerated_of(method);
    double value = 0.0;
    enum walras_status status =
        market_recovery_take(&a->recovery, &a->asked, reply->answers, reply->draw_kw, &value, err);

    if (status != WALRAS_OK)
        return status;
    gather(a, reply);
    if (a->round++ > 0)
        adapt_tau(a);
    status = take_step(a, err);
    if (status == WALRAS_OK)
        status = market_recovery_try(&a->recovery, err);
    if (status == WALRAS_OK)
        market_recovery_report(&a->recovery, value, a->op.trial.info.imbalance_kw, a->z, state);
    return status;
}

static enum walras_status accelerated_learn(struct market_method *method,
                                            const double *price_per_mwh,
                                            const struct market_reply *reply,
                                            struct walras_err *err)
{
    return market_recovery_learn(&accelerated_of(method)->recovery, price_per_mwh, reply, err);
}

static enum walras_status accelerated_plan(struct market_method *method, const bool *fixed,
                                           const double *extra_draw_kw, struct market_plan *plan,
                                           struct walras_err *err)
{
    return market_recovery_plan(&accelerated_of(method)->recovery, fixed, extra_draw_kw, plan, err);
}

const struct market_method_ops market_accelerated_ops = {
    .name = "accelerated",
    .summary = "accelerated gradient steps with restarts",
    .new_method = accelerated_new,
    .free_method = accelerated_free,
    .ask = accelerated_ask,
    .tell = accelerated_tell,
    .learn = accelerated_learn,
    .plan = accelerated_plan,
};
