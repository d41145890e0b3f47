#include "market/fold.h"

#include "market/dual.h"
#include "market/fold_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t x) /* the finaliser of splitmix64: every bit moves every bit */
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void market_fold_release(struct market_fold *fold)
{
    void *blocks[] = {
        fold->active,         fold->active_before, fold->key,       fold->first_of_zone,
        fold->zone,           fold->reactive,      fold->swing_kw,  fold->firm_kw,
        fold->by_price,       fold->orders,        fold->order_of,  fold->skipped,
        fold->skipped_before, fold->blocs,         fold->skip_bloc, fold->member,
        fold->member_first,   fold->synced,        fold->sum_kw,    fold->fine_of,
        fold->rows.rows,      fold->row_bus,       fold->row_coef,  fold->rows.step_first,
        fold->stamp,          fold->stamp_group};

    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        free(blocks[i]);
    market_cuts_release(&fold->cuts);
    *fold = (struct market_fold){0};
}

static bool take_memory(struct market_fold *fold)
{
    const struct market_problem *p = fold->fine;
    size_t n_bus = p->n_bus, n_group = p->n_group + 1, n_order = p->n_order + 1;

    fold->n_limit = p->limits ? grid_limits_count(p->limits) : 0;
    fold->active = calloc(fold->n_limit + 1, sizeof(*fold->active));
    fold->active_before = calloc(fold->n_limit + 1, sizeof(*fold->active_before));
    fold->key = calloc(n_bus, sizeof(*fold->key));
    fold->zone = calloc(n_bus, sizeof(*fold->zone));
    fold->first_of_zone = calloc(n_bus, sizeof(*fold->first_of_zone));
    fold->reactive = calloc(n_bus, sizeof(*fold->reactive));
    fold->swing_kw = calloc(n_bus, sizeof(*fold->swing_kw));
    fold->firm_kw = calloc(n_bus * p->n_step, sizeof(*fold->firm_kw));
    fold->by_price = calloc(n_order, sizeof(*fold->by_price));
    fold->orders = calloc(n_order, sizeof(*fold->orders));
    fold->order_of = calloc(n_order, sizeof(*fold->order_of));
    fold->skipped = calloc(n_group, sizeof(*fold->skipped));
    fold->skipped_before = calloc(n_group, sizeof(*fold->skipped_before));
    fold->blocs = calloc(n_group, sizeof(*fold->blocs));
    fold->skip_bloc = calloc(n_group, sizeof(*fold->skip_bloc));
    fold->member = calloc(n_group, sizeof(*fold->member));
    fold->member_first = calloc(n_group + 1, sizeof(*fold->member_first));
    fold->synced = calloc(n_group, sizeof(*fold->synced));
    fold->sum_kw = calloc(p->n_step, sizeof(*fold->sum_kw));
    fold->rows.step_first = calloc(p->n_step + 1, sizeof(*fold->rows.step_first));
    fold->stamp = calloc(n_bus, sizeof(*fold->stamp));
    fold->stamp_group = calloc(n_group, sizeof(*fold->stamp_group));
    return fold->active && fold->active_before && fold->key && fold->zone && fold->first_of_zone &&
           fold->reactive && fold->swing_kw && fold->firm_kw && fold->by_price && fold->orders &&
           fold->order_of && fold->skipped && fold->skipped_before && fold->blocs &&
           fold->skip_bloc && fold->member && fold->member_first && fold->synced && fold->sum_kw &&
           fold->rows.step_first && fold->stamp && fold->stamp_group;
}

static bool may_merge(const struct market_order *order)
{
    return order->slope_per_mwh_per_kw <= 0.0 && isfinite(order->low_kw) &&
           isfinite(order->high_kw);
}

struct priced { /* an order to sort */
    size_t order;
    uint32_t step;
    double price;
};

static int compare_priced(const void *left, const void *right)
{
    const struct priced *a = left, *b = right;

    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    if (a->price < b->price || a->price > b->price)
        return a->price < b->price ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static enum walras_status sort_orders(struct market_fold *fold, struct walras_err *err)
{
    const struct market_problem *p = fold->fine;
    struct priced *sorted = calloc(p->n_order + 1, sizeof(*sorted));
    size_t n = 0;

    if (!sorted)
        return walras_fail(err, WALRAS_NOMEM, "%zu orders do not fit in memory", p->n_order);
    for (size_t i = 0; i < p->n_order; i++)
        if (may_merge(&p->orders[i]))
            sorted[n++] = (struct priced){i, p->orders[i].step, p->orders[i].price_per_mwh};
    qsort(sorted, n, sizeof(*sorted), compare_priced);
    for (size_t i = 0; i < n; i++)
        fold->by_price[i] = sorted[i].order;
    fold->n_mergeable = n;
    for (size_t i = 0; i < p->n_order; i++)
        if (!may_merge(&p->orders[i]))
            fold->by_price[n++] = i;
    free(sorted);
    return WALRAS_OK;
}

enum walras_status market_fold_init(struct market_fold *fold, const struct market_problem *fine,
                                    size_t n_bloc_wanted, struct walras_err *err)
{
    *fold = (struct market_fold){.fine = fine, .n_bloc_wanted = n_bloc_wanted, .coarse = *fine};
    if (!take_memory(fold))
        return walras_fail(err, WALRAS_NOMEM, "%zu buses x %zu steps do not fit in memory",
                           fine->n_bus, fine->n_step);
    for (size_t g = 0; g < fine->n_group; g++)
        fold->swing_kw[fine->groups[g].bus] += fine->groups[g].swing_kw;
    fold->coarse.node_of_bus = fold->first_of_zone;
    fold->coarse.reach_kw = market_reach_kw(fine);
    fold->coarse.n_bus = 0; /* nothing is folded yet */
    fold->rows.problem = &fold->coarse;
    return sort_orders(fold, err);
}

/* Which limits are active; true when that is as before. */
static bool same_limits(struct market_fold *fold, const struct market_rows *rows)
{
    memset(fold->active, 0, fold->n_limit * sizeof(*fold->active));
    for (size_t a = 0; a < rows->n; a++)
        fold->active[rows->rows[a].limit] = true;
    return fold->coarse.n_bus > 0 &&
           memcmp(fold->active, fold->active_before, fold->n_limit * sizeof(*fold->active)) == 0;
}

struct keyed_bus {
    uint64_t key;
    uint32_t bus;
};

static int compare_keys(const void *left, const void *right)
{
    const struct keyed_bus *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->bus < b->bus ? -1 : a->bus > b->bus;
}

/*
 * Buses with the same coefficient in every active limit get the same key, others get different
 * ones. (Coefficients count as the same when they agree to 2^-30 of 1; 64 bits do not collide by
 * chance.) Where coefficients differ from step to step, no two are taken to be alike.
 */
static void fill_keys(struct market_fold *fold, const struct market_rows *rows)
{
    bool *seen = fold->active_before; /* filled again as limits are met */

    for (size_t b = 0; b < fold->fine->n_bus; b++) /* kvar are never with kW */
        fold->key[b] = market_is_reactive(fold->fine, b) ? mix(UINT64_MAX) : 0;
    memset(seen, 0, fold->n_limit * sizeof(*seen));
    for (size_t a = 0; a < rows->n; a++) {
        const struct market_row *row = &rows->rows[a];

        if (seen[row->limit])
            continue;
        seen[row->limit] = true;
        for (size_t i = 0; i < row->coef.n; i++) {
            int64_t steps = (int64_t)floor(row->coef.coef[i] * 0x1p30 + 0.5);

            if (row->varies)
                steps = (int64_t)row->coef.bus[i] + 1;
            if (steps != 0)
                fold->key[row->coef.bus[i]] += mix(mix(row->limit + 1) ^ (uint64_t)steps);
        }
    }
}

/* Zones are numbered by their first bus. */
static enum walras_status fill_zones(struct market_fold *fold, struct walras_err *err)
{
    size_t n_bus = fold->fine->n_bus;
    struct keyed_bus *sorted = malloc(n_bus * sizeof(*sorted));
    uint32_t n_zone = 0;

    if (!sorted)
        return walras_fail(err, WALRAS_NOMEM, "cannot sort %zu buses into zones", n_bus);
    for (uint32_t b = 0; b < n_bus; b++)
        sorted[b] = (struct keyed_bus){fold->key[b], b};
    qsort(sorted, n_bus, sizeof(*sorted), compare_keys);
    for (size_t i = 0; i < n_bus; i++) /* names a zone by its first bus; numbers follow */
        fold->zone[sorted[i].bus] = i > 0 && sorted[i].key == sorted[i - 1].key
                                        ? fold->zone[sorted[i - 1].bus]
                                        : sorted[i].bus;
    for (uint32_t b = 0; b < n_bus; b++)
        if (fold->zone[b] == b) {
            fold->first_of_zone[n_zone] = b;
            fold->zone[b] = n_zone++;
        } else {
            fold->zone[b] = fold->zone[fold->zone[b]];
        }
    for (uint32_t b = 0; b < n_bus; b++)
        fold->reactive[fold->zone[b]] = market_is_reactive(fold->fine, b);
    fold->coarse.reactive = fold->fine->reactive ? fold->reactive : NULL;
    fold->coarse.n_bus = n_zone;
    free(sorted);
    return WALRAS_OK;
}

void market_fold_sum(const struct market_fold *fold, const double *fine, double *coarse)
{
    size_t n_step = fold->fine->n_step;

    memset(coarse, 0, fold->coarse.n_bus * n_step * sizeof(*coarse));
    for (size_t b = 0; b < fold->fine->n_bus; b++)
        for (size_t t = 0; t < n_step; t++)
            coarse[fold->zone[b] * n_step + t] += fine[b * n_step + t];
}

static void fold_orders(struct market_fold *fold)
{
    const struct market_problem *p = fold->fine;
    size_t n = 0, first = 0; /* coarse orders of the present step and price begin at `first` */

    memset(fold->stamp, 0, p->n_bus * sizeof(*fold->stamp));
    for (size_t i = 0; i < p->n_order; i++) {
        const struct market_order *order = &p->orders[fold->by_price[i]];
        uint32_t zone = fold->zone[order->bus];
        struct market_order *into = NULL;

        if (n == first || order->step != fold->orders[first].step ||
            order->price_per_mwh > fold->orders[first].price_per_mwh || i >= fold->n_mergeable)
            first = n;
        if (fold->stamp[zone] > first) { /* the zone has one of this step and price */
            into = &fold->orders[fold->stamp[zone] - 1];
            into->low_kw += order->low_kw;
            into->high_kw += order->high_kw;
        } else {
            fold->orders[n] = *order;
            fold->orders[n].bus = zone;
            fold->stamp[zone] = ++n;
        }
        fold->order_of[fold->by_price[i]] = fold->stamp[zone] - 1;
    }
    fold->coarse.orders = fold->orders;
    fold->coarse.n_order = n;
}

static bool same_groups(struct market_fold *fold, const bool *skip_group)
{
    size_t n = fold->fine->n_group;

    memset(fold->skipped, 0, n * sizeof(*fold->skipped));
    if (skip_group && n > 0)
        memcpy(fold->skipped, skip_group, n * sizeof(*fold->skipped));
    return memcmp(fold->skipped, fold->skipped_before, n * sizeof(*fold->skipped)) == 0;
}

/* The active rows as the zones see them. */
static enum walras_status fold_rows(struct market_fold *fold, const struct market_rows *rows,
                                    struct walras_err *err)
{
    size_t total = 0, n = 0;
    struct market_row *grown = realloc(fold->rows.rows, (rows->n + 1) * sizeof(*grown));

    if (grown)
        fold->rows.rows = grown;
    for (size_t a = 0; a < rows->n; a++)
        total +=
            rows->rows[a].coef.n < fold->coarse.n_bus ? rows->rows[a].coef.n : fold->coarse.n_bus;
    if (total > fold->coef_room) {
        free(fold->row_bus);
        free(fold->row_coef);
        fold->coef_room = 2 * total;
        fold->row_bus = calloc(fold->coef_room, sizeof(*fold->row_bus));
        fold->row_coef = calloc(fold->coef_room, sizeof(*fold->row_coef));
    }
    if (!grown || (fold->coef_room > 0 && (!fold->row_bus || !fold->row_coef))) {
        fold->coef_room = 0;
        return walras_fail(err, WALRAS_NOMEM, "cannot hold %zu active limits", rows->n);
    }
    memset(fold->stamp, 0, fold->fine->n_bus * sizeof(*fold->stamp));
    for (size_t a = 0; a < rows->n; a++) {
        const struct market_row *row = &rows->rows[a];
        size_t first = n;

        for (size_t i = 0; i < row->coef.n; i++) {
            uint32_t zone = fold->zone[row->coef.bus[i]];

            if (fold->stamp[zone] == a + 1)
                continue;
            fold->stamp[zone] = a + 1;
            fold->row_bus[n] = zone;
            fold->row_coef[n++] = row->coef.coef[i];
        }
        fold->rows.rows[a] = *row;
        fold->rows.rows[a].coef =
            (struct grid_row){n - first, fold->row_bus + first, fold->row_coef + first};
    }
    fold->rows.n = rows->n;
    memcpy(fold->rows.step_first, rows->step_first,
           (fold->fine->n_step + 1) * sizeof(*rows->step_first));
    return WALRAS_OK;
}

enum walras_status market_fold_update(struct market_fold *fold, const struct market_rows *rows,
                                      const bool *skip_group, bool *changed, struct walras_err *err)
{
    bool limits_stay = same_limits(fold, rows), groups_stay = same_groups(fold, skip_group);
    enum walras_status status = WALRAS_OK;

    *changed = !limits_stay || !groups_stay;
    if (!limits_stay) {
        fill_keys(fold, rows);
        status = fill_zones(fold, err);
    }
    if (status == WALRAS_OK && !limits_stay) {
        market_fold_sum(fold, fold->fine->firm_draw_kw, fold->firm_kw);
        fold->coarse.firm_draw_kw = fold->firm_kw;
        fold_orders(fold);
    }
    if (status == WALRAS_OK && *changed) {
        memcpy(fold->skipped_before, fold->skipped, fold->fine->n_group * sizeof(*fold->skipped));
        status = market_fold_blocs(fold, err);
    }
    return status == WALRAS_OK ? fold_rows(fold, rows, err) : status;
}
