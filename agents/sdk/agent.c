#include "agents/sdk/agent_internal.h"
#include "agents/sdk/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int walras_sdk_fail(struct walras_agent *agent, int status, const char *text)
{
    snprintf(agent->error, sizeof(agent->error), "%s", text);
    return status;
}

bool walras_sdk_is_id(const char *id)
{
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    size_t n = id ? strlen(id) : 0;

    return n >= 1 && n < WALRAS_AGENT_ID && strchr(LETTERS, id[0]) &&
           strspn(id, LETTERS "-_.") == n;
}

static int check(const struct walras_agent_settings *s, char *error, size_t size)
{
    const char *what = NULL;

    if (!s->url || (strncmp(s->url, "http://", 7) != 0 && strncmp(s->url, "https://", 8) != 0))
        what = "the url must begin with http:// or https://";
    else if (!s->client_id || !s->client_id[0] || !s->client_secret || !s->client_secret[0])
        what = "client_id and client_secret are needed";
    if (!what)
        return WALRAS_AGENT_OK;
    if (size > 0)
        snprintf(error, size, "%s", what);
    return WALRAS_AGENT_INVALID;
}

int walras_agent_new(const struct walras_agent_settings *settings, struct walras_agent **made,
                     char *error, size_t size)
{
    int status = check(settings, error, size);
    struct walras_agent *agent = NULL;

    *made = NULL;
    if (status != WALRAS_AGENT_OK)
        return status;
    agent = calloc(1, sizeof(*agent));
    status = agent ? walras_sdk_transport_new(settings, &agent->stop, &agent->transport)
                   : WALRAS_AGENT_NO_MEMORY;
    if (status == WALRAS_AGENT_OK) {
        *made = agent;
        return status;
    }
    if (size > 0)
        snprintf(error, size, "no memory for an agent");
    walras_agent_free(agent);
    return status;
}

void walras_agent_free(struct walras_agent *agent)
{
    if (!agent)
        return;
    walras_sdk_transport_free(agent->transport);
    free(agent);
}

const char *walras_agent_error(const struct walras_agent *agent)
{
    return agent->error;
}

void walras_agent_stop(struct walras_agent *agent)
{
    atomic_store(&agent->stop, true);
}

int walras_sdk_ask(struct walras_agent *agent, const char *method, const char *path,
                   const char *body, struct walras_sdk_reply *reply)
{
    int status = walras_sdk_request(agent->transport, method, path, body, reply);

    if (status == WALRAS_AGENT_STOPPED)
        return walras_sdk_fail(agent, status, "stopped as asked");
    if (status == WALRAS_AGENT_NO_MEMORY)
        return walras_sdk_fail(agent, status, "out of memory");
    return status == WALRAS_AGENT_OK
               ? status
               : walras_sdk_fail(agent, status, walras_sdk_transport_error(agent->transport));
}

int walras_sdk_refuse(struct walras_agent *agent, const struct walras_sdk_reply *reply)
{
    walras_wire_problem(reply->body, reply->size, agent->error, sizeof(agent->error));
    return WALRAS_AGENT_REFUSED;
}

int walras_sdk_not_understood(struct walras_agent *agent, const char *what)
{
    snprintf(agent->error, sizeof(agent->error), "what the server says is no %s", what);
    return WALRAS_AGENT_INVALID;
}

int walras_agent_market(struct walras_agent *agent, const char *market,
                        struct walras_agent_market *out)
{
    char path[WALRAS_SDK_PATH];
    struct walras_sdk_reply reply;
    int status = WALRAS_AGENT_OK;

    if (!walras_sdk_is_id(market))
        return walras_sdk_fail(agent, WALRAS_AGENT_INVALID, "that is no id of a market");
    snprintf(path, sizeof(path), "/v1/markets/%s", market);
    status = walras_sdk_ask(agent, "GET", path, NULL, &reply);
    if (status == WALRAS_AGENT_OK && reply.status != 200)
        return walras_sdk_refuse(agent, &reply);
    if (status == WALRAS_AGENT_OK && !walras_wire_market(reply.body, reply.size, out))
        return walras_sdk_not_understood(agent, "market");
    return status;
}

/* Waits for a round after `last`; of a market of which the agent need not be part yet. */
static int wait_for_round(struct walras_agent *agent, const struct walras_agent_market *market,
                          const char *id, long long last, int wait_s,
                          struct walras_wire_round *round)
{
    char path[WALRAS_SDK_PATH];
    struct walras_sdk_reply reply;
    int status = WALRAS_AGENT_OK;

    snprintf(path, sizeof(path), "/v1/markets/%s/round?after=%lld&wait=%d&agent=%s", market->id,
             last, wait_s, id);
    status = walras_sdk_ask(agent, "GET", path, NULL, &reply);
    if (status == WALRAS_AGENT_OK && reply.status != 200)
        return walras_sdk_refuse(agent, &reply);
    if (status == WALRAS_AGENT_OK &&
        !walras_wire_round(reply.body, reply.size, market->n_step, round))
        return walras_sdk_not_understood(agent, "round");
    return status;
}

/* A refusal to join: the market is not open yet, or clears already with the agent in it. */
static int wait_to_join(struct walras_agent *agent, const struct walras_agent_market *market,
                        const char *id, bool *in)
{
    char why[sizeof(agent->error)];
    struct walras_wire_round round = {0};
    int status = WALRAS_AGENT_OK;

    memcpy(why, agent->error, sizeof(why));
    status = wait_for_round(agent, market, id, 0, 1, &round);
    *in = status == WALRAS_AGENT_OK && round.number > 0;
    if (status == WALRAS_AGENT_OK && !walras_wire_state_goes_on(round.state))
        status = walras_sdk_fail(agent, WALRAS_AGENT_REFUSED, why);
    walras_wire_round_release(&round);
    return status;
}

int walras_agent_join(struct walras_agent *agent, const struct walras_agent_market *market,
                      const char *id, const double *fallback_kw)
{
    char path[WALRAS_SDK_PATH], *body = NULL;
    struct walras_sdk_reply reply = {0};
    bool in = false;
    int status = WALRAS_AGENT_OK;

    if (!walras_sdk_is_id(id))
        return walras_sdk_fail(agent, WALRAS_AGENT_INVALID, "that is no id of an agent");
    body = walras_wire_fallback(fallback_kw, market->n_step);
    if (!body)
        return walras_sdk_fail(agent, WALRAS_AGENT_INVALID,
                               "the fallback has values that are not finite");
    snprintf(path, sizeof(path), "/v1/markets/%s/participants/%s", market->id, id);
    while (status == WALRAS_AGENT_OK && !in) {
        status = walras_sdk_ask(agent, "PUT", path, body, &reply);
        in = reply.status == 200 || reply.status == 201;
        if (status != WALRAS_AGENT_OK || in)
            break;
        status = walras_sdk_refuse(agent, &reply);
        if (reply.status == 409)
            status = wait_to_join(agent, market, id, &in);
    }
    free(body);
    return status;
}

/* *body NULL: there is no answer to send. */
static int respond_all(struct walras_agent *agent, const struct walras_agent_market *market,
                       const struct walras_wire_round *round, walras_agent_respond respond,
                       void *context, char **body)
{
    size_t n_step = market->n_step;
    double *draw_kw = calloc(round->n_point, (n_step + 1) * sizeof(*draw_kw));
    double *cost = draw_kw ? draw_kw + round->n_point * n_step : NULL;
    int refused = 0, status = WALRAS_AGENT_OK;

    *body = NULL;
    if (!draw_kw)
        return walras_sdk_fail(agent, WALRAS_AGENT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < round->n_point && refused == 0 && !atomic_load(&agent->stop); i++)
        refused = respond(context, market, round->price_per_mwh + i * n_step, draw_kw + i * n_step,
                          &cost[i]);
    if (atomic_load(&agent->stop)) {
        status = walras_sdk_fail(agent, WALRAS_AGENT_STOPPED, "stopped as asked");
    } else if (refused == 0) {
        *body = walras_wire_answers(draw_kw, cost, round->n_point, n_step);
        if (!*body)
            walras_sdk_log(agent->transport, "round %lld: an answer is not finite and is not sent",
                           round->number);
    } else {
        walras_sdk_log(agent->transport, "round %lld: no answer", round->number);
    }
    free(draw_kw);
    return status;
}

static int answer(struct walras_agent *agent, const struct walras_agent_market *market,
                  const char *id, const struct walras_wire_round *round,
                  walras_agent_respond respond, void *context)
{
    char path[WALRAS_SDK_PATH], why[200], *body = NULL;
    struct walras_sdk_reply reply;
    int status = respond_all(agent, market, round, respond, context, &body);

    if (status != WALRAS_AGENT_OK || !body)
        return status;
    snprintf(path, sizeof(path), "/v1/markets/%s/rounds/%lld/responses/%s", market->id,
             round->number, id);
    status = walras_sdk_ask(agent, "PUT", path, body, &reply);
    free(body);
    if (status == WALRAS_AGENT_OK && reply.status != 200 && reply.status != 201) {
        walras_wire_problem(reply.body, reply.size, why, sizeof(why));
        if (reply.status != 409) /* else the round is over, and another comes */
            return walras_sdk_refuse(agent, &reply);
        walras_sdk_log(agent->transport, "round %lld: %s", round->number, why);
    }
    return status;
}

int walras_agent_run(struct walras_agent *agent, const struct walras_agent_market *market,
                     const char *id, walras_agent_respond respond, void *context)
{
    struct walras_wire_round round = {.state = "open"};
    long long last = 0;
    int status = walras_sdk_is_id(id)
                     ? WALRAS_AGENT_OK
                     : walras_sdk_fail(agent, WALRAS_AGENT_INVALID, "that is no id of an agent");

    while (status == WALRAS_AGENT_OK && walras_wire_state_goes_on(round.state)) {
        walras_wire_round_release(&round);
        status = wait_for_round(agent, market, id, last, 30, &round);
        if (status == WALRAS_AGENT_OK && round.number > 0) {
            last = round.number;
            status = answer(agent, market, id, &round, respond, context);
        }
    }
    if (status == WALRAS_AGENT_OK && strcmp(round.state, "cleared") != 0) {
        snprintf(agent->error, sizeof(agent->error), "market %s is %s", market->id, round.state);
        status = WALRAS_AGENT_NOT_CLEARED;
    }
    walras_wire_round_release(&round);
    return status;
}

int walras_agent_award(struct walras_agent *agent, const struct walras_agent_market *market,
                       const char *id, double *draw_kw, double *cost)
{
    char path[WALRAS_SDK_PATH];
    struct walras_sdk_reply reply;
    double ignored = 0.0;
    int status = walras_sdk_is_id(id)
                     ? WALRAS_AGENT_OK
                     : walras_sdk_fail(agent, WALRAS_AGENT_INVALID, "that is no id of an agent");

    snprintf(path, sizeof(path), "/v1/markets/%s/awards/%s", market->id, id);
    if (status == WALRAS_AGENT_OK)
        status = walras_sdk_ask(agent, "GET", path, NULL, &reply);
    if (status == WALRAS_AGENT_OK && reply.status != 200)
        return walras_sdk_refuse(agent, &reply);
    if (status == WALRAS_AGENT_OK &&
        !walras_wire_award(reply.body, reply.size, market->n_step, draw_kw, cost ? cost : &ignored))
        return walras_sdk_not_understood(agent, "award");
    return status;
}
