/*
 * A random storage-like device in the market's interior point method, its turns driven alone: at
 * prices that stand still, or as a test moves them.
 */
#ifndef WALRAS_TESTS_INSIDE_H
#define WALRAS_TESTS_INSIDE_H

#include "agents/interior.h"
#include "random_devices.h"

/* Its state, and all that a turn reads and tells. */
/* A device in the method, as the market has it: its state, and all that a turn reads and tells. */
struct inside {
    struct random_device random;
    double price_per_mwh[RANDOM_STEPS], first_per_mwh[RANDOM_STEPS], second_per_mwh[RANDOM_STEPS];
    double draw_kw[RANDOM_STEPS], still_kw[RANDOM_STEPS];
    double per_mu_kw[RANDOM_STEPS], bent_kw[RANDOM_STEPS];
    double curvature[RANDOM_STEPS * RANDOM_STEPS];
    struct market_interior turn;
    size_t n_pair;
    bool curved;
    double *state;
    struct interior_room *room;
    struct agent_workspace *described, *asked; /* the one holds the description */
    const struct smooth *smooth;
};

/* A random device at random prices; at times with quadratic costs. */
void inside_draw(struct inside *in, enum agent_device_type kind, uint64_t seed, size_t max_step);
void inside_open(struct inside *in);
void inside_close(struct inside *in);

/* Can the device be kept within its bounds at all? */
bool inside_is_possible(struct inside *in);
/* Can it be done with all variables so far, relative, from both of their bounds? */
bool inside_has_room(const struct inside *in, double margin);

/* One turn; what it gathers is emptied before. */
void inside_turn(struct inside *in, enum market_interior_phase phase);
void inside_fold(struct inside *in, double primal, double dual);
/* Puts the device inside its bounds. */
void inside_start(struct inside *in, double mu);
/* One iteration at prices that stand still, towards `least` at the lowest; how far it could go. */
struct market_stride inside_iterate(struct inside *in, double least);
/* Follows the path until Σ slack · multiplier is `enough`; false: it does not get there. */
bool inside_follow(struct inside *in, double enough);

/* The largest price that the device sees, its own among them; its power; both for all steps. */
double inside_price(const struct inside *in);
double inside_kw(const struct inside *in);
double inside_size(const struct inside *in);
/* What rows may miss: nothing but rounding, as kW. */
double inside_rounding_kw(const struct inside *in);

#endif
