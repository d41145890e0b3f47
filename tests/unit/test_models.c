/*
 * The fast solvers and GLPK's models are two roads to the same number: they must meet. Devices that
 * only GLPK can solve are compared with trying everything.
 */
#include "agents/audit.h"
#include "agents/model.h"
#include "agents/solve.h"
#include "core/units.h"
#include "random_devices.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What an answer is worth: cost and energy; *size: what was summed, to compare it by. */
static double worth(const struct random_device *random, const double *price_per_mwh,
                    const double *draw_kw, double cost, double *size)
{
    double sum = cost;

    *size = fabs(cost);
    for (size_t t = 0; t < random->horizon.n_step; t++) {
        double paid = walras_mwh(draw_kw[t], random->horizon.step_h) * price_per_mwh[t];

        sum += paid;
        *size += fabs(paid);
    }
    return sum;
}

/* kW that GLPK's tolerance (1e-9 kWh or K in a step) and rounding errors may hide. */
static double hidden_kw(const struct random_device *random, size_t step)
{
    const struct agent_device *device = &random->device;
    double step_h = random->horizon.step_h;

    switch (device->type) {
    case AGENT_BATTERY:
        return 1e-9 / (step_h * device->battery.charge_efficiency);
    case AGENT_EV:
        return 1e-9 / (step_h * device->ev.efficiency);
    case AGENT_THERMAL:
        return 1e-9 * device->thermal.capacity_kwh_per_k /
               (step_h * walras_series_at(device->thermal.cop, step));
    case AGENT_GENERATOR:
        return 1e-15 * device->generator.max_kw;
    default:
        return 0.0;
    }
}

/* What the same tolerance hides of a quadratic cost, which is measured at the largest power or 1 K.
 */
static double hidden_square(const struct random_device *random)
{
    const struct agent_device *device = &random->device;
    double largest_kw = 0.0, per_square = 0.0;

    if (device->type == AGENT_BATTERY) {
        largest_kw = fmax(device->battery.charge_kw, device->battery.discharge_kw);
        per_square = 1e-6 * device->battery.wear_per_mw2h;
    } else if (device->type == AGENT_EV) {
        largest_kw = fmax(device->ev.charge_kw, device->ev.discharge_kw);
        per_square = 1e-6 * device->ev.wear_per_mw2h;
    } else if (device->type == AGENT_THERMAL) {
        largest_kw = 1.0;
        per_square = device->thermal.discomfort_per_k2h;
    }
    return 1e-11 * random->horizon.step_h * per_square * largest_kw * largest_kw;
}

/* What that is worth, in discomfort or power: two plans may differ by it beside 1e-7 of their cost.
 */
static double hidden(const struct random_device *random, const double *price_per_mwh)
{
    double step_h = random->horizon.step_h, sum = 1e-11;
    bool soft =
        random->device.type == AGENT_THERMAL && !isnan(random->device.thermal.comfort_price_per_kh);

    for (size_t t = 0; t < random->horizon.n_step; t++)
        sum += walras_mwh(hidden_kw(random, t), step_h) * fabs(price_per_mwh[t]) +
               (soft ? 1e-9 * step_h * random->device.thermal.comfort_price_per_kh : 0.0) +
               hidden_square(random);
    return sum;
}

/* Does the fast solver find an answer when all that the device needs is less by `by` kWh or K? */
static bool is_feasible_with_less(const struct random_device *random, double by,
                                  const double *price_per_mwh, struct agent_workspace *workspace)
{
    struct agent_device device = random->device;
    double low_c[RANDOM_STEPS], high_c[RANDOM_STEPS], draw_kw[RANDOM_STEPS];
    struct market_answer answer;

    if (device.type == AGENT_BATTERY) {
        device.battery.end_min_kwh -= by;
        device.battery.min_kwh -= by;
    } else if (device.type == AGENT_EV) {
        device.ev.energy_kwh -= by;
    } else if (device.type == AGENT_THERMAL) {
        for (size_t t = 0; t < random->horizon.n_step; t++) {
            low_c[t] = walras_series_at(device.thermal.min_c, t) - by;
            high_c[t] = walras_series_at(device.thermal.max_c, t) + by;
        }
        device.thermal.min_c = (struct walras_series){low_c, 1};
        device.thermal.max_c = (struct walras_series){high_c, 1};
    }
    return agent_solve(&device, &random->horizon, price_per_mwh, workspace, draw_kw, &answer,
                       NULL) == WALRAS_OK;
}

/* So close to the limit of what it can do that rounding may decide. */
static bool is_borderline(const struct random_device *random, const double *price_per_mwh,
                          struct agent_workspace *workspace)
{
    return is_feasible_with_less(random, 2e-8, price_per_mwh, workspace) &&
           !is_feasible_with_less(random, -2e-8, price_per_mwh, workspace);
}

struct tally {
    size_t solved, infeasible, given_up;
};

/* The audit, which knows no solver, finds the draw feasible and its least cost to be what is said.
 */
static bool passes_audit(const struct random_device *random, const double *draw_kw, double cost,
                         double breach, double slack, const char *who)
{
    struct agent_verdict verdict;
    struct walras_err err = {0};

    if (agent_audit(&random->device, &random->horizon, draw_kw, &verdict, &err) != WALRAS_OK) {
        fprintf(stderr, "%s: audit: %s\n", who, err.msg);
        return false;
    }
    if (verdict.breach <= breach && fabs(verdict.cost - cost) <= slack)
        return true;
    fprintf(stderr, "%s: breaks %s by %g in step %zu, costs %.12g, audited %.12g (slack %g)\n", who,
            verdict.what ? verdict.what : "nothing", verdict.breach, verdict.step, cost,
            verdict.cost, slack);
    return false;
}

/* Numbers a device deals in, to compare breaches by. */
static double extent(const struct agent_device *device)
{
    switch (device->type) {
    case AGENT_BATTERY:
        return 1.0 + device->battery.capacity_kwh;
    case AGENT_EV:
        return 1.0 + device->ev.capacity_kwh;
    case AGENT_THERMAL:
        return 100.0;
    case AGENT_GENERATOR:
        return 1.0 + fmax(fabs(device->generator.min_kw), device->generator.max_kw);
    default:
        return 1.0;
    }
}

/* Both roads for one price vector. False: they part; what is then known is printed. */
static bool agree(const struct random_device *random, const double *price_per_mwh,
                  struct agent_model *model, struct agent_workspace *workspace, struct tally *tally)
{
    double fast_kw[RANDOM_STEPS], model_kw[RANDOM_STEPS], fast_size, model_size, fast, slow, size;
    bool smooth = agent_device_is_smooth(&random->device) && random->device.type != AGENT_GENERATOR;
    double loose; /* tangents leave something out; it is the exact solver that must not be worse */
    struct market_answer fast_answer = {0}, model_answer = {0};
    struct walras_err fast_err = {0}, model_err = {0};
    enum walras_status fast_status = agent_solve(&random->device, &random->horizon, price_per_mwh,
                                                 workspace, fast_kw, &fast_answer, &fast_err);
    enum walras_status model_status =
        agent_model_solve(model, price_per_mwh, model_kw, &model_answer, &model_err);

    if (model_status == WALRAS_INTERNAL && smooth) { /* numbers that differ too much for GLPK */
        tally->given_up++;
        return true;
    }
    if (fast_status != model_status && is_borderline(random, price_per_mwh, workspace))
        return true;
    if (fast_status != model_status) {
        fprintf(stderr, "fast: %s (%s), model: %s (%s)\n", walras_status_name(fast_status),
                fast_err.msg, walras_status_name(model_status), model_err.msg);
        return false;
    }
    if (fast_status != WALRAS_OK) {
        tally->infeasible++;
        return fast_status == WALRAS_INVALID && strstr(fast_err.msg, "step") != NULL;
    }
    tally->solved++;
    fast = worth(random, price_per_mwh, fast_kw, fast_answer.cost, &fast_size);
    slow = worth(random, price_per_mwh, model_kw, model_answer.cost, &model_size);
    size = fmax(fast_size, model_size);
    loose = smooth ? 1e-6 * fmax(size, 1.0) : 0.0;
    if (!passes_audit(random, fast_kw, fast_answer.cost, 1e-9 * extent(&random->device),
                      1e-9 * size + hidden(random, price_per_mwh), "fast") ||
        !passes_audit(random, model_kw, model_answer.cost, 1e-7 * extent(&random->device),
                      1e-7 * size + loose + hidden(random, price_per_mwh), "model"))
        return false;
    if (fast - slow <= 1e-7 * size + hidden(random, price_per_mwh) &&
        slow - fast <= 1e-7 * size + loose + hidden(random, price_per_mwh) &&
        model_answer.bound <= slow + 1e-12 * size &&
        (smooth || model_answer.bound >= slow - 1e-7 * size - hidden(random, price_per_mwh)))
        return true;
    fprintf(stderr, "fast %.12g, model %.12g (bound %.12g), size %.12g, relative %.3g\n", fast,
            slow, model_answer.bound, size, (fast - slow) / size);
    return false;
}

static bool agree_on_device(struct walras_rng *rng, struct random_device *random,
                            struct tally *tally)
{
    struct agent_model *model = NULL;
    struct agent_workspace *workspace = NULL;
    struct walras_err err = {0};
    double price_per_mwh[RANDOM_STEPS];
    bool same = agent_model_new(&random->device, &random->horizon, &model, &err) == WALRAS_OK &&
                agent_workspace_new(&random->horizon, &workspace, &err) == WALRAS_OK;

    if (!same)
        fprintf(stderr, "%s\n", err.msg);
    for (size_t k = 0; k < 4 && same; k++) {
        random_prices(rng, random->horizon.n_step, price_per_mwh);
        same = agree(random, price_per_mwh, model, workspace, tally);
    }
    agent_model_free(model);
    agent_workspace_free(workspace);
    return same;
}

/* At thousands of degrees GLPK's tolerance is more than what quadratic discomfort is about. */
static bool is_absurd(const struct random_device *random)
{
    for (size_t t = 0; random->device.type == AGENT_THERMAL && t < random->horizon.n_step; t++)
        if (fabs(walras_series_at(random->device.thermal.max_c, t)) > 100.0)
            return true;
    return false;
}

static struct tally compare(enum agent_device_type type, bool squares, size_t usual)
{
    static struct random_device random;
    struct tally tally = {0};
    size_t parted = 0, cases = testkit_cases(usual);

    for (size_t k = 0; k < cases; k++) {
        uint64_t seed = testkit_seed() + 1000000 * (uint64_t)type + k;
        struct walras_rng rng = walras_rng_from_seed(seed);

        random_device(&rng, type, k % 50 == 0 ? 96 : squares ? 12 : 30, &random);
        if (squares)
            random_squares(&rng, &random);
        if (squares && is_absurd(&random))
            continue;
        if (agree_on_device(&rng, &random, &tally))
            continue;
        fprintf(stderr, "  at %s %llu (%zu steps)\n", agent_device_type_name(type),
                (unsigned long long)seed, random.horizon.n_step);
        parted++;
    }
    CU_ASSERT_EQUAL(parted, 0);
    CU_ASSERT_TRUE(50 * tally.given_up <= cases);
    CU_ASSERT_TRUE(tally.solved > (squares ? 1 : 2) * cases); /* of four price vectors each */
    if (getenv("WALRAS_TEST_TALLY"))
        fprintf(stderr, "%s: %zu solved, %zu infeasible, %zu parted\n",
                agent_device_type_name(type), tally.solved, tally.infeasible, parted);
    return tally;
}

static void test_load(void)
{
    compare(AGENT_LOAD, false, 1000);
}

static void test_pv(void)
{
    compare(AGENT_PV, false, 1000);
}

static void test_battery(void)
{
    CU_ASSERT_TRUE(compare(AGENT_BATTERY, false, 4000).infeasible > 0);
}

static void test_ev(void)
{
    CU_ASSERT_TRUE(compare(AGENT_EV, false, 3000).infeasible > 0);
}

static void test_thermal(void)
{
    CU_ASSERT_TRUE(compare(AGENT_THERMAL, false, 3000).infeasible > 0);
}

static void test_shiftable(void)
{
    compare(AGENT_SHIFTABLE, false, 1000);
}

static void test_generator(void)
{
    compare(AGENT_GENERATOR, false, 1500);
}

static void test_bid(void)
{
    compare(AGENT_BID, false, 1000);
}

static void test_quadratic_battery(void)
{
    compare(AGENT_BATTERY, true, 600);
}

static void test_quadratic_ev(void)
{
    compare(AGENT_EV, true, 600);
}

static void test_quadratic_thermal(void)
{
    compare(AGENT_THERMAL, true, 600);
}

static const struct testkit_test tests[] = {
    {"load: fast and GLPK agree", test_load},
    {"pv: fast and GLPK agree", test_pv},
    {"battery: fast and GLPK agree", test_battery},
    {"ev: fast and GLPK agree", test_ev},
    {"thermal: fast and GLPK agree", test_thermal},
    {"shiftable: fast and GLPK agree", test_shiftable},
    {"generator: fast and GLPK agree", test_generator},
    {"bid: fast and GLPK agree", test_bid},
    {"battery with quadratic wear: fast and GLPK agree", test_quadratic_battery},
    {"ev with quadratic wear: fast and GLPK agree", test_quadratic_ev},
    {"thermal with quadratic discomfort: fast and GLPK agree", test_quadratic_thermal},
};
TESTKIT_MAIN("models", tests)
