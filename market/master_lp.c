#include "market/master_lp.h"

#include "lp/lp.h"
#include "market/dual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TANGENT_PASSES = 100 };

struct market_master_lp {
    const struct market_problem *problem;
    double reach_kw;
    size_t *slot_bus; /* [n_slot] buses with groups */
    size_t n_slot;

    /* one call */
    const struct market_master_problem *now;
    const struct market_master_settings *settings;
    struct lp *lp;
    size_t order, alpha, shortage, surplus, breach, up, down, slope_cost; /* first columns */
    size_t n_column, n_row, n_cut, n_sloped;
    double *low, *high, *cost, *x, *dual; /* [n_column], [n_row] */
    size_t *entry_column;                 /* of the row that is being written */
    double *entry;
    size_t n_entry;
};

enum walras_status market_master_lp_new(const struct market_problem *problem,
                                        struct market_master_lp **made, struct walras_err *err)
{
    struct market_master_lp *m = calloc(1, sizeof(*m));
    bool *seen = calloc(problem->n_bus, sizeof(*seen));

    if (m)
        m->slot_bus = calloc(problem->n_bus, sizeof(*m->slot_bus));
    if (!m || !m->slot_bus || !seen) {
        free(seen);
        market_master_lp_free(m);
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the LP master");
    }
    m->problem = problem;
    m->reach_kw = market_reach_kw(problem);
    for (size_t g = 0; g < problem->n_group; g++)
        if (!seen[problem->groups[g].bus]) {
            seen[problem->groups[g].bus] = true;
            m->slot_bus[m->n_slot++] = problem->groups[g].bus;
        }
    free(seen);
    *made = m;
    return WALRAS_OK;
}

static void forget_call(struct market_master_lp *m)
{
    lp_free(m->lp);
    free(m->low);
    free(m->entry_column);
    free(m->entry);
    m->lp = NULL;
    m->low = NULL;
    m->entry_column = NULL;
    m->entry = NULL;
}

void market_master_lp_free(struct market_master_lp *m)
{
    if (!m)
        return;
    forget_call(m);
    free(m->dual);
    free(m->slot_bus);
    free(m);
}

static bool is_sloped(const struct market_order *order)
{
    return order->slope_per_mwh_per_kw > 0.0;
}

/* Column ranges and row count of this call. */
static void lay_out(struct market_master_lp *m)
{
    const struct market_problem *p = m->problem;
    size_t n_move = isfinite(m->now->tau) ? m->n_slot * p->n_step : 0;

    m->n_cut = m->n_sloped = 0;
    for (size_t g = 0; g < p->n_group; g++)
        m->n_cut += market_master_skips(m->now, g) ? 0 : m->now->cuts->groups[g].n;
    for (size_t i = 0; i < p->n_order; i++)
        m->n_sloped += is_sloped(&p->orders[i]);
    m->order = 0;
    m->alpha = m->order + p->n_order;
    m->shortage = m->alpha + m->n_cut;
    m->surplus = m->shortage + p->n_step;
    m->breach = m->surplus + p->n_step;
    m->up = m->breach + m->now->rows->n;
    m->down = m->up + n_move;
    m->slope_cost = m->down + n_move;
    m->n_column = m->slope_cost + m->n_sloped;
}

static void fill_columns(struct market_master_lp *m)
{
    const struct market_problem *p = m->problem;
    size_t n_step = p->n_step, c = m->alpha, k = m->slope_cost;

    for (size_t i = 0; i < m->n_column; i++) {
        m->low[i] = 0.0;
        m->high[i] = INFINITY;
        m->cost[i] = 0.0;
    }
    for (size_t i = 0; i < p->n_order; i++) {
        m->low[i] = fmax(p->orders[i].low_kw, -m->reach_kw);
        m->high[i] = fmin(p->orders[i].high_kw, m->reach_kw);
        m->cost[i] = p->orders[i].price_per_mwh;
    }
    for (size_t g = 0; g < p->n_group; g++)
        for (size_t j = 0; !market_master_skips(m->now, g) && j < m->now->cuts->groups[g].n; j++)
            m->cost[c++] = m->now->cuts->groups[g].cuts[j].cost;
    for (size_t i = m->shortage; i < m->breach; i++)
        m->cost[i] = m->settings->penalty_per_mwh;
    for (size_t a = 0; a < m->now->rows->n; a++)
        m->cost[m->breach + a] =
            fmin(m->settings->penalty_per_mwh, m->now->rows->rows[a].breach_price_per_mwh);
    for (size_t i = 0; i < m->down - m->up; i++) {
        double centre = m->now->centre[m->slot_bus[i / n_step] * n_step + i % n_step];

        m->cost[m->up + i] = centre + m->now->tau;
        m->cost[m->down + i] = m->now->tau - centre;
    }
    for (; k < m->n_column; k++) {
        m->low[k] = -INFINITY;
        m->cost[k] = 1.0;
    }
}

static enum walras_status take_memory(struct market_master_lp *m, struct walras_err *err)
{
    size_t most = m->n_column + m->problem->n_group + m->problem->n_step + m->now->rows->n;

    m->low = calloc(4 * m->n_column + 1, sizeof(*m->low));
    m->entry_column = calloc(most + 1, sizeof(*m->entry_column));
    m->entry = calloc(most + 1, sizeof(*m->entry));
    if (!m->low || !m->entry_column || !m->entry)
        return walras_fail(err, WALRAS_NOMEM, "the LP master of %zu columns does not fit in memory",
                           m->n_column);
    m->high = m->low + m->n_column;
    m->cost = m->high + m->n_column;
    m->x = m->cost + m->n_column;
    return WALRAS_OK;
}

static void put(struct market_master_lp *m, size_t column, double coef)
{
    if (coef > 0.0 || coef < 0.0) {
        m->entry_column[m->n_entry] = column;
        m->entry[m->n_entry++] = coef;
    }
}

/*
 * Writes what one row sees: injections of `step` at each bus times factor[bus]. *firm adds up what
 * is not a variable.
 */
static void put_injections(struct market_master_lp *m, size_t step, const double *factor,
                           double *firm)
{
    const struct market_problem *p = m->problem;
    size_t n_step = p->n_step, c = m->alpha;

    *firm = 0.0;
    for (size_t b = 0; b < p->n_bus; b++) {
        double extra = m->now->extra_draw_kw ? m->now->extra_draw_kw[b * n_step + step] : 0.0;

        *firm -= factor[b] * (p->firm_draw_kw[b * n_step + step] + extra);
    }
    for (size_t i = 0; i < p->n_order; i++)
        if (p->orders[i].step == step)
            put(m, m->order + i, factor[p->orders[i].bus]);
    for (size_t g = 0; g < p->n_group; g++)
        for (size_t j = 0; !market_master_skips(m->now, g) && j < m->now->cuts->groups[g].n;
             j++, c++)
            put(m, c,
                -factor[p->groups[g].bus] * m->now->cuts->groups[g].draw_kw[j * n_step + step]);
    for (size_t s = 0; m->down > m->up && s < m->n_slot; s++) {
        put(m, m->up + s * n_step + step, factor[m->slot_bus[s]]);
        put(m, m->down + s * n_step + step, -factor[m->slot_bus[s]]);
    }
}

static enum walras_status add_row(struct market_master_lp *m, double low, double high,
                                  struct walras_err *err)
{
    size_t row = 0;
    enum walras_status status =
        lp_add_row(m->lp, m->n_entry, m->entry_column, m->entry, low, high, &row, err);

    m->n_entry = 0;
    m->n_row = row + 1;
    return status;
}

/* Rows in this order: balances, grid rows, one per group that takes part. */
static enum walras_status add_rows(struct market_master_lp *m, double *factor,
                                   struct walras_err *err)
{
    const struct market_rows *rows = m->now->rows;
    size_t c = m->alpha, n_bus = m->problem->n_bus;
    enum walras_status status = WALRAS_OK;
    double firm = 0.0;

    for (size_t t = 0; t < m->problem->n_step && status == WALRAS_OK; t++) {
        for (size_t b = 0; b < n_bus; b++)
            factor[b] = market_is_reactive(m->problem, b) ? 0.0 : 1.0;
        put_injections(m, t, factor, &firm);
        put(m, m->shortage + t, 1.0);
        put(m, m->surplus + t, -1.0);
        status = add_row(m, -firm, -firm, err);
    }
    for (size_t a = 0; a < rows->n && status == WALRAS_OK; a++) {
        const struct market_row *row = &rows->rows[a];

        memset(factor, 0, n_bus * sizeof(*factor));
        for (size_t i = 0; i < row->coef.n; i++)
            factor[row->coef.bus[i]] = -row->direction * row->coef.coef[i];
        put_injections(m, row->step, factor, &firm);
        put(m, m->breach + a, 1.0);
        status = add_row(m, -row->room_kw - firm, INFINITY, err);
    }
    for (size_t g = 0; g < m->problem->n_group && status == WALRAS_OK; g++) {
        if (market_master_skips(m->now, g) || m->now->cuts->groups[g].n == 0)
            continue;
        for (size_t j = 0; j < m->now->cuts->groups[g].n; j++, c++)
            put(m, c, 1.0);
        status = add_row(m, 1.0, 1.0, err);
    }
    return status;
}

/* slope cost >= slope · (at · q - at²/2): a tangent of slope/2 q² at q = at. */
static enum walras_status add_tangent(struct market_master_lp *m, size_t order, size_t k, double at,
                                      struct walras_err *err)
{
    double slope = m->problem->orders[order].slope_per_mwh_per_kw;

    put(m, m->slope_cost + k, 1.0);
    put(m, m->order + order, -slope * at);
    return add_row(m, -0.5 * slope * at * at, INFINITY, err);
}

static enum walras_status first_tangents(struct market_master_lp *m, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    size_t k = 0;

    for (size_t i = 0; i < m->problem->n_order && status == WALRAS_OK; i++) {
        if (!is_sloped(&m->problem->orders[i]))
            continue;
        status = add_tangent(m, i, k, m->low[i], err);
        if (status == WALRAS_OK)
            status = add_tangent(m, i, k, m->high[i], err);
        k++;
    }
    return status;
}

/* Adds tangents where the costs of sloped orders are too low by more than their share; *added
 * counts. */
static enum walras_status refine(struct market_master_lp *m, double allowed, size_t *added,
                                 struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    size_t k = 0;

    *added = 0;
    for (size_t i = 0; i < m->problem->n_order && status == WALRAS_OK; i++) {
        double q = m->x[m->order + i], slope = m->problem->orders[i].slope_per_mwh_per_kw;

        if (!is_sloped(&m->problem->orders[i]))
            continue;
        if (0.5 * slope * q * q - m->x[m->slope_cost + k] > allowed) {
            status = add_tangent(m, i, k, q, err);
            ++*added;
        }
        k++;
    }
    return status;
}

static enum walras_status solve(struct market_master_lp *m, struct market_master_info *info,
                                struct walras_err *err)
{
    struct lp_settings settings = {0};
    struct lp_info found = {0};
    size_t added = 1;

    for (int pass = 0; added > 0 && pass < MAX_TANGENT_PASSES; pass++) {
        double *dual = realloc(m->dual, (m->n_row + 1) * sizeof(*dual));

        if (!dual)
            return walras_fail(err, WALRAS_NOMEM, "the LP master does not fit in memory");
        m->dual = dual;
        enum walras_status status = lp_solve(m->lp, &settings, m->x, m->dual, &found, err);

        if (status != WALRAS_OK)
            return status;
        info->iterations += (unsigned)found.iterations;
        info->solved = found.outcome == LP_OPTIMAL;
        if (!info->solved)
            return walras_fail(err, WALRAS_INTERNAL, "the LP master was not solved: outcome %d",
                               (int)found.outcome);
        double size = fmax(1.0, fabs(found.objective)) / (double)(m->n_sloped + 1);

        status = refine(m, fmax(m->settings->tolerance, 1e-10) * size, &added, err);
        if (status != WALRAS_OK)
            return status;
    }
    return WALRAS_OK;
}

static void report(struct market_master_lp *m, struct market_master_solution *solution,
                   struct market_master_info *info)
{
    const struct market_problem *p = m->problem;
    size_t n_step = p->n_step, c = m->alpha;

    for (size_t t = 0; t < n_step; t++)
        solution->u[t] = m->dual[t];
    for (size_t a = 0; a < m->now->rows->n; a++)
        solution->u[n_step + a] = fmax(0.0, m->dual[n_step + a]);
    memcpy(solution->order_kw, m->x + m->order, p->n_order * sizeof(double));
    memcpy(solution->weight, m->x + m->alpha, m->n_cut * sizeof(double));
    memcpy(solution->shortage_kw, m->x + m->shortage, n_step * sizeof(double));
    memcpy(solution->surplus_kw, m->x + m->surplus, n_step * sizeof(double));
    memcpy(solution->breach_kw, m->x + m->breach, m->now->rows->n * sizeof(double));
    for (size_t i = 0; i < p->n_bus * n_step; i++)
        solution->injection_kw[i] =
            -p->firm_draw_kw[i] - (m->now->extra_draw_kw ? m->now->extra_draw_kw[i] : 0.0);
    for (size_t i = 0; i < p->n_order; i++)
        solution->injection_kw[p->orders[i].bus * n_step + p->orders[i].step] += m->x[i];
    for (size_t g = 0; g < p->n_group; g++)
        for (size_t j = 0; !market_master_skips(m->now, g) && j < m->now->cuts->groups[g].n;
             j++, c++)
            for (size_t t = 0; t < n_step; t++)
                solution->injection_kw[p->groups[g].bus * n_step + t] -=
                    m->x[c] * m->now->cuts->groups[g].draw_kw[j * n_step + t];
    for (size_t i = 0; i < m->down - m->up; i++) {
        double slack = m->x[m->up + i] - m->x[m->down + i];

        solution->injection_kw[m->slot_bus[i / n_step] * n_step + i % n_step] += slack;
        info->imbalance_kw = fmax(info->imbalance_kw, fabs(slack));
    }
    for (size_t i = 0; i < m->up; i++)
        info->primal += m->cost[i] * m->x[i];
    for (size_t i = 0; i < p->n_order; i++)
        info->primal += 0.5 * p->orders[i].slope_per_mwh_per_kw * m->x[i] * m->x[i];
}

enum walras_status market_master_lp_solve(struct market_master_lp *m,
                                          const struct market_master_problem *problem,
                                          const struct market_master_settings *settings,
                                          struct market_master_solution *solution,
                                          struct market_master_info *info, struct walras_err *err)
{
    double *factor = calloc(m->problem->n_bus, sizeof(*factor));
    size_t first = 0;
    enum walras_status status = WALRAS_OK;

    *info = (struct market_master_info){0};
    m->now = problem;
    m->settings = settings;
    lay_out(m);
    status = factor ? take_memory(m, err)
                    : walras_fail(err, WALRAS_NOMEM, "the LP master does not fit in memory");
    if (status == WALRAS_OK)
        status = lp_new(&m->lp, err);
    if (status == WALRAS_OK) {
        fill_columns(m);
        status = lp_add_columns(m->lp, m->n_column, m->low, m->high, m->cost, &first, err);
    }
    if (status == WALRAS_OK)
        status = add_rows(m, factor, err);
    if (status == WALRAS_OK)
        status = first_tangents(m, err);
    if (status == WALRAS_OK)
        status = solve(m, info, err);
    if (status == WALRAS_OK)
        report(m, solution, info);
    free(factor);
    forget_call(m);
    return status;
}

static enum walras_status solve_any(void *master, const struct market_master_problem *problem,
                                    const struct market_master_settings *settings,
                                    struct market_master_solution *solution,
                                    struct market_master_info *info, struct walras_err *err)
{
    return market_master_lp_solve(master, problem, settings, solution, info, err);
}

struct market_master_solver market_master_lp_solver_of(struct market_master_lp *master)
{
    return (struct market_master_solver){solve_any, master};
}
