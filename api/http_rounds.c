/* GET /v1/markets/{m}/round: the prices to answer, waited for. */
#include "api/api_internal.h"
#include "api/round_write.h"

#include "core/clock.h"
#include "db/markets.h"

enum { MOST_WAIT_S = 60 };

struct asked {
    struct api_request *request;
    const char *agent; /* NULL: all of the client's */
    bool not_mine;
    enum walras_status status;
    struct walras_err *err;
};

static void put_round(void *context, const struct api_live_settings *settings,
                      const struct api_round *round)
{
    struct asked *asked = context;
    struct api_round_buses buses;

    asked->status =
        api_round_buses(settings, asked->request->client.id, asked->agent, &buses, asked->err);
    asked->not_mine = asked->status == WALRAS_OK && buses.n_agent == 0;
    if (asked->status == WALRAS_OK && !asked->not_mine)
        asked->status = api_json(asked->request, MHD_HTTP_OK, asked->err);
    if (asked->status == WALRAS_OK && !asked->not_mine)
        api_round_write(&asked->request->out, settings, round, &buses);
    api_round_buses_release(&buses);
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
