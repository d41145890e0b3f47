#include "scenario/clear_internal.h"
#include "scenario/words.h"

#include <math.h>
#include <stdio.h>

static void name_breach(const struct scenario_clearing *c, const struct market_breach *breach,
                        char *text, size_t size)
{
    char when[SCENARIO_TIME_TEXT], power[SCENARIO_WORDS], limit[SCENARIO_LIMIT_WORDS];

    scenario_step_text(c->scenario, breach->step, when);
    scenario_power_words(breach->breach_kw, power);
    switch (breach->kind) {
    case MARKET_BREACH_LIMIT: {
        const struct grid_limit *at = grid_limits_at(c->limits, breach->row);
        const struct grid_network *network = &c->scenario->network;
        const struct grid_line *line = &network->lines[at->index];

        if (at->kind != GRID_LIMIT_LINE) {
            scenario_limit_words(c->scenario, c->limits, breach->row, breach->direction, limit);
            scenario_breach_words(c->limits, breach->row, breach->direction, breach->breach_kw,
                                  power);
            snprintf(text, size, "%.200s would %s %.60s in step %u (%s)", limit,
                     grid_limit_is_loss(at) ? "not be covered by" : "be exceeded by", power,
                     breach->step, when);
            break;
        }
        snprintf(text, size,
                 "line %s (bus %s to bus %s) would carry %s more than its limit in step %u "
                 "(%s)",
                 line->id, network->buses[line->from].id, network->buses[line->to].id, power,
                 breach->step, when);
        break;
    }
    case MARKET_BREACH_SHORTAGE:
        snprintf(text, size, "%s of draw cannot be supplied in step %u (%s)", power, breach->step,
                 when);
        break;
    case MARKET_BREACH_SURPLUS:
        snprintf(text, size, "%s of injection find no taker in step %u (%s)", power, breach->step,
                 when);
        break;
    }
}

/* A missing kW says more than the line that would have carried it. */
static int rank_of(const struct market_breach *breach)
{
    switch (breach->kind) {
    case MARKET_BREACH_SHORTAGE:
        return 0;
    case MARKET_BREACH_SURPLUS:
        return 1;
    default:
        return 2;
    }
}

static bool says_more(const struct market_breach *breach, const struct market_breach *than)
{
    int rank = rank_of(breach), other = rank_of(than);

    return rank != other ? rank < other : breach->breach_kw > than->breach_kw;
}

void scenario_explain_infeasible(struct scenario_clearing *c)
{
    const struct market_result *market = &c->market;
    const struct market_breach *first = NULL;
    double largest_kw = 0.0;
    size_t n = 0;
    char text[400];

    for (size_t i = 0; i < market->n_breach; i++)
        largest_kw = fmax(largest_kw, market->breach[i].breach_kw);
    for (size_t i = 0; i < market->n_breach; i++) {
        const struct market_breach *breach = &market->breach[i];

        if (breach->breach_kw < 1e-6 * largest_kw) /* rounding */
            continue;
        n++;
        if (!first || says_more(breach, first))
            first = breach;
    }
    if (!first)
        return;
    name_breach(c, first, text, sizeof(text));
    if (n > 1)
        snprintf(c->why, sizeof(c->why), "%s; %zu more need%s cannot be met", text, n - 1,
                 n == 2 ? "" : "s");
    else
        snprintf(c->why, sizeof(c->why), "%s", text);
}
