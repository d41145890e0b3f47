#include "core/file.h"
#include "scenario/read_internal.h"

#include <stdlib.h>
#include <string.h>

enum walras_status scenario_fail_here(const struct walras_json *node,
                                      const struct walras_err *cause, struct walras_err *err)
{
    return walras_json_fail(node, cause->code, err, "%s", cause->msg);
}

enum walras_status scenario_read_id_text(const struct walras_json *object, const char **text,
                                         struct walras_err *err)
{
    struct walras_json node;
    enum walras_status status = walras_json_need(object, "id", &node, err);

    return status == WALRAS_OK ? walras_json_text(&node, SCENARIO_MAX_ID, text, err) : status;
}

enum walras_status scenario_read_id(struct scenario_reader *reader,
                                    const struct walras_json *object, const char **id,
                                    struct walras_err *err)
{
    const char *text = NULL;
    enum walras_status status = scenario_read_id_text(object, &text, err);

    if (status != WALRAS_OK)
        return status;
    *id = walras_arena_text(reader->made.arena, text, strlen(text));
    return *id ? WALRAS_OK : scenario_no_memory(reader, err);
}

enum walras_status scenario_find_bus(struct scenario_reader *reader, const struct walras_json *node,
                                     uint32_t *bus, struct walras_err *err)
{
    const char *id = NULL;
    enum walras_status status = walras_json_text(node, SCENARIO_MAX_ID, &id, err);

    if (status != WALRAS_OK)
        return status;

    size_t found = walras_names_find(reader->bus_names, id);

    if (found != SIZE_MAX) {
        *bus = (uint32_t)found;
        return WALRAS_OK;
    }

    const char *close = walras_names_closest(reader->bus_names, id);

    if (close)
        return walras_json_fail(node, WALRAS_INVALID, err,
                                "no bus \"%s\" in the grid; did you mean \"%s\"?", id, close);
    return walras_json_fail(node, WALRAS_INVALID, err, "no bus \"%s\" in the grid", id);
}

enum walras_status scenario_read_bus(struct scenario_reader *reader,
                                     const struct walras_json *object, const char *key,
                                     uint32_t *bus, struct walras_err *err)
{
    struct walras_json node;
    enum walras_status status = walras_json_need(object, key, &node, err);

    return status == WALRAS_OK ? scenario_find_bus(reader, &node, bus, err) : status;
}

enum walras_status scenario_read_path(struct scenario_reader *reader,
                                      const struct walras_json *node, char **path,
                                      struct walras_err *err)
{
    const char *text = NULL;
    enum walras_status status = walras_json_text(node, 4000, &text, err);

    if (status != WALRAS_OK)
        return status;
    if (!reader->settings->directory)
        return walras_json_fail(node, WALRAS_INVALID, err,
                                "files cannot be named here; write the values into the scenario");
    *path = walras_path_join(reader->settings->directory, text);
    return *path ? WALRAS_OK : scenario_no_memory(reader, err);
}

enum walras_status scenario_read_number(const struct walras_json *object, const char *key,
                                        struct walras_range range, double *out,
                                        struct walras_err *err)
{
    struct walras_json node;

    return walras_json_find(object, key, &node) ? walras_json_number(&node, range, out, err)
                                                : WALRAS_OK;
}

enum walras_status scenario_read_bool(const struct walras_json *object, const char *key, bool *out,
                                      struct walras_err *err)
{
    struct walras_json node;

    return walras_json_find(object, key, &node) ? walras_json_bool(&node, out, err) : WALRAS_OK;
}

enum walras_status scenario_add_agent(struct scenario_reader *reader, const char *id, uint32_t bus,
                                      struct walras_err *err)
{
    struct scenario *made = &reader->made;
    enum walras_status status = WALRAS_OK;

    if (made->n_agent == reader->agent_room) {
        size_t room = reader->agent_room ? 2 * reader->agent_room : 64;
        struct scenario_agent *more = realloc(made->agents, room * sizeof(*more));

        if (!more)
            return scenario_no_memory(reader, err);
        made->agents = more;
        reader->agent_room = room;
    }
    status = walras_names_add(reader->agent_names, id, err);
    if (status != WALRAS_OK) {
        walras_err_prefix(err, "agent id");
        return status;
    }
    walras_names_clear(reader->device_names);
    made->agents[made->n_agent++] =
        (struct scenario_agent){.id = id, .bus = bus, .first_device = (uint32_t)made->n_device};
    return WALRAS_OK;
}

static enum walras_status make_device_room(struct scenario_reader *reader, struct walras_err *err)
{
    struct scenario *made = &reader->made;
    size_t room = reader->device_room ? 2 * reader->device_room : 64;

    if (made->n_device >= reader->settings->max_device)
        return walras_fail(err, WALRAS_INVALID, "there are more than %zu devices",
                           reader->settings->max_device);
    if (made->n_device < reader->device_room)
        return WALRAS_OK;

    struct agent_device *devices = realloc(made->devices, room * sizeof(*devices));

    if (devices)
        made->devices = devices;

    uint32_t *device_agent = realloc(made->device_agent, room * sizeof(*device_agent));

    if (device_agent)
        made->device_agent = device_agent;
    if (!devices || !device_agent)
        return scenario_no_memory(reader, err);
    reader->device_room = room;
    return WALRAS_OK;
}

enum walras_status scenario_add_device(struct scenario_reader *reader,
                                       const struct agent_device *device, struct walras_err *err)
{
    struct scenario *made = &reader->made;
    enum walras_status status = make_device_room(reader, err);

    if (status != WALRAS_OK)
        return status;
    status = walras_names_add(reader->device_names, device->id, err);
    if (status != WALRAS_OK) {
        walras_err_prefix(err, "device id");
        return status;
    }
    made->devices[made->n_device] = *device;
    made->device_agent[made->n_device] = (uint32_t)(made->n_agent - 1);
    made->n_device++;
    made->agents[made->n_agent - 1].n_device++;
    return WALRAS_OK;
}
