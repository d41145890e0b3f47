#include "agents/fleet_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Integer devices choose one after another: each takes the answer of its own that brings the sum
 * closest (least squares) to the sum of all mixtures, then all reconsider until nobody changes. The
 * group follows its mixture to about the size of one device, whatever their number.
 */

enum { MAX_PASSES = 20 };

struct choice { /* one group's settling */
    struct agent_fleet *fleet;
    const struct fleet_group *group;
    size_t n_point, n_step;
    double *draw;                  /* [n x n_point x n_step] every member's answers */
    struct market_answer *answers; /* [n x n_point] */
    size_t *chosen;                /* [n] answer of each member; n_point: none yet */
    double *rest; /* [n_step] mixtures of all less answers of those that have chosen */
};

static enum walras_status ask_members(struct choice *c, const double *price_per_mwh,
                                      struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < c->group->n && status == WALRAS_OK; i++)
        for (size_t j = 0; j < c->n_point && status == WALRAS_OK; j++)
            status = fleet_ask(c->fleet, c->group->first + i, 0, price_per_mwh + j * c->n_step,
                               c->draw + (i * c->n_point + j) * c->n_step,
                               &c->answers[i * c->n_point + j], err);
    return status;
}

/* What the mixtures of all members add up to. */
static void sum_mixtures(struct choice *c, const double *weight)
{
    for (size_t i = 0; i < c->group->n; i++) {
        c->chosen[i] = c->n_point;
        for (size_t j = 0; j < c->n_point; j++)
            for (size_t t = 0; t < c->n_step; t++)
                c->rest[t] += weight[j] * c->draw[(i * c->n_point + j) * c->n_step + t];
    }
}

/* The member takes its answer out and puts the one that fits best in; true when that is another. */
static bool choose(struct choice *c, size_t i)
{
    const double *draw = c->draw + i * c->n_point * c->n_step;
    size_t before = c->chosen[i], best = before;
    double least = INFINITY;

    for (size_t t = 0; t < c->n_step && before < c->n_point; t++)
        c->rest[t] += draw[before * c->n_step + t];
    for (size_t k = 0; k < c->n_point; k++) { /* the present answer first: ties change nothing */
        size_t j = before < c->n_point ? (before + k) % c->n_point : k;
        double distance = 0.0;

        for (size_t t = 0; t < c->n_step; t++) {
            double miss = c->rest[t] - draw[j * c->n_step + t];

            distance += miss * miss;
        }
        if (distance < least) {
            least = distance;
            best = j;
        }
    }
    for (size_t t = 0; t < c->n_step; t++)
        c->rest[t] -= draw[best * c->n_step + t];
    c->chosen[i] = best;
    return best != before;
}

static void choose_all(struct choice *c)
{
    bool changed = true;

    for (int pass = 0; changed && pass < MAX_PASSES; pass++) {
        changed = false;
        for (size_t i = 0; i < c->group->n; i++)
            changed = choose(c, i) || changed;
    }
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
    c.chosen = calloc(group->n + 1, sizeof(*c.chosen));
    if (c.draw && c.answers && c.rest && c.chosen && fleet->settled_kw)
        status = ask_members(&c, price_per_mwh, err);
    else
        status = walras_fail(err, WALRAS_NOMEM, "cannot settle %zu devices", group->n);
    memset(draw_kw, 0, n_step * sizeof(*draw_kw));
    *answer = (struct market_answer){0};
    if (status == WALRAS_OK) {
        sum_mixtures(&c, weight);
        choose_all(&c);
    }
    for (size_t i = 0; i < group->n && status == WALRAS_OK; i++) {
        size_t j = c.chosen[i];
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
    free(c.chosen);
    return status;
}
