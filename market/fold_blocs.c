/*
 * The forming of blocs: which groups of a zone share their weights.
 */
#include "market/fold_internal.h"

#include <stdlib.h>
#include <string.h>

struct placed_group {
    size_t group;
    uint32_t zone;
    bool alone; /* integer: it settles, so it cannot share weights */
    bool skipped;
    unsigned kind;
};

static int compare_placed(const void *left, const void *right)
{
    const struct placed_group *a = left, *b = right;

    if (a->zone != b->zone)
        return a->zone < b->zone ? -1 : 1;
    if (a->alone != b->alone)
        return a->alone ? 1 : -1;
    if (a->skipped != b->skipped)
        return a->skipped ? 1 : -1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->group < b->group ? -1 : a->group > b->group;
}

struct bucket { /* groups [first, first + n) of the sorted ones, to become n_bloc blocs */
    size_t first, n, n_bloc, n_device;
};

static size_t list_buckets(const struct market_fold *fold, const struct placed_group *sorted,
                           struct bucket *buckets)
{
    size_t n = 0;

    for (size_t i = 0; i < fold->fine->n_group; i++) {
        const struct placed_group *now = &sorted[i], *before = i > 0 ? now - 1 : NULL;

        if (!before || now->alone || before->zone != now->zone || before->alone != now->alone ||
            before->skipped != now->skipped)
            buckets[n++] = (struct bucket){.first = i, .n_bloc = 1};
        buckets[n - 1].n++;
        buckets[n - 1].n_device += fold->fine->groups[now->group].n_device;
    }
    return n;
}

/* Splits the bucket with the most devices a bloc, again and again, until there are enough blocs. */
static void share_out(struct bucket *buckets, size_t n_bucket, size_t wanted)
{
    for (size_t n_bloc = n_bucket; n_bloc < wanted; n_bloc++) {
        size_t best = SIZE_MAX;
        double most = 0.0;

        for (size_t i = 0; i < n_bucket; i++) {
            double size = (double)buckets[i].n_device / (double)buckets[i].n_bloc;

            if (buckets[i].n_bloc < buckets[i].n && size > most) {
                most = size;
                best = i;
            }
        }
        if (best == SIZE_MAX)
            return;
        buckets[best].n_bloc++;
    }
}

static void fill_blocs(struct market_fold *fold, const struct placed_group *sorted,
                       const struct bucket *buckets, size_t n_bucket)
{
    size_t n = 0;

    for (size_t i = 0; i < n_bucket; i++)
        for (size_t k = 0; k < buckets[i].n_bloc; k++, n++) {
            size_t first = buckets[i].first + k * buckets[i].n / buckets[i].n_bloc;
            size_t end = buckets[i].first + (k + 1) * buckets[i].n / buckets[i].n_bloc;
            struct market_group *bloc = &fold->blocs[n];

            *bloc = (struct market_group){.bus = sorted[first].zone,
                                          .integer = sorted[first].alone,
                                          .kind = sorted[first].kind};
            fold->skip_bloc[n] = sorted[first].skipped;
            fold->member_first[n] = first;
            for (size_t m = first; m < end; m++) {
                fold->member[m] = sorted[m].group;
                bloc->swing_kw += fold->fine->groups[sorted[m].group].swing_kw;
                bloc->n_device += fold->fine->groups[sorted[m].group].n_device;
            }
        }
    fold->member_first[n] = fold->fine->n_group;
    fold->coarse.groups = fold->blocs;
    fold->coarse.n_group = n;
}

enum walras_status market_fold_blocs(struct market_fold *fold, struct walras_err *err)
{
    const struct market_problem *p = fold->fine;
    struct placed_group *sorted = calloc(p->n_group + 1, sizeof(*sorted));
    struct bucket *buckets = calloc(p->n_group + 1, sizeof(*buckets));
    enum walras_status status = WALRAS_OK;

    if (sorted && buckets) {
        for (size_t g = 0; g < p->n_group; g++)
            sorted[g] = (struct placed_group){g, fold->zone[p->groups[g].bus], p->groups[g].integer,
                                              fold->skipped[g], p->groups[g].kind};
        qsort(sorted, p->n_group, sizeof(*sorted), compare_placed);
        size_t n = list_buckets(fold, sorted, buckets);

        share_out(buckets, n, fold->n_bloc_wanted);
        fill_blocs(fold, sorted, buckets, n);
        market_cuts_release(&fold->cuts);
        memset(fold->synced, 0, p->n_group * sizeof(*fold->synced));
        status = market_cuts_init(&fold->cuts, fold->coarse.n_group, p->n_step, err);
    } else {
        status = walras_fail(err, WALRAS_NOMEM, "cannot sort %zu groups into blocs", p->n_group);
    }
    free(sorted);
    free(buckets);
    return status;
}
