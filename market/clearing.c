#include "market/clearing.h"

#include "core/clock.h"
#include "core/pool.h"
#include "market/award.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct clearing { /* one call of market_clear */
    const struct market_problem *problem;
    const struct market_settings *settings;
    struct market_method *method;
    struct walras_pool *pool;
    size_t n_part;                              /* of all groups */
    size_t *part_group, *part_at;               /* [n_part] whose it is and which of its parts */
    struct market_answer *part_answer, *answer; /* [n_part], [n_point x n_group] */
    double *part_draw, *draw; /* [n_part x n_step], [n_point x n_group x n_step] */
    enum walras_status *part_status;
    struct walras_err *part_err;           /* [n_part] */
    const double *asking;                  /* prices of the point that is being asked */
    const struct market_near *asking_near; /* [n_bus] or NULL: how it ties */
    double *curvature; /* [n_group x n_step x n_step] once it has been asked for */
    double started_s;
    struct market_result result;
};

const char *market_outcome_name(enum market_outcome outcome)
{
    static const char *const names[] = {"converged", "round_limit", "time_limit", "infeasible"};

    return names[outcome];
}

struct market_settings market_settings_defaults(void)
{
    return (struct market_settings){.method = "bundle",
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
    if (!market_method_find(settings->method))
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
    walras_pool_free(c->pool);
    free(c->part_group);
    free(c->part_answer);
    free(c->answer);
    free(c->part_draw);
    free(c->draw);
    free(c->part_status);
    free(c->part_err);
    free(c->curvature);
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

static enum walras_status list_parts(struct clearing *c, struct walras_err *err)
{
    const struct market_problem *p = c->problem;
    size_t n_point = most_points(c->settings), n = 0;

    for (size_t g = 0; g < p->n_group; g++)
        c->n_part += p->groups[g].oracle.n_part;
    c->part_group = calloc(2 * c->n_part + 1, sizeof(*c->part_group));
    c->part_answer = calloc(c->n_part + 1, sizeof(*c->part_answer));
    c->part_draw = calloc(c->n_part * p->n_step + 1, sizeof(*c->part_draw));
    c->part_status = calloc(c->n_part + 1, sizeof(*c->part_status));
    c->part_err = calloc(c->n_part + 1, sizeof(*c->part_err));
    c->answer = calloc(n_point * p->n_group + 1, sizeof(*c->answer));
    c->draw = calloc(n_point * p->n_group * p->n_step + 1, sizeof(*c->draw));
    if (!c->part_group || !c->part_answer || !c->part_draw || !c->part_status || !c->part_err ||
        !c->answer || !c->draw)
        return walras_fail(err, WALRAS_NOMEM, "%zu groups in %zu parts do not fit in memory",
                           p->n_group, c->n_part);
    c->part_at = c->part_group + c->n_part;
    for (size_t g = 0; g < p->n_group; g++)
        for (size_t i = 0; i < p->groups[g].oracle.n_part; i++, n++) {
            c->part_group[n] = g;
            c->part_at[n] = i;
        }
    return WALRAS_OK;
}

static enum walras_status begin(struct clearing *c, struct walras_err *err)
{
    const struct market_method_ops *ops = market_method_find(c->settings->method);
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
    status = list_parts(c, err);
    if (status == WALRAS_OK)
        status = walras_pool_new(c->settings->n_thread, &c->pool, err);
    if (status == WALRAS_OK)
        status = ops->new_method(c->problem, &method, &c->method, err);
    return status;
}

static void ask_part(void *context, size_t part, unsigned worker)
{
    struct clearing *c = context;
    size_t n_step = c->problem->n_step;
    const struct market_group *group = &c->problem->groups[c->part_group[part]];

    c->part_err[part] = (struct walras_err){0};
    if (c->asking_near && group->oracle.ops->respond_near)
        c->part_status[part] = group->oracle.ops->respond_near(
            group->oracle.self, c->part_at[part], worker, c->asking + group->bus * n_step,
            &c->asking_near[group->bus], c->part_draw + part * n_step, &c->part_answer[part],
            &c->part_err[part]);
    else
        c->part_status[part] = group->oracle.ops->respond(
            group->oracle.self, c->part_at[part], worker, c->asking + group->bus * n_step,
            c->part_draw + part * n_step, &c->part_answer[part], &c->part_err[part]);
}

/*
 * A group that tells its curvature answers whole, into its first part; its other parts are zero.
 * The parts of a group that only jumps answer as ever.
 */
static void ask_curved(void *context, size_t part, unsigned worker)
{
    struct clearing *c = context;
    size_t n_step = c->problem->n_step, g = c->part_group[part];
    const struct market_group *group = &c->problem->groups[g];
    double *curvature = c->curvature + g * n_step * n_step;

    if (!group->oracle.ops->respond_curved) {
        ask_part(c, part, worker);
        return;
    }
    c->part_err[part] = (struct walras_err){0};
    c->part_status[part] = WALRAS_OK;
    c->part_answer[part] = (struct market_answer){0};
    memset(c->part_draw + part * n_step, 0, n_step * sizeof(*c->part_draw));
    if (c->part_at[part] == 0)
        c->part_status[part] = group->oracle.ops->respond_curved(
            group->oracle.self, worker, c->asking + group->bus * n_step,
            c->part_draw + part * n_step, &c->part_answer[part], curvature, &c->part_err[part]);
}

/* Part sums in part order: the same whoever computed them. */
static enum walras_status add_parts(struct clearing *c, size_t point, struct walras_err *err)
{
    size_t n_step = c->problem->n_step, n_group = c->problem->n_group;
    struct market_answer *answer = c->answer + point * n_group;
    double *draw = c->draw + point * n_group * n_step;

    memset(answer, 0, n_group * sizeof(*answer));
    memset(draw, 0, n_group * n_step * sizeof(*draw));
    for (size_t part = 0; part < c->n_part; part++) {
        size_t g = c->part_group[part];

        if (c->part_status[part] != WALRAS_OK)
            return walras_fail(err, c->part_status[part], "%s", c->part_err[part].msg);
        answer[g].cost += c->part_answer[part].cost;
        answer[g].bound += c->part_answer[part].bound;
        for (size_t t = 0; t < n_step; t++)
            draw[g * n_step + t] += c->part_draw[part * n_step + t];
    }
    return WALRAS_OK;
}

/* Of groups that only jump the curvature stays at 0. */
static enum walras_status reserve_curvature(struct clearing *c, struct walras_err *err)
{
    size_t n_step = c->problem->n_step;

    if (!c->curvature)
        c->curvature = calloc(c->problem->n_group * n_step * n_step + 1, sizeof(*c->curvature));
    return c->curvature ? WALRAS_OK
                        : walras_fail(err, WALRAS_NOMEM,
                                      "the curvature of %zu groups does not fit in memory",
                                      c->problem->n_group);
}

static enum walras_status ask_all(struct clearing *c, const struct market_query *query,
                                  struct walras_err *err)
{
    size_t n_cell = c->problem->n_bus * c->problem->n_step;
    enum walras_status status = query->curved ? reserve_curvature(c, err) : WALRAS_OK;

    for (size_t i = 0; i < query->n_point && status == WALRAS_OK; i++) {
        bool curved = query->curved && i + 1 == query->n_point;

        c->asking = query->price_per_mwh + i * n_cell;
        c->asking_near = i == 0 ? query->near : NULL;
        walras_pool_run(c->pool, c->n_part, curved ? ask_curved : ask_part, c);
        status = add_parts(c, i, err);
        for (size_t g = 0; g < c->problem->n_group; g++)
            c->result.n_responses += c->problem->groups[g].n_device;
    }
    return status;
}

/* What settling asks: one point, outside the rounds. */
static enum walras_status ask_once(void *context, const double *price_per_mwh,
                                   struct market_reply *reply, struct walras_err *err)
{
    struct clearing *c = context;
    struct market_query query = {.n_point = 1, .price_per_mwh = price_per_mwh};

    *reply = (struct market_reply){.n_point = 1, .answers = c->answer, .draw_kw = c->draw};
    return ask_all(c, &query, err);
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
        struct market_reply reply = {.answers = c->answer, .draw_kw = c->draw};
        enum walras_status status = c->method->ops->ask(c->method, &query, err);

        asked_s = walras_monotonic_s();
        if (status == WALRAS_OK)
            status = ask_all(c, &query, err);
        answered_s = walras_monotonic_s();
        reply.n_point = query.n_point;
        reply.curvature = query.curved ? c->curvature : NULL;
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

enum walras_status market_clear(const struct market_problem *problem,
                                const struct market_settings *settings,
                                struct market_result *result, struct walras_err *err)
{
    struct clearing c = {.problem = problem, .settings = settings};
    struct market_state state = {0};
    const struct market_asker asker = {ask_once, &c};
    enum walras_status status = begin(&c, err);

    if (status == WALRAS_OK)
        status = run_rounds(&c, &state, err);
    if (status == WALRAS_OK)
        status =
            market_award(problem, c.method, &asker, &state, settings->n_recall, &c.result, err);
    if (status == WALRAS_OK && c.result.outcome == MARKET_CONVERGED)
        c.result.outcome = judge(&c);
    if (status == WALRAS_OK) {
        c.result.seconds = walras_monotonic_s() - c.started_s;
        *result = c.result;
        c.result = (struct market_result){0};
    }
    end(&c);
    return status;
}
