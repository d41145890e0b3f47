/*
 * The two halves of a certificate. Private to the scenario folder.
 */
#ifndef WALRAS_SCENARIO_CERTIFICATE_INTERNAL_H
#define WALRAS_SCENARIO_CERTIFICATE_INTERNAL_H

#include "scenario/angles.h"
#include "scenario/certificate.h"

#include <math.h>

/* Of the size of what is compared: what rounding may leave. */
#define CERTIFICATE_TOLERANCE 1e-6

/* Keeps the largest value and where it was. */
static inline void certificate_keep_worst(double value, size_t index, size_t step, double *worst,
                                          struct scenario_place *place)
{
    if (value > *worst || isnan(value)) {
        *worst = isnan(value) ? (double)INFINITY : value;
        *place = (struct scenario_place){.index = index, .step = step};
    }
}

static inline double certificate_limit_kw(const struct scenario *scenario, size_t line)
{
    return scenario->network.lines[line].limit_kw * scenario->rating_scale;
}

/* From the plan: balance, flows, audits, cost. `angles` is NULL when there is no line. */
WALRAS_NODISCARD enum walras_status certificate_judge_plan(const struct scenario_result *result,
                                                           const struct scenario_angles *angles,
                                                           struct scenario_certificate *out,
                                                           struct walras_err *err);
/* From the prices: their parts add up, and the dual bound. */
WALRAS_NODISCARD enum walras_status certificate_judge_prices(const struct scenario_result *result,
                                                             const struct scenario_angles *angles,
                                                             struct scenario_certificate *out,
                                                             struct walras_err *err);

#endif
