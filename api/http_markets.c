/* /v1/markets: settings and life of markets. */
#include "api/api_internal.h"

#include "api/wording.h"
#include "core/clock.h"
#include "db/grids.h"
#include "market/clearing.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 128 };

struct market_body {
    struct db_market market;
    char id[DB_ID], start[SCENARIO_TIME_TEXT];
    char *horizon, *supply; /* JSON */
    const char *grid, *currency;
    struct scenario scenario;
};

static void release(struct market_body *body)
{
    free(body->horizon);
    free(body->supply);
    scenario_release(&body->scenario);
}

static enum walras_status read_whole(const struct walras_json *object, const char *key, int64_t low,
                                     int64_t high, int64_t *value, struct walras_err *err)
{
    struct walras_json node;

    return walras_json_find(object, key, &node) ? walras_json_integer(&node, low, high, value, err)
                                                : WALRAS_OK;
}

static enum walras_status read_number(const struct walras_json *object, const char *key,
                                      double high, double *value, struct walras_err *err)
{
    const struct walras_range range = {.low = 0.0, .high = high, .above = true};
    struct walras_json node;

    return walras_json_find(object, key, &node) ? walras_json_number(&node, range, value, err)
                                                : WALRAS_OK;
}

static enum walras_status read_straggler(const struct walras_json *root, struct db_market *market,
                                         struct walras_err *err)
{
    static const char *const keys[] = {"max_misses"};
    struct walras_json node;
    enum walras_status status = WALRAS_OK;

    if (!walras_json_find(root, "straggler", &node))
        return WALRAS_OK;
    status = walras_json_keys(&node, keys, 1, err);
    return status == WALRAS_OK ? read_whole(&node, "max_misses", 1, 10000, &market->max_misses, err)
                               : status;
}

static enum walras_status read_id(const struct walras_json *root, const char *key, bool needed,
                                  const char **text, struct walras_err *err)
{
    struct walras_json node;
    enum walras_status status = WALRAS_OK;

    if (!needed && !walras_json_find(root, key, &node))
        return WALRAS_OK;
    status = walras_json_need(root, key, &node, err);
    if (status == WALRAS_OK)
        status = walras_json_text(&node, MAX_NAME, text, err);
    if (status == WALRAS_OK && !db_id_is_good(*text))
        status = walras_json_fail(&node, WALRAS_INVALID, err,
                                  "expected 1 to 64 letters, digits, \"-\", \"_\" or \".\"");
    return status;
}

static enum walras_status read_numbers(const struct walras_json *root, struct db_market *market,
                                       struct walras_err *err)
{
    enum walras_status status = read_number(root, "gap", 1.0, &market->gap, err);

    if (status == WALRAS_OK)
        status = read_number(root, "round_timeout_s", 86400.0, &market->round_timeout_s, err);
    if (status == WALRAS_OK)
        status = read_whole(root, "points", 1, MARKET_MAX_POINTS, &market->points, err);
    if (status == WALRAS_OK)
        status = read_whole(root, "max_rounds", 1, 10000, &market->max_rounds, err);
    if (status == WALRAS_OK)
        status = read_whole(root, "grid_version", 1, INT32_MAX, &market->grid_version, err);
    return status == WALRAS_OK ? read_straggler(root, market, err) : status;
}

/* Copies of the parts that the scenario's reader judges. */
static enum walras_status copy_parts(const struct walras_json *root, struct market_body *body,
                                     struct walras_err *err)
{
    struct walras_json node;
    enum walras_status status = walras_json_need(root, "horizon", &node, err);

    if (status != WALRAS_OK)
        return status;
    body->horizon = walras_json_copy_text(&node);
    body->supply =
        walras_json_find(root, "supply", &node) ? walras_json_copy_text(&node) : strdup("[]");
    return body->horizon && body->supply
               ? WALRAS_OK
               : walras_fail(err, WALRAS_NOMEM, "no memory to read the market");
}

static enum walras_status read_body(const struct walras_json *root, struct market_body *body,
                                    struct walras_err *err)
{
    static const char *const keys[] = {
        "id",  "grid",   "grid_version", "currency",        "horizon",  "supply",
        "gap", "points", "max_rounds",   "round_timeout_s", "straggler"};
    struct walras_json node;
    const char *id = NULL;
    enum walras_status status = walras_json_keys(root, keys, sizeof(keys) / sizeof(keys[0]), err);

    if (status == WALRAS_OK)
        status = read_id(root, "id", true, &id, err);
    if (status == WALRAS_OK)
        status = read_id(root, "grid", true, &body->grid, err);
    if (status == WALRAS_OK && walras_json_find(root, "currency", &node))
        status = walras_json_text(&node, 16, &body->currency, err);
    if (status == WALRAS_OK)
        status = read_numbers(root, &body->market, err);
    if (status == WALRAS_OK)
        status = copy_parts(root, body, err);
    snprintf(body->id, sizeof(body->id), "%s", id ? id : "");
    return status;
}

/* Reads the market as a scenario on its grid; with what that says it is complete. */
static enum walras_status judge(struct api_request *request, struct market_body *body,
                                struct walras_err *err)
{
    struct db_rows rows = {0};
    struct api_wording wording = {.name = body->id,
                                  .currency = body->currency,
                                  .horizon = body->horizon,
                                  .supply = body->supply};
    struct db_market *market = &body->market;
    enum walras_status status =
        db_grid_get(request->db, body->grid, market->grid_version, &rows, err);

    if (status != WALRAS_OK)
        return status;
    if (rows.n == 0)
        status = walras_fail(err, WALRAS_INVALID, "body: /grid: there is no such grid%s",
                             market->grid_version ? " of that version" : "");
    if (status == WALRAS_OK) {
        market->grid_version = db_integer(&rows, 0, 1);
        wording.grid = db_text(&rows, 0, 2);
        status = api_wording_read(&wording, &body->scenario, err);
    }
    db_rows_release(&rows);
    if (status != WALRAS_OK)
        return status;
    walras_time_format(body->scenario.start_utc_s, body->scenario.start_offset_min, body->start);
    market->id = body->id;
    market->grid = body->grid;
    market->currency = body->currency;
    market->supply = body->supply;
    market->start_at = body->start;
    market->steps = (int64_t)body->scenario.horizon.n_step;
    market->step_minutes = body->scenario.step_min;
    return WALRAS_OK;
}

static enum walras_status create(struct api_request *request, void *context, struct walras_err *err)
{
    const struct market_body *body = context;
    enum walras_status status =
        db_market_create(request->db, request->client.id, &body->market, err);

    if (status == WALRAS_CONFLICT)
        walras_err_prefix(err, "body: /id");
    return status;
}

/* What is offered outside is for those who read everything. */
static enum walras_status show(struct api_request *request, const char *id, unsigned http,
                               struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status =
        db_market_get(request->db, id, !api_owner_filter(request), &rows, err);

    return status == WALRAS_OK ? api_row(request, &rows, http, "such market", err) : status;
}

enum walras_status api_market_post(struct api_request *request, struct walras_err *err)
{
    struct market_body body = {
        .currency = "EUR",
        .market = {
            .gap = 1e-4, .points = 5, .max_rounds = 100, .round_timeout_s = 30.0, .max_misses = 3}};
    struct walras_json root;
    enum walras_status status = api_body_json(request, &root, err);

    if (status == WALRAS_OK)
        status = read_body(&root, &body, err);
    if (status == WALRAS_OK)
        status = judge(request, &body, err);
    if (status == WALRAS_OK)
        status = api_transaction(request, create, &body, err);
    if (status == WALRAS_OK) {
        snprintf(request->location, sizeof(request->location), "/v1/markets/%s", body.id);
        status = show(request, body.id, MHD_HTTP_CREATED, err);
    }
    release(&body);
    return status;
}

enum walras_status api_market_get(struct api_request *request, struct walras_err *err)
{
    return show(request, request->part[0], MHD_HTTP_OK, err);
}

enum walras_status api_market_list(struct api_request *request, struct walras_err *err)
{
    const char *state = api_query(request, "state");
    struct db_page page;
    struct db_rows rows = {0};
    enum walras_status status = api_page(request, &page, err);

    if (status == WALRAS_OK && state && db_market_state_find(state) == DB_N_MARKET_STATE)
        status = walras_fail(err, WALRAS_INVALID, "query: there is no state \"%.40s\"", state);
    if (status == WALRAS_OK)
        status = db_market_list(request->db, state, !api_owner_filter(request), &page, &rows, err);
    return status == WALRAS_OK ? api_rows(request, &rows, &page, err) : status;
}

static enum walras_status move(struct api_request *request, void *context, struct walras_err *err)
{
    const enum db_market_event *event = context;

    return db_market_move(request->db, request->client.id, request->part[0], *event, NULL, err);
}

static enum walras_status make_move(struct api_request *request, enum db_market_event event,
                                    struct walras_err *err)
{
    enum walras_status status = api_transaction(request, move, &event, err);

    if (status == WALRAS_OK)
        api_live_notify(request->server->live, request->part[0]);
    return status == WALRAS_OK ? show(request, request->part[0], MHD_HTTP_OK, err) : status;
}

enum walras_status api_market_open(struct api_request *request, struct walras_err *err)
{
    return make_move(request, DB_MARKET_OPEN, err);
}

enum walras_status api_market_start(struct api_request *request, struct walras_err *err)
{
    enum walras_status status = make_move(request, DB_MARKET_START, err);

    if (status == WALRAS_OK)
        api_worker_wake(request->server->worker);
    return status;
}

enum walras_status api_market_cancel(struct api_request *request, struct walras_err *err)
{
    enum walras_status status = make_move(request, DB_MARKET_CANCEL, err);

    if (status == WALRAS_OK)
        api_live_drop(request->server->live, request->part[0]);
    return status;
}
