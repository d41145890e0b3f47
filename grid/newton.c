#include "grid/newton_internal.h"

#include <float.h>
#include <klu.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double largest_step = 0.5;     /* of a magnitude, relative, in one iteration */
static const double smallest_pivot = 1e-13; /* of the largest: below it pivots are chosen anew */
static const double good_progress = 0.2;    /* of a step: what it leaves of the largest mismatch */
static const double rounding = 8 * DBL_EPSILON; /* of a sum of powers, relative to their sizes */

struct grid_newton {
    const struct grid_admittance *y;
    double *vm, *va;  /* [n] */
    double *re, *im;  /* [n] the same voltages */
    double *p, *q;    /* [n] */
    double *step;     /* [2 n] mismatches in, steps out: of bus b at 2 b and 2 b + 1 */
    int *start, *row; /* the Jacobian by columns */
    double *value;
    klu_common common;
    klu_symbolic *symbolic;
    klu_numeric *numeric; /* of values; NULL: none */
    bool *factored_held;  /* [n] target->held of the Jacobian that numeric is of */
};

void grid_newton_free(struct grid_newton *newton)
{
    if (!newton)
        return;
    klu_free_numeric(&newton->numeric, &newton->common);
    klu_free_symbolic(&newton->symbolic, &newton->common);
    free(newton->vm);
    free(newton->step);
    free(newton->start);
    free(newton->row);
    free(newton->value);
    free(newton->factored_held);
    free(newton);
}

double *grid_newton_magnitude(struct grid_newton *newton)
{
    return newton->vm;
}

double *grid_newton_angle(struct grid_newton *newton)
{
    return newton->va;
}

const double *grid_newton_p(const struct grid_newton *newton)
{
    return newton->p;
}

const double *grid_newton_q(const struct grid_newton *newton)
{
    return newton->q;
}

/* Column k of Y with c entries gives columns 2 k and 2 k + 1 of 2 c entries each. */
static void lay_out(struct grid_newton *newton)
{
    const struct grid_admittance *y = newton->y;

    for (size_t k = 0; k < y->n; k++) {
        size_t first = y->start[k], n = y->start[k + 1] - first;

        newton->start[2 * k] = (int)(4 * first);
        newton->start[2 * k + 1] = (int)(4 * first + 2 * n);
        for (size_t e = 0; e < 4 * n; e++)
            newton->row[4 * first + e] = (int)(2 * y->row[first + e % (2 * n) / 2] + e % 2);
    }
    newton->start[2 * y->n] = (int)(4 * y->start[y->n]);
}

static enum walras_status no_memory(const struct grid_newton *newton, struct walras_err *err)
{
    return walras_fail(err, WALRAS_NOMEM, "no memory for the power flow of %zu buses",
                       newton->y->n);
}

enum walras_status grid_newton_new(const struct grid_admittance *y, struct grid_newton **made,
                                   struct walras_err *err)
{
    size_t n = y->n, n_entry = 4 * y->start[n];
    struct grid_newton *newton = calloc(1, sizeof(*newton));
    enum walras_status status = WALRAS_OK;

    if (!newton)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the power flow of %zu buses", n);
    newton->y = y;
    klu_defaults(&newton->common);
    newton->vm = calloc(6 * n, sizeof(*newton->vm));
    newton->step = calloc(2 * n, sizeof(*newton->step));
    newton->start = calloc(2 * n + 1, sizeof(*newton->start));
    newton->row = calloc(n_entry, sizeof(*newton->row));
    newton->value = calloc(n_entry, sizeof(*newton->value));
    newton->factored_held = calloc(n, sizeof(*newton->factored_held));
    if (!newton->factored_held || !newton->vm || !newton->step || !newton->start || !newton->row ||
        !newton->value) {
        status = no_memory(newton, err);
    } else if (n_entry >= INT_MAX) {
        status = walras_fail(err, WALRAS_UNSUPPORTED, "networks of %zu buses are too large", n);
    } else {
        double **parts[] = {&newton->va, &newton->re, &newton->im, &newton->p, &newton->q};

        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
            *parts[i] = newton->vm + (i + 1) * n;
        lay_out(newton);
        newton->symbolic = klu_analyze((int)(2 * n), newton->start, newton->row, &newton->common);
        if (!newton->symbolic)
            status = no_memory(newton, err);
    }
    if (status == WALRAS_OK)
        *made = newton;
    else
        grid_newton_free(newton);
    return status;
}

/* What bus i sends towards bus k: V_i conj(Y_ik V_k), active and reactive. */
static inline void term_of(const struct grid_newton *newton, size_t i, size_t k, size_t entry,
                           double *p, double *q)
{
    double g = creal(newton->y->value[entry]), b = cimag(newton->y->value[entry]);
    double re = g * newton->re[k] - b * newton->im[k], im = g * newton->im[k] + b * newton->re[k];

    *p = newton->re[i] * re + newton->im[i] * im;
    *q = newton->im[i] * re - newton->re[i] * im;
}

/* Injections, and in `step` how large the terms are that they are the sums of. */
static void sum_up(struct grid_newton *newton)
{
    const struct grid_admittance *y = newton->y;

    for (size_t b = 0; b < y->n; b++) {
        newton->re[b] = newton->vm[b] * cos(newton->va[b]);
        newton->im[b] = newton->vm[b] * sin(newton->va[b]);
        newton->p[b] = newton->q[b] = newton->step[2 * b] = newton->step[2 * b + 1] = 0.0;
    }
    for (size_t k = 0; k < y->n; k++)
        for (size_t e = y->start[k]; e < y->start[k + 1]; e++) {
            size_t i = y->row[e];
            double p, q;

            term_of(newton, i, k, e, &p, &q);
            newton->p[i] += p;
            newton->q[i] += q;
            newton->step[2 * i] += fabs(p);
            newton->step[2 * i + 1] += fabs(q);
        }
}

struct balance {
    double worst; /* largest mismatch; NAN when one is */
    bool held;    /* all are within the tolerance */
    bool rounded; /* all are within it or what rounding may leave of sums of such size */
};

/* Puts wanted less present injections into `step` and judges them. */
static struct balance look(struct grid_newton *newton, const struct grid_newton_target *target)
{
    struct balance found = {.held = true, .rounded = true};

    sum_up(newton);
    for (size_t b = 0; b < newton->y->n; b++) {
        double *at = &newton->step[2 * b];
        double size[2] = {at[0], at[1]};

        at[0] = target->slack[b] ? 0.0 : target->share * target->p[b] - newton->p[b];
        at[1] = target->held[b] ? 0.0 : target->share * target->q[b] - newton->q[b];
        for (int i = 0; i < 2; i++) {
            double off = fabs(at[i]);

            if (!(off <= found.worst) && !isnan(found.worst))
                found.worst = off;
            found.held = found.held && off <= target->tolerance;
            found.rounded = found.rounded && off <= target->tolerance + rounding * size[i];
        }
    }
    found.rounded = found.rounded && isfinite(found.worst);
    return found;
}

double grid_newton_look(struct grid_newton *newton, const struct grid_newton_target *target)
{
    return look(newton, target).worst;
}

struct block { /* of the Jacobian: what angle and magnitude of a bus do to P and Q of another */
    double p_by_angle, q_by_angle, p_by_magnitude, q_by_magnitude;
};

/* At entry e of column k: equations A6 and A7. */
static struct block block_at(const struct grid_newton *newton, size_t k, size_t e)
{
    size_t i = newton->y->row[e];
    double p, q;

    term_of(newton, i, k, e, &p, &q);
    if (i != k)
        return (struct block){q, -p, p, q};
    return (struct block){q - newton->q[i], newton->p[i] - p, newton->p[i] + p, newton->q[i] + q};
}

static void put_block(struct grid_newton *newton, const struct grid_newton_target *target, size_t k,
                      size_t e)
{
    const struct grid_admittance *y = newton->y;
    size_t i = y->row[e], n = y->start[k + 1] - y->start[k];
    double *by_angle = &newton->value[2 * y->start[k] + 2 * e], *by_magnitude = by_angle + 2 * n;
    struct block block = block_at(newton, k, e);

    by_angle[0] = block.p_by_angle;
    by_angle[1] = block.q_by_angle;
    by_magnitude[0] = block.p_by_magnitude;
    by_magnitude[1] = block.q_by_magnitude;
    if (target->slack[i]) {
        by_angle[0] = i == k;
        by_magnitude[0] = 0.0;
    }
    if (target->held[i]) {
        by_angle[1] = 0.0;
        by_magnitude[1] = i == k;
    }
}

/* With the pivots of the time before while they are good. False: the matrix is singular. */
static bool factor(struct grid_newton *newton)
{
    klu_common *common = &newton->common;

    if (newton->numeric &&
        klu_refactor(newton->start, newton->row, newton->value, newton->symbolic, newton->numeric,
                     common) &&
        klu_rcond(newton->symbolic, newton->numeric, common) && common->rcond > smallest_pivot)
        return true;
    klu_free_numeric(&newton->numeric, common);
    newton->numeric =
        klu_factor(newton->start, newton->row, newton->value, newton->symbolic, common);
    return newton->numeric != NULL;
}

static bool factor_jacobian(struct grid_newton *newton, const struct grid_newton_target *target)
{
    const struct grid_admittance *y = newton->y;

    for (size_t k = 0; k < y->n; k++)
        for (size_t e = y->start[k]; e < y->start[k + 1]; e++)
            put_block(newton, target, k, e);
    memcpy(newton->factored_held, target->held, y->n * sizeof(bool));
    return factor(newton);
}

/* Whether there are factors, and of a Jacobian in which the same is fixed. */
static bool factors_fit(const struct grid_newton *newton, const struct grid_newton_target *target)
{
    return newton->numeric &&
           memcmp(newton->factored_held, target->held, newton->y->n * sizeof(bool)) == 0;
}

/* Moves by one step, no magnitude by more than largest_step. False: there is none. */
static bool move(struct grid_newton *newton)
{
    const struct grid_admittance *y = newton->y;
    double largest = 0.0;

    if (!klu_solve(newton->symbolic, newton->numeric, (int)(2 * y->n), 1, newton->step,
                   &newton->common))
        return false;
    for (size_t b = 0; b < y->n; b++)
        largest = fmax(largest, fabs(newton->step[2 * b + 1]));
    double share = largest > largest_step ? largest_step / largest : 1.0;

    for (size_t b = 0; b < y->n; b++) {
        newton->va[b] += share * newton->step[2 * b];
        newton->vm[b] *= 1.0 + share * newton->step[2 * b + 1];
    }
    return true;
}

/* The 2 x 2 block of Y, real and imaginary part apart, at entry e of column k. */
static void put_linear_block(struct grid_newton *newton, const bool *slack, size_t k, size_t e)
{
    const struct grid_admittance *y = newton->y;
    size_t i = y->row[e], n = y->start[k + 1] - y->start[k];
    double *by_re = &newton->value[2 * y->start[k] + 2 * e], *by_im = by_re + 2 * n;
    double g = creal(y->value[e]), b = cimag(y->value[e]);

    by_re[0] = slack[i] ? i == k : g;
    by_re[1] = slack[i] ? 0.0 : b;
    by_im[0] = slack[i] ? 0.0 : -b;
    by_im[1] = slack[i] ? i == k : g;
}

bool grid_newton_go_idle(struct grid_newton *newton, const bool *slack)
{
    const struct grid_admittance *y = newton->y;
    klu_common *common = &newton->common;
    bool determined = true;

    for (size_t k = 0; k < y->n; k++) {
        newton->step[2 * k] = slack[k] ? newton->vm[k] * cos(newton->va[k]) : 0.0;
        newton->step[2 * k + 1] = slack[k] ? newton->vm[k] * sin(newton->va[k]) : 0.0;
        for (size_t e = y->start[k]; e < y->start[k + 1]; e++)
            put_linear_block(newton, slack, k, e);
    }
    klu_free_numeric(&newton->numeric, common); /* pivots of another matrix */
    determined =
        factor(newton) && klu_rcond(newton->symbolic, newton->numeric, common) &&
        common->rcond > smallest_pivot &&
        klu_solve(newton->symbolic, newton->numeric, (int)(2 * y->n), 1, newton->step, common);
    klu_free_numeric(&newton->numeric, common);
    for (size_t k = 0; k < y->n && determined; k++) {
        newton->vm[k] = hypot(newton->step[2 * k], newton->step[2 * k + 1]);
        newton->va[k] = atan2(newton->step[2 * k + 1], newton->step[2 * k]);
        determined = newton->vm[k] > 0.0;
    }
    return determined;
}

/* What only rounding may have left is good once a step no longer halves it. */
enum walras_status grid_newton_run(struct grid_newton *newton,
                                   const struct grid_newton_target *target,
                                   struct grid_newton_end *end, struct walras_err *err)
{
    struct balance now = look(newton, target);
    bool keep = target->near_last && factors_fit(newton, target);

    *end = (struct grid_newton_end){.converged = now.held};
    while (!end->converged && end->iterations < target->max_iterations && isfinite(now.worst)) {
        double before = now.worst;

        if ((!keep && !factor_jacobian(newton, target)) || !move(newton))
            return newton->common.status == KLU_OUT_OF_MEMORY ? no_memory(newton, err) : WALRAS_OK;
        end->iterations++;
        now = look(newton, target);
        keep = target->near_last && now.worst < good_progress * before;
        end->converged = now.held || (now.rounded && now.worst > 0.5 * before);
    }
    return WALRAS_OK;
}

bool grid_newton_slack_effect(struct grid_newton *newton, const struct grid_newton_target *target,
                              double *by_p, double *by_q)
{
    const struct grid_admittance *y = newton->y;
    double *effect = newton->step;

    for (size_t k = 0; k < y->n; k++) {
        effect[2 * k] = effect[2 * k + 1] = 0.0;
        for (size_t e = y->start[k]; e < y->start[k + 1]; e++) {
            struct block block = block_at(newton, k, e);

            effect[2 * k] += target->slack[y->row[e]] ? block.p_by_angle : 0.0;
            effect[2 * k + 1] += target->slack[y->row[e]] ? block.p_by_magnitude : 0.0;
        }
    }
    if (!factor_jacobian(newton, target) ||
        !klu_tsolve(newton->symbolic, newton->numeric, (int)(2 * y->n), 1, effect, &newton->common))
        return false;
    for (size_t b = 0; b < y->n; b++) {
        by_p[b] = target->slack[b] ? 1.0 : effect[2 * b];
        by_q[b] = target->held[b] ? 0.0 : effect[2 * b + 1];
    }
    return true;
}
