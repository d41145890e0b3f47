/*
 * Which of the servers that work on a database leads: it alone clears markets.
 *
 * The leader holds an advisory lock for as long as its session lasts. PostgreSQL ends that session
 * when its process or machine is gone, and when it has not been heard of for DB_LEAD_IDLE_S: then
 * another may take the lock. Whoever takes it from another raises the epoch, a number in the
 * database that never goes back. All that a clearing writes holds the epoch (db_lead_hold), so that
 * a leader that was asleep and wakes writes nothing, whatever it believes itself to be.
 *
 * Needs a session with PostgreSQL itself: not by a pooler that shares sessions.
 * Threads  one at a time.
 */
#ifndef WALRAS_DB_LEAD_H
#define WALRAS_DB_LEAD_H

#include "db/session.h"

enum { DB_LEAD_IDLE_S = 3 };

struct db_lead;

/* Does not connect yet. The settings' text is copied. */
WALRAS_NODISCARD enum walras_status db_lead_new(const struct db_settings *settings,
                                                struct db_lead **made, struct walras_err *err);
/* Gives up the lock. NULL is fine. */
void db_lead_free(struct db_lead *lead);
/*
 * Takes the lead, keeps it, or sees that another has it; to be called a few times in
 * DB_LEAD_IDLE_S. *epoch: this server leads in it; 0: another leads. A failure leaves *epoch as it
 * is: nobody knows then.
 */
WALRAS_NODISCARD enum walras_status db_lead_turn(struct db_lead *lead, int64_t *epoch,
                                                 struct walras_err *err);

/*
 * In the caller's transaction: nobody can take the lead until it ends. *held false: another has
 * taken it since that epoch.
 */
WALRAS_NODISCARD enum walras_status db_lead_hold(struct db_session *session, int64_t epoch,
                                                 bool *held, struct walras_err *err);

#endif
