#include "db/follow.h"

#include "db/values.h"

enum walras_status db_follow_state(struct db_session *session, const char *market, bool full,
                                   struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql get = {
        "follow_state",
        "SELECT state, json_strip_nulls(json_build_object('state', state, 'why', CASE WHEN $2 THEN "
        "why END)), "
        "coalesce((SELECT max(number) FROM round r WHERE r.market = m.id AND closed_at IS NOT "
        "NULL), 0) FROM market m WHERE id = $1"};
    struct db_args args = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, market);
    db_add_bool(&args, full);
    status = db_query(session, &get, &args, rows, err);
    if (status == WALRAS_OK && rows->n == 0) {
        db_rows_release(rows);
        status = walras_fail(err, WALRAS_NOT_FOUND, "there is no market \"%s\"", market);
    }
    return status;
}

enum walras_status db_follow_rounds(struct db_session *session, const char *market, int64_t after,
                                    int64_t limit, struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql list = {
        "follow_rounds",
        "SELECT number, json_strip_nulls(json_build_object('round', number, 'answers', (SELECT "
        "count(*) FROM response a WHERE a.market = r.market AND a.round = number AND origin = "
        "'agent'), 'stand_ins', (SELECT count(*) FROM response a WHERE a.market = r.market AND "
        "a.round = number AND origin <> 'agent'), 'bound', bound, 'objective', objective, 'gap', "
        "gap)) FROM round r WHERE market = $1 AND number > $2::integer AND closed_at IS NOT NULL "
        "ORDER BY number LIMIT $3"};
    struct db_args args = {0};

    db_add_text(&args, market);
    db_add_integer(&args, after);
    db_add_integer(&args, limit);
    return db_query(session, &list, &args, rows, err);
}

enum walras_status db_follow_prices(struct db_session *session,
                                    const struct db_follow_prices *wanted, struct db_rows *rows,
                                    struct walras_err *err)
{
    static const struct db_sql list = {
        "follow_prices",
        "SELECT position, json_build_object('bus', bus, 'prices_per_mwh', price_per_mwh) FROM "
        "price p WHERE market = $1 AND position > $2::integer AND ($4::text IS NULL OR EXISTS "
        "(SELECT FROM participant x JOIN agent a ON a.id = x.agent WHERE x.market = p.market AND "
        "a.bus = p.bus AND a.owner = $4 AND ($5::text IS NULL OR a.id = $5))) ORDER BY position "
        "LIMIT $3"};
    struct db_args args = {0};

    db_add_text(&args, wanted->market);
    db_add_integer(&args, wanted->after);
    db_add_integer(&args, wanted->limit);
    db_add_text(&args, wanted->owner);
    db_add_text(&args, wanted->agent);
    return db_query(session, &list, &args, rows, err);
}
