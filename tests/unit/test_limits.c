#include "grid/limits.h"
#include "gridkit.h"
#include "testkit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Buses 1, 2, 3; lines 1-2, 2-3, 1-3 of equal reactance; the slack is bus 3. */
static struct grid_network loop(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.1}, {2, 3, 0.1}, {1, 3, 0.1}};
    struct grid_network network = gridkit_network(3, lines, 3);

    network.slack = 2;
    return network;
}

static struct grid_limits *limits_of(const struct grid_network *network)
{
    struct grid_limits *limits = NULL;
    struct walras_err err = {0};

    if (grid_limits_dc(network, 1.0, &limits, &err) != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(limits);
    return limits;
}

/* Flows of the loop for 300 kW from bus 1 to bus 3; releases the network. */
static void expect_loop(struct grid_network *network, double f12, double f23, double f13)
{
    static const double injection_kw[] = {300.0, 0.0, -300.0};
    struct grid_limits *limits = limits_of(network);
    double flow[3] = {0};

    CU_ASSERT_EQUAL(grid_limits_values(limits, 0, injection_kw, flow, NULL), WALRAS_OK);
    TESTKIT_CLOSE(flow[0], f12, 1e-12);
    TESTKIT_CLOSE(flow[1], f23, 1e-12);
    TESTKIT_CLOSE(flow[2], f13, 1e-12);
    grid_limits_free(limits);
    grid_network_release(network);
}

/* The direct way has half the reactance of the way round: it takes two thirds. */
static void test_equal_loop_shares_two_to_one(void)
{
    struct grid_network network = loop();

    expect_loop(&network, 100.0, 100.0, 200.0);
}

/* A ratio of 2 doubles the reactance of the direct way: both ways take half. */
static void test_tap_multiplies_the_reactance(void)
{
    struct grid_network network = loop();

    network.lines[2].tap = 2.0;
    expect_loop(&network, 150.0, 150.0, 150.0);
}

/* Susceptances 5 (way round) and -10 (direct): the direct way takes -10 / (5 - 10) = 2 parts. */
static void test_negative_reactance_overshoots(void)
{
    struct grid_network network = loop();

    network.lines[2].x_pu = -0.1;
    expect_loop(&network, -300.0, -300.0, 600.0);
}

/* 0.03 rad drive 0.03 / (3 · 0.1) per unit = 100 kW round the loop, against the shifted line. */
static void test_phase_shift_drives_a_flow_round_the_loop(void)
{
    struct grid_network network = loop();

    network.lines[2].shift_rad = 0.03;
    struct grid_limits *limits = limits_of(&network);

    TESTKIT_CLOSE(grid_limits_base(limits, 0, 0), 100.0, 1e-12);
    TESTKIT_CLOSE(grid_limits_base(limits, 2, 0), -100.0, 1e-12);
    grid_limits_free(limits);
    expect_loop(&network, 200.0, 200.0, 100.0);
}

/* Susceptances 5 and -5 between buses 1 and 3: any transfer would do. */
static void test_reactances_that_cancel_are_an_error_with_a_bus(void)
{
    struct grid_network network = loop();
    struct grid_limits *limits = NULL;
    struct walras_err err = {0};

    network.lines[2].x_pu = -0.2;
    CU_ASSERT_EQUAL(grid_limits_dc(&network, 1.0, &limits, &err), WALRAS_INVALID);
    CU_ASSERT_PTR_NULL(limits);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cancel"));
    CU_ASSERT_PTR_EQUAL(strstr(err.msg, "bus "), err.msg);
    err = (struct walras_err){0};
    network.lines[2].x_pu = nextafter(-0.2, -1.0); /* all but cancel */
    CU_ASSERT_EQUAL(grid_limits_dc(&network, 1.0, &limits, &err), WALRAS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cancel"));
    grid_network_release(&network);
}

/*
 * Next to nothing between buses 2 and 3: the way round takes 3 / (3 + 1) of 300, but for the 1e-11
 * and, away from the slack, for what the sum of 1e14 and 1e3 loses.
 */
static void test_very_unequal_reactances_are_fine(void)
{
    static const double injection_kw[] = {300.0, 0.0, -300.0};
    struct grid_network network = loop();
    double flow[3] = {0};

    network.lines[0].x_pu = 1.0;
    network.lines[1].x_pu = 1e-11;
    network.lines[2].x_pu = 3.0;
    network.slack = 0;
    struct grid_limits *limits = limits_of(&network);

    CU_ASSERT_EQUAL(grid_limits_values(limits, 0, injection_kw, flow, NULL), WALRAS_OK);
    TESTKIT_CLOSE(flow[0], 225.0, 1e-4);
    TESTKIT_CLOSE(flow[1], 225.0, 1e-4);
    TESTKIT_CLOSE(flow[2], 75.0, 1e-4);
    grid_limits_free(limits);
    grid_network_release(&network);
}

static void test_limits_follow_ratings_scale_and_service(void)
{
    struct grid_network network = loop();
    struct grid_limits *limits = NULL;

    network.lines[0].limit_kw = 200.0;
    network.lines[1].in_service = false;
    CU_ASSERT_EQUAL_FATAL(grid_limits_dc(&network, 0.5, &limits, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(grid_limits_count(limits), 2);
    CU_ASSERT_EQUAL(grid_limits_at(limits, 0)->high, 100.0);
    CU_ASSERT_EQUAL(grid_limits_at(limits, 0)->low, -100.0);
    CU_ASSERT_EQUAL(grid_limits_at(limits, 1)->index, 2);
    CU_ASSERT_EQUAL(grid_limits_at(limits, 1)->high, INFINITY);
    CU_ASSERT_STRING_EQUAL(grid_limits_id(limits, 1), "l3");
    CU_ASSERT_STRING_EQUAL(grid_limit_kind_name(grid_limits_at(limits, 1)->kind), "line");
    grid_limits_free(limits);
    grid_network_release(&network);
}

static void test_absurd_scales_and_injections_are_refused(void)
{
    static const double absurd[] = {0.0, -1.0, NAN, INFINITY};
    static const double injection_kw[] = {0.0, NAN, 0.0};
    struct grid_network network = loop();
    struct grid_limits *limits = NULL;
    struct walras_err err = {0};
    double flow[3];

    for (size_t i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++)
        CU_ASSERT_EQUAL(grid_limits_dc(&network, absurd[i], &limits, NULL), WALRAS_INVALID);
    limits = limits_of(&network);
    CU_ASSERT_EQUAL(grid_limits_values(limits, 0, injection_kw, flow, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "bus 2: the injection is not finite");
    grid_limits_free(limits);
    grid_network_release(&network);
}

static void test_copperplate_has_no_limits(void)
{
    struct grid_network network = {0};

    CU_ASSERT_EQUAL_FATAL(grid_network_copperplate(&network, NULL), WALRAS_OK);
    struct grid_limits *limits = limits_of(&network);

    CU_ASSERT_EQUAL(grid_limits_count(limits), 0);
    CU_ASSERT_EQUAL(grid_limits_values(limits, 0, (double[]){5.0}, NULL, NULL), WALRAS_OK);
    grid_limits_free(limits);
    grid_network_release(&network);
}

/* The sensitivity of row r to bus b, zero when it is left out. */
static double coefficient(const struct grid_row *row, size_t bus)
{
    for (size_t i = 0; i < row->n; i++)
        if (row->bus[i] == bus)
            return row->coef[i];
    return 0.0;
}

/* Published to four digits for the PJM 5-bus system, reference bus 4 (Li & Bo 2010 data). */
static void test_pjm5_sensitivities_are_the_published_ones(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.0281}, {1, 4, 0.0304}, {1, 5, 0.0064},
                                                {2, 3, 0.0108}, {3, 4, 0.0297}, {4, 5, 0.0297}};
    static const double published[6][5] = {
        {0.1939, -0.4759, -0.3490, 0.0, 0.1595}, {0.4376, 0.2583, 0.1895, 0.0, 0.3600},
        {0.3685, 0.2176, 0.1595, 0.0, -0.5195},  {0.1939, 0.5241, -0.3490, 0.0, 0.1595},
        {0.1939, 0.5241, 0.6510, 0.0, 0.1595},   {-0.3685, -0.2176, -0.1595, 0.0, -0.4805}};
    struct grid_network network = gridkit_network(5, lines, 6);

    network.slack = 3;
    struct grid_limits *limits = limits_of(&network);

    for (size_t r = 0; r < 6; r++) {
        struct grid_row row = {0};

        CU_ASSERT_EQUAL(grid_limits_row(limits, r, 0, &row, NULL), WALRAS_OK);
        for (size_t b = 0; b < 5; b++)
            CU_ASSERT_DOUBLE_EQUAL(coefficient(&row, b), published[r][b], 0.5001e-4);
    }
    grid_limits_free(limits);
    grid_network_release(&network);
}

/* A tree 1-2, 2-3, 2-4 fed at 1: line l1 carries what 2, 3 and 4 draw, line l2 what 3 draws. */
static void test_rows_of_a_tree_hold_only_what_is_behind_the_line(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.1}, {2, 3, 0.3}, {2, 4, 0.7}};
    struct grid_network network = gridkit_network(4, lines, 3);
    struct grid_limits *limits = limits_of(&network);
    struct grid_row row = {0}, again = {0};

    CU_ASSERT_EQUAL(grid_limits_row(limits, 0, 0, &row, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(row.n, 3);
    for (size_t b = 1; b < 4; b++)
        TESTKIT_CLOSE(coefficient(&row, b), -1.0, 1e-12);
    CU_ASSERT_EQUAL(grid_limits_row(limits, 1, 0, &row, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(row.n, 1);
    CU_ASSERT_EQUAL(row.bus[0], 2);
    TESTKIT_CLOSE(row.coef[0], -1.0, 1e-12);
    CU_ASSERT_EQUAL(grid_limits_row(limits, 1, 0, &again, NULL), WALRAS_OK);
    CU_ASSERT_PTR_EQUAL(again.coef, row.coef); /* kept, not computed again */
    grid_limits_free(limits);
    grid_network_release(&network);
}

/*
 * Judge of the random meshes: angles by dense elimination with row exchanges from the definition
 * (every bus: outflow of its lines = injection), nothing shared with the code under test.
 */
static void dense_flows(const struct grid_network *network, const double *injection_kw,
                        double *flow)
{
    size_t n = network->n_bus, wide = n + 1, row = 0;
    double *m = calloc(n * wide, sizeof(*m)), *angle = calloc(n, sizeof(*angle));

    CU_ASSERT_FATAL(m && angle);
    for (size_t b = 0; b < n; b++)
        m[b * wide + n] = injection_kw[b];
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];
        double y = line->in_service ? 1000.0 * network->base_mva / line->x_pu / line->tap : 0.0;

        m[line->from * wide + line->from] += y;
        m[line->from * wide + line->to] -= y;
        m[line->from * wide + n] += y * line->shift_rad;
        m[line->to * wide + line->to] += y;
        m[line->to * wide + line->from] -= y;
        m[line->to * wide + n] -= y * line->shift_rad;
    }
    for (size_t c = 0; c < wide; c++) /* the slack's own equation: its angle is zero */
        m[network->slack * wide + c] = c == network->slack;
    for (size_t c = 0; c < n; c++, row++) {
        size_t best = row;

        for (size_t r = row; r < n; r++)
            best = fabs(m[r * wide + c]) > fabs(m[best * wide + c]) ? r : best;
        for (size_t k = c; k < wide; k++) {
            double held = m[row * wide + k];

            m[row * wide + k] = m[best * wide + k];
            m[best * wide + k] = held;
        }
        for (size_t r = 0; r < n; r++) {
            double factor = r == row ? 0.0 : m[r * wide + c] / m[row * wide + c];

            for (size_t k = c; k < wide && factor != 0.0; k++)
                m[r * wide + k] -= factor * m[row * wide + k];
        }
    }
    for (size_t b = 0; b < n; b++)
        angle[b] = m[b * wide + n] / m[b * wide + b];
    for (size_t l = 0, r = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];

        if (line->in_service)
            flow[r++] = 1000.0 * network->base_mva / line->x_pu / line->tap *
                        (angle[line->from] - angle[line->to] - line->shift_rad);
    }
    free(angle);
    free(m);
}

/* A mesh with taps, phase shifters, some series compensation, lines out of service, any slack. */
static struct grid_network varied_mesh(struct walras_rng *rng)
{
    size_t n_bus = 2 + (size_t)walras_rng_below(rng, 40);
    struct grid_network network =
        gridkit_mesh(rng, n_bus, (size_t)walras_rng_below(rng, 1 + n_bus));

    network.slack = (size_t)walras_rng_below(rng, n_bus);
    network.base_mva = walras_rng_range(rng, 1.0, 100.0);
    for (size_t l = 0; l < network.n_line; l++) {
        struct grid_line *line = &network.lines[l];

        if (walras_rng_unit(rng) < 0.2)
            line->tap = walras_rng_range(rng, 0.9, 1.1);
        if (walras_rng_unit(rng) < 0.2)
            line->shift_rad = walras_rng_range(rng, -0.1, 0.1);
        if (walras_rng_unit(rng) < 0.05)
            line->x_pu *= -7.0;
        if (l >= n_bus - 1 && walras_rng_unit(rng) < 0.2)
            line->in_service = false;
    }
    return network;
}

static void test_random_meshes_agree_with_dense_elimination(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());

    for (size_t i = testkit_cases(300); i > 0; i--) {
        struct grid_network network = varied_mesh(&rng);
        struct grid_limits *limits = limits_of(&network);
        size_t n_row = grid_limits_count(limits);
        double *injection_kw = calloc(network.n_bus, sizeof(double));
        double *flow = calloc(n_row, sizeof(double)), *judge = calloc(n_row, sizeof(double));

        CU_ASSERT_FATAL(injection_kw && flow && judge);
        for (size_t b = 0; b + 1 < network.n_bus; b++) {
            injection_kw[b] = walras_rng_range(&rng, -1000.0, 1000.0);
            injection_kw[network.n_bus - 1] -= injection_kw[b];
        }
        CU_ASSERT_EQUAL(grid_limits_values(limits, 0, injection_kw, flow, NULL), WALRAS_OK);
        dense_flows(&network, injection_kw, judge);
        for (size_t r = 0; r < n_row; r++)
            TESTKIT_CLOSE(flow[r], judge[r], 1e-8);
        free(injection_kw);
        free(flow);
        free(judge);
        grid_limits_free(limits);
        grid_network_release(&network);
    }
}

static void test_rows_are_the_differences_of_values(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed() + 1);

    for (size_t i = testkit_cases(100); i > 0; i--) {
        struct grid_network network = varied_mesh(&rng);
        struct grid_limits *limits = limits_of(&network);
        size_t n_row = grid_limits_count(limits);
        double *injection_kw = calloc(network.n_bus, sizeof(double));
        double *flow = calloc(n_row, sizeof(double));
        struct grid_row row = {0};

        CU_ASSERT_FATAL(injection_kw && flow);
        for (size_t b = 0; b < network.n_bus; b++) {
            injection_kw[b] = 1000.0; /* values are affine: the step may be as large as we like */
            CU_ASSERT_EQUAL(grid_limits_values(limits, 0, injection_kw, flow, NULL), WALRAS_OK);
            for (size_t r = 0; r < n_row; r++) {
                double step = (flow[r] - grid_limits_base(limits, r, 0)) / 1000.0;

                CU_ASSERT_EQUAL(grid_limits_row(limits, r, 0, &row, NULL), WALRAS_OK);
                TESTKIT_CLOSE(coefficient(&row, b), step, 1e-9);
            }
            injection_kw[b] = 0.0;
        }
        free(injection_kw);
        free(flow);
        grid_limits_free(limits);
        grid_network_release(&network);
    }
}

/* shift on a line = none, and y·shift injected at its from end and drawn at its to end. */
static void test_a_phase_shift_is_a_pair_of_injections(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed() + 2);

    for (size_t i = testkit_cases(100); i > 0; i--) {
        struct grid_network network = gridkit_mesh(&rng, 12, 8);
        size_t shifted = (size_t)walras_rng_below(&rng, network.n_line);
        struct grid_line *line = &network.lines[shifted];
        double with[19], without[19], injection_kw[12] = {0};
        double driven_kw = 1000.0 / line->x_pu * 0.07;

        line->shift_rad = 0.07;
        struct grid_limits *limits = limits_of(&network);

        CU_ASSERT_EQUAL(grid_limits_values(limits, 0, injection_kw, with, NULL), WALRAS_OK);
        grid_limits_free(limits);
        line->shift_rad = 0.0;
        injection_kw[line->from] = driven_kw;
        injection_kw[line->to] = -driven_kw;
        limits = limits_of(&network);
        CU_ASSERT_EQUAL(grid_limits_values(limits, 0, injection_kw, without, NULL), WALRAS_OK);
        without[shifted] -= driven_kw;
        for (size_t l = 0; l < network.n_line; l++)
            TESTKIT_CLOSE(with[l], without[l], 1e-10);
        grid_limits_free(limits);
        grid_network_release(&network);
    }
}

static const struct testkit_test tests[] = {
    {"an equal loop shares a transfer two to one", test_equal_loop_shares_two_to_one},
    {"a tap multiplies the reactance", test_tap_multiplies_the_reactance},
    {"a negative reactance overshoots", test_negative_reactance_overshoots},
    {"a phase shift drives a flow round the loop", test_phase_shift_drives_a_flow_round_the_loop},
    {"reactances that cancel are an error with a bus",
     test_reactances_that_cancel_are_an_error_with_a_bus},
    {"very unequal reactances are fine", test_very_unequal_reactances_are_fine},
    {"limits follow ratings, scale and service", test_limits_follow_ratings_scale_and_service},
    {"absurd scales and injections are refused", test_absurd_scales_and_injections_are_refused},
    {"a copperplate has no limits", test_copperplate_has_no_limits},
    {"PJM 5-bus sensitivities are the published ones",
     test_pjm5_sensitivities_are_the_published_ones},
    {"rows of a tree hold only what is behind the line",
     test_rows_of_a_tree_hold_only_what_is_behind_the_line},
    {"random meshes agree with dense elimination", test_random_meshes_agree_with_dense_elimination},
    {"rows are the differences of values", test_rows_are_the_differences_of_values},
    {"a phase shift is a pair of injections", test_a_phase_shift_is_a_pair_of_injections},
};
TESTKIT_MAIN("limits", tests)
