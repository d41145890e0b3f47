/*
 * The least quadratic wear of a draw that overflows. Waste b has the convex cost
 * wear (|p| + 2b) + wear2 ((|p| + b)² + b²) a step, and must keep the state within bounds that are
 * nested sums of it. Divide and conquer (docs/devices.md, eq. 41-42): without the bounds inside a
 * stretch, the waste that ends where it must is found by one number; the bound that this breaks
 * most is met exactly by the best waste, which parts the stretch in two.
 */
#include "agents/audit_tank.h"
#include "core/units.h"

#include <stdlib.h>

struct spill {
    const struct audit_tank *tank;
    const double *draw_kw;
    double *waste_kw;    /* [end] */
    double *ceiling_kwh; /* [end] of the state at the end of a step */
    double lost_per_kw;
};

static double end_low_kwh(const struct audit_tank *tank, size_t t)
{
    return t + 1 == tank->end ? tank->end_low_kwh : tank->low_kwh;
}

/* The best waste of a step when one kWh less at its end is worth `worth_per_mwh`. */
static double best_waste(const struct spill *spill, size_t t, double worth_per_mwh)
{
    const struct audit_tank *tank = spill->tank;
    double p = fabs(spill->draw_kw[t]), wear2 = walras_mw_from_kw(tank->wear_per_mw2h), most, least;
    double lost_per_kwh = spill->lost_per_kw, gain;

    audit_change(tank, spill->draw_kw[t], &most, &least);
    gain = worth_per_mwh * lost_per_kwh - 2.0 * (tank->wear_per_mwh + wear2 * p);
    return fmin(fmax(gain / (4.0 * wear2), 0.0), (most - least) / lost_per_kwh);
}

/* Walks [first, end) from `state`, one kWh less at the very end being worth `worth`. */
static double walk(const struct spill *spill, size_t first, size_t end, double state, double worth,
                   double step_h)
{
    double most, least;

    for (size_t t = end; t-- > first; worth *= spill->tank->keep)
        spill->waste_kw[t] = best_waste(spill, t, worth / step_h);
    for (size_t t = first; t < end; t++) {
        audit_change(spill->tank, spill->draw_kw[t], &most, &least);
        state = spill->tank->keep * state + most - spill->lost_per_kw * spill->waste_kw[t];
    }
    return state;
}

/* What the rounding of draws may add to a state. */
static double rounding_kwh(const struct spill *spill)
{
    const struct audit_tank *tank = spill->tank;

    return AUDIT_ROUNDING * (1.0 + tank->high_kwh) + 1e-15 * spill->lost_per_kw * tank->charge_kw;
}

/*
 * Mixes the waste at worth `low` into what is there, that at `high`: where wear is all but linear,
 * neighbouring numbers make wastes that are far apart.
 */
static void mix(const struct spill *spill, size_t first, size_t end, double low, double high_share,
                double step_h)
{
    for (size_t t = end; t-- > first; low *= spill->tank->keep) {
        double waste_kw = best_waste(spill, t, low / step_h);

        spill->waste_kw[t] = waste_kw + high_share * (spill->waste_kw[t] - waste_kw);
    }
}

/*
 * Writes the waste that ends the stretch at `goal`, or as near as can be: what rounding alone keeps
 * from it is not worth wasting in steps that hardly bear on it.
 */
static void aim(const struct spill *spill, size_t first, size_t end, double state, double goal,
                double step_h)
{
    static const double anything = 1e150;
    double low = 0.0, high = 1.0, least = walk(spill, first, end, state, anything, step_h);

    if (least > goal)
        goal = least + rounding_kwh(spill);
    while (high < anything && walk(spill, first, end, state, high, step_h) > goal)
        high *= 4.0;
    for (double middle = 0.5 * high; middle > low && middle < high; middle = 0.5 * (low + high)) {
        if (walk(spill, first, end, state, middle, step_h) > goal)
            low = middle;
        else
            high = middle;
    }

    double over = walk(spill, first, end, state, low, step_h) - goal;
    double under = goal - walk(spill, first, end, state, high, step_h);

    if (over > 0.0 && under > 0.0)
        mix(spill, first, end, low, over / (over + under), step_h);
}

/* The step inside the stretch whose end breaks its bounds most; `end`: none does. */
static size_t worst(const struct spill *spill, size_t first, size_t end, double state, bool is_free,
                    double *bound)
{
    const struct audit_tank *tank = spill->tank;
    double largest = 0.0, most, least;
    size_t found = end;

    for (size_t t = first; t + (is_free ? 0 : 1) < end; t++) {
        audit_change(tank, spill->draw_kw[t], &most, &least);
        state = tank->keep * state + most - spill->lost_per_kw * spill->waste_kw[t];

        double low = end_low_kwh(tank, t), high = spill->ceiling_kwh[t],
               over = fmax(state - high, low - state);

        largest *= tank->keep; /* what is kept of it until here is what counts */
        if (over > rounding_kwh(spill) && over > largest) {
            largest = over;
            found = t;
            *bound = state > high ? high : low;
        }
    }
    return found;
}

/*
 * Where overflow begins to count: draws are rounded, so that the lowest state they lead to may be
 * beyond it. To make up for that before would take what hardly bears on it far below its bounds.
 */
static void find_ceilings(const struct spill *spill)
{
    const struct audit_tank *tank = spill->tank;
    double low = tank->start_kwh, most, least;

    for (size_t t = tank->first; t < tank->end; t++) {
        audit_change(tank, spill->draw_kw[t], &most, &least);
        low = fmax(tank->keep * low + least, end_low_kwh(tank, t));
        spill->ceiling_kwh[t] = audit_spill_kwh(tank);
        if (low > spill->ceiling_kwh[t])
            spill->ceiling_kwh[t] = low + rounding_kwh(spill);
    }
}

static void spread(const struct spill *spill, size_t first, size_t end, double state, bool is_free,
                   double goal, double step_h)
{
    while (first < end) {
        double bound = goal;
        size_t at;

        if (is_free)
            walk(spill, first, end, state, 0.0, step_h);
        else
            aim(spill, first, end, state, goal, step_h);
        at = worst(spill, first, end, state, is_free, &bound);
        if (at == end)
            return;
        spread(spill, first, at + 1, state, false, bound, step_h);
        first = at + 1;
        state = bound;
    }
}

enum walras_status audit_smooth_waste(const struct audit_case *audit, const struct audit_tank *tank,
                                      double *end_kwh, struct walras_err *err)
{
    double step_h = audit->horizon->step_h, most, least;
    double *memory = calloc(2 * tank->end, sizeof(*memory));
    struct spill spill = {.tank = tank,
                          .draw_kw = audit->draw_kw,
                          .waste_kw = memory,
                          .lost_per_kw = tank->out_kwh_per_kw - tank->in_kwh_per_kw};

    if (!memory)
        return walras_fail(err, WALRAS_NOMEM, "cannot audit %zu steps", tank->end);
    spill.ceiling_kwh = memory + tank->end;
    find_ceilings(&spill);
    spread(&spill, tank->first, tank->end, tank->start_kwh, true, 0.0, step_h);
    *end_kwh = tank->start_kwh;
    for (size_t t = tank->first; t < tank->end; t++) {
        double waste_kw = spill.waste_kw[t], p_kw = fabs(audit->draw_kw[t]);
        double more_mw = walras_mw_from_kw(p_kw + waste_kw), less_mw = walras_mw_from_kw(waste_kw);

        audit_change(tank, audit->draw_kw[t], &most, &least);
        *end_kwh = tank->keep * *end_kwh + most - spill.lost_per_kw * waste_kw;
        audit->verdict->cost +=
            walras_mwh(p_kw + 2.0 * waste_kw, step_h) * tank->wear_per_mwh +
            (more_mw * more_mw + less_mw * less_mw) * step_h * tank->wear_per_mw2h;
    }
    free(memory);
    return WALRAS_OK;
}
