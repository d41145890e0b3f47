/* Random markets on random forests, in the model lindistflow. */
#ifndef WALRAS_TESTS_RANDOM_FEEDER_H
#define WALRAS_TESTS_RANDOM_FEEDER_H

#include "core/rng.h"
#include "core/text.h"

enum { RANDOM_FEEDER_STEPS = 3 };

/* The scenario's text, which the caller releases. Fails the test when there is no memory. */
void random_feeder(struct walras_rng *rng, struct walras_text *text);

#endif
