#include "db/responses.h"

#include "core/names.h"
#include "db/values.h"

/* One of which something is there already, or whose round is closed: what became of it. */
static enum walras_status put_one(struct db_session *session, const struct db_round *round,
                                  struct db_response *response, struct walras_err *err)
{
    static const struct db_sql put = {
        "response_put",
        "WITH r AS (SELECT closed_at IS NULL AS open FROM round WHERE market = $1 AND number = $2 "
        "FOR SHARE), kept AS (INSERT INTO response (market, round, agent, draw_kw, cost) SELECT "
        "$1, "
        "$2, $3, $4::float8[], $5::float8[] FROM r WHERE open ON CONFLICT DO NOTHING RETURNING 1) "
        "SELECT EXISTS (SELECT 1 FROM kept), (SELECT origin = 'agent' AND draw_kw = $4::float8[] "
        "AND "
        "cost = $5::float8[] FROM response WHERE market = $1 AND round = $2 AND agent = $3), "
        "(SELECT "
        "origin = 'agent' FROM response WHERE market = $1 AND round = $2 AND agent = $3)"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, round->market);
    db_add_integer(&args, round->number);
    db_add_text(&args, response->agent);
    db_add_text(&args, response->draw_kw);
    db_add_text(&args, response->cost);
    status = db_query(session, &put, &args, &rows, err);
    if (status != WALRAS_OK)
        return status;
    response->fate = db_bool(&rows, 0, 0)   ? DB_RESPONSE_KEPT
                     : db_bool(&rows, 0, 1) ? DB_RESPONSE_AGAIN
                     : db_bool(&rows, 0, 2) ? DB_RESPONSE_DIFFERS
                                            : DB_RESPONSE_LATE;
    db_rows_release(&rows);
    return WALRAS_OK;
}

struct columns {
    struct walras_text agent, draw_kw, cost; /* an element an answer */
};

static void release(struct columns *c)
{
    walras_text_release(&c->agent);
    walras_text_release(&c->draw_kw);
    walras_text_release(&c->cost);
}

static enum walras_status word(const struct db_response *list, size_t n, struct columns *c,
                               struct walras_err *err)
{
    db_array_open(&c->agent);
    db_array_open(&c->draw_kw);
    db_array_open(&c->cost);
    for (size_t i = 0; i < n; i++) {
        db_array_text(&c->agent, list[i].agent);
        db_array_text(&c->draw_kw, list[i].draw_kw);
        db_array_text(&c->cost, list[i].cost);
    }
    db_array_close(&c->agent);
    db_array_close(&c->draw_kw);
    db_array_close(&c->cost);
    if (c->agent.failure != WALRAS_OK || c->draw_kw.failure != WALRAS_OK ||
        c->cost.failure != WALRAS_OK)
        return walras_fail(err, WALRAS_NOMEM, "%zu answers do not fit in one statement", n);
    return WALRAS_OK;
}

/* Of the list, those among the rows are kept; the others are looked at one by one. */
static enum walras_status sort_out(struct db_session *session, const struct db_round *round,
                                   struct db_response *list, size_t n, const struct db_rows *kept,
                                   struct walras_err *err)
{
    struct walras_names *kept_names = NULL, *seen = NULL;
    enum walras_status status = walras_names_new(&kept_names, err);

    if (status == WALRAS_OK)
        status = walras_names_new(&seen, err);
    for (size_t i = 0; i < kept->n && status == WALRAS_OK; i++)
        status = walras_names_add(kept_names, db_text(kept, i, 0), err);
    for (size_t i = 0; i < n && status == WALRAS_OK; i++) {
        bool again = walras_names_find(seen, list[i].agent) != SIZE_MAX;

        if (!again)
            status = walras_names_add(seen, list[i].agent, err);
        if (!again && walras_names_find(kept_names, list[i].agent) != SIZE_MAX)
            list[i].fate = DB_RESPONSE_KEPT;
        else if (status == WALRAS_OK)
            status = put_one(session, round, &list[i], err);
    }
    walras_names_free(kept_names);
    walras_names_free(seen);
    return status;
}

enum walras_status db_responses_put(struct db_session *session, const struct db_round *round,
                                    struct db_response *list, size_t n, struct walras_err *err)
{
    static const struct db_sql put = {
        "responses_put",
        "WITH r AS (SELECT closed_at IS NULL AS open FROM round WHERE market = $1 AND number = $2 "
        "FOR SHARE) INSERT INTO response (market, round, agent, draw_kw, cost) SELECT $1, $2, "
        "g.agent, g.draw_kw::float8[], g.cost::float8[] FROM r, unnest($3::text[], $4::text[], "
        "$5::text[]) AS g (agent, draw_kw, cost) WHERE r.open ON CONFLICT DO NOTHING RETURNING "
        "agent"};
    struct columns columns = {0};
    struct db_args args = {0};
    struct db_rows kept = {0};
    enum walras_status status = word(list, n, &columns, err);

    db_add_text(&args, round->market);
    db_add_integer(&args, round->number);
    db_add_text(&args, columns.agent.data);
    db_add_text(&args, columns.draw_kw.data);
    db_add_text(&args, columns.cost.data);
    if (status == WALRAS_OK)
        status = db_query(session, &put, &args, &kept, err);
    release(&columns);
    if (status == WALRAS_OK && kept.n < n)
        status = sort_out(session, round, list, n, &kept, err);
    for (size_t i = 0; i < n && status == WALRAS_OK && kept.n == n; i++)
        list[i].fate = DB_RESPONSE_KEPT;
    db_rows_release(&kept);
    return status;
}
