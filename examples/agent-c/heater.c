/* A heater that is worth so much a MWh, as a bidding agent: URL CLIENT SECRET MARKET AGENT KW WORTH
 * To build it: cc heater.c $(pkg-config --cflags --libs walras-agent) */
#include <stdio.h>
#include <stdlib.h>
#include <walras_agent.h>

static double kw, worth_per_mwh;

/* It heats where heat is worth its price. What it goes without is its cost (0 when asked). */
static int respond(void *context, const struct walras_agent_market *market,
                   const double *price_per_mwh, double *draw_kw, double *cost)
{
    for (size_t t = 0; t < market->n_step; t++) {
        draw_kw[t] = price_per_mwh[t] < worth_per_mwh ? kw : 0.0;
        *cost += (kw - draw_kw[t]) * worth_per_mwh * market->step_h / 1000.0;
    }
    return context ? 1 : 0; /* 0: here is the answer */
}

int main(int argc, char **argv)
{
    struct walras_agent_settings server = {argv[1], argv[2], argv[3], NULL, NULL, NULL};
    struct walras_agent_market market = {.n_step = 0};
    struct walras_agent *agent = NULL;
    double draw_kw[1000] = {0}; /* at first what it draws when it falls silent: nothing */

    kw = argc == 8 ? strtod(argv[6], NULL) : 0.0;
    worth_per_mwh = argc == 8 ? strtod(argv[7], NULL) : 0.0;
    if (argc != 8 || walras_agent_new(&server, &agent, NULL, 0) ||
        walras_agent_market(agent, argv[4], &market) || market.n_step > 1000 ||
        walras_agent_join(agent, &market, argv[5], draw_kw) ||
        walras_agent_run(agent, &market, argv[5], respond, NULL) ||
        walras_agent_award(agent, &market, argv[5], draw_kw, NULL))
        return fprintf(stderr, "%s\n", agent ? walras_agent_error(agent) : "usage?"), 1;
    for (size_t t = 0; t < market.n_step; t++)
        printf("%g kW\n", draw_kw[t]);
    walras_agent_free(agent);
    return 0;
}
