#include "resultkit.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char bus_ids[RESULTKIT_BUS][8] = {"A", "B", "C"};
static char line_ids[RESULTKIT_LINE][8] = {"A-B", "B-C"};

static void set_network(struct resultkit *kit)
{
    for (size_t b = 0; b < RESULTKIT_BUS; b++)
        kit->buses[b] = (struct grid_bus){.id = bus_ids[b], .v_max_pu = INFINITY};
    for (size_t l = 0; l < RESULTKIT_LINE; l++)
        kit->lines[l] = (struct grid_line){.id = line_ids[l],
                                           .from = l,
                                           .to = l + 1,
                                           .x_pu = 0.1,
                                           .limit_kw = 100.0,
                                           .tap = 1.0,
                                           .in_service = true};
    kit->scenario.network = (struct grid_network){.base_mva = 1.0,
                                                  .slack_v_pu = 1.0,
                                                  .buses = kit->buses,
                                                  .n_bus = RESULTKIT_BUS,
                                                  .lines = kit->lines,
                                                  .n_line = RESULTKIT_LINE};
}

static void set_agents(struct resultkit *kit)
{
    static const double limit_kw = 200.0, price_per_mwh = 40.0, none = 0.0;
    static const enum agent_device_type types[RESULTKIT_DEVICE] = {
        AGENT_LOAD, AGENT_PV, AGENT_BATTERY, AGENT_EV, AGENT_THERMAL, AGENT_GENERATOR};
    static const char *const ids[RESULTKIT_DEVICE] = {"base", "roof", "cell",
                                                      "car",  "pump", "engine"};

    for (size_t d = 0; d < RESULTKIT_DEVICE; d++) {
        kit->devices[d] = (struct agent_device){.type = types[d], .id = ids[d]};
        kit->device_agent[d] = d >= 3;
    }
    kit->agents[0] = (struct scenario_agent){.id = "home, \"old\"", .bus = 1, .n_device = 3};
    kit->agents[1] =
        (struct scenario_agent){.id = "works", .bus = 2, .first_device = 3, .n_device = 3};
    kit->supply = (struct scenario_supply){.id = "outside",
                                           .price_per_mwh = {&price_per_mwh, 0},
                                           .export_price_per_mwh = {&price_per_mwh, 0},
                                           .import_limit_kw = {&limit_kw, 0},
                                           .export_limit_kw = {&none, 0}};
}

static void set_plan(struct resultkit *kit)
{
    static const double award_kw[] = {60, 70, 80, 50,  0, -30, -10, 0, 5,  10, -20, 0,
                                      0,  22, 0,  7.5, 6, 6,   6,   6, -1, -1, -40, -1};

    memcpy(kit->award_kw, award_kw, sizeof(award_kw));
    kit->awards = scenario_awards_of(kit->award_kw, RESULTKIT_DEVICE, RESULTKIT_STEP);
    for (size_t t = 0; t < RESULTKIT_STEP; t++) {
        double at_b = award_kw[t] + award_kw[4 + t] + award_kw[8 + t];
        double at_c = award_kw[12 + t] + award_kw[16 + t] + award_kw[20 + t];

        kit->bus_draw_kw[RESULTKIT_STEP + t] = at_b;
        kit->bus_draw_kw[2 * RESULTKIT_STEP + t] = at_c;
        kit->flow_kw[t] = kit->import_kw[t] = at_b + at_c;
        kit->flow_kw[RESULTKIT_STEP + t] = at_c;
        kit->energy_price_per_mwh[t] = 40.0 + 10.0 * (double)t;
        for (size_t b = 0; b < RESULTKIT_BUS; b++)
            kit->price_per_mwh[b * RESULTKIT_STEP + t] =
                kit->energy_price_per_mwh[t] + (t == 2 && b == 2 ? 12.5 : 0.0);
    }
}

static void set_market(struct resultkit *kit)
{
    for (unsigned r = 0; r < 3; r++)
        kit->history[r] = (struct market_round){.round = r + 1,
                                                .dual_value = 9.0 + r / 3.0,
                                                .bound = 9.0 + r / 3.0,
                                                .objective = 12.0 - r,
                                                .gap = 1.0 / (1.0 + 1e3 * r),
                                                .elapsed_s = 0.5 * r};
    kit->history[0].bound = -INFINITY;
    kit->history[0].objective = kit->history[0].gap = NAN;
    kit->binding =
        (struct market_binding){.row = 1, .step = 2, .direction = 1, .shadow_price_per_mwh = 12.5};
    kit->breach = (struct market_breach){
        .kind = MARKET_BREACH_LIMIT, .row = 1, .step = 2, .breach_kw = 3.125, .cost = 0.5};
    kit->market = (struct market_result){.outcome = MARKET_CONVERGED,
                                         .objective = 10.0,
                                         .convex_objective = 10.0,
                                         .bound = 9.999,
                                         .n_rounds = 3,
                                         .n_responses = 18,
                                         .seconds = 0.25,
                                         .n_bus = RESULTKIT_BUS,
                                         .n_step = RESULTKIT_STEP,
                                         .price_per_mwh = kit->price_per_mwh,
                                         .energy_price_per_mwh = kit->energy_price_per_mwh,
                                         .binding = &kit->binding,
                                         .n_binding = 1,
                                         .breach = &kit->breach,
                                         .n_breach = 1,
                                         .history = kit->history};
}

void resultkit_init(struct resultkit *kit)
{
    *kit = (struct resultkit){.scenario = {.name = "it's a `test`",
                                           .currency = "EUR",
                                           .start_utc_s = 1782856800, /* 2026-06-30T22:00Z */
                                           .start_offset_min = 120,
                                           .step_min = 15,
                                           .horizon = {.n_step = RESULTKIT_STEP, .step_h = 0.25},
                                           .model = SCENARIO_DC,
                                           .rating_scale = 1.0,
                                           .line_overload_price_per_mwh = NAN,
                                           .voltage_violation_price_per_pu_h = NAN,
                                           .supplies = &kit->supply,
                                           .n_supply = 1,
                                           .agents = kit->agents,
                                           .n_agent = 2,
                                           .devices = kit->devices,
                                           .device_agent = kit->device_agent,
                                           .n_device = RESULTKIT_DEVICE}};
    set_network(kit);
    set_agents(kit);
    set_plan(kit);
    set_market(kit);
    kit->certificate =
        (struct scenario_certificate){.objective = 10.0, .dual_bound = 9.999, .clean = true};
    if (grid_limits_dc(&kit->scenario.network, 1.0, &kit->limits, NULL) != WALRAS_OK)
        kit->limits = NULL;
    if (scenario_parts_new(&kit->market, kit->limits, &kit->scenario, &kit->parts, NULL) !=
        WALRAS_OK)
        kit->parts = NULL;
    kit->result = (struct scenario_result){.scenario = &kit->scenario,
                                           .market = &kit->market,
                                           .limits = kit->limits,
                                           .parts = kit->parts,
                                           .method = "bundle",
                                           .gap_asked = 1e-4,
                                           .awards = &kit->awards,
                                           .bus_draw_kw = kit->bus_draw_kw,
                                           .flow_kw = kit->flow_kw,
                                           .import_kw = kit->import_kw,
                                           .export_kw = kit->export_kw,
                                           .certificate = &kit->certificate};
}

void resultkit_release(struct resultkit *kit)
{
    scenario_parts_free(kit->parts);
    grid_limits_free(kit->limits);
}

const char *resultkit_directory(void)
{
    static char path[1024];
    const char *root = getenv("TMPDIR");

    snprintf(path, sizeof(path), "%s/walras-test-XXXXXX", root ? root : "/tmp");
    return mkdtemp(path);
}

void resultkit_remove(const char *directory)
{
    DIR *open_directory = opendir(directory);
    char path[2048];

    for (struct dirent *entry = NULL; open_directory && (entry = readdir(open_directory));) {
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (open_directory)
        closedir(open_directory);
    rmdir(directory);
}
