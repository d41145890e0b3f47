/*
 * Agents: who takes part in markets. A remote one answers over the network; a delegated one is
 * solved in the server from its devices. The owner is the client that speaks for it.
 */
#ifndef WALRAS_DB_AGENTS_H
#define WALRAS_DB_AGENTS_H

#include "db/clients.h"
#include "db/page.h"

struct db_device {
    const char *id, *definition; /* JSON */
};

struct db_agent {
    const char *id, *bus, *owner;
    bool delegated;
    const struct db_device *devices; /* [n_device] of delegated ones */
    size_t n_device;
};

/* All in the caller's transaction. WALRAS_CONFLICT: the id is taken; WALRAS_INVALID: no owner. */
WALRAS_NODISCARD enum walras_status db_agent_create(struct db_session *session, const char *actor,
                                                    const struct db_agent *agent,
                                                    struct walras_err *err);

struct db_agent_change { /* NULL: stays as it is */
    const char *bus, *owner;
    const struct db_device *devices; /* [n_device] in place of those there are */
    size_t n_device;
};
/* WALRAS_CONFLICT while it takes part in a market that is open or clearing. */
WALRAS_NODISCARD enum walras_status db_agent_change(struct db_session *session, const char *actor,
                                                    const char *id,
                                                    const struct db_agent_change *change,
                                                    struct walras_err *err);
/* WALRAS_CONFLICT: it has taken part in a market. */
WALRAS_NODISCARD enum walras_status db_agent_delete(struct db_session *session, const char *actor,
                                                    const char *id, struct walras_err *err);

/*
 * Lists and single ones as JSON. `owner`: only those of that client; NULL: all. A single one: its
 * kind ("remote", "delegated") in column 1, bus in column 2, devices (JSON) in column 3.
 */
WALRAS_NODISCARD enum walras_status db_agent_get(struct db_session *session, const char *id,
                                                 const char *owner, struct db_rows *rows,
                                                 struct walras_err *err);
WALRAS_NODISCARD enum walras_status db_agent_list(struct db_session *session, const char *owner,
                                                  const struct db_page *page, struct db_rows *rows,
                                                  struct walras_err *err);
/* One row when that client's agent is a remote participant of the market: suspended in column 0. */
WALRAS_NODISCARD enum walras_status db_agent_takes_part(struct db_session *session,
                                                        const char *market, const char *agent,
                                                        const char *owner, struct db_rows *rows,
                                                        struct walras_err *err);

#endif
