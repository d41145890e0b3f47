#include "db/lead.h"

enum walras_status db_lead(struct db_session *session, bool *leads, struct walras_err *err)
{
    static const struct db_sql take = {
        "lead", "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND "
                "pid = pg_backend_pid() AND objid = 7741003) THEN true ELSE "
                "pg_try_advisory_lock(7741003) END"};
    struct db_rows rows = {0};
    enum walras_status status = db_ready(session, err);

    *leads = false;
    if (status == WALRAS_OK)
        status = db_query(session, &take, NULL, &rows, err);
    if (status == WALRAS_OK)
        *leads = db_bool(&rows, 0, 0);
    db_rows_release(&rows);
    return status;
}
