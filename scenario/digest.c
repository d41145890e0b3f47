#include "scenario/digest.h"

#include "core/units.h"
#include "scenario/binding.h"
#include "scenario/certificate.h"
#include "scenario/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 8 };

/*
 * "18:15", local time of a step's start, with the day when the horizon is longer than one. What
 * ends at midnight ends at 24:00.
 */
static void clock_text(const struct scenario *s, size_t step, char text[SCENARIO_TIME_TEXT])
{
    char whole[SCENARIO_TIME_TEXT];
    bool days = s->horizon.step_h * (double)s->horizon.n_step > 24.0;

    scenario_step_text(s, step, whole);
    if (days)
        snprintf(text, SCENARIO_TIME_TEXT, "%.5s %.5s", whole + 5, whole + 11);
    else
        snprintf(text, SCENARIO_TIME_TEXT, "%.5s", whole + 11);
    if (step > 0 && strcmp(text, "00:00") == 0)
        memcpy(text, "24", 2);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_limit_reached(FILE *file, const struct scenario_result *r, bool doubtful)
{
    const struct market_result *m = r->market;

    fprintf(file, "stopped at the %s limit after %u round%s, %.2f s%s\n",
            m->outcome == MARKET_ROUND_LIMIT ? "round" : "time", m->n_rounds, plural(m->n_rounds),
            m->seconds,
            doubtful    ? ""
            : r->awards ? "; the plan below is feasible, its gap larger than asked"
            : r->why    ? ""
                        : "; no feasible plan yet: allow more rounds");
}

static void print_outcome(FILE *file, const struct scenario_result *r)
{
    const struct market_result *m = r->market;
    bool doubtful = r->awards && r->certificate && !r->certificate->clean;

    fprintf(file, "%s: %s", r->scenario->name, doubtful ? "the plan below is NOT certified; " : "");
    switch (m->outcome) {
    case MARKET_CONVERGED:
        fprintf(file, "cleared in %u round%s, %.2f s (%llu device answers)\n", m->n_rounds,
                plural(m->n_rounds), m->seconds, (unsigned long long)m->n_responses);
        break;
    case MARKET_ROUND_LIMIT:
    case MARKET_TIME_LIMIT:
        print_limit_reached(file, r, doubtful);
        break;
    case MARKET_INFEASIBLE:
        fputs("cannot be cleared\n", file);
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
                "             of the gap, %.1e is what these on/off choices cost against mixing "
                "them\n",
                (m->objective - m->convex_objective) / fmax(1.0, fabs(m->objective)));
}

static void print_prices(FILE *file, const struct scenario_result *r)
{
    const struct market_result *m = r->market;
    const struct scenario *s = r->scenario;
    struct scenario_extreme low, high;
    size_t n = m->n_bus * m->n_step;
    double sum = 0.0;
    char at_low[SCENARIO_TIME_TEXT], at_high[SCENARIO_TIME_TEXT];
    char low_bus[SCENARIO_WORDS], high_bus[SCENARIO_WORDS];

    for (size_t i = 0; i < n; i++)
        sum += m->price_per_mwh[i];
    scenario_price_extremes(r, &low, &high);
    clock_text(s, low.step, at_low);
    clock_text(s, high.step, at_high);
    scenario_bus_words(&s->network, low.bus, low.n_alike, low_bus);
    scenario_bus_words(&s->network, high.bus, high.n_alike, high_bus);
    fprintf(file,
            "  prices     %.2f %s/MWh on average; lowest %.2f at %s, %s; highest %.2f at %s, %s\n",
            sum / (double)n, s->currency, low.price_per_mwh, low_bus, at_low, high.price_per_mwh,
            high_bus, at_high);
}

static void print_exchange(FILE *file, const struct scenario_result *r)
{
    const struct scenario *s = r->scenario;
    double in = 0.0, out = 0.0, peak_kw = 0.0;
    size_t n_step = s->horizon.n_step;
    char imported[SCENARIO_WORDS], exported[SCENARIO_WORDS], peak[SCENARIO_WORDS];

    for (size_t t = 0; t < n_step; t++) {
        double net_kw = 0.0;

        for (size_t k = 0; k < s->n_supply; k++) {
            in += r->import_kw[k * n_step + t];
            out += r->export_kw[k * n_step + t];
            net_kw += r->import_kw[k * n_step + t] - r->export_kw[k * n_step + t];
        }
        peak_kw = fmax(peak_kw, net_kw);
    }
    scenario_energy_words(walras_mwh(in, s->horizon.step_h), imported);
    scenario_energy_words(walras_mwh(out, s->horizon.step_h), exported);
    scenario_power_words(peak_kw, peak);
    fprintf(file, "; import %s (peak %s), export %s", imported, peak, exported);
}

static void print_energy(FILE *file, const struct scenario_result *r)
{
    char draw[SCENARIO_WORDS], give[SCENARIO_WORDS];

    if (!r->certificate)
        return;
    scenario_energy_words(r->certificate->drawn_mwh, draw);
    scenario_energy_words(r->certificate->given_mwh, give);
    fprintf(file, "  energy     devices draw %s and give %s", draw, give);
    if (r->scenario->n_supply > 0)
        print_exchange(file, r);
    fputc('\n', file);
}

struct full_line { /* a limit and the steps in which it has a shadow price */
    size_t row, n_step, first, last;
    int direction;
    double worst_per_mwh;
};

static int by_price(const void *left, const void *right)
{
    const struct full_line *a = left, *b = right;

    if (a->worst_per_mwh > b->worst_per_mwh)
        return -1;
    return a->worst_per_mwh < b->worst_per_mwh;
}

/*
 * The sides of one limit of apparent power that bind in one step become one: what more of the limit
 * saves is what all its sides save. Returns how many are left.
 */
static size_t join_sides(const struct grid_limits *limits, struct market_binding *binding, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        const struct grid_limit *limit = grid_limits_at(limits, binding[i].row);
        size_t at = kept;

        if (!grid_limit_is_side(limit)) {
            binding[kept++] = binding[i];
            continue;
        }
        binding[i].shadow_price_per_mwh *= grid_polygon_side(limit->side).share;
        binding[i].row -= limit->side; /* rows of sides stand together */
        while (at > 0 &&
               (binding[at - 1].row != binding[i].row || binding[at - 1].step != binding[i].step))
            at--;
        if (at > 0)
            binding[at - 1].shadow_price_per_mwh += binding[i].shadow_price_per_mwh;
        else
            binding[kept++] = binding[i];
    }
    return kept;
}

/* The lines behind `binding`, which names each row and step once; the dearest first. */
static size_t gather_lines(const struct market_binding *binding, size_t n_binding, double least,
                           struct full_line *lines)
{
    size_t n = 0;

    for (size_t i = 0; i < n_binding; i++) {
        const struct market_binding *b = &binding[i];
        size_t at = 0;

        if (b->shadow_price_per_mwh < least)
            continue;
        while (at < n && lines[at].row != b->row)
            at++;
        if (at == n)
            lines[n++] = (struct full_line){
                .row = b->row, .direction = b->direction, .first = b->step, .last = b->step};
        lines[at].n_step++;
        lines[at].first = b->step < lines[at].first ? b->step : lines[at].first;
        lines[at].last = b->step > lines[at].last ? b->step : lines[at].last;
        lines[at].worst_per_mwh = fmax(lines[at].worst_per_mwh, b->shadow_price_per_mwh);
    }
    qsort(lines, n, sizeof(*lines), by_price);
    return n;
}

/* What more of a limit would save: a MW or MVA of a line, a hundredth of a voltage. */
static void saving_words(const struct scenario_result *r, const struct full_line *full,
                         char words[SCENARIO_WORDS])
{
    const struct grid_limit *limit = grid_limits_at(r->limits, full->row);
    double per_kw = grid_limits_unit_per_kw(r->limits, full->row, full->direction);

    if (limit->kind == GRID_LIMIT_VOLTAGE)
        snprintf(words, SCENARIO_WORDS, "0.01 per unit more would save up to %.4g %s/h",
                 0.01 * walras_mw_from_kw(full->worst_per_mwh / per_kw), r->scenario->currency);
    else
        snprintf(words, SCENARIO_WORDS, "one more %s would save up to %.2f %s/M%sh",
                 grid_limit_is_side(limit) ? "MVA" : "MW", full->worst_per_mwh,
                 r->scenario->currency, grid_limit_is_side(limit) ? "VA" : "W");
}

static const struct {
    const char *word, *title; /* how a limit's words begin, and what stands there instead */
} full_things[] = {{"line ", "full line"}, {"inverter ", "inverter "}};

static void print_line(FILE *file, const struct scenario_result *r, const struct full_line *full)
{
    char first[SCENARIO_TIME_TEXT], last[SCENARIO_TIME_TEXT];
    char limit[SCENARIO_LIMIT_WORDS], saving[SCENARIO_WORDS];
    const char *what = "voltage  ", *rest = limit;

    clock_text(r->scenario, full->first, first);
    clock_text(r->scenario, full->last + 1, last);
    scenario_limit_words(r->scenario, r->limits, full->row, full->direction, limit);
    saving_words(r, full, saving);
    for (size_t i = 0; i < sizeof(full_things) / sizeof(full_things[0]); i++)
        if (strncmp(limit, full_things[i].word, strlen(full_things[i].word)) == 0) {
            what = full_things[i].title;
            rest = limit + strlen(full_things[i].word);
        }
    fprintf(file, "  %s  %s in %zu step%s between %s and %s; %s\n", what, rest, full->n_step,
            plural(full->n_step), first, last, saving);
}

static enum walras_status print_lines(FILE *file, const struct scenario_result *r,
                                      struct walras_err *err)
{
    struct full_line *lines = calloc(r->market->n_binding + 1, sizeof(*lines));
    struct market_binding *binding = NULL;
    size_t n_binding = 0;
    enum walras_status status =
        lines ? scenario_net_binding(r->market, r->limits, &binding, &n_binding, err)
              : walras_fail(err, WALRAS_NOMEM, "the summary does not fit in memory");

    if (status != WALRAS_OK)
        goto out;

    double least = 1e-4 * fmax(1.0, scenario_largest_price(r->market));
    if (r->limits)
        n_binding = join_sides(r->limits, binding, n_binding);
    size_t n = gather_lines(binding, n_binding, least, lines);

    for (size_t i = 0; i < n && i < MOST_LINES; i++)
        print_line(file, r, &lines[i]);
    if (n > MOST_LINES)
        fprintf(file, "             and %zu more limit%s\n", n - MOST_LINES,
                plural(n - MOST_LINES));
    if (n == 0 && r->limits)
        fputs("  full line  none\n", file);
out:
    free(binding);
    free(lines);
    return status;
}

/* Soft limits that the plan breaks, because keeping them would cost more. */
static void print_relaxed(FILE *file, const struct scenario_result *r)
{
    const struct market_result *m = r->market;
    const struct market_breach *dearest = NULL;
    double cost = 0.0;
    size_t n = 0;
    char worst[SCENARIO_WORDS];

    for (size_t i = 0; i < m->n_breach; i++) {
        if (m->breach[i].kind != MARKET_BREACH_LIMIT)
            continue;
        cost += m->breach[i].cost;
        if (!dearest || m->breach[i].cost > dearest->cost)
            dearest = &m->breach[i];
        n++;
    }
    if (!dearest)
        return;
    scenario_breach_words(r->limits, dearest->row, dearest->direction, dearest->breach_kw, worst);
    fprintf(file, "  relaxed    soft limits %zu time%s, by up to %s, for %.4f %s\n", n, plural(n),
            worst, cost, r->scenario->currency);
}

static void print_certificate(FILE *file, const struct scenario_certificate *c, bool soft)
{
    char imbalance[SCENARIO_WORDS], breach[SCENARIO_WORDS];

    scenario_power_words(c->max_imbalance_kw, imbalance);
    scenario_power_words(c->max_line_breach_kw, breach);
    if (c->clean && soft)
        fprintf(file, "  certified  imbalance %s; every device within %.0e of its limits\n",
                imbalance, c->max_device_breach);
    else if (c->clean)
        fprintf(file,
                "  certified  imbalance %s, lines over their limits by %s; every device within "
                "%.0e\n",
                imbalance, breach, c->max_device_breach);
    else
        fprintf(file,
                "  NOT CERTIFIED: imbalance %s, line breach %s, device breach %.3g (%s), price "
                "error %.3g\n",
                imbalance, breach, c->max_device_breach, c->device_what ? c->device_what : "none",
                c->max_price_error_per_mwh);
}

/* The plan on the grid as it is, beside the model that prices are of. */
static void print_physics(FILE *file, const struct scenario_result *r)
{
    const struct scenario_physics *p = &r->certificate->physics;
    const struct grid_network *network = &r->scenario->network;
    char low[SCENARIO_TIME_TEXT], full[SCENARIO_TIME_TEXT], at[SCENARIO_TIME_TEXT];
    char off[SCENARIO_WORDS];

    if (!p->known)
        return;
    if (p->unsolved != SIZE_MAX) {
        clock_text(r->scenario, p->unsolved, at);
        fprintf(
            file,
            "  AC check   NO SOLUTION at %s: the grid bears some %.0f %% of the plan's powers\n",
            at, 100.0 * p->reached_share);
        return;
    }
    clock_text(r->scenario, p->lowest.step, low);
    scenario_power_words(p->max_flow_error_kw, off);
    fprintf(file, "  AC check   %svoltages %.4f (bus %s at %s) to %.4f",
            p->max_voltage_breach_pu > 0.0 || p->max_loading > 1.0 ? "OVER LIMITS: " : "",
            p->lowest_v_pu, network->buses[p->lowest.index].id, low, p->highest_v_pu);
    if (p->max_loading > 0.0) {
        clock_text(r->scenario, p->loading.step, full);
        fprintf(file, ", lines to %.1f %% (%s at %s)", 100.0 * p->max_loading,
                network->lines[p->loading.index].id, full);
    }
    fprintf(file, "\n             losses %.4g MWh; the market's model is off by up to %s",
            p->loss_mwh, off);
    if (r->v_pu)
        fprintf(file, " and %.4f p.u.", p->max_voltage_error_pu);
    fputc('\n', file);
}

static void print_losses(FILE *file, const struct scenario_result *r)
{
    const struct scenario_losses_told *told = r->losses;
    size_t n_step = r->scenario->horizon.n_step, n = 0;
    char energy[SCENARIO_WORDS], off[SCENARIO_WORDS];
    double drawn_mwh = 0.0;

    for (size_t b = 0; b < r->scenario->network.n_bus; b++)
        n += grid_network_is_slack(&r->scenario->network, b);
    for (size_t i = 0; i < n * n_step; i++)
        drawn_mwh += walras_mwh(r->loss_kw[i], r->scenario->horizon.step_h);
    scenario_energy_words(drawn_mwh, energy);
    scenario_power_words(told->max_error_kw, off);
    if (told->settled)
        fprintf(
            file,
            "  losses     %s are bought for them, within %s of what the plan loses in any step; "
            "%u clearings\n",
            energy, off, told->n_clearing);
    else
        fprintf(file, "  LOSSES     %s are bought for them: %s\n", energy, told->why);
}

static void print_ac(FILE *file, const struct scenario_result *r)
{
    const struct scenario_ac *ac = r->ac;

    if (!ac->feasible)
        fprintf(file, "  NOT AC-FEASIBLE: %s\n", ac->why);
    else if (ac->n_clearing == 1)
        fprintf(file, "  AC         the first plan keeps all limits\n");
    else
        fprintf(
            file, "  AC         keeps all limits after %u clearings, for %.4f %s more (%.2g %%)\n",
            ac->n_clearing, ac->objective - ac->first_objective, r->scenario->currency,
            100.0 * (ac->objective - ac->first_objective) / fmax(1.0, fabs(ac->first_objective)));
}

enum walras_status scenario_digest_print(FILE *file, const struct scenario_result *result,
                                         struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    print_outcome(file, result);
    if (!result->awards)
        return WALRAS_OK;
    print_cost(file, result);
    print_prices(file, result);
    print_energy(file, result);
    status = print_lines(file, result, err);
    print_relaxed(file, result);
    if (status == WALRAS_OK && result->certificate)
        print_certificate(file, result->certificate,
                          !isnan(result->scenario->line_overload_price_per_mwh));
    if (status == WALRAS_OK && result->certificate)
        print_physics(file, result);
    if (status == WALRAS_OK && result->losses && result->certificate)
        print_losses(file, result);
    if (status == WALRAS_OK && result->ac)
        print_ac(file, result);
    return status;
}
