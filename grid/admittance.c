#include "grid/admittance_internal.h"

#include "core/units.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

double complex grid_branch_ratio(const struct grid_line *line)
{
    return grid_complex(cos(line->shift_rad), -sin(line->shift_rad)) / line->tap;
}

struct grid_branch grid_branch_of(const struct grid_line *line)
{
    double complex series = 1.0 / grid_complex(line->r_pu, line->x_pu);
    double complex end = series + grid_complex(0.0, 0.5 * line->b_pu),
                   ratio = grid_branch_ratio(line);

    return (struct grid_branch){.ff = end / (line->tap * line->tap),
                                .ft = -series * conj(ratio),
                                .tf = -series * ratio,
                                .tt = end};
}

void grid_admittance_release(struct grid_admittance *y)
{
    free(y->start);
    free(y->row);
    free(y->value);
    *y = (struct grid_admittance){0};
}

/* The lines in service at each bus. */
struct incidence {
    size_t *start; /* [n_bus + 1] into line */
    size_t *line;
};

static void list_lines(const struct grid_network *network, struct incidence *at)
{
    size_t *next = at->start + 1; /* of a bus: how many lines, then where they end, then begin */

    for (size_t l = 0; l < network->n_line; l++)
        if (network->lines[l].in_service) {
            next[network->lines[l].from]++;
            next[network->lines[l].to]++;
        }
    for (size_t b = 1; b < network->n_bus; b++)
        next[b] += next[b - 1];
    size_t n_end = next[network->n_bus - 1];

    for (size_t l = network->n_line; l-- > 0;)
        if (network->lines[l].in_service) {
            at->line[--next[network->lines[l].from]] = l;
            at->line[--next[network->lines[l].to]] = l;
        }
    for (size_t b = 0; b < network->n_bus; b++)
        at->start[b] = next[b];
    at->start[network->n_bus] = n_end;
}

/*
 * Angles of the buses when nothing flows, along breadth-first trees from the slack: what the
 * transformers shift. queue [n_bus]: scratch.
 */
static void spread_angles(const struct grid_network *network, const struct incidence *at,
                          double *no_load_rad, size_t *queue)
{
    size_t n_seen = 0;

    for (size_t b = 0; b < network->n_bus; b++) {
        no_load_rad[b] = grid_network_is_slack(network, b) ? 0.0 : (double)NAN;
        if (grid_network_is_slack(network, b))
            queue[n_seen++] = b;
    }
    for (size_t next = 0; next < n_seen; next++) {
        size_t bus = queue[next];

        for (size_t i = at->start[bus]; i < at->start[bus + 1]; i++) {
            const struct grid_line *line = &network->lines[at->line[i]];
            size_t other = line->from == bus ? line->to : line->from;

            if (!isnan(no_load_rad[other]))
                continue;
            no_load_rad[other] =
                no_load_rad[bus] + (line->from == bus ? -line->shift_rad : line->shift_rad);
            queue[n_seen++] = other;
        }
    }
}

/*
 * Fills column `bus` from its lines; parallel lines share an entry. place [n]: where the entry of a
 * row stands if it is at or behind the column's start.
 */
static void fill_column(const struct grid_network *network, struct grid_admittance *y, size_t bus,
                        const size_t *lines, size_t n_line, size_t *place)
{
    const struct grid_bus *at = &network->buses[bus];
    double base_kw = walras_kw_from_mw(network->base_mva);
    size_t own = y->start[bus], kept = own + 1;

    y->row[own] = bus;
    y->value[own] = grid_complex(at->shunt_draw_kw, at->shunt_inject_kvar) / base_kw;
    for (size_t i = 0; i < n_line; i++) {
        const struct grid_line *line = &network->lines[lines[i]];
        struct grid_branch branch = grid_branch_of(line);
        size_t other = line->from == bus ? line->to : line->from;

        if (place[other] < own || place[other] == SIZE_MAX) {
            place[other] = kept;
            y->row[kept] = other;
            y->value[kept++] = 0.0;
        }
        y->value[own] += line->from == bus ? branch.ff : branch.tt;
        y->value[place[other]] += line->from == bus ? branch.tf : branch.ft;
    }
    y->start[bus + 1] = kept;
}

enum walras_status grid_admittance_build(const struct grid_network *network,
                                         struct grid_admittance *made, double *no_load_rad,
                                         struct walras_err *err)
{
    size_t n = network->n_bus, most = n + 2 * network->n_line;
    size_t *place = calloc(n, sizeof(*place));
    struct incidence at = {.start = calloc(n + 1, sizeof(*at.start)),
                           .line = calloc(2 * network->n_line + 1, sizeof(*at.line))};
    enum walras_status status = WALRAS_OK;

    made->n = n;
    made->start = calloc(n + 1, sizeof(*made->start));
    made->row = calloc(most, sizeof(*made->row));
    made->value = calloc(most, sizeof(*made->value));
    if (!place || !at.start || !at.line || !made->start || !made->row || !made->value) {
        status = walras_fail(err, WALRAS_NOMEM, "no memory for the admittances of %zu buses", n);
        goto out;
    }
    list_lines(network, &at);
    spread_angles(network, &at, no_load_rad, place);
    for (size_t b = 0; b < n; b++)
        place[b] = SIZE_MAX;
    for (size_t b = 0; b < n; b++)
        fill_column(network, made, b, at.line + at.start[b], at.start[b + 1] - at.start[b], place);
out:
    free(place);
    free(at.start);
    free(at.line);
    return status;
}
