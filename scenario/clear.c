#include "scenario/clear.h"

#include "agents/fleet.h"
#include "core/clock.h"
#include "core/units.h"
#include "scenario/clear_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A breach that costs nothing is priced like this, per MWh, so that none is larger than need be. */
#define LEAST_PRICE 1e-8

struct scenario_clear_settings scenario_clear_settings_defaults(void)
{
    return (struct scenario_clear_settings){.market = market_settings_defaults(),
                                            .kept_bytes = (size_t)64 << 20};
}

void scenario_clearing_free(struct scenario_clearing *c)
{
    if (!c)
        return;
    agent_fleet_free(c->fleet);
    grid_limits_free(c->limits);
    market_result_release(&c->market);
    free(c->breach_prices);
    scenario_nodes_release(&c->nodes);
    scenario_parts_free(c->parts);
    free(c->orders);
    free(c->firm_kw);
    clear_book_free(c->book);
    free(c->groups);
    free(c->bus_ids);
    clear_awards_release(c);
    scenario_losses_free(c->own_losses);
    free(c);
}

const struct scenario_result *scenario_clearing_result(const struct scenario_clearing *clearing)
{
    return &clearing->result;
}

static void describe(const void *context, size_t device, char *text, size_t size)
{
    const struct scenario *s = context;

    snprintf(text, size, "agent %s, device %s", s->agents[s->device_agent[device]].id,
             s->devices[device].id);
}

/*
 * Enough groups for plans that need few rounds, few enough for a quick master: some for each bus,
 * more where a round of answers costs more than a master (docs/mathematics.md, "What is measured").
 */
static size_t default_groups(const struct scenario *scenario)
{
    enum { SHORT_STEPS = 32, LEAST_SHORT = 96, LEAST_LONG = 64, MOST = 512 };
    size_t least = scenario->horizon.n_step <= SHORT_STEPS ? LEAST_SHORT : LEAST_LONG;
    size_t by_bus = 8 * scenario->network.n_bus, by_device = scenario->n_device / 50;
    size_t wanted = by_bus > by_device ? by_bus : by_device;

    return wanted < least ? least : wanted > MOST ? MOST : wanted;
}

static enum walras_status make_fleet(struct scenario_clearing *c, struct walras_err *err)
{
    const struct scenario *s = c->scenario;
    size_t n_group = c->settings.n_group ? c->settings.n_group : default_groups(s);
    struct agent_fleet_settings settings = {.n_worker = c->settings.market.n_thread,
                                            .glpk = c->settings.glpk,
                                            .n_group = n_group,
                                            .describe = describe,
                                            .context = s,
                                            .ranks = c->settings.market.ranks};

    return agent_fleet_new(s->devices, c->nodes.of_device, s->n_device, c->nodes.n, &s->horizon,
                           &settings, &c->fleet, err);
}

/* What a breach costs of a limit that is soft: a price in its own unit, per MWh of its value. */
static double breach_price(const struct scenario_clearing *c, size_t row, int direction)
{
    const struct scenario *s = c->scenario;
    double per_mwh = s->line_overload_price_per_mwh;

    switch (grid_limits_at(c->limits, row)->kind) {
    case GRID_LIMIT_VOLTAGE:
        per_mwh = walras_kw_from_mw(s->voltage_violation_price_per_pu_h) *
                  grid_limits_unit_per_kw(c->limits, row, direction);
        break;
    case GRID_LIMIT_ISLAND:
    case GRID_LIMIT_INVERTER:
    case GRID_LIMIT_LOSS:
        per_mwh = NAN;
        break;
    default:
        break;
    }
    return isnan(per_mwh) ? (double)INFINITY : fmax(per_mwh, LEAST_PRICE);
}

static enum walras_status price_breaches(struct scenario_clearing *c, struct walras_err *err)
{
    size_t n = grid_limits_count(c->limits);

    c->breach_prices = calloc(2 * n + 1, sizeof(*c->breach_prices));
    if (!c->breach_prices)
        return walras_fail(err, WALRAS_NOMEM, "%zu limits do not fit in memory", n);
    for (size_t r = 0; r < n; r++) {
        const struct grid_limit *limit = grid_limits_at(c->limits, r);

        c->breach_prices[2 * r] = breach_price(c, r, -1);
        c->breach_prices[2 * r + 1] = breach_price(c, r, 1);
        c->limited = c->limited || isfinite(limit->low) || isfinite(limit->high);
    }
    return WALRAS_OK;
}

static enum walras_status make_lindist(struct scenario_clearing *c, struct walras_err *err)
{
    const struct scenario *s = c->scenario;
    struct grid_lindist input = {.nodes = c->nodes.extra,
                                 .n_node = c->nodes.n - c->nodes.network.n_bus,
                                 .fixed_kvar = c->nodes.fixed_kvar,
                                 .n_step = s->horizon.n_step,
                                 .rating_scale = s->rating_scale,
                                 .soft_voltages = !isnan(s->voltage_violation_price_per_pu_h)};

    if (c->settings.market.ranks)
        return walras_fail(err, WALRAS_UNSUPPORTED,
                           "grid model lindistflow: not over several ranks; run it in one process");
    return grid_limits_lindist(&c->nodes.network, &input, &c->limits, err);
}

static enum walras_status make_limits(struct scenario_clearing *c, struct walras_err *err)
{
    const struct scenario *s = c->scenario;
    enum walras_status status = scenario_nodes_make(s, &c->nodes, err);

    if (status == WALRAS_OK && s->model == SCENARIO_LINDISTFLOW)
        status = make_lindist(c, err);
    else if (status == WALRAS_OK && s->model == SCENARIO_DC && s->network.n_line > 0)
        status = grid_limits_dc(&s->network, s->rating_scale, &c->limits, err);
    if (status == WALRAS_OK && c->limits && c->settings.ac.tighten_kw)
        grid_limits_tighten(c->limits, c->settings.ac.tighten_kw, s->horizon.n_step);
    if (status == WALRAS_OK && c->limits && c->settings.losses &&
        scenario_losses_known(c->settings.losses)) /* before, the limits' trees are of use */
        status = grid_limits_add_losses(c->limits, scenario_losses_given(c->settings.losses), err);
    return status == WALRAS_OK && c->limits ? price_breaches(c, err) : status;
}

static enum walras_status make_groups(struct scenario_clearing *c, struct walras_err *err)
{
    size_t n = 0;
    const struct agent_group *groups = agent_fleet_groups(c->fleet, &n);

    c->groups = calloc(n + c->settings.n_guest + 1, sizeof(*c->groups));
    c->bus_ids = calloc(c->nodes.n, sizeof(*c->bus_ids));
    if (!c->groups || !c->bus_ids)
        return walras_fail(err, WALRAS_NOMEM, "%zu groups do not fit in memory", n);
    for (size_t g = 0; g < n; g++)
        c->groups[g] = (struct market_group){.bus = groups[g].bus,
                                             .oracle = groups[g].oracle,
                                             .integer = groups[g].integer,
                                             .swing_kw = groups[g].swing_kw,
                                             .kind = groups[g].kind,
                                             .n_device = groups[g].n_device,
                                             .name = groups[g].name};
    for (size_t i = 0; i < c->nodes.n; i++)
        c->bus_ids[i] = c->scenario->network.buses[scenario_node_bus(c->scenario, &c->nodes, i)].id;
    if (c->settings.n_guest > 0)
        memcpy(c->groups + n, c->settings.guests, c->settings.n_guest * sizeof(*c->groups));
    c->n_group = n + c->settings.n_guest;
    return WALRAS_OK;
}

static struct market_problem problem_of(const struct scenario_clearing *c)
{
    const struct scenario *s = c->scenario;

    return (struct market_problem){.n_bus = c->nodes.n,
                                   .n_step = s->horizon.n_step,
                                   .step_h = s->horizon.step_h,
                                   .firm_draw_kw = c->firm_kw,
                                   .firm_cost = c->firm_cost,
                                   .orders = c->orders,
                                   .n_order = c->n_order,
                                   .groups = c->groups,
                                   .n_group = c->n_group,
                                   .limits = c->limited ? c->limits : NULL,
                                   .breach_price_per_mwh = (double)INFINITY,
                                   .breach_prices_per_mwh = c->limited ? c->breach_prices : NULL,
                                   .bus_ids = c->bus_ids,
                                   .reactive = c->nodes.reactive};
}

/* A participant that cannot meet its own constraints is the answer, not a failure. */
static enum walras_status participant_fault(struct scenario_clearing *c, struct walras_err *fault)
{
    snprintf(c->why, sizeof(c->why), "%s", fault->msg);
    *fault = (struct walras_err){0};
    c->market.outcome = MARKET_INFEASIBLE;
    c->market.n_bus = c->nodes.n;
    c->market.n_step = c->scenario->horizon.n_step;
    c->market.objective = c->market.bound = c->market.convex_objective = NAN;
    return WALRAS_OK;
}

static enum walras_status clear_market(struct scenario_clearing *c, struct walras_err *err)
{
    struct market_problem problem = problem_of(c);
    struct walras_err fault = {0};
    enum walras_status status = market_problem_check(&problem, err);

    if (status == WALRAS_OK)
        status = market_settings_check(&c->settings.market, err);
    status = walras_ranks_agree(c->settings.market.ranks, status, err);
    if (status != WALRAS_OK)
        return status;
    status = market_clear(&problem, &c->settings.market, &c->market, &fault);
    if (status == WALRAS_INVALID)
        return participant_fault(c, &fault);
    if (status != WALRAS_OK)
        return walras_fail(err, status, "%s", fault.msg);
    if (c->market.outcome == MARKET_INFEASIBLE) {
        if (walras_ranks_lead(c->settings.market.ranks))
            scenario_explain_infeasible(c);
        return WALRAS_OK;
    }
    if (!c->market.has_plan && c->market.settled &&
        c->market.n_rounds < c->settings.market.max_rounds)
        snprintf(c->why, sizeof(c->why),
                 "the on/off decisions of the devices, as chosen, do not fit the "
                 "limits together; more rounds do not help, more room or flexible devices do");
    return c->market.has_plan ? clear_awards(c, err) : WALRAS_OK;
}

static enum walras_status certify(struct scenario_clearing *c, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    if (!c->result.awards || c->settings.n_guest > 0)
        return WALRAS_OK;
    status = scenario_certify(&c->result, &c->certificate, err);
    if (status != WALRAS_OK || !walras_ranks_lead(c->settings.market.ranks))
        return status;
    c->result.certificate = &c->certificate;
    if (c->certificate
            .clean) /* what the awards cost: never more than the mixtures they are made of */
        c->market.objective = c->certificate.objective;
    else if (c->market.outcome == MARKET_CONVERGED)
        c->market.outcome = MARKET_ROUND_LIMIT;
    return WALRAS_OK;
}

static enum walras_status set_up(struct scenario_clearing *c, struct walras_err *err)
{
    enum walras_status status =
        walras_ranks_agree(c->settings.market.ranks, make_limits(c, err), err);

    if (status == WALRAS_OK)
        status = make_fleet(c, err);
    if (status == WALRAS_OK)
        status = clear_orders(c, err);
    if (status == WALRAS_OK)
        status = make_groups(c, err);
    return walras_ranks_agree(c->settings.market.ranks, status, err);
}

/* Sets up, clears, awards and certifies. */
static enum walras_status run(struct scenario_clearing *c, struct walras_err *err)
{
    double start_s = walras_monotonic_s();
    enum walras_status status = set_up(c, err);

    c->result = (struct scenario_result){.scenario = c->scenario,
                                         .market = &c->market,
                                         .limits = c->limits,
                                         .ranks = c->settings.market.ranks,
                                         .gap_asked = c->settings.market.gap,
                                         .ac = c->settings.ac.told,
                                         .ac_breach = c->settings.ac.breach,
                                         .loss_model = c->settings.losses,
                                         .setup_s = walras_monotonic_s() - start_s};
    if (status == WALRAS_OK)
        status = walras_ranks_agree(c->settings.market.ranks, clear_market(c, err), err);
    c->result.method = c->market.method ? c->market.method : c->settings.market.method;
    if (status == WALRAS_OK && c->market.price_per_mwh &&
        walras_ranks_lead(c->settings.market.ranks))
        status = scenario_parts_new(&c->market, c->limits, c->scenario, &c->parts, err);
    c->result.parts = c->parts;
    status = walras_ranks_agree(c->settings.market.ranks, status, err);
    if (status == WALRAS_OK)
        status = walras_ranks_agree(c->settings.market.ranks, certify(c, err), err);
    c->result.judging_s = walras_monotonic_s() - start_s - c->result.setup_s - c->market.seconds;
    return status;
}

enum walras_status clear_once(const struct scenario *scenario,
                              const struct scenario_clear_settings *settings,
                              struct scenario_clearing **made, struct walras_err *err)
{
    struct scenario_clearing *c = calloc(1, sizeof(*c));
    enum walras_status status = WALRAS_OK;

    if (!c)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the clearing");
    c->scenario = scenario;
    c->settings = *settings;
    status = run(c, err);
    if (status != WALRAS_OK) {
        scenario_clearing_free(c);
        return status;
    }
    if (c->why[0] != '\0')
        c->result.why = c->why;
    *made = c;
    return WALRAS_OK;
}

enum walras_status scenario_clear(const struct scenario *scenario,
                                  const struct scenario_clear_settings *settings,
                                  struct scenario_clearing **made, struct walras_err *err)
{
    return scenario->losses ? clear_with_losses(scenario, settings, made, err)
                            : clear_once(scenario, settings, made, err);
}
