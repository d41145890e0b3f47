#include "core/file.h"
#include "core/text.h"
#include "core/units.h"
#include "gridkit.h"
#include "lp/lp.h"
#include "marketkit.h"
#include "scenario/export.h"
#include "scenario/nodes.h"
#include "scenario/parts.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Random markets on random forests: against the whole market as one linear program, solved by GLPK;
 * and what must hold of prices whatever the market is.
 */

enum { RANDOM_FEEDERS = 60, STEPS = 3 };

static bool happens(struct walras_rng *rng, unsigned in)
{
    return walras_rng_below(rng, in) == 0;
}

static void put_network(struct walras_text *text, struct walras_rng *rng,
                        const struct grid_network *network, size_t n_slack)
{
    walras_text_addf(text, "\"buses\": [");
    for (size_t b = 0; b < network->n_bus; b++) {
        const struct grid_bus *bus = &network->buses[b];

        walras_text_addf(text, "%s{\"id\": \"%s\"", b > 0 ? ", " : "", bus->id);
        if (bus->v_min_pu > 0.0) /* tight, so that some bind */
            walras_text_addf(text, ", \"v_min_pu\": %.4f, \"v_max_pu\": %.4f", bus->v_min_pu + 0.07,
                             bus->v_max_pu - 0.07);
        walras_text_addf(text, "}");
    }
    walras_text_addf(text, "], \"slack\": [");
    for (size_t b = 0; b < n_slack; b++)
        walras_text_addf(text, "%s\"%s\"", b > 0 ? ", " : "", network->buses[b].id);
    walras_text_addf(text, "], \"slack_v_pu\": %.3f, \"lines\": [",
                     walras_rng_range(rng, 1.0, 1.01));
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];

        walras_text_addf(text,
                         "%s{\"id\": \"%s\", \"from\": \"%s\", \"to\": \"%s\", \"r_pu\": %.4f, "
                         "\"x_pu\": %.4f, \"b_pu\": %.4f, \"tap\": %.4f, \"in_service\": %s",
                         l > 0 ? ", " : "", line->id, network->buses[line->from].id,
                         network->buses[line->to].id, 2.0 * line->r_pu, line->x_pu, line->b_pu,
                         1.0 + 0.2 * (line->tap - 1.0), line->in_service ? "true" : "false");
        if (isfinite(line->limit_kw))
            walras_text_addf(text, ", \"limit_kw\": %.3f", line->limit_kw);
        if (line->limit_kva > 0.0)
            walras_text_addf(text, ", \"limit_kva\": %.3f", line->limit_kva);
        walras_text_addf(text, "}");
    }
    walras_text_addf(text, "]}");
}

static void put_numbers(struct walras_text *text, struct walras_rng *rng, const char *key,
                        double low, double high)
{
    walras_text_addf(text, ", \"%s\": [", key);
    for (size_t t = 0; t < STEPS; t++)
        walras_text_addf(text, "%s%.3f", t > 0 ? ", " : "", walras_rng_range(rng, low, high));
    walras_text_addf(text, "]");
}

static void put_factor(struct walras_text *text, struct walras_rng *rng)
{
    static const double factors[] = {0.8, 0.95, -0.9};

    if (happens(rng, 2))
        walras_text_addf(text, ", \"power_factor\": %g", factors[walras_rng_below(rng, 3)]);
    walras_text_addf(text, "}");
}

/* Loads that can always be shed, so that most markets can be cleared. */
static void put_devices(struct walras_text *text, struct walras_rng *rng)
{
    walras_text_addf(text, "{\"id\": \"l\", \"type\": \"load\", \"shed_price_per_mwh\": 900");
    put_numbers(text, rng, "draw_kw", 0.0, 25.0);
    put_numbers(text, rng, "draw_kvar", -2.0, 8.0);
    walras_text_addf(text, "}");
    if (happens(rng, 3)) {
        walras_text_addf(text, ", {\"id\": \"f\", \"type\": \"load\"");
        put_numbers(text, rng, "draw_kw", -1.0, 2.0);
        put_factor(text, rng);
    }
    if (happens(rng, 2)) {
        walras_text_addf(text, ", {\"id\": \"p\", \"type\": \"pv\", \"cost_per_mwh\": 1");
        put_numbers(text, rng, "available_kw", 0.0, 60.0);
        if (happens(rng, 2))
            walras_text_addf(text, ", \"apparent_kva\": %.1f}", walras_rng_range(rng, 60.0, 62.0));
        else
            put_factor(text, rng);
    }
    if (happens(rng, 2)) {
        walras_text_addf(text, ", {\"id\": \"b\", \"type\": \"battery\", \"capacity_kwh\": 20, "
                               "\"charge_kw\": 9, \"discharge_kw\": 9, \"start_kwh\": 10, "
                               "\"charge_efficiency\": 0.9, \"wear_per_mwh\": 3");
        if (happens(rng, 3))
            walras_text_addf(text, ", \"apparent_kva\": 9.5}");
        else
            put_factor(text, rng);
    }
    if (happens(rng, 3)) {
        walras_text_addf(text,
                         ", {\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 30, \"segments\": "
                         "[[15, %.1f], [15, 150]]",
                         walras_rng_range(rng, 20.0, 120.0));
        put_factor(text, rng);
    }
}

static void random_feeder(struct walras_rng *rng, struct walras_text *text)
{
    size_t n_bus = 4 + (size_t)walras_rng_below(rng, 8), n_slack = 1 + (size_t)happens(rng, 3);
    struct grid_network network = gridkit_forest(rng, n_bus, n_slack);

    walras_text_init(text, 1 << 20);
    walras_text_addf(text, "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "
                           "\"step_minutes\": 30, \"steps\": 3}, \"grid\": {\"model\": "
                           "\"lindistflow\", \"base_mva\": 0.5, ");
    if (happens(rng, 3))
        walras_text_addf(text, "\"voltage_violation_price_per_pu_h\": 400, ");
    if (happens(rng, 3))
        walras_text_addf(text, "\"line_overload_price_per_mwh\": 60, ");
    put_network(text, rng, &network, n_slack);
    walras_text_addf(text, ", \"supply\": [");
    for (size_t b = 0; b < n_slack; b++) {
        walras_text_addf(text, "%s{\"id\": \"w%zu\", \"bus\": \"%s\", \"export_limit_kw\": 100",
                         b > 0 ? ", " : "", b, network.buses[b].id);
        put_numbers(text, rng, "price_per_mwh", 40.0, 90.0);
        put_numbers(text, rng, "export_price_per_mwh", -10.0, 40.0);
        walras_text_addf(text, "}");
    }
    walras_text_addf(text, "], \"agents\": [");
    for (size_t b = n_slack; b < n_bus; b++) {
        walras_text_addf(text, "%s{\"id\": \"a%zu\", \"bus\": \"%s\", \"devices\": [",
                         b > n_slack ? ", " : "", b, network.buses[b].id);
        put_devices(text, rng);
        walras_text_addf(text, "]}");
    }
    walras_text_addf(text, "]}");
    CU_ASSERT_EQUAL_FATAL(text->failure, WALRAS_OK);
    grid_network_release(&network);
}

static void solve_whole(const struct scenario *scenario, bool mps, struct lp_info *optimum)
{
    struct scenario_export_settings settings = {
        .format = mps ? SCENARIO_EXPORT_MPS : SCENARIO_EXPORT_LP, .short_names = mps};
    struct walras_err err = {0};
    struct lp *lp = NULL;
    char path[64];
    FILE *file = NULL;

    snprintf(path, sizeof(path), "test_random_feeders_%ld.%s", (long)getpid(), mps ? "mps" : "lp");
    *optimum = (struct lp_info){.objective = NAN, .bound = NAN};
    CU_ASSERT_EQUAL_FATAL(walras_file_create(path, &file, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_export(scenario, &settings, file, NULL, &err), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_file_finish(file, path, NULL), WALRAS_OK);
    if (lp_read(path, &lp, &err) == WALRAS_OK)
        CU_ASSERT_EQUAL(lp_solve(lp, NULL, NULL, NULL, optimum, &err), WALRAS_OK);
    if (err.code != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    CU_ASSERT_EQUAL(err.code, WALRAS_OK);
    lp_free(lp);
    unlink(path);
}

static double largest_price(const struct marketkit *kit)
{
    double largest = 1.0;

    for (size_t i = 0; i < kit->scenario.network.n_bus * STEPS; i++)
        largest = fmax(largest, fabs(kit->market->price_per_mwh[i]));
    return largest;
}

static bool parts_sum_to_prices(const struct marketkit *kit)
{
    const struct scenario_parts *parts = kit->result->parts;
    double worst = 0.0;

    for (size_t i = 0; i < kit->scenario.network.n_bus * STEPS; i++)
        worst = fmax(worst, fabs(parts->energy[i] + parts->congestion[i] + parts->voltage[i] -
                                 kit->market->price_per_mwh[i]));
    return worst <= 1e-9 * largest_price(kit);
}

/* What all pay for kW and kvar less what all are paid, currency. */
static double surplus(const struct marketkit *kit)
{
    const struct scenario *s = &kit->scenario;
    const struct scenario_result *r = kit->result;
    double paid = 0.0;

    for (size_t i = 0; i < s->network.n_bus * STEPS; i++)
        paid += r->market->price_per_mwh[i] * r->bus_draw_kw[i];
    for (size_t i = 0; i < s->n_supply; i++)
        for (size_t t = 0; t < STEPS; t++)
            paid -= r->market->price_per_mwh[s->supplies[i].bus * STEPS + t] *
                    (r->import_kw[i * STEPS + t] - r->export_kw[i * STEPS + t]);
    for (size_t i = 0; i < s->n_device; i++)
        for (size_t t = 0; t < STEPS; t++) {
            struct scenario_reactive of = scenario_reactive_of(&s->devices[i], t);
            double kvar = of.fixed_kvar + of.kvar_per_kw * r->awards->draw_kw[i * STEPS + t];

            paid += r->parts->reactive_per_mvarh[scenario_device_bus(s, i) * STEPS + t] * kvar;
        }
    for (size_t i = 0; i < r->n_inverter; i++)
        for (size_t t = 0; t < STEPS; t++) {
            size_t bus = scenario_device_bus(s, r->inverters[i].device);

            paid += r->parts->reactive_per_mvarh[bus * STEPS + t] * r->inverter_kvar[i * STEPS + t];
        }
    return walras_mwh(paid, s->horizon.step_h);
}

/* Σ μ · (limit − what it is at when nobody draws), less what breaches of soft limits cost. */
static double limits_worth(const struct marketkit *kit)
{
    const struct scenario *s = &kit->scenario;
    const struct market_result *market = kit->market;
    struct grid_lindist idle = {.n_step = 1, .rating_scale = 1.0, .soft_voltages = true};
    struct grid_limits *limits = NULL;
    double worth = 0.0;

    CU_ASSERT_EQUAL_FATAL(grid_limits_lindist(&s->network, &idle, &limits, NULL), WALRAS_OK);
    for (size_t k = 0; k < market->n_binding; k++) {
        const struct market_binding *at = &market->binding[k];

        if (at->row >= grid_limits_count(limits)) /* an inverter's: no limit of the grid */
            continue;
        const struct grid_limit *limit = grid_limits_at(limits, at->row);
        double bound = at->direction > 0 ? limit->high : limit->low;

        worth += at->shadow_price_per_mwh * at->direction *
                 (bound - grid_limits_base(limits, at->row, 0));
    }
    grid_limits_free(limits);
    return walras_mwh(worth, s->horizon.step_h) + kit->certificate->breach_cost;
}

/* A plan that is `gap` from the best leaves at most that between the two. */
static bool limits_account_for_the_surplus(const struct marketkit *kit)
{
    double size = fmax(1.0, fabs(kit->market->objective));
    double gap = kit->certificate->objective - kit->certificate->dual_bound;

    return fabs(surplus(kit) - limits_worth(kit)) <= gap + 1e-6 * size;
}

struct tally {
    size_t n_wrong, n_infeasible, n_volt, n_kva, n_line, n_inverter, n_soft;
};

static void count_binding(const struct marketkit *kit, struct tally *tally)
{
    bool found[5] = {false};

    for (size_t k = 0; k < kit->market->n_binding; k++)
        if (kit->market->binding[k].shadow_price_per_mwh > 0.01)
            found[grid_limits_at(kit->result->limits, kit->market->binding[k].row)->kind] = true;
    tally->n_volt += found[GRID_LIMIT_VOLTAGE];
    tally->n_kva += found[GRID_LIMIT_APPARENT];
    tally->n_line += found[GRID_LIMIT_LINE];
    tally->n_inverter += found[GRID_LIMIT_INVERTER];
    tally->n_soft += kit->market->n_breach > 0;
}

static bool is_right(const struct marketkit *kit, bool mps, struct tally *tally)
{
    struct lp_info optimum;

    if (kit->status != WALRAS_OK)
        return false;
    solve_whole(&kit->scenario, mps, &optimum);
    double size = fmax(1.0, fabs(optimum.objective));

    if (kit->market->outcome == MARKET_INFEASIBLE || optimum.outcome != LP_OPTIMAL) {
        tally->n_infeasible++;
        return kit->market->outcome == MARKET_INFEASIBLE && optimum.outcome == LP_INFEASIBLE;
    }
    count_binding(kit, tally);
    if (!marketkit_is_good(kit)) {
        fprintf(stderr, "not good: outcome %d, ", (int)kit->market->outcome);
        return false;
    }
    if (kit->market->bound > optimum.objective + 1e-7 * size ||
        kit->market->objective < optimum.objective - 1e-7 * size) {
        fprintf(stderr, "%.9g <= %.9g <= %.9g: ", kit->market->bound, optimum.objective,
                kit->market->objective);
        return false;
    }
    if (!parts_sum_to_prices(kit)) {
        fprintf(stderr, "parts do not sum to prices: ");
        return false;
    }
    if (!limits_account_for_the_surplus(kit)) {
        fprintf(stderr, "surplus %.9g, limits %.9g: ", surplus(kit), limits_worth(kit));
        return false;
    }
    return true;
}

static void test_random_feeders_clear_at_the_optimum(void)
{
    size_t some = testkit_cases(RANDOM_FEEDERS), n = some > 30 ? some : 30; /* every kind binds */
    struct tally tally = {0};

    for (size_t i = 0; i < n; i++) {
        uint64_t seed = testkit_seed() + i;
        struct walras_rng rng = walras_rng_from_seed(seed);
        struct scenario_clear_settings settings = marketkit_settings(1e-6);
        struct walras_text text;
        struct marketkit kit = {0};

        random_feeder(&rng, &text);
        marketkit_clear(text.data, NULL, &settings, &kit);
        if (!is_right(&kit, i % 2, &tally)) {
            tally.n_wrong++;
            fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, kit.err.msg);
        }
        marketkit_release(&kit);
        walras_text_release(&text);
    }
    printf("%zu markets, %zu infeasible; voltages bind in %zu, kVA in %zu, kW in %zu, inverters in "
           "%zu, soft ones give in %zu ",
           n, tally.n_infeasible, tally.n_volt, tally.n_kva, tally.n_line, tally.n_inverter,
           tally.n_soft);
    CU_ASSERT_EQUAL(tally.n_wrong, 0);
    CU_ASSERT_TRUE(tally.n_infeasible < n / 3);
    CU_ASSERT_TRUE(tally.n_volt > n / 20 && tally.n_kva > n / 10 && tally.n_line > n / 10 &&
                   tally.n_inverter > n / 20);
}

/* Without limits that matter a bus has the price of its slack, and kvar are free. */
static void test_wide_limits_leave_the_energy_price(void)
{
    size_t n = testkit_cases(RANDOM_FEEDERS / 3);

    for (size_t i = 0; i < n; i++) {
        struct walras_rng rng = walras_rng_from_seed(testkit_seed() + i);
        struct scenario_clear_settings settings = marketkit_settings(1e-6);
        struct scenario_clearing *clearing = NULL;
        struct walras_text text;
        struct marketkit kit = {0};

        random_feeder(&rng, &text);
        marketkit_clear(text.data, NULL, &settings, &kit);
        CU_ASSERT_EQUAL_FATAL(kit.status, WALRAS_OK);
        for (size_t b = 0; b < kit.scenario.network.n_bus; b++) {
            kit.scenario.network.buses[b].v_min_pu = 0.0;
            kit.scenario.network.buses[b].v_max_pu = HUGE_VAL;
        }
        for (size_t l = 0; l < kit.scenario.network.n_line; l++) {
            kit.scenario.network.lines[l].limit_kw = HUGE_VAL;
            kit.scenario.network.lines[l].limit_kva = 0.0;
        }
        CU_ASSERT_EQUAL_FATAL(scenario_clear(&kit.scenario, &settings, &clearing, NULL), WALRAS_OK);
        const struct scenario_result *wide = scenario_clearing_result(clearing);

        for (size_t c = 0; c < kit.scenario.network.n_bus * STEPS; c++) {
            TESTKIT_CLOSE(wide->market->price_per_mwh[c], wide->parts->energy[c], 1e-9);
            CU_ASSERT_EQUAL(wide->parts->reactive_per_mvarh[c], 0.0);
        }
        scenario_clearing_free(clearing);
        marketkit_release(&kit);
        walras_text_release(&text);
    }
}

static const struct testkit_test tests[] = {
    {"random feeders clear at the optimum", test_random_feeders_clear_at_the_optimum},
    {"wide limits leave the energy price", test_wide_limits_leave_the_energy_price},
};
TESTKIT_MAIN("random feeders", tests)
