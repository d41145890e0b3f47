/*
 * Rounds that each price method takes to certified gaps of 1e-2, 1e-3 and 1e-4, and what it asks.
 *
 *     bench_methods              all methods on all markets
 *     bench_methods METHOD...    these
 *
 * Markets, T = 24, firm draw with a dip at noon, supply in 20 blocks of 30 to 330 EUR/MWh and a
 * last resort:
 *     fleet        batteries, cars and heat pumps in equal parts in 12 groups at one bus, with
 *                  linear costs and with quadratic ones
 *     linear …     cars and batteries without losses of tests/quadkit.h: many ties
 *     600+9        two buses, 600 and 9 devices, the line between them full in many steps;
 * "unlike": those of the small bus give way ten times as far one scale    the same, methods being
 * told the same swing for both buses by response  the same, swing shared out by how far answers
 * moved with random prices
 */
#include "market/clearing.h"
#include "market/method.h"
#include "quadkit.h"
#include "scenario/clear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 24, BLOCKS = 20, MOST_GROUPS = 12, MOST_ROUNDS = 500 };

enum scale { BY_SWING, BY_ONE, BY_RESPONSE };

struct kind {
    const char *name;
    size_t near, far; /* devices at the slack and behind the line */
    double bend;      /* of devices at the slack, EUR/MWh per kW */
    double far_bend;
    enum scale scale; /* what methods are told of how far a group moves */
    bool real;        /* devices are those of scenarios, `bend` scales their square costs */
};

struct bench { /* one market */
    struct quadkit_group made[MOST_GROUPS];
    struct market_group groups[MOST_GROUPS];
    struct market_order orders[(BLOCKS + 1) * STEPS];
    double firm_kw[2 * STEPS];
    struct grid_bus buses[2];
    struct grid_line line;
    struct grid_network network;
    struct grid_limits *limits;
    struct market_problem problem;
};

static double firm_at(size_t t)
{
    double noon = ((double)t - 13.0) / 3.0, evening = ((double)t - 19.0) / 2.0;

    return 1.0 - 0.6 * exp(-noon * noon) + 0.5 * exp(-evening * evening);
}

static void add_orders(struct bench *b, double size_kw)
{
    for (uint32_t t = 0; t < STEPS; t++)
        for (uint32_t k = 0; k <= BLOCKS; k++)
            b->orders[b->problem.n_order++] = (struct market_order){
                .step = t,
                .high_kw = k == BLOCKS ? 10.0 * size_kw : 4.0 * size_kw / BLOCKS,
                .price_per_mwh = k == BLOCKS ? 1000.0 : 30.0 + 300.0 * k / (BLOCKS - 1.0)};
}

static bool add_groups(struct bench *b, size_t n_device, uint32_t bus, double bend, size_t n,
                       struct walras_rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = b->problem.n_group++;

        if (!quadkit_make(&b->made[at], n_device / n, STEPS, 4.0, bend, rng))
            return false;
        b->groups[at] = quadkit_at(&b->made[at], bus, true);
    }
    return true;
}

/* How much a group's draw moves per price, from answers to eight days of random prices. */
static double response_of(const struct market_group *group)
{
    struct walras_rng rng = walras_rng_from_seed(3);
    double price[STEPS], draw[STEPS], before[STEPS] = {0}, moved = 0.0;

    for (int day = 0; day < 8; day++) {
        struct market_answer answer = {0};

        for (size_t t = 0; t < STEPS; t++)
            price[t] = walras_rng_range(&rng, 80.0, 120.0);
        if (group->oracle.ops->respond(group->oracle.self, 0, 0, price, draw, &answer, NULL) !=
            WALRAS_OK)
            return 0.0;
        for (size_t t = 0; t < STEPS && day > 0; t++)
            moved += fabs(draw[t] - before[t]);
        memcpy(before, draw, sizeof(before));
    }
    return moved;
}

/* Tells the methods one scale for all buses, or one learnt from responses; the sum stays. */
static void rescale(struct bench *b, enum scale scale)
{
    double sum = 0.0, share[MOST_GROUPS], shares = 0.0;

    for (size_t g = 0; g < b->problem.n_group && scale != BY_SWING; g++) {
        sum += b->groups[g].swing_kw;
        share[g] = scale == BY_RESPONSE ? response_of(&b->groups[g])
                                        : (b->groups[g].bus == 0 ? 1.0 / 6.0 : 1.0 / 3.0);
        shares += share[g];
    }
    for (size_t g = 0; g < b->problem.n_group && scale != BY_SWING; g++)
        b->groups[g].swing_kw = sum * share[g] / shares;
}

static enum walras_status add_line(struct bench *b, double limit_kw, struct walras_err *err)
{
    static char near_id[] = "near", far_id[] = "far", line_id[] = "line";

    b->buses[0] = (struct grid_bus){.id = near_id, .v_max_pu = HUGE_VAL};
    b->buses[1] = (struct grid_bus){.id = far_id, .v_max_pu = HUGE_VAL};
    b->line = (struct grid_line){
        .id = line_id, .to = 1, .x_pu = 0.1, .limit_kw = limit_kw, .tap = 1.0, .in_service = true};
    b->network = (struct grid_network){.base_mva = 1.0,
                                       .slack_v_pu = 1.0,
                                       .buses = b->buses,
                                       .n_bus = 2,
                                       .lines = &b->line,
                                       .n_line = 1};
    enum walras_status status = grid_limits_dc(&b->network, 1.0, &b->limits, err);

    b->problem.limits = b->limits;
    return status;
}

static enum walras_status build(struct bench *b, const struct kind *kind, struct walras_err *err)
{
    static const char *const ids[] = {"near", "far"};
    struct walras_rng rng = walras_rng_from_seed(20);
    double near_kw = (double)kind->near, far_kw = (double)kind->far;

    memset(b, 0, sizeof(*b));
    b->problem = (struct market_problem){.n_bus = kind->far > 0 ? 2 : 1,
                                         .n_step = STEPS,
                                         .step_h = 1.0,
                                         .firm_draw_kw = b->firm_kw,
                                         .orders = b->orders,
                                         .groups = b->groups,
                                         .breach_price_per_mwh = HUGE_VAL,
                                         .bus_ids = ids};
    for (size_t t = 0; t < STEPS; t++) {
        b->firm_kw[t] = near_kw * firm_at(t);
        b->firm_kw[STEPS + t] = far_kw * firm_at(t);
    }
    add_orders(b, near_kw + far_kw);
    if (!add_groups(b, kind->near, 0, kind->bend, kind->far > 0 ? 6 : 12, &rng) ||
        !add_groups(b, kind->far, 1, kind->far_bend, kind->far > 0 ? 3 : 0, &rng))
        return walras_fail(err, WALRAS_NOMEM, "the market does not fit in memory");
    rescale(b, kind->scale);
    return kind->far > 0 ? add_line(b, 2.6 * far_kw, err) : WALRAS_OK;
}

static void end(struct bench *b)
{
    for (size_t g = 0; g < b->problem.n_group; g++)
        quadkit_release(&b->made[g]);
    grid_limits_free(b->limits);
}

/* The first round in which the best bound is within `gap` of the best plan so far, or of `optimum`
 * unless that is NAN; 0: none. */
static unsigned rounds_to(const struct market_round *history, unsigned n, double gap,
                          double optimum)
{
    double objective = isnan(optimum) ? (double)INFINITY : optimum;

    for (unsigned i = 0; i < n; i++) {
        objective = fmin(objective, isnan(history[i].objective) ? objective : history[i].objective);
        if (isfinite(objective) && objective - history[i].bound <= gap * fmax(1.0, fabs(objective)))
            return history[i].round;
    }
    return 0;
}

static void print(const char *market, const char *method, const struct market_result *r,
                  double optimum)
{
    static const double gaps[] = {1e-2, 1e-3, 1e-4};

    printf("%-20s %-12s", market, method);
    for (size_t i = 0; i < 6; i++) {
        unsigned rounds =
            rounds_to(r->history, r->n_rounds, gaps[i % 3], i < 3 ? optimum : (double)NAN);

        if (rounds > 0)
            printf(" %5u", rounds);
        else
            printf("     -");
    }
    printf("  %8.1e %6u %9llu %7.2f  %s\n",
           (r->convex_objective - r->bound) / fmax(1.0, fabs(r->convex_objective)), r->n_rounds,
           (unsigned long long)r->n_responses, r->seconds, market_outcome_name(r->outcome));
    fflush(stdout);
}

/* Clears by a method and prints; NULL: finds *optimum, by the bundle, to 1e-8. */
static enum walras_status run(const struct kind *kind, const char *method, double *optimum,
                              struct walras_err *err)
{
    static struct bench bench;
    struct market_settings settings = market_settings_defaults();
    struct market_result result = {0};
    enum walras_status status = build(&bench, kind, err);

    settings.method = method ? method : "bundle";
    settings.gap = method ? settings.gap : 1e-8;
    settings.max_rounds = MOST_ROUNDS;
    if (status == WALRAS_OK)
        status = market_clear(&bench.problem, &settings, &result, err);
    if (status == WALRAS_OK && method)
        print(kind->name, method, &result, *optimum);
    else if (status == WALRAS_OK)
        *optimum = result.bound;
    market_result_release(&result);
    end(&bench);
    return status;
}

static void put_series(FILE *out, const char *name, double (*value)(size_t t), double factor)
{
    fprintf(out, "\"%s\":[", name);
    for (size_t t = 0; t < STEPS; t++)
        fprintf(out, "%s%g", t > 0 ? "," : "", factor * value(t));
    fputs("]", out);
}

static double outdoor_at(size_t t)
{
    return 5.0 - 4.0 * cos(2.0 * 3.14159265358979 * ((double)t - 3.0) / 24.0);
}

/* A battery, a car or a heat pump, in turn; `square` scales what bends its answers. */
static void put_device(FILE *out, unsigned i, double square, struct walras_rng *rng)
{
    double power = walras_rng_range(rng, 2.0, 6.0), size = walras_rng_range(rng, 5.0, 15.0);
    unsigned arrive = (unsigned)walras_rng_below(rng, 12);
    unsigned depart = arrive + 6 + (unsigned)walras_rng_below(rng, 7);
    double wear = walras_rng_range(rng, 2.0, 20.0), efficiency = walras_rng_range(rng, 0.9, 0.97);

    fprintf(out, ",{\"id\":\"%u\",\"type\":", i);
    if (i % 3 == 0) {
        fprintf(out,
                "\"battery\",\"capacity_kwh\":%g,\"charge_kw\":%g,\"discharge_kw\":%g,"
                "\"start_kwh\":%g,\"end_min_kwh\":%g,\"charge_efficiency\":%g,"
                "\"discharge_efficiency\":%g,\"wear_per_mwh\":%g,\"wear_per_mw2h\":%g}",
                size, power, power, 0.5 * size, 0.5 * size, efficiency, efficiency, wear,
                square * 5000.0);
    } else if (i % 3 == 1) {
        double most = efficiency * power * (depart - arrive);

        fprintf(out,
                "\"ev\",\"arrive\":%u,\"depart\":%u,\"energy_kwh\":%g,\"charge_kw\":%g,"
                "\"efficiency\":%g,\"wear_per_mw2h\":%g}",
                arrive, depart, fmin(0.8 * most, 2.0 * size), power, efficiency, square * 5000.0);
    } else {
        fprintf(out,
                "\"thermal\",\"mode\":\"heat\",\"max_kw\":%g,\"cop\":3,"
                "\"capacity_kwh_per_k\":%g,\"conductance_kw_per_k\":%g,\"start_c\":20.5,"
                "\"min_c\":19,\"max_c\":22,\"discomfort_per_k2h\":%g,",
                power, 0.4 * size, 0.03 * power, square * 0.01);
        put_series(out, "outdoor_c", outdoor_at, 1.0);
        fputs("}", out);
    }
}

static char *write_fleet(unsigned n, double square)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct walras_rng rng = walras_rng_from_seed(7);

    if (!out)
        return NULL;
    fputs("{\"walras\":1,\"horizon\":{\"start\":\"2026-01-15T00:00:00+01:00\",\"step_minutes\":60,"
          "\"steps\":24},\"grid\":{\"model\":\"copperplate\",\"slack\":\"1\",\"buses\":[{\"id\":"
          "\"1\"}],\"lines\":[]},\"supply\":[",
          out);
    for (unsigned k = 0; k <= BLOCKS; k++)
        fprintf(out,
                "%s{\"id\":\"s%u\",\"bus\":\"1\",\"price_per_mwh\":%g,\"import_limit_kw\":%g,"
                "\"export_limit_kw\":0}",
                k > 0 ? "," : "", k, k == BLOCKS ? 1000.0 : 30.0 + 300.0 * k / (BLOCKS - 1.0),
                k == BLOCKS ? 10.0 * n : 4.0 * n / BLOCKS);
    fputs("],\"agents\":[{\"id\":\"all\",\"bus\":\"1\",\"devices\":[{\"id\":\"load\",\"type\":"
          "\"load\",",
          out);
    put_series(out, "draw_kw", firm_at, n);
    fputs("}", out);
    for (unsigned i = 0; i < n; i++)
        put_device(out, i, square, &rng);
    fputs("]}]}", out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static enum walras_status run_fleet(const struct kind *kind, const char *method, double *optimum,
                                    struct walras_err *err)
{
    struct scenario_settings reading = scenario_settings_defaults();
    struct scenario_clear_settings settings = scenario_clear_settings_defaults();
    struct scenario scenario = {0};
    struct scenario_clearing *clearing = NULL;
    char *text = write_fleet((unsigned)kind->near, kind->bend);
    enum walras_status status =
        text ? scenario_parse("fleet", text, strlen(text), &reading, &scenario, err)
             : walras_fail(err, WALRAS_NOMEM, "the fleet does not fit in memory");

    settings.market.method = method ? method : "bundle";
    settings.market.gap = method ? settings.market.gap : 1e-8;
    settings.market.max_rounds = MOST_ROUNDS;
    settings.n_group = 12;
    if (status == WALRAS_OK)
        status = scenario_clear(&scenario, &settings, &clearing, err);
    if (status == WALRAS_OK && method)
        print(kind->name, method, scenario_clearing_result(clearing)->market, *optimum);
    else if (status == WALRAS_OK)
        *optimum = scenario_clearing_result(clearing)->market->bound;
    scenario_clearing_free(clearing);
    scenario_release(&scenario);
    free(text);
    return status;
}

static bool wanted(const char *method, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], method) == 0)
            return true;
    return argc < 2;
}

int main(int argc, char **argv)
{
    static const struct kind kinds[] = {
        {"fleet, linear", 300, 0, 0.0, 0.0, BY_SWING, true},
        {"fleet, quadratic", 300, 0, 1.0, 0.0, BY_SWING, true},
        {"fleet 3000, linear", 3000, 0, 0.0, 0.0, BY_SWING, true},
        {"fleet 3000, square", 3000, 0, 1.0, 0.0, BY_SWING, true},
        {"linear", 300, 0, 0.0, 0.0, BY_SWING, false},
        {"quadratic", 300, 0, 10.0, 0.0, BY_SWING, false},
        {"linear 3000", 3000, 0, 0.0, 0.0, BY_SWING, false},
        {"600+9 linear", 600, 9, 0.0, 0.0, BY_SWING, false},
        {"  one scale", 600, 9, 0.0, 0.0, BY_ONE, false},
        {"  by response", 600, 9, 0.0, 0.0, BY_RESPONSE, false},
        {"600+9 quadratic", 600, 9, 10.0, 10.0, BY_SWING, false},
        {"  one scale", 600, 9, 10.0, 10.0, BY_ONE, false},
        {"  by response", 600, 9, 10.0, 10.0, BY_RESPONSE, false},
        {"600+9 unlike", 600, 9, 20.0, 2.0, BY_SWING, false},
        {"  one scale", 600, 9, 20.0, 2.0, BY_ONE, false},
        {"  by response", 600, 9, 20.0, 2.0, BY_RESPONSE, false},
    };
    const struct market_method_ops *const *methods = market_methods();
    struct walras_err err = {0};

    printf("%-20s %-12s  dual  1e-3  1e-4  cert  1e-3  1e-4       gap rounds responses seconds\n",
           "market", "method");
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        double optimum = NAN;

        for (size_t i = 0; i == 0 || methods[i - 1]; i++) {
            const char *method = i == 0 ? NULL : methods[i - 1]->name;

            if (method && !wanted(method, argc, argv))
                continue;
            enum walras_status status = kinds[k].real ? run_fleet(&kinds[k], method, &optimum, &err)
                                                      : run(&kinds[k], method, &optimum, &err);

            if (status == WALRAS_OK)
                continue;
            fprintf(stderr, "bench_methods: %s\n", err.msg);
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
