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

struct columns { /* an element an answer, or so many numbers each */
    struct walras_text agent;
    struct db_doubles draw_kw, cost;
};

static void release(struct columns *c)
{
    walras_text_release(&c->agent);
    walras_text_release(&c->draw_kw.bytes);
    walras_text_release(&c->cost.bytes);
}

static enum walras_status word(const struct db_response *list, size_t n, struct columns *c,
                               struct walras_err *err)
{
    bool good = true;

    db_array_open(&c->agent);
    db_doubles_open(&c->draw_kw);
    db_doubles_open(&c->cost);
    for (size_t i = 0; i < n && good; i++) {
        db_array_text(&c->agent, list[i].agent);
        good =
            db_doubles_add(&c->draw_kw, list[i].draw_kw) && db_doubles_add(&c->cost, list[i].cost);
    }
    db_array_close(&c->agent);
    db_doubles_close(&c->draw_kw);
    db_doubles_close(&c->cost);
    if (!good || c->draw_kw.n % n != 0 || c->cost.n % n != 0)
        return walras_fail(err, WALRAS_INTERNAL, "answers to one round have different lengths");
    if (c->agent.failure != WALRAS_OK || c->draw_kw.bytes.failure != WALRAS_OK ||
        c->cost.bytes.failure != WALRAS_OK)
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

/* What is new, as rows of agents. */
static enum walras_status insert(struct db_session *session, const struct db_round *round,
                                 const struct columns *columns, size_t n, struct db_rows *kept,
                                 struct walras_err *err)
{
    /* the numbers of all answers stand one after the other, so many each; NaN is a hidden cost */
    static const struct db_sql put = {
        "responses_put",
        "WITH r AS (SELECT closed_at IS NULL AS open FROM round WHERE market = $1 AND number = $2 "
        "FOR SHARE) INSERT INTO response (market, round, agent, draw_kw, cost) SELECT $1, $2, "
        "g.agent, ($4::float8[])[(g.i - 1) * $5::integer + 1 : g.i * $5::integer], "
        "array_replace(($6::float8[])[(g.i - 1) * $7::integer + 1 : g.i * $7::integer], 'NaN', "
        "NULL) FROM r, unnest($3::text[]) WITH ORDINALITY AS g (agent, i) WHERE r.open ON CONFLICT "
        "DO NOTHING RETURNING agent"};
    struct db_args args = {0};

    db_add_text(&args, round->market);
    db_add_integer(&args, round->number);
    db_add_text(&args, columns->agent.data);
    db_add_bytes(&args, columns->draw_kw.bytes.data, columns->draw_kw.bytes.size);
    db_add_integer(&args, (int64_t)(columns->draw_kw.n / n));
    db_add_bytes(&args, columns->cost.bytes.data, columns->cost.bytes.size);
    db_add_integer(&args, (int64_t)(columns->cost.n / n));
    return db_query(session, &put, &args, kept, err);
}

enum walras_status db_responses_put(struct db_session *session, const struct db_round *round,
                                    struct db_response *list, size_t n, struct walras_err *err)
{
    struct columns columns = {0};
    struct db_rows kept = {0};
    enum walras_status status = WALRAS_OK;

    if (n == 0)
        return WALRAS_OK;
    status = word(list, n, &columns, err);
    if (status == WALRAS_OK)
        status = insert(session, round, &columns, n, &kept, err);
    release(&columns);
    if (status == WALRAS_OK && kept.n < n)
        status = sort_out(session, round, list, n, &kept, err);
    for (size_t i = 0; i < n && status == WALRAS_OK && kept.n == n; i++)
        list[i].fate = DB_RESPONSE_KEPT;
    db_rows_release(&kept);
    return status;
}
