/*
 * A store as its audit sees it (docs/devices.md, eq. 24-27): private to the audit of storage.
 */
#ifndef WALRAS_AGENTS_AUDIT_TANK_H
#define WALRAS_AGENTS_AUDIT_TANK_H

#include "agents/audit_internal.h"

#include <math.h>

/*
 * Overflow by less than this share of 1 kWh and the capacity is rounding; wasting it would cost
 * wear when charging and discharging loses next to nothing. And when it loses less than
 * AUDIT_LOST_MIN of what goes round, it cannot waste anything.
 */
#define AUDIT_ROUNDING 1e-13
#define AUDIT_LOST_MIN 1e-9

struct audit_tank {
    size_t first, end; /* steps */
    double keep, in_kwh_per_kw, out_kwh_per_kw;
    double charge_kw, discharge_kw;
    bool may_waste; /* charge and discharge at once */
    double start_kwh, low_kwh, high_kwh, end_low_kwh;
    double wear_per_mwh, wear_per_mw2h;
    const char *end_name;
};

/* Where overflow begins to count. */
static inline double audit_spill_kwh(const struct audit_tank *tank)
{
    return tank->high_kwh + AUDIT_ROUNDING * (1.0 + tank->high_kwh);
}

/* Change of state of a draw: the most it can be, and the least, with as much waste as possible. */
static inline void audit_change(const struct audit_tank *tank, double draw_kw, double *most_kwh,
                                double *least_kwh)
{
    double charge_kw = fmax(draw_kw, 0.0), discharge_kw = fmax(-draw_kw, 0.0);
    double room_kw =
        fmax(fmin(tank->charge_kw - charge_kw, tank->discharge_kw - discharge_kw), 0.0);
    double lost_per_kw = tank->out_kwh_per_kw - tank->in_kwh_per_kw;

    *most_kwh = tank->in_kwh_per_kw * charge_kw - tank->out_kwh_per_kw * discharge_kw;
    *least_kwh = *most_kwh - (tank->may_waste ? room_kw * lost_per_kw : 0.0);
}

/*
 * Adds the least wear of draws that overflow, when wear is quadratic, to the verdict. *end_kwh is
 * the state that this leaves at the end.
 */
enum walras_status audit_smooth_waste(const struct audit_case *audit, const struct audit_tank *tank,
                                      double *end_kwh, struct walras_err *err);

#endif
