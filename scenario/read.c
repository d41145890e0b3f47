#include "core/clock.h"
#include "core/file.h"
#include "core/hash.h"
#include "scenario/read_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum walras_status reader_init(struct scenario_reader *reader, struct walras_err *err)
{
    enum walras_status status = walras_arena_new(&reader->made.arena, err);

    reader->made.rating_scale = 1.0;
    reader->made.line_overload_price_per_mwh = NAN;
    reader->made.voltage_violation_price_per_pu_h = NAN;
    if (status == WALRAS_OK)
        status = walras_names_new(&reader->bus_names, err);
    if (status == WALRAS_OK)
        status = walras_names_new(&reader->agent_names, err);
    if (status == WALRAS_OK)
        status = walras_names_new(&reader->device_names, err);
    if (status == WALRAS_OK)
        status = walras_csv_cache_new(&reader->csv, err);
    if (status == WALRAS_OK)
        status = scenario_series_pool_new(&reader->series, err);
    return status;
}

static void reader_release(struct scenario_reader *reader)
{
    walras_names_free(reader->bus_names);
    walras_names_free(reader->agent_names);
    walras_names_free(reader->device_names);
    walras_csv_cache_free(reader->csv);
    scenario_series_pool_free(reader->series);
    free(reader->scratch);
    scenario_release(&reader->made);
}

static enum walras_status read_version(const struct walras_json *root, struct walras_err *err)
{
    struct walras_json node;
    int64_t version = 0;
    enum walras_status status = walras_json_need(root, "walras", &node, err);

    if (status == WALRAS_OK)
        status = walras_json_integer(&node, 1, INT32_MAX, &version, err);
    if (status == WALRAS_OK && version != 1)
        status =
            walras_json_fail(&node, WALRAS_UNSUPPORTED, err,
                             "this program reads format version 1, got %lld", (long long)version);
    return status;
}

static enum walras_status read_title(struct scenario_reader *reader, const struct walras_json *root,
                                     const char *key, size_t most, const char *fallback,
                                     const char **out, struct walras_err *err)
{
    struct walras_json node;
    const char *text = fallback;
    enum walras_status status = WALRAS_OK;

    if (walras_json_find(root, key, &node))
        status = walras_json_text(&node, most, &text, err);
    if (status != WALRAS_OK)
        return status;
    *out = walras_arena_text(reader->made.arena, text, strlen(text));
    return *out ? WALRAS_OK : scenario_no_memory(reader, err);
}

static enum walras_status read_whole(const struct walras_json *object, const char *key,
                                     int64_t high, uint32_t *out, struct walras_err *err)
{
    struct walras_json node;
    int64_t value = 0;
    enum walras_status status = walras_json_need(object, key, &node, err);

    if (status == WALRAS_OK)
        status = walras_json_integer(&node, 1, high, &value, err);
    *out = (uint32_t)value;
    return status;
}

static enum walras_status set_horizon(struct scenario_reader *reader, uint32_t steps,
                                      uint32_t step_min, struct walras_err *err)
{
    struct scenario *made = &reader->made;

    made->step_min = step_min;
    made->horizon = (struct agent_horizon){.n_step = steps, .step_h = step_min / 60.0};
    made->n_known = steps;
    if (reader->settings->run_days > 0) {
        struct scenario_run_steps run;
        struct walras_err cause = {0};
        enum walras_status status = scenario_run_steps(made, reader->settings, &run, &cause);

        if (status != WALRAS_OK)
            return walras_fail(err, status, "%s: %s", reader->name, cause.msg);
        made->n_known = (run.n_window - 1) * run.replan + steps;
    }
    reader->scratch = calloc(made->n_known, sizeof(*reader->scratch));
    return reader->scratch ? WALRAS_OK : scenario_no_memory(reader, err);
}

static enum walras_status read_horizon(struct scenario_reader *reader,
                                       const struct walras_json *node, struct walras_err *err)
{
    static const char *const keys[] = {"start", "step_minutes", "steps"};
    struct scenario *made = &reader->made;
    struct walras_json start;
    struct walras_err cause = {0};
    const char *text = NULL;
    uint32_t steps = 0, step_min = 0;
    enum walras_status status = walras_json_keys(node, keys, 3, err);

    if (status == WALRAS_OK)
        status = walras_json_need(node, "start", &start, err);
    if (status == WALRAS_OK)
        status = walras_json_text(&start, 100, &text, err);
    if (status == WALRAS_OK &&
        walras_time_parse(text, &made->start_utc_s, &made->start_offset_min, &cause) != WALRAS_OK)
        status = scenario_fail_here(&start, &cause, err);
    if (status == WALRAS_OK)
        status = read_whole(node, "step_minutes", SCENARIO_MAX_STEP_MINUTES, &step_min, err);
    if (status == WALRAS_OK)
        status = read_whole(node, "steps", (int64_t)reader->settings->max_step, &steps, err);
    return status == WALRAS_OK ? set_horizon(reader, steps, step_min, err) : status;
}

/* Reads the list of that key, when it is there. */
static enum walras_status
read_list(struct scenario_reader *reader, const struct walras_json *root, const char *key,
          enum walras_status (*read)(struct scenario_reader *, const struct walras_json *,
                                     struct walras_err *),
          struct walras_err *err)
{
    struct walras_json list;

    return walras_json_find(root, key, &list) ? read(reader, &list, err) : WALRAS_OK;
}

/* How many there are to share out; what is not well formed is complained of when it is read. */
static size_t count_shared(const struct walras_json *root)
{
    struct walras_json list;
    size_t n = 0;

    if (walras_json_find(root, "agents", &list) &&
        walras_json_array(&list, 0, SIZE_MAX, NULL) == WALRAS_OK)
        n += walras_json_count(&list);
    if (!walras_json_find(root, "fleets", &list) ||
        walras_json_array(&list, 0, SIZE_MAX, NULL) != WALRAS_OK)
        return n;
    for (size_t i = 0; i < walras_json_count(&list); i++) {
        struct walras_json fleet = walras_json_at(&list, i), count;
        int64_t value = 0;

        if (walras_json_find(&fleet, "count", &count) &&
            walras_json_integer(&count, 0, INT64_MAX, &value, NULL) == WALRAS_OK)
            n += (size_t)value;
    }
    return n;
}

/* What a case file brings belongs to the first share. */
static void leave_to_first(struct scenario_reader *reader)
{
    if (reader->settings->rank > 0)
        reader->made.n_agent = reader->made.n_device = 0;
}

static enum walras_status read_root(struct scenario_reader *reader, const struct walras_json *root,
                                    struct walras_err *err)
{
    static const char *const keys[] = {"walras", "name",   "currency", "horizon",
                                       "grid",   "supply", "agents",   "fleets"};
    struct walras_json horizon, grid;
    enum walras_status status = walras_json_keys(root, keys, sizeof(keys) / sizeof(keys[0]), err);

    if (status == WALRAS_OK)
        status = read_version(root, err);
    if (status == WALRAS_OK)
        status =
            read_title(reader, root, "name", SCENARIO_MAX_NAME, "market", &reader->made.name, err);
    if (status == WALRAS_OK)
        status = read_title(reader, root, "currency", 16, "EUR", &reader->made.currency, err);
    if (status == WALRAS_OK)
        status = walras_json_need(root, "horizon", &horizon, err);
    if (status == WALRAS_OK)
        status = read_horizon(reader, &horizon, err);
    if (status == WALRAS_OK)
        status = walras_json_need(root, "grid", &grid, err);
    if (status == WALRAS_OK)
        status = scenario_read_grid(reader, &grid, err);
    if (status == WALRAS_OK)
        status = read_list(reader, root, "supply", scenario_read_supplies, err);
    leave_to_first(reader);
    reader->n_shared = count_shared(root);
    if (status == WALRAS_OK)
        status = read_list(reader, root, "agents", scenario_read_agents, err);
    if (status == WALRAS_OK)
        status = read_list(reader, root, "fleets", scenario_read_fleets, err);
    return status;
}

static enum walras_status parse_json(struct scenario_reader *reader, const char *text, size_t size,
                                     struct walras_err *err)
{
    struct walras_json_doc *doc = NULL;
    enum walras_status status = walras_json_parse(reader->name, text, size, &doc, err);

    if (status == WALRAS_OK) {
        struct walras_json root = walras_json_root(doc);

        status = read_root(reader, &root, err);
    }
    walras_json_free(doc);
    return status;
}

static enum walras_status parse_case(struct scenario_reader *reader, const char *text, size_t size,
                                     struct walras_err *err)
{
    enum walras_status status = set_horizon(reader, 1, 60, err);

    if (status == WALRAS_OK)
        status = scenario_parse_case(reader, text, size, err);
    leave_to_first(reader);
    return status;
}

static size_t skip_blanks(const char *text, size_t size)
{
    size_t at = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    while (at < size && strchr(" \t\r\n", text[at]) && text[at] != '\0')
        at++;
    return at;
}

static enum walras_status fail_neither(const char *name, const char *text, size_t size,
                                       struct walras_err *err)
{
    enum { SHOWN = 20 };
    static const char what[] = "neither a scenario (JSON) nor a MATPOWER case";
    size_t n = 0;

    if (size == 0)
        return walras_fail(err, WALRAS_INVALID, "%s: %s: there is nothing in it", name, what);
    while (n < size && n < SHOWN && text[n] >= ' ' && text[n] <= '~')
        n++;
    if (n == 0)
        return walras_fail(err, WALRAS_INVALID, "%s: %s: it begins with the byte 0x%02X", name,
                           what, (unsigned)(unsigned char)text[0]);
    return walras_fail(err, WALRAS_INVALID, "%s: %s: it begins with \"%.*s\"", name, what, (int)n,
                       text);
}

/* Tells what is read by how it begins. */
static enum walras_status parse_any(struct scenario_reader *reader, const char *text, size_t size,
                                    struct walras_err *err)
{
    size_t at = skip_blanks(text, size);

    if (scenario_looks_like_case(reader->name, text, size))
        return parse_case(reader, text, size, err);
    if (at == size || (text[at] != '{' && text[at] != '['))
        return fail_neither(reader->name, text + at, size - at, err);
    return parse_json(reader, text, size, err);
}

enum walras_status scenario_parse(const char *name, const char *text, size_t size,
                                  const struct scenario_settings *settings, struct scenario *out,
                                  struct walras_err *err)
{
    struct scenario_reader reader = {.settings = settings, .name = name};
    enum walras_status status = reader_init(&reader, err);

    reader.made.text_hash = walras_hash(0, text, size);
    if (status == WALRAS_OK)
        status = parse_any(&reader, text, size, err);
    if (status == WALRAS_OK) {
        *out = reader.made;
        reader.made = (struct scenario){0}; /* moved */
    }
    reader_release(&reader);
    return status;
}

enum walras_status scenario_read(const char *path, struct scenario *out, struct walras_err *err)
{
    struct scenario_settings settings = scenario_settings_defaults();

    return scenario_read_with(path, &settings, out, err);
}

enum walras_status scenario_read_with(const char *path, const struct scenario_settings *given,
                                      struct scenario *out, struct walras_err *err)
{
    struct scenario_settings settings = *given;
    char *text = NULL, *directory = walras_path_directory(path);
    size_t size = 0;
    enum walras_status status =
        directory ? walras_file_read(path, WALRAS_JSON_MAX_FILE, &text, &size, err)
                  : walras_fail(err, WALRAS_NOMEM, "%s: no memory to read the scenario", path);

    settings.directory = directory;
    if (status == WALRAS_OK)
        status = scenario_parse(path, text, size, &settings, out, err);
    free(directory);
    free(text);
    return status;
}
