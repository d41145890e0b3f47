/*
 * An arena: many small pieces of memory that live and go together.
 *
 * Ownership  every piece belongs to the arena and lives until walras_arena_free.
 * Threads    one at a time.
 */
#ifndef WALRAS_CORE_ARENA_H
#define WALRAS_CORE_ARENA_H

#include "core/status.h"

struct walras_arena;

WALRAS_NODISCARD enum walras_status walras_arena_new(struct walras_arena **made,
                                                     struct walras_err *err);
void walras_arena_free(struct walras_arena *arena);

/* Zeroed memory for n pieces of `size` bytes, aligned for any type; NULL when there is none. */
void *walras_arena_take(struct walras_arena *arena, size_t n, size_t size);
/* A copy of text [size] with a NUL behind it; NULL when there is no memory. */
char *walras_arena_text(struct walras_arena *arena, const char *text, size_t size);

#endif
