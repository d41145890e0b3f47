#include "cli/cli.h"
#include "scenario/expand.h"

#include <stdlib.h>

static enum walras_status write_scenario(FILE *file, void *context, struct walras_err *err)
{
    (void)err;
    scenario_expand(context, file);
    return WALRAS_OK;
}

static int run(int argc, char **argv)
{
    const char *path = NULL, *out = NULL;
    const struct cli_option options[] = {{.name = "out", .kind = CLI_TEXT, .value = &out}};
    struct scenario scenario;
    struct walras_err err = {0};
    int ends = cli_parse(&cli_expand, argc, argv, options, 1, &path, 1);

    if (ends >= 0)
        return ends;
    if (scenario_read(path, &scenario, &err) != WALRAS_OK)
        return cli_fail(&err);
    if (!out)
        scenario_expand(&scenario, stdout);
    else
        (void)!cli_write_file(out, write_scenario, &scenario, &err);
    scenario_release(&scenario);
    return err.code == WALRAS_OK ? EXIT_SUCCESS : cli_fail(&err);
}

const struct cli_command cli_expand = {
    .name = "expand",
    .summary = "writes a market out in full: fleets, files and cases as plain agents",
    .help = "usage: walras expand FILE [--out FILE]\n\n"
            "Reads the scenario or MATPOWER case FILE and writes the same market as one scenario\n"
            "that names no other file: each fleet as plain agents, each series as its values, the\n"
            "grid with its buses and lines. Any tool can then read exactly the same market.\n\n"
            "  --out FILE   write there instead of to standard output\n",
    .run = run,
};
