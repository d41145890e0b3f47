/*
 * What the subcommands of `walras` share.
 *
 * A subcommand is one file, cli/cmd_<name>.c, that defines `const struct cli_command cli_<name>`,
 * and one line in CLI_COMMAND_LIST.
 */
#ifndef WALRAS_CLI_CLI_H
#define WALRAS_CLI_CLI_H

#include "core/status.h"

#include <stdio.h>

/* In the order that --help shows. */
#define CLI_COMMAND_LIST(X)                                                                        \
    X(clear)                                                                                       \
    X(compare)                                                                                     \
    X(simulate)                                                                                    \
    X(check)                                                                                       \
    X(expand)                                                                                      \
    X(export)                                                                                      \
    X(powerflow)                                                                                   \
    X(explain)                                                                                     \
    X(serve)                                                                                       \
    X(db)                                                                                          \
    X(key)                                                                                         \
    X(agent)                                                                                       \
    X(swarm)

/* exit status of wrong usage, of limits reached, of no clearing; others are walras_status_exit's */
enum { CLI_USAGE = 2, CLI_LIMIT = 3, CLI_INFEASIBLE = 4 };

enum { CLI_MAX_THREADS = 1024 };
/* Of this machine; from 1 to CLI_MAX_THREADS. */
unsigned cli_count_cores(void);

struct cli_command {
    const char *name, *summary; /* one line */
    const char *help;           /* what --help prints */
    /* argv[0] is the first argument behind the subcommand. Returns the exit status. NULL: it is not
     * in this build, `help` says why. */
    int (*run)(int argc, char **argv);
    bool ranks;    /* may run as several ranks */
    bool may_lack; /* looks itself whether operands are there, they are NULL then */
};

#define X(name) extern const struct cli_command cli_##name;
CLI_COMMAND_LIST(X)
#undef X

/* Prints "walras: <message>" on standard error and returns the exit status that belongs to it. */
int cli_fail(const struct walras_err *err);
/* Prints "walras: <message>" and how to get help, and returns CLI_USAGE. */
__attribute__((format(printf, 2, 3))) int cli_usage(const struct cli_command *command,
                                                    const char *format, ...);

/*
 * Has `write` fill a file beside `path`, then renames: the file is there whole or not at all.
 * Returns what `write` does, or WALRAS_IO "PATH: reason".
 */
WALRAS_NODISCARD enum walras_status
cli_write_file(const char *path,
               enum walras_status (*write)(FILE *file, void *context, struct walras_err *err),
               void *context, struct walras_err *err);

enum cli_option_kind { CLI_FLAG, CLI_TEXT, CLI_NUMBER, CLI_WHOLE };

struct cli_option {
    const char *name; /* without the leading "--" */
    enum cli_option_kind kind;
    void *value;      /* bool, const char *, double or unsigned: keeps its value when not given */
    double low, high; /* of numbers, ends included */
};

/*
 * Reads "--name value", "--name=value", flags, and exactly `n_operand` other words into operand;
 * "--" ends the options. Returns -1 to go on, or the exit status to end with (after --help, or a
 * message).
 */
int cli_parse(const struct cli_command *command, int argc, char **argv,
              const struct cli_option *options, size_t n_option, const char **operand,
              size_t n_operand);

/*
 * Sets a value that is not a flag from its text; `label` stands for the option in messages. Returns
 * -1, or the exit status to end with.
 */
int cli_set_option(const struct cli_command *command, const struct cli_option *option,
                   const char *label, const char *text);

#endif
