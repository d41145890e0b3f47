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

/* An answer given before is not kept twice, whatever point it answers; the old one counts as new.
 */
static void test_the_same_answer_revives_its_cut(void)
{
    struct market_cuts cuts;

    CU_ASSERT_EQUAL_FATAL(market_cuts_init(&cuts, 1, 3, NULL), WALRAS_OK);
    add(&cuts, 0, 0, 4.0, 10.0);
    cuts.groups[0].cuts[0].idle = 9;
    add(&cuts, 0, 1, 4.0, 10.0);
    CU_ASSERT_EQUAL(cuts.n_total, 1);
    CU_ASSERT_EQUAL(cuts.groups[0].cuts[0].point, 0);
    CU_ASSERT_EQUAL(cuts.groups[0].cuts[0].idle, 0);
    add(&cuts, 0, 2, 4.0, 10.0 + 1e-9); /* another cost, another draw: other cuts */
    add(&cuts, 0, 3, 4.0 + 1e-9, 10.0);
    CU_ASSERT_EQUAL(cuts.n_total, 3);
    market_cuts_release(&cuts);
}

static void test_idle_cuts_go_but_not_what_a_plan_is_made_of(void)
{
    struct market_cuts cuts;

    CU_ASSERT_EQUAL_FATAL(market_cuts_init(&cuts, 2, 3, NULL), WALRAS_OK);
    for (size_t j = 0; j < 4; j++)
        add(&cuts, 0, j, (double)j, 0.0);
    add(&cuts, 1, 0, 1.0, 0.0);
    cuts.groups[0].cuts[0].idle = 6;
    cuts.groups[0].cuts[1].idle = 6;
    cuts.groups[0].cuts[1].mixed = 0.25;
    cuts.groups[0].cuts[2].idle = 5;
    cuts.groups[0].cuts[3].idle = 7;
    market_cuts_drop_idle(&cuts, 5);
    CU_ASSERT_EQUAL(cuts.n_total, 3);
    CU_ASSERT_EQUAL_FATAL(cuts.groups[0].n, 2);
    CU_ASSERT_EQUAL(cuts.groups[0].cuts[0].point, 1);
    CU_ASSERT_EQUAL(cuts.groups[0].draw_kw[1], 2.0);
    CU_ASSERT_EQUAL(cuts.groups[0].cuts[1].point, 2);
    CU_ASSERT_EQUAL(cuts.groups[0].draw_kw[4], 4.0);
    CU_ASSERT_EQUAL(cuts.groups[1].n, 1);
    market_cuts_release(&cuts);
}

static const struct testkit_test tests[] = {
    {"answers lie one behind another", test_answers_lie_one_behind_another},
    {"the same answer revives its cut", test_the_same_answer_revives_its_cut},
    {"idle cuts go, but not what a plan is made of",
     test_idle_cuts_go_but_not_what_a_plan_is_made_of},
};
TESTKIT_MAIN("cuts", tests)
