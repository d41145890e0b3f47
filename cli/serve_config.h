/*
 * The settings of `walras serve`: defaults, then a file, then the environment, then the command
 * line. One list of options stands for all of them: `--idle-timeout` is WALRAS_IDLE_TIMEOUT in the
 * environment and "idle_timeout" in the file, a JSON object.
 */
#ifndef WALRAS_CLI_SERVE_CONFIG_H
#define WALRAS_CLI_SERVE_CONFIG_H

#include "api/server.h"
#include "cli/database.h"
#include "core/json.h"

struct serve_config {
    struct api_settings api;
    struct cli_database database;
    bool print;
    const char *path; /* of the file; NULL: none */
    struct walras_json_doc *file;
};

/* Returns -1 to go on, or the exit status to end with. Release in any case. */
int serve_config_read(const struct cli_command *command, int argc, char **argv,
                      struct serve_config *config);
void serve_config_release(struct serve_config *config);
/* As a file that can be read again; a password is left out. */
WALRAS_NODISCARD enum walras_status serve_config_print(FILE *file, struct serve_config *config,
                                                       struct walras_err *err);

#endif
