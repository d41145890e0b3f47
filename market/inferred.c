#include "market/inferred.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Of the size of what is compared: answers are rounded, and are none the less best responses. */
#define ROUNDING 1e-9

void market_inferred_release(struct market_inferred *m)
{
    free(m->price);
    free(m->above);
    free(m->odd);
    *m = (struct market_inferred){.n_step = m->n_step};
}

static enum walras_status grow(struct market_inferred *m, struct walras_err *err)
{
    size_t capacity = m->n == 0 ? 1 : m->n < 8 ? 16 : 2 * m->n, n = capacity * m->n_step;
    double *both = calloc(2 * n + 1, sizeof(*both)), *ends = calloc(4 * capacity, sizeof(*ends));
    bool *odd = realloc(m->odd, capacity * sizeof(*odd));

    if (odd)
        m->odd = odd;
    if (!both || !ends || !odd) {
        free(both);
        free(ends);
        return walras_fail(err, WALRAS_NOMEM, "cannot keep %zu answers", capacity);
    }
    if (m->n > 0) {
        memcpy(both, m->price, m->n * m->n_step * sizeof(*both));
        memcpy(both + n, m->draw, m->n * m->n_step * sizeof(*both));
        memcpy(ends, m->above, m->n * sizeof(*ends));
        memcpy(ends + capacity, m->below, m->n * sizeof(*ends));
        memcpy(ends + 2 * capacity, m->paid, m->n * sizeof(*ends));
        memcpy(ends + 3 * capacity, m->value, m->n * sizeof(*ends));
    }
    free(m->price);
    free(m->above);
    m->price = both;
    m->draw = both + n;
    m->above = ends;
    m->below = ends + capacity;
    m->paid = ends + 2 * capacity;
    m->value = ends + 3 * capacity;
    m->capacity = capacity;
    return WALRAS_OK;
}

static double product(const struct market_inferred *m, size_t draw, size_t price)
{
    const double *x = m->draw + draw * m->n_step, *p = m->price + price * m->n_step;
    double sum = 0.0;

    for (size_t t = 0; t < m->n_step; t++)
        sum += p[t] * x[t];
    return sum;
}

/* How far v can rise from answer j to answer k (eq. H1); where both were told, how far it does. */
static double rise(const struct market_inferred *m, size_t j, size_t k)
{
    double told = m->value[k] - m->value[j];

    return isnan(told) ? product(m, j, k) - m->paid[j] : told;
}

/* Along paths from `root` (out), or to it: the rise from a to b is one along, or one against. */
static double edge(const struct market_inferred *m, size_t a, size_t b, bool out)
{
    return out ? rise(m, a, b) : rise(m, b, a);
}

static double slack_of(const struct market_inferred *m, size_t k)
{
    return ROUNDING * fmax(1.0, fabs(m->paid[k]));
}

/*
 * Takes what a new or lower end[start] does to the others, and so on. False: there is no end to it
 * or the root's own end falls: those answers are not all best responses.
 */
static bool spread(const struct market_inferred *m, size_t n, size_t start, size_t root, bool out,
                   double *end, bool *moved)
{
    size_t n_turn = 0;
    bool any = true;

    memset(moved, 0, n * sizeof(*moved));
    moved[start] = true;
    while (any && n_turn++ <= n) {
        any = false;
        for (size_t j = 0; j < n; j++) {
            if (!moved[j])
                continue;
            moved[j] = false;
            for (size_t k = 0; k < n; k++) {
                double found = k == j || m->odd[k] ? (double)INFINITY : end[j] + edge(m, j, k, out);

                if (found >= end[k] - slack_of(m, k))
                    continue;
                if (k == root)
                    return false;
                end[k] = found;
                moved[k] = any = true;
            }
        }
    }
    return !any;
}

/* The best that answer k's end is by the others'. */
static double reach(const struct market_inferred *m, size_t k, bool out, const double *end)
{
    double best = INFINITY;

    for (size_t j = 0; j < m->n; j++)
        if (j != k && !m->odd[j])
            best = fmin(best, end[j] + edge(m, j, k, out));
    return best;
}

/* Settles the last answer's ends, and through them the others'; or it is odd. */
static void settle(struct market_inferred *m, double *ends, bool *moved)
{
    size_t n = m->n, last = n - 1;
    double *above = ends, *below = ends + n;

    m->above[last] = reach(m, last, true, m->above);
    m->below[last] = reach(m, last, false, m->below);
    memcpy(above, m->above, n * sizeof(*above));
    memcpy(below, m->below, n * sizeof(*below));
    if (above[last] + below[last] >= -slack_of(m, last) &&
        spread(m, n, last, 0, true, above, moved) && spread(m, n, last, 0, false, below, moved)) {
        memcpy(m->above, above, n * sizeof(*above));
        memcpy(m->below, below, n * sizeof(*below));
        return;
    }
    m->odd[last] = true;
    m->n_odd++;
}

enum walras_status market_inferred_add(struct market_inferred *m, const double *price_per_mwh,
                                       const double *draw_kw, double cost, struct walras_err *err)
{
    enum walras_status status = m->n == m->capacity ? grow(m, err) : WALRAS_OK;
    double *ends = calloc(2 * (m->n + 1), sizeof(*ends));
    bool *moved = calloc(m->n + 1, sizeof(*moved));

    if (status == WALRAS_OK && (!ends || !moved))
        status = walras_fail(err, WALRAS_NOMEM, "cannot weigh %zu answers", m->n + 1);
    if (status == WALRAS_OK) {
        memcpy(m->price + m->n * m->n_step, price_per_mwh, m->n_step * sizeof(*price_per_mwh));
        memcpy(m->draw + m->n * m->n_step, draw_kw, m->n_step * sizeof(*draw_kw));
        m->odd[m->n] = false;
        m->above[m->n] = m->below[m->n] = 0.0;
        m->paid[m->n] = product(m, m->n, m->n);
        m->value[m->n] = cost + m->paid[m->n];
        m->n++;
        if (m->n > 1)
            settle(m, ends, moved);
    }
    if (status == WALRAS_OK && isnan(m->value[m->base]) && !m->odd[m->n - 1] && !isnan(cost))
        m->base = m->n - 1;
    free(moved);
    free(ends);
    return status;
}

static double middle(const struct market_inferred *m, size_t k)
{
    return 0.5 * (m->above[k] - m->below[k]);
}

double market_inferred_cost(const struct market_inferred *m, size_t k)
{
    double base = isnan(m->value[m->base]) ? m->paid[m->base] : m->value[m->base];

    return (isnan(m->value[k]) ? base + middle(m, k) - middle(m, m->base) : m->value[k]) -
           m->paid[k];
}

size_t market_inferred_find(const struct market_inferred *m, const double *draw_kw)
{
    for (size_t k = m->n; k-- > 0;)
        if (memcmp(m->draw + k * m->n_step, draw_kw, m->n_step * sizeof(*draw_kw)) == 0)
            return k;
    return SIZE_MAX;
}

enum walras_status market_inferred_most(const struct market_inferred *m, size_t from, double *most,
                                        struct walras_err *err)
{
    bool *moved = calloc(m->n + 1, sizeof(*moved));

    if (!moved)
        return walras_fail(err, WALRAS_NOMEM, "cannot weigh %zu answers", m->n);
    for (size_t k = 0; k < m->n; k++)
        most[k] = INFINITY;
    most[from] = 0.0;
    (void)spread(m, m->n, from, from, true, most, moved); /* ends: what is odd was left out */
    for (size_t k = 0; k < m->n; k++)
        if (m->odd[k])
            most[k] = middle(m, k) - middle(m, from);
    free(moved);
    return WALRAS_OK;
}

double market_inferred_rise(const struct market_inferred *m, size_t from, size_t k)
{
    return middle(m, k) - middle(m, from);
}
