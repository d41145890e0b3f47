/*
 * The subcommands of the server in a program that was built without it.
 */
#include "cli/cli.h"

#ifndef WALRAS_SERVE_MISSING /* the build tells; tools read the file alone */
#define WALRAS_SERVE_MISSING ""
#endif

#define WITHOUT                                                                                    \
    "This walras was built without the server. Missing then:" WALRAS_SERVE_MISSING                 \
    "\nInstall that (./dev deps serve) and build again.\n"

#define SUMMARY(what) what " (not in this build)"

const struct cli_command cli_serve = {
    .name = "serve", .summary = SUMMARY("serves markets over HTTP"), .help = WITHOUT};
const struct cli_command cli_db = {
    .name = "db", .summary = SUMMARY("the server's database"), .help = WITHOUT};
const struct cli_command cli_key = {
    .name = "key", .summary = SUMMARY("who may talk to the server"), .help = WITHOUT};
