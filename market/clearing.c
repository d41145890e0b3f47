#include "market/clearing.h"

#include "core/clock.h"
#include "market/asking.h"
#include "market/award.h"
#include "market/crew.h"
#include "market/method_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seconds between two tellings of progress within a round. */
#define TELL_AGAIN_S 0.2

struct clearing {                         /* one call of market_clear */
    const struct market_problem *problem; /* as the method sees it */
    const struct market_settings *settings;
    struct market_method *method;
    struct market_asking *asking;
    struct market_crew *crew; /* NULL: alone */
    double started_s;
    struct market_runner runner; /* the asking's threads, and whether to go on */
    double shown_s;              /* when progress was last told within a round */
    struct market_result result;
};

const char *market_outcome_name(enum market_outcome outcome)
{
    static const char *const names[] = {"converged", "round_limit", "time_limit", "infeasible"};

    return names[outcome];
}

struct market_settings market_settings_defaults(void)
{
    return (struct market_settings){.method = MARKET_METHOD_AUTO,
                                    .master = "qp",
                                    .gap = 1e-4,
                                    .max_rounds = 500,
                                    .time_limit_s = INFINITY,
                                    .n_thread = 1,
                                    .n_point = 1};
}

void market_result_release(struct market_result *result)
{
    free(result->price_per_mwh);
    free(result->energy_price_per_mwh);
    free(result->order_kw);
    free(result->group_draw_kw);
    free(result->group_cost);
    free(result->recall_price_per_mwh);
    free(result->weight);
    free(result->point_price_per_mwh);
    free(result->binding);
    free(result->breach);
    free(result->history);
    *result = (struct market_result){0};
}

static enum walras_status no_such_method(const char *name, struct walras_err *err)
{
    char names[128] = "";
    size_t n = 0;

    for (size_t i = 0; market_methods()[i] && n < sizeof(names); i++)
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i == 0 ? "" : ", ",
                              market_methods()[i]->name);
    return walras_fail(err, WALRAS_INVALID, "there is no price method \"%s\"; there are %s", name,
                       names);
}

enum walras_status market_settings_check(const struct market_settings *settings,
                                         struct walras_err *err)
{
    if (strcmp(settings->method, MARKET_METHOD_AUTO) != 0 && !market_method_find(settings->method))
        return no_such_method(settings->method, err);
    if (strcmp(settings->master, "qp") != 0 && strcmp(settings->master, "lp") != 0)
        return walras_fail(err, WALRAS_INVALID, "the master must be qp or lp, got \"%s\"",
                           settings->master);
    if (!(settings->gap > 0.0))
        return walras_fail(err, WALRAS_INVALID, "the gap must be > 0, got %g", settings->gap);
    if (settings->max_rounds == 0 || settings->n_thread == 0 || settings->n_point == 0 ||
        settings->n_point > MARKET_MAX_POINTS)
        return walras_fail(err, WALRAS_INVALID,
                           "rounds, threads and points must be > 0, points at most %d",
                           MARKET_MAX_POINTS);
    return WALRAS_OK;
}

static void end(struct clearing *c)
{
    if (c->method)
        c->method->ops->free_method(c->method);
    market_crew_free(c->crew);
    market_asking_free(c->asking);
    market_result_release(&c->result);
}

/*
 * Of any round: a warm start first asks again what was asked before and then one more than others,
 * and some methods always ask two.
 */
static size_t most_points(const struct market_settings *settings)
{
    size_t n_warm = settings->warm.energy_price_per_mwh ? settings->warm.n_point : 0;

    return 1 + (n_warm > settings->n_point ? n_warm : settings->n_point);
}

static enum walras_status make_method(struct clearing *c,
                                      const struct market_method_settings *settings,
                                      struct walras_err *err)
{
    const struct market_method_ops *ops = market_method_find(c->settings->method);

    if (!ops)
        ops = market_method_choose(c->problem, settings);
    c->result.method = ops->name;
    return ops->new_method(c->problem, settings, &c->method, err);
}

/*
 * Within a round: is there time, and does nobody want to stop? Progress is told now and then, as
 * the round before with the time that has passed since.
 */
static bool may_go_on(void *self)
{
    struct clearing *c = self;
    double now_s = walras_monotonic_s();
    struct market_round round = {.bound = -INFINITY, .objective = NAN, .gap = NAN};

    if (now_s - c->started_s > c->settings->time_limit_s)
        return false;
    if (!c->settings->progress || now_s - c->shown_s < TELL_AGAIN_S)
        return true;
    c->shown_s = now_s;
    if (c->result.n_rounds > 0)
        round = c->result.history[c->result.n_rounds - 1];
    round.round = c->result.n_rounds + 1;
    round.elapsed_s = now_s - c->started_s;
    return c->settings->progress(c->settings->context, &round);
}

static const struct market_runner *watched_runner(struct clearing *c)
{
    c->runner = *market_asking_runner(c->asking);
    c->runner.go_on = may_go_on;
    c->runner.watch = c;
    c->shown_s = c->started_s;
    return &c->runner;
}

static enum walras_status begin(struct clearing *c, struct walras_err *err)
{
    struct market_method_settings method = {.gap = c->settings->gap,
                                            .n_point = c->settings->n_point,
                                            .master = c->settings->master,
                                            .warm = c->settings->warm};
    size_t n_round = c->settings->max_rounds;
    enum walras_status status = market_problem_check(c->problem, err);

    c->started_s = walras_monotonic_s();
    if (status == WALRAS_OK)
        status = market_settings_check(c->settings, err);
    if (status != WALRAS_OK)
        return status;
    c->result.history = calloc(n_round, sizeof(*c->result.history));
    if (!c->result.history)
        return walras_fail(err, WALRAS_NOMEM, "cannot record %zu rounds", n_round);
    status = market_asking_new(c->problem, c->settings->n_thread, most_points(c->settings),
                               &c->asking, err);
    if (status == WALRAS_OK && c->settings->ranks)
        status = market_crew_new(c->problem, c->asking, c->settings->ranks,
                                 most_points(c->settings), &c->crew, err);
    if (status == WALRAS_OK && c->crew)
        c->problem = market_crew_problem(c->crew);
    if (status == WALRAS_OK && !c->crew)
        method.runner = watched_runner(c);
    if (status == WALRAS_OK && walras_ranks_lead(c->settings->ranks))
        status = make_method(c, &method, err);
    return status;
}

static enum walras_status ask_all(struct clearing *c, const struct market_query *query,
                                  struct market_reply *reply, struct walras_err *err)
{
    const struct market_settings *settings = c->settings;
    enum walras_status status = settings->announce && query->n_point > 0
                                    ? settings->announce(settings->context, query, err)
                                    : WALRAS_OK;

    if (status != WALRAS_OK)
        return status;
    for (size_t g = 0; g < c->problem->n_group; g++)
        c->result.n_responses += query->n_point * c->problem->groups[g].n_device;
    return c->crew ? market_crew_ask(c->crew, query, reply, err)
                   : market_asking_ask(c->asking, query, reply, err);
}

/* What settling asks: one point, outside the rounds. */
static enum walras_status ask_once(void *context, const double *price_per_mwh,
                                   struct market_reply *reply, struct walras_err *err)
{
    struct clearing *c = context;
    struct market_query query = {.n_point = 1, .price_per_mwh = price_per_mwh};

    return ask_all(c, &query, reply, err);
}

static void record(struct clearing *c, const struct market_state *state, double oracle_s,
                   double method_s)
{
    struct market_round *round = &c->result.history[c->result.n_rounds++];

    *round = (struct market_round){.round = c->result.n_rounds,
                                   .dual_value = state->dual_value,
                                   .bound = state->bound,
                                   .objective = state->objective,
                                   .gap = (state->objective - state->bound) /
                                          fmax(1.0, fabs(state->objective)),
                                   .imbalance_kw = state->imbalance_kw,
                                   .price_move_per_mwh = state->price_move_per_mwh,
                                   .n_binding = state->n_binding,
                                   .oracle_s = oracle_s,
                                   .method_s = method_s,
                                   .elapsed_s = walras_monotonic_s() - c->started_s,
                                   .n_responses = c->result.n_responses};
    c->result.oracle_s += oracle_s;
    c->result.method_s += method_s;
}

static enum walras_status run_rounds(struct clearing *c, struct market_state *state,
                                     struct walras_err *err)
{
    const struct market_settings *settings = c->settings;
    bool go_on = true;

    c->result.outcome = MARKET_ROUND_LIMIT;
    while (c->result.n_rounds < settings->max_rounds) {
        double start_s = walras_monotonic_s(), asked_s = 0.0, answered_s = 0.0;
        struct market_query query = {0};
        struct market_reply reply = {0};
        enum walras_status status = c->method->ops->ask(c->method, &query, err);

        asked_s = walras_monotonic_s();
        if (status == WALRAS_OK)
            status = ask_all(c, &query, &reply, err);
        answered_s = walras_monotonic_s();
        if (status == WALRAS_OK)
            status = c->method->ops->tell(c->method, &reply, state, err);
        if (status != WALRAS_OK)
            return status;
        record(c, state, answered_s - asked_s,
               walras_monotonic_s() - answered_s + asked_s - start_s);
        if (settings->progress)
            go_on =
                settings->progress(settings->context, &c->result.history[c->result.n_rounds - 1]);
        if (state->done) {
            c->result.outcome = state->unmet_kw > 0.0 ? MARKET_INFEASIBLE : MARKET_CONVERGED;
            return WALRAS_OK;
        }
        if (query.n_point == 0)
            return WALRAS_OK; /* nobody to ask: another round would be the same */
        if (!go_on || walras_monotonic_s() - c->started_s > settings->time_limit_s) {
            c->result.outcome = MARKET_TIME_LIMIT;
            return WALRAS_OK;
        }
    }
    return WALRAS_OK;
}

/*
 * Prices have converged. So has the market, unless integer choices do not fit the limits, or the
 * plan without any costs more than the answers promised.
 */
static enum market_outcome judge(const struct clearing *c)
{
    const struct market_result *r = &c->result;
    double gap = (r->convex_objective - r->bound) / fmax(1.0, fabs(r->convex_objective));

    return r->has_plan && gap <= c->settings->gap * (1.0 + 1e-6) + 1e-12 ? MARKET_CONVERGED
                                                                         : MARKET_ROUND_LIMIT;
}

/* What rank 0 does, and everybody when there are no others. */
static enum walras_status lead(struct clearing *c, struct walras_err *err)
{
    struct market_state state = {0};
    const struct market_asker asker = {ask_once, c};
    enum walras_status status = run_rounds(c, &state, err);

    if (c->settings->ranks)
        c->result.bytes_per_round =
            (double)market_crew_bytes(c->crew) / (c->result.n_rounds > 0 ? c->result.n_rounds : 1);
    if (status == WALRAS_OK)
        status = market_award(c->problem, c->method, &asker, &state, c->settings->n_recall,
                              &c->result, err);
    if (status == WALRAS_OK && c->result.outcome == MARKET_CONVERGED)
        c->result.outcome = judge(c);
    c->result.seconds = walras_monotonic_s() - c->started_s;
    return status;
}

static enum walras_status clear_once(const struct market_problem *problem,
                                     const struct market_settings *settings,
                                     struct market_result *result, struct walras_err *err)
{
    struct clearing c = {.problem = problem, .settings = settings};
    enum walras_status status = walras_ranks_agree(settings->ranks, begin(&c, err), err);

    if (status == WALRAS_OK) {
        if (c.method) /* rank 0 has it */
            status = lead(&c, err);
        else
            market_crew_serve(c.crew);
        if (c.crew)
            status = market_crew_end(c.crew, status, &c.result, err);
    }
    if (status == WALRAS_OK) {
        *result = c.result;
        c.result = (struct market_result){0};
    }
    end(&c);
    return status;
}

/* A method that was chosen and gave up leaves the market to the one that does not. */
static bool gave_up(const struct market_settings *settings, const struct market_result *result)
{
    return strcmp(settings->method, MARKET_METHOD_AUTO) == 0 &&
           result->method == market_interior_ops.name && result->outcome == MARKET_ROUND_LIMIT &&
           result->n_rounds < settings->max_rounds;
}

enum walras_status market_clear(const struct market_problem *problem,
                                const struct market_settings *settings,
                                struct market_result *result, struct walras_err *err)
{
    enum walras_status status = clear_once(problem, settings, result, err);
    struct market_settings again = *settings;

    if (status != WALRAS_OK || !gave_up(settings, result))
        return status;
    market_result_release(result);
    again.method = market_bundle_ops.name;
    return clear_once(problem, &again, result, err);
}
