#include "marketbench.h"

#include "testkit.h"

#include <math.h>
#include <stdio.h>

void marketbench_init(struct marketbench *bench, size_t n_bus, size_t n_step,
                      const double *limit_kw)
{
    *bench = (struct marketbench){0};
    CU_ASSERT_TRUE_FATAL(n_bus <= BENCH_BUSES && n_bus * n_step <= BENCH_CELLS);
    for (size_t b = 0; b < n_bus; b++) {
        snprintf(bench->ids[b], sizeof(bench->ids[b]), "%zu", b);
        bench->bus_ids[b] = bench->ids[b];
        bench->buses[b] = (struct grid_bus){.id = bench->ids[b], .v_max_pu = HUGE_VAL};
    }
    for (size_t l = 0; l + 1 < n_bus; l++)
        bench->lines[l] = (struct grid_line){.id = bench->ids[l],
                                             .from = l,
                                             .to = l + 1,
                                             .x_pu = 0.1,
                                             .limit_kw = limit_kw ? limit_kw[l] : HUGE_VAL,
                                             .tap = 1.0,
                                             .in_service = true};
    bench->network = (struct grid_network){.base_mva = 1.0,
                                           .slack_v_pu = 1.0,
                                           .buses = bench->buses,
                                           .n_bus = n_bus,
                                           .lines = bench->lines,
                                           .n_line = n_bus - 1};
    bench->problem = (struct market_problem){.n_bus = n_bus,
                                             .n_step = n_step,
                                             .step_h = 1.0,
                                             .firm_draw_kw = bench->firm_kw,
                                             .orders = bench->orders,
                                             .groups = bench->groups,
                                             .breach_price_per_mwh = HUGE_VAL,
                                             .bus_ids = bench->bus_ids};
}

void marketbench_release(struct marketbench *bench)
{
    market_rows_release(&bench->rows);
    market_cuts_release(&bench->cuts);
    grid_limits_free(bench->limits);
}

void marketbench_order(struct marketbench *bench, uint32_t bus, uint32_t step, double low_kw,
                       double high_kw, double price_per_mwh, double slope_per_mwh_per_kw)
{
    CU_ASSERT_TRUE_FATAL(bench->problem.n_order < BENCH_ORDERS);
    bench->orders[bench->problem.n_order++] =
        (struct market_order){bus, step, low_kw, high_kw, price_per_mwh, slope_per_mwh_per_kw};
}

static enum walras_status nobody(void *self, size_t part, unsigned worker,
                                 const double *price_per_mwh, double *draw_kw,
                                 struct market_answer *answer, struct walras_err *err)
{
    (void)self, (void)part, (void)worker, (void)price_per_mwh, (void)draw_kw, (void)answer;
    return walras_fail(err, WALRAS_INTERNAL, "this group is not to be asked");
}

size_t marketbench_group(struct marketbench *bench, uint32_t bus, double swing_kw)
{
    static const struct market_oracle_ops ops = {.respond = nobody};

    CU_ASSERT_TRUE_FATAL(bench->problem.n_group < BENCH_GROUPS);
    bench->groups[bench->problem.n_group] = (struct market_group){.bus = bus,
                                                                  .oracle = {&ops, NULL, 1},
                                                                  .swing_kw = swing_kw,
                                                                  .n_device = 1,
                                                                  .name = "group"};
    return bench->problem.n_group++;
}

void marketbench_close(struct marketbench *bench)
{
    if (bench->problem.n_bus > 1) {
        CU_ASSERT_EQUAL_FATAL(grid_limits_dc(&bench->network, 1.0, &bench->limits, NULL),
                              WALRAS_OK);
        bench->problem.limits = bench->limits;
    }
    CU_ASSERT_EQUAL_FATAL(market_problem_check(&bench->problem, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(market_rows_init(&bench->rows, &bench->problem, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(
        market_cuts_init(&bench->cuts, bench->problem.n_group, bench->problem.n_step, NULL),
        WALRAS_OK);
}

void marketbench_cut(struct marketbench *bench, size_t group, const double *draw_kw, double cost)
{
    size_t point = bench->cuts.groups[group].n;

    CU_ASSERT_EQUAL_FATAL(market_cuts_add(&bench->cuts, group, point, draw_kw, cost, NULL),
                          WALRAS_OK);
}
