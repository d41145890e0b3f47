#include "cli/cli.h"
#include "core/file.h"
#include "scenario/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes beside `path`, then renames: the file is there whole or not at all. */
static enum walras_status write_file(const struct scenario *scenario,
                                     const struct scenario_export_settings *settings,
                                     const char *path, struct scenario_export_info *info,
                                     struct walras_err *err)
{
    char *staged = walras_path_staged(path);
    FILE *file = NULL;
    enum walras_status status = WALRAS_OK, finished;

    if (!staged)
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory", path);
    if (walras_file_create(staged, &file, NULL) != WALRAS_OK) {
        status = walras_fail(err, WALRAS_IO, "%s: cannot write: %s", path, strerror(errno));
        free(staged);
        return status;
    }
    status = scenario_export(scenario, settings, file, info, err);
    finished = walras_file_finish(file, path, status == WALRAS_OK ? err : NULL);
    status = status == WALRAS_OK ? finished : status;
    if (status == WALRAS_OK && rename(staged, path) != 0)
        status = walras_fail(err, WALRAS_IO, "%s: cannot put the file in place: %s", path,
                             strerror(errno));
    if (status != WALRAS_OK)
        unlink(staged);
    free(staged);
    return status;
}

static void print_summary(const char *path, const struct scenario_export_info *info)
{
    printf("%s: %zu columns, %zu rows, %zu coefficients", path, info->n_column, info->n_row,
           info->n_entry);
    if (info->n_integer > 0)
        printf(", %zu whole-number columns", info->n_integer);
    if (info->n_square > 0)
        printf(", %zu quadratic costs", info->n_square);
    putchar('\n');
}

static enum walras_status export_to(const char *path, const char *lp, const char *mps,
                                    bool short_names, struct walras_err *err)
{
    struct scenario_export_settings settings = {.short_names = short_names};
    struct scenario_export_info info;
    struct scenario scenario;
    enum walras_status status = scenario_read(path, &scenario, err);

    if (status != WALRAS_OK)
        return status;
    if (lp) {
        settings.format = SCENARIO_EXPORT_LP;
        status = write_file(&scenario, &settings, lp, &info, err);
        if (status == WALRAS_OK)
            print_summary(lp, &info);
    }
    if (mps && status == WALRAS_OK) {
        settings.format = SCENARIO_EXPORT_MPS;
        status = write_file(&scenario, &settings, mps, &info, err);
        if (status == WALRAS_OK)
            print_summary(mps, &info);
    }
    scenario_release(&scenario);
    return status;
}

static int run(int argc, char **argv)
{
    const char *path = NULL, *lp = NULL, *mps = NULL;
    bool short_names = false;
    const struct cli_option options[] = {
        {.name = "lp", .kind = CLI_TEXT, .value = &lp},
        {.name = "mps", .kind = CLI_TEXT, .value = &mps},
        {.name = "short-names", .kind = CLI_FLAG, .value = &short_names}};
    struct walras_err err = {0};
    int ends =
        cli_parse(&cli_export, argc, argv, options, sizeof(options) / sizeof(options[0]), &path, 1);

    if (ends >= 0)
        return ends;
    if (!lp && !mps)
        return cli_usage(&cli_export, "where to? --lp FILE, --mps FILE or both");
    return export_to(path, lp, mps, short_names, &err) == WALRAS_OK ? EXIT_SUCCESS : cli_fail(&err);
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
