#include "scenario/fleets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[SCENARIO_FLEET_KINDS] = {
#define X(name, text) text,
    SCENARIO_FLEET_LIST(X)
#undef X
};

static enum walras_status read_mix(const struct walras_json *mix, struct scenario_fleet *fleet,
                                   struct walras_err *err)
{
    enum walras_status status = walras_json_keys(mix, kinds, SCENARIO_FLEET_KINDS, err);
    double sum = 0.0;

    for (size_t i = 0; status == WALRAS_OK && i < SCENARIO_FLEET_KINDS; i++) {
        status =
            scenario_read_number(mix, kinds[i], scenario_range(0.0, 1.0), &fleet->share[i], err);
        sum += fleet->share[i];
    }
    if (status == WALRAS_OK && !(fabs(sum - 1.0) <= 1e-6))
        status =
            walras_json_fail(mix, WALRAS_INVALID, err, "shares must add up to 1, got %.10g", sum);
    return status;
}

static enum walras_status read_buses(struct scenario_reader *reader, const struct walras_json *list,
                                     struct scenario_fleet *fleet, struct walras_err *err)
{
    enum walras_status status = walras_json_array(list, 1, 1000000, err);
    size_t n = status == WALRAS_OK ? walras_json_count(list) : 0;
    uint32_t *buses = NULL;

    if (status != WALRAS_OK)
        return status;
    buses = walras_arena_take(reader->made.arena, n, sizeof(*buses));
    if (!buses)
        return scenario_no_memory(reader, err);
    for (size_t i = 0; status == WALRAS_OK && i < n; i++) {
        struct walras_json node = walras_json_at(list, i);

        status = scenario_find_bus(reader, &node, &buses[i], err);
    }
    fleet->buses = buses;
    fleet->n_bus = n;
    return status;
}

static enum walras_status read_count(struct scenario_reader *reader, const struct walras_json *node,
                                     struct scenario_fleet *fleet, struct walras_err *err)
{
    struct walras_json count, seed;
    unsigned n_rank = reader->settings->n_rank > 0 ? reader->settings->n_rank : 1;
    int64_t value = 0, most = (int64_t)(reader->settings->max_device * n_rank);
    enum walras_status status = walras_json_need(node, "count", &count, err);

    if (status == WALRAS_OK)
        status = walras_json_integer(&count, 1, most, &value, err);
    fleet->count = (size_t)value;
    if (status == WALRAS_OK)
        status = walras_json_need(node, "seed", &seed, err);
    if (status == WALRAS_OK)
        status = walras_json_integer(&seed, 0, INT64_MAX, &value, err);
    fleet->seed = (uint64_t)value;
    return status;
}

/* Agents are called FLEET-1 and so on: the last one's id must not be too long either. */
static enum walras_status check_id(const struct walras_json *node,
                                   const struct scenario_fleet *fleet, struct walras_err *err)
{
    struct walras_json id;
    int longest = snprintf(NULL, 0, "%s-%zu", fleet->id, fleet->count);
    enum walras_status status = walras_json_need(node, "id", &id, err);

    if (status != WALRAS_OK || longest <= SCENARIO_MAX_ID)
        return status;
    return walras_json_fail(&id, WALRAS_INVALID, err,
                            "its last agent would be called by %d bytes, where at most %d are "
                            "allowed: shorten it",
                            longest, SCENARIO_MAX_ID);
}

static enum walras_status read_fleet(struct scenario_reader *reader, const struct walras_json *node,
                                     struct scenario_fleet *fleet, struct walras_err *err)
{
    static const char *const keys[] = {"id", "count", "seed", "buses", "mix"};
    struct walras_json buses, mix;
    enum walras_status status = walras_json_keys(node, keys, sizeof(keys) / sizeof(keys[0]), err);

    if (status == WALRAS_OK)
        status = scenario_read_id(reader, node, &fleet->id, err);
    if (status == WALRAS_OK)
        status = read_count(reader, node, fleet, err);
    if (status == WALRAS_OK)
        status = check_id(node, fleet, err);
    if (status == WALRAS_OK)
        status = walras_json_need(node, "buses", &buses, err);
    if (status == WALRAS_OK)
        status = read_buses(reader, &buses, fleet, err);
    if (status == WALRAS_OK)
        status = walras_json_need(node, "mix", &mix, err);
    if (status == WALRAS_OK)
        status = read_mix(&mix, fleet, err);
    return status;
}

enum walras_status scenario_read_fleets(struct scenario_reader *reader,
                                        const struct walras_json *list, struct walras_err *err)
{
    enum walras_status status = walras_json_array(list, 0, 100000, err);

    for (size_t i = 0; status == WALRAS_OK && i < walras_json_count(list); i++) {
        struct walras_json node = walras_json_at(list, i);
        struct scenario_fleet fleet = {0};
        struct walras_err cause = {0};

        status = read_fleet(reader, &node, &fleet, err);
        if (status == WALRAS_OK &&
            (status = scenario_add_fleet(reader, &fleet, &cause)) != WALRAS_OK)
            status = scenario_fail_here(&node, &cause, err);
    }
    return status;
}
