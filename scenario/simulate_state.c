/*
 * The state of a run on disk. One JSON object; what it holds is written by put_state and read back
 * in the same order by read_state. Reading trusts nothing: shapes, ranges and what it belongs to.
 */
#include "core/file.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/json_write.h"
#include "scenario/fields.h"
#include "scenario/simulate_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_VERSION = 1, KEY_TEXT = 400, HASH_TEXT = 17 };
#define LARGE 1e15

/* A series that a device may do without has no values. */
static uint64_t hash_series(uint64_t hash, struct walras_series series, size_t n)
{
    size_t n_value = series.stride ? n : 1;

    return walras_hash(hash, series.values, series.values ? n_value * sizeof(double) : 0);
}

/* What counts in the model lindistflow besides. */
static uint64_t hash_voltages(uint64_t hash, const struct grid_network *network)
{
    for (size_t l = 0; l < network->n_line; l++) {
        const double numbers[] = {network->lines[l].r_pu, network->lines[l].b_pu,
                                  network->lines[l].limit_kva};

        hash = walras_hash(hash, numbers, sizeof(numbers));
    }
    for (size_t b = 0; b < network->n_bus; b++) {
        const double numbers[] = {network->buses[b].v_min_pu, network->buses[b].v_max_pu};

        hash = walras_hash(hash, numbers, sizeof(numbers));
    }
    return hash;
}

/* Of the file's text, and of what it names: series, lines. */
static void scenario_text_hash(const struct scenario *s, char text[HASH_TEXT])
{
    uint64_t hash = s->text_hash;

    for (size_t d = 0; d < s->n_device; d++) {
        struct scenario_fields fields = scenario_fields_of(s->devices[d].type);

        for (size_t i = 0; i < fields.n; i++)
            if (fields.list[i].kind == SCENARIO_SERIES) {
                const struct walras_series *series =
                    scenario_field_in(&s->devices[d], &fields.list[i]);

                hash = hash_series(hash, *series, s->n_known);
            }
    }
    for (size_t i = 0; i < s->n_supply; i++) {
        hash = hash_series(hash, s->supplies[i].price_per_mwh, s->n_known);
        hash = hash_series(hash, s->supplies[i].export_price_per_mwh, s->n_known);
        hash = hash_series(hash, s->supplies[i].import_limit_kw, s->n_known);
        hash = hash_series(hash, s->supplies[i].export_limit_kw, s->n_known);
    }
    for (size_t l = 0; l < s->network.n_line; l++) {
        const double numbers[] = {s->network.lines[l].x_pu, s->network.lines[l].limit_kw,
                                  s->network.lines[l].tap, s->network.lines[l].shift_rad};

        hash = walras_hash(hash, numbers, sizeof(numbers));
    }
    if (s->model == SCENARIO_LINDISTFLOW)
        hash = hash_voltages(hash, &s->network);
    snprintf(text, HASH_TEXT, "%016" PRIx64, hash);
}

/* What of the settings decides what comes out; the number of threads does not. */
static void settings_text(const struct scenario_simulation *sim, char text[KEY_TEXT])
{
    const struct market_settings *market = &sim->settings.clear.market;

    snprintf(text, KEY_TEXT,
             "days %u, replan %zu, gap %.17g, method %.40s, master %.10s, points %u, rounds %u, "
             "time %g, groups %zu, devices %s, start %s %u",
             sim->settings.read.run_days, sim->run.steps.replan, market->gap, market->method,
             market->master, market->n_point, market->max_rounds, market->time_limit_s,
             sim->settings.clear.n_group, sim->settings.clear.glpk ? "glpk" : "fast",
             sim->settings.cold ? "cold" : "warm", sim->settings.n_warm_point);
}

/* ---- writing ---- */

static void put_text(struct walras_json_out *out, const char *key, const char *text)
{
    walras_json_out_key(out, key);
    walras_json_out_text(out, text);
}

static void put_integer(struct walras_json_out *out, const char *key, size_t value)
{
    walras_json_out_key(out, key);
    walras_json_out_integer(out, (int64_t)value);
}

static void put_numbers(struct walras_json_out *out, const char *key, const double *values,
                        size_t n)
{
    walras_json_out_key(out, key);
    walras_json_out_numbers(out, values, n);
}

/* The first `n_done` of each row. */
static void put_rows(struct walras_json_out *out, const char *key, const double *values,
                     size_t n_row, const struct scenario_run *run)
{
    walras_json_out_key(out, key);
    walras_json_out_open(out, '[');
    for (size_t r = 0; r < n_row; r++)
        walras_json_out_numbers(out, values + r * run->steps.length, run->n_done);
    walras_json_out_close(out, ']');
}

/* A window as numbers; whole ones are exact up to 2^53. */
enum { WINDOW_NUMBERS = 15, DAY_NUMBERS = 7, TRACE_NUMBERS = 6 };

static void window_numbers(const struct scenario_run_window *w, double numbers[WINDOW_NUMBERS])
{
    const double values[WINDOW_NUMBERS] = {(double)w->first_step,
                                           (double)w->n_committed,
                                           w->warm,
                                           w->clean,
                                           (double)w->outcome,
                                           w->n_rounds,
                                           (double)w->n_responses,
                                           w->objective,
                                           w->bound,
                                           w->gap,
                                           w->max_imbalance_kw,
                                           w->max_line_breach_kw,
                                           w->max_device_breach,
                                           w->committed_cost,
                                           w->seconds};

    memcpy(numbers, values, sizeof(values));
}

static void day_numbers(const struct scenario_run_day *d, double numbers[DAY_NUMBERS])
{
    const double values[DAY_NUMBERS] = {d->device_cost,  d->supply_cost, d->breach_cost,
                                        d->import_kwh,   d->export_kwh,  d->import_cost,
                                        d->export_income};

    memcpy(numbers, values, sizeof(values));
}

static void put_done(struct walras_json_out *out, const struct scenario_run *run)
{
    double numbers[WINDOW_NUMBERS];

    walras_json_out_key(out, "windows");
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < run->n_window; i++) {
        window_numbers(&run->windows[i], numbers);
        walras_json_out_numbers(out, numbers, WINDOW_NUMBERS);
    }
    walras_json_out_close(out, ']');
    walras_json_out_key(out, "days");
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < run->n_day; i++) {
        day_numbers(&run->days[i], numbers);
        walras_json_out_numbers(out, numbers, DAY_NUMBERS);
    }
    walras_json_out_close(out, ']');
    put_rows(out, "price_per_mwh", run->price_per_mwh, run->scenario->network.n_bus, run);
    put_rows(out, "import_kw", run->import_kw, run->scenario->n_supply, run);
    put_rows(out, "export_kw", run->export_kw, run->scenario->n_supply, run);
    put_rows(out, "kind_kw", run->kind_kw, SCENARIO_N_KIND, run);
}

static void put_traces(struct walras_json_out *out, const struct scenario_simulation *sim)
{
    walras_json_out_key(out, "devices");
    walras_json_out_open(out, '[');
    for (size_t d = 0; d < sim->scenario->n_device; d++) {
        const struct scenario_trace *trace = &sim->traces[d];
        const double numbers[TRACE_NUMBERS] = {
            trace->state.stored,         trace->state.output_kw,           trace->state.hold_steps,
            trace->state.on ? 1.0 : 0.0, trace->state.follows ? 1.0 : 0.0, (double)trace->started};

        walras_json_out_numbers(out, numbers, TRACE_NUMBERS);
    }
    walras_json_out_close(out, ']');
}

static void put_warm(struct walras_json_out *out, const struct scenario_simulation *sim)
{
    const struct simulation_warm *warm = &sim->warm;
    size_t n_step = sim->scenario->horizon.n_step;

    walras_json_out_key(out, "warm");
    if (!warm->energy_price_per_mwh) {
        walras_json_out_null(out);
        return;
    }
    walras_json_out_open(out, '{');
    put_numbers(out, "energy_price_per_mwh", warm->energy_price_per_mwh, n_step);
    walras_json_out_key(out, "shadows");
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < warm->n_shadow; i++) {
        const struct market_shadow *s = &warm->shadows[i];
        const double numbers[] = {(double)s->limit, s->step, s->direction, s->price_per_mwh};

        walras_json_out_numbers(out, numbers, 4);
    }
    walras_json_out_close(out, ']');
    walras_json_out_key(out, "points");
    walras_json_out_open(out, '[');
    for (size_t k = 0; k < warm->n_point; k++)
        walras_json_out_numbers(
            out, warm->point_price_per_mwh + k * sim->scenario->network.n_bus * n_step,
            sim->scenario->network.n_bus * n_step);
    walras_json_out_close(out, ']');
    walras_json_out_close(out, '}');
}

enum walras_status scenario_simulation_save(const struct scenario_simulation *sim, const char *path,
                                            struct walras_err *err)
{
    char settings[KEY_TEXT], hash[HASH_TEXT];
    FILE *file = NULL;
    enum walras_status status = walras_file_create(path, &file, err);

    if (status != WALRAS_OK)
        return status;

    struct walras_json_out out = walras_json_out_start(file, 2);

    settings_text(sim, settings);
    scenario_text_hash(sim->scenario, hash);
    walras_json_out_open(&out, '{');
    put_integer(&out, "walras_run", STATE_VERSION);
    put_text(&out, "market", hash);
    put_text(&out, "settings", settings);
    put_integer(&out, "steps_done", sim->run.n_done);
    put_done(&out, &sim->run);
    put_traces(&out, sim);
    put_warm(&out, sim);
    walras_json_out_close(&out, '}');
    walras_json_out_end(&out);
    return walras_file_finish(file, path, err);
}

/* ---- reading ---- */

static const struct walras_range any_number = {.low = -LARGE, .high = LARGE};

static enum walras_status read_numbers(const struct walras_json *list, size_t n, double *out,
                                       struct walras_err *err)
{
    enum walras_status status = walras_json_array(list, n, n, err);

    for (size_t i = 0; status == WALRAS_OK && i < n; i++) {
        struct walras_json node = walras_json_at(list, i);

        status = walras_json_number(&node, any_number, &out[i], err);
    }
    return status;
}

static enum walras_status need_numbers(const struct walras_json *object, const char *key, size_t n,
                                       double *out, struct walras_err *err)
{
    struct walras_json list;
    enum walras_status status = walras_json_need(object, key, &list, err);

    return status == WALRAS_OK ? read_numbers(&list, n, out, err) : status;
}

/* `n_row` rows of n numbers each, `stride` apart in `out`. */
static enum walras_status need_rows(const struct walras_json *object, const char *key, size_t n_row,
                                    size_t n, size_t stride, double *out, struct walras_err *err)
{
    struct walras_json list;
    enum walras_status status = walras_json_need(object, key, &list, err);

    if (status == WALRAS_OK)
        status = walras_json_array(&list, n_row, n_row, err);
    for (size_t r = 0; status == WALRAS_OK && r < n_row; r++) {
        struct walras_json row = walras_json_at(&list, r);

        status = read_numbers(&row, n, out + r * stride, err);
    }
    return status;
}

static bool whole(double value, double low, double high)
{
    return value >= low && value <= high && floor(value) == value;
}

/* Windows follow on each other and end where the run stands. */
static enum walras_status read_window(const struct walras_json *node, struct scenario_run *run,
                                      struct walras_err *err)
{
    double v[WINDOW_NUMBERS];
    size_t left = run->steps.length - run->n_done;
    size_t n = left < run->steps.replan ? left : run->steps.replan;
    enum walras_status status = read_numbers(node, WINDOW_NUMBERS, v, err);

    if (status != WALRAS_OK)
        return status;
    if (!whole(v[0], (double)run->n_done, (double)run->n_done) ||
        !whole(v[1], (double)n, (double)n) || !whole(v[2], 0.0, 1.0) || !whole(v[3], 0.0, 1.0) ||
        !whole(v[4], 0.0, MARKET_INFEASIBLE) || !whole(v[5], 0.0, UINT32_MAX) ||
        !whole(v[6], 0.0, LARGE))
        return walras_json_fail(node, WALRAS_INVALID, err, "this is not the window from step %zu",
                                run->n_done);
    run->windows[run->n_window++] =
        (struct scenario_run_window){.first_step = run->n_done,
                                     .n_committed = n,
                                     .warm = v[2] > 0.0,
                                     .clean = v[3] > 0.0,
                                     .outcome = (enum market_outcome)v[4],
                                     .n_rounds = (unsigned)v[5],
                                     .n_responses = (uint64_t)v[6],
                                     .objective = v[7],
                                     .bound = v[8],
                                     .gap = v[9],
                                     .max_imbalance_kw = v[10],
                                     .max_line_breach_kw = v[11],
                                     .max_device_breach = v[12],
                                     .committed_cost = v[13],
                                     .seconds = v[14]};
    run->n_done += n;
    return WALRAS_OK;
}

static enum walras_status read_windows(const struct walras_json *root, struct scenario_run *run,
                                       struct walras_err *err)
{
    struct walras_json list, done;
    int64_t n_done = 0;
    enum walras_status status = walras_json_need(root, "steps_done", &done, err);

    if (status == WALRAS_OK)
        status = walras_json_integer(&done, 0, (int64_t)run->steps.length, &n_done, err);
    if (status == WALRAS_OK)
        status = walras_json_need(root, "windows", &list, err);
    if (status == WALRAS_OK)
        status = walras_json_array(&list, 0, run->steps.n_window, err);
    for (size_t i = 0; status == WALRAS_OK && i < walras_json_count(&list); i++) {
        struct walras_json node = walras_json_at(&list, i);

        status = read_window(&node, run, err);
    }
    if (status == WALRAS_OK && run->n_done != (size_t)n_done)
        status =
            walras_json_fail(&done, WALRAS_INVALID, err, "the windows end at step %zu, not %zu",
                             run->n_done, (size_t)n_done);
    return status;
}

static enum walras_status read_days(const struct walras_json *root, struct scenario_run *run,
                                    struct walras_err *err)
{
    double *values = calloc(run->n_day * DAY_NUMBERS, sizeof(*values));
    enum walras_status status =
        values ? need_rows(root, "days", run->n_day, DAY_NUMBERS, DAY_NUMBERS, values, err)
               : walras_fail(err, WALRAS_NOMEM, "cannot read %zu days", run->n_day);

    for (size_t i = 0; status == WALRAS_OK && i < run->n_day; i++) {
        const double *v = values + i * DAY_NUMBERS;

        run->days[i] = (struct scenario_run_day){v[0], v[1], v[2], v[3], v[4], v[5], v[6]};
    }
    free(values);
    return status;
}

static enum walras_status read_trace(const struct walras_json *node, const struct scenario_run *run,
                                     struct scenario_trace *out, struct walras_err *err)
{
    double v[TRACE_NUMBERS], most_steps = (double)run->scenario->horizon.n_step;
    enum walras_status status = read_numbers(node, TRACE_NUMBERS, v, err);

    if (status != WALRAS_OK)
        return status;
    if (!whole(v[2], 0.0, most_steps) || !whole(v[3], 0.0, 1.0) || !whole(v[4], 0.0, 1.0) ||
        !whole(v[5], -1.0, (double)run->n_done - 1.0))
        return walras_json_fail(node, WALRAS_INVALID, err,
                                "expected energy, output, steps to hold, on, follows and the step "
                                "of the last start");
    *out = (struct scenario_trace){.state = {.stored = v[0],
                                             .output_kw = v[1],
                                             .hold_steps = (uint32_t)v[2],
                                             .on = v[3] > 0.0,
                                             .follows = v[4] > 0.0},
                                   .started = (int64_t)v[5]};
    return WALRAS_OK;
}

static enum walras_status read_traces(const struct walras_json *root,
                                      struct scenario_simulation *sim, struct walras_err *err)
{
    size_t n = sim->scenario->n_device;
    struct walras_json list;
    enum walras_status status = walras_json_need(root, "devices", &list, err);

    if (status == WALRAS_OK)
        status = walras_json_array(&list, n, n, err);
    for (size_t d = 0; status == WALRAS_OK && d < n; d++) {
        struct walras_json node = walras_json_at(&list, d);

        status = read_trace(&node, &sim->run, &sim->traces[d], err);
    }
    return status;
}

static enum walras_status read_shadows(const struct walras_json *object,
                                       const struct scenario *scenario,
                                       struct simulation_warm *warm, struct walras_err *err)
{
    size_t n_step = scenario->horizon.n_step, most = 2 * scenario->network.n_line * n_step;
    struct walras_json list;
    enum walras_status status = walras_json_need(object, "shadows", &list, err);

    if (status == WALRAS_OK)
        status = walras_json_array(&list, 0, most, err);
    if (status != WALRAS_OK)
        return status;
    warm->shadows = calloc(walras_json_count(&list) + 1, sizeof(*warm->shadows));
    if (!warm->shadows)
        return walras_fail(err, WALRAS_NOMEM, "cannot read the shadow prices");
    for (size_t i = 0; i < walras_json_count(&list); i++) {
        struct walras_json node = walras_json_at(&list, i);
        double v[4];

        status = read_numbers(&node, 4, v, err);
        if (status != WALRAS_OK)
            return status;
        if (!whole(v[0], 0.0, (double)scenario->network.n_line - 1.0) ||
            !whole(v[1], 0.0, (double)n_step - 1.0) || fabs(v[2]) != 1.0 || v[3] < 0.0)
            return walras_json_fail(&node, WALRAS_INVALID, err,
                                    "expected a limit, a step, 1 or -1, and a price >= 0");
        warm->shadows[warm->n_shadow++] =
            (struct market_shadow){(size_t)v[0], (uint32_t)v[1], (int)v[2], v[3]};
    }
    return WALRAS_OK;
}

static enum walras_status read_points(const struct walras_json *object,
                                      const struct scenario_simulation *sim,
                                      struct simulation_warm *warm, struct walras_err *err)
{
    size_t n_cell = sim->scenario->network.n_bus * sim->scenario->horizon.n_step;
    struct walras_json list;
    enum walras_status status = walras_json_need(object, "points", &list, err);

    if (status == WALRAS_OK)
        status = walras_json_array(&list, 0, sim->settings.n_warm_point - 1, err);
    if (status != WALRAS_OK)
        return status;
    warm->n_point = walras_json_count(&list);
    warm->point_price_per_mwh = calloc(warm->n_point * n_cell + 1, sizeof(double));
    if (!warm->point_price_per_mwh)
        return walras_fail(err, WALRAS_NOMEM, "cannot read %zu prices", warm->n_point * n_cell);
    return need_rows(object, "points", warm->n_point, n_cell, n_cell, warm->point_price_per_mwh,
                     err);
}

static enum walras_status read_warm(const struct walras_json *root, struct scenario_simulation *sim,
                                    struct walras_err *err)
{
    static const char *const keys[] = {"energy_price_per_mwh", "shadows", "points"};
    struct simulation_warm *warm = &sim->warm;
    size_t n_step = sim->scenario->horizon.n_step;
    struct walras_json node;
    enum walras_status status = walras_json_need(root, "warm", &node, err);

    if (status != WALRAS_OK || walras_json_is(&node, WALRAS_JSON_NULL))
        return status;
    if (sim->settings.cold)
        return walras_json_fail(&node, WALRAS_INVALID, err, "a cold run has none");
    status = walras_json_keys(&node, keys, sizeof(keys) / sizeof(keys[0]), err);
    warm->energy_price_per_mwh = calloc(n_step, sizeof(double));
    if (status == WALRAS_OK && !warm->energy_price_per_mwh)
        status = walras_fail(err, WALRAS_NOMEM, "cannot read %zu prices", n_step);
    if (status == WALRAS_OK)
        status =
            need_numbers(&node, "energy_price_per_mwh", n_step, warm->energy_price_per_mwh, err);
    if (status == WALRAS_OK)
        status = read_shadows(&node, sim->scenario, warm, err);
    return status == WALRAS_OK ? read_points(&node, sim, warm, err) : status;
}

static enum walras_status check_text(const struct walras_json *root, const char *key,
                                     const char *expected, const char *what, struct walras_err *err)
{
    struct walras_json node;
    const char *text = NULL;
    enum walras_status status = walras_json_need(root, key, &node, err);

    if (status == WALRAS_OK)
        status = walras_json_text(&node, KEY_TEXT, &text, err);
    if (status == WALRAS_OK && strcmp(text, expected) != 0)
        status = walras_json_fail(&node, WALRAS_INVALID, err,
                                  "%s: this run has \"%.160s\", the state is of \"%.160s\"", what,
                                  expected, text);
    return status;
}

/* That the state belongs to this run. */
static enum walras_status check_origin(const struct walras_json *root,
                                       const struct scenario_simulation *sim,
                                       struct walras_err *err)
{
    static const char *const keys[] = {"walras_run", "market",  "settings",      "steps_done",
                                       "windows",    "days",    "price_per_mwh", "import_kw",
                                       "export_kw",  "kind_kw", "devices",       "warm"};
    char settings[KEY_TEXT], hash[HASH_TEXT];
    struct walras_json node;
    int64_t version = 0;
    enum walras_status status = walras_json_keys(root, keys, sizeof(keys) / sizeof(keys[0]), err);

    settings_text(sim, settings);
    scenario_text_hash(sim->scenario, hash);
    if (status == WALRAS_OK)
        status = walras_json_need(root, "walras_run", &node, err);
    if (status == WALRAS_OK)
        status = walras_json_integer(&node, 1, INT32_MAX, &version, err);
    if (status == WALRAS_OK && version != STATE_VERSION)
        return walras_json_fail(&node, WALRAS_UNSUPPORTED, err,
                                "this program goes on from states of version %d, got %d",
                                STATE_VERSION, (int)version);
    if (status == WALRAS_OK)
        status = check_text(root, "settings", settings, "the options differ", err);
    return status == WALRAS_OK ? check_text(root, "market", hash,
                                            "the scenario or a file it names has changed", err)
                               : status;
}

static enum walras_status read_state(const struct walras_json *root,
                                     struct scenario_simulation *sim, struct walras_err *err)
{
    struct scenario_run *run = &sim->run;
    size_t length = run->steps.length, n_supply = sim->scenario->n_supply;
    enum walras_status status = check_origin(root, sim, err);

    if (status == WALRAS_OK)
        status = read_windows(root, run, err);
    if (status == WALRAS_OK)
        status = read_days(root, run, err);
    if (status == WALRAS_OK)
        status = need_rows(root, "price_per_mwh", sim->scenario->network.n_bus, run->n_done, length,
                           run->price_per_mwh, err);
    if (status == WALRAS_OK)
        status = need_rows(root, "import_kw", n_supply, run->n_done, length, run->import_kw, err);
    if (status == WALRAS_OK)
        status = need_rows(root, "export_kw", n_supply, run->n_done, length, run->export_kw, err);
    if (status == WALRAS_OK)
        status =
            need_rows(root, "kind_kw", SCENARIO_N_KIND, run->n_done, length, run->kind_kw, err);
    if (status == WALRAS_OK)
        status = read_traces(root, sim, err);
    return status == WALRAS_OK ? read_warm(root, sim, err) : status;
}

enum walras_status scenario_simulation_parse(struct scenario_simulation *sim, const char *name,
                                             const char *text, size_t size, struct walras_err *err)
{
    struct scenario_simulate_settings settings = sim->settings;
    struct scenario_simulation *fresh = NULL;
    struct walras_json_doc *doc = NULL;
    enum walras_status status = walras_json_parse(name, text, size, &doc, err);

    if (status == WALRAS_OK)
        status = scenario_simulation_new(sim->scenario, &settings, &fresh, err);
    if (status == WALRAS_OK) {
        struct walras_json root = walras_json_root(doc);

        status = read_state(&root, fresh, err);
    }
    if (status == WALRAS_OK)
        simulation_exchange(sim, fresh);
    scenario_simulation_free(fresh);
    walras_json_free(doc);
    return status;
}

enum walras_status scenario_simulation_load(struct scenario_simulation *sim, const char *path,
                                            struct walras_err *err)
{
    char *text = NULL;
    size_t size = 0;
    enum walras_status status = walras_file_read(path, WALRAS_JSON_MAX_FILE, &text, &size, err);

    if (status == WALRAS_OK)
        status = scenario_simulation_parse(sim, path, text, size, err);
    free(text);
    return status;
}
