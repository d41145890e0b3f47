#include "lp/lp_internal.h"

#include <math.h>

double lp_objective(const struct lp *lp, const double *x, double *size)
{
    double objective = lp->constant;

    *size = fabs(objective);
    for (size_t j = 0; j < lp->n_column; j++) {
        objective += lp->cost[j] * x[j];
        *size += fabs(lp->cost[j] * x[j]);
    }
    return objective;
}

double lp_row_residual(const struct lp *lp, const double *x)
{
    double worst = 0.0;
    size_t k = 1; /* entries come row by row */

    for (size_t i = 0; i < lp->n_row; i++) {
        double sum = 0.0, size = 1.0;

        for (; k <= lp->n_entry && (size_t)lp->entry_row[k] == i + 1; k++) {
            double term = lp->entry[k] * x[lp->entry_column[k] - 1];

            sum += term;
            size += fabs(term);
        }
        worst = fmax(worst, fmax(lp->row_low[i] - sum, sum - lp->row_high[i]) / size);
    }
    return worst;
}

/*
 * The least of rate·x over low <= x <= high. Rates that are rounding errors of the costs are none;
 * over an unbounded range those within the solver's tolerance, too.
 */
static double least(double rate, double low, double high, double largest_cost)
{
    double at = rate > 0.0 ? low : high;

    if (isinf(at))
        return fabs(rate) <= LP_EXACT * largest_cost ? 0.0 : -HUGE_VAL;
    return fabs(rate) <= 1e-15 * largest_cost ? 0.0 : rate * at;
}

double lp_dual_bound(const struct lp *lp, const double *low, const double *high, const double *dual,
                     double *reduced, double *size)
{
    double bound = lp->constant, largest_cost = 0.0, part;

    for (size_t j = 0; j < lp->n_column; j++) {
        reduced[j] = lp->cost[j];
        largest_cost = fmax(largest_cost, fabs(lp->cost[j]));
    }
    *size += 1e-3 * largest_cost; /* costs that are no more than rounding are compared with this */
    for (size_t k = 1; k <= lp->n_entry; k++)
        reduced[lp->entry_column[k] - 1] -= lp->entry[k] * dual[lp->entry_row[k] - 1];
    for (size_t i = 0; i < lp->n_row; i++) {
        part = least(dual[i], lp->row_low[i], lp->row_high[i], largest_cost);
        bound += part;
        *size += fabs(part);
    }
    for (size_t j = 0; j < lp->n_column; j++) {
        part = least(reduced[j], low[j], high[j], largest_cost);
        bound += part;
        *size += fabs(part);
    }
    return bound;
}
