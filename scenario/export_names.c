/* Names that every reader of LP and MPS files takes. */
#include "scenario/export_internal.h"

#include <string.h>

struct text {
    char *data;
    size_t size;
    bool full;
};

static void put(struct text *text, char c)
{
    text->full = text->full || text->size == EXPORT_NAME;
    if (!text->full)
        text->data[text->size++] = c;
}

static void put_number(struct text *text, size_t number)
{
    char digits[24];
    int n = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n > 0)
        put(text, digits[--n]);
}

/* Letters, digits, _ and . stay, - becomes ~, all else %XX: what differs stays different. */
static void put_id(struct text *text, const char *id)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *id; id++) {
        unsigned char c = (unsigned char)*id;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '.') {
            put(text, *id);
        } else if (c == '-') {
            put(text, '~');
        } else {
            put(text, '%');
            put(text, hex[c >> 4]);
            put(text, hex[c & 15]);
        }
    }
}

static void put_name(struct text *text, const struct export_name *name)
{
    char before = '(';

    for (const char *c = name->what; *c; c++)
        put(text, *c);
    for (size_t i = 0; i < sizeof(name->id) / sizeof(name->id[0]) && name->id[i]; i++) {
        put(text, before);
        put_id(text, name->id[i]);
        before = ',';
    }
    if (name->step != EXPORT_NO_STEP) {
        put(text, before);
        put_number(text, name->step);
    }
    if (name->part > 0) {
        put(text, ',');
        put_number(text, name->part);
    }
    put(text, ')');
}

/* A name that is too long becomes what(#number); no id has a #. */
size_t export_name_text(const struct export *x, const struct export_name *name, char letter,
                        size_t number, char text[EXPORT_NAME + 1])
{
    struct text out = {.data = text};

    if (x->settings.short_names) {
        put(&out, letter);
        put_number(&out, number);
    } else {
        put_name(&out, name);
    }
    if (out.full) {
        out = (struct text){.data = text};
        for (const char *c = name->what; *c; c++)
            put(&out, *c);
        put(&out, '(');
        put(&out, '#');
        put_number(&out, number);
        put(&out, ')');
    }
    text[out.size] = '\0';
    return out.size;
}

size_t export_column_text(const struct export *x, const struct export_block *block, size_t column,
                          char text[EXPORT_NAME + 1])
{
    struct export_name name = block->column_name(block, column);

    return export_name_text(x, &name, 'x', block->first_column + column, text);
}

size_t export_row_text(const struct export *x, const struct export_block *block, size_t row,
                       char text[EXPORT_NAME + 1])
{
    struct export_name name = block->row_name(block, row);

    return export_name_text(x, &name, 'r', block->first_row + row, text);
}

size_t export_balance_text(const struct export *x, size_t bus, size_t step,
                           char text[EXPORT_NAME + 1])
{
    const struct grid_network *network = &x->scenario->network;
    bool whole = x->n_bus < network->n_bus; /* a copperplate: one for all buses */
    bool kvar = bus >= x->n_bus;
    const char *id = network->buses[kvar ? bus - x->n_bus : bus].id;
    struct export_name name = {
        .what = kvar ? "kvar_balance" : "balance", .id = {whole ? NULL : id}, .step = step};

    return export_name_text(x, &name, 'b', bus * x->n_step + step, text);
}
