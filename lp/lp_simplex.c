#include "core/clock.h"
#include "lp/lp_search.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/*
 * What the simplex method starts from, in the order in which it is tried. The presolver comes last:
 * it lets rows pass that miss by 1e-3.
 */
enum start { START_WARM, START_ADVANCED, START_UNSCALED, START_PRESOLVED, N_START };

static const double holds = 1e-7; /* with a larger residual it is no solution */

int lp_time_left_ms(const struct lp_search *search)
{
    double left_s;

    if (!(search->settings.time_limit_s > 0.0))
        return INT_MAX;
    left_s = search->settings.time_limit_s - (walras_monotonic_s() - search->start_s);
    return (int)fmin(fmax(1e3 * left_s, 1.0), (double)INT_MAX);
}

/* Without a bound the gap is as good as infinite, but not beyond comparison. */
static double relative_gap(double objective, double bound, double size)
{
    if (objective == bound)
        return 0.0;
    return isfinite(bound) ? fabs(objective - bound) / size : 1e300;
}

/* Puts GLPK's solution on its bounds, judges it and keeps it if it is the best yet. */
static void take_solution(struct lp_search *search)
{
    const struct lp *lp = search->lp;
    double size, objective, bound, gap, residual;

    for (size_t j = 0; j < lp->n_column; j++)
        search->x[j] =
            fmin(fmax(glp_get_col_prim(search->prob, (int)j + 1), search->low[j]), search->high[j]);
    for (size_t i = 0; i < lp->n_row; i++)
        search->dual[i] = glp_get_row_dual(search->prob, (int)i + 1) / search->cost_scale;
    objective = lp_objective(lp, search->x, &size);
    bound = lp_dual_bound(lp, search->low, search->high, search->dual, search->reduced, &size);
    gap = relative_gap(objective, bound, size);
    residual = lp_row_residual(lp, search->x);
    search->residual = residual;
    if (!(residual <= holds) || !(fmax(gap, residual) < search->best_error)) /* also for NAN */
        return;
    search->best_error = fmax(gap, residual);
    memcpy(search->best_x, search->x, lp->n_column * sizeof(*search->x));
    memcpy(search->best_dual, search->dual, lp->n_row * sizeof(*search->dual));
    search->info.objective = objective;
    search->info.bound = gap <= LP_EXACT ? objective : fmin(bound, objective);
    search->info.outcome = LP_OPTIMAL;
}

/* Iterations that are enough for any program that a start suits. */
static int patience(const struct lp *lp)
{
    return 10000 + 20 * (int)fmin((double)(lp->n_row + lp->n_column), 1e6);
}

/* One run; returns GLPK's code. */
static int run_from(struct lp_search *search, enum start start)
{
    glp_smcp settings;
    int iterations = glp_get_it_cnt(search->prob), code;

    glp_init_smcp(&settings);
    settings.msg_lev = GLP_MSG_OFF;
    settings.tol_bnd = settings.tol_dj = 1e-9;
    settings.tm_lim = lp_time_left_ms(search);
    settings.it_lim =
        glp_get_it_cnt(search->prob) + patience(search->lp); /* it may go in circles */
    settings.meth = (start == START_WARM && search->bounds_moved) || start == START_UNSCALED
                        ? GLP_DUALP
                        : GLP_PRIMAL;
    settings.presolve = start == START_PRESOLVED ? GLP_ON : GLP_OFF;
    if (start == START_UNSCALED)
        glp_unscale_prob(search->prob);
    if (start != START_WARM)
        glp_adv_basis(search->prob, 0);
    code = glp_simplex(search->prob, &settings);
    search->info.iterations += glp_get_it_cnt(search->prob) - iterations;
    return code;
}

/* What a run without a solution says; LP_OPTIMAL: nothing. */
static enum lp_outcome verdict(const struct lp_search *search, int code)
{
    int status = code == 0 ? glp_get_status(search->prob) : GLP_UNDEF;

    if (code == GLP_ETMLIM)
        return LP_LIMIT;
    if (status == GLP_NOFEAS)
        return LP_INFEASIBLE;
    return status == GLP_UNBND ? LP_UNBOUNDED : LP_OPTIMAL;
}

enum walras_status lp_simplex(struct lp_search *search, bool warm, struct walras_err *err)
{
    enum lp_outcome without = LP_OPTIMAL;
    int code = 0, start = warm ? START_WARM : START_ADVANCED;

    search->best_error = HUGE_VAL;
    search->info.objective = NAN;
    search->info.bound = -HUGE_VAL;
    for (; start < N_START && search->best_error > LP_EXACT && without != LP_LIMIT; start++) {
        enum lp_outcome said;

        code = run_from(search, (enum start)start);
        if (code == 0 && glp_get_status(search->prob) == GLP_OPT)
            take_solution(search);
        said = verdict(search, code);
        if (said == LP_OPTIMAL || start == START_PRESOLVED)
            continue;
        if (said == without && start > START_ADVANCED)
            break; /* the same from two bases, the second without scaling */
        without = said;
    }
    if (search->best_error < HUGE_VAL)
        return WALRAS_OK;
    if (without == LP_OPTIMAL)
        return walras_fail(err, WALRAS_INTERNAL,
                           "glpk found no solution that holds (code %d, residual %g): "
                           "are the numbers of very different size?",
                           code, search->residual);
    search->info.objective = NAN;
    search->info.bound = -HUGE_VAL;
    search->info.outcome = without;
    return WALRAS_OK;
}
