#include "feeder_judge.h"
#include "grid/powerflow.h"
#include "marketkit.h"
#include "random_feeder.h"
#include "scenario/nodes.h"
#include "scenario/parts.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Random markets on random forests whose supply covers losses: what must hold of each. */

enum { MARKETS = 60, STEPS = RANDOM_FEEDER_STEPS };

static void clear_with_losses(struct walras_rng *rng, bool wide, struct marketkit *kit)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);
    struct walras_text text;
    struct grid_network *network = &kit->scenario.network;

    random_feeder(rng, &text);
    marketkit_clear(text.data, NULL, &settings, kit);
    walras_text_release(&text);
    CU_ASSERT_EQUAL_FATAL(kit->status, WALRAS_OK);
    scenario_clearing_free(kit->clearing);
    kit->clearing = NULL;
    kit->scenario.losses = true;
    for (size_t b = 0; b < network->n_bus && wide; b++) {
        network->buses[b].v_min_pu = 0.0;
        network->buses[b].v_max_pu = HUGE_VAL;
    }
    for (size_t l = 0; l < network->n_line && wide; l++) {
        network->lines[l].limit_kw = HUGE_VAL;
        network->lines[l].limit_kva = 0.0;
    }
    kit->status = scenario_clear(&kit->scenario, &settings, &kit->clearing, &kit->err);
    CU_ASSERT_EQUAL_FATAL(kit->status, WALRAS_OK);
    kit->result = scenario_clearing_result(kit->clearing);
    kit->market = kit->result->market;
    kit->certificate = kit->result->certificate;
}

struct tally {
    size_t n_settled, n_infeasible, n_unsolved, n_wrong;
    unsigned n_clearing; /* the most */
};

static bool is_right(const struct marketkit *kit, struct tally *tally)
{
    const struct scenario_losses_told *told = kit->result->losses;

    if (kit->market->outcome == MARKET_INFEASIBLE) {
        tally->n_infeasible++;
        return true;
    }
    if (kit->certificate->physics.unsolved != SIZE_MAX) {
        tally->n_unsolved++;
        return !told->settled && kit->market->outcome == MARKET_ROUND_LIMIT;
    }
    tally->n_settled += told->settled;
    tally->n_clearing = told->n_clearing > tally->n_clearing ? told->n_clearing : tally->n_clearing;
    if (!told->settled)
        return told->why[0] != '\0' && kit->market->outcome == MARKET_ROUND_LIMIT;
    return marketkit_is_good(kit) && feeder_parts_sum_to_prices(kit) &&
           feeder_limits_account_for_surplus(kit);
}

static void test_random_feeders_cover_their_losses(void)
{
    size_t n = testkit_cases(MARKETS);
    struct tally tally = {0};

    for (size_t i = 0; i < n; i++) {
        uint64_t seed = testkit_seed() + i;
        struct walras_rng rng = walras_rng_from_seed(seed);
        struct marketkit kit = {0};

        clear_with_losses(&rng, false, &kit);
        if (!is_right(&kit, &tally)) {
            tally.n_wrong++;
            fprintf(stderr, "seed %llu is wrong\n", (unsigned long long)seed);
        }
        marketkit_release(&kit);
    }
    printf("(%zu markets: %zu settled after at most %u clearings, %zu infeasible, %zu without AC "
           "power flow) ",
           n, tally.n_settled, tally.n_clearing, tally.n_infeasible, tally.n_unsolved);
    CU_ASSERT_EQUAL(tally.n_wrong, 0);
    CU_ASSERT_TRUE(10 * tally.n_settled >= 8 * (n - tally.n_infeasible - tally.n_unsolved));
}

/* Injections of a step of the plan, all devices and exchange: kw and kvar [n_bus]. */
static void take_plan(const struct marketkit *kit, size_t step, double *kw, double *kvar)
{
    const struct scenario *s = &kit->scenario;
    const struct scenario_result *r = kit->result;

    for (size_t b = 0; b < s->network.n_bus; b++) {
        kw[b] = -r->bus_draw_kw[b * STEPS + step];
        kvar[b] = 0.0;
    }
    for (size_t i = 0; i < s->n_device; i++) {
        struct scenario_reactive of = scenario_reactive_of(&s->devices[i], step);

        kvar[scenario_device_bus(s, i)] -=
            of.fixed_kvar + of.kvar_per_kw * r->awards->draw_kw[i * STEPS + step];
    }
    for (size_t i = 0; i < r->n_inverter; i++)
        kvar[scenario_device_bus(s, r->inverters[i].device)] -= r->inverter_kvar[i * STEPS + step];
}

/* How far prices of a step are from energy x (1 - loss factor), as a share of the energy price. */
static double factor_error(const struct marketkit *kit, struct grid_powerflow *flow, size_t step)
{
    const struct scenario_parts *parts = kit->result->parts;
    double kw[16], kvar[16], factor_kw[16], factor_kvar[16], worst = 0.0;
    struct grid_powerflow_input input = {.injection_kw = kw, .injection_kvar = kvar};
    struct grid_powerflow_solution solved = {0};

    CU_ASSERT_FATAL(kit->scenario.network.n_bus <= 16);
    take_plan(kit, step, kw, kvar);
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &solved, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(grid_powerflow_loss_factors(flow, factor_kw, factor_kvar, NULL),
                          WALRAS_OK);
    for (size_t b = 0; b < kit->scenario.network.n_bus; b++) {
        double energy = parts->energy[b * STEPS + step];

        if (energy > 1.0)
            worst = fmax(worst, fabs(parts->loss[b * STEPS + step] / energy + factor_kw[b]));
    }
    return worst;
}

/* Without limits a price is energy and loss, and the loss part is what the power flow says it is.
 */
static void test_wide_limits_leave_energy_and_loss(void)
{
    size_t n = testkit_cases(MARKETS / 2), n_settled = 0;
    double worst = 0.0;

    for (size_t i = 0; i < n; i++) {
        struct walras_rng rng = walras_rng_from_seed(testkit_seed() + i);
        struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
        struct grid_powerflow *flow = NULL;
        struct marketkit kit = {0};

        clear_with_losses(&rng, true, &kit);
        for (size_t c = 0; c < kit.scenario.network.n_bus * STEPS; c++)
            TESTKIT_CLOSE(kit.market->price_per_mwh[c],
                          kit.result->parts->energy[c] + kit.result->parts->loss[c], 1e-9);
        CU_ASSERT_EQUAL_FATAL(grid_powerflow_new(&kit.scenario.network, &settings, &flow, NULL),
                              WALRAS_OK);
        for (size_t t = 0; t < STEPS && kit.result->losses->settled; t++)
            worst = fmax(worst, factor_error(&kit, flow, t));
        n_settled += kit.result->losses->settled;
        grid_powerflow_free(flow);
        marketkit_release(&kit);
    }
    printf("(%zu of %zu settled, factors within %.3f) ", n_settled, n, worst);
    CU_ASSERT_TRUE(10 * n_settled >= 8 * n);
    CU_ASSERT_TRUE(worst < 0.05);
}

static const struct testkit_test tests[] = {
    {"wide limits leave energy and loss", test_wide_limits_leave_energy_and_loss},
    {"random feeders cover their losses", test_random_feeders_cover_their_losses},
};
TESTKIT_MAIN("random losses", tests)
