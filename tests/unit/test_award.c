#include "market/award.h"
#include "testkit.h"

#include <math.h>
#include <string.h>

/*
 * One bus, one hour. The mixed group draws 4 (2 at the first point, 14/3 at the last), the integer
 * group would draw 5 mixed but settles on 6; whatever else there is, orders give.
 */
enum { MIXED, INTEGER, N_POINT = 3 };

struct stub { /* a method that hands out what it was given, and remembers what it was told */
    struct market_method method;
    struct market_plan plan, replanned;
    unsigned n_plan;
    bool fixed[2];
    double extra_kw;
};

static enum walras_status hand_out(struct market_method *method, const bool *fixed,
                                   const double *extra_draw_kw, struct market_plan *plan,
                                   struct walras_err *err)
{
    struct stub *stub = (struct stub *)method;

    (void)err;
    stub->n_plan++;
    if (fixed) {
        memcpy(stub->fixed, fixed, sizeof(stub->fixed));
        stub->extra_kw = extra_draw_kw[0];
    }
    *plan = fixed ? stub->replanned : stub->plan;
    return WALRAS_OK;
}

static enum walras_status respond(void *self, size_t part, unsigned worker,
                                  const double *price_per_mwh, double *draw_kw,
                                  struct market_answer *answer, struct walras_err *err)
{
    (void)self, (void)part, (void)worker, (void)price_per_mwh, (void)draw_kw, (void)answer;
    return walras_fail(err, WALRAS_INTERNAL, "nobody is to be asked");
}

/* Half of each of two points; the prices are those of the points with weight. */
static enum walras_status settle(void *self, size_t n_point, const double *price_per_mwh,
                                 const double *weight, double *draw_kw,
                                 struct market_answer *answer, struct walras_err *err)
{
    (void)self, (void)err;
    CU_ASSERT_EQUAL(n_point, 2);
    CU_ASSERT_EQUAL(price_per_mwh[0], 20.0);
    CU_ASSERT_EQUAL(price_per_mwh[1], 30.0);
    CU_ASSERT_EQUAL(weight[0], 0.5);
    CU_ASSERT_EQUAL(weight[1], 0.5);
    draw_kw[0] = 6.0;
    *answer = (struct market_answer){.cost = 0.2};
    return WALRAS_OK;
}

/* Settling asks everybody at the plan's prices; here nobody has anything new to say. */
static enum walras_status ask_nobody(void *context, const double *price_per_mwh,
                                     struct market_reply *reply, struct walras_err *err)
{
    (void)context, (void)price_per_mwh, (void)err;
    *reply = (struct market_reply){.n_point = 1};
    return WALRAS_OK;
}
static const struct market_asker nobody = {ask_nobody, NULL};

static enum walras_status learn_nothing(struct market_method *method, const double *price_per_mwh,
                                        const struct market_reply *reply, struct walras_err *err)
{
    (void)method, (void)price_per_mwh, (void)reply, (void)err;
    return WALRAS_OK;
}

static const double zero[1] = {0.0}, price[1] = {42.0};
static const double points[N_POINT] = {10.0, 20.0, 30.0};

static struct market_plan make_plan(const double *order_kw, const double *group_draw_kw,
                                    const double *group_cost)
{
    static const double weight[2 * N_POINT] = {0.25, 0.0, 0.75, 0.0, 0.5, 0.5};

    return (struct market_plan){.energy_price_per_mwh = price,
                                .price_per_mwh = price,
                                .marginal_price_per_mwh = price,
                                .feasible = true,
                                .order_kw = order_kw,
                                .weight = weight,
                                .group_draw_kw = group_draw_kw,
                                .group_cost = group_cost,
                                .point_price_per_mwh = points,
                                .n_point = N_POINT,
                                .shortage_kw = zero,
                                .surplus_kw = zero};
}

static const struct market_method_ops stub_ops = {
    .name = "stub", .learn = learn_nothing, .plan = hand_out};
static const struct market_oracle_ops mixed_ops = {.respond = respond};
static const struct market_oracle_ops integer_ops = {.respond = respond, .settle = settle};

static const char *const ids[] = {"1"};
static const double firm_kw[] = {1.0};
static const struct market_order orders[] = {{0, 0, 0.0, 3.0, 20.0, 0.0},
                                             {0, 0, 0.0, 20.0, 50.0, 2.0}};
static const struct market_group groups[] = {
    {.bus = 0, .oracle = {&mixed_ops, NULL, 1}, .n_device = 1, .name = "mixed"},
    {.bus = 0, .oracle = {&integer_ops, NULL, 1}, .integer = true, .n_device = 2, .name = "whole"}};

static struct market_problem make_problem(void)
{
    return (struct market_problem){.n_bus = 1,
                                   .n_step = 1,
                                   .step_h = 1.0,
                                   .firm_draw_kw = firm_kw,
                                   .firm_cost = 0.5,
                                   .orders = orders,
                                   .n_order = 2,
                                   .groups = groups,
                                   .n_group = 2,
                                   .breach_price_per_mwh = HUGE_VAL,
                                   .bus_ids = ids};
}

/*
 * 1 firm, 4 mixed and 6 settled are 11: 3 from the first order, which is full, and 8 from the
 * second, though the method says 7.999: what is missing goes to the order with room both ways.
 * Cost: 3 · 20 + 8 · (50 + 8) in 1/1000, groups 0.1 and 0.2, firm 0.5.
 */
static void test_settled_groups_are_dispatched_around(void)
{
    struct market_problem problem = make_problem();
    struct market_state state = {.bound = 1.0};
    struct market_result result = {0};
    struct stub stub = {
        .method = {&stub_ops},
        .plan = make_plan((double[]){3.0, 7.0}, (double[]){4.0, 5.0}, (double[]){0.1, 0.15}),
        .replanned = make_plan((double[]){3.0, 7.999}, (double[]){4.0, 0.0}, (double[]){0.1, 0.0})};

    CU_ASSERT_EQUAL_FATAL(market_award(&problem, &stub.method, &nobody, &state, 0, &result, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL(stub.n_plan, 4); /* mixed, around what is settled, twice without a gain */
    CU_ASSERT_FALSE(stub.fixed[MIXED]);
    CU_ASSERT_TRUE(stub.fixed[INTEGER]);
    CU_ASSERT_EQUAL(stub.extra_kw, 6.0);
    CU_ASSERT_TRUE(result.has_plan);
    CU_ASSERT_EQUAL(result.group_draw_kw[MIXED], 4.0);
    CU_ASSERT_EQUAL(result.group_draw_kw[INTEGER], 6.0);
    CU_ASSERT_EQUAL(result.order_kw[0], 3.0);
    CU_ASSERT_DOUBLE_EQUAL(result.order_kw[1], 8.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(result.objective, 0.060 + 0.464 + 0.3 + 0.5, 1e-12);
    /* mixed: 3 · 20 + 7 · (50 + 7), groups 0.25 */
    CU_ASSERT_DOUBLE_EQUAL(result.convex_objective, 0.060 + 0.399 + 0.25 + 0.5, 1e-12);
    CU_ASSERT_EQUAL(result.bound, 1.0);
    CU_ASSERT_EQUAL(result.price_per_mwh[0], 42.0);
    market_result_release(&result);
}

/* The second point is only the integer group's, which has settled: it is not handed on. */
static void test_points_without_weight_are_left_out(void)
{
    struct market_problem problem = make_problem();
    struct market_state state = {0};
    struct market_result result = {0};
    struct stub stub = {
        .method = {&stub_ops},
        .plan = make_plan((double[]){3.0, 7.0}, (double[]){4.0, 5.0}, (double[]){0.1, 0.15}),
        .replanned = make_plan((double[]){3.0, 8.0}, (double[]){4.0, 0.0}, (double[]){0.1, 0.0})};

    CU_ASSERT_EQUAL_FATAL(market_award(&problem, &stub.method, &nobody, &state, 0, &result, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(result.n_point, 2);
    CU_ASSERT_EQUAL(result.point_price_per_mwh[0], 10.0);
    CU_ASSERT_EQUAL(result.point_price_per_mwh[1], 30.0);
    CU_ASSERT_EQUAL(result.weight[0], 0.25);
    CU_ASSERT_EQUAL(result.weight[1], 0.75);
    CU_ASSERT_EQUAL(result.weight[2], 0.0);
    CU_ASSERT_EQUAL(result.weight[3], 0.0);
    market_result_release(&result);
}

/* Nothing is settled: one plan, no more. 2 kW are short: that is told, and there is no plan. */
static void test_what_is_unmet_is_no_plan(void)
{
    struct market_problem problem = make_problem();
    struct market_state state = {0};
    struct market_result result = {0};
    struct stub stub = {
        .method = {&stub_ops},
        .plan = make_plan((double[]){3.0, 0.0}, (double[]){4.0, 0.0}, (double[]){0.1, 0.0})};

    problem.n_group = 1;
    stub.plan.feasible = false;
    stub.plan.shortage_kw = (double[]){2.0};
    CU_ASSERT_EQUAL_FATAL(market_award(&problem, &stub.method, &nobody, &state, 0, &result, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL(stub.n_plan, 1);
    CU_ASSERT_FALSE(result.has_plan);
    CU_ASSERT_EQUAL_FATAL(result.n_breach, 1);
    CU_ASSERT_EQUAL(result.breach[0].kind, MARKET_BREACH_SHORTAGE);
    CU_ASSERT_EQUAL(result.breach[0].breach_kw, 2.0);
    CU_ASSERT_EQUAL(result.breach[0].cost, 0.0);
    market_result_release(&result);
}

/* A soft limit broken by 3 kW at 200: 0.6 on top; shadow prices of zero bind nothing. */
static void test_soft_breaches_cost_and_shadow_prices_bind(void)
{
    struct market_shadow shadows[] = {{.limit = 1, .direction = 1, .price_per_mwh = 200.0},
                                      {.limit = 2, .direction = -1, .price_per_mwh = 0.0}};
    struct market_shadow breach = {.limit = 1, .direction = 1, .price_per_mwh = 3.0};
    struct market_problem problem = make_problem();
    struct market_state state = {0};
    struct market_result result = {0};
    struct stub stub = {
        .method = {&stub_ops},
        .plan = make_plan((double[]){3.0, 2.0}, (double[]){4.0, 0.0}, (double[]){0.1, 0.0})};

    problem.n_group = 1;
    problem.breach_price_per_mwh = 200.0;
    stub.plan.shadows = shadows;
    stub.plan.n_shadow = 2;
    stub.plan.breaches = &breach;
    stub.plan.n_breach = 1;
    CU_ASSERT_EQUAL_FATAL(market_award(&problem, &stub.method, &nobody, &state, 0, &result, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(result.n_binding, 1);
    CU_ASSERT_EQUAL(result.binding[0].row, 1);
    CU_ASSERT_EQUAL(result.binding[0].shadow_price_per_mwh, 200.0);
    CU_ASSERT_EQUAL_FATAL(result.n_breach, 1);
    CU_ASSERT_DOUBLE_EQUAL(result.breach[0].cost, 0.6, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(result.objective, 0.060 + 0.104 + 0.1 + 0.5 + 0.6, 1e-12);
    market_result_release(&result);
}

static const struct testkit_test tests[] = {
    {"settled groups are dispatched around", test_settled_groups_are_dispatched_around},
    {"points without weight are left out", test_points_without_weight_are_left_out},
    {"what is unmet is no plan", test_what_is_unmet_is_no_plan},
    {"soft breaches cost, shadow prices bind", test_soft_breaches_cost_and_shadow_prices_bind},
};
TESTKIT_MAIN("award", tests)
