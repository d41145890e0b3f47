/*
 * A simulation's insides, shared by running it (simulate.c), committing (simulate_commit.c), warm
 * starts (simulate_warm.c) and its state on disk (simulate_state.c).
 */
#ifndef WALRAS_SCENARIO_SIMULATE_INTERNAL_H
#define WALRAS_SCENARIO_SIMULATE_INTERNAL_H

#include "scenario/simulate.h"
#include "scenario/window.h"

struct simulation_warm {          /* the last clearing, moved to where the next one begins */
    double *energy_price_per_mwh; /* [n_step]; NULL: none yet */
    struct market_shadow *shadows;
    size_t n_shadow;
    double *point_price_per_mwh; /* [n_point x n_bus x n_step] */
    size_t n_point;
};

struct scenario_simulation {
    const struct scenario *scenario;
    struct scenario_simulate_settings settings;
    struct scenario_run run;
    struct scenario_trace *traces; /* [n_device] */
    struct simulation_warm warm;
    double *committed_kw; /* [n_device x replan], rows of n_committed */
    size_t n_committed;
    bool (*progress)(void *context, const struct market_round *round); /* the caller's */
    void *context;
};

/* Takes the plan's first n steps over into the run, the days and the devices' traces. */
WALRAS_NODISCARD enum walras_status simulation_commit(struct scenario_simulation *simulation,
                                                      const struct scenario_window *window,
                                                      const struct scenario_result *result,
                                                      size_t n, double *cost,
                                                      struct walras_err *err);

/* What the next window, n steps later, begins with. */
WALRAS_NODISCARD enum walras_status simulation_warm_take(struct simulation_warm *warm,
                                                         const struct scenario_run *run,
                                                         const struct market_result *market,
                                                         size_t n, struct walras_err *err);
/* What two simulations of the same scenario and settings have done and come to. */
void simulation_exchange(struct scenario_simulation *a, struct scenario_simulation *b);
struct market_warm simulation_warm_start(const struct simulation_warm *warm);
void simulation_warm_release(struct simulation_warm *warm);

#endif
