/*
 * The certificate: what a result is worth, computed from the answer alone.
 *
 * Shares nothing with the method that found the answer. From the awards it sums the balance, finds
 * every line's flow by star-mesh elimination (scenario/angles.h, no sensitivities), or in the model
 * lindistflow flows and voltages by taking leaves off (scenario/feeder.h), audits every device
 * (agents/audit.h) and adds the cost of the plan again. From the prices it computes the dual bound
 * again: with λ_t the energy price, μ ≥ 0 the shadow prices (d = ±1 the side of the limit L) and s
 * the sensitivities
 *
 *     p_bt   = λ_t − Σ_l s_lb · Σ d·μ_lt                                        (price of a bus)
 *     bound  = Σ_i min_x [cost_i(x) + Δ/1000 · Σ_t p_bt · x_t]                  (devices)
 *            + Δ/1000 · Σ_st [min(0, price − p_bt) · import limit
 *                             + min(0, p_bt − export price) · export limit]     (supply)
 *            − Δ/1000 · Σ_lt μ_lt · (L_l − d · base_l)                          (limits)
 *            + what trees could gain by drawing more for their losses            (losses)
 *
 * which no plan undercuts, whatever λ and μ are. With soft limits it holds as long as no μ exceeds
 * the price of a breach. On an unlimited exchange a margin below 1e-7 of the price counts as none.
 *
 * Threads  no shared state; devices are judged on as many threads as the awards have, with the same
 *          result for any number of them.
 */
#ifndef WALRAS_SCENARIO_CERTIFICATE_H
#define WALRAS_SCENARIO_CERTIFICATE_H

#include "scenario/result.h"

struct scenario_place { /* where the worst was found; meaningless while its value is 0 */
    size_t index;       /* of the device, line, bus or supply */
    size_t step;
};

/*
 * What the plan does to the grid as it is: its AC power flow (grid/powerflow.h) in every step,
 * losses and reactive power in it. The slacks give what is lost. A bus with generators, which
 * regulate, holds the slack's voltage in the model dc; in lindistflow all draws are as they are.
 */
struct scenario_physics {
    bool known;      /* false: one bus, or lines without impedance */
    size_t n_solved; /* steps with a solution before the first without; the rest is about them */
    size_t unsolved; /* the first without; SIZE_MAX: all have one */
    double reached_share; /* of its powers, that has one */
    double lowest_v_pu, highest_v_pu;
    struct scenario_place lowest, highest;
    double max_voltage_breach_pu; /* beyond the limit of a bus, not an error of the plan */
    struct scenario_place voltage_breach;
    double max_loading; /* at the fuller end, share of limit_kw or limit_kva */
    struct scenario_place loading;
    double loss_mwh;
    double max_voltage_error_pu; /* of the market's model; lindistflow */
    struct scenario_place voltage_error;
    double max_flow_error_kw; /* of the market's model, at the line's from end */
    struct scenario_place flow_error;
    double max_loss_error_kw; /* what a slack draws for losses, beside what its tree loses */
    struct scenario_place loss_error;
};

struct scenario_certificate {
    double max_imbalance_kw; /* |draw + export − import| over the steps */
    size_t imbalance_step;
    double max_line_breach_kw; /* beyond the limit (kVA beyond a side), hard or soft; never < 0 */
    struct scenario_place line_breach;
    double max_flow_error_kw; /* reported flow against the one found here */
    struct scenario_place flow_error;
    double max_voltage_breach_pu; /* beyond the limit, (v² − limit²) / (2 limit); lindistflow */
    struct scenario_place voltage_breach;
    double max_voltage_error_pu; /* reported voltage against the one found here */
    struct scenario_place voltage_error;
    double max_device_breach; /* in the unit of its kind of limit: kW, kWh, K */
    struct scenario_place device_breach;
    const char *device_what; /* the limit that is broken; NULL: none */
    /* Another rank's device, that device_breach's index does not tell; agent "": it does. */
    struct {
        char agent[160], device[160], what[80];
    } elsewhere;
    size_t n_device_breach;      /* devices that break a limit by more than 1e-6 of their size */
    double max_supply_breach_kw; /* exchange outside [0, limit] */
    struct scenario_place supply_breach;
    double max_price_error_per_mwh; /* announced bus price against p_bt */
    struct scenario_place price_error;
    double device_cost, supply_cost, breach_cost, objective;
    double drawn_mwh, given_mwh;     /* by the devices, as awarded */
    double dual_bound;               /* -INFINITY: the prices prove nothing */
    double gap;                      /* (objective − dual_bound) / max(1, |objective|) */
    bool clean;                      /* every check holds to 1e-6 of the size of what it compares */
    struct scenario_physics physics; /* not part of `clean`: the market has prices for a model */
};

/*
 * Judges result->awards, flow_kw, import_kw, export_kw (none NULL) and the prices, shadow prices,
 * objective and bound of result->market; result->certificate is not looked at. Fails
 * (WALRAS_INVALID, prefixed with agent and device) when an award is not finite or a device cannot
 * be solved at all, WALRAS_UNSUPPORTED (scenario_angles_new), WALRAS_NOMEM. On failure *certificate
 * is untouched.
 */
WALRAS_NODISCARD enum walras_status scenario_certify(const struct scenario_result *result,
                                                     struct scenario_certificate *certificate,
                                                     struct walras_err *err);

#endif
