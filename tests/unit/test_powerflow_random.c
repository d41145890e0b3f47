/*
 * Random networks. Radial ones are solved a second time by a backward and forward sweep, which
 * shares nothing with Newton's method; meshed ones are judged by Kirchhoff's and Ohm's laws.
 */
#include "grid/powerflow.h"
#include "gridkit.h"
#include "testkit.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double complex at(double re, double im)
{
    return re + im * (double complex)I;
}

struct problem {
    struct grid_network network;
    double *p, *q, *hold; /* [n_bus] kW, kvar, per unit */
};

static void release(struct problem *problem)
{
    free(problem->p);
    free(problem->q);
    free(problem->hold);
    grid_network_release(&problem->network);
}

/* Impedances, charging, taps, shifts and shunts of a line or bus in some of them. */
static void furnish(struct problem *problem, struct walras_rng *rng, double load_kw)
{
    struct grid_network *network = &problem->network;
    size_t n = network->n_bus;

    problem->p = calloc(n, sizeof(double));
    problem->q = calloc(n, sizeof(double));
    problem->hold = calloc(n, sizeof(double));
    CU_ASSERT_FATAL(problem->p && problem->q && problem->hold);
    network->slack_v_pu = walras_rng_range(rng, 0.97, 1.05);
    for (size_t l = 0; l < network->n_line; l++) {
        struct grid_line *line = &network->lines[l];

        line->r_pu = walras_rng_range(rng, 0.0, line->x_pu);
        if (walras_rng_below(rng, 4) == 0) { /* written towards the slack */
            size_t from = line->from;

            line->from = line->to;
            line->to = from;
        }
        if (walras_rng_below(rng, 3) == 0)
            line->b_pu = walras_rng_range(rng, 0.0, 0.02);
        if (walras_rng_below(rng, 5) == 0)
            line->tap = walras_rng_range(rng, 0.95, 1.05);
        if (walras_rng_below(rng, 8) == 0)
            line->shift_rad = walras_rng_range(rng, -0.6, 0.6);
    }
    for (size_t b = 0; b < n; b++) {
        problem->p[b] = -walras_rng_range(rng, -0.3 * load_kw, load_kw);
        problem->q[b] = -walras_rng_range(rng, -0.3 * load_kw, 0.5 * load_kw);
        problem->hold[b] = NAN;
        if (walras_rng_below(rng, 6) == 0) {
            network->buses[b].shunt_draw_kw = walras_rng_range(rng, 0.0, 0.3 * load_kw);
            network->buses[b].shunt_inject_kvar = walras_rng_range(rng, -load_kw, load_kw);
        }
    }
}

/* A tree in which bus b hangs at a bus before it. */
static struct problem random_feeder(struct walras_rng *rng)
{
    struct problem problem = {0};
    size_t n = 2 + (size_t)walras_rng_below(rng, 60);

    problem.network = gridkit_mesh(rng, n, 0);
    for (size_t l = 0; l < problem.network.n_line; l++)
        problem.network.lines[l].x_pu *= 0.04; /* 0.002 to 0.02 */
    furnish(&problem, rng, 1500.0 / (double)n);
    return problem;
}

/* The line that ends at bus b, the farther from the slack of its ends: line b - 1 of the tree. */
static size_t near_end(const struct grid_network *network, size_t bus)
{
    const struct grid_line *line = &network->lines[bus - 1];

    return line->from == bus ? line->to : line->from;
}

/* Current that bus b draws at its voltage: powers, shunt, and the charging of lines as shunts. */
static double complex own_current(const struct problem *problem, const double complex *v, size_t b)
{
    const struct grid_network *network = &problem->network;
    const struct grid_bus *bus = &network->buses[b];
    double complex y = at(bus->shunt_draw_kw, bus->shunt_inject_kvar) / 1000.0;

    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];

        if (line->from == b)
            y += at(0.0, 0.5 * line->b_pu / (line->tap * line->tap));
        if (line->to == b)
            y += at(0.0, 0.5 * line->b_pu);
    }
    return y * v[b] - conj(at(problem->p[b], problem->q[b]) / 1000.0 / v[b]);
}

/* One sweep: currents from the ends to the slack, then voltages back. Returns the largest change.
 */
static double sweep(const struct problem *problem, double complex *v, double complex *drawn)
{
    const struct grid_network *network = &problem->network;
    double change = 0.0;

    for (size_t b = 0; b < network->n_bus; b++)
        drawn[b] = own_current(problem, v, b);
    for (size_t b = network->n_bus; b-- > 1;) {
        const struct grid_line *line = &network->lines[b - 1];
        double complex t = line->tap * cexp(at(0.0, line->shift_rad));

        /* an ideal transformer at the from side: V_from / t behind it, I conj(t) */
        drawn[near_end(network, b)] += line->to == b ? drawn[b] / conj(t) : drawn[b] * conj(t);
    }
    for (size_t b = 1; b < network->n_bus; b++) {
        const struct grid_line *line = &network->lines[b - 1];
        double complex z = at(line->r_pu, line->x_pu), near = v[near_end(network, b)], now;
        double complex t = line->tap * cexp(at(0.0, line->shift_rad));

        if (line->to == b)
            now = near / t - z * drawn[b];
        else
            now = t * (near - z * drawn[b] * conj(t));
        change = fmax(change, cabs(now - v[b]));
        v[b] = now;
    }
    return change;
}

static bool solve_by_sweeps(const struct problem *problem, double complex *v)
{
    double complex *drawn = calloc(problem->network.n_bus, sizeof(*drawn));
    double change = 1.0;

    CU_ASSERT_FATAL(drawn != NULL);
    for (size_t b = 0; b < problem->network.n_bus; b++)
        v[b] = problem->network.slack_v_pu;
    for (int i = 0; i < 300 && change > 1e-13; i++)
        change = sweep(problem, v, drawn);
    free(drawn);
    return change <= 1e-13;
}

static struct grid_powerflow *solve(const struct problem *problem,
                                    struct grid_powerflow_solution *solution)
{
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    struct grid_powerflow_input input = {
        .injection_kw = problem->p, .injection_kvar = problem->q, .hold_v_pu = problem->hold};
    struct grid_powerflow *flow = NULL;

    CU_ASSERT_EQUAL(grid_network_check(&problem->network, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(grid_powerflow_new(&problem->network, &settings, &flow, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, solution, NULL), WALRAS_OK);
    return flow;
}

static void test_newton_agrees_with_sweeps(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    size_t n_solved = 0, n_case = testkit_cases(1000);
    double worst = 0.0;

    for (size_t i = 0; i < n_case; i++) {
        struct problem problem = random_feeder(&rng);
        struct grid_powerflow_solution s = {0};
        struct grid_powerflow *flow = solve(&problem, &s);
        double complex *v = calloc(problem.network.n_bus, sizeof(*v));

        CU_ASSERT_FATAL(v != NULL);
        CU_ASSERT_EQUAL_FATAL(s.outcome, GRID_POWERFLOW_SOLVED);
        if (solve_by_sweeps(&problem, v)) {
            n_solved++;
            for (size_t b = 0; b < problem.network.n_bus; b++)
                worst = fmax(worst, cabs(v[b] - s.vm_pu[b] * cexp(at(0.0, s.va_rad[b]))));
        }
        free(v);
        grid_powerflow_free(flow);
        release(&problem);
    }
    printf("(%zu of %zu by sweeps too, within %.0e p.u.) ", n_solved, n_case, worst);
    CU_ASSERT_TRUE(worst < 1e-9);
    CU_ASSERT_TRUE(10 * n_solved > 9 * n_case);
}

/*
 * Certificate, independent of the method: at every bus the flows of the lines, each by Ohm's law
 * from the voltages at its ends, and the shunt add up to the injection; what must be held is held.
 */
static double worst_violation(const struct problem *problem,
                              const struct grid_powerflow_solution *s)
{
    const struct grid_network *network = &problem->network;
    double complex *left = calloc(network->n_bus + 1, sizeof(*left));
    double worst = fabs(s->va_rad[network->slack]), loss = s->loss_kw + s->shunt_kw;
    double loss_q = s->loss_kvar + s->shunt_kvar - s->charging_kvar;

    CU_ASSERT_FATAL(left != NULL);
    for (size_t b = 0; b < network->n_bus; b++) {
        const struct grid_bus *bus = &network->buses[b];

        left[b] = at(s->injection_kw[b], s->injection_kvar[b]) -
                  s->vm_pu[b] * s->vm_pu[b] * at(bus->shunt_draw_kw, -bus->shunt_inject_kvar);
        loss -= s->injection_kw[b];
        loss_q -= s->injection_kvar[b];
        if (b == network->slack)
            worst = fmax(worst, fabs(s->vm_pu[b] - network->slack_v_pu));
        else
            worst = fmax(worst, fabs(s->injection_kw[b] - problem->p[b]));
        if (b != network->slack && isnan(problem->hold[b]))
            worst = fmax(worst, fabs(s->injection_kvar[b] - problem->q[b]));
        else if (b != network->slack)
            worst = fmax(worst, fabs(s->vm_pu[b] - problem->hold[b]));
    }
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];
        double complex from = s->vm_pu[line->from] * cexp(at(0.0, s->va_rad[line->from]));
        double complex to = s->vm_pu[line->to] * cexp(at(0.0, s->va_rad[line->to]));
        double complex t = line->tap * cexp(at(0.0, line->shift_rad)), inner = from / t;
        double complex through = (inner - to) / at(line->r_pu, line->x_pu);
        double complex half = at(0.0, 0.5 * line->b_pu);
        double complex s_from = 1000.0 * inner * conj(through + half * inner);
        double complex s_to = 1000.0 * to * conj(half * to - through);

        worst = fmax(worst, cabs(s_from - at(s->from_kw[l], s->from_kvar[l])));
        worst = fmax(worst, cabs(s_to - at(s->to_kw[l], s->to_kvar[l])));
        left[line->from] -= s_from;
        left[line->to] -= s_to;
    }
    for (size_t b = 0; b < network->n_bus; b++)
        worst = fmax(worst, cabs(left[b]));
    free(left);
    return fmax(worst, fmax(fabs(loss), fabs(loss_q)));
}

/* Shifts within loops drive much power around: a flat start is often too far away. */
static void test_meshed_networks_obey_the_laws(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed() + 1);
    size_t n_solved = 0, n_raised = 0, n_case = testkit_cases(1000);
    double worst = 0.0;

    for (size_t i = 0; i < n_case; i++) {
        struct problem problem = {0};
        size_t n = 2 + (size_t)walras_rng_below(&rng, 60);

        problem.network = gridkit_mesh(&rng, n, n / 2);
        for (size_t l = 0; l < problem.network.n_line; l++)
            problem.network.lines[l].x_pu *= 0.2; /* 0.01 to 0.1 */
        furnish(&problem, &rng, walras_rng_range(&rng, 50.0, 500.0));
        for (size_t b = 1; b < n; b++)
            if (walras_rng_below(&rng, 5) == 0)
                problem.hold[b] = walras_rng_range(&rng, 0.98, 1.04);
        struct grid_powerflow_solution s = {0};
        struct grid_powerflow *flow = solve(&problem, &s);

        if (s.outcome == GRID_POWERFLOW_SOLVED) {
            n_solved++;
            n_raised += s.iterations > grid_powerflow_settings_defaults().max_iterations;
            worst = fmax(worst, worst_violation(&problem, &s));
        }
        grid_powerflow_free(flow);
        release(&problem);
    }
    printf("(%zu of %zu have a solution, %zu not found from a flat start; laws hold to %.0e kVA) ",
           n_solved, n_case, n_raised, worst);
    CU_ASSERT_TRUE(worst < 1e-6);
    CU_ASSERT_TRUE(10 * n_solved > 8 * n_case);
    CU_ASSERT_TRUE(n_raised > 0);
}

/* What all slacks give, and what the loss factors say that one more injected changes of it. */
static double slack_kw(struct grid_powerflow *flow, const struct problem *problem)
{
    struct grid_powerflow_input input = {
        .injection_kw = problem->p, .injection_kvar = problem->q, .hold_v_pu = problem->hold};
    struct grid_powerflow_solution s = {0};

    CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &s, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(s.outcome, GRID_POWERFLOW_SOLVED);
    return s.injection_kw[problem->network.slack];
}

/* By central differences: `at` is a kW or kvar of the problem. */
static double slope(struct grid_powerflow *flow, const struct problem *problem, double *at)
{
    const double step = 0.05;
    double was = *at, up = 0.0;

    *at = was + step;
    up = slack_kw(flow, problem);
    *at = was - step;
    up -= slack_kw(flow, problem);
    *at = was;
    return up / (2.0 * step);
}

/* Taps, shifts, shunts, charging, loops, and buses that hold their voltage. */
static void test_loss_factors_are_slopes_of_the_losses(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed() + 4);
    double worst = 0.0, largest = 0.0;

    for (size_t i = 0; i < testkit_cases(40); i++) {
        struct problem problem = random_feeder(&rng);
        size_t n = problem.network.n_bus;
        double kw[64], kvar[64];

        for (size_t b = 1; b < n; b++)
            if (walras_rng_below(&rng, 6) == 0)
                problem.hold[b] = walras_rng_range(&rng, 0.99, 1.02);
        struct grid_powerflow_solution s = {0};
        struct grid_powerflow *flow = solve(&problem, &s);

        if (s.outcome == GRID_POWERFLOW_SOLVED) {
            CU_ASSERT_EQUAL_FATAL(grid_powerflow_loss_factors(flow, kw, kvar, NULL), WALRAS_OK);
            CU_ASSERT_EQUAL(kw[0], 0.0);
            for (size_t b = 1; b < n; b++) {
                double by_kw = 1.0 + slope(flow, &problem, &problem.p[b]);
                double by_kvar =
                    isnan(problem.hold[b]) ? slope(flow, &problem, &problem.q[b]) : 0.0;

                worst = fmax(worst, fmax(fabs(kw[b] - by_kw), fabs(kvar[b] - by_kvar)));
                largest = fmax(largest, fmax(fabs(kw[b]), fabs(kvar[b])));
            }
        }
        grid_powerflow_free(flow);
        release(&problem);
    }
    printf("(within %.0e, the largest is %.2f) ", worst, largest);
    CU_ASSERT_TRUE(worst < 1e-5);
    CU_ASSERT_TRUE(largest > 0.02);
}

/* A day of steps, each from the one before: lawful too, and none needs the flat start. */
static void test_steps_of_a_day_follow_each_other(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed() + 3);
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    double worst = 0.0;

    for (size_t i = 0; i < testkit_cases(30); i++) {
        struct problem problem = random_feeder(&rng);
        struct grid_powerflow *flow = NULL;
        struct grid_powerflow_input input = {.injection_kw = problem.p,
                                             .injection_kvar = problem.q,
                                             .hold_v_pu = problem.hold,
                                             .from_last = true};

        CU_ASSERT_EQUAL_FATAL(grid_powerflow_new(&problem.network, &settings, &flow, NULL),
                              WALRAS_OK);
        for (size_t t = 0; t < 24; t++) {
            struct grid_powerflow_solution s = {0};

            for (size_t b = 0; b < problem.network.n_bus; b++)
                problem.p[b] *= walras_rng_range(&rng, 0.9, 1.1);
            CU_ASSERT_EQUAL(grid_powerflow_solve(flow, &input, &s, NULL), WALRAS_OK);
            CU_ASSERT_EQUAL_FATAL(s.outcome, GRID_POWERFLOW_SOLVED);
            CU_ASSERT_TRUE(s.iterations < settings.max_iterations);
            worst = fmax(worst, worst_violation(&problem, &s));
        }
        grid_powerflow_free(flow);
        release(&problem);
    }
    printf("(laws hold to %.0e kVA) ", worst);
    CU_ASSERT_TRUE(worst < 1e-6);
}

/*
 * Behind one line, v = |V2|² solves v² - (V1² - 2 (r P + x Q)) v + |z|² |S|² = 0, which has roots
 * while V1² >= 2 (r P + x Q + |z| |S|): the share of a load that can be had is the quotient of the
 * two sides.
 */
static void test_collapse_is_where_it_is(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed() + 2);
    double worst = 0.0;

    for (size_t i = 0; i < testkit_cases(1000); i++) {
        static const struct gridkit_line line = {1, 2, 0.1};
        double r = walras_rng_range(&rng, 0.0, 0.3), load = walras_rng_range(&rng, 0.1, 100.0);
        double angle = walras_rng_range(&rng, -0.3, 1.2), hold[2] = {NAN, NAN};
        double p[2] = {0.0, -1000.0 * load * cos(angle)};
        double q[2] = {0.0, -1000.0 * load * sin(angle)};
        struct problem problem = {gridkit_network(2, &line, 1), p, q, hold};
        struct grid_powerflow_solution s = {0};

        problem.network.lines[0].r_pu = r;
        problem.network.slack_v_pu = walras_rng_range(&rng, 0.9, 1.1);
        struct grid_powerflow *flow = solve(&problem, &s);
        double had = pow(problem.network.slack_v_pu, 2.0) /
                     (2.0 * load * (r * cos(angle) + 0.1 * sin(angle) + hypot(r, 0.1)));

        CU_ASSERT_EQUAL(s.outcome, had > 1.0 ? GRID_POWERFLOW_SOLVED : GRID_POWERFLOW_NONE);
        CU_ASSERT_TRUE(s.reached_share <= had + 1e-9);
        worst = fmax(worst, fmin(1.0, had) - s.reached_share);
        grid_powerflow_free(flow);
        grid_network_release(&problem.network);
    }
    printf("(shares within %.0e) ", worst);
    CU_ASSERT_TRUE(worst < 1e-3);
}

static const struct testkit_test tests[] = {
    {"newton agrees with sweeps", test_newton_agrees_with_sweeps},
    {"meshed networks obey the laws", test_meshed_networks_obey_the_laws},
    {"loss factors are slopes of the losses", test_loss_factors_are_slopes_of_the_losses},
    {"steps of a day follow each other", test_steps_of_a_day_follow_each_other},
    {"collapse is where it is", test_collapse_is_where_it_is},
};
TESTKIT_MAIN("random power flows", tests)
