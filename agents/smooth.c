#include "agents/smooth.h"

#include "agents/storage_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * The state as a function of the marginal value of what is to come: knots (mu, state), both
 * nondecreasing, constant beyond the ends. A jump of the function is two knots at one mu; a kink of
 * the value function is two knots at one state.
 */
struct graph {
    size_t n;
    double *mu;
    const double *state;
};

/* Knots that a step can add: its moves and two bends. */
enum { KNOTS_PER_STEP = SMOOTH_MOVES + 4 };

/*
 * The policy of a step is its change of state as a function of the state that is left when it does
 * nothing: knots (rest, change). (The next state would say the same, but a change that is the
 * difference of two states has their rounding, and idling would not be 0.) Those of the first steps
 * are kept; what does not fit is found by another pass from the end. Room for three of the longest
 * is the least that works.
 */
enum { KEPT_LISTS = 64 };

static size_t most_knots(size_t n_step)
{
    return 2 + KNOTS_PER_STEP * (n_step + 1);
}

static size_t policy_room(size_t n_step)
{
    return most_knots(n_step) * (n_step / 2 < KEPT_LISTS ? n_step / 2 + 3 : KEPT_LISTS);
}

bool smooth_room_take(struct smooth_room *room, size_t n_step)
{
    room->n_step = n_step;
    room->n_policy = policy_room(n_step);
    room->step = calloc(n_step, sizeof(*room->step));
    room->rest = calloc(room->n_policy, sizeof(*room->rest));
    room->change = calloc(room->n_policy, sizeof(*room->change));
    room->first = calloc(n_step, sizeof(*room->first));
    room->n = calloc(n_step, sizeof(*room->n));
    room->mu[0] = calloc(most_knots(n_step), sizeof(double));
    room->mu[1] = calloc(most_knots(n_step), sizeof(double));
    room->scratch = calloc(most_knots(n_step), sizeof(double));
    room->charge_kw = calloc(n_step, sizeof(double));
    room->discharge_kw = calloc(n_step, sizeof(double));
    room->state = calloc(n_step, sizeof(double));
    room->relation = calloc(n_step, smooth_relation_size());
    return room->step && room->rest && room->change && room->first && room->n && room->mu[0] &&
           room->mu[1] && room->scratch && room->charge_kw && room->discharge_kw && room->state &&
           room->relation;
}

void smooth_room_release(struct smooth_room *room)
{
    free(room->step);
    free(room->rest);
    free(room->change);
    free(room->first);
    free(room->n);
    free(room->mu[0]);
    free(room->mu[1]);
    free(room->scratch);
    free(room->charge_kw);
    free(room->discharge_kw);
    free(room->state);
    free(room->relation);
}

/* y between (x0, y0) and (x1, y1), x0 < x1; never beyond them. */
static inline double between(double x0, double y0, double x1, double y1, double x)
{
    return storage_clamp(y0 + (y1 - y0) * ((x - x0) / (x1 - x0)), storage_min(y0, y1),
                         storage_max(y0, y1));
}

/* The state at mu, knot i being the first beyond mu. */
static inline double state_at(const struct graph *g, size_t i, double mu)
{
    if (i == 0)
        return g->state[0];
    if (i == g->n)
        return g->state[g->n - 1];
    return between(g->mu[i - 1], g->state[i - 1], g->mu[i], g->state[i], mu);
}

/*
 * What is left when the step does nothing, for each change: state(mu) − change(mu), eq. 35. Returns
 * the number of knots.
 */
static size_t merge(const struct graph *g, const struct smooth_move *move, double *restrict mu,
                    double *restrict rest, double *restrict changes)
{
    size_t i = 0, n = 0;
    double low = move->change[0], high = low, by = 0.0, from = 0.0;

    for (size_t k = 0; k <= move->n; k++) {
        double until = k < move->n ? move->mu[k] : (double)INFINITY;

        size_t stop = i;

        while (stop < g->n && g->mu[stop] <= until)
            stop++;
        for (size_t j = i; j < stop; j++) { /* apart from the search: several at once */
            double change = storage_clamp(high + by * (g->mu[j] - from), low, high);

            mu[n + j - i] = g->mu[j];
            changes[n + j - i] = change;
            rest[n + j - i] = g->state[j] - change;
        }
        n += stop - i;
        i = stop;
        if (k == move->n)
            break;
        mu[n] = until;
        changes[n] = move->change[k];
        rest[n] = state_at(g, i, until) - changes[n];
        n++;
        from = until;
        high = move->change[k];
        low = k + 1 < move->n ? move->change[k + 1] : high;
        by = high > low ? (low - high) / (move->mu[k + 1] - until) : 0.0;
    }
    return n;
}

/* Knots [begin, end) of a policy under way, with their mu. */
struct merged {
    double *mu, *rest, *change;
    size_t begin, end;
};

static void put_knot(struct merged *m, size_t at, size_t left, double rest)
{
    double mu = between(m->rest[left], m->mu[left], m->rest[left + 1], m->mu[left + 1], rest);
    double change =
        between(m->rest[left], m->change[left], m->rest[left + 1], m->change[left + 1], rest);

    m->mu[at] = mu;
    m->change[at] = change;
    m->rest[at] = rest;
}

/*
 * Cuts to low <= rest <= high. False when it misses them by more than slack; an end within slack of
 * a bound is put on it.
 */
static bool cut(struct merged *m, double low, double high, double slack)
{
    if (m->rest[m->end - 1] < low - slack || m->rest[m->begin] > high + slack)
        return false;
    while (m->begin + 1 < m->end && m->rest[m->begin + 1] <= low)
        m->begin++;
    if (m->rest[m->begin] < low && m->begin + 1 < m->end)
        put_knot(m, m->begin, m->begin, low);
    else if (m->rest[m->begin] < low + slack)
        m->rest[m->begin] = low;
    while (m->end - 1 > m->begin && m->rest[m->end - 2] >= high)
        m->end--;
    if (m->rest[m->end - 1] > high && m->end - 1 > m->begin)
        put_knot(m, m->end - 1, m->end - 2, high);
    else if (m->rest[m->end - 1] > high - slack)
        m->rest[m->end - 1] = high;
    return true;
}

/* Adds `by` to the marginal values below `state`, where the list gets a kink. */
static void bend_below(struct graph *g, double *states, double state, double by)
{
    size_t i = 0;

    while (i < g->n && states[i] < state)
        g->mu[i++] -= by;
    if (i == 0 || i == g->n)
        return;

    double mu = between(states[i - 1], g->mu[i - 1] + by, states[i], g->mu[i], state);

    memmove(g->mu + i + 2, g->mu + i, (g->n - i) * sizeof(*g->mu));
    memmove(states + i + 2, states + i, (g->n - i) * sizeof(*states));
    g->mu[i] = mu - by;
    g->mu[i + 1] = mu;
    states[i] = states[i + 1] = state;
    g->n += 2;
}

/* The same above `state`. */
static void bend_above(struct graph *g, double *states, double state, double by)
{
    size_t i = g->n;

    while (i > 0 && states[i - 1] > state)
        g->mu[--i] += by;
    if (i == 0 || i == g->n)
        return;

    double mu = between(states[i - 1], g->mu[i - 1], states[i], g->mu[i] - by, state);

    memmove(g->mu + i + 2, g->mu + i, (g->n - i) * sizeof(*g->mu));
    memmove(states + i + 2, states + i, (g->n - i) * sizeof(*states));
    g->mu[i] = mu;
    g->mu[i + 1] = mu + by;
    states[i] = states[i + 1] = state;
    g->n += 2;
}

/* What the state at the end of the step costs by itself. */
static void add_state_cost(const struct smooth *smooth, size_t t, struct graph *g, double *states)
{
    const struct smooth_step *step = &smooth->step[t];

    if (smooth->stiff > 0.0)
        for (size_t i = 0; i < g->n; i++)
            g->mu[i] += smooth->stiff * (states[i] - step->target);
    if (step->bend_below > 0.0)
        bend_below(g, states, step->bend_low, step->bend_below);
    if (step->bend_above > 0.0)
        bend_above(g, states, step->bend_high, step->bend_above);
}

static bool has_state_cost(const struct smooth *smooth, size_t t)
{
    return smooth->stiff > 0.0 || smooth->step[t].bend_below > 0.0 ||
           smooth->step[t].bend_above > 0.0;
}

/*
 * The graph before step t from what is merged: leakage and drift undone, cut to the bounds at the
 * end of the step before.
 */
static bool step_back(const struct smooth *smooth, size_t t, struct merged *m,
                      struct smooth_room *room, struct graph *g)
{
    const struct smooth_step *now = &smooth->step[t], *before = &smooth->step[t - 1];
    double keep = storage_max(smooth->keep, STORAGE_KEEP_MIN), per_keep = 1.0 / keep;

    double low = smooth->keep * before->low + now->drift;
    double high = smooth->keep * before->high + now->drift;

    if (!cut(m, low, high, smooth->slack))
        return false;
    g->n = m->end - m->begin;
    g->mu = m->mu + m->begin;
    g->state = m->rest + m->begin;
    if (keep == 1.0 && now->drift == 0.0 && !has_state_cost(smooth, t - 1))
        return true;
    g->state = room->scratch;
    for (size_t i = 0; i < g->n; i++) {
        g->mu[i] *= keep;
        room->scratch[i] = storage_clamp((m->rest[m->begin + i] - now->drift) * per_keep,
                                         before->low, before->high);
    }
    if (m->rest[m->begin] == low)
        room->scratch[0] = before->low;
    if (m->rest[m->end - 1] == high) { /* what leaks away at once can have been anything */
        g->mu[g->n] = g->mu[g->n - 1];
        g->n += g->n == 1 && before->low < before->high;
        room->scratch[g->n - 1] = before->high;
    }
    add_state_cost(smooth, t - 1, g, room->scratch);
    return true;
}

/*
 * Backwards from the end to step `from`, whose state before it is `start`. Keeps the policies of
 * steps [from, *kept).
 */
static bool backward(const struct smooth *smooth, size_t from, double start,
                     struct smooth_room *room, size_t *kept)
{
    size_t side = 0; /* of room->mu, where the graph is */
    const struct smooth_step *last = &smooth->step[smooth->end - 1];
    struct graph g = {.n = 2, .mu = room->mu[0], .state = room->scratch};
    size_t top = 0;

    if (last->low > last->high + smooth->slack)
        return false;
    g.mu[0] = g.mu[1] = 0.0;
    room->scratch[0] = storage_min(last->low, last->high);
    room->scratch[1] = last->high;
    add_state_cost(smooth, smooth->end - 1, &g, room->scratch);
    *kept = smooth->end;
    for (size_t t = smooth->end; t-- > from;) {
        struct smooth_move move;

        if (top + g.n + KNOTS_PER_STEP > room->n_policy) {
            top = 0; /* far from g.state, which may lie at the end */
            *kept = t + 1;
        }

        side = 1 - side;

        struct merged m = {
            .mu = room->mu[side], .rest = room->rest + top, .change = room->change + top};

        smooth_move_of(smooth, t, &move);
        m.end = merge(&g, &move, m.mu, m.rest, m.change);
        room->first[t] = top;
        if (t == from) {
            double rest = smooth->keep * start + smooth->step[t].drift;
            double slack =
                from > smooth->first || smooth->is_reach ? (double)INFINITY : smooth->slack;

            room->n[t] = m.end;
            return rest >= m.rest[0] - slack && rest <= m.rest[m.end - 1] + slack;
        }
        if (!step_back(smooth, t, &m, room, &g))
            return false;
        room->first[t] += m.begin;
        room->n[t] = m.end - m.begin;
        top += m.end;
    }
    return true;
}

static double change_at(const struct smooth_room *room, size_t t, double rest)
{
    const double *rests = room->rest + room->first[t], *changes = room->change + room->first[t];
    size_t low = 0, high = room->n[t]; /* rests[low] <= rest < rests[high] */

    if (rest < rests[0])
        return changes[0];
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (rests[middle] <= rest)
            low = middle;
        else
            high = middle;
    }
    if (high == room->n[t])
        return changes[low];
    return between(rests[low], changes[low], rests[high], changes[high], rest);
}

/* Charge and discharge that make this change, at the least cost. */
static void split(const struct smooth *smooth, size_t t, double change, double *charge_kw,
                  double *discharge_kw)
{
    struct smooth_move move;
    size_t k = 1;

    smooth_move_of(smooth, t, &move);
    while (k + 1 < move.n && move.change[k] > change)
        k++;
    if (move.change[k - 1] > move.change[k]) {
        *charge_kw = between(-move.change[k - 1], move.charge_kw[k - 1], -move.change[k],
                             move.charge_kw[k], -change);
        *discharge_kw = between(-move.change[k - 1], move.discharge_kw[k - 1], -move.change[k],
                                move.discharge_kw[k], -change);
    } else {
        *charge_kw = move.charge_kw[k];
        *discharge_kw = move.discharge_kw[k];
    }
}

static double forward(const struct smooth *smooth, size_t from, size_t until, double state,
                      struct smooth_room *room)
{
    for (size_t t = from; t < until; t++) {
        const struct smooth_step *step = &smooth->step[t];
        double rest = smooth->keep * state + step->drift, change = change_at(room, t, rest);

        state = storage_clamp(rest + change, step->low, step->high);
        split(smooth, t, change, &room->charge_kw[t], &room->discharge_kw[t]);
        room->state[t] = state;
    }
    return state;
}

bool smooth_solve(const struct smooth *smooth, struct smooth_room *room)
{
    double state = smooth->start;
    size_t until;

    for (size_t from = smooth->first; from < smooth->end; from = until) {
        if (!backward(smooth, from, state, room, &until))
            return false;
        state = forward(smooth, from, until, state, room);
    }
    return true;
}
