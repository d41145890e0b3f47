#include "scenario/charts.h"

#include "scenario/charts_internal.h"
#include "scenario/gnuplot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has_prices(const struct scenario_result *result)
{
    return result->market->price_per_mwh != NULL;
}

/* The prices at which an infeasible market was given up mean nothing. */
static bool has_clearing_prices(const struct scenario_result *result)
{
    return has_prices(result) && result->market->outcome != MARKET_INFEASIBLE;
}

static bool has_rounds(const struct scenario_result *result)
{
    return result->market->n_rounds > 0;
}

static bool has_plan(const struct scenario_result *result)
{
    return has_prices(result) && result->awards != NULL;
}

static const struct {
    const char *name;
    bool (*has)(const struct scenario_result *result);
    enum walras_status (*write)(FILE *file, const struct scenario_result *result,
                                struct walras_err *err);
} charts[] = {
    {"prices", has_clearing_prices, chart_prices},
    {"convergence", has_rounds, chart_convergence},
    {"loading", chart_loading_has, chart_loading},
    {"stack", has_plan, chart_stack},
};

static enum walras_status write_chart(size_t chart, const char *path, const char *directory,
                                      const struct scenario_result *result, struct walras_err *err)
{
    FILE *file = fopen(path, "w");

    if (!file)
        return walras_fail(err, WALRAS_IO, "%s: %s", path, strerror(errno));
    enum walras_status status = charts[chart].write(file, result, err);
    bool written = !ferror(file);

    if (fclose(file) != 0 || !written)
        return walras_fail(err, WALRAS_IO, "%s: cannot be written: %s", path, strerror(errno));
    if (status != WALRAS_OK)
        return status;
    return scenario_gnuplot_run(path, directory, CHART_TIME_LIMIT_S, err);
}

enum walras_status scenario_charts_available(struct walras_err *err)
{
    return scenario_gnuplot_find(err);
}

enum walras_status scenario_charts_write(const char *directory,
                                         const struct scenario_result *result,
                                         struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    size_t size = strlen(directory) + 32;
    char *path = malloc(size);

    if (!path)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold the name of a chart");
    for (size_t c = 0; c < sizeof(charts) / sizeof(charts[0]) && status == WALRAS_OK; c++) {
        if (!charts[c].has(result))
            continue;
        snprintf(path, size, "%s/%s.gp", directory, charts[c].name);
        status = write_chart(c, path, directory, result, err);
    }
    free(path);
    return status;
}
