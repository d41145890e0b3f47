/*
 * LinDistFlow on trees: flows and squares of voltages from draws, and how they move.
 *
 * Model    docs/grid.md, "LinDistFlow": with P_b, Q_b what flows down the line into bus b,
 *              w_b = gain_b · w_parent − r_b P_b − x_b Q_b,    w = v²
 * Units    kW and kvar; w per unit; r and x in w per kW and kvar.
 * Threads  sweeps write to a workspace: one thread at a time.
 *
 * Only grid/lindist.c and grid/limits_lindist.c include this.
 */
#ifndef WALRAS_GRID_LINDIST_INTERNAL_H
#define WALRAS_GRID_LINDIST_INTERNAL_H

#include "grid/limits.h"
#include "grid/radial.h"

struct lindist { /* arrays are its own */
    const struct grid_network *network;
    struct grid_lindist input;
    struct grid_radial tree;
    size_t *lower;             /* [n_line] the bus that a line feeds; SIZE_MAX: out of service */
    double *gain, *r, *x;      /* [n_bus] */
    double *total_gain;        /* [n_bus] product from the slack on */
    double *sum_r, *sum_x;     /* [n_bus] Σ r / total_gain from the slack on */
    double *charging_kvar;     /* [n_bus] what lines' charging injects */
    double *p_kw, *q_kvar, *w; /* [n_bus] of the last sweep: flows into buses, at slacks the draw of
                                  the tree */
};

WALRAS_NODISCARD enum walras_status lindist_init(struct lindist *own,
                                                 const struct grid_network *network,
                                                 const struct grid_lindist *input,
                                                 struct walras_err *err);
void lindist_release(struct lindist *own);

/* The bus of a node, and what kW and kvar a unit drawn there is in a step. */
size_t lindist_bus(const struct lindist *own, size_t node);
struct grid_unit lindist_unit_of(const struct lindist *own, size_t node, size_t step);

/* Fills p_kw, q_kvar and w for injection_kw [nodes]; NULL: nobody injects, fixed_kvar alone. */
void lindist_sweep(struct lindist *own, size_t step, const double *injection_kw);

/* w at no draw of anybody, charging alone. */
void lindist_idle(struct lindist *own);

/* w of a bus per kW and per kvar injected at each: rise_kw and rise_kvar [n_bus]. */
void lindist_rise(const struct lindist *own, size_t bus, double *rise_kw, double *rise_kvar);

/* Flow of a line from → to, of what stands in `into` [n_bus]: p_kw or q_kvar. */
double lindist_flow(const struct lindist *own, size_t line, const double *into);

#endif
