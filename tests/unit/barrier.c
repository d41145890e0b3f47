#include "barrier.h"

#include <math.h>
#include <string.h>

void barrier_states(struct barrier *b, const double *x)
{
    const struct smooth *smooth = b->in->smooth;

    memset(b->by_charge, 0, sizeof(b->by_charge));
    memset(b->by_discharge, 0, sizeof(b->by_discharge));
    for (size_t i = 0; i < b->n; i++) {
        const struct smooth_step *step = &smooth->step[smooth->first + i];

        b->state[i] = step->drift + smooth->keep * (i > 0 ? b->state[i - 1] : smooth->start) +
                      step->in_per_kw * x[i] - smooth->out_per_kw * x[b->n + i];
        for (size_t j = 0; j < i; j++) {
            b->by_charge[i][j] = smooth->keep * b->by_charge[i - 1][j];
            b->by_discharge[i][j] = smooth->keep * b->by_discharge[i - 1][j];
        }
        b->by_charge[i][i] = step->in_per_kw;
        b->by_discharge[i][i] = -smooth->out_per_kw;
    }
}

/* Adds f(v) for v = offset + row · x: its value, slope and curve. */
static void add_term(struct barrier *b, const double *row, double value, double slope, double curve)
{
    b->value += value;
    for (size_t j = 0; j < b->n_x; j++) {
        b->gradient[j] += slope * row[j];
        for (size_t k = 0; k < b->n_x && row[j] != 0.0; k++)
            b->hessian[j][k] += curve * row[j] * row[k];
    }
}

/* - mu log(slack), slack = ... + row · x */
static void add_slack(struct barrier *b, const double *row, double slack)
{
    if (slack > 0.0)
        add_term(b, row, -b->mu * log(slack), -b->mu / slack, b->mu / (slack * slack));
    else
        b->value = INFINITY;
}

static void add_bounds(struct barrier *b, const double *row, double at, double low, double high)
{
    double minus[BARRIER_VARIABLES];

    for (size_t j = 0; j < b->n_x; j++)
        minus[j] = -row[j];
    add_slack(b, row, at - low);
    add_slack(b, minus, high - at);
}

static void add_power(struct barrier *b, const double *x, size_t at, double high, double price)
{
    double row[BARRIER_VARIABLES] = {0}, curve = b->in->smooth->curve;

    b->live[at] = high > 0.0;
    if (!b->live[at])
        return;
    row[at] = 1.0;
    add_term(b, row, (price + 0.5 * curve * x[at]) * x[at], price + curve * x[at], curve);
    add_bounds(b, row, x[at], 0.0, high);
}

/* A bend with its violation x[at]: sign (state - place) + violation >= 0. */
static void add_bend(struct barrier *b, const double *x, size_t i, size_t at, double sign,
                     double place, double price)
{
    double row[BARRIER_VARIABLES] = {0};

    b->live[at] = price > 0.0;
    if (!b->live[at])
        return;
    row[at] = 1.0;
    add_term(b, row, price * x[at], price, 0.0);
    add_slack(b, row, x[at]);
    for (size_t j = 0; j <= i; j++) {
        row[j] = sign * b->by_charge[i][j];
        row[b->n + j] = sign * b->by_discharge[i][j];
    }
    add_slack(b, row, sign * (b->state[i] - place) + x[at]);
}

static void add_state(struct barrier *b, const double *x, size_t i)
{
    const struct smooth *smooth = b->in->smooth;
    const struct smooth_step *step = &smooth->step[smooth->first + i];
    double beyond = smooth->is_reach ? 1.0 + step->high - step->low : 0.0,
           row[BARRIER_VARIABLES] = {0};
    double stiff = smooth->stiff / smooth->step_h, off = b->state[i] - step->target;

    for (size_t j = 0; j <= i; j++) {
        row[j] = b->by_charge[i][j];
        row[b->n + j] = b->by_discharge[i][j];
    }
    add_term(b, row, 0.5 * stiff * off * off, stiff * off, stiff);
    add_bounds(b, row, b->state[i], step->low - beyond, step->high + beyond);
    add_bend(b, x, i, 2 * b->n + i, 1.0, step->bend_low, step->bend_below / smooth->step_h);
    add_bend(b, x, i, 3 * b->n + i, -1.0, step->bend_high, step->bend_above / smooth->step_h);
}

static void evaluate(struct barrier *b, const double *x)
{
    const struct smooth *smooth = b->in->smooth;

    b->value = 0.0;
    memset(b->gradient, 0, sizeof(b->gradient));
    memset(b->hessian, 0, sizeof(b->hessian));
    barrier_states(b, x);
    for (size_t i = 0; i < b->n; i++) {
        double price = b->in->price_per_mwh[smooth->first + i];

        add_power(b, x, i, smooth->charge_kw, price + smooth->wear_per_mwh);
        add_power(b, x, b->n + i, smooth->discharge_kw, smooth->wear_per_mwh - price);
        add_state(b, x, i);
    }
    for (size_t j = 0; j < b->n_x; j++)
        if (!b->live[j]) {
            b->gradient[j] = 0.0;
            memset(b->hessian[j], 0, sizeof(b->hessian[j]));
            for (size_t k = 0; k < b->n_x; k++)
                b->hessian[k][j] = 0.0;
            b->hessian[j][j] = 1.0;
        }
}

/* Solves hessian · move = -gradient by elimination; returns the Newton decrement. */
static double newton_move(const struct barrier *b, double *move)
{
    double a[BARRIER_VARIABLES][BARRIER_VARIABLES], decrement = 0.0;
    size_t n = b->n_x;

    memcpy(a, b->hessian, sizeof(a));
    for (size_t j = 0; j < n; j++)
        move[j] = -b->gradient[j];
    for (size_t j = 0; j < n; j++)
        for (size_t k = j + 1; k < n; k++) {
            double factor = a[k][j] / a[j][j];

            for (size_t l = j; l < n; l++)
                a[k][l] -= factor * a[j][l];
            move[k] -= factor * move[j];
        }
    for (size_t j = n; j-- > 0;) {
        for (size_t k = j + 1; k < n; k++)
            move[j] -= a[j][k] * move[k];
        move[j] /= a[j][j];
        decrement -= b->gradient[j] * move[j];
    }
    return decrement;
}

/* From a point inside on to the central one of mu; false: not found. */
bool barrier_centre(struct barrier *b, double *x)
{
    for (size_t pass = 0; pass < 100; pass++) {
        double move[BARRIER_VARIABLES], at[BARRIER_VARIABLES], before, decrement, part = 1.0;

        evaluate(b, x);
        before = b->value;
        decrement = newton_move(b, move);
        if (!(fabs(decrement) < 1e30))
            return false;
        do {
            for (size_t j = 0; j < b->n_x; j++)
                at[j] = x[j] + part * move[j];
            evaluate(b, at);
            part *= 0.5;
        } while (part > 1e-9 && decrement > 1e-8 * b->mu &&
                 !(b->value <= before - 0.1 * part * decrement));
        if (!isfinite(b->value))
            return false;
        memcpy(x, at, sizeof(at));
        if (decrement <= 1e-20 * b->mu)
            return true;
    }
    return false;
}
/* Where the state keeps what: six arrays each of charge, discharge and state; then values. */
static void put_box(double *kept, size_t n, size_t i, double x, double low, double high, double mu)
{
    bool free = high > low;

    kept[i] = x;
    kept[n + i] = free ? mu / (x - low) : 0.0;
    kept[2 * n + i] = free ? mu / (high - x) : 0.0;
}

/* Writes the central point into the device's state, as if its turns had led there. */
void barrier_put(struct inside *in, struct barrier *b, const double *x)
{
    const struct smooth *smooth = in->smooth;
    size_t n = b->n, first = 0;
    double *value = in->state + 18 * n, *bend = in->state + 22 * n;

    while (first < n && !b->live[2 * n + first] && !b->live[3 * n + first])
        first++;
    barrier_states(b, x);
    for (size_t i = n; i-- > 0;) {
        const struct smooth_step *step = &smooth->step[smooth->first + i];
        double beyond = smooth->is_reach ? 1.0 + step->high - step->low : 0.0;
        double low = step->low - beyond, high = step->high + beyond;
        double slope = smooth->stiff / smooth->step_h * (b->state[i] - step->target);

        put_box(in->state, n, i, x[i], 0.0, smooth->charge_kw, b->mu);
        put_box(in->state + 6 * n, n, i, x[n + i], 0.0, smooth->discharge_kw, b->mu);
        put_box(in->state + 12 * n, n, i, b->state[i], low, high, b->mu);
        value[i] = (i + 1 < n ? smooth->keep * value[i + 1] : 0.0) - slope +
                   b->mu / (b->state[i] - low) - b->mu / (high - b->state[i]);
        for (int above = 0; above < 2 && i >= first; above++) {
            size_t m = n - first, at = (2 + (size_t)above) * n + i;
            double price = (above ? step->bend_above : step->bend_below) / smooth->step_h;
            double *kept = bend + (size_t)above * 4 * m + i - first;

            if (!b->live[at])
                continue;
            kept[0] = price - b->mu / x[at];
            kept[m] = x[at];
            value[i] += above ? -kept[0] : kept[0];
        }
    }
}
