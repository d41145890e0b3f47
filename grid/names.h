/*
 * An index from names to positions, for readers that look up many names.
 *
 * Cost       O(n log n) to make, O(log n) a look-up; no input makes it slower.
 * Ownership  borrows the names: they outlive the index.
 */
#ifndef WALRAS_GRID_NAMES_H
#define WALRAS_GRID_NAMES_H

#include "core/status.h"

struct grid_name {
    const char *name;
    size_t at;
};

/* Sorts name[n] by name, equal names by position. */
void grid_names_sort(struct grid_name *name, size_t n);

/* Position of `wanted` in the sorted name[n], or SIZE_MAX. The lowest position of equal names. */
size_t grid_names_find(const struct grid_name *name, size_t n, const char *wanted);

/*
 * The first of two equal neighbours in the sorted name[n], or NULL: the pair is result[0] and
 * result[1].
 */
const struct grid_name *grid_names_repeated(const struct grid_name *name, size_t n);

#endif
