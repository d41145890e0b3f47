#include "scenario/digest.h"

#include "core/units.h"
#include "scenario/certificate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 8 };

/* "18:15", local time of a step's start, with the day when the horizon is longer than one. */
static void clock_text(const struct scenario *s, size_t step, char text[SCENARIO_TIME_TEXT])
{
    char whole[SCENARIO_TIME_TEXT];
    bool days = s->horizon.step_h * (double)s->horizon.n_step > 24.0;

    scenario_step_text(s, step, whole);
    if (days)
        snprintf(text, SCENARIO_TIME_TEXT, "%.5s %.5s", whole + 5, whole + 11);
    else
        snprintf(text, SCENARIO_TIME_TEXT, "%.5s", whole + 11);
}

static void print_outcome(FILE *file, const struct scenario_result *r)
{
    const struct market_result *m = r->market;
    const struct scenario *s = r->scenario;

    switch (m->outcome) {
    case MARKET_CONVERGED:
        fprintf(file, "%s: cleared in %u round%s, %.2f s (%llu device answers)\n", s->name,
                m->n_rounds, m->n_rounds == 1 ? "" : "s", m->seconds,
                (unsigned long long)m->n_responses);
        break;
    case MARKET_ROUND_LIMIT:
    case MARKET_TIME_LIMIT:
        fprintf(file, "%s: stopped at the %s limit after %u rounds, %.2f s%s\n", s->name,
                m->outcome == MARKET_ROUND_LIMIT ? "round" : "time", m->n_rounds, m->seconds,
                r->award_kw ? "; the plan below is feasible, its gap larger than asked"
                : r->why    ? ""
                            : "; no feasible plan yet: allow more rounds");
        break;
    case MARKET_INFEASIBLE:
        fprintf(file, "%s: cannot be cleared\n", s->name);
        break;
    }
    if (r->why)
        fprintf(file, "  why        %s\n", r->why);
}

static void print_cost(FILE *file, const struct scenario_result *r)
{
    const struct market_result *m = r->market;
    const char *currency = r->scenario->currency;
    double gap = (m->objective - m->bound) / fmax(1.0, fabs(m->objective));

    fprintf(file, "  cost       %.4f %s, no plan can cost less than %.4f (gap %.1e)\n",
            m->objective, currency, m->bound, gap);
    if (m->convex_objective < m->objective - 1e-9 * fmax(1.0, fabs(m->objective)))
        fprintf(file,
                "             of the gap %.1e is what whole on/off decisions cost against mixing "
                "them\n",
                (m->objective - m->convex_objective) / fmax(1.0, fabs(m->objective)));
}

static void print_prices(FILE *file, const struct scenario_result *r)
{
    const struct market_result *m = r->market;
    const struct scenario *s = r->scenario;
    size_t n = m->n_bus * m->n_step, low = 0, high = 0;
    double sum = 0.0;
    char at_low[SCENARIO_TIME_TEXT], at_high[SCENARIO_TIME_TEXT];

    for (size_t i = 0; i < n; i++) {
        low = m->price_per_mwh[i] < m->price_per_mwh[low] ? i : low;
        high = m->price_per_mwh[i] > m->price_per_mwh[high] ? i : high;
        sum += m->price_per_mwh[i];
    }
    clock_text(s, low % m->n_step, at_low);
    clock_text(s, high % m->n_step, at_high);
    fprintf(file,
            "  prices     %.2f %s/MWh on average; lowest %.2f at bus %s, %s; highest %.2f at bus "
            "%s, %s\n",
            sum / (double)n, s->currency, m->price_per_mwh[low],
            s->network.buses[low / m->n_step].id, at_low, m->price_per_mwh[high],
            s->network.buses[high / m->n_step].id, at_high);
}

static void print_energy(FILE *file, const struct scenario_result *r)
{
    const struct scenario *s = r->scenario;
    double drawn = 0.0, injected = 0.0, in = 0.0, out = 0.0, peak_kw = 0.0;
    size_t n_step = s->horizon.n_step;

    for (size_t i = 0; i < s->n_device * n_step; i++) {
        drawn += fmax(r->award_kw[i], 0.0);
        injected -= fmin(r->award_kw[i], 0.0);
    }
    for (size_t t = 0; t < n_step; t++) {
        double net_kw = 0.0;

        for (size_t k = 0; k < s->n_supply; k++) {
            in += r->import_kw[k * n_step + t];
            out += r->export_kw[k * n_step + t];
            net_kw += r->import_kw[k * n_step + t] - r->export_kw[k * n_step + t];
        }
        peak_kw = fmax(peak_kw, net_kw);
    }
    fprintf(file,
            "  energy     devices draw %.3f MWh and give %.3f MWh; import %.3f MWh (peak %.4g kW), "
            "export %.3f MWh\n",
            walras_mwh(drawn, s->horizon.step_h), walras_mwh(injected, s->horizon.step_h),
            walras_mwh(in, s->horizon.step_h), peak_kw, walras_mwh(out, s->horizon.step_h));
}

struct full_line { /* a limit and the steps in which it has a shadow price */
    size_t row, n_step, first, last;
    double worst_per_mwh;
};

static int by_price(const void *left, const void *right)
{
    const struct full_line *a = left, *b = right;

    if (a->worst_per_mwh > b->worst_per_mwh)
        return -1;
    return a->worst_per_mwh < b->worst_per_mwh;
}

static size_t gather_lines(const struct scenario_result *r, struct full_line *lines, double least)
{
    const struct market_result *m = r->market;
    size_t n = 0;

    for (size_t i = 0; i < m->n_binding; i++) {
        const struct market_binding *b = &m->binding[i];
        size_t at = 0;

        if (b->shadow_price_per_mwh < least)
            continue;
        while (at < n && lines[at].row != b->row)
            at++;
        if (at == n)
            lines[n++] = (struct full_line){.row = b->row, .first = b->step, .last = b->step};
        lines[at].n_step++;
        lines[at].first = b->step < lines[at].first ? b->step : lines[at].first;
        lines[at].last = b->step > lines[at].last ? b->step : lines[at].last;
        lines[at].worst_per_mwh = fmax(lines[at].worst_per_mwh, b->shadow_price_per_mwh);
    }
    qsort(lines, n, sizeof(*lines), by_price);
    return n;
}

static void print_line(FILE *file, const struct scenario_result *r, const struct full_line *full)
{
    const struct grid_network *network = &r->scenario->network;
    const struct grid_line *line = &network->lines[grid_limits_at(r->limits, full->row)->index];
    char first[SCENARIO_TIME_TEXT], last[SCENARIO_TIME_TEXT];

    clock_text(r->scenario, full->first, first);
    clock_text(r->scenario, full->last + 1, last);
    fprintf(file,
            "  full line  %s (bus %s to %s, %.4g kW) in %zu steps between %s and %s; one more MW "
            "would save up to %.2f %s/MWh\n",
            line->id, network->buses[line->from].id, network->buses[line->to].id,
            line->limit_kw * r->scenario->rating_scale, full->n_step, first, last,
            full->worst_per_mwh, r->scenario->currency);
}

static enum walras_status print_lines(FILE *file, const struct scenario_result *r,
                                      struct walras_err *err)
{
    struct full_line *lines = calloc(r->market->n_binding + 1, sizeof(*lines));
    double largest = 1.0;

    if (!lines)
        return walras_fail(err, WALRAS_NOMEM, "the summary does not fit in memory");
    for (size_t i = 0; i < r->market->n_bus * r->market->n_step; i++)
        largest = fmax(largest, fabs(r->market->price_per_mwh[i]));
    size_t n = gather_lines(r, lines, 1e-4 * largest);

    for (size_t i = 0; i < n && i < MOST_LINES; i++)
        print_line(file, r, &lines[i]);
    if (n > MOST_LINES)
        fprintf(file, "             and %zu more lines\n", n - MOST_LINES);
    if (n == 0 && r->limits)
        fputs("  full line  none\n", file);
    free(lines);
    return WALRAS_OK;
}

/* Soft limits that the plan breaks, because keeping them would cost more. */
static void print_relaxed(FILE *file, const struct scenario_result *r)
{
    const struct market_result *m = r->market;
    double cost = 0.0, worst_kw = 0.0;
    size_t n = 0;

    for (size_t i = 0; i < m->n_breach; i++) {
        if (m->breach[i].kind != MARKET_BREACH_LIMIT)
            continue;
        cost += m->breach[i].cost;
        worst_kw = fmax(worst_kw, m->breach[i].breach_kw);
        n++;
    }
    if (n > 0)
        fprintf(file, "  relaxed    soft limits %zu times, by up to %.4g kW, for %.4f %s\n", n,
                worst_kw, cost, r->scenario->currency);
}

static void print_certificate(FILE *file, const struct scenario_certificate *c, bool soft)
{
    if (c->clean && soft)
        fprintf(file,
                "  certified  balance within %.0e kW, every device within %.0e of its limits\n",
                c->max_imbalance_kw, c->max_device_breach);
    else if (c->clean)
        fprintf(file,
                "  certified  balance within %.0e kW, no line more than %.0e kW over its limit, "
                "every device within %.0e\n",
                c->max_imbalance_kw, c->max_line_breach_kw, c->max_device_breach);
    else
        fprintf(file,
                "  NOT CERTIFIED: imbalance %.3g kW, line breach %.3g kW, device breach %.3g (%s), "
                "price error %.3g\n",
                c->max_imbalance_kw, c->max_line_breach_kw, c->max_device_breach,
                c->device_what ? c->device_what : "none", c->max_price_error_per_mwh);
}

enum walras_status scenario_digest_print(FILE *file, const struct scenario_result *result,
                                         struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    print_outcome(file, result);
    if (!result->award_kw)
        return WALRAS_OK;
    print_cost(file, result);
    print_prices(file, result);
    print_energy(file, result);
    status = print_lines(file, result, err);
    print_relaxed(file, result);
    if (status == WALRAS_OK && result->certificate)
        print_certificate(file, result->certificate,
                          !isnan(result->scenario->line_overload_price_per_mwh));
    return status;
}
