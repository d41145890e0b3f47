/*
 * A client's key in a file, as `walras key create` prints it: lines "client_id ID" and
 * "client_secret SECRET".
 */
#ifndef WALRAS_CLI_KEY_FILE_H
#define WALRAS_CLI_KEY_FILE_H

#include "core/status.h"

struct cli_key_file {
    char client_id[128], client_secret[128];
};

/* WALRAS_IO, or WALRAS_INVALID "PATH: what is missing". */
WALRAS_NODISCARD enum walras_status cli_key_file_read(const char *path, struct cli_key_file *out,
                                                      struct walras_err *err);

#endif
