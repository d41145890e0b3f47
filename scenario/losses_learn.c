#include "core/units.h"
#include "scenario/losses_internal.h"

#include <math.h>
#include <stdlib.h>

/*
 * How far what is drawn may be from what is lost, as a share of it: as far as together costs
 * what the gap leaves, within these. Steps with next to no losses do not matter.
 */
static const double least_share = 2e-3, most_share = 5e-2, share_of_largest = 1e-4;
static const double least_kw = 1e-6;
static const double amid_share = 0.5; /* of that, amid a clearing: what it leaves is found behind */
static const double least_size_kw = 1e-3, least_price_per_mwh = 1e-6;
static const double room = 4.0; /* of the largest loss: the most that may be drawn for it */
enum { TRIES = 3, RETURNS = 2 };

static enum walras_status take_sample(const struct scenario_losses *losses, size_t step,
                                      struct grid_powerflow *flow,
                                      const struct grid_powerflow_solution *solved,
                                      struct loss_sample *out, struct walras_err *err)
{
    size_t n_bus = losses->given.n_bus, n_step = losses->given.n_step;
    enum walras_status status =
        grid_powerflow_loss_factors(flow, out->factor_kw, out->factor_kvar, err);

    for (size_t j = 0; j < losses->given.n_tree; j++)
        out->lost_kw[j] = out->constant_kw[j] = 0.0;
    for (size_t b = 0; b < n_bus && status == WALRAS_OK; b++) {
        size_t tree = losses->tree[b];

        out->kw[b] = solved->injection_kw[b];
        out->kvar[b] = solved->injection_kvar[b] + losses->fixed_kvar[b * n_step + step];
        if (losses->scenario->model == SCENARIO_DC)
            out->factor_kvar[b] = 0.0;
        out->lost_kw[tree] += out->kw[b];
        out->constant_kw[tree] +=
            out->kw[b] - out->factor_kw[b] * out->kw[b] - out->factor_kvar[b] * out->kvar[b];
    }
    return status;
}

enum walras_status scenario_losses_note(struct scenario_losses *losses, size_t step,
                                        struct grid_powerflow *flow,
                                        const struct grid_powerflow_solution *solved,
                                        struct walras_err *err)
{
    struct loss_sample *sample = &losses->samples[step];
    enum walras_status status = take_sample(losses, step, flow, solved, sample, err);

    for (size_t j = 0; j < losses->given.n_tree && status == WALRAS_OK; j++)
        losses->lost_kw[j * losses->given.n_step + step] = sample->lost_kw[j];
    return status;
}

/* What a tangent says where a sample was taken. */
static double value_at(const struct scenario_losses *losses, const struct grid_tangent *tangent,
                       const struct loss_sample *sample, size_t tree, size_t step)
{
    size_t n_step = losses->given.n_step;
    double value = tangent->loss_kw[tree * n_step + step];

    for (size_t b = 0; b < losses->given.n_bus && !isnan(value); b++)
        if (losses->tree[b] == tree)
            value += tangent->kw[b * n_step + step] * sample->kw[b] +
                     tangent->kvar[b * n_step + step] * sample->kvar[b];
    return value;
}

/* The most that tangents say there. */
static double said_kw(const struct scenario_losses *losses, const struct loss_sample *sample,
                      size_t tree, size_t step)
{
    double said = -INFINITY;

    for (size_t k = 0; k < losses->n_tangent[tree * losses->given.n_step + step]; k++)
        said = fmax(said, value_at(losses, &losses->tangents[k], sample, tree, step));
    return said;
}

/* Writes the tangent at a sample into the columns of a tree and step. */
static void put(const struct scenario_losses *losses, const struct loss_sample *sample, size_t tree,
                size_t step, struct grid_tangent *out)
{
    size_t n_step = losses->given.n_step;

    out->loss_kw[tree * n_step + step] = sample->constant_kw[tree];
    for (size_t b = 0; b < losses->given.n_bus; b++)
        if (losses->tree[b] == tree) {
            out->kw[b * n_step + step] = sample->factor_kw[b];
            out->kvar[b * n_step + step] = sample->factor_kvar[b];
        }
}

static enum walras_status add_tangent(struct scenario_losses *losses,
                                      const struct loss_sample *sample, size_t tree, size_t step,
                                      struct walras_err *err)
{
    size_t *n = &losses->n_tangent[tree * losses->given.n_step + step];
    struct grid_tangent *tangent = NULL;
    enum walras_status status = WALRAS_OK;

    if (*n == LOSSES_MOST_TANGENTS)
        return WALRAS_OK;
    tangent = &losses->tangents[*n];
    if (!tangent->kw)
        status = losses_make_tangent(losses, tangent, err);
    if (status != WALRAS_OK || !tangent->kw)
        return status;
    put(losses, sample, tree, step, tangent);
    ++*n;
    return WALRAS_OK;
}

/* ---- amid a clearing ---- */

static enum walras_status learn_trees(struct scenario_losses *losses,
                                      const struct grid_point *point, struct walras_err *err)
{
    const struct loss_sample *sample = &losses->scratch;
    size_t n_step = losses->given.n_step;
    enum walras_status status = WALRAS_OK;

    for (size_t j = 0; j < losses->given.n_tree && status == WALRAS_OK; j++) {
        double lost = sample->lost_kw[j];
        double share = losses->share[j * n_step + point->step];
        double enough = lost - amid_share * (share * fabs(lost) +
                                             share_of_largest * losses->size_kw[j] + least_kw);

        if (!losses->exact[j * n_step + point->step] && point->drawn_kw[j] < enough &&
            said_kw(losses, sample, j, point->step) < enough)
            status = add_tangent(losses, sample, j, point->step, err);
    }
    return status;
}

/* A point without a power flow, as a method may look at while it is far away, teaches nothing. */
enum walras_status losses_learn_amid(void *self, const struct grid_point *point,
                                     struct walras_err *err)
{
    struct scenario_losses *losses = self;
    struct grid_powerflow_input input = {.injection_kw = point->kw,
                                         .injection_kvar = losses->injection_kvar,
                                         .hold_v_pu = losses->hold_v_pu,
                                         .from_last = true};
    struct grid_powerflow_solution solved = {0};
    struct walras_err unable = {0};
    enum walras_status status = WALRAS_OK;

    for (size_t b = 0; b < losses->given.n_bus; b++)
        losses->injection_kvar[b] =
            point->kvar[b] - losses->fixed_kvar[b * losses->given.n_step + point->step];
    status = grid_powerflow_solve(losses->flow, &input, &solved, &unable);
    if (status == WALRAS_OK && solved.outcome == GRID_POWERFLOW_SOLVED)
        status = take_sample(losses, point->step, losses->flow, &solved, &losses->scratch, &unable);
    if (status != WALRAS_OK)
        return status == WALRAS_INVALID ? WALRAS_OK : walras_fail(err, status, "%s", unable.msg);
    return solved.outcome == GRID_POWERFLOW_SOLVED ? learn_trees(losses, point, err) : WALRAS_OK;
}

/* ---- between clearings ---- */

/* The most that a tree loses in a step of the plan noted last. */
static double largest_kw(const struct scenario_losses *losses, size_t tree)
{
    double largest = 0.0;

    for (size_t t = 0; t < losses->given.n_step; t++)
        largest = fmax(largest, losses->lost_kw[tree * losses->given.n_step + t]);
    return largest;
}

static double tolerance_kw(const struct scenario_losses *losses, size_t tree, size_t step)
{
    size_t at = tree * losses->given.n_step + step;

    return losses->share[at] * fabs(losses->lost_kw[at]) +
           share_of_largest * largest_kw(losses, tree) + least_kw;
}

struct worth { /* of a tangent: what it says of the plan noted last */
    double kw;
    size_t k;
};

static int by_worth(const void *left, const void *right)
{
    const struct worth *a = left, *b = right;

    return (b->kw > a->kw) - (b->kw < a->kw);
}

/* Moves a tangent's columns of a tree and step. */
static void move(const struct scenario_losses *losses, size_t tree, size_t step,
                 const struct grid_tangent *from, struct grid_tangent *to)
{
    size_t n_step = losses->given.n_step;

    to->loss_kw[tree * n_step + step] = from->loss_kw[tree * n_step + step];
    for (size_t b = 0; b < losses->given.n_bus; b++)
        if (losses->tree[b] == tree) {
            to->kw[b * n_step + step] = from->kw[b * n_step + step];
            to->kvar[b * n_step + step] = from->kvar[b * n_step + step];
        }
}

/* Keeps half of the tangents, those that say most of the last plan, where there are too many. */
static void make_room(struct scenario_losses *losses, size_t tree, size_t step)
{
    size_t *n = &losses->n_tangent[tree * losses->given.n_step + step], n_kept = 0;
    struct worth worths[LOSSES_MOST_TANGENTS];
    bool kept[LOSSES_MOST_TANGENTS] = {false};

    if (*n <= LOSSES_MOST_TANGENTS / 2)
        return;
    for (size_t k = 0; k < *n; k++) {
        double kw = value_at(losses, &losses->tangents[k], &losses->samples[step], tree, step);

        worths[k] = (struct worth){isnan(kw) ? (double)-INFINITY : kw, k};
    }
    qsort(worths, *n, sizeof(worths[0]), by_worth);
    for (size_t i = 0; i < LOSSES_MOST_TANGENTS / 2; i++)
        kept[worths[i].k] = isfinite(worths[i].kw);
    for (size_t k = 0; k < *n; k++)
        if (kept[k])
            move(losses, tree, step, &losses->tangents[k], &losses->tangents[n_kept++]);
    for (size_t k = n_kept; k < *n; k++)
        losses->tangents[k].loss_kw[tree * losses->given.n_step + step] = NAN;
    *n = n_kept;
    losses->ways[tree * losses->given.n_step + step].renumbered = true;
}

/* Tangents that say more than is lost are none of a convex function: they go. */
static void drop_wrong(struct scenario_losses *losses, size_t tree, size_t step)
{
    size_t at = tree * losses->given.n_step + step;
    double most = losses->lost_kw[at] + tolerance_kw(losses, tree, step);

    for (size_t k = 0; k < losses->n_tangent[at]; k++)
        if (value_at(losses, &losses->tangents[k], &losses->samples[step], tree, step) > most)
            losses->tangents[k].loss_kw[at] = NAN;
}

/* At a price above 0 tangents do, unless they were gone back to often; else an equation. */
static void choose_way(struct loss_way *way, bool loose, bool dear)
{
    if (way->kind == LOSS_BY_TANGENTS && loose) {
        way->kind = way->n_return < RETURNS ? LOSS_BY_EQUATION : LOSS_FIXED;
        way->n_try = 0;
    } else if (way->kind != LOSS_BY_TANGENTS && dear && way->n_return < RETURNS) {
        way->kind = LOSS_BY_TANGENTS;
        way->n_return++;
    } else if (way->kind == LOSS_BY_EQUATION && ++way->n_try > TRIES) {
        way->kind = LOSS_FIXED;
    }
}

/* What a tree draws in a step: by the tangent at the last plan, or what that lost. */
static void put_equation(struct scenario_losses *losses, size_t tree, size_t step, bool fixed)
{
    const struct loss_sample *sample = &losses->samples[step];
    size_t n_step = losses->given.n_step;

    put(losses, sample, tree, step, &losses->equation);
    if (!fixed)
        return;
    losses->equation.loss_kw[tree * n_step + step] = sample->lost_kw[tree];
    for (size_t b = 0; b < losses->given.n_bus; b++)
        if (losses->tree[b] == tree)
            losses->equation.kw[b * n_step + step] = losses->equation.kvar[b * n_step + step] = 0.0;
}

static enum walras_status learn_step(struct scenario_losses *losses, size_t tree, size_t step,
                                     double drawn_kw, double price_per_mwh, struct walras_err *err)
{
    size_t at = tree * losses->given.n_step + step;
    double tolerance = tolerance_kw(losses, tree, step);
    double said = said_kw(losses, &losses->samples[step], tree, step);
    struct loss_way *way = &losses->ways[at];

    way->renumbered = false;
    drop_wrong(losses, tree, step);
    if (fabs(drawn_kw - losses->lost_kw[at]) <= tolerance && losses->n_tangent[at] > 0)
        return WALRAS_OK;
    choose_way(way, losses->n_tangent[at] > 0 && drawn_kw > said + tolerance,
               price_per_mwh > least_price_per_mwh);
    way->renumbered = losses->exact[at] != (way->kind != LOSS_BY_TANGENTS);
    losses->exact[at] = way->kind != LOSS_BY_TANGENTS;
    if (losses->exact[at])
        put_equation(losses, tree, step, way->kind == LOSS_FIXED);
    make_room(losses, tree, step);
    return add_tangent(losses, &losses->samples[step], tree, step, err);
}

/* What each tree and step may be off by, that all together cost no more than `budget`. */
static void share_out(struct scenario_losses *losses, const struct market_result *market,
                      double budget)
{
    size_t n_step = losses->given.n_step, n = losses->given.n_tree * n_step;

    for (size_t i = 0; i < n; i++) {
        double price = market->price_per_mwh[losses->slack[i / n_step] * n_step + i % n_step];
        double worth =
            fabs(price) * walras_mwh(fabs(losses->lost_kw[i]), losses->scenario->horizon.step_h);

        losses->share[i] = worth * most_share <= budget / (double)n
                               ? most_share
                               : fmax(least_share, budget / (double)n / worth);
    }
}

static void compare(const struct scenario_losses *losses, const double *drawn_kw,
                    struct scenario_losses_told *out)
{
    size_t n_step = losses->given.n_step;

    out->settled = true;
    out->max_error_kw = 0.0;
    for (size_t j = 0; j < losses->given.n_tree; j++)
        for (size_t t = 0; t < n_step; t++) {
            double off = fabs(drawn_kw[j * n_step + t] - losses->lost_kw[j * n_step + t]);

            out->settled = out->settled && off <= tolerance_kw(losses, j, t);
            if (off <= out->max_error_kw)
                continue;
            out->max_error_kw = off;
            out->bus = losses->slack[j];
            out->step = t;
        }
}

enum walras_status scenario_losses_learn(struct scenario_losses *losses,
                                         const struct market_result *market, const double *drawn_kw,
                                         double gap, struct scenario_losses_told *out,
                                         struct walras_err *err)
{
    size_t n_step = losses->given.n_step;
    enum walras_status status = WALRAS_OK;

    share_out(losses, market, gap * fmax(1.0, fabs(market->objective)));
    compare(losses, drawn_kw, out);
    for (size_t j = 0; j < losses->given.n_tree && !out->settled; j++) {
        losses->size_kw[j] = fmax(least_size_kw, largest_kw(losses, j));
        losses->most_kw[j] = fmax(losses->most_kw[j], room * losses->size_kw[j]);
        for (size_t t = 0; t < n_step && status == WALRAS_OK; t++)
            status = learn_step(losses, j, t, drawn_kw[j * n_step + t],
                                market->price_per_mwh[losses->slack[j] * n_step + t], err);
    }
    return status;
}

/* The row of what is known best of a tree and step; its tangents begin behind n_row. */
static size_t newest_row(const struct scenario_losses *losses, size_t tree, size_t step,
                         size_t n_row)
{
    size_t at = tree * losses->given.n_step + step;

    return n_row + (losses->exact[at] ? 0 : losses->n_tangent[at]) * losses->given.n_tree + tree;
}

/* Whether a shadow price still is of the row that it names. */
static bool still_is(const struct scenario_losses *losses, const struct market_binding *binding,
                     size_t n_row)
{
    size_t tree = binding->row < n_row ? 0 : (binding->row - n_row) % losses->given.n_tree;

    return binding->row < n_row ||
           !losses->ways[tree * losses->given.n_step + binding->step].renumbered;
}

/* Rows of losses that had no price yet: what they may be worth is the slack's, if none has one. */
static struct market_shadow newest_shadow(const struct scenario_losses *losses,
                                          const struct market_result *market, size_t tree,
                                          size_t step, size_t n_row, bool has_price)
{
    double price = market->price_per_mwh[losses->slack[tree] * losses->given.n_step + step];

    return (struct market_shadow){newest_row(losses, tree, step, n_row), (uint32_t)step,
                                  price > 0.0 ? -1 : 1, has_price ? 0.0 : fabs(price)};
}

enum walras_status scenario_losses_warm(const struct scenario_losses *losses,
                                        const struct market_result *market, size_t n_row,
                                        struct market_shadow **shadows, size_t *n,
                                        struct walras_err *err)
{
    size_t n_tree = losses->given.n_tree, n_step = losses->given.n_step, n_made = 0;
    struct market_shadow *made = calloc(market->n_binding + n_tree * n_step + 1, sizeof(*made));
    bool *priced = calloc(n_tree * n_step, sizeof(*priced));

    if (!made || !priced) {
        free(made);
        free(priced);
        return walras_fail(err, WALRAS_NOMEM, "cannot keep %zu shadow prices", market->n_binding);
    }
    for (size_t i = 0; i < market->n_binding; i++) {
        const struct market_binding *at = &market->binding[i];

        if (!still_is(losses, at, n_row))
            continue;
        made[n_made++] =
            (struct market_shadow){at->row, at->step, at->direction, at->shadow_price_per_mwh};
        if (at->row >= n_row)
            priced[(at->row - n_row) % n_tree * n_step + at->step] = true;
    }
    for (size_t j = 0; j < n_tree; j++)
        for (size_t t = 0; t < n_step; t++) {
            struct market_shadow newest =
                newest_shadow(losses, market, j, t, n_row, priced[j * n_step + t]);

            if (losses->n_tangent[j * n_step + t] > 0 &&
                (newest.direction < 0 || losses->exact[j * n_step + t]))
                made[n_made++] = newest;
        }
    free(priced);
    *shadows = made;
    *n = n_made;
    return WALRAS_OK;
}
