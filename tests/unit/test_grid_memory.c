/* Every allocation fails once: the failure is told, nothing leaks, nothing half-made is left. */
#include "grid/limits.h"
#include "grid/matpower.h"
#include "grid/powerflow.h"
#include "testkit.h"

#include <stdlib.h>

/* The names are the linker's (--wrap). NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
/* NOLINTEND(bugprone-reserved-identifier) */

static long until_failure = -1; /* allocations that still succeed; negative: all do */

static bool fails_now(void)
{
    return until_failure >= 0 && until_failure-- == 0;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails_now() ? NULL : __real_realloc(block, size);
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

/* Runs `job` with its first, second, … allocation failing, until it has enough of them. */
static void sweep(enum walras_status (*job)(struct walras_err *err))
{
    enum walras_status status = WALRAS_NOMEM;
    long k = 0;

    for (; status != WALRAS_OK && k < 1000; k++) {
        struct walras_err err = {0};

        until_failure = k;
        status = job(&err);
        until_failure = -1;
        if (status != WALRAS_OK) {
            CU_ASSERT_EQUAL(status, WALRAS_NOMEM);
            CU_ASSERT_EQUAL(err.code, WALRAS_NOMEM);
        }
    }
    CU_ASSERT_EQUAL(status, WALRAS_OK);
    CU_ASSERT_TRUE(k > 3);
}

static enum walras_status read_example(struct walras_err *err)
{
    struct grid_case c = {0};
    enum walras_status status =
        grid_case_read(WALRAS_SOURCE_DIR "/tests/fuzz/corpus/matpower/odd.m", &c, err);

    grid_case_release(&c);
    return status;
}

static struct grid_case example; /* read before allocations fail */

static enum walras_status ask_limits(struct walras_err *err)
{
    struct grid_limits *limits = NULL;
    struct grid_row row = {0};
    enum walras_status status = grid_limits_dc(&example.network, 1.0, &limits, err);

    if (status == WALRAS_OK)
        status = grid_limits_row(limits, 0, 0, &row, err);
    grid_limits_free(limits);
    return status;
}

/* A feeder with limits of all kinds and a node whose ratio changes. */
static enum walras_status ask_feeder(struct walras_err *err)
{
    static char ids[4][3] = {"1", "2", "l1", "l2"};
    static const double ratio[] = {0.1, 0.2};
    static struct grid_bus buses[] = {{.id = ids[0], .v_max_pu = 1.1},
                                      {.id = ids[1], .v_min_pu = 0.9, .v_max_pu = 1.1}};
    static struct grid_line lines[] = {{.id = ids[2],
                                        .to = 1,
                                        .r_pu = 0.1,
                                        .x_pu = 0.1,
                                        .limit_kw = 100.0,
                                        .limit_kva = 100.0,
                                        .tap = 1.0,
                                        .in_service = true}};
    const struct grid_network network = {.base_mva = 1.0,
                                         .slack_v_pu = 1.0,
                                         .buses = buses,
                                         .n_bus = 2,
                                         .lines = lines,
                                         .n_line = 1};
    const struct grid_node node = {.bus = 1, .kvar_per_kw_of = ratio};
    const struct grid_lindist input = {
        .nodes = &node, .n_node = 1, .n_step = 2, .rating_scale = 1.0};
    struct grid_limits *limits = NULL;
    struct grid_row row = {0};
    enum walras_status status = grid_limits_lindist(&network, &input, &limits, err);

    for (size_t r = 0; status == WALRAS_OK && r < grid_limits_count(limits); r++)
        status = grid_limits_row(limits, r, 1, &row, err);
    grid_limits_free(limits);
    return status;
}

static enum walras_status make_copperplate(struct walras_err *err)
{
    struct grid_network network = {0};
    enum walras_status status = grid_network_copperplate(&network, err);

    if (status == WALRAS_OK)
        status = grid_network_check(&network, err);
    grid_network_release(&network);
    return status;
}

static enum walras_status solve_power_flow(struct walras_err *err)
{
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    double injection[8] = {0};
    struct grid_powerflow_input input = {.injection_kw = injection, .injection_kvar = injection};
    struct grid_powerflow_solution solution;
    struct grid_powerflow *flow = NULL;
    enum walras_status status = grid_powerflow_new(&example.network, &settings, &flow, err);

    if (status == WALRAS_OK)
        status = grid_powerflow_solve(flow, &input, &solution, err);
    grid_powerflow_free(flow);
    return status;
}

static void test_reading_a_case_survives(void)
{
    sweep(read_example);
}

static void test_limits_survive(void)
{
    CU_ASSERT_EQUAL_FATAL(grid_case_read(WALRAS_SOURCE_DIR "/examples/pjm5/pjm5.m", &example, NULL),
                          WALRAS_OK);
    sweep(ask_limits);
    grid_case_release(&example);
}

static void test_a_power_flow_survives(void)
{
    CU_ASSERT_EQUAL_FATAL(grid_case_read(WALRAS_SOURCE_DIR "/examples/pjm5/pjm5.m", &example, NULL),
                          WALRAS_OK);
    sweep(solve_power_flow);
    grid_case_release(&example);
}

static void test_limits_of_a_feeder_survive(void)
{
    sweep(ask_feeder);
}

static void test_a_copperplate_survives(void)
{
    sweep(make_copperplate);
}

static const struct testkit_test tests[] = {
    {"reading a case survives", test_reading_a_case_survives},
    {"limits survive", test_limits_survive},
    {"a power flow survives", test_a_power_flow_survives},
    {"limits of a feeder survive", test_limits_of_a_feeder_survive},
    {"a copperplate survives", test_a_copperplate_survives},
};
TESTKIT_MAIN("grid without memory", tests)
