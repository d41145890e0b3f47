/*
 * The linear system of a device's Newton step: K = L D Lᵀ is tridiagonal in the values of its rows
 * (docs/devices.md, eq. 45-47).
 */
#include "agents/interior_internal.h"

/* A product of leads below this has no digit left in the curvature. */
#define INTERIOR_FORGOTTEN 1e-18

/* K = L D Lᵀ, D and L without a difference of like numbers. */
void interior_factor(struct interior_room *r)
{
    double rest = 0.0;

    for (size_t i = 0; i < r->n; i++) {
        double theta = r->state.theta[i], d = 0.0;

        rest += r->in[i] * r->in[i] * r->charge.theta[i] + r->out * r->out * r->discharge.theta[i];
        d = theta + rest;
        r->inverse[i] = d > 0.0 ? 1.0 / d : 0.0;
        rest *= r->keep * r->keep * theta * r->inverse[i];
    }
}

void interior_find_leads(struct interior_room *r)
{
    for (size_t i = 0; i < r->n; i++)
        r->lead[i] = r->keep * r->state.theta[i] * r->inverse[i];
}

/* rhs of the rows for pulls on the three variables. */
static void gather(struct interior_room *r, const double *charge, const double *discharge,
                   const double *state)
{
    double before = 0.0;

    for (size_t i = 0; i < r->n; i++) {
        double pulled = r->state.theta[i] * state[i];

        r->rhs[i] = pulled - before - r->in[i] * r->charge.theta[i] * charge[i] +
                    r->out * r->discharge.theta[i] * discharge[i];
        before = r->keep * pulled;
    }
}

/* Solves K solved = rhs. */
static void solve(const struct interior_room *r, double *solved)
{
    double carried = 0.0;

    for (size_t i = 0; i < r->n; i++) {
        carried += r->rhs[i];
        solved[i] = carried * r->inverse[i];
        carried *= r->lead[i];
    }
    for (size_t i = r->n - 1; i-- > 0;)
        solved[i] += r->lead[i] * solved[i + 1];
}

void interior_add_draw(struct interior_room *r, const double *charge, const double *discharge,
                       const double *state, bool with_miss, double *draw_kw)
{
    gather(r, charge, discharge, state);
    for (size_t i = 0; i < r->n && with_miss; i++)
        r->rhs[i] -= r->miss[i];
    solve(r, r->solved);
    for (size_t i = 0; i < r->n; i++)
        draw_kw[i] += r->charge.theta[i] * charge[i] - r->discharge.theta[i] * discharge[i] +
                      r->b[i] * r->solved[i];
}

/*
 * Column by column: column i of K⁻¹ below the diagonal is the next
 * one times a lead, as far down as the leads' product has a digit left.
 */
void interior_add_curvature(struct interior_room *r, size_t n_step, double *curvature)
{
    double *row = r->row, below = 0.0, product = 1.0;
    size_t reach = r->n;

    for (size_t i = r->n; i-- > 0;) {
        double lead = i + 1 < r->n ? r->lead[i] : 0.0, b = r->b[i];
        double own = r->inverse[i] + lead * lead * below;
        double *column = curvature + i * n_step;

        reach = lead > 0.0 ? reach : i + 1;
        product = reach > i + 1 ? product * lead : 1.0;
        while (reach > i + 1 && product < INTERIOR_FORGOTTEN) {
            reach--;
            product = reach > i + 1 ? product / r->lead[reach - 1] : 1.0;
        }
        for (size_t j = i + 1; j < reach; j++) {
            row[j] *= lead;
            column[j] -= b * row[j];
        }
        row[i] = b * own;
        column[i] += r->charge.theta[i] + r->discharge.theta[i] - b * row[i];
        below = own;
    }
}

void interior_move(const struct interior_room *r, const double *price, const double *y,
                   double *charge, double *discharge, double *state)
{
    for (size_t i = 0; i < r->n; i++) {
        double after = i + 1 < r->n ? r->keep * y[i + 1] : 0.0;

        charge[i] = r->charge.theta[i] * (charge[i] - price[i] + r->in[i] * y[i]);
        discharge[i] = r->discharge.theta[i] * (discharge[i] + price[i] - r->out * y[i]);
        state[i] = r->state.theta[i] * (state[i] - y[i] + after);
    }
}

void interior_move_values(struct interior_room *r, const double *price_move, const double *charge,
                          const double *discharge, const double *state, double *y)
{
    gather(r, charge, discharge, state);
    for (size_t i = 0; i < r->n; i++)
        r->rhs[i] += r->b[i] * price_move[i] - r->miss[i];
    solve(r, y);
}
