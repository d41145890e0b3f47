#include "marketkit.h"
#include "scenario/certificate.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>

/*
 * The AC power flow of plans. One line of r = 0.02 and x = 0.04 on 10 MVA from the slack at 1 p.u.
 * to b, which draws P + jQ:
 *     v⁴ + (2 (r P + x Q) − 1) v² + (r² + x²) (P² + Q²) = 0,    loss = r (P² + Q²) / v²
 * With P = 0.2 and Q = 0.1 p.u. (2 MW, 1 Mvar):
 *     v² = (0.984 + √(0.984² − 4e-4)) / 2 = 0.9838983497,   v = 0.9919165,
 *     loss = 0.02 · 0.05 / v² p.u. = 10.16365 kW;   LinDistFlow: v² = 0.984.
 */
#define MARKET(model, buses, line, devices)                                                        \
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": 30, "    \
    "\"steps\": 2}, \"grid\": {\"model\": \"" model "\", \"base_mva\": 10, \"slack\": \"s\", "     \
    "\"buses\": [{\"id\": \"s\"}, {\"id\": \"b\"" buses "}], \"lines\": [{\"id\": \"l\", "         \
    "\"from\": \"s\", \"to\": \"b\"" line "}]}, \"supply\": [{\"id\": \"w\", \"bus\": \"s\", "     \
    "\"price_per_mwh\": 50}], \"agents\": [{\"id\": \"a\", \"bus\": \"b\", \"devices\": [" devices \
    "]}]}"
#define IMPEDANCE ", \"r_pu\": 0.02, \"x_pu\": 0.04"
#define LOAD(kw, kvar)                                                                             \
    "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": " kw ", \"draw_kvar\": " kvar "}"

static const double v_of_2_mw = 0.99191650, loss_of_2_mw_kw = 10.16365;

static const struct scenario_physics *clear(const char *text, struct marketkit *kit)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-9);

    marketkit_clear(text, NULL, &settings, kit);
    if (!marketkit_is_good(kit))
        fprintf(stderr, "%s\n", kit->err.msg);
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(kit));
    return &kit->certificate->physics;
}

/* Two steps of half an hour, the second without a draw: half of one hour's loss. */
static void test_voltage_and_loss_are_those_by_hand(void)
{
    static const char *const texts[] = {
        MARKET("lindistflow", "", IMPEDANCE, LOAD("[2000, 0]", "[1000, 0]")),
        MARKET("dc", "", IMPEDANCE, LOAD("[2000, 0]", "[1000, 0]"))};

    for (size_t i = 0; i < 2; i++) {
        struct marketkit kit;
        const struct scenario_physics *p = clear(texts[i], &kit);

        CU_ASSERT_TRUE(p->known);
        CU_ASSERT_EQUAL(p->n_solved, 2);
        CU_ASSERT_EQUAL(p->unsolved, SIZE_MAX);
        TESTKIT_CLOSE(p->lowest_v_pu, v_of_2_mw, 1e-7);
        CU_ASSERT_EQUAL(p->lowest.index, marketkit_bus(&kit, "b"));
        CU_ASSERT_EQUAL(p->lowest.step, 0);
        TESTKIT_CLOSE(p->highest_v_pu, 1.0, 1e-12);
        TESTKIT_CLOSE(p->loss_mwh, 0.5e-3 * loss_of_2_mw_kw, 1e-6);
        TESTKIT_CLOSE(p->max_flow_error_kw, loss_of_2_mw_kw, 1e-5);
        CU_ASSERT_EQUAL(p->flow_error.step, 0);
        if (i == 0)
            TESTKIT_CLOSE(p->max_voltage_error_pu, sqrt(0.984) - v_of_2_mw, 1e-7);
        else
            CU_ASSERT_EQUAL(p->max_voltage_error_pu, 0.0);
        CU_ASSERT_EQUAL(p->max_voltage_breach_pu, 0.0);
        CU_ASSERT_EQUAL(p->max_loading, 0.0);
        marketkit_release(&kit);
    }
}

/* The model keeps to limits that the grid as it is does not keep to: told, and no fault of it. */
static void test_breaches_of_the_real_grid_are_told(void)
{
    struct marketkit kit;
    const struct scenario_physics *p =
        clear(MARKET("lindistflow", ", \"v_min_pu\": 0.99195", IMPEDANCE ", \"limit_kw\": 2000",
                     LOAD("[2000, 0]", "[1000, 0]")),
              &kit);

    TESTKIT_CLOSE(p->max_voltage_breach_pu, 0.99195 - v_of_2_mw, 1e-7);
    CU_ASSERT_EQUAL(p->voltage_breach.index, marketkit_bus(&kit, "b"));
    TESTKIT_CLOSE(p->max_loading, (2000.0 + loss_of_2_mw_kw) / 2000.0, 1e-7);
    CU_ASSERT_EQUAL(p->loading.step, 0);
    CU_ASSERT_TRUE(kit.certificate->clean);
    marketkit_release(&kit);
    p = clear(MARKET("lindistflow", "", IMPEDANCE ", \"limit_kva\": 2500",
                     LOAD("[2000, 0]", "[1000, 0]")),
              &kit);
    TESTKIT_CLOSE(p->max_loading,
                  hypot(2000.0 + loss_of_2_mw_kw, 1000.0 + 2.0 * loss_of_2_mw_kw) / 2500.0, 1e-7);
    marketkit_release(&kit);
}

/* The most that the line bears at this power factor is 1 / (2 (r p + x q + |z| |s|)) of s. */
static void test_a_plan_that_no_grid_bears_is_told(void)
{
    struct marketkit kit;
    const struct scenario_physics *p =
        clear(MARKET("lindistflow", "", IMPEDANCE, LOAD("[2000, 100000]", "[1000, 50000]")), &kit);
    double share = 0.5 / (0.02 * 10 + 0.04 * 5 + hypot(0.02, 0.04) * hypot(10, 5));

    CU_ASSERT_TRUE(p->known);
    CU_ASSERT_EQUAL(p->n_solved, 1);
    CU_ASSERT_EQUAL(p->unsolved, 1);
    CU_ASSERT_TRUE(p->reached_share > share - 2e-3 && p->reached_share <= share + 1e-9);
    TESTKIT_CLOSE(p->lowest_v_pu, v_of_2_mw, 1e-7);
    marketkit_release(&kit);
}

/* In the model dc a bus with a generator holds its voltage, with whatever kvar that takes. */
static void test_generators_hold_voltages_in_the_model_dc(void)
{
    struct marketkit kit;
    const struct scenario_physics *p =
        clear(MARKET("dc", "", IMPEDANCE,
                     LOAD("2000", "1000") ", {\"id\": \"g\", \"type\": \"generator\", \"max_kw\": "
                                          "500, \"segments\": [[500, 80]]}"),
              &kit);

    CU_ASSERT_EQUAL(p->n_solved, 2);
    TESTKIT_CLOSE(p->lowest_v_pu, 1.0, 1e-9);
    marketkit_release(&kit);
}

static void test_one_bus_has_no_power_flow(void)
{
    struct marketkit kit;
    const struct scenario_physics *p =
        clear(MARKET("copperplate", "", IMPEDANCE, LOAD("2000", "1000")), &kit);

    CU_ASSERT_FALSE(p->known);
    marketkit_release(&kit);
}

static const struct testkit_test tests[] = {
    {"voltage and loss are those by hand", test_voltage_and_loss_are_those_by_hand},
    {"breaches of the real grid are told", test_breaches_of_the_real_grid_are_told},
    {"a plan that no grid bears is told", test_a_plan_that_no_grid_bears_is_told},
    {"generators hold voltages in the model dc", test_generators_hold_voltages_in_the_model_dc},
    {"one bus has no power flow", test_one_bus_has_no_power_flow},
};
TESTKIT_MAIN("AC power flow of plans", tests)
