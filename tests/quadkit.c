#include "quadkit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool quadkit_make(struct quadkit_group *group, size_t n_device, size_t n_step, double kw,
                  double bend, struct walras_rng *rng)
{
    *group = (struct quadkit_group){.n_device = n_device, .n_step = n_step, .step_h = 1.0};
    group->devices = calloc(n_device, sizeof(*group->devices));
    group->value_per_mwh = calloc(n_step, sizeof(double));
    group->kept_kw = calloc(n_device * n_step, sizeof(double));
    if (!group->devices || !group->value_per_mwh || !group->kept_kw)
        return false;
    for (size_t i = 0; i < n_device; i++) {
        struct quadkit_device *d = &group->devices[i];
        double power = kw * walras_rng_range(rng, 0.5, 1.5);
        uint32_t length = (uint32_t)n_step;

        d->high_kw = power;
        d->low_kw = i % 2 == 0 ? 0.0 : -power;
        if (i % 2 == 0 && n_step > 3)
            length = (uint32_t)(n_step / 3 + walras_rng_below(rng, n_step / 3 + 1));
        d->first = (uint32_t)walras_rng_below(rng, n_step - length + 1);
        d->last = d->first + length;
        d->total_kw = i % 2 == 0 ? power * length * walras_rng_range(rng, 0.2, 0.8) : 0.0;
        d->bend_per_mwh_per_kw = bend * walras_rng_range(rng, 0.5, 1.5);
    }
    return true;
}

void quadkit_release(struct quadkit_group *group)
{
    free(group->devices);
    free(group->value_per_mwh);
    free(group->kept_kw);
    *group = (struct quadkit_group){0};
}

/* Σ_t of the clipped minimisers of (slope_t - level) x + bend/2 x². */
static double total_at(const struct quadkit_device *d, const double *slope, double bend,
                       double level, double *x)
{
    double total = 0.0;

    for (uint32_t t = d->first; t < d->last; t++) {
        double wanted = (level - slope[t]) / bend;

        x[t] = fmin(d->high_kw, fmax(d->low_kw, wanted));
        total += x[t];
    }
    return total;
}

/* Linear: the cheapest steps are filled; the level is that of the step that is filled in part. */
static double fill_cheapest(const struct quadkit_device *d, const double *slope, double *x)
{
    double left = d->total_kw - d->low_kw * (d->last - d->first), level = 0.0;

    for (uint32_t t = d->first; t < d->last; t++)
        x[t] = d->low_kw;
    for (uint32_t n = d->first; n < d->last && left > 0.0; n++) {
        uint32_t best = UINT32_MAX;

        for (uint32_t t = d->first; t < d->last; t++)
            if (x[t] <= d->low_kw && (best == UINT32_MAX || slope[t] < slope[best]))
                best = t;
        double take = fmin(left, d->high_kw - d->low_kw);

        x[best] += take;
        left -= take;
        level = slope[best];
    }
    return level;
}

/* x minimises slope · x + bend/2 |x|² over the device's set; returns the multiplier of its total.
 */
static double solve(const struct quadkit_device *d, const double *slope, double bend, size_t n_step,
                    double *x)
{
    double low = INFINITY, high = -INFINITY;

    memset(x, 0, n_step * sizeof(*x));
    if (!(bend > 0.0))
        return fill_cheapest(d, slope, x);
    for (uint32_t t = d->first; t < d->last; t++) {
        low = fmin(low, slope[t] + bend * d->low_kw);
        high = fmax(high, slope[t] + bend * d->high_kw);
    }
    for (int i = 0; i < 200 && high > low; i++) {
        double middle = 0.5 * (low + high);

        if (middle <= low || middle >= high)
            break;
        if (total_at(d, slope, bend, middle, x) < d->total_kw)
            low = middle;
        else
            high = middle;
    }
    (void)total_at(d, slope, bend, high, x);
    return high;
}

/* A proven lower bound: the Lagrangian at `level`, whatever it is. */
static double bound_at(const struct quadkit_device *d, const double *slope, double bend,
                       double level)
{
    double bound = level * d->total_kw;

    for (uint32_t t = d->first; t < d->last; t++) {
        double gain = slope[t] - level, x = gain > 0.0 ? d->low_kw : d->high_kw;

        if (bend > 0.0)
            x = fmin(d->high_kw, fmax(d->low_kw, -gain / bend));
        bound += x * (gain + 0.5 * bend * x);
    }
    return bound;
}

static double cost_of(const struct quadkit_group *group, const struct quadkit_device *d,
                      const double *x)
{
    double cost = 0.0;

    for (uint32_t t = d->first; t < d->last; t++)
        cost += x[t] * (group->value_per_mwh[t] + 0.5 * d->bend_per_mwh_per_kw * x[t]);
    return cost;
}

/* Minus the derivative of x by prices: 1/bend between steps inside their range, the total fixed. */
static void add_curvature(const struct quadkit_device *d, const double *x, size_t n_step,
                          double *curvature)
{
    size_t n = 0;

    if (!(d->bend_per_mwh_per_kw > 0.0))
        return;
    for (uint32_t t = d->first; t < d->last; t++)
        n += x[t] > d->low_kw && x[t] < d->high_kw;
    for (uint32_t t = d->first; t < d->last; t++)
        for (uint32_t s = d->first; s < d->last; s++)
            if (x[t] > d->low_kw && x[t] < d->high_kw && x[s] > d->low_kw && x[s] < d->high_kw)
                curvature[t * n_step + s] += ((t == s) - 1.0 / (double)n) / d->bend_per_mwh_per_kw;
}

enum { MOST_STEPS = 128 };

static void answer(struct quadkit_group *group, const double *price, const struct market_near *near,
                   double *draw_kw, struct market_answer *sum, double *curvature)
{
    size_t n_step = group->n_step;
    double kwp = group->step_h / 1000.0, slope[MOST_STEPS], x[MOST_STEPS];

    memset(draw_kw, 0, n_step * sizeof(*draw_kw));
    *sum = (struct market_answer){0};
    group->n_asked++;
    for (size_t i = 0; i < group->n_device; i++) {
        const struct quadkit_device *d = &group->devices[i];
        double *kept = group->kept_kw + i * n_step, bend = d->bend_per_mwh_per_kw;
        double rho = near ? near->rho_per_mwh_per_kw : 0.0;

        for (size_t t = 0; near && t < n_step; t++)
            kept[t] = (near->forget ? 0.0 : kept[t]) - near->shift_kw[t];
        for (size_t t = 0; t < n_step; t++)
            slope[t] = group->value_per_mwh[t] + price[t] - (near ? rho * kept[t] : 0.0);
        double level = solve(d, slope, bend + rho, n_step, x);

        for (size_t t = 0; t < n_step; t++) {
            slope[t] += rho * x[t]; /* own price: x is the best response to it */
            draw_kw[t] += x[t];
            if (near)
                kept[t] += near->relaxation * (x[t] - kept[t]);
        }
        sum->cost += kwp * cost_of(group, d, x);
        sum->bound += kwp * bound_at(d, slope, bend, level);
        if (curvature)
            add_curvature(d, x, n_step, curvature);
    }
}

static enum walras_status respond(void *self, size_t part, unsigned worker,
                                  const double *price_per_mwh, double *draw_kw,
                                  struct market_answer *sum, struct walras_err *err)
{
    (void)part, (void)worker, (void)err;
    answer(self, price_per_mwh, NULL, draw_kw, sum, NULL);
    return WALRAS_OK;
}

static enum walras_status respond_near(void *self, size_t part, unsigned worker,
                                       const double *price_per_mwh, const struct market_near *near,
                                       double *draw_kw, struct market_answer *sum,
                                       struct walras_err *err)
{
    (void)part, (void)worker, (void)err;
    answer(self, price_per_mwh, near, draw_kw, sum, NULL);
    return WALRAS_OK;
}

static enum walras_status respond_curved(void *self, unsigned worker, const double *price_per_mwh,
                                         double *draw_kw, struct market_answer *sum,
                                         double *curvature, struct walras_err *err)
{
    const struct quadkit_group *group = self;

    (void)worker, (void)err;
    memset(curvature, 0, group->n_step * group->n_step * sizeof(*curvature));
    answer(self, price_per_mwh, NULL, draw_kw, sum, curvature);
    return WALRAS_OK;
}

struct market_group quadkit_at(struct quadkit_group *group, uint32_t bus, bool smooth)
{
    static const struct market_oracle_ops plain = {.respond = respond},
                                          full = {.respond = respond,
                                                  .respond_near = respond_near,
                                                  .respond_curved = respond_curved};
    double swing = 0.0;

    for (size_t i = 0; i < group->n_device; i++)
        swing += group->devices[i].high_kw - group->devices[i].low_kw;
    return (struct market_group){.bus = bus,
                                 .oracle = {smooth ? &full : &plain, group, 1},
                                 .swing_kw = swing,
                                 .n_device = group->n_device,
                                 .name = "quadkit"};
}
