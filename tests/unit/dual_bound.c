#include "dual_bound.h"

#include <math.h>
#include <stdbool.h>

enum { MAX_STEP = 512 };

/* One step: x' = keep x + drift + in c - out d; hourly costs per kW and kW², state costs per step.
 */
struct stage {
    double in, out, drift, c_max, d_max;
    double c_price, d_price, wear, rho; /* wear: of c² + d²; rho/2: of (c - d)² */
    double constant;                    /* rho/2 centre² */
    double low, high, stiff, target, bend_low, below, bend_high, above;
};

struct chain {
    size_t first, end;
    double h, keep, start;
    struct stage stage[MAX_STEP];
};

static void describe_store(struct chain *chain, const struct dual_question *q)
{
    const struct agent_battery *b = &q->device->battery;
    const struct agent_ev *ev = &q->device->ev;
    bool is_ev = q->device->type == AGENT_EV, soft = is_ev && !isnan(ev->unserved_price_per_mwh);
    double h = q->horizon->step_h, wanted = ev->start_kwh + ev->energy_kwh;

    chain->first = is_ev ? ev->arrive : 0;
    chain->end = is_ev ? ev->depart : q->horizon->n_step;
    chain->keep = is_ev ? 1.0 : pow(1.0 - b->loss_per_hour, h);
    chain->start = is_ev ? ev->start_kwh : b->start_kwh;
    for (size_t t = chain->first; t < chain->end; t++) {
        bool last = t + 1 == chain->end;
        double wear = is_ev ? ev->wear_per_mwh : b->wear_per_mwh;

        chain->stage[t] = (struct stage){
            .in = h * (is_ev ? ev->efficiency : b->charge_efficiency),
            .out = h / (is_ev ? ev->efficiency : b->discharge_efficiency),
            .c_max = is_ev ? ev->charge_kw : b->charge_kw,
            .d_max = is_ev ? ev->discharge_kw : b->discharge_kw,
            .c_price = q->price_per_mwh[t] + wear,
            .d_price = wear - q->price_per_mwh[t],
            .wear = (is_ev ? ev->wear_per_mw2h : b->wear_per_mw2h) / 1000.0,
            .low = is_ev ? (last && !soft ? wanted : 0.0)
                         : fmax(b->min_kwh, last ? b->end_min_kwh : 0.0),
            .high = is_ev ? ev->capacity_kwh : b->capacity_kwh,
            .bend_low = wanted,
            .below = last && soft ? ev->unserved_price_per_mwh : 0.0,
        };
    }
}

static void describe_room(struct chain *chain, const struct dual_question *q)
{
    const struct agent_thermal *th = &q->device->thermal;
    double h = q->horizon->step_h, u = th->conductance_kw_per_k, c = th->capacity_kwh_per_k;
    double lost = -expm1(-u * h / c), per_kw = u > 0.0 ? lost / u : h / c;
    double sign = th->cool ? -1.0 : 1.0;
    bool soft = !isnan(th->comfort_price_per_kh);
    double off, full; /* what no plan can go beyond */

    chain->end = q->horizon->n_step;
    chain->keep = exp(-u * h / c);
    chain->start = sign * th->start_c;
    full = off = chain->start;
    for (size_t t = 0; t < chain->end; t++) {
        double low = walras_series_at(th->min_c, t), high = walras_series_at(th->max_c, t);
        double target =
            th->target_c.values ? walras_series_at(th->target_c, t) : 0.5 * (low + high);
        double least = th->cool ? -high : low, most = th->cool ? -low : high;

        chain->stage[t] = (struct stage){
            .in = per_kw * walras_series_at(th->cop, t),
            .drift = sign * (lost * walras_series_at(th->outdoor_c, t) +
                             per_kw * walras_series_at(th->gain_kw, t)),
            .c_max = th->max_kw,
            .c_price = q->price_per_mwh[t],
            .d_price = -q->price_per_mwh[t],
            .low = least,
            .high = most,
            .stiff = 2000.0 * h * th->discomfort_per_k2h,
            .target = sign * target,
            .bend_low = least,
            .bend_high = most,
            .below = soft ? 1000.0 * h * th->comfort_price_per_kh : 0.0,
            .above = soft ? 1000.0 * h * th->comfort_price_per_kh : 0.0,
        };
        off = chain->keep * off + chain->stage[t].drift;
        full = chain->keep * full + chain->stage[t].drift + chain->stage[t].in * th->max_kw;
        if (soft) {
            chain->stage[t].low = off - 1.0;
            chain->stage[t].high = full + 1.0;
        }
    }
}

static void add_pull(struct chain *chain, const struct dual_question *q)
{
    for (size_t t = chain->first; t < chain->end && q->rho_per_mwh_per_kw > 0.0; t++) {
        struct stage *s = &chain->stage[t];
        double rho = q->rho_per_mwh_per_kw, centre = q->centre_kw[t];

        s->rho = rho;
        s->c_price -= rho * centre;
        s->d_price += rho * centre;
        s->constant = 0.5 * rho * centre * centre;
    }
}

static double control_cost(const struct stage *s, double c, double d)
{
    return s->c_price * c + s->d_price * d + s->wear * (c * c + d * d) +
           0.5 * s->rho * (c - d) * (c - d) + s->constant;
}

static double state_cost(const struct stage *s, double x)
{
    return 0.5 * s->stiff * (x - s->target) * (x - s->target) +
           s->below * fmax(s->bend_low - x, 0.0) + s->above * fmax(x - s->bend_high, 0.0);
}

static double clip(double x, double low, double high)
{
    return fmin(fmax(x, low), high);
}

/* The least of a convex quadratic a x + q/2 x² on [0, most]. */
static double least_at(double a, double q, double most)
{
    return q > 0.0 ? clip(-a / q, 0.0, most) : a < 0.0 ? most : 0.0;
}

/* min of control_cost·h + mu (in c - out d): on the four edges of the box, and inside. */
static double least_control(const struct stage *s, double h, double mu)
{
    double a = s->c_price + mu * s->in / h, b = s->d_price - mu * s->out / h;
    double q = 2.0 * s->wear + s->rho, determinant = q * q - s->rho * s->rho;
    double least = (double)INFINITY;
    double tries[5][2] = {
        {least_at(a, q, s->c_max), 0.0},
        {least_at(a - s->rho * s->d_max, q, s->c_max), s->d_max},
        {0.0, least_at(b, q, s->d_max)},
        {s->c_max, least_at(b - s->rho * s->c_max, q, s->d_max)},
        {0.0, 0.0},
    };

    if (determinant > 0.0) {
        tries[4][0] = clip((-q * a - s->rho * b) / determinant, 0.0, s->c_max);
        tries[4][1] = clip((-q * b - s->rho * a) / determinant, 0.0, s->d_max);
    }
    for (size_t k = 0; k < 5; k++) {
        double c = tries[k][0], d = tries[k][1];

        least = fmin(least, control_cost(s, c, d) + mu * (s->in * c - s->out * d) / h);
    }
    return least * h;
}

/* min of state_cost + slope x within the bounds. */
static double least_state(const struct stage *s, double slope)
{
    double ends[] = {s->low, s->bend_low, s->bend_high, s->high}, least = (double)INFINITY;
    double bends[] = {-s->below, 0.0, s->above};

    for (size_t k = 0; k < 4; k++)
        if (ends[k] >= s->low && ends[k] <= s->high)
            least = fmin(least, state_cost(s, ends[k]) + slope * ends[k]);
    for (size_t k = 0; k < 3 && s->stiff > 0.0; k++) {
        double x = clip(s->target - (slope + bends[k]) / s->stiff, s->low, s->high);

        least = fmin(least, state_cost(s, x) + slope * x);
    }
    return least;
}

struct range {
    double low, high;
};

/*
 * mu for which gradient + by·mu is the gradient of a minimum at a value in [0, most] that is known
 * to `noise`; q: second derivative.
 */
static struct range stationary(double at, double most, double gradient, double by, double noise,
                               double q)
{
    struct range any = {-(double)INFINITY, (double)INFINITY};
    double mu = -gradient / by, wide = fabs(q * noise / by);
    bool at_zero = at <= noise, at_most = at >= most - noise;

    if (at_zero && at_most)
        return any;
    if (at_zero == (by > 0.0) && (at_zero || at_most))
        any.low = mu - wide;
    else if (at_zero || at_most)
        any.high = mu + wide;
    else
        any = (struct range){mu - wide, mu + wide};
    return any;
}

/* Both ranges, or, when rounding has parted them, the nearest point of b. */
static struct range meet(struct range a, struct range b)
{
    struct range met = {fmax(a.low, b.low), fmin(a.high, b.high)};

    if (met.low > met.high)
        met.low = met.high = a.low > b.high ? b.high : b.low;
    return met;
}

static struct range of_controls(const struct stage *s, double h, double c, double d, double noise)
{
    double q = 2.0 * s->wear + s->rho;
    struct range by_c =
        stationary(c, s->c_max, s->c_price + q * c - s->rho * d, s->in / h, noise / s->in, q);
    struct range by_d = {-(double)INFINITY, (double)INFINITY};

    if (s->d_max > 0.0)
        by_d = stationary(d, s->d_max, s->d_price + q * d - s->rho * c, -s->out / h, noise / s->out,
                          q);
    return meet(by_c, by_d);
}

/* Slopes that the state's own cost and bounds can have at x. */
static struct range of_state(const struct stage *s, double x, double noise)
{
    double stiff = s->stiff * (x - s->target);
    struct range slope = {stiff, stiff};

    if (x < s->bend_low + noise)
        slope.low -= s->below;
    if (x < s->bend_low - noise)
        slope.high -= s->below;
    if (x > s->bend_high - noise)
        slope.high += s->above;
    if (x > s->bend_high + noise)
        slope.low += s->above;
    if (x <= s->low + noise)
        slope.low = -(double)INFINITY;
    if (x >= s->high - noise)
        slope.high = (double)INFINITY;
    return slope;
}

/* Prices of the state that fit the plan: ranges from the end backwards, then values forwards. */
static void guess(const struct chain *chain, const struct dual_plan *plan, double noise, bool exact,
                  double *mu)
{
    static struct range range[MAX_STEP];
    struct range after = {0.0, 0.0};

    for (size_t t = chain->end; t-- > chain->first;) {
        const struct stage *s = &chain->stage[t];
        struct range own = of_state(s, plan->state[t], noise);

        range[t] = (struct range){own.low + after.low, own.high + after.high};
        range[t] = meet(range[t],
                        of_controls(s, chain->h, plan->charge_kw[t], plan->discharge_kw[t], noise));
        after = (struct range){chain->keep * range[t].low, chain->keep * range[t].high};
        if (isnan(after.low))
            after.low = -(double)INFINITY;
        if (isnan(after.high))
            after.high = (double)INFINITY;
    }
    for (size_t t = chain->first; t < chain->end; t++) {
        struct range may = {-(double)INFINITY, (double)INFINITY};

        if (t > chain->first && chain->keep > 0.0) { /* leakage blows up what is only rounding */
            struct range own = of_state(&chain->stage[t - 1], plan->state[t - 1], noise);
            double before = mu[t - 1], rounding = 1e-12 * (fabs(before) + 1e-9);

            may.low = (before - own.high - rounding) / chain->keep;
            may.high = (before - own.low + rounding) / chain->keep;
        }
        mu[t] = clip(clip(0.0, may.low, may.high), range[t].low, range[t].high);
    }
    for (size_t t = chain->end; t-- > chain->first && exact;) { /* so where the state is free */
        struct range own = of_state(&chain->stage[t], plan->state[t], noise);
        double later = t + 1 < chain->end ? chain->keep * mu[t + 1] : 0.0;

        mu[t] = clip(mu[t], own.low + later, own.high + later);
    }
}

/* What states that are off by 1e-12 of 1 and their size, as rounding has it, are worth. */
static double worth_of_rounding(const struct chain *chain, const struct dual_plan *plan,
                                const double *mu)
{
    double sum = 0.0;

    for (size_t t = chain->first; t < chain->end; t++)
        sum += 1e-12 * (1.0 + fabs(plan->state[t]) + fabs(chain->stage[t].high)) * fabs(mu[t]);
    return sum;
}

static double evaluate(const struct chain *chain, const double *mu)
{
    double bound = 0.0;

    for (size_t t = chain->first; t < chain->end; t++) {
        double later = t + 1 < chain->end ? chain->keep * mu[t + 1] : 0.0;

        bound += least_control(&chain->stage[t], chain->h, mu[t]) + mu[t] * chain->stage[t].drift +
                 least_state(&chain->stage[t], later - mu[t]);
    }
    return bound + chain->keep * mu[chain->first] * chain->start;
}

void dual_bound(const struct dual_question *question, const struct dual_plan *plan, double *value,
                double *bound, double *size, double *hidden, double *breach)
{
    static struct chain chain;
    static double mu[MAX_STEP];
    double x = 0.0, h = question->horizon->step_h;

    chain = (struct chain){.h = h};
    if (question->device->type == AGENT_THERMAL)
        describe_room(&chain, question);
    else
        describe_store(&chain, question);
    add_pull(&chain, question);
    *value = *size = *breach = 0.0;
    x = chain.start;
    for (size_t t = chain.first; t < chain.end; t++) {
        const struct stage *s = &chain.stage[t];
        double c = plan->charge_kw[t], d = plan->discharge_kw[t], to = plan->state[t];

        *breach = fmax(*breach, fmax(fmax(-c, c - s->c_max), fmax(-d, d - s->d_max)));
        *breach = fmax(*breach, fabs(chain.keep * x + s->drift + s->in * c - s->out * d - to));
        *breach = fmax(*breach, fmax(s->low - to, to - s->high));
        *value += h * control_cost(s, c, d) + state_cost(s, to);
        *size += h * (fabs(s->c_price * c) + fabs(s->d_price * d) + s->wear * (c * c + d * d) +
                      0.5 * s->rho * (c - d) * (c - d) + s->constant) +
                 state_cost(s, to);
        x = to;
    }
    *bound = -(double)INFINITY;
    for (int k = 0; k < 14; k++) {
        int tens = k / 2;
        double noise = 1e-13 * pow(10.0, tens), found;

        guess(&chain, plan, noise, k % 2 == 0, mu);
        found = evaluate(&chain, mu);
        if (found > *bound) {
            *bound = found;
            *hidden = worth_of_rounding(&chain, plan, mu) / 1000.0;
        }
    }
    *value /= 1000.0;
    *bound /= 1000.0;
    *size /= 1000.0;
}
