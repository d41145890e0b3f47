/*
 * What the exact solvers share: the workspace and the solver of each type. Private to agents.
 *
 * A solver writes draw_kw [n_step] and the device's own cost, and returns WALRAS_INVALID with the
 * step and what cannot be met; agent_solve adds what is paid for energy.
 */
#ifndef WALRAS_AGENTS_SOLVE_INTERNAL_H
#define WALRAS_AGENTS_SOLVE_INTERNAL_H

#include "agents/smooth.h"
#include "agents/solve.h"

struct storage_piece;
struct generator_knot;

/* Where the state should end up: below `low` charge towards it, above `high` discharge. */
struct storage_policy {
    double low, high;
};

/*
 * What a device is asked: prices, and with rho > 0 to stay near centre_kw too, at the cost of
 * rho/2 · (draw − centre)² · Δ/1000 a step.
 */
struct agent_question {
    const struct agent_horizon *horizon;
    const double *price_per_mwh;
    double rho_per_mwh_per_kw;
    const double *centre_kw; /* [n_step]; NULL when rho is 0 */
};

struct agent_workspace {
    size_t n_step;
    struct smooth smooth; /* the last question with quadratic terms, its answer in `room` */
    struct smooth_room room;
    struct storage_piece *piece;    /* storage_list_room(n_step) */
    struct storage_policy *policy;  /* [n_step] */
    double *reach_low, *reach_high; /* [n_step]: states that can be reached at the end of a step */
    struct generator_knot *knot[2]; /* generator_knot_room(n_step) each */
    double *level_kw;               /* [n_step] */
};

/* *both: some step charges and discharges at once (not possible for an exclusive battery). */
enum walras_status agent_solve_battery(const struct agent_battery *battery,
                                       const struct agent_question *question,
                                       struct agent_workspace *workspace, double *draw_kw,
                                       double *cost, bool *both, struct walras_err *err);
enum walras_status agent_solve_ev(const struct agent_ev *ev, const struct agent_question *question,
                                  struct agent_workspace *workspace, double *draw_kw, double *cost,
                                  struct walras_err *err);
enum walras_status agent_solve_thermal(const struct agent_thermal *thermal,
                                       const struct agent_question *question,
                                       struct agent_workspace *workspace, double *draw_kw,
                                       double *cost, struct walras_err *err);
void agent_solve_generator(const struct agent_generator *generator,
                           const struct agent_question *question, struct agent_workspace *workspace,
                           double *draw_kw, double *cost);
void agent_solve_load(const struct agent_load *load, const struct agent_horizon *horizon,
                      const double *price_per_mwh, double *draw_kw, double *cost);
void agent_solve_pv(const struct agent_pv *pv, const struct agent_horizon *horizon,
                    const double *price_per_mwh, double *draw_kw, double *cost);
void agent_solve_bid(const struct agent_bid *bid, const struct agent_horizon *horizon,
                     const double *price_per_mwh, double *draw_kw, double *cost);
void agent_solve_shiftable(const struct agent_shiftable *shiftable,
                           const struct agent_horizon *horizon, const double *price_per_mwh,
                           double *draw_kw, double *cost);

/* What agent_describe (agents/interior.h) is made of. */
struct smooth agent_describe_battery(const struct agent_battery *battery,
                                     const struct agent_horizon *horizon,
                                     struct agent_workspace *workspace);
struct smooth agent_describe_ev(const struct agent_ev *ev, const struct agent_horizon *horizon,
                                struct agent_workspace *workspace);
struct smooth agent_describe_thermal(const struct agent_thermal *thermal,
                                     const struct agent_horizon *horizon,
                                     struct agent_workspace *workspace);

/* Generators with more segments than this and a ramp limit are left to GLPK. */
enum { GENERATOR_SEGMENTS = 32 };

size_t generator_knot_room(size_t n_step);
size_t generator_knot_size(void);

/* Cost per hour at injection_kw, and where the marginal cost is the price. */
double generator_cost_per_h(const struct agent_generator *generator, double injection_kw);
double generator_level_kw(const struct agent_generator *generator, double price_per_mwh);

/* Writes workspace->level_kw: where the generator would go in each step if it could at once. */
void generator_ramp_levels(const struct agent_generator *generator,
                           const struct agent_question *question, double ramp_kw,
                           struct agent_workspace *workspace);

/* As smooth_curvature, for a generator that has answered with draw_kw. */
void generator_curvature(const struct agent_generator *generator,
                         const struct agent_horizon *horizon, const double *draw_kw,
                         double *curvature);

/* Blocks of a bid in step t. */
struct bid_blocks {
    const struct agent_segment *block;
    size_t n;
};

static inline struct bid_blocks bid_blocks_at(const struct agent_segment *blocks,
                                              const uint32_t *first, bool one_list, size_t t)
{
    size_t k = one_list ? 0 : t;

    return first ? (struct bid_blocks){blocks + first[k], first[k + 1] - first[k]}
                 : (struct bid_blocks){NULL, 0};
}

#endif
