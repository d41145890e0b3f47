/*
 * The whole database into one file and back, by PostgreSQL's own pg_dump and pg_restore.
 */
#ifndef WALRAS_DB_BACKUP_H
#define WALRAS_DB_BACKUP_H

#include "core/status.h"

/* Writes the file whole or not at all. A consistent picture while the server works. */
WALRAS_NODISCARD enum walras_status db_backup(const char *conninfo, const char *path,
                                              struct walras_err *err);
/* Into an empty database only (WALRAS_CONFLICT), all or nothing. */
WALRAS_NODISCARD enum walras_status db_restore(const char *conninfo, const char *path,
                                               struct walras_err *err);

#endif
