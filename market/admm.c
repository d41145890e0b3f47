/*
 * Exchange ADMM: participants stay near what they did before, the operator near what they asked
 * for, and the price makes both agree.
 *
 * Model    docs/mathematics.md, "Exchange ADMM". At each bus the groups' devices draw x_i, the
 *          operator delivers w; rho is tau over the mean swing of a device there, so that tau is a
 *          price. The operator's proximal problem is the master without groups
 *          (market/operator.h). Bounds and plans come from ordinary answers to the same prices.
 * Sources  Boyd et al., Distributed optimization and statistical learning via the alternating
 *          direction method of multipliers (2011), 3.4.3 and 7.3; Wohlberg, ADMM penalty parameter
 *          selection by residual balancing (2017).
 */
#include "market/method_internal.h"
#include "market/operator.h"
#include "market/recovery.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RELAXATION 1.7
#define FIRST_TAU  0.3 /* of the price level */
#define UNBALANCED 3.0
#define TAU_CHANGE 1.5
#define STALLED    0.1 /* of the gap, closed in a round */

enum { ROUNDS_PER_BALANCE = 3, LAST_BALANCE = 150 };

struct admm {
    struct market_method method;
    struct market_recovery recovery;
    struct market_operator op;
    struct market_priced asked;
    double *price;     /* [2 x n_bus x n_step]: asked with ties, asked for bounds and plans */
    double *near_kw;   /* [n_bus x n_step] what participants that can be tied draw */
    double *loose_kw;  /* [n_bus x n_step] the others, their answers averaged */
    double *wanted_kw; /* [n_bus x n_step] relaxed draw of all */
    double *given_kw;  /* [n_bus x n_step] what the operator delivers */
    double *centre_kw; /* [n_bus x n_step] sum of what tied participants stay near */
    double *shift_kw;  /* [n_bus x n_step] */
    double *n_tied;    /* [n_bus] participants */
    struct market_near *near; /* [n_bus] */
    double tau, imbalance_kw;
    unsigned round;
    bool stalled; /* the last bound closed next to nothing of the gap */
};

static struct admm *admm_of(struct market_method *method)
{
    return (struct admm *)method;
}

static size_t n_cell(const struct admm *a)
{
    return a->op.problem->n_bus * a->op.problem->n_step;
}

static bool is_tied(const struct market_group *group)
{
    return !group->integer && group->oracle.ops->respond_near;
}

static void admm_free(struct market_method *method)
{
    struct admm *a = admm_of(method);

    if (!a)
        return;
    market_recovery_end(&a->recovery, &a->op, &a->asked);
    free(a->price);
    free(a->n_tied);
    free(a->near);
    free(a);
}

static enum walras_status begin(struct admm *a, const struct market_problem *p,
                                const struct market_method_settings *settings,
                                struct walras_err *err)
{
    size_t n = p->n_bus * p->n_step;
    enum walras_status status =
        market_recovery_begin(&a->recovery, &a->op, &a->asked, p, settings, err);

    if (status != WALRAS_OK)
        return status;
    a->price = calloc(8 * n, sizeof(*a->price));
    a->n_tied = calloc(p->n_bus, sizeof(*a->n_tied));
    a->near = calloc(p->n_bus, sizeof(*a->near));
    if (!a->price || !a->n_tied || !a->near)
        return walras_fail(err, WALRAS_NOMEM, "%zu buses x %zu steps do not fit in memory",
                           p->n_bus, p->n_step);
    a->near_kw = a->price + 2 * n;
    a->loose_kw = a->near_kw + n;
    a->wanted_kw = a->loose_kw + n;
    a->given_kw = a->wanted_kw + n;
    a->centre_kw = a->given_kw + n;
    a->shift_kw = a->centre_kw + n;
    for (size_t g = 0; g < p->n_group; g++)
        if (is_tied(&p->groups[g]))
            a->n_tied[p->groups[g].bus] += (double)p->groups[g].n_device;
    a->tau = FIRST_TAU * a->recovery.level.price_per_mwh;
    return WALRAS_OK;
}

static enum walras_status admm_new(const struct market_problem *problem,
                                   const struct market_method_settings *settings,
                                   struct market_method **made, struct walras_err *err)
{
    struct admm *a = calloc(1, sizeof(*a));
    enum walras_status status = WALRAS_OK;

    if (!a)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the ADMM");
    a->method.ops = &market_admm_ops;
    status = begin(a, problem, settings, err);
    if (status != WALRAS_OK) {
        admm_free(&a->method);
        return status;
    }
    *made = &a->method;
    return WALRAS_OK;
}

/*
 * Ordinary answers to the same prices prove bounds; but once the prices stand still they say
 * nothing new. The next round they are asked at the marginal prices of the last plan instead, where
 * lies what it lacks (column generation).
 */
static enum walras_status choose_second(struct admm *a, struct walras_err *err)
{
    struct market_recovery *r = &a->recovery;
    bool for_plan = a->stalled;
    const struct market_trial *from = for_plan ? &r->plan : &a->op.trial;

    memcpy(a->price + n_cell(a), from->price, n_cell(a) * sizeof(*a->price));
    return market_priced_set(&a->asked, for_plan ? &r->rows : &a->op.rows, from->u, from->price,
                             r->reach_kw, err);
}

static enum walras_status admm_ask(struct market_method *method, struct market_query *query,
                                   struct walras_err *err)
{
    struct admm *a = admm_of(method);
    size_t n_step = a->op.problem->n_step;
    enum walras_status status = WALRAS_OK;

    if (a->round == 0)
        status = market_operator_start(&a->op, &a->recovery.level, err);
    if (status != WALRAS_OK)
        return status;
    for (size_t b = 0; b < a->op.problem->n_bus; b++)
        a->near[b] = (struct market_near){.rho_per_mwh_per_kw = a->tau * fmax(a->n_tied[b], 1.0) /
                                                                fmax(a->op.swing_kw[b], 1e-9),
                                          .relaxation = RELAXATION,
                                          .shift_kw = a->shift_kw + b * n_step,
                                          .forget = a->round == 0};
    memcpy(a->price, a->op.trial.price, n_cell(a) * sizeof(*a->price));
    *query = (struct market_query){.n_point = 2, .price_per_mwh = a->price, .near = a->near};
    return choose_second(a, err);
}

/* Draws of tied groups by bus; of the others their average so far stands in. */
static void gather(struct admm *a, const struct market_reply *reply)
{
    const struct market_problem *p = a->op.problem;
    size_t n_step = p->n_step;

    memset(a->near_kw, 0, 2 * n_cell(a) * sizeof(*a->near_kw)); /* and loose_kw */
    for (size_t g = 0; g < p->n_group; g++) {
        bool tied = is_tied(&p->groups[g]);
        const double *draw =
            tied ? reply->draw_kw + g * n_step : a->recovery.cuts.groups[g].draw_kw;
        double *bus = (tied ? a->near_kw : a->loose_kw) + p->groups[g].bus * n_step;

        for (size_t t = 0; t < n_step; t++)
            bus[t] += draw[t];
    }
    for (size_t i = 0; i < n_cell(a); i++) {
        a->centre_kw[i] = RELAXATION * a->near_kw[i] + (1.0 - RELAXATION) * a->centre_kw[i];
        a->wanted_kw[i] = a->centre_kw[i] + a->loose_kw[i];
    }
}

struct residuals { /* relative: of the draw, of the prices */
    double primal, dual;
};

/* What the operator delivers after its step, what participants stay near next, and how far apart
 * they are. */
static struct residuals agree(struct admm *a)
{
    size_t n_step = a->op.problem->n_step;
    double off = 0.0, size = 0.0, moved = 0.0, price = 0.0;

    a->imbalance_kw = 0.0;
    for (size_t i = 0; i < n_cell(a); i++) {
        double swing = a->op.swing_kw[i / n_step], tied = a->n_tied[i / n_step];
        double now = a->op.trial.price[i], draw = a->near_kw[i] + a->loose_kw[i];
        double given = a->wanted_kw[i] - swing / a->tau * (now - a->price[i]);
        double change = given - a->given_kw[i];

        a->given_kw[i] = given;
        a->shift_kw[i] = tied > 0.0 ? (a->wanted_kw[i] - given) / tied : 0.0;
        a->centre_kw[i] -= tied * a->shift_kw[i];
        a->imbalance_kw = fmax(a->imbalance_kw, fabs(draw - given));
        if (!(swing > 0.0))
            continue;
        off += (draw - given) * (draw - given) / swing;
        size += draw * draw / swing;
        moved += a->tau * a->tau * change * change / swing;
        price += swing * now * now;
    }
    return (struct residuals){sqrt(off / fmax(size, 1e-300)), sqrt(moved / fmax(price, 1e-300))};
}

/* The longer tau, the nearer participants stay and the faster prices move. */
static void balance(struct admm *a, struct residuals left)
{
    if (a->round % ROUNDS_PER_BALANCE != 0 || a->round > LAST_BALANCE)
        return;
    if (left.primal > UNBALANCED * left.dual)
        a->tau *= TAU_CHANGE;
    else if (left.dual > UNBALANCED * left.primal)
        a->tau /= TAU_CHANGE;
}

static enum walras_status admm_tell(struct market_method *method, const struct market_reply *reply,
                                    struct market_state *state, struct walras_err *err)
{
    struct admm *a = admm_of(method);
    struct market_recovery *r = &a->recovery;
    size_t n_group = a->op.problem->n_group;
    struct market_master_settings settings = {.penalty_per_mwh = r->level.penalty_per_mwh,
                                              .tolerance = fmin(1e-6, 0.01 * r->settings.gap),
                                              .max_iterations = 100};
    double value = 0.0, bound = r->bound;
    enum walras_status status =
        market_recovery_take(r, &a->asked, reply->answers + n_group,
                             reply->draw_kw + n_group * a->op.problem->n_step, &value, err);

    if (status != WALRAS_OK)
        return status;
    a->round++;
    a->stalled = !a->stalled && r->bound - bound < STALLED * (r->objective - r->bound);
    gather(a, reply);
    status = market_operator_step(&a->op, a->price, a->tau, a->wanted_kw, &settings, err);
    if (status != WALRAS_OK)
        return status;
    balance(a, agree(a));
    status = market_recovery_try(r, err);
    if (status == WALRAS_OK)
        market_recovery_report(r, value, a->imbalance_kw, a->op.trial.price, state);
    return status;
}

static enum walras_status admm_learn(struct market_method *method, const double *price_per_mwh,
                                     const struct market_reply *reply, struct walras_err *err)
{
    return market_recovery_learn(&admm_of(method)->recovery, price_per_mwh, reply, err);
}

static enum walras_status admm_plan(struct market_method *method, const bool *fixed,
                                    const double *extra_draw_kw, struct market_plan *plan,
                                    struct walras_err *err)
{
    return market_recovery_plan(&admm_of(method)->recovery, fixed, extra_draw_kw, plan, err);
}

const struct market_method_ops market_admm_ops = {
    .name = "admm",
    .summary = "exchange ADMM: participants stay near what they did",
    .new_method = admm_new,
    .free_method = admm_free,
    .ask = admm_ask,
    .tell = admm_tell,
    .learn = admm_learn,
    .plan = admm_plan,
};
