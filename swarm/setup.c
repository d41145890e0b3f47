/* A market and all who take part in it, put on a server. */
#include "swarm/swarm_internal.h"

#include "agents/sdk/wire.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BODY = 1 << 28, STATE_TEXT = 16 };

static enum walras_status no_memory(struct walras_err *err)
{
    return walras_fail(err, WALRAS_NOMEM, "the agents do not fit in memory");
}

enum walras_status swarm_refused(const char *what, const struct swarm_reply *reply,
                                 struct walras_err *err)
{
    char why[300];

    walras_wire_problem(reply->body, reply->size, why, sizeof(why));
    return walras_fail(err, WALRAS_INVALID, "%s: status %ld: %s", what, reply->status, why);
}

struct asked {
    const char *method, *path, *body;
    long good, also_good;
    char **text;
};

static void make_asked(void *context, size_t i, struct swarm_request *request)
{
    const struct asked *asked = context;

    (void)i;
    request->method = asked->method;
    request->body = asked->body;
    snprintf(request->path, sizeof(request->path), "%s", asked->path);
}

static enum walras_status take_asked(void *context, size_t i, const struct swarm_reply *reply,
                                     struct walras_err *err)
{
    const struct asked *asked = context;

    (void)i;
    if (asked->good != 0 && reply->status != asked->good && reply->status != asked->also_good)
        return swarm_refused(asked->path, reply, err);
    if (!asked->text)
        return WALRAS_OK;
    *asked->text = malloc(reply->size + 1);
    if (!*asked->text)
        return no_memory(err);
    memcpy(*asked->text, reply->body, reply->size);
    (*asked->text)[reply->size] = '\0';
    return WALRAS_OK;
}

enum walras_status swarm_ask(struct swarm_state *state, const char *method, const char *path,
                             const char *body, long good, long also_good, char **text,
                             struct walras_err *err)
{
    struct asked asked = {method, path, body, good, also_good, text};
    struct swarm_work work = {make_asked, take_asked, &asked};

    if (text)
        *text = NULL;
    return swarm_http_run(state->http, 1, &work, err);
}

void swarm_forget_bodies(struct swarm_state *state)
{
    for (size_t i = 0; i <= state->cast.n; i++) {
        free(state->bodies[i]);
        state->bodies[i] = NULL;
    }
}

static const char *bus_id(const struct swarm_state *state, const struct swarm_part *part)
{
    return state->scenario->network.buses[part->bus].id;
}

/* Any text, also one with quotation marks, as JSON. */
static void add_quoted(struct walras_text *out, const char *text)
{
    char *quoted = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&quoted, &size);

    if (file) {
        struct walras_json_out json = walras_json_out_start(file, 0);

        walras_json_out_text(&json, text);
    }
    if (!file || fclose(file) != 0)
        out->failure = WALRAS_NOMEM;
    else
        walras_text_add(out, quoted, size);
    free(quoted);
}

/* ,"key":"value" */
static void add_member(struct walras_text *out, const char *key, const char *value)
{
    walras_text_addf(out, ", \"%s\": ", key);
    add_quoted(out, value);
}

/* What makes an agent; a change of one that is there has neither id nor kind. */
static char *word_agent(const struct swarm_state *state, const struct swarm_part *part, bool change)
{
    struct walras_text text;

    walras_text_init(&text, MOST_BODY);
    walras_text_addf(&text, "{\"bus\": ");
    add_quoted(&text, bus_id(state, part));
    if (!change)
        walras_text_addf(&text, ", \"id\": \"%s\", \"kind\": \"%s\"", part->id,
                         part->delegated ? "delegated" : "remote");
    else
        add_member(&text, "owner", state->settings->http.client_id);
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
            return no_memory(err);
    }
    return WALRAS_OK;
}

static enum walras_status put_agents(struct swarm_state *state, struct walras_err *err)
{
    size_t n = state->cast.n, n_change = 0;
    struct putting p = {.state = state,
                        .there = calloc(n + 1, sizeof(bool)),
                        .change_of = calloc(n + 1, sizeof(size_t))};
    struct swarm_work work = {make_agent, take_agent, &p};
    enum walras_status status =
        p.there && p.change_of ? word_agents(state, false, err) : no_memory(err);

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

    walras_text_init(&body, MOST_BODY);
    walras_text_addf(&body, "{\"bus\": ");
    add_quoted(&body, guest->bus);
    add_member(&body, "owner", guest->owner);
    if (made)
        add_member(&body, "id", guest->id);
    walras_text_addf(&body, "%s}", made ? ", \"kind\": \"remote\"" : "");
    status = body.failure == WALRAS_OK
                 ? swarm_ask(state, method, path, body.data, made ? 201 : 200, also_good, NULL, err)
                 : no_memory(err);
    walras_text_release(&body);
    return status;
}

static enum walras_status put_guest(struct swarm_state *state, struct walras_err *err)
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

/* Until the guest has joined, for as long as the server would be waited for. */
static enum walras_status wait_for_guest(struct swarm_state *state, struct walras_err *err)
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

static enum walras_status put_grid(struct swarm_state *state, struct walras_err *err)
{
    char path[SWARM_PATH];

    snprintf(path, sizeof(path), "/v1/grids/%s", state->settings->market);
    return swarm_ask(state, "PUT", path, state->cast.grid, 201, 200, NULL, err);
}

/* Whether there is such a market, and in which state. */
static enum walras_status look_up(struct swarm_state *state, bool *there, char now[STATE_TEXT],
                                  struct walras_err *err)
{
    char path[SWARM_PATH], *text = NULL;
    const char *word = NULL;
    struct walras_json_doc *doc = NULL;
    enum walras_status status = WALRAS_OK;

    snprintf(path, sizeof(path), "/v1/markets/%s", state->settings->market);
    status = swarm_ask(state, "GET", path, NULL, 200, 404, &text, err);
    if (status == WALRAS_OK)
        status = walras_json_parse("the market", text, strlen(text), &doc, err);
    if (status == WALRAS_OK) {
        struct walras_json root = walras_json_root(doc), node;

        *there = walras_json_find(&root, "state", &node);
        if (*there)
            status = walras_json_text(&node, STATE_TEXT - 1, &word, err);
        snprintf(now, STATE_TEXT, "%s", word ? word : "");
    }
    walras_json_free(doc);
    free(text);
    return status;
}

/*
 * Out of the state `from`. That it is out of it already is no fault: it was asked for before, and
 * the answer got lost.
 */
static enum walras_status move_market(struct swarm_state *state, const char *verb, const char *from,
                                      struct walras_err *err)
{
    char path[SWARM_PATH], now[STATE_TEXT] = "";
    bool there = false;
    enum walras_status status = WALRAS_OK;

    snprintf(path, sizeof(path), "/v1/markets/%s/%s", state->settings->market, verb);
    status = swarm_ask(state, "POST", path, NULL, 200, 409, NULL, err);
    if (status == WALRAS_OK)
        status = look_up(state, &there, now, err);
    if (status == WALRAS_OK && (!there || strcmp(now, from) == 0))
        status = walras_fail(err, WALRAS_INVALID, "%s: the market is %s still", path, from);
    return status;
}

static enum walras_status post_market(struct swarm_state *state, struct walras_err *err)
{
    const struct swarm_settings *s = state->settings;
    struct walras_text body;
    enum walras_status status = WALRAS_OK;

    walras_text_init(&body, MOST_BODY);
    walras_text_addf(&body,
                     "{\"id\": \"%s\", \"grid\": \"%s\", \"gap\": %.17g, \"points\": %u, "
                     "\"max_rounds\": %u, \"round_timeout_s\": %u, \"horizon\": %s, \"supply\": %s",
                     s->market, s->market, s->gap, s->points, s->max_rounds, s->round_timeout_s,
                     state->cast.horizon, state->cast.supply);
    add_member(&body, "currency", state->scenario->currency);
    walras_text_addf(&body, "}");
    status = body.failure == WALRAS_OK
                 ? swarm_ask(state, "POST", "/v1/markets", body.data, 201, 409, NULL, err)
                 : no_memory(err);
    walras_text_release(&body);
    return status;
}

/* One that was there before is somebody else's. */
static enum walras_status check_new(struct swarm_state *state, struct walras_err *err)
{
    char now[STATE_TEXT] = "";
    bool there = false;
    enum walras_status status = look_up(state, &there, now, err);

    if (status == WALRAS_OK && there)
        status = walras_fail(err, WALRAS_INVALID, "there is a market \"%s\" already, and it is %s",
                             state->settings->market, now);
    return status;
}

/* It was new: when it is there now, it is this one, and the answer that said so got lost. */
static enum walras_status put_market(struct swarm_state *state, struct walras_err *err)
{
    enum walras_status status = post_market(state, err);

    return status == WALRAS_OK ? move_market(state, "open", "draft", err) : status;
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
static enum walras_status join(struct swarm_state *state, struct walras_err *err)
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
            status = no_memory(err);
    }
    return status == WALRAS_OK ? swarm_http_run(state->http, state->cast.n, &work, err) : status;
}

enum walras_status swarm_set_up(struct swarm_state *state, struct walras_err *err)
{
    enum walras_status status = check_new(state, err);

    if (status == WALRAS_OK)
        status = put_grid(state, err);
    if (status == WALRAS_OK)
        status = put_agents(state, err);
    if (status == WALRAS_OK)
        status = put_guest(state, err);
    if (status == WALRAS_OK)
        swarm_say(state, "%zu agents are on the server", state->cast.n);
    if (status == WALRAS_OK)
        status = put_market(state, err);
    if (status == WALRAS_OK)
        status = join(state, err);
    if (status == WALRAS_OK)
        swarm_say(state, "all have joined market %s", state->settings->market);
    if (status == WALRAS_OK)
        status = wait_for_guest(state, err);
    if (status == WALRAS_OK)
        status = move_market(state, "start", "open", err);
    swarm_forget_bodies(state);
    return status;
}
