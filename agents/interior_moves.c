/*
 * Moves of a device in an iteration: the first ones, what they add to the second order, the final
 * ones and the way along them.
 */
#include "agents/interior_internal.h"

#include <math.h>
#include <string.h>

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

struct interior_look interior_find_first(struct interior_room *r, const double *price_move)
{
    struct interior_look look = {0};

    memcpy(r->charge.first, r->charge.pull, r->n * sizeof(double));
    memcpy(r->discharge.first, r->discharge.pull, r->n * sizeof(double));
    memcpy(r->state.first, r->state.pull, r->n * sizeof(double));
    interior_move(r, price_move, r->y_first, r->charge.first, r->discharge.first, r->state.first);
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

void interior_aim(struct interior_room *r, double mu)
{
    total_pull(&r->charge, r->n, mu);
    total_pull(&r->discharge, r->n, mu);
    total_pull(&r->state, r->n, mu);
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

struct interior_look interior_find_second(struct interior_room *r, const double *price_move,
                                          double mu)
{
    struct interior_look look = {0};

    interior_move(r, price_move, r->y_move, r->charge.dx, r->discharge.dx, r->state.dx);
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

void interior_go(struct interior_room *r, struct market_stride stride)
{
    go_box(&r->charge, r->n, stride);
    go_box(&r->discharge, r->n, stride);
    go_box(&r->state, r->n, stride);
    interior_bends_go(r, stride);
    for (size_t i = 0; i < r->n; i++)
        r->y[i] += stride.dual * r->y_move[i];
}
