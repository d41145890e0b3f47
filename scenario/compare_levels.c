#include "scenario/compare.h"

#include <math.h>

/* What an ending below the level may exceed it by: as much as the stopping rule allows. */
static double up_to(double level)
{
    return level * (1.0 + 1e-6) + 1e-12;
}

bool scenario_run_is_sound(const struct scenario_run *run)
{
    return run->n_round > 0 && !run->doubtful && run->end != SCENARIO_RUN_INFEASIBLE;
}

static void list_levels(struct scenario_comparison *c)
{
    double level = 0.1;

    c->n_level = 0;
    for (int k = 1; level > up_to(c->gap_asked) && c->n_level + 1 < SCENARIO_MAX_LEVELS; k++) {
        c->levels[c->n_level++] = level;
        level = pow(10.0, -k - 1);
    }
    c->levels[c->n_level++] = c->gap_asked;
}

void scenario_comparison_sum_up(struct scenario_comparison *c)
{
    list_levels(c);
    c->best_objective = c->best_bound = NAN;
    for (size_t i = 0; i < c->n_run; i++) {
        const struct market_round *last = scenario_run_last(&c->runs[i]);

        if (!last || !scenario_run_is_sound(&c->runs[i]))
            continue;
        c->best_objective = fmin(c->best_objective, last->objective); /* NAN is passed over */
        if (isfinite(last->bound))
            c->best_bound = fmax(c->best_bound, last->bound);
    }
}

const struct market_round *scenario_run_last(const struct scenario_run *run)
{
    return run->n_round > 0 ? &run->history[run->n_round - 1] : NULL;
}

const struct market_round *scenario_run_reaches(const struct scenario_run *run, double level)
{
    for (unsigned r = 0; r < run->n_round && scenario_run_is_sound(run); r++)
        if (run->history[r].gap <= up_to(level))
            return &run->history[r];
    return NULL;
}

double scenario_bound_gap(const struct scenario_comparison *c, const struct market_round *round)
{
    double gap = (c->best_objective - round->bound) / fmax(1.0, fabs(c->best_objective));

    return isfinite(gap) ? fmax(gap, 0.0) : (double)NAN;
}

const struct market_round *scenario_bound_reaches(const struct scenario_comparison *c,
                                                  const struct scenario_run *run, double level)
{
    for (unsigned r = 0; r < run->n_round && scenario_run_is_sound(run); r++)
        if (scenario_bound_gap(c, &run->history[r]) <= up_to(level))
            return &run->history[r];
    return NULL;
}

void scenario_level_text(double level, char text[SCENARIO_LEVEL_TEXT])
{
    int exponent = (int)floor(log10(level) + 1e-9);

    snprintf(text, SCENARIO_LEVEL_TEXT, "%.3ge%d", level / pow(10.0, exponent), exponent);
}
