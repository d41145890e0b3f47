/*
 * For tests of the market's insides: a star of buses, a problem on it, with rows and cuts to hand.
 */
#ifndef WALRAS_TESTS_MARKETBENCH_H
#define WALRAS_TESTS_MARKETBENCH_H

#include "market/cuts.h"
#include "market/rows.h"

enum { BENCH_BUSES = 8, BENCH_CELLS = 512, BENCH_ORDERS = 64, BENCH_GROUPS = 8 };

struct marketbench {
    struct grid_bus buses[BENCH_BUSES];
    struct grid_line lines[2 * BENCH_BUSES];
    struct grid_network network;
    char ids[BENCH_BUSES][24];
    const char *bus_ids[BENCH_BUSES];
    double firm_kw[BENCH_CELLS];
    struct market_order orders[BENCH_ORDERS];
    struct market_group groups[BENCH_GROUPS];
    struct market_problem problem;
    struct market_rows rows;
    struct market_cuts cuts;
    struct grid_limits *limits;
};

/*
 * Buses "0" … in a row, line i from bus i to bus i + 1 with reactance 0.1 and limit_kw[i] (NULL or
 * INFINITY: none); bus 0 is the slack. Steps of an hour; nothing on it yet.
 */
void marketbench_init(struct marketbench *bench, size_t n_bus, size_t n_step,
                      const double *limit_kw);
void marketbench_release(struct marketbench *bench);

void marketbench_order(struct marketbench *bench, uint32_t bus, uint32_t step, double low_kw,
                       double high_kw, double price_per_mwh, double slope_per_mwh_per_kw);
/* A group that is never asked. */
size_t marketbench_group(struct marketbench *bench, uint32_t bus, double swing_kw);
/* After the last order and group: limits, rows, cuts. */
void marketbench_close(struct marketbench *bench);
void marketbench_cut(struct marketbench *bench, size_t group, const double *draw_kw, double cost);

#endif
