/*
 * The linear system of one interior point iteration.
 *
 * Eliminated one after another (docs/mathematics.md, "Master"):
 *     d alpha_j = rc_j/z_j - Θ_j (X_j·dλ - dθ),   Θ_j = alpha_j/z_j
 *     d q       = Θ (dλ + g),                      Θ = 1/(slope + zl/xl + zu/xu)
 *     d θ_g     = (ρ_g - Σ rc/z + Σ Θ_j X_j·dλ) / Σ Θ_j
 * leaving  N du = rhs,  N = Σ_b E_bᵀ (cov_b + diag) E_b + diagonal, symmetric positive definite.
 */
#include "market/master_internal.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
             double *b, const int *ldb, int *info);

static double signed_coef(const struct market_row *row, size_t i)
{
    return -row->direction * row->coef.coef[i];
}

/* Where the rows' coefficients are, by slot: what the dense matrix is filled from. */
static enum walras_status index_entries(struct market_master *m, struct walras_err *err)
{
    const struct market_rows *rows = m->now->rows;
    size_t total = 0;

    memset(m->entry_first, 0, (m->n_slot + 1) * sizeof(*m->entry_first));
    for (size_t a = 0; a < rows->n; a++)
        for (size_t i = 0; i < rows->rows[a].coef.n; i++) {
            size_t slot = m->slot_of_bus[rows->rows[a].coef.bus[i]];

            if (slot != SIZE_MAX) {
                m->entry_first[slot + 1]++;
                total++;
            }
        }
    if (total > m->entry_capacity) {
        struct bus_entry *grown = realloc(m->entry, 2 * total * sizeof(*grown));

        if (!grown)
            return walras_fail(err, WALRAS_NOMEM, "cannot hold %zu sensitivities", total);
        m->entry = grown;
        m->entry_capacity = 2 * total;
    }
    for (size_t s = 0; s < m->n_slot; s++)
        m->entry_first[s + 1] += m->entry_first[s];
    for (size_t a = 0; a < rows->n; a++) /* fills each slot's range from its start, in row order */
        for (size_t i = 0; i < rows->rows[a].coef.n; i++) {
            size_t slot = m->slot_of_bus[rows->rows[a].coef.bus[i]];

            if (slot != SIZE_MAX)
                m->entry[m->entry_first[slot]++] = (struct bus_entry){
                    m->n_step + a, rows->rows[a].step, signed_coef(&rows->rows[a], i)};
        }
    for (size_t s = m->n_slot; s > 0; s--) /* the starts moved to the ends: move them back */
        m->entry_first[s] = m->entry_first[s - 1];
    m->entry_first[0] = 0;
    return WALRAS_OK;
}

enum walras_status master_kkt_index(struct market_master *m, struct walras_err *err)
{
    enum walras_status status = master_tree_index(&m->tree, m->now->rows, err);

    if (status != WALRAS_OK || m->tree.nested)
        return status;
    status = master_reserve_dense(m, err);
    return status == WALRAS_OK ? index_entries(m, err) : status;
}

/* Θ of orders summed into the diagonal of their bus and step, and the proximal term's share. */
static void fill_diagonal(struct market_master *m)
{
    memset(m->diagonal, 0, m->n_bus * m->n_step * sizeof(*m->diagonal));
    for (size_t i = 0; i < m->n_live; i++) {
        double slope = m->problem->orders[m->order[i]].slope_per_mwh_per_kw;

        m->theta[i] = 1.0 / (slope + m->lower.z[i] / m->lower.x[i] + m->upper.z[i] / m->upper.x[i]);
        m->diagonal[m->cell[i]] += m->theta[i];
    }
    for (size_t s = 0; s < m->n_slot; s++)
        for (size_t t = 0; t < m->n_step; t++)
            m->diagonal[m->bus_of_slot[s] * m->n_step + t] += master_prox(m, s);
}

/*
 * What one step's diagonal adds: G Gᵀ with one row for the energy price and one for each active
 * grid row, one column for each bus that can move, each scaled by the root of its diagonal.
 */
static void add_step(struct market_master *m, size_t step)
{
    const struct market_rows *rows = m->now->rows;
    size_t first = rows->step_first[step], n_row = rows->step_first[step + 1] - first;
    size_t n = m->n_u, n_moving = 0, side = n_row + 1;
    double *g = m->step_rows, *block = m->step_block;

    for (size_t b = 0; b < m->n_bus; b++) {
        double diagonal = m->diagonal[b * m->n_step + step];

        m->scratch[b] = sqrt(diagonal);
        m->column[b] = diagonal > 0.0 ? n_moving++ : SIZE_MAX;
        if (diagonal > 0.0 && !market_is_reactive(m->problem, b))
            m->matrix[step * n + step] += diagonal;
    }
    if (n_row == 0)
        return;
    memset(g, 0, side * n_moving * sizeof(*g));
    for (size_t b = 0; b < m->n_bus; b++)
        if (m->column[b] != SIZE_MAX && !market_is_reactive(m->problem, b))
            g[m->column[b] * side] = m->scratch[b];
    for (size_t a = 0; a < n_row; a++) {
        const struct market_row *row = &rows->rows[first + a];

        for (size_t i = 0; i < row->coef.n; i++) {
            size_t bus = row->coef.bus[i];

            if (m->column[bus] != SIZE_MAX)
                g[m->column[bus] * side + a + 1] = signed_coef(row, i) * m->scratch[bus];
        }
    }
    cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, (int)side, (int)n_moving, 1.0, g,
                (int)side, 0.0, block, (int)side);
    for (size_t a = 0; a < n_row; a++) {
        size_t index = m->n_step + first + a;

        m->matrix[step * n + index] += block[a + 1];
        for (size_t c = 0; c <= a; c++)
            m->matrix[(m->n_step + first + c) * n + index] += block[(c + 1) * side + a + 1];
    }
}

/*
 * Columns whose products with themselves add up to the covariance at a slot: over its groups
 * Σ_j Θ_j (X_j - mean)(X_j - mean)ᵀ, mean weighted by Θ. Returns how many.
 */
static size_t pack_cuts(struct market_master *m, size_t slot)
{
    size_t n_step = m->n_step, packed = 0;

    for (size_t i = m->slot_first[slot]; i < m->slot_first[slot + 1]; i++) {
        size_t g = m->slot_group[i];
        const struct market_group_cuts *cuts = &m->now->cuts->groups[g];
        const double *theta = m->theta_cut + m->cut_first[g];
        double *mean = m->packed + packed * n_step;

        if (market_master_skips(m->now, g) || cuts->n < 2)
            continue;
        cblas_dgemv(CblasColMajor, CblasNoTrans, (int)n_step, (int)cuts->n, 1.0 / m->group_theta[g],
                    cuts->draw_kw, (int)n_step, theta, 1, 0.0, mean + cuts->n * n_step, 1);
        for (size_t j = 0; j < cuts->n; j++) {
            double root = sqrt(theta[j]);

            for (size_t t = 0; t < n_step; t++)
                mean[j * n_step + t] =
                    root * (cuts->draw_kw[j * n_step + t] - mean[cuts->n * n_step + t]);
        }
        packed += cuts->n;
    }
    return packed;
}

/* The covariance at a slot, and the groups' curvature where the metric has it. */
static bool fill_covariance(struct market_master *m, size_t slot)
{
    size_t n_step = m->n_step, packed = pack_cuts(m, slot);

    if (packed == 0 && !m->now->curvature && !m->now->parts)
        return false;
    if (m->now->curvature)
        memcpy(m->covariance, m->metric + slot * n_step * n_step,
               n_step * n_step * sizeof(*m->covariance));
    if (m->now->parts) {
        memset(m->covariance, 0, n_step * n_step * sizeof(*m->covariance));
        market_parts_add_curvature(m->now->parts, m->bus_of_slot[slot], m->covariance);
    }
    if (packed > 0)
        cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, (int)n_step, (int)packed, 1.0,
                    m->packed, (int)n_step, m->now->curvature ? 1.0 : 0.0, m->covariance,
                    (int)n_step);
    for (size_t t = 0; t < n_step; t++) /* both triangles: rows of the grid read it either way */
        for (size_t s = 0; s < t; s++)
            m->covariance[t * n_step + s] = m->covariance[s * n_step + t];
    return true;
}

/* N += E_bᵀ covariance E_b. */
static void add_covariance(struct market_master *m, size_t slot)
{
    size_t n = m->n_u, n_step = m->n_step;
    const struct bus_entry *entry = m->entry + m->entry_first[slot];
    size_t n_entry = m->entry_first[slot + 1] - m->entry_first[slot];

    for (size_t t = 0; t < n_step; t++)
        for (size_t s = t; s < n_step; s++)
            m->matrix[t * n + s] += m->covariance[t * n_step + s];
    for (size_t i = 0; i < n_entry; i++) {
        const double *column = m->covariance + entry[i].step * n_step;

        for (size_t t = 0; t < n_step; t++)
            m->matrix[t * n + entry[i].index] += entry[i].coef * column[t];
        for (size_t j = 0; j <= i; j++)
            m->matrix[entry[j].index * n + entry[i].index] +=
                entry[i].coef * entry[j].coef * column[entry[j].step];
    }
}

static void fill_group_theta(struct market_master *m)
{
    for (size_t g = 0; g < m->problem->n_group; g++) {
        m->group_theta[g] = 0.0;
        for (size_t j = m->cut_first[g]; j < m->cut_first[g + 1]; j++) {
            m->theta_cut[j] = m->alpha.x[j] / m->alpha.z[j];
            m->group_theta[g] += m->theta_cut[j];
        }
    }
}

/* Adds what a bus answers to its prices (master_tree_add). */
static void add_bus(void *context, size_t bus, double *s)
{
    struct market_master *m = context;
    size_t n_step = m->n_step, slot = m->slot_of_bus[bus];
    size_t packed = slot != SIZE_MAX ? pack_cuts(m, slot) : 0;

    if (packed > 0)
        cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, (int)n_step, (int)packed, 1.0,
                    m->packed, (int)n_step, 1.0, s, (int)n_step);
    if (slot != SIZE_MAX && m->now->curvature)
        cblas_daxpy((int)(n_step * n_step), 1.0, m->metric + slot * n_step * n_step, 1, s, 1);
    if (m->now->parts)
        market_parts_add_curvature(m->now->parts, bus, s);
    for (size_t t = 0; t < n_step; t++)
        s[t * (n_step + 1)] += m->diagonal[bus * n_step + t];
}

/* The diagonal of shortage and surplus, and that of the rows' room and breach. */
static void fill_elastic(struct market_master *m)
{
    for (size_t t = 0; t < m->n_step; t++)
        m->elastic[t] = m->shortage.x[t] / m->shortage.z[t] + m->surplus.x[t] / m->surplus.z[t];
    for (size_t a = 0; a < m->n_row; a++)
        m->elastic[m->n_step + a] = m->room.x[a] / m->room.z[a] + m->breach.x[a] / m->breach.z[a];
}

static void fill_matrix(struct market_master *m)
{
    size_t n = m->n_u;

    memset(m->matrix, 0, n * n * sizeof(*m->matrix));
    for (size_t t = 0; t < m->n_step; t++)
        add_step(m, t);
    for (size_t s = 0; s < m->n_slot; s++)
        if (fill_covariance(m, s))
            add_covariance(m, s);
    for (size_t i = 0; i < n; i++)
        m->matrix[i * (n + 1)] += m->elastic[i];
}

static bool factor_dense(struct market_master *m, double lift)
{
    int n = (int)m->n_u, info = 0;

    fill_matrix(m);
    for (size_t i = 0; i < m->n_u; i++)
        m->matrix[i * m->n_u + i] *= 1.0 + lift;
    dpotrf_("L", &n, m->matrix, &n, &info);
    return info == 0;
}

/* The diagonal is lifted a little, and more when rounding has made the matrix indefinite. */
enum walras_status master_kkt_factor(struct market_master *m, struct walras_err *err)
{
    fill_diagonal(m);
    fill_group_theta(m);
    fill_elastic(m);
    for (double lift = 1e-13; lift < 1e-4; lift *= 1e3)
        if (m->tree.nested
                ? master_tree_factor(&m->tree, add_bus, m, m->elastic + m->n_step, m->elastic, lift)
                : factor_dense(m, lift))
            return WALRAS_OK;
    return walras_fail(err, WALRAS_INTERNAL, "master: the system of %zu prices is singular",
                       m->n_u);
}

/* The share of groups inside. The corrector's goes towards mu and takes off the second order. */
static void add_pulls(struct market_master *m)
{
    const struct market_parts_sum *sum = market_parts_sum(m->now->parts);

    for (size_t i = 0; i < m->n_bus * m->n_step; i++) {
        m->bus[i] -= sum->still_kw[i];
        if (m->part_mu > 0.0)
            m->bus[i] -= m->part_mu * sum->per_mu_kw[i] + sum->bent_kw[i];
    }
}

/* The step's constant part at each bus: what injections would change by if prices stood still. */
static void constant_part(struct market_master *m)
{
    size_t n_step = m->n_step;

    memset(m->bus, 0, m->n_bus * n_step * sizeof(*m->bus));
    if (m->now->parts)
        add_pulls(m);
    for (size_t i = 0; i < m->n_live; i++) {
        m->gradient[i] =
            m->off_price[i] + m->lower.rc[i] / m->lower.x[i] - m->upper.rc[i] / m->upper.x[i];
        m->bus[m->cell[i]] += m->theta[i] * m->gradient[i];
    }
    for (size_t g = 0; g < m->problem->n_group; g++) {
        const struct market_group_cuts *cuts = &m->now->cuts->groups[g];
        double *bus = m->bus + m->problem->groups[g].bus * n_step, share = 0.0;

        m->group_rc[g] = m->simplex[g];
        if (market_master_skips(m->now, g) || cuts->n == 0)
            continue;
        for (size_t j = m->cut_first[g]; j < m->cut_first[g + 1]; j++)
            m->group_rc[g] -= m->alpha.rc[j] / m->alpha.z[j];
        share = m->group_rc[g] / m->group_theta[g];
        for (size_t j = 0; j < cuts->n; j++) {
            size_t c = m->cut_first[g] + j;
            double change = m->alpha.rc[c] / m->alpha.z[c] + m->theta_cut[c] * share;

            cblas_daxpy((int)n_step, -change, cuts->draw_kw + j * n_step, 1, bus, 1);
        }
    }
}

void master_price(struct market_master *m, const double *u, double *price)
{
    if (m->tree.nested)
        master_tree_price(&m->tree, u, price);
    else
        market_rows_price(m->now->rows, u, price);
}

void master_project(struct market_master *m, const double *injection_kw, double *out)
{
    if (m->tree.nested)
        master_tree_project(&m->tree, injection_kw, out);
    else
        market_rows_project(m->now->rows, injection_kw, out);
}

static void solve_prices(struct market_master *m)
{
    int n = (int)m->n_u, one = 1, info = 0;

    constant_part(m);
    master_project(m, m->bus, m->rhs);
    for (size_t i = 0; i < m->n_u; i++)
        m->du[i] = m->residual[i] - m->rhs[i];
    for (size_t t = 0; t < m->n_step; t++)
        m->du[t] += m->surplus.rc[t] / m->surplus.z[t] - m->shortage.rc[t] / m->shortage.z[t];
    for (size_t a = 0; a < m->n_row; a++)
        m->du[m->n_step + a] += m->room.rc[a] / m->room.z[a] - m->breach.rc[a] / m->breach.z[a];
    if (m->tree.nested)
        master_tree_solve(&m->tree, m->du);
    else
        dpotrs_("L", &n, &one, m->matrix, &n, m->du, &n, &info);
    master_price(m, m->du, m->dprice);
}

/* d x and d z of a variable whose multiplier moves by dz = sign · d price. */
static void pair_step(struct pair *pair, size_t n, const double *d_price, double sign)
{
    for (size_t i = 0; i < n; i++) {
        pair->dz[i] = sign * d_price[i];
        pair->dx[i] = (pair->rc[i] - pair->x[i] * pair->dz[i]) / pair->z[i];
    }
}

static void step_groups(struct market_master *m)
{
    size_t n_step = m->n_step;

    for (size_t g = 0; g < m->problem->n_group; g++) {
        const struct market_group_cuts *cuts = &m->now->cuts->groups[g];
        const double *dprice = m->dprice + m->problem->groups[g].bus * n_step;
        size_t first = m->cut_first[g];
        double sum = 0.0;

        m->dlevel[g] = 0.0;
        if (market_master_skips(m->now, g) || cuts->n == 0)
            continue;
        cblas_dgemv(CblasColMajor, CblasTrans, (int)n_step, (int)cuts->n, 1.0, cuts->draw_kw,
                    (int)n_step, dprice, 1, 0.0, m->alpha.dz + first, 1);
        for (size_t j = 0; j < cuts->n; j++)
            sum += m->theta_cut[first + j] * m->alpha.dz[first + j];
        m->dlevel[g] = (m->group_rc[g] + sum) / m->group_theta[g];
        for (size_t j = first; j < first + cuts->n; j++) {
            m->alpha.dz[j] -= m->dlevel[g];
            m->alpha.dx[j] = (m->alpha.rc[j] - m->alpha.x[j] * m->alpha.dz[j]) / m->alpha.z[j];
        }
    }
}

void master_kkt_step(struct market_master *m)
{
    solve_prices(m);
    step_groups(m);
    for (size_t i = 0; i < m->n_live; i++) {
        m->dq[i] = m->theta[i] * (m->dprice[m->cell[i]] + m->gradient[i]);
        m->lower.dx[i] = m->dq[i];
        m->upper.dx[i] = -m->dq[i];
        m->lower.dz[i] = (m->lower.rc[i] - m->lower.z[i] * m->dq[i]) / m->lower.x[i];
        m->upper.dz[i] = (m->upper.rc[i] + m->upper.z[i] * m->dq[i]) / m->upper.x[i];
    }
    pair_step(&m->shortage, m->n_step, m->du, -1.0);
    pair_step(&m->surplus, m->n_step, m->du, 1.0);
    pair_step(&m->room, m->n_row, m->du + m->n_step, 1.0);
    pair_step(&m->breach, m->n_row, m->du + m->n_step, -1.0);
}
