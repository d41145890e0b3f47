/*
 * One solve: a program in GLPK's hands and the best solution found so far. Runs inside lp_fenced().
 */
#ifndef WALRAS_LP_SEARCH_H
#define WALRAS_LP_SEARCH_H

#include "lp/lp_internal.h"

#include <glpk.h>

struct lp_search {
    struct lp *lp;
    struct lp_settings settings;
    double start_s;
    double *low, *high; /* [n_column] bounds in force: whole for integers, equal when fixed */
    bool bounds_moved;  /* since the basis was optimal: it may be primal infeasible */
    glp_prob *prob;
    double cost_scale;          /* GLPK's costs are so many times ours */
    double *x, *dual, *reduced; /* [n_column], [n_row], [n_column]: the solution being judged */
    double *best_x, *best_dual; /* the best so far */
    double best_error;          /* its relative residual or distance from its bound */
    double residual;            /* of the last solution judged */
    struct lp_info info;        /* objective, bound and outcome are those of the best */
};

/* Makes search->prob from search->lp within the bounds in force. */
void lp_load(struct lp_search *search);
void lp_load_column_bounds(struct lp_search *search);
void lp_load_basis(const struct lp *lp, glp_prob *prob);
void lp_keep_basis(struct lp *lp, glp_prob *prob);

/*
 * The simplex method on search->prob, from the basis it holds if `warm` and then from others, until
 * a solution is exact. Outcomes are in search->info.
 */
WALRAS_NODISCARD enum walras_status lp_simplex(struct lp_search *search, bool warm,
                                               struct walras_err *err);

/* Milliseconds that are left of the time limit, as GLPK takes them. */
int lp_time_left_ms(const struct lp_search *search);

/* After lp_simplex has solved the relaxation to an optimum: the search for integers. */
WALRAS_NODISCARD enum walras_status lp_branch(struct lp_search *search, struct walras_err *err);

#endif
