/*
 * Status codes and the caller-owned error: how every Walras call says that it failed and why.
 *
 * A function that can fail returns `enum walras_status` (must be used) and takes an optional
 * `struct walras_err *` as its last argument. The first failure wins: a later one never
 * overwrites an earlier message. "Infeasible" or "round limit" are outcomes, not errors.
 *
 * Threads  no shared state.
 */
#ifndef WALRAS_CORE_STATUS_H
#define WALRAS_CORE_STATUS_H

#include <stdbool.h>
#include <stddef.h>

/* name, text, exit status of the command line, HTTP status */
#define WALRAS_STATUS_LIST(X)                                                                      \
    X(OK, "ok", 0, 200)                                                                            \
    X(INVALID, "invalid input", 2, 422)                                                            \
    X(UNSUPPORTED, "not supported", 2, 422)                                                        \
    X(NOT_FOUND, "not found", 2, 404)                                                              \
    X(CONFLICT, "in conflict with what is there", 2, 409)                                          \
    X(FORBIDDEN, "not allowed", 2, 403)                                                            \
    X(UNAVAILABLE, "not available now", 1, 503)                                                    \
    X(IO, "input or output failed", 1, 500)                                                        \
    X(NOMEM, "out of memory", 1, 500)                                                              \
    X(INTERNAL, "internal error", 1, 500)

enum walras_status {
#define X(name, text, exit_status, http) WALRAS_##name,
    WALRAS_STATUS_LIST(X)
#undef X
};

struct walras_err {
    enum walras_status code; /* WALRAS_OK: nothing failed yet; start from `= {0}` */
    char msg[480];           /* lower case, no full stop, names the thing */
};

#define WALRAS_NODISCARD __attribute__((warn_unused_result))

const char *walras_status_name(enum walras_status status);
const char *walras_status_text(enum walras_status status);
int walras_status_exit(enum walras_status status);
int walras_status_http(enum walras_status status);

/*
 * Records `status` and the formatted message in `err` (when err is not NULL and holds no failure
 * yet) and returns `status`, so that `return walras_fail(err, WALRAS_INVALID, ...)` reads well.
 */
__attribute__((format(printf, 3, 4))) enum walras_status
walras_fail(struct walras_err *err, enum walras_status status, const char *format, ...);

/* clang's analyzer sees one file at a time; this tells it what walras_fail returns */
#ifdef __clang_analyzer__
static inline enum walras_status walras_given(enum walras_status returned, enum walras_status given)
{
    (void)returned;
    return given;
}
#define walras_fail(err, status, ...)                                                              \
    walras_given(walras_fail((err), (status), __VA_ARGS__), (status))
#endif

/* Puts "<prefix>: " before the message that `err` holds: the caller's place, added on the way up.
 */
__attribute__((format(printf, 2, 3))) void walras_err_prefix(struct walras_err *err,
                                                             const char *format, ...);

#endif
