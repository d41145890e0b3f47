/*
 * For tests and benchmarks of price methods: groups of simple devices that answer in closed form,
 * also to questions that ask for curvature or tie them.
 *
 * Model    Device i draws x in [low, high] kW in the steps of its window and 0 outside, Σ_t x_t =
 *          total, and pays κ Σ_t (value_t x_t + bend/2 x_t²), κ = step_h/1000. bend = 0: linear.
 *          A car: low 0. A battery: total 0, low = -high.
 */
#ifndef WALRAS_TESTS_QUADKIT_H
#define WALRAS_TESTS_QUADKIT_H

#include "core/rng.h"
#include "market/problem.h"

struct quadkit_device {
    double low_kw, high_kw, total_kw; /* total: sum over steps */
    double bend_per_mwh_per_kw;
    uint32_t first, last; /* steps first <= t < last */
};

struct quadkit_group {
    size_t n_device, n_step;
    double step_h;
    struct quadkit_device *devices;
    double *value_per_mwh; /* [n_step] of all devices */
    double *kept_kw;       /* [n_device x n_step] what a question that ties keeps */
    unsigned n_asked;
};

/*
 * A random half of cars and half of batteries: powers around `kw`, bends around `bend` (0: linear).
 * Its oracle answers near and curved when `smooth`. False when memory is out.
 */
bool quadkit_make(struct quadkit_group *group, size_t n_device, size_t n_step, double kw,
                  double bend, struct walras_rng *rng);
void quadkit_release(struct quadkit_group *group);

/* As a market's group at a bus; `group` is borrowed. */
struct market_group quadkit_at(struct quadkit_group *group, uint32_t bus, bool smooth);

#endif
