/* Published cases, and reference cases solved elsewhere: the power flow finds the same voltages. */
#include "core/json.h"
#include "core/units.h"
#include "grid/matpower.h"
#include "grid/powerflow.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct walras_json member(const struct walras_json *object, const char *key)
{
    struct walras_json found = {0};

    CU_ASSERT_FATAL(walras_json_find(object, key, &found));
    return found;
}

static double value_of(const struct walras_json *node)
{
    struct walras_range any = {.low = -HUGE_VAL, .high = HUGE_VAL};
    double value = NAN;

    CU_ASSERT_EQUAL(walras_json_number(node, any, &value, NULL), WALRAS_OK);
    return value;
}

static double number(const struct walras_json *object, const char *key)
{
    struct walras_json node = member(object, key);

    return value_of(&node);
}

static double number_at(const struct walras_json *object, const char *key, size_t i)
{
    struct walras_json array = member(object, key), node = walras_json_at(&array, i);

    return value_of(&node);
}

struct solved {
    struct grid_case c;
    struct grid_powerflow *flow;
    struct grid_powerflow_solution s;
    struct walras_json_doc *doc;
};

/* The case of one file, solved, and what is expected of it. */
static void solve(const char *case_path, const char *expected_path, struct solved *out)
{
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    struct walras_err err = {0};
    double *block = NULL;

    *out = (struct solved){0};
    CU_ASSERT_EQUAL_FATAL(grid_case_read(case_path, &out->c, &err), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(walras_json_read(expected_path, &out->doc, &err), WALRAS_OK);
    size_t n = out->c.network.n_bus;

    block = calloc(3 * n, sizeof(*block));
    CU_ASSERT_FATAL(block != NULL);
    CU_ASSERT_EQUAL(grid_case_power(&out->c, block, block + n, block + 2 * n, &err), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(grid_powerflow_new(&out->c.network, &settings, &out->flow, &err),
                          WALRAS_OK);
    struct grid_powerflow_input input = {
        .injection_kw = block, .injection_kvar = block + n, .hold_v_pu = block + 2 * n};

    CU_ASSERT_EQUAL(grid_powerflow_solve(out->flow, &input, &out->s, &err), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(out->s.outcome, GRID_POWERFLOW_SOLVED);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    free(block);
}

static void release(struct solved *solved)
{
    grid_powerflow_free(solved->flow);
    grid_case_release(&solved->c);
    walras_json_free(solved->doc);
}

/* Compares what the entry says of its bus, as far as it says it. */
static void compare_bus(const struct solved *solved, const struct walras_json *entry,
                        const struct walras_json *tolerance)
{
    struct walras_json node;
    const char *id = NULL;

    node = member(entry, "bus");
    CU_ASSERT_EQUAL_FATAL(walras_json_text(&node, 20, &id, NULL), WALRAS_OK);
    size_t b = grid_network_find_bus(&solved->c.network, id);

    CU_ASSERT_FATAL(b != SIZE_MAX);
    CU_ASSERT_DOUBLE_EQUAL(solved->s.vm_pu[b], number(entry, "v_pu"), number(tolerance, "v_pu"));
    if (walras_json_find(entry, "deg", &node))
        CU_ASSERT_DOUBLE_EQUAL(walras_deg_from_rad(solved->s.va_rad[b]), value_of(&node),
                               number(tolerance, "deg"));
    if (walras_json_find(entry, "generation_mw", &node))
        CU_ASSERT_DOUBLE_EQUAL(
            walras_mw_from_kw(solved->s.injection_kw[b] + solved->c.network.buses[b].load_kw),
            value_of(&node), number(tolerance, "mw"));
    if (walras_json_find(entry, "generation_mvar", &node))
        CU_ASSERT_DOUBLE_EQUAL(
            walras_mw_from_kw(solved->s.injection_kvar[b] + solved->c.network.buses[b].load_kvar),
            value_of(&node), number(tolerance, "mw"));
}

static void test_published(const char *name)
{
    char case_path[300], expected_path[300];
    struct solved solved;
    struct walras_json root, buses, tolerance, node;

    snprintf(case_path, sizeof(case_path), WALRAS_SOURCE_DIR "/tests/data/acpf/%s/case.m", name);
    snprintf(expected_path, sizeof(expected_path),
             WALRAS_SOURCE_DIR "/tests/data/acpf/%s/expected.json", name);
    solve(case_path, expected_path, &solved);
    root = walras_json_root(solved.doc);
    buses = member(&root, "buses");
    tolerance = member(&root, "tolerance");
    CU_ASSERT_TRUE(walras_json_count(&buses) > 0);
    for (size_t i = 0; i < walras_json_count(&buses); i++) {
        struct walras_json entry = walras_json_at(&buses, i);

        compare_bus(&solved, &entry, &tolerance);
    }
    CU_ASSERT_DOUBLE_EQUAL(walras_mw_from_kw(solved.s.loss_kw), number(&root, "loss_mw"),
                           number(&tolerance, "mw"));
    if (walras_json_find(&root, "loss_mvar", &node))
        CU_ASSERT_DOUBLE_EQUAL(walras_mw_from_kw(solved.s.loss_kvar), value_of(&node),
                               number(&tolerance, "mw"));
    release(&solved);
}

static void test_the_four_bus_ring_is_as_printed(void)
{
    test_published("grainger4");
}

static void test_the_33_bus_feeder_loses_what_is_published(void)
{
    test_published("baran33");
    /* and its lowest voltage is where it is said to be */
    struct solved solved;

    solve(WALRAS_SOURCE_DIR "/tests/data/acpf/baran33/case.m",
          WALRAS_SOURCE_DIR "/tests/data/acpf/baran33/expected.json", &solved);
    CU_ASSERT_STRING_EQUAL(solved.c.network.buses[solved.s.weakest].id, "18");
    release(&solved);
}

/* What one more MWh at a bus costs, in MWh at the substation, when nothing binds. */
static void test_the_33_bus_feeder_prices_losses_as_published(void)
{
    struct solved solved;
    double kw[33], kvar[33], worst = 0.0;

    solve(WALRAS_SOURCE_DIR "/tests/data/acpf/baran33/case.m",
          WALRAS_SOURCE_DIR "/tests/data/acpf/baran33/expected.json", &solved);
    struct walras_json root = walras_json_root(solved.doc);

    CU_ASSERT_EQUAL_FATAL(solved.c.network.n_bus, 33);
    CU_ASSERT_EQUAL(grid_powerflow_loss_factors(solved.flow, kw, kvar, NULL), WALRAS_OK);
    for (size_t b = 0; b < 33; b++)
        worst = fmax(worst, fabs(1.0 - kw[b] - number_at(&root, "substation_mwh_per_mwh", b)));
    printf("(within %.0e) ", worst);
    CU_ASSERT_TRUE(worst <= 6e-5);
    release(&solved);
}

static double worst_flow_mw(const struct solved *solved, const struct walras_json *branch)
{
    double worst = 0.0;

    for (size_t l = 0; l < solved->c.network.n_line; l++) {
        worst = fmax(worst,
                     fabs(walras_mw_from_kw(solved->s.from_kw[l]) - number_at(branch, "pf_mw", l)));
        worst = fmax(worst, fabs(walras_mw_from_kw(solved->s.from_kvar[l]) -
                                 number_at(branch, "qf_mvar", l)));
        worst = fmax(worst,
                     fabs(walras_mw_from_kw(solved->s.to_kw[l]) - number_at(branch, "pt_mw", l)));
        worst = fmax(
            worst, fabs(walras_mw_from_kw(solved->s.to_kvar[l]) - number_at(branch, "qt_mvar", l)));
    }
    return worst;
}

/* Radial feeders solved by MATPOWER: all voltages, flows and losses, to 1e-6 (reached: 1e-9). */
static void test_reference(const char *name)
{
    char path[100], case_path[300];
    struct solved solved;
    double worst_v = 0.0, worst_deg = 0.0;

    snprintf(path, sizeof(path), "acpf/%s.m", name);
    const char *found = testkit_reference(path);

    if (!found)
        return;
    snprintf(case_path, sizeof(case_path), "%s", found);
    snprintf(path, sizeof(path), "acpf/%s.json", name);
    found = testkit_reference(path);
    if (!found)
        return;
    solve(case_path, found, &solved);
    struct walras_json root = walras_json_root(solved.doc), bus = member(&root, "bus"),
                       ids = member(&bus, "id"), branch = member(&root, "branch");

    CU_ASSERT_EQUAL_FATAL(walras_json_count(&ids), solved.c.network.n_bus);
    for (size_t b = 0; b < solved.c.network.n_bus; b++) {
        worst_v = fmax(worst_v, fabs(solved.s.vm_pu[b] - number_at(&bus, "vm", b)));
        worst_deg = fmax(worst_deg, fabs(walras_deg_from_rad(solved.s.va_rad[b]) -
                                         number_at(&bus, "va_deg", b)));
    }
    double loss = fabs(walras_mw_from_kw(solved.s.loss_kw) - number(&root, "loss_mw"));
    double loss_q = fabs(walras_mw_from_kw(solved.s.loss_kvar) - number(&root, "loss_mvar"));
    double flow = worst_flow_mw(&solved, &branch);

    printf("(|V| %.0e p.u., angles %.0e deg, losses %.0e MW, flows %.0e MW) ", worst_v, worst_deg,
           fmax(loss, loss_q), flow);
    CU_ASSERT_TRUE(worst_v < 1e-6 && worst_deg < 1e-6);
    CU_ASSERT_TRUE(loss < 1e-6 && loss_q < 1e-6);
    CU_ASSERT_TRUE(flow < 1e-6);
    release(&solved);
}

static void test_case22(void)
{
    test_reference("case22");
}

static void test_case33bw(void)
{
    test_reference("case33bw");
}

static void test_case69(void)
{
    test_reference("case69");
}

static void test_case141(void)
{
    test_reference("case141");
}

static const char four_buses[] = "function mpc = four\n"
                                 "mpc.baseMVA = 100;\n"
                                 "mpc.bus = [1 3 0 0 0 0 1 1.03 0 0 1 1.1 0.9;\n"
                                 "           2 2 10 5 0 0 1 1 0 0 1 1.1 0.9;\n"
                                 "           3 1 20 7 0 0 1 1 0 0 1 1.1 0.9;\n"
                                 "           4 2 0 0 0 0 1 1 0 0 1 1.1 0.9];\n"
                                 "mpc.gen = [2 30 4 9 -9 1.01 100 1 0 0;\n"
                                 "           2 40 5 9 -9 %s 100 1 0 0;\n"
                                 "           3 %s 6 9 -9 1.5 100 1 0 0;\n"
                                 "           4 70 8 9 -9 1.02 100 0 0 0];\n"
                                 "mpc.branch = [1 2 0 0.1 0 0 0 0 0 0 1; 2 3 0 0.1 0 0 0 0 0 0 1;\n"
                                 "              3 4 0 0.1 0 0 0 0 0 0 1];\n";

static enum walras_status powers(const char *second_vg, const char *third_pg, double *kw,
                                 double *kvar, double *hold, struct walras_err *err)
{
    char text[2000];
    struct grid_case c = {0};
    int size = snprintf(text, sizeof(text), four_buses, second_vg, third_pg);

    *err = (struct walras_err){0};
    CU_ASSERT_EQUAL_FATAL(grid_case_parse("four.m", text, (size_t)size, &c, NULL), WALRAS_OK);
    enum walras_status status = grid_case_power(&c, kw, kvar, hold, err);

    grid_case_release(&c);
    return status;
}

/*
 * Bus 2 holds 1.01 with two generators; bus 3 is of type 1, so its generator gives QG and its VG is
 * not read; the only generator of bus 4 is off, so nothing holds there. The slack has none: the
 * voltage is VM's, which the network keeps. A case without costs does.
 */
static void test_generators_give_and_hold_what_the_table_says(void)
{
    double kw[4], kvar[4], hold[4];
    struct walras_err err;

    CU_ASSERT_EQUAL(powers("1.01", "50", kw, kvar, hold, &err), WALRAS_OK);
    CU_ASSERT_DOUBLE_EQUAL(kw[1], 60000.0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(kw[2], 30000.0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(kvar[2], -1000.0, 1e-9);
    CU_ASSERT_EQUAL(kw[3], 0.0);
    CU_ASSERT_TRUE(isnan(hold[0]) && isnan(hold[2]) && isnan(hold[3]));
    CU_ASSERT_EQUAL(hold[1], 1.01);
    CU_ASSERT_EQUAL(powers("1.00", "50", kw, kvar, hold, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "gen row 2: VG is 1 at bus 2, but 1.01 in an earlier row; "
                                    "expected one voltage a bus");
    CU_ASSERT_EQUAL(powers("0", "50", kw, kvar, hold, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "gen row 2: VG is 0 at bus 2, which holds its voltage; "
                                    "expected a finite number above 0");
    CU_ASSERT_EQUAL(powers("1.01", "Inf", kw, kvar, hold, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "gen row 3: PG and QG must be finite");
}

static const struct testkit_test tests[] = {
    {"the four-bus ring is as printed", test_the_four_bus_ring_is_as_printed},
    {"the 33-bus feeder loses what is published", test_the_33_bus_feeder_loses_what_is_published},
    {"the 33-bus feeder prices losses as published",
     test_the_33_bus_feeder_prices_losses_as_published},
    {"case22 is as MATPOWER solves it", test_case22},
    {"case33bw is as MATPOWER solves it", test_case33bw},
    {"case69 is as MATPOWER solves it", test_case69},
    {"case141 is as MATPOWER solves it", test_case141},
    {"generators give and hold what the table says",
     test_generators_give_and_hold_what_the_table_says},
};
TESTKIT_MAIN("power flow cases", tests)
