/*
 * Voltage angles of the DC model by star-mesh elimination: a second way to the flows of a network,
 * for certificates. It shares nothing with the sensitivities that prices are built on.
 *
 * Model      B·θ = p: bus v with neighbours i at susceptances b_i (kW per rad) is taken out by
 *            putting b_i·b_j/Σb between each two of them (Kron reduction) and handing its injection
 *            on in shares b_i/Σb; angles come back in reverse order. On a tree this is the sweep
 *            from the leaves.
 * Cost       buses with few neighbours go first; memory and a solve take what fill-in there is.
 * Threads    read only once made.
 */
#ifndef WALRAS_SCENARIO_ANGLES_H
#define WALRAS_SCENARIO_ANGLES_H

#include "grid/network.h"

struct scenario_angles;

/*
 * `network` is borrowed, has passed grid_network_check and outlives the angles. Returns
 * WALRAS_UNSUPPORTED, naming the bus, when reactances of opposite sign cancel at a bus,
 * WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status scenario_angles_new(const struct grid_network *network,
                                                        struct scenario_angles **made,
                                                        struct walras_err *err);
void scenario_angles_free(struct scenario_angles *angles);

/*
 * injection_kw [n_bus] in, used up; angle_rad [n_bus] out, 0 at the slack, which takes what is
 * missing. Phase shifters count through
 * scenario_angles_add_shifts.
 */
void scenario_angles_solve(const struct scenario_angles *angles, double *injection_kw,
                           double *angle_rad);

/* Adds to injection_kw [n_bus] what the phase shifters stand for. */
void scenario_angles_add_shifts(const struct scenario_angles *angles, double *injection_kw);

/* kW per rad of a line: base_mva / (x · tap); 0 when it is out of service. */
double scenario_line_susceptance_kw(const struct grid_network *network, size_t line);
/* Flow from → to at these angles, 0 when the line is out of service. */
double scenario_line_flow_kw(const struct grid_network *network, size_t line,
                             const double *angle_rad);

#endif
