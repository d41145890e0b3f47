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

static const struct testkit_test tests[] = {
    {"random feeders cover their losses", test_random_feeders_cover_their_losses},
};
TESTKIT_MAIN("random losses", tests)
