/*
 * Networks for tests and benchmarks: small ones spelled out, large ones generated.
 *
 * Buses are named "1", "2", …, lines "l1", "l2", …; base 1 MVA unless changed, the slack is bus 1.
 * Out of memory ends the program. Release with grid_network_release.
 */
#ifndef WALRAS_TESTS_GRIDKIT_H
#define WALRAS_TESTS_GRIDKIT_H

#include "core/rng.h"
#include "grid/network.h"

struct gridkit_line { /* bus numbers from 1; the rest is as in a network, all lines in service */
    size_t from, to;
    double x_pu;
};

struct grid_network gridkit_network(size_t n_bus, const struct gridkit_line *lines, size_t n_line);

/* A connected mesh: a ladder-like backbone of n_bus - 1 lines and n_extra lines between near buses.
 */
struct grid_network gridkit_mesh(struct walras_rng *rng, size_t n_bus, size_t n_extra);

/*
 * Trees under n_slack slacks, the first being bus 1: lines of either direction, some with a
 * transformer or charging, resistances and reactances of a low-voltage feeder on 1 MVA, and lines
 * out of service that would close loops. Some buses have limits of voltage, some lines of power.
 */
struct grid_network gridkit_forest(struct walras_rng *rng, size_t n_bus, size_t n_slack);

#endif
