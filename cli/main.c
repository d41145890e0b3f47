#include "cli/cli.h"
#include "core/text.h"
#include "ranks/ranks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_command *const commands[] = {
#define X(name) &cli_##name,
    CLI_COMMAND_LIST(X)
#undef X
};
enum { N_COMMAND = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *file)
{
    fputs("usage: walras COMMAND [OPTION...] FILE\n\n"
          "Clears markets for electric energy on a grid: FILE is a scenario (JSON) or a MATPOWER\n"
          "case.\n\n",
          file);
    for (size_t i = 0; i < N_COMMAND; i++)
        fprintf(file, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
    fputs(
        "\n  walras COMMAND --help   what a command does and its options\n"
        "  walras --version        the version\n\n"
        "Exit status: 0 done, 1 a file could not be read or written, 2 bad input or usage;\n"
        "clear and compare also: 3 round or time limit, 4 infeasible; powerflow: 4 no solution.\n",
        file);
}

static int unknown_command(const char *word)
{
    const char *names[N_COMMAND], *close = NULL;

    for (size_t i = 0; i < N_COMMAND; i++)
        names[i] = commands[i]->name;
    close = walras_text_closest(word, names, N_COMMAND);
    if (close)
        return cli_usage(NULL, "unknown command \"%s\"; did you mean \"%s\"?", word, close);
    return cli_usage(NULL, "unknown command \"%s\"", word);
}

/* Under mpirun, others do not do the same thing R times over. */
static int run_alone(const struct cli_command *command, int argc, char **argv)
{
    struct walras_ranks *ranks = NULL;
    struct walras_err err = {0};
    bool alone = true, lead = true;

    if (ranks_begin(&ranks, &err) != WALRAS_OK)
        return cli_fail(&err);
    alone = walras_ranks_count(ranks) == 1;
    lead = walras_ranks_lead(ranks);
    ranks_end(ranks, true, EXIT_SUCCESS);
    if (alone)
        return command->run(argc, argv);
    return lead ? cli_usage(command, "%s runs in one process: only clear works over several ranks",
                            command->name)
                : EXIT_SUCCESS;
}

static int say_missing(const struct cli_command *command, int argc, char **argv)
{
    bool asked = argc > 0 && strcmp(argv[0], "--help") == 0;

    if (!asked)
        fputs("walras: ", stderr);
    fputs(command->help, asked ? stdout : stderr);
    return asked ? EXIT_SUCCESS : CLI_USAGE;
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
    if (!command->run)
        return say_missing(command, argc, argv);
    return command->ranks ? command->run(argc, argv) : run_alone(command, argc, argv);
}

static int run(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;

    if (!word)
        return cli_usage(NULL, "a command is missing");
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(word, "--version") == 0) {
        puts("walras " WALRAS_VERSION);
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < N_COMMAND; i++)
        if (strcmp(word, commands[i]->name) == 0)
            return run_command(commands[i], argc - 2, argv + 2);
    return unknown_command(word);
}

int main(int argc, char **argv)
{
    int exit_status = run(argc, argv);

    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "walras: standard output: %s\n", strerror(errno ? errno : EIO));
        return exit_status == EXIT_SUCCESS ? EXIT_FAILURE : exit_status;
    }
    return exit_status;
}
