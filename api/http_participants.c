/* /v1/markets/{m}/participants: who takes part, and with what if they fall silent. */
#include "api/api_internal.h"

#include "api/wording.h"
#include "db/agents.h"
#include "db/grids.h"

#include <stdlib.h>
#include <string.h>

#define MAX_KW 1e9

struct joining {
    const struct walras_json *body;
    struct db_market market; /* and its rows */
    struct db_rows market_rows, agent_rows;
    double *fallback_kw; /* [steps]; NULL: none */
    bool made;
};

/* A number for all steps, or one for each. */
static enum walras_status read_fallback(struct joining *j, struct walras_err *err)
{
    const struct walras_range range = {.low = -MAX_KW, .high = MAX_KW};
    size_t n_step = (size_t)j->market.steps;
    struct walras_json node;
    enum walras_status status = walras_json_need(j->body, "fallback_kw", &node, err);
    bool list = status == WALRAS_OK && walras_json_is(&node, WALRAS_JSON_ARRAY);

    if (list)
        status = walras_json_array(&node, n_step, n_step, err);
    if (status == WALRAS_OK && !(j->fallback_kw = calloc(n_step, sizeof(*j->fallback_kw))))
        status = walras_fail(err, WALRAS_NOMEM, "no memory for %zu steps", n_step);
    for (size_t t = 0; status == WALRAS_OK && t < n_step; t++) {
        struct walras_json at = list ? walras_json_at(&node, t) : node;

        status = walras_json_number(&at, range, &j->fallback_kw[t], err);
    }
    return status;
}

static enum walras_status word_agent(const struct api_request *request, const struct joining *j,
                                     char **text, struct walras_err *err)
{
    size_t size = 0;
    FILE *file = open_memstream(text, &size);

    if (file) {
        fputc('[', file);
        api_wording_agent(file, true, request->part[1], db_text(&j->agent_rows, 0, 2),
                          db_text(&j->agent_rows, 0, 3));
        fputc(']', file);
    }
    return file && fclose(file) == 0 ? WALRAS_OK
                                     : walras_fail(err, WALRAS_NOMEM, "no memory for an agent");
}

/* Its devices, read as the market will read them. */
static enum walras_status judge_devices(struct api_request *request, struct joining *j,
                                        struct walras_err *err)
{
    struct db_rows rows = {0};
    struct scenario scenario = {0};
    struct walras_err cause = {0};
    char *text = NULL;
    enum walras_status status =
        db_grid_get(request->db, j->market.grid, j->market.grid_version, &rows, err);

    if (status == WALRAS_OK)
        status = word_agent(request, j, &text, err);
    if (status == WALRAS_OK) {
        struct api_wording wording = api_wording_of(&j->market, db_text(&rows, 0, 2));

        wording.agents = text;
        status = api_wording_read(&wording, &scenario, &cause);
        api_wording_strip(&cause, "/agents/0");
        if (status != WALRAS_OK) /* the fault is in the agent's document, not in this body */
            status = walras_fail(err, status, "agent \"%s\" cannot join: %s", request->part[1],
                                 strncmp(cause.msg, "body: ", 6) == 0 ? cause.msg + 6 : cause.msg);
    }
    scenario_release(&scenario);
    free(text);
    db_rows_release(&rows);
    return status;
}

static enum walras_status judge(struct api_request *request, struct joining *j,
                                struct walras_err *err)
{
    static const char *const keys[] = {"fallback_kw"};
    bool remote = strcmp(db_text(&j->agent_rows, 0, 1), "remote") == 0, there = false;
    const char *bus = db_text(&j->agent_rows, 0, 2);
    enum walras_status status = walras_json_keys(j->body, keys, remote ? 1 : 0, err);

    if (status == WALRAS_OK)
        status =
            db_grid_has_bus(request->db, j->market.grid, j->market.grid_version, bus, &there, err);
    if (status == WALRAS_OK && !there)
        status =
            walras_fail(err, WALRAS_INVALID,
                        "agent \"%s\" is at bus \"%s\", which grid \"%s\" version %lld has not",
                        request->part[1], bus, j->market.grid, (long long)j->market.grid_version);
    if (status != WALRAS_OK)
        return status;
    return remote ? read_fallback(j, err) : judge_devices(request, j, err);
}

static enum walras_status join(struct api_request *request, void *context, struct walras_err *err)
{
    struct joining *j = context;
    enum db_market_state state = DB_N_MARKET_STATE;
    enum walras_status status =
        db_market_hold(request->db, request->part[0], &j->market_rows, &j->market, &state, err);

    if (status == WALRAS_OK)
        status = db_agent_get(request->db, request->part[1], api_owner_filter(request),
                              &j->agent_rows, err);
    if (status == WALRAS_OK && j->agent_rows.n == 0)
        status = walras_fail(err, WALRAS_NOT_FOUND, "there is no such agent");
    if (status == WALRAS_OK && state != DB_MARKET_open)
        status = walras_fail(err, WALRAS_CONFLICT,
                             "market \"%s\" is %s: agents join while it is "
                             "open",
                             request->part[0], db_market_state_name(state));
    if (status == WALRAS_OK)
        status = judge(request, j, err);
    return status == WALRAS_OK
               ? db_participant_put(request->db, request->client.id, request->part[0],
                                    request->part[1], j->fallback_kw, (size_t)j->market.steps,
                                    &j->made, err)
               : status;
}

enum walras_status api_participant_put(struct api_request *request, struct walras_err *err)
{
    struct walras_json root;
    struct joining j = {.body = &root};
    enum walras_status status = api_body_json(request, &root, err);

    if (status == WALRAS_OK)
        status = api_transaction(request, join, &j, err);
    if (status == WALRAS_OK)
        status = api_json(request, j.made ? MHD_HTTP_CREATED : MHD_HTTP_OK, err);
    if (status == WALRAS_OK)
        fprintf(request->stream, "{\"market\": \"%s\", \"agent\": \"%s\"}", request->part[0],
                request->part[1]);
    free(j.fallback_kw);
    db_rows_release(&j.market_rows);
    db_rows_release(&j.agent_rows);
    return status;
}

enum walras_status api_participant_list(struct api_request *request, struct walras_err *err)
{
    struct db_page page;
    struct db_rows rows = {0}, market_rows = {0};
    struct db_market market;
    enum db_market_state state = DB_N_MARKET_STATE;
    enum walras_status status = api_page(request, &page, err);

    if (status == WALRAS_OK)
        status = db_market_load(request->db, request->part[0], &market_rows, &market, &state, err);
    if (status == WALRAS_OK)
        status = db_participant_list(request->db, request->part[0], api_owner_filter(request),
                                     &page, &rows, err);
    db_rows_release(&market_rows);
    return status == WALRAS_OK ? api_rows(request, &rows, &page, err) : status;
}
