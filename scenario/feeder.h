/*
 * LinDistFlow by taking leaves off: a second way to flows, voltages and prices of radial networks,
 * for certificates. It shares nothing with the sensitivities that prices are built on.
 *
 * Model      A bus with one line left hands its draw on over it and goes; slacks stay. Voltages
 * come back in reverse: at a line, with P and Q from its from side to its to side, w_from / tap² =
 * w_to + 2 (r P + x Q) / base,    w = v² Prices come back likewise, from what one more kW or kvar
 * on a line and one more w at a bus are worth (docs/mathematics.md, "Certificate"): no row of
 * sensitivities is formed. Units      kW, kvar; w per unit. Threads    read only once made.
 */
#ifndef WALRAS_SCENARIO_FEEDER_H
#define WALRAS_SCENARIO_FEEDER_H

#include "grid/network.h"

struct scenario_feeder;

/* `network` is borrowed and has passed grid_network_check. WALRAS_UNSUPPORTED names a bus of a
 * loop. */
WALRAS_NODISCARD enum walras_status scenario_feeder_new(const struct grid_network *network,
                                                        struct scenario_feeder **made,
                                                        struct walras_err *err);
void scenario_feeder_free(struct scenario_feeder *feeder);

/*
 * draw_kw and draw_kvar [n_bus] in, used up: at slacks what their trees draw in all. Lines'
 * charging is counted here. Out: flows from → to [n_line], 0 out of service, and w [n_bus].
 */
void scenario_feeder_solve(const struct scenario_feeder *feeder, double *draw_kw, double *draw_kvar,
                           double *flow_kw, double *flow_kvar, double *w);

/*
 * What one more kW and kvar drawn at each bus cost, given what they cost at the slacks
 * (per_kw, per_kvar there; elsewhere they are filled) and what one more on a line from → to costs
 * (line_kw, line_kvar [n_line]) and one more w at a bus (of_w [n_bus], used up).
 */
void scenario_feeder_price(const struct scenario_feeder *feeder, const double *line_kw,
                           const double *line_kvar, double *of_w, double *per_kw, double *per_kvar);

#endif
