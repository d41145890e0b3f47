#include "scenario/powerflow.h"

#include "core/file.h"
#include "core/json.h"
#include "scenario/powerflow_internal.h"
#include "scenario/read_internal.h"

#include <stdlib.h>

struct scenario_powerflow_settings scenario_powerflow_settings_defaults(void)
{
    return (struct scenario_powerflow_settings){.step = SCENARIO_ANY_STEP};
}

void scenario_powerflow_release(struct scenario_powerflow *run)
{
    if (!run)
        return;
    grid_powerflow_free(run->flow);
    if (run->of == SCENARIO_POWERFLOW_CASE)
        grid_case_release(&run->from);
    else
        scenario_release(&run->scenario);
    free(run->injection_kw);
    free(run->injection_kvar);
    free(run->hold_v_pu);
    free(run->loss_factor_kw);
    free(run->loss_factor_kvar);
    *run = (struct scenario_powerflow){0};
}

static enum walras_status read_scenario(const char *path, const char *text, size_t size,
                                        const struct scenario_powerflow_settings *settings,
                                        struct scenario_powerflow *run, struct walras_err *err)
{
    struct scenario_settings read = scenario_settings_defaults();
    char *directory = walras_path_directory(path);
    enum walras_status status = WALRAS_OK;

    run->of = settings->result ? SCENARIO_POWERFLOW_PLAN : SCENARIO_POWERFLOW_FIXED;
    run->step = settings->step;
    if (!directory)
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory to read the scenario", path);
    read.directory = directory;
    status = scenario_parse(path, text, size, &read, &run->scenario, err);
    free(directory);
    if (status == WALRAS_OK && settings->step != SCENARIO_ANY_STEP &&
        settings->step >= run->scenario.horizon.n_step)
        return walras_fail(err, WALRAS_INVALID,
                           "%s: there is no step %zu: steps are numbered 0 to %zu", path,
                           settings->step, run->scenario.horizon.n_step - 1);
    return status;
}

static enum walras_status read_any(const char *path,
                                   const struct scenario_powerflow_settings *settings,
                                   struct scenario_powerflow *run, struct walras_err *err)
{
    char *text = NULL;
    size_t size = 0;
    enum walras_status status = walras_file_read(path, WALRAS_JSON_MAX_FILE, &text, &size, err);

    if (status != WALRAS_OK)
        return status;
    if (!scenario_looks_like_case(path, text, size))
        status = read_scenario(path, text, size, settings, run, err);
    else if (settings->result || settings->step != SCENARIO_ANY_STEP)
        status = walras_fail(err, WALRAS_INVALID,
                             "%s: a MATPOWER case is one state: it has no steps and no results to "
                             "choose from",
                             path);
    else
        status = grid_case_parse(path, text, size, &run->from, err);
    free(text);
    return status;
}

static enum walras_status take_powers(const char *path,
                                      const struct scenario_powerflow_settings *settings,
                                      struct scenario_powerflow *run, struct walras_err *err)
{
    size_t n_bus = scenario_powerflow_network(run)->n_bus;
    struct powerflow_plan plan = {0};
    enum walras_status status = WALRAS_OK;

    run->injection_kw = calloc(n_bus, sizeof(double));
    run->injection_kvar = calloc(n_bus, sizeof(double));
    run->hold_v_pu = calloc(n_bus, sizeof(double));
    run->loss_factor_kw = calloc(n_bus, sizeof(double));
    run->loss_factor_kvar = calloc(n_bus, sizeof(double));
    if (!run->injection_kw || !run->injection_kvar || !run->hold_v_pu || !run->loss_factor_kw ||
        !run->loss_factor_kvar)
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory for %zu buses", path, n_bus);
    if (run->of == SCENARIO_POWERFLOW_CASE) {
        status = grid_case_power(&run->from, run->injection_kw, run->injection_kvar, run->hold_v_pu,
                                 err);
        if (status != WALRAS_OK)
            walras_err_prefix(err, "%s", path);
        return status;
    }
    if (settings->result)
        status = powerflow_plan_read(&run->scenario, settings->result, &plan, err);
    if (status == WALRAS_OK)
        powerflow_take_draws(run, settings->result ? &plan : NULL);
    powerflow_plan_release(&plan);
    return status;
}

static enum walras_status solve(const char *path, struct scenario_powerflow *run,
                                struct walras_err *err)
{
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    struct grid_powerflow_input input = {.injection_kw = run->injection_kw,
                                         .injection_kvar = run->injection_kvar,
                                         .hold_v_pu = run->hold_v_pu};
    enum walras_status status =
        grid_powerflow_new(scenario_powerflow_network(run), &settings, &run->flow, err);

    if (status == WALRAS_OK)
        status = grid_powerflow_solve(run->flow, &input, &run->solution, err);
    if (status == WALRAS_OK && run->solution.outcome == GRID_POWERFLOW_SOLVED)
        status =
            grid_powerflow_loss_factors(run->flow, run->loss_factor_kw, run->loss_factor_kvar, err);
    if (status != WALRAS_OK)
        walras_err_prefix(err, "%s", path);
    return status;
}

enum walras_status scenario_powerflow_run(const char *path,
                                          const struct scenario_powerflow_settings *settings,
                                          struct scenario_powerflow *out, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    *out = (struct scenario_powerflow){.of = SCENARIO_POWERFLOW_CASE};
    status = read_any(path, settings, out, err);
    if (status == WALRAS_OK)
        status = take_powers(path, settings, out, err);
    if (status == WALRAS_OK)
        status = solve(path, out, err);
    if (status != WALRAS_OK)
        scenario_powerflow_release(out);
    return status;
}
