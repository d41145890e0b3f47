#include "core/clock.h"
#include "lp/lp_search.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* What the simplex method starts from, in the order in which it is tried. */
enum start { START_WARM, START_ADVANCED, START_STANDARD, START_PRESOLVED, N_START };

int lp_time_left_ms(const struct lp_search *search)
{
    double left_s;

    if (!(search->settings.time_limit_s > 0.0))
        return INT_MAX;
    left_s = search->settings.time_limit_s - (walras_monotonic_s() - search->start_s);
    return (int)fmin(fmax(1e3 * left_s, 1.0), (double)INT_MAX);
}

static double relative(double difference, double size)
{
    return difference == 0.0 ? 0.0 : fabs(difference) / size;
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
    gap = relative(objective - bound, size);
    residual = lp_row_residual(lp, search->x);
    if (!(fmax(gap, residual) < search->best_error)) /* also when a sum is not a number */
        return;
    search->best_error = fmax(gap, residual);
    search->best_residual = residual;
    memcpy(search->best_x, search->x, lp->n_column * sizeof(*search->x));
    memcpy(search->best_dual, search->dual, lp->n_row * sizeof(*search->dual));
    search->info.objective = objective;
    search->info.bound = gap <= LP_EXACT ? objective : fmin(bound, objective);
    search->info.outcome = LP_OPTIMAL;
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
    settings.meth = (start == START_WARM && search->bounds_moved) || start == START_STANDARD
                        ? GLP_DUALP
                        : GLP_PRIMAL;
    settings.presolve = start == START_PRESOLVED ? GLP_ON : GLP_OFF;
    if (start == START_ADVANCED)
        glp_adv_basis(search->prob, 0);
    else if (start == START_STANDARD)
        glp_std_basis(search->prob);
    code = glp_simplex(search->prob, &settings);
    search->info.iterations += glp_get_it_cnt(search->prob) - iterations;
    return code;
}

/* True when a run has settled the matter: no other start can tell more. */
static bool is_settled(struct lp_search *search, enum start start, int code)
{
    int status = code == 0 ? glp_get_status(search->prob) : GLP_UNDEF;

    if (code == GLP_ETMLIM) {
        search->info.outcome = LP_LIMIT;
        return true;
    }
    if (status == GLP_OPT) {
        take_solution(search);
        return search->best_error <= LP_EXACT;
    }
    if (start == START_WARM || search->best_error < HUGE_VAL) /* ask once more from scratch */
        return false;
    if (status == GLP_NOFEAS || code == GLP_ENOPFS)
        search->info.outcome = LP_INFEASIBLE;
    else if (status == GLP_UNBND)
        search->info.outcome = LP_UNBOUNDED;
    else
        return false;
    return true;
}

enum walras_status lp_simplex(struct lp_search *search, bool warm, struct walras_err *err)
{
    static const double holds = 1e-7; /* a larger residual is no solution */
    bool settled = false;
    int code = 0;

    search->best_error = HUGE_VAL;
    search->info.objective = NAN;
    search->info.bound = -HUGE_VAL;
    for (int start = warm ? START_WARM : START_ADVANCED; start < N_START && !settled; start++) {
        code = run_from(search, (enum start)start);
        settled = is_settled(search, (enum start)start, code);
    }
    if (settled && search->best_error == HUGE_VAL)
        return WALRAS_OK; /* an outcome without a solution */
    if (!settled && code == GLP_ENODFS) {
        search->info.outcome = LP_UNBOUNDED;
        return WALRAS_OK;
    }
    if (search->best_error == HUGE_VAL || search->best_residual > holds)
        return walras_fail(err, WALRAS_INTERNAL,
                           "glpk found no solution that holds (code %d, residual %g): "
                           "are the numbers of very different size?",
                           code, search->best_residual);
    return WALRAS_OK;
}
