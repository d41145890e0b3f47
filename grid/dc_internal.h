/*
 * The DC equations of a network: angles from injections, by one sparse factorization.
 *
 * Model      Σ over the lines in service at a bus of  y · (θ_bus − θ_other) = injection at the bus,
 *            θ_slack = 0, with y = base_mva / (x · tap)   (docs/grid.md, equation 3).
 *            The matrix is symmetric, and indefinite where reactances are negative: KLU, with
 *            pivoting, rather than a Cholesky factorization.
 * Threads    the right side and the angles share a workspace: one thread at a time.
 *
 * Only grid/limits.c and grid/dc.c include this.
 */
#ifndef WALRAS_GRID_DC_INTERNAL_H
#define WALRAS_GRID_DC_INTERNAL_H

#include "grid/network.h"

struct grid_dc;

/* `network` is borrowed. WALRAS_INVALID when the equations have no single solution. */
WALRAS_NODISCARD enum walras_status grid_dc_new(const struct grid_network *network,
                                                struct grid_dc **made, struct walras_err *err);
void grid_dc_free(struct grid_dc *dc);

/* y of a line in kW per rad. */
double grid_dc_kw_per_rad(const struct grid_network *network, const struct grid_line *line);

/* A right side is cleared, added to bus by bus, then solved; then angles may be asked. */
void grid_dc_clear(struct grid_dc *dc);
void grid_dc_add(struct grid_dc *dc, size_t bus, double injection_kw);
WALRAS_NODISCARD enum walras_status grid_dc_solve(struct grid_dc *dc, struct walras_err *err);
double grid_dc_angle(const struct grid_dc *dc, size_t bus);

#endif
