#include "grid/network.h"
#include "gridkit.h"
#include "testkit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Four buses in a row, and a fifth and sixth that hang together at the end of line l4. */
static struct grid_network six_buses(void)
{
    static const struct gridkit_line lines[] = {
        {1, 2, 0.1}, {2, 3, 0.1}, {3, 4, 0.1}, {4, 5, 0.1}, {5, 6, 0.1}};

    return gridkit_network(6, lines, 5);
}

/* Judges and releases; the message, or "" when the network is fine. */
static const char *judged(struct grid_network *network)
{
    static struct walras_err err;

    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(grid_network_check(network, &err), err.code);
    CU_ASSERT_TRUE(err.code == WALRAS_OK || err.code == WALRAS_INVALID);
    grid_network_release(network);
    return err.msg;
}

static void test_a_sound_network_passes(void)
{
    struct grid_network network = six_buses();

    CU_ASSERT_EQUAL(grid_network_find_bus(&network, "4"), 3);
    CU_ASSERT_EQUAL(grid_network_find_bus(&network, "7"), SIZE_MAX);
    CU_ASSERT_STRING_EQUAL(judged(&network), "");
}

static void test_copperplate_is_one_bus_and_sound(void)
{
    struct grid_network network = {0};

    CU_ASSERT_EQUAL_FATAL(grid_network_copperplate(&network, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(network.n_bus, 1);
    CU_ASSERT_STRING_EQUAL(network.buses[0].id, "1");
    CU_ASSERT_EQUAL(network.n_line, 0);
    CU_ASSERT_STRING_EQUAL(judged(&network), "");
}

static void test_an_island_is_named_with_its_size(void)
{
    struct grid_network network = six_buses();

    network.lines[3].in_service = false;
    CU_ASSERT_STRING_EQUAL(judged(&network),
                           "bus 5: no line in service connects the island of 2 buses that it is in "
                           "to the slack bus 1");
    network = six_buses();
    network.lines[3].in_service = false;
    network.slack = 5;
    CU_ASSERT_STRING_EQUAL(judged(&network),
                           "bus 1: no line in service connects the island of 4 buses that it is in "
                           "to the slack bus 6");
}

static void test_a_lone_bus_is_named(void)
{
    struct grid_network network = six_buses();

    network.lines[4].in_service = false;
    CU_ASSERT_STRING_EQUAL(judged(&network),
                           "bus 6: no line in service connects it to the slack bus 1");
}

static void test_ids_that_stand_twice_are_named(void)
{
    struct grid_network network = six_buses();

    network.buses[4].id[0] = '2';
    CU_ASSERT_STRING_EQUAL(judged(&network), "bus 2: the id is used twice (positions 2 and 5)");
    network = six_buses();
    network.lines[4].id[1] = '3';
    CU_ASSERT_STRING_EQUAL(judged(&network), "line l3: the id is used twice (positions 3 and 5)");
}

static void test_every_absurd_number_is_refused_by_name(void)
{
    static const double absurd[] = {NAN, INFINITY, -INFINITY};

    for (size_t i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++)
        for (size_t field = 0; field < 14; field++) {
            struct grid_network network = six_buses();
            struct grid_bus *bus = &network.buses[2];
            struct grid_line *line = &network.lines[2];
            double *fields[] = {&bus->base_kv,
                                &bus->v_min_pu,
                                &bus->load_kw,
                                &bus->load_kvar,
                                &bus->shunt_draw_kw,
                                &line->r_pu,
                                &line->x_pu,
                                &line->b_pu,
                                &line->tap,
                                &line->shift_rad,
                                &bus->shunt_inject_kvar,
                                &network.base_mva,
                                &network.slack_v_pu,
                                &bus->v_max_pu};

            *fields[field] = absurd[i];
            if (fields[field] == &bus->v_max_pu && absurd[i] == (double)INFINITY) {
                CU_ASSERT_STRING_EQUAL(judged(&network), ""); /* no highest voltage */
                continue;
            }
            const char *why = judged(&network);

            CU_ASSERT_TRUE(strstr(why, "bus 3: ") == why || strstr(why, "line l3: ") == why ||
                           strstr(why, "base_mva") || strstr(why, "slack"));
        }
}

static void test_line_faults_are_named(void)
{
    struct grid_network network = six_buses();

    network.lines[1].to = 9;
    CU_ASSERT_STRING_EQUAL(judged(&network), "line l2: an end is not a bus of the network");
    network = six_buses();
    network.lines[1].to = network.lines[1].from;
    CU_ASSERT_STRING_EQUAL(judged(&network), "line l2: both ends are the same bus");
    network = six_buses();
    network.lines[1].limit_kw = -1.0;
    CU_ASSERT_STRING_EQUAL(judged(&network), "line l2: the limit must not be negative");
    network = six_buses();
    network.lines[1].limit_kw = NAN;
    CU_ASSERT_STRING_EQUAL(judged(&network), "line l2: the limit must not be negative");
    network = six_buses();
    network.lines[1].tap = 0.0;
    CU_ASSERT_STRING_EQUAL(judged(&network), "line l2: the tap ratio must be finite and above 0");
}

static void test_zero_reactance_matters_only_in_service(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.1}, {1, 2, 0.0}};
    struct grid_network network = gridkit_network(2, lines, 2);

    network.lines[1].in_service = false;
    CU_ASSERT_STRING_EQUAL(judged(&network), "");
    network = gridkit_network(2, lines, 2);
    CU_ASSERT_STRING_EQUAL(judged(&network),
                           "line l2: the reactance of a line in service must not be zero "
                           "(at least 1e-11 per unit)");
    network = gridkit_network(2, lines, 1);
    network.lines[0].x_pu = -0.1;
    CU_ASSERT_STRING_EQUAL(judged(&network), "");
}

static void test_missing_slack_and_names_are_refused(void)
{
    struct grid_network network = six_buses(), empty = {.base_mva = 1.0};

    network.slack = 6;
    CU_ASSERT_STRING_EQUAL(judged(&network), "the slack is not a bus of the network");
    network = six_buses();
    network.buses[1].id[0] = '\0';
    CU_ASSERT_STRING_EQUAL(judged(&network), "bus 2 of the network has no id");
    network = six_buses();
    network.lines[0].id[0] = '\0';
    CU_ASSERT_STRING_EQUAL(judged(&network), "line 1 of the network has no id");
    CU_ASSERT_STRING_EQUAL(judged(&empty), "the network has no bus");
}

static void test_a_large_network_is_judged_fast(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    struct grid_network network = gridkit_mesh(&rng, 200000, 100000);

    CU_ASSERT_STRING_EQUAL(judged(&network), ""); /* a quadratic check would take minutes */
}

static const struct testkit_test tests[] = {
    {"a sound network passes", test_a_sound_network_passes},
    {"a copperplate is one bus and sound", test_copperplate_is_one_bus_and_sound},
    {"an island is named with its size", test_an_island_is_named_with_its_size},
    {"a lone bus is named", test_a_lone_bus_is_named},
    {"ids that stand twice are named", test_ids_that_stand_twice_are_named},
    {"every absurd number is refused by name", test_every_absurd_number_is_refused_by_name},
    {"line faults are named", test_line_faults_are_named},
    {"a zero reactance matters only in service", test_zero_reactance_matters_only_in_service},
    {"a missing slack and missing names are refused", test_missing_slack_and_names_are_refused},
    {"a large network is judged fast", test_a_large_network_is_judged_fast},
};
TESTKIT_MAIN("network", tests)
