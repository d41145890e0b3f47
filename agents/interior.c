#include "agents/interior_internal.h"

#include <math.h>

/* What the rows miss; returns the largest, as kW. */
static double find_miss(struct interior_room *r)
{
    double before = r->device->start, worst = 0.0;

    for (size_t i = 0; i < r->n; i++) {
        r->miss[i] = r->step[i].drift + r->keep * before + r->in[i] * r->charge.x[i] -
                     r->out * r->discharge.x[i] - r->state.x[i];
        before = r->state.x[i];
        worst = fmax(worst, fabs(r->miss[i]) / r->in[i]);
    }
    return worst;
}

/* Pulls towards mu = 0: minus the slope of the Lagrangian without the bounds' multipliers. */
static void pull(struct interior_room *r, const double *price_per_mwh)
{
    double wear = r->wear, curve = r->device->curve, stiff = r->device->stiff * r->per_step_h;

    for (size_t i = 0; i < r->n; i++) {
        double after = i + 1 < r->n ? r->keep * r->y[i + 1] : 0.0;

        r->charge.pull[i] = r->in[i] * r->y[i] - price_per_mwh[i] - wear - curve * r->charge.x[i];
        r->discharge.pull[i] =
            price_per_mwh[i] - r->out * r->y[i] - wear - curve * r->discharge.x[i];
        r->state.pull[i] = after - r->y[i] - stiff * (r->state.x[i] - r->step[i].target);
    }
}

/* Σ |what the slope of the Lagrangian misses 0 by| · range; before bends are in the pull. */
static double find_unpriced(const struct interior_room *r)
{
    const struct interior_box *const boxes[] = {&r->charge, &r->discharge, &r->state};
    double sum = 0.0;

    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < r->n; i++) {
            double off = boxes[k]->pull[i] + boxes[k]->z_low[i] - boxes[k]->z_high[i];

            if (k == 2 && i >= r->bend_first)
                off += r->below.v[i] - r->above.v[i];
            sum += fabs(off) * (boxes[k]->high[i] - boxes[k]->low[i]) * boxes[k]->free[i];
        }
    return sum;
}

/* Θ of a box, and Σ slack · multiplier. */
static double weigh_box(const struct interior_box *box, size_t n)
{
    double product = 0.0;

    for (size_t i = 0; i < n; i++) {
        double fixed = 1.0 - box->free[i];
        double low = box->x[i] - box->low[i] + fixed, high = box->high[i] - box->x[i] + fixed;

        box->in_low[i] = box->free[i] / low;
        box->in_high[i] = box->free[i] / high;
        box->theta[i] = box->free[i] / (box->curve[i] + box->z_low[i] * box->in_low[i] +
                                        box->z_high[i] * box->in_high[i] + fixed);
        product += box->z_low[i] * low + box->z_high[i] * high;
    }
    return product;
}

/* Everything that depends on the point alone; returns Σ slack · multiplier. */
static double prepare(struct interior_room *r, const double *price_per_mwh)
{
    double product = 0.0;

    pull(r, price_per_mwh);
    product = interior_bends_weigh(r);
    product += weigh_box(&r->charge, r->n) + weigh_box(&r->discharge, r->n);
    product += weigh_box(&r->state, r->n);
    for (size_t i = 0; i < r->n; i++)
        r->b[i] = r->in[i] * r->charge.theta[i] + r->out * r->discharge.theta[i];
    return product;
}

static size_t start_box(const struct interior_box *box, size_t n, double mu)
{
    size_t n_pair = 0;

    for (size_t i = 0; i < n; i++) {
        double half = 0.5 * (box->high[i] - box->low[i]);

        box->x[i] = box->low[i] + half;
        box->z_low[i] = box->z_high[i] = box->free[i] > 0.0 ? mu / half : 0.0;
        n_pair += box->free[i] > 0.0 ? 2 : 0;
    }
    return n_pair;
}

static void start(struct interior_room *r, struct market_interior *turn, size_t first)
{
    double price = 0.0;

    interior_describe(r);
    turn->curved = turn->curved || r->device->curve > 0.0 || r->device->stiff > 0.0;
    turn->n_pair += start_box(&r->charge, r->n, turn->mu);
    turn->n_pair += start_box(&r->discharge, r->n, turn->mu);
    turn->n_pair += start_box(&r->state, r->n, turn->mu);
    interior_bends_start(r, turn->mu, &turn->n_pair);
    for (size_t i = 0; i < r->n; i++)
        price += turn->price_per_mwh[first + i] / (double)r->n;
    for (size_t i = 0; i < r->n; i++) {
        r->y[i] = price / r->in[i];
        r->y_first[i] = r->y_move[i] = 0.0;
    }
}

/* The draw, and what it costs. */
static void tell(const struct interior_room *r, struct market_interior *turn, size_t first)
{
    const struct smooth *device = r->device;
    double cost = 0.0;

    for (size_t i = 0; i < r->n; i++) {
        double charge = r->charge.x[i], discharge = r->discharge.x[i];
        double off = r->state.x[i] - r->step[i].target;

        turn->draw_kw[first + i] += charge - discharge;
        cost += r->wear * (charge + discharge) +
                0.5 * device->curve * (charge * charge + discharge * discharge) +
                0.5 * device->stiff * r->per_step_h * off * off;
    }
    for (size_t i = r->bend_first; i < r->n; i++)
        cost +=
            r->per_step_h *
            (r->step[i].bend_below * interior_larger(r->step[i].bend_low - r->state.x[i], 0.0) +
             r->step[i].bend_above * interior_larger(r->state.x[i] - r->step[i].bend_high, 0.0));
    turn->cost += cost;
}

static void fold(struct interior_room *r, struct market_interior *turn, size_t first)
{
    interior_describe(r);
    if (turn->stride.primal > 0.0)
        interior_go(r, turn->stride);
    tell(r, turn, first);
    pull(r, turn->price_per_mwh + first);
    turn->unpriced += find_unpriced(r);
    turn->product += prepare(r, turn->price_per_mwh + first);
    turn->off = fmax(turn->off, find_miss(r));
    interior_factor(r);
    interior_find_leads(r);
    interior_add_draw(r, r->charge.pull, r->discharge.pull, r->state.pull, true,
                      turn->still_kw + first);
    interior_add_curvature(r, r->n_step, turn->curvature + first * (r->n_step + 1));
}

static void shorten(struct market_stride *longest, const struct interior_look *look)
{
    if (look->slack * longest->primal > 1.0)
        longest->primal = 1.0 / look->slack;
    if (look->multiplier * longest->dual > 1.0)
        longest->dual = 1.0 / look->multiplier;
}

static void predict(struct interior_room *r, struct market_interior *turn, size_t first)
{
    struct interior_look look;

    interior_describe(r);
    (void)prepare(r, turn->price_per_mwh + first);
    (void)find_miss(r);
    interior_find_leads(r);
    interior_move_values(r, turn->first_per_mwh + first, r->charge.pull, r->discharge.pull,
                         r->state.pull, r->y_first);
    look = interior_find_first(r, turn->first_per_mwh + first);
    shorten(&turn->longest, &look);
    turn->crossed += look.crossed;
    turn->leaning += look.leaning;
    interior_add_draw(r, r->charge.per_mu, r->discharge.per_mu, r->state.per_mu, false,
                      turn->per_mu_kw + first);
    interior_add_draw(r, r->charge.bent, r->discharge.bent, r->state.bent, false,
                      turn->bent_kw + first);
}

static void correct(struct interior_room *r, struct market_interior *turn, size_t first)
{
    struct interior_look look;

    interior_describe(r);
    (void)prepare(r, turn->price_per_mwh + first);
    (void)find_miss(r);
    interior_find_leads(r);
    (void)interior_find_first(r, turn->first_per_mwh + first);
    interior_aim(r, turn->mu);
    interior_move_values(r, turn->second_per_mwh + first, r->charge.dx, r->discharge.dx,
                         r->state.dx, r->y_move);
    look = interior_find_second(r, turn->second_per_mwh + first, turn->mu);
    shorten(&turn->longest, &look);
}

void interior_turn(const struct smooth *device, struct market_interior *turn, double *state,
                   struct interior_room *room)
{
    interior_bind(room, device, state);
    if (room->n == 0)
        return;
    switch (turn->phase) {
    case MARKET_INTERIOR_START:
        start(room, turn, device->first);
        break;
    case MARKET_INTERIOR_FOLD:
        fold(room, turn, device->first);
        break;
    case MARKET_INTERIOR_PREDICT:
        predict(room, turn, device->first);
        break;
    case MARKET_INTERIOR_CORRECT:
        correct(room, turn, device->first);
        break;
    case MARKET_INTERIOR_BEGIN:
        break;
    case MARKET_INTERIOR_TELL:
    case MARKET_INTERIOR_KEEP:
        tell(room, turn, device->first);
        break;
    }
}
