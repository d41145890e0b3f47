/* PUT and POST /v1/markets/{m}/rounds/{k}/responses: what agents answer. */
#include "api/answers.h"
#include "api/answers_scan.h"
#include "api/api_internal.h"

#include "db/agents.h"
#include "db/markets.h"
#include "db/rounds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BATCH = 100000 };

struct shape { /* of an answer to this round */
    int64_t number;
    size_t n_point, n_step; /* 0: not known */
};

static void take_shape(void *context, const struct api_live_settings *settings,
                       const struct api_round *round)
{
    struct shape *shape = context;

    if (round->number != shape->number)
        return;
    shape->n_point = round->n_point;
    shape->n_step = settings->n_step;
}

static enum walras_status ask_database(struct api_request *request, const char *agent,
                                       enum api_live_claim *claim, struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status = api_need_database(request, err);

    if (status == WALRAS_OK)
        status = db_agent_takes_part(request->db, request->part[0], agent, request->client.id,
                                     &rows, err);
    if (status == WALRAS_OK)
        *claim = rows.n == 0            ? API_LIVE_OTHER
                 : db_bool(&rows, 0, 0) ? API_LIVE_SUSPENDED
                                        : API_LIVE_OWN;
    db_rows_release(&rows);
    return status;
}

static enum walras_status check_owner(struct api_request *request, const char *agent,
                                      struct walras_err *err)
{
    enum api_live_claim claim =
        api_live_claims(request->server->live, request->part[0], agent, request->client.id);
    enum walras_status status =
        claim == API_LIVE_UNKNOWN ? ask_database(request, agent, &claim, err) : WALRAS_OK;

    if (status == WALRAS_OK && claim == API_LIVE_OTHER)
        return walras_fail(err, WALRAS_NOT_FOUND,
                           "no such agent of this client takes part in this market");
    if (status == WALRAS_OK && claim == API_LIVE_SUSPENDED)
        return walras_fail(err, WALRAS_CONFLICT,
                           "agent \"%s\" was silent too often and is suspended for this market",
                           agent);
    return status;
}

/* The round that is open, or one before it, as the database has it. */
static enum walras_status find_shape(struct api_request *request, const struct db_round *round,
                                     struct shape *shape, struct walras_err *err)
{
    struct db_market market;
    struct db_rows rows = {0};
    enum db_market_state state = DB_N_MARKET_STATE;
    uint64_t events = 0;
    int64_t n_point = 0;
    enum walras_status status = WALRAS_OK;

    shape->number = round->number;
    if (api_live_look(request->server->live, round->market, round->number - 1, &events, take_shape,
                      shape) &&
        shape->n_point > 0)
        return WALRAS_OK;
    status = api_need_database(request, err);
    if (status == WALRAS_OK)
        status = db_market_load(request->db, round->market, &rows, &market, &state, err);
    if (status == WALRAS_OK)
        status = db_round_points(request->db, round, &n_point, err);
    if (status == WALRAS_OK && n_point == 0)
        status = walras_fail(err, WALRAS_NOT_FOUND, "there is no round %lld (yet)",
                             (long long)round->number);
    if (status == WALRAS_OK) {
        shape->n_point = (size_t)n_point;
        shape->n_step = (size_t)market.steps;
    }
    db_rows_release(&rows);
    return status;
}

static enum walras_status read_round(struct api_request *request, struct db_round *round,
                                     struct walras_err *err)
{
    char *end = NULL;

    errno = 0;
    *round = (struct db_round){request->part[0], strtoll(request->part[1], &end, 10)};
    if (*end != '\0' || errno != 0 || round->number < 1 || round->number > INT32_MAX)
        return walras_fail(err, WALRAS_NOT_FOUND, "there is no such round");
    return WALRAS_OK;
}

static const char *fate_text(enum db_response_fate fate)
{
    switch (fate) {
    case DB_RESPONSE_DIFFERS:
        return "another answer to this round is there already";
    case DB_RESPONSE_LATE:
        return "the round is closed";
    case DB_RESPONSE_KEPT:
    case DB_RESPONSE_AGAIN:
        break;
    }
    return NULL;
}

static unsigned fate_http(enum db_response_fate fate)
{
    return fate == DB_RESPONSE_KEPT    ? MHD_HTTP_CREATED
           : fate == DB_RESPONSE_AGAIN ? MHD_HTTP_OK
                                       : MHD_HTTP_CONFLICT;
}

static enum walras_status tell_single(struct api_request *request, struct walras_err *err)
{
    const struct api_answer *answer = &request->answers.list[0];
    const char *text = fate_text(answer->fate);

    if (text)
        return walras_fail(err, WALRAS_CONFLICT, "%s", text);

    enum walras_status status = api_json(request, fate_http(answer->fate), err);

    if (status == WALRAS_OK)
        fprintf(request->stream, "{\"market\": \"%s\", \"round\": %lld, \"agent\": \"%s\"}",
                request->part[0], (long long)request->answers.round.number, answer->agent);
    return status;
}

static enum walras_status tell_batch(struct api_request *request, struct walras_err *err)
{
    struct walras_json_out *out = &request->out;
    enum walras_status status = api_json(request, MHD_HTTP_OK, err);

    if (status != WALRAS_OK)
        return status;
    walras_json_out_open(out, '{');
    walras_json_out_key(out, "results");
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < request->answers.n; i++) {
        const struct api_answer *answer = &request->answers.list[i];

        walras_json_out_open(out, '{');
        walras_json_out_key(out, "agent");
        walras_json_out_text(out, answer->agent);
        walras_json_out_key(out, "status");
        walras_json_out_integer(out, fate_http(answer->fate));
        if (fate_text(answer->fate)) {
            walras_json_out_key(out, "detail");
            walras_json_out_text(out, fate_text(answer->fate));
        }
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
    walras_json_out_close(out, '}');
    return WALRAS_OK;
}

/* Once it is durable, or is known not to be. */
static enum walras_status tell(struct api_request *request,
                               enum walras_status (*how)(struct api_request *, struct walras_err *),
                               struct walras_err *err)
{
    if (request->answers.status != WALRAS_OK)
        return walras_fail(err, request->answers.status, "%s", request->answers.err.msg);
    return how(request, err);
}

static enum walras_status take_single(struct api_request *request, const struct shape *shape,
                                      struct walras_err *err)
{
    static const char *const keys[] = {"answers"};
    struct walras_json root, node;
    struct api_answer *answer = NULL;
    const struct api_scan_shape size = {shape->n_point, shape->n_step};
    enum walras_status status = check_owner(request, request->part[2], err);

    if (status != WALRAS_OK)
        return status;
    answer = request->answers.list = calloc(1, sizeof(*answer));
    if (!answer)
        return walras_fail(err, WALRAS_NOMEM, "no memory for an answer");
    request->answers.n = 1;
    snprintf(answer->agent, sizeof(answer->agent), "%s", request->part[2]);
    if (request->body && api_scan_single(request->body, request->size, &size, answer))
        return WALRAS_OK;
    status = api_body_json(request, &root, err);
    if (status == WALRAS_OK)
        status = walras_json_keys(&root, keys, 1, err);
    if (status == WALRAS_OK)
        status = walras_json_need(&root, "answers", &node, err);
    return status == WALRAS_OK ? api_answer_read(&node, shape->n_point, shape->n_step, answer, err)
                               : status;
}

static enum walras_status take_one(struct api_request *request, const struct walras_json *node,
                                   const struct shape *shape, struct api_answer *answer,
                                   struct walras_err *err)
{
    static const char *const keys[] = {"agent", "answers"};
    struct walras_json agent, answers;
    const char *id = NULL;
    struct walras_err cause = {0};
    enum walras_status status = walras_json_keys(node, keys, 2, err);

    if (status == WALRAS_OK)
        status = walras_json_need(node, "agent", &agent, err);
    if (status == WALRAS_OK)
        status = walras_json_text(&agent, DB_ID - 1, &id, err);
    if (status == WALRAS_OK && check_owner(request, id, &cause) != WALRAS_OK)
        status = cause.code == WALRAS_UNAVAILABLE
                     ? walras_fail(err, cause.code, "%s", cause.msg)
                     : walras_json_fail(&agent, cause.code, err, "%s", cause.msg);
    if (status == WALRAS_OK)
        status = walras_json_need(node, "answers", &answers, err);
    if (status != WALRAS_OK)
        return status;
    snprintf(answer->agent, sizeof(answer->agent), "%s", id);
    return api_answer_read(&answers, shape->n_point, shape->n_step, answer, err);
}

static void forget_answers(struct api_request *request)
{
    for (size_t i = 0; i < request->answers.n; i++)
        api_answer_release(&request->answers.list[i]);
    free(request->answers.list);
    request->answers.list = NULL;
    request->answers.n = 0;
}

/* Without a tree. False: what it is, or what is wrong with it, is for the tree to say. */
static bool scan_batch(struct api_request *request, const struct shape *shape)
{
    const struct api_scan_shape size = {shape->n_point, shape->n_step};
    struct api_answers *answers = &request->answers;
    bool mine = request->body && api_scan_batch(request->body, request->size, &size, MAX_BATCH,
                                                &answers->list, &answers->n);

    for (size_t i = 0; i < answers->n && mine; i++)
        mine = check_owner(request, answers->list[i].agent, NULL) == WALRAS_OK;
    if (!mine)
        forget_answers(request);
    return mine;
}

static enum walras_status read_batch(struct api_request *request, const struct shape *shape,
                                     struct walras_err *err)
{
    static const char *const keys[] = {"responses"};
    struct walras_json root, list;
    size_t n = 0;
    enum walras_status status = api_body_json(request, &root, err);

    if (status == WALRAS_OK)
        status = walras_json_keys(&root, keys, 1, err);
    if (status == WALRAS_OK)
        status = walras_json_need(&root, "responses", &list, err);
    if (status == WALRAS_OK)
        status = walras_json_array(&list, 1, MAX_BATCH, err);
    if (status != WALRAS_OK)
        return status;
    n = walras_json_count(&list);
    request->answers.list = calloc(n, sizeof(*request->answers.list));
    if (!request->answers.list)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu answers", n);
    for (size_t i = 0; status == WALRAS_OK && i < n; i++) {
        struct walras_json node = walras_json_at(&list, i);

        request->answers.n = i + 1;
        status = take_one(request, &node, shape, &request->answers.list[i], err);
    }
    return status;
}

static enum walras_status take_batch(struct api_request *request, const struct shape *shape,
                                     struct walras_err *err)
{
    return scan_batch(request, shape) ? WALRAS_OK : read_batch(request, shape, err);
}

static enum walras_status
answer(struct api_request *request,
       enum walras_status (*take)(struct api_request *, const struct shape *, struct walras_err *),
       enum walras_status (*how)(struct api_request *, struct walras_err *), struct walras_err *err)
{
    struct shape shape = {0};
    enum walras_status status = WALRAS_OK;

    if (request->resumed)
        return tell(request, how, err);
    status = read_round(request, &request->answers.round, err);
    if (status == WALRAS_OK)
        status = find_shape(request, &request->answers.round, &shape, err);
    if (status == WALRAS_OK)
        status = take(request, &shape, err);
    if (status == WALRAS_OK && !request->answered && !api_submit_answers(request))
        status = walras_fail(err, WALRAS_UNAVAILABLE, "the server is stopping");
    return status;
}

enum walras_status api_response_put(struct api_request *request, struct walras_err *err)
{
    return answer(request, take_single, tell_single, err);
}

enum walras_status api_response_post(struct api_request *request, struct walras_err *err)
{
    return answer(request, take_batch, tell_batch, err);
}
