#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
    int exit_status, http;
} statuses[] = {
#define X(name, text, exit_status, http) {#name, text, exit_status, http},
    WALRAS_STATUS_LIST(X)
#undef X
};

const char *walras_status_name(enum walras_status status)
{
    return statuses[status].name;
}

const char *walras_status_text(enum walras_status status)
{
    return statuses[status].text;
}

int walras_status_exit(enum walras_status status)
{
    return statuses[status].exit_status;
}

int walras_status_http(enum walras_status status)
{
    return statuses[status].http;
}

/* The name is in parentheses because the analyzer sees a macro of that name. */
enum walras_status(walras_fail)(struct walras_err *err, enum walras_status status,
                                const char *format, ...)
{
    if (err && err->code == WALRAS_OK) {
        va_list args;

        err->code = status;
        va_start(args, format);
        vsnprintf(err->msg, sizeof(err->msg), format, args);
        va_end(args);
    }
    return status;
}

void walras_err_prefix(struct walras_err *err, const char *format, ...)
{
    char prefix[sizeof(err->msg)], whole[2 * sizeof(err->msg) + 2];
    va_list args;

    if (!err || err->code == WALRAS_OK)
        return;
    va_start(args, format);
    vsnprintf(prefix, sizeof(prefix), format, args);
    va_end(args);
    snprintf(whole, sizeof(whole), "%s: %s", prefix, err->msg);
    memcpy(err->msg, whole, sizeof(err->msg) - 1);
    err->msg[sizeof(err->msg) - 1] = '\0';
}
