#include "market/clearing.h"
#include "market/method.h"
#include "quadkit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Every price method of the table, on markets of one bus or of two with a line between them. The
 * judge below recomputes bound, balance, flow and cost from the prices, points and weights that
 * came out: it knows of no rows, cuts or masters.
 */

enum { STEPS = 8, BLOCKS = 6, GROUPS = 4, MOST_ORDERS = 64 };

struct market {
    struct quadkit_group made[GROUPS];
    struct market_group groups[GROUPS];
    struct market_order orders[MOST_ORDERS];
    double firm_kw[2 * STEPS], limit_kw;
    struct grid_bus buses[2];
    struct grid_line line;
    struct grid_network network;
    struct grid_limits *limits;
    struct market_problem problem;
};

struct kind {
    bool two_buses, smooth, tied; /* smooth: quadratic; tied: near and curved are answered */
    double kw, price;             /* units */
    size_t n_device;              /* of a group; 0: no groups */
};

static void add_line(struct market *m)
{
    static char near_id[] = "near", far_id[] = "far", line_id[] = "line";

    m->buses[0] = (struct grid_bus){.id = near_id, .v_max_pu = HUGE_VAL};
    m->buses[1] = (struct grid_bus){.id = far_id, .v_max_pu = HUGE_VAL};
    m->line = (struct grid_line){.id = line_id,
                                 .to = 1,
                                 .x_pu = 0.1,
                                 .limit_kw = m->limit_kw,
                                 .tap = 1.0,
                                 .in_service = true};
    m->network = (struct grid_network){.base_mva = 1.0,
                                       .slack_v_pu = 1.0,
                                       .buses = m->buses,
                                       .n_bus = 2,
                                       .lines = &m->line,
                                       .n_line = 1};
    CU_ASSERT_EQUAL_FATAL(grid_limits_dc(&m->network, 1.0, &m->limits, NULL), WALRAS_OK);
    m->problem.limits = m->limits;
}

static void begin(struct market *m, const struct kind *kind)
{
    static const char *const ids[] = {"near", "far"};
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    size_t n_bus = kind->two_buses ? 2 : 1;

    *m = (struct market){.limit_kw = 60.0 * kind->kw};
    m->problem = (struct market_problem){.n_bus = n_bus,
                                         .n_step = STEPS,
                                         .step_h = 1.0,
                                         .firm_draw_kw = m->firm_kw,
                                         .orders = m->orders,
                                         .groups = m->groups,
                                         .breach_price_per_mwh = HUGE_VAL,
                                         .bus_ids = ids};
    for (size_t t = 0; t < STEPS; t++)
        m->firm_kw[t] = kind->kw * (60.0 + 30.0 * sin((double)t));
    for (size_t t = 0; t < STEPS && kind->two_buses; t++)
        m->firm_kw[STEPS + t] = kind->kw * (25.0 + 15.0 * cos((double)t));
    for (uint32_t t = 0; t < STEPS; t++)
        for (uint32_t k = 0; k <= BLOCKS; k++) /* the last is dear, and at the far bus if any */
            m->orders[m->problem.n_order++] = (struct market_order){
                .bus = k == BLOCKS ? (uint32_t)n_bus - 1 : 0,
                .step = t,
                .high_kw = kind->kw * (k == BLOCKS ? 500.0 : 50.0),
                .price_per_mwh = kind->price * (k == BLOCKS ? 400.0 : 30.0 + 40.0 * k)};
    for (size_t g = 0; g < GROUPS && kind->n_device > 0; g++) {
        double bend = kind->smooth ? 8.0 * kind->price / kind->kw : 0.0;

        CU_ASSERT_TRUE_FATAL(
            quadkit_make(&m->made[g], kind->n_device, STEPS, 4.0 * kind->kw, bend, &rng));
        m->groups[g] = quadkit_at(&m->made[g], g % 2 == 1 ? (uint32_t)n_bus - 1 : 0, kind->tied);
        m->problem.n_group++;
    }
    if (kind->two_buses)
        add_line(m);
}

static void end(struct market *m)
{
    for (size_t g = 0; g < m->problem.n_group; g++)
        quadkit_release(&m->made[g]);
    grid_limits_free(m->limits);
}

/* What a group answers to prices [n_bus x n_step]. */
static struct market_answer ask(const struct market *m, size_t g, const double *price, double *draw)
{
    struct market_answer answer = {0};
    const struct market_group *group = &m->groups[g];

    CU_ASSERT_EQUAL(group->oracle.ops->respond(group->oracle.self, 0, 0, price + group->bus * STEPS,
                                               draw, &answer, NULL),
                    WALRAS_OK);
    return answer;
}

/*
 * A bound of the cost: each participant's best at the prices; the line earns at most its limit
 * times the difference of prices.
 */
static double judge_bound(const struct market *m, const double *price)
{
    double bound = 0.0, draw[STEPS];

    for (size_t g = 0; g < m->problem.n_group; g++)
        bound += ask(m, g, price, draw).bound;
    for (size_t i = 0; i < m->problem.n_order; i++) {
        const struct market_order *order = &m->orders[i];
        double gain = price[order->bus * STEPS + order->step] - order->price_per_mwh;

        bound -= fmax(0.0, gain * order->high_kw) / 1000.0;
    }
    for (size_t i = 0; i < m->problem.n_bus * STEPS; i++)
        bound += price[i] * m->firm_kw[i] / 1000.0;
    for (size_t t = 0; t < STEPS && m->problem.n_bus == 2; t++)
        bound -= m->limit_kw * fabs(price[STEPS + t] - price[t]) / 1000.0;
    return bound;
}

/* Adds a group's award, mixed from its own answers to the points. */
static double add_award(const struct market *m, const struct market_result *r, size_t g,
                        double *short_kw)
{
    double cost = 0.0, sum = 0.0, draw[STEPS];

    for (size_t j = 0; j < r->n_point; j++) {
        double weight = r->weight[g * r->n_point + j];
        const double *price = r->point_price_per_mwh + j * m->problem.n_bus * STEPS;

        cost += weight * ask(m, g, price, draw).cost;
        sum += weight;
        for (size_t t = 0; t < STEPS; t++)
            short_kw[m->groups[g].bus * STEPS + t] += weight * draw[t];
    }
    TESTKIT_CLOSE(sum, 1.0, 1e-9);
    return cost;
}

/* Rebuilds the plan; true when it balances, keeps the line's limit and costs what is claimed. */
static bool judge_plan(const struct market *m, const struct market_result *r)
{
    double short_kw[2 * STEPS], cost = 0.0;

    memcpy(short_kw, m->firm_kw, sizeof(short_kw));
    for (size_t g = 0; g < m->problem.n_group; g++)
        cost += add_award(m, r, g, short_kw);
    for (size_t i = 0; i < m->problem.n_order; i++) {
        const struct market_order *order = &m->orders[i];

        if (r->order_kw[i] < -1e-9 || r->order_kw[i] > order->high_kw * (1.0 + 1e-9))
            return false;
        short_kw[order->bus * STEPS + order->step] -= r->order_kw[i];
        cost += r->order_kw[i] * order->price_per_mwh / 1000.0;
    }
    for (size_t t = 0; t < STEPS; t++) {
        double far_kw = m->problem.n_bus == 2 ? short_kw[STEPS + t] : 0.0;

        if (fabs(short_kw[t] + far_kw) > 1e-5 * m->limit_kw ||
            fabs(far_kw) > m->limit_kw * (1.0 + 1e-5))
            return false;
    }
    return testkit_close(cost, r->objective, 1e-6);
}

struct outcome {
    enum market_outcome outcome;
    double gap, objective, bound, imbalance_kw; /* the last round's */
    unsigned n_rounds;
    uint64_t n_responses, first_responses;
};

/* Clears by a method and has the result judged. */
static struct outcome clear(const struct kind *kind, const char *method, double gap,
                            unsigned max_rounds)
{
    struct market m;
    struct market_result r = {0};
    struct market_settings settings = market_settings_defaults();
    struct outcome out = {0};

    settings.method = method;
    settings.gap = gap;
    settings.max_rounds = max_rounds;
    begin(&m, kind);
    CU_ASSERT_EQUAL_FATAL(market_clear(&m.problem, &settings, &r, NULL), WALRAS_OK);
    CU_ASSERT_TRUE_FATAL(r.has_plan);
    double bound = judge_bound(&m, r.price_per_mwh);

    TESTKIT_CLOSE(bound, r.bound, 1e-7);
    CU_ASSERT_TRUE(judge_plan(&m, &r));
    CU_ASSERT_TRUE(r.objective >= bound * (1.0 - 1e-7));
    out = (struct outcome){.outcome = r.outcome,
                           .gap = (r.objective - bound) / fmax(1.0, fabs(r.objective)),
                           .objective = r.objective,
                           .bound = r.bound,
                           .imbalance_kw = r.history[r.n_rounds - 1].imbalance_kw,
                           .n_rounds = r.n_rounds,
                           .n_responses = r.n_responses,
                           .first_responses = r.history[0].n_responses};
    CU_ASSERT_EQUAL(r.history[r.n_rounds - 1].n_responses, r.n_responses);
    market_result_release(&r);
    end(&m);
    return out;
}

/* From i on, the first method that takes any market; the others have tests of their own. */
static size_t for_any_market(size_t i)
{
    while (market_methods()[i] && market_methods()[i]->takes)
        i++;
    return i;
}

static bool is(const char *method, const char *name)
{
    return strcmp(method, name) == 0;
}

static void test_every_method_converges_on_smooth_markets(void)
{
    for (int two = 0; two < 2; two++)
        for (size_t i = for_any_market(0); market_methods()[i]; i = for_any_market(i + 1)) {
            const char *method = market_methods()[i]->name;
            struct kind kind = {two == 1, true, true, 1.0, 1.0, 10};
            struct outcome out = clear(&kind, method, 1e-3, 500);

            printf("%s %u ", method, out.n_rounds);
            CU_ASSERT_EQUAL(out.outcome, MARKET_CONVERGED);
            CU_ASSERT_TRUE(out.gap <= 1e-3 * (1.0 + 1e-6));
        }
}

static void test_every_method_comes_near_on_linear_markets(void)
{
    for (int two = 0; two < 2; two++)
        for (size_t i = for_any_market(0); market_methods()[i]; i = for_any_market(i + 1)) {
            const char *method = market_methods()[i]->name;
            struct kind kind = {two == 1, false, true, 1.0, 1.0, 10};
            struct outcome out = clear(&kind, method, 1e-2, 500);

            printf("%s %u ", method, out.n_rounds);
            CU_ASSERT_EQUAL(out.outcome, MARKET_CONVERGED);
            CU_ASSERT_TRUE(out.gap <= 1e-2 * (1.0 + 1e-6));
        }
}

/* Who tells no curvature and cannot be tied is asked for prices alone. */
static void test_every_method_does_with_prices_alone(void)
{
    for (size_t i = for_any_market(0); market_methods()[i]; i = for_any_market(i + 1)) {
        const char *method = market_methods()[i]->name;
        struct kind kind = {true, true, false, 1.0, 1.0, 10};
        struct outcome out = clear(&kind, method, 1e-3, 500);

        printf("%s %u ", method, out.n_rounds);
        CU_ASSERT_EQUAL(out.outcome, MARKET_CONVERGED);
        CU_ASSERT_TRUE(out.gap <= 1e-3 * (1.0 + 1e-6));
    }
}

static void test_markets_without_groups_are_judged_alike(void)
{
    for (int two = 0; two < 2; two++)
        for (size_t i = for_any_market(0); market_methods()[i]; i = for_any_market(i + 1)) {
            const char *method = market_methods()[i]->name;
            struct kind kind = {two == 1, false, true, 1.0, 1.0, 0};
            struct outcome exact = clear(&kind, "bundle", 1e-8, 500);
            struct outcome out = clear(&kind, method, 1e-3, 500);

            printf("%s %u ", method, out.n_rounds);
            CU_ASSERT_EQUAL(exact.outcome, MARKET_CONVERGED);
            TESTKIT_CLOSE(out.objective, exact.objective, 1e-3);
            CU_ASSERT_TRUE(out.bound <= exact.objective * (1.0 + 1e-7));
        }
}

/* kW to MW, EUR to cent. */
static void test_units_change_no_rounds_of_any_method(void)
{
    static const double kw[] = {1.0, 1000.0, 1.0}, price[] = {1.0, 1.0, 100.0};

    for (int smooth = 0; smooth < 2; smooth++)
        for (size_t i = for_any_market(0); market_methods()[i]; i = for_any_market(i + 1)) {
            const char *method = market_methods()[i]->name;
            unsigned rounds[3];

            for (size_t k = 0; k < 3; k++) {
                struct kind kind = {true, smooth == 1, true, kw[k], price[k], 10};

                rounds[k] = clear(&kind, method, smooth == 1 ? 1e-4 : 1e-2, 150).n_rounds;
            }
            printf("%s %u %u %u ", method, rounds[0], rounds[1], rounds[2]);
            for (size_t k = 1; k < 3; k++)
                CU_ASSERT_TRUE(abs((int)rounds[k] - (int)rounds[0]) <= 1);
        }
}

static void test_newton_without_curvature_is_the_bundle(void)
{
    struct kind kind = {true, false, true, 1.0, 1.0, 10};
    struct outcome newton = clear(&kind, "newton", 1e-6, 500),
                   bundle = clear(&kind, "bundle", 1e-6, 500);

    CU_ASSERT_EQUAL(newton.n_rounds, bundle.n_rounds);
    TESTKIT_CLOSE(newton.bound, bundle.bound, 1e-10);
}

static void test_newton_needs_few_rounds_where_all_is_smooth(void)
{
    struct kind kind = {true, true, true, 1.0, 1.0, 40};
    struct outcome newton = clear(&kind, "newton", 1e-5, 500),
                   bundle = clear(&kind, "bundle", 1e-5, 500);

    printf("%u, bundle %u ", newton.n_rounds, bundle.n_rounds);
    CU_ASSERT_TRUE(2 * newton.n_rounds <= bundle.n_rounds);
}

/* What tied participants draw and what the operator delivers to them agree better and better. */
static void test_admm_comes_to_agree(void)
{
    for (int two = 0; two < 2; two++) {
        struct kind kind = {two == 1, true, true, 1.0, 1.0, 10};
        struct outcome early = clear(&kind, "admm", 1e-12, 4),
                       late = clear(&kind, "admm", 1e-12, 80);

        printf("%.1e %.1e kW ", early.imbalance_kw, late.imbalance_kw);
        CU_ASSERT_TRUE(late.imbalance_kw < 1e-3 * early.imbalance_kw);
    }
}

/* ADMM asks each device twice a round: tied, and for a bound. */
static void test_what_is_asked_is_counted(void)
{
    struct kind kind = {false, true, true, 1.0, 1.0, 10};

    for (size_t i = for_any_market(0); market_methods()[i]; i = for_any_market(i + 1)) {
        const char *method = market_methods()[i]->name;
        struct outcome out = clear(&kind, method, 1e-2, 500);

        CU_ASSERT_EQUAL(out.first_responses, (is(method, "admm") ? 2 : 1) * GROUPS * 10);
    }
}

static void test_the_message_lists_all_methods(void)
{
    struct market_settings settings = market_settings_defaults();
    struct walras_err err = {0};

    settings.method = "simplex";
    CU_ASSERT_EQUAL(market_settings_check(&settings, &err), WALRAS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "\"simplex\""));
    for (size_t i = 0; market_methods()[i]; i++) {
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, market_methods()[i]->name));
        settings.method = market_methods()[i]->name;
        CU_ASSERT_EQUAL(market_settings_check(&settings, NULL), WALRAS_OK);
    }
}

static const struct testkit_test tests[] = {
    {"every method converges on smooth markets", test_every_method_converges_on_smooth_markets},
    {"every method comes near on linear markets", test_every_method_comes_near_on_linear_markets},
    {"every method does with answers to prices alone", test_every_method_does_with_prices_alone},
    {"markets without groups are judged alike", test_markets_without_groups_are_judged_alike},
    {"units change no rounds of any method", test_units_change_no_rounds_of_any_method},
    {"Newton without curvature is the bundle", test_newton_without_curvature_is_the_bundle},
    {"Newton needs few rounds where all is smooth",
     test_newton_needs_few_rounds_where_all_is_smooth},
    {"ADMM comes to agree", test_admm_comes_to_agree},
    {"what is asked is counted", test_what_is_asked_is_counted},
    {"the message lists all methods", test_the_message_lists_all_methods},
};
TESTKIT_MAIN("methods", tests)
