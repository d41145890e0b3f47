#include "cli/key_file.h"

#include "core/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 4096 };

/* The word behind `name` at the beginning of a line, into out. */
static bool find(const char *text, const char *name, char out[128])
{
    size_t n = strlen(name);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, n) != 0 || (line[n] != ' ' && line[n] != '\t'))
            continue;

        const char *word = line + n + strspn(line + n, " \t");
        size_t size = strcspn(word, " \t\r\n");

        if (size == 0 || size >= 128)
            return false;
        memcpy(out, word, size);
        out[size] = '\0';
        return true;
    }
    return false;
}

enum walras_status cli_key_file_read(const char *path, struct cli_key_file *out,
                                     struct walras_err *err)
{
    char *text = NULL;
    size_t size = 0;
    enum walras_status status = walras_file_read(path, MOST_BYTES, &text, &size, err);

    if (status == WALRAS_OK && (!find(text, "client_id", out->client_id) ||
                                !find(text, "client_secret", out->client_secret)))
        status =
            walras_fail(err, WALRAS_INVALID,
                        "%s: lines \"client_id ID\" and \"client_secret SECRET\" are expected, "
                        "as `walras key create` prints them",
                        path);
    free(text);
    return status;
}
