/*
 * AC power flow: the complex voltages at which the given powers balance at every bus.
 *
 * Model      docs/grid.md, "AC power flow": lines as π with charging, tap and shift at the from
 *            side, shunts at 1 p.u., constant powers. Newton-Raphson in polar coordinates, the
 *            Jacobian factored by KLU; where it does not converge from a flat start, the injections
 *            are raised step by step from none.
 * Units      kW and kvar, `injection` into the grid; voltages per unit and rad, the slack's angle
 *            is 0; line flows are positive into the line at either end.
 * Ownership  the network is borrowed and outlives the power flow, which owns its solutions.
 * Cost       ordering and memory once, when made, for any number of solutions: one a market step.
 * Threads    one thread at a time.
 */
#ifndef WALRAS_GRID_POWERFLOW_H
#define WALRAS_GRID_POWERFLOW_H

#include "grid/network.h"

struct grid_powerflow;

struct grid_powerflow_settings {
    double tolerance_pu;     /* of the balance at a bus, on base_mva; default 1e-10 */
    unsigned max_iterations; /* of one attempt; default 30 */
};
struct grid_powerflow_settings grid_powerflow_settings_defaults(void);

struct grid_powerflow_input {
    /* Without shunts, which the network has. What is not free at a bus is not read: both powers of
     * the slack, the reactive one of buses that hold their voltage. */
    const double *injection_kw, *injection_kvar; /* [n_bus] */
    /*
     * [n_bus] magnitude that the bus holds with whatever reactive power it takes; NAN: none is
     * held, at the slack that of the network. NULL: NAN for all.
     */
    const double *hold_v_pu;
    bool from_last; /* begin at the last solution, if there is one, instead of at a flat start */
};

enum grid_powerflow_outcome {
    GRID_POWERFLOW_SOLVED,
    GRID_POWERFLOW_NONE /* no solution is found: voltages collapse before the full injections */
};

struct grid_powerflow_solution {
    enum grid_powerflow_outcome outcome;
    unsigned iterations;  /* Newton steps, of all attempts; from_last: simplified ones, cheaper */
    double mismatch_kva;  /* largest, of the active or the reactive balance of a bus */
    double reached_share; /* of the injections up to which there is a solution; 1 when solved */
    size_t weakest;       /* bus of the lowest voltage; unsolved: at that share */
    /* Of the full injections; NULL when unsolved. */
    const double *vm_pu, *va_rad;                /* [n_bus] */
    const double *injection_kw, *injection_kvar; /* [n_bus] with what slack and held buses add */
    const double *from_kw, *from_kvar;           /* [n_line]; 0 out of service */
    const double *to_kw, *to_kvar;               /* [n_line] */
    double loss_kw, loss_kvar; /* in the impedances of the lines: what their charging gives apart */
    double charging_kvar;      /* given by the charging of the lines, at their voltages */
    double shunt_kw, shunt_kvar; /* drawn by shunts, at their voltages */
};

/*
 * The network has passed grid_network_check. WALRAS_INVALID when a line in service has no
 * impedance at all; WALRAS_UNSUPPORTED (too large) or WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status
grid_powerflow_new(const struct grid_network *network,
                   const struct grid_powerflow_settings *settings, struct grid_powerflow **made,
                   struct walras_err *err);
void grid_powerflow_free(struct grid_powerflow *flow);

/*
 * *out lives until the next call. "No solution" is an outcome. WALRAS_INVALID names the bus whose
 * injection is not finite or whose voltage to hold is not above 0; WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status grid_powerflow_solve(struct grid_powerflow *flow,
                                                         const struct grid_powerflow_input *input,
                                                         struct grid_powerflow_solution *out,
                                                         struct walras_err *err);

/*
 * Marginal loss factors at the last solution: what 1 kW and 1 kvar more, injected at each bus, add
 * to the losses in kW, when the slack of its tree gives the balance: kw and kvar [n_bus], 0 at
 * slacks, and kvar 0 where the voltage is held. 1 − kw is what 1 kW injected saves at the slack
 * (docs/grid.md, A10). WALRAS_INVALID when the last call found no solution.
 */
WALRAS_NODISCARD enum walras_status grid_powerflow_loss_factors(struct grid_powerflow *flow,
                                                                double *kw, double *kvar,
                                                                struct walras_err *err);

#endif
