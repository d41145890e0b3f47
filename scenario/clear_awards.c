/*
 * What the market decided, as a plan: flows and draws of buses from the market's own sums, awards
 * from the devices' own answers. The certificate compares the two.
 */
#include "scenario/clear_internal.h"

#include <stdlib.h>
#include <string.h>

void clear_awards_release(struct scenario_clearing *c)
{
    free(c->award_kw);
    free(c->node_draw_kw);
    free(c->bus_draw_kw);
    free(c->flow_kw);
    free(c->flow_kvar);
    free(c->v_pu);
    free(c->inverter_kvar);
    free(c->loss_kw);
    free(c->import_kw);
}

static void take_supply(struct scenario_clearing *c)
{
    size_t n = c->scenario->n_supply * c->scenario->horizon.n_step;
    const double *order_kw = c->market.order_kw + c->n_booked;

    for (size_t i = 0; i < n; i++) {
        c->import_kw[i] = order_kw[2 * i];
        c->import_kw[n + i] = -order_kw[2 * i + 1];
    }
}

/* What is drawn at slacks for losses, which no device draws: it counts for flows alone. */
static void take_losses(struct scenario_clearing *c)
{
    size_t n_step = c->scenario->horizon.n_step, n = c->nodes.n_loss * n_step;
    const double *order_kw = c->market.order_kw + c->n_order - n;
    double *node = c->node_draw_kw + (c->nodes.n - c->nodes.n_loss) * n_step;

    for (size_t i = 0; i < n; i++)
        node[i] = c->loss_kw[i] = -order_kw[i];
}

/* Firm draw, groups and the orders of devices. */
static void take_bus_draws(struct scenario_clearing *c)
{
    size_t n_step = c->scenario->horizon.n_step;

    memcpy(c->node_draw_kw, c->firm_kw, c->nodes.n * n_step * sizeof(*c->node_draw_kw));
    for (size_t g = 0; g < c->n_group; g++)
        for (size_t t = 0; t < n_step; t++)
            c->node_draw_kw[c->groups[g].bus * n_step + t] +=
                c->market.group_draw_kw[g * n_step + t];
    for (size_t i = 0; i < c->n_booked; i++)
        c->node_draw_kw[c->orders[i].bus * n_step + c->orders[i].step] -= c->market.order_kw[i];
    for (size_t i = 0; i < c->nodes.n_inverter; i++)
        for (size_t t = 0; t < n_step; t++) {
            double kvar = -c->market.order_kw[c->n_supplied + i * n_step + t];

            c->inverter_kvar[i * n_step + t] = kvar;
            c->node_draw_kw[c->nodes.inverters[i].node * n_step + t] += kvar;
        }
    for (size_t i = 0; i < c->nodes.n - c->nodes.n_loss; i++) {
        if (c->nodes.reactive && c->nodes.reactive[i])
            continue;
        double *bus = c->bus_draw_kw + scenario_node_bus(c->scenario, &c->nodes, i) * n_step;

        for (size_t t = 0; t < n_step; t++)
            bus[t] += c->node_draw_kw[i * n_step + t];
    }
}

/* state: of the lines' kW, the lines' kvar and the buses' voltages in one step. */
static void take_state(struct scenario_clearing *c, size_t t, const struct grid_state *state)
{
    const struct grid_network *network = &c->scenario->network;
    size_t n_step = c->scenario->horizon.n_step;

    for (size_t l = 0; l < network->n_line; l++) {
        c->flow_kw[l * n_step + t] = state->flow_kw[l];
        c->flow_kvar[l * n_step + t] = state->flow_kvar[l];
    }
    for (size_t b = 0; b < network->n_bus; b++)
        c->v_pu[b * n_step + t] = state->v_pu[b];
}

static enum walras_status flow_step(struct scenario_clearing *c, size_t t, double *injection_kw,
                                    double *value, struct walras_err *err)
{
    const struct grid_network *network = &c->nodes.network;
    size_t n_line = network->n_line;
    struct grid_state state = {value, value + n_line, value + 2 * n_line};
    const struct scenario *s = c->scenario;
    size_t n_step = s->horizon.n_step, n_supply = s->n_supply;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < c->nodes.n; i++)
        injection_kw[i] = -c->node_draw_kw[i * n_step + t];
    for (size_t i = 0; i < n_supply; i++)
        injection_kw[s->supplies[i].bus] +=
            c->import_kw[i * n_step + t] - c->import_kw[(n_supply + i) * n_step + t];
    if (s->model == SCENARIO_LINDISTFLOW) {
        grid_limits_state(c->limits, t, injection_kw, &state);
        take_state(c, t, &state);
        return WALRAS_OK;
    }
    status = grid_limits_values(c->limits, t, injection_kw, value, err);
    if (status == WALRAS_OK)
        for (size_t r = 0; r < grid_limits_count(c->limits) - grid_limits_losses(c->limits); r++)
            c->flow_kw[grid_limits_at(c->limits, r)->index * n_step + t] = value[r];
    return status;
}

static enum walras_status take_flows(struct scenario_clearing *c, struct walras_err *err)
{
    const struct grid_network *network = &c->nodes.network;
    double *work = NULL;
    enum walras_status status = WALRAS_OK;

    if (!c->limits)
        return WALRAS_OK;
    work = calloc(c->nodes.n + grid_limits_count(c->limits) + 2 * network->n_line + network->n_bus,
                  sizeof(*work));
    if (!work)
        return walras_fail(err, WALRAS_NOMEM, "the flows do not fit in memory");
    for (size_t t = 0; t < c->scenario->horizon.n_step && status == WALRAS_OK; t++)
        status = flow_step(c, t, work, work + c->nodes.n, err);
    free(work);
    return status;
}

static enum walras_status read_awards(void *self, unsigned worker, size_t first, size_t n,
                                      double *draw_kw, struct walras_err *err)
{
    const struct scenario_clearing *c = self;

    return agent_fleet_award(c->fleet, &c->decided, worker, first, n, draw_kw, err);
}

static enum walras_status keep_part(void *context, const struct scenario_awards_part *part,
                                    struct walras_err *err)
{
    struct scenario_clearing *c = context;
    size_t n_step = c->scenario->horizon.n_step;

    (void)err;
    memcpy(c->award_kw + part->first * n_step, part->draw_kw, part->n * n_step * sizeof(double));
    return WALRAS_OK;
}

static enum walras_status take_awards(struct scenario_clearing *c, struct walras_err *err)
{
    const struct scenario *s = c->scenario;
    size_t n_award = s->n_device * s->horizon.n_step;
    const struct scenario_awards_pass keep = {.context = c, .work = keep_part};
    enum walras_status status = WALRAS_OK;

    c->decided.weight = c->market.weight;
    c->decided.point_price_per_mwh = c->market.point_price_per_mwh;
    c->decided.n_point = c->market.n_point;
    status = clear_order_awards(c, err);
    if (status != WALRAS_OK)
        return status;
    c->awards = (struct scenario_awards){.n_device = s->n_device,
                                         .n_step = s->horizon.n_step,
                                         .n_worker = c->settings.market.n_thread,
                                         .read = read_awards,
                                         .self = c};
    if (n_award > c->settings.kept_bytes / sizeof(*c->award_kw))
        return WALRAS_OK;
    c->award_kw = calloc(n_award + 1, sizeof(*c->award_kw));
    if (!c->award_kw)
        return walras_fail(err, WALRAS_NOMEM, "the awards of %zu devices do not fit in memory",
                           s->n_device);
    status = scenario_awards_run(&c->awards, &keep, err);
    c->awards.draw_kw = c->award_kw;
    return status;
}

/* What the market's own sums say: rank 0 only. */
static enum walras_status take_plan(struct scenario_clearing *c, struct walras_err *err)
{
    const struct scenario *s = c->scenario;
    size_t n_step = s->horizon.n_step;

    c->node_draw_kw = calloc(c->nodes.n * n_step, sizeof(*c->node_draw_kw));
    c->bus_draw_kw = calloc(s->network.n_bus * n_step, sizeof(*c->bus_draw_kw));
    c->flow_kw = calloc(s->network.n_line * n_step + 1, sizeof(*c->flow_kw));
    c->import_kw = calloc(2 * s->n_supply * n_step + 1, sizeof(*c->import_kw));
    c->loss_kw = calloc(c->nodes.n_loss * n_step + 1, sizeof(*c->loss_kw));
    if (!c->node_draw_kw || !c->bus_draw_kw || !c->flow_kw || !c->import_kw || !c->loss_kw)
        return walras_fail(err, WALRAS_NOMEM, "the flows do not fit in memory");
    if (s->model == SCENARIO_LINDISTFLOW) {
        c->flow_kvar = calloc(s->network.n_line * n_step + 1, sizeof(*c->flow_kvar));
        c->v_pu = calloc(s->network.n_bus * n_step, sizeof(*c->v_pu));
        c->inverter_kvar = calloc(c->nodes.n_inverter * n_step + 1, sizeof(*c->inverter_kvar));
        if (!c->flow_kvar || !c->v_pu || !c->inverter_kvar)
            return walras_fail(err, WALRAS_NOMEM, "the voltages do not fit in memory");
    }
    take_supply(c);
    take_bus_draws(c);
    take_losses(c);
    c->result.loss_kw = c->nodes.n_loss > 0 ? c->loss_kw : NULL;
    c->result.bus_draw_kw = c->bus_draw_kw;
    c->result.flow_kw = c->flow_kw;
    c->result.flow_kvar = c->flow_kvar;
    c->result.v_pu = c->v_pu;
    c->result.inverters = c->nodes.inverters;
    c->result.n_inverter = c->nodes.n_inverter;
    c->result.inverter_kvar = c->inverter_kvar;
    c->result.import_kw = c->import_kw;
    c->result.export_kw = c->import_kw + s->n_supply * n_step;
    return take_flows(c, err);
}

enum walras_status clear_awards(struct scenario_clearing *c, struct walras_err *err)
{
    struct walras_ranks *ranks = c->settings.market.ranks;
    enum walras_status status = walras_ranks_lead(ranks) ? take_plan(c, err) : WALRAS_OK;

    status = walras_ranks_agree(ranks, status, err);
    if (status == WALRAS_OK)
        status = take_awards(c, err);
    c->result.awards = &c->awards;
    return status;
}
