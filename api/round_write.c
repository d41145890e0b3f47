#include "api/round_write.h"

#include "core/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum walras_status api_round_buses(const struct api_live_settings *settings, const char *client,
                                   const char *agent, struct api_round_buses *found,
                                   struct walras_err *err)
{
    size_t only = agent ? walras_names_find(settings->names, agent) : 0;
    size_t first = only == SIZE_MAX ? settings->n_agent : only;
    size_t end = agent && only != SIZE_MAX ? only + 1 : settings->n_agent;

    *found =
        (struct api_round_buses){.wanted = calloc(settings->n_bus + 1, sizeof(*found->wanted))};
    if (!found->wanted)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu buses", settings->n_bus);
    for (size_t i = first; i < end; i++)
        if (strcmp(settings->agents[i].owner, client) == 0) {
            found->only = settings->agents[i].bus;
            found->wanted[found->only] = true;
            found->n_agent++;
        }
    return WALRAS_OK;
}

void api_round_buses_release(struct api_round_buses *buses)
{
    free(buses->wanted);
    buses->wanted = NULL;
}

static void put_prices(struct walras_json_out *out, const struct api_live_settings *settings,
                       const struct api_round *round, size_t point, uint32_t bus)
{
    const double *prices =
        round->price_per_mwh + (point * settings->n_bus + bus) * settings->n_step;

    walras_json_out_numbers(out, prices, settings->n_step);
}

/* Each bus once, in the grid's order. */
static void put_buses(struct walras_json_out *out, const struct api_live_settings *settings,
                      const struct api_round *round, size_t point, const bool *wanted)
{
    walras_json_out_open(out, '{');
    for (uint32_t b = 0; b < settings->n_bus; b++)
        if (wanted[b]) {
            walras_json_out_key(out, settings->bus_ids[b]);
            put_prices(out, settings, round, point, b);
        }
    walras_json_out_close(out, '}');
}

static void put_points(struct walras_json_out *out, const struct api_live_settings *settings,
                       const struct api_round *round, const struct api_round_buses *buses)
{
    bool single = buses->n_agent == 1;

    walras_json_out_key(out, "points");
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < round->n_point; i++) {
        walras_json_out_open(out, '{');
        walras_json_out_key(out, single ? "prices_per_mwh" : "prices_per_mwh_by_bus");
        if (single)
            put_prices(out, settings, round, i, buses->only);
        else
            put_buses(out, settings, round, i, buses->wanted);
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
}

void api_round_write(struct walras_json_out *out, const struct api_live_settings *settings,
                     const struct api_round *round, const struct api_round_buses *buses)
{
    walras_json_out_open(out, '{');
    walras_json_out_key(out, "state");
    walras_json_out_text(out, "clearing");
    walras_json_out_key(out, "round");
    walras_json_out_integer(out, round->number);
    walras_json_out_key(out, "remaining_s");
    walras_json_out_number(out, fmax(0.0, round->until_s - walras_monotonic_s()));
    if (buses->n_agent > 0)
        put_points(out, settings, round, buses);
    walras_json_out_close(out, '}');
}
