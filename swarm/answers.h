/*
 * What the remote agents of a cast say to prices: best responses by many threads, as JSON.
 *
 * Units    kW, positive from the grid; prices per MWh.
 * Threads  one at a time; its own workers share the work.
 */
#ifndef WALRAS_SWARM_ANSWERS_H
#define WALRAS_SWARM_ANSWERS_H

#include "core/text.h"
#include "swarm/cast.h"

struct swarm_answers;

WALRAS_NODISCARD enum walras_status swarm_answers_new(const struct swarm_cast *cast,
                                                      unsigned n_thread,
                                                      struct swarm_answers **made,
                                                      struct walras_err *err);
void swarm_answers_free(struct swarm_answers *answers);

/*
 * Of all remote agents, to n_point prices [n_point x n_bus x n_step]. WALRAS_INVALID names an agent
 * and a device that cannot satisfy its own constraints.
 */
WALRAS_NODISCARD enum walras_status swarm_answers_find(struct swarm_answers *answers,
                                                       size_t n_point, const double *price_per_mwh,
                                                       struct walras_err *err);
/* [{"draw_kw": […], "cost": c}, …] of remote agent i, one a point; until the next find. */
const char *swarm_answers_text(const struct swarm_answers *answers, size_t i);
/* {"fallback_kw": […]}: its answer to the first point of the last find. malloc'd, may be NULL. */
char *swarm_answers_fallback(const struct swarm_answers *answers, size_t i);

#endif
