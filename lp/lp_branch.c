#include "lp/lp_search.h"

#include <math.h>
#include <string.h>

/* The tree as the callback sees it. */
struct tree {
    double bound; /* least over the open nodes, GLPK's scale; never falls */
};

static void watch(glp_tree *tree, void *info)
{
    struct tree *seen = info;
    int node = glp_ios_best_node(tree);

    if (node != 0)
        seen->bound = fmax(seen->bound, glp_ios_node_bound(tree, node));
}

static void set_integers(struct lp_search *search)
{
    for (size_t j = 0; j < search->lp->n_column; j++)
        if (search->lp->integer[j])
            glp_set_col_kind(search->prob, (int)j + 1, GLP_IV);
}

static int run_tree(struct lp_search *search, struct tree *seen, bool presolve)
{
    glp_iocp settings;

    glp_init_iocp(&settings);
    settings.msg_lev = GLP_MSG_OFF;
    settings.tol_int = 1e-8;
    settings.tol_obj = LP_EXACT;
    settings.mip_gap = search->settings.mip_gap;
    settings.tm_lim = lp_time_left_ms(search);
    settings.presolve = presolve ? GLP_ON : GLP_OFF;
    settings.mir_cuts = GLP_ON;
    settings.cb_func = watch;
    settings.cb_info = seen;
    return glp_intopt(search->prob, &settings);
}

/* Integers as GLPK found them, exactly; the others solved again for them. */
static enum walras_status solve_for_integers(struct lp_search *search, struct walras_err *err)
{
    const struct lp *lp = search->lp;

    for (size_t j = 0; j < lp->n_column; j++)
        if (lp->integer[j])
            search->low[j] = search->high[j] = round(glp_mip_col_val(search->prob, (int)j + 1));
    lp_load_column_bounds(search);
    search->bounds_moved = true;
    return lp_simplex(search, true, err);
}

enum walras_status lp_branch(struct lp_search *search, struct walras_err *err)
{
    struct tree seen = {.bound = -HUGE_VAL};
    double constant = search->lp->constant, root_bound = search->info.bound, proven;
    enum walras_status status;
    int code, found;

    set_integers(search);
    code = run_tree(search, &seen, false);
    if (code != 0 && code != GLP_EMIPGAP && code != GLP_ETMLIM)
        code = run_tree(search, &seen, true);
    if (code != 0 && code != GLP_EMIPGAP && code != GLP_ETMLIM && code != GLP_ENOPFS)
        return walras_fail(err, WALRAS_INTERNAL, "glpk's search for integers failed (code %d)",
                           code);
    found = code == GLP_ENOPFS ? GLP_NOFEAS : glp_mip_status(search->prob);
    proven = fmax(root_bound, seen.bound / search->cost_scale + constant);
    if (found == GLP_OPT || found == GLP_FEAS) {
        double tree_objective = glp_mip_obj_val(search->prob), last = tree_objective;

        last -= LP_EXACT * (1.0 + fabs(tree_objective)); /* nodes this close were not opened */
        status = solve_for_integers(search, err);
        if (status != WALRAS_OK)
            return status;
        if (code == 0)
            proven = last / search->cost_scale + constant;
    } else {
        search->info.objective = NAN;
    }
    search->info.bound =
        fmin(proven, isnan(search->info.objective) ? proven : search->info.objective);
    if (code == GLP_ETMLIM)
        search->info.outcome = LP_LIMIT;
    else if (found == GLP_NOFEAS)
        search->info.outcome = LP_INFEASIBLE;
    return WALRAS_OK;
}
