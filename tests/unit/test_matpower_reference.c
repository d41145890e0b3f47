/* Reference cases solved elsewhere: what is read is what was solved, and so are the flows. */
#include "grid/limits.h"
#include "grid/matpower.h"
#include "testkit.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double number(const json_t *object, const char *array, size_t i)
{
    return json_number_value(json_array_get(json_object_get(object, array), i));
}

/* The case and the reference of one name; false when they are not here. */
static bool load(const char *name, struct grid_case *c, json_t **reference)
{
    char file[200];
    struct walras_err err = {0};
    const char *path = NULL;

    snprintf(file, sizeof(file), "%s.m", name);
    path = testkit_reference(file);
    if (!path)
        return false;
    if (grid_case_read(path, c, &err) != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    CU_ASSERT_EQUAL_FATAL(err.code, WALRAS_OK);
    snprintf(file, sizeof(file), "%s.json", name);
    path = testkit_reference(file);
    *reference = path ? json_load_file(path, 0, NULL) : NULL;
    if (!*reference)
        grid_case_release(c);
    return *reference != NULL;
}

static double tap_of(const json_t *branch, size_t l)
{
    return number(branch, "tap", l) == 0.0 ? 1.0 : number(branch, "tap", l);
}

static void expect_lines(const struct grid_network *network, const json_t *branch, const char *x)
{
    CU_ASSERT_EQUAL_FATAL(network->n_line, json_array_size(json_object_get(branch, "from")));
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];
        char id[30];

        snprintf(id, sizeof(id), "%.0f", number(branch, "from", l));
        CU_ASSERT_STRING_EQUAL(network->buses[line->from].id, id);
        snprintf(id, sizeof(id), "%.0f", number(branch, "to", l));
        CU_ASSERT_STRING_EQUAL(network->buses[line->to].id, id);
        CU_ASSERT_DOUBLE_EQUAL(line->x_pu, number(branch, x, l), 1e-11);
        TESTKIT_CLOSE(line->tap, tap_of(branch, l), 1e-12);
        TESTKIT_CLOSE(line->shift_rad, number(branch, "shift_deg", l) * acos(-1.0) / 180.0, 1e-12);
        CU_ASSERT_EQUAL(line->in_service, number(branch, "on", l) != 0.0);
    }
}

static void expect_generators(const struct grid_case *c, const json_t *gen)
{
    size_t next = 0, n = json_array_size(json_object_get(gen, "bus"));

    CU_ASSERT_EQUAL(grid_case_check_market(c, NULL), WALRAS_OK);
    for (size_t g = 0; g < n; g++) {
        const json_t *cost = json_array_get(json_object_get(gen, "cost"), g);
        size_t n_cost = json_array_size(cost);

        if (number(gen, "on", g) == 0.0)
            continue;
        CU_ASSERT_FATAL(next < c->n_generator);
        const struct grid_generator *made = &c->generators[next++];

        CU_ASSERT_EQUAL(made->row, g + 1);
        TESTKIT_CLOSE(made->min_kw, 1000.0 * number(gen, "pmin", g), 1e-12);
        TESTKIT_CLOSE(made->max_kw, 1000.0 * number(gen, "pmax", g), 1e-12);
        if (number(gen, "cost_model", g) == 2.0) {
            TESTKIT_CLOSE(made->per_h, json_number_value(json_array_get(cost, n_cost - 1)), 1e-12);
            TESTKIT_CLOSE(made->per_mwh, json_number_value(json_array_get(cost, n_cost - 2)),
                          1e-12);
            CU_ASSERT_EQUAL(made->model, GRID_COST_POLYNOMIAL);
            continue;
        }
        CU_ASSERT_EQUAL_FATAL(2 * made->n_point, n_cost);
        for (size_t i = 0; i < made->n_point; i++) {
            TESTKIT_CLOSE(made->point_kw[i],
                          1000.0 * json_number_value(json_array_get(cost, 2 * i)), 1e-12);
            TESTKIT_CLOSE(made->point_per_h[i], json_number_value(json_array_get(cost, 2 * i + 1)),
                          1e-12);
        }
    }
    CU_ASSERT_EQUAL(next, c->n_generator);
}

/* The optimal injections give the optimal flows, to 1e-6 MW. */
static void expect_flows(const struct grid_case *c, const json_t *reference)
{
    const json_t *gen = json_object_get(reference, "gen"), *bus = json_object_get(reference, "bus");
    const json_t *branch = json_object_get(reference, "branch");
    struct grid_limits *limits = NULL;
    double *injection_kw = calloc(c->network.n_bus, sizeof(double));
    double *flow_kw = calloc(c->network.n_line, sizeof(double));

    CU_ASSERT_FATAL(injection_kw && flow_kw);
    CU_ASSERT_EQUAL_FATAL(grid_limits_dc(&c->network, 1.0, &limits, NULL), WALRAS_OK);
    for (size_t g = 0; g < c->n_generator; g++)
        injection_kw[c->generators[g].bus] += 1000.0 * number(gen, "pg", c->generators[g].row - 1);
    for (size_t b = 0; b < c->network.n_bus; b++) {
        TESTKIT_CLOSE(c->network.buses[b].load_kw, 1000.0 * number(bus, "pd", b), 1e-12);
        TESTKIT_CLOSE(c->network.buses[b].shunt_draw_kw, 1000.0 * number(bus, "gs", b), 1e-12);
        injection_kw[b] -= c->network.buses[b].load_kw + c->network.buses[b].shunt_draw_kw;
    }
    CU_ASSERT_EQUAL(grid_limits_values(limits, injection_kw, flow_kw, NULL), WALRAS_OK);
    for (size_t r = 0; r < grid_limits_count(limits); r++) {
        size_t l = grid_limits_at(limits, r)->index;
        double rate = number(branch, "rate_a", l);

        CU_ASSERT_DOUBLE_EQUAL(flow_kw[r] / 1000.0, number(branch, "pf", l), 1e-6);
        CU_ASSERT_EQUAL(grid_limits_at(limits, r)->high,
                        rate == 0.0 ? (double)INFINITY : 1000.0 * rate);
    }
    grid_limits_free(limits);
    free(injection_kw);
    free(flow_kw);
}

static void test_optimal_flows_come_back(void)
{
    static const char *const names[] = {"dcopf/case5.shipped",          "dcopf/case5.stressB",
                                        "dcopf/case9.stressA",          "dcopf/case30.stressB",
                                        "dcopf/case39.stressA",         "dcopf/case118.stressB",
                                        "dcopf/case_ACTIVSg200.shipped"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct grid_case c = {0};
        json_t *reference = NULL;

        if (!load(names[i], &c, &reference))
            continue;
        expect_lines(&c.network, json_object_get(reference, "branch"), "x");
        expect_generators(&c, json_object_get(reference, "gen"));
        expect_flows(&c, reference);
        json_decref(reference);
        grid_case_release(&c);
    }
}

/* Loads in kW and impedances in ohm, converted by code behind the tables. */
static void test_feeders_are_converted(void)
{
    static const char *const names[] = {"acpf/case22", "acpf/case33bw", "acpf/case69",
                                        "acpf/case141"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct grid_case c = {0};
        json_t *reference = NULL;

        if (!load(names[i], &c, &reference))
            continue;
        const json_t *bus = json_object_get(reference, "bus");
        const json_t *branch = json_object_get(reference, "branch");

        expect_lines(&c.network, branch, "x_pu");
        for (size_t l = 0; l < c.network.n_line; l++)
            CU_ASSERT_DOUBLE_EQUAL(c.network.lines[l].r_pu, number(branch, "r_pu", l), 1e-11);
        CU_ASSERT_EQUAL_FATAL(c.network.n_bus, json_array_size(json_object_get(bus, "id")));
        for (size_t b = 0; b < c.network.n_bus; b++) {
            TESTKIT_CLOSE(c.network.buses[b].load_kw, 1000.0 * number(bus, "pd_mw", b), 1e-9);
            TESTKIT_CLOSE(c.network.buses[b].load_kvar, 1000.0 * number(bus, "qd_mvar", b), 1e-9);
            TESTKIT_CLOSE(c.network.buses[b].base_kv, number(bus, "base_kv", b), 1e-12);
        }
        CU_ASSERT_EQUAL(number(bus, "type", c.network.slack), 3.0);
        json_decref(reference);
        grid_case_release(&c);
    }
}

static const struct testkit_test tests[] = {
    {"optimal flows come back", test_optimal_flows_come_back},
    {"feeders are converted", test_feeders_are_converted},
};
TESTKIT_MAIN("matpower reference", tests)
