#include "db/grids.h"

#include "db/values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BUS_COLUMNS = 4, LINE_COLUMNS = 10 };

static void add_header(struct db_args *args, const char *id, int64_t version)
{
    db_add_text(args, id);
    db_add_integer(args, version);
}

/* Runs an insert whose columns are arrays. */
static enum walras_status insert_columns(struct db_session *session, const struct db_sql *sql,
                                         const char *id, int64_t version,
                                         struct walras_text *columns, size_t n,
                                         struct walras_err *err)
{
    struct db_args args = {0};
    enum walras_status status = WALRAS_OK;

    add_header(&args, id, version);
    for (size_t i = 0; i < n; i++) {
        db_array_close(&columns[i]);
        if (columns[i].failure != WALRAS_OK && status == WALRAS_OK)
            status =
                walras_fail(err, columns[i].failure, "grid %s does not fit in one statement", id);
        db_add_text(&args, columns[i].data);
    }
    if (status == WALRAS_OK)
        status = db_query(session, sql, &args, NULL, err);
    for (size_t i = 0; i < n; i++)
        walras_text_release(&columns[i]);
    return status;
}

/* NULL stands for no limit. */
static double finite_or_null(double value)
{
    return isinf(value) ? (double)NAN : value;
}

static enum walras_status insert_buses(struct db_session *session, const struct db_grid *grid,
                                       int64_t version, struct walras_err *err)
{
    static const struct db_sql insert = {
        "grid_bus_insert",
        "INSERT INTO grid_bus (grid, version, position, id, base_kv, v_min_pu, v_max_pu) "
        "SELECT $1, $2::integer, n - 1, id, kv, low, high FROM unnest($3::text[], $4::float8[], "
        "$5::float8[], $6::float8[]) WITH ORDINALITY AS b (id, kv, low, high, n)"};
    struct walras_text columns[BUS_COLUMNS];

    for (size_t i = 0; i < BUS_COLUMNS; i++)
        db_array_open(&columns[i]);
    for (size_t b = 0; b < grid->n_bus; b++) {
        db_array_text(&columns[0], grid->buses[b].id);
        db_array_number(&columns[1], grid->buses[b].base_kv);
        db_array_number(&columns[2], grid->buses[b].v_min_pu);
        db_array_number(&columns[3], finite_or_null(grid->buses[b].v_max_pu));
    }
    return insert_columns(session, &insert, grid->id, version, columns, BUS_COLUMNS, err);
}

static enum walras_status insert_lines(struct db_session *session, const struct db_grid *grid,
                                       int64_t version, struct walras_err *err)
{
    static const struct db_sql insert = {
        "grid_line_insert",
        "INSERT INTO grid_line (grid, version, position, id, from_bus, to_bus, r_pu, x_pu, b_pu, "
        "limit_kw, tap, shift_deg, in_service) SELECT $1, $2::integer, n - 1, id, f, t, r, x, b, "
        "l, "
        "tap, shift, s FROM unnest($3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], "
        "$8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::bool[]) WITH ORDINALITY "
        "AS c (id, f, t, r, x, b, l, tap, shift, s, n)"};
    struct walras_text columns[LINE_COLUMNS];

    for (size_t i = 0; i < LINE_COLUMNS; i++)
        db_array_open(&columns[i]);
    for (size_t l = 0; l < grid->n_line; l++) {
        const struct db_line *line = &grid->lines[l];
        const char *const texts[] = {line->id, line->from, line->to};
        const double numbers[] = {line->r_pu, line->x_pu,
                                  line->b_pu, finite_or_null(line->limit_kw),
                                  line->tap,  line->shift_deg};

        for (size_t i = 0; i < 3; i++)
            db_array_text(&columns[i], texts[i]);
        for (size_t i = 0; i < 6; i++)
            db_array_number(&columns[3 + i], numbers[i]);
        db_array_bool(&columns[9], line->in_service);
    }
    return insert_columns(session, &insert, grid->id, version, columns, LINE_COLUMNS, err);
}

static enum walras_status insert_version(struct db_session *session, const char *actor,
                                         const struct db_grid *grid, int64_t version,
                                         struct walras_err *err)
{
    static const struct db_sql insert = {
        "grid_version_insert",
        "INSERT INTO grid_version (grid, version, digest, model, base_mva, slack, slack_v_pu, "
        "rating_scale, overload_price_per_mwh, created_by) VALUES ($1, $2, decode($3, 'hex'), "
        "$4::grid_model, $5, $6, $7, $8, $9, $10)"};
    struct db_args args = {0};

    add_header(&args, grid->id, version);
    db_add_text(&args, grid->digest);
    db_add_text(&args, grid->model);
    db_add_number(&args, grid->base_mva);
    db_add_text(&args, grid->slack);
    db_add_number(&args, grid->slack_v_pu);
    db_add_number(&args, grid->rating_scale);
    db_add_number(&args, grid->overload_price_per_mwh);
    db_add_text(&args, actor);
    return db_query(session, &insert, &args, NULL, err);
}

/* The last version, 0 when there is none, and whether it is the same. The grid is locked. */
static enum walras_status last_version(struct db_session *session, const struct db_grid *grid,
                                       int64_t *version, bool *same, struct walras_err *err)
{
    static const struct db_sql make = {"grid_make",
                                       "INSERT INTO grid (id) VALUES ($1) ON CONFLICT DO NOTHING"};
    static const struct db_sql lock = {"grid_lock", "SELECT 1 FROM grid WHERE id = $1 FOR UPDATE"};
    static const struct db_sql last = {
        "grid_last", "SELECT version, digest = decode($2, 'hex') FROM grid_version WHERE grid = $1 "
                     "ORDER BY version DESC LIMIT 1"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, grid->id);
    status = db_query(session, &make, &args, NULL, err);
    if (status == WALRAS_OK)
        status = db_query(session, &lock, &args, NULL, err);
    db_add_text(&args, grid->digest);
    if (status == WALRAS_OK)
        status = db_query(session, &last, &args, &rows, err);
    *version = status == WALRAS_OK && rows.n > 0 ? db_integer(&rows, 0, 0) : 0;
    *same = status == WALRAS_OK && rows.n > 0 && db_bool(&rows, 0, 1);
    db_rows_release(&rows);
    return status;
}

enum walras_status db_grid_put(struct db_session *session, const char *actor,
                               const struct db_grid *grid, int64_t *version, bool *made,
                               struct walras_err *err)
{
    int64_t last = 0;
    bool same = false;
    char detail[96];
    enum walras_status status = last_version(session, grid, &last, &same, err);

    if (status == WALRAS_OK && !same) {
        last++;
        status = insert_version(session, actor, grid, last, err);
        if (status == WALRAS_OK)
            status = insert_buses(session, grid, last, err);
        if (status == WALRAS_OK)
            status = insert_lines(session, grid, last, err);
        snprintf(detail, sizeof(detail), "version %lld, %zu buses, %zu lines", (long long)last,
                 grid->n_bus, grid->n_line);
        if (status == WALRAS_OK)
            status = db_audit(session, actor, "grid.put", grid->id, detail, err);
    }
    if (status != WALRAS_OK)
        return status;
    *version = last;
    *made = !same;
    return WALRAS_OK;
}

enum walras_status db_grid_get(struct db_session *session, const char *id, int64_t version,
                               struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql get = {
        "grid_get",
        "SELECT json_build_object('id', grid, 'version', version, 'created_at', created_at, "
        "'grid', inline), version, inline FROM (SELECT v.grid, v.version, v.created_at, "
        "json_strip_nulls(json_build_object('model', model, 'base_mva', base_mva, 'slack', slack, "
        "'slack_v_pu', slack_v_pu, 'rating_scale', rating_scale, 'line_overload_price_per_mwh', "
        "overload_price_per_mwh, 'buses', (SELECT json_agg(json_build_object('id', b.id, "
        "'base_kv', "
        "base_kv, 'v_min_pu', v_min_pu, 'v_max_pu', v_max_pu) ORDER BY position) FROM grid_bus b "
        "WHERE b.grid = v.grid AND b.version = v.version), 'lines', (SELECT "
        "coalesce(json_agg(json_build_object('id', l.id, 'from', from_bus, 'to', to_bus, 'r_pu', "
        "r_pu, 'x_pu', x_pu, 'b_pu', b_pu, 'limit_kw', limit_kw, 'tap', tap, 'shift_deg', "
        "shift_deg, 'in_service', in_service) ORDER BY position), '[]') FROM grid_line l WHERE "
        "l.grid = v.grid AND l.version = v.version))) AS inline FROM grid_version v "
        "WHERE v.grid = $1 AND ($2 = 0 OR v.version = $2::integer) "
        "ORDER BY v.version DESC LIMIT 1) AS found"};
    struct db_args args = {0};

    add_header(&args, id, version);
    return db_query(session, &get, &args, rows, err);
}

enum walras_status db_grid_list(struct db_session *session, const struct db_page *page,
                                struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql list = {
        "grid_list",
        "SELECT json_build_object('id', v.grid, 'version', v.version, 'created_at', v.created_at, "
        "'model', v.model, 'buses', (SELECT count(*) FROM grid_bus b WHERE b.grid = v.grid AND "
        "b.version = v.version), 'lines', (SELECT count(*) FROM grid_line l WHERE l.grid = v.grid "
        "AND l.version = v.version)), v.grid FROM grid_version v WHERE v.grid > $1 AND v.version = "
        "(SELECT max(version) FROM grid_version w WHERE w.grid = v.grid) ORDER BY v.grid LIMIT $2"};
    struct db_args args = {0};

    db_add_page(&args, page);
    return db_query(session, &list, &args, rows, err);
}

enum walras_status db_grid_has_bus(struct db_session *session, const char *grid, int64_t version,
                                   const char *bus, bool *there, struct walras_err *err)
{
    static const struct db_sql ask = {
        "grid_has_bus", "SELECT 1 FROM grid_bus WHERE grid = $1 AND version = $2 AND id = $3"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    add_header(&args, grid, version);
    db_add_text(&args, bus);
    status = db_query(session, &ask, &args, &rows, err);
    *there = status == WALRAS_OK && rows.n > 0;
    db_rows_release(&rows);
    return status;
}
