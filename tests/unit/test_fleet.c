#include "agents/fleet.h"
#include "agents/solve.h"
#include "core/rng.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 6, BUSES = 3, DEVICES = 3000 };

static const struct agent_horizon horizon = {.n_step = STEPS, .step_h = 1.0};
static const double washing_kw[] = {2.0, 1.0};
static struct agent_device devices[DEVICES];
static uint32_t buses[DEVICES];

/* Batteries, cars and washers by turns: the washers (every third) are integer. */
static void make_devices(void)
{
    struct walras_rng rng = walras_rng_from_seed(7);

    for (size_t i = 0; i < DEVICES; i++) {
        buses[i] = (uint32_t)(i % 5 < 3 ? 0 : 1 + i / 7 % 2);
        devices[i] = (struct agent_device){.id = "device", .power_factor = 1.0};
        if (i % 3 == 0) {
            devices[i].type = AGENT_BATTERY;
            devices[i].battery = (struct agent_battery){
                .capacity_kwh = walras_rng_range(&rng, 4.0, 12.0),
                .charge_kw = walras_rng_range(&rng, 2.0, 4.0),
                .discharge_kw = 3.0,
                .charge_efficiency = 0.9,
                .discharge_efficiency = 0.95,
                .start_kwh = walras_rng_range(&rng, 0.0, 4.0),
            };
        } else if (i % 3 == 1) {
            devices[i].type = AGENT_EV;
            devices[i].ev = (struct agent_ev){
                .arrive = (uint32_t)walras_rng_below(&rng, 3),
                .depart = 4 + (uint32_t)walras_rng_below(&rng, 3),
                .energy_kwh = walras_rng_range(&rng, 1.0, 6.0),
                .charge_kw = walras_rng_range(&rng, 7.0, 11.0),
                .efficiency = 0.9,
                .capacity_kwh = 40.0,
                .unserved_price_per_mwh = (double)NAN,
            };
        } else {
            devices[i].type = AGENT_SHIFTABLE;
            devices[i].shiftable =
                (struct agent_shiftable){washing_kw, 2, (uint32_t)walras_rng_below(&rng, 2), 4};
        }
    }
}

static struct agent_fleet *make_fleet(size_t n_group, unsigned n_worker)
{
    struct agent_fleet_settings settings = {.n_worker = n_worker, .n_group = n_group};
    struct agent_fleet *fleet = NULL;
    struct walras_err err = {0};

    make_devices();
    if (agent_fleet_new(devices, buses, DEVICES, BUSES, &horizon, &settings, &fleet, &err) !=
        WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fleet);
    return fleet;
}

/* The group's answer at a price, its parts summed in order. */
static void ask(const struct agent_group *group, unsigned n_worker, const double *price,
                double *draw_kw, struct market_answer *sum)
{
    memset(draw_kw, 0, STEPS * sizeof(*draw_kw));
    *sum = (struct market_answer){0};
    for (size_t part = 0; part < group->oracle.n_part; part++) {
        struct market_answer answer;
        double part_kw[STEPS];

        CU_ASSERT_EQUAL_FATAL(group->oracle.ops->respond(group->oracle.self, part,
                                                         (unsigned)part % n_worker, price, part_kw,
                                                         &answer, NULL),
                              WALRAS_OK);
        sum->cost += answer.cost;
        sum->bound += answer.bound;
        for (size_t t = 0; t < STEPS; t++)
            draw_kw[t] += part_kw[t];
    }
}

static bool same_bits(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof(*a)) == 0;
}

static void test_every_device_is_in_one_group_of_its_bus_and_kind(void)
{
    static const size_t wanted[] = {1, 9, 20, 5000};

    for (size_t k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++) {
        struct agent_fleet *fleet = make_fleet(wanted[k], 1);
        size_t n = 0, n_device = 0, integer_of_bus[BUSES] = {0};
        const struct agent_group *groups = agent_fleet_groups(fleet, &n);

        /* at least one of each kind at each bus; no more than asked for beyond that */
        CU_ASSERT_TRUE(n >= 9 && n <= (wanted[k] > 9 ? wanted[k] : 9));
        for (size_t g = 0; g < n; g++) {
            n_device += groups[g].n_device;
            CU_ASSERT_TRUE(groups[g].bus < BUSES && groups[g].n_device > 0);
            CU_ASSERT_TRUE(groups[g].swing_kw > 0.0);
            CU_ASSERT_EQUAL(groups[g].integer, groups[g].oracle.ops->settle != NULL);
            integer_of_bus[groups[g].bus] += groups[g].integer;
        }
        CU_ASSERT_EQUAL(n_device, DEVICES);
        for (size_t b = 0; b < BUSES; b++)
            CU_ASSERT_EQUAL(integer_of_bus[b], 1);
        agent_fleet_free(fleet);
    }
}

static void test_a_fleet_answers_what_its_devices_answer(void)
{
    static const double price[STEPS] = {31.0, 12.0, 55.0, -7.0, 90.0, 40.0};
    struct agent_fleet *fleet = make_fleet(20, 1);
    struct agent_workspace *workspace = NULL;
    size_t n = 0;
    const struct agent_group *groups = agent_fleet_groups(fleet, &n);
    double of_bus[BUSES][STEPS] = {{0.0}}, cost = 0.0;

    CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&horizon, &workspace, NULL), WALRAS_OK);
    for (size_t g = 0; g < n; g++) {
        struct market_answer answer;
        double draw_kw[STEPS];

        ask(&groups[g], 1, price, draw_kw, &answer);
        cost += answer.cost;
        for (size_t t = 0; t < STEPS; t++)
            of_bus[groups[g].bus][t] += draw_kw[t];
    }
    for (size_t i = 0; i < DEVICES; i++) {
        struct market_answer answer;
        double draw_kw[STEPS];

        CU_ASSERT_EQUAL_FATAL(
            agent_solve(&devices[i], &horizon, price, workspace, draw_kw, &answer, NULL),
            WALRAS_OK);
        cost -= answer.cost;
        for (size_t t = 0; t < STEPS; t++)
            of_bus[buses[i]][t] -= draw_kw[t];
    }
    for (size_t b = 0; b < BUSES; b++)
        for (size_t t = 0; t < STEPS; t++)
            CU_ASSERT_DOUBLE_EQUAL(of_bus[b][t], 0.0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(cost, 0.0, 1e-9);
    agent_workspace_free(workspace);
    agent_fleet_free(fleet);
}

static void test_answers_do_not_depend_on_who_works(void)
{
    static const double price[STEPS] = {31.0, 12.0, 55.0, -7.0, 90.0, 40.0};
    struct agent_fleet *alone = make_fleet(1, 1), *together = make_fleet(1, 3);
    size_t n = 0, m = 0, most = 0;
    const struct agent_group *a = agent_fleet_groups(alone, &n);
    const struct agent_group *b = agent_fleet_groups(together, &m);

    CU_ASSERT_EQUAL_FATAL(n, m);
    for (size_t g = 0; g < n; g++) {
        struct market_answer left, right;
        double left_kw[STEPS], right_kw[STEPS];

        most = a[g].oracle.n_part > most ? a[g].oracle.n_part : most;
        ask(&a[g], 1, price, left_kw, &left);
        ask(&b[g], 3, price, right_kw, &right);
        CU_ASSERT_TRUE(same_bits(left_kw, right_kw, STEPS));
        CU_ASSERT_TRUE(same_bits(&left.cost, &right.cost, 1));
        CU_ASSERT_TRUE(same_bits(&left.bound, &right.bound, 1));
    }
    CU_ASSERT_TRUE(most > 1); /* there was something to share out */
    agent_fleet_free(alone);
    agent_fleet_free(together);
}

/* Convex devices play 0.3 of their answer to one price and 0.7 of that to the other. */
static void test_awards_mix_each_devices_own_answers(void)
{
    struct agent_fleet *fleet = make_fleet(9, 2);
    struct agent_workspace *workspace = NULL;
    size_t n = 0;
    const struct agent_group *groups = agent_fleet_groups(fleet, &n);
    double price[2 * BUSES * STEPS];
    double *weight = calloc(2 * n, sizeof(*weight));
    double *award_kw = calloc((size_t)DEVICES * STEPS, sizeof(*award_kw));
    const struct agent_awards awards = {
        .weight = weight, .point_price_per_mwh = price, .n_point = 2};
    double worst = 0.0;

    CU_ASSERT_TRUE_FATAL(weight && award_kw);
    for (size_t i = 0; i < 2 * BUSES * STEPS; i++)
        price[i] = (double)((i * 37 + 11) % 97);
    for (size_t g = 0; g < n; g++) {
        weight[2 * g] = groups[g].integer ? 0.0 : 0.3;
        weight[2 * g + 1] = groups[g].integer ? 0.0 : 0.7;
    }
    CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&horizon, &workspace, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(agent_fleet_award(fleet, &awards, 0, 0, DEVICES, award_kw, NULL),
                          WALRAS_OK);
    for (size_t i = 0; i < DEVICES; i++) {
        struct market_answer answer;
        double draw_kw[2][STEPS];

        if (devices[i].type == AGENT_SHIFTABLE)
            continue;
        for (size_t j = 0; j < 2; j++)
            CU_ASSERT_EQUAL(agent_solve(&devices[i], &horizon,
                                        price + (j * BUSES + buses[i]) * STEPS, workspace,
                                        draw_kw[j], &answer, NULL),
                            WALRAS_OK);
        for (size_t t = 0; t < STEPS; t++)
            worst = fmax(worst,
                         fabs(award_kw[i * STEPS + t] - 0.3 * draw_kw[0][t] - 0.7 * draw_kw[1][t]));
    }
    CU_ASSERT_TRUE(worst <= 1e-12);
    for (size_t first = 0, n_told = 7; first + n_told <= DEVICES; first += 500) {
        double told_kw[7 * STEPS]; /* any range alone, by any worker: the same bits */

        CU_ASSERT_EQUAL(agent_fleet_award(fleet, &awards, 1, first, n_told, told_kw, NULL),
                        WALRAS_OK);
        CU_ASSERT_TRUE(same_bits(told_kw, award_kw + first * STEPS, n_told * STEPS));
    }
    agent_workspace_free(workspace);
    agent_fleet_free(fleet);
    free(weight);
    free(award_kw);
}

/* Which of its two answers a washer plays, or SIZE_MAX when it is neither. */
static size_t which_answer(size_t device, double prices[2][STEPS], const double *award_kw,
                           struct agent_workspace *workspace, double *cost)
{
    for (size_t j = 0; j < 2; j++) {
        struct market_answer answer;
        double draw_kw[STEPS];

        CU_ASSERT_EQUAL(
            agent_solve(&devices[device], &horizon, prices[j], workspace, draw_kw, &answer, NULL),
            WALRAS_OK);
        if (same_bits(draw_kw, award_kw, STEPS)) {
            *cost += answer.cost;
            return j;
        }
    }
    return SIZE_MAX;
}

/*
 * Half of them early, half of them late: every washer plays one of its own two answers, the sum
 * comes within one washer of the mixture, and the award is what was settled.
 */
static void test_integer_devices_settle_on_their_own_answers(void)
{
    double prices[2][STEPS] = {{1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}};
    static const double weight[2] = {0.5, 0.5};
    struct agent_fleet *fleet = make_fleet(9, 1);
    struct agent_workspace *workspace = NULL;
    double *award_kw = calloc((size_t)DEVICES * STEPS, sizeof(*award_kw));
    const struct agent_awards nothing = {0};
    size_t n = 0;
    const struct agent_group *groups = agent_fleet_groups(fleet, &n);

    CU_ASSERT_PTR_NOT_NULL_FATAL(award_kw);
    CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&horizon, &workspace, NULL), WALRAS_OK);
    for (size_t g = 0; g < n; g++) {
        struct market_answer answer, mixed[2];
        double settled_kw[STEPS], mixed_kw[2][STEPS], sum_kw[STEPS] = {0.0}, cost = 0.0;

        if (!groups[g].integer)
            continue;
        CU_ASSERT_EQUAL_FATAL(groups[g].oracle.ops->settle(groups[g].oracle.self, 2, prices[0],
                                                           weight, settled_kw, &answer, NULL),
                              WALRAS_OK);
        ask(&groups[g], 1, prices[0], mixed_kw[0], &mixed[0]);
        ask(&groups[g], 1, prices[1], mixed_kw[1], &mixed[1]);
        CU_ASSERT_EQUAL_FATAL(agent_fleet_award(fleet, &nothing, 0, 0, DEVICES, award_kw, NULL),
                              WALRAS_OK);
        for (size_t i = 0; i < DEVICES; i++) {
            if (devices[i].type != AGENT_SHIFTABLE || buses[i] != groups[g].bus)
                continue;
            CU_ASSERT_NOT_EQUAL(which_answer(i, prices, award_kw + i * STEPS, workspace, &cost),
                                SIZE_MAX);
            for (size_t t = 0; t < STEPS; t++)
                sum_kw[t] += award_kw[i * STEPS + t];
        }
        TESTKIT_CLOSE(answer.cost, cost, 1e-12);
        for (size_t t = 0; t < STEPS; t++) {
            CU_ASSERT_DOUBLE_EQUAL(sum_kw[t], settled_kw[t], 1e-9);
            CU_ASSERT_DOUBLE_EQUAL(settled_kw[t], 0.5 * (mixed_kw[0][t] + mixed_kw[1][t]), 2.0);
        }
    }
    agent_workspace_free(workspace);
    agent_fleet_free(fleet);
    free(award_kw);
}

static void name_device(const void *context, size_t device, char *text, size_t size)
{
    (void)context;
    snprintf(text, size, "the car number %zu", device);
}

static void test_a_device_that_cannot_answer_is_named(void)
{
    static const double price[STEPS] = {0.0};
    const struct agent_fleet_settings settings = {
        .n_worker = 1, .n_group = 1, .describe = name_device};
    struct agent_fleet *fleet = NULL;
    struct walras_err err = {0};
    struct market_answer answer;
    double draw_kw[STEPS];
    size_t n = 0;

    make_devices();
    devices[4].ev.energy_kwh = 100.0; /* in six hours at 11 kW at most */
    devices[4].ev.capacity_kwh = 200.0;
    CU_ASSERT_EQUAL_FATAL(
        agent_fleet_new(devices + 4, buses + 4, 1, BUSES, &horizon, &settings, &fleet, &err),
        WALRAS_OK);
    const struct agent_group *group = agent_fleet_groups(fleet, &n);

    CU_ASSERT_EQUAL_FATAL(n, 1);
    CU_ASSERT_EQUAL(
        group->oracle.ops->respond(group->oracle.self, 0, 0, price, draw_kw, &answer, &err),
        WALRAS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "the car number 0"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "step"));
    agent_fleet_free(fleet);
}

/* Batteries alone, every other one with quadratic wear, behind one bus. */
static struct agent_fleet *make_smooth_fleet(size_t n, unsigned n_worker, bool glpk)
{
    struct agent_fleet_settings settings = {.n_worker = n_worker, .n_group = 1, .glpk = glpk};
    struct agent_fleet *fleet = NULL;

    make_devices();
    for (size_t i = 0; i < n; i++) {
        devices[i] = devices[3 * i];
        devices[i].battery.wear_per_mw2h = i % 2 ? 8000.0 : 0.0;
        buses[i] = 0;
    }
    CU_ASSERT_EQUAL_FATAL(
        agent_fleet_new(devices, buses, n, BUSES, &horizon, &settings, &fleet, NULL), WALRAS_OK);
    return fleet;
}

/* Sums over a group's parts, asked to stay near. */
static void ask_near(const struct agent_group *group, unsigned n_worker, const double *price,
                     const struct market_near *near, double *draw_kw, struct market_answer *sum)
{
    memset(draw_kw, 0, STEPS * sizeof(*draw_kw));
    *sum = (struct market_answer){0};
    for (size_t part = 0; part < group->oracle.n_part; part++) {
        struct market_answer answer;
        double part_kw[STEPS];

        CU_ASSERT_EQUAL_FATAL(group->oracle.ops->respond_near(group->oracle.self, part,
                                                              (unsigned)part % n_worker, price,
                                                              near, part_kw, &answer, NULL),
                              WALRAS_OK);
        sum->cost += answer.cost;
        sum->bound += answer.bound;
        for (size_t t = 0; t < STEPS; t++)
            draw_kw[t] += part_kw[t];
    }
}

/* Each member follows its own z: what it did, relaxed, less the shift. Forgetting starts anew. */
static void test_members_stay_near_what_they_did(void)
{
    enum { MEMBERS = 600, ROUNDS = 4 };
    static double z[MEMBERS][STEPS];
    static const double shift_kw[STEPS] = {0.3, -0.1, 0.2, 0.0, -0.4, 0.1};
    struct agent_fleet *fleet = make_smooth_fleet(MEMBERS, 2, false);
    size_t n;
    const struct agent_group *group = agent_fleet_groups(fleet, &n);
    struct agent_workspace *workspace = NULL;
    double draw_kw[STEPS], first_kw[STEPS], price[STEPS];
    struct market_answer sum;

    CU_ASSERT_EQUAL_FATAL(n, 1);
    CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&horizon, &workspace, NULL), WALRAS_OK);
    memset(z, 0, sizeof(z));
    for (size_t round = 0; round < ROUNDS; round++) {
        const struct market_near near = {4.0, 1.6, shift_kw, false};
        double expected_kw[STEPS] = {0.0}, cost = 0.0, bound = 0.0;

        for (size_t t = 0; t < STEPS; t++)
            price[t] = 40.0 + 30.0 * sin((double)(7 * round + 3 * t));
        for (size_t i = 0; i < MEMBERS; i++) {
            struct market_answer answer;
            double one[STEPS];

            for (size_t t = 0; t < STEPS; t++)
                z[i][t] -= shift_kw[t];
            CU_ASSERT_EQUAL(agent_solve_near(&devices[i], &horizon, price, 4.0, z[i], workspace,
                                             one, &answer, NULL),
                            WALRAS_OK);
            cost += answer.cost;
            bound += answer.bound;
            for (size_t t = 0; t < STEPS; t++) {
                expected_kw[t] += one[t];
                z[i][t] = 1.6 * one[t] - 0.6 * z[i][t];
            }
        }
        ask_near(group, 2, price, &near, draw_kw, &sum);
        TESTKIT_CLOSE(sum.cost, cost, 1e-9);
        TESTKIT_CLOSE(sum.bound, bound, 1e-9);
        for (size_t t = 0; t < STEPS; t++)
            TESTKIT_CLOSE(draw_kw[t], expected_kw[t], 1e-9);
        if (round == 0)
            memcpy(first_kw, draw_kw, sizeof(draw_kw));
    }
    for (size_t t = 0; t < STEPS; t++)
        price[t] = 40.0 + 30.0 * sin((double)(3 * t));
    ask_near(group, 1, price, &(const struct market_near){4.0, 1.6, shift_kw, true}, draw_kw, &sum);
    CU_ASSERT_TRUE(same_bits(draw_kw, first_kw, STEPS));
    agent_workspace_free(workspace);
    agent_fleet_free(fleet);
}

static void test_curvature_is_the_sum_of_the_members(void)
{
    enum { MEMBERS = 500 };
    struct agent_fleet *fleet = make_smooth_fleet(MEMBERS, 1, false);
    size_t n;
    const struct agent_group *group = agent_fleet_groups(fleet, &n);
    struct agent_workspace *workspace = NULL;
    double price[STEPS] = {20.0, 60.0, 35.0, 80.0, 10.0, 70.0}, draw_kw[STEPS], plain_kw[STEPS];
    double curvature[STEPS * STEPS], expected[STEPS * STEPS] = {0.0};
    struct market_answer answer, plain;

    CU_ASSERT_EQUAL_FATAL(agent_workspace_new(&horizon, &workspace, NULL), WALRAS_OK);
    for (size_t i = 0; i < MEMBERS; i++)
        CU_ASSERT_EQUAL(agent_solve_curved(&devices[i], &horizon, price, workspace, draw_kw,
                                           &answer, expected, NULL),
                        WALRAS_OK);
    CU_ASSERT_EQUAL(group->oracle.ops->respond_curved(group->oracle.self, 0, price, draw_kw,
                                                      &answer, curvature, NULL),
                    WALRAS_OK);
    ask(group, 1, price, plain_kw, &plain);
    TESTKIT_CLOSE(answer.cost, plain.cost, 1e-12);
    TESTKIT_CLOSE(answer.bound, plain.bound, 1e-12);
    for (size_t t = 0; t < STEPS; t++)
        TESTKIT_CLOSE(draw_kw[t], plain_kw[t], 1e-12);
    for (size_t i = 0; i < STEPS * STEPS; i++)
        TESTKIT_CLOSE(curvature[i], expected[i], 1e-12);
    CU_ASSERT_TRUE(curvature[0] > 0.0);
    agent_workspace_free(workspace);
    agent_fleet_free(fleet);
}

/* Only groups with quadratic costs have curvature; those of GLPK and integer ones cannot be tied.
 */
static void test_groups_offer_what_they_can(void)
{
    struct agent_fleet *fleet = make_fleet(9, 1);
    size_t n;
    const struct agent_group *groups = agent_fleet_groups(fleet, &n);

    for (size_t g = 0; g < n; g++) {
        CU_ASSERT_PTR_NULL(groups[g].oracle.ops->respond_curved);
        CU_ASSERT_EQUAL(groups[g].integer, groups[g].oracle.ops->respond_near == NULL);
    }
    agent_fleet_free(fleet);
    fleet = make_smooth_fleet(10, 1, true);
    groups = agent_fleet_groups(fleet, &n);
    CU_ASSERT_PTR_NULL(groups[0].oracle.ops->respond_near);
    CU_ASSERT_PTR_NULL(groups[0].oracle.ops->respond_curved);
    agent_fleet_free(fleet);
}

static const struct testkit_test tests[] = {
    {"every device is in one group, of its bus and kind",
     test_every_device_is_in_one_group_of_its_bus_and_kind},
    {"a fleet answers what its devices answer", test_a_fleet_answers_what_its_devices_answer},
    {"answers do not depend on who works", test_answers_do_not_depend_on_who_works},
    {"awards mix each device's own answers", test_awards_mix_each_devices_own_answers},
    {"integer devices settle on answers of their own",
     test_integer_devices_settle_on_their_own_answers},
    {"a device that cannot answer is named", test_a_device_that_cannot_answer_is_named},
    {"members stay near what they did", test_members_stay_near_what_they_did},
    {"curvature is the sum of the members", test_curvature_is_the_sum_of_the_members},
    {"groups offer what they can", test_groups_offer_what_they_can},
};
TESTKIT_MAIN("fleet", tests)
