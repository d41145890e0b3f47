#include "market/asking.h"

#include "core/pool.h"

#include <stdlib.h>
#include <string.h>

/* An answer is two numbers. */
enum { ANSWER = sizeof(struct market_answer) / sizeof(double) };

struct market_asking {
    const struct market_problem *problem;
    struct walras_pool *pool;
    struct market_runner runner;
    size_t n_part;                     /* of all groups */
    size_t *part_group, *part_at;      /* [n_part] whose it is and which of its parts */
    struct market_answer *part_answer; /* [n_part] */
    double *part_draw;                 /* [n_part x n_step] */
    enum walras_status *part_status;
    struct walras_err *part_err;    /* [n_part] */
    const double *price;            /* prices of the point that is being asked */
    const struct market_near *near; /* [n_bus] or NULL: how it ties */
    double *values;                 /* 0, then what the next two point into, close together */
    size_t n_value;                 /* of the last query */
    struct market_answer *answer;   /* [n_point x n_group] */
    double *draw;                   /* [n_point x n_group x n_step] */
    double *curvature;              /* [n_group x n_step x n_step] once it has been asked for */
};

void market_asking_free(struct market_asking *asking)
{
    if (!asking)
        return;
    walras_pool_free(asking->pool);
    free(asking->part_group);
    free(asking->part_answer);
    free(asking->part_draw);
    free(asking->part_status);
    free(asking->part_err);
    free(asking->values);
    free(asking->curvature);
    free(asking);
}

static enum walras_status list_parts(struct market_asking *asking, size_t n_point,
                                     struct walras_err *err)
{
    const struct market_problem *p = asking->problem;
    size_t n = 0;

    for (size_t g = 0; g < p->n_group; g++)
        asking->n_part += p->groups[g].oracle.n_part;
    asking->part_group = calloc(2 * asking->n_part + 1, sizeof(*asking->part_group));
    asking->part_answer = calloc(asking->n_part + 1, sizeof(*asking->part_answer));
    asking->part_draw = calloc(asking->n_part * p->n_step + 1, sizeof(*asking->part_draw));
    asking->part_status = calloc(asking->n_part + 1, sizeof(*asking->part_status));
    asking->part_err = calloc(asking->n_part + 1, sizeof(*asking->part_err));
    asking->values =
        calloc(1 + n_point * p->n_group * (ANSWER + p->n_step), sizeof(*asking->values));
    if (!asking->part_group || !asking->part_answer || !asking->part_draw || !asking->part_status ||
        !asking->part_err || !asking->values)
        return walras_fail(err, WALRAS_NOMEM, "%zu groups in %zu parts do not fit in memory",
                           p->n_group, asking->n_part);
    asking->part_at = asking->part_group + asking->n_part;
    for (size_t g = 0; g < p->n_group; g++)
        for (size_t i = 0; i < p->groups[g].oracle.n_part; i++, n++) {
            asking->part_group[n] = g;
            asking->part_at[n] = i;
        }
    return WALRAS_OK;
}

static void run_jobs(void *self, size_t n, void (*job)(void *, size_t, unsigned), void *context)
{
    struct market_asking *asking = self;

    walras_pool_run(asking->pool, n, job, context);
}

const struct market_runner *market_asking_runner(struct market_asking *asking)
{
    return &asking->runner;
}

enum walras_status market_asking_new(const struct market_problem *problem, unsigned n_thread,
                                     size_t n_point, struct market_asking **made,
                                     struct walras_err *err)
{
    struct market_asking *asking = calloc(1, sizeof(*asking));
    enum walras_status status = WALRAS_OK;

    if (!asking)
        return walras_fail(err, WALRAS_NOMEM, "cannot ask %zu groups", problem->n_group);
    asking->problem = problem;
    asking->runner = (struct market_runner){.run = run_jobs, .self = asking};
    status = list_parts(asking, n_point, err);
    if (status == WALRAS_OK)
        status = walras_pool_new(n_thread, &asking->pool, err);
    if (status == WALRAS_OK)
        *made = asking;
    else
        market_asking_free(asking);
    return status;
}

static void ask_part(void *context, size_t part, unsigned worker)
{
    struct market_asking *asking = context;
    size_t n_step = asking->problem->n_step;
    const struct market_group *group = &asking->problem->groups[asking->part_group[part]];

    asking->part_err[part] = (struct walras_err){0};
    if (asking->near && group->oracle.ops->respond_near)
        asking->part_status[part] = group->oracle.ops->respond_near(
            group->oracle.self, asking->part_at[part], worker, asking->price + group->bus * n_step,
            &asking->near[group->bus], asking->part_draw + part * n_step,
            &asking->part_answer[part], &asking->part_err[part]);
    else
        asking->part_status[part] = group->oracle.ops->respond(
            group->oracle.self, asking->part_at[part], worker, asking->price + group->bus * n_step,
            asking->part_draw + part * n_step, &asking->part_answer[part], &asking->part_err[part]);
}

/*
 * A group that tells its curvature answers whole, into its first part; its other parts are zero.
 * The parts of a group that only jumps answer as ever.
 */
static void ask_curved(void *context, size_t part, unsigned worker)
{
    struct market_asking *asking = context;
    size_t n_step = asking->problem->n_step, g = asking->part_group[part];
    const struct market_group *group = &asking->problem->groups[g];
    double *curvature = asking->curvature + g * n_step * n_step;

    if (!group->oracle.ops->respond_curved) {
        ask_part(asking, part, worker);
        return;
    }
    asking->part_err[part] = (struct walras_err){0};
    asking->part_status[part] = WALRAS_OK;
    asking->part_answer[part] = (struct market_answer){0};
    memset(asking->part_draw + part * n_step, 0, n_step * sizeof(*asking->part_draw));
    if (asking->part_at[part] == 0)
        asking->part_status[part] = group->oracle.ops->respond_curved(
            group->oracle.self, worker, asking->price + group->bus * n_step,
            asking->part_draw + part * n_step, &asking->part_answer[part], curvature,
            &asking->part_err[part]);
}

/* Part sums in part order: the same whoever computed them. */
static enum walras_status add_parts(struct market_asking *asking, size_t point,
                                    struct walras_err *err)
{
    size_t n_step = asking->problem->n_step, n_group = asking->problem->n_group;
    struct market_answer *answer = asking->answer + point * n_group;
    double *draw = asking->draw + point * n_group * n_step;

    memset(answer, 0, n_group * sizeof(*answer));
    memset(draw, 0, n_group * n_step * sizeof(*draw));
    for (size_t part = 0; part < asking->n_part; part++) {
        size_t g = asking->part_group[part];

        if (asking->part_status[part] != WALRAS_OK)
            return walras_fail(err, asking->part_status[part], "%s", asking->part_err[part].msg);
        answer[g].cost += asking->part_answer[part].cost;
        answer[g].bound += asking->part_answer[part].bound;
        for (size_t t = 0; t < n_step; t++)
            draw[g * n_step + t] += asking->part_draw[part * n_step + t];
    }
    return WALRAS_OK;
}

/* Of groups that only jump the curvature is 0, whatever other ranks added before. */
static enum walras_status reserve_curvature(struct market_asking *asking, struct walras_err *err)
{
    size_t n = asking->problem->n_group * asking->problem->n_step * asking->problem->n_step;

    if (!asking->curvature)
        asking->curvature = calloc(n + 1, sizeof(*asking->curvature));
    if (!asking->curvature)
        return walras_fail(err, WALRAS_NOMEM, "the curvature of %zu groups does not fit in memory",
                           asking->problem->n_group);
    memset(asking->curvature, 0, n * sizeof(*asking->curvature));
    return WALRAS_OK;
}

/* Answers and draws of a query lie close together, however many points it has. */
static void lay_out(struct market_asking *asking, size_t n_point)
{
    size_t n_answer = n_point * asking->problem->n_group;

    asking->values[0] = 0.0;
    asking->answer = (void *)(asking->values + 1);
    asking->draw = asking->values + 1 + ANSWER * n_answer;
    asking->n_value = 1 + n_answer * (ANSWER + asking->problem->n_step);
}

enum walras_status market_asking_ask(struct market_asking *asking, const struct market_query *query,
                                     struct market_reply *reply, struct walras_err *err)
{
    size_t n_cell = asking->problem->n_bus * asking->problem->n_step;
    enum walras_status status = query->curved ? reserve_curvature(asking, err) : WALRAS_OK;

    lay_out(asking, query->n_point);
    for (size_t i = 0; i < query->n_point && status == WALRAS_OK; i++) {
        bool curved = query->curved && i + 1 == query->n_point;

        asking->price = query->price_per_mwh + i * n_cell;
        asking->near = i == 0 ? query->near : NULL;
        walras_pool_run(asking->pool, asking->n_part, curved ? ask_curved : ask_part, asking);
        status = add_parts(asking, i, err);
    }
    *reply = (struct market_reply){.n_point = query->n_point,
                                   .answers = asking->answer,
                                   .draw_kw = asking->draw,
                                   .curvature = query->curved ? asking->curvature : NULL};
    return status;
}

double *market_asking_values(struct market_asking *asking, size_t *n)
{
    *n = asking->n_value;
    return asking->values;
}

double *market_asking_curvature(struct market_asking *asking, size_t *n)
{
    *n = asking->problem->n_group * asking->problem->n_step * asking->problem->n_step;
    return asking->curvature;
}
