#include "scenario/simulate_result.h"

#include "core/file.h"
#include "core/json_write.h"
#include "core/units.h"
#include "scenario/charts_internal.h"
#include "scenario/gnuplot.h"
#include "scenario/put.h"
#include "scenario/result_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHART_LIMIT_S = 60 };

const char *scenario_run_status(const struct scenario_run *run)
{
    return run->failed && run->outcome == MARKET_INFEASIBLE ? "infeasible"
           : run->failed                                    ? "no_plan"
           : run->n_done == run->steps.length               ? "complete"
                                                            : "stopped";
}

struct scenario_run_effort scenario_run_effort(const struct scenario_run *run, bool warm)
{
    struct scenario_run_effort effort = {0};

    for (size_t i = 0; i < run->n_window; i++) {
        const struct scenario_run_window *w = &run->windows[i];

        if (w->warm != warm)
            continue;
        effort.n++;
        effort.rounds += w->n_rounds;
        effort.responses += (double)w->n_responses;
        effort.seconds += w->seconds;
        effort.most_rounds = w->n_rounds > effort.most_rounds ? w->n_rounds : effort.most_rounds;
    }
    if (effort.n > 0) {
        effort.rounds /= (double)effort.n;
        effort.responses /= (double)effort.n;
        effort.seconds /= (double)effort.n;
    }
    return effort;
}

/* What one day came to, from what was done of it. */
struct day {
    size_t first, n; /* steps done */
    struct scenario_run_day sums;
    double cost, mean_price_per_mwh, low_price_per_mwh, high_price_per_mwh;
    double import_price_per_mwh; /* of what was imported; NAN: nothing */
    size_t n_window;             /* that begin in it */
    double rounds, responses, seconds, worst_gap, worst_breach_kw;
    bool clean, converged;
};

static void add_windows(const struct scenario_run *run, struct day *day)
{
    day->clean = day->converged = true;
    for (size_t i = 0; i < run->n_window; i++) {
        const struct scenario_run_window *w = &run->windows[i];

        if (w->first_step < day->first || w->first_step >= day->first + run->steps.day)
            continue;
        day->n_window++;
        day->rounds += w->n_rounds;
        day->responses += (double)w->n_responses;
        day->seconds += w->seconds;
        day->worst_gap = fmax(day->worst_gap, w->gap);
        day->worst_breach_kw =
            fmax(day->worst_breach_kw,
                 fmax(w->max_imbalance_kw, fmax(w->max_line_breach_kw, w->max_device_breach)));
        day->clean &= w->clean;
        day->converged &= w->outcome == MARKET_CONVERGED;
    }
}

static struct day day_of(const struct scenario_run *run, size_t index)
{
    size_t first = index * run->steps.day, n_bus = run->scenario->network.n_bus;
    size_t left = run->n_done > first ? run->n_done - first : 0;
    struct day day = {.first = first,
                      .n = left < run->steps.day ? left : run->steps.day,
                      .sums = run->days[index],
                      .low_price_per_mwh = INFINITY,
                      .high_price_per_mwh = -INFINITY};

    day.cost = day.sums.device_cost + day.sums.supply_cost + day.sums.breach_cost;
    day.import_price_per_mwh = day.sums.import_kwh > 0.0
                                   ? day.sums.import_cost / walras_mwh(day.sums.import_kwh, 1.0)
                                   : (double)NAN;
    for (size_t b = 0; b < n_bus; b++)
        for (size_t t = first; t < first + day.n; t++) {
            double price = run->price_per_mwh[b * run->steps.length + t];

            day.mean_price_per_mwh += price / (double)(n_bus * day.n);
            day.low_price_per_mwh = fmin(day.low_price_per_mwh, price);
            day.high_price_per_mwh = fmax(day.high_price_per_mwh, price);
        }
    add_windows(run, &day);
    return day;
}

static size_t days_begun(const struct scenario_run *run)
{
    return (run->n_done + run->steps.day - 1) / run->steps.day;
}

static void write_days(FILE *file, const struct scenario_run *run)
{
    char start[SCENARIO_TIME_TEXT];

    fputs("day,start,steps,cost,device_cost,supply_cost,breach_cost,import_kwh,export_kwh,"
          "import_cost,export_income,mean_price_per_mwh,low_price_per_mwh,high_price_per_mwh,"
          "import_price_per_mwh,clearings,rounds,responses,seconds,worst_gap,worst_breach,clean\n",
          file);
    for (size_t i = 0; i < days_begun(run); i++) {
        struct day day = day_of(run, i);
        const double numbers[] = {day.cost,
                                  day.sums.device_cost,
                                  day.sums.supply_cost,
                                  day.sums.breach_cost,
                                  day.sums.import_kwh,
                                  day.sums.export_kwh,
                                  day.sums.import_cost,
                                  day.sums.export_income,
                                  day.mean_price_per_mwh,
                                  day.low_price_per_mwh,
                                  day.high_price_per_mwh,
                                  day.import_price_per_mwh,
                                  (double)day.n_window,
                                  day.rounds,
                                  day.responses,
                                  day.seconds,
                                  day.worst_gap,
                                  day.worst_breach_kw};

        scenario_step_text(run->scenario, day.first, start);
        fprintf(file, "%zu,%s,%zu,", i + 1, start, day.n);
        for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
            write_number(file, numbers[k], ",");
        fputs(day.clean ? "true\n" : "false\n", file);
    }
}

static void write_windows(FILE *file, const struct scenario_run *run)
{
    char start[SCENARIO_TIME_TEXT];

    fputs("window,step,start,steps,begun,status,rounds,responses,gap,objective,bound,"
          "committed_cost,max_imbalance_kw,max_line_breach_kw,max_device_breach,clean,seconds\n",
          file);
    for (size_t i = 0; i < run->n_window; i++) {
        const struct scenario_run_window *w = &run->windows[i];
        const double numbers[] = {w->gap,
                                  w->objective,
                                  w->bound,
                                  w->committed_cost,
                                  w->max_imbalance_kw,
                                  w->max_line_breach_kw,
                                  w->max_device_breach};

        scenario_step_text(run->scenario, w->first_step, start);
        fprintf(file, "%zu,%zu,%s,%zu,%s,%s,%u,%llu,", i + 1, w->first_step, start, w->n_committed,
                w->warm ? "warm" : "cold", market_outcome_name(w->outcome), w->n_rounds,
                (unsigned long long)w->n_responses);
        for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
            write_number(file, numbers[k], ",");
        fputs(w->clean ? "true," : "false,", file);
        write_number(file, w->seconds, "\n");
    }
}

/* The run as a result of its whole length, as far as tables and charts of prices look at one. */
struct view {
    struct scenario scenario;
    struct market_result market;
    struct scenario_result result;
    double *price_per_mwh; /* [n_bus x n_done] */
    double *kind_kw;       /* [SCENARIO_N_KIND x n_done] */
};

static void view_release(struct view *view)
{
    free(view->price_per_mwh);
    free(view->kind_kw);
}

static enum walras_status view_make(const struct scenario_run *run, struct view *view,
                                    struct walras_err *err)
{
    size_t n_bus = run->scenario->network.n_bus, n = run->n_done, length = run->steps.length;

    *view = (struct view){.scenario = *run->scenario};
    view->price_per_mwh = calloc(n_bus * n + 1, sizeof(double));
    view->kind_kw = calloc(SCENARIO_N_KIND * n + 1, sizeof(double));
    if (!view->price_per_mwh || !view->kind_kw) {
        view_release(view);
        return walras_fail(err, WALRAS_NOMEM, "the results of %zu steps do not fit in memory", n);
    }
    for (size_t b = 0; b < n_bus; b++)
        memcpy(view->price_per_mwh + b * n, run->price_per_mwh + b * length, n * sizeof(double));
    for (size_t k = 0; k < SCENARIO_N_KIND; k++)
        memcpy(view->kind_kw + k * n, run->kind_kw + k * length, n * sizeof(double));
    view->scenario.horizon.n_step = n;
    view->market = (struct market_result){
        .n_bus = n_bus, .n_step = n, .price_per_mwh = view->price_per_mwh, .outcome = run->outcome};
    view->result = (struct scenario_result){.scenario = &view->scenario, .market = &view->market};
    return WALRAS_OK;
}

static void put_key_number(struct walras_json_out *out, const char *key, double value)
{
    walras_json_out_key(out, key);
    walras_json_out_number(out, value);
}

static void put_key_text(struct walras_json_out *out, const char *key, const char *text)
{
    walras_json_out_key(out, key);
    walras_json_out_text(out, text);
}

static void put_effort(struct walras_json_out *out, const struct scenario_run *run, bool warm)
{
    struct scenario_run_effort effort = scenario_run_effort(run, warm);

    walras_json_out_key(out, warm ? "warm" : "cold");
    walras_json_out_open(out, '{');
    put_key_number(out, "clearings", (double)effort.n);
    put_key_number(out, "mean_rounds", effort.rounds);
    put_key_number(out, "most_rounds", effort.most_rounds);
    put_key_number(out, "mean_responses", effort.responses);
    put_key_number(out, "mean_seconds", effort.seconds);
    walras_json_out_close(out, '}');
}

static void put_day(struct walras_json_out *out, const struct scenario_run *run, size_t index)
{
    struct day day = day_of(run, index);
    char start[SCENARIO_TIME_TEXT];

    scenario_step_text(run->scenario, day.first, start);
    walras_json_out_open(out, '{');
    put_key_text(out, "start", start);
    put_key_number(out, "steps", (double)day.n);
    put_key_number(out, "cost", day.cost);
    put_key_number(out, "device_cost", day.sums.device_cost);
    put_key_number(out, "supply_cost", day.sums.supply_cost);
    put_key_number(out, "breach_cost", day.sums.breach_cost);
    put_key_number(out, "import_kwh", day.sums.import_kwh);
    put_key_number(out, "export_kwh", day.sums.export_kwh);
    put_key_number(out, "mean_price_per_mwh", day.mean_price_per_mwh);
    put_key_number(out, "clearings", (double)day.n_window);
    put_key_number(out, "rounds", day.rounds);
    put_key_number(out, "worst_gap", day.worst_gap);
    put_key_number(out, "worst_breach", day.worst_breach_kw);
    walras_json_out_key(out, "clean");
    walras_json_out_bool(out, day.clean);
    walras_json_out_close(out, '}');
}

static double total_cost(const struct scenario_run *run)
{
    double cost = 0.0;

    for (size_t i = 0; i < run->n_day; i++)
        cost += run->days[i].device_cost + run->days[i].supply_cost + run->days[i].breach_cost;
    return cost;
}

static void put_rows(struct walras_json_out *out, const char *key, const double *values,
                     size_t n_row, const struct scenario_run *run)
{
    walras_json_out_key(out, key);
    walras_json_out_open(out, '[');
    for (size_t r = 0; r < n_row; r++)
        walras_json_out_numbers(out, values + r * run->steps.length, run->n_done);
    walras_json_out_close(out, ']');
}

static void put_series(struct walras_json_out *out, const struct scenario_run *run)
{
    const struct scenario *scenario = run->scenario;

    walras_json_out_key(out, "bus");
    walras_json_out_open(out, '[');
    for (size_t b = 0; b < scenario->network.n_bus; b++)
        walras_json_out_text(out, scenario->network.buses[b].id);
    walras_json_out_close(out, ']');
    put_rows(out, "price_per_mwh", run->price_per_mwh, scenario->network.n_bus, run);
    walras_json_out_key(out, "supply");
    walras_json_out_open(out, '[');
    for (size_t i = 0; i < scenario->n_supply; i++)
        walras_json_out_text(out, scenario->supplies[i].id);
    walras_json_out_close(out, ']');
    put_rows(out, "import_kw", run->import_kw, scenario->n_supply, run);
    put_rows(out, "export_kw", run->export_kw, scenario->n_supply, run);
}

void scenario_run_print_json(FILE *file, const struct scenario_run *run)
{
    struct walras_json_out out = walras_json_out_start(file, 2);

    walras_json_out_open(&out, '{');
    walras_json_out_key(&out, "walras");
    walras_json_out_integer(&out, 1);
    put_key_text(&out, "name", run->scenario->name);
    put_key_text(&out, "currency", run->scenario->currency);
    put_key_text(&out, "status", scenario_run_status(run));
    if (run->failed)
        put_key_text(&out, "why", run->why);
    put_key_number(&out, "steps", (double)run->steps.length);
    put_key_number(&out, "steps_done", (double)run->n_done);
    put_key_number(&out, "replan_steps", (double)run->steps.replan);
    put_key_number(&out, "step_minutes", run->scenario->step_min);
    put_key_number(&out, "cost", total_cost(run));
    put_effort(&out, run, false);
    put_effort(&out, run, true);
    walras_json_out_key(&out, "days");
    walras_json_out_open(&out, '[');
    for (size_t i = 0; i < days_begun(run); i++)
        put_day(&out, run, i);
    walras_json_out_close(&out, ']');
    put_series(&out, run);
    walras_json_out_close(&out, '}');
    walras_json_out_end(&out);
}

static enum walras_status write_file(const char *directory, const char *name,
                                     const struct scenario_run *run,
                                     void (*write)(FILE *file, const struct scenario_run *run),
                                     struct walras_err *err)
{
    FILE *file = NULL;
    char *path = walras_path_join(directory, name);
    enum walras_status status = path ? walras_file_create(path, &file, err)
                                     : walras_fail(err, WALRAS_NOMEM, "cannot write %s", name);

    if (status == WALRAS_OK) {
        write(file, run);
        status = walras_file_finish(file, path, err);
    }
    free(path);
    return status;
}

static enum walras_status write_prices(const char *directory, const struct scenario_run *run,
                                       struct walras_err *err)
{
    struct view view;
    FILE *file = NULL;
    char *path = walras_path_join(directory, "prices.csv");
    enum walras_status status = path ? view_make(run, &view, err)
                                     : walras_fail(err, WALRAS_NOMEM, "cannot write prices.csv");

    if (status == WALRAS_OK) {
        status = walras_file_create(path, &file, err);
        if (status == WALRAS_OK) {
            status = result_write_prices(file, &view.result, err);
            enum walras_status finished = walras_file_finish(file, path, err);

            status = status == WALRAS_OK ? finished : status;
        }
        view_release(&view);
    }
    free(path);
    return status;
}

enum walras_status scenario_run_write(const char *directory, const struct scenario_run *run,
                                      struct walras_err *err)
{
    enum walras_status status =
        write_file(directory, "simulation.json", run, scenario_run_print_json, err);

    if (status == WALRAS_OK)
        status = write_file(directory, "days.csv", run, write_days, err);
    if (status == WALRAS_OK)
        status = write_file(directory, "windows.csv", run, write_windows, err);
    return status == WALRAS_OK ? write_prices(directory, run, err) : status;
}

enum walras_status scenario_run_chart(const char *directory, const struct scenario_run *run,
                                      struct walras_err *err)
{
    struct view view;
    FILE *file = NULL;
    char words[128], *path = walras_path_join(directory, "run.gp");
    enum walras_status status =
        path ? view_make(run, &view, err) : walras_fail(err, WALRAS_NOMEM, "cannot draw the run");

    if (status != WALRAS_OK) {
        free(path);
        return status;
    }
    snprintf(words, sizeof(words), "%g days, planned anew every %g h",
             (double)run->n_done / (double)run->steps.day,
             (double)run->steps.replan * run->scenario->horizon.step_h);
    status = walras_file_create(path, &file, err);
    if (status == WALRAS_OK) {
        chart_run_stack(file, &view.result, view.kind_kw, words);
        status = walras_file_finish(file, path, err);
    }
    if (status == WALRAS_OK)
        status = scenario_gnuplot_run(path, directory, CHART_LIMIT_S, err);
    view_release(&view);
    free(path);
    return status;
}

static void print_day(FILE *file, const struct scenario_run *run, size_t index)
{
    struct day day = day_of(run, index);
    char start[SCENARIO_TIME_TEXT];

    scenario_step_text(run->scenario, day.first, start);
    fprintf(file, "  %.10s %10.2f %9.2f %10.1f %10.1f %9.1f %8.1e%s%s\n", start, day.cost,
            day.mean_price_per_mwh, day.sums.import_kwh, day.sums.export_kwh,
            day.n_window > 0 ? day.rounds / (double)day.n_window : 0.0, day.worst_gap,
            day.clean ? "" : "  NOT certified", day.converged ? "" : "  gap larger than asked");
}

static void print_effort(FILE *file, const struct scenario_run *run, bool warm)
{
    struct scenario_run_effort effort = scenario_run_effort(run, warm);

    if (effort.n > 0)
        fprintf(file,
                "  %s %zu clearing%s, %.1f rounds on average (most %u), %.0f answers, %.2f s\n",
                warm ? "warm      " : "cold      ", effort.n, effort.n == 1 ? "" : "s",
                effort.rounds, effort.most_rounds, effort.responses, effort.seconds);
}

void scenario_run_print(FILE *file, const struct scenario_run *run)
{
    fprintf(file, "%s: %s, %zu of %zu steps in %zu clearings\n", run->scenario->name,
            run->failed                        ? "cannot go on"
            : run->n_done == run->steps.length ? "done"
                                               : "stopped",
            run->n_done, run->steps.length, run->n_window);
    if (run->failed)
        fprintf(file, "  why        %s\n", run->why);
    if (run->n_done == 0)
        return;
    fprintf(file,
            "  day        cost, %-4.4s  per MWh import, kWh export, kWh    rounds  gap up to\n",
            run->scenario->currency);
    for (size_t i = 0; i < days_begun(run); i++)
        print_day(file, run, i);
    fprintf(file, "  cost       %.4f %s\n", total_cost(run), run->scenario->currency);
    print_effort(file, run, false);
    print_effort(file, run, true);
}
