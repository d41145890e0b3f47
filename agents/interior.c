#include "agents/interior_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bounds closer than this, relative, are one: there is no inside. */
#define INTERIOR_WIDTH 1e-10

/* A product of leads below this has no digit left in the curvature. */
#define INTERIOR_FORGOTTEN 1e-18

enum { ROOM_ARRAYS = 3 * INTERIOR_BOX_SCRATCH + 2 * INTERIOR_BEND_SCRATCH + 7 };

static double *lay_box(struct interior_box *box, double *at, size_t n)
{
    double **const arrays[INTERIOR_BOX_SCRATCH] = {
        &box->low,   &box->high, &box->free,   &box->curve, &box->in_low, &box->in_high,
        &box->theta, &box->pull, &box->per_mu, &box->bent,  &box->first};

    for (size_t k = 0; k < INTERIOR_BOX_SCRATCH; k++, at += n)
        *arrays[k] = at;
    return at;
}

static double *lay_bend(struct interior_bend *bend, double sign, double *at, size_t n)
{
    double **const arrays[INTERIOR_BEND_SCRATCH] = {
        &bend->place,   &bend->price, &bend->none,    &bend->x,       &bend->by_v,
        &bend->by_rest, &bend->by_w,  &bend->first_v, &bend->first_x, &bend->first_s};

    bend->sign = sign;
    for (size_t k = 0; k < INTERIOR_BEND_SCRATCH; k++, at += n)
        *arrays[k] = at;
    return at;
}

enum walras_status interior_room_new(size_t n_step, struct interior_room **made,
                                     struct walras_err *err)
{
    struct interior_room *r = calloc(1, sizeof(*r));
    double *at = r ? calloc(ROOM_ARRAYS * n_step, sizeof(*at)) : NULL;

    if (!at) {
        free(r);
        return walras_fail(err, WALRAS_NOMEM, "cannot make room for %zu steps", n_step);
    }
    r->memory = at;
    r->n_step = n_step;
    at = lay_box(&r->charge, at, n_step);
    at = lay_box(&r->discharge, at, n_step);
    at = lay_box(&r->state, at, n_step);
    at = lay_bend(&r->below, 1.0, at, n_step);
    at = lay_bend(&r->above, -1.0, at, n_step);
    double **const arrays[] = {&r->in, &r->miss, &r->lead, &r->b, &r->rhs, &r->solved, &r->row};

    for (size_t k = 0; k < sizeof(arrays) / sizeof(arrays[0]); k++, at += n_step)
        *arrays[k] = at;
    *made = r;
    return WALRAS_OK;
}

void interior_room_free(struct interior_room *room)
{
    if (!room)
        return;
    free(room->memory);
    free(room);
}

static bool bends(const struct smooth_step *step)
{
    return step->bend_below > 0.0 || step->bend_above > 0.0;
}

static size_t first_bend(const struct smooth *device)
{
    size_t t = device->first;

    while (t < device->end && !bends(&device->step[t]))
        t++;
    return t - device->first;
}

size_t interior_size(const struct smooth *device)
{
    size_t n = device->end - device->first;

    return (3 * INTERIOR_BOX_STATE + 4) * n + 2 * INTERIOR_BEND_STATE * (n - first_bend(device));
}

static double *bind_box(struct interior_box *box, double *at, size_t n)
{
    double **const arrays[INTERIOR_BOX_STATE] = {&box->x,  &box->z_low,  &box->z_high,
                                                 &box->dx, &box->dz_low, &box->dz_high};

    for (size_t k = 0; k < INTERIOR_BOX_STATE; k++, at += n)
        *arrays[k] = at;
    return at;
}

/* Of the arrays only what lies behind `first` is there. */
static double *bind_bend(struct interior_bend *bend, double *at, size_t first, size_t n)
{
    double **const arrays[INTERIOR_BEND_STATE] = {&bend->v, &bend->s, &bend->dv, &bend->ds};

    for (size_t k = 0; k < INTERIOR_BEND_STATE; k++, at += n - first)
        *arrays[k] = at - first;
    return at;
}

static void bind(struct interior_room *r, const struct smooth *device, double *at)
{
    size_t n = device->end - device->first;

    r->n = n;
    r->device = device;
    r->step = device->step + device->first;
    r->per_step_h = 1.0 / device->step_h;
    r->keep = device->keep;
    r->out = device->out_per_kw;
    r->wear = device->wear_per_mwh;
    at = bind_box(&r->charge, at, n);
    at = bind_box(&r->discharge, at, n);
    at = bind_box(&r->state, at, n);
    r->y = at;
    r->y_first = at + n;
    r->y_move = at + 2 * n;
    r->inverse = at + 3 * n;
    r->bend_first = first_bend(device);
    at = bind_bend(&r->below, at + 4 * n, r->bend_first, n);
    (void)bind_bend(&r->above, at, r->bend_first, n);
}

static void set_bend(struct interior_bend *bend, size_t i, double place, double price)
{
    bend->place[i] = place;
    bend->price[i] = price;
    bend->none[i] = price > 0.0 ? 0.0 : 1.0;
}

static void set_bounds(struct interior_box *box, size_t i, double low, double high, double curve)
{
    box->low[i] = low;
    box->high[i] = high;
    box->free[i] = high - low > INTERIOR_WIDTH * (1.0 + fabs(high)) ? 1.0 : 0.0;
    box->curve[i] = curve;
}

/*
 * Bounds and costs of the device in the room. Bounds that only say what can be reached are put
 * beyond it: they are no constraints.
 */
static void describe(struct interior_room *r)
{
    const struct smooth *device = r->device;

    for (size_t i = 0; i < r->n; i++) {
        const struct smooth_step *step = &r->step[i];
        double beyond = device->is_reach ? 1.0 + step->high - step->low : 0.0;

        r->in[i] = step->in_per_kw;
        set_bounds(&r->charge, i, 0.0, device->charge_kw, device->curve);
        set_bounds(&r->discharge, i, 0.0, device->discharge_kw, device->curve);
        set_bounds(&r->state, i, step->low - beyond, step->high + beyond,
                   device->stiff * r->per_step_h);
    }
    for (size_t i = r->bend_first; i < r->n; i++) {
        const struct smooth_step *step = &r->step[i];

        set_bend(&r->below, i, step->bend_low, step->bend_below * r->per_step_h);
        set_bend(&r->above, i, step->bend_high, step->bend_above * r->per_step_h);
    }
}

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

/* K = L D Lᵀ, D and L without a difference of like numbers. */
static void factor(struct interior_room *r)
{
    double rest = 0.0;

    for (size_t i = 0; i < r->n; i++) {
        double theta = r->state.theta[i], d = 0.0;

        rest += r->in[i] * r->in[i] * r->charge.theta[i] + r->out * r->out * r->discharge.theta[i];
        d = theta + rest;
        r->inverse[i] = d > 0.0 ? 1.0 / d : 0.0;
        rest *= r->keep * r->keep * theta * r->inverse[i];
    }
}

static void find_leads(struct interior_room *r)
{
    for (size_t i = 0; i < r->n; i++)
        r->lead[i] = r->keep * r->state.theta[i] * r->inverse[i];
}

/* rhs of the rows for pulls on the three variables. */
static void gather(struct interior_room *r, const double *charge, const double *discharge,
                   const double *state)
{
    double before = 0.0;

    for (size_t i = 0; i < r->n; i++) {
        double pulled = r->state.theta[i] * state[i];

        r->rhs[i] = pulled - before - r->in[i] * r->charge.theta[i] * charge[i] +
                    r->out * r->discharge.theta[i] * discharge[i];
        before = r->keep * pulled;
    }
}

/* Solves K solved = rhs. */
static void solve(const struct interior_room *r, double *solved)
{
    double carried = 0.0;

    for (size_t i = 0; i < r->n; i++) {
        carried += r->rhs[i];
        solved[i] = carried * r->inverse[i];
        carried *= r->lead[i];
    }
    for (size_t i = r->n - 1; i-- > 0;)
        solved[i] += r->lead[i] * solved[i + 1];
}

/* Adds what pulls on the variables move the draw by, prices standing still. */
static void add_draw(struct interior_room *r, const double *charge, const double *discharge,
                     const double *state, bool with_miss, double *draw_kw)
{
    gather(r, charge, discharge, state);
    for (size_t i = 0; i < r->n && with_miss; i++)
        r->rhs[i] -= r->miss[i];
    solve(r, r->solved);
    for (size_t i = 0; i < r->n; i++)
        draw_kw[i] += r->charge.theta[i] * charge[i] - r->discharge.theta[i] * discharge[i] +
                      r->b[i] * r->solved[i];
}

/*
 * Adds S to its lower triangle, column by column: column i of K⁻¹ below the diagonal is the next
 * one times a lead, as far down as the leads' product has a digit left.
 */
static void add_curvature(struct interior_room *r, size_t n_step, double *curvature)
{
    double *row = r->row, below = 0.0, product = 1.0;
    size_t reach = r->n;

    for (size_t i = r->n; i-- > 0;) {
        double lead = i + 1 < r->n ? r->lead[i] : 0.0, b = r->b[i];
        double own = r->inverse[i] + lead * lead * below;
        double *column = curvature + i * n_step;

        reach = lead > 0.0 ? reach : i + 1;
        product = reach > i + 1 ? product * lead : 1.0;
        while (reach > i + 1 && product < INTERIOR_FORGOTTEN) {
            reach--;
            product = reach > i + 1 ? product / r->lead[reach - 1] : 1.0;
        }
        for (size_t j = i + 1; j < reach; j++) {
            row[j] *= lead;
            column[j] -= b * row[j];
        }
        row[i] = b * own;
        column[i] += r->charge.theta[i] + r->discharge.theta[i] - b * row[i];
        below = own;
    }
}

/* The moves of the variables that those of prices and values lead to. */
static void move(const struct interior_room *r, const double *price, const double *y,
                 double *charge, double *discharge, double *state)
{
    for (size_t i = 0; i < r->n; i++) {
        double after = i + 1 < r->n ? r->keep * y[i + 1] : 0.0;

        charge[i] = r->charge.theta[i] * (charge[i] - price[i] + r->in[i] * y[i]);
        discharge[i] = r->discharge.theta[i] * (discharge[i] + price[i] - r->out * y[i]);
        state[i] = r->state.theta[i] * (state[i] - y[i] + after);
    }
}

/* Second order of the first moves. */
static void look_box(const struct interior_box *box, size_t n, struct interior_look *look)
{
    double slack = look->slack, multiplier = look->multiplier, crossed = 0.0, leaning = 0.0;

    for (size_t i = 0; i < n; i++) {
        double low = box->first[i] * box->in_low[i], high = -box->first[i] * box->in_high[i];
        double dz_low = -box->z_low[i] * (1.0 + low), dz_high = -box->z_high[i] * (1.0 + high);

        slack = interior_larger(slack, interior_larger(-low, -high));
        multiplier = interior_larger(multiplier, interior_larger(1.0 + low, 1.0 + high));
        crossed += box->first[i] * (dz_low - dz_high);
        leaning += box->first[i] * (box->z_low[i] - box->z_high[i]);
        box->per_mu[i] = box->in_low[i] - box->in_high[i];
        box->bent[i] = -box->first[i] * (dz_low * box->in_low[i] + dz_high * box->in_high[i]);
    }
    look->slack = slack;
    look->multiplier = multiplier;
    look->crossed += crossed;
    look->leaning += leaning;
}

/* The first moves, from y_first; per_mu and bent of all boxes. */
static struct interior_look find_first(struct interior_room *r, const double *price_move)
{
    struct interior_look look = {0};

    memcpy(r->charge.first, r->charge.pull, r->n * sizeof(double));
    memcpy(r->discharge.first, r->discharge.pull, r->n * sizeof(double));
    memcpy(r->state.first, r->state.pull, r->n * sizeof(double));
    move(r, price_move, r->y_first, r->charge.first, r->discharge.first, r->state.first);
    look_box(&r->charge, r->n, &look);
    look_box(&r->discharge, r->n, &look);
    look_box(&r->state, r->n, &look);
    interior_bends_first(r, &look);
    return look;
}

static void total_pull(const struct interior_box *box, size_t n, double mu)
{
    for (size_t i = 0; i < n; i++)
        box->dx[i] = box->pull[i] + mu * box->per_mu[i] + box->bent[i];
}

/* The final moves of a box's multipliers. */
static void finish_box(const struct interior_box *box, size_t n, double mu,
                       struct interior_look *look)
{
    double slack = look->slack, multiplier = look->multiplier;

    for (size_t i = 0; i < n; i++) {
        double low = box->first[i] * box->in_low[i], high = -box->first[i] * box->in_high[i];
        double to_low = box->dx[i] * box->in_low[i], to_high = -box->dx[i] * box->in_high[i];
        double fixed = 1.0 - box->free[i];

        box->dz_low[i] = mu * box->in_low[i] + box->z_low[i] * ((1.0 + low) * low - 1.0 - to_low);
        box->dz_high[i] =
            mu * box->in_high[i] + box->z_high[i] * ((1.0 + high) * high - 1.0 - to_high);
        slack = interior_larger(slack, interior_larger(-to_low, -to_high));
        multiplier = interior_larger(multiplier,
                                     interior_larger(-box->dz_low[i] / (box->z_low[i] + fixed),
                                                     -box->dz_high[i] / (box->z_high[i] + fixed)));
    }
    look->slack = slack;
    look->multiplier = multiplier;
}

/* The final moves, from y_move, once the first are there. */
static struct interior_look find_second(struct interior_room *r, const double *price_move,
                                        double mu)
{
    struct interior_look look = {0};

    move(r, price_move, r->y_move, r->charge.dx, r->discharge.dx, r->state.dx);
    finish_box(&r->charge, r->n, mu, &look);
    finish_box(&r->discharge, r->n, mu, &look);
    finish_box(&r->state, r->n, mu, &look);
    interior_bends_second(r, mu, &look);
    return look;
}

static void go_box(const struct interior_box *box, size_t n, struct market_stride stride)
{
    for (size_t i = 0; i < n; i++) {
        double least = INTERIOR_LEAST * (fabs(box->low[i]) + fabs(box->high[i])) * box->free[i];
        double x = interior_larger(box->x[i] + stride.primal * box->dx[i], box->low[i] + least);

        box->x[i] = x < box->high[i] - least ? x : box->high[i] - least;
        box->z_low[i] += stride.dual * box->dz_low[i];
        box->z_high[i] += stride.dual * box->dz_high[i];
    }
}

/* Goes along the moves that CORRECT has found. */
static void go(struct interior_room *r, struct market_stride stride)
{
    go_box(&r->charge, r->n, stride);
    go_box(&r->discharge, r->n, stride);
    go_box(&r->state, r->n, stride);
    interior_bends_go(r, stride);
    for (size_t i = 0; i < r->n; i++)
        r->y[i] += stride.dual * r->y_move[i];
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

    describe(r);
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
    describe(r);
    if (turn->stride.primal > 0.0)
        go(r, turn->stride);
    tell(r, turn, first);
    pull(r, turn->price_per_mwh + first);
    turn->unpriced += find_unpriced(r);
    turn->product += prepare(r, turn->price_per_mwh + first);
    turn->off = fmax(turn->off, find_miss(r));
    factor(r);
    find_leads(r);
    add_draw(r, r->charge.pull, r->discharge.pull, r->state.pull, true, turn->still_kw + first);
    add_curvature(r, r->n_step, turn->curvature + first * (r->n_step + 1));
}

/* Solves for the values' move that a move of prices and pulls on the variables lead to. */
static void move_values(struct interior_room *r, const double *price_move, const double *charge,
                        const double *discharge, const double *state, double *y)
{
    gather(r, charge, discharge, state);
    for (size_t i = 0; i < r->n; i++)
        r->rhs[i] += r->b[i] * price_move[i] - r->miss[i];
    solve(r, y);
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

    describe(r);
    (void)prepare(r, turn->price_per_mwh + first);
    (void)find_miss(r);
    find_leads(r);
    move_values(r, turn->first_per_mwh + first, r->charge.pull, r->discharge.pull, r->state.pull,
                r->y_first);
    look = find_first(r, turn->first_per_mwh + first);
    shorten(&turn->longest, &look);
    turn->crossed += look.crossed;
    turn->leaning += look.leaning;
    add_draw(r, r->charge.per_mu, r->discharge.per_mu, r->state.per_mu, false,
             turn->per_mu_kw + first);
    add_draw(r, r->charge.bent, r->discharge.bent, r->state.bent, false, turn->bent_kw + first);
}

static void correct(struct interior_room *r, struct market_interior *turn, size_t first)
{
    struct interior_look look;

    describe(r);
    (void)prepare(r, turn->price_per_mwh + first);
    (void)find_miss(r);
    find_leads(r);
    (void)find_first(r, turn->first_per_mwh + first);
    total_pull(&r->charge, r->n, turn->mu);
    total_pull(&r->discharge, r->n, turn->mu);
    total_pull(&r->state, r->n, turn->mu);
    move_values(r, turn->second_per_mwh + first, r->charge.dx, r->discharge.dx, r->state.dx,
                r->y_move);
    look = find_second(r, turn->second_per_mwh + first, turn->mu);
    shorten(&turn->longest, &look);
}

void interior_turn(const struct smooth *device, struct market_interior *turn, double *state,
                   struct interior_room *room)
{
    bind(room, device, state);
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
