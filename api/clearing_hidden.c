#include "api/clearing_hidden.h"

#include "core/units.h"
#include "db/values.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static double currency(const struct clearing *c, double cost)
{
    return walras_mwh(cost, c->scenario.horizon.step_h);
}

void clearing_hidden_release(struct clearing *c)
{
    for (size_t r = 0; c->hidden && r < c->n_remote; r++) {
        market_inferred_release(&c->hidden[r].inferred);
        free(c->hidden[r].answers);
    }
    for (size_t g = 0; c->guests && g < c->n_guest; g++)
        free(c->guests[g].told);
    free(c->hidden);
    c->hidden = NULL;
}

bool clearing_hides(const struct clearing *c, size_t remote)
{
    return c->hidden && c->hidden[remote].hides;
}

size_t clearing_hidden_odd(const struct clearing *c)
{
    size_t n = 0;

    for (size_t r = 0; r < c->n_remote; r++)
        n += clearing_hides(c, r) ? c->hidden[r].inferred.n_odd : 0;
    return n;
}

double clearing_hidden_cost_of(const struct clearing *c, size_t remote, size_t point)
{
    const struct clearing_hidden *hidden = &c->hidden[remote];
    const struct clearing_hidden_answer *answer = &hidden->answers[point];

    return isnan(answer->told) ? currency(c, market_inferred_cost(&hidden->inferred, answer->node))
                               : answer->told;
}

double clearing_hidden_cost(const struct clearing *c, size_t point)
{
    double sum = 0.0;

    for (size_t r = 0; r < c->n_remote; r++)
        if (clearing_hides(c, r) && isnan(c->hidden[r].answers[point].told))
            sum += clearing_hidden_cost_of(c, r, point);
    return sum;
}

/* Makes room for the points of this round. */
static enum walras_status reserve(const struct clearing *c, struct clearing_hidden *hidden,
                                  struct walras_err *err)
{
    size_t n = c->n_announced + c->n_point, room = hidden->room ? 2 * hidden->room : 64;
    struct clearing_hidden_answer *grown = NULL;

    if (n <= hidden->room)
        return WALRAS_OK;
    room = room < n ? n : room;
    grown = realloc(hidden->answers, room * sizeof(*grown));
    if (!grown)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu answers", room);
    hidden->answers = grown;
    hidden->room = room;
    return WALRAS_OK;
}

static const double *draw_of(const struct clearing *c, size_t remote, size_t i)
{
    return c->draw_kw + (i * c->n_remote + remote) * c->n_step;
}

static const double *price_of(const struct clearing *c, size_t remote, size_t i)
{
    return c->price_per_mwh + (i * c->n_bus + c->remotes[remote].bus) * c->n_step;
}

struct answer {
    const double *price_per_mwh, *draw_kw; /* [n_step] */
    double told;                           /* NAN: hidden */
    bool own;
};

/* To point `at`. What stands in was answered before, or is a fallback, whose cost is told. */
static enum walras_status take_answer(const struct clearing *c, size_t remote, size_t at,
                                      const struct answer *answer, struct walras_err *err)
{
    struct clearing_hidden *hidden = &c->hidden[remote];
    struct market_inferred *inferred = &hidden->inferred;
    size_t node = SIZE_MAX;

    if (answer->own) {
        enum walras_status status = market_inferred_add(
            inferred, answer->price_per_mwh, answer->draw_kw, answer->told / currency(c, 1.0), err);

        if (status != WALRAS_OK)
            return status;
        node = inferred->n - 1;
    } else {
        node = market_inferred_find(inferred, answer->draw_kw);
    }
    if (isnan(answer->told) && node == SIZE_MAX)
        return walras_fail(err, WALRAS_INTERNAL, "agent %s never answered what stands in for it",
                           c->remotes[remote].id);
    hidden->answers[at] = (struct clearing_hidden_answer){.node = node, .told = answer->told};
    return WALRAS_OK;
}

struct past {
    size_t remote;
    struct db_rows rows;
};

static enum walras_status read_past(struct clearing *c, struct db_session *session, void *context,
                                    struct walras_err *err)
{
    struct past *past = context;
    const struct db_round round = {c->id, c->number};
    const struct db_round_agent agent = {c->remotes[past->remote].id,
                                         (int64_t)c->remotes[past->remote].bus, (int64_t)c->n_step};

    return db_round_before(session, &round, &agent, &past->rows, err);
}

/* What it answered before it hid anything, told and all. */
static enum walras_status take_past(struct clearing *c, size_t remote, struct walras_err *err)
{
    struct past past = {.remote = remote};
    double *work = calloc(2 * c->n_step + 1, sizeof(*work));
    enum walras_status status = work ? clearing_read(c, read_past, &past, err)
                                     : walras_fail(err, WALRAS_NOMEM, "no memory for answers");

    if (status == WALRAS_OK && past.rows.n != c->n_announced)
        status = walras_fail(err, WALRAS_INTERNAL, "agent %s has %zu answers before round %lld",
                             c->remotes[remote].id, past.rows.n, (long long)c->number);
    for (size_t i = 0; status == WALRAS_OK && i < past.rows.n; i++) {
        const struct answer answer = {.price_per_mwh = work,
                                      .draw_kw = work + c->n_step,
                                      .told = db_number(&past.rows, i, 2),
                                      .own = strcmp(db_text(&past.rows, i, 3), "agent") == 0};

        status = db_numbers(&past.rows, i, 0, work, c->n_step, err);
        if (status == WALRAS_OK)
            status = db_numbers(&past.rows, i, 1, work + c->n_step, c->n_step, err);
        if (status == WALRAS_OK)
            status = take_answer(c, remote, i, &answer, err);
    }
    db_rows_release(&past.rows);
    free(work);
    return status;
}

static bool hid_one(const struct clearing *c, size_t remote)
{
    for (size_t i = 0; i < c->n_point; i++)
        if (isnan(c->cost[i * c->n_remote + remote]))
            return true;
    return false;
}

static enum walras_status take_agent(struct clearing *c, size_t remote, struct walras_err *err)
{
    struct clearing_hidden *hidden = &c->hidden[remote];
    enum walras_status status = WALRAS_OK;

    if (!hidden->hides && !hid_one(c, remote))
        return WALRAS_OK;
    status = reserve(c, hidden, err);
    if (status == WALRAS_OK && !hidden->hides && c->n_announced > 0)
        status = take_past(c, remote, err);
    for (size_t i = 0; status == WALRAS_OK && i < c->n_point; i++) {
        const struct answer answer = {.price_per_mwh = price_of(c, remote, i),
                                      .draw_kw = draw_of(c, remote, i),
                                      .told = c->cost[i * c->n_remote + remote],
                                      .own = hidden->own};

        status = take_answer(c, remote, c->n_announced + i, &answer, err);
    }
    c->n_hiding += status == WALRAS_OK && !hidden->hides;
    hidden->hides = true;
    return status;
}

/* What those behind a guest told at the points of this round; the rest is added when asked for. */
static enum walras_status take_guest(struct clearing *c, struct clearing_guest *guest,
                                     struct walras_err *err)
{
    size_t n = c->n_announced + c->n_point;

    if (n > guest->room) {
        double *grown = calloc(4 * n, sizeof(*grown));

        if (!grown)
            return walras_fail(err, WALRAS_NOMEM, "no memory for %zu answers", n);
        if (guest->told)
            memcpy(grown, guest->told, guest->n_told * sizeof(*grown));
        free(guest->told);
        guest->room = 2 * n;
        guest->told = grown;
        guest->revised = grown + guest->room;
    }
    guest->n_told = n;
    for (size_t i = 0; i < c->n_point; i++) {
        double *told = &guest->told[c->n_announced + i];

        *told = 0.0;
        for (size_t k = 0; k < guest->n; k++) {
            double cost = c->cost[i * c->n_remote + guest->members[k]];

            *told += isnan(cost) ? 0.0 : cost;
        }
    }
    return WALRAS_OK;
}

/* Into the round's own costs, which are what a guest answers. */
static void price_hidden(struct clearing *c)
{
    for (size_t r = 0; r < c->n_remote; r++)
        for (size_t i = 0; clearing_hides(c, r) && i < c->n_point; i++)
            c->cost[i * c->n_remote + r] = clearing_hidden_cost_of(c, r, c->n_announced + i);
}

enum walras_status clearing_hidden_take(struct clearing *c, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t r = 0; status == WALRAS_OK && r < c->n_remote; r++)
        status = take_agent(c, r, err);
    for (size_t g = 0; status == WALRAS_OK && g < c->n_guest; g++)
        status = take_guest(c, &c->guests[g], err);
    if (status == WALRAS_OK)
        price_hidden(c);
    return status;
}

const double *clearing_hidden_revised(void *self)
{
    struct clearing_guest *guest = self;
    const struct clearing *c = guest->clearing;
    bool any = false;

    for (size_t k = 0; k < guest->n; k++) {
        if (!clearing_hides(c, guest->members[k]))
            continue;
        if (!any)
            memcpy(guest->revised, guest->told, guest->n_told * sizeof(*guest->told));
        any = true;
        for (size_t i = 0; i < guest->n_told; i++)
            if (isnan(c->hidden[guest->members[k]].answers[i].told))
                guest->revised[i] += clearing_hidden_cost_of(c, guest->members[k], i);
    }
    return any ? guest->revised : NULL;
}

enum walras_status clearing_hidden_doubt(const struct clearing *c, size_t remote, size_t at,
                                         const size_t *point, const double *weight, size_t n,
                                         double *doubt, struct walras_err *err)
{
    const struct clearing_hidden *hidden = &c->hidden[remote];
    const struct market_inferred *inferred = &hidden->inferred;
    size_t from = hidden->answers[at].node;
    double *most = calloc(inferred->n + 1, sizeof(*most)), sum = 0.0;
    enum walras_status status =
        most ? WALRAS_OK : walras_fail(err, WALRAS_NOMEM, "no memory to judge %s", c->id);

    if (status == WALRAS_OK && from != SIZE_MAX)
        status = market_inferred_most(inferred, from, most, err);
    for (size_t j = 0; status == WALRAS_OK && j < n; j++) {
        size_t node = point[j] == SIZE_MAX ? SIZE_MAX : hidden->answers[point[j]].node;

        if (!(weight[j] > 0.0))
            continue;
        sum += from == SIZE_MAX || node == SIZE_MAX
                   ? (double)INFINITY
                   : weight[j] * (most[node] - market_inferred_rise(inferred, from, node));
    }
    *doubt = currency(c, sum);
    free(most);
    return status;
}

enum walras_status clearing_hidden_guest_doubt(void *self, size_t at, const size_t *point,
                                               const double *weight, size_t n, double *doubt,
                                               struct walras_err *err)
{
    const struct clearing_guest *guest = self;
    enum walras_status status = WALRAS_OK;
    double of_one = 0.0;

    *doubt = 0.0;
    for (size_t k = 0; k < guest->n && status == WALRAS_OK; k++) {
        if (!clearing_hides(guest->clearing, guest->members[k]))
            continue;
        status = clearing_hidden_doubt(guest->clearing, guest->members[k], at, point, weight, n,
                                       &of_one, err);
        *doubt += of_one;
    }
    return status;
}
