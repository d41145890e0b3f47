/* Those who take part: as agents of the server, then as participants of the market. */
#include "swarm/swarm_internal.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *bus_id(const struct swarm_state *state, const struct swarm_part *part)
{
    return state->scenario->network.buses[part->bus].id;
}

/* What makes an agent; a change of one that is there has neither id nor kind. */
static char *word_agent(const struct swarm_state *state, const struct swarm_part *part, bool change)
{
    struct walras_text text;

    walras_text_init(&text, SWARM_MOST_BODY);
    walras_text_addf(&text, "{\"bus\": ");
    swarm_add_quoted(&text, bus_id(state, part));
    if (!change)
        walras_text_addf(&text, ", \"id\": \"%s\", \"kind\": \"%s\"", part->id,
                         part->delegated ? "delegated" : "remote");
    else
        swarm_add_member(&text, "owner", state->settings->http.client_id);
    if (part->delegated)
        walras_text_addf(&text, ", \"devices\": %s", part->delegated);
    walras_text_addf(&text, "}");
    if (text.failure == WALRAS_OK)
        return text.data;
    walras_text_release(&text);
    return NULL;
}

struct putting { /* agents, made or changed */
    struct swarm_state *state;
    bool *there; /* [cast.n] it was there already */
    bool change;
    size_t *change_of; /* [cast.n] which part a change is of */
};

static void make_agent(void *context, size_t i, struct swarm_request *request)
{
    const struct putting *p = context;
    size_t part = p->change ? p->change_of[i] : i;

    request->method = p->change ? "PATCH" : "POST";
    request->body = p->state->bodies[part];
    if (p->change)
        snprintf(request->path, sizeof(request->path), "/v1/agents/%s",
                 p->state->cast.parts[part].id);
    else
        snprintf(request->path, sizeof(request->path), "/v1/agents");
}

static enum walras_status take_agent(void *context, size_t i, const struct swarm_reply *reply,
                                     struct walras_err *err)
{
    struct putting *p = context;
    size_t part = p->change ? p->change_of[i] : i;

    if (reply->status == 409 && !p->change) {
        p->there[part] = true;
        return WALRAS_OK;
    }
    if (reply->status == 200 || reply->status == 201)
        return WALRAS_OK;
    return swarm_refused(p->state->cast.parts[part].id, reply, err);
}

static enum walras_status word_agents(struct swarm_state *state, bool change,
                                      struct walras_err *err)
{
    swarm_forget_bodies(state);
    for (size_t i = 0; i < state->cast.n; i++) {
        state->bodies[i] = word_agent(state, &state->cast.parts[i], change);
        if (!state->bodies[i])
            return swarm_no_memory(err);
    }
    return WALRAS_OK;
}

enum walras_status swarm_put_agents(struct swarm_state *state, struct walras_err *err)
{
    size_t n = state->cast.n, n_change = 0;
    struct putting p = {.state = state,
                        .there = calloc(n + 1, sizeof(bool)),
                        .change_of = calloc(n + 1, sizeof(size_t))};
    struct swarm_work work = {make_agent, take_agent, &p};
    enum walras_status status =
        p.there && p.change_of ? word_agents(state, false, err) : swarm_no_memory(err);

    if (status == WALRAS_OK)
        status = swarm_http_run(state->http, n, &work, err);
    for (size_t i = 0; i < n && status == WALRAS_OK; i++)
        if (p.there[i])
            p.change_of[n_change++] = i;
    p.change = true;
    if (status == WALRAS_OK && n_change > 0) {
        status = word_agents(state, true, err);
        if (status == WALRAS_OK)
            status = swarm_http_run(state->http, n_change, &work, err);
    }
    free(p.there);
    free(p.change_of);
    return status;
}

/* Made by a POST, or by a PATCH made the owner's and put at its bus. */
static enum walras_status put_guest_as(struct swarm_state *state, const char *method,
                                       const char *path, long also_good, struct walras_err *err)
{
    const struct swarm_guest *guest = &state->settings->guest;
    bool made = strcmp(method, "POST") == 0;
    struct walras_text body;
    enum walras_status status = WALRAS_OK;

    walras_text_init(&body, SWARM_MOST_BODY);
    walras_text_addf(&body, "{\"bus\": ");
    swarm_add_quoted(&body, guest->bus);
    swarm_add_member(&body, "owner", guest->owner);
    if (made)
        swarm_add_member(&body, "id", guest->id);
    walras_text_addf(&body, "%s}", made ? ", \"kind\": \"remote\"" : "");
    status = body.failure == WALRAS_OK
                 ? swarm_ask(state, method, path, body.data, made ? 201 : 200, also_good, NULL, err)
                 : swarm_no_memory(err);
    walras_text_release(&body);
    return status;
}

enum walras_status swarm_put_guest(struct swarm_state *state, struct walras_err *err)
{
    const struct swarm_guest *guest = &state->settings->guest;
    char path[SWARM_PATH];
    enum walras_status status = WALRAS_OK;

    if (!guest->id)
        return WALRAS_OK;
    snprintf(path, sizeof(path), "/v1/agents/%.64s", guest->id);
    status = put_guest_as(state, "POST", "/v1/agents", 409, err);
    return status == WALRAS_OK ? put_guest_as(state, "PATCH", path, 200, err) : status;
}

static void make_joining(void *context, size_t i, struct swarm_request *request)
{
    const struct swarm_state *state = context;

    request->method = "PUT";
    request->body = state->bodies[i];
    snprintf(request->path, sizeof(request->path), "/v1/markets/%s/participants/%s",
             state->settings->market, state->cast.parts[i].id);
}

static enum walras_status take_joining(void *context, size_t i, const struct swarm_reply *reply,
                                       struct walras_err *err)
{
    const struct swarm_state *state = context;

    if (reply->status == 200 || reply->status == 201)
        return WALRAS_OK;
    return swarm_refused(state->cast.parts[i].id, reply, err);
}

/* When one falls silent, it draws what it would if energy cost nothing. */
enum walras_status swarm_join(struct swarm_state *state, struct walras_err *err)
{
    struct swarm_work work = {make_joining, take_joining, state};
    enum walras_status status = WALRAS_OK;

    memset(state->price_per_mwh, 0,
           state->scenario->network.n_bus * state->scenario->horizon.n_step * sizeof(double));
    status = swarm_answers_find(state->answers, 1, state->price_per_mwh, err);
    swarm_forget_bodies(state);
    for (size_t i = 0; i < state->cast.n && status == WALRAS_OK; i++) {
        state->bodies[i] =
            i < state->cast.n_remote ? swarm_answers_fallback(state->answers, i) : strdup("{}");
        if (!state->bodies[i])
            status = swarm_no_memory(err);
    }
    return status == WALRAS_OK ? swarm_http_run(state->http, state->cast.n, &work, err) : status;
}

enum walras_status swarm_wait_for_guest(struct swarm_state *state, struct walras_err *err)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    double until_s = walras_monotonic_s() + state->settings->http.patience_s;
    char path[SWARM_PATH];
    bool in = !state->settings->guest.id;
    enum walras_status status = WALRAS_OK;

    snprintf(path, sizeof(path), "/v1/markets/%s", state->settings->market);
    while (status == WALRAS_OK && !in) {
        char *text = NULL, *at = NULL;

        status = swarm_ask(state, "GET", path, NULL, 200, 200, &text, err);
        at = status == WALRAS_OK ? strstr(text, "\"participants\":") : NULL;
        in = at && strtoull(at + strlen("\"participants\":"), NULL, 10) > state->cast.n;
        free(text);
        if (status == WALRAS_OK && !in && walras_monotonic_s() > until_s)
            status = walras_fail(err, WALRAS_UNAVAILABLE, "agent %s has not joined within %g s",
                                 state->settings->guest.id, state->settings->http.patience_s);
        if (!in)
            nanosleep(&pause, NULL);
    }
    return status;
}
