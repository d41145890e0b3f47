#include "core/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

struct block {
    struct block *older;
    size_t used, size;
    alignas(max_align_t) unsigned char memory[];
};

struct walras_arena {
    struct block *newest;
    size_t next_size;
};

enum walras_status walras_arena_new(struct walras_arena **made, struct walras_err *err)
{
    struct walras_arena *arena = calloc(1, sizeof(*arena));

    if (!arena)
        return walras_fail(err, WALRAS_NOMEM, "cannot make an arena");
    arena->next_size = FIRST_BLOCK;
    *made = arena;
    return WALRAS_OK;
}

void walras_arena_free(struct walras_arena *arena)
{
    if (!arena)
        return;
    for (struct block *block = arena->newest, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    free(arena);
}

static struct block *add_block(struct walras_arena *arena, size_t at_least)
{
    size_t size = arena->next_size > at_least ? arena->next_size : at_least;
    struct block *block = calloc(1, sizeof(*block) + size);

    if (!block)
        return NULL;
    block->size = size;
    block->older = arena->newest;
    arena->newest = block;
    if (arena->next_size < LARGEST_BLOCK)
        arena->next_size *= 2;
    return block;
}

static void *take(struct walras_arena *arena, size_t size, size_t align)
{
    struct block *block = arena->newest;
    size_t start = block ? (block->used + align - 1) / align * align : 0;

    if (!block || start > block->size || block->size - start < size) {
        block = add_block(arena, size);
        start = 0;
    }
    if (!block)
        return NULL;
    block->used = start + size;
    return block->memory + start;
}

void *walras_arena_take(struct walras_arena *arena, size_t n, size_t size)
{
    if (size > 0 && n > (SIZE_MAX / 2) / size)
        return NULL;
    return take(arena, n * size > 0 ? n * size : 1, alignof(max_align_t));
}

char *walras_arena_text(struct walras_arena *arena, const char *text, size_t size)
{
    char *copy = size < SIZE_MAX / 2 ? take(arena, size + 1, 1) : NULL;

    if (copy && size > 0)
        memcpy(copy, text, size);
    return copy; /* blocks are zeroed: the NUL is there */
}
