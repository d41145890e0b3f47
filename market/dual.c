#include "market/dual.h"

#include <math.h>

double market_reach_kw(const struct market_problem *problem)
{
    double reach = 0.0;

    if (problem->reach_kw > 0.0)
        return problem->reach_kw;
    for (size_t i = 0; i < problem->n_bus * problem->n_step; i++)
        reach += fabs(problem->firm_draw_kw[i]);
    for (size_t i = 0; i < problem->n_order; i++) {
        const struct market_order *order = &problem->orders[i];

        reach += isfinite(order->low_kw) ? fabs(order->low_kw) : 0.0;
        reach += isfinite(order->high_kw) ? fabs(order->high_kw) : 0.0;
    }
    for (size_t g = 0; g < problem->n_group; g++)
        reach += 4.0 * problem->groups[g].swing_kw;
    return 4.0 * reach + 1.0;
}

double market_unmet_tolerance_kw(const struct market_problem *problem)
{
    double most_kw = 0.0;

    for (size_t t = 0; t < problem->n_step; t++) {
        double firm_kw = 0.0;

        for (size_t b = 0; b < problem->n_bus; b++)
            firm_kw += fabs(problem->firm_draw_kw[b * problem->n_step + t]);
        most_kw = fmax(most_kw, firm_kw);
    }
    for (size_t g = 0; g < problem->n_group; g++)
        most_kw += problem->groups[g].swing_kw;
    return 1e-6 + 1e-7 * most_kw;
}

/* min over q in the order's range of gain · q + slope/2 q², gain = price - lambda */
static double order_value(const struct market_order *order, double gain, double reach_kw)
{
    double low = fmax(order->low_kw, -reach_kw), high = fmin(order->high_kw, reach_kw);
    double slope = order->slope_per_mwh_per_kw, q = gain > 0.0 ? low : high;

    if (slope > 0.0)
        q = fmin(high, fmax(low, -gain / slope));
    return q * (gain + 0.5 * slope * q);
}

double market_dual_open_part(const struct market_rows *rows, const double *u, const double *price,
                             double reach_kw)
{
    const struct market_problem *problem = rows->problem;
    double value = 0.0;

    for (size_t i = 0; i < problem->n_bus * problem->n_step; i++)
        value += price[i] * problem->firm_draw_kw[i];
    for (size_t i = 0; i < problem->n_order; i++) {
        const struct market_order *order = &problem->orders[i];
        double lambda = price[order->bus * problem->n_step + order->step];

        value += order_value(order, order->price_per_mwh - lambda, reach_kw);
    }
    for (size_t a = 0; a < rows->n; a++)
        value -= u[problem->n_step + a] * rows->rows[a].room_kw;
    return value;
}
