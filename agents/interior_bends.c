/*
 * Costs of the state that bend: a unit of state short of bend_low costs bend_below, one beyond
 * bend_high costs bend_above. With the violation s >= 0 and x = room + s >= 0 a bend is two pairs
 * of slack and multiplier, (x, v) and (s, price - v); both leave the state one number
 * (docs/devices.md, eq. 48-50): dv = (h -+ d state) / w,  w = x/v + s/(price - v),  h = t1/v -
 * t2/(price - v)
 */
#include "agents/interior_internal.h"

#include <math.h>

/* Both products are mu: the positive root of price s² + (price · room - 2 mu) s - mu · room. */
static double centred_violation(double price, double room, double mu)
{
    double half = price * room - 2.0 * mu;
    double root = sqrt(4.0 * mu * mu + price * price * room * room);

    return half > 0.0 ? 2.0 * mu * room / (half + root) : (root - half) / (2.0 * price);
}

static void start_side(struct interior_room *r, struct interior_bend *bend, double mu,
                       size_t *n_pair)
{
    for (size_t i = r->bend_first; i < r->n; i++) {
        double price = bend->price[i], room = bend->sign * (r->state.x[i] - bend->place[i]);

        bend->v[i] = bend->s[i] = bend->dv[i] = bend->ds[i] = 0.0;
        if (bend->none[i] > 0.0)
            continue;
        bend->s[i] = centred_violation(price, room, mu);
        bend->v[i] = price - mu / bend->s[i];
        if (!(bend->v[i] > 1e-6 * price)) /* deep inside: the difference has no digits */
            bend->v[i] = fmin(0.5 * price, mu / (room + bend->s[i]));
        *n_pair += 2;
    }
}

void interior_bends_start(struct interior_room *r, double mu, size_t *n_pair)
{
    start_side(r, &r->below, mu, n_pair);
    start_side(r, &r->above, mu, n_pair);
}

static double weigh_side(const struct interior_room *r, const struct interior_bend *bend)
{
    const double *state = r->state.x;
    double *curve = r->state.curve, *pull = r->state.pull, product = 0.0;

    for (size_t i = r->bend_first; i < r->n;
         i++) { /* where there is none, numbers that do nothing */
        double none = bend->none[i], v = bend->v[i] + none, s = bend->s[i];
        double rest = bend->price[i] - bend->v[i] + none;
        double x = bend->sign * (state[i] - bend->place[i]) * (1.0 - none) + s;

        x = interior_larger(x, INTERIOR_LEAST * (fabs(bend->place[i]) + s) * (1.0 - none));
        bend->x[i] = x;
        bend->by_v[i] = 1.0 / v;
        bend->by_rest[i] = 1.0 / rest;
        bend->by_w[i] = (1.0 - none) / (x * bend->by_v[i] + s * bend->by_rest[i] + none);
        curve[i] += bend->by_w[i];
        pull[i] += bend->sign * (bend->v[i] + (s - x) * bend->by_w[i]);
        product += x * bend->v[i] + s * (bend->price[i] - bend->v[i]);
    }
    return product;
}

double interior_bends_weigh(struct interior_room *r)
{
    return weigh_side(r, &r->below) + weigh_side(r, &r->above);
}

static void look_side(const struct interior_room *r, const struct interior_bend *bend,
                      struct interior_look *look)
{
    const double *first = r->state.first;
    double *per_mu = r->state.per_mu, *bent = r->state.bent;
    double slack = look->slack, multiplier = look->multiplier, crossed = 0.0, leaning = 0.0;

    for (size_t i = r->bend_first; i < r->n; i++) {
        double x = bend->x[i], s = bend->s[i], sign = bend->sign * bend->by_w[i];
        double dv = (s - x) * bend->by_w[i] - sign * first[i];
        double of_v = dv * bend->by_v[i], of_rest = dv * bend->by_rest[i];
        double dx = -x - x * of_v, ds = -s + s * of_rest, some = 1.0 - bend->none[i];

        bend->first_v[i] = dv;
        bend->first_x[i] = dx;
        bend->first_s[i] = ds;
        slack = interior_larger(slack, some * interior_larger(1.0 + of_v, 1.0 - of_rest));
        multiplier = interior_larger(multiplier, some * interior_larger(-of_v, of_rest));
        crossed += (dx - ds) * dv;
        leaning += bend->v[i] * dx + (bend->price[i] - bend->v[i]) * ds;
        per_mu[i] += sign * (bend->by_v[i] - bend->by_rest[i]);
        bent[i] -= sign * dv * (dx * bend->by_v[i] + ds * bend->by_rest[i]);
    }
    look->slack = slack;
    look->multiplier = multiplier;
    look->crossed += crossed;
    look->leaning += leaning;
}

void interior_bends_first(struct interior_room *r, struct interior_look *look)
{
    look_side(r, &r->below, look);
    look_side(r, &r->above, look);
}

static void finish_side(const struct interior_room *r, const struct interior_bend *bend, double mu,
                        struct interior_look *look)
{
    const double *moves = r->state.dx;
    double slack = look->slack, multiplier = look->multiplier;

    for (size_t i = r->bend_first; i < r->n; i++) {
        double none = bend->none[i], some = 1.0 - none, x = bend->x[i], s = bend->s[i];
        double by_x = (mu - bend->first_x[i] * bend->first_v[i]) * bend->by_v[i] - x;
        double by_s = (mu + bend->first_s[i] * bend->first_v[i]) * bend->by_rest[i] - s;
        double dv = (by_x - by_s - bend->sign * moves[i]) * bend->by_w[i];
        double of_v = dv * bend->by_v[i], of_rest = dv * bend->by_rest[i];
        double dx = by_x - x * of_v, ds = by_s + s * of_rest;

        slack = interior_larger(slack, some * interior_larger(-dx / (x + none), -ds / (s + none)));
        multiplier = interior_larger(multiplier, some * interior_larger(-of_v, of_rest));
        bend->dv[i] = some * dv;
        bend->ds[i] = some * ds;
    }
    look->slack = slack;
    look->multiplier = multiplier;
}

void interior_bends_second(struct interior_room *r, double mu, struct interior_look *look)
{
    finish_side(r, &r->below, mu, look);
    finish_side(r, &r->above, mu, look);
}

static void go_side(const struct interior_room *r, const struct interior_bend *bend,
                    struct market_stride stride)
{
    for (size_t i = r->bend_first; i < r->n; i++) {
        bend->v[i] += stride.dual * bend->dv[i];
        bend->s[i] += stride.primal * bend->ds[i];
    }
}

void interior_bends_go(struct interior_room *r, struct market_stride stride)
{
    go_side(r, &r->below, stride);
    go_side(r, &r->above, stride);
}
