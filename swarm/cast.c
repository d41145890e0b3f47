#include "swarm/cast.h"

#include "core/json.h"
#include "core/text.h"
#include "scenario/expand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LIST = 1 << 28 };

void swarm_cast_release(struct swarm_cast *cast)
{
    for (size_t i = 0; cast->parts && i < cast->n; i++) {
        free(cast->parts[i].devices);
        free(cast->parts[i].delegated);
    }
    free(cast->parts);
    free(cast->grid);
    free(cast->supply);
    free(cast->horizon);
    *cast = (struct swarm_cast){0};
}

/* Of the model lindistflow, where kvar count. */
static bool has_kvar(const struct scenario *scenario, const struct agent_device *device)
{
    bool load = device->type == AGENT_LOAD && device->load.draw_kvar.values;

    return scenario->model == SCENARIO_LINDISTFLOW &&
           (device->power_factor != 1.0 || agent_device_apparent_kva(device) > 0.0 || load);
}

static bool can_be_asked(const struct scenario *scenario, const struct agent_device *device)
{
    return !agent_device_is_integer(device) && !has_kvar(scenario, device);
}

/* Whether someone need be asked at all: what does not span steps is told to the market openly. */
static bool is_worth_asking(const struct scenario *scenario, const struct scenario_agent *agent)
{
    for (uint32_t i = 0; i < agent->n_device; i++) {
        const struct agent_device *device = &scenario->devices[agent->first_device + i];

        if (can_be_asked(scenario, device) && !agent_device_is_separable(device))
            return true;
    }
    return false;
}

static enum walras_status no_memory(struct walras_err *err)
{
    return walras_fail(err, WALRAS_NOMEM, "the agents do not fit in memory");
}

static enum walras_status set_id(struct swarm_part *part, const char *id, const char *suffix,
                                 struct walras_err *err)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    int size = snprintf(part->id, sizeof(part->id), "%s%s", id, suffix);

    if (size < 1 || size >= SWARM_ID || strspn(id, letters) != strlen(id) || strchr("-_.", id[0]))
        return walras_fail(err, WALRAS_INVALID,
                           "agent \"%.80s\": ids on a server have 1 to 64 letters, digits, '-', "
                           "'_', '.', the first a letter or digit",
                           id);
    return WALRAS_OK;
}

static enum walras_status add_remote(struct swarm_cast *cast, const struct scenario_agent *agent,
                                     struct walras_err *err)
{
    struct swarm_part *part = &cast->parts[cast->n++];

    part->bus = agent->bus;
    part->devices = calloc(agent->n_device, sizeof(*part->devices));
    if (!part->devices)
        return no_memory(err);
    for (uint32_t i = 0; i < agent->n_device; i++)
        if (can_be_asked(cast->scenario, &cast->scenario->devices[agent->first_device + i]))
            part->devices[part->n_device++] = agent->first_device + i;
    return set_id(part, agent->id, "", err);
}

/* Those devices of an agent that it is not asked for, as the written scenario has them. */
static enum walras_status add_delegated(struct swarm_cast *cast, const struct scenario_agent *agent,
                                        const struct walras_json *written, bool asked,
                                        struct walras_err *err)
{
    struct swarm_part *part = &cast->parts[cast->n];
    struct walras_json devices;
    struct walras_text list;
    enum walras_status status = walras_json_need(written, "devices", &devices, err);

    walras_text_init(&list, MOST_LIST);
    walras_text_addf(&list, "[");
    for (uint32_t i = 0; i < agent->n_device && status == WALRAS_OK; i++) {
        const struct agent_device *device = &cast->scenario->devices[agent->first_device + i];
        struct walras_json node = walras_json_at(&devices, i);
        char *text = NULL;

        if (asked && can_be_asked(cast->scenario, device))
            continue;
        if (device->type == AGENT_LP)
            status = walras_fail(err, WALRAS_UNSUPPORTED,
                                 "agent %s, device %s: an lp device can be neither asked here nor "
                                 "delegated; walras agent answers for it",
                                 agent->id, device->id);
        text = walras_json_copy_text(&node);
        walras_text_addf(&list, "%s%s", list.size > 1 ? "," : "", text ? text : "");
        free(text);
    }
    walras_text_addf(&list, "]");
    if (status == WALRAS_OK && list.failure != WALRAS_OK)
        status = no_memory(err);
    if (status != WALRAS_OK || list.size <= 2) {
        walras_text_release(&list);
        return status;
    }
    cast->n++;
    part->bus = agent->bus;
    part->delegated = list.data;
    return set_id(part, agent->id, asked ? ".own" : "", err);
}

static enum walras_status add_all(struct swarm_cast *cast, const struct walras_json *root,
                                  struct walras_err *err)
{
    const struct scenario *s = cast->scenario;
    struct walras_json agents;
    enum walras_status status = walras_json_need(root, "agents", &agents, err);

    for (size_t i = 0; i < s->n_agent && status == WALRAS_OK; i++)
        if (is_worth_asking(s, &s->agents[i]))
            status = add_remote(cast, &s->agents[i], err);
    cast->n_remote = cast->n;
    for (size_t i = 0; i < s->n_agent && status == WALRAS_OK; i++) {
        struct walras_json written = walras_json_at(&agents, i);

        status =
            add_delegated(cast, &s->agents[i], &written, is_worth_asking(s, &s->agents[i]), err);
    }
    return status;
}

static enum walras_status copy_parts(struct swarm_cast *cast, const struct walras_json *root,
                                     struct walras_err *err)
{
    const struct {
        const char *key;
        char **text;
    } parts[] = {{"grid", &cast->grid}, {"supply", &cast->supply}, {"horizon", &cast->horizon}};
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && status == WALRAS_OK; i++) {
        struct walras_json node;

        status = walras_json_need(root, parts[i].key, &node, err);
        if (status != WALRAS_OK)
            break;
        *parts[i].text = walras_json_copy_text(&node);
        if (!*parts[i].text)
            status = no_memory(err);
    }
    return status;
}

static enum walras_status write_out(const struct scenario *scenario, char **text, size_t *size,
                                    struct walras_err *err)
{
    FILE *file = open_memstream(text, size);

    if (file)
        scenario_expand(scenario, file);
    return !file || fclose(file) != 0 ? no_memory(err) : WALRAS_OK;
}

enum walras_status swarm_cast_make(const struct scenario *scenario, struct swarm_cast *out,
                                   struct walras_err *err)
{
    struct walras_json_doc *doc = NULL;
    char *text = NULL;
    size_t size = 0;
    enum walras_status status = write_out(scenario, &text, &size, err);

    *out = (struct swarm_cast){.scenario = scenario};
    out->parts = calloc(2 * scenario->n_agent + 1, sizeof(*out->parts));
    if (status == WALRAS_OK && !out->parts)
        status = no_memory(err);
    if (status == WALRAS_OK)
        status = walras_json_parse("the scenario", text, size, &doc, err);
    if (status == WALRAS_OK) {
        struct walras_json root = walras_json_root(doc);

        status = copy_parts(out, &root, err);
        if (status == WALRAS_OK)
            status = add_all(out, &root, err);
    }
    walras_json_free(doc);
    free(text);
    if (status != WALRAS_OK)
        swarm_cast_release(out);
    return status;
}
