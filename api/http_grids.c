/* /v1/grids: the networks that markets are cleared on. */
#include "api/api_internal.h"

#include "api/wording.h"
#include "core/units.h"
#include "db/grids.h"
#include "grid/matpower.h"
#include "scenario/losses.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SOME_TIME "2000-01-01T00:00:00Z"

/* What a grid is read with, as a scenario needs it: nothing of it is kept. */
static enum walras_status read_inline(struct api_request *request, struct scenario *scenario,
                                      struct walras_err *err)
{
    const struct api_wording wording = {
        .start = SOME_TIME, .step_minutes = 60, .steps = 1, .grid = request->body};
    struct walras_json root;
    enum walras_status status = api_body_json(request, &root, err);

    if (status != WALRAS_OK)
        return status;
    status = api_wording_read(&wording, scenario, err);
    if (status == WALRAS_OK) /* agents' plans are not known to the end while they bid */
        status = scenario_losses_refuse(scenario, "/losses: a market over the network", err);
    if (status != WALRAS_OK)
        api_wording_strip(err, "/grid");
    return status;
}

/* Of a case only buses and lines are taken: what is at them is a market's own. */
static enum walras_status read_case(struct api_request *request, struct scenario *scenario,
                                    struct walras_err *err)
{
    struct grid_case from = {0};
    enum walras_status status =
        grid_case_parse("body", request->body ? request->body : "", request->size, &from, err);

    if (status != WALRAS_OK)
        return status;
    scenario->network = from.network;
    from.network = (struct grid_network){0}; /* moved */
    grid_case_release(&from);
    scenario->model = SCENARIO_DC;
    scenario->rating_scale = 1.0;
    scenario->line_overload_price_per_mwh = (double)NAN;
    return WALRAS_OK;
}

static bool is_case(const struct api_request *request)
{
    static const char type[] = "text/x-matpower";
    const char *given = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_CONTENT_TYPE);

    return given && strncasecmp(given, type, sizeof(type) - 1) == 0;
}

/* The arrays of the database's grid, from the network's. */
static enum walras_status list_parts(const struct grid_network *network, struct db_grid *grid,
                                     struct db_bus **buses, struct db_line **lines,
                                     struct walras_err *err)
{
    *buses = calloc(network->n_bus + 1, sizeof(**buses));
    *lines = calloc(network->n_line + 1, sizeof(**lines));
    if (!*buses || !*lines)
        return walras_fail(err, WALRAS_NOMEM, "%zu buses do not fit in memory", network->n_bus);
    for (size_t b = 0; b < network->n_bus; b++) {
        const struct grid_bus *bus = &network->buses[b];

        (*buses)[b] = (struct db_bus){bus->id, bus->base_kv, bus->v_min_pu, bus->v_max_pu};
    }
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];

        (*lines)[l] = (struct db_line){.id = line->id,
                                       .from = network->buses[line->from].id,
                                       .to = network->buses[line->to].id,
                                       .r_pu = line->r_pu,
                                       .x_pu = line->x_pu,
                                       .b_pu = line->b_pu,
                                       .limit_kw = line->limit_kw,
                                       .tap = line->tap,
                                       .shift_deg = walras_deg_from_rad(line->shift_rad),
                                       .in_service = line->in_service};
    }
    grid->buses = *buses;
    grid->n_bus = network->n_bus;
    grid->lines = *lines;
    grid->n_line = network->n_line;
    return WALRAS_OK;
}

struct put {
    const struct db_grid *grid;
    int64_t version;
    bool made;
};

/* What was stored is read as a market would, in the same transaction: else it is not kept. */
static enum walras_status read_back(struct api_request *request, const struct put *put,
                                    struct walras_err *err)
{
    struct api_wording wording = {.start = SOME_TIME, .step_minutes = 60, .steps = 1};
    struct scenario scenario = {0};
    struct db_rows rows = {0};
    enum walras_status status = db_grid_get(request->db, put->grid->id, put->version, &rows, err);

    if (status == WALRAS_OK) {
        wording.grid = db_text(&rows, 0, 2);
        status = api_wording_read(&wording, &scenario, err);
        if (status != WALRAS_OK)
            api_wording_strip(err, "/grid");
    }
    scenario_release(&scenario);
    db_rows_release(&rows);
    return status;
}

static enum walras_status store(struct api_request *request, void *context, struct walras_err *err)
{
    struct put *put = context;
    enum walras_status status =
        db_grid_put(request->db, request->client.id, put->grid, &put->version, &put->made, err);

    return status == WALRAS_OK && put->made ? read_back(request, put, err) : status;
}

static enum walras_status answer(struct api_request *request, const struct put *put,
                                 struct walras_err *err)
{
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"version", put->version},
                   {"buses", (int64_t)put->grid->n_bus},
                   {"lines", (int64_t)put->grid->n_line}};
    struct walras_json_out *out = &request->out;
    enum walras_status status = api_json(request, put->made ? MHD_HTTP_CREATED : MHD_HTTP_OK, err);

    if (status != WALRAS_OK)
        return status;
    walras_json_out_open(out, '{');
    walras_json_out_key(out, "id");
    walras_json_out_text(out, put->grid->id);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        walras_json_out_key(out, numbers[i].key);
        walras_json_out_integer(out, numbers[i].value);
    }
    walras_json_out_close(out, '}');
    snprintf(request->location, sizeof(request->location), "/v1/grids/%s?version=%lld",
             put->grid->id, (long long)put->version);
    return WALRAS_OK;
}

enum walras_status api_grid_put(struct api_request *request, struct walras_err *err)
{
    struct scenario scenario = {0};
    struct db_bus *buses = NULL;
    struct db_line *lines = NULL;
    char digest[DB_DIGEST_TEXT];
    struct db_grid grid = {.id = request->part[0], .digest = digest};
    struct put put = {.grid = &grid};
    enum walras_status status = is_case(request) ? read_case(request, &scenario, err)
                                                 : read_inline(request, &scenario, err);

    if (status == WALRAS_OK && !request->answered)
        status = list_parts(&scenario.network, &grid, &buses, &lines, err);
    if (status == WALRAS_OK && !request->answered) {
        db_digest_text(request->body, request->size, digest);
        grid.model = scenario_model_name(scenario.model);
        grid.slack = scenario.network.buses[scenario.network.slack].id;
        grid.base_mva = scenario.network.base_mva;
        grid.slack_v_pu = scenario.network.slack_v_pu;
        grid.rating_scale = scenario.rating_scale;
        grid.overload_price_per_mwh = scenario.line_overload_price_per_mwh;
        status = api_transaction(request, store, &put, err);
        if (status == WALRAS_OK)
            status = answer(request, &put, err);
    }
    free(buses);
    free(lines);
    scenario_release(&scenario);
    return status;
}

enum walras_status api_grid_get(struct api_request *request, struct walras_err *err)
{
    int64_t version = 0;
    struct db_rows rows = {0};
    enum walras_status status = api_query_whole(request, "version", 1, INT32_MAX, &version, err);

    if (status == WALRAS_OK)
        status = db_grid_get(request->db, request->part[0], version, &rows, err);
    return status == WALRAS_OK ? api_row(request, &rows, MHD_HTTP_OK, "such grid", err) : status;
}

enum walras_status api_grid_list(struct api_request *request, struct walras_err *err)
{
    struct db_page page;
    struct db_rows rows = {0};
    enum walras_status status = api_page(request, &page, err);

    if (status == WALRAS_OK)
        status = db_grid_list(request->db, &page, &rows, err);
    return status == WALRAS_OK ? api_rows(request, &rows, &page, err) : status;
}
