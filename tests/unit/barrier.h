/*
 * The central path of a storage-like device by another route: the least of cost + price · draw -
 * mu Σ log slack, states written as what charge and discharge make of them, by Newton's method on
 * dense matrices. For short horizons.
 */
#ifndef WALRAS_TESTS_BARRIER_H
#define WALRAS_TESTS_BARRIER_H

#include "inside.h"

enum { BARRIER_STEPS = 6, BARRIER_VARIABLES = 4 * BARRIER_STEPS };

struct barrier {
    const struct inside *in;
    double mu;
    size_t n, n_x; /* steps; variables: charges, discharges, violations below and above */
    double state[BARRIER_STEPS], by_charge[BARRIER_STEPS][BARRIER_STEPS],
        by_discharge[BARRIER_STEPS][BARRIER_STEPS];
    double gradient[BARRIER_VARIABLES], hessian[BARRIER_VARIABLES][BARRIER_VARIABLES];
    bool live[BARRIER_VARIABLES]; /* false: stands still */
    double value;                 /* INFINITY outside */
};

/* The states that charge and discharge, the first 2 n of x, lead to. */
void barrier_states(struct barrier *b, const double *x);
/* From a point inside on to the central one of mu; false: not found. */
bool barrier_centre(struct barrier *b, double *x);
/* Writes the central point into the device's state, as if its turns had led there. */
void barrier_put(struct inside *in, struct barrier *b, const double *x);

#endif
