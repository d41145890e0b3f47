#include "db/lead.h"

#include <stdlib.h>
#include <string.h>

enum { TURN_S = 2 }; /* a statement's time: who writes now may hold the epoch for a moment */

struct db_lead {
    struct db_settings settings;
    char *conninfo;
    struct db_session *session; /* NULL: none yet */
    int64_t epoch;              /* that was taken last; 0: none */
};

enum walras_status db_lead_new(const struct db_settings *settings, struct db_lead **made,
                               struct walras_err *err)
{
    struct db_lead *lead = calloc(1, sizeof(*lead));

    if (lead)
        lead->conninfo = strdup(settings->conninfo);
    if (!lead || !lead->conninfo) {
        free(lead);
        return walras_fail(err, WALRAS_NOMEM, "no memory to lead");
    }
    lead->settings = *settings;
    lead->settings.conninfo = lead->conninfo;
    lead->settings.statement_s = TURN_S;
    lead->settings.idle_s = DB_LEAD_IDLE_S;
    *made = lead;
    return WALRAS_OK;
}

void db_lead_free(struct db_lead *lead)
{
    if (!lead)
        return;
    db_session_free(lead->session);
    free(lead->conninfo);
    free(lead);
}

/* A connection that was made anew has no lock. */
static enum walras_status take_lock(struct db_session *session, bool *taken, struct walras_err *err)
{
    static const struct db_sql take = {
        "lead_lock", "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' "
                     "AND pid = pg_backend_pid() AND objid = 7741003) THEN true ELSE "
                     "pg_try_advisory_lock(7741003) END"};
    struct db_rows rows = {0};
    enum walras_status status = db_query(session, &take, NULL, &rows, err);

    *taken = status == WALRAS_OK && db_bool(&rows, 0, 0);
    db_rows_release(&rows);
    return status;
}

/* Nobody else has led since: the epoch goes on, else a new one begins. */
static enum walras_status take_epoch(struct db_lead *lead, struct walras_err *err)
{
    static const struct db_sql raise = {
        "lead_epoch", "UPDATE lead SET epoch = epoch + 1, since = clock_timestamp() WHERE epoch <> "
                      "$1 OR epoch = 0 RETURNING epoch"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_integer(&args, lead->epoch);
    status = db_query(lead->session, &raise, &args, &rows, err);
    if (status == WALRAS_OK && rows.n > 0)
        lead->epoch = db_integer(&rows, 0, 0);
    db_rows_release(&rows);
    return status;
}

enum walras_status db_lead_turn(struct db_lead *lead, int64_t *epoch, struct walras_err *err)
{
    bool taken = false;
    enum walras_status status = lead->session
                                    ? db_ready(lead->session, err)
                                    : db_session_new(&lead->settings, &lead->session, err);

    if (status == WALRAS_OK)
        status = take_lock(lead->session, &taken, err);
    if (status == WALRAS_OK && taken)
        status = take_epoch(lead, err);
    if (status == WALRAS_OK)
        *epoch = taken ? lead->epoch : 0;
    return status;
}

enum walras_status db_lead_hold(struct db_session *session, int64_t epoch, bool *held,
                                struct walras_err *err)
{
    static const struct db_sql hold = {"lead_hold", "SELECT epoch FROM lead FOR SHARE"};
    struct db_rows rows = {0};
    enum walras_status status = db_query(session, &hold, NULL, &rows, err);

    *held = status == WALRAS_OK && rows.n == 1 && db_integer(&rows, 0, 0) == epoch;
    db_rows_release(&rows);
    return status;
}
