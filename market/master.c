#include "market/master_internal.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* The curvature of the groups at each bus, those left out too: it is a metric, no answer. */
static void add_curvature(struct market_master *m)
{
    size_t size = m->n_step * m->n_step;

    memset(m->metric, 0, m->n_slot * size * sizeof(*m->metric));
    for (size_t g = 0; g < m->problem->n_group; g++)
        cblas_daxpy((int)size, 1.0, m->now->curvature + g * size, 1,
                    m->metric + m->slot_of_bus[m->problem->groups[g].bus] * size, 1);
}

/*
 * Does the goal bend? Then what is done and multipliers must move by the same share. Orders alone
 * take few iterations, and end with fuller balances so.
 */
static bool is_curved(const struct market_master *m)
{
    if (isfinite(m->now->tau) || (m->n_cut == 0 && !m->now->parts))
        return true;
    for (size_t i = 0; i < m->n_live; i++)
        if (m->problem->orders[m->order[i]].slope_per_mwh_per_kw > 0.0)
            return true;
    return m->now->parts && market_parts_sum(m->now->parts)->curved;
}

static enum walras_status begin(struct market_master *m, const struct market_master_problem *now,
                                struct walras_err *err)
{
    m->now = now;
    m->n_row = now->rows->n;
    m->n_u = m->n_step + m->n_row;
    m->n_cut = 0;
    for (size_t g = 0; g < m->problem->n_group; g++) {
        m->cut_first[g] = m->n_cut;
        if (!market_master_skips(m->now, g))
            m->n_cut += now->cuts->groups[g].n;
    }
    m->cut_first[m->problem->n_group] = m->n_cut;
    enum walras_status status = master_reserve(m, err);

    if (status == WALRAS_OK && now->curvature)
        add_curvature(m);

    return status == WALRAS_OK ? master_kkt_index(m, err) : status;
}

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

/* A point inside all bounds near the guessed prices; a larger `lift` starts further inside. */
static void start(struct market_master *m, const struct market_master_settings *settings,
                  const double *guess, double lift)
{
    double penalty = settings->penalty_per_mwh;
    double row_penalty = fmin(penalty, m->problem->breach_price_per_mwh);
    size_t n_inside = m->now->parts ? count_inside(m) : 0;
    double mu = lift * 0.1 * m->price_scale * m->trade_kw * (double)m->n_step /
                (double)(m->n_cut + 2 * m->n_live + n_inside + 1);

    start_prices(m, guess, penalty, mu);
    for (size_t a = 0; a < m->n_row; a++) {
        double size = fmax(fabs(m->now->rows->rows[a].room_kw), 1e-3 * m->power_scale);
        double low = fmax(mu / size, 1e-3 * m->price_scale);

        start_row(m, a, fmax(low, 0.1 * guess[m->n_step + a]), row_penalty, mu);
    }
    market_rows_price(m->now->rows, m->u, m->price);
    start_groups(m);
    start_orders(m, mu);
    if (m->now->parts) {
        market_parts_start(m->now->parts, m->price, mu);
        market_parts_fold(m->now->parts, m->price, (struct market_stride){0});
    }
}

/* m->move and m->slack of a slot: r = (S/tau + metric) (price - centre). */
static void proximal_slack(struct market_master *m, size_t slot)
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

/* Injection at each bus: orders, groups, firm draw and the proximal slack. */
static void injections(struct market_master *m, double *bus)
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
        proximal_slack(m, s);
        cblas_daxpy((int)n_step, 1.0, m->slack, 1, bus + m->bus_of_slot[s] * n_step, 1);
    }
}

/* What the rows, simplexes and order prices miss by; returns the largest of the rows, kW. */
static double residuals(struct market_master *m)
{
    double worst = 0.0;

    market_rows_price(m->now->rows, m->u, m->price);
    injections(m, m->bus);
    market_rows_project(m->now->rows, m->bus, m->residual);
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

/*
 * Goes on with more rows: all else stays as it is. A row begins with the room that it has; one that
 * has none, with a little.
 */
static void resume(struct market_master *m, const struct market_master_settings *settings,
                   const double *guess)
{
    double row_penalty = fmin(settings->penalty_per_mwh, m->problem->breach_price_per_mwh);
    const struct market_parts_sum *inside = market_parts_sum(m->now->parts);
    double mu = inside->product / fmax(1.0, (double)inside->n_pair);

    memcpy(m->u, guess, m->n_u * sizeof(*m->u));
    market_rows_price(m->now->rows, m->u, m->price);
    injections(m, m->bus);
    market_rows_project(m->now->rows, m->bus, m->residual);
    for (size_t a = 0; a < m->n_row; a++) {
        double room = m->now->rows->rows[a].room_kw + m->residual[m->n_step + a];
        double before = guess[m->n_step + a]; /* 0: a new row */

        m->room.x[a] = fmax(room, 0.1 * mu / fmax(before, m->price_scale));
        m->room.z[a] = before > 0.0 ? before : fmin(mu / m->room.x[a], 0.5 * row_penalty);
        m->u[m->n_step + a] = m->room.z[a];
        m->breach.z[a] = row_penalty - m->room.z[a];
        m->breach.x[a] = mu / m->breach.z[a];
    }
    market_rows_price(m->now->rows, m->u, m->price);
    market_parts_fold(m->now->parts, m->price, (struct market_stride){0});
}

struct each { /* every complementary pair of the problem */
    struct pair *pair;
    size_t n;
};
enum { KINDS = 7 };

static void list_pairs(struct market_master *m, struct each pairs[KINDS])
{
    pairs[0] = (struct each){&m->alpha, m->n_cut};
    pairs[1] = (struct each){&m->lower, m->n_live};
    pairs[2] = (struct each){&m->upper, m->n_live};
    pairs[3] = (struct each){&m->room, m->n_row};
    pairs[4] = (struct each){&m->breach, m->n_row};
    pairs[5] = (struct each){&m->shortage, m->n_step};
    pairs[6] = (struct each){&m->surplus, m->n_step};
}

/* Σ x z after a step. */
static double complementarity(const struct each pairs[KINDS], struct market_stride step)
{
    double sum = 0.0;

    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < pairs[k].n; i++) {
            const struct pair *p = pairs[k].pair;

            sum += (p->x[i] + step.primal * p->dx[i]) * (p->z[i] + step.dual * p->dz[i]);
        }
    return sum;
}

static size_t count_pairs(const struct each pairs[KINDS])
{
    size_t n = 0;

    for (size_t k = 0; k < KINDS; k++)
        n += pairs[k].n;
    return n;
}

/* Targets of the predictor (towards zero) or the corrector (towards mu, second order taken off). */
static void aim(const struct each pairs[KINDS], double mu, bool second_order)
{
    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < pairs[k].n; i++) {
            struct pair *p = pairs[k].pair;

            p->rc[i] = mu - p->x[i] * p->z[i] - (second_order ? p->dx[i] * p->dz[i] : 0.0);
        }
}

/* The longest step that keeps everything positive, at most 1. */
static struct market_stride longest_step(const struct market_master *m,
                                         const struct each pairs[KINDS])
{
    struct market_stride step = {1.0, 1.0};

    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < pairs[k].n; i++) {
            const struct pair *p = pairs[k].pair;

            if (p->x[i] + step.primal * p->dx[i] < 0.0)
                step.primal = -p->x[i] / p->dx[i];
            if (p->z[i] + step.dual * p->dz[i] < 0.0)
                step.dual = -p->z[i] / p->dz[i];
        }
    if (m->now->parts) {
        struct market_stride inside = market_parts_sum(m->now->parts)->longest;

        step.primal = fmin(step.primal, inside.primal);
        step.dual = fmin(step.dual, inside.dual);
    }
    if (m->curved)
        step.primal = step.dual = fmin(step.primal, step.dual);
    return step;
}

static void take_step(struct market_master *m, const struct each pairs[KINDS],
                      struct market_stride step)
{
    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < pairs[k].n; i++) {
            struct pair *p = pairs[k].pair;

            p->x[i] += step.primal * p->dx[i];
            p->z[i] += step.dual * p->dz[i];
        }
    for (size_t i = 0; i < m->n_u; i++)
        m->u[i] += step.dual * m->du[i];
    for (size_t g = 0; g < m->problem->n_group; g++)
        m->level[g] += step.dual * m->dlevel[g];
    for (size_t i = 0; i < m->n_live; i++) {
        m->q[i] += step.primal * m->dq[i];
        if (m->lower.x[i] < m->upper.x[i]) /* the nearer bound is told apart without rounding */
            m->q[i] = m->low[i] + m->lower.x[i];
        else
            m->q[i] = m->high[i] - m->upper.x[i];
    }
}

/* What the mixed plan costs, with penalties and without the proximal term. */
static double plan_cost(const struct market_master *m,
                        const struct market_master_settings *settings)
{
    const struct market_problem *p = m->problem;
    double row_penalty = fmin(settings->penalty_per_mwh, p->breach_price_per_mwh);
    double cost = m->fixed_cost;

    for (size_t i = 0; i < m->n_live; i++)
        cost += market_order_cost(&p->orders[m->order[i]], m->q[i]);
    for (size_t g = 0; g < p->n_group; g++)
        for (size_t j = m->cut_first[g]; j < m->cut_first[g + 1]; j++)
            cost += m->alpha.x[j] * m->now->cuts->groups[g].cuts[j - m->cut_first[g]].cost;
    for (size_t t = 0; t < m->n_step; t++)
        cost += settings->penalty_per_mwh * (m->shortage.x[t] + m->surplus.x[t]);
    for (size_t a = 0; a < m->n_row; a++)
        cost += row_penalty * m->breach.x[a];
    return cost + (m->now->parts ? market_parts_sum(m->now->parts)->cost : 0.0);
}

/*
 * What is left of the complementarity when it counts as none: the asked part of the plan's cost (of
 * one unit of currency at least, as in the gap that clearings report), no less than rounding is.
 */
static double goal(const struct market_master *m, const struct market_master_settings *settings)
{
    double turnover = m->price_scale * m->trade_kw * (double)m->n_step;
    double unit = 1000.0 / m->problem->step_h;

    return fmax(settings->tolerance * fmax(unit, fabs(plan_cost(m, settings))), 1e-13 * turnover);
}

/* What the orders' multipliers miss by, at most. */
static double order_miss(const struct market_master *m)
{
    double sum = 0.0;

    for (size_t i = 0; i < m->n_live; i++)
        sum += fabs(m->off_price[i]) * fmin(m->high[i] - m->low[i], m->trade_kw);
    return sum;
}

/* Where the iteration stands. */
struct progress {
    double off_kw, gap; /* what rows miss by; Σ slack · multiplier */
    double unpriced;    /* what the multipliers miss by, at most */
    size_t n_pair;
};

static struct progress look(struct market_master *m, const struct each pairs[KINDS])
{
    struct progress now = {.off_kw = residuals(m),
                           .gap = complementarity(pairs, (struct market_stride){0}),
                           .n_pair = count_pairs(pairs),
                           .unpriced = order_miss(m)};

    if (m->now->parts) {
        const struct market_parts_sum *inside = market_parts_sum(m->now->parts);

        now.off_kw = fmax(now.off_kw, inside->off_kw);
        now.gap += inside->product;
        now.unpriced += inside->unpriced;
        now.n_pair += inside->n_pair;
    }
    return now;
}

/* The predictor: its step towards zero; returns what mu would be after as much of it as can be. */
static double predict(struct market_master *m, const struct each pairs[KINDS],
                      const struct progress *now)
{
    struct market_stride step;
    double after = 0.0;

    aim(pairs, 0.0, false);
    m->part_mu = 0.0;
    master_kkt_step(m);
    if (m->now->parts)
        market_parts_predict(m->now->parts, m->dprice);
    step = longest_step(m, pairs);
    if (m->now->parts) {
        const struct market_parts_sum *inside = market_parts_sum(m->now->parts);

        after = (1.0 - step.dual) * inside->product + (step.primal - step.dual) * inside->leaning +
                step.primal * step.dual * inside->crossed;
    }
    return (after + complementarity(pairs, step)) / (double)now->n_pair;
}

/* The corrector: its step towards mu; returns how far it can be gone. */
static struct market_stride correct(struct market_master *m, const struct each pairs[KINDS],
                                    double mu)
{
    aim(pairs, mu, true);
    m->part_mu = mu;
    master_kkt_step(m);
    if (m->now->parts)
        market_parts_correct(m->now->parts, m->dprice, mu);
    return longest_step(m, pairs);
}

static void advance(struct market_master *m, const struct each pairs[KINDS],
                    struct market_stride step)
{
    take_step(m, pairs, step);
    if (!m->now->parts)
        return;
    market_rows_price(m->now->rows, m->u, m->price);
    market_parts_fold(m->now->parts, m->price, step);
}

/* Rows miss little, and what multipliers promise is nearly what the plan costs. */
static bool is_solved(const struct market_master *m, const struct progress *now,
                      const struct market_master_settings *settings, double enough)
{
    double loose = m->now->parts ? 1e-2 * settings->tolerance : 0.0;

    return now->off_kw <= fmax(1e-9, loose) * m->power_scale && now->gap + now->unpriced <= enough;
}

static enum walras_status iterate(struct market_master *m,
                                  const struct market_master_settings *settings,
                                  struct market_master_info *info, struct walras_err *err)
{
    struct each pairs[KINDS];
    double turnover = m->price_scale * m->trade_kw * (double)m->n_step;

    list_pairs(m, pairs);
    m->curved = is_curved(m);
    for (info->iterations = 0; info->iterations < settings->max_iterations; info->iterations++) {
        struct progress now = look(m, pairs);
        double mu = now.gap / (double)now.n_pair, sigma = 0.0, inside = 0.0;
        double enough = goal(m, settings);
        struct market_stride step;

        info->solved = is_solved(m, &now, settings, enough);
        if (info->solved)
            break;
        struct walras_err trouble = {0};
        enum walras_status status = master_kkt_factor(m, &trouble);

        if (status == WALRAS_INTERNAL && m->now->parts)
            break; /* somebody inside has no room: another start may, or another method */
        if (status != WALRAS_OK)
            return walras_fail(err, status, "%s", trouble.msg);
        sigma = pow(fmax(predict(m, pairs, &now), 0.0) / mu, 3.0);
        /* aiming lower than asked would only cost the digits that close the balance */
        step = correct(m, pairs, fmax(sigma * mu, 0.1 * enough / (double)now.n_pair));
        inside = fmin(0.99999, fmax(0.995, 1.0 - now.gap / turnover));
        step.primal *= inside;
        step.dual *= inside;
        if (!(fmax(step.primal, step.dual) > 1e-10))
            break;
        advance(m, pairs, step);
    }
    return WALRAS_OK;
}

static void report(struct market_master *m, struct market_master_solution *solution,
                   const struct market_master_settings *settings, struct market_master_info *info)
{
    const struct market_problem *p = m->problem;

    (void)residuals(m);
    memcpy(solution->u, m->u, m->n_u * sizeof(*m->u));
    memcpy(solution->weight, m->alpha.x, m->n_cut * sizeof(*m->alpha.x));
    memcpy(solution->shortage_kw, m->shortage.x, m->n_step * sizeof(double));
    memcpy(solution->surplus_kw, m->surplus.x, m->n_step * sizeof(double));
    memcpy(solution->breach_kw, m->breach.x, m->n_row * sizeof(double));
    memcpy(solution->injection_kw, m->bus, m->n_bus * m->n_step * sizeof(double));
    for (size_t i = 0; i < p->n_order; i++)
        solution->order_kw[i] = p->orders[i].low_kw;
    for (size_t i = 0; i < m->n_live; i++)
        solution->order_kw[m->order[i]] = m->q[i];
    info->primal = plan_cost(m, settings);
    info->nested = m->tree.nested;
    info->prox = info->imbalance_kw = 0.0;
    for (size_t s = 0; s < m->n_slot && isfinite(m->now->tau); s++) {
        proximal_slack(m, s);
        for (size_t t = 0; t < m->n_step; t++) {
            info->imbalance_kw = fmax(info->imbalance_kw, fabs(m->slack[t]));
            info->prox += 0.5 * m->slack[t] * m->move[t];
        }
    }
}

enum walras_status market_master_solve(struct market_master *master,
                                       const struct market_master_problem *problem,
                                       const struct market_master_settings *settings,
                                       struct market_master_solution *solution,
                                       struct market_master_info *info, struct walras_err *err)
{
    enum walras_status status = begin(master, problem, err);

    if (status != WALRAS_OK)
        return status;
    *info = (struct market_master_info){0};
    if (problem->resume) {
        resume(master, settings, solution->u);
        status = iterate(master, settings, info, err);
    }
    for (double lift = isinf(problem->tau) ? 100.0 : 1.0;
         lift < 1e12 && !info->solved && status == WALRAS_OK; lift *= 1e3) {
        start(master, settings, solution->u, lift);
        status = iterate(master, settings, info, err);
    }
    if (status == WALRAS_OK)
        report(master, solution, settings, info);
    return status;
}

static enum walras_status solve_any(void *master, const struct market_master_problem *problem,
                                    const struct market_master_settings *settings,
                                    struct market_master_solution *solution,
                                    struct market_master_info *info, struct walras_err *err)
{
    return market_master_solve(master, problem, settings, solution, info, err);
}

struct market_master_solver market_master_solver_of(struct market_master *master)
{
    return (struct market_master_solver){solve_any, master};
}
