/* /v1/agents: who takes part in markets. */
#include "api/api_internal.h"

#include "agents/device.h"
#include "core/names.h"
#include "db/agents.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEVICES = 10000, MAX_NAME = 128 };

struct agent_body { /* what a body says; texts are the document's */
    const char *id, *bus, *kind, *owner;
    bool has_devices;
    struct db_device *devices; /* [n_device] definitions are its own */
    size_t n_device;
};

static void release(struct agent_body *body)
{
    for (size_t i = 0; i < body->n_device; i++)
        free((char *)body->devices[i].definition);
    free(body->devices);
}

static enum walras_status read_text(const struct walras_json *root, const char *key,
                                    const char **text, struct walras_err *err)
{
    struct walras_json node;

    return walras_json_find(root, key, &node) ? walras_json_text(&node, MAX_NAME, text, err)
                                              : WALRAS_OK;
}

static enum walras_status check_type(const struct walras_json *device, struct walras_err *err)
{
    struct walras_json node;
    const char *type = NULL;
    enum walras_status status = walras_json_need(device, "type", &node, err);

    if (status == WALRAS_OK)
        status = walras_json_text(&node, MAX_NAME, &type, err);
    if (status != WALRAS_OK)
        return status;
    if (strcmp(type, agent_device_type_name(AGENT_LP)) == 0)
        return walras_json_fail(&node, WALRAS_INVALID, err,
                                "a device that names a file cannot be delegated: run it as a "
                                "remote agent");
    for (int t = 0; t < AGENT_N_TYPE; t++)
        if (strcmp(type, agent_device_type_name((enum agent_device_type)t)) == 0)
            return WALRAS_OK;
    return walras_json_fail(&node, WALRAS_INVALID, err, "there is no type of device \"%.40s\"",
                            type);
}

/* Id and type; the rest is judged against a market's horizon, when the agent joins. */
static enum walras_status read_device(const struct walras_json *node, struct walras_names *names,
                                      struct db_device *device, struct walras_err *err)
{
    struct walras_json id;
    enum walras_status status = WALRAS_OK;

    if (!walras_json_is(node, WALRAS_JSON_OBJECT))
        return walras_json_mistyped(node, "an object", err);
    status = walras_json_need(node, "id", &id, err);
    if (status == WALRAS_OK)
        status = walras_json_text(&id, MAX_NAME, &device->id, err);
    if (status == WALRAS_OK)
        status = check_type(node, err);
    if (status == WALRAS_OK && walras_names_add(names, device->id, NULL) != WALRAS_OK)
        status = walras_json_fail(&id, WALRAS_INVALID, err, "there is a device \"%s\" before it",
                                  device->id);
    if (status == WALRAS_OK)
        device->definition = walras_json_copy_text(node);
    if (status == WALRAS_OK && !device->definition)
        status = walras_fail(err, WALRAS_NOMEM, "no memory for a device");
    return status;
}

static enum walras_status read_devices(const struct walras_json *list, struct agent_body *body,
                                       struct walras_err *err)
{
    struct walras_names *names = NULL;
    enum walras_status status = walras_json_array(list, 1, MAX_DEVICES, err);
    size_t n = status == WALRAS_OK ? walras_json_count(list) : 0;

    if (status == WALRAS_OK)
        status = walras_names_new(&names, err);
    if (status == WALRAS_OK && !(body->devices = calloc(n, sizeof(*body->devices))))
        status = walras_fail(err, WALRAS_NOMEM, "no memory for %zu devices", n);
    for (size_t i = 0; status == WALRAS_OK && i < n; i++) {
        struct walras_json node = walras_json_at(list, i);

        body->n_device = i + 1;
        status = read_device(&node, names, &body->devices[i], err);
    }
    body->has_devices = true;
    walras_names_free(names);
    return status;
}

static enum walras_status check_kind(const struct walras_json *root, const struct agent_body *body,
                                     struct walras_err *err)
{
    struct walras_json node;
    bool delegated = body->kind && strcmp(body->kind, "delegated") == 0;
    enum walras_status status = walras_json_need(root, "kind", &node, err);

    if (status != WALRAS_OK || !body->kind)
        return status;
    if (!delegated && strcmp(body->kind, "remote") != 0)
        return walras_json_fail(&node, WALRAS_INVALID, err,
                                "expected \"remote\" or \"delegated\", got \"%.40s\"", body->kind);
    if (delegated && !body->has_devices)
        return walras_json_need(root, "devices", &node, err);
    if (!delegated && body->has_devices)
        return walras_json_fail(&node, WALRAS_INVALID, err,
                                "a remote agent keeps its devices to itself");
    return WALRAS_OK;
}

static enum walras_status read_body(struct api_request *request, const struct walras_json *root,
                                    bool whole, struct agent_body *body, struct walras_err *err)
{
    static const char *const keys[] = {"owner", "bus", "devices", "id", "kind"};
    struct walras_json node;
    enum walras_status status = walras_json_keys(root, keys, whole ? 5 : 3, err);

    (void)request;
    if (status == WALRAS_OK)
        status = read_text(root, "id", &body->id, err);
    if (status == WALRAS_OK)
        status = read_text(root, "bus", &body->bus, err);
    if (status == WALRAS_OK)
        status = read_text(root, "kind", &body->kind, err);
    if (status == WALRAS_OK)
        status = read_text(root, "owner", &body->owner, err);
    if (status == WALRAS_OK && walras_json_find(root, "devices", &node))
        status = read_devices(&node, body, err);
    if (status != WALRAS_OK || !whole)
        return status;
    status = walras_json_need(root, "id", &node, err);
    if (status == WALRAS_OK && !db_id_is_good(body->id))
        status = walras_json_fail(&node, WALRAS_INVALID, err,
                                  "expected 1 to 64 letters, digits, \"-\", \"_\" or \".\"");
    if (status == WALRAS_OK)
        status = walras_json_need(root, "bus", &node, err);
    return status == WALRAS_OK ? check_kind(root, body, err) : status;
}

static enum walras_status create(struct api_request *request, void *context, struct walras_err *err)
{
    const struct agent_body *body = context;
    const struct db_agent agent = {.id = body->id,
                                   .bus = body->bus,
                                   .owner = body->owner ? body->owner : request->client.id,
                                   .delegated = body->has_devices,
                                   .devices = body->devices,
                                   .n_device = body->n_device};
    enum walras_status status = db_agent_create(request->db, request->client.id, &agent, err);

    if (status == WALRAS_CONFLICT)
        walras_err_prefix(err, "body: /id");
    else if (status == WALRAS_INVALID)
        walras_err_prefix(err, "body: /owner");
    return status;
}

static enum walras_status show(struct api_request *request, const char *id, unsigned http,
                               struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status =
        db_agent_get(request->db, id, api_owner_filter(request), &rows, err);

    return status == WALRAS_OK ? api_row(request, &rows, http, "such agent", err) : status;
}

enum walras_status api_agent_post(struct api_request *request, struct walras_err *err)
{
    struct agent_body body = {0};
    struct walras_json root;
    enum walras_status status = api_body_json(request, &root, err);

    if (status == WALRAS_OK)
        status = read_body(request, &root, true, &body, err);
    if (status == WALRAS_OK)
        status = api_transaction(request, create, &body, err);
    if (status == WALRAS_OK) {
        snprintf(request->location, sizeof(request->location), "/v1/agents/%s", body.id);
        status = show(request, body.id, MHD_HTTP_CREATED, err);
    }
    release(&body);
    return status;
}

static enum walras_status change(struct api_request *request, void *context, struct walras_err *err)
{
    const struct agent_body *body = context;
    const struct db_agent_change wanted = {.bus = body->bus,
                                           .owner = body->owner,
                                           .devices = body->has_devices ? body->devices : NULL,
                                           .n_device = body->n_device};
    struct db_rows rows = {0};
    bool remote = false;
    enum walras_status status = db_agent_get(request->db, request->part[0], NULL, &rows, err);

    if (status != WALRAS_OK)
        return status;
    remote = rows.n > 0 && strcmp(db_text(&rows, 0, 1), "remote") == 0;
    db_rows_release(&rows);
    if (remote && body->has_devices)
        return walras_fail(err, WALRAS_INVALID,
                           "body: /devices: a remote agent keeps its devices to itself");
    status = db_agent_change(request->db, request->client.id, request->part[0], &wanted, err);
    if (status == WALRAS_INVALID)
        walras_err_prefix(err, "body: /owner");
    return status;
}

enum walras_status api_agent_patch(struct api_request *request, struct walras_err *err)
{
    struct agent_body body = {0};
    struct walras_json root;
    enum walras_status status = api_body_json(request, &root, err);

    if (status == WALRAS_OK)
        status = read_body(request, &root, false, &body, err);
    if (status == WALRAS_OK)
        status = api_transaction(request, change, &body, err);
    if (status == WALRAS_OK)
        status = show(request, request->part[0], MHD_HTTP_OK, err);
    release(&body);
    return status;
}

static enum walras_status delete (struct api_request *request, void *context,
                                  struct walras_err *err) {
    (void)context; return db_agent_delete(request->db, request->client.id, request->part[0], err);
}

enum walras_status api_agent_delete(struct api_request *request, struct walras_err *err)
{
    enum walras_status status = api_transaction(request, delete, NULL, err);

    return status == WALRAS_OK ? api_json(request, MHD_HTTP_NO_CONTENT, err) : status;
}

enum walras_status api_agent_get(struct api_request *request, struct walras_err *err)
{
    return show(request, request->part[0], MHD_HTTP_OK, err);
}

enum walras_status api_agent_list(struct api_request *request, struct walras_err *err)
{
    struct db_page page;
    struct db_rows rows = {0};
    enum walras_status status = api_page(request, &page, err);

    if (status == WALRAS_OK)
        status = db_agent_list(request->db, api_owner_filter(request), &page, &rows, err);
    return status == WALRAS_OK ? api_rows(request, &rows, &page, err) : status;
}
