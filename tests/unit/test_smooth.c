/*
 * Storage with quadratic costs. Answers are judged by a proof of optimality (dual_bound.h), by
 * numbers derived by hand, and in their limits by the solver of linear costs.
 */
#include "agents/audit.h"
#include "agents/solve_internal.h"
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
    const struct smooth_room *room = &workspace->room;
    const struct dual_question question = {&asked->random.device, &asked->random.horizon,
                                           asked->price_per_mwh, asked->rho, asked->centre_kw};
    const struct dual_plan plan = {room->charge_kw, room->discharge_kw, room->state};
    double value, bound, size, hidden, breach, said = asked->answer.cost;

    dual_bound(&question, &plan, &value, &bound, &size, &hidden, &breach);
    hidden += 1e-9 * size + 1e-12;
    for (size_t t = workspace->smooth.first; t < workspace->smooth.end; t++) {
        double off = asked->draw_kw[t] - asked->centre_kw[t];

        said += walras_mwh(1.0, asked->random.horizon.step_h) *
                (asked->price_per_mwh[t] * asked->draw_kw[t] + 0.5 * asked->rho * off * off);
    }
    if (breach <= 10.0 * workspace->smooth.slack && fabs(said - value) <= hidden &&
        fabs(value - bound) <= hidden)
        return true;
    fprintf(stderr, "value %.15g, said %.15g, bound %.15g: off by %.3g of %.3g; breach %.3g\n", value,
            said, bound, (value - bound) / size, size, breach);
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
        fprintf(stderr, "%s solved %zu failed %zu\n", agent_device_type_name(kinds[k]), solved, failed);
    }
}

static const struct testkit_test tests[] = {
    {"answers are proven best", test_answers_are_proven_best},
};
TESTKIT_MAIN("smooth devices", tests)
