#include "scenario/losses.h"

#include "grid/radial.h"
#include "scenario/losses_internal.h"
#include "scenario/nodes.h"

#include <math.h>
#include <stdlib.h>

static void release_tangent(struct grid_tangent *tangent)
{
    free(tangent->kw);
    free(tangent->loss_kw);
}

void scenario_losses_free(struct scenario_losses *losses)
{
    if (!losses)
        return;
    for (size_t k = 0; k < LOSSES_MOST_TANGENTS; k++)
        release_tangent(&losses->tangents[k]);
    release_tangent(&losses->equation);
    for (size_t t = 0; losses->samples && t < losses->given.n_step; t++)
        free(losses->samples[t].kw);
    free(losses->samples);
    free(losses->scratch.kw);
    grid_powerflow_free(losses->flow);
    free(losses->n_tangent);
    free(losses->slack);
    free(losses->tree);
    free(losses->exact);
    free(losses->ways);
    free(losses->size_kw);
    free(losses->fixed_kvar);
    free(losses);
}

enum walras_status losses_make_tangent(const struct scenario_losses *losses,
                                       struct grid_tangent *out, struct walras_err *err)
{
    size_t n_cell = losses->given.n_bus * losses->given.n_step;
    size_t n = losses->given.n_tree * losses->given.n_step;

    out->kw = calloc(2 * n_cell, sizeof(*out->kw));
    out->loss_kw = malloc(n * sizeof(*out->loss_kw));
    if (!out->kw || !out->loss_kw) {
        release_tangent(out);
        *out = (struct grid_tangent){0};
        return walras_fail(err, WALRAS_NOMEM, "one more tangent of losses does not fit in memory");
    }
    out->kvar = out->kw + n_cell;
    for (size_t i = 0; i < n; i++)
        out->loss_kw[i] = NAN;
    return WALRAS_OK;
}

static bool make_sample(const struct scenario_losses *losses, struct loss_sample *out)
{
    size_t n_bus = losses->given.n_bus, n_tree = losses->given.n_tree;

    out->kw = calloc(4 * n_bus + 2 * n_tree, sizeof(*out->kw));
    if (!out->kw)
        return false;
    out->kvar = out->kw + n_bus;
    out->factor_kw = out->kw + 2 * n_bus;
    out->factor_kvar = out->kw + 3 * n_bus;
    out->lost_kw = out->kw + 4 * n_bus;
    out->constant_kw = out->lost_kw + n_tree;
    return true;
}

static size_t tree_of_slack(const struct scenario_losses *losses, size_t slack)
{
    size_t j = 0;

    while (losses->slack[j] != slack)
        j++;
    return j;
}

/* In the model dc, meshed maybe, all hangs on one slack. */
static enum walras_status find_trees(struct scenario_losses *losses, struct walras_err *err)
{
    const struct grid_network *network = &losses->scenario->network;
    struct grid_radial radial = {0};
    size_t n = 0;
    enum walras_status status = WALRAS_OK;

    for (size_t b = 0; b < network->n_bus; b++)
        if (grid_network_is_slack(network, b))
            losses->slack[n++] = b;
    if (losses->scenario->model == SCENARIO_LINDISTFLOW)
        status = grid_radial_make(network, &radial, err);
    for (size_t b = 0; b < network->n_bus && status == WALRAS_OK && radial.slack; b++)
        losses->tree[b] = tree_of_slack(losses, radial.slack[b]);
    grid_radial_release(&radial);
    return status;
}

static enum walras_status take_memory(struct scenario_losses *losses, struct walras_err *err)
{
    size_t n_bus = losses->given.n_bus, n_step = losses->given.n_step;
    size_t n_tree = losses->given.n_tree, n = n_tree * n_step;
    bool enough = false;

    losses->n_tangent = calloc(n, sizeof(*losses->n_tangent));
    losses->slack = calloc(n_tree, sizeof(*losses->slack));
    losses->tree = calloc(n_bus, sizeof(*losses->tree));
    losses->exact = calloc(n, sizeof(*losses->exact));
    losses->ways = calloc(n, sizeof(*losses->ways));
    losses->size_kw = calloc(2 * (n_tree + n), sizeof(*losses->size_kw));
    losses->fixed_kvar = calloc((n_step + 2) * n_bus, sizeof(*losses->fixed_kvar));
    losses->samples = calloc(n_step, sizeof(*losses->samples));
    enough = losses->n_tangent && losses->slack && losses->tree && losses->exact && losses->ways &&
             losses->size_kw && losses->fixed_kvar && losses->samples &&
             make_sample(losses, &losses->scratch);
    for (size_t t = 0; t < n_step && enough; t++)
        enough = make_sample(losses, &losses->samples[t]);
    if (!enough)
        return walras_fail(err, WALRAS_NOMEM, "the losses of %zu buses do not fit in memory",
                           n_bus);
    losses->most_kw = losses->size_kw + n_tree;
    losses->lost_kw = losses->size_kw + 2 * n_tree;
    losses->share = losses->lost_kw + n;
    losses->hold_v_pu = losses->fixed_kvar + n_step * n_bus;
    losses->injection_kvar = losses->hold_v_pu + n_bus;
    return losses_make_tangent(losses, &losses->equation, err);
}

void scenario_hold_generators(const struct scenario *scenario, double *hold_v_pu)
{
    for (size_t b = 0; b < scenario->network.n_bus; b++)
        hold_v_pu[b] = NAN;
    for (size_t i = 0; i < scenario->n_device && scenario->model == SCENARIO_DC; i++) {
        size_t bus = scenario_device_bus(scenario, i);

        if (scenario->devices[i].type == AGENT_GENERATOR &&
            !grid_network_is_slack(&scenario->network, bus))
            hold_v_pu[bus] = scenario->network.slack_v_pu;
    }
}

/* What no decision changes. */
static void take_scenario(struct scenario_losses *losses)
{
    const struct scenario *s = losses->scenario;
    size_t n_step = s->horizon.n_step;

    scenario_hold_generators(s, losses->hold_v_pu);
    for (size_t i = 0; i < s->n_device; i++)
        for (size_t t = 0; t < n_step; t++)
            losses->fixed_kvar[scenario_device_bus(s, i) * n_step + t] +=
                scenario_reactive_of(&s->devices[i], t).fixed_kvar;
    for (size_t j = 0; j < losses->given.n_tree; j++)
        losses->size_kw[j] = 1.0;
}

static enum walras_status prepare(struct scenario_losses *losses, struct walras_err *err)
{
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    enum walras_status status = take_memory(losses, err);

    if (status == WALRAS_OK)
        status = find_trees(losses, err);
    if (status == WALRAS_OK)
        status = grid_powerflow_new(&losses->scenario->network, &settings, &losses->flow, err);
    if (status == WALRAS_OK)
        take_scenario(losses);
    return status;
}

enum walras_status scenario_losses_check(const struct scenario *scenario, struct walras_err *err)
{
    struct grid_powerflow_settings settings = grid_powerflow_settings_defaults();
    struct grid_powerflow *flow = NULL;
    enum walras_status status = WALRAS_OK;

    if (scenario->model == SCENARIO_COPPERPLATE)
        return walras_fail(err, WALRAS_INVALID,
                           "losses: the model \"copperplate\" has no lines to lose anything on");
    if (scenario->network.n_line == 0)
        return walras_fail(err, WALRAS_INVALID,
                           "losses: the grid has no lines to lose anything on");
    status = grid_powerflow_new(&scenario->network, &settings, &flow, err);
    grid_powerflow_free(flow);
    return status;
}

enum walras_status scenario_losses_refuse(const struct scenario *scenario, const char *what,
                                          struct walras_err *err)
{
    return scenario->losses
               ? walras_fail(err, WALRAS_UNSUPPORTED,
                             "%s: not with losses, which are learned by clearing; leave "
                             "\"losses\" out of the grid",
                             what)
               : WALRAS_OK;
}

enum walras_status scenario_losses_new(const struct scenario *scenario,
                                       struct scenario_losses **made, struct walras_err *err)
{
    struct scenario_losses *losses = calloc(1, sizeof(*losses));
    struct grid_losses *given = NULL;
    enum walras_status status = WALRAS_OK;

    if (!losses)
        return walras_fail(err, WALRAS_NOMEM, "the losses of a grid do not fit in memory");
    given = &losses->given;
    losses->scenario = scenario;
    given->n_bus = scenario->network.n_bus;
    given->n_step = scenario->horizon.n_step;
    given->n_tangent = LOSSES_MOST_TANGENTS;
    for (size_t b = 0; b < given->n_bus; b++)
        given->n_tree += grid_network_is_slack(&scenario->network, b);
    status = prepare(losses, err);
    if (status != WALRAS_OK) {
        scenario_losses_free(losses);
        return status;
    }
    given->slack = losses->slack;
    given->tree = losses->tree;
    given->tangents = losses->tangents;
    given->exact = losses->exact;
    given->equation = &losses->equation;
    given->size_kw = losses->size_kw;
    given->learn = losses_learn_amid;
    given->self = losses;
    *made = losses;
    return WALRAS_OK;
}

const struct grid_losses *scenario_losses_given(const struct scenario_losses *losses)
{
    return &losses->given;
}

bool scenario_losses_known(const struct scenario_losses *losses)
{
    return losses->most_kw[0] > 0.0;
}

double scenario_losses_most_kw(const struct scenario_losses *losses, size_t tree)
{
    return losses->most_kw[tree];
}

const double *scenario_losses_lost_kw(const struct scenario_losses *losses)
{
    return losses->lost_kw;
}
