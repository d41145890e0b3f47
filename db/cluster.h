/*
 * A private PostgreSQL cluster in a folder, for those who bring no database.
 *
 * Made once (initdb), started when it is opened and stopped when whoever started it closes it. It
 * listens on a unix socket in a folder that only its user (and root) can enter, and nowhere else:
 * the folder's permissions are the authentication. PostgreSQL does not run as root: opened by root,
 * the cluster belongs to an unprivileged user (db_user_find).
 *
 *     DIR/pg           the cluster          DIR/run   socket and PostgreSQL's own log
 *     DIR/walras.lock  locked by the process that started it
 *
 * A cluster that a killed process left running is taken over.
 */
#ifndef WALRAS_DB_CLUSTER_H
#define WALRAS_DB_CLUSTER_H

#include "core/status.h"

struct db_cluster;

struct db_cluster_settings {
    const char *directory; /* made when it is not there; its parent is */
    /* Another process may have started it: then it is used and not stopped. False: a conflict. */
    bool share;
};

/* WALRAS_CONFLICT: another process has it; WALRAS_NOT_FOUND: no PostgreSQL here; WALRAS_IO. */
WALRAS_NODISCARD enum walras_status db_cluster_open(const struct db_cluster_settings *settings,
                                                    struct db_cluster **made,
                                                    struct walras_err *err);
/* Stops it, when this process started it; waits until it has. NULL is fine. */
WALRAS_NODISCARD enum walras_status db_cluster_close(struct db_cluster *cluster,
                                                     struct walras_err *err);

const char *db_cluster_conninfo(const struct db_cluster *cluster);
/* The user it runs as when that is not ours, else NULL. */
const char *db_cluster_user(const struct db_cluster *cluster);
bool db_cluster_is_new(const struct db_cluster *cluster); /* initdb was run */

#endif
