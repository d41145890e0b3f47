#include "core/rng.h"
#include "market/dual.h"
#include "market/folded.h"
#include "market/master_lp.h"
#include "market/trial.h"
#include "marketbench.h"
#include "testkit.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { QP, FOLDED, LP };

static const double penalty_per_mwh = 10000.0;

/* Solves with lazy rows; the trial is the caller's to release. */
static bool solve(struct marketbench *bench, int which, const double *centre, double tau,
                  struct market_trial *trial)
{
    struct market_master_settings settings = {
        .penalty_per_mwh = penalty_per_mwh, .tolerance = 1e-10, .max_iterations = 100};
    struct market_master_problem ask = {.cuts = &bench->cuts, .centre = centre, .tau = tau};
    struct market_master *qp = NULL;
    struct market_folded *folded = NULL;
    struct market_master_lp *lp = NULL;
    struct market_master_solver solver = {0};
    struct walras_err err = {0};
    enum walras_status status = market_trial_init(trial, &bench->problem, &err);

    if (status == WALRAS_OK && which == QP) {
        status = market_master_new(&bench->problem, &qp, &err);
        solver = market_master_solver_of(qp);
    } else if (status == WALRAS_OK &&
               which == FOLDED) { /* every group its own bloc: same optimum */
        status = market_folded_new(&bench->problem, BENCH_GROUPS, &folded, &err);
        solver = market_folded_solver_of(folded);
    } else if (status == WALRAS_OK) {
        status = market_master_lp_new(&bench->problem, &lp, &err);
        solver = market_master_lp_solver_of(lp);
    }
    if (status == WALRAS_OK)
        status =
            market_trial_solve(trial, &solver, &bench->rows, &ask, &settings, 1e-9, UINT_MAX, &err);
    if (status != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    market_master_free(qp);
    market_folded_free(folded);
    market_master_lp_free(lp);
    return status == WALRAS_OK && trial->info.solved;
}

/* A device that values 10 kW at 100 each: a supply at 50 without a limit serves it in full. */
static void test_a_cheap_supply_serves_the_dear_answer(void)
{
    for (int which = QP; which <= LP; which++) {
        struct marketbench bench;
        struct market_trial trial;

        marketbench_init(&bench, 1, 1, NULL);
        marketbench_order(&bench, 0, 0, 0.0, HUGE_VAL, 50.0, 0.0);
        (void)marketbench_group(&bench, 0, 10.0);
        marketbench_close(&bench);
        marketbench_cut(&bench, 0, (double[]){0.0}, 0.0);
        marketbench_cut(&bench, 0, (double[]){10.0}, -1000.0);
        CU_ASSERT_TRUE_FATAL(solve(&bench, which, NULL, INFINITY, &trial));
        TESTKIT_CLOSE(trial.u[0], 50.0, 1e-7);
        TESTKIT_CLOSE(trial.weight[1], 1.0, 1e-7);
        TESTKIT_CLOSE(trial.order_kw[0], 10.0, 1e-7);
        TESTKIT_CLOSE(trial.info.primal, -500.0, 1e-7);
        market_trial_release(&trial);
        marketbench_release(&bench);
    }
}

/* With 4 kW to be had, 0.4 of the answer is served and the device's value is the price. */
static void test_a_short_supply_mixes_answers(void)
{
    for (int which = QP; which <= LP; which++) {
        struct marketbench bench;
        struct market_trial trial;

        marketbench_init(&bench, 1, 1, NULL);
        marketbench_order(&bench, 0, 0, 0.0, 4.0, 50.0, 0.0);
        (void)marketbench_group(&bench, 0, 10.0);
        marketbench_close(&bench);
        marketbench_cut(&bench, 0, (double[]){0.0}, 0.0);
        marketbench_cut(&bench, 0, (double[]){10.0}, -1000.0);
        CU_ASSERT_TRUE_FATAL(solve(&bench, which, NULL, INFINITY, &trial));
        TESTKIT_CLOSE(trial.u[0], 100.0, 1e-7);
        TESTKIT_CLOSE(trial.weight[0], 0.6, 1e-7);
        TESTKIT_CLOSE(trial.weight[1], 0.4, 1e-7);
        TESTKIT_CLOSE(trial.info.primal, 4.0 * 50.0 - 400.0, 1e-7);
        market_trial_release(&trial);
        marketbench_release(&bench);
    }
}

/*
 * Nothing but an answer of 10 kW: the proximal slack must give them, 10 = S/tau · (price − centre)
 * with S = 5, tau = 2, centre 30: price 34, term ½ · 10 · 4.
 */
static void test_the_proximal_term_yields_by_swing_and_tau(void)
{
    struct marketbench bench;
    struct market_trial trial;

    marketbench_init(&bench, 1, 1, NULL);
    (void)marketbench_group(&bench, 0, 5.0);
    marketbench_close(&bench);
    marketbench_cut(&bench, 0, (double[]){10.0}, 0.0);
    CU_ASSERT_TRUE_FATAL(solve(&bench, QP, (double[]){30.0}, 2.0, &trial));
    TESTKIT_CLOSE(trial.u[0], 34.0, 1e-7);
    TESTKIT_CLOSE(trial.info.prox, 20.0, 1e-6);
    TESTKIT_CLOSE(trial.info.primal, 0.0, 1e-6);
    TESTKIT_CLOSE(trial.info.imbalance_kw, 10.0, 1e-7);
    market_trial_release(&trial);
    marketbench_release(&bench);
}

/* 20 kW wanted at 100 behind a line of 10, supply at 50: half of it, prices 50 and 100. */
static void test_a_line_enters_when_it_binds(void)
{
    for (int which = QP; which <= LP; which++) {
        struct marketbench bench;
        struct market_trial trial;

        marketbench_init(&bench, 2, 1, (double[]){10.0});
        marketbench_order(&bench, 0, 0, 0.0, HUGE_VAL, 50.0, 0.0);
        (void)marketbench_group(&bench, 1, 20.0);
        marketbench_close(&bench);
        marketbench_cut(&bench, 0, (double[]){0.0}, 0.0);
        marketbench_cut(&bench, 0, (double[]){20.0}, -2000.0);
        CU_ASSERT_TRUE_FATAL(solve(&bench, which, NULL, INFINITY, &trial));
        CU_ASSERT_EQUAL(trial.masters, 2);
        CU_ASSERT_EQUAL_FATAL(bench.rows.n, 1);
        TESTKIT_CLOSE(trial.weight[1], 0.5, 1e-7);
        TESTKIT_CLOSE(trial.price[0], 50.0, 1e-7);
        TESTKIT_CLOSE(trial.price[1], 100.0, 1e-7);
        TESTKIT_CLOSE(trial.u[1], 50.0, 1e-6);
        market_trial_release(&trial);
        marketbench_release(&bench);
    }
}

/* The same line, soft at 30: all is served, 10 kW too much; the price at the far end is 80. */
static void test_a_soft_line_is_breached_at_its_price(void)
{
    for (int which = QP; which <= LP; which++) {
        struct marketbench bench;
        struct market_trial trial;

        marketbench_init(&bench, 2, 1, (double[]){10.0});
        bench.problem.breach_price_per_mwh = 30.0;
        marketbench_order(&bench, 0, 0, 0.0, HUGE_VAL, 50.0, 0.0);
        (void)marketbench_group(&bench, 1, 20.0);
        marketbench_close(&bench);
        marketbench_cut(&bench, 0, (double[]){0.0}, 0.0);
        marketbench_cut(&bench, 0, (double[]){20.0}, -2000.0);
        CU_ASSERT_TRUE_FATAL(solve(&bench, which, NULL, INFINITY, &trial));
        TESTKIT_CLOSE(trial.breach_kw[0], 10.0, 1e-6);
        TESTKIT_CLOSE(trial.price[1], 80.0, 1e-7);
        TESTKIT_CLOSE(trial.info.primal, 1000.0 - 2000.0 + 300.0, 1e-7);
        market_trial_release(&trial);
        marketbench_release(&bench);
    }
}

/* 5 kW firm, 3 on offer: 2 are short at the penalty; the other step has 4 too many. */
static void test_shortage_and_surplus_cost_the_penalty(void)
{
    for (int which = QP; which <= LP; which++) {
        struct marketbench bench;
        struct market_trial trial;

        marketbench_init(&bench, 1, 2, NULL);
        bench.firm_kw[0] = 5.0;
        bench.firm_kw[1] = -4.0;
        marketbench_order(&bench, 0, 0, 0.0, 3.0, 10.0, 0.0);
        marketbench_order(&bench, 0, 1, 0.0, 3.0, 10.0, 0.0);
        marketbench_close(&bench);
        CU_ASSERT_TRUE_FATAL(solve(&bench, which, NULL, INFINITY, &trial));
        TESTKIT_CLOSE(trial.shortage_kw[0], 2.0, 1e-6);
        TESTKIT_CLOSE(trial.surplus_kw[1], 4.0, 1e-6);
        TESTKIT_CLOSE(trial.u[0], penalty_per_mwh, 1e-6);
        TESTKIT_CLOSE(trial.u[1], -penalty_per_mwh, 1e-6);
        TESTKIT_CLOSE(trial.info.primal, 30.0 + 6.0 * penalty_per_mwh, 1e-7);
        market_trial_release(&trial);
        marketbench_release(&bench);
    }
}

/*
 * 8 kW: 3 from an order without room (at 7, slope 2: 21 + 9), the rest from one whose price rises
 * from 10 by 2 a kW: 5 kW, price 20, cost 50 + 25. All of it counts.
 */
static void test_slopes_and_orders_without_room_count(void)
{
    for (int which = QP; which <= LP; which++) {
        struct marketbench bench;
        struct market_trial trial;

        marketbench_init(&bench, 1, 1, NULL);
        bench.firm_kw[0] = 8.0;
        marketbench_order(&bench, 0, 0, 3.0, 3.0, 7.0, 2.0);
        marketbench_order(&bench, 0, 0, 0.0, 50.0, 10.0, 2.0);
        marketbench_close(&bench);
        CU_ASSERT_TRUE_FATAL(solve(&bench, which, NULL, INFINITY, &trial));
        TESTKIT_CLOSE(trial.order_kw[0], 3.0, 0.0);
        TESTKIT_CLOSE(trial.order_kw[1], 5.0, which == QP ? 1e-6 : 1e-3);
        TESTKIT_CLOSE(trial.u[0], 20.0, which == QP ? 1e-6 : 1e-3);
        TESTKIT_CLOSE(trial.info.primal, 30.0 + 75.0, which == QP ? 1e-7 : 1e-5);
        market_trial_release(&trial);
        marketbench_release(&bench);
    }
}

/* A random market whose master has everything: rows, slopes, orders of all kinds, groups. */
static void make_random(struct marketbench *bench, struct walras_rng *rng)
{
    size_t n_bus = 1 + walras_rng_below(rng, 4), n_step = 1 + walras_rng_below(rng, 4);
    size_t n_group = walras_rng_below(rng, 5);
    double limit_kw[BENCH_BUSES];

    for (size_t l = 0; l < BENCH_BUSES; l++)
        limit_kw[l] = walras_rng_unit(rng) < 0.3 ? HUGE_VAL : walras_rng_range(rng, 1.0, 20.0);
    marketbench_init(bench, n_bus, n_step, limit_kw);
    if (walras_rng_unit(rng) < 0.3)
        bench->problem.breach_price_per_mwh = walras_rng_range(rng, 10.0, 500.0);
    for (size_t i = 0; i < n_bus * n_step; i++)
        bench->firm_kw[i] = walras_rng_range(rng, -3.0, 8.0);
    for (uint32_t t = 0; t < n_step; t++)
        for (size_t i = 0, n = 1 + walras_rng_below(rng, 6); i < n; i++) {
            double low = walras_rng_unit(rng) < 0.5 ? 0.0 : -walras_rng_range(rng, 0.0, 20.0);
            double width = walras_rng_unit(rng) < 0.1 ? 0.0 : walras_rng_range(rng, 0.1, 30.0);
            bool open = walras_rng_unit(rng) < 0.15, sloped = walras_rng_unit(rng) < 0.3;

            marketbench_order(bench, (uint32_t)walras_rng_below(rng, n_bus), t, low,
                              open ? HUGE_VAL : low + width, walras_rng_range(rng, -20.0, 100.0),
                              sloped ? walras_rng_range(rng, 0.01, 5.0) : 0.0);
        }
    for (size_t g = 0; g < n_group; g++)
        (void)marketbench_group(bench, (uint32_t)walras_rng_below(rng, n_bus),
                                walras_rng_range(rng, 1.0, 20.0));
    marketbench_close(bench);
    size_t n_answer = 1 + walras_rng_below(rng, 5);

    for (size_t g = 0; g < n_group; g++)
        for (size_t j = 0; j < n_answer; j++) {
            double draw_kw[4];

            for (size_t t = 0; t < n_step; t++)
                draw_kw[t] = walras_rng_range(rng, -10.0, 10.0);
            marketbench_cut(bench, g, draw_kw, walras_rng_range(rng, -300.0, 300.0));
        }
}

struct judgement {
    double primal, dual, breach_kw; /* breach of what a solution must keep */
};

static double order_least(const struct market_order *order, double price, double reach_kw)
{
    double low = fmax(order->low_kw, -reach_kw), high = fmin(order->high_kw, reach_kw);
    double gain = order->price_per_mwh - price, slope = order->slope_per_mwh_per_kw;
    double q = gain > 0.0 ? low : high;

    if (slope > 0.0)
        q = fmin(high, fmax(low, -gain / slope));
    return q * (gain + 0.5 * slope * q);
}

/* Injections of orders, firm draw and mixtures; their cost and their least cost at the prices. */
static void judge_plan(const struct marketbench *b, const struct market_trial *trial,
                       double *injection_kw, struct judgement *found)
{
    const struct market_problem *p = &b->problem;
    double reach_kw = market_reach_kw(p);
    size_t n_step = p->n_step, at = 0;

    for (size_t i = 0; i < p->n_bus * n_step; i++) {
        injection_kw[i] = -p->firm_draw_kw[i];
        found->dual += trial->price[i] * p->firm_draw_kw[i];
    }
    for (size_t i = 0; i < p->n_order; i++) {
        const struct market_order *o = &p->orders[i];
        double q = trial->order_kw[i];

        found->breach_kw = fmax(found->breach_kw, fmax(o->low_kw - q, q - o->high_kw));
        injection_kw[o->bus * n_step + o->step] += q;
        found->primal += q * (o->price_per_mwh + 0.5 * o->slope_per_mwh_per_kw * q);
        found->dual += order_least(o, trial->price[o->bus * n_step + o->step], reach_kw);
    }
    for (size_t g = 0; g < p->n_group; g++) {
        const struct market_group_cuts *cuts = &b->cuts.groups[g];
        double sum = 0.0, least = HUGE_VAL;

        for (size_t j = 0; j < cuts->n; j++, at++) {
            double value = cuts->cuts[j].cost;

            sum += trial->weight[at];
            found->breach_kw = fmax(found->breach_kw, -trial->weight[at]);
            found->primal += trial->weight[at] * cuts->cuts[j].cost;
            for (size_t t = 0; t < n_step; t++) {
                size_t cell = p->groups[g].bus * n_step + t;

                value += trial->price[cell] * cuts->draw_kw[j * n_step + t];
                injection_kw[cell] -= trial->weight[at] * cuts->draw_kw[j * n_step + t];
            }
            least = fmin(least, value);
        }
        found->dual += least;
        found->breach_kw = fmax(found->breach_kw, fabs(sum - 1.0));
    }
}

static void judge_prox(const struct marketbench *b, const struct market_trial *trial,
                       const double *centre, double tau, double *injection_kw,
                       struct judgement *found)
{
    const struct market_problem *p = &b->problem;

    for (size_t bus = 0; bus < p->n_bus && isfinite(tau); bus++) {
        double swing_kw = 0.0;

        for (size_t g = 0; g < p->n_group; g++)
            swing_kw += p->groups[g].bus == bus ? p->groups[g].swing_kw : 0.0;
        for (size_t t = 0; t < p->n_step && swing_kw > 0.0; t++) {
            size_t cell = bus * p->n_step + t;
            double move = trial->price[cell] - centre[cell], slack = swing_kw / tau * move;

            injection_kw[cell] += slack;
            found->primal += centre[cell] * slack + 0.5 * move * slack;
            found->dual -= 0.5 * move * slack;
        }
    }
}

static void judge_grid(struct marketbench *b, const struct market_trial *trial,
                       const double *injection_kw, struct judgement *found)
{
    const struct market_problem *p = &b->problem;
    double row_penalty = fmin(penalty_per_mwh, p->breach_price_per_mwh);

    for (size_t t = 0; t < p->n_step; t++) {
        double sum = trial->shortage_kw[t] - trial->surplus_kw[t], value[BENCH_BUSES], bus[8];

        for (size_t i = 0; i < p->n_bus; i++) {
            bus[i] = injection_kw[i * p->n_step + t];
            sum += bus[i];
        }
        found->breach_kw = fmax(found->breach_kw, fabs(sum));
        found->breach_kw = fmax(found->breach_kw, -trial->shortage_kw[t]);
        found->breach_kw = fmax(found->breach_kw, -trial->surplus_kw[t]);
        found->primal += penalty_per_mwh * (trial->shortage_kw[t] + trial->surplus_kw[t]);
        CU_ASSERT_TRUE(fabs(trial->u[t]) <= penalty_per_mwh * (1.0 + 1e-9));
        if (!p->limits)
            continue;
        CU_ASSERT_EQUAL(grid_limits_values(p->limits, 0, bus, value, NULL), WALRAS_OK);
        for (size_t r = 0; r < grid_limits_count(p->limits); r++) {
            double over = fabs(value[r]) - grid_limits_at(p->limits, r)->high;

            for (size_t a = 0; a < b->rows.n; a++)
                if (b->rows.rows[a].limit == r && b->rows.rows[a].step == t)
                    over -= trial->breach_kw[a];
            found->breach_kw = fmax(found->breach_kw, over);
        }
    }
    for (size_t a = 0; a < b->rows.n; a++) {
        double mu = trial->u[p->n_step + a];

        CU_ASSERT_TRUE(mu >= 0.0 && mu <= row_penalty * (1.0 + 1e-9));
        found->primal += row_penalty * trial->breach_kw[a];
        found->dual -= mu * b->rows.rows[a].room_kw;
    }
}

/*
 * Weak duality as the judge: a feasible plan and a price vector whose values agree are both
 * optimal. Nothing of the interior point method is used.
 */
static bool is_optimal(struct marketbench *bench, const struct market_trial *trial,
                       const double *centre, double tau)
{
    struct judgement found = {0};
    double injection_kw[BENCH_CELLS], size = 0.0;

    judge_plan(bench, trial, injection_kw, &found);
    judge_prox(bench, trial, centre, tau, injection_kw, &found);
    judge_grid(bench, trial, injection_kw, &found);
    size = fmax(1.0, fabs(found.primal));
    if (fabs(found.primal - found.dual) <= 1e-6 * fmax(1000.0, size) && found.breach_kw <= 1e-6)
        return true;
    fprintf(stderr, "primal %.12g, dual %.12g, breach %g\n", found.primal, found.dual,
            found.breach_kw);
    return false;
}

static void test_random_masters_are_optimal_by_weak_duality(void)
{
    size_t n = testkit_cases(2000), n_wrong = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t seed = testkit_seed() + i;
        struct walras_rng rng = walras_rng_from_seed(seed);
        struct marketbench bench;
        struct market_trial trial;
        double centre[BENCH_CELLS], tau = 0.0;
        bool good = false;

        make_random(&bench, &rng);
        for (size_t c = 0; c < BENCH_CELLS; c++)
            centre[c] = walras_rng_range(&rng, -20.0, 100.0);
        tau = walras_rng_unit(&rng) < 0.3 ? HUGE_VAL : exp(walras_rng_range(&rng, -3.0, 7.0));
        good = solve(&bench, i % 2 ? FOLDED : QP, centre, tau, &trial) &&
               is_optimal(&bench, &trial, centre, tau);
        if (!good && n_wrong++ < 10)
            fprintf(stderr,
                    "  seed %llu: %zu buses, %zu steps, %zu orders, %zu groups, tau %g, "
                    "solved %d after %u\n",
                    (unsigned long long)seed, bench.problem.n_bus, bench.problem.n_step,
                    bench.problem.n_order, bench.problem.n_group, tau, trial.info.solved,
                    trial.info.iterations);
        market_trial_release(&trial);
        marketbench_release(&bench);
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
}

/* Without a proximal term all masters solve the same program. */
static void test_all_masters_find_the_same_value(void)
{
    size_t n = testkit_cases(300), n_wrong = 0;

    for (size_t i = 0; i < n; i++) {
        double primal[LP + 1] = {0.0};
        bool solved = true;

        for (int which = QP; which <= LP; which++) {
            struct walras_rng rng = walras_rng_from_seed(testkit_seed() + 5000 + i);
            struct marketbench bench;
            struct market_trial trial;

            make_random(&bench, &rng);
            solved &= solve(&bench, which, NULL, INFINITY, &trial);
            primal[which] = trial.info.primal;
            market_trial_release(&trial);
            marketbench_release(&bench);
        }
        if (!solved || !testkit_close(primal[QP], primal[LP], 1e-6) ||
            !testkit_close(primal[FOLDED], primal[LP], 1e-6)) {
            n_wrong++;
            fprintf(
                stderr,
                "seed %llu: %.12g by the quadratic master, %.12g folded, %.12g by the linear one\n",
                (unsigned long long)testkit_seed() + 5000 + i, primal[QP], primal[FOLDED],
                primal[LP]);
        }
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
}

static const struct testkit_test tests[] = {
    {"a cheap supply serves the dear answer", test_a_cheap_supply_serves_the_dear_answer},
    {"a short supply mixes answers", test_a_short_supply_mixes_answers},
    {"the proximal term yields by swing and tau", test_the_proximal_term_yields_by_swing_and_tau},
    {"a line enters when it binds", test_a_line_enters_when_it_binds},
    {"a soft line is breached at its price", test_a_soft_line_is_breached_at_its_price},
    {"shortage and surplus cost the penalty", test_shortage_and_surplus_cost_the_penalty},
    {"slopes and orders without room count", test_slopes_and_orders_without_room_count},
    {"random masters are optimal by weak duality", test_random_masters_are_optimal_by_weak_duality},
    {"all masters find the same value", test_all_masters_find_the_same_value},
};
TESTKIT_MAIN("master", tests)
