/*
 * Seconds to factor a meshed grid, to evaluate all flows, to compute one sensitivity row.
 *
 *     bench_grid [BUSES…]     default 3000 30000
 *
 * Generated grids: 1.5 lines a bus between near buses, a tenth of the lines with a ratio or a
 * shift. The seed is fixed.
 */
#include "core/clock.h"
#include "grid/limits.h"
#include "gridkit.h"

#include <stdio.h>
#include <stdlib.h>

enum { n_evaluation = 100, n_row = 200 };

static struct grid_network make_grid(size_t n_bus)
{
    struct walras_rng rng = walras_rng_from_seed(1);
    struct grid_network network = gridkit_mesh(&rng, n_bus, n_bus / 2);

    for (size_t l = 0; l < network.n_line; l += 10) {
        network.lines[l].tap = walras_rng_range(&rng, 0.95, 1.05);
        network.lines[l].shift_rad = walras_rng_range(&rng, -0.05, 0.05);
    }
    return network;
}

static int fail(const struct walras_err *err)
{
    fprintf(stderr, "bench_grid: %s\n", err->msg);
    return EXIT_FAILURE;
}

static int measure(size_t n_bus)
{
    struct grid_network network = make_grid(n_bus);
    struct grid_limits *limits = NULL;
    struct grid_row row = {0};
    struct walras_err err = {0};
    double *injection_kw = calloc(network.n_bus, sizeof(double));
    double *flow_kw = calloc(network.n_line, sizeof(double));
    size_t coefficients = 0;
    double begin_s = walras_monotonic_s(), checked_s = 0.0, made_s = 0.0, valued_s = 0.0;
    enum walras_status status = grid_network_check(&network, &err);

    checked_s = walras_monotonic_s();
    if (status == WALRAS_OK)
        status = grid_limits_dc(&network, 1.0, &limits, &err);
    made_s = walras_monotonic_s();
    for (size_t i = 0; i < n_evaluation && status == WALRAS_OK; i++) {
        injection_kw[i % n_bus] += 1000.0;
        status = grid_limits_values(limits, 0, injection_kw, flow_kw, &err);
    }
    valued_s = walras_monotonic_s();
    for (size_t i = 0; i < n_row && status == WALRAS_OK; i++) {
        status = grid_limits_row(limits, i * (network.n_line / n_row), 0, &row, &err);
        coefficients += row.n;
    }
    double end_s = walras_monotonic_s();

    if (status == WALRAS_OK)
        printf("%7zu %7zu %9.2f ms %9.2f ms %9.3f ms %9.3f ms %12.0f\n", network.n_bus,
               network.n_line, 1e3 * (checked_s - begin_s), 1e3 * (made_s - checked_s),
               1e3 * (valued_s - made_s) / n_evaluation, 1e3 * (end_s - valued_s) / n_row,
               (double)coefficients / n_row);
    free(injection_kw);
    free(flow_kw);
    grid_limits_free(limits);
    grid_network_release(&network);
    return status == WALRAS_OK ? EXIT_SUCCESS : fail(&err);
}

int main(int argc, char **argv)
{
    static const size_t usual[] = {3000, 30000};
    size_t n = argc > 1 ? (size_t)(argc - 1) : sizeof(usual) / sizeof(usual[0]);
    int status = EXIT_SUCCESS;

    printf("%7s %7s %12s %12s %12s %12s %12s\n", "buses", "lines", "check", "factor", "all flows",
           "one row", "row entries");
    for (size_t i = 0; i < n && status == EXIT_SUCCESS; i++) {
        size_t n_bus = argc > 1 ? (size_t)strtoull(argv[i + 1], NULL, 10) : usual[i];

        if (n_bus < 1000 || n_bus > 1000000) {
            fprintf(stderr, "bench_grid: BUSES must be from 1000 to 1000000\n");
            return EXIT_FAILURE;
        }
        status = measure(n_bus);
    }
    return status;
}
