/*
 * The proximal bundle with one cut per group and answer.
 *
 * Model    docs/mathematics.md, "Bundle": the dual function q is bounded from above by the model
 *          m(u) = open part + Σ_g min_j (F_gj + price · X_gj). The next prices maximise
 *          m(u) - 1/(2 tau) Σ_b S_b |price_b - centre_b|². The centre is the best point so far;
 *          tau follows how well the model foretold the gain. The plan is the model without the
 *          proximal term: the restricted master, whose convex weights balance exactly.
 * Sources  Kiwiel, Proximity control in bundle methods (1990); Lemaréchal and Sagastizábal,
 *          Variable metric bundle methods (1997); Barahona and Anbil, The volume algorithm (2000),
 *          for plans from weights.
 */
#include "market/bundle_internal.h"
#include "market/dual.h"
#include "market/method_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_MASTERS = 12, MAX_RAISES = 2 };

static void bundle_free(struct market_method *method)
{
    struct bundle *b = bundle_of(method);

    if (!b)
        return;
    for (size_t i = 0; b->asked && i < b->asked_room; i++)
        market_priced_release(&b->asked[i]);
    market_rows_release(&b->rows);
    market_cuts_release(&b->cuts);
    market_folded_free(b->master);
    market_master_lp_free(b->master_lp);
    market_trial_release(&b->step);
    market_trial_release(&b->restricted);
    market_priced_release(&b->centre);
    market_mixture_release(&b->mixture);
    free(b->asked);
    free(b->asked_price);
    free(b->curvature);
    free(b->centre_cost);
    free(b);
}

static enum walras_status take_memory(struct bundle *b, struct walras_err *err)
{
    size_t n_point = b->settings.n_point;
    enum walras_status status = WALRAS_OK;

    if (bundle_is_warm(b)) /* a plan's prices too; see warm_query */
        n_point = 1 + (b->settings.warm.n_point > n_point ? b->settings.warm.n_point : n_point);
    b->asked_room = n_point;
    b->asked = calloc(n_point, sizeof(*b->asked));
    b->asked_price = calloc(n_point * bundle_n_cell(b), sizeof(*b->asked_price));
    b->centre_cost = calloc(b->problem->n_group + 1, sizeof(*b->centre_cost));
    if (!b->asked || !b->asked_price || !b->centre_cost)
        return walras_fail(err, WALRAS_NOMEM, "bundle: %zu price points do not fit in memory",
                           n_point);
    for (size_t i = 0; i < n_point && status == WALRAS_OK; i++)
        status = market_priced_init(&b->asked[i], b->problem, err);
    if (status == WALRAS_OK)
        status = market_priced_init(&b->centre, b->problem, err);
    if (status == WALRAS_OK)
        status = market_mixture_init(&b->mixture, b->problem, err);
    return status;
}

static enum walras_status make_master(struct bundle *b, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    if (strcmp(b->settings.master, "lp") == 0) {
        status = market_master_lp_new(b->problem, &b->master_lp, err);
        b->solver = market_master_lp_solver_of(b->master_lp);
    } else {
        status = market_folded_new(b->problem, 0, &b->master, err);
        b->solver = market_folded_solver_of(b->master);
    }
    return status;
}

static enum walras_status make_bundle(const struct market_method_ops *ops,
                                      const struct market_problem *problem,
                                      const struct market_method_settings *settings,
                                      struct market_method **made, struct walras_err *err)
{
    struct bundle *b = calloc(1, sizeof(*b));
    enum walras_status status = WALRAS_OK;

    if (!b)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the bundle");
    b->method.ops = ops;
    b->problem = problem;
    b->settings = *settings;
    b->kwp_in_currency = problem->step_h / 1000.0;
    b->reach_kw = market_reach_kw(problem);
    b->unmet_tolerance_kw = market_unmet_tolerance_kw(problem);
    b->bound = -INFINITY;
    b->objective = NAN;
    b->level = market_level_of(problem);
    status = take_memory(b, err);
    if (status == WALRAS_OK)
        status = market_rows_init(&b->rows, problem, err);
    if (status == WALRAS_OK)
        status = market_cuts_init(&b->cuts, problem->n_group, problem->n_step, err);
    if (status == WALRAS_OK)
        status = make_master(b, err);
    if (status == WALRAS_OK)
        status = market_trial_init(&b->step, problem, err);
    if (status == WALRAS_OK)
        status = market_trial_init(&b->restricted, problem, err);
    if (status != WALRAS_OK) {
        bundle_free(&b->method);
        return status;
    }
    *made = &b->method;
    return WALRAS_OK;
}

static enum walras_status bundle_new(const struct market_problem *problem,
                                     const struct market_method_settings *settings,
                                     struct market_method **made, struct walras_err *err)
{
    return make_bundle(&market_bundle_ops, problem, settings, made, err);
}

/* The LP master has no metric: Newton steps are always the structured master's. */
static enum walras_status newton_new(const struct market_problem *problem,
                                     const struct market_method_settings *settings,
                                     struct market_method **made, struct walras_err *err)
{
    struct market_method_settings with_qp = *settings;
    size_t size = problem->n_group * problem->n_step * problem->n_step;

    with_qp.master = "qp";
    enum walras_status status = make_bundle(&market_newton_ops, problem, &with_qp, made, err);

    if (status != WALRAS_OK)
        return status;
    bundle_of(*made)->curvature = calloc(size + 1, sizeof(double));
    if (bundle_of(*made)->curvature)
        return WALRAS_OK;
    bundle_free(*made);
    *made = NULL;
    return walras_fail(err, WALRAS_NOMEM, "the curvature of %zu groups does not fit in memory",
                       problem->n_group);
}

/* What a group's answers are known to cost now: in its cuts, the plan and the bound (eq. H3). */
static void revise_group(struct bundle *b, size_t g, const double *cost)
{
    const struct market_group_cuts *cuts = &b->cuts.groups[g];
    double more = 0.0;

    for (size_t j = 0; j < cuts->n; j++)
        more -= cuts->cuts[j].mixed * cuts->cuts[j].cost;
    market_cuts_revise(&b->cuts, g, cost, b->kwp_in_currency);
    for (size_t j = 0; j < cuts->n; j++)
        more += cuts->cuts[j].mixed * cuts->cuts[j].cost;
    b->objective += more;
    b->restricted.info.primal += more;
    if (isinf(b->bound))
        return;
    b->bound += (cost[b->centre_point] - b->centre_cost[g]) / b->kwp_in_currency;
    b->centre_cost[g] = cost[b->centre_point];
}

static void revise(struct bundle *b)
{
    for (size_t g = 0; g < b->problem->n_group; g++) {
        const struct market_oracle *oracle = &b->problem->groups[g].oracle;
        const double *cost = oracle->ops->revised ? oracle->ops->revised(oracle->self) : NULL;

        if (!cost)
            continue;
        b->inferred = true;
        revise_group(b, g, cost);
    }
}

/* Cuts of all groups from their answers to `price`. */
static enum walras_status add_cuts(struct bundle *b, const double *price,
                                   const struct market_answer *answers, const double *draw_kw,
                                   struct walras_err *err)
{
    size_t n_step = b->problem->n_step;
    enum walras_status status = market_mixture_add_point(&b->mixture, price, err);

    for (size_t g = 0; g < b->problem->n_group && status == WALRAS_OK; g++)
        status = market_cuts_add(&b->cuts, g, b->mixture.n_point - 1, draw_kw + g * n_step,
                                 answers[g].cost / b->kwp_in_currency, err);
    return status;
}

/* Takes the answers to one point in; *value is the dual function there. */
static enum walras_status take_answers(struct bundle *b, const struct market_reply *reply,
                                       size_t point, double *value, struct walras_err *err)
{
    size_t n_group = b->problem->n_group;
    const struct market_answer *answers = reply->answers + point * n_group;

    *value = b->asked[point].open;
    for (size_t g = 0; g < n_group; g++)
        *value += answers[g].bound / b->kwp_in_currency;
    return add_cuts(b, b->asked[point].price, answers,
                    reply->draw_kw + point * n_group * b->problem->n_step, err);
}

static enum walras_status bundle_learn(struct market_method *method, const double *price_per_mwh,
                                       const struct market_reply *reply, struct walras_err *err)
{
    revise(bundle_of(method));
    return add_cuts(bundle_of(method), price_per_mwh, reply->answers, reply->draw_kw, err);
}

/*
 * How near plan and bound must come. That a need cannot be met is known when next to all of its
 * penalty is in the bound, whatever the gap: a wide one proves nothing about needs, and rounding
 * times the penalty may exceed a small one for good.
 */
static double near_enough(const struct bundle *b, bool feasible)
{
    return feasible ? b->settings.gap * bundle_scale_of(b, b->objective)
                    : 1e-3 * b->level.penalty_per_mwh * b->unmet_kw;
}

/* Of one group: the plan's answers against those at the centre. */
static enum walras_status doubt_group(struct bundle *b, size_t g, struct walras_err *err)
{
    const struct market_oracle *oracle = &b->problem->groups[g].oracle;
    const struct market_group_cuts *cuts = &b->cuts.groups[g];
    size_t *point = calloc(cuts->n + 1, sizeof(*point)), n = 0;
    double *weight = calloc(cuts->n + 1, sizeof(*weight)), doubt = 0.0;
    enum walras_status status = WALRAS_OK;

    if (!point || !weight)
        status = walras_fail(err, WALRAS_NOMEM, "cannot weigh %zu answers", cuts->n);
    for (size_t j = 0; status == WALRAS_OK && j < cuts->n; j++)
        if (cuts->cuts[j].mixed > 0.0) {
            point[n] = cuts->cuts[j].point;
            weight[n++] = cuts->cuts[j].mixed;
        }
    if (status == WALRAS_OK)
        status = oracle->ops->doubt(oracle->self, b->centre_point, point, weight, n, &doubt, err);
    b->doubt += doubt / b->kwp_in_currency;
    free(weight);
    free(point);
    return status;
}

/* What is near by costs that are only inferred may be far by those that are (eq. H3). */
static enum walras_status weigh_doubt(struct bundle *b, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    b->doubt = 0.0;
    if (!(b->objective - b->bound <= near_enough(b, b->unmet_kw <= b->unmet_tolerance_kw)))
        return WALRAS_OK; /* it would change nothing */
    for (size_t g = 0; g < b->problem->n_group && status == WALRAS_OK; g++)
        if (b->problem->groups[g].oracle.ops->doubt)
            status = doubt_group(b, g, err);
    return status;
}

/* A plan far below the bound comes of costs inferred from answers that contradict each other. */
static bool is_near(const struct bundle *b, bool feasible)
{
    double apart = b->objective - b->bound, most = near_enough(b, feasible);

    return apart + b->doubt <= most && (apart >= -most || !b->inferred);
}

static void report(const struct bundle *b, double value, struct market_state *state)
{
    double money = b->kwp_in_currency, fixed = b->problem->firm_cost;
    bool feasible = b->unmet_kw <= b->unmet_tolerance_kw;

    *state =
        (struct market_state){.dual_value = value * money + fixed,
                              .bound = b->bound * money + fixed,
                              .objective = feasible ? b->objective * money + fixed : (double)NAN,
                              .imbalance_kw = b->step.info.imbalance_kw};
    state->done = is_near(b, feasible);
    state->unmet_kw = feasible ? 0.0 : b->unmet_kw;
    state->n_binding = market_priced_binding(&b->centre, 1e-6 * b->level.price_per_mwh);
    for (size_t i = 0; i < bundle_n_cell(b) && b->n_asked > 0; i++)
        state->price_move_per_mwh =
            fmax(state->price_move_per_mwh, fabs(b->asked_price[i] - b->centre.price[i]));
}

/* A market without groups: the restricted master is the market. */
static enum walras_status tell_open_market(struct bundle *b, struct market_state *state,
                                           struct walras_err *err)
{
    enum walras_status status = bundle_solve_restricted(b, err);

    for (; status == WALRAS_OK && b->unmet_kw > b->unmet_tolerance_kw && b->n_raised < MAX_RAISES;
         b->n_raised++) {
        b->level.penalty_per_mwh *= 100.0;
        status = bundle_solve_restricted(b, err);
    }
    if (status == WALRAS_OK)
        status = bundle_query_trial(b, &b->restricted, err);
    if (status != WALRAS_OK)
        return status;
    market_priced_swap(&b->centre, &b->asked[0]);
    b->bound = b->centre.open;
    report(b, b->bound, state);
    state->done = state->done || state->unmet_kw > 0.0;
    b->n_asked = 0;
    return WALRAS_OK;
}

/* To a point of the reply, whose cuts have been added: it has the best bound so far. */
static void move_centre(struct bundle *b, const struct market_reply *reply, size_t point,
                        double bound)
{
    b->bound = bound;
    b->centre_point = b->mixture.n_point - reply->n_point + point;
    for (size_t g = 0; g < b->problem->n_group; g++)
        b->centre_cost[g] = reply->answers[point * b->problem->n_group + g].cost;
    market_priced_swap(&b->centre, &b->asked[point]);
}

static enum walras_status bundle_tell(struct market_method *method,
                                      const struct market_reply *reply, struct market_state *state,
                                      struct walras_err *err)
{
    struct bundle *b = bundle_of(method);
    double best = -INFINITY, lead = -INFINITY, old_bound = 0.0;
    size_t best_point = 0;
    enum walras_status status = WALRAS_OK;

    b->round++;
    if (b->problem->n_group == 0)
        return tell_open_market(b, state, err);
    revise(b);
    old_bound = b->bound;
    for (size_t i = 0; i < reply->n_point; i++) {
        double value = 0.0;

        status = take_answers(b, reply, i, &value, err);
        if (status != WALRAS_OK)
            return status;
        if (i == bundle_lead_point(b))
            lead = value;
        if (value > best) {
            best = value;
            best_point = i;
        }
    }
    if (b->round > 1)
        bundle_adapt_tau(b, lead - old_bound, b->foretold - old_bound,
                         0.5 * b->settings.gap * bundle_scale_of(b, b->next_value));
    if (best > b->bound) {
        move_centre(b, reply, best_point, best);
        if (reply->curvature && best_point == bundle_lead_point(b))
            memcpy(b->curvature, reply->curvature,
                   b->problem->n_group * b->problem->n_step * b->problem->n_step *
                       sizeof(*b->curvature));
    }
    market_cuts_drop_idle(&b->cuts, IDLE_MASTERS);
    market_rows_drop_idle(&b->rows, 4 * IDLE_MASTERS);
    b->n_asked = 0;
    status = bundle_next_queries(b, err);
    if (status != WALRAS_OK)
        return status;
    bundle_remember_weights(b, &b->step, false);
    status = bundle_make_plan(b, err);
    if (status == WALRAS_OK)
        status = weigh_doubt(b, err);
    if (status == WALRAS_OK)
        report(b, best, state);
    if (state->done && state->unmet_kw > 0.0 && b->n_raised < MAX_RAISES) {
        b->level.penalty_per_mwh *= 100.0; /* is it unmet at any price, or was the price too low? */
        b->n_raised++;
        b->objective = NAN; /* that plan was priced with the old one */
        state->done = false;
    }
    return status;
}

const struct market_method_ops market_newton_ops = {
    .name = "newton",
    .summary = "the bundle with the curvature that devices tell",
    .new_method = newton_new,
    .free_method = bundle_free,
    .ask = bundle_ask,
    .tell = bundle_tell,
    .learn = bundle_learn,
    .plan = bundle_plan,
};

const struct market_method_ops market_bundle_ops = {
    .name = "bundle",
    .summary = "proximal bundle with one cut per group and answer",
    .new_method = bundle_new,
    .free_method = bundle_free,
    .ask = bundle_ask,
    .tell = bundle_tell,
    .learn = bundle_learn,
    .plan = bundle_plan,
};
