#include "scenario/words.h"

#include "core/units.h"

#include <math.h>

/* Four digits, whole numbers in full. */
static void number_words(double value, const char *unit, char words[SCENARIO_WORDS])
{
    double size = fabs(value);

    if (size >= 999.95)
        snprintf(words, SCENARIO_WORDS, "%.0f %s", value, unit);
    else if (size >= 1e-4 || value == 0.0)
        snprintf(words, SCENARIO_WORDS, "%.4g %s", value, unit);
    else
        snprintf(words, SCENARIO_WORDS, "under 0.0001 %s", unit);
}

void scenario_power_words(double kw, char words[SCENARIO_WORDS])
{
    if (fabs(kw) >= 9999.5)
        number_words(walras_mw_from_kw(kw), "MW", words);
    else
        number_words(kw, "kW", words);
}

void scenario_energy_words(double mwh, char words[SCENARIO_WORDS])
{
    if (fabs(mwh) >= 0.1)
        snprintf(words, SCENARIO_WORDS, "%.3f MWh", mwh);
    else /* a tenth of a Wh or less is rounding */
        number_words(fabs(mwh) > 1e-7 ? walras_kw_from_mw(mwh) : 0.0, "kWh", words);
}

static const double *prices_of(const struct scenario_result *result, size_t bus)
{
    return result->market->price_per_mwh + bus * result->scenario->horizon.n_step;
}

static struct scenario_extreme find_extreme(const struct scenario_result *result, double sign)
{
    size_t n_step = result->scenario->horizon.n_step, n_bus = result->scenario->network.n_bus;
    struct scenario_extreme found = {.price_per_mwh = prices_of(result, 0)[0]};

    for (size_t b = 0; b < n_bus; b++)
        for (size_t t = 0; t < n_step; t++) {
            double price = prices_of(result, b)[t];

            if (sign * price > sign * found.price_per_mwh + 1e-9 * fabs(found.price_per_mwh))
                found = (struct scenario_extreme){.bus = b, .step = t, .price_per_mwh = price};
        }
    return found;
}

static void count_alike(const struct scenario_result *result, double blur,
                        struct scenario_extreme *extreme)
{
    extreme->n_alike = 0;
    for (size_t b = 0; b < result->scenario->network.n_bus; b++)
        extreme->n_alike +=
            fabs(prices_of(result, b)[extreme->step] - extreme->price_per_mwh) <= blur;
}

double scenario_price_blur(const struct scenario_extreme *low, const struct scenario_extreme *high)
{
    return 2e-3 * (high->price_per_mwh - low->price_per_mwh) + 1e-6;
}

void scenario_price_extremes(const struct scenario_result *result, struct scenario_extreme *low,
                             struct scenario_extreme *high)
{
    *low = find_extreme(result, -1.0);
    *high = find_extreme(result, 1.0);

    double blur = scenario_price_blur(low, high);

    count_alike(result, blur, low);
    count_alike(result, blur, high);
}

void scenario_bus_words(const struct grid_network *network, size_t bus, size_t n_alike,
                        char words[SCENARIO_WORDS])
{
    const char *id = network->buses[bus].id;

    if (n_alike == network->n_bus && n_alike > 1)
        snprintf(words, SCENARIO_WORDS, "every bus");
    else if (n_alike > 1)
        snprintf(words, SCENARIO_WORDS, "bus %.30s and %zu more", id, n_alike - 1);
    else
        snprintf(words, SCENARIO_WORDS, "bus %.30s", id);
}

static void line_words(const struct scenario *s, const struct grid_limit *limit,
                       char words[SCENARIO_LIMIT_WORDS])
{
    const struct grid_network *network = &s->network;
    const struct grid_line *line = &network->lines[limit->index];
    char power[SCENARIO_WORDS];

    if (limit->kind == GRID_LIMIT_APPARENT)
        number_words(line->limit_kva * s->rating_scale, "kVA", power);
    else
        scenario_power_words(line->limit_kw * s->rating_scale, power);
    snprintf(words, SCENARIO_LIMIT_WORDS, "line %.60s (bus %.40s to %.40s, %.40s)", line->id,
             network->buses[line->from].id, network->buses[line->to].id, power);
}

void scenario_limit_words(const struct scenario *scenario, const struct grid_limits *limits,
                          size_t row, int direction, char words[SCENARIO_LIMIT_WORDS])
{
    const struct grid_limit *limit = grid_limits_at(limits, row);
    const struct grid_bus *bus = NULL;

    switch (limit->kind) {
    case GRID_LIMIT_VOLTAGE:
        bus = &scenario->network.buses[limit->index];
        snprintf(words, SCENARIO_LIMIT_WORDS, "bus %.60s (at %s %g per unit)", bus->id,
                 direction > 0 ? "most" : "least", direction > 0 ? bus->v_max_pu : bus->v_min_pu);
        break;
    case GRID_LIMIT_ISLAND:
        snprintf(words, SCENARIO_LIMIT_WORDS, "the tree of slack bus %.60s (no line to the others)",
                 grid_limits_id(limits, row));
        break;
    case GRID_LIMIT_LOSS:
        snprintf(words, SCENARIO_LIMIT_WORDS, "the losses of the tree of slack bus %.60s",
                 grid_limits_id(limits, row));
        break;
    case GRID_LIMIT_INVERTER:
        snprintf(words, SCENARIO_LIMIT_WORDS, "inverter %.120s (%g kVA)",
                 grid_limits_id(limits, row), limit->high / grid_polygon_side(limit->side).share);
        break;
    default:
        line_words(scenario, limit, words);
        break;
    }
}

void scenario_breach_words(const struct grid_limits *limits, size_t row, int direction,
                           double breach_kw, char words[SCENARIO_WORDS])
{
    double breach = breach_kw * grid_limits_unit_per_kw(limits, row, direction);

    if (grid_limits_at(limits, row)->kind == GRID_LIMIT_VOLTAGE)
        number_words(breach, "per unit", words);
    else if (grid_limit_is_side(grid_limits_at(limits, row)))
        number_words(breach, "kVA", words);
    else
        scenario_power_words(breach, words);
}
