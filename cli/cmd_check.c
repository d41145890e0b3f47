#include "cli/cli.h"
#include "scenario/check.h"

#include <stdlib.h>

static int run(int argc, char **argv)
{
    const char *path = NULL;
    struct scenario scenario;
    struct scenario_summary summary;
    struct walras_err err = {0};
    int ends = cli_parse(&cli_check, argc, argv, NULL, 0, &path, 1);

    if (ends >= 0)
        return ends;
    if (scenario_read(path, &scenario, &err) != WALRAS_OK)
        return cli_fail(&err);
    if (scenario_summarise(&scenario, &summary, &err) == WALRAS_OK)
        scenario_summary_print(&summary, stdout);
    scenario_release(&scenario);
    return err.code == WALRAS_OK ? EXIT_SUCCESS : cli_fail(&err);
}

const struct cli_command cli_check = {
    .name = "check",
    .summary = "reads a market and says what it is",
    .help =
        "usage: walras check FILE\n\n"
        "Reads the scenario or MATPOWER case FILE and the series and cases it names, and\n"
        "describes the market: horizon, grid, supply, devices, how much power is fixed and\n"
        "how much is flexible, and what looks like a mistake (warnings). Nothing is cleared.\n\n"
        "Exit status: 0 it is well formed (only clear finds out whether it clears), 2 it is\n"
        "wrong (the message names file, place and what was expected), 1 a file cannot be read.\n",
    .run = run,
};
