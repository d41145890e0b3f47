#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void walras_log(const char *event, const char *format, ...)
{
    char line[1024];
    int size = snprintf(line, sizeof(line) - 1, "%s%s", event, format ? " " : "");
    size_t used = size < 0 ? 0 : (size_t)size;

    if (format && used < sizeof(line) - 1) {
        va_list args;

        va_start(args, format);
        size = vsnprintf(line + used, sizeof(line) - 1 - used, format, args);
        va_end(args);
        used += size < 0 ? 0 : (size_t)size;
    }
    if (used > sizeof(line) - 2)
        used = sizeof(line) - 2;
    for (size_t i = 0; i < used; i++)
        if (line[i] == '\n' || line[i] == '\r')
            line[i] = ' ';
    line[used] = '\n';
    if (write(STDERR_FILENO, line, used + 1) < 0)
        return; /* nowhere left to tell it */
}
