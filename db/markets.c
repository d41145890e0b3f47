#include "db/markets.h"

#include "db/values.h"

#include <stdio.h>
#include <string.h>

const char *db_market_state_name(enum db_market_state state)
{
    static const char *const names[] = {
#define X(name) #name,
        DB_MARKET_STATE_LIST(X)
#undef X
    };

    return names[state];
}

enum db_market_state db_market_state_find(const char *name)
{
    enum db_market_state state = (enum db_market_state)0;

    while (state < DB_N_MARKET_STATE && strcmp(db_market_state_name(state), name) != 0)
        state = (enum db_market_state)(state + 1);
    return state;
}

const struct db_market_move db_market_moves[] = {
    {DB_MARKET_draft, DB_MARKET_OPEN, DB_MARKET_open, "market.open", "agents may join"},
    {DB_MARKET_open, DB_MARKET_START, DB_MARKET_clearing, "market.start", "rounds begin"},
    {DB_MARKET_draft, DB_MARKET_CANCEL, DB_MARKET_cancelled, "market.cancel", "never opened"},
    {DB_MARKET_open, DB_MARKET_CANCEL, DB_MARKET_cancelled, "market.cancel", "never started"},
    {DB_MARKET_clearing, DB_MARKET_CANCEL, DB_MARKET_cancelled, "market.cancel",
     "the round that is open is dropped"},
    {DB_MARKET_clearing, DB_MARKET_FINISH, DB_MARKET_cleared, "market.finish",
     "prices and awards are there"},
    {DB_MARKET_clearing, DB_MARKET_FAIL, DB_MARKET_failed, "market.fail", "`why` says it"},
};
const size_t db_market_n_move = sizeof(db_market_moves) / sizeof(db_market_moves[0]);

static const char *event_name(enum db_market_event event)
{
    static const char *const names[] = {"opened", "started", "cancelled", "finished", "failed"};

    return names[event];
}

enum walras_status db_market_create(struct db_session *session, const char *actor,
                                    const struct db_market *market, struct walras_err *err)
{
    static const struct db_sql insert = {
        "market_insert",
        "INSERT INTO market (id, grid, currency, start_at, supply, grid_version, step_minutes, "
        "steps, points, max_rounds, max_misses, gap, round_timeout_s, created_by) VALUES ($1, $2, "
        "$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING RETURNING id"};
    const char *const texts[] = {market->id, market->grid, market->currency, market->start_at,
                                 market->supply};
    const int64_t wholes[] = {market->grid_version, market->step_minutes, market->steps,
                              market->points,       market->max_rounds,   market->max_misses};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        db_add_text(&args, texts[i]);
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++)
        db_add_integer(&args, wholes[i]);
    db_add_number(&args, market->gap);
    db_add_number(&args, market->round_timeout_s);
    db_add_text(&args, actor);
    status = db_query(session, &insert, &args, &rows, err);
    if (status == WALRAS_OK && rows.n == 0)
        status = walras_fail(err, WALRAS_CONFLICT, "there is a market \"%s\" already", market->id);
    db_rows_release(&rows);
    return status == WALRAS_OK
               ? db_audit(session, actor, "market.create", market->id, market->grid, err)
               : status;
}

static const struct db_market_move *find_move(enum db_market_state from, enum db_market_event event)
{
    for (size_t i = 0; i < db_market_n_move; i++)
        if (db_market_moves[i].from == from && db_market_moves[i].event == event)
            return &db_market_moves[i];
    return NULL;
}

static enum walras_status lock_state(struct db_session *session, const char *id,
                                     enum db_market_state *state, struct walras_err *err)
{
    static const struct db_sql lock = {"market_lock",
                                       "SELECT state FROM market WHERE id = $1 FOR UPDATE"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, id);
    status = db_query(session, &lock, &args, &rows, err);
    if (status == WALRAS_OK && rows.n == 0)
        status = walras_fail(err, WALRAS_NOT_FOUND, "there is no market \"%s\"", id);
    if (status == WALRAS_OK)
        *state = db_market_state_find(db_text(&rows, 0, 0));
    db_rows_release(&rows);
    return status;
}

/* The round that was open when clearing ended: no more answers. */
static enum walras_status close_rounds(struct db_session *session, const char *id,
                                       struct walras_err *err)
{
    static const struct db_sql close = {"market_close_rounds",
                                        "UPDATE round SET closed_at = clock_timestamp() WHERE "
                                        "market = $1 AND closed_at IS NULL"};
    struct db_args args = {0};

    db_add_text(&args, id);
    return db_query(session, &close, &args, NULL, err);
}

enum walras_status db_market_move(struct db_session *session, const char *actor, const char *id,
                                  enum db_market_event event, const char *why,
                                  struct walras_err *err)
{
    static const struct db_sql update = {"market_move",
                                         "UPDATE market SET state = $2::market_state, why = $3, "
                                         "changed_at = clock_timestamp() WHERE id = $1"};
    enum db_market_state from = DB_N_MARKET_STATE;
    const struct db_market_move *move = NULL;
    struct db_args args = {0};
    enum walras_status status = lock_state(session, id, &from, err);

    if (status != WALRAS_OK)
        return status;
    move = find_move(from, event);
    if (!move)
        return walras_fail(err, WALRAS_CONFLICT, "market \"%s\" is %s: it cannot be %s now", id,
                           from < DB_N_MARKET_STATE ? db_market_state_name(from)
                                                    : "of another kind",
                           event_name(event));
    db_add_text(&args, id);
    db_add_text(&args, db_market_state_name(move->to));
    db_add_text(&args, why);
    status = db_query(session, &update, &args, NULL, err);
    if (status == WALRAS_OK && from == DB_MARKET_clearing)
        status = close_rounds(session, id, err);
    return status == WALRAS_OK ? db_audit(session, actor, move->action, id, why ? why : "", err)
                               : status;
}

#define MARKET_JSON                                                                                \
    "json_strip_nulls(json_build_object('id', id, 'state', state, 'grid', grid, 'grid_version', "  \
    "grid_version, 'currency', currency, 'horizon', json_build_object('start', start_at, "         \
    "'step_minutes', step_minutes, 'steps', steps), 'supply', CASE WHEN $2 THEN supply END, "      \
    "'gap', gap, 'points', points, 'max_rounds', max_rounds, 'round_timeout_s', round_timeout_s, " \
    "'straggler', json_build_object('max_misses', max_misses), 'round', (SELECT max(number) FROM " \
    "round r WHERE r.market = m.id), 'participants', (SELECT count(*) FROM participant p WHERE "   \
    "p.market = m.id), 'why', CASE WHEN $2 THEN why END, 'created_at', created_at, 'changed_at', " \
    "changed_at))"

enum walras_status db_market_get(struct db_session *session, const char *id, bool full,
                                 struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql get = {"market_get",
                                      "SELECT " MARKET_JSON ", id FROM market m WHERE id = $1"};
    struct db_args args = {0};

    db_add_text(&args, id);
    db_add_bool(&args, full);
    return db_query(session, &get, &args, rows, err);
}

enum walras_status db_market_list(struct db_session *session, const char *state, bool full,
                                  const struct db_page *page, struct db_rows *rows,
                                  struct walras_err *err)
{
    static const struct db_sql list = {"market_list",
                                       "SELECT " MARKET_JSON
                                       ", id FROM market m WHERE ($1::text IS NULL OR state = "
                                       "$1::market_state) AND id > $3 ORDER BY id LIMIT $4"};
    struct db_args args = {0};

    db_add_text(&args, state);
    db_add_bool(&args, full);
    db_add_page(&args, page);
    return db_query(session, &list, &args, rows, err);
}

#define MARKET_COLUMNS                                                                             \
    "SELECT id, grid, currency, start_at, supply, grid_version, step_minutes, steps, points, "     \
    "max_rounds, max_misses, gap, round_timeout_s, state FROM market WHERE id = $1"

static enum walras_status load(struct db_session *session, const struct db_sql *sql, const char *id,
                               struct db_rows *rows, struct db_market *market,
                               enum db_market_state *state, struct walras_err *err)
{
    struct db_args args = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, id);
    status = db_query(session, sql, &args, rows, err);
    if (status != WALRAS_OK)
        return status;
    if (rows->n == 0)
        return walras_fail(err, WALRAS_NOT_FOUND, "there is no market \"%s\"", id);
    *market = (struct db_market){.id = db_text(rows, 0, 0),
                                 .grid = db_text(rows, 0, 1),
                                 .currency = db_text(rows, 0, 2),
                                 .start_at = db_text(rows, 0, 3),
                                 .supply = db_text(rows, 0, 4),
                                 .grid_version = db_integer(rows, 0, 5),
                                 .step_minutes = db_integer(rows, 0, 6),
                                 .steps = db_integer(rows, 0, 7),
                                 .points = db_integer(rows, 0, 8),
                                 .max_rounds = db_integer(rows, 0, 9),
                                 .max_misses = db_integer(rows, 0, 10),
                                 .gap = db_number(rows, 0, 11),
                                 .round_timeout_s = db_number(rows, 0, 12)};
    *state = db_market_state_find(db_text(rows, 0, 13));
    return WALRAS_OK;
}

enum walras_status db_market_load(struct db_session *session, const char *id, struct db_rows *rows,
                                  struct db_market *market, enum db_market_state *state,
                                  struct walras_err *err)
{
    static const struct db_sql sql = {"market_load", MARKET_COLUMNS};

    return load(session, &sql, id, rows, market, state, err);
}

enum walras_status db_market_hold(struct db_session *session, const char *id, struct db_rows *rows,
                                  struct db_market *market, enum db_market_state *state,
                                  struct walras_err *err)
{
    static const struct db_sql sql = {"market_hold", MARKET_COLUMNS " FOR SHARE"};

    return load(session, &sql, id, rows, market, state, err);
}

enum walras_status db_market_clearing(struct db_session *session, struct db_rows *rows,
                                      struct walras_err *err)
{
    static const struct db_sql list = {
        "market_clearing",
        "SELECT id FROM market WHERE state = 'clearing' ORDER BY changed_at, id LIMIT 1000"};

    return db_query(session, &list, NULL, rows, err);
}
