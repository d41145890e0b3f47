#include "core/units.h"
#include "marketkit.h"
#include "resultkit.h"
#include "scenario/explain.h"
#include "scenario/nodes.h"
#include "scenario/parts.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * Markets on small feeders, model lindistflow, with answers by hand. One step of an hour on 1 MVA;
 * the slack s is held at 1 per unit; a kW through a line of r = 0.05 takes 1e-4 off w = v².
 */
#define HEAD                                                                                       \
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": 60, "    \
    "\"steps\": 1}, \"grid\": {\"model\": \"lindistflow\", "
#define SUPPLY "\"supply\": [{\"id\": \"w\", \"bus\": \"s\", \"price_per_mwh\": 50}], "
#define GENERATOR                                                                                  \
    "{\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 500, \"segments\": [[500, 80]]}"

/* s and b, v_b >= 0.95: the line carries 0.0975 / 1e-4 = 975 kW where x is 0. */
#define TWO_BUSES(more, x)                                                                         \
    HEAD more "\"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": \"b\", \"v_min_pu\": "      \
              "0.95}], \"lines\": [{\"id\": \"l\", \"from\": \"b\", \"to\": \"s\", \"r_pu\": "     \
              "0.05, \"x_pu\": " x "}]}, " SUPPLY
#define AT_B(devices) "\"agents\": [{\"id\": \"a\", \"bus\": \"b\", \"devices\": [" devices "]}]}"

static void clear(const char *text, struct marketkit *kit)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-9);

    marketkit_clear(text, NULL, &settings, kit);
    if (!marketkit_is_good(kit))
        fprintf(stderr, "%s%s\n", kit->err.msg,
                kit->result && kit->result->why ? kit->result->why : "");
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(kit));
}

static double reactive_price(const struct marketkit *kit, const char *bus)
{
    return kit->result->parts
        ->reactive_per_mvarh[marketkit_bus(kit, bus) * kit->scenario.horizon.n_step];
}

static double voltage_part(const struct marketkit *kit, const char *bus)
{
    return kit->result->parts->voltage[marketkit_bus(kit, bus) * kit->scenario.horizon.n_step];
}

static double energy_part(const struct marketkit *kit, const char *bus)
{
    return kit->result->parts->energy[marketkit_bus(kit, bus) * kit->scenario.horizon.n_step];
}

static double voltage(const struct marketkit *kit, const char *bus)
{
    return kit->result->v_pu[marketkit_bus(kit, bus) * kit->scenario.horizon.n_step];
}

/* What `walras explain` says of a result that is written to a directory; static. */
static const char *explained(const struct marketkit *kit, const char *bus, size_t step,
                             enum walras_status expected)
{
    static char said[4000];
    struct walras_err err = {0};
    const char *directory = resultkit_directory();
    FILE *file = tmpfile();
    size_t n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(scenario_result_write(directory, kit->result, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_explain(directory, bus, step, file, &err), expected);
    rewind(file);
    n = fread(said, 1, sizeof(said) - 1, file);
    said[n] = '\0';
    fclose(file);
    resultkit_remove(directory);
    if (err.code != WALRAS_OK)
        snprintf(said, sizeof(said), "%s", err.msg);
    return said;
}

static void expect_said(const char *said, const char *says)
{
    if (!strstr(said, says))
        fprintf(stderr, "\"%s\" is not in: %s\n", says, said);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, says));
}

/* Of 1000 kW at b the generator must give 25; each kW more of room saves 30 EUR/MWh. */
static void test_a_low_voltage_makes_power_dear_behind_it(void)
{
    struct marketkit kit = {0};

    clear(TWO_BUSES("", "0")
              AT_B("{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 1000}, " GENERATOR),
          &kit);
    TESTKIT_CLOSE(marketkit_award(&kit, "a", "g", 0), -25.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 80.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "s", 0), 50.0, 1e-6);
    TESTKIT_CLOSE(voltage_part(&kit, "b"), 30.0, 1e-6);
    TESTKIT_CLOSE(energy_part(&kit, "b"), 50.0, 1e-6);
    TESTKIT_CLOSE(voltage(&kit, "b"), 0.95, 1e-6);
    TESTKIT_CLOSE(kit.market->objective, 0.975 * 50.0 + 0.025 * 80.0, 1e-6);
    marketkit_release(&kit);
}

/*
 * The generator's 0.75 kvar to each kW (power factor 0.8) help through x = 0.05 as well:
 *     w = 0.9 + (0.1 + 0.075) g = 0.9025,    g = 14.2857 kW
 * It is paid p + 0.75 q = 80 where p = 50 + 0.1 m and q = 0.1 m: m = 171.43.
 */
static void test_a_power_factor_is_paid_for_its_kvar(void)
{
    struct marketkit kit = {0};

    clear(TWO_BUSES("", "0.05") AT_B(
              "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 1000}, {\"id\": \"g\", \"type\": "
              "\"generator\", \"max_kw\": 500, \"segments\": [[500, 80]], \"power_factor\": 0.8}"),
          &kit);
    TESTKIT_CLOSE(marketkit_award(&kit, "a", "g", 0), -2.5 / 0.175, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 50.0 + 3.0 / 0.175, 1e-6);
    TESTKIT_CLOSE(reactive_price(&kit, "b"), 3.0 / 0.175, 1e-6);
    CU_ASSERT_EQUAL(reactive_price(&kit, "s"), 0.0);
    marketkit_release(&kit);
}

/*
 * A load of 1000 kW and 500 kvar sheds both: 0.1 P + 0.1 · 0.5 P = 0.0975, P = 650 kW. It is worth
 * 200 = p + 0.5 q with p = 50 + 0.1 m, q = 0.1 m: m = 1000.
 */
static void test_a_shed_load_sheds_its_kvar(void)
{
    struct marketkit kit = {0};

    clear(TWO_BUSES("", "0.05") AT_B("{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 1000, "
                                     "\"draw_kvar\": 500, \"shed_price_per_mwh\": 200}"),
          &kit);
    TESTKIT_CLOSE(marketkit_award(&kit, "a", "l", 0), 650.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 150.0, 1e-6);
    TESTKIT_CLOSE(reactive_price(&kit, "b"), 100.0, 1e-6);
    marketkit_release(&kit);
}

/*
 * An inverter of 10 kVA without sun gives 10 kvar: w = 0.9 + 0.1 · 0.01, the generator 15 kW for
 * the other 0.0015. Its price 80 = 50 + 0.1 m makes a kvar worth 0.1 m = 30. With 100 kVA nothing
 * is short any more, and kvar are free; sun that is too dear to be used takes none of them.
 */
static void test_an_inverter_gives_kvar(void)
{
    struct marketkit kit = {0};

    clear(TWO_BUSES("", "0.05") AT_B(
              "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 1000}, {\"id\": \"i\", \"type\": "
              "\"pv\", \"available_kw\": 0, \"apparent_kva\": 10}, " GENERATOR),
          &kit);
    TESTKIT_CLOSE(marketkit_award(&kit, "a", "g", 0), -15.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 80.0, 1e-6);
    TESTKIT_CLOSE(reactive_price(&kit, "b"), 30.0, 1e-6);
    CU_ASSERT_EQUAL_FATAL(kit.result->n_inverter, 1);
    TESTKIT_CLOSE(kit.result->inverter_kvar[0], -10.0, 1e-6);
    marketkit_release(&kit);
    clear(TWO_BUSES("", "0.05") AT_B(
              "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 1000}, {\"id\": \"i\", \"type\": "
              "\"pv\", \"available_kw\": 60, \"cost_per_mwh\": 999, \"apparent_kva\": "
              "100}, " GENERATOR),
          &kit);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 50.0, 1e-6);
    CU_ASSERT_TRUE(kit.result->inverter_kvar[0] <= -25.0 + 1e-6);
    CU_ASSERT_TRUE(kit.result->inverter_kvar[0] >= -100.0 - 1e-6);
    marketkit_release(&kit);
}

/*
 * kW and kvar raise w alike, and 10 kVA are to be shared between them. The generator's price makes
 * a kW worth 80, a kvar 30: of the corners of the polygon that at 30° is the best, 8.66 kW and 5
 * kvar, and the generator gives the rest of 25. All sun and no kvar would leave it 15.
 */
static void test_an_inverter_shares_its_kva_between_kw_and_kvar(void)
{
    const double kw = 10.0 * cos(acos(-1.0) / 6.0);
    struct marketkit kit = {0};

    clear(TWO_BUSES("\"line_overload_price_per_mwh\": 1, ", "0.05") AT_B(
              "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 1000}, {\"id\": \"i\", \"type\": "
              "\"pv\", \"available_kw\": 10, \"apparent_kva\": 10}, " GENERATOR),
          &kit);
    TESTKIT_CLOSE(marketkit_award(&kit, "a", "i", 0), -kw, 1e-6);
    TESTKIT_CLOSE(kit.result->inverter_kvar[0], -5.0, 1e-6);
    TESTKIT_CLOSE(marketkit_award(&kit, "a", "g", 0), -(20.0 - kw), 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 80.0, 1e-6);
    TESTKIT_CLOSE(reactive_price(&kit, "b"), 30.0, 1e-6);
    TESTKIT_CLOSE(kit.market->objective, 0.98 * 50.0 + 0.001 * (20.0 - kw) * 80.0, 1e-6);
    expect_said(explained(&kit, "b", 0, WALRAS_OK),
                "30.0000   bus b (at least 0.95 per unit): a kvar drawn here moves it by -5.26e-05 "
                "per unit");
    CU_ASSERT_EQUAL(kit.market->n_breach, 0);
    marketkit_release(&kit);
}

/* Of 10 kVA 8 are taken by the sun, so that 6 kvar are left: a plan with 7 is found out. */
static void test_a_certificate_finds_an_inverter_out_of_its_circle(void)
{
    const double honest = -6.0, forged = -7.0;
    struct scenario_certificate certificate = {0};
    struct scenario_result result;
    struct marketkit kit = {0};

    clear(TWO_BUSES("", "0.05")
              AT_B("{\"id\": \"i\", \"type\": \"pv\", \"available_kw\": 8, \"curtailable\": false, "
                   "\"apparent_kva\": 10}, {\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 100}"),
          &kit);
    result = *kit.result;
    result.inverter_kvar = &honest;
    CU_ASSERT_EQUAL(scenario_certify(&result, &certificate, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(certificate.max_device_breach < 1e-9);
    result.inverter_kvar = &forged;
    CU_ASSERT_EQUAL(scenario_certify(&result, &certificate, NULL), WALRAS_OK);
    TESTKIT_CLOSE(certificate.max_device_breach, hypot(8.0, 7.0) - 10.0, 1e-9);
    CU_ASSERT_PTR_NOT_NULL_FATAL(certificate.device_what);
    CU_ASSERT_STRING_EQUAL(certificate.device_what, "apparent power of the inverter");
    CU_ASSERT_FALSE(certificate.clean);
    marketkit_release(&kit);
}

/*
 * 600 kW that cost nothing, of which v_b <= 1.02 lets p − q <= 404 out while q kvar are drawn. The
 * side at 15° of 600 kVA has q = 196 / (1 + tan 15°) there. A kW is worth 30 − m, a drawn kvar m,
 * and the inverter is content on that side at m = (30 − m) tan 15°.
 */
static void test_an_inverter_draws_kvar_to_let_its_sun_out(void)
{
    const double tangent = tan(acos(-1.0) / 12.0), kvar = 196.0 / (1.0 + tangent);
    struct marketkit kit = {0};
    bool full = false;

    clear(HEAD
          "\"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": \"b\", \"v_max_pu\": 1.02}], "
          "\"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"b\", \"r_pu\": 0.05, "
          "\"x_pu\": 0.05}], \"rating_scale\": 0.5}, \"supply\": [{\"id\": \"w\", \"bus\": \"s\", "
          "\"price_per_mwh\": 50, \"export_price_per_mwh\": 30, \"export_limit_kw\": 1000}], " AT_B(
              "{\"id\": \"p\", \"type\": \"pv\", \"available_kw\": 600, \"apparent_kva\": 600}"),
          &kit);
    TESTKIT_CLOSE(marketkit_award(&kit, "a", "p", 0), -(404.0 + kvar), 1e-6);
    TESTKIT_CLOSE(kit.result->inverter_kvar[0], kvar, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "s", 0), 30.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 30.0 / (1.0 + tangent), 1e-6);
    TESTKIT_CLOSE(reactive_price(&kit, "b"), -30.0 * tangent / (1.0 + tangent), 1e-6);
    for (size_t k = 0; k < kit.market->n_binding; k++)
        full = full ||
               strcmp(grid_limits_id(kit.result->limits, kit.market->binding[k].row), "a/p") == 0;
    CU_ASSERT_TRUE(full);
    marketkit_release(&kit);
}

/* v_b <= 1.02 lets 0.0404 / 1e-4 = 404 kW in of 600 that cost nothing: there they are worth 0. */
static void test_a_high_voltage_makes_power_cheap_behind_it(void)
{
    struct marketkit kit = {0};

    clear(HEAD
          "\"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": \"b\", \"v_max_pu\": 1.02}], "
          "\"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"b\", \"r_pu\": 0.05, "
          "\"x_pu\": 0.02}]}, \"supply\": [{\"id\": \"w\", \"bus\": \"s\", \"price_per_mwh\": "
          "50, \"export_price_per_mwh\": 30, \"export_limit_kw\": 1000}], " AT_B(
              "{\"id\": \"p\", \"type\": \"pv\", \"available_kw\": 600}"),
          &kit);
    TESTKIT_CLOSE(marketkit_award(&kit, "a", "p", 0), -404.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "s", 0), 30.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 0.0, 1e-6);
    TESTKIT_CLOSE(voltage_part(&kit, "b"), -30.0, 1e-6);
    marketkit_release(&kit);
}

/*
 * 100 kVA with 25 kvar to carry: the side at 15° leaves 100 − 25 tan 15° kW of the 150. Its shadow
 * price m has m cos 15° = 30, and a kvar costs m sin 15°.
 */
static void test_a_limit_of_apparent_power_prices_kvar(void)
{
    const double tangent = tan(acos(-1.0) / 12.0);
    struct marketkit kit = {0};

    clear(
        HEAD
        "\"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": \"b\"}], \"lines\": [{\"id\": "
        "\"l\", \"from\": \"s\", \"to\": \"b\", \"x_pu\": 0, \"limit_kva\": 100}]}, " SUPPLY AT_B(
            "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 150, \"draw_kvar\": 25}, " GENERATOR),
        &kit);
    TESTKIT_CLOSE(marketkit_award(&kit, "a", "g", 0), -(50.0 + 25.0 * tangent), 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 80.0, 1e-6);
    TESTKIT_CLOSE(reactive_price(&kit, "b"), 30.0 * tangent, 1e-6);
    TESTKIT_CLOSE(kit.result->parts->congestion[1], 30.0, 1e-6);
    marketkit_release(&kit);
}

#define FOREST(supplies)                                                                           \
    HEAD "\"slack\": [\"s\", \"z\"], \"slack_v_pu\": [1, 1.01], \"buses\": [{\"id\": \"s\"}, "     \
         "{\"id\": \"b\"}, {\"id\": \"c\"}, {\"id\": \"z\"}], \"lines\": [{\"id\": \"l\", "        \
         "\"from\": \"s\", \"to\": \"b\", \"r_pu\": 0.05, \"x_pu\": 0.05}, {\"id\": \"m\", "       \
         "\"from\": \"c\", \"to\": \"z\", \"r_pu\": 0.05, \"x_pu\": 0.05}, {\"id\": \"open\", "    \
         "\"from\": \"b\", \"to\": \"c\", \"x_pu\": 0.05, \"in_service\": false}]}, "              \
         "\"supply\": [" supplies                                                                  \
         "], \"agents\": [{\"id\": \"a\", \"bus\": \"b\", \"devices\": [{\"id\": \"l\", "          \
         "\"type\": \"load\", \"draw_kw\": 100}]}, {\"id\": \"a2\", \"bus\": \"c\", \"devices\": " \
         "[{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 60}]}]}"
#define AT_S "{\"id\": \"w\", \"bus\": \"s\", \"price_per_mwh\": 40}"
#define AT_Z "{\"id\": \"y\", \"bus\": \"z\", \"price_per_mwh\": 90}"

/* Two trees are two markets: each has the price of its own slack, and that is energy. */
static void test_trees_have_prices_of_their_own(void)
{
    struct marketkit kit = {0};

    clear(FOREST(AT_S ", " AT_Z), &kit);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 40.0, 1e-6);
    TESTKIT_CLOSE(marketkit_price(&kit, "c", 0), 90.0, 1e-6);
    TESTKIT_CLOSE(energy_part(&kit, "c"), 90.0, 1e-6);
    TESTKIT_CLOSE(kit.result->import_kw[1], 60.0, 1e-6);
    TESTKIT_CLOSE(voltage(&kit, "z"), 1.01, 1e-12);
    /* w = 1.0201 − 1e-4 · 60 */
    TESTKIT_CLOSE(voltage(&kit, "c"), sqrt(1.0141), 1e-9);
    marketkit_release(&kit);
}

static void expect_why(const char *text, const char *says)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);
    struct marketkit kit = {0};

    marketkit_clear(text, NULL, &settings, &kit);
    CU_ASSERT_EQUAL_FATAL(kit.status, WALRAS_OK);
    CU_ASSERT_EQUAL(kit.market->outcome, MARKET_INFEASIBLE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kit.result->why);
    if (!strstr(kit.result->why, says))
        fprintf(stderr, "\"%s\" is not in: %s\n", says, kit.result->why);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit.result->why, says));
    marketkit_release(&kit);
}

static void test_what_cannot_be_met_is_named(void)
{
    expect_why(FOREST(AT_S), "the tree of slack bus z (no line to the others)");
    expect_why(TWO_BUSES("", "0") AT_B("{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 1000}"),
               "bus b (at least 0.95 per unit) would be exceeded by 0.001316 per unit");
}

/*
 * The same with a soft limit: w = 0.9 is (0.9025 − 0.9) / 1.9 per unit too low, which costs 300 for
 * a unit and hour; a MW more would cost 300 · 0.1 / 1.9 besides the energy.
 */
static void test_a_soft_voltage_is_broken_at_its_price(void)
{
    struct marketkit kit = {0};

    clear(TWO_BUSES("\"voltage_violation_price_per_pu_h\": 300, ", "0")
              AT_B("{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 1000}"),
          &kit);
    TESTKIT_CLOSE(marketkit_price(&kit, "b", 0), 50.0 + 30.0 / 1.9, 1e-6);
    CU_ASSERT_EQUAL_FATAL(kit.market->n_breach, 1);
    const struct market_breach *breach = &kit.market->breach[0];

    TESTKIT_CLOSE(breach->breach_kw *
                      grid_limits_unit_per_kw(kit.result->limits, breach->row, breach->direction),
                  0.0025 / 1.9, 1e-6);
    TESTKIT_CLOSE(breach->cost, 300.0 * 0.0025 / 1.9, 1e-6);
    TESTKIT_CLOSE(kit.certificate->breach_cost, 300.0 * 0.0025 / 1.9, 1e-6);
    TESTKIT_CLOSE(kit.certificate->max_voltage_breach_pu, 0.0025 / 1.9, 1e-6);
    marketkit_release(&kit);
}

/*
 * What 150 + j50 is beyond the sides at −15°, 15° and 45° costs 10 / MVAh each: cheaper than the
 * generator.
 */
static void test_a_soft_limit_of_apparent_power_is_broken_at_its_price(void)
{
    const double angle = acos(-1.0) / 12.0;
    struct marketkit kit = {0};

    clear(
        HEAD
        "\"line_overload_price_per_mwh\": 10, \"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, "
        "{\"id\": \"b\"}], \"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"b\", "
        "\"x_pu\": 0, \"limit_kva\": 100}]}, " SUPPLY AT_B(
            "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 150, \"draw_kvar\": 50}, " GENERATOR),
        &kit);
    double over_kva = cos(angle) * 150.0 + sin(angle) * 50.0 - cos(angle) * 100.0;
    double at_45_kva = cos(3.0 * angle) * 200.0 - cos(angle) * 100.0;
    double below_kva = cos(angle) * 150.0 - sin(angle) * 50.0 - cos(angle) * 100.0;

    TESTKIT_CLOSE(marketkit_award(&kit, "a", "g", 0), 0.0, 1e-6);
    CU_ASSERT_EQUAL(kit.market->n_breach, 3);
    TESTKIT_CLOSE(kit.certificate->breach_cost, 0.01 * (over_kva + at_45_kva + below_kva), 1e-6);
    TESTKIT_CLOSE(kit.certificate->max_line_breach_kw, over_kva, 1e-6);
    marketkit_release(&kit);
}

/* A rating of 80 for 40 % of it: rating_scale goes for kVA too. */
static void test_a_rating_scale_goes_for_kva(void)
{
    struct marketkit kit = {0};

    clear(HEAD "\"rating_scale\": 0.4, \"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": "
               "\"b\"}], \"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"b\", \"x_pu\": 0, "
               "\"limit_kva\": 200}]}, " SUPPLY AT_B(
                   "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 100}, " GENERATOR),
          &kit);
    TESTKIT_CLOSE(marketkit_award(&kit, "a", "g", 0), -20.0, 1e-6);
    marketkit_release(&kit);
}

static void expect_error(const char *text, const char *says)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-6);
    struct marketkit kit = {0};

    marketkit_clear(text, NULL, &settings, &kit);
    CU_ASSERT_EQUAL(kit.status, WALRAS_INVALID);
    if (!strstr(kit.err.msg, says))
        fprintf(stderr, "\"%s\" is not in: %s\n", says, kit.err.msg);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit.err.msg, says));
    marketkit_release(&kit);
}

static void test_bad_grids_are_named(void)
{
    expect_error(HEAD "\"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": \"b\"}], \"lines\": "
                      "[{\"id\": \"l\", \"from\": \"s\", \"to\": \"b\", \"x_pu\": 0.1}, {\"id\": "
                      "\"m\", \"from\": \"s\", \"to\": \"b\", \"x_pu\": 0.1}]}, " SUPPLY
                      "\"agents\": []}",
                 "/grid: the model lindistflow needs a radial grid: lines m, l close a loop");
    expect_error(HEAD "\"slack\": [\"s\", \"s\"], \"buses\": [{\"id\": \"s\"}, {\"id\": \"b\"}], "
                      "\"lines\": []}, " SUPPLY "\"agents\": []}",
                 "/grid/slack/1: bus s is listed twice");
    expect_error(TWO_BUSES("", "0.1") AT_B("{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 5, "
                                           "\"draw_kvar\": 1, \"power_factor\": 0.9}"),
                 "draw_kvar or power_factor");
    expect_error(TWO_BUSES("", "0.1") AT_B("{\"id\": \"p\", \"type\": \"pv\", \"available_kw\": 5, "
                                           "\"apparent_kva\": 4}"),
                 "apparent_kva must be at least 5, the most kW of the device, got 4");
    expect_error("{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "
                 "\"step_minutes\": 60, \"steps\": 1}, \"grid\": {\"slack\": [\"s\", \"b\"], "
                 "\"buses\": [{\"id\": \"s\"}, {\"id\": \"b\"}], \"lines\": []}}",
                 "several slack buses need the model \"lindistflow\"");
}

/*
 * 30 of the 80 at b are the voltage's: a kW takes 1e-4 of w, 1e-4 / 1.9 = 5.26e-5 of v, at
 * 0.03 / 5.26e-5 = 570 EUR for a unit and hour. The generator sets it, the exchange the 50.
 */
static void test_a_price_is_explained(void)
{
    struct marketkit kit = {0};

    clear(TWO_BUSES("", "0")
              AT_B("{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 1000}, " GENERATOR),
          &kit);
    const char *said = explained(&kit, "b", 0, WALRAS_OK);

    expect_said(said, "energy            50.0000");
    expect_said(said, "w: 975 kW are bought at 50.0000");
    expect_said(said, "the exchange sets it");
    expect_said(said, "congestion         0.0000   no limit");
    expect_said(said,
                "30.0000   bus b (at least 0.95 per unit) is there: a kW drawn here moves it by "
                "-5.26e-05 per unit, which is worth 570 a unit and h");
    expect_said(said, "price             80.0000");
    expect_said(said, "reactive           0.0000   what one more Mvarh drawn here costs: no limit");
    said = explained(&kit, "s", 0, WALRAS_OK);
    expect_said(said, "voltage            0.0000   no limit that a draw here touches binds");
    expect_said(explained(&kit, "x", 0, WALRAS_INVALID), "there is no bus \"x\"");
    expect_said(explained(&kit, "b", 1, WALRAS_INVALID),
                "there is no step 1 in this result: 0 to 0");
    marketkit_release(&kit);
}

static const struct testkit_test tests[] = {
    {"a low voltage makes power dear behind it", test_a_low_voltage_makes_power_dear_behind_it},
    {"a power factor is paid for its kvar", test_a_power_factor_is_paid_for_its_kvar},
    {"a shed load sheds its kvar", test_a_shed_load_sheds_its_kvar},
    {"an inverter gives kvar", test_an_inverter_gives_kvar},
    {"an inverter shares its kVA between kW and kvar",
     test_an_inverter_shares_its_kva_between_kw_and_kvar},
    {"a certificate finds an inverter out of its circle",
     test_a_certificate_finds_an_inverter_out_of_its_circle},
    {"an inverter draws kvar to let its sun out", test_an_inverter_draws_kvar_to_let_its_sun_out},
    {"a high voltage makes power cheap behind it", test_a_high_voltage_makes_power_cheap_behind_it},
    {"a limit of apparent power prices kvar", test_a_limit_of_apparent_power_prices_kvar},
    {"trees have prices of their own", test_trees_have_prices_of_their_own},
    {"what cannot be met is named", test_what_cannot_be_met_is_named},
    {"a soft voltage is broken at its price", test_a_soft_voltage_is_broken_at_its_price},
    {"a soft limit of apparent power is broken at its price",
     test_a_soft_limit_of_apparent_power_is_broken_at_its_price},
    {"a rating scale goes for kVA", test_a_rating_scale_goes_for_kva},
    {"a price is explained", test_a_price_is_explained},
    {"bad grids are named", test_bad_grids_are_named},
};
TESTKIT_MAIN("feeders", tests)
