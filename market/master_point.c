/*
 * What the point of the iteration amounts to: injections, what is missed, what the plan costs.
 */
#include "market/master_internal.h"

#include <cblas.h>
#include <math.h>

void master_proximal_slack(struct market_master *m, size_t slot)
{
    size_t n_step = m->n_step, first = m->bus_of_slot[slot] * n_step;

    for (size_t t = 0; t < n_step; t++) {
        m->move[t] = m->price[first + t] - m->now->centre[first + t];
        m->slack[t] = master_prox(m, slot) * m->move[t];
    }
    if (m->now->curvature)
        cblas_dsymv(CblasColMajor, CblasLower, (int)n_step, 1.0, m->metric + slot * n_step * n_step,
                    (int)n_step, m->move, 1, 1.0, m->slack, 1);
}

void master_injections(struct market_master *m, double *bus)
{
    size_t n_step = m->n_step;

    for (size_t i = 0; i < m->n_bus * n_step; i++)
        bus[i] = -m->fixed_kw[i] - (m->now->extra_draw_kw ? m->now->extra_draw_kw[i] : 0.0);
    for (size_t i = 0; i < m->n_live; i++)
        bus[m->cell[i]] += m->q[i];
    for (size_t g = 0; g < m->problem->n_group; g++) {
        const struct market_group_cuts *cuts = &m->now->cuts->groups[g];
        size_t first = m->cut_first[g], n = m->cut_first[g + 1] - first;

        if (n > 0)
            cblas_dgemv(CblasColMajor, CblasNoTrans, (int)n_step, (int)n, -1.0, cuts->draw_kw,
                        (int)n_step, m->alpha.x + first, 1, 1.0,
                        bus + m->problem->groups[g].bus * n_step, 1);
    }
    if (m->now->parts)
        cblas_daxpy((int)(m->n_bus * n_step), -1.0, market_parts_sum(m->now->parts)->draw_kw, 1,
                    bus, 1);
    for (size_t s = 0; s < m->n_slot && isfinite(m->now->tau); s++) {
        master_proximal_slack(m, s);
        cblas_daxpy((int)n_step, 1.0, m->slack, 1, bus + m->bus_of_slot[s] * n_step, 1);
    }
}

double master_residuals(struct market_master *m)
{
    double worst = 0.0;

    master_price(m, m->u, m->price);
    master_injections(m, m->bus);
    master_project(m, m->bus, m->residual);
    for (size_t t = 0; t < m->n_step; t++)
        m->residual[t] = -(m->residual[t] + m->shortage.x[t] - m->surplus.x[t]);
    for (size_t a = 0; a < m->n_row; a++) {
        double *r = &m->residual[m->n_step + a];

        *r = -m->now->rows->rows[a].room_kw - (*r - m->room.x[a] + m->breach.x[a]);
    }
    for (size_t i = 0; i < m->n_u; i++)
        worst = fmax(worst, fabs(m->residual[i]));
    for (size_t g = 0; g < m->problem->n_group; g++) {
        double sum = 0.0;

        for (size_t j = m->cut_first[g]; j < m->cut_first[g + 1]; j++)
            sum += m->alpha.x[j];
        m->simplex[g] = m->cut_first[g] < m->cut_first[g + 1] ? 1.0 - sum : 0.0;
        worst = fmax(worst, fabs(m->simplex[g]) * m->problem->groups[g].swing_kw);
    }
    for (size_t i = 0; i < m->n_live; i++) {
        const struct market_order *order = &m->problem->orders[m->order[i]];

        m->off_price[i] = m->price[m->cell[i]] + m->lower.z[i] - m->upper.z[i] -
                          order->price_per_mwh - order->slope_per_mwh_per_kw * m->q[i];
    }
    return worst;
}

double master_plan_cost(const struct market_master *m,
                        const struct market_master_settings *settings)
{
    const struct market_problem *p = m->problem;
    double cost = m->fixed_cost;

    for (size_t i = 0; i < m->n_live; i++)
        cost += market_order_cost(&p->orders[m->order[i]], m->q[i]);
    for (size_t g = 0; g < p->n_group; g++)
        for (size_t j = m->cut_first[g]; j < m->cut_first[g + 1]; j++)
            cost += m->alpha.x[j] * m->now->cuts->groups[g].cuts[j - m->cut_first[g]].cost;
    for (size_t t = 0; t < m->n_step; t++)
        cost += settings->penalty_per_mwh * (m->shortage.x[t] + m->surplus.x[t]);
    for (size_t a = 0; a < m->n_row; a++)
        cost += fmin(settings->penalty_per_mwh, m->now->rows->rows[a].breach_price_per_mwh) *
                m->breach.x[a];
    return cost + (m->now->parts ? market_parts_sum(m->now->parts)->cost : 0.0);
}

double master_order_miss(const struct market_master *m)
{
    double sum = 0.0;

    for (size_t i = 0; i < m->n_live; i++)
        sum += fabs(m->off_price[i]) * fmin(m->high[i] - m->low[i], m->trade_kw);
    return sum;
}
