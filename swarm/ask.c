/* Requests one at a time, and what bodies are made of. */
#include "swarm/swarm_internal.h"

#include "agents/sdk/wire.h"
#include "core/json_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum walras_status swarm_no_memory(struct walras_err *err)
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
        return swarm_no_memory(err);
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

void swarm_add_quoted(struct walras_text *out, const char *text)
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

void swarm_add_member(struct walras_text *out, const char *key, const char *value)
{
    walras_text_addf(out, ", \"%s\": ", key);
    swarm_add_quoted(out, value);
}
