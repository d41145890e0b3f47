#include "market/crew.h"

#include <stdlib.h>
#include <string.h>

enum question { ASK_ALL, ASK_ONE, SETTLE_ONE, SAY_WHY, END };

struct call { /* what rank 0 broadcasts first */
    enum question question;
    size_t n_point, group;
    bool curved, near;
};

struct proxy { /* stands for a group of all ranks; only rank 0 calls it */
    struct market_crew *crew;
    size_t group;
    struct market_oracle_ops ops; /* of the own group, but for what asks one group alone */
};

struct market_crew {
    const struct market_problem *own; /* with the own shares of groups */
    struct market_problem all;
    struct market_group *groups; /* [n_group] of `all` */
    struct proxy *proxies;       /* [n_group] */
    struct market_asking *asking;
    struct walras_ranks *ranks;
    uint64_t byte_before;
    double *price;            /* [n_point x n_bus x n_step] received */
    struct market_near *near; /* [n_bus] received, with shift [n_bus x n_step] */
    double *shift;
    double *points; /* [n_room x (n_step + 1)] prices and weights of one group's points */
    size_t n_room;
    double *one; /* 0 or 1: failed; cost, bound, draw [n_step] of one group */
    enum walras_status status;
    struct walras_err err; /* of the own last answer */
};

static enum walras_status ask_one(void *self, size_t part, unsigned worker, const double *price,
                                  double *draw_kw, struct market_answer *answer,
                                  struct walras_err *err);
static enum walras_status settle_one(void *self, size_t n_point, const double *price,
                                     const double *weight, double *draw_kw,
                                     struct market_answer *answer, struct walras_err *err);

void market_crew_free(struct market_crew *crew)
{
    if (!crew)
        return;
    free(crew->groups);
    free(crew->proxies);
    free(crew->price);
    free(crew->near);
    free(crew->shift);
    free(crew->points);
    free(crew->one);
    free(crew);
}

static void stand_for(struct market_crew *crew, size_t g)
{
    const struct market_oracle_ops *own = crew->own->groups[g].oracle.ops;
    struct proxy *proxy = &crew->proxies[g];

    *proxy = (struct proxy){.crew = crew, .group = g, .ops = *own};
    proxy->ops.respond = ask_one;
    proxy->ops.settle = own->settle ? settle_one : NULL;
    crew->groups[g] = crew->own->groups[g];
    crew->groups[g].oracle = (struct market_oracle){&proxy->ops, proxy, 1};
}

enum walras_status market_crew_new(const struct market_problem *problem,
                                   struct market_asking *asking, struct walras_ranks *ranks,
                                   size_t n_point, struct market_crew **made,
                                   struct walras_err *err)
{
    struct market_crew *crew = calloc(1, sizeof(*crew));
    size_t n_group = problem->n_group, n_cell = problem->n_bus * problem->n_step;

    if (crew) {
        crew->groups = calloc(n_group + 1, sizeof(*crew->groups));
        crew->proxies = calloc(n_group + 1, sizeof(*crew->proxies));
        crew->price = calloc(n_point * n_cell + 1, sizeof(*crew->price));
        crew->near = calloc(problem->n_bus + 1, sizeof(*crew->near));
        crew->shift = calloc(n_cell + 1, sizeof(*crew->shift));
        crew->one = calloc(3 + problem->n_step, sizeof(*crew->one));
    }
    if (!crew || !crew->groups || !crew->proxies || !crew->price || !crew->near || !crew->shift ||
        !crew->one) {
        market_crew_free(crew);
        return walras_fail(err, WALRAS_NOMEM, "cannot share %zu groups among ranks", n_group);
    }
    crew->own = problem;
    crew->asking = asking;
    crew->ranks = ranks;
    crew->byte_before = ranks->n_byte;
    for (size_t g = 0; g < n_group; g++)
        stand_for(crew, g);
    crew->all = *problem;
    crew->all.groups = crew->groups;
    *made = crew;
    return WALRAS_OK;
}

const struct market_problem *market_crew_problem(const struct market_crew *crew)
{
    return &crew->all;
}

uint64_t market_crew_bytes(const struct market_crew *crew)
{
    return crew->ranks->n_byte - crew->byte_before;
}

static void say(struct market_crew *crew, struct call call)
{
    walras_ranks_broadcast(crew->ranks, &call, sizeof(call));
}

/* Rank 0, after a sum: some rank has failed if `failed` is not 0; all then agree on why. */
static enum walras_status judge(struct market_crew *crew, double failed, struct walras_err *err)
{
    if (failed <= 0.0)
        return WALRAS_OK;
    say(crew, (struct call){.question = SAY_WHY});
    crew->status = walras_ranks_agree(crew->ranks, crew->status, &crew->err);
    return walras_fail(err, crew->status, "%s", crew->err.msg);
}

/* Everybody: the prices reach all, all answer, the sums reach rank 0. */
static void answer_all(struct market_crew *crew, const struct market_query *query,
                       struct market_reply *reply)
{
    size_t n = 0;
    double *values = NULL;

    crew->err = (struct walras_err){0};
    crew->status = market_asking_ask(crew->asking, query, reply, &crew->err);
    values = market_asking_values(crew->asking, &n);
    values[0] = crew->status != WALRAS_OK;
    walras_ranks_sum(crew->ranks, values, n);
    if (!query->curved)
        return;
    values = market_asking_curvature(crew->asking, &n);
    walras_ranks_sum(crew->ranks, values, n);
}

static void share_near(struct market_crew *crew, const struct market_near *near)
{
    size_t n_bus = crew->own->n_bus, n_step = crew->own->n_step;

    for (size_t b = 0; near && b < n_bus; b++) {
        crew->near[b] = near[b];
        memcpy(crew->shift + b * n_step, near[b].shift_kw, n_step * sizeof(*crew->shift));
    }
    walras_ranks_broadcast(crew->ranks, crew->near, n_bus * sizeof(*crew->near));
    walras_ranks_broadcast(crew->ranks, crew->shift, n_bus * n_step * sizeof(*crew->shift));
    for (size_t b = 0; b < n_bus; b++)
        crew->near[b].shift_kw = crew->shift + b * n_step;
}

enum walras_status market_crew_ask(struct market_crew *crew, const struct market_query *query,
                                   struct market_reply *reply, struct walras_err *err)
{
    size_t n_price = query->n_point * crew->own->n_bus * crew->own->n_step, n = 0;

    if (n_price > 0)
        memcpy(crew->price, query->price_per_mwh, n_price * sizeof(*crew->price));
    say(crew, (struct call){.question = ASK_ALL,
                            .n_point = query->n_point,
                            .curved = query->curved,
                            .near = query->near != NULL});
    walras_ranks_broadcast(crew->ranks, crew->price, n_price * sizeof(*crew->price));
    if (query->near)
        share_near(crew, query->near);
    answer_all(crew, query, reply);
    return judge(crew, market_asking_values(crew->asking, &n)[0], err);
}

static void serve_all(struct market_crew *crew, const struct call *call)
{
    struct market_query query = {
        .n_point = call->n_point, .price_per_mwh = crew->price, .curved = call->curved};
    struct market_reply reply;
    size_t n_cell = crew->own->n_bus * crew->own->n_step;

    walras_ranks_broadcast(crew->ranks, crew->price, call->n_point * n_cell * sizeof(*crew->price));
    if (call->near) {
        share_near(crew, NULL);
        query.near = crew->near;
    }
    answer_all(crew, &query, &reply);
}

/* Everybody: room for a group's points, so many prices and weights. */
static enum walras_status make_room(struct market_crew *crew, size_t n_point)
{
    enum walras_status status = WALRAS_OK;

    crew->err = (struct walras_err){0};
    if (n_point > crew->n_room) {
        size_t n = n_point * (crew->own->n_step + 1);
        double *grown = realloc(crew->points, n * sizeof(*grown));

        if (grown) {
            crew->points = grown;
            crew->n_room = n_point;
        } else {
            status = walras_fail(&crew->err, WALRAS_NOMEM, "cannot hold %zu prices", n_point);
        }
    }
    crew->status = walras_ranks_agree(crew->ranks, status, &crew->err);
    return crew->status;
}

/* Everybody: one group's own members answer, or settle, at the points; the sums reach rank 0. */
static void answer_one(struct market_crew *crew, const struct call *call)
{
    const struct market_oracle *oracle = &crew->own->groups[call->group].oracle;
    size_t n_step = crew->own->n_step;
    const double *weight = crew->points + call->n_point * n_step;
    struct market_answer answer = {0};

    walras_ranks_broadcast(crew->ranks, crew->points,
                           call->n_point * (n_step + 1) * sizeof(*crew->points));
    crew->err = (struct walras_err){0};
    crew->status = WALRAS_OK;
    memset(crew->one, 0, (3 + n_step) * sizeof(*crew->one));
    if (call->question == SETTLE_ONE)
        crew->status = oracle->ops->settle(oracle->self, call->n_point, crew->points, weight,
                                           crew->one + 3, &answer, &crew->err);
    else
        crew->status = oracle->ops->respond(oracle->self, 0, 0, crew->points, crew->one + 3,
                                            &answer, &crew->err);
    crew->one[0] = crew->status != WALRAS_OK;
    crew->one[1] = answer.cost;
    crew->one[2] = answer.bound;
    walras_ranks_sum(crew->ranks, crew->one, 3 + n_step);
}

static enum walras_status call_one(const struct proxy *proxy, struct call call, const double *price,
                                   const double *weight, double *draw_kw,
                                   struct market_answer *answer, struct walras_err *err)
{
    struct market_crew *crew = proxy->crew;
    size_t n_step = crew->own->n_step, n = call.n_point;

    call.group = proxy->group;
    say(crew, call);
    if (make_room(crew, n) != WALRAS_OK)
        return walras_fail(err, crew->status, "%s", crew->err.msg);
    memcpy(crew->points, price, n * n_step * sizeof(*price));
    memcpy(crew->points + n * n_step, weight, n * sizeof(*weight));
    answer_one(crew, &call);
    *answer = (struct market_answer){.cost = crew->one[1], .bound = crew->one[2]};
    memcpy(draw_kw, crew->one + 3, n_step * sizeof(*draw_kw));
    return judge(crew, crew->one[0], err);
}

/* Only groups of one member are asked alone (market/settle.h): they have one part. */
static enum walras_status ask_one(void *self, size_t part, unsigned worker, const double *price,
                                  double *draw_kw, struct market_answer *answer,
                                  struct walras_err *err)
{
    (void)part;
    (void)worker;
    return call_one(self, (struct call){.question = ASK_ONE, .n_point = 1}, price,
                    (const double[]){1.0}, draw_kw, answer, err);
}

static enum walras_status settle_one(void *self, size_t n_point, const double *price,
                                     const double *weight, double *draw_kw,
                                     struct market_answer *answer, struct walras_err *err)
{
    return call_one(self, (struct call){.question = SETTLE_ONE, .n_point = n_point}, price, weight,
                    draw_kw, answer, err);
}

void market_crew_serve(struct market_crew *crew)
{
    struct call call = {0};

    for (;;) {
        walras_ranks_broadcast(crew->ranks, &call, sizeof(call));
        switch (call.question) {
        case ASK_ALL:
            serve_all(crew, &call);
            break;
        case ASK_ONE:
        case SETTLE_ONE:
            if (make_room(crew, call.n_point) == WALRAS_OK)
                answer_one(crew, &call);
            break;
        case SAY_WHY:
            crew->status = walras_ranks_agree(crew->ranks, crew->status, &crew->err);
            break;
        case END:
            return;
        }
    }
}

/* What the others lack of a result: arrays of doubles. */
static enum walras_status share_result(struct market_crew *crew, struct market_result *r,
                                       struct walras_err *err)
{
    struct market_result given = *r;
    enum walras_status status = WALRAS_OK;
    size_t n_weight = 0, n_price = 0;

    walras_ranks_broadcast(crew->ranks, &given, sizeof(given));
    n_weight = given.n_group * given.n_point;
    n_price = given.n_point * given.n_bus * given.n_step;
    if (!walras_ranks_lead(crew->ranks)) {
        struct market_result mine = {.outcome = given.outcome,
                                     .settled = given.settled,
                                     .has_plan = given.has_plan,
                                     .objective = given.objective,
                                     .bound = given.bound,
                                     .convex_objective = given.convex_objective,
                                     .n_rounds = given.n_rounds,
                                     .seconds = given.seconds,
                                     .n_bus = given.n_bus,
                                     .n_step = given.n_step,
                                     .n_group = given.n_group,
                                     .n_point = given.n_point};

        mine.weight = calloc(n_weight + 1, sizeof(double));
        mine.point_price_per_mwh = calloc(n_price + 1, sizeof(double));
        if (!mine.weight || !mine.point_price_per_mwh)
            status = walras_fail(err, WALRAS_NOMEM, "the result does not fit in memory");
        market_result_release(r);
        *r = mine;
    }
    status = walras_ranks_agree(crew->ranks, status, err);
    if (status != WALRAS_OK)
        return status;
    walras_ranks_broadcast(crew->ranks, r->weight, n_weight * sizeof(double));
    walras_ranks_broadcast(crew->ranks, r->point_price_per_mwh, n_price * sizeof(double));
    return WALRAS_OK;
}

enum walras_status market_crew_end(struct market_crew *crew, enum walras_status status,
                                   struct market_result *result, struct walras_err *err)
{
    if (walras_ranks_lead(crew->ranks))
        say(crew, (struct call){.question = END});
    status = walras_ranks_agree(crew->ranks, status, err);
    return status == WALRAS_OK ? share_result(crew, result, err) : status;
}
