/*
 * News among servers on one database (LISTEN and NOTIFY): a market's state or its rounds have
 * changed, whoever did that; agents have answered through a server that does not lead.
 *
 * News are hints: they come after what they tell of is committed, and are lost with the connection.
 * Whoever begins to listen looks at everything once.
 */
#ifndef WALRAS_DB_NEWS_H
#define WALRAS_DB_NEWS_H

#include "db/clients.h"
#include "db/session.h"

struct db_news {
    char market[DB_ID];
    bool answers; /* only answers; else anything */
};

/* From now on; a session that listens is for nothing else (db_ready would connect it anew). */
WALRAS_NODISCARD enum walras_status db_news_listen(struct db_session *session,
                                                   struct walras_err *err);
/* The next, waited for. *any false: there was none. WALRAS_UNAVAILABLE: listen anew. */
WALRAS_NODISCARD enum walras_status db_news_next(struct db_session *session, int wait_ms,
                                                 struct db_news *news, bool *any,
                                                 struct walras_err *err);
/* Whether the other end is there still, where nothing has come for long. */
WALRAS_NODISCARD enum walras_status db_news_check(struct db_session *session,
                                                  struct walras_err *err);
/* Tells that there are answers, once the caller's transaction is committed. */
WALRAS_NODISCARD enum walras_status db_news_answers(struct db_session *session, const char *market,
                                                    struct walras_err *err);

#endif
