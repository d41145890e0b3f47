#include "core/json.h"
#include "core/units.h"
#include "marketkit.h"
#include "scenario/parts.h"
#include "testkit.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Markets with a known answer, as data: every folder of tests/data/dcopf and tests/data/lindistflow
 * holds inputs and an expected.json, which names for each input its cost, prices, awards and full
 * lines, and how near they must be come to. Its README.md says where the numbers are from.
 */

static const struct walras_range any = {-HUGE_VAL, HUGE_VAL, false, false};

struct tolerance {
    double cost, price_per_mwh, draw_kw, voltage_pu;
};

static double number(const struct walras_json *object, const char *key)
{
    struct walras_json node;
    double value = NAN;

    CU_ASSERT_EQUAL_FATAL(walras_json_need(object, key, &node, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(walras_json_number(&node, any, &value, NULL), WALRAS_OK);
    return value;
}

static const char *text(const struct walras_json *object, const char *key)
{
    struct walras_json node;
    const char *value = "";

    CU_ASSERT_EQUAL_FATAL(walras_json_need(object, key, &node, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(walras_json_text(&node, 200, &value, NULL), WALRAS_OK);
    return value;
}

static void compare(const char *what, double got, double expected, double tolerance)
{
    bool near = fabs(got - expected) <= tolerance;

    if (!near)
        fprintf(stderr, "%s: %.10g, expected %.10g +- %g\n", what, got, expected, tolerance);
    CU_ASSERT_TRUE(near);
}

static void compare_prices(const struct walras_json *rows, const struct marketkit *kit,
                           const struct tolerance *tolerance)
{
    for (size_t i = 0; i < walras_json_count(rows); i++) {
        struct walras_json row = walras_json_at(rows, i), values;
        size_t step = (size_t)number(&row, "step");

        CU_ASSERT_EQUAL_FATAL(walras_json_need(&row, "values", &values, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL_FATAL(walras_json_count(&values), kit->market->n_bus);
        for (size_t b = 0; b < kit->market->n_bus; b++) {
            struct walras_json value = walras_json_at(&values, b);
            double expected = NAN;
            char what[80];

            CU_ASSERT_EQUAL(walras_json_number(&value, any, &expected, NULL), WALRAS_OK);
            snprintf(what, sizeof(what), "price at bus %s, step %zu",
                     kit->scenario.network.buses[b].id, step);
            compare(what, kit->market->price_per_mwh[b * kit->market->n_step + step], expected,
                    tolerance->price_per_mwh);
        }
    }
}

static void compare_awards(const struct walras_json *rows, const struct marketkit *kit,
                           const struct tolerance *tolerance)
{
    for (size_t i = 0; i < walras_json_count(rows); i++) {
        struct walras_json row = walras_json_at(rows, i);
        size_t step = (size_t)number(&row, "step");
        const char *agent = text(&row, "agent"), *device = text(&row, "device");
        char what[160];

        snprintf(what, sizeof(what), "draw of %s, step %zu", agent, step);
        compare(what, marketkit_award(kit, agent, device, step), number(&row, "draw_kw"),
                tolerance->draw_kw);
    }
}

/* Of single buses, where others have no single price. */
static void compare_bus_prices(const struct walras_json *rows, const struct marketkit *kit,
                               const struct tolerance *tolerance)
{
    for (size_t i = 0; i < walras_json_count(rows); i++) {
        struct walras_json row = walras_json_at(rows, i);
        const char *bus = text(&row, "bus");
        char what[80];

        snprintf(what, sizeof(what), "price at bus %s", bus);
        compare(what, marketkit_price(kit, bus, (size_t)number(&row, "step")),
                number(&row, "price_per_mwh"), tolerance->price_per_mwh);
    }
}

static void compare_parts(const struct walras_json *rows, const struct marketkit *kit,
                          const struct tolerance *tolerance)
{
    const struct scenario_parts *parts = kit->result->parts;

    for (size_t i = 0; i < walras_json_count(rows); i++) {
        struct walras_json row = walras_json_at(rows, i);
        size_t at = marketkit_bus(kit, text(&row, "bus")) * kit->market->n_step +
                    (size_t)number(&row, "step");

        compare("energy", parts->energy[at], number(&row, "energy"), tolerance->price_per_mwh);
        compare("congestion", parts->congestion[at], number(&row, "congestion"),
                tolerance->price_per_mwh);
        compare("voltage", parts->voltage[at], number(&row, "voltage"), tolerance->price_per_mwh);
    }
}

static void compare_voltages(const struct walras_json *rows, const struct marketkit *kit,
                             const struct tolerance *tolerance)
{
    for (size_t i = 0; i < walras_json_count(rows); i++) {
        struct walras_json row = walras_json_at(rows, i);
        const char *bus = text(&row, "bus");
        size_t at = marketkit_bus(kit, bus) * kit->market->n_step + (size_t)number(&row, "step");
        char what[80];

        snprintf(what, sizeof(what), "voltage at bus %s", bus);
        compare(what, kit->result->v_pu[at], number(&row, "voltage_pu"), tolerance->voltage_pu);
    }
}

static void compare_flows(const struct walras_json *rows, const struct marketkit *kit,
                          const struct tolerance *tolerance)
{
    for (size_t i = 0; i < walras_json_count(rows); i++) {
        struct walras_json row = walras_json_at(rows, i);
        const char *id = text(&row, "line");
        const struct grid_network *network = &kit->scenario.network;
        char what[80];

        snprintf(what, sizeof(what), "flow of line %s", id);
        for (size_t l = 0; l < network->n_line; l++)
            if (strcmp(network->lines[l].id, id) == 0)
                compare(
                    what,
                    kit->result->flow_kw[l * kit->market->n_step + (size_t)number(&row, "step")],
                    number(&row, "flow_kw"), tolerance->draw_kw);
    }
}

static double shadow_price(const struct marketkit *kit, const char *line, size_t step,
                           int direction)
{
    for (size_t i = 0; i < kit->market->n_binding; i++) {
        const struct market_binding *binding = &kit->market->binding[i];

        if (binding->step == step && binding->direction == direction &&
            strcmp(grid_limits_id(kit->result->limits, binding->row), line) == 0)
            return binding->shadow_price_per_mwh;
    }
    return 0.0;
}

static void compare_binding(const struct walras_json *rows, const struct marketkit *kit,
                            const struct tolerance *tolerance)
{
    for (size_t i = 0; i < walras_json_count(rows); i++) {
        struct walras_json row = walras_json_at(rows, i);
        const char *line = text(&row, "line");
        char what[160];

        snprintf(what, sizeof(what), "shadow price of line %s", line);
        compare(
            what,
            shadow_price(kit, line, (size_t)number(&row, "step"), (int)number(&row, "direction")),
            number(&row, "shadow_price_per_mwh"), tolerance->price_per_mwh);
    }
}

/* Of the generators with a polynomial cost, which is all that cases with step costs have. */
static double step_cost(const struct marketkit *kit, size_t step)
{
    double cost = 0.0;

    for (size_t i = 0; i < kit->scenario.n_device; i++) {
        const struct agent_device *device = &kit->scenario.devices[i];

        if (device->type != AGENT_GENERATOR)
            continue;
        double given_mw = walras_mw_from_kw(
            -kit->result->awards->draw_kw[i * kit->scenario.horizon.n_step + step]);

        cost += kit->scenario.horizon.step_h *
                (given_mw * (device->generator.per_mwh + device->generator.per_mw2h * given_mw) +
                 device->generator.per_h);
    }
    return cost;
}

static void compare_step_costs(const struct walras_json *rows, const struct marketkit *kit,
                               const struct tolerance *tolerance)
{
    for (size_t i = 0; i < walras_json_count(rows); i++) {
        struct walras_json row = walras_json_at(rows, i);
        size_t step = (size_t)number(&row, "step");
        char what[64];

        snprintf(what, sizeof(what), "cost of step %zu", step);
        compare(what, step_cost(kit, step), number(&row, "cost"), tolerance->cost);
    }
}

static void compare_input(const char *folder, const struct walras_json *expected, double gap,
                          const struct tolerance *tolerance)
{
    static const struct {
        const char *key;
        void (*compare)(const struct walras_json *rows, const struct marketkit *kit,
                        const struct tolerance *tolerance);
    } kinds[] = {{"prices", compare_prices},     {"bus_prices", compare_bus_prices},
                 {"price_parts", compare_parts}, {"voltages", compare_voltages},
                 {"flows", compare_flows},       {"awards", compare_awards},
                 {"binding", compare_binding},   {"step_costs", compare_step_costs}};
    struct scenario_clear_settings settings = marketkit_settings(gap);
    struct marketkit kit;
    struct walras_json node;
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", folder, text(expected, "input"));
    marketkit_clear_file(path, &settings, &kit);
    if (!marketkit_is_good(&kit))
        fprintf(stderr, "%s did not clear\n", path);
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&kit));
    if (walras_json_find(expected, "cost", &node))
        compare("cost", kit.market->objective, number(expected, "cost"), tolerance->cost);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (walras_json_find(expected, kinds[i].key, &node))
            kinds[i].compare(&node, &kit, tolerance);
    marketkit_release(&kit);
}

static void compare_folder(const char *folder)
{
    struct walras_json_doc *doc = NULL;
    struct walras_json root, node, inputs;
    struct walras_err err = {0};
    char path[512];

    snprintf(path, sizeof(path), "%s/expected.json", folder);
    if (walras_json_read(path, &doc, &err) != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    root = walras_json_root(doc);
    CU_ASSERT_EQUAL_FATAL(walras_json_need(&root, "tolerance", &node, NULL), WALRAS_OK);
    struct tolerance tolerance = {.cost = number(&node, "cost"),
                                  .price_per_mwh = number(&node, "price_per_mwh"),
                                  .draw_kw = number(&node, "draw_kw")};

    if (walras_json_find(&node, "voltage_pu", &inputs))
        tolerance.voltage_pu = number(&node, "voltage_pu");

    CU_ASSERT_EQUAL_FATAL(walras_json_need(&root, "inputs", &inputs, NULL), WALRAS_OK);
    for (size_t i = 0; i < walras_json_count(&inputs); i++) {
        struct walras_json input = walras_json_at(&inputs, i);

        compare_input(folder, &input, number(&root, "gap"), &tolerance);
    }
    walras_json_free(doc);
}

static void compare_folders(const char *root, size_t least)
{
    DIR *directory = opendir(root);
    size_t n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        char folder[400];

        if (entry->d_name[0] == '.')
            continue;
        printf("%s ", entry->d_name);
        snprintf(folder, sizeof(folder), "%s/%s", root, entry->d_name);
        compare_folder(folder);
        n++;
    }
    closedir(directory);
    CU_ASSERT_TRUE(n >= least);
}

static void test_every_meshed_case_clears_at_its_expected_answer(void)
{
    compare_folders(WALRAS_SOURCE_DIR "/tests/data/dcopf", 2);
}

static void test_every_feeder_clears_at_its_expected_answer(void)
{
    compare_folders(WALRAS_SOURCE_DIR "/tests/data/lindistflow", 1);
}

static const struct testkit_test tests[] = {
    {"every case of tests/data/dcopf clears at its expected answer",
     test_every_meshed_case_clears_at_its_expected_answer},
    {"every case of tests/data/lindistflow clears at its expected answer",
     test_every_feeder_clears_at_its_expected_answer},
};
TESTKIT_MAIN("cases", tests)
