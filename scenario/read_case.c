#include "core/units.h"
#include "grid/matpower.h"
#include "scenario/fields.h"
#include "scenario/read_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool scenario_looks_like_case(const char *name, const char *text, size_t size)
{
    static const char word[] = "baseMVA";
    size_t length = strlen(name), at = 0;

    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    while (at < size && strchr(" \t\r\n", text[at]) && text[at] != '\0')
        at++;
    if (at < size && (text[at] == '{' || text[at] == '['))
        return false;
    if (length > 2 && strcmp(name + length - 2, ".m") == 0)
        return true;
    for (; at + sizeof(word) - 1 <= size; at++)
        if (memcmp(text + at, word, sizeof(word) - 1) == 0)
            return true;
    return false;
}

/* The convex cost curve of a piecewise generator: breakpoints, the ends' slopes going on. */
struct curve {
    const double *kw, *per_h;
    size_t n;
};

static double slope_per_mwh(const struct curve *curve, size_t piece)
{
    double mw = walras_mw_from_kw(curve->kw[piece + 1] - curve->kw[piece]);

    return (curve->per_h[piece + 1] - curve->per_h[piece]) / mw;
}

/* Where piece k reaches from and to once the first and the last go on for ever. */
static double piece_low_kw(const struct curve *curve, size_t piece)
{
    return piece == 0 ? -(double)INFINITY : curve->kw[piece];
}

static double piece_high_kw(const struct curve *curve, size_t piece)
{
    return piece + 2 == curve->n ? (double)INFINITY : curve->kw[piece + 1];
}

static double cost_per_h(const struct curve *curve, double kw)
{
    size_t piece = 0;

    while (kw > piece_high_kw(curve, piece))
        piece++;
    return curve->per_h[piece] +
           slope_per_mwh(curve, piece) * walras_mw_from_kw(kw - curve->kw[piece]);
}

static enum walras_status check_curve(const struct curve *curve, struct walras_err *err)
{
    double last = -INFINITY;

    if (curve->n < 2)
        return walras_fail(err, WALRAS_INVALID, "a piecewise cost needs at least two points");
    for (size_t i = 0; i + 1 < curve->n; i++) {
        double slope = slope_per_mwh(curve, i);

        if (!(curve->kw[i + 1] > curve->kw[i]))
            return walras_fail(err, WALRAS_INVALID,
                               "points of a piecewise cost must have rising power");
        if (!isfinite(slope) || slope < last - 1e-9 * fabs(last))
            return walras_fail(err, WALRAS_UNSUPPORTED,
                               "the piecewise cost is not convex (%g after %g per MWh)", slope,
                               last);
        last = fmax(slope, last);
    }
    return WALRAS_OK;
}

/*
 * The blocks of the curve between low_kw and high_kw, upwards or downwards from their meeting with
 * low_kw (rising prices) or high_kw (falling prices).
 */
static enum walras_status cut_blocks(struct scenario_reader *reader, const struct curve *curve,
                                     double low_kw, double high_kw, bool rising,
                                     const struct agent_segment **blocks, uint32_t *n,
                                     struct walras_err *err)
{
    struct agent_segment *made = walras_arena_take(reader->made.arena, curve->n, sizeof(*made));
    double last = -INFINITY;

    if (!made)
        return scenario_no_memory(reader, err);
    *n = 0;
    for (size_t i = 0; i + 1 < curve->n; i++) {
        size_t piece = rising ? i : curve->n - 2 - i;
        double width =
            fmin(piece_high_kw(curve, piece), high_kw) - fmax(piece_low_kw(curve, piece), low_kw);
        double slope = slope_per_mwh(curve, piece);

        if (!(width > 0.0))
            continue;
        if (*n > 0) /* rounding of the slopes must not break their order */
            slope = rising ? fmax(slope, last) : fmin(slope, last);
        last = slope;
        made[(*n)++] = (struct agent_segment){.width_kw = width, .price_per_mwh = slope};
    }
    *blocks = made;
    return WALRAS_OK;
}

static enum walras_status check_blocks(const struct agent_segment *blocks, size_t n,
                                       struct walras_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!(blocks[i].width_kw <= SCENARIO_MAX_KW) ||
            !(fabs(blocks[i].price_per_mwh) <= SCENARIO_MAX_PRICE))
            return walras_fail(err, WALRAS_INVALID, "a piece of the cost is out of range");
    return WALRAS_OK;
}

static enum walras_status check_costs(const struct agent_device *device, struct walras_err *err)
{
    const struct agent_generator *generator = &device->generator;
    enum walras_status status = WALRAS_OK;

    if (device->type == AGENT_BID) {
        status = check_blocks(device->bid.demand, device->bid.demand_first[1], err);
        return status == WALRAS_OK
                   ? check_blocks(device->bid.offer, device->bid.offer_first[1], err)
                   : status;
    }
    if (device->type != AGENT_GENERATOR)
        return WALRAS_OK;
    if (!(generator->per_mw2h <= SCENARIO_MAX_PRICE) ||
        !(fabs(generator->per_mwh) <= SCENARIO_MAX_PRICE) ||
        !(fabs(generator->per_h) <= SCENARIO_MAX_COST))
        return walras_fail(err, WALRAS_INVALID, "a coefficient of the cost is out of range");
    return check_blocks(generator->segments, generator->n_segment, err);
}

/* Adds what a scenario may hold, too. */
static enum walras_status add_checked(struct scenario_reader *reader,
                                      const struct agent_device *device, struct walras_err *err)
{
    enum walras_status status = agent_device_check(device, &reader->made.horizon, err);

    if (status == WALRAS_OK)
        status = scenario_fields_check(device, reader->made.horizon.n_step, err);
    if (status == WALRAS_OK)
        status = check_costs(device, err);
    return status == WALRAS_OK ? scenario_add_device(reader, device, err) : status;
}

static struct agent_device blank_generator(const char *id)
{
    struct agent_device device = {.type = AGENT_GENERATOR, .id = id, .power_factor = 1.0};

    device.generator.ramp_kw_per_h = INFINITY;
    return device;
}

/* A cost that is there whatever is done, as a generator of no size. */
static enum walras_status add_constant_cost(struct scenario_reader *reader, double per_h,
                                            struct walras_err *err)
{
    struct agent_device device = blank_generator("no-load");

    if (per_h == 0.0)
        return WALRAS_OK;
    device.generator.per_h = per_h;
    return add_checked(reader, &device, err);
}

static enum walras_status add_polynomial(struct scenario_reader *reader,
                                         const struct grid_generator *from, struct walras_err *err)
{
    struct agent_device device = blank_generator("generator");

    device.generator.min_kw = from->min_kw;
    device.generator.max_kw = from->max_kw;
    device.generator.per_mw2h = from->per_mw2h;
    device.generator.per_mwh = from->per_mwh;
    device.generator.per_h = from->per_h;
    return add_checked(reader, &device, err);
}

static enum walras_status add_segments(struct scenario_reader *reader,
                                       const struct grid_generator *from, const struct curve *curve,
                                       struct walras_err *err)
{
    struct agent_device device = blank_generator("generator");
    struct agent_generator *generator = &device.generator;
    enum walras_status status = cut_blocks(reader, curve, 0.0, from->max_kw, true,
                                           &generator->segments, &generator->n_segment, err);

    generator->min_kw = from->min_kw;
    generator->max_kw = from->max_kw;
    if (status == WALRAS_OK && generator->n_segment == 0)
        generator->segments = NULL; /* max_kw is 0 */
    if (status == WALRAS_OK)
        status = add_checked(reader, &device, err);
    return status == WALRAS_OK ? add_constant_cost(reader, cost_per_h(curve, 0.0), err) : status;
}

/*
 * A dispatchable load (or a unit that can also draw): what is drawn at least is a load, the rest a
 * bid: giving up demand first, then offering, both counted from the point nearest to 0.
 */
static enum walras_status add_dispatchable(struct scenario_reader *reader,
                                           const struct grid_generator *from,
                                           const struct curve *curve, struct walras_err *err)
{
    struct agent_device load = {.type = AGENT_LOAD, .id = "least", .power_factor = 1.0};
    struct agent_device bid = {.type = AGENT_BID, .id = "generator", .power_factor = 1.0};
    double middle_kw = fmin(0.0, from->max_kw);
    uint32_t *first = walras_arena_take(reader->made.arena, 4, sizeof(*first));
    enum walras_status status = first ? WALRAS_OK : scenario_no_memory(reader, err);

    load.load.shed_price_per_mwh = NAN;
    if (status == WALRAS_OK)
        status = scenario_keep_constant(reader, -middle_kw + 0.0, &load.load.draw_kw, err);
    if (status == WALRAS_OK)
        status = scenario_keep_constant(reader, 0.0, &load.load.draw_kvar, err);
    if (status == WALRAS_OK && middle_kw < 0.0)
        status = add_checked(reader, &load, err);
    if (status == WALRAS_OK)
        status = cut_blocks(reader, curve, from->min_kw, middle_kw, false, &bid.bid.demand,
                            &first[1], err);
    if (status == WALRAS_OK)
        status = cut_blocks(reader, curve, middle_kw, from->max_kw, true, &bid.bid.offer, &first[3],
                            err);
    bid.bid.demand_first = first;
    bid.bid.offer_first = first + 2;
    bid.bid.one_list = true;
    if (status == WALRAS_OK)
        status = add_checked(reader, &bid, err);
    return status == WALRAS_OK ? add_constant_cost(reader, cost_per_h(curve, middle_kw), err)
                               : status;
}

static enum walras_status add_generator(struct scenario_reader *reader,
                                        const struct grid_generator *from, struct walras_err *err)
{
    struct curve curve = {.kw = from->point_kw, .per_h = from->point_per_h, .n = from->n_point};
    char id[32];
    int size = snprintf(id, sizeof(id), "gen%zu", from->row);
    const char *kept = walras_arena_text(reader->made.arena, id, (size_t)size);
    struct walras_err cause = {0};
    enum walras_status status = kept ? scenario_add_agent(reader, kept, (uint32_t)from->bus, &cause)
                                     : scenario_no_memory(reader, err);

    if (status == WALRAS_OK && from->model == GRID_COST_PIECEWISE)
        status = check_curve(&curve, &cause);
    if (status == WALRAS_OK) {
        if (from->model == GRID_COST_POLYNOMIAL)
            status = add_polynomial(reader, from, &cause);
        else if (from->min_kw < 0.0)
            status = add_dispatchable(reader, from, &curve, &cause);
        else
            status = add_segments(reader, from, &curve, &cause);
    }
    if (status != WALRAS_OK)
        status = walras_fail(err, status, "%s: generator in row %zu of gen: %s", reader->name,
                             from->row, cause.msg);
    return status;
}

static enum walras_status take_title(struct scenario_reader *reader, const char *name,
                                     struct walras_err *err)
{
    struct scenario *made = &reader->made;

    size_t size = strlen(name) < SCENARIO_MAX_NAME ? strlen(name) : SCENARIO_MAX_NAME;
    char *title = walras_arena_text(made->arena, size > 0 ? name : "case", size > 0 ? size : 4);

    for (char *c = title; c && *c; c++) /* what a scenario's name may not hold */
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    made->name = title;
    made->currency = "USD";
    made->model = SCENARIO_DC;
    return made->name ? WALRAS_OK : scenario_no_memory(reader, err);
}

enum walras_status scenario_parse_case(struct scenario_reader *reader, const char *text,
                                       size_t size, struct walras_err *err)
{
    struct scenario *made = &reader->made;
    struct grid_case from = {0};
    struct walras_err cause = {0};
    enum walras_status status = grid_case_parse(reader->name, text, size, &from, err);

    if (status == WALRAS_OK)
        status = grid_case_check_market(&from, err);
    if (status != WALRAS_OK) {
        grid_case_release(&from);
        return status;
    }
    status = take_title(reader, from.name ? from.name : reader->name, err);
    made->network = from.network;
    from.network = (struct grid_network){0}; /* moved */
    if (status == WALRAS_OK)
        status = grid_network_check(&made->network, &cause);
    if (status == WALRAS_OK)
        status = scenario_check_case_network(&made->network, &cause);
    if (status == WALRAS_OK)
        status = scenario_index_buses(reader, &cause);
    if (status == WALRAS_OK)
        status = scenario_add_bus_loads(reader, true, &cause);
    if (cause.code != WALRAS_OK)
        status = walras_fail(err, status, "%s: %s", reader->name, cause.msg);
    for (size_t g = 0; status == WALRAS_OK && g < from.n_generator; g++)
        status = add_generator(reader, &from.generators[g], err);
    grid_case_release(&from);
    return status;
}
