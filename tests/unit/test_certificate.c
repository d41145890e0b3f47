/*
 * The two-bus market that the numbers come from (one step of one hour):
 *
 *   bus A, the slack: import at 20 per MWh, up to 1,000 kW
 *   bus B: a firm load of 100 kW and a generator of 80 kW at 50 per MWh
 *   line A-B: 60 kW
 *
 * The line brings the cheap 60 kW, the generator makes 40: cost 0.06·20 + 0.04·50 = 3.2. One more
 * kW at A costs 20, at B 50; more room on the line is worth the difference, μ = 30. An injection at
 * B goes to A, so s_B = −1 and p_B = 20 − (−1)·(+1)·30 = 50.
 * Dual bound: load 0.1·50 = 5, generator min (50 − 50)·g = 0, supply min (20 − 20)·i = 0, line
 * −0.06·30 = −1.8; together 3.2.
 */
#include "scenario/certificate.h"

#include "core/rng.h"
#include "grid/limits.h"
#include "scenario/angles.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double load_kw = 100.0, buy = 20.0, most_in_kw = 1000.0, none = 0.0;
static const struct agent_segment made_of[] = {{.width_kw = 80.0, .price_per_mwh = 50.0}};
static char name_a[] = "A", name_b[] = "B", name_line[] = "A-B";

/* The market and its optimal answer, for a test to spoil. */
struct market_of_two {
    struct grid_bus buses[2];
    struct grid_line line;
    struct agent_device devices[2];
    struct scenario_agent agent;
    uint32_t device_agent[2];
    struct scenario_supply supply;
    struct scenario scenario;
    struct grid_limits *limits;
    double award_kw[2], flow_kw, import_kw, export_kw;
    struct scenario_awards awards;
    double price_per_mwh[2], energy_price_per_mwh;
    struct market_binding binding;
    struct market_result market;
    struct scenario_result result;
};

static void set_devices(struct market_of_two *m)
{
    m->devices[0] = (struct agent_device){
        .type = AGENT_LOAD,
        .id = "load",
        .power_factor = 1.0,
        .load = {.draw_kw = {&load_kw, 0}, .draw_kvar = {&none, 0}, .shed_price_per_mwh = NAN}};
    m->devices[1] = (struct agent_device){
        .type = AGENT_GENERATOR,
        .id = "engine",
        .power_factor = 1.0,
        .generator = {
            .max_kw = 80.0, .segments = made_of, .n_segment = 1, .ramp_kw_per_h = INFINITY}};
    m->agent = (struct scenario_agent){.id = "works", .bus = 1, .n_device = 2};
    m->supply = (struct scenario_supply){.id = "outside",
                                         .price_per_mwh = {&buy, 0},
                                         .export_price_per_mwh = {&buy, 0},
                                         .import_limit_kw = {&most_in_kw, 0},
                                         .export_limit_kw = {&none, 0}};
}

static void set_answer(struct market_of_two *m)
{
    m->awards = scenario_awards_of(m->award_kw, 2, 1);
    m->award_kw[0] = 100.0;
    m->award_kw[1] = -40.0;
    m->flow_kw = m->import_kw = 60.0;
    m->price_per_mwh[0] = m->energy_price_per_mwh = 20.0;
    m->price_per_mwh[1] = 50.0;
    m->binding = (struct market_binding){.direction = 1, .shadow_price_per_mwh = 30.0};
    m->market = (struct market_result){.objective = 3.2,
                                       .bound = 3.2,
                                       .n_bus = 2,
                                       .n_step = 1,
                                       .price_per_mwh = m->price_per_mwh,
                                       .energy_price_per_mwh = &m->energy_price_per_mwh,
                                       .binding = &m->binding,
                                       .n_binding = 1};
}

static struct market_of_two *make_market(void)
{
    struct market_of_two *m = calloc(1, sizeof(*m));

    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    m->buses[0] = (struct grid_bus){.id = name_a, .v_max_pu = INFINITY};
    m->buses[1] = (struct grid_bus){.id = name_b, .v_max_pu = INFINITY};
    m->line = (struct grid_line){
        .id = name_line, .to = 1, .x_pu = 0.1, .limit_kw = 30.0, .tap = 1.0, .in_service = true};
    set_devices(m);
    m->scenario = (struct scenario){.name = "two",
                                    .currency = "EUR",
                                    .step_min = 60,
                                    .horizon = {.n_step = 1, .step_h = 1.0},
                                    .model = SCENARIO_DC,
                                    .rating_scale = 2.0,
                                    .line_overload_price_per_mwh = NAN,
                                    .supplies = &m->supply,
                                    .n_supply = 1,
                                    .agents = &m->agent,
                                    .n_agent = 1,
                                    .devices = m->devices,
                                    .device_agent = m->device_agent,
                                    .n_device = 2};
    m->scenario.network = (struct grid_network){.base_mva = 1.0,
                                                .slack_v_pu = 1.0,
                                                .buses = m->buses,
                                                .n_bus = 2,
                                                .lines = &m->line,
                                                .n_line = 1};
    CU_ASSERT_EQUAL_FATAL(grid_limits_dc(&m->scenario.network, 2.0, &m->limits, NULL), WALRAS_OK);
    set_answer(m);
    m->result = (struct scenario_result){.scenario = &m->scenario,
                                         .market = &m->market,
                                         .limits = m->limits,
                                         .method = "by hand",
                                         .awards = &m->awards,
                                         .flow_kw = &m->flow_kw,
                                         .import_kw = &m->import_kw,
                                         .export_kw = &m->export_kw};
    return m;
}

static void drop_market(struct market_of_two *m)
{
    grid_limits_free(m->limits);
    free(m);
}

static struct scenario_certificate certify(const struct market_of_two *m)
{
    struct scenario_certificate found = {0};
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(scenario_certify(&m->result, &found, &err), WALRAS_OK);
    if (err.code != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    return found;
}

static void test_the_optimum_is_clean(void)
{
    struct market_of_two *m = make_market();
    struct scenario_certificate found = certify(m);

    CU_ASSERT_TRUE(found.clean);
    TESTKIT_CLOSE(found.objective, 3.2, 1e-12);
    TESTKIT_CLOSE(found.device_cost, 2.0, 1e-12);
    TESTKIT_CLOSE(found.supply_cost, 1.2, 1e-12);
    TESTKIT_CLOSE(found.dual_bound, 3.2, 1e-12);
    TESTKIT_CLOSE(found.gap, 0.0, 1e-12);
    CU_ASSERT_TRUE(found.max_imbalance_kw < 1e-9);
    CU_ASSERT_TRUE(found.max_line_breach_kw < 1e-9);
    CU_ASSERT_TRUE(found.max_price_error_per_mwh < 1e-9);
    drop_market(m);
}

/*
 * 900 kW on their way through A belong to the market's size, though no device sees them: 2,000 kW
 * allow for 2e-3 kW of rounding, the devices' 140 kW alone for 1.4e-4.
 */
static void test_exchange_that_passes_through_counts_for_rounding(void)
{
    struct market_of_two *m = make_market();

    m->supply.export_limit_kw.values = &most_in_kw;
    m->export_kw = 900.0;
    m->import_kw = 960.001;
    m->market.objective += 2e-5;
    CU_ASSERT_TRUE(certify(m).clean);
    m->import_kw = 960.003;
    m->market.objective += 4e-5;
    CU_ASSERT_FALSE(certify(m).clean);
    drop_market(m);
}

/* Prices of 20 everywhere, which prove 0.1·20 = 2 only: no bound gives a cheap fault away. */
static void prove_little(struct market_of_two *m)
{
    m->price_per_mwh[1] = 20.0;
    m->market.n_binding = 0;
    m->market.bound = 2.0;
}

static void test_a_wrong_award_is_caught(void)
{
    struct market_of_two *m = make_market();

    prove_little(m);
    CU_ASSERT_TRUE(certify(m).clean);
    m->award_kw[1] = -45.0; /* 5 kW too many come in; 55 kW flow */
    m->flow_kw = 55.0;
    m->market.objective = 3.45;
    struct scenario_certificate found = certify(m);

    CU_ASSERT_FALSE(found.clean);
    TESTKIT_CLOSE(found.max_imbalance_kw, 5.0, 1e-9);
    m->award_kw[1] = -90.0; /* the engine has 80; 10 kW come in, the flow is 10 */
    m->import_kw = m->flow_kw = 10.0;
    m->market.objective = 4.7;
    found = certify(m);
    CU_ASSERT_FALSE(found.clean);
    CU_ASSERT_TRUE(found.max_imbalance_kw < 1e-9);
    TESTKIT_CLOSE(found.max_device_breach, 10.0, 1e-9);
    CU_ASSERT_EQUAL(found.device_breach.index, 1);
    CU_ASSERT_EQUAL(found.n_device_breach, 1);
    CU_ASSERT_PTR_NOT_NULL(found.device_what);
    drop_market(m);
}

static void test_an_award_that_is_no_number_is_named(void)
{
    struct market_of_two *m = make_market();
    struct scenario_certificate found = {.objective = 7.0};
    struct walras_err err = {0};

    m->award_kw[1] = NAN;
    CU_ASSERT_EQUAL(scenario_certify(&m->result, &found, &err), WALRAS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "agent works, device engine: step 0"));
    CU_ASSERT_EQUAL(found.objective, 7.0);
    drop_market(m);
}

static void test_a_wrong_price_is_caught(void)
{
    struct market_of_two *m = make_market();

    m->price_per_mwh[1] = 51.0;
    struct scenario_certificate found = certify(m);

    CU_ASSERT_FALSE(found.clean);
    TESTKIT_CLOSE(found.max_price_error_per_mwh, 1.0, 1e-9);
    CU_ASSERT_EQUAL(found.price_error.index, 1);
    TESTKIT_CLOSE(found.dual_bound, 3.2, 1e-12); /* it comes from λ and μ */
    drop_market(m);
}

/* μ = 25 and p_B = 45 agree, but prove less: 4.5 − 1.5 + min (50 − 45)·g = 3.0. */
static void test_a_bound_that_prices_do_not_prove_is_caught(void)
{
    struct market_of_two *m = make_market();

    m->price_per_mwh[1] = 45.0;
    m->binding.shadow_price_per_mwh = 25.0;
    struct scenario_certificate found = certify(m);

    CU_ASSERT_TRUE(found.max_price_error_per_mwh < 1e-9);
    TESTKIT_CLOSE(found.dual_bound, 3.0, 1e-12);
    TESTKIT_CLOSE(found.gap, 0.2 / 3.2, 1e-12);
    CU_ASSERT_FALSE(found.clean); /* the result claims 3.2 */
    m->market.bound = 3.0;
    CU_ASSERT_TRUE(certify(m).clean);
    drop_market(m);
}

static void test_a_wrong_flow_is_caught(void)
{
    struct market_of_two *m = make_market();

    m->flow_kw = 59.0;
    struct scenario_certificate found = certify(m);

    CU_ASSERT_FALSE(found.clean);
    TESTKIT_CLOSE(found.max_flow_error_kw, 1.0, 1e-9);
    drop_market(m);
}

static void test_a_line_over_its_limit_is_caught(void)
{
    struct market_of_two *m = make_market();

    prove_little(m);
    m->award_kw[1] = -30.0;
    m->import_kw = m->flow_kw = 70.0;
    struct scenario_certificate found = certify(m);

    CU_ASSERT_FALSE(found.clean);
    TESTKIT_CLOSE(found.max_line_breach_kw, 10.0, 1e-9);
    CU_ASSERT_EQUAL(found.breach_cost, 0.0);
    drop_market(m);
}

static void test_exchange_beyond_its_limit_is_caught(void)
{
    struct market_of_two *m = make_market();

    m->export_kw = 15.0; /* there is no export; the import makes up for it */
    m->import_kw = 75.0;
    struct scenario_certificate found = certify(m);

    CU_ASSERT_FALSE(found.clean);
    TESTKIT_CLOSE(found.max_supply_breach_kw, 15.0, 1e-9);
    drop_market(m);
}

static void test_a_cost_that_is_told_too_low_is_caught(void)
{
    struct market_of_two *m = make_market();

    m->market.objective = 3.1;
    CU_ASSERT_FALSE(certify(m).clean);
    drop_market(m);
}

/*
 * A breach of the line costs 10 per MWh: cheaper than the engine's 50 − 20. All 100 kW come in, 40
 * above the limit: 0.1·20 + 0.04·10 = 2.4. μ = 10, p_B = 30; bound 0.1·30 − 0.06·10 = 2.4.
 */
static void test_a_priced_breach_is_part_of_the_cost(void)
{
    struct market_of_two *m = make_market();

    m->scenario.line_overload_price_per_mwh = 10.0;
    m->award_kw[1] = 0.0;
    m->import_kw = m->flow_kw = 100.0;
    m->price_per_mwh[1] = 30.0;
    m->binding.shadow_price_per_mwh = 10.0;
    m->market.objective = m->market.bound = 2.4;
    struct scenario_certificate found = certify(m);

    CU_ASSERT_TRUE(found.clean);
    TESTKIT_CLOSE(found.max_line_breach_kw, 40.0, 1e-9);
    TESTKIT_CLOSE(found.breach_cost, 0.4, 1e-12);
    TESTKIT_CLOSE(found.objective, 2.4, 1e-12);
    TESTKIT_CLOSE(found.dual_bound, 2.4, 1e-12);
    m->binding.shadow_price_per_mwh = 12.0; /* no μ above the price of a breach */
    m->price_per_mwh[1] = 32.0;
    TESTKIT_CLOSE(certify(m).max_price_error_per_mwh, 2.0, 1e-9);
    drop_market(m);
}

/*
 * A shifter of −0.0002 rad drives 1000/0.1 · 0.0002 = 2 kW from A to B, and back through the plan:
 * the flow is what the buses need, so nothing changes but what angles say.
 */
static void test_a_phase_shifter_on_a_tree_changes_no_flow(void)
{
    struct market_of_two *m = make_market();

    m->line.shift_rad = -2e-4;
    grid_limits_free(m->limits);
    CU_ASSERT_EQUAL_FATAL(grid_limits_dc(&m->scenario.network, 2.0, &m->limits, NULL), WALRAS_OK);
    m->result.limits = m->limits;
    CU_ASSERT_TRUE(certify(m).clean);
    TESTKIT_CLOSE(certify(m).dual_bound, 3.2, 1e-12);
    drop_market(m);
}

/*
 * Two equal lines side by side, 5,000 kW per rad each, one with a shifter of 0.004 rad: 10 kW go
 * round, against it. The other may carry 40 kW, 10 of them taken: 30 kW of what comes in, so 60 kW
 * in all, as before. s_B = −1/2 there, so μ = 60, and the limit counts with its room:
 * bound 5 − 60·(40 − 10)/1000 = 3.2.
 */
static void test_a_loop_flow_takes_room_from_a_limit(void)
{
    struct market_of_two *m = make_market();
    struct grid_line pair[2] = {m->line, m->line};
    double flows_kw[2] = {20.0, 40.0};

    for (size_t l = 0; l < 2; l++)
        pair[l].x_pu = 0.2;
    pair[0].shift_rad = 4e-3;
    pair[0].limit_kw = INFINITY;
    pair[1].limit_kw = 20.0; /* rating_scale is 2 */
    m->scenario.network.lines = pair;
    m->scenario.network.n_line = 2;
    grid_limits_free(m->limits);
    CU_ASSERT_EQUAL_FATAL(grid_limits_dc(&m->scenario.network, 2.0, &m->limits, NULL), WALRAS_OK);
    m->result.limits = m->limits;
    m->result.flow_kw = flows_kw;
    m->binding.row = 1;
    m->binding.shadow_price_per_mwh = 60.0;
    struct scenario_certificate found = certify(m);

    CU_ASSERT_TRUE(found.clean);
    TESTKIT_CLOSE(found.dual_bound, 3.2, 1e-12);
    CU_ASSERT_TRUE(found.max_flow_error_kw < 1e-9);
    drop_market(m);
}

/*
 * One bus: 100 kW of free sun, export of up to 80 kW at 30. The rest is curtailed, so power is
 * worth nothing: cost −0.08·30 = −2.4; bound min (0 − 30)·e = −2.4, and the sun gets 0.
 */
static void test_exports_count_in_cost_and_bound(void)
{
    static const double sun_kw = 100.0, sell = 30.0, most_out_kw = 80.0;
    struct market_of_two *m = make_market();

    m->devices[0] = (struct agent_device){
        .type = AGENT_PV,
        .id = "roof",
        .power_factor = 1.0,
        .pv = {.available_kw = {&sun_kw, 0}, .cost_per_mwh = 0.0, .curtailable = true}};
    m->agent.bus = 0;
    m->agent.n_device = 1;
    m->scenario.n_device = m->awards.n_device = 1;
    m->scenario.model = SCENARIO_COPPERPLATE;
    m->scenario.network.n_bus = 1;
    m->scenario.network.n_line = 0;
    m->supply.price_per_mwh.values = m->supply.export_price_per_mwh.values = &sell;
    m->supply.export_limit_kw.values = &most_out_kw;
    m->award_kw[0] = -80.0;
    m->import_kw = 0.0;
    m->export_kw = 80.0;
    m->price_per_mwh[0] = m->energy_price_per_mwh = 0.0;
    m->market.n_binding = 0;
    m->market.objective = m->market.bound = -2.4;
    m->result.limits = NULL;
    struct scenario_certificate found = certify(m);

    CU_ASSERT_TRUE(found.clean);
    TESTKIT_CLOSE(found.objective, -2.4, 1e-12);
    TESTKIT_CLOSE(found.dual_bound, -2.4, 1e-12);
    m->export_kw = 85.0;
    m->award_kw[0] = -85.0;
    TESTKIT_CLOSE(certify(m).max_supply_breach_kw, 5.0, 1e-12);
    drop_market(m);
}

/* Unlimited import at 20 with an announced 20 + 1e-4 at the slack proves nothing at all. */
static void test_an_unlimited_exchange_with_a_margin_proves_nothing(void)
{
    static const double unlimited = INFINITY;
    struct market_of_two *m = make_market();

    m->supply.import_limit_kw.values = &unlimited;
    TESTKIT_CLOSE(certify(m).dual_bound, 3.2, 1e-12);
    m->energy_price_per_mwh = m->price_per_mwh[0] = 20.0 + 1e-9; /* rounding, no margin */
    TESTKIT_CLOSE(certify(m).dual_bound, 3.2, 1e-9);
    m->energy_price_per_mwh = m->price_per_mwh[0] = 20.0 + 1e-4;
    struct scenario_certificate found = certify(m);

    CU_ASSERT_TRUE(isinf(found.dual_bound));
    CU_ASSERT_FALSE(found.clean);
    drop_market(m);
}

/* ---------------------------------------------------------------- angles */

enum { MAX_BUS = 40, MAX_LINE = 120 };

struct random_grid {
    struct grid_bus buses[MAX_BUS];
    struct grid_line lines[MAX_LINE];
    char names[MAX_BUS][24], line_names[MAX_LINE][24];
    struct grid_network network;
};

/* A random tree with chords, taps, shifters, a few lines out of service and parallel ones. */
static void draw_grid(struct walras_rng *rng, struct random_grid *grid)
{
    size_t n_bus = 2 + (size_t)walras_rng_below(rng, MAX_BUS - 2);
    size_t n_line = n_bus - 1 + (size_t)walras_rng_below(rng, n_bus);

    for (size_t b = 0; b < n_bus; b++) {
        snprintf(grid->names[b], sizeof(grid->names[b]), "%zu", b);
        grid->buses[b] = (struct grid_bus){.id = grid->names[b], .v_max_pu = INFINITY};
    }
    for (size_t l = 0; l < n_line; l++) {
        size_t to = l + 1 < n_bus ? l + 1 : (size_t)walras_rng_below(rng, n_bus);
        size_t from = (size_t)walras_rng_below(rng, l + 1 < n_bus ? to : n_bus);

        snprintf(grid->line_names[l], sizeof(grid->line_names[l]), "l%zu", l);
        grid->lines[l] = (struct grid_line){
            .id = grid->line_names[l],
            .from = from != to       ? from
                    : to + 1 < n_bus ? to + 1
                                     : 0,
            .to = to,
            .x_pu = walras_rng_range(rng, 0.01, 0.5),
            .limit_kw = INFINITY,
            .tap = walras_rng_unit(rng) < 0.2 ? 0.95 : 1.0,
            .shift_rad = walras_rng_unit(rng) < 0.2 ? walras_rng_range(rng, -0.1, 0.1) : 0.0,
            .in_service = l + 1 < n_bus || walras_rng_unit(rng) < 0.9,
        };
    }
    grid->network = (struct grid_network){.base_mva = 10.0,
                                          .slack_v_pu = 1.0,
                                          .slack = (size_t)walras_rng_below(rng, n_bus),
                                          .buses = grid->buses,
                                          .n_bus = n_bus,
                                          .lines = grid->lines,
                                          .n_line = n_line};
}

/* Largest difference between the two routes to the flows, relative to the largest flow. */
static double flow_difference(const struct random_grid *grid, const double *injection_kw)
{
    const struct grid_network *network = &grid->network;
    struct scenario_angles *angles = NULL;
    struct grid_limits *limits = NULL;
    double used_kw[MAX_BUS], angle_rad[MAX_BUS], value[MAX_LINE] = {0}, worst = 0.0, size = 1.0;

    CU_ASSERT_EQUAL_FATAL(scenario_angles_new(network, &angles, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(grid_limits_dc(network, 1.0, &limits, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(grid_limits_values(limits, 0, injection_kw, value, NULL), WALRAS_OK);
    for (size_t b = 0; b < network->n_bus; b++)
        used_kw[b] = injection_kw[b];
    scenario_angles_add_shifts(angles, used_kw);
    scenario_angles_solve(angles, used_kw, angle_rad);
    for (size_t r = 0; r < grid_limits_count(limits); r++) {
        size_t line = grid_limits_at(limits, r)->index;
        double flow_kw = scenario_line_flow_kw(network, line, angle_rad);

        size = fmax(size, fabs(flow_kw));
        worst = fmax(worst, fabs(flow_kw - value[r]));
    }
    scenario_angles_free(angles);
    grid_limits_free(limits);
    return worst / size;
}

static void test_flows_agree_with_the_sensitivities(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    struct random_grid *grid = calloc(1, sizeof(*grid));

    CU_ASSERT_PTR_NOT_NULL_FATAL(grid);
    for (size_t k = 0; k < testkit_cases(400); k++) {
        double injection_kw[MAX_BUS], sum_kw = 0.0;

        draw_grid(&rng, grid);
        for (size_t b = 0; b < grid->network.n_bus; b++)
            sum_kw += injection_kw[b] = walras_rng_range(&rng, -1000.0, 1000.0);
        injection_kw[grid->network.slack] -= sum_kw;
        CU_ASSERT_TRUE(flow_difference(grid, injection_kw) < 1e-9);
    }
    free(grid);
}

/* x = 0.5 and x = −0.5 in parallel: any angle goes with no flow. */
static void test_reactances_that_cancel_are_named(void)
{
    struct grid_bus buses[] = {{.id = name_a}, {.id = name_b}};
    struct grid_line lines[] = {
        {.id = name_line, .to = 1, .x_pu = 0.5, .tap = 1.0, .in_service = true},
        {.id = name_line, .to = 1, .x_pu = -0.5, .tap = 1.0, .in_service = true}};
    struct grid_network network = {.base_mva = 1.0,
                                   .slack_v_pu = 1.0,
                                   .buses = buses,
                                   .n_bus = 2,
                                   .lines = lines,
                                   .n_line = 2};
    struct scenario_angles *angles = NULL;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(scenario_angles_new(&network, &angles, &err), WALRAS_UNSUPPORTED);
    CU_ASSERT_PTR_NULL(angles);
    CU_ASSERT_STRING_EQUAL(err.msg,
                           "bus B: the reactances around it cancel, its angle is not determined");
}

static const struct testkit_test tests[] = {
    {"the optimum is clean", test_the_optimum_is_clean},
    {"exchange that passes through counts for rounding",
     test_exchange_that_passes_through_counts_for_rounding},
    {"a wrong award is caught", test_a_wrong_award_is_caught},
    {"an award that is no number is named", test_an_award_that_is_no_number_is_named},
    {"a wrong price is caught", test_a_wrong_price_is_caught},
    {"a bound that prices do not prove is caught", test_a_bound_that_prices_do_not_prove_is_caught},
    {"a wrong flow is caught", test_a_wrong_flow_is_caught},
    {"a line over its limit is caught", test_a_line_over_its_limit_is_caught},
    {"exchange beyond its limit is caught", test_exchange_beyond_its_limit_is_caught},
    {"a cost that is told too low is caught", test_a_cost_that_is_told_too_low_is_caught},
    {"a priced breach is part of the cost", test_a_priced_breach_is_part_of_the_cost},
    {"a phase shifter on a tree changes no flow", test_a_phase_shifter_on_a_tree_changes_no_flow},
    {"exports count in cost and bound", test_exports_count_in_cost_and_bound},
    {"a loop flow takes room from a limit", test_a_loop_flow_takes_room_from_a_limit},
    {"an unlimited exchange with a margin proves nothing",
     test_an_unlimited_exchange_with_a_margin_proves_nothing},
    {"flows agree with the sensitivities", test_flows_agree_with_the_sensitivities},
    {"reactances that cancel are named", test_reactances_that_cancel_are_named},
};
TESTKIT_MAIN("certificate", tests)
