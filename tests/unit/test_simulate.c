#include "agents/audit.h"
#include "run_state.h"
#include "scenario/simulate_result.h"
#include "scenario/window.h"
#include "testkit.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A copperplate market with one supply; `agents` is the inside of the list. */
#define MARKET(minutes, steps, prices, agents)                                                     \
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", "                          \
    "\"step_minutes\": " minutes ", \"steps\": " steps                                             \
    "}, \"grid\": {\"copperplate\": true}, \"supply\": [{\"id\": \"s\", "                          \
    "\"bus\": \"1\", \"price_per_mwh\": " prices ", \"export_price_per_mwh\": 1, "                 \
    "\"export_limit_kw\": 100}], \"agents\": [" agents "]}"
#define AGENT(id, devices) "{\"id\": \"" id "\", \"bus\": \"1\", \"devices\": [" devices "]}"
#define BIG                "{\"id\": \"big\", \"type\": \"load\", \"draw_kw\": 6}, "
#define LOAD               "{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 2}"

struct run { /* a simulation from text, with all that it committed */
    enum walras_status status;
    struct walras_err err;
    struct scenario scenario;
    struct scenario_simulation *simulation;
    const struct scenario_run *run;
    double *draw_kw; /* [n_device x length] */
};

static struct scenario_simulate_settings settings_of(unsigned days, unsigned replan)
{
    struct scenario_simulate_settings settings = scenario_simulate_settings_defaults();

    settings.read.run_days = days;
    settings.read.replan_steps = replan;
    return settings;
}

static void begin(struct run *r, const char *text,
                  const struct scenario_simulate_settings *settings)
{
    *r = (struct run){0};
    r->status = scenario_parse("test", text, strlen(text), &settings->read, &r->scenario, &r->err);
    if (r->status == WALRAS_OK)
        r->status = scenario_simulation_new(&r->scenario, settings, &r->simulation, &r->err);
    if (r->status != WALRAS_OK)
        return;
    r->run = scenario_simulation_run(r->simulation);
    r->draw_kw = calloc(r->scenario.n_device * r->run->steps.length + 1, sizeof(double));
    if (!r->draw_kw)
        abort();
}

static void advance(struct run *r)
{
    size_t n = 0, length = r->run->steps.length;

    r->status = scenario_simulation_advance(r->simulation, &r->err);
    if (r->status != WALRAS_OK)
        fprintf(stderr, "%s\n", r->err.msg);
    if (r->run->failed)
        fprintf(stderr, "%s\n", r->run->why);

    const double *committed_kw = scenario_simulation_committed(r->simulation, &n);

    for (size_t d = 0; d < r->scenario.n_device && n > 0; d++)
        memcpy(r->draw_kw + d * length + (r->run->n_done - n), committed_kw + d * n,
               n * sizeof(double));
}

static void finish(struct run *r)
{
    while (r->status == WALRAS_OK && !scenario_simulation_over(r->simulation))
        advance(r);
}

static void run_text(struct run *r, const char *text, unsigned days, unsigned replan)
{
    struct scenario_simulate_settings settings = settings_of(days, replan);

    begin(r, text, &settings);
    finish(r);
    CU_ASSERT_EQUAL(r->status, WALRAS_OK);
}

static void release(struct run *r)
{
    scenario_simulation_free(r->simulation);
    scenario_release(&r->scenario);
    free(r->draw_kw);
}

static double draw_at(const struct run *r, size_t device, size_t step)
{
    return r->draw_kw[device * r->run->steps.length + step];
}

/*
 * Two steps of 12 h a day, at 10 and 100; a load of 2 kW; a battery of 12 kWh and 1 kW, empty.
 * First window: it fills (12 kWh) in the cheap step, which is committed: (2 + 1) kW · 12 h · 10 =
 * 0.36. Second window: dear, then cheap; it has 12 kWh and gives them: (2 − 1) kW · 12 h · 100 =
 * 1.2. Without what it carries over the dear step would cost 2.4.
 */
static void test_a_battery_carries_its_energy_over(void)
{
    struct run r;

    run_text(
        &r,
        MARKET("720", "2", "[10, 100]",
               AGENT("a", LOAD ", {\"id\": \"b\", \"type\": \"battery\", \"capacity_kwh\": 12, "
                               "\"charge_kw\": 1, \"discharge_kw\": 1, \"start_kwh\": 0}")),
        1, 1);
    CU_ASSERT_EQUAL_FATAL(r.run->n_window, 2);
    TESTKIT_CLOSE(draw_at(&r, 1, 0), 1.0, 1e-6);
    TESTKIT_CLOSE(draw_at(&r, 1, 1), -1.0, 1e-6);
    TESTKIT_CLOSE(r.run->windows[0].committed_cost, 0.36, 1e-6);
    TESTKIT_CLOSE(r.run->windows[1].committed_cost, 1.2, 1e-6);
    TESTKIT_CLOSE(r.run->days[0].supply_cost, 1.56, 1e-6);
    TESTKIT_CLOSE(r.run->days[0].import_kwh, 48.0, 1e-6);
    CU_ASSERT_FALSE(r.run->windows[0].warm);
    CU_ASSERT_TRUE(r.run->windows[1].warm);
    release(&r);
}

#define CAR                                                                                        \
    "{\"id\": \"c\", \"type\": \"ev\", \"arrive\": 1, \"depart\": 3, \"energy_kwh\": 6, "          \
    "\"charge_kw\": 1}"

/*
 * Four steps of 6 h at 50, 30, 20, 50; the car is there in steps 1 and 2 and wants 6 kWh, one step
 * at 1 kW. It waits for step 2, which is in the second window: its stay straddles the seam.
 */
static void test_a_stay_goes_on_behind_a_seam(void)
{
    struct run r;

    run_text(&r, MARKET("360", "4", "[50, 30, 20, 50]", AGENT("a", LOAD ", " CAR)), 2, 2);
    for (size_t step = 0; step < 8; step++)
        CU_ASSERT_DOUBLE_EQUAL(draw_at(&r, 1, step), step % 4 == 2 ? 1.0 : 0.0, 1e-6);
    release(&r);
}

/*
 * The window from step 2 on holds the stay's end (step 2, all 6 kWh still owed) and the beginning
 * of the next (step 5, of 5 and 6): half of its time, so half of its energy.
 */
static void test_a_window_holds_two_parts_of_a_stay(void)
{
    struct scenario_simulate_settings settings = settings_of(2, 2);
    struct scenario_trace traces[2] = {{.started = -1}, {.started = -1}};
    struct scenario_window window;
    struct run r;

    begin(&r, MARKET("360", "4", "50", AGENT("a", LOAD ", " CAR)), &settings);
    CU_ASSERT_EQUAL_FATAL(scenario_window_make(&r.scenario, traces, 2, &window, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(window.scenario.n_device, 3);
    CU_ASSERT_EQUAL(window.scenario.agents[0].n_device, 3);
    CU_ASSERT_EQUAL(window.origin[1], 1);
    CU_ASSERT_EQUAL(window.origin[2], 1);

    const struct agent_ev *end = &window.scenario.devices[1].ev;
    const struct agent_ev *next = &window.scenario.devices[2].ev;

    CU_ASSERT_TRUE(end->arrive == 0 && end->depart == 1);
    TESTKIT_CLOSE(end->energy_kwh, 6.0, 1e-12);
    CU_ASSERT_TRUE(next->arrive == 3 && next->depart == 4);
    TESTKIT_CLOSE(next->energy_kwh, 3.0, 1e-12);
    CU_ASSERT_EQUAL(window.scenario.start_utc_s, r.scenario.start_utc_s + 12 * 3600);
    scenario_window_release(&window);

    traces[1].state.stored = 4.5; /* so much is in already: 1.5 kWh are still owed */
    CU_ASSERT_EQUAL_FATAL(scenario_window_make(&r.scenario, traces, 2, &window, NULL), WALRAS_OK);
    TESTKIT_CLOSE(window.scenario.devices[1].ev.start_kwh, 4.5, 1e-12);
    TESTKIT_CLOSE(window.scenario.devices[1].ev.energy_kwh, 1.5, 1e-12);
    scenario_window_release(&window);
    release(&r);
}

/*
 * Four steps of 6 h at 50, 20, 30, 50; 2 kW and then 1 kW, to start in step 0, 1 or 2: 70, 100 or
 * 110 · 6 h. It starts in step 1, the last that is committed, and goes on in the second window.
 * The same on the second day.
 */
static void test_an_appliance_that_has_started_goes_on(void)
{
    struct run r;

    run_text(&r,
             MARKET("360", "4", "[50, 20, 30, 50]",
                    AGENT("a", LOAD ", {\"id\": \"w\", \"type\": \"shiftable\", \"profile_kw\": "
                                    "[2, 1], \"earliest\": 0, \"latest\": 2}")),
             2, 2);
    for (size_t step = 0; step < 8; step++)
        CU_ASSERT_DOUBLE_EQUAL(draw_at(&r, 1, step),
                               step % 4 == 1   ? 2.0
                               : step % 4 == 2 ? 1.0
                                               : 0.0,
                               1e-6);
    release(&r);
}

/* From step 3 of 4 on, not yet started, it may only start where it ends within the window. */
static void test_an_appliance_keeps_what_is_left_of_its_window(void)
{
    struct scenario_simulate_settings settings = settings_of(2, 1);
    struct scenario_trace trace = {.started = -1};
    struct scenario_window window;
    struct run r;

    begin(&r,
          MARKET("360", "4", "50",
                 AGENT("a", "{\"id\": \"w\", \"type\": \"shiftable\", \"profile_kw\": [2, 1], "
                            "\"earliest\": 0, \"latest\": 2}")),
          &settings);
    CU_ASSERT_EQUAL_FATAL(scenario_window_make(&r.scenario, &trace, 1, &window, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(window.scenario.n_device, 1); /* tomorrow's does not fit yet */
    CU_ASSERT_EQUAL(window.scenario.devices[0].shiftable.earliest, 0);
    CU_ASSERT_EQUAL(window.scenario.devices[0].shiftable.latest, 1);
    scenario_window_release(&window);
    trace.started = 0; /* runs in steps 0 and 1 */
    CU_ASSERT_EQUAL_FATAL(scenario_window_make(&r.scenario, &trace, 1, &window, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(window.scenario.n_device, 1);
    CU_ASSERT_EQUAL(window.scenario.devices[0].shiftable.n_profile, 1);
    CU_ASSERT_EQUAL(window.scenario.devices[0].shiftable.profile_kw[0], 1.0);
    scenario_window_release(&window);
    CU_ASSERT_EQUAL_FATAL(scenario_window_make(&r.scenario, &trace, 3, &window, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(window.scenario.n_device, 1); /* tomorrow's: steps 4 or 5, so 1 here */
    CU_ASSERT_EQUAL(window.scenario.devices[0].shiftable.earliest, 1);
    CU_ASSERT_EQUAL(window.scenario.devices[0].shiftable.latest, 2);
    scenario_window_release(&window);
    release(&r);
}

/* A generator of 1 kW per hour more or less, under a price that calls for all or nothing. */
static void test_a_ramp_limit_holds_across_seams(void)
{
    struct agent_horizon whole;
    struct agent_verdict verdict;
    struct run r;

    run_text(
        &r,
        MARKET("180", "8", "[90, 90, 10, 10, 90, 10, 90, 90]",
               AGENT("a", LOAD ", " BIG "{\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 8, "
                               "\"cost\": {\"per_mwh\": 50}, \"ramp_kw_per_h\": 1}")),
        2, 1);
    whole = (struct agent_horizon){.n_step = r.run->steps.length, .step_h = 3.0};
    CU_ASSERT_EQUAL(agent_audit(&r.scenario.devices[2], &whole, r.draw_kw + 2 * r.run->steps.length,
                                &verdict, NULL),
                    WALRAS_OK);
    CU_ASSERT_TRUE(verdict.breach < 1e-6);
    TESTKIT_CLOSE(verdict.cost, r.run->days[0].device_cost + r.run->days[1].device_cost, 1e-9);
    release(&r);
}

/* Steps of 3 h; it must stay on for 4 steps and off for 3, and pays for its starts. */
static void test_commitment_holds_across_seams(void)
{
    struct agent_horizon whole;
    struct agent_verdict verdict;
    struct run r;

    run_text(
        &r,
        MARKET("180", "8", "[90, 20, 20, 95, 10, 10, 90, 90]",
               AGENT("a", LOAD ", " BIG "{\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 8, "
                               "\"min_kw\": 2, \"cost\": {\"per_mwh\": 50}, "
                               "\"min_up_steps\": 4, \"min_down_steps\": 3, "
                               "\"ramp_kw_per_h\": 2, \"start_cost\": 0.1}")),
        2, 1);
    whole = (struct agent_horizon){.n_step = r.run->steps.length, .step_h = 3.0};
    CU_ASSERT_EQUAL(agent_audit(&r.scenario.devices[2], &whole, r.draw_kw + 2 * r.run->steps.length,
                                &verdict, NULL),
                    WALRAS_OK);
    CU_ASSERT_TRUE(verdict.breach < 1e-6);
    CU_ASSERT_TRUE(verdict.cost > 0.0);
    TESTKIT_CLOSE(verdict.cost, r.run->days[0].device_cost + r.run->days[1].device_cost, 1e-9);
    release(&r);
}

/* What a generator has come to is where its next window begins; before the first it is free. */
static void test_a_generator_follows_on(void)
{
    struct scenario_simulate_settings settings = settings_of(1, 1);
    struct scenario_trace traces[2] = {{.started = -1}, {.started = -1}};
    struct scenario_window window;
    struct run r;

    begin(&r,
          MARKET("180", "8", "50",
                 AGENT("a", LOAD ", {\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 8, "
                                 "\"cost\": {\"per_mwh\": 50}, \"min_up_steps\": 4}")),
          &settings);
    traces[1].state = agent_state_first(&r.scenario.devices[1]);
    CU_ASSERT_EQUAL_FATAL(scenario_window_make(&r.scenario, traces, 0, &window, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(window.scenario.devices[1].generator.follows);
    scenario_window_release(&window);
    traces[1].state =
        (struct agent_state){.output_kw = 5.0, .on = true, .follows = true, .hold_steps = 2};
    CU_ASSERT_EQUAL_FATAL(scenario_window_make(&r.scenario, traces, 1, &window, NULL), WALRAS_OK);

    const struct agent_generator *generator = &window.scenario.devices[1].generator;

    CU_ASSERT_TRUE(generator->follows && generator->on_at_start);
    CU_ASSERT_EQUAL(generator->before_kw, 5.0);
    CU_ASSERT_EQUAL(generator->hold_steps, 2);
    scenario_window_release(&window);
    release(&r);
}

/* Every kind of a fleet behind a line that is full in the evening; hours, a day's horizon. */
static const char fleet_market[] =
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-01-20T00:00:00+01:00\", \"step_minutes\": 60, "
    "\"steps\": 24}, \"grid\": {\"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": \"n\"}], "
    "\"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"n\", \"x_pu\": 0.01, \"limit_kw\": "
    "45}], "
    "\"line_overload_price_per_mwh\": 900}, \"supply\": [{\"id\": \"day-ahead\", \"bus\": \"s\", "
    "\"price_per_mwh\": [60, 55, 50, 48, 50, 60, 80, 110, 120, 100, 90, 85, 80, 78, 80, 90, 110, "
    "140, 170, 180, 150, 120, 95, 75], \"export_price_per_mwh\": 20, \"export_limit_kw\": 50}], "
    "\"fleets\": [{\"id\": \"f\", \"count\": 60, \"seed\": 3, \"buses\": [\"n\"], \"mix\": {"
    "\"load\": 0.35, \"pv\": 0.1, \"battery\": 0.15, \"ev\": 0.12, \"v2g\": 0.08, \"thermal\": "
    "0.1, "
    "\"shiftable\": 0.1}}]}";

/* What repeats with the horizon is judged horizon by horizon, everything else as one stretch. */
static double audit_whole(const struct run *r, size_t d, double *breach)
{
    const struct agent_device *device = &r->scenario.devices[d];
    bool repeats = device->type == AGENT_EV || device->type == AGENT_SHIFTABLE;
    size_t length = r->run->steps.length;
    struct agent_horizon horizon = r->scenario.horizon;
    struct agent_device judged = *device;
    double cost = 0.0;

    if (!repeats)
        horizon.n_step = length;
    if (judged.type == AGENT_BATTERY) /* each plan keeps it for its own end */
        judged.battery.end_min_kwh = 0.0;
    for (size_t t = 0; t + horizon.n_step <= length; t += horizon.n_step) {
        struct agent_verdict verdict = {0};

        CU_ASSERT_EQUAL(agent_audit(&judged, &horizon, r->draw_kw + d * length + t, &verdict, NULL),
                        WALRAS_OK);
        if (verdict.breach > 1e-6)
            fprintf(stderr, "device %zu (%s): %s by %g in step %zu\n", d,
                    agent_device_type_name(device->type), verdict.what, verdict.breach,
                    t + verdict.step);
        *breach = fmax(*breach, verdict.breach);
        cost += verdict.cost;
    }
    return cost;
}

/*
 * The independent certificate of a run: all that was committed, put together, is something that
 * every device can do from its first state on, and costs what the days add up to.
 */
static void test_a_run_is_one_thing_that_all_devices_can_do(void)
{
    static const unsigned replans[] = {1, 5, 24};

    for (size_t i = 0; i < sizeof(replans) / sizeof(replans[0]); i++) {
        double cost = 0.0, billed = 0.0, committed = 0.0, supply = 0.0, breach = 0.0;
        struct run r;

        run_text(&r, fleet_market, 2, replans[i]);
        CU_ASSERT_EQUAL(r.run->n_done, 48);
        for (size_t d = 0; d < r.scenario.n_device; d++)
            cost += audit_whole(&r, d, &breach);
        for (size_t day = 0; day < 2; day++) {
            billed += r.run->days[day].device_cost;
            supply += r.run->days[day].supply_cost + r.run->days[day].breach_cost;
        }
        for (size_t w = 0; w < r.run->n_window; w++) {
            CU_ASSERT_TRUE(r.run->windows[w].clean);
            committed += r.run->windows[w].committed_cost;
        }
        CU_ASSERT_TRUE(breach <= 1e-6);
        TESTKIT_CLOSE(cost, billed, 1e-9);
        TESTKIT_CLOSE(committed, billed + supply, 1e-9);
        for (size_t t = 0; t < 48; t++) { /* balance, from what was committed alone */
            double net_kw = r.run->import_kw[t] - r.run->export_kw[t];

            for (size_t d = 0; d < r.scenario.n_device; d++)
                net_kw -= draw_at(&r, d, t);
            CU_ASSERT_DOUBLE_EQUAL(net_kw, 0.0, 1e-6);
        }
        release(&r);
    }
}

static bool same(const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* The first window of a run is the market that `walras clear` clears, to the last bit. */
static void test_the_first_window_is_the_market_itself(void)
{
    struct scenario_settings reading = scenario_settings_defaults();
    struct scenario_simulate_settings settings = settings_of(1, 24);
    struct scenario alone;
    struct scenario_clearing *clearing = NULL;
    struct run r;

    begin(&r, fleet_market, &settings);
    finish(&r);
    CU_ASSERT_EQUAL_FATAL(
        scenario_parse("test", fleet_market, strlen(fleet_market), &reading, &alone, NULL),
        WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(scenario_clear(&alone, &settings.clear, &clearing, NULL), WALRAS_OK);

    const struct scenario_result *result = scenario_clearing_result(clearing);

    CU_ASSERT_EQUAL_FATAL(r.run->n_window, 1);
    CU_ASSERT_EQUAL(r.run->windows[0].n_rounds, result->market->n_rounds);
    CU_ASSERT_TRUE(same(r.run->price_per_mwh, result->market->price_per_mwh, 2 * 24));
    CU_ASSERT_TRUE(same(r.run->import_kw, result->import_kw, 24));
    for (size_t d = 0; d < alone.n_device; d++) {
        for (size_t t = 0; t < 24; t++)
            CU_ASSERT_EQUAL(draw_at(&r, d, t), result->awards->draw_kw[d * 24 + t]);
    }
    TESTKIT_CLOSE(r.run->windows[0].committed_cost, result->market->objective, 1e-9);
    scenario_clearing_free(clearing);
    scenario_release(&alone);
    release(&r);
}

/* Replaces the first `from` behind `after` by `to`; the caller frees. */
static char *changed(const char *text, const char *after, const char *from, const char *to)
{
    const char *at = strstr(text, after);
    size_t size = strlen(text) + strlen(to) + 1;
    char *made = malloc(size);

    at = at ? strstr(at, from) : NULL;
    if (!at || !made)
        abort();
    snprintf(made, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return made;
}

static double mean_rounds(const char *text, bool cold)
{
    struct scenario_simulate_settings settings = settings_of(1, 2);
    double rounds = 0.0;
    struct run r;

    settings.cold = cold;
    begin(&r, text, &settings);
    finish(&r);
    for (size_t w = 1; w < r.run->n_window; w++) {
        CU_ASSERT_EQUAL(r.run->windows[w].outcome, MARKET_CONVERGED);
        rounds += r.run->windows[w].n_rounds;
    }
    rounds /= (double)(r.run->n_window - 1);
    release(&r);
    return rounds;
}

/* A twelfth of each window is new. Other markets, also less obliging ones: docs/simulation.md. */
static void test_warm_clearings_need_a_third_of_the_rounds(void)
{
    char *more = changed(fleet_market, "limit_kw", "45", "225");
    char *text = changed(more, "count", "60", "300");
    double cold = mean_rounds(text, true), warm = mean_rounds(text, false);

    fprintf(stderr, "rounds: cold %.2f, warm %.2f\n", cold, warm);
    CU_ASSERT_TRUE(3.0 * warm <= cold);
    free(text);
    free(more);
}

/* ---- the state on disk ---- */

static char *slurp(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(1 << 22);

    if (!file || !text)
        abort();
    *size = fread(text, 1, (1 << 22) - 1, file);
    text[*size] = '\0';
    fclose(file);
    return text;
}

static void same_windows(const struct scenario_run *a, const struct scenario_run *b)
{
    CU_ASSERT_EQUAL_FATAL(a->n_window, b->n_window);
    for (size_t w = 0; w < a->n_window; w++) {
        struct scenario_run_window x = a->windows[w], y = b->windows[w];

        CU_ASSERT_TRUE(x.first_step == y.first_step && x.n_committed == y.n_committed);
        CU_ASSERT_TRUE(x.n_rounds == y.n_rounds && x.n_responses == y.n_responses);
        CU_ASSERT_TRUE(x.objective == y.objective && x.bound == y.bound);
        CU_ASSERT_TRUE(x.committed_cost == y.committed_cost && x.warm == y.warm);
    }
}

/* Interrupted after every window and taken up by a new simulation: the same to the last bit. */
static void test_a_resumed_run_is_the_uninterrupted_one(void)
{
    struct scenario_simulate_settings settings = settings_of(1, 5);
    char path[] = "/tmp/walras-run-XXXXXX";
    int handle = mkstemp(path);
    struct run whole, part;

    CU_ASSERT_TRUE_FATAL(handle >= 0);
    close(handle);
    begin(&whole, fleet_market, &settings);
    finish(&whole);
    begin(&part, fleet_market, &settings);
    while (!scenario_simulation_over(part.simulation)) {
        struct scenario_simulation *next = NULL;

        advance(&part);
        CU_ASSERT_EQUAL_FATAL(scenario_simulation_save(part.simulation, path, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL_FATAL(scenario_simulation_new(&part.scenario, &settings, &next, NULL),
                              WALRAS_OK);
        CU_ASSERT_EQUAL(scenario_simulation_load(next, path, &part.err), WALRAS_OK);
        scenario_simulation_free(part.simulation);
        part.simulation = next;
        part.run = scenario_simulation_run(next);
    }
    same_windows(whole.run, part.run);
    CU_ASSERT_TRUE(same(whole.run->price_per_mwh, part.run->price_per_mwh, 2 * 24));
    CU_ASSERT_TRUE(same(whole.run->kind_kw, part.run->kind_kw, SCENARIO_N_KIND * 24));
    CU_ASSERT_EQUAL(whole.run->days[0].device_cost, part.run->days[0].device_cost);
    CU_ASSERT_EQUAL(whole.run->days[0].supply_cost, part.run->days[0].supply_cost);
    CU_ASSERT_EQUAL(whole.run->days[0].import_kwh, part.run->days[0].import_kwh);
    CU_ASSERT_TRUE(same(whole.draw_kw, part.draw_kw, whole.scenario.n_device * 24));
    release(&whole);
    release(&part);
    unlink(path);
}

static const struct {
    const char *after, *from, *to, *said;
} wrong_states[] = {
    {"walras_run", "1", "2", "/walras_run"},
    {"walras_run", "1", "\"1\"", "/walras_run"},
    {"\"market\"", ": \"", ": \"0", "has changed"},
    {"\"settings\"", "replan 2", "replan 3", "the options differ"},
    {"\"steps_done\"", "2", "4", "/steps_done"},
    {"\"windows\"", "[0,", "[1,", "/windows/0"},
    {"\"windows\"", "[0, 2,", "[0, 3,", "/windows/0"},
    {"\"windows\"", "[", "[7, ", "/windows/0"},
    {"\"days\"", "[", "[[1, 2], ", "/days"},
    {"\"price_per_mwh\"", "[", "[[1], ", "/price_per_mwh"},
    {"\"import_kw\"", "[", "[1e999, ", "1e999"},
    {"\"devices\"", "[", "[[], ", "/devices"},
    {"\"devices\"", "-1]", "2]", "/devices/"},
    {"\"devices\"", "-1]", "-2]", "/devices/"},
    {"\"devices\"", "-1]", "0.5]", "/devices/"},
    {"\"energy_price_per_mwh\"", "[", "[3, ", "/warm/energy_price_per_mwh"},
    {"\"points\"", "[", "[[1], ", "/warm/points"},
    {"\"kind_kw\"", "\"kind_kw\"", "\"kind\"", "/kind"},
    {"\"warm\"", "}", "", "state"},
};

static void test_wrong_states_are_refused_and_change_nothing(void)
{
    struct scenario_simulate_settings settings = settings_of(1, 2);
    char path[] = "/tmp/walras-run-XXXXXX", *text = NULL;
    int handle = mkstemp(path);
    size_t size = 0;
    struct run r, fresh;

    CU_ASSERT_TRUE_FATAL(handle >= 0);
    close(handle);
    begin(&r, fleet_market, &settings);
    advance(&r);
    CU_ASSERT_EQUAL_FATAL(scenario_simulation_save(r.simulation, path, NULL), WALRAS_OK);
    text = slurp(path, &size);
    begin(&fresh, fleet_market, &settings);
    for (size_t i = 0; i < sizeof(wrong_states) / sizeof(wrong_states[0]); i++) {
        struct walras_err err = {0};
        char *wrong =
            changed(text, wrong_states[i].after, wrong_states[i].from, wrong_states[i].to);
        enum walras_status status =
            scenario_simulation_parse(fresh.simulation, "state", wrong, strlen(wrong), &err);

        CU_ASSERT_TRUE(status == WALRAS_INVALID || status == WALRAS_UNSUPPORTED);
        if (!strstr(err.msg, wrong_states[i].said) || status == WALRAS_OK)
            fprintf(stderr, "case %zu: %s\n", i, err.msg);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, wrong_states[i].said));
        CU_ASSERT_EQUAL(fresh.run->n_done, 0);
        free(wrong);
    }
    for (size_t cut = 0; cut + 2 < size; cut += 1 + size / 97) /* cut short anywhere */
        CU_ASSERT_NOT_EQUAL(scenario_simulation_parse(fresh.simulation, "state", text, cut, NULL),
                            WALRAS_OK);
    CU_ASSERT_EQUAL(scenario_simulation_parse(fresh.simulation, "state", text, size, NULL),
                    WALRAS_OK);
    CU_ASSERT_EQUAL(fresh.run->n_done, 2);
    free(text);
    unlink(path);
    release(&r);
    release(&fresh);
}

static void test_what_the_fuzzer_found_is_taken_up_or_refused(void)
{
    static const char folder[] = WALRAS_SOURCE_DIR "/tests/fuzz/corpus/run_state";
    DIR *directory = opendir(folder);
    size_t n = 0, n_taken_up = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    for (const struct dirent *entry; (entry = readdir(directory));) {
        char path[1000], *text = NULL;
        size_t size = 0;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        text = slurp(path, &size);
        n_taken_up += run_state_try(text, size) == WALRAS_OK;
        n++;
        free(text);
    }
    closedir(directory);
    CU_ASSERT_TRUE(n >= 5);
    CU_ASSERT_TRUE(n_taken_up >= 1); /* else the corpus is of another market */
}

/* Stopping within a window commits nothing of it. */
static bool stop_at_once(void *context, const struct market_round *round)
{
    (void)context;
    (void)round;
    return false;
}

static void test_a_stopped_window_commits_nothing(void)
{
    struct scenario_simulate_settings settings = settings_of(1, 2);
    struct run r;

    settings.clear.market.progress = stop_at_once;
    begin(&r, fleet_market, &settings);
    advance(&r);
    CU_ASSERT_TRUE(r.run->stopped);
    CU_ASSERT_FALSE(r.run->failed);
    CU_ASSERT_EQUAL(r.run->n_done, 0);
    CU_ASSERT_EQUAL(r.run->n_window, 0);
    CU_ASSERT_STRING_EQUAL(scenario_run_status(r.run), "stopped");
    release(&r);
}

/* A load of 2 kW that grows to 20 on the second day, behind 10 kW of import. */
static void test_a_window_that_cannot_be_cleared_ends_the_run(void)
{
    struct run r;

    run_text(&r,
             "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": "
             "720, \"steps\": 2}, \"grid\": {\"copperplate\": true}, \"supply\": [{\"id\": \"s\", "
             "\"bus\": \"1\", \"price_per_mwh\": 50, \"import_limit_kw\": 10}], \"agents\": "
             "[{\"id\": \"a\", \"bus\": \"1\", \"devices\": [{\"id\": \"t\", \"type\": "
             "\"thermal\", \"mode\": \"heat\", \"max_kw\": 1, \"cop\": 1, \"capacity_kwh_per_k\": "
             "1, \"conductance_kw_per_k\": 0.1, \"start_c\": 20, \"min_c\": 19, \"max_c\": 30, "
             "\"outdoor_c\": -60}]}]}",
             1, 1);
    CU_ASSERT_TRUE(r.run->failed);
    CU_ASSERT_EQUAL(r.run->n_done, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.run->why, "the window from step 0"));
    CU_ASSERT_PTR_NOT_NULL(strstr(r.run->why, "device t"));
    CU_ASSERT_STRING_EQUAL(scenario_run_status(r.run), "infeasible");
    release(&r);
}

static const struct {
    const char *text;
    unsigned days, replan;
    const char *said;
} refused[] = {
    {MARKET("60", "12", "50", AGENT("a", LOAD ", " CAR)), 1, 1, "cars come again"},
    {MARKET("60", "3", "[1, 2, 3]", AGENT("a", LOAD)), 1, 1, "arrays and fleets repeat"},
    {MARKET("7", "2", "50", AGENT("a", LOAD)), 1, 1, "must divide 1440"},
    {MARKET("60", "24", "50", AGENT("a", LOAD)), 1, 25, "every 25 steps"},
    {MARKET("60", "24", "50", AGENT("a", LOAD)), 6000, 1, "more than"},
};

static void test_what_cannot_be_run_is_refused_before_it_begins(void)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct scenario_simulate_settings settings =
            settings_of(refused[i].days, refused[i].replan);
        struct run r;

        begin(&r, refused[i].text, &settings);
        CU_ASSERT_EQUAL(r.status, WALRAS_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(r.err.msg, refused[i].said));
        if (!strstr(r.err.msg, refused[i].said))
            fprintf(stderr, "%s\n", r.err.msg);
        release(&r);
    }
}

/* Constants alone do not repeat, so any horizon does: 36 hours here. */
static void test_a_horizon_of_a_day_and_a_half_is_fine_when_nothing_repeats(void)
{
    struct run r;

    run_text(&r, MARKET("720", "3", "50", AGENT("a", LOAD)), 2, 1);
    CU_ASSERT_EQUAL(r.run->n_window, 4);
    TESTKIT_CLOSE(r.run->days[1].supply_cost, 2.4, 1e-6);
    release(&r);
}

static const struct testkit_test tests[] = {
    {"a battery carries its energy over", test_a_battery_carries_its_energy_over},
    {"a stay goes on behind a seam", test_a_stay_goes_on_behind_a_seam},
    {"a window holds two parts of a stay", test_a_window_holds_two_parts_of_a_stay},
    {"an appliance that has started goes on", test_an_appliance_that_has_started_goes_on},
    {"an appliance keeps what is left of its window",
     test_an_appliance_keeps_what_is_left_of_its_window},
    {"a ramp limit holds across seams", test_a_ramp_limit_holds_across_seams},
    {"commitment holds across seams", test_commitment_holds_across_seams},
    {"a generator follows on", test_a_generator_follows_on},
    {"a run is one thing that all devices can do", test_a_run_is_one_thing_that_all_devices_can_do},
    {"the first window is the market itself", test_the_first_window_is_the_market_itself},
    {"warm clearings need a third of the rounds", test_warm_clearings_need_a_third_of_the_rounds},
    {"a resumed run is the uninterrupted one", test_a_resumed_run_is_the_uninterrupted_one},
    {"wrong states are refused and change nothing",
     test_wrong_states_are_refused_and_change_nothing},
    {"what the fuzzer found is taken up or refused",
     test_what_the_fuzzer_found_is_taken_up_or_refused},
    {"a stopped window commits nothing", test_a_stopped_window_commits_nothing},
    {"a window that cannot be cleared ends the run",
     test_a_window_that_cannot_be_cleared_ends_the_run},
    {"what cannot be run is refused before it begins",
     test_what_cannot_be_run_is_refused_before_it_begins},
    {"a horizon of a day and a half is fine when nothing repeats",
     test_a_horizon_of_a_day_and_a_half_is_fine_when_nothing_repeats},
};
TESTKIT_MAIN("simulate", tests)
