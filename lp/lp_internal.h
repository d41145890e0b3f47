/*
 * Inside of lp: a program as plain arrays, and the fence around GLPK.
 *
 * GLPK's memory belongs to the thread that took it, and any misuse or lack of memory aborts the
 * process. So nothing of GLPK outlives a call: a program is kept here as arrays, is handed to GLPK
 * inside lp_fenced(), and its basis and scale factors are taken back. That makes programs free to
 * move between threads, and whatever goes wrong inside is cleared away with the environment.
 */
#ifndef WALRAS_LP_INTERNAL_H
#define WALRAS_LP_INTERNAL_H

#include "lp/lp.h"

struct lp_name {
    char *text;
    size_t column;
};

struct lp {
    size_t n_column, column_room;
    double *low, *high, *cost;    /* [n_column]; cost is that of a minimisation */
    double *column_scale;         /* [n_column] */
    unsigned char *column_status; /* [n_column] of the last basis, GLPK's codes */
    bool *integer;                /* [n_column] */
    size_t n_integer;
    double constant; /* of the objective */

    size_t n_row, row_room;
    double *row_low, *row_high, *row_scale; /* [n_row] */
    unsigned char *row_status;              /* [n_row] */

    size_t n_entry, entry_room; /* of the matrix: triplets as GLPK wants them, from index 1 */
    int *entry_row, *entry_column;
    double *entry;

    size_t *row_of_column; /* [n_column] last row (+ 1) that named the column: finds repetitions */
    struct lp_name *names; /* [n_name] by text; only of a program that was read */
    size_t n_name;
    size_t *name_place; /* [n_name] where a column's name is in names */

    bool scaled;       /* the scale factors are those of this matrix */
    bool has_basis;    /* the statuses are a basis that was optimal */
    bool moved_bounds; /* since then: the basis may be primal infeasible */
};

/* A line that GLPK has printed. */
struct lp_words {
    char line[400], last[400]; /* being written; the last one that is complete */
    size_t length;
};

/*
 * Calls run(context, err) in a fresh GLPK environment, hears what GLPK prints into `words`, and
 * takes the environment down whatever happens. A GLPK abort ends in WALRAS_INTERNAL (or NOMEM), so
 * `run` must own no memory that `context` does not know.
 */
WALRAS_NODISCARD enum walras_status
lp_fenced(enum walras_status (*run)(void *context, struct walras_err *err), void *context,
          struct lp_words *words, struct walras_err *err);

/* An optimum this close to its bound, relative to the size of what was summed, is exact. */
#define LP_EXACT 1e-9

/* c·x and the constant; *size: the sum of the absolute terms. */
double lp_objective(const struct lp *lp, const double *x, double *size);

/* Largest violation of a row, relative to 1 and the size of what is summed in it. */
double lp_row_residual(const struct lp *lp, const double *x);

/*
 * Weak duality: for any y, c·x >= Σ least of y_i over the row's bounds + Σ least of (c − A'y)_j
 * over [low_j, high_j]. reduced [n_column] is scratch; *size grows by the sum of the absolute
 * terms and a trifle, beside which rounding errors are none.
 */
double lp_dual_bound(const struct lp *lp, const double *low, const double *high, const double *dual,
                     double *reduced, double *size);

#endif
