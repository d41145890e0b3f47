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
 * Must what is done and multipliers move by the same share? Where the goal bends they must. Cuts
 * and orders alone do so too: with two strides balances missed the bound by more than 1e-9 of the
 * cost, and rounding told plans of one cost apart sooner.
 */
static bool needs_one_stride(const struct market_master *m)
{
    if (!m->now->parts)
        return true;
    for (size_t i = 0; i < m->n_live; i++)
        if (m->problem->orders[m->order[i]].slope_per_mwh_per_kw > 0.0)
            return true;
    return market_parts_sum(m->now->parts)->curved;
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
    if (m->one_stride)
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

/*
 * What is left of the complementarity when it counts as none: the asked part of the plan's cost (of
 * one unit of currency at least, as in the gap that clearings report), no less than rounding is.
 */
static double goal(const struct market_master *m, const struct market_master_settings *settings)
{
    double turnover = m->price_scale * m->trade_kw * (double)m->n_step;
    double unit = 1000.0 / m->problem->step_h;

    return fmax(settings->tolerance * fmax(unit, fabs(master_plan_cost(m, settings))),
                1e-13 * turnover);
}

/* Where the iteration stands. */
struct progress {
    double off_kw, gap; /* what rows miss by; Σ slack · multiplier */
    double unpriced;    /* what the multipliers miss by, at most */
    size_t n_pair;
};

static struct progress look(struct market_master *m, const struct each pairs[KINDS])
{
    struct progress now = {.off_kw = master_residuals(m),
                           .gap = complementarity(pairs, (struct market_stride){0}),
                           .n_pair = count_pairs(pairs),
                           .unpriced = m->now->parts ? master_order_miss(m) : 0.0};

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
    master_price(m, m->u, m->price);
    market_parts_fold(m->now->parts, m->price, step);
}

/* Rows miss little, and what multipliers promise is nearly what the plan costs. */
static bool is_solved(const struct market_master *m, const struct progress *now,
                      const struct market_master_settings *settings, double enough)
{
    double loose = m->now->parts ? 1e-2 * settings->tolerance : 0.0;

    return now->off_kw <= fmax(1e-9, loose) * m->power_scale && now->gap + now->unpriced <= enough;
}

static bool may_go_on(const struct market_master_settings *settings)
{
    const struct market_runner *runner = settings->runner;

    return !runner || !runner->go_on || runner->go_on(runner->watch);
}

static enum walras_status iterate(struct market_master *m,
                                  const struct market_master_settings *settings,
                                  struct market_master_info *info, struct walras_err *err)
{
    struct each pairs[KINDS];
    double turnover = m->price_scale * m->trade_kw * (double)m->n_step;

    list_pairs(m, pairs);
    m->one_stride = needs_one_stride(m);
    for (info->iterations = 0; info->iterations < settings->max_iterations; info->iterations++) {
        struct progress now = look(m, pairs);
        double mu = now.gap / (double)now.n_pair, sigma = 0.0, inside = 0.0;
        double enough = goal(m, settings);
        struct market_stride step;

        info->solved = is_solved(m, &now, settings, enough);
        info->stopped = !info->solved && !may_go_on(settings);
        if (info->solved || info->stopped)
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

    (void)master_residuals(m);
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
    info->primal = master_plan_cost(m, settings);
    info->nested = m->tree.nested;
    info->prox = info->imbalance_kw = 0.0;
    for (size_t s = 0; s < m->n_slot && isfinite(m->now->tau); s++) {
        master_proximal_slack(m, s);
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
        master_resume(master, settings, solution->u);
        status = iterate(master, settings, info, err);
    }
    for (double lift = isinf(problem->tau) ? 100.0 : 1.0;
         lift < 1e12 && !info->solved && !info->stopped && status == WALRAS_OK; lift *= 1e3) {
        master_start(master, settings, solution->u, lift);
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
