/* GET /v1/markets/{m}/round: the prices to answer, waited for. */
#include "api/api_internal.h"

#include "core/clock.h"
#include "db/markets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WAIT_S = 60 };

struct asked {
    struct api_request *request;
    const char *agent; /* NULL: all of the client's */
    bool not_mine;
    enum walras_status status;
    struct walras_err *err;
};

static void put_prices(struct walras_json_out *out, const struct api_live_settings *settings,
                       const struct api_round *round, size_t point, uint32_t bus)
{
    const double *prices =
        round->price_per_mwh + (point * settings->n_bus + bus) * settings->n_step;

    walras_json_out_numbers(out, prices, settings->n_step);
}

/* The buses of the client's agents, each once, in the grid's order. */
static void put_buses(struct walras_json_out *out, const struct api_live_settings *settings,
                      const struct api_round *round, size_t point, const bool *wanted)
{
    walras_json_out_open(out, '{');
    for (uint32_t b = 0; b < settings->n_bus; b++)
        if (wanted[b]) {
            walras_json_out_key(out, settings->bus_ids[b]);
            put_prices(out, settings, round, point, b);
        }
    walras_json_out_close(out, '}');
}

/* Marks the buses of the agents that are meant; how many those are, and the last of them. */
static size_t find_agents(const struct asked *asked, const struct api_live_settings *settings,
                          bool *wanted, size_t *last)
{
    size_t only = asked->agent ? walras_names_find(settings->names, asked->agent) : 0;
    size_t first = only == SIZE_MAX ? settings->n_agent : only;
    size_t end = asked->agent && only != SIZE_MAX ? only + 1 : settings->n_agent;
    size_t n = 0;

    for (size_t i = first; i < end; i++)
        if (strcmp(settings->agents[i].owner, asked->request->client.id) == 0) {
            wanted[settings->agents[i].bus] = true;
            *last = i;
            n++;
        }
    return n;
}

static void put_points(struct walras_json_out *out, const struct api_live_settings *settings,
                       const struct api_round *round, const bool *wanted, const uint32_t *only)
{
    walras_json_out_key(out, "points");
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < round->n_point; i++) {
        walras_json_out_open(out, '{');
        walras_json_out_key(out, only ? "prices_per_mwh" : "prices_per_mwh_by_bus");
        if (only)
            put_prices(out, settings, round, i, *only);
        else
            put_buses(out, settings, round, i, wanted);
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
}

static void put_round(void *context, const struct api_live_settings *settings,
                      const struct api_round *round)
{
    struct asked *asked = context;
    struct walras_json_out *out = &asked->request->out;
    bool *wanted = calloc(settings->n_bus + 1, sizeof(*wanted));
    size_t last = 0, n = wanted ? find_agents(asked, settings, wanted, &last) : 0;

    asked->not_mine = wanted && n == 0;
    if (!wanted)
        asked->status = walras_fail(asked->err, WALRAS_NOMEM, "no memory for the answer");
    else if (n > 0)
        asked->status = api_json(asked->request, MHD_HTTP_OK, asked->err);
    if (n > 0 && asked->status == WALRAS_OK) {
        walras_json_out_open(out, '{');
        walras_json_out_key(out, "state");
        walras_json_out_text(out, "clearing");
        walras_json_out_key(out, "round");
        walras_json_out_integer(out, round->number);
        walras_json_out_key(out, "remaining_s");
        walras_json_out_number(out, fmax(0.0, round->until_s - walras_monotonic_s()));
        put_points(out, settings, round, wanted, n == 1 ? &settings->agents[last].bus : NULL);
        walras_json_out_close(out, '}');
    }
    free(wanted);
}

static enum walras_status find_state(struct api_request *request, enum db_market_state *state,
                                     struct walras_err *err)
{
    struct db_market market;
    struct db_rows rows = {0};
    enum walras_status status = api_need_database(request, err);

    if (status == WALRAS_OK)
        status = db_market_load(request->db, request->part[0], &rows, &market, state, err);
    db_rows_release(&rows);
    return status;
}

static enum walras_status say_state(struct api_request *request, enum db_market_state state,
                                    struct walras_err *err)
{
    enum walras_status status = api_json(request, MHD_HTTP_OK, err);

    if (status == WALRAS_OK)
        fprintf(request->stream, "{\"state\": \"%s\", \"round\": null}",
                db_market_state_name(state));
    return status;
}

static bool is_over(enum db_market_state state)
{
    return state != DB_MARKET_draft && state != DB_MARKET_open && state != DB_MARKET_clearing;
}

enum walras_status api_round_get(struct api_request *request, struct walras_err *err)
{
    struct asked asked = {.request = request, .agent = api_query(request, "agent"), .err = err};
    enum db_market_state state = DB_N_MARKET_STATE;
    int64_t after = 0, wait_s = 0;
    enum walras_status status = api_query_whole(request, "after", 0, INT32_MAX, &after, err);

    if (status == WALRAS_OK)
        status = api_query_whole(request, "wait", 0, MOST_WAIT_S, &wait_s, err);
    while (status == WALRAS_OK) {
        uint64_t events = 0;
        double left_s = request->started_s + (double)wait_s - walras_monotonic_s();

        if (api_live_look(request->server->live, request->part[0], after, &events, put_round,
                          &asked)) {
            status = asked.status;
            break;
        }
        status = find_state(request, &state, err);
        if (status == WALRAS_OK && request->server->stopping)
            status = walras_fail(err, WALRAS_UNAVAILABLE, "the server is stopping");
        if (status == WALRAS_OK && (is_over(state) || left_s <= 0.0))
            return say_state(request, state, err);
        if (status == WALRAS_OK && api_wait_for_news(request, events, left_s))
            return WALRAS_OK;
    }
    if (status == WALRAS_OK && asked.not_mine)
        status = walras_fail(err, WALRAS_NOT_FOUND, "no such agent of this client takes part");
    return status;
}
