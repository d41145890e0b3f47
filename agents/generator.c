/* Generators that are always on (docs/devices.md, eq. 18-23, 36). */
#include "agents/solve_internal.h"
#include "core/units.h"

#include <math.h>

static inline double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

double generator_cost_per_h(const struct agent_generator *generator, double injection_kw)
{
    double mw = walras_mw_from_kw(injection_kw);

    if (!generator->segments)
        return (generator->per_mw2h * mw + generator->per_mwh) * mw + generator->per_h;

    double cost = 0.0, rest_kw = injection_kw;

    for (uint32_t i = 0; i < generator->n_segment && rest_kw > 0.0; i++) {
        const struct agent_segment *segment = &generator->segments[i];

        cost += walras_mw_from_kw(rest_kw < segment->width_kw ? rest_kw : segment->width_kw) *
                segment->price_per_mwh;
        rest_kw -= segment->width_kw;
    }
    return cost;
}

double generator_level_kw(const struct agent_generator *generator, double price_per_mwh)
{
    double level_kw = 0.0;

    if (generator->segments) {
        for (uint32_t i = 0; i < generator->n_segment; i++) {
            if (generator->segments[i].price_per_mwh < price_per_mwh)
                level_kw += generator->segments[i].width_kw;
        }
    } else if (generator->per_mw2h > 0.0) {
        level_kw =
            walras_kw_from_mw((price_per_mwh - generator->per_mwh) / (2.0 * generator->per_mw2h));
    } else {
        level_kw = price_per_mwh > generator->per_mwh ? generator->max_kw : generator->min_kw;
    }
    return clamp(level_kw, generator->min_kw, generator->max_kw);
}

void agent_solve_generator(const struct agent_generator *generator,
                           const struct agent_question *question, struct agent_workspace *workspace,
                           double *draw_kw, double *cost)
{
    const struct agent_horizon *horizon = question->horizon;
    double ramp_kw = generator->ramp_kw_per_h * horizon->step_h, cost_per_h = 0.0;

    if (isfinite(ramp_kw)) {
        generator_ramp_levels(generator, question, ramp_kw, workspace);
    } else {
        for (size_t t = 0; t < horizon->n_step; t++)
            workspace->level_kw[t] = generator_level_kw(generator, question->price_per_mwh[t]);
    }

    double before_kw = generator->follows ? generator->before_kw : workspace->level_kw[0];

    for (size_t t = 0; t < horizon->n_step; t++) {
        before_kw = clamp(workspace->level_kw[t], before_kw - ramp_kw, before_kw + ramp_kw);
        draw_kw[t] = -before_kw;
        cost_per_h += generator_cost_per_h(generator, before_kw);
    }
    *cost = cost_per_h * horizon->step_h;
}

/*
 * The steps that the ramp limit ties to each other move as one, by the mean of their prices; those
 * at the smallest or largest output, or tied to the output before the first step, stand still, and
 * hold what is tied to them.
 */
void generator_curvature(const struct agent_generator *generator,
                         const struct agent_horizon *horizon, const double *draw_kw,
                         double *curvature)
{
    size_t n = horizon->n_step;
    double ramp_kw = generator->ramp_kw_per_h * horizon->step_h;
    double per_price = 0.5 * walras_kw_from_mw(1.0 / generator->per_mw2h);
    double slack_kw = 1e-9 * (fabs(generator->max_kw) + fabs(generator->min_kw));

    for (size_t first = 0, end; first < n; first = end) {
        bool still = first == 0 && generator->follows &&
                     fabs(generator->before_kw + draw_kw[0]) >= ramp_kw - slack_kw;

        end = first;
        do {
            double output_kw = -draw_kw[end++];

            still = still || output_kw <= generator->min_kw + slack_kw ||
                    output_kw >= generator->max_kw - slack_kw;
        } while (end < n && fabs(draw_kw[end] - draw_kw[end - 1]) >= ramp_kw - slack_kw);
        for (size_t i = first; i < end && !still; i++)
            for (size_t j = first; j < end; j++)
                curvature[i * n + j] += per_price / (double)(end - first);
    }
}
