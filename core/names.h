/*
 * Names to numbers: a hash table from ids to indices.
 *
 * Ownership  borrows the names: they outlive the table.
 * Threads    one at a time while adding; many may look up after.
 */
#ifndef WALRAS_CORE_NAMES_H
#define WALRAS_CORE_NAMES_H

#include "core/status.h"

struct walras_names;

WALRAS_NODISCARD enum walras_status walras_names_new(struct walras_names **made,
                                                     struct walras_err *err);
void walras_names_free(struct walras_names *names);
/* Forgets every name. A large table is given back. */
void walras_names_clear(struct walras_names *names);
size_t walras_names_count(const struct walras_names *names);

/* Index of the name, or SIZE_MAX. Names have the indices 0, 1, … in the order they were added. */
size_t walras_names_find(const struct walras_names *names, const char *name);
/* Adds a name that is not there yet; WALRAS_INVALID when it is, WALRAS_NOMEM. */
WALRAS_NODISCARD enum walras_status walras_names_add(struct walras_names *names, const char *name,
                                                     struct walras_err *err);
/* The name added that is most like `name`, or NULL when none is near (walras_text_closest). */
const char *walras_names_closest(const struct walras_names *names, const char *name);

#endif
