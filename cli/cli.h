/*
 * What the subcommands of `walras` share.
 *
 * A subcommand is one file, cli/cmd_<name>.c, that defines `const struct cli_command cli_<name>`,
 * and one line in CLI_COMMAND_LIST.
 */
#ifndef WALRAS_CLI_CLI_H
#define WALRAS_CLI_CLI_H

#include "core/status.h"

/* In the order that --help shows. */
#define CLI_COMMAND_LIST(X)                                                                        \
    X(clear)                                                                                       \
    X(simulate)                                                                                    \
    X(check)                                                                                       \
    X(expand)

enum { CLI_USAGE = 2 }; /* exit status of wrong usage; others are walras_status_exit's */

struct cli_command {
    const char *name, *summary; /* one line */
    const char *help;           /* what --help prints */
    /* argv[0] is the first argument behind the subcommand. Returns the exit status. */
    int (*run)(int argc, char **argv);
};

#define X(name) extern const struct cli_command cli_##name;
CLI_COMMAND_LIST(X)
#undef X

/* Prints "walras: <message>" on standard error and returns the exit status that belongs to it. */
int cli_fail(const struct walras_err *err);
/* Prints "walras: <message>" and how to get help, and returns CLI_USAGE. */
__attribute__((format(printf, 2, 3))) int cli_usage(const struct cli_command *command,
                                                    const char *format, ...);

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

#endif
