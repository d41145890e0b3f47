#include "api/wording.h"

#include "core/json_write.h"

#include <stdlib.h>
#include <string.h>

struct api_wording api_wording_of(const struct db_market *market, const char *grid)
{
    return (struct api_wording){.name = market->id,
                                .currency = market->currency,
                                .start = market->start_at,
                                .step_minutes = market->step_minutes,
                                .steps = market->steps,
                                .grid = grid,
                                .supply = market->supply};
}

static void put_raw(struct walras_json_out *out, const char *key, const char *json)
{
    if (!json)
        return;
    walras_json_out_key(out, key);
    fputs(json, out->file);
    out->after_key = false;
}

static void put_horizon(struct walras_json_out *out, const struct api_wording *wording)
{
    walras_json_out_key(out, "horizon");
    walras_json_out_open(out, '{');
    walras_json_out_key(out, "start");
    walras_json_out_text(out, wording->start);
    walras_json_out_key(out, "step_minutes");
    walras_json_out_integer(out, wording->step_minutes);
    walras_json_out_key(out, "steps");
    walras_json_out_integer(out, wording->steps);
    walras_json_out_close(out, '}');
}

static void put(FILE *file, const struct api_wording *wording)
{
    struct walras_json_out out = walras_json_out_start(file, 0);

    walras_json_out_open(&out, '{');
    walras_json_out_key(&out, "walras");
    walras_json_out_integer(&out, 1);
    if (wording->name) {
        walras_json_out_key(&out, "name");
        walras_json_out_text(&out, wording->name);
    }
    if (wording->currency) {
        walras_json_out_key(&out, "currency");
        walras_json_out_text(&out, wording->currency);
    }
    if (wording->horizon)
        put_raw(&out, "horizon", wording->horizon);
    else
        put_horizon(&out, wording);
    put_raw(&out, "grid", wording->grid);
    put_raw(&out, "supply", wording->supply);
    put_raw(&out, "agents", wording->agents);
    walras_json_out_close(&out, '}');
}

enum walras_status api_wording_read(const struct api_wording *wording, struct scenario *scenario,
                                    struct walras_err *err)
{
    struct scenario_settings settings = scenario_settings_defaults();
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    enum walras_status status = WALRAS_OK;

    if (file)
        put(file, wording);
    if (!file || fclose(file) != 0)
        status = walras_fail(err, WALRAS_NOMEM, "no memory to read the market");
    if (status == WALRAS_OK)
        status = scenario_parse("body", text, size, &settings, scenario, err);
    free(text);
    return status;
}

void api_wording_agent(FILE *file, bool first, const char *id, const char *bus, const char *devices)
{
    struct walras_json_out out = walras_json_out_start(file, 0);

    fputs(first ? "" : ",\n", file);
    walras_json_out_open(&out, '{');
    walras_json_out_key(&out, "id");
    walras_json_out_text(&out, id);
    walras_json_out_key(&out, "bus");
    walras_json_out_text(&out, bus);
    put_raw(&out, "devices", devices);
    walras_json_out_close(&out, '}');
}

void api_wording_strip(struct walras_err *err, const char *prefix)
{
    static const char before[] = "body: ";
    size_t n = strlen(prefix);
    char *at = err->msg + sizeof(before) - 1;

    if (strncmp(err->msg, before, sizeof(before) - 1) == 0 && strncmp(at, prefix, n) == 0 &&
        (at[n] == '/' || at[n] == ':'))
        memmove(at[n] == ':' ? at + 1 : at, at + n, strlen(at + n) + 1);
}
