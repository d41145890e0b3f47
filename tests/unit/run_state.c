/*
 * What is taken up can be gone on with; what is refused leaves a run that has done nothing.
 */
#include "run_state.h"

#include "scenario/simulate.h"

#include <stdlib.h>
#include <string.h>

/* Two steps a day; a car, an appliance, a battery and a generator, a line that may be full. */
static const char market[] =
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": 720, "
    "\"steps\": 2}, \"grid\": {\"slack\": \"s\", \"buses\": [{\"id\": \"s\"}, {\"id\": \"n\"}], "
    "\"lines\": [{\"id\": \"l\", \"from\": \"s\", \"to\": \"n\", \"x_pu\": 0.01, \"limit_kw\": "
    "4}]}, "
    "\"supply\": [{\"id\": \"x\", \"bus\": \"s\", \"price_per_mwh\": [10, 100]}], \"agents\": "
    "[{\"id\": "
    "\"a\", \"bus\": \"n\", \"devices\": [{\"id\": \"l\", \"type\": \"load\", \"draw_kw\": 3, "
    "\"shed_price_per_mwh\": 900}, {\"id\": \"b\", \"type\": \"battery\", \"capacity_kwh\": 12, "
    "\"charge_kw\": 1, \"discharge_kw\": 1, \"start_kwh\": 0}, {\"id\": \"c\", \"type\": \"ev\", "
    "\"arrive\": 0, \"depart\": 2, \"energy_kwh\": 6, \"charge_kw\": 1, "
    "\"unserved_price_per_mwh\": 500}, {\"id\": \"w\", \"type\": \"shiftable\", \"profile_kw\": "
    "[1], "
    "\"earliest\": 0, \"latest\": 1}, {\"id\": \"g\", \"type\": \"generator\", \"max_kw\": 2, "
    "\"cost\": {\"per_mwh\": 50}, \"ramp_kw_per_h\": 0.1}]}]}";

static struct scenario_simulation *simulation(const struct scenario *scenario)
{
    struct scenario_simulate_settings settings = scenario_simulate_settings_defaults();
    struct scenario_simulation *made = NULL;

    settings.read.run_days = 2;
    settings.read.replan_steps = 1;
    settings.n_warm_point = 10; /* what the corpus was made with */
    if (scenario_simulation_new(scenario, &settings, &made, NULL) != WALRAS_OK)
        abort();
    return made;
}

enum walras_status run_state_try(const char *text, size_t size)
{
    struct scenario_settings reading = scenario_settings_defaults();
    struct scenario_simulation *run = NULL;
    struct scenario scenario;
    struct walras_err err = {0};
    enum walras_status status;

    reading.run_days = 2;
    reading.replan_steps = 1;
    if (scenario_parse("fuzz", market, strlen(market), &reading, &scenario, NULL) != WALRAS_OK)
        abort();
    run = simulation(&scenario);
    status = scenario_simulation_parse(run, "fuzz", text, size, &err);
    if (status != err.code || (status != WALRAS_OK && err.msg[0] == '\0'))
        abort(); /* a failure without a message */
    if (status != WALRAS_OK && scenario_simulation_run(run)->n_done != 0)
        abort(); /* taken up in part */
    if (status == WALRAS_OK && !scenario_simulation_over(run)) {
        if (scenario_simulation_advance(run, &err) == WALRAS_INTERNAL)
            abort(); /* whatever it holds, going on from it may fail but not break */
    }
    scenario_simulation_free(run);
    scenario_release(&scenario);
    return status;
}
