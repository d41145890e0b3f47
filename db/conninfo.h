/*
 * The address of a database, its password apart: a password is for no argument list, log or screen.
 */
#ifndef WALRAS_DB_CONNINFO_H
#define WALRAS_DB_CONNINFO_H

#include "core/text.h"

/*
 * `rest` is the address without the password, to be released by the caller; *password malloc'd or
 * NULL. WALRAS_INVALID: it is no address.
 */
WALRAS_NODISCARD enum walras_status db_conninfo_part(const char *conninfo, struct walras_text *rest,
                                                     char **password, struct walras_err *err);

#endif
