/* Groups that are asked how they give way to prices, or to stay near what they did before. */
#include "agents/fleet_internal.h"

#include <stdlib.h>
#include <string.h>

/* What the members did before [n_member x n_step]: taken by whoever is asked first. */
static double *past_of(struct agent_fleet *fleet)
{
    double *past_kw = atomic_load(&fleet->past_kw), *none = NULL;

    if (past_kw)
        return past_kw;
    past_kw = calloc(fleet->n_member * fleet->horizon.n_step + 1, sizeof(*past_kw));
    if (past_kw && !atomic_compare_exchange_strong(&fleet->past_kw, &none, past_kw)) {
        free(past_kw); /* another worker was first */
        past_kw = none;
    }
    return past_kw;
}

/* One member; past_kw becomes first the centre, then what it did now. */
static enum walras_status member_near(struct agent_fleet *fleet, size_t member, unsigned worker,
                                      const double *price_per_mwh, const struct market_near *near,
                                      double *past_kw, double *draw_kw,
                                      struct market_answer *answer, struct walras_err *err)
{
    size_t device = fleet->member[member], n_step = fleet->horizon.n_step;
    double kept = 1.0 - near->relaxation;
    enum walras_status status;

    for (size_t t = 0; t < n_step; t++)
        past_kw[t] = (near->forget ? 0.0 : past_kw[t]) - near->shift_kw[t];
    if (fleet_model(fleet, device))
        status = fleet_ask(fleet, member, worker, price_per_mwh, draw_kw, answer, err);
    else
        status = fleet_blame(fleet, device,
                             agent_solve_near(&fleet->devices[device], &fleet->horizon,
                                              price_per_mwh, near->rho_per_mwh_per_kw, past_kw,
                                              fleet->workspaces[worker], draw_kw, answer, err),
                             err);
    for (size_t t = 0; t < n_step && status == WALRAS_OK; t++)
        past_kw[t] = near->relaxation * draw_kw[t] + kept * past_kw[t];
    return status;
}

enum walras_status fleet_respond_near(void *self, size_t part, unsigned worker,
                                      const double *price_per_mwh, const struct market_near *near,
                                      double *draw_kw, struct market_answer *answer,
                                      struct walras_err *err)
{
    struct fleet_group *group = self;
    struct agent_fleet *fleet = group->fleet;
    size_t n_step = fleet->horizon.n_step, begin, end;
    double *one = fleet->scratch + worker * n_step, *past_kw = past_of(fleet);

    if (!past_kw)
        return walras_fail(err, WALRAS_NOMEM, "cannot remember what %zu devices did",
                           fleet->n_member);
    memset(draw_kw, 0, n_step * sizeof(*draw_kw));
    *answer = (struct market_answer){0};
    fleet_part(group, part, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        struct market_answer device = {0};
        enum walras_status status = member_near(fleet, i, worker, price_per_mwh, near,
                                                past_kw + i * n_step, one, &device, err);

        if (status != WALRAS_OK)
            return status;
        fleet_add(one, &device, n_step, draw_kw, answer);
    }
    return WALRAS_OK;
}

enum walras_status fleet_respond_curved(void *self, unsigned worker, const double *price_per_mwh,
                                        double *draw_kw, struct market_answer *answer,
                                        double *curvature, struct walras_err *err)
{
    struct fleet_group *group = self;
    struct agent_fleet *fleet = group->fleet;
    size_t n_step = fleet->horizon.n_step;
    double *one = fleet->scratch + worker * n_step;

    memset(draw_kw, 0, n_step * sizeof(*draw_kw));
    memset(curvature, 0, n_step * n_step * sizeof(*curvature));
    *answer = (struct market_answer){0};
    for (size_t i = group->first; i < group->first + group->n; i++) {
        size_t device = fleet->member[i];
        struct market_answer answered = {0};
        enum walras_status status;

        if (fleet_model(fleet, device))
            status = fleet_ask(fleet, i, worker, price_per_mwh, one, &answered, err);
        else
            status = fleet_blame(fleet, device,
                                 agent_solve_curved(&fleet->devices[device], &fleet->horizon,
                                                    price_per_mwh, fleet->workspaces[worker], one,
                                                    &answered, curvature, err),
                                 err);
        if (status != WALRAS_OK)
            return status;
        fleet_add(one, &answered, n_step, draw_kw, answer);
    }
    return WALRAS_OK;
}
