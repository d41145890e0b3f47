/* libFuzzer target: any bytes as a MATPOWER case; what is read is also factored and asked. */
#include "grid/limits.h"
#include "grid/matpower.h"
#include "grid/powerflow.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_limits(const struct grid_case *c)
{
    struct grid_limits *limits = NULL;
    struct grid_row row;
    double *injection_kw = NULL, *flow_kw = NULL;

    if (grid_limits_dc(&c->network, 1.0, &limits, NULL) != WALRAS_OK)
        return;
    injection_kw = calloc(c->network.n_bus, sizeof(*injection_kw));
    flow_kw = calloc(grid_limits_count(limits) + 1, sizeof(*flow_kw));
    for (size_t b = 0; injection_kw && b < c->network.n_bus; b++)
        injection_kw[b] = -c->network.buses[b].load_kw;
    if (!injection_kw || !flow_kw ||
        grid_limits_values(limits, 0, injection_kw, flow_kw, NULL) != WALRAS_OK)
        abort();
    for (size_t r = 0; r < grid_limits_count(limits); r++)
        if (grid_limits_row(limits, r, 0, &row, NULL) != WALRAS_OK)
            abort();
    free(injection_kw);
    free(flow_kw);
    grid_limits_free(limits);
}

/* Solved or not, what is said of it is a number. */
static void solve_power_flow(const struct grid_case *c)
{
    struct grid_powerflow_settings settings = {.tolerance_pu = 1e-8, .max_iterations = 10};
    struct grid_powerflow *flow = NULL;
    struct grid_powerflow_solution s = {0};
    double *block = calloc(3 * c->network.n_bus, sizeof(*block));

    if (!block || grid_powerflow_new(&c->network, &settings, &flow, NULL) != WALRAS_OK) {
        free(block);
        return;
    }
    struct grid_powerflow_input input = {.injection_kw = block,
                                         .injection_kvar = block + c->network.n_bus,
                                         .hold_v_pu = block + 2 * c->network.n_bus};

    if (grid_case_power(c, block, block + c->network.n_bus, block + 2 * c->network.n_bus, NULL) ==
            WALRAS_OK &&
        grid_powerflow_solve(flow, &input, &s, NULL) == WALRAS_OK)
        for (size_t b = 0; b < c->network.n_bus && s.outcome == GRID_POWERFLOW_SOLVED; b++)
            if (!isfinite(s.vm_pu[b]) || !isfinite(s.injection_kw[b]))
                abort();
    free(block);
    grid_powerflow_free(flow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct grid_case c = {0};
    struct walras_err err = {0}, fault = {0};
    enum walras_status status = grid_case_parse("fuzz.m", (const char *)data, size, &c, &err);

    if (status != err.code || (status == WALRAS_OK) != (c.name != NULL))
        abort(); /* a failure without a message, or half a case */
    if (status != WALRAS_OK)
        return 0;
    if (grid_network_check(&c.network, NULL) != WALRAS_OK ||
        grid_case_check_market(&c, &fault) != c.market_fault.code)
        abort();
    ask_limits(&c);
    solve_power_flow(&c);
    grid_case_release(&c);
    return 0;
}
