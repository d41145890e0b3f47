/* Costs inferred from draws alone: within what they can be, revised, and not led astray. */
#include "core/rng.h"
#include "market/inferred.h"
#include "testkit.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 3 };

/* Draws x(p) = clamp(centre - p / bend): the cost is bend/2 · (x - centre)², 0 where it is best. */
struct flexible {
    double centre[STEPS], bend[STEPS], low, high;
};

static void respond(const struct flexible *f, const double *price, double *draw)
{
    for (int t = 0; t < STEPS; t++)
        draw[t] = fmin(fmax(f->centre[t] - price[t] / f->bend[t], f->low), f->high);
}

static double cost_of(const struct flexible *f, const double *draw)
{
    double cost = 0.0;

    for (int t = 0; t < STEPS; t++)
        cost += 0.5 * f->bend[t] * (draw[t] - f->centre[t]) * (draw[t] - f->centre[t]);
    return cost;
}

static double value_of(const struct flexible *f, const double *price)
{
    double draw[STEPS], value = 0.0;

    respond(f, price, draw);
    for (int t = 0; t < STEPS; t++)
        value += price[t] * draw[t];
    return value + cost_of(f, draw);
}

static void add(struct market_inferred *m, const double *price, const double *draw)
{
    CU_ASSERT_EQUAL_FATAL(market_inferred_add(m, price, draw, (double)NAN, NULL), WALRAS_OK);
}

/*
 * One step. At price 10 it draws 4, at 20 it draws 2. From 10 to 20 its value rises by 2·10 at
 * least and 4·10 at most; the middle is 30. At 10 it pays 40, at 20 it pays 40: what it gives up by
 * drawing 2 less costs it 30, which is 15 a unit. An answer of 3 at 15 says: 2.5·5 + 3.5·5 = 30
 * again, in parts of 17.5 and 12.5, and can be 35 at most, 25 at least.
 */
static void test_a_cost_is_the_middle_of_what_it_can_be(void)
{
    struct market_inferred m = {.n_step = 1};
    double most[3];

    CU_ASSERT_EQUAL_FATAL(market_inferred_add(&m, (double[]){10.0}, (double[]){4.0}, 7.0, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL(market_inferred_cost(&m, 0), 7.0);
    add(&m, (double[]){20.0}, (double[]){2.0});
    TESTKIT_CLOSE(market_inferred_cost(&m, 1), 37.0, 1e-12);
    TESTKIT_CLOSE(m.above[1], 40.0, 1e-12);
    TESTKIT_CLOSE(-m.below[1], 20.0, 1e-12);
    add(&m, (double[]){15.0}, (double[]){3.0});
    TESTKIT_CLOSE(market_inferred_rise(&m, 0, 2), 17.5, 1e-12);
    TESTKIT_CLOSE(market_inferred_cost(&m, 1), 37.0, 1e-12);
    TESTKIT_CLOSE(m.above[1], 35.0, 1e-12); /* revised by the answer between */
    TESTKIT_CLOSE(-m.below[1], 25.0, 1e-12);
    CU_ASSERT_EQUAL_FATAL(market_inferred_most(&m, 2, most, NULL), WALRAS_OK);
    TESTKIT_CLOSE(most[0], -15.0, 1e-12);
    CU_ASSERT_EQUAL(most[2], 0.0);
    TESTKIT_CLOSE(most[1], 15.0, 1e-12);
    CU_ASSERT_EQUAL(market_inferred_find(&m, (double[]){2.0}), 1);
    CU_ASSERT_EQUAL(market_inferred_find(&m, (double[]){2.5}), SIZE_MAX);
    market_inferred_release(&m);
}

/* Told at both ends, 28 apart where 20 to 40 was known: what lies between knows it too. */
static void test_a_cost_that_is_told_is_known(void)
{
    struct market_inferred m = {.n_step = 1};

    add(&m, (double[]){15.0}, (double[]){3.0});
    CU_ASSERT_EQUAL_FATAL(market_inferred_add(&m, (double[]){10.0}, (double[]){4.0}, 7.0, NULL),
                          WALRAS_OK);
    TESTKIT_CLOSE(market_inferred_cost(&m, 0), 7.0 + 40.0 + 17.5 - 45.0, 1e-12);
    CU_ASSERT_EQUAL_FATAL(market_inferred_add(&m, (double[]){20.0}, (double[]){2.0}, 35.0, NULL),
                          WALRAS_OK);
    TESTKIT_CLOSE(market_inferred_cost(&m, 1), 7.0, 1e-12);
    TESTKIT_CLOSE(market_inferred_cost(&m, 2), 35.0, 1e-12);
    TESTKIT_CLOSE(market_inferred_rise(&m, 1, 2), 28.0, 1e-12);
    /* v rises by 15 to 18 to the first, and on by 10 to 13 */
    TESTKIT_CLOSE(market_inferred_rise(&m, 1, 0), 16.5, 1e-12);
    CU_ASSERT_EQUAL(m.n_odd, 0);
    market_inferred_release(&m);
}

static struct flexible random_flexible(struct walras_rng *rng)
{
    struct flexible f = {.low = -walras_rng_unit(rng), .high = 2.0};

    for (int t = 0; t < STEPS; t++) {
        f.centre[t] = 2.0 * walras_rng_unit(rng);
        f.bend[t] = 5.0 + 40.0 * walras_rng_unit(rng);
    }
    return f;
}

/* What v is, lies between; and no inferred value contradicts an answer (eq. H1). */
static void check(const struct market_inferred *m, const struct flexible *f)
{
    double first = value_of(f, m->price);

    CU_ASSERT_EQUAL(m->n_odd, 0);
    for (size_t k = 0; k < m->n; k++) {
        double rise = value_of(f, m->price + k * STEPS) - first;

        CU_ASSERT_TRUE(rise <= m->above[k] + 1e-7 && rise >= -m->below[k] - 1e-7);
        for (size_t j = 0; j < m->n; j++) {
            double most = 0.0;

            for (size_t t = 0; t < STEPS; t++)
                most +=
                    m->draw[j * STEPS + t] * (m->price[k * STEPS + t] - m->price[j * STEPS + t]);
            CU_ASSERT_TRUE(market_inferred_rise(m, j, k) <= most + 1e-6);
        }
    }
}

/* How wide what v can be is at the first n answers. */
static double width(const struct market_inferred *m, size_t n)
{
    double sum = 0.0;

    for (size_t k = 0; k < n; k++)
        sum += m->above[k] + m->below[k];
    return sum;
}

static void test_values_of_random_participants_lie_between(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());

    for (size_t i = 0; i < testkit_cases(200); i++) {
        struct flexible f = random_flexible(&rng);
        struct market_inferred m = {.n_step = STEPS};
        double before = 0.0;

        for (size_t k = 0; k < 60; k++) {
            double price[STEPS], draw[STEPS];

            for (int t = 0; t < STEPS; t++)
                price[t] = 40.0 * walras_rng_unit(&rng);
            respond(&f, price, draw);
            add(&m, price, draw);
            if (k == 5)
                before = width(&m, 6);
        }
        check(&m, &f);
        CU_ASSERT_TRUE(width(&m, 6) <= before + 1e-9 && width(&m, 6) >= 0.0);
        market_inferred_release(&m);
    }
}

/* Draws more where it is dearer: no convex cost explains that, so it says nothing of the others. */
static void test_an_answer_that_contradicts_counts_for_no_other(void)
{
    struct market_inferred m = {.n_step = 1};
    double cost = 0.0;

    add(&m, (double[]){10.0}, (double[]){4.0});
    add(&m, (double[]){20.0}, (double[]){2.0});
    cost = market_inferred_cost(&m, 1);
    add(&m, (double[]){30.0}, (double[]){9.0});
    CU_ASSERT_EQUAL(m.n_odd, 1);
    CU_ASSERT_TRUE(m.odd[2]);
    CU_ASSERT_EQUAL(market_inferred_cost(&m, 1), cost);
    CU_ASSERT_TRUE(isfinite(market_inferred_cost(&m, 2)));
    add(&m, (double[]){30.0}, (double[]){1.0}); /* goes on as if it had not been */
    CU_ASSERT_EQUAL(m.n_odd, 1);
    TESTKIT_CLOSE(market_inferred_rise(&m, 1, 3), 15.0, 1e-12);
    market_inferred_release(&m);
}

/* Whatever is answered, it ends, and every number is one. */
static void test_any_answers_give_finite_costs(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed() + 1);

    for (size_t i = 0; i < testkit_cases(100); i++) {
        struct market_inferred m = {.n_step = STEPS};

        for (size_t k = 0; k < 40; k++) {
            double price[STEPS], draw[STEPS];

            for (int t = 0; t < STEPS; t++) {
                price[t] = 200.0 * walras_rng_unit(&rng) - 100.0;
                draw[t] = k % 7 == 0 ? 1e9 : 4.0 * walras_rng_unit(&rng) - 2.0;
            }
            add(&m, price, draw);
        }
        for (size_t k = 0; k < m.n; k++)
            CU_ASSERT_TRUE(isfinite(market_inferred_cost(&m, k)));
        market_inferred_release(&m);
    }
}

static const struct testkit_test tests[] = {
    {"a cost is the middle of what it can be", test_a_cost_is_the_middle_of_what_it_can_be},
    {"a cost that is told is known", test_a_cost_that_is_told_is_known},
    {"values of random participants lie between", test_values_of_random_participants_lie_between},
    {"an answer that contradicts counts for no other",
     test_an_answer_that_contradicts_counts_for_no_other},
    {"any answers give finite costs", test_any_answers_give_finite_costs},
};

TESTKIT_MAIN("inferred", tests)
