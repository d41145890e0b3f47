#include "market/priced.h"

#include "market/dual.h"

#include <stdlib.h>
#include <string.h>

enum walras_status market_priced_init(struct market_priced *point,
                                      const struct market_problem *problem, struct walras_err *err)
{
    size_t n_cell = problem->n_bus * problem->n_step;

    *point = (struct market_priced){0};
    point->price = calloc(n_cell, sizeof(*point->price));
    point->energy = calloc(problem->n_step, sizeof(*point->energy));
    if (!point->price || !point->energy)
        return walras_fail(err, WALRAS_NOMEM, "prices of %zu buses do not fit in memory",
                           problem->n_bus);
    return WALRAS_OK;
}

void market_priced_release(struct market_priced *point)
{
    free(point->price);
    free(point->energy);
    free(point->shadows);
    *point = (struct market_priced){0};
}

enum walras_status market_priced_set(struct market_priced *point, const struct market_rows *rows,
                                     const double *u, const double *price, double reach_kw,
                                     struct walras_err *err)
{
    size_t n_step = rows->problem->n_step;
    struct market_shadow *shadows = realloc(point->shadows, (rows->n + 1) * sizeof(*shadows));

    if (!shadows)
        return walras_fail(err, WALRAS_NOMEM, "cannot keep %zu shadow prices", rows->n);
    point->shadows = shadows;
    point->n_shadow = rows->n;
    for (size_t a = 0; a < rows->n; a++)
        shadows[a] = (struct market_shadow){rows->rows[a].limit, rows->rows[a].step,
                                            rows->rows[a].direction, u[n_step + a]};
    memcpy(point->price, price, rows->problem->n_bus * n_step * sizeof(*price));
    memcpy(point->energy, u, n_step * sizeof(*u));
    point->open = market_dual_open_part(rows, u, price, reach_kw);
    return WALRAS_OK;
}

void market_priced_swap(struct market_priced *a, struct market_priced *b)
{
    struct market_priced kept = *a;

    *a = *b;
    *b = kept;
}

size_t market_priced_binding(const struct market_priced *point, double least_per_mwh)
{
    size_t n = 0;

    for (size_t i = 0; i < point->n_shadow; i++)
        n += point->shadows[i].price_per_mwh > least_per_mwh;
    return n;
}
