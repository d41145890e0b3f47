#include "agents/fleet_internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * Integer devices choose one after another: each takes the answer of its own that brings the sum of
 * those that have chosen closest (least squares) to the sum of their mixtures. The group then
 * follows its mixture to about the size of one device, whatever their number.
 */

struct choice { /* one group's settling */
    struct agent_fleet *fleet;
    const struct fleet_group *group;
    size_t n_point, n_step;
    double *draw;                  /* [n x n_point x n_step] every member's answers */
    struct market_answer *answers; /* [n x n_point] */
    double *rest;                  /* [n_step] mixtures less choices of those that have chosen */
};

static enum walras_status ask_members(struct choice *c, const double *price_per_mwh,
                                      struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < c->group->n && status == WALRAS_OK; i++)
        for (size_t j = 0; j < c->n_point && status == WALRAS_OK; j++)
            status = fleet_solve(
                c->fleet, c->fleet->member[c->group->first + i], 0, price_per_mwh + j * c->n_step,
                c->draw + (i * c->n_point + j) * c->n_step, &c->answers[i * c->n_point + j], err);
    return status;
}

/* The member's mean answer leaves the sum; the answer that fits best comes in. */
static size_t choose(struct choice *c, size_t i, const double *weight)
{
    const double *draw = c->draw + i * c->n_point * c->n_step;
    size_t best = 0;
    double least = 0.0;

    for (size_t j = 0; j < c->n_point; j++)
        for (size_t t = 0; t < c->n_step; t++)
            c->rest[t] += weight[j] * draw[j * c->n_step + t];
    for (size_t j = 0; j < c->n_point; j++) {
        double distance = 0.0;

        for (size_t t = 0; t < c->n_step; t++) {
            double miss = c->rest[t] - draw[j * c->n_step + t];

            distance += miss * miss;
        }
        if (j == 0 || distance < least) {
            least = distance;
            best = j;
        }
    }
    for (size_t t = 0; t < c->n_step; t++)
        c->rest[t] -= draw[best * c->n_step + t];
    return best;
}

enum walras_status fleet_settle(void *self, size_t n_point, const double *price_per_mwh,
                                const double *weight, double *draw_kw, struct market_answer *answer,
                                struct walras_err *err)
{
    struct fleet_group *group = self;
    struct agent_fleet *fleet = group->fleet;
    size_t n_step = fleet->horizon.n_step;
    struct choice c = {.fleet = fleet, .group = group, .n_point = n_point, .n_step = n_step};
    enum walras_status status = WALRAS_OK;

    c.draw = calloc(group->n * n_point * n_step + 1, sizeof(*c.draw));
    c.answers = calloc(group->n * n_point + 1, sizeof(*c.answers));
    c.rest = calloc(n_step, sizeof(*c.rest));
    if (!fleet->settled_kw)
        fleet->settled_kw = calloc(fleet->n_member * n_step + 1, sizeof(*fleet->settled_kw));
    if (c.draw && c.answers && c.rest && fleet->settled_kw)
        status = ask_members(&c, price_per_mwh, err);
    else
        status = walras_fail(err, WALRAS_NOMEM, "cannot settle %zu devices", group->n);
    memset(draw_kw, 0, n_step * sizeof(*draw_kw));
    *answer = (struct market_answer){0};
    for (size_t i = 0; i < group->n && status == WALRAS_OK; i++) {
        size_t j = choose(&c, i, weight);
        const double *chosen = c.draw + (i * n_point + j) * n_step;
        size_t member = group->first + i;

        memcpy(fleet->settled_kw + member * n_step, chosen, n_step * sizeof(*chosen));
        fleet->is_settled[member] = true;
        answer->cost += c.answers[i * n_point + j].cost;
        answer->bound += c.answers[i * n_point + j].bound;
        for (size_t t = 0; t < n_step; t++)
            draw_kw[t] += chosen[t];
    }
    free(c.draw);
    free(c.answers);
    free(c.rest);
    return status;
}
