/*
 * Linear and mixed-integer programs, solved by GLPK. The only folder that includes <glpk.h>.
 *
 * Model    minimise  c·x  subject to  row bounds on A·x,  column bounds on x,  some x integer.
 * GLPK     aborts the process on misuse; so everything is checked here first, and what aborts
 *          nevertheless comes back as WALRAS_INTERNAL. No memory of GLPK outlives a call.
 * Warm     a program keeps its basis: changing costs or bounds and solving again starts from it.
 * Exact    an optimum is judged by a bound computed from its duals, apart from GLPK's tolerances;
 *          a solve that ends further than 1e-9 (relative) from it is done again from another basis,
 *          then with the presolver. Integers are exact integers; the rest is solved for them.
 * Threads  a program may move between threads, but belongs to one at a time.
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
    double objective; /* of the solution found; NAN: none was */
    double bound;     /* proven lower bound (-INFINITY: none); an LP's optimum: the objective */
    long iterations;  /* of the simplex method, without those inside a search for integers */
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
/* Adds one row low <= Σ coef[i]·x[column[i]] <= high. Columns must be distinct. row may be NULL. */
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

/*
 * Reads a CPLEX LP (name ends in .lp) or MPS (.mps, free or fixed) file, from anybody. Maximisation
 * is turned round: costs are negated. GLPK's readings hold: no constant in a CPLEX objective; the
 * right-hand side of an MPS objective row is added to it. Returns WALRAS_IO when the file cannot be
 * read, WALRAS_INVALID with file and line when it is not such a program or is larger than 64 MiB.
 */
WALRAS_NODISCARD enum walras_status lp_read(const char *path, struct lp **made,
                                            struct walras_err *err);
size_t lp_columns(const struct lp *lp);
size_t lp_rows(const struct lp *lp);
double lp_cost(const struct lp *lp, size_t column);
double lp_constant(const struct lp *lp); /* of the objective; 0 unless it was read */
bool lp_has_integers(const struct lp *lp);
bool lp_is_integer(const struct lp *lp, size_t column);
void lp_column_bounds(const struct lp *lp, size_t column, double *low, double *high);
void lp_row_bounds(const struct lp *lp, size_t row, double *low, double *high);
/* The coefficients of the matrix, row after row: k-th of lp_entries. None is 0. */
struct lp_entry {
    size_t row, column;
    double coef;
};
size_t lp_entries(const struct lp *lp);
struct lp_entry lp_entry(const struct lp *lp, size_t k);
/* Of a column of a program that was read; "" when it has none. Lives as long as the program. */
const char *lp_column_name(const struct lp *lp, size_t column);
/* Index of the column of that name in a program that was read, or SIZE_MAX. */
size_t lp_find_column(const struct lp *lp, const char *name);

/*
 * Minimises. settings NULL: no limits. x [lp_columns] and row_dual [lp_rows] (d objective / d row
 * bound; LP only) may be NULL; they are written when info->objective is a number. "Infeasible" and
 * the like are outcomes in info, not errors. Returns WALRAS_NOMEM, or WALRAS_INTERNAL when GLPK
 * finds no answer that holds.
 */
WALRAS_NODISCARD enum walras_status lp_solve(struct lp *lp, const struct lp_settings *settings,
                                             double *x, double *row_dual, struct lp_info *info,
                                             struct walras_err *err);

#endif
