/*
 * Rooms of the interior point turns: memory, what is kept of a device and where, its description.
 */
#include "agents/interior_internal.h"

#include <math.h>
#include <stdlib.h>

/* Bounds closer than this, relative, are one: there is no inside. */
#define INTERIOR_WIDTH 1e-10

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

void interior_bind(struct interior_room *r, const struct smooth *device, double *kept)
{
    size_t n = device->end - device->first;
    double *at = bind_box(&r->charge, kept, n);

    r->n = n;
    r->device = device;
    r->step = device->step + device->first;
    r->per_step_h = 1.0 / device->step_h;
    r->keep = device->keep;
    r->out = device->out_per_kw;
    r->wear = device->wear_per_mwh;
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

void interior_describe(struct interior_room *r)
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
