/*
 * Devices with integer decisions, and those that bring their own program, which only GLPK solves:
 * judged by trying every decision, or by hand.
 */
#include "agents/audit.h"
#include "agents/model.h"
#include "core/units.h"
#include "lp/lp.h"
#include "random_devices.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIAL_STEPS = 6 };

static struct random_device device; /* large, and must not be copied */

/* A program with a column for each power, [n] at a time; what fails is a failed test. */
static size_t columns(struct lp *lp, size_t n, double low, double high, double cost)
{
    size_t first = 0, made;

    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(lp_add_columns(lp, 1, &low, &high, &cost, &made, NULL), WALRAS_OK);
        first = i == 0 ? made : first;
    }
    return first;
}

static double optimum(struct lp *lp)
{
    struct lp_info info;

    CU_ASSERT_EQUAL_FATAL(lp_solve(lp, NULL, NULL, NULL, &info, NULL), WALRAS_OK);
    return info.outcome == LP_OPTIMAL ? info.objective : HUGE_VAL;
}

/* What GLPK says of the device: its value and bound, and that the audit passes it. HUGE_VAL:
 * cannot. */
static double answered(const double *price_per_mwh, double *bound)
{
    struct agent_model *model = NULL;
    struct market_answer answer = {0};
    struct agent_verdict verdict = {0};
    double draw_kw[RANDOM_STEPS] = {0.0}, value = HUGE_VAL;

    CU_ASSERT_EQUAL_FATAL(agent_model_new(&device.device, &device.horizon, &model, NULL),
                          WALRAS_OK);
    if (agent_model_solve(model, price_per_mwh, draw_kw, &answer, NULL) == WALRAS_OK) {
        CU_ASSERT_EQUAL(agent_audit(&device.device, &device.horizon, draw_kw, &verdict, NULL),
                        WALRAS_OK);
        CU_ASSERT_TRUE(verdict.breach <= 1e-6);
        CU_ASSERT_TRUE(verdict.cost <= answer.cost + 1e-7 * fmax(1.0, fabs(answer.cost)));
        value = answer.cost;
        for (size_t t = 0; t < device.horizon.n_step; t++)
            value += walras_mwh(draw_kw[t], device.horizon.step_h) * price_per_mwh[t];
        *bound = answer.bound;
    }
    agent_model_free(model);
    return value;
}

static bool matches(double value, double bound, double best, const char *what, uint64_t seed)
{
    double slack = 1e-7 * fmax(1.0, fabs(best));

    if (isinf(value) && isinf(best))
        return true;
    if (fabs(value - best) <= slack && bound <= best + 1e-2 * slack && bound >= best - slack)
        return true;
    fprintf(stderr, "%s %llu: %.12g (bound %.12g), trying all gives %.12g\n", what,
            (unsigned long long)seed, value, bound, best);
    return false;
}

/*
 * The optimum when columns [power, power + n) have a quadratic cost each, for which the columns
 * from `square` on stand: they are touched where the solution is until nothing is left out.
 */
static double square_optimum(struct lp *lp, size_t power, size_t square, size_t n,
                             double cost_per_square)
{
    for (int round = 0; round < 200; round++) {
        double x[8 * TRIAL_STEPS], over = 0.0;
        struct lp_info info;

        CU_ASSERT_EQUAL_FATAL(lp_solve(lp, NULL, x, NULL, &info, NULL), WALRAS_OK);
        if (info.outcome != LP_OPTIMAL)
            return HUGE_VAL;
        for (size_t i = 0; i < n; i++) {
            double at = x[power + i], miss = cost_per_square * (at * at - x[square + i]);

            over += miss;
            if (miss > 1e-11)
                CU_ASSERT_EQUAL(lp_add_row(lp, 2, (size_t[]){square + i, power + i},
                                           (double[]){1.0, -2.0 * at}, -at * at, HUGE_VAL, NULL,
                                           NULL),
                                WALRAS_OK);
        }
        if (over < 1e-9)
            return info.objective + over;
    }
    return (double)NAN;
}

/* The least over all 2^T choices of charging or discharging in each step. */
static double best_of_modes(const double *price_per_mwh)
{
    const struct agent_battery *battery = &device.device.battery;
    size_t n = device.horizon.n_step, charge, discharge, energy, square;
    double step_h = device.horizon.step_h, best = HUGE_VAL;
    double per_square = 1e-6 * step_h * battery->wear_per_mw2h;
    double keep = pow(1.0 - battery->loss_per_hour, step_h);
    struct lp *lp;

    CU_ASSERT_EQUAL_FATAL(lp_new(&lp, NULL), WALRAS_OK);
    charge = columns(lp, n, 0.0, 0.0, 0.0);
    discharge = columns(lp, n, 0.0, 0.0, 0.0);
    energy = columns(lp, n, battery->min_kwh, battery->capacity_kwh, 0.0);
    CU_ASSERT_EQUAL(lp_set_column_bounds(lp, energy + n - 1,
                                         fmax(battery->min_kwh, battery->end_min_kwh),
                                         battery->capacity_kwh, NULL),
                    WALRAS_OK);
    for (size_t t = 0; t < n; t++) {
        double before = t == 0 ? keep * battery->start_kwh : 0.0;
        double paid = walras_mwh(1.0, step_h) * price_per_mwh[t];
        double wear = walras_mwh(1.0, step_h) * battery->wear_per_mwh;

        CU_ASSERT_EQUAL(lp_set_cost(lp, charge + t, wear + paid, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL(lp_set_cost(lp, discharge + t, wear - paid, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL(
            lp_add_row(lp, t == 0 ? 3 : 4,
                       (size_t[]){energy + t, charge + t, discharge + t, energy + t - 1},
                       (double[]){1.0, -step_h * battery->charge_efficiency,
                                  step_h / battery->discharge_efficiency, -keep},
                       before, before, NULL, NULL),
            WALRAS_OK);
    }
    square = columns(lp, 2 * n, 0.0, HUGE_VAL, per_square);
    for (size_t modes = 0; modes < (size_t)1 << n; modes++) {
        for (size_t t = 0; t < n; t++) {
            bool charging = (modes >> t) & 1;

            CU_ASSERT_EQUAL(lp_set_column_bounds(lp, charge + t, 0.0,
                                                 charging ? battery->charge_kw : 0.0, NULL),
                            WALRAS_OK);
            CU_ASSERT_EQUAL(lp_set_column_bounds(lp, discharge + t, 0.0,
                                                 charging ? 0.0 : battery->discharge_kw, NULL),
                            WALRAS_OK);
        }
        best = fmin(best, square_optimum(lp, charge, square, 2 * n, per_square));
    }
    lp_free(lp);
    return best;
}

/* Ordinary numbers: GLPK's tolerances are another test's subject. Negative prices tempt to burn. */
static void plain_prices(struct walras_rng *rng, double high, double *price_per_mwh)
{
    for (size_t t = 0; t < device.horizon.n_step; t++)
        price_per_mwh[t] = walras_rng_range(rng, -200.0, high);
}

static void limit_and_wear(struct walras_rng *rng, struct agent_battery *battery)
{
    battery->charge_kw = fmin(battery->charge_kw, 2.0 * battery->capacity_kwh);
    battery->discharge_kw = fmin(battery->discharge_kw, 2.0 * battery->capacity_kwh);
    battery->wear_per_mw2h = 1e3 * walras_rng_range(rng, 1.0, 25.0) / fmax(battery->charge_kw, 0.5);
}

static void try_exclusive_batteries(bool squares, size_t usual)
{
    size_t differing = 0, parted = 0, cases = testkit_cases(usual);

    for (size_t k = 0; k < cases; k++) {
        struct walras_rng rng = walras_rng_from_seed(testkit_seed() + k);
        double price_per_mwh[RANDOM_STEPS] = {0.0}, bound = 0.0, best, value, relaxed;

        random_device(&rng, AGENT_BATTERY, TRIAL_STEPS, &device);
        device.horizon.step_h = 0.25;
        device.device.battery.charge_efficiency = walras_rng_range(&rng, 0.5, 1.0);
        if (squares) /* a marginal cost of up to 50 per MWh, to power that fits the store */
            limit_and_wear(&rng, &device.device.battery);
        plain_prices(&rng, 50.0, price_per_mwh);
        relaxed = answered(price_per_mwh, &bound);
        device.device.battery.exclusive = true;
        best = best_of_modes(price_per_mwh);
        value = answered(price_per_mwh, &bound);
        parted += matches(value, bound, best, "battery", testkit_seed() + k) ? 0 : 1;
        differing += best > relaxed + 1e-9 ? 1 : 0;
    }
    CU_ASSERT_EQUAL(parted, 0);
    CU_ASSERT_TRUE(differing >= cases / 50); /* the rule must matter */
}

static void test_exclusive_battery_is_the_best_of_all_modes(void)
{
    try_exclusive_batteries(false, 1000);
}

static void test_exclusive_battery_with_quadratic_wear(void)
{
    try_exclusive_batteries(true, 200);
}

/* Runs last as long as they must; what runs at the start may end, what ends with the horizon may.
 */
static bool holds_times(const struct agent_generator *generator, size_t modes, size_t n)
{
    bool state = generator->on_at_start;
    size_t held = SIZE_MAX; /* steps in this state */

    for (size_t t = 0; t < n; t++) {
        bool on = (modes >> t) & 1;

        if (on != state && held < (state ? generator->min_up_steps : generator->min_down_steps))
            return false;
        held = on != state ? 1 : held == SIZE_MAX ? held : held + 1;
        state = on;
    }
    return true;
}

/* In the step before t; before step 0 it is as at the start. */
static bool was_on(const struct agent_generator *generator, size_t modes, size_t t)
{
    return t > 0 ? (modes >> (t - 1)) & 1 : generator->on_at_start;
}

/* Bounds of the outputs for these on/off choices; starts and no-load cost are returned. */
static double set_modes(struct lp *lp, size_t modes, size_t ramp_row)
{
    const struct agent_generator *generator = &device.device.generator;
    size_t n = device.horizon.n_step;
    double ramp_kw = generator->ramp_kw_per_h * device.horizon.step_h, cost = 0.0;
    double jump_kw = fmax(generator->min_kw, ramp_kw);

    for (size_t t = 0; t < n; t++) {
        bool on = (modes >> t) & 1;
        bool before = was_on(generator, modes, t);
        bool stops = t + 1 < n && on && !((modes >> (t + 1)) & 1);
        bool jumps = on && (stops || (t > 0 && !before));
        double most_kw = fmin(generator->max_kw, jumps ? jump_kw : HUGE_VAL);

        cost += on ? device.horizon.step_h * generator->per_h : 0.0;
        cost += on && !before ? generator->start_cost : 0.0;
        CU_ASSERT_EQUAL(
            lp_set_column_bounds(lp, t, on ? generator->min_kw : 0.0, on ? most_kw : 0.0, NULL),
            WALRAS_OK);
        if (t > 0) {
            double limit_kw = on && before ? ramp_kw : HUGE_VAL;

            CU_ASSERT_EQUAL(lp_set_row_bounds(lp, ramp_row + t - 1, -limit_kw, limit_kw, NULL),
                            WALRAS_OK);
        }
    }
    return cost;
}

/* Outputs 0 … n-1, then each step's segments; the rows of the segments, then those of the ramps. */
static struct lp *dispatch(const double *price_per_mwh, size_t *ramp_row)
{
    const struct agent_generator *generator = &device.device.generator;
    size_t n = device.horizon.n_step, n_segment = generator->segments ? generator->n_segment : 0;
    double mwh_per_kw = walras_mwh(1.0, device.horizon.step_h);
    struct lp *lp;

    CU_ASSERT_EQUAL_FATAL(lp_new(&lp, NULL), WALRAS_OK);
    columns(lp, n, 0.0, generator->max_kw, 0.0);
    for (size_t t = 0; t < n; t++) {
        size_t part[RANDOM_BLOCKS + 1] = {t};
        double coef[RANDOM_BLOCKS + 1] = {-1.0}, own = n_segment > 0 ? 0.0 : generator->per_mwh;

        CU_ASSERT_EQUAL(lp_set_cost(lp, t, mwh_per_kw * (own - price_per_mwh[t]), NULL), WALRAS_OK);
        for (size_t i = 0; i < n_segment; i++) {
            part[i + 1] = columns(lp, 1, 0.0, generator->segments[i].width_kw,
                                  mwh_per_kw * generator->segments[i].price_per_mwh);
            coef[i + 1] = 1.0;
        }
        if (n_segment > 0)
            CU_ASSERT_EQUAL(lp_add_row(lp, n_segment + 1, part, coef, 0.0, 0.0, NULL, NULL),
                            WALRAS_OK);
    }
    *ramp_row = lp_rows(lp);
    for (size_t t = 1; t < n; t++)
        CU_ASSERT_EQUAL(lp_add_row(lp, 2, (size_t[]){t, t - 1}, (double[]){1.0, -1.0}, -HUGE_VAL,
                                   HUGE_VAL, NULL, NULL),
                        WALRAS_OK);
    return lp;
}

static double best_of_commitments(const double *price_per_mwh)
{
    size_t n = device.horizon.n_step, ramp_row = 0;
    struct lp *lp = dispatch(price_per_mwh, &ramp_row);
    double best = HUGE_VAL;

    for (size_t modes = 0; modes < (size_t)1 << n; modes++) {
        if (!holds_times(&device.device.generator, modes, n))
            continue;
        double fixed = set_modes(lp, modes, ramp_row);
        best = fmin(best, fixed + optimum(lp));
    }
    lp_free(lp);
    return best;
}

/* The same without ramps, where each step's output is where its marginal cost is the price. */
static double best_of_quadratic_commitments(const double *price_per_mwh)
{
    const struct agent_generator *generator = &device.device.generator;
    size_t n = device.horizon.n_step;
    double best = HUGE_VAL;

    for (size_t modes = 0; modes < (size_t)1 << n; modes++) {
        double cost = 0.0;

        if (!holds_times(generator, modes, n))
            continue;
        for (size_t t = 0; t < n; t++) {
            double least = walras_mw_from_kw(generator->min_kw);
            double most = walras_mw_from_kw(generator->max_kw);
            double mw = (price_per_mwh[t] - generator->per_mwh) / (2.0 * generator->per_mw2h);

            if (!((modes >> t) & 1))
                continue;
            mw = fmin(fmax(mw, least), most);
            cost += device.horizon.step_h *
                    ((generator->per_mw2h * mw + generator->per_mwh - price_per_mwh[t]) * mw +
                     generator->per_h);
            if (!was_on(generator, modes, t))
                cost += generator->start_cost;
        }
        best = fmin(best, cost);
    }
    return best;
}

static void test_commitment_is_the_best_of_all(void)
{
    size_t parted = 0, running = 0, cases = testkit_cases(1000);

    for (size_t k = 0; k < cases; k++) {
        struct walras_rng rng = walras_rng_from_seed(testkit_seed() + k);
        struct agent_generator *generator = &device.device.generator;
        double price_per_mwh[RANDOM_STEPS] = {0.0}, bound = 0.0, best, value;

        random_device(&rng, AGENT_GENERATOR, TRIAL_STEPS, &device);
        random_commitment(&rng, &device);
        plain_prices(&rng, 150.0, price_per_mwh);
        if (!generator->segments && generator->per_mw2h > 0.0) {
            generator->ramp_kw_per_h = (double)INFINITY;
            best = best_of_quadratic_commitments(price_per_mwh);
        } else {
            best = best_of_commitments(price_per_mwh);
        }
        value = answered(price_per_mwh, &bound);
        parted += matches(value, bound, best, "generator", testkit_seed() + k) ? 0 : 1;
        running += best < 0.0 ? 1 : 0;
    }
    CU_ASSERT_EQUAL(parted, 0);
    CU_ASSERT_TRUE(running >= cases / 8); /* most are worth running */
}

static char file[64];

static enum walras_status ask_file(const char *text, size_t n_step, const double *price_per_mwh,
                                   double *draw_kw, struct market_answer *answer,
                                   struct walras_err *err)
{
    struct agent_device own = {.type = AGENT_LP, .id = "own", .power_factor = 1.0};
    struct agent_horizon horizon = {.n_step = n_step, .step_h = 0.5};
    struct agent_model *model = NULL;
    enum walras_status status;
    FILE *out;

    snprintf(file, sizeof(file), "test_model_%ld.lp", (long)getpid());
    out = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fputs(text, out);
    fclose(out);
    own.lp.path = file;
    memset(err, 0, sizeof(*err));
    status = agent_model_new(&own, &horizon, &model, err);
    if (status == WALRAS_OK)
        status = agent_model_solve(model, price_per_mwh, draw_kw, answer, err);
    agent_model_free(model);
    remove(file);
    return status;
}

/*
 * 4 kW in whole units of 3 kW, or a private boiler at 0.02 a kW: at 100 and 10 a MWh a unit costs
 * 0.15 or 0.015 a half hour, so step 0 burns (0.08) and step 1 takes one unit (0.015) and burns 1
 * kW (0.02).
 */
static void test_lp_device_follows_its_own_program(void)
{
    const char *text = "Minimize\n cost: 0.02 burn0 + 0.02 burn1\nSubject To\n"
                       " need0: draw_0 + burn0 >= 4\n need1: draw_1 + burn1 >= 4\n"
                       " u0: draw_0 - 3 unit0 = 0\n u1: draw_1 - 3 unit1 = 0\n"
                       "General\n unit0\n unit1\nEnd\n";
    struct market_answer answer = {0};
    struct walras_err err;
    double draw_kw[2] = {0.0};

    CU_ASSERT_EQUAL(ask_file(text, 2, (double[]){100.0, 10.0}, draw_kw, &answer, &err), WALRAS_OK);
    CU_ASSERT_EQUAL(draw_kw[0], 0.0);
    CU_ASSERT_EQUAL(draw_kw[1], 6.0); /* 0.03, better than 0.015 + 0.02 */
    TESTKIT_CLOSE(answer.cost, 0.08, 1e-9);
    TESTKIT_CLOSE(answer.bound, 0.08 + 0.03, 1e-7);
}

static void test_lp_device_that_does_not_fit_is_named(void)
{
    const char *unbounded = "Maximize\n gain: draw_0\nSubject To\n c: draw_0 >= 1\nEnd\n";
    const char *impossible = "Minimize\n c: draw_0\nSubject To\n a: draw_0 >= 2\n b: draw_0 <= 1\n"
                             "End\n";
    struct market_answer answer;
    struct walras_err err;
    double draw_kw[2], price_per_mwh[2] = {1.0, 1.0};

    CU_ASSERT_EQUAL(ask_file(unbounded, 2, price_per_mwh, draw_kw, &answer, &err), WALRAS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "draw_1"));
    CU_ASSERT_EQUAL(ask_file(unbounded, 1, price_per_mwh, draw_kw, &answer, &err), WALRAS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, file));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "bound"));
    CU_ASSERT_EQUAL(ask_file(impossible, 1, price_per_mwh, draw_kw, &answer, &err), WALRAS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, file));
    CU_ASSERT_EQUAL(ask_file("nonsense", 1, price_per_mwh, draw_kw, &answer, &err), WALRAS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, file));
}

/* 4 steps of 0.5 h at 2 kW bring 4 kWh of the 5 that are asked for. */
static void test_what_cannot_be_met_is_named_with_its_step(void)
{
    const struct agent_device car = {
        .type = AGENT_EV,
        .power_factor = 1.0,
        .ev = {.arrive = 1,
               .depart = 5,
               .energy_kwh = 5.0,
               .charge_kw = 2.0,
               .efficiency = 1.0,
               .capacity_kwh = 9.0,
               .unserved_price_per_mwh = (double)NAN},
    };
    const struct agent_horizon horizon = {.n_step = 6, .step_h = 0.5};
    const double price_per_mwh[6] = {1.0, -2.0, 3.0, 0.0, 5.0, 6.0};
    double draw_kw[6], not_finite[6] = {0.0, (double)NAN};
    struct market_answer answer;
    struct agent_model *model = NULL;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL_FATAL(agent_model_new(&car, &horizon, &model, &err), WALRAS_OK);
    CU_ASSERT_EQUAL(agent_model_solve(model, price_per_mwh, draw_kw, &answer, &err),
                    WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "step 4: needs at least 5 kWh, can reach 4");
    memset(&err, 0, sizeof(err));
    CU_ASSERT_EQUAL(agent_model_solve(model, not_finite, draw_kw, &answer, &err), WALRAS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "step 1"));
    agent_model_free(model);
}

static const struct testkit_test tests[] = {
    {"an exclusive battery is the best of all modes",
     test_exclusive_battery_is_the_best_of_all_modes},
    {"an exclusive battery with quadratic wear too", test_exclusive_battery_with_quadratic_wear},
    {"a commitment is the best of all", test_commitment_is_the_best_of_all},
    {"an lp device follows its own program", test_lp_device_follows_its_own_program},
    {"an lp device that does not fit is named", test_lp_device_that_does_not_fit_is_named},
    {"what cannot be met is named with its step", test_what_cannot_be_met_is_named_with_its_step},
};
TESTKIT_MAIN("model_integers", tests)
