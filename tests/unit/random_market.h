/*
 * Random small markets as scenario text: one to six buses, one to twelve steps, every kind of
 * device that is convex and linear. Same state of the generator, same text.
 */
#ifndef WALRAS_TESTS_RANDOM_MARKET_H
#define WALRAS_TESTS_RANDOM_MARKET_H

#include "core/rng.h"

/* malloc'd; NULL when there is no memory. */
char *random_market(struct walras_rng *rng);
/* Without generators and bids, of up to ten buses; half of them with a limit on every line. */
char *random_storage_market(struct walras_rng *rng);

#endif
