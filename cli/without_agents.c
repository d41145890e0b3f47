/* The subcommands of agents on the network, in a program that was built without libcurl. */
#include "cli/cli.h"

#define WITHOUT                                                                                    \
    "This walras was built without agents on the network. Missing then: libcurl4-openssl-dev\n"    \
    "Install that (./dev deps serve) and build again.\n"

const struct cli_command cli_agent = {
    .name = "agent",
    .summary = "bids for devices in a market of a server (not in this build)",
    .help = WITHOUT};
const struct cli_command cli_swarm = {
    .name = "swarm",
    .summary = "plays a scenario's agents against a server (not in this build)",
    .help = WITHOUT};
