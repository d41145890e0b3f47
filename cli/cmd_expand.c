#include "cli/cli.h"
#include "core/file.h"
#include "scenario/expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes beside `path`, then renames: the file is there whole or not at all. */
static enum walras_status write_file(const struct scenario *scenario, const char *path,
                                     struct walras_err *err)
{
    char *staged = walras_path_staged(path);
    FILE *file = NULL;
    enum walras_status status = WALRAS_OK;

    if (!staged)
        status = walras_fail(err, WALRAS_NOMEM, "%s: no memory", path);
    else if (walras_file_create(staged, &file, NULL) != WALRAS_OK)
        status = walras_fail(err, WALRAS_IO, "%s: cannot write: %s", path, strerror(errno));
    if (status == WALRAS_OK) {
        scenario_expand(scenario, file);
        status = walras_file_finish(file, path, err);
        if (status == WALRAS_OK && rename(staged, path) != 0)
            status = walras_fail(err, WALRAS_IO, "%s: cannot put the file in place: %s", path,
                                 strerror(errno));
        if (status != WALRAS_OK)
            unlink(staged);
    }
    free(staged);
    return status;
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
        (void)!write_file(&scenario, out, &err);
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
