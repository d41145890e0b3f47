#include "db/markets.h"
#include "db/values.h"

enum walras_status db_participant_put(struct db_session *session, const char *actor,
                                      const char *market, const char *agent,
                                      const double *fallback_kw, size_t n_step, bool *made,
                                      struct walras_err *err)
{
    static const struct db_sql put = {
        "participant_put",
        "INSERT INTO participant (market, agent, fallback_kw) VALUES ($1, $2, $3::float8[]) ON "
        "CONFLICT (market, agent) DO UPDATE SET fallback_kw = EXCLUDED.fallback_kw RETURNING "
        "xmax = 0"};
    struct walras_text fallback = {0};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status =
        fallback_kw ? db_numbers_text(fallback_kw, n_step, &fallback, err) : WALRAS_OK;

    db_add_text(&args, market);
    db_add_text(&args, agent);
    db_add_text(&args, fallback.data);
    if (status == WALRAS_OK)
        status = db_query(session, &put, &args, &rows, err);
    if (status == WALRAS_OK)
        *made = db_bool(&rows, 0, 0);
    db_rows_release(&rows);
    walras_text_release(&fallback);
    return status == WALRAS_OK ? db_audit(session, actor, "market.join", market, agent, err)
                               : status;
}

enum walras_status db_participant_list(struct db_session *session, const char *market,
                                       const char *owner, const struct db_page *page,
                                       struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql list = {
        "participant_list",
        "SELECT json_strip_nulls(json_build_object('agent', p.agent, 'bus', a.bus, 'kind', a.kind, "
        "'fallback_kw', p.fallback_kw, 'misses', p.misses, 'suspended', p.suspended, 'joined_at', "
        "p.joined_at)), p.agent FROM participant p JOIN agent a ON a.id = p.agent WHERE p.market = "
        "$1 AND p.agent > $2 AND ($4::text IS NULL OR a.owner = $4) ORDER BY p.agent LIMIT $3"};
    struct db_args args = {0};

    db_add_text(&args, market);
    db_add_page(&args, page);
    db_add_text(&args, owner);
    return db_query(session, &list, &args, rows, err);
}
