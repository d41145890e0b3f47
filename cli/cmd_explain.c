#include "cli/cli.h"
#include "scenario/explain.h"

#include <stdint.h>
#include <stdlib.h>

static int run(int argc, char **argv)
{
    const char *directory = NULL, *bus = NULL;
    unsigned step = UINT32_MAX;
    const struct cli_option options[] = {
        {.name = "bus", .kind = CLI_TEXT, .value = &bus},
        {.name = "step", .kind = CLI_WHOLE, .value = &step, .high = INT32_MAX}};
    struct walras_err err = {0};
    int ends = cli_parse(&cli_explain, argc, argv, options, sizeof(options) / sizeof(options[0]),
                         &directory, 1);

    if (ends >= 0)
        return ends;
    if (!bus || step == UINT32_MAX)
        return cli_usage(&cli_explain, "which price? --bus B and --step T");
    if (scenario_explain(directory, bus, step, stdout, &err) != WALRAS_OK)
        return cli_fail(&err);
    return EXIT_SUCCESS;
}

const struct cli_command cli_explain = {
    .name = "explain",
    .summary = "says why a price is what it is",
    .help =
        "usage: walras explain DIR --bus B --step T\n\n"
        "DIR is what walras clear --out DIR wrote. Says what the price at bus B in step T is made\n"
        "of: energy, and who sets it; each full line and each voltage at its limit that a draw\n"
        "there touches, what a kW drawn there does to it and what that costs. The parts sum to\n"
        "the price. In the model lindistflow the price of reactive power is told as well.\n\n"
        "  --bus B    the bus, by its name\n"
        "  --step T   the step, from 0\n",
    .run = run,
};
