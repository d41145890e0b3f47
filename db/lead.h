/*
 * One server works on a database at a time: it holds an advisory lock for as long as its session
 * lasts.
 */
#ifndef WALRAS_DB_LEAD_H
#define WALRAS_DB_LEAD_H

#include "db/session.h"

/* Takes the lock, or sees that this session has it. A connection that was lost has lost it. */
WALRAS_NODISCARD enum walras_status db_lead(struct db_session *session, bool *leads,
                                            struct walras_err *err);

#endif
