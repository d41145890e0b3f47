#include "scenario/read_internal.h"

enum { MAX_BLOCKS = 10000 }; /* of one curve */

static enum walras_status read_block(const struct walras_json *node, struct agent_segment *block,
                                     struct walras_err *err)
{
    enum walras_status status = walras_json_array(node, 2, 2, err);

    if (status != WALRAS_OK)
        return status;

    struct walras_json width = walras_json_at(node, 0), price = walras_json_at(node, 1);

    status =
        walras_json_number(&width, scenario_range(0.0, SCENARIO_MAX_KW), &block->width_kw, err);
    if (status == WALRAS_OK)
        status = walras_json_number(&price, scenario_range(-SCENARIO_MAX_PRICE, SCENARIO_MAX_PRICE),
                                    &block->price_per_mwh, err);
    return status;
}

/* Reads [[kW, price], …] into blocks; direction is +1 for prices that may not fall. */
static enum walras_status read_blocks(const struct walras_json *list, double direction,
                                      struct agent_segment *blocks, struct walras_err *err)
{
    enum walras_status status = walras_json_array(list, 0, MAX_BLOCKS, err);
    size_t n = status == WALRAS_OK ? walras_json_count(list) : 0;

    for (size_t i = 0; status == WALRAS_OK && i < n; i++) {
        struct walras_json node = walras_json_at(list, i);

        status = read_block(&node, &blocks[i], err);
        if (status == WALRAS_OK && i > 0 &&
            direction * (blocks[i].price_per_mwh - blocks[i - 1].price_per_mwh) < 0.0)
            status = walras_json_fail(&node, WALRAS_INVALID, err,
                                      "prices must not %s from block to block, got %g after %g",
                                      direction > 0.0 ? "fall" : "rise", blocks[i].price_per_mwh,
                                      blocks[i - 1].price_per_mwh);
    }
    return status;
}

static enum walras_status read_segments(struct scenario_reader *reader,
                                        const struct walras_json *list,
                                        struct agent_generator *generator, struct walras_err *err)
{
    enum walras_status status = walras_json_array(list, 1, MAX_BLOCKS, err);

    if (status != WALRAS_OK)
        return status;

    size_t n = walras_json_count(list);
    struct agent_segment *segments = walras_arena_take(reader->made.arena, n, sizeof(*segments));

    if (!segments)
        return scenario_no_memory(reader, err);
    generator->segments = segments;
    generator->n_segment = (uint32_t)n;
    return read_blocks(list, 1.0, segments, err);
}

static enum walras_status read_cost(const struct walras_json *cost,
                                    struct agent_generator *generator, struct walras_err *err)
{
    static const char *const keys[] = {"per_mw2h", "per_mwh", "per_h"};
    struct walras_range any = scenario_range(-SCENARIO_MAX_PRICE, SCENARIO_MAX_PRICE);
    enum walras_status status = walras_json_keys(cost, keys, 3, err);

    if (status == WALRAS_OK)
        status = scenario_read_number(cost, "per_mw2h", scenario_range(0.0, SCENARIO_MAX_PRICE),
                                      &generator->per_mw2h, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(cost, "per_mwh", any, &generator->per_mwh, err);
    if (status == WALRAS_OK)
        status = scenario_read_number(cost, "per_h",
                                      scenario_range(-SCENARIO_MAX_COST, SCENARIO_MAX_COST),
                                      &generator->per_h, err);
    return status;
}

enum walras_status scenario_read_generator(struct scenario_reader *reader,
                                           const struct walras_json *node,
                                           struct agent_device *device, struct walras_err *err)
{
    static const char *const commitment[] = {"start_cost", "min_up_steps", "min_down_steps",
                                             "on_at_start"};
    struct walras_json segments, cost, member;
    bool has_segments = walras_json_find(node, "segments", &segments);
    bool has_cost = walras_json_find(node, "cost", &cost);

    for (size_t i = 0; i < sizeof(commitment) / sizeof(commitment[0]); i++)
        if (walras_json_find(node, commitment[i], &member))
            device->generator.committed = true;
    if (has_segments == has_cost)
        return walras_json_fail(node, WALRAS_INVALID, err,
                                "expected one of the keys \"segments\" and \"cost\"%s",
                                has_cost ? ", got both" : "");
    return has_segments ? read_segments(reader, &segments, &device->generator, err)
                        : read_cost(&cost, &device->generator, err);
}

/* [[kW, price], …] is one list for all steps; [[[kW, price], …], …] has one for each. */
static bool is_one_list(const struct walras_json *list)
{
    if (!walras_json_is(list, WALRAS_JSON_ARRAY) || walras_json_count(list) == 0)
        return true;

    struct walras_json first = walras_json_at(list, 0);

    if (!walras_json_is(&first, WALRAS_JSON_ARRAY))
        return true; /* and a fault, told when it is read */
    if (walras_json_count(&first) == 0)
        return false;

    struct walras_json inner = walras_json_at(&first, 0);

    return !walras_json_is(&inner, WALRAS_JSON_ARRAY);
}

struct curve {
    struct agent_segment *blocks;
    uint32_t *first; /* [n_list + 1] */
};

/* Lists of the steps of a horizon are repeated with it. */
static size_t step_of(size_t k, size_t n_step)
{
    return n_step > 0 ? k % n_step : 0;
}

static enum walras_status count_blocks(const struct walras_json *list, size_t n_list, size_t n_step,
                                       bool one, size_t *total, struct walras_err *err)
{
    enum walras_status status =
        walras_json_array(list, one ? 0 : n_step, one ? MAX_BLOCKS : n_step, err);

    *total = status == WALRAS_OK && one ? n_list * walras_json_count(list) : 0;
    for (size_t k = 0; status == WALRAS_OK && !one && k < n_list; k++) {
        struct walras_json step = walras_json_at(list, step_of(k, n_step));

        status = walras_json_array(&step, 0, MAX_BLOCKS, err);
        if (status == WALRAS_OK)
            *total += walras_json_count(&step);
    }
    if (status == WALRAS_OK && *total > UINT32_MAX / 2)
        status = walras_json_fail(list, WALRAS_INVALID, err, "too many blocks");
    return status;
}

/*
 * Reads the list into n_list curves; one list is repeated when there are more, and so are those of
 * a horizon's steps.
 */
static enum walras_status read_curve(struct scenario_reader *reader, const struct walras_json *list,
                                     size_t n_list, double direction, struct curve *out,
                                     struct walras_err *err)
{
    bool one = is_one_list(list);
    size_t total = 0;
    size_t n_step = reader->made.horizon.n_step;
    enum walras_status status = count_blocks(list, n_list, n_step, one, &total, err);

    if (status != WALRAS_OK)
        return status;
    out->blocks = walras_arena_take(reader->made.arena, total, sizeof(*out->blocks));
    out->first = walras_arena_take(reader->made.arena, n_list + 1, sizeof(*out->first));
    if (!out->blocks || !out->first)
        return scenario_no_memory(reader, err);
    for (size_t k = 0; status == WALRAS_OK && k < n_list; k++) {
        struct walras_json step = one ? *list : walras_json_at(list, step_of(k, n_step));

        status = read_blocks(&step, direction, out->blocks + out->first[k], err);
        if (status == WALRAS_OK)
            out->first[k + 1] = out->first[k] + (uint32_t)walras_json_count(&step);
    }
    return status;
}

enum walras_status scenario_read_bid(struct scenario_reader *reader, const struct walras_json *node,
                                     struct agent_device *device, struct walras_err *err)
{
    struct walras_json demand, offer;
    struct curve demanded = {0}, offered = {0};
    bool has_demand = walras_json_find(node, "demand", &demand);
    bool has_offer = walras_json_find(node, "offer", &offer);
    bool one = (!has_demand || is_one_list(&demand)) && (!has_offer || is_one_list(&offer));
    size_t n_list = one ? 1 : reader->made.n_known;
    enum walras_status status = WALRAS_OK;

    if (!has_demand && !has_offer)
        return walras_json_fail(node, WALRAS_INVALID, err,
                                "expected at least one of the keys \"demand\" and \"offer\"");
    reader->made.repeats |= n_list > reader->made.horizon.n_step;
    if (has_demand)
        status = read_curve(reader, &demand, n_list, -1.0, &demanded, err);
    if (status == WALRAS_OK && has_offer)
        status = read_curve(reader, &offer, n_list, 1.0, &offered, err);
    device->bid = (struct agent_bid){.demand = demanded.blocks,
                                     .demand_first = demanded.first,
                                     .offer = offered.blocks,
                                     .offer_first = offered.first,
                                     .one_list = one};
    return status;
}
