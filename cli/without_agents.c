/* The subcommands of agents on the network, in a program that was built without libcurl. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#define WITHOUT                                                                                    \
    "This walras was built without agents on the network. Missing then: libcurl4-openssl-dev\n"    \
    "Install that (./dev deps serve) and build again.\n"

static int run(int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        fputs(WITHOUT, stdout);
        return EXIT_SUCCESS;
    }
    fputs("walras: " WITHOUT, stderr);
    return CLI_USAGE;
}

const struct cli_command cli_agent = {
    .name = "agent",
    .summary = "bids for devices in a market of a server (not in this build)",
    .help = WITHOUT,
    .run = run};
const struct cli_command cli_swarm = {
    .name = "swarm",
    .summary = "plays a scenario's agents against a server (not in this build)",
    .help = WITHOUT,
    .run = run};
