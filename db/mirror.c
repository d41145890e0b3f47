#include "db/mirror.h"

static enum walras_status list(struct db_session *session, const struct db_sql *sql,
                               const char *market, struct db_rows *rows, struct walras_err *err)
{
    struct db_args args = {0};

    db_add_text(&args, market);
    return db_query(session, sql, &args, rows, err);
}

enum walras_status db_mirror_state(struct db_session *session, const char *market,
                                   struct db_mirror_state *state, struct walras_err *err)
{
    static const struct db_sql get = {
        "mirror_state",
        "SELECT m.state = 'clearing', m.steps, r.number, extract(epoch FROM r.deadline - "
        "clock_timestamp())::float8 FROM market m LEFT JOIN round r ON r.market = m.id AND "
        "r.closed_at IS NULL WHERE m.id = $1"};
    struct db_rows rows = {0};
    enum walras_status status = list(session, &get, market, &rows, err);

    *state = (struct db_mirror_state){0};
    if (status == WALRAS_OK && rows.n > 0)
        *state = (struct db_mirror_state){.clearing = db_bool(&rows, 0, 0),
                                          .steps = db_integer(&rows, 0, 1),
                                          .round = db_integer(&rows, 0, 2),
                                          .remaining_s = db_number(&rows, 0, 3)};
    db_rows_release(&rows);
    return status;
}

enum walras_status db_mirror_buses(struct db_session *session, const char *market,
                                   struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql buses = {
        "mirror_buses", "SELECT b.id FROM market m JOIN grid_bus b ON b.grid = m.grid AND "
                        "b.version = m.grid_version WHERE m.id = $1 ORDER BY b.position"};

    return list(session, &buses, market, rows, err);
}

enum walras_status db_mirror_agents(struct db_session *session, const char *market,
                                    struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql agents = {
        "mirror_agents",
        "SELECT p.agent, a.owner, b.position, p.suspended FROM participant p JOIN agent a ON a.id "
        "= p.agent JOIN market m ON m.id = p.market JOIN grid_bus b ON b.grid = m.grid AND "
        "b.version = m.grid_version AND b.id = a.bus WHERE p.market = $1 AND a.kind = 'remote' "
        "ORDER BY p.agent"};

    return list(session, &agents, market, rows, err);
}

enum walras_status db_mirror_reports(struct db_session *session, const char *market, int64_t after,
                                     int64_t before, struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql reports = {
        "mirror_reports",
        "SELECT r.number, count(*) FILTER (WHERE a.origin = 'agent'), count(*) FILTER (WHERE "
        "a.origin <> 'agent'), r.bound, r.objective, r.gap FROM round r JOIN response a ON "
        "a.market = r.market AND a.round = r.number WHERE r.market = $1 AND r.number > "
        "$2::integer AND r.number < $3::integer GROUP BY r.market, r.number ORDER BY r.number"};
    struct db_args args = {0};

    db_add_text(&args, market);
    db_add_integer(&args, after);
    db_add_integer(&args, before);
    return db_query(session, &reports, &args, rows, err);
}

enum walras_status db_mirror_points(struct db_session *session, const char *market, int64_t round,
                                    struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql points = {"mirror_points",
                                         "SELECT price_per_mwh FROM point WHERE market = $1 AND "
                                         "round = $2 ORDER BY position"};
    struct db_args args = {0};

    db_add_text(&args, market);
    db_add_integer(&args, round);
    return db_query(session, &points, &args, rows, err);
}
