/*
 * Audit of generators. With commitment a draw shows only the output: whether a generator whose
 * smallest output is 0 stood by or was off is resolved by the cheapest consistent sequence, found
 * by dynamic programming over (on or off, steps in that state) (docs/devices.md, eq. 28).
 */
#include "agents/audit_internal.h"
#include "core/units.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* A path so far: fewer breaches come before lower cost. */
struct path {
    double breach, cost;
    uint32_t from; /* state in the step before */
};

/*
 * States 0 … up−1: on for 1 … up steps or more; up … up+down−1: off for 1 … down steps or more.
 */
struct plant {
    const struct agent_generator *generator;
    size_t up, down;
    double step_h, ramp_kw, jump_kw;
    double tolerance_kw; /* what an output may miss before the sequence is chosen to avoid it */
};

static double cost_per_h(const struct agent_generator *generator, double injection_kw)
{
    double mw = walras_mw_from_kw(injection_kw), cost = 0.0, begin_mw = 0.0;

    if (!generator->segments)
        return generator->per_mw2h * mw * mw + generator->per_mwh * mw + generator->per_h;
    for (uint32_t i = 0; i < generator->n_segment; i++) {
        double width_mw = walras_mw_from_kw(generator->segments[i].width_kw);

        cost += generator->segments[i].price_per_mwh * fmin(fmax(mw - begin_mw, 0.0), width_mw);
        begin_mw += width_mw;
    }
    return cost;
}

/* The output in the step before; before step 0 what the device follows, or 0. */
static double output_before(const struct audit_case *audit, const struct agent_generator *generator,
                            size_t step)
{
    return step > 0 ? -audit->draw_kw[step - 1] : generator->follows ? generator->before_kw : 0.0;
}

static void audit_always_on(const struct audit_case *audit, const struct agent_generator *generator)
{
    double ramp_kw = generator->ramp_kw_per_h * audit->horizon->step_h;

    for (size_t t = 0; t < audit->horizon->n_step; t++) {
        double injection_kw = -audit->draw_kw[t];

        audit_breach(audit, generator->min_kw - injection_kw, t, "smallest output");
        audit_breach(audit, injection_kw - generator->max_kw, t, "largest output");
        if (t > 0 || generator->follows)
            audit_breach(audit, fabs(injection_kw - output_before(audit, generator, t)) - ramp_kw,
                         t, "ramp limit");
        audit->verdict->cost += cost_per_h(generator, injection_kw) * audit->horizon->step_h;
    }
    audit->verdict->end = (struct agent_state){
        .output_kw = -audit->draw_kw[audit->horizon->n_step - 1], .on = true, .follows = true};
}

static bool is_on(const struct plant *plant, size_t state)
{
    return state < plant->up;
}

/* Steps that `state` has lasted, capped; and the state after one more step of it. */
static size_t lasted(const struct plant *plant, size_t state)
{
    return is_on(plant, state) ? state + 1 : state - plant->up + 1;
}

static size_t longer(const struct plant *plant, size_t state)
{
    size_t end = is_on(plant, state) ? plant->up : plant->up + plant->down;

    return state + 1 < end ? state + 1 : state;
}

static size_t switched(const struct plant *plant, size_t state)
{
    return is_on(plant, state) ? plant->up : 0;
}

/* What going from state a to b in step t breaks, named; the largest of it. */
static double broken(const struct audit_case *audit, const struct plant *plant, size_t t, size_t a,
                     size_t b, const char **what)
{
    const struct agent_generator *generator = plant->generator;
    double now = -audit->draw_kw[t], before = output_before(audit, generator, t);
    bool on = is_on(plant, b), was_on = is_on(plant, a);
    double ramp = on && was_on ? fabs(now - before) - plant->ramp_kw
                  : on         ? now - plant->jump_kw
                  : was_on     ? before - plant->jump_kw
                               : 0.0;
    size_t held = lasted(plant, a), hold = was_on ? plant->up : plant->down;
    const struct {
        double amount;
        const char *what;
    } candidates[] = {
        {on ? generator->min_kw - now : -now, on ? "smallest output" : "no output when off"},
        {on ? now - generator->max_kw : now, on ? "largest output" : "no output when off"},
        {t > 0 || generator->follows ? ramp : 0.0, "ramp limit"},
        {on != was_on ? (double)(hold - held) : 0.0, was_on ? "steps on" : "steps off"},
        {t < generator->hold_steps && on != generator->on_at_start
             ? (double)(generator->hold_steps - t)
             : 0.0,
         generator->on_at_start ? "steps on" : "steps off"},
    };
    double largest = 0.0;

    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        if (candidates[i].amount > largest) {
            largest = candidates[i].amount;
            *what = candidates[i].what;
        }
    }
    return largest;
}

static bool better(const struct path *a, const struct path *b)
{
    return a->breach < b->breach || (a->breach <= b->breach && a->cost < b->cost);
}

static void extend(const struct audit_case *audit, const struct plant *plant, size_t t, size_t a,
                   size_t b, const struct path *before, struct path *now)
{
    const char *what = NULL;
    double breach = broken(audit, plant, t, a, b, &what);
    struct path path = {before->breach, before->cost, (uint32_t)a};

    if (breach > plant->tolerance_kw)
        path.breach += breach;
    if (is_on(plant, b))
        path.cost += cost_per_h(plant->generator, -audit->draw_kw[t]) * plant->step_h;
    if (is_on(plant, b) && !is_on(plant, a))
        path.cost += plant->generator->start_cost;
    if (better(&path, &now[b]))
        now[b] = path;
}

/* After `lasted` steps on or off; what held before step 0 goes on when there was no switch. */
static void end_state(const struct audit_case *audit, const struct plant *plant, bool on,
                      size_t lasted, bool began_on)
{
    const struct agent_generator *generator = plant->generator;
    size_t n_step = audit->horizon->n_step;
    size_t least = on ? generator->min_up_steps : generator->min_down_steps;
    size_t hold = least > lasted ? least - lasted : 0;

    if (lasted == n_step && on == began_on)
        hold = generator->hold_steps > n_step ? generator->hold_steps - n_step : 0;
    audit->verdict->end = (struct agent_state){.output_kw = -audit->draw_kw[n_step - 1],
                                               .on = on,
                                               .follows = true,
                                               .hold_steps = (uint32_t)hold};
}

/* Judges the best path, walking it back from its last state. */
static void judge(const struct audit_case *audit, const struct plant *plant,
                  const struct path *paths, size_t begin_state)
{
    size_t n = plant->up + plant->down, n_step = audit->horizon->n_step, state = 0;
    const struct path *last = paths + (n_step - 1) * n;

    for (size_t b = 1; b < n; b++) {
        if (better(&last[b], &last[state]))
            state = b;
    }
    audit->verdict->cost += last[state].cost;

    bool on = is_on(plant, state);
    size_t since = n_step; /* the last step of another state, plus 1 */

    for (size_t t = n_step; t-- > 0;) {
        size_t before = t > 0 ? paths[t * n + state].from : begin_state;
        const char *what = NULL;
        double breach = broken(audit, plant, t, before, state, &what);

        audit_breach(audit, breach, t, what);
        since = since == t + 1 && is_on(plant, state) == on ? t : since;
        state = before;
    }
    end_state(audit, plant, on, n_step - since, is_on(plant, begin_state));
}

static size_t steps_or_one(uint32_t steps, size_t n_step)
{
    return steps < 1 ? 1 : steps > n_step ? n_step : steps;
}

static enum walras_status audit_committed(const struct audit_case *audit,
                                          const struct agent_generator *generator,
                                          struct walras_err *err)
{
    size_t n_step = audit->horizon->n_step;
    double ramp_kw = generator->ramp_kw_per_h * audit->horizon->step_h;
    const struct plant plant = {
        .generator = generator,
        .up = steps_or_one(generator->min_up_steps, n_step),
        .down = steps_or_one(generator->min_down_steps, n_step),
        .step_h = audit->horizon->step_h,
        .ramp_kw = ramp_kw,
        .jump_kw = fmax(generator->min_kw, ramp_kw),
        .tolerance_kw = 1e-7 * fmax(1.0, generator->max_kw),
    };
    size_t n = plant.up + plant.down;
    size_t begin = generator->on_at_start ? plant.up - 1 : n - 1; /* free to switch */
    struct path *paths = malloc(n * n_step * sizeof(*paths));

    if (!paths)
        return walras_fail(err, WALRAS_NOMEM, "cannot audit %zu states in %zu steps", n, n_step);
    for (size_t i = 0; i < n * n_step; i++)
        paths[i] = (struct path){INFINITY, INFINITY, 0};
    for (size_t t = 0; t < n_step; t++) {
        const struct path start = {0.0, 0.0, 0};

        for (size_t a = t > 0 ? 0 : begin; a < (t > 0 ? n : begin + 1); a++) {
            const struct path *before = t > 0 ? &paths[(t - 1) * n + a] : &start;

            if (isinf(before->breach))
                continue;
            extend(audit, &plant, t, a, longer(&plant, a), before, paths + t * n);
            extend(audit, &plant, t, a, switched(&plant, a), before, paths + t * n);
        }
    }
    judge(audit, &plant, paths, begin);
    free(paths);
    return WALRAS_OK;
}

enum walras_status audit_generator(const struct audit_case *audit,
                                   const struct agent_generator *generator, struct walras_err *err)
{
    if (generator->committed)
        return audit_committed(audit, generator, err);
    audit_always_on(audit, generator);
    return WALRAS_OK;
}
