/*
 * Random devices of every type with prices, for tests: ordinary ones and the nasty ones — full,
 * empty, leaking or lossless stores, windows of one step, tight and impossible bounds, prices that
 * are negative, zero, equal or huge.
 *
 * The same state of the generator gives the same device. Its arrays live in the struct: a
 * random_device must not be copied.
 */
#ifndef WALRAS_TESTS_RANDOM_DEVICES_H
#define WALRAS_TESTS_RANDOM_DEVICES_H

#include "agents/device.h"
#include "core/rng.h"

enum { RANDOM_STEPS = 96, RANDOM_BLOCKS = 4, RANDOM_SERIES = 6 };

struct random_device {
    struct agent_device device;
    struct agent_horizon horizon;
    double series[RANDOM_SERIES][RANDOM_STEPS];
    struct agent_segment demand[RANDOM_STEPS * RANDOM_BLOCKS], offer[RANDOM_STEPS * RANDOM_BLOCKS];
    uint32_t demand_first[RANDOM_STEPS + 1], offer_first[RANDOM_STEPS + 1];
};

/* Any type but AGENT_LP; integer flags (exclusive, committed) are off. At most max_step steps. */
void random_device(struct walras_rng *rng, enum agent_device_type type, size_t max_step,
                   struct random_device *made);

/* Adds commitment to a generator: start cost, minimum times, perhaps ramps. */
void random_commitment(struct walras_rng *rng, struct random_device *made);

/* Gives a battery, ev or thermal quadratic costs, from hardly any to far more than the others. */
void random_squares(struct walras_rng *rng, struct random_device *made);

void random_prices(struct walras_rng *rng, size_t n_step, double *price_per_mwh);

#endif
