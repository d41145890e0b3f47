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
#include "market/dual.h"
#include "market/folded.h"
#include "market/master_lp.h"
#include "market/method_internal.h"
#include "market/mixture.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_PASSES = 3, IDLE_MASTERS = 12, ROUNDS_PER_PLAN = 5, MAX_RAISES = 2 };

/*
 * The first step length, in what energy costs. What the steps had come to in the clearing before is
 * no guide for a warm start: they end long.
 */
#define FIRST_STEP 3.0

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
    double *curvature; /* newton: [n_group x n_step x n_step] of the answers there; else NULL */
    double objective, unmet_kw; /* of the restricted master; NAN: not solved yet */
    unsigned next_plan;         /* round to make the next plan in, at the earliest */
    unsigned planned;           /* round it was solved in: weights are of the cuts of that round */
    struct market_mixture mixture;
};

static struct bundle *bundle_of(struct market_method *method)
{
    return (struct bundle *)method;
}

static size_t n_cell(const struct bundle *b)
{
    return b->problem->n_bus * b->problem->n_step;
}

static bool is_warm(const struct bundle *b)
{
    return b->settings.warm.energy_price_per_mwh != NULL;
}

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
    free(b);
}

static enum walras_status take_memory(struct bundle *b, struct walras_err *err)
{
    size_t n_point = b->settings.n_point;
    enum walras_status status = WALRAS_OK;

    if (is_warm(b)) /* a plan's prices too; see warm_query */
        n_point = 1 + (b->settings.warm.n_point > n_point ? b->settings.warm.n_point : n_point);
    b->asked_room = n_point;
    b->asked = calloc(n_point, sizeof(*b->asked));
    b->asked_price = calloc(n_point * n_cell(b), sizeof(*b->asked_price));
    if (!b->asked || !b->asked_price)
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

static struct market_master_settings master_settings(const struct bundle *b, double accuracy)
{
    return (struct market_master_settings){
        .penalty_per_mwh = b->level.penalty_per_mwh, .tolerance = accuracy, .max_iterations = 100};
}

/* The model at a trial's prices, from the cuts themselves. */
static double model_value(const struct bundle *b, const struct market_trial *trial)
{
    size_t n_step = b->problem->n_step;
    double value = market_dual_open_part(&b->rows, trial->u, trial->price, b->reach_kw);

    for (size_t g = 0; g < b->problem->n_group; g++) {
        const struct market_group_cuts *cuts = &b->cuts.groups[g];
        const double *price = trial->price + b->problem->groups[g].bus * n_step;
        double least = INFINITY;

        for (size_t j = 0; j < cuts->n; j++) {
            double cut = cuts->cuts[j].cost;

            for (size_t t = 0; t < n_step; t++)
                cut += price[t] * cuts->draw_kw[j * n_step + t];
            least = fmin(least, cut);
        }
        value += least;
    }
    return value;
}

/* Puts a trial's prices into the open query. */
static enum walras_status query_trial(struct bundle *b, const struct market_trial *trial,
                                      struct walras_err *err)
{
    size_t i = b->n_asked++;

    memcpy(b->asked_price + i * n_cell(b), trial->price, n_cell(b) * sizeof(*trial->price));
    return market_priced_set(&b->asked[i], &b->rows, trial->u, trial->price, b->reach_kw, err);
}

/*
 * How long the first steps are: what energy costs before anybody is asked. The mean of all open
 * prices would count those of last resort, such as the price of shedding load.
 */
static void start_tau(struct bundle *b, const double *energy_price_per_mwh, double levels)
{
    size_t n_step = b->problem->n_step;
    double sum = 0.0;

    for (size_t t = 0; t < n_step; t++)
        sum += fabs(energy_price_per_mwh[t]) / (double)n_step;
    sum = fmin(fmax(sum, 1e-3 * b->level.price_per_mwh), b->level.price_per_mwh);
    b->tau = levels * sum;
}

/* Before any answer: prices at which what is open meets the firm draw. */
static enum walras_status first_query(struct bundle *b, struct walras_err *err)
{
    bool *skip = malloc(b->problem->n_group + 1);
    struct market_master_settings settings = master_settings(b, 1e-3);
    struct market_master_problem ask = {.cuts = &b->cuts, .tau = INFINITY, .skip_group = skip};
    enum walras_status status = WALRAS_OK;

    if (!skip)
        return walras_fail(err, WALRAS_NOMEM, "cannot start the bundle");
    memset(skip, 1, b->problem->n_group);
    settings.penalty_per_mwh = 2.0 * b->level.price_per_mwh;
    status =
        market_trial_solve(&b->step, &b->solver, &b->rows, &ask, &settings, 1e-3, UINT_MAX, err);
    free(skip);
    start_tau(b, b->step.u, b->master_lp ? 0.5 : FIRST_STEP);
    return status == WALRAS_OK ? query_trial(b, &b->step, err) : status;
}

/*
 * What was asked before is asked again, with the limits that were full then. Only of the best
 * prices is known what they are made of; the others bring answers, no bound.
 */
static enum walras_status warm_query(struct bundle *b, struct walras_err *err)
{
    const struct market_warm *warm = &b->settings.warm;
    size_t n_step = b->problem->n_step;
    enum walras_status status = WALRAS_OK;
    double *u = NULL;

    for (size_t i = 0; i < warm->n_shadow && status == WALRAS_OK; i++)
        status = market_rows_add(&b->rows, &warm->shadows[i], err);
    market_rows_sort(&b->rows);
    u = malloc(market_rows_size(&b->rows) * sizeof(*u));
    if (status == WALRAS_OK && !u)
        status = walras_fail(err, WALRAS_NOMEM, "cannot start the bundle");
    if (status == WALRAS_OK) {
        memcpy(u, warm->energy_price_per_mwh, n_step * sizeof(*u));
        for (size_t a = 0; a < b->rows.n; a++)
            u[n_step + a] = fmin(fmax(b->rows.rows[a].shadow_price_per_mwh, 0.0),
                                 b->problem->breach_price_per_mwh);
        memcpy(b->step.energy_guess, u, n_step * sizeof(*u));
        market_rows_price(&b->rows, u, b->asked_price);
        status = market_priced_set(&b->asked[0], &b->rows, u, b->asked_price, b->reach_kw, err);
    }
    free(u);
    for (size_t i = 0; i < warm->n_point && status == WALRAS_OK; i++) {
        const double *price = warm->point_price_per_mwh + i * n_cell(b);

        memcpy(b->asked_price + (i + 1) * n_cell(b), price, n_cell(b) * sizeof(*price));
        memcpy(b->asked[i + 1].price, price, n_cell(b) * sizeof(*price));
        b->asked[i + 1].open = -INFINITY;
    }
    b->n_asked = 1 + warm->n_point;
    start_tau(b, warm->energy_price_per_mwh, FIRST_STEP);
    return status;
}

/* The point asked with the plain tau, which drives it: with curvature the last, which tells it. */
static size_t lead_point(const struct bundle *b)
{
    return b->curvature ? b->settings.n_point - 1 : 0;
}

/* What curvature takes off the model at a trial's prices. */
static double bend(const struct bundle *b, const struct market_trial *trial)
{
    size_t n_step = b->problem->n_step;
    double sum = 0.0;

    for (size_t g = 0; g < b->problem->n_group && b->curvature; g++) {
        size_t first = b->problem->groups[g].bus * n_step;
        const double *now = trial->price + first, *centre = b->centre.price + first;
        const double *curvature = b->curvature + g * n_step * n_step;

        for (size_t t = 0; t < n_step; t++)
            for (size_t s = 0; s < n_step; s++)
                sum +=
                    0.5 * curvature[t * n_step + s] * (now[t] - centre[t]) * (now[s] - centre[s]);
    }
    return sum;
}

static double point_factor(size_t i)
{
    static const double factors[] = {1.0, 0.2, 0.5, 2.0, 8.0};

    return i < 5 ? factors[i] : pow(2.0, (double)i - 1.0);
}

static enum walras_status next_queries(struct bundle *b, struct walras_err *err)
{
    for (size_t i = 0; i < b->settings.n_point; i++) {
        struct market_master_settings settings =
            master_settings(b, fmin(1e-6, 0.01 * b->settings.gap));
        struct market_master_problem ask = {
            .cuts = &b->cuts,
            .centre = b->centre.price,
            .tau = b->tau * point_factor(i > lead_point(b) ? i - lead_point(b) : lead_point(b) - i),
            .curvature = b->curvature};
        enum walras_status status = market_trial_solve(&b->step, &b->solver, &b->rows, &ask,
                                                       &settings, 1e-5, STEP_PASSES, err);

        if (status == WALRAS_OK)
            status = query_trial(b, &b->step, err);
        if (status != WALRAS_OK)
            return status;
        if (i == lead_point(b)) {
            b->next_value = model_value(b, &b->step);
            b->foretold = b->next_value - bend(b, &b->step);
        }
    }
    return WALRAS_OK;
}

static enum walras_status bundle_ask(struct market_method *method, struct market_query *query,
                                     struct walras_err *err)
{
    struct bundle *b = bundle_of(method);
    enum walras_status status = WALRAS_OK;

    if (b->n_asked == 0 && b->problem->n_group > 0 && b->round == 0)
        status = is_warm(b) ? warm_query(b, err) : first_query(b, err);
    *query = (struct market_query){.n_point = b->n_asked, .price_per_mwh = b->asked_price};
    query->curved = b->curvature && (b->round > 0 || !is_warm(b)); /* warm, the last is not ours */
    return status;
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
    return add_cuts(bundle_of(method), price_per_mwh, reply->answers, reply->draw_kw, err);
}

/* What the gap is relative to: the whole cost, firm costs too, or one unit of currency. */
static double scale_of(const struct bundle *b, double value)
{
    return fmax(1.0, fabs(value * b->kwp_in_currency + b->problem->firm_cost)) / b->kwp_in_currency;
}

/*
 * A model that foretold the gain well may be trusted further, one that did not less. Where there is
 * next to nothing left to gain, the prices are found and the plan is not: steps grow towards those
 * of the plan's own prices, whose answers are what would make it cheaper.
 */
static void adapt_tau(struct bundle *b, double gain, double foretold_gain, double little)
{
    if (foretold_gain <= little || gain >= 0.8 * foretold_gain)
        b->tau *= 4.0;
    else if (gain >= 0.5 * foretold_gain)
        b->tau *= 2.0;
    else if (gain < 0.1 * foretold_gain)
        b->tau *= b->master_lp ? 0.5 : 0.85; /* a box lets prices jump to its corners */
}

static void remember_weights(struct bundle *b, const struct market_trial *trial, bool mixed)
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
    double off = (b->objective - b->bound) / (b->settings.gap * scale_of(b, b->objective));

    return off > 1.0 ? (unsigned)fmin(1.0 + 0.5 * log2(off), ROUNDS_PER_PLAN) : 1;
}

/* The plan of the answers so far: the model's maximum without the proximal term. */
static enum walras_status solve_restricted(struct bundle *b, struct walras_err *err)
{
    struct market_master_settings settings =
        master_settings(b, fmax(1e-12, fmin(1e-7, 1e-3 * b->settings.gap)));
    struct market_master_problem ask = {.cuts = &b->cuts, .tau = INFINITY};
    enum walras_status status = market_trial_solve(&b->restricted, &b->solver, &b->rows, &ask,
                                                   &settings, 1e-8, UINT_MAX, err);

    if (status != WALRAS_OK)
        return status;
    remember_weights(b, &b->restricted, true);
    b->unmet_kw = market_mixture_unmet(&b->rows, &b->restricted);
    b->objective = b->restricted.info.primal;
    b->planned = b->round;
    b->next_plan = b->round + rounds_to_go(b);
    return WALRAS_OK;
}

/* The model's value bounds the plan's cost from below: while it is far off, no plan can be near. */
static bool may_be_done(const struct bundle *b)
{
    return b->next_value - b->bound <= b->settings.gap * scale_of(b, b->next_value);
}

/*
 * A warm start has answers to mix from its first round on: it makes a plan in every round and asks
 * that plan's own prices as well. They are where the answers that it lacks are, and where steps
 * from the best prices would come to later.
 */
static enum walras_status make_plan(struct bundle *b, struct walras_err *err)
{
    bool due = b->round >= b->next_plan && (may_be_done(b) || b->round % ROUNDS_PER_PLAN == 0);
    enum walras_status status = is_warm(b) || due ? solve_restricted(b, err) : WALRAS_OK;

    if (status == WALRAS_OK && is_warm(b) && !b->curvature) /* which goes with the last point */
        status = query_trial(b, &b->restricted, err);
    return status;
}

/*
 * How near plan and bound must come. That a need cannot be met is known when next to all of its
 * penalty is in the bound, whatever the gap: a wide one proves nothing about needs, and rounding
 * times the penalty may exceed a small one for good.
 */
static double near_enough(const struct bundle *b, bool feasible)
{
    return feasible ? b->settings.gap * scale_of(b, b->objective)
                    : 1e-3 * b->level.penalty_per_mwh * b->unmet_kw;
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
    state->done = b->objective - b->bound <= near_enough(b, feasible);
    state->unmet_kw = feasible ? 0.0 : b->unmet_kw;
    state->n_binding = market_priced_binding(&b->centre, 1e-6 * b->level.price_per_mwh);
    for (size_t i = 0; i < n_cell(b) && b->n_asked > 0; i++)
        state->price_move_per_mwh =
            fmax(state->price_move_per_mwh, fabs(b->asked_price[i] - b->centre.price[i]));
}

/* A market without groups: the restricted master is the market. */
static enum walras_status tell_open_market(struct bundle *b, struct market_state *state,
                                           struct walras_err *err)
{
    enum walras_status status = solve_restricted(b, err);

    for (; status == WALRAS_OK && b->unmet_kw > b->unmet_tolerance_kw && b->n_raised < MAX_RAISES;
         b->n_raised++) {
        b->level.penalty_per_mwh *= 100.0;
        status = solve_restricted(b, err);
    }
    if (status == WALRAS_OK)
        status = query_trial(b, &b->restricted, err);
    if (status != WALRAS_OK)
        return status;
    market_priced_swap(&b->centre, &b->asked[0]);
    b->bound = b->centre.open;
    report(b, b->bound, state);
    state->done = state->done || state->unmet_kw > 0.0;
    b->n_asked = 0;
    return WALRAS_OK;
}

static enum walras_status bundle_tell(struct market_method *method,
                                      const struct market_reply *reply, struct market_state *state,
                                      struct walras_err *err)
{
    struct bundle *b = bundle_of(method);
    double best = -INFINITY, lead = -INFINITY, old_bound = b->bound;
    size_t best_point = 0;
    enum walras_status status = WALRAS_OK;

    b->round++;
    if (b->problem->n_group == 0)
        return tell_open_market(b, state, err);
    for (size_t i = 0; i < reply->n_point; i++) {
        double value = 0.0;

        status = take_answers(b, reply, i, &value, err);
        if (status != WALRAS_OK)
            return status;
        if (i == lead_point(b))
            lead = value;
        if (value > best) {
            best = value;
            best_point = i;
        }
    }
    if (b->round > 1)
        adapt_tau(b, lead - old_bound, b->foretold - old_bound,
                  0.5 * b->settings.gap * scale_of(b, b->next_value));
    if (best > b->bound) {
        b->bound = best;
        market_priced_swap(&b->centre, &b->asked[best_point]);
        if (reply->curvature && best_point == lead_point(b))
            memcpy(b->curvature, reply->curvature,
                   b->problem->n_group * b->problem->n_step * b->problem->n_step *
                       sizeof(*b->curvature));
    }
    market_cuts_drop_idle(&b->cuts, IDLE_MASTERS);
    market_rows_drop_idle(&b->rows, 4 * IDLE_MASTERS);
    b->n_asked = 0;
    status = next_queries(b, err);
    if (status != WALRAS_OK)
        return status;
    remember_weights(b, &b->step, false);
    status = make_plan(b, err);
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

static enum walras_status bundle_plan(struct market_method *method, const bool *fixed,
                                      const double *extra_draw_kw, struct market_plan *plan,
                                      struct walras_err *err)
{
    struct bundle *b = bundle_of(method);
    struct market_trial *trial = &b->restricted;
    enum walras_status status = WALRAS_OK;

    if (fixed || isnan(b->objective) || b->planned != b->round) {
        struct market_master_settings settings = master_settings(b, 1e-10);
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
