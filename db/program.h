/*
 * Running PostgreSQL's own programs: found, started as the right user, what they say kept.
 *
 * Threads  not while other threads fork.
 */
#ifndef WALRAS_DB_PROGRAM_H
#define WALRAS_DB_PROGRAM_H

#include "core/status.h"

#include <sys/types.h>

struct db_user { /* whom a program runs as */
    bool change; /* false: as we do */
    uid_t uid;
    gid_t gid;
    char name[64];
};

/* PostgreSQL refuses root: then "postgres" where that user exists, else "nobody". */
WALRAS_NODISCARD enum walras_status db_user_find(struct db_user *user, struct walras_err *err);

enum { DB_PROGRAM_PATH = 256 };
/* The newest /usr/lib/postgresql/<version>/bin/<name>, else the first in PATH. WALRAS_NOT_FOUND. */
WALRAS_NODISCARD enum walras_status db_program_find(const char *name, char path[DB_PROGRAM_PATH],
                                                    struct walras_err *err);

struct db_program {
    const char *const *argv;     /* NULL-terminated; argv[0] is the path */
    const struct db_user *user;  /* NULL: as we do */
    const char *variable, *text; /* one environment variable more; NULL: none */
};
/* Waits for its end. *exit_status is its own; the last it wrote to standard error is in `said`. */
WALRAS_NODISCARD enum walras_status db_program_run(const struct db_program *program,
                                                   int *exit_status, char *said, size_t size,
                                                   struct walras_err *err);

#endif
