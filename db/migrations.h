/*
 * The migrations, as they were when the program was built: migrations/<number>_<subject>.sql.
 */
#ifndef WALRAS_DB_MIGRATIONS_H
#define WALRAS_DB_MIGRATIONS_H

#include <stddef.h>

struct db_migration {
    const char *name, *text;
};
extern const struct db_migration db_migration_files[]; /* [db_migration_n_file] by number */
extern const size_t db_migration_n_file;

#endif
