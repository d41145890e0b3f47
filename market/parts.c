#include "market/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_DEVICES = 256 };

struct entry { /* one part of one group */
    size_t group, part, n_device;
    uint32_t zone;
};

struct chunk { /* entries of one zone */
    size_t first, end;
    size_t zone;
    struct market_interior turn; /* sums; its arrays are the chunk's own */
};

struct market_parts {
    const struct market_problem *problem;
    const struct market_runner *runner;
    struct entry *entries; /* [n_entry] by zone */
    struct chunk *chunks;  /* [n_chunk] by zone */
    size_t *zone_first;    /* [n_zone + 1] of chunks */
    size_t n_entry, n_chunk, n_zone;
    double *gathered; /* [n_chunk x (n_step² + 4 n_step)] */
    double *price;    /* zones: price, first and second moves; then the sum's four */
    struct market_parts_sum sum;
    struct market_interior ask; /* the turn as it is asked of every part */
};

static size_t zone_cells(const struct market_parts *parts)
{
    return parts->n_zone * parts->problem->n_step;
}

void market_parts_free(struct market_parts *parts)
{
    if (!parts)
        return;
    free(parts->entries);
    free(parts->chunks);
    free(parts->zone_first);
    free(parts->gathered);
    free(parts->price);
    free(parts);
}

/* Every group takes memory for its part in the method. */
static enum walras_status begin(const struct market_problem *problem, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t g = 0; g < problem->n_group && status == WALRAS_OK; g++) {
        const struct market_oracle *oracle = &problem->groups[g].oracle;
        struct market_interior turn = {.phase = MARKET_INTERIOR_BEGIN};

        if (!oracle->ops->interior)
            return walras_fail(err, WALRAS_UNSUPPORTED,
                               "group %s cannot take part in the method interior, which is for "
                               "batteries, electric vehicles and heat pumps without integer "
                               "choices; the method bundle takes all",
                               problem->groups[g].name ? problem->groups[g].name : "?");
        status = oracle->ops->interior(oracle->self, 0, 0, &turn, err);
    }
    return status;
}

enum walras_status market_parts_new(const struct market_problem *problem,
                                    const struct market_runner *runner, struct market_parts **made,
                                    struct walras_err *err)
{
    struct market_parts *parts = calloc(1, sizeof(*parts));
    size_t n = 0;
    enum walras_status status = WALRAS_OK;

    if (!parts)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the interior point method");
    parts->problem = problem;
    parts->runner = runner;
    for (size_t g = 0; g < problem->n_group; g++)
        parts->n_entry += problem->groups[g].oracle.n_part;
    parts->entries = calloc(parts->n_entry + 1, sizeof(*parts->entries));
    if (!parts->entries)
        status =
            walras_fail(err, WALRAS_NOMEM, "%zu groups do not fit in memory", problem->n_group);
    for (size_t g = 0; g < problem->n_group && status == WALRAS_OK; g++)
        for (size_t i = 0; i < problem->groups[g].oracle.n_part; i++)
            parts->entries[n++] = (struct entry){.group = g,
                                                 .part = i,
                                                 .n_device = problem->groups[g].n_device /
                                                             problem->groups[g].oracle.n_part};
    if (status == WALRAS_OK)
        status = begin(problem, err);
    if (status == WALRAS_OK)
        *made = parts;
    else
        market_parts_free(parts);
    return status;
}

static int by_zone(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->zone != b->zone)
        return a->zone < b->zone ? -1 : 1;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return a->part < b->part ? -1 : a->part > b->part;
}

/* Cuts the entries of each zone into chunks of some size. */
static void cut_chunks(struct market_parts *parts)
{
    size_t n = 0, n_device = 0;

    for (size_t i = 0; i < parts->n_entry; i++) {
        const struct entry *entry = &parts->entries[i];
        bool same = n > 0 && parts->chunks[n - 1].zone == entry->zone;

        if (!same || n_device + entry->n_device > CHUNK_DEVICES) {
            parts->chunks[n++] = (struct chunk){.first = i, .zone = entry->zone};
            n_device = 0;
        }
        n_device += entry->n_device;
        parts->chunks[n - 1].end = i + 1;
    }
    parts->n_chunk = n;
    memset(parts->zone_first, 0, (parts->n_zone + 1) * sizeof(*parts->zone_first));
    for (size_t k = 0; k < n; k++)
        parts->zone_first[parts->chunks[k].zone + 1]++;
    for (size_t z = 0; z < parts->n_zone; z++)
        parts->zone_first[z + 1] += parts->zone_first[z];
}

static enum walras_status take_memory(struct market_parts *parts, struct walras_err *err)
{
    size_t n_step = parts->problem->n_step, size = n_step * (n_step + 4), cells = zone_cells(parts);
    double *at = NULL;

    free(parts->gathered);
    free(parts->price);
    parts->gathered = calloc(parts->n_chunk * size + 1, sizeof(*parts->gathered));
    parts->price = calloc(7 * cells + 1, sizeof(*parts->price));
    if (!parts->gathered || !parts->price)
        return walras_fail(err, WALRAS_NOMEM, "%zu parts of %zu steps do not fit in memory",
                           parts->n_chunk, n_step);
    at = parts->gathered;
    for (size_t k = 0; k < parts->n_chunk; k++, at += size) {
        struct market_interior *turn = &parts->chunks[k].turn;

        turn->curvature = at;
        turn->draw_kw = at + n_step * n_step;
        turn->still_kw = turn->draw_kw + n_step;
        turn->per_mu_kw = turn->still_kw + n_step;
        turn->bent_kw = turn->per_mu_kw + n_step;
    }
    parts->sum = (struct market_parts_sum){.n_pair = parts->sum.n_pair,
                                           .curved = parts->sum.curved,
                                           .draw_kw = parts->price + 3 * cells,
                                           .still_kw = parts->price + 4 * cells,
                                           .per_mu_kw = parts->price + 5 * cells,
                                           .bent_kw = parts->price + 6 * cells};
    parts->ask = (struct market_interior){.price_per_mwh = parts->price,
                                          .first_per_mwh = parts->price + cells,
                                          .second_per_mwh = parts->price + 2 * cells};
    return WALRAS_OK;
}

enum walras_status market_parts_zone(struct market_parts *parts, const uint32_t *zone,
                                     size_t n_zone, struct walras_err *err)
{
    for (size_t i = 0; i < parts->n_entry; i++)
        parts->entries[i].zone = zone[parts->problem->groups[parts->entries[i].group].bus];
    qsort(parts->entries, parts->n_entry, sizeof(*parts->entries), by_zone);
    free(parts->chunks);
    free(parts->zone_first);
    parts->n_zone = n_zone;
    parts->chunks = calloc(parts->n_entry + 1, sizeof(*parts->chunks));
    parts->zone_first = calloc(n_zone + 1, sizeof(*parts->zone_first));
    if (!parts->chunks || !parts->zone_first)
        return walras_fail(err, WALRAS_NOMEM, "%zu zones do not fit in memory", n_zone);
    cut_chunks(parts);
    return take_memory(parts, err);
}

const struct market_parts_sum *market_parts_sum(const struct market_parts *parts)
{
    return &parts->sum;
}

/* Empties what the turn of that phase gathers. */
static void clear(struct market_interior *turn, size_t n_step)
{
    size_t bytes = n_step * sizeof(double);

    turn->n_pair = 0;
    turn->curved = false;
    turn->product = turn->cost = turn->off = turn->unpriced = turn->crossed = turn->leaning = 0.0;
    turn->longest = (struct market_stride){1.0, 1.0};
    switch (turn->phase) {
    case MARKET_INTERIOR_FOLD:
        memset(turn->curvature, 0, n_step * bytes);
        memset(turn->still_kw, 0, bytes);
        memset(turn->draw_kw, 0, bytes);
        break;
    case MARKET_INTERIOR_PREDICT:
        memset(turn->per_mu_kw, 0, bytes);
        memset(turn->bent_kw, 0, bytes);
        break;
    default:
        break;
    }
}

static void run_chunk(void *context, size_t k, unsigned worker)
{
    struct market_parts *parts = context;
    struct chunk *chunk = &parts->chunks[k];
    struct market_interior *turn = &chunk->turn;
    size_t n_step = parts->problem->n_step, at = chunk->zone * n_step;

    turn->phase = parts->ask.phase;
    turn->price_per_mwh = parts->ask.price_per_mwh + at;
    turn->first_per_mwh = parts->ask.first_per_mwh + at;
    turn->second_per_mwh = parts->ask.second_per_mwh + at;
    turn->mu = parts->ask.mu;
    turn->stride = parts->ask.stride;
    clear(turn, n_step);
    for (size_t i = chunk->first; i < chunk->end; i++) {
        const struct entry *entry = &parts->entries[i];
        const struct market_oracle *oracle = &parts->problem->groups[entry->group].oracle;

        /* fails only where it takes memory, in BEGIN */
        (void)oracle->ops->interior(oracle->self, entry->part, worker, turn, NULL);
    }
}

static void run(struct market_parts *parts, enum market_interior_phase phase)
{
    struct market_parts_sum *sum = &parts->sum;

    parts->ask.phase = phase;
    parts->runner->run(parts->runner->self, parts->n_chunk, run_chunk, parts);
    sum->longest = (struct market_stride){1.0, 1.0};
    for (size_t k = 0; k < parts->n_chunk; k++) {
        struct market_stride longest = parts->chunks[k].turn.longest;

        sum->longest.primal = fmin(sum->longest.primal, longest.primal);
        sum->longest.dual = fmin(sum->longest.dual, longest.dual);
    }
}

/* Sums of the chunks' arrays at `offset` behind their draws. */
static void gather(const struct market_parts *parts, size_t offset, double *by_zone_kw)
{
    size_t n_step = parts->problem->n_step;

    memset(by_zone_kw, 0, zone_cells(parts) * sizeof(*by_zone_kw));
    for (size_t k = 0; k < parts->n_chunk; k++) {
        const double *from = parts->chunks[k].turn.draw_kw + offset * n_step;
        double *to = by_zone_kw + parts->chunks[k].zone * n_step;

        for (size_t t = 0; t < n_step; t++)
            to[t] += from[t];
    }
}

void market_parts_start(struct market_parts *parts, const double *price_per_mwh, double mu)
{
    memcpy(parts->price, price_per_mwh, zone_cells(parts) * sizeof(*price_per_mwh));
    parts->ask.mu = mu;
    run(parts, MARKET_INTERIOR_START);
    parts->sum.n_pair = 0;
    parts->sum.curved = false;
    for (size_t k = 0; k < parts->n_chunk; k++) {
        parts->sum.n_pair += parts->chunks[k].turn.n_pair;
        parts->sum.curved = parts->sum.curved || parts->chunks[k].turn.curved;
    }
}

void market_parts_fold(struct market_parts *parts, const double *price_per_mwh,
                       struct market_stride stride)
{
    struct market_parts_sum *sum = &parts->sum;
    size_t cells = zone_cells(parts);

    memcpy(parts->price, price_per_mwh, cells * sizeof(*price_per_mwh));
    parts->ask.stride = stride;
    run(parts, MARKET_INTERIOR_FOLD);
    sum->product = sum->cost = sum->off_kw = sum->unpriced = 0.0;
    for (size_t k = 0; k < parts->n_chunk; k++) {
        const struct market_interior *turn = &parts->chunks[k].turn;

        sum->product += turn->product;
        sum->cost += turn->cost;
        sum->unpriced += turn->unpriced;
        sum->off_kw = fmax(sum->off_kw, turn->off);
    }
    gather(parts, 0, sum->draw_kw);
    gather(parts, 1, sum->still_kw);
}

void market_parts_predict(struct market_parts *parts, const double *first_per_mwh)
{
    size_t cells = zone_cells(parts);

    memcpy(parts->price + cells, first_per_mwh, cells * sizeof(*first_per_mwh));
    run(parts, MARKET_INTERIOR_PREDICT);
    parts->sum.crossed = parts->sum.leaning = 0.0;
    for (size_t k = 0; k < parts->n_chunk; k++) {
        parts->sum.crossed += parts->chunks[k].turn.crossed;
        parts->sum.leaning += parts->chunks[k].turn.leaning;
    }
    gather(parts, 2, parts->sum.per_mu_kw);
    gather(parts, 3, parts->sum.bent_kw);
}

void market_parts_correct(struct market_parts *parts, const double *second_per_mwh, double mu)
{
    size_t cells = zone_cells(parts);

    memcpy(parts->price + 2 * cells, second_per_mwh, cells * sizeof(*second_per_mwh));
    parts->ask.mu = mu;
    run(parts, MARKET_INTERIOR_CORRECT);
}

void market_parts_add_curvature(const struct market_parts *parts, size_t zone, double *s)
{
    size_t size = parts->problem->n_step * parts->problem->n_step;

    for (size_t k = parts->zone_first[zone]; k < parts->zone_first[zone + 1]; k++)
        for (size_t i = 0; i < size; i++)
            s[i] += parts->chunks[k].turn.curvature[i];
}

enum walras_status market_parts_tell(struct market_parts *parts, bool keep, double *draw_kw,
                                     double *cost, struct walras_err *err)
{
    size_t n_step = parts->problem->n_step;
    enum walras_status status = WALRAS_OK;

    memset(draw_kw, 0, parts->problem->n_group * n_step * sizeof(*draw_kw));
    memset(cost, 0, parts->problem->n_group * sizeof(*cost));
    for (size_t i = 0; i < parts->n_entry && status == WALRAS_OK; i++) {
        const struct entry *entry = &parts->entries[i];
        const struct market_oracle *oracle = &parts->problem->groups[entry->group].oracle;
        struct market_interior turn = {.phase = keep ? MARKET_INTERIOR_KEEP : MARKET_INTERIOR_TELL,
                                       .draw_kw = draw_kw + entry->group * n_step};

        status = oracle->ops->interior(oracle->self, entry->part, 0, &turn, err);
        cost[entry->group] += turn.cost;
    }
    return status;
}
