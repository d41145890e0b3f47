#include "scenario/powerflow.h"

#include "core/units.h"
#include "scenario/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A voltage is outside a limit, a power above one, from here on: less is rounding. */
static const double outside_pu = 1e-6, above_kvar = 1e-3;

struct ranked { /* by `first`, then `second`, the largest first; then as they stand */
    double first, second;
    size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->first != y->first)
        return x->first > y->first ? -1 : 1;
    if (x->second != y->second)
        return x->second > y->second ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

void scenario_powerflow_why(const struct scenario_powerflow *run, char text[SCENARIO_POWERFLOW_WHY])
{
    const struct grid_powerflow_solution *s = &run->solution;

    if (s->reached_share == 0.0)
        snprintf(text, SCENARIO_POWERFLOW_WHY,
                 "%.100s: no AC power flow: voltages are not determined even when nobody draws or "
                 "gives (lines, shunts and voltages to hold contradict each other)",
                 scenario_powerflow_name(run));
    else
        snprintf(text, SCENARIO_POWERFLOW_WHY,
                 "%.100s: no AC power flow: voltages collapse at %.2f %% of the powers asked for; "
                 "lowest there is bus %.100s",
                 scenario_powerflow_name(run), 100.0 * s->reached_share,
                 scenario_powerflow_network(run)->buses[s->weakest].id);
}

static void print_title(const struct scenario_powerflow *run, FILE *file)
{
    char start[SCENARIO_TIME_TEXT];

    fprintf(file, "%s: AC power flow", scenario_powerflow_name(run));
    if (run->of == SCENARIO_POWERFLOW_CASE) {
        fputc('\n', file);
        return;
    }
    scenario_step_text(&run->scenario, run->step, start);
    fprintf(file, " of %s in step %zu (%s)\n",
            run->of == SCENARIO_POWERFLOW_PLAN ? "the plan" : "fixed draws alone", run->step,
            start);
}

/* "-12.5 kvar", "1.25 Mvar". */
static void reactive_words(double kvar, char words[SCENARIO_WORDS])
{
    if (fabs(kvar) >= 9999.5)
        snprintf(words, SCENARIO_WORDS, "%.4g Mvar", walras_mw_from_kw(kvar));
    else
        snprintf(words, SCENARIO_WORDS, "%.4g kvar", kvar);
}

static void print_power(FILE *file, const char *label, double kw, double kvar, const char *end)
{
    char active[SCENARIO_WORDS], reactive[SCENARIO_WORDS];

    scenario_power_words(kw, active);
    reactive_words(kvar, reactive);
    fprintf(file, "  %-10s %s, %s%s", label, active, reactive, end);
}

static double outside_limits_pu(const struct scenario_powerflow *run, size_t bus)
{
    const struct grid_bus *b = &scenario_powerflow_network(run)->buses[bus];
    double vm = run->solution.vm_pu[bus];
    double outside = fmax(b->v_min_pu - vm, vm - b->v_max_pu);

    return outside > outside_pu ? outside : 0.0;
}

static void print_voltages(const struct scenario_powerflow *run, FILE *file)
{
    const struct grid_network *network = scenario_powerflow_network(run);
    const double *vm = run->solution.vm_pu;
    size_t lowest = run->solution.weakest, highest = 0, n_outside = 0;

    for (size_t b = 0; b < network->n_bus; b++) {
        highest = vm[b] > vm[highest] ? b : highest;
        n_outside += outside_limits_pu(run, b) > 0.0;
    }
    fprintf(file, "  voltages   %.5f p.u. at bus %s to %.5f at bus %s", vm[lowest],
            network->buses[lowest].id, vm[highest], network->buses[highest].id);
    if (n_outside > 0)
        fprintf(file, "; %zu bus%s outside limits", n_outside, n_outside == 1 ? "" : "es");
    fputc('\n', file);
}

static void print_slack(const struct scenario_powerflow *run, size_t bus, FILE *file)
{
    print_power(file, "slack", run->solution.injection_kw[bus], run->solution.injection_kvar[bus],
                "");
    fprintf(file, ", given at bus %s\n", scenario_powerflow_network(run)->buses[bus].id);
}

/* One a line, that of the network first. */
static void print_slacks(const struct scenario_powerflow *run, FILE *file)
{
    const struct grid_network *network = scenario_powerflow_network(run);

    print_slack(run, network->slack, file);
    for (size_t b = 0; b < network->n_bus; b++)
        if (b != network->slack && grid_network_is_slack(network, b))
            print_slack(run, b, file);
}

static void print_summary(const struct scenario_powerflow *run, FILE *file)
{
    const struct grid_network *network = scenario_powerflow_network(run);
    const struct grid_powerflow_solution *s = &run->solution;
    double fed_kw = 0.0;
    size_t n_line = 0;
    char charging[SCENARIO_WORDS];

    for (size_t l = 0; l < network->n_line; l++)
        n_line += network->lines[l].in_service ? 1 : 0;
    for (size_t b = 0; b < network->n_bus; b++)
        fed_kw += fmax(s->injection_kw[b], 0.0);
    fprintf(file, "  network    %zu bus%s, %zu line%s in service, base %.6g MVA\n", network->n_bus,
            network->n_bus == 1 ? "" : "es", n_line, plural(n_line), network->base_mva);
    fprintf(file, "  solved     in %u Newton step%s, to %.1e kVA at every bus\n", s->iterations,
            plural(s->iterations), s->mismatch_kva);
    print_slacks(run, file);
    print_power(file, "losses", s->loss_kw, s->loss_kvar, "");
    if (fed_kw > 0.0)
        fprintf(file, "; %.2f %% of what is fed in", 100.0 * s->loss_kw / fed_kw);
    fputc('\n', file);
    if (s->charging_kvar != 0.0) {
        reactive_words(s->charging_kvar, charging);
        fprintf(file, "  charging   %s given by lines\n", charging);
    }
    if (s->shunt_kw != 0.0 || s->shunt_kvar != 0.0)
        print_power(file, "shunts", s->shunt_kw, s->shunt_kvar, " drawn\n");
    print_voltages(run, file);
}

/* Generators of a case that give more or less reactive power than they can. */
static void print_reactive_limits(const struct scenario_powerflow *run, FILE *file)
{
    const struct grid_case *c = &run->from;

    for (size_t b = 0; b < c->network.n_bus && run->of == SCENARIO_POWERFLOW_CASE; b++) {
        double low = 0.0, high = 0.0, gives_kvar;
        char words[SCENARIO_WORDS], limit[SCENARIO_WORDS];

        if (isnan(run->hold_v_pu[b]))
            continue;
        for (size_t g = 0; g < c->n_generator; g++)
            if (c->generators[g].bus == b) {
                low += c->generators[g].q_min_kvar;
                high += c->generators[g].q_max_kvar;
            }
        gives_kvar = run->solution.injection_kvar[b] + c->network.buses[b].load_kvar;
        if (!(gives_kvar > high + above_kvar || gives_kvar < low - above_kvar))
            continue;
        reactive_words(gives_kvar, words);
        reactive_words(gives_kvar > high ? high : low, limit);
        fprintf(file, "  warning    generators at bus %s would give %s, %s their limit of %s\n",
                c->network.buses[b].id, words, gives_kvar > high ? "above" : "below", limit);
    }
}

static void print_limits(const struct grid_bus *bus, double outside, FILE *file)
{
    if (bus->v_min_pu > 0.0 || isfinite(bus->v_max_pu)) {
        fprintf(file, "  %.4g .. ", bus->v_min_pu);
        if (isfinite(bus->v_max_pu))
            fprintf(file, "%.4g", bus->v_max_pu);
    }
    fputs(outside > 0.0 ? "  outside\n" : "\n", file);
}

/* Those outside their limits by the most, then those farthest from 1 p.u. */
static void print_buses(const struct scenario_powerflow *run, size_t n_row, struct ranked *ranked,
                        FILE *file)
{
    const struct grid_network *network = scenario_powerflow_network(run);
    const struct grid_powerflow_solution *s = &run->solution;

    for (size_t b = 0; b < network->n_bus; b++)
        ranked[b] = (struct ranked){outside_limits_pu(run, b), fabs(s->vm_pu[b] - 1.0), b};
    qsort(ranked, network->n_bus, sizeof(*ranked), compare_ranked);
    fprintf(file, "\n  %-16s %10s %10s  %s\n", "bus", "p.u.", "degrees", "limits");
    for (size_t i = 0; i < n_row && i < network->n_bus; i++) {
        size_t b = ranked[i].index;

        fprintf(file, "  %-16s %10.5f %10.4f", network->buses[b].id, s->vm_pu[b],
                walras_deg_from_rad(s->va_rad[b]));
        print_limits(&network->buses[b], ranked[i].first, file);
    }
}

static double line_kva(const struct grid_powerflow_solution *s, size_t line)
{
    return fmax(hypot(s->from_kw[line], s->from_kvar[line]),
                hypot(s->to_kw[line], s->to_kvar[line]));
}

static double line_limit_kva(const struct scenario_powerflow *run, size_t line)
{
    double scale = run->of == SCENARIO_POWERFLOW_CASE ? 1.0 : run->scenario.rating_scale;

    return scale * grid_line_rating_kva(&scenario_powerflow_network(run)->lines[line]);
}

static double line_loading(const struct scenario_powerflow *run, size_t line)
{
    double kva = line_kva(&run->solution, line);

    return kva > 0.0 ? kva / line_limit_kva(run, line) : 0.0; /* a limit may be 0 */
}

/* Those that use most of their limit, then those without one that carry most. */
static void print_lines(const struct scenario_powerflow *run, size_t n_row, struct ranked *ranked,
                        FILE *file)
{
    const struct grid_network *network = scenario_powerflow_network(run);
    const struct grid_powerflow_solution *s = &run->solution;
    char ends[300];

    for (size_t l = 0; l < network->n_line; l++)
        ranked[l] = (struct ranked){line_loading(run, l), line_kva(s, l), l};
    qsort(ranked, network->n_line, sizeof(*ranked), compare_ranked);
    fprintf(file, "\n  %-16s %-16s %12s %12s %12s  %s\n", "line", "from - to", "kW", "kvar", "kVA",
            "of limit");
    for (size_t i = 0; i < n_row && i < network->n_line; i++) {
        size_t l = ranked[i].index;

        snprintf(ends, sizeof(ends), "%s - %s", network->buses[network->lines[l].from].id,
                 network->buses[network->lines[l].to].id);
        fprintf(file, "  %-16s %-16s %12.2f %12.2f %12.2f", network->lines[l].id, ends,
                s->from_kw[l], s->from_kvar[l], ranked[i].second);
        if (isfinite(line_limit_kva(run, l)))
            fprintf(file, "  %.1f %% of %.6g%s\n", 100.0 * ranked[i].first, line_limit_kva(run, l),
                    ranked[i].first > 1.0 ? "  above" : "");
        else
            fputc('\n', file);
    }
}

enum walras_status scenario_powerflow_print(const struct scenario_powerflow *run, size_t n_row,
                                            FILE *file, struct walras_err *err)
{
    const struct grid_network *network = scenario_powerflow_network(run);
    size_t most = network->n_bus > network->n_line ? network->n_bus : network->n_line;
    struct ranked *ranked = calloc(most, sizeof(*ranked));

    if (!ranked)
        return walras_fail(err, WALRAS_NOMEM, "no memory to print %zu buses and lines", most);
    print_title(run, file);
    print_summary(run, file);
    print_reactive_limits(run, file);
    if (n_row > 0)
        print_buses(run, n_row, ranked, file);
    if (n_row > 0 && network->n_line > 0)
        print_lines(run, n_row, ranked, file);
    free(ranked);
    return WALRAS_OK;
}
