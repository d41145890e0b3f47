/*
 * Seconds to make an AC power flow, to solve it from a flat start, and to solve it again from the
 * last solution with every injection changed a little, as in the next step of a market.
 *
 *     bench_powerflow [BUSES…]     default 1000 10000
 *
 * Generated grids, loads scaled so that voltages fall to about 0.95: a radial one, and a mesh of
 * 1.5 lines a bus in which every tenth bus holds its voltage, a tenth of the lines with a ratio.
 * The seed is fixed.
 */
#include "core/clock.h"
#include "grid/powerflow.h"
#include "gridkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_STEP = 24 };

struct market { /* a network and what its buses draw */
    struct grid_network network;
    double *p, *q, *hold; /* [n_bus] */
    struct walras_rng rng;
};

static void make(struct market *m, size_t n_bus, bool meshed)
{
    m->rng = walras_rng_from_seed(1);
    m->network = gridkit_mesh(&m->rng, n_bus, meshed ? n_bus / 2 : 0);
    m->p = calloc(n_bus, sizeof(double));
    m->q = calloc(n_bus, sizeof(double));
    m->hold = calloc(n_bus, sizeof(double));
    if (!m->p || !m->q || !m->hold)
        exit(EXIT_FAILURE);
    for (size_t l = 0; l < m->network.n_line; l++) {
        struct grid_line *line = &m->network.lines[l];

        line->x_pu /= (double)n_bus;
        line->r_pu = line->x_pu * (meshed ? 0.2 : 1.0);
        line->b_pu = 1e-3 * line->x_pu;
        if (meshed && l % 10 == 0)
            line->tap = walras_rng_range(&m->rng, 0.99, 1.01);
    }
    for (size_t b = 0; b < n_bus; b++) {
        m->p[b] = -walras_rng_range(&m->rng, 0.0, 1.0);
        m->q[b] = 0.3 * m->p[b];
        m->hold[b] = meshed && b % 10 == 5 ? 1.0 : (double)NAN;
    }
}

static void release(struct market *m)
{
    free(m->p);
    free(m->q);
    free(m->hold);
    grid_network_release(&m->network);
}

static enum walras_status solve(struct grid_powerflow *flow, const struct market *m, bool from_last,
                                struct grid_powerflow_solution *s, struct walras_err *err)
{
    struct grid_powerflow_input input = {
        .injection_kw = m->p, .injection_kvar = m->q, .hold_v_pu = m->hold, .from_last = from_last};

    return grid_powerflow_solve(flow, &input, s, err);
}

static void scale(struct market *m, double factor, double spread)
{
    for (size_t b = 0; b < m->network.n_bus; b++) {
        double by = factor * walras_rng_range(&m->rng, 1.0 - spread, 1.0 + spread);

        m->p[b] *= by;
        m->q[b] *= by;
    }
}

/* Draws at which the lowest voltage is about 0.95, found by halving. */
static enum walras_status scale_loads(struct grid_powerflow *flow, struct market *m,
                                      struct walras_err *err)
{
    struct grid_powerflow_solution s = {0};
    enum walras_status status = WALRAS_OK;
    double lowest = 0.0;

    scale(m, 3000.0, 0.0);
    for (int i = 0; i < 40 && lowest < 0.95 && status == WALRAS_OK; i++) {
        scale(m, 0.7, 0.0);
        status = solve(flow, m, false, &s, err);
        lowest = status == WALRAS_OK && s.outcome == GRID_POWERFLOW_SOLVED ? s.vm_pu[s.weakest] : 0;
    }
    return status;
}

static enum walras_status measure(size_t n_bus, bool meshed, struct walras_err *err)
{
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    struct market m = {0};
    struct grid_powerflow *flow = NULL;
    struct grid_powerflow_solution s = {0};
    unsigned cold_steps = 0, warm_steps = 0;
    enum walras_status status = WALRAS_OK;

    make(&m, n_bus, meshed);
    double begin_s = walras_monotonic_s();

    status = grid_powerflow_new(&m.network, &settings, &flow, err);
    double made_s = walras_monotonic_s();

    if (status == WALRAS_OK)
        status = scale_loads(flow, &m, err);
    double scaled_s = walras_monotonic_s();

    if (status == WALRAS_OK)
        status = solve(flow, &m, false, &s, err);
    cold_steps = s.iterations;
    double cold_s = walras_monotonic_s(), warm_s = 0.0;

    for (size_t t = 0; t < N_STEP && status == WALRAS_OK; t++) {
        scale(&m, 1.0, 0.05);
        double from_s = walras_monotonic_s();

        status = solve(flow, &m, true, &s, err);
        warm_s += walras_monotonic_s() - from_s;
        warm_steps += s.iterations;
    }
    if (status == WALRAS_OK)
        printf("%-7s %7zu %7zu %9.1f ms %9.1f ms %6u %9.1f ms %6.1f %9.3f %9.1e kVA\n",
               meshed ? "meshed" : "radial", m.network.n_bus, m.network.n_line,
               1e3 * (made_s - begin_s), 1e3 * (cold_s - scaled_s), cold_steps,
               1e3 * warm_s / N_STEP, (double)warm_steps / N_STEP,
               s.outcome == GRID_POWERFLOW_SOLVED ? s.vm_pu[s.weakest] : 0.0, s.mismatch_kva);
    grid_powerflow_free(flow);
    release(&m);
    return status;
}

int main(int argc, char **argv)
{
    static const size_t usual[] = {1000, 10000};
    size_t n = argc > 1 ? (size_t)(argc - 1) : sizeof(usual) / sizeof(usual[0]);
    struct walras_err err = {0};

    printf("%-7s %7s %7s %12s %12s %6s %12s %6s %9s %13s\n", "grid", "buses", "lines", "make",
           "flat start", "steps", "from last", "steps", "lowest", "mismatch");
    for (size_t i = 0; i < 2 * n && err.code == WALRAS_OK; i++) {
        size_t n_bus = argc > 1 ? (size_t)strtoull(argv[i / 2 + 1], NULL, 10) : usual[i / 2];

        if (n_bus < 100 || n_bus > 1000000) {
            fprintf(stderr, "bench_powerflow: BUSES must be from 100 to 1000000\n");
            return EXIT_FAILURE;
        }
        if (measure(n_bus, i % 2 == 1, &err) != WALRAS_OK)
            fprintf(stderr, "bench_powerflow: %s\n", err.msg);
    }
    return err.code == WALRAS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
