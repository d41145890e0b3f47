/* Blocks: a part of the program with columns and rows of its own. */
#include "scenario/export_internal.h"

#include <stdlib.h>

static void *grow(void *array, size_t n, size_t *room, size_t size)
{
    size_t larger = n + 1 > *room ? 2 * n + 64 : *room;
    void *moved = larger > *room ? realloc(array, larger * size) : array;

    if (moved)
        *room = larger;
    return moved;
}

static enum walras_status no_memory(struct walras_err *err)
{
    return walras_fail(err, WALRAS_NOMEM, "no memory for a part of the program");
}

void export_block_clear(struct export_block *block)
{
    block->n_column = block->n_row = block->n_entry = block->n_draw = 0;
    block->constant = 0.0;
    block->firm_kw = block->firm_kvar = NULL;
}

enum walras_status export_block_column(struct export_block *block, struct export_column column,
                                       struct walras_err *err)
{
    struct export_column *grown =
        grow(block->columns, block->n_column, &block->column_room, sizeof(*grown));

    if (!grown)
        return no_memory(err);
    block->columns = grown;
    block->columns[block->n_column++] = column;
    return WALRAS_OK;
}

enum walras_status export_block_row(struct export_block *block, double low, double high,
                                    struct walras_err *err)
{
    struct export_row *grown = /* one more: where the last one's entries end */
        grow(block->rows, block->n_row + 1, &block->row_room, sizeof(*grown));

    if (!grown)
        return no_memory(err);
    block->rows = grown;
    block->rows[block->n_row++] = (struct export_row){low, high, block->n_entry};
    block->rows[block->n_row].first_entry = block->n_entry;
    return WALRAS_OK;
}

enum walras_status export_block_entry(struct export_block *block, size_t column, double coef,
                                      struct walras_err *err)
{
    struct lp_entry *grown =
        grow(block->entries, block->n_entry, &block->entry_room, sizeof(*grown));

    if (!grown)
        return no_memory(err);
    block->entries = grown;
    block->entries[block->n_entry++] = (struct lp_entry){block->n_row - 1, column, coef};
    block->rows[block->n_row].first_entry = block->n_entry;
    return WALRAS_OK;
}

enum walras_status export_block_draw(struct export_block *block, struct export_draw draw,
                                     struct walras_err *err)
{
    struct export_draw *grown =
        grow(block->draws, block->n_draw, &block->draw_room, sizeof(*grown));

    if (!grown)
        return no_memory(err);
    block->draws = grown;
    block->draws[block->n_draw++] = draw;
    return WALRAS_OK;
}
