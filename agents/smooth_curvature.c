/*
 * How the answer gives way to prices. Near an answer the same limits and bounds stay active, so the
 * state at the end of a step, the marginal value behind it and the prices to come move on a plane
 *
 *     w_state · dx = w_mu · dmu + w_price
 *
 * (docs/devices.md, eq. 37-40), w_price standing for what one later price contributes. Backwards
 * from the end this is a recursion of two numbers; a state at its bound ends a run, beyond which a
 * price is not felt.
 */
#include "agents/smooth.h"

#include <math.h>

struct smooth_relation {
    double w_state, w_mu;       /* of the state at the end of the step */
    double rest_state, rest_mu; /* the same of what is left when the step does nothing */
    double carry, own;          /* its w_price: carry · w_price + own · dprice */
    double back;                /* times that: w_price at the end of the step before */
    double by_price, by_mu;     /* of the draw, as it falls */
    double change_by_mu;        /* of the change of state, as it falls */
    double in_free;             /* > 0: moves freely at no cost of its own: state per kW */
    bool starts_run;            /* the state before the step is at a bound, or the first */
};

size_t smooth_relation_size(void)
{
    return sizeof(struct smooth_relation);
}

static bool is_near(double x, double place, double slack)
{
    return fabs(x - place) <= slack;
}

/* What a state may miss by rounding: far less than the slack where all but that has leaked away. */
static double slack_of(const struct smooth *smooth, const struct smooth_room *room, size_t t)
{
    double before = t > smooth->first ? room->state[t - 1] : smooth->start;
    double size = fabs(smooth->keep * before) + fabs(smooth->step[t].drift) +
                  smooth->step[t].in_per_kw * room->charge_kw[t] +
                  smooth->out_per_kw * room->discharge_kw[t];

    return fmin(smooth->slack, 1e-9 * size);
}

static bool is_pinned(const struct smooth *smooth, const struct smooth_room *room, size_t t)
{
    const struct smooth_step *step = &smooth->step[t];
    double state = room->state[t], slack = slack_of(smooth, room, t);

    return (!smooth->is_reach &&
            (is_near(state, step->low, slack) || is_near(state, step->high, slack))) ||
           (step->bend_below > 0.0 && is_near(state, step->bend_low, slack)) ||
           (step->bend_above > 0.0 && is_near(state, step->bend_high, slack));
}

static bool is_free(double kw, double limit_kw, double change_per_kw, double slack)
{
    return change_per_kw * kw > slack && change_per_kw * (limit_kw - kw) > slack;
}

/* The step's own part of its relation; w_state and w_mu are known. */
static void add_step(const struct smooth *smooth, const struct smooth_room *room, size_t t,
                     struct smooth_relation *r)
{
    double in = smooth->step[t].in_per_kw / smooth->step_h,
           out = smooth->out_per_kw / smooth->step_h;
    double slack = slack_of(smooth, room, t);
    bool c = is_free(room->charge_kw[t], smooth->charge_kw, smooth->step[t].in_per_kw, slack);
    bool d = is_free(room->discharge_kw[t], smooth->discharge_kw, smooth->out_per_kw, slack);

    r->rest_state = r->w_state;
    r->rest_mu = r->w_mu;
    r->carry = 1.0;
    r->own = r->by_price = r->by_mu = r->change_by_mu = r->in_free = 0.0;
    if (smooth->curve > 0.0) {
        r->by_price = (c + d) / smooth->curve;
        r->by_mu = ((c ? in : 0.0) + (d ? out : 0.0)) / smooth->curve;
        r->change_by_mu =
            smooth->step_h * ((c ? in * in : 0.0) + (d ? out * out : 0.0)) / smooth->curve;
        r->own = r->w_state * smooth->step_h * r->by_mu;
        r->rest_mu += r->w_state * r->change_by_mu;
    } else if (c) { /* its marginal cost is that of the state: mu follows the price */
        r->rest_state = r->carry = 0.0;
        r->rest_mu = 1.0;
        r->own = 1.0 / in;
        r->in_free = smooth->step[t].in_per_kw;
    }
}

static void relate(const struct smooth *smooth, struct smooth_room *room)
{
    double state = 0.0, mu = 1.0; /* behind the end nothing is worth anything */

    for (size_t t = smooth->end; t-- > smooth->first;) {
        struct smooth_relation *r = &room->relation[t];
        bool pinned = is_pinned(smooth, room, t);

        if (state + mu <= 0.0) /* the step leaves nothing of the state: as at the end */
            mu = 1.0;
        r->w_state = pinned ? 1.0 : state + smooth->stiff * mu;
        r->w_mu = pinned ? 0.0 : mu;

        double size = fmax(r->w_state, r->w_mu);

        r->w_state /= size;
        r->w_mu /= size;
        if (t + 1 < smooth->end) {
            room->relation[t + 1].starts_run = pinned;
            room->relation[t + 1].back = pinned ? 0.0 : smooth->keep / size;
        }
        add_step(smooth, room, t, r);
        state = r->rest_state * smooth->keep * smooth->keep;
        mu = r->rest_mu;
    }
    room->relation[smooth->first].starts_run = true;
    room->relation[smooth->first].back = 0.0;
}

/* One price rises by 1: what the draws of its run, up to its own step, do. */
static void add_column(const struct smooth *smooth, struct smooth_room *room, size_t column,
                       double *curvature)
{
    const struct smooth_relation *relation = room->relation;
    double *w_price = room->scratch, rest = 0.0; /* w_price at the end of each step */
    size_t n = room->n_step, t = column;

    w_price[t] = 0.0;
    for (double passed = relation[t].own; !relation[t].starts_run; t--) {
        w_price[t - 1] = relation[t].back * passed;
        passed = relation[t - 1].carry * w_price[t - 1];
    }
    for (; t <= column; t++) {
        const struct smooth_relation *r = &relation[t];
        double own = t == column ? 1.0 : 0.0;
        double passed = r->carry * w_price[t] + own * r->own;
        double mu = r->rest_mu > 0.0 ? (r->rest_state * rest - passed) / r->rest_mu : 0.0;
        double fall = own * r->by_price + r->by_mu * mu;
        double change = -(own * smooth->step_h * r->by_mu + r->change_by_mu * mu);

        if (r->in_free > 0.0) {
            change = r->w_state > 0.0 ? (r->w_mu * mu + w_price[t]) / r->w_state - rest : 0.0;
            fall = -change / r->in_free;
        }
        curvature[t * n + column] += fall;
        if (t < column)
            curvature[column * n + t] += fall;
        rest = smooth->keep * (rest + change);
    }
}

void smooth_curvature(const struct smooth *smooth, struct smooth_room *room, double *curvature)
{
    relate(smooth, room);
    for (size_t t = smooth->first; t < smooth->end; t++)
        add_column(smooth, room, t, curvature);
}
