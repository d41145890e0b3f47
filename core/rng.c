#include "core/rng.h"

struct walras_rng walras_rng_from_seed(uint64_t seed)
{
    return (struct walras_rng){.state = seed};
}

uint64_t walras_rng_next(struct walras_rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double walras_rng_unit(struct walras_rng *rng)
{
    return (double)(walras_rng_next(rng) >> 11) * 0x1p-53;
}

double walras_rng_range(struct walras_rng *rng, double low, double high)
{
    return low + (high - low) * walras_rng_unit(rng);
}

uint64_t walras_rng_below(struct walras_rng *rng, uint64_t n)
{
    return walras_rng_next(rng) % n;
}
