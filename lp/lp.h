/*
 * Linear and mixed-integer programs, solved by GLPK. The only place that includes <glpk.h>.
 *
 * Model    minimise  c·x  subject to  row bounds on A·x,  column bounds on x,  some x integer.
 * GLPK     aborts the process on misuse; so everything is checked here first. Its environment is
 *          per thread: a program must be made, solved and freed by one thread at a time and never
 *          in two threads at once; walras_lp_thread_done() releases a thread's environment.
 * Warm     a program keeps its basis: changing costs or bounds and solving again starts from it.
 */
#ifndef WALRAS_LP_LP_H
#define WALRAS_LP_LP_H

#include "core/status.h"

#include <stdint.h>

struct lp; /* opaque */

enum lp_outcome {
    LP_OPTIMAL,
    LP_INFEASIBLE,
    LP_UNBOUNDED,
    LP_LIMIT
}; /* LIMIT: time or iterations */

struct lp_settings {
    double time_limit_s; /* 0: none */
    double mip_gap;      /* relative, 0: to proven optimality */
};

struct lp_info {
    enum lp_outcome outcome;
    double objective; /* of the solution found */
    double bound;     /* proven lower bound; equals objective for an LP at its optimum */
    long iterations;
};

WALRAS_NODISCARD enum walras_status lp_new(struct lp **made, struct walras_err *err);
void lp_free(struct lp *lp);

/*
 * Adds n columns with bounds [low, high] (±INFINITY: none) and cost; *first is the index of the
 * first. WALRAS_INVALID when a bound is NaN or low > high.
 */
WALRAS_NODISCARD enum walras_status lp_add_columns(struct lp *lp, size_t n, const double *low,
                                                   const double *high, const double *cost,
                                                   size_t *first, struct walras_err *err);
/* Adds one row low <= Σ coef[i]·x[column[i]] <= high. Columns must be distinct. */
WALRAS_NODISCARD enum walras_status lp_add_row(struct lp *lp, size_t n, const size_t *column,
                                               const double *coef, double low, double high,
                                               size_t *row, struct walras_err *err);
WALRAS_NODISCARD enum walras_status lp_set_integer(struct lp *lp, size_t column,
                                                   struct walras_err *err);
WALRAS_NODISCARD enum walras_status lp_set_cost(struct lp *lp, size_t column, double cost,
                                                struct walras_err *err);
WALRAS_NODISCARD enum walras_status lp_set_column_bounds(struct lp *lp, size_t column, double low,
                                                         double high, struct walras_err *err);
WALRAS_NODISCARD enum walras_status lp_set_row_bounds(struct lp *lp, size_t row, double low,
                                                      double high, struct walras_err *err);

/* Reads a CPLEX LP (name ends in .lp) or MPS (.mps, free or fixed) file. Maximisation is turned
 * round. */
WALRAS_NODISCARD enum walras_status lp_read(const char *path, struct lp **made,
                                            struct walras_err *err);
size_t lp_columns(const struct lp *lp);
size_t lp_rows(const struct lp *lp);
double lp_cost(const struct lp *lp, size_t column);
/* Index of the column of that name, or SIZE_MAX. */
size_t lp_find_column(struct lp *lp, const char *name);

/*
 * Minimises. x [lp_columns] and row_dual [lp_rows] (d objective / d row bound; LP only) may be
 * NULL. "Infeasible" and the like are outcomes in info, not errors.
 */
WALRAS_NODISCARD enum walras_status lp_solve(struct lp *lp, const struct lp_settings *settings,
                                             double *x, double *row_dual, struct lp_info *info,
                                             struct walras_err *err);
void lp_thread_done(void);

#endif
