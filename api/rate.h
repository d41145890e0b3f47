/*
 * How often a client may ask: a bucket of tokens for each, filled at a steady rate.
 *
 * Memory is fixed: where too many clients share a place, whose bucket is fullest is forgotten,
 * which is in its favour.
 *
 * Threads  any.
 */
#ifndef WALRAS_API_RATE_H
#define WALRAS_API_RATE_H

#include "core/status.h"

struct api_rate;

WALRAS_NODISCARD enum walras_status api_rate_new(double per_s, double burst, struct api_rate **made,
                                                 struct walras_err *err);
void api_rate_free(struct api_rate *rate);

/* Takes one. False when there is none: *wait_s until there is. */
bool api_rate_take(struct api_rate *rate, const char *client, double now_s, double *wait_s);
/* The same, but leaves it there. */
bool api_rate_look(struct api_rate *rate, const char *client, double now_s, double *wait_s);

#endif
