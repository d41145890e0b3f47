/* Heat pumps, air conditioners and the like (docs/devices.md, eq. 13-17; with quadratic costs
 * 29-36). */
#include "agents/smooth.h"
#include "agents/solve_internal.h"
#include "agents/storage_list.h"
#include "core/units.h"

#include <math.h>

/* The building in one step: θ' = keep · θ + drift ± k_per_kw · p. */
struct room {
    const struct agent_thermal *thermal;
    double step_h, keep, lost, k_per_kw_at_cop_1;
    bool soft;            /* may leave its band */
    double comfort_per_k; /* currency per K beyond a soft band at the end of a step */
};

static struct room room_of(const struct agent_thermal *thermal, double step_h)
{
    double u = thermal->conductance_kw_per_k, c = thermal->capacity_kwh_per_k;
    double lost = -expm1(-u * step_h / c);
    bool soft = !isnan(thermal->comfort_price_per_kh);

    return (struct room){
        .thermal = thermal,
        .step_h = step_h,
        .keep = exp(-u * step_h / c),
        .lost = lost,
        .k_per_kw_at_cop_1 = lost > 0.0 ? lost / u : step_h / c,
        .soft = soft,
        .comfort_per_k = soft ? thermal->comfort_price_per_kh * step_h : 0.0,
    };
}

static inline double drift_k(const struct room *room, size_t t)
{
    return room->lost * walras_series_at(room->thermal->outdoor_c, t) +
           room->k_per_kw_at_cop_1 * walras_series_at(room->thermal->gain_kw, t);
}

static inline double k_per_kw(const struct room *room, size_t t)
{
    return room->k_per_kw_at_cop_1 * walras_series_at(room->thermal->cop, t);
}

/* States that can be reached at the end of each step: off all the time, full power all the time. */
static void reach(const struct room *room, size_t n_step, double *low_c, double *high_c)
{
    double sign = room->thermal->cool ? -1.0 : 1.0;
    double off = room->thermal->start_c, full = off;

    for (size_t t = 0; t < n_step; t++) {
        double drift = drift_k(room, t);

        off = room->keep * off + drift;
        full = room->keep * full + drift + sign * k_per_kw(room, t) * room->thermal->max_kw;
        low_c[t] = storage_min(off, full);
        high_c[t] = storage_max(off, full);
    }
}

/* What the solver does not tell from 0; far inside the 1e-9 that answers are held to. */
static double slack_k(double low_c, double high_c)
{
    return 1e-11 * (1.0 + storage_max(fabs(low_c), fabs(high_c)));
}

/*
 * Bounds (hard band) or reachable states with the comfort cost (soft band) at the end of step t.
 * `keep` is the leakage that the function has just been through.
 */
static bool bound(const struct room *room, const struct agent_workspace *workspace, size_t t,
                  double keep, struct storage_list *list)
{
    bool soft = room->soft;
    double min_c = walras_series_at(room->thermal->min_c, t);
    double max_c = walras_series_at(room->thermal->max_c, t);
    double low_c = soft ? workspace->reach_low[t] : min_c;
    double high_c = soft ? workspace->reach_high[t] : max_c;

    if (!storage_cut(list, low_c * list->scale, high_c * list->scale,
                     storage_slack(list, slack_k(low_c, high_c), keep)))
        return false;
    if (soft) {
        storage_tilt_below(list, min_c * list->scale, -room->comfort_per_k * list->unscale);
        storage_tilt_above(list, max_c * list->scale, room->comfort_per_k * list->unscale);
    }
    return true;
}

static struct storage_list final_value(const struct room *room,
                                       const struct agent_workspace *workspace, size_t n_step)
{
    bool soft = room->soft;
    size_t last = n_step - 1;
    double low_c = soft ? workspace->reach_low[last] : walras_series_at(room->thermal->min_c, last);
    double high_c =
        soft ? workspace->reach_high[last] : walras_series_at(room->thermal->max_c, last);
    struct storage_list list = storage_list_at(workspace->piece, n_step, low_c);

    storage_append(&list, 0.0, high_c - low_c);
    return list;
}

static bool backward(const struct room *room, size_t n_step, const double *price_per_mwh,
                     struct agent_workspace *workspace)
{
    const struct agent_thermal *thermal = room->thermal;
    struct storage_list list = final_value(room, workspace, n_step);

    for (size_t t = n_step; t-- > 0;) {
        if (!bound(room, workspace, t, t + 1 == n_step ? 1.0 : room->keep, &list))
            return false;

        double gain_k_per_kw = k_per_kw(room, t), drift = drift_k(room, t);
        double per_k = walras_mwh(price_per_mwh[t], room->step_h) / gain_k_per_kw;
        struct storage_move run = {(thermal->cool ? per_k : -per_k) * list.unscale,
                                   gain_k_per_kw * thermal->max_kw * list.scale};
        struct storage_move none = {0.0, 0.0};

        storage_seek(&list, run.slope, run.slope);
        workspace->policy[t] =
            (struct storage_policy){list.x_low * list.unscale, list.x_high * list.unscale};
        if (thermal->cool)
            storage_widen(&list, none, run, 0.0, run.length);
        else
            storage_widen(&list, run, none, run.length, 0.0);
        storage_shift(&list, -drift * list.scale);
        storage_leak(&list, room->keep);
    }

    double start_c = thermal->start_c, start = start_c * list.scale;

    /* a soft band can be left: whatever the start misses is rounding */
    return room->soft || storage_cut(&list, start, start,
                                     storage_slack(&list, slack_k(start_c, start_c), room->keep));
}

static void forward(const struct room *room, size_t n_step, const struct storage_policy *policy,
                    double *draw_kw, double *discomfort_k)
{
    const struct agent_thermal *thermal = room->thermal;
    double state = thermal->start_c;

    *discomfort_k = 0.0;
    for (size_t t = 0; t < n_step; t++) {
        double gain_k_per_kw = k_per_kw(room, t), full = gain_k_per_kw * thermal->max_kw;
        double rest = room->keep * state + drift_k(room, t);

        if (thermal->cool)
            state = storage_min(rest, storage_max(policy[t].high, rest - full));
        else
            state = storage_max(rest, storage_min(policy[t].low, rest + full));
        draw_kw[t] = storage_min(fabs(state - rest) / gain_k_per_kw, thermal->max_kw);
        *discomfort_k += storage_max(walras_series_at(thermal->min_c, t) - state, 0.0) +
                         storage_max(state - walras_series_at(thermal->max_c, t), 0.0);
    }
}

/* The first step whose band cannot be met, coming from bands met in all steps before it. */
static enum walras_status why_not(const struct room *room, size_t n_step, struct walras_err *err)
{
    const struct agent_thermal *thermal = room->thermal;
    double low = thermal->start_c, high = thermal->start_c;

    for (size_t t = 0; t < n_step; t++) {
        double full = k_per_kw(room, t) * thermal->max_kw, drift = drift_k(room, t);
        double min_c = walras_series_at(thermal->min_c, t);
        double max_c = walras_series_at(thermal->max_c, t);

        low = room->keep * low + drift - (thermal->cool ? full : 0.0);
        high = room->keep * high + drift + (thermal->cool ? 0.0 : full);
        if (high < min_c)
            return walras_fail(err, WALRAS_INVALID,
                               "step %zu: needs at least %.6g °C, can reach %.6g °C", t, min_c,
                               high);
        if (low > max_c)
            return walras_fail(err, WALRAS_INVALID,
                               "step %zu: needs at most %.6g °C, can get down to %.6g °C", t, max_c,
                               low);
        low = storage_max(low, min_c);
        high = storage_min(high, max_c);
    }
    return walras_fail(err, WALRAS_INVALID, "step %zu: misses its band by rounding", n_step - 1);
}

/*
 * The room as a store: a cooler's state is minus its temperature, so that running raises the state.
 * Values per K are in thousandths of the currency.
 */
static void describe(const struct room *room, const struct agent_workspace *workspace,
                     size_t n_step, struct smooth_step *step)
{
    const struct agent_thermal *thermal = room->thermal;
    bool cool = thermal->cool;
    double sign = cool ? -1.0 : 1.0, comfort = walras_kw_from_mw(room->comfort_per_k);

    for (size_t t = 0; t < n_step; t++) {
        double min_c = walras_series_at(thermal->min_c, t);
        double max_c = walras_series_at(thermal->max_c, t);
        double low_c = room->soft ? workspace->reach_low[t] : min_c;
        double high_c = room->soft ? workspace->reach_high[t] : max_c;

        step[t] = (struct smooth_step){
            .in_per_kw = k_per_kw(room, t),
            .drift = sign * drift_k(room, t),
            .low = cool ? -high_c : low_c,
            .high = cool ? -low_c : high_c,
            .bend_low = cool ? -max_c : min_c,
            .bend_below = comfort,
            .bend_high = cool ? -min_c : max_c,
            .bend_above = comfort,
            .target = sign * agent_thermal_target_c(thermal, t),
        };
    }
}

/* The room without a question. */
static struct smooth smooth_of(const struct room *room, size_t n_step,
                               struct agent_workspace *workspace)
{
    const struct agent_thermal *thermal = room->thermal;
    double largest_c = fabs(thermal->start_c);

    for (size_t t = 0; t < n_step; t++) {
        largest_c = storage_max(largest_c, fabs(walras_series_at(thermal->min_c, t)));
        largest_c = storage_max(largest_c, fabs(walras_series_at(thermal->max_c, t)));
    }
    if (room->soft)
        reach(room, n_step, workspace->reach_low, workspace->reach_high);
    describe(room, workspace, n_step, workspace->room.step);
    return (struct smooth){
        .end = n_step,
        .step_h = room->step_h,
        .keep = room->keep,
        .charge_kw = thermal->max_kw,
        .start = thermal->cool ? -thermal->start_c : thermal->start_c,
        .slack = slack_k(-largest_c, largest_c),
        .is_reach = room->soft,
        .stiff = 2.0 * walras_kw_from_mw(thermal->discomfort_per_k2h) * room->step_h,
        .step = workspace->room.step,
    };
}

static bool solve_smooth(const struct room *room, const struct agent_question *question,
                         struct agent_workspace *workspace)
{
    workspace->smooth = smooth_of(room, question->horizon->n_step, workspace);
    workspace->smooth.rho = question->rho_per_mwh_per_kw;
    workspace->smooth.price_per_mwh = question->price_per_mwh;
    workspace->smooth.centre_kw = question->centre_kw;
    return smooth_solve(&workspace->smooth, &workspace->room);
}

/* The draw that has been found, and K of violation and K² from the target over all steps. */
static void read_answer(const struct room *room, size_t n_step, const struct smooth_room *answer,
                        double *draw_kw, double *discomfort_k, double *square_k2)
{
    const struct agent_thermal *thermal = room->thermal;

    *discomfort_k = *square_k2 = 0.0;
    for (size_t t = 0; t < n_step; t++) {
        double state_c = thermal->cool ? -answer->state[t] : answer->state[t];
        double off_k = state_c - agent_thermal_target_c(thermal, t);

        draw_kw[t] = answer->charge_kw[t];
        *square_k2 += off_k * off_k;
        *discomfort_k += storage_max(walras_series_at(thermal->min_c, t) - state_c, 0.0) +
                         storage_max(state_c - walras_series_at(thermal->max_c, t), 0.0);
    }
}

enum walras_status agent_solve_thermal(const struct agent_thermal *thermal,
                                       const struct agent_question *question,
                                       struct agent_workspace *workspace, double *draw_kw,
                                       double *cost, struct walras_err *err)
{
    size_t n_step = question->horizon->n_step;
    const struct room room = room_of(thermal, question->horizon->step_h);
    double discomfort_k = 0.0, square_k2 = 0.0;
    bool smooth =
        thermal->discomfort_per_k2h > AGENT_NO_SQUARE || question->rho_per_mwh_per_kw > 0.0;

    if (room.soft && !smooth)
        reach(&room, n_step, workspace->reach_low, workspace->reach_high);
    if (smooth ? !solve_smooth(&room, question, workspace)
               : !backward(&room, n_step, question->price_per_mwh, workspace))
        return why_not(&room, n_step, err);
    if (smooth)
        read_answer(&room, n_step, &workspace->room, draw_kw, &discomfort_k, &square_k2);
    else
        forward(&room, n_step, workspace->policy, draw_kw, &discomfort_k);
    *cost = (room.soft ? room.comfort_per_k * discomfort_k : 0.0) +
            thermal->discomfort_per_k2h * room.step_h * square_k2;
    return WALRAS_OK;
}

struct smooth agent_describe_thermal(const struct agent_thermal *thermal,
                                     const struct agent_horizon *horizon,
                                     struct agent_workspace *workspace)
{
    const struct room room = room_of(thermal, horizon->step_h);

    return smooth_of(&room, horizon->n_step, workspace);
}
