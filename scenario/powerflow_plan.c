#include "scenario/powerflow_internal.h"

#include "core/csv.h"
#include "core/file.h"
#include "core/json.h"

#include <math.h>
#include <stdlib.h>

/* How far sums of awards, written to 1e-9 kW each, may be from those of the result. */
static const double sum_tolerance_kw = 1e-3, sum_tolerance = 1e-6;

void powerflow_plan_release(struct powerflow_plan *plan)
{
    free(plan->draw_kw);
    free(plan->supply_kw);
    free(plan->inverter_kvar);
    *plan = (struct powerflow_plan){0};
}

static enum walras_status another_scenario(const char *path, struct walras_err *err)
{
    return walras_fail(err, WALRAS_INVALID,
                       "%s: not a result of this scenario: clear it again with --out", path);
}

/* Row d * n_step + t is device d in step t. */
static enum walras_status read_awards(const struct scenario *s, const char *path, double *draw_kw,
                                      struct walras_err *err)
{
    size_t n_step = s->horizon.n_step, n = s->n_device * n_step;
    struct walras_csv_cache *cache = NULL;
    const struct walras_csv *csv = NULL;
    enum walras_status status = walras_csv_cache_new(&cache, err);

    if (status == WALRAS_OK)
        status = walras_csv_cache_get(cache, path, &csv, err);
    if (status == WALRAS_OK && walras_csv_rows(csv) != n)
        status = another_scenario(path, err);
    if (status == WALRAS_OK)
        status = walras_csv_numbers(csv, "step", 0, n, draw_kw, err);
    for (size_t i = 0; i < n && status == WALRAS_OK; i++)
        if (draw_kw[i] != (double)(i % n_step))
            status = another_scenario(path, err);
    if (status == WALRAS_OK)
        status = walras_csv_numbers(csv, "draw_kw", 0, n, draw_kw, err);
    walras_csv_cache_free(cache);
    return status;
}

/* Adds an array of n_step numbers to row. */
static enum walras_status read_steps(const struct walras_json *array, size_t n_step, double sign,
                                     double *row, struct walras_err *err)
{
    struct walras_range any = {.low = -HUGE_VAL, .high = HUGE_VAL};
    enum walras_status status = walras_json_array(array, n_step, n_step, err);

    for (size_t t = 0; t < n_step && status == WALRAS_OK; t++) {
        struct walras_json node = walras_json_at(array, t);
        double value = 0.0;

        status = walras_json_number(&node, any, &value, err);
        row[t] += sign * value;
    }
    return status;
}

static enum walras_status read_supplies(const struct scenario *s, const struct walras_json *root,
                                        double *supply_kw, struct walras_err *err)
{
    struct walras_json list, member;
    enum walras_status status = walras_json_need(root, "supply", &list, err);

    if (status == WALRAS_OK)
        status = walras_json_array(&list, s->n_supply, s->n_supply, err);
    for (size_t i = 0; i < s->n_supply && status == WALRAS_OK; i++) {
        struct walras_json supply = walras_json_at(&list, i);
        double *row = supply_kw + i * s->horizon.n_step;

        status = walras_json_need(&supply, "import_kw", &member, err);
        if (status == WALRAS_OK)
            status = read_steps(&member, s->horizon.n_step, 1.0, row, err);
        if (status == WALRAS_OK)
            status = walras_json_need(&supply, "export_kw", &member, err);
        if (status == WALRAS_OK)
            status = read_steps(&member, s->horizon.n_step, -1.0, row, err);
    }
    return status;
}

/* In the model lindistflow: the devices with apparent_kva, in their order. */
static enum walras_status read_inverters(const struct scenario *s, const struct walras_json *list,
                                         double *inverter_kvar, struct walras_err *err)
{
    size_t n = 0, n_step = s->horizon.n_step;
    enum walras_status status = walras_json_array(list, 0, s->n_device, err);

    for (size_t d = 0; d < s->n_device && status == WALRAS_OK; d++) {
        struct walras_json inverter, member;

        if (!(agent_device_apparent_kva(&s->devices[d]) > 0.0))
            continue;
        if (n == walras_json_count(list))
            return walras_json_fail(list, WALRAS_INVALID, err,
                                    "%zu inverters, where this scenario has more: clear it again",
                                    n);
        inverter = walras_json_at(list, n++);
        status = walras_json_need(&inverter, "draw_kvar", &member, err);
        if (status == WALRAS_OK)
            status = read_steps(&member, n_step, 1.0,
                                inverter_kvar + scenario_device_bus(s, d) * n_step, err);
    }
    return status;
}

/* The draws of the devices at a bus must be those of the result: sum [n_bus x n_step], zeros. */
static enum walras_status compare_sums(const struct scenario *s, const struct walras_json *list,
                                       const double *draw_kw, double *sum, struct walras_err *err)
{
    size_t n_step = s->horizon.n_step, n_bus = s->network.n_bus;
    double size_kw = 0.0;
    enum walras_status status = walras_json_array(list, n_bus, n_bus, err);

    for (size_t b = 0; b < n_bus && status == WALRAS_OK; b++) {
        struct walras_json row = walras_json_at(list, b);

        status = read_steps(&row, n_step, -1.0, sum + b * n_step, err);
    }
    for (size_t d = 0; d < s->n_device; d++)
        for (size_t t = 0; t < n_step; t++) {
            sum[scenario_device_bus(s, d) * n_step + t] += draw_kw[d * n_step + t];
            size_kw = fmax(size_kw, fabs(draw_kw[d * n_step + t]));
        }
    for (size_t b = 0; b < n_bus; b++)
        for (size_t t = 0; t < n_step && status == WALRAS_OK; t++)
            if (fabs(sum[b * n_step + t]) > sum_tolerance_kw + sum_tolerance * size_kw)
                status = walras_json_fail(list, WALRAS_INVALID, err,
                                          "bus %s, step %zu: not what the awards of this scenario "
                                          "sum up to: clear it again",
                                          s->network.buses[b].id, t);
    return status;
}

struct files {
    char *awards, *result;
};

static enum walras_status read_files(const struct scenario *s, const struct files *files,
                                     struct powerflow_plan *plan, double *sum,
                                     struct walras_err *err)
{
    struct walras_json_doc *doc = NULL;
    struct walras_json root, draws, inverters;
    enum walras_status status = walras_json_read(files->result, &doc, err);

    if (status != WALRAS_OK)
        return status;
    root = walras_json_root(doc);
    status = walras_json_need(&root, "bus_draw_kw", &draws, err);
    if (status == WALRAS_OK && walras_json_is(&draws, WALRAS_JSON_NULL))
        status = walras_json_fail(&draws, WALRAS_INVALID, err,
                                  "there is no plan: the market could not be cleared");
    if (status == WALRAS_OK)
        status = read_awards(s, files->awards, plan->draw_kw, err);
    if (status == WALRAS_OK)
        status = compare_sums(s, &draws, plan->draw_kw, sum, err);
    if (status == WALRAS_OK)
        status = read_supplies(s, &root, plan->supply_kw, err);
    if (status == WALRAS_OK && s->model == SCENARIO_LINDISTFLOW)
        status = walras_json_need(&root, "inverters", &inverters, err);
    if (status == WALRAS_OK && s->model == SCENARIO_LINDISTFLOW)
        status = read_inverters(s, &inverters, plan->inverter_kvar, err);
    walras_json_free(doc);
    return status;
}

enum walras_status powerflow_plan_read(const struct scenario *scenario, const char *directory,
                                       struct powerflow_plan *out, struct walras_err *err)
{
    size_t n_step = scenario->horizon.n_step;
    struct powerflow_plan plan = {
        .draw_kw = calloc(scenario->n_device * n_step + 1, sizeof(double)),
        .supply_kw = calloc(scenario->n_supply * n_step + 1, sizeof(double)),
        .inverter_kvar = calloc(scenario->network.n_bus * n_step + 1, sizeof(double))};
    double *sum = calloc(scenario->network.n_bus * n_step, sizeof(*sum));
    struct files files = {.awards = walras_path_join(directory, "awards.csv"),
                          .result = walras_path_join(directory, "result.json")};
    enum walras_status status = WALRAS_OK;

    if (!plan.draw_kw || !plan.supply_kw || !plan.inverter_kvar || !sum || !files.awards ||
        !files.result)
        status = walras_fail(err, WALRAS_NOMEM, "%s: no memory to read the result", directory);
    if (status == WALRAS_OK)
        status = read_files(scenario, &files, &plan, sum, err);
    free(files.awards);
    free(files.result);
    free(sum);
    if (status == WALRAS_OK)
        *out = plan;
    else
        powerflow_plan_release(&plan);
    return status;
}
