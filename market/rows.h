/*
 * The active grid rows: limits that (nearly) bind in some step, found lazily, and with them the
 * reduced space that all prices live in.
 *
 * Model    u = (energy price of each step, shadow price mu >= 0 of each active row); the price at
 *          bus b in step t is  lambda_bt = energy_t - Σ_a s_a h_ab mu_a  over the active rows a of
 *          that step, s = +1 at a high side and -1 at a low side, h the row's sensitivities
 *          (docs/mathematics.md, "Reduced prices"). Limits that are not in the set have mu = 0.
 * Shapes   bus-step arrays are [n_bus x n_step]; u is [n_step + n]: energy prices first, then the
 *          rows in order. Rows are sorted by step.
 * Units    prices per MWh, injections kW.
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_ROWS_H
#define WALRAS_MARKET_ROWS_H

#include "market/method.h"

#include <stdbool.h>

struct market_row {
    size_t limit; /* row of problem->limits */
    uint32_t step;
    int direction;               /* +1: value <= high, -1: value >= low */
    double room_kw;              /* s · (bound - base): what s · h · injection may reach */
    double shadow_price_per_mwh; /* of the last master that was solved, >= 0 */
    double breach_price_per_mwh; /* what a breach costs, the most it can be; INFINITY: hard */
    unsigned idle;               /* masters in a row without a shadow price */
    double slope_memory[2];      /* a gradient method's: how the slope by the shadow price went */
    struct grid_row coef;
    bool varies; /* coef is of this step only */
};

struct market_rows {
    const struct market_problem *problem;
    struct market_row *rows; /* [n], sorted by step */
    size_t n, capacity;
    size_t *step_first; /* [n_step + 1]: rows of step t are [step_first[t], step_first[t+1]) */
    double *value, *injection; /* scratch of the separation */
    /*
     * How many more passes may teach the grid what is lost where they look. A tangent more bends
     * the model by ever less: what it misses then, later trials or another clearing find.
     */
    unsigned lessons;
    double nearly; /* > 0: the master takes many rows easily, so that what is within that share of
                      its limit comes in with what is breached */
};

WALRAS_NODISCARD enum walras_status market_rows_init(struct market_rows *rows,
                                                     const struct market_problem *problem,
                                                     struct walras_err *err);
void market_rows_release(struct market_rows *rows);

static inline size_t market_rows_size(const struct market_rows *rows)
{
    return rows->problem->n_step + rows->n;
}

/* price[b, t] = E_bt · u for every bus and step. */
void market_rows_price(const struct market_rows *rows, const double *u, double *price);

/* out = Σ_bt E_bt · injection_bt: the balance of each step, then -s · h · injection of each row. */
void market_rows_project(const struct market_rows *rows, const double *injection_kw, double *out);

/*
 * Adds the limits that injection_kw [n_bus x n_step] breaches by more than tolerance (relative to
 * the limit's size), the worst few of each step; with `nearly` all lines that are, and those near
 * their limits as well. *added counts them. `u` and arrays indexed by rows must be rebuilt when
 * *added > 0 (shadow prices are kept in the rows).
 */
WALRAS_NODISCARD enum walras_status market_rows_separate(struct market_rows *rows,
                                                         const double *injection_kw,
                                                         double tolerance, size_t *added,
                                                         struct walras_err *err);

/*
 * Adds the row of a shadow price, which it brings; one that is in the set, or names no limit of the
 * grid, is not added. market_rows_sort must follow before the rows are used.
 */
WALRAS_NODISCARD enum walras_status market_rows_add(struct market_rows *rows,
                                                    const struct market_shadow *shadow,
                                                    struct walras_err *err);
void market_rows_sort(struct market_rows *rows);

/*
 * How many limits there are when each treats all buses behind it alike, as those of flows in a
 * radial network do; 0: some does not, or there are none.
 */
size_t market_rows_alike_limits(const struct market_problem *problem);

/* Drops rows that had no shadow price for more than `idle` masters, of losses an eighth of that. */
void market_rows_drop_idle(struct market_rows *rows, unsigned idle);

#endif
