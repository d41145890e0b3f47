#include "cli/cli.h"
#include "scenario/powerflow.h"

#include <stdlib.h>
#include <string.h>

enum { NO_STEP = SCENARIO_MAX_STEPS }; /* one more than there can be */

static int report(const struct scenario_powerflow *run, bool json, unsigned n_row,
                  struct walras_err *err)
{
    char why[SCENARIO_POWERFLOW_WHY];

    if (run->solution.outcome == GRID_POWERFLOW_NONE) {
        scenario_powerflow_why(run, why);
        fprintf(stderr, "walras: %s\n", why);
        return CLI_INFEASIBLE;
    }
    if (json)
        scenario_powerflow_print_json(run, stdout);
    else if (scenario_powerflow_print(run, n_row, stdout, err) != WALRAS_OK)
        return cli_fail(err);
    return EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
    const char *path = NULL;
    struct scenario_powerflow_settings settings = scenario_powerflow_settings_defaults();
    struct scenario_powerflow flow;
    struct walras_err err = {0};
    bool json = false;
    unsigned step = NO_STEP, n_row = 10;
    const struct cli_option options[] = {
        {"json", CLI_FLAG, &json, 0, 0},
        {"step", CLI_WHOLE, &step, 0, SCENARIO_MAX_STEPS - 1},
        {"result", CLI_TEXT, &settings.result, 0, 0},
        {"rows", CLI_WHOLE, &n_row, 0, 1e9},
    };
    int ends = cli_parse(&cli_powerflow, argc, argv, options, sizeof(options) / sizeof(options[0]),
                         &path, 1);

    if (ends >= 0)
        return ends;
    if (step != NO_STEP)
        settings.step = step;
    if (scenario_powerflow_run(path, &settings, &flow, &err) != WALRAS_OK)
        return cli_fail(&err);
    ends = report(&flow, json, n_row, &err);
    scenario_powerflow_release(&flow);
    return ends;
}

const struct cli_command cli_powerflow = {
    .name = "powerflow",
    .summary = "finds voltages, flows and losses of the alternating current",
    .help =
        "usage: walras powerflow FILE [OPTION...]\n\n"
        "Solves the AC power flow (Newton-Raphson): the voltages at which given powers balance at\n"
        "every bus, what flows over the lines, and what is lost in them. Of a MATPOWER case: its\n"
        "loads, and its generators at their PG, QG and VG; limits of reactive power are not\n"
        "enforced, but what exceeds them is told. Of a scenario: one step of the draws that are\n"
        "fixed (loads in full, pv that cannot be curtailed; all other devices draw nothing), or "
        "of\n"
        "a plan; the slack bus gives the rest.\n\n"
        "  --step N      of a scenario (default: the step in which devices draw most)\n"
        "  --result DIR  the plan that walras clear --out DIR wrote, instead of fixed draws\n"
        "  --rows N      buses and lines to list (10), the worst first\n"
        "  --json        print all buses and lines as JSON (docs/grid.md) instead\n\n"
        "Exit status: 0 solved, 4 there is no solution (voltages collapse; how far it is to there\n"
        "is told), 2 wrong input or usage, 1 a file could not be read.\n",
    .run = run,
};
