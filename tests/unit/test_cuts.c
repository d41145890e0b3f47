#include "market/cuts.h"
#include "testkit.h"

#include <string.h>

static void add(struct market_cuts *cuts, size_t group, size_t point, double first, double cost)
{
    CU_ASSERT_EQUAL_FATAL(
        market_cuts_add(cuts, group, point, (double[]){first, 2.0 * first, -first}, cost, NULL),
        WALRAS_OK);
}

static void test_answers_lie_one_behind_another(void)
{
    struct market_cuts cuts;

    CU_ASSERT_EQUAL_FATAL(market_cuts_init(&cuts, 2, 3, NULL), WALRAS_OK);
    for (size_t j = 0; j < 100; j++) /* grows a few times */
        add(&cuts, 1, j, (double)j, -(double)j);
    add(&cuts, 0, 7, 5.0, 6.0);
    CU_ASSERT_EQUAL(cuts.n_total, 101);
    CU_ASSERT_EQUAL(cuts.groups[0].n, 1);
    CU_ASSERT_EQUAL_FATAL(cuts.groups[1].n, 100);
    for (size_t j = 0; j < 100; j++) {
        CU_ASSERT_EQUAL(cuts.groups[1].cuts[j].point, j);
        CU_ASSERT_EQUAL(cuts.groups[1].cuts[j].cost, -(double)j);
        CU_ASSERT_EQUAL(cuts.groups[1].draw_kw[3 * j + 1], 2.0 * (double)j);
    }
    market_cuts_release(&cuts);
}

/* Costs of one group that are known better now; of cuts that are left, by their points. */
static void test_costs_are_revised_by_point(void)
{
    static const double cost[] = {10.0, 20.0, 30.0, 40.0};
    struct market_cuts cuts;

    CU_ASSERT_EQUAL_FATAL(market_cuts_init(&cuts, 2, 3, NULL), WALRAS_OK);
    for (size_t g = 0; g < 2; g++) {
        add(&cuts, g, 1, 1.0, 5.0);
        add(&cuts, g, 3, 2.0, 6.0);
    }
    CU_ASSERT_EQUAL(cuts.n_revision, 0);
    market_cuts_revise(&cuts, 1, cost, 0.5);
    CU_ASSERT_EQUAL(cuts.n_revision, 1);
    CU_ASSERT_EQUAL(cuts.groups[1].cuts[0].cost, 40.0);
    CU_ASSERT_EQUAL(cuts.groups[1].cuts[1].cost, 80.0);
    CU_ASSERT_EQUAL(cuts.groups[0].cuts[0].cost, 5.0);
    market_cuts_release(&cuts);
}

/* A point goes when no group has use for its cuts; until then each group retires its own. */
static void test_points_go_when_all_groups_have_retired_them(void)
{
    struct market_cuts cuts;

    CU_ASSERT_EQUAL_FATAL(market_cuts_init(&cuts, 2, 3, NULL), WALRAS_OK);
    for (size_t j = 0; j < 4; j++)
        for (size_t g = 0; g < 2; g++) {
            add(&cuts, g, j, (double)j, 0.0);
            cuts.groups[g].cuts[j].idle = 6;
        }
    cuts.groups[0].cuts[1].mixed = 0.25; /* in a plan */
    cuts.groups[1].cuts[2].idle = 5;     /* not idle for long enough */
    market_cuts_drop_idle(&cuts, 5);
    CU_ASSERT_EQUAL(cuts.n_total, 4);
    for (size_t g = 0; g < 2; g++) {
        CU_ASSERT_EQUAL_FATAL(cuts.groups[g].n, 2);
        CU_ASSERT_EQUAL(cuts.groups[g].cuts[0].point, 1);
        CU_ASSERT_EQUAL(cuts.groups[g].draw_kw[1], 2.0);
        CU_ASSERT_EQUAL(cuts.groups[g].cuts[1].point, 2);
        CU_ASSERT_EQUAL(cuts.groups[g].draw_kw[4], 4.0);
        CU_ASSERT_EQUAL(cuts.groups[g].cuts[0].retired, g == 1);
        CU_ASSERT_EQUAL(cuts.groups[g].cuts[1].retired, g == 0);
    }
    market_cuts_release(&cuts);
}

static const struct testkit_test tests[] = {
    {"answers lie one behind another", test_answers_lie_one_behind_another},
    {"costs are revised by point", test_costs_are_revised_by_point},
    {"points go when all groups have retired them",
     test_points_go_when_all_groups_have_retired_them},
};
TESTKIT_MAIN("cuts", tests)
