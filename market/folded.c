#include "market/folded.h"

#include "market/fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BLOCS = 1024 };

struct market_folded {
    const struct market_problem *fine;
    struct market_fold fold;
    struct market_master *inner;              /* on fold.coarse; NULL before the first solve */
    double *centre, *extra_kw, *injection_kw; /* [n_bus x n_step] by zone */
    double *weight_kw;                        /* [n_bus x n_step] scratch */
    double *order_kw;                         /* [n_order] of the coarse market */
    double *curvature;                        /* [n_bloc x n_step x n_step] once there is one */
    double *weight;                           /* [coarse cuts] */
    size_t weight_room, curvature_room;
    const struct market_parts *zoned; /* who know the zones */
};

void market_folded_free(struct market_folded *f)
{
    if (!f)
        return;
    market_fold_release(&f->fold);
    market_master_free(f->inner);
    free(f->centre);
    free(f->order_kw);
    free(f->curvature);
    free(f->weight);
    free(f);
}

enum walras_status market_folded_new(const struct market_problem *problem, size_t n_bloc,
                                     struct market_folded **made, struct walras_err *err)
{
    struct market_folded *f = calloc(1, sizeof(*f));
    size_t n_cell = problem->n_bus * problem->n_step;
    enum walras_status status = WALRAS_OK;

    if (!f)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the master");
    if (n_bloc == 0)
        n_bloc = MOST_BLOCS;
    f->fine = problem;
    f->centre = calloc(4 * n_cell, sizeof(double));
    f->order_kw = calloc(problem->n_order + 1, sizeof(double));
    status = market_fold_init(&f->fold, problem, n_bloc, err);
    if (status == WALRAS_OK && (!f->centre || !f->order_kw))
        status = walras_fail(err, WALRAS_NOMEM, "%zu buses x %zu steps do not fit in memory",
                             problem->n_bus, problem->n_step);
    if (status != WALRAS_OK) {
        market_folded_free(f);
        return status;
    }
    f->extra_kw = f->centre + n_cell;
    f->injection_kw = f->extra_kw + n_cell;
    f->weight_kw = f->injection_kw + n_cell;
    *made = f;
    return WALRAS_OK;
}

/*
 * Buses of a zone may have centres of their own, from when rows still told them apart. Their mean
 * by swing gives the same proximal term, but for a constant.
 */
static void fold_centre(struct market_folded *f, const double *centre)
{
    const struct market_fold *fold = &f->fold;
    size_t n_step = f->fine->n_step;
    double *swing_kw = f->weight_kw;

    memset(f->centre, 0, fold->coarse.n_bus * n_step * sizeof(*f->centre));
    memset(swing_kw, 0, fold->coarse.n_bus * sizeof(*swing_kw));
    for (size_t b = 0; b < f->fine->n_bus; b++) {
        size_t zone = fold->zone[b];

        swing_kw[zone] += fold->swing_kw[b];
        for (size_t t = 0; t < n_step; t++)
            f->centre[zone * n_step + t] += fold->swing_kw[b] * centre[b * n_step + t];
    }
    for (size_t zone = 0; zone < fold->coarse.n_bus; zone++)
        for (size_t t = 0; t < n_step && swing_kw[zone] > 0.0; t++)
            f->centre[zone * n_step + t] /= swing_kw[zone];
}

/*
 * A bloc bends by the sum of its members' curvature. Where centres differ within a zone their mean
 * by swing stands in: that changes the step, not what it is worth.
 */
static enum walras_status fold_curvature(struct market_folded *f, const double *curvature,
                                         struct walras_err *err)
{
    const struct market_fold *fold = &f->fold;
    size_t size = f->fine->n_step * f->fine->n_step, n = fold->coarse.n_group * size;

    if (n > f->curvature_room || !f->curvature) {
        free(f->curvature);
        f->curvature = malloc((n + 1) * sizeof(*f->curvature));
        f->curvature_room = f->curvature ? n : 0;
    }
    if (!f->curvature)
        return walras_fail(err, WALRAS_NOMEM, "the curvature of %zu blocs does not fit in memory",
                           fold->coarse.n_group);
    memset(f->curvature, 0, n * sizeof(*f->curvature));
    for (size_t bloc = 0; bloc < fold->coarse.n_group; bloc++)
        for (size_t m = fold->member_first[bloc]; m < fold->member_first[bloc + 1]; m++)
            for (size_t i = 0; i < size; i++)
                f->curvature[bloc * size + i] += curvature[fold->member[m] * size + i];
    return WALRAS_OK;
}

static enum walras_status prepare(struct market_folded *f,
                                  const struct market_master_problem *problem,
                                  struct market_master_problem *coarse, struct walras_err *err)
{
    struct market_fold *fold = &f->fold;
    bool changed = false;
    enum walras_status status =
        market_fold_update(fold, problem->rows, problem->skip_group, &changed, err);

    if (status == WALRAS_OK)
        status = market_fold_cuts(fold, problem->cuts, err);
    if (status == WALRAS_OK && (changed || !f->inner)) {
        market_master_free(f->inner);
        f->inner = NULL;
        status = market_master_new(&fold->coarse, &f->inner, err);
    }
    if (status != WALRAS_OK)
        return status;
    if (fold->cuts.n_total > f->weight_room || !f->weight) {
        free(f->weight);
        f->weight_room = 2 * fold->cuts.n_total + 16;
        f->weight = calloc(f->weight_room, sizeof(*f->weight));
        if (!f->weight) {
            f->weight_room = 0;
            return walras_fail(err, WALRAS_NOMEM, "%zu cuts do not fit in memory",
                               fold->cuts.n_total);
        }
    }
    if (status == WALRAS_OK && problem->parts && (changed || f->zoned != problem->parts)) {
        status = market_parts_zone(problem->parts, fold->zone, fold->coarse.n_bus, err);
        f->zoned = problem->parts;
    }
    if (isfinite(problem->tau))
        fold_centre(f, problem->centre);
    if (problem->extra_draw_kw)
        market_fold_sum(fold, problem->extra_draw_kw, f->extra_kw);
    if (problem->curvature)
        status = fold_curvature(f, problem->curvature, err);
    *coarse =
        (struct market_master_problem){.rows = &fold->rows,
                                       .cuts = &fold->cuts,
                                       .centre = f->centre,
                                       .tau = problem->tau,
                                       .skip_group = fold->skip_bloc,
                                       .extra_draw_kw = problem->extra_draw_kw ? f->extra_kw : NULL,
                                       .curvature = problem->curvature ? f->curvature : NULL,
                                       .parts = problem->parts,
                                       .resume = problem->resume && !changed};
    return status;
}

static void unfold_orders(const struct market_folded *f, double *order_kw)
{
    for (size_t i = 0; i < f->fine->n_order; i++) {
        const struct market_order *order = &f->fine->orders[i];
        size_t k = f->fold.order_of[i];
        const struct market_order *merged = &f->fold.orders[k];
        double width = merged->high_kw - merged->low_kw;

        if (!isfinite(width) || order->slope_per_mwh_per_kw > 0.0)
            order_kw[i] = f->order_kw[k]; /* never merged */
        else if (width > 0.0)
            order_kw[i] = order->low_kw + (order->high_kw - order->low_kw) *
                                              ((f->order_kw[k] - merged->low_kw) / width);
        else
            order_kw[i] = order->low_kw;
    }
}

/* Weights of the groups' cuts, group after group, those that are skipped left out. */
static void unfold_weights(const struct market_folded *f,
                           const struct market_master_problem *problem, double *weight)
{
    const struct market_fold *fold = &f->fold;
    size_t n_fine = problem->cuts->n_group > 0 ? problem->cuts->groups[0].n : 0, n = 0;
    size_t *first = fold->stamp_group;
    const double *from = f->weight;

    for (size_t g = 0; g < f->fine->n_group; g++) {
        first[g] = n;
        n += market_master_skips(problem, g) ? 0 : n_fine;
    }
    memset(weight, 0, n * sizeof(*weight));
    for (size_t bloc = 0; bloc < fold->coarse.n_group; bloc++) {
        const struct market_group_cuts *own = &fold->cuts.groups[bloc];

        for (size_t j = 0; j < own->n && !fold->skip_bloc[bloc]; j++, from++)
            for (size_t m = fold->member_first[bloc]; m < fold->member_first[bloc + 1]; m++)
                weight[first[fold->member[m]] + fold->fine_of[own->cuts[j].point]] = *from;
    }
}

/* The slack that curvature brings at the buses, prices being f->weight_kw. */
static void add_curved_slack(const struct market_folded *f,
                             const struct market_master_problem *problem, double *injection_kw)
{
    size_t n_step = f->fine->n_step;

    for (size_t g = 0; g < f->fine->n_group; g++) {
        size_t first = f->fine->groups[g].bus * n_step;
        const double *curvature = problem->curvature + g * n_step * n_step;

        for (size_t t = 0; t < n_step; t++)
            for (size_t s = 0; s < n_step; s++)
                injection_kw[first + t] += curvature[t * n_step + s] *
                                           (f->weight_kw[first + s] - problem->centre[first + s]);
    }
}

/* What the mixed plan injects at every bus, with the proximal slack. */
static void unfold_injections(const struct market_folded *f,
                              const struct market_master_problem *problem,
                              const struct market_master_solution *solution)
{
    const struct market_problem *p = f->fine;
    size_t n_step = p->n_step;
    double *injection_kw = solution->injection_kw;
    const double *weight = solution->weight;

    for (size_t i = 0; i < p->n_bus * n_step; i++)
        injection_kw[i] =
            -p->firm_draw_kw[i] - (problem->extra_draw_kw ? problem->extra_draw_kw[i] : 0.0);
    for (size_t i = 0; i < p->n_order; i++)
        injection_kw[p->orders[i].bus * n_step + p->orders[i].step] += solution->order_kw[i];
    for (size_t g = 0; g < p->n_group; g++) {
        const struct market_group_cuts *cuts = &problem->cuts->groups[g];
        double *at = injection_kw + p->groups[g].bus * n_step;

        if (market_master_skips(problem, g))
            continue;
        for (size_t j = 0; j < cuts->n; j++, weight++)
            for (size_t t = 0; t<n_step && * weight> 0.0; t++)
                at[t] -= *weight * cuts->draw_kw[j * n_step + t];
    }
    for (size_t g = 0; g < p->n_group && problem->parts; g++)
        for (size_t t = 0; t < n_step; t++)
            injection_kw[p->groups[g].bus * n_step + t] -= solution->group_draw_kw[g * n_step + t];
    if (isinf(problem->tau))
        return;
    market_rows_price(problem->rows, solution->u, f->weight_kw);
    for (size_t b = 0; b < p->n_bus; b++)
        for (size_t t = 0; t < n_step && f->fold.swing_kw[b] > 0.0; t++)
            injection_kw[b * n_step + t] +=
                f->fold.swing_kw[b] / problem->tau *
                (f->weight_kw[b * n_step + t] - problem->centre[b * n_step + t]);
    if (problem->curvature)
        add_curved_slack(f, problem, injection_kw);
}

static enum walras_status solve(void *master, const struct market_master_problem *problem,
                                const struct market_master_settings *settings,
                                struct market_master_solution *solution,
                                struct market_master_info *info, struct walras_err *err)
{
    struct market_folded *f = master;
    struct market_master_problem coarse = {0};
    enum walras_status status = prepare(f, problem, &coarse, err);
    struct market_master_solution own = *solution;

    if (status != WALRAS_OK)
        return status;
    own.order_kw = f->order_kw;
    own.weight = f->weight;
    own.injection_kw = f->injection_kw;
    status = market_master_solve(f->inner, &coarse, settings, &own, info, err);
    if (status != WALRAS_OK)
        return status;
    if (problem->parts)
        status = market_parts_tell(problem->parts, false, solution->group_draw_kw,
                                   solution->group_cost, err);
    unfold_orders(f, solution->order_kw);
    unfold_weights(f, problem, solution->weight);
    unfold_injections(f, problem, solution);
    return status;
}

struct market_master_solver market_folded_solver_of(struct market_folded *folded)
{
    return (struct market_master_solver){solve, folded};
}
