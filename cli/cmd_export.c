#include "cli/cli.h"
#include "scenario/export.h"

#include <stdlib.h>

struct export
{
    struct scenario scenario;
    struct scenario_export_settings settings;
    struct scenario_export_info info;
};

static enum walras_status write_program(FILE *file, void *context, struct walras_err *err)
{
    struct export *x = context;

    return scenario_export(&x->scenario, &x->settings, file, &x->info, err);
}

static enum walras_status write_as(struct export *x, enum scenario_export_format format,
                                   const char *path, struct walras_err *err)
{
    const struct scenario_export_info *info = &x->info;
    enum walras_status status = WALRAS_OK;

    x->settings.format = format;
    status = cli_write_file(path, write_program, x, err);
    if (status != WALRAS_OK)
        return status;
    printf("%s: %zu columns, %zu rows, %zu coefficients", path, info->n_column, info->n_row,
           info->n_entry);
    if (info->n_integer > 0)
        printf(", %zu whole-number columns", info->n_integer);
    if (info->n_square > 0)
        printf(", %zu quadratic costs", info->n_square);
    putchar('\n');
    return WALRAS_OK;
}

static int run(int argc, char **argv)
{
    const char *path = NULL, *lp = NULL, *mps = NULL;
    struct export x = {0};
    enum walras_status status;
    const struct cli_option options[] = {
        {.name = "lp", .kind = CLI_TEXT, .value = &lp},
        {.name = "mps", .kind = CLI_TEXT, .value = &mps},
        {.name = "short-names", .kind = CLI_FLAG, .value = &x.settings.short_names}};
    struct walras_err err = {0};
    int ends =
        cli_parse(&cli_export, argc, argv, options, sizeof(options) / sizeof(options[0]), &path, 1);

    if (ends >= 0)
        return ends;
    if (!lp && !mps)
        return cli_usage(&cli_export, "where to? --lp FILE, --mps FILE or both");
    status = scenario_read(path, &x.scenario, &err);
    if (status != WALRAS_OK)
        return cli_fail(&err);
    if (lp)
        status = write_as(&x, SCENARIO_EXPORT_LP, lp, &err);
    if (mps && status == WALRAS_OK)
        status = write_as(&x, SCENARIO_EXPORT_MPS, mps, &err);
    scenario_release(&x.scenario);
    return status == WALRAS_OK ? EXIT_SUCCESS : cli_fail(&err);
}

const struct cli_command cli_export = {
    .name = "export",
    .summary = "writes a market as one linear program, for any solver",
    .help =
        "usage: walras export FILE [--lp FILE] [--mps FILE]\n\n"
        "Writes the whole market of the scenario or MATPOWER case FILE, devices, exchange and\n"
        "grid, as one linear program: what walras clear solves piece by piece. Whole-number\n"
        "decisions make it a mixed-integer program, quadratic costs a quadratic one. Its optimum\n"
        "is the least cost of the market, in the market's currency.\n\n"
        "  --lp FILE       in the format CPLEX LP\n"
        "  --mps FILE      in the format free MPS, quadratic costs as QUADOBJ\n"
        "  --short-names   columns x0, x1 ... and rows r0, r1 ... instead of names like\n"
        "                  charge(home~1,bat,17) and balance(b7,17)\n",
    .run = run,
};
