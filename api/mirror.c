#include "api/mirror.h"

#include "core/clock.h"
#include "db/markets.h"
#include "db/mirror.h"
#include "db/rounds.h"
#include "db/values.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME_DEADLINE_S 0.5

struct copy { /* of a market */
    struct copy *next;
    char market[DB_ID];
    struct db_rows bus_rows, agent_rows; /* hold the texts */
    const char **bus_ids;                /* [n_bus] */
    struct api_live_agent *agents;       /* [n_agent] */
    struct walras_names *names;
    size_t n_bus, n_agent, n_step;
    struct api_live_market *live_market;
    struct api_round round; /* number 0: none is open */
    double *prices;         /* that it shows */
    int64_t reported;       /* rounds up to it */
};

struct api_mirror {
    pthread_mutex_t lock;
    struct db_pool *pool;
    struct api_live *live;
    bool enabled;
    struct copy *copies;
};

enum walras_status api_mirror_new(struct db_pool *pool, struct api_live *live,
                                  struct api_mirror **made, struct walras_err *err)
{
    struct api_mirror *mirror = calloc(1, sizeof(*mirror));

    if (!mirror)
        return walras_fail(err, WALRAS_NOMEM, "no memory for copies of markets");
    pthread_mutex_init(&mirror->lock, NULL);
    mirror->enabled = true;
    mirror->pool = pool;
    mirror->live = live;
    *made = mirror;
    return WALRAS_OK;
}

static void copy_free(struct api_mirror *mirror, struct copy *copy)
{
    api_live_end(mirror->live, copy->live_market);
    walras_names_free(copy->names);
    free(copy->bus_ids);
    free(copy->agents);
    free(copy->prices);
    db_rows_release(&copy->bus_rows);
    db_rows_release(&copy->agent_rows);
    free(copy);
}

static void drop_all(struct api_mirror *mirror)
{
    struct copy *next = NULL;

    for (struct copy *at = mirror->copies; at; at = next) {
        next = at->next;
        copy_free(mirror, at);
    }
    mirror->copies = NULL;
}

void api_mirror_free(struct api_mirror *mirror)
{
    if (!mirror)
        return;
    drop_all(mirror);
    pthread_mutex_destroy(&mirror->lock);
    free(mirror);
}

void api_mirror_enable(struct api_mirror *mirror, bool enabled)
{
    pthread_mutex_lock(&mirror->lock);
    mirror->enabled = enabled;
    if (!enabled)
        drop_all(mirror);
    pthread_mutex_unlock(&mirror->lock);
}

static struct copy **find(struct api_mirror *mirror, const char *market)
{
    struct copy **at = &mirror->copies;

    while (*at && strcmp((*at)->market, market) != 0)
        at = &(*at)->next;
    return at;
}

static enum walras_status list_agents(struct copy *copy, struct walras_err *err)
{
    const struct db_rows *rows = &copy->agent_rows;
    enum walras_status status = walras_names_new(&copy->names, err);

    copy->n_bus = copy->bus_rows.n;
    copy->bus_ids = calloc(copy->n_bus + 1, sizeof(*copy->bus_ids));
    copy->agents = calloc(rows->n + 1, sizeof(*copy->agents));
    if (!copy->bus_ids || !copy->agents)
        return walras_fail(err, WALRAS_NOMEM, "no memory for a copy of %s", copy->market);
    for (size_t b = 0; b < copy->n_bus; b++)
        copy->bus_ids[b] = db_text(&copy->bus_rows, b, 0);
    for (size_t i = 0; status == WALRAS_OK && i < rows->n; i++) {
        copy->agents[i] = (struct api_live_agent){.id = db_text(rows, i, 0),
                                                  .owner = db_text(rows, i, 1),
                                                  .bus = (uint32_t)db_integer(rows, i, 2),
                                                  .suspended = db_bool(rows, i, 3)};
        copy->n_agent++;
        status = walras_names_add(copy->names, copy->agents[i].id, err);
    }
    return status;
}

static enum walras_status copy_new(struct api_mirror *mirror, struct db_session *session,
                                   const char *market, size_t n_step, struct copy **made,
                                   struct walras_err *err)
{
    struct copy *copy = calloc(1, sizeof(*copy));
    struct api_live_settings settings = {.n_step = n_step};
    enum walras_status status = WALRAS_OK;

    if (!copy)
        return walras_fail(err, WALRAS_NOMEM, "no memory for a copy of %s", market);
    snprintf(copy->market, sizeof(copy->market), "%s", market);
    copy->n_step = n_step;
    status = db_mirror_buses(session, market, &copy->bus_rows, err);
    if (status == WALRAS_OK)
        status = db_mirror_agents(session, market, &copy->agent_rows, err);
    if (status == WALRAS_OK)
        status = list_agents(copy, err);
    settings.market = copy->market;
    settings.agents = copy->agents;
    settings.n_agent = copy->n_agent;
    settings.names = copy->names;
    settings.bus_ids = copy->bus_ids;
    settings.n_bus = copy->n_bus;
    if (status == WALRAS_OK)
        status = api_live_begin(mirror->live, &settings, &copy->live_market, err);
    if (status == WALRAS_OK)
        *made = copy;
    else
        copy_free(mirror, copy);
    return status;
}

static enum walras_status tell_reports(struct api_mirror *mirror, struct db_session *session,
                                       struct copy *copy, int64_t before, struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status =
        db_mirror_reports(session, copy->market, copy->reported, before, &rows, err);

    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++) {
        const struct api_round_report report = {.number = db_integer(&rows, i, 0),
                                                .n_answer = (size_t)db_integer(&rows, i, 1),
                                                .n_stand_in = (size_t)db_integer(&rows, i, 2),
                                                .bound = db_number(&rows, i, 3),
                                                .objective = db_number(&rows, i, 4),
                                                .gap = db_number(&rows, i, 5)};

        status = api_live_report(mirror->live, copy->live_market, &report, err);
        if (status == WALRAS_OK)
            copy->reported = report.number;
    }
    db_rows_release(&rows);
    return status;
}

static enum walras_status mark_suspended(struct api_mirror *mirror, struct db_session *session,
                                         const struct copy *copy, struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status = db_round_suspended(session, copy->market, &rows, err);

    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++)
        api_live_suspend(mirror->live, copy->market, db_text(&rows, i, 0));
    db_rows_release(&rows);
    return status;
}

static enum walras_status read_points(struct db_session *session, const struct copy *copy,
                                      struct api_round *round, double **prices,
                                      struct walras_err *err)
{
    size_t n_price = copy->n_bus * copy->n_step;
    struct db_rows rows = {0};
    enum walras_status status = db_mirror_points(session, copy->market, round->number, &rows, err);

    if (status == WALRAS_OK) {
        round->n_point = rows.n;
        *prices = calloc(rows.n * n_price + 1, sizeof(**prices));
        if (!*prices)
            status = walras_fail(err, WALRAS_NOMEM, "no memory for a copy of %s", copy->market);
    }
    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++)
        status = db_numbers(&rows, i, 0, *prices + i * n_price, n_price, err);
    db_rows_release(&rows);
    round->price_per_mwh = *prices;
    return status;
}

static void show(struct api_mirror *mirror, struct copy *copy, const struct api_round *round,
                 double *prices)
{
    api_live_close(mirror->live, copy->live_market);
    free(copy->prices);
    copy->prices = prices;
    copy->round = *round;
    if (round->number > 0)
        api_live_open(mirror->live, copy->live_market, round);
}

static bool is_shown(const struct copy *copy, const struct api_round *round)
{
    return copy->round.number == round->number &&
           (round->number == 0 || fabs(copy->round.until_s - round->until_s) < SAME_DEADLINE_S);
}

static enum walras_status update(struct api_mirror *mirror, struct db_session *session,
                                 struct copy *copy, const struct db_mirror_state *state,
                                 struct walras_err *err)
{
    struct api_round round = {.number = state->round,
                              .until_s = walras_monotonic_s() + state->remaining_s};
    double *prices = NULL;
    enum walras_status status = WALRAS_OK;

    if (is_shown(copy, &round))
        return status;
    if (round.number > 0) {
        status = read_points(session, copy, &round, &prices, err);
        if (status == WALRAS_OK)
            status = mark_suspended(mirror, session, copy, err);
        if (status == WALRAS_OK) /* what was known after a round is there once the next is open */
            status = tell_reports(mirror, session, copy, round.number, err);
    }
    if (status == WALRAS_OK)
        show(mirror, copy, &round, prices);
    else
        free(prices);
    return status;
}

static enum walras_status look_at(struct api_mirror *mirror, struct db_session *session,
                                  const char *market, struct walras_err *err)
{
    struct copy **at = find(mirror, market), *copy = *at;
    struct db_mirror_state state = {0};
    enum walras_status status = db_mirror_state(session, market, &state, err);

    if (status != WALRAS_OK)
        return status;
    if (!state.clearing && copy) {
        *at = copy->next;
        copy_free(mirror, copy);
    }
    if (!state.clearing) {
        api_live_notify(mirror->live, market);
        return WALRAS_OK;
    }
    if (!copy) {
        status = copy_new(mirror, session, market, (size_t)state.steps, &copy, err);
        if (status == WALRAS_OK)
            *at = copy;
        api_live_notify(mirror->live, market);
    }
    return status == WALRAS_OK ? update(mirror, session, copy, &state, err) : status;
}

/* Those that are copied, and those that should be. */
static enum walras_status look_at_all(struct api_mirror *mirror, struct db_session *session,
                                      struct walras_err *err)
{
    struct db_rows rows = {0};
    struct copy *next = NULL;
    enum walras_status status = db_market_clearing(session, &rows, err);

    for (struct copy *at = mirror->copies; status == WALRAS_OK && at; at = next) {
        char market[DB_ID];

        next = at->next;
        snprintf(market, sizeof(market), "%s", at->market);
        status = look_at(mirror, session, market, err);
    }
    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++)
        status = look_at(mirror, session, db_text(&rows, i, 0), err);
    db_rows_release(&rows);
    return status;
}

enum walras_status api_mirror_look(struct api_mirror *mirror, const char *market,
                                   struct walras_err *err)
{
    struct db_session *session = NULL;
    enum walras_status status = db_pool_take(mirror->pool, &session, err);

    if (status != WALRAS_OK)
        return status;
    pthread_mutex_lock(&mirror->lock);
    if (mirror->enabled)
        status = market ? look_at(mirror, session, market, err) : look_at_all(mirror, session, err);
    pthread_mutex_unlock(&mirror->lock);
    db_pool_give(mirror->pool, session);
    return status;
}
