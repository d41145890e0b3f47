#include "market/fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where each point's cuts are; all groups answer the same points in the same order. */
static enum walras_status index_points(struct market_fold *fold, const struct market_cuts *cuts,
                                       struct walras_err *err)
{
    const struct market_group_cuts *any = &cuts->groups[0];
    size_t n_point = cuts->n_group > 0 && any->n > 0 ? any->cuts[any->n - 1].point + 1 : 0;

    if (n_point > fold->point_room) {
        size_t *grown = realloc(fold->fine_of, 2 * n_point * sizeof(*grown));

        if (!grown)
            return walras_fail(err, WALRAS_NOMEM, "cannot hold %zu price points", n_point);
        fold->fine_of = grown;
        fold->point_room = 2 * n_point;
    }
    for (size_t i = 0; i < fold->point_room; i++)
        fold->fine_of[i] = SIZE_MAX;
    for (size_t j = 0; n_point > 0 && j < any->n; j++)
        fold->fine_of[any->cuts[j].point] = j;
    return WALRAS_OK;
}

/* A cut that some member still has use for. */
static bool is_alive(const struct market_fold *fold, size_t bloc, const struct market_cuts *cuts,
                     size_t j)
{
    for (size_t m = fold->member_first[bloc]; m < fold->member_first[bloc + 1]; m++)
        if (!cuts->groups[fold->member[m]].cuts[j].retired)
            return true;
    return false;
}

static void forget_dead(struct market_fold *fold, size_t bloc, const struct market_cuts *cuts)
{
    struct market_group_cuts *own = &fold->cuts.groups[bloc];
    size_t n_step = fold->fine->n_step, kept = 0;

    for (size_t i = 0; i < own->n; i++) {
        size_t j = fold->fine_of[own->cuts[i].point];

        if (j == SIZE_MAX || !is_alive(fold, bloc, cuts, j))
            continue;
        if (kept < i) {
            own->cuts[kept] = own->cuts[i];
            memcpy(own->draw_kw + kept * n_step, own->draw_kw + i * n_step,
                   n_step * sizeof(*own->draw_kw));
        }
        kept++;
    }
    fold->cuts.n_total -= own->n - kept;
    own->n = kept;
}

/* The cut of the bloc that says the same, SIZE_MAX when there is none. */
static size_t same_answer(const struct market_group_cuts *own, size_t n_step, const double *draw_kw,
                          double cost)
{
    for (size_t i = 0; i < own->n; i++) {
        const double *kept = own->draw_kw + i * n_step;
        size_t t = 0;

        if (fabs(own->cuts[i].cost - cost) > 1e-12 * fmax(1.0, fabs(cost)))
            continue;
        while (t < n_step && fabs(kept[t] - draw_kw[t]) <= 1e-12 * fmax(1.0, fabs(draw_kw[t])))
            t++;
        if (t == n_step)
            return i;
    }
    return SIZE_MAX;
}

static enum walras_status take_point(struct market_fold *fold, size_t bloc,
                                     const struct market_cuts *cuts, size_t j,
                                     struct walras_err *err)
{
    struct market_group_cuts *own = &fold->cuts.groups[bloc];
    size_t n_step = fold->fine->n_step, point = cuts->groups[0].cuts[j].point, same;
    double cost = 0.0;

    memset(fold->sum_kw, 0, n_step * sizeof(*fold->sum_kw));
    for (size_t m = fold->member_first[bloc]; m < fold->member_first[bloc + 1]; m++) {
        const struct market_group_cuts *group = &cuts->groups[fold->member[m]];
        const double *draw_kw = group->draw_kw + j * n_step;

        cost += group->cuts[j].cost;
        for (size_t t = 0; t < n_step; t++)
            fold->sum_kw[t] += draw_kw[t];
    }
    same = same_answer(own, n_step, fold->sum_kw, cost);
    if (same != SIZE_MAX) {
        own->cuts[same].point = point;
        return WALRAS_OK;
    }
    return market_cuts_add(&fold->cuts, bloc, point, fold->sum_kw, cost, err);
}

/* Costs have changed: sums of them are taken anew. */
static void forget_all(struct market_fold *fold, const struct market_cuts *cuts)
{
    if (fold->n_revision == cuts->n_revision)
        return;
    fold->n_revision = cuts->n_revision;
    fold->cuts.n_total = 0;
    for (size_t bloc = 0; bloc < fold->coarse.n_group; bloc++) {
        fold->cuts.groups[bloc].n = 0;
        fold->synced[bloc] = 0;
    }
}

enum walras_status market_fold_cuts(struct market_fold *fold, const struct market_cuts *cuts,
                                    struct walras_err *err)
{
    enum walras_status status = index_points(fold, cuts, err);

    forget_all(fold, cuts);
    for (size_t bloc = 0; bloc < fold->coarse.n_group && status == WALRAS_OK; bloc++) {
        const struct market_group_cuts *any = &cuts->groups[0];

        if (fold->skip_bloc[bloc])
            continue;
        forget_dead(fold, bloc, cuts);
        for (size_t j = 0; j < any->n && status == WALRAS_OK; j++)
            if (any->cuts[j].point >= fold->synced[bloc] && is_alive(fold, bloc, cuts, j))
                status = take_point(fold, bloc, cuts, j, err);
        if (any->n > 0)
            fold->synced[bloc] = any->cuts[any->n - 1].point + 1;
    }
    return status;
}
