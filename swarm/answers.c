#include "swarm/answers.h"

#include "agents/model.h"
#include "agents/sdk/wire.h"
#include "core/pool.h"

#include <stdlib.h>
#include <string.h>

enum { AGENTS_A_PART = 64, MOST_TEXT = 1 << 28 };

struct swarm_answers {
    const struct swarm_cast *cast;
    struct walras_pool *pool;
    unsigned n_worker;
    struct agent_workspace **workspaces; /* [n_worker] */
    double *scratch;                     /* [n_worker x 2 n_step] */
    struct agent_model **models;         /* [n_device] of those without a fast solver */
    struct walras_text *texts;           /* [n_remote] */
    double *first_kw;                    /* [n_remote x n_step] answers to the first point */
    struct walras_err *faults;           /* [n_worker] */
    /* of the question at hand */
    size_t n_point;
    const double *price_per_mwh;
};

void swarm_answers_free(struct swarm_answers *a)
{
    if (!a)
        return;
    for (unsigned w = 0; a->workspaces && w < a->n_worker; w++)
        agent_workspace_free(a->workspaces[w]);
    for (size_t d = 0; a->models && d < a->cast->scenario->n_device; d++)
        agent_model_free(a->models[d]);
    for (size_t i = 0; a->texts && i < a->cast->n_remote; i++)
        walras_text_release(&a->texts[i]);
    walras_pool_free(a->pool);
    free(a->workspaces);
    free(a->scratch);
    free(a->models);
    free(a->texts);
    free(a->first_kw);
    free(a->faults);
    free(a);
}

/* Devices that no fast solver knows are asked through GLPK, each model by one worker at a time. */
static enum walras_status make_models(struct swarm_answers *a, struct walras_err *err)
{
    const struct scenario *s = a->cast->scenario;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < a->cast->n_remote && status == WALRAS_OK; i++)
        for (size_t k = 0; k < a->cast->parts[i].n_device && status == WALRAS_OK; k++) {
            size_t d = a->cast->parts[i].devices[k];

            if (!agent_has_fast_solver(&s->devices[d]))
                status = agent_model_new(&s->devices[d], &s->horizon, &a->models[d], err);
        }
    return status;
}

static enum walras_status take_memory(struct swarm_answers *a, struct walras_err *err)
{
    const struct scenario *s = a->cast->scenario;
    size_t n_step = s->horizon.n_step, n = a->cast->n_remote;
    enum walras_status status = walras_pool_new(a->n_worker, &a->pool, err);

    a->workspaces = calloc(a->n_worker, sizeof(struct agent_workspace *));
    a->scratch = calloc(a->n_worker * 2 * n_step, sizeof(*a->scratch));
    a->models = calloc(s->n_device + 1, sizeof(struct agent_model *));
    a->texts = calloc(n + 1, sizeof(*a->texts));
    a->first_kw = calloc(n * n_step + 1, sizeof(*a->first_kw));
    a->faults = calloc(a->n_worker, sizeof(*a->faults));
    if (status == WALRAS_OK &&
        (!a->workspaces || !a->scratch || !a->models || !a->texts || !a->first_kw || !a->faults))
        status = walras_fail(err, WALRAS_NOMEM, "%zu agents do not fit in memory", n);
    for (size_t i = 0; a->texts && i < n; i++)
        walras_text_init(&a->texts[i], MOST_TEXT);
    for (unsigned w = 0; w < a->n_worker && status == WALRAS_OK; w++)
        status = agent_workspace_new(&s->horizon, &a->workspaces[w], err);
    return status;
}

enum walras_status swarm_answers_new(const struct swarm_cast *cast, unsigned n_thread,
                                     struct swarm_answers **made, struct walras_err *err)
{
    struct swarm_answers *a = calloc(1, sizeof(*a));
    enum walras_status status = WALRAS_OK;

    if (!a)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the agents");
    a->cast = cast;
    a->n_worker = n_thread;
    status = take_memory(a, err);
    if (status == WALRAS_OK)
        status = make_models(a, err);
    if (status == WALRAS_OK)
        *made = a;
    else
        swarm_answers_free(a);
    return status;
}

static enum walras_status ask_device(struct swarm_answers *a, size_t d, unsigned worker,
                                     const double *price, double *draw_kw,
                                     struct market_answer *answer, struct walras_err *err)
{
    const struct scenario *s = a->cast->scenario;

    if (a->models[d])
        return agent_model_solve(a->models[d], price, draw_kw, answer, err);
    return agent_solve(&s->devices[d], &s->horizon, price, a->workspaces[worker], draw_kw, answer,
                       err);
}

/* The sum of a part's devices at one point, into the worker's scratch. */
static enum walras_status ask(struct swarm_answers *a, const struct swarm_part *part,
                              unsigned worker, size_t point, double *cost, struct walras_err *err)
{
    const struct scenario *s = a->cast->scenario;
    size_t n_step = s->horizon.n_step;
    double *sum_kw = a->scratch + worker * 2 * n_step, *one_kw = sum_kw + n_step;
    const double *price = a->price_per_mwh + (point * s->network.n_bus + part->bus) * n_step;

    memset(sum_kw, 0, n_step * sizeof(*sum_kw));
    *cost = 0.0;
    for (size_t k = 0; k < part->n_device; k++) {
        struct market_answer answer = {0};
        struct walras_err why = {0};
        enum walras_status status =
            ask_device(a, part->devices[k], worker, price, one_kw, &answer, &why);

        if (status != WALRAS_OK)
            return walras_fail(err, status, "agent %s, device %s: %s", part->id,
                               s->devices[part->devices[k]].id, why.msg);
        for (size_t t = 0; t < n_step; t++)
            sum_kw[t] += one_kw[t];
        *cost += answer.cost;
    }
    return WALRAS_OK;
}

static void add_number(struct walras_text *out, double value)
{
    char text[WALRAS_NUMBER_TEXT];

    walras_text_add(out, text, walras_number_text(value, text));
}

static enum walras_status answer(struct swarm_answers *a, size_t i, unsigned worker,
                                 struct walras_err *err)
{
    size_t n_step = a->cast->scenario->horizon.n_step;
    const double *sum_kw = a->scratch + worker * 2 * n_step;
    struct walras_text *out = &a->texts[i];

    out->size = 0;
    walras_text_add(out, "[", 1);
    for (size_t p = 0; p < a->n_point; p++) {
        double cost = 0.0;
        enum walras_status status = ask(a, &a->cast->parts[i], worker, p, &cost, err);

        if (status != WALRAS_OK)
            return status;
        if (p == 0)
            memcpy(a->first_kw + i * n_step, sum_kw, n_step * sizeof(*sum_kw));
        walras_text_addf(out, "%s{\"draw_kw\":", p == 0 ? "" : ",");
        for (size_t t = 0; t < n_step; t++) {
            walras_text_add(out, t == 0 ? "[" : ",", 1);
            add_number(out, sum_kw[t]);
        }
        walras_text_addf(out, "],\"cost\":");
        add_number(out, cost);
        walras_text_add(out, "}", 1);
    }
    walras_text_add(out, "]", 1);
    return out->failure == WALRAS_OK
               ? WALRAS_OK
               : walras_fail(err, out->failure, "an answer does not fit in memory");
}

static void run_part(void *context, size_t part, unsigned worker)
{
    struct swarm_answers *a = context;
    size_t end = (part + 1) * AGENTS_A_PART;

    for (size_t i = part * AGENTS_A_PART; i < end && i < a->cast->n_remote; i++)
        if (a->faults[worker].code == WALRAS_OK)
            (void)answer(a, i, worker, &a->faults[worker]); /* the fault is kept */
}

enum walras_status swarm_answers_find(struct swarm_answers *a, size_t n_point,
                                      const double *price_per_mwh, struct walras_err *err)
{
    a->n_point = n_point;
    a->price_per_mwh = price_per_mwh;
    memset(a->faults, 0, a->n_worker * sizeof(*a->faults));
    walras_pool_run(a->pool, (a->cast->n_remote + AGENTS_A_PART - 1) / AGENTS_A_PART, run_part, a);
    for (unsigned w = 0; w < a->n_worker; w++)
        if (a->faults[w].code != WALRAS_OK)
            return walras_fail(err, a->faults[w].code, "%s", a->faults[w].msg);
    return WALRAS_OK;
}

const char *swarm_answers_text(const struct swarm_answers *a, size_t i)
{
    return a->texts[i].data;
}

char *swarm_answers_fallback(const struct swarm_answers *a, size_t i)
{
    size_t n_step = a->cast->scenario->horizon.n_step;

    return walras_wire_fallback(a->first_kw + i * n_step, n_step);
}
