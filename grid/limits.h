/*
 * The limits of a network as linear rows on bus injections: what the market prices.
 *
 * Model      value_r = base_r + Σ_b s_rb · injection_b, to stay within [low_r, high_r] in every
 *            step. DC: value is the flow of a line (from → to positive), s the PTDF row with the
 *            withdrawal at the slack, base the flow that phase shifters drive:
 *
 *                flow = base_mva · (θ_from − θ_to − shift) / (x · tap)      (docs/grid.md)
 *
 *            Shunt conductance is a draw at its bus: the caller counts it in the injections.
 * Units      injection and value in kW (other kinds of rows will say theirs).
 * Cost       one sparse factorization when made; grid_limits_values one sparse solve; a row one
 *            sparse solve the first time, kept. No dense buses x lines matrix exists.
 * Threads    values and rows write to a workspace: one thread at a time.
 */
#ifndef WALRAS_GRID_LIMITS_H
#define WALRAS_GRID_LIMITS_H

#include "grid/network.h"

#include <stdint.h>

enum grid_limit_kind { GRID_LIMIT_LINE };

struct grid_limit {
    enum grid_limit_kind kind;
    size_t index;     /* of the line (or bus) */
    double low, high; /* ±INFINITY: no limit on that side */
};

struct grid_row { /* sparse: |coefficients| below 1e-12 of the largest are left out */
    size_t n;
    const uint32_t *bus; /* rising */
    const double *coef;
};

struct grid_limits;

/*
 * DC model of `network` (borrowed: outlives the limits; has passed grid_network_check). One row per
 * line in service, limited or not, limits multiplied by rating_scale.
 *
 * Returns WALRAS_INVALID when rating_scale is not finite and above 0, or when reactances of both
 * signs cancel so that flows are not determined (the message names a bus); WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status grid_limits_dc(const struct grid_network *network,
                                                   double rating_scale, struct grid_limits **made,
                                                   struct walras_err *err);
void grid_limits_free(struct grid_limits *limits);

size_t grid_limits_count(const struct grid_limits *limits);
const struct grid_limit *grid_limits_at(const struct grid_limits *limits, size_t row);
const char *grid_limit_kind_name(enum grid_limit_kind kind);
/* The id of the line or bus that row r limits. */
const char *grid_limits_id(const struct grid_limits *limits, size_t row);
/* base_r: the value when nobody injects. */
double grid_limits_base(const struct grid_limits *limits, size_t row);

/*
 * Row values for injection_kw [n_bus] (sum zero to rounding; what is missing is put at the slack).
 * value [grid_limits_count] out. WALRAS_INVALID names the bus whose injection is not finite.
 */
WALRAS_NODISCARD enum walras_status grid_limits_values(struct grid_limits *limits,
                                                       const double *injection_kw, double *value,
                                                       struct walras_err *err);
/* The sensitivities of one row; valid until the limits are freed. */
WALRAS_NODISCARD enum walras_status grid_limits_row(struct grid_limits *limits, size_t row,
                                                    struct grid_row *out, struct walras_err *err);

#endif
