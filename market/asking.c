#include "market/asking.h"

#include "core/pool.h"

#include <stdlib.h>
#include <string.h>

/* An answer is two numbers. */
enum { ANSWER = sizeof(struct market_answer) / sizeof(double) };

struct market_asking {
    const struct market_problem *problem;
    struct walras_pool *pool;
    size_t n_part;                     /* of all groups */
    size_t *part_group, *part_at;      /* [n_part] whose it is and which of its parts */
    struct market_answer *part_answer; /* [n_part] */
    double *part_draw;                 /* [n_part x n_step] */
    enum walras_status *part_status;
    struct walras_err *part_err;           /* [n_part] */
    const double *asking;                  /* prices of the point that is being asked */
    const struct market_near *asking_near; /* [n_bus] or NULL: how it ties */
    double *values;               /* 0, then what the next two point into, close together */
    size_t n_value;               /* of the last query */
    struct market_answer *answer; /* [n_point x n_group] */
    double *draw;                 /* [n_point x n_group x n_step] */
    double *curvature;            /* [n_group x n_step x n_step] once it has been asked for */
};

void market_asking_free(struct market_asking *c)
{
    if (!c)
        return;
    walras_pool_free(c->pool);
    free(c->part_group);
    free(c->part_answer);
    free(c->part_draw);
    free(c->part_status);
    free(c->part_err);
    free(c->values);
    free(c->curvature);
    free(c);
}

static enum walras_status list_parts(struct market_asking *c, size_t n_point,
                                     struct walras_err *err)
{
    const struct market_problem *p = c->problem;
    size_t n = 0;

    for (size_t g = 0; g < p->n_group; g++)
        c->n_part += p->groups[g].oracle.n_part;
    c->part_group = calloc(2 * c->n_part + 1, sizeof(*c->part_group));
    c->part_answer = calloc(c->n_part + 1, sizeof(*c->part_answer));
    c->part_draw = calloc(c->n_part * p->n_step + 1, sizeof(*c->part_draw));
    c->part_status = calloc(c->n_part + 1, sizeof(*c->part_status));
    c->part_err = calloc(c->n_part + 1, sizeof(*c->part_err));
    c->values = calloc(1 + n_point * p->n_group * (ANSWER + p->n_step), sizeof(*c->values));
    if (!c->part_group || !c->part_answer || !c->part_draw || !c->part_status || !c->part_err ||
        !c->values)
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

enum walras_status market_asking_new(const struct market_problem *problem, unsigned n_thread,
                                     size_t n_point, struct market_asking **made,
                                     struct walras_err *err)
{
    struct market_asking *c = calloc(1, sizeof(*c));
    enum walras_status status = WALRAS_OK;

    if (!c)
        return walras_fail(err, WALRAS_NOMEM, "cannot ask %zu groups", problem->n_group);
    c->problem = problem;
    status = list_parts(c, n_point, err);
    if (status == WALRAS_OK)
        status = walras_pool_new(n_thread, &c->pool, err);
    if (status == WALRAS_OK)
        *made = c;
    else
        market_asking_free(c);
    return status;
}

static void ask_part(void *context, size_t part, unsigned worker)
{
    struct market_asking *c = context;
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
    struct market_asking *c = context;
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
static enum walras_status add_parts(struct market_asking *c, size_t point, struct walras_err *err)
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

/* Of groups that only jump the curvature is 0, whatever other ranks added before. */
static enum walras_status reserve_curvature(struct market_asking *c, struct walras_err *err)
{
    size_t n = c->problem->n_group * c->problem->n_step * c->problem->n_step;

    if (!c->curvature)
        c->curvature = calloc(n + 1, sizeof(*c->curvature));
    if (!c->curvature)
        return walras_fail(err, WALRAS_NOMEM, "the curvature of %zu groups does not fit in memory",
                           c->problem->n_group);
    memset(c->curvature, 0, n * sizeof(*c->curvature));
    return WALRAS_OK;
}

/* Answers and draws of a query lie close together, however many points it has. */
static void lay_out(struct market_asking *c, size_t n_point)
{
    size_t n_answer = n_point * c->problem->n_group;

    c->values[0] = 0.0;
    c->answer = (void *)(c->values + 1);
    c->draw = c->values + 1 + ANSWER * n_answer;
    c->n_value = 1 + n_answer * (ANSWER + c->problem->n_step);
}

enum walras_status market_asking_ask(struct market_asking *c, const struct market_query *query,
                                     struct market_reply *reply, struct walras_err *err)
{
    size_t n_cell = c->problem->n_bus * c->problem->n_step;
    enum walras_status status = query->curved ? reserve_curvature(c, err) : WALRAS_OK;

    lay_out(c, query->n_point);
    for (size_t i = 0; i < query->n_point && status == WALRAS_OK; i++) {
        bool curved = query->curved && i + 1 == query->n_point;

        c->asking = query->price_per_mwh + i * n_cell;
        c->asking_near = i == 0 ? query->near : NULL;
        walras_pool_run(c->pool, c->n_part, curved ? ask_curved : ask_part, c);
        status = add_parts(c, i, err);
    }
    *reply = (struct market_reply){.n_point = query->n_point,
                                   .answers = c->answer,
                                   .draw_kw = c->draw,
                                   .curvature = query->curved ? c->curvature : NULL};
    return status;
}

double *market_asking_values(struct market_asking *c, size_t *n)
{
    *n = c->n_value;
    return c->values;
}

double *market_asking_curvature(struct market_asking *c, size_t *n)
{
    *n = c->problem->n_group * c->problem->n_step * c->problem->n_step;
    return c->curvature;
}
