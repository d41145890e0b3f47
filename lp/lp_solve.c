#include "core/clock.h"
#include "lp/lp_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bounds in force; false when an integer column has no integer within its bounds. */
static bool set_bounds(struct lp_search *search)
{
    static const double near = 1e-8;
    const struct lp *lp = search->lp;
    bool possible = true;

    for (size_t j = 0; j < lp->n_column; j++) {
        search->low[j] = lp->integer[j] ? ceil(lp->low[j] - near) : lp->low[j];
        search->high[j] = lp->integer[j] ? floor(lp->high[j] + near) : lp->high[j];
        possible = possible && search->low[j] <= search->high[j];
    }
    return possible;
}

/* The solution happens to have every integer whole: there is nothing to search. */
static bool is_whole(const struct lp_search *search)
{
    for (size_t j = 0; search->lp->n_integer > 0 && j < search->lp->n_column; j++)
        if (search->lp->integer[j] && search->best_x[j] != round(search->best_x[j]))
            return false;
    return true;
}

static enum walras_status run(void *context, struct walras_err *err)
{
    struct lp_search *search = context;
    struct lp *lp = search->lp;
    bool warm = lp->has_basis;
    enum walras_status status;

    lp_load(search);
    if (warm)
        lp_load_basis(lp, search->prob);
    status = lp_simplex(search, warm, err);
    if (status != WALRAS_OK || search->info.outcome != LP_OPTIMAL)
        return status;
    lp_keep_basis(lp, search->prob);
    return is_whole(search) ? WALRAS_OK : lp_branch(search, err);
}

static enum walras_status check_settings(const struct lp_settings *settings, struct walras_err *err)
{
    if (!(settings->time_limit_s >= 0.0) || !(settings->mip_gap >= 0.0))
        return walras_fail(err, WALRAS_INVALID,
                           "time_limit_s and mip_gap must be >= 0, got %g and %g",
                           settings->time_limit_s, settings->mip_gap);
    return WALRAS_OK;
}

enum walras_status lp_solve(struct lp *lp, const struct lp_settings *settings, double *x,
                            double *row_dual, struct lp_info *info, struct walras_err *err)
{
    struct lp_search search = {
        .lp = lp, .start_s = walras_monotonic_s(), .bounds_moved = lp->moved_bounds};
    struct lp_words words;
    size_t n = lp->n_column, m = lp->n_row;
    double *room;
    enum walras_status status = WALRAS_OK;

    if (settings)
        search.settings = *settings;
    status = check_settings(&search.settings, err);
    if (status != WALRAS_OK)
        return status;
    room = malloc((5 * n + 2 * m + 1) * sizeof(*room)); /* + 1: both may be 0 */
    if (!room)
        return walras_fail(err, WALRAS_NOMEM, "cannot solve for %zu columns", n);
    search.low = room;
    search.high = room + n;
    search.x = room + 2 * n;
    search.best_x = room + 3 * n;
    search.reduced = room + 4 * n;
    search.dual = room + 5 * n;
    search.best_dual = room + 5 * n + m;
    if (set_bounds(&search))
        status = lp_fenced(run, &search, &words, err);
    else
        search.info =
            (struct lp_info){.outcome = LP_INFEASIBLE, .objective = NAN, .bound = -HUGE_VAL};
    if (status == WALRAS_OK) {
        *info = search.info;
        if (x && !isnan(info->objective))
            memcpy(x, search.best_x, n * sizeof(*x));
        if (row_dual && !isnan(info->objective) && lp->n_integer == 0)
            memcpy(row_dual, search.best_dual, m * sizeof(*row_dual));
    }
    free(room);
    return status;
}
