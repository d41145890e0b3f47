#include "market/problem.h"

#include <float.h>
#include <math.h>

static enum walras_status check_order(const struct market_problem *problem, size_t i,
                                      struct walras_err *err)
{
    const struct market_order *order = &problem->orders[i];

    if (order->bus >= problem->n_bus || order->step >= problem->n_step)
        return walras_fail(err, WALRAS_INVALID, "order %zu: bus %u or step %u is not there", i,
                           order->bus, order->step);
    if (!isfinite(order->price_per_mwh) || !(order->slope_per_mwh_per_kw >= 0.0) ||
        !isfinite(order->slope_per_mwh_per_kw))
        return walras_fail(err, WALRAS_INVALID, "order %zu: price %g or slope %g is not usable", i,
                           order->price_per_mwh, order->slope_per_mwh_per_kw);
    if (!(order->low_kw <= order->high_kw) || order->low_kw > DBL_MAX || order->high_kw < -DBL_MAX)
        return walras_fail(err, WALRAS_INVALID, "order %zu: range [%g, %g] kW is empty", i,
                           order->low_kw, order->high_kw);
    return WALRAS_OK;
}

static enum walras_status check_breach_prices(const struct market_problem *problem,
                                              struct walras_err *err)
{
    size_t n = problem->limits && problem->breach_prices_per_mwh
                   ? 2 * grid_limits_count(problem->limits)
                   : 0;

    for (size_t i = 0; i < n; i++)
        if (!(problem->breach_prices_per_mwh[i] > 0.0))
            return walras_fail(err, WALRAS_INVALID, "breach price of limit %zu must be > 0, got %g",
                               i / 2, problem->breach_prices_per_mwh[i]);
    if (!(problem->breach_price_per_mwh > 0.0))
        return walras_fail(err, WALRAS_INVALID, "breach price must be > 0, got %g",
                           problem->breach_price_per_mwh);
    return WALRAS_OK;
}

/* The dearest breach that is for sale; 0: none is. */
static double dearest_breach(const struct market_problem *problem)
{
    double dearest = 0.0;

    if (!problem->breach_prices_per_mwh)
        return isfinite(problem->breach_price_per_mwh) ? problem->breach_price_per_mwh : 0.0;
    for (size_t i = 0; problem->limits && i < 2 * grid_limits_count(problem->limits); i++)
        if (isfinite(problem->breach_prices_per_mwh[i]))
            dearest = fmax(dearest, problem->breach_prices_per_mwh[i]);
    return dearest;
}

enum walras_status market_problem_check(const struct market_problem *problem,
                                        struct walras_err *err)
{
    if (problem->n_bus == 0 || problem->n_step == 0 || !(problem->step_h > 0.0))
        return walras_fail(err, WALRAS_INVALID, "a market needs a bus, a step and a step length");
    for (size_t i = 0; i < problem->n_bus * problem->n_step; i++)
        if (!isfinite(problem->firm_draw_kw[i]) ||
            (market_is_reactive(problem, i / problem->n_step) && problem->firm_draw_kw[i] != 0.0))
            return walras_fail(err, WALRAS_INVALID, "bus %s, step %zu: firm draw is not usable",
                               problem->bus_ids[i / problem->n_step], i % problem->n_step);
    for (size_t i = 0; i < problem->n_order; i++) {
        enum walras_status status = check_order(problem, i, err);

        if (status != WALRAS_OK)
            return status;
    }
    for (size_t g = 0; g < problem->n_group; g++)
        if (problem->groups[g].bus >= problem->n_bus || problem->groups[g].oracle.n_part == 0 ||
            market_is_reactive(problem, problem->groups[g].bus))
            return walras_fail(err, WALRAS_INVALID, "group %zu (%s): bus or parts are not there", g,
                               problem->groups[g].name);
    return check_breach_prices(problem, err);
}

struct market_level market_level_of(const struct market_problem *problem)
{
    struct market_level level = {.price_per_mwh = 1.0};
    double sum = 0.0, largest = 0.0;
    size_t n = 0;

    for (size_t i = 0; i < problem->n_order; i++) {
        const struct market_order *order = &problem->orders[i];
        double far_kw = fmax(fabs(order->low_kw), fabs(order->high_kw));
        double price = fabs(order->price_per_mwh);

        if (order->high_kw <= order->low_kw || market_is_reactive(problem, order->bus))
            continue;
        sum += price;
        n++;
        largest =
            fmax(largest, price + (isfinite(far_kw) ? order->slope_per_mwh_per_kw * far_kw : 0.0));
    }
    if (sum > 0.0)
        level.price_per_mwh = sum / (double)n;
    level.penalty_per_mwh = 1e3 * fmax(largest, level.price_per_mwh);
    /* breaches that are for sale stay the cheaper way */
    level.penalty_per_mwh = fmax(level.penalty_per_mwh, 10.0 * dearest_breach(problem));
    return level;
}
