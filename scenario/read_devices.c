#include "core/file.h"
#include "core/text.h"
#include "scenario/fields.h"
#include "scenario/read_internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum walras_status read_field(struct scenario_reader *reader, const struct walras_json *node,
                                     const struct scenario_field *field,
                                     struct agent_device *device, struct walras_err *err)
{
    void *place = scenario_field_of(device, field);
    enum walras_status status = WALRAS_OK;
    int64_t whole = 0;

    switch (field->kind) {
    case SCENARIO_NUMBER:
        return walras_json_number(node, *field->range, place, err);
    case SCENARIO_SERIES:
        return scenario_read_series(reader, node, *field->range, place, err);
    case SCENARIO_BOOL:
        return walras_json_bool(node, place, err);
    case SCENARIO_STEP:
        status = walras_json_integer(node, 0, (int64_t)reader->made.horizon.n_step, &whole, err);
        *(uint32_t *)place = (uint32_t)whole;
        return status;
    case SCENARIO_OWN:
        break;
    }
    return WALRAS_OK;
}

static enum walras_status set_default(struct scenario_reader *reader,
                                      const struct scenario_field *field,
                                      struct agent_device *device, struct walras_err *err)
{
    void *place = scenario_field_of(device, field);

    switch (field->kind) {
    case SCENARIO_NUMBER:
        *(double *)place = field->fallback;
        break;
    case SCENARIO_SERIES:
        *(struct walras_series *)place = (struct walras_series){NULL, 0};
        return isnan(field->fallback) ? WALRAS_OK
                                      : scenario_keep_constant(reader, field->fallback, place, err);
    case SCENARIO_BOOL:
        *(bool *)place = field->fallback != 0.0;
        break;
    case SCENARIO_STEP:
        *(uint32_t *)place = (uint32_t)field->fallback;
        break;
    case SCENARIO_OWN:
        break;
    }
    return WALRAS_OK;
}

static enum walras_status check_keys(const struct walras_json *node, struct scenario_fields fields,
                                     struct walras_err *err)
{
    const char *keys[SCENARIO_MAX_FIELDS] = {"id", "type", "power_factor"};

    for (size_t i = 0; i < fields.n; i++)
        keys[3 + i] = fields.list[i].key;
    return walras_json_keys(node, keys, 3 + fields.n, err);
}

static enum walras_status read_fields(struct scenario_reader *reader,
                                      const struct walras_json *node, struct agent_device *device,
                                      struct walras_err *err)
{
    struct scenario_fields fields = scenario_fields_of(device->type);
    enum walras_status status = check_keys(node, fields, err);

    for (size_t i = 0; status == WALRAS_OK && i < fields.n; i++) {
        const struct scenario_field *field = &fields.list[i];
        struct walras_json member;

        if (walras_json_find(node, field->key, &member))
            status = read_field(reader, &member, field, device, err);
        else if (field->required)
            status = walras_json_need(node, field->key, &member, err);
        else
            status = set_default(reader, field, device, err);
    }
    return status;
}

static enum walras_status read_mode(const struct walras_json *node, bool *cool,
                                    struct walras_err *err)
{
    struct walras_json mode;
    const char *text = NULL;
    enum walras_status status = walras_json_need(node, "mode", &mode, err);

    if (status == WALRAS_OK)
        status = walras_json_text(&mode, 100, &text, err);
    if (status != WALRAS_OK)
        return status;
    *cool = strcmp(text, "cool") == 0;
    if (!*cool && strcmp(text, "heat") != 0)
        return walras_json_fail(&mode, WALRAS_INVALID, err,
                                "expected \"heat\" or \"cool\", got \"%.40s\"", text);
    return WALRAS_OK;
}

static enum walras_status read_profile(struct scenario_reader *reader,
                                       const struct walras_json *node,
                                       struct agent_shiftable *shiftable, struct walras_err *err)
{
    struct walras_json list;
    enum walras_status status = walras_json_need(node, "profile_kw", &list, err);

    if (status == WALRAS_OK)
        status = walras_json_array(&list, 1, reader->made.horizon.n_step, err);
    if (status != WALRAS_OK)
        return status;

    size_t n = walras_json_count(&list);
    double *profile_kw = walras_arena_take(reader->made.arena, n, sizeof(*profile_kw));

    if (!profile_kw)
        return scenario_no_memory(reader, err);
    for (size_t i = 0; status == WALRAS_OK && i < n; i++) {
        struct walras_json element = walras_json_at(&list, i);

        status = walras_json_number(&element, scenario_range(-SCENARIO_MAX_KW, SCENARIO_MAX_KW),
                                    &profile_kw[i], err);
    }
    shiftable->profile_kw = profile_kw;
    shiftable->n_profile = (uint32_t)n;
    return status;
}

static enum walras_status read_file_name(struct scenario_reader *reader,
                                         const struct walras_json *node, const char **path,
                                         struct walras_err *err)
{
    struct walras_json file;
    char *joined = NULL, *whole = NULL;
    enum walras_status status = walras_json_need(node, "file", &file, err);

    if (status == WALRAS_OK)
        status = scenario_read_path(reader, &file, &joined, err);
    if (status != WALRAS_OK)
        return status;
    whole = walras_path_absolute(joined);
    if (whole && access(whole, R_OK) != 0)
        status =
            walras_json_fail(&file, WALRAS_IO, err, "%s: cannot open: %s", joined, strerror(errno));
    else if (!whole || !(*path = walras_arena_text(reader->made.arena, whole, strlen(whole))))
        status = scenario_no_memory(reader, err);
    free(whole);
    free(joined);
    return status;
}

/* What the table of fields cannot say. */
static enum walras_status read_own(struct scenario_reader *reader, const struct walras_json *node,
                                   struct agent_device *device, struct walras_err *err)
{
    switch (device->type) {
    case AGENT_EV:
        if (isnan(device->ev.capacity_kwh))
            device->ev.capacity_kwh = device->ev.energy_kwh + device->ev.start_kwh;
        return WALRAS_OK;
    case AGENT_THERMAL:
        return read_mode(node, &device->thermal.cool, err);
    case AGENT_SHIFTABLE:
        return read_profile(reader, node, &device->shiftable, err);
    case AGENT_GENERATOR:
        return scenario_read_generator(reader, node, device, err);
    case AGENT_BID:
        return scenario_read_bid(reader, node, device, err);
    case AGENT_LP:
        return read_file_name(reader, node, &device->lp.path, err);
    default:
        return WALRAS_OK;
    }
}

static enum walras_status read_type(const struct walras_json *node, enum agent_device_type *type,
                                    struct walras_err *err)
{
    static const char *const names[] = {
#define X(name, text) text,
        AGENT_DEVICE_LIST(X)
#undef X
    };
    enum { N_TYPE = sizeof(names) / sizeof(names[0]) };
    struct walras_json member;
    const char *text = NULL;
    enum walras_status status = walras_json_need(node, "type", &member, err);

    if (status == WALRAS_OK)
        status = walras_json_text(&member, 100, &text, err);
    if (status != WALRAS_OK)
        return status;
    for (int i = 0; i < N_TYPE; i++)
        if (strcmp(text, names[i]) == 0) {
            *type = (enum agent_device_type)i;
            return WALRAS_OK;
        }

    const char *close = walras_text_closest(text, names, N_TYPE);

    if (close)
        return walras_json_fail(&member, WALRAS_INVALID, err,
                                "unknown device type \"%.40s\"; did you mean \"%s\"?", text, close);
    return walras_json_fail(&member, WALRAS_INVALID, err,
                            "unknown device type \"%.40s\"; expected load, pv, battery, ev, "
                            "thermal, shiftable, generator, bid or lp",
                            text);
}

/* Where kvar count, a load says them in one way. */
static enum walras_status check_reactive(const struct scenario_reader *reader,
                                         const struct walras_json *node,
                                         const struct agent_device *device, struct walras_err *err)
{
    const struct walras_series *kvar = &device->load.draw_kvar;

    if (reader->made.model != SCENARIO_LINDISTFLOW || device->type != AGENT_LOAD ||
        device->power_factor == 1.0)
        return WALRAS_OK;
    if (kvar->stride == 0 && kvar->values[0] == 0.0)
        return WALRAS_OK;
    return walras_json_fail(node, WALRAS_INVALID, err,
                            "expected draw_kvar or power_factor, not both");
}

static enum walras_status read_device(struct scenario_reader *reader,
                                      const struct walras_json *node, struct walras_err *err)
{
    static const struct walras_range power_factor = {.low = -1.0, .high = 1.0};
    struct agent_device device = {.power_factor = 1.0};
    struct walras_err cause = {0};
    enum walras_status status = read_type(node, &device.type, err);

    if (status == WALRAS_OK)
        status = read_fields(reader, node, &device, err);
    if (status == WALRAS_OK)
        status = read_own(reader, node, &device, err);
    if (status == WALRAS_OK)
        status = scenario_read_id(reader, node, &device.id, err);
    if (status == WALRAS_OK)
        status =
            scenario_read_number(node, "power_factor", power_factor, &device.power_factor, err);
    if (status == WALRAS_OK)
        status = check_reactive(reader, node, &device, err);
    if (status != WALRAS_OK)
        return status;
    status = agent_device_check(&device, &reader->made.horizon, &cause);
    if (status == WALRAS_OK && reader->made.n_known > reader->made.horizon.n_step) {
        struct agent_horizon run = reader->made.horizon; /* steps are the horizon's, series go on */

        run.n_step = reader->made.n_known;
        status = agent_device_check(&device, &run, &cause);
    }
    if (status == WALRAS_OK)
        status = scenario_add_device(reader, &device, &cause);
    return status == WALRAS_OK ? status : scenario_fail_here(node, &cause, err);
}

static enum walras_status read_agent(struct scenario_reader *reader, const struct walras_json *node,
                                     struct walras_err *err)
{
    static const char *const keys[] = {"id", "bus", "devices"};
    struct walras_json devices;
    struct walras_err cause = {0};
    const char *id = NULL;
    uint32_t bus = 0;
    enum walras_status status = walras_json_keys(node, keys, 3, err);

    if (status == WALRAS_OK)
        status = scenario_read_id(reader, node, &id, err);
    if (status == WALRAS_OK)
        status = scenario_read_bus(reader, node, "bus", &bus, err);
    if (status == WALRAS_OK)
        status = walras_json_need(node, "devices", &devices, err);
    if (status == WALRAS_OK)
        status = walras_json_array(&devices, 1, reader->settings->max_device, err);
    if (status == WALRAS_OK && scenario_add_agent(reader, id, bus, &cause) != WALRAS_OK)
        status = scenario_fail_here(node, &cause, err);
    for (size_t i = 0; status == WALRAS_OK && i < walras_json_count(&devices); i++) {
        struct walras_json device = walras_json_at(&devices, i);

        status = read_device(reader, &device, err);
    }
    return status;
}

enum walras_status scenario_read_agents(struct scenario_reader *reader,
                                        const struct walras_json *list, struct walras_err *err)
{
    enum walras_status status = walras_json_array(list, 0, reader->settings->max_device, err);

    for (size_t i = 0; status == WALRAS_OK && i < walras_json_count(list); i++) {
        struct walras_json node = walras_json_at(list, i);

        if (scenario_is_mine(reader))
            status = read_agent(reader, &node, err);
    }
    return status;
}
