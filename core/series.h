/*
 * A series: one value per step of the horizon, or one value for all of them.
 *
 * Ownership  borrows its values: they belong to whoever read the scenario and outlive the series.
 * Threads    read only.
 */
#ifndef WALRAS_CORE_SERIES_H
#define WALRAS_CORE_SERIES_H

#include <stddef.h>

struct walras_series {
    const double *values; /* [n_step] when stride is 1, [1] when stride is 0 */
    size_t stride;
};

static inline double walras_series_at(struct walras_series series, size_t step)
{
    return series.values[step * series.stride];
}

#endif
