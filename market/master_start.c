/*
 * Where the iteration begins: inside all bounds, or where the last solve has ended.
 */
#include "market/master_internal.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* F_j + price · X_j for the cuts of a group. */
static void cut_values(const struct market_master *m, size_t g, const double *price, double *value)
{
    const struct market_group_cuts *cuts = &m->now->cuts->groups[g];

    cblas_dgemv(CblasColMajor, CblasTrans, (int)m->n_step, (int)cuts->n, 1.0, cuts->draw_kw,
                (int)m->n_step, price + m->problem->groups[g].bus * m->n_step, 1, 0.0, value, 1);
    for (size_t j = 0; j < cuts->n; j++)
        value[j] += cuts->cuts[j].cost;
}

static void start_groups(struct market_master *m)
{
    for (size_t g = 0; g < m->problem->n_group; g++) {
        size_t first = m->cut_first[g], n = m->cut_first[g + 1] - first;
        double *z = m->alpha.z + first, least = INFINITY, spread = 0.0;

        if (n == 0)
            continue;
        cut_values(m, g, m->price, z);
        for (size_t j = 0; j < n; j++)
            least = fmin(least, z[j]);
        for (size_t j = 0; j < n; j++)
            spread += (z[j] - least) / (double)n;
        spread = fmax(spread, 1e-3 * m->price_scale * m->problem->groups[g].swing_kw);
        spread = fmax(spread, 1e-6 * m->price_scale * m->power_scale);
        m->level[g] = least - spread;
        for (size_t j = 0; j < n; j++) {
            z[j] -= m->level[g];
            m->alpha.x[first + j] = 1.0 / (double)n;
        }
    }
}

static void start_orders(struct market_master *m, double mu)
{
    for (size_t i = 0; i < m->n_live; i++) {
        double width = m->high[i] - m->low[i];
        double inside = fmin(0.5 * width, m->trade_kw);
        bool from_low = fabs(m->low[i]) <= fabs(m->high[i]);

        m->q[i] = from_low ? m->low[i] + inside : m->high[i] - inside;
        m->lower.x[i] = m->q[i] - m->low[i];
        m->upper.x[i] = m->high[i] - m->q[i];
        m->lower.z[i] = mu / m->lower.x[i];
        m->upper.z[i] = mu / m->upper.x[i];
    }
}

/* Pairs of slack and multiplier of the groups inside. */
static size_t count_inside(struct market_master *m)
{
    if (market_parts_sum(m->now->parts)->n_pair == 0)
        market_parts_start(m->now->parts, m->price, 1.0);
    return market_parts_sum(m->now->parts)->n_pair;
}

/* Shortage and surplus, and prices within their bounds. */
static void start_prices(struct market_master *m, const double *guess, double penalty, double mu)
{
    for (size_t t = 0; t < m->n_step; t++) {
        m->u[t] = fmax(-0.9 * penalty, fmin(0.9 * penalty, guess[t]));
        m->shortage.z[t] = penalty - m->u[t];
        m->surplus.z[t] = penalty + m->u[t];
        m->shortage.x[t] = mu / m->shortage.z[t];
        m->surplus.x[t] = mu / m->surplus.z[t];
    }
}

static void start_row(struct market_master *m, size_t a, double shadow, double penalty, double mu)
{
    m->room.z[a] = fmin(shadow, 0.5 * penalty);
    m->u[m->n_step + a] = m->room.z[a];
    m->room.x[a] = mu / m->room.z[a];
    m->breach.z[a] = penalty - m->room.z[a];
    m->breach.x[a] = mu / m->breach.z[a];
}

void master_start(struct market_master *m, const struct market_master_settings *settings,
                  const double *guess, double lift)
{
    double penalty = settings->penalty_per_mwh;
    size_t n_inside = m->now->parts ? count_inside(m) : 0;
    double mu = lift * 0.1 * m->price_scale * m->trade_kw * (double)m->n_step /
                (double)(m->n_cut + 2 * m->n_live + n_inside + 1);

    start_prices(m, guess, penalty, mu);
    for (size_t a = 0; a < m->n_row; a++) {
        const struct market_row *row = &m->now->rows->rows[a];
        double row_penalty = fmin(penalty, row->breach_price_per_mwh);
        double size = fmax(fabs(row->room_kw), 1e-3 * m->power_scale);
        double low = fmax(mu / size, 1e-3 * m->price_scale);

        start_row(m, a, fmax(low, 0.1 * guess[m->n_step + a]), row_penalty, mu);
    }
    master_price(m, m->u, m->price);
    start_groups(m);
    start_orders(m, mu);
    if (m->now->parts) {
        market_parts_start(m->now->parts, m->price, mu);
        market_parts_fold(m->now->parts, m->price, (struct market_stride){0});
    }
}

void master_resume(struct market_master *m, const struct market_master_settings *settings,
                   const double *guess)
{
    const struct market_parts_sum *inside = market_parts_sum(m->now->parts);
    double mu = inside->product / fmax(1.0, (double)inside->n_pair);

    memcpy(m->u, guess, m->n_u * sizeof(*m->u));
    master_price(m, m->u, m->price);
    master_injections(m, m->bus);
    master_project(m, m->bus, m->residual);
    for (size_t a = 0; a < m->n_row; a++) {
        const struct market_row *row = &m->now->rows->rows[a];
        double row_penalty = fmin(settings->penalty_per_mwh, row->breach_price_per_mwh);
        double room = row->room_kw + m->residual[m->n_step + a];
        double before = guess[m->n_step + a]; /* 0: a new row */

        m->room.x[a] = fmax(room, 0.1 * mu / fmax(before, m->price_scale));
        m->room.z[a] = before > 0.0 ? before : fmin(mu / m->room.x[a], 0.5 * row_penalty);
        m->u[m->n_step + a] = m->room.z[a];
        m->breach.z[a] = row_penalty - m->room.z[a];
        m->breach.x[a] = mu / m->breach.z[a];
    }
    master_price(m, m->u, m->price);
    market_parts_fold(m->now->parts, m->price, (struct market_stride){0});
}
