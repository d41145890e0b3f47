/*
 * Seeded pseudo-random numbers: the same seed gives the same numbers on every machine.
 *
 * Source   SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
 * Threads  state is the caller's.
 */
#ifndef WALRAS_CORE_RNG_H
#define WALRAS_CORE_RNG_H

#include <stdint.h>

struct walras_rng {
    uint64_t state;
};

struct walras_rng walras_rng_from_seed(uint64_t seed);
uint64_t walras_rng_next(struct walras_rng *rng);
double walras_rng_unit(struct walras_rng *rng);                           /* [0, 1) */
double walras_rng_range(struct walras_rng *rng, double low, double high); /* [low, high) */
uint64_t walras_rng_below(struct walras_rng *rng, uint64_t n);            /* 0 … n-1; n > 0 */

#endif
