#include "scenario/clear_internal.h"

#include <stdio.h>

static void name_breach(const struct scenario_clearing *c, const struct market_breach *breach,
                        char *text, size_t size)
{
    char when[SCENARIO_TIME_TEXT];

    scenario_step_text(c->scenario, breach->step, when);
    switch (breach->kind) {
    case MARKET_BREACH_LIMIT: {
        const struct grid_limit *limit = grid_limits_at(c->limits, breach->row);
        const struct grid_network *network = &c->scenario->network;
        const struct grid_line *line = &network->lines[limit->index];

        snprintf(text, size,
                 "line %s (bus %s to bus %s) would carry %.4g kW more than its limit in step %u "
                 "(%s)",
                 line->id, network->buses[line->from].id, network->buses[line->to].id,
                 breach->breach_kw, breach->step, when);
        break;
    }
    case MARKET_BREACH_SHORTAGE:
        snprintf(text, size, "%.4g kW of draw cannot be supplied in step %u (%s)",
                 breach->breach_kw, breach->step, when);
        break;
    case MARKET_BREACH_SURPLUS:
        snprintf(text, size, "%.4g kW of injection find no taker in step %u (%s)",
                 breach->breach_kw, breach->step, when);
        break;
    }
}

void scenario_explain_infeasible(struct scenario_clearing *c)
{
    const struct market_result *market = &c->market;
    const struct market_breach *worst = NULL;
    char text[320];

    for (size_t i = 0; i < market->n_breach; i++)
        if (!worst || market->breach[i].breach_kw > worst->breach_kw)
            worst = &market->breach[i];
    if (!worst)
        return;
    name_breach(c, worst, text, sizeof(text));
    if (market->n_breach > 1)
        snprintf(c->why, sizeof(c->why), "%s; %zu more needs cannot be met", text,
                 market->n_breach - 1);
    else
        snprintf(c->why, sizeof(c->why), "%s", text);
}
