#include "lp/lp_search.h"

#include <math.h>

static int bound_type(double low, double high)
{
    if (isinf(low))
        return isinf(high) ? GLP_FR : GLP_UP;
    if (isinf(high))
        return GLP_LO;
    return low < high ? GLP_DB : GLP_FX;
}

void lp_load_column_bounds(struct lp_search *search)
{
    const double *low = search->low, *high = search->high;

    for (size_t j = 0; j < search->lp->n_column; j++)
        glp_set_col_bnds(search->prob, (int)j + 1, bound_type(low[j], high[j]), low[j], high[j]);
}

/* A power of two, so that scaled costs are exact. */
static double choose_cost_scale(const struct lp *lp)
{
    static const double target = 1e3; /* GLPK's tolerances on reduced costs are absolute */
    double largest = 0.0;

    for (size_t j = 0; j < lp->n_column; j++)
        largest = fmax(largest, fabs(lp->cost[j]));
    return largest > 0.0 ? ldexp(1.0, (int)floor(log2(target) - log2(largest))) : 1.0;
}

static void load_scaling(struct lp *lp, glp_prob *prob)
{
    if (!lp->scaled)
        glp_scale_prob(prob, GLP_SF_AUTO);
    for (size_t i = 0; i < lp->n_row; i++) {
        if (lp->scaled)
            glp_set_rii(prob, (int)i + 1, lp->row_scale[i]);
        else
            lp->row_scale[i] = glp_get_rii(prob, (int)i + 1);
    }
    for (size_t j = 0; j < lp->n_column; j++) {
        if (lp->scaled)
            glp_set_sjj(prob, (int)j + 1, lp->column_scale[j]);
        else
            lp->column_scale[j] = glp_get_sjj(prob, (int)j + 1);
    }
    lp->scaled = true;
}

void lp_load(struct lp_search *search)
{
    struct lp *lp = search->lp;
    glp_prob *prob = search->prob = glp_create_prob();

    search->cost_scale = choose_cost_scale(lp);
    if (lp->n_row > 0)
        glp_add_rows(prob, (int)lp->n_row);
    if (lp->n_column > 0)
        glp_add_cols(prob, (int)lp->n_column);
    for (size_t i = 0; i < lp->n_row; i++)
        glp_set_row_bnds(prob, (int)i + 1, bound_type(lp->row_low[i], lp->row_high[i]),
                         lp->row_low[i], lp->row_high[i]);
    lp_load_column_bounds(search);
    for (size_t j = 0; j < lp->n_column; j++)
        glp_set_obj_coef(prob, (int)j + 1, lp->cost[j] * search->cost_scale);
    if (lp->n_entry > 0)
        glp_load_matrix(prob, (int)lp->n_entry, lp->entry_row, lp->entry_column, lp->entry);
    load_scaling(lp, prob);
}

/* A column without a status is new: nonbasic; such a row is basic, so a basis stays one. */
void lp_load_basis(const struct lp *lp, glp_prob *prob)
{
    for (size_t i = 0; i < lp->n_row; i++)
        glp_set_row_stat(prob, (int)i + 1, lp->row_status[i] ? lp->row_status[i] : GLP_BS);
    for (size_t j = 0; j < lp->n_column; j++)
        glp_set_col_stat(prob, (int)j + 1, lp->column_status[j] ? lp->column_status[j] : GLP_NL);
}

void lp_keep_basis(struct lp *lp, glp_prob *prob)
{
    for (size_t i = 0; i < lp->n_row; i++)
        lp->row_status[i] = (unsigned char)glp_get_row_stat(prob, (int)i + 1);
    for (size_t j = 0; j < lp->n_column; j++)
        lp->column_status[j] = (unsigned char)glp_get_col_stat(prob, (int)j + 1);
    lp->has_basis = true;
    lp->moved_bounds = false;
}
