/*
 * Audit of storage. A draw p leaves open how much was charged and discharged at once: c = p⁺ + b,
 * d = p⁻ + b with any b that the limits leave room for; b only wastes energy (docs/devices.md,
 * eq. 24-27). So the states that a draw can lead to are an interval, and the least wear wastes only
 * what would overflow.
 */
#include "agents/audit_tank.h"
#include "core/units.h"

#include <math.h>
#include <stdlib.h>

/* The interval of states at the end of each step. True when the highest state had to be cut. */
static bool walk(const struct audit_case *audit, const struct audit_tank *tank, double *end_kwh)
{
    double low = tank->start_kwh, high = tank->start_kwh, most, least;
    bool overflows = false;

    for (size_t t = tank->first; t < tank->end; t++) {
        bool last = t + 1 == tank->end;
        double need = last ? tank->end_low_kwh : tank->low_kwh;

        audit_breach(audit, audit->draw_kw[t] - tank->charge_kw, t, "charge limit");
        audit_breach(audit, -audit->draw_kw[t] - tank->discharge_kw, t, "discharge limit");
        audit_change(tank, audit->draw_kw[t], &most, &least);
        low = tank->keep * low + least;
        high = tank->keep * high + most;
        audit_breach(audit, need - high, t, last ? tank->end_name : "state of charge");
        audit_breach(audit, low - tank->high_kwh, t, "capacity");
        low = fmin(fmax(low, need), high);
        overflows = overflows || high > audit_spill_kwh(tank);
        high = fmax(fmin(high, tank->high_kwh), low);
    }
    *end_kwh = high;
    return overflows;
}

/*
 * The least Σ b: never below the highest state from which the rest of the draws does not overflow,
 * nor below what waste can reach (leakage may have blown up the rounding of the former). *end_kwh
 * is the state that this leaves at the end.
 */
static enum walras_status least_waste(const struct audit_case *audit, const struct audit_tank *tank,
                                      double *waste_kw, double *end_kwh, struct walras_err *err)
{
    double lost_per_kw = tank->out_kwh_per_kw - tank->in_kwh_per_kw, most, least;
    double low = tank->start_kwh;
    size_t n = tank->end - tank->first;
    double *ceiling = malloc(n * sizeof(*ceiling));

    if (!ceiling)
        return walras_fail(err, WALRAS_NOMEM, "cannot audit %zu steps", n);
    ceiling[n - 1] = audit_spill_kwh(tank);
    for (size_t i = n - 1; i > 0; i--) {
        audit_change(tank, audit->draw_kw[tank->first + i], &most, &least);
        ceiling[i - 1] = fmin(audit_spill_kwh(tank), (ceiling[i] - least) / tank->keep);
    }
    *end_kwh = tank->start_kwh;
    for (size_t i = 0; i < n; i++) {
        audit_change(tank, audit->draw_kw[tank->first + i], &most, &least);
        *end_kwh = tank->keep * *end_kwh + most;
        low = fmin(fmax(tank->keep * low + least, tank->low_kwh), *end_kwh);

        double allowed_kwh = fmax(ceiling[i], low);

        if (*end_kwh > allowed_kwh)
            *waste_kw += (*end_kwh - allowed_kwh) / lost_per_kw;
        *end_kwh = fmin(*end_kwh, allowed_kwh);
    }
    free(ceiling);
    return WALRAS_OK;
}

static enum walras_status judge_tank(const struct audit_case *audit, const struct audit_tank *tank,
                                     double *end_kwh, struct walras_err *err)
{
    double throughput_kw = 0.0, waste_kw = 0.0, square_mw2 = 0.0;
    enum walras_status status = WALRAS_OK;
    bool overflows = walk(audit, tank, end_kwh);

    if (overflows && tank->may_waste && tank->wear_per_mw2h > 0.0)
        return audit_smooth_waste(audit, tank, end_kwh, err);
    if (overflows && tank->may_waste)
        status = least_waste(audit, tank, &waste_kw, end_kwh, err);
    for (size_t t = tank->first; t < tank->end; t++) {
        double mw = walras_mw_from_kw(audit->draw_kw[t]);

        throughput_kw += fabs(audit->draw_kw[t]);
        square_mw2 += mw * mw;
    }
    audit->verdict->cost +=
        walras_mwh(throughput_kw + 2.0 * waste_kw, audit->horizon->step_h) * tank->wear_per_mwh +
        square_mw2 * audit->horizon->step_h * tank->wear_per_mw2h;
    return status;
}

enum walras_status audit_battery(const struct audit_case *audit,
                                 const struct agent_battery *battery, struct walras_err *err)
{
    double step_h = audit->horizon->step_h, end_kwh;
    const struct audit_tank tank = {
        .end = audit->horizon->n_step,
        .keep = pow(1.0 - battery->loss_per_hour, step_h),
        .in_kwh_per_kw = step_h * battery->charge_efficiency,
        .out_kwh_per_kw = step_h / battery->discharge_efficiency,
        .charge_kw = battery->charge_kw,
        .discharge_kw = battery->discharge_kw,
        .may_waste =
            !battery->exclusive &&
            battery->charge_efficiency * battery->discharge_efficiency < 1.0 - AUDIT_LOST_MIN,
        .start_kwh = battery->start_kwh,
        .low_kwh = battery->min_kwh,
        .high_kwh = battery->capacity_kwh,
        .end_low_kwh = fmax(battery->min_kwh, battery->end_min_kwh),
        .wear_per_mwh = battery->wear_per_mwh,
        .wear_per_mw2h = battery->wear_per_mw2h,
        .end_name = "state of charge at the end",
    };

    return judge_tank(audit, &tank, &end_kwh, err);
}

enum walras_status audit_ev(const struct audit_case *audit, const struct agent_ev *ev,
                            struct walras_err *err)
{
    double step_h = audit->horizon->step_h, end_kwh;
    double wanted_kwh = ev->start_kwh + ev->energy_kwh;
    bool soft = !isnan(ev->unserved_price_per_mwh);
    const struct audit_tank tank = {
        .first = ev->arrive,
        .end = ev->depart,
        .keep = 1.0,
        .in_kwh_per_kw = step_h * ev->efficiency,
        .out_kwh_per_kw = step_h / ev->efficiency,
        .charge_kw = ev->charge_kw,
        .discharge_kw = ev->discharge_kw,
        .may_waste = ev->efficiency * ev->efficiency < 1.0 - AUDIT_LOST_MIN,
        .start_kwh = ev->start_kwh,
        .high_kwh = ev->capacity_kwh,
        .end_low_kwh = soft ? 0.0 : wanted_kwh,
        .wear_per_mwh = ev->wear_per_mwh,
        .wear_per_mw2h = ev->wear_per_mw2h,
        .end_name = "energy by departure",
    };
    enum walras_status status = judge_tank(audit, &tank, &end_kwh, err);

    for (size_t t = 0; t < audit->horizon->n_step; t++) {
        if (t < ev->arrive || t >= ev->depart)
            audit_breach(audit, fabs(audit->draw_kw[t]), t, "no draw while away");
    }
    if (soft)
        audit->verdict->cost +=
            walras_mwh(fmax(wanted_kwh - end_kwh, 0.0), 1.0) * ev->unserved_price_per_mwh;
    return status;
}

void audit_thermal(const struct audit_case *audit, const struct agent_thermal *thermal)
{
    double step_h = audit->horizon->step_h, state_c = thermal->start_c;
    double u = thermal->conductance_kw_per_k, c = thermal->capacity_kwh_per_k;
    double lost = -expm1(-u * step_h / c), k_per_kw = u > 0.0 ? lost / u : step_h / c;
    bool soft = !isnan(thermal->comfort_price_per_kh);

    for (size_t t = 0; t < audit->horizon->n_step; t++) {
        double heat_kw = walras_series_at(thermal->cop, t) * audit->draw_kw[t];

        audit_breach(audit, audit->draw_kw[t] - thermal->max_kw, t, "largest draw");
        audit_breach(audit, -audit->draw_kw[t], t, "no injection");
        heat_kw = walras_series_at(thermal->gain_kw, t) + (thermal->cool ? -heat_kw : heat_kw);
        state_c += lost * (walras_series_at(thermal->outdoor_c, t) - state_c) + k_per_kw * heat_kw;

        double cold_k = walras_series_at(thermal->min_c, t) - state_c;
        double warm_k = state_c - walras_series_at(thermal->max_c, t);
        double off_k = state_c - agent_thermal_target_c(thermal, t);

        audit->verdict->cost += thermal->discomfort_per_k2h * step_h * off_k * off_k;

        if (soft) {
            audit->verdict->cost +=
                thermal->comfort_price_per_kh * step_h * (fmax(cold_k, 0.0) + fmax(warm_k, 0.0));
        } else {
            audit_breach(audit, cold_k, t, "lowest temperature");
            audit_breach(audit, warm_k, t, "highest temperature");
        }
    }
}
