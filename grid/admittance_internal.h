/*
 * The admittance matrix of a network, in per unit, by columns; its pattern is symmetric.
 *
 * Model    docs/grid.md, equations A1 and A2: I = Y V for the currents injected into lines and
 *          shunts.
 *
 * Only the parts of the AC power flow include this.
 */
#ifndef WALRAS_GRID_ADMITTANCE_INTERNAL_H
#define WALRAS_GRID_ADMITTANCE_INTERNAL_H

#include "grid/network.h"

#include <complex.h>

/* CMPLX, which not every compiler has. */
static inline double complex grid_complex(double re, double im)
{
    return re + im * (double complex)I;
}

struct grid_admittance {
    size_t n;
    size_t *start; /* [n + 1] */
    size_t *row;   /* [start[n]]; the first of a column is its diagonal */
    double complex *value;
};

struct grid_branch { /* a line in service as a two-port: I_f = ff V_f + ft V_t, I_t = tf V_f + tt
                        V_t */
    double complex ff, ft, tf, tt;
};
struct grid_branch grid_branch_of(const struct grid_line *line);
/* 1 p.u. at the from side is this at the other, in no-load: 1 / (tap · e^(j shift)). */
double complex grid_branch_ratio(const struct grid_line *line);

/*
 * *made is zeroed; released by the caller, also after a failure. no_load_rad [n_bus] out: angles
 * from the slack on when nothing flows, where loops agree.
 */
WALRAS_NODISCARD enum walras_status grid_admittance_build(const struct grid_network *network,
                                                          struct grid_admittance *made,
                                                          double *no_load_rad,
                                                          struct walras_err *err);
void grid_admittance_release(struct grid_admittance *y);

#endif
