#include "scenario/feeder.h"

#include "core/units.h"

#include <stdint.h>
#include <stdlib.h>

struct leaf { /* a bus, and the line that was its last */
    size_t bus, line;
};

struct scenario_feeder {
    const struct grid_network *network;
    struct leaf *leaves; /* [n] as they were taken off */
    size_t n;
};

void scenario_feeder_free(struct scenario_feeder *feeder)
{
    if (!feeder)
        return;
    free(feeder->leaves);
    free(feeder);
}

/* Σ of the numbers of the lines that a bus still has is the number of the last one. */
struct ties {
    size_t n, sum;
};

static void tie(struct ties *ties, const struct grid_network *network)
{
    for (size_t l = 0; l < network->n_line; l++) {
        const struct grid_line *line = &network->lines[l];

        if (!line->in_service)
            continue;
        ties[line->from].n++;
        ties[line->from].sum += l;
        ties[line->to].n++;
        ties[line->to].sum += l;
    }
}

static bool is_leaf(const struct grid_network *network, const struct ties *ties, size_t bus)
{
    return ties[bus].n == 1 && !grid_network_is_slack(network, bus);
}

/* Takes off `bus` and then whatever that leaves as a leaf, towards the slack. */
static void take_off(struct scenario_feeder *feeder, struct ties *ties, size_t bus)
{
    while (is_leaf(feeder->network, ties, bus)) {
        size_t l = ties[bus].sum;
        const struct grid_line *line = &feeder->network->lines[l];
        size_t next = line->from == bus ? line->to : line->from;

        feeder->leaves[feeder->n++] = (struct leaf){bus, l};
        ties[bus] = (struct ties){0};
        ties[next].n--;
        ties[next].sum -= l;
        bus = next;
    }
}

static enum walras_status take_all(struct scenario_feeder *feeder, struct ties *ties,
                                   struct walras_err *err)
{
    const struct grid_network *network = feeder->network;

    tie(ties, network);
    for (size_t b = 0; b < network->n_bus; b++)
        take_off(feeder, ties, b);
    for (size_t b = 0; b < network->n_bus; b++)
        if (ties[b].n > 0)
            return walras_fail(err, WALRAS_UNSUPPORTED, "bus %s: it is on a loop",
                               network->buses[b].id);
    return WALRAS_OK;
}

enum walras_status scenario_feeder_new(const struct grid_network *network,
                                       struct scenario_feeder **made, struct walras_err *err)
{
    struct scenario_feeder *feeder = calloc(1, sizeof(*feeder));
    struct ties *ties = calloc(network->n_bus, sizeof(*ties));
    enum walras_status status = WALRAS_OK;

    if (feeder) {
        feeder->network = network;
        feeder->leaves = calloc(network->n_bus, sizeof(*feeder->leaves));
    }
    if (!feeder || !ties || !feeder->leaves)
        status =
            walras_fail(err, WALRAS_NOMEM, "cannot hold the feeders of %zu buses", network->n_bus);
    else
        status = take_all(feeder, ties, err);
    free(ties);
    if (status == WALRAS_OK)
        *made = feeder;
    else
        scenario_feeder_free(feeder);
    return status;
}

static double base_kw(const struct scenario_feeder *feeder)
{
    return walras_kw_from_mw(feeder->network->base_mva);
}

static void add_charging(const struct scenario_feeder *feeder, double *draw_kvar)
{
    for (size_t l = 0; l < feeder->network->n_line; l++) {
        const struct grid_line *line = &feeder->network->lines[l];
        double half_kvar = line->in_service ? base_kw(feeder) * line->b_pu / 2.0 : 0.0;

        draw_kvar[line->from] -= half_kvar / (line->tap * line->tap);
        draw_kvar[line->to] -= half_kvar;
    }
}

void scenario_feeder_solve(const struct scenario_feeder *feeder, double *draw_kw, double *draw_kvar,
                           double *flow_kw, double *flow_kvar, double *w)
{
    const struct grid_network *network = feeder->network;

    add_charging(feeder, draw_kvar);
    for (size_t l = 0; l < network->n_line; l++)
        flow_kw[l] = flow_kvar[l] = 0.0;
    for (size_t b = 0; b < network->n_bus; b++)
        w[b] = grid_network_is_slack(network, b)
                   ? grid_network_slack_v(network, b) * grid_network_slack_v(network, b)
                   : 0.0;
    for (size_t k = 0; k < feeder->n; k++) {
        const struct leaf *leaf = &feeder->leaves[k];
        const struct grid_line *line = &network->lines[leaf->line];
        bool fed = line->to == leaf->bus;
        size_t next = fed ? line->from : line->to;

        flow_kw[leaf->line] = fed ? draw_kw[leaf->bus] : -draw_kw[leaf->bus];
        flow_kvar[leaf->line] = fed ? draw_kvar[leaf->bus] : -draw_kvar[leaf->bus];
        draw_kw[next] += draw_kw[leaf->bus];
        draw_kvar[next] += draw_kvar[leaf->bus];
    }
    for (size_t k = feeder->n; k-- > 0;) {
        size_t l = feeder->leaves[k].line;
        const struct grid_line *line = &network->lines[l];
        double drop = 2.0 * (line->r_pu * flow_kw[l] + line->x_pu * flow_kvar[l]) / base_kw(feeder);
        double square = line->tap * line->tap;

        if (line->to == feeder->leaves[k].bus)
            w[line->to] = w[line->from] / square - drop;
        else
            w[line->from] = square * (w[line->to] + drop);
    }
}

/*
 * The equation of a line into `to`, w_to = w_from/tap² − 2 (r P + x Q)/base, hands on what w_to is
 * worth to w_from and to the line's own P and Q; out of `from` likewise.
 */
void scenario_feeder_price(const struct scenario_feeder *feeder, const double *line_kw,
                           const double *line_kvar, double *of_w, double *per_kw, double *per_kvar)
{
    const struct grid_network *network = feeder->network;

    for (size_t k = 0; k < feeder->n; k++) {
        const struct leaf *leaf = &feeder->leaves[k];
        const struct grid_line *line = &network->lines[leaf->line];
        double square = line->tap * line->tap;

        if (line->to == leaf->bus)
            of_w[line->from] += of_w[leaf->bus] / square;
        else
            of_w[line->to] += of_w[leaf->bus] * square;
    }
    for (size_t k = feeder->n; k-- > 0;) {
        const struct leaf *leaf = &feeder->leaves[k];
        const struct grid_line *line = &network->lines[leaf->line];
        bool fed = line->to == leaf->bus;
        size_t next = fed ? line->from : line->to;
        double sign = fed ? 1.0 : -1.0, square = line->tap * line->tap;
        double of_drop = -2.0 / base_kw(feeder) * of_w[leaf->bus] * (fed ? 1.0 : square);

        per_kw[leaf->bus] = per_kw[next] + sign * line_kw[leaf->line] + of_drop * line->r_pu;
        per_kvar[leaf->bus] = per_kvar[next] + sign * line_kvar[leaf->line] + of_drop * line->x_pu;
    }
}
