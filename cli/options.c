#include "cli/cli.h"
#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_OPTIONS = 64 };

unsigned cli_count_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > CLI_MAX_THREADS ? CLI_MAX_THREADS : (unsigned)n;
}

int cli_fail(const struct walras_err *err)
{
    fprintf(stderr, "walras: %s\n", err->msg[0] ? err->msg : walras_status_text(err->code));
    return walras_status_exit(err->code);
}

int cli_usage(const struct cli_command *command, const char *format, ...)
{
    va_list args;

    fputs("walras: ", stderr);
    if (command)
        fprintf(stderr, "%s: ", command->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\ntry: walras%s%s --help\n", command ? " " : "", command ? command->name : "");
    return CLI_USAGE;
}

/* The option that `word` ("--name" or "--name=value") names, or NULL. */
static const struct cli_option *find_option(const char *word, const struct cli_option *options,
                                            size_t n)
{
    size_t length = strcspn(word + 2, "=");

    for (size_t i = 0; i < n; i++)
        if (strlen(options[i].name) == length && strncmp(word + 2, options[i].name, length) == 0)
            return &options[i];
    return NULL;
}

static int unknown_option(const struct cli_command *command, const char *word,
                          const struct cli_option *options, size_t n)
{
    const char *names[MAX_OPTIONS + 1] = {"help"}, *close = NULL;
    char given[64];

    for (size_t i = 0; i < n && i < MAX_OPTIONS; i++)
        names[i + 1] = options[i].name;
    snprintf(given, sizeof(given), "%.*s", (int)strcspn(word, "="), word);
    close = walras_text_closest(given + strspn(given, "-"), names, n + 1);
    if (close)
        return cli_usage(command, "unknown option %s; did you mean --%s?", given, close);
    return cli_usage(command, "unknown option %s", given);
}

static bool read_number(const char *text, const struct cli_option *option, double *value)
{
    char *end = NULL;

    *value = strtod(text, &end);
    return end != text && *end == '\0' && !isnan(*value) && *value >= option->low &&
           *value <= option->high && (option->kind != CLI_WHOLE || floor(*value) == *value);
}

int cli_set_option(const struct cli_command *command, const struct cli_option *option,
                   const char *label, const char *text)
{
    double number = 0.0;

    if (option->kind == CLI_TEXT) {
        if (text[0] == '\0')
            return cli_usage(command, "%s needs a value that is not empty", label);
        *(const char **)option->value = text;
        return -1;
    }
    if (!read_number(text, option, &number))
        return cli_usage(command, "%s must be a %s from %g to %g, got \"%s\"", label,
                         option->kind == CLI_WHOLE ? "whole number" : "number", option->low,
                         option->high, text);
    if (option->kind == CLI_WHOLE)
        *(unsigned *)option->value = (unsigned)number;
    else
        *(double *)option->value = number;
    return -1;
}

/* Reads the option at argv[*at] and its value. */
static int read_option(const struct cli_command *command, int argc, char **argv, int *at,
                       const struct cli_option *options, size_t n)
{
    const char *word = argv[*at], *equals = strchr(word, '=');
    const struct cli_option *option = find_option(word, options, n);
    char label[64];

    if (!option)
        return unknown_option(command, word, options, n);
    if (option->kind == CLI_FLAG) {
        if (equals)
            return cli_usage(command, "--%s takes no value", option->name);
        *(bool *)option->value = true;
        return -1;
    }
    if (!equals && *at + 1 >= argc)
        return cli_usage(command, "--%s needs a value", option->name);
    snprintf(label, sizeof(label), "--%s", option->name);
    return cli_set_option(command, option, label, equals ? equals + 1 : argv[++*at]);
}

int cli_parse(const struct cli_command *command, int argc, char **argv,
              const struct cli_option *options, size_t n_option, const char **operand,
              size_t n_operand)
{
    size_t n = 0;
    bool only_operands = false;

    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        int ends = -1;

        if (!only_operands && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            fputs(command->help, stdout);
            return EXIT_SUCCESS;
        }
        if (!only_operands && strcmp(word, "--") == 0)
            only_operands = true;
        else if (!only_operands && strncmp(word, "--", 2) == 0)
            ends = read_option(command, argc, argv, &i, options, n_option);
        else if (!only_operands && word[0] == '-' && word[1] != '\0')
            ends = unknown_option(command, word, options, n_option);
        else if (n == n_operand)
            ends = cli_usage(command, "one file too many: \"%s\"", word);
        else
            operand[n++] = word;
        if (ends >= 0)
            return ends;
    }
    return n == n_operand || command->may_lack ? -1
                                               : cli_usage(command, "a file to read is missing");
}
