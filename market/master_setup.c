/* The workspace of the interior point method: what it takes, when it grows, how it goes. */
#include "market/dual.h"
#include "market/master_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool pair_new(struct pair *pair, size_t n)
{
    pair->x = calloc(5 * n + 1, sizeof(double));
    if (!pair->x)
        return false;
    pair->z = pair->x + n;
    pair->dx = pair->z + n;
    pair->dz = pair->dx + n;
    pair->rc = pair->dz + n;
    return true;
}

static void pair_free(struct pair *pair)
{
    free(pair->x);
    *pair = (struct pair){0};
}

static bool has_room(const struct market_order *order)
{
    return order->high_kw > order->low_kw;
}

/*
 * What can change hands in a step, on average: the less of what could be given and what could be
 * taken, so that an exchange without a limit, or with a generous one, does not count as trade.
 */
static double measure_trade(const struct market_master *m)
{
    const struct market_problem *p = m->problem;
    double given = 0.0, taken = 0.0;

    for (size_t i = 0; i < m->n_bus * m->n_step; i++)
        *(p->firm_draw_kw[i] > 0.0 ? &taken : &given) += fabs(p->firm_draw_kw[i]);
    for (size_t i = 0; i < p->n_order; i++) {
        given += fmin(m->reach_kw, fmax(p->orders[i].high_kw, 0.0));
        taken += fmin(m->reach_kw, fmax(-p->orders[i].low_kw, 0.0));
    }
    for (size_t g = 0; g < p->n_group; g++) {
        given += p->groups[g].swing_kw * (double)m->n_step;
        taken += p->groups[g].swing_kw * (double)m->n_step;
    }
    return fmin(given, taken) / (double)m->n_step;
}

/* Typical price and power, and more power than the whole market could move in any step. */
static void measure(struct market_master *m)
{
    const struct market_problem *p = m->problem;

    m->power_scale = 0.0;
    for (size_t i = 0; i < m->n_bus * m->n_step; i++)
        m->power_scale += fabs(p->firm_draw_kw[i]) / (double)m->n_step;
    for (size_t g = 0; g < p->n_group; g++)
        m->power_scale += p->groups[g].swing_kw;
    m->reach_kw = market_reach_kw(p);
    m->trade_kw = measure_trade(m);
    m->power_scale = fmax(m->power_scale, fmax(1e-3 * m->trade_kw, 1e-3));
    m->trade_kw = fmax(m->trade_kw, m->power_scale);
    m->price_scale = market_level_of(p).price_per_mwh;
}

static enum walras_status list_orders(struct market_master *m, struct walras_err *err)
{
    const struct market_problem *p = m->problem;
    size_t n = 0;

    for (size_t i = 0; i < p->n_order; i++)
        n += has_room(&p->orders[i]);
    m->n_live = n;
    m->order = calloc(2 * n + 1, sizeof(*m->order));
    m->low = calloc(7 * n + 1, sizeof(*m->low));
    m->fixed_kw = calloc(m->n_bus * m->n_step, sizeof(*m->fixed_kw));
    if (!m->order || !m->low || !m->fixed_kw || !pair_new(&m->lower, n) || !pair_new(&m->upper, n))
        return walras_fail(err, WALRAS_NOMEM, "master: cannot hold %zu orders", n);
    m->cell = m->order + n;
    m->high = m->low + n;
    m->q = m->high + n;
    m->dq = m->q + n;
    m->gradient = m->dq + n;
    m->theta = m->gradient + n;
    m->off_price = m->theta + n;
    memcpy(m->fixed_kw, p->firm_draw_kw, m->n_bus * m->n_step * sizeof(*m->fixed_kw));
    n = 0;
    for (size_t i = 0; i < p->n_order; i++) {
        const struct market_order *order = &p->orders[i];
        size_t cell = order->bus * m->n_step + order->step;

        if (!has_room(order)) {
            m->fixed_kw[cell] -= order->low_kw;
            m->fixed_cost += market_order_cost(order, order->low_kw);
            continue;
        }
        m->order[n] = i;
        m->cell[n] = cell;
        m->low[n] = fmax(order->low_kw, -m->reach_kw);
        m->high[n] = fmin(order->high_kw, m->reach_kw);
        n++;
    }
    return WALRAS_OK;
}

static enum walras_status list_buses(struct market_master *m, struct walras_err *err)
{
    const struct market_problem *p = m->problem;

    m->slot_of_bus = calloc(m->n_bus, sizeof(*m->slot_of_bus));
    m->bus_of_slot = calloc(p->n_group + 1, sizeof(*m->bus_of_slot));
    m->slot_first = calloc(p->n_group + 2, sizeof(*m->slot_first));
    m->slot_group = calloc(p->n_group + 1, sizeof(*m->slot_group));
    m->swing_kw = calloc(p->n_group + 1, sizeof(*m->swing_kw));
    m->entry_first = calloc(p->n_group + 2, sizeof(*m->entry_first));
    if (!m->slot_of_bus || !m->bus_of_slot || !m->slot_first || !m->slot_group || !m->swing_kw ||
        !m->entry_first)
        return walras_fail(err, WALRAS_NOMEM, "master: cannot list %zu groups", p->n_group);
    for (size_t b = 0; b < m->n_bus; b++)
        m->slot_of_bus[b] = SIZE_MAX;
    for (size_t g = 0; g < p->n_group; g++) {
        size_t *slot = &m->slot_of_bus[p->groups[g].bus];

        if (*slot == SIZE_MAX) {
            m->bus_of_slot[m->n_slot] = p->groups[g].bus;
            *slot = m->n_slot++;
        }
        m->slot_first[*slot + 1]++;
        m->swing_kw[*slot] += fmax(p->groups[g].swing_kw, 1e-9 * m->power_scale);
    }
    for (size_t s = 0; s < m->n_slot; s++)
        m->slot_first[s + 1] += m->slot_first[s];
    for (size_t s = m->n_slot; s > 0; s--) /* used as write positions below, one slot behind */
        m->slot_first[s] = m->slot_first[s - 1];
    for (size_t g = 0; g < p->n_group; g++)
        m->slot_group[m->slot_first[m->slot_of_bus[p->groups[g].bus] + 1]++] = g;
    return WALRAS_OK;
}

static enum walras_status take_memory(struct market_master *m, struct walras_err *err)
{
    size_t n_group = m->problem->n_group, n_cell = m->n_bus * m->n_step;

    m->cut_first = calloc(n_group + 1, sizeof(*m->cut_first));
    m->level = calloc(5 * n_group + 1, sizeof(*m->level));
    m->price = calloc(4 * n_cell, sizeof(*m->price));
    m->scratch = calloc(m->n_bus, sizeof(*m->scratch));
    m->move = calloc(2 * m->n_step, sizeof(*m->move));
    m->column = calloc(m->n_bus, sizeof(*m->column));
    m->covariance = calloc(m->n_step * m->n_step, sizeof(*m->covariance));
    if (!m->cut_first || !m->level || !m->price || !m->scratch || !m->move || !m->column ||
        !m->covariance || !pair_new(&m->shortage, m->n_step) || !pair_new(&m->surplus, m->n_step))
        return walras_fail(err, WALRAS_NOMEM, "master: %zu buses x %zu steps do not fit in memory",
                           m->n_bus, m->n_step);
    m->dlevel = m->level + n_group;
    m->group_theta = m->dlevel + n_group;
    m->group_rc = m->group_theta + n_group;
    m->simplex = m->group_rc + n_group;
    m->dprice = m->price + n_cell;
    m->bus = m->dprice + n_cell;
    m->diagonal = m->bus + n_cell;
    m->slack = m->move + m->n_step;
    return WALRAS_OK;
}

enum walras_status market_master_new(const struct market_problem *problem,
                                     struct market_master **made, struct walras_err *err)
{
    struct market_master *m = calloc(1, sizeof(*m));
    enum walras_status status = WALRAS_OK;

    if (!m)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up the master");
    m->problem = problem;
    m->n_bus = problem->n_bus;
    m->n_step = problem->n_step;
    measure(m);
    status = list_orders(m, err);
    if (status == WALRAS_OK)
        status = list_buses(m, err);
    if (status == WALRAS_OK)
        status = take_memory(m, err);
    if (status != WALRAS_OK) {
        market_master_free(m);
        return status;
    }
    *made = m;
    return WALRAS_OK;
}

void market_master_free(struct market_master *m)
{
    if (!m)
        return;
    struct pair *pairs[] = {&m->lower,  &m->upper,    &m->alpha,  &m->room,
                            &m->breach, &m->shortage, &m->surplus};
    void *blocks[] = {m->order,      m->low,        m->fixed_kw,  m->slot_of_bus, m->bus_of_slot,
                      m->slot_first, m->slot_group, m->swing_kw,  m->entry_first, m->theta_cut,
                      m->cut_first,  m->level,      m->u,         m->matrix,      m->price,
                      m->scratch,    m->column,     m->step_rows, m->step_block,  m->entry,
                      m->covariance, m->packed,     m->metric,    m->move};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        pair_free(pairs[i]);
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        free(blocks[i]);
    master_tree_release(&m->tree);
    free(m);
}

static void reserve_groups(struct market_master *m)
{
    size_t pack = 0;

    for (size_t s = 0; s < m->n_slot; s++) {
        size_t cuts = 1; /* and their mean */

        for (size_t i = m->slot_first[s]; i < m->slot_first[s + 1]; i++)
            cuts += m->now->cuts->groups[m->slot_group[i]].n;
        pack = cuts > pack ? cuts : pack;
    }
    if (pack > m->pack_capacity) {
        free(m->packed);
        m->pack_capacity = 2 * pack;
        m->packed = calloc(m->pack_capacity * m->n_step, sizeof(*m->packed));
    }
    if (m->now->curvature && !m->metric)
        m->metric = calloc(m->n_slot * m->n_step * m->n_step + 1, sizeof(*m->metric));
    if (m->n_cut > m->cut_capacity || !m->theta_cut) {
        m->cut_capacity = 2 * m->n_cut + 1;
        pair_free(&m->alpha);
        free(m->theta_cut);
        m->theta_cut = calloc(m->cut_capacity, sizeof(*m->theta_cut));
        (void)pair_new(&m->alpha, m->cut_capacity); /* judged by master_reserve */
    }
}

static void reserve_rows(struct market_master *m)
{
    if (m->n_row <= m->row_capacity && m->u)
        return;
    m->row_capacity = m->n_row + m->n_row / 2 + 16;
    m->u_capacity = m->n_step + m->row_capacity;
    pair_free(&m->room);
    pair_free(&m->breach);
    free(m->u);
    m->u = calloc(5 * m->u_capacity, sizeof(*m->u));
    (void)pair_new(&m->room, m->row_capacity);
    (void)pair_new(&m->breach, m->row_capacity);
}

static void reserve_step(struct market_master *m)
{
    const size_t *first = m->now->rows->step_first;
    size_t side = 1;

    for (size_t t = 0; t < m->n_step; t++)
        if (side < 1 + first[t + 1] - first[t])
            side = 1 + first[t + 1] - first[t];
    if (side <= m->side_capacity)
        return;
    m->side_capacity = 2 * side;
    free(m->step_rows);
    free(m->step_block);
    m->step_rows = calloc(m->side_capacity * m->n_bus, sizeof(*m->step_rows));
    m->step_block = calloc(m->side_capacity * m->side_capacity, sizeof(*m->step_block));
}

enum walras_status master_reserve_dense(struct market_master *m, struct walras_err *err)
{
    if (m->n_u > m->matrix_side) {
        m->matrix_side = m->u_capacity;
        free(m->matrix);
        m->matrix = calloc(m->matrix_side * m->matrix_side, sizeof(*m->matrix));
    }
    reserve_step(m);
    if (m->matrix && m->step_rows && m->step_block)
        return WALRAS_OK;
    m->matrix_side = m->side_capacity = 0;
    return walras_fail(err, WALRAS_NOMEM, "master: %zu rows do not fit in memory", m->n_row);
}

enum walras_status master_reserve(struct market_master *m, struct walras_err *err)
{
    reserve_groups(m);
    reserve_rows(m);
    if (!m->theta_cut || !m->alpha.x || !m->u || !m->room.x || !m->breach.x ||
        (m->n_slot > 0 && !m->packed) || (m->now->curvature && !m->metric)) {
        m->cut_capacity = m->row_capacity = m->pack_capacity = 0;
        return walras_fail(err, WALRAS_NOMEM, "master: %zu cuts and %zu rows do not fit in memory",
                           m->n_cut, m->n_row);
    }
    m->du = m->u + m->u_capacity;
    m->rhs = m->du + m->u_capacity;
    m->residual = m->rhs + m->u_capacity;
    m->elastic = m->residual + m->u_capacity;
    return WALRAS_OK;
}
