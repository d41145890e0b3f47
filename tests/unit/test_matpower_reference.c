/* Reference cases solved elsewhere: what is read is what was solved, and so are the flows. */
#include "core/json.h"
#include "grid/limits.h"
#include "grid/matpower.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct walras_json member(const struct walras_json *object, const char *key)
{
    struct walras_json found = {0};

    CU_ASSERT_FATAL(walras_json_find(object, key, &found));
    return found;
}

static double number_at(const struct walras_json *array, size_t i)
{
    struct walras_range any = {.low = -HUGE_VAL, .high = HUGE_VAL};
    struct walras_json node = walras_json_at(array, i);
    double value = NAN;

    CU_ASSERT_EQUAL(walras_json_number(&node, any, &value, NULL), WALRAS_OK);
    return value;
}

static double number(const struct walras_json *object, const char *key, size_t i)
{
    struct walras_json array = member(object, key);

    return number_at(&array, i);
}

static size_t count(const struct walras_json *object, const char *key)
{
    struct walras_json array = member(object, key);

    return walras_json_count(&array);
}

/* The case and the reference of one name; false when they are not here. */
static bool load(const char *name, struct grid_case *c, struct walras_json_doc **reference)
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
    if (path && walras_json_read(path, reference, &err) == WALRAS_OK)
        return true;
    CU_ASSERT_EQUAL(err.code, WALRAS_OK);
    grid_case_release(c);
    return false;
}

static double tap_of(const struct walras_json *branch, size_t l)
{
    return number(branch, "tap", l) == 0.0 ? 1.0 : number(branch, "tap", l);
}

static void expect_lines(const struct grid_network *network, const struct walras_json *branch,
                         const char *x)
{
    CU_ASSERT_EQUAL_FATAL(network->n_line, count(branch, "from"));
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

static void expect_generators(const struct grid_case *c, const struct walras_json *gen)
{
    size_t next = 0, n = count(gen, "bus");

    CU_ASSERT_EQUAL(grid_case_check_market(c, NULL), WALRAS_OK);
    for (size_t g = 0; g < n; g++) {
        struct walras_json costs = member(gen, "cost"), cost = walras_json_at(&costs, g);
        size_t n_cost = walras_json_count(&cost);

        if (number(gen, "on", g) == 0.0)
            continue;
        CU_ASSERT_FATAL(next < c->n_generator);
        const struct grid_generator *made = &c->generators[next++];

        CU_ASSERT_EQUAL(made->row, g + 1);
        TESTKIT_CLOSE(made->min_kw, 1000.0 * number(gen, "pmin", g), 1e-12);
        TESTKIT_CLOSE(made->max_kw, 1000.0 * number(gen, "pmax", g), 1e-12);
        if (number(gen, "cost_model", g) == 2.0) {
            TESTKIT_CLOSE(made->per_h, number_at(&cost, n_cost - 1), 1e-12);
            TESTKIT_CLOSE(made->per_mwh, number_at(&cost, n_cost - 2), 1e-12);
            CU_ASSERT_EQUAL(made->model, GRID_COST_POLYNOMIAL);
            continue;
        }
        CU_ASSERT_EQUAL_FATAL(2 * made->n_point, n_cost);
        for (size_t i = 0; i < made->n_point; i++) {
            TESTKIT_CLOSE(made->point_kw[i], 1000.0 * number_at(&cost, 2 * i), 1e-12);
            TESTKIT_CLOSE(made->point_per_h[i], number_at(&cost, 2 * i + 1), 1e-12);
        }
    }
    CU_ASSERT_EQUAL(next, c->n_generator);
}

/* The optimal injections give the optimal flows, to 1e-6 MW. */
static void expect_flows(const struct grid_case *c, const struct walras_json *reference)
{
    struct walras_json gen = member(reference, "gen"), bus = member(reference, "bus");
    struct walras_json branch = member(reference, "branch");
    struct grid_limits *limits = NULL;
    double *injection_kw = calloc(c->network.n_bus, sizeof(double));
    double *flow_kw = calloc(c->network.n_line, sizeof(double));

    CU_ASSERT_FATAL(injection_kw && flow_kw);
    CU_ASSERT_EQUAL_FATAL(grid_limits_dc(&c->network, 1.0, &limits, NULL), WALRAS_OK);
    for (size_t g = 0; g < c->n_generator; g++)
        injection_kw[c->generators[g].bus] += 1000.0 * number(&gen, "pg", c->generators[g].row - 1);
    for (size_t b = 0; b < c->network.n_bus; b++) {
        TESTKIT_CLOSE(c->network.buses[b].load_kw, 1000.0 * number(&bus, "pd", b), 1e-12);
        TESTKIT_CLOSE(c->network.buses[b].shunt_draw_kw, 1000.0 * number(&bus, "gs", b), 1e-12);
        injection_kw[b] -= c->network.buses[b].load_kw + c->network.buses[b].shunt_draw_kw;
    }
    CU_ASSERT_EQUAL(grid_limits_values(limits, 0, injection_kw, flow_kw, NULL), WALRAS_OK);
    for (size_t r = 0; r < grid_limits_count(limits); r++) {
        size_t l = grid_limits_at(limits, r)->index;
        double rate = number(&branch, "rate_a", l);

        CU_ASSERT_DOUBLE_EQUAL(flow_kw[r] / 1000.0, number(&branch, "pf", l), 1e-6);
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
        struct walras_json_doc *reference = NULL;

        if (!load(names[i], &c, &reference))
            continue;
        struct walras_json root = walras_json_root(reference);
        struct walras_json branch = member(&root, "branch"), gen = member(&root, "gen");

        expect_lines(&c.network, &branch, "x");
        expect_generators(&c, &gen);
        expect_flows(&c, &root);
        walras_json_free(reference);
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
        struct walras_json_doc *reference = NULL;

        if (!load(names[i], &c, &reference))
            continue;
        struct walras_json root = walras_json_root(reference);
        struct walras_json bus = member(&root, "bus"), branch = member(&root, "branch");

        expect_lines(&c.network, &branch, "x_pu");
        for (size_t l = 0; l < c.network.n_line; l++)
            CU_ASSERT_DOUBLE_EQUAL(c.network.lines[l].r_pu, number(&branch, "r_pu", l), 1e-11);
        CU_ASSERT_EQUAL_FATAL(c.network.n_bus, count(&bus, "id"));
        for (size_t b = 0; b < c.network.n_bus; b++) {
            TESTKIT_CLOSE(c.network.buses[b].load_kw, 1000.0 * number(&bus, "pd_mw", b), 1e-9);
            TESTKIT_CLOSE(c.network.buses[b].load_kvar, 1000.0 * number(&bus, "qd_mvar", b), 1e-9);
            TESTKIT_CLOSE(c.network.buses[b].base_kv, number(&bus, "base_kv", b), 1e-12);
        }
        CU_ASSERT_EQUAL(number(&bus, "type", c.network.slack), 3.0);
        walras_json_free(reference);
        grid_case_release(&c);
    }
}

static const struct testkit_test tests[] = {
    {"optimal flows come back", test_optimal_flows_come_back},
    {"feeders are converted", test_feeders_are_converted},
};
TESTKIT_MAIN("matpower reference", tests)
