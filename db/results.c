#include "db/results.h"

#include "db/values.h"

#include <math.h>

/* Runs an insert whose last argument is an array. */
static enum walras_status insert(struct db_session *session, const struct db_sql *sql,
                                 struct db_args *args, const double *values, size_t n,
                                 struct walras_err *err)
{
    struct walras_text text = {0};
    enum walras_status status = db_numbers_text(values, n, &text, err);

    db_add_text(args, text.data);
    if (status == WALRAS_OK)
        status = db_query(session, sql, args, NULL, err);
    walras_text_release(&text);
    return status;
}

enum walras_status db_result_price(struct db_session *session, const char *market, size_t position,
                                   const char *bus, const double *price_per_mwh, size_t n_step,
                                   struct walras_err *err)
{
    static const struct db_sql sql = {
        "price_insert",
        "INSERT INTO price (market, position, bus, price_per_mwh) VALUES ($1, $2, $3, $4)"};
    struct db_args args = {0};

    db_add_text(&args, market);
    db_add_integer(&args, (int64_t)position);
    db_add_text(&args, bus);
    return insert(session, &sql, &args, price_per_mwh, n_step, err);
}

enum { AWARDS_A_STATEMENT = 1000 };

struct award_columns {
    struct walras_text agent, draw_kw, cost, mix; /* an element an award */
};

static void release_columns(struct award_columns *c)
{
    walras_text_release(&c->agent);
    walras_text_release(&c->draw_kw);
    walras_text_release(&c->cost);
    walras_text_release(&c->mix);
}

static enum walras_status word_awards(const struct db_award *list, size_t n, size_t n_step,
                                      struct award_columns *c, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    db_array_open(&c->agent);
    db_array_open(&c->draw_kw);
    db_array_open(&c->cost);
    db_array_open(&c->mix);
    for (size_t i = 0; i < n && status == WALRAS_OK; i++) {
        struct walras_text draws = {0};

        status = db_numbers_text(list[i].draw_kw, n_step, &draws, err);
        db_array_text(&c->agent, list[i].agent);
        if (status == WALRAS_OK)
            db_array_text(&c->draw_kw, draws.data);
        db_array_number(&c->cost, list[i].cost);
        db_array_number(&c->mix, list[i].mix < 0 ? (double)NAN : (double)list[i].mix);
        walras_text_release(&draws);
    }
    db_array_close(&c->agent);
    db_array_close(&c->draw_kw);
    db_array_close(&c->cost);
    db_array_close(&c->mix);
    if (status == WALRAS_OK && (c->agent.failure != WALRAS_OK || c->draw_kw.failure != WALRAS_OK ||
                                c->cost.failure != WALRAS_OK || c->mix.failure != WALRAS_OK))
        status = walras_fail(err, WALRAS_NOMEM, "%zu awards do not fit in one statement", n);
    return status;
}

static enum walras_status put_awards(struct db_session *session, const char *market,
                                     const struct db_award *list, size_t n, size_t n_step,
                                     struct walras_err *err)
{
    static const struct db_sql sql = {
        "awards_insert",
        "INSERT INTO award (market, agent, draw_kw, cost, mix) SELECT $1, agent, "
        "draw_kw::float8[], "
        "cost, mix FROM unnest($2::text[], $3::text[], $4::float8[], $5::integer[]) AS g (agent, "
        "draw_kw, cost, mix)"};
    struct award_columns columns = {0};
    struct db_args args = {0};
    enum walras_status status = word_awards(list, n, n_step, &columns, err);

    db_add_text(&args, market);
    db_add_text(&args, columns.agent.data);
    db_add_text(&args, columns.draw_kw.data);
    db_add_text(&args, columns.cost.data);
    db_add_text(&args, columns.mix.data);
    if (status == WALRAS_OK)
        status = db_query(session, &sql, &args, NULL, err);
    release_columns(&columns);
    return status;
}

enum walras_status db_result_awards(struct db_session *session, const char *market,
                                    const struct db_award *list, size_t n, size_t n_step,
                                    struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < n && status == WALRAS_OK; i += AWARDS_A_STATEMENT)
        status = put_awards(session, market, list + i,
                            n - i < AWARDS_A_STATEMENT ? n - i : AWARDS_A_STATEMENT, n_step, err);
    return status;
}

enum walras_status db_result_weight(struct db_session *session, const char *market, int64_t mix,
                                    int64_t round, int64_t position, double weight,
                                    struct walras_err *err)
{
    static const struct db_sql sql = {
        "weight_insert", "INSERT INTO mix_weight (market, mix, round, position, weight) "
                         "VALUES ($1, $2, $3, $4, $5)"};
    struct db_args args = {0};

    db_add_text(&args, market);
    db_add_integer(&args, mix);
    db_add_integer(&args, round);
    db_add_integer(&args, position);
    db_add_number(&args, weight);
    return db_query(session, &sql, &args, NULL, err);
}

enum walras_status db_result_documents(struct db_session *session, const char *market,
                                       const char *result, const char *certificate,
                                       struct walras_err *err)
{
    static const struct db_sql put_result = {"result_insert",
                                             "INSERT INTO result (market, body) VALUES ($1, $2)"};
    static const struct db_sql put_certificate = {
        "certificate_insert", "INSERT INTO certificate (market, body) VALUES ($1, $2)"};
    struct db_args args = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, market);
    db_add_text(&args, result);
    status = db_query(session, &put_result, &args, NULL, err);
    args = (struct db_args){0};
    db_add_text(&args, market);
    db_add_text(&args, certificate);
    return status == WALRAS_OK ? db_query(session, &put_certificate, &args, NULL, err) : status;
}

static enum walras_status get(struct db_session *session, const struct db_sql *sql,
                              const char *market, struct db_rows *rows, struct walras_err *err)
{
    struct db_args args = {0};

    db_add_text(&args, market);
    return db_query(session, sql, &args, rows, err);
}

enum walras_status db_result_get(struct db_session *session, const char *market,
                                 struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql sql = {"result_get", "SELECT body FROM result WHERE market = $1"};

    return get(session, &sql, market, rows, err);
}

enum walras_status db_certificate_get(struct db_session *session, const char *market,
                                      const char *owner, struct db_rows *rows,
                                      struct walras_err *err)
{
    static const struct db_sql sql = {
        "certificate_get",
        /* in the text, so that it stays in its order: ids have no brackets */
        "SELECT CASE WHEN $2::text IS NULL THEN body::text ELSE regexp_replace(body::text, "
        "'\"suspended\": \\[[^]]*\\]', '\"suspended\": ' || (SELECT coalesce(json_agg(a.id "
        "ORDER BY a.id), '[]')::text FROM json_array_elements_text(body #> "
        "'{remote,suspended}') AS s JOIN agent a ON a.id = s WHERE a.owner = $2)) END FROM "
        "certificate WHERE market = $1"};
    struct db_args args = {0};

    db_add_text(&args, market);
    db_add_text(&args, owner);
    return db_query(session, &sql, &args, rows, err);
}

enum walras_status db_binding_get(struct db_session *session, const char *market,
                                  struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql sql = {
        "binding_get",
        "SELECT json_build_object('binding', body -> 'binding', 'relaxed', body -> 'relaxed') FROM "
        "result WHERE market = $1"};

    return get(session, &sql, market, rows, err);
}

enum walras_status db_price_list(struct db_session *session, const char *market,
                                 const struct db_page *page, struct db_rows *rows,
                                 struct walras_err *err)
{
    static const struct db_sql sql = {
        "price_list", "SELECT json_build_object('bus', bus, 'prices_per_mwh', price_per_mwh), "
                      "position FROM price WHERE market = $1 AND position > CASE WHEN $2 = '' THEN "
                      "-1 ELSE $2::integer END ORDER BY position LIMIT $3"};
    struct db_args args = {0};

    db_add_text(&args, market);
    db_add_page(&args, page);
    return db_query(session, &sql, &args, rows, err);
}

enum walras_status db_round_list(struct db_session *session, const char *market,
                                 struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql sql = {
        "round_list",
        "SELECT coalesce(json_agg(json_strip_nulls(json_build_object('round', number, 'opened_at', "
        "opened_at, 'deadline', deadline, 'closed_at', closed_at, 'points', (SELECT count(*) FROM "
        "point p WHERE p.market = r.market AND p.round = number), 'answers', (SELECT count(*) FROM "
        "response a WHERE a.market = r.market AND a.round = number AND origin = 'agent'), "
        "'stand_ins', (SELECT count(*) FROM response a WHERE a.market = r.market AND a.round = "
        "number AND origin <> 'agent'), 'bound', bound, 'objective', objective, 'gap', gap)) ORDER "
        "BY number), '[]') FROM round r WHERE market = $1"};

    return get(session, &sql, market, rows, err);
}

enum walras_status db_award_get(struct db_session *session, const char *market, const char *agent,
                                const char *owner, struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql sql = {
        "award_get",
        "SELECT json_strip_nulls(json_build_object('market', w.market, 'agent', w.agent, "
        "'draw_kw', "
        "w.draw_kw, 'cost', w.cost, 'weights', (SELECT "
        "coalesce(json_agg(json_build_object('round', "
        "round, 'point', position, 'weight', weight) ORDER BY round, position), '[]') FROM "
        "mix_weight x WHERE x.market = w.market AND x.mix = w.mix))) FROM award w JOIN agent "
        "a "
        "ON a.id = w.agent WHERE w.market = $1 AND w.agent = $2 AND ($3::text IS NULL OR a.owner = "
        "$3)"};
    struct db_args args = {0};

    db_add_text(&args, market);
    db_add_text(&args, agent);
    db_add_text(&args, owner);
    return db_query(session, &sql, &args, rows, err);
}
