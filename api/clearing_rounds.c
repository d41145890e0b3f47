/* Rounds: prices announced, answers waited for, and what the price method is told of them. */
#include "api/clearing_hidden.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/names.h"
#include "core/units.h"
#include "db/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct db_round round_of(const struct clearing *c)
{
    return (struct db_round){c->id, c->number};
}

/* The round is there, with these prices; *closed: from before the server was started. */
static enum walras_status enter(struct clearing *c, struct db_session *session, void *context,
                                struct walras_err *err)
{
    bool *closed = context, same = false;
    const struct db_round round = round_of(c);
    size_t n_price = c->n_bus * c->n_step;
    struct db_round_state state = {0};
    enum walras_status status = db_round_find(session, &round, &state, err);

    if (status != WALRAS_OK)
        return status;
    *closed = state.closed;
    if (!state.follows) /* the database is not what it was: a standby that had not come so far */
        return clearing_give_up(c, err);
    if (!state.there)
        return db_round_open(session, &round, c->market.round_timeout_s, c->price_per_mwh,
                             c->n_point, n_price, err);
    status = db_round_same(session, &round, c->price_per_mwh, c->n_point, n_price, &same, err);
    if (status == WALRAS_OK && !same)
        status = walras_fail(err, WALRAS_INTERNAL,
                             "round %lld as it is stored has other prices than the method asks for",
                             (long long)c->number);
    if (status == WALRAS_OK && !state.closed)
        status = db_round_extend(session, &round, c->market.round_timeout_s, err);
    return status;
}

/* Those who have answered, through whichever server; WALRAS_CONFLICT: the market was cancelled. */
static enum walras_status look_around(struct clearing *c, struct db_session *session, void *context,
                                      struct walras_err *err)
{
    const struct db_round round = round_of(c);
    struct db_round_state state = {0};
    struct db_rows rows = {0};
    enum walras_status status = db_round_find(session, &round, &state, err);

    (void)context;
    if (status == WALRAS_OK && !state.there)
        status = clearing_give_up(c, err);
    if (status == WALRAS_OK)
        status = db_round_answered(session, &round, &rows, err);
    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++)
        api_live_answered(c->live, c->id, c->number, db_text(&rows, i, 0));
    db_rows_release(&rows);
    return status;
}

static enum walras_status close_round(struct clearing *c, struct db_session *session, void *context,
                                      struct walras_err *err)
{
    const struct db_round round = round_of(c);

    (void)context;
    return db_round_close(session, &round, c->n_point, c->market.max_misses, err);
}

static enum walras_status wait_for_answers(struct clearing *c, struct walras_err *err)
{
    const struct api_round round = {.number = c->number,
                                    .n_point = c->n_point,
                                    .price_per_mwh = c->price_per_mwh,
                                    .until_s = walras_monotonic_s() + c->market.round_timeout_s};
    enum api_live_news news = API_LIVE_LOOK;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < c->n_remote; i++)
        c->remotes[i].answered = false;
    api_live_open(c->live, c->live_market, &round); /* first, so that no answer is missed */
    while (status == WALRAS_OK && news == API_LIVE_LOOK) {
        status = clearing_read(c, look_around, NULL, err);
        if (status == WALRAS_OK)
            news = api_live_wait(c->live, c->live_market);
    }
    api_live_close(c->live, c->live_market);
    if (status != WALRAS_OK)
        return status;
    if (news == API_LIVE_STOPPING)
        return walras_fail(err, WALRAS_UNAVAILABLE, "the server is stopping");
    if (news == API_LIVE_DROPPED)
        return walras_fail(err, WALRAS_CONFLICT, "the market was cancelled");
    return clearing_write(c, close_round, NULL, err);
}

struct sums { /* of a round's points */
    bool own;
};

static enum walras_status take_answer(struct clearing *c, const struct db_rows *rows, size_t row,
                                      double *work, struct walras_err *err)
{
    size_t at = walras_names_find(c->remote_names, db_text(rows, row, 0));
    enum walras_status status = db_numbers(rows, row, 1, work, c->n_point * c->n_step, err);

    if (status != WALRAS_OK || at == SIZE_MAX)
        return status;
    c->hidden[at].own = strcmp(db_text(rows, row, 3), "agent") == 0;
    for (size_t i = 0; i < c->n_point; i++)
        memcpy(c->draw_kw + (i * c->n_remote + at) * c->n_step, work + i * c->n_step,
               c->n_step * sizeof(*work));
    status = db_numbers(rows, row, 2, work, c->n_point, err);
    for (size_t i = 0; status == WALRAS_OK && i < c->n_point; i++)
        c->cost[i * c->n_remote + at] = work[i];
    return status;
}

static enum walras_status mark_suspended(struct clearing *c, struct db_session *session,
                                         struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status = db_round_suspended(session, c->id, &rows, err);

    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++)
        api_live_suspend(c->live, c->id, db_text(&rows, i, 0));
    db_rows_release(&rows);
    return status;
}

static enum walras_status collect(struct clearing *c, struct db_session *session, void *context,
                                  struct walras_err *err)
{
    struct sums *sums = context;
    const struct db_round round = round_of(c);
    struct db_rows rows = {0};
    double *work = calloc(c->n_point * c->n_step + 1, sizeof(*work));
    enum walras_status status = work ? db_round_answers(session, &round, &rows, err)
                                     : walras_fail(err, WALRAS_NOMEM, "no memory for answers");

    sums->own = true;
    c->n_answer = 0;
    if (status == WALRAS_OK && rows.n != c->n_remote)
        status = walras_fail(err, WALRAS_INTERNAL, "round %lld has %zu answers of %zu",
                             (long long)c->number, rows.n, c->n_remote);
    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++) {
        bool own = strcmp(db_text(&rows, i, 3), "agent") == 0;

        sums->own = sums->own && own;
        c->n_answer += own;
        status = take_answer(c, &rows, i, work, err);
    }
    if (status == WALRAS_OK && !sums->own)
        status = mark_suspended(c, session, err);
    db_rows_release(&rows);
    free(work);
    return status;
}

/* What an agent's answer promises, its cost aside: it could do no better at these prices. */
static double paid_of(const struct clearing *c, size_t point, size_t remote)
{
    const double *price =
        c->price_per_mwh + (point * c->n_bus + c->remotes[remote].bus) * c->n_step;
    const double *draw = c->draw_kw + (point * c->n_remote + remote) * c->n_step;
    double value = 0.0;

    for (size_t t = 0; t < c->n_step; t++)
        value += price[t] * draw[t];
    return walras_mwh(value, c->scenario.horizon.step_h);
}

static enum walras_status note_points(struct clearing *c, bool own, struct walras_err *err)
{
    size_t n_price = c->n_bus * c->n_step;

    if (c->n_announced + c->n_point > c->announced_room) {
        size_t room = 2 * (c->n_announced + c->n_point);
        struct clearing_point *grown = realloc(c->points, room * sizeof(*grown));

        if (!grown)
            return walras_fail(err, WALRAS_NOMEM, "no memory for %zu points", room);
        c->points = grown;
        c->announced_room = room;
    }
    for (size_t i = 0; i < c->n_point; i++) {
        struct clearing_point *point = &c->points[c->n_announced++];

        *point = (struct clearing_point){.hash = walras_hash(0, c->price_per_mwh + i * n_price,
                                                             n_price * sizeof(*c->price_per_mwh)),
                                         .round = c->number,
                                         .position = (int64_t)i,
                                         .own = own};
        for (size_t r = 0; r < c->n_remote; r++)
            point->remote_bound += paid_of(c, i, r);
        for (size_t g = 0; g < c->n_guest; g++)
            point->remote_bound += c->guests[g].told[c->n_announced - 1];
    }
    return WALRAS_OK;
}

static void take_prices(struct clearing *c, const struct market_query *query)
{
    size_t n_price = c->n_bus * c->n_step;

    c->n_point = query->n_point;
    c->asked_per_mwh = c->price_per_mwh = query->price_per_mwh;
    for (size_t i = 0; c->told_per_mwh && i < c->n_point; i++)
        memcpy(c->told_per_mwh + i * n_price, query->price_per_mwh + i * c->n_node * c->n_step,
               n_price * sizeof(*c->told_per_mwh));
    if (c->told_per_mwh)
        c->price_per_mwh = c->told_per_mwh;
}

enum walras_status clearing_announce(void *context, const struct market_query *query,
                                     struct walras_err *err)
{
    struct clearing *c = context;
    struct sums sums = {0};
    bool closed = false;
    enum walras_status status = WALRAS_OK;

    if (c->n_remote == 0)
        return WALRAS_OK;
    if (query->n_point > CLEARING_MOST_POINTS)
        return walras_fail(err, WALRAS_INTERNAL, "%zu points in one round", query->n_point);
    if (c->report.number > 0)
        status = api_live_report(c->live, c->live_market, &c->report, err);
    if (status != WALRAS_OK)
        return status;
    c->number++;
    take_prices(c, query);
    status = clearing_write(c, enter, &closed, err);
    if (status == WALRAS_OK && !closed)
        status = wait_for_answers(c, err);
    if (status == WALRAS_OK)
        status = clearing_read(c, collect, &sums, err);
    if (status == WALRAS_OK)
        status = clearing_hidden_take(c, err);
    return status == WALRAS_OK ? note_points(c, sums.own, err) : status;
}

/* The prices it is asked with are those of one of the points that were announced. */
static enum walras_status respond(void *self, size_t part, unsigned worker,
                                  const double *price_per_mwh, double *draw_kw,
                                  struct market_answer *answer, struct walras_err *err)
{
    const struct clearing_guest *guest = self;
    const struct clearing *c = guest->clearing;
    size_t n_asked = c->n_node * c->n_step, point = 0;

    (void)part;
    (void)worker;
    while (point < c->n_point &&
           price_per_mwh != c->asked_per_mwh + point * n_asked + guest->bus * c->n_step)
        point++;
    if (point == c->n_point)
        return walras_fail(err, WALRAS_INTERNAL, "asked for prices that were not announced");
    memset(draw_kw, 0, c->n_step * sizeof(*draw_kw));
    *answer = (struct market_answer){0};
    for (size_t i = 0; i < guest->n; i++) {
        size_t remote = guest->members[i];
        const double *draw = c->draw_kw + (point * c->n_remote + remote) * c->n_step;

        answer->cost += c->cost[point * c->n_remote + remote];
        answer->bound += paid_of(c, point, remote);
        for (size_t t = 0; t < c->n_step; t++)
            draw_kw[t] += draw[t];
    }
    answer->bound += answer->cost;
    return WALRAS_OK;
}

const struct market_oracle_ops clearing_guest_ops = {
    .respond = respond, .revised = clearing_hidden_revised, .doubt = clearing_hidden_guest_doubt};
