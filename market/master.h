/*
 * The master: best prices for what is known so far, by a structured primal-dual interior point
 * method.
 *
 * Model    (docs/mathematics.md, "Master"; proximal bundle: Kiwiel 1990, Lemaréchal 2001; cuts in
 *          groups: disaggregated Dantzig-Wolfe)
 *            minimise   Σ_gj alpha_gj F_gj + Σ_o (price_o q_o + slope_o/2 q_o²)
 *                       + Σ_bt (centre_bt r_bt + tau/(2 S_b) r_bt²) + penalty · (breaches)
 *            subject to alpha >= 0, Σ_j alpha_gj = 1;  low <= q <= high;
 *                       balance of every step, active grid rows (market/rows.h)
 *          r is the proximal slack at buses with groups (absent when tau is infinite: then this is
 *          the restricted master of Dantzig-Wolfe, its value an upper bound of the market's cost).
 *          Always feasible: shortage, surplus and breaches of grid rows cost `penalty_per_mwh`.
 * Method   Mehrotra predictor-corrector. alpha, q, r and the simplex multipliers are eliminated;
 *          what is left is one dense system in the reduced prices u of market/rows.h. Its matrix is
 *          Σ_b E_bᵀ K_b E_b, K_b [n_step x n_step] the weighted covariance of bus b's cuts.
 * Units    kW and currency/MWh; costs in kW · currency/MWh (times step_h/1000 is currency).
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_MASTER_H
#define WALRAS_MARKET_MASTER_H

#include "market/cuts.h"
#include "market/parts.h"
#include "market/rows.h"

#include <stdbool.h>

struct market_master; /* workspace */

struct market_master_settings {
    double penalty_per_mwh; /* bound of energy and shadow prices */
    double tolerance; /* complementarity, relative to the plan's cost, of 1 currency at least */
    unsigned max_iterations;
    const struct market_runner
        *runner; /* asked before each iteration whether to go on; NULL: none */
};

struct market_master_problem { /* borrowed for the call */
    const struct market_rows *rows;
    const struct market_cuts *cuts;
    const double *centre; /* [n_bus x n_step] prices; read at buses with groups only */
    double tau; /* proximal step, price move per kW of imbalance and kW of swing; INFINITY: none */
    const bool *skip_group;      /* [n_group] or NULL: groups left out (their cuts are not used) */
    const double *extra_draw_kw; /* [n_bus x n_step] or NULL: added to the firm draw */
    /* [n_group x n_step x n_step] or NULL: joins S/tau in the proximal term; needs a finite tau */
    const double *curvature;
    /*
     * All groups inside instead of by their cuts, of which there are none; NULL: by cuts. Zones are
     * the problem's buses. Needs tau = INFINITY.
     */
    struct market_parts *parts;
    bool resume; /* go on from where the last solve has ended, with more rows */
};

static inline bool market_master_skips(const struct market_master_problem *problem, size_t group)
{
    return problem->skip_group && problem->skip_group[group];
}

struct market_master_solution {       /* caller's arrays */
    double *u;                        /* [n_step + n rows] in: a guess; out: reduced prices */
    double *order_kw;                 /* [n_order] */
    double *weight;                   /* [cuts in group order] */
    double *shortage_kw, *surplus_kw; /* [n_step] */
    double *breach_kw;                /* [n rows] */
    double *
        injection_kw; /* [n_bus x n_step], with the proximal slack: what the grid was checked for */
    double *group_draw_kw, *group_cost; /* [n_group x n_step], [n_group] of groups inside, kW ·
                                           currency/MWh; not written without */
};

struct market_master_info {
    bool stopped; /* by the runner: neither solved nor failed */
    bool solved;  /* to the tolerance; if not, the best point found */
    unsigned iterations;
    bool nested;   /* active limits were nested: further rows cost little */
    double primal; /* objective without the proximal term: cost of the mixed plan and penalties */
    double prox;   /* proximal term, >= 0, as it lowers the model */
    double imbalance_kw; /* largest |r| over buses and steps */
};

/* A master by whatever method: what a trial calls. */
struct market_master_solver {
    enum walras_status (*solve)(void *master, const struct market_master_problem *problem,
                                const struct market_master_settings *settings,
                                struct market_master_solution *solution,
                                struct market_master_info *info, struct walras_err *err);
    void *master; /* borrowed */
};

WALRAS_NODISCARD enum walras_status market_master_new(const struct market_problem *problem,
                                                      struct market_master **made,
                                                      struct walras_err *err);
void market_master_free(struct market_master *master);

WALRAS_NODISCARD enum walras_status
market_master_solve(struct market_master *master, const struct market_master_problem *problem,
                    const struct market_master_settings *settings,
                    struct market_master_solution *solution, struct market_master_info *info,
                    struct walras_err *err);

struct market_master_solver market_master_solver_of(struct market_master *master);

#endif
