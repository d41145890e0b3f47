#include "scenario/read_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kept {
    const double *values;
    size_t n;
    uint64_t hash;
};

struct series_pool {
    struct kept *slots; /* [n_slot], n_slot a power of 2; values NULL: free */
    size_t n, n_slot;
};

enum walras_status scenario_series_pool_new(struct series_pool **made, struct walras_err *err)
{
    struct series_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return walras_fail(err, WALRAS_NOMEM, "cannot make a pool of series");
    *made = pool;
    return WALRAS_OK;
}

void scenario_series_pool_free(struct series_pool *pool)
{
    if (!pool)
        return;
    free(pool->slots);
    free(pool);
}

static uint64_t hash_of(const double *values, size_t n)
{
    uint64_t hash = n;

    for (size_t i = 0; i < n; i++) {
        uint64_t bits;

        memcpy(&bits, &values[i], sizeof(bits));
        hash = (hash ^ bits) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash;
}

/* The slot of these values, or the free one where they belong. */
static struct kept *slot_of(struct series_pool *pool, const double *values, size_t n, uint64_t hash)
{
    size_t at = (size_t)hash & (pool->n_slot - 1);

    while (pool->slots[at].values) {
        const struct kept *kept = &pool->slots[at];

        if (kept->hash == hash && kept->n == n &&
            memcmp(kept->values, values, n * sizeof(*values)) == 0)
            break;
        at = (at + 1) & (pool->n_slot - 1);
    }
    return &pool->slots[at];
}

static bool grow(struct series_pool *pool)
{
    struct series_pool more = {.n_slot = pool->n_slot ? 2 * pool->n_slot : 64};

    more.slots = calloc(more.n_slot, sizeof(*more.slots));
    if (!more.slots)
        return false;
    for (size_t i = 0; i < pool->n_slot; i++) {
        const struct kept *kept = &pool->slots[i];

        if (kept->values)
            *slot_of(&more, kept->values, kept->n, kept->hash) = *kept;
    }
    free(pool->slots);
    pool->slots = more.slots;
    pool->n_slot = more.n_slot;
    return true;
}

static enum walras_status keep(struct scenario_reader *reader, const double *values, size_t n,
                               struct walras_series *out, struct walras_err *err)
{
    struct series_pool *pool = reader->series;
    uint64_t hash = hash_of(values, n);

    if (2 * (pool->n + 1) > pool->n_slot && !grow(pool))
        return scenario_no_memory(reader, err);

    struct kept *slot = slot_of(pool, values, n, hash);

    if (!slot->values) {
        double *copy = walras_arena_take(reader->made.arena, n, sizeof(*copy));

        if (!copy)
            return scenario_no_memory(reader, err);
        memcpy(copy, values, n * sizeof(*copy));
        *slot = (struct kept){.values = copy, .n = n, .hash = hash};
        pool->n++;
    }
    *out = (struct walras_series){.values = slot->values, .stride = n == 1 ? 0 : 1};
    return WALRAS_OK;
}

enum walras_status scenario_keep_constant(struct scenario_reader *reader, double value,
                                          struct walras_series *out, struct walras_err *err)
{
    return keep(reader, &value, 1, out, err);
}

static enum walras_status keep_changing(struct scenario_reader *reader, const double *values,
                                        size_t n, struct walras_series *out, struct walras_err *err)
{
    size_t n_known = reader->made.n_known;

    if (n == n_known)
        return keep(reader, values, n, out, err);
    reader->made.repeats = true;
    if (values != reader->scratch)
        memcpy(reader->scratch, values, n * sizeof(*values));
    for (size_t t = n; t < n_known; t++)
        reader->scratch[t] = reader->scratch[t - n];
    return keep(reader, reader->scratch, n_known, out, err);
}

/* values [n_step or n_known]; what is only known for the horizon repeats with it. */
static enum walras_status keep_steps(struct scenario_reader *reader, const double *values, size_t n,
                                     struct walras_series *out, struct walras_err *err)
{
    for (size_t t = 1; t < n; t++)
        /* 0 and -0 differ. NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
        if (memcmp(&values[t], &values[0], sizeof(values[0])) != 0)
            return keep_changing(reader, values, n, out, err);
    return keep(reader, values, 1, out, err);
}

enum walras_status scenario_keep_series(struct scenario_reader *reader, const double *values,
                                        struct walras_series *out, struct walras_err *err)
{
    return keep_steps(reader, values, reader->made.horizon.n_step, out, err);
}

static enum walras_status read_array(struct scenario_reader *reader, const struct walras_json *node,
                                     struct walras_range range, struct walras_err *err)
{
    size_t n = reader->made.horizon.n_step;
    enum walras_status status = walras_json_array(node, n, n, err);

    for (size_t t = 0; status == WALRAS_OK && t < n; t++) {
        struct walras_json element = walras_json_at(node, t);

        status = walras_json_number(&element, range, &reader->scratch[t], err);
    }
    return status;
}

/* Reads the column's rows into reader->scratch. */
static enum walras_status load_column(struct scenario_reader *reader,
                                      const struct walras_json *file, const char *column,
                                      size_t offset, struct walras_err *err)
{
    const struct walras_csv *csv = NULL;
    struct walras_err cause = {0};
    char *path = NULL;
    enum walras_status status = scenario_read_path(reader, file, &path, err);

    if (status != WALRAS_OK)
        return status;
    status = walras_csv_cache_get(reader->csv, path, &csv, &cause);
    if (status == WALRAS_OK)
        status =
            walras_csv_numbers(csv, column, offset, reader->made.n_known, reader->scratch, &cause);
    if (status != WALRAS_OK)
        status = scenario_fail_here(file->parent, &cause, err);
    free(path);
    return status;
}

static enum walras_status out_of_range(const struct walras_json *node, struct walras_range range,
                                       double value, size_t step, struct walras_err *err)
{
    char text[WALRAS_RANGE_TEXT];

    walras_range_text(range, value, text);
    return walras_json_fail(node, WALRAS_INVALID, err, "step %zu of the column %s", step, text);
}

static enum walras_status read_column(struct scenario_reader *reader,
                                      const struct walras_json *node, struct walras_range range,
                                      struct walras_err *err)
{
    static const char *const keys[] = {"csv", "column", "scale", "offset_steps"};
    struct walras_json file, column, offset;
    const char *name = NULL;
    double scale = 1.0;
    int64_t first = 0;
    enum walras_status status = walras_json_keys(node, keys, 4, err);

    if (status == WALRAS_OK)
        status = walras_json_need(node, "csv", &file, err);
    if (status == WALRAS_OK)
        status = walras_json_need(node, "column", &column, err);
    if (status == WALRAS_OK)
        status = walras_json_text(&column, 1000, &name, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(node, "scale", scenario_range(-1e12, 1e12), &scale, err);
    if (status == WALRAS_OK && walras_json_find(node, "offset_steps", &offset))
        status = walras_json_integer(&offset, 0, 1000000000, &first, err);
    if (status == WALRAS_OK)
        status = load_column(reader, &file, name, (size_t)first, err);
    for (size_t t = 0; status == WALRAS_OK && t < reader->made.n_known; t++) {
        reader->scratch[t] *= scale;
        if (!walras_range_holds(range, reader->scratch[t]))
            status = out_of_range(node, range, reader->scratch[t], t, err);
    }
    return status;
}

enum walras_status scenario_read_series(struct scenario_reader *reader,
                                        const struct walras_json *node, struct walras_range range,
                                        struct walras_series *out, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    size_t n = 0;
    char what[80];

    switch (walras_json_type(node)) {
    case WALRAS_JSON_INTEGER:
    case WALRAS_JSON_REAL:
        status = walras_json_number(node, range, &reader->scratch[0], err);
        return status == WALRAS_OK ? scenario_keep_constant(reader, reader->scratch[0], out, err)
                                   : status;
    case WALRAS_JSON_ARRAY:
        status = read_array(reader, node, range, err);
        n = reader->made.horizon.n_step;
        break;
    case WALRAS_JSON_OBJECT:
        status = read_column(reader, node, range, err);
        n = reader->made.n_known;
        break;
    default:
        snprintf(what, sizeof(what), "a number, an array of %zu numbers or {\"csv\": …}",
                 reader->made.horizon.n_step);
        return walras_json_mistyped(node, what, err);
    }
    return status == WALRAS_OK ? keep_steps(reader, reader->scratch, n, out, err) : status;
}
