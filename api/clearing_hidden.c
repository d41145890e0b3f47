#include "api/clearing_hidden.h"

#include "core/units.h"

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

/* Makes room for the points of this round. What it told before it first hid is in the group's. */
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
    for (size_t i = hidden->room; i < room; i++)
        grown[i] = (struct clearing_hidden_answer){.node = SIZE_MAX, .told = 0.0};
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

/* Its own answers: the first one, told or not, is what the others are told against. */
static enum walras_status learn(const struct clearing *c, size_t remote, size_t i,
                                struct clearing_hidden *hidden, struct walras_err *err)
{
    struct market_inferred *inferred = &hidden->inferred;
    double told = c->cost[i * c->n_remote + remote];

    hidden->hides = hidden->hides || isnan(told);
    if (inferred->n > 0 && !hidden->hides)
        return WALRAS_OK;
    if (inferred->n == 0 && !isnan(told))
        inferred->first_cost = told / currency(c, 1.0);
    return market_inferred_add(inferred, price_of(c, remote, i), draw_of(c, remote, i), err);
}

static enum walras_status note(const struct clearing *c, size_t remote, size_t i,
                               struct clearing_hidden *hidden, struct walras_err *err)
{
    struct clearing_hidden_answer *answer = &hidden->answers[c->n_announced + i];
    double told = c->cost[i * c->n_remote + remote];

    *answer = (struct clearing_hidden_answer){
        .node = market_inferred_find(&hidden->inferred, draw_of(c, remote, i)), .told = told};
    if (isnan(told) && answer->node == SIZE_MAX)
        return walras_fail(err, WALRAS_INTERNAL, "agent %s never answered what stands in for it",
                           c->remotes[remote].id);
    return WALRAS_OK;
}

static enum walras_status take_agent(struct clearing *c, size_t remote, struct walras_err *err)
{
    struct clearing_hidden *hidden = &c->hidden[remote];
    bool hid = hidden->hides;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; status == WALRAS_OK && hidden->own && i < c->n_point; i++)
        status = learn(c, remote, i, hidden, err);
    if (status != WALRAS_OK || !hidden->hides)
        return status;
    status = reserve(c, hidden, err);
    for (size_t i = 0; status == WALRAS_OK && i < c->n_point; i++)
        status = note(c, remote, i, hidden, err);
    c->n_hiding += status == WALRAS_OK && !hid;
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
