/*
 * Where a generator with a ramp limit would like to be in each step, were it free to go there: the
 * minimiser of its own cost minus price plus the least cost of all later steps (docs/devices.md,
 * eq. 20-23). The derivative of that convex function is kept as knots (injection, slope); a jump is
 * two knots at one injection.
 */
#include "agents/solve_internal.h"
#include "core/units.h"

#include <string.h>

struct generator_knot {
    double injection_kw, slope_per_mwh;
};

/* A step adds the flat piece and two knots for each price jump. */
size_t generator_knot_room(size_t n_step)
{
    return (n_step + 1) * (2 * GENERATOR_SEGMENTS + 4);
}

size_t generator_knot_size(void)
{
    return sizeof(struct generator_knot);
}

static double slope_between(struct generator_knot a, struct generator_knot b, double injection_kw)
{
    double width = b.injection_kw - a.injection_kw;

    return width > 0.0 ? a.slope_per_mwh + (b.slope_per_mwh - a.slope_per_mwh) *
                                               ((injection_kw - a.injection_kw) / width)
                       : a.slope_per_mwh;
}

/* The leftmost minimiser; *n_left is the number of knots with a falling function. */
static double minimiser(const struct generator_knot *knot, size_t n, size_t *n_left)
{
    size_t i = 0;

    while (i < n && knot[i].slope_per_mwh < 0.0)
        i++;
    *n_left = i;
    if (i == 0 || i == n)
        return knot[i == 0 ? 0 : n - 1].injection_kw;

    double rise = knot[i].slope_per_mwh - knot[i - 1].slope_per_mwh;
    double share = -knot[i - 1].slope_per_mwh / rise;

    return knot[i - 1].injection_kw + share * (knot[i].injection_kw - knot[i - 1].injection_kw);
}

/*
 * The ramp: what lies left of the minimiser moves ramp_kw to the left, what lies right of it to the
 * right, with a flat piece between.
 */
static size_t spread(const struct generator_knot *knot, size_t n, size_t n_left, double level_kw,
                     double ramp_kw, struct generator_knot *out)
{
    size_t count = 0;

    for (size_t i = 0; i < n_left; i++)
        out[count++] =
            (struct generator_knot){knot[i].injection_kw - ramp_kw, knot[i].slope_per_mwh};
    out[count++] = (struct generator_knot){level_kw - ramp_kw, 0.0};
    out[count++] = (struct generator_knot){level_kw + ramp_kw, 0.0};
    for (size_t i = n_left; i < n; i++)
        out[count++] =
            (struct generator_knot){knot[i].injection_kw + ramp_kw, knot[i].slope_per_mwh};
    return count;
}

/* Cuts to [low_kw, high_kw], which lies inside the knots, in place. */
static size_t cut(struct generator_knot *knot, size_t n, double low_kw, double high_kw)
{
    size_t begin = 0, end = n - 1;

    while (begin + 2 < n && knot[begin + 1].injection_kw <= low_kw)
        begin++;
    while (end > begin + 1 && knot[end - 1].injection_kw >= high_kw)
        end--;

    struct generator_knot first = {low_kw, slope_between(knot[begin], knot[begin + 1], low_kw)};
    struct generator_knot last = {high_kw, slope_between(knot[end - 1], knot[end], high_kw)};

    memmove(knot, knot + begin, (end - begin + 1) * sizeof(*knot));
    knot[0] = first;
    knot[end - begin] = last;
    return end - begin + 1;
}

/* Adds marginal cost minus price; at each price jump inside the range the list gets a jump too. */
static size_t add_marginal(const struct agent_generator *generator, double price_per_mwh,
                           const struct generator_knot *knot, size_t n, struct generator_knot *out)
{
    size_t count = 0;

    if (!generator->segments) {
        double per_mwh = generator->per_mwh - price_per_mwh;

        for (size_t i = 0; i < n; i++)
            out[count++] = (struct generator_knot){knot[i].injection_kw,
                                                   knot[i].slope_per_mwh + per_mwh +
                                                       2.0 * generator->per_mw2h *
                                                           walras_mw_from_kw(knot[i].injection_kw)};
        return count;
    }

    const struct agent_segment *segment = generator->segments;
    const struct agent_segment *last = segment + generator->n_segment - 1;
    double end_kw = segment->width_kw;

    for (; segment < last && end_kw <= knot[0].injection_kw; end_kw += segment->width_kw)
        segment++;
    for (size_t i = 0; i < n; i++) {
        for (; segment < last && end_kw < knot[i].injection_kw; end_kw += segment->width_kw) {
            double slope = slope_between(knot[i - 1], knot[i], end_kw) - price_per_mwh;

            out[count++] = (struct generator_knot){end_kw, slope + segment->price_per_mwh};
            segment++;
            out[count++] = (struct generator_knot){end_kw, slope + segment->price_per_mwh};
        }
        out[count++] = (struct generator_knot){
            knot[i].injection_kw, knot[i].slope_per_mwh + segment->price_per_mwh - price_per_mwh};
    }
    return count;
}

/* The pull towards the centre, of the output: minus the draw. */
static void add_pull(double rho, double centre_kw, struct generator_knot *knot, size_t n)
{
    for (size_t i = 0; i < n; i++)
        knot[i].slope_per_mwh += rho * (knot[i].injection_kw + centre_kw);
}

void generator_ramp_levels(const struct agent_generator *generator,
                           const struct agent_question *question, double ramp_kw,
                           struct agent_workspace *workspace)
{
    struct generator_knot *later = workspace->knot[0], *now = workspace->knot[1];
    double rho = question->rho_per_mwh_per_kw;
    size_t n = 2, n_left;

    later[0] = (struct generator_knot){generator->min_kw, 0.0};
    later[1] = (struct generator_knot){generator->max_kw, 0.0};
    for (size_t t = question->horizon->n_step; t-- > 0;) {
        n = add_marginal(generator, question->price_per_mwh[t], later, n, now);
        if (rho > 0.0)
            add_pull(rho, question->centre_kw[t], now, n);
        workspace->level_kw[t] = minimiser(now, n, &n_left);
        n = spread(now, n, n_left, workspace->level_kw[t], ramp_kw, later);
        n = cut(later, n, generator->min_kw, generator->max_kw);
    }
}
