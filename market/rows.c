#include "market/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_PER_PASS = 320,
    LEAST_ROWS_PER_STEP = 5,
    MANY_ROWS_PER_STEP = 64,
    MOST_ROWS_PER_STEP = 512, /* that cost little */
};

enum walras_status market_rows_init(struct market_rows *rows, const struct market_problem *problem,
                                    struct walras_err *err)
{
    size_t n_limit = problem->limits ? grid_limits_count(problem->limits) : 0;

    *rows = (struct market_rows){.problem = problem};
    rows->step_first = calloc(problem->n_step + 1, sizeof(*rows->step_first));
    rows->value = calloc(n_limit + 1, sizeof(*rows->value));
    rows->injection = calloc(problem->n_bus, sizeof(*rows->injection));
    if (!rows->step_first || !rows->value || !rows->injection)
        return walras_fail(err, WALRAS_NOMEM, "cannot watch %zu grid limits", n_limit);
    return WALRAS_OK;
}

void market_rows_release(struct market_rows *rows)
{
    free(rows->rows);
    free(rows->step_first);
    free(rows->value);
    free(rows->injection);
    *rows = (struct market_rows){0};
}

void market_rows_price(const struct market_rows *rows, const double *u, double *price)
{
    size_t n_step = rows->problem->n_step;

    for (size_t b = 0; b < rows->problem->n_bus; b++)
        if (market_is_reactive(rows->problem, b))
            memset(price + b * n_step, 0, n_step * sizeof(*price));
        else
            memcpy(price + b * n_step, u, n_step * sizeof(*price));
    for (size_t a = 0; a < rows->n; a++) {
        const struct market_row *row = &rows->rows[a];
        double mu = row->direction * u[n_step + a];

        for (size_t i = 0; i < row->coef.n; i++)
            price[row->coef.bus[i] * n_step + row->step] -= row->coef.coef[i] * mu;
    }
}

void market_rows_project(const struct market_rows *rows, const double *injection_kw, double *out)
{
    size_t n_step = rows->problem->n_step;

    memset(out, 0, n_step * sizeof(*out));
    for (size_t b = 0; b < rows->problem->n_bus; b++)
        for (size_t t = 0; t < n_step && !market_is_reactive(rows->problem, b); t++)
            out[t] += injection_kw[b * n_step + t];
    for (size_t a = 0; a < rows->n; a++) {
        const struct market_row *row = &rows->rows[a];
        double value = 0.0;

        for (size_t i = 0; i < row->coef.n; i++)
            value += row->coef.coef[i] * injection_kw[row->coef.bus[i] * n_step + row->step];
        out[n_step + a] = -row->direction * value;
    }
}

static int compare_rows(const void *left, const void *right)
{
    const struct market_row *a = left, *b = right;

    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    if (a->limit != b->limit)
        return a->limit < b->limit ? -1 : 1;
    return a->direction - b->direction;
}

static void index_steps(struct market_rows *rows)
{
    size_t n_step = rows->problem->n_step;

    memset(rows->step_first, 0, (n_step + 1) * sizeof(*rows->step_first));
    for (size_t a = 0; a < rows->n; a++)
        rows->step_first[rows->rows[a].step + 1]++;
    for (size_t t = 0; t < n_step; t++)
        rows->step_first[t + 1] += rows->step_first[t];
}

static enum walras_status append(struct market_rows *rows, size_t limit, uint32_t step,
                                 int direction, struct walras_err *err)
{
    const struct grid_limits *limits = rows->problem->limits;

    if (rows->n == rows->capacity) {
        size_t capacity = rows->capacity ? 2 * rows->capacity : 64;
        struct market_row *grown = realloc(rows->rows, capacity * sizeof(*grown));

        if (!grown)
            return walras_fail(err, WALRAS_NOMEM, "cannot hold %zu active limits", capacity);
        rows->rows = grown;
        rows->capacity = capacity;
    }
    struct market_row *row = &rows->rows[rows->n];

    *row = (struct market_row){.limit = limit,
                               .step = step,
                               .direction = direction,
                               .breach_price_per_mwh =
                                   market_breach_price(rows->problem, limit, direction),
                               .varies = grid_limits_varies(rows->problem->limits, limit)};
    row->room_kw = direction * (grid_limits_bound(limits, limit, step, direction) -
                                grid_limits_base(rows->problem->limits, limit, step));
    enum walras_status status =
        grid_limits_row(rows->problem->limits, limit, step, &row->coef, err);

    if (status == WALRAS_OK)
        rows->n++;
    return status;
}

/* How far a limit's value is beyond it in that direction; below 0 within it. */
static double beyond(const struct market_rows *rows, size_t limit, uint32_t step, int direction)
{
    return direction *
           (rows->value[limit] - grid_limits_bound(rows->problem->limits, limit, step, direction));
}

static bool is_active(const struct market_rows *rows, size_t limit, uint32_t step, int direction)
{
    for (size_t a = rows->step_first[step]; a < rows->step_first[step + 1]; a++)
        if (rows->rows[a].limit == limit && rows->rows[a].direction == direction)
            return true;
    return false;
}

/* How far value is beyond the limit, in the direction written; 0 when it is not, or when in the
 * set. */
static double breach_of(const struct market_rows *rows, size_t limit, uint32_t step,
                        double tolerance, int *direction)
{
    const struct grid_limit *at = grid_limits_at(rows->problem->limits, limit);
    double over = beyond(rows, limit, step, 1), under = beyond(rows, limit, step, -1);
    double breach = over > under ? over : under;

    *direction = over > under ? 1 : -1;
    if (!(breach > tolerance * at->size) || is_active(rows, limit, step, *direction))
        return 0.0;
    size_t worse = grid_limits_worse(rows->problem->limits, limit);

    /* what helps there helps here: it may do without this row */
    if (worse != SIZE_MAX && beyond(rows, worse, step, *direction) > 0.0 &&
        !is_active(rows, worse, step, *direction))
        return 0.0;
    return breach / at->size;
}

/* A pass costs a master: where few steps are breached, more rows a step come in at once. */
static size_t rows_per_step(const struct market_rows *rows, size_t n_breached)
{
    size_t share = MANY_ROWS_PER_STEP;

    if (rows->nearly > 0.0)
        return MOST_ROWS_PER_STEP;
    while (share > LEAST_ROWS_PER_STEP && share * n_breached > ROWS_PER_PASS)
        share--;
    return share;
}

static bool is_of_kind(const struct market_rows *rows, size_t limit, enum grid_limit_kind kind)
{
    return grid_limits_at(rows->problem->limits, limit)->kind == kind;
}

static bool is_line(const struct market_rows *rows, size_t limit)
{
    return is_of_kind(rows, limit, GRID_LIMIT_LINE);
}

/* Limits that come in by themselves, not for being the worst of all. */
static bool comes_in_anyway(const struct market_rows *rows, size_t limit)
{
    return is_of_kind(rows, limit, GRID_LIMIT_INVERTER) ||
           (rows->nearly > 0.0 && is_line(rows, limit));
}

/*
 * Of every inverter the side that is breached most: no inverter's limit helps that of another, so
 * that waiting for the worst of them would only take passes.
 */
static enum walras_status separate_inverters(struct market_rows *rows, uint32_t step,
                                             double tolerance, struct walras_err *err)
{
    const struct grid_limits *limits = rows->problem->limits;
    size_t n = grid_limits_count(limits), worst = SIZE_MAX;
    double most = 0.0;
    enum walras_status status = WALRAS_OK;

    for (size_t limit = 0; limit < n && status == WALRAS_OK; limit++) {
        int direction = 0;
        double found = 0.0;

        if (!is_of_kind(rows, limit, GRID_LIMIT_INVERTER))
            continue;
        found = breach_of(rows, limit, step, tolerance, &direction);
        if (found > most) {
            most = found;
            worst = limit;
        }
        if (grid_limits_at(limits, limit)->side + 1 < GRID_POLYGON_SIDES || worst == SIZE_MAX)
            continue;
        status = append(rows, worst, step, 1, err); /* sides have high limits only */
        worst = SIZE_MAX;
        most = 0.0;
    }
    return status;
}

/* The worst of a step that do not come in anyway. */
static enum walras_status separate_step(struct market_rows *rows, uint32_t step, size_t most,
                                        double tolerance, struct walras_err *err)
{
    size_t worst[MOST_ROWS_PER_STEP] = {0}, n_worst = 0;
    double breach[MOST_ROWS_PER_STEP];
    int side[MOST_ROWS_PER_STEP];
    enum walras_status status = WALRAS_OK;

    for (size_t limit = 0; limit < grid_limits_count(rows->problem->limits); limit++) {
        int direction = 0;
        double found = comes_in_anyway(rows, limit)
                           ? 0.0
                           : breach_of(rows, limit, step, tolerance, &direction);
        size_t at = n_worst;

        if (found <= 0.0 || (n_worst == most && found <= breach[n_worst - 1]))
            continue;
        if (n_worst < most)
            n_worst++;
        else
            at--;
        for (; at > 0 && breach[at - 1] < found; at--) {
            worst[at] = worst[at - 1];
            breach[at] = breach[at - 1];
            side[at] = side[at - 1];
        }
        worst[at] = limit;
        breach[at] = found;
        side[at] = direction;
    }
    for (size_t i = 0; i < n_worst && status == WALRAS_OK; i++)
        status = append(rows, worst[i], step, side[i], err);
    return status;
}

/* Every line of a step that is full, or nearly: it will be next. */
static enum walras_status separate_lines(struct market_rows *rows, uint32_t step,
                                         struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t limit = 0; limit < grid_limits_count(rows->problem->limits); limit++) {
        int direction = 0;

        if (status == WALRAS_OK && is_line(rows, limit) &&
            breach_of(rows, limit, step, -rows->nearly, &direction) != 0.0)
            status = append(rows, limit, step, direction, err);
    }
    return status;
}

/* What every limit is at in one step. */
static enum walras_status value_step(struct market_rows *rows, const double *injection_kw,
                                     uint32_t step, struct walras_err *err)
{
    for (size_t b = 0; b < rows->problem->n_bus; b++)
        rows->injection[b] = injection_kw[b * rows->problem->n_step + step];
    return grid_limits_values(rows->problem->limits, step, rows->injection, rows->value, err);
}

/* What is lost in a step, where the market has losses. */
static enum walras_status learn_step(struct market_rows *rows, const double *injection_kw,
                                     uint32_t step, struct walras_err *err)
{
    if (rows->lessons == 0)
        return WALRAS_OK;
    for (size_t b = 0; b < rows->problem->n_bus; b++)
        rows->injection[b] = injection_kw[b * rows->problem->n_step + step];
    return grid_limits_learn(rows->problem->limits, step, rows->injection, err);
}

static bool any_breach(const struct market_rows *rows, uint32_t step, double tolerance)
{
    int direction = 0;

    for (size_t limit = 0; limit < grid_limits_count(rows->problem->limits); limit++)
        if (breach_of(rows, limit, step, tolerance, &direction) > 0.0)
            return true;
    return false;
}

enum walras_status market_rows_separate(struct market_rows *rows, const double *injection_kw,
                                        double tolerance, size_t *added, struct walras_err *err)
{
    const struct market_problem *problem = rows->problem;
    size_t before = rows->n, n_breached = 0;
    enum walras_status status = WALRAS_OK;

    *added = 0;
    if (!problem->limits)
        return WALRAS_OK;
    for (uint32_t t = 0; t < problem->n_step && status == WALRAS_OK; t++) {
        status = learn_step(rows, injection_kw, t, err);
        if (status == WALRAS_OK)
            status = value_step(rows, injection_kw, t, err);
        n_breached += status == WALRAS_OK && any_breach(rows, t, tolerance);
    }
    for (uint32_t t = 0; t < problem->n_step && n_breached > 0 && status == WALRAS_OK; t++) {
        status = value_step(rows, injection_kw, t, err);
        if (status == WALRAS_OK && rows->nearly > 0.0)
            status = separate_lines(rows, t, err);
        if (status == WALRAS_OK)
            status = separate_inverters(rows, t, tolerance, err);
        if (status == WALRAS_OK)
            status = separate_step(rows, t, rows_per_step(rows, n_breached), tolerance, err);
    }
    rows->lessons -= rows->lessons > 0;
    *added = rows->n - before;
    if (*added > 0)
        market_rows_sort(rows);
    return status;
}

void market_rows_sort(struct market_rows *rows)
{
    if (rows->n > 1) /* none: there may be no list yet */
        qsort(rows->rows, rows->n, sizeof(*rows->rows), compare_rows);
    index_steps(rows);
}

enum walras_status market_rows_add(struct market_rows *rows, const struct market_shadow *shadow,
                                   struct walras_err *err)
{
    const struct grid_limits *limits = rows->problem->limits;
    const struct grid_limit *at = NULL;
    enum walras_status status = WALRAS_OK;

    if (!limits || shadow->limit >= grid_limits_count(limits) ||
        shadow->step >= rows->problem->n_step)
        return WALRAS_OK;
    at = grid_limits_at(limits, shadow->limit);
    if (!isfinite(shadow->direction > 0 ? at->high : at->low))
        return WALRAS_OK;
    for (size_t a = 0; a < rows->n; a++)
        if (rows->rows[a].limit == shadow->limit && rows->rows[a].step == shadow->step &&
            rows->rows[a].direction == shadow->direction)
            return WALRAS_OK;
    status = append(rows, shadow->limit, shadow->step, shadow->direction, err);
    if (status == WALRAS_OK && rows->rows[rows->n - 1].coef.n == 0)
        rows->n--; /* nothing moves it in this step */
    else if (status == WALRAS_OK)
        rows->rows[rows->n - 1].shadow_price_per_mwh = shadow->price_per_mwh;
    return status;
}

/* Of many tangents of losses few matter, and each has a coefficient at every bus. */
static unsigned may_idle(const struct market_rows *rows, const struct market_row *row,
                         unsigned idle)
{
    return is_of_kind(rows, row->limit, GRID_LIMIT_LOSS) ? idle / 8 : idle;
}

void market_rows_drop_idle(struct market_rows *rows, unsigned idle)
{
    size_t kept = 0;

    for (size_t a = 0; a < rows->n; a++)
        if (rows->rows[a].idle <= may_idle(rows, &rows->rows[a], idle))
            rows->rows[kept++] = rows->rows[a];
    rows->n = kept;
    index_steps(rows);
}

static bool is_alike(struct grid_limits *limits, size_t limit)
{
    struct grid_row row = {0};

    if (grid_limits_varies(limits, limit) ||
        grid_limits_row(limits, limit, 0, &row, NULL) != WALRAS_OK)
        return false;
    for (size_t i = 1; i < row.n; i++)
        if (fabs(row.coef[i] - row.coef[0]) > 1e-9 * fabs(row.coef[0]))
            return false;
    return true;
}

size_t market_rows_alike_limits(const struct market_problem *problem)
{
    size_t n_row = problem->limits ? grid_limits_count(problem->limits) : 0, n = 0;

    for (size_t l = 0; l < n_row; l++) {
        const struct grid_limit *limit = grid_limits_at(problem->limits, l);

        if (!isfinite(limit->low) && !isfinite(limit->high))
            continue;
        if (!is_alike(problem->limits, l))
            return 0;
        n++;
    }
    return n;
}
