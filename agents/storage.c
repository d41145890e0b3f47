/* Batteries and electric vehicles (docs/devices.md, eq. 1-12; with quadratic costs 29-35). */
#include "agents/smooth.h"
#include "agents/solve_internal.h"
#include "agents/storage_list.h"
#include "core/units.h"

#include <math.h>
#include <string.h>

/*
 * A store that exists in steps [first, end). Energy in kWh; values in thousandths of the currency,
 * so that a price per MWh is a slope per kWh as it stands.
 */
struct store {
    size_t first, end;
    double keep;                          /* share of the energy left after one step */
    double charge_kw, discharge_kw;       /* limits at the terminals */
    double in_kwh, out_kwh;               /* as changes of state in one step, as far as of use */
    double in_kwh_per_kw, out_kwh_per_kw; /* change of state per kW in one step */
    double wear_per_mwh, wear_per_mw2h;
    double start_kwh, low_kwh, high_kwh;
    double end_kwh;             /* wanted at the end */
    double end_low_kwh;         /* needed at the end */
    double end_short_per_mwh;   /* price of what is missing to end_kwh */
    double in_share, out_share; /* slope per kWh stored, per price: 1/η_c and η_d */
    const char *deadline;       /* what the end is called in messages */
};

struct store_plan {
    double throughput_kw; /* Σ charge + discharge */
    double square_kw2;    /* Σ charge² + discharge², when their wear is quadratic */
    double end_kwh;
    bool both;
};

static struct storage_list final_value(const struct store *store, struct storage_piece *piece)
{
    double low = storage_min(store->end_low_kwh, store->high_kwh);
    double bend = storage_min(storage_max(store->end_kwh, low), store->high_kwh);
    struct storage_list list = storage_list_at(piece, store->end - store->first, low);

    storage_append(&list, -store->end_short_per_mwh, bend - low);
    storage_append(&list, 0.0, store->high_kwh - bend);
    return list;
}

/* Charging and discharging at once pays when the price is negative enough: eq. 8. */
static inline bool burns(const struct store *store, double price_per_mwh)
{
    return (price_per_mwh - store->wear_per_mwh) * store->out_share >
           (price_per_mwh + store->wear_per_mwh) * store->in_share;
}

/* Writes the thresholds of every step; false when some step has no state to go to. */
static bool backward(const struct store *store, const double *price_per_mwh,
                     struct storage_piece *piece, struct storage_policy *policy, double slack)
{
    struct storage_list list = final_value(store, piece);
    const double wear = store->wear_per_mwh, keep = store->keep;
    const double in_kwh = store->in_kwh, out_kwh = store->out_kwh;

    if (store->end_low_kwh > store->high_kwh + slack)
        return false;
    for (size_t t = store->end; t-- > store->first;) {
        double scale = list.scale, unscale = list.unscale;
        struct storage_move in = {-(price_per_mwh[t] + wear) * store->in_share * unscale,
                                  in_kwh * scale};
        struct storage_move out = {-(price_per_mwh[t] - wear) * store->out_share * unscale,
                                   out_kwh * scale};
        bool swapped = in.slope > out.slope;
        struct storage_move low = swapped ? out : in, high = swapped ? in : out;

        storage_seek(&list, low.slope, high.slope);
        policy[t] = (struct storage_policy){list.x_low * unscale, list.x_high * unscale};
        storage_widen(&list, low, high, in.length, out.length);
        if (t == store->first)
            break;
        storage_leak(&list, keep);
        if (!storage_cut(&list, store->low_kwh * list.scale, store->high_kwh * list.scale,
                         storage_slack(&list, slack, keep)))
            return false;
    }
    return storage_cut(&list, keep * store->start_kwh * list.scale,
                       keep * store->start_kwh * list.scale, slack * list.scale);
}

static struct store_plan forward(const struct store *store, const double *price_per_mwh,
                                 const struct storage_policy *policy, double *draw_kw)
{
    const double in_kwh = store->in_kwh, out_kwh = store->out_kwh;
    const double in_kw = 1.0 / store->in_kwh_per_kw, out_kw = 1.0 / store->out_kwh_per_kw;
    struct store_plan plan = {.end_kwh = store->start_kwh};

    for (size_t t = store->first; t < store->end; t++) {
        double rest = store->keep * plan.end_kwh, charge, discharge;

        if (burns(store,
                  price_per_mwh[t])) { /* discharge in full, then charge, then less of both */
            double in = storage_clamp(policy[t].high - (rest - out_kwh), 0.0, in_kwh);
            double saved = storage_clamp(policy[t].low - (rest - out_kwh + in_kwh), 0.0, out_kwh);

            charge = storage_min(in * in_kw, store->charge_kw);
            discharge = storage_min((out_kwh - saved) * out_kw, store->discharge_kw);
            plan.both = plan.both || (charge > 0.0 && discharge > 0.0);
            plan.end_kwh = rest + in - (out_kwh - saved);
        } else {
            double wish = storage_clamp(rest, policy[t].low, policy[t].high);
            double next = storage_clamp(wish, rest - out_kwh, rest + in_kwh);
            double change = next - rest;

            charge = storage_min(storage_max(change, 0.0) * in_kw, store->charge_kw);
            discharge = storage_min(storage_max(-change, 0.0) * out_kw, store->discharge_kw);
            plan.end_kwh = next;
        }
        draw_kw[t] = charge - discharge;
        plan.throughput_kw += charge + discharge;
    }
    return plan;
}

/*
 * The first step whose end cannot be reached with enough energy, charging in full all the way. (Too
 * much energy cannot be a reason: idling never raises the state.)
 */
static enum walras_status why_not(const struct store *store, struct walras_err *err)
{
    double reach_kwh = store->start_kwh;

    for (size_t t = store->first; t < store->end; t++) {
        bool last = t + 1 == store->end;
        double need_kwh = last ? store->end_low_kwh : store->low_kwh;

        reach_kwh = storage_min(store->keep * reach_kwh + store->in_kwh, store->high_kwh);
        if (reach_kwh < need_kwh)
            return walras_fail(err, WALRAS_INVALID,
                               "step %zu: needs %.6g kWh%s, can reach %.6g kWh", t, need_kwh,
                               last ? store->deadline : "", reach_kwh);
    }
    return walras_fail(err, WALRAS_INVALID, "step %zu: needs %.6g kWh%s, misses it by rounding",
                       store->end - 1, store->end_low_kwh, store->deadline);
}

/*
 * No change of state is larger than the capacity; so more than that beyond the other way is never
 * used, also when burning. Lengths that dwarf the capacity would swamp its digits.
 */
static void limit_moves(struct store *store)
{
    double in_kwh = store->charge_kw * store->in_kwh_per_kw;
    double out_kwh = store->discharge_kw * store->out_kwh_per_kw;

    store->in_kwh = storage_min(in_kwh, out_kwh + store->high_kwh);
    store->out_kwh = storage_min(out_kwh, in_kwh + store->high_kwh);
}

/* Every step's bounds; the last one's wish is a bend. */
static void describe(const struct store *store, struct smooth_step *step)
{
    const struct smooth_step usual = {
        .in_per_kw = store->in_kwh_per_kw,
        .low = store->low_kwh,
        .high = store->high_kwh,
    };
    struct smooth_step *last = &step[store->end - 1];

    for (size_t t = store->first; t < store->end; t++)
        step[t] = usual;
    last->low = store->end_low_kwh;
    last->bend_low = store->end_kwh;
    last->bend_below = store->end_short_per_mwh;
}

/* The store without a question. */
static struct smooth smooth_of(const struct store *store, double step_h, double slack_kwh,
                               struct smooth_room *room)
{
    describe(store, room->step);
    return (struct smooth){
        .first = store->first,
        .end = store->end,
        .step_h = step_h,
        .keep = store->keep,
        .out_per_kw = store->out_kwh_per_kw,
        .charge_kw = store->charge_kw,
        .discharge_kw = store->discharge_kw,
        .wear_per_mwh = store->wear_per_mwh,
        .curve = store->wear_per_mw2h > AGENT_NO_SQUARE
                     ? 2.0 * walras_mw_from_kw(store->wear_per_mw2h)
                     : 0.0,
        .start = store->start_kwh,
        .slack = slack_kwh,
        .step = room->step,
    };
}

static bool solve_smooth(const struct store *store, const struct agent_question *question,
                         double slack_kwh, struct agent_workspace *workspace, double *draw_kw,
                         struct store_plan *plan)
{
    struct smooth_room *room = &workspace->room;

    workspace->smooth = smooth_of(store, question->horizon->step_h, slack_kwh, room);
    workspace->smooth.rho = question->rho_per_mwh_per_kw;
    workspace->smooth.price_per_mwh = question->price_per_mwh;
    workspace->smooth.centre_kw = question->centre_kw;
    if (!smooth_solve(&workspace->smooth, room))
        return false;
    *plan = (struct store_plan){.end_kwh = room->state[store->end - 1]};
    for (size_t t = store->first; t < store->end; t++) {
        double charge = room->charge_kw[t], discharge = room->discharge_kw[t];

        draw_kw[t] = charge - discharge;
        plan->throughput_kw += charge + discharge;
        plan->square_kw2 += charge * charge + discharge * discharge;
        plan->both = plan->both || (charge > 0.0 && discharge > 0.0);
    }
    return true;
}

/* What decimal input may miss by rounding; far inside the 1e-9 that answers are held to. */
static double slack_kwh_of(const struct store *store)
{
    return 1e-11 * (1.0 + store->high_kwh);
}

static enum walras_status solve(struct store *store, const struct agent_question *question,
                                struct agent_workspace *workspace, double *draw_kw,
                                struct store_plan *plan, struct walras_err *err)
{
    double slack_kwh = slack_kwh_of(store);

    limit_moves(store);
    if (store->wear_per_mw2h > AGENT_NO_SQUARE || question->rho_per_mwh_per_kw > 0.0)
        return solve_smooth(store, question, slack_kwh, workspace, draw_kw, plan)
                   ? WALRAS_OK
                   : why_not(store, err);
    if (!backward(store, question->price_per_mwh, workspace->piece, workspace->policy, slack_kwh))
        return why_not(store, err);
    *plan = forward(store, question->price_per_mwh, workspace->policy, draw_kw);
    return WALRAS_OK;
}

static double wear(const struct store *store, const struct store_plan *plan, double step_h)
{
    double square_mw2 = walras_mw_from_kw(walras_mw_from_kw(plan->square_kw2));

    return walras_mwh(plan->throughput_kw, step_h) * store->wear_per_mwh +
           square_mw2 * step_h * store->wear_per_mw2h;
}

static struct store store_of_battery(const struct agent_battery *battery,
                                     const struct agent_horizon *horizon)
{
    double end_low_kwh = storage_max(battery->min_kwh, battery->end_min_kwh);
    return (struct store){
        .end = horizon->n_step,
        .keep = battery->loss_per_hour == 0.0 ? 1.0
                                              : pow(1.0 - battery->loss_per_hour, horizon->step_h),
        .charge_kw = battery->charge_kw,
        .discharge_kw = battery->discharge_kw,
        .in_kwh_per_kw = horizon->step_h * battery->charge_efficiency,
        .out_kwh_per_kw = horizon->step_h / battery->discharge_efficiency,
        .wear_per_mwh = battery->wear_per_mwh,
        .wear_per_mw2h = battery->wear_per_mw2h,
        .start_kwh = battery->start_kwh,
        .low_kwh = battery->min_kwh,
        .high_kwh = battery->capacity_kwh,
        .end_kwh = end_low_kwh,
        .end_low_kwh = end_low_kwh,
        .in_share = 1.0 / battery->charge_efficiency,
        .out_share = battery->discharge_efficiency,
        .deadline = " at the end",
    };
}

enum walras_status agent_solve_battery(const struct agent_battery *battery,
                                       const struct agent_question *question,
                                       struct agent_workspace *workspace, double *draw_kw,
                                       double *cost, bool *both, struct walras_err *err)
{
    const struct agent_horizon *horizon = question->horizon;
    struct store store = store_of_battery(battery, horizon);
    struct store_plan plan = {0};
    enum walras_status status = solve(&store, question, workspace, draw_kw, &plan, err);

    if (status != WALRAS_OK)
        return status;
    *cost = wear(&store, &plan, horizon->step_h);
    *both = plan.both;
    return WALRAS_OK;
}

static struct store store_of_ev(const struct agent_ev *ev, const struct agent_horizon *horizon)
{
    bool soft = !isnan(ev->unserved_price_per_mwh);
    double wanted_kwh = ev->start_kwh + ev->energy_kwh;
    return (struct store){
        .first = ev->arrive,
        .end = ev->depart,
        .keep = 1.0,
        .charge_kw = ev->charge_kw,
        .discharge_kw = ev->discharge_kw,
        .in_kwh_per_kw = horizon->step_h * ev->efficiency,
        .out_kwh_per_kw = horizon->step_h / ev->efficiency,
        .wear_per_mwh = ev->wear_per_mwh,
        .wear_per_mw2h = ev->wear_per_mw2h,
        .start_kwh = ev->start_kwh,
        .high_kwh = ev->capacity_kwh,
        .end_kwh = wanted_kwh,
        .end_low_kwh = soft ? 0.0 : wanted_kwh,
        .end_short_per_mwh = soft ? ev->unserved_price_per_mwh : 0.0,
        .in_share = 1.0 / ev->efficiency,
        .out_share = ev->efficiency,
        .deadline = " by departure",
    };
}

enum walras_status agent_solve_ev(const struct agent_ev *ev, const struct agent_question *question,
                                  struct agent_workspace *workspace, double *draw_kw, double *cost,
                                  struct walras_err *err)
{
    const struct agent_horizon *horizon = question->horizon;
    struct store store = store_of_ev(ev, horizon);
    struct store_plan plan = {0};
    enum walras_status status = solve(&store, question, workspace, draw_kw, &plan, err);

    if (status != WALRAS_OK)
        return status;
    memset(draw_kw, 0, store.first * sizeof(*draw_kw));
    memset(draw_kw + store.end, 0, (horizon->n_step - store.end) * sizeof(*draw_kw));

    double unserved_kwh = storage_max(store.end_kwh - plan.end_kwh, 0.0);

    *cost = wear(&store, &plan, horizon->step_h) +
            walras_mwh(unserved_kwh, 1.0) * store.end_short_per_mwh;
    return WALRAS_OK;
}

struct smooth agent_describe_battery(const struct agent_battery *battery,
                                     const struct agent_horizon *horizon,
                                     struct agent_workspace *workspace)
{
    struct store store = store_of_battery(battery, horizon);

    return smooth_of(&store, horizon->step_h, slack_kwh_of(&store), &workspace->room);
}

struct smooth agent_describe_ev(const struct agent_ev *ev, const struct agent_horizon *horizon,
                                struct agent_workspace *workspace)
{
    struct store store = store_of_ev(ev, horizon);

    return smooth_of(&store, horizon->step_h, slack_kwh_of(&store), &workspace->room);
}
