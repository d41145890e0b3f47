#include "core/file.h"
#include "core/text.h"
#include "core/units.h"
#include "feeder_judge.h"
#include "lp/lp.h"
#include "marketkit.h"
#include "random_feeder.h"
#include "scenario/export.h"
#include "scenario/nodes.h"
#include "scenario/parts.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Random markets on random forests: against the whole market as one linear program, solved by GLPK;
 * and what must hold of prices whatever the market is.
 */

enum { RANDOM_FEEDERS = 60, STEPS = RANDOM_FEEDER_STEPS };

static void solve_whole(const struct scenario *scenario, bool mps, struct lp_info *optimum)
{
    struct scenario_export_settings settings = {
        .format = mps ? SCENARIO_EXPORT_MPS : SCENARIO_EXPORT_LP, .short_names = mps};
    struct walras_err err = {0};
    struct lp *lp = NULL;
    char path[64];
    FILE *file = NULL;

    snprintf(path, sizeof(path), "test_random_feeders_%ld.%s", (long)getpid(), mps ? "mps" : "lp");
    *optimum = (struct lp_info){.objective = NAN, .bound = NAN};
    CU_ASSERT_EQUAL_FATAL(walras_file_create(path, &file, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_export(scenario, &settings, file, NULL, &err), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_file_finish(file, path, NULL), WALRAS_OK);
    if (lp_read(path, &lp, &err) == WALRAS_OK)
        CU_ASSERT_EQUAL(lp_solve(lp, NULL, NULL, NULL, optimum, &err), WALRAS_OK);
    if (err.code != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    CU_ASSERT_EQUAL(err.code, WALRAS_OK);
    lp_free(lp);
    unlink(path);
}

struct tally {
    size_t n_wrong, n_infeasible, n_volt, n_kva, n_line, n_inverter, n_soft;
};

static void count_binding(const struct marketkit *kit, struct tally *tally)
{
    bool found[GRID_LIMIT_LOSS + 1] = {false};

    for (size_t k = 0; k < kit->market->n_binding; k++)
        if (kit->market->binding[k].shadow_price_per_mwh > 0.01)
            found[grid_limits_at(kit->result->limits, kit->market->binding[k].row)->kind] = true;
    tally->n_volt += found[GRID_LIMIT_VOLTAGE];
    tally->n_kva += found[GRID_LIMIT_APPARENT];
    tally->n_line += found[GRID_LIMIT_LINE];
    tally->n_inverter += found[GRID_LIMIT_INVERTER];
    tally->n_soft += kit->market->n_breach > 0;
}

static bool is_right(const struct marketkit *kit, bool mps, struct tally *tally)
{
    struct lp_info optimum;

    if (kit->status != WALRAS_OK)
        return false;
    solve_whole(&kit->scenario, mps, &optimum);
    double size = fmax(1.0, fabs(optimum.objective));

    if (kit->market->outcome == MARKET_INFEASIBLE || optimum.outcome != LP_OPTIMAL) {
        tally->n_infeasible++;
        return kit->market->outcome == MARKET_INFEASIBLE && optimum.outcome == LP_INFEASIBLE;
    }
    count_binding(kit, tally);
    if (!marketkit_is_good(kit)) {
        fprintf(stderr, "not good: outcome %d, ", (int)kit->market->outcome);
        return false;
    }
    if (kit->market->bound > optimum.objective + 1e-7 * size ||
        kit->market->objective < optimum.objective - 1e-7 * size) {
        fprintf(stderr, "%.9g <= %.9g <= %.9g: ", kit->market->bound, optimum.objective,
                kit->market->objective);
        return false;
    }
    if (!feeder_parts_sum_to_prices(kit)) {
        fprintf(stderr, "parts do not sum to prices: ");
        return false;
    }
    if (!feeder_limits_account_for_surplus(kit)) {
        fprintf(stderr, "limits do not account for the surplus: ");
        return false;
    }
    return true;
}

static void test_random_feeders_clear_at_the_optimum(void)
{
    size_t some = testkit_cases(RANDOM_FEEDERS), n = some > 30 ? some : 30; /* every kind binds */
    struct tally tally = {0};

    for (size_t i = 0; i < n; i++) {
        uint64_t seed = testkit_seed() + i;
        struct walras_rng rng = walras_rng_from_seed(seed);
        struct scenario_clear_settings settings = marketkit_settings(1e-6);
        struct walras_text text;
        struct marketkit kit = {0};

        random_feeder(&rng, &text);
        marketkit_clear(text.data, NULL, &settings, &kit);
        if (!is_right(&kit, i % 2, &tally)) {
            tally.n_wrong++;
            fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, kit.err.msg);
        }
        marketkit_release(&kit);
        walras_text_release(&text);
    }
    printf("%zu markets, %zu infeasible; voltages bind in %zu, kVA in %zu, kW in %zu, inverters in "
           "%zu, soft ones give in %zu ",
           n, tally.n_infeasible, tally.n_volt, tally.n_kva, tally.n_line, tally.n_inverter,
           tally.n_soft);
    CU_ASSERT_EQUAL(tally.n_wrong, 0);
    CU_ASSERT_TRUE(tally.n_infeasible < n / 3);
    CU_ASSERT_TRUE(tally.n_volt > n / 20 && tally.n_kva > n / 10 && tally.n_line > n / 10 &&
                   tally.n_inverter > n / 20);
}

/* Without limits that matter a bus has the price of its slack, and kvar are free. */
static void test_wide_limits_leave_the_energy_price(void)
{
    size_t n = testkit_cases(RANDOM_FEEDERS / 3);

    for (size_t i = 0; i < n; i++) {
        struct walras_rng rng = walras_rng_from_seed(testkit_seed() + i);
        struct scenario_clear_settings settings = marketkit_settings(1e-6);
        struct scenario_clearing *clearing = NULL;
        struct walras_text text;
        struct marketkit kit = {0};

        random_feeder(&rng, &text);
        marketkit_clear(text.data, NULL, &settings, &kit);
        CU_ASSERT_EQUAL_FATAL(kit.status, WALRAS_OK);
        for (size_t b = 0; b < kit.scenario.network.n_bus; b++) {
            kit.scenario.network.buses[b].v_min_pu = 0.0;
            kit.scenario.network.buses[b].v_max_pu = HUGE_VAL;
        }
        for (size_t l = 0; l < kit.scenario.network.n_line; l++) {
            kit.scenario.network.lines[l].limit_kw = HUGE_VAL;
            kit.scenario.network.lines[l].limit_kva = 0.0;
        }
        CU_ASSERT_EQUAL_FATAL(scenario_clear(&kit.scenario, &settings, &clearing, NULL), WALRAS_OK);
        const struct scenario_result *wide = scenario_clearing_result(clearing);

        for (size_t c = 0; c < kit.scenario.network.n_bus * STEPS; c++) {
            TESTKIT_CLOSE(wide->market->price_per_mwh[c], wide->parts->energy[c], 1e-9);
            CU_ASSERT_EQUAL(wide->parts->reactive_per_mvarh[c], 0.0);
        }
        scenario_clearing_free(clearing);
        marketkit_release(&kit);
        walras_text_release(&text);
    }
}

static const struct testkit_test tests[] = {
    {"random feeders clear at the optimum", test_random_feeders_clear_at_the_optimum},
    {"wide limits leave the energy price", test_wide_limits_leave_the_energy_price},
};
TESTKIT_MAIN("random feeders", tests)
