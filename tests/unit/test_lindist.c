#include "core/json.h"
#include "core/units.h"
#include "grid/limits.h"
#include "grid/matpower.h"
#include "gridkit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Three buses in a row on 1 MVA, the second line written towards the slack, bus 1. */
static struct grid_network row_of_three(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.04}, {3, 2, 0.01}};
    struct grid_network network = gridkit_network(3, lines, 2);

    network.lines[0].r_pu = 0.02;
    network.lines[1].r_pu = 0.03;
    return network;
}

static struct grid_limits *limits_of(const struct grid_network *network,
                                     const struct grid_lindist *input)
{
    struct grid_limits *limits = NULL;
    struct walras_err err = {0};

    if (grid_limits_lindist(network, input, &limits, &err) != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(limits);
    return limits;
}

static size_t row_at(const struct grid_limits *limits, enum grid_limit_kind kind, size_t index,
                     unsigned side)
{
    for (size_t r = 0; r < grid_limits_count(limits); r++) {
        const struct grid_limit *at = grid_limits_at(limits, r);

        if (at->kind == kind && at->index == index && at->side == side)
            return r;
    }
    CU_FAIL_FATAL("no such limit");
    return SIZE_MAX;
}

/*
 * Bus 2 draws 100 kW and 50 kvar, bus 3 200 kW: through line 1 go 0.3 + j0.05, through line 2 0.2.
 *     w2 = 1 − 2 (0.02 · 0.3 + 0.04 · 0.05) = 0.984
 *     w3 = 0.984 − 2 · 0.03 · 0.2           = 0.972
 */
static void test_three_buses_by_hand(void)
{
    static const double injection_kw[] = {300.0, -100.0, -200.0}, kvar[] = {0.0, 50.0, 0.0};
    struct grid_network network = row_of_three();
    struct grid_lindist input = {.fixed_kvar = kvar, .n_step = 1, .rating_scale = 1.0};
    double flow_kw[2], flow_kvar[2], v_pu[3];
    struct grid_state state = {flow_kw, flow_kvar, v_pu};
    struct grid_limits *limits = limits_of(&network, &input);

    grid_limits_state(limits, 0, injection_kw, &state);
    TESTKIT_CLOSE(flow_kw[0], 300.0, 1e-12);
    TESTKIT_CLOSE(flow_kw[1], -200.0, 1e-12);
    TESTKIT_CLOSE(flow_kvar[0], 50.0, 1e-12);
    TESTKIT_CLOSE(flow_kvar[1], 0.0, 1e-12);
    TESTKIT_CLOSE(v_pu[1] * v_pu[1], 0.984, 1e-12);
    TESTKIT_CLOSE(v_pu[2] * v_pu[2], 0.972, 1e-12);
    grid_limits_free(limits);
    grid_network_release(&network);
}

/*
 * The same with a transformer of ratio 0.98 at the from side of line 2, which is bus 3:
 *     w3 / 0.98² = w2 − 2 · 0.03 · 0.2 = 0.972,    w3 = 0.9604 · 0.972 = 0.9335088
 * and one of 1.05 at the from side of line 1, bus 1:
 *     w2 = 1 / 1.1025 − 0.016
 */
static void test_transformers_by_hand(void)
{
    static const double injection_kw[] = {300.0, -100.0, -200.0}, kvar[] = {0.0, 50.0, 0.0};
    struct grid_network network = row_of_three();
    struct grid_lindist input = {.fixed_kvar = kvar, .n_step = 1, .rating_scale = 1.0};
    double v_pu[3];
    struct grid_state state = {NULL, NULL, v_pu};

    network.lines[1].tap = 0.98;
    struct grid_limits *limits = limits_of(&network, &input);

    grid_limits_state(limits, 0, injection_kw, &state);
    TESTKIT_CLOSE(v_pu[2] * v_pu[2], 0.9335088, 1e-12);
    grid_limits_free(limits);
    network.lines[0].tap = 1.05;
    limits = limits_of(&network, &input);
    grid_limits_state(limits, 0, injection_kw, &state);
    TESTKIT_CLOSE(v_pu[1] * v_pu[1], 1.0 / 1.1025 - 0.016, 1e-12);
    grid_limits_free(limits);
    grid_network_release(&network);
}

/*
 * Charging of 0.02 on line 1: 10 kvar at either end at 1 per unit; at bus 2 they raise w2 by
 * 2 · 0.04 · 0.01 = 0.0008.
 */
static void test_charging_by_hand(void)
{
    static const double injection_kw[] = {0.0, 0.0, 0.0};
    struct grid_network network = row_of_three();
    struct grid_lindist input = {.n_step = 1, .rating_scale = 1.0};
    double v_pu[3];
    struct grid_state state = {NULL, NULL, v_pu};

    network.lines[0].b_pu = 0.02;
    struct grid_limits *limits = limits_of(&network, &input);

    grid_limits_state(limits, 0, injection_kw, &state);
    TESTKIT_CLOSE(v_pu[1] * v_pu[1], 1.0008, 1e-12);
    TESTKIT_CLOSE(v_pu[2] * v_pu[2], 1.0008, 1e-12);
    grid_limits_free(limits);
    grid_network_release(&network);
}

/*
 * 1 kW drawn at bus 3 takes 2 (0.02 + 0.03) / 1000 = 1e-4 off w3, at bus 2 4e-5; with a ratio of
 * 0.5 kvar to each kW at bus 2, 2 (0.02 + 0.5 · 0.04) / 1000 = 8e-5. A row counts in kW at its own
 * bus: 1, 0.4 and 0.8. w3 ≥ 0.95² leaves 0.0975 / 1e-4 = 975 kW.
 */
static void test_rows_of_voltages_count_in_kw_at_their_bus(void)
{
    static const struct grid_node node = {.bus = 1, .kvar_per_kw = 0.5};
    struct grid_network network = row_of_three();
    struct grid_lindist input = {.nodes = &node, .n_node = 1, .n_step = 1, .rating_scale = 1.0};
    struct grid_row row;

    network.buses[2].v_min_pu = 0.95;
    network.buses[2].v_max_pu = 1.05;
    struct grid_limits *limits = limits_of(&network, &input);
    size_t r = row_at(limits, GRID_LIMIT_VOLTAGE, 2, 0);

    CU_ASSERT_EQUAL(grid_limits_row(limits, r, 0, &row, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(row.n, 3);
    CU_ASSERT_EQUAL(row.bus[2], 3);
    TESTKIT_CLOSE(row.coef[0], 0.4, 1e-12);
    TESTKIT_CLOSE(row.coef[1], 1.0, 1e-12);
    TESTKIT_CLOSE(row.coef[2], 0.8, 1e-12);
    TESTKIT_CLOSE(grid_limits_at(limits, r)->low, -975.0, 1e-12);
    TESTKIT_CLOSE(grid_limits_at(limits, r)->high, 1025.0, 1e-12);
    /* a kW is 1e-4 of w, and near 0.95 that is 1e-4 / 1.9 of v */
    TESTKIT_CLOSE(grid_limits_unit_per_kw(limits, r, -1), 1e-4 / 1.9, 1e-12);
    grid_limits_free(limits);
    grid_network_release(&network);
}

static double at_sides(double kw, double kvar)
{
    double most = 0.0;

    for (unsigned k = 0; k < GRID_POLYGON_SIDES; k++) {
        struct grid_side side = grid_polygon_side(k);

        most = fmax(most, (side.kw * kw + side.kvar * kvar) / side.share);
    }
    return most;
}

/* The corners at 0, 30, 60 … degrees are on the circle, the rest is within: cos 15° at the worst.
 */
static void test_the_polygon_is_within_the_circle(void)
{
    const double degree = acos(-1.0) / 180.0;

    for (int d = 0; d < 360; d++) {
        double reach = 1.0 / at_sides(cos(degree * d), sin(degree * d));

        CU_ASSERT_TRUE(reach <= 1.0 + 1e-12 && reach >= cos(15.0 * degree) - 1e-12);
        if (d % 30 == 0)
            TESTKIT_CLOSE(reach, 1.0, 1e-12);
        if (d % 30 == 15)
            TESTKIT_CLOSE(reach, cos(15.0 * degree), 1e-12);
    }
}

/* Every value is what its row and base say, in every step; rows of random forests with nodes. */
static double worst_row(struct walras_rng *rng, struct grid_limits *limits, size_t n_node,
                        size_t n_step)
{
    double *injection_kw = calloc(n_node, sizeof(double)), worst = 0.0;
    double *value = calloc(grid_limits_count(limits), sizeof(double));
    struct grid_row row;

    CU_ASSERT_TRUE_FATAL(injection_kw && value);
    for (size_t i = 0; i < n_node; i++)
        injection_kw[i] = walras_rng_range(rng, -20.0, 20.0);
    for (size_t t = 0; t < n_step; t++) {
        CU_ASSERT_EQUAL(grid_limits_values(limits, t, injection_kw, value, NULL), WALRAS_OK);
        for (size_t r = 0; r < grid_limits_count(limits); r++) {
            double expected = grid_limits_base(limits, r, t);

            CU_ASSERT_EQUAL_FATAL(grid_limits_row(limits, r, t, &row, NULL), WALRAS_OK);
            for (size_t i = 0; i < row.n; i++)
                expected += row.coef[i] * injection_kw[row.bus[i]];
            worst = fmax(worst, fabs(value[r] - expected) / fmax(1.0, fabs(expected)));
        }
    }
    free(injection_kw);
    free(value);
    return worst;
}

static void test_rows_and_values_agree_on_random_forests(void)
{
    enum { BUSES = 24, NODES = 6, STEPS = 3 };
    size_t n = testkit_cases(100);

    for (size_t c = 0; c < n; c++) {
        struct walras_rng rng = walras_rng_from_seed(testkit_seed() + c);
        struct grid_network network = gridkit_forest(&rng, BUSES, 1 + c % 3);
        double ratio[STEPS], kvar[BUSES * STEPS];
        struct grid_node nodes[NODES];

        for (size_t i = 0; i < BUSES * STEPS; i++)
            kvar[i] = walras_rng_range(&rng, -5.0, 5.0);
        for (size_t t = 0; t < STEPS; t++)
            ratio[t] = walras_rng_range(&rng, -0.5, 0.5);
        for (size_t i = 0; i < NODES; i++)
            nodes[i] = (struct grid_node){(uint32_t)walras_rng_below(&rng, BUSES), i == 1,
                                          walras_rng_range(&rng, -0.5, 0.5),
                                          i == 0 && c % 2 ? ratio : NULL};
        struct grid_lindist input = {nodes, NODES, kvar, STEPS, 1.0, true};
        struct grid_limits *limits = limits_of(&network, &input);

        CU_ASSERT_TRUE(worst_row(&rng, limits, BUSES + NODES, STEPS) < 1e-9);
        grid_limits_free(limits);
        grid_network_release(&network);
    }
}

static void expect_refusal(struct grid_network *network, bool soft, const char *message)
{
    struct grid_lindist input = {.n_step = 1, .rating_scale = 1.0, .soft_voltages = soft};
    struct grid_limits *limits = NULL;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(grid_limits_lindist(network, &input, &limits, &err), WALRAS_INVALID);
    CU_ASSERT_PTR_NULL(limits);
    if (!strstr(err.msg, message))
        fprintf(stderr, "\"%s\" is not in: %s\n", message, err.msg);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, message));
    grid_network_release(network);
}

static void test_a_loop_is_named(void)
{
    static const struct gridkit_line lines[] = {
        {1, 2, 0.1}, {2, 3, 0.1}, {3, 4, 0.1}, {4, 2, 0.1}, {4, 5, 0.1}};
    struct grid_network network = gridkit_network(5, lines, 5);

    expect_refusal(&network, false,
                   "the model lindistflow needs a radial grid: lines l3, l2, l4 close a loop");
}

static void test_parallel_lines_are_a_loop(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.1}, {2, 1, 0.1}};
    struct grid_network network = gridkit_network(2, lines, 2);

    expect_refusal(&network, false, "lines l2, l1 close a loop");
}

static void test_an_open_line_closes_no_loop(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.1}, {2, 3, 0.1}, {3, 1, 0.1}};
    struct grid_network network = gridkit_network(3, lines, 3);
    struct grid_lindist input = {.n_step = 1, .rating_scale = 1.0};

    network.lines[2].in_service = false;
    grid_limits_free(limits_of(&network, &input));
    grid_network_release(&network);
}

static void test_slacks_that_are_joined_are_named(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.1}, {2, 3, 0.1}};
    struct grid_network network = gridkit_network(3, lines, 2);

    network.buses[2].slack_v_pu = 1.0;
    expect_refusal(&network, false, "join the slack buses");
}

static void test_bad_lines_and_voltages_are_named(void)
{
    struct grid_network network = row_of_three();

    network.lines[1].r_pu = -0.01;
    expect_refusal(&network, true, "line l2: the resistance must not be negative");
    network = row_of_three();
    network.lines[0].tap = 1e-170;
    expect_refusal(&network, true, "bus 2: ratios and impedances on the way to it are too large");
    network = row_of_three();
    network.lines[0].tap = 1.1; /* 1 / 1.1 = 0.909 */
    network.buses[1].v_min_pu = 0.95;
    expect_refusal(&network, false,
                   "bus 2: with no draw at all its voltage is 0.909091 per unit, "
                   "below v_min_pu, 0.95");
    network = row_of_three();
    network.buses[0].v_max_pu = 0.99;
    expect_refusal(&network, false, "bus 1: with no draw at all its voltage is 1 per unit, above");
    network = row_of_three();
    network.buses[1].v_min_pu = 1.2;
    network.buses[1].v_max_pu = 1.1;
    CU_ASSERT_EQUAL(grid_network_check(&network, NULL), WALRAS_INVALID);
    grid_network_release(&network);
}

static double *numbers_of(const struct walras_json *root, const char *first, const char *second,
                          size_t n)
{
    static const struct walras_range any = {-HUGE_VAL, HUGE_VAL, false, false};
    struct walras_json object, list;
    double *values = calloc(n, sizeof(*values));

    CU_ASSERT_PTR_NOT_NULL_FATAL(values);
    CU_ASSERT_EQUAL_FATAL(walras_json_need(root, first, &object, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(walras_json_need(&object, second, &list, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(walras_json_count(&list), n);
    for (size_t i = 0; i < n; i++) {
        struct walras_json value = walras_json_at(&list, i);

        CU_ASSERT_EQUAL(walras_json_number(&value, any, &values[i], NULL), WALRAS_OK);
    }
    return values;
}

/* Loads and shunts of the case at its buses; what generators give comes from the slack. */
static double worst_voltage(const struct grid_network *network, const double *expected)
{
    size_t n_bus = network->n_bus;
    double *memory = calloc(3 * n_bus, sizeof(*memory)), worst = 0.0;
    double *injection_kw = memory, *kvar = memory + n_bus, *v_pu = memory + 2 * n_bus;
    struct grid_state state = {NULL, NULL, v_pu};
    struct grid_lindist input = {
        .fixed_kvar = kvar, .n_step = 1, .rating_scale = 1.0, .soft_voltages = true};

    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    for (size_t b = 0; b < n_bus; b++) {
        injection_kw[b] = -network->buses[b].load_kw - network->buses[b].shunt_draw_kw;
        kvar[b] = network->buses[b].load_kvar - network->buses[b].shunt_inject_kvar;
    }
    struct grid_limits *limits = limits_of(network, &input);

    grid_limits_state(limits, 0, injection_kw, &state);
    for (size_t b = 0; b < n_bus; b++)
        worst = fmax(worst, fabs(v_pu[b] - expected[b]));
    grid_limits_free(limits);
    free(memory);
    return worst;
}

/* Radial cases with their LinDistFlow solutions, found by another program. */
static void test_reference_feeders_have_the_given_voltages(void)
{
    static const char *const names[] = {"case22", "case33bw", "case69", "case141"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64];
        const char *found = NULL;
        struct grid_case c = {0};
        struct walras_json_doc *doc = NULL;
        struct walras_err err = {0};

        snprintf(path, sizeof(path), "acpf/%s.json", names[i]);
        found = testkit_reference(path);
        if (!found)
            continue;
        CU_ASSERT_EQUAL_FATAL(walras_json_read(found, &doc, &err), WALRAS_OK);
        snprintf(path, sizeof(path), "acpf/%s.m", names[i]);
        found = testkit_reference(path);
        CU_ASSERT_PTR_NOT_NULL_FATAL(found);
        if (grid_case_read(found, &c, &err) != WALRAS_OK)
            fprintf(stderr, "%s\n", err.msg);
        CU_ASSERT_TRUE_FATAL(c.network.n_bus > 0);
        struct walras_json root = walras_json_root(doc);
        double *expected = numbers_of(&root, "lindistflow", "vm", c.network.n_bus);
        double worst = worst_voltage(&c.network, expected);

        printf("%s %.1e ", names[i], worst);
        CU_ASSERT_TRUE(worst <= 1e-9);
        free(expected);
        walras_json_free(doc);
        grid_case_release(&c);
    }
}

static const struct testkit_test tests[] = {
    {"three buses by hand", test_three_buses_by_hand},
    {"transformers by hand", test_transformers_by_hand},
    {"charging by hand", test_charging_by_hand},
    {"rows of voltages count in kW at their bus", test_rows_of_voltages_count_in_kw_at_their_bus},
    {"the polygon is within the circle", test_the_polygon_is_within_the_circle},
    {"rows and values agree on random forests", test_rows_and_values_agree_on_random_forests},
    {"a loop is named", test_a_loop_is_named},
    {"parallel lines are a loop", test_parallel_lines_are_a_loop},
    {"an open line closes no loop", test_an_open_line_closes_no_loop},
    {"slacks that are joined are named", test_slacks_that_are_joined_are_named},
    {"bad lines and voltages are named", test_bad_lines_and_voltages_are_named},
    {"reference feeders have the given voltages", test_reference_feeders_have_the_given_voltages},
};
TESTKIT_MAIN("lindistflow", tests)
