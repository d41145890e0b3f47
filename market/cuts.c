#include "market/cuts.h"

#include <stdlib.h>
#include <string.h>

enum walras_status market_cuts_init(struct market_cuts *cuts, size_t n_group, size_t n_step,
                                    struct walras_err *err)
{
    *cuts = (struct market_cuts){.n_group = n_group, .n_step = n_step};
    cuts->groups = calloc(n_group + 1, sizeof(*cuts->groups));
    if (!cuts->groups)
        return walras_fail(err, WALRAS_NOMEM, "cannot keep answers of %zu groups", n_group);
    return WALRAS_OK;
}

void market_cuts_release(struct market_cuts *cuts)
{
    for (size_t g = 0; cuts->groups && g < cuts->n_group; g++) {
        free(cuts->groups[g].cuts);
        free(cuts->groups[g].draw_kw);
    }
    free(cuts->groups);
    *cuts = (struct market_cuts){0};
}

static enum walras_status grow(struct market_group_cuts *group, size_t n_step,
                               struct walras_err *err)
{
    size_t capacity = group->capacity ? 2 * group->capacity : 16;
    struct market_cut *cuts = realloc(group->cuts, capacity * sizeof(*cuts));

    if (cuts)
        group->cuts = cuts;
    double *draw_kw = realloc(group->draw_kw, capacity * n_step * sizeof(*draw_kw));

    if (draw_kw)
        group->draw_kw = draw_kw;
    if (!cuts || !draw_kw)
        return walras_fail(err, WALRAS_NOMEM, "cannot keep %zu answers of a group", capacity);
    group->capacity = capacity;
    return WALRAS_OK;
}

enum walras_status market_cuts_add(struct market_cuts *cuts, size_t g, size_t point,
                                   const double *draw_kw, double cost, struct walras_err *err)
{
    struct market_group_cuts *group = &cuts->groups[g];

    if (group->n == group->capacity) {
        enum walras_status status = grow(group, cuts->n_step, err);

        if (status != WALRAS_OK)
            return status;
    }
    group->cuts[group->n] = (struct market_cut){.point = point, .cost = cost};
    memcpy(group->draw_kw + group->n * cuts->n_step, draw_kw, cuts->n_step * sizeof(*draw_kw));
    group->n++;
    cuts->n_total++;
    return WALRAS_OK;
}

void market_cuts_revise(struct market_cuts *cuts, size_t g, const double *cost,
                        double unit_currency)
{
    struct market_group_cuts *group = &cuts->groups[g];

    for (size_t j = 0; j < group->n; j++)
        group->cuts[j].cost = cost[group->cuts[j].point] / unit_currency;
    cuts->n_revision++;
}

/* Takes cut `from` to place `to` in every group. */
static void move_point(struct market_cuts *cuts, size_t to, size_t from)
{
    size_t n_step = cuts->n_step;

    for (size_t g = 0; g < cuts->n_group && to != from; g++) {
        struct market_group_cuts *group = &cuts->groups[g];

        group->cuts[to] = group->cuts[from];
        memcpy(group->draw_kw + to * n_step, group->draw_kw + from * n_step,
               n_step * sizeof(*group->draw_kw));
    }
}

void market_cuts_drop_idle(struct market_cuts *cuts, unsigned idle)
{
    size_t n = cuts->n_group > 0 ? cuts->groups[0].n : 0, kept = 0;

    for (size_t j = 0; j < n; j++) {
        bool alive = false;

        for (size_t g = 0; g < cuts->n_group; g++) {
            struct market_cut *cut = &cuts->groups[g].cuts[j];

            cut->retired = cut->idle > idle && cut->mixed <= 0.0;
            alive = alive || !cut->retired;
        }
        if (alive)
            move_point(cuts, kept++, j);
    }
    for (size_t g = 0; g < cuts->n_group; g++)
        cuts->groups[g].n = kept;
    cuts->n_total = kept * cuts->n_group;
}
