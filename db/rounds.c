#include "db/rounds.h"

#include "db/values.h"

#include <string.h>

static struct db_args args_of(const struct db_round *round)
{
    struct db_args args = {0};

    db_add_text(&args, round->market);
    db_add_integer(&args, round->number);
    return args;
}

enum walras_status db_round_find(struct db_session *session, const struct db_round *round,
                                 struct db_round_state *state, struct walras_err *err)
{
    static const struct db_sql find = {
        "round_find",
        "SELECT m.state, r.number IS NOT NULL, r.closed_at IS NOT NULL, extract(epoch FROM "
        "r.deadline - clock_timestamp())::float8, $2::integer = 1 OR EXISTS (SELECT FROM round b "
        "WHERE b.market = m.id AND b.number = $2::integer - 1 AND b.closed_at IS NOT NULL) FROM "
        "market m LEFT JOIN round r ON r.market = m.id AND r.number = $2::integer WHERE m.id = $1"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, round->market);
    db_add_integer(&args, round->number);
    status = db_query(session, &find, &args, &rows, err);
    if (status != WALRAS_OK)
        return status;
    if (rows.n == 0 || strcmp(db_text(&rows, 0, 0), "clearing") != 0)
        status = walras_fail(err, WALRAS_CONFLICT, "market \"%s\" is not clearing", round->market);
    else
        *state = (struct db_round_state){.there = db_bool(&rows, 0, 1),
                                         .closed = db_bool(&rows, 0, 2),
                                         .follows = db_bool(&rows, 0, 4),
                                         .remaining_s = db_number(&rows, 0, 3)};
    db_rows_release(&rows);
    return status;
}

static enum walras_status insert_point(struct db_session *session, const struct db_round *round,
                                       size_t position, const double *price_per_mwh, size_t n_price,
                                       struct walras_err *err)
{
    static const struct db_sql insert = {
        "point_insert", "INSERT INTO point (market, round, position, price_per_mwh) "
                        "VALUES ($1, $2, $3, $4)"};
    struct walras_text prices = {0};
    struct db_args args = args_of(round);
    enum walras_status status = db_numbers_text(price_per_mwh, n_price, &prices, err);

    db_add_integer(&args, (int64_t)position);
    db_add_text(&args, prices.data);
    if (status == WALRAS_OK)
        status = db_query(session, &insert, &args, NULL, err);
    walras_text_release(&prices);
    return status;
}

enum walras_status db_round_open(struct db_session *session, const struct db_round *round,
                                 double timeout_s, const double *price_per_mwh, size_t n_point,
                                 size_t n_price, struct walras_err *err)
{
    static const struct db_sql insert = {
        "round_insert", "INSERT INTO round (market, number, deadline) SELECT $1, $2, "
                        "clock_timestamp() + make_interval(secs => $3) FROM market WHERE id = $1 "
                        "AND state = 'clearing' FOR SHARE RETURNING number"};
    struct db_args args = args_of(round);
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_number(&args, timeout_s);
    status = db_query(session, &insert, &args, &rows, err);
    if (status == WALRAS_OK && rows.n == 0)
        status = walras_fail(err, WALRAS_CONFLICT, "market \"%s\" is not clearing", round->market);
    db_rows_release(&rows);
    for (size_t i = 0; status == WALRAS_OK && i < n_point; i++)
        status = insert_point(session, round, i, price_per_mwh + i * n_price, n_price, err);
    return status;
}

enum walras_status db_round_extend(struct db_session *session, const struct db_round *round,
                                   double timeout_s, struct walras_err *err)
{
    static const struct db_sql update = {
        "round_extend", "UPDATE round SET deadline = clock_timestamp() + make_interval(secs => $3) "
                        "WHERE market = $1 AND number = $2 AND closed_at IS NULL"};
    struct db_args args = args_of(round);

    db_add_number(&args, timeout_s);
    return db_query(session, &update, &args, NULL, err);
}

enum walras_status db_round_same(struct db_session *session, const struct db_round *round,
                                 const double *price_per_mwh, size_t n_point, size_t n_price,
                                 bool *same, struct walras_err *err)
{
    static const struct db_sql list = {"point_list", "SELECT price_per_mwh FROM point WHERE market "
                                                     "= $1 AND round = $2 ORDER BY position"};
    struct db_args args = args_of(round);
    struct db_rows rows = {0};
    struct walras_text prices = {0};
    enum walras_status status = db_query(session, &list, &args, &rows, err);

    *same = status == WALRAS_OK && rows.n == n_point;
    for (size_t i = 0; status == WALRAS_OK && *same && i < n_point; i++) {
        status = db_numbers_text(price_per_mwh + i * n_price, n_price, &prices, err);
        *same = status == WALRAS_OK && db_numbers_count(&rows, i, 0) == n_price &&
                strcmp(prices.data, db_text(&rows, i, 0)) == 0;
        walras_text_release(&prices);
    }
    db_rows_release(&rows);
    return status;
}

/* Remote participants without an answer, as an array: *missing, to be released. */
static enum walras_status find_missing(struct db_session *session, const struct db_round *round,
                                       struct walras_text *missing, size_t *n,
                                       struct walras_err *err)
{
    static const struct db_sql list = {
        "response_missing",
        "SELECT p.agent FROM participant p JOIN agent a ON a.id = p.agent WHERE p.market = $1 AND "
        "a.kind = 'remote' EXCEPT SELECT agent FROM response WHERE market = $1 AND round = $2"};
    struct db_args args = args_of(round);
    struct db_rows rows = {0};
    enum walras_status status = db_query(session, &list, &args, &rows, err);

    *n = status == WALRAS_OK ? rows.n : 0;
    db_array_open(missing);
    for (size_t i = 0; i < *n; i++)
        db_array_text(missing, db_text(&rows, i, 0));
    db_array_close(missing);
    db_rows_release(&rows);
    if (status == WALRAS_OK && missing->failure != WALRAS_OK)
        status = walras_fail(err, missing->failure, "%zu agents do not fit in one array", *n);
    return status;
}

static enum walras_status stand_in(struct db_session *session, const struct db_round *round,
                                   size_t n_point, const char *missing, struct walras_err *err)
{
    /* the last answer's last point, for every point of this round; or the fallback at no cost */
    static const struct db_sql insert = {
        "response_stand_in",
        "WITH last AS (SELECT DISTINCT ON (r.agent) r.agent, r.draw_kw[cardinality(r.draw_kw) - "
        "m.steps + 1:] AS draw_kw, r.cost[cardinality(r.cost)] AS cost FROM response r JOIN market "
        "m ON m.id = r.market WHERE r.market = $1 AND r.origin = 'agent' AND r.agent = "
        "ANY($4::text[]) ORDER BY r.agent, r.round DESC) "
        "INSERT INTO response (market, round, agent, origin, draw_kw, cost) "
        "SELECT $1, $2, p.agent, CASE WHEN l.draw_kw IS NULL THEN 'fallback'::response_origin "
        "ELSE 'repeated' END, (SELECT array_agg(kw ORDER BY point, step) FROM generate_series(1, "
        "$3::integer) AS point, unnest(coalesce(l.draw_kw, p.fallback_kw)) WITH ORDINALITY AS d "
        "(kw, step)), array_fill(CASE WHEN l.draw_kw IS NULL THEN 0 ELSE l.cost END, "
        "ARRAY[$3::integer]) "
        "FROM participant p LEFT JOIN last l ON l.agent = p.agent WHERE p.market = $1 AND p.agent "
        "= ANY($4::text[])"};
    struct db_args args = args_of(round);

    db_add_integer(&args, (int64_t)n_point);
    db_add_text(&args, missing);
    return db_query(session, &insert, &args, NULL, err);
}

static enum walras_status count_misses(struct db_session *session, const struct db_round *round,
                                       int64_t max_misses, const char *missing,
                                       struct walras_err *err)
{
    static const struct db_sql update = {
        "participant_miss",
        "UPDATE participant SET misses = misses + 1, suspended = misses + 1 >= $2 WHERE market = "
        "$1 AND NOT suspended AND agent = ANY($3::text[]) RETURNING agent, suspended"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, round->market);
    db_add_integer(&args, max_misses);
    db_add_text(&args, missing);
    status = db_query(session, &update, &args, &rows, err);
    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++)
        if (db_bool(&rows, i, 1))
            status = db_audit(session, "server", "market.suspend", round->market,
                              db_text(&rows, i, 0), err);
    db_rows_release(&rows);
    return status;
}

/* Who has not answered is found once; usually nobody, and then there is nothing more to do. */
static enum walras_status see_to_missing(struct db_session *session, const struct db_round *round,
                                         size_t n_point, int64_t max_misses, struct walras_err *err)
{
    struct walras_text missing = {0};
    size_t n = 0;
    enum walras_status status = find_missing(session, round, &missing, &n, err);

    if (status == WALRAS_OK && n > 0)
        status = stand_in(session, round, n_point, missing.data, err);
    if (status == WALRAS_OK && n > 0)
        status = count_misses(session, round, max_misses, missing.data, err);
    walras_text_release(&missing);
    return status;
}

enum walras_status db_round_close(struct db_session *session, const struct db_round *round,
                                  size_t n_point, int64_t max_misses, struct walras_err *err)
{
    static const struct db_sql lock = {
        "round_lock", "SELECT closed_at IS NOT NULL FROM round WHERE market = $1 AND number = $2 "
                      "FOR UPDATE"};
    static const struct db_sql close = {
        "round_close",
        "UPDATE round SET closed_at = clock_timestamp() WHERE market = $1 AND number = $2"};
    struct db_args args = args_of(round);
    struct db_rows rows = {0};
    bool closed = false;
    enum walras_status status = db_query(session, &lock, &args, &rows, err);

    closed = status == WALRAS_OK && rows.n > 0 && db_bool(&rows, 0, 0);
    db_rows_release(&rows);
    if (status == WALRAS_OK && !closed)
        status = see_to_missing(session, round, n_point, max_misses, err);
    if (status == WALRAS_OK && !closed)
        status = db_query(session, &close, &args, NULL, err);
    return status;
}

enum walras_status db_round_answers(struct db_session *session, const struct db_round *round,
                                    struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql list = {
        "response_list", "SELECT agent, draw_kw, cost, origin FROM response WHERE market = $1 AND "
                         "round = $2 ORDER BY agent"};
    struct db_args args = args_of(round);

    return db_query(session, &list, &args, rows, err);
}

enum walras_status db_round_before(struct db_session *session, const struct db_round *round,
                                   const struct db_round_agent *agent, struct db_rows *rows,
                                   struct walras_err *err)
{
    static const struct db_sql list = {
        "response_before",
        "SELECT p.price_per_mwh[$4::integer * $5::integer + 1:($4::integer + 1) * $5::integer], "
        "r.draw_kw[p.position * $5::integer + 1:(p.position + 1) * $5::integer], r.cost[p.position "
        "+ 1], r.origin FROM point p JOIN response r ON r.market = p.market AND r.round = p.round "
        "WHERE p.market = $1 AND p.round < $2::integer AND r.agent = $3 ORDER BY p.round, "
        "p.position"};
    struct db_args args = args_of(round);

    db_add_text(&args, agent->id);
    db_add_integer(&args, agent->bus);
    db_add_integer(&args, agent->n_step);
    return db_query(session, &list, &args, rows, err);
}

enum walras_status db_round_answered(struct db_session *session, const struct db_round *round,
                                     struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql list = {
        "response_agents", "SELECT agent FROM response WHERE market = $1 AND round = $2"};
    struct db_args args = args_of(round);

    return db_query(session, &list, &args, rows, err);
}

enum walras_status db_round_report(struct db_session *session, const struct db_round *round,
                                   double bound, double objective, double gap,
                                   struct walras_err *err)
{
    static const struct db_sql update = {
        "round_report", "UPDATE round SET bound = $3, objective = $4, gap = $5 WHERE market = $1 "
                        "AND number = $2"};
    struct db_args args = args_of(round);

    db_add_number(&args, bound);
    db_add_number(&args, objective);
    db_add_number(&args, gap);
    return db_query(session, &update, &args, NULL, err);
}

enum walras_status db_round_points(struct db_session *session, const struct db_round *round,
                                   int64_t *n_point, struct walras_err *err)
{
    static const struct db_sql count = {
        "point_count", "SELECT count(*) FROM point WHERE market = $1 AND round = $2"};
    struct db_args args = args_of(round);
    struct db_rows rows = {0};
    enum walras_status status = db_query(session, &count, &args, &rows, err);

    if (status == WALRAS_OK)
        *n_point = db_integer(&rows, 0, 0);
    db_rows_release(&rows);
    return status;
}

enum walras_status db_round_participants(struct db_session *session, const char *market,
                                         struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql list = {
        "round_participants",
        "SELECT p.agent, a.kind, a.bus, a.owner, (SELECT coalesce(json_agg(definition ORDER BY "
        "position), '[]') FROM device d WHERE d.agent = a.id), p.fallback_kw, p.suspended, "
        "p.misses "
        "FROM participant p JOIN agent a ON a.id = p.agent WHERE p.market = $1 ORDER BY p.agent"};
    struct db_args args = {0};

    db_add_text(&args, market);
    return db_query(session, &list, &args, rows, err);
}

enum walras_status db_round_suspended(struct db_session *session, const char *market,
                                      struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql list = {
        "round_suspended", "SELECT agent FROM participant WHERE market = $1 AND suspended"};
    struct db_args args = {0};

    db_add_text(&args, market);
    return db_query(session, &list, &args, rows, err);
}

enum walras_status db_round_stand_ins(struct db_session *session, const char *market,
                                      size_t *n_repeated, size_t *n_fallback,
                                      struct walras_err *err)
{
    static const struct db_sql count = {
        "response_stand_ins",
        "SELECT count(*) FILTER (WHERE origin = 'repeated'), count(*) FILTER (WHERE origin = "
        "'fallback') FROM response WHERE market = $1"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, market);
    status = db_query(session, &count, &args, &rows, err);
    if (status == WALRAS_OK) {
        *n_repeated = (size_t)db_integer(&rows, 0, 0);
        *n_fallback = (size_t)db_integer(&rows, 0, 1);
    }
    db_rows_release(&rows);
    return status;
}
