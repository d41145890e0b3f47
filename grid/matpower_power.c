#include "grid/matpower.h"

#include <math.h>

/* The voltage of one generator at a bus that holds its; several there must agree. */
static enum walras_status hold(const struct grid_case *c, const struct grid_generator *g,
                               double *held_pu, struct walras_err *err)
{
    const char *id = c->network.buses[g->bus].id;

    if (!(g->v_pu > 0.0) || isinf(g->v_pu))
        return walras_fail(err, WALRAS_INVALID,
                           "gen row %zu: VG is %g at bus %s, which holds its voltage; expected a "
                           "finite number above 0",
                           g->row, g->v_pu, id);
    if (!isnan(*held_pu) && *held_pu != g->v_pu)
        return walras_fail(err, WALRAS_INVALID,
                           "gen row %zu: VG is %g at bus %s, but %g in an earlier row; expected "
                           "one voltage a bus",
                           g->row, g->v_pu, id, *held_pu);
    *held_pu = g->v_pu;
    return WALRAS_OK;
}

enum walras_status grid_case_power(const struct grid_case *c, double *injection_kw,
                                   double *injection_kvar, double *hold_v_pu,
                                   struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t b = 0; b < c->network.n_bus; b++) {
        injection_kw[b] = -c->network.buses[b].load_kw;
        injection_kvar[b] = -c->network.buses[b].load_kvar;
        hold_v_pu[b] = NAN;
    }
    for (size_t i = 0; i < c->n_generator && status == WALRAS_OK; i++) {
        const struct grid_generator *g = &c->generators[i];

        if (!isfinite(g->p_kw) || !isfinite(g->q_kvar))
            return walras_fail(err, WALRAS_INVALID, "gen row %zu: PG and QG must be finite",
                               g->row);
        injection_kw[g->bus] += g->p_kw;
        injection_kvar[g->bus] += g->q_kvar;
        if (c->holds_voltage[g->bus])
            status = hold(c, g, &hold_v_pu[g->bus], err);
    }
    return status;
}
