#include "market/folded.h"
#include "market/trial.h"
#include "marketbench.h"
#include "testkit.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The metric that groups' curvature adds to the proximal term of the master. */

static bool solve(struct marketbench *bench, bool folded, const double *centre,
                  const double *curvature, struct market_trial *trial)
{
    struct market_master_settings settings = {
        .penalty_per_mwh = 1e4, .tolerance = 1e-10, .max_iterations = 100};
    struct market_master_problem ask = {
        .cuts = &bench->cuts, .centre = centre, .tau = 2.0, .curvature = curvature};
    struct market_master *plain = NULL;
    struct market_folded *fold = NULL;
    enum walras_status status = market_trial_init(trial, &bench->problem, NULL);

    if (status == WALRAS_OK)
        status = market_master_new(&bench->problem, &plain, NULL);
    if (status == WALRAS_OK)
        status = market_folded_new(&bench->problem, 0, &fold, NULL);
    if (status == WALRAS_OK) {
        struct market_master_solver solver =
            folded ? market_folded_solver_of(fold) : market_master_solver_of(plain);

        status =
            market_trial_solve(trial, &solver, &bench->rows, &ask, &settings, 1e-9, UINT_MAX, NULL);
    }
    market_master_free(plain);
    market_folded_free(fold);
    return status == WALRAS_OK && trial->info.solved;
}

/*
 * Two steps, an answer of 10 and 20 kW, supply at 50 + 2 q: q = (lambda - 50)/2. With S/tau = 3 and
 * the curvature (2 -1; -1 2), lambda = centre + d balances when
 *     (centre + d - 50)/2 + (5 -1; -1 5) d = (10, 20),   centre = (60, 60):
 *     5.5 d1 - d2 = 5,  5.5 d2 - d1 = 15:   d1 = 42.5/29.25,  d2 = 87.5/29.25.
 */
static void test_the_metric_bends_the_step(void)
{
    static const double curvature[] = {2.0, -1.0, -1.0, 2.0}, centre[] = {60.0, 60.0};
    const double d[] = {42.5 / 29.25, 87.5 / 29.25};

    for (int folded = 0; folded < 2; folded++) {
        struct marketbench bench;
        struct market_trial trial;

        marketbench_init(&bench, 1, 2, NULL);
        for (uint32_t t = 0; t < 2; t++)
            marketbench_order(&bench, 0, t, -1000.0, 1000.0, 50.0, 2.0);
        (void)marketbench_group(&bench, 0, 6.0);
        marketbench_close(&bench);
        marketbench_cut(&bench, 0, (double[]){10.0, 20.0}, 0.0);
        CU_ASSERT_TRUE_FATAL(solve(&bench, folded == 1, centre, curvature, &trial));
        TESTKIT_CLOSE(trial.u[0], 60.0 + d[0], 1e-8);
        TESTKIT_CLOSE(trial.u[1], 60.0 + d[1], 1e-8);
        TESTKIT_CLOSE(trial.info.imbalance_kw, 5.0 * d[1] - d[0], 1e-7);
        TESTKIT_CLOSE(trial.info.prox, 2.5 * (d[0] * d[0] + d[1] * d[1]) - d[0] * d[1], 1e-7);
        TESTKIT_CLOSE(trial.injection_kw[0], 0.0, 1e-6);
        market_trial_release(&trial);
        marketbench_release(&bench);
    }
}

/*
 * Groups at three buses in a row, the first line full: buses 1 and 2 are one zone. By zones or by
 * buses, prices, orders and injections are the same.
 */
static void test_zones_bend_as_their_buses_do(void)
{
    static const double limits[] = {4.0, HUGE_VAL};
    double curvature[3 * 4], centre[6] = {55.0, 60.0, 58.0, 70.0, 58.0, 70.0};
    struct market_trial trial[2];
    struct marketbench bench[2];

    for (size_t g = 0; g < 3; g++)
        memcpy(curvature + 4 * g, (double[]){1.0 + (double)g, -0.5, -0.5, 2.0}, 4 * sizeof(double));
    for (int folded = 0; folded < 2; folded++) {
        marketbench_init(&bench[folded], 3, 2, limits);
        for (uint32_t b = 0; b < 3; b++)
            for (uint32_t t = 0; t < 2; t++)
                marketbench_order(&bench[folded], b, t, -50.0, 50.0, 50.0 + 10.0 * b, 1.0 + t);
        for (uint32_t b = 0; b < 3; b++)
            (void)marketbench_group(&bench[folded], b, 6.0);
        marketbench_close(&bench[folded]);
        for (size_t g = 0; g < 3; g++)
            marketbench_cut(&bench[folded], g, (double[]){10.0 * (double)g, 20.0}, 0.0);
        CU_ASSERT_TRUE_FATAL(solve(&bench[folded], folded == 1, centre, curvature, &trial[folded]));
    }
    CU_ASSERT_TRUE(bench[0].rows.n > 0);
    for (size_t i = 0; i < 6; i++) {
        TESTKIT_CLOSE(trial[0].price[i], trial[1].price[i], 1e-7);
        TESTKIT_CLOSE(trial[0].injection_kw[i], trial[1].injection_kw[i], 1e-6);
        TESTKIT_CLOSE(trial[0].order_kw[i], trial[1].order_kw[i], 1e-6);
    }
    for (int folded = 0; folded < 2; folded++) {
        market_trial_release(&trial[folded]);
        marketbench_release(&bench[folded]);
    }
}

static const struct testkit_test tests[] = {
    {"the metric bends the step", test_the_metric_bends_the_step},
    {"zones bend as their buses do", test_zones_bend_as_their_buses_do},
};
TESTKIT_MAIN("curvature", tests)
