/*
 * The interior point method with the participants inside: prices, orders and every participant's
 * own variables move together along the central path.
 *
 * Model    docs/mathematics.md, "Interior". A turn tells prices and gets draws and curvature; what
 *          is asked in the method's own rounds are the prices that the path has led to, whose
 *          answers are the bound.
 * Sources  Necoara and Suykens, Interior-point Lagrangian decomposition method for separable convex
 *          optimization (2009); Mehrotra, On the implementation of a primal-dual interior point
 *          method (1992).
 */
#include "market/dual.h"
#include "market/folded.h"
#include "market/method_internal.h"
#include "market/mixture.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RAISES = 2 };

/* The first path ends where so many times the plan's cost may still be gained. */
#define FIRST_PATH 1000.0

/*
 * While the path is far from its end limits come in early, since one that comes late must first be
 * met: those used to more than 1 - FAR, later to more than 1 - NEAR.
 */
#define FAR  0.95
#define NEAR 0.1

struct interior {
    struct market_method method;
    const struct market_problem *problem;
    struct market_method_settings settings;
    double kwp_in_currency, reach_kw, unmet_tolerance_kw;
    struct market_level level;
    struct market_rows rows;
    struct market_cuts cuts; /* none: of the shape that masters read */
    struct market_folded *master;
    struct market_master_solver solver;
    struct market_parts *parts;
    struct market_trial trial;
    struct market_mixture mixture; /* of no points */
    struct market_priced asked, best;
    double bound, objective, unmet_kw; /* kW · currency/MWh */
    double tolerance;                  /* of the next path */
    unsigned n_raised;
    bool solved; /* a path has been followed to its end */
    bool stuck;  /* the last one could not be: nothing more is asked after its prices */
    bool over;
};

static struct interior *interior_of(struct market_method *method)
{
    return (struct interior *)method;
}

static void interior_free(struct market_method *method)
{
    struct interior *m = interior_of(method);

    if (!m)
        return;
    market_parts_free(m->parts);
    market_rows_release(&m->rows);
    market_cuts_release(&m->cuts);
    market_folded_free(m->master);
    market_trial_release(&m->trial);
    market_mixture_release(&m->mixture);
    market_priced_release(&m->asked);
    market_priced_release(&m->best);
    free(m);
}

static enum walras_status take_memory(struct interior *m, struct walras_err *err)
{
    const struct market_problem *p = m->problem;
    enum walras_status status = market_rows_init(&m->rows, p, err);

    if (status == WALRAS_OK)
        status = market_cuts_init(&m->cuts, p->n_group, p->n_step, err);
    if (status == WALRAS_OK)
        status = market_folded_new(p, 0, &m->master, err);
    if (status == WALRAS_OK)
        status = market_trial_init(&m->trial, p, err);
    if (status == WALRAS_OK)
        status = market_mixture_init(&m->mixture, p, err);
    if (status == WALRAS_OK)
        status = market_priced_init(&m->asked, p, err);
    if (status == WALRAS_OK)
        status = market_priced_init(&m->best, p, err);
    if (status == WALRAS_OK)
        status = market_parts_new(p, m->settings.runner, &m->parts, err);
    return status;
}

static enum walras_status interior_new(const struct market_problem *problem,
                                       const struct market_method_settings *settings,
                                       struct market_method **made, struct walras_err *err)
{
    struct interior *m = NULL;
    enum walras_status status = WALRAS_OK;

    if (!settings->runner)
        return walras_fail(err, WALRAS_UNSUPPORTED,
                           "the method interior needs all participants in one process; the method "
                           "bundle does not");
    m = calloc(1, sizeof(*m));
    if (!m)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the interior point method");
    m->method.ops = &market_interior_ops;
    m->problem = problem;
    m->settings = *settings;
    m->kwp_in_currency = problem->step_h / 1000.0;
    m->reach_kw = market_reach_kw(problem);
    m->unmet_tolerance_kw = market_unmet_tolerance_kw(problem);
    m->bound = -INFINITY;
    m->objective = NAN;
    m->level = market_level_of(problem);
    m->tolerance = 0.8 * settings->gap;
    status = take_memory(m, err);
    if (status != WALRAS_OK) {
        interior_free(&m->method);
        return status;
    }
    m->solver = market_folded_solver_of(m->master);
    *made = &m->method;
    return WALRAS_OK;
}

static struct market_master_settings master_settings(const struct interior *m, double tolerance)
{
    return (struct market_master_settings){.penalty_per_mwh = m->level.penalty_per_mwh,
                                           .tolerance = tolerance,
                                           .max_iterations = 200,
                                           .runner = m->settings.runner};
}

/*
 * A row of every limit: from the first path to the last the market has the same zones, so that one
 * can go on where another has ended.
 */
static enum walras_status seed(struct interior *m, struct walras_err *err)
{
    size_t n_limit = market_rows_alike_limits(m->problem) > 0
                         ? grid_limits_count(m->problem->limits)
                         : 0; /* else the master is dense */
    enum walras_status status = WALRAS_OK;

    for (size_t l = 0; l < n_limit && status == WALRAS_OK; l++)
        status = market_rows_add(&m->rows, &(struct market_shadow){l, 0, 1, 0.0}, err);
    market_rows_sort(&m->rows);
    return status;
}

static enum walras_status first_prices(struct interior *m, struct walras_err *err)
{
    enum walras_status status = seed(m, err);

    return status == WALRAS_OK
               ? market_trial_open(&m->trial, &m->solver, &m->rows, &m->cuts, 1, err)
               : status;
}

/* A path that got stuck may have led to prices that are no numbers: nobody can answer those. */
static bool can_be_asked(const struct interior *m)
{
    for (size_t i = 0; i < m->problem->n_step + m->rows.n; i++)
        if (!isfinite(m->trial.u[i]))
            return false;
    return true;
}

static enum walras_status interior_ask(struct market_method *method, struct market_query *query,
                                       struct walras_err *err)
{
    struct interior *m = interior_of(method);
    enum walras_status status = m->solved ? WALRAS_OK : first_prices(m, err);

    m->over = m->over || (status == WALRAS_OK && !can_be_asked(m));
    if (status == WALRAS_OK && !m->over)
        status =
            market_priced_set(&m->asked, &m->rows, m->trial.u, m->trial.price, m->reach_kw, err);
    *query = (struct market_query){.n_point = m->over ? 0 : 1, .price_per_mwh = m->asked.price};
    return status;
}

/* Stopped on the way: what stands there meets no balance. The bound is as good as it was. */
static enum walras_status halt(struct interior *m)
{
    m->solved = m->stuck = m->over = true;
    m->objective = NAN;
    m->unmet_kw = INFINITY;
    return WALRAS_OK;
}

/*
 * The path, and the limits that turn out to bind on it; after the first goes on where that ended,
 * but when the penalty was raised.
 */
static enum walras_status follow(struct interior *m, bool raised, struct walras_err *err)
{
    struct market_master_problem ask = {
        .cuts = &m->cuts, .tau = INFINITY, .parts = m->parts, .resume = m->solved && !raised};
    struct market_master_settings settings = master_settings(m, m->tolerance);
    enum walras_status status = WALRAS_OK;

    for (double rough = FIRST_PATH; rough > 3.0 * m->tolerance && !m->solved; rough *= 0.1) {
        settings.tolerance = rough;
        m->rows.nearly = rough >= 0.1 ? FAR : NEAR;
        status = market_trial_solve(&m->trial, &m->solver, &m->rows, &ask, &settings, 1e-3, 1, err);
        if (status != WALRAS_OK)
            return status;
        if (m->trial.info.stopped)
            return halt(m);
        ask.resume = true;
    }
    settings.tolerance = m->tolerance;
    if (status == WALRAS_OK)
        status = market_trial_solve(&m->trial, &m->solver, &m->rows, &ask, &settings, 1e-8,
                                    UINT_MAX, err);
    if (status == WALRAS_OK && m->trial.info.stopped)
        return halt(m);
    m->solved = true;
    m->stuck = !m->trial.info.solved;
    m->objective = m->trial.info.primal;
    m->unmet_kw = market_mixture_unmet(&m->rows, &m->trial);
    m->tolerance *= 0.1;
    return status;
}

static double scale_of(const struct interior *m)
{
    return fmax(1.0, fabs(m->objective * m->kwp_in_currency + m->problem->firm_cost)) /
           m->kwp_in_currency;
}

/* The dual function where it was asked. */
static double take_answers(struct interior *m, const struct market_reply *reply)
{
    double value = m->asked.open;

    for (size_t g = 0; g < m->problem->n_group; g++)
        value += reply->answers[g].bound / m->kwp_in_currency;
    if (value > m->bound) {
        m->bound = value;
        market_priced_swap(&m->best, &m->asked);
    }
    return value;
}

static enum walras_status interior_tell(struct market_method *method,
                                        const struct market_reply *reply,
                                        struct market_state *state, struct walras_err *err)
{
    struct interior *m = interior_of(method);
    double money = m->kwp_in_currency, fixed = m->problem->firm_cost;
    double value = reply->n_point > 0 ? take_answers(m, reply) : m->bound;
    bool feasible = m->solved && m->unmet_kw <= m->unmet_tolerance_kw, raised = false;

    *state = (struct market_state){
        .dual_value = value * money + fixed,
        .bound = m->bound * money + fixed,
        .objective = feasible ? m->objective * money + fixed : (double)NAN,
        .n_binding = market_priced_binding(&m->best, 1e-6 * m->level.price_per_mwh)};
    state->done = m->solved && m->objective - m->bound <=
                                   (feasible ? m->settings.gap * scale_of(m)
                                             : 1e-3 * m->level.penalty_per_mwh * m->unmet_kw);
    state->unmet_kw = feasible ? 0.0 : m->unmet_kw;
    if (state->done && state->unmet_kw > 0.0 && m->n_raised < MAX_RAISES) {
        m->level.penalty_per_mwh *= 100.0; /* as the bundle does */
        m->n_raised++;
        state->done = false;
        raised = true;
    }
    m->over = m->stuck && !raised;
    return state->done || m->over ? WALRAS_OK : follow(m, raised, err);
}

static enum walras_status interior_learn(struct market_method *method, const double *price_per_mwh,
                                         const struct market_reply *reply, struct walras_err *err)
{
    (void)method, (void)price_per_mwh, (void)reply, (void)err;
    return WALRAS_OK;
}

static enum walras_status interior_plan(struct market_method *method, const bool *fixed,
                                        const double *extra_draw_kw, struct market_plan *plan,
                                        struct walras_err *err)
{
    struct interior *m = interior_of(method);
    enum walras_status status = WALRAS_OK;

    (void)fixed, (void)extra_draw_kw; /* nobody settles: all are inside */
    status = market_mixture_fill(&m->mixture, &m->cuts, &m->rows, &m->trial, NULL, err);
    if (status == WALRAS_OK && m->solved)
        status =
            market_parts_tell(m->parts, true, m->mixture.group_draw, m->mixture.group_cost, err);
    for (size_t g = 0; g < m->problem->n_group; g++)
        m->mixture.group_cost[g] *= m->kwp_in_currency;
    *plan = market_mixture_plan(&m->mixture, &m->trial, &m->best,
                                m->solved && m->unmet_kw <= m->unmet_tolerance_kw);
    return status;
}

static bool interior_takes(const struct market_problem *problem)
{
    for (size_t g = 0; g < problem->n_group; g++)
        if (!problem->groups[g].oracle.ops->interior)
            return false;
    return true;
}

const struct market_method_ops market_interior_ops = {
    .name = "interior",
    .summary = "interior point method with the participants inside",
    .takes = interior_takes,
    .new_method = interior_new,
    .free_method = interior_free,
    .ask = interior_ask,
    .tell = interior_tell,
    .learn = interior_learn,
    .plan = interior_plan,
};
