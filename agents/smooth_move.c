/*
 * What a step does as the marginal value mu of its state rises from -infinity: from full charge to
 * full discharge. The minimiser of a convex quadratic in (c, d) on a box, whose gradient is linear
 * in mu (docs/devices.md, eq. 33): piecewise linear in mu.
 */
#include "agents/smooth.h"

#include <math.h>

enum mode { AT_ZERO, FREE, AT_LIMIT };

/* Gradients of the step's cost per hour: c: c_price + in·mu + hessian·c − rho·d, d alike. */
struct walk {
    double in, out; /* change of state per kWh */
    double c_price, d_price;
    double c_limit, d_limit;
    double hessian, rho, curve;
    double mu, c, d; /* where it is */
    enum mode c_mode, d_mode;
};

/* How fast c and d move with mu as long as the modes hold. Both free: curve > 0. */
static void speeds_of(const struct walk *w, double *c_by, double *d_by)
{
    bool c_free = w->c_mode == FREE, d_free = w->d_mode == FREE;
    double sum = (w->out - w->in) / w->curve;
    double difference = -(w->in + w->out) / (w->curve + 2.0 * w->rho);

    *c_by = c_free ? -w->in / w->hessian : 0.0;
    *d_by = d_free ? w->out / w->hessian : 0.0;
    if (c_free && d_free) {
        *c_by = 0.5 * (sum + difference);
        *d_by = 0.5 * (sum - difference);
    }
}

/* A variable, how it and the gradient of its cost move, and how far its mode holds. */
struct course {
    double at, by, limit, gradient, gradient_by;
    enum mode mode, next;
    double reach; /* of mu, >= 0; INFINITY: for ever */
};

/* A gradient that moves less than this share of what mu alone would move it by stands still. */
static const double still = 1e-12;

static void find_end(struct course *v, double by_mu)
{
    double towards = v->mode == AT_ZERO ? -v->gradient_by : v->gradient_by;
    bool leaves = v->limit > 0.0 && towards > still * by_mu;

    v->reach = (double)INFINITY;
    v->next = FREE;
    if (v->mode != FREE) {
        if (leaves)
            v->reach = -v->gradient / v->gradient_by;
    } else if (v->by < 0.0) {
        v->next = AT_ZERO;
        v->reach = -v->at / v->by;
    } else if (v->by > 0.0) {
        v->next = AT_LIMIT;
        v->reach = (v->limit - v->at) / v->by;
    }
    v->reach = v->reach > 0.0 ? v->reach : 0.0;
}

static void courses_of(const struct walk *w, struct course *c, struct course *d)
{
    double c_by, d_by;

    speeds_of(w, &c_by, &d_by);
    *c = (struct course){
        .at = w->c,
        .by = c_by,
        .limit = w->c_limit,
        .gradient = w->c_price + w->in * w->mu + w->hessian * w->c - w->rho * w->d,
        .gradient_by = w->in + w->hessian * c_by - w->rho * d_by,
        .mode = w->c_mode,
    };
    *d = (struct course){
        .at = w->d,
        .by = d_by,
        .limit = w->d_limit,
        .gradient = w->d_price - w->out * w->mu + w->hessian * w->d - w->rho * w->c,
        .gradient_by = -w->out + w->hessian * d_by - w->rho * c_by,
        .mode = w->d_mode,
    };
    find_end(c, w->in);
    find_end(d, w->out);
}

static double after(const struct course *v, double reach, bool ends)
{
    double at = v->at + v->by * reach;

    if (ends && v->next != FREE)
        return v->next == AT_ZERO ? 0.0 : v->limit;
    return at < 0.0 ? 0.0 : at > v->limit ? v->limit : at;
}

static void put(struct smooth_move *move, const struct walk *w, double step_h)
{
    size_t n = move->n;
    double change = step_h * (w->in * w->c - w->out * w->d);

    if (n == SMOOTH_MOVES)
        return;
    move->mu[n] = w->mu;
    move->charge_kw[n] = w->c;
    move->discharge_kw[n] = w->d;
    move->change[n] = n > 0 && change > move->change[n - 1] ? move->change[n - 1] : change;
    move->n++;
}

/* Without a cost of its own, doing both starts at once: it costs nothing but energy. */
static void jump(struct walk *w)
{
    double c_room = w->c_limit - w->c, d_room = w->d_limit - w->d;

    w->c_mode = c_room <= d_room ? AT_LIMIT : FREE;
    w->d_mode = d_room <= c_room ? AT_LIMIT : FREE;
    w->c = c_room <= d_room ? w->c_limit : w->c + d_room;
    w->d = d_room <= c_room ? w->d_limit : w->d + c_room;
}

static void walk_on(struct walk *w, double step_h, struct smooth_move *move)
{
    double c_first = -(w->c_price + w->hessian * w->c_limit) / w->in;
    double d_first = (w->d_price - w->rho * w->c_limit) / w->out;

    w->mu = c_first < d_first ? c_first : d_first;
    w->c = w->c_limit;
    w->c_mode = AT_LIMIT;
    while (move->n < SMOOTH_MOVES) {
        struct course c, d;

        courses_of(w, &c, &d);
        if (isinf(c.reach) && isinf(d.reach))
            return;

        bool c_ends = c.reach <= d.reach;
        double reach = c_ends ? c.reach : d.reach;

        w->mu += reach;
        w->c = after(&c, reach, c_ends);
        w->d = after(&d, reach, !c_ends);
        if (c_ends)
            w->c_mode = c.next;
        else
            w->d_mode = d.next;
        put(move, w, step_h);
        if (w->c_mode == FREE && w->d_mode == FREE && w->curve <= 0.0) {
            jump(w);
            put(move, w, step_h);
        }
    }
}

/* Charge less, idle, discharge more: the four places where that changes (eq. 34). */
static void four_moves(const struct walk *w, double step_h, struct smooth_move *move)
{
    double c = w->c_limit, d = w->d_limit;

    move->n = 4;
    move->mu[0] = -(w->c_price + w->hessian * c) / w->in;
    move->mu[1] = -w->c_price / w->in;
    move->mu[2] = w->d_price / w->out;
    move->mu[3] = (w->d_price + w->hessian * d) / w->out;
    move->change[0] = step_h * w->in * c;
    move->change[1] = move->change[2] = 0.0;
    move->change[3] = -step_h * w->out * d;
    move->charge_kw[0] = c;
    move->charge_kw[1] = move->charge_kw[2] = move->charge_kw[3] = 0.0;
    move->discharge_kw[0] = move->discharge_kw[1] = move->discharge_kw[2] = 0.0;
    move->discharge_kw[3] = d;
}

static void drop_charging(struct smooth_move *move)
{
    move->n = 2;
    for (size_t k = 0; k < 2; k++) {
        move->mu[k] = move->mu[k + 2];
        move->change[k] = move->change[k + 2];
        move->charge_kw[k] = move->charge_kw[k + 2];
        move->discharge_kw[k] = move->discharge_kw[k + 2];
    }
}

void smooth_move_of(const struct smooth *smooth, size_t t, struct smooth_move *move)
{
    double centre = smooth->rho > 0.0 ? smooth->centre_kw[t] : 0.0;
    double pull = smooth->price_per_mwh[t] - smooth->rho * centre;
    struct walk w = {
        .in = smooth->step[t].in_per_kw / smooth->step_h,
        .out = smooth->out_per_kw / smooth->step_h,
        .c_price = smooth->wear_per_mwh + pull,
        .d_price = smooth->wear_per_mwh - pull,
        .c_limit = smooth->charge_kw,
        .d_limit = smooth->discharge_kw,
        .hessian = smooth->curve + smooth->rho,
        .rho = smooth->rho,
        .curve = smooth->curve,
    };

    if (smooth->discharge_kw <= 0.0) { /* thermal too, whose `out` is nothing */
        w.out = w.in;
        w.d_price = -w.c_price;
        w.d_limit = 0.0;
        four_moves(&w, smooth->step_h, move);
        move->n = 2;
        return;
    }
    four_moves(&w, smooth->step_h, move);
    if (smooth->charge_kw <= 0.0) {
        drop_charging(move);
        return;
    }
    if (w.out - w.in <= still * w.out) { /* doing both loses nothing, so it never pays */
        move->mu[2] = move->mu[2] > move->mu[1] ? move->mu[2] : move->mu[1];
        move->mu[3] = move->mu[3] > move->mu[2] ? move->mu[3] : move->mu[2];
        return;
    }
    if (move->mu[1] <= move->mu[2] && w.c_price + w.in * move->mu[3] >= w.rho * w.d_limit)
        return; /* it does not pay here either */
    move->n = 0;
    walk_on(&w, smooth->step_h, move);
}
