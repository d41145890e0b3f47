#include "scenario/awards.h"
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES = 40000, STEPS = 3 }; /* more parts than there are slots */

static double draws[DEVICES * STEPS];

static void set_draws(void)
{
    for (size_t i = 0; i < sizeof(draws) / sizeof(draws[0]); i++)
        draws[i] = (double)i;
}

static bool same_bits(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof(*a)) == 0;
}

static size_t fails_at = SIZE_MAX; /* the device whose draw cannot be computed */

static enum walras_status compute(void *self, unsigned worker, size_t first, size_t n,
                                  double *draw_kw, struct walras_err *err)
{
    (void)self, (void)worker;
    if (first <= fails_at && fails_at < first + n)
        return walras_fail(err, WALRAS_INVALID, "device %zu", fails_at);
    memcpy(draw_kw, draws + first * STEPS, n * STEPS * sizeof(*draw_kw));
    return WALRAS_OK;
}

static struct scenario_awards computed(unsigned n_worker)
{
    return (struct scenario_awards){
        .n_device = DEVICES, .n_step = STEPS, .n_worker = n_worker, .read = compute};
}

struct seen { /* what a pass has gone through */
    size_t n_device, n_part, refused;
    double sum, slot_sum[SCENARIO_AWARDS_SLOTS];
    bool in_order, right;
};

static enum walras_status add(void *context, const struct scenario_awards_part *part,
                              struct walras_err *err)
{
    struct seen *seen = context;

    (void)err;
    seen->slot_sum[part->slot] = 0.0;
    for (size_t i = 0; i < part->n * STEPS; i++)
        seen->slot_sum[part->slot] += 0.1 * part->draw_kw[i];
    return WALRAS_OK;
}

static enum walras_status take(void *context, const struct scenario_awards_part *part,
                               struct walras_err *err)
{
    struct seen *seen = context;

    if (seen->refused == seen->n_part + 1)
        return walras_fail(err, WALRAS_IO, "part %zu refused", seen->refused);
    seen->in_order = seen->in_order && part->first == seen->n_device;
    seen->right =
        seen->right && same_bits(part->draw_kw, draws + part->first * STEPS, part->n * STEPS);
    seen->sum += seen->slot_sum[part->slot];
    seen->n_device += part->n;
    seen->n_part++;
    return WALRAS_OK;
}

static struct seen go_through(const struct scenario_awards *awards)
{
    struct seen seen = {.in_order = true, .right = true};
    const struct scenario_awards_pass pass = {&seen, add, take};

    CU_ASSERT_EQUAL(scenario_awards_run(awards, &pass, NULL), WALRAS_OK);
    return seen;
}

static void test_a_pass_takes_every_device_once_in_order(void)
{
    struct scenario_awards held = scenario_awards_of(draws, DEVICES, STEPS);
    struct scenario_awards made = computed(1);
    struct seen of_held, of_made;

    set_draws();
    of_held = go_through(&held);
    of_made = go_through(&made);
    CU_ASSERT_TRUE(of_held.in_order && of_held.right && of_held.n_device == DEVICES);
    CU_ASSERT_TRUE(of_made.in_order && of_made.right && of_made.n_device == DEVICES);
    CU_ASSERT_TRUE(of_made.n_part > SCENARIO_AWARDS_SLOTS);
    CU_ASSERT_EQUAL(of_held.n_part, of_made.n_part);
}

/* Sums of parts are added in device order: the same bits for any number of threads. */
static void test_sums_do_not_depend_on_threads(void)
{
    struct scenario_awards alone = computed(1);
    struct seen first;

    set_draws();
    first = go_through(&alone);
    for (unsigned n_worker = 2; n_worker <= 5; n_worker++) {
        struct scenario_awards many = computed(n_worker);
        struct seen seen = go_through(&many);

        CU_ASSERT_TRUE(seen.in_order && seen.right);
        CU_ASSERT_TRUE(same_bits(&seen.sum, &first.sum, 1));
    }
}

static void test_the_first_failure_in_device_order_is_told(void)
{
    struct scenario_awards awards = computed(4);
    struct seen seen = {.in_order = true, .right = true};
    const struct scenario_awards_pass pass = {&seen, add, take};
    struct walras_err err = {0};

    set_draws();
    fails_at = 30001;
    CU_ASSERT_EQUAL(scenario_awards_run(&awards, &pass, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "device 30001");
    CU_ASSERT_TRUE(seen.n_device <= fails_at);
    err = (struct walras_err){0};
    seen = (struct seen){.refused = 3, .in_order = true};
    CU_ASSERT_EQUAL(scenario_awards_run(&awards, &pass, &err), WALRAS_IO);
    CU_ASSERT_STRING_EQUAL(err.msg, "part 3 refused");
    fails_at = SIZE_MAX;
}

static void test_a_range_is_read(void)
{
    struct scenario_awards held = scenario_awards_of(draws, DEVICES, STEPS), made = computed(2);
    double read_kw[5 * STEPS];

    set_draws();
    CU_ASSERT_EQUAL(scenario_awards_read(&held, 777, 5, read_kw, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(same_bits(read_kw, draws + 777 * STEPS, 5 * STEPS));
    memset(read_kw, 0, sizeof(read_kw));
    CU_ASSERT_EQUAL(scenario_awards_read(&made, 777, 5, read_kw, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(same_bits(read_kw, draws + 777 * STEPS, 5 * STEPS));
}

static void test_nobody_is_no_pass(void)
{
    struct scenario_awards nobody = scenario_awards_of(draws, 0, STEPS);
    struct seen seen = go_through(&nobody);

    CU_ASSERT_EQUAL(seen.n_part, 0);
}

static const struct testkit_test tests[] = {
    {"a pass takes every device once, in order", test_a_pass_takes_every_device_once_in_order},
    {"sums do not depend on threads", test_sums_do_not_depend_on_threads},
    {"the first failure in device order is told", test_the_first_failure_in_device_order_is_told},
    {"a range is read", test_a_range_is_read},
    {"nobody is no pass", test_nobody_is_no_pass},
};
TESTKIT_MAIN("awards", tests)
