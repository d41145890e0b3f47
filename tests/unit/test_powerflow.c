/* Two and three buses, with the answers derived by hand from chosen voltages and currents. */
#include "grid/powerflow.h"
#include "gridkit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_BUSES = 3 };

static const double pi = 3.14159265358979323846;

static struct grid_powerflow *made(const struct grid_network *network)
{
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    struct grid_powerflow *flow = NULL;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(grid_network_check(network, &err), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(grid_powerflow_new(network, &settings, &flow, &err), WALRAS_OK);
    return flow;
}

/* Draws in kW and kvar by bus; the solution lives as long as the flow. */
static struct grid_powerflow_solution solved(struct grid_powerflow *flow, size_t n_bus,
                                             const double *draw_kw, const double *draw_kvar,
                                             const double *hold_v_pu)
{
    double p[MOST_BUSES], q[MOST_BUSES];
    struct grid_powerflow_input input = {
        .injection_kw = p, .injection_kvar = q, .hold_v_pu = hold_v_pu};
    struct grid_powerflow_solution solution = {0};
    struct walras_err err = {0};

    for (size_t b = 0; b < n_bus; b++) {
        p[b] = -draw_kw[b];
        q[b] = -draw_kvar[b];
    }
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &solution, &err), WALRAS_OK);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_EQUAL_FATAL(solution.outcome, GRID_POWERFLOW_SOLVED);
    CU_ASSERT_EQUAL(solution.reached_share, 1.0);
    CU_ASSERT_TRUE(solution.mismatch_kva < 1e-6);
    return solution;
}

/* One line of r + jx from the slack, base 1 MVA: 1 p.u. of power is 1000 kW. */
static struct grid_network two_buses(double r_pu, double x_pu)
{
    static const struct gridkit_line line = {1, 2, 1.0};
    struct grid_network network = gridkit_network(2, &line, 1);

    network.lines[0].r_pu = r_pu;
    network.lines[0].x_pu = x_pu;
    return network;
}

#define NEAR(a, b)    CU_ASSERT_DOUBLE_EQUAL(a, b, 1e-7)
#define NEAR_KW(a, b) CU_ASSERT_DOUBLE_EQUAL(a, b, 1e-5)

/*
 * V2 = 0.96 at angle 0 by choice, z = 0.14 + 0.14 j, I = 1 + j: z I = 0.28 j, so that V1 = 0.96 +
 * 0.28 j has magnitude 1 and leads V2 by atan(0.28 / 0.96). Bus 2 draws V2 conj(I) = 0.96 - 0.96 j;
 * |I|² = 2, so the line loses 0.28 + 0.28 j, and the slack gives 1.24 - 0.68 j.
 */
static void test_a_load_behind_a_line(void)
{
    struct grid_network network = two_buses(0.14, 0.14);
    struct grid_powerflow *flow = made(&network);
    double kw[] = {0.0, 960.0}, kvar[] = {0.0, -960.0};
    struct grid_powerflow_solution s = solved(flow, 2, kw, kvar, NULL);

    NEAR(s.vm_pu[0], 1.0);
    NEAR(s.va_rad[0], 0.0);
    NEAR(s.vm_pu[1], 0.96);
    NEAR(s.va_rad[1], -atan2(0.28, 0.96));
    NEAR_KW(s.from_kw[0], 1240.0);
    NEAR_KW(s.from_kvar[0], -680.0);
    NEAR_KW(s.to_kw[0], -960.0);
    NEAR_KW(s.to_kvar[0], 960.0);
    NEAR_KW(s.loss_kw, 280.0);
    NEAR_KW(s.loss_kvar, 280.0);
    NEAR_KW(s.injection_kw[0], 1240.0);
    NEAR_KW(s.injection_kvar[0], -680.0);
    NEAR_KW(s.injection_kw[1], -960.0);
    CU_ASSERT_EQUAL(s.charging_kvar, 0.0);
    CU_ASSERT_EQUAL(s.weakest, 1);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/*
 * The same currents in the impedance, with b = 0.2: the far half gives 0.1 · 0.96² = 0.09216 of the
 * reactive power, so bus 2 draws 0.09216 more; the near half gives 0.1 · 1² into the slack.
 */
static void test_charging_is_halved_at_both_ends(void)
{
    struct grid_network network = two_buses(0.14, 0.14);

    network.lines[0].b_pu = 0.2;
    struct grid_powerflow *flow = made(&network);
    double kw[] = {0.0, 960.0}, kvar[] = {0.0, -960.0 + 92.16};
    struct grid_powerflow_solution s = solved(flow, 2, kw, kvar, NULL);

    NEAR(s.vm_pu[1], 0.96);
    NEAR_KW(s.from_kw[0], 1240.0);
    NEAR_KW(s.from_kvar[0], -680.0 - 100.0);
    NEAR_KW(s.to_kvar[0], 960.0 - 92.16);
    NEAR_KW(s.loss_kvar, 280.0); /* of the impedance alone */
    NEAR_KW(s.charging_kvar, 192.16);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/*
 * The same again behind a tap of 1.05 and a shift of 30 degrees: the slack is at 1.05, so that the
 * impedance sees 1; all angles behind lag 30 degrees more, powers are the same. Charging of 0.2
 * sits at the impedance's side of the tap: near half 0.1 · (1.05 / 1.05)².
 */
static void test_tap_and_shift_are_at_the_from_side(void)
{
    struct grid_network network = two_buses(0.14, 0.14);

    network.lines[0].tap = 1.05;
    network.lines[0].shift_rad = pi / 6.0;
    network.lines[0].b_pu = 0.2;
    network.slack_v_pu = 1.05;
    struct grid_powerflow *flow = made(&network);
    double kw[] = {0.0, 960.0}, kvar[] = {0.0, -960.0 + 92.16};
    struct grid_powerflow_solution s = solved(flow, 2, kw, kvar, NULL);

    NEAR(s.vm_pu[0], 1.05);
    NEAR(s.vm_pu[1], 0.96);
    NEAR(s.va_rad[1], -pi / 6.0 - atan2(0.28, 0.96));
    NEAR_KW(s.from_kw[0], 1240.0);
    NEAR_KW(s.from_kvar[0], -780.0);
    NEAR_KW(s.charging_kvar, 192.16);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/* The line written the other way round: the tap is then at bus 2, which is at 1.05 · 0.96, and
 * leads by the shift. The slack is at 1. */
static void test_a_tap_at_the_far_end(void)
{
    struct grid_network network = two_buses(0.14, 0.14);

    network.lines[0].from = 1;
    network.lines[0].to = 0;
    network.lines[0].tap = 1.05;
    network.lines[0].shift_rad = pi / 6.0;
    struct grid_powerflow *flow = made(&network);
    double kw[] = {0.0, 960.0}, kvar[] = {0.0, -960.0};
    struct grid_powerflow_solution s = solved(flow, 2, kw, kvar, NULL);

    NEAR(s.vm_pu[1], 1.05 * 0.96);
    NEAR(s.va_rad[1], pi / 6.0 - atan2(0.28, 0.96));
    NEAR_KW(s.from_kw[0], -960.0);
    NEAR_KW(s.to_kw[0], 1240.0);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/*
 * The load again, half of it a shunt: at V2² = 0.9216 a conductance of 0.48 / 0.9216 draws 0.48 and
 * a susceptance of as much gives 0.48.
 */
static void test_shunts_go_with_the_square_of_the_voltage(void)
{
    struct grid_network network = two_buses(0.14, 0.14);

    network.buses[1].shunt_draw_kw = 480.0 / 0.9216;
    network.buses[1].shunt_inject_kvar = 480.0 / 0.9216;
    struct grid_powerflow *flow = made(&network);
    double kw[] = {0.0, 480.0}, kvar[] = {0.0, -480.0};
    struct grid_powerflow_solution s = solved(flow, 2, kw, kvar, NULL);

    NEAR(s.vm_pu[1], 0.96);
    NEAR_KW(s.from_kw[0], 1240.0);
    NEAR_KW(s.shunt_kw, 480.0);
    NEAR_KW(s.shunt_kvar, -480.0);
    NEAR_KW(s.injection_kw[1], -480.0);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/*
 * Both ends held at 1, x = 0.5, bus 2 gives 1 p.u.: V1 V2 sin(δ) / x = 1, so δ = 30 degrees, and
 * each end gives (1 - cos 30°) / 0.5 of reactive power, whatever is asked of bus 2.
 */
static void test_a_bus_holds_its_voltage(void)
{
    struct grid_network network = two_buses(0.0, 0.5);
    struct grid_powerflow *flow = made(&network);
    double kw[] = {0.0, -1000.0}, kvar[] = {0.0, 12345.0}, hold[] = {NAN, 1.0};
    struct grid_powerflow_solution s = solved(flow, 2, kw, kvar, hold);
    double each_kvar = 1000.0 * (1.0 - sqrt(0.75)) / 0.5;

    NEAR(s.vm_pu[1], 1.0);
    NEAR(s.va_rad[1], pi / 6.0);
    NEAR_KW(s.injection_kvar[0], each_kvar);
    NEAR_KW(s.injection_kvar[1], each_kvar);
    NEAR_KW(s.injection_kw[0], -1000.0);
    NEAR_KW(s.loss_kw, 0.0);
    NEAR_KW(s.loss_kvar, 2.0 * each_kvar);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/*
 * A triangle, x = 0.5 each, all held at 1: bus 2 gives 1 p.u., bus 3 takes it. By symmetry bus 1 is
 * in the middle: δ2 = -δ3 = δ with (sin δ + sin 2δ) / 0.5 = 1; its lines bring and take the same.
 */
static void test_three_buses_share_a_transfer(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.5}, {2, 3, 0.5}, {1, 3, 0.5}};
    struct grid_network network = gridkit_network(3, lines, 3);
    struct grid_powerflow *flow = made(&network);
    double kw[] = {0.0, -1000.0, 1000.0}, kvar[] = {0.0, 0.0, 0.0}, hold[] = {1.0, 1.0, 1.0};
    struct grid_powerflow_solution s = solved(flow, 3, kw, kvar, hold);
    double delta = s.va_rad[1];

    NEAR((sin(delta) + sin(2.0 * delta)) / 0.5, 1.0);
    CU_ASSERT_TRUE(delta > 0.0 && delta < 0.2);
    NEAR(s.va_rad[2], -delta);
    NEAR_KW(s.injection_kw[0], 0.0);
    NEAR_KW(s.to_kw[0], 1000.0 * sin(delta) / 0.5);
    NEAR_KW(s.from_kw[1], 1000.0 * sin(2.0 * delta) / 0.5);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/* Two equal lines side by side are one of half the impedance and twice the charging; a third, out
 * of service, carries nothing. */
static void test_parallel_lines_add_up(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.28}, {2, 1, 0.28}, {1, 2, 0.01}};
    struct grid_network network = gridkit_network(2, lines, 3);

    network.lines[0].r_pu = network.lines[1].r_pu = 0.28;
    network.lines[2].in_service = false;
    struct grid_powerflow *flow = made(&network);
    double kw[] = {0.0, 960.0}, kvar[] = {0.0, -960.0};
    struct grid_powerflow_solution s = solved(flow, 2, kw, kvar, NULL);

    NEAR(s.vm_pu[1], 0.96);
    NEAR_KW(s.from_kw[0], 620.0);
    NEAR_KW(s.to_kw[1], 620.0);
    CU_ASSERT_EQUAL(s.from_kw[2], 0.0);
    CU_ASSERT_EQUAL(s.to_kvar[2], 0.0);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

static struct grid_powerflow_solution asked(struct grid_powerflow *flow, double draw_kw)
{
    double kw[] = {0.0, -draw_kw}, kvar[] = {0.0, 0.0};
    struct grid_powerflow_input input = {.injection_kw = kw, .injection_kvar = kvar};
    struct grid_powerflow_solution s = {0};

    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &s, NULL), WALRAS_OK);
    return s;
}

/*
 * Over x = 0.25 at 1 p.u. at most 1 / (2 x) = 2 p.u. of active power arrive, at V² = 1 / 2 (from
 * v² - v + (P x)² = 0 with v = V²). A thousandth below there is a solution, the upper one; above
 * there is none, and the share that can be had is told.
 */
static void test_voltage_collapse_is_told_with_how_far_it_is(void)
{
    struct grid_network network = two_buses(0.0, 0.25);
    struct grid_powerflow *flow = made(&network);
    struct grid_powerflow_solution s = asked(flow, 1998.0);
    double root = sqrt(1.0 - 4.0 * 0.25 * 0.25 * 1.998 * 1.998);

    CU_ASSERT_EQUAL_FATAL(s.outcome, GRID_POWERFLOW_SOLVED);
    NEAR(s.vm_pu[1], sqrt(0.5 * (1.0 + root)));
    s = asked(flow, 2002.0);
    CU_ASSERT_EQUAL(s.outcome, GRID_POWERFLOW_NONE);
    CU_ASSERT_PTR_NULL(s.vm_pu);
    CU_ASSERT_EQUAL(s.weakest, 1);
    CU_ASSERT_TRUE(s.reached_share > 2000.0 / 2002.0 - 1e-3);
    CU_ASSERT_TRUE(s.reached_share <= 2000.0 / 2002.0);
    s = asked(flow, 20000.0);
    CU_ASSERT_EQUAL(s.outcome, GRID_POWERFLOW_NONE);
    CU_ASSERT_DOUBLE_EQUAL(s.reached_share, 0.1, 1e-3);
    s = asked(flow, 1000.0); /* and it goes on working */
    CU_ASSERT_EQUAL(s.outcome, GRID_POWERFLOW_SOLVED);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/*
 * Behind x = 0.25 a capacitor of b = 4 p.u.: in the resonance x b = 1 there is no finite voltage,
 * so nothing is found even without injections.
 */
static void test_a_network_in_resonance_has_no_voltages(void)
{
    struct grid_network network = two_buses(0.0, 0.25);

    network.buses[1].shunt_inject_kvar = 4000.0;
    struct grid_powerflow *flow = made(&network);
    struct grid_powerflow_solution s = asked(flow, 0.0);

    CU_ASSERT_EQUAL(s.outcome, GRID_POWERFLOW_NONE);
    CU_ASSERT_EQUAL(s.reached_share, 0.0);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/*
 * A ring of three equal lines, of which the first shifts by φ, and nobody draws: a current of
 * (e^(-jφ) - 1) / (3 z) goes round, so that V2 = (1 + 2 e^(-jφ)) / 3 and V3 = (2 + e^(-jφ)) / 3.
 * With φ = 2.5 rad a flat start is far from that.
 */
static void test_a_shift_in_a_ring_drives_a_current_round(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 0.01}, {2, 3, 0.01}, {3, 1, 0.01}};
    struct grid_network network = gridkit_network(3, lines, 3);
    double nothing[3] = {0};
    struct grid_powerflow_input input = {.injection_kw = nothing, .injection_kvar = nothing};
    struct grid_powerflow_solution s = {0};
    double re = cos(2.5), im = -sin(2.5);

    network.lines[0].shift_rad = 2.5;
    struct grid_powerflow *flow = made(&network);

    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &s, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(s.outcome, GRID_POWERFLOW_SOLVED);
    NEAR(s.vm_pu[1], hypot(1.0 + 2.0 * re, 2.0 * im) / 3.0);
    NEAR(s.va_rad[1], atan2(2.0 * im, 1.0 + 2.0 * re));
    NEAR(s.vm_pu[2], hypot(2.0 + re, im) / 3.0);
    CU_ASSERT_DOUBLE_EQUAL(s.loss_kvar, 1000.0 * 2.0 * (1.0 - re) / 0.03, 1e-3); /* 3 x |I|² */
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/*
 * Seven transformers in a row, each shifting by 30 degrees, and a load at the end: the last bus is
 * 210 degrees behind, of which a start at angle 0 knows nothing. With r = 0 and x = 0.02 in all,
 * P = 0.5: v² - v + (P x)² = 0.
 */
static void test_shifts_add_up_along_the_way(void)
{
    static const struct gridkit_line lines[] = {
        {1, 2, 0.02 / 7}, {2, 3, 0.02 / 7}, {3, 4, 0.02 / 7}, {4, 5, 0.02 / 7},
        {5, 6, 0.02 / 7}, {6, 7, 0.02 / 7}, {7, 8, 0.02 / 7}};
    struct grid_network network = gridkit_network(8, lines, 7);
    double kw[8] = {0}, kvar[8] = {0}, root = sqrt(1.0 - 4.0 * 0.01 * 0.01);
    struct grid_powerflow_input input = {.injection_kw = kw, .injection_kvar = kvar};
    struct grid_powerflow_solution s = {0};

    for (size_t l = 0; l < 7; l++)
        network.lines[l].shift_rad = pi / 6.0;
    struct grid_powerflow *flow = made(&network);

    kw[7] = -500.0;
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &s, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(s.outcome, GRID_POWERFLOW_SOLVED);
    CU_ASSERT_TRUE(s.iterations < 6); /* the start knows the shifts */
    NEAR(s.vm_pu[7], sqrt(0.5 * (1.0 + root)));
    CU_ASSERT_TRUE(s.va_rad[7] > 0.0 && s.va_rad[7] <= pi); /* -210° - δ is 150° - δ */
    NEAR(sin(s.va_rad[7] - 5.0 * pi / 6.0), -0.01 / s.vm_pu[7]);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/*
 * The load behind a line, at bus 3, and between it and the slack a switch of 1e-9: its flow is the
 * difference of nearly equal voltages, so it is good to 1e-16 / 1e-9 per unit, some 1e-4 kW. The
 * losses do not mind.
 */
static void test_a_switch_of_nearly_no_impedance_carries_the_load(void)
{
    static const struct gridkit_line lines[] = {{1, 2, 1e-9}, {2, 3, 0.14}};
    struct grid_network network = gridkit_network(3, lines, 2);

    network.lines[1].r_pu = 0.14;
    struct grid_powerflow *flow = made(&network);
    double p[] = {0.0, 0.0, -960.0}, q[] = {0.0, 0.0, 960.0};
    struct grid_powerflow_input input = {.injection_kw = p, .injection_kvar = q};
    struct grid_powerflow_solution s = {0};

    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &s, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(s.outcome, GRID_POWERFLOW_SOLVED);
    NEAR(s.vm_pu[2], 0.96);
    CU_ASSERT_DOUBLE_EQUAL(s.from_kw[0], 1240.0, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(s.loss_kw, 280.0, 1e-3);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/* From the last solution the next one, nearby, takes fewer steps and is the same. */
static void test_the_last_solution_is_a_start(void)
{
    struct grid_network network = two_buses(0.05, 0.2);
    struct grid_powerflow *flow = made(&network);
    double kw[] = {0.0, -1000.0}, kvar[] = {0.0, -300.0}, hold[] = {NAN, 0.98};
    struct grid_powerflow_input input = {.injection_kw = kw, .injection_kvar = kvar};
    struct grid_powerflow_solution cold, warm;

    input.from_last = true; /* of which there is none yet */
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &cold, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &warm, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(warm.iterations, 0);
    kw[1] = -1000.5;
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &warm, NULL), WALRAS_OK);
    double warm_v = warm.vm_pu[1];

    input.from_last = false;
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &cold, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(warm.iterations < cold.iterations);
    CU_ASSERT_DOUBLE_EQUAL(warm_v, cold.vm_pu[1], 1e-10);
    input.from_last = true; /* from where another bus is held: what is fixed changes */
    input.hold_v_pu = hold;
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &warm, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(warm.vm_pu[1], 0.98);
    CU_ASSERT_DOUBLE_EQUAL(warm.injection_kw[1], -1000.5, 1e-6);
    kw[1] = -1e6; /* from where there is nothing, and back */
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &warm, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(warm.outcome, GRID_POWERFLOW_NONE);
    kw[1] = -1000.5;
    input.hold_v_pu = NULL;
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &warm, NULL), WALRAS_OK);
    CU_ASSERT_DOUBLE_EQUAL(warm.vm_pu[1], warm_v, 1e-10);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

static void test_bad_injections_and_voltages_are_named(void)
{
    struct grid_network network = two_buses(0.1, 0.1);
    struct grid_powerflow *flow = made(&network);
    double kw[] = {NAN, 1.0}, kvar[] = {NAN, NAN}, hold[] = {NAN, NAN};
    struct grid_powerflow_input input = {
        .injection_kw = kw, .injection_kvar = kvar, .hold_v_pu = hold};
    struct grid_powerflow_solution s = {0};
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &s, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "bus 2: the injection is not finite");
    err = (struct walras_err){0};
    hold[1] = 0.0;
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &s, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "bus 2: the voltage to hold must be finite and above 0, got 0");
    hold[1] = 1.0; /* then its reactive power is not read, nor are the slack's powers */
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &s, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(s.outcome, GRID_POWERFLOW_SOLVED);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

/* Resistance alone will do: V2 = 0.8 by choice, r = 0.2, so I = 1 and bus 2 draws 0.8. */
static void test_a_line_needs_an_impedance_of_any_kind(void)
{
    struct grid_network network = two_buses(0.2, 0.0);
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    struct grid_powerflow *flow = NULL;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL_FATAL(grid_powerflow_new(&network, &settings, &flow, NULL), WALRAS_OK);
    NEAR(asked(flow, 800.0).vm_pu[1], 0.8);
    grid_powerflow_free(flow);
    flow = NULL;
    network.lines[0].r_pu = 0.0;
    CU_ASSERT_EQUAL(grid_powerflow_new(&network, &settings, &flow, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "line l1: an impedance of zero has no AC power flow; give it "
                                    "at least 1e-11 per unit, or make its ends one bus");
    CU_ASSERT_PTR_NULL(flow);
    grid_network_release(&network);
}

static void test_one_bus_alone_is_solved(void)
{
    struct grid_network network = {0};

    CU_ASSERT_EQUAL_FATAL(grid_network_copperplate(&network, NULL), WALRAS_OK);
    struct grid_powerflow *flow = made(&network);
    double kw[] = {5.0}, kvar[] = {0.0};
    struct grid_powerflow_solution s = solved(flow, 1, kw, kvar, NULL);

    CU_ASSERT_EQUAL(s.vm_pu[0], 1.0);
    CU_ASSERT_EQUAL(s.iterations, 0);
    grid_powerflow_free(flow);
    grid_network_release(&network);
}

static const struct testkit_test tests[] = {
    {"a load behind a line", test_a_load_behind_a_line},
    {"charging is halved at both ends", test_charging_is_halved_at_both_ends},
    {"tap and shift are at the from side", test_tap_and_shift_are_at_the_from_side},
    {"a tap at the far end", test_a_tap_at_the_far_end},
    {"shunts go with the square of the voltage", test_shunts_go_with_the_square_of_the_voltage},
    {"a bus holds its voltage", test_a_bus_holds_its_voltage},
    {"three buses share a transfer", test_three_buses_share_a_transfer},
    {"parallel lines add up", test_parallel_lines_add_up},
    {"voltage collapse is told with how far it is",
     test_voltage_collapse_is_told_with_how_far_it_is},
    {"a network in resonance has no voltages", test_a_network_in_resonance_has_no_voltages},
    {"a shift in a ring drives a current round", test_a_shift_in_a_ring_drives_a_current_round},
    {"shifts add up along the way", test_shifts_add_up_along_the_way},
    {"a switch of nearly no impedance carries the load",
     test_a_switch_of_nearly_no_impedance_carries_the_load},
    {"the last solution is a start", test_the_last_solution_is_a_start},
    {"bad injections and voltages are named", test_bad_injections_and_voltages_are_named},
    {"a line needs an impedance of any kind", test_a_line_needs_an_impedance_of_any_kind},
    {"one bus alone is solved", test_one_bus_alone_is_solved},
};
TESTKIT_MAIN("power flow", tests)
