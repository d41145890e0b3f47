/*
 * Storage with quadratic costs. Answers are judged by a proof of optimality (dual_bound.h), by
 * numbers derived by hand, and in their limits by the solver of linear costs.
 */
#include "agents/audit.h"
#include "agents/smooth.h"
#include "agents/solve.h"
#include "core/units.h"
#include "dual_bound.h"
#include "random_devices.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 3 };

static const enum agent_device_type kinds[KINDS] = {AGENT_BATTERY, AGENT_EV, AGENT_THERMAL};

/* A random question to a random device; rho is 0 at times, if it has quadratic costs. */
struct asked {
    struct random_device random;
    double price_per_mwh[RANDOM_STEPS], centre_kw[RANDOM_STEPS], rho;
    double draw_kw[RANDOM_STEPS];
    struct market_answer answer;
    struct walras_err err;
};

static void make(struct asked *asked, enum agent_device_type kind, uint64_t seed, size_t max_step)
{
    struct walras_rng rng = walras_rng_from_seed(seed);
    bool square = walras_rng_unit(&rng) < 0.7;

    memset(asked, 0, sizeof(*asked));
    random_device(&rng, kind, max_step, &asked->random);
    random_prices(&rng, asked->random.horizon.n_step, asked->price_per_mwh);
    if (square)
        random_squares(&rng, &asked->random);
    if (!square || walras_rng_unit(&rng) < 0.5)
        asked->rho = pow(10.0, walras_rng_range(&rng, -6.0, 6.0));
    for (size_t t = 0; t < asked->random.horizon.n_step; t++)
        asked->centre_kw[t] = walras_rng_range(&rng, -10.0, 10.0);
}

static enum walras_status ask(struct asked *asked, struct agent_workspace *workspace)
{
    const struct random_device *random = &asked->random;

    asked->err = (struct walras_err){0};
    return agent_solve_near(&random->device, &random->horizon, asked->price_per_mwh, asked->rho,
                            asked->centre_kw, workspace, asked->draw_kw, &asked->answer,
                            &asked->err);
}

/* The draw and its value as the plan says them, the value proven best to 1e-9 of what is summed. */
static bool is_best(const struct asked *asked, const struct agent_workspace *workspace)
{
    const struct smooth *smooth = smooth_asked(workspace);
    const struct smooth_room *room = smooth_answered(workspace);
    const struct dual_question question = {&asked->random.device, &asked->random.horizon,
                                           asked->price_per_mwh, asked->rho, asked->centre_kw};
    const struct dual_plan plan = {room->charge_kw, room->discharge_kw, room->state};
    double value, bound, size, hidden, breach, said = asked->answer.cost;

    dual_bound(&question, &plan, &value, &bound, &size, &hidden, &breach);
    hidden += 1e-9 * size + 1e-12;
    for (size_t t = smooth->first; t < smooth->end; t++) {
        double off = asked->draw_kw[t] - asked->centre_kw[t];

        said += walras_mwh(1.0, asked->random.horizon.step_h) *
                (asked->price_per_mwh[t] * asked->draw_kw[t] + 0.5 * asked->rho * off * off);
    }
    if (breach <= 10.0 * smooth->slack && fabs(said - value) <= hidden &&
        fabs(value - bound) <= hidden)
        return true;
    fprintf(stderr, "value %.15g, said %.15g, bound %.15g: off by %.3g of %.3g; breach %.3g\n",
            value, said, bound, (value - bound) / size, size, breach);
    return false;
}

static void test_answers_are_proven_best(void)
{
    static struct asked asked;

    for (size_t k = 0; k < KINDS; k++) {
        size_t cases = testkit_cases(20000), solved = 0, failed = 0;

        for (size_t i = 0; i < cases; i++) {
            uint64_t seed = testkit_seed() + 10000000 * (k + 1) + i;
            struct agent_workspace *workspace = NULL;

            make(&asked, kinds[k], seed, i % 50 == 0 ? 96 : 12);
            CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&asked.random.horizon, &workspace, NULL),
                                  WALRAS_OK);
            if (ask(&asked, workspace) == WALRAS_OK) {
                solved++;
                if (!is_best(&asked, workspace)) {
                    fprintf(stderr, "  at %s %llu (%zu steps, rho %g)\n",
                            agent_device_type_name(kinds[k]), (unsigned long long)seed,
                            asked.random.horizon.n_step, asked.rho);
                    failed++;
                }
            }
            agent_workspace_free(workspace);
        }
        CU_ASSERT_EQUAL(failed, 0);
        CU_ASSERT_TRUE(2 * solved > cases);
    }
}

/* What agent_solve says of the same device at these prices. */
static enum walras_status ask_price(const struct asked *asked, const double *price_per_mwh,
                                    struct agent_workspace *workspace, struct market_answer *answer)
{
    double draw_kw[RANDOM_STEPS];

    return agent_solve(&asked->random.device, &asked->random.horizon, price_per_mwh, workspace,
                       draw_kw, answer, NULL);
}

/*
 * x is the nearest answer exactly when it is the best response to price + rho (x − centre): there
 * the device without a pull, linear ones by another algorithm, has the same bound.
 */
static bool is_best_response(const struct asked *asked, struct agent_workspace *workspace)
{
    const struct smooth *smooth = smooth_asked(workspace);
    const struct agent_generator *generator = &asked->random.device.generator;
    size_t n = asked->random.horizon.n_step;
    double own_per_mwh[RANDOM_STEPS], size = fabs(asked->answer.cost), hidden = 1e-12;
    struct market_answer answer = {0};

    /* the states' rounding is one of the draws, and rho makes it one of the prices */
    if (asked->rho > 0.0 && asked->random.device.type != AGENT_GENERATOR)
        hidden += 1e-4 * smooth->slack / smooth->step[smooth->first].in_per_kw * asked->rho *
                  walras_mwh(smooth->charge_kw + smooth->discharge_kw, smooth->step_h) * (double)n;
    if (asked->rho > 0.0 && asked->random.device.type == AGENT_GENERATOR)
        hidden += 1e-15 * asked->rho * walras_mwh(generator->max_kw, asked->random.horizon.step_h) *
                  generator->max_kw * (double)n;

    for (size_t t = 0; t < n; t++) {
        own_per_mwh[t] =
            asked->price_per_mwh[t] + asked->rho * (asked->draw_kw[t] - asked->centre_kw[t]);
        size += walras_mwh(1.0, asked->random.horizon.step_h) * fabs(own_per_mwh[t]) *
                (1.0 + fabs(asked->draw_kw[t]));
    }
    if (ask_price(asked, own_per_mwh, workspace, &answer) == WALRAS_OK &&
        fabs(answer.bound - asked->answer.bound) <= 1e-9 * size + hidden)
        return true;
    fprintf(stderr, "bound %.15g, best response %.15g (size %g)\n", asked->answer.bound,
            answer.bound, size);
    return false;
}

static void test_near_answers_are_best_responses(void)
{
    static const enum agent_device_type types[] = {AGENT_BATTERY, AGENT_EV, AGENT_THERMAL,
                                                   AGENT_GENERATOR, AGENT_LOAD};
    static struct asked asked;
    size_t failed = 0, solved = 0, cases = testkit_cases(4000);

    for (size_t i = 0; i < cases; i++) {
        enum agent_device_type type = types[i % (sizeof(types) / sizeof(types[0]))];
        struct agent_workspace *workspace = NULL;

        make(&asked, type, testkit_seed() + 77000000 + i, 24);
        asked.rho =
            agent_can_be_near(&asked.random.device) ? pow(10.0, (double)(i % 7) - 3.0) : 0.0;
        CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&asked.random.horizon, &workspace, NULL),
                              WALRAS_OK);
        if (ask(&asked, workspace) == WALRAS_OK) {
            solved++;
            if (!is_best_response(&asked, workspace)) {
                fprintf(stderr, "  at %s %zu, rho %g\n", agent_device_type_name(type), i,
                        asked.rho);
                failed++;
            }
        }
        agent_workspace_free(workspace);
    }
    CU_ASSERT_EQUAL(failed, 0);
    CU_ASSERT_TRUE(2 * solved > cases);
}

/* Quadratic costs take nothing away from what a device can do, and their lack adds nothing. */
static void test_verdicts_are_those_of_linear_devices(void)
{
    static struct asked asked;
    size_t infeasible = 0, parted = 0, cases = testkit_cases(6000);

    for (size_t i = 0; i < cases; i++) {
        struct agent_workspace *workspace = NULL;
        enum walras_status smooth, linear;
        char message[sizeof(asked.err.msg)];

        make(&asked, kinds[i % KINDS], testkit_seed() + 50000000 + i, 24);
        asked.rho = 1.0;
        CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&asked.random.horizon, &workspace, NULL),
                              WALRAS_OK);
        smooth = ask(&asked, workspace);
        memcpy(message, asked.err.msg, sizeof(message));
        asked.rho = 0.0;
        asked.random.device.battery.wear_per_mw2h *= kinds[i % KINDS] == AGENT_BATTERY ? 0.0 : 1.0;
        asked.random.device.ev.wear_per_mw2h *= kinds[i % KINDS] == AGENT_EV ? 0.0 : 1.0;
        asked.random.device.thermal.discomfort_per_k2h *=
            kinds[i % KINDS] == AGENT_THERMAL ? 0.0 : 1.0;
        linear = ask(&asked, workspace);
        infeasible += linear != WALRAS_OK;
        if (smooth != linear || strcmp(message, asked.err.msg) != 0) {
            fprintf(stderr, "%zu: \"%s\", linear \"%s\"\n", i, message, asked.err.msg);
            parted++;
        }
        agent_workspace_free(workspace);
    }
    CU_ASSERT_EQUAL(parted, 0);
    CU_ASSERT_TRUE(infeasible > cases / 100);
}

/* 10 kWh, 4 kW, efficiencies 0.9 and 0.8, half full. */
static struct agent_device usual_battery(void)
{
    return (struct agent_device){.type = AGENT_BATTERY,
                                 .power_factor = 1.0,
                                 .battery = {.capacity_kwh = 10.0,
                                             .charge_kw = 4.0,
                                             .discharge_kw = 4.0,
                                             .charge_efficiency = 0.9,
                                             .discharge_efficiency = 0.8,
                                             .start_kwh = 5.0}};
}

struct small {
    double draw_kw[RANDOM_STEPS];
    struct market_answer answer;
    double curvature[64];
};

/* One question to a device, n <= 8 steps of an hour. */
static struct small ask_small(const struct agent_device *device, size_t n, const double *price,
                              double rho, const double *centre_kw)
{
    const struct agent_horizon horizon = {n, 1.0};
    struct agent_workspace *workspace = NULL;
    struct small small = {0};
    enum walras_status status = agent_workspace_new(&horizon, &workspace, NULL);

    if (status == WALRAS_OK && rho > 0.0)
        status = agent_solve_near(device, &horizon, price, rho, centre_kw, workspace, small.draw_kw,
                                  &small.answer, NULL);
    else if (status == WALRAS_OK)
        status = agent_solve_curved(device, &horizon, price, workspace, small.draw_kw,
                                    &small.answer, small.curvature, NULL);
    CU_ASSERT_EQUAL(status, WALRAS_OK);
    agent_workspace_free(workspace);
    return small;
}

/*
 * Lossless, 10000 per MW²h: a marginal wear of 20 per MWh at 1 kW. Prices 10 and 70: with the state
 * worth mu, it charges (mu − 10)/20 and discharges (70 − mu)/20 kW; empty at both ends mu = 40, so
 * 1.5 kW each way. Cost 2 · 10000 · 1.5²/1e6 = 0.045, energy 1.5 (10 − 70)/1000 = −0.09. If one
 * price rises by 1, mu rises by 1/2: the draws move by −1/40 and +1/40.
 */
static void test_two_steps_share_the_spread(void)
{
    struct agent_device device = usual_battery();
    struct small small;

    device.battery.charge_efficiency = device.battery.discharge_efficiency = 1.0;
    device.battery.start_kwh = 0.0;
    device.battery.wear_per_mw2h = 10000.0;
    small = ask_small(&device, 2, (const double[]){10.0, 70.0}, 0.0, NULL);
    TESTKIT_CLOSE(small.draw_kw[0], 1.5, 1e-12);
    TESTKIT_CLOSE(small.draw_kw[1], -1.5, 1e-12);
    TESTKIT_CLOSE(small.answer.cost, 0.045, 1e-12);
    TESTKIT_CLOSE(small.answer.bound, -0.045, 1e-12);
    TESTKIT_CLOSE(small.curvature[0], 0.025, 1e-12);
    TESTKIT_CLOSE(small.curvature[1], -0.025, 1e-12);
    TESTKIT_CLOSE(small.curvature[2], -0.025, 1e-12);
    TESTKIT_CLOSE(small.curvature[3], 0.025, 1e-12);
}

/*
 * Full, price −100, one hour, and the state must stay full: 0.9 c = d/0.8, d = 0.72 c. Of c = 1 it
 * is paid 0.28 · 0.1 and wears 10000 (1 + 0.72²)/1e6 = 0.015184 c²: c = 0.028/(2 · 0.015184) =
 * 0.92202.
 */
static void test_burning_is_weighed_against_quadratic_wear(void)
{
    struct agent_device device = usual_battery();
    struct small small;
    double c = 0.028 / (2.0 * 0.015184);

    device.battery.start_kwh = device.battery.end_min_kwh = 10.0;
    device.battery.wear_per_mw2h = 10000.0;
    small = ask_small(&device, 1, (const double[]){-100.0}, 0.0, NULL);
    TESTKIT_CLOSE(small.draw_kw[0], 0.28 * c, 1e-12);
    TESTKIT_CLOSE(small.answer.cost, 0.015184 * c * c, 1e-12);
}

/* 1 kWh/K, no loss, cop 2, from 20 °C, target 21, 0.01 per K²h; price 20 per MWh is 0.01 per K. At
 * the end of the one hour 0.02 (θ − 21) = −0.01: θ = 20.5, so 0.25 kW. By the target's pull alone
 * the slope is 1/(0.02 · 2²) per 1000: 1/80 kW per currency/MWh. */
static void test_discomfort_is_weighed_against_energy(void)
{
    static const double cop = 2.0, min_c = 18.0, max_c = 24.0, zero = 0.0;
    struct agent_device device = {.type = AGENT_THERMAL,
                                  .power_factor = 1.0,
                                  .thermal = {.max_kw = 2.0,
                                              .capacity_kwh_per_k = 1.0,
                                              .start_c = 20.0,
                                              .cop = {&cop, 0},
                                              .min_c = {&min_c, 0},
                                              .max_c = {&max_c, 0},
                                              .outdoor_c = {&zero, 0},
                                              .gain_kw = {&zero, 0},
                                              .comfort_price_per_kh = (double)NAN,
                                              .discomfort_per_k2h = 0.01}};
    struct small small = ask_small(&device, 1, (const double[]){20.0}, 0.0, NULL);

    TESTKIT_CLOSE(small.draw_kw[0], 0.25, 1e-12);
    TESTKIT_CLOSE(small.answer.cost, 0.0025, 1e-12);
    TESTKIT_CLOSE(small.curvature[0], 1.0 / 80.0, 1e-12);
}

/* A pull far beyond all prices leaves the centre, moved into what the battery can do. */
static void test_a_strong_pull_projects_the_centre(void)
{
    struct agent_device device = usual_battery();
    struct small small = ask_small(&device, 3, (const double[]){50.0, -20.0, 80.0}, 1e9,
                                   (const double[]){1.0, 9.0, -2.0});

    TESTKIT_CLOSE(small.draw_kw[0], 1.0, 1e-6);
    TESTKIT_CLOSE(small.draw_kw[1], 4.0, 1e-6); /* no more than it can charge */
    TESTKIT_CLOSE(small.draw_kw[2], -2.0, 1e-6);
}

/* Less and less wear: the value comes down to that of no wear, the answer costs no more than it. */
static void test_no_wear_is_the_limit_of_little(void)
{
    static struct asked asked;
    size_t failed = 0;

    for (size_t i = 0; i < testkit_cases(1000); i++) {
        struct agent_workspace *workspace = NULL;
        struct market_answer linear, little;

        make(&asked, kinds[i % 2], testkit_seed() + 60000000 + i, 24);
        CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&asked.random.horizon, &workspace, NULL),
                              WALRAS_OK);
        for (double wear = 1e-80; wear <= 1e-2; wear *= 1e13) {
            double h = asked.random.horizon.step_h, c_max, d_max, missed_kwh, allowed;

            if (kinds[i % 2] == AGENT_BATTERY) {
                struct agent_battery *battery = &asked.random.device.battery;

                c_max = battery->charge_kw;
                d_max = battery->discharge_kw;
                missed_kwh = 1e-11 * (1.0 + battery->capacity_kwh) / battery->charge_efficiency;
                allowed = walras_mwh(missed_kwh, 1.0) * battery->wear_per_mwh;
                battery->wear_per_mw2h = 0.0;
            } else {
                struct agent_ev *ev = &asked.random.device.ev;

                c_max = ev->charge_kw;
                d_max = ev->discharge_kw;
                missed_kwh = 1e-11 * (1.0 + ev->capacity_kwh) / ev->efficiency;
                allowed = walras_mwh(missed_kwh, 1.0) * ev->wear_per_mwh;
                ev->wear_per_mw2h = 0.0;
            }
            if (ask_price(&asked, asked.price_per_mwh, workspace, &linear) != WALRAS_OK)
                break;
            if (kinds[i % 2] == AGENT_BATTERY)
                asked.random.device.battery.wear_per_mw2h = wear;
            else
                asked.random.device.ev.wear_per_mw2h = wear;
            allowed += 1e-6 * wear * h * (double)asked.random.horizon.n_step *
                       (c_max * c_max + d_max * d_max);
            for (size_t t = 0; t < asked.random.horizon.n_step; t++)
                allowed += 1e-13 * (1e-3 + fabs(linear.bound)) +
                           1e-12 * h * fabs(asked.price_per_mwh[t]) * (c_max + d_max + 1.0) +
                           walras_mwh(missed_kwh, 1.0) * fabs(asked.price_per_mwh[t]);
            CU_ASSERT_EQUAL(ask_price(&asked, asked.price_per_mwh, workspace, &little), WALRAS_OK);
            if (little.bound < linear.bound - allowed || little.bound > linear.bound + allowed) {
                fprintf(stderr, "%zu: wear %g: %.15g, without %.15g, allowed %g\n", i, wear,
                        little.bound, linear.bound, allowed);
                failed++;
            }
        }
        agent_workspace_free(workspace);
    }
    CU_ASSERT_EQUAL(failed, 0);
}

/* Ordinary devices with quadratic costs at ordinary prices; a generator has its ramp limit. */
static void make_ordinary(struct asked *asked, enum agent_device_type type, uint64_t seed)
{
    struct walras_rng rng = walras_rng_from_seed(seed);
    struct agent_device *device = &asked->random.device;

    do {
        memset(asked, 0, sizeof(*asked));
        random_device(&rng, type, 20, &asked->random);
        random_squares(&rng, &asked->random);
    } while (!agent_device_is_smooth(device) || !agent_can_be_near(device));
    for (size_t t = 0; t < asked->random.horizon.n_step; t++)
        asked->price_per_mwh[t] = walras_rng_range(&rng, -60.0, 100.0);
}

/*
 * The curvature is minus the change of the draw when a price moves a little, wherever the answer
 * moves by the same on both sides; and symmetric.
 */
static size_t wrong_columns(struct asked *asked, struct agent_workspace *workspace, size_t *seen)
{
    static double curvature[RANDOM_STEPS * RANDOM_STEPS];
    const struct agent_device *device = &asked->random.device;
    const struct agent_horizon *horizon = &asked->random.horizon;
    double up_kw[RANDOM_STEPS], down_kw[RANDOM_STEPS], largest = 0.0;
    size_t n = horizon->n_step, wrong = 0;

    memset(curvature, 0, sizeof(curvature));
    if (agent_solve_curved(device, horizon, asked->price_per_mwh, workspace, asked->draw_kw,
                           &asked->answer, curvature, NULL) != WALRAS_OK)
        return 0;
    for (size_t i = 0; i < n * n; i++)
        largest = fmax(largest, fabs(curvature[i]));
    for (size_t j = 0; j < n; j++) {
        double price = asked->price_per_mwh[j], by = 1e-3;
        bool stable = true, right = true;

        asked->price_per_mwh[j] = price + by;
        CU_ASSERT_EQUAL(agent_solve(device, horizon, asked->price_per_mwh, workspace, up_kw,
                                    &asked->answer, NULL),
                        WALRAS_OK);
        asked->price_per_mwh[j] = price - by;
        CU_ASSERT_EQUAL(agent_solve(device, horizon, asked->price_per_mwh, workspace, down_kw,
                                    &asked->answer, NULL),
                        WALRAS_OK);
        asked->price_per_mwh[j] = price;
        for (size_t t = 0; t < n; t++) {
            double up = (up_kw[t] - asked->draw_kw[t]) / by;
            double down = (asked->draw_kw[t] - down_kw[t]) / by;
            double noise = 1e-9 * (1.0 + fabs(asked->draw_kw[t])) / by + 1e-6 * largest;

            stable = stable && fabs(up - down) <= noise;
            right = right && fabs(0.5 * (up + down) + curvature[t * n + j]) <= noise &&
                    curvature[t * n + j] == curvature[j * n + t];
        }
        *seen += stable;
        wrong += stable && !right;
    }
    return wrong;
}

static void test_curvature_is_how_the_answer_gives_way(void)
{
    static const enum agent_device_type types[] = {AGENT_BATTERY, AGENT_EV, AGENT_THERMAL,
                                                   AGENT_GENERATOR};
    static struct asked asked;

    for (size_t k = 0; k < 4; k++) {
        size_t wrong = 0, seen = 0, cases = testkit_cases(1500);

        for (size_t i = 0; i < cases; i++) {
            struct agent_workspace *workspace = NULL;
            size_t found;

            make_ordinary(&asked, types[k], testkit_seed() + 80000000 + i);
            CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&asked.random.horizon, &workspace, NULL),
                                  WALRAS_OK);
            found = wrong_columns(&asked, workspace, &seen);
            if (found > 0)
                fprintf(stderr, "%s %zu: %zu of %zu columns are wrong\n",
                        agent_device_type_name(types[k]), i, found, asked.random.horizon.n_step);
            wrong += found;
            agent_workspace_free(workspace);
        }
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT_TRUE(seen > 3 * cases);
    }
}

/* A horizon whose policies do not fit into the room at once, so that several passes are needed. */
static void test_long_horizons_are_proven_best_too(void)
{
    enum { LONG = 480 };
    static double price[LONG], centre_kw[LONG], draw_kw[LONG];
    const struct agent_horizon horizon = {LONG, 0.25};
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    struct agent_device device = usual_battery();
    struct agent_workspace *workspace = NULL;
    struct market_answer answer;
    double value, bound, size, hidden, breach;

    device.battery.capacity_kwh = 4000.0; /* never full, never empty: nothing is cut */
    device.battery.start_kwh = 2000.0;
    device.battery.end_min_kwh = 2000.0;
    device.battery.wear_per_mw2h = 3000.0;
    for (size_t t = 0; t < LONG; t++)
        price[t] = walras_rng_range(&rng, -100.0, 100.0);
    CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&horizon, &workspace, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(agent_solve_near(&device, &horizon, price, 1.0, centre_kw, workspace, draw_kw,
                                     &answer, NULL),
                    WALRAS_OK);
    dual_bound(&(const struct dual_question){&device, &horizon, price, 1.0, centre_kw},
               &(const struct dual_plan){smooth_answered(workspace)->charge_kw,
                                         smooth_answered(workspace)->discharge_kw,
                                         smooth_answered(workspace)->state},
               &value, &bound, &size, &hidden, &breach);
    CU_ASSERT_TRUE(value - bound <= 1e-9 * size + hidden);
    CU_ASSERT_TRUE(breach <= 1e-9);
    agent_workspace_free(workspace);
}

static const struct testkit_test tests[] = {
    {"answers are proven best", test_answers_are_proven_best},
    {"near answers are best responses to their own prices", test_near_answers_are_best_responses},
    {"verdicts are those of linear devices", test_verdicts_are_those_of_linear_devices},
    {"two steps share the spread", test_two_steps_share_the_spread},
    {"burning is weighed against quadratic wear", test_burning_is_weighed_against_quadratic_wear},
    {"discomfort is weighed against energy", test_discomfort_is_weighed_against_energy},
    {"a strong pull projects the centre", test_a_strong_pull_projects_the_centre},
    {"no wear is the limit of little", test_no_wear_is_the_limit_of_little},
    {"curvature is how the answer gives way", test_curvature_is_how_the_answer_gives_way},
    {"long horizons are proven best too", test_long_horizons_are_proven_best_too},
};
TESTKIT_MAIN("smooth devices", tests)
