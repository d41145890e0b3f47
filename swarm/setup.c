/* A market put on a server, for those who take part in it (enrol.c), and started. */
#include "swarm/swarm_internal.h"

#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_TEXT = 16 };

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

    walras_text_init(&body, SWARM_MOST_BODY);
    walras_text_addf(&body,
                     "{\"id\": \"%s\", \"grid\": \"%s\", \"gap\": %.17g, \"points\": %u, "
                     "\"max_rounds\": %u, \"round_timeout_s\": %u, \"horizon\": %s, \"supply\": %s",
                     s->market, s->market, s->gap, s->points, s->max_rounds, s->round_timeout_s,
                     state->cast.horizon, state->cast.supply);
    swarm_add_member(&body, "currency", state->scenario->currency);
    walras_text_addf(&body, "}");
    status = body.failure == WALRAS_OK
                 ? swarm_ask(state, "POST", "/v1/markets", body.data, 201, 409, NULL, err)
                 : swarm_no_memory(err);
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

enum walras_status swarm_set_up(struct swarm_state *state, struct walras_err *err)
{
    enum walras_status status = check_new(state, err);

    if (status == WALRAS_OK)
        status = put_grid(state, err);
    if (status == WALRAS_OK)
        status = swarm_put_agents(state, err);
    if (status == WALRAS_OK)
        status = swarm_put_guest(state, err);
    if (status == WALRAS_OK)
        swarm_say(state, "%zu agents are on the server", state->cast.n);
    if (status == WALRAS_OK)
        status = put_market(state, err);
    if (status == WALRAS_OK)
        status = swarm_join(state, err);
    if (status == WALRAS_OK)
        swarm_say(state, "all have joined market %s", state->settings->market);
    if (status == WALRAS_OK)
        status = swarm_wait_for_guest(state, err);
    if (status == WALRAS_OK)
        status = move_market(state, "start", "open", err);
    swarm_forget_bodies(state);
    return status;
}
