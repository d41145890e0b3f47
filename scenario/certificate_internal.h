/*
 * The parts of a certificate. Private to the scenario folder.
 */
#ifndef WALRAS_SCENARIO_CERTIFICATE_INTERNAL_H
#define WALRAS_SCENARIO_CERTIFICATE_INTERNAL_H

#include "scenario/angles.h"
#include "scenario/certificate.h"
#include "scenario/feeder.h"

#include <math.h>

/* Of the size of what is compared: what rounding may leave. */
#define CERTIFICATE_TOLERANCE 1e-6

/* Keeps the largest value and where it was. */
static inline void certificate_keep_worst(double value, size_t index, size_t step, double *worst,
                                          struct scenario_place *place)
{
    if (value > *worst || isnan(value)) {
        *worst = isnan(value) ? (double)INFINITY : value;
        *place = (struct scenario_place){.index = index, .step = step};
    }
}

static inline double certificate_limit_kw(const struct scenario *scenario, size_t line)
{
    return scenario->network.lines[line].limit_kw * scenario->rating_scale;
}

/* Of some devices: sums, and the worst. Those of parts merge into those of the whole. */
struct certificate_device_sums {
    double cost, bound;        /* of the awards; at the prices, proven */
    double drawn_kw, given_kw; /* over all steps */
    double max_breach;
    struct scenario_place breach;
    const char *what;
    size_t n_breach;
};

struct certificate_devices { /* arrays are the caller's, zeroed */
    struct certificate_device_sums sums;
    double *injection_kw;   /* [n_bus x n_step] of the devices */
    double *injection_kvar; /* the same; NULL: nobody asks */
    double *gross_kw;       /* [n_step] Σ |draw| */
};

/* From the prices: p_bt [n_bus x n_step] of λ and μ, and Δ/1000 · Σ μ · (L − d · base). */
WALRAS_NODISCARD enum walras_status
certificate_find_prices(const struct scenario_result *result, const struct scenario_angles *angles,
                        double *price_per_mwh, double *limit_value, struct walras_err *err);
/*
 * The same in the model lindistflow, with the prices of reactive power, and in circle [2 x
 * n_inverter x n_step], zeroed, what inverters' limits add to the prices of their kW and, behind
 * them all, of their kvar.
 */
WALRAS_NODISCARD enum walras_status
certificate_find_feeder_prices(const struct scenario_result *result,
                               const struct scenario_feeder *feeder, double *price_per_mwh,
                               double *price_per_mvarh, double *circle, double *limit_value,
                               struct walras_err *err);
/* What the exchange could gain at most at these prices, currency, <= 0. */
double certificate_supply_bound(const struct scenario *scenario, const double *price_per_mwh);

/*
 * Of a shadow price of losses: adds what it is worth to the prices of all buses in its step
 * (price_per_mvarh NULL: kvar cost nothing), and returns its part of Δ/1000 · Σ μ · (L − d · base).
 */
double certificate_worth_loss(const struct scenario_result *result,
                              const struct market_binding *binding, double *price_per_mwh,
                              double *price_per_mvarh);
/* What trees could gain at most by what they draw for losses, currency, <= 0. */
double certificate_loss_bound(const struct scenario_result *result, const double *price_per_mwh);

/*
 * From the awards and the prices, device by device; price_per_mvarh NULL: kvar cost nothing. circle
 * as above; NULL: there are no inverters.
 */
WALRAS_NODISCARD enum walras_status
certificate_judge_devices(const struct scenario_result *result, const double *price_per_mwh,
                          const double *price_per_mvarh, const double *circle,
                          struct certificate_devices *out, struct walras_err *err);
/* Adds up what the ranks found of their devices, at rank 0; the worst may be another's. */
WALRAS_NODISCARD enum walras_status certificate_add_ranks(const struct scenario_result *result,
                                                          struct certificate_devices *devices,
                                                          struct scenario_certificate *out,
                                                          struct walras_err *err);
/*
 * From the plan: balance, flows, exchange. `angles` is NULL when there is no line; injection_kw
 * [n_bus x n_step] is that of the devices, to which the exchange is added.
 */
WALRAS_NODISCARD enum walras_status certificate_judge_plan(const struct scenario_result *result,
                                                           const struct scenario_angles *angles,
                                                           double *injection_kw,
                                                           struct scenario_certificate *out,
                                                           struct walras_err *err);
/* Flows, voltages and trees of a plan in the model lindistflow, the exchange in injection_kw. */
WALRAS_NODISCARD enum walras_status
certificate_judge_feeder(const struct scenario_result *result, const struct scenario_feeder *feeder,
                         const double *injection_kw, const double *injection_kvar,
                         struct scenario_certificate *out, struct walras_err *err);

/*
 * The AC power flow of the plan; injections [n_bus x n_step] with the exchange, kvar of devices.
 * That there is none is in *out, as is a grid without impedances.
 */
WALRAS_NODISCARD enum walras_status certificate_judge_physics(const struct scenario_result *result,
                                                              const double *injection_kw,
                                                              const double *injection_kvar,
                                                              struct scenario_physics *out,
                                                              struct walras_err *err);

#endif
